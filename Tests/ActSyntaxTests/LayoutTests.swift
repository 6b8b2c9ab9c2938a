// The one layout: what it looks like, and what holds for every program.

import ActSyntax
import ActTestSupport
import Testing

@Suite struct LayoutTests {
    private func laidOut(_ text: String) throws -> String {
        try #require(Layout.text(of: SourceText(id: 1, name: "t", text: text)), "\(text) has faults")
    }

    static let pairs: [(source: String, layout: String)] = [
        ("x=1", "x = 1"),
        ("x  =  range( -5,5 , 0.1 );plot( relu(x) )", "x = range(-5, 5, 0.1); plot(relu(x))"),
        ("y = -x+2*x ^ 2-x**- 1", "y = -x + 2 * x^2 - x**-1"),
        ("a = not x and(b or -c)", "a = not x and (b or -c)"),
        ("m = [ [1 ,2],[3,4] ] [ 0 , 1 : ]", "m = [[1, 2], [3, 4]][0, 1:]"),
        ("z = x[ :: 2 , ... , none ] .T", "z = x[::2, ..., none].T"),
        ("f( x , n = 1 )=x->x+n", "f(x, n=1) = x -> x + n"),
        ("r={ a : 1 , \"b c\":{} }", "r = {a: 1, \"b c\": {}}"),
        ("f(x)={y=x;y}", "f(x) = { y = x; y }"),
        ("if x>0{1}else if x<0{2}else{3}", "if x > 0 { 1 } else if x < 0 { 2 } else { 3 }"),
        ("if x>0{1}\n\n else if x<0{2}\nelse{3}", "if x > 0 { 1 } else if x < 0 { 2 } else { 3 }"),
        ("if x {\n1\n}   # one\n\n  # two\n# three\nelse {\n3\n}", "if x {\n    1\n}  # one\n# two\n# three\nelse {\n    3\n}"),
        (
            "f(x)={\ny=if x {1} # one\nelse if y {2}\n# two\nelse {3}\ny\n}",
            "f(x) = {\n    y = if x { 1 }  # one\n    else if y { 2 }\n    # two\n    else { 3 }\n    y\n}"
        ),
        (
            "largest , = max_pool(reshape([1, 5, lstsq(range(2000) / 7, ones(3, 3, 3)[1]), 3], 1, 1, 1), indices=true)",
            "largest, = max_pool(reshape([1, 5, lstsq(range(2000) / 7, ones(3, 3, 3)[1]), 3], 1, 1, 1),\n    indices=true)"
        ),
        ("f' (x) - g''( 0 )", "f'(x) - g''(0)"),
        ("p = ( a , )", "p = (a,)"),
        ("- -x", "- -x"),
        ("a,b=b,a", "a, b = b, a"),
        ("x+=1;x@=w;", "x += 1; x @= w;"),
        ("s = \"a  {x+1 :.2f}  # no comment\"   # a comment", "s = \"a  {x+1 :.2f}  # no comment\"  # a comment"),
        ("\n\n\n# a\n\n\n\n# b\n\n", "# a\n\n# b"),
        ("one = 1 # 1\nfourteen = 14 # 14\n\ntwo = 2 # 2", "one = 1        # 1\nfourteen = 14  # 14\n\ntwo = 2  # 2"),
        ("for i in range(3) {\nprint(i)\n\n\n  # why\n      i\n}", "for i in range(3) {\n    print(i)\n\n    # why\n    i\n}"),
        ("f(x) = {  # why\nx\n}", "f(x) = {  # why\n    x\n}"),
        ("net = {\nW: w,b: b }", "net = {\n    W: w,\n    b: b\n}"),
        ("f(\n  1,  # one\n  2\n)", "f(\n    1,  # one\n    2\n)"),
        ("f(a,\n  b)", "f(a, b)"),
        ("a +\n b", "a + b"),
        ("x |> f\n|> g >> h", "x\n    |> f\n    |> g\n    >> h"),
        ("map(x->{\ny=x\ny},xs)", "map(x -> {\n    y = x\n    y\n}, xs)"),
        ("#!/usr/bin/env act\nx", "#!/usr/bin/env act\nx"),
        (
            "plot(layers, slope(sigmoid, 1), slope(tanh, 1), slope(relu, 1), slope(relu, 2), logy=true, labels=[\"sigmoid\", \"tanh\"], title=\"Slope\")",
            "plot(layers, slope(sigmoid, 1), slope(tanh, 1), slope(relu, 1), slope(relu, 2), logy=true,\n    labels=[\"sigmoid\", \"tanh\"], title=\"Slope\")"
        ),
        (
            "network = Dense(784, 512, activation=relu) >> Dropout(0.25) >> Dense(512, 512, activation=relu) >> Dense(512, 10)",
            "network = Dense(784, 512, activation=relu)\n    >> Dropout(0.25)\n    >> Dense(512, 512, activation=relu)\n    >> Dense(512, 10)"
        ),
        (
            "shares = [mean(points[:, 0] * first + points[:, 1] * second > 0.3) for first,second in ((1, 0), (-1, 0)) if first!=second]",
            "shares = [mean(points[:, 0] * first + points[:, 1] * second > 0.3)\n    for first, second in ((1, 0), (-1, 0))\n    if first != second]"
        ),
        (
            "for name in [\"alpha\", \"beta\", \"gamma\", \"delta\"] { print(\"{name} is a name that is quite long: {name} {name}\") }",
            "for name in [\"alpha\", \"beta\", \"gamma\", \"delta\"] {\n    print(\"{name} is a name that is quite long: {name} {name}\")\n}"
        ),
    ]

