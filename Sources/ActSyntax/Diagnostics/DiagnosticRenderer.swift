// Diagnostics as text:
//
//     error: shapes (3,) and (2, 4) do not fit for @
//       net.act:3:8
//       3 | L1 = X @ W1 + b1
//         |      ^ - ^^ (2, 4): 2 rows
//         |      (3,): 3 elements
//       help: the last axis on the left (3) must equal the second-last on the right (2)
//
// What must stay true: marks stand under what they mean on a terminal (tabs, wide and invisible characters included), no control
// character of the source reaches the terminal, and a line of any length shows as one row.
//
// Marks are `^`; a label without words beside labels with words is marked `-`.

import ActText

package struct DiagnosticRenderer {
    package enum Style: Sendable { case plain, colour }

    package var style: Style
    /// A source line takes at most this many columns; the part around the marks is shown.
    package var width: Int
    /// The source with an id, if it is known.
    package var source: (Int32) -> SourceText?

    package init(style: Style = .plain, width: Int = 100, source: @escaping (Int32) -> SourceText?) {
        self.style = style
        self.width = max(width, 20)
        self.source = source
    }

    /// The text of a diagnostic, each line of it ended with `\n`.
    package func render(_ diagnostic: Diagnostic) -> String {
        var output = ""
        let level = paint(diagnostic.level.rawValue, diagnostic.level == .error ? "1;31" : diagnostic.level == .warning ? "1;33" : "1;36")
        output += "\(level)\(paint(": " + indented(diagnostic.title, by: 0), "1"))\n"
        renderLabels(diagnostic, into: &output)
        for line in callLines(diagnostic.callChain) { output += "  \(line)\n" }
        for note in diagnostic.notes { output += "  \(paint("note:", "1;36")) \(indented(note, by: 8))\n" }
        if let help = diagnostic.help { output += "  \(paint("help:", "1;32")) \(indented(help, by: 8))\n" }
        return output
    }

    /// `name:line:column`.
    package func position(of span: Span) -> String? {
        guard let source = source(span.source) else { return nil }
        let (line, column) = source.lineAndColumn(of: Int(span.start))
        return "\(Self.shown(source.name)):\(max(1, line - source.hiddenLines)):\(column)"
    }

    /// Source lines with marks and words beneath them, and nothing else.
    package func diagram(_ labels: [Diagnostic.Label]) -> String {
        var output = ""
        renderLabels(Diagnostic(.explanation, "", labels: labels), isDiagram: true, into: &output)
        return output
    }

    /// What stands for a place in a source that a long session has let go of.
    private static let forgotten = "a line that is no longer known"

    // MARK: Labels

    private func renderLabels(_ diagnostic: Diagnostic, isDiagram: Bool = false, into output: inout String) {
        guard let primary = diagnostic.primarySpan else { return }
        let hasWords = diagnostic.labels.contains { !$0.text.isEmpty }
        // The primary source first, then the others in the order in which they are named.
        var sources = [primary.source]
        for label in diagnostic.labels where !sources.contains(label.span.source) { sources.append(label.span.source) }
        var marks: [(source: Int32, mark: Mark)] = []
        for label in diagnostic.labels {
            let symbol: Character = hasWords && label.text.isEmpty ? "-" : "^"
            for mark in self.marks(of: label, symbol: symbol) { marks.append((label.span.source, mark)) }
        }
        let gutter = marks.map { String(max(1, $0.mark.line - (self.source(Int32(truncatingIfNeeded: $0.source))?.hiddenLines ?? 0))).count }.max() ?? 1
        for id in sources {
            let first = id == primary.source ? primary : diagnostic.labels.first { $0.span.source == id }?.span ?? primary
            guard let source = source(id), let position = position(of: first) else {
                if !isDiagram { output += "  \(Self.forgotten)\n" }
                continue
            }
            if !isDiagram { output += "  \(paint(position, "36"))\n" }
            let own = marks.filter { $0.source == id }.map(\.mark)
            var last: Int?
            for line in Set(own.map(\.line)).sorted() {
                if let last, line > last + 1 { output += "  \(paint("...", "2"))\n" }
                last = line
                let number = String(max(1, line - source.hiddenLines))
                let padding = String(repeating: " ", count: gutter - number.count)
                let margin = isDiagram ? "  " : paint(String(repeating: " ", count: gutter) + " |", "2") + " "
                let layout = LineLayout(source: source, line: line, marks: own.filter { $0.line == line }, width: width)
                output += "  \(isDiagram ? " " : paint("\(padding)\(number) |", "2"))\(layout.text.isEmpty ? "" : " ")\(layout.text)\n"
                for row in layout.rows {
                    output += "  \(margin)\(paint(row, diagnostic.level == .error ? "31" : "33"))\n"
                }
            }
        }
    }

    /// What a label marks: one stretch, or the first and the last line of a span of several.
    private func marks(of label: Diagnostic.Label, symbol: Character) -> [Mark] {
        guard let source = source(label.span.source) else { return [] }
        let start = min(max(0, Int(label.span.start)), source.bytes.count)
        let end = min(max(start, Int(label.span.end)), source.bytes.count)
        let firstLine = source.line(containing: start)
        let lastLine = source.line(containing: max(start, end - 1))
        func mark(_ line: Int, _ range: Range<Int>, _ text: String) -> Mark {
            Mark(line: line, range: range, symbol: symbol, text: text, isPrimary: label.isPrimary)
        }
        guard lastLine > firstLine else { return [mark(firstLine, start..<end, label.text)] }
        let first = source.lineRange(firstLine)
        let last = source.lineRange(lastLine)
        let indent = source.bytes[last].prefix { $0 == 0x20 || $0 == 0x09 }.count
        return [
            mark(firstLine, start..<max(start, first.upperBound), ""),
            mark(lastLine, min(last.lowerBound + indent, end)..<max(end, last.lowerBound + indent), label.text),
        ]
    }

    // MARK: Calls

    /// The call chain, innermost first; the middle of a long one is left out.
    private func callLines(_ chain: [Diagnostic.Call]) -> [String] {
        // What was put around a text calls it.
        let chain = chain.filter { call in source(call.span.source).map { $0.line(containing: Int(call.span.start)) > $0.hiddenLines } ?? true }
        func line(_ call: Diagnostic.Call) -> String {
            "in \(call.name), called at \(position(of: call.span) ?? Self.forgotten)"
        }
        guard chain.count > 10 else { return chain.map(line) }
        return chain.prefix(5).map(line) + ["… \(chain.count - 8) more calls …"] + chain.suffix(3).map(line)
    }

    // MARK: Text

    private func paint(_ text: String, _ code: String) -> String {
        style == .plain ? text : "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }

    /// A text of one line, such as the name of a file, as a terminal may be given it: with its control characters made visible.
    package static func shown(_ text: String) -> String {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? text : String(text.map { visible($0) }.joined())
    }

    /// Bytes of a text that are shown: whoever writes more than this into a message does not read it.
    private static let longest = 20_000

    /// Further lines of a text stand under its first; control characters are made visible.
    private func indented(_ text: String, by columns: Int) -> String {
        let lines = shortened(text, to: Self.longest).split(separator: "\n", omittingEmptySubsequences: false).map { String($0.map(visible).joined()) }
        return lines.joined(separator: "\n" + String(repeating: " ", count: columns))
    }
}

/// The beginning and the end of a long text, and how long it is.
private func shortened(_ text: String, to limit: Int) -> String {
    let bytes = text.utf8
    guard bytes.count > limit else { return text }
    let front = bytes.prefix(limit / 4 * 3), back = bytes.suffix(limit / 4)
    // Where the cuts go through a character it is left out.
    func whole(_ part: Substring.UTF8View) -> String {
        String(String.UnicodeScalarView(String(decoding: part, as: UTF8.self).unicodeScalars.filter { $0 != "\u{FFFD}" }))
    }
    return whole(front) + " … \(bytes.count - front.count - back.count) bytes … " + whole(back)
}

/// A stretch of one line to be marked.
private struct Mark {
    var line: Int
    /// UTF-8 offsets in the source; an empty one is marked as one character.
    var range: Range<Int>
    var symbol: Character
    var text: String
    var isPrimary: Bool
}

/// One source line as it is shown, and the rows under it.
private struct LineLayout {
    private(set) var text = ""
    private(set) var rows: [String] = []

    init(source: SourceText, line: Int, marks: [Mark], width: Int) {
        let range = source.lineRange(line)
        let focus = marks.first { $0.isPrimary } ?? marks.first
        guard let focus else { return }
        let window = Self.window(in: source, range, around: focus.range, width: width)

        // Walk over the characters of the window; remember the column at which each mark begins and ends.
        var columns = [(start: Int, end: Int)?](repeating: nil, count: marks.count)
        var column = 0
        if window.lowerBound > range.lowerBound {
            text = "…"
            column = 1
        }
        var offset = window.lowerBound
        for character in source.text(window) {
            let shown = character == "\t" ? String(repeating: " ", count: 4 - column % 4) : visible(character)
            let next = offset + character.utf8.count
            let wide = displayWidth(shown)
            for (index, mark) in marks.enumerated() where mark.range.lowerBound < next && max(mark.range.upperBound, mark.range.lowerBound + 1) > offset {
                columns[index] = (columns[index]?.start ?? column, column + wide)
            }
            text += shown
            column += wide
            offset = next
        }
        if window.upperBound < range.upperBound { text += "…" }
        var placed: [(mark: Mark, start: Int, end: Int)] = []
        for (index, mark) in marks.enumerated() {
            let outside = mark.range.lowerBound < window.lowerBound ? 0 : column
            let place = columns[index] ?? (outside, outside + 1)
            placed.append((mark, place.start, max(place.end, place.start + 1)))
        }
        placed.sort { ($0.start, $0.end) < ($1.start, $1.end) }
        rows = Self.rows(placed)
    }

    /// The marks, then the words of each label: those of the rightmost beside it, the others below.
    private static func rows(_ placed: [(mark: Mark, start: Int, end: Int)]) -> [String] {
        var marks = [Character](repeating: " ", count: placed.map(\.end).max() ?? 0)
        for entry in placed.filter({ !$0.mark.isPrimary }) + placed.filter(\.mark.isPrimary) {
            for column in entry.start..<entry.end { marks[column] = entry.mark.symbol }
        }
        var rows = [String(marks)]
        var waiting = placed.filter { !$0.mark.text.isEmpty }
        if let last = waiting.last, last.end == marks.count {
            rows[0] += " " + visible(last.mark.text)
            waiting.removeLast()
        }
        while !waiting.isEmpty {
            // From right to left, as many words as find room; those that find none get a line down to the next row.
            var pieces: [(column: Int, text: String)] = []
            var left: [(mark: Mark, start: Int, end: Int)] = []
            for entry in waiting.reversed() {
                let text = visible(entry.mark.text)
                let room = pieces.last?.column ?? .max
                if pieces.isEmpty || entry.start + displayWidth(text) + 1 < room {
                    pieces.append((entry.start, text))
                } else {
                    if entry.start < room { pieces.append((entry.start, "|")) }
                    left.append(entry)
                }
            }
            var row = ""
            var column = 0
            for piece in pieces.reversed() {
                row += String(repeating: " ", count: max(0, piece.column - column)) + piece.text
                column = max(column, piece.column) + displayWidth(piece.text)
            }
            rows.append(row)
            waiting = left.reversed()
        }
        return rows
    }

    /// The part of a line to show: all of a short one, else about `width` characters around the focus.
    private static func window(in source: SourceText, _ line: Range<Int>, around focus: Range<Int>, width: Int) -> Range<Int> {
        if line.count <= width || (line.count <= 4 * width && displayWidth(source.text(line)) <= width) { return line }
        let isStart = { (offset: Int) in offset >= source.bytes.count || source.bytes[offset] & 0xC0 != 0x80 }
        let centre = min(max(focus.lowerBound, line.lowerBound), line.upperBound)
        var start = centre
        var columns = 0
        // A third of the width before the focus, the rest after it; a scalar counts as its own width.
        while start > line.lowerBound, columns < width / 3 {
            start -= 1
            if isStart(start) { columns += source.bytes[start] < 0x80 ? 1 : 2 }
        }
        while start > line.lowerBound, !isStart(start) { start -= 1 }
        var end = centre
        while end < line.upperBound, columns < width - 2 {
            if isStart(end) { columns += source.bytes[end] < 0x80 ? 1 : 2 }
            end += 1
        }
        while end < line.upperBound, !isStart(end) { end += 1 }
        return start..<end
    }
}

/// A character as a terminal may be given it.
private func visible(_ character: Character) -> String {
    guard let scalar = character.unicodeScalars.first else { return "" }
    switch scalar.value {
    case 0..<0x20: return Unicode.Scalar(0x2400 + scalar.value).map { String(Character($0)) } ?? "?"
    case 0x7F: return "\u{2421}"
    case 0x80..<0xA0, 0x202A...0x202E, 0x2066...0x2069: return "\u{FFFD}"
    default: return String(character)
    }
}

private func visible(_ text: String) -> String { shortened(text, to: 1000).map(visible).joined() }
