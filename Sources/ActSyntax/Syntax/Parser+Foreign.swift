// Words and signs of other languages where act has others: what to write instead. The spellings are rows of `ForeignHabits.swift`.

extension Parser {
    /// - Parameter isAfterValue: Whether it stands where an operator could.
    func foreignSymbol(isAfterValue: Bool = false) -> Diagnostic {
        let word = text(token)
        let previous = peek(-1)
        if isAfterValue, word == "!" || word == "~", let habit = foreignSymbols[word] {
            return Diagnostic(.foreignSymbol, "`\(word)` is not an operator", at: span(token), help: habit.help)
        }
        if word == "?", position == statementStart, peek().kind == .name, !peek().newlineBefore {
            let help = "help(\"\(text(peek()))\")"
            return Diagnostic(
                .foreignSymbol, "`?` asks for help at the prompt of a session", at: span(token), help: "write `\(help)`",
                edits: [.init(span(token).union(span(peek())), help)])
        }
        if let habit = foreignSymbols[word] {
            let fault = habit.fault.isEmpty ? "`\(word)` is not an operator" : habit.fault
            return Diagnostic(.foreignSymbol, fault, at: span(token), help: rewrittenStatement(habit) ?? habit.help, edits: edits(habit))
        }
        if word == "'", previous.end < token.start, previous.kind == .name || previous.kind == .rightParenthesis {
            return Diagnostic(
                .detachedPrime, "`'` must follow the function directly", at: span(token), help: "write `\(excerpt(previous))'`; strings are written `\"…\"`",
                edits: [.init(source.span(Int(previous.end), Int(token.start)), "")])
        }
        if word == "'" { return Diagnostic(.strayPrime, "this `'` has no partner", at: span(token), help: "strings are written `\"…\"`") }
        let scalar = word.unicodeScalars.first ?? " "
        let isVisible =
            !scalar.properties.isDefaultIgnorableCodePoint && scalar.properties.generalCategory != .control
            && scalar.properties.generalCategory != .format
        let number = String(scalar.value, radix: 16, uppercase: true)
        let name = isVisible ? "`\(word)`" : "the invisible character U+\(String(repeating: "0", count: max(0, 4 - number.count)))\(number)"
        return Diagnostic(.meaninglessCharacter, "\(name) means nothing in act", at: span(token), help: commentHelp())
    }

    /// A word of another language before `next` or where `next` stands, such as `def f` or `a is b`.
    func foreignWord(before next: Token) -> Diagnostic? {
        let previous = peek(-1)
        if previous.kind == .name, let habit = foreignOpeners[text(previous)] {
            return opener(habit, at: position - 1)
        }
        let isPrefixed = previous.kind == .name && (next.kind == .string || next.kind == .templateHead) && previous.end == next.start
        if isPrefixed, ["f", "r", "b", "u", "rb", "fr"].contains(text(previous)) {
            return Diagnostic(
                .stringPrefix, "a string has no prefix in act", at: span(previous),
                help: "remove `\(text(previous))`: every string interpolates `{expression}`",
                edits: [.init(span(previous), "")])
        }
        // `function f(x)`, `elif c:`, `f = function(x) {`: the word stands further to the left.
        for index in [statementStart, statementStart + 2] where index < position && tokens[index].kind == .name {
            guard index == statementStart || tokens[index - 1].kind == .assign, let habit = foreignOpeners[text(tokens[index])] else { continue }
            // `print(1 2)` is a call already.
            let isCall = tokens[index + 1].kind == .leftParenthesis && tokens[index + 1].start == tokens[index].end
            if isCall, functionsThatOpen.contains(text(tokens[index])) { continue }
            return opener(habit, at: index)
        }
        if next.kind == .name, let habit = foreignInfixes[text(next)] {
            return Diagnostic(.foreignWord, habit.fault, at: span(next), help: rewrittenStatement(habit) ?? habit.help, edits: edits(habit))
        }
        if previous.kind == .prime, next.kind == .name, ["f", "r", "b"].contains(text(peek(-2))) {
            return Diagnostic(
                .singleQuotes, "strings are written with double quotes", at: span(previous), help: "write `\"…\"`; it interpolates `{expression}`")
        }
        return nil
    }

    /// A word of another language that begins something, the token at `index`.
    private func opener(_ habit: ForeignHabit, at index: Int) -> Diagnostic {
        let remedy = rewrittenOpener(at: index)
        return Diagnostic(
            .foreignWord, habit.fault, at: span(tokens[index]), help: remedy?.help ?? habit.help, edits: remedy?.edit.map { [$0] } ?? [])
    }

    /// When the statement so far holds `//` or `%`, a comment may have been meant.
    func commentHelp() -> String? {
        var index = position
        while index > statementStart, index > position - 40 {
            index -= 1
            if tokens[index].kind == .doubleSlash { return "`//` is floor division; a comment starts with `#`" }
            if tokens[index].kind == .percent, token.kind == .name { return "`%` is the remainder; a comment starts with `#`" }
        }
        return nil
    }

    /// A token's text, shortened to a few words.
    func excerpt(_ token: Token) -> String { excerpt(text(token)) }

    func excerpt(_ text: String) -> String {
        let line = text.prefix { $0 != "\n" && $0 != "\r\n" && $0 != "\r" }
        return line.count > 30 || line.count < text.count ? line.prefix(29) + "…" : String(line)
    }
}
