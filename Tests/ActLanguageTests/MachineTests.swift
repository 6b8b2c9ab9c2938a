// The machine from outside: what lines show, what an error leaves behind, and the invariants that its fast paths rest on.

import ActArray
import ActLanguage
import ActSyntax
import ActTestSupport
import Testing

/// A session whose output is kept.
final class TestSession: SessionOutput {
    private(set) var written = ""
    private(set) var shown: [String] = []
    private(set) var notes: [String?] = []
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var session: Session!

    init(_ configure: (inout Session.Options) -> Void = { _ in }) throws {
        var options = Session.Options()
        configure(&options)
        session = try Session(options: options, output: self)
    }

    @discardableResult
    func run(_ text: String) -> Session.Status { session.run(text, named: "test.act") }

    /// What `text` shows, one string a value.
    func values(_ text: String) -> [String] {
        let before = shown.count
        run(text)
        return Array(shown[before...])
    }

    func write(_ text: String) { written += text }

    func show(_ shown: Shown) {
        self.shown.append(shown.text)
        notes.append(shown.note)
    }

    func report(_ diagnostic: Diagnostic, _ session: Session) { diagnostics.append(diagnostic) }
}

@Suite struct MachineTests {
    @Test(arguments: [
        // Operands are read before later parts of the expression change them.
        ("f() = { x = 1; x + { x = 5; x } }; f()", ["6"]),
        ("f(x) = { y = x; y[0] = 9; x }; f([1, 2])", ["[1, 2]"]),
        ("a = [1, 2]; b = a; b[0] = 7; a", ["[1, 2]"]),
        ("r = {a: {b: [1, 2]}}; s = r; s.a.b[1] = 5; (r.a.b, s.a.b)", ["([1, 2], [1, 5])"]),
        ("x = [1, 2, 3]; x[0], x[2] = x[2], x[0]; x", ["[3, 2, 1]"]),
        // A function sees globals as they are when it is called, locals of enclosing functions as they were when it was made.
        ("g() = k; k = 1; g(); k = 2; g()", ["2"]),
        ("make() = { n = 1; f = () -> n; n = 2; f }; make()()", ["1"]),
        ("outer(n) = { inner(k) = if k == 0 { 0 } else { k + inner(k - 1) }; inner(n) }; outer(4)", ["10"]),
        ("f(a, b=a * 2, c=b + 1) = (a, b, c); f(1); f(1, c=0)", ["(1, 2, 0)"]),
        ("f = [x -> x * k for k in [1, 2]]; f[0](10); f[1](10)", ["20"]),
        // Conditions with and, or, not in jumps.
        ("f(a, b) = if not a and (b or false) { 1 } else { 2 }; f(false, true); f(true, true)", ["2"]),
        ("n = 0; while n < 10 and not (n == 7) { n += 1 }; n", ["7"]),
        ("s = 0; for i in range(10) { if i == 3 { continue }; if i == 6 { break }; s += i }; s", ["12"]),
        ("for i in range(3) {}; i", ["2"]),
        ("f(n) = { for i in range(n) { if i == 4 { return i } }; -1 }; f(10); f(2)", ["-1"]),
        ("range = x -> [5, 6]; s = 0; for i in range(3) { s += i }; s", ["11"]),
        ("sum = 3; sum; unset sum; sum([1, 2])", ["3"]),
        ("1 < 2 < 3; 1 < 3 < 2; [1, 5] < 3 < [4, 4]", ["[true, false]"]),
        ("2 * 3 + 4 * 5; 3 * 2^2; -2^2; 2^-1", ["0.5"]),
        ("[1, 2, 3] |> sum", ["6"]),
        ("(relu >> (x -> x + 1))([-1, 2])", ["[1, 3]"]),
    ]) func programs(_ source: String, _ expected: [String]) throws {
        let session = try TestSession()
        // Only the last value of a line is compared when `;` silences the others.
        let values = session.values(source)
        #expect(session.diagnostics.map(\.title) == [])
        #expect(values.suffix(expected.count) == expected[...])
    }

    @Test func anErrorLeavesEveryVariableAsItWasInTheREPL() throws {
        let session = try TestSession { $0.isInteractive = true }
        session.run("x = [1, 2, 3]; r = {a: 1}; f(t) = t")
        #expect(session.run("x[0] = 100; r.a = 2; y = 5; f(t) = t + 1; x[99]") == .failed)
        #expect(session.values("x") == ["[1, 2, 3]"])
        #expect(session.values("r.a") == ["1"])
        #expect(session.values("f(1)") == ["1"])
        #expect(session.run("y") == .failed)
        #expect(session.values("ans") == ["1"])
    }

