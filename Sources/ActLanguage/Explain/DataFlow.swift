// Where values came from, read off a recording: the operands of an operation, and where a name got its value.
//
// What must stay true: a search only ever goes back, so it ends.

import ActArray
import ActCompiler
import ActMachine
import ActSyntax

/// The value of one expression at one time.
struct Moment {
    let recording: Recording
    let position: Int
    /// The statement of the log that the recording runs; `nil` for what `why` was asked about.
    let entry: Int?

    private var noted: Recording.Entry { recording[position] }
    var value: Value { noted.value }
    var expression: ExpressionID { noted.expression }
    var frame: Int { noted.frame }
    var code: Code { recording.frames[frame].code }
    var tree: SyntaxTree { code.unit.tree }
    private var resolution: Resolution { code.unit.resolution }

    func at(_ position: Int) -> Moment { Moment(recording: recording, position: position, entry: entry) }

    /// Where the value of a name, or of another expression that only passes a value on, comes from.
    enum Source {
        case moments([Moment])
        /// A global variable that nothing in this recording has set before.
        case global(String)
        /// It makes its value itself.
        case own
    }

    var source: Source {
        switch tree[expression] {
        case .name:
            // The target of `a, b = …`, noted when it was set.
            if let (value, index) = unpacked { return unpackedSource(value, index) }
            return resolution.symbol(of: expression).map(source) ?? .own
        case .assign(_, let value): return latest([value])
        case .block(let statements): return tree[statements].last.map { latest([$0.expression]) } ?? .own
        case .conditional(let branches, let otherwise): return latest(tree[branches].map(\.body) + (otherwise.map { [$0] } ?? []))
        case .call(_, _), .pipe(_, _):
            // The body of a function of the program.
            guard let inner = calls.last, case .closure = callee else { return .own }
            return result(of: inner).map { .moments([$0]) } ?? .own
        default: return .own
        }
    }

    // MARK: Operands

    /// The operands of an operation, each as it was then.
    var operands: [Moment] {
        switch tree[expression] {
        case .comprehension(let id):
            let node = tree[id]
            let start = last(node.iterable, before: position)?.position ?? recording.range.lowerBound
            return (start..<max(start, position)).filter { recording[$0].frame == frame && recording[$0].expression == node.element }.map(at)
        case .function, .define: return []
        default:
            // One walk back for all of them: a list may have very many.
            var places: [ExpressionID: Int] = [:]
            tree.forEachChild(of: expression) { places[$0] = -1 }
            var missing = places.count
            let start = max(recording.frames[frame].start, recording.range.lowerBound)
            for position in stride(from: position - 1, through: start, by: -1) where missing > 0 {
                let entry = recording[position]
                guard entry.frame == frame, places[entry.expression] == -1 else { continue }
                places[entry.expression] = position
                missing -= 1
            }
            var found: [Moment] = []
            tree.forEachChild(of: expression) { if let position = places[$0], position >= 0 { found.append(at(position)) } }
            return found
        }
    }

    /// The last time that one of the expressions was computed in this run of the function.
    private func latest(_ expressions: [ExpressionID]) -> Source {
        let found = expressions.compactMap { last($0, before: position) }.max { $0.position < $1.position }
        return found.map { .moments([$0]) } ?? .own
    }

    private func last(_ id: ExpressionID, before end: Int, in frame: Int? = nil) -> Moment? {
        let frame = frame ?? self.frame
        let start = max(recording.frames[frame].start, recording.range.lowerBound)
        guard start < end else { return nil }
        return (start..<end).last { recording[$0].frame == frame && recording[$0].expression == id }.map(at)
    }

    /// Whether something that led here has been dropped from the recording.
    var isForgotten: Bool {
        guard recording.range.lowerBound > 0 else { return false }
        if case .name = tree[expression] { return true }
        var expected = 0
        tree.forEachChild(of: expression) {
            switch tree[$0] {
            case .number, .string, .bool, .none, .function: break
            default: expected += 1
            }
        }
        return operands.count < expected
    }

    // MARK: Calls

    enum Callee { case closure, other }

    /// What a call calls, as far as it says whose body gives the value.
    private var callee: Callee {
        let id: ExpressionID
        switch tree[expression] {
        case .call(let called, _), .pipe(_, let called): id = called
        default: return .other
        }
        if let moment = last(id, before: position) {
            if case .function(let function) = moment.value { return function is Closure || function is Composition ? .closure : .other }
            return .other
        }
        // A method: whatever is not built in.
        if case .field(_, let name) = tree[id], code.module.builtinName(tree[name]) == nil { return .closure }
        return .other
    }

    /// The runs of functions that this call led to, directly.
    var calls: [Int] {
        let before = last(expression, before: position)?.position ?? -1
        return recording.frames.indices.filter {
            let run = recording.frames[$0]
            return run.caller == frame && run.call == expression && run.start > before && run.start <= position
        }
    }

    /// What a run of a function gave.
    func result(of inner: Int) -> Moment? {
        let start = max(recording.frames[inner].start, recording.range.lowerBound)
        return (start..<max(start, position)).last { recording[$0].frame == inner }.map(at)
    }

    // MARK: Names

