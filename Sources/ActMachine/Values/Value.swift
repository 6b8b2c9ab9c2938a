// What a program computes with. One reference or eight bytes of payload each, so that registers are small and a number is
// never on the heap. Everything is a value: whoever changes a list or a record makes sure that it is the only holder first.

import ActArray
import CActKernels
import ActPlot
import ActSyntax
import OrderedCollections

package enum Value {
    case none
    case bool(Bool)
    case number(Double)
    case string(Text)
    case array(NDArray)
    case list(List)
    case record(Record)
    case function(Function)
    case figure(FigureValue)
    /// A variable or parameter without a value; programs never see it.
    case undefined
    /// What a comprehension is gathering; programs never see it.
    case gathering(Gathering)
}

/// How deep lists, records and functions may be nested: freeing and printing recurse over them.
package let maximumNesting = 10_000

/// A string.
package final class Text {
    // No access checks: a text is changed by the thread that runs its program alone, and only while nobody else sees it.
    @exclusivity(unchecked) package private(set) var string: String
    /// The arrays it was made of that a running derivative follows.
    @exclusivity(unchecked) package private(set) var origins: [NDArray]
    @exclusivity(unchecked) private var held: Reservation

    /// A string that is there already: whoever makes long ones makes them with a `TextBuilder`.
    package init(_ string: String, origins: [NDArray] = []) {
        self.string = string
        self.origins = origins
        held = Reservation(noting: Self.footprint(string.utf8.count))
    }

    /// One of many that are being made.
    /// - Throws: `outOfMemory`.
    package init(counting string: String, origins: [NDArray] = []) throws {
        held = try Reservation(Self.footprint(string.utf8.count))
        self.string = string
        self.origins = origins
    }

    /// A string with the bytes that its builder took.
    package init(_ builder: consuming TextBuilder, origins: [NDArray] = []) {
        string = builder.text
        self.origins = origins
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
        string += other.string
        if !other.origins.isEmpty { origins += other.origins }
        if kind == .bytes, !other.isBytes { kind = .characters }
        marks = nil
    }

    /// Short strings lie in place.
    private static func footprint(_ bytes: Int) -> Int { bytes > 15 ? 96 &+ bytes : 64 }

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
    // No access check: only this class comes to it.
    @exclusivity(unchecked) private var kind = Kind.unknown

    /// The value of the character at an index, where it is a byte; `nil` where there is more to it.
    func letter(at index: Double) -> Value? {
        guard isBytes, origins.isEmpty else { return nil }
        let utf8 = string.utf8, position = act_position(index, Int64(utf8.count))
        if position < 0 { return nil }
        let byte = utf8.withContiguousStorageIfAvailable { $0[Int(position)] } ?? utf8[utf8.index(utf8.startIndex, offsetBy: Int(position))]
        return Text.letters[Int(byte)]
    }

    /// Letters that every text has are not made anew each time.
    nonisolated(unsafe) static let letters: [Value] = (0..<128).map { .string(String(UnicodeScalar(UInt8($0)))) }

    /// Of other text, where every 256th character begins, and how many there are; found when first asked for.
    @exclusivity(unchecked) private var marks: (places: [String.Index], count: Int)?
    private static let stride = 256

    private func measured() throws -> (places: [String.Index], count: Int) {
        if let marks { return marks }
        var places: [String.Index] = [], count = 0, index = string.startIndex
        while index < string.endIndex {
            if count & 0xfff == 0 { try Interrupt.check() }
            if count % Self.stride == 0 { places.append(index) }
            index = string.index(after: index)
            count &+= 1
        }
        marks = (places, count)
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
            if i > 0 { index = abs(positions.step) < Self.stride ? string.index(index, offsetBy: positions.step) : try place(positions.start &+ i &* positions.step) }
            try text.append(string[index...index])
        }
        return text
    }
}

