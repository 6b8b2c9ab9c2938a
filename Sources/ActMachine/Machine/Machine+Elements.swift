// Elements and fields: what the loop does by itself with parts of values that `act_run` has left.
//
// What must stay true: every function here says whether it has done all of the instruction; where it has not, nothing has happened, and the
// long way (`Machine+Parts`) does the whole and finds the words for what is wrong. Values are written in place only through a register
// that holds the only reference.

import ActArray
import ActCompiler
import CActKernels
import CActMachine

extension UnsafeMutablePointer where Pointee == Value {
    /// Whether the object here, of that type, is held by nobody else.
    @inline(__always)
    func holdsAlone<Object: AnyObject>(_: Object.Type) -> Bool {
        isKnownUniquelyReferenced(&UnsafeMutableRawPointer(self).assumingMemoryBound(to: Object.self).pointee)
    }

    // MARK: Reading

    /// The register may have held what the value was part of, so it is assigned once the value stands by itself.
    @inline(__always)
    private func replace(with part: Value?) -> Bool {
        guard let part else { return false }
        if case .number(let number) = part { set(number) } else { pointee = part }
        return true
    }

    /// Assigns the letter of a plain text at an index.
    @inline(__always)
    func setElement(of text: Unmanaged<Text>, at key: Double) -> Bool {
        replace(with: text._withUnsafeGuaranteedRef { $0.letter(at: key) })
    }

    /// Assigns the field of a record that a text names.
    @inline(__always)
    func setField(of record: Unmanaged<Record>, _ name: Unmanaged<Text>) -> Bool {
        replace(
            with: record._withUnsafeGuaranteedRef { record in
                name._withUnsafeGuaranteedRef { record.place(of: $0.string) }.map { record.fields.values[$0] }
            })
    }

    // MARK: Writing

    /// Changes the element of a list, or the field of a record, that is here, as the key says.
    func changePart(
        at key: UnsafeMutablePointer<Value>, _ operation: Instruction.Change, _ value: UnsafeMutablePointer<Value>, isLast: Bool
    ) -> Bool {
        if listReference != nil { return key.isNumber && changeElementOfList(at: key.payload, operation, value, isLast: isLast) }
        guard recordReference != nil, let name = key.textReference else { return false }
        return changeField(name, operation, value, isLast: isLast)
    }

    /// Changes an element of the list here: `value` takes its place, or what the operation makes of both.
    /// - Parameter isLast: Whether the value may be taken away.
    private func changeElementOfList(at key: Double, _ operation: Instruction.Change, _ value: UnsafeMutablePointer<Value>, isLast: Bool) -> Bool {
        // A list that is put into itself is held twice.
        guard value != self, let list = listReference, holdsAlone(List.self) else { return false }
        return list._withUnsafeGuaranteedRef { list in
            let position = act_position(key, Int64(list.elements.count))
            if position < 0 { return false }
            if case .store = operation {
                guard value.pointee.nesting < maximumNesting else { return false }
                list.put(isLast ? value.take(0) : value.pointee, at: Int(position))
                return true
            }
            guard value.isNumber, case .number(let old) = list.elements[Int(position)], let result = operation.result(old, value.payload) else { return false }
            list.put(.number(result), at: Int(position))
            return true
        }
    }

    // MARK: Fields

    /// Changes a field of the record here that is there already: `value` takes its place, or what the operation makes of both.
    func changeField(_ name: Unmanaged<Text>, _ operation: Instruction.Change, _ value: UnsafeMutablePointer<Value>, isLast: Bool) -> Bool {
        // A record that is put into itself is held twice.
        guard value != self, let record = recordReference, holdsAlone(Record.self) else { return false }
        return record._withUnsafeGuaranteedRef { record in
            guard let place = name._withUnsafeGuaranteedRef({ record.place(of: $0.string) }) else { return false }
            if case .store = operation {
                guard value.pointee.nesting < maximumNesting else { return false }
                record.put(isLast ? value.take(0) : value.pointee, at: place)
                return true
            }
            guard value.isNumber, case .number(let old) = record.fields.values[place], let result = operation.result(old, value.payload) else { return false }
            record.put(.number(result), at: place)
            return true
        }
    }
}

extension Machine {
    /// Makes an array that the other half copies the next row of the matrix in a place into.
    /// - Returns: Whether it can: where the rows have few elements, without gaps, and no derivative follows them.
    func layByForRow(of base: Registers) -> Bool {
        guard case .array(let matrix) = base.pointee, matrix.rank == 2, matrix.node.elements != nil, !matrix.isTraced else { return false }
        let columns = matrix.shape[1]
        guard columns > 0, columns <= act_few else { return false }
        if let array = try? NDArray.uninitialized(shape: [columns], type: matrix.type) { layBy(array.node, at: columns & Int(act_spare_count - 1)) }
        return true
    }

    /// Puts an array, or none, in a place of those that have been given up.
    func layBy(_ node: Node?, at index: Int) {
        let place = state.pointee.spares + index
        if let old = place.pointee { Unmanaged<Node>.fromOpaque(old).release() }
        place.pointee = node.map { Unmanaged.passRetained($0).toOpaque() }
    }
}

extension Text {
    @inline(__always)
    static func areEqual(_ x: Unmanaged<Text>, _ y: Unmanaged<Text>) -> Bool {
        x.toOpaque() == y.toOpaque() || x._withUnsafeGuaranteedRef { x in y._withUnsafeGuaranteedRef { y in x.string == y.string } }
    }
}

extension Value {
    /// Puts a text at the end of this one in place.
    /// - Returns: Whether nobody else saw it; else nothing has happened.
    mutating func append(_ addition: Text) throws -> Bool {
        try withUnsafeMutablePointer(to: &self) { place in
            guard place.holdsAlone(Text.self), let text = place.textReference else { return false }
            try text._withUnsafeGuaranteedRef { try $0.append(addition) }
            return true
        }
    }
}

extension UnsafeMutablePointer where Pointee == Value {
    /// Puts something at the end of the list or vector here in place.
    func extend(by addition: UnsafeMutablePointer<Value>, isLast: Bool, _ kind: Extension) throws -> Bool {
        // (To look into the value with a pattern could hold it, and then it would not be alone.)
        if let list = listReference {
            guard addition != self, holdsAlone(List.self) else { return false }
            switch kind {
            case .listOfValue, .element: try list._withUnsafeGuaranteedRef { try $0.append(isLast ? addition.take(0) : addition.pointee) }
            case .value:
                guard case .list(let more) = addition.pointee else { return false }
                try list._withUnsafeGuaranteedRef { try $0.append(contentsOf: more) }
            case .arrayOfValue: return false
            }
            return true
        }
        guard arrayReference != nil, kind == .arrayOfValue || kind == .element, addition.isNumber else { return false }
        return try UnsafeMutableRawPointer(self).assumingMemoryBound(to: NDArray.self).pointee.append(addition.payload)
    }
}
