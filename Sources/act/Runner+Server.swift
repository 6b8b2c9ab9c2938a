// `act lsp`: the language server, and the programs that it runs to see the shapes of variables.

import ActArray
import ActFiles
import ActLanguage
import ActServer
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Runner {
    /// Serves an editor on standard input and output.
    /// - Returns: The exit status: 0 if it was shut down first, as the protocol has it.
    func serveEditor() -> Int32 {
        // Programs of the file run without files, with the same random numbers each time, and not for long.
        let run = [Self.executable, "--sandbox", "--seed", "0", "--max-time", "2", "--no-warn", "lsp", "--shapes"]
        do {
            return try ServerLoop.serve(input: STDIN_FILENO, output: STDOUT_FILENO, version: actVersion, runCommand: run)
        } catch {
            display.report(Diagnostic(.command, "the language server cannot start: \(error)"))
            return ExitStatus.failure
        }
    }

    /// Runs standard input and writes a line of JSON for each variable that a statement of the outermost level gives a value.
    func tellShapes() -> Int32 {
        guard case .success(let bytes) = InputFile.readAll(STDIN_FILENO, named: "standard input") else { return ExitStatus.failure }
        let silence = Silence()
        guard let session = startSession(writingTo: silence) else { return ExitStatus.failure }
        let status = session.run(bytes: bytes, named: "<standard input>") { offset, kind in
            let line = try? JSON.object([("offset", .whole(offset)), ("kind", .text(kind))]).text()
            Output.standard.write((line ?? "") + "\n")
            // What comes next may take longer than there is time.
            Output.standard.flush()
        }
        return Output.standard.finish() ? status.exitStatus : ExitStatus.failure
    }
}

/// Nobody looks at what the program shows.
private final class Silence: SessionOutput {
    func write(_ text: String) {}
    func show(_ shown: Shown) {}
    func report(_ diagnostic: Diagnostic, _ session: Session) {}
}
