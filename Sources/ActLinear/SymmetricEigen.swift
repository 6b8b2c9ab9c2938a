// Eigenvalues and eigenvectors of one symmetric matrix: reflections make it tridiagonal, implicit shifts then diagonal. Work goes along rows,
// which lie together in memory, and what turns the vectors is a product. (G. Golub, C. Van Loan, "Matrix Computations", 8.3.)
//
// What must stay true: it ends for every finite input and can be interrupted.

import ActArray

enum SymmetricEigen {
    /// - Parameters:
    ///   - a: n × n, used up.
    ///   - w: The eigenvalues, in no order.
    ///   - v: The vectors in columns.
    /// - Throws: `interrupted`, `outOfMemory`; `badValue` if it does not converge.
    static func compute(_ a: UnsafeMutablePointer<Double>, _ n: Int, _ w: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>) throws {
        var largest = 0.0
        for i in 0..<n * n { largest = max(largest, abs(a[i])) }
        let scale = largest > 0 ? Double(sign: .plus, exponent: max(-1000, min(1000, largest.exponent)), significand: 1) : 1
        for i in 0..<n * n { a[i] /= scale }
        let memory = try Storage(byteCount: (n * n + 3 * n) * MemoryLayout<Double>.stride), turned = memory.pointer.assumingMemoryBound(to: Double.self)
        let beside = turned + n * n, spare = beside + n
        try reduce(a, n, w, beside, spare)
        // The vectors of the tridiagonal matrix, as rows.
        turned.update(repeating: 0, count: n * n)
        for i in 0..<n { turned[i * n + i] = 1 }
        try diagonalize(w, beside, n, turned)
        try turnBack(a, n, turned, v)
        for i in 0..<n { w[i] *= scale }
        withExtendedLifetime(memory) {}
    }

    /// A = H T H with T tridiagonal. Reflector k has length 1 and stays in row k of `a`, from column k + 1 on (0 where there is none).
    private static func reduce(
        _ a: UnsafeMutablePointer<Double>, _ n: Int, _ diagonal: UnsafeMutablePointer<Double>, _ beside: UnsafeMutablePointer<Double>,
        _ work: UnsafeMutablePointer<Double>
    ) throws {
        for k in 0..<n {
            try Interrupt.check()
            diagonal[k] = a[k * n + k]
            beside[k] = 0
            let v = a + k * n, first = k + 1, count = n - first
            guard count > 0 else { continue }
            if count == 1 {
                beside[k] = v[first]
                v[first] = 0
                continue
            }
            let length = Double.dotPiece(v + first, v + first, count).squareRoot()
            guard length > 0 else {
                (v + first).update(repeating: 0, count: count)
                continue
            }
            beside[k] = v[first] > 0 ? -length : length
            v[first] -= beside[k]
            let size = Double.dotPiece(v + first, v + first, count).squareRoot()
            for i in first..<n { v[i] /= size }
            // A − v pᵀ − p vᵀ with p = 2 (A v − (vᵀ A v) v).
            try ThreadPool.parallelPieces(count, of: max(1, (1 << 16) / count)) { rows in
                for i in rows { work[first + i] = 2 * Double.dotPiece(a + (first + i) * n + first, v + first, count) }
            }
            let along = Double.dotPiece(work + first, v + first, count)
            for i in first..<n { work[i] -= along * v[i] }
            try ThreadPool.parallelPieces(count, of: max(1, (1 << 16) / count)) { rows in
                for i in rows {
                    let row = a + (first + i) * n, x = v[first + i], y = work[first + i]
                    for j in first..<n { row[j] -= x * work[j] + y * v[j] }
                }
            }
        }
    }

