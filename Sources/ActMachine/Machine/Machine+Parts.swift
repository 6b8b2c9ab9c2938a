// Indexing, fields, and changing parts of a variable in place.

import ActArray
import ActCompiler
import ActSyntax

extension Machine {
    /// A whole number as an index.
    @inline(__always)
    func wholeIndex(_ number: Double) throws -> Int {
        guard number.magnitude < 9e15, number == number.rounded(.towardZero) else { throw ArrayError.indexNotWhole(number) }
        return Int(number)
    }

    func wholeIndex(_ value: Value, of base: Value) throws -> Int {
        switch value {
        case .number(let number): return try wholeIndex(number)
        case .array(let array) where array.rank == 0: return try wholeIndex(array.item())
        default: throw RuntimeError.badKey(value, of: base)
        }
    }

    // MARK: Reading

    /// R[…][R[key]]
    @inline(never)
    func index(_ base: Value, _ key: Int, _ R: Registers) throws -> Value {
        if case .array(let array) = base, case .number(let number) = R[key], array.rank == 1, !array.isTraced {
            let element = try array.element(at: wholeIndex(number))
            return array.type == .bool ? .bool(element != 0) : .number(element)
        }
        if case .array(let array) = base {
            Site.current = currentSite
            return try Value(array.indexed(by: arrayIndex(.value(key), base, R)))
        }
        return try index(base, [.value(key)], R)
    }

    /// R[…][R[first], R[second]]
    @inline(never)
    func index(_ base: Value, _ first: Int, _ second: Int, _ R: Registers) throws -> Value {
        try index(base, [.value(first), .value(second)], R)
    }

    func index(_ base: Value, _ items: [IndexOperand], _ R: Registers) throws -> Value {
        switch base {
        case .array(let array):
            Site.current = currentSite
            if items.count == 1 { return try Value(array.indexed(by: arrayIndex(items[0], base, R))) }
            return try Value(array.indexed(by: arrayIndices(items, base, R)))
        case .list(let list):
            if items.count == 1, case .value(let register) = items[0], let places = try places(R[register], in: list, base) {
                var elements: [Value] = []
                elements.reserveCapacity(places.count)
                try Interrupt.forEachPiece(places.count) { for i in $0 { elements.append(list.elements[places[i]]) } }
                return try .list(elements)
            }
            return try inSequence(items, base, R, count: list.elements.count) {
                list.elements[$0]
            } slice: { range in
                var elements: [Value] = []
                elements.reserveCapacity(range.count)
                try Interrupt.forEachPiece(range.count) { for i in $0 { elements.append(list.elements[range.start + i * range.step]) } }
                return try .list(elements)
            }
        case .string(let text):
            return try inSequence(items, base, R, count: text.count()) {
                try .string(Text(text.character(at: $0), origins: text.origins))
            } slice: {
                try .string(Text(text.characters(at: $0), origins: text.origins))
            }
        case .record(let record):
            guard items.count == 1, case .value(let register) = items[0], case .string(let name) = R[register] else {
                if case .value(let register)? = items.first { throw RuntimeError.badKey(R[register], of: base) }
                throw RuntimeError.cannotIndex(base)
            }
            guard let value = record[name.string] else { throw RuntimeError.noField(name.string, of: base) }
            return value
        case .function(let function):
            guard items.count == 1 else { throw RuntimeError.cannotIndex(base) }
            if case .slice = items[0], let elements = try function.elements {
                return try inSequence(
                    items, base, R, count: elements.count, element: { elements[$0] },
                    slice: { range in
                        guard let parts = try function.slice(range) else { throw RuntimeError.cannotIndex(base) }
                        return parts
                    })
            }
            guard case .value(let register) = items[0] else { throw RuntimeError.cannotIndex(base) }
            guard let part = try function.part(at: wholeIndex(R[register], of: base)) else { throw RuntimeError.cannotIndex(base) }
            return part
        default: throw RuntimeError.cannotIndex(base)
        }
    }

    /// The positions that a mask or an array of positions chooses of a list; `nil` for what is one index.
    private func places(_ key: Value, in list: List, _ base: Value) throws -> [Int]? {
        let count = list.elements.count
        var chosen: NDArray
        switch key {
        case .array(let array) where array.rank == 1: chosen = array
        case .list(let keys) where keys.elements.isEmpty: return []
        case .list(let keys): chosen = try array(of: keys, for: base)
        default: return nil
        }
        guard chosen.rank == 1 else { throw RuntimeError.badKey(key, of: base) }
        if chosen.isTraced { chosen = try chosen.detached() }
        // The positions, and what the caller makes of them.
        try MemoryPool.allow(chosen.count &* (2 * MemoryLayout<Int>.stride + MemoryLayout<Value>.stride))
        let numbers = try chosen.toDoubles()
        if chosen.type == .bool {
            guard numbers.count == count else { throw RuntimeError.maskOfList(mask: numbers.count, count: count) }
            return numbers.indices.filter { numbers[$0] != 0 }
        }
        return try numbers.map { try position(wholeIndex($0), count, of: base.typeName) }
    }

