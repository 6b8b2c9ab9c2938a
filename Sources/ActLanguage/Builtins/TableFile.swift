// Tables as values and values as tables: what `load` and `save` do with .csv and .tsv. What must stay true: a table that was saved loads
// as the same columns, whatever is in its texts; only texts that all look like numbers become numbers.

import ActArray
import ActSyntax
import OrderedCollections

enum TableFile {
    static let encodingHelp = "name its encoding: `encoding=\"latin-1\"`, `\"windows-1252\"`, `\"cp949\"` …"

    static func encoding(_ call: Call) throws -> String? { call.isGiven(8) ? try call.string(8) : nil }

    // MARK: Reading

    static func value(_ bytes: [UInt8], path: String, isTabbed: Bool, _ call: Call) throws -> Value {
        let text = try TextEncoding.utf8(bytes, from: encoding(call), path: path)
        do {
            let (table, doubt) = try Csv.table(text, options: options(call, isTabbed: isTabbed))
            if let doubt { try call.machine.warnHeader(doubt, path: path) }
            switch table {
            case .matrix(let array): return .array(array)
            case .columns(let columns):
                var fields = OrderedDictionary<String, Value>()
                for column in columns {
                    switch column.values {
                    case .numbers(let array): fields[column.name] = .array(array)
                    case .texts(let texts): fields[column.name] = try .list(texts.map { .string($0) })
                    }
                }
                return try .record(fields)
            }
        } catch let fault as Csv.Fault {
            throw call.cannot("`\(path)`: \(fault.reason)", help: fault.remedy.map(help))
        }
    }

    private static func help(_ remedy: Csv.Fault.Remedy) -> Message {
        switch remedy {
        case .encoding: Message(encodingHelp)
        case .text: "a column that is to stay as it is written is named by `text=`"
        case .missing(let text): "`missing=\(Format.quoted(text))` reads it as nan, `header=false` reads such columns as texts, `header=true` takes names from the first row"
        case .comment: "`comment=\"#\"` passes over such lines"
        }
    }

    private static func options(_ call: Call, isTabbed: Bool) throws -> Csv.Options {
        var options = Csv.Options()
        options.separator = isTabbed ? 9 : nil
        if call.isGiven(2) {
            let text = try call.string(2)
            guard let byte = text.utf8.first, text.utf8.count == 1, byte < 128, byte != 34, byte != 10, byte != 13 else { throw call.fail(2, "one ASCII character such as \";\"") }
            options.separator = byte
        }
        if call.isGiven(3) {
            let text = try call.string(3)
            guard text == "." || text == "," else { throw call.fail(3, "\".\" or \",\"") }
            options.hasDecimalComma = text == ","
            if options.separator == text.utf8.first { throw call.cannot("`separator` and `decimal` are the same character") }
        }
        options.hasHeader = call.isGiven(4) ? try call.bool(4, default: false) : nil
        options.comment = call.isGiven(5) ? try call.string(5) : nil
        if let comment = options.comment, comment.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 34 || $0 == options.separator }) {
            throw call.fail(5, "a mark such as \"#\"")
        }
        if call.isGiven(6) {
            var texts = Set<String>()
            for value in try single(call, 6) {
                switch value {
                case .string(let text): texts.insert(text.string)
                case .number(let number): options.missingNumbers.append(number)
                default: throw call.fail(6, "texts or numbers", value)
                }
            }
            options.missing = texts
        }
        if call.isGiven(7) {
            options.texts = try single(call, 7).map { value in
                switch value {
                case .string(let text): return .name(text.string)
                case .number(let number) where number == number.rounded() && number.magnitude < 1e9: return .position(Int(number))
                default: throw call.fail(7, "names or positions of columns", value)
                }
            }
        }
        return options
    }

    /// One value, or the elements of a list or array.
    private static func single(_ call: Call, _ index: Int) throws -> [Value] {
        switch call.values[index] {
        case .list, .array: try call.elements(index)
        default: [call.values[index]]
        }
    }

    // MARK: Writing

    static func bytes(_ value: Value, separator: String, _ call: Call) throws -> [UInt8] {
        var text = ""
        // In quotes stands whatever a reader could take for something else: separators of any kind, comments, nothing at all in a row of its own,
        // and names that are numbers.
        func field(_ string: String, isName: Bool = false, isAlone: Bool) throws -> String {
            let isPlain = !string.utf8.contains { $0 == 34 || $0 == 10 || $0 == 13 || $0 == 9 || $0 == 44 || $0 == 59 } && string.utf8.first != 35
            if isPlain, !(isAlone && string.isEmpty), !(isName && !Csv.isText(string)) { return string }
            var quoted = "", isFirst = true
            try string.forEachPiece(between: "\"") { piece in
                quoted += isFirst ? "\"" : "\"\""
                quoted += piece
                isFirst = false
                return true
            }
            return quoted + "\""
        }
        if case .record(let record) = value {
            let columns = try record.fields.values.map { try column($0, call) }, isAlone = columns.count == 1
            guard let count = columns.first?.count, columns.allSatisfy({ $0.count == count }) else {
                throw call.cannot("the columns of a table are equally long", help: "here: \(zip(record.fields.keys, columns).map { "\($0) \($1.count)" }.joined(separator: ", "))")
            }
            text += try record.fields.keys.map { try field($0, isName: true, isAlone: isAlone) }.joined(separator: separator) + "\n"
            for row in 0..<count {
                if row & 0xfff == 0 { try Interrupt.check() }
                text += try columns.map { try field($0.text(row), isAlone: isAlone) }.joined(separator: separator) + "\n"
            }
            return Array(text.utf8)
        }
        let array = try call.array(0)
        guard array.rank <= 2 else { throw ArrayError.rankMismatch(operation: "save", expected: "vectors and matrices for a table", shape: array.shape) }
        let columns = array.rank == 2 ? array.shape[1] : 1
        let numbers = try array.toDoubles()
        try Memory.check(for: numbers.count &* 20)
        for (index, number) in numbers.enumerated() {
            if index & 0xfff == 0 { try Interrupt.check() }
            text += Format.exactNumber(number, isSingle: array.type == .f32)
            text += (index + 1) % columns == 0 ? "\n" : separator
        }
        return Array(text.utf8)
    }

    /// How many fields a column of a table has, and each.
    private static func column(_ value: Value, _ call: Call) throws -> (count: Int, text: (Int) throws -> String) {
        if case .list(let list) = value { return (list.elements.count, { try Format.text(list.elements[$0]) }) }
        let array = try call.array(value, 0)
        guard array.rank <= 1 else { throw ArrayError.rankMismatch(operation: "save", expected: "vectors as columns", shape: array.shape) }
        let numbers = try array.toDoubles(), isSingle = array.type == .f32
        return (numbers.count, { Format.exactNumber(numbers[$0], isSingle: isSingle) })
    }
}

extension Machine {
    /// Warns that names and data of a table look alike.
    fileprivate func warnHeader(_ doubt: Csv.Doubt, path: String) throws {
        try warn(kind: 24, currentSite) {
            var labels: [Diagnostic.Label] = []
            if let (code, id) = currentOrigin { labels = [Diagnostic.Label(code.unit.tree.span(of: id), "", isPrimary: true)] }
            let isHeader = doubt == .takenAsHeader
            return Diagnostic(
                .warning, "the first row of `\(path)` holds texts and numbers: it is taken as \(isHeader ? "the names of the columns" : "data")", labels: labels,
                help: isHeader ? "`header=true` says that it is, `header=false` that it is not" : "`header=false` says that it is, `header=true` takes names from it")
        }
    }
}
