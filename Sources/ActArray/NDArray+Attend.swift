// Attention: softmax(q kᵀ/√d) v for each head. Small products are made at once; of long sequences the scores are made a few queries at a
// time and made again on the way back, so that memory grows with the length, not with its square.
//
// What must stay true: both ways mean the same but for rounding; derivatives of derivatives follow, by the way that makes all at once.

extension NDArray {
    /// - Parameters:
    ///   - q, k, v: (…, queries, size), (…, keys, size), (…, keys, width); the last axis holds the heads side by side.
    ///   - isCausal: Whether query i sees keys 0 … i only.
    /// - Throws: `badValue`, `shapesDiffer`, `outOfMemory`, `interrupted`.
    package static func attend(_ q: NDArray, _ k: NDArray, _ v: NDArray, heads: Int, isCausal: Bool) throws -> NDArray {
        func fail(_ reason: String) -> ArrayError { .badValue(operation: "attend", reason: reason) }
        for x in [q, k, v] where x.rank < 2 { throw ArrayError.rankMismatch(operation: "attend", expected: "2", shape: x.shape) }
        guard heads > 0 else { throw fail("the number of heads is \(heads), not 1 or more") }
        let size = q.shape[q.rank - 1], width = v.shape[v.rank - 1]
        guard k.shape[k.rank - 1] == size else { throw ArrayError.shapesDiffer(operation: "attend", q.shape, k.shape, axis: q.rank - 1) }
        guard k.shape[k.rank - 2] == v.shape[v.rank - 2] else { throw ArrayError.shapesDiffer(operation: "attend", k.shape, v.shape, axis: k.rank - 2) }
        guard size % heads == 0, width % heads == 0 else { throw fail("the last axis of size \(size % heads == 0 ? width : size) does not divide into \(heads) heads") }
        guard size > 0 else { throw fail("queries and keys have no elements") }
        guard k.shape[k.rank - 2] > 0 else { throw fail("there are no keys to attend to") }
        var type = q.type.promoted(with: k.type).promoted(with: v.type)
        if type == .bool { type = .f64 }
        let batch = try Shapes.broadcast(Shapes.broadcast(Array(q.shape.dropLast(2)), Array(k.shape.dropLast(2))), Array(v.shape.dropLast(2)))
        let rows = try Shapes.count(batch)
        func planes(_ x: NDArray) throws -> NDArray {
            let inner = Array(x.shape.suffix(2))
            return try x.converted(to: type).broadcast(to: batch + inner).reshaped(to: [rows] + inner)
        }
        let (queries, keys, values) = (try planes(q), try planes(k), try planes(v))
        let attention = Attention(heads: heads, isCausal: isCausal, size: size)
        let result = try attention.isShort(rows, queries, keys) ? attention.whole(queries, keys, values) : attention.blockwise(queries, keys, values)
        return try result.reshaped(to: batch + [q.shape[q.rank - 2], width])
    }
}

/// Attention of rows of sequences: (rows, time, heads · part).
private final class Attention: CustomFunction {
    private let heads: Int
    private let isCausal: Bool
    private let scale: Double
    let name = "attend", isElementwise = false

    /// How many scores are made at once.
    private static let limit = 1 << 20

    init(heads: Int, isCausal: Bool, size: Int) {
        self.heads = heads
        self.isCausal = isCausal
        scale = 1 / Double(size / heads).squareRoot()
    }

    var attributes: [Attribute] { [Attribute("heads", heads), Attribute("causal", .flag(isCausal))] }

    func lowered(_ x: [NDArray]) throws -> NDArray? { try whole(x[0], x[1], x[2]) }

    func isShort(_ rows: Int, _ q: NDArray, _ k: NDArray) -> Bool {
        Double(rows) * Double(heads) * Double(q.shape[1]) * Double(k.shape[1]) <= Double(4 * Attention.limit)
    }

    // MARK: At once

    /// (rows, time, heads · part) as (rows, heads, time, part), and back.
    private func split(_ x: NDArray) throws -> NDArray {
        try x.reshaped(to: [x.shape[0], x.shape[1], heads, x.shape[2] / heads]).transposed([0, 2, 1, 3])
    }

    private func merged(_ x: NDArray) throws -> NDArray {
        try x.transposed([0, 2, 1, 3]).reshaped(to: [x.shape[0], x.shape[2], heads * x.shape[3]])
    }

    /// How much each query attends to each key: (…, queries, keys).
    private func shares(_ q: NDArray, _ k: NDArray, first: Int = 0) throws -> NDArray {
        var scores = try NDArray.matmul(q * scale, k.matrixTransposed())
        if isCausal {
            let queries = q.shape[q.rank - 2], keys = k.shape[k.rank - 2]
            let rows = try NDArray.range(Double(first), Double(first + queries), 1).reshaped(to: [queries, 1])
            let isSeen = try NDArray.compare(.le, .array(NDArray.range(0, Double(keys), 1)), .array(rows))
            scores = try NDArray.select(isSeen, .array(scores), .number(-.infinity))
        }
        return try scores.softmax()
    }

