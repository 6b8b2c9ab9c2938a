// `f'`: the derivative of a function in its first argument, the others being passed through.

import ActArray
import ActGrad
import ActRows

package final class DerivedFunction: Function {
    /// What was primed; never a derived function itself.
    package let base: Function
    package let order: Int

    package init(_ function: Function) {
        let derived = function as? DerivedFunction
        base = derived?.base ?? function
        order = (derived?.order ?? 0) + 1
        super.init(depth: base.depth &+ 1, scalar: base.scalarDerivative(order: order))
    }

    package override var name: String {
        let name = base.name
        let isPlain = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        return (isPlain ? name : "(\(name))") + String(repeating: "'", count: order)
    }

    package override var parameters: [Parameter] { base.parameters }
    package override var functionsInside: [Function]? { [base] }

    package override func call(_ arguments: Arguments, _ machine: Machine) throws -> Value {
        if let slopes = try base.derivative(self, arguments, machine) { return slopes }
        let name = name  // made once for all orders: it is as long as the order is high
        let slopes = try derivative(arguments, order: order, named: name, machine)
        if let (x, _) = arguments.first(of: base) { try machine.noteSlopes(slopes, at: [x], name, isElementwise: true) }
        return slopes
    }

    private func derivative(_ arguments: Arguments, order: Int, named name: String, _ machine: Machine) throws -> Value {
        guard order > 0 else { return try machine.call(base, arguments) }
        guard let (x, place) = arguments.first(of: base) else {
            throw RuntimeError.missingArgument(base.parameters.first?.name ?? "x", of: name)
        }
        let call = ReplayCall(name, base, arguments, [place])
        let inner = { (value: Value) in
            try self.derivative(call.arguments.replacing(place, with: value), order: order - 1, named: name, machine)
        }
        switch x {
        case .number, .bool, .array:
            let result = try machine.replaying(call, at: [x.point()]) { point in
                [try Derivative.derivative(of: { try inner(Value($0)).differentiable(of: self.base) }, at: point[0])]
            }
            return try Value(result[0])
        case .list, .record, .function:
            return try machine.taking("`\(name)`") { try machine.gradient(of: { try inner($0[0]) }, at: [x], name: base.name, call).gradients[0] }
        default: throw MachineRefusal.notAPoint(x, of: name)
        }
    }
}

extension Arguments {
    enum Place: Equatable {
        case position(Int)
        case name(Int)
    }

    /// The value of the first parameter of `function`.
    func first(of function: Function) -> (Value, Place)? { argument(0, of: function) }

    func argument(_ index: Int, of function: Function) -> (Value, Place)? {
        if positional.indices.contains(index) { return (positional[index], .position(index)) }
        guard function.parameters.indices.contains(index) else { return nil }
        let name = function.parameters[index].name
        return named.firstIndex { $0.name == name }.map { (named[$0].value, .name($0)) }
    }

    func replacing(_ place: Place, with value: Value) -> Arguments {
        var result = self
        switch place {
        case .position(let index): result.positional[index] = value
        case .name(let index): result.named[index].value = value
        }
        return result
    }
}

extension Machine {
    /// Takes a derivative that the program asks for by a name, which is said where its value is not what that needs.
    func taking<Result>(_ name: @autoclosure () -> String, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch DerivativeError.gradientOfArray(let shape, nil) {
            throw DerivativeError.gradientOfArray(shape: shape, by: name())
        } catch MachineRefusal.noGradient(let function, let value, nil) {
            throw MachineRefusal.noGradient(of: function, value, by: name())
        }
    }

    /// The value of `f` and its gradient in each of `points`, which keep their structure.
    /// - Parameter call: What the program called for it; `nil` where more than the gradient is asked of `f`.
    func gradient(
        of f: ([Value]) throws -> Value, at points: [Value], name: @autoclosure () -> String, _ call: ReplayCall?
    ) throws -> (value: Value, gradients: [Value]) {
        var leaves: [NDArray] = []
        let structures = try points.map { try Structure($0, leaves: &leaves) }
        guard !leaves.isEmpty else { throw MachineRefusal.nothingToDifferentiate(.gradient, of: name()) }
        let results = try replaying(call, at: leaves) { leaves in
            let result = try Derivative.valueAndGradient(
                of: { variables in
                    var rest = variables[...]
                    let value = try f(structures.map { try $0.value(&rest) })
                    switch value {
                    case .number, .bool, .array: return try value.point()
                    default: throw MachineRefusal.noGradient(of: name(), value)
                    }
                }, at: leaves)
            return [result.value] + result.gradients
        }
        var rest = results.dropFirst()
        return (try Value(results[0]), try structures.map { try $0.withoutConstants().value(&rest) })
    }
}
