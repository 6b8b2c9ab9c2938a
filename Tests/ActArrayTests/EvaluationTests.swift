import ActArray
import CActKernels
import Testing

/// Fused programs must give the bits of the same operations one at a time.
@Suite struct EvaluationTests {
    /// A random expression; the same seed gives the same one.
    private func expression(_ seed: UInt64, _ leaves: [NDArray], stepwise: Bool) throws -> NDArray {
        var dice = Dice(state: seed)
        let unary: [UnaryOperation] = [.neg, .abs, .sqrt, .sigmoid, .tanh, .relu, .exp, .square, .sin]
        let binary: [BinaryOperation] = [.add, .sub, .mul, .div, .max, .min, .leaky]
        var values = leaves
        for _ in 0..<12 + dice.roll(20) {
            let a = values[dice.roll(values.count)], b = values[dice.roll(values.count)]
            let made: NDArray
            switch dice.roll(9) {
            case 0, 1: made = try NDArray.unary(unary[dice.roll(unary.count)], a)
            case 2: made = try NDArray.binary(binary[dice.roll(binary.count)], .array(a), .number(0.75))
            case 3: made = try NDArray.binary(binary[dice.roll(binary.count)], .number(-1.5), .array(a))
            case 7 where dice.roll(2) == 0: made = try NDArray.binary(.pow, .array(a), .number([2, 3, -1][dice.roll(3)]))
            case 4: made = try NDArray.select(NDArray.compare(.lt, .array(a), .array(b)), .array(a), .array(b))
            case 5: made = try NDArray.not(NDArray.logical(.or, NDArray.test(.isnan, a), b))
            case 6: made = try a.converted(to: [.f32, .f64][dice.roll(2)])
            default: made = try NDArray.binary(binary[dice.roll(binary.count)], .array(a), .array(b))
            }
            if stepwise { try made.evaluate() }
            values.append(made)
        }
        return try values[values.count - 1] + values[values.count - 2]
    }

    private func leaves(_ rows: Int, _ columns: Int) throws -> [NDArray] {
        [
            try array(rows, columns), try array(columns, type: .f32), try array(rows, 1), try array(columns, rows).transposed(),
            try array(rows, columns, type: .f32).flipped(), try NDArray([0.3], shape: []),
            try array(rows * 2, columns * 3).sliced([
                SliceRange(start: 1, step: 2, count: rows), SliceRange(start: columns * 3 - 1, step: -3, count: columns),
            ]),
            try NDArray.compare(.gt, .array(array(rows, columns)), .number(0)),
        ]
    }

    @Test(arguments: [(1, 1023), (1, 1024), (31, 33), (1, 1025), (2, 1024), (1, 2047), (1, 2049), (3, 4099), (257, 129), (40, 5000)], 1...12)
    func fusedIsStepwise(shape: (Int, Int), seed: Int) throws {
        let leaves = try leaves(shape.0, shape.1)
        let seed = UInt64(seed * 1000 + shape.1)
        let fused = try expression(seed, leaves, stepwise: false), stepwise = try expression(seed, leaves, stepwise: true)
        #expect(fused.type == stepwise.type && fused.shape == stepwise.shape)
        let sums = (try expression(seed, leaves, stepwise: false).reduced(.sum), try stepwise.reduced(.sum))
        #expect(same(try fused.toDoubles(), try stepwise.toDoubles()))
        #expect(same(try sums.0.toDoubles(), try sums.1.toDoubles()))
    }

