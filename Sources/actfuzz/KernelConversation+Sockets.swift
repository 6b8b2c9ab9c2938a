// How the fuzzer reaches a kernel: sockets of this machine and of the file system.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension KernelConversation {
    #if canImport(Glibc)
    private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
    private static let stream = SOCK_STREAM
    #endif

    static func connect(port: Int) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return connect(AF_INET, address)
    }

    static func connect(path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return connect(AF_UNIX, address)
    }

    private static func connect<Address>(_ family: Int32, _ address: Address) -> Int32 {
        let descriptor = socket(family, stream, 0)
        let status = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connectSocket(descriptor, $0, socklen_t(MemoryLayout<Address>.size)) }
        }
        if status == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    /// Ports of this machine that nobody listens at.
    static func freePorts(_ count: Int) -> [Int] {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        return (0..<count).map { _ in
            let descriptor = socket(AF_INET, stream, 0)
            descriptors.append(descriptor)
            var address = sockaddr_in(), length = socklen_t(MemoryLayout<sockaddr_in>.size)
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            _ = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
            }
            return Int(UInt16(bigEndian: address.sin_port))
        }
    }
}

// Inside the type the name is taken by its own functions.
private func connectSocket(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 { connect(descriptor, address, length) }
