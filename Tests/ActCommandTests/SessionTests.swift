// The session without a terminal: lines through a pipe.

import ActSyntax
import ActTestSupport
import Testing

@Suite struct SessionTests {
    struct Case: CustomStringConvertible, Sendable {
        let input: String
        var output: String
        var error = ""
        var status: Int32 = 0
        var description: String { input.debugDescription }
    }

    static let cases: [Case] = [
        Case(input: "1 + 1\n", output: "2\n"),
        Case(input: "", output: ""),
        Case(input: "1 + 1", output: "2\n"),
        Case(input: "x = 2\r\nx\r\n", output: "2\n"),
        Case(input: "x = [1,\n\n 2]\nx\n", output: "[1, 2]\n"),
        Case(input: "f(x) = {\n  y = x + 1\n  y * 2\n}\nf(1)\n", output: "4\n"),
        Case(input: "[1, 2]\n|> sum\n", output: "3\n"),
        Case(input: "if false { 1 } else {\n2 }\n", output: "2\n"),
        Case(input: "ans = 5\nans + 1\nans + 1\n", output: "6\n7\n"),
        Case(input: "1\nnowhere\n2\n", output: "1\n2\n", error: "nowhere", status: 1),
        Case(input: "x = 1\nx = [1, 2][5]\nx\n", output: "1\n", error: "range", status: 1),
        Case(input: "act> x = 4\nact> x\n", output: "4\n"),
        Case(input: "act> f(x) = {\n...> x\n...> }\nact> f(3)\n", output: "3\n"),
        Case(input: "(1\n", output: "", error: "never closed", status: 1),
        Case(input: "if false { 1 }\n\nelse { 2 }\n", output: "", error: "begins a line", status: 1),
        Case(input: "if false { 1 }\nelse if true {\n2\n}\nelse { 3 }\nelsewhere = 4\nelsewhere\n", output: "2\n4\n"),
        Case(input: ":quit\n1\n", output: ""),
        Case(input: ":vars\n", output: "no variables yet\n"),
        Case(input: "x = zeros(2, 3)\nname = \"net\"\n:vars\n", output: "  x     array f64 (2, 3)  [[0, 0, 0],…\n  name  string            \"net\"\n"),
        Case(input: "x = 1\n:reset\nx\n", output: "", error: "`x`", status: 1),
        Case(input: ":qiut\n", output: "", error: "did you mean `:quit`?", status: 1),
        Case(input: ":time\n", output: "", error: ":time EXPR", status: 1),
        Case(input: ":vars x\n", output: "", error: "takes nothing", status: 1),
        Case(input: ":load nowhere.act\n", output: "", error: "cannot load nowhere.act", status: 1),
        Case(input: "?zzzzzz\n", output: "There is nothing called `zzzzzz`.\n`?` alone lists the topics, `?all` every name.\n"),
        Case(input: "exit\n1\n", output: ""),
        Case(input: "quit()\n1\n", output: ""),
        Case(input: "exit = 3\nexit\n", output: "3\n"),
        Case(
            input: "log(-1)\nwhy(ans)\n",
            output: "nan\nnote: `ans` is nan, because of `log(-1)`\n  <repl 1>:1:1\n  1 | log(-1)\n    | ^^^^^^^\n    | |   -1\n    | nan\n", error: "invalid"),
        Case(
            input: "X = ones(4, 3)\n:shapes relu(X @ ones(3, 2) + 1)\n",
            output:
                "    relu(X @ ones(3, 2) + 1)\n    ^^^^ ^ ^ ^^^^       ^ f64 (4, 2)\n    |    | | f64 (3, 2)\n    |    | f64 (4, 2)\n    |    f64 (4, 3)\n    f64 (4, 2)\n"
        ),
        Case(
            input: ":shapes sum(ones(2) @ ones(3))\n", output: "    sum(ones(2) @ ones(3))\n        ^^^^      ^^^^ f64 (3,)\n        f64 (2,)\n",
            error: "do not fit", status: 1),
        Case(input: ":shapes x = 3\n", output: "", error: "takes one expression", status: 1),
        Case(input: "x = 1\n:shapes { x = 2; x + 1 }\nx\n", output: "    { x = 2; x + 1 }\n             ^ ^ number\n             number\n1\n"),
    ]

    @Test(arguments: cases) func session(_ row: Case) throws {
        let result = try BuiltCommand.run([], input: row.input)
        #expect(result.output == row.output)
        #expect(row.error.isEmpty ? result.error.isEmpty : result.error.contains(row.error), "\(result.error)")
        #expect(result.status == row.status)
    }

