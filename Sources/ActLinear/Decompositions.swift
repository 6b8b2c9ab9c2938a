// Decompositions of one matrix in double precision, on row-major elements. Textbook methods whose errors are known: Cholesky's, Householder's
// reflections, Jacobi's rotations from two sides and from one. (G. Golub, C. Van Loan, "Matrix Computations".)
//
// What must stay true: they end for every input, NaN and infinities included, and can be interrupted.

import ActArray

enum Decomposition {
    /// Replaces a symmetric positive definite matrix by its lower triangular root L, A = L Lᵀ.
    /// - Returns: Whether it was positive definite.
    static func cholesky(_ a: UnsafeMutablePointer<Double>, _ n: Int) throws -> Bool {
        guard try root(a, n, stride: n) else { return false }
        for j in 0..<n { for k in (j + 1)..<max(n, j + 1) { a[j * n + k] = 0 } }
        return true
    }

    /// The lower triangle alone, in halves, so that large ones are mostly products.
    private static func root(_ a: UnsafeMutablePointer<Double>, _ n: Int, stride: Int) throws -> Bool {
        guard n > 32 else {
            try Interrupt.check()
            for j in 0..<n {
                let row = a + j * stride
                for i in j..<n {
                    let other = a + i * stride
                    var sum = other[j]
                    for k in 0..<j { sum -= row[k] * other[k] }
                    if i == j {
                        guard sum > 0, sum < .infinity else { return false }
                        row[j] = sum.squareRoot()
                    } else {
                        other[j] = sum / row[j]
                    }
                }
            }
            return true
        }
        let half = n / 2, below = a + half * stride, rest = n - half
        guard try root(a, half, stride: stride) else { return false }
        try solveRows(below, rows: rest, a, half, stride: stride)
        try MatrixProduct.multiply(
            m: rest, n: rest, k: half, alpha: -1, MatrixView(UnsafePointer(below), rowStride: stride),
            MatrixView(UnsafePointer(below), rowStride: stride).transposed, beta: 1, into: below + half,
            rowStride: stride)
        return try root(below + half, rest, stride: stride)
    }

    /// Rows x become those for which x Lᵀ was x.
    private static func solveRows(_ x: UnsafeMutablePointer<Double>, rows: Int, _ l: UnsafeMutablePointer<Double>, _ n: Int, stride: Int) throws {
        guard n > 16 else {
            for r in 0..<rows {
                let row = x + r * stride
                for j in 0..<n {
                    var sum = row[j]
                    for k in 0..<j { sum -= row[k] * l[j * stride + k] }
                    row[j] = sum / l[j * stride + j]
                }
            }
            return
        }
        let half = n / 2
        try solveRows(x, rows: rows, l, half, stride: stride)
        try MatrixProduct.multiply(
            m: rows, n: n - half, k: half, alpha: -1, MatrixView(UnsafePointer(x), rowStride: stride),
            MatrixView(UnsafePointer(l + half * stride), rowStride: stride).transposed, beta: 1,
            into: x + half, rowStride: stride)
        try solveRows(x + half, rows: rows, l + half * stride + half, n - half, stride: stride)
    }

    /// A = Q R of an m × n matrix: `a` becomes R (its first min(m, n) rows), `q` the m × min(m, n) matrix Q. Signs are LAPACK's.
    static func qr(_ a: UnsafeMutablePointer<Double>, _ m: Int, _ n: Int, _ q: UnsafeMutablePointer<Double>) throws {
        try Reflections(reducing: a, m, n).write(to: q)
    }

    private static func norm(_ v: [Double]) -> Double {
        let largest = v.reduce(0) { max($0, abs($1)) }
        guard largest > 0, largest < .infinity else { return largest }
        return largest * v.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
    }

