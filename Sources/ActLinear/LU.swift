// LU factorisation with partial pivoting, and what follows from it: solving, inverse, determinant. Recursive, so that nearly all
// of the work is in matrix products (which are shared out and can be interrupted). Always in double precision.

import ActArray

/// A = P⁻¹ L U of a square matrix, in place: U on and above the diagonal, L below it (its diagonal is 1).
struct LU {
    let n: Int
    /// Row-major n × n, in memory of the caller, which outlives this.
    let elements: UnsafeMutablePointer<Double>
    /// Row i was exchanged with row `exchanges[i]`, for i = 0, 1 …
    private(set) var exchanges: [Int]
    /// The first pivot that is exactly 0, if any.
    private(set) var zeroPivot: Int?

    private static let leaf = 8

    /// Factors the matrix at `elements`, which must outlive the value.
    /// - Throws: `ArrayError.interrupted`.
    init(factoring elements: UnsafeMutablePointer<Double>, n: Int) throws {
        self.n = n
        self.elements = elements
        exchanges = []
        exchanges.reserveCapacity(n)
        try factor(column: 0, width: n)
    }

    private mutating func factor(column c0: Int, width: Int) throws {
        if width <= Self.leaf {
            if n >= Self.leaf { return factorLeaf(column: c0, width: width) }
            for c in c0..<(c0 + width) { eliminate(column: c, upTo: c0 + width) }
            return
        }
        // Columns in two halves, the left one of whole leaves: factor it, bring the right one up to date, factor what remains of it.
        let half = (width / 2 + Self.leaf / 2) / Self.leaf * Self.leaf, c1 = c0 + half, rest = width - half
        try factor(column: c0, width: half)
        try Self.solveLower(elements + c0 * n + c0, n: half, stride: n, right: elements + c0 * n + c1, columns: rest, rightStride: n)
        try MatrixProduct.multiply(
            m: n - c1, n: rest, k: half, alpha: -1, MatrixView(elements + c1 * n + c0, rowStride: n),
            MatrixView(elements + c0 * n + c1, rowStride: n), beta: 1, into: elements + c1 * n + c1, rowStride: n)
        try factor(column: c1, width: rest)
    }

    /// Factors the columns of a leaf; a narrower one than others is the last, and the columns before it fill it up.
    private mutating func factorLeaf(column c0: Int, width: Int) {
        let first = min(c0, n - Self.leaf), eliminate = Kernels.table.pointee.eliminate_f64
        var best = largest(inColumn: c0)
        for c in c0..<(c0 + width) {
            exchanges.append(best)
            if best != c { Self.exchangeRows(elements + c * n, elements + best * n, count: n) }
            if elements[c * n + c] == 0, zeroPivot == nil { zeroPivot = c }
            best = c + eliminate(elements + (c * n + first), n, n - 1 - c, c - first)
        }
    }

    /// Which row, from that of the diagonal on, has the largest element of a column, a NaN before all numbers.
    private func largest(inColumn c: Int) -> Int {
        var best = c, magnitude = abs(elements[c * n + c])
        for i in (c + 1)..<max(n, c + 1) {
            let candidate = abs(elements[i * n + c])
            if candidate > magnitude || (candidate.isNaN && !magnitude.isNaN) { (best, magnitude) = (i, candidate) }
        }
        return best
    }

    private mutating func eliminate(column c: Int, upTo end: Int) {
        let best = largest(inColumn: c)
        exchanges.append(best)
        if best != c { Self.exchangeRows(elements + c * n, elements + best * n, count: n) }
        let pivot = elements[c * n + c]
        if pivot == 0 {
            if zeroPivot == nil { zeroPivot = c }
            return  // the column below is 0 too
        }
        let source = elements + c * n
        for i in (c + 1)..<max(n, c + 1) {
            let row = elements + i * n
            let factor = row[c] / pivot
            row[c] = factor
            for j in (c + 1)..<max(end, c + 1) { row[j] -= factor * source[j] }
        }
    }

