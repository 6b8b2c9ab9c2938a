// Reads programs: whole files, and lines as they come.

import ActArray
import ActLanguage
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum InputFile {
    struct Failure: Error {
        let diagnostic: Diagnostic
    }

    /// No source may be longer: spans hold 32 bits, and what is made of it must fit into the memory limit.
    static var limit: Int { min(Int(Int32.max) - 1, max(leastLimit, MemoryPool.limit / Session.bytesWhileCompiling)) }

    /// So long a source is never too long.
    private static let leastLimit = 1 << 20

    static func read(_ path: String) -> Result<[UInt8], Failure> {
        // Who opens a pipe waits for its writer.
        let isAlone = Interrupt.beginReading()
        defer { if isAlone { Interrupt.enter(.running) } }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(failure(path, errno)) }
        defer { close(descriptor) }
        return readAll(descriptor, named: path)
    }

    /// A file that may have become a pipe or a device meanwhile, for which nobody wants to wait.
    static func readRegular(_ path: String) -> Result<[UInt8], Failure> {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { return .failure(failure(path, errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failure(failure(path, errno)) }
        guard status.st_mode & S_IFMT == S_IFREG || status.st_mode & S_IFMT == S_IFDIR else {
            return .failure(Failure(diagnostic: Diagnostic(.unreadableFile, "\(path) is not a file but a pipe, a socket or a device")))
        }
        return readAll(descriptor, named: path)
    }

    /// A file that shall be a program.
    static func readProgram(_ path: String) -> Result<[UInt8], Failure> {
        page(path).map { .failure($0) } ?? read(path)
    }

    /// A file that is not a program.
    static func page(_ path: String) -> Failure? {
        guard path.hasSuffix(".md") else { return nil }
        return Failure(diagnostic: Diagnostic(.unreadableFile, "\(path) is a page, not a program", help: "`act test \(path)` runs its blocks"))
    }

    static func readAll(_ descriptor: Int32, named name: String) -> Result<[UInt8], Failure> {
        var bytes: [UInt8] = []
        var status = stat()
        let isSmall = fstat(descriptor, &status) == 0 && status.st_size > 0 && status.st_size < 1 << 12
        if status.st_size > 0, status.st_size < leastLimit || status.st_size < limit { bytes.reserveCapacity(Int(status.st_size) + 1) }
        var chunk = [UInt8](repeating: 0, count: isSmall ? 1 << 12 : 1 << 16)
        while true {
            let count = readSome(descriptor, into: &chunk)
            if count == 0 { return .success(bytes) }
            if count < 0 { return .failure(failure(name, errno)) }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > leastLimit, bytes.count > limit { return .failure(tooLarge(name)) }
        }
    }

    static func tooLarge(_ name: String) -> Failure {
        Failure(
            diagnostic: Diagnostic(
                .sourceTooLarge, "\(name) is too large for a program: more than \(limit) bytes",
                help: "data belong into a file that `load` reads; `--max-memory` sets the limit"))
    }

    private static func failure(_ path: String, _ code: Int32) -> Failure {
        if code == EISDIR { return Failure(diagnostic: Diagnostic(.unreadableFile, "\(path) is a folder, not a script")) }
        var help: String?
        if code == ENOENT {
            let slash = path.lastIndex(of: "/")
            let folder = slash.map { String(path[...$0]) } ?? ""
            let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
            let near = suggest(name, among: names(in: folder.isEmpty ? "." : folder).filter { $0.hasSuffix(".act") })
            if !near.isEmpty { help = "did you mean \(near.map { folder + $0 }.joined(separator: " or "))?" }
        }
        return Failure(diagnostic: Diagnostic(.unreadableFile, "cannot read \(path): \(describe(errno: code))", help: help))
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream), names.count < 10_000 {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names
    }
}

/// Lines of a pipe or file, without their line ends.
struct LineReader {
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    private var start = 0
    /// How far there is no line end.
    private var searched = 0
    private var isAtEnd = false
    /// Whether there was a line that no program can be made of, after which nothing is read.
    private(set) var isTooLong = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// The next line, or `nil` after the last. Bytes that are not UTF-8 become U+FFFD, which no program contains.
    mutating func next() -> String? {
        while true {
            if let line = bufferedLine() {
                start = min(line.upperBound + 1, buffer.count)
                searched = start
                return text(line)
            }
            if isAtEnd { return nil }
            fill()
        }
    }

    /// The line after the one last read, if it is there already: who writes into the pipe may wait for an answer first.
    mutating func peek() -> String? {
        while true {
            if let line = bufferedLine() { return text(line) }
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard !isAtEnd, poll(&ready, 1, 0) == 1 else { return nil }
            fill()
        }
    }

    private mutating func bufferedLine() -> Range<Int>? {
        if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            searched = end
            return start..<end
        }
        searched = buffer.count
        return isAtEnd && start < buffer.count ? start..<buffer.count : nil
    }

    private mutating func fill() {
        if start > 0 {
            buffer.removeSubrange(..<start)
            searched -= start
            start = 0
        }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        Output.standard.flush()
        Interrupt.enter(.reading)
        defer { Interrupt.enter(.runningLine) }
        var source = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        _ = Idle.wait(&source)
        let count = readSome(descriptor, into: &chunk)
        if count <= 0 { isAtEnd = true } else { buffer.append(contentsOf: chunk[..<count]) }
        // There was no line end before this piece.
        if buffer.count > InputFile.limit {
            (isTooLong, isAtEnd) = (true, true)
            buffer = []
            searched = 0
        }
    }

    private func text(_ range: Range<Int>) -> String {
        let endsWithReturn = !range.isEmpty && buffer[range.upperBound - 1] == UInt8(ascii: "\r")
        return String(decoding: buffer[endsWithReturn ? range.dropLast() : range], as: UTF8.self)
    }
}
