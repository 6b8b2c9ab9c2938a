// Several processes that run one program: how bytes get from one to the others. `SocketTransport` and `MPITransport` are the two ways;
// `Team` is what everybody else uses.
//
// What must stay true: every process calls the same functions in the same order; a wait ends when the program is interrupted.

import ActArray

/// What carries bytes between the processes of a run.
package protocol Transport: AnyObject, Sendable {
    /// Which process this is, from 0.
    var rank: Int { get }
    /// How many processes there are.
    var ranks: Int { get }
    /// Whether rank 0 hears by it what ended another rank. If not, each process speaks for itself.
    var carriesNotices: Bool { get }

    /// Everybody's bytes, in the order of ranks.
    /// - Throws: `ArrayError.interrupted`, also where a process is gone; `outOfMemory`.
    func allGather(_ bytes: [UInt8]) throws -> [[UInt8]]

    /// What `merge` makes of everybody's arrays, the same bytes for all. It is called for pieces of them, and on any of the processes.
    /// - Parameters:
    ///   - own: This rank's arrays, each of `count` elements.
    ///   - counts: How many arrays each rank has.
    ///   - unit: The bytes of an element.
    /// - Throws: As `allGather`.
    func combine(
        _ own: [UnsafeRawPointer], counts: [Int], count: Int, unit: Int, into result: UnsafeMutableRawPointer, _ merge: Merge) throws

    /// Replaces numbers by their sums over all ranks, in an order that the library chooses.
    /// - Returns: `false` where there is no such library; nothing has happened then.
    func addAll(_ elements: UnsafeMutableRawPointer, count: Int, type: ElementType) throws -> Bool

    /// From now on calls `hear` when another process ends early.
    func listen(_ hear: @escaping @Sendable (Notice) -> Void)
    /// Tells the others that this process ends early. It ends soon after.
    func tell(_ notice: Notice)
    /// Ends the connection after everybody has agreed to end.
    func close()
}

/// Makes elements of everybody's: `parts[rank][i]` are `count` elements of that rank's array i.
package typealias Merge = (_ parts: [[UnsafeRawPointer]], _ count: Int, _ into: UnsafeMutableRawPointer) -> Void

/// What ended a process early.
package struct Notice: Sendable, Equatable {
    package enum Cause: UInt8, Sendable {
        /// Its program failed, and says why.
        case failed = 1
        case interrupted
        /// Its connection ended without a word.
        case gone
        /// As `gone`, where whoever started the processes tells of it.
        case lost
        /// The system has no thread left that could hear of the others.
        case deaf
    }

    package let rank: Int
    package let cause: Cause
    /// The exit status of the whole run.
    package let status: Int32
    /// What the process has to say, where it could.
    package let text: String

    package init(rank: Int, cause: Cause, status: Int32, text: String = "") {
        (self.rank, self.cause, self.status, self.text) = (rank, cause, status, text)
    }
}

/// What is wrong between processes, as data.
package enum RanksError: Error, Equatable {
    /// They are not at the same call: where each of them is, in the order of ranks.
    case apart([RanksCall])
    /// They call the same function with different things.
    case different(call: RanksCall, what: RanksPart, rank: Int)
    /// A program that goes on on one rank only.
    case notHere(String)

    // Joining
    case missingVariable(String, beside: [String])
    /// - Parameter range: `nil` for what `act -n` writes.
    case badVariable(String, value: String, range: ClosedRange<Int>?)
    /// No library of MPI was found although a launcher of MPI started the process.
    case noLibrary(launcher: String, tried: [String])
    case incompleteLibrary(String, function: String)
    case unknownLibrary(String)
    case library(function: String, code: Int)
    /// A library that does not know of what the launcher started: it belongs to another one.
    case otherLibrary(launcher: String, ranks: Int, library: String, knows: Int)
    case cannotListen(address: String, port: Int, code: Int32)
    case cannotConnect(address: String, port: Int, code: Int32?)
    /// - Parameter code: Of `getaddrinfo`.
    case noAddress(String, code: Int32)
    /// How many came and how many should have come.
    case missingRanks([Int], of: Int, seconds: Int)
    case rankTwice(Int)
    case otherProtocol
    case worldSizes(own: Int, other: Int, rank: Int)
    case versions(own: String, other: String, rank: Int)
    case programs(rank: Int)
    case options(rank: Int)
    case cannotStart(code: Int32)
    case system(code: Int32)
}

/// Where a program is when processes meet, as data.
package enum RanksCall: Equatable, Sendable {
    /// A function that the program calls.
    case function(String)
    case spread(elements: Int)
    /// Before the first line, and behind the last.
    case start, end
    /// The program is read, by rank 0 alone.
    case program
    /// A file is read that the program may have written.
    case file

    /// As it is sent.
    var code: String {
        switch self {
        case .function(let name): "f" + name
        case .spread(let elements): "n\(elements)"
        case .start: "start"
        case .end: "end"
        case .program: "program"
        case .file: "file"
        }
    }

    /// What another process sent: act's own words, or those of another version.
    init(code: String) {
        let others: [RanksCall] = [.start, .end, .program, .file]
        if let known = others.first(where: { $0.code == code }) {
            self = known
        } else if code.first == "n", let elements = Int(code.dropFirst()) {
            self = .spread(elements: elements)
        } else {
            self = .function(String(code.dropFirst()))
        }
    }
}

/// What all processes must bring alike to a call.
package enum RanksPart: Sendable {
    case arguments, shapes
    // Of `fit`:
    case inputs, targets, validation, rowWeights, parameters, settings, parametersAfterEpoch
}
