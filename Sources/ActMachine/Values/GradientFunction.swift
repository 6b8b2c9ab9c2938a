// What `grad`, `value_and_grad`, `jacobian` and `hessian` return.

import ActArray
import ActGrad
import ActRows

package final class GradientFunction: Function {
    package enum Kind: String {
        case gradient = "grad"
        case valueAndGradient = "value_and_grad"
        case jacobian, hessian
    }

    /// Which parameters the derivative is taken in.
    package enum Selection {
        case one(Int)
        case many([Int])
    }

    package let kind: Kind
    package let base: Function
    package let selection: Selection

    package init(_ kind: Kind, of base: Function, in selection: Selection) {
        self.kind = kind
        self.base = base
        self.selection = selection
        super.init(depth: base.depth &+ 1)
    }

    package override var name: String {
        // A name that shows every one of many levels helps nobody.
        "\(kind.rawValue)(\(depth > 20 ? "…" : base.name))"
    }
    package override var parameters: [Parameter] { base.parameters }

    package override func call(_ arguments: Arguments, _ machine: Machine) throws -> Value {
        let indices: [Int] = switch selection {
        case .one(let index): [index]
        case .many(let indices): indices
        }
        let places = try indices.map { index in
            guard let place = arguments.argument(index, of: base) else {
                let name = base.parameters.indices.contains(index) ? base.parameters[index].name : "argument \(index)"
                throw RuntimeError.missingArgument(name, of: self.name)
            }
            return place
        }
        func value(_ points: [Value]) throws -> Value {
            var inner = arguments
            for (point, place) in zip(points, places) { inner = inner.replacing(place.1, with: point) }
            return try machine.call(base, inner)
        }
        switch kind {
        case .gradient, .valueAndGradient:
            let result = try machine.gradient(of: value, at: places.map(\.0), name: base.name)
            let gradient: Value = if case .one = selection { result.gradients[0] } else { try .list(result.gradients) }
            return kind == .gradient ? gradient : try .list([result.value, gradient])
        case .jacobian, .hessian:
            let results = try places.indices.map { index in
                try derivative(at: places[index].0) { x in
                    var points = places.map(\.0)
                    points[index] = x
                    return try value(points)
                }
            }
            if case .one = selection { return results[0] }
            return try .list(results)
        }
    }

    private func derivative(at x: Value, of f: (Value) throws -> Value) throws -> Value {
        switch x {
        case .number, .bool, .array: break
        default:
            throw RuntimeError.cannot("`\(name)` is taken at a number or an array, not at \(x.kind)", help: "`grad` works on lists, records and networks")
        }
        let point = try x.point()
        let function = { (x: NDArray) in try f(Value(x)).differentiable(of: self.base) }
        return try Value(kind == .jacobian ? Derivative.jacobian(of: function, at: point) : Derivative.hessian(of: function, at: point))
    }
}
