// JSON that front ends and editors might send, and JSON that they would not: the words of both protocols.

extension Generator {
    /// A text of the protocol: what stands in quotes.
    static func quoted(_ bytes: Bytes) -> Bytes {
        var text: Bytes = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case ..<0x20: text += Array((byte < 16 ? "\\u000" : "\\u00").utf8) + Array(String(byte, radix: 16).utf8)
            default: text.append(byte)
            }
        }
        return text + [UInt8(ascii: "\"")]
    }

    static func quoted(_ text: String) -> Bytes { quoted(Array(text.utf8)) }

    /// An object of JSON.
    static func object(_ fields: [(name: String, value: Bytes)]) -> Bytes {
        var text = Array("{".utf8)
        for (index, field) in fields.enumerated() { text += (index > 0 ? Array(",".utf8) : []) + quoted(field.name) + Array(":".utf8) + field.value }
        return text + Array("}".utf8)
    }

    /// Some JSON of some kind.
    func value(_ random: inout Random, depth: Int = 3) -> Bytes {
        switch random.below(depth > 0 ? 9 : 6) {
        case 0: Array(random.pick(["null", "true", "false", "{}", "[]", "\"\""], or: "null").utf8)
        case 1, 2: number(&random)
        case 3: Self.quoted(random.pick(corpus.expressions, or: Piece([])).bytes)
        case 4: Self.quoted(noise(&random))
        case 5: Self.quoted(random.pick(["file:///a.act", "𝛔é가", "\\sigma", "utf-8", "In [1]", "x"], or: "x"))
        case 6:
            Array("[".utf8) + Array((0..<random.below(5)).map { _ in value(&random, depth: depth - 1) }.joined(separator: Array(",".utf8))) + Array("]".utf8)
        default:
            Self.object(
                (0..<random.below(5)).map { _ in
                    (random.pick(["code", "text", "uri", "range", "start", "line", "character", "id", "x"], or: "x"), value(&random, depth: depth - 1))
                })
        }
    }

    func number(_ random: inout Random) -> Bytes {
        Array(
            random.pick(
                [
                    "0", "1", "2", "7", "100", "-1", "-0", "1.5", "2147483647", "2147483648", "-2147483649", "9007199254740993", "9223372036854775807",
                    "9223372036854775808", "18446744073709551616", "1e308", "1e999", "-1e19", "1e-400",
                ], or: "0"
            ).utf8)
    }

    func noise(_ random: inout Random) -> Bytes { (0..<random.below(300)).map { _ in UInt8(truncatingIfNeeded: random.next()) } }

    /// A value that stands where another was meant, one time in so many.
    func mostly(_ right: Bytes, _ random: inout Random, oneIn count: Int = 8) -> Bytes {
        random.below(count) == 0 ? value(&random) : right
    }

    /// What a program of the corpus, or a broken one, says.
    func code(_ random: inout Random) -> Bytes {
        switch random.below(6) {
        case 0: random.pick(corpus.expressions, or: Piece([])).bytes
        case 1: random.pick(corpus.statements, or: Piece([])).bytes
        case 2: Array(random.pick(["?relu", ":vars", "relu(", "\"\"\"", "exit(3)", "while true { }", "x = ", ">>> 1", "%time 1", "print(1)", ""], or: "").utf8)
        default: trial(random.below(1 << 30)).program
        }
    }

    /// JSON with faults in its text: cut, with bytes exchanged, or deep.
    func faulty(_ text: Bytes, _ random: inout Random) -> Bytes {
        var text = text
        switch random.below(4) {
        case 0: return Array(text.prefix(random.below(text.count + 1)))
        case 1:
            for _ in 0...random.below(4) where !text.isEmpty { text[random.below(text.count)] = UInt8(truncatingIfNeeded: random.next()) }
            return text
        case 2:
            let depth = 1 << random.below(18), opening = random.pick(["[", "{\"a\":"], or: "[")
            return Array(String(repeating: opening, count: depth).utf8) + (random.chance(50) ? Array(repeating: UInt8(ascii: "]"), count: depth) : [])
        default: return noise(&random)
        }
    }
}
