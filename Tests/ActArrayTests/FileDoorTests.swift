// The door between programs and files: what lies in the allowed folders, by whatever way, and nothing else; whole or not at all.

import ActArray
import Testing
import ActFiles
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite final class FileDoorTests {
    let inside: String
    let outside: String
    private let root: String

    init() throws {
        // Its real name: on macOS /tmp is a link.
        let temporary = try #require(realpath("/tmp", nil))
        defer { free(temporary) }
        root = String(cString: temporary) + "/act-door-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        (inside, outside) = (root + "/inside", root + "/outside")
        for folder in [root, inside, outside] { #expect(mkdir(folder, 0o755) == 0) }
        try FileDoor.open.write([1], to: outside + "/there.json")
        try FileDoor.open.write([2], to: inside + "/here.json")
    }

    deinit { FileDoorTests.remove(Array(root.utf8)) }

    private func door() throws -> FileDoor { try FileDoor(allowing: [Array(inside.utf8)]) }

    private static func names(_ folder: [UInt8]) -> [[UInt8]] {
        guard let stream = (folder + [0]).withUnsafeBytes({ opendir($0.bindMemory(to: CChar.self).baseAddress!) }) else { return [] }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        return names
    }

    private static func remove(_ path: [UInt8]) {
        for name in names(path) { remove(path + [UInt8(ascii: "/")] + name) }
        _ = (path + [0]).withUnsafeBytes { bytes in
            let text = bytes.bindMemory(to: CChar.self).baseAddress!
            return unlink(text) == 0 || rmdir(text) == 0
        }
    }

    private func drafts(_ folder: String) -> Int { Self.names(Array(folder.utf8)).filter { $0.starts(with: ".act-".utf8) }.count }

    // MARK: Which files

    /// Names that texts take for equal, and names that are not text, are names of different folders.
    @Test func namesAreBytes() throws {
        let pairs: [([UInt8], [UInt8])] = [
            (Array("caf\u{e9}".utf8), Array("cafe\u{301}".utf8)),
            (Array("\u{c5}".utf8), Array("\u{212b}".utf8)),
            (Array("\u{ac00}".utf8), Array("\u{1100}\u{1161}".utf8)),
            ([0xff], Array("\u{fffd}".utf8)),
            ([0x61, 0xc3], Array("a\u{fffd}".utf8)),
        ]
        for (first, second) in pairs + pairs.map({ ($1, $0) }) {
            let folder = Array((root + "/n/").utf8)
            mkdir(root + "/n", 0o755)
            defer { Self.remove(Array((root + "/n").utf8)) }
            var made = 0
            for name in [first, second] {
                made += (folder + name + [0]).withUnsafeBytes { mkdir($0.bindMemory(to: CChar.self).baseAddress!, 0o755) == 0 ? 1 : 0 }
            }
            // A system whose names are texts has not two such folders.
            guard made == 2 else { continue }
            let door = try FileDoor(allowing: [folder + first])
            // What a program can write is text.
            if let text = String(validating: first, as: UTF8.self) { try door.write([1], to: root + "/n/" + text + "/x.json") }
            if let text = String(validating: second, as: UTF8.self) {
                #expect(throws: FileDoor.Forbidden.self) { try door.write([1], to: self.root + "/n/" + text + "/x.json") }
                #expect(throws: FileDoor.Forbidden.self) { try door.read(self.root + "/n/" + text + "/x.json") }
            }
            #expect(Self.names(folder + second).isEmpty)
        }
    }

    /// Existing or not, what is outside is forbidden, by the same error.
    @Test func outsideNothingIsSaid() throws {
        #expect(symlink(outside, inside + "/link") == 0)
        #expect(symlink(outside + "/there.json", inside + "/file") == 0)
        #expect(symlink(outside + "/nowhere.json", inside + "/dangling") == 0)
        #expect(symlink("../outside/there.json", inside + "/relative") == 0)
        #expect(symlink(inside, outside + "/back") == 0)
        let door = try door()
        let paths = [
            "/etc/passwd", "/no/such/file", "/", "/tmp", outside, outside + "/there.json", outside + "/nowhere.json", outside + "/no/such",
            inside + "/../outside/there.json", inside + "/../nothing", inside + "/link/there.json", inside + "/link/nowhere.json",
            inside + "/file", inside + "/dangling", inside + "/relative", inside + "evil", inside + "evil/x", root + "/insid",
            // What leads back in would tell that it exists.
            outside + "/../inside/here.json", root + "/none/../inside/here.json", outside + "/back/here.json", "/proc/self/cwd/x",
            "there.json", "../x", ".", "..", "/proc/self/root" + inside + "/here.json", "/proc/self/fd/0",
        ]
        for path in paths {
            #expect(throws: FileDoor.Forbidden.self, "\(path) was read") { try door.read(path) }
            #expect(throws: FileDoor.Forbidden.self, "\(path) was written") { try door.write([7], to: path) }
        }
        #expect(try FileDoor.open.read(outside + "/there.json") == [1])
        #expect(Self.names(Array(outside.utf8)).count == 2)
    }

    @Test func insideEveryWayIsOpen() throws {
        #expect(mkdir(inside + "/sub", 0o755) == 0 && symlink("sub", inside + "/to-sub") == 0)
        #expect(symlink(inside + "/here.json", inside + "/sub/absolute") == 0)
        #expect(symlink("../here.json", inside + "/sub/relative") == 0)
        for path in [
            "/here.json", "//here.json", "/./here.json", "/sub/../here.json", "/to-sub/../here.json", "/sub/absolute", "/to-sub/relative",
            "/../inside/here.json",
        ] {
            #expect(try door().read(inside + path) == [2], "\(path)")
        }
        try door().write([3], to: inside + "/to-sub/new.json")
        #expect(try FileDoor.open.read(inside + "/sub/new.json") == [3])
        // By the name that the folder was allowed by, a link here, and by its own.
        #expect(symlink(inside, root + "/alias") == 0)
        let door = try FileDoor(allowing: [Array((root + "/alias/").utf8)])
        #expect(try door.read(root + "/alias/here.json") == [2])
        #expect(try door.read(inside + "/here.json") == [2])
        // Several folders, one in another.
        let two = try FileDoor(allowing: [Array((inside + "/sub").utf8), Array(outside.utf8)])
        #expect(try two.read(outside + "/there.json") == [1])
        #expect(try two.read(inside + "/sub/new.json") == [3])
        #expect(throws: FileDoor.Forbidden.self) { try two.read(self.inside + "/here.json") }
        #expect(throws: FileDoor.Forbidden.self) { try two.read(self.inside + "/sub/../here.json") }
    }

    @Test func whatIsMissingInsideIsSaid() throws {
        let door = try door()
        func fault(_ body: () throws -> Void) throws -> FileFault? {
            do { try body() } catch let error as FileError { return error.fault }
            return nil
        }
        #expect(symlink("a", inside + "/b") == 0 && symlink("b", inside + "/a") == 0)
        #expect(try fault { _ = try door.read(inside + "/none.json") } == .system(code: ENOENT))
        #expect(try fault { try door.write([], to: inside + "/none/x.json") } == .folderMissing)
        #expect(try fault { _ = try door.read(inside) } == .system(code: EISDIR))
        #expect(try fault { _ = try door.read(inside + "/here.json/x") } == .system(code: ENOTDIR))
        #expect(try fault { _ = try door.read(inside + "/here.json/") } == .system(code: ENOTDIR))
        #expect(try fault { _ = try door.read(inside + "/a") } == .system(code: ELOOP))
        #expect(try fault { _ = try FileDoor(allowing: [Array((inside + "/none").utf8)]) } == .noFolder)
        #expect(try fault { _ = try FileDoor(allowing: [Array((inside + "/here.json").utf8)]) } == .noFolder)
    }

    /// Somebody swaps a folder for a link that leads out, again and again.
    @Test func swappedFoldersLeadNowhere() throws {
        #expect(mkdir(inside + "/sub", 0o755) == 0 && symlink(outside, inside + "/trap") == 0)
        let door = try door()
        let swapping = Swapping(inside)
        defer { swapping.end() }
        var written = 0
        for number in 0..<400 {
            do {
                try door.write([UInt8(truncatingIfNeeded: number)], to: inside + "/sub/x.json")
                written += 1
            } catch {}
            do {
                #expect(try door.read(inside + "/sub/there.json") != [1])
            } catch {}
        }
        swapping.end()
        #expect(written > 0)
        #expect(Self.names(Array(outside.utf8)) == [Array("there.json".utf8)])
    }

    private final class Swapping {
        private let box: Box
        private var thread: pthread_t?
        private final class Box: @unchecked Sendable {
            let folder: String
            var isOver = false
            init(_ folder: String) { self.folder = folder }
        }

        init(_ folder: String) {
            box = Box(folder)
            #if canImport(Glibc)
            var new = pthread_t()
            #else
            var new: pthread_t?
            #endif
            let body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { raw in
                guard let raw else { return nil }
                let box = Unmanaged<Box>.fromOpaque(raw).takeRetainedValue()
                while !box.isOver {
                    rename(box.folder + "/sub", box.folder + "/kept")
                    rename(box.folder + "/trap", box.folder + "/sub")
                    rename(box.folder + "/sub", box.folder + "/trap")
                    rename(box.folder + "/kept", box.folder + "/sub")
                }
                return nil
            }
            #if canImport(Glibc)
            pthread_create(&new, nil, body, Unmanaged.passRetained(box).toOpaque())
            #else
            pthread_create(&new, nil, { body($0) }, Unmanaged.passRetained(box).toOpaque())
            #endif
            thread = new
        }

        func end() {
            guard let thread else { return }
            box.isOver = true
            pthread_join(thread, nil)
            self.thread = nil
        }
    }

    // MARK: Whole or not at all

    @Test func abandonedDraftsAreRemoved() throws {
        for number in 0..<4 { close(open(inside + "/.act-save-\(number).tmp", O_CREAT | O_RDWR, 0o644)) }
        // One that somebody is still writing.
        let held = open(inside + "/.act-save-1.tmp", O_RDWR)
        #expect(held >= 0 && flock(held, LOCK_EX) == 0)
        try door().write([5], to: inside + "/x.json")
        #expect(drafts(inside) == 1)
        #expect(access(inside + "/.act-save-1.tmp", F_OK) == 0)
        close(held)
        try FileDoor.open.write([6], to: inside + "/x.json")
        #expect(drafts(inside) == 0)
        #expect(try FileDoor.open.read(inside + "/x.json") == [6])
        // Of others nothing is taken away.
        try FileDoor.open.write([9], to: inside + "/y")
        #expect(rename(inside + "/y", inside + "/.act-save-0.tmp") == 0)
        if geteuid() == 0, chown(inside + "/.act-save-0.tmp", 12345, 12345) == 0 {
            try door().write([7], to: inside + "/x.json")
            #expect(drafts(inside) == 1)
        }
    }

    @Test func severalSaveIntoOneFolder() async throws {
        let folder = inside
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for _ in 0..<10 {
                        try FileDoor.open.write([UInt8](repeating: UInt8(writer), count: 5000), to: folder + "/shared.json")
                        let read = try FileDoor.open.read(folder + "/shared.json")
                        #expect(read.count == 5000 && Set(read).count == 1)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(drafts(inside) == 0)
    }

    @Test func permissionsStayAndRightsDoNot() throws {
        let path = inside + "/tool.json"
        for (before, after) in [(0o4755, 0o755), (0o2755, 0o755), (0o6711, 0o711), (0o600, 0o600), (0o666, 0o666)] as [(mode_t, mode_t)] {
            try FileDoor.open.write([1], to: path)
            #expect(chmod(path, before) == 0)
            try FileDoor.open.write([2], to: path)
            var information = stat()
            #expect(stat(path, &information) == 0 && information.st_mode & 0o7777 == after)
        }
    }

    @Test func danglingLinksAreErrors() throws {
        #expect(symlink("nowhere.json", inside + "/dangling.json") == 0)
        for door in [FileDoor.open, try door()] {
            #expect(throws: FileError(inside + "/dangling.json", .deadLink)) {
                try door.write([1], to: self.inside + "/dangling.json")
            }
        }
        var information = stat()
        #expect(lstat(inside + "/dangling.json", &information) == 0 && information.st_mode & S_IFMT == S_IFLNK)
        #expect(access(inside + "/nowhere.json", F_OK) != 0 && drafts(inside) == 0)
    }

    /// In a folder that everybody writes to, a link of a stranger leads nowhere.
    @Test func linksOfStrangersAreNotFollowed() throws {
        guard geteuid() == 0 else { return }
        #expect(mkdir(inside + "/shared", 0o1777) == 0 && chmod(inside + "/shared", 0o1777) == 0)
        #expect(symlink(inside + "/here.json", inside + "/shared/x.json") == 0 && lchown(inside + "/shared/x.json", 12345, 12345) == 0)
        for door in [FileDoor.open, try door()] {
            #expect(throws: FileError.self) { try door.write([1], to: self.inside + "/shared/x.json") }
        }
        #expect(try FileDoor.open.read(inside + "/here.json") == [2])
    }
}
