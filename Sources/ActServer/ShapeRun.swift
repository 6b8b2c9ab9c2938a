// Running a file in another process, to see what its lines give their variables: without files, for two seconds, with random numbers from seed 0,
// and no longer than until the next edit.

import ActArray
import ActFiles
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class ShapeRun {
    /// What the process writes comes here.
    let descriptor: Int32
    private let process: pid_t
    private let start = act_seconds()
    private var received: [UInt8] = []
    /// What is still to be written to it.
    private var input: [UInt8]
    private var inputDescriptor: Int32
    let document: Document
    let version: Int

    /// Seconds after which it is ended, whatever it does.
    private static let patience = 4.0
    private static let mostBytes = 1 << 24

    /// - Parameter command: The program and its arguments, which reads a program of act and writes a line of JSON for each variable that gets a value.
    /// - Returns: `nil` if the system has no process left.
    init?(_ command: [String], _ document: Document) {
        var toChild: [Int32] = [-1, -1], fromChild: [Int32] = [-1, -1]
        guard pipe(&toChild) == 0 else { return nil }
        guard pipe(&fromChild) == 0 else {
            for end in toChild { close(end) }
            return nil
        }
        for end in toChild + fromChild { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #if canImport(Glibc)
        var actions = posix_spawn_file_actions_t()
        #else
        var actions: posix_spawn_file_actions_t?
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var id = pid_t()
        let status = command.first.map { posix_spawn(&id, $0, &actions, nil, &arguments, environ) } ?? -1
        close(toChild[0])
        close(fromChild[1])
        guard status == 0 else {
            close(toChild[1])
            close(fromChild[0])
            return nil
        }
        process = id
        descriptor = fromChild[0]
        inputDescriptor = toChild[1]
        for end in [descriptor, inputDescriptor] { _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK) }
        input = document.bytes
        self.document = document
        version = document.version
        feed()
    }

    deinit {
        kill(process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        close(descriptor)
        if inputDescriptor >= 0 { close(inputDescriptor) }
    }

    /// Where the process waits for the rest of the program; -1 when it has all of it.
    var waitingInput: Int32 { inputDescriptor }

    /// Milliseconds until it is ended.
    var left: Int32 { Int32(max(0, (start + Self.patience - act_seconds()) * 1000)) }

    /// Writes what the process takes now.
    func feed() {
        while !input.isEmpty {
            let count = input.withUnsafeBytes { write(inputDescriptor, $0.baseAddress, min($0.count, 1 << 16)) }
            if count < 0, errno == EAGAIN { return }
            if count <= 0 { break }
            input.removeFirst(count)
        }
        close(inputDescriptor)
        inputDescriptor = -1
    }

    /// Takes what has come.
    /// - Returns: Whether it is over.
    func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while received.count < Self.mostBytes {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return errno != EAGAIN }
            if count == 0 { return true }
            received += chunk[..<count]
        }
        return true
    }

    /// What the lines that ran gave their variables.
    var kinds: [(offset: Int, kind: String)] {
        received.split(separator: 10).compactMap { line in
            var held = Reservation()
            defer { _ = held.bytes }
            guard let found = try? JSON(Array(line), held: &held), let offset = found["offset"]?.asWhole, let kind = found["kind"]?.asText else { return nil }
            return (offset, kind)
        }
    }
}
