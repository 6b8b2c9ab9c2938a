// The product of matrices in plain Swift: for products too small to be worth a library call, for memory a BLAS cannot
// describe, and for machines without one. Strips of both factors are packed side by side, then a block of 4 rows by 8 columns
// is summed in registers, always in the order of k.

enum PlainProduct {
    /// How much of k is packed at a time, so that a strip of each factor stays in the first-level cache.
    private static let depth = 256

    /// `c = alpha * a @ b + beta * c`; `beta` is 0 or 1.
    static func multiply<T: MatrixElement>(
        m: Int, n: Int, k: Int, alpha: T, _ a: MatrixView<T>, _ b: MatrixView<T>, beta: T, into c: UnsafeMutablePointer<T>, rowStride: Int
    ) {
        if beta == 0 {
            for i in 0..<m { (c + i * rowStride).update(repeating: 0, count: n) }
        }
        if n == 1 || m == 1 && b.rowStride == 1 {
            vectorProduct(m: m, n: n, k: k, alpha: alpha, a, b, into: c, rowStride: rowStride)
            return
        }
        let deep = min(k, depth)
        withUnsafeTemporaryAllocation(of: T.self, capacity: max(deep * 12, 1)) { buffer in
            guard let stripB = buffer.baseAddress else { return }
            let stripA = stripB + deep * 8
            var k0 = 0
            while k0 < k {
                let kc = min(deep, k - k0)
                var j = 0
                while j < n {
                    let columns = min(8, n - j)
                    pack(b.advanced(row: k0, column: j).transposed, rows: columns, of: 8, k: kc, into: stripB)
                    var i = 0
                    while i < m {
                        let rows = min(4, m - i)
                        pack(a.advanced(row: i, column: k0), rows: rows, of: 4, k: kc, into: stripA)
                        block(stripA, stripB, k: kc, alpha: alpha, rows: rows, columns: columns, into: c + i * rowStride + j, rowStride: rowStride)
                        i += 4
                    }
                    j += 8
                }
                k0 += kc
            }
        }
    }

    /// Copies `rows` rows so that the elements of one k lie together, `width` apart; missing rows are 0.
    @inline(__always)
    private static func pack<T: MatrixElement>(_ a: MatrixView<T>, rows: Int, of width: Int, k: Int, into strip: UnsafeMutablePointer<T>) {
        if rows < width { strip.update(repeating: 0, count: k * width) }
        if a.rowStride == 1 {
            for p in 0..<k {
                let from = a.pointer + p * a.columnStride, to = strip + p * width
                for i in 0..<rows { to[i] = from[i] }
            }
        } else {
            for i in 0..<rows {
                let from = a.pointer + i * a.rowStride
                for p in 0..<k { strip[p * width + i] = from[p * a.columnStride] }
            }
        }
    }

    @inline(__always)
    private static func block<T: MatrixElement>(
        _ a: UnsafeMutablePointer<T>, _ b: UnsafeMutablePointer<T>, k: Int, alpha: T, rows: Int, columns: Int,
        into c: UnsafeMutablePointer<T>, rowStride: Int
    ) {
        var c0 = SIMD8<T>(repeating: 0), c1 = c0, c2 = c0, c3 = c0
        var p = 0
        while p < k {
            let row = UnsafeRawPointer(b + p * 8).loadUnaligned(as: SIMD8<T>.self), from = a + p * 4
            c0 += row * from[0]
            c1 += row * from[1]
            c2 += row * from[2]
            c3 += row * from[3]
            p += 1
        }
        for i in 0..<rows {
            let sums = (i == 0 ? c0 : i == 1 ? c1 : i == 2 ? c2 : c3) * alpha
            let to = c + i * rowStride
            if columns == 8 {
                for j in 0..<8 { to[j] += sums[j] }
            } else {
                for j in 0..<columns { to[j] += sums[j] }
            }
        }
    }

    /// One factor is a column, or both run along k: every result is a dot product.
    @inline(__always)
    private static func vectorProduct<T: MatrixElement>(
        m: Int, n: Int, k: Int, alpha: T, _ a: MatrixView<T>, _ b: MatrixView<T>, into c: UnsafeMutablePointer<T>, rowStride: Int
    ) {
        for i in 0..<m {
            for j in 0..<n {
                let x = a.pointer + i * a.rowStride, y = b.pointer + j * b.columnStride
                var sum: T = 0
                var p = 0
                if a.columnStride == 1, b.rowStride == 1, k >= 8 {
                    var sums = SIMD8<T>(repeating: 0)
                    while p + 8 <= k {
                        sums += UnsafeRawPointer(x + p).loadUnaligned(as: SIMD8<T>.self) * UnsafeRawPointer(y + p).loadUnaligned(as: SIMD8<T>.self)
                        p += 8
                    }
                    sum = sums.sum()
                }
                while p < k {
                    sum += x[p * a.columnStride] * y[p * b.rowStride]
                    p += 1
                }
                c[i * rowStride + j] += alpha * sum
            }
        }
    }
}
