// Requests that cannot be done, and clients that do not speak as they should.

import ActArray
import ActFiles
import ActJupyter
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension KernelTests {
    /// Whoever signed a request gets an answer.
    @Test func everyRequestThatIsSignedIsAnswered() throws {
        try withKernel { kernel in
            for (type, text) in [("execute_request", ""), ("execute_request", "{\"code\":"), ("complete_request", "[]"), ("history_request", "\u{0}")] {
                let (reply, heard) = try kernel.answer(to: try kernel.ask(type, bytes: Array(text.utf8)))
                #expect(reply.type == type.replacing("request", with: "reply") && reply.content["status"]?.asText == "error" && heard.isEmpty)
                #expect(reply.content["ename"]?.asText == "unreadableMessage")
            }
            let (reply, _) = try kernel.answer(to: try kernel.ask("execute_request", bytes: Array(#"{"code":"x = \"\ud83d\"; len(x)"}"#.utf8)))
            #expect(reply.content["status"]?.asText == "ok")
            #expect(try kernel.execute("x").heard.last?.content[path: "data", "text/plain"]?.asText == "\"\u{FFFD}\"")
        }
    }

    /// What waits for its turn counts: past the limit it is refused, and the others are answered.
    @Test func requestsThatWaitAreBounded() async {
        // The limit is the process's.
        await #expect(processExitsWith: .success) {
            try KernelTests().withKernel { kernel in
                let busy = try kernel.ask("execute_request", ["code": "while true {}"])
                let request = Array(#"{"code":"\#("# " + String(repeating: "x", count: 1 << 20))"}"#.utf8)
                MemoryPool.limit = MemoryPool.used + MemoryPool.kept + 40 << 20
                let waiting = try (0..<100).map { _ in try kernel.ask("execute_request", bytes: request) }
                let control = try kernel.request("interrupt_request", [:], on: kernel.control)
                #expect(control.reply["status"]?.asText == "ok")
                var statuses: [String: Int] = [:]
                for _ in 0..<101 {
                    let reply = try kernel.message(try kernel.shell.receive())
                    statuses[reply.content["ename"]?.asText ?? reply.content["status"]?.asText ?? "", default: 0] += 1
                    #expect(waiting.contains(reply.parent) || reply.parent == busy)
                }
                #expect(statuses["outOfMemory", default: 0] > 40 && statuses["interrupted"] == 1, "\(statuses)")
            }
        }
    }

    @Test func aSearchOfTheHistoryCanBeInterrupted() throws {
        try withKernel { kernel in
            _ = try kernel.execute("# " + String(repeating: "a", count: 2_000_000))
            let id = try kernel.ask("history_request", ["hist_access_type": "search", "pattern": .text("*" + String(repeating: "a", count: 900_000) + "b")])
            usleep(100_000)
            _ = try kernel.request("interrupt_request", [:], on: kernel.control)
            #expect(try kernel.message(try kernel.shell.receive()).content["status"]?.asText == "error", "\(id)")
        }
    }

    /// What is not a message, or not signed, is passed over; what is not ZMTP costs its own connection. The kernel goes on.
    @Test func badClientsDoNoHarm() throws {
        try withKernel { kernel in
            let port = kernel.connection.ports[.shell] ?? 0
            func raw() throws -> Int32 { try Connect.to(port: port) }
            // Gone at once, in the greeting, in the handshake, in a frame.
            let greeting: [UInt8] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0] + Array("NULL".utf8) + Array(repeating: 0, count: 48)
            let beginnings: [[UInt8]] = [
                [], Array(greeting[..<5]), greeting, greeting + [4, 100, 5], Array("GET / HTTP/1.1\r\n\r\n".utf8), Array(repeating: 0, count: 1000),
            ]
            for bytes in beginnings {
                let descriptor = try raw()
                _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
                close(descriptor)
            }
            let half = try kernel.shellSocket()
            half.write([1, 9, 60, 73])
            // 2 GB, 2^63 bytes.
            for length: [UInt8] in [[0, 0, 0, 0, 0x80, 0, 0, 0], [0x80, 0, 0, 0, 0, 0, 0, 0]] {
                let large = try kernel.shellSocket()
                large.write([2] + length + Array(repeating: 1, count: 1000))
                #expect(large.ends(10))
            }
            // Frames that are not a message; wrong signatures; text that is not JSON; a type that nobody knows.
            let mark = Array("<IDS|MSG>".utf8), header = Array(#"{"msg_id":"a","msg_type":"execute_request"}"#.utf8), empty = Array("{}".utf8)
            for frames: [[UInt8]] in [
                [[]], [mark], [mark, [], header, empty, empty, Array(#"{"code":"x = 1"}"#.utf8)],
                [mark, Array(repeating: 48, count: 64), header, empty, empty, empty],
                Array(repeating: mark, count: 10), [[0xff]],
            ] { kernel.shell.send(frames) }
            for content in ["[]", "{", "7", String(repeating: "[", count: 5000), ""] {
                for type in [#"{"msg_type":"execute_request"}"#, "{}", "[]", #"{"msg_type":7}"#] {
                    let parts = [Array(type.utf8), empty, empty, Array(content.utf8)]
                    kernel.shell.send([mark, MessageAuthentication(key: kernel.key).signature(of: parts)] + parts)
                }
            }
            try kernel.ask("make_coffee_request", .object([]))
            for content: JSON in [.object([]), ["code": 7], ["code": "1", "cursor_pos": "x", "n": -1, "user_expressions": [1]], ["comm_id": [1]]] {
                for type in [
                    "execute_request", "complete_request", "inspect_request", "is_complete_request", "history_request", "comm_open", "comm_info_request",
                ] {
                    _ = try kernel.ask(type, content)
                }
            }
            let id = try kernel.ask("execute_request", ["code": "6 * 7"])
            #expect(try kernel.answer(to: id).heard.last?.content[path: "data", "text/plain"]?.asText == "42")
            #expect(try kernel.execute("x").reply["ename"]?.asText == "unknownName", "the message without a signature has run")
        }
    }
}
