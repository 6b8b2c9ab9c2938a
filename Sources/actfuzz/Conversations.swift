// The two protocols from outside: `act kernel` and `act lsp` are started for each trial, spoken to as no front end and no editor would, and then
// as one would, and told to end.
//
// What must stay true: what is said depends on the seed, its number and the corpus alone; a finding is a process that ends otherwise than it was
// asked to, takes more memory than it may, or does not answer a right request any more.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One of the two: what is said in a trial, and how it goes.
protocol Conversation {
    /// For the name of its findings.
    static var name: String { get }
    init(_ generator: Generator, _ index: Int)
    /// What is said, to be read.
    var text: Bytes { get }
    /// Says it to a program that it starts.
    /// - Returns: What went wrong before the program was to end, if anything did, and the program, which ends now if nothing did.
    func hold(_ patience: Double) -> (fault: String?, program: TalkingProgram?)
}

struct Conversations<Kind: Conversation> {
    let plan: Supervisor.Plan
    let generator: Generator

    /// - Returns: The number of findings.
    func run() -> Int {
        // Who writes to a program that has ended is told by the call.
        signal(SIGPIPE, SIG_IGN)
        let start = seconds()
        var index = plan.first, findings = 0
        while index < plan.first + plan.count, seconds() - start < plan.seconds, findings < 200 {
            let conversation = Kind(generator, index)
            if let fault = run(conversation) {
                findings += 1
                note(fault, conversation, index)
            }
            index += 1
        }
        print("seed \(plan.seed): \(index - plan.first) conversations of \(Kind.name) in \(Int((seconds() - start).rounded())) s; \(findings) findings")
        return findings
    }

    /// Shows what is said in a trial, and if asked to, says it.
    func show(_ index: Int, holds: Bool) {
        let conversation = Kind(generator, index)
        print(String(decoding: conversation.text, as: UTF8.self))
        if holds { print(run(conversation) ?? "none") }
    }

    /// - Returns: What went wrong, if anything did.
    private func run(_ conversation: Kind) -> String? {
        let (fault, program) = conversation.hold(plan.patience)
        let verdict = program?.verdict(isEnding: fault == nil, patience: plan.patience)
        // Why it ended says more than that it no longer answers.
        if let verdict, verdict.hasPrefix("signal") { return verdict }
        return fault ?? verdict
    }

    private func note(_ fault: String, _ conversation: Kind, _ index: Int) {
        let name = "\(plan.folder)/\(Kind.name)-\(fault)-\(plan.seed)-\(index)"
        if let file = fopen(name, "w") {
            let bytes = conversation.text
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
        print("\(fault): \(name)")
        fflush(nil)
    }
}

/// act, at the other end of a conversation.
final class TalkingProgram {
    /// Bytes that `--max-memory` allows, and what the program needs beside them: itself, and one and a half times the limit.
    static let memory = 64 << 20
    static let options = ["--max-memory", "\(memory)", "--max-time", "1", "--threads", "2"]
    private static let allowance = memory / 2 * 3 + (40 << 20)

    private let id: pid_t
    /// Its standard input and output, where it talks there.
    private(set) var wire: Wire?
    /// The exit statuses that are right.
    var expected: Set<Int32> = [0]
    /// Whether its end by SIGTERM, which we send, is right too.
    private var isTerminated = false
    /// Whether nobody reads what it writes, which ends any program.
    private var isHungUp = false
    private var isOver = false

    /// - Parameter talks: Whether it talks on standard input and output.
    init?(_ arguments: [String], talks: Bool) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var toChild: [Int32] = [-1, -1], fromChild: [Int32] = [-1, -1]
        if talks {
            guard pipe(&toChild) == 0, pipe(&fromChild) == 0 else { return nil }
            for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            posix_spawn_file_actions_adddup2(&actions, toChild[0], 0)
            posix_spawn_file_actions_adddup2(&actions, fromChild[1], 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 2, "errors", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        setenv("SWIFT_BACKTRACE", "enable=no", 1)
        // What we ignore, it does not.
        var attributes = posix_spawnattr_t(), signals = sigset_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        let argv = ([Commands.executable] + Self.options + arguments).map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var id: pid_t = 0
        let status = posix_spawn(&id, Commands.executable, &actions, &attributes, argv, environ)
        if talks {
            close(toChild[0])
            close(fromChild[1])
        }
        wire = talks ? Wire(input: fromChild[0], output: toChild[1]) : nil
        self.id = id
        if status != 0 { return nil }
    }

    deinit {
        if isOver { return }
        kill(id, SIGKILL)
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    /// Whether it runs; without reaping it.
    var isRunning: Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(id), &information, WEXITED | WNOHANG | WNOWAIT) == 0 && information.si_signo == 0
    }

    func terminate() {
        isTerminated = true
        kill(id, SIGTERM)
    }

    /// Goes away without reading what it still writes.
    func hangUp() {
        isHungUp = true
        wire = nil
    }

    /// What it said on standard error.
    var complaint: Bytes { Corpus.contents("errors") ?? [] }

    /// Waits until it ends.
    /// - Parameter isEnding: Whether it was told to; else it is ended.
    /// - Returns: What was wrong with that.
    func verdict(isEnding: Bool, patience: Double) -> String? {
        let start = seconds()
        var usage = rusage(), status: Int32 = 0
        // What happened before is known by the time that others need to see it.
        if !isEnding {
            usleep(20_000)
            if isRunning { kill(id, SIGKILL) }
        }
        while wait4(id, &status, WNOHANG, &usage) != id {
            if seconds() - start > 10 * patience {
                kill(id, SIGKILL)
                wait4(id, &status, 0, &usage)
                isOver = true
                return "does-not-end"
            }
            usleep(500)
        }
        isOver = true
        let number = status & 0x7F
        if number != 0, !(number == SIGKILL && !isEnding), !(number == SIGTERM && isTerminated), !(number == SIGPIPE && isHungUp) { return "signal-\(number)" }
        #if os(Linux)
        let peak = usage.ru_maxrss << 10
        #else
        let peak = usage.ru_maxrss
        #endif
        if peak > Int(Double(Self.allowance) * patience) { return "peak-\(peak >> 20)M" }
        if number == 0, isEnding, !expected.contains(status >> 8 & 0xFF) { return "exit-\(status >> 8 & 0xFF)" }
        return nil
    }
}
