// What a program computes with. One reference or eight bytes of payload each, so that registers are small and a number is
// never on the heap. Everything is a value: whoever changes a list or a record makes sure that it is the only holder first.

import ActArray
import ActPlot
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
}

/// How deep lists, records and functions may be nested: freeing and printing recurse over them.
package let maximumNesting = 10_000

/// A string.
package final class Text {
    package let string: String
    /// The arrays it was made of that a running derivative follows.
    package let origins: [NDArray]
    private let isAccounted: Bool

    package init(_ string: String, origins: [NDArray] = []) {
        self.string = string
        self.origins = origins
        // A string that no longer fits is there already: whoever makes long ones asks `Memory.check` first.
        isAccounted = (try? Memory.account(Self.footprint(string))) != nil
    }

    deinit { if isAccounted { Memory.forget(Self.footprint(string)) } }

    private static func footprint(_ string: String) -> Int { 48 &+ string.utf8.count }

    /// Whether each byte is a character: then characters need not be looked for.
    private lazy var isBytes: Bool = string.utf8.allSatisfy { $0 < 0x80 && $0 != 13 }

    /// The number of characters.
    package private(set) lazy var count: Int = isBytes ? string.utf8.count : string.count

    /// The character at a position within the string.
    /// - Throws: `interrupted`.
    package func character(at position: Int) throws -> String {
        try isBytes ? characters(at: SliceRange(start: position, step: 1, count: 1)) : String(characters()[position])
    }

    /// The characters at positions within the string, one after the other.
    /// - Throws: `interrupted`.
    package func characters(at positions: SliceRange) throws -> String {
        var text = ""
        text.reserveCapacity(positions.count)
        let bytes = string.utf8, characters = isBytes ? [] : try characters()
        try Interrupt.forEachPiece(positions.count) { piece in
            if isBytes {
                let places = piece.lazy.map { bytes.index(bytes.startIndex, offsetBy: positions.start &+ $0 &* positions.step) }
                text += String(decoding: places.map { bytes[$0] }, as: UTF8.self)
            } else {
                for i in piece { text.append(characters[positions.start &+ i &* positions.step]) }
            }
        }
        return text
    }

    /// - Throws: `interrupted`.
    package func characters() throws -> [Character] {
        try string.enumerated().map { index, character in
            if index & 0xfff == 0 { try Interrupt.check() }
            return character
        }
    }
}

/// The elements of a list value.
package final class List {
    package private(set) var elements: [Value]
    package private(set) var depth: Int32
    private var accounted: Int

    /// - Throws: `RuntimeError.tooDeep` past `maximumNesting`.
    package init(_ elements: [Value]) throws {
        var depth: Int32 = 0
        for element in elements { depth = max(depth, element.nesting) }
        guard depth < maximumNesting else { throw RuntimeError.tooDeep }
        let bytes = 64 &+ elements.count &* 16
        try Memory.account(bytes)
        accounted = bytes
        self.elements = elements
        self.depth = depth &+ 1
    }

    deinit { Memory.forget(accounted) }

    package func append(_ value: Value) throws {
        let nesting = value.nesting
        guard nesting < maximumNesting else { throw RuntimeError.tooDeep }
        // Room for many elements is accounted at once.
        if elements.count &* 16 &+ 64 >= accounted {
            let more = max(256, elements.count &* 8)
            try Memory.account(more)
            accounted &+= more
        }
        elements.append(value)
        depth = max(depth, nesting &+ 1)
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

    package func copy() throws -> List { try List(elements) }
}

/// The fields of a record value, in the order in which they were made.
package final class Record {
    package private(set) var fields: OrderedDictionary<String, Value>
    package private(set) var depth: Int32
    private var accounted: Int

    package init(_ fields: OrderedDictionary<String, Value>) throws {
        var depth: Int32 = 0
        for value in fields.values { depth = max(depth, value.nesting) }
        guard depth < maximumNesting else { throw RuntimeError.tooDeep }
        let bytes = 96 &+ fields.count &* 64
        try Memory.account(bytes)
        accounted = bytes
        self.fields = fields
        self.depth = depth &+ 1
    }

    deinit { Memory.forget(accounted) }

    package subscript(name: String) -> Value? { fields[name] }

    package func set(_ name: String, to value: Value) throws {
        let nesting = value.nesting
        guard nesting < maximumNesting else { throw RuntimeError.tooDeep }
        if fields.count &* 64 &+ 96 >= accounted {
            try Memory.account(64)
            accounted &+= 64
        }
        fields[name] = value
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
}

/// A figure, as a value.
package final class FigureValue {
    package let figure: Figure
    /// Bytes that are accounted for.
    let footprint: Int

    package init(_ figure: Figure) {
        self.figure = figure
        footprint = figure.footprint
        Memory.note(footprint)
    }

    deinit { Memory.forget(footprint) }
}

/// What lists, records and strings hold counts toward the limit that arrays obey.
package enum Memory {
    /// - Throws: `ArrayError.outOfMemory` past the limit.
    @inline(__always) package static func account(_ bytes: Int) throws { try MemoryPool.reserve(bytes) }
    /// Of what is small, or there already: the next thing that can fail to be made fails for it.
    @inline(__always) package static func note(_ bytes: Int) { MemoryPool.note(bytes) }
    @inline(__always) package static func forget(_ bytes: Int) { MemoryPool.release(bytes) }

    /// Strings are copied whole, so they have a limit of their own.
    package static func check(forText bytes: Int) throws {
        guard bytes <= 1 << 30 else { throw RuntimeError.cannot("a string of \(Format.bytes(bytes)) is too long", help: "1 GB is the limit") }
        try check(for: bytes)
    }

    /// Whether `bytes` more would still be within the limit; asked before something large is made.
    package static func check(for bytes: Int) throws {
        let (total, overflow) = MemoryPool.used.addingReportingOverflow(bytes)
        if overflow || total > MemoryPool.limit { throw ArrayError.outOfMemory(bytes: bytes, limit: MemoryPool.limit) }
    }
}

extension Value {
    package static func string(_ string: String) -> Value { .string(Text(string)) }
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
        case .undefined: "nothing"
        }
    }

    /// With its article, for messages.
    package var kind: String {
        switch self {
        case .none: "none"
        case .undefined: "nothing"
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
