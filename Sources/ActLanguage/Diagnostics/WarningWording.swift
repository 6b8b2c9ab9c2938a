// Warnings, in words.

import ActArray
import ActSyntax

extension RuntimeWording {
    func numericEvent(_ event: NumericEvent, in code: Code, at instruction: Int) -> Diagnostic {
        let elements = event.count == 1 ? "1 element" : "\(event.count) elements"
        // What happens in a function is said of the function, by the name that the program has for it.
        let operation = calleeName(code, instruction) ?? event.operation
        return event.kind.warning(
            operation, "\(elements) became \(event.kind == .invalid ? "nan" : "infinite"), the first at position \(event.first)",
            event.example, label(code, instruction), form: form(code, instruction))
    }

    /// The formula around the place that a built-in computes better.
    private func form(_ code: Code, _ instruction: Int) -> String? {
        StableForm.around(code.origins[instruction], in: code.unit.formulas(in: code.module)).map { help($0.form, $0.replacement) }
    }

    private func help(_ form: StableForm, _ replacement: String) -> String {
        "write `\(replacement)`: it computes `\(form.formula)` without \(form.loss == .none ? "overflow" : "overflow and to the last digit")"
    }

    func lostDigits(_ check: FormCheck, _ effect: String, in code: Code, at instruction: Int) -> Diagnostic {
        Diagnostic(
            .lostDigits, "digits are lost in `\(check.form.formula)`: \(effect)", labels: [label(code, instruction)],
            help: "write `\(check.replacement)`, which keeps them",
            edits: [.init(code.unit.tree.span(of: code.origins[instruction]), check.replacement)])
    }

    /// Of an operation inside a function what the program calls; `nil` for one that stands in the program as such.
    private func calleeName(_ code: Code, _ instruction: Int) -> String? {
        let tree = code.unit.tree
        switch tree[code.origins[instruction]] {
        case .call(let callee, _), .pipe(_, let callee):
            switch tree[callee] {
            case .name(let name), .field(_, let name): return tree[name]
            default:
                let text = tree.text(of: callee)
                return text.utf8.count <= 40 && !text.contains(where: \.isNewline) ? text : nil
            }
        default: return nil
        }
    }

    func scalarEvent(_ kind: NumericEvent.Kind, _ operation: String, _ result: Double, _ inputs: [Double], in code: Code, at instruction: Int) -> Diagnostic {
        kind.warning(
            calleeName(code, instruction) ?? operation, "the result is \(Format.number(result))", inputs, label(code, instruction), form: form(code, instruction))
    }

    private func label(_ code: Code, _ instruction: Int) -> Diagnostic.Label {
        let tree = code.unit.tree
        let id = code.origins[instruction]
        switch tree[id] {
        case .binary: return Diagnostic.Label(tree.operatorSpan(of: id), "", isPrimary: true)
        default: return Diagnostic.Label(tree.span(of: id), "", isPrimary: true)
        }
    }

    func stretch(_ operation: String, _ left: [Int], _ right: [Int]) -> Diagnostic {
        let result = (try? NDArray.broadcastShape(left, right)).map { ActLanguage.describe($0) } ?? "another shape"
        var labels: [Diagnostic.Label] = []
        if let (code, id) = machine.currentOrigin {
            labels = [Diagnostic.Label(code.unit.tree.operatorSpan(of: id), "gives \(result)", isPrimary: true)]
        }
        return Diagnostic(
            .stretchedBothSides, "both sides of `\(operation)` are stretched: \(ActLanguage.describe(left)) and \(ActLanguage.describe(right))", labels: labels,
            help: "if that is meant, say so with `x[:, none]`; otherwise check the shapes")
    }

    func vectorTranspose() -> Diagnostic {
        var labels: [Diagnostic.Label] = []
        if let (code, id) = machine.currentOrigin { labels = [Diagnostic.Label(code.unit.tree.span(of: id), "", isPrimary: true)] }
        return Diagnostic(
            .transposeOfVector, "the transpose of a vector is the vector itself", labels: labels, help: "`x[:, none]` is a column, `x[none, :]` a row")
    }
}

extension NumericEvent.Kind {
    var code: Diagnostic.Code {
        switch self {
        case .overflow: .overflow
        case .divideByZero: .divisionByZero
        case .invalid: .invalidOperation
        }
    }

    fileprivate var title: String {
        switch self {
        case .overflow: "overflow"
        case .divideByZero: "division by zero"
        case .invalid: "invalid operation"
        }
    }

    fileprivate func warning(_ operation: String, _ effect: String, _ inputs: [Double], _ label: Diagnostic.Label, form: String?) -> Diagnostic {
        let shown = inputs.map(Format.number)
        let isCall = operation.first.map { $0.isLetter || $0 == "_" } ?? false
        // A negative number in front of an operator means something else: -1 ^ 0.5 is -(1 ^ 0.5).
        let left = shown.first.map { $0.hasPrefix("-") ? "(\($0))" : $0 } ?? ""
        let example = isCall || shown.count != 2 ? "\(operation)(\(shown.joined(separator: ", ")))" : "\(left) \(operation) \(shown[1])"
        return Diagnostic(
            code, "\(title) in `\(operation)`: \(effect)", labels: [label], notes: shown.isEmpty ? [] : ["for example \(example)"],
            help: form ?? stableForm(operation))
    }

    /// The built-in that computes the usual expression around `operation` without leaving the numbers.
    private func stableForm(_ operation: String) -> String? {
        switch (self, operation) {
        case (.overflow, "exp"): "for exp(x) / sum(exp(x)) there is `softmax`, for log(sum(exp(x))) `logsumexp`, for 1 / (1 + exp(-x)) `sigmoid`, for log(1 + exp(x)) `softplus`"
        case (.divideByZero, "log"): "for log(softmax(x)) there is `log_softmax`, for log(sigmoid(x)) `log_sigmoid`, for log(1 + x) `log1p`"
        case (.invalid, "/"): "for exp(x) / sum(exp(x)) there is `softmax`, for sin(x) / x `sinc`"
        default: nil
        }
    }
}
