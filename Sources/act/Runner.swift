// Runs what the command line names: a script, text, standard input, a session.

import ActArray
import ActFiles
import ActLanguage
import ActRanks
import ActSyntax
import ActSystem
import ActWording
import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct Runner {
    let settings: Settings
    private let arguments: [String]
    let display: Display

    init(_ settings: Settings, arguments: [String] = []) {
        self.settings = settings
        self.arguments = arguments
        display = Display(plot: settings.plot)
        if let threads = settings.threads { ThreadPool.count = threads }
        // Where the shell limits what may be mapped (`ulimit -v`), the allocator sets nothing apart for itself, and what values may take is found out
        // before the stack and the registers are mapped.
        if act_address_space() < UInt.max >> 1 {
            act_memory_keep_apart()
            _ = MemoryPool.limit
        }
        if let bytes = settings.maximumMemory { MemoryPool.limit = min(bytes, SystemMemory.bound()) }
        Interrupt.install()
    }

    /// - Parameters:
    ///   - confines: Whether the system is to enforce the sandbox from now on, if there is one: not at a terminal, where there is more to open first.
    ///   - output: Where the session writes, if not to the display; the session does not hold it.
    func startSession(isInteractive: Bool = false, confines: Bool = true, writingTo output: SessionOutput? = nil, as team: Team = .none) -> Session? {
        func report(_ diagnostic: Diagnostic) {
            if let other = output as? RankOutput { other.report(diagnostic) } else { display.report(diagnostic) }
        }
        var options = Session.Options()
        options.arguments = arguments
        options.engine = .process
        options.isStrict = settings.isStrict
        options.warns = settings.warns
        options.seed = settings.seed
        options.maximumTime = settings.maximumTime
        options.isInteractive = isInteractive
        options.team = team
        do {
            if settings.isSandboxed { options.files = try FileDoor(allowing: settings.allowedFolders) }
            let session = try Session(options: options, output: output ?? display)
            if confines, let warning = enterSandbox(session), settings.warns { report(warning) }
            return session
        } catch let error as FileError {
            report(Diagnostic(.badFolder, "--allow \(error.path): \(error.fault.words)"))
            return nil
        } catch ArrayError.outOfMemory {
            report(.cannotStart)
            return nil
        } catch {
            report(Diagnostic(.command, "act cannot start: \(message(about: error))"))
            return nil
        }
    }

    /// Before the first program.
    /// - Returns: What the system does not enforce.
    private func enterSandbox(_ session: Session, history: Folder? = nil) -> Diagnostic? {
        guard settings.isSandboxed, let warning = Sandbox.enter(session.options.files, history: history).warning else { return nil }
        return Diagnostic(.weakSandbox, warning)
    }

    // MARK: Programs

    func run(text: String) -> Int32 {
        run(named: "<command line>") { .success(Array(text.utf8)) }
    }

    func run(file: String) -> Int32 {
        run(named: file) { InputFile.readProgram(file) }
    }

    func runStandardInput() -> Int32 {
        run(named: "<standard input>", isShared: true) {
            Interrupt.enter(.reading)
            defer { Interrupt.enter(.running) }
            return InputFile.readAll(STDIN_FILENO, named: "standard input")
        }
    }

    /// - Parameter isShared: Whether one process alone can read the program.
    private func run(named name: String, isShared: Bool = false, _ read: () -> Result<[UInt8], InputFile.Failure>) -> Int32 {
        let team: Team
        do {
            if let ranks = settings.ranks, ranks > 1, try launch().isAlone { return startRanks(ranks, Array(CommandLine.arguments.dropFirst())) }
            team = try join()
        } catch { return (error as? Told)?.status ?? ExitStatus.failure }
        if team.processCount > 1 { return run(named: name, as: team, isShared: isShared, read) }
        switch read() {
        case .failure(let failure):
            display.report(failure.diagnostic)
            return ExitStatus.failure
        case .success(let bytes):
            guard let session = startSession(as: team) else { return ExitStatus.failure }
            // The process ends while the session is there: what the program made need not be freed part by part.
            return withExtendedLifetime(session) { exit(finish(session.run(bytes: bytes, named: name))) }
        }
    }

    func finish(_ status: Session.Status) -> Int32 {
        display.endLine()
        guard Output.standard.finish() || status == .interrupted && Output.standard.failure == ETIMEDOUT else { return ExitStatus.failure }
        return status.exitStatus
    }

    // MARK: Sessions

    func runSession() -> Int32 {
        do { try refuseSeveral("the session") } catch { return (error as? Told)?.status ?? ExitStatus.failure }
        let isAtTerminal = Output.standard.isTerminal && isatty(STDIN_FILENO) == 1
        guard let session = startSession(isInteractive: true, confines: !isAtTerminal) else { return ExitStatus.failure }
        let interaction = Interaction(session: session, output: display)
        if !settings.isSandboxed { (interaction.runCommand, interaction.editText) = (Shell.run, Shell.edit) }
        let status =
            isAtTerminal
            ? REPL(interaction, display) { if let warning = enterSandbox(session, history: $0), settings.warns { display.report(warning) } }.run()
            : PlainSession(interaction).run()
        return Output.standard.finish() ? status : ExitStatus.failure
    }
}

extension Session.Status {
    /// Of a process that ends so.
    var exitStatus: Int32 {
        switch self {
        case .done: ExitStatus.success
        case .failed, .limit: ExitStatus.failure
        case .interrupted: ExitStatus.interrupted
        case .exit(let status): status
        }
    }
}

/// The session without a terminal: lines in, values out, no prompts. A line that fails does not keep the others from running.
struct PlainSession {
    private let interaction: Interaction

    init(_ interaction: Interaction) { self.interaction = interaction }

    /// - Returns: 1 if a line failed.
    func run() -> Int32 {
        var reader = LineReader(descriptor: STDIN_FILENO)
        var hasFailed = false
        var isAtEnd = false
        while !isAtEnd {
            let line = reader.next()
            isAtEnd = line == nil
            if reader.isTooLong {
                interaction.output.report(InputFile.tooLarge("a line of standard input").diagnostic, interaction.session)
                return ExitStatus.failure
            }
            Interrupt.enter(.runningLine)
            switch line.map({ interaction.enter($0, before: reader.peek()) }) ?? interaction.finish() {
            case .leave(let status): return status
            case .failed: hasFailed = true
            case .interrupted: return ExitStatus.interrupted
            case .done, .incomplete: break
            }
        }
        return hasFailed ? ExitStatus.failure : ExitStatus.success
    }
}
