// What a trace computes, of many values of its variables at once: every operation between runs once, its arrays with an axis more in front,
// the batch. So the rows of a Jacobian, which are one linear function of many unit vectors, take one walk instead of one each.
//
// What must stay true: row i of the results is what the operations give of row i of the values. One exhaustive `switch` says for each primitive
// what it becomes, so that the compiler names the place to extend. Whatever is decided by values (bools are not followed) is decided once for
// the whole batch: who asks knows that nothing is, as in a reverse pass, which is linear in what it begins with.

import ActArray

extension Trace {
    /// The elements that all arrays of one operation may have together, about: what is more is done in several walks.
    private static let largestBatch = 1 << 18

    /// How many values one walk may take; fewer than two where arrays are so large that a walk for each costs no more.
    var batchSize: Int {
        let largest = steps.reduce(1) { largest, step in
            step.depends ? max(largest, step.node._withUnsafeGuaranteedRef { max($0.count, $0.inputs.map(\.count).max() ?? 0) }) : largest
        }
        return Trace.largestBatch / largest
    }

    /// - Parameter values: Of each variable, stacked along a first axis; equally many of each.
    /// - Returns: The results, stacked likewise; `nil` where an operation between is known one by one only.
    /// - Throws: `ArrayError` where memory is short, or on an interrupt.
    func batched(_ values: [NDArray]) throws -> NDArray? {
        guard isDependent, let count = values.first?.shape.first else { return nil }
        var arrays = [NDArray?](repeating: nil, count: steps.count)
        for (position, value) in zip(variables, values) {
            if let position { arrays[position] = value }
        }
        let lastUses = lastUses()
        for (i, step) in steps.enumerated() where step.depends && !step.isVariable {
            try Interrupt.check()
            let result = try step.node._withUnsafeGuaranteedRef { node in
                let positions = inputs[step.firstInput..<step.firstInput &+ node.inputs.count]
                let operands = zip(node.inputs, positions).map { input, position in
                    position < 0 ? Batch.Operand.shared(input) : arrays[position].map(Batch.Operand.batch) ?? .shared(input)
                }
                for position in positions where position >= 0 && lastUses[position] == i { arrays[position] = nil }
                return try Batch(count: count).result(of: node.primitive, operands, shape: node.shape, type: node.type)
            }
            guard let result else { return nil }
            arrays[i] = result
        }
        return arrays[steps.count &- 1]
    }

    /// The step that needs the result of each last.
    private func lastUses() -> [Int] {
        var uses = [Int](repeating: -1, count: steps.count)
        for (i, step) in steps.enumerated() {
            let end = i &+ 1 < steps.count ? steps[i &+ 1].firstInput : inputs.count
            for position in inputs[step.firstInput..<end] where position >= 0 { uses[position] = i }
        }
        return uses
    }
}

/// Operations on `count` arrays at once, which lie along a first axis.
private struct Batch {
    let count: Int

    enum Operand {
        /// One array for all.
        case shared(NDArray)
        /// An array each.
        case batch(NDArray)

        var array: NDArray {
            switch self {
            case .shared(let array), .batch(let array): array
            }
        }
    }

