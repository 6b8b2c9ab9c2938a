// Strings as values.

import ActArray
import ActFiles
import CActKernels
import CActMachine
import ActPlot
import ActSyntax

/// A string.
package final class Text {
    // (All are read in C as well: `act_text`.) No access checks: a text is changed by the thread that runs its program alone, and only
    // while nobody else sees it.
    @exclusivity(unchecked) package private(set) var string: String
    /// What few texts have, so that the many are small.
    @exclusivity(unchecked) private var details: Details?
    @exclusivity(unchecked) private var kind = Kind.unknown
    /// Made to be read, as formulas are: a line that gives it shows it as it stands, without quotes.
    @exclusivity(unchecked) package private(set) var isForReaders = false
    @exclusivity(unchecked) private(set) var held: Reservation

    private final class Details {
        let origins: [NDArray]
        /// Where every 256th character begins, and how many there are; found when first asked for.
        let marks: Marks?

        init(origins: [NDArray], marks: Marks? = nil) { (self.origins, self.marks) = (origins, marks) }
    }

    private typealias Marks = (places: [String.Index], count: Int)

    /// The arrays it was made of that a running derivative follows.
    package var origins: [NDArray] { details?.origins ?? [] }

    /// A string that is there already: whoever makes long ones makes them with a `TextBuilder`.
    package init(_ string: String, origins: [NDArray] = []) {
        self.string = string
        details = origins.isEmpty ? nil : Details(origins: origins)
        held = Reservation(noting: Self.footprint(string.utf8.count))
    }

    /// A text that is made to be read.
    package static func forReaders(_ string: String) -> Text {
        let text = Text(string)
        text.isForReaders = true
        return text
    }

    /// One of many that are being made.
    /// - Throws: `outOfMemory`.
    package init(counting string: String, origins: [NDArray] = []) throws {
        held = try Reservation(Self.footprint(string.utf8.count))
        self.string = string
        details = origins.isEmpty ? nil : Details(origins: origins)
    }

    /// A string with the bytes that its builder took.
    package init(_ builder: consuming TextBuilder, origins: [NDArray] = []) {
        string = builder.text
        details = origins.isEmpty ? nil : Details(origins: origins)
        let taken = builder.takeHeld()
        held = taken.bytes > 0 ? taken : Reservation(noting: Self.footprint(string.utf8.count))
    }

    /// This text and another one after it.
    /// - Throws: `textTooLong`, `outOfMemory`, `interrupted`.
    package func joined(with other: Text) throws -> Text {
        let bytes = string.utf8.count &+ other.string.utf8.count, origins = origins + other.origins
        if bytes < 1 << 10 { return Text(string + other.string, origins: origins) }
        var text = TextBuilder()
        try text.reserve(bytes)
        try text.append(string)
        try text.append(other.string)
        return Text(text, origins: origins)
    }

    /// Puts another text at the end of this one; only while nobody else sees this one.
    /// - Throws: `textTooLong`, `outOfMemory`, `interrupted`; then nothing has changed.
    func append(_ other: Text) throws {
        let bytes = string.utf8.count &+ other.string.utf8.count
        if Self.footprint(bytes) > held.bytes {
            try Interrupt.check()
            guard bytes <= TextBuilder.longest else { throw ArrayError.textTooLong(bytes: bytes) }
            // Room for as much again, and while it moves the old and the new place are held.
            let room = min(max(64, 2 &* bytes), TextBuilder.longest)
            var larger = try Reservation(Self.footprint(room))
            string.reserveCapacity(room)
            swap(&held, &larger)
        }
        // (Both are asked, for the other half of the machine to go on where they are.)
        if isBytes, !other.isBytes { kind = .characters }
        string += other.string
        isForReaders = false
        if details != nil || other.details != nil {
            let all = origins + other.origins
            details = all.isEmpty ? nil : Details(origins: all)
        }
    }

    /// Short strings lie in place.
    private static func footprint(_ bytes: Int) -> Int { bytes > 15 ? 128 &+ bytes : 80 }

    /// Whether each byte is a character: then characters need not be looked for.
    package var isBytes: Bool {
        if kind == .unknown { kind = Text.isBytes(string) ? .bytes : .characters }
        return kind == .bytes
    }

    private static func isBytes(_ string: String) -> Bool {
        let isPlain = string.utf8.withContiguousStorageIfAvailable { bytes in
            // Without a way out on the way: many bytes are looked at together then.
            var above: UInt8 = 0, hasReturn = false
            for byte in bytes {
                above |= byte
                hasReturn = hasReturn || byte == 13
            }
            return above < 0x80 && !hasReturn
        }
        return isPlain ?? string.utf8.allSatisfy { $0 < 0x80 && $0 != 13 }
    }

    private enum Kind: UInt8 { case unknown, bytes, characters }

    /// The value of the character at an index, where it is a byte; `nil` where there is more to it.
    func letter(at index: Double) -> Value? {
        guard isBytes, origins.isEmpty else { return nil }
        let utf8 = string.utf8, position = act_position(index, Int64(utf8.count))
        if position < 0 { return nil }
        let byte = utf8.withContiguousStorageIfAvailable { $0[Int(position)] } ?? utf8[utf8.index(utf8.startIndex, offsetBy: Int(position))]
        return Text.letters[Int(byte)]
    }

    /// Letters that every text has are not made anew each time. They never end, and nobody counts who holds them: all threads may at once.
    /// `unsafe`: nobody changes a text that has another holder, as these have, and what a text finds out about itself they know.
    nonisolated(unsafe) static let letters: UnsafePointer<Value> = {
        let letters = UnsafeMutablePointer<Value>.allocate(capacity: 128)
        for code in 0..<UInt8(128) {
            let letter = Text(String(UnicodeScalar(code)))
            _ = letter.isBytes
            keepForever(letter)
            (letters + Int(code)).initialize(to: .string(letter))
        }
        return UnsafePointer(letters)
    }()

    /// Lets an object never end, as the runtime library does it with the array of nothing that all share. (`MachineLayout` sees that it did.)
    private static func keepForever(_ object: Text) {
        let count = MemoryLayout<UnsafeRawPointer>.size
        let forever = unsafeBitCast([Int](), to: UnsafeRawPointer.self).load(fromByteOffset: count, as: UInt.self)
        Unmanaged.passUnretained(object).toOpaque().storeBytes(of: forever, toByteOffset: count, as: UInt.self)
    }

    private static let stride = 256

    private func measured() throws -> Marks {
        if let marks = details?.marks { return marks }
        var places: [String.Index] = [], count = 0, index = string.startIndex
        while index < string.endIndex {
            if count & 0xfff == 0 { try Interrupt.check() }
            if count % Self.stride == 0 { places.append(index) }
            index = string.index(after: index)
            count &+= 1
        }
        details = Details(origins: origins, marks: (places, count))
        return (places, count)
    }

    /// The number of characters.
    /// - Throws: `interrupted`.
    package func count() throws -> Int { isBytes ? string.utf8.count : try measured().count }

    /// Where a character begins.
    private func place(_ position: Int) throws -> String.Index {
        if isBytes { return string.utf8.index(string.startIndex, offsetBy: position) }
        return string.index(try measured().places[position / Self.stride], offsetBy: position % Self.stride)
    }

    /// The character at a position within the string.
    /// - Throws: `interrupted`.
    package func character(at position: Int) throws -> String { String(string[try place(position)]) }

    /// The characters at positions within the string, one after the other.
    /// - Throws: `interrupted`, `outOfMemory`.
    package func characters(at positions: SliceRange) throws -> TextBuilder {
        var text = TextBuilder()
        if positions.count == 0 { return text }
        let first = try place(positions.start)
        if positions.step == 1 {
            let last = try place(positions.start &+ positions.count &- 1)
            let part = string[first..<string.index(after: last)]
            try text.reserve(part.utf8.count)
            try text.append(part)
            return text
        }
        var index = first
        for i in 0..<positions.count {
            if i & 0xfff == 0 { try Interrupt.check() }
            // Long steps go by the marks.
            if i > 0 {
                index = abs(positions.step) < Self.stride ? string.index(index, offsetBy: positions.step) : try place(positions.start &+ i &* positions.step)
            }
            try text.append(string[index...index])
        }
        return text
    }
}

