// A file as the editor has it: its text, its places in the editor's way of counting, and what the parser makes of it.
//
// What must stay true: everything follows from the text alone, so that after any edits it is what it would be after opening the file anew.

import ActCompiler
import ActFiles
import ActLanguage
import ActMachine
import ActSyntax

/// How the editor counts columns.
package enum PositionEncoding: String {
    case utf8 = "utf-8"
    case utf16 = "utf-16"
}

final class Document {
    let uri: String
    private(set) var version: Int
    private(set) var bytes: [UInt8]
    let encoding: PositionEncoding
    private let session: Session
    private var checked: Session.Problems?
    private let sound = SoundStatements()
    /// What the lines give their variables, by the offset behind the name; `nil` as long as nobody knows.
    var kinds: [(offset: Int, kind: String)]?

    init(uri: String, version: Int, text: String, encoding: PositionEncoding, session: Session) {
        self.uri = uri
        self.version = version
        bytes = Array(text.utf8)
        self.encoding = encoding
        self.session = session
    }

    private static let nothing = (try? SourceText(id: -1, name: "", text: "")).map { source in
        let tree = parse(source).tree
        return (source: source, tree: tree, resolution: Resolution(tree), isRight: true)
    }

    /// What the parser makes of it, right or not.
    var parts: (source: SourceText, tree: SyntaxTree, resolution: Resolution, isRight: Bool)? {
        if let parts = problems.parts { return (parts.tree.source, parts.tree, parts.resolution, parts.isRight) }
        // Too large to be read.
        return Self.nothing
    }

    var problems: Session.Problems {
        if let checked { return checked }
        let found = session.problems(in: bytes, named: name, passingOver: sound)
        checked = found
        return found
    }

    /// The file's name, for messages.
    var name: String { uri.split(separator: "/").last.map(String.init) ?? uri }

    // MARK: Edits

    /// - Parameter changes: Each with a range, or the whole text without one; in order.
    func apply(_ changes: [JSON], version: Int) {
        self.version = version
        for change in changes {
            guard let text = change["text"]?.asText else { continue }
            (checked, kinds) = (nil, nil)
            guard let range = change["range"], let lines = try? SourceText(id: -1, name: "", bytes: bytes) else {
                bytes = Array(text.utf8)
                continue
            }
            let start = offset(range["start"], lines), end = max(start, offset(range["end"], lines))
            bytes.replaceSubrange(start..<end, with: text.utf8)
        }
    }

    // MARK: Places

    /// The UTF-8 offset of a position; of one that is nowhere, the nearest.
    func offset(_ position: JSON?, _ source: SourceText? = nil) -> Int {
        guard let source = source ?? parts?.source, let position, let line = position["line"]?.asWhole, let column = position["character"]?.asWhole else {
            return 0
        }
        guard line >= 0 else { return 0 }
        guard line < source.lineCount else { return source.bytes.count }
        let range = source.lineRange(line + 1)
        if encoding == .utf8 {
            var offset = min(range.lowerBound + max(0, min(column, range.count)), range.upperBound)
            // Inside a character: at its start.
            while offset > range.lowerBound, offset < range.upperBound, source.bytes[offset] & 0xc0 == 0x80 { offset -= 1 }
            return offset
        }
        var offset = range.lowerBound, units = 0
        for scalar in source.text(range).unicodeScalars {
            let width = scalar.value > 0xffff ? 2 : 1
            if units + width > column { break }
            units += width
            offset += scalar.utf8.count
        }
        return offset
    }

    func position(_ offset: Int, in source: SourceText) -> JSON {
        let (line, column) = place(offset, in: source)
        return ["line": .whole(line), "character": .whole(column)]
    }

    /// Line and column as the editor counts them, from 0.
    func place(_ offset: Int, in source: SourceText) -> (line: Int, column: Int) {
        let offset = min(max(offset, 0), source.bytes.count), line = source.line(containing: offset), start = source.lineRange(line).lowerBound
        return (line - 1, columns(from: start, to: max(start, offset), in: source))
    }

    /// The end of a line's part that was counted last, and its columns.
    private var counted: (source: SourceText, start: Int, end: Int, columns: Int)?

    /// How many columns a line takes up to an offset. Of many places in one long line each is seldom far from the last.
    func columns(from start: Int, to end: Int, in source: SourceText) -> Int {
        var columns: Int
        if let last = counted, last.source === source, last.start == start, abs(end - last.end) < end - start {
            let between = self.columns(min(end, last.end)..<max(end, last.end), in: source)
            columns = end < last.end ? last.columns - between : last.columns + between
        } else {
            columns = self.columns(start..<end, in: source)
        }
        counted = (source, start, end, columns)
        return columns
    }

    /// How many columns a part of a line takes.
    func columns(_ range: Range<Int>, in source: SourceText) -> Int {
        if encoding == .utf8 { return range.count }
        // A unit for each character, and one more for those of four bytes.
        return source.bytes[range].reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : $1 >= 0xF0 ? 2 : 1) }
    }

    func range(_ start: Int, _ end: Int, in source: SourceText) -> JSON { ["start": position(start, in: source), "end": position(end, in: source)] }
    func range(_ span: Span, in source: SourceText) -> JSON { range(Int(span.start), Int(span.end), in: source) }

    /// An edit of the program as the protocol has it.
    func edit(_ edit: Diagnostic.Edit, in source: SourceText) -> JSON { ["range": range(edit.span, in: source), "newText": .text(edit.replacement)] }
}
