// Messages on a stream: whole, cut anywhere, wrong, and in between.

import ActFiles
import ActServer
import Testing

@Suite struct StreamTests {
    private func events(_ bytes: [UInt8], step: Int = .max, longest: Int = 1 << 20) -> [String] {
        var stream = MessageStream(longest: longest), found: [String] = [], rest = bytes[...]
        while !rest.isEmpty {
            stream.receive(rest.prefix(step)) { event in
                switch event {
                case .message(let message): found.append((try? message.text()) ?? "?")
                case .fault(let words): found.append("fault: \(words)")
                }
            }
            rest = rest.dropFirst(step)
        }
        return found
    }

    private func message(_ text: String) -> [UInt8] { Array("Content-Length: \(text.utf8.count)\r\n\r\n\(text)".utf8) }

    @Test func messagesArriveHoweverTheyAreCut() {
        let texts = ["{}", #"{"a":"é가😀"}"#, "[1,2]", #"{"long":""# + String(repeating: "x", count: 5000) + #""}"#]
        let bytes = texts.flatMap(message) + Array("Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:2\r\n\r\n{}".utf8)
        for step in [1, 2, 7, 100, bytes.count] { #expect(events(bytes, step: step) == texts + ["{}"], "\(step)") }
        #expect(MessageStream.bytes(of: ["a": "é"]) == message(#"{"a":"é"}"#))
    }

    @Test func afterAFaultItGoesOn() {
        let good = message("{}")
        #expect(events(message("{,}") + good) == ["fault: a message is not JSON", "{}"])
        #expect(events(Array("Content-Length: x\r\n\r\n{}".utf8) + good) == ["fault: a header has no `Content-Length`", "{}"])
        #expect(events(Array("Content-Length: -1\r\n\r\n".utf8) + good) == ["fault: a header has no `Content-Length`", "{}"])
        #expect(events(Array("Content-Length: 99999999999999999999\r\n\r\n".utf8) + good).last == "{}")
        #expect(events(Array("Hello\r\n\r\n".utf8) + good) == ["fault: a header has no `Content-Length`", "{}"])
        // One fault for one message.
        for bad in ["Content-Length: abc\r\n\r\n{}", "Content-Length: 99999999999999999999\r\n\r\n{}", "Hello\r\n\r\n{}"] {
            for step in [1, 3, 100] { #expect(events(Array(bad.utf8), step: step).count == 1, "\(bad)") }
        }
        // Too short a length, and too long a one.
        #expect(events(Array("Content-Length: 1\r\n\r\n{}".utf8) + good).last == "{}")
        #expect(events(Array("Content-Length: 4\r\n\r\n{}".utf8) + good + good).last == "{}")
        // A message that is too long is passed over, not kept.
        let long = Array("Content-Length: 2000\r\n\r\n".utf8) + Array(repeating: UInt8(ascii: "x"), count: 2000)
        for step in [1, 50, long.count] { #expect(events(long + good, step: step, longest: 1000) == ["fault: a message of 2000 bytes is too long", "{}"]) }
        #expect(events(Array(repeating: 65, count: 100_000) + good).last == "{}")
    }

    @Test func anyBytesAreMessagesOrFaults() {
        let bytes = message(#"{"jsonrpc":"2.0","id":1,"method":"a"}"#) + message("{}")
        for index in bytes.indices {
            for byte in stride(from: UInt8(0), through: 255, by: 3) {
                var changed = bytes
                changed[index] = byte
                _ = events(changed, step: 40)
            }
        }
    }
}
