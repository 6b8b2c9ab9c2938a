// Ranks as threads of this process, connected as processes are.

import ActArray
import ActRanks
import ActSystem
import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What threads leave, each at its place.
private final class Box<Element> {
    var results: [Result<Element, Error>?]
    init(_ count: Int) { results = [Result<Element, Error>?](repeating: nil, count: count) }
}

@Suite(.serialized) struct TransportTests {
    init() { signal(SIGPIPE, SIG_IGN) }

    /// What each rank's `body` gives.
    private func together<Result>(_ ranks: Int, _ body: @escaping (Team) throws -> Result) throws -> [Result] {
        var peers = (0..<ranks).map { _ in [Int: SocketTransport.Peer]() }
        func pair() throws -> (Int32, Int32) {
            var ends: [Int32] = [-1, -1]
            #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
            #else
            let kind = SOCK_STREAM
            #endif
            guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw TestFailure("no sockets") }
            return (ends[0], ends[1])
        }
        for rank in 1..<max(1, ranks) {
            let data = try pair(), notices = try pair()
            peers[0][rank] = SocketTransport.Peer(data: data.0, notices: notices.0)
            peers[rank][0] = SocketTransport.Peer(data: data.1, notices: notices.1)
        }
        defer { for peer in peers.flatMap(\.values) { [peer.data, peer.notices].forEach { _ = close($0) } } }
        return try onThreads(ranks) { rank in
            try body(Team(ranks > 1 ? SocketTransport(rank: rank, ranks: ranks, peers: peers[rank]) : nil))
        }
    }

    private func onThreads<Result>(_ count: Int, _ body: @escaping (Int) throws -> Result) throws -> [Result] {
        let box = Box<Result>(count), lock = Lock()
        let threads = (0..<count).map { rank in
            SystemThread {
                let result = Swift.Result { try body(rank) }
                lock.locked { box.results[rank] = result }
            }
        }
        threads.forEach { $0?.join() }
        return try box.results.map {
            guard let result = $0 else { throw TestFailure("a thread did not run") }
            return try result.get()
        }
    }

    @Test(arguments: [1, 2, 3, 5]) func everybodyGetsEverything(_ ranks: Int) throws {
        // Of all sizes, larger than what sockets hold among them.
        let sizes = [0, 1, 7, 1 << 12, 3_000_001]
        let all = try together(ranks) { team in
            try sizes.map { size in try team.gather(.function("a"), [UInt8](repeating: UInt8(team.rank + 1), count: size * (team.rank + 1) / 2)) }
        }
        for result in all {
            for (size, parts) in zip(sizes, result) {
                #expect(parts.map(\.count) == (0..<ranks).map { size * ($0 + 1) / 2 })
                #expect(parts.enumerated().allSatisfy { rank, part in part.allSatisfy { $0 == UInt8(rank + 1) } })
            }
        }
    }

    /// The sum of vectors does not depend on who holds which, to the bit; nor on their sizes.
    @Test(arguments: [ElementType.f64, .f32]) func sumsAreTheSameForAnyNumberOfRanks(_ type: ElementType) throws {
        for count in [1, 3, 100_000] {
            let parts = 8
            func vector(_ part: Int) throws -> NDArray {
                // Magnitudes far apart: another order rounds otherwise.
                try NDArray((0..<count).map { scalbn(Double(($0 &* 7919 &+ part &* 104_729) % 1009) - 504.3, ($0 &+ part * 5) % 40) }, shape: [count])
                    .converted(
                        to: type)
            }
            var expected: [Double]?
            for ranks in [1, 2, 3, 4, 5, 8, 9] {
                let plan = ShardPlan(count: parts, ranks: ranks)
                let sums = try together(ranks) { team in
                    let own = try plan.branches(of: team.rank).map { branch in
                        let sum = try ShardPlan.sum(branch, leaf: vector, add: { try $0 + $1 })
                        try sum.evaluate()
                        return sum
                    }
                    return try team.sum(own, plan, count: count, type: type).toDoubles()
                }
                expected = expected ?? sums[0]
                for sum in sums { #expect(sum == expected) }
            }
        }
    }

    @Test func ranksAtDifferentCallsAreToldApart() throws {
        let faults = try together(3) { team in
            do {
                _ = try team.gather(.function(team.rank == 1 ? "b" : "a"), [])
                return ""
            } catch { return "\(error)" }
        }
        #expect(faults == [String](repeating: "\(RanksError.apart([.function("a"), .function("b"), .function("a")]))", count: 3))
    }

    @Test func differentThingsAreNamed() throws {
        let faults = try together(3) { team in
            var first = Digest(), second = Digest()
            first.add("same")
            second.add(UInt64(team.rank / 2))
            do {
                try team.agree(.function("fit"), [(.inputs, first), (.targets, second)])
                return ""
            } catch { return "\(error)" }
        }
        #expect(faults.allSatisfy { $0 == "\(RanksError.different(call: .function("fit"), what: .targets, rank: 2))" })
    }

    @Test func versionsProgramsAndOptionsAreCompared() throws {
        func fault(_ change: @escaping (inout (version: String, program: String, options: String)) -> Void) throws -> [String] {
            try together(2) { team in
                var own = (version: "1.0", program: "x", options: "")
                if team.rank == 1 { change(&own) }
                var program = Digest()
                program.add(own.program)
                do { return "\(try Joining.compare(team, version: own.version, program: program, options: own.options, seed: UInt64(team.rank + 5)))" } catch {
                    return "\(error)"
                }
            }
        }
        // The seed is that of rank 0.
        #expect(try fault { _ in } == ["5", "5"])
        #expect(try fault { $0.version = "2.0" } == [String](repeating: "\(RanksError.versions(own: "1.0", other: "2.0", rank: 1))", count: 2))
        #expect(try fault { $0.program = "y" } == [String](repeating: "\(RanksError.programs(rank: 1))", count: 2))
        #expect(try fault { $0.options = "--strict" } == [String](repeating: "\(RanksError.options(rank: 1))", count: 2))
    }

    @Test func whatRunsApartIsAlone() throws {
        let seen = try together(2) { team in
            try team.alone { [team.rank, team.ranks, team.speaks ? 1 : 0, try team.gather(.function("x"), [9]).count] } + [
                team.rank, team.ranks, team.speaks ? 1 : 0,
            ]
        }
        #expect(seen == [[0, 1, 1, 1, 0, 2, 1], [0, 1, 1, 1, 1, 2, 0]])
    }

    // MARK: TCP

    /// A port that nobody listens at.
    private func freePort() throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { close(descriptor) }
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
                bind(descriptor, address, size) != 0 ? -1 : getsockname(descriptor, address, &size)
            }
        }
        guard code == 0 else { throw TestFailure("no port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private func connect(to port: Int) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        #if canImport(Glibc)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        for _ in 0..<200 {
            let code = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connectTo(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
            }
            if code == 0 { return descriptor }
            usleep(10_000)
        }
        return -1
    }

    private func connectTo(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Int32 {
        #if canImport(Glibc)
        Glibc.connect(descriptor, address, size)
        #else
        Darwin.connect(descriptor, address, size)
        #endif
    }

    @Test func processesFindEachOtherDespiteStrangers() throws {
        let port = try freePort()
        let results = try onThreads(4) { number -> [UInt8] in
            if number == 3 {
                // Says nothing, says something else, goes at once.
                for text in ["", "GET / HTTP/1.1\r\n\r\n", "act-rk-1"] {
                    let descriptor = connect(to: port)
                    _ = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                    if text.isEmpty { close(descriptor) }
                }
                return []
            }
            // The others come when they like.
            usleep(UInt32(number) * 30_000)
            let team = try Joining.team(.tcp(rank: number, ranks: 3, address: "127.0.0.1", port: port))
            defer { try? team.conclude() }
            return try team.gather(.function("x"), [UInt8(number)]).flatMap { $0 }
        }
        #expect(results == [[0, 1, 2], [0, 1, 2], [0, 1, 2], []])
    }

    @Test func worldSizesMustAgree() throws {
        let port = try freePort()
        let faults = try onThreads(2) { number -> String in
            do {
                _ = try Joining.team(.tcp(rank: number, ranks: 2 + number, address: "127.0.0.1", port: port))
                return ""
            } catch { return "\(error)" }
        }
        #expect(faults == ["\(RanksError.worldSizes(own: 2, other: 3, rank: 1))", "\(RanksError.worldSizes(own: 3, other: 0, rank: 0))"])
    }
}
