// The prompts that pasted lines begin with: those of act, and of the sessions that people copy from.

/// How one kind of session marks what was typed.
package struct PromptStyle: Sendable {
    /// What a new input begins with. `#` stands for digits, `~` for spaces or none.
    let first: String
    /// What its further lines begin with.
    let next: String
    /// A variable of this name could begin a line like the prompt.
    var name: String?

    static let own = PromptStyle(first: Interaction.prompt, next: Interaction.continuationPrompt)
    static let rows = [
        own,
        PromptStyle(first: ">>> ", next: "... "),
        PromptStyle(first: "In [#]: ", next: "~...: "),
        PromptStyle(first: "julia> ", next: "       ", name: "julia"),
    ]

    func beginsInput(_ line: String) -> Bool { line.utf8.first == first.utf8.first && length(of: first, in: line) != nil }

    /// A line as it was typed; `nil` if it has no prompt.
    func typed(_ line: String) -> String? { (length(of: first, in: line) ?? length(of: next, in: line)).map { String(line.dropFirst($0)) } }

    /// How many characters of a line are a prompt. A space at its end may be missing where nothing was typed.
    private func length(of prompt: String, in line: String) -> Int? {
        var rest = line[...], left = prompt[...]
        while let character = left.popFirst() {
            switch character {
            case "#":
                guard rest.first?.isNumber == true else { return nil }
                rest = rest.drop(while: \.isNumber)
            case "~": rest = rest.drop { $0 == " " }
            case rest.first: rest.removeFirst()
            default: return character == " " && rest.isEmpty && left.isEmpty ? line.count : nil
            }
        }
        return line.count - rest.count
    }
}

extension Interaction {
    /// Whose prompt a line begins with.
    func promptStyle(of line: String) -> PromptStyle? {
        PromptStyle.rows.first { $0.beginsInput(line) && ($0.name.map { session.module[$0] == nil } ?? true) }
    }

    /// Lines that were pasted as they were typed: of a transcript without prompts and without what was printed.
    package func typed(in lines: [String]) -> [String] {
        guard let style = lines.lazy.compactMap(promptStyle).first, let last = lines.last else { return lines }
        // The first line may begin behind its prompt.
        var typed = lines.enumerated().compactMap { index, line in style.typed(line) ?? (index == 0 ? line : nil) }
        // What was printed last ended what was typed.
        if lines.count > 1, style.typed(last) == nil { typed.append("") }
        return typed
    }
}
