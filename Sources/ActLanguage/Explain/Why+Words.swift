// What `why` found, in words: a note with the operation underlined and its operands beneath.

import ActArray
import ActCompiler
import ActMachine
import ActSyntax

extension Why {
    func describe(_ end: End, _ trouble: Trouble, _ subject: String) throws -> Diagnostic {
        let moment = end.point.moment
        let tree = moment.tree
        let id = moment.expression
        var labels: [Diagnostic.Label] = []
        switch tree[id] {
        case .binary, .update:
            labels.append(Diagnostic.Label(tree.operatorSpan(of: id), trouble.name, isPrimary: true))
        default: labels.append(Diagnostic.Label(tree.span(of: id), trouble.name, isPrimary: true))
        }
        for operand in moment.operands {
            if case .function = operand.value { continue }
            var element: Int?
            if let own = end.point.element, let outer = moment.value.shape, let shape = operand.value.shape {
                element = Self.element(own, of: outer, in: shape)
            }
            labels.append(Diagnostic.Label(tree.span(of: operand.expression), try describe(operand.value, element)))
        }
        var title = subject
        let text = short(tree.text(of: id))
        switch tree[id] {
        case _ where end.isForgotten: title += "; what led to it lies too far back to be known"
        case .number, .array: title += ", as it is written"
        case .name where end.unknown == nil: title += ", as it is written"
        case .name:
            if let name = end.unknown {
                title +=
                    end.isChanged ? "; `\(name)` had it, but what set `\(name)` gives something else when it runs again" : "; `\(name)` had it from the start"
            }
        default: if !subject.hasPrefix("`\(text)` is") { title += ", because of `\(text)`" }
        }
        let reader = moment.code.unit.formulas(in: moment.code.module)
        var help = try StableForm.around(id, in: reader).map { "write `\($0.replacement)` for `\($0.form.formula)`" } ?? parameters(of: moment)
        if case .name = tree[id], case .own = moment.source, end.unknown == nil, !end.isForgotten {
            title = subject
            help = "what a function did before `why` was called in it is not known: ask about the call of the function"
        }
        return Diagnostic(.explanation, title, labels: labels, notes: notes(end), help: help, callChain: moment.callChain)
    }

    /// Of a network that was called: what its parameters have to do with it.
    private func parameters(of moment: Moment) throws -> String? {
        for operand in moment.operands {
            guard case .function(let function) = operand.value, let values = try function.parameterValues() else { continue }
            if try values.first({ !$0.isFinite }) != nil {
                return "parameters of `\(moment.tree.text(of: operand.expression))` are nan or infinite: see `gradient_flow`"
            }
        }
        return nil
    }

    func notes(_ end: End) -> [String] {
        var names: [String] = []
        let renderer = DiagnosticRenderer { session.source($0) }
        for moment in end.path.reversed() {
            guard case .assign(let target, _) = moment.tree[moment.expression] else { continue }
            let place = renderer.position(of: moment.tree.span(of: target)).map { " (\($0))" } ?? ""
            let name = "`\(moment.tree.text(of: target))`" + place
            if !names.contains(name) { names.append(name) }
        }
        if names.isEmpty { return [] }
        if names.count > 4 { names.replaceSubrange(2..<names.count - 1, with: ["…"]) }
        return ["it came by way of \(names.joined(separator: ", "))"]
    }

    func short(_ text: String) -> String {
        let line = text.prefix { !$0.isNewline }
        return line.count < text.count || line.count > 40 ? line.prefix(39) + "…" : String(line)
    }

    func describe(_ value: Value, _ element: Int?) throws -> String {
        if let element, let shape = value.shape, !shape.isEmpty, let x = try value.element(element) { return Format.number(x) }
        switch value {
        case .array(let array) where array.count > 8: return ActMachine.describe(array.shape)
        case .array, .number, .bool: return short(try Format.shown(value))
        default: return value.kind
        }
    }
}
