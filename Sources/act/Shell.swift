// Other programs that a session starts when it is told to: `!command`, and the editor of `:edit`.
//
// What must stay true: they have the terminal to themselves, and Ctrl-C ends them, not act; none is started under --sandbox.

import ActLanguage
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum Shell {
    /// Runs a command by the system's shell.
    /// - Returns: Its exit status; that of a shell for one that a signal ended.
    static func run(_ command: String) -> Int32 {
        let status = start(command)
        Interrupt.endIfAsked()
        return status
    }

    private static func start(_ command: String) -> Int32 {
        Output.standard.flush()
        var ignoring = sigaction(), interrupt = sigaction(), quit = sigaction()
        #if canImport(Glibc)
        ignoring.__sigaction_handler.sa_handler = SIG_IGN
        #else
        ignoring.__sigaction_u.__sa_handler = SIG_IGN
        #endif
        // (`signal` would bring the handlers back so that they no longer end a read.)
        sigaction(SIGINT, &ignoring, &interrupt)
        sigaction(SIGQUIT, &ignoring, &quit)
        Interrupt.enter(.supervising)
        defer {
            sigaction(SIGINT, &interrupt, nil)
            sigaction(SIGQUIT, &quit, nil)
            Interrupt.enter(.runningLine)
        }
        #if canImport(Glibc)
        var attributes = posix_spawnattr_t()
        #else
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What act passes over, others may rely on.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGQUIT, SIGPIPE, SIGXFSZ] { sigaddset(&signals, number) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sh"), strdup("-c"), strdup(command), nil]
        defer { for argument in arguments { free(argument) } }
        var id = pid_t(), status: Int32 = 0
        guard posix_spawn(&id, "/bin/sh", nil, &attributes, &arguments, environ) == 0 else { return 127 }
        var hasBeenTold = false
        while true {
            let ended = waitpid(id, &status, WNOHANG)
            if ended == id { break }
            guard ended == 0 || errno == EINTR else { return 127 }
            if Interrupt.ending != 0, !hasBeenTold {
                kill(id, Interrupt.ending)
                hasBeenTold = true
            }
            usleep(5000)
        }
        let signalNumber = status & 0x7F
        return signalNumber == 0 ? status >> 8 & 0xFF : 128 + signalNumber
    }

    /// Lets a text be edited in `$VISUAL`, `$EDITOR` or vi, in a file that is removed afterwards.
    static func edit(_ text: String) -> Result<String, EditFault> {
        let result = edited(text)
        Interrupt.endIfAsked()
        return result
    }

    private static func edited(_ text: String) -> Result<String, EditFault> {
        let folder = Terminal.variable("TMPDIR") ?? "/tmp"
        var template = Array((folder + "/act-XXXXXX.act").utf8CString)
        let descriptor = mkstemps(&template, 4)
        guard descriptor >= 0 else { return .failure(EditFault("\(folder): \(describe(errno: errno))")) }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        let failure = writeAll(Array(text.utf8), to: descriptor)
        closeDescriptor(descriptor)
        if let failure { return .failure(EditFault("\(path): \(describe(errno: failure))")) }
        let editor = Terminal.variable("VISUAL") ?? Terminal.variable("EDITOR") ?? "vi"
        let status = start("\(editor) '\(path.replacing("'", with: "'\\''"))'")
        guard status == 0 else { return .failure(EditFault("`\(editor)` ended with exit status \(status)")) }
        switch InputFile.readRegular(path) {
        case .success(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else { return .failure(EditFault("what `\(editor)` wrote is not UTF-8")) }
            return .success(text)
        case .failure(let failure): return .failure(EditFault(failure.diagnostic.title))
        }
    }
}
