// The shorter of equivalent forms: common factors before brackets, products multiplied out where that is shorter, and a function's own name in its
// derivative.
//
// What must stay true: every form has the value of the one before; the work is bounded by the length of the formula.

extension Algebra {
    /// The shortest form that is found of a term.
    package func shortest(_ root: Term) -> Term {
        rewritten(root) { id, part in
            let plain = self.rebuilt(id, part)
            switch plain.node {
            case .sum: return self.factored(plain, depth: 0)
            case .product: return self.shorterProduct(plain)
            default: return plain
            }
        }
    }

    /// Whether a form with common factors is to be taken: of functions it may be longer, as books write σ(x) (1 − σ(x)).
    private func isBetter(_ candidate: Term, than form: Term, ofFunctions: Bool) -> Bool {
        let (a, b) = (leaves(candidate), leaves(form))
        return a < b || a == b && (ofFunctions || length(candidate) < length(form))
    }

    // MARK: Common factors

    /// A sum with common factors before a bracket, where that is shorter.
    private func factored(_ sum: Term, depth: Int) -> Term {
        var best = sum
        guard depth < 6 else { return best }
        for _ in 0..<8 {
            guard case .sum(let constant, let entries) = best.node, entries.count + (constant.isZero ? 0 : 1) > 1, entries.count <= 64 else { return best }
            var counts: [Int: Int] = [:]
            for entry in entries { for factor in factors(of: entry.term) { counts[factor.base, default: 0] += 1 } }
            var improved: Term?, winner: Int?
            // A sum that is a factor of one part may be the others too.
            for base in counts.filter({ count in count.value > 1 || { if case .sum = nodes[count.key] { true } else { false } }() }).keys.sorted() {
                let candidate = takingOut(base, of: constant, entries)
                if candidate != best, isBetter(candidate, than: improved ?? best, ofFunctions: !isSymbol(term(base))) { (improved, winner) = (candidate, base) }
            }
            if let candidate = takingOutNumber(constant, entries), isBetter(candidate, than: improved ?? best, ofFunctions: false) {
                (improved, winner) = (candidate, nil)
            }
            guard let improved else { return best }
            // Only what is taken is looked into further.
            best = winner.map { takingOut($0, of: constant, entries) { self.factored($0, depth: depth + 1) } } ?? improved
        }
        return best
    }

    private func factors(of id: Int) -> [Factor] {
        if case .product(let factors) = nodes[id] { return factors }
        return [Factor(base: id, exponent: .one)]
    }

    /// `base^k · (the terms with it, divided by that) + the others`.
    private func takingOut(_ base: Int, of constant: Coefficient, _ entries: [Entry], within: (Term) -> Term = { $0 }) -> Term {
        var least: Coefficient?
        var inside: [Entry] = [], outside: [Entry] = []
        for entry in entries {
            guard let factor = factors(of: entry.term).first(where: { $0.base == base }) else {
                outside.append(entry)
                continue
            }
            inside.append(entry)
            least = least.map { factor.exponent < $0 ? factor.exponent : $0 } ?? factor.exponent
        }
        let rest = multiple(of: base, constant, outside)
        if inside.count + (rest == nil ? 0 : 1) < 2 { return sum([(.one, number(constant))] + entries.map { ($0.coefficient, term($0.term)) }) }
        if let rest, least?.isOne == true {
            let bracket = sum([(.one, number(rest.times))] + inside.map { ($0.coefficient, product([term($0.term), power(term(base), -.one)])) })
            let taken = product([term(base), within(bracket)])
            return sum([(.one, number(rest.constant)), (.one, taken)] + rest.entries.map { ($0.coefficient, term($0.term)) })
        }
        let common = power(term(base), least ?? .one), inverse = power(term(base), -(least ?? .one))
        let bracket = sum(inside.map { ($0.coefficient, product([term($0.term), inverse])) })
        let taken = product([common, within(bracket)])
        return sum([(.one, number(constant)), (.one, taken)] + outside.map { ($0.coefficient, term($0.term)) })
    }

    /// How often a sum is in the parts of another, and what is left of those then; `nil` if it is not.
    private func multiple(of base: Int, _ constant: Coefficient, _ entries: [Entry]) -> (times: Coefficient, constant: Coefficient, entries: [Entry])? {
        guard case .sum(let inner, let parts) = nodes[base], let first = parts.first, let match = entries.first(where: { $0.term == first.term }) else {
            return nil
        }
        let times = match.coefficient * first.coefficient.inverse
        guard parts.allSatisfy({ part in entries.contains(Entry(coefficient: part.coefficient * times, term: part.term)) }) else { return nil }
        let rest = constant + -(inner * times)
        guard rest.isZero || inner.isZero else { return nil }
        return (times, rest, entries.filter { entry in !parts.contains { $0.term == entry.term } })
    }

