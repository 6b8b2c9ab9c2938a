// Putting arrays together and taking them apart: concatenate, stack, split, tile, repeat, pad, roll. Compositions of the primitives
// concatenate, slice, reshape, broadcast and gather, so that derivatives follow.

import ActArray

extension NDArray {
    /// Joins arrays along an axis they have; the other sizes must be equal.
    /// - Throws: `shapesDiffer`, `axisOutOfRange`, `badValue` for no arrays or for rank 0.
    package static func concatenated(_ arrays: [NDArray], axis: Int = 0) throws -> NDArray {
        if axis == 0, let joined = try joinedVectors(arrays) { return joined }
        let (axis, shape, type) = try joint(of: arrays, axis)
        let parts = try arrays.map { try $0.converted(to: type) }
        if parts.count == 1 { return parts[0] }
        if parts.contains(where: \.isAbstract) { return try abstractResult(.concatenate(axis: axis), parts, shape: shape, type: type) }
        let result = try uninitialized(shape: shape, type: type)
        let strides = Shapes.rowMajorStrides(shape)
        var offset = 0
        for part in parts {
            let place = offset &* strides[axis] &* type.size
            offset += part.shape[axis]
            if part.count > 0, result.count < smallCount {
                try part.copyFew(runs: part.shape[axis] &* strides[axis], to: result, place, shape[axis] &* strides[axis])
                continue
            }
            if part.count > 0 { try result.withMutableBytes { try part.copyElements(to: $0 + place, strides: strides) } }
        }
        guard parts.contains(where: \.isTraced) else { return result }
        return NDArray(
            node: Node(
                .concatenate(axis: axis), inputs: Inputs(parts), shape: shape, count: result.count, type: type, isTraced: true, site: .current,
                layout: result.node.layout))
    }

    /// The commonest case, without detours: vectors of few elements and one type that lie in memory and that nobody differentiates.
    private static func joinedVectors(_ arrays: [NDArray]) throws -> NDArray? {
        guard arrays.count > 1, arrays.count <= 16 else { return nil }
        let type = arrays[0].type
        var count = 0
        for array in arrays {
            let node = array.node
            guard node.length > 0, node.length < smallCount, node.elements != nil, node.type == type else { return nil }
            count &+= node.length
        }
        let result = try FreshArray(shape: [count], type: type)
        var place = result.bytes
        for array in arrays {
            guard let elements = array.node.elements else { return nil }
            let bytes = array.node.length &* type.size
            withExtendedLifetime(array) { place.copyMemory(from: elements, byteCount: bytes) }
            place += bytes
        }
        return result.finished()
    }

    /// Copies the few elements of an array, in runs, to where rows of another begin.
    private func copyFew(runs run: Int, to result: NDArray, _ place: Int, _ row: Int) throws {
        let source = try contiguous(), layout = try source.evaluatedLayout(), size = type.size
        withExtendedLifetime(layout.storage) {
            result.withMutableBytes { bytes in
                let from = layout.storage.pointer + layout.offset &* size
                for i in 0..<count / run { (bytes + (place &+ i &* row &* size)).copyMemory(from: from + i &* run &* size, byteCount: run &* size) }
            }
        }
    }

    /// What arrays make when they are joined along an axis, which is counted from the front in the result.
    private static func joint(of arrays: [NDArray], _ axis: Int) throws -> (axis: Int, shape: [Int], type: ElementType) {
        guard let first = arrays.first else { throw ArrayError.badValue(operation: "concat", .nothingToJoin) }
        guard first.rank > 0 else { throw ArrayError.rankMismatch(operation: "concat", ranks: 1...Shapes.rankLimit, shape: first.shape) }
        let axis = try Shapes.axis(axis, rank: first.rank)
        var shape = first.shape, type = first.type
        for array in arrays.dropFirst() {
            try Interrupt.check()
            guard array.rank == shape.count else { throw ArrayError.shapesDiffer(operation: "concat", first.shape, array.shape, axis: nil) }
            for other in shape.indices where other != axis && array.shape[other] != shape[other] {
                throw ArrayError.shapesDiffer(operation: "concat", first.shape, array.shape, axis: other)
            }
            let (size, overflow) = shape[axis].addingReportingOverflow(array.shape[axis])
            guard !overflow else { throw ArrayError.tooLarge(shape: [Int.max]) }
            shape[axis] = size
            type = type.promoted(with: array.type)
        }
        return (axis, shape, type)
    }

