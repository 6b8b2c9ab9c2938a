// What is certainly wrong with a program, or certainly of no use, before it runs: names that nothing gives a value, calls that cannot be, what functions
// assign and never read.
//
// What must stay true: no false alarm. Only what a name means wherever the call runs is looked at: a built-in that the program never assigns, a
// function that it defines once. Whatever a value decides (`r.f(x)` with a field `f`, a function in a variable) is passed over.

import ActArray
import ActBuiltins
import ActCompiler
import ActMachine
import ActSyntax
import ActWording

struct ProgramCheck {
    private let tree: SyntaxTree
    private let resolution: Resolution
    private let builtins: BuiltinTable
    /// By symbol: where it gets a value or loses it.
    private var definitions: [[Definition]]
    /// By symbol: whether anything reads it.
    private var isRead: [Bool]

    /// - Parameter unit: Of a program without syntax errors.
    init(_ unit: SourceUnit, _ builtins: BuiltinTable) {
        tree = unit.tree
        resolution = unit.resolution
        self.builtins = builtins
        definitions = Array(repeating: [], count: resolution.symbols.count)
        for definition in resolution.definitions { definitions[Int(definition.symbol.index)].append(definition) }
        isRead = Array(repeating: false, count: resolution.symbols.count)
        noteReads()
    }

    /// As far as Ctrl-C lets it look.
    var found: FoundDiagnostics {
        var found = unknownNames
        found += calls
        found += unusedAssignments
        return found
    }

    private mutating func noteReads() {
        var isTarget = [Bool](repeating: false, count: tree.expressions.count)
        func note(_ target: ExpressionID) { isTarget[Int(tree.root(of: target).index)] = true }
        for id in tree.expressionIDs {
            switch tree[id] {
            case .assign(let target, _), .update(_, let target, _): note(target)
            case .unpack(let targets, _): tree[targets].forEach(note)
            default: break
            }
        }
        for id in tree.expressionIDs where !isTarget[Int(id.index)] {
            switch tree[id] {
            // `v.f(x)` may be a call of `f`.
            case .name, .field: if let symbol = resolution.symbol(of: id) { isRead[Int(symbol.index)] = true }
            default: break
            }
        }
    }

    // MARK: Names

    /// What every module starts with.
    private static let given: Set<String> = ["args", "ans"]

    private var unknownNames: FoundDiagnostics {
        var found = FoundDiagnostics(), near: (scope: ScopeID, names: [String])?
        for (name, id) in resolution.unset(in: tree) where !Self.given.contains(name) && builtins.value(named: name) == nil {
            if Interrupt.isSet { break }
            let offset = Int(tree.span(of: id).start), scope = resolution.scope(at: offset)
            // Most stand where the last one does.
            if near?.scope != scope { near = (scope, builtins.names + visibleNames(at: offset)) }
            found.add(unknown(name, at: id, among: near?.names ?? []))
        }
        return found
    }

    private func unknown(_ name: String, at id: ExpressionID, among near: [String]) -> Diagnostic {
        let span = tree.span(of: id), after = tree.source.text(Int(span.end)..<Int(span.end) + 200)
        let field = after.first == "." ? String(after.dropFirst().prefix { $0.isLetter || $0.isNumber || $0 == "_" }) : ""
        let words = NameWording.unknown(name, field: field.isEmpty ? nil : field, isCalled: after.first == "(", among: near)
        var replaced = span
        if words.takesField { replaced.end += Int32(truncatingIfNeeded: 1 + field.utf8.count) }
        var diagnostic = Diagnostic(
            .unknownName, words.title.text, at: span, help: words.help?.text, edits: words.replacement.map { [.init(replaced, $0)] } ?? [])
        diagnostic.alternatives = words.alternatives
        return diagnostic
    }

    private func visibleNames(at offset: Int) -> [String] {
        resolution.symbols(visibleAt: offset).filter { !definitions[Int($0.index)].isEmpty }.map { tree[resolution[$0].name] }
    }

    // MARK: Calls

    /// A function of which all calls are known to mean it.
    private func callee(_ id: ExpressionID) -> Callee? {
        guard case .name = tree[id], let symbol = resolution.symbol(of: id) else { return nil }
        let name = tree[resolution[symbol].name], definitions = definitions[Int(symbol.index)]
        let builtin = builtins.value(named: name)
        if definitions.isEmpty {
            guard resolution[symbol].kind == .global, case .function(let function)? = builtin else { return nil }
            return function.builtinFunction.map { Callee($0) }
        }
        // Calls above the definition would mean the built-in.
        guard definitions.count == 1, builtin == nil || resolution[symbol].kind != .global else { return nil }
        let function: FunctionID
        switch definitions[0].kind {
        case .function(let id): function = id
        case .value(let value):
            guard case .function(let id) = tree[value] else { return nil }
            function = id
        default: return nil
        }
        return Callee(function, named: name, tree)
    }

    private var calls: FoundDiagnostics {
        var found = FoundDiagnostics()
        for id in tree.expressionIDs where !Interrupt.isSet {
            let fault =
                switch tree[id] {
                case .call(let callee, let arguments): fault(callee, id) { tree[arguments].map { ($0.name.map { tree[$0] }, $0.nameSpan) } }
                case .pipe(let value, let callee): fault(callee, id) { [(nil, tree.span(of: value))] }
                default: nil as Diagnostic?
                }
            if let fault { found.add(fault) }
        }
        return found
    }

    private func fault(_ callee: ExpressionID, _ id: ExpressionID, _ arguments: () -> [Callee.Argument]) -> Diagnostic? {
        self.callee(callee).flatMap { $0.fault(of: arguments(), at: tree.span(of: id)) }
    }

    // MARK: Assignments

    private var unusedAssignments: FoundDiagnostics {
        var found = FoundDiagnostics()
        for index in resolution.symbols.indices where !Interrupt.isSet {
            let symbol = resolution.symbols[index], name = tree[symbol.name]
            guard symbol.kind == .local, !isRead[index], !name.hasPrefix("_"), let first = definitions[index].first else { continue }
            guard case .function(let function) = resolution[symbol.scope].kind, !tree[function].makesLayers else { continue }
            guard resolution.field(behind: SymbolID(index: UInt32(index))) == nil else { continue }
            // Parts of something, and what a loop counts, are named for the reader.
            let isPlain = definitions[index].allSatisfy { definition in
                switch definition.kind {
                case .value, .function, .part: true
                default: false
                }
            }
            guard isPlain else { continue }
            let isLast = tree.lastTarget(of: tree[function].body) == first.span
            found.add(
                Diagnostic(
                    .unusedAssignment, "`\(name)` is assigned and never used", at: first.span,
                    help: isLast
                        ? "an assignment has no value: end the function with a line `\(name)` to give it back"
                        : "remove it, or call it `_\(name)` to keep it"))
        }
        return found
    }
}

extension SyntaxTree {
    /// The name that the last statement of a body assigns.
    fileprivate func lastTarget(of body: ExpressionID) -> Span? {
        var last = body
        while case .block(let statements) = self[last], let statement = self[statements].last { last = statement.expression }
        guard case .assign(let target, _) = self[last] else { return nil }
        return nameSpan(of: target)
    }
}
