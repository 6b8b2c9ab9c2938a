// Structures leaf by leaf: what elementwise functions, `scan`, `vmap`, `stack` and `flatten` see of records, lists and networks.
//
// What must stay true: leaves are numbers and arrays. Bools, texts, functions without parameters and none are not leaves: they stay what they are.

import ActArray

/// Leaves one after the other. Lists that hold one list many times have many more of them than a program makes arrays: what holds them counts
/// toward the limit.
package struct Leaves: ~Copyable {
    package private(set) var arrays: [NDArray] = []
    private var held = Reservation()

    package init() {}

    /// - Throws: `ArrayError.outOfMemory`.
    package mutating func append(_ array: NDArray) throws {
        if arrays.count == arrays.capacity {
            let larger = max(16, 2 &* arrays.count)
            try held.grow(by: (larger &- arrays.count) &* MemoryLayout<NDArray>.stride)
            arrays.reserveCapacity(larger)
        }
        arrays.append(array)
    }

    /// Their elements along one axis.
    package func joined() throws -> NDArray {
        try NDArray.concatenated(arrays.map { try $0.reshaped(to: [$0.count]) })
    }
}

extension Value {
    /// Whether there may be leaves inside it.
    package var isStructure: Bool {
        get throws {
            switch self {
            case .list, .record: true
            case .function(let function): try function.parameterValues() != nil
            default: false
            }
        }
    }

    /// The same structure with `change` of each leaf.
    /// - Parameter resizing: Whether the parameters of networks may change their shapes, as those of stacked networks do.
    package func mappingLeaves(resizing: Bool = false, _ change: (Value) throws -> Value) throws -> Value {
        try Interrupt.check()
        switch self {
        case .number, .array: return try change(self)
        case .list(let list): return try .list(list.elements.map { try $0.mappingLeaves(resizing: resizing, change) })
        case .record(let record): return try .record(record.fields.mapValues { try $0.mappingLeaves(resizing: resizing, change) })
        case .function(let function):
            if resizing, let arrays = function.parameterArrays {
                return try .function(function.replacing(parameterArrays: arrays.map { try change(.array($0)).point() }))
            }
            guard let parameters = try function.parameterValues() else { return self }
            return try .function(function.replacing(parameters: parameters.mappingLeaves(change)))
        default: return self
        }
    }

    /// `change` of the leaves at each place of several values. The first of them that is a structure leads: the result has its structure, and
    /// keeps what is not a leaf there. Others have the same structure, or are one value that meets every leaf.
    /// - Throws: `RuntimeError.structuresDiffer`.
    package static func leafwise(_ values: [Value], _ change: ([Value]) throws -> Value) throws -> Value {
        guard let lead = try values.firstIndex(where: { try $0.isStructure }) else { return try change(values) }
        return try leafwise(values, lead, change)
    }

    private static func leafwise(_ values: [Value], _ lead: Int, _ change: ([Value]) throws -> Value) throws -> Value {
        try Interrupt.check()
        /// The values at a part of the leading one.
        func part(_ part: Value, _ other: (Value) throws -> Value) throws -> Value {
            try leafwise(values.enumerated().map { try $0 == lead ? part : $1.isStructure ? other($1) : $1 }, lead, change)
        }
        switch values[lead] {
        case .number, .array: return try change(values)
        case .list(let list):
            return try .list(
                list.elements.enumerated().map { index, element in
                    try part(element) { other in
                        guard case .list(let match) = other, match.elements.count == list.elements.count else {
                            throw RuntimeError.structuresDiffer(.list(list.elements.count, beside: other))
                        }
                        return match.elements[index]
                    }
                })
        case .record(let record):
            var fields = record.fields
            for (name, field) in record.fields {
                fields[name] = try part(field) { other in
                    guard case .record(let match) = other, match.fields.count == record.fields.count, let value = match[name] else {
                        throw RuntimeError.structuresDiffer(.field(name, beside: other))
                    }
                    return value
                }
            }
            return try .record(fields)
        case .function(let function):
            guard let parameters = try function.parameterValues() else { return values[lead] }
            let changed = try part(parameters) { other in
                guard case .function(let match) = other, let value = try match.parameterValues() else { return other }
                try function.requireSettings(of: match)
                return value
            }
            return try .function(function.replacing(parameters: changed))
        default: return values[lead]
        }
    }

    /// Appends the leaves, those of networks too; bools count as leaves where it is asked for.
    /// - Throws: `ArrayError.outOfMemory`.
    package func gatherLeaves(into leaves: inout Leaves, bools: Bool = false) throws {
        try Interrupt.check()
        switch self {
        case .number: try leaves.append(point())
        case .array(let array): try leaves.append(array)
        case .bool(let bool): if bools { try leaves.append(NDArray(bools: [bool], shape: [])) }
        case .list(let list): for element in list.elements { try element.gatherLeaves(into: &leaves, bools: bools) }
        case .record(let record): for field in record.fields.values { try field.gatherLeaves(into: &leaves, bools: bools) }
        case .function(let function): try function.parameterValues()?.gatherLeaves(into: &leaves, bools: bools)
        default: break
        }
    }

