// What was typed in earlier sessions, one entry a line of a text file in the user's state directory; the line ends of an entry of several lines are
// U+2028 there.
//
// What must stay true: its folder is opened once, and the file is looked up in it; nothing here can keep a session from working, a lock
// that somebody holds included; several sessions at once lose no line of each other, for each line is appended under a lock; only its
// owner can read the file.

import ActArray
import ActFiles
import ActLanguage
import ActWording
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class HistoryFile {
    /// How many lines come back, and how many are kept when the file has grown to twice as many.
    static let limit = 10_000

    let path: String
    /// What went wrong, to be said once.
    private(set) var warning: String?
    private var last: String?
    private var isBroken = false
    private let place: FilePlace?
    /// Lines that could not be written yet, because somebody else has locked the file.
    private var waiting: [String] = []

    /// Makes the folder if there is none.
    init(path: String) {
        self.path = path
        HistoryFile.makeFolders(path)
        do {
            place = try FileDoor.open.place(of: path)
        } catch {
            place = nil
            isBroken = true
            warning = "history is not kept: \(path): \(message(about: error))"
        }
    }

    /// The folder in which the file lies.
    var folder: Folder? { place?.folder }

    /// `$XDG_STATE_HOME/act/history`, or in `~/.local/state`.
    static var standardPath: String? {
        if let state = Terminal.variable("XDG_STATE_HOME"), state.hasPrefix("/") { return state + "/act/history" }
        let home = Terminal.variable("HOME") ?? getpwuid(getuid()).flatMap { $0.pointee.pw_dir.map { String(cString: $0) } }
        guard let home, home.hasPrefix("/") else { return nil }
        return home + "/.local/state/act/history"
    }

    /// Hands over the remembered lines, oldest first. The prompt waits for this: lines are handed on where they were read.
    func load(_ remember: (UnsafePointer<CChar>) -> Void) {
        guard !isBroken else { return }
        var isLocked = true
        var file = openLocked(O_RDWR | O_CREAT, patience: 200) ?? openLocked(O_RDONLY)
        if file == nil, errno == EWOULDBLOCK {
            // It is read as it is: lines are appended whole.
            isLocked = false
            file = openRegular(O_RDONLY)
        }
        guard let descriptor = file else { return fail(errno) }
        defer { HistoryFile.close(descriptor) }
        guard let (read, held) = readNewest(descriptor) else { return fail(errno) }
        defer { withExtendedLifetime(held) {} }
        var bytes = read
        let isText = String(validating: bytes, as: UTF8.self) != nil
        var lines: [Range<Int>] = []
        var isWhole = true
        /// Where entries of several lines begin.
        var several: Set<Int> = []
        bytes.withUnsafeBufferPointer { bytes in
            var start = HistoryFile.newest(2 * HistoryFile.limit + 1, bytes)
            while start < bytes.count {
                var end = start
                var isTyped = true
                while end < bytes.count, bytes[end] != UInt8(ascii: "\n") {
                    if bytes[end] == 0xE2, bytes[end...].starts(with: Self.lineEnd) { several.insert(start) }
                    if bytes[end] < 0x20 && bytes[end] != UInt8(ascii: "\t") || bytes[end] == 0x7F { isTyped = false }
                    end += 1
                }
                let line = start..<end
                start = end + 1
                if line.isEmpty { continue }
                isTyped = isTyped && line.count <= HistoryFile.longest && (isText || String(validating: bytes[line], as: UTF8.self) != nil)
                if isTyped { lines.append(line) } else { isWhole = false }
            }
        }
        if !isWhole { warning = "\(path) holds something else than lines of text; that is left out" }
        if isLocked, lines.count > 2 * HistoryFile.limit { replace(with: lines.suffix(HistoryFile.limit), of: bytes) }
        lines = lines.suffix(HistoryFile.limit)
        last = lines.last.map { String(decoding: bytes[$0], as: UTF8.self) }
        bytes.append(0)
        for line in lines { bytes[line.upperBound] = 0 }
        bytes.withUnsafeBytes { bytes in
            guard let base = bytes.bindMemory(to: CChar.self).baseAddress else { return }
            for line in lines {
                // Few entries have several lines; the others are handed on where they are.
                if several.contains(line.lowerBound) {
                    remember(String(cString: base + line.lowerBound).replacing("\u{2028}", with: "\n"))
                } else {
                    remember(base + line.lowerBound)
                }
            }
        }
    }

    private static let lineEnd: [UInt8] = Array("\u{2028}".utf8)
    /// Bytes of a line that is kept.
    private static let longest = 1 << 16

    /// Appends a line, unless it is the same as the last one.
    func append(_ entry: String) {
        let line = entry.replacing("\n", with: "\u{2028}")
        guard !isBroken, line != last, !line.isEmpty, line.utf8.count <= HistoryFile.longest,
            line.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == UInt8(ascii: "\t") })
        else { return }
        last = line
        waiting.append(line)
        appendWaiting(patience: 0)
    }

    /// Writes what could not be written before, for the session ends.
    func close() {
        if !isBroken, !waiting.isEmpty { appendWaiting(patience: 200) }
    }

    private func appendWaiting(patience: Int) {
        guard let descriptor = openLocked(O_WRONLY | O_CREAT | O_APPEND, patience: patience) else {
            if errno == EWOULDBLOCK {
                if waiting.count > HistoryFile.limit { waiting.removeFirst(HistoryFile.limit / 2) }
                return
            }
            return fail(errno)
        }
        defer { HistoryFile.close(descriptor) }
        let text = waiting.map { $0 + "\n" }.joined()
        waiting = []
        if let code = writeAll(Array(text.utf8), to: descriptor) { fail(code) }
    }

    /// What there is to say, once.
    func takeWarning() -> String? {
        defer { warning = nil }
        return warning
    }

    private func fail(_ code: Int32) {
        isBroken = true
        warning = "history is not kept: \(path): \(describe(errno: code))"
    }

    /// The file, made if the flags ask for it, and locked; again if another session has put a new one in its place meanwhile.
    /// - Parameter patience: Milliseconds to wait for who has locked it.
    /// - Returns: `nil` with `errno` set, to `EWOULDBLOCK` when it stays locked.
    private func openLocked(_ flags: Int32, patience: Int = 0) -> Int32? {
        guard let place else { return nil }
        var patience = patience
        for _ in 0..<10 {
            guard let descriptor = openRegular(flags) else { return nil }
            while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR {
                guard patience > 0 else {
                    HistoryFile.close(descriptor)
                    errno = EWOULDBLOCK
                    return nil
                }
                usleep(10_000)
                patience -= 10
            }
            var ours = stat()
            if fstat(descriptor, &ours) == 0, place.identity == FileIdentity(ours) {
                if ours.st_mode & 0o077 != 0 { _ = fchmod(descriptor, 0o600) }
                return descriptor
            }
            HistoryFile.close(descriptor)
        }
        errno = EWOULDBLOCK
        return nil
    }

    private func openRegular(_ flags: Int32) -> Int32? {
        guard let descriptor = place?.open(flags | O_NONBLOCK, permissions: 0o600), descriptor >= 0 else { return nil }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            HistoryFile.close(descriptor)
            errno = information.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL
            return nil
        }
        return descriptor
    }

    /// `close` of the system, with `errno` as it was.
    private static func close(_ descriptor: Int32) {
        let saved = errno
        closeDescriptor(descriptor)
        errno = saved
    }

    private static func makeFolders(_ path: String) {
        var folders: [String] = []
        var rest = path[...]
        while let slash = rest.lastIndex(of: "/"), slash > rest.startIndex {
            rest = rest[..<slash]
            folders.append(String(rest))
        }
        for folder in folders.reversed() { _ = mkdir(folder, 0o700) }
    }

    /// The lines that were written last, whole: as many bytes of them as act would ever write, and as there is memory for.
    /// - Returns: `nil` with `errno` set.
    private func readNewest(_ descriptor: Int32) -> (bytes: [UInt8], held: SharedReservation)? {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { return nil }
        let size = max(0, Int(information.st_size)), held = SharedReservation()
        var most = min(size, HistoryFile.mostBytes)
        // Beside the bytes there is what the editor remembers of them.
        while most > 1 << 16, (try? held.grow(by: 3 * most)) == nil { most /= 2 }
        // With the byte before them it is seen whether the first line is whole.
        let start = max(0, size - most - 1)
        guard lseek(descriptor, off_t(start), SEEK_SET) >= 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(most + 2)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= most {
            let count = readSome(descriptor, into: &chunk)
            if count == 0 { break }
            if count < 0 { return nil }
            bytes.append(contentsOf: chunk[..<min(count, most + 1 - bytes.count)])
        }
        if start > 0 { bytes.removeFirst((bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count - 1) + 1) }
        return (bytes, held)
    }

    private static let mostBytes = 1 << 26

    /// Where the last lines begin, as many as are asked for.
    private static func newest(_ count: Int, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
        var left = count, start = bytes.count
        while start > 0 {
            // The end of the line before.
            if start < bytes.count, bytes[start - 1] == UInt8(ascii: "\n") {
                left -= 1
                if left == 0 { break }
            }
            start -= 1
        }
        return start
    }

    /// Puts a file with these lines in the place of the old one, whose lock is held.
    private func replace(with lines: ArraySlice<Range<Int>>, of bytes: [UInt8]) {
        var text: [UInt8] = []
        for line in lines { text += bytes[line] + [UInt8(ascii: "\n")] }
        try? place?.replace(with: text, permissions: 0o600)
    }
}
