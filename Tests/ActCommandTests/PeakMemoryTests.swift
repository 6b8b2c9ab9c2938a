// How much memory act really takes, measured from outside: at most one and a half times the limit, and 30 MB for act itself.

import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

#if os(Linux)
@Suite(.serialized) struct PeakMemoryTests {
    /// Programs that would hold far more than the limit, or work with what nearly fills it.
    static let programs = [
        "s = \"a\"; while true { s = \"{s}{s}\" }", "s = repeat(\"a\", 1000000); join([s for i in range(100)], \",\")",
        "s = repeat(\"a\", 10000000); print(s, s, s, s)", "r = {}; i = 0; while true { r[repeat(\"k\", 100000) + \"{i}\"] = 1; i += 1 }",
        "split(repeat(\"a \", 2000000))", "split(repeat(\"a,\", 2000000), \",\")", "replace(repeat(\"ab\", 1000000), \"a\", repeat(\"x\", 100))",
        "contains(repeat(\"ab\", 4000000), \"c\")", "repr(repeat(\"\\n\", 3000000))", "to_json(repeat(\"a\", 15000000))", "upper(repeat(\"é\", 3000000))",
        "s = repeat(\"é\", 3000000); s[5]", "for c in repeat(\"é\", 3000000) {}", "error(repeat(\"a\", 20000000))", "format(1, repeat(\"a\", 20000000))",
        "help(repeat(\"a\", 20000000))", "save(1, repeat(\"a\", 20000000))", "plot(relu, color=repeat(\"a\", 20000000))",
        "r = {a: 1}; r[repeat(\"a\", 20000000)]",
        "plot(relu, title=repeat(\"a\", 10000000))", "plot([1, 2], label=repeat(\"a\", 10000000))", "[(i, i) for i in range(1e9)]",
        "x = rand(3000000) > 0.5; unique(x); sort(x + 0)", "sum(reshape(f32(rand(4000000)), 2000000, 1, 2), axis=1)",
    ]

    /// What reads and writes files, in the folder `@`.
    static let files = [
        "save({a: rand(3500000)}, \"@/x.npz\")", "save({a: rand(3500000)}, \"@/x.safetensors\")", "save(rand(3500000), \"@/x.npy\"); load(\"@/x.npy\")[0]",
        "save({a: rand(2000000)}, \"@/x.npz\"); load(\"@/x.npz\").a[0]", "save({a: rand(2000000)}, \"@/x.safetensors\"); load(\"@/x.safetensors\").a[0]",
        "save(rand(100000), \"@/x.csv\"); load(\"@/x.csv\")[0]", "save(rand(100000), \"@/x.json\"); load(\"@/x.json\")[0]",
        "save(repeat(\"a,\", 9000000), \"@/x.csv\"); load(\"@/x.csv\")",
        "save(repeat(\"[1],\", 4000000), \"@/x.txt\"); from_json(\"[\" + load(\"@/x.txt\") + \"1]\")",
        "from_json(\"\\\"\" + repeat(\"a\", 15000000) + \"\\\"\")",
        "r = {}; for i in range(30000) { r[\"k{i}\"] = [1.5] }; save(r, \"@/x.safetensors\"); load(\"@/x.safetensors\")",
        "[plot(range(10000)) for i in range(1000)]", "save(plot(relu, width=4000, height=4000), \"@/x.png\")",
        "x = rand(300000); save(scatter(x, x ^ 2), \"@/x.png\")",
        "save(heatmap(rand(1000, 1000)), \"@/x.svg\")",
    ]

    /// Small values, of which as many are made as fit.
    static let smallValues = [
        "[v]", "(v, v)", "(v, v, v)", "(v, v, v, v, v, v, v, v, v)", "append([none], v)", "{a: v}", "{a: v, b: v}", "{...{a: v}, b: v}",
        "{...{a: v, b: v, c: v, d: v, e: v, f: v, g: v, h: v}, i: v}", "\"number {v}\"", "\"a number that is longer: {v}\"", "y -> y + v",
        "relu >> tanh >> sin", "Dense(1, 1)", "Dense(1, 1) >> Dense(1, 1)", "plot([1, 2])",
    ]

    /// What takes `s` apart, a structure of a few objects whose leaves are more than anything holds.
    static let walks = [
        "Own(s)", "Held(s)", "Gathered(s)", "fit(Dense(2, 2), s, [1.5, 2], mse)", "fit(Dense(2, 2), [1.5, 2], s, mse)", "s + s", "vmap(x -> s)([1, 2])",
        "fit(s, s, s, (p, y) -> 1, model=(p, x) -> x)", "fit(s, [[1.5, 2]], [[1.5, 2]], mse, model=(p, x) -> x)", "scan((c, x) -> (c, s), 1, [1, 2])",
    ]
    static let shared = [
        "l = ([1.5, 2], 3); for i in range(60) { l = (l, l) }; s = l", "r = {a: [1.5]}; for i in range(60) { r = {a: r, b: r} }; s = r",
        "l = Dense(1, 1); for i in range(60) { l = (l, l) }; s = l",
    ]

    /// Of which programs are made that are nothing else, at the outermost level, in a function, and as arguments of a call.
    static let pieces = [
        "f(x) = x\n", "(x -> x)\n", "g = x -> g'(x)\n", "(1)\n", "x[1][2] += 3\n", "f(a=1)\n", "layer L() { x -> x }\n", "if a {}\n", "a\n", "=\n",
        "1\n", "x=1\n", "{}\n", "[1]\n", "f()\n", "(x)->x\n", "x.a\n", "if true {}\n", "1;", "-",
    ]
    static let argumentPieces = ["x -> x,", "{a: 1},", "\"{x}\",", "x[:],", "a,", "x',"]