    /// Implicit shifts on a tridiagonal matrix; the rows at `z` are turned as it is.
    private static func diagonalize(_ d: UnsafeMutablePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ n: Int, _ z: UnsafeMutablePointer<Double>) throws {
        var turns: [(c: Double, s: Double)] = []
        for first in 0..<n {
            var tries = 0
            while true {
                try Interrupt.check()
                var last = first
                while last < n - 1, abs(e[last]) > 0x1p-53 * (abs(d[last]) + abs(d[last + 1])), abs(e[last]) > .leastNormalMagnitude { last += 1 }
                if last == first { break }
                tries += 1
                guard tries <= 100 else { throw ArrayError.badValue(operation: "eigh", .noConvergence) }
                // Wilkinson's shift, from the upper end; the bulge goes up from the lower one.
                var g = (d[first + 1] - d[first]) / (2 * e[first])
                let r = (g * g + 1).squareRoot()
                g = d[last] - d[first] + e[first] / (g + (g < 0 ? -r : r))
                var (c, s, p) = (1.0, 1.0, 0.0), i = last - 1
                turns.removeAll(keepingCapacity: true)
                while i >= first {
                    let f = s * e[i], b = c * e[i], length = hypotenuse(f, g)
                    e[i + 1] = length
                    if length == 0 {
                        d[i + 1] -= p
                        break
                    }
                    (s, c) = (f / length, g / length)
                    g = d[i + 1] - p
                    let t = (d[i] - g) * s + 2 * c * b
                    p = s * t
                    d[i + 1] = g + p
                    g = c * t - b
                    turns.append((c, s))
                    i -= 1
                }
                if i < first {
                    d[first] -= p
                    e[first] = g
                }
                e[last] = 0
                try turn(z, n, turns, from: last - 1)
            }
        }
    }

    private static func hypotenuse(_ x: Double, _ y: Double) -> Double {
        let (a, b) = (max(abs(x), abs(y)), min(abs(x), abs(y)))
        return a == 0 ? 0 : a * (1 + (b / a) * (b / a)).squareRoot()
    }

    /// Turns rows i and i + 1 for i from `top` down, in strips of columns that stay in the first cache.
    private static func turn(_ z: UnsafeMutablePointer<Double>, _ n: Int, _ turns: [(c: Double, s: Double)], from top: Int) throws {
        let strip = 256
        try ThreadPool.parallelPieces(n, of: strip) { columns in
            for (index, turn) in turns.enumerated() {
                let (c, s) = turn, upper = z + (top - index) * n, lower = upper + n
                for j in columns {
                    let (x, y) = (upper[j], lower[j])
                    (upper[j], lower[j]) = (c * x - s * y, s * x + c * y)
                }
            }
        }
    }

    /// The columns of `v`: the reflections, the last one first, times the vectors in the rows of `turned`. Some at a time, as one product.
    private static func turnBack(_ a: UnsafeMutablePointer<Double>, _ n: Int, _ turned: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>) throws
    {
        let together = 32
        let memory = try Storage(byteCount: (2 * n * together + together * together) * MemoryLayout<Double>.stride),
            y = memory.pointer.assumingMemoryBound(to: Double.self)
        let products = y + n * together, t = products + n * together
        var end = max(0, n - 2)
        while end > 0 {
            let start = max(0, end - together), count = end - start
            // H_start … H_end−1 = 1 − Yᵀ T Y, the reflectors being the rows of Y.
            for k in 0..<count {
                let row = a + (start + k) * n, target = y + k * n
                target.update(repeating: 0, count: start + k + 1)
                (target + start + k + 1).update(from: row + start + k + 1, count: n - start - k - 1)
            }
            for j in 0..<count {
                for i in 0..<count { t[i * count + j] = 0 }
                var hasOne = false
                for i in 0..<n where y[j * n + i] != 0 { hasOne = true; break }
                guard hasOne else { continue }
                t[j * count + j] = 2
                let dots = (0..<j).map { Double.dotPiece(y + $0 * n, y + j * n, n) }
                for i in 0..<j {
                    var sum = 0.0
                    for l in i..<j { sum += t[i * count + l] * dots[l] }
                    t[i * count + j] = -2 * sum
                }
            }
            // Rows z become z − ((z Yᵀ) Tᵀ) Y.
            let rows = MatrixView(UnsafePointer(turned), rowStride: n), reflectors = MatrixView(UnsafePointer(y), rowStride: n)
            try MatrixProduct.multiply(m: n, n: count, k: n, rows, reflectors.transposed, into: products, rowStride: count)
            try MatrixProduct.multiply(
                m: n, n: count, k: count, MatrixView(UnsafePointer(products), rowStride: count), MatrixView(UnsafePointer(t), rowStride: count).transposed,
                into: v, rowStride: count)
            try MatrixProduct.multiply(
                m: n, n: n, k: count, alpha: -1, MatrixView(UnsafePointer(v), rowStride: count), reflectors, beta: 1, into: turned, rowStride: n)
            end = start
        }
        for i in 0..<n { for j in 0..<n { v[j * n + i] = turned[i * n + j] } }
        withExtendedLifetime(memory) {}
    }
}
