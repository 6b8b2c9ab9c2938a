// Finds what a path leads to, one name at a time: each folder is opened as itself, never through a link, and the next name is looked
// up in the folder that is open. What somebody renames or swaps for a link meanwhile cannot lead anywhere else.
//
// What must stay true: names are bytes, and the system alone compares them; of places outside of the allowed folders nobody learns
// whether they exist.

import ActArray
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What tells a file or folder from every other, whatever it is called.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let number: UInt64

    package init(_ information: stat) {
        device = UInt64(truncatingIfNeeded: information.st_dev)
        number = UInt64(information.st_ino)
    }
}

/// An open folder, closed when nobody holds it any more.
package final class Folder: Sendable {
    package let descriptor: Int32
    package let identity: FileIdentity
    /// Whether it is one of the allowed folders, or below one.
    let isInside: Bool

    /// - Throws: `SystemFailure`.
    init(_ name: UnsafePointer<CChar>, in parent: Int32, isInside: (FileIdentity) -> Bool) throws {
        descriptor = act_open_folder(parent, name)
        guard descriptor >= 0 else { throw SystemFailure(code: errno) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            let code = errno
            close(descriptor)
            throw SystemFailure(code: code)
        }
        identity = FileIdentity(information)
        self.isInside = isInside(identity)
    }

    deinit { close(descriptor) }

    #if os(macOS)
    /// What it is called now.
    package var path: [UInt8]? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        guard fcntl(descriptor, F_GETPATH, &buffer) != -1 else { return nil }
        return buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }
    #endif

    /// The folders above, the nearest first, as far as they can be opened.
    func ancestors() -> [Folder] {
        var found: [Folder] = []
        var last = self
        while let next = try? Folder("..", in: last.descriptor, isInside: { _ in false }), next.identity != last.identity {
            found.append(next)
            last = next
        }
        return found
    }
}

/// A call of the system that failed.
struct SystemFailure: Error {
    let code: Int32
}

/// A name in an open folder.
package struct FilePlace {
    enum Kind {
        case missing, regular
        /// A device, pipe or socket.
        case special
    }

    package let folder: Folder
    /// Ends with a zero.
    let name: [CChar]
    let kind: Kind
    /// Permissions of what is there.
    let mode: mode_t
    /// Whether a link had this name.
    let isLinked: Bool

    /// Opens what has the name now; a link is not followed.
    /// - Returns: A descriptor, or -1 with `errno` set.
    package func open(_ flags: Int32, permissions: mode_t = 0) -> Int32 {
        openat(folder.descriptor, name, flags | O_NOFOLLOW | O_CLOEXEC, permissions)
    }

    /// What has the name now.
    package var identity: FileIdentity? {
        var information = stat()
        return fstatat(folder.descriptor, name, &information, AT_SYMLINK_NOFOLLOW) == 0 ? FileIdentity(information) : nil
    }

    /// Puts a file in the place of what has the name, whole or not at all.
    /// - Throws: An error that says nothing.
    package func replace(with bytes: [UInt8], permissions: mode_t) throws {
        let draft = try Draft(in: folder, permissions: permissions)
        try OpenFile.put(draft.descriptor, "") { try bytes.withUnsafeBytes($0) }
        try draft.become(name)
    }
}

struct PathWalk {
    enum End {
        case place(FilePlace)
        case folder(Folder)
    }

    /// What may be seen.
    struct Limits {
        let allowed: Set<FileIdentity>
        /// Folders and links that lead to the allowed folders; whoever knows where those are knows these.
        let known: Set<FileIdentity>
    }

    /// `nil` where everything may.
    let limits: Limits?
    /// Where relative paths begin, and the folders above it, from the outermost on.
    let start: [Folder]
    /// The folders and links that were named on the way.
    private(set) var named: [FileIdentity] = []

    init(limits: Limits?, start: [Folder]) {
        self.limits = limits
        self.start = start
    }

    private static let linkLimit = 40

