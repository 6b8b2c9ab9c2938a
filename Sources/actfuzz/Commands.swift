// The command from outside: command lines, limits of memory whose peak the parent measures, the system's limits, Ctrl-C at random moments,
// containers that allow little memory, standard input, and sessions at a terminal with a broken history.
//
// What must stay true: what is tried depends on the seed, its number and the corpus alone; the command is started anew for each.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct CommandTrial {
    var arguments: [Bytes] = []
    /// Limits that the shell sets first, as `ulimit` takes them.
    var limits = ""
    /// What standard input holds; at a terminal, what is typed.
    var input: Bytes = []
    /// The history file of a session at a terminal; `nil`: there is no terminal.
    var history: Bytes?
    /// Bytes that `--max-memory` allows.
    var memory: Int?
    /// Bytes that a container of the system allows, where one can be made. Nothing tells act of it but the system.
    var container: Int?
    /// Seconds after which Ctrl-C comes.
    var interrupt: Double?
    /// Where the program stands that the arguments name.
    static let programName = "program.act"
    var program: Bytes = []
}

extension Generator {
    func command(_ index: Int) -> CommandTrial {
        var random = Random(seed: seed ^ 0x00C0_FFEE, index: index)
        var trial = CommandTrial()
        let name = Array(CommandTrial.programName.utf8)
        func with(_ options: String...) -> [Bytes] { options.map { Array($0.utf8) } }
        trial.program = random.chance(50) ? growing(&random) : self.trial(random.below(1 << 30)).program
        switch random.below(13) {
        case 0...3:
            let memory = Int(0x1p20 * Double(200).power(random.below(1000)))
            trial.memory = memory
            trial.arguments = with("--max-memory", "\(memory)", "--max-time", "2") + [name]
        case 4, 5:
            trial.interrupt = Double(random.below(60)) / 1000
            trial.arguments = with("--max-memory", "200M", "--max-time", "5") + [name]
        case 6:
            trial.limits = random.pick(
                [
                    "-v \(150_000 + random.below(2_000_000))", "-n \(4 + random.below(12))", "-f \(1 + random.below(4))", "-s \(512 << random.below(5))",
                    "-d \(50_000 + random.below(500_000))", "-c 0",
                ], or: "")
            trial.arguments = with("--max-memory", "100M", "--max-time", "2") + [name]
        case 12:
            trial.container = (80 + random.below(220)) << 20
            // Files in memory would count too.
            if trial.program.contains(Array("save".utf8)) { trial.container = nil }
            trial.arguments = with("--max-time", "2") + [name]
        case 7:
            trial.input = trial.program
            trial.arguments = random.chance(50) ? with("--max-memory", "100M", "--max-time", "1") : with("--max-memory", "100M", "--max-time", "1", "-")
        case 8:
            trial.history = random.chance(50) ? noise(&random) : Array((0..<random.below(2000)).map { "x = \($0)\n" }.joined().utf8)
            trial.input =
                Array(
                    ["x = 1", "relu(", "?rel\t", "\u{1b}[A\u{1b}[A", ":vars", "plot([1, 2])", "\u{3}", "1 +\n2", "x\u{1b}[D\u{7f}", "\u{12}x"][random.below(10)]
                        .utf8) + [0x0A, 4, 4]
            trial.arguments = with("--max-time", "2")
        default:
            for _ in 0...random.below(5) { trial.arguments.append(word(&random)) }
            trial.arguments = with("--max-time", "1") + trial.arguments
            trial.input = Array("1 + 1\n".utf8)
        }
        return trial
    }

    /// Something that may stand on a command line.
    private func word(_ random: inout Random) -> Bytes {
        switch random.below(10) {
        case 0...4:
            return Array(
                random.pick(
                    [
                        "-e", "-", "--", "check", "--strict", "--no-warn", "--threads", "--seed", "--max-memory", "--max-time", "--sandbox", "--allow",
                        "--plot", "--version", "--help", "-h", "--plot=ascii", "--threads=2",
                        "--max-memory=10M", "--seed=-1", "--max-time=nan", "--", "-x", "--sed", "-e1", "",
                    ], or: "-"
                ).utf8)
        case 5, 6:
            return Array(
                random.pick(
                    Self.numbers + [
                        "10M", "1.5G", "1T", "1e3K", "M", "-5M", "0", "auto", "braille", "none", "kitty", ".", "/", "/dev/null", "nowhere",
                        CommandTrial.programName,
                    ], or: "0"
                ).utf8)
        case 7: return Array(random.pick(Self.values, or: "1").utf8)
        // Arguments end at a zero byte.
        case 8: return noise(&random).filter { $0 != 0 }
        default: return Bytes(repeating: UInt8(ascii: "a"), count: 1 << random.below(17))
        }
    }

