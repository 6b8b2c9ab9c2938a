// What goes wrong between processes that run one program, in words.

import ActMachine
import ActRanks
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum RanksWording {
    static func words(for error: RanksError) -> RefusalWording.Words {
        let (title, help) = texts(for: error)
        return (Message(stringLiteral: title), help.map { Message(stringLiteral: $0) })
    }

    /// An error that belongs to no place of a program.
    package static func diagnostic(_ error: RanksError) -> Diagnostic {
        let (title, help) = texts(for: error)
        return Diagnostic(.ranks, title, help: help)
    }

    /// What is said of a process that ended early: its own words, or what can be said without them.
    package static func text(of notice: Notice) -> String {
        switch notice.cause {
        case .failed, .interrupted: notice.text
        case .gone: "error: rank \(notice.rank) is gone: its connection ended without a word\n"
        case .lost: ""
        case .deaf: "error: the system has no thread left to listen to the other ranks\n"
        }
    }

    private static func texts(for error: RanksError) -> (title: String, help: String?) {
        switch error {
        case .apart(let calls):
            return (
                "the processes are not at the same call: \(places(of: calls))",
                "every process must come to each of these calls; what hangs on `rank()` must not hold one of them (rank 0 alone prints, draws and saves anyway)"
            )
        case .different(let call, let what, let rank):
            return (
                "rank \(rank) calls \(words(for: call)) with other \(words(for: what)) than rank 0",
                "every process needs the same there; `seed` makes random numbers the same"
            )
        case .notHere(let what): return ("\(what) is for one process", "run it without a launcher of several")
        case .missingVariable(let name, let others):
            return (
                "\(others.joined(separator: " and ")) say that several processes run, and `\(name)` is not set",
                name.hasPrefix("SLURM")
                    ? "srun sets it for each of its processes" : "launchers such as torchrun set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT"
            )
        case .badVariable(let name, let value, let range):
            return ("the environment variable `\(name)` is \"\(value)\", not \(words(for: range))", nil)
        case .noLibrary(let launcher, let tried):
            return (
                "`\(launcher)` is set, as a launcher of MPI does, and its library cannot be loaded (\(tried.joined(separator: ", ")))",
                "install the library, or name its file in ACT_MPI_LIBRARY; `act -n 4 FILE` needs none"
            )
        case .incompleteLibrary(let name, let function): return ("the library \(name) lacks `\(function)`", nil)
        case .unknownLibrary(let name):
            return ("the library \(name) is neither Open MPI nor MPICH, and it does not have the standard ABI", "ACT_MPI_LIBRARY names another file")
        case .otherLibrary(let launcher, let ranks, let library, let knows):
            return (
                "`\(launcher)` says that \(ranks) processes were started, and the library \(library) knows of \(knows)",
                "the library must belong to the launcher: ACT_MPI_LIBRARY names its file"
            )
        case .library(let function, let code): return ("`\(function)` failed with code \(code)", nil)
        case .cannotListen(let address, let port, let code):
            return ("rank 0 cannot listen at \(address):\(port): \(system(code))", "MASTER_PORT names another port")
        case .cannotConnect(let address, let port, let code):
            return (
                "nobody answers at \(address):\(port)\(code.map { ": " + system($0) } ?? "")",
                "rank 0 listens there: MASTER_ADDR and MASTER_PORT must lead to it, and no firewall may stand between"
            )
        case .noAddress(let name, let code):
            return ("the address `\(name)` in MASTER_ADDR is not known: \(String(cString: gai_strerror(code)))", nil)
        case .missingRanks(let missing, let count, let seconds):
            return ("\(ranks(missing)) of \(count) did not come within \(seconds) s", "ACT_RANKS_TIMEOUT sets how many seconds rank 0 waits")
        case .rankTwice(let rank): return ("two processes say that they are rank \(rank)", "each needs a number of its own in RANK")
        case .otherProtocol: return ("what answers at MASTER_ADDR is not a process of act that waits for others", nil)
        case .worldSizes(_, 0, let rank): return ("rank \(rank) knows of another number of processes", "WORLD_SIZE must be the same for all")
        case .worldSizes(let own, let other, let rank):
            return ("rank \(rank) is one of \(other) processes, rank 0 one of \(own)", "WORLD_SIZE must be the same for all, and RANK below it")
        case .versions(let own, let other, let rank): return ("rank \(rank) runs act \(other), rank 0 act \(own)", "all need the same version")
        case .programs(let rank): return ("rank \(rank) runs another program than rank 0", "all need the same file, byte for byte")
        case .options(let rank): return ("rank \(rank) was started with other options or arguments than rank 0", nil)
        case .cannotStart(let code): return ("a process cannot be started: \(system(code))", nil)
        case .system(let code): return ("the processes cannot be connected: \(system(code))", nil)
        }
    }

    /// `rank 1 is at X, ranks 0, 2 are at Y`.
    private static func places(of calls: [RanksCall]) -> String {
        calls.enumerated().filter { calls.firstIndex(of: $1) == $0 }.map { _, call in
            let others = calls.indices.filter { calls[$0] == call }
            return "\(ranks(others)) \(others.count == 1 ? "is" : "are") at \(words(for: call))"
        }.joined(separator: ", ")
    }

    private static func words(for range: ClosedRange<Int>?) -> String {
        range.map { "a whole number from \($0.lowerBound) to \($0.upperBound)" } ?? "what `act -n` writes there"
    }

    private static func words(for call: RanksCall) -> String {
        switch call {
        case .function(let name): "`\(name)`"
        case .spread(let elements): "`spread` over \(elements) elements"
        case .start: "the beginning of the program"
        case .end: "the end of the program"
        case .program: "the reading of the program"
        case .file: "the reading of a file that was saved before"
        }
    }

    private static func words(for part: RanksPart) -> String {
        switch part {
        case .arguments: "arguments"
        case .shapes: "shapes of values"
        case .inputs: "inputs"
        case .targets: "targets"
        case .validation: "validation data"
        case .rowWeights: "weights of rows"
        case .parameters: "parameters"
        case .settings: "settings or random numbers"
        case .parametersAfterEpoch: "parameters after an epoch"
        }
    }

    private static func ranks(_ numbers: [Int]) -> String {
        let shown = numbers.prefix(8).map(String.init).joined(separator: ", ")
        return (numbers.count == 1 ? "rank " : "ranks ") + shown + (numbers.count > 8 ? ", …" : "")
    }

    private static func system(_ code: Int32) -> String {
        guard let text = strerror(code) else { return "error \(code)" }
        let message = String(cString: text)
        return message.prefix(1).lowercased() + message.dropFirst()
    }
}
