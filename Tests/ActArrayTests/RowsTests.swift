// Large arrays whose elements are reduced, copied or written row by row: against the same done in another way, to the bit.

import ActArray
import ActOrder
import ActTestSupport
import CActKernels
import Testing

@Suite struct RowsTests {
    // Under a sanitizer every element takes a hundred times as long.
    private static let shapes =
        Sanitizer.current != nil ? [[30, 100], [3, 5, 300], [4, 2500]] : largeShapes
    private static let largeShapes = [
        [1000, 100], [3, 5, 700], [40, 2500], [2000, 7], [4, 600, 65], [1, 70_000], [70_000, 1], [2, 3, 8192], [130, 2049], [33, 3, 30],
    ]

    private static func subsets(_ rank: Int) -> [[Int]] { (0..<1 << rank).map { mask in (0..<rank).filter { mask >> $0 & 1 == 1 } } }

    private func copy(_ x: NDArray) throws -> NDArray { try NDArray(x.toDoubles(), shape: x.shape, type: x.type) }

    // MARK: Reductions of elements that are not there yet

    @Test(arguments: shapes, [ElementType.f64, .f32])
    func computedWhileReduced(shape: [Int], type: ElementType) throws {
        let x = try NDArray(numbers(shape.reduce(1, *)), shape: shape, type: type),
            row = try NDArray(numbers(shape[shape.count - 1]), shape: [shape[shape.count - 1]], type: type)
        let column = try x.reduced(.max, axes: [shape.count - 1], keepdims: true)
        let makers: [(String, () throws -> NDArray)] = [
            ("x + 1", { try x + 1 }), ("x * x", { try x * x }), ("x^2", { try NDArray.unary(.square, x) }), ("x * row", { try x * row }),
            ("(x - column)^2", { try NDArray.unary(.square, x - column) }), ("column - x", { try (column - x) / 8 }),
            ("x * flipped", { try x * x.flipped() }),
        ]
        for (name, make) in makers {
            let there = try make()
            try there.evaluate()
            for axes in RowsTests.subsets(shape.count) {
                for op in [ReduceOperation.sum, .prod, .min, .max] {
                    let expected = try there.reduced(op, axes: axes)
                    #expect(try same(make().reduced(op, axes: axes).toDoubles(), expected.toDoubles()), "\(op) of \(name) along \(axes)")
                    // Someone else holds it: it is stored as well.
                    let shared = try make()
                    #expect(try same(shared.reduced(op, axes: axes, keepdims: true).toDoubles(), expected.toDoubles()), "\(op) of \(name) along \(axes)")
                    #expect(try same(shared.toDoubles(), there.toDoubles()), "\(name), after \(op) along \(axes)")
                }
            }
        }
    }

    @Test(arguments: shapes) func computedBoolsWhileReduced(shape: [Int]) throws {
        let x = try NDArray(numbers(shape.reduce(1, *)), shape: shape)
        for bound in [-6.0, 4.9, 6] {
            let there = try NDArray.compare(.gt, .array(x), .number(bound))
            try there.evaluate()
            for axes in RowsTests.subsets(shape.count) {
                for op in [ReduceOperation.any, .all, .sum] {
                    let result = try NDArray.compare(.gt, .array(x), .number(bound)).reduced(op, axes: axes)
                    #expect(try result.toDoubles() == there.reduced(op, axes: axes).toDoubles(), "\(op) > \(bound) along \(axes)")
                }
            }
        }
    }

