// Formulas as text in Unicode: `σ(x) (1 - σ(x))`, `x²/2`, `e^-x`.

struct TextWriter {
    /// How tightly a part must hold together to stand where it does.
    private enum Level: Int, Comparable {
        case choice, sum, product, factor, atom
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    static func text(_ laidOut: LaidOut) -> String {
        let writer = TextWriter()
        return ([writer.write(laidOut.main, .choice)] + laidOut.letters.reversed().map { "\(symbol($0.name)) = \(writer.write($0.value, .sum))" })
            .joined(separator: ", ")
    }

    // MARK: Names

    static let greek = [
        "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ",
        "nu": "ν", "xi": "ξ", "rho": "ρ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "sigma": "σ",
    ]

    /// A name with its last digits as an index, and what stands for a name of a Greek letter.
    static func parts(of name: String) -> (name: String, index: String) {
        let stem = name.prefix(while: { !$0.isASCII || !$0.isNumber }), digits = name.dropFirst(stem.count)
        guard !stem.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return (greek[name] ?? name, "") }
        return (greek[String(stem)] ?? String(stem), String(digits))
    }

    static func symbol(_ name: String) -> String {
        let (stem, index) = parts(of: name)
        return stem + String(index.map { lowered[$0] ?? $0 })
    }

    static let indices: [Character: Character] = ["ᵢ": "i", "ⱼ": "j"]
    private static let lowered: [Character: Character] = Dictionary(uniqueKeysWithValues: zip("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
    private static let raised: [Character: Character] = Dictionary(uniqueKeysWithValues: zip("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))

    static func sign(_ relation: Relation) -> String {
        switch relation {
        case .less: "<"
        case .lessOrEqual: "≤"
        case .greater: ">"
        case .greaterOrEqual: "≥"
        case .equal: "="
        case .unequal: "≠"
        }
    }

    // MARK: Parts

    @inline(never)
    private func write(_ shown: Shown, _ needed: Level) -> String {
        let (text, level) = text(of: shown)
        return level < needed ? "(\(text))" : text
    }

    private func text(of shown: Shown) -> (String, Level) {
        switch shown {
        case .number(let digits): return (digits == "inf" ? "∞" : digits, digits.hasPrefix("-") ? .sum : .atom)
        case .symbol(let name): return (TextWriter.symbol(name), .atom)
        case .negative(let part): return ("-" + write(part, .product), .sum)
        case .sum(let parts):
            var text = ""
            for (position, part) in parts.enumerated() {
                text += position == 0 ? (part.isNegative ? "-" : "") : part.isNegative ? " - " : " + "
                text += write(part.part, .product)
            }
            return (text, .sum)
        case .product(let parts): return (parts.map { write($0, .factor) }.joined(separator: " "), .product)
        case .fraction(let above, let below): return (write(above, .product) + "/" + write(below, .factor), .product)
        case .power(let base, let exponent):
            // A letter keeps what is raised apart from what is raised of its own.
            let text = write(base, .atom)
            return (text + raised(exponent), .factor)
        case .root(let part): return ("√" + (part.isAtom && !isCall(part) ? write(part, .atom) : "(\(write(part, .choice)))"), .factor)
        case .call(let head, let arguments): return call(head, arguments)
        case .callPower(let head, let arguments, let exponent):
            return (head.name + raised(exponent) + "(\(arguments.map { write($0, .choice) }.joined(separator: ", ")))", .factor)
        case .relation(let relation, let a, let b): return ("\(write(a, .sum)) \(TextWriter.sign(relation)) \(write(b, .sum))", .choice)
        case .between(let low, let x, let high): return ("\(write(low, .sum)) < \(write(x, .sum)) < \(write(high, .sum))", .choice)
        case .and(let a, let b): return ("\(write(a, .choice)) and \(write(b, .choice))", .choice)
        case .or(let a, let b): return ("(\(write(a, .choice)) or \(write(b, .choice)))", .choice)
        case .not(let a): return ("not (\(write(a, .choice)))", .choice)
        case .truth(let value): return ("\(value)", .atom)
        case .cases(let cases):
            return (
                cases.map { value, condition in condition.map { "\(write(value, .sum)) if \(write($0, .choice))" } ?? "else \(write(value, .sum))" }.joined(
                    separator: ", "), .choice
            )
        case .prime(let part): return ("(\(write(part, .choice)))'", .factor)
        }
    }

    private func isCall(_ shown: Shown) -> Bool { if case .call = shown { true } else { false } }

    private func raised(_ exponent: Shown) -> String {
        if case .number(let digits) = exponent, digits.allSatisfy({ TextWriter.raised[$0] != nil }) {
            return String(digits.map { TextWriter.raised[$0] ?? $0 })
        }
        if exponent.isAtom { return "^" + write(exponent, .atom) }
        if case .negative(let part) = exponent, part.isAtom { return "^-" + write(part, .atom) }
        return "^(\(write(exponent, .choice)))"
    }

    private func call(_ head: Head, _ arguments: [Shown]) -> (String, Level) {
        switch head {
        case .exp:
            if case .number("1") = arguments[0] { return ("e", .atom) }
            return ("e" + (raised(arguments[0]).first == "^" ? raised(arguments[0]) : "^" + write(arguments[0], .atom)), .factor)
        case .abs: return ("|\(write(arguments[0], .choice))|", .atom)
        case .floor: return ("⌊\(write(arguments[0], .choice))⌋", .atom)
        case .ceil: return ("⌈\(write(arguments[0], .choice))⌉", .atom)
        case .softplus: return ("log(1 + \(call(.exp, arguments).0))", .atom)
        case .sinc: return ("sin(\(write(arguments[0], .choice)))/\(write(arguments[0], .factor))", .product)
        case .mod: return ("(\(write(arguments[0], .sum)) mod \(write(arguments[1], .sum)))", .atom)
        case .floordiv: return ("⌊\(write(arguments[0], .product))/\(write(arguments[1], .factor))⌋", .atom)
        case .total: return ("Σⱼ \(write(arguments[0], .factor))", .factor)
        default: return ("\(head.name)(\(arguments.map { write($0, .choice) }.joined(separator: ", ")))", .atom)
        }
    }
}
