import ActArray
import ActLinear
import Testing

/// Expected numbers are NumPy 2's for the same input (`TestNumbers.swift`), sums of many numbers Python's `math.fsum`, softmax and
/// logsumexp mpmath's with 40 digits.
@Suite struct ReduceTests {
    @Test(
        arguments: [
            (nil, [1.3663366336633663]),
            (
                [1],
                [
                    -3.207920792079208, 2.2376237623762383, -2.306930693069307, 3.138613861386139, 2.1980198019801973, -2.346534653465347, 3.0990099009900987,
                    -1.445544554455445,
                ]
            ),
            ([-1], [0.881188118811882, -3.3762376237623766, 2.3564356435643563, -1.900990099009901, -6.158415841584159, 9.564356435643564]),
            ([0, 2], [-1.019801980198019, -9.534653465346535, 11.92079207920792]),
            ([0, 1], [-1.0099009900990108, -0.10891089108910856, 0.7920792079207915, 1.6930693069306946]),
            ([2, 1], [-0.13861386138613785, 1.5049504950495054]),
            ([0, 1, 2], [1.3663366336633663]),
        ] as [([Int]?, [Double])])
    func sums(axes: [Int]?, expected: [Double]) throws {
        let x = try array(2, 3, 4)
        #expect(distance(try x.reduced(.sum, axes: axes).toDoubles(), expected) < 4e-15)
        #expect(distance(try x.converted(to: .f32).reduced(.sum, axes: axes).toDoubles(), expected) < 5e-7)
        // Through a view that is not row-major.
        let moved = try x.transposed([2, 0, 1]).contiguous().transposed([1, 2, 0])
        #expect(distance(try moved.reduced(.sum, axes: axes).toDoubles(), expected) < 4e-15)
        let kept = try x.reduced(.sum, axes: axes, keepdims: true)
        #expect(kept.rank == 3 && kept.count == expected.count)
    }