    @Test(arguments: [ElementType.f64, .f32]) func normsAndDeviations(type: ElementType) throws {
        let largest = type == .f64 ? 1e300 : 1e30
        for scale in [1, largest, 1 / largest] {
            let x = try NDArray(numbers(30_000), shape: [100, 300], type: type) * scale, exact = try x.toDoubles()
            let unscaled = exact.map { $0 / scale }
            let rows: [[Double]] = (0..<100).map { r in Array(unscaled[r * 300..<(r + 1) * 300]) }
            let columns: [[Double]] = (0..<300).map { c in rows.map { $0[c] } }
            for (axis, lanes) in [(1, rows), (0, columns)] {
                let norms = lanes.map { lane in lane.reduce(0) { $0 + $1 * $1 }.squareRoot() }
                let deviations = lanes.map { lane in
                    let count = Double(lane.count), mean = lane.reduce(0, +) / count
                    return (lane.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
                }
                let error = type == .f64 ? 1e-13 : 1e-6
                #expect(distance(try x.norm(axes: [axis]).toDoubles().map { $0 / scale }, norms) < error, "\(scale), \(axis)")
                #expect(distance(try x.standardDeviation(axes: [axis]).toDoubles().map { $0 / scale }, deviations) < error, "\(scale), \(axis)")
            }
        }
    }

    @Test func productsThatOverflowAreNoted() throws {
        NumericEvents.isEnabled = true
        defer { NumericEvents.isEnabled = false }
        _ = NumericEvents.drain()
        var numbers = [Double](repeating: 1, count: 5000)
        numbers[4321] = 1e200
        let x = try NDArray(numbers, shape: [5, 1000])
        #expect(try (x * x).reduced(.sum, axes: [1]).toDoubles() == [1000, 1000, 1000, 1000, .infinity])
        let events = NumericEvents.drain()
        #expect(events.map(\.kind) == [.overflow] && events.first?.first == 4321 && events.first?.example == [1e200, 1e200])
        #expect(try (x * x).reduced(.sum).item() == .infinity)
        #expect(NumericEvents.drain().map(\.kind) == [.overflow])
        #expect(try (x + x).reduced(.sum, axes: [0]).toDoubles()[321] == 2e200)
        #expect(NumericEvents.drain().isEmpty)
    }

    // MARK: Copies

    @Test(arguments: [[0, 3], [1, 1], [3, 5], [4, 0], [200, 701], [1, 70_001], [40_000, 3]], [ElementType.f64, .f32, .bool])
    func movedRows(shape: [Int], type: ElementType) throws {
        let modulus = type == .bool ? 2 : 251, m = shape[0], n = shape[1]
        let x = try NDArray((0..<m * n).map { Double($0 % modulus) }, shape: shape, type: type), flat = try x.toDoubles()
        for shift in [1, 3, -2, n - 1] where n > 0 {
            let rolled = (0..<m * n).map { flat[$0 / n * n + (($0 % n - shift) % n + n) % n] }
            #expect(try x.rolled(shift, axis: 1).toDoubles() == rolled, "\(shift)")
        }
        for (before, after) in [(0, 1), (2, 3), (1, 0)] {
            let (height, width) = (m + before + after, n + 1)
            let padded = (0..<height * width).map { i in
                let (r, c) = (i / width - before, i % width)
                return r >= 0 && r < m && c < n ? flat[r * n + c] : 1
            }
            #expect(try x.padded([(before, after), (0, 1)], .constant(1)).toDoubles() == padded)
        }
        let turned = try x.transposed(), wide = try NDArray.concatenated([x, turned.transposed(), x.flipped([1])], axis: 1)
        #expect(
            try wide.toDoubles()
                == (0..<m).flatMap { r in
                    let row = flat[r * n..<(r + 1) * n]
                    return row + row + row.reversed()
                })
        #expect(try NDArray.concatenated([turned, turned], axis: 0).toDoubles() == copy(turned).toDoubles() + copy(turned).toDoubles())
    }

    /// The target of a run lies a few bytes further on in its page than the source.
    @Test func longRowsMovedALittle() throws {
        let x = try NDArray((0..<200_000).map { Double($0) }, shape: [20, 10_000], type: .f32), flat = try x.toDoubles()
        for shift in [1, 3, 15, 16, 1024, 1027] {
            #expect(try x.rolled(shift, axis: 1).toDoubles() == (0..<200_000).map { flat[$0 / 10_000 * 10_000 + ($0 % 10_000 - shift + 10_000) % 10_000] })
        }
    }

    // MARK: Writing

    @Test(arguments: [[3, 4], [300, 400], [1000, 70], [2, 40_000]], [ElementType.f64, .f32])
    func writesToACopy(shape: [Int], type: ElementType) throws {
        let x = try NDArray(numbers(shape.reduce(1, *)), shape: shape, type: type), before = try x.toDoubles(), n = shape[1]
        let inside: [NDArray.Index] = [.slice(start: 1, stop: -1, step: nil), .slice(start: 1, stop: -1, step: nil)]
        func isInside(_ i: Int) -> Bool { i / n > 0 && i / n < shape[0] - 1 && i % n > 0 && i % n < n - 1 }
        let one = try NDArray.scalar(1, type: type), expected = try (x + 1).toDoubles()
        var y = x
        let value = try y.indexed(by: inside) + one
        try y.assign(.array(value), at: inside)
        #expect(try x.toDoubles() == before)
        #expect(try y.toDoubles() == before.indices.map { isInside($0) ? expected[$0] : before[$0] })
        // The value is still what it was after the copy changes again, and the copy what it was after the value is gone.
        let kept = try value.toDoubles()
        try y.assign(.number(9), at: inside)
        #expect(try value.toDoubles() == kept)
        #expect(try y.toDoubles() == before.indices.map { isInside($0) ? 9 : before[$0] })
        // Nobody else sees it now.
        try y.assign(.array(y.indexed(by: inside) * 2), at: inside)
        #expect(try y.toDoubles() == before.indices.map { isInside($0) ? 18 : before[$0] })
        // Shifted onto itself, and a stretched row.
        try y.assign(.array(x.indexed(by: [.slice(start: 1, stop: nil, step: nil)])), at: [.slice(start: nil, stop: -1, step: nil)])
        try y.assign(.array(y.indexed(by: [.slice(start: nil, stop: -1, step: nil)])), at: [.slice(start: 1, stop: nil, step: nil)])
        #expect(try y.toDoubles() == (0..<before.count).map { before[$0 < n ? n + $0 : $0] })
        try y.assign(.array(x.indexed(by: [.integer(0)])), at: [NDArray.Index]())
        #expect(try y.toDoubles() == (0..<before.count).map { before[$0 % n] })
    }

