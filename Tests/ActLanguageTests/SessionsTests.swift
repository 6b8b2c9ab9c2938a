import ActSystem
import ActArray
import ActLanguage
import ActMachine
import ActSyntax
import ActTestSupport
import Testing

/// Several sessions in one process, one after the other and at once: each as if it were alone.
@Suite struct SessionsTests {
    /// What a session shows and says.
    private final class Transcript: SessionOutput {
        var lines: [String] = []
        func write(_ text: String) { lines.append(text) }
        func show(_ shown: Shown) { lines.append(shown.text) }
        func report(_ diagnostic: Diagnostic, _ session: Session) {
            lines.append(DiagnosticRenderer(source: { session.source($0) }).render(diagnostic))
        }
    }

    /// Runs programs, one after the other, in a session of its own.
    private static func transcript(_ programs: [String], _ options: Session.Options = Session.Options()) throws -> [String] {
        let output = Transcript(), session = try Session(options: options, output: output)
        for (index, program) in programs.enumerated() { output.lines.append("\(session.run(program, named: "<\(index)>"))") }
        return output.lines
    }

    /// Programs that use what sessions could share: threads, kept programs, places in messages, warnings, random numbers, derivatives,
    /// imported and kept formulas, drawing.
    private static let programs = [
        "seed(7)\nX = rand(300, 200)\nsum(tanh(X * 2 + 1) @ X')\nsort(flatten(X))[:3]",
        "x = linspace(-2, 2, 50001)\nsum(exp(x) / (x - x))",
        "f(x) = gelu(x)^2 + sin(x)\ngrad(f)(0.5)\nf''(linspace(-1, 1, 5))",
        "x = [1, 2]\ny = x @ [1, 2, 3]",
        "seed(3)\nmodel = Dense(2, 5, tanh) >> Dense(5, 1)\nmodel([[1, 2]])",
        "for i in range(2000) { x = [i, i + 1] * 2 }\nx",
        "plot(relu)",
        "log([1, 0, -1])",
    ]

    private static func inOrder(_ start: Int) -> [String] { (0..<programs.count).map { programs[(start + $0) % programs.count] } }

