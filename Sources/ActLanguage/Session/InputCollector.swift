// Lines on their way to becoming an input: whether they can run, or more must come.
//
// What must stay true: however many lines come, each is looked at a bounded number of times.

import ActSyntax

struct InputCollector {
    private(set) var text = ""
    private var brackets = OpenBrackets()
    /// How the first line was marked.
    private var style: PromptStyle?

    var isEmpty: Bool { text.isEmpty }

    /// Takes a line.
    /// - Parameter next: The one after it, where that is known: one that begins with `|>`, `>>` or `else` belongs to this one.
    /// - Returns: Whether more lines are needed.
    mutating func takes(_ line: String, before next: String?, in interaction: Interaction) -> Bool {
        if isEmpty { style = interaction.promptStyle(of: line) }
        let line = (style ?? .own).typed(line) ?? line
        if isEmpty, interaction.isRequest(line.trimmingSpaces()) {
            text = line
            return false
        }
        text += (isEmpty ? "" : "\n") + line
        let wasOpen = !brackets.stack.isEmpty
        brackets.read((line + "\n").utf8)
        // Where a bracket is closed by another, no line helps.
        if brackets.isMismatched { return false }
        // A look at the next line takes less time than another parse of all that waits.
        if let next, interaction.promptStyle(of: next) == nil, Self.continuesStatement((style ?? .own).typed(next) ?? next) { return true }
        // The parser reads everything again for each line; what is long is judged by its brackets as long as one is open, and by its last
        // line where none was: an operator at the end asks for more.
        if text.utf8.count > 1 << 13 {
            if !brackets.stack.isEmpty { return true }
            if !wasOpen { return interaction.session.isIncomplete(line) }
        }
        return interaction.session.isIncomplete(text)
    }

    private static func continuesStatement(_ line: String) -> Bool {
        let text = line.trimmingSpaces()
        return text.hasPrefix("|>") || text.hasPrefix(">>") || text == "else" || text.hasPrefix("else ") || text.hasPrefix("else{")
    }
}
