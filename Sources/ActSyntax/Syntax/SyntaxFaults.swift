// The wording of faults that need no more than a place: numbers, strings, brackets, names given twice.
// What depends on the words around the fault is in `Parser+Faults.swift`.

extension Diagnostic {
    // MARK: Brackets

    static func unclosed(_ bracket: String, at span: Span, closer: Span?) -> Diagnostic {
        let partner = bracket == "(" ? ")" : bracket == "[" ? "]" : "}"
        guard let closer else { return Diagnostic(.unclosedBracket, "this `\(bracket)` is never closed", at: span, help: "a `\(partner)` is missing") }
        return Diagnostic(
            .unclosedBracket, "this `\(bracket)` is never closed",
            labels: [Label(span, "opened here", isPrimary: true), Label(closer, "`\(partner)` is missing before this")],
            edits: [.insertion(partner, at: closer.start, in: closer)])
    }

    static func mismatched(_ opener: String, _ closer: String, at span: Span, opener place: Span) -> Diagnostic {
        let partner = opener == "(" ? ")" : "]"
        return Diagnostic(
            .mismatchedBracket, "`\(opener)` is closed by `\(closer)`",
            labels: [Label(span, "`\(partner)` belongs here", isPrimary: true), Label(place, "opened here")],
            edits: [Edit(span, partner)])
    }

    static func unmatched(_ bracket: String, at span: Span) -> Diagnostic {
        Diagnostic(
            .unmatchedBracket, "this `\(bracket)` closes nothing", at: span, help: "remove it, or open the bracket it belongs to", edits: [Edit(span, "")])
    }

    static func tooDeep(at span: Span) -> Diagnostic {
        Diagnostic(.nestedTooDeeply, "brackets, blocks and functions are nested too deeply", at: span, help: "give parts of it names of their own")
    }

    /// Of what is no bracket: a chain of calls, fields or powers.
    package static func chainTooLong(at span: Span) -> Diagnostic {
        Diagnostic(.nestedTooDeeply, "this expression is nested too deeply", at: span, help: "give parts of it names of their own")
    }

    // MARK: Blocks

    static func layerWithoutBlock(_ name: String, at span: Span) -> Diagnostic {
        Diagnostic(
            .missingBlock, "the layer `\(name)` needs a block", at: span,
            help: "write `layer \(name)(…) { … }`: what is assigned in the block is trained, its last line is the function that the layer is")
    }

    package static func layerWithoutFunction(_ name: String, at span: Span) -> Diagnostic {
        Diagnostic(
            .layerWithoutFunction, "the block of the layer `\(name)` does not end in a function", at: span,
            help: "its last line is the function that the layer is, as in `x -> x @ W`")
    }

    // MARK: Names

    static func longName(bytes: Int, most: Int, at span: Span) -> Diagnostic {
        Diagnostic(.longName, "this name is too long: \(bytes) bytes", at: span, help: "a name has at most \(most) bytes")
    }

    // MARK: Numbers

    static func exponentWithoutDigits(at span: Span) -> Diagnostic {
        Diagnostic(.badExponent, "the exponent of this number has no digits", at: span, help: "write for example `1e-3`")
    }

    static func numberTooLarge(at span: Span) -> Diagnostic {
        Diagnostic(.numberTooLarge, "this number is too large: the largest is about 1.8e308", at: span, help: "write `inf` for infinity")
    }

    static func notABinaryNumber(at span: Span) -> Diagnostic {
        Diagnostic(.badBinaryNumber, "a number that starts with `0b` has only the digits 0 and 1", at: span)
    }

    static func prefixWithoutDigits(_ prefix: String, at span: Span) -> Diagnostic {
        Diagnostic(.prefixWithoutDigits, "digits must follow `\(prefix)`", at: span)
    }

    static func groupedDigits(_ digits: String, at span: Span) -> Diagnostic {
        Diagnostic(
            .groupedDigits, "a comma does not group the digits of a number", at: span,
            help: "write `_\(digits)`, as in `1_000`, or a space after the comma of a list", edits: [Edit(span, "_\(digits)")])
    }

    static func tooManyBits(at span: Span) -> Diagnostic { Diagnostic(.tooManyBits, "this number has more than 64 bits", at: span) }

