import ActArray
import CActKernels
import Testing

/// A number, an array of any length and a part of a longer computation give the same bits: for every primitive, both element types and
/// every instruction set that this machine has. What is compared with is the kernel on one element at a time.
@Suite struct SameBitsTests {
    static let lengths = [1, 2, 7, 8, 9, 1000, 1024, 1025]
    static let most = 1025
    static let instructionSets: [String] = ["baseline", "avx2", "avx512", "neon"].filter { act_kernels_named($0) != nil }

    /// Numbers of every sort: the ones that have rules of their own, ordinary ones, and any bit pattern.
    static func operands(_ seed: UInt64) -> [Double] {
        let special: [Double] = [
            0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 4, 0.1, 1e-5, -0.44, 20, -20, 700, -700, 1e10, 1e154, -1e200, 1e-160, 1e-310, -5e-324, 1e308, 3e38, 1e-40,
            .infinity, -.infinity, .nan,
        ]
        var dice = Dice(state: seed)
        return (0..<most).map { i in
            switch i % 4 {
            case 0: special[dice.roll(special.count)]
            case 1: Double(dice.roll(1 << 40)) / 0x1p37 - 4
            case 2: Double(dice.roll(200) - 100) / 4
            default: Double(bitPattern: UInt64(dice.roll(1 << 62)) << 2 | UInt64(dice.roll(4)))
            }
        }
    }

    @Test(arguments: instructionSets) func kernels(isa: String) throws {
        let table = try #require(act_kernels_named(isa)).pointee
        let x = SameBitsTests.operands(1), y = SameBitsTests.operands(2)
        check(x, y, { table.unary_f64[$0] }, { table.binary_f64[$0] })
        check(x.map(Float.init), y.map(Float.init), { table.unary_f32[$0] }, { table.binary_f32[$0] })
        checkCompare(x, y, { table.compare_f64[$0] }, { table.test_f64[$0] })
        checkCompare(x.map(Float.init), y.map(Float.init), { table.compare_f32[$0] }, { table.test_f32[$0] })
    }

    /// A number by itself gives the bits of an array that holds it.
    @Test(arguments: instructionSets) func numbers(isa: String) throws {
        let table = try #require(act_kernels_named(isa)).pointee
        let x = SameBitsTests.operands(5), y = SameBitsTests.operands(6)
        func bits(_ number: Double) -> UInt64 { number.isNaN ? Double.nan.bitPattern : number.bitPattern }
        for i in x.indices {
            var result = 0.0
            for operation in UnaryOperation.allCases {
                let index = Int(operation.rawValue)
                table.unary_f64[index]([x[i]], &result, 1)
                #expect(bits(result) == bits(table.unary_scalar[index](x[i])), "\(operation.kernelName) of \(x[i])")
            }
            for operation in BinaryOperation.allCases {
                let index = Int(operation.rawValue)
                table.binary_f64[index]([x[i]], 1, [y[i]], 1, &result, 1)
                #expect(bits(result) == bits(table.binary_scalar[index](x[i], y[i])), "\(operation.kernelName) of \(x[i]), \(y[i])")
            }
        }
    }

