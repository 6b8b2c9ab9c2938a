// The rows and fields of a table's text, and what single fields hold. A field in quotes may hold separators, line ends and doubled quotes.

import ActArray
import ActText

struct CsvReader {
    /// They outlive the reader, which never leaves the closure that gave them.
    let bytes: UnsafeRawBufferPointer
    private(set) var separator: UInt8
    private var decimalMark: UInt8 = 0x2E
    private let options: Csv.Options
    /// What begins a comment anywhere in a line.
    private let comment: [UInt8]
    private let missing: Set<String>

    init(_ bytes: UnsafeRawBufferPointer, _ options: Csv.Options) {
        // A byte-order mark is not part of the first field.
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? UnsafeRawBufferPointer(rebasing: bytes.dropFirst(3)) : bytes
        self.options = options
        separator = options.separator ?? 0x2C
        comment = Array((options.comment ?? "").utf8)
        missing = options.missing ?? Csv.usualMissing
    }

    struct Field {
        /// Without the quotes.
        var range: Range<Int>
        var isQuoted: Bool
    }

    // MARK: Guesses

    /// Finds the separator and the decimal mark where they are not given.
    mutating func guess() throws {
        // What stands for the point parts no fields.
        if options.separator == nil { separator = try [UInt8(9), 0x3B].first(where: parts) ?? (options.hasDecimalComma == true ? 0x3B : 0x2C) }
        if try options.hasDecimalComma ?? (separator == 0x3B && usesDecimalComma()) { decimalMark = 0x2C }
    }

    private enum Stop: Error { case here }

    /// Whether a separator makes the first rows equally long, and more than one field.
    private func parts(_ separator: UInt8) throws -> Bool {
        var other = self, width = 0
        other.separator = separator
        do {
            try other.forEachRow { row, fields in
                if row == 0 { width = fields.count }
                if row == 100 || width < 2 { throw Stop.here }
                if fields.count != width {
                    width = 0
                    throw Stop.here
                }
            }
        } catch is Stop {} catch is Csv.Fault { return false }
        return width > 1
    }

    /// Where `;` parts the fields a comma may stand for the point: if some number has one, and none has a point.
    private func usesDecimalComma() throws -> Bool {
        var withComma = self, hasComma = false, hasPoint = false
        withComma.decimalMark = 0x2C
        func isNumber(_ content: Content) -> Bool { if case .number = content { true } else { false } }
        do {
            try forEachRow { _, fields in
                for field in fields {
                    try Interrupt.check()
                    let part = bytes[field.range]
                    if part.contains(0x2E), isNumber(try content(field)) {
                        hasPoint = true
                        throw Stop.here
                    }
                    if !hasComma, part.contains(0x2C) { hasComma = isNumber(try withComma.content(field)) }
                }
            }
        } catch is Stop {}
        return hasComma && !hasPoint
    }

    // MARK: Rows and fields

    /// Calls `body` with every row and its number. Blank lines are not rows; between the rows of a single column, where they could be
    /// nothing else, they are fields without content.
    func forEachRow(_ body: (_ row: Int, _ fields: [Field]) throws -> Void) throws {
        var fields: [Field] = [], row = 0, blanks = 0, width = 0, lines = 0
        var cursor = Cursor(self)
        while !cursor.isAtEnd {
            lines += 1
            if lines & 4095 == 0 { try Interrupt.check() }
            if cursor.isAtComment || options.comment == nil && row == 0 && cursor.isAt(0x23) {
                try cursor.skipLine()
                continue
            }
            let line = try cursor.readLine(into: &fields, row)
            if line.isBlank {
                if width == 1, !line.isOnlyComment { blanks += 1 }
                continue
            }
            for _ in 0..<blanks {
                try body(row, [Field(range: 0..<0, isQuoted: false)])
                row += 1
            }
            blanks = 0
            if row == 0 { width = fields.count }
            try body(row, fields)
            row += 1
        }
    }

    /// A place in the text, which moves on from field to field.
    private struct Cursor {
        private let reader: CsvReader
        private let bytes: UnsafeRawBufferPointer
        /// Without a comment to look for, its first byte is one at which fields end anyway.
        private let mark: UInt8
        private var position = 0

        init(_ reader: CsvReader) {
            self.reader = reader
            bytes = reader.bytes
            mark = reader.comment.first ?? 10
        }

        var isAtEnd: Bool { position == bytes.count }
        var isAtComment: Bool { !reader.comment.isEmpty && bytes[position...].starts(with: reader.comment) }
        func isAt(_ byte: UInt8) -> Bool { position < bytes.count && bytes[position] == byte }
        private var isAtLineEnd: Bool { isAt(10) || isAt(13) }

        /// To the next byte, with a look at Ctrl-C now and then: a single field may fill a file.
        @inline(__always)
        private mutating func advance() throws {
            position += 1
            if position & 0xffff == 0 { try Interrupt.check() }
        }