    /// - Throws: `FileDoor.Forbidden`; `SystemFailure`.
    mutating func follow(_ path: some Collection<UInt8>) throws -> End {
        var trail = path.first == UInt8(ascii: "/") ? [try root()] : start
        var rest = PathWalk.names(path)
        var links = 0, isLinked = false
        while let name = rest.popLast() {
            guard let folder = trail.last else { throw FileDoor.Forbidden() }
            switch PathWalk.special(name) {
            case .here: continue
            case .above:
                if trail.count > 1 { trail.removeLast() } else { trail = [try above(folder)] }
                continue
            case nil: break
            }
            var information = stat()
            let code = fstatat(folder.descriptor, name, &information, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : errno
            let identity = FileIdentity(information)
            if !folder.isInside {
                guard code == 0, let limits, limits.known.contains(identity) || limits.allowed.contains(identity) else { throw FileDoor.Forbidden() }
            }
            if code == ENOENT, rest.isEmpty { return .place(FilePlace(folder: folder, name: name, kind: .missing, mode: 0, isLinked: isLinked)) }
            guard code == 0 else { throw SystemFailure(code: code) }
            switch information.st_mode & S_IFMT {
            case S_IFLNK:
                links += 1
                guard links <= PathWalk.linkLimit else { throw SystemFailure(code: ELOOP) }
                if try PathWalk.isOfStranger(information, in: folder) { throw SystemFailure(code: EACCES) }
                named.append(identity)
                isLinked = isLinked || rest.isEmpty
                let target = try PathWalk.target(name, in: folder)
                if target.first == UInt8(ascii: "/") { trail = [try root()] }
                rest += PathWalk.names(target)
            case S_IFDIR:
                let next = try Folder(name, in: folder.descriptor) { limits == nil || folder.isInside || isAllowed($0) }
                // Outside it must be the one that was looked at.
                guard folder.isInside || next.identity == identity else { throw FileDoor.Forbidden() }
                named.append(next.identity)
                trail.append(next)
            case let kind:
                guard rest.isEmpty else { throw SystemFailure(code: ENOTDIR) }
                return .place(
                    FilePlace(folder: folder, name: name, kind: kind == S_IFREG ? .regular : .special, mode: information.st_mode, isLinked: isLinked))
            }
        }
        guard let folder = trail.last, folder.isInside else { throw FileDoor.Forbidden() }
        return .folder(folder)
    }

    private func isAllowed(_ identity: FileIdentity) -> Bool { limits?.allowed.contains(identity) ?? true }

    private func root() throws -> Folder { try Folder("/", in: AT_FDCWD, isInside: isAllowed) }

    /// The folder above the outermost one of a trail.
    private func above(_ folder: Folder) throws -> Folder {
        let next = try Folder("..", in: folder.descriptor, isInside: isAllowed)
        // Within limits a trail begins at the root, above which there is itself; where the way up was closed, it ends.
        guard limits == nil || next.identity == folder.identity else { throw FileDoor.Forbidden() }
        return next
    }

    /// Where everybody may put links, only those of the user and of the folder's owner count.
    private static func isOfStranger(_ link: stat, in folder: Folder) throws -> Bool {
        var information = stat()
        guard fstat(folder.descriptor, &information) == 0 else { throw SystemFailure(code: errno) }
        let isShared = information.st_mode & S_ISVTX != 0 && information.st_mode & S_IWOTH != 0
        return isShared && link.st_uid != geteuid() && link.st_uid != information.st_uid
    }

    private static func target(_ name: [CChar], in folder: Folder) throws -> [UInt8] {
        var problem: Int32 = 0
        let size = Int(PATH_MAX)
        let target = [CChar](unsafeUninitializedCapacity: size) { buffer, filled in
            guard let base = buffer.baseAddress else { return }
            let count = readlinkat(folder.descriptor, name, base, size)
            if count < 0 { problem = errno }
            filled = max(count, 0)
        }
        // The end of a longer one is not known.
        guard problem == 0, target.count < size else { throw SystemFailure(code: problem == 0 ? ENAMETOOLONG : problem) }
        guard !target.isEmpty else { throw SystemFailure(code: ENOENT) }
        return target.map { UInt8(bitPattern: $0) }
    }

    // MARK: Names

    /// The names in a path, the last one first, each with a zero at its end. One that ends with `/` names a folder.
    private static func names(_ path: some Collection<UInt8>) -> [[CChar]] {
        var names = path.split(separator: UInt8(ascii: "/")).map { $0.map { CChar(bitPattern: $0) } + [0] }
        if path.reversed().first == UInt8(ascii: "/") { names.append([CChar(UInt8(ascii: ".")), 0]) }
        return names.reversed()
    }

    private enum Step {
        case here, above
    }

    private static func special(_ name: [CChar]) -> Step? {
        let point = CChar(UInt8(ascii: "."))
        return name == [point, 0] ? .here : name == [point, point, 0] ? .above : nil
    }
}
