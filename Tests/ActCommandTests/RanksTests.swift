// Programs that several processes run: by `act -n`, and by TCP on this machine.
//
// What must stay true: what a program prints and saves does not depend on how many processes run it.

import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite(.serialized) struct RanksTests {
    private func run(_ ranks: Int?, _ program: String, _ options: [String] = [], seconds: Int = 60) throws -> ProcessResult {
        try BuiltCommand.run((ranks.map { ["-n", "\($0)"] } ?? []) + options + ["--threads", "1", "-e", program], seconds: seconds)
    }

    // MARK: Training

    /// Trainings that differ in what could hang on who computes what; each leaves its result in `net`.
    private static let trainings: [(name: String, program: String)] = [
        ("dense", "net = fit(Dense(4, 16, tanh) >> Dense(16, 1), x, y, mse, Adam(0.01), epochs=3, batch=32, metric=r2)"),
        ("uneven batches", "net = fit(Dense(4, 3, relu) >> Dense(3, 1), x, y, mse, SGD(0.01, momentum=0.9), epochs=2, batch=27, validation=(x[:50], y[:50]))"),
        ("tiny batches", "net = fit(Dense(4, 1), x[:40], y[:40], mse, epochs=2, batch=5)"),
        ("single rows", "net = fit(Dense(4, 1), x[:9], y[:9], mse, epochs=2, batch=1)"),
        (
            "statistics, draws and single precision",
            "net = fit(Dense(4, 8, dtype=\"f32\") >> BatchNorm(8, dtype=\"f32\") >> relu >> Dropout(0.3) >> Dense(8, 1), x, y, huber, AdamW(0.01, clip_norm=0.5), epochs=3, batch=40)"
        ),
        ("classes", "net = fit(Dense(4, 8, gelu) >> Dense(8, 3), x, labels, cross_entropy, RMSProp(0.01), epochs=3, batch=50, patience=1)"),
        ("weights", "net = fit(Dense(4, 1), x, y, mse, epochs=2, batch=32, weights=where(x[:, 0] > 0, 1, 0))"),
        ("L-BFGS", "net = fit(Dense(4, 6, tanh) >> Dense(6, 1), x, y, mse, LBFGS(1), epochs=4)"),
        (
            "an own loss that draws, and an own metric",
            "net = fit(Dense(4, 1), x, y, (p, t) -> mean((p - t + 0.01 * randn(shape(p)))^2), epochs=2, metric=(p, t) -> mean(abs(p - t)))"
        ),
        (
            "an own optimiser",
            "net = fit(Dense(4, 1), x, y, mse, (p, g, s) -> ((p[0] - 0.01 * g[0], p[1] - 0.01 * g[1]), none), epochs=2)"
        ),
        (
            "an own layer with states",
            """
            layer Counting(n) {
                w = weights(n, n)
                steps = state(0); middle = state(zeros(n))
                (x, training) -> {
                    if training { steps = steps + 1; middle = 0.9 * middle + 0.1 * mean(x, axis=0) }
                    x @ w + 0.001 * rand()
                }
            }
            net = fit(Counting(4) >> Dense(4, 1), x, y, mse, epochs=2)
            """
        ),
        (
            "a model of its own, a callback and a schedule",
            """
            p = fit({W: randn(4, 1), b: zeros(1)}, {a: x[:, :2], b: x[:, 2:]}, y, mse, Adam(cosine_rate(0.05, 5)), epochs=5,
                    model=(p, x) -> concat((x.a, x.b), axis=1) @ p.W + p.b, callback=e -> e.epoch < 3)
            net = Dense(4, 1); net.W = p.W; net.b = p.b
            """
        ),
        ("convolution", "x = x.reshape(200, 1, 2, 2); net = fit(Conv2D(1, 3, 2) >> Flatten() >> Dense(3, 1), x, y, mse, epochs=1, batch=64)"),
    ]

    private static let data = "seed(3); x = randn(200, 4); y = x @ randn(4, 1) + 0.1 * randn(200, 1); labels = argmax(x[:, :3], axis=1)\n"

    @Test(arguments: trainings.map(\.name)) func anyNumberOfRanksTrainsTheSame(_ name: String) throws {
        let training = try #require(Self.trainings.first { $0.name == name }).program
        try withFolder { folder in
            func trained(_ ranks: Int?) throws -> (file: [UInt8], output: String, error: String) {
                let path = "\(folder)/\(ranks ?? 0).safetensors"
                let program = Self.data + training + "\nprint(net(x[:3])); print(rand()); save(net, \"\(path)\")"
                let cut = ranks == nil ? program.replacingOccurrence(of: "epochs=", with: "shards=8, epochs=") : program
                let result = try run(ranks, cut)
                #expect(result.status == 0, "\(ranks ?? 0): \(result.error)")
                return (try bytes(of: path), result.output, result.error)
            }
            let one = try trained(1)
            #expect(!one.file.isEmpty)
            for ranks in [nil, 2, 3, 4, 8] {
                let other = try trained(ranks)
                #expect(other.file == one.file, "\(ranks ?? 0)")
                #expect(other.output == one.output)
                // Progress too, once.
                #expect(other.error == one.error)
            }
        }
    }

    /// What one process trains when nobody has asked for parts stays what it is: the whole batch at once.
    @Test func withoutALauncherNothingIsCut() throws {
        let program = Self.data + "net = fit(Dense(4, 4) >> BatchNorm(4) >> Dense(4, 1), x, y, mse, epochs=1, progress=false); print(net(x)[0, 0])"
        let plain = try run(nil, program), cut = try run(1, program)
        #expect(plain.status == 0 && cut.status == 0)
        #expect(plain.output != cut.output)
    }

    @Test func theGradientOfABatchIsThatOfItsParts() throws {
        // In exact arithmetic the parts make no difference where each row counts by itself.
        let program =
            Self.data + """
                net = Dense(4, 5, tanh, dtype="f64") >> Dense(5, 1, dtype="f64")
                a = fit(net, x, y, mse, SGD(0.1), epochs=2, batch=50, shuffle=false, progress=false)
                b = fit(net, x, y, mse, SGD(0.1), epochs=2, batch=50, shuffle=false, progress=false, shards=7)
                print(max(abs(a(x) - b(x))) < 1e-12, any(a(x) != b(x)))
                """
        #expect(try run(nil, program).output == "true true\n")
    }

    @Test func fastSumsTrainToo() throws {
        let program =
            Self.data + """
                a = fit(Dense(4, 1), x, y, mse, SGD(0.1), epochs=2, progress=false, sum="fast"); print(mse(a(x), y) < mse(zeros(200, 1), y))
                """
        for ranks in [1, 2, 3] { #expect(try run(ranks, program).output == "true\n") }
        #expect(try run(nil, Self.data + "fit(Dense(4, 1), x, y, mse, sum=\"slow\")").error.contains("\"fast\""))
    }

    // MARK: Programs of several processes

    @Test(arguments: [nil, 1, 2, 3, 4]) func builtins(_ ranks: Int?) throws {
        let n = ranks ?? 1
        func check(_ program: String, _ output: String) throws {
            let result = try run(ranks, program)
            #expect(result.output == output, "\(program): \(result.error)")
            #expect(result.status == 0)
        }
        try check("print(rank(), ranks())", "0 \(n)\n")
        try check("all_sum(rank())", "\(n * (n - 1) / 2)\n")
        try check("all_sum({a: [1, rank()], b: (2, f32([1]))})", "{a: [\(n), \(n * (n - 1) / 2)], b: (\(2 * n), [\(n)])}\n")
        try check("all_sum([true, false])", "[\(n), 0]\n")
        try check("all_sum(Dense(2, 3) * 0 + 1).b", n == 1 ? "[1, 1, 1]\n" : "[\(n), \(n), \(n)]\n")
        try check("spread(k -> k^2, range(7))", "[0, 1, 4, 9, 16, 25, 36]\n")
        try check("spread(k -> {r: rank(), n: ranks(), s: all_sum(k)}, (1, 2))", "({r: 0, n: 1, s: 1}, {r: 0, n: 1, s: 2})\n")
        try check("spread(k -> k, [])", "[]\n")
        // Each element has its own draws, and the program goes on with its own.
        try check("seed(1); a = spread(k -> rand(), range(5)); seed(1); print(all(a == spread(k -> rand(), range(5))), len(unique(a)))", "true 5\n")
        // What is printed comes in the order of the elements.
        try check("r = spread(k -> { print(k); k }, range(5))", "0\n1\n2\n3\n4\n")
        try check(
            "map(n -> history(n).loss.shape[0], spread(k -> fit(Dense(1, 1), [[1], [2]], [[k], [3]], mse, epochs=k, progress=false), (1, 2, 3)))", "[1, 2, 3]\n"
        )
    }

    @Test func drawsAndResultsOfSpreadAreTheSameForAnyNumber() throws {
        let program = """
            seed(5)
            r = spread(k -> { net = Dense(2, 2) >> Dropout(0.5); print("{k}: {rand()}"); {k: k, net: net, t: "<{k}>", v: [k, nan, -0.0, inf], f: \
            relu, b: k > 1, o: none, deep: ((k, randn(2)),)} }, range(5))
            print(r, rand()); print(map(e -> e.net([1, 2]), r))
            """
        let plain = try run(nil, program)
        #expect(plain.status == 0, "\(plain.error)")
        for ranks in [1, 2, 3, 8] {
            let other = try run(ranks, program)
            #expect(other.output == plain.output, "\(ranks): \(other.error)")
        }
    }

    @Test func whatCannotBeSentIsNamed() throws {
        for ranks in [nil, 2] {
            let result = try run(ranks, "spread(k -> {a: 1, f: [x -> x][0]}, (1, 2))")
            #expect(result.status == 1)
            #expect(result.error.contains("`f`") && result.error.contains("cannot be sent"), "\(result.error)")
            #expect(try run(ranks, "(x -> sum(spread(k -> k * x, (1, 2))))'(3)").error.contains("no derivative goes through `spread`"))
            #expect(try run(ranks, "(x -> all_sum(x))'(3)").status == 1)
        }
    }

    @Test func ranksThatPartAreTold() throws {
        let apart = try run(3, "if rank() == 1 { all_sum(1) }")
        #expect(apart.status == 1)
        #expect(apart.error.contains("rank 1 is at `all_sum`") && apart.error.contains("ranks 0, 2 are at the end of the program"), "\(apart.error)")
        let shapes = try run(2, "all_sum(zeros(rank() + 1))")
        #expect(shapes.status == 1 && shapes.error.contains("rank 1 calls `all_sum` with other shapes of values"), "\(shapes.error)")
        let data = try run(2, Self.data + "fit(Dense(4, 1), x + rank(), y, mse)")
        #expect(data.status == 1 && data.error.contains("rank 1 calls `fit` with other inputs"), "\(data.error)")
        let draws = try run(2, Self.data + "if rank() == 1 { rand() }; fit(Dense(4, 1), x, y, mse)")
        #expect(draws.status == 1 && draws.error.contains("rank 1 calls `fit` with other"), "\(draws.error)")
    }

    @Test func rankZeroWritesAlone() throws {
        try withFolder { folder in
            let program = """
                print("once"); 1 + 1; show("shown"); 1 / 0
                save([1, 2, 3], "\(folder)/a.npy"); print(load("\(folder)/a.npy"))
                if rank() == 0 { save([4], "\(folder)/b.npy") }
                r = spread(k -> { save([k], "\(folder)/{k}.npy"); load("\(folder)/{k}.npy")[0] }, (7, 8, 9)); r
                plot([1, 2])
                """
            let plain = try run(nil, program)
            for ranks in [2, 4] {
                let result = try run(ranks, program)
                #expect(result.status == 0 && result.output == plain.output && result.error == plain.error, "\(result.error)")
            }
        }
    }

    @Test func programsComeFromStandardInputToo() throws {
        let result = try BuiltCommand.run(["-n", "3", "-", "a"], input: "print(args, all_sum(1))\n")
        #expect(result.output == "(\"a\",) 3\n" && result.status == 0, "\(result.error)")
    }

    @Test func seedsAndArgumentsReachAll() throws {
        let program = "x = rand(); print(all_sum(x) == ranks() * x)"
        #expect(try run(4, program).output == "true\n")
        #expect(try run(2, "print(rand())", ["--seed", "7"]).output == (try run(nil, "print(rand())", ["--seed", "7"]).output))
    }

    // MARK: Ends

    @Test func errorsAreToldOnce() throws {
        for ranks in [2, 4] {
            // They wait for each other first: a rank that starts late would be ended by the one that failed before it.
            let result = try run(ranks, "print(1); all_sum(1); undefined_name")
            #expect(result.status == 1 && result.output == "1\n")
            #expect(result.error.components(separatedBy: "error:") == 2, "\(result.error)")
        }
        #expect(try run(2, "1 +").error.components(separatedBy: "error:") == 2)
        #expect(try BuiltCommand.run(["-n", "2", "/nowhere.act"]).error.components(separatedBy: "error:") == 2)
    }

    @Test(arguments: ["while true {}", "x = rand(400, 400); while true { x = x @ x / 400 }", "all_sum(1)"])
    func anErrorOnOneRankEndsAll(_ meanwhile: String) throws {
        for failing in [0, 1, 3] {
            let start = seconds()
            let result = try run(4, "if rank() == \(failing) { error(\"boom\") }\n\(meanwhile)")
            #expect(result.status == 1)
            #expect(result.error.contains("boom") && result.error.contains("on rank \(failing) of 4"), "\(result.error)")
            #expect(result.error.components(separatedBy: "error:") == 2, "\(result.error)")
            #expect(seconds() - start < Double(5 * Sanitizer.patience))
        }
    }

    @Test func timeRunsOutForAll() throws {
        let result = try run(2, "if rank() == 0 { all_sum(1) } else { while true {} }", ["--max-time", "0.5"])
        #expect(result.status == 1 && result.error.contains("0.5"), "\(result.error)")
    }

    #if os(Linux)
    /// Starts three ranks that train without end, and sends a signal to one of them, or to the launcher.
    private func signalled(_ signal: String, to target: String, _ environment: String = "") throws -> ProcessResult {
        try withFolder { folder in
            try write(
                Self.data
                    + "save(1, \"\(folder)/begun.json\"); fit(Dense(4, 1), x, y, mse, epochs=1000000000, progress=false); save(2, \"\(folder)/done.json\")",
                to: folder + "/a.act")
            let result = try BuiltCommand.runShell(
                """
                cd \(folder); "$ACT" -n 3 --threads 1 a.act & launcher=$!
                while [ ! -e begun.json ]; do sleep 0.05; done; sleep 0.2
                set -- $(cat /proc/$launcher/task/$launcher/children)
                kill -\(signal) \(target); start=$(date +%s%N)
                wait $launcher; status=$?
                echo $(( ($(date +%s%N) - start) / 1000000 )); sleep 0.1
                for p in "$@"; do [ -e /proc/$p ] && ! grep -q 'State:.Z' /proc/$p/status && echo "left: $p"; done
                ls done.json 2> /dev/null; exit $status
                """)
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == 1, "nothing is left and nothing saved: \(result.output)")
            #expect((lines.first.flatMap { Int($0) } ?? .max) < 2000 * Sanitizer.patience, "\(result.output)")
            return result
        }
    }

    /// (The launcher starts rank 0 last: $3.)
    @Test func aKilledRankEndsAll() throws {
        for (target, rank) in [("$1", 2), ("$2", 1), ("$3", 0)] {
            let result = try signalled("KILL", to: target)
            #expect(result.status == 1)
            #expect(result.error.contains("rank \(rank) of 3 was ended by signal 9"), "\(result.error)")
        }
    }

    @Test func ctrlCOnOneRankEndsAll() throws {
        let other = try signalled("INT", to: "$1")
        #expect(other.status == 130 && other.error.contains("interrupted on rank 2"), "\(other.error)")
        #expect(try signalled("INT", to: "$3").status == 130)
        // At a terminal all get it.
        let all = try signalled("INT", to: "$launcher $1 $2 $3")
        #expect(all.status == 130)
        #expect(try signalled("TERM", to: "$launcher").status == 128 + 15)
        _ = try signalled("KILL", to: "$launcher")
    }

    // MARK: TCP

    /// Runs programs as ranks that find each other at a port of this machine; rank 0 last.
    private func tcp(_ commands: [String], _ folder: String, environment: String = "") throws -> ProcessResult {
        let port = 20_000 + Int(getpid()) % 20_000 + Int.random(in: 0..<5_000)
        var script = "cd \(folder); export MASTER_ADDR=127.0.0.1 MASTER_PORT=\(port) WORLD_SIZE=\(commands.count) \(environment)\n"
        for (rank, command) in commands.enumerated().dropFirst() { script += "RANK=\(rank) \(command) & \n" }
        script += "RANK=0 \(commands[0]); status=$?; wait; exit $status\n"
        return try BuiltCommand.runShell(script)
    }

    @Test func ranksByTCPTrainTheSame() throws {
        try withFolder { folder in
            try write(
                Self.data
                    + "net = fit(Dense(4, 300, relu) >> BatchNorm(300) >> Dropout(0.2) >> Dense(300, 1), x, y, mse, epochs=2, batch=50); save(net, args[0]); print(rand())",
                to: folder + "/a.act")
            let one = try BuiltCommand.run(["-n", "1", folder + "/a.act", folder + "/1.safetensors"])
            let expected = try bytes(of: folder + "/1.safetensors")
            for ranks in [2, 4] {
                let result = try tcp([String](repeating: "\"$ACT\" --threads 1 a.act out.safetensors", count: ranks), folder)
                #expect(result.status == 0 && result.error == one.error, "\(result.error)")
                #expect(try bytes(of: folder + "/out.safetensors") == expected)
                unlink(folder + "/out.safetensors")
            }
        }
    }

    @Test func ranksByTCPMustAgree() throws {
        try withFolder { folder in
            try write("print(1)\n", to: folder + "/a.act")
            try write("print(2)\n", to: folder + "/b.act")
            let files = try tcp(["\"$ACT\" a.act", "\"$ACT\" b.act"], folder)
            #expect(files.status == 1 && files.output.isEmpty && files.error.contains("rank 1 runs another program than rank 0"), "\(files.error)")
            let options = try tcp(["\"$ACT\" a.act", "\"$ACT\" --strict a.act"], folder)
            #expect(options.status == 1 && options.error.contains("other options"), "\(options.error)")
            let sizes = try tcp(["\"$ACT\" a.act", "WORLD_SIZE=3 \"$ACT\" a.act"], folder)
            #expect(sizes.status == 1 && sizes.error.contains("rank 1 is one of 3 processes, rank 0 one of 2"), "\(sizes.error)")
            let missing = try tcp(["\"$ACT\" a.act", "true", "true"], folder, environment: "ACT_RANKS_TIMEOUT=1")
            #expect(missing.status == 1 && missing.error.contains("ranks 1, 2 of 3 did not come within 1 s"), "\(missing.error)")
            let alone = try tcp(["true", "\"$ACT\" a.act"], folder, environment: "ACT_RANKS_TIMEOUT=1")
            #expect(alone.error.contains("nobody answers at 127.0.0.1"), "\(alone.error)")
            let loop = "\"$ACT\" -e 'while true {}'"
            let failing = try tcp([loop, "sh -c '\"$ACT\" -e \"while true {}\" & sleep 0.7; kill -9 $!; wait $!'"], folder)
            #expect(failing.status == 1 && failing.error.contains("rank 1 is gone"), "\(failing.error)")
        }
    }

    @Test func theSandboxHoldsForRanks() throws {
        try withFolder { folder in
            let program = Self.data + "net = fit(Dense(4, 1), x, y, mse, progress=false); save(net, \"\(folder)/a.safetensors\"); load(\"/etc/passwd.json\")"
            let result = try run(2, program, ["--sandbox", "--allow", folder, "--no-warn"])
            #expect(result.status == 1 && result.error.contains("sandbox"), "\(result.error)")
            #expect(try !bytes(of: folder + "/a.safetensors").isEmpty)
        }
    }
    #endif

    // MARK: What is refused

    @Test func wrongUsesAreNamed() throws {
        func check(_ arguments: [String], _ environment: [String: String], _ text: String, status: Int32 = 1) throws {
            let result = try BuiltCommand.run(arguments, environment: environment)
            #expect(result.status == status && result.error.contains(text), "\(arguments): \(result.error)")
        }
        try check(["-n", "2"], [:], "name its file", status: 2)
        try check(["-n", "0", "-e", "1"], [:], "from 1 to 256", status: 2)
        try check(["-n", "x", "-e", "1"], [:], "-n", status: 2)
        try check(["-n", "2", "check", "-"], [:], "`act check` runs in one process", status: 2)
        let mpi = ["OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "0", "ACT_MPI_LIBRARY": "/nowhere/libmpi.so"]
        try check([], mpi, "the session is for one process")
        try check(["-e", "1"], mpi, "cannot be loaded (/nowhere/libmpi.so)")
        try check(["-n", "2", "-e", "1"], mpi, "under another launcher")
        try check(["--sandbox", "-e", "1"], mpi, "`--sandbox` does not go together with MPI")
        try check(["-e", "1"], ["RANK": "0", "WORLD_SIZE": "2"], "`MASTER_ADDR` is not set")
        try check(["-e", "1"], ["RANK": "x", "WORLD_SIZE": "2", "MASTER_ADDR": "localhost"], "`RANK` is \"x\"", status: 1)
        // A library that is not MPI.
        #if os(Linux)
        try check(["-e", "1"], mpi.merging(["ACT_MPI_LIBRARY": "libc.so.6"]) { $1 }, "lacks `MPI_Init_thread`", status: 1)
        #endif
        // One process needs no library.
        #expect(try BuiltCommand.run(["-e", "ranks()"], environment: mpi.merging(["OMPI_COMM_WORLD_SIZE": "1"]) { $1 }).output == "1\n")
    }

    // MARK: Help

    private func bytes(of path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw TestFailure("\(path) is missing") }
        defer { fclose(file) }
        var bytes: [UInt8] = [], chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return bytes
    }

    private func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

extension String {
    fileprivate func replacingOccurrence(of text: String, with other: String) -> String {
        firstRange(of: text).map { String(self[..<$0.lowerBound]) + other + self[$0.upperBound...] } ?? self
    }

    /// Into how many pieces a text parts this one.
    fileprivate func components(separatedBy text: String) -> Int { ranges(of: text).count + 1 }
}
