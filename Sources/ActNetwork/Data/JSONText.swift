// The little JSON that network files need: their header, and the description of layers in it.

/// A JSON value. Objects keep their order.
indirect enum JSONText: Sendable {
    case null
    case flag(Bool)
    /// `isWhole`: written with digits alone, and a minus perhaps.
    case number(Double, isWhole: Bool = true)
    case text(String)
    case list([JSONText])
    case object([(name: String, value: JSONText)])

    subscript(name: String) -> JSONText? {
        guard case .object(let fields) = self else { return nil }
        return fields.last { $0.name == name }?.value
    }

    var string: String {
        switch self {
        case .null: "null"
        case .flag(let flag): flag ? "true" : "false"
        case .number(let number, _): number == number.rounded() && abs(number) < 0x1p53 ? String(Int(number)) : "\(number)"
        case .text(let text): JSONText.quoted(text)
        case .list(let values): "[" + values.map(\.string).joined(separator: ",") + "]"
        case .object(let fields): "{" + fields.map { JSONText.quoted($0.name) + ":" + $0.value.string }.joined(separator: ",") + "}"
        }
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 32:
                let hexadecimal = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// A network inside another takes two levels, and programs nest networks less than 10,000 deep.
    private static let deepest = 20_000

    /// - Returns: `nil` for what is not JSON, or nested deeper than `deepest`.
    init?(_ bytes: some Collection<UInt8>) {
        var reader = Reader(bytes: Array(bytes))
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        private mutating func skipSpace() {
            while let byte = next, byte == 32 || byte == 9 || byte == 10 || byte == 13 { position += 1 }
        }

        var isAtEnd: Bool {
            mutating get {
                skipSpace()
                return position == bytes.count
            }
        }

        private mutating func take(_ text: StaticString) -> Bool {
            let count = text.utf8CodeUnitCount
            guard position + count <= bytes.count, (0..<count).allSatisfy({ bytes[position + $0] == text.utf8Start[$0] }) else { return false }
            position += count
            return true
        }

        mutating func value(depth: Int) -> JSONText? {
            skipSpace()
            guard depth < JSONText.deepest, let byte = next else { return nil }
            switch byte {
            case UInt8(ascii: "{"): return object(depth)
            case UInt8(ascii: "["): return list(depth)
            case UInt8(ascii: "\""): return text().map { .text($0) }
            case UInt8(ascii: "t"): return take("true") ? .flag(true) : nil
            case UInt8(ascii: "f"): return take("false") ? .flag(false) : nil
            case UInt8(ascii: "n"): return take("null") ? .null : nil
            default:
                return number()
            }
        }

        private mutating func digits() -> Int {
            let start = position
            while let byte = next, byte >= 48 && byte <= 57 { position += 1 }
            return position - start
        }

        private mutating func number() -> JSONText? {
            let start = position
            var isWhole = true
            _ = take("-")
            let isZero = next == 48, count = digits()
            guard count == 1 || count > 1 && !isZero else { return nil }
            if take(".") {
                isWhole = false
                guard digits() > 0 else { return nil }
            }
            if take("e") || take("E") {
                isWhole = false
                if !take("+") { _ = take("-") }
                guard digits() > 0 else { return nil }
            }
            return Double(String(decoding: bytes[start..<position], as: UTF8.self)).map { .number($0, isWhole: isWhole) }
        }

        private mutating func object(_ depth: Int) -> JSONText? {
            var fields: [(String, JSONText)] = []
            position += 1
            skipSpace()
            if take("}") { return .object([]) }
            while true {
                skipSpace()
                guard next == UInt8(ascii: "\""), let name = text() else { return nil }
                skipSpace()
                guard take(":"), let value = value(depth: depth + 1) else { return nil }
                fields.append((name, value))
                skipSpace()
                if take("}") { return .object(fields) }
                guard take(",") else { return nil }
            }
        }

        private mutating func list(_ depth: Int) -> JSONText? {
            var values: [JSONText] = []
            position += 1
            skipSpace()
            if take("]") { return .list([]) }
            while true {
                guard let value = value(depth: depth + 1) else { return nil }
                values.append(value)
                skipSpace()
                if take("]") { return .list(values) }
                guard take(",") else { return nil }
            }
        }

        private mutating func text() -> String? {
            var result: [UInt8] = []
            position += 1
            while let byte = next {
                position += 1
                switch byte {
                case UInt8(ascii: "\""): return String(validating: result, as: UTF8.self)
                case UInt8(ascii: "\\"): guard escape(into: &result) else { return nil }
                case 0..<32: return nil
                default: result.append(byte)
                }
            }
            return nil
        }

        private mutating func escape(into result: inout [UInt8]) -> Bool {
            guard let byte = next else { return false }
            position += 1
            switch byte {
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(byte)
            case UInt8(ascii: "u"):
                guard var code = hexadecimal() else { return false }
                if code & 0xfc00 == 0xd800 {
                    guard take("\\u"), let low = hexadecimal(), low & 0xfc00 == 0xdc00 else { return false }
                    code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff
                }
                guard let scalar = Unicode.Scalar(code) else { return false }
                result.append(contentsOf: String(Character(scalar)).utf8)
            default: return false
            }
            return true
        }

        private mutating func hexadecimal() -> UInt32? {
            guard position + 4 <= bytes.count else { return nil }
            defer { position += 4 }
            let digits = bytes[position..<position + 4]
            guard digits.allSatisfy({ $0 >= 48 && $0 <= 57 || $0 | 32 >= 97 && $0 | 32 <= 102 }) else { return nil }
            return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        }
    }
}
