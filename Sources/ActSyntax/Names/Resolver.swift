// The pass that finds out what names mean: one walk over the tree, with the meaning of every name at hand.
//
// What must stay true: time and memory are linear in the tree, and nothing recurses. Entering a scope notes what its names meant outside,
// leaving it brings that back, so that looking a name up is one array access.

extension Resolution {
    /// Resolves the names of a whole tree.
    package init(_ tree: SyntaxTree, isStopped: StopCheck? = nil) {
        var resolver = Resolver(tree)
        resolver.run(isStopped)
        self = resolver.result
    }
}

private struct Resolver {
    private enum Work {
        case visit(ExpressionID)
        case enter(ComprehensionID, ExpressionID)
        /// The end of a scope: how long `hidden` was before it, and the scope around it.
        case leave(hidden: Int, scope: ScopeID)
    }

    private let tree: SyntaxTree
    var result: Resolution
    /// By name: the symbol that it means here.
    private var meaning: [SymbolID?]
    /// What names meant outside of the scopes that are open.
    private var hidden: [(name: NameID, meaning: SymbolID?)] = []
    private var scope = ScopeID(index: 0)
    private var work: [Work] = []
    /// The functions that layers are.
    private var layerFunctions: Set<FunctionID> = []

    init(_ tree: SyntaxTree) {
        self.tree = tree
        result = Resolution(
            references: Array(repeating: Resolution.none, count: tree.expressions.count),
            variableSymbols: Array(repeating: SymbolID(index: Resolution.none), count: tree.variables.count),
            functionScopes: Array(repeating: ScopeID(index: 0), count: tree.functions.count),
            comprehensionScopes: Array(repeating: ScopeID(index: 0), count: tree.comprehensions.count))
        meaning = Array(repeating: nil, count: tree.names.count)
    }

    mutating func run(_ isStopped: StopCheck?) {
        let end = Int32(truncatingIfNeeded: tree.source.bytes.count)
        result.scopes.append(Scope(kind: .program, parent: nil, range: 0..<end, symbols: 0..<0))
        for statement in tree[tree.program].reversed() { work.append(.visit(statement.expression)) }
        var steps = 0
        while let next = work.popLast() {
            steps &+= 1
            if steps & 0xfff == 0, isStopped?(bytesMade) == true { return }
            switch next {
            case .visit(let id): visit(id)
            case .enter(let comprehension, let id): enter(comprehension, at: id)
            case .leave(let height, let outer):
                while hidden.count > height, let last = hidden.popLast() { meaning[Int(last.name.index)] = last.meaning }
                scope = outer
            }
        }
    }

    /// What names, and the way through the tree, take by now.
    private var bytesMade: Int {
        result.footprint &+ meaning.capacity &* MemoryLayout<SymbolID?>.stride &+ hidden.capacity &* MemoryLayout<(NameID, SymbolID?)>.stride
            &+ work.capacity &* MemoryLayout<Work>.stride
    }

    private mutating func visit(_ id: ExpressionID) {
        switch tree[id] {
        case .name(let name): refer(id, to: name)
        case .unset(let name):
            define(refer(id, to: name), .removal, at: id, tree.operatorSpan(of: id))
        case .call(let callee, _):
            if case .field(_, let name) = tree[callee] { refer(callee, to: name) }
            visitChildren(of: id)
        case .assign(let target, let value):
            noteTarget(target, .value(value), at: id)
            visitChildren(of: id)
        case .update(_, let target, _):
            noteTarget(target, .part, at: id)
            visitChildren(of: id)
        case .unpack(let targets, let value):
            for (index, target) in tree[targets].enumerated() { noteTarget(target, .unpacked(value, index: index), at: id) }
            visitChildren(of: id)
        case .define(let function):
            if let name = tree[function].name { define(refer(id, to: name), .function(function), at: id, tree[function].nameSpan) }
            enter(function, at: id)
        case .function(let function): enter(function, at: id)
        case .comprehension(let comprehension):
            // What is looped over belongs to the scope outside.
            work.append(.enter(comprehension, id))
            work.append(.visit(tree[comprehension].iterable))
        case .forLoop(let loop):
            let node = tree[loop]
            for index in node.variables.range {
                let variable = tree.variables[index]
                let symbol = look(up: variable.name)
                result.variableSymbols[index] = symbol
                define(symbol, .element(of: node.iterable), at: id, variable.span)
            }
            visitChildren(of: id)
        default: visitChildren(of: id)
        }
    }

    private mutating func visitChildren(of id: ExpressionID) {
        let before = work.count
        tree.forEachChild(of: id) { work.append(.visit($0)) }
        work[before...].reverse()
    }

    // MARK: Names

    private mutating func look(up name: NameID) -> SymbolID {
        if let symbol = meaning[Int(name.index)] { return symbol }
        let symbol = add(name, .global, ScopeID(index: 0))
        meaning[Int(name.index)] = symbol
        // A scope that is open now has hidden nothing of this name.
        return symbol
    }

    @discardableResult
    private mutating func refer(_ id: ExpressionID, to name: NameID) -> SymbolID {
        let symbol = look(up: name)
        result.references[Int(id.index)] = symbol.index
        return symbol
    }

    private mutating func add(_ name: NameID, _ kind: Symbol.Kind, _ scope: ScopeID) -> SymbolID {
        result.symbols.append(Symbol(name: name, kind: kind, scope: scope))
        return SymbolID(index: UInt32(truncatingIfNeeded: result.symbols.count - 1))
    }