    @Test func otherReductions() throws {
        let x = try array(2, 3, 4)
        let product = [
            15.298500147044408, -12.092675829684728, 1.352540665300724, -3.2818564671877475, -10.926750532126045, 11.606386871409416, -14.118592527814682,
            -1.017896711737639,
        ]
        #expect(distance(try x.reduced(.prod, axes: [1]).toDoubles(), product) < 1e-15)
        #expect(distance(try x.converted(to: .f32).reduced(.prod, axes: [1]).toDoubles(), product) < 1e-6)
        #expect(try x.reduced(.max, axes: [0, 2]).toDoubles() == [3.762376237623762, 4.376237623762377, 4.663366336633663])
        #expect(
            try x.reduced(.min, axes: [1]).toDoubles() == [
                -5.0, -2.5841584158415842, -4.099009900990099, -1.6831683168316833, -3.198019801980198, -4.712871287128713, -2.297029702970297,
                -3.8118811881188117,
            ])
        #expect(distance(try x.variance().toDoubles(), [8.525906365389014]) < 1e-15)
        #expect(
            distance(
                try x.variance(axes: [1], ddof: 1).toDoubles(),
                [
                    15.450348005097538, 9.449694474397937, 9.449694474397933, 9.449694474397933, 15.450348005097538, 15.450348005097535, 9.449694474397933,
                    9.449694474397933,
                ]) < 1e-14)
        #expect(
            distance(
                try x.mean(axes: [2]).toDoubles(),
                [0.2202970297029705, -0.8440594059405941, 0.5891089108910891, -0.4752475247524752, -1.5396039603960396, 2.391089108910891]) < 1e-15)
        #expect(distance(try x.norm().toDoubles(), [14.307324671679774]) < 1e-15)
        #expect(distance(try x.logsumexp().toDoubles(), [5.811374950948293]) < 1e-15)
        #expect(try x.logsumexp(axes: [1], keepdims: true).shape == [2, 1, 4])
        #expect(try NDArray.compare(.gt, .array(x), .number(0)).reduced(.sum).item() == Double(numbers(24).filter { $0 > 0 }.count))
        #expect(try x.countNonzero(axes: [0]).toDoubles() == [Double](repeating: 2, count: 12))
    }

    @Test func manyElements() throws {
        let x = try array(100_003)
        #expect(distance(try x.reduced(.sum).toDoubles(), [-985.2277227722772]) < 1e-15)
        #expect(distance(try (x * 1.0).reduced(.sum).toDoubles(), [-985.2277227722772]) < 1e-15)
        #expect(distance(try x.converted(to: .f32).reduced(.sum).toDoubles(), [-985.2277166433632]) < 6e-8)
        #expect(distance(try x.variance().toDoubles(), [8.316831607246492]) < 1e-14)
        #expect(try x.argReduced(.max).item() == 765)
        let table = try x.sliced([SliceRange(start: 0, step: 1, count: 99_990)]).reshaped(to: [990, 101])
        #expect(distance([try table.reduced(.sum, axes: [0]).toDoubles()[7]], [-12.029702970297029]) < 1e-14)
        #expect(distance([try table.transposed().reduced(.sum, axes: [0]).toDoubles()[5]], [5.336633663366337]) < 1e-15)
        #expect(try table.reduced(.max, axes: [0]).toDoubles()[3] == 4.98019801980198)
        #expect(try table.reduced(.min, axes: [1]).toDoubles()[9] == -5)
    }

    /// Every way the axes can lie, against sums of single elements.
    @Test(arguments: [[3, 5, 7], [300, 1, 300], [2, 3000, 3], [700, 2, 65], [1, 70_000, 2], [5000, 30, 1]])
    func everyLayout(shape: [Int]) throws {
        let x = try NDArray(numbers(shape.reduce(1, *)), shape: shape), flat = try x.toDoubles()
        for mask in 0..<8 {
            let axes = (0..<3).filter { mask >> $0 & 1 == 1 }
            let kept = (0..<3).filter { !axes.contains($0) }
            var sums = [Double](repeating: 0, count: kept.reduce(1) { $0 * shape[$1] })
            var largest = [Double](repeating: -.infinity, count: sums.count)
            var position = 0
            for i in 0..<shape[0] {
                for j in 0..<shape[1] {
                    for k in 0..<shape[2] {
                        let target = kept.reduce(0) { $0 * shape[$1] + [i, j, k][$1] }
                        sums[target] += flat[position]
                        largest[target] = max(largest[target], flat[position])
                        position += 1
                    }
                }
            }
            #expect(distance(try x.reduced(.sum, axes: axes).toDoubles(), sums) < 1e-10, "\(axes)")
            #expect(try x.reduced(.max, axes: axes).toDoubles() == largest, "\(axes)")
            let any = try NDArray.compare(.gt, .array(x), .number(4.9)).reduced(.any, axes: axes)
            #expect(try any.toBools() == largest.map { $0 > 4.9 }, "\(axes)")
        }
    }

    @Test func nothingToReduce() throws {
        let empty = try NDArray([], shape: [0, 3])
        #expect(try empty.reduced(.sum, axes: [0]).toDoubles() == [0, 0, 0])
        #expect(try empty.reduced(.prod).item() == 1)
        #expect(try empty.reduced(.sum, axes: [1]).shape == [0])
        #expect(try empty.reduced(.max, axes: [1]).shape == [0])
        #expect(try empty.converted(to: .bool).reduced(.all).item() == 1)
        #expect(try empty.converted(to: .bool).reduced(.any).item() == 0)
        #expect(try empty.converted(to: .bool).reduced(.all, axes: [0]).toBools() == [true, true, true])
        #expect(try empty.mean().item().isNaN)
        #expect(throws: ArrayError.emptyReduction(operation: "max", shape: [0, 3])) { try empty.reduced(.max) }
        #expect(throws: ArrayError.emptyReduction(operation: "min", shape: [0, 3])) { try empty.reduced(.min, axes: [0]) }
        #expect(throws: ArrayError.emptyReduction(operation: "argmax", shape: [0, 3])) { try empty.argReduced(.max, axis: 0) }
        #expect(throws: ArrayError.emptyReduction(operation: "argmax", shape: [0])) { try NDArray([], shape: [0]).argReduced(.max) }
        #expect(throws: ArrayError.axisOutOfRange(axis: 2, rank: 2)) { try empty.reduced(.sum, axes: [2]) }
        #expect(throws: ArrayError.repeatedAxis(0)) { try empty.reduced(.sum, axes: [0, -2]) }
    }

    @Test func nanPassesThrough() throws {
        var elements = numbers(5000)
        elements[4000] = .nan
        let x = try NDArray(elements, shape: [50, 100])
        #expect(try x.reduced(.max).item().isNaN && x.reduced(.min).item().isNaN)
        #expect(try x.reduced(.max, axes: [0]).toDoubles().map(\.isNaN).firstIndex(of: true) == 0)
        #expect(try x.argReduced(.max).item() == 4000)
        #expect(try x.argReduced(.min, axis: 0).toDoubles()[0] == 40)
        #expect(try x.reduced(.sum).item().isNaN)
        #expect(try NDArray([.infinity, 1, 2], shape: [3]).reduced(.sum).item() == .infinity)
        #expect(try (NDArray.full(.infinity, shape: [5000], type: .f64) * 1.0).reduced(.sum).item() == .infinity)
    }

    @Test func positions() throws {
        let x = try array(2, 3, 4)
        #expect(try x.argReduced(.max, axis: 0).toDoubles() == [1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1])
        #expect(try x.argReduced(.min, axis: -1).toDoubles() == [0, 2, 3, 1, 3, 3])
        #expect(try x.argReduced(.min, axis: 2, keepdims: true).shape == [2, 3, 1])
        #expect(try NDArray(bools: [false, true, true], shape: [3]).argReduced(.max).item() == 1)
        #expect(try x.transposed().argReduced(.max).item() == 5)
    }

    @Test func runningSumsAndProducts() throws {
        let x = try array(2, 3, 4)
        #expect(
            distance(
                try x.cumulative(.sum, axis: 1).toDoubles(),
                [
                    -5.0, 3.4752475247524757, 1.9603960396039604, 0.44554455445544594, -6.069306930693069, 0.8910891089108914, -2.1386138613861387,
                    4.8217821782178225, -3.207920792079208, 2.2376237623762383, -2.306930693069307, 3.138613861386139, -3.198019801980198, -4.712871287128713,
                    3.762376237623762, 2.2475247524752477, -2.4653465346534658, -5.495049504950495, 1.4653465346534653, -1.564356435643564, 2.1980198019801973,
                    -2.346534653465347, 3.0990099009900987, -1.445544554455445,
                ]) < 1e-15)
        #expect(
            distance(
                Array(try x.cumulative(.prod, axis: 0).toDoubles()[12...15]), [15.990099009900991, -16.378394275071074, 7.375747475737672, 1.0013724144691707])
                < 1e-15)
        let y = try NDArray([1, 2, 3, 4], shape: [2, 2])
        #expect(try y.cumulative(.sum).toDoubles() == [1, 3, 6, 10])
        #expect(try y.cumulative(.sum, axis: 1, reversed: true).toDoubles() == [3, 2, 7, 4])
        #expect(try NDArray(bools: [true, true], shape: [2]).cumulative(.sum).toDoubles() == [1, 2])
        #expect(try NDArray([], shape: [0, 2]).cumulative(.sum, axis: 0).shape == [0, 2])
    }

    @Test func softmaxes() throws {
        let x = try array(2, 3, 4)
        #expect(
            distance(Array(try x.softmax().toDoubles()[..<4]), [0.00016443625995663655, 0.7884076381674854, 0.17332419117083445, 0.03810373440172351]) < 1e-15)
        let middle = try x.softmax(axis: 1).toDoubles()
        #expect(distance([middle[0], middle[4], middle[8]], [0.0003777779888399307, 0.019244869048822513, 0.9803773529623375]) < 1e-15)
        let logs = try NDArray.unary(.exp, x.logSoftmax(axis: 0))
        #expect(distance(try logs.toDoubles(), try x.softmax(axis: 0).toDoubles()) < 1e-15)
        #expect(try NDArray([1000, 0], shape: [2]).softmax().toDoubles() == [1, 0])
        #expect(try NDArray([], shape: [0, 3]).softmax().shape == [0, 3])
        #expect(try NDArray([], shape: [3, 0]).softmax().shape == [3, 0])
        #expect(throws: ArrayError.axisOutOfRange(axis: -1, rank: 0)) { try NDArray([1], shape: []).softmax() }
    }

    @Test func logsumexpOfInfinities() throws {
        func of(_ x: Double...) throws -> Double { try NDArray(x, shape: [x.count]).logsumexp().item() }
        #expect(try of(-.infinity, -.infinity) == -.infinity)
        #expect(try of(.infinity, 1) == .infinity)
        #expect(try of(-.infinity, 1) == 1)
        #expect(try of(1000, 1000) == 1000.6931471805599453)
        #expect(try of(.nan, 1).isNaN)
        #expect(try of() == -.infinity)
        #expect(try NDArray([], shape: [2, 0]).logsumexp(axes: [1], keepdims: true).toDoubles() == [-.infinity, -.infinity])
    }

    /// log1p of the sum of the others, by mpmath; in rows of every length, along every axis.
    @Test(arguments: [ElementType.f64, .f32]) func logsumexpNearZero(type: ElementType) throws {
        let tolerance = type == .f64 ? 4e-16 : 2e-7
        for (count, low, expected) in [
            (2, -40.0, 4.248354255291589e-18), (3, -45, 5.725037161098787e-20), (70_000, -50, 1.3501056060762628e-17), (200_000, -50, 3.857480408429356e-17),
        ] {
            var elements = [Double](repeating: low, count: count)
            elements[count / 2] = 0
            let row = try NDArray(elements, shape: [count], type: type)
            for (x, axes) in [
                (row, nil), (try row.reshaped(to: [1, count]), [1]), (try row.reshaped(to: [count, 1]), [0]), (try row.reshaped(to: [1, count, 1]), [0, 1]),
            ] as [(NDArray, [Int]?)] {
                #expect(abs(try x.logsumexp(axes: axes).toDoubles()[0] / expected - 1) < tolerance, "\(count) over \(axes ?? [])")
            }
        }
        let x = try array(2, 3, 4, type: type), all = try x.reshaped(to: [24]).logsumexp().item()
        #expect(distance([try x.logsumexp(axes: [0, 2]).logsumexp().item(), try x.logsumexp(axes: [1]).logsumexp().item()], [all, all]) < tolerance)
        #expect(try x.logsumexp(axes: [0, 2], keepdims: true).shape == [1, 3, 1])
    }
}
