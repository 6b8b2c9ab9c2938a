// Writing at ranges into an array that a derivative follows: in place, so that a loop which fills an array costs the size of what it writes.
//
// An array that was written to is two nodes. The front one has the elements; who computes with the whole array refers to it. Behind it the
// written one remembers, for derivatives, what was there before and what was put where: no derivative needs its elements, and it has none.
// Slices are copies that refer to the written node. So as long as an array is read by slices alone, its variable is the only one to hold
// the front node, and the next write changes the elements where they are.
//
// What must stay true: elements that someone else can see are never written over.

/// What a write at ranges means to derivatives. Inputs: what was there before, if derivatives follow it, then the value, if they follow that.
package final class RangeWrite: CustomFunction {
    package let ranges: [SliceRange]
    package let followsOld: Bool, followsValue: Bool
    package let name = "index"
    /// A constant put into some elements leaves the others, each by itself, what they were.
    package var isElementwise: Bool { !followsValue }

    init(_ ranges: [SliceRange], followsOld: Bool, followsValue: Bool) {
        self.ranges = ranges
        self.followsOld = followsOld
        self.followsValue = followsValue
    }

    package var attributes: [Attribute] {
        [Attribute("starts", ranges.map(\.start)), Attribute("steps", ranges.map(\.step)), Attribute("counts", ranges.map(\.count))]
    }

    /// What reaches the elements that were not written.
    package func passing(_ cotangent: NDArray) throws -> NDArray {
        let inside = try NDArray.full(1, shape: ranges.map(\.count), type: .f32).unsliced(ranges, shape: cotangent.shape).converted(to: .bool)
        return try NDArray.select(inside, .number(0), .array(cotangent))
    }

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        (followsOld ? [try passing(cotangent)] : []) + (followsValue ? [try cotangent.sliced(ranges)] : [])
    }

    /// None: of what it does not follow it keeps no elements. It stands in traces of derivatives alone; where a graph is taken, a write is
    /// composed of primitives (`tracedAssign`).
    package func lowered(_ inputs: [NDArray]) throws -> NDArray? { nil }
}

/// Marks the front node of an array that was written to; its input is the written one.
package final class WrittenArray: CustomFunction, Sendable {
    static let mark = WrittenArray()
    package let name = "index", isElementwise = true

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] { [cotangent] }
    package func lowered(_ inputs: [NDArray]) throws -> NDArray? { inputs[0] }
}

extension NDArray {
    /// Behind the front node of an array that was written to, the node that stands for it where no elements are needed.
    var written: NDArray? {
        guard isTraced, case .custom(let function) = node.primitive, function is WrittenArray else { return nil }
        return node.inputs[0]
    }

    /// Writes a value of the shape that the ranges select into an array that is traced, or whose value is.
    /// - Parameter value: Broadcast and of this array's element type, with one axis for each range; or a number.
    mutating func writeTraced(_ value: Operand, at ranges: [SliceRange]) throws {
        let behind = written, shape = shape, count = count, type = type
        let old = behind ?? self
        var elements = try NDArray(data: takenLayout(isWritten: behind != nil), shape: shape, count: count, type: type)
        let indices = ranges.map { Index.range($0) }
        var followed: [NDArray] = old.isTraced ? [old] : []
        switch value {
        case .number: try elements.assign(value, at: indices)
        case .array(let array):
            try elements.assign(.array(array.detached()), at: indices)
            if array.isTraced { followed.append(array) }
        }
        let write = RangeWrite(ranges, followsOld: old.isTraced, followsValue: followed.count > (old.isTraced ? 1 : 0))
        let nothing = try NDArray.scalar(0, type: type).evaluatedLayout()
        let hidden = NDArray(
            node: Node(
                .custom(write), inputs: Inputs(followed), shape: shape, count: count, type: type, isTraced: true, site: .current,
                layout: Layout(storage: nothing.storage, offset: nothing.offset, strides: Shapes.simplified(shape.map { _ in 0 }, shape))))
        self = NDArray(
            node: Node(
                .custom(WrittenArray.mark), inputs: [hidden], shape: shape, count: count, type: type, isTraced: true, site: .current,
                layout: try elements.evaluatedLayout()))
    }

    /// Where the elements are; taken from the front node of a written array that nobody else refers to, so that they have one holder.
    private mutating func takenLayout(isWritten: Bool) throws -> Layout {
        let layout = try evaluatedLayout()
        if isWritten, isKnownUniquelyReferenced(&node) { node.layout = nil }
        return layout
    }
}

extension NDArray {
    /// Writes one value to the elements at ranges.
    package mutating func assign(_ value: Operand, at ranges: [SliceRange]) throws { try assign(value, at: ranges.map { Index.range($0) }) }
}

extension NDArray.Index {
    /// A range within an axis.
    static func range(_ range: SliceRange) -> NDArray.Index {
        let stop = range.start &+ range.count &* range.step
        return .slice(start: range.start, stop: stop < 0 ? nil : stop, step: range.step == 0 ? 1 : range.step)
    }
}
