// Files of the package that tests go over.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A program.
package struct ScriptFile: Sendable, CustomStringConvertible {
    package let path: String
    /// The path below the folder that was asked for.
    package let description: String

    package init(path: String, description: String) { (self.path, self.description) = (path, description) }

    /// Every `.act` file below a folder of the package, by path.
    package static func all(below folder: String) throws -> [ScriptFile] {
        let root = BuiltCommand.packageFolder + "/" + folder
        return try files(below: root).filter { $0.hasSuffix(".act") }.sorted().map { ScriptFile(path: $0, description: String($0.dropFirst(root.count + 1))) }
    }

    // MARK: Files

    package static func text(of path: String) throws -> String {
        guard let file = fopen(path, "r") else { throw TestFailure("cannot read \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Every file below a folder, by path.
    package static func files(below folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasPrefix(".") { continue }
            let path = folder + "/" + name
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR { found += files(below: path) } else { found.append(path) }
        }
        return found
    }
}
