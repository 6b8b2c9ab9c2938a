// From phrases and brackets to text. What does not fit on a line is broken at the outermost place where that helps.

import ActText

struct LayoutWriter {
    private(set) var output: [UInt8] = []
    private let source: SourceText
    private var column = 0
    /// Where this line begins.
    private var indent = 0

    init(_ source: SourceText) { self.source = source }

    mutating func write(program items: [Layout.Item]) {
        write(items, separator: UInt8(ascii: ";"))
        if !output.isEmpty { output.append(0x0A) }
    }

    // MARK: Text

    private mutating func append(_ text: Range<Int>) {
        output += source.bytes[text]
        if source.bytes[text].contains(0x0A) {
            let start = source.bytes[text].lastIndex(of: 0x0A).map { $0 + 1 } ?? text.lowerBound
            column = displayWidth(source.text(start..<text.upperBound))
        } else {
            column += width(text)
        }
    }

    private mutating func append(_ byte: UInt8) {
        output.append(byte)
        column += 1
    }

    private mutating func newline(_ indent: Int) {
        output.append(0x0A)
        output += repeatElement(0x20, count: indent)
        column = indent
        self.indent = indent
    }

    private func width(_ text: Range<Int>) -> Int {
        source.bytes[text].allSatisfy { $0 < 0x80 } ? text.count : displayWidth(source.text(text))
    }

    /// A comment without the white space at its end.
    private func trimmed(_ comment: Range<Int>) -> Range<Int> {
        var end = comment.upperBound
        while end > comment.lowerBound, [0x20, 0x09].contains(source.bytes[end - 1]) { end -= 1 }
        return comment.lowerBound..<end
    }

    // MARK: Lines

    /// The end of a line that a comment belongs to.
    private struct Mark {
        let offset: Int
        let column: Int
        let comment: Range<Int>
    }

    /// Items on lines of their own, from where the line is now.
    private mutating func write(_ items: [Layout.Item], separator: UInt8) {
        let own = indent
        var marks: [Mark] = []
        var index = 0
        while index < items.count {
            let item = items[index]
            if item.isApart { align(&marks) }
            if index > 0 {
                if item.isApart { output.append(0x0A) }
                newline(own)
            }
            let start = output.count
            var last = index
            switch item.kind {
            case .comment(let text): append(trimmed(text))
            case .phrase(let phrase):
                write(phrase, tail: item.isSeparated ? 1 : 0)
                if item.isSeparated { append(separator) }
                while let next = joined(items, after: last) {
                    last += 1
                    append(0x20)
                    write(next, tail: 0)
                    if items[last].isSeparated { append(separator) }
                }
            }
            if let comment = items[last].comment {
                let isOneLine = !output[start...].contains(0x0A)
                if !isOneLine { align(&marks) }
                marks.append(Mark(offset: output.count, column: column, comment: trimmed(comment)))
                if !isOneLine { align(&marks) }
            } else {
                align(&marks)
            }
            index = last + 1
        }
        align(&marks)
    }

    /// The statement that follows on the same line, if it fits there.
    private func joined(_ items: [Layout.Item], after index: Int) -> Layout.Phrase? {
        guard index + 1 < items.count, items[index + 1].isJoined, items[index].isSeparated, items[index].comment == nil,
            case .phrase(let next) = items[index + 1].kind, let width = next.width,
            column + 1 + width + (items[index + 1].isSeparated ? 1 : 0) <= Layout.width
        else { return nil }
        return next
    }

    /// Puts comments behind lines that follow each other, below each other. Lines that are so long that the comments would leave the width
    /// stand out.
    private mutating func align(_ marks: inout [Mark]) {
        let longest = marks.map { width($0.comment) }.max() ?? 0
        let shared = marks.map(\.column).filter { $0 + 2 + longest <= Layout.width }.max() ?? 0
        guard let first = marks.first else { return }
        let rest = Array(output[first.offset...])
        output.removeSubrange(first.offset...)
        var copied = 0
        for mark in marks {
            let end = mark.offset - first.offset
            output += rest[copied..<end]
            output += repeatElement(0x20, count: max(mark.column, shared) - mark.column + 2)
            output += source.bytes[mark.comment]
            copied = end
        }
        output += rest[copied...]
        marks = []
    }

    // MARK: Phrases

