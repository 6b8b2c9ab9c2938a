// Writing by index: a[…] = v changes a variable's own copy, in place when nobody else can see it.

extension NDArray {
    /// Writes `value`, broadcast, into the elements an index selects. The array keeps its element type; values are converted to it.
    /// In place when nothing else holds these elements. When array or value is traced the result is a composition of primitives.
    /// - Throws: `cannotAssign` when the value does not broadcast to what is selected, and the errors of `indexed(by:)`.
    package mutating func assign(_ value: Operand, at indices: [Index]) throws {
        if case .number(let number) = value, indices.count == 1, case .array(let mask) = indices[0], try write(number, where: mask) { return }
        let plan = try IndexPlan(indices, shape: shape)
        if case .array(let array) = value, array.isTraced { return try tracedAssign(value, plan) }
        if isTraced { return try tracedAssign(value, plan) }
        try write(value, plan)
    }

    /// Writes one element of a vector; negative indices count from the end.
    package mutating func setElement(_ value: Double, at i: Int) throws {
        guard rank == 1 else { throw ArrayError.rankMismatch(operation: "index", ranks: 1...1, shape: shape) }
        guard i < count, i >= -count else { throw ArrayError.indexOutOfRange(index: i, axis: 0, size: count) }
        if isTraced { return try assign(.number(value), at: [.integer(i)]) }
        try makeUnique()
        let position = i < 0 ? i + count : i
        withMutableBytes { NDArray.store(value, type, at: $0 + position &* type.size) }
        watchStore(of: value)
    }

    /// Puts a number at the end of a vector of `f64` that nobody else sees, in place while there is room: it is made for as many elements
    /// again as there are.
    /// - Returns: Whether it was one; else nothing has happened.
    package mutating func append(_ value: Double) throws -> Bool {
        guard type == .f64, rank == 1, !isTraced, node.elements != nil, isKnownUniquelyReferenced(&node), node.isOnlyUserOfStorage,
            let layout = node.layout
        else { return false }
        let end = (layout.offset &+ count) &* 8
        if end &+ 8 <= layout.storage.byteCount {
            (layout.storage.pointer + end).storeBytes(of: value, as: Double.self)
            node.grow()
            return true
        }
        _ = try Shapes.count([count + 1])
        try Interrupt.check()
        let larger = try Storage(byteCount: max(8, 2 &* count) &* 8)
        larger.pointer.copyMemory(from: layout.storage.pointer + layout.offset &* 8, byteCount: count &* 8)
        (larger.pointer + count &* 8).storeBytes(of: value, as: Double.self)
        node.grow(movingTo: Layout(storage: larger, offset: 0, strides: nil))
        return true
    }

    /// Writes one element, at one index for each axis.
    package mutating func setElement(_ value: Double, at indices: [Int]) throws {
        guard indices.count == rank else {
            if indices.count > rank { throw ArrayError.tooManyIndices(given: indices.count, rank: rank) }
            throw ArrayError.rankMismatch(operation: "index", ranks: indices.count...indices.count, shape: shape)
        }
        var position = 0
        for axis in 0..<rank {
            let size = shape[axis], i = indices[axis]
            guard i < size, i >= -size else { throw ArrayError.indexOutOfRange(index: i, axis: axis, size: size) }
            position = position &* size &+ (i < 0 ? i + size : i)
        }
        if isTraced { return try assign(.number(value), at: indices.map { .integer($0) }) }
        try makeUnique()
        withMutableBytes { NDArray.store(value, type, at: $0 + position &* type.size) }
        watchStore(of: value)
    }

    /// Notes a number that becomes infinite in the element type.
    @inline(__always)
    private func watchStore(of value: Double) {
        if type == .f32, value.isFinite, !Float(value).isFinite, NumericEvents.isEnabled {
            NumericEvents.add([NumericEvent(kind: .overflow, operation: "f32", site: .current, count: 1, first: 0, example: [value])])
        }
    }

    @inline(__always)
    private static func store(_ value: Double, _ type: ElementType, at place: UnsafeMutableRawPointer) {
        switch type {
        case .bool: place.storeBytes(of: value != 0 ? 1 : 0, as: UInt8.self)  // NaN ≠ 0
        case .f32: place.storeBytes(of: Float(value), as: Float.self)
        case .f64: place.storeBytes(of: value, as: Double.self)
        }
    }

