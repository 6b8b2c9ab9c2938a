// `act kernel` and `act jupyter install`: act as a kernel of Jupyter.

import ActFiles
import ActJupyter
import ActLanguage
import ActSyntax
import ActWording
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Runner {
    /// Serves a front end until it asks to end.
    /// - Parameters:
    ///   - file: Where Jupyter says where the kernel listens.
    ///   - lexer: The lexer of Pygments for its cells.
    /// - Returns: The exit status: 1 if the file is not a connection file or its addresses are taken.
    func serveKernel(_ file: String, lexer: String) -> Int32 {
        func fail(_ reason: String) -> Int32 {
            display.report(Diagnostic(.unreadableFile, "\(file) does not start a kernel: \(reason)"))
            return ExitStatus.failure
        }
        let bytes: [UInt8]
        switch InputFile.read(file) {
        case .failure(let failure):
            display.report(failure.diagnostic)
            return ExitStatus.failure
        case .success(let read): bytes = read
        }
        do {
            let kernel = try Kernel(try ConnectionFile(bytes), version: actVersion, lexer: lexer)
            guard let session = startSession(isInteractive: true, confines: false, writingTo: kernel.makeOutput()) else { return ExitStatus.failure }
            Interrupt.enter(.serving)
            // A computation that does not look at the interrupt.
            kernel.onStuck = { _exit(ExitStatus.success) }
            if Terminal.variable("JPY_PARENT_PID") != nil {
                let parent = getppid()
                kernel.isOrphaned = { getppid() != parent }
            }
            try kernel.run(session)
            return ExitStatus.success
        } catch let fault as ConnectionFile.Fault {
            return fail(fault.words)
        } catch let fault as ZMTPServer.Fault {
            return fail(fault.words)
        } catch {
            return fail(message(about: error))
        }
    }

    /// Makes act known to Jupyter.
    /// - Parameters:
    ///   - prefix: The folder of an installation, such as `/usr/local`; empty for the user's own place.
    ///   - lexer: The lexer of Pygments for its cells; empty for the common one.
    /// - Returns: The exit status: 1 if nothing can be written there.
    func installKernel(prefix: String, lexer: String) -> Int32 {
        let home = Terminal.variable("HOME") ?? getpwuid(getuid()).flatMap { $0.pointee.pw_dir.map { String(cString: $0) } } ?? ""
        guard !prefix.isEmpty || home.hasPrefix("/") else {
            display.report(Diagnostic(.command, "there is no home folder to install to", help: "say where: `act jupyter install --prefix /usr/local`"))
            return ExitStatus.failure
        }
        let data = prefix.isEmpty ? KernelSpec.userData(Terminal.variable, home: home) : "\(prefix)/share/jupyter"
        let folder = KernelSpec.folder(data: data)
        var parent = ""
        for part in folder.split(separator: "/") {
            parent += folder.hasPrefix("/") || !parent.isEmpty ? "/\(part)" : String(part)
            _ = mkdir(parent, 0o755)
        }
        for (name, text) in KernelSpec.files(executable: Self.executable, lexer: lexer.isEmpty ? nil : lexer) {
            guard write(text, to: "\(folder)/\(name)") else { return ExitStatus.failure }
        }
        display.write("act is a kernel of Jupyter now: \(folder)\n")
        return Output.standard.finish() ? ExitStatus.success : ExitStatus.failure
    }

    /// The path of this program.
    static var executable: String {
        var path = [UInt8](repeating: 0, count: 1 << 12)
        #if os(Linux)
        let count = path.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0.assumingMemoryBound(to: CChar.self), bytes.count) } ?? 0
        }
        if count > 0, count < path.count { return String(decoding: path[..<count], as: UTF8.self) }
        #else
        var size = UInt32(path.count)
        let isFound = path.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { _NSGetExecutablePath($0.assumingMemoryBound(to: CChar.self), &size) == 0 } ?? false
        }
        if isFound { return String(decoding: path.prefix { $0 != 0 }, as: UTF8.self) }
        #endif
        return "act"
    }
}
