// Matrix products over raw memory, cut into parts that the threads share.
//
// What must stay true:
// - An element of the result is a sum in the order of k, in pieces of fixed length (product.inc): neither the parts nor the threads show
//   in the bits.
// - A part lasts some milliseconds at most, and the interrupt flag is read between parts.

import CActKernels

/// A matrix in memory: element (i, j) is at `i * rowStride + j * columnStride`.
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

    func advanced(row: Int, column: Int) -> MatrixView {
        MatrixView(pointer + (row &* rowStride &+ column &* columnStride), rowStride: rowStride, columnStride: columnStride)
    }
}

/// An element type that matrix products exist for, with its kernels (CActKernels.h says what they compute).
package protocol MatrixElement: BinaryFloatingPoint, SIMDScalar, Codable {
    /// How many numbers a vector register holds.
    static var lanes: Int { get }
    static func product(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Self, _ a: MatrixView<Self>, _ b: MatrixView<Self>, adds: Bool,
        _ c: UnsafeMutablePointer<Self>, _ row: Int)
    static func productRows(
        _ k: Int, _ n: Int, _ alpha: Self, _ x: UnsafePointer<Self>, _ step: Int, _ b: UnsafePointer<Self>, _ row: Int, _ y: UnsafeMutablePointer<Self>)
    static func productDots(
        _ m: Int, _ k: Int, _ alpha: Self, _ x: UnsafePointer<Self>, _ a: UnsafePointer<Self>, _ row: Int, adds: Bool,
        _ y: UnsafeMutablePointer<Self>, _ step: Int)
    /// Σ a[i] b[i], summed in f64.
    static func dotPiece(_ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ count: Int) -> Double
}

extension Float: MatrixElement {
    package static var lanes: Int { Kernels.table.pointee.tile_lanes_f32 }