        /// To the next line.
        mutating func skipLine() throws {
            while !isAtEnd, !isAtLineEnd { try advance() }
            if isAt(13) { position += 1; if isAt(10) { position += 1 } } else if !isAtEnd { position += 1 }
        }

        /// The fields up to the end of the line.
        mutating func readLine(into fields: inout [Field], _ row: Int) throws -> (isBlank: Bool, isOnlyComment: Bool) {
            fields.removeAll(keepingCapacity: true)
            var isBlank = true, isOnlyComment = false
            while true {
                if fields.count & 0xfff == 0xfff { try Interrupt.check() }
                let field = try isAt(0x22) ? quotedField(row, fields.count) : plainField()
                if field.isQuoted || !field.range.isEmpty { isBlank = false }
                if fields.isEmpty, field.range.isEmpty, !field.isQuoted, isAt(mark), isAtComment { isOnlyComment = true }
                fields.append(field)
                guard isAt(reader.separator) else { break }
                position += 1
                isBlank = false
            }
            try skipLine()
            return (isBlank, isOnlyComment)
        }

        private mutating func quotedField(_ row: Int, _ column: Int) throws -> Field {
            position += 1
            let start = position
            while position < bytes.count, bytes[position] != 0x22 || position + 1 < bytes.count && bytes[position + 1] == 0x22 {
                if bytes[position] == 0x22 { position += 1 }
                try advance()
            }
            guard !isAtEnd else { throw Csv.Fault.openQuote(row: row) }
            let field = Field(range: start..<position, isQuoted: true)
            position += 1
            // Spaces may follow; anything else is a mistake.
            while isAt(0x20) { try advance() }
            guard isAtEnd || isAt(reader.separator) || isAtLineEnd || isAtComment else { throw Csv.Fault.textAfterQuote(row: row, column: column) }
            return field
        }

        private mutating func plainField() throws -> Field {
            let start = position, separator = reader.separator
            while position < bytes.count, bytes[position] != separator, bytes[position] != 10, bytes[position] != 13, bytes[position] != mark || !isAtComment {
                try advance()
            }
            var range = start..<position
            if isAt(mark), isAtComment { range = start..<reader.trimmed(range).endIndex }
            return Field(range: range, isQuoted: false)
        }
    }

    /// - Throws: `Csv.Fault` for what is not UTF-8.
    func text(_ field: Field, _ row: Int, _ column: Int) throws -> String {
        let text: String?
        if !field.isQuoted {
            text = String(validating: bytes[field.range], as: UTF8.self)
        } else {
            var result: [UInt8] = [], i = field.range.lowerBound
            while i < field.range.upperBound {
                if result.count & 0xffff == 0xffff { try Interrupt.check() }
                result.append(bytes[i])
                i += bytes[i] == 0x22 ? 2 : 1
            }
            text = String(validating: result, as: UTF8.self)
        }
        guard let text else { throw Csv.Fault.notUTF8(row: row, column: column) }
        return text
    }

    /// The texts of one row; none of a row that does not exist.
    func texts(ofRow wanted: Int) throws -> [String] {
        var result: [String] = []
        do {
            try forEachRow { row, fields in
                if row < wanted { return }
                result = try fields.enumerated().map { column, field in
                    if column & 0xfff == 0xfff { try Interrupt.check() }
                    return try text(field, row, column)
                }
                throw Stop.here
            }
        } catch is Stop {}
        return result
    }

    func begins(_ field: Field, with mark: StaticString) -> Bool {
        !field.isQuoted && field.range.count >= mark.utf8CodeUnitCount
            && (0..<mark.utf8CodeUnitCount).allSatisfy { bytes[field.range.lowerBound + $0] == mark.utf8Start[$0] }
    }

