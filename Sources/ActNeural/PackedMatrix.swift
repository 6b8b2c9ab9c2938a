// A matrix on the right of many products, laid out once in the strips that the kernels read.

import ActArray
import CActKernels

struct PackedMatrix<T: MatrixElement> {
    private let storage: Storage
    private let rows, columns: Int
    /// The columns of its strips, those included that are empty.
    private let width: Int

    /// - Throws: `ArrayError.outOfMemory`, `tooLarge`.
    @_specialize(where T == Float)
    @_specialize(where T == Double)
    init(rows: Int, columns: Int, _ matrix: MatrixView<T>) throws {
        (self.rows, self.columns) = (rows, columns)
        let tile = T.tileColumns
        width = (columns + tile - 1) / tile &* tile
        let (count, overflow) = width.multipliedReportingOverflow(by: rows &* MemoryLayout<T>.stride)
        guard !overflow else { throw ArrayError.tooLarge(shape: [rows, columns]) }
        storage = try Storage(byteCount: count)
        for first in stride(from: 0, to: rows, by: Int(PRODUCT_DEPTH)) {
            T.productPack(columns, min(Int(PRODUCT_DEPTH), rows - first), matrix.advanced(row: first, column: 0), piece(from: first))
        }
    }

    /// Where the strips begin of the rows from `first` on, in memory that `storage` holds.
    private func piece(from first: Int) -> UnsafeMutablePointer<T> { storage.pointer.assumingMemoryBound(to: T.self) + first &* width }

    /// c = (adds ? c : 0) + a @ it, on this thread. `a` has `count` rows.
    /// - Parameter rowStride: That of `c`, whose rows have no gaps.
    @_specialize(where T == Float)
    @_specialize(where T == Double)
    func multiply(_ count: Int, _ a: MatrixView<T>, adds: Bool, into c: UnsafeMutablePointer<T>, rowStride: Int) {
        guard count > 0, columns > 0 else { return }
        if rows == 0 {
            if !adds { for row in 0..<count { (c + row &* rowStride).update(repeating: 0, count: columns) } }
            return
        }
        for first in stride(from: 0, to: rows, by: Int(PRODUCT_DEPTH)) {
            T.productPacked(
                count, columns, min(Int(PRODUCT_DEPTH), rows - first), 1, a.advanced(row: 0, column: first), piece(from: first),
                adds: adds || first > 0, c, rowStride)
        }
    }
}
