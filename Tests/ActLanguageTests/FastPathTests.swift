// The short ways of the machine against its long ones: programs of random loops that read and change elements, fields, lists and texts, once as
// anybody would write them and once through detours that only the general code takes. Both must show the same, to the last bit.

import ActLanguage
import ActSyntax
import ActTestSupport
import Testing

@Suite struct FastPathTests {
    /// Random choices, the same in every run.
    private struct Dice {
        var state: UInt64

        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % sides
        }

        mutating func pick(_ choices: [String]) -> String { choices[roll(choices.count)] }
    }

    /// One program written in two ways.
    private struct Pair {
        var short: String, long: String

        static func + (a: Pair, b: Pair) -> Pair { Pair(a.short + b.short, a.long + b.long) }
        init(_ both: String) { (short, long) = (both, both) }
        init(_ short: String, _ long: String) { (self.short, self.long) = (short, long) }
    }

    /// A program whose variables are locals, and the same with all of them in one record `h`, whose parts updates reach in several steps.
    private struct Writer {
        var dice: Dice
        /// Whether an index may be wrong: then the program ends with an error, and both must.
        let isRisky: Bool

        mutating func index(_ size: Int) -> String {
            if isRisky, dice.roll(12) == 0 { return dice.pick(["\(size)", "-\(size + 1)", "0.5", "nan", "1e300", "k * 1e9"]) }
            return switch dice.roll(5) {
            case 0: "k % \(size)"
            case 1: "-1 - k % \(size)"
            case 2: "(k + \(dice.roll(20))) % \(size)"
            case 3: "\(dice.roll(size))"
            default: "(k * k) % \(size) - \(size)"
            }
        }

        /// Reads an element of a vector.
        mutating func element() -> Pair {
            switch dice.roll(9) {
            case 0: let i = index(6); return Pair("v[\(i)]", "h.v[[\(i)]][0]")
            case 1: let i = index(6); return Pair("w[\(i)]", "h.w[[\(i)]][0]")
            case 2: let i = index(4), j = index(5); return Pair("m[\(i), \(j)]", "h.m[\(i)][[\(j)]][0]")
            case 3: let i = index(6); return Pair("number(b[\(i)])", "number(h.b[[\(i)]][0])")
            case 4: return Pair("r.x", "h.r[join((\"\", \"x\"))]")
            case 5: let i = index(3); return Pair("l[\(i)]", "reduce((p, q) -> q, (h.l[\(i)],))")
            case 6: let (short, long) = row(); return Pair("(\(short) @ p)", "reshape(\(long) @ reshape(h.p, 5, 1), 1)[0]")
            case 7:
                let a = row(), b = row()
                return Pair("(\(a.short) @ \(b.short))", "reshape(\(a.long) @ \(b.long)', 1)[0]")
            default: return Pair("k")
            }
        }

        /// A row of the matrix as a vector, and as a matrix of one row.
        private mutating func row() -> (short: String, long: String) {
            let i = index(4)
            return ("m[\(i)]", "h.m[[\(i)]]")
        }

        mutating func number(_ depth: Int = 2) -> Pair {
            if depth == 0 || dice.roll(3) == 0 { return dice.roll(4) == 0 ? Pair(dice.pick(["0.1", "-3", "1e308", "7", "0"])) : element() }
            let a = number(depth - 1), b = number(depth - 1)
            switch dice.roll(9) {
            case 0: return Pair("max(") + a + Pair(", ") + b + Pair(")")
            case 1: return Pair("abs(", "abs([") + a + Pair(")", "])[0]")
            case 2: return Pair("sigmoid(", "[sigmoid(") + a + Pair(")", ")][0]")
            case 3: return Pair("g(") + a + Pair(", c=", ", 2, ") + b + Pair(")")
            default: return Pair("(") + a + Pair(" \(dice.pick(["+", "-", "*", "/"])) ") + b + Pair(")")
            }
        }

        mutating func statement() -> Pair {
            let x = number(), change = dice.pick(["=", "=", "+=", "-=", "*=", "/="])
            switch dice.roll(16) {
            case 0, 1: let i = index(6); return Pair("v[\(i)] \(change) ", "h.v[\(i)] \(change) ") + x
            case 2: let i = index(6); return Pair("w[\(i)] \(change) ", "h.w[\(i)] \(change) ") + x
            case 3, 4: let i = index(4), j = index(5); return Pair("m[\(i), \(j)] \(change) ", "h.m[\(i), \(j)] \(change) ") + x
            case 5: let i = index(3); return Pair("l[\(i)] \(change) ", "h.l[\(i)] \(change) ") + x
            case 6: let name = dice.pick(["x", "y"]); return Pair("r.\(name) \(change) ", "h.r.\(name) \(change) ") + x
            case 7: let i = index(6); return Pair("b[\(i)] = ", "h.b[\(i)] = ") + x + Pair(" > 0")
            case 8: let piece = dice.pick(["a", "é", "xyz"]); return Pair("t += \"\(piece)\"", "h.t = join((h.t, \"\(piece)\"))")
            case 9: return Pair("u = concat((u, (", "h.u = concat((h.u[:], (") + x + Pair(",)))")
            case 12: let (short, long) = row(); return Pair("p += ", "h.p += ") + x + Pair(" * \(short)", " * reshape(\(long), 5)")
            case 13: let (short, long) = row(); return Pair("p = \(short) - p * ", "h.p = reshape(\(long), 5) - h.p * ") + x
            case 14: let (short, long) = row(); return Pair("q = \(short); q[1] = ", "h.q = reshape(\(long), 5); h.q[1] = ") + x
            case 15:
                let (short, long) = row()
                return Pair("p = \(short); u = concat((u, (p, q)))", "h.p = reshape(\(long), 5); h.u = concat((h.u[:], (h.p, h.q)))")
            case 10: return Pair("z = concat((z, [", "h.z = concat((h.z[:], [") + x + Pair("]))")
            default: return Pair("o = v; o[0] = ", "o = h.v[:]; o[0] = ") + x
            }
        }

        mutating func program() -> Pair {
            let start = [
                "v": "[1, -2, 3, 0.5, 0, 6]", "w": "f32([0.1, 2, -3, 4, 5.5, 1e30])", "m": "reshape(range(20) * 1.5, 4, 5)",
                "b": "[true, false, true, true, false, false]", "l": "(1, 2.5, -3)", "r": "{x: 1, y: -2}", "t": "\"\"", "u": "()", "z": "zeros(0)",
                "p": "zeros(5)", "q": "range(5)",
            ]
            let names = start.keys.sorted()
            var text = Pair("g(a, b=2, c=3) = a + b * c\nf() = {\n")
            text =
                text
                + Pair(
                    names.map { "\($0) = \(start[$0] ?? "")\n" }.joined(), "h = {" + names.map { "\($0): \(start[$0] ?? "")" }.joined(separator: ", ") + "}\n")
            let loop = dice.pick([
                "for k in range(\(3 + dice.roll(9))) {\n", "k = -1\nwhile k < \(3 + dice.roll(9)) {\nk += 1\n", "for k in range(9, 0, -2) {\n",
            ])
            text = text + Pair(loop)
            for _ in 0..<(1 + dice.roll(6)) { text = text + statement() + Pair("\n") }
            text = text + Pair("}\n")
            text =
                text + Pair("(" + names.map { "repr(\($0))" }.joined(separator: ", ") + ")", "(" + names.map { "repr(h.\($0))" }.joined(separator: ", ") + ")")
            return text + Pair("\n}\nf()\n")
        }
    }

    private func shown(_ program: String) throws -> (values: [String], errors: Int) {
        let session = try TestSession { $0.warns = false }
        let values = session.values(program)
        return (values, session.diagnostics.filter { $0.level == .error }.count)
    }

    @Test(arguments: [false, true]) func shortAndLongWaysAgree(_ isRisky: Bool) throws {
        var finished = 0
        for seed in 0..<60 {
            var writer = Writer(dice: Dice(state: UInt64(seed) &* 977 &+ (isRisky ? 1 : 0)), isRisky: isRisky)
            let program = writer.program()
            let short = try shown(program.short), long = try shown(program.long)
            #expect(short.errors == long.errors, "\(program.short)\n— and —\n\(program.long)")
            #expect(short.values == long.values, "\(program.short)\n— and —\n\(program.long)")
            if short.errors == 0 { finished += 1 }
        }
        // The programs must get somewhere.
        #expect(finished > (isRisky ? 10 : 58))
    }

    @Test(arguments: [
        // What is changed is the variable's own, however the value came there.
        ("f() = { a = [1, 2, 3]; b = a; a[0] = 9; b[1] = 8; (a, b) }; f()", "([9, 2, 3], [1, 8, 3])"),
        ("f(a) = { a[0] = 9; a }; x = [1, 2]; (f(x), x)", "([9, 2], [1, 2])"),
        ("f() = { m = zeros(2, 2); r = m[0]; m[0, 1] = 5; r[0] = 7; repr((m, r)) }; f()", "\"([[0, 5], [0, 0]], [7, 0])\""),
        ("f() = { m = eye(2); l = (); for i in (0, 1, 0) { l = concat((l, (m[i],))); m[0] = 2 * m[i] }; l }; f()", "([1, 0], [0, 1], [0, 2])"),
        ("f() = { m = eye(2); r = 0; s = m[1]; for i in range(2) { r = m[i]; if i == 0 { s = r }; r += m[i] }; (r, s) }; f()", "([0, 2], [1, 0])"),
        ("f() = { m = eye(2); m = m[1]; n = [[1, 2]]; for i in (0, -1) { m = n[i] + m }; (m, m @ n[0]) }; f()", "([2, 5], 12)"),
        ("f() = { m = f32([[1, 2], [3, 4]]); t = 0; for i in range(2) { t += m[i] @ m[1] }; (t, m[0].dtype) }; f()", "(36, \"f32\")"),
        ("f(m) = { t = 0; for i in range(2) { t += m[i] @ m[0] }; t }; (f([[1, 2], [3, 4]]), repr(grad(f)([[1, 2], [3, 4]])))", "(16, \"[[5, 8], [1, 2]]\")"),
        ("f() = { l = (1, 2); l[0] = l; l[0][1] = 5; l }; f()", "((1, 5), 2)"),
        ("f() = { l = ([1, 2], 3); a = l[0]; l[0][1] = 9; (l, a) }; f()", "(([1, 9], 3), [1, 2])"),
        ("f() = { r = {a: [1, 2]}; s = r; r.a[0] = 7; r.b = 1; (r, s) }; f()", "({a: [7, 2], b: 1}, {a: [1, 2]})"),
        ("f() = { r = {x: 1}; r.x = r; r.x.x += 1; r }; f()", "{x: {x: 2}}"),
        ("f() = { s = \"a\"; t = s; s += \"b\"; t = t + \"c\"; s += s; (s, t) }; f()", "(\"abab\", \"ac\")"),
        ("f() = { l = (); k = l; for i in range(3) { l = concat((l, (i,))); if i == 1 { k = l } }; (l, k) }; f()", "((0, 1, 2), (0, 1))"),
        ("f() = { l = (1,); l = concat((l, l)); l = concat((l, (l,))); l }; f()", "(1, 1, (1, 1))"),
        ("f() = { a = zeros(0); b = a; for i in range(3) { a = concat((a, [i])); if i == 1 { b = a } }; (a, b) }; f()", "([0, 1, 2], [0, 1])"),
        ("f() = { a = f32([1]); a = concat((a, [2])); a.dtype }; f()", "\"f64\""),
        ("concat = (p) -> 5; f() = { l = (); l = concat((l, (1,))); l }; f()", "5"),
        ("f() = { x = 3; x = x + x; x = x * x - x; x }; f()", "30"),
        ("f() = { v = [1, 2]; v = v + v; v = v * [2, 2] + v; v }; f()", "[6, 12]"),
        ("f() = { a = [1, 2, 3]; i = 0; a[{ i = 2; 0 }] = i; a[i] = a[{ i = 1; 0 }] + i; a }; f()", "[0, 1, 3]"),
        ("h(a, b=a + 1, c=b * 2) = (a, b, c); f(n) = h(n, c=1); (f(1), h(b=0, a=5), h(c=9, a=1))", "((1, 2, 1), (5, 0, 0), (1, 2, 9))"),
        ("h(a, b=1) = a - b; k(x) = h(b=x, a=1); p = k(2); h(b, a=1) = a * 10 + b; (p, k(2))", "(-1, 12)"),
        ("a = [1, 2]; for i in range(2) { a[i] += 10 }; r = {n: 1}; r.n *= 5; (a, r)", "([11, 12], {n: 5})"),
        ("a = [true, false]; a[1] = true; a[0] = 0; a", "[false, true]"),
        ("f(s) = { n = 0; for c in s { if c == \"é\" { n += 1 } else if c != \"a\" { n += 10 } }; n }; (f(\"aébé\"), f(\"abc\"), f(\"\"))", "(12, 20, 0)"),
        ("s = \"héllo\"; t = \"abc\"; (s[1], s[-1], t[0], t[-1])", "(\"é\", \"o\", \"a\", \"c\")"),
        ("[v * 2 for v in (1, true, 3)]; [if v > 1 { \"b\" } else { v } for v in [1, 2]]", "(1, \"b\")"),
        (
            "(map(v -> v + 1, [1, 2]), map(upper, \"ab\"), filter(v -> v > 1, [1, 2, 3]), reduce((a, b) -> a * 10 + b, range(1, 5)))",
            "([2, 3], (\"A\", \"B\"), [2, 3], 1234)"
        ),
        ("f(x) = { a = [0, 0]; a[0] = x; a[1] = a[0] * x; a[1] }; f'(3)", "6"),
        ("f(v) = { s = 0; for i in range(3) { s += v[i] * v[i] * i }; s }; grad(f)([1, 2, 3])", "[0, 4, 12]"),
        ("f(v) = { for i in range(1, 3) { v[i] += v[i - 1] }; v[2] }; grad(f)([1, 2, 3])", "[1, 1, 1]"),
    ]) func valuesStayApart(_ source: String, _ expected: String) throws {
        let session = try TestSession()
        let values = session.values(source)
        #expect(session.diagnostics.filter { $0.level == .error }.map(\.title) == [])
        #expect(values.last == expected)
    }

    /// A step of a loop that lets something grow costs the same however long it is: so many steps would not end otherwise.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            "f(n) = { l = (); for i in range(n) { l = concat((l, (i,))) }; len(l) }",
            "f(n) = { l = zeros(0); for i in range(n) { l = concat((l, [i])) }; len(l) }",
            "f(n) = { s = \"\"; for i in range(n) { s += \"xyz\" }; len(s) / 3 }",
            "f(n) = { s = \"\"; for i in range(n) { s = s + \"é\" }; len(s) }",
        ]) func growthCostsTheSameEachStep(_ source: String) throws
    {
        #expect(try TestSession().values("\(source)\nf(30000)") == ["30000"])
    }
}
