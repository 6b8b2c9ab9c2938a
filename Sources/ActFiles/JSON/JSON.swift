// JSON as a tree: for headers of files and messages of protocols, which are small. Arrays of programs go past it (`JSONReader`).
//
// What must stay true: what is written is read back equal, in the same order; what a tree takes is taken from the limit while it grows.

import ActArray

/// A JSON value. Objects keep their order, and names that stand twice.
package enum JSON: Sendable {
    case null
    case flag(Bool)
    /// `isWhole`: written with digits alone, and a minus perhaps.
    case number(Double, isWhole: Bool = true)
    case text(String)
    case list([JSON])
    case object([(name: String, value: JSON)])

    package static func whole(_ number: Int) -> JSON { .number(Double(number)) }

    // MARK: Reading

    /// - Parameters:
    ///   - deepest: In how many brackets a value may stand. A level takes some of the caller's stack.
    ///   - mendsText: As `JSONReader` has it.
    ///   - held: Grows by what the tree takes, which is as long as the caller keeps it.
    /// - Throws: `JSONError`; `outOfMemory`, `interrupted`.
    package init(_ bytes: [UInt8], deepest: Int = 200, mendsText: Bool = false, held: inout Reservation) throws {
        var builder = Builder(reader: JSONReader(bytes, deepest: deepest, mendsText: mendsText))
        self = try builder.value(try builder.reader.next(), &held)
        try builder.reader.finish()
    }

    private struct Builder {
        var reader: JSONReader
        /// What has been made since the limit was asked last.
        private var made = 0

        init(reader: JSONReader) { self.reader = reader }

        private mutating func take(_ bytes: Int, _ held: inout Reservation) throws {
            made &+= bytes
            guard made > 1 << 14 else { return }
            try held.grow(by: made)
            made = 0
        }

        mutating func value(_ event: JSONReader.Event, _ held: inout Reservation) throws -> JSON {
            // A list that grows holds up to twice what it needs, and once more while it moves.
            try take(3 &* MemoryLayout<JSON>.stride, &held)
            switch event {
            case .null, .endList, .endObject: return .null
            case .bool(let flag): return .flag(flag)
            case .number(let number, let isWhole): return .number(number, isWhole: isWhole)
            case .text(let text, _), .name(let text):
                try take(text.utf8.count, &held)
                return .text(text)
            case .beginList:
                var values: [JSON] = []
                while true {
                    let event = try reader.next()
                    if case .endList = event { return .list(values) }
                    values.append(try value(event, &held))
                }
            case .beginObject:
                var fields: [(name: String, value: JSON)] = []
                while case .name(let name) = try reader.next() {
                    try take(3 &* MemoryLayout<String>.stride &+ name.utf8.count, &held)
                    fields.append((name, try value(try reader.next(), &held)))
                }
                return .object(fields)
            }
        }
    }

    // MARK: Writing

    /// Without spaces. Numbers that JSON lacks become `null`.
    /// - Throws: `textTooLong`, `outOfMemory`, `interrupted`; what a stream's sink throws.
    package func write(into text: inout TextBuilder) throws {
        switch self {
        case .null: try text.append("null")
        case .flag(let flag): try text.append(flag ? "true" : "false")
        case .number(let number, _): try text.append(JSON.whole(number).map(String.init) ?? (number.isFinite ? "\(number)" : "null"))
        case .text(let string): try JSON.write(string, into: &text)
        case .list(let values):
            try text.append("[")
            // Long lists are of whole numbers mostly, which are put together here: to append each to a text takes longer than to write it.
            var digits: [UInt8] = []
            for (index, value) in values.enumerated() {
                if index > 0 { digits.append(UInt8(ascii: ",")) }
                if case .number(let number, _) = value, let whole = JSON.whole(number) {
                    JSON.write(whole, into: &digits)
                } else {
                    try text.append(String(decoding: digits, as: UTF8.self))
                    digits.removeAll(keepingCapacity: true)
                    try value.write(into: &text)
                }
                if digits.count > 1 << 12 {
                    try text.append(String(decoding: digits, as: UTF8.self))
                    digits.removeAll(keepingCapacity: true)
                }
            }
            digits.append(UInt8(ascii: "]"))
            try text.append(String(decoding: digits, as: UTF8.self))
        case .object(let fields):
            try text.append("{")
            for (index, field) in fields.enumerated() {
                if index > 0 { try text.append(",") }
                try JSON.write(field.name, into: &text)
                try text.append(":")
                try field.value.write(into: &text)
            }
            try text.append("}")
        }
    }

    /// The whole number that a number is, if all its digits are certain.
    private static func whole(_ number: Double) -> Int? {
        guard let whole = Int(exactly: number), abs(number) < 0x1p53, !(number == 0 && number.sign == .minus) else { return nil }
        return whole
    }

    private static func write(_ whole: Int, into digits: inout [UInt8]) {
        if whole < 0 { digits.append(UInt8(ascii: "-")) }
        let start = digits.count
        var rest = whole.magnitude
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        if digits.count - start > 1 { digits[start...].reverse() }
    }

    /// As `write` does.
    package func text() throws -> String {
        var text = TextBuilder()
        try write(into: &text)
        return text.text
    }

    /// A text in quotes, with the escapes that the standard asks for.
    /// - Parameter escapesFirst: Writes the first byte, an ASCII one, as an escape that means the same.
    package static func write(_ string: String, escapesFirst: Bool = false, into text: inout TextBuilder) throws {
        try text.append("\"")
        // Runs that need no escape are taken as they are.
        let bytes = string.utf8
        var start = bytes.startIndex
        if escapesFirst, let first = bytes.first {
            try text.append("\\u00" + String(first, radix: 16))
            start = bytes.index(after: start)
        }
        var index = start
        while index < bytes.endIndex {
            let byte = bytes[index], next = bytes.index(after: index)
            if byte < 32 || byte == 34 || byte == 92 {
                try text.append(string[start..<index])
                switch byte {
                case 34: try text.append("\\\"")
                case 92: try text.append("\\\\")
                case 10: try text.append("\\n")
                case 9: try text.append("\\t")
                case 13: try text.append("\\r")
                default: try text.append("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
                }
                start = next
            }
            index = next
        }
        try text.append(string[start...])
        try text.append("\"")
    }

    // MARK: Looking into it

    /// The value of a name, of several the last; `nil` in what is not an object.
    package subscript(name: String) -> JSON? {
        guard case .object(let fields) = self else { return nil }
        return fields.last { $0.name == name }?.value
    }

    package var asText: String? { if case .text(let text) = self { text } else { nil } }
    package var asFlag: Bool? { if case .flag(let flag) = self { flag } else { nil } }
    package var asNumber: Double? { if case .number(let number, _) = self { number } else { nil } }
    package var asWhole: Int? { asNumber.flatMap { Int(exactly: $0) } }
    package var asList: [JSON]? { if case .list(let values) = self { values } else { nil } }
    package var isNull: Bool { if case .null = self { true } else { false } }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    package init(stringLiteral text: String) { self = .text(text) }
    package init(booleanLiteral flag: Bool) { self = .flag(flag) }
    package init(integerLiteral number: Int) { self = .whole(number) }
    package init(arrayLiteral values: JSON...) { self = .list(values) }
    package init(dictionaryLiteral fields: (String, JSON)...) { self = .object(fields.map { (name: $0.0, value: $0.1) }) }
}
