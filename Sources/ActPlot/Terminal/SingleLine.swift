// Texts of figures where a line is all the room that they have.

import ActText

/// `text` with line ends and tabs as spaces.
func singleLine(_ text: String) -> String {
    String(text.map { $0.isNewline || $0 == "\t" ? " " : $0 })
}

/// `text` on one line, cut to `width` columns, the last of them `…` (in plain ASCII `.`) when something is missing.
func truncated(_ text: String, to width: Int, ascii: Bool) -> String {
    let text = singleLine(text)
    guard displayWidth(text) > width else { return text }
    guard width > 0 else { return "" }
    var kept = ""
    var used = 0
    for character in text {
        let next = displayWidth(of: character)
        if used + next > width - 1 { break }
        kept.append(character)
        used += next
    }
    return kept + (ascii ? "." : "…")
}
