// ZMTP 3 (https://rfc.zeromq.org/spec/23/, 37 for 3.1), the server's side of one connection as bytes in and messages out: greeting, handshake
// without security, frames, subscriptions.
//
// What must stay true: it knows no socket; whatever the bytes are, there are messages or one fault, after which the connection is over;
// it holds no more than `longest` bytes and what the memory limit allows, whatever lengths a peer announces.

import ActArray

/// The kinds of sockets that a kernel serves.
package enum ZMTPSocketType: String, Sendable {
    /// Answers whoever asked.
    case router = "ROUTER"
    /// Says the same to all who subscribe.
    case publisher = "PUB"
    /// Answers each question in turn.
    case reply = "REP"

    func accepts(_ peer: String) -> Bool {
        switch self {
        case .router: ["DEALER", "REQ", "ROUTER"].contains(peer)
        case .publisher: ["SUB", "XSUB"].contains(peer)
        case .reply: ["REQ", "DEALER"].contains(peer)
        }
    }
}

/// Why a connection ends.
package enum ZMTPFault: Error, Equatable {
    /// It speaks something else, or ZMTP before 3.
    case foreign
    /// It asks for security of a kind that act has none of.
    case mechanism(String)
    case socketType(String)
    case malformed
    case tooLong
}

package struct ZMTPStream: ~Copyable {
    package enum Event: Equatable {
        /// To be sent now.
        case answer([UInt8])
        /// The handshake is done.
        case ready
        case message([[UInt8]])
        case subscribe([UInt8])
        case cancel([UInt8])
    }

    private enum Phase { case greeting, handshake, open, over }

    /// What a connection begins with: a signature, version 3.0, no security, the rest zeros.
    package static let greeting: [UInt8] =
        [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0] + Array("NULL".utf8) + Array(repeating: 0, count: 48)

    /// No command that means anything here is longer.
    private static let longestCommand = 1 << 16

    private let type: ZMTPSocketType
    private let longest: Int
    private var phase = Phase.greeting
    private var buffer: [UInt8] = []
    /// What of the buffer has been read.
    private var position = 0
    /// The frames of a message that goes on.
    private var frames: [[UInt8]] = []
    private var frameBytes = 0
    private var held = Reservation()

    /// - Parameter longest: The bytes of the longest message that is taken.
    package init(_ type: ZMTPSocketType, longest: Int) {
        self.type = type
        self.longest = longest
    }

    /// Takes what has come.
    /// - Parameter body: Gets what it means, in order.
    /// - Throws: `ZMTPFault`; `outOfMemory`. Nothing can be received after it.
    package mutating func receive(_ bytes: some Collection<UInt8>, _ body: (Event) -> Void) throws {
        guard phase != .over else { return }
        do {
            try hold(bytes.count)
            buffer += bytes
            while try step(body) {}
            if position > 0 {
                buffer.removeFirst(position)
                position = 0
            }
            if buffer.isEmpty, frames.isEmpty, held.bytes > 0 {
                held = Reservation()
                buffer = []
            }
        } catch {
            if case ZMTPFault.mechanism = error { body(.answer(Self.command("ERROR", Self.short("act takes connections without security (NULL)")))) }
            if case ZMTPFault.socketType(let peer) = error { body(.answer(Self.command("ERROR", Self.short("\(type.rawValue) does not talk to \(peer)")))) }
            (phase, buffer, frames, position) = (.over, [], [], 0)
            throw error
        }
    }

    /// Small messages are not worth counting.
    private mutating func hold(_ more: Int) throws {
        // Once in the buffer, which may have room for as many again, and once in frames.
        let needed = (buffer.count + more + frameBytes) * 3
        if needed > 1 << 16, needed > held.bytes { try held.grow(by: needed - held.bytes) }
    }

    private var left: Int { buffer.count - position }

    private mutating func take(_ count: Int) -> [UInt8] {
        defer { position += count }
        return Array(buffer[position..<position + count])
    }

    /// Whether there was enough for a step.
    private mutating func step(_ body: (Event) -> Void) throws -> Bool {
        switch phase {
        case .over: return false
        case .greeting:
            // What is not a greeting is known by its first bytes: who speaks something else would wait for an answer.
            if left > 0, buffer[0] != 0xff { throw ZMTPFault.foreign }
            if left > 9, buffer[9] & 1 == 0 { throw ZMTPFault.foreign }
            if left > 10, buffer[10] < 3 { throw ZMTPFault.foreign }
            guard left >= 64 else { return false }
            let greeting = take(64)
            let mechanism = String(decoding: greeting[12..<32].prefix { $0 != 0 }, as: UTF8.self)
            guard mechanism == "NULL" else { throw ZMTPFault.mechanism(mechanism) }
            phase = .handshake
            body(.answer(Self.command("READY", Self.property("Socket-Type", type.rawValue) + Self.property("Identity", ""))))
            return true
        case .handshake, .open: return try frame(body)
        }
    }

    private mutating func frame(_ body: (Event) -> Void) throws -> Bool {
        guard left > 0 else { return false }
        let flags = buffer[position], isLong = flags & 2 != 0, isCommand = flags & 4 != 0, goesOn = flags & 1 != 0
        guard flags & ~7 == 0, !(isCommand && goesOn) else { throw ZMTPFault.malformed }
        guard isCommand || phase == .open else { throw ZMTPFault.malformed }
        let header = isLong ? 9 : 2
        guard left >= header else { return false }
        let length = buffer[position + 1..<position + header].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(isCommand ? Self.longestCommand : longest - frameBytes), frames.count < 1 << 12 else { throw ZMTPFault.tooLong }
        guard left - header >= Int(length) else { return false }
        position += header
        let content = take(Int(length))
        if isCommand {
            try command(content, body)
        } else {
            frames.append(content)
            frameBytes += content.count
            if goesOn { return true }
            let message = frames
            (frames, frameBytes) = ([], 0)
            // Subscriptions before 3.1.
            if type == .publisher {
                if let first = message[0].first, first < 2 {
                    body(first == 1 ? .subscribe(Array(message[0].dropFirst())) : .cancel(Array(message[0].dropFirst())))
                }
            } else {
                body(.message(message))
            }
        }
        return true
    }

    private mutating func command(_ content: [UInt8], _ body: (Event) -> Void) throws {
        guard let count = content.first.map(Int.init), content.count > count else { throw ZMTPFault.malformed }
        let name = String(decoding: content[1..<count + 1], as: UTF8.self), data = Array(content[(count + 1)...])
        switch (phase, name) {
        case (.handshake, "READY"):
            let peer = try properties(data)["socket-type"] ?? ""
            guard type.accepts(peer) else { throw ZMTPFault.socketType(String(peer.prefix(20))) }
            phase = .open
            body(.ready)
        case (.handshake, _): throw ZMTPFault.malformed
        case (_, "SUBSCRIBE"): if type == .publisher { body(.subscribe(data)) }
        case (_, "CANCEL"): if type == .publisher { body(.cancel(data)) }
        // Two bytes of time to live, then what is to come back.
        case (_, "PING"): if data.count >= 2 { body(.answer(Self.command("PONG", Array(data.dropFirst(2).prefix(16))))) }
        case (_, "ERROR"): throw ZMTPFault.malformed
        default: break
        }
    }

    /// Names, in small letters, and values.
    private func properties(_ data: [UInt8]) throws -> [String: String] {
        var found: [String: String] = [:], rest = data[...]
        func number(_ count: Int) throws -> Int {
            guard rest.count >= count else { throw ZMTPFault.malformed }
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
        }
        func text(_ count: Int) throws -> String {
            guard rest.count >= count else { throw ZMTPFault.malformed }
            defer { rest = rest.dropFirst(count) }
            return String(decoding: rest.prefix(count), as: UTF8.self)
        }
        while !rest.isEmpty {
            let name = try text(try number(1))
            found[name.lowercased()] = try text(try number(4))
        }
        return found
    }

    // MARK: Writing

    /// A message as bytes; it has at least one frame.
    package static func bytes(of message: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.reduce(0) { $0 + $1.count + 9 })
        for (index, frame) in message.enumerated() { append(frame, flags: index + 1 < message.count ? 1 : 0, to: &bytes) }
        return bytes
    }

    private static func append(_ frame: [UInt8], flags: UInt8, to bytes: inout [UInt8]) {
        if frame.count < 256 {
            bytes += [flags, UInt8(frame.count)]
        } else {
            bytes.append(flags | 2)
            for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: UInt64(frame.count) >> (56 - 8 * UInt64(index)))) }
        }
        bytes += frame
    }

    static func command(_ name: String, _ data: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        append([UInt8(name.utf8.count)] + Array(name.utf8) + data, flags: 4, to: &bytes)
        return bytes
    }

    private static func short(_ text: String) -> [UInt8] { [UInt8(min(text.utf8.count, 255))] + Array(text.utf8.prefix(255)) }

    static func property(_ name: String, _ value: String) -> [UInt8] {
        short(name) + [0, 0, 0, UInt8(value.utf8.count)] + Array(value.utf8)
    }
}
