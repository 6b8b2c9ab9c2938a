// Our ends of connections with a program that is tried: bytes out and in, never waiting longer than asked.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class Wire {
    private let input: Int32
    private let output: Int32
    /// What has come and was not taken.
    private(set) var received: Bytes = []
    /// Whether the other end has closed.
    private(set) var isAtEnd = false

    /// - Parameters: Descriptors that become its own; they may be the same.
    init(input: Int32, output: Int32) {
        (self.input, self.output) = (input, output)
        for descriptor in [input, output] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    private var isOutputClosed = false

    deinit {
        close(input)
        if output != input, !isOutputClosed { close(output) }
    }

    func closeOutput() {
        if output != input, !isOutputClosed { close(output) }
        isOutputClosed = true
    }

    /// Has the system tell the other end of a broken connection, not of an end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(input, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Sends everything, and takes what comes meanwhile, for the other end may wait for that.
    /// - Returns: Whether it went out within so many seconds.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>, within limit: Double, reads: Bool = true) -> Bool {
        let bytes = Array(bytes), start = seconds()
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { put(output, UnsafeRawBufferPointer(rebasing: $0[sent...])) }
            if count > 0 {
                sent += count
                continue
            }
            if count < 0, errno != EAGAIN, errno != EINTR { return false }
            let left = limit - (seconds() - start)
            guard left > 0 else { return false }
            var sources = [pollfd(fd: output, events: Int16(POLLOUT), revents: 0)]
            if reads, !isAtEnd { sources.append(pollfd(fd: input, events: Int16(POLLIN), revents: 0)) }
            _ = poll(&sources, nfds_t(sources.count), Int32(min(left, 1) * 1000) + 1)
            if sources.count > 1, sources[1].revents != 0 { receive() }
        }
        return true
    }

    /// Waits until `body` finds in what has come what it looks for.
    /// - Parameter body: Gives what it found, and how many bytes are done with.
    func take<Found>(within limit: Double, _ body: (Bytes) -> (Found, Int)?) -> Found? {
        let start = seconds()
        while true {
            if let (found, count) = body(received) {
                received.removeFirst(count)
                return found
            }
            let left = limit - (seconds() - start)
            guard left > 0, !isAtEnd else { return nil }
            var source = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            if poll(&source, 1, Int32(min(left, 1) * 1000) + 1) > 0 { receive() }
        }
    }

    /// Throws away what has come, and what comes within so many seconds.
    func drop(for limit: Double) {
        let start = seconds()
        repeat {
            received = []
            var source = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
            if !isAtEnd, poll(&source, 1, Int32(max(0, limit - (seconds() - start)) * 1000)) > 0 { receive() } else { break }
        } while seconds() - start < limit
        received = []
    }

    private func receive() {
        var chunk = Bytes(repeating: 0, count: 1 << 16)
        let count = read(input, &chunk, chunk.count)
        if count > 0 { received += chunk[..<count] }
        if count == 0 || count < 0 && errno != EAGAIN && errno != EINTR { isAtEnd = true }
    }
}

// Inside the class the name is taken by its own function. Nobody is told by a signal that the other end has gone.
private func put(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { write(descriptor, bytes.baseAddress, bytes.count) }
