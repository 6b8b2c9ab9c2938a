// Loops over the terms of a formula: which there are, how long they are, the same formula with other parts.

extension Algebra {
    func parts(of id: Int) -> [Int] {
        switch nodes[id] {
        case .number, .symbol, .truth: []
        case .sum(_, let entries): entries.map(\.term)
        case .product(let factors): factors.map(\.base)
        case .power(let a, let b), .compare(_, let a, let b), .and(let a, let b), .or(let a, let b): [a, b]
        case .call(_, let arguments): arguments
        case .not(let a), .prime(let a): [a]
        case .pieces(let pieces, let otherwise): pieces.flatMap { [$0.condition, $0.value] } + [otherwise]
        }
    }

    /// The terms that a term is made of, itself the last.
    func reachable(from roots: [Term]) -> [Int] {
        var found = Set(roots.map(\.id)), pending = Array(found)
        while let id = pending.popLast() {
            for part in parts(of: id) where found.insert(part).inserted { pending.append(part) }
        }
        return found.sorted()
    }

    /// The terms that depend on a symbol, among some that are in order.
    func depending(on symbol: Term, among ids: [Int]) -> Set<Int> {
        var found: Set<Int> = []
        for id in ids where id == symbol.id || parts(of: id).contains(where: found.contains) { found.insert(id) }
        return found
    }

    /// Whether a symbol stands in a term anywhere but in another one.
    func appears(_ symbol: Term, in root: Term, besides other: Term) -> Bool {
        var found: Set<Int> = [root.id], pending = [root.id]
        while let id = pending.popLast() {
            if id == symbol.id { return true }
            if id == other.id { continue }
            for part in parts(of: id) where found.insert(part).inserted { pending.append(part) }
        }
        return false
    }

    /// The same node of other parts.
    func rebuilt(_ id: Int, _ part: (Int) -> Term) -> Term {
        switch nodes[id] {
        case .number, .symbol, .truth: term(id)
        case .sum(let constant, let entries): sum([(.one, number(constant))] + entries.map { ($0.coefficient, part($0.term)) })
        case .product(let factors):
            product(
                factors.map { factor in
                    let base = part(factor.base)
                    return factor.exponent.whole != nil ? (base, factor.exponent) : (power(base, factor.exponent), .one)
                })
        case .power(let a, let b): power(part(a), part(b))
        case .call(let head, let arguments): call(head, arguments.map(part))
        case .compare(let relation, let a, let b): compare(relation, part(a), part(b))
        case .and(let a, let b): and(part(a), part(b))
        case .or(let a, let b): or(part(a), part(b))
        case .not(let a): not(part(a))
        case .pieces(let given, let otherwise): pieces(given.map { (part($0.condition), part($0.value)) }, part(otherwise))
        case .prime(let a): prime(part(a))
        }
    }

    /// A term in which `change` has the first word about each term, once its parts are changed: `nil` leaves it to its parts.
    func rewritten(_ root: Term, _ change: (_ id: Int, _ part: (Int) -> Term) -> Term?) -> Term {
        var results: [Int: Term] = [:]
        let part = { (id: Int) in results[id] ?? self.term(id) }
        for id in reachable(from: [root]) {
            if isFull { return root }
            results[id] = change(id, part) ?? rebuilt(id, part)
        }
        return part(root.id)
    }

    /// A term with another in the place of each of some symbols.
    package func substituted(_ root: Term, _ replacements: [Term: Term]) -> Term {
        rewritten(root) { id, _ in replacements[self.term(id)] }
    }

    // MARK: Length

    /// How many symbols and numbers a term is written with, exponents included, and about how many characters; what is larger than a page counts
    /// as a page.
    struct Measure {
        let leaves, length: Int
    }

    /// - Parameter node: One whose parts are there.
    func measure(_ node: Node) -> Measure {
        var leaves = 0, length = 0
        func add(_ ids: Int..., brackets: Bool = false) {
            for id in ids {
                leaves += measures[id].leaves
                length += measures[id].length
                if brackets, case .sum(let constant, let entries) = nodes[id], entries.count > 1 || !constant.isZero { length += 2 }
            }
        }
        switch node {
        case .number(let value): (leaves, length) = (1, digits(value) + (value.isNegative ? 1 : 0))
        case .symbol(let name): (leaves, length) = (1, name.count)
        case .truth: (leaves, length) = (1, 4)
        case .sum(let constant, let entries):
            length = constant.isZero ? -3 : digits(constant)
            leaves = constant.isZero ? 0 : 1
            for entry in entries {
                add(entry.term, brackets: true)
                length += 3
                if !entry.coefficient.magnitude.isOne {
                    leaves += 1
                    length += digits(entry.coefficient) + 1
                }
            }
            if entries.count == 1, constant.isZero, entries[0].coefficient.isNegative { length += 1 }
        case .product(let factors):
            length = factors.count - 1
            for factor in factors {
                add(factor.base, brackets: true)
                if !factor.exponent.magnitude.isOne { leaves += 1 }
                if !factor.exponent.isOne { length += 2 }
            }
        case .power(let a, let b):
            add(a, b, brackets: true)
            length += 1
        case .call(let head, let arguments):
            for argument in arguments { add(argument, brackets: head == .exp || head == .softplus) }
            length += around(head, arguments.count, length)
        case .compare(_, let a, let b):
            add(a, b)
            length += 3
        case .and(let a, let b), .or(let a, let b):
            add(a, b)
            length += 5
        case .not(let a):
            add(a)
            length += 6
        case .pieces(let pieces, let otherwise):
            for piece in pieces {
                add(piece.condition, piece.value)
                length += 6
            }
            add(otherwise)
            length += 10
        case .prime(let a):
            add(a)
            length += 3
        }
        return Measure(leaves: min(max(leaves, 1), 10_000), length: min(length, 10_000))
    }

    private func digits(_ coefficient: Coefficient) -> Int {
        let parts = coefficient.magnitude.parts
        return parts.above.count + (parts.below == 1 ? 0 : 1 + "\(parts.below)".count)
    }

    /// How many characters a function takes around its arguments.
    private func around(_ head: Head, _ count: Int, _ length: Int) -> Int {
        switch head {
        case .exp, .abs: 2
        case .softplus: 9
        case .sinc: 6 + length
        default: head.name.count + 2 * count
        }
    }

    func leaves(_ term: Term) -> Int { measures[term.id].leaves }
    func length(_ term: Term) -> Int { measures[term.id].length }
}
