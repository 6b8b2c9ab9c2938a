// Why a kernel does not start, in words that follow "FILE does not start a kernel: ".

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension ConnectionFile.Fault {
    package var words: String {
        switch self {
        case .empty: "it is empty"
        case .notJSON(let line, let column): "it is not JSON (line \(line), column \(column))"
        case .notARecord: "it is not a connection file of Jupyter: it holds no names and values"
        case .encrypted(let name):
            "it asks for encryption (`\(name)`), which act does not speak; start the kernel without it, or with the transport `ipc`"
        case .notAText(let name): "its `\(name)` is not a string"
        case .unknownTransport(let name): "its transport is `\(name)`; act speaks tcp and ipc"
        case .unknownSignature(let name): "its messages are signed by `\(name)`; act knows hmac-sha256"
        case .emptyAddress: "its `ip` is empty"
        case .missing(let name): "it has no `\(name)`"
        case .notAPort(let name): "its `\(name)` is not the number of a port"
        case .sharedPort: "it gives two channels one port"
        }
    }
}

extension ZMTPServer.Fault {
    package var words: String {
        switch self {
        case .noPipe: "the system has no pipe left"
        case .noSocket: "the system has no socket left"
        case .noThread: "the system has no thread left"
        case .notAnAddress(let text): "`\(text)` is not an address"
        case .longPath(let path): "the path \(path) is too long for a socket"
        case .cannotListen(let place, let number): "act cannot listen at \(place): \(Self.words(errorNumber: number))"
        }
    }

    private static func words(errorNumber number: Int32) -> String {
        switch number {
        case EADDRINUSE: "something else listens there"
        case EADDRNOTAVAIL: "it is not an address of this machine"
        case EACCES: "that is not allowed"
        case ENOENT: "there is no such folder"
        default: "the system reports error \(number)"
        }
    }
}
