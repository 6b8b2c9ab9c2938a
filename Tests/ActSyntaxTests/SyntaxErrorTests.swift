// What is said about programs that are wrong: title, place, help; one fault a statement, no cascades.

import ActSyntax
import Testing

private func faults(_ text: String) throws -> [String] {
    let source = try SourceText(id: 1, name: "t", text: text)
    return parse(source).diagnostics.map { diagnostic in
        let (line, column) = source.lineAndColumn(of: Int(diagnostic.primarySpan?.start ?? 0))
        return "\(line):\(column) \(diagnostic.title)" + (diagnostic.help.map { " | " + $0 } ?? "")
    }
}

@Suite struct SyntaxErrorTests {
    /// Spellings of Python, MATLAB, Julia, R, JavaScript.
    @Test(arguments: [
        ("x = 'text'", "1:5 strings are written with double quotes | write `\"text\"`"),
        ("y = !x", "1:5 `!` is not an operator | write `y = not x`"),
        ("if a && b || c { 1 }", "1:6 `&&` is not an operator | write `if a and b or c { 1 }`"),
        ("x := 3", "1:3 `:=` is not an operator | write `x = 3`"),
        ("f = lambda x, y: x + y", "1:5 a function literal is written with `->` | write `(x, y) -> x + y`"),
        ("map(lambda x: x^2, xs)", "1:5 a function literal is written with `->` | write `x -> x^2`"),
        ("def f(x, y=1):\n    return x", "1:1 a function is defined with `=` | write `f(x, y=1) = …`, or `f(x, y=1) = { … }` for several lines"),
        ("f = function(x) { x }", "1:5 a function is defined with `=` | write `f(x) = …`, or `x -> …` without a name"),
        ("import numpy as np", "1:1 every function is built in: nothing needs importing | a file of yours is read by `lib = import(\"layers.act\")`"),
        ("for x in y:\n  print(x)", "1:11 `:` does not begin a block | write `for x in y { … }`"),
        ("while x > 3: x = x - 1", "1:12 `:` does not begin a block | write `while x > 3 { x = x - 1 }`"),
        ("if x > 3:\n    y = 1\nelif x > 2:\n    y = 2\nelse:\n    y = 3", "1:9 `:` does not begin a block | write `if x > 3 { … }`"),
        ("for i = 1:10\n  x\nend", "1:7 `for` takes `in` | write `for i in range(1, 11) { … }`"),
        ("[1 2; 3 4]", "1:4 elements of an array are separated by `,` | write `[[1, 2], [3, 4]]`"),
        ("[1, -2; 3, x]", "1:7 rows of an array are separated by `,` and have brackets of their own | write `[[1, -2], [3, x]]`"),
        ("[1 2 3]", "1:4 elements of an array are separated by `,` | write `[1, 2, 3]`"),
        ("x++", "1:3 `++` is not an operator | write `x += 1`"),
        ("x = 1 // a note", "1:12 `note` follows `a` directly | `//` is floor division; a comment starts with `#`"),
        ("// a note", "1:1 `//` does not begin a comment | a comment starts with `#`"),
        ("% a note", "1:1 `%` does not begin a comment | a comment starts with `#`"),
        ("try { x }", "1:1 act has no exceptions to catch | check with `if` first; `error(\"…\")` stops the program"),
        ("class Net {}", "1:1 act has no classes | write a record, `{a: 1, b: 2}`, and functions of it"),
        ("f = x => x", "1:7 `=>` is not an operator | a function literal is `x -> …`; at least is `>=`"),
        ("y = 1:10", "1:6 `:` makes a range only inside an index | write `range(1, 11)`, which ends at 10"),
        ("y = c ? a : b", "1:7 `?` is not an operator | write `if condition { a } else { b }`, or `where(condition, a, b)` for arrays"),
        ("if x == 1: { 3 }", "1:10 `:` does not begin a block | write `if x == 1 { 3 }`"),
        ("x = 3 if c else 4", "1:7 `if` cannot follow a value | write `x = if c { 3 } else { 4 }`"),
        ("sum(x^2 for x in xs)", "1:9 `for` after a value needs square brackets around both | write `[x^2 for x in xs]`"),
        ("a .* b", "1:3 `.*` is not an operator | write `a * b`"),
        ("f\"{x}\"", "1:1 a string has no prefix in act | remove `f`: every string interpolates `{expression}`"),
        ("print x, y", "1:1 calls need parentheses | write `print(x, y)`"),
        ("x = “a”", "1:5 these quotes are not the ones on the keyboard | write `\"…\"`"),
        ("let x = 3", "1:1 a variable needs no declaration | write `x = 3`"),
        ("a is b", "1:3 `is` is not an operator | write `a == b`"),
        ("α²", "1:2 `²` is not an operator | write `α^2`"),
        ("f(*xs)", "1:3 a call cannot spread a list or record over its parameters | pass the values one by one"),
    ])
    func foreignHabits(text: String, expected: String) throws {
        #expect(try faults(text) == [expected])
    }

