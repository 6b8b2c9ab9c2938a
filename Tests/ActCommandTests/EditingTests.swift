// Blocks, wrapped lines, wide characters and keys at a terminal: what stands on the screen is what was typed.

import ActTestSupport
import ActText
import Testing

@Suite(.serialized) struct TerminalEditingTests {
    private static let prompt = "act> "

    private func start(columns: UInt16 = 80, rows: UInt16 = 24, environment: [String: String] = [:], _ arguments: [String] = []) throws -> PseudoTerminal {
        let variables = ["XDG_STATE_HOME": "/dev/null", "NO_COLOR": "1"].merging(environment) { $1 }
        let terminal = try PseudoTerminal(arguments, environment: variables, columns: columns, rows: rows)
        try terminal.expect(Self.prompt)
        return terminal
    }

    /// Rows of a text behind its prompts, and where the cursor is; a character that does not fit goes into the next row, and so does the cursor
    /// behind a full one.
    private func rows(_ text: [Character], cursor: Int, columns: Int) -> (lines: [String], row: Int, column: Int) {
        var lines = [Self.prompt], width = Self.prompt.count, place = (0, 0)
        for (index, character) in (text + ["\n"]).enumerated() {
            let size = character == "\n" ? 1 : displayWidth(of: character)
            if width + size > columns {
                lines.append("")
                width = 0
            }
            if index == cursor { place = (lines.count - 1, width) }
            if character == "\n" {
                if index < text.count {
                    lines.append("...> ")
                    width = 5
                }
            } else {
                lines[lines.count - 1].append(character)
                width += size
            }
        }
        let plain = lines.map { line in String(line.reversed().drop { $0 == " " }.reversed()) }
        return (plain, place.0, place.1)
    }

    /// What has been typed, as a list of characters with a cursor in it.
    private struct Typed {
        var text: [Character]
        var cursor: Int

        /// - Parameter key: Which of the keys that move or take away; any other number types the letters.
        /// - Returns: What the terminal sends for it; nothing where the key would do nothing.
        mutating func press(_ key: Int, letters: [Character]) -> String {
            let lineStart = text[..<cursor].lastIndex(of: "\n").map { $0 + 1 } ?? 0
            switch key {
            case 0:
                if cursor == 0 { return "" }
                cursor -= 1
                text.remove(at: cursor)
                return "\u{7f}"
            case 1:
                if cursor == 0 { return "" }
                cursor -= 1
                return "\u{1b}[D"
            case 2:
                if cursor == text.count { return "" }
                cursor += 1
                return "\u{1b}[C"
            case 3:
                cursor = lineStart == cursor ? 0 : lineStart
                return "\u{1b}[H"
            case 4:
                let lineEnd = text[cursor...].firstIndex(of: "\n") ?? text.count
                cursor = lineEnd == cursor ? text.count : lineEnd
                return "\u{5}"
            case 5 where text.count < 150 && text.first == "(":
                text.insert("\n", at: cursor)
                cursor += 1
                return "\u{1b}\r"  // Alt-Enter
            case 7:
                if cursor == text.count { return "" }
                text.remove(at: cursor)
                return "\u{4}"
            default:
                text.insert(contentsOf: letters, at: cursor)
                cursor += letters.count
                return String(letters)
            }
        }
    }

