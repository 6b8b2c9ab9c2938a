// Formulas of functions along an axis, by indices, as rows state them.

import ActGrad

package struct ArrayFormula {
    package let value: Term
    /// Row i, column j of the Jacobian.
    package let derivative: Term

    /// The text of a row or its derivative.
    /// - Throws: `FormulaError`.
    package static func text(of row: ActivationRow, order: Int, _ style: FormulaStyle) throws -> String {
        let algebra = Algebra()
        if style == .act, order < 2 { return row.name + (order == 0 ? "" : "'") + "(x)" }
        guard order < 2 else { throw FormulaError.alongAxis(row.name) }
        guard let stated = of(row, in: algebra) else {
            guard style == .text else { throw FormulaError.style(style.rawValue, of: row.name) }
            return (order == 0 ? row.stated?.value : row.stated?.derivative) ?? ""
        }
        return try FunctionFormula(order == 0 ? stated.value : stated.derivative, variable: algebra.symbol("x")).text(style)
    }

    /// `nil` for a row that states none.
    package static func of(_ row: ActivationRow, in algebra: Algebra) -> ArrayFormula? {
        let x = algebra.symbol("xᵢ"), all = algebra.call(.total, [algebra.call(.exp, [algebra.symbol("xⱼ")])])
        let (p, q, unit) = (algebra.symbol("pᵢ"), algebra.symbol("pⱼ"), algebra.symbol("δᵢⱼ"))
        switch row.name {
        case "softmax": return ArrayFormula(value: algebra.call(.exp, [x]) / all, derivative: p * (unit - q))
        case "softmin":
            let all = algebra.call(.total, [algebra.call(.exp, [-algebra.symbol("xⱼ")])])
            return ArrayFormula(value: algebra.call(.exp, [-x]) / all, derivative: p * (q - unit))
        case "log_softmax": return ArrayFormula(value: x - algebra.call(.log, [all]), derivative: unit - q)
        default: return nil
        }
    }
}

extension ActivationRow {
    /// The definition and its derivative as help prints them.
    package var formulas: (value: String, derivative: String) {
        func text(_ order: Int) -> String {
            if kind != .elementwise { return (try? ArrayFormula.text(of: self, order: order, .text)) ?? "" }
            return FunctionFormula(self, order: order).flatMap { try? $0.text(.text) } ?? ""
        }
        return (text(0), text(1))
    }
}
