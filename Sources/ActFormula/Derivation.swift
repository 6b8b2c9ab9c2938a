// How a derivative is found, one rule a line. Primes that are not carried out are terms; a line replaces those that one rule is for.
//
// What must stay true: every line has the value of the one before.

/// One line, and the rule that led to it.
package struct DerivationStep {
    package let term: Term
    /// `nil` in front of the first.
    package let rule: String?
}

extension Algebra {
    /// The way from (f)′ to the derivative.
    /// - Throws: `FormulaError.tooLong` for more lines than anybody reads.
    package func derivation(of f: Term, in x: Term) throws -> [DerivationStep] {
        var current = prime(f)
        var steps = [DerivationStep(term: current, rule: nil)]
        while let (_, rule) = nextPrime(in: current, x) {
            try check()
            guard steps.count < 60 else { throw FormulaError.tooLong }
            let next = rewritten(current) { id, part in
                guard case .prime(let inner) = self.nodes[id], self.rule(for: inner, x) == rule else { return nil }
                return self.applied(rule, to: inner, x)
            }
            steps.append(DerivationStep(term: next, rule: rule.name))
            current = next
        }
        let short = shortest(current)
        if short != current { steps.append(DerivationStep(term: short, rule: "collected")) }
        return steps
    }

    /// The first prime that is still to be carried out, as the formula is read.
    private func nextPrime(in root: Term, _ x: Term) -> (Int, DerivationRule)? {
        var pending = [root.id], seen: Set<Int> = []
        while let id = pending.popLast() {
            guard seen.insert(id).inserted else { continue }
            if case .prime(let inner) = nodes[id] { return (id, rule(for: inner, x)) }
            pending += parts(of: id).reversed()
        }
        return nil
    }

    private func varies(_ id: Int, _ x: Term) -> Bool { reachable(from: [term(id)]).contains(x.id) }

    private func rule(for id: Int, _ x: Term) -> DerivationRule {
        guard varies(id, x) else { return .constant }
        switch nodes[id] {
        case .sum(let constant, let entries): return entries.count == 1 && constant.isZero ? .constantFactor : .sum
        case .product(let factors):
            if factors.count == 1 { return factors[0].base == x.id ? .power : .chainOfPower }
            if factors.count(where: { varies($0.base, x) }) == 1 { return .constantFactor }
            return factors.contains { $0.exponent.isNegative && varies($0.base, x) } && factors.contains { !$0.exponent.isNegative } ? .quotient : .product
        case .power(let base, let exponent):
            if !varies(base, x) { return exponent == x.id ? .exponential : .chainOfExponential }
            return varies(exponent, x) ? .generalPower : base == x.id ? .power : .chainOfPower
        case .pieces: return .pieces
        case .call(.max, _), .call(.min, _), .call(.clip, _): return .extremes
        case .call(_, let arguments): return arguments == [x.id] ? .function : .chain
        default: return .power
        }
    }

    private func applied(_ rule: DerivationRule, to id: Int, _ x: Term) -> Term {
        func primed(_ part: Int) -> Term { varies(part, x) ? prime(term(part)) : number(.zero) }
        switch rule {
        case .quotient:
            guard case .product(let factors) = nodes[id] else { break }
            let above = product(factors.filter { !$0.exponent.isNegative }.map { power(term($0.base), $0.exponent) })
            let below = product(factors.filter(\.exponent.isNegative).map { power(term($0.base), -$0.exponent) })
            return (primed(above.id) * below - above * primed(below.id)) / below.squared
        case .product:
            guard case .product(let factors) = nodes[id] else { break }
            let parts = factors.map { power(term($0.base), $0.exponent) }
            return sum(
                parts.indices.map { index in
                    (.one, product(parts.indices.map { $0 == index ? primed(parts[$0].id) : parts[$0] }))
                })
        case .constantFactor:
            if case .product(let factors) = nodes[id] {
                return product(
                    factors.map {
                        let part = power(term($0.base), $0.exponent); return varies(part.id, x) ? prime(part) : part
                    })
            }
        default: break
        }
        return slope(of: id, x) { $0 == x.id ? number(.one) : primed($0) }
    }
}

/// The rules of differentiation by their names.
private enum DerivationRule {
    case constant, constantFactor, sum, product, quotient, power, chainOfPower, exponential, chainOfExponential, generalPower, function, chain, pieces, extremes

    var name: String {
        switch self {
        case .constant: "constant"
        case .constantFactor: "constant factor"
        case .sum: "sum rule"
        case .product: "product rule"
        case .quotient: "quotient rule"
        case .power: "power rule"
        case .chainOfPower: "power and chain rule"
        case .exponential: "exponential"
        case .chainOfExponential: "exponential and chain rule"
        case .generalPower: "u^v = e^(v log u)"
        case .function: "derivative of a known function"
        case .chain: "chain rule"
        case .pieces: "each piece by itself"
        case .extremes: "the side that counts"
        }
    }
}

/// Why something is not a formula.
package enum FormulaError: Error, Equatable {
    /// More terms or lines than anybody reads.
    case tooLong
    /// The style has no words for it.
    case style(String, of: String)
    /// It is not a function of single numbers.
    case alongAxis(String)
    /// The program itself says what the slope is.
    case ownSlope
}
