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
    /// Whether the function gives a pair, of which the second part is handed on.
    private let hasAux: Bool

    package init(_ kind: Kind, of base: Function, in selection: Selection, aux: Bool = false) {
        self.kind = kind
        self.base = base
        self.selection = selection
        hasAux = aux
        super.init(depth: base.depth &+ 1)
    }

    package override var name: String {
        // A name that shows every one of many levels helps nobody.
        "\(kind.rawValue)(\(depth > 20 ? "…" : base.name))"
    }
    package override var parameters: [Parameter] { base.parameters }
    package override var functionsInside: [Function]? { [base] }

    package override func call(_ arguments: Arguments, _ machine: Machine) throws -> Value {
        let (result, points) = try machine.taking(kind.rawValue) { try self.result(arguments, machine) }
        try machine.noteSlopes(result, at: points, name, isElementwise: false)
        return result
    }

    /// What the function gives, and where.
    private func result(_ arguments: Arguments, _ machine: Machine) throws -> (Value, [Value]) {
        let places = try places(in: arguments), points = places.map(\.0)
        var call = ReplayCall("grad", base, arguments, places.map(\.1))
        func value(_ points: [Value]) throws -> Value {
            var inner = call.arguments
            for (point, place) in zip(points, places) { inner = inner.replacing(place.1, with: point) }
            return try machine.call(base, inner)
        }
        switch kind {
        case .gradient, .valueAndGradient:
            return (try gradient(at: points, machine, call, of: value), points)
        case .hessian where try points.count == 1 && points[0].isStructure:
            return (try hessian(at: points[0]) { try value([$0]) }, points)
        case .hessian where points.count > 1: return (try hessian(at: points, of: value), points)
        case .jacobian, .hessian:
            let results = try points.indices.map { index in
                call = ReplayCall("\(kind.rawValue) \(index)", base, arguments, [places[index].1])
                return try derivative(at: points[index], machine, call) { x in
                    var points = points
                    points[index] = x
                    return try value(points)
                }
            }
            if case .one = selection { return (results[0], points) }
            return (try .list(results), points)
        }
    }

    /// The arguments in which derivatives are taken, and where they stand.
    private func places(in arguments: Arguments) throws -> [(Value, Arguments.Place)] {
        let indices: [Int] =
            switch selection {
            case .one(let index): [index]
            case .many(let indices): indices
            }
        return try indices.map { index in
            guard let place = arguments.argument(index, of: base) else {
                let name = base.parameters.indices.contains(index) ? base.parameters[index].name : "argument \(index)"
                throw RuntimeError.missingArgument(name, of: self.name)
            }
            return place
        }
    }

    /// The gradients, and with them the value and what the function gives besides, where those are asked for.
    private func gradient(at points: [Value], _ machine: Machine, _ call: ReplayCall, of value: ([Value]) throws -> Value) throws -> Value {
        var aux: Value = .none
        let result = try machine.gradient(
            of: { points in
                let result = try value(points)
                guard self.hasAux else { return result }
                guard case .list(let pair) = result, pair.elements.count == 2 else { throw MachineRefusal.notAPair(result, from: self.base.name) }
                aux = pair.elements[1]
                return pair.elements[0]
            }, at: points, name: base.name, hasAux ? nil : call)
        let gradient: Value = if case .one = selection { result.gradients[0] } else { try .list(result.gradients) }
        var parts = kind == .gradient ? [gradient] : [result.value, gradient]
        if hasAux { parts.append(try aux.mappingLeaves { if case .array(let array) = $0 { try Value(Derivative.released(array)) } else { $0 } }) }
        return parts.count == 1 ? gradient : try .list(parts)
    }

    /// The second derivatives in every two arguments.
    private func hessian(at values: [Value], of value: @escaping ([Value]) throws -> Value) throws -> Value {
        let points = try values.map(point)
        return try .list(
            points.indices.map { row in
                try .list(points.indices.map { column in try block(row, column, at: points) { try value($0.map { try Value($0) }) } })
            })
    }

    /// The second derivatives in every two leaves of a structure: for each leaf the structure of those in it and another one.
    private func hessian(at x: Value, of f: @escaping (Value) throws -> Value) throws -> Value {
        var points: [NDArray] = []
        let structure = try Structure(x, leaves: &points)
        guard !points.isEmpty else { throw MachineRefusal.nothingToDifferentiate(.derivatives, of: base.name) }
        let rows = try points.indices.map { row in
            var blocks = try points.indices.map { column in
                try block(row, column, at: points) { leaves in
                    var rest = leaves[...]
                    return try f(structure.value(&rest))
                }
            }[...]
            return try structure.nested(&blocks)
        }
        var rest = rows[...]
        return try structure.nested(&rest)
    }

    /// The first derivatives, in one point, of the gradient in another.
    private func block(_ row: Int, _ column: Int, at points: [NDArray], of f: @escaping ([NDArray]) throws -> Value) throws -> Value {
        try Value(
            Derivative.jacobian(
                of: { y in
                    var outer = points
                    outer[column] = y
                    return try Derivative.gradient(
                        of: { x in
                            var inner = outer
                            inner[row] = x
                            return try f(inner).differentiable(of: self.base)
                        }, at: outer[row])
                }, at: points[column]))
    }

    private func point(_ x: Value) throws -> NDArray {
        switch x {
        case .number, .bool, .array: try x.point()
        default:
            throw MachineRefusal.notAPointOfOne(x, of: name)
        }
    }

    private func derivative(at x: Value, _ machine: Machine, _ call: ReplayCall, of f: @escaping (Value) throws -> Value) throws -> Value {
        let function = { (x: NDArray) in try f(Value(x)).differentiable(of: self.base) }
        let result = try machine.replaying(call, at: [point(x)]) { point in
            [try kind == .jacobian ? Derivative.jacobian(of: function, at: point[0]) : Derivative.hessian(of: function, at: point[0])]
        }
        return try Value(result[0])
    }
}
