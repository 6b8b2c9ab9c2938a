// Order and counting: sort, unique, nonzero, histogram, quantiles. NaN sorts last and makes medians and quantiles NaN. What depends on
// the elements' order but picks them (sort, median, quantile) goes through gather, so that derivatives follow.

import ActArray
import Synchronization

extension NDArray {
    /// The elements in ascending order along an axis; flattened for `nil`.
    package func sorted(axis: Int? = -1) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).sorted(axis: 0) }
        let position = try Shapes.axis(axis, rank: rank)
        if type == .bool { return try converted(to: .f32).sorted(axis: position).converted(to: .bool) }
        let rows = try lastAxis(position).contiguous()
        let length = shape[position]
        // Kernels put −0 before 0; equal numbers stay in their order.
        if try isTraced || rows.holdsBothZeros() {
            let places = try rows.detached().orderOfRows(length)
            return try rows.gathered(GatherIndices(starts: places, chunk: 1), shape: rows.shape, foundBy: "sort", in: rows).axisBack(position)
        }
        var result = rows
        try result.makeUnique()
        let count = self.count
        try result.withMutableBytes { bytes in
            if type == .f32 {
                try Sort.sort(bytes.assumingMemoryBound(to: Float.self), count: count, length: length)
            } else {
                try Sort.sort(bytes.assumingMemoryBound(to: Double.self), count: count, length: length)
            }
        }
        return try result.axisBack(position)
    }

    /// Whether both 0 and −0 are among the elements, which have data.
    private func holdsBothZeros() throws -> Bool {
        let plus = Atomic<Bool>(false), minus = Atomic<Bool>(false)
        func look<T: FixedWidthInteger & Sendable>(_ bits: UnsafePointer<T>) throws {
            try ThreadPool.parallelPieces(count, of: 1 << 16) { piece in
                var hasPlus: T = 0, hasMinus: T = 0
                for i in piece {
                    hasPlus |= bits[i] == 0 ? 1 : 0
                    hasMinus |= bits[i] == T.min ? 1 : 0
                }
                if hasPlus != 0 { plus.store(true, ordering: .relaxed) }
                if hasMinus != 0 { minus.store(true, ordering: .relaxed) }
            }
        }
        let layout = try detached().evaluatedLayout()
        try withExtendedLifetime(layout.storage) {
            let first = layout.storage.pointer + layout.offset &* type.size
            try type == .f32 ? look(first.assumingMemoryBound(to: Int32.self)) : look(first.assumingMemoryBound(to: Int64.self))
        }
        return plus.load(ordering: .relaxed) && minus.load(ordering: .relaxed)
    }

    /// The indices that sort along an axis (flattened for `nil`), in f64; equal elements stay in order.
    package func argsorted(axis: Int? = -1) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).argsorted(axis: 0) }
        let position = try Shapes.axis(axis, rank: rank)
        let rows = try detached().converted(to: type == .bool ? .f32 : type).lastAxis(position).contiguous()
        let result = try NDArray.uninitialized(shape: rows.shape, type: .f64)
        try result.withMutableBytes { bytes in
            // Integers, and in their place numbers.
            let order = bytes.assumingMemoryBound(to: Int64.self)
            try rows.orderRows(shape[position], into: order)
            try ThreadPool.parallelPieces(count) { for i in $0 { order[i] = Int64(bitPattern: Double(order[i]).bitPattern) } }
        }
        return try result.axisBack(position)
    }

    /// Where each element of the sorted rows is, all rows one after the other.
    private func orderOfRows(_ length: Int) throws -> [Int] {
        try MemoryPool.allow(count &* 8)
        return try [Int](unsafeUninitializedCapacity: count) { buffer, initializedCount in
            guard let base = buffer.baseAddress else { return }
            try base.withMemoryRebound(to: Int64.self, capacity: count) { try orderRows(length, into: $0) }
            try ThreadPool.parallelPieces(count) { for i in $0 { base[i] &+= i / length &* length } }
            initializedCount = count
        }
    }

    private func orderRows(_ length: Int, into order: UnsafeMutablePointer<Int64>) throws {
        if type == .f32 {
            try withContiguous(of: Float.self) { rows in
                if let base = rows.baseAddress { try Sort.order(of: base, count: count, length: length, into: order) }
            }
        } else {
            try withContiguous(of: Double.self) { rows in
                if let base = rows.baseAddress { try Sort.order(of: base, count: count, length: length, into: order) }
            }
        }
    }

    func lastAxis(_ axis: Int) throws -> NDArray {
        axis == rank - 1 ? self : try transposed((0..<rank).filter { $0 != axis } + [axis])
    }

    /// Undoes `lastAxis`.
    func axisBack(_ axis: Int) throws -> NDArray {
        if axis == rank - 1 { return self }
        var order = Array(0..<(rank - 1))
        order.insert(rank - 1, at: axis)
        return try transposed(order)
    }

    // MARK: Unique and counts

    /// The different elements in ascending order and how often each occurs (f64); NaNs count as one element, −0 as 0.
    package func unique() throws -> (values: NDArray, counts: NDArray) {
        if isTraced {
            // The first of the equal elements is the one that counts.
            let flat = try reshaped(to: [count]), plain = try detached().unique()
            var starts: [Int] = [], next = 0
            for count in try plain.counts.toDoubles() {
                starts.append(next)
                next += Int(count)
            }
            let order = try flat.detached().orderOfRows(count)
            let indices = GatherIndices(starts: starts.map { order[$0] }, chunk: 1)
            let values = try flat.gathered(indices, shape: [starts.count], foundBy: "unique", in: flat)
            return try (values + 0, plain.counts)
        }
        let sorted = try detached().sorted(axis: nil)
        switch type {
        case .f32: return try sorted.runs(of: Float.self)
        case .f64: return try sorted.runs(of: Double.self)
        case .bool:
            let (values, counts) = try sorted.converted(to: .f32).runs(of: Float.self)
            return (try values.converted(to: .bool), counts)
        }
    }

    /// The first element of each run of equal ones of a sorted vector, and the runs' lengths.
    private func runs<T: BinaryFloatingPoint>(of _: T.Type) throws -> (values: NDArray, counts: NDArray) {
        guard count > 0 else { return (self, try NDArray.uninitialized(shape: [0], type: .f64)) }
        // First where each run begins, and the end.
        let starts = try NDArray.uninitialized(shape: [count + 1], type: .f64), values = try NDArray.uninitialized(shape: [count], type: type)
        var runs = 1
        try withContiguous(of: T.self) { elements in
            try values.withMutableBytes { values in
                try starts.withMutableBytes { starts in
                    let values = values.assumingMemoryBound(to: T.self), starts = starts.assumingMemoryBound(to: Double.self)
                    values[0] = elements[0]
                    starts[0] = 0
                    try Interrupt.forEachPiece(count - 1) { piece in
                        for i in piece {
                            let last = elements[i], element = elements[i &+ 1]
                            values[runs] = element
                            starts[runs] = Double(i &+ 1)
                            runs &+= element != last && (element == element || last == last) ? 1 : 0
                        }
                    }
                    starts[runs] = Double(count)
                }
            }
        }
        func cut(_ array: NDArray, _ first: Int, _ count: Int) throws -> NDArray {
            try array.indexed(by: [.slice(start: first, stop: first + count, step: nil)])
        }
        return (try cut(values, 0, runs) + 0, try cut(starts, 1, runs) - cut(starts, 0, runs))
    }

    /// For each axis the indices of the elements that are not 0, in row-major order.
    package func nonzero() throws -> [NDArray] {
        let positions = try detached().converted(to: .bool).truePositions()
        var steps = Shapes.rowMajorStrides(shape)
        for axis in steps.indices where steps[axis] == 0 { steps[axis] = 1 }
        defer { withExtendedLifetime(positions) {} }
        return try (0..<rank).map { axis in
            let (step, size) = (steps[axis], max(1, shape[axis]))
            let result = try NDArray.uninitialized(shape: [positions.count], type: .f64)
            try result.withMutableBytes { bytes in
                let target = bytes.assumingMemoryBound(to: Double.self), places = positions.base
                try ThreadPool.parallelPieces(positions.count) { piece in
                    if rank == 1 {
                        for i in piece { target[i] = Double(places[i]) }
                    } else {
                        for i in piece { target[i] = Double(places[i] / step % size) }
                    }
                }
            }
            return result
        }
    }

    /// Counts of elements in `bins` bins of equal width over `range` (the least and largest element without one), and the bins' edges.
    /// A bin holds its lower edge, the last one its upper edge too. NaN, and what lies outside, is left out.
    package func histogram(bins: Int = 10, range: (low: Operand, high: Operand)? = nil) throws -> (counts: NDArray, edges: NDArray) {
        guard bins > 0, bins < 1 << 48 else { throw ArrayError.badValue(operation: "histogram", .binCount(bins)) }
        let elements = try toDoubles()
        var ends: (low: Operand, high: Operand) = range ?? (0, 1)
        // A NaN goes through both.
        if range == nil, count > 0 { ends = try (.array(reduced(.min)), .array(reduced(.max))) }
        let (low, high) = (try ends.low.item(), try ends.high.item())
        if range == nil {
            if !low.isFinite || !high.isFinite {
                let bad = elements.first { !$0.isFinite } ?? .nan
                throw ArrayError.badValue(operation: "histogram", .infiniteElements(bad))
            }
        }
        guard low.isFinite, high.isFinite, low <= high else {
            throw ArrayError.badValue(operation: "histogram", .badRange(low, high))
        }
        if low == high { ends = try (ends.low.moved(by: -0.5), ends.high.moved(by: 0.5)) }
        let edges = try NDArray.linspace(from: ends.low, to: ends.high, bins + 1)
        return (try histogram(elements, edges: edges.toDoubles(), isUniform: true), edges)
    }

    /// Counts of elements between ascending edges; a bin holds its lower edge, the last one its upper edge too.
    package func histogram(edges: NDArray) throws -> (counts: NDArray, edges: NDArray) {
        let bounds = try edges.toDoubles()
        guard edges.rank == 1, bounds.count >= 2, zip(bounds, bounds.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw ArrayError.badValue(operation: "histogram", .badEdges)
        }
        return (try histogram(toDoubles(), edges: bounds, isUniform: false), edges)
    }

    private func histogram(_ elements: [Double], edges: [Double], isUniform: Bool) throws -> NDArray {
        let bins = edges.count - 1
        let (low, high) = (edges[0], edges[bins])
        let scale = Double(bins) / (high - low)
        let keys = edges.map(NDArray.order)
        // Every part counts for itself: whole numbers have one sum.
        let parts = bins <= 1 << 12 ? max(1, min(16, elements.count >> 14)) : 1, length = (elements.count + parts - 1) / parts
        try MemoryPool.allow(parts &* bins &* 8)
        var counts = [Double](repeating: 0, count: parts * bins)
        try counts.withUnsafeMutableBufferPointer { buffer in
            let all = buffer
            try ThreadPool.parallel(parts) { part in
                let counts = UnsafeMutableBufferPointer(rebasing: all[part * bins..<(part + 1) * bins])
                for i in part * length..<max(part * length, min(elements.count, (part + 1) * length)) {
                    if i & 0xffff == 0, Interrupt.isSet { return }
                    let x = elements[i]
                    guard x >= low && x <= high else { continue }
                    var bin: Int
                    if isUniform, scale.isFinite, scale > 0 {
                        // The quotient may be off by a rounding: the edges decide.
                        bin = min(bins - 1, Int(min((x - low) * scale, Double(bins))))
                        while bin > 0, x < edges[bin] { bin -= 1 }
                        while bin < bins - 1, x >= edges[bin + 1] { bin += 1 }
                    } else {
                        bin = min(bins - 1, NDArray.place(of: x, in: keys, isRight: true) - 1)
                    }
                    counts[bin] += 1
                }
            }
            for part in 1..<max(1, parts) { for bin in 0..<bins { all[bin] += all[part * bins + bin] } }
        }
        return try NDArray(Array(counts[..<bins]), shape: [bins])
    }

    /// Where each of `values` would go in this sorted vector: before equal elements, or after them if `isRight`. NaN is the largest.
    package func searchsorted(_ values: NDArray, isRight: Bool = false) throws -> NDArray {
        guard rank == 1 else { throw ArrayError.rankMismatch(operation: "searchsorted", ranks: 1...1, shape: shape) }
        let elements = try toDoubles().map(NDArray.order), wanted = try values.toDoubles()
        let result = try NDArray.uninitialized(shape: values.shape, type: .f64)
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: Double.self)
            try ThreadPool.parallelPieces(wanted.count, of: 1 << 14) { piece in
                for i in piece { target[i] = Double(NDArray.place(of: wanted[i], in: elements, isRight: isRight)) }
            }
        }
        return result
    }

    /// An integer in the order of numbers, NaN the largest; −0 as 0.
    private static func order(_ x: Double) -> Int64 {
        let bits = Int64(bitPattern: (x + 0).bitPattern)
        return x.isNaN ? .max : bits ^ (bits >> 63 & .max)
    }

    /// How many of `sorted` come before x: those below it, or not above it if `isRight`. No branch depends on an element.
    private static func place(of x: Double, in sorted: [Int64], isRight: Bool) -> Int {
        let key = order(x)
        if isRight, key == .max { return sorted.count }
        let bound = isRight ? key + 1 : key
        return sorted.withUnsafeBufferPointer { sorted in
            var low = 0, length = sorted.count
            while length > 1 {
                let half = length / 2
                low &+= sorted[low &+ half &- 1] < bound ? half : 0
                length &-= half
            }
            return length == 1 && sorted[low] < bound ? low + 1 : low
        }
    }

    // MARK: Quantiles

    /// The middle element along an axis (of all for `nil`), or the mean of the two in the middle.
    /// Of nothing NaN, as the mean.
    package func median(axis: Int? = nil, keepdims: Bool = false) throws -> NDArray {
        let axes = try axis.map { [try Shapes.axis($0, rank: rank)] }
        if axes.map({ shape[$0[0]] == 0 }) ?? (count == 0) { return try mean(axes: axes, keepdims: keepdims) }
        return try quantile(NDArray.scalar(0.5, type: .f64), axis: axis, keepdims: keepdims, operation: "median")
    }

    /// The value below which the part `q` of the elements lies, with linear interpolation between neighbours. `q` is a number, or a vector
    /// whose axis comes first in the result.
    /// - Throws: `emptyReduction`; `badValue` for a q outside 0 … 1.
    package func quantile(_ q: NDArray, axis: Int? = nil, keepdims: Bool = false) throws -> NDArray {
        try quantile(q, axis: axis, keepdims: keepdims, operation: "quantile")
    }

    private func quantile(_ q: NDArray, axis: Int?, keepdims: Bool, operation: String) throws -> NDArray {
        guard q.rank <= 1 else { throw ArrayError.rankMismatch(operation: operation, ranks: 0...1, shape: q.shape) }
        let source = try type == .bool ? converted(to: .f64) : self
        let position = try axis.map { try Shapes.axis($0, rank: rank) }
        let rows = try position.map { try source.lastAxis($0) } ?? source.reshaped(to: [count])
        let last = rows.shape[rows.rank - 1] - 1
        guard last >= 0 else { throw ArrayError.emptyReduction(operation: operation, shape: shape) }
        let plain = try q.detached().converted(to: .f64).reshaped(to: [q.count])
        let isInside = try NDArray.logical(.and, NDArray.compare(.ge, .array(plain), .number(0)), NDArray.compare(.le, .array(plain), .number(1)))
        if try isInside.reduced(.all).item() == 0, let outside = try plain.toDoubles().first(where: { !($0 >= 0 && $0 <= 1) }) {
            throw ArrayError.badValue(operation: operation, .notBetween0And1(outside))
        }
        let place = try plain * Double(last)
        let below = try NDArray.unary(.floor, place), above = try NDArray.binary(.min, below + 1, Double(last))
        let sorted = try rows.sorted()
        let a = try sorted.indexed(by: [.ellipsis, .array(below)])
        let b = try sorted.indexed(by: [.ellipsis, .array(above)])
        var t = try (place - below).converted(to: source.type)
        if q.isTraced { t = try (q.converted(to: .f64) * Double(last) - below.reshaped(to: q.shape)).reshaped(to: t.shape).converted(to: t.type) }
        // a (1 − t) + b t, but exactly a where t is 0 or b equals a: there b stands in for nothing, lest infinities meet.
        let isPlain = try NDArray.logical(.or, NDArray.compare(.eq, .array(a), .array(b)), NDArray.compare(.eq, .array(t), .number(0)))
        let mixed = try NDArray.select(isPlain, .number(0), .array(a)) * (1 - t) + NDArray.select(isPlain, .number(0), .array(b)) * t
        let values = try NDArray.select(isPlain, .array(a), .array(mixed))
        let end = try NDArray.test(.isnan, sorted.detached().indexed(by: [.ellipsis, .slice(start: last, stop: nil, step: nil)]))
        var result = try NDArray.select(end, .number(.nan), .array(values))
        // The axis of q comes first; then what is left of the array's.
        if keepdims {
            let kept = position.map { axis in shape.indices.map { $0 == axis ? 1 : shape[$0] } } ?? shape.map { _ in 1 }
            result = try result.transposed([result.rank - 1] + Array(0..<(result.rank - 1))).reshaped(to: [below.count] + kept)
        } else if result.rank > 1 {
            result = try result.transposed([result.rank - 1] + Array(0..<(result.rank - 1)))
        }
        return q.rank == 0 ? try result.reshaped(to: Array(result.shape.dropFirst())) : result
    }
}
