// Errors carry data up to the wording: below it no English is made that a user reads.

import ActTestSupport
import Foundation
import Testing

@Suite struct WordingTests {
    /// What stands below the wording. `ActSyntax` is not among them: it builds alone, and words its own faults.
    private static let targets = [
        "ActArray", "ActOrder", "ActLinear", "ActRandom", "ActFiles", "ActGrad", "ActNeural", "ActNetwork", "ActONNX", "ActPlot", "ActRows", "ActCompiler",
        "ActMachine", "ActBuiltins", "ActJupyter", "ActRanks", "ActLayers", "ActFormula", "ActSource", "ActReplay", "ActText", "ActSystem",
    ]

    private func sources(of target: String) throws -> [(name: String, lines: [Substring])] {
        let folder = URL(filePath: BuiltCommand.packageFolder).appending(path: "Sources/\(target)")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        return try files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }.map {
            ($0.lastPathComponent, try String(contentsOf: $0, encoding: .utf8).split(separator: "\n"))
        }
    }

    /// No line that throws or makes an error has a literal of several words.
    @Test(arguments: targets) func errorsAreData(target: String) throws {
        let sources = try sources(of: target), makers = ["throw", "fail(", "failure(", "Error", "Refusal", "Failure"]
        #expect(!sources.isEmpty)
        let literal = /"(\\.|[^"\\])*"/, words = /[a-z] [a-z]/
        let wrong = sources.flatMap { name, lines in
            lines.filter { line in
                line.contains("\"") && !line.contains("//") && !line.contains("precondition") && makers.contains { line.contains($0) }
                    && line.matches(of: literal).contains { $0.output.0.contains(words) }
            }.map { "\(name): \($0)" }
        }
        #expect(wrong == [])
    }

    /// No case of an error has words for its reason.
    @Test(arguments: targets) func casesHaveNoWords(target: String) throws {
        let reason = /\b(reason|words|why|what|expected|needs|needed): String/
        let wrong = try sources(of: target).flatMap { name, lines in
            lines.filter { $0.contains(" case ") && $0.contains(": String") && $0.contains(reason) }.map { "\(name): \($0)" }
        }
        #expect(wrong == [])
    }
}
