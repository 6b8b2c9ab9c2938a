// Formulas as programs: pasted back they give the same values. Where there is a form that loses no digits, it is written: `log1p`, `expm1`.

struct ProgramWriter {
    private enum Level: Int, Comparable {
        case logic, comparison, sum, product, negative, power, atom
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    /// - Parameter variable: The name in which primes that are not carried out are taken.
    static func text(_ laidOut: LaidOut, variable: String) -> String {
        let writer = ProgramWriter(variable: variable), main = writer.write(laidOut.main, .logic)
        if laidOut.letters.isEmpty { return main }
        return "{ " + laidOut.letters.map { "\($0.name) = \(writer.write($0.value, .logic)); " }.joined() + main + " }"
    }

    private let variable: String

    @inline(never)
    private func write(_ shown: Shown, _ needed: Level) -> String {
        let (text, level) = text(of: shown)
        return level < needed ? "(\(text))" : text
    }

    private func list(_ parts: [Shown]) -> String { parts.map { write($0, .logic) }.joined(separator: ", ") }

    private func text(of shown: Shown) -> (String, Level) {
        switch shown {
        case .number(let digits): return (digits, digits.hasPrefix("-") ? .negative : .atom)
        case .symbol("π"): return ("pi", .atom)
        case .symbol(let name): return (name, .atom)
        case .negative(let part):
            let (text, level) = text(of: part)
            return level == .product ? ("-" + text, .product) : ("-" + write(part, .negative), .negative)
        case .sum(let parts): return sum(parts)
        case .product(let parts): return (parts.map { write($0, .negative) }.joined(separator: " * "), .product)
        case .fraction(let above, let below): return ("\(write(above, .product)) / \(write(below, .negative))", .product)
        case .power(let base, let exponent): return ("\(write(base, .atom))^\(write(exponent, .atom))", .power)
        case .root(let part): return ("sqrt(\(write(part, .logic)))", .atom)
        case .call(let head, let arguments): return call(head, arguments)
        case .callPower(let head, let arguments, let exponent):
            let (base, level) = call(head, arguments)
            return ("\(level < .atom ? "(\(base))" : base)^\(write(exponent, .atom))", .power)
        case .relation(let relation, let a, let b):
            let sign =
                switch relation {
                case .less: "<"
                case .lessOrEqual: "<="
                case .greater: ">"
                case .greaterOrEqual: ">="
                case .equal: "=="
                case .unequal: "!="
                }
            return ("\(write(a, .sum)) \(sign) \(write(b, .sum))", .comparison)
        case .between(let low, let x, let high): return ("\(write(low, .sum)) < \(write(x, .sum)) and \(write(x, .sum)) < \(write(high, .sum))", .logic)
        case .and(let a, let b): return ("\(write(a, .comparison)) and \(write(b, .comparison))", .logic)
        case .or(let a, let b): return ("\(write(a, .comparison)) or \(write(b, .comparison))", .logic)
        case .not(let a): return ("not (\(write(a, .logic)))", .logic)
        case .truth(let value): return ("\(value)", .atom)
        case .cases(let cases):
            var text = ""
            for (value, condition) in cases.dropLast() {
                if let condition { text += "where(\(write(condition, .logic)), \(write(value, .logic)), " }
            }
            if let last = cases.last { text += write(last.value, .logic) }
            return (text + String(repeating: ")", count: cases.count - 1), .atom)
        case .prime(let part): return ("(\(variable) -> \(write(part, .logic)))'(\(variable))", .atom)
        }
    }

    private func sum(_ parts: [(isNegative: Bool, part: Shown)]) -> (String, Level) {
        if parts.count == 2 {
            // eᵘ − 1, 1 − σ(u).
            if case (false, .call(.exp, let u)) = parts[0], case (true, .number("1")) = parts[1] { return ("expm1(\(list(u)))", .atom) }
            if case (false, .number("1")) = parts[0], case (true, .call(.sigma, let u)) = parts[1] {
                return ("sigmoid(\(write(.negative(u[0]), .logic)))", .atom)
            }
        }
        var text = ""
        for (position, part) in parts.enumerated() {
            text += position == 0 ? (part.isNegative ? "-" : "") : part.isNegative ? " - " : " + "
            text += write(part.part, .product)
        }
        return (text, .sum)
    }

    private func call(_ head: Head, _ arguments: [Shown]) -> (String, Level) {
        let first = arguments.isEmpty ? "" : write(arguments[0], .logic)
        switch head {
        case .exp:
            if case .number("1") = arguments[0] { return ("e", .atom) }
        case .log:
            if case .sum(let parts) = arguments[0], let one = parts.firstIndex(where: { if case (false, .number("1")) = $0 { true } else { false } }) {
                var rest = parts
                rest.remove(at: one)
                if rest.count == 1 { return ("log1p(\(rest[0].isNegative ? write(.negative(rest[0].part), .logic) : write(rest[0].part, .logic)))", .atom) }
                if let positive = rest.firstIndex(where: { !$0.isNegative }) { rest.insert(rest.remove(at: positive), at: 0) }
                return ("log1p(\(write(.sum(rest), .logic)))", .atom)
            }
            if case .call(.sigma, let u) = arguments[0] { return ("log_sigmoid(\(list(u)))", .atom) }
        case .normal: return ("erfc(\(write(.negative(arguments[0]), .product)) / sqrt(2)) / 2", .product)
        case .density: return ("exp(-\(write(arguments[0], .atom))^2 / 2) / sqrt(2 * pi)", .product)
        case .mod: return ("\(write(arguments[0], .product)) % \(write(arguments[1], .negative))", .product)
        case .floordiv: return ("\(write(arguments[0], .product)) // \(write(arguments[1], .negative))", .product)
        case .copysign: return ("abs(\(first)) * where(\(write(arguments[1], .sum)) < 0, -1, 1)", .product)
        default: break
        }
        return ("\(head.programName)(\(list(arguments)))", .atom)
    }
}
