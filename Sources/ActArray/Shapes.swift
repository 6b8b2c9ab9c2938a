// Arithmetic on shapes: sizes, strides, broadcasting, axes. All of it checks for overflow and throws errors of shape.

package enum Shapes {
    /// The largest rank of an array.
    package static let rankLimit = 32

    /// The shape of a vector: those of short ones are there already, for rows of matrices are made all the time.
    static func ofVector(_ count: Int) -> [Int] { short.indices.contains(count) ? short[count] : [count] }

    private static let short = (0..<256).map { [$0] }

    /// The number of elements of an array of this shape.
    /// - Throws: `negativeSize`, `tooLarge` (2^48 elements and more), `badValue` past the rank limit.
    package static func count(_ shape: [Int]) throws -> Int {
        guard shape.count <= rankLimit else {
            throw ArrayError.badValue(operation: "shape", .rankLimit(rankLimit))
        }
        var count = 1
        var isEmpty = false
        for size in shape {
            if size < 0 { throw ArrayError.negativeSize(size) }
            if size == 0 { isEmpty = true; continue }
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard !overflow, product < 1 << 48 else { throw ArrayError.tooLarge(shape: shape) }
            count = product
        }
        return isEmpty ? 0 : count
    }

    /// Strides, in elements, of a row-major array without gaps.
    package static func rowMajorStrides(_ shape: [Int]) -> [Int] {
        // (Arrays that are written out are made without asking for their type at run time.)
        switch shape.count {
        case 1: return [1]
        case 2: return [shape[1], 1]
        case 3: return [shape[1] &* shape[2], shape[2], 1]
        default: break
        }
        var strides = shape, step = 1
        for axis in shape.indices.reversed() {
            strides[axis] = step
            step = step &* shape[axis]
        }
        return strides
    }

    /// `nil` when the strides are those of a row-major array without gaps.
    package static func simplified(_ strides: [Int], _ shape: [Int]) -> [Int]? {
        if shape.contains(0) { return nil }
        var step = 1
        for axis in shape.indices.reversed() where shape[axis] != 1 {
            if strides[axis] != step { return strides }
            step = step &* shape[axis]
        }
        return nil
    }

    /// The shape both broadcast to.
    package static func broadcast(_ a: [Int], _ b: [Int]) throws -> [Int] {
        if a == b || b.isEmpty { return a }
        if a.isEmpty { return b }
        var shape = a.count >= b.count ? a : b
        for back in 1...min(a.count, b.count) {
            let sizeA = a[a.count - back], sizeB = b[b.count - back]
            guard sizeA == sizeB || sizeA == 1 || sizeB == 1 else { throw ArrayError.shapesDoNotBroadcast(a, b, axis: -back) }
            shape[shape.count - back] = sizeA == 1 ? sizeB : sizeA
        }
        _ = try count(shape)
        return shape
    }

    /// Strides that show an array of `shape` and `strides` as one of `target`; `nil` when it does not broadcast.
    package static func broadcastStrides(_ shape: [Int], _ strides: [Int], to target: [Int]) -> [Int]? {
        guard shape.count <= target.count else { return nil }
        var result = [Int](repeating: 0, count: target.count)
        let lead = target.count - shape.count
        for axis in shape.indices where shape[axis] != 1 {
            guard shape[axis] == target[lead + axis] else { return nil }
            result[lead + axis] = strides[axis]
        }
        return result
    }

    /// The axis counted from 0; negative axes count from the end.
    package static func axis(_ axis: Int, rank: Int) throws -> Int {
        guard axis >= -rank, axis < rank else { throw ArrayError.axisOutOfRange(axis: axis, rank: rank) }
        return axis < 0 ? axis + rank : axis
    }

    /// The axes counted from 0, ascending; all of them for `nil`.
    package static func axes(_ axes: [Int]?, rank: Int) throws -> [Int] {
        guard let axes else { return Array(0..<rank) }
        let sorted = try axes.map { try axis($0, rank: rank) }.sorted()
        for i in sorted.indices.dropFirst() where sorted[i] == sorted[i - 1] { throw ArrayError.repeatedAxis(sorted[i]) }
        return sorted
    }
}

extension NDArray {
    /// The shape that both shapes broadcast to, as in NumPy.
    /// - Throws: `shapesDoNotBroadcast` with the last axis that differs, counted from the end.
    package static func broadcastShape(_ a: [Int], _ b: [Int]) throws -> [Int] {
        try Shapes.broadcast(a, b)
    }

    /// Whether broadcasting stretches both although their ranks differ, as `(3,)` with `(3, 1)`: usually a mistake.
    package static func stretchesBoth(_ a: [Int], _ b: [Int]) -> Bool {
        guard a.count != b.count, !a.isEmpty, !b.isEmpty, let shape = try? Shapes.broadcast(a, b) else { return false }
        return shape != a && shape != b
    }
}

/// Axes of one or more views of the same shape, with axes of size 1 dropped and neighbours merged where every view allows it.
struct MergedAxes {
    private(set) var shape: [Int] = []
    /// For each view the strides of the merged axes.
    private(set) var strides: [[Int]]

    init(_ shape: [Int], _ views: [[Int]]) {
        strides = views.map { _ in [] }
        for axis in shape.indices where shape[axis] != 1 {
            let mergeable =
                !self.shape.isEmpty
                && views.indices.allSatisfy { view in
                    strides[view][self.shape.count - 1] == views[view][axis] &* shape[axis]
                }
            if mergeable {
                self.shape[self.shape.count - 1] &*= shape[axis]
                for view in views.indices { strides[view][self.shape.count - 1] = views[view][axis] }
            } else {
                self.shape.append(shape[axis])
                for view in views.indices { strides[view].append(views[view][axis]) }
            }
        }
    }
}
