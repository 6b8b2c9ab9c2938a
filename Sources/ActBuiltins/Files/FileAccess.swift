// How programs come to files: `load`, `save`, `import` and the session's commands go through the machine's door.

import ActArray
import ActMachine
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum FileAccess {
    /// A path as it is seen from the file `source`, which need not be one: relative ones count from its folder.
    static func path(_ path: String, from source: String) -> String {
        let slash = UInt8(ascii: "/")
        guard path.utf8.first != slash, source.utf8.first != UInt8(ascii: "<"), let end = source.utf8.lastIndex(of: slash) else { return path }
        return String(source[...end]) + path
    }

    /// The one name of an existing file, links resolved, by its bytes, for two texts may be equal and name two files; and as messages
    /// write it: relative where it lies below the current folder.
    static func canonical(_ path: String) -> (bytes: [UInt8], text: String) {
        guard let whole = resolved(path) else { return (Array(path.utf8), path) }
        var rest = whole[...]
        if let folder = resolved("."), folder.count > 1, whole.starts(with: folder + [UInt8(ascii: "/")]) { rest = whole.dropFirst(folder.count + 1) }
        return (whole, String(decoding: rest, as: UTF8.self))
    }

    private static func resolved(_ path: String) -> [UInt8]? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return Array(UnsafeRawBufferPointer(start: pointer, count: strlen(pointer)))
    }
}

extension Machine {
    /// The bytes of a file that the sandbox, if there is one, lets this program read.
    /// - Throws: `RuntimeError.forbidden`; `ArrayError.file` when the file is missing, a folder, or may not be read.
    package func readFile(_ path: String) throws -> [UInt8] {
        do {
            return try files.read(path)
        } catch is FileDoor.Forbidden {
            throw RuntimeError.forbidden(path)
        }
    }

    /// Writes a file whole or not at all, where the sandbox lets this program write.
    /// - Throws: `RuntimeError.forbidden`; `ArrayError.file`.
    package func writeFile(_ path: String, _ bytes: [UInt8]) throws {
        // What an explanation runs again leaves no traces.
        if recording != nil { return }
        do {
            try files.write(bytes, to: path)
        } catch is FileDoor.Forbidden {
            throw RuntimeError.forbidden(path)
        }
    }
}
