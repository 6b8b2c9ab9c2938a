// Standard output and standard error: collected, so that a program that prints a million lines is not a million system calls.
//
// What must stay true: before anything is written to standard error, or read, what went to standard output is out; nothing written
// is lost without an error at the end.

import ActArray
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class Output {
    // `unsafe`: one thread writes at a time, that of the session while it computes, which the main one waits for.
    nonisolated(unsafe) static let standard = Output(descriptor: STDOUT_FILENO)
    nonisolated(unsafe) static let error = Output(descriptor: STDERR_FILENO)

    let isTerminal: Bool
    private let kind: Kind
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var lastFlush = 0.0
    /// Of the first write that failed.
    private(set) var failure: Int32?
    /// Called once, when a write fails.
    var onFailure: () -> Void = {}

    private static let capacity = 1 << 16

    init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        kind = Kind(descriptor)
    }

    /// How much may be written at once without waiting in the system, where Ctrl-C does not reach, once there is room for anything.
    fileprivate enum Kind {
        /// A file: it does not wait.
        case file
        case pipe, terminal

        init(_ descriptor: Int32) {
            var information = stat()
            if isatty(descriptor) == 1 {
                self = .terminal
            } else {
                self = fstat(descriptor, &information) == 0 && information.st_mode & S_IFMT == S_IFREG ? .file : .pipe
            }
        }

        var piece: Int {
            switch self {
            case .file: 1 << 24
            case .pipe: 4096
            case .terminal: 256
            }
        }
    }

    func write(_ text: String) {
        guard failure == nil else { return }
        // A long text goes out as it is, not by way of the buffer.
        if text.utf8.count > 4 * Output.capacity {
            flush()
            var text = text
            return text.withUTF8 { send(UnsafeRawBufferPointer($0)) }
        }
        buffer.append(contentsOf: text.utf8)
        // On a screen at once; into a file or a pipe in pieces, but none is kept back for long while the program goes on.
        if isTerminal || buffer.count >= Output.capacity || act_seconds() - lastFlush > 1 { flush() }
    }

    @inline(never)
    func flush() {
        lastFlush = act_seconds()
        guard !buffer.isEmpty else { return }
        defer { buffer.removeAll(keepingCapacity: buffer.count <= 4 * Output.capacity) }
        buffer.withUnsafeBytes(send)
    }

    private func send(_ bytes: UnsafeRawBufferPointer) {
        guard failure == nil else { return }
        switch writeAll(bytes, to: descriptor, kind) {
        case nil: break
        case EPIPE?:
            // A reader that has gone ends us, quietly, as it ends every filter.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            failure = EPIPE
        // What a terminal did not take when Ctrl-C came is given up, and the session goes on.
        case ETIMEDOUT? where isTerminal: break
        case let code?:
            failure = code
            onFailure()
        }
    }

    /// Writes what is left.
    /// - Returns: Whether everything that was ever written is out. If not, standard error says why.
    func finish() -> Bool {
        flush()
        guard let failure else { return true }
        if descriptor != STDERR_FILENO {
            let reason = failure == ETIMEDOUT ? "nobody reads it" : describe(errno: failure)
            Output.error.write("error: cannot write to standard output: \(reason)\n")
            Output.error.flush()
        }
        return false
    }
}

/// Writes every byte, however many calls that takes.
/// - Returns: The error number of the call that failed, if one did; `ETIMEDOUT` if the program has been interrupted and nobody reads.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? { bytes.withUnsafeBytes { writeAll($0, to: descriptor) } }

func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32? { writeAll(bytes, to: descriptor, Output.Kind(descriptor)) }

private func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ kind: Output.Kind) -> Int32? {
    var start = 0
    // Milliseconds that are left for whoever does not read.
    var patience: Int32 = 100
    while start < bytes.count {
        if kind != .file {
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let wait: Int32 = 20
            if poll(&ready, 1, wait) <= 0 {
                guard Engine.process.interrupt.isRaised else { continue }
                patience -= wait
                if patience <= 0 { return ETIMEDOUT }
                continue
            }
        }
        let count = write(descriptor, bytes.baseAddress.map { $0 + start }, min(bytes.count - start, kind.piece))
        if count >= 0 {
            start += count
        } else if errno != EINTR, errno != EAGAIN {
            return errno
        }
    }
    return nil
}

/// Reads what there is, at most as much as `buffer` holds.
/// - Returns: How many bytes came, 0 at the end, -1 with `errno` set.
func readSome(_ descriptor: Int32, into buffer: inout [UInt8]) -> Int {
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        if count >= 0 || errno != EINTR { return count }
    }
}

/// What the system says about an error number, in lower case as messages begin.
func describe(errno code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    let message = String(cString: text)
    return message.prefix(1).lowercased() + message.dropFirst()
}
