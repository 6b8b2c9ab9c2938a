// The only door between programs and files: `load`, `save` and `import` ask here. In a sandbox a path must lead, links resolved, into
// one of the allowed folders.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct FileAccess {
    let options: Session.Options

    init(_ session: Session) { options = session.options }

    /// - Throws: `RuntimeError.forbidden`; `ArrayError.file` when the file is missing, a folder, or may not be read.
    func read(_ path: String) throws -> [UInt8] {
        try check(path)
        if options.isSandboxed {
            guard let resolved = Self.resolved(path) else { throw isInside(Self.parent(path)) ? missing(path) : RuntimeError.forbidden(path) }
            guard isAllowed(resolved) else { throw RuntimeError.forbidden(path) }
        }
        return try AtomicFile.read(path) { descriptor in
            // Where it led may have changed since; where the open file is counts.
            guard options.isSandboxed else { return }
            guard let place = Self.place(of: descriptor), isAllowed(place) else { throw RuntimeError.forbidden(path) }
        }
    }

    /// Writes a file whole or not at all.
    func write(_ bytes: [UInt8], to path: String) throws {
        try check(path)
        if options.isSandboxed {
            // A link is followed to see where it leads; a new file is where its folder is.
            guard Self.resolved(path).map(isAllowed) ?? (isInside(Self.parent(path)) && !Self.isLink(path)) else { throw RuntimeError.forbidden(path) }
        }
        try AtomicFile.write(bytes, to: path)
    }

    /// A path as it is seen from the file `source`, which need not be one: relative ones count from its folder.
    static func path(_ path: String, from source: String) -> String {
        guard !path.hasPrefix("/"), !source.hasPrefix("<"), source.contains("/") else { return path }
        return parent(source) + "/" + path
    }

    /// The one name of an existing file, links resolved; relative where it lies below the current folder.
    static func canonical(_ path: String) -> String {
        guard let resolved = resolved(path) else { return path }
        guard let folder = self.resolved("."), folder != "/", resolved.hasPrefix(folder + "/") else { return resolved }
        return String(resolved.dropFirst(folder.utf8.count + 1))
    }

    // MARK: -

    private func check(_ path: String) throws {
        if path.isEmpty { throw ArrayError.file(path: path, reason: "a path must not be empty") }
        if path.utf8.contains(0) { throw ArrayError.file(path: path, reason: "a path holds no NUL characters") }
    }

    private func missing(_ path: String) -> Error { ArrayError.file(path: path, reason: "there is no such file") }

    private func isInside(_ folder: String) -> Bool { Self.resolved(folder).map(isAllowed) ?? false }

    /// - Parameter path: absolute, without links.
    private func isAllowed(_ path: String) -> Bool {
        options.allowedFolders.contains { folder in
            guard let folder = Self.resolved(folder) else { return false }
            return path == folder || folder == "/" || path.hasPrefix(folder + "/")
        }
    }

    private static func parent(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// The path of an open file.
    private static func place(of descriptor: Int32) -> String? {
        #if os(Linux)
        return resolved("/proc/self/fd/\(descriptor)")
        #else
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard fcntl(descriptor, F_GETPATH, &buffer) != -1 else { return nil }
        return String(cString: buffer)
        #endif
    }

    private static func isLink(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
    }
}

extension Session {
    /// The bytes of a file that the sandbox, if there is one, lets this session read.
    package func readFile(_ path: String) throws -> [UInt8] { try FileAccess(self).read(path) }

    /// Writes a file whole or not at all, where the sandbox lets this session write.
    package func writeFile(_ path: String, _ bytes: [UInt8]) throws {
        // What an explanation runs again leaves no traces.
        if machine?.recording != nil { return }
        try FileAccess(self).write(bytes, to: path)
    }
}
