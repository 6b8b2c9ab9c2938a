// Primitives on other operands than those that they were met with: for whoever reads a graph and computes it anew.
//
// What must stay true: one exhaustive `switch`, so that the compiler names this place for every primitive that comes.

import ActArray

extension Primitive {
    /// The same operation on other operands, as many as it had.
    /// - Parameters:
    ///   - shape, type: The result's.
    /// - Throws: `ArrayError` of shapes; `badValue` for what is not computed from operands, or only by whoever made it.
    package func applied(to x: [NDArray], shape: [Int], type: ElementType) throws -> NDArray {
        guard x.count >= kind.operands.filter({ !$0.hasSuffix("?") && !$0.hasSuffix("…") }).count else {
            throw ArrayError.badValue(operation: name, .operandMissing)
        }
        switch self {
        case .data, .variable:
            guard let value = x.first else { throw ArrayError.badValue(operation: "graph", .givenElements) }
            return value
        case .unary(let op): return try NDArray.unary(op, x[0])
        case .binary(let op): return try NDArray.binary(op, x[0], x[1])
        case .compare(let op): return try NDArray.compare(op, .array(x[0]), .array(x[1]))
        case .test(let op): return try NDArray.test(op, x[0])
        case .logical(.not): return try NDArray.not(x[0])
        case .logical(let op): return try NDArray.logical(op, x[0], x[1])
        case .select: return try NDArray.select(x[0], .array(x[1]), .array(x[2]))
        case .convert: return try x[0].converted(to: type)
        case .reshape: return try x[0].reshaped(to: shape)
        case .transpose(let permutation): return try x[0].transposed(permutation)
        case .broadcast: return try x[0].broadcast(to: shape)
        case .slice(let ranges): return try x[0].sliced(ranges)
        case .unslice(let ranges): return try x[0].unsliced(ranges, shape: shape)
        case .gather(let indices):
            if x.count > 1 { return try x[0].gathered(at: x[1], chunk: indices.chunk, shape: shape) }
            return try x[0].gathered(indices, shape: shape)
        case .scatterAdd(let indices):
            if x.count > 1 { return try x[0].scatteredAdd(at: x[1], chunk: indices.chunk, shape: shape) }
            return try x[0].scatteredAdd(indices, shape: shape)
        case .concatenate(let axis): return try NDArray.concatenated(x, axis: axis)
        case .matmul: return try NDArray.matmul(x[0], x[1])
        case .reduce(let op, let axes): return try x[0].reduced(op, axes: axes)
        case .cumulative(let op, let axis, let reversed): return try x[0].cumulative(op, axis: axis, reversed: reversed)
        case .normalize(.softmax, let axis): return try x[0].softmax(axis: axis)
        case .normalize(.logSoftmax, let axis): return try x[0].logSoftmax(axis: axis)
        case .custom(let function):
            guard let value = try function.lowered(x) else {
                throw ArrayError.badValue(operation: function.name, .notComposed)
            }
            return value
        }
    }
}
