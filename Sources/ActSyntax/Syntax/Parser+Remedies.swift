// The user's own text as act writes it, for the help of a fault: what can be pasted back.
//
// What must stay true: a remedy is on one line, short, and nil when it would be a guess.

extension Parser {
    /// The longest remedy worth reading.
    private static let lengthLimit = 60

    /// The text of the tokens from `start` up to `end`, when it is short and on one line. Python's constants in it are spelled as act does.
    func line(from start: Int, upTo end: Int) -> String? {
        guard start < end, end <= tokens.count, Int(tokens[end - 1].end) - Int(tokens[start].start) <= 4 * Self.lengthLimit else { return nil }
        var text = ""
        for index in start..<end {
            if index > start { text += source.text(Int(tokens[index - 1].end)..<Int(tokens[index].start)) }
            let word = self.text(tokens[index])
            text += tokens[index].kind == .name ? ["True": "true", "False": "false", "None": "none"][word] ?? word : word
        }
        return text.count <= Self.lengthLimit && !text.contains(where: \.isNewline) ? text : nil
    }

    /// The text from `start` to the end of its statement, element or bracket, or to the first `stop`.
    func rest(from start: Int, upTo stop: Token.Kind = .endOfInput) -> String? {
        end(ofRestFrom: start, upTo: stop).flatMap { line(from: start, upTo: $0) }
    }

    /// Where that text stands.
    func range(ofRestFrom start: Int, upTo stop: Token.Kind = .endOfInput) -> Span? {
        guard let end = end(ofRestFrom: start, upTo: stop), end > start else { return nil }
        return source.span(Int(tokens[start].start), Int(tokens[end - 1].end))
    }

    private func end(ofRestFrom start: Int, upTo stop: Token.Kind) -> Int? {
        var end = start
        scan: while end < tokens.count, tokens[end].kind != stop, tokens[end].kind != .endOfInput, end == start || !tokens[end].newlineBefore {
            switch tokens[end].kind {
            case .semicolon, .comma, .rightParenthesis, .rightBracket, .rightBrace, .templateMiddle, .templateTail, .formatSpec: break scan
            case .leftParenthesis, .leftBracket, .leftBrace:
                guard let partner = partner(of: end) else { return nil }
                end = partner
            default: break
            }
            end += 1
        }
        return end
    }

    /// What replaces the current token as a habit says, and every other symbol of another language in the statement.
    func edits(_ habit: ForeignHabit) -> [Diagnostic.Edit] {
        guard let replacement = habit.replacement else { return [] }
        var edits: [Diagnostic.Edit] = []
        var index = statementStart
        while tokens[index].kind != .endOfInput, tokens[index].kind != .semicolon, index == statementStart || !tokens[index].newlineBefore {
            if index == position {
                edits.append(.init(span(tokens[index]), replacement))
            } else if tokens[index].kind == .unknown, let other = foreignSymbols[text(tokens[index])]?.replacement {
                edits.append(.init(span(tokens[index]), other))
            }
            // Of a long statement the one sign that the fault is about.
            if index - statementStart > 1000 { return [.init(span(token), replacement)] }
            index += 1
        }
        return edits
    }

    /// The statement with the current token replaced, and every other symbol of another language that has a replacement.
    func rewrittenStatement(_ habit: ForeignHabit) -> String? {
        guard let replacement = habit.replacement else { return nil }
        var result = ""
        var index = statementStart
        while tokens[index].kind != .endOfInput, tokens[index].kind != .semicolon, index == statementStart || !tokens[index].newlineBefore {
            let word = tokens[index]
            if index > statementStart { result += source.text(Int(tokens[index - 1].end)..<Int(word.start)) }
            if index == position {
                result += replacement
            } else if word.kind == .unknown {
                guard let other = foreignSymbols[text(word)]?.replacement else { return nil }
                result += other
            } else {
                result += text(word)
            }
            guard result.utf8.count <= 4 * Self.lengthLimit else { return nil }
            index += 1
        }
        result = result.split(separator: "  ").joined(separator: " ")
        return result.count <= Self.lengthLimit && index > position ? "write `\(result)`" : nil
    }

    /// `a if c else b`, the current token being `if`.
    var rewrittenChoice: (text: String, span: Span)? {
        guard let last = tree.expressions.indices.last else { return nil }
        var value = ExpressionID(index: UInt32(truncatingIfNeeded: last))
        var target = ""
        // What stands before the value itself: `y = `, `f(x) = `, `x -> `.
        let start = Int(tree.span(of: value).start)
        while true {
            switch tree[value] {
            case .assign(_, let right): value = right
            case .define(let function), .function(let function): value = tree[function].body
            default: break
            }
            switch tree[value] {
            case .assign, .define, .function: continue
            default: break
            }
            break
        }
        target = source.text(start..<max(start, Int(tree.span(of: value).start)))
        var index = position + 1
        while tokens[index].kind != .else {
            guard tokens[index].kind != .endOfInput, !tokens[index].newlineBefore else { return nil }
            index += 1
        }
        guard let condition = line(from: position + 1, upTo: index), let other = rest(from: index + 1, upTo: .for),
            let end = range(ofRestFrom: index + 1, upTo: .for)?.end
        else { return nil }
        let result = "\(target)if \(condition) { \(tree.text(of: value)) } else { \(other) }"
        return result.count <= Self.lengthLimit ? (result, source.span(start, Int(end))) : nil
    }

