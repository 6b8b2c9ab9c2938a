// Ctrl-C while an operation runs: a thread raises the flag after a moment, and the operation, which would go on for much longer, must
// throw. With an engine of its own, for others go on.

import ActSystem
import ActArray
import ActFiles
import ActLinear
import ActOrder
import ActRandom
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct InterruptTests {
    /// Raises the flag after a moment; with it up, repeats `operation` until it throws. One that never looks at the flag never ends.
    private static func expectInterrupt(_ operation: () throws -> Void) {
        let engine = Engine()
        let thread = SystemThread { [interrupt = engine.interrupt] in
            usleep(2000)
            interrupt.raise()
        }
        var caught: ArrayError?
        engine.run { do { while true { try operation() } } catch { caught = error as? ArrayError } }
        thread?.join()
        #expect(caught == .interrupted)
        #expect(!Interrupt.isSet)
    }

    @Test func everyLongOperationEnds() throws {
        var random = RandomSource(seed: 1)
        let n = 300_000
        let x = try random.uniform(shape: [n]), square = try random.uniform(shape: [500, 600]), f = try x.converted(to: .f32)
        let indices = try random.integers(0, n, shape: [n]), mask = try NDArray.compare(.gt, .array(x), .number(0.5))
        try mask.evaluate()
        let sorted = try x.sorted(), matrices = try random.uniform(shape: [2000, 10, 10]), columns = try square.transposed()
        let operations: [() throws -> Void] = [
            { _ = try NDArray.matmul(square, columns) }, { _ = try NDArray.matmul(square, square.indexed(by: [.integer(0)])) },
            { _ = try NDArray.matmul(x, x) }, { _ = try NDArray.matmul(matrices, matrices) }, { _ = try matrices.determinant() },
            { _ = try matrices.inverse() },
            { _ = try square.indexed(by: [.slice(start: 0, stop: 500, step: 1), .slice(start: 0, stop: 500, step: 1)]).inverse() },
            { _ = try x.sorted() }, { _ = try f.sorted() }, { _ = try x.argsorted() }, { _ = try f.argsorted() }, { _ = try square.argsorted() },
            { _ = try columns.sorted() }, { _ = try x.unique() },
            { _ = try mask.nonzero() }, { _ = try indices.bincount() }, { _ = try x.histogram(bins: 50) }, { _ = try sorted.searchsorted(x) },
            { _ = try x.median() }, { _ = try x.softmax() }, { _ = try f.logSoftmax() }, { _ = try square.softmax(axis: 0) },
            { _ = try x.cumulative(.sum) }, { _ = try x.cumulative(.prod) }, { _ = try square.cumulative(.sum, axis: 0) },
            { _ = try x.argReduced(.max) }, { _ = try square.argReduced(.min, axis: 0) }, { _ = try columns.reduced(.sum, axes: [0]) },
            { _ = try x.indexed(by: [.array(indices)]) }, { _ = try x.indexed(by: [.array(mask)]) }, { _ = try columns.contiguous() },
            { _ = try NDArray.concatenated([x, x]) }, { _ = try NDArray.stacked([x, x], axis: 1) }, { _ = try x.repeated(3) },
            { _ = try x.padded([(3, 3)], .reflect) },
            { _ = try NDArray.full(1, shape: [n], type: .f64) }, { _ = try NDArray.range(0, Double(n), 1) }, { _ = try x.toDoubles() },
            {
                var source = random; _ = try source.normal(shape: [n])
            },
            {
                var source = random; _ = try source.permutation(n)
            },
            { _ = try written { try Npz.write([("x", x)], into: $0) } },
        ]
        for operation in operations { InterruptTests.expectInterrupt(operation) }
    }
}
