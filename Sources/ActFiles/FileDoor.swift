// The only way from programs to files. A door lets everything through, or what lies in folders that were allowed.
//
// What must stay true: the folders are opened once, when the door is made, and are known by what they are, not by what they are called;
// nothing is looked up by its path after it has been checked; a file is written whole or not at all.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package final class FileDoor: Sendable {
    /// The path leads out of the allowed folders, to something or nothing.
    package struct Forbidden: Error {
        package init() {}
    }

    /// A door that is open to every file.
    package static let open = FileDoor(folders: [], limits: nil, start: [])

    /// The allowed folders.
    package let folders: [Folder]
    private let limits: PathWalk.Limits?
    /// The current folder and those above it, from the outermost on; of an open door they are not kept.
    private let start: [Folder]

    package var isOpen: Bool { limits == nil }

    private init(folders: [Folder], limits: PathWalk.Limits?, start: [Folder]) {
        (self.folders, self.limits, self.start) = (folders, limits, start)
    }

    /// A door to what lies in these folders, by the bytes of their paths.
    /// - Throws: `FileError` for what is not a folder or cannot be opened.
    package convenience init(allowing paths: [[UInt8]]) throws {
        var folders: [Folder] = [], known: Set<FileIdentity> = []
        let here = try? Folder(".", in: AT_FDCWD, isInside: { _ in true })
        for path in paths {
            let name = String(decoding: path, as: UTF8.self)
            try FileDoor.check(path, name)
            var walk = PathWalk(limits: nil, start: here.map { [$0] } ?? [])
            do {
                guard case .folder(let folder) = try walk.follow(path) else { throw FileError(name, .noFolder) }
                folders.append(folder)
                known.formUnion(walk.named)
                known.formUnion(folder.ancestors().map(\.identity))
            } catch let failure as SystemFailure {
                throw failure.code == ENOENT ? FileError(name, .noFolder) : OpenFile.failure(name, failure.code)
            }
        }
        let allowed = Set(folders.map(\.identity))
        var start: [Folder] = []
        for folder in ((here.map { [$0] } ?? []) + (here?.ancestors() ?? [])).reversed() {
            let isInside = start.last?.isInside == true
            if let known = try? Folder(".", in: folder.descriptor, isInside: { isInside || allowed.contains($0) }) { start.append(known) }
        }
        self.init(folders: folders, limits: PathWalk.Limits(allowed: allowed, known: known), start: start)
    }

    // MARK: Reading and writing

    /// The bytes of a file (of a pipe or device: up to its end).
    /// - Throws: `Forbidden`; `FileError` when it is missing, a folder, or may not be read; `outOfMemory`; `interrupted`.
    package func read(_ path: String) throws -> [UInt8] {
        let descriptor = try opened(path)
        defer { close(descriptor) }
        return try OpenFile.contents(descriptor, path)
    }

    /// Replaces a file, or makes it; what was there before stays as it was when anything goes wrong. What a link leads to is replaced,
    /// not the link. Devices and pipes are written to.
    /// - Parameter body: gives the bytes to what it is called with, in order, in pieces of any size.
    /// - Throws: `Forbidden`; `FileError`; `interrupted`; of a link that leads nowhere an error; what `body` throws.
    package func write(to path: String, _ body: (ByteSink) throws -> Void) throws {
        try FileDoor.check(path.utf8, path)
        // Those in /dev may be links to what has no path. Nothing is made here, so that another thing in its place does no harm.
        var information = stat()
        if isOpen, stat(path, &information) == 0, ![S_IFREG, S_IFDIR].contains(information.st_mode & S_IFMT) {
            return try put(in: path, body) { systemOpen(path, $0) }
        }
        do {
            guard case .place(let place) = try follow(path) else { throw SystemFailure(code: EISDIR) }
            switch place.kind {
            case .special:
                return try put(in: path, body) { place.open($0) }
            case .missing:
                if place.isLinked { throw FileError(path, .deadLink) }
            case .regular:
                guard faccessat(place.folder.descriptor, place.name, W_OK, 0) == 0 else { throw SystemFailure(code: errno) }
            }
            // The bits that let a program run as its owner do not outlive what was in it.
            let draft = try Draft(in: place.folder, permissions: place.kind == .regular ? place.mode & 0o777 : nil)
            try OpenFile.put(draft.descriptor, path, body)
            try draft.become(place.name)
        } catch let failure as SystemFailure {
            if failure.code == ENOENT { throw FileError(path, .folderMissing) }
            throw OpenFile.failure(path, failure.code)
        }
    }

    package func write(_ bytes: [UInt8], to path: String) throws {
        try write(to: path) { try bytes.withUnsafeBytes($0) }
    }

    /// What a path leads to now.
    /// - Throws: `Forbidden`; `FileError`.
    package func place(of path: String) throws -> FilePlace {
        try FileDoor.check(path.utf8, path)
        do {
            guard case .place(let place) = try follow(path) else { throw SystemFailure(code: EISDIR) }
            return place
        } catch let failure as SystemFailure {
            throw OpenFile.failure(path, failure.code)
        }
    }

    // MARK: -

    private static func check(_ bytes: some Collection<UInt8>, _ path: String) throws {
        if bytes.isEmpty { throw FileError(path, .emptyPath) }
        if bytes.contains(0) { throw FileError(path, .nulInPath) }
    }

    private func follow(_ path: String) throws -> PathWalk.End {
        let here = isOpen ? [try Folder(".", in: AT_FDCWD, isInside: { _ in true })] : start
        var walk = PathWalk(limits: limits, start: here)
        return try walk.follow(Array(path.utf8))
    }

    /// A descriptor to read from.
    private func opened(_ path: String) throws -> Int32 {
        try FileDoor.check(path.utf8, path)
        let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        if isOpen {
            let descriptor = systemOpen(path, flags)
            guard descriptor >= 0 else { throw OpenFile.failure(path, errno) }
            return descriptor
        }
        do {
            for _ in 0..<10 {
                guard case .place(let place) = try follow(path) else { throw SystemFailure(code: EISDIR) }
                let descriptor = place.open(flags)
                if descriptor >= 0 { return descriptor }
                // A link since: where does that lead?
                guard errno == ELOOP else { throw SystemFailure(code: errno) }
            }
            throw SystemFailure(code: ELOOP)
        } catch let failure as SystemFailure {
            throw OpenFile.failure(path, failure.code)
        }
    }

    /// Writes into a device or pipe.
    private func put(in path: String, _ body: (ByteSink) throws -> Void, _ open: (Int32) -> Int32) throws {
        let flags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        var descriptor = open(flags)
        while descriptor < 0, errno == ENXIO {
            // Of a pipe: nobody reads yet. Of a device: it is not there.
            var information = stat()
            guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFIFO else { throw OpenFile.failure(path, ENXIO) }
            try Interrupt.check()
            usleep(20_000)
            descriptor = open(flags)
        }
        guard descriptor >= 0 else { throw OpenFile.failure(path, errno) }
        defer { close(descriptor) }
        try OpenFile.put(descriptor, path, body)
    }
}

/// `open`, which here is a door.
private func systemOpen(_ path: String, _ flags: Int32) -> Int32 { open(path, flags) }