extension String {
    /// The string of bytes that are UTF-8.
    @inline(__always)
    init(bytes: UnsafeRawBufferPointer) {
        var short = act_string()
        if let first = bytes.baseAddress, act_short_string(first, bytes.count, &short) {
            self = unsafeBitCast(short, to: String.self)
        } else {
            self.init(decoding: bytes, as: UTF8.self)
        }
    }
}

/// Makes many texts: short ones that come again are the same text.
package struct TextMaker {
    /// The last short text of each sort, once there are more than few.
    private var recent: [Text?] = []
    private var count = 0

    private static let sorts = 256

    package init() {}

    /// - Parameter bytes: UTF-8.
    /// - Throws: `outOfMemory`.
    package mutating func text(_ bytes: UnsafeRawBufferPointer) throws -> Value {
        if bytes.count == 1, bytes[0] < 0x80 { return Text.letters[Int(bytes[0])] }
        return try text(String(bytes: bytes))
    }

    /// - Throws: `outOfMemory`.
    package mutating func text(_ string: String) throws -> Value {
        let word = ShortName(string)
        guard word.isShort else { return .string(try Text(counting: string)) }
        if string.utf8.count == 1, let byte = string.utf8.first { return Text.letters[Int(byte)] }
        count &+= 1
        if recent.isEmpty {
            if count <= 16 { return .string(try Text(counting: string)) }
            recent = Array(repeating: nil, count: Self.sorts)
        }
        let sort = word.hash & (Self.sorts - 1)
        if let text = recent[sort], ShortName(text.string) == word { return .string(text) }
        let text = try Text(counting: string)
        recent[sort] = text
        return .string(text)
    }
}