    package static func product(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Float, _ a: MatrixView<Float>, _ b: MatrixView<Float>, adds: Bool,
        _ c: UnsafeMutablePointer<Float>, _ row: Int
    ) {
        Kernels.table.pointee.product_f32(
            m, n, k, alpha, a.pointer, a.rowStride, a.columnStride, b.pointer, b.rowStride, b.columnStride, adds ? 1 : 0, c, row)
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

    package static func dotPiece(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Double {
        Kernels.table.pointee.dot_f32(a, b, count)
    }
}

extension Double: MatrixElement {
    package static var lanes: Int { Kernels.table.pointee.tile_lanes_f64 }

    package static func product(
        _ m: Int, _ n: Int, _ k: Int, _ alpha: Double, _ a: MatrixView<Double>, _ b: MatrixView<Double>, adds: Bool,
        _ c: UnsafeMutablePointer<Double>, _ row: Int
    ) {
        Kernels.table.pointee.product_f64(
            m, n, k, alpha, a.pointer, a.rowStride, a.columnStride, b.pointer, b.rowStride, b.columnStride, adds ? 1 : 0, c, row)
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

    package static func dotPiece(_ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int) -> Double {
        Kernels.table.pointee.dot_f64(a, b, count)
    }
}

package enum MatrixProduct {
    /// Products of fewer multiplications are one thread's, without parts.
    private static let smallProduct = 1 << 19
    /// Multiplications of one part between two looks at the interrupt flag: some milliseconds, tens of them without vector registers.
    private static let partProduct = 1 << 27
    /// The same for products with a vector, which wait for memory.
    private static let partElements = 1 << 24

    /// `c = alpha * a @ b + beta * c` with `a` (m, k), `b` (k, n) and row-major `c` (m, n); `beta` is 0 or 1, and 0 ignores what `c` held.
    /// - Throws: `ArrayError.interrupted`.
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
        if Double(m) * Double(n) * Double(k) < Double(smallProduct) {
            T.product(m, n, k, alpha, a, b, adds: adds, c, rowStride)
            return
        }
        let (rows, columns) = part(m: m, n: n, lanes: T.lanes)
        let across = (n + columns - 1) / columns, down = (m + rows - 1) / rows
        let piece = Int(PRODUCT_DEPTH), deep = max(piece, partProduct / (rows &* columns) / piece * piece)
        ThreadPool.parallelFor(across &* down) { index in
            let row = index / across &* rows, column = index % across &* columns
            let height = min(rows, m - row), width = min(columns, n - column)
            for p in stride(from: 0, to: k, by: deep) {
                if Interrupt.isSet { return }
                T.product(
                    height, width, min(deep, k - p), alpha, a.advanced(row: row, column: p), b.advanced(row: p, column: column),
                    adds: adds || p > 0, c + (row &* rowStride &+ column), rowStride)
            }
        }
        try Interrupt.check()
    }

    /// How large the parts of a product are, so that the threads end together: about 256 rows, since every part packs its columns anew,
    /// and columns of whole tiles, which are quickest three vectors wide.
    private static func part(m: Int, n: Int, lanes: Int) -> (rows: Int, columns: Int) {
        let threads = ThreadPool.count
        var best = (rows: m, columns: n), least = Double.infinity
        for (height, packing) in [(256, 1.0), (128, 1.03), (64, 1.08)] {
            let down = (m + height - 1) / height
            let rows = min(m, ((m + down - 1) / down + 7) / 8 * 8)
            for (vectors, loading) in [(12, 1.0), (6, 1.0), (3, 1.01), (2, 1.07)] {
                let columns = vectors * lanes
                let parts = Double((n + columns - 1) / columns) * Double((m + rows - 1) / rows)
                let time = (parts / Double(threads)).rounded(.up) * Double(min(columns, n) * rows) * packing * loading
                if time < least { (best, least) = ((rows, columns), time) }
            }
            if threads == 1 { break }
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
            let width = isLarge ? max(64, (n / (4 * ThreadPool.count) + 63) / 64 * 64) : n, deep = max(8, partElements / width / 8 * 8)
            ThreadPool.parallelFor((n + width - 1) / width) { index in
                let first = index &* width, count = min(width, n - first)
                if !adds { (y + first).update(repeating: 0, count: count) }
                for p in stride(from: 0, to: k, by: deep) {
                    if Interrupt.isSet { return }
                    T.productRows(min(deep, k - p), count, alpha, x + p &* xStep, xStep, b.pointer + (p &* b.rowStride &+ first), b.rowStride, y + first)
                }
            }
        } else if b.rowStride == 1 || k == 1, xStep == 1 || k == 1 {
            let deep = partElements / 4, rows = isLarge ? max(4, (1 << 16) / min(k, deep) / 4 * 4) : n
            ThreadPool.parallelFor((n + rows - 1) / rows) { index in
                let first = index &* rows
                for p in stride(from: 0, to: k, by: deep) {
                    if Interrupt.isSet { return }
                    T.productDots(
                        min(rows, n - first), min(deep, k - p), alpha, x + p, b.pointer + (p &+ first &* b.columnStride), b.columnStride,
                        adds: adds || p > 0, y + first &* yStep, yStep)
                }
            }
        } else {
            return false
        }
        try Interrupt.check()
        return true
    }
}

extension MatrixElement {
    /// Σ a[i] b[i], summed in f64 over fixed pieces.
    static func dotProduct(_ a: UnsafePointer<Self>, _ b: UnsafePointer<Self>, _ count: Int) throws -> Double {
        // Pieces of pieces, so that the sums of one round have a place of fixed size.
        let part = 1 << 15, round = 1 << 10
        if count <= part { return dotPiece(a, b, count) }
        var total = 0.0
        try withUnsafeTemporaryAllocation(of: Double.self, capacity: round) { sums in
            for start in stride(from: 0, to: count, by: part * round) {
                let parts = min(round, (count - start + part - 1) / part)
                ThreadPool.parallelFor(parts) { index in
                    if Interrupt.isSet { return }
                    let first = start + index * part
                    sums[index] = dotPiece(a + first, b + first, min(part, count - first))
                }
                try Interrupt.check()
                for index in 0..<parts { total += sums[index] }
            }
        }
        return total
    }
}
