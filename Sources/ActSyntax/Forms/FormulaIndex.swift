// Where expressions of a tree go, and which of several assignments a use of a name sees. Which variable a name is, the tree's `Resolution` says.
//
// What must stay true: nothing is run, so an answer is given only where every run would give it. In the function that a variable belongs to,
// what was set last before the use counts if the use cannot be reached around it; in an inner function, which may run at any time, only what
// is set once. Questions take time with the logarithm of the number of settings and the depth of the place.

package struct FormulaIndex {
    enum Meaning {
        /// The value of an assignment to a variable of that scope.
        case value(ExpressionID, scope: ScopeID)
        /// A definition `f(x) = …`.
        case function(FunctionID)
        case parameter(of: ScopeID)
        /// Set nowhere in this tree.
        case free
        case unclear
    }

    private struct Setting {
        let kind: Definition.Kind
        let place: ExpressionID
        /// The position in the source from which on it counts.
        let start: Int32
    }

    private let tree: SyntaxTree
    private let resolution: Resolution
    private var parents: [ExpressionID?]
    /// In the order of their positions.
    private var settings: [SymbolID: [Setting]] = [:]
    private var uses: [SymbolID: [ExpressionID]] = [:]

    package init(_ tree: SyntaxTree, _ resolution: Resolution) {
        self.tree = tree
        self.resolution = resolution
        parents = Array(repeating: nil, count: tree.expressions.count)
        for id in tree.expressionIDs {
            if case .name = tree[id], let symbol = resolution.symbol(of: id) { uses[symbol, default: []].append(id) }
            tree.forEachChild(of: id) { parents[Int($0.index)] = id }
        }
        for definition in resolution.definitions {
            let span = tree.span(of: definition.place)
            let start =
                switch definition.kind {
                case .parameter, .element: span.start
                case .value, .unpacked, .function, .part, .removal: span.end
                }
            settings[definition.symbol, default: []].append(Setting(kind: definition.kind, place: definition.place, start: start))
        }
        for symbol in settings.keys { settings[symbol]?.sort { $0.start < $1.start } }
    }

    func scope(of function: FunctionID) -> ScopeID { resolution.scope(of: function) }

    // MARK: What a name means

    /// What the name stands for that an expression is, or calls.
    func meaning(of id: ExpressionID) -> Meaning {
        guard let symbol = resolution.symbol(of: id), settings[symbol] != nil else { return .free }
        let scope = resolution[symbol].scope
        return switch setting(of: symbol, at: id)?.kind {
        case .value(let value): .value(value, scope: scope)
        case .function(let function): .function(function)
        case .parameter: .parameter(of: scope)
        case .unpacked, .element, .part, .removal, nil: .unclear
        }
    }

    /// The setting that the place sees, if that is certain.
    private func setting(of symbol: SymbolID, at id: ExpressionID) -> Setting? {
        guard let found = settings[symbol] else { return nil }
        if isInInnerFunction(id, of: resolution[symbol].scope) { return found.count == 1 ? found[0] : nil }
        let next = Self.firstIndex(in: found, from: tree.span(of: id).start &+ 1)
        guard next > 0, reaches(found[next - 1], id, found) else { return nil }
        return found[next - 1]
    }

    /// Whether a place is in a function inside of a scope around it.
    private func isInInnerFunction(_ id: ExpressionID, of scope: ScopeID) -> Bool {
        var current = parents[Int(id.index)]
        while let place = current {
            switch tree[place] {
            case .function(let function), .define(let function): return resolution.scope(of: function) != scope
            case .comprehension(let comprehension) where resolution.scope(of: comprehension) == scope: return false
            default: current = parents[Int(place.index)]
            }
        }
        return false
    }

    /// Whether every way to `id` leads through the setting last.
    private func reaches(_ setting: Setting, _ id: ExpressionID, _ all: [Setting]) -> Bool {
        // A parameter is set before anything else in its function.
        var block: ExpressionID? = setting.place
        if case .parameter = setting.kind {} else { block = parents[Int(setting.place.index)] }
        var current: ExpressionID? = id
        while let place = current, place != block {
            switch tree[place] {
            case .forLoop, .whileLoop:
                // The loop itself may set it in an earlier round.
                let span = tree.span(of: place)
                let inside = Self.firstIndex(in: all, from: span.start &+ 1)
                if inside < all.count, all[inside].start <= span.end { return false }
            default: break
            }
            current = parents[Int(place.index)]
        }
        return current == block
    }

    /// The first setting that counts from `position` on or later.
    private static func firstIndex(in settings: [Setting], from position: Int32) -> Int {
        var low = 0, high = settings.count
        while low < high {
            let middle = (low + high) / 2
            if settings[middle].start < position { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Where expressions go

    /// The expressions that an expression is a part of, by way of variables and of functions too: the nearest first, some hundred at most.
    func users(of id: ExpressionID) -> [ExpressionID] {
        var found: [ExpressionID] = []
        var seen: Set<ExpressionID> = [id]
        var next = 0
        var current: ExpressionID? = id
        while let id = current {
            if let parent = parents[Int(id.index)], seen.insert(parent).inserted { found.append(parent) }
            let symbol: SymbolID? =
                switch tree[id] {
                case .assign(let target, _): if case .name = tree[target] { resolution.symbol(of: target) } else { nil }
                case .define: resolution.symbol(of: id)
                default: nil
                }
            if let symbol {
                for use in uses[symbol] ?? [] where seen.count < 300 && !seen.contains(use) && setting(of: symbol, at: use)?.place == id {
                    seen.insert(use)
                    found.append(use)
                }
            }
            current = next < found.count && next < 300 ? found[next] : nil
            next += 1
        }
        return found
    }
}
