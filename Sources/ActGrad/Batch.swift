// Every primitive of many arrays at once: the table that Jacobians (Trace+Batch.swift) and `vmap` read.
//
// What must stay true: one exhaustive `switch` says for each primitive what it becomes, so that the compiler names the place to extend. Row i of
// a result is what the operation gives of row i of its operands, but for the order in which products and sums add up.

import ActArray

/// Operations on `count` arrays at once, which lie along a first axis.
package struct Batch {
    let count: Int

    package init(count: Int) { self.count = count }

    package enum Operand {
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
    package func result(of primitive: Primitive, _ operands: [Operand], shape: [Int], type: ElementType) throws -> NDArray? {
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
    package func stretched(_ operand: Operand) throws -> NDArray {
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
