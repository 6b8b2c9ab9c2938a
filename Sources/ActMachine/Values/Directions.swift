// `jvp`, `vjp` and `hvp` on values: points, directions and results are numbers, arrays, lists, records and networks.

import ActArray
import ActGrad
import ActRows

extension Machine {
    /// The pair of the value of `f` and its derivative along a direction.
    package func along(_ direction: Value, of f: Function, at x: Value, _ name: String) throws -> Value {
        var points: [NDArray] = [], directions: [NDArray] = [], structure: Structure?
        let point = try Structure(x, leaves: &points)
        _ = try Structure(direction, leaves: &directions)
        try check(points, directions, name, .direction)
        let result = try Derivative.along(
            directions,
            of: { variables in
                var rest = variables[...], leaves: [NDArray] = []
                structure = try Structure(self.call(f, Arguments([point.value(&rest)])), leaves: &leaves)
                return leaves
            }, at: points)
        guard let structure else { return .none }
        var values = result.values[...], changes = result.changes[...]
        return try .list([structure.value(&values), structure.withoutConstants().value(&changes)])
    }

    /// The pair of the value of `f` and the function from what reaches it to what reaches the point.
    package func pullback(of f: Function, at x: Value) throws -> Value {
        var points: [NDArray] = [], structure: Structure?
        let point = try Structure(x, leaves: &points)
        guard !points.isEmpty else { throw MachineRefusal.nothingToDifferentiate(.direction, of: "vjp") }
        let result = try Derivative.pullback(
            of: { variables in
                var rest = variables[...], leaves: [NDArray] = []
                structure = try Structure(self.call(f, Arguments([point.value(&rest)])), leaves: &leaves)
                return leaves
            }, at: points)
        guard let structure else { return .none }
        var values = result.values[...]
        return try .list([structure.value(&values), Pullback(f, point: point.withoutConstants(), values: result.values, result.pull).asValue()])
    }

    /// The Hessian of `f`, whose value is a number, times a direction: the gradient of the gradient along it.
    package func hessianProduct(of f: Function, at x: Value, times direction: Value) throws -> Value {
        var points: [NDArray] = [], directions: [NDArray] = []
        _ = try Structure(x, leaves: &points)
        _ = try Structure(direction, leaves: &directions)
        try check(points, directions, "hvp", .direction)
        return try taking("hvp") {
            try gradient(
                of: { point in
                    var slopes: [NDArray] = []
                    let inner = try self.gradient(of: { try self.call(f, Arguments($0)) }, at: point, name: f.name, nil)
                    _ = try Structure(inner.gradients[0], leaves: &slopes)
                    var total = try NDArray.scalar(0, type: .f64)
                    for (slope, direction) in zip(slopes, directions) { total = try total + (slope * direction).reduced(.sum) }
                    return try Value(total)
                }, at: [x], name: f.name, nil
            ).gradients[0]
        }
    }

    fileprivate func check(_ a: [NDArray], _ b: [NDArray], _ function: String, _ direction: StructureDifference.Direction) throws {
        guard !a.isEmpty else { throw MachineRefusal.nothingToDifferentiate(.direction, of: function) }
        guard a.count == b.count else { throw RuntimeError.structuresDiffer(.partCount(direction, of: function, b.count, a.count)) }
        for (x, y) in zip(a, b) where x.shape != y.shape {
            throw RuntimeError.structuresDiffer(.partShape(direction, of: function, y.shape, x.shape))
        }
    }
}

/// The function from what reaches a value to what reaches the point that it was computed from.
private final class Pullback: NativeFunction {
    private let f: Function
    private let point: Structure
    private let values: [NDArray]
    private let pull: ([NDArray]) throws -> [NDArray]

    init(_ f: Function, point: Structure, values: [NDArray], _ pull: @escaping ([NDArray]) throws -> [NDArray]) {
        self.f = f
        self.point = point
        self.values = values
        self.pull = pull
    }

    var name: String { "vjp(\(depth > 20 ? "…" : f.name))" }
    var parameters: [Parameter] { [Parameter(name: "cotangent", fallback: nil)] }
    var depth: Int32 { f.depth &+ 1 }

    func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        guard let cotangent = arguments.positional.first ?? arguments.named.first?.value else { throw RuntimeError.missingArgument("cotangent", of: name) }
        guard arguments.positional.count + arguments.named.count == 1 else {
            throw RuntimeError.tooManyArguments(of: function, given: arguments.positional.count + arguments.named.count)
        }
        var leaves: [NDArray] = []
        _ = try Structure(cotangent, leaves: &leaves)
        try machine.check(values, leaves, "vjp", .cotangent)
        var gradients = try pull(leaves)[...]
        return try point.value(&gradients)
    }
}
