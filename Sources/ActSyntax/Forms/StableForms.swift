// Formulas that overflow or lose digits as they are written in books, and the built-in that computes each without that.
//
// They are looked for after a warning, around the place that warns. Digits that are lost raise no flag: forms that can lose them are found
// when a program is compiled, and the machine looks at their results.

package struct StableForm: Sendable {
    package enum Loss: Sendable {
        /// Loses no digits.
        case none
        /// The closer the result is to 0, the fewer of its digits are right. The exact result is never 0.
        case nearZero
        /// The same, but 0 is right where the variable is 0.
        case nearZeroButAtZero
    }

    /// As people write it.
    package let formula: String
    /// What to write in its place.
    package let builtin: String
    package let loss: Loss

    init(_ formula: String, _ builtin: String, loses loss: Loss = .none) {
        self.formula = formula
        self.builtin = builtin
        self.loss = loss
    }

    /// Of two that fit one expression the upper one is meant.
    static let rows: [StableForm] = [
        StableForm("log(1 / (1 + exp(-x)))", "log_sigmoid(x)", loses: .nearZero),
        StableForm("log(sigmoid(x))", "log_sigmoid(x)", loses: .nearZero),
        StableForm("log(1 - sigmoid(x))", "log_sigmoid(-x)", loses: .nearZero),
        StableForm("-log(1 + exp(-x))", "log_sigmoid(x)"),
        StableForm("log(exp(x) / sum(exp(x)))", "log_softmax(x)", loses: .nearZero),
        StableForm("log(softmax(x))", "log_softmax(x)", loses: .nearZero),
        StableForm("log(sum(exp(x)))", "logsumexp(x)"),
        StableForm("log(1 + exp(x))", "softplus(x)", loses: .nearZero),
        StableForm("log(1 + x)", "log1p(x)", loses: .nearZeroButAtZero),
        StableForm("exp(x) / sum(exp(x))", "softmax(x)"),
        StableForm("(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "tanh(x)", loses: .nearZeroButAtZero),
        StableForm("(1 - exp(-2 * x)) / (1 + exp(-2 * x))", "tanh(x)", loses: .nearZeroButAtZero),
        StableForm("2 / (1 + exp(-2 * x)) - 1", "tanh(x)", loses: .nearZeroButAtZero),
        StableForm("(exp(x) - exp(-x)) / 2", "sinh(x)", loses: .nearZeroButAtZero),
        StableForm("exp(x) / (1 + exp(x))", "sigmoid(x)"),
        StableForm("1 / (1 + exp(-x))", "sigmoid(x)"),
        StableForm("1 / (1 + exp(x))", "sigmoid(-x)"),
        StableForm("x / (1 + exp(-x))", "silu(x)"),
        StableForm("x * tanh(log(1 + exp(x)))", "mish(x)"),
        StableForm("exp(x) - 1", "expm1(x)", loses: .nearZeroButAtZero),
        StableForm("sin(x) / x", "sinc(x)"),
        StableForm("sqrt(x^2 + y^2)", "hypot(x, y)"),
    ]

    /// The rows as formulas, read from their own text when one is needed.
    private static let patterns: [(form: StableForm, pattern: WrittenFormula)] = rows.compactMap { row in
        guard let source = try? SourceText(id: -1, name: "", text: row.formula) else { return nil }
        let tree = parse(source).tree
        guard let statement = tree[tree.program].first else { return nil }
        let reader = FormulaReader(tree: tree, index: FormulaIndex(tree, Resolution(tree))) { $0 }
        return (row, reader.formula(statement.expression))
    }

    /// A form as it was met in a program.
    package struct Found {
        /// What stands for the variable of a form.
        package enum Variable { case name(ExpressionID), number(Double), other }

        package let form: StableForm
        /// What to write.
        package let replacement: String
        package let variable: Variable
        fileprivate let size: Int
    }

    /// The largest form in a tree of which the expression is a part.
    package static func around(_ id: ExpressionID, in reader: FormulaReader) -> Found? {
        var best: Found?
        for root in [id] + reader.index.users(of: id) {
            guard mayBegin(root, in: reader.tree, losing: false) else { continue }
            let formula = reader.formula(root)
            guard formula.size > best?.size ?? 0, formula.contains(id) else { continue }
            if let found = find(formula, in: reader.tree, losing: false) { best = found }
        }
        return best
    }

    /// The form that an expression is, if it is one that can lose digits.
    package static func losing(_ id: ExpressionID, in reader: @autoclosure () -> FormulaReader, _ tree: SyntaxTree) -> Found? {
        guard mayBegin(id, in: tree, losing: true) else { return nil }
        let reader = reader()
        return find(reader.formula(id, size: 64), in: tree, losing: true)
    }

    /// Whether an expression's operation is that of a form, which is quickly seen.
    private static func mayBegin(_ id: ExpressionID, in tree: SyntaxTree, losing: Bool) -> Bool {
        switch tree[id] {
        case .call(let callee, _), .pipe(_, let callee):
            switch tree[callee] {
            case .name(let name), .field(_, let name): return !losing || tree[name] == "log"
            default: return false
            }
        case .binary(.subtract, let left, let right):
            if case .number(1) = tree[right] { return isSimple(left, in: tree) }
            return false
        case .binary(.divide, let left, _):
            if !losing { return true }
            if case .binary(.subtract, _, _) = tree[left] { return true }
            if case .name = tree[left] { return true }
            return false
        case .binary(.multiply, _, _), .unary(.negate, _): return !losing
        default: return false
        }
    }

    /// Whether an expression can be one side of a form's difference; in a long chain of differences none is.
    private static func isSimple(_ id: ExpressionID, in tree: SyntaxTree) -> Bool {
        switch tree[id] {
        case .call, .pipe, .name, .binary(.divide, _, _), .binary(.power, _, _): true
        default: false
        }
    }

    private static func find(_ formula: WrittenFormula, in tree: SyntaxTree, losing: Bool) -> Found? {
        for (form, pattern) in patterns where !losing || form.loss != .none {
            guard let variables = pattern.match(formula) else { continue }
            return Found(form: form, replacement: form.replacement(variables, tree), variable: variable(variables["x"], tree), size: formula.size)
        }
        return nil
    }

    private static func variable(_ formula: WrittenFormula?, _ tree: SyntaxTree) -> Found.Variable {
        guard let formula else { return .other }
        if case .name = tree[formula.origin] { return .name(formula.origin) }
        if case .number(let number) = formula.head { return .number(number) }
        return .other
    }

    /// The built-in with the program's own expressions in it.
    private func replacement(_ variables: [String: WrittenFormula], _ tree: SyntaxTree) -> String {
        var result = ""
        var word = ""
        func finish(_ next: Character?) {
            if let variable = variables[word] {
                var text = tree.text(of: variable.origin)
                if text.utf8.count > 40 || text.contains(where: \.isNewline) { text = word }
                if result.hasSuffix("-") {
                    // -(-2 * x) is 2 * x.
                    if variable.head == .apply("*"), case .number(..<0)? = variable.arguments.first?.head, text.hasPrefix("-") {
                        result.removeLast()
                        text.removeFirst()
                    } else if !text.allSatisfy({ $0.isLetter || $0.isNumber || "_.".contains($0) }) {
                        text = "(\(text))"
                    }
                }
                result += text
            } else {
                result += word
            }
            word = ""
            if let next { result.append(next) }
        }
        for character in builtin {
            if character.isLetter || character.isNumber || character == "_" { word.append(character) } else { finish(character) }
        }
        finish(nil)
        return result
    }
}
