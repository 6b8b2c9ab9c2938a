// A file that is being written and takes its name only when it is whole.
//
// What must stay true: whichever way the writing ends, no draft is left: this type removes it when an error is thrown, signal handlers
// call `act_draft_discard`, and what a killed process left is removed by the next draft in the folder. A draft that somebody is still
// writing is locked, and stays.

import ActArray
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct Draft: ~Copyable {
    let descriptor: Int32
    private let folder: Folder
    private let name: [CChar]
    private let isNoted: Bool
    private var hasName = false

    /// Makes one.
    /// - Parameter permissions: Those it will have; `nil` for those of any new file.
    /// - Throws: `SystemFailure`.
    init(in folder: Folder, permissions: mode_t?) throws {
        self.folder = folder
        // Names are used again, so that what is left over is found without a search. In a folder that others fill with such names, any.
        for attempt in 0..<128 {
            let name = Draft.name(attempt < 64 ? UInt64(attempt) : .random(in: 64 ... .max))
            Draft.removeAbandoned(name, in: folder)
            var isNoted: Int32 = 0
            let descriptor = act_draft_begin(folder.descriptor, name, permissions == nil ? 0o666 : 0o600, &isNoted)
            let code = errno
            if descriptor >= 0, Draft.lock(descriptor, name, in: folder) {
                if let permissions { _ = fchmod(descriptor, permissions) }
                (self.descriptor, self.name, self.isNoted) = (descriptor, name, isNoted != 0)
                Draft.removeAbandoned(after: attempt, in: folder)
                return
            }
            // Whoever locked it first is about to remove it.
            if isNoted != 0 { act_draft_end() }
            if descriptor >= 0 { close(descriptor) }
            guard descriptor >= 0 || code == EEXIST else { throw SystemFailure(code: code) }
        }
        throw SystemFailure(code: EBUSY)
    }

    /// Gives it its name, whatever had that before.
    /// - Throws: `SystemFailure`.
    consuming func become(_ newName: [CChar]) throws {
        if fsync(descriptor) != 0, errno != EINVAL { throw SystemFailure(code: errno) }
        guard renameat(folder.descriptor, name, folder.descriptor, newName) == 0 else { throw SystemFailure(code: errno) }
        hasName = true
    }

    deinit {
        if !hasName { unlinkat(folder.descriptor, name, 0) }
        if isNoted { act_draft_end() }
        close(descriptor)
    }

    private static func name(_ number: UInt64) -> [CChar] { ".act-save-\(number).tmp".utf8.map { CChar(bitPattern: $0) } + [0] }

    /// - Returns: False if another process has taken the file for abandoned.
    private static func lock(_ descriptor: Int32, _ name: [CChar], in folder: Folder) -> Bool {
        // Where files cannot be locked, none is ever taken for abandoned.
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { return false }
        var ours = stat(), named = stat()
        return fstat(descriptor, &ours) == 0 && fstatat(folder.descriptor, name, &named, AT_SYMLINK_NOFOLLOW) == 0
            && FileIdentity(ours) == FileIdentity(named)
    }

    /// Removes a draft that nobody writes any more.
    /// - Returns: Whether there is none of this name now.
    @discardableResult
    private static func removeAbandoned(_ name: [CChar], in folder: Folder) -> Bool {
        let descriptor = openat(folder.descriptor, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { return errno == ENOENT }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG, information.st_uid == geteuid(),
            flock(descriptor, LOCK_EX | LOCK_NB) == 0, lock(descriptor, name, in: folder)
        else { return false }
        return unlinkat(folder.descriptor, name, 0) == 0
    }

    /// Those of saves that were killed while this name was taken.
    private static func removeAbandoned(after attempt: Int, in folder: Folder) {
        var next = attempt + 1
        var information = stat()
        while next < 64, fstatat(folder.descriptor, name(UInt64(next)), &information, AT_SYMLINK_NOFOLLOW) == 0 {
            removeAbandoned(name(UInt64(next)), in: folder)
            next += 1
        }
    }
}