    /// Random keys, and windows of random sizes.
    @Test(arguments: [(20, true), (20, false), (7, true), (33, false)])
    func screenShowsWhatIsTyped(columns: Int, wrapsAnew: Bool) throws {
        let terminal = try start(columns: UInt16(columns), rows: 60)
        var screen = Screen(columns: columns, height: 60)
        screen.write(Self.prompt)
        var state = UInt64(columns) * 7919 + (wrapsAnew ? 1 : 0)
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var model = Typed(text: Array("(가나x"), cursor: 4)
        terminal.type("(가나x")
        /// Whether all that was typed has been seen: two windows in a row are one too many for anybody.
        var hasSettled = true, shownColumns = columns
        for step in 0..<160 {
            let key = random(14)
            if key == 6, hasSettled {
                hasSettled = false
                let size = max(6, columns + random(21) - 10)
                terminal.resize(columns: UInt16(size), rows: 60)
                screen.resize(columns: size, height: 60, wrapsAnew: wrapsAnew)
            } else {
                terminal.type(model.press(key, letters: [Array("한글울기")[random(4)], Array("abc +1")[random(6)]]))
            }
            let before = screen.lines.suffix(60), place = screen.cursor
            let wanted = rows(model.text, cursor: model.cursor, columns: screen.columns)
            let isRight = terminal.show(on: &screen, seconds: 3) { screen in
                let shown = screen.lines.suffix(wanted.lines.count)
                // Where lines are cut, what was wrapped cannot be told from what was not by the cursor's column alone.
                let hasOne = !wrapsAnew || screen.lines.count { $0.hasPrefix(Self.prompt) || $0 == "act>" } == 1
                return hasOne && Array(shown) == wanted.lines && screen.cursor.row == screen.lines.count - wanted.lines.count + wanted.row
                    && screen.cursor.column == wanted.column
            }
            #expect(
                isRight,
                "step \(step), \(screen.columns) columns: \(screen.lines) \(screen.cursor), not \(wanted); before at \(shownColumns) columns: \(before) \(place)"
            )
            if !isRight { return }
            if before != screen.lines.suffix(60) || place != screen.cursor, screen.columns == shownColumns { hasSettled = true }
            shownColumns = screen.columns
        }
        #expect(screen.clearsFromHome == 0)
    }

    @Test func blockIsOneEntry() throws {
        let terminal = try start()
        for line in ["f(x) = {", "  x * 2"] {
            terminal.enter(line)
            try terminal.expect("...> ")
        }
        terminal.enter("}")
        try terminal.expect(Self.prompt)
        // Up to the block, up a line in it; its number is changed.
        terminal.enter("\u{1b}[A\u{1b}[A\u{5}\u{7f}5")
        try terminal.expect(Self.prompt)
        terminal.enter("f(3)")
        try terminal.expect("15\n")
    }

    @Test func blockComesBackInTheNextSession() throws {
        try withFolder { home in
            let first = try start(environment: ["XDG_STATE_HOME": home])
            first.enter("g(x) = {")
            try first.expect("...> ")
            first.enter("x + 1 }")
            try first.expect(Self.prompt)
            first.type("\u{4}")
            _ = try first.waitForEnd()
            let second = try start(environment: ["XDG_STATE_HOME": home])
            second.enter("\u{1b}[A")
            try second.expect(Self.prompt)
            second.enter("g(41)")
            try second.expect("42\n")
        }
    }

    /// With Shift, Alt and Ctrl, and as other terminals write them; what no terminal sends too.
    @Test func keysNeverType() throws {
        let terminal = try start()
        var sequences: [String] = []
        for letter in "ABCDEFHPQRSZ" {
            sequences += ["[\(letter)", "O\(letter)"] + (2...16).map { "[1;\($0)\(letter)" }
        }
        for number in 1...34 { sequences += ["[\(number)~", "[\(number)$", "[\(number)^", "[\(number)@"] + (2...8).map { "[\(number);\($0)~" } }
        sequences += ["[a", "[d", "Oa", "Od", "[[A", "[[E", "[I", "[O", "[<0;3;4M", "[97;5u", "[27;5;9~", "[?1;2c", "[12;40R", "OM", "O2P", "Oj", "Oy"]
        for sequence in sequences { terminal.type("\u{1b}" + sequence) }
        terminal.enter("\u{15}6 * 7")
        let before = try terminal.expect("42\n")
        #expect(!before.contains("error"), "\(before)")
    }

    @Test func wordsAreSteppedOver() throws {
        let terminal = try start()
        // Ctrl-Left to `2`, Alt-Right behind it, Shift-Left before it.
        terminal.enter("1 + 2\u{1b}[1;5D\u{1b}[1;3C\u{1b}[1;2D4")
        try terminal.expect("43\n")
    }

    @Test func endOfInputDropsTheBlock() throws {
        let terminal = try start()
        terminal.enter("h(x) = {")
        try terminal.expect("...> ")
        terminal.type("\u{4}")
        try terminal.expect(Self.prompt)
        terminal.enter("1 + 1")
        try terminal.expect("2\n")
        try terminal.expect(Self.prompt)
        terminal.type("\u{4}")
        #expect(try terminal.waitForEnd().status == 0)
    }

    @Test(arguments: ["(1 + ]", "[1, 2)", "f(x) = { (x ]", "{ a: 1 )", "[(]"]) func wrongBracketEndsTheWait(_ line: String) throws {
        let terminal = try start()
        terminal.enter(line)
        try terminal.expect("error")
        try terminal.expect(Self.prompt)
    }

    struct Transcript: CustomStringConvertible, Sendable {
        let text: String
        let shown: [String]
        var description: String { text.debugDescription }
    }

    static let transcripts = [
        Transcript(text: ">>> f(x) = {\n...   x + 1\n... }\n>>> f(1)\n99\n>>> f(40)\n99\n", shown: ["2", "41"]),
        Transcript(text: "In [1]: f(x) = {\n   ...:   x + 1\n   ...: }\nIn [2]: f(1)\nOut[2]: 99\n\nIn [13]: f(40)\n", shown: ["2", "41"]),
        Transcript(text: "julia> f(x) = {\n         x + 1\n       }\nf (generic function)\n\njulia> f(40)\n99\n", shown: ["41"]),
        Transcript(text: "act> f(x) = {\n...>   x + 1\n...> }\nact> f(40)\n99\n", shown: ["41"]),
    ]

    @Test(arguments: transcripts) func promptsFallOff(_ row: Transcript) throws {
        let terminal = try start()
        terminal.type("\u{1b}[200~\(row.text)\u{1b}[201~")
        for shown in row.shown {
            let before = try terminal.expect("\n\(shown)\n")
            #expect(!before.contains("99") && !before.contains("error"), "\(before)")
        }
        // Typed line by line, as a terminal pastes that marks nothing.
        let plain = try BuiltCommand.run([], input: row.text)
        for shown in row.shown { #expect(plain.output.contains(shown + "\n"), "\(plain)") }
    }

    @Test func suggestionIsTakenInPartOrWhole() throws {
        let terminal = try start(environment: ["NO_COLOR": ""])
        terminal.enter("value = 41 + 1")
        try terminal.expect(Self.prompt)
        // All of it, then a word of it.
        terminal.enter("val\u{1b}[C; value + 1")
        try terminal.expect("43\n")
        try terminal.expect(Self.prompt)
        terminal.enter("value = 4\u{1b}[1;3C")
        try terminal.expect(Self.prompt)
        terminal.enter("value")
        try terminal.expect("41\n")
    }

    @Test func commandsOfTheSystem() throws {
        let terminal = try start(environment: ["EDITOR": "f() { sed -i.old s/20/40/ \"$1\"; rm \"$1.old\"; }; f"])
        terminal.enter("!echo a$((40 + 2))b; exit 3")
        try terminal.expect("a42b")
        try terminal.expect("exit status 3")
        try terminal.expect(Self.prompt)
        terminal.enter("20 + 3")
        try terminal.expect("23\n")
        try terminal.expect(Self.prompt)
        terminal.enter(":edit")
        try terminal.expect("43\n")
        try terminal.expect(Self.prompt)
        // What was edited is an entry.
        terminal.enter("\u{1b}[A + 1")
        try terminal.expect("44\n")
        try terminal.expect(Self.prompt)
        // Ctrl-C ends the command, not the session.
        terminal.enter("!sleep 100")
        _ = try? terminal.expect("never comes", seconds: 0)
        terminal.interrupt()
        try terminal.expect("exit status 130")
        try terminal.expect(Self.prompt)
        terminal.enter("1 + 1")
        try terminal.expect("2\n")
    }

    /// Who leaves the editor without writing wants nothing run.
    @Test func anInputThatIsLeftAsItWasDoesNotRunAgain() throws {
        let terminal = try start(environment: ["EDITOR": "true"])
        terminal.enter("n = 1; n += 1")
        try terminal.expect(Self.prompt)
        terminal.enter("print(\"once\")")
        try terminal.expect("once\n")
        try terminal.expect(Self.prompt)
        terminal.enter(":edit")
        try terminal.expect("nothing was changed")
        try terminal.expect(Self.prompt)
    }

    @Test func sandboxStartsNoPrograms() throws {
        let terminal = try start(["--sandbox"])
        for line in ["!echo hello", ":edit"] {
            terminal.enter(line)
            try terminal.expect("refused under --sandbox")
            try terminal.expect(Self.prompt)
        }
    }
}