    /// - Parameters:
    ///   - shape, type: Those of one result.
    /// - Returns: `nil` where the operation is known one by one only.
    func result(of primitive: Primitive, _ operands: [Operand], shape: [Int], type: ElementType) throws -> NDArray? {
        guard let first = operands.first else { return nil }
        let shapes = [count] + shape
        switch primitive {
        case .data, .variable: return try stretched(first).converted(to: type)
        case .unary, .binary, .compare, .test, .logical, .select, .convert:
            return try primitive.applied(to: operands.map { try aligned($0, rank: shape.count) }, shape: shapes, type: type)
        case .reshape: return try stretched(first).reshaped(to: shapes)
        case .transpose(let permutation): return try stretched(first).transposed([0] + permutation.map { $0 + 1 })
        case .broadcast: return try aligned(first, rank: shape.count).broadcast(to: shapes)
        case .slice(let ranges): return try stretched(first).sliced([all] + ranges)
        case .unslice(let ranges): return try stretched(first).unsliced([all] + ranges, shape: shapes)
        // Positions that are computed would be other ones in every row.
        case .gather where operands.count > 1, .scatterAdd where operands.count > 1: return nil
        case .gather(let indices):
            let x = try stretched(first)
            return try x.gathered(rows(of: indices, size: x.count / max(count, 1)), shape: shapes)
        case .scatterAdd(let indices): return try stretched(first).scatteredAdd(rows(of: indices, size: shape.reduce(1, &*)), shape: shapes)
        case .concatenate(let axis): return try NDArray.concatenated(operands.map(stretched), axis: axis + 1)
        case .matmul: return try product(operands[0], operands[1], rank: shape.count)
        case .reduce(let operation, let axes): return try stretched(first).reduced(operation, axes: axes.map { $0 + 1 })
        case .cumulative(let operation, let axis, let reversed):
            return try stretched(first).cumulative(operation, axis: axis + 1, reversed: reversed)
        case .normalize(let operation, let axis): return try stretched(first).normalized(operation, axis: axis + 1)
        case .custom(is VariableMark), .custom(is WrittenArray): return try stretched(first)
        case .custom(let function):
            guard function.isElementwise else { return nil }
            let result = try function.lowered(operands.map { try aligned($0, rank: shape.count) })
            return try result?.broadcast(to: shapes)
        }
    }

    /// The whole batch.
    private var all: SliceRange { SliceRange(start: 0, step: 1, count: count) }

    /// With the axis of the batch, also where all share one.
    private func stretched(_ operand: Operand) throws -> NDArray {
        switch operand {
        case .batch(let array): array
        case .shared(let array): try array.broadcast(to: [count] + array.shape)
        }
    }

    /// So that its axes meet those of a result of `rank` axes from the last one on: ones follow the batch.
    private func aligned(_ operand: Operand, rank: Int) throws -> NDArray {
        guard case .batch(let array) = operand, array.rank <= rank else { return operand.array }
        return try array.reshaped(to: [count] + [Int](repeating: 1, count: rank + 1 - array.rank) + array.shape.dropFirst())
    }

    /// The positions in every array of the batch, of which each has `size` elements.
    private func rows(of indices: GatherIndices, size: Int) throws -> GatherIndices {
        guard !indices.starts.count.multipliedReportingOverflow(by: count).overflow else { throw ArrayError.tooLarge(shape: [count, indices.starts.count]) }
        var starts: [Int] = []
        starts.reserveCapacity(indices.starts.count * count)
        for row in 0..<count { starts += indices.starts.lazy.map { $0 &+ row &* size } }
        return GatherIndices(starts: starts, chunk: indices.chunk)
    }

    /// Matrices that one factor shares are one product of taller matrices, not many small ones.
    private func product(_ a: Operand, _ b: Operand, rank: Int) throws -> NDArray {
        switch (a, b) {
        case (.batch(let many), .shared(let one)) where one.rank == 2 && many.rank >= 3:
            let rows = many.shape.dropLast().reduce(1, &*)
            return try NDArray.matmul(many.reshaped(to: [rows, many.shape[many.rank - 1]]), one).reshaped(to: many.shape.dropLast() + [one.shape[1]])
        case (.shared(let one), .batch(let many)) where one.rank == 2 && many.rank == 3 && many.shape[2] == 1:
            let columns = try many.reshaped(to: [count, many.shape[1]])
            return try NDArray.matmul(columns, one.matrixTransposed()).reshaped(to: [count, one.shape[0], 1])
        default: return try NDArray.matmul(aligned(a, rank: rank), aligned(b, rank: rank))
        }
    }
}
