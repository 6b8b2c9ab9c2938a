// From tokens and comments to phrases and brackets. The tree says where statements begin and which braces are records.

import ActText

struct LayoutReader {
    /// A token, a whole string with what it interpolates, or a comment (without a kind).
    private struct Piece {
        var kind: Token.Kind?
        var text: Range<Int>
        var firstLine: Int
        var lastLine: Int
    }

    private let source: SourceText
    private var pieces: [Piece] = []
    private var position = 0
    /// How far comments have been passed over, to the next word.
    private var ahead = 0
    /// Where statements begin, and the braces of records.
    private let statements: Set<Int32>
    private let records: Set<Int32>

    init(_ tree: SyntaxTree) {
        source = tree.source
        statements = Set(tree.statementStarts)
        var records: Set<Int32> = []
        for id in tree.expressionIDs {
            if case .record = tree[id] { records.insert(tree.operatorSpan(of: id).start) }
        }
        self.records = records
        pieces = readPieces()
    }

    mutating func program() -> [Layout.Item] { lines(until: nil).items }

    // MARK: Pieces

    private func readPieces() -> [Piece] {
        let (tokens, comments) = source.bytes.withUnsafeBufferPointer { bytes in
            var lexer = Lexer(source: source, bytes: bytes)
            lexer.comments = []
            lexer.run(isStopped: nil)
            return (lexer.tokens, lexer.comments ?? [])
        }
        var pieces: [Piece] = []
        pieces.reserveCapacity(tokens.count + comments.count)
        var line = 1, lineEnd = source.lineRange(1).upperBound
        func piece(_ kind: Token.Kind?, _ text: Range<Int>) -> Piece {
            func move(to offset: Int) {
                while offset > lineEnd, line < source.lineCount {
                    line += 1
                    lineEnd = source.lineRange(line).upperBound
                }
            }
            move(to: text.lowerBound)
            let first = line
            move(to: text.upperBound)
            return Piece(kind: kind, text: text, firstLine: first, lastLine: line)
        }
        var comment = 0, templates = 0, templateStart = 0
        for token in tokens where token.kind != .endOfInput {
            while comment < comments.count, comments[comment].start < token.start {
                if templates == 0 { pieces.append(piece(nil, Int(comments[comment].start)..<Int(comments[comment].end))) }
                comment += 1
            }
            switch token.kind {
            case .templateHead:
                if templates == 0 { templateStart = Int(token.start) }
                templates += 1
            case .templateTail:
                templates -= 1
                if templates == 0 { pieces.append(piece(.string, templateStart..<Int(token.end))) }
            default:
                if templates == 0, token.end > token.start { pieces.append(piece(token.kind, Int(token.start)..<Int(token.end))) }
            }
        }
        for rest in comments[comment...] { pieces.append(piece(nil, Int(rest.start)..<Int(rest.end))) }
        return pieces
    }

    private var current: Piece? { position < pieces.count ? pieces[position] : nil }

    /// The first piece from here on that is not a comment.
    private mutating func nextWord() -> Piece? {
        ahead = max(ahead, position)
        while ahead < pieces.count, pieces[ahead].kind == nil { ahead += 1 }
        return ahead < pieces.count ? pieces[ahead] : nil
    }

    private var line: Int { position > 0 ? pieces[position - 1].lastLine : 0 }

    // MARK: Lines of statements

    private mutating func lines(until closer: Token.Kind?) -> (items: [Layout.Item], opening: Range<Int>?) {
        var items: [Layout.Item] = []
        var opening: Range<Int>?
        var last: Int?
        while let piece = current, piece.kind == nil || piece.kind != closer {
            let isApart = piece.firstLine > line + 1 && !items.isEmpty
            switch piece.kind {
            case nil:
                position += 1
                if piece.firstLine > (position > 1 ? pieces[position - 2].lastLine : 0) {
                    items.append(Layout.Item(kind: .comment(piece.text), isApart: isApart))
                } else if let last, items.count == last + 1, items[last].comment == nil {
                    items[last].comment = piece.text
                } else if closer != nil, items.isEmpty, opening == nil {
                    opening = piece.text
                } else {
                    items.append(Layout.Item(kind: .comment(piece.text)))
                }
            case .semicolon:
                position += 1
                if let last { items[last].isSeparated = true }
            default:
                let joins = last.map { items.count == $0 + 1 && items[$0].comment == nil } == true && piece.firstLine == line
                let phrase = phrase(in: nil)
                last = items.count
                items.append(Layout.Item(kind: .phrase(phrase), isApart: isApart, isJoined: joins))
            }
        }
        return (items, opening)
    }