    @Test func looksLikeThis() throws {
        for (source, layout) in Self.pairs {
            #expect(try laidOut(source) == layout + "\n")
            #expect(try laidOut(layout) == layout + "\n", "again")
        }
        #expect(try laidOut("") == "")
        #expect(Layout.text(of: try SourceText(id: 1, name: "t", text: "x = (")) == nil)
    }

    static let programs = ((try? ScriptFile.all(below: "Tests/Scripts")) ?? []) + ((try? ScriptFile.all(below: "examples")) ?? [])

    /// The same tree, the same comments in the same order, and the layout of the layout is itself.
    private func check(_ text: String, _ name: String) throws {
        // Some programs are deep.
        let fault = onThread(stack: 512 << 20) { () -> String? in
            guard let source = try? SourceText(id: 1, name: name, text: text), let laidOut = Layout.text(of: source) else { return nil }
            guard let result = try? SourceText(id: 1, name: name, text: laidOut) else { return "no source" }
            let parsed = parse(result)
            if !parsed.diagnostics.isEmpty { return "has faults: \(laidOut)" }
            if parsed.tree.dump != parse(source).tree.dump { return "is another program: \(laidOut)" }
            if comments(result) != comments(source) { return "has other comments: \(laidOut)" }
            return Layout.text(of: result) == laidOut ? nil : "is not stable: \(laidOut)"
        }
        if let fault = try #require(fault, "no thread") { Issue.record("\(name): the layout of\n\(text)\n\(fault)") }
    }

    private func comments(_ source: SourceText) -> [String] {
        Trivia(source).pieces.filter { $0.kind == .comment }.map { source.text($0.span).split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    }

    @Test func keepsEveryProgram() throws {
        #expect(Self.programs.count > 400)
        for program in Self.programs { try check(ScriptFile.text(of: program.path), program.description) }
    }

    /// The repository's own programs are laid out, but for those that show what is wrong with a program.
    @Test func programsAreLaidOut() throws {
        #expect(Self.programs.count > 500)
        for program in Self.programs {
            let text = try ScriptFile.text(of: program.path)
            // Some programs are deep.
            let layout = onThread(stack: 512 << 20) { (try? SourceText(id: 1, name: "program", text: text)).flatMap { Layout.text(of: $0) } }
            guard let layout = try #require(layout, "no thread") else { continue }
            #expect(layout == text, "\(program): `act fmt` lays it out")
        }
    }

    @Test func keepsProgramsThatNobodyWouldWrite() throws {
        var state: UInt64 = 1
        func roll(_ n: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % max(1, n)
        }
        let insertions = [
            "\n", "  # c\n", "\n# own\n", "\n\n\n", "   ", "\t", ";", ";;", "\r\n", "(", ")", "-", "'", ".a", "[0]", " |> f", "\n|> f", ",", "{", "}", " x -> ",
            "^-2", "- -",
        ]
        for _ in 0..<2000 {
            let program = Self.programs[roll(Self.programs.count)]
            var bytes = Array(try ScriptFile.text(of: program.path).utf8.prefix(2500))
            while let last = bytes.last, last >= 0x80 { bytes.removeLast() }
            for _ in 0...roll(8) {
                let places = bytes.indices.filter { bytes[$0] < 0x80 }
                guard !places.isEmpty else { break }
                let place = places[roll(places.count)]
                if roll(4) == 0 { bytes.remove(at: place) } else { bytes.insert(contentsOf: Array(insertions[roll(insertions.count)].utf8), at: place) }
            }
            try check(String(decoding: bytes, as: UTF8.self), program.description)
        }
    }

    /// As deep as programs may nest, and as long as anyone has them.
    @Test func neverGivesUp() throws {
        let deep = String(repeating: "(", count: 900) + "1" + String(repeating: ")", count: 900)
        let blocks = String(repeating: "{\n", count: 300) + "1" + String(repeating: "\n}", count: 300)
        let results = onThread(stack: 64 << 20) {
            [deep, blocks].map { text in
                (try? SourceText(id: 1, name: "t", text: text)).flatMap { Layout.text(of: $0) }
            }
        }
        #expect(results?[0] == deep + "\n")
        #expect(results?[1]?.hasPrefix("{\n    {\n        {") == true)
        let long = "x = " + [String](repeating: "1", count: 20_000).joined(separator: "+")
        #expect(try laidOut(long).split(separator: "\n").allSatisfy { $0.count <= Layout.width })
        let wide = "x = [" + [String](repeating: "12345", count: 20_000).joined(separator: ",") + "]"
        #expect(try laidOut(wide).split(separator: "\n").allSatisfy { $0.count <= Layout.width })
    }
}
