// Formulas that overflow or lose digits as they are written in books, and the built-in that computes each without that.
//
// They are looked for when something has happened: after a warning, around the place that warns. Digits that are lost raise no flag, so
// forms that can lose them are found when a program is compiled, and their results, as they are, are looked at (`.checkForm`).

import ActArray
import ActSyntax

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
    private static let patterns: [(form: StableForm, pattern: Formula)] = rows.compactMap { row in
        guard let source = try? SourceText(id: -1, name: "", text: row.formula) else { return nil }
        let tree = parse(source).tree
        guard let statement = tree[tree.program].first else { return nil }
        let reader = FormulaReader(tree: tree, index: FormulaIndex(tree, Resolution(tree))) { $0 }
        return (row, reader.formula(statement.expression))
    }

    /// A form as it was met in a program.
    package struct Found {
        package let form: StableForm
        let expression: ExpressionID
        /// What stands for the names of the form.
        let variables: [String: Formula]
        /// What to write.
        package let replacement: String
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
    static func losing(_ id: ExpressionID, in reader: @autoclosure () -> FormulaReader, _ tree: SyntaxTree) -> Found? {
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

    private static func find(_ formula: Formula, in tree: SyntaxTree, losing: Bool) -> Found? {
        for (form, pattern) in patterns where !losing || form.loss != .none {
            guard let variables = pattern.match(formula) else { continue }
            return Found(
                form: form, expression: formula.origin, variables: variables, replacement: form.replacement(variables, tree), size: formula.size)
        }
        return nil
    }

    /// The built-in with the program's own expressions in it.
    private func replacement(_ variables: [String: Formula], _ tree: SyntaxTree) -> String {
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

/// What `.checkForm` looks at: a form, and where the value of its variable is, if it still is somewhere.
package struct FormCheck {
    enum Variable {
        case register(Int)
        case global(Int)
        case number(Double)
        case gone
    }
    package let form: StableForm
    package let replacement: String
    let variable: Variable
}

extension Machine {
    /// Below this a result that is a difference from 1 has lost half of its digits: the root of the distance between numbers at 1.
    static func lossLimit(_ type: ElementType) -> Double { type == .f32 ? 3.4e-4 : 1.5e-8 }
    /// Of larger arrays as many elements are looked at, evenly spread.
    private static let sampleCount = 4096

    /// An array whose elements are not there yet, to be looked at once they are, if anyone still has it then.
    struct PendingForm {
        weak var result: Node?
        weak var variable: Node?
        let check: FormCheck
        let site: SiteInCode
    }

    /// Looks whether the result of a form has lost digits. Values that a derivative traces are looked at when they are values.
    func checkForm(_ check: FormCheck, _ result: Value, _ registers: Registers, _ globals: Registers) throws {
        let site = currentSite
        guard warns, !warned.contains(WarnedPlaces.Key(site: site.id, code: .lostDigits)), let place = Engine.current.sites.find(site)
        else { return }
        let variable: Value =
            switch check.variable {
            case .register(let register): registers[register]
            case .global(let slot): globals[slot]
            case .number(let number): .number(number)
            case .gone: .none
            }
        let here = SiteInCode(code: place.code, instruction: place.instruction, site: site)
        switch result {
        case .number(let y):
            var isLost = y != 0 || check.form.loss == .nearZero
            if y == 0, case .number(let x) = variable { isLost = isLost || x != 0 }
            if isLost { try warn(.lostDigits(check, .number(y)), at: here) }
        case .array(let y) where !y.isTraced && y.type != .bool && y.count > 0:
            if y.isAbstract { return AbstractRun.current?.spoil() ?? () }
            var x: NDArray?
            if case .array(let array) = variable, array.shape == y.shape { x = array }
            if y.isEvaluated { return try look(check, here, y.node, x?.node) }
            if pendingForms.count < 100 {
                pendingForms.append(PendingForm(result: y.node, variable: x?.node, check: check, site: here))
            }
        default: break
        }
    }

    /// Looks at what has been computed since.
    func checkPendingForms() throws {
        if pendingForms.isEmpty { return }
        let pending = pendingForms
        pendingForms = []
        for form in pending {
            guard let result = form.result else { continue }
            guard result.layout != nil else {
                pendingForms.append(form)
                continue
            }
            try look(form.check, form.site, result, form.variable)
        }
    }

    private func look(_ check: FormCheck, _ site: SiteInCode, _ result: Node, _ variable: Node?) throws {
        guard let base = result.elements else { return }
        let inputs = variable?.type == result.type ? variable?.elements : nil
        let limit = Self.lossLimit(result.type)
        let step = max(1, result.count / Self.sampleCount)
        var count = 0
        var first: (position: Int, value: Double)?
        for position in stride(from: 0, to: result.count, by: step) {
            let y = Self.element(base, result.type, position)
            guard y.magnitude < limit else { continue }
            if y == 0, check.form.loss == .nearZeroButAtZero {
                guard let inputs, Self.element(inputs, result.type, position) != 0 else { continue }
            }
            count += 1
            if first == nil { first = (position, y) }
        }
        guard let first else { return }
        try warn(.lostDigits(check, .elements(count: step > 1 ? nil : count, position: first.position, value: first.value)), at: site)
    }

    private static func element(_ base: UnsafeRawPointer, _ type: ElementType, _ i: Int) -> Double {
        type == .f32 ? Double(base.load(fromByteOffset: i &* 4, as: Float.self)) : base.load(fromByteOffset: i &* 8, as: Double.self)
    }
}
