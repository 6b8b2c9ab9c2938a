// The derivative of a function that has kernels of its own, by way of the primitives that it is made of: what its kernels cannot tell, the
// derivative of their derivative, comes of these.

import ActArray

extension CustomFunction {
    /// What reaches the inputs, as a graph that further derivatives can follow.
    /// - Throws: `DerivativeError.notDifferentiable` for a function that is known by name only.
    package func loweredPullback(_ cotangent: NDArray, _ inputs: [NDArray]) throws -> [NDArray?] {
        try Derivative.withVariables(inputs) { variables in
            guard let result = try lowered(variables) else { throw DerivativeError.notDifferentiable(operation: name, at: .unknown) }
            return try Derivative.pullback(of: result, cotangent: cotangent, to: variables)
        }
    }
}
