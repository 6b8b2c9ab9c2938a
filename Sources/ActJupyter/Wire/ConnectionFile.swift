// The file in which Jupyter says where a kernel listens and how messages are signed:
// https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files

import ActArray
import ActFiles

package struct ConnectionFile: Sendable {
    package enum Transport: String, Sendable {
        case tcp
        /// Sockets of the file system; `ip` is the beginning of their paths.
        case ipc
    }

    /// What a port is for.
    package enum Channel: String, CaseIterable, Sendable {
        /// Requests that are answered one after the other.
        case shell
        /// What everybody hears.
        case iopub
        /// Questions to the person, of which act has none.
        case stdin
        /// Requests that do not wait for the shell's.
        case control
        /// Echoes, by which the kernel is known to live.
        case heartbeat = "hb"
    }

    package struct Fault: Error {
        package let reason: String
        package init(_ reason: String) { self.reason = reason }
    }

    package let transport: Transport
    package let ip: String
    package let ports: [Channel: Int]
    /// Empty where messages are not signed.
    package let key: [UInt8]

    package init(transport: Transport, ip: String, ports: [Channel: Int], key: [UInt8]) {
        (self.transport, self.ip, self.ports, self.key) = (transport, ip, ports, key)
    }

    /// - Throws: `Fault`, for a file that is none of Jupyter's, lacks something, or asks for what act does not do.
    package init(_ bytes: [UInt8]) throws {
        var held = Reservation()
        let file: JSON
        do { file = try JSON(bytes, held: &held) } catch let error as JSONError {
            throw Fault(bytes.isEmpty ? "it is empty" : "it is not JSON (line \(error.line), column \(error.column))")
        }
        guard case .object = file else { throw Fault("it is not a connection file of Jupyter: it holds no names and values") }
        for name in ["curve_secretkey", "curve_publickey", "curve_serverkey"] where file[name]?.isNull == false {
            throw Fault("it asks for encryption (`\(name)`), which act does not speak; start the kernel without it, or with the transport `ipc`")
        }
        func text(_ name: String, default fallback: String) throws -> String {
            guard let value = file[name], !value.isNull else { return fallback }
            guard let text = value.asText else { throw Fault("its `\(name)` is not a string") }
            return text
        }
        let transportName = try text("transport", default: "tcp"), scheme = try text("signature_scheme", default: "hmac-sha256")
        guard let transport = Transport(rawValue: transportName) else { throw Fault("its transport is `\(transportName)`; act speaks tcp and ipc") }
        key = Array(try text("key", default: "").utf8)
        guard scheme == "hmac-sha256" || key.isEmpty else { throw Fault("its messages are signed by `\(scheme)`; act knows hmac-sha256") }
        self.transport = transport
        ip = try text("ip", default: transport == .tcp ? "127.0.0.1" : "kernel-ipc")
        guard !ip.isEmpty else { throw Fault("its `ip` is empty") }
        var ports: [Channel: Int] = [:]
        for channel in Channel.allCases {
            let name = "\(channel.rawValue)_port"
            guard let value = file[name] else { throw Fault("it has no `\(name)`") }
            guard let port = value.asWhole, transport == .tcp ? 1...65535 ~= port : 0...Int(Int32.max) ~= port else {
                throw Fault("its `\(name)` is not the number of a port")
            }
            ports[channel] = port
        }
        guard Set(ports.values).count == ports.count else { throw Fault("it gives two channels one port") }
        self.ports = ports
    }
}