    /// What a derivative's kernel gives is never −0, so that gradients need no pass of their own to take the sign off.
    @Test(arguments: instructionSets) func slopesHaveNoNegativeZero(isa: String) throws {
        let table = try #require(act_kernels_named(isa)).pointee
        let x = SameBitsTests.operands(3), y = SameBitsTests.operands(4)
        noNegativeZero(x, y, { table.unary_f64[$0] }, { table.binary_f64[$0] })
        noNegativeZero(x.map(Float.init), y.map(Float.init), { table.unary_f32[$0] }, { table.binary_f32[$0] })
        for operation in UnaryOperation.allCases { #expect(operation.isSlope == operation.kernelName.hasSuffix("_d"), "\(operation)") }
        for operation in BinaryOperation.allCases { #expect(operation.isSlope == operation.kernelName.hasSuffix("_d"), "\(operation)") }
    }

    private func noNegativeZero<T: BinaryFloatingPoint>(
        _ x: [T], _ y: [T], _ unary: (Int) -> (UnsafePointer<T>, UnsafeMutablePointer<T>, Int) -> Void,
        _ binary: (Int) -> (UnsafePointer<T>, Int, UnsafePointer<T>, Int, UnsafeMutablePointer<T>, Int) -> Void
    ) {
        var result = [T](repeating: 0, count: x.count)
        func bad(_ name: String) {
            if let i = result.firstIndex(where: { $0 == 0 && $0.sign == .minus }) { Issue.record("\(name) of \(T.self) \(x[i]), \(y[i]) is -0") }
        }
        for operation in UnaryOperation.allCases where operation.isSlope {
            unary(Int(operation.rawValue))(x, &result, x.count)
            bad(operation.kernelName)
        }
        for operation in BinaryOperation.allCases where operation.isSlope {
            binary(Int(operation.rawValue))(x, 1, y, 1, &result, x.count)
            bad(operation.kernelName)
        }
    }

    private func check<T: BinaryFloatingPoint>(
        _ x: [T], _ y: [T], _ unary: (Int) -> (UnsafePointer<T>, UnsafeMutablePointer<T>, Int) -> Void,
        _ binary: (Int) -> (UnsafePointer<T>, Int, UnsafePointer<T>, Int, UnsafeMutablePointer<T>, Int) -> Void
    ) {
        for operation in UnaryOperation.allCases {
            let kernel = unary(Int(operation.rawValue))
            let expected = singly(x.count) { kernel([x[$0]], $1, 1) }
            for n in SameBitsTests.lengths {
                #expect(differing(many(n) { kernel(x, $0, n) }, expected) == nil, "\(operation) of \(n) \(T.self)")
                // In place, and elsewhere than at the start of the memory.
                var moved = [T](x[3...])
                moved.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { kernel(base, base, min(n, $0.count)) } }
                #expect(differing(Array(moved.prefix(n)), Array(expected[3...])) == nil, "\(operation) of \(n) \(T.self) in place")
            }
        }
        for operation in BinaryOperation.allCases {
            let kernel = binary(Int(operation.rawValue))
            let expected = singly(x.count) { kernel([x[$0]], 1, [y[$0]], 1, $1, 1) }
            for n in SameBitsTests.lengths {
                #expect(differing(many(n) { kernel(x, 1, y, 1, $0, n) }, expected) == nil, "\(operation) of \(n) \(T.self)")
            }
            for scalar in [0, -0.0, 1, 2, 3, 0.5, -1, -2, 4, 2.5, .infinity, .nan] as [T] {
                let right = singly(x.count) { kernel([x[$0]], 1, [scalar], 1, $1, 1) }
                let left = singly(x.count) { kernel([scalar], 1, [x[$0]], 1, $1, 1) }
                for n in SameBitsTests.lengths {
                    #expect(differing(many(n) { kernel(x, 1, [scalar], 0, $0, n) }, right) == nil, "\(operation) of \(n) \(T.self) with \(scalar)")
                    #expect(differing(many(n) { kernel([scalar], 0, x, 1, $0, n) }, left) == nil, "\(operation) of \(scalar) with \(n) \(T.self)")
                }
                #expect(differing(many(9) { kernel([x[1]], 0, [scalar], 0, $0, 9) }, [T](repeating: right[1], count: 9)) == nil, "\(operation)")
            }
        }
    }

    private func checkCompare<T: BinaryFloatingPoint>(
        _ x: [T], _ y: [T],
        _ compare: (Int) -> (UnsafePointer<T>, Int, UnsafePointer<T>, Int, UnsafeMutablePointer<UInt8>, Int) -> Void,
        _ test: (Int) -> (UnsafePointer<T>, UnsafeMutablePointer<UInt8>, Int) -> Void
    ) {
        for operation in CompareOperation.allCases {
            let kernel = compare(Int(operation.rawValue))
            func holds(_ a: T, _ b: T) -> Bool {
                switch operation {
                case .eq: a == b
                case .ne: a != b
                case .lt: a < b
                case .le: a <= b
                case .gt: a > b
                case .ge: a >= b
                }
            }
            for n in SameBitsTests.lengths {
                #expect(manyBools(n) { kernel(x, 1, y, 1, $0, n) } == zip(x, y).prefix(n).map(holds), "\(operation) of \(n) \(T.self)")
                #expect(manyBools(n) { kernel(x, 1, [1], 0, $0, n) } == x.prefix(n).map { holds($0, 1) }, "\(operation) of \(n) \(T.self)")
            }
        }
        for operation in TestOperation.allCases {
            let kernel = test(Int(operation.rawValue))
            func holds(_ a: T) -> Bool { operation == .isnan ? a.isNaN : operation == .isinf ? a.isInfinite : a.isFinite }
            for n in SameBitsTests.lengths { #expect(manyBools(n) { kernel(x, $0, n) } == x.prefix(n).map(holds), "\(operation) of \(n) \(T.self)") }
        }
    }

    /// Arrays are computed at once or later, alone or among others, of views with gaps and of stretched ones.
    @Test(arguments: [ElementType.f64, .f32], lengths) func arrays(type: ElementType, n: Int) throws {
        func array(_ numbers: [Double]) throws -> NDArray { try NDArray(Array(numbers.prefix(n)), shape: [n], type: type) }
        let x = try array(SameBitsTests.operands(3)), y = try array(SameBitsTests.operands(4))
        let (a, b) = (try x.toDoubles(), try y.toDoubles())
        // Every second element of twice as many.
        let spread = try NDArray((0..<2 * n).map { a[$0 / 2] }, shape: [2 * n], type: type).sliced([SliceRange(start: 0, step: 2, count: n)])
        let table = act_kernels().pointee, narrow = a.map(Float.init)
        for operation in UnaryOperation.allCases {
            let kernel = table.unary_f32[Int(operation.rawValue)]
            let expected = type == .f64 ? a.map { Scalar.unary(operation, $0) } : singly(n) { kernel([narrow[$0]], $1, 1) }.map(Double.init)
            #expect(differing(try NDArray.unary(operation, x).toDoubles(), expected) == nil, "\(operation)")
            #expect(differing(try (NDArray.unary(operation, x * 1.0) * 1.0).toDoubles(), expected) == nil, "\(operation) among others")
            #expect(differing(try NDArray.unary(operation, spread).toDoubles(), expected) == nil, "\(operation) of a view")
        }
        for operation in BinaryOperation.allCases {
            let kernel = table.binary_f32[Int(operation.rawValue)]
            func pairs(_ a: [Double], _ b: [Double]) -> [Double] {
                if type == .f64 { return zip(a, b).map { Scalar.binary(operation, $0, $1) } }
                let (a, b) = (a.map(Float.init), b.map(Float.init))
                return singly(n) { kernel([a[$0]], 1, [b[$0]], 1, $1, 1) }.map(Double.init)
            }
            let expected = pairs(a, b)
            #expect(differing(try NDArray.binary(operation, x, y).toDoubles(), expected) == nil, "\(operation)")
            #expect(differing(try (NDArray.binary(operation, x * 1.0, y * 1.0) * 1.0).toDoubles(), expected) == nil, "\(operation) among others")
            #expect(differing(try NDArray.binary(operation, spread, y).toDoubles(), expected) == nil, "\(operation) of a view")
            for number in [2, 3, -1, 0.5, 4, -0.0, 1.5] as [Double] {
                let right = pairs(a, a.map { _ in number }), left = pairs(a.map { _ in number }, a)
                #expect(differing(try NDArray.binary(operation, x, number).toDoubles(), right) == nil, "\(operation) with \(number)")
                #expect(differing(try NDArray.binary(operation, number, x).toDoubles(), left) == nil, "\(operation) of \(number)")
                #expect(differing(try (NDArray.binary(operation, x * 1.0, number) * 1.0).toDoubles(), right) == nil, "\(operation) with \(number) among others")
                let stretched = try NDArray.scalar(number, type: type).broadcast(to: [n])
                #expect(differing(try NDArray.binary(operation, x, stretched).toDoubles(), right) == nil, "\(operation) with \(number), stretched")
                #expect(differing(try NDArray.binary(operation, x, stretched.contiguous()).toDoubles(), right) == nil, "\(operation) with many of \(number)")
            }
        }
        // x², whichever way it is written.
        let square = try (x * x).toDoubles()
        #expect(differing(try NDArray.unary(.square, x).toDoubles(), square) == nil)
        #expect(differing(try NDArray.binary(.pow, x, 2).toDoubles(), square) == nil)
        #expect(differing(try NDArray.binary(.pow, x, NDArray.full(2, shape: [n], type: type)).toDoubles(), square) == nil)
        for (operation, value) in [(CumulativeOperation.sum, 0), (.prod, 0)] as [(CumulativeOperation, Int)] {
            let whole = try x.cumulative(operation).toDoubles()
            #expect(differing(try x.sliced([SliceRange(start: 0, step: 1, count: 1)]).cumulative(operation).toDoubles(), [whole[value]]) == nil)
        }
    }

    // MARK: One and many

    private func singly<T: BinaryFloatingPoint>(_ n: Int, _ kernel: (_ index: Int, UnsafeMutablePointer<T>) -> Void) -> [T] {
        var results = [T](repeating: 0, count: n)
        results.withUnsafeMutableBufferPointer { if let base = $0.baseAddress { for i in 0..<n { kernel(i, base + i) } } }
        return results
    }

    private func many<T: BinaryFloatingPoint>(_ n: Int, _ kernel: (UnsafeMutablePointer<T>) -> Void) -> [T] {
        [T](unsafeUninitializedCapacity: n) { buffer, count in
            if let base = buffer.baseAddress { kernel(base) }
            count = n
        }
    }

    private func manyBools(_ n: Int, _ kernel: (UnsafeMutablePointer<UInt8>) -> Void) -> [Bool] {
        [UInt8](unsafeUninitializedCapacity: n) { buffer, count in
            if let base = buffer.baseAddress { kernel(base) }
            count = n
        }.map { $0 != 0 }
    }

    /// The first place where the bits differ; any NaN is like any other. `expected` may be longer.
    private func differing<T: BinaryFloatingPoint>(_ found: [T], _ expected: [T]) -> String? {
        for (i, (a, b)) in zip(found, expected).enumerated() where !(a == b && a.sign == b.sign || a.isNaN && b.isNaN) {
            return "\(i): \(a), not \(b)"
        }
        return found.count <= expected.count ? nil : "\(found.count) elements"
    }
}
