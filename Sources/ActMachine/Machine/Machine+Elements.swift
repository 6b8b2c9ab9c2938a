// Elements and fields for those in a hurry: what the loop does by itself with the parts of arrays, lists, texts and records.
//
// What must stay true: every function here says whether it has done all of the instruction; where it has not, nothing has happened, and the
// long way (`Machine+Parts`) does the whole and finds the words for what is wrong. Values are written in place only through a register
// that holds the only reference.

import ActArray
import CActKernels

extension UnsafeMutablePointer where Pointee == Value {
    // MARK: What is here, not retained

    @inline(__always)
    var arrayReference: Unmanaged<Node>? {
        if case .array(let array) = pointee { return .passUnretained(array.node) }
        return nil
    }

    @inline(__always)
    var listReference: Unmanaged<List>? {
        if case .list(let list) = pointee { return .passUnretained(list) }
        return nil
    }

    @inline(__always)
    var recordReference: Unmanaged<Record>? {
        if case .record(let record) = pointee { return .passUnretained(record) }
        return nil
    }

    @inline(__always)
    var textReference: Unmanaged<Text>? {
        if case .string(let text) = pointee { return .passUnretained(text) }
        return nil
    }

    @inline(__always)
    var gatheringReference: Unmanaged<Gathering>? {
        if case .gathering(let gathering) = pointee { return .passUnretained(gathering) }
        return nil
    }

    /// Whether the object here, of that type, is held by nobody else.
    @inline(__always)
    func holdsAlone<Object: AnyObject>(_: Object.Type) -> Bool {
        isKnownUniquelyReferenced(&UnsafeMutableRawPointer(self).assumingMemoryBound(to: Object.self).pointee)
    }

    // MARK: Reading

    /// Assigns the element of a vector at an index.
    @inline(__always)
    func setElement(of node: Unmanaged<Node>, at key: Double) -> Bool {
        node._withUnsafeGuaranteedRef { node in
            guard let elements = node.elements else { return false }
            let position = act_position(key, Int64(node.length))
            if position < 0 { return false }
            setElement(elements, node.type, Int(position))
            return true
        }
    }

    /// Assigns the element of a matrix at two indices.
    @inline(__always)
    func setElement(of node: Unmanaged<Node>, at row: Double, _ column: Double) -> Bool {
        node._withUnsafeGuaranteedRef { node in
            guard let elements = node.elements, let position = node.position(row, column) else { return false }
            setElement(elements, node.type, position)
            return true
        }
    }

    @inline(__always)
    private func setElement(_ elements: UnsafeMutableRawPointer, _ type: ElementType, _ position: Int) {
        switch type {
        case .f64: set(elements.assumingMemoryBound(to: Double.self)[position])
        case .f32: set(Double(elements.assumingMemoryBound(to: Float.self)[position]))
        case .bool: pointee = .bool(elements.assumingMemoryBound(to: UInt8.self)[position] != 0)
        }
    }

    /// Assigns the element of a list at an index.
    @inline(__always)
    func setElement(of list: Unmanaged<List>, at key: Double) -> Bool {
        let element: Value? = list._withUnsafeGuaranteedRef { list in
            let position = act_position(key, Int64(list.elements.count))
            return position < 0 ? nil : list.elements[Int(position)]
        }
        return replace(with: element)
    }

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

    // MARK: Writing

    /// Changes an element of the vector or list here: `value` takes its place, or what the operation makes of both.
    /// - Parameter isLast: Whether the value may be taken away.
    @inline(__always)
    func changeElement(at key: Double, _ operation: Instruction.Change, _ value: UnsafeMutablePointer<Value>, isLast: Bool) -> Bool {
        if let node = arrayReference {
            guard let number = value.plainNumber, let elements = node._withUnsafeGuaranteedRef({ $0.elements }) else { return false }
            let position = act_position(key, Int64(node._withUnsafeGuaranteedRef { $0.length }))
            return position >= 0 && changeElement(node, elements, Int(position), operation, number)
        }
        if listReference == nil { return false }
        return changeElementOfList(at: key, operation, value, isLast: isLast)
    }

    /// Changes an element of the matrix here.
    @inline(__always)
    func changeElement(at row: Double, _ column: Double, _ operation: Instruction.Change, _ value: UnsafeMutablePointer<Value>) -> Bool {
        guard let number = value.plainNumber, let node = arrayReference, let elements = node._withUnsafeGuaranteedRef({ $0.elements }),
            let position = node._withUnsafeGuaranteedRef({ $0.position(row, column) })
        else { return false }
        return changeElement(node, elements, position, operation, number)
    }

    /// The number here; 0 or 1 of a bool.
    @inline(__always)
    private var plainNumber: Double? {
        switch pointee {
        case .number(let number): number
        case .bool(let bool): bool ? 1 : 0
        default: nil
        }
    }

