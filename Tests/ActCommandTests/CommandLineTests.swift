// What may be written after `act`, where output goes, and the exit statuses.

import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct CommandLineTests {
    /// A name may hold anything; a terminal is told none of its control characters.
    @Test func controlCharactersOfNamesAreShownAsSigns() throws {
        let result = try withFolder { folder in
            try BuiltCommand.runShell(
                """
                cd '\(folder)' && name=$(printf 'a\\033]0;x\\007.act') && echo '1 + nowhere # expect: 3' > "$name" && export name
                "$ACT" "$name"; "$ACT" check "$name"; "$ACT" test "$name"; "$ACT" test --update "$name"; "$ACT" "--$name"; "$ACT" "$name$name"; "$ACT" check "-$name"
                """)
        }
        #expect(!(result.output + result.error).contains { $0 == "\u{1b}" || $0 == "\u{7}" }, "\((result.output + result.error).debugDescription)")
        #expect(result.error.contains("a␛]0;x␇.act:1:5"), "\(result.error)")
    }

    struct Case: CustomStringConvertible, Sendable {
        let arguments: [String]
        var input = ""
        var output = ""
        /// Part of standard error; empty: nothing is written there.
        var error = ""
        var status: Int32 = 0
        var description: String { (["act"] + arguments).joined(separator: " ") }
    }

    static let cases: [Case] = [
        Case(arguments: ["-e", "1 + 1"], output: "2\n"),
        Case(arguments: ["-e", "-1"], output: "-1\n"),
        Case(arguments: ["-e", "x = 3"], output: ""),
        Case(arguments: ["-e", "x = 3; x;"], output: ""),
        Case(arguments: ["-e", "args", "-a", "b"], error: "no option -a", status: 2),
        Case(arguments: ["-e", "args", "b", "--strict"], output: "(\"b\", \"--strict\")\n"),
        Case(arguments: ["-"], input: "x = (1,\n 2)\nprint(x[1])\n", output: "2\n"),
        Case(arguments: ["-", "a"], input: "args[0]", output: "\"a\"\n"),
        Case(arguments: ["-"], input: "1\nnowhere\n2\n", output: "1\n", error: "nowhere", status: 1),
        Case(arguments: ["-e", "1 +"], error: "error", status: 1),
        Case(arguments: ["--strict", "-e", "1 / 0"], error: "error", status: 1),
        Case(arguments: ["-e", "1 / 0"], output: "inf\n", error: "warning"),
        Case(arguments: ["--no-warn", "-e", "1 / 0"], output: "inf\n"),
        Case(arguments: ["--max-time", "0.2", "-e", "while true {}"], error: "0.2", status: 1),
        Case(arguments: ["--max-memory", "50M", "-e", "x = zeros(10000000); x + 1"], error: "memory", status: 1),
        Case(arguments: ["--seed", "7", "--threads", "2", "-e", "rand(3).shape"], output: "(3,)\n"),
        Case(arguments: ["--sandbox", "-e", "load(\"notes.txt\")"], error: "sandbox", status: 1),
        Case(arguments: ["--version"], output: "act 0.1.0\n"),
        Case(arguments: ["nowhere.act"], error: "cannot read nowhere.act", status: 1),
        Case(arguments: ["/"], error: "/ is a folder", status: 1),
        Case(arguments: ["check", "/"], error: "/ is a folder", status: 1),
        Case(arguments: ["check", "-"], input: "x = 1\n"),
        Case(arguments: ["check", "-"], input: "x = )\n", error: "<standard input>:1:5", status: 1),
        Case(arguments: ["check"], error: "needs the files", status: 2),
        Case(arguments: ["check", "--strict", "-"], error: "--strict stands before the subcommand: `act --strict check …`", status: 2),
        Case(arguments: ["check", "--nowhere", "-"], error: "there is no option --nowhere", status: 2),
        Case(arguments: ["--strct"], error: "did you mean --strict?", status: 2),
        Case(arguments: ["--threads", "many"], error: "--threads", status: 2),
        Case(arguments: ["--threads", "0"], error: "from 1 to 256", status: 2),
        Case(arguments: ["--max-memory", "5X"], error: "--max-memory", status: 2),
        Case(arguments: ["--max-time", "-1"], error: "--max-time", status: 2),
        Case(arguments: ["--plot", "oil"], error: "--plot", status: 2),
        Case(arguments: ["--allow", "/tmp"], error: "--sandbox", status: 2),
        Case(arguments: ["-e"], error: "-e", status: 2),
        Case(arguments: ["--plot", "none", "-e", "plot([1, 2], label=\"y\")"], output: "figure: 1 line (y)\n"),
    ]

    @Test(arguments: cases) func commandLine(_ row: Case) throws {
        let result = try BuiltCommand.run(row.arguments, input: row.input)
        #expect(result.output == row.output)
        #expect(row.error.isEmpty ? result.error.isEmpty : result.error.contains(row.error), "\(result.error)")
        #expect(result.status == row.status)
    }

    @Test func helpNamesEveryOption() throws {
        let result = try BuiltCommand.run(["--help"])
        #expect(result.status == 0)
        for option in [
            "-e ", "-n ", "--strict", "--no-warn", "--threads", "--seed", "--max-memory", "--max-time", "--sandbox", "--allow", "--plot", "--version",
        ] {
            #expect(result.output.contains(option), "\(option)")
        }
    }

    @Test func scriptTakesEveryArgumentAfterIt() throws {
        try withFolder { folder in
            try write("args\n", to: folder + "/echo.act")
            let result = try BuiltCommand.run(["--no-warn", folder + "/echo.act", "--strict", "-x", "--", "a b"])
            #expect(result.output == "(\"--strict\", \"-x\", \"--\", \"a b\")\n")
            #expect(result.status == 0)
        }
    }

    @Test func misspeltScriptIsSuggested() throws {
        try withFolder { folder in
            try write("1\n", to: folder + "/network.act")
            let result = try BuiltCommand.run([folder + "/netwrok.act"])
            #expect(result.error.contains("did you mean \(folder)/network.act?"))
            #expect(result.status == 1)
        }
    }

    @Test func invalidUTF8IsReported() throws {
        try withFolder { folder in
            try write(bytes: [UInt8(ascii: "x"), 0xFF, 0xFE, UInt8(ascii: "\n")], to: folder + "/bytes.act")
            let result = try BuiltCommand.run([folder + "/bytes.act"])
            #expect(result.error.contains("UTF-8"))
            #expect(result.status == 1)
        }
    }

    @Test func checkReportsEveryFile() throws {
        try withFolder { folder in
            try write("x = (1,\n", to: folder + "/a.act")
            try write("f(x = 2\nprint(\"no\")\n", to: folder + "/b.act")
            try write("print(\"never runs\")\n", to: folder + "/c.act")
            let result = try BuiltCommand.run(["check", folder + "/a.act", folder + "/b.act", folder + "/c.act"])
            #expect(result.error.contains("a.act:1:5") && result.error.contains("b.act:1:"))
            #expect(result.output.isEmpty)
            #expect(result.status == 1)
        }
    }

    // MARK: Figures without a terminal

    @Test func figureIsPlainTextOfOneSize() throws {
        let result = try BuiltCommand.run(["-e", "plot([1, 2, 3])"], environment: ["COLUMNS": "200", "COLORTERM": "truecolor", "TERM": "xterm"])
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(lines.count == 20)
        #expect(lines.allSatisfy { $0.count <= 72 })
        #expect(lines.contains { $0.count == 72 })
        #expect(!result.output.contains("\u{1b}"))
    }

    @Test func asciiFigureIsASCII() throws {
        let result = try BuiltCommand.run(["--plot", "ascii", "-e", "plot([1, 2, 3])"])
        #expect(result.output.utf8.allSatisfy { $0 < 0x80 })
        #expect(result.output.contains("|"))
    }

    // MARK: Signals and streams

    @Test func interruptEndsScript() throws {
        let terminal = try PseudoTerminal(["-e", "print(\"begun\"); while true {}"])
        try terminal.expect("begun")
        terminal.interrupt()
        #expect(try terminal.waitForEnd().status == 130)
    }

    /// The first time only the training, with what it has learnt.
    @Test func interruptEndsTrainingThenTheProgram() throws {
        let terminal = try PseudoTerminal([
            "-e",
            """
            net = Dense(2, 2); x = rand(64, 2); train(epochs) = fit(net, x, x, loss=mse, epochs=epochs, batch=1, progress=false)
            print("begun"); tried = train(1e9); print("first ended")
            print("again"); while true { tried = train(1e9) }
            """,
        ])
        try terminal.expect("begun")
        usleep(UInt32(300_000 * Sanitizer.patience))
        terminal.interrupt()
        try terminal.expect("again")
        usleep(UInt32(300_000 * Sanitizer.patience))
        terminal.interrupt()
        #expect(try terminal.waitForEnd().status == 130)
    }

    @Test func fullDiskIsReported() throws {
        guard access("/dev/full", W_OK) == 0 else { return }
        let result = try BuiltCommand.runShell("\"$ACT\" -e 'for i in range(100000) { print(i) }' > /dev/full")
        #expect(result.error.contains("cannot write to standard output"))
        #expect(result.status == 1)
    }

    // The thread sanitizer itself needs larger files than this allows.
    @Test(.enabled(if: Sanitizer.current != .thread)) func fileThatWouldBeTooLargeLeavesTheOldOne() throws {
        try withFolder { folder in
            let result = try BuiltCommand.runShell(
                """
                cd '\(folder)' && "$ACT" -e 'save([1, 2], "x.npy")' && ulimit -f 8
                "$ACT" -e 'x = zeros(100000)
                save(x, "x.npy")'; echo $?; "$ACT" -e 'load("x.npy")'; ls -A
                """)
            #expect(result.output == "1\n[1, 2]\nx.npy\n")
            #expect(result.error.contains("the file would become too large"))
        }
    }

    #if os(Linux)
    /// The usual deep stack does not fit there; nor does what sanitizers map.
    @Test(
        .enabled(if: Sanitizer.current == nil || Sanitizer.current == .undefined), arguments: ["grad(f)(x)", "[g(x) for g in [f]]", "map(f, [x])[0]", "f''(x)"])
    func recursionEndsWhereAddressSpaceIsScarce(_ body: String) throws {
        for kilobytes in [900_000, 600_000] {
            let result = try BuiltCommand.runShell("ulimit -v \(kilobytes) && \"$ACT\" -e \"f(x) = \(body); f(1)\"")
            #expect(result.error.contains("calls are nested too deeply"), "\(kilobytes): \(result.error)")
            #expect(result.status == 1)
        }
    }
    #endif

    /// Nothing waits in a write, where no clock ends it.
    @Test func pipeThatNobodyReadsIsGivenUp() throws {
        let result = try BuiltCommand.runShell(
            "(\"$ACT\" --max-time 0.5 -e 'text = join([\"nobody\" for i in range(3000)]); while true { print(text) }'; echo \"status $?\" >&2) | sleep 4")
        #expect(result.error.contains("the time limit of 0.5 s is reached"), "\(result.error)")
        #expect(result.error.contains("nobody reads it") && result.error.contains("status 1"), "\(result.error)")
    }

    @Test func savingIntoAPipeWhoseReaderLeavesIsAnError() throws {
        try withFolder { folder in
            let result = try BuiltCommand.runShell(
                "cd '\(folder)' && mkfifo x.csv && (head -c 1 x.csv > /dev/null & \"$ACT\" -e 'save(range(30000), \"x.csv\")'; echo $?)")
            #expect(result.output == "1\n" && result.error.contains("nobody reads it any more"), "\(result.output)\(result.error)")
        }
    }

    #if os(Linux)
    /// What a session keeps of lines that have run is bounded, whatever they do.
    @Test(.enabled(if: Sanitizer.current == nil), arguments: ["range(2000 + %d)", "f = x -> x + %d", "nowhere + %d"])
    func longSessionsStayAsLargeAsTheyAre(_ line: String) throws {
        try withFolder { folder in
            let result = try BuiltCommand.runShell(
                #"""
                cd '\#(folder)' && mkfifo in || exit 1
                "$ACT" --plot none < in > /dev/null 2>&1 &
                pid=$!
                exec 3> in
                run() {
                    awk -v n=$1 -v name=$2 'BEGIN { for (i = 0; i < n; i++) printf "\#(line)\n", i % 7; print "save(1, \"" name ".json\")" }' >&3
                    while [ ! -e $2.json ]; do sleep 0.1; done
                    awk '/VmRSS/ { print $2 }' /proc/$pid/status
                    ls /proc/$pid/fd | wc -l
                }
                run 1500 a; run 1500 b
                exec 3>&-
                wait
                """#)
            let numbers = result.output.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            #expect(numbers.count == 4, "\(result.output)\(result.error)")
            guard numbers.count == 4 else { return }
            #expect(numbers[2] - numbers[0] < 3000 && numbers[3] == numbers[1], "\(line): \(numbers)")
        }
    }
    #endif

    @Test func readerThatLeavesEndsTheProgramQuietly() throws {
        let result = try BuiltCommand.runShell("\"$ACT\" -e 'while true { print(1) }' | head -n 2")
        #expect(result.output == "1\n1\n")
        #expect(result.error.isEmpty)
    }

    /// Ranks write as others do: what cannot be written is told, and is no Ctrl-C.
    @Test(.enabled(if: access("/dev/full", W_OK) == 0)) func ranksReportAFullDisk() throws {
        let result = try BuiltCommand.runShell("\"$ACT\" -n 2 -e 'print(1)' > /dev/full")
        #expect(result.error == "error: cannot write to standard output: no space left on device\n")
        #expect(result.status == 1)
    }

    #if os(Linux)
    /// Whatever the number of descriptors, ranks run or say why not.
    @Test(.enabled(if: Sanitizer.current == nil)) func ranksSayThatDescriptorsRanOut() throws {
        for count in 4...14 {
            let result = try BuiltCommand.runShell("ulimit -n \(count); \"$ACT\" -n 2 -e 'print(1)'")
            let isRun = result.output == "1\n" && result.error.isEmpty && result.status == 0
            #expect(isRun || result.error.contains("too many open files") && result.status == 1, "\(count): \(result)")
        }
    }

    /// Pictures too.
    @Test(.enabled(if: Sanitizer.current == nil), arguments: ["save(plot(relu), \"x.png\")", "save(plot(relu), \"x.pdf\")", "save([1], \"x.npy\")"])
    func programsSayThatDescriptorsRanOut(_ program: String) throws {
        try withFolder { folder in
            for count in 4...12 {
                let result = try BuiltCommand.runShell("cd '\(folder)' && ulimit -n \(count); \"$ACT\" -e '\(program)'")
                #expect(result.status == 0 || result.status == 1 && result.error.contains("too many files are open"), "\(count): \(result)")
            }
        }
    }

    /// The first thread has as small a stack as the shell says. (With less than this the system's loader does not come to an end.)
    @Test(
        .enabled(if: Sanitizer.current == nil),
        arguments: [
            "-e 'print(1)'", "-n 2 -e 'print(1)'", "--sandbox -e 'print(1)'", "--help", "check -", "--threads 4 -e 'sum(rand(1000000) @ ones(1000000))'",
            "-e 'save(plot(relu), \"x.png\")'", "-e 'f(x) = f(x); f(1)'", "fmt -",
        ])
    func smallStacksAreEnough(_ arguments: String) throws {
        try withFolder { folder in
            let expected = try BuiltCommand.runShell("cd '\(folder)' && echo 'x = 1' | \"$ACT\" \(arguments)")
            for kilobytes in [32, 64, 128, 512] {
                let result = try BuiltCommand.runShell("cd '\(folder)' && ulimit -s \(kilobytes) && echo 'x = 1' | \"$ACT\" \(arguments)")
                #expect(result.status == expected.status, "\(kilobytes): \(result.error)")
                #expect(arguments.contains("rand") || result.output == expected.output)
            }
        }
    }
    #endif

    /// A script may be a pipe that nobody writes yet.
    @Test(arguments: ["x.act", "check x.act", "fmt x.act", "test x.act", "--sandbox x.act"]) func waitingForAScriptEndsByInterrupt(_ arguments: String) throws {
        try withFolder { folder in
            let result = try BuiltCommand.runShell(
                """
                cd '\(folder)' && mkfifo x.act || exit 1
                "$ACT" \(arguments) &
                process=$!; sleep 0.5; kill -INT $process; wait $process
                """)
            #expect(result.status == 130 && result.error.isEmpty, "\(result)")
        }
    }
}
