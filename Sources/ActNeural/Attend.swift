// Attention: softmax(q kᵀ/√d) v for each head, in blocks of queries and keys, so that memory grows with the length of the sequence and not
// with its square. T. Dao et al. 2022, "FlashAttention".
//
// A head's scores are never there as a whole. Of each query the largest score and the sum of all e^(score - largest) are kept; with them the
// way back makes the shares of a block anew.
//
// What must stay true: blocks and their order are those of the sizes alone, so that threads do not show in the bits.

import ActArray
import ActGrad
import ActRandom

/// Shares of a head that are left out in training, the others being made larger in their place: of random words one for each query and key.
package struct AttentionDropout {
    package let rate: Double
    package let words: RandomStretch

    package init(rate: Double, words: RandomStretch) { (self.rate, self.words) = (rate, words) }

    /// Multiplies some numbers by what their shares keep.
    /// - Parameter first: The number of the first one's word.
    @inline(__always)
    fileprivate func apply<T: BinaryFloatingPoint>(_ numbers: UnsafeMutablePointer<T>, _ count: Int, from first: Int) {
        let kept = T(1 / (1 - rate))
        words.forEach(from: first, count: count, share: rate) { numbers[$0] *= $1 ? 0 : kept }
    }
}

extension NDArray {
    /// What each query gets of the values: shape (…, queries, numbers of a value), the heads side by side as they are in the operands.
    /// - Parameters:
    ///   - q, k, v: (…, queries, size), (…, keys, size) and (…, keys, size of a value), all of `heads` equal parts along the last axis; the
    ///     first axes broadcast.
    ///   - causal: Whether a query sees the keys up to its own position only.
    ///   - dropout: Which shares are left out; its words are those of (first axes, heads, queries, keys).
    /// - Throws: `ArrayError.badValue` for what does not fit; `outOfMemory`, `interrupted`.
    package static func attend(_ q: NDArray, _ k: NDArray, _ v: NDArray, heads: Int = 1, causal: Bool = false, dropout: AttentionDropout? = nil) throws
        -> NDArray
    {
        func fail(_ reason: ArrayReason) -> ArrayError { .badValue(operation: "attend", reason) }
        guard heads > 0 else { throw fail(.noHeads) }
        for (name, x) in [("q", q), ("k", k), ("v", v)] {
            guard x.rank >= 2 else { throw fail(.attendedShape(name, x.shape)) }
            guard let size = x.shape.last, size > 0, size % heads == 0 else {
                throw fail(.unevenHeads(name, size: x.shape[x.rank - 1], heads: heads))
            }
        }
        guard q.shape.last == k.shape.last else { throw ArrayError.shapesDiffer(operation: "attend", q.shape, k.shape, axis: q.rank - 1) }
        guard k.shape[k.rank - 2] == v.shape[v.rank - 2] else { throw ArrayError.shapesDiffer(operation: "attend", k.shape, v.shape, axis: k.rank - 2) }
        let type = [q, k, v].reduce(ElementType.bool) { $0.promoted(with: $1.type) } == .f32 ? ElementType.f32 : .f64
        let lead = try Shapes.broadcast(Shapes.broadcast(Array(q.shape.dropLast(2)), Array(k.shape.dropLast(2))), Array(v.shape.dropLast(2)))
        let inputs = try [q, k, v].map { try $0.converted(to: type).broadcast(to: lead + $0.shape.suffix(2)) }
        let size = AttentionSize(inputs[0].shape, inputs[1].shape, inputs[2].shape, heads: heads, causal: causal, dropout)
        guard size.keys > 0 || size.queries == 0 || size.batch == 0 else { throw fail(.noKeys) }
        return type == .f32 ? try Attend.result(size, inputs, Float.self) : try Attend.result(size, inputs, Double.self)
    }
}

/// How large everything is.
private struct AttentionSize {
    let lead: [Int]
    let batch, queries, keys, heads, width, valueWidth: Int
    let causal: Bool
    let dropout: AttentionDropout?

