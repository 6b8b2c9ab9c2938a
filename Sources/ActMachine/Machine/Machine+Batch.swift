// Calls of one function with each of many arguments that lie along an axis, all at once (`vmap`): the function is run once without elements, and
// the operations that it comes to are done for the whole batch (`BatchedProgram`).
//
// What must stay true: what comes out is what the calls would give, stacked, but for the order in which sums and products add up. Where elements
// decide what is done, where something warns, where a call does more than computing, there are calls.

import ActArray
import ActGrad
import ActReplay

/// The arguments of many calls.
package struct BatchedCall {
    package let function: Function
    /// Of all calls together.
    package let arguments: Arguments
    /// Along which axis of each argument the calls go, first those by position; `nil` for what all share.
    package let axes: [Int?]
    package let count: Int

    package init(_ function: Function, _ arguments: Arguments, axes: [Int?], count: Int) {
        (self.function, self.arguments, self.axes, self.count) = (function, arguments, axes, count)
    }

    private var values: [Value] { arguments.positional + arguments.named.map(\.value) }

    private func arguments(_ values: [Value]) -> Arguments {
        let named = zip(arguments.named, values.dropFirst(arguments.positional.count)).map { ($0.name, $1) }
        return Arguments(Array(values.prefix(arguments.positional.count)), named: named)
    }

    /// Those of one call.
    package func arguments(of index: Int) throws -> Arguments {
        arguments(try zip(values, axes).map { value, axis in try axis.map { try value.taking(index, along: $0) } ?? value })
    }

    /// What differs from call to call: for each argument the structure of one, and all its arrays with the axis first.
    fileprivate func batches() throws -> (structures: [Structure?], arrays: [NDArray])? {
        var arrays: [NDArray] = [], structures: [Structure?] = []
        for (value, axis) in zip(values, axes) {
            guard let axis else {
                structures.append(nil)
                continue
            }
            var leaves: [NDArray] = [], ofOne: [NDArray] = []
            let whole = try Structure(value, leaves: &leaves), structure = try Structure(value.taking(0, along: axis), leaves: &ofOne)
            guard whole.holdsOnlyLeaves, ofOne.count == leaves.count else { return nil }
            for leaf in leaves {
                let place = axis < 0 ? axis + leaf.rank : axis
                guard leaf.rank > 0, !leaf.isTraced else { return nil }
                let stacked = try leaf.transposed([place] + (0..<leaf.rank).filter { $0 != place })
                // Elements of vectors are numbers, which are f64.
                arrays.append(leaf.rank == 1 ? try stacked.converted(to: .f64) : stacked)
            }
            structures.append(structure)
        }
        return (structures, arrays)
    }

    /// Those of a call with these arrays in the place of what differs.
    fileprivate func arguments(_ structures: [Structure?], _ leaves: [NDArray]) throws -> Arguments {
        var rest = leaves[...]
        return arguments(try zip(values, structures).map { value, structure in try structure?.value(&rest) ?? value })
    }
}

extension Machine {
    /// Fewer calls are made one by one.
    private static let fewestCalls = 4

    /// The results of all calls, stacked.
    /// - Parameter first: What the first call gave: the others give the like.
    /// - Returns: `nil` where the calls have to be made.
    package func batched(_ call: BatchedCall, first: Value) throws -> Value? {
        guard call.count >= Self.fewestCalls, replaysFunctions, recording == nil, !Derivative.isRunning, AbstractRun.current == nil,
            ReplayContext.onlyComputes([.function(call.function)] + call.arguments.positional + call.arguments.named.map(\.value)),
            let (structures, batches) = try call.batches()
        else { return nil }
        var expected: [NDArray] = []
        let shape = try Structure(first, leaves: &expected)
        guard shape.holdsOnlyLeaves, !expected.isEmpty else { return nil }
        let elements = try batches.map { try NDArray.full(0, shape: Array($0.shape.dropFirst()), type: $0.type) }
        func results(_ leaves: [NDArray]) throws -> [NDArray] {
            var found: [NDArray] = []
            _ = try Structure(self.call(call.function, call.arguments(structures, leaves)), leaves: &found)
            return found
        }
        // What a program sees as a number cannot be computed with while it is not known; inside a derivative it is an array.
        let program =
            try withoutEffects { try BatchedProgram.of(elements, results) }
            ?? withoutEffects { try BatchedProgram.of(elements) { leaves in try Derivative.withVariables(leaves, results) } }
        guard let program else { return nil }
        let found: [NDArray]?
        do { found = try program.run(batches, count: call.count) } catch ArrayError.outOfMemory { found = nil }
        guard let found, found.count == expected.count, zip(found, expected).allSatisfy({ $0.shape.dropFirst() == $1.shape[...] }) else { return nil }
        replays.count += 1
        var rest = try zip(found, expected).map { try $0.converted(to: $1.type) }[...]
        return try shape.stackedValue(&rest)
    }
}

extension Structure {
    /// Whether all that can differ from one value of this structure to another are its numbers and arrays.
    fileprivate var holdsOnlyLeaves: Bool {
        switch self {
        case .number, .array: true
        case .list(let parts): parts.elements.allSatisfy(\.holdsOnlyLeaves)
        case .record(let fields): fields.elements.allSatisfy(\.value.holdsOnlyLeaves)
        case .network(_, let parameters): parameters.holdsOnlyLeaves
        case .constant(.none): true
        case .constant: false
        }
    }

    /// A value whose leaves are many stacked ones.
    fileprivate func stackedValue(_ leaves: inout ArraySlice<NDArray>) throws -> Value {
        switch self {
        case .number, .array: return try .array(leaves.popFirst() ?? NDArray([], shape: [0]))
        case .list(let parts): return try .list(parts.elements.map { try $0.stackedValue(&leaves) })
        case .record(let fields):
            var values = Fields()
            for field in fields.elements { values[field.name] = try field.value.stackedValue(&leaves) }
            return try .record(values)
        case .network(let function, let parameters):
            var arrays: [NDArray] = []
            _ = try Structure(parameters.stackedValue(&leaves), leaves: &arrays)
            return try .function(function.replacing(parameterArrays: arrays))
        case .constant(let value): return value
        }
    }
}
