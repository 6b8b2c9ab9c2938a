// A front end in small: sockets that speak ZMTP by blocking reads, and messages of Jupyter over them. Its own reading and signing, so that what
// the kernel does wrong is not done wrong here too.

import ActSystem
import ActArray
import ActFiles
import ActJupyter
import ActLanguage
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum Connect {
    /// A descriptor that is connected to a port of this machine, or to a path.
    static func to(port: Int) throws -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return try connected(AF_INET, address)
    }

    static func to(path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return try connected(AF_UNIX, address)
    }

    private static func connected<Address>(_ family: Int32, _ address: Address) throws -> Int32 {
        #if canImport(Glibc)
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        #else
        let descriptor = socket(family, SOCK_STREAM, 0)
        #endif
        let status = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) }
        }
        guard status == 0 else { throw TestFailure("cannot connect: \(errno)") }
        return descriptor
    }

    /// Ports that nobody listens at.
    static func freePorts(_ count: Int) throws -> [Int] {
        var descriptors: [Int32] = [], ports: [Int] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        for _ in 0..<count {
            #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
            #endif
            descriptors.append(descriptor)
            var address = sockaddr_in(), length = socklen_t(MemoryLayout<sockaddr_in>.size)
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let status = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
            }
            guard status else { throw TestFailure("no port is free") }
            ports.append(Int(UInt16(bigEndian: address.sin_port)))
        }
        return ports
    }
}

/// One socket of ZeroMQ's kinds, from the client's side.
final class ZMTPClient {
    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(_ descriptor: Int32, _ type: String) throws {
        self.descriptor = descriptor
        write([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1] + Array("NULL".utf8) + Array(repeating: 0, count: 48))
        let name = Array("Socket-Type".utf8), value = Array(type.utf8)
        let ready = [5] + Array("READY".utf8) + [UInt8(name.count)] + name + [0, 0, 0, UInt8(value.count)] + value
        write([4, UInt8(ready.count)] + ready)
        let greeting = try take(64, 10)
        guard greeting[0] == 0xff, greeting[9] == 0x7f, greeting[10] == 3, String(decoding: greeting[12..<16], as: UTF8.self) == "NULL" else {
            throw TestFailure("this is no greeting: \(greeting)")
        }
        let (flags, command) = try frame(10)
        guard flags == 4, command.starts(with: [5] + Array("READY".utf8)) else { throw TestFailure("not ready: \(command)") }
        if type == "SUB" { write([0, 1, 1]) }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { sendBytes(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, Int32(noSignal)) }
            if count <= 0 { return }
            done += count
        }
    }

    func send(_ frames: [[UInt8]]) {
        for (index, frame) in frames.enumerated() {
            let more: UInt8 = index + 1 < frames.count ? 1 : 0
            if frame.count < 256 {
                write([more, UInt8(frame.count)] + frame)
            } else {
                write([more | 2] + (0..<8).map { UInt8(truncatingIfNeeded: frame.count >> (56 - 8 * $0)) } + frame)
            }
        }
    }

    /// - Throws: if nothing comes within so many seconds, or the connection ends.
    func receive(_ seconds: Double = 20) throws -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while true {
            let (flags, content) = try frame(seconds)
            if flags & 4 != 0 { continue }
            frames.append(content)
            if flags & 1 == 0 { return frames }
        }
    }

    private func frame(_ seconds: Double) throws -> (UInt8, [UInt8]) {
        let flags = try take(1, seconds)[0]
        let length = flags & 2 != 0 ? try take(8, seconds).reduce(0) { $0 << 8 | Int($1) } : Int(try take(1, seconds)[0])
        return (flags, try take(length, seconds))
    }

    func take(_ count: Int, _ seconds: Double) throws -> [UInt8] {
        while buffer.count < count {
            var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&source, 1, Int32(seconds * 1000)) > 0 else { throw TestFailure("nothing comes") }
            var chunk = [UInt8](repeating: 0, count: 1 << 16)
            let got = read(descriptor, &chunk, chunk.count)
            guard got > 0 else { throw TestFailure("the connection has ended") }
            buffer += chunk[..<got]
        }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// Whether the other side ends the connection within so many seconds.
    func ends(_ seconds: Double) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&source, 1, Int32(seconds * 1000)) > 0 else { return false }
            if read(descriptor, &chunk, chunk.count) <= 0 { return true }
        }
    }
}

