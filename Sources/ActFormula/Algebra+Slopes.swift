// Derivatives of terms: the slopes of the functions, and the rules that join them.
//
// What must stay true: where act says what a slope is at a kink, so does this: a side that is a constant has slope 0 where the varying side ties, and of two
// varying sides that tie each counts half.

extension Algebra {
    /// The derivative in a symbol.
    package func derivative(of root: Term, in x: Term) -> Term {
        let ids = reachable(from: [root]), varying = depending(on: x, among: ids)
        var slopes: [Int: Term] = [:]
        let zero = number(.zero)
        for id in ids where varying.contains(id) {
            if isFull { return zero }
            slopes[id] = id == x.id ? number(.one) : slope(of: id, x) { slopes[$0] ?? zero }
        }
        return slopes[root.id] ?? zero
    }

    /// The derivative of a term from those of its parts.
    /// - Parameter part: The derivative of a part, zero where it does not vary.
    func slope(of id: Int, _ x: Term, _ part: (Int) -> Term) -> Term {
        switch nodes[id] {
        case .number, .truth, .compare, .and, .or, .not: return number(.zero)
        case .symbol: return number(id == x.id ? .one : .zero)
        case .sum(_, let entries): return sum(entries.map { ($0.coefficient, part($0.term)) })
        case .product(let factors):
            return sum(
                factors.indices.map { index in
                    let factor = factors[index], base = term(factor.base)
                    var rest = factors.indices.filter { $0 != index }.map { power(term(factors[$0].base), factors[$0].exponent) }
                    rest += [number(factor.exponent), power(base, factor.exponent + -.one), part(factor.base)]
                    return (Coefficient.one, product(rest))
                })
        case .power(let base, let exponent):
            let (u, v) = (term(base), term(exponent))
            let fromBase = product([v, power(u, v - 1), part(base)]), fromExponent = product([term(id), call(.log, [u]), part(exponent)])
            return sum([(.one, fromBase), (.one, fromExponent)])
        case .call(let head, let arguments):
            return pieceSlope(of: head, arguments.map(term), part)
                ?? sum(
                    arguments.indices.map {
                        (.one, part(arguments[$0]).isZero ? number(.zero) : product([slope(of: head, arguments.map(term), $0), part(arguments[$0])]))
                    })
        case .pieces(let given, let otherwise): return pieces(given.map { (term($0.condition), part($0.value)) }, part(otherwise))
        case .prime(let inner): return prime(part(inner))
        }
    }

    /// The derivative of what is made of pieces.
    func pieceSlope(of head: Head, _ u: [Term], _ part: (Int) -> Term) -> Term? {
        switch head {
        case .max, .min:
            guard u.count == 2 else { return nil }
            let relation: Relation = head == .max ? .greater : .less
            let (first, second) = (part(u[0].id), part(u[1].id))
            // The varying side first: at a tie the slope is that of the constant, 0.
            if first.isZero { return choose(compare(relation, u[1], u[0]), second, first) }
            if second.isZero { return choose(compare(relation, u[0], u[1]), first, second) }
            let ahead = compare(relation, u[0], u[1]), behind = compare(relation.mirrored, u[0], u[1]), tied = (first + second) / 2
            // `x > …` first, as books have it.
            if case .compare(.less, _, _) = ahead.node { return pieces([(behind, second), (ahead, first)], tied) }
            return pieces([(ahead, first), (behind, second)], tied)
        case .clip:
            let inside = and(compare(.greater, u[0], u[1]), compare(.less, u[0], u[2]))
            let (low, high) = (part(u[1].id), part(u[2].id))
            if low.isZero, high.isZero { return choose(inside, part(u[0].id), low) }
            return pieces([(inside, part(u[0].id)), (compare(.lessOrEqual, u[0], u[1]), low)], high)
        default: return nil
        }
    }

    /// The partial derivative of a function in one of its arguments.
    func slope(of head: Head, _ u: [Term], _ index: Int) -> Term {
        let x = u[0]
        switch head {
        case .exp: return call(.exp, [x])
        case .log: return 1 / x
        case .log2: return 1 / (x * call(.log, [number(2)]))
        case .log10: return 1 / (x * call(.log, [number(10)]))
        case .sin: return call(.cos, [x])
        case .cos: return -call(.sin, [x])
        case .tan: return 1 + call(.tan, [x]).squared
        case .asin: return 1 / (1 - x.squared).root
        case .acos: return -(1 / (1 - x.squared).root)
        case .atan: return 1 / (1 + x.squared)
        case .sinh: return call(.cosh, [x])
        case .cosh: return call(.sinh, [x])
        case .tanh: return 1 - call(.tanh, [x]).squared
        case .asinh: return 1 / (x.squared + 1).root
        case .acosh: return 1 / (x.squared - 1).root
        case .atanh: return 1 / (1 - x.squared)
        case .erf: return 2 * call(.exp, [-x.squared]) / pi.root
        case .erfc: return -2 * call(.exp, [-x.squared]) / pi.root
        case .normal: return call(.density, [x])
        case .density: return -(x * call(.density, [x]))
        case .sigma: return call(.sigma, [x]) * (1 - call(.sigma, [x]))
        case .softplus: return call(.sigma, [x])
        case .sinc: return (call(.cos, [x]) - call(.sinc, [x])) / x
        case .abs: return call(.sign, [x])
        case .sign, .floor, .ceil, .round, .trunc, .floordiv, .max, .min, .clip: return number(.zero)
        case .mod: return index == 0 ? number(.one) : -call(.floordiv, u)
        case .atan2:
            let square = x.squared + u[1].squared
            return index == 0 ? u[1] / square : -(x / square)
        case .copysign: return index == 0 ? call(.sign, [x]) * call(.copysign, [number(1), u[1]]) : number(.zero)
        case .total: return number(.one)
        case .own(let name, let primes): return call(.own(name, primes: primes + 1), u)
        }
    }
}
