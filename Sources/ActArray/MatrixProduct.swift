// Matrix products over raw memory, cut into parts that the threads share.
//
// What must stay true:
// - An element of the result is a sum in the order of k, in pieces of fixed length (product.inc): neither the parts nor the threads show
//   in the bits.
// - A part lasts some milliseconds at most, and the interrupt flag is read between parts.
//
// A product that is not small is shared out by rows or by columns. A large one takes pieces of `PRODUCT_DEPTH` rows of b. The threads first lay
// such a piece out in strips that tiles read in order, once for all; then each takes parts of the result: few enough rows of a, whose pieces
// stay in its second cache, against several strips, at first those that it has laid out itself.

import CActKernels

/// A matrix in memory: element (i, j) is at `i * rowStride + j * columnStride`. Whoever makes it keeps the memory until
/// the last use.
package struct MatrixView<T> {
    package var pointer: UnsafePointer<T>
    package var rowStride: Int
    package var columnStride: Int

    package init(_ pointer: UnsafePointer<T>, rowStride: Int, columnStride: Int = 1) {
        self.pointer = pointer
        self.rowStride = rowStride
        self.columnStride = columnStride
    }

    package var transposed: MatrixView { MatrixView(pointer, rowStride: columnStride, columnStride: rowStride) }

    package func advanced(row: Int, column: Int) -> MatrixView {
        MatrixView(pointer + (row &* rowStride &+ column &* columnStride), rowStride: rowStride, columnStride: columnStride)
    }
}

/// An element type that matrix products exist for, with its kernels (CActKernels.h says what they compute).
package protocol MatrixElement: BinaryFloatingPoint, SIMDScalar, Codable {
    /// The columns of a strip.
    static var tileColumns: Int { get }
    static func product(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Self, _ a: MatrixView<Self>, _ b: MatrixView<Self>, adds: Bool,
        _ c: UnsafeMutablePointer<Self>, _ row: Int)
    static func productPack(_ n: Int, _ depth: Int, _ b: MatrixView<Self>, _ packed: UnsafeMutablePointer<Self>)
    static func productPacked(
        _ m: Int, _ n: Int, _ depth: Int, _ alpha: Self, _ a: MatrixView<Self>, _ packed: UnsafePointer<Self>, adds: Bool,
        _ c: UnsafeMutablePointer<Self>, _ row: Int)
    static func productRows(
        _ k: Int, _ n: Int, _ alpha: Self, _ x: UnsafePointer<Self>, _ step: Int, _ b: UnsafePointer<Self>, _ row: Int, _ y: UnsafeMutablePointer<Self>)
    static func productDots(
        _ m: Int, _ k: Int, _ alpha: Self, _ x: UnsafePointer<Self>, _ a: UnsafePointer<Self>, _ row: Int, adds: Bool,
        _ y: UnsafeMutablePointer<Self>, _ step: Int)
    /// to[p * width + j] = x[p * along + j * across] for p < count and j < used.
    static func arrange(
        _ x: UnsafePointer<Self>, along: Int, across: Int, _ count: Int, _ used: Int, to: UnsafeMutablePointer<Self>, width: Int)
    /// Σ a[i] b[i], summed in f64.
    static func dotPiece(_ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ count: Int) -> Double
    /// y = op x and y = a op b, of numbers without gaps.
    static func apply(_ op: UnaryOperation, _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>, _ count: Int)
    static func apply(_ op: BinaryOperation, _ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>, _ count: Int)
    /// The largest of some numbers; NaN if there is one.
    static func largest(_ x: UnsafePointer<Self>, _ count: Int) -> Self
    /// y = e^(x - m), and the sum of it.
    static func expBelow(_ m: Self, _ x: UnsafePointer<Self>, _ y: UnsafeMutablePointer<Self>, _ count: Int) -> Double
}

extension Float: MatrixElement {
    package static var tileColumns: Int { Kernels.table.pointee.tile_columns_f32 }

    package static func product(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: MatrixView<Float>, _ b: MatrixView<Float>, adds: Bool,
        _ c: UnsafeMutablePointer<Float>, _ row: Int
    ) {
        Kernels.table.pointee.product_f32(
            m, n, k, alpha, a.pointer, a.rowStride, a.columnStride, b.pointer, b.rowStride, b.columnStride, adds ? 1 : 0, c, row)
    }

