// The lexer of Pygments, which colours programs in Sphinx, nbconvert and the wheel's notebooks: https://pygments.org/docs/lexerdevelopment/.

extension GrammarTable {
    var pygments: String {
        func words(_ words: [String]) -> String { Self.wrapped(words.map { "'\($0)'" }, indent: "    ", width: 118) }
        return """
            # Made by `act grammar pygments`.
            \"""A lexer of Pygments for act.\"""

            from pygments import unistring
            from pygments.lexer import RegexLexer, include, words
            from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

            __all__ = ["ActLexer"]

            first = unistring.combine("Lu", "Ll", "Lt", "Lm", "Lo", "Nl") + "_"
            others = first + unistring.combine("Nd", "Mn", "Mc") + "\\u2080-\\u2089"
            word_end = rf"(?![{others}])"

            CONTROL = (
            \(words(control)),
            )
            WORD_OPERATORS = (
            \(words(wordOperators)),
            )
            LITERALS = (
            \(words(literals)),
            )
            FUNCTIONS = (
            \(words(functions)),
            )
            MAKERS = (
            \(words(makers)),
            )
            CONSTANTS = (
            \(words(numbers)),
            )


            \(lexer)

            """
    }

    /// Words in lines, between commas.
    static func wrapped(_ words: [String], separator: String = ", ", indent: String, width: Int) -> String {
        var lines: [String] = [], line = indent
        for (index, word) in words.enumerated() {
            let piece = word + (index + 1 < words.count ? separator : "")
            if line.count + piece.count > width, line != indent {
                while line.last == " " { line.removeLast() }
                lines.append(line)
                line = indent
            }
            line += piece
        }
        return (lines + [line]).joined(separator: "\n")
    }

    /// As the module names them.
    private var letters: Letters { Letters(first: "{first}", others: "{others}") }

    /// The states of the lexer.
    private var lexer: String {
        """
        class ActLexer(RegexLexer):
            \"""Programs of act, a small array language.\"""

            name = "act"
            aliases = ["act"]
            filenames = ["*.act"]
            mimetypes = ["text/x-act"]

            tokens = {
                "expression": [
                    (r"\\s+", Whitespace),
                    (r"#.*", Comment.Single),
                    (r'\"""', String.Double, "block-text"),
                    (r'"', String.Double, "line-text"),
                    (rf"\(Self.number(letters))", Number),
                    (words(CONTROL, suffix=word_end), Keyword),
                    (words(WORD_OPERATORS, suffix=word_end), Operator.Word),
                    (words(LITERALS, suffix=word_end), Keyword.Constant),
                    (words(FUNCTIONS, suffix=word_end), Name.Builtin),
                    (words(MAKERS, suffix=word_end), Name.Builtin),
                    (words(CONSTANTS, suffix=word_end), Name.Builtin.Pseudo),
                    (rf"\(Self.name(letters))", Name),
                    (r"[(\\[{]", Punctuation, "inside"),
                    (r"\(Self.sign)", Operator),
                ],
                "root": [include("expression"), (r"[)\\]}]", Punctuation)],
                "inside": [(r"[)\\]}]", Punctuation, "#pop"), include("expression")],
                # A colon right inside says how the value is written; one inside other brackets does not.
                "interpolation": [(r"\\}", String.Interpol, "#pop"), (r'\(Self.format)', String.Interpol), include("expression")],
                "text": [(r"\(Self.escape)", String.Escape), (r"\\{", String.Interpol, "interpolation")],
                "line-text": [(r'"', String.Double, "#pop"), (r"\\n", Whitespace, "#pop"), include("text"), (r'[^"\\\\{\\n]+|\\\\', String.Double)],
                "block-text": [(r'\"""', String.Double, "#pop"), include("text"), (r'[^"\\\\{]+|["\\\\]', String.Double)],
            }
        """
    }
}