    /// A chain against the kernels of its operations, on every instruction set that this machine has, with arrays and numbers as operands.
    @Test(arguments: ["baseline", "avx2", "avx512", "neon"], [0, 1, 3, 4, 5, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 1000, 1024])
    func chainsAreTheirKernels(isa: String, count: Int) {
        guard let table = act_kernels_named(isa) else { return }
        let x = numbers(count + 1).map { $0 * 3 - 1 }, y = numbers(count + 1).map { Float($0 * 2 + 0.1) }
        let narrow = x.map(Float.init), wide = y.map(Double.init)
        let operations: [(chain: Int, kernel: act_binary_op, swapped: Bool)] = [
            (ACT_CHAIN_ADD, ACT_B_ADD, false), (ACT_CHAIN_MUL, ACT_B_MUL, false), (ACT_CHAIN_RSUB, ACT_B_SUB, true),
            (ACT_CHAIN_MAX, ACT_B_MAX, false), (ACT_CHAIN_LEAKY, ACT_B_LEAKY, false), (ACT_CHAIN_DIV, ACT_B_DIV, false),
            (ACT_CHAIN_RMIN, ACT_B_MIN, true), (ACT_CHAIN_SUB, ACT_B_SUB, false), (ACT_CHAIN_RDIV, ACT_B_DIV, true),
            (ACT_CHAIN_MIN, ACT_B_MIN, false), (ACT_CHAIN_RMAX, ACT_B_MAX, true),
        ].map { (Int($0.0), $0.1, $0.2) }
        let unary: [(chain: Int, kernel: act_unary_op)] = [
            (ACT_CHAIN_NEG, ACT_U_NEG), (ACT_CHAIN_SQUARE, ACT_U_SQUARE), (ACT_CHAIN_ABS, ACT_U_ABS), (ACT_CHAIN_SQRT, ACT_U_SQRT),
            (ACT_CHAIN_RECIPROCAL, ACT_U_RECIPROCAL), (ACT_CHAIN_RELU, ACT_U_RELU),
        ].map { (Int($0.0), $0.1) }
        for isArray in [false, true] {
            var steps: [act_chain_step] = [], steps32: [act_chain_step] = []
            var expected = x, expected32 = narrow
            wide.withUnsafeBufferPointer { wide in
                y.withUnsafeBufferPointer { y in
                    guard let w = wide.baseAddress, let v = y.baseAddress else { return }
                    let stride = isArray ? 1 : 0, flag = isArray ? Int(ACT_CHAIN_ARRAY) : 0
                    for (index, operation) in operations.enumerated() {
                        steps.append(act_chain_step(op: UInt32(operation.chain + flag), operand: w))
                        steps32.append(act_chain_step(op: UInt32(operation.chain + flag), operand: v))
                        let kernel = table.pointee.binary_f64[Int(operation.kernel.rawValue)]
                        let kernel32 = table.pointee.binary_f32[Int(operation.kernel.rawValue)]
                        let before = expected, before32 = expected32
                        if operation.swapped {
                            kernel(w, stride, before, 1, &expected, count)
                            kernel32(v, stride, before32, 1, &expected32, count)
                        } else {
                            kernel(before, 1, w, stride, &expected, count)
                            kernel32(before32, 1, v, stride, &expected32, count)
                        }
                        guard index < unary.count else { continue }
                        steps.append(act_chain_step(op: UInt32(unary[index].chain), operand: nil))
                        steps32.append(act_chain_step(op: UInt32(unary[index].chain), operand: nil))
                        let between = expected, between32 = expected32
                        table.pointee.unary_f64[Int(unary[index].kernel.rawValue)](between, &expected, count)
                        table.pointee.unary_f32[Int(unary[index].kernel.rawValue)](between32, &expected32, count)
                    }
                    var result = x, result32 = narrow
                    table.pointee.chain_f64(x, steps, steps.count, &result, count)
                    table.pointee.chain_f32(narrow, steps32, steps32.count, &result32, count)
                    #expect(same(result, expected))
                    #expect(same(result32.map(Double.init), expected32.map(Double.init)))
                }
            }
        }
    }

    @Test(arguments: [1023, 1024, 2048, 2049, 16384, 16385, 200_000])
    func everyElementIsComputed(count: Int) throws {
        let x = try NDArray.range(0, Double(count), 1)
        let y = try NDArray.binary(.max, .array((x * 2.0 - x) + 1.0), .number(0))
        #expect(try y.toDoubles() == (0..<count).map { Double($0 + 1) })
    }

    @Test func largeArraysWait() throws {
        let x = try array(1024)
        let y = try x + 1
        #expect(!y.isEvaluated)
        try y.evaluate()
        #expect(y.isEvaluated && y.node.inputs.isEmpty)
        #expect(try array(1023).isEvaluated && (array(1023) + 1).isEvaluated)
    }

    @Test func whatOthersNeedIsComputedOnce() throws {
        let x = try array(5000)
        let middle = try x * 2.0
        let top = try middle + 1.0
        try top.evaluate()
        #expect(middle.isEvaluated)
        #expect(try middle.toDoubles() == numbers(5000).map { $0 * 2 })
    }