    // MARK: Phrases

    /// Words and brackets up to the end of a statement (in no list) or of an element.
    private mutating func phrase(in list: Layout.Brackets.Kind?) -> Layout.Phrase {
        var phrase = Layout.Phrase()
        phrase.firstLine = current?.firstLine ?? 0
        let start = position
        var before: Token.Kind?
        var isUnary = false, mayBreak = false
        // Whether names of a loop are read, which commas part.
        var isInNames = false
        while let piece = current {
            guard let kind = piece.kind else {
                // A comment after the last word belongs to the line, not to the phrase.
                guard let next = nextWord(), !ends(next, list) else { break }
                let isOuter = next.kind == .else, beginsLine = isOuter && piece.firstLine > line
                position += 1
                phrase.nodes.append(
                    Layout.Node(kind: .comment, text: piece.text, width: nil, isSpaced: true, isOuter: isOuter, beginsLine: beginsLine))
                continue
            }
            if position > start, ends(piece, list), !isInNames || kind != .comma { break }
            if kind == .for || kind == .in { isInNames = kind == .for }
            let isPrefix = (kind == .minus || kind == .plus) && !(before?.endsValue ?? false)
            let isLink = kind == .pipe || kind == .compose
            let spaced = isSpaced(kind, after: before, isUnary: isUnary, in: list)
            // A chain over lines keeps a line for each link.
            if isLink || before == .pipe || before == .compose, piece.firstLine > line { phrase.isTall = true }
            var node = Layout.Node(kind: .word, text: piece.text, width: nil, isSpaced: spaced, mayBreak: mayBreak && kind != .assign || isLink, isLink: isLink)
            node.isOuter = kind == .else
            node.isClause = list == .list && (kind == .for || kind == .if) && before?.endsValue == true
            if node.isClause { node.mayBreak = true }
            if let inner = Layout.Brackets.Kind(kind, isRecord: records.contains(Int32(piece.text.lowerBound))) {
                let brackets = brackets(inner)
                node.kind = .brackets(brackets)
                node.width = brackets.width
                before = kind.closer
            } else {
                position += 1
                node.width = piece.lastLine > piece.firstLine ? nil : displayWidth(piece.text)
                before = kind
            }
            isUnary = isPrefix
            mayBreak = !isPrefix && !isInNames && (kind.isBreakable || kind == .comma)
            phrase.nodes.append(node)
            phrase.lastLine = line
        }
        phrase.width = phrase.isTall ? nil : width(phrase.nodes)
        return phrase
    }

    private func ends(_ piece: Piece, _ list: Layout.Brackets.Kind?) -> Bool {
        switch piece.kind {
        case .rightParenthesis, .rightBracket, .rightBrace: true
        case .comma: list != nil
        case .semicolon: list == nil
        default: list == nil && statements.contains(Int32(piece.text.lowerBound))
        }
    }

    private func width(_ nodes: [Layout.Node]) -> Int? {
        var sum = 0
        for node in nodes {
            guard let width = node.width else { return nil }
            sum += width + (node.isSpaced ? 1 : 0)
        }
        return sum
    }

    private func displayWidth(_ text: Range<Int>) -> Int {
        source.bytes[text].allSatisfy { $0 < 0x80 } ? text.count : ActText.displayWidth(source.text(text))
    }

    /// Whether a space stands between a word and the one before it.
    private func isSpaced(_ kind: Token.Kind, after before: Token.Kind?, isUnary: Bool, in list: Layout.Brackets.Kind?) -> Bool {
        guard let before else { return false }
        switch (before, kind) {
        case (.number, .dot): return true
        case (.dot, _), (_, .dot), (_, .comma), (_, .prime), (.caret, _), (_, .caret): return false
        case (_, .colon): return false
        case (.colon, _): return list == .record
        case (.assign, _), (_, .assign): return list == nil
        case (.plus, .plus), (.plus, .minus), (.minus, .plus), (.minus, .minus): return true
        case (.plus, _), (.minus, _): return !isUnary
        case (_, .leftParenthesis), (_, .leftBracket): return !before.endsValue
        default: return true
        }
    }

