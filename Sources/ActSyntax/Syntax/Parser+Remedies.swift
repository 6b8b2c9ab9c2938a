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
    /// - Parameter isList: Whether commas belong to it.
    func rest(from start: Int, upTo stop: Token.Kind = .endOfInput, isList: Bool = false) -> String? {
        end(ofRestFrom: start, upTo: stop, isList).flatMap { line(from: start, upTo: $0) }
    }

    /// Where that text stands.
    func range(ofRestFrom start: Int, upTo stop: Token.Kind = .endOfInput, isList: Bool = false) -> Span? {
        guard let end = end(ofRestFrom: start, upTo: stop, isList), end > start else { return nil }
        return source.span(Int(tokens[start].start), Int(tokens[end - 1].end))
    }

    private func end(ofRestFrom start: Int, upTo stop: Token.Kind, _ isList: Bool) -> Int? {
        var end = start
        scan: while end < tokens.count, tokens[end].kind != stop, tokens[end].kind != .endOfInput, end == start || !tokens[end].newlineBefore {
            switch tokens[end].kind {
            case .comma where isList: break
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
        // What stands before the value itself: `y = `, `y += `, `f(x) = `, `x -> `.
        let start = Int(tree.span(of: value).start)
        while true {
            switch tree[value] {
            case .assign(_, let right), .update(_, _, let right): value = right
            case .define(let function), .function(let function): value = tree[function].body
            default: break
            }
            switch tree[value] {
            case .assign, .update, .define, .function: continue
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
        /// `text` in place of the word and all up to the end of what `start` begins; `nil` where it would be no program.
        func replaced(_ text: String, from start: Int, isList: Bool = false) -> (help: String, edit: Diagnostic.Edit?)? {
            guard isProgram(text) else { return nil }
            return ("write `\(text)`", range(ofRestFrom: start, isList: isList).map { .init(span(tokens[index]).union($0), text) })
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
        case "print", "echo", "disp": return rest(from: next, isList: true).flatMap { replaced("print(\($0))", from: next, isList: true) }
        case "raise", "throw":
            // `raise "text"`, `raise Error("text")`
            var first = next
            if tokens[first].kind == .name, tokens[first].end == tokens[min(first + 1, tokens.count - 1)].start { first += 2 }
            guard first < tokens.count, tokens[first].kind == .string, tokens[min(first + 1, tokens.count - 1)].kind != .comma else { return nil }
            return replaced("error(\(text(tokens[first])))", from: next)
        case "let", "var", "const": return rest(from: next, isList: true).flatMap { replaced($0, from: next, isList: true) }
        case "del": return deletion(of: next)
        default: return nil
        }
    }

    /// `del x`, `del x[0]`, `del r.a`, what is deleted beginning with the token at `index`.
    private func deletion(of index: Int) -> (help: String, edit: Diagnostic.Edit?)? {
        guard index > 0, tokens[index].kind == .name else { return nil }
        func withoutField(_ name: String) -> (help: String, edit: Diagnostic.Edit?) {
            ("a record keeps its fields: write a record of those that stay, as in `\(name) = {b: \(name).b}`", nil)
        }
        let name = text(tokens[index]), next = tokens[min(index + 1, tokens.count - 1)], key = tokens[min(index + 2, tokens.count - 1)]
        switch next.kind {
        case .dot: return withoutField(name)
        case .leftBracket where key.kind == .string: return withoutField(name)
        case .leftBracket:
            return (
                "no element goes by itself: write `\(name) = concat((\(name)[:i], \(name)[i + 1:]))`, or `[v for v in \(name) if …]` for those that stay", nil
            )
        case .comma: return ("write `unset` for each name, one a statement", nil)
        default:
            guard next.newlineBefore || next.kind == .endOfInput || next.kind == .semicolon || next.kind == .rightBrace else { return nil }
            return ("write `unset \(name)`", .init(source.span(Int(tokens[index - 1].start), Int(tokens[index].end)), "unset \(name)"))
        }
    }

    /// Whether a remedy can be pasted as it is. What stands in one is not given remedies itself.
    func isProgram(_ text: String) -> Bool {
        guard !isRemedy, let source = try? SourceText(id: source.id, name: source.name, text: text) else { return false }
        return source.bytes.withUnsafeBufferPointer { bytes in
            var lexer = Lexer(source: source, bytes: bytes)
            lexer.run(isStopped: isStopped)
            var parser = Parser(lexer, isStopped: isStopped)
            parser.isRemedy = true
            parser.parseProgram()
            return parser.finish().diagnostics.isEmpty
        }
    }

    /// `1:3`, `0:len(x)`, `1:2:9` as act writes it: what other languages have for a range.
    struct ForeignRange {
        var text: String
        /// What it does with the last number.
        var remark: String
        var span: Span
        /// Whether nothing else can be meant: then the last number is one, and belongs to it.
        var isCertain: Bool
        /// The index of the first token after it.
        var end: Int
    }

    /// The range whose first part begins at the token `start`, and whose first `:` is the token `colon`; `nil` if that is something else.
    /// - Parameter end: A token that is no part of it.
    func foreignRange(from start: Int, colon: Int, upTo end: Int = .max) -> ForeignRange? {
        guard start < colon, tokens[colon].kind == .colon else { return nil }
        var bounds = [start], index = colon
        scan: while index < min(tokens.count, end), !tokens[index].newlineBefore {
            switch tokens[index].kind {
            case .colon: bounds.append(index)
            case .leftParenthesis, .leftBracket:
                guard let partner = partner(of: index) else { return nil }
                index = partner
            case .number, .name, .dot, .plus, .minus, .star, .slash, .doubleSlash, .percent, .caret: break
            default: break scan
            }
            index += 1
        }
        bounds.append(index)
        guard bounds.count == 3 || bounds.count == 4 else { return nil }
        var parts: [String] = [], numbers: [Double?] = []
        for (number, (first, last)) in zip(bounds, bounds.dropFirst()).enumerated() {
            let first = number == 0 ? first : first + 1
            guard let part = line(from: first, upTo: last) else { return nil }
            parts.append(part)
            let isNegative = tokens[first].kind == .minus, digits = isNegative ? first + 1 : first
            let value = digits + 1 == last && tokens[digits].kind == .number ? self.numbers[Int(tokens[digits].payload)] : nil
            numbers.append(value.flatMap { $0 == $0.rounded() && $0 < 1e9 ? (isNegative ? -$0 : $0) : nil })
        }
        let step = parts.count == 3 ? parts[1] : nil, span = span(tokens[start]).union(self.span(tokens[index - 1]))
        if numbers.allSatisfy({ $0 != nil }), let stop = numbers[numbers.count - 1], step == nil || (numbers[1] ?? 0) > 0 {
            let text = "range(\(parts[0]), \(Int(stop) + 1)\(step.map { ", \($0)" } ?? ""))"
            return ForeignRange(text: text, remark: "which ends at \(parts[parts.count - 1])", span: span, isCertain: true, end: index)
        }
        let text = "range(\(parts[0]), \(parts[parts.count - 1])\(step.map { ", \($0)" } ?? ""))"
        return ForeignRange(text: text, remark: "which leaves out its end", span: span, isCertain: false, end: index)
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
