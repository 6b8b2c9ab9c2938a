// What a formatter reads beside the tree: comments, blank lines, parentheses, spellings.

import ActSyntax
import Testing

@Suite struct TriviaTests {
    private func parsed(_ text: String) throws -> (tree: SyntaxTree, trivia: Trivia) {
        let source = try SourceText(id: 1, name: "t", text: text)
        return (parse(source).tree, Trivia(source))
    }

    static let program = """
        #!/usr/bin/env act
        # head

        f(x, n=2) = {   # a power
            s = "text # no comment {x + 1:.2f}, {"{n}"}"  # ends


            x ** n      # one spelling
        }
        \t
        # last
        """

    @Test func everyByteBelongsToOnePiece() throws {
        for text in [Self.program, "", "x", "# only", "\"\"\"\na # b\n{x # c\n}\"\"\"", "a\r\n# é\r\n((b))", "x = )( # }", "f(", "\"open"] {
            let (tree, trivia) = try parsed(text)
            var covered = [Bool](repeating: false, count: tree.source.bytes.count)
            for piece in trivia.pieces {
                for offset in Int(piece.span.start)..<Int(piece.span.end) {
                    #expect(!covered[offset], "\(text.debugDescription) at \(offset)")
                    covered[offset] = true
                }
            }
            for (offset, byte) in tree.source.bytes.enumerated() where !covered[offset] {
                #expect([0x20, 0x09, 0x0A, 0x0D].contains(byte), "\(text.debugDescription) at \(offset)")
            }
        }
    }

    @Test func commentsAndBlankLines() throws {
        let (tree, trivia) = try parsed(Self.program)
        let whole = Int32(0)..<Int32(tree.source.bytes.count)
        let comments = trivia.comments(in: whole)
        #expect(comments.map { tree.source.text($0) } == ["#!/usr/bin/env act", "# head", "# a power", "# ends", "# one spelling", "# last"])
        #expect(comments.map { trivia.beginsLine($0.start) } == [true, true, false, false, false, true])
        #expect(comments.map { trivia.blankLines(before: $0.start) } == [0, 0, 0, 0, 0, 1])
        guard case .define(let function)? = tree[tree.program].first.map({ tree[$0.expression] }), case .block(let body) = tree[tree[function].body] else {
            Issue.record("the program is one definition")
            return
        }
        #expect(trivia.blankLines(before: tree[function].span.start) == 1)
        #expect(tree[body].map { trivia.blankLines(before: tree.span(of: $0.expression).start) } == [0, 2])
    }

    /// Parentheses around parts of an expression are found, however many; those of calls, lists and parameters are none of them.
    @Test(arguments: [
        ("x", 0, "x"), ("(x)", 1, "x"), ("( (x) )", 2, "x"), ("((a + b))", 2, "a + b"), ("(a) + (b)", 0, "(a) + (b)"), ("((a) + (b))", 1, "(a) + (b)"),
        ("(a, b)", 0, "(a, b)"), ("((a, b))", 1, "(a, b)"), ("()", 0, "()"), ("(())", 1, "()"), ("(f(x))", 1, "f(x)"), ("f((x))", 0, "f((x))"),
        ("((x) -> (x))", 1, "(x) -> (x)"), ("(x) -> (x)", 0, "(x) -> (x)"), ("(\n  x # why\n)", 1, "x"), ("(-x)", 1, "-x"), ("((x)')", 1, "(x)'"),
        ("(\"{(a)}\")", 1, "\"{(a)}\""),
    ])
    func parentheses(text: String, count: Int, bare: String) throws {
        let (tree, trivia) = try parsed(text)
        let id = try #require(tree[tree.program].first?.expression)
        #expect(trivia.parentheses(around: id, in: tree).count == count)
        #expect(tree.source.text(trivia.bareSpan(of: id, in: tree)) == bare)
    }

    @Test(arguments: [
        ("x ** 2", "**"), ("x ^ 2", "^"), ("x **= 2", "**="), ("x ^= 2", "^="), ("not x", "not"), ("a |> f", "|>"), ("-x", "-"), ("x''", "''"),
        ("a // b", "//"),
    ])
    func operatorsKeepTheirSpelling(text: String, spelling: String) throws {
        let (tree, _) = try parsed(text)
        let id = try #require(tree[tree.program].first?.expression)
        #expect(tree.source.text(tree.operatorSpan(of: id)) == spelling)
    }

    @Test(arguments: ["1_000", "0xff", "1e3", ".5", "\"a\\tb\"", "\"\"\"a\"\"\""]) func literalsKeepTheirSpelling(text: String) throws {
        let (tree, _) = try parsed("x = " + text)
        guard case .assign(_, let value)? = tree[tree.program].first.map({ tree[$0.expression] }) else {
            Issue.record("the program is one assignment")
            return
        }
        #expect(tree.text(of: value) == text)
    }
}
