// Runs the `act` that was built with the tests as a process, and collects what it says.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package struct ProcessResult: Sendable {
    package let output: String
    package let error: String
    /// The exit status; 128 + the number of a signal that ended the process.
    package let status: Int32
}

package struct TestFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

package enum BuiltCommand {
    /// The folder of the package.
    package static let packageFolder = parent(of: parent(of: parent(of: #filePath)))

    /// The executable: `$ACT_BINARY`, else the one beside the tests.
    package static let path: String = {
        if let path = getenv("ACT_BINARY") { return String(cString: path) }
        var folders: [String] = []
        var folder = parent(of: CommandLine.arguments.first ?? "")
        for _ in 0..<4 {
            folders.append(folder)
            folder = parent(of: folder)
        }
        folders += ["release", "debug"].map { packageFolder + "/.build/" + $0 }
        guard let found = folders.map({ $0 + "/act" }).first(where: isProgram), let whole = realpath(found, nil) else { return "act" }
        defer { free(whole) }
        return String(cString: whole)
    }()

    private static func isProgram(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    package static func parent(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    /// Runs a command of the shell in which `$ACT` is the executable.
    package static func runShell(_ command: String) throws -> ProcessResult {
        try run("/bin/sh", ["-c", command], environment: ["ACT": path])
    }

    /// Runs `act` with these arguments and waits for it.
    /// - Parameters:
    ///   - environment: Beside `PATH` and a home that does not exist.
    ///   - seconds: How long it may take, where it is not slowed down by a sanitizer.
    package static func run(
        _ arguments: [String], input: String = "", environment: [String: String] = [:], seconds: Int = 60
    ) throws -> ProcessResult {
        try run(path, arguments, input: input, environment: environment, seconds: seconds)
    }

    private static func run(
        _ program: String, _ arguments: [String], input: String = "", environment: [String: String], seconds: Int = 60
    ) throws -> ProcessResult {
        let (stdin, stdout, stderr) = (try Pipe(), try Pipe(), try Pipe())
        let child = try Child(
            program, arguments, environment: environment,
            descriptors: [(stdin.reader, 0), (stdout.writer, 1), (stderr.writer, 2)])
        for end in [stdin.reader, stdout.writer, stderr.writer] { close(end) }
        var (outputBytes, errorBytes): ([UInt8], [UInt8]) = ([], [])
        // A child that does not read its input must not end the tests.
        signal(SIGPIPE, SIG_IGN)
        var rest = Array(input.utf8)[...]
        _ = fcntl(stdin.writer, F_SETFL, O_NONBLOCK)
        var isWriting = true
        var open = 2
        let deadline = time(nil) + seconds * Sanitizer.patience
        while open > 0 {
            if isWriting && rest.isEmpty {
                close(stdin.writer)
                isWriting = false
            }
            var sources = [
                pollfd(fd: stdout.isClosed ? -1 : stdout.reader, events: Int16(POLLIN), revents: 0),
                pollfd(fd: stderr.isClosed ? -1 : stderr.reader, events: Int16(POLLIN), revents: 0),
                pollfd(fd: isWriting ? stdin.writer : -1, events: Int16(POLLOUT), revents: 0),
            ]
            poll(&sources, 3, 1000)
            if time(nil) > deadline {
                kill(child.id, SIGKILL)
                _ = child.wait()
                throw TestFailure(
                    "\(program) \(arguments) did not end within \(seconds) s; it wrote: \(String(decoding: outputBytes + errorBytes, as: UTF8.self))")
            }
            if sources[0].revents != 0, !stdout.read(into: &outputBytes) { open -= 1 }
            if sources[1].revents != 0, !stderr.read(into: &errorBytes) { open -= 1 }
            if sources[2].revents != 0 {
                let count = rest.withUnsafeBytes { write(stdin.writer, $0.baseAddress, $0.count) }
                if count > 0 { rest = rest.dropFirst(count) } else if errno != EAGAIN { rest = [] }
            }
        }
        if isWriting { close(stdin.writer) }
        return ProcessResult(
            output: String(decoding: outputBytes, as: UTF8.self), error: String(decoding: errorBytes, as: UTF8.self), status: child.wait())
    }
}

/// A process that was started here.
package struct Child {
    package let id: pid_t

    /// - Parameter descriptors: What the child finds at which of its descriptors.
    init(
        _ path: String, _ arguments: [String], environment: [String: String], descriptors: [(from: Int32, to: Int32)] = [],
        terminal: String? = nil
    ) throws {
        #if canImport(Glibc)
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        #else
        var actions: posix_spawn_file_actions_t?
        var attributes: posix_spawnattr_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        for (from, to) in descriptors { posix_spawn_file_actions_adddup2(&actions, from, to) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
        if let terminal {
            // The first terminal that the leader of a session opens is its controlling one.
            posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
            flags |= 0x80  // POSIX_SPAWN_SETSID, which glibc hides from strict headers
            #if canImport(Darwin)
            flags = flags & ~0x80 | Int32(POSIX_SPAWN_SETSID)
            #endif
        }
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var variables = ["HOME": "/nonexistent", "LANG": "C.UTF-8", "PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"]
        // A toolchain that is not where the executable expects it, and what sanitizers are told.
        for name in ["LD_LIBRARY_PATH", "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "SWIFT_BACKTRACE"] {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        variables.merge(environment) { $1 }
        let argv = ([path] + arguments).map { strdup($0) } + [nil]
        let envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { (argv + envp).forEach { free($0) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, path, &actions, &attributes, argv, envp)
        guard code == 0 else { throw TestFailure("cannot start \(path): \(String(cString: strerror(code)))") }
        self.id = id
    }

    /// - Returns: The exit status; 128 + the number of a signal.
    package func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 && errno == EINTR {}
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F)
    }
}

/// The two ends of a pipe, which no other child inherits.
final class Pipe {
    let reader: Int32
    let writer: Int32
    private(set) var isClosed = false

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestFailure("no pipe: \(String(cString: strerror(errno)))") }
        (reader, writer) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    /// - Returns: False at the end.
    func read(into bytes: inout [UInt8]) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        #if canImport(Glibc)
        let count = Glibc.read(reader, &chunk, chunk.count)
        #else
        let count = Darwin.read(reader, &chunk, chunk.count)
        #endif
        if count > 0 {
            bytes += chunk[..<count]
            return true
        }
        close(reader)
        isClosed = true
        return false
    }
}
