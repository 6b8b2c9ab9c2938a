// Formulas in LaTeX: `\sigma(x) \left(1 - \sigma(x)\right)`, `\frac{x}{2}`.

struct LatexWriter {
    private enum Level: Int, Comparable {
        case choice, sum, product, factor, atom
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    static func text(_ laidOut: LaidOut) -> String {
        let writer = LatexWriter()
        return ([writer.write(laidOut.main, .choice)] + laidOut.letters.reversed().map { "\(symbol($0.name)) = \(writer.write($0.value, .sum))" })
            .joined(separator: ", \\quad ")
    }

    /// Lines below each other, each with its rule.
    static func lines(_ left: String, _ lines: [(text: String, rule: String?)]) -> String {
        let rows = lines.enumerated().map { position, line in
            (position == 0 ? left : "") + " &= " + line.text + (line.rule.map { " && \\text{\($0)}" } ?? "")
        }
        return "\\begin{aligned}\n" + rows.joined(separator: " \\\\\n") + "\n\\end{aligned}"
    }

    static func symbol(_ name: String) -> String {
        let (stem, index) = TextWriter.parts(of: name)
        // pᵢ and δᵢⱼ.
        let below = String(stem.compactMap { TextWriter.indices[$0] }), plain = stem.filter { TextWriter.indices[$0] == nil }
        let letter = commands[plain] ?? (plain.count == 1 ? plain : "\\mathrm{\(plain.map { $0 == "_" ? "\\_" : String($0) }.joined())}")
        let lower = index + below
        return lower.isEmpty ? letter : "\(letter)_{\(lower)}"
    }

    /// The commands of Greek letters.
    private static let commands: [String: String] =
        TextWriter.greek.reduce(into: ["π": "\\pi"]) { $0[$1.value] = $1.key == "epsilon" ? "\\varepsilon" : $1.key == "phi" ? "\\varphi" : "\\" + $1.key }

    private static func function(_ head: Head) -> String {
        switch head {
        case .exp, .log, .sin, .cos, .tan, .sinh, .cosh, .tanh, .max, .min: return "\\" + head.name
        case .asin: return "\\arcsin"
        case .acos: return "\\arccos"
        case .atan: return "\\arctan"
        case .log2: return "\\log_{2}"
        case .log10: return "\\log_{10}"
        case .normal: return "\\Phi"
        case .density: return "\\varphi"
        case .sigma: return "\\sigma"
        case .own(let name, let primes):
            return (name.count == 1 || commands[name] != nil ? symbol(name) : "\\operatorname{\(name.map { $0 == "_" ? "\\_" : String($0) }.joined())}")
                + String(repeating: "'", count: primes)
        default: return "\\operatorname{\(head.name)}"
        }
    }

    @inline(never)
    private func write(_ shown: Shown, _ needed: Level) -> String {
        let (text, level) = text(of: shown)
        return level < needed ? bracketed(text) : text
    }

    /// Brackets grow with what is tall.
    private func bracketed(_ text: String) -> String {
        text.contains("\\frac") || text.contains("\\begin") || text.contains("^") ? "\\left(\(text)\\right)" : "(\(text))"
    }

    private func text(of shown: Shown) -> (String, Level) {
        switch shown {
        case .number(let digits): return (digits == "inf" ? "\\infty" : digits, digits.hasPrefix("-") ? .sum : .atom)
        case .symbol(let name): return (LatexWriter.symbol(name), .atom)
        case .negative(let part): return ("-" + write(part, .product), .sum)
        case .sum(let parts):
            var text = ""
            for (position, part) in parts.enumerated() {
                text += position == 0 ? (part.isNegative ? "-" : "") : part.isNegative ? " - " : " + "
                text += write(part.part, .product)
            }
            return (text, .sum)
        case .product(let parts): return (parts.map { write($0, .factor) }.joined(separator: " "), .product)
        case .fraction(let above, let below): return ("\\frac{\(write(above, .choice))}{\(write(below, .choice))}", .factor)
        case .power(let base, let exponent): return ("\(write(base, .atom))^{\(write(exponent, .choice))}", .factor)
        case .root(let part): return ("\\sqrt{\(write(part, .choice))}", .atom)
        case .call(let head, let arguments): return call(head, arguments)
        case .callPower(let head, let arguments, let exponent):
            return ("\(LatexWriter.function(head))^{\(write(exponent, .choice))}\(bracketed(list(arguments)))", .factor)
        case .relation(let relation, let a, let b): return ("\(write(a, .sum)) \(LatexWriter.sign(relation)) \(write(b, .sum))", .choice)
        case .between(let low, let x, let high): return ("\(write(low, .sum)) < \(write(x, .sum)) < \(write(high, .sum))", .choice)
        case .and(let a, let b): return ("\(write(a, .choice)) \\land \(write(b, .choice))", .choice)
        case .or(let a, let b): return ("\(write(a, .choice)) \\lor \(write(b, .choice))", .choice)
        case .not(let a): return ("\\lnot \(bracketed(write(a, .choice)))", .choice)
        case .truth(let value): return ("\\text{\(value)}", .atom)
        case .cases(let cases):
            let rows = cases.map { "\(write($0.value, .choice)) & \($0.condition.map { write($0, .choice) } ?? "\\text{else}")" }
            return ("\\begin{cases} \(rows.joined(separator: " \\\\ ")) \\end{cases}", .atom)
        case .prime(let part): return ("\(bracketed(write(part, .choice)))'", .factor)
        }
    }

    private func list(_ parts: [Shown]) -> String { parts.map { write($0, .choice) }.joined(separator: ", ") }

    private static func sign(_ relation: Relation) -> String {
        switch relation {
        case .less: "<"
        case .lessOrEqual: "\\leq"
        case .greater: ">"
        case .greaterOrEqual: "\\geq"
        case .equal: "="
        case .unequal: "\\neq"
        }
    }

    private func call(_ head: Head, _ arguments: [Shown]) -> (String, Level) {
        switch head {
        case .exp: return ("e^{\(write(arguments[0], .choice))}", .factor)
        case .abs: return ("\\left|\(write(arguments[0], .choice))\\right|", .atom)
        case .floor: return ("\\lfloor \(write(arguments[0], .choice)) \\rfloor", .atom)
        case .ceil: return ("\\lceil \(write(arguments[0], .choice)) \\rceil", .atom)
        case .softplus: return ("\\log\\left(1 + e^{\(write(arguments[0], .choice))}\\right)", .atom)
        case .sinc: return ("\\frac{\\sin(\(write(arguments[0], .choice)))}{\(write(arguments[0], .choice))}", .factor)
        case .mod: return ("(\(write(arguments[0], .sum)) \\bmod \(write(arguments[1], .sum)))", .atom)
        case .floordiv: return ("\\left\\lfloor \\frac{\(write(arguments[0], .choice))}{\(write(arguments[1], .choice))} \\right\\rfloor", .atom)
        case .total: return ("\\sum_{j} \(write(arguments[0], .factor))", .product)
        default: return ("\(LatexWriter.function(head))\(bracketed(list(arguments)))", .atom)
        }
    }
}
