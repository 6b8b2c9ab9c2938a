// Finding a text in another, and what is made of that: pieces between separators, words, texts without spaces at their ends.
//
// What must stay true: the time is proportional to the lengths together, however repetitive they are, and Ctrl-C ends it.

import ActArray
import ActMachine
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Looks for one text in others, byte by byte: the Two-Way algorithm (M. Crochemore, D. Perrin: Two-way string-matching, J. ACM 38, 1991),
/// which takes no more memory than the text itself.
package struct TextSearch {
    private let part: [UInt8]
    /// Where the text is cut: the right half is compared first, from left to right, then the left half from right to left.
    private let cut: Int
    /// How far to go on after a match of the right half.
    private let period: Int
    /// Whether the whole text has this period: then what has been compared need not be compared again.
    private let isPeriodic: Bool

    /// - Parameter text: Not empty.
    /// - Throws: `interrupted`.
    package init(_ text: String) throws {
        let part = Array(text.utf8)
        let (cut, period) = try part.withUnsafeBufferPointer { part in
            let rising = try TextSearch.largestSuffix(of: part, <), falling = try TextSearch.largestSuffix(of: part, >)
            return rising.start > falling.start ? rising : falling
        }
        self.part = part
        self.cut = cut
        isPeriodic = part.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, cut + period <= bytes.count else { return false }
            return memcmp(base, base + period, cut) == 0
        }
        self.period = isPeriodic ? period : max(cut, part.count - cut) + 1
    }

    /// Where the suffix that is largest in an order of bytes begins, and its period.
    private static func largestSuffix(of text: UnsafeBufferPointer<UInt8>, _ isBefore: (UInt8, UInt8) -> Bool) throws -> (start: Int, period: Int) {
        var start = 0, other = 1, length = 0, period = 1
        while other + length < text.count {
            if (other &+ length) & 0xffff == 0 { try Interrupt.check() }
            let a = text[other &+ length], b = text[start &+ length]
            if a == b {
                length += 1
                if length == period {
                    other += period
                    length = 0
                }
            } else if isBefore(a, b) {
                other += length + 1
                length = 0
                period = other - start
            } else {
                start = other
                other = start + 1
                (length, period) = (0, 1)
            }
        }
        return (start, period)
    }

    /// Calls `body` with where the text stands in `bytes`, from left to right and without overlaps, until it returns false.
    /// - Throws: `interrupted`.
    package func forEachMatch(in bytes: UnsafeBufferPointer<UInt8>, _ body: (Int) throws -> Bool) throws {
        guard let base = bytes.baseAddress, bytes.count >= part.count else { return }
        try part.withUnsafeBufferPointer { part in
            let count = part.count, last = bytes.count - count
            var position = 0
            // How much of the left end is known to match.
            var known = 0
            // Bytes compared since Ctrl-C was looked at.
            var work = 0
            while position <= last {
                if work > 1 << 16 {
                    work = 0
                    try Interrupt.check()
                }
                if known == 0 {
                    // The system looks for a byte faster than a loop does.
                    let length = min(last - position + 1, 1 << 16)
                    work += 1
                    guard let found = memchr(base + position + cut, Int32(part[cut]), length) else {
                        work += length
                        position += length
                        continue
                    }
                    position = UnsafeRawPointer(base).distance(to: found) - cut
                }
                var index = max(cut, known)
                while index < count, part[index] == base[position &+ index] {
                    index &+= 1
                    if index & 0xffff == 0 { try Interrupt.check() }
                }
                work += index - cut
                guard index == count else {
                    position += index - cut + 1
                    known = 0
                    continue
                }
                index = cut
                while index > known, part[index &- 1] == base[position &+ index &- 1] {
                    index &-= 1
                    if index & 0xffff == 0 { try Interrupt.check() }
                }
                work += cut - index
                if index <= known {
                    guard try body(position) else { return }
                    position += count
                    known = 0
                } else {
                    position += period
                    known = isPeriodic ? count - period : 0
                }
            }
        }
    }
}

