// Where something went wrong: the parts of the source that a diagnostic points at, the calls that led there, and the edits that would mend it.
// The place is the expression that was running.

import ActCompiler
import ActMachine
import ActPlot
import ActSyntax

extension RuntimeWording {
    var place: (tree: SyntaxTree, expression: ExpressionID)? {
        given ?? machine.currentOrigin.map { ($0.code.unit.tree, $0.expression) }
    }

    /// The operator with its operands, or the argument, or the whole expression.
    func labels(for error: Error, _ operands: (Value, Value)?) -> [Diagnostic.Label] {
        guard let (tree, id) = place else { return [] }
        if case RuntimeError.badArgument(_, let name, let index, _, let found) = error, let span = argumentSpan(tree, id, index, name) {
            return [Diagnostic.Label(span, "this is \(found.number.map(Format.number) ?? found.kind)", isPrimary: true)]
        }
        if case FigureError.unknownColor(let color) = error, let span = colorSpan(tree, id, color) { return [Diagnostic.Label(span, "", isPrimary: true)] }
        if case RuntimeError.notACondition = error { return [Diagnostic.Label(tree.span(of: id), "", isPrimary: true)] }
        if case RuntimeError.operand(let symbol, _) = error, symbol == "and" || symbol == "or" {
            if case .and(let left, _) = tree[id] { return [Diagnostic.Label(tree.span(of: left), "", isPrimary: true)] }
            if case .or(let left, _) = tree[id] { return [Diagnostic.Label(tree.span(of: left), "", isPrimary: true)] }
        }
        switch tree[id] {
        case .assign(let target, _), .update(_, let target, _):
            if case RuntimeError.unknownName = error { return [Diagnostic.Label(tree.span(of: tree.root(of: target)), "", isPrimary: true)] }
            if case RuntimeError.noField = error { return [Diagnostic.Label(tree.operatorSpan(of: target), "", isPrimary: true)] }
        case .binary(_, let left, let right), .compose(let left, let right):
            return [
                Diagnostic.Label(tree.operatorSpan(of: id), "", isPrimary: true),
                Diagnostic.Label(tree.span(of: left), operands.map { note($0.0, isLeft: true, error) } ?? ""),
                Diagnostic.Label(tree.span(of: right), operands.map { note($0.1, isLeft: false, error) } ?? ""),
            ]
        case .comparison(let first, let links) where tree[links].count == 1:
            guard let link = tree[links].first else { break }
            return [
                Diagnostic.Label(link.operatorSpan, "", isPrimary: true), Diagnostic.Label(tree.span(of: first)),
                Diagnostic.Label(tree.span(of: link.operand)),
            ]
        case .field: return [Diagnostic.Label(tree.operatorSpan(of: id), "", isPrimary: true)]
        case .pipe(_, let callee) where isAboutCallee(error): return [Diagnostic.Label(tree.span(of: callee), "", isPrimary: true)]
        case .forLoop(let loop):
            if case RuntimeError.unpackCount = error { return [Diagnostic.Label(tree.span(of: tree[loop].iterable), "", isPrimary: true)] }
        case .comprehension(let node):
            if case RuntimeError.unpackCount = error { return [Diagnostic.Label(tree.span(of: tree[node].iterable), "", isPrimary: true)] }
        case .call(let callee, _):
            if isAboutCallee(error) { return [Diagnostic.Label(tree.span(of: callee), "", isPrimary: true)] }
            if case RuntimeError.noField = error { return [Diagnostic.Label(tree.operatorSpan(of: callee), "", isPrimary: true)] }
        default: break
        }
        return [Diagnostic.Label(tree.span(of: id), "", isPrimary: true)]
    }

    /// The name that is being read, for messages.
    var variable: String {
        guard let (tree, id) = place, case .name(let name) = tree[id] else { return "this variable" }
        return "`\(tree[name])`"
    }

    var calleeName: String? {
        guard let (tree, id) = place, case .call(let callee, _) = tree[id], case .name(let name) = tree[callee] else { return nil }
        return tree[name]
    }

    /// The function that was called, as the program names it: by the call, unless a built-in calls what it was handed.
    func called(_ function: String) -> (text: String, isHandedOver: Bool) {
        guard let callee = calleeName, callee != function else { return ("`\(function)`", false) }
        guard case .function(let named)? = machine.currentOrigin?.code.module.meaning(of: callee) else { return ("`\(function)`", false) }
        if named.name == function { return ("`\(callee)`", false) }
        return named.builtin == nil ? ("`\(function)`", false) : ("`\(function)`, which `\(callee)` calls,", true)
    }

    /// The name before the brackets of `f(…)` or `x.f(…)`, and whether it is a function's own.
    var calledName: (name: String, isOwn: Bool)? {
        guard let origin = machine.currentOrigin, let (tree, id) = place, case .call(let callee, _) = tree[id] else { return nil }
        let name: String
        switch tree[callee] {
        case .name(let id), .field(_, let id): name = tree[id]
        default: return nil
        }
        let resolution = origin.code.unit.resolution, symbol = resolution.symbol(of: callee).map { resolution[$0].kind }
        return (name, symbol.map { if case .global = $0 { false } else { true } } ?? false)
    }

