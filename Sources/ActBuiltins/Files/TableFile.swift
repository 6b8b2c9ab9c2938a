// Tables as values and values as tables: what `load` and `save` do with .csv and .tsv. What must stay true: a table that was saved loads
// as the same columns, whatever is in its texts; only texts that all look like numbers become numbers.

import ActArray
import ActFiles
import ActMachine
import ActRows
import ActSyntax

/// What `load` is told about a table.
struct TableForm {
    let separator, decimal, comment, encoding: Input<String?>
    let header: Input<Bool?>
    let missing, text: Input<Value>

    init(_ takes: inout Signature) {
        (separator, decimal) = (takes.textOrNone("separator"), takes.textOrNone("decimal"))
        header = takes.flagOrNone("header")
        comment = takes.textOrNone("comment")
        (missing, text) = (takes.valueOrNone("missing", role: .steps), takes.valueOrNone("text", role: .steps))
        encoding = takes.textOrNone("encoding")
    }

    /// The first thing that was said which only tables have.
    func given(_ call: Call) -> String? {
        let indices = [separator.index, decimal.index, header.index, comment.index, missing.index, text.index]
        return indices.first(where: call.isGiven(at:)).map { call.form.parameters[$0].name }
    }
}

enum TableFile {
    // MARK: Reading

    static func value(_ bytes: [UInt8], path: String, isTabbed: Bool, _ form: TableForm, _ call: Call) throws -> Value {
        let text = try TextEncoding.utf8(bytes, from: call[form.encoding], path: path)
        do {
            let (table, doubt) = try Csv.table(text, options: options(form, call, isTabbed: isTabbed))
            if let doubt { try call.machine.warn(.doubtfulHeader(doubt, path: path)) }
            switch table {
            case .matrix(let array): return .array(array)
            case .columns(let columns):
                var fields = Fields()
                for column in columns {
                    switch column.values {
                    case .numbers(let array): fields[column.name] = .array(array)
                    case .texts(let texts): fields[column.name] = try .list(texts.map { .string($0) })
                    }
                }
                return try .record(fields)
            }
        } catch let fault as Csv.Fault {
            throw FileRefusal.table(fault, path: path)
        }
    }

    private static func options(_ form: TableForm, _ call: Call, isTabbed: Bool) throws -> Csv.Options {
        var options = Csv.Options()
        options.separator = isTabbed ? 9 : nil
        if let text = try call[form.separator] {
            guard let byte = text.utf8.first, text.utf8.count == 1, byte < 128, byte != 34, byte != 10, byte != 13 else {
                throw call.fail(form.separator, .character)
            }
            options.separator = byte
        }
        if let text = try call[form.decimal] {
            guard [".", ","].contains(text) else { throw call.fail(form.decimal, .words([".", ","])) }
            options.hasDecimalComma = text == ","
            if options.separator == text.utf8.first { throw FileRefusal.sameSeparatorAndDecimal }
        }
        options.hasHeader = try call[form.header]
        options.comment = try call[form.comment]
        if let comment = options.comment, comment.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 34 || $0 == options.separator }) {
            throw call.fail(form.comment, .mark)
        }
        if call.isGiven(form.missing) {
            var texts = Set<String>()
            for value in try single(call, form.missing) {
                switch value {
                case .string(let text): texts.insert(text.string)
                case .number(let number): options.missingNumbers.append(number)
                default: throw call.fail(form.missing, .textsOrNumbers, value)
                }
            }
            options.missing = texts
        }
        if call.isGiven(form.text) {
            options.texts = try single(call, form.text).map { value in
                switch value {
                case .string(let text): return .name(text.string)
                case .number(let number) where number == number.rounded() && number.magnitude < 1e9: return .position(Int(number))
                default: throw call.fail(form.text, .columns, value)
                }
            }
        }
        return options
    }

    /// One value, or the elements of a list or array.
    private static func single(_ call: Call, _ argument: Input<Value>) throws -> [Value] {
        switch call[argument] {
        case .list, .array: try call.elements(argument)
        default: [call[argument]]
        }
    }

    // MARK: Writing

    static func write(_ argument: Input<Value>, separator: String, _ call: Call, into text: inout TextBuilder) throws {
        if case .record(let record) = call[argument] { return try write(record, of: argument, separator, call, into: &text) }
        let array = try call.array(argument)
        guard array.rank <= 2 else { throw ArrayError.rankMismatch(operation: "save", ranks: 0...2, shape: array.shape) }
        let columns = array.rank == 2 ? array.shape[1] : 1
        let held = try Reservation(array.count &* 8), numbers = try array.toDoubles()
        for (index, number) in numbers.enumerated() {
            if index & 0xfff == 0 { try Interrupt.check() }
            try text.append(Format.exactNumber(number, isSingle: array.type == .f32))
            try text.append((index + 1) % columns == 0 ? "\n" : separator)
        }
        _ = held.bytes
    }

    private enum Column {
        case values([Value])
        case numbers([Double], isSingle: Bool)

        var count: Int {
            switch self {
            case .values(let values): values.count
            case .numbers(let numbers, _): numbers.count
            }
        }
    }

    private static func write(_ record: Record, of argument: Input<Value>, _ separator: String, _ call: Call, into text: inout TextBuilder) throws {
        var held = Reservation()
        var columns: [Column] = []
        for value in record.fields.values {
            if case .list(let list) = value {
                columns.append(.values(list.elements))
                continue
            }
            let array = try call.array(value, argument)
            guard array.rank <= 1 else { throw ArrayError.rankMismatch(operation: "save", ranks: 0...1, shape: array.shape) }
            try held.grow(by: array.count &* 8)
            columns.append(.numbers(try array.toDoubles(), isSingle: array.type == .f32))
        }
        guard let count = columns.first?.count, columns.allSatisfy({ $0.count == count }) else {
            throw FileRefusal.unequalColumns(zip(record.fields.keys, columns).map { ($0, $1.count) })
        }
        let isAlone = columns.count == 1
        for (index, name) in record.fields.keys.enumerated() {
            if index > 0 { try text.append(separator) }
            try write(field: name, isName: true, isAlone: isAlone, into: &text)
        }
        try text.append("\n")
        for row in 0..<count {
            if row & 0xfff == 0 { try Interrupt.check() }
            for (index, column) in columns.enumerated() {
                if index > 0 { try text.append(separator) }
                switch column {
                case .values(let values): try write(field: Format.text(values[row]), isAlone: isAlone, into: &text)
                case .numbers(let numbers, let isSingle): try text.append(Format.exactNumber(numbers[row], isSingle: isSingle))
                }
            }
            try text.append("\n")
        }
        _ = held.bytes
    }

    /// In quotes stands whatever a reader could take for something else: separators of any kind, comments, nothing at all in a row of its
    /// own, and names that are numbers.
    private static func write(field: String, isName: Bool = false, isAlone: Bool, into text: inout TextBuilder) throws {
        let isPlain = !field.utf8.contains { $0 == 34 || $0 == 10 || $0 == 13 || $0 == 9 || $0 == 44 || $0 == 59 } && field.utf8.first != 35
        if isPlain, !(isAlone && field.isEmpty), !(isName && !Csv.isText(field)) { return try text.append(field) }
        try text.append("\"")
        var isFirst = true
        try field.forEachPiece(between: "\"") { piece in
            if !isFirst { try text.append("\"\"") }
            isFirst = false
            try text.append(piece)
            return true
        }
        try text.append("\"")
    }
}