    static func misplacedSeparator(at span: Span) -> Diagnostic {
        Diagnostic(.misplacedSeparator, "a `_` in a number stands between two digits", at: span, help: "write for example `1_000`")
    }

    static func numberBeforeName(_ number: String, name: String, at span: Span) -> Diagnostic {
        switch name {
        case "i", "j":
            return Diagnostic(
                .numberBeforeName, "act has no complex numbers", at: span, help: "write `\(number) * \(name)` for a product",
                edits: [Edit(span, "\(number) * \(name)")])
        case _ where number == "0" && name.hasPrefix("o"):
            return Diagnostic(.numberBeforeName, "act has no octal numbers", at: span, help: "write it in hexadecimal, as `0x1ff`, or binary, as `0b101`")
        default:
            return Diagnostic(
                .numberBeforeName, "a name follows the number `\(number)` directly", at: span, help: "write `\(number) * \(name)`",
                edits: [Edit(span, "\(number) * \(name)")])
        }
    }

    // MARK: Strings

    static func unclosedString(at span: Span, isBlock: Bool) -> Diagnostic {
        isBlock
            ? Diagnostic(.unclosedString, "this `\"\"\"` is never closed", at: span, help: "end the string with `\"\"\"`")
            : Diagnostic(
                .unclosedString, "this string has no closing `\"`", at: span,
                help: "close it on this line; `\"\"\"` begins and ends a string over several lines")
    }

    static func unclosedTemplate(at span: Span, brace: Span) -> Diagnostic {
        Diagnostic(
            .unclosedString, "this string has no closing `\"`", labels: [Label(span, isPrimary: true), Label(brace, "begins an expression")],
            help: "close the expression with `}` and the string with `\"`; a brace as text is written `\\{`")
    }

    static func unclosedInterpolation(at span: Span) -> Diagnostic {
        Diagnostic(.unclosedInterpolation, "the expression in this string has no closing `}`", at: span, help: "write `}` before the closing `\"`")
    }

    static func emptyInterpolation(at span: Span) -> Diagnostic {
        Diagnostic(.badInterpolation, "no expression stands between `{` and `}`", at: span, help: "a brace as text is written `\\{`")
    }

    static func badFormat(_ error: FormatSpecError, spec: Span, in source: SourceText) -> Diagnostic {
        let characters = Array(source.text(spec).dropFirst())
        func offset(_ index: Int) -> Int32 {
            let bytes = characters[..<min(index, characters.count)].reduce(0) { $0 + $1.utf8.count }
            return spec.start + 1 + Int32(truncatingIfNeeded: bytes)
        }
        let span = Span(source: spec.source, start: offset(error.characters.lowerBound), end: offset(error.characters.upperBound))
        return Diagnostic(
            .badFormat, "this format is not understood: \(error.words)", at: span,
            help: "a format is [[fill]align][sign][0][width][,][.precision][type], as in `{x:>8.2f}`")
    }

    static func unknownEscape(_ escape: String, at span: Span) -> Diagnostic {
        let (help, replacement): (String, String?) =
            switch escape.dropFirst() {
            case "'", "}", "$", "%", "#": ("`\(escape.dropFirst())` needs no backslash", String(escape.dropFirst()))
            case "r": ("write `\\u{d}` for a carriage return", "\\u{d}")
            case "0": ("write `\\u{0}` for a NUL", "\\u{0}")
            case "e", "x": ("write `\\u{1b}` for the character with the hexadecimal number 1b", escape == "\\e" ? "\\u{1b}" : nil)
            case "u": ("write the character's hexadecimal number in braces, as in `\\u{3c3}`", nil)
            default: ("write `\\\\` for a backslash; the escapes are \\n \\t \\\" \\\\ \\{ \\u{3c3}", "\\" + escape)
            }
        return Diagnostic(.unknownEscape, "`\(escape)` is not an escape", at: span, help: help, edits: replacement.map { [Edit(span, $0)] } ?? [])
    }

    static func badUnicodeEscape(at span: Span) -> Diagnostic {
        Diagnostic(
            .badCharacterNumber, "this is not the number of a character", at: span, help: "write it in hexadecimal, as in `\\u{3c3}`; the last is `\\u{10ffff}`"
        )
    }