    private mutating func define(_ symbol: SymbolID, _ kind: Definition.Kind, at place: ExpressionID, _ span: Span) {
        result.definitions.append(Definition(symbol: symbol, kind: kind, place: place, span: span))
    }

    /// Notes that a target is set; the names in it are visited with the rest of the statement.
    private mutating func noteTarget(_ target: ExpressionID, _ kind: Definition.Kind, at place: ExpressionID) {
        let root = tree.root(of: target)
        guard case .name(let name) = tree[root] else { return }
        define(look(up: name), root == target ? kind : .part, at: place, tree.operatorSpan(of: root))
    }

    // MARK: Scopes

    private mutating func open(_ kind: Scope.Kind, _ id: ExpressionID) -> ScopeID {
        work.append(.leave(hidden: hidden.count, scope: scope))
        let span = tree.span(of: id)
        let start = UInt32(truncatingIfNeeded: result.symbols.count)
        result.scopes.append(Scope(kind: kind, parent: scope, range: span.start..<span.end, symbols: start..<start))
        scope = ScopeID(index: UInt32(truncatingIfNeeded: result.scopes.count - 1))
        return scope
    }

    /// Gives a name a meaning in the scope that has just been opened; of a name given twice, the first stands.
    private mutating func declare(_ name: NameID, _ kind: Symbol.Kind) -> SymbolID {
        let before = meaning[Int(name.index)]
        if let before, result[before].scope == scope { return before }
        hidden.append((name, before))
        let symbol = add(name, kind, scope)
        meaning[Int(name.index)] = symbol
        return symbol
    }

    private mutating func declareVariables(
        _ run: Run<Variable>, _ kind: Symbol.Kind, at place: ExpressionID, _ definition: (Variable) -> Definition.Kind
    ) {
        for index in run.range {
            let variable = tree.variables[index]
            let symbol = declare(variable.name, kind)
            result.variableSymbols[index] = symbol
            define(symbol, definition(variable), at: place, variable.span)
        }
    }

    /// Declares what `roots` assign, as locals of the scope that has just been opened.
    /// - Parameter more: What else is local.
    private mutating func declareAssigned(in roots: [ExpressionID], and more: [NameID] = []) {
        var names = more
        tree.forEachAssignment(in: roots) { place in
            switch place {
            case .variable(let index): names.append(tree.variables[index].name)
            case .target(let id):
                switch tree[id] {
                case .name(let name): names.append(name)
                case .define(let function): if let name = tree[function].name { names.append(name) }
                default: break
                }
            }
        }
        for name in names { _ = declare(name, .local) }
        result.scopes[Int(scope.index)].symbols = result[scope].symbols.lowerBound..<UInt32(truncatingIfNeeded: result.symbols.count)
    }

    private mutating func enter(_ function: FunctionID, at id: ExpressionID) {
        let node = tree[function]
        result.functionScopes[Int(function.index)] = open(.function(function), id)
        let outside = hidden.count
        declareVariables(node.parameters, .parameter, at: id) { .parameter($0.defaultValue) }
        let defaults = tree[node.parameters].compactMap(\.defaultValue)
        let isLayer = layerFunctions.contains(function)
        declareAssigned(in: defaults + [node.body], and: isLayer ? changedFields(in: node.body) : [])
        if node.makesLayers { layerFunctions.formUnion(tree.layerFunctions(of: node.body)) }
        if isLayer { for (name, field) in hidden[outside...] { noteField(name, field) } }
        visitChildren(of: id)
    }

    /// Whether a symbol is assigned in the block of a layer.
    private func isField(_ symbol: SymbolID) -> Bool {
        guard result[symbol].kind == .local, case .function(let owner) = result[result[symbol].scope].kind else { return false }
        return tree[owner].makesLayers
    }

    /// The variables of a layer's block that the function of the layer changes by `+=` or in part.
    private func changedFields(in body: ExpressionID) -> [NameID] {
        var names: [NameID] = []
        var pending = [body]
        while let id = pending.popLast() {
            let targets: [ExpressionID]
            switch tree[id] {
            case .function, .define, .comprehension: continue
            case .update(_, let target, _), .assign(let target, _): targets = [target]
            case .unpack(let several, _): targets = Array(tree[several])
            default: targets = []
            }
            for target in targets {
                if case .name(let name) = tree[tree.root(of: target)], let symbol = meaning[Int(name.index)], isField(symbol) { names.append(name) }
            }
            tree.forEachChild(of: id) { pending.append($0) }
        }
        return names
    }

    /// Notes that the function of a layer assigns a variable of the layer's block.
    private mutating func noteField(_ name: NameID, _ field: SymbolID?) {
        guard let local = meaning[Int(name.index)], result[local].kind == .local, let field, isField(field) else { return }
        result.fields[local] = field
    }

    private mutating func enter(_ comprehension: ComprehensionID, at id: ExpressionID) {
        let node = tree[comprehension]
        result.comprehensionScopes[Int(comprehension.index)] = open(.comprehension(comprehension), id)
        declareVariables(node.variables, .element, at: id) { _ in .element(of: node.iterable) }
        declareAssigned(in: (node.condition.map { [$0] } ?? []) + [node.element])
        work.append(.visit(node.element))
        if let condition = node.condition { work.append(.visit(condition)) }
    }
}
