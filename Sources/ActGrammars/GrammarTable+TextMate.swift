// The grammar of VS Code, Sublime Text and GitHub: https://macromates.com/manual/en/language_grammars, with the scope names that themes know.

import ActFiles

extension GrammarTable {
    var textMate: String {
        let letters = Letters(first: #"\p{L}\p{Nl}_"#, others: #"\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\x{2080}-\x{2089}_"#), end = Self.wordEnd(letters)
        func word(_ words: [String], _ scope: String) -> JSON {
            ["match": .text("(?<![\(letters.others)0-9])\(Self.words(words))\(end)"), "name": .text("\(scope).act")]
        }
        func text(_ quotes: String, end: String, _ scope: String) -> JSON {
            [
                "begin": .text(quotes), "end": .text(end), "name": .text("string.quoted.\(scope).act"),
                "patterns": [["include": "#escape"], ["include": "#interpolation"]],
            ]
        }
        func inside(_ open: String, _ close: String) -> JSON {
            [
                "begin": .text(open), "end": .text(close), "beginCaptures": ["0": ["name": "punctuation.section.begin.act"]],
                "endCaptures": ["0": ["name": "punctuation.section.end.act"]], "patterns": [["include": "#expression"]],
            ]
        }
        let expression = [
            "comment", "block-text", "line-text", "number", "control", "word-operator", "literal", "function", "maker", "constant", "name", "parentheses",
            "brackets", "braces", "sign",
        ]
        let grammar: JSON = [
            "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json", "name": "act", "scopeName": "source.act",
            "fileTypes": ["act"], "patterns": [["include": "#expression"]],
            "repository": [
                "expression": ["patterns": .list(expression.map { ["include": .text("#\($0)")] })],
                "comment": ["match": "#.*$", "name": "comment.line.number-sign.act"],
                "block-text": text("\"\"\"", end: "\"\"\"", "triple"),
                "line-text": text("\"", end: "\"|$", "double"),
                "escape": ["match": .text(Self.escape), "name": "constant.character.escape.act"],
                // A colon right inside says how the value is written; one inside other brackets does not.
                "interpolation": [
                    "begin": "\\{", "end": "\\}", "name": "meta.interpolation.act",
                    "beginCaptures": ["0": ["name": "punctuation.section.interpolation.begin.act"]],
                    "endCaptures": ["0": ["name": "punctuation.section.interpolation.end.act"]],
                    "patterns": [["match": .text(Self.format), "name": "constant.other.format.act"], ["include": "#expression"]],
                ],
                "number": ["match": .text(Self.number(letters)), "name": "constant.numeric.act"],
                "control": word(control, "keyword.control"), "word-operator": word(wordOperators, "keyword.operator.word"),
                "literal": word(literals, "constant.language"), "function": word(functions, "support.function"), "maker": word(makers, "support.class"),
                "constant": word(numbers, "support.constant"), "name": ["match": .text(Self.name(letters)), "name": "variable.other.act"],
                "parentheses": inside("\\(", "\\)"), "brackets": inside("\\[", "\\]"), "braces": inside("\\{", "\\}"),
                "sign": ["match": .text(Self.sign), "name": "keyword.operator.act"],
            ],
        ]
        return Self.lines(grammar) + "\n"
    }

    /// JSON to be read by people: short values on one line, what is longer on several.
    static func lines(_ value: JSON, indent: String = "") -> String {
        let short = (try? value.text()) ?? ""
        func several(_ parts: [String], _ open: String, _ close: String) -> String {
            open + "\n" + parts.map { "\(indent)  \($0)" }.joined(separator: ",\n") + "\n\(indent)\(close)"
        }
        switch value {
        case .list(let values) where short.utf8.count > 100: return several(values.map { lines($0, indent: indent + "  ") }, "[", "]")
        case .object(let fields) where short.utf8.count > 100:
            return several(fields.map { "\((try? JSON.text($0.name).text()) ?? ""): \(lines($0.value, indent: indent + "  "))" }, "{", "}")
        default: return short
        }
    }
}