    @Test func reductionsStoreOnlyWhatIsShared() throws {
        let x = try array(5000)
        let y = try x * 2.0
        #expect(try y.reduced(.sum).item() == (x * 2.0).reduced(.sum).item())
        #expect(y.isEvaluated)
    }

    @Test func loopsDoNotPileUp() throws {
        var total = try NDArray.full(0, shape: [2000], type: .f64)
        let x = try array(2000)
        for _ in 0..<10_000 { total = try total + x }
        #expect(distance(try total.toDoubles(), numbers(2000).map { $0 * 10_000 }) < 1e-10)
        var doubled = try NDArray.full(1, shape: [2000], type: .f64)
        for _ in 0..<200 { doubled = try doubled + doubled }
        #expect(try doubled.toDoubles()[1999] == 0x1p200)
    }

    @Test func longTracedChainsAreFreed() throws {
        var small = try NDArray([1], shape: [1]).variable()
        for _ in 0..<300_000 { small = try small + 1 }
        #expect(try small.item() == 300_001)
        #expect(small.isTraced && !small.node.inputs.isEmpty)
        var large = try array(1024).variable()
        for _ in 0..<20_000 { large = try NDArray.unary(.neg, large) }
        #expect(try large.toDoubles() == numbers(1024))
    }

    @Test func tracedNodesKeepTheirInputs() throws {
        let x = try array(2000).variable()
        let y = try NDArray.unary(.exp, x * 2.0) + 1.0
        #expect(y.isTraced && !y.isEvaluated)
        try y.evaluate()
        #expect(y.node.inputs.count == 2 && y.node.inputs[0].node.inputs.count == 1)
        #expect(same(try y.toDoubles(), numbers(2000).map { Scalar.unary(.exp, $0 * 2) + 1 }))
        // What was not stored can still be computed.
        #expect(same(try y.node.inputs[0].toDoubles(), numbers(2000).map { Scalar.unary(.exp, $0 * 2) }))
        #expect(try !y.detached().isTraced && y.variable().node.inputs.count == 1 && array(3).variable().node.inputs.isEmpty)
    }

    @Test func viewsAreTraced() throws {
        let x = try array(4, 6).variable()
        for y in [
            try x.transposed(), try x.reshaped(to: [24]), try x.transposed().reshaped(to: [24]), try x.flipped(), try x.expandedDims(0),
            try x.broadcast(to: [2, 4, 6]), try x.reduced(.sum), try x.reduced(.max, axes: [0], keepdims: true), try x.softmax(),
            try x.cumulative(.sum, axis: 0), try x.transposed().contiguous(),
        ] {
            #expect(y.isTraced && y.isEvaluated && !y.node.inputs.isEmpty)
        }
    }

    /// Results may be computed in an operand's memory, but never while anyone can see it.
    @Test(arguments: [true, false])
    func operandsOfOthersStay(watched: Bool) throws {
        NumericEvents.isEnabled = watched
        defer { NumericEvents.isEnabled = false }
        let count = 100_000
        let x = try NDArray.range(0, Double(count), 1), view = try array(count).flipped(), kept = view
        var total = try x + view
        for _ in 0..<100 { total = try total + x }
        let expected = zip(0..<count, numbers(count).reversed()).map { i, v in (0..<100).reduce(Double(i) + v) { t, _ in t + Double(i) } }
        #expect(try total.toDoubles() == expected)
        #expect(try x.toDoubles()[count - 1] == Double(count - 1))
        #expect(try kept.toDoubles()[0] == numbers(count)[count - 1])
        // In place: the only holder of `total` hands it over.
        let before = try total.evaluatedLayout().storage.pointer
        total = try total * 2.0
        #expect(try total.evaluatedLayout().storage.pointer == before)
    }

    @Test func differentShapesMeet() throws {
        let column = try array(1500, 1) * 2.0, row = try array(1, 1500) + 1.0
        let both = try column * row
        #expect(!both.isEvaluated)
        let a = numbers(1500)
        #expect(try both.toDoubles()[1500 * 7 + 11] == a[7] * 2 * (a[11] + 1))
    }
}