    /// The determinant: exact 0 for a zero pivot; significand and exponent apart, so that no partial product overflows.
    var determinant: Double {
        if zeroPivot != nil { return 0 }
        var significand = 1.0, exponent = 0
        for i in 0..<n {
            let pivot = elements[i * n + i] * (exchanges[i] == i ? 1 : -1)
            guard pivot.isFinite else { return significand * pivot }
            let product = significand * pivot.significand * (pivot < 0 ? -1 : 1)
            significand = product < 0 ? -product.significand : product.significand
            exponent += Int(product.exponent) + Int(pivot.exponent)
        }
        let clamped = max(-4000, min(4000, exponent))
        return Double(sign: .plus, exponent: clamped, significand: 1) * significand
    }

    /// Replaces the row-major n × `columns` matrix B at `right` by the X of A X = B.
    /// - Throws: `ArrayError.interrupted`.
    func solve(_ right: UnsafeMutablePointer<Double>, columns: Int) throws {
        guard columns > 0 else { return }
        for i in 0..<n where exchanges[i] != i { Self.exchangeRows(right + i * columns, right + exchanges[i] * columns, count: columns) }
        try Self.solveLower(elements, n: n, stride: n, right: right, columns: columns, rightStride: columns)
        try Self.solveUpper(elements, n: n, stride: n, right: right, columns: columns, rightStride: columns)
    }

    private static func exchangeRows(_ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, count: Int) {
        for j in 0..<count { (a[j], b[j]) = (b[j], a[j]) }
    }

    /// X of L X = B, in place; L has an implied diagonal of 1.
    private static func solveLower(
        _ l: UnsafeMutablePointer<Double>, n: Int, stride: Int, right: UnsafeMutablePointer<Double>, columns: Int, rightStride: Int
    ) throws {
        if n <= leaf {
            for i in 0..<n {
                for k in 0..<i { subtract(l[i * stride + k], right + k * rightStride, from: right + i * rightStride, count: columns) }
            }
            return
        }
        let half = n / 2
        try solveLower(l, n: half, stride: stride, right: right, columns: columns, rightStride: rightStride)
        try MatrixProduct.multiply(
            m: n - half, n: columns, k: half, alpha: -1, MatrixView(l + half * stride, rowStride: stride),
            MatrixView(right, rowStride: rightStride), beta: 1, into: right + half * rightStride, rowStride: rightStride)
        try solveLower(
            l + half * stride + half, n: n - half, stride: stride, right: right + half * rightStride, columns: columns, rightStride: rightStride)
    }

    /// X of U X = B, in place.
    private static func solveUpper(
        _ u: UnsafeMutablePointer<Double>, n: Int, stride: Int, right: UnsafeMutablePointer<Double>, columns: Int, rightStride: Int
    ) throws {
        if n <= leaf {
            for i in (0..<n).reversed() {
                let row = right + i * rightStride
                for k in (i + 1)..<max(n, i + 1) { subtract(u[i * stride + k], right + k * rightStride, from: row, count: columns) }
                let pivot = u[i * stride + i]
                for j in 0..<columns { row[j] /= pivot }
            }
            return
        }
        let half = n / 2
        try solveUpper(
            u + half * stride + half, n: n - half, stride: stride, right: right + half * rightStride, columns: columns, rightStride: rightStride)
        try MatrixProduct.multiply(
            m: half, n: columns, k: n - half, alpha: -1, MatrixView(u + half, rowStride: stride),
            MatrixView(right + half * rightStride, rowStride: rightStride), beta: 1, into: right, rowStride: rightStride)
        try solveUpper(u, n: half, stride: stride, right: right, columns: columns, rightStride: rightStride)
    }

    private static func subtract(_ factor: Double, _ row: UnsafeMutablePointer<Double>, from other: UnsafeMutablePointer<Double>, count: Int) {
        for j in 0..<count { other[j] -= factor * row[j] }
    }
}