    /// `f(a) for a in xs`, the current token being `for`.
    var rewrittenGenerator: String? {
        guard let last = tree.extents.last, let loop = rest(from: position) else { return nil }
        let value = source.text(span(last))
        return value.count <= 30 ? "\(value) \(loop)" : nil
    }

    /// `lambda x: e`, `def f(x):`, `print x`, the word being the token at `index`: what to write, and the edit where that says all.
    func rewrittenOpener(at index: Int) -> (help: String, edit: Diagnostic.Edit?)? {
        let next = min(index + 1, tokens.count - 1)
        /// `text` in place of the word and all up to the end of what `start` begins.
        func replaced(_ text: String, from start: Int) -> (help: String, edit: Diagnostic.Edit?) {
            ("write `\(text)`", range(ofRestFrom: start).map { .init(span(tokens[index]).union($0), text) })
        }
        switch text(tokens[index]) {
        case "lambda":
            var colon = next
            while tokens[colon].kind != .colon {
                guard tokens[colon].kind == .name || tokens[colon].kind == .comma else { return nil }
                colon += 1
            }
            guard let body = rest(from: colon + 1) else { return nil }
            let parameters = colon == next ? "" : line(from: next, upTo: colon) ?? "…"
            return replaced(colon == next + 1 ? "\(parameters) -> \(body)" : "(\(parameters)) -> \(body)", from: colon + 1)
        case "def", "function", "fn", "func", "fun":
            guard tokens[next].kind == .name, tokens[min(next + 1, tokens.count - 1)].kind == .leftParenthesis, let end = partner(of: next + 1)
            else { return nil }
            return line(from: next, upTo: end + 1).map { ("write `\($0) = …`, or `\($0) = { … }` for several lines", nil) }
        case "print", "echo", "disp": return rest(from: next).map { replaced("print(\($0))", from: next) }
        case "raise", "throw":
            // `raise "text"`, `raise Error("text")`
            var first = next
            if tokens[first].kind == .name, tokens[first].end == tokens[min(first + 1, tokens.count - 1)].start { first += 2 }
            guard first < tokens.count, tokens[first].kind == .string else { return nil }
            return replaced("error(\(text(tokens[first])))", from: next)
        case "let", "var", "const": return rest(from: next).map { replaced($0, from: next) }
        case "del": return rest(from: next).map { replaced("unset \($0)", from: next) }
        default: return nil
        }
    }

    /// `f(x, y)` at the start of a statement whose next token is the current one.
    var definitionHead: String? {
        let parenthesis = statementStart + 1
        guard tokens[statementStart].kind == .name, parenthesis < position, tokens[parenthesis].kind == .leftParenthesis,
            partner(of: parenthesis) == position - 1
        else { return nil }
        return line(from: statementStart, upTo: position)
    }

    /// `[1 2; 3 4]` as act writes it, when it holds only simple elements.
    func rewrittenArray(_ open: Token) -> (text: String, span: Span)? {
        var index = position
        while index > 0, tokens[index].start != open.start { index -= 1 }
        guard let end = partner(of: index), end - index < 40 else { return nil }
        var rows: [[String]] = [[]]
        var element = ""
        func finishElement() {
            if !element.isEmpty { rows[rows.count - 1].append(element) }
            element = ""
        }
        for position in index + 1..<end {
            let token = tokens[position]
            switch token.kind {
            case .number, .name, .string, .true, .false:
                if !element.isEmpty, element != "-" { finishElement() }
                element += text(token)
            case .minus:
                let isSign = tokens[position - 1].end < token.start && tokens[position + 1].start == token.end
                guard element.isEmpty || isSign else { return nil }
                finishElement()
                element = "-"
            case .comma: finishElement()
            case .semicolon:
                finishElement()
                rows.append([])
            default: return nil
            }
        }
        finishElement()
        let written = rows.filter { !$0.isEmpty }.map { $0.joined(separator: ", ") }
        let result = written.count == 1 ? "[\(written[0])]" : "[" + written.map { "[\($0)]" }.joined(separator: ", ") + "]"
        return result.count <= 60 ? (result, span(open).union(span(tokens[end]))) : nil
    }
}

extension [Token] {
    /// The index of a token of this list, looked for leftwards from `end`.
    func lastIndex(of token: Token, before end: Int) -> Int? {
        self[..<Swift.min(end, count)].lastIndex { $0.start == token.start && $0.kind == token.kind }
    }
}
