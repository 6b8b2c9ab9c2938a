// What a formatter needs and the tree leaves out: comments, blank lines, and parentheses that only group. It is read off the source again
// when somebody asks, so that running programs pay nothing for it. How a number, a string or `**` is spelled is the text of its span.
//
// What must stay true: every byte of the source that is not white space belongs to exactly one piece, and pieces stand in source order.

package struct Trivia: Sendable {
    package struct Piece: Equatable, Sendable {
        package enum Kind: String, Sendable {
            case comment, keyword, name, number
            /// A string, or a part of one between the expressions in it, with the quotes and braces around it.
            case text
            /// How an expression in a string is written: `:.3f`.
            case format
            /// Operators and brackets.
            case sign
        }
        package let kind: Kind
        package let span: Span
    }

    package let source: SourceText
    package let pieces: [Piece]
    /// The offsets of opening brackets and of their partners, in source order.
    private let brackets: [(open: Int32, close: Int32)]

    package init(_ source: SourceText) {
        self.source = source
        let (tokens, comments) = source.bytes.withUnsafeBufferPointer { bytes in
            var lexer = Lexer(source: source, bytes: bytes)
            lexer.comments = []
            lexer.run(isStopped: nil)
            return (lexer.tokens, lexer.comments ?? [])
        }
        var brackets: [(open: Int32, close: Int32)] = []
        var pieces = comments.map { Piece(kind: .comment, span: $0) }
        for token in tokens where token.end > token.start {
            pieces.append(Piece(kind: Piece.Kind(token.kind), span: source.span(Int(token.start), Int(token.end))))
            switch token.kind {
            case .leftParenthesis, .leftBracket, .leftBrace:
                if token.payload != Token.noPartner { brackets.append((token.start, tokens[Int(token.payload)].start)) }
            default: break
            }
        }
        self.pieces = pieces.sorted { $0.span.start < $1.span.start }
        self.brackets = brackets
    }

    /// The comments that begin in a range of offsets.
    package func comments(in range: Range<Int32>) -> [Span] {
        pieces[index(from: range.lowerBound)...].prefix { $0.span.start < range.upperBound }.filter { $0.kind == .comment }.map(\.span)
    }

    /// Whether nothing but white space stands before an offset on its line.
    package func beginsLine(_ offset: Int32) -> Bool {
        let line = source.lineRange(source.line(containing: Int(offset)))
        return source.bytes[line.lowerBound..<max(line.lowerBound, Int(offset))].allSatisfy { $0 == 0x20 || $0 == 0x09 }
    }

    /// How many empty lines stand right before the piece that begins at an offset.
    package func blankLines(before offset: Int32) -> Int {
        let index = index(from: offset)
        let last = index > 0 ? source.line(containing: Int(pieces[index - 1].span.end)) : 0
        return max(0, source.line(containing: Int(offset)) - last - 1)
    }

    /// The pairs of parentheses around an expression that only group it, the outermost first; each span is the whole with both of them.
    package func parentheses(around id: ExpressionID, in tree: SyntaxTree) -> [Span] {
        var span = tree.span(of: id)
        var found: [Span] = []
        while source.bytes.indices.contains(Int(span.start)), source.bytes[Int(span.start)] == UInt8(ascii: "("), partner(of: span.start) == span.end - 1 {
            found.append(span)
            let first = index(from: span.start + 1)
            let last = index(from: span.end - 1)
            let inside = pieces[first..<max(first, last)].filter { $0.kind != .comment }
            guard let begin = inside.first, let end = inside.last else { break }
            span = source.span(Int(begin.span.start), Int(end.span.end))
        }
        // The innermost pair of a list is the list's own.
        if case .list = tree[id] { _ = found.popLast() }
        return found
    }

    /// An expression without the parentheses around it.
    package func bareSpan(of id: ExpressionID, in tree: SyntaxTree) -> Span {
        guard let innermost = parentheses(around: id, in: tree).last else { return tree.span(of: id) }
        let inside = pieces[index(from: innermost.start + 1)..<index(from: innermost.end - 1)].filter { $0.kind != .comment }
        guard let first = inside.first, let last = inside.last else { return innermost }
        return first.span.union(last.span)
    }

    /// Where the bracket is that closes the one at an offset.
    private func partner(of offset: Int32) -> Int32? {
        let index = Self.index(in: brackets, from: offset, \.open)
        return index < brackets.count && brackets[index].open == offset ? brackets[index].close : nil
    }

    /// The index of the first piece that begins at an offset or after it.
    private func index(from offset: Int32) -> Int { Self.index(in: pieces, from: offset, \.span.start) }

    private static func index<Element>(in list: [Element], from offset: Int32, _ start: (Element) -> Int32) -> Int {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if start(list[middle]) < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Trivia.Piece.Kind {
    fileprivate init(_ kind: Token.Kind) {
        switch kind {
        case .name: self = .name
        case .number: self = .number
        case .string, .templateHead, .templateMiddle, .templateTail: self = .text
        case .formatSpec: self = .format
        default: self = kind.isKeyword ? .keyword : .sign
        }
    }
}
