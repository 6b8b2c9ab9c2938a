import ActArray

/// Stands in a trace for an operation without a derivative (`argmax`, `sort` of positions): an error, once a derivative needs it.
package final class NotDifferentiable: CustomFunction {
    package let name: String

    private init(_ name: String) { self.name = name }

    package var isElementwise: Bool { false }

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray) throws -> [NDArray?] {
        throw DerivativeError.notDifferentiable(operation: name)
    }

    /// `value`, remembered as what the operation made of `inputs`, if they are traced.
    package static func result(_ value: NDArray, of name: String, inputs: [NDArray]) throws -> NDArray {
        try NDArray.custom(NotDifferentiable(name), inputs: inputs, value: value)
    }
}