    static func singleQuotes(_ text: String, at span: Span) -> Diagnostic {
        let isShort = text.count <= 40 && !text.contains { "\"\\{".contains($0) }
        return Diagnostic(
            .singleQuotes, "strings are written with double quotes", at: span,
            help: isShort ? "write `\"\(text)\"`" : "write `\"…\"`; `'` after a function is its derivative",
            edits: isShort ? [Edit(span, "\"\(text)\"")] : [])
    }

    // MARK: Names and lists

    static func repeated(_ what: String, _ name: String, at span: Span, first: Span) -> Diagnostic {
        Diagnostic(.repeatedName, "the \(what) `\(name)` is given twice", labels: [Label(first, "first here"), Label(span, "again here", isPrimary: true)])
    }

    static func positionalAfterNamed(at span: Span, named: Span) -> Diagnostic {
        Diagnostic(
            .positionalAfterNamed, "an argument without a name follows a named one",
            labels: [Label(span, "has no name", isPrimary: true), Label(named, "has one")], help: "put the arguments without names first")
    }

    static func missingDefault(_ name: String, at span: Span, after: Span) -> Diagnostic {
        Diagnostic(
            .missingDefault, "the parameter `\(name)` needs a default, for one before it has one",
            labels: [Label(span, "has none", isPrimary: true), Label(after, "has a default")], help: "give `\(name)` a default or move it to the front")
    }

    static func emptyIndex(at span: Span) -> Diagnostic {
        Diagnostic(.emptyIndex, "an index is missing", at: span, help: "write for example `[0]`, or `[:]` for all elements")
    }

    static func bareList(at span: Span) -> Diagnostic {
        Diagnostic(.bareList, "values separated by commas need brackets here", at: span, help: "write `(a, b)` for a list, `[1, 2]` for an array")
    }

    static func updateOfSeveral(_ operation: String, at span: Span) -> Diagnostic {
        Diagnostic(.updateOfSeveral, "`\(operation)` updates one variable at a time", at: span, help: "write a statement for each")
    }

    // MARK: Words

    static func looseNot(after operation: String, at span: Span) -> Diagnostic {
        Diagnostic(.looseNot, "`not` after `\(operation)` needs parentheses", at: span, help: "write `\(operation) (not …)`")
    }

    static func nestedComprehension(_ word: String, at span: Span) -> Diagnostic {
        Diagnostic(
            .nestedComprehension, "a comprehension has one `for` and one `if`", at: span,
            help: word == "if" ? "join the conditions with `and`" : "nest them: `[[f(a, b) for b in ys] for a in xs]`")
    }

    static func returnOutsideFunction(at span: Span) -> Diagnostic {
        Diagnostic(
            .returnOutsideFunction, "`return` stands outside a function", at: span,
            help: "the value of a line is shown by itself; `f(x) = { … }` makes a function")
    }

    static func jumpOutsideLoop(_ word: String, isInFunction: Bool, at span: Span) -> Diagnostic {
        Diagnostic(.jumpOutsideLoop, "`\(word)` stands outside a loop", at: span, help: isInFunction ? "to leave a function write `return`" : nil)
    }

    static func unsetWithoutName(at span: Span) -> Diagnostic {
        Diagnostic(.unsetWithoutName, "`unset` needs a name", at: span, help: "write `unset name`, one name a statement")
    }

    /// `else` as the first word of what is run.
    static func elseOnNewLine(at span: Span) -> Diagnostic {
        Diagnostic(.elseOnNewLine, "`else` begins a line, but the line before has ended the `if`", at: span, help: "write `} else {` on one line")
    }
}

extension FormatSpecError {
    package var words: String {
        switch fault {
        case .tooLong: "it is longer than \(FormatSpec.longest) bytes"
        case .largeWidth: "the width is more than 10,000"
        case .largePrecision: "the precision is more than 10,000"
        case .digitsMissing: "digits must follow the `.`"
        case .unknownType(let letter): "`\(letter)` is not a type; the types are e f g % d s"
        case .textAfterType(let letter): "nothing may follow the type `\(letter)`"
        }
    }
}