    @Test func helpShowsTheRow() throws {
        let relu = try BuiltCommand.run([], input: "?relu\n").output
        for part in ["relu(x)", "max(x, 0)", "derivative", "kink", "at 0", "[0, ∞)", "relu'", "┌"] { #expect(relu.contains(part), "\(part)") }
        #expect(try BuiltCommand.run([], input: "relu?\n").output == relu)
        #expect(try BuiltCommand.run([], input: "?linspace\n").output.contains("linspace(start, stop, num=50"))
        #expect(try BuiltCommand.run([], input: "?\n").output.contains("?arrays"))
        let overview = try BuiltCommand.run([], input: "?all\n").output
        for part in ["activation functions", "sigmoid", "keywords"] { #expect(overview.contains(part), "\(part)") }
        #expect(try BuiltCommand.run([], input: "?sigmod\n").output.contains("Did you mean `sigmoid`"))
    }

    @Test func everyCommandIsListed() throws {
        let help = try BuiltCommand.run([], input: ":help\n").output
        for name in [
            ":help", ":vars", ":shapes EXPR", ":time EXPR", ":load FILE", ":save FILE", ":history [TEXT]", ":edit [FILE]", ":reset", ":quit", "?name",
            "!command",
        ] {
            #expect(help.contains(name), "\(name)")
        }
    }

    /// Whatever is put around an expression to run it, messages show it as it was entered.
    @Test(arguments: ["nowhere", "1 + nowhere", "1 +", "(1 + ]", "[1, 2] + [1, 2, 3]", "f(2", "relu(nowhere)"]) func commandsPointAtWhatWasEntered(
        _ text: String
    ) throws {
        let shapes = try BuiltCommand.run([], input: ":shapes \(text)\n").error
        #expect(shapes.contains("<shapes>:1:"))
        for name in ["graph", "time"] {
            let error = try BuiltCommand.run([], input: ":\(name) \(text)\n").error
            #expect(error == shapes.replacing("<shapes>", with: "<\(name)>"), "\(error)")
        }
    }

    @Test func timeMeasures() throws {
        let twice = try BuiltCommand.run([], input: ":time 1; 2\n:time log([0, 1])\n")
        #expect(twice.error.ranges(of: "warning:").count == 2, "each once: \(twice.error)")
        let result = try BuiltCommand.run([], input: "ans = 3\n:time sum(range(1000))\nans\n")
        #expect(result.output.contains("s a call (median of 10 runs, fastest "))
        #expect(result.output.hasSuffix("\n3\n"))
    }

    @Test func savedInputsRunAgain() throws {
        try withFolder { folder in
            let path = folder + "/session.act"
            _ = try BuiltCommand.run([], input: "f(x) = {\n  x * 2\n}\nnowhere\n1 +* 2\ny = f(21)\ny\n:save \(path)\n")
            #expect(try ScriptFile.text(of: path) == "f(x) = {\n  x * 2\n}\ny = f(21)\ny\n")
            let again = try BuiltCommand.run([], input: ":load \(path)\ny + 1\n")
            #expect(again.output == "42\n43\n")
        }
    }

    /// What the file prints is what the session printed: `ans`, files that were loaded, comments, statements on one line.
    @Test func savedSessionPrintsTheSame() throws {
        try withFolder { folder in
            try write("# a part\ng(x) = x + 1\ng(1)\n", to: folder + "/part.act")
            try write("k = 7\nk = nowhere\n", to: folder + "/broken.act")
            let inputs = [
                "1 + 2", "ans * 2; ans", "# a comment", "x = ans # kept", "f(v) = v + ans", "f(1)", "print(\"no value\")", "ans + 1;", "ans", "[1, 2]",
                "(ans + 1)  # behind",
                ":load \(folder)/part.act", "g(ans)", ":load \(folder)/broken.act", "k", "q = 1; nowhere", "ans = 5", "ans", "if true { ans }", "\"ans\"",
            ]
            let path = folder + "/session.act"
            let first = try BuiltCommand.run([], input: (inputs + [":save \(path)"]).joined(separator: "\n") + "\n")
            let second = try BuiltCommand.run([path])
            #expect(second.status == 0 && second.error.isEmpty, "\(second.error)")
            let script = try ScriptFile.text(of: path)
            #expect(first.output.hasPrefix(second.output), "\(script)\n\(first.output)\n\(second.output)")
            #expect(script.contains("# kept"))
        }
    }

    @Test func savingWritesOverNothing() throws {
        try withFolder { folder in
            let path = folder + "/notes.act"
            try write("precious = 1\n", to: path)
            let result = try BuiltCommand.run([], input: "x = 1\n:save \(path)\n:save \(folder)/a.act\ny = 2\n:save \(folder)/a.act\n")
            #expect(result.error.contains("writes over nothing"))
            #expect(try ScriptFile.text(of: path) == "precious = 1\n")
            // What it wrote itself it brings up to date.
            #expect(try ScriptFile.text(of: folder + "/a.act") == "x = 1\ny = 2\n")
        }
    }

    /// Nothing is edited, run or written that is not what stood there.
    @Test func editingTakesTextOnly() throws {
        let result = try withFolder { folder in
            try write(bytes: Array("# caf".utf8) + [0xe9, 0x0a], to: folder + "/latin.act")
            return try BuiltCommand.runShell(
                """
                cd '\(folder)' && cp latin.act before
                printf ':edit latin.act\\n' | EDITOR='echo never >> ' "$ACT" 2>&1; cmp latin.act before
                printf '1\\n:edit\\n' | EDITOR='printf "\\"caf\\351\\"" >' "$ACT" 2>&1
                printf '1\\n:edit\\n' | EDITOR='fifo() { rm "$1"; mkfifo "$1"; }; fifo' "$ACT" 2>&1
                """)
        }
        #expect(
            result.output.contains("latin.act is not UTF-8") && result.output.contains("wrote is not UTF-8")
                && result.output.contains("is not a file but a pipe"), "\(result)")
        #expect(!result.output.contains("differ"), "\(result)")
    }

    /// What waits for the editor is told to end, and leaves nothing behind.
    @Test func editingThatIsEndedLeavesNoFile() throws {
        let result = try withFolder { folder in
            try BuiltCommand.runShell(
                """
                cd '\(folder)' && mkfifo lines && mkdir t && { TMPDIR='\(folder)/t' EDITOR='touch begun; exec sleep 100 #' "$ACT" < lines & act=$!; }
                exec 3> lines; printf '1\\n:edit\\n' >&3
                n=0; until test -e begun || [ $n -ge 400 ]; do sleep 0.05; n=$((n + 1)); done
                kill -TERM $act; wait $act; echo $?; ls t
                """)
        }
        #expect(result.output == "1\n143\n", "\(result)")
    }

    @Test func historyListsWhatWasEntered() throws {
        let result = try BuiltCommand.run([], input: "a = 1\nnowhere\nf(x) = {\n  x }\n:history\n:history nowh\n")
        #expect(result.output == "  1  a = 1\n  2  nowhere\n  3  f(x) = {\n       x }\n  4  :history\n  2  nowhere\n  5  :history nowh\n")
    }

    @Test(arguments: [
        ("plot", "plot("), ("array", "array("), ("error", "error("), ("@", "matrix product"), ("'", "derivative"), ("|>", "pipe"), (">>", "composition"),
        ("->", "literal"),
    ])
    func helpShowsFunctionsBesideTopicsAndSigns(_ name: String, _ part: String) throws {
        let help = try BuiltCommand.run([], input: "?\(name)\n")
        #expect(help.output.contains(part == "pipe" ? "x |> f" : part), "\(help.output)")
        #expect(help.error.isEmpty)
    }

    /// Every sign of the language has help.
    @Test(
        arguments: "+ - * / // % @ ^ ** == != < <= > >= = += -= *= /= //= %= @= ^= ' '' |> >> -> [ ] ( ) { } : ... . ; # \" !".split(separator: " ").map(
            String.init))
    func signsAreExplained(_ sign: String) throws {
        let help = try BuiltCommand.run([], input: "?\(sign)\n").output
        #expect(!help.contains("nothing called"), "\(sign)")
    }

    @Test func lineThatFailsIsUndoneAndFileThatFailsIsNot() throws {
        try withFolder { folder in
            try write("a = 1\nb = nowhere\n", to: folder + "/part.act")
            let result = try BuiltCommand.run([], input: "a = 0\na = 5; b = nowhere\na\n:load \(folder)/part.act\na\n")
            #expect(result.output == "0\n1\n")
        }
    }

    @Test func longInputGoesOnUntilItsBracketsClose() throws {
        // Far more lines than could each be parsed from the start again.
        let rows = (0..<20_000).map { "  [\($0), \($0 + 1), \($0 + 2)]," }.joined(separator: "\n")
        let result = try BuiltCommand.run([], input: "x = [\n\(rows)\n]\nx.shape\n")
        #expect(result.output == "(20000, 3)\n")
    }
}