    /// Joins arrays of one shape along a new axis.
    package static func stacked(_ arrays: [NDArray], axis: Int = 0) throws -> NDArray {
        guard let first = arrays.first else { throw ArrayError.badValue(operation: "stack", .nothingToJoin) }
        for array in arrays {
            try Interrupt.check()
            if array.shape != first.shape { throw ArrayError.shapesDiffer(operation: "stack", first.shape, array.shape, axis: nil) }
        }
        let axis = try Shapes.axis(axis, rank: first.rank + 1)
        var unit = first.shape
        unit.insert(1, at: axis)
        _ = try Shapes.count(unit)
        let units = try arrays.map { array in
            try Interrupt.check()
            return try array.reshaped(to: unit)
        }
        return try concatenated(units, axis: axis)
    }

    /// Cuts an axis into `parts` equal pieces.
    package func split(parts: Int, axis: Int = 0) throws -> [NDArray] {
        let axis = try Shapes.axis(axis, rank: rank)
        guard parts > 0, shape[axis] % parts == 0 else {
            throw ArrayError.badValue(operation: "split", .unevenParts(axis: axis, size: shape[axis], parts: parts))
        }
        let size = shape[axis] / parts
        try MemoryPool.allow(parts &* 256)
        return try split(at: (1..<max(parts, 1)).map { $0 * size }, axis: axis)
    }

    /// Cuts an axis before each of the indices; as with slices, what lies outside is cut off.
    package func split(at indices: [Int], axis: Int = 0) throws -> [NDArray] {
        let axis = try Shapes.axis(axis, rank: rank)
        let bounds: [Int?] = [nil] + indices.map { $0 } + [nil]
        return try zip(bounds, bounds.dropFirst()).map { start, stop in
            try along(axis, NDArray.sliceRange(start: start, stop: stop, step: nil, size: shape[axis]))
        }
    }

    /// A range along one axis.
    private func along(_ axis: Int, _ range: SliceRange) throws -> NDArray {
        var ranges = shape.map { SliceRange(start: 0, step: 1, count: $0) }
        ranges[axis] = range
        return try sliced(ranges)
    }

    /// Itself, `counts` times along each axis; missing counts and axes in front are 1.
    package func tiled(_ counts: [Int]) throws -> NDArray {
        if let negative = counts.first(where: { $0 < 0 }) { throw ArrayError.negativeSize(negative) }
        let rank = max(self.rank, counts.count)
        let sizes = [Int](repeating: 1, count: rank - self.rank) + shape
        let repeats = [Int](repeating: 1, count: rank - counts.count) + counts
        let target = try NDArray.products(sizes, repeats)
        if rank * 2 > Shapes.rankLimit {
            // Too many axes to interleave: one at a time.
            var result = try reshaped(to: sizes)
            for axis in 0..<rank where repeats[axis] != 1 {
                try MemoryPool.allow(min(repeats[axis], 1 << 53) &* 64)
                result =
                    repeats[axis] == 0
                    ? try result.along(axis, SliceRange(start: 0, step: 1, count: 0))
                    : try NDArray.concatenated([NDArray](repeating: result, count: repeats[axis]), axis: axis)
            }
            return result
        }
        let apart = try reshaped(to: sizes.flatMap { [1, $0] })
        return try apart.broadcast(to: zip(repeats, sizes).flatMap { [$0, $1] }).reshaped(to: target)
    }

    private static func products(_ a: [Int], _ b: [Int]) throws -> [Int] {
        try zip(a, b).map { x, y in
            let (product, overflow) = x.multipliedReportingOverflow(by: y)
            guard !overflow else { throw ArrayError.tooLarge(shape: a) }
            return product
        }
    }

    /// Each element `count` times in a row, along an axis or flattened.
    package func repeated(_ count: Int, axis: Int? = nil) throws -> NDArray {
        guard count >= 0 else { throw ArrayError.negativeSize(count) }
        guard let axis else { return try reshaped(to: [self.count]).repeated(count, axis: 0) }
        let position = try Shapes.axis(axis, rank: rank)
        var apart = shape, wide = shape, target = shape
        apart.insert(1, at: position + 1)
        wide.insert(count, at: position + 1)
        target[position] = try NDArray.products([shape[position]], [count])[0]
        return try reshaped(to: apart).broadcast(to: wide).reshaped(to: target)
    }

