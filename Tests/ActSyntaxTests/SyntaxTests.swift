// What programs mean as trees: Docs/language.md, row by row.

import ActSyntax
import Testing

private func dump(_ text: String) throws -> String {
    let result = parse(try SourceText(id: 1, name: "test.act", text: text))
    #expect(result.diagnostics.map(\.title) == [], "\(text)")
    return result.tree.dump
}

@Suite struct SyntaxTests {
    @Test(arguments: [
        ("2.5; .5; 1e-3; 1_000; 0xff; 0b101; 1E3; 2.", "2.5; 0.5; 0.001; 1000; 255; 5; 1000; 2"),
        ("2.e3; 2.mean(); 0xFFFFFFFFFFFFFFFF; 1.5e2", "2000; (call (. 2 mean)); 1.8446744073709552e+19; 150"),
        // The nearest double to each, as Python's float() gives it.
        ("9007199254740993; 123456789012345678901234567890; 2.2250738585072014e-308", "9007199254740992.0; 1.2345678901234568e+29; 2.2250738585072014e-308"),
        ("0.1; 1e22; 1e23; 5e-324; 1e-400", "0.1; 1e+22; 1e+23; 5e-324; 0"),
        (#""a\tb\n\"\\\{\u{3c3}""#, "\"a\tb\n\"\\{σ\""),
        (#""a {x} b {y:>8.2f}{z}""#, #"(template "a " x " b " y: z)"#),
        (#""{x[1:2]:.1f} {r["k"]} {"in {y}"}""#, #"(template (index x [1:2:]): " " (index r "k") " " (template "in " y))"#),
        ("\"\"\"a\r\nb \"c\" {x}\"\"\"", "(template \"a\nb \"c\" \" x)"),
        (#""{ {a: 1}.a }""#, "(template (. (record a: 1) a))"),
        ("σ = 1; 기울기_2 = α1; x₁", "(= σ 1); (= 기울기_2 α1); x₁"),
        ("true; false; none", "true; false; none"),
        ("\u{FEFF}#! act\nx # y\n\r\n# z\r\ny\rz", "x y z"),
    ])
    func literals(text: String, expected: String) throws {
        #expect(try dump(text) == expected)
    }

    @Test func namesAreInternedInNFC() throws {
        let tree = parse(try SourceText(id: 1, name: "t", text: "é = 1; e\u{301}; \u{212A}; K; 각; \u{1100}\u{1161}\u{11A8}")).tree
        #expect(tree.names.count == 3)
    }

    /// Each operator against its neighbours in the table of Docs/language.md.
    @Test(arguments: [
        ("x -> x |> f", "(-> (x) (|> x f))"),
        ("x |> f >> g", "(|> x (>> f g))"),
        ("f >> g >> h", "(>> (>> f g) h)"),
        ("x |> f |> g", "(|> (|> x f) g)"),
        ("f >> a or b", "(>> f (or a b))"),
        ("a or b and c or d", "(or (or a (and b c)) d)"),
        ("not a and not not b", "(and (not a) (not (not b)))"),
        ("not a == b", "(not (compare a equal b))"),
        ("a < b + 1 <= c != d", "(compare a less (+ b 1) lessOrEqual c notEqual d)"),
        ("a == b and c > d >= e", "(and (compare a equal b) (compare c greater d greaterOrEqual e))"),
        ("(a < b) < c", "(compare (compare a less b) less c)"),
        ("a - b + c", "(+ (- a b) c)"),
        ("a + b * c @ d // e % f / g", "(+ a (/ (% (// (@ (* b c) d) e) f) g))"),
        ("-a * -b", "(* (negate a) (negate b))"),
        ("-a @ b", "(@ (negate a) b)"),
        ("-2^2", "(negate (^ 2 2))"),
        ("2^-1", "(^ 2 (negate 1))"),
        ("2^3^2; 2**3**2", "(^ 2 (^ 3 2)); (^ 2 (^ 3 2))"),
        ("2^-3^2 * 4", "(* (^ 2 (negate (^ 3 2))) 4)"),
        ("a^b'", "(^ a (prime1 b))"),
        ("-f'(x)[0].y", "(negate (. (index (call (prime1 f) x) 0) y))"),
        ("f''' ; (f >> g)'(1); a[0]'; {1}'", "(prime3 f); (call (prime1 (>> f g)) 1); (prime1 (index a 0)); (prime1 {1})"),
        ("+a; a - -b; a -b", "(plus a); (- a (negate b)); (- a b)"),
        ("not (a < b) or c", "(or (not (compare a less b)) c)"),
        ("x == y |> f", "(|> (compare x equal y) f)"),
    ])
    func precedence(text: String, expected: String) throws {
        #expect(try dump(text) == expected)
    }

    @Test(arguments: [
        ("[]; [1, 2,]; [[1], [2]]", "(array); (array 1 2); (array (array 1) (array 2))"),
        ("(); (v,); (a, b); (a, b,); (a)", "(list); (list v); (list a b); (list a b); a"),
        (#"{}; {a: 1, "b c": 2,}; {W1: {x: 1}}"#, "(record); (record a: 1 b c: 2); (record W1: (record x: 1))"),
        ("{ a }; {a; b}; { f(x) }", "{a}; {a; b}; {(call f x)}"),
        ("{\n a: 1,\n b:\n 2\n}", "(record a: 1 b: 2)"),
        ("[e for a in xs]; [a * b for a, b in ps if a > b]", "(each e for a in xs); (each (* a b) for a b in ps if (compare a greater b))"),
        ("[x -> a for a in xs]", "(each (-> (x) a) for a in xs)"),
        ("f(); f(1, b, c=2, d=x -> x,)", "(call f); (call f 1 b c=2 d=(-> (x) x))"),
        ("f(x)(y).g(z)", "(call (. (call (call f x) y) g) z)"),
        ("a[i]; a[-1]; a[i, j]; a[lo:hi:step]; a[:, 0]", "(index a i); (index a (negate 1)); (index a i j); (index a [lo:hi:step]); (index a [::] 0)"),
        ("a[..., 0]; a[:, none]; a[::2]; a[1:]; a[:-1,]", "(index a ... 0); (index a [::] none); (index a [::2]); (index a [1::]); (index a [:(negate 1):])"),
        ("x -> y -> x; () -> 3; (x, y=2) -> x; (x) -> x; (x,) -> x", "(-> (x) (-> (y) x)); (-> () 3); (-> (x y=2) x); (-> (x) x); (-> (x) x)"),
        ("x -> { y = x\n y }; x -> {a: x}", "(-> (x) {(= y x) y}); (-> (x) (record a: x))"),
        ("map(xs, x -> {\n a = x\n a\n}, 2)", "(call map xs (-> (x) {(= a x) a}) 2)"),
        ("f (x) [0]", "(index (call f x) 0)"),
    ])
    func expressions(text: String, expected: String) throws {
        #expect(try dump(text) == expected)
    }

    @Test(arguments: [
        ("y = a; a, b = pair; a, b = b, a; a, = p", "(= y a); (unpack a b = pair); (unpack a b = (list b a)); (unpack a = p)"),
        ("r.a[0].b = v; r[\"k\"], x[1:] = p", "(= (. (index (. r a) 0) b) v); (unpack (index r \"k\") (index x [1::]) = p)"),
        ("a += 1; a[0] -= 2; r.x *= 3; a /= 4; a ^= 5; a **= 6", "(+= a 1); (-= (index a 0) 2); (*= (. r x) 3); (/= a 4); (^= a 5); (^= a 6)"),
        ("f(x, slope=0.01) = max(slope * x, x)", "(define f (x slope=0.01) (call max (* slope x) x))"),
        ("f() = 1\ng(x) = {\n z = x; z\n}", "(define f () 1) (define g (x) {(= z x); z})"),
        ("if c { 1 } else if d { 2 } else { 3 }", "(if c {1} d {2} else {3})"),
        ("if c { 1 }\n# why\n\nelse if d { 2 }\nelse { 3 }", "(if c {1} d {2} else {3})"),
        ("if c { }; if {a: 1}.a == 1 { b }", "(if c {}); (if (compare (. (record a: 1) a) equal 1) {b})"),
        ("y = if c { a } else { b } + 1", "(= y (+ (if c {a} else {b}) 1))"),
        ("for i in range(10) { if i { break } else { continue } }", "(for i in (call range 10) {(if i {break} else {continue})})"),
        ("for a, b in ps { }", "(for a b in ps {})"),
        ("while x < 3 { x += 1 }", "(while (compare x less 3) {(+= x 1)})"),
        ("f(x) = { return }; g(x) = { if x { return x, 1 }; 2 }", "(define f (x) {(return)}); (define g (x) {(if x {(return (list x 1))}); 2})"),
        ("unset relu", "(unset relu)"),
        ("x = 1,\n2", "(= x (list 1 2))"),
        ("a;b;;c", "a; b; c"),
        ("f = { 1 }; { x; }", "(= f {1}); {x;}"),
    ])
    func statements(text: String, expected: String) throws {
        #expect(try dump(text) == expected)
    }

    /// Where a newline ends a statement and where it does not.
    @Test(arguments: [
        ("a\nb", "a b"),
        ("a +\nb", "(+ a b)"),
        ("a +  # why\n\n # and\n b", "(+ a b)"),
        ("a\n- b", "a (negate b)"),
        ("x =\n1", "(= x 1)"),
        ("f(x) =\n x", "(define f (x) x)"),
        ("x ->\n x", "(-> (x) x)"),
        ("xs\n  |> f\n\n  # then\n  >> g", "(|> xs (>> f g))"),
        ("(a\n+ b)\n[c\n, d]", "(+ a b) (array c d)"),
        ("f\n(x)", "f x"),
        ("f(\nx\n,\ny\n)", "(call f x y)"),
        ("a\n[0]", "a (array 0)"),
        ("(f\n(x))", "(call f x)"),
        ("(x -> {\n a\n -b\n})", "(-> (x) {a (negate b)})"),
        ("x = [1,\n 2\n]\ny", "(= x (array 1 2)) y"),
        ("a and\nnot\nb", "(and a (not b))"),
        ("return_ = 1", "(= return_ 1)"),
    ])
    func newlines(text: String, expected: String) throws {
        #expect(try dump(text) == expected)
    }

    @Test func placesAreExact() throws {
        let text = "L1 = X @ (W1 + b1)"
        let tree = parse(try SourceText(id: 7, name: "t", text: text)).tree
        let statement = try #require(tree[tree.program].first)
        guard case .assign(_, let value) = tree[statement.expression], case .binary(.matmul, let left, let right) = tree[value] else {
            Issue.record("not an assignment of a product")
            return
        }
        #expect(tree.span(of: value) == Span(source: 7, start: 5, end: 18))
        #expect(tree.operatorSpan(of: value) == Span(source: 7, start: 7, end: 8))
        #expect(tree.text(of: left) == "X")
        #expect(tree.text(of: right) == "(W1 + b1)")
        #expect(tree.operatorSpan(of: statement.expression) == Span(source: 7, start: 3, end: 4))
    }

    @Test func linesAndColumnsCountCharacters() throws {
        let source = try SourceText(id: 1, name: "t", text: "a\r\n한글 = 'x'\re\u{301}f\n")
        #expect(source.lineCount == 4)
        #expect(source.line(at: 2) == "한글 = 'x'")
        #expect(source.lineAndColumn(of: 3 + 7) == (2, 4))
        #expect(source.line(at: 3) == "e\u{301}f")
        #expect(source.lineAndColumn(of: source.bytes.count - 2) == (3, 2))
        #expect(source.lineAndColumn(of: 10_000) == (4, 1))
    }

    @Test(arguments: [[0x61, 0xFF], [0x61, 0xC0, 0x80], [0x61, 0xED, 0xA0, 0x80], [0x61, 0xE2, 0x82], [0x61, 0xF5, 0x80, 0x80, 0x80]] as [[UInt8]])
    func invalidUTF8IsAnError(bytes: [UInt8]) {
        #expect(throws: SourceError.invalidUTF8(name: "t", offset: 1, line: 1)) { try SourceText(id: 1, name: "t", bytes: bytes) }
    }

    @Test func formatSpecs() throws {
        var spec = FormatSpec()
        (spec.fill, spec.alignment, spec.sign, spec.isZeroPadded, spec.width, spec.isGrouped, spec.precision, spec.kind) =
            ("*", .centre, .always, true, 12, true, 3, .fixed)
        #expect(try FormatSpec(parsing: "*^+012,.3f") == spec)
        #expect(try FormatSpec(parsing: "") == FormatSpec())
        #expect(try FormatSpec(parsing: "가>5").fill == "가")
        for (text, range) in [("5q", 1..<2), (".", 0..<1), ("5f3", 2..<3), ("99999", 0..<5), ("<<<", 2..<3)] {
            let error = #expect(throws: FormatSpecError.self) { try FormatSpec(parsing: text) }
            #expect(error?.characters == range, "\(text)")
        }
    }
}
