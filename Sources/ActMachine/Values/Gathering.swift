// What a comprehension, `map` or `filter` has gathered so far.
//
// What must stay true: as long as all of it is numbers, they lie side by side as the array will have them; once anything else has come it
// is a list. Either way what is held counts toward the limit before it is taken.

import ActArray

package final class Gathering {
    // (The first three are read in C as well: `act_gathering`.) No access checks: one thread fills it, and nothing that it calls comes back.
    // `numbers` points into `storage`, and is replaced with it.
    @exclusivity(unchecked) private var numbers: UnsafeMutablePointer<Double>?
    @exclusivity(unchecked) private var count = 0
    @exclusivity(unchecked) private var capacity = 0
    private var storage: Storage?
    private var list: List?

    package init() {}

    @inline(__always)
    package func append(_ number: Double) throws {
        if count == capacity { try makeRoom(for: .number(number)) }
        // Without numbers the list has taken it.
        guard let numbers, list == nil else { return }
        numbers[count] = number
        count &+= 1
    }

    /// Appends a value.
    /// - Returns: The list of all, where no array can come of them any more: it goes on in the place of this.
    func appended(_ value: Value) throws -> List? {
        try append(value)
        guard !value.isNumeric else { return nil }
        defer { list = nil }
        return list
    }

    package func append(_ value: Value) throws {
        if list == nil {
            if case .number(let number) = value { return try append(number) }
            let all = try List([])
            for index in 0..<count { try all.append(.number(numbers?[index] ?? 0)) }
            list = all
            (storage, numbers, count, capacity) = (nil, nil, 0, 0)
        }
        try list?.append(value)
    }

    /// Where so many more numbers can be put, who says then how many there are; `nil` where there is a list.
    func room(for more: Int) throws -> UnsafeMutablePointer<Double>? {
        guard list == nil else { return nil }
        try reserve(more)
        return numbers.map { $0 + count }
    }

    func take(_ more: Int) { count &+= more }

    /// Makes room for so many more numbers.
    func reserve(_ more: Int) throws {
        if list == nil, more > capacity &- count { try grow(to: max(count &+ more, 2 &* capacity)) }
    }

    /// Of numbers twice the room; where there is a list, its end.
    @inline(never)
    private func makeRoom(for value: Value) throws {
        if let list { return try list.append(value) }
        try grow(to: max(64, 2 &* capacity))
    }

    /// (The old numbers are held too while they move.)
    private func grow(to larger: Int) throws {
        let fresh = try Storage(byteCount: larger &* 8)
        let target = fresh.pointer.assumingMemoryBound(to: Double.self)
        if let numbers { target.update(from: numbers, count: count) }
        (storage, numbers, capacity) = (fresh, target, larger)
    }

    /// The array or list of all, as `[…]` of the same elements; nothing is gathered any more.
    package func finished(_ machine: Machine) throws -> Value {
        if let list { return try machine.makeArray(list.elements) }
        guard let storage, count > 0 else { return try machine.makeArray([]) }
        // Much room that is left over goes back, if there is any for a copy.
        var kept = storage
        if capacity > count &+ count / 4, let exact = try? Storage(byteCount: count &* 8) {
            exact.pointer.copyMemory(from: storage.pointer, byteCount: count &* 8)
            kept = exact
        }
        return .array(NDArray(storage: kept, shape: [count], count: count, type: .f64))
    }
}
