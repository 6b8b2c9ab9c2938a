// Order and counting: sort, unique, nonzero, histogram, quantiles. NaN sorts last and makes medians and quantiles NaN. What depends on
// the elements' order but picks them (sort, median, quantile) goes through gather, so that derivatives follow.


extension NDArray {
    /// The elements in ascending order along an axis; flattened for `nil`.
    package func sorted(axis: Int? = -1) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).sorted(axis: 0) }
        let position = try Shapes.axis(axis, rank: rank)
        if type == .bool { return try converted(to: .f32).sorted(axis: position).converted(to: .bool) }
        let rows = try lastAxis(position).contiguous()
        let length = shape[position]
        if isTraced {
            let order = try rows.detached().orderOfRows(length)
            var starts = order
            try Interrupt.forEachPiece(starts.count) { for i in $0 { starts[i] &+= i / length &* length } }
            return try rows.gathered(GatherIndices(starts: starts, chunk: 1), shape: rows.shape).axisBack(position)
        }
        var result = rows
        try result.makeUnique()
        let count = self.count
        try result.withMutableBytes { bytes in
            if type == .f32 {
                try NDArray.forEachRow(count, length) { try Sort.sort(bytes.assumingMemoryBound(to: Float.self) + $0, count: length, isParallel: $1) }
            } else {
                try NDArray.forEachRow(count, length) { try Sort.sort(bytes.assumingMemoryBound(to: Double.self) + $0, count: length, isParallel: $1) }
            }
        }
        return try result.axisBack(position)
    }

    /// The indices that sort along an axis (flattened for `nil`), in f64; equal elements stay in order.
    package func argsorted(axis: Int? = -1) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).argsorted(axis: 0) }
        let position = try Shapes.axis(axis, rank: rank)
        let rows = try detached().converted(to: type == .bool ? .f32 : type).lastAxis(position).contiguous()
        let result = try NDArray.uninitialized(shape: rows.shape, type: .f64)
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: Double.self)
            try rows.eachOrder(shape[position]) { target[$0] = Double($1) }
        }
        return try result.axisBack(position)
    }

    /// For each row the order that sorts it, all rows one after the other.
    private func orderOfRows(_ length: Int) throws -> [Int] {
        try MemoryPool.allow(count &* 16)
        var order = [Int](repeating: 0, count: count)
        try order.withUnsafeMutableBufferPointer { buffer in try eachOrder(length) { buffer[$0] = $1 } }
        return order
    }

    /// Calls `body` with each flat position of the result and the index within its row.
    private func eachOrder(_ length: Int, _ body: (_ position: Int, _ index: Int) -> Void) throws {
        if type == .f32 {
            try withContiguous(of: Float.self) { rows in
                guard let base = rows.baseAddress else { return }
                try NDArray.forEachRow(count, length) { row, isParallel in
                    try Sort.order(of: base + row, count: length, isParallel: isParallel) { body(row &+ $0, $1) }
                }
            }
        } else {
            try withContiguous(of: Double.self) { rows in
                guard let base = rows.baseAddress else { return }
                try NDArray.forEachRow(count, length) { row, isParallel in
                    try Sort.order(of: base + row, count: length, isParallel: isParallel) { body(row &+ $0, $1) }
                }
            }
        }
    }

    /// Runs `body` with the start of every row: long rows one by one, each on all threads; short ones side by side.
    private static func forEachRow(_ count: Int, _ length: Int, _ body: (_ start: Int, _ isParallel: Bool) throws -> Void) throws {
        guard count > 0, length > 0 else { return }
        let rows = count / length
        if length >= 1 << 16 || rows == 1 {
            for row in 0..<rows {
                try Interrupt.check()
                try body(row * length, true)
            }
            return
        }
        let part = max(1, (1 << 14) / length)
        let failure = FirstError()
        ThreadPool.parallelFor((rows + part - 1) / part) { index in
            failure.catching {
                for row in index * part..<min(rows, (index + 1) * part) { try body(row * length, false) }
                try Interrupt.check()
            }
        }
        try failure.rethrow()
    }

    private func lastAxis(_ axis: Int) throws -> NDArray {
        axis == rank - 1 ? self : try transposed((0..<rank).filter { $0 != axis } + [axis])
    }

    /// Undoes `lastAxis`.
    private func axisBack(_ axis: Int) throws -> NDArray {
        if axis == rank - 1 { return self }
        var order = Array(0..<(rank - 1))
        order.insert(rank - 1, at: axis)
        return try transposed(order)
    }

    // MARK: Unique and counts

    /// The different elements in ascending order and how often each occurs (f64); NaNs count as one element, −0 as 0.
    package func unique() throws -> (values: NDArray, counts: NDArray) {
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
        try withContiguous(of: T.self) { elements in
            func begins(_ i: Int) -> Bool {
                let element = elements[i], last = elements[i &- 1]
                return element != last && (element == element || last == last)
            }
            var runs = min(1, elements.count)
            try Interrupt.forEachPiece(max(0, elements.count - 1)) { piece in
                for i in piece { runs &+= begins(i &+ 1) ? 1 : 0 }
            }
            let values = try NDArray.uninitialized(shape: [runs], type: type), counts = try NDArray.uninitialized(shape: [runs], type: .f64)
            guard runs > 0 else { return (values, counts) }
            try values.withMutableBytes { values in
                try counts.withMutableBytes { counts in
                    let values = values.assumingMemoryBound(to: T.self), counts = counts.assumingMemoryBound(to: Double.self)
                    var run = 0, start = 0
                    values[0] = elements[0]
                    try Interrupt.forEachPiece(elements.count - 1) { piece in
                        for i in piece where begins(i &+ 1) {
                            counts[run] = Double(i &+ 1 &- start)
                            run &+= 1
                            start = i &+ 1
                            values[run] = elements[start]
                        }
                    }
                    counts[run] = Double(elements.count - start)
                }
            }
            return (values, counts)
        }
    }

    /// For each axis the indices of the elements that are not 0, in row-major order.
    package func nonzero() throws -> [NDArray] {
        let positions = try detached().converted(to: .bool).truePositions()
        var steps = Shapes.rowMajorStrides(shape)
        for axis in steps.indices where steps[axis] == 0 { steps[axis] = 1 }
        return try (0..<rank).map { axis in
            let (step, size) = (steps[axis], max(1, shape[axis]))
            let result = try NDArray.uninitialized(shape: [positions.count], type: .f64)
            try result.withMutableBytes { bytes in
                let target = bytes.assumingMemoryBound(to: Double.self)
                try ThreadPool.parallelPieces(positions.count) { for i in $0 { target[i] = Double(positions[i] / step % size) } }
            }
            return result
        }
    }

    /// How often each of 0, 1, 2 … occurs, or the sum of the weights where it does.
    /// - Throws: `indexNotWhole`; `badValue` for negative numbers; `shapesDiffer` when weights do not fit.
    package func bincount(weights: NDArray? = nil, minLength: Int = 0) throws -> NDArray {
        if minLength < 0 { throw ArrayError.negativeSize(minLength) }
        if let weights, weights.shape != shape { throw ArrayError.shapesDiffer(operation: "bincount", shape, weights.shape, axis: nil) }
        let numbers = try toDoubles()
        var largest = -1
        try Interrupt.forEachPiece(numbers.count) { piece in
            for number in numbers[piece] {
                guard let bin = Int(exactly: number) else { throw ArrayError.indexNotWhole(number) }
                guard bin >= 0 else { throw ArrayError.badValue(operation: "bincount", reason: "\(bin) is negative") }
                largest = max(largest, bin)
            }
        }
        guard largest < 1 << 48 else { throw ArrayError.tooLarge(shape: [largest]) }
        let amounts = try weights?.toDoubles()
        let result = try NDArray.full(0, shape: [max(minLength, largest + 1)], type: .f64)
        try result.withMutableBytes { bytes in
            let sums = bytes.assumingMemoryBound(to: Double.self)
            try Interrupt.forEachPiece(numbers.count) { piece in
                for i in piece { sums[Int(numbers[i])] += amounts?[i] ?? 1 }
            }
        }
        return result
    }

    /// Counts of elements in `bins` bins of equal width over `range` (the least and largest element without one), and the bins' edges.
    /// A bin holds its lower edge, the last one its upper edge too. NaN, and what lies outside, is left out.
    package func histogram(bins: Int = 10, range: (low: Double, high: Double)? = nil) throws -> (counts: NDArray, edges: NDArray) {
        guard bins > 0, bins < 1 << 48 else { throw ArrayError.badValue(operation: "histogram", reason: "the number of bins is \(bins), not 1 or more") }
        let elements = try toDoubles()
        var (low, high) = range ?? (elements.isEmpty ? (0, 1) : (elements.min() ?? 0, elements.max() ?? 1))
        if range == nil, let bad = elements.first(where: { !$0.isFinite }) {
            throw ArrayError.badValue(operation: "histogram", reason: "the elements contain \(bad): give a range")
        }
        guard low.isFinite, high.isFinite, low <= high else {
            throw ArrayError.badValue(operation: "histogram", reason: "the range \(low) to \(high) is not one of finite, ascending numbers")
        }
        if low == high { (low, high) = (low - 0.5, high + 0.5) }
        let edges = try NDArray.linspace(low, high, bins + 1)
        return (try histogram(elements, edges: edges.toDoubles(), isUniform: true), edges)
    }

    /// Counts of elements between ascending edges; a bin holds its lower edge, the last one its upper edge too.
    package func histogram(edges: NDArray) throws -> (counts: NDArray, edges: NDArray) {
        let bounds = try edges.toDoubles()
        guard edges.rank == 1, bounds.count >= 2, zip(bounds, bounds.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw ArrayError.badValue(operation: "histogram", reason: "the edges must be a vector of two or more ascending numbers")
        }
        return (try histogram(toDoubles(), edges: bounds, isUniform: false), edges)
    }

    private func histogram(_ elements: [Double], edges: [Double], isUniform: Bool) throws -> NDArray {
        let bins = edges.count - 1
        let (low, high) = (edges[0], edges[bins])
        let scale = Double(bins) / (high - low)
        let counts = try NDArray.full(0, shape: [bins], type: .f64)
        try counts.withMutableBytes { bytes in
            let counts = bytes.assumingMemoryBound(to: Double.self)
            try Interrupt.forEachPiece(elements.count) { piece in
                for x in elements[piece] where x >= low && x <= high {
                    var bin: Int
                    if isUniform, scale.isFinite, scale > 0 {
                        // The quotient may be off by a rounding: the edges decide.
                        bin = min(bins - 1, Int(min((x - low) * scale, Double(bins))))
                        while bin > 0, x < edges[bin] { bin -= 1 }
                        while bin < bins - 1, x >= edges[bin + 1] { bin += 1 }
                    } else {
                        bin = min(bins - 1, NDArray.place(of: x, in: edges, isRight: true) - 1)
                    }
                    counts[bin] += 1
                }
            }
        }
        return counts
    }

    /// Where each of `values` would go in this sorted vector: before equal elements, or after them if `isRight`. NaN is the largest.
    package func searchsorted(_ values: NDArray, isRight: Bool = false) throws -> NDArray {
        guard rank == 1 else { throw ArrayError.rankMismatch(operation: "searchsorted", expected: "1", shape: shape) }
        let elements = try toDoubles(), wanted = try values.toDoubles()
        let result = try NDArray.uninitialized(shape: values.shape, type: .f64)
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: Double.self)
            try ThreadPool.parallelPieces(wanted.count, of: 1 << 14) { piece in
                for i in piece { target[i] = Double(NDArray.place(of: wanted[i], in: elements, isRight: isRight)) }
            }
        }
        return result
    }

    private static func place(of x: Double, in sorted: [Double], isRight: Bool) -> Int {
        var low = 0, high = sorted.count
        while low < high {
            let middle = (low + high) / 2, element = sorted[middle]
            let isBefore = isRight ? !(x < element || element.isNaN && !x.isNaN) : element < x || x.isNaN && !element.isNaN
            if isBefore { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: Quantiles

    /// The middle element along an axis (of all for `nil`), or the mean of the two in the middle.
    package func median(axis: Int? = nil, keepdims: Bool = false) throws -> NDArray {
        try quantile(NDArray.scalar(0.5, type: .f64), axis: axis, keepdims: keepdims, operation: "median")
    }

    /// The value below which the part `q` of the elements lies, with linear interpolation between neighbours. `q` is a number, or a vector
    /// whose axis comes first in the result.
    /// - Throws: `emptyReduction`; `badValue` for a q outside 0 … 1.
    package func quantile(_ q: NDArray, axis: Int? = nil, keepdims: Bool = false) throws -> NDArray {
        try quantile(q, axis: axis, keepdims: keepdims, operation: "quantile")
    }

    private func quantile(_ q: NDArray, axis: Int?, keepdims: Bool, operation: String) throws -> NDArray {
        guard q.rank <= 1 else { throw ArrayError.rankMismatch(operation: operation, expected: "1", shape: q.shape) }
        let source = try type == .bool ? converted(to: .f64) : self
        let position = try axis.map { try Shapes.axis($0, rank: rank) }
        let rows = try position.map { try source.lastAxis($0) } ?? source.reshaped(to: [count])
        let last = rows.shape[rows.rank - 1] - 1
        guard last >= 0 else { throw ArrayError.emptyReduction(operation: operation, shape: shape) }
        var below: [Double] = [], above: [Double] = [], parts: [Double] = []
        for q in try q.toDoubles() {
            guard q >= 0, q <= 1 else { throw ArrayError.badValue(operation: operation, reason: "\(q) is not between 0 and 1") }
            let place = q * Double(last), floor = place.rounded(.down)
            below.append(floor)
            above.append(min(floor + 1, Double(last)))
            parts.append(place - floor)
        }
        let sorted = try rows.sorted()
        let a = try sorted.indexed(by: [.ellipsis, .array(NDArray(below, shape: [below.count]))])
        let b = try sorted.indexed(by: [.ellipsis, .array(NDArray(above, shape: [above.count]))])
        let t = try NDArray(parts, shape: [parts.count], type: source.type)
        // a (1 − t) + b t, but exactly a where t is 0 (b may be infinite) or b equals a.
        let mixed = try a * (1 - t) + b * t
        let plain = try NDArray.logical(.or, NDArray.compare(.eq, .array(a), .array(b)), NDArray.compare(.eq, .array(t), .number(0)))
        let values = try NDArray.select(plain, .array(a), .array(mixed))
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

/// Keeps the first error thrown on any of several threads.
final class FirstError: @unchecked Sendable {
    private var error: (any Error)?
    private static let lock = Lock()

    func catching(_ body: () throws -> Void) {
        do { try body() } catch {
            FirstError.lock.locked { self.error = self.error ?? error }
        }
    }

    /// For when all threads are done.
    func rethrow() throws {
        if let error { throw error }
    }
}
