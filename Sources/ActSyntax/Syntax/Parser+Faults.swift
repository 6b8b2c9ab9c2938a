// What to say when the next token does not fit: the words around it tell what was meant.
// The spellings of other languages are rows of `ForeignHabits.swift`.

extension Parser {
    /// A value must begin here and does not.
    @inline(never)
    mutating func failAtValue() -> Failure {
        let previous = peek(-1)
        let ends = token.newlineBefore || token.kind == .rightBrace || token.kind == .semicolon
        if token.kind == .endOfInput || (ends && position > statementStart && isIncrement(previous)) {
            return failAtEnd(after: previous)
        }
        return fail(atValue(after: previous))
    }

    private mutating func failAtEnd(after previous: Token) -> Failure {
        if isIncrement(previous), position - 3 >= statementStart {
            let name = text(peek(-3))
            let operation = text(previous)
            return fail(
                Diagnostic(
                    .increment, "`\(operation)\(operation)` is not an operator", at: span(previous), help: "write `\(name) \(operation)= 1`",
                    edits: peek(-3).kind == .name ? [.init(source.span(Int(peek(-3).end), Int(previous.end)), " \(operation)= 1")] : []))
        }
        let place = position > 0 ? span(previous) : span(token)
        return fail(Diagnostic(.missingValue, "a value is missing after `\(text(previous))`", at: place), isIncomplete: true)
    }

    /// Whether `token` is the second of two adjacent `+` or `-`.
    private func isIncrement(_ token: Token) -> Bool {
        let before = peek(-2)
        return (token.kind == .plus || token.kind == .minus) && before.kind == token.kind && before.end == token.start
    }

    /// Whether the token stands where variables do that are given values: `a, *b = xs`.
    private var isAtTarget: Bool {
        guard position == statementStart || peek(-1).kind == .comma, peek().kind == .name else { return false }
        let before = tokens[statementStart..<position].allSatisfy { $0.kind == .name || $0.kind == .comma }
        return before && (peek(2).kind == .assign || peek(2).kind == .comma)
    }

    private func atValue(after previous: Token) -> Diagnostic {
        let word = text(token)
        let isFirst = position == statementStart
        switch token.kind {
        case .unknown: return foreignSymbol()
        case .rightParenthesis, .rightBracket, .rightBrace:
            if partner(of: position) == nil { return .unmatched(word, at: span(token)) }
        case .return, .break, .continue, .unset:
            let help = token.kind == .return ? "a function's value is the last expression of its block" : nil
            return Diagnostic(.statementInExpression, "`\(word)` is a statement and cannot stand inside an expression", at: span(token), help: help)
        case .else: return strayElse()
        case .not: return Diagnostic(.looseNot, "`not` needs parentheses here", at: span(token), help: "write `(not …)`")
        case .star, .caret:
            if token.kind == .star, isAtTarget {
                return Diagnostic(
                    .spreadArgument, "no variable takes the rest of a list", at: span(token), help: "write `first, rest = xs[0], xs[1:]`")
            }
            if previous.kind == .leftParenthesis || previous.kind == .comma {
                return Diagnostic(
                    .spreadArgument, "a call cannot spread a list or record over its parameters", at: span(token), help: "pass the values one by one")
            }
        case .doubleSlash where isFirst, .percent where isFirst, .unknown where word == "/*":
            return Diagnostic(.foreignComment, "`\(word)` does not begin a comment", at: span(token), help: "a comment starts with `#`")
        case .at where isFirst && peek().kind == .name:
            return Diagnostic(.decorator, "act has no decorators", at: span(token), help: "call the function: `f = decorate(f)`")
        case .at where peek().kind == .leftParenthesis:
            return Diagnostic(
                .matmulWithoutLeft, "`@` is matrix multiplication and has no value on its left", at: span(token), help: "a function literal is `x -> …`")
        case .dot where isFirst:
            return Diagnostic(
                .leadingDot, "a line cannot begin with `.`", at: span(token), help: "end the line before with an open bracket, or write `|> f` here")
        case .arrow:
            return Diagnostic(.missingParameters, "parameters are missing before `->`", at: span(token), help: "write `x -> …`, or `() -> …` for none")
        case .colon where previous.kind == .number || previous.kind == .name: return colon(in: nil)
        default: break
        }
        if isFirst { return Diagnostic(.badStatementStart, "a statement cannot begin with `\(word)`", at: span(token), help: commentHelp()) }
        let isOperator = token.kind.precedence > 0 || token.kind == .assign || token.kind.isUpdate
        if isOperator, previous.kind.precedence > 0 || previous.kind == .assign {
            return Diagnostic(.missingValue, "a value is missing between `\(text(previous))` and `\(word)`", at: span(token), help: commentHelp())
        }
        return Diagnostic(.missingValue, "a value is missing before `\(word)`", at: span(token), help: commentHelp())
    }

