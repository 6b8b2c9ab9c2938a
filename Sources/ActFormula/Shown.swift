// A formula as it is laid out on paper: what stands before what, what above the line, what gets a letter of its own. All writers read this.
//
// What must stay true: it is no deeper than `Layout.depth` levels, so that writers may recurse; letters are defined before they are used.

indirect enum Shown: Equatable {
    /// Not negative.
    case number(String)
    case symbol(String)
    case negative(Shown)
    /// The signs say what is taken off.
    case sum([(isNegative: Bool, part: Shown)])
    case product([Shown])
    case fraction(Shown, Shown)
    case power(Shown, Shown)
    case root(Shown)
    case call(Head, [Shown])
    /// sin²(x)
    case callPower(Head, [Shown], Shown)
    case relation(Relation, Shown, Shown)
    /// a < x < b
    case between(Shown, Shown, Shown)
    case and(Shown, Shown)
    case or(Shown, Shown)
    case not(Shown)
    case truth(Bool)
    /// The last has no condition, unless it is the opposite of the only other.
    case cases([(value: Shown, condition: Shown?)])
    /// (u)′
    case prime(Shown)

    static func == (a: Shown, b: Shown) -> Bool { "\(a)" == "\(b)" }

    /// One thing, which needs no brackets around it.
    var isAtom: Bool {
        switch self {
        case .number, .symbol, .call: true
        default: false
        }
    }
}

/// A formula with the letters that it uses for its longer parts.
struct LaidOut {
    let main: Shown
    let letters: [(name: String, value: Shown)]
}

struct Layout {
    private let algebra: Algebra
    private let variable: Int
    /// Whether the text is for a program, whose numbers and order of operations are to be kept.
    private let isProgram: Bool
    private var letters: [Int: String] = [:]

    private static let depth = 24

    /// - Parameter variable: That in which derivatives are taken: it stands behind other symbols.
    static func of(_ root: Term, variable: Term, isProgram: Bool) throws -> LaidOut {
        var layout = Layout(algebra: root.algebra, variable: variable.id, isProgram: isProgram)
        let ids = root.algebra.reachable(from: [root])
        let named = try layout.chooseLetters(root, ids)
        return LaidOut(
            main: layout.shown(root.id, isDefinition: true),
            letters: named.map { (layout.letters[$0] ?? "", layout.shown($0, isDefinition: true)) })
    }

    private init(algebra: Algebra, variable: Int, isProgram: Bool) {
        (self.algebra, self.variable, self.isProgram) = (algebra, variable, isProgram)
    }

    // MARK: Letters

    /// Gives a letter to what is long and stands there more than once, and to what is too deep.
    private mutating func chooseLetters(_ root: Term, _ ids: [Int]) throws -> [Int] {
        guard algebra.length(root) > 90 else { return [] }
        var uses: [Int: Int] = [:], symbols: Set<String> = ["e"]
        for id in ids {
            for part in algebra.parts(of: id) { uses[part, default: 0] += 1 }
            if case .symbol(let name) = algebra.nodes[id] { symbols.insert(name) }
        }
        var names = Layout.names(besides: symbols).makeIterator()
        var chosen: [Int] = [], lengths: [Int: Int] = [:], depths: [Int: Int] = [:]
        for id in ids {
            let parts = algebra.parts(of: id)
            depths[id] = 1 + (parts.map { letters[$0] == nil ? depths[$0] ?? 0 : 0 }.max() ?? 0)
            lengths[id] = 3 + parts.reduce(0) { $0 + (letters[$1] == nil ? lengths[$1] ?? 1 : 1) + 2 }
            guard id != root.id, isValue(id) else { continue }
            let isLong = lengths[id] ?? 0 > 14 && uses[id] ?? 0 > 1
            guard isLong || depths[id] ?? 0 >= Layout.depth || lengths[id] ?? 0 > 400 else { continue }
            guard let name = names.next() else { throw FormulaError.tooLong }
            letters[id] = name
            chosen.append(id)
        }
        return chosen
    }

    private func isValue(_ id: Int) -> Bool {
        switch algebra.nodes[id] {
        case .compare, .and, .or, .not, .truth, .symbol, .number, .prime: false
        default: true
        }
    }

    private static func names(besides symbols: Set<String>) -> some Sequence<String> {
        let first = ["u", "v", "w", "s", "t", "p", "q", "r", "z", "y"]
        return (first + (1...600).map { "u\($0)" }).lazy.filter { !symbols.contains($0) }
    }

    // MARK: Terms

