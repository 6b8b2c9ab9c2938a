// Warnings, in words.

import ActArray
import ActCompiler
import ActMachine
import ActSyntax

extension RuntimeWording {
    /// - Parameter place: The running instruction if `nil`.
    package func diagnostic(for warning: RuntimeWarning, at place: SiteInCode?) -> Diagnostic {
        guard let place = place ?? machine.currentPlace else { return Diagnostic(warning.code, "something unusual happened") }
        let (code, instruction) = (place.code, place.instruction)
        switch warning {
        case .numbers(let event): return numericEvent(event, in: code, at: instruction)
        case .number(let kind, let operation, let result, let inputs): return scalarEvent(kind, operation, result, inputs, in: code, at: instruction)
        case .lostDigits(let check, let lost): return lostDigits(check, lost, in: code, at: instruction)
        case .stretchedBothSides(let operation, let left, let right): return stretch(operation, left, right)
        case .transposeOfVector: return vectorTranspose(in: code, at: instruction)
        case .softmaxOfScores(let loss):
            return Diagnostic(
                .softmaxOfScores, "`\(loss)` takes scores, and these look as if softmax had been applied", labels: [whole(code, instruction)],
                help: "leave the softmax out: it is part of `\(loss)`; or use `nll` after `log_softmax`")
        case .hiddenLayer(let layer, let function):
            return Diagnostic(
                .hiddenLayer, "the function `\(function)` holds the layer `\(layer)`, which is not trained with the network",
                labels: [whole(code, instruction)],
                help: "make it a layer: `layer Name() { part = \(layer); x -> part(x) }`; if it is meant to stay as it is, `freeze` it")
        case .gradientDiffers(let path, let position, let exact, let estimate):
            let place = position.isEmpty ? path : "\(path)[\(position.map(String.init).joined(separator: ", "))]"
            return Diagnostic(
                .gradientDiffers, "the gradient in `\(place)` is \(Format.number(exact)), and differences say \(Format.number(estimate))",
                labels: [whole(code, instruction)],
                help: "no other parameter differs more; near a kink the differences are wrong, and f32 has too few digits for them")
        case .doubtfulHeader(let doubt, let path):
            let isHeader = doubt == .takenAsHeader
            return Diagnostic(
                .doubtfulHeader, "the first row of `\(path)` holds texts and numbers: it is taken as \(isHeader ? "the names of the columns" : "data")",
                labels: [whole(code, instruction)],
                help: isHeader
                    ? "`header=true` says that it is, `header=false` that it is not" : "`header=false` says that it is, `header=true` takes names from it")
        case .missingGlyphs(let gap):
            let shown = gap.characters.prefix(12) + (gap.characters.count > 12 ? "…" : "")
            return Diagnostic(
                .missingGlyphs, "no installed font has the \(gap.script) characters `\(shown)`: the picture shows boxes in their place",
                labels: [whole(code, instruction)],
                help: "install one (Debian, Ubuntu: `apt install \(gap.package)`), or save as .svg, which is drawn with the fonts of whoever looks at it")
        }
    }

    private func whole(_ code: Code, _ instruction: Int) -> Diagnostic.Label {
        Diagnostic.Label(code.unit.tree.span(of: code.origins[instruction]), isPrimary: true)
    }

    private func numericEvent(_ event: NumericEvent, in code: Code, at instruction: Int) -> Diagnostic {
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

    private func lostDigits(_ check: FormCheck, _ lost: LostDigits, in code: Code, at instruction: Int) -> Diagnostic {
        let effect: String
        switch lost {
        case .number(let y): effect = "the result is \(Format.number(y))"
        case .elements(let count, let position, let value):
            let elements = count.map { $0 == 1 ? "1 element" : "\($0) elements" } ?? "elements"
            effect = "\(elements) with less than half of the digits right, such as \(Format.number(value)) at position \(position)"
        }
        return Diagnostic(
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

    private func scalarEvent(_ kind: NumericEvent.Kind, _ operation: String, _ result: Double, _ inputs: [Double], in code: Code, at instruction: Int)
        -> Diagnostic
    {
        kind.warning(
            calleeName(code, instruction) ?? operation, "the result is \(Format.number(result))", inputs, label(code, instruction),
            form: form(code, instruction), isNumber: true)
    }

    private func label(_ code: Code, _ instruction: Int) -> Diagnostic.Label {
        let tree = code.unit.tree
        let id = code.origins[instruction]
        switch tree[id] {
        case .binary: return Diagnostic.Label(tree.operatorSpan(of: id), "", isPrimary: true)
        default: return Diagnostic.Label(tree.span(of: id), "", isPrimary: true)
        }
    }

    private func stretch(_ operation: String, _ left: [Int], _ right: [Int]) -> Diagnostic {
        let result = (try? NDArray.broadcastShape(left, right)).map { ActMachine.describe($0) } ?? "another shape"
        var labels: [Diagnostic.Label] = []
        if let (code, id) = machine.currentOrigin {
            labels = [Diagnostic.Label(code.unit.tree.operatorSpan(of: id), "gives \(result)", isPrimary: true)]
        }
        return Diagnostic(
            .stretchedBothSides, "both sides of `\(operation)` are stretched: \(ActMachine.describe(left)) and \(ActMachine.describe(right))", labels: labels,
            help: "if that is meant, say so with `x[:, none]`; otherwise check the shapes")
    }

    private func vectorTranspose(in code: Code, at instruction: Int) -> Diagnostic {
        Diagnostic(
            .transposeOfVector, "the transpose of a vector is the vector itself", labels: [whole(code, instruction)],
            help: "`x[:, none]` is a column, `x[none, :]` a row")
    }
}

extension NumericEvent.Kind {
    fileprivate var title: String {
        switch self {
        case .overflow: "overflow"
        case .divideByZero: "division by zero"
        case .invalid: "invalid operation"
        }
    }

    fileprivate func warning(_ operation: String, _ effect: String, _ inputs: [Double], _ label: Diagnostic.Label, form: String?, isNumber: Bool = false)
        -> Diagnostic
    {
        let shown = inputs.map(Format.number)
        let isCall = operation.first.map { $0.isLetter || $0 == "_" } ?? false
        // A negative number in front of an operator means something else: -1 ^ 0.5 is -(1 ^ 0.5).
        let left = shown.first.map { $0.hasPrefix("-") ? "(\($0))" : $0 } ?? ""
        let example = isCall || shown.count != 2 ? "\(operation)(\(shown.joined(separator: ", ")))" : "\(left) \(operation) \(shown[1])"
        return Diagnostic(
            code, "\(title) in `\(operation)`: \(effect)", labels: [label], notes: shown.isEmpty ? [] : ["for example \(example)"],
            // A quotient of two numbers may be of anything.
            help: form ?? (isNumber && operation == "/" ? nil : stableForm(operation)))
    }

    /// The built-in that computes the usual expression around `operation` without leaving the numbers.
    private func stableForm(_ operation: String) -> String? {
        switch (self, operation) {
        case (.overflow, "exp"):
            "for exp(x) / sum(exp(x)) there is `softmax`, for log(sum(exp(x))) `logsumexp`, for 1 / (1 + exp(-x)) `sigmoid`, for log(1 + exp(x)) `softplus`"
        case (.divideByZero, "log"): "for log(softmax(x)) there is `log_softmax`, for log(sigmoid(x)) `log_sigmoid`, for log(1 + x) `log1p`"
        case (.invalid, "/"): "for exp(x) / sum(exp(x)) there is `softmax`, for sin(x) / x `sinc`"
        default: nil
        }
    }
}
