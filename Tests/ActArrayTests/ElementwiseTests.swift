import ActArray
import CActKernels
import Testing

@Suite struct ElementwiseTests {
    @Test func operationsAreTheKernels() {
        func snake(_ name: String) -> String {
            name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
        }
        #expect(UnaryOperation.allCases.count == Int(ACT_UNARY_COUNT.rawValue))
        #expect(BinaryOperation.allCases.count == Int(ACT_BINARY_COUNT.rawValue))
        for op in UnaryOperation.allCases { #expect(op.kernelName == snake(String(describing: op))) }
        for op in BinaryOperation.allCases { #expect(op.kernelName == snake(String(describing: op))) }
        #expect([ACT_C_EQ, ACT_C_NE, ACT_C_LT, ACT_C_LE, ACT_C_GT, ACT_C_GE].map { Int32($0.rawValue) } == CompareOperation.allCases.map(\.rawValue))
        #expect([ACT_T_ISNAN, ACT_T_ISINF, ACT_T_ISFINITE].map { Int32($0.rawValue) } == TestOperation.allCases.map(\.rawValue))
        #expect([ACT_L_AND, ACT_L_OR, ACT_L_XOR].map { Int32($0.rawValue) } == [LogicalOperation.and, .or, .xor].map(\.rawValue))
    }

    @Test func broadcasting() throws {
        let x = try NDArray([1, 2, 3, 4, 5, 6], shape: [2, 3])
        #expect(try (x + NDArray([10, 20, 30], shape: [3])).toDoubles() == [11, 22, 33, 14, 25, 36])
        #expect(try (NDArray([10, 20], shape: [2, 1]) - x).toDoubles() == [9, 8, 7, 16, 15, 14])
        #expect(try (x * NDArray([2], shape: [])).toDoubles() == [2, 4, 6, 8, 10, 12])
        #expect(try (NDArray([1, 2], shape: [2, 1]) * NDArray([1, 10], shape: [2])).toDoubles() == [1, 10, 2, 20])
        #expect(try (NDArray([], shape: [0]) + NDArray([1], shape: [1])).shape == [0])
        #expect(try (NDArray([], shape: [0, 3]) + NDArray([1, 2, 3], shape: [3])).shape == [0, 3])
        #expect(throws: ArrayError.shapesDoNotBroadcast([2, 3], [2], axis: -1)) { try x + NDArray([1, 2], shape: [2]) }
        #expect(throws: ArrayError.shapesDoNotBroadcast([4, 3], [2, 1], axis: -2)) { try array(4, 3) + NDArray([1, 2], shape: [2, 1]) }
        #expect(throws: ArrayError.tooLarge(shape: [1 << 30, 1 << 30])) {
            let long = try NDArray([1], shape: [1]).broadcast(to: [1 << 30])
            _ = try long.expandedDims(1) + long
        }
    }

    @Test func stretchingBothIsNoticed() {
        #expect(NDArray.stretchesBoth([3], [3, 1]))
        #expect(!NDArray.stretchesBoth([3], [2, 3]))
        #expect(!NDArray.stretchesBoth([1, 3], [3, 1]))
        #expect(!NDArray.stretchesBoth([], [3, 1]))
        #expect(!NDArray.stretchesBoth([1], [3, 1]))
        #expect(!NDArray.stretchesBoth([2], [3]))
    }

    @Test func numbersAreWeak() throws {
        let narrow = try array(3, type: .f32)
        #expect(try (narrow * 0.1).type == .f32)
        #expect(try (narrow * 0.1).toDoubles() == numbers(3).map { Double(Float($0) * Float(0.1)) })
        #expect(try (narrow + array(3)).type == .f64)
        let bools = try NDArray(bools: [true, false], shape: [2])
        #expect(try (bools + bools).type == .f64)
        #expect(try (bools + bools).toDoubles() == [2, 0])
        #expect(try (bools * array(2, type: .f32)).type == .f32)
        #expect(try (bools + 1.5).toDoubles() == [2.5, 1.5])
        #expect(try NDArray.compare(.eq, .array(NDArray([0.1], shape: [1], type: .f32)), .number(0.1)).toBools() == [true])
        #expect(try NDArray.compare(.lt, .number(0), .array(bools)).toBools() == [true, false])
        #expect(try NDArray.unary(.exp, bools).toDoubles()[1] == 1)
        #expect(throws: ArrayError.self) { try NDArray.binary(.add, .number(1), .number(2)) }
    }

    @Test func selections() throws {
        let condition = try NDArray(bools: [true, false], shape: [2])
        #expect(try NDArray.select(condition, .number(1), .number(2)).toDoubles() == [1, 2])
        #expect(try NDArray.select(condition, .array(array(2, type: .f32)), .number(2)).type == .f32)
        #expect(try NDArray.select(condition, .array(condition), .array(condition)).type == .bool)
        #expect(try NDArray.select(condition, .array(array(3, 1)), .number(.nan)).shape == [3, 2])
        #expect(try NDArray.select(array(2), .number(1), .number(2)).toDoubles() == [1, 1])
    }

    @Test func logic() throws {
        let a = try NDArray(bools: [true, true, false, false], shape: [4]), b = try NDArray(bools: [true, false, true, false], shape: [4])
        #expect(try NDArray.logical(.and, a, b).toBools() == [true, false, false, false])
        #expect(try NDArray.logical(.or, a, b).toBools() == [true, true, true, false])
        #expect(try NDArray.logical(.xor, a, b).toBools() == [false, true, true, false])
        #expect(try NDArray.not(a).toBools() == [false, false, true, true])
        #expect(try NDArray.test(.isnan, NDArray([1, .nan, .infinity], shape: [3])).toBools() == [false, true, false])
    }

    @Test func singleNumbersGiveTheBitsOfArrays() throws {
        let x = try array(500)
        for op in UnaryOperation.allCases {
            #expect(same(try NDArray.unary(op, x).toDoubles(), numbers(500).map { Scalar.unary(op, $0) }), "\(op)")
        }
        let y = try array(500).flipped()
        for op in BinaryOperation.allCases {
            let expected = zip(numbers(500), numbers(500).reversed()).map { Scalar.binary(op, $0, $1) }
            #expect(same(try NDArray.binary(op, .array(x), .array(y)).toDoubles(), expected), "\(op)")
        }
    }

    @Test func sitesAreRemembered() throws {
        Site.current = Site(id: 7)
        defer { Site.current = .unknown }
        #expect(try (array(3) + 1).node.site == Site(id: 7))
    }
}