    // MARK: Brackets

    private mutating func brackets(_ kind: Layout.Brackets.Kind) -> Layout.Brackets {
        let opener = pieces[position]
        let brackets = Layout.Brackets(kind, open: opener.text)
        position += 1
        if kind == .block {
            (brackets.items, brackets.comment) = lines(until: .rightBrace)
        } else {
            elements(of: brackets)
        }
        let end = line
        if let closer = current {
            brackets.close = closer.text
            position += 1
        }
        let phrases = brackets.items.compactMap { if case .phrase(let phrase) = $0.kind { phrase } else { nil } }
        let hasComments =
            brackets.comment != nil
            || brackets.items.contains { item in
                if case .comment = item.kind { true } else { item.comment != nil }
            }
        let begins = phrases.first.map { $0.firstLine > opener.lastLine } ?? false
        switch kind {
        case .list: brackets.isTall = hasComments || begins
        case .record: brackets.isTall = hasComments || begins
        case .block:
            let isParted = zip(phrases, phrases.dropFirst()).contains { $0.lastLine < $1.firstLine }
            brackets.isTall = hasComments || begins || isParted || !phrases.isEmpty && pieces[position - 1].firstLine > end
        }
        brackets.width = brackets.isTall ? nil : width(of: brackets, phrases)
        return brackets
    }

    private mutating func elements(of brackets: Layout.Brackets) {
        while let piece = current {
            switch piece.kind {
            case .rightParenthesis, .rightBracket, .rightBrace: return
            case nil:
                let isOwn = piece.firstLine > line
                let isApart = piece.firstLine > line + 1 && !brackets.items.isEmpty
                position += 1
                if isOwn {
                    brackets.items.append(Layout.Item(kind: .comment(piece.text), isApart: isApart))
                } else if let last = brackets.items.indices.last {
                    brackets.items[last].comment = piece.text
                } else {
                    brackets.comment = piece.text
                }
            case .comma:
                position += 1
                if let last = brackets.items.lastIndex(where: { if case .phrase = $0.kind { true } else { false } }) {
                    brackets.items[last].isSeparated = true
                }
            default:
                let isApart = piece.firstLine > line + 1 && !brackets.items.isEmpty
                brackets.items.append(Layout.Item(kind: .phrase(phrase(in: brackets.kind)), isApart: isApart))
            }
        }
    }

    private func width(of brackets: Layout.Brackets, _ phrases: [Layout.Phrase]) -> Int? {
        var sum = brackets.kind == .block && !phrases.isEmpty ? 4 : 2
        for (index, item) in brackets.items.enumerated() {
            guard case .phrase(let phrase) = item.kind, let width = phrase.width else { return nil }
            sum += width + (item.isSeparated ? 1 : 0) + (index + 1 < brackets.items.count ? 1 : 0)
        }
        return sum
    }
}

extension Layout.Brackets.Kind {
    fileprivate init?(_ token: Token.Kind, isRecord: Bool) {
        switch token {
        case .leftParenthesis, .leftBracket: self = .list
        case .leftBrace: self = isRecord ? .record : .block
        default: return nil
        }
    }
}

extension Token.Kind {
    fileprivate var closer: Token.Kind {
        switch self {
        case .leftParenthesis: .rightParenthesis
        case .leftBracket: .rightBracket
        default: .rightBrace
        }
    }

    /// Whether a value may end with this token, so that `(` and `[` after it call and index, and `-` after it subtracts.
    fileprivate var endsValue: Bool {
        switch self {
        case .name, .number, .string, .true, .false, .none, .rightParenthesis, .rightBracket, .rightBrace, .prime: true
        default: false
        }
    }

    /// Whether a line may end after this token.
    fileprivate var isBreakable: Bool { precedence > 2 && self != .caret }
}

extension SyntaxTree {
    /// Where the statements of the program and of all its blocks begin.
    fileprivate var statementStarts: [Int32] { statements.map { span(of: $0.expression).start } }
}
