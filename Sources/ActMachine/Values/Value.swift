// What a program computes with. One reference or eight bytes of payload each, so that registers are small and a number is
// never on the heap. Everything is a value: whoever changes a list or a record makes sure that it is the only holder first.

import ActArray
import ActFiles
import CActKernels
import CActMachine
import ActPlot
import ActSyntax

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

/// The elements of a list value.
package final class List {
    // (The first two are read in C as well: `act_list`.) No access checks: a list is changed by the thread that runs its program alone, and no change
    // calls out.
    @exclusivity(unchecked) package private(set) var elements: [Value]
    /// For how many elements memory is reserved.
    @exclusivity(unchecked) private(set) var room: Int
    @exclusivity(unchecked) package private(set) var depth: Int32
    @exclusivity(unchecked) private var held: Reservation

    /// - Throws: `RuntimeError.tooDeep` past `maximumNesting`.
    package init(_ elements: [Value]) throws {
        var depth: Int32 = 0
        for element in elements { depth = max(depth, element.nesting) }
        guard depth < maximumNesting else { throw RuntimeError.tooDeep }
        held = try Reservation(Self.footprint(elements.count))
        room = elements.count
        self.elements = elements
        self.depth = depth &+ 1
    }

    /// What a list with room for so many elements takes: the object and, apart from it, the array of its elements, each in a piece of the
    /// allocator's sizes.
    private static func footprint(_ room: Int) -> Int { room == 0 ? 64 : 112 &+ room &* 16 }

    deinit { act_empty_list(Unmanaged.passUnretained(self).toOpaque()) }

    package func append(_ value: Value) throws {
        let nesting = value.nesting
        guard nesting < maximumNesting else { throw RuntimeError.tooDeep }
        if elements.count >= room {
            // Room for as many again, and while they move the old and the new place are held.
            let capacity = max(16, 2 &* elements.count)
            var larger = try Reservation(Self.footprint(capacity))
            elements.reserveCapacity(capacity)
            swap(&held, &larger)
            room = capacity
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
    // (Read in C as well, first: `act_record`.) No access checks, as in `List`.
    @exclusivity(unchecked) package private(set) var fields: Fields
    @exclusivity(unchecked) package private(set) var depth: Int32
    @exclusivity(unchecked) private var held: Reservation

    package init(_ fields: Fields) throws {
        var depth: Int32 = 0
        for value in fields.values { depth = max(depth, value.nesting) }
        guard depth < maximumNesting else { throw RuntimeError.tooDeep }
        held = try Reservation(112 &+ fields.count &* Self.fieldFootprint)
        self.fields = fields
        self.depth = depth &+ 1
    }

    deinit { act_empty_record(Unmanaged.passUnretained(self).toOpaque()) }

    /// A field's value; its name belongs to the shape, which counts it.
    private static let fieldFootprint = 16

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
        if let place = fields.place(of: name) {
            fields.put(value, at: place)
        } else {
            // An array that grows has room for as many again.
            try held.grow(by: 2 &* Self.fieldFootprint)
            fields[name] = value
        }
        depth = max(depth, nesting &+ 1)
    }

    /// Takes the field's value out, so that its next holder can change it without a copy; `set` puts it back.
    package func take(_ name: String) -> Value? {
        fields.place(of: name).map { fields.take(at: $0) }
    }

    package func copy() throws -> Record { try Record(fields) }

    func place(of name: String) -> Int? { fields.place(of: name) }

    /// - Parameter value: Known not to be nested too deeply.
    func put(_ value: Value, at place: Int) {
        depth = max(depth, value.nesting &+ 1)
        fields.put(value, at: place)
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
    package static func record(_ fields: Fields) throws -> Value { .record(try Record(fields)) }
    package static func numbers(_ numbers: [Int]) throws -> Value { try .list(numbers.map { .number(Double($0)) }) }

    /// An array as programs see it: of rank 0, and followed by no derivative, it is a number or a bool.
    package init(_ array: NDArray) throws {
        if array.rank == 0 && !array.isTraced {
            if array.isAbstract {
                self = .array(try array.abstractNumber())
                return
            }
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
