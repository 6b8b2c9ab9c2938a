// What could stand at the cursor: a name, a field, an argument's name, a file, a command, a sign by its LaTeX name.
//
// What must stay true: nothing is run and no variable changes, whatever the text; with 10,000 variables it answers as fast.

import ActArray
import ActMachine
import ActPlot
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Session {
    /// The candidates for what stands before `offset`, a UTF-8 offset in `text`, and where their replacement begins. Sorted; a value's own fields
    /// come before the functions that take it.
    package func completions(of text: String, at offset: Int) -> (replaceFrom: Int, candidates: [String]) {
        engine.run { completions(there: text, offset) }
    }

    private func completions(there text: String, _ offset: Int) -> (replaceFrom: Int, candidates: [String]) {
        let cursor = Cursor(text, offset)
        if cursor.brackets.isInComment { return (cursor.end, []) }
        if let word = cursor.commandWord { return (cursor.end - word.utf8.count, completions(ofCommand: word)) }
        if let path = cursor.commandPath { return fileCompletions(path, endingAt: cursor.end) }
        if cursor.brackets.isInString, let open = cursor.brackets.stack.last {
            return fileCompletions(cursor.text(open.inside..<cursor.end), endingAt: cursor.end)
        }
        if cursor.wordStart > 0, cursor.bytes[cursor.wordStart - 1] == UInt8(ascii: "\\") {
            let start = cursor.wordStart - 1
            return (start, LatexNames.completions(of: cursor.word).map { $0.isSign ? $0.text : "\\" + $0.text })
        }
        if let path = cursor.fieldPath {
            let value = value(at: path), own = value.map { matching(cursor.word, in: fields(of: $0)) } ?? []
            return (cursor.wordStart, own + matching(cursor.word, in: methods(for: value)).filter { !own.contains($0) })
        }
        let arguments = self.argumentNames(at: cursor)
        if cursor.word.isEmpty {
            // Directly after `(` or `,` the names of arguments say more than all names there are.
            return (cursor.end, cursor.call == nil ? [] : arguments.sorted())
        }
        let names = module.variables.map(\.name) + builtins.names + keywords + cursor.names
        return (cursor.wordStart, matching(cursor.word, in: arguments + names))
    }

    /// How the function is called whose argument list the cursor is in.
    package func signature(in text: String, at offset: Int) -> String? {
        guard case .function(let function)? = Cursor(text, offset).call.flatMap({ value(at: $0.path) }) else { return nil }
        return function.signature
    }

    /// How a built-in function is called.
    package func signature(of name: String) -> String? {
        guard case .function(let function)? = builtins.value(named: name) else { return nil }
        return function.signature
    }

    /// The call whose argument list the cursor is in: what is called, how many arguments stand before the one that is being written, and the
    /// name by which that is given, if there is one.
    package func call(in text: String, at offset: Int) -> (name: String, position: Int, argument: String?)? {
        let cursor = Cursor(text, offset)
        guard !cursor.brackets.isInComment, let call = cursor.call, case .name(let name)? = call.path.last else { return nil }
        var commas = 0, last = call.start
        for index in call.start..<cursor.end where cursor.bytes[index] == UInt8(ascii: ",") && commas < 1000 {
            var between = OpenBrackets()
            between.read(cursor.bytes[last..<index])
            guard between.stack.isEmpty else { continue }
            commas += 1
            last = index + 1
        }
        let argument = cursor.text(last..<cursor.end).trimmingSpaces(), word = argument.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        let rest = argument.dropFirst(word.count).drop { $0 == " " }
        return (name, commas, !word.isEmpty && rest.first == "=" && !rest.hasPrefix("==") ? String(word) : nil)
    }

    /// The name that the cursor is in or at, else that of the function whose argument list it is in: what there may be help on.
    package func helpTopic(in text: String, at offset: Int) -> String? {
        let bytes = Array(text.utf8)
        let end = Cursor.nameEnd(bytes, after: min(max(offset, 0), bytes.count))
        let cursor = Cursor(text, end)
        if let first = cursor.word.first, !first.isNumber { return cursor.word }
        guard case .name(let name)? = cursor.function.last else { return nil }
        return name
    }

    private func matching(_ prefix: String, in names: [String]) -> [String] {
        // Letters with marks are longer in one form than in another, but not by so much; a longer prefix would be put into an order for each name.
        let form = CompatibleNames.form(prefix)
        func begins(_ name: String) -> Bool { form.utf8.count <= 4 * name.utf8.count && name.hasPrefix(form) }
        return Array(Set(names.filter { !Interrupt.isSet && begins(CompatibleNames.form($0)) })).sorted()
    }

    private func completions(ofCommand word: String) -> [String] {
        SessionCommand.rows.map { ":" + $0.name }.filter { $0.hasPrefix(word) }.sorted()
    }

    // MARK: Values

    /// The value of `a.b[0].c`; `nil` if there is none or computing it would run something.
    private func value(at path: [Cursor.Step]) -> Value? {
        var value: Value?
        for step in path {
            switch (step, value) {
            case (.name(let name), nil): value = module[name] ?? builtins.value(named: name)
            case (.name(let name), .record(let record)?): value = record.field(name)
            case (.name(let name), .function(let function)?): value = try? function.field(name)
            case (.name(let name), _): value = builtins.value(named: name)
            case (.index(let index), .list(let list)?): value = list.elements.indices.contains(index) ? list.elements[index] : nil
            case (.index(let index), .function(let function)?): value = try? function.part(at: index)
            default: return nil
            }
            if value == nil { return nil }
        }
        return value
    }

    /// What a value has itself.
    private func fields(of value: Value) -> [String] {
        switch value {
        case .record(let record): Array(record.fields.keys)
        case .array(let array) where array.rank > 0: ArrayAttribute.names
        case .function(let function): function.network?.fieldNames ?? []
        default: []
        }
    }

    /// The built-in functions that take such a value first.
    private func methods(for value: Value?) -> [String] {
        let topics: Set<Topic> =
            switch value {
            case .number, .bool: [.elementwise, .activations]
            case .string: [.text]
            case .list: [.shape, .reduce, .functions]
            case .record: [.text]
            case .function: [.functions, .derivatives, .networks]
            case .figure: [.files]
            default: [.shape, .elementwise, .reduce, .order, .linear, .activations]
            }
        return builtins.rows.filter { topics.contains($0.topic) && !$0.parameters.isEmpty }.flatMap { [$0.name] + $0.aliases }
    }

    /// `slope=` and its like, without those that the call has already.
    private func argumentNames(at cursor: Cursor) -> [String] {
        guard let call = cursor.call, case .function(let function)? = value(at: call.path) else { return [] }
        let options = function.builtinForm?.options ?? []
        let names = (function.parameters.filter { !$0.isVariadic } + options).map(\.name)
        let given = cursor.text(call.start..<cursor.wordStart)
        return names.filter { !given.contains("\($0)=") }.map { $0 + "=" }
    }

    // MARK: Files

    private func fileCompletions(_ path: String, endingAt end: Int) -> (replaceFrom: Int, candidates: [String]) {
        let name = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
        let start = end - name.utf8.count
        guard options.files.isOpen else { return (start, []) }
        let folder = String(path.dropLast(name.count))
        guard let stream = opendir(folder.isEmpty ? "." : folder) else { return (start, []) }
        defer { closedir(stream) }
        var names: [String] = []
        // No name of a file is longer.
        guard name.utf8.count < 1 << 10 else { return (start, []) }
        while let entry = readdir(stream), !Interrupt.isSet {
            let found = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard found.hasPrefix(name), found != ".", found != "..", !found.hasPrefix(".") || name.hasPrefix(".") else { continue }
            // What a string cannot hold as it is.
            guard !found.contains(where: { "\"\\{".contains($0) || $0.isNewline }) else { continue }
            var status = stat()
            let isFolder = stat(folder + found, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
            names.append(isFolder ? found + "/" : found)
        }
        return (start, names.sorted())
    }
}

/// What stands around the cursor, as far as an unfinished text tells.
private struct Cursor {
    enum Step {
        case name(String)
        case index(Int)
    }

    /// The text before the cursor.
    let bytes: [UInt8]
    let brackets: OpenBrackets
    /// Where the name begins that the cursor is at the end of.
    let wordStart: Int

    init(_ text: String, _ offset: Int) {
        bytes = Array(text.utf8.prefix(max(offset, 0)))
        var brackets = OpenBrackets()
        brackets.read(bytes)
        self.brackets = brackets
        wordStart = Cursor.nameStart(bytes, before: bytes.count)
    }

    var end: Int { bytes.count }
    var word: String { text(wordStart..<end) }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range.clamped(to: 0..<end)], as: UTF8.self) }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private static func nameStart(_ bytes: [UInt8], before end: Int) -> Int {
        var start = end
        while start > 0, isNamePart(bytes[start - 1]) { start -= 1 }
        return start
    }

    static func nameEnd(_ bytes: [UInt8], after start: Int) -> Int {
        var end = start
        while end < bytes.count, isNamePart(bytes[end]) { end += 1 }
        return end
    }

    // MARK: Commands

    /// `:he` on a line of its own.
    var commandWord: String? {
        let line = text(0..<end)
        guard line.first == ":", !line.contains(where: \.isWhitespace) else { return nil }
        return line
    }

    /// What follows `:load` or `:save`.
    var commandPath: String? {
        let line = text(0..<end)
        for command in [":load ", ":save "] where line.hasPrefix(command) {
            return String(line.dropFirst(command.count).drop { $0 == " " || $0 == "\"" })
        }
        return nil
    }

    // MARK: Fields

    /// What stands before the dot at the cursor; `nil` without a dot, empty where it is not a plain path.
    var fieldPath: [Step]? {
        guard wordStart > 0, bytes[wordStart - 1] == UInt8(ascii: ".") else { return nil }
        // `1.`, `..`
        if wordStart > 1, bytes[wordStart - 2] == UInt8(ascii: ".") { return nil }
        let baseStart = Cursor.nameStart(bytes, before: wordStart - 1)
        if baseStart < wordStart - 1, bytes[baseStart] >= UInt8(ascii: "0"), bytes[baseStart] <= UInt8(ascii: "9") { return nil }
        return path(before: wordStart - 1)
    }

    /// The path `a.b[0]` that ends before an offset; empty where there is none.
    private func path(before end: Int) -> [Step] {
        var steps: [Step] = []
        var end = end
        while true {
            if end > 0, bytes[end - 1] == UInt8(ascii: "]") {
                guard let open = bytes[..<end].lastIndex(of: UInt8(ascii: "[")), let index = Int(text(open + 1..<end - 1)) else { return [] }
                steps.append(.index(index))
                end = open
                continue
            }
            let start = Cursor.nameStart(bytes, before: end)
            guard start < end else { return [] }
            steps.append(.name(CompatibleNames.form(text(start..<end))))
            guard start > 0, bytes[start - 1] == UInt8(ascii: ".") else { return steps.reversed() }
            end = start - 1
        }
    }

    // MARK: Calls

    /// The innermost call whose arguments the cursor is among: what is called, and where its arguments begin.
    var call: (path: [Step], start: Int)? {
        guard let open = brackets.stack.last, open.kind == .parenthesis else { return nil }
        let path = path(before: open.start)
        return path.isEmpty ? nil : (path, open.inside)
    }

    /// What is called around the cursor, with other brackets between or without; empty where nothing is.
    var function: [Step] { brackets.stack.lazy.reversed().filter { $0.kind == .parenthesis }.map { path(before: $0.start) }.first { !$0.isEmpty } ?? [] }

    // MARK: Names

    /// The names that mean something at the cursor by the text itself: parameters, local variables and what it sets. What is open is closed
    /// first, so that the statement that is being written has a tree.
    var names: [String] {
        let text = text(0..<end) + brackets.closing
        guard let source = try? SourceText(id: -1, name: "", text: text) else { return [] }
        return DeepStack.run {
            let tree = parse(source) { _ in Interrupt.isSet }.tree
            let resolution = Resolution(tree) { _ in Interrupt.isSet }
            if Interrupt.isSet { return [] }
            return resolution.symbols(visibleAt: end).filter { resolution[$0].kind != .global || resolution.isSet($0) }.map { tree[resolution[$0].name] }
        }
    }
}