    private func inSequence(
        _ items: [IndexOperand], _ base: Value, _ R: Registers, count: Int,
        element: (Int) throws -> Value, slice: (SliceRange) throws -> Value
    ) throws -> Value {
        guard items.count == 1, let item = items.first else { throw ArrayError.tooManyIndices(given: items.count, rank: 1) }
        switch item {
        case .value(let register):
            let index = try wholeIndex(R[register], of: base)
            return try element(position(index, count, of: base.typeName))
        case .slice(let start, let stop, let step):
            return try slice(NDArray.sliceRange(start: bound(start, base, R), stop: bound(stop, base, R), step: bound(step, base, R), size: count))
        case .ellipsis: throw RuntimeError.cannotIndex(base)
        }
    }

    /// A position counted from the end when negative.
    func position(_ index: Int, _ count: Int, of kind: String) throws -> Int {
        let position = index < 0 ? index + count : index
        guard position >= 0, position < count else { throw RuntimeError.positionOutOfRange(index: index, size: count, of: kind) }
        return position
    }

    private func bound(_ register: Int?, _ base: Value, _ R: Registers) throws -> Int? {
        guard let register else { return nil }
        switch R[register] {
        case .none: return nil
        case .number(let number) where number == .infinity: return Int.max
        case .number(let number) where number == -.infinity: return Int.min + 1
        default: return try wholeIndex(R[register], of: base)
        }
    }

    private func arrayIndices(_ items: [IndexOperand], _ base: Value, _ R: Registers) throws -> [NDArray.Index] {
        try items.map { try arrayIndex($0, base, R) }
    }

    private func arrayIndex(_ item: IndexOperand, _ base: Value, _ R: Registers) throws -> NDArray.Index {
        switch item {
        case .ellipsis: return .ellipsis
        case .slice(let start, let stop, let step): return try .slice(start: bound(start, base, R), stop: bound(stop, base, R), step: bound(step, base, R))
        case .value(let register):
            switch R[register] {
            case .none: return .newAxis
            case .number(let number): return .integer(try wholeIndex(number))
            case .array(let array) where array.rank == 0: return .integer(try wholeIndex(array.item()))
            case .array(let array): return .array(array.isTraced && !NDArray.followsPositions ? try array.detached() : array)
            case .bool(let bool): return .array(try NDArray(bools: [bool], shape: []))
            case .list(let list): return .array(try array(of: list, for: base))
            default: throw RuntimeError.badKey(R[register], of: base)
            }
        }
    }

    private func array(of list: List, for base: Value) throws -> NDArray {
        guard case .array(let array) = try makeArray(list.elements) else { throw RuntimeError.badKey(.list(list), of: base) }
        return array
    }

    package func field(_ value: Value, _ name: String) throws -> Value {
        switch value {
        case .record(let record):
            if let field = record.field(name) { return field }
        case .array(let array):
            if let attribute = ArrayAttribute(rawValue: name) { return try attribute.value(of: array) }
        case .number, .bool:
            if let attribute = ArrayAttribute(rawValue: name) { return try attribute.value(of: .scalar(value.asNumberIfBool.number ?? 0, type: .f64)) }
        case .function(let function):
            if let field = try function.field(name) { return field }
        default: break
        }
        throw RuntimeError.noField(name, of: value)
    }

    // MARK: Writing

    func update(_ update: PathUpdate, _ R: Registers, _ globals: UnsafeMutablePointer<Value>) throws {
        let value = update.takesValue ? R.take(update.value) : R[update.value]
        Site.current = currentSite
        switch update.root {
        case .register(let register): try modify(&R[register], update.path[...], update.operation, value, R)
        case .global(let slot):
            if case .undefined = globals[slot], let frame = frames.last {
                throw RuntimeError.unknownName(frame.code._withUnsafeGuaranteedRef { $0.module.names[slot] })
            }
            try modify(&globals[slot], update.path[...], update.operation, value, R)
        }
    }

    /// Changes what `path` leads to inside `slot`. The slot gives its value up first, so that nothing is copied that nobody else sees; where that
    /// ends early, by Ctrl-C, it has it again.
    private func modify(_ slot: inout Value, _ path: ArraySlice<PathUpdate.Step>, _ operation: BinaryOperator?, _ value: Value, _ R: Registers) throws {
        guard let step = path.first else {
            guard let operation else {
                slot = value
                return
            }
            let old = slot
            slot = .none
            do { slot = try binary(operation, old, value) } catch {
                slot = old
                throw error
            }
            return
        }
        let rest = path.dropFirst()
        switch step {
        case .index(let items): try modify(&slot, at: items, rest, operation, value, R)
        case .field(let name): try modify(&slot, field: name, isName: true, rest, operation, value, R)
        }
    }

