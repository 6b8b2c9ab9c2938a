// Reads messages from one descriptor and writes answers to another, and watches what the server has running.

import ActArray
import ActFiles
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum ServerLoop {
    /// Serves until the editor says `exit` or closes its end.
    /// - Returns: The exit status, as the protocol has it: 1 if nobody asked the server to shut down first.
    package static func serve(input: Int32, output: Int32, version: String, runCommand: [String]?) throws -> Int32 {
        let server = try LanguageServer(version: version, runCommand: runCommand) { message in write(MessageStream.bytes(of: message), to: output) }
        var stream = MessageStream(), chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var sources = [pollfd(fd: input, events: Int16(POLLIN), revents: 0)]
            if let run = server.run {
                sources.append(pollfd(fd: run.descriptor, events: Int16(POLLIN), revents: 0))
                if run.waitingInput >= 0 { sources.append(pollfd(fd: run.waitingInput, events: Int16(POLLOUT), revents: 0)) }
            }
            _ = poll(&sources, nfds_t(sources.count), server.run.map(\.left) ?? -1)
            if let run = server.run {
                if sources.count > 2, sources[2].revents != 0 { run.feed() }
                if sources[1].revents != 0 && run.receive() || run.left == 0 { server.finishRun() }
            }
            guard sources[0].revents != 0 else { continue }
            // All that is there, up to a bound: what is taken back meanwhile is not computed, and faults are told once.
            var events: [MessageStream.Event] = [], isAtEnd = false, taken = 0
            repeat {
                let count = read(input, &chunk, chunk.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 {
                    isAtEnd = true
                    break
                }
                stream.receive(chunk[..<count]) { events.append($0) }
                taken += count
            } while taken < most && hasMore(input)
            handle(events, server)
            if let status = server.exitStatus { return status }
            if isAtEnd { return 1 }
            server.publish()
        }
    }

    /// Bytes that are read before anything is answered.
    private static let most = 1 << 22

    private static func hasMore(_ input: Int32) -> Bool {
        var source = pollfd(fd: input, events: Int16(POLLIN), revents: 0)
        return poll(&source, 1, 0) > 0
    }

    static func handle(_ events: [MessageStream.Event], _ server: LanguageServer) {
        var cancelled: Set<String> = []
        for case .message(let message) in events where message["method"]?.asText == "$/cancelRequest" {
            guard let id = message["params"]?["id"] else { continue }
            server.cancelWaiting(id)
            if let text = try? id.text() { cancelled.insert(text) }
        }
        for event in events {
            switch event {
            case .fault(let words): server.handle(fault: words)
            case .message(let message):
                if let id = message["id"], message["method"] != nil, let text = try? id.text(), cancelled.contains(text) {
                    server.cancel(message)
                } else {
                    server.handle(message)
                }
            }
            if server.exitStatus != nil { return }
        }
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { put(descriptor, UnsafeRawBufferPointer(rebasing: $0[done...])) }
            if count < 0, errno == EINTR { continue }
            // Nobody reads: the other end tells.
            if count <= 0 { return }
            done += count
        }
    }
}

// Inside the type the name is taken by its own function.
private func put(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int { write(descriptor, bytes.baseAddress, bytes.count) }
