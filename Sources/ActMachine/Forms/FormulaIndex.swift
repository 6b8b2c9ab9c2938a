// What the names of a tree stand for, and where its expressions go: which of several assignments a use of a name sees.
//
// What must stay true: nothing is run, so an answer is given only where every run would give it. Names belong to the innermost function
// that sets them. In that function, what was set last before the use counts if the use cannot be reached around it; in an inner
// function, which may run at any time, only what is set once. Questions take time with the logarithm of the number of settings.

import ActSyntax

struct FormulaIndex {
    enum Meaning {
        /// The value of an assignment, and the function it stands in (`nil`: none).
        case value(ExpressionID, scope: ExpressionID?)
        /// A definition `f(x) = …`.
        case function(ExpressionID)
        case parameter(of: ExpressionID)
        /// Set nowhere in this tree.
        case free
        case unclear
    }

    private enum Kind { case value(ExpressionID), function, parameter, other }

    private struct Setting {
        let kind: Kind
        /// The assignment, definition or loop.
        let place: ExpressionID
        /// The position in the source from which on it counts.
        let start: Int32
    }

    private struct Key: Hashable {
        let scope: ExpressionID?
        let name: NameID
    }

    private let tree: SyntaxTree
    private var parents: [ExpressionID?]
    /// For each expression the function or comprehension that it stands in directly.
    private var scopes: [ExpressionID?]
    /// In the order of their positions.
    private var settings: [Key: [Setting]] = [:]
    private var uses: [NameID: [ExpressionID]] = [:]

    init(_ tree: SyntaxTree) {
        self.tree = tree
        parents = Array(repeating: nil, count: tree.expressions.count)
        scopes = parents
        for id in tree.expressionIDs {
            if case .name(let name) = tree[id] { uses[name, default: []].append(id) }
            tree.forEachChild(of: id) { parents[Int($0.index)] = id }
        }
        // Parents have larger indices than their children.
        for id in tree.expressionIDs.reversed() {
            guard let parent = parents[Int(id.index)] else { continue }
            scopes[Int(id.index)] = Self.isScope(tree[parent]) ? parent : scopes[Int(parent.index)]
        }
        for id in tree.expressionIDs { note(id) }
        for key in settings.keys { settings[key]?.sort { $0.start < $1.start } }
    }

    private static func isScope(_ expression: Expression) -> Bool {
        switch expression {
        case .function, .define, .comprehension: true
        default: false
        }
    }

    /// Notes what an expression sets.
    private mutating func note(_ id: ExpressionID) {
        let scope = scopes[Int(id.index)], span = tree.span(of: id)
        func note(_ name: NameID, _ kind: Kind, in scope: ExpressionID?, from start: Int32) {
            settings[Key(scope: scope, name: name), default: []].append(Setting(kind: kind, place: id, start: start))
        }
        func note(part target: ExpressionID) {
            if case .name(let name) = tree[tree.root(of: target)] { note(name, .other, in: scope, from: span.end) }
        }
        switch tree[id] {
        case .assign(let target, let value):
            if case .name(let name) = tree[target] { note(name, .value(value), in: scope, from: span.end) } else { note(part: target) }
        case .update(_, let target, _): note(part: target)
        case .unpack(let targets, _): tree[targets].forEach { note(part: $0) }
        case .unset(let name): note(name, .other, in: scope, from: span.end)
        case .forLoop(let loop): for variable in tree[tree[loop].variables] { note(variable.name, .other, in: scope, from: span.start) }
        case .comprehension(let comprehension):
            for variable in tree[tree[comprehension].variables] { note(variable.name, .other, in: id, from: span.start) }
        case .function(let function), .define(let function):
            for parameter in tree[tree[function].parameters] { note(parameter.name, .parameter, in: id, from: span.start) }
            if case .define = tree[id], let name = tree[function].name { note(name, .function, in: scope, from: span.end) }
        default: break
        }
    }

    // MARK: What a name means

    /// What a name stands for where an expression stands.
    func meaning(of name: NameID, at id: ExpressionID) -> Meaning {
        guard let (setting, scope) = setting(of: name, at: id) else { return .free }
        return switch setting?.kind {
        case .value(let value): .value(value, scope: scope)
        case .function: setting.map { .function($0.place) } ?? .unclear
        case .parameter: scope.map { .parameter(of: $0) } ?? .unclear
        case .other, nil: .unclear
        }
    }

    /// The setting that the place sees, `nil` inside if that is not certain; `nil` if there is none at all.
    private func setting(of name: NameID, at id: ExpressionID) -> (Setting?, scope: ExpressionID?)? {
        var scope = scopes[Int(id.index)], isDelayed = false
        var found = settings[Key(scope: scope, name: name)]
        while found == nil, let outer = scope {
            if case .comprehension = tree[outer] {} else { isDelayed = true }
            scope = scopes[Int(outer.index)]
            found = settings[Key(scope: scope, name: name)]
        }
        guard let found else { return nil }
        if isDelayed { return (found.count == 1 ? found[0] : nil, scope) }
        let position = tree.span(of: id).start
        let next = Self.firstIndex(in: found, from: position &+ 1)
        guard next > 0 else { return (nil, scope) }
        let last = found[next - 1]
        return (reaches(last, id, found) ? last : nil, scope)
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
            let name: NameID? =
                switch tree[id] {
                case .assign(let target, _): if case .name(let name) = tree[target] { name } else { nil }
                case .define(let function): tree[function].name
                default: nil
                }
            if let name {
                for use in uses[name] ?? [] where seen.count < 300 && !seen.contains(use) && setting(of: name, at: use)?.0?.place == id {
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