    package static func productPack(_ n: Int, _ depth: Int, _ b: MatrixView<Float>, _ packed: UnsafeMutablePointer<Float>) {
        Kernels.table.pointee.product_pack_f32(n, depth, b.pointer, b.rowStride, b.columnStride, packed)
    }

    package static func productPacked(
        _ m: Int, _ n: Int, _ depth: Int, _ alpha: Float, _ a: MatrixView<Float>, _ packed: UnsafePointer<Float>, adds: Bool,
        _ c: UnsafeMutablePointer<Float>, _ row: Int
    ) {
        Kernels.table.pointee.product_packed_f32(m, n, depth, alpha, a.pointer, a.rowStride, a.columnStride, packed, adds ? 1 : 0, c, row)
    }

    package static func productRows(
        _ k: Int, _ n: Int, _ alpha: Float, _ x: UnsafePointer<Float>, _ step: Int, _ b: UnsafePointer<Float>, _ row: Int,
        _ y: UnsafeMutablePointer<Float>
    ) {
        Kernels.table.pointee.product_rows_f32(k, n, alpha, x, step, b, row, y)
    }

    package static func productDots(
        _ m: Int, _ k: Int, _ alpha: Float, _ x: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ row: Int, adds: Bool,
        _ y: UnsafeMutablePointer<Float>, _ step: Int
    ) {
        Kernels.table.pointee.product_dots_f32(m, k, alpha, x, a, row, adds ? 1 : 0, y, step)
    }

    package static func arrange(
        _ x: UnsafePointer<Float>, along: Int, across: Int, _ count: Int, _ used: Int, to: UnsafeMutablePointer<Float>, width: Int
    ) {
        Kernels.table.pointee.arrange_f32(x, along, across, count, used, to, width)
    }

    package static func dotPiece(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
        Kernels.table.pointee.dot_f32(a, b, count)
    }

    package static func apply(_ op: UnaryOperation, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int) {
        Kernels.table.pointee.unary_f32[Int(op.rawValue)](x, y, count)
    }

    package static func apply(
        _ op: BinaryOperation, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
    ) {
        Kernels.table.pointee.binary_f32[Int(op.rawValue)](a, 1, b, 1, y, count)
    }

    package static func largest(_ x: UnsafePointer<Float>, _ count: Int) -> Float { Float(Kernels.table.pointee.max_f32(x, count)) }

    package static func expBelow(_ m: Float, _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int) -> Double {
        var ties = 0.0
        let sum = Kernels.table.pointee.exp_sum_f32(x, y, count, m, &ties)
        return sum + ties
    }
}

extension Double: MatrixElement {
    package static var tileColumns: Int { Kernels.table.pointee.tile_columns_f64 }

    package static func product(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Double, _ a: MatrixView<Double>, _ b: MatrixView<Double>, adds: Bool,
        _ c: UnsafeMutablePointer<Double>, _ row: Int
    ) {
        Kernels.table.pointee.product_f64(
            m, n, k, alpha, a.pointer, a.rowStride, a.columnStride, b.pointer, b.rowStride, b.columnStride, adds ? 1 : 0, c, row)
    }

    package static func productPack(_ n: Int, _ depth: Int, _ b: MatrixView<Double>, _ packed: UnsafeMutablePointer<Double>) {
        Kernels.table.pointee.product_pack_f64(n, depth, b.pointer, b.rowStride, b.columnStride, packed)
    }

    package static func productPacked(
        _ m: Int, _ n: Int, _ depth: Int, _ alpha: Double, _ a: MatrixView<Double>, _ packed: UnsafePointer<Double>, adds: Bool,
        _ c: UnsafeMutablePointer<Double>, _ row: Int
    ) {
        Kernels.table.pointee.product_packed_f64(m, n, depth, alpha, a.pointer, a.rowStride, a.columnStride, packed, adds ? 1 : 0, c, row)
    }

    package static func productRows(
        _ k: Int, _ n: Int, _ alpha: Double, _ x: UnsafePointer<Double>, _ step: Int, _ b: UnsafePointer<Double>, _ row: Int,
        _ y: UnsafeMutablePointer<Double>
    ) {
        Kernels.table.pointee.product_rows_f64(k, n, alpha, x, step, b, row, y)
    }

    package static func productDots(
        _ m: Int, _ k: Int, _ alpha: Double, _ x: UnsafePointer<Double>, _ a: UnsafePointer<Double>, _ row: Int, adds: Bool,
        _ y: UnsafeMutablePointer<Double>, _ step: Int
    ) {
        Kernels.table.pointee.product_dots_f64(m, k, alpha, x, a, row, adds ? 1 : 0, y, step)
    }

