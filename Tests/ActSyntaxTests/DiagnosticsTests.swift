// How diagnostics look (Docs/language.md), and what near and foreign names suggest.

import ActSyntax
import Testing

@Suite struct DiagnosticsTests {
    private func render(_ text: String, name: String = "net.act", width: Int = 100, _ diagnostic: (SourceText) -> Diagnostic) throws -> String {
        let source = try SourceText(id: 1, name: name, text: text)
        return DiagnosticRenderer(width: width) { $0 == 1 ? source : nil }.render(diagnostic(source))
    }

    @Test func shapeErrorIsAsInTheReference() throws {
        let output = try render("a = 1\nb = 2\nL1 = X @ W1 + b1\n") { source in
            Diagnostic(
                .shapesDiffer, "shapes (3,) and (2, 4) do not fit for @",
                labels: [
                    .init(source.span(19, 20), isPrimary: true), .init(source.span(17, 18), "(3,): 3 elements"),
                    .init(source.span(21, 23), "(2, 4): 2 rows"),
                ],
                help: "the last axis on the left (3) must equal the second-last on the right (2)")
        }
        #expect(
            output == """
                error: shapes (3,) and (2, 4) do not fit for @
                  net.act:3:8
                  3 | L1 = X @ W1 + b1
                    |      ^ - ^^ (2, 4): 2 rows
                    |      (3,): 3 elements
                  help: the last axis on the left (3) must equal the second-last on the right (2)

                """)
    }

    @Test func threeLabelsStagger() throws {
        let output = try render("f(aa, bb, cc)") { source in
            Diagnostic(
                .overflow, "three",
                labels: [.init(source.span(2, 4), "first"), .init(source.span(6, 8), "second", isPrimary: true), .init(source.span(10, 12), "third")],
                notes: ["one\ntwo"])
        }
        #expect(
            output == """
                warning: three
                  net.act:1:7
                  1 | f(aa, bb, cc)
                    |   ^^  ^^  ^^ third
                    |   |   second
                    |   first
                  note: one
                        two

                """)
    }

    @Test func linesFarApartAndSpansOfSeveralLines() throws {
        let output = try render("a\nf(x) = {\n    b\n}\n" + String(repeating: "z\n", count: 8) + "last") { source in
            Diagnostic(
                .cannot, "here and there", labels: [.init(source.span(9, 18), "this block", isPrimary: true), .init(source.span(35, 39), "called here")],
                callChain: [.init(name: "f", span: source.span(35, 39)), .init(name: "g", span: source.span(0, 1))])
        }
        #expect(
            output == """
                error: here and there
                  net.act:2:8
                   2 | f(x) = {
                     |        ^
                  ...
                   4 | }
                     | ^ this block
                  ...
                  13 | last
                     | ^^^^ called here
                  in f, called at net.act:13:1
                  in g, called at net.act:1:1

                """)
    }

    /// Tabs go to columns of four, Hangul takes two columns, a combining accent none; controls are made visible.
    @Test(arguments: [
        ("\tx = y", 5, 6, "    x = y", "        ^"), ("한글 = 값 + y", 9, 12, "한글 = 값 + y", "       ^^"), ("e\u{301}x + y", 3, 4, "e\u{301}x + y", " ^"),
        ("a\u{1B}[31m b", 7, 8, "a␛[31m b", "       ^"), ("x =", 3, 3, "x =", "   ^"), ("", 0, 0, "", "^"), ("ab", 1, 2, "ab", " ^"),
    ])
    func marksStandUnderWhatTheyMean(text: String, start: Int, end: Int, line: String, marks: String) throws {
        let output = try render(text) { Diagnostic(.missingValue, "t", at: $0.span(start, end)) }
        let rows = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(rows[2] == (line.isEmpty ? "  1 |" : "  1 | " + line))
        #expect(rows[3] == "    | " + marks)
    }

    @Test func longLinesShowTheirPart() throws {
        let text = String(repeating: "a + ", count: 100_000) + "HERE" + String(repeating: " + b", count: 100_000)
        let output = try render(text, width: 40) { Diagnostic(.missingValue, "t", at: $0.span(400_000, 400_004), "this") }
        let rows = output.split(separator: "\n").map(String.init)
        #expect(rows[1] == "  net.act:1:400001")
        #expect(rows[2].count <= 40 + 6 + 2 && rows[2].contains("HERE") && rows[2].hasPrefix("  1 | …") && rows[2].hasSuffix("…"))
        let before = rows[2].split(separator: "HERE", omittingEmptySubsequences: false)[0].count
        #expect(rows[3] == "    |" + String(repeating: " ", count: before - 5) + "^^^^ this")
    }

    @Test func colourPaintsAndPlainDoesNot() throws {
        let source = try SourceText(id: 1, name: "n", text: "x")
        let diagnostic = Diagnostic(.missingValue, "t", at: source.span(0, 1), help: "h")
        let colour = DiagnosticRenderer(style: .colour) { _ in source }.render(diagnostic)
        #expect(colour.hasPrefix("\u{1B}[1;31merror\u{1B}[0m"))
        #expect(!DiagnosticRenderer { _ in source }.render(diagnostic).contains("\u{1B}"))
    }

    @Test func longCallChainsAreShortened() throws {
        let output = try render("x") { source in
            Diagnostic(.recursionTooDeep, "deep", callChain: (0..<10_000).map { .init(name: "f\($0)", span: source.span(0, 1)) })
        }
        #expect(output.split(separator: "\n").count == 10)
        #expect(output.contains("… 9992 more calls …"))
    }

    @Test(arguments: [
        ("sigmod", ["sigmoid"]), ("Relu", ["relu"]), ("realu", ["relu"]), ("tnah", ["tanh"]), ("q", []), ("softplsu", ["softplus"]), ("relu", ["relu6"]),
        ("zzzzzz", []), ("", []), ("mx", ["max"]),
    ])
    func nearNames(name: String, expected: [String]) {
        #expect(
            suggest(name, among: ["sigmoid", "relu", "relu6", "tanh", "max", "softplus", "softmax", "x", "y"]).prefix(max(expected.count, 1)) == expected[...])
    }

    @Test func atMostThreeNearNamesAmongMany() {
        let names = (0..<10_000).map { "name\($0)" }
        #expect(suggest("nam1234", among: names) == ["name1234", "name234", "name1034"])
        #expect(suggest(String(repeating: "a", count: 1_000_000), among: names) == [])
    }

    private let vocabulary = Vocabulary(functions: [("exp", []), ("relu", [])], constants: ["pi"], figureOptions: ["logx": "true"])

    @Test(arguments: [
        ("True", "write `true`"), ("None", "write `none`"), ("arange", "write `range`"), ("println", "write `print`"), ("numel", "write `size`"),
        ("ones_like", "write `ones(shape(x))`"), ("numpy", "functions need no module: write `exp(x)` for `numpy.exp(x)`"),
    ])
    func foreignNames(name: String, expected: String) {
        #expect(foreignAdvice(unknownName: name, in: vocabulary)?.help == expected)
    }

    @Test(arguments: [
        ("np", "exp", "functions need no module: write `exp` for `np.exp`"), ("np", "arange", "functions need no module: write `range` for `np.arange`"),
        ("torch", "relu", "functions need no module: write `relu` for `torch.relu`"),
        ("tf", "nn", "functions need no module: write the name after the last `.` alone"),
        ("np", "power", "write `x^n`"), ("math", "exp", "functions need no module: write `exp` for `math.exp`"),
    ])
    func foreignModules(name: String, field: String, expected: String) {
        #expect(foreignAdvice(unknownName: name, field: field, in: vocabulary)?.help == expected)
    }

    @Test func foreignFields() {
        #expect(foreignHint(unknownField: "astype", on: "array") == "write `f32(x)`, `f64(x)`, `bool(x)` or `int(x)`")
        #expect(foreignHint(unknownField: "push", on: "list") != nil)
        #expect(foreignHint(unknownField: "length", on: "string") == "write `len(s)`")
        #expect(foreignHint(unknownField: "weights_of_mine", on: "record") == nil)
        #expect(foreignAdvice(unknownName: "my_own_name", in: vocabulary)?.help == nil)
    }
}
