// The fields of a record: their names, which records that are made alike share, and their values.
//
// What must stay true: the names of a shape only ever grow in number, so the place of a name in a shape of some id never changes, and
// who has found it once need not look again. A shape that others use as well is not changed: who adds a name makes one of its own first.

import ActArray
import Synchronization

/// The two words of a string. Up to 15 bytes of plain characters stand in them by themselves; the upper four bits say so. (`MachineLayout` sees that
/// the words of this Swift's strings are such.) Those of longer strings are compared only, never followed.
struct ShortName: Equatable {
    private let first: UInt64, second: UInt64

    @inline(__always)
    init(_ string: String) { self = unsafeBitCast(string, to: ShortName.self) }

    @inline(__always)
    var isShort: Bool { second >> 60 == 0xE }

    /// A number for it, the same for equal names.
    @inline(__always)
    var hash: Int { Int(truncatingIfNeeded: ((first ^ second &<< 7) &* 0x9E37_79B9_7F4A_7C15) &>> 40) }
}

/// The names of a record's fields, in the order in which they were made.
package final class RecordShape {
    // (The first four are read in C as well: `act_shape`.)
    /// No other shape has or had it.
    let id = RecordShape.nextID.add(1, ordering: .relaxed).newValue
    /// The words that the names are made of, to be compared at once where they are short.
    @exclusivity(unchecked) private(set) var words: [ShortName]
    // No access checks: only one thread changes a shape, while no other has it.
    @exclusivity(unchecked) private(set) var names: [String]
    @exclusivity(unchecked) private var areAllShort: Bool
    /// Where each name is, once they are many.
    @exclusivity(unchecked) private var places: [String: Int] = [:]
    @exclusivity(unchecked) private var held: Reservation

    /// So many names are compared one after the other sooner than looked up.
    private static let few = 8
    private static let nextID = Atomic<Int>(0)

    /// - Parameter names: Each once.
    init(_ names: [String] = []) {
        self.names = names
        words = names.map(ShortName.init)
        areAllShort = words.allSatisfy(\.isShort)
        held = Reservation(noting: names.reduce(160) { $0 &+ Self.footprint(of: $1) } &+ (names.count > Self.few ? names.count &* Self.placeFootprint : 0))
        if names.count > Self.few { index(from: 0) }
    }

    /// Where a name is, once they are looked up.
    private static let placeFootprint = 32

    /// A name in both arrays, which may have room for as many again; long ones lie apart.
    private static func footprint(of name: String) -> Int { name.utf8.count > 15 ? 160 &+ name.utf8.count : 96 }

    @inline(__always)
    func place(of name: String) -> Int? {
        if names.count > Self.few { return places[name] }
        let word = ShortName(name)
        if word.isShort {
            for index in words.indices where words[index] == word { return index }
            if areAllShort { return nil }
        }
        for index in names.indices where names[index] == name { return index }
        return nil
    }

    /// - Parameter name: One that is not there.
    fileprivate func add(_ name: String) {
        names.append(name)
        words.append(ShortName(name))
        areAllShort = areAllShort && words[words.count - 1].isShort
        let newPlaces = names.count > Self.few ? (places.isEmpty ? names.count : 1) : 0
        held = Reservation(noting: held.bytes &+ Self.footprint(of: name) &+ newPlaces &* Self.placeFootprint)
        if names.count > Self.few { index(from: places.isEmpty ? 0 : names.count - 1) }
    }

    private func index(from first: Int) {
        for index in first..<names.count { places[names[index]] = index }
    }
}

package struct Fields: ExpressibleByDictionaryLiteral {
    // (Both are read in C as well: `act_record`.)
    private(set) var shape: RecordShape
    package private(set) var values: [Value]

    // `unsafe`: nobody changes a shape that has another holder, and this one always has.
    private nonisolated(unsafe) static let noNames = RecordShape()

    package init() { (shape, values) = (Self.noNames, []) }

    package init(minimumCapacity: Int) {
        self.init()
        values.reserveCapacity(minimumCapacity)
    }

    /// - Parameter values: One for each name of the shape.
    init(_ shape: RecordShape, _ values: [Value]) { (self.shape, self.values) = (shape, values) }

    /// Of fields with the same name the last counts.
    package init(_ fields: some Sequence<(String, Value)>) {
        self.init()
        for (name, value) in fields { self[name] = value }
    }

    package init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }

    package var keys: [String] { shape.names }

    /// The field of that name; assigning `nil` changes nothing, for no field ever goes.
    package subscript(name: String) -> Value? {
        get { shape.place(of: name).map { values[$0] } }
        set {
            guard let newValue else { return }
            if let place = shape.place(of: name) {
                values[place] = newValue
            } else {
                if !isKnownUniquelyReferenced(&shape) { shape = RecordShape(shape.names) }
                shape.add(name)
                values.append(newValue)
            }
        }
    }

    func place(of name: String) -> Int? { shape.place(of: name) }

    @inline(__always)
    mutating func put(_ value: Value, at place: Int) { values[place] = value }

    /// Takes a value out, so that its next holder can change it without a copy.
    mutating func take(at place: Int) -> Value {
        let value = values[place]
        values[place] = .none
        return value
    }

    package func mapValues(_ change: (Value) throws -> Value) rethrows -> Fields { Fields(shape, try values.map(change)) }
}

extension Fields: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { values.count }
    package subscript(position: Int) -> (key: String, value: Value) { (shape.names[position], values[position]) }
}
