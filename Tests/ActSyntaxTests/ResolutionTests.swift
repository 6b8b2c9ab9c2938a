// What names mean: which occurrences are one variable, what can be named where, what is set and what only read.

import ActSyntax
import ActTestSupport
import Testing

@Suite struct ResolutionTests {
    private func resolved(_ text: String) throws -> (tree: SyntaxTree, names: Resolution) {
        let result = parse(try SourceText(id: 1, name: "t", text: text))
        try #require(result.diagnostics.isEmpty, "\(text): \(result.diagnostics.map(\.title))")
        return (result.tree, Resolution(result.tree))
    }

    /// Every occurrence of a name in source order, numbered: equal numbers after one name are one variable.
    private func numbered(_ text: String) throws -> String {
        let (tree, names) = try resolved(text)
        var symbols: [Span: SymbolID] = [:]
        for definition in names.definitions { symbols[definition.span] = definition.symbol }
        for id in tree.expressionIDs { if let symbol = names.symbol(of: id) { symbols[tree.nameSpan(of: id)] = symbol } }
        var known: [String: [SymbolID]] = [:]
        return symbols.sorted { $0.key.start < $1.key.start }.map { span, symbol in
            let name = tree.source.text(span)
            if known[name]?.contains(symbol) != true { known[name, default: []].append(symbol) }
            return name + String((known[name]?.firstIndex(of: symbol) ?? -1) + 1)
        }.joined(separator: " ")
    }

    @Test(arguments: [
        // Globals are one in the whole text.
        ("x = 1; y = x; x", "x1 y1 x1 x1"), ("f(x) = x + y; y = 2", "f1 x1 x1 y1 y1"),
        // A function has its own parameters and whatever it assigns; a block is not a scope.
        ("x = 1; f(x) = x; x", "x1 f1 x2 x2 x1"), ("f(a) = { b = a; b }; b", "f1 a1 b1 a1 b1 b2"), ("{ x = 1 }; x", "x1 x1"),
        ("if c { x = 1 }; x", "c1 x1 x1"), ("f() = { if c { x = 1 }; x }; x", "f1 c1 x1 x1 x2"), ("f() = { x; x = 1 }", "f1 x1 x1"),
        // Functions in functions see those around them.
        ("f(a) = { g(b) = a + b; g(a) }", "f1 a1 g1 b1 a1 b1 g1 a1"), ("f(a) = { g(a) = a; a }", "f1 a1 g1 a2 a2 a1"),
        ("f = x -> y -> x + y", "f1 x1 y1 x1 y1"),
        ("f(n) = { g(m) = g(m - n); g }", "f1 n1 g1 m1 g1 m1 n1 g1"), ("f(n) = f(n - 1)", "f1 n1 f1 n1"),
        // Defaults see the parameters.
        ("f(a, b=a) = b", "f1 a1 b1 a1 b1"), ("a = 1; f(b=a) = b", "a1 f1 b1 a1 b1"),
        // Comprehensions are scopes, what they loop over is outside; loops are none.
        ("a = [1]; [a for a in a]", "a1 a2 a2 a1"), ("[[a + b for b in a] for a in c if a > 0]", "a1 b1 b1 a1 a1 c1 a1"),
        ("for a in a { b = a }; a", "a1 a1 b1 a1 a1"), ("f() = { for a in c { a }; a }; a", "f1 a1 c1 a1 a1 a2"),
        ("[{ b = a; b } for a in c]; b", "b1 a1 b1 a1 c1 b2"),
        ("f(c) = [c + a for a in c]", "f1 c1 c1 a1 a1 c1"), ("[x -> x + a for a in c]", "x1 x1 a1 a1 c1"),
        // Updates change what is there and make nothing.
        ("t = 0; [{ t += a; t } for a in c]", "t1 t1 a1 t1 a1 c1"), ("x[i].w = v; x", "x1 i1 v1 x1"), ("a, b[0] = b, a", "a1 b1 b1 a1"),
        ("f() = { unset x; x = 1 }; x", "f1 x1 x1 x2"),
        // Fields, keys and names of arguments are not variables; methods may be functions.
        ("r.x + x; f(x=1); {x: 1}", "r1 x1 f1"), ("f(v) = v; x.f()", "f1 v1 v1 x1 f1"),
        // Names compare in NFC; parentheses do not matter.
        ("é = 1; e\u{301}", "é1 e\u{301}1"), ("((x)) = (x)", "x1 x1"), ("\"{x:.2f} {y}\"; x", "x1 y1 x1"),
    ])
    func occurrences(text: String, expected: String) throws {
        #expect(try numbered(text) == expected)
    }