    /// - Parameter tail: Columns that must follow on the last line.
    private mutating func write(_ phrase: Layout.Phrase, tail: Int) {
        let own = indent, continued = own + Layout.indent
        // For each node what follows it up to the next place where the line may end.
        var tails = [Int](repeating: tail, count: phrase.nodes.count)
        for index in phrase.nodes.indices.dropLast().reversed() {
            let next = phrase.nodes[index + 1]
            tails[index] = next.mayBreak || isComment(next) ? 0 : (next.isSpaced ? 1 : 0) + leastWidth(next, tails[index + 1])
        }
        // A chain that does not fit on the line has a line for each link, a comprehension one for each clause.
        let isTall = phrase.isTall || phrase.width.map { column + $0 + tail > Layout.width } ?? false
        var mustBreak = false
        for (index, node) in phrase.nodes.enumerated() {
            if index > 0 {
                let space = node.isSpaced ? 1 : 0, needed = firstWidth(node, tails[index])
                let overflows = node.mayBreak && column + space + needed > Layout.width && continued < column
                if mustBreak || overflows || (node.isLink || node.isClause) && isTall || node.beginsLine {
                    newline(node.isOuter ? own : continued)
                } else if space > 0 {
                    append(0x20)
                    if isComment(node) { append(0x20) }
                }
            }
            mustBreak = false
            switch node.kind {
            case .word: append(node.text)
            case .comment:
                append(trimmed(node.text))
                mustBreak = true
            case .brackets(let brackets): write(brackets, tail: tails[index])
            }
        }
    }

    private func isComment(_ node: Layout.Node) -> Bool {
        if case .comment = node.kind { true } else { false }
    }

    /// The columns of a node's first line when all that can be broken is.
    private func leastWidth(_ node: Layout.Node, _ tail: Int) -> Int {
        if case .brackets(let brackets) = node.kind, brackets.kind == .block, !brackets.items.isEmpty { 1 } else { firstWidth(node, tail) }
    }

    /// The columns of a node's first line, with the tail if it ends there.
    private func firstWidth(_ node: Layout.Node, _ tail: Int) -> Int {
        if let width = node.width { return width + tail }
        switch node.kind {
        case .word: return width(node.text.lowerBound..<(source.bytes[node.text].firstIndex(of: 0x0A) ?? node.text.upperBound))
        case .comment: return width(node.text)
        case .brackets(let brackets):
            guard brackets.kind == .list, !brackets.isTall, case .phrase(let first)? = brackets.items.first?.kind else { return 1 }
            return 1 + firstWidth(first)
        }
    }

    /// The columns of a phrase up to where its first line may end.
    private func firstWidth(_ phrase: Layout.Phrase) -> Int {
        var sum = 0
        for (index, node) in phrase.nodes.enumerated() {
            if index > 0, node.mayBreak || isComment(node) { break }
            sum += (index > 0 && node.isSpaced ? 1 : 0) + firstWidth(node, 0)
            if node.width == nil { break }
        }
        return sum
    }

    // MARK: Brackets

    private mutating func write(_ brackets: Layout.Brackets, tail: Int) {
        append(brackets.open)
        if let width = brackets.width, column - 1 + width + tail <= Layout.width || brackets.items.isEmpty {
            writeFlat(brackets)
        } else if brackets.kind == .list, !brackets.isTall {
            writeFilled(brackets, tail: tail)
        } else {
            writeTall(brackets)
        }
        append(brackets.close)
    }

    private mutating func writeFlat(_ brackets: Layout.Brackets) {
        let separator = UInt8(ascii: brackets.kind == .block ? ";" : ",")
        let isPadded = brackets.kind == .block && !brackets.items.isEmpty
        if isPadded { append(0x20) }
        for (index, item) in brackets.items.enumerated() {
            guard case .phrase(let phrase) = item.kind else { continue }
            if index > 0 { append(0x20) }
            write(phrase, tail: 0)
            if item.isSeparated { append(separator) }
        }
        if isPadded { append(0x20) }
    }

    /// As many elements on a line as fit.
    private mutating func writeFilled(_ brackets: Layout.Brackets, tail: Int) {
        let continued = indent + Layout.indent
        for (index, item) in brackets.items.enumerated() {
            guard case .phrase(let phrase) = item.kind else { continue }
            let isLast = index == brackets.items.count - 1
            let after = (item.isSeparated ? 1 : 0) + (isLast ? 1 + tail : 0)
            let needed = (phrase.width ?? firstWidth(phrase)) + (phrase.width == nil ? 0 : after)
            if index > 0 {
                // An element that no line holds begins where it is.
                let fits = column + 1 + needed <= Layout.width
                let helps = continued + needed <= Layout.width || column + 1 + firstWidth(phrase) > Layout.width
                if !fits, helps { newline(continued) } else { append(0x20) }
            }
            write(phrase, tail: after)
            if item.isSeparated { append(UInt8(ascii: ",")) }
        }
    }

    private mutating func writeTall(_ brackets: Layout.Brackets) {
        let own = indent
        if let comment = brackets.comment {
            output += [0x20, 0x20]
            append(trimmed(comment))
        }
        newline(own + Layout.indent)
        write(brackets.items, separator: UInt8(ascii: brackets.kind == .block ? ";" : ","))
        newline(own)
    }
}
