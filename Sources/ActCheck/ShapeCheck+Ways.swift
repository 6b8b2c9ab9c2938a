// What is known after ways that a program may take: conditions and loops.

import ActArray
import ActBuiltins
import ActMachine
import ActNetwork
import ActSyntax

extension ShapeCheck {
    // MARK: Ways

    /// The variables that an expression assigns outside of functions in it.
    func assigned(in id: ExpressionID) -> Set<SymbolID> {
        var found: Set<SymbolID> = [], rest = [id]
        while let next = rest.popLast() {
            switch tree[next] {
            case .function: continue
            case .define, .unset: if let symbol = resolution.symbol(of: next) { found.insert(symbol) }
            case .assign(let target, _), .update(_, let target, _): if let symbol = resolution.symbol(of: tree.root(of: target)) { found.insert(symbol) }
            case .unpack(let targets, _): for target in tree[targets] { if let symbol = resolution.symbol(of: tree.root(of: target)) { found.insert(symbol) } }
            case .forLoop(let loop): found.formUnion(resolution.symbols(of: tree[loop].variables))
            default: break
            }
            if case .define = tree[next] { continue }
            tree.forEachChild(of: next) { rest.append($0) }
        }
        return found
    }

    mutating func conditional(_ branches: ArraySlice<Branch>, _ otherwise: ExpressionID?) -> ShapeValue {
        guard let branch = branches.first else { return otherwise.map { value($0) } ?? .none }
        // What many ways leave would be looked at for each of them.
        guard branches.count <= Self.mostBranches else {
            for branch in branches { for symbol in assigned(in: branch.condition).union(assigned(in: branch.body)) { values[symbol] = nil } }
            if let otherwise { for symbol in assigned(in: otherwise) { values[symbol] = nil } }
            mayHaveLeft = true
            return .unknown
        }
        let condition = value(branch.condition)
        if let known = condition.number { return known != 0 ? value(branch.body) : conditional(branches.dropFirst(), otherwise) }
        var touched = assigned(in: branch.body)
        for other in branches.dropFirst() { touched.formUnion(assigned(in: other.condition).union(assigned(in: other.body))) }
        if let otherwise { touched.formUnion(assigned(in: otherwise)) }
        let before = touched.map { ($0, values[$0]) }
        doubts += 1
        let first = value(branch.body)
        let after = touched.map { ($0, values[$0]) }
        for (symbol, value) in before { values[symbol] = value }
        let second = conditional(branches.dropFirst(), otherwise)
        doubts -= 1
        for (symbol, value) in after { values[symbol] = Self.join(value, values[symbol]) }
        return first.or(second)
    }

    /// A variable without a value yet could have any.
    static func join(_ a: ShapeValue?, _ b: ShapeValue?) -> ShapeValue { a.flatMap { a in b.map { a.or($0) } } ?? .unknown }

    /// Runs a body until what is known of what it assigns holds for every turn.
    mutating func runLoop(_ id: ExpressionID, isEntered: Bool, _ body: (inout ShapeCheck) -> Void) {
        let touched = assigned(in: id), left = (mayHaveLeft, hasLeft)
        loops += 1
        defer { loops -= 1 }
        /// What held before any turn.
        var known = touched.map { ($0, values[$0]) }
        doubts += 1
        var isStable = touched.isEmpty
        for _ in 0..<(loops > 2 ? 0 : 3) where !isStable {
            body(&self)
            isStable = true
            for index in known.indices {
                let (symbol, old) = known[index]
                let new = old == nil ? nil : Self.join(old, values[symbol])
                if let old, let new, !new.isSame(as: old) { isStable = false }
                known[index].1 = new
                values[symbol] = new
            }
        }
        if !isStable { for (symbol, _) in known { values[symbol] = .unknown } }
        doubts -= 1
        let entry = touched.map { ($0, values[$0]) }
        (mayHaveLeft, hasLeft) = left
        if !isEntered { doubts += 1 }
        body(&self)
        if !isEntered { doubts -= 1 }
        // A turn that was left early has not done everything, and there may have been none.
        let wasLeft = mayHaveLeft || hasLeft
        for (symbol, value) in entry { values[symbol] = Self.join(value, values[symbol]) }
        if wasLeft { for symbol in touched { values[symbol] = .unknown } }
        hasLeft = left.1
        mayHaveLeft = left.0 || wasLeft && !returned.isEmpty
    }

    static func element(of value: ShapeValue) -> ShapeValue {
        switch value {
        case .array(let shape): .of(Array(shape.dropFirst()))
        case .list(let elements): elements.dropFirst().reduce(elements.first ?? .unknown) { $0.or($1) }
        default: .unknown
        }
    }

    mutating func collected(_ id: ComprehensionID) -> ShapeValue {
        let node = tree[id], iterable = value(node.iterable), variables = Array(resolution.symbols(of: node.variables))
        for variable in variables { values[variable] = variables.count == 1 ? Self.element(of: iterable) : .unknown }
        var isCertain = false
        var count: Size?
        switch iterable {
        case .array(let shape): (count, isCertain) = (shape.first.flatMap { $0 }, shape.first.flatMap { $0?.number }.map { $0 > 0 } ?? false)
        case .list(let elements): (count, isCertain) = (Size(elements.count), !elements.isEmpty)
        default: break
        }
        if let condition = node.condition {
            _ = value(condition)
            (count, isCertain) = (nil, false)
        }
        if !isCertain { doubts += 1 }
        let element = value(node.element)
        if !isCertain { doubts -= 1 }
        for variable in variables { values[variable] = nil }
        if node.isList { return .unknown }
        switch element {
        case .number, .size, .array: return .array([count] + (element.shape ?? []))
        default: return .unknown
        }
    }
}