    @Test(arguments: [[1], [7], [5, 3], [300, 401]], [ElementType.f64, .f32, .bool])
    func writesUnderAMask(shape: [Int], type: ElementType) throws {
        let x = try NDArray(numbers(shape.reduce(1, *)), shape: shape, type: type), before = try x.toDoubles()
        let mask = try NDArray.compare(.gt, .array(NDArray(numbers(before.count), shape: shape)), .number(1)), isIn = try mask.toBools()
        var y = x
        for number in [0, 2.5] {
            try y.assign(.number(number), at: [.array(mask)])
            let stored = type == .bool ? (number == 0 ? 0.0 : 1) : number
            #expect(try y.toDoubles() == before.indices.map { isIn[$0] ? stored : before[$0] })
        }
        #expect(try x.toDoubles() == before)
        var turned = try copy(x).transposed()
        try turned.assign(.number(0), at: [.array(mask.transposed())])
        #expect(try turned.transposed().toDoubles() == before.indices.map { isIn[$0] ? 0 : before[$0] })
        #expect(throws: ArrayError.self) { try y.assign(.number(0), at: [.array(NDArray(bools: [true, false], shape: [2]))]) }
    }

    // MARK: Numbers in order

    @Test(arguments: [0, 1, 2, 7, 8, 9, 100_003]) func evenSteps(count: Int) throws {
        for (a, b) in [(0.0, 1.0), (-3, 7.3), (5, -1e10), (1e308, -1e308), (0, 1e-320)] {
            let line = try NDArray.linspace(a, b, count).toDoubles(), steps = Double(max(1, count - 1))
            #expect(line.first == (count == 0 ? nil : a) && (count < 2 || line.last == b))
            if !(b - a).isFinite || b == 1e-320 { continue }
            let step = (b - a) / steps, expected = (0..<max(0, count - 1)).map { a + Double($0) * step }
            #expect(Array(line.dropLast()) == expected)
        }
        #expect(try NDArray.range(2, 2 + Double(count) * 0.1, 0.1).toDoubles() == (0..<count).map { 2 + Double($0) * 0.1 })
    }

    @Test(arguments: [ElementType.f64, .f32]) func countsOfMany(type: ElementType) throws {
        var dice = Dice(state: 1)
        for (count, bins) in [(1, 1), (1000, 3), (200_001, 1000), (200_001, 40_000)] {
            var numbers = (0..<count).map { _ in Double(dice.roll(bins)) }, expected = [Double](repeating: 0, count: Int(numbers.max() ?? 0) + 1)
            for number in numbers { expected[Int(number)] += 1 }
            let x = try NDArray(numbers, shape: [count], type: type)
            #expect(try x.bincount().toDoubles() == expected)
            #expect(try x.bincount(weights: NDArray.full(0.5, shape: [count], type: type)).toDoubles() == expected.map { $0 / 2 })
            #expect(try x.flipped().bincount(minLength: bins + 2).toDoubles() == expected + [Double](repeating: 0, count: bins + 2 - expected.count))
            // The first number that is not a bin is named, wherever it is.
            for bad in [-1, 0.5, .nan, -.infinity] {
                numbers[count - 1] = bad
                let faulty = try NDArray(numbers, shape: [count], type: type)
                let fault = #expect(throws: ArrayError.self) { try faulty.bincount() }
                switch fault {
                case .badValue(operation: "bincount", .negative(-1)): #expect(bad == -1)
                case .indexNotWhole(let number): #expect(same([number], [bad]))
                default: Issue.record("\(String(describing: fault)) for \(bad)")
                }
            }
        }
        #expect(try NDArray(bools: [true, false, true], shape: [3]).bincount().toDoubles() == [1, 2])
    }

