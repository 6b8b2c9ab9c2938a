// What the grammars of editors, notebooks and documents are made of: the words of the language and the forms of its tokens, each said once. A
// grammar is a text that another program reads; it colours what `ActSyntax/Lexer` would make a token of, by these classes.
//
// What must stay true: whatever is right as a program has the same classes in each grammar as by the lexer; nothing here is written down that the
// rows say.

import ActLanguage
import ActMachine
import ActSyntax

package struct GrammarTable {
    /// A kind of grammar, by the program that reads it.
    package enum Kind: String, CaseIterable, Sendable {
        case textmate, pygments, vim, codemirror
    }

    /// Words that say what runs.
    package let control: [String]
    /// Operators that are words.
    package let wordOperators: [String]
    /// Values that are words.
    package let literals: [String]
    /// Built-in functions by name.
    package let functions: [String]
    /// Those that make layers, losses and optimisers: their names begin with a capital letter.
    package let makers: [String]
    /// Built-in numbers.
    package let numbers: [String]

    package init(_ session: Session) {
        wordOperators = ["and", "or", "not", "in"]
        literals = ["true", "false", "none"]
        let (operators, values) = (Set(wordOperators), Set(literals))
        control = keywords.filter { !operators.contains($0) && !values.contains($0) }
        var functions: [String] = [], makers: [String] = [], numbers: [String] = []
        for name in session.builtins.names.sorted() {
            guard case .function = session.builtins.value(named: name) else {
                numbers.append(name)
                continue
            }
            if name.first?.isUppercase == true { makers.append(name) } else { functions.append(name) }
        }
        (self.functions, self.makers, self.numbers) = (functions, makers, numbers)
    }

    package func grammar(_ kind: Kind) -> String {
        switch kind {
        case .textmate: textMate
        case .pygments: pygments
        case .vim: vim
        case .codemirror: codeMirror
        }
    }

    // MARK: The forms of tokens, as regular expressions

    /// What a name begins with and goes on with, as the insides of brackets.
    struct Letters {
        let first: String
        let others: String

        /// Where classes of Unicode can be named.
        static let unicode = Letters(first: #"\p{L}\p{Nl}_"#, others: #"\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}\u2080-\u2089_"#)
    }

    /// `1`, `1_000.5e-3`, `.5`, `2.`, but not the point of `2.mean()`; `0xff`, `0b101`.
    static func number(_ letters: Letters) -> String {
        let digits = "[0-9][0-9_]*", exponent = "[eE][+-]?[0-9]"
        let fraction = #"\.(?:\#(digits)|(?=\#(exponent))|(?![.\#(letters.first)]))"#
        return #"0[xX][0-9A-Fa-f_]*|0[bB][01_]*|(?:\#(digits)(?:\#(fraction))?|\.\#(digits))(?:\#(exponent)+)?"#
    }

    static func name(_ letters: Letters) -> String { "[\(letters.first)][\(letters.others)]*" }

    /// Behind a whole word.
    static func wordEnd(_ letters: Letters) -> String { "(?![\(letters.others)0-9])" }

    static let escape = #"\\(?:u\{[0-9A-Fa-f]+\}|.)"#
    /// How an expression in a string is written.
    static let format = #":[^}"\n]*"#
    static let sign = #"[-+*/%@^=<>!|.,:;'&~?$\\]"#

    /// One of several words.
    static func words(_ words: [String]) -> String { "(?:" + words.joined(separator: "|") + ")" }
}

extension GrammarTable {
    /// What the lexer makes of a source, in order: `comment`, `text`, `number`, `keyword`, `builtin`, `name` or `sign`, which every grammar tells apart.
    package func classes(of source: SourceText) -> [(span: Span, word: String)] {
        let known = Set(functions + makers + numbers)
        return Trivia(source).pieces.map { piece in
            switch piece.kind {
            case .name: (piece.span, known.contains(source.text(piece.span)) ? "builtin" : "name")
            case .format: (piece.span, "text")
            default: (piece.span, piece.kind.rawValue)
            }
        }
    }
}
