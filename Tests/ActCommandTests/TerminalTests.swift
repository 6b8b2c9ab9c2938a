// The session at a terminal: keys, completion, history, Ctrl-C, pasting.

import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.serialized) struct TerminalTests {
    private static let prompt = "act> "

    private func start(_ arguments: [String] = [], home: String? = nil, columns: UInt16 = 80) throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(arguments, environment: home.map { ["HOME": $0] } ?? ["XDG_STATE_HOME": "/dev/null"], columns: columns)
        try terminal.expect(Self.prompt)
        return terminal
    }

    @Test func valuesAreShownAndDescribed() throws {
        let terminal = try start()
        terminal.enter("x = range(3)")
        try terminal.expect(Self.prompt)
        terminal.enter("x")
        try terminal.expect("[0, 1, 2]\n")
        try terminal.expect("f64 (3,)")
        try terminal.expect(Self.prompt)
        terminal.enter("ans + 1")
        try terminal.expect("[1, 2, 3]\n")
        try terminal.expect(Self.prompt)
        terminal.type("\u{4}")
        #expect(try terminal.waitForEnd().status == 0)
    }

    @Test func wideCharactersAreTypedAndEdited() throws {
        let terminal = try start()
        // Left over 기, delete 울, type it again.
        terminal.enter("기울기 = 0.1\u{1b}[D\u{1b}[D\u{1b}[D\u{1b}[D\u{1b}[D\u{1b}[D\u{1b}[D\u{7f}울\u{5}25")
        try terminal.expect(Self.prompt)
        terminal.enter("기울기 * 2")
        try terminal.expect("0.25\n")
    }

    @Test func tabCompletes() throws {
        let terminal = try start()
        terminal.enter("sigm\t(0)")
        try terminal.expect("0.5\n")
        try terminal.expect(Self.prompt)
        terminal.enter("r = {width: 2, height: 5}")
        try terminal.expect(Self.prompt)
        terminal.enter("r.hei\t")
        try terminal.expect("5\n")
        try terminal.expect(Self.prompt)
        terminal.enter("\\sigma\t = 7; σ")
        try terminal.expect("7\n")
        try terminal.expect(Self.prompt)
        terminal.enter("leaky_relu(-1, slop\t0.5)")
        try terminal.expect("-0.5\n")
        try terminal.expect(Self.prompt)
        terminal.type("softp\t\t")
        terminal.interrupt()
        try terminal.expect(Self.prompt)
    }

    @Test func tabListsCandidatesAndSignatures() throws {
        let terminal = try start()
        terminal.type("arc\t")
        try terminal.expect("arc")
        terminal.type("\u{15}leaky_relu(\t")
        try terminal.expect("leaky_relu(x, slope=0.01)")
    }

    @Test func linesContinueWhileSomethingIsOpen() throws {
        let terminal = try start()
        terminal.enter("f(x) = {")
        try terminal.expect("...> ")
        terminal.enter("")
        try terminal.expect("...> ")
        terminal.enter("x * 2 }")
        try terminal.expect(Self.prompt)
        terminal.enter("f(21)")
        try terminal.expect("42\n")
        try terminal.expect(Self.prompt)
        terminal.enter("(1 +")
        try terminal.expect("...> ")
        terminal.interrupt()
        try terminal.expect(Self.prompt)
        terminal.enter("5")
        try terminal.expect("5\n")
    }

    @Test(arguments: ["while true {}", "for i in range(1e12) { i }", "f(x) = f(x); f(1)", "x = rand(3000, 3000); while true { x = (x @ x) * 1e-4 }"])
    func interruptKeepsTheSession(_ endless: String) throws {
        let terminal = try start()
        terminal.enter("kept = 17")
        try terminal.expect(Self.prompt)
        terminal.enter(endless)
        try terminal.expect("\n")
        if !endless.contains("f(x)") {
            _ = try? terminal.expect("never comes", seconds: 0)
            terminal.interrupt()
        }
        try terminal.expect(Self.prompt)
        terminal.enter("kept + 1")
        try terminal.expect("18\n")
    }

    /// What is being changed has a value again, whatever it is and wherever in it the change was.
    @Test(arguments: [
        ("n = 0; while true { n += 1 }", "n > 0"), ("w = rand(2000000); k = 0; while true { w = w + 1; k += 1 }", "w.shape == (2000000,) and k > 0"),
        ("w = rand(2000000); while true { w += 1 }", "w.shape == (2000000,)"), ("w = zeros(3000, 3000); while true { w[1:] += 1 }", "w.shape == (3000, 3000)"),
        ("l = (); while true { l = l.append(rand(3)) }", "len(l) > 0"), ("l = (1, rand(2000000)); while true { l[1] += 1 }", "len(l[1]) == 2000000"),
        ("r = {a: {b: rand(2000000)}}; while true { r.a.b *= 0.5 }", "len(r.a.b) == 2000000"),
        ("r = {a: (0, rand(2000000))}; while true { r.a[1][:] += 1 }", "len(r.a[1]) == 2000000"),
        ("d = {}; i = 0; while true { d[\"{i % 5}\"] = rand(1000000); i += 1 }", "len(d) > 0 and all([len(d[k]) == 1000000 for k in keys(d)])"),
        ("a, b = (0, 1); while true { a, b = (b, a + b * 1e-9) }", "a >= 0"),
    ])
    func interruptKeepsWhatALoopHasReached(_ loop: String, _ condition: String) throws {
        let terminal = try start()
        for _ in 0..<2 {
            terminal.enter(loop)
            try terminal.expect("\n")
            _ = try? terminal.expect("never comes", seconds: 0)
            usleep(UInt32(150_000 * Sanitizer.patience))
            terminal.interrupt()
            try terminal.expect("variables keep what was assigned to them until then")
            try terminal.expect(Self.prompt)
            terminal.enter("if \(condition) { \"as\" + \"expected\" } else { \"lost\" }")
            try terminal.expect("asexpected")
            try terminal.expect(Self.prompt)
        }
    }

    @Test func interruptAtThePromptClearsTheLine() throws {
        let terminal = try start()
        terminal.type("nonsense (")
        terminal.interrupt()
        try terminal.expect(Self.prompt)
        terminal.enter("1 + 1")
        try terminal.expect("2\n")
    }

    @Test func errorKeepsVariables() throws {
        let terminal = try start()
        terminal.enter("x = 1")
        try terminal.expect(Self.prompt)
        terminal.enter("x = nowhere")
        try terminal.expect("nowhere")
        try terminal.expect(Self.prompt)
        terminal.enter("x + 1")
        try terminal.expect("2\n")
    }

    @Test func pastedLinesRunInOrder() throws {
        let terminal = try start()
        terminal.type("\u{1b}[200~a = 1\nb = [\n  a,\n  2\n]\nsum(b)\n\u{1b}[201~")
        try terminal.expect("3\n")
        try terminal.expect(Self.prompt)
        // The last line waits for its end.
        terminal.type("\u{1b}[200~a = 20\na +\u{1b}[201~")
        terminal.enter(" 1")
        try terminal.expect("21\n")
    }

    @Test func pastedTranscriptRunsAgain() throws {
        let terminal = try start()
        terminal.type("\u{1b}[200~act> f(x) = {\n...>   x + 1\n...> }\nact> f(1)\n2\nact> f(40)\n41\n\u{1b}[201~")
        try terminal.expect("\n2\n")
        try terminal.expect("\n41\n")
        let after = try terminal.expect(Self.prompt)
        #expect(!after.contains("error"))
    }

    @Test func historyIsKeptAcrossSessions() throws {
        try withFolder { home in
            let first = try start(home: home)
            let second = try start(home: home)
            first.enter("first = 1")
            try first.expect(Self.prompt)
            second.enter("second = 2")
            try second.expect(Self.prompt)
            for terminal in [first, second] {
                terminal.type("\u{4}")
                _ = try terminal.waitForEnd()
            }
            #expect(try ScriptFile.text(of: home + "/.local/state/act/history") == "first = 1\nsecond = 2\n")
            let third = try start(home: home)
            third.enter("\u{1b}[A\u{1b}[A; 41 + first")
            try third.expect("42\n")
        }
    }

    @Test func brokenHistoryIsAWarning() throws {
        try withFolder { home in
            try write("a file where a folder should be", to: home + "/.local")
            let terminal = try PseudoTerminal(environment: ["HOME": home])
            try terminal.expect("history is not kept")
            try terminal.expect(Self.prompt)
            terminal.enter("1 + 1")
            try terminal.expect("2\n")
        }
    }

    @Test func figuresFollowTheWindow() throws {
        let terminal = try start(columns: 70)
        terminal.enter("show(plot([1, 2, 3])); \"that \" + \"is all\"")
        let first = try terminal.expect("that is all")
        #expect(first.split(separator: "\n").map(\.count).max() == 70)
        try terminal.expect(Self.prompt)
        // The prompt is drawn again.
        terminal.resize(columns: 60, rows: 30)
        terminal.enter("show(plot([1, 2, 3])); \"that \" + \"is all\"")
        let second = try terminal.expect("that is all")
        #expect(second.split(separator: "\n").map(\.count).max() == 60)
    }
}