    @Test(arguments: ["f(n) = f(n + 1); f(0)", "f(n) = 1 + f(n - 1); f(0)"]) func unboundedRecursionIsAnErrorAndTheSessionGoesOn(_ source: String) throws {
        let session = try TestSession()
        #expect(session.run(source) == .failed)
        #expect(session.diagnostics.last?.title == "calls are nested too deeply")
        #expect(session.values("1 + 1") == ["2"])
        #expect(session.values("down(n) = if n == 0 { 0 } else { down(n - 1) }; down(10000)") == ["0"])
    }

    @Test(.enabled(if: Sanitizer.takesDeepCalls), arguments: ["f(n) = map(f, [n]); f(0)", "f(x) = grad(f)(x); f(1)"])
    func unboundedRecursionThroughBuiltinsToo(_ source: String) throws {
        let session = try TestSession()
        #expect(session.run(source) == .failed)
        #expect(session.diagnostics.last?.title == "calls are nested too deeply")
        #expect(session.values("deep(n) = if n == 0 { 0 } else { map(deep, [n - 1])[0] }; deep(5000)") == ["0"])
    }

    @Test func assigningAnElementChangesTheArrayInPlace() throws {
        let session = try TestSession()
        session.run("a = zeros(100000)")
        func address() throws -> UnsafeRawPointer? {
            guard case .array(let array)? = session.session.module["a"] else { return nil }
            return try array.withContiguous(of: Double.self) { UnsafeRawPointer($0.baseAddress) }
        }
        let before = try address()
        session.run("for i in range(100) { a[i] = i }; a[5] += 1")
        #expect(try address() == before)
        #expect(session.values("sum(a)") == ["4951"])
        session.run("b = a; b[0] = 1")
        #expect(session.values("a[0]") == ["0"])
    }

    @Test func warningsComeOnceAPlaceAndStrictMakesThemErrors() throws {
        let session = try TestSession()
        session.run("f(x) = 1 / x; for i in range(5) { f(0) }; exp([1000, 1001])")
        #expect(
            session.diagnostics.map(\.title) == [
                "division by zero in `/`: the result is inf", "overflow in `exp`: 2 elements became infinite, the first at position 0",
            ])
        let silent = try TestSession { $0.warns = false }
        silent.run("1 / 0; log([0])")
        #expect(silent.diagnostics.isEmpty)
        let strict = try TestSession { $0.isStrict = true }
        #expect(strict.run("1 / 0") == .failed)
        #expect(strict.run("exp([1000]);") == .failed)
    }

    @Test func limitsOfTimeAndSize() throws {
        let timed = try TestSession { $0.maximumTime = 0.2 }
        #expect(timed.run("while true {}") == .limit)
        #expect(timed.diagnostics.last?.title == "the time limit of 0.2 s is reached")
        let session = try TestSession()
        for source in [
            "f = x -> x; for i in range(100) { f = f >> f }", "l = (); while true { l = (l,) }", "zeros(1e15)", "s = \"ab\"; while true { s = s + s }",
        ] {
            #expect(session.run(source) != .done)
        }
    }

    @Test func aKinkIsToldInTheREPL() throws {
        let session = try TestSession { $0.isInteractive = true }
        #expect(session.values("relu'(0)") == ["0"])
        #expect(session.notes.last == "kink: left 0, right 1")
        session.run("relu'(1)")
        #expect(session.notes.last == .some(nil))
    }

    @Test func manyStatementsTakeLinearTime() throws {
        let session = try TestSession()
        session.run("x = 0\n" + String(repeating: "x = x + 1\n", count: 50_000))
        #expect(session.values("x") == ["50000"])
    }

    @Test func aLongChainOfOperatorsIsNoRecursion() throws {
        let session = try TestSession()
        #expect(session.values(Array(repeating: "1", count: 100_000).joined(separator: " + ")) == ["100000"])
    }

    /// What nests one in the other needs a stack, which is there for so many and no more.
    @Test(arguments: [("1", "^1"), ("f(x) = f; f", "(1)"), ("1", ".abs()"), ("1", " |> abs"), ("true", " and true"), ("{a: 1}", ".a"), ("1", "[0]")])
    func aLongChainEndsWithAnError(_ start: String, _ link: String) throws {
        let session = try TestSession()
        #expect(session.run(start + String(repeating: link, count: 500_000)) == .failed)
        #expect(session.values("1" + String(repeating: "^1", count: 2_000)) == ["1"])
    }

    /// The registers' fast path writes the number of `.number` at the start of the enum's memory.
    @Test func aNumberStandsAtTheStartOfAValue() {
        var value = Value.number(1)
        withUnsafeMutableBytes(of: &value) { $0.storeBytes(of: 2.5, as: Double.self) }
        guard case .number(let number) = value else { Issue.record("the value is no number any more"); return }
        #expect(number == 2.5)
        #expect(MemoryLayout<Value>.stride == 16)
    }
}