    init(_ q: [Int], _ k: [Int], _ v: [Int], heads: Int, causal: Bool, _ dropout: AttentionDropout?) {
        self.dropout = dropout
        lead = Array(q.dropLast(2))
        batch = lead.reduce(1, &*)
        (queries, keys) = (q[q.count - 2], k[k.count - 2])
        (self.heads, self.causal) = (heads, causal)
        (width, valueWidth) = (q[q.count - 1] / heads, v[v.count - 1] / heads)
    }

    var scale: Double { 1 / Double(width).squareRoot() }
    /// One head of one element of the batch.
    var units: Int { batch &* heads }

    /// Queries and keys of a block.
    static let block = 128
    var queryBlocks: Int { (queries + AttentionSize.block - 1) / AttentionSize.block }
    var keyBlocks: Int { (keys + AttentionSize.block - 1) / AttentionSize.block }
    func queries(of block: Int) -> Range<Int> { block &* AttentionSize.block..<min(queries, (block &+ 1) &* AttentionSize.block) }
    func keys(of block: Int) -> Range<Int> { block &* AttentionSize.block..<min(keys, (block &+ 1) &* AttentionSize.block) }

    /// Whether no query of a block sees any key of another.
    func isHidden(_ queries: Range<Int>, _ keys: Range<Int>) -> Bool { causal && keys.lowerBound >= queries.upperBound }

    /// How many of some keys a query sees, the first ones.
    func seen(of keys: Range<Int>, by query: Int) -> Int { causal ? max(0, min(keys.count, query &+ 1 &- keys.lowerBound)) : keys.count }

    /// The word of a share.
    func word(_ unit: Int, _ query: Int, _ key: Int) -> Int { (unit &* queries &+ query) &* keys &+ key }

    /// How many blocks one call of a thread takes: waking it for one small block would take longer than that does.
    func blocksAtOnce(_ rows: Int, _ columns: Int) -> Int {
        let work = Double(min(rows, AttentionSize.block)) * Double(columns) * Double(width &+ valueWidth)
        return max(1, Int(0x1p18 / max(1, work)))
    }
}

/// The elements of an array (batch, time, heads · width): where they begin, and how far apart its elements of the batch and its times are.
/// Whoever makes it keeps the array until the last use.
private struct Heads<T: MatrixElement> {
    let first: UnsafeMutablePointer<T>
    let batch, row: Int

    init(first: UnsafeMutablePointer<T>, batch: Int, row: Int) { (self.first, self.batch, self.row) = (first, batch, row) }

    /// - Parameter layout: Of the array, whose last axis has no gaps.
    init(_ layout: Layout, _ shape: [Int]) {
        first = layout.storage.pointer.assumingMemoryBound(to: T.self) + layout.offset
        let rank = shape.count
        row = layout.strides?[rank - 2] ?? shape[rank - 1]
        batch = rank > 2 ? layout.strides?[rank - 3] ?? shape[rank - 1] &* shape[rank - 2] : 0
    }
}

/// One of them, as a matrix.
private struct Head<T: MatrixElement> {
    private let first: UnsafeMutablePointer<T>
    let row: Int

    init(_ heads: Heads<T>, unit: Int, of size: AttentionSize, width: Int) {
        row = heads.row
        first = heads.first + (unit / size.heads &* heads.batch &+ unit % size.heads &* width)
    }

    func pointer(_ time: Int) -> UnsafeMutablePointer<T> { first + time &* row }
    func rows(from time: Int) -> MatrixView<T> { MatrixView(UnsafePointer(pointer(time)), rowStride: row) }
}

private final class Attend: CustomFunction {
    private let size: AttentionSize
    /// Of every query the largest score and 1/Σ e^(score - largest): (units, queries, 2).
    private let past: NDArray
    let name = "attend", isElementwise = false

    private init(_ size: AttentionSize, _ past: NDArray) { (self.size, self.past) = (size, past) }