    private func shown(_ id: Int, isDefinition: Bool = false) -> Shown {
        if !isDefinition, let letter = letters[id] { return .symbol(letter) }
        switch algebra.nodes[id] {
        case .number(let value): return shown(value, [])
        case .symbol(let name): return .symbol(name)
        case .sum(let constant, let entries): return shownSum(constant, entries)
        case .product(let factors): return shown(.one, factors)
        case .power(let base, let exponent): return .power(shown(base), shown(exponent))
        case .call(let head, let arguments): return .call(head, arguments.map { shown($0) })
        case .compare(let relation, let a, let b): return .relation(relation, shown(a), shown(b))
        case .and(let a, let b):
            // lo < x < hi
            if case .compare(let first, let x, let low) = algebra.nodes[a], case .compare(let second, let y, let high) = algebra.nodes[b], x == y,
                first == .greater, second == .less
            {
                return isProgram ? .and(shown(a), shown(b)) : .between(shown(low), shown(x), shown(high))
            }
            return .and(shown(a), shown(b))
        case .or(let a, let b): return .or(shown(a), shown(b))
        case .not(let a): return .not(shown(a))
        case .truth(let value): return .truth(value)
        case .pieces(let pieces, let otherwise):
            var cases: [(Shown, Shown?)] = pieces.map { (shown($0.value), shown($0.condition)) }
            let isPair = pieces.count == 1 && { if case .compare = algebra.nodes[pieces[0].condition] { true } else { false } }()
            let opposite = isPair && !isProgram ? shown(algebra.not(algebra.term(pieces[0].condition)).id) : nil
            cases.append((shown(otherwise), opposite))
            return .cases(cases)
        case .prime(let inner): return .prime(shown(inner))
        }
    }

    // MARK: Sums

    private func shownSum(_ constant: Coefficient, _ entries: [Algebra.Entry]) -> Shown {
        var parts: [(isNegative: Bool, part: Shown)]
        let degrees = entries.map { degree($0.term) }
        if degrees.allSatisfy({ $0 != nil }), entries.count > 0 {
            // A polynomial, from the highest power down.
            let order = entries.indices.sorted { (-(degrees[$0] ?? 0), $0) < (-(degrees[$1] ?? 0), $1) }
            parts = order.map { part(entries[$0]) }
            if !constant.isZero { parts.append((constant.isNegative, shown(constant.magnitude, []))) }
        } else {
            parts = entries.map(part)
            if !constant.isZero {
                let item = (constant.isNegative, shown(constant.magnitude, []))
                if constant.isNegative { parts.append(item) } else { parts.insert(item, at: 0) }
            }
        }
        if parts[0].isNegative, let positive = parts.firstIndex(where: { !$0.isNegative }) { parts.insert(parts.remove(at: positive), at: 0) }
        if parts.count == 1 { return parts[0].isNegative ? .negative(parts[0].part) : parts[0].part }
        return .sum(parts)
    }

    private func part(_ entry: Algebra.Entry) -> (isNegative: Bool, part: Shown) {
        (entry.coefficient.isNegative, scaled(entry.coefficient.magnitude, entry.term))
    }

    private func scaled(_ coefficient: Coefficient, _ id: Int) -> Shown {
        if coefficient.isOne { return shown(id) }
        if letters[id] == nil, case .product(let factors) = algebra.nodes[id] { return shown(coefficient, factors) }
        return shown(coefficient, [Algebra.Factor(base: id, exponent: .one)])
    }

    /// Of a product of whole powers of symbols.
    private func degree(_ id: Int) -> Int? {
        switch algebra.nodes[id] {
        case .symbol: return 1
        case .product(let factors):
            var total = 0
            for factor in factors {
                guard case .symbol = algebra.nodes[factor.base], let whole = factor.exponent.whole, whole > 0, whole < 1000 else { return nil }
                total += whole
            }
            return total
        default: return nil
        }
    }

    // MARK: Products

    private func rank(_ id: Int) -> Int {
        switch algebra.nodes[id] {
        case .number: 0
        case .symbol("π"): 1
        case .symbol: id == variable ? 3 : 2
        case .sum, .pieces, .prime: 6
        case .call(.exp, _): 5
        default: 4
        }
    }

    private func shown(_ coefficient: Coefficient, _ factors: [Algebra.Factor]) -> Shown {
        let order = factors.sorted { (rank($0.base), $0.base) < (rank($1.base), $1.base) }
        var above: [Shown] = [], below: [Shown] = []
        for factor in order {
            if factor.exponent.isNegative { below.append(power(factor.base, -factor.exponent)) } else { above.append(power(factor.base, factor.exponent)) }
        }
        let isNegative = coefficient.isNegative, digits = coefficient.magnitude.parts
        if digits.above != "1" || above.isEmpty { above.insert(.number(digits.above), at: 0) }
        if digits.below != 1 { below.insert(.number("\(digits.below)"), at: 0) }
        let numerator = above.count == 1 ? above[0] : Shown.product(above)
        let value = below.isEmpty ? numerator : .fraction(numerator, below.count == 1 ? below[0] : .product(below))
        return isNegative ? .negative(value) : value
    }

    private func power(_ base: Int, _ exponent: Coefficient) -> Shown {
        if exponent.isOne { return shown(base) }
        if exponent == .half { return .root(shown(base)) }
        let digits = exponent.parts
        let shownExponent: Shown = digits.below == 1 ? .number(digits.above) : .fraction(.number(digits.above), .number("\(digits.below)"))
        if letters[base] == nil, exponent.whole != nil, case .call(let head, let arguments) = algebra.nodes[base], head.takesPower {
            return .callPower(head, arguments.map { shown($0) }, shownExponent)
        }
        // log²(1 + eᵘ)
        if letters[base] == nil, !isProgram, exponent.whole != nil, case .call(.softplus, let arguments) = algebra.nodes[base] {
            return .callPower(.log, [.sum([(false, .number("1")), (false, .call(.exp, [shown(arguments[0])]))])], shownExponent)
        }
        return .power(shown(base), shownExponent)
    }
}