    @Test(arguments: [
        ("2x + 1", ["1:1 a name follows the number `2` directly | write `2 * x`"]),
        ("2(x + 1)", ["1:1 the number `2` cannot be called | write `2 * (…)` for a product"]),
        (
            "1__0 + 1_",
            [
                "1:1 a `_` in a number stands between two digits | write for example `1_000`",
                "1:8 a `_` in a number stands between two digits | write for example `1_000`",
            ]
        ),
        ("0b12", ["1:1 a number that starts with `0b` has only the digits 0 and 1"]),
        ("1e+", ["1:1 the exponent of this number has no digits | write for example `1e-3`"]),
        ("1e400", ["1:1 this number is too large: the largest is about 1.8e308 | write `inf` for infinity"]),
        ("\"a\\d\"", ["1:3 `\\d` is not an escape | write `\\\\` for a backslash; the escapes are \\n \\t \\\" \\\\ \\{ \\u{3c3}"]),
        ("\"\\u{110000}\"", ["1:2 this is not the number of a character | write it in hexadecimal, as in `\\u{3c3}`; the last is `\\u{10ffff}`"]),
        (
            "\"{x:>5q}\"",
            [
                "1:7 this format is not understood: `q` is not a type; the types are e f g % d s | a format is [[fill]align][sign][0][width][,][.precision][type], as in `{x:>8.2f}`"
            ]
        ),
        ("\"a {} b\"", ["1:4 no expression stands between `{` and `}` | a brace as text is written `\\{`"]),
        (
            "print(\"a)\ny = (1 +* 2)",
            [
                "1:7 this string has no closing `\"` | close it on this line; `\"\"\"` begins and ends a string over several lines",
                "2:9 a value is missing between `+` and `*`",
            ]
        ),
        ("\"\"\"a {x", ["1:1 this `\"\"\"` is never closed | end the string with `\"\"\"`"]),
        ("f(1] + g[2)", ["1:4 `(` is closed by `]`", "1:11 `[` is closed by `)`"]),
        (
            "x = \"a {b c\"\nz",
            ["1:5 this string has no closing `\"` | close the expression with `}` and the string with `\"`; a brace as text is written `\\{`"]
        ),
        ("x = \"a {b:.2f\"\nz", ["1:10 the expression in this string has no closing `}` | write `}` before the closing `\"`"]),
        ("f(x) = {\n g(x\n}\ny = 1)", ["2:3 this `(` is never closed", "4:6 this `)` closes nothing | remove it, or open the bracket it belongs to"]),
        (
            "x = [1, 2\ny = 3 3",
            ["1:5 this `[` is never closed | a `]` is missing", "2:7 `3` follows `3` directly | write an operator between them, or begin a new line"]
        ),
        (
            "if x = 3 {\n y = 4 4\n}",
            [
                "1:6 `=` assigns and cannot stand in a condition | write `x == …`",
                "2:8 `4` follows `4` directly | write an operator between them, or begin a new line",
            ]
        ),
        ("else {\n}", ["1:1 `else` begins a line, but the line before has ended the `if` | write `} else {` on one line"]),
        ("for a in b {\n}\nelse {\n}", ["3:1 `else` has no `if` before it | write `if condition { a } else { b }`"]),
        ("if a { }; else { }", ["1:11 `else` has no `if` before it | write `if condition { a } else { b }`"]),
        ("x = = 3; y = 4 +* 2\nz", ["1:5 a value is missing between `=` and `=`", "1:17 a value is missing between `+` and `*`"]),
        ("xs |> x -> x + 1", ["1:7 a function literal needs parentheses here | write `(x -> x + 1)`"]),
        ("(a, b) = p", ["1:1 brackets cannot be assigned to | write `a, b = …`"]),
        ("f'(x) = 2", ["1:1 a derivative cannot be assigned to | act computes it: define the function alone"]),
        ("a + b = c", ["1:1 `a + b` cannot be assigned to | `==` compares; a name, `a[i]` or `r.name` can be assigned to"]),
        ("x = y = 3", ["1:7 one statement assigns once | write two statements; `==` compares"]),
        ("1, 2", ["1:1 values separated by commas need brackets here | write `(a, b)` for a list, `[1, 2]` for an array"]),
        ("a == not b", ["1:6 `not` after `==` needs parentheses | write `== (not …)`"]),
        ("f(x=1, 2)", ["1:8 an argument without a name follows a named one | put the arguments without names first"]),
        ("f(a=1, a=2)", ["1:8 the argument `a` is given twice"]),
        ("{a: 1, \"a\": 2}", ["1:8 the key `a` is given twice"]),
        ("f(x, x) = 1", ["1:6 the parameter `x` is given twice"]),
        ("f(x=1, y) = 1", ["1:8 the parameter `y` needs a default, for one before it has one | give `y` a default or move it to the front"]),
        ("{1: 2}", ["1:2 a record's key is a name or a string | write `\"1\": …`"]),
        ("{in: 2}", ["1:2 `in` is a keyword and cannot be a key of a record | write `\"in\": …`"]),
        ("r.if", ["1:3 `if` is a keyword and cannot follow `.` | write `r[\"if\"]`"]),
        ("a[]", ["1:2 an index is missing | write for example `[0]`, or `[:]` for all elements"]),
        ("return 1", ["1:1 `return` stands outside a function | the value of a line is shown by itself; `f(x) = { … }` makes a function"]),
        ("for i in x { f(y) = { break } }", ["1:23 `break` stands outside a loop | to leave a function write `return`"]),
        ("[a for a in b for c in d]", ["1:15 a comprehension has one `for` and one `if` | nest them: `[[f(a, b) for b in ys] for a in xs]`"]),
        ("a\n  .b()", ["2:3 a line cannot begin with `.` | end the line before with an open bracket, or write `|> f` here"]),
        ("x = 1 \u{200B}+ 2", ["1:7 the invisible character U+200B means nothing in act"]),
        (
            "while x {\n y = 3 3\n z = )\n}\nu = ]",
            [
                "2:8 `3` follows `3` directly | write an operator between them, or begin a new line",
                "3:6 this `)` closes nothing | remove it, or open the bracket it belongs to",
                "5:5 this `]` closes nothing | remove it, or open the bracket it belongs to",
            ]
        ),
    ])
    func faultsOfAct(text: String, expected: [String]) throws {
        #expect(try faults(text) == expected)
    }

