// What no front end says to a kernel of notebooks: connection files that are not, greetings of other protocols, frames of any size, messages that are not
// signed, requests that make no sense; and after all of it what a front end says.

import ActJupyter
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct KernelConversation: Conversation {
    static let name = "kernel"

    private enum Step {
        /// A new connection, to which the next steps belong. Those before it stay open.
        case connect(Int)
        case send(Bytes)
        /// Reads and throws away for so many seconds.
        case read(Double)
        case close
        /// Ends the connection as a broken one ends.
        case reset
    }

    private static let channels = ["shell", "iopub", "stdin", "control", "hb"]
    /// What the kernel's sockets talk to.
    private static let peers = ["DEALER", "SUB", "DEALER", "DEALER", "REQ"]
    private static let key = "a key of the fuzzer"

    private var steps: [Step] = []
    /// What stands in place of a connection file; `nil`: no file at all.
    private var file: Bytes?
    private var isFileRight = true
    /// Whether the kernel is asked to end on the way.
    private var asksToEnd = false
    private let usesFiles: Bool
    private let signer = MessageAuthentication(key: Array(Self.key.utf8))

    init(_ generator: Generator, _ index: Int) {
        var random = Random(seed: generator.seed ^ 0x2E20_4A55, index: index)
        usesFiles = random.chance(50)
        if random.chance(15) {
            isFileRight = false
            file = wrongFile(generator, &random)
        } else {
            for _ in 0...random.below(4) { talk(generator, &random) }
        }
    }

    // MARK: What is said

    private func wrongFile(_ generator: Generator, _ random: inout Random) -> Bytes? {
        var fields: [(name: String, value: Bytes)] = Self.channels.enumerated().map { ("\($1)_port", Array("\($0 + 1)".utf8)) }
        fields += [
            ("transport", Generator.quoted("ipc")), ("ip", Generator.quoted("k")), ("key", Generator.quoted(Self.key)),
            ("signature_scheme", Generator.quoted("hmac-sha256")),
        ]
        let right = Generator.object(fields)
        switch random.below(8) {
        case 0: return nil
        case 1: return Array(right.prefix(random.below(right.count)))
        case 2:
            fields.append((random.pick(["curve_secretkey", "curve_publickey"], or: ""), Generator.quoted("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")))
            return Generator.object(fields)
        case 3, 4:
            let place = random.below(fields.count)
            fields[place].value = generator.value(&random)
            return Generator.object(fields)
        case 5:
            fields.remove(at: random.below(fields.count))
            return Generator.object(fields)
        case 6: return generator.faulty(right, &random)
        default: return generator.value(&random)
        }
    }

    private mutating func talk(_ generator: Generator, _ random: inout Random) {
        let channel = random.below(Self.channels.count)
        steps.append(.connect(channel))
        guard random.chance(75) else {
            say(strangeBeginning(channel, generator, &random), &random)
            return end(&random)
        }
        steps.append(.send(Self.beginning(Self.peers[channel])))
        for _ in 0...random.below(5) {
            say(message(channel, generator, &random), &random)
            if random.chance(15) { steps.append(.read(0.001 * Double(random.below(60)))) }
        }
        end(&random)
    }

    private mutating func end(_ random: inout Random) {
        switch random.below(4) {
        case 0: steps.append(.close)
        case 1: steps.append(.reset)
        default: break
        }
    }

    /// At once, or in two pieces.
    private mutating func say(_ bytes: Bytes, _ random: inout Random) {
        guard random.chance(20), bytes.count > 1 else { return steps.append(.send(bytes)) }
        let cut = random.below(bytes.count)
        steps += [.send(Array(bytes[..<cut])), .read(0.002), .send(Array(bytes[cut...]))]
    }

    private static func greeting(version: [UInt8] = [3, 1], mechanism: String = "NULL") -> Bytes {
        let name = Array(mechanism.utf8.prefix(20))
        return [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f] + version + name + Array(repeating: 0, count: 20 + 32 - name.count)
    }

    private static func command(_ name: String, _ data: Bytes) -> Bytes { frame([UInt8(name.utf8.count)] + Array(name.utf8) + data, flags: 4) }

    private static func property(_ name: Bytes, _ value: Bytes) -> Bytes {
        [UInt8(name.count & 255)] + name + (0..<4).map { UInt8(truncatingIfNeeded: value.count >> (24 - 8 * $0)) } + value
    }

    /// What a right connection begins with.
    static func beginning(_ type: String) -> Bytes {
        greeting() + command("READY", property(Array("Socket-Type".utf8), Array(type.utf8)) + property(Array("Identity".utf8), []))
    }

    static func frame(_ content: Bytes, flags: UInt8) -> Bytes {
        if content.count < 256 { return [flags, UInt8(content.count)] + content }
        return size(UInt64(content.count), flags: flags) + content
    }

    private static func size(_ count: UInt64, flags: UInt8) -> Bytes { [flags | 2] + (0..<8).map { UInt8(truncatingIfNeeded: count >> (56 - 8 * $0)) } }

    static func message(_ frames: [Bytes]) -> Bytes {
        frames.enumerated().flatMap { frame($1, flags: $0 + 1 < frames.count ? 1 : 0) }
    }

    private func strangeBeginning(_ channel: Int, _ generator: Generator, _ random: inout Random) -> Bytes {
        let right = Self.beginning(Self.peers[channel])
        switch random.below(10) {
        case 0: return generator.noise(&random)
        case 1: return Array("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
        case 2: return [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + generator.noise(&random)
        case 3: return Array(right.prefix(random.below(right.count)))
        case 4: return Self.greeting(version: [UInt8(random.below(6)), UInt8(random.below(256))]) + generator.noise(&random)
        case 5: return Self.greeting(mechanism: random.pick(["CURVE", "PLAIN", "GSSAPI", "", "NULLNULLNULLNULLNULLNULL"], or: "")) + generator.noise(&random)
        case 6:
            var bytes = right
            for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next()) }
            return bytes
        case 7: return Self.greeting() + Self.command(random.pick(["READY", "ERROR", "HELLO", "PING", "SUBSCRIBE", ""], or: ""), generator.noise(&random))
        case 8:
            // Properties, many or long.
            let count = 1 << random.below(18)
            let properties = (0..<count).flatMap { Self.property(Array("X\($0)".utf8), []) }
            return Self.greeting() + Self.command("READY", properties)
        default:
            return Self.greeting()
                + Self.command("READY", Self.property(Array("Socket-Type".utf8), Array(random.pick(["PUB", "", "DEALER", "☃"], or: "").utf8)))
        }
    }

    private mutating func message(_ channel: Int, _ generator: Generator, _ random: inout Random) -> Bytes {
        switch random.below(20) {
        case 0:
            return Self.size(random.pick([1 << 31, 1 << 32, 1 << 63, .max, 1 << 26, 1 << 27], or: 1 << 31), flags: UInt8(random.below(8)))
                + generator.noise(&random)
        case 1: return [UInt8(random.below(256))] + generator.noise(&random)
        case 2: return Array(repeating: [UInt8(1), 0], count: 1 << random.below(16)).flatMap { $0 }
        // Large, and not to be answered; on the heart's channel it is.
        case 3:
            let size = random.below(8) == 0 ? 60 << 20 : 1 << random.below(22)
            return Self.frame(Array(repeating: UInt8(random.below(256)), count: size), flags: UInt8(random.below(2)))
        case 4: return Self.command("PING", [0, 1] + generator.noise(&random))
        case 5:
            return (0..<(1 << random.below(12))).flatMap { _ in Self.command("PING", [0, 1, 7, 7, 7, 7, 7, 7, 7, 7]) }
        case 6: return Self.command(random.pick(["SUBSCRIBE", "CANCEL", "READY", "ERROR", "PONG", "JOIN", ""], or: ""), generator.noise(&random))
        case 7, 8:
            // Topics.
            let size = random.chance(20) ? 1 << random.below(21) : random.below(40)
            return (0...random.below(60)).flatMap { _ in Self.frame([UInt8(random.below(3))] + Bytes(repeating: 115, count: size), flags: 0) }
        case 9:
            // What is not a message of Jupyter.
            return Self.message((0...random.below(9)).map { _ in random.chance(30) ? Array("<IDS|MSG>".utf8) : generator.noise(&random) })
        default: return request(generator, &random)
        }
    }

    private mutating func request(_ generator: Generator, _ random: inout Random) -> Bytes {
        let code = Generator.quoted(generator.code(&random)), position = generator.number(&random)
        func flag() -> Bytes { Array((random.chance(50) ? "true" : "false").utf8) }
        let kinds: [(name: String, fields: [(name: String, value: Bytes)])] = [
            (
                "execute_request",
                [
                    ("code", code), ("silent", flag()), ("store_history", flag()), ("user_expressions", Generator.object([("a", code)])),
                    ("allow_stdin", flag()), ("stop_on_error", flag()),
                ]
            ),
            ("execute_request", [("code", code)]),
            ("complete_request", [("code", code), ("cursor_pos", position)]),
            ("inspect_request", [("code", code), ("cursor_pos", position), ("detail_level", position)]),
            ("is_complete_request", [("code", code)]),
            (
                "history_request",
                [
                    ("output", flag()), ("raw", flag()), ("hist_access_type", Generator.quoted(random.pick(["tail", "range", "search", "x"], or: ""))),
                    ("session", position), ("start", position), ("stop", position), ("n", position), ("pattern", code), ("unique", flag()),
                ]
            ),
            ("kernel_info_request", []), ("connect_request", []), ("comm_info_request", [("target_name", code)]),
            ("comm_open", [("comm_id", code), ("target_name", code), ("data", generator.value(&random))]), ("comm_msg", []), ("comm_close", []),
            ("interrupt_request", []), ("input_reply", [("value", code)]), ("debug_request", [("command", code)]), ("", []),
            ("shutdown_request", [("restart", flag())]),
        ]
        var (name, fields) = random.pick(kinds, or: ("", []))
        // Most requests that end the kernel say nothing new.
        if name == "shutdown_request", !random.chance(15) { name = "usage_request" }
        for index in fields.indices { fields[index].value = generator.mostly(fields[index].value, &random) }
        var content = Generator.object(fields)
        var header = Generator.object([
            ("msg_id", generator.mostly(Generator.quoted("m"), &random, oneIn: 30)), ("session", generator.mostly(Generator.quoted("s"), &random, oneIn: 30)),
            ("username", Generator.quoted("u")), ("msg_type", Generator.quoted(name)),
            ("date", generator.mostly(Generator.quoted("2026-11-26T06:41:04.123456Z"), &random)), ("version", Generator.quoted("5.4")),
        ])
        if random.chance(8) { content = generator.faulty(content, &random) }
        if random.chance(8) { header = generator.faulty(header, &random) }
        var parts = [header, Array("{}".utf8), Array("{}".utf8), content]
        var signature = signer.signature(of: parts)
        let isForged = random.chance(10)
        if isForged { signature = random.chance(50) ? generator.noise(&random) : Array(signature.dropLast()) }
        if random.chance(10) { parts += (0...random.below(3)).map { _ in generator.noise(&random) } }
        if random.chance(5) { parts.removeLast() }
        if name == "shutdown_request" { asksToEnd = true }
        let envelope = random.chance(20) ? [generator.noise(&random)] : []
        return Self.message(envelope + [Array("<IDS|MSG>".utf8), signature] + parts)
    }

    var text: Bytes {
        if !isFileRight { return file ?? Array("no file".utf8) }
        return Array(
            steps.map { step in
                switch step {
                case .connect(let channel): "\nconnect to \(Self.channels[channel])"
                case .send(let bytes): "send \(bytes.count): \(String(decoding: bytes.prefix(5000), as: UTF8.self).debugDescription)"
                case .read(let seconds): "read for \(seconds) s"
                case .close: "close"
                case .reset: "reset"
                }
            }.joined(separator: "\n").utf8)
    }

    // MARK: How it goes

    func hold(_ patience: Double) -> (fault: String?, program: TalkingProgram?) {
        let path = "connection.json"
        unlink(path)
        guard isFileRight else {
            if let file { Commands.write(file, path) }
            guard let program = TalkingProgram(["kernel", path], talks: false) else { return ("start", nil) }
            program.expected = [1]
            let start = seconds()
            while program.isRunning, seconds() - start < 0.4 * patience { usleep(500) }
            // Some of the files are right after all.
            if program.isRunning { program.terminate() } else if program.complaint.isEmpty { return ("silent", program) }
            return (nil, program)
        }
        let ports = usesFiles ? Array(1...5) : Self.freePorts(5), ip = usesFiles ? "k" : "127.0.0.1"
        var fields = zip(Self.channels, ports).map { (name: "\($0)_port", value: Array("\($1)".utf8)) }
        fields += [("transport", Generator.quoted(usesFiles ? "ipc" : "tcp")), ("ip", Generator.quoted(ip)), ("key", Generator.quoted(Self.key))]
        Commands.write(Generator.object(fields), path)
        guard let program = TalkingProgram(["kernel", path], talks: false) else { return ("start", nil) }
        func connect(_ channel: Int) -> Wire? {
            let start = seconds()
            while seconds() - start < 10 * patience, program.isRunning {
                let descriptor = usesFiles ? Self.connect(path: "\(ip)-\(ports[channel])") : Self.connect(port: ports[channel])
                if descriptor >= 0 { return Wire(input: descriptor, output: descriptor) }
                usleep(500)
            }
            return nil
        }
        var wires: [Wire] = []
        for step in steps {
            switch step {
            case .connect(let channel): if let wire = connect(channel) { wires.append(wire) }
            case .send(let bytes): wires.last?.send(bytes, within: 2 * patience, reads: false)
            case .read(let seconds): wires.last?.drop(for: seconds)
            case .close: _ = wires.popLast()
            case .reset: wires.popLast()?.reset()
            }
        }
        let fault = withExtendedLifetime(wires) { frontEnd(patience, program, connect) }
        if fault == "no-connection", String(decoding: program.complaint, as: UTF8.self).contains("something else listens") {
            // Another program took the port between our look and the kernel's.
            program.expected = [1]
            return (nil, program)
        }
        return (fault, program)
    }

    /// What a front end says, as long as the kernel is there.
    private func frontEnd(_ patience: Double, _ program: TalkingProgram, _ connect: (Int) -> Wire?) -> String? {
        func hasEnded() -> Bool {
            let start = seconds()
            while asksToEnd, program.isRunning, seconds() - start < 0.5 { usleep(1000) }
            return asksToEnd && !program.isRunning
        }
        func fault(_ what: String) -> String? { hasEnded() ? nil : what }
        guard let shell = connect(0), let heart = connect(4), let control = connect(3) else { return fault("no-connection") }
        for (wire, type) in [(shell, "DEALER"), (heart, "REQ"), (control, "DEALER")] { wire.send(Self.beginning(type), within: 5 * patience) }
        for wire in [shell, heart, control] { guard isReady(wire, patience) else { return fault("no-handshake") } }
        heart.send(Self.message([Array("beat".utf8)]), within: 5 * patience)
        guard Self.reply(heart, 10 * patience) == [Array("beat".utf8)] else { return fault("no-heartbeat") }
        // What was sent before a fault does not run, so it may be asked again.
        var answer: Bytes = []
        for number in 1...20 {
            ask(shell, "execute_request", #"{"code":"6 * 7","user_expressions":{"x":"6 * 7"}}"#, number)
            answer = (Self.reply(shell, 20 * patience) ?? []).last ?? []
            if !String(decoding: answer, as: UTF8.self).contains("aborted") { break }
            usleep(20_000)
        }
        guard String(decoding: answer, as: UTF8.self).contains(#""text/plain":"42""#) else { return fault("no-answer") }
        ask(control, "shutdown_request", #"{"restart":false}"#, 100)
        return Self.reply(control, 10 * patience) == nil ? fault("no-shutdown") : nil
    }

    private func ask(_ wire: Wire, _ type: String, _ content: String, _ number: Int) {
        let header = #"{"msg_id":"probe-\#(number)","session":"probe","username":"u","msg_type":"\#(type)","version":"5.4"}"#
        let parts = [header, "{}", "{}", content].map { Array($0.utf8) }
        wire.send(Self.message([Array("<IDS|MSG>".utf8), signer.signature(of: parts)] + parts), within: 5)
    }

    /// Whether greeting and handshake come.
    private func isReady(_ wire: Wire, _ patience: Double) -> Bool {
        guard wire.take(within: 10 * patience, { $0.count >= 64 ? ((), 64) : nil }) != nil else { return false }
        return wire.take(within: 10 * patience, Self.frame).map { $0.flags == 4 } ?? false
    }

    private static func reply(_ wire: Wire, _ limit: Double) -> [Bytes]? {
        var frames: [Bytes] = []
        while let (flags, content) = wire.take(within: limit, frame) {
            if flags & 4 != 0 { continue }
            frames.append(content)
            if flags & 1 == 0 { return frames }
        }
        return nil
    }

    private static func frame(_ bytes: Bytes) -> ((flags: UInt8, content: Bytes), Int)? {
        guard bytes.count >= 2 else { return nil }
        let header = bytes[0] & 2 != 0 ? 9 : 2
        guard bytes.count >= header else { return nil }
        let size: Int = bytes[1..<header].reduce(0) { $0 << 8 | Int($1) }
        return bytes.count >= header + size ? ((flags: bytes[0], content: Bytes(bytes[header..<header + size])), header + size) : nil
    }
}
