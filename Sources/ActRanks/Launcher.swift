// `act -n 8 FILE`: starts the processes of one machine, connected by sockets, and waits for them. It computes nothing itself.
//
// What must stay true: no process outlives the launcher, nor the others one that failed.

import ActArray
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package struct Launcher {
    /// How a process ended.
    package enum End: Equatable {
        case status(Int32)
        case signal(Int32)
    }

    /// What became of all: in the order in which they ended.
    package struct Outcome {
        package let ends: [(rank: Int, end: End)]
        /// The first that a signal ended, before any was told to end.
        package let killed: (rank: Int, signal: Int32)?
    }

    /// More are hardly meant.
    package static let most = 256
    /// Where the sockets of a rank begin.
    private static let firstDescriptor: Int32 = 3

    private let path: String
    private let arguments: [String]
    /// By rank.
    private var processes: [pid_t] = []
    /// Closes with this process, which ends the others.
    private var lifeline: Int32 = -1

    /// Starts the processes.
    /// - Parameters:
    ///   - path: Of this program.
    ///   - arguments: The same for all.
    /// - Throws: `RanksError.system`, `cannotStart`; none runs then.
    package init(path: String, arguments: [String], ranks: Int) throws {
        (self.path, self.arguments) = (path, arguments)
        var life: [Int32] = [-1, -1]
        guard pipe(&life) == 0 else { throw RanksError.system(code: errno) }
        lifeline = life[1]
        Wire.prepare(life[0])
        Wire.prepare(life[1])
        var hub: [Int32] = [], open = [life[0]]
        defer { (hub + open).forEach(shut) }
        processes = [pid_t](repeating: 0, count: ranks)
        do {
            // Rank 0 last, which gets one end of each pair.
            for rank in (1..<max(1, ranks)).reversed() {
                let data = try Launcher.pair()
                open += [data.1]
                hub.insert(data.0, at: 0)
                let notices = try Launcher.pair()
                open += [notices.1]
                hub.insert(notices.0, at: 1)
                processes[rank] = try start(rank, of: ranks, open)
                open.dropFirst().forEach(shut)
                open = [life[0]]
            }
            processes[0] = try start(0, of: ranks, [life[0]] + hub)
        } catch {
            for process in processes where process > 0 {
                kill(process, SIGKILL)
                _ = waitpid(process, nil, 0)
            }
            throw error
        }
    }

    private static func pair() throws -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        #if canImport(Glibc)
        let kind = Int32(SOCK_STREAM.rawValue)
        #else
        let kind = SOCK_STREAM
        #endif
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw RanksError.system(code: errno) }
        ends.forEach(Wire.prepare)
        return (ends[0], ends[1])
    }

    private func start(_ rank: Int, of ranks: Int, _ descriptors: [Int32]) throws -> pid_t {
        #if canImport(Glibc)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        // Out of the way first: a socket may have the number that another one is to get.
        // (Numbers that the system does not give are refused here, and else nobody would hear of it.)
        func add(_ code: Int32) throws { if code != 0 { throw RanksError.system(code: code == EBADF ? EMFILE : code) } }
        let unused = max(Launcher.firstDescriptor + Int32(descriptors.count), (descriptors.max() ?? 0) + 1)
        for (index, descriptor) in descriptors.enumerated() { try add(posix_spawn_file_actions_adddup2(&actions, descriptor, unused + Int32(index))) }
        for index in descriptors.indices {
            try add(posix_spawn_file_actions_adddup2(&actions, unused + Int32(index), Launcher.firstDescriptor + Int32(index)))
            try add(posix_spawn_file_actions_addclose(&actions, unused + Int32(index)))
        }
        // Standard input is rank 0's.
        if rank > 0 { try add(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)) }
        // What this process ignores or handles is its own affair.
        var handled = sigset_t()
        sigemptyset(&handled)
        for number in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, SIGXCPU] { sigaddset(&handled, number) }
        posix_spawnattr_setsigdefault(&attributes, &handled)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        let own = descriptors.indices.map { String(Launcher.firstDescriptor + Int32($0)) }.joined(separator: " ")
        var variables: [UnsafeMutablePointer<CChar>?] = [strdup("\(Joining.ownVariable)=\(rank) \(ranks) \(own)")]
        var next = environ
        while let variable = next.pointee {
            variables.append(strdup(variable))
            next += 1
        }
        variables.append(nil)
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { (variables + words).forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, path, &actions, &attributes, &words, &variables)
        guard code == 0 else { throw RanksError.cannotStart(code: code) }
        return process
    }

    /// Waits for all. When one fails without the others hearing of it, they are ended.
    /// - Parameter wanted: What signal this process has been asked to end by; 0 for none.
    package func wait(_ wanted: () -> Int32) -> Outcome {
        var left = Dictionary(uniqueKeysWithValues: processes.enumerated().map { ($1, $0) })
        var ends: [(rank: Int, end: End)] = [], killed: (rank: Int, signal: Int32)?
        // The moments at which the rest is asked, and made, to end.
        var asks: Double?, kills: Double?
        while !left.isEmpty {
            var status: Int32 = 0
            let process = waitpid(-1, &status, WNOHANG)
            if process > 0, let rank = left.removeValue(forKey: process) {
                let end: End = status & 0x7F == 0 ? .status(status >> 8 & 0xFF) : .signal(status & 0x7F)
                ends.append((rank, end))
                if case .signal(let signal) = end, kills == nil, wanted() == 0, killed == nil { killed = (rank, signal) }
                if end != .status(0), asks == nil { asks = act_seconds() + 1 }
                continue
            }
            if process < 0, errno == ECHILD { break }
            let now = act_seconds(), signal = wanted()
            // From a terminal all have heard it themselves.
            if signal != 0, asks == nil { asks = now + 0.1 }
            if let moment = asks, now >= moment, kills == nil {
                for process in left.keys { kill(process, signal != 0 ? signal : SIGTERM) }
                kills = now + 0.5
            }
            if let moment = kills, now >= moment {
                for process in left.keys { kill(process, SIGKILL) }
                kills = now + 1
            }
            usleep(left.count == processes.count ? 5000 : 1000)
        }
        shut(lifeline)
        return Outcome(ends: ends, killed: killed)
    }

    // MARK: In a process that was started

    /// - Parameter descriptors: The lifeline; then of rank 0 two for each other rank, of the others two.
    static func transport(rank: Int, ranks: Int, _ descriptors: [Int32]) -> SocketTransport? {
        descriptors.forEach(Wire.prepare)
        guard ranks > 1 else { return nil }
        var peers: [Int: SocketTransport.Peer] = [:], next = 1
        for other in rank == 0 ? Array(1..<ranks) : [0] where next + 1 < descriptors.count {
            peers[other] = SocketTransport.Peer(data: descriptors[next], notices: descriptors[next + 1])
            next += 2
        }
        return SocketTransport(rank: rank, ranks: ranks, peers: peers, isSupervised: true, lifeline: descriptors[0])
    }
}

private func shut(_ descriptor: Int32) { if descriptor >= 0 { _ = close(descriptor) } }
