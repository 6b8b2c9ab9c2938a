// JSON (RFC 8259) as values and values as JSON. Numbers keep every digit; NaN and the infinities, which JSON lacks, are the strings
// "NaN", "Infinity" and "-Infinity", in both directions. So that every value comes back, a text of these letters is written with its
// first one escaped ("\u004eaN"): to other readers that is the same text, here an escape says that it is no number.

import ActArray
import ActMachine
import ActText
import CActKernels

enum JSON {
    /// How deep arrays and objects may be nested in what is read.
    static let deepest = 1000

    // MARK: Writing

    static func text(_ value: Value) throws -> TextBuilder {
        var text = TextBuilder()
        try write(value, into: &text)
        return text
    }

    static func write(_ value: Value, into text: inout TextBuilder) throws {
        try Interrupt.check()
        switch value {
        case .none, .undefined, .gathering: try text.append("null")
        case .bool(let bool): try text.append(bool ? "true" : "false")
        case .number(let number): try write(number, isSingle: false, into: &text)
        case .string(let string): try write(string.string, into: &text)
        case .array(let array):
            let held = try Reservation(array.count &* 8), numbers = try array.toDoubles()
            var position = 0
            try write(numbers, &position, array.shape[...], array.type, into: &text)
            _ = held.bytes
        case .list(let list):
            try text.append("[")
            for (index, element) in list.elements.enumerated() {
                if index > 0 { try text.append(", ") }
                try write(element, into: &text)
            }
            try text.append("]")
        case .record(let record):
            try text.append("{")
            for (index, field) in record.fields.enumerated() {
                if index > 0 { try text.append(", ") }
                try write(field.key, isName: true, into: &text)
                try text.append(": ")
                try write(field.value, into: &text)
            }
            try text.append("}")
        case .function, .figure: throw FileRefusal.notJSON(value)
        }
    }

    private static func write(_ numbers: [Double], _ position: inout Int, _ shape: ArraySlice<Int>, _ type: ElementType, into text: inout TextBuilder) throws {
        guard let size = shape.first else {
            if type == .bool {
                try text.append(numbers[position] != 0 ? "true" : "false")
            } else {
                try write(numbers[position], isSingle: type == .f32, into: &text)
            }
            position += 1
            return
        }
        try text.append("[")
        for index in 0..<size {
            if index > 0 { try text.append(", ") }
            if (position &+ index) & 0xfff == 0 { try Interrupt.check() }
            try write(numbers, &position, shape.dropFirst(), type, into: &text)
        }
        try text.append("]")
    }

    private static func write(_ number: Double, isSingle: Bool, into text: inout TextBuilder) throws {
        // Readers for which 0 has no sign have it for 0.0.
        if number == 0, number.sign == .minus {
            try text.append("-0.0")
        } else if number.isFinite {
            try text.append(Format.exactNumber(number, isSingle: isSingle))
        } else {
            try text.append(number.isNaN ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"")
        }
    }

