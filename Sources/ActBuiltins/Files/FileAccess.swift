// How programs come to files: `load`, `save`, `import` and the session's commands go through the machine's door.

import ActArray
import ActFiles
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
    /// A file that a program imports by a path which counts from the file `source`: its one name, and what it holds.
    /// - Throws: As `readFile`.
    package func importedFile(_ path: String, from source: String) throws -> (name: (bytes: [UInt8], text: String), bytes: [UInt8]) {
        let file = FileAccess.path(path, from: source), bytes = try readFile(file)
        return (FileAccess.canonical(file), bytes)
    }

    /// The bytes of a file that the sandbox, if there is one, lets this program read.
    /// - Throws: `RuntimeError.forbidden`; `FileError` when the file is missing, a folder, or may not be read.
    package func readFile(_ path: String) throws -> [UInt8] {
        try NDArray.refuse(.file)
        try team.waitForWriting()
        do {
            return try files.read(path)
        } catch is FileDoor.Forbidden {
            throw RuntimeError.forbidden(path)
        }
    }

    /// What `body` makes of the bytes of a file. They are there meanwhile, and half of them counts: what is made of them counts by itself,
    /// and so both together stay below one and a half times the limit.
    /// - Throws: as `readFile(_:)`; `outOfMemory`; what `body` throws.
    package func readFile<Result>(_ path: String, _ body: ([UInt8]) throws -> Result) throws -> Result {
        let bytes = try readFile(path), held = try Reservation(bytes.count / 2)
        defer { _ = held.bytes }
        return try body(bytes)
    }

    /// Writes a file whole or not at all, where the sandbox lets this program write.
    /// - Parameter body: gives the bytes to what it is called with, in order.
    /// - Throws: `RuntimeError.forbidden`; `FileError`; what `body` throws.
    package func writeFile(_ path: String, _ body: (ByteSink) throws -> Void) throws {
        // What an explanation runs again leaves no traces.
        try NDArray.refuse(.file)
        if try !hasEffects() { return }
        // Two ranks do not write one file.
        team.noteWriting()
        guard team.speaks else { return }
        do {
            try files.write(to: path, body)
        } catch is FileDoor.Forbidden {
            throw RuntimeError.forbidden(path)
        }
    }

    package func writeText(_ path: String, _ body: (inout TextBuilder) throws -> Void) throws {
        try writeFile(path) { sink in
            try withoutActuallyEscaping(sink) { sink in
                var text = TextBuilder(into: sink)
                try body(&text)
                try text.finish()
            }
        }
    }
}
