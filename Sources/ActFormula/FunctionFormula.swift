// A function as a formula: its text in four styles, and the way to its derivative.

import ActGrad

/// How a formula is written.
package enum FormulaStyle: String, CaseIterable, Sendable {
    case text, latex, mathml, act
}

package struct FunctionFormula {
    package let algebra: Algebra
    /// That in which derivatives are taken.
    package let variable: Term
    /// What a derivative is made from.
    let term: Term
    /// What stands for it before any derivative is taken, where that is something else.
    let definition: Term
    /// How often it is differentiated.
    let order: Int
    /// What the function is called in formulas.
    let name: String
    /// A call of it in a program; `nil` where it has no name there.
    let call: Term?
    /// Whether its derivative is not that of its formula.
    private var hasOwnSlopes = false

    /// - Parameters:
    ///   - name: What the function is called, if it is: else it is f.
    ///   - parameters: What a program passes besides the variable.
    package init(
        _ term: Term, definition: Term? = nil, variable: Term, order: Int = 0, name: String? = nil, programName: String? = nil, parameters: [Term] = []
    ) {
        (algebra, self.variable, self.term, self.order) = (term.algebra, variable, term, order)
        self.definition = definition ?? term
        self.name = name ?? "f"
        call = (programName ?? name).map { term.algebra.call(.own($0, primes: 0), [variable] + parameters) }
    }

    /// An elementwise row, its parameters standing as letters; `nil` for a row of another kind.
    package init?(_ row: ActivationRow, order: Int = 0) {
        let algebra = Algebra(), x = algebra.symbol("x"), parameters = row.parameters.map { algebra.symbol($0.name) }
        guard let term = algebra.value(of: row, [x] + parameters) else { return nil }
        self.init(
            term, definition: algebra.definition(of: row, [x] + parameters), variable: x, order: order, name: row.name == "sigmoid" ? "σ" : row.name,
            programName: row.name, parameters: parameters)
    }

    /// What a graph of numbers computes.
    /// - Parameter isDerivative: Whether it is a derivative itself, of which no further one is taken.
    /// - Throws: `FormulaPart`, `FormulaError`.
    package init(reading graph: Graph, _ names: [String], order: Int = 0, name: String?, isDerivative: Bool = false) throws {
        let algebra = Algebra(variable: names[0]), inputs = names.map { algebra.symbol($0) }
        let value = try algebra.value(of: graph, inputs)
        self.init(
            isDerivative ? algebra.shortest(value) : value, variable: inputs[0], order: order, name: name, parameters: Array(inputs.dropFirst()))
        hasOwnSlopes = isDerivative || graph.hasOwnSlopes
    }

    // MARK: The formula

    /// The right-hand side.
    /// - Throws: `FormulaError`.
    package func text(_ style: FormulaStyle) throws -> String { try write(result(style), style) }

    private func derivative(_ order: Int) -> Term {
        var result = term
        for _ in 0..<order { result = algebra.derivative(of: result, in: variable) }
        return result
    }

    private func result(_ style: FormulaStyle) throws -> Term {
        if order == 0 { return style == .act ? term : definition }
        let best = try shortest(derivative(order), style)
        try algebra.check()
        return best
    }

    /// The shortest form of a derivative, in terms of the function itself where that is shorter.
    private func shortest(_ derivative: Term, _ style: FormulaStyle) throws -> Term {
        var best = algebra.shortest(derivative)
        let own = style == .act ? call : algebra.call(.own(name, primes: 0), [variable])
        guard let own else { return best }
        let plain = try write(best, style).count
        var length = plain
        for candidate in algebra.reusing(term, as: own, in: derivative) {
            let short = algebra.shortest(candidate), other = try write(short, style).count
            // What is in terms of the function alone is taken before what is a little shorter.
            if other < length || other < plain && !algebra.appears(variable, in: short, besides: own) { (best, length) = (short, other) }
        }
        return best
    }

    private func write(_ term: Term, _ style: FormulaStyle) throws -> String {
        try algebra.check()
        let laidOut = try Layout.of(term, variable: variable, isProgram: style == .act)
        switch style {
        case .text: return TextWriter.text(laidOut)
        case .latex: return LatexWriter.text(laidOut)
        case .mathml: return MathMLWriter.text(laidOut)
        case .act: return ProgramWriter.text(laidOut, variable: variableName)
        }
    }

    private var variableName: String { if case .symbol(let name) = variable.node { name } else { "x" } }

    // MARK: The way to it

    /// Lines from (f)′ to the derivative, each with the rule that led to it.
    /// - Throws: `FormulaError`.
    package func derivation(_ style: FormulaStyle) throws -> String {
        if hasOwnSlopes { throw FormulaError.ownSlope }
        let start = algebra.shortest(derivative(order))
        var steps = try algebra.derivation(of: start, in: variable)
        if order == 0, let last = steps.last?.term {
            let best = try shortest(algebra.derivative(of: term, in: variable), style)
            if best != last, try write(best, style).count < write(last, style).count { steps.append(DerivationStep(term: best, rule: "in terms of \(name)")) }
        }
        try algebra.check()
        let left = "\(name)\(String(repeating: "'", count: order + 1))(\(variableName))"
        switch style {
        case .text, .act:
            let lines = try steps.map { (text: try write($0.term, style), rule: $0.rule) }
            let width = min(lines.map(\.text.count).max() ?? 0, 72)
            return lines.enumerated().map { position, line in
                let start =
                    (position == 0 && style == .text ? left : String(repeating: " ", count: style == .text ? left.count : 0)) + (style == .text ? " = " : "")
                let rest = String(repeating: " ", count: max(0, width - line.text.count))
                return start + line.text + (line.rule.map { "\(rest)   # \($0)" } ?? "")
            }.joined(separator: "\n")
        case .latex: return LatexWriter.lines(left, try steps.map { (try write($0.term, .latex), $0.rule) })
        case .mathml:
            return MathMLWriter.lines(
                left, try steps.map { (MathMLWriter.row(try Layout.of($0.term, variable: variable, isProgram: false)), $0.rule) })
        }
    }
}
