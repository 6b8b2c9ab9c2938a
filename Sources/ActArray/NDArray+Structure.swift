// Other shapes for the same elements. All but `unsliced` (and a reshape of a view with gaps) are views: nothing is copied.

extension NDArray {
    /// The same elements, in row-major order, in another shape; one size may be −1 and is worked out.
    package func reshaped(to sizes: consuming [Int]) throws -> NDArray {
        if let free = sizes.firstIndex(of: -1) {
            sizes[free] = 1
            let known = try Shapes.count(sizes)
            guard known > 0, count % known == 0 else {
                sizes[free] = -1
                throw ArrayError.cannotReshape(shape, to: sizes)
            }
            sizes[free] = count / known
        }
        guard try Shapes.count(sizes) == count else { throw ArrayError.cannotReshape(shape, to: sizes) }
        if sizes == shape { return self }
        if !isTraced, node.elements != nil, let layout = node.layout { return NDArray(data: layout, shape: sizes, count: count, type: type) }
        if isAbstract { return try NDArray.abstractResult(.reshape, [self], shape: sizes, type: type) }
        return view(.reshape, shape: sizes, layout: try contiguous().evaluatedLayout())
    }

    /// Axes in another order: result axis i is axis `permutation[i]`. Without one they are reversed.
    package func transposed(_ permutation: [Int]? = nil) throws -> NDArray {
        let order: [Int]
        if let permutation {
            guard permutation.count == rank else {
                throw ArrayError.badValue(operation: "transpose", .axisCount(permutation.count, rank: rank))
            }
            _ = try Shapes.axes(permutation, rank: rank)
            order = try permutation.map { try Shapes.axis($0, rank: rank) }
        } else {
            order = Array((0..<rank).reversed())
        }
        if order.elementsEqual(0..<rank) { return self }
        if isAbstract { return try NDArray.abstractResult(.transpose(order), [self], shape: order.map { shape[$0] }, type: type) }
        let layout = try evaluatedLayout()
        let strides = layout.strides ?? Shapes.rowMajorStrides(shape)
        return view(.transpose(order), shape: order.map { shape[$0] }, layout: layout, strides: order.map { strides[$0] })
    }

    /// Stretched to `target` as elementwise operations would.
    package func broadcast(to target: [Int]) throws -> NDArray {
        if target == shape { return self }
        _ = try Shapes.count(target)
        if isAbstract {
            guard Shapes.broadcastStrides(shape, Shapes.rowMajorStrides(shape), to: target) != nil else { throw ArrayError.cannotBroadcast(shape, to: target) }
            return try NDArray.abstractResult(.broadcast, [self], shape: target, type: type)
        }
        let layout = try evaluatedLayout()
        guard let strides = Shapes.broadcastStrides(shape, layout.strides ?? Shapes.rowMajorStrides(shape), to: target) else {
            throw ArrayError.cannotBroadcast(shape, to: target)
        }
        return view(.broadcast, shape: target, layout: layout, strides: strides)
    }

    /// Elements at one range for each axis.
    /// - Throws: `indexOutOfRange` for a range that leaves its axis.
    package func sliced(_ ranges: [SliceRange]) throws -> NDArray {
        try NDArray.check(ranges, shape)
        if zip(ranges, shape).allSatisfy({ $0.start == 0 && $0.step == 1 && $0.count == $1 }) { return self }
        if isAbstract { return try NDArray.abstractResult(.slice(ranges), [self], shape: ranges.map(\.count), type: type) }
        let layout = try evaluatedLayout()
        var view = layout
        let strides = layout.strides ?? Shapes.rowMajorStrides(shape)
        for (range, stride) in zip(ranges, strides) where range.count > 0 { view.offset &+= range.start &* stride }
        if let written {
            // A copy, so that what is written next may go where this was.
            view.strides = Shapes.simplified(zip(ranges, strides).map { $0.step &* $1 }, ranges.map(\.count))
            let shape = ranges.map(\.count), part = NDArray(data: view, shape: shape, count: shape.reduce(1, &*), type: type)
            return written.view(.slice(ranges), shape: shape, layout: try part.copied().evaluatedLayout())
        }
        return self.view(
            .slice(ranges), shape: ranges.map(\.count), layout: view, strides: zip(ranges, strides).map { $0.step &* $1 })
    }