    var attributes: [Attribute] { [Attribute("heads", size.heads), Attribute("causal", .flag(size.causal))] }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        if cotangent.isTraced || inputs.contains(where: \.isTraced) { return try loweredPullback(cotangent, inputs) }
        return inputs[0].type == .f32 ? try backward(cotangent, inputs, result, Float.self) : try backward(cotangent, inputs, result, Double.self)
    }

    /// All scores at once.
    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let size = size
        func heads(_ x: NDArray, _ width: Int) throws -> NDArray {
            try x.reshaped(to: [size.batch, x.shape[x.rank - 2], size.heads, width]).transposed([0, 2, 1, 3])
        }
        var scores = try NDArray.matmul(heads(x[0], size.width), heads(x[1], size.width).transposed([0, 1, 3, 2])) * size.scale
        if size.causal {
            let isSeen = (0..<size.queries).flatMap { query in (0..<size.keys).map { $0 <= query } }
            scores = try NDArray.select(NDArray(bools: isSeen, shape: [size.queries, size.keys]), .array(scores), .number(-.infinity))
        }
        var shares = try scores.softmax()
        if let dropout = size.dropout {
            let kept = try FreshArray(shape: shares.shape, type: shares.type, filledWith: 1), count = kept.count
            if kept.count > 0 {
                if shares.type == .f32 {
                    dropout.apply(kept.elements(of: Float.self), count, from: 0)
                } else {
                    dropout.apply(kept.elements(of: Double.self), count, from: 0)
                }
            }
            shares = try shares * kept.finished()
        }
        let gathered = try NDArray.matmul(shares, heads(x[2], size.valueWidth))
        return try gathered.transposed([0, 2, 1, 3]).reshaped(to: size.lead + [size.queries, size.heads &* size.valueWidth])
    }

    // MARK: Forward

    static func result<T: MatrixElement>(_ size: AttentionSize, _ inputs: [NDArray], _: T.Type) throws -> NDArray {
        let type = inputs[0].type, shape = size.lead + [size.queries, size.heads * size.valueWidth]
        if let array = try NDArray.shapeAlone(shape, type) { return array }
        if inputs.contains(where: \.isAbstract) {
            let nothing = try NDArray([], shape: [0], type: type)
            if let result = try Attend(size, nothing).resultWithoutElements(inputs) { return result }
        }
        let result = try FreshArray(shape: shape, type: type)
        let past = try FreshArray(shape: [size.units, size.queries, 2], type: type)
        if result.count > 0 {
            let kept = past.elements(of: T.self)
            let to = Heads<T>(first: result.elements(of: T.self), batch: size.queries &* size.heads &* size.valueWidth, row: size.heads &* size.valueWidth)
            try withHeads(inputs, T.self) { x in
                let together = size.blocksAtOnce(size.queries, size.keys), blocks = size.units &* size.queryBlocks
                try ThreadPool.parallel((blocks + together - 1) / together) { chunk in
                    let scratch = try Storage(byteCount: AttentionSize.block &* AttentionSize.block &* MemoryLayout<T>.stride)
                    let scores = scratch.pointer.assumingMemoryBound(to: T.self)
                    for index in chunk &* together..<min(blocks, (chunk &+ 1) &* together) {
                        let unit = index / size.queryBlocks
                        try look(
                            size, unit, size.queries(of: index % size.queryBlocks), Head(x[0], unit: unit, of: size, width: size.width),
                            Head(x[1], unit: unit, of: size, width: size.width), Head(x[2], unit: unit, of: size, width: size.valueWidth),
                            Head(to, unit: unit, of: size, width: size.valueWidth), scores, kept + unit &* size.queries &* 2)
                    }
                    withExtendedLifetime(scratch) {}
                }
            }
        }
        return try NDArray.custom(Attend(size, past.finished()), inputs: inputs, value: result.finished())
    }

    /// The elements of arrays where they are, unless they lie in ways that kernels cannot follow.
    private static func withHeads<T: MatrixElement>(_ arrays: [NDArray], _: T.Type, _ body: ([Heads<T>]) throws -> Void) throws {
        let held = try arrays.map { array in
            let array = try array.detached()
            if let strides = try array.evaluatedLayout().strides, strides.last != 1 || array.rank > 3 { return try array.contiguous() }
            return array
        }
        try body(held.map { Heads(try $0.evaluatedLayout(), $0.shape) })
        withExtendedLifetime(held) {}
    }

    /// The scores of some queries of a head with some of its keys.
    private static func score<T: MatrixElement>(
        _ size: AttentionSize, _ queries: Range<Int>, _ keys: Range<Int>, _ q: Head<T>, _ k: Head<T>, _ scores: UnsafeMutablePointer<T>
    ) {
        T.product(
            queries.count, keys.count, size.width, T(size.scale), q.rows(from: queries.lowerBound), k.rows(from: keys.lowerBound).transposed, adds: false,
            scores,
            AttentionSize.block)
    }

    /// Some queries of one head against all of its keys: what they have gathered shrinks where a later block has a larger score.
    private static func look<T: MatrixElement>(
        _ size: AttentionSize, _ unit: Int, _ queries: Range<Int>, _ q: Head<T>, _ k: Head<T>, _ v: Head<T>, _ to: Head<T>, _ scores: UnsafeMutablePointer<T>,
        _ kept: UnsafeMutablePointer<T>
    ) throws {
        let count = queries.count, width = size.valueWidth
        try withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { sums in
            sums.initialize(repeating: 0)
            for query in queries { kept[2 &* query] = -.infinity }
            for block in 0..<size.keyBlocks {
                try Interrupt.check()
                let keys = size.keys(of: block)
                if size.isHidden(queries, keys) { break }
                score(size, queries, keys, q, k, scores)
                for row in 0..<count {
                    let line = scores + row &* AttentionSize.block, query = queries.lowerBound &+ row, seen = size.seen(of: keys, by: query)
                    (line + seen).update(repeating: 0, count: keys.count &- seen)
                    if seen == 0 { continue }
                    let before = kept[2 &* query], found = T.largest(line, seen), largest = found <= before ? before : found
                    if block > 0, largest != before {
                        let share = T(Scalar.unary(.exp, Double(before - largest))), place = to.pointer(query)
                        sums[row] *= Double(share)
                        for j in 0..<width { place[j] *= share }
                    }
                    sums[row] += T.expBelow(largest, line, line, seen)
                    kept[2 &* query] = largest
                    size.dropout?.apply(line, seen, from: size.word(unit, query, keys.lowerBound))
                }
                T.product(
                    count, width, keys.count, 1, MatrixView(UnsafePointer(scores), rowStride: AttentionSize.block), v.rows(from: keys.lowerBound),
                    adds: block > 0,
                    to.pointer(queries.lowerBound), to.row)
            }
            for row in 0..<count {
                let query = queries.lowerBound &+ row, largest = kept[2 &* query], place = to.pointer(query)
                // As in softmax: nothing but −∞, or several +∞, have no limit.
                let isUndefined = largest == -.infinity || largest == .infinity && sums[row] != 1, share = isUndefined ? T.nan : T(1 / sums[row])
                for j in 0..<width { place[j] *= share }
                kept[2 &* query &+ 1] = share
            }
        }
    }

    // MARK: Backward

    private func backward<T: MatrixElement>(_ cotangent: NDArray, _ inputs: [NDArray], _ result: NDArray, _: T.Type) throws -> [NDArray?] {
        let size = size, type = inputs[0].type
        let gradients = try inputs.map { try NDArray.full(0, shape: $0.shape, type: type).contiguous() }
        guard result.count > 0 else { return gradients }
        // For every query the sum of its results times what reached them.
        let meeting = try FreshArray(shape: [size.units, size.queries], type: type)
        let met = meeting.elements(of: T.self)
        try Attend.withHeads(inputs + [cotangent, result, past] + gradients, T.self) { x in
            try ThreadPool.parallel(size.units) { unit in
                let dy = Head(x[3], unit: unit, of: size, width: size.valueWidth), y = Head(x[4], unit: unit, of: size, width: size.valueWidth)
                for query in 0..<size.queries { met[unit &* size.queries &+ query] = T(T.dotPiece(dy.pointer(query), y.pointer(query), size.valueWidth)) }
            }
            let back = { (unit: Int, queries: Range<Int>, keys: Range<Int>, reaches: Reach) in
                try Attend.lookBack(size, unit, queries, keys, reaches, x, met + unit &* size.queries)
            }
            let (queries, keys) = (0..<size.queryBlocks, 0..<size.keyBlocks)
            if size.units >= 4 {
                return try ThreadPool.parallel(size.units) { try back($0, queries, keys, .all) }
            }
            // Few heads: each block by itself, which makes its scores twice.
            try ThreadPool.parallel(size.units &* keys.count) { index in
                let block = index % keys.count
                try back(index / keys.count, queries, block..<block &+ 1, .keys)
            }
            try ThreadPool.parallel(size.units &* queries.count) { index in
                let block = index % queries.count
                try back(index / queries.count, block..<block &+ 1, keys, .queries)
            }
        }
        _ = meeting.finished()
        return gradients
    }

    /// Whose gradients a walk over blocks adds to.
    private enum Reach { case queries, keys, all }

    /// Adds what some blocks of queries and keys of a head contribute to the gradients.
    /// - Parameters:
    ///   - x: q, k, v, what reached the result, the result, what it kept, the gradients of q, k, v.
    ///   - met: For each query of the head what its result and what reached it make together.
    private static func lookBack<T: MatrixElement>(
        _ size: AttentionSize, _ unit: Int, _ queryBlocks: Range<Int>, _ keyBlocks: Range<Int>, _ reach: Reach, _ x: [Heads<T>], _ met: UnsafeMutablePointer<T>
    ) throws {
        func head(_ index: Int, _ width: Int) -> Head<T> { Head(x[index], unit: unit, of: size, width: width) }
        let q = head(0, size.width), k = head(1, size.width), v = head(2, size.valueWidth), dy = head(3, size.valueWidth)
        let dq = head(6, size.width), dk = head(7, size.width), dv = head(8, size.valueWidth)
        let kept = x[5].first + unit &* size.queries &* 2, side = AttentionSize.block, scale = T(size.scale)
        let scratch = try Storage(byteCount: 2 &* side &* side &* MemoryLayout<T>.stride)
        let shares = scratch.pointer.assumingMemoryBound(to: T.self), reached = shares + side &* side
        let (sharesView, reachedView) = (MatrixView(UnsafePointer(shares), rowStride: side), MatrixView(UnsafePointer(reached), rowStride: side))
        for keyBlock in keyBlocks {
            let keys = size.keys(of: keyBlock)
            for queryBlock in queryBlocks {
                try Interrupt.check()
                let queries = size.queries(of: queryBlock), count = queries.count
                if size.isHidden(queries, keys) { continue }
                score(size, queries, keys, q, k, shares)
                T.product(
                    count, keys.count, size.valueWidth, 1, dy.rows(from: queries.lowerBound), v.rows(from: keys.lowerBound).transposed, adds: false, reached,
                    side)
                for row in 0..<count {
                    let query = queries.lowerBound &+ row, seen = size.seen(of: keys, by: query), p = shares + row &* side, dp = reached + row &* side
                    _ = T.expBelow(kept[2 &* query], p, p, seen)
                    let share = kept[2 &* query &+ 1], mean = met[query], word = size.word(unit, query, keys.lowerBound)
                    size.dropout?.apply(dp, seen, from: word)
                    for j in 0..<seen {
                        p[j] *= share
                        dp[j] = p[j] * (dp[j] - mean)
                    }
                    size.dropout?.apply(p, seen, from: word)
                    (p + seen).update(repeating: 0, count: keys.count &- seen)
                    (dp + seen).update(repeating: 0, count: keys.count &- seen)
                }
                if reach != .queries {
                    T.product(
                        keys.count, size.valueWidth, count, 1, sharesView.transposed, dy.rows(from: queries.lowerBound), adds: true,
                        dv.pointer(keys.lowerBound), dv.row)
                    T.product(
                        keys.count, size.width, count, scale, reachedView.transposed, q.rows(from: queries.lowerBound), adds: true, dk.pointer(keys.lowerBound),
                        dk.row)
                }
                if reach != .keys {
                    T.product(
                        count, size.width, keys.count, scale, reachedView, k.rows(from: keys.lowerBound), adds: true, dq.pointer(queries.lowerBound), dq.row)
                }
            }
        }
        withExtendedLifetime(scratch) {}
    }
}