    // MARK: Products

    @Test(arguments: [1, 2, 17, 1000, 40_000], [ElementType.f64, .f32]) func dotsOfColumns(count: Int, type: ElementType) throws {
        let x = try NDArray(numbers(count * 3), shape: [count, 3], type: type)
        let a = try x.indexed(by: [.ellipsis, .integer(0)]), b = try x.indexed(by: [.slice(start: nil, stop: nil, step: -1), .integer(2)])
        #expect(try NDArray.matmul(a, b).item() == NDArray.matmul(copy(a), copy(b)).item())
    }

    @Test(arguments: [(64, 300), (80, 80), (129, 40), (200, 500), (333, 33)].prefix(Sanitizer.current == nil ? 5 : 3), [ElementType.f64, .f32])
    func symmetricProducts(size: (Int, Int), type: ElementType) throws {
        let x = try NDArray(numbers(size.0 * size.1), shape: [size.0, size.1], type: type), turned = try x.transposed()
        let expected = try NDArray.matmul(x, copy(turned)).toDoubles()
        #expect(try NDArray.matmul(x, turned).toDoubles() == expected)
        #expect(try NDArray.matmul(copy(turned).transposed(), copy(turned)).toDoubles() == expected)
        let part = try x.indexed(by: [.slice(start: nil, stop: nil, step: 2), .slice(start: 1, stop: nil, step: nil)])
        #expect(try NDArray.matmul(part, part.transposed()).toDoubles() == NDArray.matmul(part, copy(part.transposed())).toDoubles())
    }

    /// Of few columns: only what is above the diagonal is computed, tile by tile.
    @Test(arguments: 1...50) func symmetricProductsOfFew(columns: Int) throws {
        for type in [ElementType.f64, .f32] {
            for rows in [columns, 200] {
                let wide = try array(rows, columns + 3, type: type), x = try wide.indexed(by: [.ellipsis, .slice(start: 2, stop: -1, step: nil)])
                let expected = try NDArray.matmul(copy(x).transposed(), copy(x)).toDoubles()
                #expect(try NDArray.matmul(x.transposed(), x).toDoubles() == expected)
                let whole = try copy(x)
                #expect(try NDArray.matmul(whole.transposed(), whole).toDoubles() == expected)
            }
        }
    }

    /// Of matrices of every width, read as they lie or laid out first.
    @Test(arguments: 1...50) func narrowProducts(columns: Int) throws {
        for type in [ElementType.f64, .f32] {
            let a = try array(9, 13, type: type), b = try array(13, columns, type: type), x = try a.toDoubles(), y = try b.toDoubles()
            let expected = (0..<9 * columns).map { i in (0..<13).reduce(0) { $0 + x[i / columns * 13 + $1] * y[$1 * columns + i % columns] } }
            let product = try NDArray.matmul(a, b).toDoubles()
            #expect(distance(product, expected) < (type == .f64 ? 1e-13 : 1e-5))
            #expect(try NDArray.matmul(a, b.transposed().contiguous().transposed()).toDoubles() == product)
        }
    }

    @Test(arguments: SameBitsTests.instructionSets) func sumsOfRows(isa: String) throws {
        let table = try #require(act_kernels_named(isa)).pointee
        for (rows, n) in [(0, 5), (1, 1), (7, 9), (8, 8), (19, 35)] {
            let x = numbers(rows * (n + 2)), narrow = x.map(Float.init)
            var sums = numbers(n), expected = sums, wide = sums, expectedWide = sums
            for r in 0..<rows { for i in 0..<n { expected[i] += x[r * (n + 2) + i] } }
            for r in 0..<rows { for i in 0..<n { expectedWide[i] += Double(narrow[r * (n + 2) + i]) } }
            table.accumulate_sums_f64(&sums, x, n + 2, rows, n)
            table.accumulate_sums_f32(&wide, narrow, n + 2, rows, n)
            #expect(sums == expected && wide == expectedWide)
        }
        let x = numbers(5001).map(Float.init), y = x.map { Double($0) }
        let base = try #require(act_kernels_named("baseline") ?? act_kernels()).pointee
        for n in [0, 1, 31, 32, 33, 2048, 2049, 5001] {
            #expect(table.sum_f32(x, n) == base.sum_f32(x, n) && table.sum_f32(x, n) == table.sum_f64(y, n))
            #expect(table.dot_f32(x, x, n) == base.dot_f32(x, x, n))
            #expect(table.prod_f32(x, n) == base.prod_f32(x, n) && table.prod_f64(y, n) == table.prod_f32(x, n))
        }
    }
}
