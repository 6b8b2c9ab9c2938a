// Programs that several processes run together: joining the others, agreeing on the program, and ending with them.
//
// What must stay true: rank 0 alone writes to standard output and reads standard input; whatever ends one process early ends all, and is told
// once if it can be.

import ActArray
import ActFiles
import ActLanguage
import ActRandom
import ActRanks
import ActSyntax
import ActWording
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Runner {
    /// A failure that has been told.
    struct Told: Error { let status: Int32 }

    /// What started this process says, and `-n`.
    /// - Throws: `Told`.
    func launch() throws -> Joining.Launch {
        do { return try Joining.launch() } catch let error as RanksError { throw told(error) }
    }

    private func told(_ error: RanksError) -> Told {
        display.report(RanksWording.diagnostic(error))
        return Told(status: ExitStatus.failure)
    }

    /// Refuses what is for one process.
    func refuseSeveral(_ what: String) throws {
        let launch = try launch()
        switch launch {
        case .alone, .tcp(_, 1, _, _), .mpi(_, 1?): return
        // Nothing but PMIx says so, which Slurm sets for single processes too.
        case .mpi(_, nil): return
        default: throw told(.notHere(what))
        }
    }

    /// Joins the other processes, if there are any.
    /// - Throws: `Told`.
    func join() throws -> Team {
        let launch = try launch()
        if let ranks = settings.ranks {
            switch launch {
            case .own: break
            case .alone:
                // One needs no other process.
                if ranks == 1 { return Team(nil) }
            default: throw told(.notHere("`-n` under another launcher of several processes"))
            }
        }
        if launch.isAlone { return .none }
        if case .mpi = launch, settings.isSandboxed {
            display.report(
                Diagnostic(
                    .ranks, "`--sandbox` does not go together with MPI, whose library opens files and connections as it likes",
                    help: "`act --sandbox -n 4 FILE` does, and so do processes that find each other by MASTER_ADDR"))
            throw Told(status: ExitStatus.failure)
        }
        do {
            let team = try Joining.team(launch)
            if let here = Joining.ranksHere(launch), here > 1 {
                if settings.threads == nil { ThreadPool.count = max(1, ThreadPool.count / here) }
                if settings.maximumMemory == nil { MemoryPool.limit /= here }
            }
            return team
        } catch let error as RanksError {
            throw told(error)
        } catch {
            // Ctrl-C: nothing else ends the wait for the others.
            throw Told(status: ExitStatus.interrupted)
        }
    }

    // MARK: Running

    /// - Parameter read: Gives the program; where it is standard input, of rank 0 alone.
    func run(named name: String, as team: Team, isShared: Bool, _ read: () -> Result<[UInt8], InputFile.Failure>) -> Int32 {
        let other = team.processRank == 0 ? nil : RankOutput(team)
        display.team = team
        func report(_ diagnostic: Diagnostic) { if let other { other.report(diagnostic) } else { display.report(diagnostic) } }
        let source: Result<[UInt8], InputFile.Failure> = isShared && team.processRank > 0 ? .success([]) : read()
        guard let session = startSession(writingTo: other, as: team) else { return end(.failed, team, other) }
        team.listen(Engine.process.interrupt)
        var bytes: [UInt8] = []
        switch source {
        case .failure(let failure):
            report(failure.diagnostic)
            return end(.failed, team, other)
        case .success(let read): bytes = read
        }
        do {
            if isShared { bytes = try team.gather(.program, bytes)[0] }
            var program = Digest()
            program.add(bytes)
            let seed = try Joining.compare(
                team, version: actVersion, program: program, options: "\(settings.isStrict) \(settings.warns) \(session.options.arguments)",
                seed: settings.seed ?? UInt64.random(in: .min ... .max))
            session.seed(seed)
        } catch let error as RanksError {
            report(RanksWording.diagnostic(error))
            return end(.failed, team, other)
        } catch {
            return end(.interrupted, team, other)
        }
        return end(session.run(bytes: bytes, named: name), team, other)
    }

    /// Ends in agreement with the others, or tells them what ended the program here.
    private func end(_ ended: Session.Status, _ team: Team, _ other: RankOutput?) -> Int32 {
        var status = ended
        if team.failure == nil, status == .done || status.isExit {
            do {
                try team.conclude()
                return finish(status)
            } catch let error as RanksError {
                let diagnostic = RanksWording.diagnostic(error)
                if let other { other.report(diagnostic) } else { display.report(diagnostic) }
                status = .failed
            } catch { status = .interrupted }
        }
        display.endLine()
        // What could not be written has interrupted the program too.
        if !Output.standard.finish(), Output.standard.failure != ETIMEDOUT, status == .interrupted, team.failure == nil { status = .failed }
        if let notice = team.failure, status == .interrupted {
            tell(of: notice, team)
            return notice.status
        }
        let text: String
        switch status {
        case .interrupted: text = team.processRank == 0 ? "" : "interrupted on rank \(team.processRank)\n"
        default: text = other?.faults ?? ""
        }
        let cause: Notice.Cause = status == .interrupted ? .interrupted : .failed
        team.tell(Notice(rank: team.processRank, cause: cause, status: status.exitStatus, text: text), say: write)
        return status.exitStatus
    }

    /// What ended another rank: rank 0 says it, and where rank 0 is gone everybody.
    private func tell(of notice: Notice, _ team: Team) {
        if team.processRank == 0 || notice.rank == 0 && notice.cause == .gone || notice.cause == .deaf { write(RanksWording.text(of: notice)) }
    }

    private func write(_ text: String) {
        guard !text.isEmpty else { return }
        Output.error.write(text)
        Output.error.flush()
    }

    // MARK: Starting

    /// Starts `-n` processes with the arguments of this one, and waits for them.
    func startRanks(_ ranks: Int, _ arguments: [String]) -> Int32 {
        Interrupt.enter(.supervising)
        do {
            let launcher = try Launcher(path: Self.ownPath, arguments: arguments, ranks: ranks)
            let outcome = launcher.wait { Interrupt.ending }
            if let killed = outcome.killed {
                write("error: rank \(killed.rank) of \(ranks) was ended by signal \(killed.signal) (\(signalName(killed.signal)))\n")
                return ExitStatus.failure
            }
            let ending = Interrupt.ending
            if ending == SIGINT { return ExitStatus.interrupted }
            if ending != 0 {
                signal(ending, SIG_DFL)
                raise(ending)
            }
            let failed = outcome.ends.lazy.compactMap { end -> Int32? in
                switch end.end {
                case .status(let status): status == 0 ? nil : status
                case .signal(let signal): ExitStatus.ended(by: signal)
                }
            }
            return failed.first ?? ExitStatus.success
        } catch let error as RanksError {
            return told(error).status
        } catch {
            return ExitStatus.failure
        }
    }

    private func signalName(_ number: Int32) -> String {
        guard let text = strsignal(number) else { return "unknown" }
        return String(cString: text).lowercased()
    }

    private static var ownPath: String {
        #if os(Linux)
        if let path = realpath("/proc/self/exe", nil) {
            defer { free(path) }
            return String(cString: path)
        }
        return CommandLine.arguments[0]
        #else
        var size: UInt32 = 4096
        var buffer = [CChar](repeating: 0, count: Int(size))
        return _NSGetExecutablePath(&buffer, &size) == 0
            ? String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : CommandLine.arguments[0]
        #endif
    }
}

extension Session.Status {
    fileprivate var isExit: Bool { if case .exit = self { true } else { false } }
}