    /// Without spaces at either end.
    private func trimmed(_ range: Range<Int>) -> Slice<UnsafeRawBufferPointer> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, bytes[low] == 0x20 || bytes[low] == 9 { low += 1 }
        while high > low, bytes[high - 1] == 0x20 || bytes[high - 1] == 9 { high -= 1 }
        return bytes[low..<high]
    }

    // MARK: Contents

    enum Content {
        case number(Double)
        case missing(isEmpty: Bool)
        /// A whole number that f64 does not hold.
        case inexact
        case text
    }

    /// What a field holds. Numbers are decimal, with an exponent perhaps, or `inf`, `infinity`, `nan` in any case; spaces around them do not
    /// count. Up to 19 digits and small powers of ten are worked out here, exactly; the rest by the standard library.
    /// - Throws: `ArrayError.interrupted`.
    func content(_ field: Field) throws -> Content {
        let part = trimmed(field.range)
        if part.isEmpty { return .missing(isEmpty: true) }
        if options.missing != nil, missing.contains(String(decoding: part, as: UTF8.self)) { return .missing(isEmpty: false) }
        let content = try part.count > DecimalText.longest ? longNumber(part) : number(part)
        if case .number(let number) = content, options.missingNumbers.contains(number) { return .missing(isEmpty: false) }
        return content
    }

    /// Of more digits than decide the value of a number.
    private func longNumber(_ part: Slice<UnsafeRawBufferPointer>) throws -> Content {
        var digits = part.dropFirst(bytes[part.startIndex] == 0x2D || bytes[part.startIndex] == 0x2B ? 1 : 0)
        guard let value = try DecimalText.number(part.map { $0 == decimalMark ? 0x2E : $0 }, check: Interrupt.check) else { return .text }
        let isWhole = digits.allSatisfy { $0 &- 0x30 < 10 }
        while let first = digits.first, first == 0x30 { digits.removeFirst() }
        return isWhole && digits.count > 15 ? .inexact : .number(value)
    }

    private func number(_ part: Slice<UnsafeRawBufferPointer>) -> Content {
        var i = part.startIndex
        let end = part.endIndex
        let isNegative = bytes[i] == 0x2D
        if isNegative || bytes[i] == 0x2B { i += 1 }
        var digits: UInt64 = 0, digitCount = 0, zeros = 0, exponent = 0, isWhole = true, hasDigits = false
        func add(_ byte: UInt8) {
            hasDigits = true
            // Zeros wait: at the end of a number they only count.
            if byte == 0x30 { zeros += digitCount > 0 ? 1 : 0; return }
            for _ in 0..<min(zeros, 20) where digitCount <= 19 { digits = digits &* 10 }
            digitCount += zeros + 1
            zeros = 0
            if digitCount <= 19 { digits = digits &* 10 &+ UInt64(byte &- 0x30) }
        }
        while i < end, bytes[i] &- 0x30 < 10 { add(bytes[i]); i += 1 }
        if i < end, bytes[i] == decimalMark {
            isWhole = false
            i += 1
            while i < end, bytes[i] &- 0x30 < 10 { add(bytes[i]); exponent -= 1; i += 1 }
        }
        guard hasDigits else { return word(part) }
        if i < end, bytes[i] | 0x20 == 0x65 {
            isWhole = false
            i += 1
            let isDown = i < end && bytes[i] == 0x2D
            if i < end, bytes[i] == 0x2D || bytes[i] == 0x2B { i += 1 }
            var power = 0
            guard i < end else { return word(part) }
            while i < end, bytes[i] &- 0x30 < 10 { power = min(power * 10 + Int(bytes[i] - 0x30), 1_000_000); i += 1 }
            exponent += isDown ? -power : power
        }
        guard i == end else { return word(part) }  // 12a, 1.2.3, 0x1F, 2024-01-01
        exponent += zeros
        if digitCount == 0 { return .number(isNegative ? -0.0 : 0) }
        if digitCount <= 19, digits <= 1 << 53, abs(exponent) <= 22 {
            let scaled = exponent < 0 ? Double(digits) / Self.powers[-exponent] : Double(digits) * Self.powers[exponent]
            return .number(isNegative ? -scaled : scaled)
        }
        let text = String(decoding: part.map { $0 == decimalMark ? 0x2E : $0 }, as: UTF8.self)
        guard let value = Double(text) else { return .text }
        return isWhole && !Self.isExactly(value, text) ? .inexact : .number(value)
    }

    private func word(_ part: Slice<UnsafeRawBufferPointer>) -> Content {
        guard part.count <= 16 else { return .text }
        let text = String(decoding: part, as: UTF8.self)
        let isSigned = text.hasPrefix("-") || text.hasPrefix("+")
        switch text.dropFirst(isSigned ? 1 : 0).lowercased() {
        case "inf", "infinity": return .number(text.hasPrefix("-") ? -.infinity : .infinity)
        case "nan": return .number(.nan)
        default: return missing.contains(text) ? .missing(isEmpty: false) : .text
        }
    }

    /// Whether a whole number equals its digits: its own are worked out by dividing by ten, as often as there are.
    private static func isExactly(_ value: Double, _ text: String) -> Bool {
        guard value.isFinite else { return false }
        let written = text.utf8.drop { !($0 &- 0x31 < 9) }
        // The significand, then doubled once a power of two, in groups of nine digits, lowest first.
        var groups: [UInt64] = [], rest = value.magnitude.significandBitPattern | 1 << 52
        var powers = Int(value.exponent) - 52
        while rest > 0 {
            groups.append(rest % 1_000_000_000)
            rest /= 1_000_000_000
        }
        while powers > 0 {
            let step = min(powers, 30)
            var carry: UInt64 = 0
            for index in groups.indices {
                let sum = groups[index] << UInt64(step) + carry
                groups[index] = sum % 1_000_000_000
                carry = sum / 1_000_000_000
            }
            while carry > 0 {
                groups.append(carry % 1_000_000_000)
                carry /= 1_000_000_000
            }
            powers -= step
        }
        // Only whole numbers past 2^53 come here, so no power was negative.
        var place = written.endIndex
        for group in groups {
            var group = group
            for _ in 0..<9 {
                guard place > written.startIndex else { return group == 0 }
                place = written.index(before: place)
                guard written[place] == UInt8(0x30 + group % 10) else { return false }
                group /= 10
            }
        }
        return place == written.startIndex
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
