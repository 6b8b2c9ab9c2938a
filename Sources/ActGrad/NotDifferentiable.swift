// Operations without a derivative, as traces see them: an error or a constant, and never silently 0.

import ActArray

/// Stands in a trace for an operation that derivatives do not go through.
package final class NotDifferentiable: CustomFunction {
    package enum Kind {
        /// It changes in jumps (`argmax`): a constant within a function, while a derivative of its own it has none.
        case steps
        /// What it depends on is not followed: an error, once a derivative needs it.
        case opaque
    }

    package let name: String
    package let attributes: [Attribute]
    private let kind: Kind

    private init(_ name: String, _ attributes: [Attribute], _ kind: Kind) {
        self.name = name
        self.attributes = attributes
        self.kind = kind
    }

    package var isElementwise: Bool { false }

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        if kind == .opaque { throw DerivativeError.notDifferentiable(operation: name) }
        return inputs.map { _ in nil }
    }

    /// None: it keeps the name and the settings of an operation that has no derivative, not the operation. Who writes other systems' words knows
    /// some by their names.
    package func lowered(_ inputs: [NDArray]) throws -> NDArray? { nil }

    /// Whether `node` has no derivative where it is itself what is differentiated.
    static func refuses(_ node: Node) -> String? {
        if case .custom(let function as NotDifferentiable) = node.primitive { function.name } else { nil }
    }

    /// `value`, remembered as what the operation made of `inputs`, if they are traced.
    /// - Parameter attributes: What it needs to know besides, for whoever reads the graph.
    package static func result(
        _ value: NDArray, of name: String, inputs: [NDArray], _ kind: Kind, attributes: [Attribute] = []
    ) throws -> NDArray {
        try NDArray.custom(NotDifferentiable(name, attributes, kind), inputs: inputs, value: value)
    }
}
