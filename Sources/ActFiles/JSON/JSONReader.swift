// JSON (RFC 8259) read piece by piece: whoever makes values of it asks for one event after the other. The language's values, the headers of
// network files and the messages of protocols are all read here.
//
// What must stay true: it holds no more than one text and a bit for each open bracket, however long and deep the input is; it takes what
// the standard allows and nothing besides, and says where the first fault is; Ctrl-C ends it.

import ActArray
import ActText

/// What keeps a text from being JSON.
package enum JSONFault: Sendable, Equatable {
    case tooDeep(Int)
    case valueMissing, valueExpected, textAfterValue, nameExpected, colonExpected
    case repeatedName(String)
    /// Or the closing bracket.
    case commaExpected(close: Character)
    case digitExpected, digitAfterPoint, digitInExponent, unreadableNumber, numberTooLarge, inexactNumber
    case openString, stringNotUTF8, controlCharacter, unknownEscape, hexadecimalExpected, halfSurrogate
}

/// A fault and its place; lines and columns count from 1, columns in characters of Unicode.
package struct JSONError: Error, Equatable {
    package let fault: JSONFault
    package let line: Int
    package let column: Int
}

package struct JSONReader {
    package enum Event {
        case null
        case bool(Bool)
        /// `isWhole`: written with digits alone, and a minus perhaps.
        case number(Double, isWhole: Bool)
        /// `isPlain`: written without an escape.
        case text(String, isPlain: Bool)
        /// Of the value that follows.
        case name(String)
        case beginList, endList, beginObject, endObject
    }

    private enum Expectation { case value, firstValue, name, firstName, comma }

    private let bytes: [UInt8]
    private let deepest: Int
    private let mendsText: Bool
    private var position = 0
    private var expectation = Expectation.value
    /// Whether each bracket that is open is an object's.
    private var open: [Bool] = []
    /// Where the last event begins.
    private var start = 0

    /// - Parameters:
    ///   - bytes: A mark of UTF-8 may come first.
    ///   - deepest: In how many brackets a value may stand.
    ///   - mendsText: Takes half of a pair of surrogates, which some programs write, as U+FFFD.
    package init(_ bytes: [UInt8], deepest: Int, mendsText: Bool = false) {
        self.bytes = bytes
        self.deepest = deepest
        self.mendsText = mendsText
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    /// The bytes of the last event as they were written.
    package var written: ArraySlice<UInt8> { bytes[start..<position] }

    /// A fault that whoever makes values finds in the last event: at its start. `interrupted` if the lines before it are still being counted then.
    package func refusal(_ fault: JSONFault) -> Error { error(fault, at: start) }

    private func error(_ fault: JSONFault) -> Error { error(fault, at: position) }

    private func error(_ fault: JSONFault, at end: Int) -> Error {
        var line = 1, column = 1
        for (index, byte) in bytes.prefix(end).enumerated() {
            if index & 0xffff == 0, Interrupt.isSet { return ArrayError.interrupted }
            if byte == 10 {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        return JSONError(fault: fault, line: line, column: column)
    }

    /// - Returns: The next event of the one value, which is whole when its last bracket has closed.
    /// - Throws: `JSONError`; `interrupted`.
    package mutating func next() throws -> Event {
        try Interrupt.check()
        if expectation == .comma, let isObject = open.last {
            try skipSpace()
            let close = UInt8(ascii: isObject ? "}" : "]")
            guard let byte = current, byte == close || byte == UInt8(ascii: ",") else { throw error(.commaExpected(close: Character(UnicodeScalar(close)))) }
            if byte == close { return end(isObject) }
            position += 1
            expectation = isObject ? .name : .value
        }
        let expected = expectation
        expectation = .comma
        switch expected {
        case .firstValue:
            try skipSpace()
            return current == UInt8(ascii: "]") ? end(false) : try value()
        case .firstName:
            try skipSpace()
            return current == UInt8(ascii: "}") ? end(true) : try name()
        case .name: return try name()
        case .value, .comma: return try value()
        }
    }

    /// For when the value is whole.
    /// - Throws: `textAfterValue`.
    package mutating func finish() throws {
        try skipSpace()
        if current != nil { throw error(.textAfterValue) }
    }

    // MARK: Pieces

    private var current: UInt8? {
        @inline(__always) get { position < bytes.count ? bytes[position] : nil }
    }

    /// To the next byte, with a look at Ctrl-C now and then: spaces, strings and numbers may be long.
    @inline(__always)
    private mutating func advance() throws {
        position += 1
        if position & 0xffff == 0 { try Interrupt.check() }
    }

    private mutating func skipSpace() throws {
        while let byte = current, byte == 32 || byte == 9 || byte == 10 || byte == 13 { try advance() }
    }

    private mutating func begin(_ isObject: Bool) -> Event {
        position += 1
        open.append(isObject)
        expectation = isObject ? .firstName : .firstValue
        return isObject ? .beginObject : .beginList
    }

    private mutating func end(_ isObject: Bool) -> Event {
        position += 1
        open.removeLast()
        return isObject ? .endObject : .endList
    }

    private mutating func value() throws -> Event {
        guard open.count <= deepest else { throw error(.tooDeep(deepest)) }
        try skipSpace()
        start = position
        switch current {
        case UInt8(ascii: "["): return begin(false)
        case UInt8(ascii: "{"): return begin(true)
        case UInt8(ascii: "\""):
            let (text, isPlain) = try string()
            return .text(text, isPlain: isPlain)
        case nil: throw error(.valueMissing)
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        default:
            if take("true") { return .bool(true) }
            if take("false") { return .bool(false) }
            if take("null") { return .null }
            throw error(.valueExpected)
        }
    }

    private mutating func take(_ word: StaticString) -> Bool {
        guard bytes[position...].starts(with: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)) else { return false }
        position += word.utf8CodeUnitCount
        return true
    }

    private mutating func name() throws -> Event {
        try skipSpace()
        start = position
        guard current == UInt8(ascii: "\"") else { throw error(.nameExpected) }
        let name = try string().text
        try skipSpace()
        guard current == UInt8(ascii: ":") else { throw error(.colonExpected) }
        position += 1
        expectation = .value
        return .name(name)
    }

    private mutating func number() throws -> Event {
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 48 && $0 <= 57 } ?? false }
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let first = position
        var small = 0
        if current == UInt8(ascii: "0") {
            position += 1
        } else {
            guard isDigit(current) else { throw error(.digitExpected) }
            while let byte = current, isDigit(byte) {
                small = small &* 10 &+ Int(byte &- 48)
                try advance()
            }
        }
        let isWhole = current != UInt8(ascii: ".") && current.map { $0 | 32 } != UInt8(ascii: "e")
        // So few digits are the number.
        if isWhole, position - first <= 15 { return .number(isNegative ? -Double(small) : Double(small), isWhole: true) }
        if current == UInt8(ascii: ".") {
            position += 1
            guard isDigit(current) else { throw error(.digitAfterPoint) }
            while isDigit(current) { try advance() }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard isDigit(current) else { throw error(.digitInExponent) }
            while isDigit(current) { try advance() }
        }
        guard let number = try DecimalText.number(written, check: Interrupt.check) else { throw error(.unreadableNumber) }
        if number.isInfinite { throw error(.numberTooLarge) }
        return .number(number, isWhole: isWhole)
    }

    private mutating func string() throws -> (text: String, isPlain: Bool) {
        position += 1
        var text: [UInt8] = [], isPlain = true
        var first = position
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                let run = bytes[first..<position]
                try advance()
                if !isPlain { text += run }
                guard let string = isPlain ? String(validating: run, as: UTF8.self) : String(validating: text, as: UTF8.self) else {
                    throw error(.stringNotUTF8)
                }
                return (string, isPlain)
            case UInt8(ascii: "\\"):
                isPlain = false
                text += bytes[first..<position]
                try advance()
                try escape(into: &text)
                first = position
            case 0..<32:
                position += 1
                throw error(.controlCharacter)
            default: try advance()
            }
        }
        throw error(.openString)
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let byte = current else { throw error(.openString) }
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
            if code & 0xfc00 == 0xd800 {
                let back = position
                if take("\\u") {
                    let low = try hexadecimal()
                    if low & 0xfc00 == 0xdc00 { code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff } else { position = back }
                }
            }
            guard let scalar = UnicodeScalar(code) ?? (mendsText ? "\u{FFFD}" : nil) else { throw error(.halfSurrogate) }
            text += String(Character(scalar)).utf8
        default: throw error(.unknownEscape)
        }
    }

    private mutating func hexadecimal() throws -> UInt32 {
        var code: UInt32 = 0
        guard bytes.count - position >= 4 else { throw error(.hexadecimalExpected) }
        for index in position..<position + 4 {
            switch bytes[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): code = code << 4 | UInt32(bytes[index] - 48)
            case UInt8(ascii: "a")...UInt8(ascii: "f"): code = code << 4 | UInt32(bytes[index] - 87)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): code = code << 4 | UInt32(bytes[index] - 55)
            default: throw error(.hexadecimalExpected)
            }
        }
        position += 4
        return code
    }
}