    package static func arrange(
        _ x: UnsafePointer<Double>, along: Int, across: Int, _ count: Int, _ used: Int, to: UnsafeMutablePointer<Double>, width: Int
    ) {
        Kernels.table.pointee.arrange_f64(x, along, across, count, used, to, width)
    }

    package static func dotPiece(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
        Kernels.table.pointee.dot_f64(a, b, count)
    }

    package static func apply(_ op: UnaryOperation, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int) {
        Kernels.table.pointee.unary_f64[Int(op.rawValue)](x, y, count)
    }

    package static func apply(
        _ op: BinaryOperation, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int
    ) {
        Kernels.table.pointee.binary_f64[Int(op.rawValue)](a, 1, b, 1, y, count)
    }

    package static func largest(_ x: UnsafePointer<Double>, _ count: Int) -> Double { Kernels.table.pointee.max_f64(x, count) }

    package static func expBelow(_ m: Double, _ x: UnsafePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ count: Int) -> Double {
        var ties = 0.0
        let sum = Kernels.table.pointee.exp_sum_f64(x, y, count, m, &ties)
        return sum + ties
    }
}

package enum MatrixProduct {
    /// Products of fewer multiplications are one thread's, without parts.
    private static let smallProduct = 1 << 19
    /// Products of fewer are not laid out in strips for all threads.
    private static let middleProduct = 1 << 27
    /// What of b is laid out in strips at once.
    private static let packedBytes = 8 << 20
    /// Multiplications of a part of a product with a vector, between two looks at the interrupt flag: some milliseconds.
    private static let partElements = 1 << 24

    /// `c = alpha * a @ b + beta * c` with `a` (m, k), `b` (k, n) and row-major `c` (m, n); `beta` is 0 or 1, and 0 ignores what `c` held.
    /// - Throws: `outOfMemory`, `interrupted`; `c` is filled in part then.
    // Compiled for both types here: other modules would call the generic code, which is a hundred times slower.
    @_specialize(where T == Float)
    @_specialize(where T == Double)
    package static func multiply<T: MatrixElement>(
        m: Int, n: Int, k: Int, alpha: T = 1, _ a: MatrixView<T>, _ b: MatrixView<T>, beta: T = 0,
        into c: UnsafeMutablePointer<T>, rowStride: Int
    ) throws {
        guard m > 0, n > 0 else { return }
        let adds = beta != 0
        if k == 0 {
            if !adds { for i in 0..<m { (c + i &* rowStride).update(repeating: 0, count: n) } }
            return
        }
        if m == 1, try vectorTimes(n, k, alpha, a.pointer, a.columnStride, b, adds, c, 1) { return }
        if n == 1, try vectorTimes(m, k, alpha, b.pointer, b.rowStride, a.transposed, adds, c, rowStride) { return }
        let isSymmetric = !adds && m == n && a.pointer == b.pointer && a.rowStride == b.columnStride && a.columnStride == b.rowStride
        if Double(m) * Double(n) * Double(k) < Double(smallProduct) {
            // Where rows of b run along memory it is not packed, and the rows of one tile may begin at columns of their own.
            if isSymmetric, b.columnStride == 1, n > 8, k >= n {
                for i in stride(from: 0, to: m, by: 8) {
                    let (left, right) = (a.advanced(row: i, column: 0), b.advanced(row: 0, column: i))
                    T.product(min(8, m - i), n - i, k, alpha, left, right, adds: false, c + (i &* rowStride &+ i), rowStride)
                    mirror(i, n, by: 8, c, rowStride)
                }
                return
            }
            T.product(m, n, k, alpha, a, b, adds: adds, c, rowStride)
            return
        }
        if !isSymmetric, ThreadPool.count > 1, Double(m) * Double(n) * Double(k) < Double(middleProduct) {
            return try shared(m, n, k, alpha, a, b, adds, c, rowStride)
        }
        try large(m, n, k, alpha, a, b, adds, isSymmetric: isSymmetric, c, rowStride)
    }

    /// - Parameter isSymmetric: Whether b is a transposed: then (i, j) and (j, i) are sums of the same products in the same order, and parts
    ///   below the diagonal are copied from above it.
    @_specialize(where T == Float)
    @_specialize(where T == Double)
    @inline(never)
    private static func large<T: MatrixElement>(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: T, _ a: MatrixView<T>, _ b: MatrixView<T>, _ adds: Bool, isSymmetric: Bool,
        _ c: UnsafeMutablePointer<T>, _ rowStride: Int
    ) throws {
        let tile = T.tileColumns, depth = min(k, Int(PRODUCT_DEPTH)), size = MemoryLayout<T>.stride
        let panel = min((n + tile - 1) / tile, max(1, packedBytes / (depth &* tile &* size))) &* tile
        let scratch = try Storage(byteCount: panel &* depth &* size)
        let packed = scratch.pointer.assumingMemoryBound(to: T.self)
        for left in stride(from: 0, to: n, by: panel) {
            let width = min(panel, n - left)
            let (rows, columns) = isSymmetric ? (mirrored, tile) : part(m: m, n: width, tile: tile)
            let across = (width + columns - 1) / columns, down = (m + rows - 1) / rows
            for p in stride(from: 0, to: k, by: depth) {
                let deep = min(depth, k - p)
                try ThreadPool.parallel((width + tile - 1) / tile) { strip in
                    let j = strip &* tile
                    T.productPack(min(tile, width - j), deep, b.advanced(row: p, column: left + j), packed + j &* deep)
                }
                try ThreadPool.parallel(across &* down) { index in
                    // Down the columns, so that a thread begins with the strips that it has laid out.
                    let i = index % down &* rows, j = index / down &* columns
                    if isSymmetric, left + j + columns <= i { return }
                    T.productPacked(
                        min(rows, m - i), min(columns, width - j), deep, alpha, a.advanced(row: i, column: p), packed + j &* deep,
                        adds: adds || p > 0, c + (i &* rowStride &+ left &+ j), rowStride)
                }
            }
        }
        withExtendedLifetime(scratch) {}
        if isSymmetric { try ThreadPool.parallel((n + mirrored - 1) / mirrored) { mirror($0 &* mirrored, n, by: mirrored, c, rowStride) } }
    }

    /// A product in one part of the rows for each thread, or in several of the columns, so that one that is held up holds nobody up. Each lays strips
    /// of b out for itself: to read what another core has just written takes longer.
    @_specialize(where T == Float)
    @_specialize(where T == Double)
    @inline(never)
    private static func shared<T: MatrixElement>(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: T, _ a: MatrixView<T>, _ b: MatrixView<T>, _ adds: Bool, _ c: UnsafeMutablePointer<T>, _ rowStride: Int
    ) throws {
        let threads = ThreadPool.count, tile = T.tileColumns
        func share(_ count: Int, _ unit: Int) -> Int { ((count + unit - 1) / unit + threads - 1) / threads * unit }
        let rows = share(m, 8), columns = share(n, tile)
        // To lay an element of b out takes about as long as to multiply it by eight of a.
        if (rows + 8) * n <= (m + 8) * columns {
            try ThreadPool.parallel((m + rows - 1) / rows) { index in
                let i = index &* rows
                T.product(min(rows, m - i), n, k, alpha, a.advanced(row: i, column: 0), b, adds: adds, c + i &* rowStride, rowStride)
            }
        } else {
            let width = max(1, columns / tile / 4) &* tile
            try ThreadPool.parallel((n + width - 1) / width) { index in
                let j = index &* width
                T.product(m, min(width, n - j), k, alpha, a, b.advanced(row: 0, column: j), adds: adds, c + j, rowStride)
            }
        }
    }

    /// The rows of a part of a symmetric product: what lies between a multiple of it and the next of both rows and columns is computed.
    private static let mirrored = 32

    /// Copies to some rows of a square matrix, from row `i` on, what is above the diagonal of it in the columns before `i`.
    private static func mirror<T: MatrixElement>(_ i: Int, _ n: Int, by height: Int, _ c: UnsafeMutablePointer<T>, _ rowStride: Int) {
        T.arrange(c + i, along: 1, across: rowStride, min(height, n &- i), i, to: c + i &* rowStride, width: rowStride)
    }

    /// How large the parts of a product are, so that the threads end together.
    private static func part(m: Int, n: Int, tile: Int) -> (rows: Int, columns: Int) {
        var best = (rows: m, columns: n), least = Double.infinity
        for (height, reading) in [(128, 1.0), (64, 1.02), (32, 1.05)] {
            let down = (m + height - 1) / height, rows = ((m + down - 1) / down + 7) / 8 * 8
            for (tiles, turning) in [(8, 1.0), (4, 1.0), (2, 1.01), (1, 1.02)] {
                let columns = tiles * tile
                let parts = Double((n + columns - 1) / columns) * Double((m + rows - 1) / rows)
                let time = (parts / Double(ThreadPool.count)).rounded(.up) * Double(min(columns, n) * min(rows, m)) * reading * turning
                if time < least { (best, least) = ((rows, columns), time) }
            }
        }
        return best
    }

    /// `y[j] = Σ x[p] b[p, j]` for a matrix (k, n) whose rows or columns run along memory: every element is used once, so nothing is packed.
    /// - Returns: false for other matrices.
    private static func vectorTimes<T: MatrixElement>(
        _ n: Int, _ k: Int, _ alpha: T, _ x: UnsafePointer<T>, _ xStep: Int, _ b: MatrixView<T>, _ adds: Bool,
        _ y: UnsafeMutablePointer<T>, _ yStep: Int
    ) throws -> Bool {
        let isLarge = Double(n) * Double(k) >= 0x1p17
        if b.columnStride == 1, yStep == 1 || n == 1 {
            // Long runs of each row, for memory is quick to read on; but a part for each thread.
            let fair = (n / ThreadPool.count + 63) / 64 * 64, fine = (n / (4 * ThreadPool.count) + 63) / 64 * 64
            let width = isLarge ? max(64, min(fair, max(512, fine))) : n, deep = max(8, partElements / width / 8 * 8)
            try ThreadPool.parallel((n + width - 1) / width) { index in
                let first = index &* width, count = min(width, n - first)
                if !adds { (y + first).update(repeating: 0, count: count) }
                for p in stride(from: 0, to: k, by: deep) {
                    try Interrupt.check()
                    T.productRows(min(deep, k - p), count, alpha, x + p &* xStep, xStep, b.pointer + (p &* b.rowStride &+ first), b.rowStride, y + first)
                }
            }
        } else if b.rowStride == 1 || k == 1, xStep == 1 || k == 1 {
            let deep = partElements / 4, rows = isLarge ? max(4, (1 << 16) / min(k, deep) / 4 * 4) : n
            try ThreadPool.parallel((n + rows - 1) / rows) { index in
                let first = index &* rows
                for p in stride(from: 0, to: k, by: deep) {
                    try Interrupt.check()
                    T.productDots(
                        min(rows, n - first), min(deep, k - p), alpha, x + p, b.pointer + (p &+ first &* b.columnStride), b.columnStride,
                        adds: adds || p > 0, y + first &* yStep, yStep)
                }
            }
        } else {
            return false
        }
        return true
    }
}

