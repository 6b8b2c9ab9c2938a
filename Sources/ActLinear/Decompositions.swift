// Decompositions of one small matrix in double precision, on row-major elements. Textbook methods whose errors are known: Cholesky's,
// Householder's reflections, Jacobi's rotations from two sides and from one. (G. Golub, C. Van Loan, "Matrix Computations".)
//
// What must stay true: they end for every input, NaN and infinities included, and can be interrupted.

import ActArray

enum Decomposition {
    /// Replaces a symmetric positive definite matrix by its lower triangular root L, A = L Lᵀ.
    /// - Returns: Whether it was positive definite.
    static func cholesky(_ a: UnsafeMutablePointer<Double>, _ n: Int) throws -> Bool {
        for j in 0..<n {
            try Interrupt.check()
            let row = a + j * n
            for i in j..<n {
                let other = a + i * n
                var sum = other[j]
                for k in 0..<j { sum -= row[k] * other[k] }
                if i == j {
                    guard sum > 0, sum < .infinity else { return false }
                    row[j] = sum.squareRoot()
                } else {
                    other[j] = sum / row[j]
                }
            }
            for k in (j + 1)..<max(n, j + 1) { row[k] = 0 }
        }
        return true
    }

    /// A = Q R of an m × n matrix: `a` becomes R (its first min(m, n) rows), `q` the m × min(m, n) matrix Q. Signs are LAPACK's.
    static func qr(_ a: UnsafeMutablePointer<Double>, _ m: Int, _ n: Int, _ q: UnsafeMutablePointer<Double>) throws {
        let steps = min(m, n)
        var reflectors: [[Double]] = []
        for j in 0..<steps {
            try Interrupt.check()
            var v = (j..<m).map { a[$0 * n + j] }
            let alpha = v[0], length = norm(v)
            if length == 0 || v.count == 1 {
                reflectors.append([])
                continue
            }
            let beta = alpha > 0 ? -length : length
            v[0] = alpha - beta
            let size = norm(v)
            for i in v.indices { v[i] /= size }
            reflect(a + j * n + j, n, n - j, v)
            for i in (j + 1)..<max(m, j + 1) { a[i * n + j] = 0 }
            reflectors.append(v)
        }
        q.update(repeating: 0, count: m * steps)
        for j in 0..<steps { q[j * steps + j] = 1 }
        for j in (0..<steps).reversed() where !reflectors[j].isEmpty { reflect(q + j * steps + j, steps, steps - j, reflectors[j]) }
    }

    /// (1 − 2 v vᵀ) times the columns at `a`, of rows `stride` apart.
    private static func reflect(_ a: UnsafeMutablePointer<Double>, _ stride: Int, _ columns: Int, _ v: [Double]) {
        for c in 0..<columns {
            var dot = 0.0
            for i in v.indices { dot += v[i] * a[i * stride + c] }
            for i in v.indices { a[i * stride + c] -= 2 * dot * v[i] }
        }
    }

    private static func norm(_ v: [Double]) -> Double {
        let largest = v.reduce(0) { max($0, abs($1)) }
        guard largest > 0, largest < .infinity else { return largest }
        return largest * v.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
    }

    /// Eigenvalues of a symmetric matrix, ascending, and eigenvectors as the columns of `v`; `a` is used up.
    /// Cyclic Jacobi: each sweep squares what is left off the diagonal.
    static func symmetricEigen(_ a: UnsafeMutablePointer<Double>, _ n: Int, _ w: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>) throws {
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
    /// One-sided Jacobi: columns are rotated until they are orthogonal, so that small singular values keep their digits.
    static func singular(_ a: UnsafeMutablePointer<Double>, _ m: Int, _ n: Int, _ s: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>) throws {
        v.update(repeating: 0, count: n * n)
        for i in 0..<n { v[i * n + i] = 1 }
        // Squares of elements of this scale neither overflow nor vanish.
        var largest = 0.0
        for i in 0..<(m * n) { largest = max(largest, abs(a[i])) }
        let scale = largest > 0 && largest < .infinity ? Double(sign: .plus, exponent: largest.exponent, significand: 1) : 1
        for i in 0..<(m * n) { a[i] /= scale }
        for _ in 0..<60 {
            var changed = false
            for p in 0..<max(0, n - 1) {
                try Interrupt.check()
                for q in (p + 1)..<n {
                    var alpha = 0.0, beta = 0.0, gamma = 0.0
                    for i in 0..<m {
                        let x = a[i * n + p], y = a[i * n + q]
                        alpha += x * x
                        beta += y * y
                        gamma += x * y
                    }
                    guard abs(gamma) > 0x1p-52 * (alpha * beta).squareRoot(), abs(gamma) > .leastNormalMagnitude, gamma.isFinite else { continue }
                    changed = true
                    let zeta = (beta - alpha) / (2 * gamma)
                    let t = (zeta >= 0 ? 1 : -1) / (abs(zeta) + (1 + zeta * zeta).squareRoot())
                    let c = 1 / (1 + t * t).squareRoot(), sine = t * c
                    for i in 0..<m { rotate(&a[i * n + p], &a[i * n + q], c, sine) }
                    for i in 0..<n { rotate(&v[i * n + p], &v[i * n + q], c, sine) }
                }
            }
            if !changed { break }
        }
        for j in 0..<n {
            let length = norm((0..<m).map { a[$0 * n + j] })
            s[j] = length * scale
            if length > 0 { for i in 0..<m { a[i * n + j] /= length } }
        }
        sort(s, columns: [(a, m), (v, n)], n, ascending: false)
        try complete(a, m, n, s)
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
