// Tables as text: fields between commas (or tabs), rows between line ends, fields in quotes where they hold either (RFC 4180). A first
// row that is not numbers is a header; then a column is numbers or texts. Without a header everything must be numbers. An empty
// field is NaN where numbers are.

package enum Csv {
    package enum Table {
        /// Without a header: rows × columns, f64.
        case matrix(NDArray)
        case columns([Column])
    }

    package struct Column {
        package let name: String
        package let values: Values
    }

    package enum Values {
        case numbers(NDArray)
        case texts([String])
    }

    /// - Throws: `ArrayError.file` for rows of different lengths, for text in a table without header, and for whole numbers that
    ///   f64 cannot hold exactly.
    package static func table(_ bytes: [UInt8], separator: UInt8, path: String) throws -> Table {
        try bytes.withUnsafeBytes { buffer in try Reader(buffer, separator, path).table() }
    }
}

private struct Reader {
    let bytes: UnsafeRawBufferPointer
    let separator: UInt8
    let path: String

    init(_ bytes: UnsafeRawBufferPointer, _ separator: UInt8, _ path: String) {
        // A byte-order mark is no part of the first field.
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? UnsafeRawBufferPointer(rebasing: bytes.dropFirst(3)) : bytes
        self.separator = separator
        self.path = path
    }

    struct Field {
        /// Without the quotes.
        var range: Range<Int>
        var isQuoted: Bool
    }

    func table() throws -> Csv.Table {
        // One number a field at most, and the fields are counted by what ends them.
        try MemoryPool.allow(bytes.reduce(1) { $0 &+ ($1 == separator || $1 == 10 ? 1 : 0) } &* 8)
        var first: [String] = [], hasHeader = false, isText: [Bool] = []
        var numbers: [Double] = [], rows = 0
        var stray: (row: Int, column: Int, text: String)?
        try forEachRow { row, fields in
            if rows == 0, row == 0 {
                hasHeader = fields.contains { field in
                    if case .text = number(field) { return true }
                    return false
                }
                if hasHeader {
                    first = fields.map(text)
                    isText = fields.map { _ in false }
                    return
                }
                isText = fields.map { _ in false }
            }
            guard fields.count == isText.count else {
                throw failure("row \(row + 1) has \(fields.count) \(fields.count == 1 ? "field" : "fields"), the first row \(isText.count)")
            }
            rows += 1
            for (column, field) in fields.enumerated() {
                switch number(field) {
                case .number(let value): numbers.append(value)
                case .inexact: throw failure("row \(row + 1), column \(column + 1): \(text(field)) cannot be held exactly in an f64")
                case .text:
                    numbers.append(.nan)
                    isText[column] = true
                    if stray == nil { stray = (row, column, text(field)) }
                }
            }
        }
        let width = isText.count
        if !hasHeader {
            if let stray {
                throw failure("row \(stray.row + 1), column \(stray.column + 1): `\(stray.text)` is not a number, and there is no header")
            }
            return .matrix(try NDArray(numbers, shape: [rows, width]))
        }
        var texts = [[String]](repeating: [], count: width)
        if isText.contains(true) {
            try forEachRow { row, fields in
                for (column, field) in fields.enumerated() where row > 0 && isText[column] { texts[column].append(text(field)) }
            }
        }
        let names = distinct(first)
        return .columns(
            try (0..<width).map { column in
                if isText[column] { return Csv.Column(name: names[column], values: .texts(texts[column])) }
                let array = try NDArray(stride(from: column, to: rows * width, by: width).map { numbers[$0] }, shape: [rows])
                return Csv.Column(name: names[column], values: .numbers(array))
            })
    }

    /// Names of columns: an empty one is numbered, one that was there before gets a number too.
    private func distinct(_ names: [String]) -> [String] {
        var seen = Set<String>()
        return names.enumerated().map { column, name in
            let stem = name.isEmpty ? "column\(column + 1)" : name
            var result = stem, number = 2
            while !seen.insert(result).inserted {
                result = "\(stem)_\(number)"
                number += 1
            }
            return result
        }
    }

    private func failure(_ reason: String) -> ArrayError { .file(path: path, reason: reason) }

    // MARK: Rows and fields

