// What to say when a part of a larger form is wrong: its block, its parameters, the keys and fields of records, what is assigned to.

extension Parser {
    @inline(never)
    mutating func failAtBlock(of keyword: Token) -> Failure {
        let word = text(keyword)
        switch token.kind {
        case .colon: return fail(colonBlock(after: keyword, at: token))
        case .leftBrace:
            return fail(
                Diagnostic(.braceOnNewLine, "the `{` of `\(word)` must stand on the same line", at: span(token), help: "write `\(word) … {` on one line"))
        case .unknown: return fail(foreignSymbol())
        case .assign, .arrow, .semicolon, .in: return fail(unexpected(in: nil))
        default: break
        }
        if let habit = foreignWord(before: token) { return fail(habit) }
        let isAtEnd = token.kind == .endOfInput || token.newlineBefore
        return fail(
            Diagnostic(
                .missingBlock, "a block `{ … }` is missing after `\(word)`", at: isAtEnd ? span(peek(-1)) : span(token), help: "write `\(blockPattern(word))`"))
    }

    func colonBlock(after keyword: Token, at colon: Token) -> Diagnostic {
        var help = blockPattern(text(keyword))
        var edits: [Diagnostic.Edit] = []
        if keyword.kind == .for, let range = rangeOfLoop(keyword) { return range }
        if let start = tokens.lastIndex(of: keyword, before: position), let head = line(from: start, upTo: position) {
            let (text, end) = block(behind: position)
            help = "\(head) \(text)"
            if let end { edits = [.init(source.span(Int(tokens[start].start), end), help)] }
        }
        return Diagnostic(.colonBlock, "`:` does not begin a block", at: span(colon), help: "write `\(help)`", edits: edits)
    }

    /// What stands on the line after the token `colon` as a block, and where that ends.
    private func block(behind colon: Int) -> (text: String, end: Int?) {
        guard colon + 1 < tokens.count, !tokens[colon + 1].newlineBefore, let body = rest(from: colon + 1, isList: newlineEnds) else { return ("{ … }", nil) }
        // A block in braces needs the `:` alone to go.
        return (body.hasPrefix("{") ? body : "{ \(body == "pass" ? "none" : body) }", range(ofRestFrom: colon + 1, isList: newlineEnds).map { Int($0.end) })
    }

    /// `for i in 1:3 {`, `for i in 1:3: print(i)` or `for i in 1:3`, the current token being the first `:`.
    private func rangeOfLoop(_ keyword: Token) -> Diagnostic? {
        guard let start = tokens.lastIndex(of: keyword, before: position), let word = tokens[start..<position].firstIndex(where: { $0.kind == .in }) else {
            return nil
        }
        let head = line(from: start, upTo: word).map { $0 + " in " } ?? ""
        func diagnostic(_ range: ForeignRange, _ block: String = "{ … }", _ edit: Diagnostic.Edit? = nil) -> Diagnostic {
            let help = head.isEmpty ? range.text : "\(head)\(range.text) \(block)"
            return Diagnostic(
                .colonRange, "`:` makes a range only inside an index", at: span(token), help: "write `\(help)`, \(range.remark)",
                edits: range.isCertain ? edit.map { [$0] } ?? [] : [])
        }
        let whole = foreignRange(from: word + 1, colon: position), after = whole.map { tokens[min($0.end, tokens.count - 1)] }
        if let whole, after?.kind == .leftBrace { return diagnostic(whole, "{ … }", .init(whole.span, whole.text)) }
        // A `:` more than the range has begins the block, but `1:2:9` is a range: no block is a number alone.
        if let last = lastColon, !endsLine(behind: last), let range = foreignRange(from: word + 1, colon: position, upTo: last), range.end == last {
            let (text, end) = block(behind: last)
            guard let end, !head.isEmpty else { return diagnostic(range) }
            return diagnostic(range, text, .init(source.span(Int(tokens[start].start), end), "\(head)\(range.text) \(text)"))
        }
        guard let whole, let after, after.newlineBefore || after.kind == .endOfInput, tokens[word + 1].kind == .number, endsLine(behind: lastColon ?? position)
        else { return nil }
        return diagnostic(whole)
    }