/// The elements of a list value.
package final class List {
    // No access checks: a list is changed by the thread that runs its program alone, and no change calls out.
    @exclusivity(unchecked) package private(set) var elements: [Value]
    @exclusivity(unchecked) package private(set) var depth: Int32
    @exclusivity(unchecked) private var held: Reservation

    /// - Throws: `RuntimeError.tooDeep` past `maximumNesting`.
    package init(_ elements: [Value]) throws {
        var depth: Int32 = 0
        for element in elements { depth = max(depth, element.nesting) }
        guard depth < maximumNesting else { throw RuntimeError.tooDeep }
        held = try Reservation(64 &+ elements.count &* 16)
        self.elements = elements
        self.depth = depth &+ 1
    }

    package func append(_ value: Value) throws {
        let nesting = value.nesting
        guard nesting < maximumNesting else { throw RuntimeError.tooDeep }
        if elements.count &* 16 &+ 64 >= held.bytes {
            // Room for as many again, and while they move the old and the new place are held.
            let capacity = max(16, 2 &* elements.count)
            var larger = try Reservation(64 &+ capacity &* 16)
            elements.reserveCapacity(capacity)
            swap(&held, &larger)
        }
        elements.append(value)
        depth = max(depth, nesting &+ 1)
    }

    /// All of another list's elements, or none.
    func append(contentsOf other: List) throws {
        let count = elements.count, depth = depth
        do {
            for (index, element) in other.elements.enumerated() {
                if index & 0xffff == 0 { try Interrupt.check() }
                try append(element)
            }
        } catch {
            elements.removeLast(elements.count - count)
            self.depth = depth
            throw error
        }
    }

    /// Takes the element out, so that its next holder can change it without a copy; `replace` puts it back.
    package func take(at index: Int) -> Value {
        let value = elements[index]
        elements[index] = .none
        return value
    }

    package func replace(at index: Int, with value: Value) throws {
        let nesting = value.nesting
        guard nesting < maximumNesting else { throw RuntimeError.tooDeep }
        elements[index] = value
        depth = max(depth, nesting &+ 1)
    }

    /// As `replace`, of a value that is known not to be nested too deeply.
    @inline(__always)
    func put(_ value: Value, at index: Int) {
        depth = max(depth, value.nesting &+ 1)
        elements[index] = value
    }

    package func copy() throws -> List { try List(elements) }
}

/// The fields of a record value, in the order in which they were made.
package final class Record {
    // No access checks, as in `List`.
    @exclusivity(unchecked) package private(set) var fields: OrderedDictionary<String, Value>
    @exclusivity(unchecked) package private(set) var depth: Int32
    @exclusivity(unchecked) private var held: Reservation

    package init(_ fields: OrderedDictionary<String, Value>) throws {
        var depth: Int32 = 0
        for value in fields.values { depth = max(depth, value.nesting) }
        guard depth < maximumNesting else { throw RuntimeError.tooDeep }
        held = try Reservation(fields.keys.reduce(96) { $0 &+ Self.footprint(of: $1) })
        self.fields = fields
        self.depth = depth &+ 1
    }

    /// A field: its key, short ones in place, and its value, with as much again to grow.
    private static func footprint(of name: String) -> Int { name.utf8.count > 15 ? 96 &+ name.utf8.count : 64 }

    package subscript(name: String) -> Value? { fields[name] }

    /// The field that a name in a program means.
    package func field(_ name: String) -> Value? { fields[name] ?? key(name).flatMap { fields[$0] } }

    /// The key that a name in a program means: its own, or one that data brought along and that is the same name, such as `µ` with the
    /// micro sign.
    func key(_ name: String) -> String? {
        if fields[name] != nil { return name }
        let form = CompatibleNames.form(name)
        return fields.keys.first { key in
            key == form || !key.utf8.allSatisfy { $0 < 0x80 } && CompatibleNames.form(key) == form
        }
    }

    package func set(_ name: String, to value: Value) throws {
        let nesting = value.nesting
        guard nesting < maximumNesting else { throw RuntimeError.tooDeep }
        if let index = fields.index(forKey: name) {
            fields.values[index] = value
        } else {
            try held.grow(by: Self.footprint(of: name))
            fields[name] = value
        }
        depth = max(depth, nesting &+ 1)
    }

    /// Takes the field's value out, so that its next holder can change it without a copy; `set` puts it back.
    package func take(_ name: String) -> Value? {
        guard let index = fields.index(forKey: name) else { return nil }
        let value = fields.values[index]
        fields.values[index] = .none
        return value
    }

    package func copy() throws -> Record { try Record(fields) }

    // MARK: Fields by their place: it stays as long as the record lives, for no field ever goes

    @inline(__always)
    func hasField(_ name: String, at place: Int) -> Bool { place < fields.count && fields.keys[place] == name }

    func place(of name: String) -> Int? { fields.index(forKey: name) }

    func value(at place: Int) -> Value { fields.values[place] }

    /// - Parameter value: Known not to be nested too deeply.
    @inline(__always)
    func put(_ value: Value, at place: Int) {
        depth = max(depth, value.nesting &+ 1)
        fields.values[place] = value
    }

    @inline(__always)
    func withValue<Result>(at place: Int, _ body: (UnsafeMutablePointer<Value>) -> Result) -> Result {
        body(&fields.values[place])
    }
}