    @Test func whatCanBeNamedAtAPlace() throws {
        let text = "rate = 1\nf(a, b=2) = {\n  c = a\n  g(a) = a + c\n  [e for e in b]\n}\nlater = 2"
        let (tree, names) = try resolved(text)
        func visible(at piece: String) -> [String] {
            let offset = text.firstRange(of: piece).map { text[..<$0.lowerBound].utf8.count } ?? 0
            return names.symbols(visibleAt: offset).map { tree[names[$0].name] }
        }
        #expect(visible(at: "a + c") == ["a", "b", "c", "g", "rate", "f", "later"])
        #expect(visible(at: "e for e").first == "e")
        #expect(visible(at: "later = 2") == ["rate", "f", "later"])
        // Inside `g` the name `a` means its own parameter.
        let inner = try #require(names.symbol(at: text.utf8.count - "a + c\n  [e for e in b]\n}\nlater = 2".utf8.count, in: tree))
        #expect(names[names.function(around: names[inner].scope)].symbolIDs == [inner])
        #expect(names.occurrences(of: inner, in: tree).map { tree.source.text($0) } == ["a", "a"])
    }

    @Test func whatIsSetAndWhatIsRead() throws {
        let (tree, names) = try resolved("y = f(x) + r.g()\nfor i in n { s[i] += k }\nh(q) = q + m")
        let statements = tree[tree.program].map(\.expression)
        #expect(names.globalsSet(by: statements[0], in: tree) == ["y"])
        #expect(names.globalsSet(by: statements[1], in: tree) == ["i", "s"])
        #expect(names.globalsSet(by: statements[2], in: tree) == ["h"])
        #expect(names.globalsRead(by: statements[2], in: tree).contains("m"))
        #expect(!names.globalsRead(by: statements[2], in: tree).contains("q"))
        #expect(names.unset(in: tree).map(\.name) == ["f", "x", "r", "n", "s", "k", "m"])
    }

    /// Renaming a variable to a new name everywhere it occurs leaves every other occurrence meaning what it meant.
    @Test(arguments: [
        "x = 1; f(x) = { y = x; [x + y for x in y] }; x + f(x)", "a = [a for a in a]; f(a, b=a) = (a -> a + b)(a)",
        "f(n) = { g(n) = if n > 0 { g(n - 1) } else { n }; for i in n { n = g(i) }; n }",
    ])
    func renamingKeepsMeaning(text: String) throws {
        let (tree, names) = try resolved(text)
        let before = try numbered(text)
        for index in names.symbols.indices {
            let symbol = SymbolID(index: UInt32(index))
            let edits = names.occurrences(of: symbol, in: tree).map { Diagnostic.Edit($0, "fresh") }
            #expect(!edits.isEmpty)
            let renamed = tree.source.applying(edits)
            // The same partition of the occurrences, whatever they are called.
            func classes(_ text: String) -> [Int] {
                var seen: [Substring] = []
                return text.split(separator: " ").map { word in
                    if !seen.contains(word) { seen.append(word) }
                    return seen.firstIndex(of: word) ?? -1
                }
            }
            #expect(classes(try numbered(renamed)) == classes(before), "\(renamed)")
        }
    }

    @Test func deepAndLongProgramsResolve() throws {
        let chain = "x = 1" + String(repeating: " + x", count: 100_000)
        #expect(try resolved(chain).names.symbols.count == 1)
        let nested = String(repeating: "f(x) = { ", count: 300) + "x" + String(repeating: " }", count: 300)
        let isDone: Bool? = onThread(stack: 1 << 28) { (try? resolved(nested).names.scopes.count) == 301 }
        #expect(isDone == true)
        let many = (0..<20_000).map { "a\($0) = a\($0 / 2)" }.joined(separator: "\n")
        #expect(try resolved(many).names.symbols.count == 20_000)
    }

    /// Faulty programs have trees too.
    @Test(arguments: ["f(", "f(x) = {", "[a for", "x = = 3; y = x", "for i in", "a, = 3", "{x:", "\"{x"])
    func faultyProgramsResolve(text: String) throws {
        let tree = parse(try SourceText(id: 1, name: "t", text: text)).tree
        let names = Resolution(tree)
        for offset in 0...text.utf8.count { _ = (names.symbols(visibleAt: offset), names.symbol(at: offset, in: tree)) }
    }
}
