// A piece of program text and places in it.
//
// What must stay true: `bytes` is valid UTF-8 without a byte-order mark, shorter than 2³¹ bytes, and never changes,
// so a `Span` made from it can be shown at any later time. Lines end with LF, CR LF or CR.

/// A place in a source: a range of UTF-8 offsets. `source` is the `id` of its `SourceText`.
package struct Span: Hashable, Sendable {
    package var source: Int32
    package var start: Int32
    package var end: Int32

    package init(source: Int32, start: Int32, end: Int32) {
        self.source = source
        self.start = start
        self.end = end
    }

    /// The smallest span that holds both, which must lie in one source.
    package func union(_ other: Span) -> Span {
        Span(source: source, start: min(start, other.start), end: max(end, other.end))
    }
}

/// Why bytes cannot be a source.
package enum SourceError: Error, Equatable {
    /// The bytes from `offset` (counted in the file) on line `line` are not UTF-8.
    case invalidUTF8(name: String, offset: Int, line: Int)
    /// Spans hold 32 bits.
    case tooLarge(name: String, size: Int)
}

package final class SourceText: Sendable {
    package let id: Int
    /// The name as shown in messages, for example `net.act` or `<repl 3>`.
    package let name: String
    package let bytes: [UInt8]
    /// The offset at which each line starts; the first is 0.
    private let lineStarts: [Int32]
    /// How many lines stand before the first one that the reader knows: what was put around a text to run it.
    package let hiddenLines: Int

    /// A source from the bytes of a file. A leading byte-order mark is dropped.
    package init(id: Int, name: String, bytes: [UInt8], hiddenLines: Int = 0) throws(SourceError) {
        self.hiddenLines = hiddenLines
        guard bytes.count < Int(Int32.max) else { throw .tooLarge(name: name, size: bytes.count) }
        if let offset = firstInvalidUTF8(bytes) {
            let line = findLineStarts(Array(bytes[..<offset])).count
            throw .invalidUTF8(name: name, offset: offset, line: line)
        }
        self.id = id
        self.name = name
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        self.lineStarts = findLineStarts(self.bytes)
    }

    /// A source from text, which is valid UTF-8 already.
    package convenience init(id: Int, name: String, text: String) throws(SourceError) {
        try self.init(id: id, name: name, bytes: Array(text.utf8))
    }

    package var lineCount: Int { lineStarts.count }

    package var endSpan: Span { span(bytes.count, bytes.count) }

    package func span(_ start: Int, _ end: Int) -> Span {
        Span(source: Int32(truncatingIfNeeded: id), start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end))
    }

    /// The line number (from 1) that holds a UTF-8 offset.
    package func line(containing offset: Int) -> Int {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if Int(lineStarts[middle]) <= offset { low = middle } else { high = middle }
        }
        return low + 1
    }

    /// Line and column, both from 1; columns count characters. Offsets outside the text count as its ends.
    package func lineAndColumn(of offset: Int) -> (line: Int, column: Int) {
        let offset = min(max(offset, 0), bytes.count)
        let line = line(containing: offset)
        let before = bytes[Int(lineStarts[line - 1])..<offset]
        let isPlain = before.allSatisfy { $0 < 0x80 && $0 != 0x0D }
        return (line, 1 + (isPlain ? before.count : String(decoding: before, as: UTF8.self).count))
    }

    /// The offsets of line `number` (from 1) without its line end; empty when there is no such line.
    package func lineRange(_ number: Int) -> Range<Int> {
        guard number >= 1, number <= lineStarts.count else { return bytes.count..<bytes.count }
        let start = Int(lineStarts[number - 1])
        var end = number < lineStarts.count ? Int(lineStarts[number]) : bytes.count
        if number < lineStarts.count {
            if end > start, bytes[end - 1] == 0x0A { end -= 1 }
            if end > start, bytes[end - 1] == 0x0D { end -= 1 }
        }
        return start..<end
    }

    /// The text of line `number` (from 1) without its line end.
    package func line(at number: Int) -> String { text(lineRange(number)) }

    @inline(never)
    package func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range.clamped(to: 0..<bytes.count)], as: UTF8.self)
    }

    package func text(_ span: Span) -> String {
        let start = max(0, Int(span.start))
        return text(start..<max(start, Int(span.end)))
    }
}

extension SourceText {
    /// The text with the pieces replaced that lie in it. Pieces must not overlap.
    package func applying(_ edits: [Diagnostic.Edit]) -> String {
        var result: [UInt8] = []
        var position = 0
        for edit in edits.sorted(by: { ($0.span.start, $0.span.end) < ($1.span.start, $1.span.end) }) where Int(edit.span.source) == id {
            let start = min(max(Int(edit.span.start), position), bytes.count)
            result += bytes[position..<start]
            result += edit.replacement.utf8
            position = min(max(Int(edit.span.end), start), bytes.count)
        }
        return String(decoding: result + bytes[position...], as: UTF8.self)
    }
}

private func findLineStarts(_ bytes: [UInt8]) -> [Int32] {
    var starts: [Int32] = [0]
    bytes.withUnsafeBufferPointer { bytes in
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte > 0x0D { continue }
            if byte == 0x0A || (byte == 0x0D && !(index < bytes.count && bytes[index] == 0x0A)) {
                starts.append(Int32(truncatingIfNeeded: index))
            }
        }
    }
    return starts
}

/// The offset of the first byte that is not part of a well-formed UTF-8 sequence (Unicode standard, table 3-7).
private func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
    bytes.withUnsafeBufferPointer { bytes in
        var index = 0
        let count = bytes.count
        while index < count {
            let lead = bytes[index]
            if lead < 0x80 {
                index += 1
                continue
            }
            let length: Int
            var lowest: UInt8 = 0x80
            var highest: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, lowest) = (3, 0xA0)
            case 0xED: (length, highest) = (3, 0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, lowest) = (4, 0x90)
            case 0xF1...0xF3: length = 4
            case 0xF4: (length, highest) = (4, 0x8F)
            default: return index
            }
            guard index + length <= count else { return index }
            guard bytes[index + 1] >= lowest, bytes[index + 1] <= highest else { return index }
            for next in index + 2..<max(index + 2, index + length) where bytes[next] & 0xC0 != 0x80 { return index }
            index += length
        }
        return nil
    }
}

extension StringProtocol {
    /// The text without white space at its ends.
    package func trimmingSpaces() -> String {
        var slice = self[...]
        while let first = slice.first, first.isWhitespace { slice.removeFirst() }
        while let last = slice.last, last.isWhitespace { slice.removeLast() }
        return String(slice)
    }
}
