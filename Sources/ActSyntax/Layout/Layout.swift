// The one layout of programs, which `act fmt` writes: what is read off a source to lay it out again.
//
// A program is lines of phrases; a phrase is words and brackets; brackets hold elements, or lines again (blocks). What the author decides
// stays: which statements share a line, one empty line between statements, brackets and blocks that are opened over lines, chains of `|>`
// and `>>` with a link on each line. Everything else follows from the width of a line.
//
// What must stay true: the words and their order stay as they are, comments stay beside what they stand at, and laying out what has been
// laid out changes nothing.

package enum Layout {
    /// Columns of a line. Words that are longer stay whole.
    package static let width = 100
    /// Columns that a level moves to the right.
    package static let indent = 4

    /// The source in the one layout, with a line end after the last line. Needs a stack for `Parser.nestingLimit` levels.
    /// - Returns: nil when the program has faults, which `parse` tells.
    package static func text(of source: SourceText) -> String? {
        guard var text = once(source) else { return nil }
        // A block that was broken because its line was too long looks like one that its author opened over lines, beside which the rest of a
        // call may stand closer. What that leaves stays.
        for _ in 0..<rounds {
            guard let broken = try? SourceText(id: source.id, name: source.name, text: text), let next = once(broken), next != text else { break }
            text = next
        }
        return text
    }

    /// More were never needed.
    private static let rounds = 4

    private static func once(_ source: SourceText) -> String? {
        let parsed = parse(source)
        guard parsed.diagnostics.isEmpty else { return nil }
        var reader = LayoutReader(parsed.tree)
        let items = reader.program()
        var writer = LayoutWriter(source)
        writer.write(program: items)
        return String(decoding: writer.output, as: UTF8.self)
    }

    /// Words and brackets that belong together: a statement, or an element of a list.
    struct Phrase {
        var nodes: [Node] = []
        /// Whether each link of a chain of `|>` and `>>` begins a line.
        var isTall = false
        /// Columns on one line; nil if it cannot stand on one.
        var width: Int? = 0
        /// The lines of the source that it begins and ends on.
        var firstLine = 0
        var lastLine = 0
    }

    struct Node {
        enum Kind {
            case word
            case comment
            case brackets(Brackets)
        }

        var kind: Kind
        /// Where the text of a word or a comment is.
        var text: Range<Int>
        var width: Int?
        /// Whether a space stands before it where it goes on a line.
        var isSpaced: Bool
        /// Whether a line may end before it.
        var mayBreak = false
        /// `|>` or `>>`
        var isLink = false
        /// `for` and `if` of a comprehension
        var isClause = false
        /// Whether it stands where the statement does if it begins a line: `else`, and comments in front of it.
        var isOuter = false
        /// Whether it begins a line in the source, as comments in front of `else` do.
        var beginsLine = false
    }

    final class Brackets {
        enum Kind { case list, record, block }

        let kind: Kind
        let open: Range<Int>
        var close: Range<Int>
        var items: [Item] = []
        /// A comment right after the opening bracket.
        var comment: Range<Int>?
        /// Whether each item stands on a line of its own.
        var isTall = false
        /// Columns on one line; nil if it cannot stand on one.
        var width: Int?

        init(_ kind: Kind, open: Range<Int>) {
            self.kind = kind
            self.open = open
            close = open.upperBound..<open.upperBound
        }
    }

    /// A statement, an element, or a comment on a line of its own.
    struct Item {
        enum Kind {
            case phrase(Phrase)
            case comment(Range<Int>)
        }

        var kind: Kind
        /// Whether an empty line stands before it.
        var isApart = false
        /// Whether it stands on the line of the statement before it.
        var isJoined = false
        /// Whether `;` or `,` follows.
        var isSeparated = false
        /// The comment after it on its line.
        var comment: Range<Int>?
    }
}