    /// Runs act in a process of its own beside this one, whose memory would count: a child begins with the peak of its parent.
    private static func check(_ arguments: [String], limit: Int) async { await check(arguments, most: limit / 2 * 3 + 30_000_000) }

    private static func check(_ arguments: [String], most: Int) async {
        let command = [BuiltCommand.path] + arguments
        await #expect(processExitsWith: .success) { [command = command as [String], most = most as Int] in
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            for descriptor in 0...2 { posix_spawn_file_actions_addopen(&actions, Int32(descriptor), "/dev/null", O_RDWR, 0) }
            let words = command.map { strdup($0) } + [nil]
            var id: pid_t = 0
            let code = posix_spawn(&id, command[0], &actions, nil, words, environ)
            try #require(code == 0)
            var status: Int32 = 0, usage = rusage()
            while wait4(id, &status, 0, &usage) < 0 && errno == EINTR {}
            let peak = Int(usage.ru_maxrss) << 10
            #expect(peak <= most, "\(peak >> 20) MB for \(command.dropFirst())")
            #expect(status & 0x7f == 0, "ended by signal \(status & 0x7f): \(command.dropFirst())")
        }
    }

    @Test(arguments: programs) func program(_ text: String) async {
        if Sanitizer.current == nil { await Self.check(["--max-memory", "40M", "--max-time", "60", "-e", text], limit: 40 << 20) }
    }

    @Test(arguments: walks, shared) func walkOverWhatIsShared(_ walk: String, _ structure: String) async {
        let makers = "layer Own(s) { w = ones(2, 2); x -> x @ w }; layer Held(s) { w = s; x -> x }; layer Gathered(s) { w = state(s); x -> x }"
        let program = "\(makers); \(structure); \(walk)"
        if Sanitizer.current == nil { await Self.check(["--max-memory", "40M", "--max-time", "1", "-e", program], limit: 40 << 20) }
    }

    /// In a container the limit is four fifths of what is left: nothing may take a quarter more than it counts.
    @Test(arguments: smallValues) func smallValuesTakeWhatTheyCount(_ value: String) async {
        let program = "xs = []; while true { xs = append(xs, map(v -> \(value), range(500))) }"
        if Sanitizer.current == nil { await Self.check(["--max-memory", "100M", "--max-time", "60", "-e", program], most: (110 << 20) + 30_000_000) }
    }

    @Test(arguments: files) func file(_ text: String) async throws {
        if Sanitizer.current != nil { return }
        try await Self.inFolder { folder in
            await Self.check(["--max-memory", "40M", "--max-time", "60", "-e", text.replacing("@", with: folder)], limit: 40 << 20)
        }
    }

    @Test(arguments: ScriptTests.scripts.filter { $0.description.contains("limits/") }) func script(_ file: ScriptFile) async {
        if Sanitizer.current == nil { await Self.check(["--max-memory", "100M", "--max-time", "60", file.path], limit: 100 << 20) }
    }

    /// A program that is one piece over and over, where it runs and where it is only looked at. Short pieces make the most of each byte.
    @Test(arguments: pieces.flatMap { [($0, "", "1\n"), ($0, "f(x) = {\n", "1\n}\n")] } + argumentPieces.map { ($0, "f(", ")") })
    func longProgram(_ piece: String, _ start: String, _ end: String) async throws {
        if Sanitizer.current != nil { return }
        let text = start + String(repeating: piece, count: 860_000 / piece.utf8.count) + end
        try await Self.inFolder { folder in
            try write(text, to: folder + "/long.act")
            for command in [[], ["check"]] {
                await Self.check(["--max-memory", "40M", "--max-time", "60"] + command + [folder + "/long.act"], limit: 40 << 20)
            }
        }
    }

    /// `withFolder` for what waits.
    private static func inFolder(_ body: (String) async throws -> Void) async throws {
        var template = Array("/tmp/act-peak-XXXXXX".utf8CString)
        guard let folder = mkdtemp(&template).map({ String(cString: $0) }) else { throw TestFailure("no temporary folder") }
        defer { _ = try? BuiltCommand.runShell("rm -r \(folder)") }
        try await body(folder)
    }

    /// What moves to a larger place is there twice meanwhile.
    @Test(arguments: ["endless.txt", "x.txt.gz"]) func growth(_ name: String) async throws {
        if Sanitizer.current != nil { return }
        try await Self.inFolder { folder in
            // The size at the end of the second is that of the last part, which is empty.
            let files = "ln -s /dev/zero \(folder)/endless.txt; { head -c 300000000 /dev/zero | gzip -1; printf '' | gzip; } > \(folder)/x.txt.gz"
            let made = try BuiltCommand.runShell(files)
            #expect(made.status == 0)
            let program = "load(\"\(folder)/\(name)\")"
            await Self.check(["--max-memory", "140M", "--max-time", "60", "-e", program], most: (154 << 20) + 30_000_000)
        }
    }

    @Test(arguments: [["/dev/zero"]]) func endlessSources(_ arguments: [String]) async {
        if Sanitizer.current == nil { await Self.check(["--max-memory", "40M"] + arguments, limit: 40 << 20) }
    }
}
#endif