    /// A program that takes ever more memory, one way or another.
    private func growing(_ random: inout Random) -> Bytes {
        let start = random.pick(["\"ab\"", "[1.5, 2]", "(1, 2)", "{a: 1}", "\"é\"", "\"a b,\\n\"", "range(1000)", "relu"], or: "1")
        let steps = [
            "x = x + x", "x = \"{x}{x}\"", "x = (x, x)", "x = [x, x]", "x = {a: x, b: x}", "x = concat(x, x)", "x = repr(x)", "x = to_json(x)",
            "x = join((x, x, x))", "x = replace(x, \"a\", \"bb\")", "x = split(x, \"a\")",
            "x = upper(x)", "x = x >> x", "x = stack(x, x)", "x = [v for v in x]", "x = map(v -> (v, v), x)", "x = tile(x, 2)", "print(x)", "x = x @ x.T",
            "x = sin(x)", "x = format(x, \">1000\")", "x = split(x)", "y = x[::2]",
            "save(x, \"x.json\")", "save(x, \"x.csv\")", "save(x, \"x.npy\")", "save({a: x}, \"x.npz\")", "x = load(\"x.json\")", "x = load(\"x.csv\")",
            "plot([1, 2], title=\"{x}\")", "error(\"{x}\")", "x = from_json(to_json(x))",
            "x = grad(v -> sum(v * v))(x)", "x = outer(x, x)", "x = len(x)", "contains(x, x)", "x == x", "x",
        ]
        let (first, second) = (random.pick(steps, or: "x"), random.pick(steps, or: "x"))
        return Array(
            "x = \(start)\nfor i in range(\(1 << random.below(14))) { \(first) }\n\(random.chance(50) ? "for i in range(\(1 << random.below(8))) { \(second) }" : second)\n\(random.pick(steps, or: "x"))\n"
                .utf8)
    }
}

extension Double {
    /// Between 1 and this number, so that each power of it is as likely.
    fileprivate func power(_ thousandths: Int) -> Double { pow(self, Double(thousandths) / 1000) }
}

/// `write`, which in `Commands` means a file.
private func put(_ descriptor: Int32, _ byte: UInt8) -> Int {
    var byte = byte
    return write(descriptor, &byte, 1)
}

struct Commands {
    let plan: Supervisor.Plan
    let generator: Generator
    /// Bytes over one and a half times the limit that the command itself needs.
    private static let allowance = 30 << 20
    private let container: Container?

    init(plan: Supervisor.Plan, generator: Generator) {
        self.plan = plan
        self.generator = generator
        container = Container.make()
        if container == nil { print("no control group can be made here: commands run outside of containers") }
    }

    /// - Returns: The number of findings.
    func run(seconds limit: Double, count: Int) -> Int {
        let start = seconds()
        var index = plan.first, findings = 0
        while index < plan.first + count, seconds() - start < limit, findings < 200 {
            if let kind = run(generator.command(index)) {
                findings += 1
                note(kind, index)
            }
            index += 1
        }
        print("seed \(plan.seed): \(index - plan.first) commands in \(Int((seconds() - start).rounded())) s; \(findings) findings")
        return findings
    }

    /// - Returns: What went wrong, if anything did.
    func run(_ trial: CommandTrial) -> String? {
        Self.write(trial.program, CommandTrial.programName)
        Self.write(trial.input, "input")
        mkdir("state", 0o700)
        mkdir("state/act", 0o700)
        if let history = trial.history { Self.write(history, "state/act/history") }
        guard let process = Process(trial, in: container) else { return "start" }
        return process.verdict(trial, patience: plan.patience, allowance: Self.allowance)
    }

    /// Beside ourselves.
    static let executable: String = {
        var path = [CChar](repeating: 0, count: 4096)
        #if os(Linux)
        let count = readlink("/proc/self/exe", &path, path.count - 1)
        let own = count > 0 ? String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : "actfuzz"
        #else
        let own = realpath(CommandLine.arguments[0], &path).map { String(cString: $0) } ?? "actfuzz"
        #endif
        return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/act"
    }()

    /// The command line as a shell takes it.
    static func text(_ trial: CommandTrial) -> String {
        let words = trial.arguments.map {
            "'" + String(decoding: $0, as: UTF8.self).split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
        }
        let notes = [
            trial.interrupt.map { "Ctrl-C after \($0) s" }, trial.history.map { "at a terminal, with a history of \($0.count) bytes" },
            trial.container.map { "in a control group of \($0) bytes" },
        ].compactMap { $0 }.joined(separator: "; ")
        return (notes.isEmpty ? "" : "# \(notes)\n") + (trial.limits.isEmpty ? "" : "ulimit \(trial.limits); ") + "act " + words.joined(separator: " ")
            + " < input\n"
    }

    private func note(_ kind: String, _ index: Int) {
        let trial = generator.command(index)
        let name = "\(plan.folder)/command-\(kind)-\(plan.seed)-\(index)"
        Self.write(Array(Commands.text(trial).utf8), name + ".sh")
        Self.write(trial.program, name + ".act")
        if !trial.input.isEmpty { Self.write(trial.input, name + ".input") }
        print("\(kind): \(name).sh")
        fflush(nil)
    }

