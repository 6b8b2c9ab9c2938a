// What kinds of words a text is made of, for whoever shows it in colours while it is written.

import ActSyntax

package enum TokenLook {
    case plain, comment, keyword, number, string, builtin
}

extension Session {
    /// Runs of the text's UTF-8 bytes, each up to `end`, in order.
    package func looks(of text: String) -> [(end: Int, look: TokenLook)] {
        // A book is not read at each key.
        guard text.utf8.count < 1 << 16, let source = try? SourceText(id: -1, name: "", text: text) else { return [] }
        var runs: [(end: Int, look: TokenLook)] = []
        for piece in Trivia(source).pieces {
            let text = source.text(piece.span), look = piece.kind == .comment ? .comment : look(of: text)
            if look == .plain { continue }
            runs.append((Int(piece.span.start), .plain))
            runs.append((Int(piece.span.end), look))
        }
        return runs
    }

    private func look(of text: String) -> TokenLook {
        guard let first = text.first else { return .plain }
        if keywords.contains(text) { return .keyword }
        if first.isNumber || first == "." && text.dropFirst().first?.isNumber == true { return .number }
        // Strings, their parts between `{…}`, and what says how a value is written.
        if first == "\"" || text.utf8.count > 1 && (first == "}" || first == ":") { return .string }
        return module[text] == nil && builtins.value(named: text) != nil ? .builtin : .plain
    }
}
