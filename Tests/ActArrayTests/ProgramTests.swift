import ActArray
import ActTestSupport
import CActKernels
import Testing

/// Programs are kept by structure: what differs beside it must not be confused. Expected: the same operations one at a time.
@Suite struct ProgramTests {
    /// Two expressions of which the second holds the first.
    private func expression(_ kind: Int, _ a: NDArray, _ b: NDArray, _ p: Double, _ q: Double, stepwise: Bool) throws -> (NDArray, NDArray) {
        func step(_ x: NDArray) throws -> NDArray {
            if stepwise { try x.evaluate() }
            return x
        }
        func power(_ x: NDArray, _ y: Double) throws -> NDArray { try step(NDArray.binary(.pow, .array(x), .number(y))) }
        switch kind {
        case 0:
            let inner = try step(a * p)
            return (inner, try step(step(inner + b) - q))
        case 1:
            let inner = try power(a, p)
            return (inner, try step(step(step(inner * 3.0) - step(b * q)) + 1.0))
        case 2:
            let inner = try step(a - p), other = try step(b + q)
            return (inner, try step(step(inner * other) * step(step(a + q) / step(NDArray.unary(.abs, b) + p))))
        case 3:
            let inner = try step(NDArray.unary(.sigmoid, step(a * p)))
            return (inner, try step(step(inner * step(1.0 - inner)) * step(b * q)))
        default:
            let inner = try step(NDArray.compare(.lt, .array(a), .number(p)))
            return (inner, try step(NDArray.select(inner, .array(step(b * q)), .array(step(p - a)))))
        }
    }

    private func operands(_ rows: Int, _ columns: Int) throws -> [NDArray] {
        [
            try array(rows, columns), try array(rows, columns, type: .f32), try array(columns), try array(rows, 1, type: .f32),
            try array(columns, rows).transposed(), try array(rows, columns).flipped(), try array(1, 1),
            try NDArray.compare(.gt, .array(array(rows, columns)), .number(0)),
        ]
    }

    @Test(arguments: 0..<5)
    func otherArraysAndNumbersDoNotMeet(kind: Int) throws {
        for shape in [(2, 1024), (1, 2049), (33, 65), (2, 1024)] {
            let operands = try operands(shape.0, shape.1)
            for (p, q) in [(2.0, 0.5), (2, 2), (3, -1), (-0.0, 0.0), (.nan, 1), (0.1, .infinity)] {
                for a in operands {
                    for b in operands where a.count > 1 || b.count > 1 {
                        let fused = try expression(kind, a, b, p, q, stepwise: false), stepwise = try expression(kind, a, b, p, q, stepwise: true)
                        #expect(fused.1.type == stepwise.1.type && fused.1.shape == stepwise.1.shape)
                        #expect(same(try fused.1.toDoubles(), try stepwise.1.toDoubles()))
                        #expect(same(try fused.0.toDoubles(), try stepwise.0.toDoubles()))
                        // Nobody holds what is inside here, and the result is not wanted as a whole.
                        let sum = try expression(kind, a, b, p, q, stepwise: false).1.reduced(.sum)
                        #expect(same(try sum.toDoubles(), try stepwise.1.reduced(.sum).toDoubles()))
                    }
                }
            }
        }
    }