    var isInLoop: Bool {
        guard let (tree, id) = place else { return false }
        switch tree[id] {
        case .forLoop, .comprehension: return true
        default: return false
        }
    }

    /// What is wrong is the function that a call names.
    func isAboutCallee(_ error: Error) -> Bool {
        switch error {
        case RuntimeError.notCallable, RuntimeError.unknownName: true
        default: false
        }
    }

    func argumentSpan(_ tree: SyntaxTree, _ id: ExpressionID, _ index: Int, _ name: String) -> Span? {
        guard case .call(let callee, let run) = tree[id] else { return nil }
        let arguments = Array(tree[run])
        if let named = arguments.first(where: { $0.name.map { tree[$0] } == name }) { return tree.span(of: named.value) }
        var position = index
        if case .field(let object, _) = tree[callee] {
            if position == 0 { return tree.span(of: object) }
            position -= 1
        }
        guard arguments.indices.contains(position), arguments[position].name == nil else { return nil }
        return tree.span(of: arguments[position].value)
    }

    /// The argument that names a colour.
    func colorSpan(_ tree: SyntaxTree, _ id: ExpressionID, _ color: String) -> Span? {
        guard case .call(_, let arguments) = tree[id] else { return nil }
        let holder = tree[arguments].first { argument in
            var pending = [argument.value]
            while let next = pending.popLast() {
                if case .string(let text) = tree[next], tree[text] == color { return true }
                tree.forEachChild(of: next) { pending.append($0) }
            }
            return false
        }
        return holder.map { tree.span(of: $0.value) }
    }

    func callChain() -> [Diagnostic.Call] {
        var chain: [Diagnostic.Call] = []
        let frames = machine.frames
        guard frames.count > 1 else { return [] }
        for index in stride(from: frames.count - 1, to: 0, by: -1) {
            let code = frames[index].code.takeUnretainedValue()
            let caller = frames[index - 1].code.takeUnretainedValue()
            guard !code.prototype.isArgument, let site = frames[index].callSite, let origin = caller.origin(of: site) else { continue }
            chain.append(Diagnostic.Call(name: code.isClosure ? code.name : code.unit.source.name, span: caller.unit.tree.span(of: origin)))
            // A long recursion is told by its ends.
            if chain.count == 8, index > 4 { return chain }
        }
        return chain
    }

    /// The edit that replaces the name that is being read or called.
    /// - Parameter rest: of how many bytes after it.
    func replacingName(by replacement: String, and rest: Int = 0) -> [Diagnostic.Edit] {
        guard let (tree, id) = place else { return [] }
        let name: ExpressionID =
            switch tree[id] {
            case .call(let callee, _), .pipe(_, let callee): callee
            case .assign(let target, _), .update(_, let target, _): tree.root(of: target)
            default: id
            }
        guard case .name = tree[name] else { return [] }
        var span = tree.span(of: name)
        span.end += Int32(truncatingIfNeeded: rest)
        return [.init(span, replacement)]
    }

    /// The edit that replaces the name of a field that is being read or called.
    func replacingField(by replacement: String) -> [Diagnostic.Edit] {
        guard let (tree, id) = place else { return [] }
        var field = id
        if case .call(let callee, _) = tree[id] { field = callee }
        guard case .field = tree[field] else { return [] }
        return [.init(tree.operatorSpan(of: field), replacement)]
    }

    /// The edit that replaces the name of an argument of the running call.
    func replacingArgumentName(_ name: String, by replacement: String) -> [Diagnostic.Edit] {
        guard let (tree, id) = place, case .call(_, let arguments) = tree[id] else { return [] }
        let argument = tree[arguments].first { $0.name.map { tree[$0] } == name }
        return argument.map { [.init($0.nameSpan, replacement)] } ?? []
    }

    /// The name after the point, as in `np.exp`.
    var fieldAfterName: String? {
        guard let source = textAfterName, source.first == "." else { return nil }
        let field = source.dropFirst().prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return field.isEmpty ? nil : String(field)
    }

    /// What follows the name that is being read or called.
    var textAfterName: Substring? {
        guard let (tree, id) = place else { return nil }
        var name = id
        if case .call(let callee, _) = tree[id] { name = callee }
        guard case .name = tree[name] else { return nil }
        let end = Int(tree.span(of: name).end)
        return tree.source.text(end..<tree.source.bytes.count).prefix(64)
    }

    /// The variables of the functions and comprehensions around the place.
    var locals: [String] {
        guard let (code, id) = machine.currentOrigin else { return [] }
        let (tree, resolution) = (code.unit.tree, code.unit.resolution)
        let visible = resolution.symbols(visibleAt: Int(tree.span(of: id).start))
        return visible.filter { resolution[$0].kind != .global }.map { tree[resolution[$0].name] }
    }
}
