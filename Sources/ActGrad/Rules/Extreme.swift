// The largest or smallest of three or more values as one traced operation. Of two at a time, those that tie would not count alike.

import ActArray

package final class Extreme: CustomFunction {
    private let operation: BinaryOperation

    private init(_ operation: BinaryOperation) { self.operation = operation }

    package var name: String { operation.name }
    package var isElementwise: Bool { true }

    /// `value`, the largest (`max`) or smallest (`min`) of `inputs`, with its derivative: all that tie take an equal part; where one of them
    /// is a constant there is none, as of two.
    package static func result(_ operation: BinaryOperation, of inputs: [NDArray], value: NDArray) throws -> NDArray {
        try NDArray.custom(Extreme(operation), inputs: inputs, value: value.detached())
    }

    package func lowered(_ x: [NDArray]) throws -> NDArray? {
        try x.dropFirst().reduce(x[0]) { try NDArray.binary(operation, $0, $1) }
    }

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        let point = try result.detached()
        let ties = try inputs.map { input in
            let input = try input.detached()
            return try NDArray.logical(.or, .compare(.eq, .array(input), .array(point)), .test(.isnan, input))
        }
        var count: NDArray?
        for (tie, varies) in zip(ties, wanted) where varies {
            let tie = try tie.converted(to: cotangent.type)
            count = try count.map { try $0 + tie } ?? tie
        }
        guard let count else { return inputs.map { _ in nil } }
        // Where only constants are extreme the count is 0, and so is the share of everyone.
        var share = try cotangent / NDArray.binary(.max, count, 1)
        for (tie, varies) in zip(ties, wanted) where !varies { share = try NDArray.select(tie, .number(0), .array(share)) }
        return try zip(ties, wanted).map { tie, varies in varies ? try NDArray.select(tie, .array(share), .number(0)) : nil }
    }
}
