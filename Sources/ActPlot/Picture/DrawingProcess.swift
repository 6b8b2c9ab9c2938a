// Draws pictures in a process of its own: librsvg and the libraries below it are large, what they are given was made by a program, and
// nothing else ends them while they draw.
//
// What must stay true: as a copy of this process it is started while this one has a single thread (then it is there before the sandbox
// closes), and otherwise as another run of the command. It has no rights but its two pipes, and to read fonts and libraries; each picture is drawn by
// a copy of it, which can load no code either, and which ends when nobody waits for it any more. What comes from it is believed to be a picture and
// nothing else.

#if os(Linux)

import CActSystem
import Glibc

/// `@unchecked`: the command alone starts one, and the thread of its one session alone asks it to draw. In other programs there is none, and pictures are
/// drawn by whoever wants them.
package final class DrawingProcess: @unchecked Sendable {
    /// The one that draws for this process, if it has been started. `unsafe`: set before the session begins, or by its thread.
    private nonisolated(unsafe) static var started: DrawingProcess?
    /// What runs the command again so that it draws (see `serve`). `unsafe`: set before the session begins.
    private nonisolated(unsafe) static var command: (path: String, argument: String)?

    private let requests: Int32
    private let answers: Int32

    private init(requests: Int32, answers: Int32) { (self.requests, self.answers) = (requests, answers) }

    /// The one that draws for this process, if there is one; where another run of the command may draw, that is started now.
    static var current: DrawingProcess? {
        if started == nil, let command { started = run(command.path, command.argument) }
        return started
    }

    /// Pictures may be drawn by the program at a path, which calls `serve` when it is given the argument.
    package static func startsWhenNeeded(_ path: String, argument: String) { command = (path, argument) }

    /// Draws what is asked for on standard input, until that ends.
    package static func serve() -> Never { Server(requests: 0, answers: 1).run() }

    /// - Returns: `nil` if the system has no more processes.
    private static func run(_ path: String, _ argument: String) -> DrawingProcess? {
        guard let (request, answer) = pipes() else { return nil }
        defer { for end in [request.reader, answer.writer] { close(end) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, request.reader, 0)
        posix_spawn_file_actions_adddup2(&actions, answer.writer, 1)
        let words = [strdup(path), strdup(argument), nil]
        defer { words.forEach { free($0) } }
        var process: pid_t = 0
        guard posix_spawn(&process, path, &actions, nil, words, environ) == 0 else {
            for end in [request.writer, answer.reader] { close(end) }
            return nil
        }
        return DrawingProcess(requests: request.writer, answers: answer.reader)
    }

    /// Starts it as a copy of this process; it ends with this process.
    /// - Returns: False if the system has no more processes.
    package static func start() -> Bool {
        guard let (request, answer) = pipes() else { return false }
        let process = act_fork()
        if process == 0 { Server(requests: request.reader, answers: answer.writer).run() }
        close(request.reader)
        close(answer.writer)
        guard process > 0 else {
            close(request.writer)
            close(answer.reader)
            return false
        }
        started = DrawingProcess(requests: request.writer, answers: answer.reader)
        return true
    }

    private static func pipes() -> (request: (reader: Int32, writer: Int32), answer: (reader: Int32, writer: Int32))? {
        guard let request = pipe() else { return nil }
        guard let answer = pipe() else {
            for end in [request.reader, request.writer] { close(end) }
            return nil
        }
        return (request, answer)
    }

    fileprivate static func pipe() -> (reader: Int32, writer: Int32)? {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { return nil }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    /// The document as bytes of a file, or as pixels.
    /// - Throws: `Rasterizer.Failure`.
    func draw(_ format: Rasterizer.Format, _ svg: String, width: Int, height: Int, scale: Double) throws -> [UInt8] {
        let request = DrawingRequest(format: format, width: width, height: height, scale: scale, document: Array(svg.utf8))
        guard send(request.bytes) else { throw ended() }
        var isCancelled = false
        while true {
            var source = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
            if poll(&source, 1, 20) > 0 { break }
            if !isCancelled, Cancellation.isRequested() {
                isCancelled = true
                guard send(DrawingRequest.cancellation) else { throw ended() }
            }
        }
        guard let answer = DrawingAnswer(from: answers) else { throw ended() }
        if isCancelled { throw Rasterizer.Failure.cancelled }
        return try answer.result(width, height)
    }

    /// It has ended, perhaps by the Ctrl-C that ends the drawing. Another run may take its place.
    private func ended() -> Rasterizer.Failure {
        if DrawingProcess.command != nil {
            for end in [requests, answers] { close(end) }
            DrawingProcess.started = nil
        }
        return Cancellation.isRequested() ? .cancelled : .ended
    }

    /// Writes without being ended by SIGPIPE when nobody reads.
    private func send(_ bytes: [UInt8]) -> Bool {
        var pipe = sigset_t(), before = sigset_t()
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        if put(bytes, requests) { return true }
        var none = timespec()
        sigtimedwait(&pipe, nil, &none)
        return false
    }
}

// MARK: - The other process

private struct Server {
    let requests: Int32
    let answers: Int32

    func run() -> Never {
        for number in [SIGINT, SIGQUIT, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
        for number in [SIGTERM, SIGXCPU, SIGWINCH, SIGCONT] { signal(number, SIG_DFL) }
        act_close_descriptors_but(requests, answers)
        Server.limit()
        let readable = Server.readable.compactMap { path in
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            return descriptor >= 0 ? descriptor : nil
        }
        let confines = act_landlock_confine(nil, 0, readable, Int32(readable.count)) == 0
        readable.forEach { close($0) }
        _ = act_filter_calls(ACT_CALLS_STARTER)
        var readiness: Result<Void, Error>?
        while let request = DrawingRequest(from: requests) {
            guard request.format != nil else { continue }
            let ready = readiness ?? Result { try Server.warm() }
            readiness = ready
            let answer =
                switch ready {
                case .success: draw(request, mayOpen: confines)
                case .failure(let error): DrawingAnswer(.failure(error))
                }
            guard put(answer.bytes, answers) else { break }
        }
        _exit(0)
    }

    /// What fonts, fontconfig and the libraries are read from.
    private static var readable: [String] {
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        var paths = [
            "/usr/share", "/usr/local/share", "/etc/fonts", "/var/cache/fontconfig", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64",
            "/etc/ld.so.cache", "/nix/store", "/gnu/store",
        ]
        if let home = variable("HOME") {
            paths += [".fonts", ".local/share/fonts", ".config/fontconfig", ".cache/fontconfig"].map { home + "/" + $0 }
        }
        paths += [variable("XDG_DATA_HOME").map { $0 + "/fonts" }, variable("FONTCONFIG_PATH"), variable("FONTCONFIG_FILE")].compactMap { $0 }
        paths += (variable("LD_LIBRARY_PATH") ?? "").split(separator: ":").map(String.init)
        return paths.filter { $0.hasPrefix("/") }
    }

    /// No files, and memory for the largest picture.
    private static func limit() {
        func set(_ resource: __rlimit_resource, _ value: UInt) {
            var limit = rlimit(rlim_cur: value, rlim_max: value)
            setrlimit(__rlimit_resource_t(resource.rawValue), &limit)
        }
        set(RLIMIT_CORE, 0)
        set(RLIMIT_FSIZE, 0)
        var pages = 0
        if let file = fopen("/proc/self/statm", "r") {
            var line = [CChar](repeating: 0, count: 64)
            if fgets(&line, 64, file) != nil { pages = line.withUnsafeBufferPointer { strtol($0.baseAddress!, nil, 10) } }
            fclose(file)
        }
        if pages > 0 { set(RLIMIT_AS, UInt(pages) * UInt(sysconf(Int32(_SC_PAGESIZE))) + 3 << 30) }
    }

    /// Loads the libraries and the usual fonts, so that copies have them.
    private static func warm() throws {
        let words = ["400", "600"].map { "<text x='1' y='20' font-weight='\($0)'>0.1 −aZ</text>" }.joined()
        let document = "<svg xmlns='http://www.w3.org/2000/svg' width='64' height='32' font-family=\"\(SVGStyle.fonts)\">\(words)</svg>"
        _ = try Rasterizer.draw(.png, document, width: 64, height: 32, scale: 1)
    }

    /// Has a copy of this process draw.
    private func draw(_ request: DrawingRequest, mayOpen: Bool) -> DrawingAnswer {
        guard let format = request.format, let (reader, writer) = DrawingProcess.pipe() else { return DrawingAnswer(.failure(Rasterizer.Failure.ended)) }
        let copy = act_fork()
        if copy == 0 {
            for end in [requests, answers, reader] { close(end) }
            var time = rlimit(rlim_cur: 60, rlim_max: 60)
            setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &time)
            // Where files cannot be confined, none is opened at all: glyphs that the usual fonts lack are not drawn.
            _ = act_filter_calls(mayOpen ? ACT_CALLS_DRAWING : ACT_CALLS_DRAWING_BLIND)
            let answer = DrawingAnswer(
                Result {
                    try Rasterizer.draw(
                        format, String(decoding: request.document, as: UTF8.self), width: request.width, height: request.height, scale: request.scale)
                })
            _ = put(answer.bytes, writer)
            _exit(0)
        }
        close(writer)
        defer { close(reader) }
        guard copy > 0 else { return DrawingAnswer(.failure(Rasterizer.Failure.ended)) }
        let (bytes, isCancelled) = collect(from: reader, copy)
        var status: Int32 = 0
        while waitpid(copy, &status, 0) < 0, errno == EINTR {}
        return isCancelled ? DrawingAnswer(.failure(Rasterizer.Failure.cancelled)) : DrawingAnswer(whole: bytes)
    }

    /// What the copy writes, until it ends or nobody waits for it any more.
    private func collect(from reader: Int32, _ copy: Int32) -> (bytes: [UInt8], isCancelled: Bool) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var sources = [pollfd(fd: reader, events: Int16(POLLIN), revents: 0), pollfd(fd: requests, events: Int16(POLLIN), revents: 0)]
            if poll(&sources, 2, -1) < 0, errno != EINTR { break }
            if sources[1].revents != 0 {
                kill(copy, SIGKILL)
                // The cancellation, or the end.
                if DrawingRequest(from: requests) == nil { _exit(0) }
                return ([], true)
            }
            guard sources[0].revents != 0 else { continue }
            let count = read(reader, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            bytes += chunk[..<count]
            if bytes.count > DrawingAnswer.longest { kill(copy, SIGKILL) }
        }
        return (bytes, false)
    }
}

#else

/// Only where processes can be copied without harm.
package final class DrawingProcess {
    static var current: DrawingProcess? { nil }
    package static func start() -> Bool { false }
    func draw(_ format: Rasterizer.Format, _ svg: String, width: Int, height: Int, scale: Double) throws -> [UInt8] { throw Rasterizer.Failure.ended }
}

#endif
