// Pictures in terminals that show some: which ones are found out to, and what happens to the answers.

import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.serialized) struct GraphicsTests {
    private static let prompt = "act> "
    private static let request = "\u{1b}[>0q\u{1b}[c"
    private static let hasPictures = dlopen("librsvg-2.so.2", RTLD_NOW) != nil

    private func start(_ environment: [String: String], _ arguments: [String] = []) throws -> PseudoTerminal {
        let terminal = try PseudoTerminal(arguments, environment: ["XDG_STATE_HOME": "/dev/null"].merging(environment) { $1 }, cell: (10, 20))
        try terminal.expect(Self.prompt)
        terminal.enter("plot([1, 2, 3])")
        return terminal
    }

    private func answers(_ terminal: PseudoTerminal) throws {
        try terminal.expect(Self.prompt)
        terminal.enter("40 + 2")
        #expect(try terminal.expect("42\n").split(separator: "\n").last == "40 + 2")
    }

    @Test(arguments: [
        (["KITTY_WINDOW_ID": "1"], "\u{1b}_Ga=T,f=100,q=2,c=79,r=20,"), (["TERM": "xterm-ghostty"], "\u{1b}_Ga=T"),
        (["TERM_PROGRAM": "iTerm.app"], "\u{1b}]1337;File=inline=1;"), (["TERM_PROGRAM": "WezTerm"], "\u{1b}]1337;File=inline=1;"),
    ])
    func knownTerminalsGetPictures(_ environment: [String: String], _ beginning: String) throws {
        guard Self.hasPictures else { return }
        let terminal = try start(environment)
        #expect(!(try terminal.expectBytes(beginning)).contains(Self.request))
    }

    @Test(arguments: [
        ("\u{1b}P>|kitty(0.36.4)\u{1b}\\\u{1b}[?62;52;c", "\u{1b}_Ga=T"), ("\u{1b}P>|iTerm2 3.5.0\u{1b}\\\u{1b}[?62;4;c", "\u{1b}]1337;"),
        ("\u{1b}P>|foot(1.16.2)\u{1b}\\\u{1b}[?62;4;22;28c", "\u{1b}P0;1q"), ("\u{1b}[?64;1;2;4;6c", "\u{1b}P0;1q"), ("\u{1b}[?1;2c", "┌─"),
        ("\u{1b}[?62;44;c", "┌─"),
    ])
    func othersAreAsked(_ answer: String, _ beginning: String) throws {
        guard Self.hasPictures else { return }
        let terminal = try start([:])
        try terminal.expectBytes(Self.request)
        terminal.type(answer)
        try terminal.expectBytes(beginning)
        try answers(terminal)
        terminal.enter("plot([1, 2])")
        // Once is enough.
        #expect(!(try terminal.expectBytes(beginning)).contains(Self.request))
    }

    @Test func silentTerminalGetsTextSoon() throws {
        let terminal = try start([:])
        try terminal.expect("┌─")
        try answers(terminal)
    }

    @Test func lateAnswersAreNoInput() throws {
        let terminal = try start([:])
        try terminal.expect("┌─")
        try terminal.expect(Self.prompt)
        terminal.type("\u{1b}P>|slow\u{1b}\\\u{1b}[?62;4c")
        terminal.enter("40 + 2")
        #expect(try terminal.expect("42\n").split(separator: "\n").last == "40 + 2")
    }

    @Test func whatIsTypedMeanwhileIsKept() throws {
        let terminal = try start([:])
        try terminal.expectBytes(Self.request)
        terminal.type("40 + \u{1b}[?62;c2\r")
        try terminal.expect("┌─")
        try terminal.expect("42\n")
    }

    @Test(arguments: [["TMUX": "/tmp/x"], ["TERM": "screen-256color"], ["TERM": "dumb"], ["TERM_PROGRAM": "Apple_Terminal"]])
    func someAreNotAsked(_ environment: [String: String]) throws {
        let terminal = try start(environment)
        #expect(!(try terminal.expectBytes("┌─")).contains(Self.request))
    }

    @Test func brailleIsNeverAPicture() throws {
        let terminal = try start(["KITTY_WINDOW_ID": "1"], ["--plot", "braille"])
        try terminal.expectBytes("┌─")
    }

    @Test func picturesCanBeForced() throws {
        guard Self.hasPictures else { return }
        let result = try BuiltCommand.run(["--plot", "sixel", "-e", "plot([1, 2, 3])"])
        #expect(result.output.hasPrefix("\u{1b}P0;1q"))
        #expect(try !BuiltCommand.run(["-e", "plot([1, 2, 3])"], environment: ["KITTY_WINDOW_ID": "1"]).output.contains("\u{1b}"))
    }
}
