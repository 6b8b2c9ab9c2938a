// Processes around rank 0: each other one has two connections to it, one for data and one for notices of early ends. Rank 0 gathers, adds up
// and sends back. The launcher makes the sockets on one machine (`Launcher`), TCP between machines (`Rendezvous`).
//
// What must stay true: data are read by the thread that computes, notices by one that only listens, so that a notice is heard whatever the
// program does; a process that goes says so first.

import ActArray
import ActSystem
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `@unchecked`: what the listening thread shares is touched within the monitor, the rest by the thread that computes.
package final class SocketTransport: Transport, @unchecked Sendable {
    /// What leads to another process.
    package struct Peer: Sendable {
        package let data, notices: Int32

        package init(data: Int32, notices: Int32) {
            (self.data, self.notices) = (data, notices)
            Wire.prepare(data)
            Wire.prepare(notices)
        }
    }

    package let rank, ranks: Int
    package let carriesNotices = true
    /// By rank: of rank 0 all the others, of the others rank 0.
    private let peers: [Int: Peer]
    /// Whether whoever started the processes says what became of one that is gone without a word.
    private let isSupervised: Bool
    /// Closed when the process that started this one is gone.
    private let lifeline: Int32?

    // Shared with the thread that listens, within the monitor.
    private let monitor = Monitor()
    private var isClosing = false
    private var heard: Notice?

    package init(rank: Int, ranks: Int, peers: [Int: Peer], isSupervised: Bool = false, lifeline: Int32? = nil) {
        (self.rank, self.ranks, self.peers) = (rank, ranks, peers)
        (self.isSupervised, self.lifeline) = (isSupervised, lifeline)
    }

    private func peer(_ rank: Int) throws -> Peer {
        guard let peer = peers[rank] else { throw ArrayError.interrupted }
        return peer
    }

    // MARK: Data

    package func allGather(_ bytes: [UInt8]) throws -> [[UInt8]] {
        try exchanging {
            guard rank == 0 else {
                let hub = try peer(0)
                try Wire.writeFrame(bytes, to: hub.data)
                return try (0..<ranks).map { other in try other == rank ? bytes : Wire.readFrame(from: hub.data) }
            }
            var all = [bytes]
            for other in 1..<max(1, ranks) { all.append(try Wire.readFrame(from: peer(other).data)) }
            for other in 1..<max(1, ranks) {
                let descriptor = try peer(other).data
                for (index, part) in all.enumerated() where index != other { try Wire.writeFrame(part, to: descriptor) }
            }
            return all
        }
    }

    /// What goes at once.
    private static let piece = 1 << 18

    package func combine(
        _ own: [UnsafeRawPointer], counts: [Int], count: Int, unit: Int, into result: UnsafeMutableRawPointer, _ merge: Merge
    ) throws {
        try exchanging {
            let step = max(1, SocketTransport.piece / max(1, unit)), most = min(step, count) &* unit
            guard rank == 0 else {
                let hub = try peer(0)
                for start in stride(from: 0, to: count, by: step) {
                    let length = min(step, count - start) &* unit, offset = start &* unit
                    for array in own { try Wire.write(UnsafeRawBufferPointer(start: array + offset, count: length), to: hub.data) }
                    try Wire.read(UnsafeMutableRawBufferPointer(start: result + offset, count: length), from: hub.data)
                }
                return
            }
            let received = counts.dropFirst().reduce(0, +)
            try MemoryPool.allow(received &* most)
            let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, received &* most), alignment: 64)
            defer { memory.deallocate() }
            for start in stride(from: 0, to: count, by: step) {
                let length = min(step, count - start) &* unit, offset = start &* unit
                var parts = [own.map { $0 + offset }], next = memory
                for other in 1..<max(1, ranks) {
                    let descriptor = try peer(other).data
                    var arrays: [UnsafeRawPointer] = []
                    for _ in 0..<counts[other] {
                        try Wire.read(UnsafeMutableRawBufferPointer(start: next, count: length), from: descriptor)
                        arrays.append(UnsafeRawPointer(next))
                        next += most
                    }
                    parts.append(arrays)
                }
                merge(parts, min(step, count - start), result + offset)
                for other in 1..<max(1, ranks) { try Wire.write(UnsafeRawBufferPointer(start: result + offset, count: length), to: peer(other).data) }
            }
        }
    }

    package func addAll(_ elements: UnsafeMutableRawPointer, count: Int, type: ElementType) throws -> Bool { false }

    /// Where a connection ends, a notice says why, now or soon.
    private func exchanging<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch is Wire.Gone {
            let end = act_seconds() + 2
            while act_seconds() < end {
                try Interrupt.check()
                usleep(2000)
            }
            throw ArrayError.interrupted
        }
    }

    // MARK: Notices

    private static let leaving: UInt8 = 0
    /// No process has more to say at its end.
    private static let longestText = 1 << 16

    package func listen(_ hear: @escaping @Sendable (Notice) -> Void) {
        let started = SystemThread(stackSize: 1 << 18, isDetached: true) { [self] in
            var open = peers.map { (rank: $0.key, descriptor: $0.value.notices) }
            while !open.isEmpty || lifeline != nil {
                var sources = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
                if let lifeline { sources.append(pollfd(fd: lifeline, events: Int16(POLLIN), revents: 0)) }
                _ = poll(&sources, nfds_t(sources.count), 100)
                if monitor.locked({ isClosing }) { return }
                if lifeline != nil, sources.last?.revents != 0 {
                    // Whoever would tell of it is gone, and so are those who would read it.
                    hear(Notice(rank: rank, cause: .interrupted, status: 1))
                    return
                }
                for (index, source) in sources.prefix(open.count).enumerated().reversed() where source.revents != 0 {
                    let other = open[index].rank
                    guard let notice = message(from: open[index].descriptor, of: other) else {
                        open.remove(at: index)
                        continue
                    }
                    let isFirst = monitor.locked {
                        defer { heard = heard ?? notice }
                        return heard == nil
                    }
                    open.remove(at: index)
                    guard isFirst else { continue }
                    // The others know of it by rank 0 alone.
                    if rank == 0 { relay(notice, butTo: other) }
                    hear(notice)
                }
            }
        }
        if started == nil { hear(Notice(rank: rank, cause: .deaf, status: 1)) }
    }

    /// - Returns: `nil` for one that leaves in agreement with all.
    private func message(from descriptor: Int32, of other: Int) -> Notice? {
        let end = act_seconds() + 1
        do {
            let frame = try Wire.readFrame(from: descriptor) { if act_seconds() > end { throw Wire.Gone() } }
            if frame == [SocketTransport.leaving] { return nil }
            var reader = MessageReader(frame)
            let cause = Notice.Cause(rawValue: UInt8(truncatingIfNeeded: reader.word())) ?? .gone
            return Notice(rank: reader.whole(), cause: cause, status: Int32(truncatingIfNeeded: reader.whole()), text: reader.text())
        } catch {
            return Notice(rank: other, cause: isSupervised ? .lost : .gone, status: 1)
        }
    }

    private func relay(_ notice: Notice, butTo other: Int?) {
        for (rank, peer) in peers where rank != other { send(notice, to: peer.notices) }
    }

    private func send(_ notice: Notice, to descriptor: Int32) {
        var writer = MessageWriter()
        writer.add(UInt64(notice.cause.rawValue))
        writer.add(notice.rank)
        writer.add(Int(notice.status))
        writer.add(String(decoding: notice.text.utf8.prefix(SocketTransport.longestText), as: UTF8.self))
        transmit(writer.bytes, to: descriptor)
    }

    /// Nobody waits long for one that does not listen.
    private func transmit(_ bytes: [UInt8], to descriptor: Int32) {
        let end = act_seconds() + 0.2
        try? Wire.writeFrame(bytes, to: descriptor) { if act_seconds() > end { throw Wire.Gone() } }
    }

    /// How long a rank stays after it has told rank 0 what ended it: launchers end the others once one is gone, and rank 0 is to say why before.
    private static let stay = 0.9

    package func tell(_ notice: Notice) {
        monitor.locked { heard = heard ?? notice }
        relay(notice, butTo: nil)
        guard rank > 0, let hub = peers[0] else { return }
        let end = act_seconds() + SocketTransport.stay
        var byte: UInt8 = 0
        while act_seconds() < end {
            var source = pollfd(fd: hub.notices, events: Int16(POLLIN), revents: 0)
            if poll(&source, 1, 20) > 0, recv(hub.notices, &byte, 1, Int32(MSG_PEEK)) <= 0 { return }
            usleep(2000)
        }
    }

    package func close() {
        monitor.locked { isClosing = true }
        for peer in peers.values { transmit([SocketTransport.leaving], to: peer.notices) }
    }
}