    /// Calls `body` with every row that is not blank, and its number among them.
    private func forEachRow(_ body: (_ row: Int, _ fields: [Field]) throws -> Void) throws {
        var fields: [Field] = [], row = 0, i = 0
        let count = bytes.count
        while i < count {
            if row & 4095 == 0 { try Interrupt.check() }
            fields.removeAll(keepingCapacity: true)
            var isBlank = true
            while true {
                var field: Field
                if i < count, bytes[i] == 0x22 {
                    let start = i + 1
                    i = start
                    while i < count, bytes[i] != 0x22 || i + 1 < count && bytes[i + 1] == 0x22 { i += bytes[i] == 0x22 ? 2 : 1 }
                    guard i < count else { throw failure("row \(row + 1): a quote is not closed") }
                    field = Field(range: start..<i, isQuoted: true)
                    i += 1
                    isBlank = false
                    // Spaces may follow; anything else is a mistake.
                    while i < count, bytes[i] == 0x20 { i += 1 }
                    guard i == count || bytes[i] == separator || bytes[i] == 10 || bytes[i] == 13 else {
                        throw failure("row \(row + 1), column \(fields.count + 1): text follows a closing quote")
                    }
                } else {
                    let start = i
                    while i < count, bytes[i] != separator, bytes[i] != 10, bytes[i] != 13 { i += 1 }
                    field = Field(range: start..<i, isQuoted: false)
                    if i > start { isBlank = false }
                }
                fields.append(field)
                if i < count, bytes[i] == separator {
                    i += 1
                    isBlank = false
                    continue
                }
                break
            }
            // The end of the line: \n, \r\n or \r.
            if i < count, bytes[i] == 13 { i += 1; if i < count, bytes[i] == 10 { i += 1 } } else if i < count { i += 1 }
            if isBlank { continue }
            try body(row, fields)
            row += 1
        }
    }

    private func text(_ field: Field) -> String {
        if !field.isQuoted { return String(decoding: bytes[field.range], as: UTF8.self) }
        var result: [UInt8] = [], i = field.range.lowerBound
        while i < field.range.upperBound {
            result.append(bytes[i])
            i += bytes[i] == 0x22 ? 2 : 1
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Without spaces at either end.
    private func trimmed(_ range: Range<Int>) -> Slice<UnsafeRawBufferPointer> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, bytes[low] == 0x20 || bytes[low] == 9 { low += 1 }
        while high > low, bytes[high - 1] == 0x20 || bytes[high - 1] == 9 { high -= 1 }
        return bytes[low..<high]
    }

    private enum Content {
        case number(Double), inexact, text
    }

    /// What a field holds. Up to 19 digits and small powers of ten are worked out here, exactly; the rest by the standard library.
    private func number(_ field: Field) -> Content {
        let part = trimmed(field.range)
        if part.isEmpty { return .number(.nan) }
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
        if i < end, bytes[i] == 0x2E {
            isWhole = false
            i += 1
            while i < end, bytes[i] &- 0x30 < 10 { add(bytes[i]); exponent -= 1; i += 1 }
        }
        var isPlain = hasDigits
        if isPlain, i < end, bytes[i] | 0x20 == 0x65 {
            isWhole = false
            i += 1
            let isDown = i < end && bytes[i] == 0x2D
            if i < end, bytes[i] == 0x2D || bytes[i] == 0x2B { i += 1 }
            var power = 0
            isPlain = i < end
            while i < end, bytes[i] &- 0x30 < 10, power < 100_000 { power = power * 10 + Int(bytes[i] - 0x30); i += 1 }
            exponent += isDown ? -power : power
        }
        if isPlain, i == end {
            exponent += zeros
            if digitCount == 0 { return .number(isNegative ? -0.0 : 0) }
            if digitCount <= 19, digits <= 1 << 53, abs(exponent) <= 22 {
                let scaled = exponent < 0 ? Double(digits) / Self.powers[-exponent] : Double(digits) * Self.powers[exponent]
                return .number(isNegative ? -scaled : scaled)
            }
            if isWhole {
                let all = String(decoding: part, as: UTF8.self)
                guard let whole = Int(all), let exact = Double(exactly: whole) else { return .inexact }
                return .number(exact)
            }
        } else if i < end, bytes[i] &- 0x30 >= 10, hasDigits, bytes[i] | 0x20 != 0x78 {
            return .text      // 12a, 1.2.3, 2024-01-01
        }
        return Double(String(decoding: part, as: UTF8.self)).map { .number($0) } ?? .text
    }

    private static let powers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
