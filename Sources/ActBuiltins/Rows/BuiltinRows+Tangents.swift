// Derivatives beyond the gradient: along a direction, from cotangents, of functions whose slope the program gives, and values without a past.

import ActArray
import ActGrad
import ActMachine
import ActRows

extension BuiltinRows {
    static let tangents: [Builtin] = [
        Builtin(
            .derivatives, "stop_gradient", "x without its past: a constant to every derivative",
            details: "Of records, lists and networks every number in them.",
            example: "grad(x -> x * stop_gradient(x))(3)   # 3", role: .steps
        ) { takes in
            let x = takes.value("x")
            return { call in
                try call[x].mappingLeaves { leaf in
                    guard case .array(let array) = leaf, array.isTraced else { return leaf }
                    return try Value(Barrier.before(array))
                }
            }
        },
        Builtin(
            .derivatives, "with_derivative", "the function f, whose derivative in its first argument is df",
            details:
                "`df` takes the arguments of f and gives the slope: shaped as x where f acts elementwise or gives a number, else the Jacobian. A straight-through step is `with_derivative(round, x -> 1)`.",
            example: "hard = with_derivative(round, x -> 1)\n(hard(2.7), hard'(2.7))   # (3, 1)", role: .steps
        ) { takes in
            let f = takes.function("f"), df = takes.function("df")
            return { call in try SubstitutedFunction(call[f], slope: call[df]).asValue() }
        },
        Builtin(
            .derivatives, "jvp", "the value of f at x, and its derivative along v",
            details: "The Jacobian times v, without making the Jacobian. v has the structure of x.",
            example: "jvp(x -> x^2, [1, 2], [1, 0])   # ([1, 4], [2, 0])"
        ) { takes in
            let f = takes.function("f"), x = takes.value("x"), v = takes.value("v")
            return { call in try call.machine.along(call[v], of: call[f], at: call[x], "jvp") }
        },
        Builtin(
            .derivatives, "vjp", "the value of f at x, and the function from a cotangent to the gradient in x",
            details: "The cotangent has the structure of the value; it times the Jacobian is the gradient. The function can be called again and again.",
            example: "y, pull = vjp(x -> x^2, [1, 2])\npull([1, 10])   # [2, 40]"
        ) { takes in
            let f = takes.function("f"), x = takes.value("x")
            return { call in try call.machine.pullback(of: call[f], at: call[x]) }
        },
        Builtin(
            .derivatives, "hvp", "the Hessian of f at x times v", details: "Without making the Hessian. The value of f is a number; v has the structure of x.",
            example: "hvp(x -> sum(x^3), [1, 2], [1, 1])   # [6, 12]"
        ) { takes in
            let f = takes.function("f"), x = takes.value("x"), v = takes.value("v")
            return { call in try call.machine.hessianProduct(of: call[f], at: call[x], times: call[v]) }
        },
    ]
}

/// What `with_derivative` gives.
private final class SubstitutedFunction: NativeFunction {
    private let f: Function, slope: Function

    init(_ f: Function, slope: Function) { (self.f, self.slope) = (f, slope) }

    var name: String { "with_derivative(\(depth > 20 ? "…" : "\(f.name), \(slope.name)"))" }
    var parameters: [Parameter] { f.parameters }
    var depth: Int32 { max(f.depth, slope.depth) &+ 1 }

    func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        guard Derivative.isRunning, let first = arguments.positional.first, case .array(let x) = first, x.isTraced else {
            return try machine.call(f, arguments)
        }
        func at(_ point: NDArray) throws -> Arguments {
            var replaced = arguments
            replaced.positional[0] = try Value(point)
            return replaced
        }
        let value = try machine.call(f, at(Barrier.before(x)))
        guard value.isNumeric else { throw MachineRefusal.noDerivative(of: f.name, value) }
        let slope = slope, name = f.name
        return try Value(
            GivenSlope.value(value.point(), at: x, name) { point, isFollowed in
                var replaced = try at(point)
                // The other arguments are constants to a derivative that nothing follows any further.
                if !isFollowed {
                    replaced.positional = try replaced.positional.map { try $0.untraced() }
                    replaced.named = try replaced.named.map { ($0.name, try $0.value.untraced()) }
                }
                let given = try machine.call(slope, replaced)
                guard given.isNumeric else { throw BuiltinRefusal.slopeKind(given, of: name) }
                return try given.point()
            })
    }
}

extension Value {
    fileprivate func untraced() throws -> Value {
        try mappingLeaves { leaf in
            guard case .array(let array) = leaf, array.isTraced else { return leaf }
            return try Value(array.detached())
        }
    }
}
