// Formulas as data: a table of terms, each there once, and the constructors that collect what belongs together. Sums hold each term once with its
// coefficient, products each base once with its exponent; so x + x is 2 x, and x · x⁻¹ is 1.
//
// What must stay true: a term's parts stand before it in the table, so that every pass is a loop over it and none recurses on the depth of a
// formula; equal terms have equal numbers; a constructor changes no value where both sides are defined.

import ActArray

/// A term of an algebra, with the operators of mathematics.
package struct Term: Hashable {
    let algebra: Algebra
    let id: Int

    package static func == (a: Term, b: Term) -> Bool { a.id == b.id }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }

    package static func + (a: Term, b: Term) -> Term { a.algebra.sum([(.one, a), (.one, b)]) }
    package static func - (a: Term, b: Term) -> Term { a.algebra.sum([(.one, a), (-.one, b)]) }
    package static func * (a: Term, b: Term) -> Term { a.algebra.product([a, b]) }
    package static func / (a: Term, b: Term) -> Term { a.algebra.product([a, a.algebra.power(b, -.one)]) }
    package static prefix func - (a: Term) -> Term { a.algebra.sum([(-.one, a)]) }
    package static func + (a: Term, b: Double) -> Term { a + a.algebra.number(b) }
    package static func + (a: Double, b: Term) -> Term { b.algebra.number(a) + b }
    package static func - (a: Term, b: Double) -> Term { a - a.algebra.number(b) }
    package static func - (a: Double, b: Term) -> Term { b.algebra.number(a) - b }
    package static func * (a: Double, b: Term) -> Term { b.algebra.number(a) * b }
    package static func / (a: Term, b: Double) -> Term { a / a.algebra.number(b) }
    package static func / (a: Double, b: Term) -> Term { b.algebra.number(a) / b }

    func to(_ exponent: Coefficient) -> Term { algebra.power(self, exponent) }
    package var squared: Term { to(.fraction(2, 1)) }
    package var root: Term { to(.half) }

    var node: Algebra.Node { algebra.nodes[id] }
    var number: Coefficient? { if case .number(let value) = node { value } else { nil } }
    var isZero: Bool { number?.isZero == true }
    var isOne: Bool { number?.isOne == true }
}