    @Test func sessionsAfterOneAnother() throws {
        let alone = try Self.transcript(Self.programs)
        for _ in 0..<3 { #expect(try Self.transcript(Self.programs) == alone) }
        #expect(alone.contains { $0.contains("y = x @ [1, 2, 3]") }, "a message shows the line that it is about: \(alone)")
        #expect(alone.filter { $0 == "done" }.count == Self.programs.count - 1 && alone.contains("failed"))
        #expect(try Self.transcript(["kept = 1"]) == ["done"])
        #expect(try Self.transcript(["kept"]).last == "failed")
    }

    @Test func sessionsAtOnce() throws {
        let expected = try (0..<4).map { try Self.transcript(Self.inOrder($0 * 2)) }
        let results = Results()
        let threads = (0..<4).map { number in
            SystemThread {
                for _ in 0..<5 { results.add(number, (try? Self.transcript(Self.inOrder(number * 2))) ?? ["no session"]) }
            }
        }
        for thread in threads { thread?.join() }
        for (number, lines) in results.all { #expect(lines == expected[number]) }
        #expect(results.all.count == 20)
    }

    /// Programs full of texts, lists and records, whose holders are counted without locks: what several sessions see of one thing, as the letters
    /// and the defaults of rows, must not be counted so.
    private static let heldPrograms = [
        """
        words = split(repeat("ab,c,def,a long word that lies apart,", 300), ",")
        count = {}
        for w in words { if contains(count, w) { count[w] += 1 } else { count[w] = 1 } }
        count
        join(words, "-")[:20]
        """,
        """
        f(n) = { l = ["a" for i in range(n)]; for i in range(n) { l[i] = if i % 2 == 0 { "b" } else { "long enough to lie apart" } }; l }
        l = f(3000)
        (len(join(l)), l[0], l[-1])
        """,
        """
        s = ""
        for i in range(3000) { s = s + "x{i}"; s += "y" }
        (len(s), s[0], s[-1], s[100:110])
        """,
        """
        make(d) = if d == 0 { {v: "leaf"} } else { {v: "a", l: make(d - 1), r: make(d - 1)} }
        total(t) = if contains(t, "l") { total(t.l) + total(t.r) } else { len(t.v) }
        total(make(9))
        """,
        """
        parts = [{name: "abc"[i % 3], place: i} for i in range(3000)]
        (parts[5], len(filter(p -> p.name == "a", parts)))
        reduce((p, q) -> p + q.name, parts, "")[:12]
        """,
        """
        add(n) = x -> x + n
        join([add(c)(c) for c in repeat("xyz", 500)], "")[:9]
        for i in range(500) { t = (trim(" a "), upper("abc"), replace("aXb", "X", "-"), repr(i)) }
        t
        """,
    ]

    @Test func textsAndListsAtOnce() throws {
        let expected = try Self.transcript(Self.heldPrograms)
        #expect(expected.filter { $0 == "done" }.count == Self.heldPrograms.count, "\(expected)")
        let results = Results()
        let threads = (0..<2).map { number in
            SystemThread {
                for _ in 0..<20 { results.add(number, (try? Self.transcript(Self.heldPrograms)) ?? ["no session"]) }
            }
        }
        for thread in threads { thread?.join() }
        for (_, lines) in results.all { #expect(lines == expected) }
        #expect(results.all.count == 40)
    }

    @Test func anInterruptEndsOneSession() throws {
        let first = try Session(), second = try Session()
        let results = Results()
        let endless = SystemThread { results.add(0, ["\(first.run("while true { x = 1 }", named: "a"))"]) }
        #expect(second.run("x = sum(linspace(0, 1, 100001))", named: "b") == .done)
        // It clears an interrupt that came before it began.
        while results.all.isEmpty {
            first.engine.interrupt.raise()
            #expect(second.run("x = sum([1, 2]) + 1", named: "b") == .done)
        }
        endless?.join()
        #expect(results.all.map(\.1) == [["interrupted"]])
        #expect(!second.engine.interrupt.isRaised && first.run("1 + 1", named: "a") == .done)
    }

    @Test func aTimeLimitEndsOneSession() throws {
        var options = Session.Options()
        options.maximumTime = 0.2
        let first = try Session(options: options), second = try Session(), results = Results()
        let endless = SystemThread { results.add(0, ["\(first.run("while true { x = 1 }", named: "a"))"]) }
        while results.all.isEmpty { #expect(second.run("for i in range(1000) { x = i }", named: "b") == .done) }
        endless?.join()
        #expect(results.all.map(\.1) == [["limit"]])
    }

    @Test func oneSessionWarnsTheOtherDoesNot() throws {
        var quiet = Session.Options()
        quiet.warns = false
        let program = "x = linspace(0, 1, 20001)\nmax(1 / x)"
        let (loud, silent) = (try Self.transcript([program]), try Self.transcript([program], quiet)), results = Results()
        #expect(loud.count == silent.count + 1)
        let threads = [Session.Options(), quiet].enumerated().map { number, options in
            SystemThread { for _ in 0..<20 { results.add(number, (try? Self.transcript([program], options)) ?? []) } }
        }
        for thread in threads { thread?.join() }
        for (number, lines) in results.all { #expect(lines == (number == 0 ? loud : silent)) }
    }

    /// What an engine keeps goes with it.
    @Test func sessionsLeaveNothing() throws {
        weak var engine: Engine?
        do {
            let session = try Session()
            engine = session.engine
            #expect(session.run("f(x) = x + 1\nsum(f(linspace(0, 1, 100001)))", named: "a") == .done)
        }
        #expect(engine == nil)
    }
}

/// What several threads found.
private final class Results: @unchecked Sendable {
    private let lock = Lock()
    private var list: [(Int, [String])] = []
    func add(_ number: Int, _ lines: [String]) { lock.locked { list.append((number, lines)) } }
    var all: [(Int, [String])] { lock.locked { list } }
}
