// Functions as formulas: `formula` and `derive`.

import ActArray
import ActFormula
import ActGrad
import ActMachine
import ActRows

extension FormulaStyle: Choice {}

extension BuiltinRows {
    static let formulas: [Builtin] = [
        Builtin(
            .derivatives, "formula", "the formula of a function of numbers, as a book would write it",
            details:
                "`formula(f')` is that of the derivative, in terms of f where that is shorter. `style` is \"text\", \"latex\", \"mathml\", or \"act\", which pastes back and gives the same values. A function that decides by values (`if`, `while`) or takes arrays apart is no formula, and the error says which part is not.",
            example: "print(formula(sigmoid'))   # σ(x) (1 - σ(x))\nprint(formula(x -> x^2 / 2, style=\"latex\"))   # \\frac{x^{2}}{2}", role: .steps
        ) { takes in
            let f = takes.function("f"), style = takes.choice("style", default: FormulaStyle.text)
            return { call in .string(.forReaders(try call.machine.formulaText(of: call[f], call[style]))) }
        },
        Builtin(
            .derivatives, "derive", "how the derivative of a function is found: one rule a line",
            details: "Every line is true for every x. `style` as for `formula`; in style \"act\" each line is a program.",
            example: "contains(derive(x -> x * sin(x)), \"product rule\")   # true", role: .steps
        ) { takes in
            let f = takes.function("f"), style = takes.choice("style", default: FormulaStyle.text)
            return { call in
                let f = try call[f], style = try call[style]
                return .string(.forReaders(try call.machine.functionFormula(of: f).derivation(style)))
            }
        },
    ]
}

extension Machine {
    /// The formula of a function; of a row along an axis what it states.
    /// - Throws: `FormulaError`, `FormulaPart`, `ArrayError.noGraph`, `GraphError`, and what the function throws.
    package func formulaText(of f: Function, _ style: FormulaStyle) throws -> String {
        let (base, order) = Machine.base(of: f)
        if let row = base.builtin?.activation, row.kind != .elementwise { return try ArrayFormula.text(of: row, order: order, style) }
        return try functionFormula(of: f).text(style)
    }

    /// A derivative with its formula, as it is shown: `relu'(x) = 1 if x > 0, 0 if x ≤ 0`; `nil` for what is not a derivative or has no formula.
    /// - Throws: only what ends a program: an interrupt, a limit.
    package func equation(of value: Value) throws -> String? {
        guard case .function(let f) = value, f is DerivedFunction else { return nil }
        do {
            return "\(f.signature) = \(try formulaText(of: f, .text))"
        } catch {
            try throwUnlessError(error)
            return nil
        }
    }

    /// An interrupt, a limit and the end of the program are for others.
    private func throwUnlessError(_ error: Error) throws {
        if Fault.wrap(error, self).kind != .error { throw error }
    }

    private static func base(of f: Function) -> (Function, order: Int) {
        let derived = f as? DerivedFunction
        return (derived?.base ?? f, derived?.order ?? 0)
    }

    /// A function of numbers as a formula in its first argument; arguments with a number as default stand as letters too.
    package func functionFormula(of f: Function) throws -> FunctionFormula {
        let (base, order) = Machine.base(of: f)
        if let row = base.builtin?.activation {
            guard let formula = FunctionFormula(row, order: order) else { throw FormulaError.alongAxis(row.name) }
            return formula
        }
        let literal = (base as? Closure)?.code.isLiteral ?? false, isNamed = !literal && (base is Closure || base.builtinName != nil)
        let taken = try graph(ofNumbers: base)
        let name = isNamed ? base.name : nil
        // What the program says of the slope (`with_derivative`, `stop_gradient`) is not in what it computes: then the derivative itself is read.
        if order > 0, taken.graph.hasOwnSlopes {
            let own = try graph(ofNumbers: f)
            return try FunctionFormula(reading: own.graph, own.names, name: name, isDerivative: true)
        }
        return try FunctionFormula(reading: taken.graph, taken.names, order: order, name: name)
    }

    /// The graph of a function at numbers: all that it needs, and those for which it has a number, as long as no decision hangs on those.
    private func graph(ofNumbers f: Function) throws -> (graph: Graph, names: [String]) {
        let fixed = f.parameters.prefix { !$0.isVariadic }
        let needed = fixed.filter { $0.fallback == nil }, numeric = fixed.prefix { $0.fallback == nil || Double($0.fallback ?? "") != nil }
        func taken(_ parameters: [Parameter]) throws -> (graph: Graph, names: [String]) {
            let names = parameters.isEmpty ? ["x"] : parameters.map(\.name)
            return (try graph(of: f, names.map { Graph.Argument($0) }), names)
        }
        if numeric.count > needed.count, numeric.count > 1 {
            do { return try taken(Array(numeric)) } catch { try throwUnlessError(error) }
        }
        return try taken(needed)
    }

    /// The graph of a function that holds for every value.
    /// - Throws: what `Graph.symbolic` throws.
    package func graph(of function: Function, _ arguments: [Graph.Argument], lowered: Bool = false) throws -> Graph {
        func result(_ inputs: [NDArray]) throws -> NDArray {
            let value = try self.call(function, Arguments(inputs.map { .array($0) }))
            do { return try value.differentiable(of: function) } catch MachineRefusal.noDerivative(let name, let value) {
                throw MachineRefusal.noGraph(of: name, value)
            }
        }
        return try Graph.symbolic({ [try result($0)] }, of: arguments, lowered: lowered)
    }
}