    /// Eigenvalues of a symmetric matrix, ascending, and eigenvectors as the columns of `v`; `a` is used up.
    /// Small ones by cyclic Jacobi: each sweep squares what is left off the diagonal, and small eigenvalues keep their digits.
    static func symmetricEigen(_ a: UnsafeMutablePointer<Double>, _ n: Int, _ w: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>) throws {
        if n > 32 {
            try SymmetricEigen.compute(a, n, w, v)
            return sort(w, columns: [(v, n)], n, ascending: true)
        }
        v.update(repeating: 0, count: n * n)
        for i in 0..<n { v[i * n + i] = 1 }
        for _ in 0..<60 {
            var changed = false
            for p in 0..<max(0, n - 1) {
                try Interrupt.check()
                for q in (p + 1)..<n {
                    let apq = a[p * n + q]
                    let app = a[p * n + p], aqq = a[q * n + q]
                    guard abs(apq) > 0x1p-54 * abs(app).squareRoot() * abs(aqq).squareRoot(), abs(apq) > .leastNormalMagnitude, apq.isFinite else { continue }
                    changed = true
                    let theta = (aqq - app) / (2 * apq)
                    let t = (theta >= 0 ? 1 : -1) / (abs(theta) + (1 + theta * theta).squareRoot())
                    let c = 1 / (1 + t * t).squareRoot(), s = t * c
                    for k in 0..<n { rotate(&a[k * n + p], &a[k * n + q], c, s) }
                    for k in 0..<n { rotate(&a[p * n + k], &a[q * n + k], c, s) }
                    (a[p * n + q], a[q * n + p]) = (0, 0)
                    for k in 0..<n { rotate(&v[k * n + p], &v[k * n + q], c, s) }
                }
            }
            if !changed { break }
        }
        for i in 0..<n { w[i] = a[i * n + i] }
        sort(w, columns: [(v, n)], n, ascending: true)
    }

    /// The thin decomposition A = U diag(s) Vᵀ of an m × n matrix with m ≥ n: `a` becomes U, the columns of `v` are the right vectors.
    /// One-sided Jacobi: vectors are turned until they are orthogonal, so that small singular values keep their digits. Of large matrices these
    /// are the rows of R, with A = Q R, which are shorter and nearer to orthogonal. (Z. Drmač, K. Veselić 2008.)
    static func singular(_ a: UnsafeMutablePointer<Double>, _ m: Int, _ n: Int, _ s: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>) throws {
        // Squares of elements of this scale neither overflow nor vanish.
        var largest = 0.0
        for i in 0..<(m * n) { largest = max(largest, abs(a[i])) }
        let scale = largest > 0 && largest < .infinity ? Double(sign: .plus, exponent: largest.exponent, significand: 1) : 1
        for i in 0..<(m * n) { a[i] /= scale }
        // Columns in the order of their sizes: the largest lead.
        let sizes = columnNorms(a, m, n), order = (0..<n).sorted { (-sizes[$0], $0) < (-sizes[$1], $1) }
        for i in 0..<m {
            let row = order.map { a[i * n + $0] }
            for j in 0..<n { a[i * n + j] = row[j] }
        }
        let memory = try Storage(byteCount: (m * n + 2 * n * n) * MemoryLayout<Double>.stride), wide = memory.pointer.assumingMemoryBound(to: Double.self)
        let square = wide + m * n, turns = square + n * n
        turns.update(repeating: 0, count: n * n)
        for i in 0..<n { turns[i * n + i] = 1 }
        if n <= 32 {
            // Aᵀ turned is diag(s) Uᵀ.
            for i in 0..<m { for j in 0..<n { wide[j * m + i] = a[i * n + j] } }
            try orthogonalize(wide, length: m, turns, n)
            for i in 0..<n {
                let length = takeLength(wide + i * m, m)
                s[i] = length * scale
                for j in 0..<m { a[j * n + i] = wide[i * m + j] }
                for j in 0..<n { v[order[j] * n + i] = turns[i * n + j] }
            }
        } else {
            // R turned is diag(s) Vᵀ, and Q turned U.
            try qr(a, m, n, wide)
            square.update(from: a, count: n * n)
            try orthogonalize(square, length: n, turns, n)
            for i in 0..<n {
                s[i] = takeLength(square + i * n, n) * scale
                for j in 0..<n { v[order[j] * n + i] = square[i * n + j] }
            }
            try MatrixProduct.multiply(
                m: m, n: n, k: n, MatrixView(UnsafePointer(wide), rowStride: n), MatrixView(UnsafePointer(turns), rowStride: n).transposed, into: a,
                rowStride: n)
        }
        sort(s, columns: [(a, m), (v, n)], n, ascending: false)
        try complete(a, m, n, s)
        try complete(v, n, n, s)
        withExtendedLifetime(memory) {}
    }

    /// Divides a vector by its length.
    private static func takeLength(_ x: UnsafeMutablePointer<Double>, _ count: Int) -> Double {
        let length = norm((0..<count).map { x[$0] })
        if length > 0 { for i in 0..<count { x[i] /= length } }
        return length
    }