    /// Writes a number where a mask of this array's shape is true, in one pass over all elements.
    /// - Returns: false, and nothing has happened, for another mask, and where a derivative or a graph follows.
    private mutating func write(_ number: Double, where mask: NDArray) throws -> Bool {
        guard mask.type == .bool, mask.shape == shape, rank > 0, !isTraced, !isAbstract, !mask.isTraced, !mask.isAbstract else { return false }
        let mask = try mask.contiguous(), layout = try mask.evaluatedLayout(), conditions = layout.storage.pointer + layout.offset
        if type == .f32, !number.fitsF32, try mask.reduced(.any).item() != 0 { watchStore(of: number) }
        try makeUnique()
        let type = type, count = count
        withExtendedLifetime(layout.storage) {
            withMutableBytes { bytes in
                NDArray.withElement(number, type) { element in
                    let value = Kernel.Operand(pointer: element, stride: 0), all = Kernel.Operand(pointer: bytes, stride: 1)
                    let kernel = type == .f64 ? Kernel.select64 : type == .f32 ? .select32 : .select8
                    parallelChunks(count, work: count) { start, n in
                        let here = all.advanced(start, type.size)
                        kernel.run(Kernel.Operand(pointer: conditions + start, stride: 1), value, here, to: bytes + start &* type.size, n)
                    }
                }
            }
        }
        return true
    }

    /// Untraced: the elements are copied to the selected places.
    private mutating func write(_ value: Operand, _ plan: IndexPlan) throws {
        let rowMajor = Place(plan, offset: 0, strides: Shapes.rowMajorStrides(shape))
        let selection = plan.isBasic ? nil : try plan.selection(rowMajor)
        let target = selection?.shape ?? rowMajor.shape
        let size = type.size
        switch value {
        case .number(let number):
            if target.allSatisfy({ $0 > 0 }) { watchStore(of: number) }
            try makeUnique()
            try withMutableBytes { bytes in
                guard let selection else {
                    return try NDArray.fill(bytes + rowMajor.offset &* size, rowMajor.shape, rowMajor.strides, with: number, type, canStop: false)
                }
                NDArray.withElement(number, type) { selection.fill($0, size: size, to: bytes) }
            }
        case .array(let array):
            // The value is read before the array is made unique: it may be a view of it.
            let fitted = try NDArray.fit(array, to: target, type: type)
            if selection == nil {
                if try compute(fitted, into: rowMajor) { return }
                let source = try fitted.sharesStorage(with: self) ? fitted.contiguous() : fitted
                let few = source.count < NDArray.smallCount ? source.node.elements : nil
                try makeUnique()
                return try withExtendedLifetime(source) {
                    try withMutableBytes { bytes in
                        let first = bytes + rowMajor.offset &* size
                        guard let few else { return try source.copyElements(to: first, strides: rowMajor.strides, canStop: false) }
                        StridedView(base: first, size: size, shape: rowMajor.shape, strides: rowMajor.strides).assign(from: few)
                    }
                }
            }
            let layout = try fitted.contiguous().evaluatedLayout()
            try makeUnique()
            withExtendedLifetime(layout.storage) {
                withMutableBytes { selection?.write(layout.storage.pointer + layout.offset &* size, size: size, to: $0) }
            }
        }
    }

    /// Computes a value that is not there yet where it belongs in a copy of this array, which others see too: once it is there, this is the
    /// copy, and the value a view of it.
    /// - Returns: false, and nothing has happened, where that is not so.
    private mutating func compute(_ value: NDArray, into place: Place) throws -> Bool {
        guard !value.isEvaluated, !value.isTraced, !value.isAbstract, value.shape == place.shape, let layout = node.layout,
            !isKnownUniquelyReferenced(&node), rows(of: place, in: layout) != nil
        else { return false }
        let copy = try copied()
        guard let layout = copy.node.layout, let rows = rows(of: place, in: layout) else { return false }
        try value.evaluate(
            into: rows, Layout(storage: layout.storage, offset: place.offset, strides: Shapes.simplified(place.strides, place.shape)))
        self = copy
        return true
    }

