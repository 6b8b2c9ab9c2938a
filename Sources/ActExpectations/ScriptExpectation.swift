// A script with what is expected of it beside the lines that do it:
//
//     x = [1, 2] + 1
//     x                       # expect: [2, 3]
//     x @ [1, 2, 3]           # expect error: do not fit for @
//
// `# expect: LINE` is a line of standard output, all of them in order. `# expect error: TEXT` is part of standard error and means exit
// status 1, `# expect warning: TEXT` is part of it too; without either nothing is written there. `# expect exit: N` states another
// status. `# options: …` and `# args: …` give options of the command line and arguments of the script.

package struct ScriptExpectation {
    private struct Line {
        let text: String
        /// From 1.
        let number: Int
    }

    private let text: String
    private let path: String
    private var lines: [Line] = []
    private var messages: [Line] = []
    private var status: Line?
    private var expectsError = false
    package private(set) var options: [String] = []
    package private(set) var arguments: [String] = []

    /// What may stand after `# `.
    private enum Key: String, CaseIterable {
        case line = "expect:", error = "expect error:", warning = "expect warning:", exit = "expect exit:", options = "options:", arguments = "args:"
        var isExpectation: Bool { self != .options && self != .arguments }
    }

    package init(_ text: String, path: String) {
        self.text = text
        self.path = path
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard let (key, value, _) = Self.mark(in: line) else { continue }
            let found = Line(text: String(value), number: index + 1)
            switch key {
            case .line: lines.append(found)
            case .error:
                messages.append(found)
                expectsError = true
            case .warning: messages.append(found)
            case .exit: status = found
            case .options: options += value.split(separator: " ").map(String.init)
            case .arguments: arguments += value.split(separator: " ").map(String.init)
            }
        }
    }

    /// Whether the script says anything about what it does.
    package var isEmpty: Bool { lines.isEmpty && messages.isEmpty && status == nil }

    /// What a line expects, and where the comment begins that says so.
    private static func mark(in line: Substring) -> (key: Key, value: Substring, start: Substring.Index)? {
        var rest = line
        while let found = rest.firstRange(of: "# ") {
            rest = rest[found.upperBound...]
            guard let key = Key.allCases.first(where: { rest.hasPrefix($0.rawValue) }) else { continue }
            let value = rest.dropFirst(key.rawValue.count)
            return (key, value.first == " " ? value.dropFirst() : value, found.lowerBound)
        }
        return nil
    }

    // MARK: Comparing

    package func differences(from run: TestRun) -> [Difference] {
        if run.transcript.isCut { return [Difference(line: nil, text: "it writes too much to be compared")] }
        var found: [Difference] = []
        var output = shortened(run.transcript.output).split(separator: "\n", omittingEmptySubsequences: false)
        if output.last == "" { output.removeLast() }
        // The first one says most: those after it may only be shifted.
        if let index = (0..<max(lines.count, output.count)).first(where: { index in
            index >= lines.count || index >= output.count || lines[index].text != output[index]
        }) {
            if index >= lines.count {
                let piece = run.transcript.pieces.last { !$0.isMessage }
                found.append(Difference(line: piece?.line, text: "it also prints \(output[index])\n  what a script prints is said by `# expect: …`"))
            } else if index >= output.count {
                found.append(Difference(line: lines[index].number, text: "it prints nothing where \(lines[index].text) is expected"))
            } else {
                found.append(Difference(line: lines[index].number, text: "it prints   \(output[index])\n  expected is \(lines[index].text)"))
            }
        }
        let errors = run.transcript.messages
        var rest = withoutExpectations(errors)[...]
        for message in messages {
            if let range = rest.firstRange(of: message.text) {
                rest = rest[range.upperBound...]
            } else {
                found.append(Difference(line: message.number, text: "no message says: \(message.text)"))
            }
        }
        if messages.isEmpty, !errors.isEmpty { found.append(Difference(line: nil, text: "no message was expected")) }
        let expected = status.map { Int32($0.text) } ?? (expectsError ? 1 : 0)
        if run.status != expected {
            found.append(
                Difference(
                    line: status?.number, text: "the exit status is \(run.status)\(expected.map { ", expected is \($0)" } ?? ": an expected one is a number")"))
        }
        if !found.isEmpty, !errors.isEmpty { found.append(Difference(line: nil, text: "its messages:\n" + indented(shortened(errors)))) }
        return found
    }

    /// Places name the script without its folder.
    private func shortened(_ text: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return text }
        return text.replacing(path[...slash], with: "")
    }

    /// A message shows the source line, expectation and all: that part must not count.
    private func withoutExpectations(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.firstRange(of: "# expect").map { line[..<$0.lowerBound] } ?? line
        }.joined(separator: "\n")
    }

    // MARK: Writing down what came out

    /// The script with what the run wrote in the place of what was expected. A line that one statement printed stands behind it, several below.
    package func updated(by run: TestRun) -> String {
        var behind: [Int: [String]] = [:], end: [String] = []
        for piece in run.transcript.pieces {
            let expectations: [String]
            if let title = piece.title {
                expectations = [
                    title.hasPrefix("error: ") ? "# expect error: \(title.dropFirst(7))" : "# expect warning: \(title.drop { $0 != " " }.dropFirst())"
                ]
            } else if piece.isMessage {
                continue
            } else {
                var lines = shortened(piece.text).split(separator: "\n", omittingEmptySubsequences: false)
                if lines.last == "" { lines.removeLast() }
                expectations = lines.map { "# expect: \($0)" }
            }
            if let line = piece.line { behind[line, default: []] += expectations } else { end += expectations }
        }
        let hasError = run.transcript.pieces.contains { $0.title?.hasPrefix("error: ") == true }
        if run.status != (hasError ? 1 : 0) { end.append("# expect exit: \(run.status)") }
        var result: [String] = []
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let mark = Self.mark(in: line).flatMap { $0.key.isExpectation ? $0.start : nil }
            let kept = mark.map { line[..<$0] } ?? line
            let code = String(kept.reversed().drop { $0 == " " }.reversed())
            let expectations = behind[index + 1] ?? []
            if code.isEmpty, mark != nil, expectations.isEmpty { continue }
            if expectations.count == 1, !code.contains("#") {
                // Where one stood before, so that columns stay.
                let gap = mark != nil && kept.count > code.count ? kept.count - code.count : 2
                result.append(code + String(repeating: " ", count: gap) + expectations[0])
            } else {
                result.append(code)
                result += expectations
            }
        }
        while result.last == "" { result.removeLast() }
        return (result + end).joined(separator: "\n") + "\n"
    }
}

/// The text two columns further in.
func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "  \($0)" }.joined(separator: "\n")
}