    @inline(__always)
    private func changeElement(
        _ node: Unmanaged<Node>, _ elements: UnsafeMutableRawPointer, _ position: Int, _ operation: Instruction.Change, _ value: Double
    ) -> Bool {
        guard holdsAlone(Node.self), node._withUnsafeGuaranteedRef({ $0.isOnlyUserOfStorage }) else { return false }
        switch node._withUnsafeGuaranteedRef({ $0.type }) {
        case .f64:
            let element = elements.assumingMemoryBound(to: Double.self) + position
            guard let result = operation.result(element.pointee, value) else { return false }
            element.pointee = result
        case .f32:
            let element = elements.assumingMemoryBound(to: Float.self) + position
            guard let result = operation.result(Double(element.pointee), value) else { return false }
            let narrow = Float(result)
            // What becomes infinite on the way has to warn.
            guard narrow.isFinite || !result.isFinite else { return false }
            element.pointee = narrow
        case .bool:
            guard case .store = operation else { return false }
            elements.assumingMemoryBound(to: UInt8.self)[position] = value != 0 ? 1 : 0
        }
        return true
    }

    private func changeElementOfList(at key: Double, _ operation: Instruction.Change, _ value: UnsafeMutablePointer<Value>, isLast: Bool) -> Bool {
        // A list that is put into itself is held twice.
        guard value != self, holdsAlone(List.self), let list = listReference else { return false }
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

    /// Assigns the field of a record.
    /// - Parameter place: Where it was found the last time; afterwards where it is.
    @inline(__always)
    func setField(of record: Unmanaged<Record>, _ name: Unmanaged<Text>, _ place: inout UInt16) -> Bool {
        let value: Value? = record._withUnsafeGuaranteedRef { record in
            name._withUnsafeGuaranteedRef { name in
                if record.hasField(name.string, at: Int(place)) { return record.value(at: Int(place)) }
                guard let found = record.place(of: name.string) else { return nil }
                place = UInt16(truncatingIfNeeded: found)
                return record.value(at: found)
            }
        }
        return replace(with: value)
    }

    /// Changes a field of the record here, that is there already.
    /// - Parameter place: Where it was found the last time.
    @inline(__always)
    func changeField(_ name: Unmanaged<Text>, at place: Int, _ operation: Instruction.Change, _ value: UnsafeMutablePointer<Value>, isLast: Bool) -> Bool {
        guard value != self, let record = recordReference, holdsAlone(Record.self) else { return false }
        return record._withUnsafeGuaranteedRef { record in
            guard name._withUnsafeGuaranteedRef({ record.hasField($0.string, at: place) }) else { return false }
            if case .store = operation {
                guard value.pointee.nesting < maximumNesting else { return false }
                record.put(isLast ? value.take(0) : value.pointee, at: place)
                return true
            }
            guard value.isNumber else { return false }
            return record.withValue(at: place) { field in
                guard field.isNumber, let result = operation.result(field.payload, value.payload) else { return false }
                field.payload = result
                return true
            }
        }
    }
}

extension Node {
    /// Where the element of a matrix at two indices is; negative rows are left to others.
    @inline(__always)
    func position(_ row: Double, _ column: Double) -> Int? {
        let columns = Int64(columns), place = act_position(column, columns)
        if place < 0 { return nil }
        // No row is out of range whose first element is in it.
        let i = act_position(row, Int64(count))
        if i < 0 || row < 0 { return nil }
        let (position, overflow) = i.multipliedReportingOverflow(by: columns)
        return overflow || position &+ place >= count ? nil : Int(position &+ place)
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

/// What `extend` puts at the end.
enum Extension: Int {
    /// The elements of the value, a list or an array.
    case value
    /// The value, as the only element of a list, or of an array.
    case listOfValue, arrayOfValue
}

extension UnsafeMutablePointer where Pointee == Value {
    /// Puts something at the end of the list or vector here in place.
    func extend(by addition: UnsafeMutablePointer<Value>, isLast: Bool, _ kind: Extension) throws -> Bool {
        // (To look into the value with a pattern could hold it, and then it would not be alone.)
        if let list = listReference {
            guard addition != self, holdsAlone(List.self) else { return false }
            switch kind {
            case .listOfValue: try list._withUnsafeGuaranteedRef { try $0.append(isLast ? addition.take(0) : addition.pointee) }
            case .value:
                guard case .list(let more) = addition.pointee else { return false }
                try list._withUnsafeGuaranteedRef { try $0.append(contentsOf: more) }
            case .arrayOfValue: return false
            }
            return true
        }
        guard arrayReference != nil, case .arrayOfValue = kind, addition.isNumber else { return false }
        return try UnsafeMutableRawPointer(self).assumingMemoryBound(to: NDArray.self).pointee.append(addition.payload)
    }
}