    /// The adjoint of `sliced`: zeros of `shape` with these elements at the ranges.
    package func unsliced(_ ranges: [SliceRange], shape target: [Int]) throws -> NDArray {
        try NDArray.check(ranges, target)
        guard ranges.map(\.count) == shape else { throw ArrayError.cannotAssign(value: shape, to: ranges.map(\.count)) }
        if isAbstract { return try NDArray.abstractResult(.unslice(ranges), [self], shape: target, type: type) }
        let result = try NDArray.full(0, shape: target, type: type)
        let strides = Shapes.rowMajorStrides(target)
        if count > 0 {
            let offset = zip(ranges, strides).reduce(0) { $0 &+ $1.0.start &* $1.1 }
            try result.withMutableBytes { bytes in
                try copyElements(to: bytes + offset &* type.size, strides: zip(ranges, strides).map { $0.step &* $1 })
            }
        }
        guard isTraced, let layout = result.node.layout else { return result }
        return view(.unslice(ranges), shape: target, layout: layout)
    }

    /// With a new axis of size 1 at `axis` of the result.
    package func expandedDims(_ axis: Int) throws -> NDArray {
        let position = try Shapes.axis(axis, rank: rank + 1)
        if isAbstract {
            var sizes = shape
            sizes.insert(1, at: position)
            _ = try Shapes.count(sizes)
            return try NDArray.abstractResult(.reshape, [self], shape: sizes, type: type)
        }
        let layout = try evaluatedLayout()
        var sizes = shape, strides = layout.strides
        sizes.insert(1, at: position)
        _ = try Shapes.count(sizes)
        strides?.insert(0, at: position)
        return view(.reshape, shape: sizes, layout: layout, strides: strides)
    }

    /// Without the given axes, which must be of size 1; without all such axes for `nil`.
    package func squeezed(_ axes: [Int]? = nil) throws -> NDArray {
        let dropped: [Int]
        if let axes {
            dropped = try Shapes.axes(axes, rank: rank)
            for axis in dropped where shape[axis] != 1 {
                throw ArrayError.badValue(operation: "squeeze", .notOfSizeOne(axis: axis, size: shape[axis]))
            }
        } else {
            dropped = shape.indices.filter { shape[$0] == 1 }
        }
        if dropped.isEmpty { return self }
        let kept = shape.indices.filter { !dropped.contains($0) }
        if isAbstract { return try NDArray.abstractResult(.reshape, [self], shape: kept.map { shape[$0] }, type: type) }
        let layout = try evaluatedLayout()
        return view(.reshape, shape: kept.map { shape[$0] }, layout: layout, strides: layout.strides.map { all in kept.map { all[$0] } })
    }

    /// With the elements along the given axes (all for `nil`) in reverse order.
    package func flipped(_ axes: [Int]? = nil) throws -> NDArray {
        let reversed = try Shapes.axes(axes, rank: rank)
        return try sliced(
            shape.indices.map { axis in
                reversed.contains(axis) && shape[axis] > 0
                    ? SliceRange(start: shape[axis] - 1, step: -1, count: shape[axis]) : SliceRange(start: 0, step: 1, count: shape[axis])
            })
    }

    // MARK: Making views

    /// A node that shows data which is there already; it remembers its input only when traced.
    package func view(_ primitive: Primitive, shape: [Int], layout: Layout) -> NDArray {
        let count = shape.reduce(1, &*)
        guard isTraced else { return NDArray(data: layout, shape: shape, count: count, type: type) }
        return NDArray(
            node: Node(primitive, inputs: [self], shape: shape, count: count, type: type, isTraced: true, site: .current, layout: layout))
    }

    private func view(_ primitive: Primitive, shape: [Int], layout: Layout, strides: [Int]?) -> NDArray {
        var layout = layout
        layout.strides = strides.flatMap { Shapes.simplified($0, shape) }
        return view(primitive, shape: shape, layout: layout)
    }

    private static func check(_ ranges: [SliceRange], _ shape: [Int]) throws {
        guard ranges.count == shape.count else { throw ArrayError.tooManyIndices(given: ranges.count, rank: shape.count) }
        for (axis, range) in ranges.enumerated() where range.count != 0 {
            guard range.step != 0 || range.count == 1 else { throw ArrayError.stepIsZero }
            guard range.count > 0 else { throw ArrayError.negativeSize(range.count) }
            let (span, overflow) = (range.count - 1).multipliedReportingOverflow(by: range.step)
            let (last, overflow2) = range.start.addingReportingOverflow(span)
            for index in [range.start, overflow || overflow2 ? Int.max : last] where index < 0 || index >= shape[axis] {
                throw ArrayError.indexOutOfRange(index: index, axis: axis, size: shape[axis])
            }
        }
    }

    /// The last two axes exchanged.
    package func matrixTransposed() throws -> NDArray {
        var order = Array(0..<rank)
        order.swapAt(rank - 1, rank - 2)
        return try transposed(order)
    }
}