    /// The last `:` of this line after the current one.
    private var lastColon: Int? {
        var last: Int?, index = position + 1
        while index < tokens.count, !tokens[index].newlineBefore, tokens[index].kind != .endOfInput {
            switch tokens[index].kind {
            case .colon: last = index
            case .leftParenthesis, .leftBracket, .leftBrace: index = partner(of: index) ?? tokens.count
            default: break
            }
            index += 1
        }
        return last
    }

    /// Whether one number or name is all that stands behind a token on its line.
    private func endsLine(behind index: Int) -> Bool {
        guard index + 2 < tokens.count, !tokens[index + 1].newlineBefore, [.number, .name].contains(tokens[index + 1].kind) else { return false }
        return tokens[index + 2].newlineBefore || tokens[index + 2].kind == .endOfInput
    }

    private func blockPattern(_ word: String) -> String {
        switch word {
        case "else": "else { … }"
        case "for": "for a in xs { … }"
        default: "\(word) condition { … }"
        }
    }

    @inline(never)
    mutating func failAtLoopVariable() -> Failure {
        let previous = peek(-1)
        switch token.kind {
        case .assign where peek().kind == .number && peek(2).kind == .colon:
            let range = foreignRange(from: position + 1, colon: position + 2)
            let isWhole = range.map { tokens[min($0.end, tokens.count - 1)].kind == .leftBrace } ?? false
            return fail(
                Diagnostic(
                    .forWithoutIn, "`for` takes `in`", at: span(token),
                    help: "write `for \(text(previous)) in \(range?.text ?? "range(start, stop)") { … }`",
                    edits: range.map { isWhole && $0.isCertain ? [.init(span(token).union($0.span), "in \($0.text)")] : [] } ?? []))
        case .leftParenthesis:
            return fail(
                Diagnostic(
                    .loopVariablesInParentheses, "the variables of `for` stand without parentheses", at: span(token),
                    help: "write `for a, b in pairs { … }`, `for i in range(10) { … }`"))
        case .name where previous.kind == .name && text(previous) != "each":
            let iterable = rest(from: position)?.split(separator: "{").first.map { String($0).trimmingSpaces() } ?? "xs"
            return fail(
                Diagnostic(
                    .forWithoutIn, "`in` is missing after the variable of `for`", at: span(token), help: "write `for \(text(previous)) in \(iterable) { … }`",
                    edits: [.insertion("in ", at: token.start, in: span(token))]))
        case .name where previous.kind == .name:
            return fail(Diagnostic(.forWithoutIn, "`for` takes `in`", at: span(token), help: "write `for \(text(token)) in xs { … }`"))
        default:
            let what = previous.kind == .name ? "`in` is missing after the variable of `for`" : "`for` needs the name of a variable"
            return fail(Diagnostic(.forWithoutIn, what, at: span(token), help: "write `for a in xs { … }`"))
        }
    }

    @inline(never)
    mutating func failAtParameter() -> Failure {
        if token.kind == .unknown { return fail(foreignSymbol()) }
        if token.kind == .star || token.kind == .caret {
            return fail(
                Diagnostic(.variadicParameter, "a function has a fixed number of parameters", at: span(token), help: "take a list and pass `(a, b, c)`"))
        }
        return fail(Diagnostic(.badParameter, "a parameter is a name", at: span(token), help: "write for example `f(x, slope=0.01) = …`"))
    }

    @inline(never)
    mutating func failInParameters(_ open: Token) -> Failure {
        if token.kind == .colon { return fail(Diagnostic(.typedParameter, "parameters have no types in act", at: span(token), help: "write the name alone")) }
        if token.kind == .unknown { return fail(foreignSymbol()) }
        return fail(
            Diagnostic(.badParameter, "a parameter is a name, alone or with a default", at: span(token), help: "write for example `f(x, slope=0.01) = …`"))
    }

    @inline(never)
    mutating func failAtKey(_ open: Token) -> Failure {
        if token.kind == .unknown { return fail(foreignSymbol()) }
        if token.kind.isKeyword {
            let word = text(token)
            return fail(
                Diagnostic(
                    .keywordAsKey, "`\(word)` is a keyword and cannot be a key of a record", at: span(token), help: "write `\"\(word)\": …`",
                    edits: [.init(span(token), "\"\(word)\"")]))
        }
        return fail(Diagnostic(.badKey, "a record's key is a name or a string", at: span(token), help: "write for example `{W: 1, \"two words\": 2}`"))
    }