    private func source(of symbol: SymbolID) -> Source {
        if let binder = binder(of: symbol) { return latest([binder]) }
        guard code.isClosure, let definition = code.definition else { return global(symbol) }
        if definition.locals.contains(symbol) {
            if let set = setting(of: symbol, .ownFrame) { return .moments(set) }
            return argument(symbol, of: definition.node)
        }
        if definition.captures.contains(symbol) { return setting(of: symbol, .anyFrame).map { .moments($0) } ?? .own }
        return global(symbol)
    }

    private func global(_ symbol: SymbolID) -> Source {
        setting(of: symbol, .outermost).map { .moments($0) } ?? .global(tree[resolution[symbol].name])
    }

    /// Where a variable may have been set.
    private enum Frames { case ownFrame, anyFrame, outermost }

    /// The moments at which a variable was set, the last first, back to the one that set the whole of it.
    private func setting(of symbol: SymbolID, _ frames: Frames) -> [Moment]? {
        let name = tree[resolution[symbol].name]
        var found: [Moment] = []
        let first = recording.range.lowerBound
        for position in (first..<max(first, position)).reversed() {
            let entry = recording[position]
            let code = recording.frames[entry.frame].code
            switch frames {
            case .ownFrame: if entry.frame != frame { continue }
            case .anyFrame: break
            case .outermost: if code.isClosure { continue }
            }
            let unit = code.unit
            /// Global variables are the same in all sources, others belong to one.
            func isSet(_ id: ExpressionID) -> Bool {
                guard let set = unit.resolution.symbol(of: id) else { return false }
                return unit === self.code.unit ? set == symbol : frames == .outermost && unit.tree[unit.resolution[set].name] == name
            }
            switch unit.tree[entry.expression] {
            case .assign(let target, _), .update(_, let target, _):
                guard isSet(unit.tree.root(of: target)) else { continue }
                found.append(at(position))
                if case .name = unit.tree[target] { return found }
            case .name:
                guard isSet(entry.expression), at(position).isUnpacked else { continue }
                return found + [at(position)]
            default: continue
            }
        }
        return found.isEmpty ? nil : found
    }

    var isUnpacked: Bool { unpacked != nil }

    /// Of the target of `a, b = …`: the value, and which element of it.
    private var unpacked: (value: ExpressionID, index: Int)? {
        for candidate in tree.expressions {
            guard case .unpack(let targets, let value) = candidate else { continue }
            if let index = tree[targets].firstIndex(of: expression) { return (value, index - tree[targets].startIndex) }
        }
        return nil
    }

    private func unpackedSource(_ value: ExpressionID, _ index: Int) -> Source {
        if case .list(let elements) = tree[value], tree[elements].indices.contains(tree[elements].startIndex + index) {
            return latest([tree[elements][tree[elements].startIndex + index]])
        }
        return latest([value])
    }

    /// The iterable of the loop or comprehension around here that sets a variable.
    private func binder(of symbol: SymbolID) -> ExpressionID? {
        if case .comprehension(let id) = resolution[resolution[symbol].scope].kind { return resolution[symbol].kind == .element ? tree[id].iterable : nil }
        let here = tree.span(of: expression)
        func holds(_ id: ExpressionID) -> Bool { tree.span(of: id).start <= here.start && here.end <= tree.span(of: id).end }
        return tree.loops.first { resolution.symbols(of: $0.variables).contains(symbol) && holds($0.body) }?.iterable
    }

    /// The argument that a parameter stands for; another variable makes its value itself.
    private func argument(_ symbol: SymbolID, of node: FunctionNode) -> Source {
        let run = recording.frames[frame]
        guard let caller = run.caller, let call = run.call else { return .own }
        let tree = recording.frames[caller].code.unit.tree
        let parameters = self.tree[node.parameters]
        let name = resolution[symbol].name
        guard let index = resolution.symbols(of: node.parameters).enumerated().first(where: { $0.element == symbol })?.offset else { return .own }
        // Of `f >> g`, what g is given is the value of f.
        if index == 0, frame > 0, recording.frames[frame - 1].caller == caller, recording.frames[frame - 1].call == call,
            recording.frames[frame - 1].code !== run.code, let before = result(of: frame - 1)
        {
            return .moments([before])
        }
        var positional: [ExpressionID] = []
        var named: ExpressionID?
        switch tree[call] {
        case .pipe(let argument, _): positional = [argument]
        case .call(let callee, let arguments):
            if case .field(let object, _) = tree[callee] { positional = [object] }
            for argument in tree[arguments] {
                if argument.name == nil {
                    positional.append(argument.value)
                } else if argument.name.map({ tree[$0] }) == self.tree[name] {
                    named = argument.value
                }
            }
        default: return .own
        }
        if let id = named ?? (positional.indices.contains(index) ? positional[index] : nil) {
            return last(id, before: run.start, in: caller).map { .moments([$0]) } ?? .own
        }
        if let fallback = parameters[parameters.startIndex + index].defaultValue { return latest([fallback]) }
        return .own
    }

    /// The functions that were running, innermost first.
    var callChain: [Diagnostic.Call] {
        var chain: [Diagnostic.Call] = []
        var index = frame
        while let caller = recording.frames[index].caller, let call = recording.frames[index].call {
            // `why` itself calls what it was asked about.
            guard recording.frames[index].code.isClosure else { break }
            chain.append(Diagnostic.Call(name: recording.frames[index].code.name, span: recording.frames[caller].code.unit.tree.span(of: call)))
            index = caller
        }
        return chain
    }
}
