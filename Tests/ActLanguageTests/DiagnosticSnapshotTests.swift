// What act says about programs that are wrong, or look it: the pages in Tests/Diagnostics. Each program there is followed by all that act
// reports about it and, where the report says exactly what to write, by the program after the edits.
//
//     ACT_WRITE_DOCS=1 swift test --filter DiagnosticSnapshotTests
//
// rewrites what follows the programs. Read the changes as a user would.

import ActArray
import ActLanguage
import ActSyntax
import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Keeps what a program reports.
private final class Listener: SessionOutput {
    var reports: [Diagnostic] = []
    func write(_ text: String) {}
    func show(_ shown: Shown) {}
    func report(_ diagnostic: Diagnostic, _ session: Session) { reports.append(diagnostic) }
}

@Suite struct DiagnosticSnapshotTests {
    /// A program of a page, with what stands beneath it.
    struct Case {
        let code: String
        let program: String
        /// The line after the program's block, and the line after everything that was written beneath it.
        let range: Range<Int>
        let written: String
    }

    struct Page: CustomTestStringConvertible, Sendable {
        let path: String
        var testDescription: String { path.split(separator: "/").last.map(String.init) ?? path }
    }

    static let pages: [Page] = ScriptFile.files(below: BuiltCommand.packageFolder + "/Tests/Diagnostics").filter { $0.hasSuffix(".md") }.sorted().map {
        Page(path: $0)
    }

    private static func cases(_ lines: [String]) -> [Case] {
        var cases: [Case] = []
        var code = ""
        var index = 0
        while index < lines.count {
            let line = lines[index]
            index += 1
            if line.hasPrefix("## ") { code = String(line.dropFirst(3)) }
            guard line == "```act" else { continue }
            let end = lines[index...].firstIndex(of: "```") ?? lines.count
            let program = lines[index..<end].joined(separator: "\n")
            var rest = end + 1
            while rest < lines.count, lines[rest] != "```act", !lines[rest].hasPrefix("#") { rest += 1 }
            let range = min(end + 1, lines.count)..<rest
            cases.append(Case(code: code, program: program, range: range, written: lines[range].joined(separator: "\n")))
            index = rest
        }
        return cases
    }

    /// What belongs beneath a program: the reports, and the program after the edits of the first.
    private static func answer(to program: String) throws -> (text: String, first: Diagnostic?, fixed: String?) {
        let output = Listener()
        var options = Session.Options()
        options.maximumTime = 20
        let session = try Session(options: options, output: output)
        session.run(program, named: "example.act")
        let renderer = DiagnosticRenderer { session.source($0) }
        let reports = output.reports.map(renderer.render).joined()
        var text = "\n```text\n\(reports)```\n"
        var fixed: String?
        if let first = output.reports.first, !first.edits.isEmpty, let source = session.source(0) {
            fixed = source.applying(first.edits)
            text += "\n```act fixed\n\(fixed ?? "")\n```\n"
        }
        return (text, output.reports.first, fixed)
    }

    @Test(arguments: pages) func page(_ page: Page) throws {
        let lines = try ScriptFile.text(of: page.path).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let isWriting = getenv("ACT_WRITE_DOCS") != nil
        var result: [String] = []
        var position = 0
        for example in Self.cases(lines) {
            let (answer, first, fixed) = try Self.answer(to: example.program)
            #expect(first?.code.rawValue == example.code, "\(example.program)")
            if !isWriting {
                #expect(answer.trimmedLines == example.written.trimmedLines, "\(example.program)")
            }
            if let first, let fixed {
                // An edit does what its help says: the fault is gone.
                let after = try Self.answer(to: fixed).first
                #expect(after?.code != first.code || after?.primarySpan != first.primarySpan, "\(fixed)")
            }
            result += lines[position..<example.range.lowerBound] + answer.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            position = example.range.upperBound
        }
        result += lines[position...]
        if isWriting {
            let file = try #require(fopen(page.path, "w"))
            fputs(result.joined(separator: "\n"), file)
            fclose(file)
        }
    }

    /// Every code is shown on some page, but for those that depend on more than a program.
    @Test func everyCodeIsShown() throws {
        let elsewhere: Set<Diagnostic.Code> = [
            .invalidUTF8, .sourceTooLarge, .unreadableFile, .interrupted, .timeLimit, .forbidden, .exit, .command, .history, .explanation, .moreFaults,
            .longName, .functionTooLarge, .nestedTooDeeply, .valueTooDeep, .doubtfulHeader, .missingGlyphs, .badFolder, .weakSandbox, .textEndsEarly, .badPoint,
            .unusedAssignment, .ranks,
        ]
        var shown: Set<String> = []
        for page in Self.pages {
            for line in try ScriptFile.text(of: page.path).split(separator: "\n") where line.hasPrefix("## ") { shown.insert(String(line.dropFirst(3))) }
        }
        for code in Diagnostic.Code.allCases { #expect(shown.contains(code.rawValue) != elsewhere.contains(code), "\(code.rawValue)") }
    }

    /// A warning is given once a place and code; another one at the same place is given too.
    @Test func warningsAtOnePlaceDoNotSilenceEachOther() throws {
        let output = Listener()
        let session = try Session(output: output)
        session.run("x = 1", named: "example.act")
        let machine = try #require(session.machine)
        let warnings: [RuntimeWarning] = [
            .number(.overflow, operation: "exp", result: .infinity, inputs: [1e4]), .number(.divideByZero, operation: "/", result: .infinity, inputs: [1, 0]),
            .number(.invalid, operation: "-", result: .nan, inputs: []), .stretchedBothSides("+", [3], [3, 1]), .transposeOfVector,
            .softmaxOfScores(loss: "nll"),
            .doubtfulHeader(.takenAsHeader, path: "a.csv"),
        ]
        for _ in 0..<2 {
            for warning in warnings { try machine.warn(warning) }
        }
        #expect(output.reports.map(\.code) == warnings.map(\.code))
    }
}

extension String {
    fileprivate var trimmedLines: [Substring] {
        var lines = split(separator: "\n", omittingEmptySubsequences: false)
        while lines.last?.isEmpty == true { lines.removeLast() }
        while lines.first?.isEmpty == true { lines.removeFirst() }
        return lines
    }
}