    /// `c · (±a ± b)` where every part has the same number before it, up to sign.
    private func takingOutNumber(_ constant: Coefficient, _ entries: [Entry]) -> Term? {
        let magnitude = entries[0].coefficient.magnitude
        guard !magnitude.isOne, entries.allSatisfy({ $0.coefficient.magnitude == magnitude }) else { return nil }
        let divided = constant * magnitude.inverse
        let inner = sum([(.one, number(divided))] + entries.map { ($0.coefficient.isNegative ? -.one : .one, term($0.term)) })
        return sum([(magnitude, inner)])
    }

    // MARK: Products

    /// A product multiplied out where that is shorter.
    private func shorterProduct(_ product: Term) -> Term {
        guard case .product(let factors) = product.node, factors.count > 1 || factors[0].exponent.whole.map({ $0 > 1 && $0 < 4 }) ?? false else {
            return product
        }
        // Σ · rest, for the sums of few parts.
        var best = product
        for (index, factor) in factors.enumerated() {
            if factor.exponent.isOne, case .pieces(let pieces, let otherwise) = nodes[factor.base], factors.count > 1 {
                let rest = self.product(factors.indices.filter { $0 != index }.map { power(term(factors[$0].base), factors[$0].exponent) })
                let inside = self.pieces(pieces.map { (term($0.condition), rest * term($0.value)) }, rest * term(otherwise))
                if leaves(inside) <= leaves(best) { best = inside }
            }
            guard factor.exponent.isOne, case .sum(let constant, let entries) = nodes[factor.base], entries.count <= 4,
                entries.contains(where: { self.cancels($0.term, factors) })
            else { continue }
            let rest = self.product(factors.indices.filter { $0 != index }.map { power(term(factors[$0].base), factors[$0].exponent) })
            let expanded = sum([(constant, rest)] + entries.map { ($0.coefficient, self.product([term($0.term), rest])) })
            let candidate = factored(expanded, depth: 2)
            if leaves(candidate) < leaves(best) { best = candidate }
        }
        return best
    }

    /// Whether a part of a term meets its inverse among some factors.
    private func cancels(_ id: Int, _ factors: [Factor]) -> Bool {
        self.factors(of: id).contains { part in factors.contains { $0.base == part.base && $0.exponent.isNegative != part.exponent.isNegative } }
    }

    // MARK: The function itself

    /// A derivative in terms of the function it is of, in the ways that may be shorter.
    /// - Parameters:
    ///   - f: What the function is.
    ///   - name: What stands for it.
    /// - Returns: Forms, the one that is most in terms of the function the last.
    package func reusing(_ f: Term, as name: Term, in root: Term) -> [Term] {
        guard f.number == nil, !isSymbol(f) else { return [] }
        var variants = [replacing(f, by: name, in: root)]
        // f = (k + c E)ⁿ says what E is: E = (f^(1/n) − k)/c.
        if case .product(let factors) = f.node, factors.count == 1, case .sum(let constant, let entries) = nodes[factors[0].base], entries.count == 1 {
            let bracket = power(name, factors[0].exponent.inverse)
            let replaced = (bracket - number(constant)) * number(entries[0].coefficient.inverse)
            variants.append(
                rewritten(variants[0]) { id, _ in
                    if id == entries[0].term { return replaced }
                    return id == factors[0].base ? bracket : nil
                })
        }
        return variants.filter { $0 != root }
    }

    private func isSymbol(_ term: Term) -> Bool { if case .symbol = term.node { true } else { false } }

    private func replacing(_ f: Term, by name: Term, in root: Term) -> Term {
        // f = c · P: where P stands, f/c does.
        var coefficient = Coefficient.one, core = f
        if case .sum(let constant, let entries) = f.node, constant.isZero, entries.count == 1 {
            (coefficient, core) = (entries[0].coefficient, term(entries[0].term))
        }
        let own = factors(of: core.id), value = coefficient.isOne ? name : number(coefficient.inverse) * name
        return rewritten(root) { id, part in
            if id == f.id { return name }
            if id == core.id { return value }
            guard case .product(let given) = self.nodes[id] else { return nil }
            var times: Int?
            for factor in own {
                guard let match = given.first(where: { $0.base == factor.base }) else { return nil }
                let ratio = match.exponent * factor.exponent.inverse
                let whole = own.count == 1 ? ratio.whole ?? 0 : Int(exactly: ratio.value.rounded(.down)) ?? 0
                guard whole >= 1 || own.count == 1 && whole < 0, whole.magnitude < 64 else { return nil }
                times = times.map { Swift.min($0, whole) } ?? whole
            }
            guard let times else { return nil }
            var rest: [Term] = [self.power(value, .fraction(times, 1))]
            for factor in given {
                let taken = own.first { $0.base == factor.base }.map { $0.exponent * .fraction(times, 1) } ?? .zero
                rest.append(self.power(part(factor.base), factor.exponent + -taken))
            }
            return self.product(rest)
        }
    }
}
