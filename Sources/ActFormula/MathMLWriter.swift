// Formulas in MathML, as pages show them.

struct MathMLWriter {
    private enum Level: Int, Comparable {
        case choice, sum, product, factor, atom
        static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
    }

    static func text(_ laidOut: LaidOut) -> String { page(row(laidOut)) }

    static func row(_ laidOut: LaidOut) -> String {
        let writer = MathMLWriter()
        let letters = laidOut.letters.reversed().map { writer.symbol($0.name) + op("=") + writer.write($0.value, .sum) }
        return ([writer.write(laidOut.main, .choice)] + letters).joined(separator: "<mo>,</mo><mspace width=\"1em\"/>")
    }

    static func page(_ row: String) -> String { "<math xmlns=\"http://www.w3.org/1998/Math/MathML\"><mrow>\(row)</mrow></math>" }

    /// Lines below each other, each with its rule.
    static func lines(_ left: String, _ lines: [(row: String, rule: String?)]) -> String {
        let rows = lines.enumerated().map { position, line in
            "<mtr><mtd>\(position == 0 ? "<mi>\(escaped(left))</mi>" : "")</mtd><mtd>\(op("="))\(line.row)</mtd><mtd>\(line.rule.map { "<mtext>\(escaped($0))</mtext>" } ?? "")</mtd></mtr>"
        }
        return page("<mtable>\(rows.joined())</mtable>")
    }

    private static func escaped(_ text: String) -> String {
        String(
            text.flatMap { character -> String in
                switch character {
                case "<": "&lt;"
                case ">": "&gt;"
                case "&": "&amp;"
                default: String(character)
                }
            })
    }

    private static func op(_ text: String) -> String { "<mo>\(escaped(text))</mo>" }
    private func op(_ text: String) -> String { MathMLWriter.op(text) }
    private func name(_ text: String) -> String { "<mi>\(MathMLWriter.escaped(text))</mi>" }

    private func symbol(_ text: String) -> String {
        let (stem, index) = TextWriter.parts(of: text)
        // pᵢ and δᵢⱼ.
        let letters = stem.compactMap { TextWriter.indices[$0] }.map { name(String($0)) }.joined(), plain = stem.filter { TextWriter.indices[$0] == nil }
        if index.isEmpty, letters.isEmpty { return name(stem) }
        return "<msub>\(name(plain))\(row(letters + (index.isEmpty ? "" : "<mn>\(index)</mn>")))</msub>"
    }

    private func row(_ content: String) -> String { "<mrow>\(content)</mrow>" }
    private func bracketed(_ content: String) -> String { row(op("(") + content + op(")")) }

    @inline(never)
    private func write(_ shown: Shown, _ needed: Level) -> String {
        let (text, level) = text(of: shown)
        return level < needed ? bracketed(text) : text
    }

    private func list(_ parts: [Shown]) -> String { parts.map { row(write($0, .choice)) }.joined(separator: op(",")) }

    private func text(of shown: Shown) -> (String, Level) {
        switch shown {
        case .number(let digits): return ("<mn>\(digits == "inf" ? "∞" : digits)</mn>", digits.hasPrefix("-") ? .sum : .atom)
        case .symbol(let name): return (symbol(name), .atom)
        case .negative(let part): return (op("−") + write(part, .product), .sum)
        case .sum(let parts):
            var text = ""
            for (position, part) in parts.enumerated() {
                text += position == 0 ? (part.isNegative ? op("−") : "") : op(part.isNegative ? "−" : "+")
                text += write(part.part, .product)
            }
            return (text, .sum)
        // Times, which is not shown.
        case .product(let parts): return (parts.map { write($0, .factor) }.joined(separator: "<mo>&#x2062;</mo>"), .product)
        case .fraction(let above, let below): return ("<mfrac>\(row(write(above, .choice)))\(row(write(below, .choice)))</mfrac>", .factor)
        case .power(let base, let exponent): return ("<msup>\(row(write(base, .atom)))\(row(write(exponent, .choice)))</msup>", .factor)
        case .root(let part): return ("<msqrt>\(write(part, .choice))</msqrt>", .atom)
        case .call(let head, let arguments): return call(head, arguments)
        case .callPower(let head, let arguments, let exponent):
            return ("<msup>\(name(head.name))\(row(write(exponent, .choice)))</msup><mo>&#x2061;</mo>\(bracketed(list(arguments)))", .factor)
        case .relation(let relation, let a, let b): return (write(a, .sum) + op(TextWriter.sign(relation)) + write(b, .sum), .choice)
        case .between(let low, let x, let high): return (write(low, .sum) + op("<") + write(x, .sum) + op("<") + write(high, .sum), .choice)
        case .and(let a, let b): return (write(a, .choice) + op("∧") + write(b, .choice), .choice)
        case .or(let a, let b): return (write(a, .choice) + op("∨") + write(b, .choice), .choice)
        case .not(let a): return (op("¬") + bracketed(write(a, .choice)), .choice)
        case .truth(let value): return ("<mtext>\(value)</mtext>", .atom)
        case .cases(let cases):
            let rows = cases.map {
                "<mtr><mtd>\(write($0.value, .choice))</mtd><mtd>\($0.condition.map { write($0, .choice) } ?? "<mtext>else</mtext>")</mtd></mtr>"
            }
            return (row(op("{") + "<mtable>\(rows.joined())</mtable>"), .atom)
        case .prime(let part): return ("<msup>\(bracketed(write(part, .choice)))<mo>′</mo></msup>", .factor)
        }
    }

    private func call(_ head: Head, _ arguments: [Shown]) -> (String, Level) {
        let first = arguments.isEmpty ? "" : row(write(arguments[0], .choice))
        switch head {
        case .exp: return ("<msup><mi>e</mi>\(first)</msup>", .factor)
        case .abs: return (row(op("|") + first + op("|")), .atom)
        case .floor: return (row(op("⌊") + first + op("⌋")), .atom)
        case .ceil: return (row(op("⌈") + first + op("⌉")), .atom)
        case .softplus: return (name("log") + "<mo>&#x2061;</mo>" + bracketed("<mn>1</mn>" + op("+") + "<msup><mi>e</mi>\(first)</msup>"), .atom)
        case .sinc: return ("<mfrac>\(row(name("sin") + "<mo>&#x2061;</mo>" + bracketed(first)))\(first)</mfrac>", .factor)
        case .mod: return (bracketed(write(arguments[0], .sum) + op("mod") + write(arguments[1], .sum)), .atom)
        case .floordiv: return (row(op("⌊") + "<mfrac>\(first)\(row(write(arguments[1], .choice)))</mfrac>" + op("⌋")), .atom)
        case .total: return ("<munder>\(op("∑"))<mi>j</mi></munder>" + write(arguments[0], .factor), .product)
        default: return (name(head.name) + "<mo>&#x2061;</mo>" + bracketed(list(arguments)), .atom)
        }
    }
}