    static func write(_ bytes: Bytes, _ name: String) {
        guard let file = fopen(name, "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    /// A command that runs.
    private struct Process {
        let id: pid_t
        /// Our end of its terminal.
        let terminal: Int32

        init?(_ trial: CommandTrial, in container: Container?) {
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            var terminal: Int32 = -1
            if trial.history != nil {
                guard let pair = Process.newTerminal() else { return nil }
                terminal = pair.descriptor
                let name = pair.name
                _ = fcntl(terminal, F_SETFL, O_NONBLOCK)
                _ = fcntl(terminal, F_SETFD, FD_CLOEXEC)
                posix_spawn_file_actions_addopen(&actions, 0, name, O_RDWR, 0)
                posix_spawn_file_actions_adddup2(&actions, 0, 1)
            } else {
                posix_spawn_file_actions_addopen(&actions, 0, "input", O_RDONLY, 0)
                posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
            }
            posix_spawn_file_actions_addopen(&actions, 2, "errors", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            // What it says about a crash takes longer than a hundred commands.
            setenv("SWIFT_BACKTRACE", "enable=no", 1)
            setenv("XDG_STATE_HOME", Process.folder + "/state", 1)
            setenv("TERM", "xterm", 1)
            var shell = "ulimit \(trial.limits.isEmpty ? "-c 0" : trial.limits); exec \"$0\" \"$@\""
            if let bytes = trial.container, let container { shell = container.entering(bytes) + shell }
            let arguments = [Array("/bin/sh".utf8), Array("-c".utf8), Array(shell.utf8), Array(Commands.executable.utf8)] + trial.arguments
            let argv = arguments.map { bytes in strdup(bytes.map { CChar(bitPattern: $0) } + [0]) } + [nil]
            defer { argv.forEach { free($0) } }
            var id: pid_t = 0
            guard posix_spawn(&id, "/bin/sh", &actions, nil, argv, environ) == 0 else { return nil }
            (self.id, self.terminal) = (id, terminal)
        }

        /// Our end of a new terminal, and the name of the other.
        private static func newTerminal() -> (descriptor: Int32, name: String)? {
            #if canImport(Glibc)
            // glibc hides posix_openpt and its like from strict headers; these are what it does.
            let descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
            var isLocked: Int32 = 0, number: Int32 = 0
            guard descriptor >= 0, ioctl(descriptor, 0x4004_5431, &isLocked) == 0, ioctl(descriptor, 0x8004_5430, &number) == 0 else { return nil }
            return (descriptor, "/dev/pts/\(number)")
            #else
            let descriptor = posix_openpt(O_RDWR | O_NOCTTY)
            guard descriptor >= 0, grantpt(descriptor) == 0, unlockpt(descriptor) == 0, let name = ptsname(descriptor) else { return nil }
            return (descriptor, String(cString: name))
            #endif
        }

        private static let folder: String = {
            guard let path = getcwd(nil, 0) else { return "." }
            defer { free(path) }
            return String(cString: path)
        }()

        /// Waits until it ends.
        /// - Returns: What was wrong with that.
        func verdict(_ trial: CommandTrial, patience: Double, allowance: Int) -> String? {
            defer { if terminal >= 0 { close(terminal) } }
            let start = seconds()
            var typed = 0, isAsked = false, isEnding = false, interruptedAt: Double?
            var usage = rusage(), status: Int32 = 0
            while wait4(id, &status, WNOHANG, &usage) != id {
                if terminal >= 0 {
                    // Typed as someone types; what it answers is thrown away.
                    var answer = Bytes(repeating: 0, count: 4096)
                    let count = read(terminal, &answer, answer.count)
                    // From the first prompt on, and then again and again a line end, for Ctrl-D only ends a line that is empty, and the end:
                    // what is typed while the terminal changes its mode is thrown away.
                    isAsked = isAsked || count > 0 && answer[..<count].contains(UInt8(ascii: ">"))
                    if isAsked, typed < trial.input.count {
                        typed += max(0, put(terminal, trial.input[typed]))
                    } else if isAsked {
                        _ = put(terminal, isEnding ? 4 : 10)
                        isEnding.toggle()
                    }
                }
                if let moment = trial.interrupt, interruptedAt == nil, seconds() - start > moment {
                    interruptedAt = Supervisor.processorTime(id)
                    kill(id, SIGINT)
                }
                if seconds() - start > 20 * patience {
                    kill(id, SIGKILL)
                    wait4(id, &status, 0, &usage)
                    return "hang"
                }
                usleep(1000)
            }
            let number = status & 0x7F
            // Before it listens, Ctrl-C ends it as it ends any process.
            if number != 0, !(number == SIGINT && interruptedAt != nil) { return "signal-\(number)" }
            if let interruptedAt {
                let used = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6
                if used - interruptedAt > Alarm.patience * patience { return "late" }
            }
            #if os(Linux)
            let peak = usage.ru_maxrss << 10
            #else
            let peak = usage.ru_maxrss
            #endif
            if let memory = trial.memory, peak > memory / 2 * 3 + Int(Double(allowance) * patience) { return "peak-\(peak >> 20)M-of-\(memory >> 20)M" }
            let isQuiet = (Corpus.contents("errors") ?? []).isEmpty
            if status >> 8 & 0xFF == 1, isQuiet, trial.history == nil { return "silent" }
            return nil
        }
    }
}
