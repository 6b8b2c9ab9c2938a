// Values as arrays in a structure: what gradients, parameter arithmetic and saving see of numbers, arrays, lists, records and networks.

import ActArray

extension Machine {
    /// The same structure with `f` of each array.
    package func mapped(_ value: Value, _ f: Function) throws -> Value {
        try Interrupt.check()
        switch value {
        case .array: return try call(f, Arguments([value]))
        case .list(let list): return try .list(list.elements.map { try mapped($0, f) })
        case .record(let record): return try .record(record.fields.mapValues { try mapped($0, f) })
        default: return value
        }
    }
}

/// The shape of a value without its numbers and arrays.
package indirect enum Structure {
    case number
    case array
    case list(Parts<Structure>)
    case record(Parts<(name: String, value: Structure)>)
    case network(Function, Structure)
    /// Something that no derivative is taken in: a string, a bool, none.
    case constant(Value)

    /// What one list or record of a structure holds. A list that a value holds many times is written out each time, so that short programs
    /// make large structures: they count toward the limit, each part with its place among the leaves.
    package struct Parts<Element> {
        package let elements: [Element]
        private let held = SharedReservation()

        /// - Throws: `ArrayError.outOfMemory`.
        package init(_ elements: [Element]) throws {
            // The objects around the parts, and around each of them.
            try held.grow(by: 144 &+ elements.count &* (MemoryLayout<Element>.stride &+ MemoryLayout<NDArray>.stride &+ 48))
            self.elements = elements
        }
    }

    /// Takes `value` apart; its numbers (of rank 0) and arrays are appended to `leaves` in order.
    /// - Throws: `ArrayError.outOfMemory`.
    package init(_ value: Value, leaves: inout [NDArray]) throws {
        // Lists that hold one list many times make short programs for endless walks: every walk over values asks.
        try Interrupt.check()
        switch value {
        case .number(let number):
            leaves.append(try NDArray.scalar(number, type: .f64))
            self = .number
        case .array(let array) where array.type != .bool:
            leaves.append(array)
            self = .array
        case .list(let list): self = .list(try Parts(list.elements.map { try Structure($0, leaves: &leaves) }))
        case .record(let record): self = .record(try Parts(record.fields.map { ($0.key, try Structure($0.value, leaves: &leaves)) }))
        case .function(let function):
            if let parameters = try function.parameterValues() {
                self = .network(function, try Structure(parameters, leaves: &leaves))
            } else {
                self = .constant(value)
            }
        default: self = .constant(value)
        }
    }

    /// The value of this structure with the given leaves, which are taken from the front.
    package func value(_ leaves: inout ArraySlice<NDArray>) throws -> Value {
        try Interrupt.check()
        switch self {
        case .number, .array: return try leaves.popFirst().map { try Value($0) } ?? .none
        case .list(let parts): return try .list(parts.elements.map { try $0.value(&leaves) })
        case .record(let fields):
            var values = Fields()
            for field in fields.elements { values[field.name] = try field.value.value(&leaves) }
            return try .record(values)
        case .network(let function, let parameters): return .function(try function.replacing(parameters: parameters.value(&leaves)))
        case .constant(let value): return value
        }
    }

    /// The same with every constant gone: a gradient has none there.
    func withoutConstants() throws -> Structure {
        switch self {
        case .number, .array: self
        case .list(let parts): try .list(Parts(parts.elements.map { try $0.withoutConstants() }))
        case .record(let fields): try .record(Parts(fields.elements.map { ($0.name, try $0.value.withoutConstants()) }))
        case .network(let function, let parameters): .network(function, parameters)
        case .constant: .constant(.none)
        }
    }
}
