// Runs the program blocks of every document, so that none of them says what act does not do.
//
// A block fenced with ```act is run; the blocks of a document are lines of one session, and an error does not end it. What a block
// prints stands in its comments; what does not fit there (pictures, long messages) in an ```output block right after it, which then
// holds everything from the first line on that is in no comment. Other comments are prose: they begin with a letter and have a space.
// Without an ```output block the comments may quote a message in part, beginning with its first line.
//
// Commands for a shell are indented, not fenced. Docs/reference.md is left out: its examples are those of the rows, which run elsewhere.

import ActTestSupport
import Testing

@Suite struct DocumentTests {
    struct Block {
        let line: Int
        let code: [String]
        let output: [String]?

        var comments: [String] { code.compactMap { line in line.firstRange(of: "# ").map { String(line[$0.upperBound...]) } } }
    }

    static let root = BuiltCommand.packageFolder
    static let documents: [String] = {
        let list = try? BuiltCommand.runShell("cd '\(root)' && ls *.md Docs/*.md Docs/*/*.md")
        return (list?.output ?? "").split(separator: "\n").map(String.init).filter { $0 != "Docs/reference.md" }
    }()

    @Test func thereAreDocuments() {
        for name in ["README.md", "README.ko.md", "Docs/language.md", "Docs/tutorial/10-your-own.md"] { #expect(Self.documents.contains(name)) }
    }

    @Test(arguments: documents) func blocks(of document: String) throws {
        let blocks = try Self.blocks(of: document)
        let end = "— end of a block —"
        let program = blocks.map { $0.code.joined(separator: "\n") + "\nprint(\"\(end)\")\n" }.joined()
        let printed = try withFolder { folder in
            try write(program, to: folder + "/blocks")
            return try BuiltCommand.runShell("cd '\(folder)' && \"$ACT\" < blocks 2>&1").output
        }
        let parts = printed.split(separator: end + "\n", omittingEmptySubsequences: false)
        try #require(parts.count == blocks.count + 1, "\(document): a block swallows what follows it:\n\(printed)")
        for (block, part) in zip(blocks, parts) {
            let difference = Self.difference(between: block, and: Self.lines(part))
            #expect(difference == nil, "\(document):\(block.line): \(difference ?? "")")
        }
    }

    @Test(arguments: documents) func links(of document: String) throws {
        let folder = BuiltCommand.parent(of: "\(Self.root)/\(document)")
        for part in try ScriptFile.text(of: "\(Self.root)/\(document)").split(separator: "](").dropFirst() {
            let target = part.prefix { $0 != ")" && $0 != "#" }
            if target.isEmpty || target.hasPrefix("https://") { continue }
            #expect(try BuiltCommand.runShell("test -e '\(folder)/\(target)'").status == 0, "\(document) links to \(target)")
        }
    }

    /// Every promise of safety.md names its tests, as `Target/File.test` or, of the file named last, `test`; and there are such tests.
    @Test func promisesHaveTests() throws {
        let paragraphs = try ScriptFile.text(of: "\(Self.root)/Docs/safety.md").split(separator: "\n\n")
        let promises = paragraphs.filter { $0.hasPrefix("**") }
        #expect(promises.count >= 7)
        for promise in promises { #expect(promise.contains("\nTests: "), "\(promise.prefix(60))") }
        var count = 0
        for list in paragraphs.flatMap({ $0.split(separator: "Tests: ").dropFirst() }) {
            var file = ""
            for (index, name) in list.split(separator: "`", omittingEmptySubsequences: false).enumerated() where index % 2 == 1 {
                var test: Substring? = name
                if name.contains("/") {
                    let parts = name.split(separator: ".")
                    file = name.hasPrefix("Tests/") ? "\(Self.root)/\(name)" : "\(Self.root)/Tests/\(parts[0]).swift"
                    test = parts.count > 1 ? parts[1] : nil
                    #expect(try BuiltCommand.runShell("test -e '\(file)'").status == 0, "\(name)")
                }
                if let test { #expect(try ScriptFile.text(of: file).contains("func \(test)("), "\(name)") }
                count += 1
            }
        }
        #expect(count > 20)
    }

    // MARK: Reading

    static func blocks(of document: String) throws -> [Block] {
        let lines = lines(try ScriptFile.text(of: "\(root)/\(document)")[...])
        var found: [Block] = []
        var index = 0
        /// The lines up to the end of the fence that begins here.
        func fenced() throws -> [String] {
            guard let end = lines[(index + 1)...].firstIndex(of: "```") else { throw TestFailure("\(document):\(index + 1): the fence has no end") }
            defer { index = end + 1 }
            return Array(lines[(index + 1)..<end])
        }
        while index < lines.count {
            guard lines[index].hasPrefix("```") else { index += 1; continue }
            guard lines[index] == "```act" else {
                throw TestFailure("\(document):\(index + 1): a block is ```act, with ```output right after it; commands for a shell are indented")
            }
            let line = index + 1
            let code = try fenced()
            let output = index < lines.count && lines[index] == "```output" ? try fenced() : nil
            found.append(Block(line: line, code: code, output: output))
        }
        return found
    }

    /// Lines without the spaces at their ends.
    static func lines(_ text: Substring) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(line.reversed().drop { $0 == " " }.reversed())
        }
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    // MARK: Comparing

    /// What the document says wrongly, if anything.
    static func difference(between block: Block, and printed: [String]) -> String? {
        var comments = block.comments[...]
        var prose: [String] = []
        func takeComment(_ line: String) -> Bool {
            guard let place = comments.firstIndex(of: line) else { return false }
            prose += comments[..<place]
            comments = comments[(place + 1)...]
            return true
        }
        let (messages, values) = separated(printed)
        if let output = block.output {
            let rest = printed.drop(while: takeComment)
            if rest.map(withoutPlace) != output.map(withoutPlace) { return "after the comments it prints\n\(rest.joined(separator: "\n"))" }
        } else {
            for value in values where !takeComment(value) { return "it prints \(value)" }
        }
        prose += comments
        if block.output == nil {
            let quoted = prose.filter { line in messages.contains { withoutPlace($0) == withoutPlace(line) } }
            if quoted.isEmpty != messages.isEmpty { return "it says\n\(messages.joined(separator: "\n"))" }
            prose.removeAll { quoted.contains($0) }
        }
        return prose.first { $0.first?.isLetter != true || !$0.contains(" ") || isTitle($0) }.map { "it does not print \($0)" }
    }

    static func isTitle(_ line: String) -> Bool { line.hasPrefix("error: ") || line.hasPrefix("warning: ") }

    /// The lines of errors and warnings, and the others.
    static func separated(_ lines: [String]) -> (messages: [String], values: [String]) {
        var (messages, values): ([String], [String]) = ([], [])
        var isMessage = false
        for line in lines {
            let text = line.drop { $0 == " " }
            let goesOn = ["  <", "  in ", "  note: ", "  help: "].contains(where: line.hasPrefix)
                || line.hasPrefix("  ") && text.drop(while: \.isNumber).drop { $0 == " " }.hasPrefix("|")
            isMessage = isTitle(line) || isMessage && goesOn
            if isMessage { messages.append(line) } else { values.append(line) }
        }
        return (messages, values)
    }

    /// A message counts the inputs and lines of the session, which a reader does not.
    static func withoutPlace(_ line: String) -> String {
        if let range = line.firstRange(of: "<repl ") {
            return String(line[..<range.upperBound]) + String(line[range.upperBound...].drop(while: \.isNumber))
        }
        let text = line.drop { $0 == " " }
        let rest = text.drop(while: \.isNumber)
        return line.hasPrefix("  ") && text.count > rest.count && rest.hasPrefix(" | ") ? "  N" + String(rest) : line
    }
}