extension MatrixElement {
    /// Σ a[i] b[i], summed in f64 over fixed pieces; the elements lie `step` apart.
    static func dotProduct(_ a: UnsafePointer<Self>, step stepA: Int, _ b: UnsafePointer<Self>, step stepB: Int, _ count: Int) throws -> Double {
        // Pieces of pieces, so that the sums of one round have a place of fixed size.
        let part = 1 << 15, round = 1 << 10
        if count <= part { return try dotPart(a, stepA, b, stepB, count) }
        var total = 0.0
        try withUnsafeTemporaryAllocation(of: Double.self, capacity: round) { sums in
            for start in stride(from: 0, to: count, by: part * round) {
                let parts = min(round, (count - start + part - 1) / part)
                try ThreadPool.parallel(parts) { index in
                    let first = start + index * part
                    sums[index] = try dotPart(a + first &* stepA, stepA, b + first &* stepB, stepB, min(part, count - first))
                }
                for index in 0..<parts { total += sums[index] }
            }
        }
        return total
    }

    /// The same of one part. Elements with gaps are brought together first.
    private static func dotPart(_ a: UnsafePointer<Self>, _ stepA: Int, _ b: UnsafePointer<Self>, _ stepB: Int, _ count: Int) throws -> Double {
        if stepA == 1, stepB == 1 { return dotPiece(a, b, count) }
        let scratch = try Scratch(byteCount: 2 &* count &* MemoryLayout<Self>.stride)
        let x = scratch.pointer.assumingMemoryBound(to: Self.self), y = x + count
        for i in 0..<count { (x[i], y[i]) = (a[i &* stepA], b[i &* stepB]) }
        return dotPiece(x, y, count)
    }
}
