// Tables as text (RFC 4180): what a table is, and what is guessed of a file that says nothing about itself: the separator, the decimal
// mark, comments, and whether the first row holds names. What must stay true: no guess loses a row without a word. A first row that
// could be either is reported as `doubt`, and what fits no guess is an error that names its place.

import ActArray

package enum Csv {
    package enum Table {
        /// Without a header, and all of it numbers: rows × columns, f64.
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

    /// What a file is known to be; `nil` is guessed.
    package struct Options {
        /// An ASCII character that parts the fields.
        package var separator: UInt8?
        package var hasDecimalComma: Bool?
        package var hasHeader: Bool?
        /// What begins a comment, which ends with its line; empty for none. The guess: lines before the first row that begin with `#`.
        package var comment: String?
        /// Texts that stand for a number that is missing, besides nothing at all. The guess: `usualMissing`.
        package var missing: Set<String>?
        /// Numbers that stand for a missing one.
        package var missingNumbers: [Double] = []
        /// Columns that stay texts, by name or position.
        package var texts: [ColumnChoice] = []

        package init() {}
    }

    package enum ColumnChoice {
        case name(String), position(Int)
    }

    package static let usualMissing: Set = ["NA", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "None"]

    /// How a first row of texts and numbers was taken, which only its author knows for certain.
    package enum Doubt { case takenAsHeader, takenAsData }

    /// What is wrong with a table. Rows and columns count from 0.
    package enum Fault: Error {
        /// `isComment`: it begins as a comment would.
        case fieldCount(Int, row: Int, first: Int, isComment: Bool)
        case notANumber(String, row: Int, column: Int)
        /// A whole number that f64 does not hold.
        case inexact(String, row: Int, column: Int)
        case noColumn(Int, count: Int)
        case noColumnNamed(String)
        case openQuote(row: Int)
        case textAfterQuote(row: Int, column: Int)
        case notUTF8(row: Int, column: Int)
    }

    /// - Throws: `Fault` for rows of different lengths, for a text among numbers without header, for whole numbers that f64 cannot hold
    ///   exactly, and for texts that are not UTF-8.
    package static func table(_ bytes: [UInt8], options: Options) throws -> (table: Table, doubt: Doubt?) {
        try bytes.withUnsafeBytes { buffer in
            var reader = CsvReader(buffer, options)
            try reader.guess()
            return try table(reader, options)
        }
    }

    /// Whether a field of these characters is a text, where nothing else is known of the table.
    package static func isText(_ field: String) -> Bool {
        var field = field
        return field.withUTF8 { bytes in
            let content = try? CsvReader(UnsafeRawBufferPointer(bytes), Options()).content(CsvReader.Field(range: 0..<bytes.count, isQuoted: false))
            return if case .text? = content { true } else { false }
        }
    }

    private static func table(_ reader: CsvReader, _ options: Options) throws -> (Table, Doubt?) {
        var survey = try Survey(reader)
        let (hasHeader, doubt) = options.hasHeader.map { ($0, nil) } ?? survey.first.guess(survey.columns)
        if !hasHeader { survey.first.join(&survey.columns) }

        var names = try reader.texts(ofRow: 0)
        if !hasHeader { names = names.map { _ in "" } }
        names = try distinct(names)
        let chosen = try Set(options.texts.map { try position(of: $0, names) })
        // Without names a text is a mistake, unless the first row has one in that column too.
        if !hasHeader, options.hasHeader == nil, let (row, column) = survey.strayText(beside: chosen) {
            throw Fault.notANumber(try reader.texts(ofRow: row)[column], row: row, column: column)
        }
        let isText = survey.columns.indices.map { survey.columns[$0].textRow != nil || chosen.contains($0) }
        if let column = isText.indices.first(where: { !isText[$0] && survey.columns[$0].inexactRow != nil }), let row = survey.columns[column].inexactRow {
            throw Fault.inexact(try reader.texts(ofRow: row)[column], row: row, column: column)
        }
        if !hasHeader, !isText.contains(true) { return (.matrix(try NDArray(survey.numbers, shape: [survey.rows, isText.count])), nil) }
        return (.columns(try columns(reader, survey, names, isText, from: hasHeader ? 1 : 0)), doubt)
    }

    /// The columns from a row on; the texts among them are read now.
    private static func columns(_ reader: CsvReader, _ survey: Survey, _ names: [String], _ isText: [Bool], from start: Int) throws -> [Column] {
        let width = names.count, count = max(survey.rows - start, 0)
        var texts = [[String]](repeating: [], count: width)
        if isText.contains(true) {
            try reader.forEachRow { row, fields in
                for (column, field) in fields.enumerated() where row >= start && isText[column] {
                    if column & 0xfff == 0xfff { try Interrupt.check() }
                    texts[column].append(try reader.text(field, row, column))
                }
            }
        }
        return try (0..<width).map { column in
            try Interrupt.check()
            if isText[column] { return Column(name: names[column], values: .texts(texts[column])) }
            let places = stride(from: start &* width &+ column, to: survey.rows &* width, by: width)
            return Column(name: names[column], values: .numbers(try NDArray(places.map { survey.numbers[$0] }, shape: [count])))
        }
    }

    private static func position(of choice: ColumnChoice, _ names: [String]) throws -> Int {
        switch choice {
        case .position(let position):
            guard position >= -names.count && position < names.count else {
                throw Fault.noColumn(position, count: names.count)
            }
            return position < 0 ? position + names.count : position
        case .name(let name):
            guard let column = names.firstIndex(of: name) else { throw Fault.noColumnNamed(name) }
            return column
        }
    }

    /// Names of columns: an empty one is numbered, one that was there before gets a number too.
    private static func distinct(_ names: [String]) throws -> [String] {
        var seen = Set<String>(), next: [String: Int] = [:]
        return try names.enumerated().map { column, name in
            try Interrupt.check()
            let stem = name.isEmpty ? "column\(column + 1)" : name
            var result = stem, number = next[stem] ?? 2
            while !seen.insert(result).inserted {
                result = "\(stem)_\(number)"
                number += 1
            }
            // Smaller numbers are taken: with thousands of equal names each would try them all again.
            next[stem] = number
            return result
        }
    }

    /// What stands in a column: below the first row, or with it once that is known to be data.
    fileprivate struct ColumnKind {
        var hasNumbers = false
        var textRow: Int?
        var inexactRow: Int?
        /// The first row's text is the only one.
        var hasOneTextOnTop = false
    }

    /// What a walk over the whole text finds out: the numbers, and what stands where.
    private struct Survey {
        var first = FirstRow()
        var columns: [ColumnKind] = []
        /// Row by row; NaN for a field that is not a number.
        private(set) var numbers: [Double] = []
        private(set) var rows = 0

        init(_ reader: CsvReader) throws {
            // One number a field at most, and the fields are counted by what ends them.
            var fieldCount = 1
            try Interrupt.forEachPiece(reader.bytes.count) { piece in
                for byte in reader.bytes[piece] where byte == reader.separator || byte == 10 { fieldCount &+= 1 }
            }
            try MemoryPool.allow(fieldCount &* 8)
            try reader.forEachRow { row, fields in
                if row == 0 { columns = fields.map { _ in ColumnKind() } }
                guard fields.count == columns.count else {
                    throw Fault.fieldCount(fields.count, row: row, first: columns.count, isComment: reader.begins(fields[0], with: "#"))
                }
                rows += 1
                for (column, field) in fields.enumerated() {
                    if column & 0xfff == 0xfff { try Interrupt.check() }
                    let content = try reader.content(field)
                    if case .number(let value) = content { numbers.append(value) } else { numbers.append(.nan) }
                    if row == 0 {
                        first.fields.append((content, field.isQuoted))
                        continue
                    }
                    if row == 1 { first.isQuotedBelow.append(field.isQuoted) }
                    switch content {
                    case .number: columns[column].hasNumbers = true
                    case .missing: break
                    case .inexact: if columns[column].inexactRow == nil { columns[column].inexactRow = row }
                    case .text: if columns[column].textRow == nil { columns[column].textRow = row }
                    }
                }
            }
        }

        /// The first text of a column that should hold numbers.
        /// - Parameter chosen: Columns that may hold texts.
        func strayText(beside chosen: Set<Int>) -> (row: Int, column: Int)? {
            columns.indices.compactMap { column -> (row: Int, column: Int)? in
                guard let row = columns[column].textRow, !chosen.contains(column), !first.isName(column, columns) || columns[column].hasOneTextOnTop else {
                    return nil
                }
                return (row, column)
            }.min { ($0.row, $0.column) < ($1.row, $1.column) }
        }
    }

    fileprivate struct FirstRow {
        var fields: [(content: CsvReader.Content, isQuoted: Bool)] = []
        var isQuotedBelow: [Bool] = []

        /// A text; or in quotes what is a number, or stands for none, above something else.
        func isName(_ column: Int, _ columns: [ColumnKind]) -> Bool {
            switch fields[column].content {
            case .text: true
            case .missing(isEmpty: true): false
            case .number, .inexact, .missing(isEmpty: false):
                fields[column].isQuoted && (column < isQuotedBelow.count && !isQuotedBelow[column] || columns[column].textRow != nil)
            }
        }

        /// Names are texts. Texts and numbers together are names when a text stands above numbers and the numbers could be names: years, places.
        func guess(_ columns: [ColumnKind]) -> (hasHeader: Bool, doubt: Doubt?) {
            guard fields.indices.contains(where: { isName($0, columns) }) else { return (false, nil) }
            let others = fields.indices.filter { column in
                if isName(column, columns) { return false }
                if case .missing(isEmpty: true) = fields[column].content { return false }
                return true
            }
            if others.isEmpty { return (true, nil) }
            let numbers = others.compactMap { column -> Double? in
                guard case .number(let number) = fields[column].content, number >= 0, number == number.rounded() else { return nil }
                return number
            }
            let areNames = numbers.count == others.count && Set(numbers).count == numbers.count
            let isAboveNumbers = fields.indices.contains { isName($0, columns) && columns[$0].hasNumbers && columns[$0].textRow == nil }
            return areNames && isAboveNumbers ? (true, .takenAsHeader) : (false, .takenAsData)
        }

        /// Counts the first row among the others.
        func join(_ columns: inout [ColumnKind]) {
            for (column, field) in fields.enumerated() {
                switch field.content {
                case .text:
                    columns[column].hasOneTextOnTop = columns[column].hasNumbers && columns[column].textRow == nil
                    columns[column].textRow = 0
                case .inexact: columns[column].inexactRow = 0
                case .number: columns[column].hasNumbers = true
                case .missing: break
                }
            }
        }
    }
}
