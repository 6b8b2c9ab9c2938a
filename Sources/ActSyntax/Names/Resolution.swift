// What the names of a tree mean: which variable each of them is, where it is set and where it is read. Compiler, explanations, completion
// and whatever else asks about names ask here.
//
// What must stay true: a name means the variable of the innermost scope around it that sets it, else a global one. Scopes are the program,
// functions and comprehensions; a block is not one. Whether a global name means a built-in is decided by the module that runs, not here.

/// A variable of one tree; a global one is the same in the whole tree.
package struct SymbolID: Hashable, Sendable {
    package let index: UInt32
    @inlinable package init(index: UInt32) { self.index = index }
}

package struct ScopeID: Hashable, Sendable { package let index: UInt32 }

package struct Symbol: Sendable {
    package enum Kind: Sendable {
        /// Of the module: set or only read here.
        case global
        case parameter
        /// Assigned in a function or comprehension.
        case local
        /// `a` in `[e for a in xs]`
        case element
    }

    package let name: NameID
    package let kind: Kind
    package let scope: ScopeID
}

/// A region in which names have a meaning of their own.
package struct Scope: Sendable {
    package enum Kind: Sendable {
        case program
        case function(FunctionID)
        case comprehension(ComprehensionID)
    }

    package let kind: Kind
    /// The scope around it; `nil` for the program.
    package let parent: ScopeID?
    /// Where it is in force, in UTF-8 offsets.
    package let range: Range<Int32>
    /// Parameters or elements first, in order, then what is assigned, in the order of the first assignment. (Of the program, none: global
    /// symbols are known by having that kind.)
    package internal(set) var symbols: Range<UInt32>

    package var symbolIDs: [SymbolID] { symbols.map { SymbolID(index: $0) } }
}

/// A place at which a symbol gets a value, or a part of one, or loses it.
package struct Definition: Sendable {
    package enum Kind: Sendable {
        /// `name = value`
        case value(ExpressionID)
        /// The element `index` of `a, b = value`
        case unpacked(ExpressionID, index: Int)
        /// `name(…) = …`
        case function(FunctionID)
        /// A parameter, with its default.
        case parameter(ExpressionID?)
        /// The variable of a loop or comprehension over `iterable`.
        case element(of: ExpressionID)
        /// `name += value`, `name[…] = value`, `name.field = value`
        case part
        /// `unset name`
        case removal
    }

    package let symbol: SymbolID
    package let kind: Kind
    /// The assignment, loop, comprehension, definition or `unset`; of a parameter, the function.
    package let place: ExpressionID
    /// The name there.
    package let span: Span

    /// Whether the symbol has a value after it whatever it was before.
    package var isWhole: Bool {
        switch kind {
        case .part, .removal: false
        default: true
        }
    }
}

package struct Resolution: Sendable {
    package internal(set) var symbols: [Symbol] = []
    package internal(set) var scopes: [Scope] = []
    /// In source order within a scope.
    package internal(set) var definitions: [Definition] = []
    /// By expression: the symbol that it names, or `none`.
    var references: [UInt32]
    /// By the index in the tree's variables.
    var variableSymbols: [SymbolID]
    /// By function: its scope.
    var functionScopes: [ScopeID]
    /// By comprehension: its scope.
    var comprehensionScopes: [ScopeID]
    /// Of the function that a layer is: by what it assigns, the variable of that name in the layer's block.
    var fields: [SymbolID: SymbolID] = [:]

    static let none = UInt32.max

    /// The bytes that it takes.
    package var footprint: Int {
        func bytes<Element>(_ list: [Element]) -> Int { list.capacity &* MemoryLayout<Element>.stride }
        return bytes(symbols) &+ bytes(scopes) &+ bytes(definitions) &+ bytes(references) &+ bytes(variableSymbols) &+ bytes(functionScopes)
            &+ bytes(comprehensionScopes) &+ fields.capacity &* 16
    }

    package subscript(id: SymbolID) -> Symbol { symbols[Int(id.index)] }
    package subscript(id: ScopeID) -> Scope { scopes[Int(id.index)] }

    /// The symbol that an expression names: of a name, `unset` and a definition the variable, of the callee of `v.f(…)` the function that `f`
    /// means where `v` has no such field.
    @inlinable
    package func symbol(of id: ExpressionID) -> SymbolID? {
        let index = reference(id)
        return index == UInt32.max ? nil : SymbolID(index: index)
    }

    @usableFromInline
    func reference(_ id: ExpressionID) -> UInt32 { references.indices.contains(Int(id.index)) ? references[Int(id.index)] : Self.none }

    /// The symbols of parameters, or of the variables of a loop or comprehension, in order.
    package func symbols(of variables: Run<Variable>) -> ArraySlice<SymbolID> { variableSymbols[variables.range] }

    package func scope(of function: FunctionID) -> ScopeID { functionScopes[Int(function.index)] }
    /// The variable of a layer's block that an assignment in the layer's function is about: it has that variable's value from the start.
    package func field(behind local: SymbolID) -> SymbolID? { fields.isEmpty ? nil : fields[local] }

    package func scope(of comprehension: ComprehensionID) -> ScopeID { comprehensionScopes[Int(comprehension.index)] }

    /// The function or program that a scope belongs to: comprehensions are parts of what is around them.
    package func function(around scope: ScopeID) -> ScopeID {
        var scope = scope
        while case .comprehension = self[scope].kind, let parent = self[scope].parent { scope = parent }
        return scope
    }
}