    /// Element i of an axis `counts[i]` times; flattened without an axis.
    package func repeated(counts: [Int], axis: Int? = nil) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).repeated(counts: counts, axis: 0) }
        let position = try Shapes.axis(axis, rank: rank)
        guard counts.count == shape[position] else {
            throw ArrayError.shapesDiffer(operation: "repeat", shape, [counts.count], axis: position)
        }
        var total = 0
        for count in counts {
            if count < 0 { throw ArrayError.negativeSize(count) }
            let (sum, overflow) = total.addingReportingOverflow(count)
            guard !overflow, sum < 1 << 48 else { throw ArrayError.tooLarge(shape: shape) }
            total = sum
        }
        let rows = try NDArray.uninitialized(shape: [total], type: .f64)
        try rows.withMutableBytes { bytes in
            var next = bytes.assumingMemoryBound(to: Double.self)
            for (i, count) in counts.enumerated() {
                try Interrupt.forEachPiece(count) { (next + $0.lowerBound).update(repeating: Double(i), count: $0.count) }
                next += count
            }
        }
        return try taking(rows, axis: position)
    }

    /// The given rows of an axis, one after the other.
    private func taking(_ rows: NDArray, axis: Int) throws -> NDArray {
        let all = Index.slice(start: nil, stop: nil, step: nil)
        return try indexed(by: [Index](repeating: all, count: axis) + [.array(rows)])
    }

    /// How the space around a padded array is filled.
    package enum Padding {
        case constant(Operand)
        /// With the element at the edge.
        case edge
        /// With the array mirrored about its edge, the edge itself not repeated.
        case reflect
        /// With the array mirrored about its edge, the edge itself repeated.
        case symmetric
        /// With the array over again.
        case wrap
    }

    /// With `widths[axis]` = (before, after) further elements along every axis.
    package func padded(_ widths: [(before: Int, after: Int)], _ mode: Padding = .constant(0)) throws -> NDArray {
        guard widths.count == rank else {
            throw ArrayError.badValue(operation: "pad", .widthCount(widths.count, rank: rank))
        }
        var target = shape
        for (axis, width) in widths.enumerated() {
            for size in [width.before, width.after] where size < 0 { throw ArrayError.negativeSize(size) }
            let (half, overflow) = shape[axis].addingReportingOverflow(width.before)
            let (size, overflow2) = half.addingReportingOverflow(width.after)
            guard !overflow, !overflow2 else { throw ArrayError.tooLarge(shape: shape) }
            target[axis] = size
        }
        _ = try Shapes.count(target)
        if target == shape { return self }
        if case .constant(let value) = mode {
            let ranges = zip(widths, shape).map { SliceRange(start: $0.before, step: 1, count: $1) }
            if isTraced, case .number(0) = value { return try unsliced(ranges, shape: target) }
            if case .array(let constant) = value, constant.isTraced {
                let inside = try NDArray.full(1, shape: shape, type: .bool).padded(widths)
                return try NDArray.select(inside, .array(padded(widths)), .array(constant.reshaped(to: []).converted(to: type)))
            }
            return try framed(ranges, by: value.item(), shape: target)
        }
        var result = self
        for (axis, width) in widths.enumerated() where width.before + width.after > 0 {
            let size = shape[axis], period = 2 * (size - 1)
            guard size > 0 else { throw ArrayError.badValue(operation: "pad", .noEdge(axis: axis)) }
            let rows = try NDArray.uninitialized(shape: [target[axis]], type: .f64)
            try rows.withMutableBytes { bytes in
                let rows = bytes.assumingMemoryBound(to: Double.self)
                try ThreadPool.parallelPieces(target[axis]) { piece in
                    for position in piece {
                        let i = position - width.before
                        switch mode {
                        case .reflect where period > 0:
                            let phase = (i % period + period) % period
                            rows[position] = Double(min(phase, period - phase))
                        case .symmetric:
                            let phase = (i % (2 * size) + 2 * size) % (2 * size)
                            rows[position] = Double(min(phase, 2 * size - 1 - phase))
                        case .wrap: rows[position] = Double((i % size + size) % size)
                        default: rows[position] = Double(min(max(i, 0), size - 1))
                        }
                    }
                }
            }
            result = try result.taking(rows, axis: axis)
        }
        return result
    }

    /// These elements at ranges of steps of one, in the middle of copies of a number. Whoever asks has seen that they fit.
    private func framed(_ ranges: [SliceRange], by value: Double, shape target: [Int]) throws -> NDArray {
        if isTraced || isAbstract || count == 0 || target.reduce(1, &*) < NDArray.smallCount {
            var result = try NDArray.full(value, shape: target, type: type)
            try result.assign(.array(self), at: ranges.map { .slice(start: $0.start, stop: $0.start + $0.count, step: 1) })
            return result
        }
        let result = try NDArray.uninitialized(shape: target, type: type), strides = Shapes.rowMajorStrides(target), size = type.size
        NumericEvents.noteConversion(of: value, to: type, count: result.count)
        try result.withMutableBytes { bytes in
            // What is beside the middle along each axis, where it is in the middle of the axes before.
            var part = target, offset = 0
            for (axis, range) in ranges.enumerated() {
                part[axis] = range.start
                try NDArray.fill(bytes + offset &* size, part, strides, with: value, type)
                let end = range.start &+ range.count
                part[axis] = target[axis] &- end
                try NDArray.fill(bytes + (offset &+ end &* strides[axis]) &* size, part, strides, with: value, type)
                part[axis] = range.count
                offset &+= range.start &* strides[axis]
            }
            try copyElements(to: bytes + offset &* size, strides: strides)
        }
        return result
    }

    /// Elements moved on by `shift` along an axis, those at the end coming round to the front; flattened meanwhile without an axis.
    package func rolled(_ shift: Int, axis: Int? = nil) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).rolled(shift, axis: 0).reshaped(to: shape) }
        let position = try Shapes.axis(axis, rank: rank)
        let size = shape[position]
        guard size > 0 else { return self }
        let steps = (shift % size + size) % size
        if steps == 0 { return self }
        let parts = try split(at: [size - steps], axis: position)
        return try NDArray.concatenated([parts[1], parts[0]], axis: position)
    }

    /// Grids of coordinates from vectors: the first varies along axis 1, the second along axis 0, as NumPy's meshgrid has it.
    package static func meshgrid(_ vectors: [NDArray]) throws -> [NDArray] {
        for vector in vectors where vector.rank > 1 { throw ArrayError.rankMismatch(operation: "meshgrid", ranks: 0...1, shape: vector.shape) }
        var shape = vectors.map(\.count), axes = Array(vectors.indices)
        if vectors.count >= 2 {
            shape.swapAt(0, 1)
            axes.swapAt(0, 1)
        }
        _ = try Shapes.count(shape)
        return try zip(vectors, axes).map { vector, axis in
            var unit = [Int](repeating: 1, count: vectors.count)
            unit[axis] = vector.count
            return try vector.reshaped(to: unit).broadcast(to: shape)
        }
    }

    /// A row for each label, with 1 at the label and 0 elsewhere: shape of the labels + [classes].
    /// - Throws: `indexNotWhole`; `badValue` for a label outside 0 ..< classes.
    package static func oneHot(_ labels: NDArray, classes: Int? = nil, type: ElementType = .f64) throws -> NDArray {
        if labels.isSymbol, let classes, classes > 0 {
            let all = try range(0, Double(classes), 1)
            return try compare(.eq, .array(labels.converted(to: .f64).expandedDims(-1)), .array(all)).converted(to: type)
        }
        let numbers = try labels.toDoubles()
        // One pass sees whether all is well; only where it is not, another finds the label.
        var least = 0.0, most = -1.0, areWhole = true
        try Interrupt.forEachPiece(numbers.count) { piece in
            for number in numbers[piece] {
                areWhole = areWhole && number.magnitude < 0x1p53 && Double(Int(number)) == number
                (least, most) = (number < least ? number : least, number > most ? number : most)
            }
        }
        if !areWhole { for number in numbers where Int(exactly: number) == nil { throw ArrayError.indexNotWhole(number) } }
        let count = classes ?? (Int(exactly: most) ?? .max - 1) &+ 1
        if count < 0 { throw ArrayError.negativeSize(count) }
        if least < 0 || most >= Double(count), let label = numbers.first(where: { $0 < 0 || $0 >= Double(count) }) {
            throw ArrayError.badValue(operation: "one_hot", .notAClass(Int(label), count: count))
        }
        let result = try FreshArray(shape: labels.shape + [count], type: type), bytes = result.bytes
        func fill<T: ExpressibleByIntegerLiteral>(_ target: UnsafeMutablePointer<T>, _ rows: Range<Int>) {
            (target + rows.lowerBound &* count).update(repeating: 0, count: rows.count &* count)
            for row in rows { target[row &* count &+ Int(numbers[row])] = 1 }
        }
        try ThreadPool.parallelPieces(numbers.count, of: max(1, (1 << 16) / max(1, count))) { rows in
            switch type {
            case .bool: fill(bytes.assumingMemoryBound(to: UInt8.self), rows)
            case .f32: fill(bytes.assumingMemoryBound(to: Float.self), rows)
            case .f64: fill(bytes.assumingMemoryBound(to: Double.self), rows)
            }
        }
        return result.finished()
    }
}
