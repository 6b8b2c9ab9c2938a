// Every document does what it says: its blocks, as `act test` sees them, its links, and the tests that its promises name.
//
// Docs/reference.md is left out: its examples are those of the rows, which run elsewhere.

import ActTestSupport
import Testing

@Suite struct DocumentTests {
    static let root = BuiltCommand.packageFolder
    static let documents: [String] = {
        let list = try? BuiltCommand.runShell("cd '\(root)' && ls *.md Docs/*.md Docs/*/*.md")
        return (list?.output ?? "").split(separator: "\n").map(String.init).filter { $0 != "Docs/reference.md" }
    }()

    @Test func thereAreDocuments() {
        for name in ["README.md", "README.ko.md", "Docs/language.md", "Docs/tutorial/10-your-own.md"] { #expect(Self.documents.contains(name)) }
    }

    @Test(arguments: documents) func blocks(of document: String) throws {
        let result = try withFolder { try BuiltCommand.runShell("cd '\($0)' && \"$ACT\" test '\(Self.root)/\(document)'") }
        #expect(result.status == 0 && result.output.isEmpty && result.error.isEmpty, "\(result.output)\(result.error)")
    }

    /// No block is left out by another word behind its fence. Commands for a shell are indented, not fenced.
    @Test(arguments: documents) func fences(of document: String) throws {
        let lines = try ScriptFile.text(of: "\(Self.root)/\(document)").split(separator: "\n")
        for line in lines where line.hasPrefix("```") && !line.drop(while: { $0 == "`" }).contains("`") {
            #expect(["```", "```act", "```output"].contains(line), "\(document): \(line)")
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
}