// MARK: - Questions of tools

extension Resolution {
    /// The innermost scope at an offset; at its end too, where one may still be writing in it.
    package func scope(at offset: Int) -> ScopeID {
        var found = ScopeID(index: 0)
        // Inner scopes come after those around them.
        for (index, scope) in scopes.enumerated() where Int(scope.range.lowerBound) <= offset && offset <= Int(scope.range.upperBound) {
            found = ScopeID(index: UInt32(truncatingIfNeeded: index))
        }
        return found
    }

    /// The symbols that can be named at an offset, the innermost first; of several with one name the one that it means.
    package func symbols(visibleAt offset: Int) -> [SymbolID] {
        var found: [SymbolID] = []
        var names: Set<NameID> = []
        var scope: ScopeID? = scope(at: offset)
        while let id = scope, self[id].parent != nil {
            for symbol in self[id].symbolIDs where names.insert(self[symbol].name).inserted { found.append(symbol) }
            scope = self[id].parent
        }
        for (index, symbol) in symbols.enumerated() where symbol.kind == .global && names.insert(symbol.name).inserted {
            found.append(SymbolID(index: UInt32(truncatingIfNeeded: index)))
        }
        return found
    }

    /// The symbol whose name stands at an offset, at its end too.
    package func symbol(at offset: Int, in tree: SyntaxTree) -> SymbolID? {
        func holds(_ span: Span) -> Bool { Int(span.start) <= offset && offset <= Int(span.end) }
        for definition in definitions where holds(definition.span) { return definition.symbol }
        for id in tree.expressionIDs {
            if let symbol = symbol(of: id), holds(tree.nameSpan(of: id)) { return symbol }
        }
        return nil
    }

    /// Whether anything in the tree gives a symbol a value.
    package func isSet(_ symbol: SymbolID) -> Bool { definitions.contains { $0.symbol == symbol && $0.isWhole } }

    package func definitions(of symbol: SymbolID) -> [Definition] { definitions.filter { $0.symbol == symbol } }

    /// Every place at which a symbol is named, in source order: what a renaming changes.
    package func occurrences(of symbol: SymbolID, in tree: SyntaxTree) -> [Span] {
        let defined = definitions.lazy.filter { $0.symbol == symbol }.map(\.span)
        let named = tree.expressionIDs.lazy.filter { self.symbol(of: $0) == symbol }.map { tree.nameSpan(of: $0) }
        return Set(defined).union(named).sorted { $0.start < $1.start }
    }

    /// The global names that are read although nothing here gives them a value: built-ins, variables of what ran before, and mistakes.
    package func unset(in tree: SyntaxTree) -> [(name: String, at: ExpressionID)] {
        var isSet = [Bool](repeating: false, count: symbols.count)
        for definition in definitions where definition.isWhole { isSet[Int(definition.symbol.index)] = true }
        return tree.expressionIDs.compactMap { id in
            guard case .name = tree[id], let symbol = symbol(of: id), self[symbol].kind == .global, !isSet[Int(symbol.index)] else { return nil }
            return (tree[self[symbol].name], id)
        }
    }

