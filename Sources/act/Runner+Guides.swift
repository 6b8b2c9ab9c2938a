// `act grammar`, `act completion` and `act manual`: what other programs read about act, made of its rows.

import ActGrammars
import ActLanguage
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Runner {
    /// - Parameter kind: A `GrammarTable.Kind`, or `tokens`.
    /// - Returns: The exit status.
    func writeGrammar(_ kind: String) -> Int32 {
        guard let session = startSession() else { return ExitStatus.failure }
        let table = GrammarTable(session)
        guard let kind = GrammarTable.Kind(rawValue: kind) else { return writeTokens(table) }
        display.write(table.grammar(kind))
        return Output.standard.finish() ? ExitStatus.success : ExitStatus.failure
    }

    /// A line for each token of standard input: where it begins and ends, in bytes, and its class. For comparisons with grammars.
    /// - Returns: The exit status: 1 if the program has syntax errors.
    private func writeTokens(_ table: GrammarTable) -> Int32 {
        switch InputFile.readAll(STDIN_FILENO, named: "standard input") {
        case .failure(let failure):
            display.report(failure.diagnostic)
            return ExitStatus.failure
        case .success(let bytes):
            guard let source = try? SourceText(id: 0, name: "<standard input>", bytes: bytes) else {
                display.report(Diagnostic(.unreadableFile, "standard input is not text (UTF-8), or too long"))
                return ExitStatus.failure
            }
            for (span, word) in table.classes(of: source) { display.write("\(span.start) \(span.end) \(word)\n") }
            return Output.standard.finish() && parse(source).diagnostics.isEmpty ? ExitStatus.success : ExitStatus.failure
        }
    }

    func writeCompletion(_ shell: String) -> Int32 {
        CommandGuide.Shell(rawValue: shell).map { display.write(CommandGuide().completion($0)) }
        return Output.standard.finish() ? ExitStatus.success : ExitStatus.failure
    }

    func writeManual() -> Int32 {
        display.write(CommandGuide().manual)
        return Output.standard.finish() ? ExitStatus.success : ExitStatus.failure
    }
}
