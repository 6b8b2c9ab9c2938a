// A script with what is expected of it beside the lines that do it:
//
//     x = [1, 2] + 1
//     x                       # expect: [2, 3]
//     x @ [1, 2, 3]           # expect error: do not fit for @
//
// `# expect: LINE` is a line of standard output, all of them in order. `# expect error: TEXT` is part of standard error and means exit
// status 1, `# expect warning: TEXT` is part of it too; without either nothing is written there. `# expect exit: N` states another
// status. `# options: …` and `# args: …` give options of the command line and arguments of the script.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package struct ScriptFile: Sendable, CustomStringConvertible {
    package let path: String
    /// The path below the folder of scripts.
    package let description: String
    package private(set) var lines: [String] = []
    package private(set) var messages: [String] = []
    package private(set) var status: Int32 = 0
    private var options: [String] = []
    private var arguments: [String] = []

    package init(path: String, name: String) throws {
        self.path = path
        description = name
        var statedStatus: Int32?
        for line in try ScriptFile.text(of: path).split(separator: "\n", omittingEmptySubsequences: false) {
            guard let mark = line.range(of: "# ", before: ["expect", "options:", "args:"]) else { continue }
            let rest = line[mark...]
            func value(_ key: String) -> String? {
                guard rest.hasPrefix(key) else { return nil }
                let value = rest.dropFirst(key.count)
                return String(value.first == " " ? value.dropFirst() : value)
            }
            if let text = value("expect:") {
                lines.append(text)
            } else if let text = value("expect error:") {
                messages.append(text)
                status = 1
            } else if let text = value("expect warning:") {
                messages.append(text)
            } else if let text = value("expect exit:") {
                guard let number = Int32(text) else { throw TestFailure("\(name): what exit status is \(text)?") }
                statedStatus = number
            } else if let text = value("options:") {
                options += text.split(separator: " ").map(String.init)
            } else if let text = value("args:") {
                arguments += text.split(separator: " ").map(String.init)
            }
        }
        if let statedStatus { status = statedStatus }
    }

    /// Every `.act` file below a folder of the package, by path.
    package static func all(below folder: String) throws -> [ScriptFile] {
        let root = BuiltCommand.packageFolder + "/" + folder
        return try files(below: root).filter { $0.hasSuffix(".act") }.sorted().map {
            try ScriptFile(path: $0, name: String($0.dropFirst(root.count + 1)))
        }
    }

    /// Runs the script in its own folder's view of files: paths count from the package.
    package func run() throws -> ProcessResult {
        try BuiltCommand.run(options + [path] + arguments)
    }

    /// What differs from what is expected; empty when nothing does.
    package func differences() throws -> String {
        let result = try run()
        var found = ""
        // What shows a place names the script by its path.
        let folder = String(path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex))
        var output = result.output.replacing(folder, with: "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if output.last == "" { output.removeLast() }
        for index in 0..<max(lines.count, output.count) {
            let expected = index < lines.count ? lines[index] : nil
            let actual = index < output.count ? output[index] : nil
            if expected != actual {
                found += "line \(index + 1) of the output is \(actual?.debugDescription ?? "missing"), not \(expected?.debugDescription ?? "there at all")\n"
                break
            }
        }
        // A message shows the source line, expectation and all: that part must not count.
        var rest = result.error.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.firstRange(of: "# expect").map { String(line[..<$0.lowerBound]) } ?? String(line)
        }.joined(separator: "\n")[...]
        for message in messages {
            if let range = rest.firstRange(of: message) {
                rest = rest[range.upperBound...]
            } else {
                found += "standard error lacks \(message.debugDescription)\n"
            }
        }
        if messages.isEmpty && !result.error.isEmpty { found += "nothing was expected on standard error\n" }
        if result.status != status { found += "the exit status is \(result.status), not \(status)\n" }
        return found.isEmpty || result.error.isEmpty ? found : found + "standard error:\n" + result.error
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

extension Substring {
    /// Where one of `words` begins that stands after `mark`.
    fileprivate func range(of mark: String, before words: [String]) -> Index? {
        var rest = self
        while let found = rest.firstRange(of: mark) {
            let after = rest[found.upperBound...]
            if words.contains(where: after.hasPrefix) { return found.upperBound }
            rest = after
        }
        return nil
    }
}