    /// What the strings that stand for numbers mean.
    static func number(named text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: nil
        }
    }

    private static func write(_ string: String, isName: Bool = false, into text: inout TextBuilder) throws {
        try text.append("\"")
        // Runs that need no escape are taken as they are.
        let bytes = string.utf8
        var start = bytes.startIndex
        if !isName, number(named: string) != nil, let first = bytes.first {
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

    // MARK: Reading

    /// Arrays of numbers, bools or such arrays of one shape become arrays, others lists.
    /// - Parameter path: Of the file that it is read from.
    /// - Throws: `FileRefusal.badJSON` with the line and column of what is wrong.
    static func value(_ bytes: [UInt8], _ machine: Machine, path: String? = nil) throws -> Value {
        var reader = JSONReader(bytes: bytes, machine: machine, path: path)
        return try reader.document()
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    let machine: Machine
    let path: String?
    private var position = 0

    init(bytes: [UInt8], machine: Machine, path: String?) {
        self.bytes = bytes
        self.machine = machine
        self.path = path
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func document() throws -> Value {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
        let value = try self.value(depth: 0)
        try skipSpace()
        if next != nil { throw wrong(.textAfterValue) }
        return value
    }

    private func wrong(_ fault: JSONFault) -> Error {
        var line = 1
        var column = 1
        for (index, byte) in bytes.prefix(position).enumerated() {
            if index & 0xffff == 0, Interrupt.isSet { return ArrayError.interrupted }
            if byte == 10 {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        return FileRefusal.badJSON(fault, line: line, column: column, path: path)
    }

    /// To the next byte, with a look at Ctrl-C now and then: spaces, strings and numbers may be long.
    @inline(__always)
    private mutating func advance() throws {
        position += 1
        if position & 0xffff == 0 { try Interrupt.check() }
    }

    private mutating func skipSpace() throws {
        while let byte = next, byte == 32 || byte == 9 || byte == 10 || byte == 13 { try advance() }
    }

    private mutating func value(depth: Int) throws -> Value {
        try Interrupt.check()
        guard depth <= JSON.deepest else { throw wrong(.tooDeep(JSON.deepest)) }
        try skipSpace()
        switch next {
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "\""):
            let start = position, text = try string()
            // The quotes and nothing but the letters between them: without an escape.
            if position - start == text.utf8.count + 2, let number = JSON.number(named: text) { return .number(number) }
            return .string(text)
        case nil: throw wrong(.valueMissing)
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .number(try number())
        default:
            for (word, value) in [("true", Value.bool(true)), ("false", .bool(false)), ("null", .none)] where bytes[position...].starts(with: word.utf8) {
                position += word.utf8.count
                return value
            }
            throw wrong(.valueExpected)
        }
    }

    private mutating func array(_ depth: Int) throws -> Value {
        position += 1
        var elements: [Value] = []
        try skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
        } else {
            while true {
                elements.append(try value(depth: depth + 1))
                if elements.count & 0xffff == 0 { try Memory.check(for: elements.count &* 16) }
                if try !isMore(until: UInt8(ascii: "]")) { break }
            }
        }
        guard let first = elements.first else { return try machine.makeArray([]) }
        let isBool = if case .bool = first { true } else { false }
        let areAlike = elements.allSatisfy { element in
            switch element {
            case .number, .array: !isBool
            case .bool: isBool
            default: false
            }
        }
        if areAlike {
            do { return try machine.makeArray(elements) } catch RuntimeError.raggedRows {}
        }
        return try .list(elements)
    }

    private mutating func object(_ depth: Int) throws -> Value {
        position += 1
        var fields = Fields()
        try skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return try .record(fields)
        }
        while true {
            try skipSpace()
            guard next == UInt8(ascii: "\"") else { throw wrong(.nameExpected) }
            let name = try string()
            if fields[name] != nil { throw wrong(.repeatedName(name)) }
            try skipSpace()
            guard next == UInt8(ascii: ":") else { throw wrong(.colonExpected) }
            position += 1
            fields[name] = try value(depth: depth + 1)
            if try !isMore(until: UInt8(ascii: "}")) { break }
        }
        return try .record(fields)
    }

    /// Goes past a comma, or past the closing bracket, which gives false.
    private mutating func isMore(until close: UInt8) throws -> Bool {
        try skipSpace()
        guard let byte = next, byte == close || byte == UInt8(ascii: ",") else { throw wrong(.commaExpected(close: Character(UnicodeScalar(close)))) }
        position += 1
        return byte != close
    }

    private mutating func number() throws -> Double {
        let start = position
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 48 && $0 <= 57 } ?? false }
        if next == UInt8(ascii: "-") { position += 1 }
        if next == UInt8(ascii: "0") {
            position += 1
        } else {
            guard isDigit(next) else { throw wrong(.digitExpected) }
            while isDigit(next) { try advance() }
        }
        if next == UInt8(ascii: ".") {
            position += 1
            guard isDigit(next) else { throw wrong(.digitAfterPoint) }
            while isDigit(next) { try advance() }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            guard isDigit(next) else { throw wrong(.digitInExponent) }
            while isDigit(next) { try advance() }
        }
        guard let number = try DecimalText.number(bytes[start..<position], check: Interrupt.check) else { throw wrong(.unreadableNumber) }
        if number.isInfinite { throw wrong(.numberTooLarge) }
        if position - start > 15, !isExact(number, start) { throw wrong(.inexactNumber) }
        return number
    }

    /// Whether a number that is written with digits alone, which is what counts and what names things, is the number that was read.
    private func isExact(_ number: Double, _ start: Int) -> Bool {
        let text = bytes[start..<position]
        guard text.allSatisfy({ $0 >= 48 && $0 <= 57 || $0 == UInt8(ascii: "-") }) else { return true }
        return printed(number, "f", precision: 0).utf8.elementsEqual(text)
    }

    private mutating func string() throws -> String {
        position += 1
        var text: [UInt8] = []
        while true {
            guard let byte = next else { throw wrong(.openString) }
            try advance()
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw wrong(.stringNotUTF8) }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<32: throw wrong(.controlCharacter)
            default: text.append(byte)
            }
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let byte = next else { throw wrong(.openString) }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if code >= 0xd800 && code < 0xdc00, next == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") {
                let back = position
                position += 2
                let low = try hexadecimal()
                if low >= 0xdc00 && low < 0xe000 { code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00) } else { position = back }
            }
            guard let scalar = UnicodeScalar(code) else { throw wrong(.halfSurrogate) }
            text += String(Character(scalar)).utf8
        default: throw wrong(.unknownEscape)
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        let digits = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
        guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let code = UInt32(digits, radix: 16) else {
            throw wrong(.hexadecimalExpected)
        }
        position += 4
        return code
    }
}
