// Text that grows: what programs interpolate, join, print, replace and save is made here.
//
// What must stay true: the bytes of a text are taken from the limit before they exist, those of the old and the new place while it moves;
// a text of more than 1 GB is an error; Ctrl-C ends every growth.

import ActArray

/// Where the bytes of a file go, in order and in pieces, so that nobody holds all of them. They are there for the time of the call.
package typealias ByteSink = (UnsafeRawBufferPointer) throws -> Void

/// A text under construction. It goes on growing until `text` takes it out; with a sink it is a stream and holds little.
package struct TextBuilder: ~Copyable {
    private var made = ""
    /// How many bytes may be held before more must be taken; the first few are not worth it.
    private var room = 1 << 10
    private var held = Reservation()
    private let sink: ByteSink?

    /// No text is longer: texts are copied whole.
    package static let longest = 1 << 30
    /// What a stream collects before it goes on.
    private static let piece = 1 << 16

    /// - Parameter sink: gets what is appended, in order and in pieces; `finish` gives it the last.
    package init(into sink: ByteSink? = nil) {
        self.sink = sink
        if sink != nil { room = Self.piece }
    }

    /// A text whose bytes `body` puts one after the other, at most `bytes` of them.
    /// - Throws: `textTooLong`, `outOfMemory`, `interrupted`; what `body` throws.
    package init(ofAtMost bytes: Int, _ body: (inout Bytes) throws -> Void) throws {
        sink = nil
        try Interrupt.check()
        guard bytes <= Self.longest else { throw ArrayError.textTooLong(bytes: bytes) }
        if bytes > room {
            try held.grow(by: bytes)
            room = bytes
        }
        made = try String(unsafeUninitializedCapacity: bytes) { buffer in
            var bytes = Bytes(buffer)
            try body(&bytes)
            return bytes.count
        }
    }

    /// Bytes that are being put one after the other; what finds no room is left out. It cannot be copied, and never leaves the closure that gave
    /// it the memory.
    package struct Bytes: ~Copyable {
        private let buffer: UnsafeMutableBufferPointer<UInt8>
        fileprivate private(set) var count = 0

        fileprivate init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

        @inline(__always)
        package mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
            guard let from = bytes.baseAddress, let to = buffer.baseAddress, bytes.count <= buffer.count &- count else { return }
            (to + count).update(from: from, count: bytes.count)
            count &+= bytes.count
        }

        @inline(__always)
        package mutating func append(_ text: String) {
            var text = text
            text.withUTF8 { append($0) }
        }
    }

    /// The bytes that are held.
    package var count: Int { made.utf8.count }

    /// - Throws: `textTooLong`, `outOfMemory`, `interrupted`; what the sink throws.
    @inline(__always)
    package mutating func append(_ text: String) throws {
        let needed = made.utf8.count &+ text.utf8.count
        if needed > room { try makeRoom(for: text.utf8.count) }
        made += text
    }

    package mutating func append(_ text: Substring) throws {
        let needed = made.utf8.count &+ text.utf8.count
        if needed > room { try makeRoom(for: text.utf8.count) }
        made += text
    }

    package mutating func append(_ scalar: Unicode.Scalar) throws {
        if made.utf8.count &+ 4 > room { try makeRoom(for: 4) }
        made.unicodeScalars.append(scalar)
    }

    package mutating func append(_ text: String, times: Int) throws {
        let (bytes, overflow) = text.utf8.count.multipliedReportingOverflow(by: max(0, times))
        guard !overflow else { throw ArrayError.textTooLong(bytes: .max) }
        try reserve(bytes)
        for index in 0..<max(0, times) {
            if index & 0xfff == 0 { try Interrupt.check() }
            try append(text)
        }
    }

    /// What has been made and not sent on.
    package var text: String { made }

    /// The part between two bytes of it.
    package func text(in bytes: Range<Int>) -> Substring {
        made[made.utf8.index(made.startIndex, offsetBy: bytes.lowerBound)..<made.utf8.index(made.startIndex, offsetBy: bytes.upperBound)]
    }

    /// Makes room for so many bytes more, so that they need no moving.
    package mutating func reserve(_ bytes: Int) throws {
        if sink == nil, made.utf8.count &+ bytes > room { try makeRoom(for: bytes) }
    }

    /// Puts another text in the place of what has been made from byte `start` on.
    package mutating func replace(from start: Int, with other: consuming TextBuilder) throws {
        let index = made.utf8.index(made.startIndex, offsetBy: start)
        if start == 0 {
            (made, room) = (other.made, other.room)
            held = other.takeHeld()
        } else {
            made.removeSubrange(index...)
            try append(other.made)
        }
    }

    /// What the text holds, for who keeps it.
    package mutating func takeHeld() -> Reservation {
        var taken = Reservation()
        swap(&taken, &held)
        return taken
    }

    /// Sends on what a stream still holds.
    package mutating func finish() throws {
        guard let sink, !made.isEmpty else { return }
        try send(to: sink)
        made.removeAll(keepingCapacity: true)
    }

    /// Gives away the bytes that are held.
    package mutating func send(to sink: ByteSink) throws { try made.withUTF8 { try sink(UnsafeRawBufferPointer($0)) } }

    @inline(never)
    private mutating func makeRoom(for more: Int) throws {
        try Interrupt.check()
        if sink != nil {
            try finish()
            if more <= room { return }
        }
        let needed = made.utf8.count &+ more
        guard needed <= Self.longest else { throw ArrayError.textTooLong(bytes: needed) }
        var size = max(needed, min(2 &* room, Self.longest)), larger = Reservation()
        do { try larger.grow(by: size) } catch ArrayError.outOfMemory {
            size = needed &+ needed / 16
            try larger.grow(by: size)
        }
        // A string that is asked for room takes twice what it has; a new one takes what it is asked for.
        var place = ""
        place.reserveCapacity(size)
        place += made
        made = place
        swap(&held, &larger)
        room = size
    }
}