    /// All leaves one after the other, along one axis.
    package func flattened(bools: Bool = false) throws -> NDArray {
        var leaves = Leaves()
        try gatherLeaves(into: &leaves, bools: bools)
        if leaves.arrays.isEmpty { return try NDArray([], shape: [0]) }
        return try leaves.joined()
    }

    /// Values of one structure joined along a new axis of every leaf; bools make arrays too.
    /// - Throws: `RuntimeError.structuresDiffer`, `cannot`; `ArrayError.shapesDiffer`.
    package static func stacked(_ values: [Value], axis: Int = 0) throws -> Value {
        try Interrupt.check()
        guard let first = values.first else { return .array(try NDArray([], shape: [0])) }
        func differ(_ other: Value?) -> RuntimeError { .structuresDiffer(.kinds(first, other)) }
        switch first {
        case .number, .bool, .array:
            return try .array(
                NDArray.stacked(
                    values.map { value in
                        switch value {
                        case .bool(let bool): return try NDArray(bools: [bool], shape: [])
                        case .number, .array: return try value.point()
                        default: throw differ(value)
                        }
                    }, axis: axis))
        case .list(let list):
            let lists = try values.map { value in
                guard case .list(let other) = value, other.elements.count == list.elements.count else { throw differ(value) }
                return other.elements
            }
            return try .list(list.elements.indices.map { index in try stacked(lists.map { $0[index] }, axis: axis) })
        case .record(let record):
            let records = try values.map { value in
                guard case .record(let other) = value, other.fields.count == record.fields.count else { throw differ(value) }
                return other
            }
            var fields = record.fields
            for name in record.fields.keys {
                fields[name] = try stacked(
                    records.map { record in
                        guard let value = record[name] else { throw RuntimeError.structuresDiffer(.fieldOfOne(name)) }
                        return value
                    }, axis: axis)
            }
            return try .record(fields)
        case .none:
            guard values.allSatisfy({ if case .none = $0 { true } else { false } }) else { throw differ(values.first { $0.kind != first.kind }) }
            return .none
        case .function(let function):
            guard let own = function.parameterArrays else { fallthrough }
            let all = try values.map { value in
                guard case .function(let other) = value, let arrays = other.parameterArrays, arrays.count == own.count else { throw differ(value) }
                try function.requireSettings(of: other)
                return arrays
            }
            return try .function(function.replacing(parameterArrays: own.indices.map { index in try NDArray.stacked(all.map { $0[index] }, axis: axis) }))
        default: throw MachineRefusal.notStackable(first)
        }
    }

    /// How long the arrays in it are along an axis, which is the same for all.
    /// - Parameter place: The argument that it is.
    package func length(along axis: Int, as place: MachineRefusal.ArgumentPlace) throws -> Int {
        var leaves = Leaves()
        try gatherLeaves(into: &leaves)
        guard !leaves.arrays.isEmpty else { throw MachineRefusal.nothingToGoAlong(place, self) }
        var length: Int?
        for leaf in leaves.arrays {
            guard leaf.rank > 0 else { throw MachineRefusal.numberToGoAlong(place) }
            let size = leaf.shape[try position(of: axis, in: leaf)]
            guard length ?? size == size else { throw MachineRefusal.unequalAlong(place, length ?? 0, size, axis: axis) }
            length = size
        }
        return length ?? 0
    }

    /// The same structure with element `index` along an axis of every array in it.
    package func taking(_ index: Int, along axis: Int) throws -> Value {
        try mappingLeaves(resizing: true) { leaf in
            guard case .array(let array) = leaf else { return leaf }
            let all = NDArray.Index.slice(start: nil, stop: nil, step: nil)
            return try Value(array.indexed(by: [NDArray.Index](repeating: all, count: position(of: axis, in: array)) + [.integer(index)]))
        }
    }

    private func position(of axis: Int, in array: NDArray) throws -> Int {
        let position = axis < 0 ? axis &+ array.rank : axis
        guard position >= 0, position < array.rank else { throw ArrayError.axisOutOfRange(axis: axis, rank: array.rank) }
        return position
    }
}

extension Structure {
    /// The value of this structure with the given values at its leaves, which are taken from the front; of networks the parameters.
    func nested(_ values: inout ArraySlice<Value>) throws -> Value {
        switch self {
        case .number, .array: return values.popFirst() ?? .none
        case .list(let parts): return try .list(parts.elements.map { try $0.nested(&values) })
        case .record(let fields):
            var record = Fields()
            for field in fields.elements { record[field.name] = try field.value.nested(&values) }
            return try .record(record)
        case .network(_, let parameters): return try parameters.nested(&values)
        case .constant: return .none
        }
    }
}