// Inside the class the name is taken by its own function.
private func sendBytes(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int { send(descriptor, bytes, count, flags) }

#if canImport(Glibc)
private let noSignal = MSG_NOSIGNAL
#else
private let noSignal = 0
#endif

/// A kernel in this process and a front end to it.
final class JupyterClient {
    let connection: ConnectionFile
    let kernel: Kernel
    let key: [UInt8]
    private(set) var shell, control, iopub, heartbeat: ZMTPClient
    private var thread: SystemThread?
    private var count = 0
    /// Of the kernel's thread: how `run` ended.
    private let session: Session

    init(key: [UInt8] = Array("a key".utf8), transport: ConnectionFile.Transport = .tcp) throws {
        self.key = key
        let channels = ConnectionFile.Channel.allCases, numbers = transport == .tcp ? try Connect.freePorts(channels.count) : Array(1...channels.count)
        let ip = transport == .tcp ? "127.0.0.1" : "/tmp/act-kernel-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let ports = Dictionary(uniqueKeysWithValues: zip(channels, numbers))
        connection = ConnectionFile(transport: transport, ip: ip, ports: ports, key: key)
        kernel = try Kernel(connection, version: "0")
        var options = Session.Options()
        options.isInteractive = true
        options.seed = 1
        session = try Session(options: options, output: kernel.makeOutput())
        let (kernel, session) = (kernel, session)
        thread = SystemThread { try? kernel.run(session) }
        func socket(_ channel: ConnectionFile.Channel, _ type: String) throws -> ZMTPClient {
            let port = ports[channel] ?? 0
            return try ZMTPClient(transport == .tcp ? try Connect.to(port: port) : try Connect.to(path: "\(ip)-\(port)"), type)
        }
        shell = try socket(.shell, "DEALER")
        control = try socket(.control, "DEALER")
        heartbeat = try socket(.heartbeat, "REQ")
        iopub = try socket(.iopub, "SUB")
        // From here on nothing is missed.
        while try messageType(try iopub.receive()) != "iopub_welcome" {}
    }

    /// Ends the kernel.
    func stop() {
        kernel.leave()
        thread?.join()
        thread = nil
    }

    func shellSocket() throws -> ZMTPClient { try ZMTPClient(try Connect.to(port: connection.ports[.shell] ?? 0), "DEALER") }

    // MARK: Messages

    /// Sends a request.
    /// - Returns: Its number.
    @discardableResult
    func ask(_ type: String, _ content: JSON, on socket: ZMTPClient? = nil, date: Double = Moment.now) throws -> String {
        try ask(type, bytes: Array(content.text().utf8), on: socket, date: date)
    }

    /// The same with a content that may be none.
    @discardableResult
    func ask(_ type: String, bytes: [UInt8], on socket: ZMTPClient? = nil, date: Double = Moment.now) throws -> String {
        count += 1
        let id = "request-\(count)"
        let header: JSON = [
            "msg_id": .text(id), "session": "client", "username": "test", "date": .text(Moment.text(date)), "msg_type": .text(type), "version": "5.3",
        ]
        let parts = try [header, .object([]), .object([])].map { try Array($0.text().utf8) } + [bytes]
        let signature = key.isEmpty ? [] : MessageAuthentication(key: key).signature(of: parts)
        (socket ?? shell).send([Array("<IDS|MSG>".utf8), signature] + parts)
        return id
    }

    struct Received {
        let type: String
        let parent: String
        let content: JSON
    }

    private func messageType(_ frames: [[UInt8]]) throws -> String { try message(frames).type }

    func message(_ frames: [[UInt8]]) throws -> Received {
        guard let mark = frames.firstIndex(of: Array("<IDS|MSG>".utf8)), frames.count == mark + 6 else {
            throw TestFailure("this is no message: \(frames.count)")
        }
        let parts = Array(frames[(mark + 2)...])
        if !key.isEmpty, !MessageAuthentication(key: key).isValid(frames[mark + 1], of: parts) { throw TestFailure("wrong signature") }
        var held = Reservation()
        defer { _ = held.bytes }
        let header = try JSON(parts[0], held: &held), parent = try JSON(parts[1], held: &held)
        guard header["version"]?.asText == "5.4", header["msg_id"]?.asText?.isEmpty == false, header["date"]?.asText.flatMap(Moment.seconds) != nil else {
            throw TestFailure("the header lacks something")
        }
        return Received(type: header["msg_type"]?.asText ?? "", parent: parent["msg_id"]?.asText ?? "", content: try JSON(parts[3], held: &held))
    }

    /// The answer to a request, and what everybody hears of it up to `idle`.
    func answer(to id: String, on socket: ZMTPClient? = nil, seconds: Double = 20) throws -> (reply: Received, heard: [Received]) {
        var reply = try message(try (socket ?? shell).receive(seconds))
        while reply.parent != id { reply = try message(try (socket ?? shell).receive(seconds)) }
        var heard: [Received] = []
        while true {
            let next = try message(try iopub.receive(seconds))
            guard next.parent == id else { continue }
            if next.type == "status", next.content["execution_state"]?.asText == "idle" { break }
            heard.append(next)
        }
        guard let first = heard.first, first.type == "status", first.content["execution_state"]?.asText == "busy" else { throw TestFailure("never busy") }
        return (reply, Array(heard.dropFirst()))
    }

    func request(_ type: String, _ content: JSON, on socket: ZMTPClient? = nil, seconds: Double = 20) throws -> (reply: JSON, heard: [Received]) {
        let (reply, heard) = try answer(to: try ask(type, content, on: socket), on: socket, seconds: seconds)
        return (reply.content, heard)
    }

    func execute(_ code: String, seconds: Double = 20) throws -> (reply: JSON, heard: [Received]) {
        try request("execute_request", ["code": .text(code)], seconds: seconds)
    }
}

extension JSON {
    /// `content["data", "text/plain"]`
    subscript(path path: String...) -> JSON? { path.reduce(self as JSON?) { $0?[$1] } }
}
