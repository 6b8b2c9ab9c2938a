// JSON-RPC on a stream, as the Language Server Protocol has it (base protocol 3.17): headers, an empty line, so many bytes of JSON.
//
// What must stay true: whatever the bytes are, there are messages and faults; after a fault it goes on with the next header that it finds; it
// holds no more than `longest` bytes and what the memory limit allows.

import ActArray
import ActFiles

package struct MessageStream: ~Copyable {
    package enum Event {
        case message(JSON)
        /// What came is not a message: in words.
        case fault(String)
    }

    private let longest: Int
    private var buffer: [UInt8] = []
    /// Bytes of a message that is too long, still to be passed over.
    private var skipping = 0
    private var held = Reservation()

    private static let header = Array("Content-Length:".utf8)
    private static let longestHeader = 1 << 12

    /// - Parameter longest: The bytes of the longest message that is taken.
    package init(longest: Int = 1 << 28) { self.longest = longest }

    package mutating func receive(_ bytes: some Collection<UInt8>, _ body: (Event) -> Void) {
        var bytes = Array(bytes)[...]
        if skipping > 0 {
            let count = min(skipping, bytes.count)
            bytes = bytes.dropFirst(count)
            skipping -= count
        }
        let needed = (buffer.count + bytes.count) * 2
        if needed > 1 << 16, needed > held.bytes, (try? held.grow(by: needed - held.bytes)) == nil {
            buffer = []
            return body(.fault("there is no memory for so long a message"))
        }
        buffer += bytes
        while step(body) {}
        if buffer.isEmpty { held = Reservation() }
    }

    /// Whether there was enough for a step.
    private mutating func step(_ body: (Event) -> Void) -> Bool {
        guard !buffer.isEmpty else { return false }
        guard let end = headerEnd() else {
            guard buffer.count > Self.longestHeader else { return false }
            resume(after: 1)
            body(.fault("the header of a message is missing"))
            return true
        }
        guard let length = length(in: buffer[..<end.text]) else {
            resume(after: 1)
            body(.fault("a header has no `Content-Length`"))
            return true
        }
        guard length <= longest else {
            let there = min(length, buffer.count - end.content)
            buffer.removeFirst(end.content + there)
            skipping = length - there
            body(.fault("a message of \(length) bytes is too long"))
            return true
        }
        guard buffer.count - end.content >= length else { return false }
        let content = Array(buffer[end.content..<end.content + length])
        buffer.removeFirst(end.content + length)
        var tree = Reservation()
        defer { _ = tree.bytes }
        do { body(.message(try JSON(content, held: &tree))) } catch { body(.fault("a message is not JSON")) }
        return true
    }

    /// Where the header's text ends, and where the content begins.
    private func headerEnd() -> (text: Int, content: Int)? {
        for index in 0..<min(buffer.count, Self.longestHeader) where buffer[index] == 10 {
            if index + 1 < buffer.count, buffer[index + 1] == 10 { return (index, index + 2) }
            if index + 2 < buffer.count, buffer[index + 1] == 13, buffer[index + 2] == 10 { return (index, index + 3) }
        }
        return nil
    }

    private func length(in header: ArraySlice<UInt8>) -> Int? {
        for line in String(decoding: header, as: UTF8.self).split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            let digits = parts[1].drop { $0 == " " }
            guard digits.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            return Int(digits)
        }
        return nil
    }

    /// Passes over everything up to the next header.
    private mutating func resume(after count: Int) {
        var index = count
        // The end may be the beginning of one.
        while index < buffer.count, !Self.header.starts(with: buffer[index...].prefix(Self.header.count)) { index += 1 }
        buffer.removeFirst(min(index, buffer.count))
    }

    /// A message as bytes; an answer for which there is no memory says so. Of other messages nothing is sent then.
    package static func bytes(of message: JSON) -> [UInt8] {
        do {
            let text = try message.text()
            return Array("Content-Length: \(text.utf8.count)\r\n\r\n\(text)".utf8)
        } catch {
            guard let id = message["id"], message["result"] != nil else { return [] }
            let fault = JSON.object([("code", .whole(-32603)), ("message", .text("there is no memory for so long an answer"))])
            return bytes(of: .object([("jsonrpc", .text("2.0")), ("id", id), ("error", fault)]))
        }
    }
}