/// A figure, as a value.
package final class FigureValue {
    package let figure: Figure
    private let held: Reservation

    package init(_ figure: Figure) {
        self.figure = figure
        held = Reservation(noting: figure.footprint)
    }

    var footprint: Int { held.bytes }
}

/// What lists, records and strings hold counts toward the limit that arrays obey: a `Reservation` each.
package enum Memory {
    /// Whether `bytes` more would still be within the limit; asked before something large is made.
    package static func check(for bytes: Int) throws {
        let (total, overflow) = MemoryPool.used.addingReportingOverflow(bytes)
        if overflow || total > MemoryPool.limit { throw ArrayError.outOfMemory(bytes: bytes, limit: MemoryPool.limit) }
    }
}

extension Value {
    package static func string(_ string: String) -> Value { .string(Text(string)) }
    package static func string(_ builder: consuming TextBuilder) -> Value { .string(Text(builder)) }

    package static func list(_ elements: [Value]) throws -> Value { .list(try List(elements)) }
    package static func record(_ fields: OrderedDictionary<String, Value>) throws -> Value { .record(try Record(fields)) }
    package static func numbers(_ numbers: [Int]) throws -> Value { try .list(numbers.map { .number(Double($0)) }) }

    /// An array as programs see it: of rank 0, and followed by no derivative, it is a number or a bool.
    package init(_ array: NDArray) throws {
        if array.rank == 0 && !array.isTraced {
            let element = try array.item()
            self = array.type == .bool ? .bool(element != 0) : .number(element)
        } else {
            self = .array(array)
        }
    }

    /// How many levels of lists, records and functions there are inside.
    package var nesting: Int32 {
        switch self {
        case .list(let list): list.depth
        case .record(let record): record.depth
        case .function(let function): function.depth
        default: 0
        }
    }

    /// What `type` answers.
    package var typeName: String {
        switch self {
        case .none: "none"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array(let array): array.rank == 0 ? (array.type == .bool ? "bool" : "number") : "array"
        case .list: "list"
        case .record: "record"
        case .function(let function): function.typeName
        case .figure: "figure"
        case .undefined, .gathering: "nothing"
        }
    }

    /// With its article, for messages.
    package var kind: String {
        switch self {
        case .none: "none"
        case .undefined, .gathering: "nothing"
        case .array(let array) where array.rank > 0: "an array of shape \(describe(array.shape))"
        case .array, .number, .bool, .string, .list, .record, .figure, .function:
            (typeName == "array" ? "an " : "a ") + typeName
        }
    }
}

/// A shape as programs write it: `(3,)`, `(2, 4)`, `()`.
package func describe(_ shape: [Int]) -> String {
    shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
}