    func whole(_ q: NDArray, _ k: NDArray, _ v: NDArray) throws -> NDArray {
        try merged(NDArray.matmul(shares(split(q), split(k)), split(v)))
    }

    /// What reaches queries, keys and values of one or more heads.
    private func pulled(_ q: NDArray, _ k: NDArray, _ v: NDArray, _ c: NDArray, first: Int = 0) throws -> (q: NDArray, k: NDArray, v: NDArray) {
        let p = try shares(q, k, first: first)
        let reached = try NDArray.matmul(c, v.matrixTransposed())
        let inner = try (reached * p).reduced(.sum, axes: [-1], keepdims: true)
        let slopes = try p * (reached - inner) * scale
        return (try NDArray.matmul(slopes, k), try NDArray.matmul(slopes.matrixTransposed(), q), try NDArray.matmul(p.matrixTransposed(), c))
    }

    // MARK: A few queries at a time

    func blockwise(_ q: NDArray, _ k: NDArray, _ v: NDArray) throws -> NDArray {
        var result = try NDArray.full(0, shape: [q.shape[0], q.shape[1], v.shape[2]], type: q.type)
        try forEachBlock(q.detached(), k.detached(), v.detached()) { block in
            let p = try shares(block.q, block.k, first: block.queries.lowerBound)
            try result.assign(.array(NDArray.matmul(p, block.v)), at: block.index(block.queries, v.shape[2] / heads))
        }
        return try NDArray.custom(self, inputs: [q, k, v], value: result)
    }

    func pullback(cotangent c: NDArray, inputs: [NDArray], result: NDArray) throws -> [NDArray?] {
        let (q, k, v) = (inputs[0], inputs[1], inputs[2])
        if c.isTraced || inputs.contains(where: \.isTraced) {
            let reached = try pulled(split(q), split(k), split(v), split(c))
            return [try merged(reached.q), try merged(reached.k), try merged(reached.v)]
        }
        var sums = try inputs.map { try NDArray.full(0, shape: $0.shape, type: $0.type) }
        try forEachBlock(q, k, v) { block in
            let own = block.index(block.queries, v.shape[2] / heads), keys = 0..<block.k.shape[0]
            let reached = try pulled(block.q, block.k, block.v, c.indexed(by: own), first: block.queries.lowerBound)
            try sums[0].assign(.array(reached.q), at: block.index(block.queries, q.shape[2] / heads))
            for (i, part) in [(1, reached.k), (2, reached.v)] {
                let place = block.index(keys, inputs[i].shape[2] / heads)
                let sum = try sums[i].indexed(by: place) + part
                // Computed before it is written over.
                try sum.evaluate()
                try sums[i].assign(.array(sum), at: place)
            }
        }
        return sums
    }

    private struct Block {
        let row: Int, head: Int
        let queries: Range<Int>
        /// Of one head: (time, part).
        let q: NDArray, k: NDArray, v: NDArray

        func index(_ times: Range<Int>, _ part: Int) -> [NDArray.Index] {
            [.integer(row), .slice(start: times.lowerBound, stop: times.upperBound, step: nil), .slice(start: head * part, stop: (head + 1) * part, step: nil)]
        }
    }

    private func forEachBlock(_ q: NDArray, _ k: NDArray, _ v: NDArray, _ body: (Block) throws -> Void) throws {
        let queries = q.shape[1], keys = k.shape[1], length = max(1, Attention.limit / keys)
        func part(_ x: NDArray, _ row: Int, _ head: Int, _ times: Range<Int>) throws -> NDArray {
            let size = x.shape[2] / heads
            return try x.sliced([
                SliceRange(start: row, step: 1, count: 1), SliceRange(start: times.lowerBound, step: 1, count: times.count),
                SliceRange(start: head * size, step: 1, count: size),
            ]).reshaped(to: [times.count, size])
        }
        for row in 0..<q.shape[0] {
            for head in 0..<heads {
                for start in stride(from: 0, to: queries, by: length) {
                    try Interrupt.check()
                    let range = start..<min(queries, start + length)
                    // Keys that no query of the block sees need not be looked at.
                    let seen = 0..<(isCausal ? min(keys, range.upperBound) : keys)
                    try body(
                        Block(
                            row: row, head: head, queries: range, q: part(q, row, head, range), k: part(k, row, head, seen), v: part(v, row, head, seen)))
                }
            }
        }
    }
}
