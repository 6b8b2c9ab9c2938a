// `act fmt`: programs in the one layout, in their files or on standard output.

import ActArray
import ActFiles
import ActLanguage
import ActSyntax
import ActWording
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Runner {
    /// Lays files out anew, each whole or not at all; `-` is standard input, which goes to standard output.
    /// - Parameter checks: Writes no file, but the names of those that have another layout.
    /// - Returns: The exit status: 1 if a file has faults, cannot be read or written, or, when it is only checked, has another layout.
    func layOut(_ files: [String], checks: Bool) -> Int32 {
        guard let session = startSession() else { return ExitStatus.failure }
        var isRight = true
        for file in files {
            let isInput = file == "-", name = isInput ? "<standard input>" : file
            switch isInput ? InputFile.readAll(STDIN_FILENO, named: "standard input") : InputFile.readProgram(file) {
            case .failure(let failure):
                display.report(failure.diagnostic)
                isRight = false
            case .success(let bytes):
                let text: String
                switch session.layout(of: bytes, named: name) {
                case .text(let laidOut): text = laidOut
                case .faults:
                    _ = session.check(bytes: bytes, named: name)
                    isRight = false
                    continue
                case .failed:
                    isRight = false
                    continue
                }
                let isLaidOut = Array(text.utf8) == bytes
                if checks {
                    if !isLaidOut { display.write("\(name)\n") }
                    isRight = isRight && isLaidOut
                } else if isInput {
                    display.write(text)
                } else if !isLaidOut {
                    isRight = write(text, to: file) && isRight
                }
            }
        }
        return isRight && Output.standard.finish() ? ExitStatus.success : ExitStatus.failure
    }

    func write(_ text: String, to file: String) -> Bool {
        do { try FileDoor.open.write(Array(text.utf8), to: file) } catch {
            display.report(Diagnostic(.unreadableFile, "cannot write \(file): \(message(about: error))"))
            return false
        }
        return true
    }
}
