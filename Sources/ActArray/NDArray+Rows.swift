// Operations along one axis that look at whole rows: where the extreme is, running sums, softmax. The axis is brought to the end of
// memory first, so that kernels see contiguous rows.

import CActKernels

extension NDArray {
    /// Where along the axis (in the flat order for `nil`) the first smallest or largest element is, as f64; the first NaN wins.
    /// - Throws: `emptyReduction` along an axis of size 0.
    package func argReduced(_ op: ReduceOperation, axis: Int? = nil, keepdims: Bool = false) throws -> NDArray {
        guard op == .min || op == .max else { throw ArrayError.badValue(operation: op.name, reason: "only min and max have a position") }
        let name = op == .min ? "argmin" : "argmax"
        guard let axis else {
            let flat = try detached().reshaped(to: [count])
            let result = try flat.argReduced(op, axis: 0)
            return keepdims ? try result.reshaped(to: [Int](repeating: 1, count: rank)) : result
        }
        let position = try Shapes.axis(axis, rank: rank)
        let length = shape[position]
        var kept = shape
        kept.remove(at: position)
        if length == 0, !kept.contains(0) { throw ArrayError.emptyReduction(operation: name, shape: shape) }
        let numbers = try type == .bool ? converted(to: .f32) : self
        let result = try NDArray.uninitialized(shape: kept, type: .f64)
        try numbers.forEachRow(position) { source, row in
            let table = Kernels.table
            let index: Int
            if numbers.type == .f32 {
                index = Int(op == .min ? table.pointee.argmin_f32(source.f32, length) : table.pointee.argmax_f32(source.f32, length))
            } else {
                index = Int(op == .min ? table.pointee.argmin_f64(source.f64, length) : table.pointee.argmax_f64(source.f64, length))
            }
            result.withMutableBytes { $0.assumingMemoryBound(to: Double.self)[row] = Double(index) }
        }
        if !keepdims { return result }
        kept.insert(1, at: position)
        return try result.reshaped(to: kept)
    }

    /// Running sums or products along the axis (in the flat order for `nil`), carried in f64; from the end when `reversed`.
    package func cumulative(_ op: CumulativeOperation, axis: Int? = nil, reversed: Bool = false) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).cumulative(op, axis: 0, reversed: reversed) }
        if type == .bool { return try converted(to: .f64).cumulative(op, axis: axis, reversed: reversed) }
        let position = try Shapes.axis(axis, rank: rank)
        let length = shape[position]
        let layout = try alongRows(position) { source, target, rows in
            for row in 0..<rows {
                let offset = row &* length
                if type == .f32 {
                    NDArray.scan(op, reversed, source.f32 + offset, target.f32 + offset, length)
                } else {
                    NDArray.scan(op, reversed, source.f64 + offset, target.f64 + offset, length)
                }
            }
        }
        return view(.cumulative(op, axis: position, reversed: reversed), shape: shape, layout: layout)
    }

    private static func scan<T: BinaryFloatingPoint>(
        _ op: CumulativeOperation, _ reversed: Bool, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ n: Int
    ) {
        var total = op == .sum ? 0.0 : 1.0
        for step in 0..<n {
            let i = reversed ? n - 1 - step : step
            if op == .sum { total += Double(x[i]) } else { total *= Double(x[i]) }
            y[i] = T(total)
        }
    }

    /// exp(xᵢ − m) / Σ along the axis, m being the largest element.
    package func softmax(axis: Int = -1) throws -> NDArray { try normalized(.softmax, axis: axis) }

    /// xᵢ − logsumexp(x) along the axis.
    package func logSoftmax(axis: Int = -1) throws -> NDArray { try normalized(.logSoftmax, axis: axis) }

    /// - Throws: `emptyReduction` along an axis of size 0.
    package func normalized(_ op: NormalizeOperation, axis: Int) throws -> NDArray {
        if type == .bool { return try converted(to: .f64).normalized(op, axis: axis) }
        let position = try Shapes.axis(axis, rank: rank)
        let length = shape[position]
        if length == 0, count == 0, !shape.enumerated().contains(where: { $0.element == 0 && $0.offset != position }) {
            throw ArrayError.emptyReduction(operation: op.name, shape: shape)
        }
        let table = Kernels.table
        let layout = try alongRows(position) { source, target, rows in
            switch (op, type) {
            case (.softmax, .f32): table.pointee.softmax_rows_f32(source.f32, target.f32, rows, length)
            case (.softmax, _): table.pointee.softmax_rows_f64(source.f64, target.f64, rows, length)
            case (.logSoftmax, .f32): table.pointee.log_softmax_rows_f32(source.f32, target.f32, rows, length)
            case (.logSoftmax, _): table.pointee.log_softmax_rows_f64(source.f64, target.f64, rows, length)
            }
        }
        return view(.normalize(op, axis: position), shape: shape, layout: layout)
    }

    // MARK: Rows

    /// Calls `body` for each row along the axis, in any order and on several threads, with its elements and its number.
    private func forEachRow(_ axis: Int, _ body: (UnsafeRawPointer, Int) -> Void) throws {
        let length = shape[axis]
        try forRows(axis) { source, first, rows in
            for row in 0..<rows { body(source + row &* length &* type.size, first &+ row) }
        }
    }

    /// A new array of the same shape and type: `body` maps some contiguous rows (source, target, how many).
    private func alongRows(_ axis: Int, _ body: (UnsafeRawPointer, UnsafeMutableRawPointer, Int) -> Void) throws -> Layout {
        let last = rank - 1, length = shape[axis]
        var sizes = shape
        sizes.remove(at: axis)
        sizes.append(length)
        let result = try NDArray.uninitialized(shape: sizes, type: type)
        try result.withMutableBytes { bytes in
            try forRows(axis) { source, first, rows in body(source, bytes + first &* length &* type.size, rows) }
        }
        var back = Array(0..<last)
        back.insert(last, at: axis)
        return try (axis == last ? result : result.transposed(back).contiguous()).evaluatedLayout()
    }

    private func forRows(_ axis: Int, _ body: (_ source: UnsafeRawPointer, _ first: Int, _ rows: Int) -> Void) throws {
        if count == 0 { return }
        let order = (0..<rank).filter { $0 != axis } + [axis]
        let source = try detached().transposed(order).contiguous()
        let layout = try source.evaluatedLayout()
        let length = shape[axis], rows = count / length
        let perChunk = max(1, Reduction.chunk / 4 / length)
        withExtendedLifetime(layout.storage) {
            let base = UnsafeRawPointer(layout.storage.pointer + layout.offset &* type.size)
            ThreadPool.parallelFor((rows + perChunk - 1) / perChunk) { index in
                if act_interrupt_get() != 0 { return }
                let first = index * perChunk
                body(base + first &* length &* type.size, first, min(perChunk, rows - first))
            }
        }
        if act_interrupt_get() != 0 { throw ArrayError.interrupted }
    }
}

extension UnsafeRawPointer {
    fileprivate var f64: UnsafePointer<Double> { assumingMemoryBound(to: Double.self) }
    fileprivate var f32: UnsafePointer<Float> { assumingMemoryBound(to: Float.self) }
}

extension UnsafeMutableRawPointer {
    fileprivate var f64: UnsafeMutablePointer<Double> { assumingMemoryBound(to: Double.self) }
    fileprivate var f32: UnsafeMutablePointer<Float> { assumingMemoryBound(to: Float.self) }
}
