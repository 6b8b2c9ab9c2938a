// Derivatives as functions: grad and its relatives. `f'` itself is an operator.

import ActArray
import ActGrad
import ActLayers
import ActMachine
import ActRows

extension BuiltinRows {
    static let derivatives: [Builtin] = [
        derivative(
            .gradient, "grad", "the function that computes the gradient of a function whose value is a number",
            details:
                "`wrt` is the position or name of the argument to differentiate in, or a list of them. The argument may be a number, array, list, record or network; the gradient has its structure. With `aux=true` f gives a pair (number, anything), and so does the gradient: (gradient, anything).",
            example: "grad(x -> sum(x^2))([1, 2, 3])   # [2, 4, 6]"),
        derivative(
            .valueAndGradient, "value_and_grad", "as grad, but gives the pair (value, gradient)",
            details: "With `aux=true` f gives a pair (number, anything), and the result is (value, gradient, anything).",
            example: "value_and_grad(x -> sum(x^2))([1, 2, 3])   # (14, [2, 4, 6])"),
        derivative(
            .jacobian, "jacobian", "the function that computes all first derivatives, shaped shape(f(x)) + shape(x)",
            details:
                "Of a list, a record or a network it has that structure: each number and array in it becomes the derivatives in it. With several arguments in `wrt` it gives a list.",
            example: "jacobian(x -> x^2)([1, 2])   # [[2, 0],\n# [0, 4]]"),
        derivative(
            .hessian, "hessian", "the function that computes all second derivatives of a function whose value is a number",
            details:
                "With several arguments in `wrt` it gives a list of rows of blocks: block i, j holds the derivatives in argument i and argument j. Of a list or a record it is one of those: `h.a.b`.",
            example: "hessian(x -> sum(x^3))([1, 2])   # [[ 6,  0],\n# [ 0, 12]]"),
        Builtin(
            .derivatives, "check_grad", "the largest relative error between the derivative of f at x and central differences",
            details:
                "x is a number, an array, a record, a list, a layer or a network: then every parameter is looked at, and a warning names the one whose gradient differs most, where it differs. About 1e-9 where all is well, about 1e-5 where f computes in f32; near a kink the differences themselves are wrong.",
            example: "check_grad(tanh, 0.3) < 1e-6   # true", role: .steps
        ) { takes in
            let f = takes.function("f"), x = takes.value("x")
            return { call in try call.checkGradient(f, x) }
        },
        Builtin(
            .derivatives, "kinks", "where the slope of f jumps: a list of records {x, left, right, chosen}",
            details: "For activation functions the list is exact; for others it is found between lo and hi.",
            example: "kinks(relu)   # ({x: 0, left: 0, right: 1, chosen: 0},)"
        ) { takes in
            let f = takes.function("f"), lo = takes.number("lo", default: -10), hi = takes.number("hi", default: 10)
            return { call in
                let f = try call[f], low = try call[lo], high = try call[hi]
                guard low < high, (high - low).isFinite else { throw call.fail(hi, .moreThan("lo")) }
                let found = try call.kinks(of: f, over: low...high)
                return try .list(
                    found.map { kink in
                        try .record(["x": .number(kink.x), "left": .number(kink.left), "right": .number(kink.right), "chosen": .number(kink.chosen)])
                    })
            }
        },
    ]

    private static func derivative(
        _ kind: GradientFunction.Kind, _ name: String, _ summary: String, details: String = "", example: String
    ) -> Builtin {
        Builtin(.derivatives, name, summary, details: details, example: example) { takes in
            let f = takes.function("f"), wrt = takes.value("wrt", default: .number(0), "0", role: .steps)
            let aux = kind == .gradient || kind == .valueAndGradient ? takes.flag("aux", default: false) : nil
            return { call in
                let f = try call[f], aux = try aux.map { try call[$0] } ?? false
                return try GradientFunction(kind, of: f, in: selection(wrt, call, f), aux: aux).asValue()
            }
        }
    }

    /// `wrt`: a position, a name, or a list of them.
    private static func selection(_ wrt: Input<Value>, _ call: Call, _ f: Function) throws -> GradientFunction.Selection {
        switch call[wrt] {
        case .list(let list): return .many(try list.elements.map { try position($0, wrt, call, f) })
        case .array(let array): return .many(try array.toDoubles().map { try position(.number($0), wrt, call, f) })
        default: return .one(try position(call[wrt], wrt, call, f))
        }
    }

    private static func position(_ value: Value, _ wrt: Input<Value>, _ call: Call, _ f: Function) throws -> Int {
        try Interrupt.check()
        switch value {
        case .number(let number):
            guard number >= 0, number < 1e6, number == number.rounded() else { throw call.fail(wrt, .positions, value) }
            let index = Int(number)
            guard index < f.parameters.count || f.parameters.isEmpty || f.parameters.last?.isVariadic == true else {
                throw BuiltinRefusal.noArgument(index, of: f)
            }
            return index
        case .string(let name):
            guard let index = f.parameters.firstIndex(where: { $0.name == name.string }) else { throw RuntimeError.unknownArgument(name.string, of: f) }
            return index
        default: throw call.fail(wrt, .positions, value)
        }
    }
}

extension Call {
    /// The derivative in an array, or in every leaf of a structure.
    fileprivate func checkGradient(_ function: Input<Function>, _ argument: Input<Value>) throws -> Value {
        let f = try self[function], x = self[argument], machine = machine
        if x.isNumeric {
            return .number(try Derivative.checkGradient(of: { try machine.call(f, Arguments([Value($0)])).differentiable(of: f) }, at: x.point()))
        }
        var leaves: [NDArray] = []
        let structure = try Structure(x, leaves: &leaves)
        guard !leaves.isEmpty else { throw fail(argument, .parameters) }
        let check = try Derivative.checkGradient(
            of: { arrays in
                var rest = arrays[...]
                return try machine.call(f, Arguments([structure.value(&rest)])).differentiable(of: f)
            }, at: leaves)
        let isSingle = leaves.contains { $0.type == .f32 }
        if !(check.error < (isSingle ? 1e-2 : 1e-4)) {
            var rest = check.element
            let position = leaves[check.array].shape.reversed().map { size in
                defer { rest /= size }
                return rest % size
            }
            try machine.warn(.gradientDiffers(structure.paths[check.array], position.reversed(), exact: check.exact, estimate: check.estimate))
        }
        return .number(check.error)
    }

    /// Where the slope of `f` jumps: of an activation function everywhere, of others within a range.
    func kinks(of f: Function, over range: ClosedRange<Double>) throws -> [Kink] {
        if let row = f.builtin?.activation, row.kind == .elementwise { return row.kinks(row.defaults) }
        return try Kinks.find(of: { try machine.call(f, Arguments([Value($0)])).differentiable(of: f) }, over: range)
    }
}