    /// The global names that an expression sets, whole or in part, when it is evaluated; functions inside it are not called.
    package func globalsSet(by id: ExpressionID, in tree: SyntaxTree) -> Set<String> {
        var found: Set<String> = []
        func add(_ symbol: SymbolID?) {
            if let symbol, self[symbol].kind == .global { found.insert(tree[self[symbol].name]) }
        }
        var pending = [id]
        while let next = pending.popLast() {
            switch tree[next] {
            case .function: continue
            case .define:
                add(symbol(of: next))
                continue
            case .assign(let target, _), .update(_, let target, _): add(symbol(of: tree.root(of: target)))
            case .unpack(let targets, _): for target in tree[targets] { add(symbol(of: tree.root(of: target))) }
            case .forLoop(let loop): symbols(of: tree[loop].variables).forEach(add)
            case .unset: add(symbol(of: next))
            default: break
            }
            tree.forEachChild(of: next) { pending.append($0) }
        }
        return found
    }

    /// The global names that stand in an expression, in functions inside it too.
    package func globalsRead(by id: ExpressionID, in tree: SyntaxTree) -> Set<String> {
        var found: Set<String> = []
        var pending = [id]
        while let next = pending.popLast() {
            if let symbol = symbol(of: next), self[symbol].kind == .global { found.insert(tree[self[symbol].name]) }
            tree.forEachChild(of: next) { pending.append($0) }
        }
        return found
    }

    /// The symbols that an expression assigns whole, in order, without those of functions and comprehensions inside it.
    package func symbolsAssigned(in id: ExpressionID, of tree: SyntaxTree) -> [SymbolID] {
        var found: [SymbolID] = []
        tree.forEachAssignment(in: [id]) { place in
            let symbol: SymbolID? =
                switch place {
                case .target(let target): symbol(of: target)
                case .variable(let index): variableSymbols[index]
                }
            if let symbol, !found.contains(symbol) { found.append(symbol) }
        }
        return found
    }
}

extension SyntaxTree {
    /// The function literals that may be the value of the block of a layer.
    func layerFunctions(of body: ExpressionID) -> [FunctionID] {
        var found: [FunctionID] = []
        var pending = [body]
        while let id = pending.popLast() {
            switch self[id] {
            case .function(let function): found.append(function)
            case .block(let statements): if let last = self[statements].last { pending.append(last.expression) }
            case .conditional(let branches, let otherwise):
                pending += self[branches].map(\.body)
                if let otherwise { pending.append(otherwise) }
            default: break
            }
        }
        return found
    }

    /// Where the name stands of an expression that has a symbol.
    package func nameSpan(of id: ExpressionID) -> Span {
        if case .define(let function) = self[id] { return self[function].nameSpan }
        return operatorSpan(of: id)
    }

    /// A place at which a whole variable is assigned.
    enum AssignedPlace {
        /// A `name`, or a definition.
        case target(ExpressionID)
        /// Of a loop: the index of the variable in the tree.
        case variable(Int)
    }

    /// Calls `body` with every assignment to a whole variable, in order, without entering the scopes of functions and comprehensions.
    func forEachAssignment(in roots: [ExpressionID], _ body: (AssignedPlace) -> Void) {
        func add(_ target: ExpressionID) { if case .name = self[target] { body(.target(target)) } }
        var pending = Array(roots.reversed())
        while let id = pending.popLast() {
            switch self[id] {
            case .assign(let target, _): add(target)
            case .unpack(let targets, _): self[targets].forEach(add)
            case .define:
                body(.target(id))
                continue
            case .forLoop(let loop): for index in self[loop].variables.range { body(.variable(index)) }
            case .function: continue
            // What is looped over is evaluated outside of the comprehension's own scope.
            case .comprehension(let comprehension):
                pending.append(self[comprehension].iterable)
                continue
            default: break
            }
            let before = pending.count
            forEachChild(of: id) { pending.append($0) }
            pending[before...].reverse()
        }
    }
}
