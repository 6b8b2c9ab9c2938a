// The closed set of array operations. Everything else is a composition of these, so one exhaustive `switch` answers each
// question about an operation: how it is evaluated (ActArray), what its derivative is (ActGrad), how it is named in messages.

/// What made a node.
package enum Primitive {
    /// Elements that were given: literals, files, random draws, results that forgot how they were made.
    case data
    /// The point at which a derivative is taken. Its input, if any, is the value it stands for (traced by an outer derivative).
    case variable

    // Elementwise; inputs are broadcast to the node's shape.
    case unary(UnaryOperation)
    case binary(BinaryOperation)
    case compare(CompareOperation)  // result: bool
    case test(TestOperation)  // isnan, isinf, isfinite; result: bool
    case logical(LogicalOperation)  // and, or, xor, not; bool → bool
    case select  // inputs: condition (bool), then, otherwise
    case convert  // to the node's element type

    // Structure.
    case reshape
    case transpose([Int])  // result axis i is input axis permutation[i]
    case broadcast  // to the node's shape
    case slice([SliceRange])  // one range an axis; keeps the rank
    case unslice([SliceRange])  // adjoint of slice: zeros of the node's shape, the input at the ranges
    // The positions of these two may be a second input, where they are computed.
    case gather(GatherIndices)  // result.flat[k*chunk ..< (k+1)*chunk] = input.flat[indices[k] ..< indices[k]+chunk]
    case scatterAdd(GatherIndices)  // adjoint of gather: zeros of the node's shape, chunks of the input added at the indices
    case concatenate(axis: Int)

    // Contraction and reduction.
    case matmul  // over the last two axes of both inputs (rank ≥ 2), the others broadcast
    case reduce(ReduceOperation, axes: [Int])  // the axes are removed
    case cumulative(CumulativeOperation, axis: Int, reversed: Bool)
    case normalize(NormalizeOperation, axis: Int)  // softmax, log_softmax: shape kept

    /// A function whose derivative is its own rule rather than that of the operations that computed it:
    /// activation rows, linear-algebra and network kernels. The value is there already when the node is made.
    case custom(CustomFunction)

    /// Whether a kernel for a derivative computes it, so that no element is −0.
    package var isSlope: Bool {
        switch self {
        case .unary(let op): op.isSlope
        case .binary(let op): op.isSlope
        case .data, .variable, .compare, .test, .logical, .select, .convert, .reshape, .transpose, .broadcast, .slice, .unslice, .gather,
            .scatterAdd, .concatenate, .matmul, .reduce, .cumulative, .normalize, .custom:
            false
        }
    }

    /// Whether element i of the result depends on element i of each (broadcast) operand only.
    package var isElementwise: Bool {
        switch self {
        case .unary, .binary, .compare, .test, .logical, .select, .convert: true
        case .custom(let function): function.isElementwise
        case .data, .variable, .reshape, .transpose, .broadcast, .slice, .unslice, .gather, .scatterAdd, .concatenate, .matmul, .reduce, .cumulative,
            .normalize:
            false
        }
    }

    /// As programs call it; empty for what programs do not call.
    package var name: String {
        switch self {
        case .data, .variable: ""
        case .unary(let op): op.name
        case .binary(let op): op.name
        case .compare(let op): op.name
        case .test(let op): op.name
        case .logical(let op): op.name
        case .select: "where"
        case .convert: "f32"  // the only conversion that can leave the numbers
        case .reshape: "reshape"
        case .transpose: "transpose"
        case .broadcast: "broadcast_to"
        case .slice, .unslice, .gather, .scatterAdd: "index"
        case .concatenate: "concat"
        case .matmul: "@"
        case .reduce(let op, _): op.name
        case .cumulative(let op, _, _): op.name
        case .normalize(let op, _): op.name
        case .custom(let function): function.name
        }
    }
}

/// Rows of elements along one axis: `start`, `start + step`, … `count` of them; `step` may be negative, not 0.
package struct SliceRange: Equatable, Sendable {
    package var start: Int
    package var step: Int
    package var count: Int

    package init(start: Int, step: Int, count: Int) {
        self.start = start
        self.step = step
        self.count = count
    }
}

/// Where the chunks of a gather begin, as flat (row-major) positions of the input; `shape` is the result's.
package final class GatherIndices {
    package let starts: [Int]
    package let chunk: Int
    private let held: Reservation

    package init(starts: [Int], chunk: Int) {
        self.starts = starts
        self.chunk = chunk
        held = Reservation(noting: starts.count &* MemoryLayout<Int>.stride)
    }
}

/// A differentiable function outside the primitives. Conforming types live in the targets to the right of this one.
package protocol CustomFunction: AnyObject {
    /// As the program calls it, for messages.
    var name: String { get }
    /// What it needs to know besides its inputs.
    var attributes: [Attribute] { get }
    /// Whether element i of the result depends on element i of each (broadcast) input only.
    var isElementwise: Bool { get }
    /// The cotangents of the inputs, written with array operations so that they can be differentiated again; `nil` where an
    /// input gets none. `inputs` and `result` are the node's own. `wanted` says for each input whether its cotangent is looked at: what is
    /// costly need not be computed else.
    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?]
    /// The same function of other inputs of the same shapes, composed of primitives: equal but for rounding. `nil` where it is known by
    /// name only; then the reason stands there.
    func lowered(_ inputs: [NDArray]) throws -> NDArray?
}

extension CustomFunction {
    package var attributes: [Attribute] { [] }
}