package final class Algebra {
    struct Entry: Hashable {
        let coefficient: Coefficient
        let term: Int
    }

    struct Factor: Hashable {
        let base: Int
        let exponent: Coefficient
    }

    struct Piece: Hashable {
        let condition: Int
        let value: Int
    }

    enum Node: Hashable {
        case number(Coefficient)
        case symbol(String)
        /// `constant + Σ coefficientᵢ · termᵢ`, the terms in the order of their numbers. No term is a number; only one with a coefficient that is
        /// not ±1 may be a sum.
        case sum(Coefficient, [Entry])
        /// `Π baseᵢ ^ exponentᵢ`, the bases in the order of their numbers. No base is a product or a number with a whole exponent.
        case product([Factor])
        /// What has an exponent that is not a number.
        case power(Int, Int)
        case call(Head, [Int])
        case compare(Relation, Int, Int)
        case and(Int, Int)
        case or(Int, Int)
        case not(Int)
        case truth(Bool)
        /// The value of the first piece whose condition holds, else the last.
        case pieces([Piece], Int)
        /// The derivative in the variable, which is still to be taken.
        case prime(Int)
    }

    private(set) var nodes: [Node] = []
    /// How long each is.
    private(set) var measures: [Measure] = []
    private var known: [Node: Int] = [:]
    /// Whether there were more terms than a reader could follow, or the user interrupts; what is made then is of no use.
    private(set) var isFull = false

    /// - Throws: `FormulaError.tooLong`, `ArrayError.interrupted`.
    func check() throws {
        guard isFull else { return }
        try Interrupt.check()
        throw FormulaError.tooLong
    }
    private static let limit = 100_000

    /// The name of what a function is a function of.
    let variableName: String

    package init(variable: String = "x") { variableName = variable }

    // MARK: Terms

    func term(_ id: Int) -> Term { Term(algebra: self, id: id) }

    func make(_ node: Node) -> Term {
        if let id = known[node] { return term(id) }
        if nodes.count >= Algebra.limit || nodes.count & 0xFF == 0xFF && Interrupt.isSet { isFull = true }
        if isFull, !nodes.isEmpty { return term(0) }
        measures.append(measure(node))
        nodes.append(node)
        known[node] = nodes.count - 1
        return term(nodes.count - 1)
    }

    package func number(_ value: Double) -> Term { make(.number(Coefficient(value))) }
    func number(_ value: Coefficient) -> Term { make(.number(value)) }
    package func symbol(_ name: String) -> Term { make(.symbol(name)) }
    package var pi: Term { symbol("π") }
    func truth(_ value: Bool) -> Term { make(.truth(value)) }

    // MARK: Sums

    func sum(_ parts: [(coefficient: Coefficient, term: Term)]) -> Term {
        var constant = Coefficient.zero, coefficients: [Int: Coefficient] = [:]
        var pending = parts
        while let (coefficient, part) = pending.popLast() {
            switch part.node {
            case .number(let value): constant = constant + coefficient * value
            case .sum(let inner, let entries) where coefficient.magnitude.isOne || entries.count == 1 && inner.isZero:
                constant = constant + coefficient * inner
                for entry in entries { pending.append((coefficient * entry.coefficient, term(entry.term))) }
            default: coefficients[part.id] = (coefficients[part.id] ?? .zero) + coefficient
            }
        }
        // Two that were 2 s and −s leave s, which is a sum.
        if coefficients.contains(where: { id, coefficient in
            if case .sum = nodes[id], coefficient.magnitude.isOne { true } else { false }
        }) {
            return sum([(.one, number(constant))] + coefficients.map { ($0.value, term($0.key)) })
        }
        let entries = coefficients.filter { !$0.value.isZero }.sorted { $0.key < $1.key }.map { Entry(coefficient: $0.value, term: $0.key) }
        if entries.isEmpty { return number(constant) }
        if constant.isZero, entries.count == 1, entries[0].coefficient.isOne { return term(entries[0].term) }
        return joinedPieces(constant, entries) ?? make(.sum(constant, entries))
    }

    /// A sum of what is made of the same pieces, and of numbers, piece by piece.
    private func joinedPieces(_ constant: Coefficient, _ entries: [Entry]) -> Term? {
        var conditions: [Int]?
        for entry in entries {
            guard case .pieces(let pieces, _) = nodes[entry.term], conditions == nil || conditions == pieces.map(\.condition) else { return nil }
            conditions = pieces.map(\.condition)
        }
        guard let conditions else { return nil }
        func total(_ value: ([Piece], Int) -> Int) -> Term {
            sum(
                [(.one, number(constant))]
                    + entries.compactMap { entry in
                        guard case .pieces(let pieces, let otherwise) = nodes[entry.term] else { return nil }
                        return (entry.coefficient, term(value(pieces, otherwise)))
                    })
        }
        return pieces(conditions.indices.map { index in (term(conditions[index]), total { pieces, _ in pieces[index].value }) }, total { $1 })
    }

    // MARK: Products

    func product(_ parts: [Term]) -> Term { product(parts.map { ($0, Coefficient.one) }) }

    /// - Parameter parts: Terms with whole exponents, or bases of a product with theirs.
    func product(_ parts: [(base: Term, exponent: Coefficient)]) -> Term {
        var coefficient = Coefficient.one, exponents: [Int: Coefficient] = [:], powers: [(Coefficient, Term)] = []
        var pending = Array(parts.reversed())
        while let (base, exponent) = pending.popLast() {
            switch base.node {
            case .number(let value):
                if let whole = exponent.whole, let power = value.power(whole) {
                    coefficient = coefficient * power
                } else {
                    exponents[base.id] = (exponents[base.id] ?? .zero) + exponent
                }
            case .sum(let constant, let entries) where constant.isZero && entries.count == 1 && exponent.whole != nil:
                pending.append((number(entries[0].coefficient), exponent))
                pending.append((term(entries[0].term), exponent))
            case .product(let factors) where exponent.whole != nil:
                for factor in factors.reversed() { pending.append((term(factor.base), factor.exponent * exponent)) }
            case .call(.exp, let arguments): powers.append((exponent, term(arguments[0])))
            default: exponents[base.id] = (exponents[base.id] ?? .zero) + exponent
            }
        }
        if coefficient.isZero { return number(.zero) }
        let exponential = powers.isEmpty ? number(.one) : call(.exp, [sum(powers)])
        if let value = exponential.number {
            coefficient = coefficient * value
        } else if !powers.isEmpty {
            exponents[exponential.id] = (exponents[exponential.id] ?? .zero) + .one
        }
        // A base may have become what is taken apart: a number with a whole exponent, a product.
        if exponents.contains(where: { id, exponent in
            switch nodes[id] {
            case .number(let value): exponent.whole.map { $0 != 0 && value.power($0) != nil } ?? false
            case .product: exponent.whole != nil && !exponent.isZero
            case .sum(let constant, let entries): constant.isZero && entries.count == 1 && exponent.whole != nil && !exponent.isZero
            default: false
            }
        }) {
            return product([(number(coefficient), .one)] + exponents.filter { !$0.value.isZero }.map { (term($0.key), $0.value) })
        }
        simplify(&exponents)
        let factors = exponents.filter { !$0.value.isZero }.sorted { $0.key < $1.key }.map { Factor(base: $0.key, exponent: $0.value) }
        let bare: Term
        if factors.isEmpty { return number(coefficient) }
        bare = factors.count == 1 && factors[0].exponent.isOne ? term(factors[0].base) : make(.product(factors))
        if coefficient.isOne { return bare }
        return sum([(coefficient, bare)])
    }

    /// What books do not leave as products: x sign x, sinh/cosh, max(0, u) where u > 0.
    private func simplify(_ exponents: inout [Int: Coefficient]) {
        guard exponents.count > 1 else { return }
        for (id, exponent) in exponents.sorted(by: { $0.key < $1.key }) {
            switch nodes[id] {
            case .call(.sign, let arguments) where exponent.isOne:
                guard let other = exponents[arguments[0]], other.isOne else { continue }
                exponents[id] = .zero
                exponents[arguments[0]] = .zero
                let result = call(.abs, [term(arguments[0])])
                exponents[result.id] = (exponents[result.id] ?? .zero) + .one
            case .call(.sinh, let arguments): join(id, exponent, with: .cosh, arguments, as: .tanh, &exponents)
            case .call(.sin, let arguments): join(id, exponent, with: .cos, arguments, as: .tan, &exponents)
            case .pieces(let pieces, let otherwise) where exponent.isOne && pieces.count == 1 && term(otherwise).isZero && term(pieces[0].value).isOne:
                // max(0, u)ⁿ is 0 anyway where u ≤ 0.
                let condition = pieces[0].condition
                let isIdle = exponents.contains { other, power in
                    guard case .call(.max, let arguments) = nodes[other], power.value > 0, arguments.count == 2, let zero = known[.number(.zero)] else {
                        return false
                    }
                    guard let u = arguments.first(where: { $0 != zero }), arguments.contains(zero) else { return false }
                    return compare(.greater, term(u), term(zero)).id == condition
                }
                if isIdle { exponents[id] = .zero }
            default: break
            }
        }
    }

    /// sinh(u) · cosh(u)⁻¹ is tanh(u).
    private func join(_ id: Int, _ exponent: Coefficient, with other: Head, _ arguments: [Int], as result: Head, _ exponents: inout [Int: Coefficient]) {
        guard let partner = known[.call(other, arguments)], let power = exponents[partner], power == -exponent else { return }
        exponents[id] = .zero
        exponents[partner] = .zero
        let joined = call(result, arguments.map(term))
        exponents[joined.id] = (exponents[joined.id] ?? .zero) + exponent
    }

    // MARK: Powers

    func power(_ base: Term, _ exponent: Coefficient) -> Term {
        if exponent.isZero { return number(.one) }
        if exponent.isOne { return base }
        switch base.node {
        case .number(let value):
            if let whole = exponent.whole, let power = value.power(whole) { return number(power) }
            if case .fraction(let numerator, 2) = exponent, let root = value.root, let power = root.power(numerator) { return number(power) }
        case .call(.exp, let arguments): return call(.exp, [sum([(exponent, term(arguments[0]))])])
        case .power(let inner, let power) where exponent.whole != nil: return self.power(term(inner), sum([(exponent, term(power))]))
        default: break
        }
        if exponent.whole != nil { return product([(base, exponent)]) }
        return make(.product([Factor(base: base.id, exponent: exponent)]))
    }

    func power(_ base: Term, _ exponent: Term) -> Term {
        if let number = exponent.number { return power(base, number) }
        if base.isOne { return base }
        if case .call(.exp, let arguments) = base.node { return call(.exp, [term(arguments[0]) * exponent]) }
        return make(.power(base.id, exponent.id))
    }

    // MARK: Functions

    package func call(_ head: Head, _ arguments: [Term]) -> Term {
        guard let first = arguments.first else { return make(.call(head, [])) }
        switch (head, first.node) {
        case (.exp, .number(let value)) where value.isZero: return number(.one)
        case (.exp, .call(.log, let inner)), (.log, .call(.exp, let inner)): return term(inner[0])
        case (.log, .number(let value)) where value.isOne: return number(.zero)
        case (.sin, .number(let value)) where value.isZero, (.tanh, .number(let value)) where value.isZero: return number(.zero)
        case (.abs, .number(let value)): return number(value.magnitude)
        case (.abs, .call(.abs, _)), (.abs, .call(.exp, _)), (.abs, .call(.sigma, _)): return first
        case (.abs, .sum(let constant, let entries)) where constant.isZero && entries.count == 1:
            return sum([(entries[0].coefficient.magnitude, call(.abs, [term(entries[0].term)]))])
        case (.max, _), (.min, _):
            if arguments.count == 2, arguments[0] == arguments[1] { return first }
            if arguments.count == 2, let a = arguments[0].number, let b = arguments[1].number { return number((a < b) == (head == .max) ? b : a) }
        default: break
        }
        return make(.call(head, arguments.map(\.id)))
    }

    // MARK: Conditions and pieces

    package func compare(_ relation: Relation, _ a: Term, _ b: Term) -> Term {
        if let x = a.number, let y = b.number { return truth(relation.holds(x.value, y.value)) }
        // One term on the left, a number on the right, where that is possible.
        if case .sum(let constant, let entries) = (a - b).node, entries.count == 1 {
            let bound = -constant * entries[0].coefficient.inverse
            return make(.compare(entries[0].coefficient.isNegative ? relation.mirrored : relation, entries[0].term, number(bound).id))
        }
        if a.number != nil { return make(.compare(relation.mirrored, b.id, a.id)) }
        return make(.compare(relation, a.id, b.id))
    }

    package func and(_ a: Term, _ b: Term) -> Term {
        if case .truth(let value) = a.node { return value ? b : a }
        if case .truth(let value) = b.node { return value ? a : b }
        return a == b ? a : make(.and(a.id, b.id))
    }

    package func or(_ a: Term, _ b: Term) -> Term {
        if case .truth(let value) = a.node { return value ? a : b }
        if case .truth(let value) = b.node { return value ? b : a }
        return a == b ? a : make(.or(a.id, b.id))
    }

    package func not(_ a: Term) -> Term {
        switch a.node {
        case .truth(let value): truth(!value)
        case .compare(let relation, let left, let right): make(.compare(relation.opposite, left, right))
        case .not(let inner): term(inner)
        default: make(.not(a.id))
        }
    }

    package func choose(_ condition: Term, _ then: Term, _ otherwise: Term) -> Term { pieces([(condition, then)], otherwise) }

    func pieces(_ given: [(condition: Term, value: Term)], _ last: Term) -> Term {
        var kept: [Piece] = [], otherwise = last
        for (condition, given) in given {
            if case .truth(let holds) = condition.node {
                if !holds { continue }
                otherwise = given
                break
            }
            // Where this condition holds, the same one inside does too.
            var value = given
            if case .pieces(let inner, _) = given.node, let same = inner.first, same.condition == condition.id { value = term(same.value) }
            // The opposite of the only condition before is all that is left.
            if kept.count == 1, kept[0].condition == not(condition).id {
                otherwise = value
                break
            }
            kept.append(Piece(condition: condition.id, value: value.id))
        }
        if case .pieces(let inner, let rest) = otherwise.node {
            if let only = kept.first, kept.count == 1, let first = inner.first,
                first.condition == only.condition || first.condition == not(term(only.condition)).id
            {
                let isSame = first.condition == only.condition
                let rest = isSame ? pieces(inner.dropFirst().map { (term($0.condition), term($0.value)) }, term(rest)) : term(first.value)
                return pieces([(term(only.condition), term(only.value))], rest)
            }
            return pieces(kept.map { (term($0.condition), term($0.value)) } + inner.map { (term($0.condition), term($0.value)) }, term(rest))
        }
        while let piece = kept.last, piece.value == otherwise.id { kept.removeLast() }
        return kept.isEmpty ? otherwise : make(.pieces(kept, otherwise.id))
    }

    func prime(_ term: Term) -> Term { make(.prime(term.id)) }
}
