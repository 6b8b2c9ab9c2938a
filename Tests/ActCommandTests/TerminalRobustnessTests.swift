// The session at a terminal that misbehaves: windows that change, pastes without end, output that nobody reads, broken history.

import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.serialized) struct TerminalRobustnessTests {
    private static let prompt = "act> "

    private func start(home: String? = nil) throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(environment: home.map { ["HOME": $0] } ?? ["XDG_STATE_HOME": "/dev/null"])
        try terminal.expect(Self.prompt)
        return terminal
    }

    /// The session still takes lines.
    private func answers(_ terminal: PseudoTerminal) throws {
        terminal.enter("40 + 2")
        try terminal.expect("42\n")
        try terminal.expect(Self.prompt)
    }

    // MARK: Windows

    /// A line of 200 characters in windows that hold it and windows that do not, the smallest included.
    @Test func windowChangesWhileALineIsTyped() throws {
        let terminal = try start()
        terminal.type("1" + String(repeating: " + 1", count: 50))
        for (columns, rows) in [(40, 10), (20, 2), (9, 2), (4, 4), (30, 1), (1, 1), (0, 0), (200, 50), (80, 24)] as [(UInt16, UInt16)] {
            terminal.resize(columns: columns, rows: rows)
            usleep(20_000)
            terminal.type(" + 1")
            usleep(20_000)
        }
        terminal.enter("")
        try terminal.expect("60\n")
        try terminal.expect(Self.prompt)
        try answers(terminal)
    }

    @Test func windowChangesWhileFiguresAreShown() throws {
        let terminal = try start()
        terminal.enter("for i in range(200) { show(plot([1, 2, i])) }; \"all \" + \"shown\"")
        for step in 0..<40 {
            terminal.resize(columns: UInt16(200 - 5 * step), rows: UInt16(40 - step))
            usleep(2000)
        }
        try terminal.expect("all shown")
        terminal.resize(columns: 80, rows: 24)
        try terminal.expect(Self.prompt)
        try answers(terminal)
    }

    /// No screen is as large; what keeps a picture of it must not.
    @Test func windowThatClaimsToBeEndless() throws {
        // It edits lines by itself.
        let plain = try PseudoTerminal(environment: ["XDG_STATE_HOME": "/dev/null"], columns: 65_535, rows: 65_535)
        plain.enter("40 + 2")
        try plain.expect("42\n")
        plain.enter("plot([1, 2]); \"drawn\"")
        try plain.expect("drawn")
    }

    // MARK: Pastes

    @Test(arguments: [true, false]) func tenThousandPastedLinesRun(isBracketed: Bool) throws {
        let terminal = try start()
        let lines = (0..<10_000).map { "x\($0 % 100) = \($0)\n" }.joined() + "\"to the \" + \"end\"\nx99 - x0\n"
        terminal.type(isBracketed ? "\u{1b}[200~\(lines)\u{1b}[201~" : lines)
        try terminal.expect("\"to the end\"", seconds: 60)
        try terminal.expect("99\n")
        try terminal.expect(Self.prompt)
        try answers(terminal)
    }

    @Test func onePastedStatementOfTenThousandLinesRuns() throws {
        let terminal = try start()
        terminal.type("\u{1b}[200~x = [\n" + (0..<10_000).map { " \($0),\n" }.joined() + "]\nsum(x)\n\u{1b}[201~")
        try terminal.expect("49995000\n", seconds: 60)
    }

    @Test func interruptDropsTheRestOfAPaste() throws {
        let terminal = try start()
        terminal.type("\u{1b}[200~\"be\" + \"gun\"\nwhile true {}\n" + (0..<1000).map { "print(\"later \($0)\")\n" }.joined() + "\u{1b}[201~")
        try terminal.expect("\"begun\"")
        _ = try? terminal.expect("never comes", seconds: 0)
        terminal.interrupt()
        try terminal.expect("interrupted")
        try terminal.expect(Self.prompt)
        terminal.enter("40 + 2")
        #expect(!(try terminal.expect("42\n")).contains("later"))
    }

    @Test func pasteWithoutAnEndIsTakenBack() throws {
        let terminal = try start()
        terminal.type("\u{1b}[200~x = 1\nx")
        _ = try? terminal.expect("never comes", seconds: 0)
        terminal.interrupt()
        try terminal.expect(Self.prompt)
        try answers(terminal)
    }

    @Test func pastedControlCharactersAreLeftOut() throws {
        let terminal = try start()
        terminal.type("\u{1b}[200~len(\"a\u{1}\u{2}\u{1b}b\u{7f}\")\u{1b}[201~\r")
        try terminal.expect("\n2\n")
        try terminal.expect(Self.prompt)
        try answers(terminal)
    }

    // MARK: Output

    /// Nobody reads, so the terminal is full and `act` waits in a write when Ctrl-C comes.
    @Test(arguments: ["while true { print(\"line\") }", "while true { show(range(100)) }", "while true { show(plot(relu)) }"])
    func interruptDuringOutput(_ endless: String) throws {
        let terminal = try start()
        terminal.enter(endless)
        usleep(400_000)
        terminal.interrupt()
        try terminal.expect("interrupted")
        try terminal.expect(Self.prompt)
        try answers(terminal)
    }

    @Test(arguments: [nil, "while true {}", "while true { print(1) }"]) func terminalGoesAway(running line: String?) throws {
        let terminal = try start()
        if let line { terminal.enter(line) }
        usleep(200_000)
        terminal.hangUp()
        #expect(try terminal.waitForEnd().status != 0 || line == nil)
    }

    /// What ended the session is left to see, as when something runs.
    @Test(arguments: [SIGTERM, SIGQUIT, SIGHUP]) func terminationAtThePromptIsNoSuccess(_ signal: Int32) throws {
        // The shell that waits for act sees how the terminal is left.
        let terminal = try start()
        terminal.send(signal: signal)
        #expect(try terminal.waitForEnd().status == 128 + signal)
    }

    // MARK: History

    private func historyPath(_ home: String) -> String {
        for folder in ["/.local", "/.local/state", "/.local/state/act"] { mkdir(home + folder, 0o700) }
        return home + "/.local/state/act/history"
    }

    @Test func corruptHistoryLeavesTheLinesThatAreText() throws {
        try withFolder { home in
            let path = historyPath(home)
            let line = Array("41 + 1\n".utf8)
            try write(bytes: (0...255).map { UInt8($0) } + [10] + line + [0xFF, 0xFE, 10] + [UInt8](repeating: 65, count: 1 << 20) + [10], to: path)
            let terminal = try PseudoTerminal(environment: ["HOME": home])
            try terminal.expect("holds something else than lines of text")
            try terminal.expect(Self.prompt)
            terminal.type("\u{1b}[A\r")
            try terminal.expect("42\n")
        }
    }

    /// Whoever holds the lock keeps nobody waiting, and no line is lost.
    @Test func lockedHistoryWaits() throws {
        try withFolder { home in
            let path = historyPath(home)
            try write("40 + 2\n", to: path)
            let lock = open(path, O_RDWR)
            defer { close(lock) }
            flock(lock, LOCK_EX)
            let terminal = try start(home: home)
            terminal.type("\u{1b}[A\r")
            try terminal.expect("42\n")
            try terminal.expect(Self.prompt)
            terminal.enter("1 + 2")
            try terminal.expect("3\n")
            try terminal.expect(Self.prompt)
            flock(lock, LOCK_UN)
            terminal.type("\u{4}")
            #expect(try terminal.waitForEnd().status == 0)
            #expect(try ScriptFile.text(of: path) == "40 + 2\n1 + 2\n")
        }
    }

    @Test func readOnlyHistoryIsReadAndSaid() throws {
        // For root nothing is read-only but a folder in the file's place.
        try withFolder { home in
            let path = historyPath(home)
            try write("40 + 2\n", to: path)
            chmod(path, 0o400)
            defer { chmod(path, 0o600) }
            guard access(path, W_OK) != 0 else { return }
            let terminal = try start(home: home)
            terminal.type("\u{1b}[A\r")
            try terminal.expect("42\n")
            terminal.enter("1 + 1")
            try terminal.expect("history is not kept")
        }
    }

    @Test func hugeHistoryIsCut() throws {
        try withFolder { home in
            let path = historyPath(home)
            try write((0..<250_000).map { "x\($0) = \($0)\n" }.joined() + "40 + 2\n", to: path)
            let terminal = try start(home: home)
            terminal.type("\u{1b}[A\r")
            try terminal.expect("42\n")
            try terminal.expect(Self.prompt)
            let kept = try ScriptFile.text(of: path).split(separator: "\n")
            #expect(kept.count == 10_000)
            #expect(kept.last == "40 + 2")
        }
    }

    /// The last lines come back, however much stands before them, and with little memory.
    @Test(arguments: [[], ["--max-memory", "20M"]]) func theNewestLinesOfAnEndlessHistoryComeBack(_ options: [String]) throws {
        try withFolder { home in
            let path = historyPath(home)
            try write(
                bytes: Array(repeating: Array("# \(String(repeating: "x", count: 60_000))\n".utf8), count: 1300).flatMap { $0 } + Array("40 + 2\n".utf8),
                to: path)
            let terminal = try PseudoTerminal(options, environment: ["HOME": home])
            try terminal.expect(Self.prompt)
            terminal.type("\u{1b}[A\r")
            try terminal.expect("42\n")
            try terminal.expect(Self.prompt)
            terminal.type("\u{4}")
            #expect(try terminal.waitForEnd().status == 0)
            // (`hasSuffix` would put the whole of it into an order.)
            #expect(try Array(ScriptFile.text(of: path).utf8.suffix(8)) == Array("\n40 + 2\n".utf8))
        }
    }

    @Test func sessionsAtOnceLoseNoLineOfEachOther() throws {
        try withFolder { home in
            let path = historyPath(home)
            let terminals = try (0..<3).map { _ in try start(home: home) }
            for step in 0..<20 {
                for (index, terminal) in terminals.enumerated() { terminal.enter("a\(index) = \(step)") }
            }
            for terminal in terminals {
                for _ in 0..<20 { try terminal.expect(Self.prompt) }
                terminal.type("\u{4}")
                _ = try terminal.waitForEnd()
            }
            let lines = try ScriptFile.text(of: path).split(separator: "\n").map(String.init)
            #expect(lines.sorted() == (0..<3).flatMap { index in (0..<20).map { "a\(index) = \($0)" } }.sorted())
        }
    }
}