    @Test(arguments: [
        "f(", "x = [1,", "f(x) = {", "f(x) = {\n y = x", "{a: 1,", "\"\"\"abc", "\"\"\"a {x", "1 +", "x =", "x ->", "a |>", "not", "a, ", "a[1, 2", "for i in",
        "if c { 1 } else {", "f(x) = {\n y = = 1", "a and # b",
    ])
    func incompleteText(text: String) throws {
        #expect(parse(try SourceText(id: 1, name: "t", text: text)).isIncomplete)
    }

    @Test(arguments: ["", "x", "x = )", "x = = 3; f(", "\"abc", "x++", "if c", "1 2", "f(]", "\"a {b\"", "}", "r.", "x = 3 +* (2"])
    func completeText(text: String) throws {
        #expect(!parse(try SourceText(id: 1, name: "t", text: text)).isIncomplete)
    }

    @Test func faultsAreInSourceOrderAndBounded() throws {
        let result = parse(try SourceText(id: 1, name: "t", text: String(repeating: "1 2\n", count: 5000)))
        let starts = result.diagnostics.compactMap(\.primarySpan?.start)
        #expect(starts == starts.sorted())
        #expect(starts.count == 1000)
        #expect(result.diagnostics.last?.title == "4000 more errors are not shown")
    }
}

/// What takes long for each of a million.
@Suite struct LongSourceTests {
    @Test(arguments: ["a", "é", "x\u{301}"]) func namesAreBounded(_ piece: String) throws {
        func name(_ bytes: Int) -> String { "n" + String(repeating: piece, count: (bytes - 1) / piece.utf8.count) }
        #expect(try faults(name(4096)) == [])
        let long = name(10_000)
        let expected = "1:1 this name is too long: \(long.utf8.count) bytes | a name has at most 4096 bytes"
        #expect(try faults(long + " = 1\n" + "y = 2") == [expected])
        #expect(try faults("1" + long).first?.hasPrefix("1:1 a name follows the number `1` directly") == true)
    }

    /// More than anybody reads are counted.
    @Test func lostValuesAreBounded() throws {
        let tree = parse(try SourceText(id: 1, name: "t", text: "f(x) = {\n" + String(repeating: "x\n", count: 3001) + "}")).tree
        let warnings = tree.lostValues { _ in false }
        #expect(warnings.count == 1001 && warnings.last?.title == "2000 more warnings are not shown")
        #expect(warnings.first?.primarySpan?.start == 9)
    }
}