    mutating func failAfterKey(_ key: Token, _ open: Token) -> Failure {
        if token.kind == .unknown { return fail(foreignSymbol()) }
        let help = token.kind == .assign ? "write `\(excerpt(key)): …`" : "write `\(excerpt(key)): value`"
        return fail(
            Diagnostic(
                .missingColon, "`:` is missing after the key `\(excerpt(key))`", at: span(token), help: help,
                edits: token.kind == .assign ? [.init(source.span(Int(key.end), Int(token.end)), ":")] : []))
    }

    func missingField(of base: ExpressionID) -> Diagnostic {
        let whole = tree.text(of: base)
        if token.kind.isKeyword, !token.newlineBefore {
            let help = whole.count <= 40 ? "write `\(whole)[\"\(text(token))\"]`" : "write `[\"\(text(token))\"]`"
            return Diagnostic(
                .keywordAsField, "`\(text(token))` is a keyword and cannot follow `.`", at: span(token), help: help,
                edits: [.init(span(peek(-1)).union(span(token)), "[\"\(text(token))\"]")])
        }
        return Diagnostic(.missingField, "the name of a field must follow `.`", at: span(peek(-1)))
    }

    @inline(never)
    mutating func failAtCall(of number: ExpressionID) -> Failure {
        let text = tree.text(of: number)
        if peek(-2).kind == .caret, peek(-3).kind == .name, let end = partner(of: position), let arguments = line(from: position, upTo: end + 1) {
            let name = self.text(peek(-3))
            return fail(
                Diagnostic(
                    .powerOfFunction, "a power of a function's value is taken after the call", at: span(extent(number)),
                    help: "write `\(name)\(arguments)^\(text)`",
                    edits: [.init(source.span(Int(peek(-3).start), Int(tokens[end].end)), "\(name)\(arguments)^\(text)")]))
        }
        return fail(
            Diagnostic(
                .callOfNumber, "the number `\(text)` cannot be called", at: span(extent(number)), help: "write `\(text) * (…)` for a product",
                edits: [.insertion(" * ", at: token.start, in: span(token))]))
    }

    func badTarget(_ target: ExpressionID, part: ExpressionID) -> Diagnostic {
        func diagnostic(_ what: String, _ help: String? = nil, _ replacement: String? = nil) -> Diagnostic {
            let span = tree.span(of: target)
            return Diagnostic(.badTarget, "\(what) cannot be assigned to", at: span, help: help, edits: replacement.map { [.init(span, $0)] } ?? [])
        }
        switch tree[part] {
        case .number, .string, .bool, .none, .interpolation: return diagnostic("`\(excerpt(tree.text(of: part)))`", "`==` compares")
        case .list where part != target, .array where part != target, .call where part != target:
            let text = tree.text(of: part)
            return Diagnostic(
                .unnamedTarget, "a value without a name cannot be changed", at: tree.span(of: target),
                help: text.count <= 40 ? "give it one first: `a = \(text)`" : "give it one first: `a = …`")
        case .list(let run), .array(let run):
            let areNames = tree[run].allSatisfy { if case .name = tree[$0] { true } else { false } }
            let names = tree[run].map { tree.text(of: $0) }.joined(separator: ", ")
            let isShort = areNames && names.count <= 40 && !names.isEmpty
            return diagnostic("brackets", isShort ? "write `\(names) = …`" : "write `a, b = …`", isShort ? names : nil)
        case .call(let callee, _):
            switch tree[callee] {
            case .field where part == target: return diagnostic("a call", "write `\(excerpt(tree.text(of: callee))) = x -> …` for a function in a record")
            case .prime: return diagnostic("a derivative", "act computes it: define the function alone")
            default: return diagnostic("a call", "a function is defined as `f(x) = …`, its parameters being names")
            }
        case .prime: return diagnostic("a derivative or transpose")
        case .function: return diagnostic("a function literal", "write `f = x -> …`")
        default: return diagnostic("`\(excerpt(tree.text(of: part)))`", "`==` compares; a name, `a[i]` or `r.name` can be assigned to")
        }
    }
}
