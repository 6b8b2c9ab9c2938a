// The largest few elements of each row, without sorting the others.

import ActArray

extension NDArray {
    /// The `k` largest elements along an axis, the largest first, and where they were; of equal ones the first. NaN counts as largest.
    package func largest(_ k: Int, axis: Int) throws -> (values: NDArray, indices: NDArray) {
        let position = try Shapes.axis(axis, rank: rank)
        let size = shape[position]
        guard k >= 0, k <= size else { throw ArrayError.badValue(operation: "top_k", .tooLargeK(k, axis: position, size: size)) }
        if k <= 128, k <= size / 8, !isSymbol, let indices = try positionsOfLargest(k, axis: position) {
            return (try takenAlong(indices, axis: position), indices)
        }
        // Ascending order keeps equal elements in order: of the flipped array, flipped back, the first are first again.
        let order = try detached().flipped([position]).argsorted(axis: position).flipped([position])
        var ranges = shape.map { SliceRange(start: 0, step: 1, count: $0) }
        ranges[position].count = k
        let indices = try Double(size - 1) - order.sliced(ranges)
        // Where they stand for any, the order shows that the elements decide.
        if isSymbol { return (try sorted(axis: position).flipped([position]).sliced(ranges), indices) }
        return (try takenAlong(indices, axis: position), indices)
    }

    /// - Returns: `nil` where elements ascend for so long that it is quicker to sort them.
    private func positionsOfLargest(_ k: Int, axis: Int) throws -> NDArray? {
        let rows = try detached().converted(to: type == .bool ? .f32 : type).lastAxis(axis).contiguous()
        let result = try FreshArray(shape: rows.shape.dropLast() + [k], type: .f64)
        if result.count == 0 { return try result.finished().axisBack(axis) }
        let positions = result.elements(of: Double.self)
        func run<T: BinaryFloatingPoint>(_: T.Type) throws {
            let length = shape[axis]
            try rows.withContiguous(of: T.self) { elements in
                guard let base = elements.baseAddress else { return }
                try ThreadPool.parallelPieces(rows.count / length, of: max(1, (1 << 15) / length)) { piece in
                    for row in piece {
                        var few = FewLargest(of: base + row &* length, k, length: length)
                        try Interrupt.forEachPiece(length &- k, of: 1 << 18) { try few.look(at: k &+ $0.lowerBound..<k &+ $0.upperBound) }
                        for (place, index) in few.inOrder.enumerated() { positions[row &* k &+ place] = Double(index) }
                    }
                }
            }
        }
        do { if rows.type == .f32 { try run(Float.self) } else { try run(Double.self) } } catch is Ascent { return nil }
        return try result.finished().axisBack(axis)
    }
}

/// More elements took a place among the largest than do of elements in any usual order.
private struct Ascent: Error {}

/// The positions of the largest elements of a row that has been looked at so far, as a heap: the one that goes first is at the top.
private struct FewLargest<T: BinaryFloatingPoint> {
    private let row: UnsafePointer<T>
    private var heap: [Int]
    /// How many more elements may take the place of another.
    private var changes: Int

    init(of row: UnsafePointer<T>, _ k: Int, length: Int) {
        self.row = row
        // Of n elements in random order some k ln(n / k) do.
        changes = 32 &* k &+ length / 64
        heap = Array(0..<k)
        for place in (0..<k / 2).reversed() { sink(from: place) }
    }

    /// The largest first.
    var inOrder: [Int] { heap.sorted { goes($1, before: $0) } }

    /// - Throws: `Ascent`.
    mutating func look(at range: Range<Int>) throws {
        var least = row[heap[0]]
        for index in range where !(row[index] <= least) {
            // Of equal ones the first stay, and so do the first NaNs.
            if least.isNaN { return }
            changes &-= 1
            if changes < 0 { throw Ascent() }
            heap[0] = index
            sink(from: 0)
            least = row[heap[0]]
        }
    }

    /// Whether the element at `i` is given up before that at `j`.
    private func goes(_ i: Int, before j: Int) -> Bool {
        let (x, y) = (row[i], row[j])
        if x < y || y.isNaN && !x.isNaN { return true }
        return (x == y || x.isNaN && y.isNaN) && i > j
    }

    private mutating func sink(from start: Int) {
        var place = start
        while true {
            var first = place
            for child in 2 &* place &+ 1...2 &* place &+ 2 where child < heap.count && goes(heap[child], before: heap[first]) { first = child }
            if first == place { return }
            heap.swapAt(first, place)
            place = first
        }
    }
}