    /// Turns pairs of rows until all are orthogonal, and those of `turns` with them. Pairs that share no row go at once: a round of a tournament.
    private static func orthogonalize(_ r: UnsafeMutablePointer<Double>, length: Int, _ turns: UnsafeMutablePointer<Double>, _ n: Int) throws {
        let players = n + n % 2, rounds = max(0, players - 1)
        var hasTurned = [Bool](repeating: false, count: players / 2)
        for _ in 0..<60 {
            var changed = false
            for round in 0..<rounds {
                try Interrupt.check()
                try hasTurned.withUnsafeMutableBufferPointer { hasTurned in
                    guard let hasTurned = hasTurned.baseAddress else { return }
                    try ThreadPool.parallelPieces(players / 2, of: max(1, (1 << 15) / max(1, length))) { pairs in
                        for pair in pairs {
                            let (x, y) = pair == 0 ? (rounds, round) : ((round + pair) % rounds, (round + rounds - pair) % rounds),
                                (p, q) = (min(x, y), max(x, y))
                            hasTurned[pair] = q < n && turn(r + p * length, r + q * length, length, turns + p * n, turns + q * n, n)
                        }
                    }
                }
                changed = changed || hasTurned.contains(true)
            }
            if !changed { return }
        }
    }

    /// Makes two rows orthogonal.
    /// - Returns: Whether they were not so already.
    private static func turn(
        _ x: UnsafeMutablePointer<Double>, _ y: UnsafeMutablePointer<Double>, _ length: Int, _ u: UnsafeMutablePointer<Double>,
        _ v: UnsafeMutablePointer<Double>, _ n: Int
    ) -> Bool {
        let gamma = Double.dotPiece(x, y, length)
        guard abs(gamma) > .leastNormalMagnitude, gamma.isFinite else { return false }
        let alpha = Double.dotPiece(x, x, length), beta = Double.dotPiece(y, y, length)
        guard abs(gamma) > 0x1p-52 * (alpha * beta).squareRoot() else { return false }
        let zeta = (beta - alpha) / (2 * gamma)
        let t = (zeta >= 0 ? 1 : -1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
        let c = 1 / (1 + t * t).squareRoot(), s = t * c
        for i in 0..<length { (x[i], y[i]) = (c * x[i] - s * y[i], s * x[i] + c * y[i]) }
        for i in 0..<n { (u[i], v[i]) = (c * u[i] - s * v[i], s * u[i] + c * v[i]) }
        return true
    }

    private static func columnNorms(_ a: UnsafeMutablePointer<Double>, _ m: Int, _ n: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: n)
        for i in 0..<m { for j in 0..<n { sums[j] += a[i * n + j] * a[i * n + j] } }
        return sums
    }

    /// Columns of U that belong to no singular value: any that are orthogonal to the others.
    private static func complete(_ u: UnsafeMutablePointer<Double>, _ m: Int, _ n: Int, _ s: UnsafeMutablePointer<Double>) throws {
        for j in 0..<n where !(norm((0..<m).map { u[$0 * n + j] }) > 0.5) {
            try Interrupt.check()
            guard s[j] == 0 else { continue }
            for start in 0..<m {
                try Interrupt.check()
                var column = (0..<m).map { $0 == start ? 1.0 : 0.0 }
                for _ in 0..<2 {
                    for other in 0..<j {
                        var dot = 0.0
                        for i in 0..<m { dot += column[i] * u[i * n + other] }
                        for i in 0..<m { column[i] -= dot * u[i * n + other] }
                    }
                }
                let length = norm(column)
                guard length > 0.5 / Double(m) else { continue }
                for i in 0..<m { u[i * n + j] = column[i] / length }
                break
            }
        }
    }

    @inline(__always)
    private static func rotate(_ x: inout Double, _ y: inout Double, _ c: Double, _ s: Double) {
        (x, y) = (c * x - s * y, s * x + c * y)
    }

    /// Brings values into order, and with them the columns of matrices of n columns.
    private static func sort(_ values: UnsafeMutablePointer<Double>, columns: [(UnsafeMutablePointer<Double>, Int)], _ n: Int, ascending: Bool) {
        let order = (0..<n).sorted { ascending ? (values[$0], $0) < (values[$1], $1) : (-values[$0], $0) < (-values[$1], $1) }
        let sorted = order.map { values[$0] }
        for i in 0..<n { values[i] = sorted[i] }
        for (matrix, rows) in columns {
            for r in 0..<rows {
                let row = order.map { matrix[r * n + $0] }
                for i in 0..<n { matrix[r * n + i] = row[i] }
            }
        }
    }
}
