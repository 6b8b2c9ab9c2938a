// `act test`: runs scripts and the blocks of documents, and compares what they write with what they say.

import ActArray
import ActExpectations
import ActFiles
import ActLanguage
import ActSyntax

extension Runner {
    /// - Parameter updates: Writes what came out into the files, in the place of what was expected.
    /// - Returns: The exit status: 1 if a file says what it does not do, or cannot be read or written.
    func test(_ files: [String], updates: Bool) -> Int32 {
        var failed = 0
        // Read before the sandbox closes, which is once.
        var confines = settings.isSandboxed
        for (file, source) in files.map({ ($0, InputFile.read($0)) }) {
            switch source {
            case .failure(let failure):
                display.report(failure.diagnostic)
                failed += 1
            case .success(let bytes):
                // Lines that end with CR and LF are read like others, and written as they were.
                let ends = zip(bytes, bytes.dropFirst()).contains { $0 == 13 && $1 == 10 } ? "\r\n" : "\n"
                let text = String(decoding: ends == "\n" ? bytes : Self.withoutReturns(bytes), as: UTF8.self)
                if updates, String(validating: bytes, as: UTF8.self) == nil {
                    // What is written would not be what was read.
                    display.report(
                        Diagnostic(.unreadableFile, "\(file) is not UTF-8 and cannot be updated", help: "convert it, for example with `iconv -t utf-8`"))
                    failed += 1
                    continue
                }
                let threads = ThreadPool.count, memory = MemoryPool.limit
                let test = file.hasSuffix(".md") ? testDocument(text, confines) : testScript(text, bytes, file, confines)
                confines = false
                (ThreadPool.count, MemoryPool.limit) = (threads, memory)
                switch test {
                case .notStarted: failed += 1
                case .interrupted: return Output.standard.finish() ? ExitStatus.interrupted : ExitStatus.failure
                case .usage(var diagnostic):
                    diagnostic.title = "\(file): \(diagnostic.title)"
                    display.report(diagnostic)
                    failed += 1
                case .done(var differences, let updated):
                    if differences.isEmpty { continue }
                    if updates, updated != text {
                        guard write(updated.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: ends), to: file) else {
                            failed += 1
                            continue
                        }
                        display.write("\(DiagnosticRenderer.shown(file)): updated\n")
                        differences.removeAll(where: \.canBeUpdated)
                        if differences.isEmpty { continue }
                    }
                    failed += 1
                    for difference in differences {
                        display.write("\(DiagnosticRenderer.shown(file))\(difference.line.map { ":\($0)" } ?? ""): \(difference.text)\n")
                    }
                }
            }
        }
        if failed > 0, files.count > 1 { display.write("\(failed) of \(files.count) files differ from what they say\n") }
        return Output.standard.finish() && failed == 0 ? ExitStatus.success : ExitStatus.failure
    }

    private static func withoutReturns(_ bytes: [UInt8]) -> [UInt8] {
        bytes.indices.filter { bytes[$0] != 13 || $0 + 1 == bytes.count || bytes[$0 + 1] != 10 }.map { bytes[$0] }
    }

    private enum Test {
        case done([Difference], updated: String)
        /// Options of a script that there are not.
        case usage(Diagnostic)
        /// There was no session, as was reported.
        case notStarted
        case interrupted
    }

    private func testScript(_ text: String, _ bytes: [UInt8], _ file: String, _ confines: Bool) -> Test {
        let expectation = ScriptExpectation(text, path: file)
        let runner: Runner
        switch ActCommand.settings(expectation.options, over: settings) {
        case .failure(let failure): return .usage(failure)
        case .success(let settings): runner = Runner(settings, arguments: expectation.arguments)
        }
        let transcript = Transcript(draw: runner.display.plainPicture)
        guard let session = runner.startSession(confines: confines, writingTo: transcript) else { return .notStarted }
        transcript.session = session
        let status = session.run(bytes: bytes, named: file)
        if status == .interrupted, !transcript.isCut { return .interrupted }
        let run = TestRun(transcript: transcript, status: status.exitStatus)
        return .done(expectation.differences(from: run), updated: transcript.isCut ? text : expectation.updated(by: run))
    }

    /// The lines of a document's blocks are lines of a session, as they would come from a pipe.
    private func testDocument(_ text: String, _ confines: Bool) -> Test {
        let expectation = DocumentExpectation(text)
        let transcript = Transcript(draw: display.plainPicture)
        guard let session = startSession(isInteractive: true, confines: confines, writingTo: transcript) else { return .notStarted }
        transcript.session = session
        let interaction = Interaction(session: session, output: transcript)
        var printed: [[(line: Int, text: String)]] = []
        var seen = 0, hasLeft = false
        for block in expectation.blocks {
            var inputs: [(line: Int, text: String)] = []
            var ahead = LinesAhead(block.code[...])
            for (index, line) in block.code.enumerated() where !hasLeft {
                let isLast = index == block.code.count - 1
                var outcome = interaction.enter(line, before: ahead.line(after: index))
                // A block ends what stands in it, whole or not.
                if isLast, outcome == .incomplete { outcome = interaction.finish() }
                if outcome == .interrupted, !transcript.isCut { return .interrupted }
                if case .leave = outcome { hasLeft = true }
                if outcome == .incomplete { continue }
                inputs.append((index, transcript.pieces[seen...].map(\.text).joined()))
                seen = transcript.seal()
            }
            printed.append(inputs)
        }
        let differences = expectation.differences(from: printed)
        return .done(differences, updated: transcript.isCut ? text : expectation.updated(by: printed))
    }
}
