// `:shapes EXPR`: an expression with what each part of it is beneath it.

import ActMachine
import ActSyntax

/// The diagram of what a recording of an expression noted. Numbers that are written as such and functions are left out.
func shapeDiagram(_ recording: Recording, _ tree: SyntaxTree, _ root: ExpressionID, source: @escaping (Int32) -> SourceText?) -> String {
    var values: [ExpressionID: Value] = [:]
    for position in recording.range where recording[position].frame == 0 { values[recording[position].expression] = recording[position].value }
    var labels: [Diagnostic.Label] = []
    var pending = [root]
    while let id = pending.popLast() {
        // What is inside a function is done many times, or never.
        if case .function = tree[id] { continue }
        if case .array(let elements) = tree[id], tree[elements].contains(where: { if case .array = tree[$0] { true } else { false } }) {
            // Rows that are written out need no words of their own.
        } else if case .comprehension(let node) = tree[id] {
            pending.append(tree[node].iterable)
        } else {
            tree.forEachChild(of: id) { pending.append($0) }
        }
        guard let value = values[id], let span = tree.shapeMark(of: id) else { continue }
        switch value {
        case .function, .undefined, .gathering: continue
        default: labels.append(Diagnostic.Label(span, shapeText(value)))
        }
    }
    labels.sort { $0.span.start < $1.span.start }
    return DiagnosticRenderer(source: source).diagram(labels)
}

/// `f64 (2, 3)`, `number`, `list of 2`.
private func shapeText(_ value: Value) -> String {
    if case .array(let array) = value, array.rank > 0 { return "\(array.type.name) \(describe(array.shape))" }
    return Session.kind(of: value)
}

extension SyntaxTree {
    /// Where the shape of an expression is written: beneath its operator, its function, its bracket or its name.
    fileprivate func shapeMark(of id: ExpressionID) -> Span? {
        func first(_ span: Span) -> Span { Span(source: span.source, start: span.start, end: span.start + 1) }
        switch self[id] {
        case .number,
            .unary(.negate, _) where isNumber(id):
            return nil
        case .block, .conditional, .assign, .update, .unpack, .function, .string, .bool, .none: return nil
        case .call(let callee, _):
            if case .field = self[callee] { return operatorSpan(of: callee) }
            return first(operatorSpan(of: id)).start > span(of: callee).start ? span(of: callee) : first(span(of: id))
        case .pipe, .binary, .unary, .and, .or, .compose, .prime, .field: return operatorSpan(of: id)
        case .comparison(_, let links): return self[links].first?.operatorSpan
        case .index:
            let brackets = operatorSpan(of: id)
            return Span(source: brackets.source, start: brackets.end - 1, end: brackets.end)
        case .array, .list, .record, .comprehension: return first(span(of: id))
        default: return span(of: id)
        }
    }

    private func isNumber(_ id: ExpressionID) -> Bool {
        switch self[id] {
        case .number: true
        case .unary(_, let operand): isNumber(operand)
        default: false
        }
    }
}