    /// More structures than are kept, twice, and on several threads at once.
    @Test func manyProgramsTakeTurns() async throws {
        let unary: [UnaryOperation] = [.neg, .abs, .sqrt, .square, .relu, .sigmoid, .tanh]
        func run() throws {
            let x = try array(3000)
            for first in unary {
                for second in unary {
                    for third in unary {
                        let fused = try NDArray.unary(third, NDArray.unary(second, NDArray.unary(first, x)) + 0.5)
                        let expected = numbers(3000).map { Scalar.unary(third, Scalar.unary(second, Scalar.unary(first, $0)) + 0.5) }
                        #expect(same(try fused.toDoubles(), expected))
                    }
                }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<3 { group.addTask { for _ in 0..<2 { try run() } } }
            try await group.waitForAll()
        }
    }

    /// A program that was made at one place names another when it runs there.
    @Test func eventsNameTheirOwnPlace() throws {
        NumericEvents.isEnabled = true
        defer {
            NumericEvents.isEnabled = false
            Site.current = .unknown
        }
        _ = NumericEvents.drain()
        var elements = [Double](repeating: 1, count: 5000)
        elements[4321] = 1e200
        let x = try NDArray(elements, shape: [5000])
        for round in UInt32(1)...3 {
            Site.current = Site(id: 10 * round)
            let square = try NDArray.binary(.pow, .array(x), .number(2))
            Site.current = Site(id: 10 * round + 1)
            try (square * 2.0 + 1.0).evaluate()
            let event = NumericEvent(
                kind: .overflow, operation: "^", site: Site(id: 10 * round), count: 1, first: 4321, example: [1e200, 2])
            #expect(NumericEvents.drain() == [event])
        }
    }

    /// A chain in a chain: the value that was kept meets the other, as every operation's own kernel has it.
    @Test(arguments: ["baseline", "avx2", "avx512", "neon"], [0, 1, 7, 8, 9, 16, 17, 64, 127, 128, 129, 1000])
    func keptValuesMeet(isa: String, count: Int) {
        guard let table = act_kernels_named(isa) else { return }
        let operations: [(chain: Int, kernel: act_binary_op, keptIsFirst: Bool)] = [
            (ACT_CHAIN_ADD, ACT_B_ADD, false), (ACT_CHAIN_SUB, ACT_B_SUB, false), (ACT_CHAIN_RSUB, ACT_B_SUB, true),
            (ACT_CHAIN_MUL, ACT_B_MUL, false), (ACT_CHAIN_DIV, ACT_B_DIV, false), (ACT_CHAIN_RDIV, ACT_B_DIV, true),
            (ACT_CHAIN_MIN, ACT_B_MIN, false), (ACT_CHAIN_RMIN, ACT_B_MIN, true), (ACT_CHAIN_MAX, ACT_B_MAX, false),
            (ACT_CHAIN_RMAX, ACT_B_MAX, true), (ACT_CHAIN_LEAKY, ACT_B_LEAKY, false),
        ].map { (Int($0.0), $0.1, $0.2) }
        let x = numbers(count + 1), y = x.reversed().map { $0 + 0.25 }, x32 = x.map(Float.init), y32 = y.map(Float.init)
        let keep = UInt32(ACT_CHAIN_KEEP + ACT_CHAIN_ARRAY)
        for operation in operations {
            let meet = UInt32(operation.chain + Int(ACT_CHAIN_KEPT))
            var result = x, a = x, b = y, expected = x
            table.pointee.unary_f64[Int(ACT_U_NEG.rawValue)](x, &a, count)
            table.pointee.unary_f64[Int(ACT_U_SQUARE.rawValue)](y, &b, count)
            let kernel = table.pointee.binary_f64[Int(operation.kernel.rawValue)]
            operation.keptIsFirst ? kernel(a, 1, b, 1, &expected, count) : kernel(b, 1, a, 1, &expected, count)
            y.withUnsafeBufferPointer { y in
                let steps = [(UInt32(ACT_CHAIN_NEG), nil), (keep, y.baseAddress), (UInt32(ACT_CHAIN_SQUARE), nil), (meet, nil)]
                    .map { act_chain_step(op: $0.0, operand: $0.1) }
                table.pointee.chain_f64(x, steps, steps.count, &result, count)
            }
            #expect(same(result, expected))
            var result32 = x32, a32 = x32, b32 = y32, expected32 = x32
            table.pointee.unary_f32[Int(ACT_U_NEG.rawValue)](x32, &a32, count)
            table.pointee.unary_f32[Int(ACT_U_SQUARE.rawValue)](y32, &b32, count)
            let kernel32 = table.pointee.binary_f32[Int(operation.kernel.rawValue)]
            operation.keptIsFirst ? kernel32(a32, 1, b32, 1, &expected32, count) : kernel32(b32, 1, a32, 1, &expected32, count)
            y32.withUnsafeBufferPointer { y in
                let steps = [(UInt32(ACT_CHAIN_NEG), nil), (keep, y.baseAddress), (UInt32(ACT_CHAIN_SQUARE), nil), (meet, nil)]
                    .map { act_chain_step(op: $0.0, operand: $0.1) }
                table.pointee.chain_f32(x32, steps, steps.count, &result32, count)
            }
            #expect(same(result32.map(Double.init), expected32.map(Double.init)))
        }
    }

    /// What a thread keeps of freed blocks is bounded, and makes room when memory is short. Under the address sanitizer none is kept.
    @Test(.enabled(if: Sanitizer.current != .address)) func keptBlocksMakeRoom() async {
        await #expect(processExitsWith: .success) {
            let before = MemoryPool.used
            for round in 0..<3 {
                var arrays: [NDArray] = []
                for i in 0..<200 { arrays.append(try NDArray.full(1, shape: [1000 + 100 * i + round], type: .f64)) }
                arrays = []
                #expect(MemoryPool.used - before <= 2 << 20)
            }
            // Exactly what is left, but for what this thread keeps.
            MemoryPool.limit = MemoryPool.used + (512 << 10)
            let large = try NDArray.full(1, shape: [100_000], type: .f64)
            #expect(large.count == 100_000)
        }
    }
}
