// Folders for tests that need files: nothing that a test writes is left when it ends.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Calls `body` with the real name of a new folder, which is removed afterwards.
package func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    var template = Array("/tmp/act-test-XXXXXX".utf8CString)
    // Its real name: on macOS /tmp is a link.
    guard mkdtemp(&template) != nil, let resolved = realpath(template, nil) else { throw TestFailure("no temporary folder") }
    defer { free(resolved) }
    let folder = String(cString: resolved)
    defer { remove(below: folder) }
    return try body(folder)
}

package func write(_ text: String, to path: String) throws { try write(bytes: Array(text.utf8), to: path) }

package func write(bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw TestFailure("cannot write \(path)") }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw TestFailure("cannot write \(path)") }
}

private func remove(below path: String) {
    // What a link leads to stays.
    if unlink(path) == 0 { return }
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { remove(below: path + "/" + name) }
        }
        closedir(stream)
        rmdir(path)
    }
}

extension ScriptFile {
    /// Calls `body` with the path of the program; of one that writes below /tmp, with that of a copy that writes into a folder of its own.
    package func withoutTraces<T>(_ body: (String) throws -> T) throws -> T {
        let text = try Self.text(of: path)
        guard text.contains("/tmp/") else { return try body(path) }
        return try withFolder { folder in
            let copy = folder + "/program.act"
            try write(text.replacing("/tmp/", with: folder + "/"), to: copy)
            return try body(copy)
        }
    }
}
