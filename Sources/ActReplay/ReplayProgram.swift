// A function of arrays as the operations that it comes to, in order, on memory that was laid out once. Running it costs its kernels and little
// else: no program is interpreted, no array is made, no derivative is traced.
//
// What must stay true: what it gives has the bits of what the function gives. Where it cannot be sure (an assumption does not hold, a number
// overflowed or was undefined), it gives nothing, and the function is run.

import ActArray

package final class ReplayProgram {
    let operations: ContiguousArray<ReplayOperation>
    let inputs, results: [ReplayPlace]
    let assumptions: [(place: ReplayPlace, range: ClosedRange<Double>)]
    /// What the operations work in.
    private let memory: Storage
    /// Arrays whose elements they read.
    private let constants: [NDArray]
    private let held: Reservation

    init(
        operations: ContiguousArray<ReplayOperation>, inputs: [ReplayPlace], results: [ReplayPlace],
        assumptions: [(place: ReplayPlace, range: ClosedRange<Double>)], memory: Storage, constants: [NDArray]
    ) {
        (self.operations, self.inputs, self.results, self.assumptions) = (operations, inputs, results, assumptions)
        (self.memory, self.constants) = (memory, constants)
        held = Reservation(noting: operations.count &* 320)
    }

    /// - Parameter arguments: Shaped and typed as those that the program was made with.
    /// - Returns: `nil` where the function itself has to be run.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package func run(_ arguments: [NDArray]) throws -> [NDArray]? {
        for (argument, place) in zip(arguments, inputs) {
            let source = try ReplayPlace(argument)
            withExtendedLifetime(argument) { source.copy(to: place) }
        }
        // Nothing warns here: flags tell that something should, and then the function itself does.
        let pause = NumericEvents.Pause()
        defer { pause.end() }
        try ReplayOperation.run(operations)
        if pause.missedAny { return nil }
        guard assumptions.allSatisfy({ $0.place.lies(in: $0.range) }) else { return nil }
        return try results.map { try $0.array() }
    }
}
