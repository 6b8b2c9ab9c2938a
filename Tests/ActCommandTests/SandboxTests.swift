// `act --sandbox`: each layer without the others, and all of them around act itself. That the session's door holds alone is in
// ActArrayTests/FileDoorTests and ActLanguageTests/BuiltinsTests.

import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct SandboxTests {
    /// What `confined` says; `nil` where the kernel has no such layer.
    private func confined(_ arguments: String) throws -> [String: String]? {
        let result = try BuiltCommand.runShell("\"$(dirname \"$ACT\")/confined\" \(arguments)")
        #expect(result.status == 0, "\(result.error)")
        if result.output == "none\n" { return nil }
        var answers: [String: String] = [:]
        for line in result.output.split(separator: "\n") {
            guard let colon = line.lastIndex(of: ":") else { continue }
            answers[String(line[..<colon])] = String(line[line.index(colon, offsetBy: 2)...])
        }
        return answers
    }

    private func check(_ answers: [String: String], done: Set<String>, count: Int) {
        #expect(answers.count == count)
        for (attempt, answer) in answers { #expect(answer == (done.contains(attempt) ? "done" : "refused"), "\(attempt)") }
    }

    /// Landlock alone: no filter of calls, no door.
    @Test func landlockAloneKeepsFilesIn() throws {
        try withFolder { folder in
            for name in ["inside", "outside"] {
                #expect(mkdir(folder + "/" + name, 0o755) == 0)
                try write("text", to: "\(folder)/\(name)/file")
            }
            #expect(symlink(folder + "/outside/file", folder + "/inside/out") == 0)
            guard let answers = try confined("files \(folder)/inside \(folder)/outside") else { return }
            check(answers, done: ["read inside", "write inside", "make inside", "rename inside", "remove inside"], count: 19)
            #expect(try ScriptFile.text(of: folder + "/outside/file") == "text")
        }
    }

    /// The filter alone: every file is open.
    @Test func seccompAloneKeepsCallsIn() throws {
        try withFolder { folder in
            try write("text", to: folder + "/file")
            if let answers = try confined("calls \(folder)") {
                check(answers, done: ["compute", "start a thread", "read a file", "write a file"], count: 22)
            }
            // What draws pictures where files cannot be confined.
            if let answers = try confined("drawing \(folder)") { check(answers, done: ["compute", "start a thread"], count: 22) }
        }
    }

    /// Both are on, in scripts, plain sessions and for standard input, before anything of the program is read.
    /// Without descriptors Landlock cannot be set up: that is not taken for a system that has none.
    @Test(arguments: 4...9) func whatCannotBeSetUpIsNotLeftOut(descriptors: Int) throws {
        guard try confined("calls /") != nil, try BuiltCommand.runShell("\"$ACT\" --sandbox --version").output.contains("Landlock") else { return }
        let result = try BuiltCommand.runShell("ulimit -n \(descriptors); \"$ACT\" --sandbox --version")
        #expect(result.output.contains("files by Landlock") || result.status != 0, "\(result)")
    }

    @Test(arguments: ["-", ""]) func bothAreInForceBeforeTheProgram(operand: String) throws {
        guard access("/proc/self/status", R_OK) == 0, try confined("calls /") != nil else { return }
        try withFolder { folder in
            // A program that waits, so that its process can be looked at; standard input is read before, so it computes.
            let program = operand == "-" ? "while true {}" : ""
            let result = try BuiltCommand.runShell(
                """
                cd \(folder) && mkfifo input && { "$ACT" --sandbox \(operand) < input & } && process=$! && exec 9> input && echo '\(program)' >&9
                \(operand == "-" ? "exec 9>&-" : "")
                for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                    grep -q 'Seccomp:.2' /proc/$process/status && break
                    sleep 0.2
                done
                grep -E '^(NoNewPrivs|Seccomp):' /proc/$process/status
                kill -KILL $process
                """)
            #expect(result.output == "NoNewPrivs:\t1\nSeccomp:\t2\n", "\(result.error)")
        }
    }

    /// On a system that does not help act says so in one line, and the door stands alone.
    @Test(arguments: [("without-both", "it has neither Landlock nor seccomp"), ("without-files", "it has no Landlock")])
    func theDoorStandsAlone(without: String, reason: String) throws {
        #if os(Linux)
        try withFolder { folder in
            let result = try BuiltCommand.runShell(
                """
                "$(dirname "$ACT")/confined" \(without) "$ACT" --sandbox --allow \(folder) -e 'save(1, "\(folder)/x.json"); \
                print(load("\(folder)/x.json")); load("/etc/passwd.txt")'
                "$(dirname "$ACT")/confined" \(without) "$ACT" --no-warn --sandbox --allow \(folder) -e 'save(plot([1, 2], title="one"), \
                "\(folder)/x.png"); print(2)'
                """)
            if result.output.hasPrefix("none") { return }
            let lines = result.error.split(separator: "\n")
            #expect(lines.first?.hasPrefix("warning: the sandbox is act's own: ") == true && lines.first?.hasSuffix("(\(reason))") == true, "\(result.error)")
            #expect(lines.dropFirst().first == "error: `/etc/passwd.txt` is outside of what the sandbox allows")
            #expect(result.output.hasPrefix("1\n"))
            #expect(result.output == "1\n2\n" || result.error.contains("librsvg"), "\(result.error)")
        }
        #endif
    }

    @Test func versionSaysWhatIsInForce() throws {
        let result = try BuiltCommand.run(["--sandbox", "--version"])
        #expect(result.status == 0 && result.error.isEmpty)
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 2 && lines.last?.hasPrefix("sandbox: ") == true)
        #if os(Linux)
        #expect(try result.output.contains("files by Landlock") == (confined("files /tmp /tmp") != nil))
        #expect(try result.output.contains("calls by seccomp") == (confined("calls /tmp") != nil))
        #endif
        #expect(try BuiltCommand.run(["--version"]).output == "act 0.1.0\n")
    }

    /// At a terminal act itself needs more, and has it: keys, colours, history, the window's size.
    @Test func sessionsRunInside() throws {
        try withFolder { home in
            for expected in ["1 + 41", "41 + 1"] {
                let terminal = try PseudoTerminal(["--sandbox", "--allow", home], environment: ["HOME": home])
                try terminal.expect("act> ")
                terminal.enter(expected)
                try terminal.expect("42\n")
                terminal.resize(columns: 60, rows: 20)
                terminal.enter("save(1, \"\(home)/x.json\"); load(\"\(home)/x.json\") + 99")
                try terminal.expect("100\n")
                terminal.enter("load(\"/etc/hosts.txt\")")
                try terminal.expect("outside of what the sandbox allows")
                terminal.enter("print(1000 + 1); while true {}")
                try terminal.expect("1001\n")
                terminal.interrupt()
                try terminal.expect("interrupted")
                terminal.enter("quit")
                #expect(try terminal.waitForEnd().status == 0)
            }
            #expect(try ScriptFile.text(of: home + "/.local/state/act/history").hasPrefix("1 + 41\n"))
        }
    }

    /// Everything that programs do goes on inside.
    @Test func programsRunInside() throws {
        try withFolder { folder in
            try write("k = 41\n", to: folder + "/lib.act")
            let program = """
                save(rand(400, 400), "\(folder)/a.npy")
                a = load("\(folder)/a.npy") @ load("\(folder)/a.npy")
                save({x: [1, 2], y: [3, 4]}, "\(folder)/t.csv")
                net = fit(Dense(4, 8, relu) >> Dense(8, 1), rand(64, 4), rand(64, 1), mse, Adam(1e-3), epochs=2, progress=false)
                save(net, "\(folder)/n.safetensors")
                save(load("\(folder)/n.safetensors")(ones(1, 4)), "\(folder)/o.npz"[:-4] + ".npy")
                save(plot(relu), "\(folder)/p.svg")
                print(a.shape, import("\(folder)/lib.act").k + 1, sum(load("\(folder)/t.csv").y), rand(3).shape)
                """
            for options in [[], ["--threads", "8", "--max-time", "50"]] {
                let result = try BuiltCommand.run(options + ["--sandbox", "--allow", folder, "-e", program])
                #expect(result.output == "(400, 400) 42 7 (3,)\n" && result.error.isEmpty, "\(result.error)")
            }
            #expect(try BuiltCommand.run(["--sandbox", "--allow=\(folder)", "-e", "load(\"\(folder)/t.csv\").x"]).output == "[1, 2]\n")
            #expect(try BuiltCommand.run(["--sandbox", "--allow", folder + "/none", "-e", "1"]).status == 1)
        }
    }

    /// The name of an allowed folder that is not UTF-8 is not that of a folder whose name looks like it.
    @Test func allowedFoldersAreBytes() throws {
        try withFolder { folder in
            let result = try BuiltCommand.runShell(
                """
                cd \(folder) && name=$(printf 'a\\377') && mkdir "$name" "a\u{fffd}" || { echo same; exit; }
                cd "$name" && "$ACT" --sandbox --allow "\(folder)/$name" -e 'save(1, "x.json"); print(load("x.json"))'
                cd .. && "$ACT" --sandbox --allow="$name" -e 'save(1, "a\u{fffd}/x.json")' 2>&1 | head -n 1; ls "a\u{fffd}"
                """)
            guard result.output != "same\n" else { return }
            #expect(result.output == "1\nerror: `a\u{fffd}/x.json` is outside of what the sandbox allows\n", "\(result.error)")
        }
    }

    // MARK: Pictures

    /// A picture is the same wherever it is drawn, and costs little more.
    @Test func picturesAreDrawnElsewhere() throws {
        try withFolder { folder in
            let program =
                "save(plot([1, 4, 2], title=\"σ 한 <&\"), \"\(folder)/NAME.png\"); save(plot(relu), \"\(folder)/NAME.pdf\"); save(plot(gelu), \"\(folder)/NAME-2.png\")"
            let open = try BuiltCommand.run(["-e", program.replacing("NAME", with: "open")])
            guard open.status == 0 else { return #expect(open.error.contains("librsvg")) }
            let confined = try BuiltCommand.run(["--sandbox", "--allow", folder, "-e", program.replacing("NAME", with: "confined")])
            #expect(confined.status == 0 && confined.error.isEmpty, "\(confined.error)")
            for name in [".png", "-2.png"] {
                let result = try BuiltCommand.runShell("cmp \(folder)/open\(name) \(folder)/confined\(name)")
                #expect(result.status == 0, "\(name)")
            }
            #expect(try ScriptFile.text(of: folder + "/confined.pdf").hasPrefix("%PDF-"))
        }
    }

    /// The process that draws ends with act, however that ends, and has fewer rights than it.
    @Test func theDrawingProcessEndsWithAct() throws {
        guard access("/proc/self/task/self/children", F_OK) == 0 || access("/proc/self/status", R_OK) == 0 else { return }
        let result = try BuiltCommand.runShell(
            """
            "$ACT" --sandbox -e 'while true {}' & process=$!
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                child=$(grep -l "^PPid:.$process$" /proc/[0-9]*/status 2>/dev/null | head -n 1)
                [ -n "$child" ] && grep -q 'Seccomp:.2' "$child" && break
                sleep 0.2
            done
            [ -n "$child" ] || { echo none; kill -KILL $process; exit; }
            grep -E '^(NoNewPrivs|Seccomp):' "$child"
            kill -KILL $process
            for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -e "$child" ] || { echo ended; exit; }; sleep 0.2; done
            """)
        guard result.output != "none\n" else { return }
        #expect(result.output == "NoNewPrivs:\t1\nSeccomp:\t2\nended\n", "\(result.error)")
    }

    /// A picture that takes too long ends with the program's time, and the next one is drawn.
    @Test func drawingEndsWhenNobodyWaits() throws {
        try withFolder { folder in
            let lines = """
                save(plot(relu), "\(folder)/a.png")
                save(heatmap(rand(1500, 1500), width=4000, height=4000), "\(folder)/large.png")
                save(plot(relu), "\(folder)/b.png")
                """
            let result = try BuiltCommand.run(["--sandbox", "--allow", folder, "--max-time", "3"], input: lines + "\n")
            if result.error.contains("librsvg") { return }
            #expect(access(folder + "/a.png", F_OK) == 0 && access(folder + "/b.png", F_OK) == 0, "\(result.error)")
        }
    }

    // MARK: Drafts

    /// A save that a signal ends leaves nothing; what a killed one leaves is removed by the next save into the folder.
    @Test(arguments: ["TERM", "HUP", "INT", "XCPU"]) func endedSavesLeaveNothing(signal: String) throws {
        try withFolder { folder in
            let result = try BuiltCommand.runShell(Self.ending(folder, by: signal))
            #expect(result.output == "ended\n", "\(result.error)")
        }
    }

    @Test func killedSavesAreTidiedUp() throws {
        try withFolder { folder in
            let result = try BuiltCommand.runShell(
                Self.ending(folder, by: "KILL") + """

                    touch .act-save-0.tmp .act-save-1.tmp
                    "$ACT" -e 'save(1, "small.json")' && ls -A
                    """)
            #expect(result.output.hasSuffix("ended\nsmall.json\nx.npy\n") || result.output.hasSuffix("ended\nsmall.json\n"), "\(result.output) \(result.error)")
        }
    }

    /// Ends an act that saves again and again, while a draft is there.
    private static func ending(_ folder: String, by signal: String) -> String {
        """
        cd \(folder)
        "$ACT" -e 'x = rand(1500, 1500); while true { save(x, "x.npy") }' & process=$!
        while [ ! -e .act-save-0.tmp ]; do sleep 0.01; done
        kill -\(signal) $process; \(signal == "INT" ? "sleep 0.1; kill -INT $process 2>/dev/null;" : "")
        wait $process 2>/dev/null
        \(signal == "KILL" ? "" : "ls -A | grep act-save")
        echo ended
        """
    }
}
