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

    package enum Fault: Error, Equatable {
        case empty
        case notJSON(line: Int, column: Int)
        case notARecord
        case encrypted(name: String)
        case notAText(name: String)
        case unknownTransport(String)
        case unknownSignature(String)
        case emptyAddress
        case missing(name: String)
        case notAPort(name: String)
        case sharedPort
    }

    package let transport: Transport
    package let ip: String
    package let ports: [Channel: Int]
    /// Empty where messages are not signed.
    package let key: [UInt8]

    package init(transport: Transport, ip: String, ports: [Channel: Int], key: [UInt8]) {
        (self.transport, self.ip, self.ports, self.key) = (transport, ip, ports, key)
    }

    /// - Throws: `Fault`, for a file that is not one of Jupyter's, lacks something, or asks for what act does not do.
    package init(_ bytes: [UInt8]) throws {
        var held = Reservation()
        let file: JSON
        do { file = try JSON(bytes, held: &held) } catch let error as JSONError {
            throw bytes.isEmpty ? Fault.empty : Fault.notJSON(line: error.line, column: error.column)
        }
        guard case .object = file else { throw Fault.notARecord }
        for name in ["curve_secretkey", "curve_publickey", "curve_serverkey"] where file[name]?.isNull == false {
            throw Fault.encrypted(name: name)
        }
        func text(_ name: String, default fallback: String) throws -> String {
            guard let value = file[name], !value.isNull else { return fallback }
            guard let text = value.asText else { throw Fault.notAText(name: name) }
            return text
        }
        let transportName = try text("transport", default: "tcp"), scheme = try text("signature_scheme", default: "hmac-sha256")
        guard let transport = Transport(rawValue: transportName) else { throw Fault.unknownTransport(transportName) }
        key = Array(try text("key", default: "").utf8)
        guard scheme == "hmac-sha256" || key.isEmpty else { throw Fault.unknownSignature(scheme) }
        self.transport = transport
        ip = try text("ip", default: transport == .tcp ? "127.0.0.1" : "kernel-ipc")
        guard !ip.isEmpty else { throw Fault.emptyAddress }
        var ports: [Channel: Int] = [:]
        for channel in Channel.allCases {
            let name = "\(channel.rawValue)_port"
            guard let value = file[name] else { throw Fault.missing(name: name) }
            guard let port = value.asWhole, transport == .tcp ? 1...65535 ~= port : 0...Int(Int32.max) ~= port else {
                throw Fault.notAPort(name: name)
            }
            ports[channel] = port
        }
        guard Set(ports.values).count == ports.count else { throw Fault.sharedPort }
        self.ports = ports
    }
}
