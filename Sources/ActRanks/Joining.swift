// How a process finds out that it is one of several, and joins the others: by what the launcher has put into its environment.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum Joining {
    /// What the environment says.
    package enum Launch: Equatable {
        case alone
        /// By `act -n`.
        case own(rank: Int, ranks: Int, descriptors: [Int32])
        case tcp(rank: Int, ranks: Int, address: String, port: Int)
        /// `ranks` is `nil` where the launcher does not say.
        case mpi(launcher: String, ranks: Int?)

        package var isAlone: Bool { self == .alone }
    }

    static let ownVariable = "ACT_RANK"
    /// Seconds until every rank must have come.
    package static let patienceVariable = "ACT_RANKS_TIMEOUT"
    private static let usualPatience = 300
    private static let most = 1 << 16
    private static let usualPort = 29500

    /// - Parameter variable: Of the environment; empty ones are missing.
    /// - Throws: `RanksError.missingVariable`, `badVariable`.
    package static func launch(_ variable: (String) -> String? = environment) throws -> Launch {
        if let text = variable(ownVariable) {
            let words = text.split(separator: " ").compactMap { Int32($0) }
            guard words.count >= 3, words[1] >= 1, words[0] >= 0, words[0] < words[1], areOpen(words[2...], rank: words[0], ranks: words[1]) else {
                throw RanksError.badVariable(ownVariable, value: text, range: nil)
            }
            return .own(rank: Int(words[0]), ranks: Int(words[1]), descriptors: Array(words[2...]))
        }
        func whole(_ name: String, _ text: String, _ range: ClosedRange<Int>) throws -> Int {
            guard let number = Int(text), range.contains(number) else {
                throw RanksError.badVariable(name, value: text, range: range)
            }
            return number
        }
        // Slurm's own numbers serve where nobody has set these.
        if let address = variable("MASTER_ADDR"), let (sizeName, size) = first(["WORLD_SIZE", "SLURM_NTASKS"], variable) {
            let rankNames = sizeName == "WORLD_SIZE" ? ["RANK", "SLURM_PROCID"] : ["SLURM_PROCID"]
            guard let (rankName, rank) = first(rankNames, variable) else {
                throw RanksError.missingVariable(rankNames[0], beside: ["MASTER_ADDR", sizeName])
            }
            let ranks = try whole(sizeName, size, 1...most), port = try variable("MASTER_PORT").map { try whole("MASTER_PORT", $0, 1...65535) } ?? usualPort
            // There torchrun listens itself, as long as its processes run.
            let isTaken = variable("TORCHELASTIC_USE_AGENT_STORE") == "True"
            return .tcp(
                rank: try whole(rankName, rank, 0...ranks - 1), ranks: ranks, address: address, port: !isTaken ? port : port < 65535 ? port + 1 : port - 1)
        }
        if let (name, size) = first(["WORLD_SIZE"], variable), let (rankName, _) = first(["RANK"], variable), try whole(name, size, 1...most) > 1 {
            throw RanksError.missingVariable("MASTER_ADDR", beside: [rankName, name])
        }
        if let (name, size) = first(["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"], variable) { return .mpi(launcher: name, ranks: try whole(name, size, 1...most)) }
        // Slurm's PMIx says which rank, not of how many; Slurm does.
        if let (name, _) = first(["PMIX_RANK"], variable) {
            return .mpi(launcher: name, ranks: try variable("SLURM_NTASKS").map { try whole("SLURM_NTASKS", $0, 1...most) })
        }
        return .alone
    }

    /// Whether these are what a launcher hands down: one to see that it lives, and two for each rank that is spoken to.
    private static func areOpen(_ descriptors: ArraySlice<Int32>, rank: Int32, ranks: Int32) -> Bool {
        let peers = ranks == 1 ? 0 : rank == 0 ? Int(ranks) - 1 : 1
        return descriptors.count == 1 + 2 * peers && descriptors.allSatisfy { fcntl($0, F_GETFD) >= 0 }
    }

    private static func first(_ names: [String], _ variable: (String) -> String?) -> (name: String, value: String)? {
        for name in names { if let value = variable(name) { return (name, value) } }
        return nil
    }

    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// How many ranks share this machine, where the launcher says so.
    package static func ranksHere(_ launch: Launch) -> Int? {
        switch launch {
        case .alone: return nil
        case .own(_, let ranks, _): return ranks
        case .tcp, .mpi:
            let names = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "LOCAL_WORLD_SIZE", "SLURM_TASKS_PER_NODE"]
            // Slurm writes 4(x2) for two nodes of four tasks each.
            return first(names, environment).flatMap { Int($0.value.prefix { $0.isNumber }) }.flatMap { (1...most).contains($0) ? $0 : nil }
        }
    }

    package static var patience: Int { environment(patienceVariable).flatMap { Int($0) }.flatMap { (1...86_400).contains($0) ? $0 : nil } ?? usualPatience }

    /// Joins the others.
    /// - Throws: `RanksError`; `ArrayError.interrupted`.
    package static func team(_ launch: Launch) throws -> Team {
        switch launch {
        case .alone: return .none
        case .own(let rank, let ranks, let descriptors):
            unsetenv(ownVariable)
            return Team(Launcher.transport(rank: rank, ranks: ranks, descriptors))
        case .tcp(_, 1, _, _), .mpi(_, 1?): return Team(nil)
        case .tcp(let rank, let ranks, let address, let port):
            return Team(try Rendezvous(rank: rank, ranks: ranks, address: address, port: port, patience: patience).transport())
        case .mpi(let launcher, let ranks):
            let transport = try MPITransport(launcher: launcher)
            if let ranks, ranks != transport.ranks {
                transport.close()
                throw RanksError.otherLibrary(launcher: launcher, ranks: ranks, library: transport.libraryName, knows: transport.ranks)
            }
            return Team(transport.ranks > 1 ? transport : nil)
        }
    }

    /// Sees that all ranks run the same program, in the same way, by the same act.
    /// - Parameter seed: What random numbers begin with, of rank 0.
    /// - Returns: The seed of rank 0.
    /// - Throws: `RanksError.versions`, `programs`, `options`.
    package static func compare(_ team: Team, version: String, program: Digest, options: String, seed: UInt64) throws -> UInt64 {
        var writer = MessageWriter()
        writer.add(version)
        writer.add(program.value)
        writer.add(options)
        writer.add(seed)
        let all = try team.gather(.start, writer.bytes).map { bytes in
            var reader = MessageReader(bytes)
            return (version: reader.text(), program: reader.word(), options: reader.text(), seed: reader.word())
        }
        for (rank, other) in all.enumerated() {
            if other.version != all[0].version { throw RanksError.versions(own: all[0].version, other: other.version, rank: rank) }
            if other.program != all[0].program { throw RanksError.programs(rank: rank) }
            if other.options != all[0].options { throw RanksError.options(rank: rank) }
        }
        return all[0].seed
    }
}
