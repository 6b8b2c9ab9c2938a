// Processes on several machines find each other: rank 0 listens at an address that all know, the others connect to it, twice each.
//
// What must stay true: whoever else connects (a scanner, a probe) is sent away and delays nobody; every wait ends.

import ActArray
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct Rendezvous {
    let rank, ranks: Int
    let address: String
    let port: Int
    /// Seconds until all must have come.
    let patience: Int

    /// What a connection begins with: 8 bytes that say what it is, the rank, how many ranks it knows of, and what the connection is for.
    private static let mark = Array("act-rk-1".utf8), greetingSize = 8 + 3 * 8
    private enum Purpose: Int { case data, notices }
    private enum Answer: UInt8 { case welcome = 1, otherSize, taken }
    /// Seconds for whoever has connected to say who it is, and how many may not have said it yet.
    private static let longestGreeting = 10.0, mostStrangers = 256

    func transport() throws -> SocketTransport {
        let end = act_seconds() + Double(patience)
        let peers = rank == 0 ? try gathered(until: end) : [0: try hub(until: end)]
        return SocketTransport(rank: rank, ranks: ranks, peers: peers)
    }

    // MARK: Rank 0

    private func gathered(until end: Double) throws -> [Int: SocketTransport.Peer] {
        let listener = try listening()
        var waiting: [Int: [Purpose: Int32]] = [:], strangers: [(descriptor: Int32, bytes: [UInt8], end: Double)] = []
        defer {
            close(listener)
            for stranger in strangers { close(stranger.descriptor) }
        }
        func missing() -> [Int] { (1..<ranks).filter { waiting[$0]?.count != 2 } }
        do {
            while !missing().isEmpty {
                try Interrupt.check()
                let now = act_seconds()
                guard now < end else { throw RanksError.missingRanks(missing(), of: ranks, seconds: patience) }
                var sources = [pollfd(fd: strangers.count < Rendezvous.mostStrangers ? listener : -1, events: Int16(POLLIN), revents: 0)]
                sources += strangers.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
                _ = poll(&sources, nfds_t(sources.count), 50)
                for index in strangers.indices.reversed() {
                    if sources[index + 1].revents != 0 {
                        var bytes = [UInt8](repeating: 0, count: Rendezvous.greetingSize - strangers[index].bytes.count)
                        let count = read(strangers[index].descriptor, &bytes, bytes.count)
                        if count > 0 { strangers[index].bytes += bytes[..<count] } else if count == 0 || errno != EAGAIN { strangers[index].end = 0 }
                    }
                    let stranger = strangers[index]
                    if stranger.bytes.count == Rendezvous.greetingSize {
                        strangers.remove(at: index)
                        try admit(stranger.descriptor, stranger.bytes, &waiting)
                    } else if !Rendezvous.mark.starts(with: stranger.bytes.prefix(8)) || now > stranger.end {
                        strangers.remove(at: index)
                        close(stranger.descriptor)
                    }
                }
                if sources[0].revents != 0 {
                    let descriptor = accept(listener, nil, nil)
                    if descriptor >= 0 {
                        Rendezvous.tune(descriptor)
                        strangers.append((descriptor, [], now + Rendezvous.longestGreeting))
                    }
                }
            }
        } catch {
            for descriptor in waiting.values.flatMap(\.values) { close(descriptor) }
            throw error
        }
        return waiting.mapValues { SocketTransport.Peer(data: $0[.data] ?? -1, notices: $0[.notices] ?? -1) }
    }

    /// Takes in whoever has said who it is, and tells it so.
    private func admit(_ descriptor: Int32, _ greeting: [UInt8], _ waiting: inout [Int: [Purpose: Int32]]) throws {
        var reader = MessageReader(Array(greeting.dropFirst(8)))
        let other = reader.whole(), size = reader.whole()
        guard greeting.starts(with: Rendezvous.mark), let purpose = Purpose(rawValue: reader.whole()), other > 0 else {
            close(descriptor)
            return
        }
        let answer: Answer = size != ranks || other >= ranks ? .otherSize : waiting[other]?[purpose] != nil ? .taken : .welcome
        let end = act_seconds() + 1
        try? Wire.write([answer.rawValue], to: descriptor) { if act_seconds() > end { throw Wire.Gone() } }
        switch answer {
        case .welcome: waiting[other, default: [:]][purpose] = descriptor
        case .otherSize:
            close(descriptor)
            throw RanksError.worldSizes(own: ranks, other: size, rank: other)
        case .taken:
            close(descriptor)
            throw RanksError.rankTwice(other)
        }
    }

    /// At the address if it is this machine's, else at every one that it has: a name may lead here by way of another.
    private func listening() throws -> Int32 {
        var code: Int32 = 0
        let own = try addresses()
        for candidate in own + Rendezvous.anywhere(port) {
            let descriptor = socket(candidate.family, candidate.kind, candidate.number)
            guard descriptor >= 0 else {
                code = errno
                continue
            }
            var yes: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            if candidate.withAddress({ bind(descriptor, $0, $1) }) == 0, listen(descriptor, Int32(min(4096, 2 * ranks + 16))) == 0 {
                Wire.prepare(descriptor)
                return descriptor
            }
            code = errno
            close(descriptor)
            // Another program listens there.
            if code == EADDRINUSE || code == EACCES { break }
        }
        throw RanksError.cannotListen(address: address, port: port, code: code)
    }

    // MARK: The others

    private func hub(until end: Double) throws -> SocketTransport.Peer {
        let data = try connected(for: .data, until: end)
        do { return SocketTransport.Peer(data: data, notices: try connected(for: .notices, until: end)) } catch {
            close(data)
            throw error
        }
    }

    /// Tries until somebody answers: rank 0 may start later, and its name be known later still.
    private func connected(for purpose: Purpose, until end: Double) throws -> Int32 {
        var last: Int32?
        while true {
            try Interrupt.check()
            let candidates: [Address]
            do { candidates = try addresses() } catch {
                if act_seconds() > end { throw error }
                usleep(200_000)
                continue
            }
            for candidate in candidates {
                let descriptor = socket(candidate.family, candidate.kind, candidate.number)
                guard descriptor >= 0 else {
                    last = errno
                    continue
                }
                Rendezvous.tune(descriptor)
                if let code = candidate.connect(descriptor, seconds: 5) {
                    last = code
                    close(descriptor)
                    continue
                }
                do {
                    if try greet(descriptor, purpose, until: min(end, act_seconds() + Rendezvous.longestGreeting)) { return descriptor }
                } catch {
                    close(descriptor)
                    throw error
                }
                close(descriptor)
            }
            guard act_seconds() < end else { throw RanksError.cannotConnect(address: address, port: port, code: last) }
            usleep(100_000)
        }
    }

    /// - Returns: `false` where nobody answers who knows the words.
    private func greet(_ descriptor: Int32, _ purpose: Purpose, until end: Double) throws -> Bool {
        var writer = MessageWriter()
        for number in [rank, ranks, purpose.rawValue] { writer.add(number) }
        func check() throws {
            try Interrupt.check()
            if act_seconds() > end { throw Wire.Gone() }
        }
        let answer: [UInt8]
        do {
            try Wire.write(Rendezvous.mark + writer.bytes, to: descriptor, check)
            answer = try Wire.read(1, from: descriptor, check)
        } catch is Wire.Gone { return false }
        switch Answer(rawValue: answer[0]) {
        case .welcome: return true
        case .otherSize: throw RanksError.worldSizes(own: ranks, other: 0, rank: 0)
        case .taken: throw RanksError.rankTwice(rank)
        case nil: throw RanksError.otherProtocol
        }
    }

    // MARK: Addresses

    private struct Address {
        let family, kind, number: Int32
        let bytes: [UInt8]

        func withAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
            var address = sockaddr_storage()
            let length = withUnsafeMutableBytes(of: &address) { memory -> Int in
                memory.copyBytes(from: bytes.prefix(memory.count))
                return min(bytes.count, memory.count)
            }
            return withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
            }
        }

        /// - Returns: What the system says; `nil` once it is connected.
        func connect(_ descriptor: Int32, seconds: Int32) -> Int32? {
            #if canImport(Glibc)
            let status = withAddress { Glibc.connect(descriptor, $0, $1) }
            #else
            let status = withAddress { Darwin.connect(descriptor, $0, $1) }
            #endif
            if status == 0 { return nil }
            guard errno == EINPROGRESS || errno == EINTR else { return errno }
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            for _ in 0..<seconds * 20 where !Interrupt.isSet && ready.revents == 0 { _ = poll(&ready, 1, 50) }
            guard ready.revents != 0 else { return ETIMEDOUT }
            var code: Int32 = 0, size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
            return code == 0 ? nil : code
        }
    }

    private func addresses() throws -> [Address] { try Rendezvous.addresses(address, port, flags: AI_ADDRCONFIG | AI_NUMERICSERV) }

    private static func anywhere(_ port: Int) -> [Address] { (try? addresses(nil, port, flags: AI_PASSIVE | AI_NUMERICSERV)) ?? [] }

    private static func addresses(_ name: String?, _ port: Int, flags: Int32) throws -> [Address] {
        var hints = addrinfo(), found: UnsafeMutablePointer<addrinfo>?
        hints.ai_flags = flags
        #if canImport(Glibc)
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
        hints.ai_socktype = SOCK_STREAM
        #endif
        let code = getaddrinfo(name, String(port), &hints, &found)
        guard code == 0 else { throw RanksError.noAddress(name ?? "", code: code) }
        defer { freeaddrinfo(found) }
        var result: [Address] = [], next = found
        while let entry = next?.pointee {
            if let address = entry.ai_addr {
                result.append(
                    Address(
                        family: entry.ai_family, kind: entry.ai_socktype, number: entry.ai_protocol,
                        bytes: Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))))
            }
            next = entry.ai_next
        }
        return result
    }

    /// Small messages go at once; a machine that is gone is noticed within half a minute.
    private static func tune(_ descriptor: Int32) {
        Wire.prepare(descriptor)
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        #if canImport(Glibc)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 10)
        set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 30_000)
        #else
        set(Int32(IPPROTO_TCP), TCP_KEEPALIVE, 10)
        #endif
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    }
}