    /// A whole statement has been read and something follows it on its line.
    @inline(never)
    mutating func failAfterExpression() -> Failure {
        let word = text(tokens[statementStart])
        if hasLostHead, foreignContinuations.contains(word) { return Failure() }
        let failure = fail(unexpected(in: nil))
        if foreignOpeners[word] != nil { hasLostHead = true }
        return failure
    }

    /// An element has been read, and neither `,` nor the closing bracket of `open` follows.
    @inline(never)
    mutating func failInside(_ open: Token) -> Failure { fail(unexpected(in: open)) }

    func unexpected(in open: Token?) -> Diagnostic {
        let previous = peek(-1)
        let word = text(token)
        switch token.kind {
        case .unknown: return foreignSymbol(isAfterValue: true)
        case .endOfInput: return Diagnostic(.textEndsEarly, "the text ends too early", at: span(previous))
        case .rightParenthesis, .rightBracket, .rightBrace: return .unmatched(word, at: span(token))
        case .arrow:
            let literal = range(ofRestFrom: position - 1)
            return Diagnostic(
                .looseFunctionLiteral, "a function literal needs parentheses here", at: source.span(Int(previous.start), Int(token.end)),
                help: "write `(\(rest(from: position - 1) ?? "x -> …"))`",
                edits: literal.map { [.insertion("(", at: $0.start, in: $0), .insertion(")", at: $0.end, in: $0)] } ?? [])
        case .assign: return unexpectedAssign(in: open)
        case .semicolon: return semicolon(in: open)
        case .colon: return colon(in: open)
        case .comma where open?.kind == .templateHead: return Diagnostic(.badInterpolation, "one expression stands between `{` and `}`", at: span(token))
        case .if:
            let choice = rewrittenChoice
            return Diagnostic(
                .valueBeforeIf, "`if` cannot follow a value", at: span(token), help: "write `\(choice?.text ?? "if condition { a } else { b }")`",
                edits: choice.map { [.init($0.span, $0.text)] } ?? [])
        case .for where open == nil || open?.kind == .leftParenthesis:
            return Diagnostic(
                .valueBeforeFor, "`for` after a value needs square brackets around both", at: span(token),
                help: "write `[\(rewrittenGenerator ?? "f(a) for a in xs")]`")
        case .in:
            return Diagnostic(.inOutsideFor, "`in` belongs to `for`", at: span(token), help: "write `contains(xs, x)` to look for an element")
        case .else: return strayElse()
        case .not:
            return Diagnostic(.looseNot, "`not` cannot follow a value", at: span(token), help: "write `and not …`, or `!=` for unequal")
        default: return unexpectedPart(word, after: previous, in: open)
        }
    }

    /// The current token begins something, but right after a value nothing begins.
    private func unexpectedPart(_ word: String, after previous: Token, in open: Token?) -> Diagnostic {
        if token.kind == .name, previous.kind == .rightBrace, foreignContinuations.contains(word), let habit = foreignOpeners[word] {
            return Diagnostic(.foreignWord, habit.fault, at: span(token), help: habit.help)
        }
        if let habit = foreignWord(before: token) { return habit }
        if open?.kind == .leftBracket, token.kind.startsValue || token.kind == .minus { return missingComma(in: open) }
        if token.kind == .leftBrace, open == nil, let head = definitionHead {
            return Diagnostic(
                .missingEquals, "a function is defined with `=`", at: span(token), help: "write `\(head) = { … }`",
                edits: [.insertion("= ", at: token.start, in: span(token))])
        }
        if token.kind == .name, open == nil, position == statementStart + 1, text(previous) == "layer", peek(1).kind == .leftBrace {
            return Diagnostic(
                .missingOperator, "a layer's parameters stand in parentheses behind its name", at: span(token), help: "write `layer \(word)() { … }`",
                edits: [.insertion("()", at: token.end, in: span(token))])
        }
        if token.kind.startsValue {
            if previous.kind == .name, open == nil, commentHelp() == nil, let argument = rest(from: position) {
                return Diagnostic(
                    .missingOperator, "`\(excerpt(token))` follows `\(excerpt(previous))` directly", at: span(token),
                    help: "write `\(text(previous))(\(argument))` for a call; otherwise an operator between them, or a new line")
            }
            let help = commentHelp() ?? (open == nil ? "write an operator between them, or begin a new line" : "write a `,` or an operator between them")
            return Diagnostic(.missingOperator, "`\(excerpt(token))` follows `\(excerpt(previous))` directly", at: span(token), help: help)
        }
        if let open {
            return Diagnostic(.missingCloser, "`,` or the end of `\(text(open))` is missing before `\(word)`", at: span(token), help: commentHelp())
        }
        return Diagnostic(.unexpectedToken, "`\(word)` cannot stand here", at: span(token), help: commentHelp())
    }

