// Folders for tests that need files.

import ActTestSupport
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Calls `body` with a new folder, which is removed afterwards.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    var template = Array("/tmp/act-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestFailure("no temporary folder") }
    let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { remove(below: folder) }
    return try body(folder)
}

func write(_ text: String, to path: String) throws { try write(bytes: Array(text.utf8), to: path) }

func write(bytes: [UInt8], to path: String) throws {
    guard let file = fopen(path, "w") else { throw TestFailure("cannot write \(path)") }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw TestFailure("cannot write \(path)") }
}

private func remove(below path: String) {
    if let stream = opendir(path) {
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name != "." && name != ".." { remove(below: path + "/" + name) }
        }
        closedir(stream)
        rmdir(path)
    } else {
        unlink(path)
    }
}