    // Each of the following binds what the slot holds with `var`, then empties the slot, so that the binding is the only reference
    // unless somebody else sees the value.

    private func modify(
        _ slot: inout Value, at items: [IndexOperand], _ rest: ArraySlice<PathUpdate.Step>, _ operation: BinaryOperator?, _ value: Value, _ R: Registers
    ) throws {
        if case .array = slot { return try modifyArray(&slot, items, rest, operation, value, R) }
        if case .string = slot { throw RuntimeError.cannotChange(slot) }
        guard items.count == 1, case .value(let register) = items[0] else { throw RuntimeError.cannotIndex(slot) }
        if case .record = slot, case .string(let name) = R[register] {
            return try modify(&slot, field: name.string, isName: false, rest, operation, value, R)
        }
        let whole = try wholeIndex(R[register], of: slot)
        if case .list(var list) = slot {
            let index = try position(whole, list.elements.count, of: "list")
            slot = .none
            defer { slot = .list(list) }
            if !isKnownUniquelyReferenced(&list) { list = try list.copy() }
            var element = list.take(at: index)
            do { try modify(&element, rest, operation, value, R) } catch {
                list.put(element, at: index)
                throw error
            }
            try list.replace(at: index, with: element)
        } else if case .function(let function) = slot, var part = try function.part(at: whole) {
            try modify(&part, rest, operation, value, R)
            slot = .function(try function.replacing(part: whole, with: part))
        } else {
            throw RuntimeError.cannotIndex(slot)
        }
    }

    /// - Parameter isName: whether the program names the field; a text between brackets is the key itself.
    private func modify(
        _ slot: inout Value, field name: String, isName: Bool, _ rest: ArraySlice<PathUpdate.Step>, _ operation: BinaryOperator?, _ value: Value, _ R: Registers
    ) throws {
        if case .record(var record) = slot {
            var name = name
            let isUpdate = !rest.isEmpty || operation != nil
            if record[name] == nil {
                if isUpdate || isName, let key = record.key(name) { name = key } else if isUpdate { throw RuntimeError.noField(name, of: slot) }
            }
            slot = .none
            defer { slot = .record(record) }
            if !isKnownUniquelyReferenced(&record) { record = try record.copy() }
            let place = record.place(of: name)
            var field = record.take(name) ?? .none
            do { try modify(&field, rest, operation, value, R) } catch {
                if let place { record.put(field, at: place) }
                throw error
            }
            try record.set(name, to: field)
        } else if case .function(let function) = slot, var field = try function.field(name) {
            try modify(&field, rest, operation, value, R)
            slot = .function(try function.replacing(field: name, with: field))
        } else {
            throw RuntimeError.noField(name, of: slot)
        }
    }

    private func modifyArray(
        _ slot: inout Value, _ items: [IndexOperand], _ rest: ArraySlice<PathUpdate.Step>,
        _ operation: BinaryOperator?, _ value: Value, _ R: Registers
    ) throws {
        let indices = try arrayIndices(items, slot, R)
        var new = value
        if !rest.isEmpty || operation != nil {
            // a[i][j] = v and a[i] += v: the part is changed, then put back.
            new = try index(slot, items, R)
            try modify(&new, rest, operation, value, R)
        }
        if case .list(let list) = new { new = try makeArray(list.elements) }
        guard case .array(var array) = slot else { return }
        slot = .none
        defer { slot = .array(array) }
        if indices.count == 1, case .integer(let index) = indices[0], case .number(let number) = new, array.rank == 1, !array.isTraced {
            try array.setElement(number, at: index)
        } else {
            switch new {
            case .number, .bool, .array: try array.assign(new.operand(), at: indices)
            default: throw RuntimeError.cannotStore(new)
            }
        }
    }
}

/// What an array answers after a point.
package enum ArrayAttribute: String, CaseIterable {
    case shape, size, ndim, dtype
    case transpose = "T"

    package static var names: [String] { allCases.map(\.rawValue) }

    func value(of array: NDArray) throws -> Value {
        switch self {
        case .shape: try .numbers(array.shape)
        case .size: .number(Double(array.count))
        case .ndim: .number(Double(array.rank))
        case .dtype: .string(array.type.name)
        case .transpose: try Value(array.transposed(nil))
        }
    }
}

extension Value {
    package var number: Double? {
        if case .number(let number) = self { return number }
        return nil
    }
}
