// Starts a worker, watches it, starts the next one when it dies, hangs or holds too much memory, and writes down the program that did it.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct Supervisor {
    struct Plan {
        var seed: UInt64 = 1
        var first = 0
        /// Trials at most.
        var count = Int.max >> 1
        var seconds = 180.0
        /// How many times as long and as large as usual a trial may be.
        var patience = 1.0
        /// Where findings go.
        var folder = ".build/fuzz"
        var corpus: [String] = []
    }

    /// Seconds of one trial, of processor time where the machine may be busy with other things.
    static let hang = 5.0
    /// Bytes that a worker may hold beside what programs may hold: code, libraries, the corpus, the deepest stack, free lists.
    static let allowance = 300 << 20
    /// A worker ends after so many trials, for free lists and names of one session after the other are no fault of a program.
    static let trialsOfOneWorker = 20_000

    let plan: Plan
    let generator: Generator
    private var hang: Double { Supervisor.hang * plan.patience }
    private var allowance: Int { Int(Double(generator.matter == .rows ? 4 * Supervisor.allowance : Supervisor.allowance) * plan.patience) }

    /// - Returns: The number of findings.
    func run() -> Int {
        let boardPath = plan.folder + "/board-\(getpid())"
        guard let board = Board(path: boardPath) else {
            print("cannot write below \(plan.folder)")
            return 1
        }
        defer { unlink(boardPath) }
        let start = seconds()
        var index = plan.first
        let end = plan.first + plan.count
        var findings = 0
        while index < end, seconds() - start < plan.seconds, findings < 200 {
            board[.index] = index
            let ended = watch(board, boardPath, from: index, count: min(end - index, Supervisor.trialsOfOneWorker), until: start + plan.seconds)
            if let kind = ended {
                findings += 1
                note(kind, board[.index])
                board[.done] += 1
            }
            if let oddity = Oddity(rawValue: board[.oddity]), oddity != .none {
                findings += 1
                note(oddity.text, board[.oddIndex])
                board[.oddity] = 0
            }
            index = board[.index] + 1
        }
        let time = seconds() - start
        let done = board[.done]
        print(
            "seed \(plan.seed): \(done) programs in \(Int(time.rounded())) s (\(Int(Double(done) / max(time, 0.001))) a second), up to number \(index - 1): "
                + "\(board[.succeeded]) ended well, \(board[.failed]) with an error, \(board[.reachedLimit]) at a limit; \(findings) findings")
        return findings
    }

    /// - Returns: What ended the worker, if it was no good end.
    private func watch(_ board: Board, _ boardPath: String, from index: Int, count: Int, until deadline: Double) -> String? {
        board[.stop] = 0
        var arguments = [
            CommandLine.arguments[0], "--worker", boardPath, "--seed", "\(plan.seed)", "--first", "\(index)", "--count", "\(count)", "--patience",
            "\(plan.patience)", "--out", plan.folder,
        ]
        arguments += ["--part", generator.matter.rawValue]
        arguments += plan.corpus
        let argv = arguments.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        // What a worker has to say when it crashes takes longer than the next thousand programs; `--one` says it.
        setenv("SWIFT_BACKTRACE", "enable=no", 1)
        var id: pid_t = 0
        guard posix_spawn(&id, Supervisor.executable, nil, nil, argv, environ) == 0 else { return "start" }
        var (lastBeat, since, processorTime) = (board[.beat], seconds(), 0.0)
        while true {
            var status: Int32 = 0
            if waitpid(id, &status, WNOHANG) == id {
                if status & 0x7F != 0 { return "crash-\(status & 0x7F)" }
                return status == 0 ? nil : "exit-\(status >> 8 & 0xFF)"
            }
            usleep(5000)
            let now = seconds()
            if now > deadline { board[.stop] = 1 }
            if board[.beat] != lastBeat {
                (lastBeat, since, processorTime) = (board[.beat], now, Supervisor.processorTime(id) ?? 0)
            } else if now - since > hang, now - since > 12 * hang || Supervisor.processorTime(id).map({ $0 - processorTime > hang }) ?? true {
                return end(id, "hang")
            }
            if let held = Supervisor.memory(id), held > Worker.memory + allowance { return end(id, "memory-\(held >> 20)M") }
        }
    }

    private func end(_ id: pid_t, _ kind: String) -> String {
        kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
        return kind
    }

    private func note(_ kind: String, _ index: Int) {
        let trial = generator.trial(index)
        let name = "\(plan.folder)/\(generator.matter == .programs ? "" : "\(generator.matter.rawValue)-")\(kind)-\(plan.seed)-\(index).act"
        let how = trial.kind == .script ? "" : " (as \(trial.kind.rawValue))"
        if let file = fopen(name, "w") {
            let program = (trial.kind == .call ? Array((RowWalk.prelude + "\n").utf8) : []) + trial.program
            fwrite(program, 1, program.count, file)
            fclose(file)
        }
        if let (fileName, bytes) = trial.file, let file = fopen("\(name)-\(fileName)", "w") {
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
        print("\(kind): \(name)\(how)")
        fflush(nil)
    }

    // MARK: The system

    private static var executable: String {
        #if os(Linux)
        "/proc/self/exe"
        #else
        CommandLine.arguments[0]
        #endif
    }

    /// Seconds that all threads of a process have run.
    static func processorTime(_ id: pid_t) -> Double? {
        #if os(Linux)
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(id, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        #else
        return nil
        #endif
    }

    /// Bytes of memory that a process holds.
    private static func memory(_ id: pid_t) -> Int? {
        #if os(Linux)
        guard let text = Corpus.contents("/proc/\(id)/statm") else { return nil }
        let fields = text.split(separator: 0x20)
        return fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)).map { $0 << 12 } : nil
        #else
        return nil
        #endif
    }
}
