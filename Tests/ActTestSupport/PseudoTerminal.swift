// Drives `act` through a pseudo-terminal, as a person at a keyboard would.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package final class PseudoTerminal {
    private let descriptor: Int32
    private let child: Child
    /// What came and was not yet waited for.
    private var pending: [UInt8] = []
    private var status: Int32?
    private var isClosed = false

    /// Starts `act` on a terminal of its own.
    /// - Parameter cell: The size of a character in pixels; 0 where the terminal does not know.
    package init(
        _ arguments: [String] = [], environment: [String: String] = [:], columns: UInt16 = 80, rows: UInt16 = 24, cell: (width: UInt16, height: UInt16) = (0, 0)
    ) throws {
        let name: String
        (descriptor, name) = try PseudoTerminal.open()
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: columns &* cell.width, ws_ypixel: rows &* cell.height)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
        let variables = ["TERM": "xterm"].merging(environment) { $1 }
        child = try Child(BuiltCommand.path, arguments, environment: variables, terminal: name)
    }

    /// A new pseudo-terminal: our end of it, and the name of the other.
    private static func open() throws -> (descriptor: Int32, name: String) {
        #if canImport(Glibc)
        // glibc hides posix_openpt and its like from strict headers; these are what it does.
        let descriptor = Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var isLocked: Int32 = 0
        var number: Int32 = 0
        if descriptor >= 0, ioctl(descriptor, 0x4004_5431, &isLocked) == 0, ioctl(descriptor, 0x8004_5430, &number) == 0 {
            return (descriptor, "/dev/pts/\(number)")
        }
        #else
        let descriptor = posix_openpt(O_RDWR | O_NOCTTY)
        if descriptor >= 0, grantpt(descriptor) == 0, unlockpt(descriptor) == 0, let name = ptsname(descriptor) {
            return (descriptor, String(cString: name))
        }
        #endif
        throw TestFailure("no pseudo-terminal: \(String(cString: strerror(errno)))")
    }

    deinit {
        if status == nil {
            kill(child.id, SIGKILL)
            _ = child.wait()
        }
        if !isClosed { close(descriptor) }
    }

    package func resize(columns: UInt16, rows: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(descriptor, UInt(TIOCSWINSZ), &size)
    }

    /// Types `text`, and reads what is answered meanwhile: a terminal holds only so much of either.
    package func type(_ text: String) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            var source = pollfd(fd: descriptor, events: Int16(POLLIN) | Int16(POLLOUT), revents: 0)
            guard poll(&source, 1, 10_000) > 0 else { return }
            if source.revents & Int16(POLLIN) != 0, !receive() { return }
            guard source.revents & Int16(POLLOUT) != 0 else { continue }
            let count = rest.prefix(1024).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    package func send(signal number: Int32) { kill(child.id, number) }

    /// Takes the terminal away, as closing its window does.
    package func hangUp() {
        close(descriptor)
        isClosed = true
    }

    /// Types a line and its end.
    package func enter(_ line: String) { type(line + "\r") }

    package func interrupt() { type("\u{3}") }

    /// Waits until `text` has come.
    /// - Returns: What came before it, without the sequences that move the cursor and choose colours.
    @discardableResult
    package func expect(_ text: String, seconds: Int = 20) throws -> String {
        let wanted = Array(text.utf8)
        let deadline = time(nil) + seconds * Sanitizer.patience
        while true {
            let plain = PseudoTerminal.withoutControls(pending)
            if let range = plain.firstRange(of: wanted) {
                pending = Array(plain[range.upperBound...])
                return String(decoding: plain[..<range.lowerBound], as: UTF8.self)
            }
            guard time(nil) <= deadline, receive() else {
                throw TestFailure("\(text.debugDescription) did not come, but \(String(decoding: plain, as: UTF8.self).debugDescription)")
            }
        }
    }

    /// Waits until `text` has come, escape sequences and all.
    /// - Returns: What came before it.
    @discardableResult
    package func expectBytes(_ text: String, seconds: Int = 20) throws -> String {
        let deadline = time(nil) + seconds * Sanitizer.patience
        while true {
            if let range = pending.firstRange(of: Array(text.utf8)) {
                let before = String(decoding: pending[..<range.lowerBound], as: UTF8.self)
                pending.removeSubrange(..<range.upperBound)
                return before
            }
            guard time(nil) <= deadline, receive() else {
                throw TestFailure("\(text.debugDescription) did not come, but \(String(decoding: pending, as: UTF8.self).debugDescription)")
            }
        }
    }

    /// Writes what comes on a screen, and types the answers to what it is asked, until the screen is as it shall be.
    /// - Returns: Whether it came to be.
    package func show(on screen: inout Screen, seconds: Int = 20, until isRight: (Screen) -> Bool) -> Bool {
        let deadline = time(nil) + seconds * Sanitizer.patience
        while true {
            // A character or a sequence may have come in part.
            var count = pending.count
            while count > 0, count > pending.count - 4, String(validating: pending[..<count], as: UTF8.self) == nil { count -= 1 }
            screen.write(String(decoding: pending[..<count], as: UTF8.self))
            pending.removeFirst(count)
            let answers = screen.takeAnswers()
            if !answers.isEmpty { type(answers) }
            if isRight(screen) { return true }
            guard time(nil) <= deadline, receive() else { return false }
        }
    }

    /// Waits until the process ends.
    /// - Returns: Its exit status and what came last.
    package func waitForEnd(seconds: Int = 20) throws -> (status: Int32, output: String) {
        let deadline = time(nil) + seconds * Sanitizer.patience
        while !isClosed, receive() {
            guard time(nil) <= deadline else { throw TestFailure("act did not end: \(String(decoding: pending, as: UTF8.self).debugDescription)") }
        }
        let status = child.wait()
        self.status = status
        return (status, String(decoding: PseudoTerminal.withoutControls(pending), as: UTF8.self))
    }

    /// Collects what comes within a second.
    /// - Returns: False at the end.
    private func receive() -> Bool {
        var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&source, 1, 1000) > 0 else { return true }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(descriptor, &chunk, chunk.count)
        guard count > 0 else { return false }
        pending += chunk[..<count]
        return true
    }

    /// Without escape sequences, carriage returns and bells. A sequence that has not come whole stays.
    private static func withoutControls(_ bytes: [UInt8]) -> [UInt8] {
        var plain: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x1B, index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "[") {
                guard let end = bytes[(index + 2)...].firstIndex(where: { (0x40...0x7E).contains($0) }) else {
                    plain += bytes[index...]
                    break
                }
                index = end + 1
            } else {
                if byte != 0x0D && byte != 0x07 { plain.append(byte) }
                index += 1
            }
        }
        return plain
    }
}
