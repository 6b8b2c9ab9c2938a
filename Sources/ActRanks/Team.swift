// The processes that run one program together, as everybody else sees them. A process by itself is a team of one.
//
// What must stay true: before anything is exchanged it is known that all ranks are at the same call; an early end of one rank interrupts the
// others; what is computed together has the same bits on every rank.

import ActArray
import ActSystem
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `@unchecked`: `notice` and `isExchanging` are touched within the monitor, the rest by the thread that computes.
package final class Team: @unchecked Sendable {
    /// A process that no launcher started.
    package static let none = Team(nil, isLaunched: false)

    private let transport: (any Transport)?
    /// Whether it was started as ranks, if only one.
    package let isLaunched: Bool
    /// How many parts of the program run now on one rank each, one inside the other; touched by the thread that computes.
    private var apart = 0
    /// Whether rank 0 has written files that the others may read next.
    private var hasWritten = false

    private let monitor = Monitor()
    private var notice: Notice?
    private var isExchanging = false

    /// - Parameter transport: `nil` for a team of one.
    package init(_ transport: (any Transport)?, isLaunched: Bool = true) {
        self.transport = transport
        self.isLaunched = isLaunched
    }

    /// Of the process, whatever runs.
    package var processRank: Int { transport?.rank ?? 0 }
    package var processCount: Int { transport?.ranks ?? 1 }

    /// As the program sees it: inside of what one rank does by itself there is no other.
    package var rank: Int { apart > 0 ? 0 : processRank }
    package var ranks: Int { apart > 0 ? 1 : processCount }
    /// Whether batches are cut into shards unless they are told to be.
    package var cutsBatches: Bool { isLaunched && apart == 0 }
    /// Whether what the program writes and shows is this rank's to write.
    package var speaks: Bool { apart > 0 || processRank == 0 }

    // MARK: Together

    /// Everybody's bytes, in the order of ranks.
    /// - Parameter call: What the program is at.
    /// - Throws: `RanksError.apart` where others are at another call; `ArrayError.interrupted`, `outOfMemory`.
    package func gather(_ call: RanksCall, _ bytes: [UInt8]) throws -> [[UInt8]] {
        guard ranks > 1, let transport else { return [bytes] }
        var writer = MessageWriter()
        writer.add(call.code)
        writer.add(bytes)
        hasWritten = false
        let all = try exchanging { try transport.allGather(writer.bytes) }.map { part in
            var reader = MessageReader(part)
            return (call: RanksCall(code: reader.text()), bytes: reader.part())
        }
        guard all.allSatisfy({ $0.call == call }) else { throw RanksError.apart(all.map(\.call)) }
        return all.map(\.bytes)
    }

    /// Returns when all ranks are here.
    package func meet(_ call: RanksCall) throws { _ = try gather(call, []) }

    /// Sees that all ranks bring the same.
    /// - Parameter parts: What is compared.
    /// - Throws: `RanksError.different`.
    package func agree(_ call: RanksCall, _ parts: [(part: RanksPart, digest: Digest)]) throws {
        guard ranks > 1 else { return }
        var writer = MessageWriter()
        for part in parts { writer.add(part.digest.value) }
        let all = try gather(call, writer.bytes)
        for (other, bytes) in all.enumerated() where bytes != all[0] {
            var mine = MessageReader(all[0]), others = MessageReader(bytes)
            for part in parts where mine.word() != others.word() { throw RanksError.different(call: call, what: part.part, rank: other) }
            throw RanksError.different(call: call, what: .arguments, rank: other)
        }
    }

    /// The sum of everybody's parts of a whole. All ranks are at the same call already.
    /// - Parameters:
    ///   - own: The sums over this rank's branches of the plan, one after the other: vectors of one length and type.
    ///   - isFast: Whether the library may choose the order.
    package func sum(_ own: [NDArray], _ plan: ShardPlan, count: Int, type: ElementType, isFast: Bool = false) throws -> NDArray {
        guard ranks > 1, let transport else { return try own.first ?? NDArray.full(0, shape: [count], type: type) }
        let result = try NDArray.uninitialized(shape: [count], type: type)
        if count == 0 { return result }
        let own = try own.map { try $0.contiguous() }
        if isFast {
            var total = try own.dropFirst().reduce(own.first) { try $0.map { [next = $1] in try $0 + next } } ?? NDArray.full(0, shape: [count], type: type)
            try total.makeUnique()
            if try exchanging({ try total.withMutableBytes { try transport.addAll($0, count: count, type: type) } }) { return total }
        }
        let counts = (0..<processCount).map { plan.branches(of: $0).count }
        try exchanging {
            try result.withMutableBytes { target in
                try withExtendedLifetime(own) {
                    try transport.combine(
                        own.map { $0.withMutableBytes { UnsafeRawPointer($0) } }, counts: counts, count: count, unit: type.size, into: target
                    ) { parts, count, into in
                        if type == .f32 { plan.fold(parts, count, into, as: Float.self) } else { plan.fold(parts, count, into, as: Double.self) }
                    }
                }
            }
        }
        return result
    }

    private func exchanging<Result>(_ body: () throws -> Result) throws -> Result {
        try Interrupt.check()
        if failure != nil { throw ArrayError.interrupted }
        monitor.locked { isExchanging = true }
        defer { monitor.locked { isExchanging = false } }
        return try body()
    }

    // MARK: Apart

    /// Runs what this rank does by itself.
    package func alone<Result>(_ body: () throws -> Result) rethrows -> Result {
        apart += 1
        defer { apart -= 1 }
        return try body()
    }

    // MARK: Files

    /// A file has been written, by rank 0.
    package func noteWriting() { if ranks > 1 { hasWritten = true } }

    /// Before a file is read: what rank 0 has written is there.
    package func waitForWriting() throws {
        if hasWritten, ranks > 1 { try meet(.file) }
    }

    // MARK: Ends

    /// What ended another rank, and so this one.
    package var failure: Notice? { monitor.locked { notice } }

    /// How long rank 0 waits for its own program to fail as another rank's did, for then it speaks as if it were alone.
    private static let grace = 0.6

    /// From now on an early end of another rank interrupts this one.
    package func listen(_ interrupt: Interrupt) {
        transport?.listen { [self] heard in
            monitor.locked { notice = notice ?? heard }
            if processRank == 0, heard.cause == .failed {
                let end = act_seconds() + Team.grace
                while act_seconds() < end, !monitor.locked({ isExchanging }) { usleep(5000) }
            }
            interrupt.raise()
        }
    }

    /// Tells the others that this rank ends early.
    /// - Parameter say: Tells whoever started them, where rank 0 does not do it for all.
    package func tell(_ notice: Notice, say: (String) -> Void) {
        guard let transport else { return }
        // Each speaks for itself there: whoever is not first is likely to have the same to say, and ends before it is said.
        if !transport.carriesNotices, processRank > 0, notice.cause == .failed { usleep(UInt32(Team.grace / 2 * 1e6)) }
        if !transport.carriesNotices { say(notice.text) }
        transport.tell(notice)
    }

    /// All ranks have come to the end of the program.
    /// - Throws: As `gather`.
    package func conclude() throws {
        guard let transport else { return }
        try meet(.end)
        transport.close()
    }
}
