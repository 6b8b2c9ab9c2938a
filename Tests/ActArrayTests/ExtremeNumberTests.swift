import ActArray
import ActLinear
import ActOrder
import Testing

/// The largest and smallest numbers: what the element type can hold is found, and what it cannot is an overflow that is noted.
@Suite struct ExtremeNumberTests {
    /// Powers of two change no digit, so a statistic of x · 2^k is that of x times 2^k (or 4^k), to the bit.
    @Test(arguments: [ElementType.f64, .f32]) func statisticsScale(type: ElementType) throws {
        let x = try array(7, 3, type: type)
        let exponents = type == .f64 ? [-1010, -600, -500, -3, 0, 5, 500, 530, 1000, 1020] : [-120, -70, -30, 0, 40, 63, 100, 124]
        let statistics: [(String, (NDArray, [Int]?) throws -> NDArray)] = [
            ("mean", { try $0.mean(axes: $1) }), ("norm", { try $0.norm(axes: $1) }), ("std", { try $0.standardDeviation(axes: $1) }),
            ("std of a sample", { try $0.standardDeviation(axes: $1, ddof: 1, keepdims: true) }),
            ("kept norm", { try $0.norm(axes: $1, keepdims: true) }), ("kept mean", { try $0.mean(axes: $1, keepdims: true) }),
        ]
        for axes in [nil, [0], [1]] as [[Int]?] {
            for (name, statistic) in statistics {
                let expected = try statistic(x, axes)
                for k in exponents {
                    let factor = Double(sign: .plus, exponent: k, significand: 1)
                    let found = try statistic(x * factor, axes), shouldBe = try expected * factor
                    #expect(
                        same(try found.toDoubles(), try shouldBe.toDoubles()) && found.shape == shouldBe.shape,
                        "\(name) over \(String(describing: axes)), 2^\(k)")
                }
            }
            let standardized = try x.standardized(axes: axes ?? [0, 1]).toDoubles()
            for k in exponents {
                let scaled = try x * Double(sign: .plus, exponent: k, significand: 1)
                #expect(same(try scaled.standardized(axes: axes ?? [0, 1]).toDoubles(), standardized), "normalize over \(String(describing: axes)), 2^\(k)")
            }
        }
        let (a, b) = (try array(100, type: type), try array(100, type: type).sorted())
        let hypot = try NDArray.binary(.hypot, a, b)
        for k in exponents where type == .f64 || k < 120 {
            let factor = Double(sign: .plus, exponent: k, significand: 1)
            #expect(same(try NDArray.binary(.hypot, a * factor, b * factor).toDoubles(), try (hypot * factor).toDoubles()), "hypot, 2^\(k)")
        }
        for order in [1.5, 3, -2] {
            for k in exponents where k <= (type == .f64 ? 1000 : 120) {
                let factor = Double(sign: .plus, exponent: k, significand: 1)
                let found = try (x * factor).norm(order: .number(order), axes: [0]) / factor
                let apart = distance(try found.toDoubles(), try x.norm(order: .number(order), axes: [0]).toDoubles())
                #expect(apart < (type == .f64 ? 1e-12 : 1e-4), "norm \(order), 2^\(k)")
            }
        }
    }

    /// Each lane as if it were alone.
    @Test func lanesDoNotMix() throws {
        let factors = [1, 1e300, 1e-300, 1e155, 0, 1e-162, .infinity, .nan]
        let columns = try factors.map { try array(5, 1) * $0 }
        let table = try NDArray.concatenated(columns, axis: 1)
        for statistic in [{ try $0.mean(axes: [0]) }, { try $0.norm(axes: [0]) }, { try $0.standardDeviation(axes: [0]) }, { try $0.standardized(axes: [0]) }]
            as [(NDArray) throws -> NDArray]
        {
            let alone = try columns.map(statistic).map { try $0.reshaped(to: [$0.count, 1]) }
            let expected = try NDArray.concatenated(alone, axis: 1).toDoubles(), found = try statistic(table).toDoubles()
            #expect(zip(found, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN || abs($0 - $1) < 1e-14 * abs($1) }, "\(found), \(expected)")
        }
    }

    @Test func largestAndSmallest() throws {
        func array(_ numbers: Double..., type: ElementType = .f64) throws -> NDArray { try NDArray(numbers, shape: [numbers.count], type: type) }
        #expect(try array(1.7e308, 1.7e308).mean().item() == 1.7e308)
        #expect(distance([try array(3e38, 3e38, 3e38, type: .f32).mean().item() / 3e38], [1]) < 2e-7)
        #expect(try (array(1.7e308, 1.7e308) * 1.0).mean().item() == 1.7e308)  // not computed yet
        #expect(try array(5e-324, 5e-324).mean().item() == 5e-324)
        // The distances themselves are beyond the largest number; numpy.std in long double: 1.6027753706895081e308.
        #expect(distance([try array(1.7e308, -1.7e308, -1.7e308).standardDeviation().item() / 1e308], [1.602775370689508]) < 1e-15)
        #expect(try array(5e-324, 5e-324, 5e-324, 5e-324).norm().item() == 1e-323)
        // Representable although the sum of squares is not: 4 · (1e154)² / 4.
        #expect(distance([try array(-1e154, 1e154, -1e154, 1e154).variance().item() / 1e308], [1]) < 1e-15)
        #expect(try array(1e200, -1e200).variance().item() == .infinity)
        // Around 1 the mean rounds by as much as these numbers vary.
        #expect(try array(1, 1 + 0x1p-52).standardDeviation().item() == 0x1p-53)
    }

    /// What does not vary has the deviation 0, although its mean is rounded.
    @Test func constantsDoNotVary() throws {
        for (value, type) in [
            (0.1, ElementType.f64), (1 / 3, .f64), (1e-300, .f64), (1e200, .f64), (1.7e308, .f64), (5e-324, .f64), (0.1, .f32), (3e38, .f32), (1e-44, .f32),
        ] {
            for n in [1, 2, 3, 7, 10, 49, 1000, 3001] {
                let x = try NDArray.full(value, shape: [n, 2], type: type)
                #expect(try x.standardDeviation().item() == 0 && x.standardDeviation(axes: [0]).toDoubles() == [0, 0], "\(n) times \(value)")
                #expect(try x.standardized(axes: [0]).toDoubles().allSatisfy { $0 == 0 }, "\(n) times \(value)")
            }
        }
    }

    // MARK: Numbers beyond f32

    private func overflows(_ body: () throws -> Void) rethrows -> Int {
        NumericEvents.isEnabled = true
        defer { NumericEvents.isEnabled = false }
        _ = NumericEvents.drain()
        try body()
        return NumericEvents.drain().filter { $0.kind == .overflow }.count
    }

    /// With a number that f32 lacks, the result is that of f64, rounded: infinite with a note, or what it is.
    @Test(arguments: [3, 5000]) func numbersBeyondF32(count: Int) throws {
        let x = try NDArray.full(2, shape: [count], type: .f32), large = 1e300
        func check(_ expected: Double, overflowing isOverflow: Bool, _ body: () throws -> NDArray, sourceLocation: SourceLocation = #_sourceLocation) throws {
            var result = x
            let noted = try overflows {
                result = try body()
                try result.evaluate()
            }
            #expect(try result.toDoubles().allSatisfy { $0 == expected } && result.type == .f32 && (noted > 0) == isOverflow, sourceLocation: sourceLocation)
        }
        for operation in [BinaryOperation.add, .mul, .max, .hypot] {
            try check(.infinity, overflowing: true) { try NDArray.binary(operation, x, large) }
            try check(.infinity, overflowing: true) { try NDArray.binary(operation, large, x) }
        }
        try check(-.infinity, overflowing: true) { try NDArray.binary(.sub, x, large) }
        try check(2, overflowing: false) { try NDArray.binary(.min, x, large) }
        try check(0, overflowing: false) { try NDArray.binary(.div, x, large) }
        try check(Double(Float(2e-39)), overflowing: false) { try NDArray.binary(.div, x, 1e39) }
        try check(.infinity, overflowing: false) { try NDArray.binary(.add, x, .infinity) }
        try check(0, overflowing: false) { try NDArray.binary(.mul, x * 0, large) }
        let all = try NDArray(bools: [true], shape: [1])
        try check(2, overflowing: false) { try NDArray.select(all, .array(x), .number(large)) }
        try check(.infinity, overflowing: true) { try NDArray.select(all, .number(-(-large)), .array(x)) }
        try check(.infinity, overflowing: true) { try NDArray.full(large, shape: [count], type: .f32) }
        try check(.infinity, overflowing: true) {
            var y = x
            try y.assign(.number(large), at: [.ellipsis])
            return y
        }
        let noted = try overflows {
            var y = x
            try y.setElement(large, at: 1)
            #expect(try y.toDoubles()[1] == .infinity)
        }
        #expect(noted == 1)
        #expect(try NDArray.compare(.lt, .array(x), .number(large)).toBools().allSatisfy { $0 })
        #expect(try NDArray.compare(.eq, .array(x * .infinity), .number(large)).toBools().allSatisfy { !$0 })
    }

    @Test func roundingToDecimals() throws {
        for type in [ElementType.f64, .f32] {
            let x = try NDArray([1e308, -1e308, 2.345, -0.001, 3e38, 0, .infinity, -.infinity, .nan, 1e-45, 123456.789], shape: [11], type: type)
            let elements = try x.toDoubles()
            for decimals in [1, 2, 5, 30, 38, 39, 45, 300, -1, -3, -38, -39, -300] {
                let found = try x.rounded(decimals: decimals).toDoubles()
                #expect(zip(found, elements).allSatisfy { $0.isNaN == $1.isNaN && $0.isFinite == $1.isFinite }, "\(decimals) of \(type)")
                // A number and an array alike.
                if type == .f64 { #expect(same(found, elements.map { Scalar.rounded($0, decimals: decimals) }), "\(decimals)") }
                // No further away than half a unit.
                let unit = Scalar.binary(.pow, 10, Double(-decimals))
                #expect(
                    zip(found, elements).allSatisfy { !$0.isFinite || abs($0 - $1) <= 0.5000001 * unit + abs($1) * (type == .f64 ? 1e-15 : 1e-6) },
                    "\(decimals) of \(type)")
            }
        }
        #expect(try NDArray([1.5], shape: [1], type: .f32).rounded(decimals: 39).toDoubles() == [1.5])
        #expect(try NDArray([0.125, 0.375], shape: [2]).rounded(decimals: 2).toDoubles() == [0.12, 0.38])
    }

    /// Exact quotients rounded once: among the smallest numbers a step would be rounded first.
    @Test func smallSteps() throws {
        let tiny = 5e-324
        #expect(try NDArray.linspace(0, 20 * tiny, 4).toDoubles() == [0, 7 * tiny, 13 * tiny, 20 * tiny])
        #expect(try NDArray.linspace(0, tiny, 3).toDoubles() == [0, 0, tiny])
        #expect(try NDArray.linspace(0, 7 * tiny, 15).toDoubles() == [0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 5, 6, 6, 6, 7].map { $0 * tiny })
        #expect(try NDArray.linspace(-tiny, tiny, 3).toDoubles() == [-tiny, 0, tiny])
        #expect(try NDArray.linspace(0, 1, 5).toDoubles() == [0, 0.25, 0.5, 0.75, 1])
    }

    // MARK: Signs of zero

    /// Sorting keeps equal numbers in their order, −0 and 0 among them: as the order that sorts says.
    @Test(arguments: [ElementType.f64, .f32]) func zerosStayInOrder(type: ElementType) throws {
        var dice = Dice(state: 5)
        for n in [2, 3, 10, 1000, 70_000] {
            let x = try NDArray((0..<n).map { _ in [0, -0.0, 1, -1, .nan][dice.roll(5)] }, shape: [n], type: type)
            let order = try x.argsorted().toDoubles().map { Int($0) }, elements = try x.toDoubles()
            #expect(same(try x.sorted().toDoubles(), order.map { elements[$0] }), "\(n)")
        }
        #expect(same(try NDArray([0, -0.0, -1, -0.0, 0], shape: [5], type: type).sorted().toDoubles(), [-1, 0, -0.0, -0.0, 0]))
        #expect(same(try NDArray([0, 1, -0.0, -1], shape: [2, 2], type: type).sorted(axis: 0).toDoubles(), [0, -1, -0.0, 1]))
    }

    @Test func runningSumsKeepSigns() throws {
        // np.cumsum([-0.0, -0.0, 1, -1, -0.0])
        for type in [ElementType.f64, .f32] {
            let x = try NDArray([-0.0, -0.0, 1, -1, -0.0], shape: [5], type: type)
            #expect(same(try x.cumulative(.sum).toDoubles(), [-0.0, -0.0, 1, 0, 0]))
            #expect(same(try x.cumulative(.sum, reversed: true).toDoubles(), [0, 0, 0, -1, -0.0]))
            let long = try NDArray.full(-0.0, shape: [200_000], type: type)
            #expect(try long.cumulative(.sum).toDoubles().allSatisfy { $0 == 0 && $0.sign == .minus })
        }
    }
}
