// `act watch`: runs again when a file or what it imports is saved, says what changed, and ends what still runs.

import ActTestSupport
import Testing

@Suite struct WatchCommandTests {
    /// Runs `act watch a.act` in a folder while a script of the shell changes files in it, and interrupts it.
    private func watch(_ files: [(name: String, text: String)], while script: String) throws -> ProcessResult {
        try withFolder { folder in
            for (name, text) in files { try write(text, to: "\(folder)/\(name)") }
            return try BuiltCommand.runShell(
                """
                cd \(folder) && : > out || exit 1
                "$ACT" watch a.act > out 2>&1 & watcher=$!
                # Waits until a condition holds: until a file is there, or the output has so many runs that are over. On a busy machine each run takes its time.
                wait_for() { n=0; until "$@" || [ $n -ge 400 ]; do sleep 0.1; n=$((n + 1)); done; }
                has_runs() { [ "$(grep -c 'Ctrl-C ends' out)" -ge $1 ]; }
                runs() { wait_for has_runs $1; }
                runs 1
                \(script)
                kill -INT $watcher; wait $watcher; status=$?; cat out; exit $status
                """)
        }
    }

    @Test func runsAgainWhenTheFileIsSaved() throws {
        let result = try watch(
            [("a.act", "print(1)\n2\nprint(3)\n")],
            while: "printf 'print(1)\\n4\\nprint(3)\\n' > b && mv b a.act; runs 2; printf '5\\nnothing_there\\n' > a.act; runs 3; printf '5\\n' > a.act; runs 4"
        )
        #expect(result.status == 130, "\(result.output)")
        let runs = result.output.split(separator: "Ctrl-C ends").map(String.init)
        #expect(runs.count >= 4)
        #expect(runs[0].contains("1\n2\n3\n") && !runs[0].contains("- 1"))
        #expect(runs[1].contains("1\n4\n3\n- 2\n+ 4\n"))
        #expect(runs[2].contains("`nothing_there` is not defined") && runs[2].contains("failed") && runs[2].contains("+ error: `nothing_there` is not defined"))
        #expect(runs[3].contains("- error: "))
    }

    @Test func aSaveEndsTheRunBeforeIt() throws {
        let endless = #"print(2)\nsave([1], "begun.npy")\nwhile true { }\n"#
        let saves = "printf '\(endless)' > a.act; wait_for test -e begun.npy; printf 'print(3)\\n' > a.act; runs 2"
        let result = try watch([("a.act", "print(1)\n")], while: saves)
        #expect(result.status == 130 && result.output.contains("2\n3\n- 1\n+ 3\n"), "\(result.output)")
    }

    @Test func whatIsImportedIsWatchedToo() throws {
        let files = [("a.act", "lib = import(\"lib.act\")\nlib.x\n"), ("lib.act", "x = 1\n")]
        let result = try watch(files, while: "printf 'x = 7\\n' > lib.act; runs 2")
        #expect(result.output.contains("- 1\n+ 7\n"), "\(result.output)")
        #expect(try BuiltCommand.run(["watch", "/none.act"]).status == 1)
        #expect(try BuiltCommand.run(["watch"]).status == 2)
    }

    /// A page has runs of its own, and a pipe is at its end once.
    @Test func whatCannotBeWatchedIsRefused() throws {
        let result = try BuiltCommand.runShell(
            "folder=$(mktemp -d) && cd \"$folder\" && echo > a.md && mkfifo p && \"$ACT\" watch a.md; \"$ACT\" watch p; \"$ACT\" watch /dev/null; rm -r \"$folder\""
        )
        #expect(result.error.contains("a.md is a page, not a program") && result.error.contains("p is not a file but a pipe"), "\(result)")
        #expect(result.error.contains("/dev/null is not a file"), "\(result)")
        let replaced = try watch([("a.act", "print(1)\n")], while: "rm a.act; mkfifo a.act; wait_for grep -q 'is not a file' out")
        #expect(replaced.status == 130 && replaced.output.contains("is not a file but a pipe"), "\(replaced)")
    }
}