    private func unexpectedAssign(in open: Token?) -> Diagnostic {
        if let open {
            return Diagnostic(
                .assignmentInBrackets, "`=` cannot stand inside brackets", at: span(token),
                help: text(open) == "(" ? "`==` compares; a named argument is `name=value`" : "`==` compares")
        }
        if statementStart > 0, tokens[statementStart - 1].kind == .leftBrace {
            return Diagnostic(
                .recordWithEquals, "a record is written with `:`", at: span(token), help: "write `{a: 1, b: 2}`; in a block statements are separated by `;`")
        }
        return Diagnostic(.chainedAssignment, "one statement assigns once", at: span(token), help: "write two statements; `==` compares")
    }

    func assignmentInCondition(_ condition: ExpressionID) -> Diagnostic {
        let left = tree.text(of: condition)
        return Diagnostic(
            .assignmentInCondition, "`=` assigns and cannot stand in a condition", at: span(token),
            help: left.count <= 40 ? "write `\(left) == …`" : "write `==`",
            edits: [.init(span(token), "==")])
    }

    private func semicolon(in open: Token?) -> Diagnostic {
        if let open, open.kind == .leftBracket, let fixed = rewrittenArray(open) {
            return Diagnostic(
                .semicolonRows, "rows of an array are separated by `,` and have brackets of their own", at: span(token), help: "write `\(fixed.text)`",
                edits: [.init(fixed.span, fixed.text)])
        }
        if open?.kind == .leftBracket {
            return Diagnostic(
                .semicolonRows, "rows of an array are separated by `,` and have brackets of their own", at: span(token), help: "write `[[1, 2], [3, 4]]`")
        }
        return Diagnostic(
            .semicolonInBrackets, "`;` cannot stand inside brackets", at: span(token), help: "separate the elements by `,`", edits: [.init(span(token), ",")])
    }

    private func missingComma(in open: Token?) -> Diagnostic {
        let fixed = open.flatMap(rewrittenArray)
        return Diagnostic(
            .missingComma, "elements of an array are separated by `,`", at: span(token), help: fixed.map { "write `\($0.text)`" } ?? "write a `,` between them",
            edits: fixed.map { [.init($0.span, $0.text)] } ?? [])
    }

    private func colon(in open: Token?) -> Diagnostic {
        let previous = peek(-1)
        let next = peek()
        if open?.kind == .leftBrace || peek(-2).kind == .leftBrace {
            let isInterpolated = previous.kind == .templateTail
            let isWord = previous.kind == .number && peek(-2).kind == .leftBrace
            return Diagnostic(
                .badKey, "a record's key is a name or a string\(isInterpolated ? " without `{…}`" : "")", at: span(previous),
                help: "write `\"\(excerpt(previous))\": …`", edits: isWord ? [.init(span(previous), "\"\(text(previous))\"")] : [])
        }
        if let habit = foreignWord(before: token) { return habit }
        if open == nil, next.newlineBefore || next.kind == .endOfInput {
            return Diagnostic(.colonBlock, "`:` does not begin a block", at: span(token), help: "write `{ … }`")
        }
        var help = "write `range(start, stop)`, which leaves out `stop`"
        var edits: [Diagnostic.Edit] = []
        // Where the first part begins is known of one that is a number or a name alone.
        let isSigned = peek(-2).kind == .minus, before = isSigned ? peek(-3) : peek(-2), start = isSigned ? position - 2 : position - 1
        let isAlone = start <= statementStart || [.assign, .leftParenthesis, .comma, .arrow].contains(before.kind)
        let isPart = previous.kind == .number || previous.kind == .name && before.kind == .assign
        if isPart, start >= statementStart, isAlone, let range = foreignRange(from: start, colon: position) {
            let after = tokens[min(range.end, tokens.count - 1)]
            let isWhole = after.newlineBefore || [.endOfInput, .semicolon, .comma, .rightParenthesis, .rightBrace].contains(after.kind)
            if isWhole {
                help = "write `\(range.text)`, \(range.remark)"
                edits = range.isCertain ? [.init(range.span, range.text)] : []
            }
        }
        return Diagnostic(.colonRange, "`:` makes a range only inside an index", at: span(token), help: help, edits: edits)
    }

    private func strayElse() -> Diagnostic {
        // In a session a line that could end is run before the next one comes.
        position == 0
            ? .elseOnNewLine(at: span(token))
            : Diagnostic(.strayElse, "`else` has no `if` before it", at: span(token), help: "write `if condition { a } else { b }`")
    }

    /// `else` where a statement begins: said once when the head of its `if` is lost.
    @inline(never)
    mutating func parseStrayElse() throws(Failure) -> ExpressionID {
        if !hasLostHead { report(peek().kind == .colon ? colonBlock(after: token, at: peek()) : strayElse()) }
        hasLostHead = true
        throw Failure()
    }
}