    /// A place of a row-major array as rows that can be written where they lie.
    private func rows(of place: Place, in layout: Layout) -> StridedView.Rows? {
        let first = layout.storage.pointer + place.offset &* type.size
        let rows = StridedView(base: first, size: type.size, shape: place.shape, strides: place.strides).rows
        return rows?.step == 1 ? rows : nil
    }

    /// Whether the elements, which are computed if they are not there, are shown in memory of another array.
    private func sharesStorage(with other: NDArray) throws -> Bool { try evaluatedLayout().storage === other.node.layout?.storage }

    /// Calls `body` with a number as an element.
    private static func withElement(_ number: Double, _ type: ElementType, _ body: (UnsafeRawPointer) throws -> Void) rethrows {
        try withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { element in
            guard let element = element.baseAddress else { return }
            store(number, type, at: element)
            try body(element)
        }
    }

    /// Writes a number to all elements of a place, on all threads.
    package static func fill(
        _ base: UnsafeMutableRawPointer, _ shape: [Int], _ strides: [Int], with number: Double, _ type: ElementType, canStop: Bool = true
    ) throws {
        let count = shape.reduce(1, &*)
        if count == 0 { return }
        try withElement(number, type) {
            if count < smallCount {
                let view = StridedView(base: base, size: type.size, shape: shape, strides: strides)
                return type == .f64 ? view.fill($0, as: UInt64.self) : type == .f32 ? view.fill($0, as: UInt32.self) : view.fill($0, as: UInt8.self)
            }
            try StridedPair(from: $0, strides: [Int](repeating: 0, count: shape.count), to: base, strides: strides, shape, type.size)
                .copyAll(canStop: canStop)
        }
    }

    /// `value` converted and broadcast to what is selected; leading axes of size 1 too many are dropped, as in NumPy.
    private static func fit(_ value: NDArray, to target: [Int], type: ElementType) throws -> NDArray {
        var value = value
        while value.rank > target.count, value.shape.first == 1 { value = try value.reshaped(to: Array(value.shape.dropFirst())) }
        guard Shapes.broadcastStrides(value.shape, value.shape, to: target) != nil else { throw ArrayError.cannotAssign(value: value.shape, to: target) }
        return try value.converted(to: type).broadcast(to: target)
    }

    /// Traced: numbers the selected values, writes the numbers into an array of −1, and selects by them.
    private mutating func tracedAssign(_ value: Operand, _ plan: IndexPlan) throws {
        let place = Place(plan, offset: 0, strides: Shapes.rowMajorStrides(shape))
        let target = plan.isBasic ? place.shape : try plan.selection(place).shape
        let targetCount = try Shapes.count(target)
        if targetCount == 0 {
            if case .array(let array) = value { _ = try NDArray.fit(array, to: target, type: type) }
            return
        }
        if plan.isBasic, type != .bool, !NDArray.followsPositions {
            let counts = plan.ranges.map(\.count)
            if case .array(let array) = value {
                return try writeTraced(.array(NDArray.fit(array, to: target, type: type).reshaped(to: counts)), at: plan.ranges)
            }
            return try writeTraced(value, at: plan.ranges)
        }
        if plan.isTraced, NDArray.followsPositions {
            // Where a mask selects among all elements, it says by itself which are written to.
            guard plan.lookups.count == 1, let mask = plan.lookups[0].traced, mask.type == .bool, mask.shape == shape, case .number(let number) = value
            else { throw ArrayError.badValue(operation: "graph", .writesAtComputed) }
            self = try NDArray.select(mask, .number(number), .array(self)).converted(to: type)
            return
        }
        var numbers = try NDArray.full(-1, shape: shape, type: .f64)
        switch value {
        case .number(let number):
            try numbers.write(.number(0), plan)
            self = try NDArray.select(NDArray.compare(.ge, .array(numbers), .number(0)), .number(number), .array(self)).converted(to: type)
        case .array(let array):
            let fitted = try NDArray.fit(array, to: target, type: type)
            try numbers.write(.array(NDArray.range(0, Double(targetCount), 1).reshaped(to: target)), plan)
            let starts = try numbers.toDoubles().map { max(0, Int($0)) }
            let spread = try fitted.gathered(GatherIndices(starts: starts, chunk: 1), shape: shape)
            self = try NDArray.select(NDArray.compare(.ge, .array(numbers), .number(0)), .array(spread), .array(self))
        }
    }
}