extension String {
    /// Calls `body` with the pieces between separators, empty ones included, until it answers false.
    /// - Parameter separator: Not empty.
    /// - Throws: `interrupted`, and what `body` throws.
    package func forEachPiece(between separator: String, _ body: (Substring) throws -> Bool) throws {
        try forEachBytes(between: separator) { _, range in try body(piece(range.lowerBound, range.upperBound)) }
    }

    /// The same with the bytes of the text and which of them are the piece: for many short pieces.
    package func forEachBytes(between separator: String, _ body: (UnsafeBufferPointer<UInt8>, Range<Int>) throws -> Bool) throws {
        let search = try TextSearch(separator), length = separator.utf8.count
        var text = self, start = 0, goesOn = true
        try text.withUTF8 { bytes in
            try search.forEachMatch(in: bytes) { position in
                goesOn = try body(bytes, start..<position)
                start = position + length
                return goesOn
            }
            if goesOn { _ = try body(bytes, start..<bytes.count) }
        }
    }

    /// The bytes from `start` to `end`, between which whole characters of UTF-8 stand.
    private func piece(_ start: Int, _ end: Int) -> Substring {
        self[utf8.index(startIndex, offsetBy: start)..<utf8.index(startIndex, offsetBy: end)]
    }

    /// Whether a text that is not empty stands somewhere in this one.
    /// - Throws: `interrupted`.
    package func contains(part: String) throws -> Bool {
        let search = try TextSearch(part)
        var text = self, isFound = false
        try text.withUTF8 { bytes in
            try search.forEachMatch(in: bytes) { _ in
                isFound = true
                return false
            }
        }
        return isFound
    }

    /// Calls `body` with what stands between spaces and line ends.
    /// - Throws: `interrupted`, and what `body` throws.
    package func forEachWord(_ body: (Substring) throws -> Void) throws {
        let scalars = unicodeScalars
        var start: Index?, next = scalars.startIndex, count = 0
        while next < scalars.endIndex {
            count &+= 1
            if count & 0xfff == 0 { try Interrupt.check() }
            if isSpace(scalars[next]) {
                if let first = start { try body(self[first..<next]) }
                start = nil
            } else if start == nil {
                start = next
            }
            next = scalars.index(after: next)
        }
        if let first = start { try body(self[first...]) }
    }

    package func startsWithBytes(of prefix: String) -> Bool { hasBytes(of: prefix, atEnd: false) }

    package func endsInBytes(of suffix: String) -> Bool { hasBytes(of: suffix, atEnd: true) }

    private func hasBytes(of part: String, atEnd: Bool) -> Bool {
        var text = self, part = part
        return text.withUTF8 { text in
            part.withUTF8 { part in
                guard let whole = text.baseAddress, let piece = part.baseAddress, part.count > 0 else { return part.isEmpty }
                return part.count <= text.count && memcmp(whole + (atEnd ? text.count - part.count : 0), piece, part.count) == 0
            }
        }
    }
}

extension StringProtocol {
    /// The text without spaces and line ends at both ends.
    /// - Parameter check: Asked from time to time, for texts that may be long; what it throws is passed on.
    package func trimmingSpaces(_ check: () throws -> Void) rethrows -> String {
        let scalars = unicodeScalars
        var (start, end) = (scalars.startIndex, scalars.endIndex), count = 0
        while start < end, isSpace(scalars[start]) {
            start = scalars.index(after: start)
            count &+= 1
            if count & 0xffff == 0 { try check() }
        }
        while end > start {
            let last = scalars.index(before: end)
            guard isSpace(scalars[last]) else { break }
            end = last
            count &+= 1
            if count & 0xffff == 0 { try check() }
        }
        return String(self[start..<end])
    }
}

private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x80 ? scalar.value == 0x20 || scalar.value >= 9 && scalar.value <= 13 : scalar.properties.isWhitespace
}
