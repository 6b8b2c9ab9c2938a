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
        let kind = self.kind == .valueAndGradient ? .gradient : self.kind
        let call = ReplayCall(kind.rawValue, base, arguments, places.map(\.1))
        func value(_ points: [Value]) throws -> Value {
            var inner = call.arguments
            for (point, place) in zip(points, places) { inner = inner.replacing(place.1, with: point) }
            return try machine.call(base, inner)
        }
        switch kind {
        case .gradient, .valueAndGradient: return (try gradient(at: points, machine, call, of: value), points)
        case .jacobian: return (try jacobian(at: points, machine, call, of: value), points)
        case .hessian: return (try hessian(at: points, machine, call, of: value), points)
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

    /// The points as arrays, and the structures around them.
    private func takenApart(_ points: [Value]) throws -> (structures: [Structure], leaves: [NDArray]) {
        var leaves: [NDArray] = []
        let structures = try points.map { point in
            guard try !point.isStructure else { return try Structure(point, leaves: &leaves) }
            switch point {
            case .number, .bool, .array: leaves.append(try point.point())
            default: throw MachineRefusal.notAPointOfOne(point, of: name)
            }
            return .array
        }
        guard !leaves.isEmpty else { throw MachineRefusal.nothingToDifferentiate(.derivatives, of: base.name) }
        return (structures, leaves)
    }

    /// A value for each leaf, in the structures of the points: for one argument in its own, for several in a list of theirs.
    private func nested(_ values: [Value], in structures: [Structure]) throws -> Value {
        var rest = values[...]
        let parts = try structures.map { try $0.nested(&rest) }
        if case .one = selection { return parts[0] }
        return try .list(parts)
    }

    /// The function as one of arrays.
    private func function(_ structures: [Structure], _ value: @escaping ([Value]) throws -> Value) -> ([NDArray]) throws -> NDArray {
        { leaves in
            var rest = leaves[...]
            return try value(structures.map { try $0.value(&rest) }).differentiable(of: self.base)
        }
    }

    /// The first derivatives in every leaf.
    private func jacobian(at points: [Value], _ machine: Machine, _ call: ReplayCall, of value: @escaping ([Value]) throws -> Value) throws -> Value {
        let (structures, leaves) = try takenApart(points), f = function(structures, value)
        return try nested(machine.replaying(call, at: leaves) { try Derivative.jacobians(of: f, at: $0) }.map { try Value($0) }, in: structures)
    }

    /// The second derivatives in every two leaves: for each leaf the structures of those in it and another one.
    private func hessian(at points: [Value], _ machine: Machine, _ call: ReplayCall, of value: @escaping ([Value]) throws -> Value) throws -> Value {
        let (structures, leaves) = try takenApart(points), f = function(structures, value)
        if leaves.count == 1 {
            let result = try machine.replaying(call, at: leaves) { [try Derivative.hessian(of: { try f([$0]) }, at: $0[0])] }
            return try nested([nested([Value(result[0])], in: structures)], in: structures)
        }
        let rows = try leaves.indices.map { row in
            try nested(leaves.indices.map { column in try block(row, column, at: leaves, of: f) }, in: structures)
        }
        return try nested(rows, in: structures)
    }

    /// The first derivatives, in one point, of the gradient in another.
    private func block(_ row: Int, _ column: Int, at points: [NDArray], of f: @escaping ([NDArray]) throws -> NDArray) throws -> Value {
        try Value(
            Derivative.jacobian(
                of: { y in
                    var outer = points
                    outer[column] = y
                    return try Derivative.gradient(
                        of: { x in
                            var inner = outer
                            inner[row] = x
                            return try f(inner)
                        }, at: outer[row])
                }, at: points[column]))
    }
}
