// The matrix of cofactors, which is the derivative of the determinant: d A⁻ᵀ where A has an inverse, and where it has none what that
// tends to.
//
// What must stay true: it can itself be differentiated, to any order.

import ActArray

extension NDArray {
    /// The cofactors of the square matrices of this array: the transposed adjugates.
    /// - Parameter determinants: Of the matrices.
    /// - Throws: `outOfMemory`, `interrupted`.
    func cofactors(determinants: NDArray) throws -> NDArray {
        let n = shape[rank - 1]
        if n == 1 { return try NDArray.full(1, shape: shape, type: type) }
        // Far from both ends of the numbers the inverse, which is fast, serves.
        let isPlain = try determinants.detached().toDoubles().allSatisfy { abs($0) > 1e-30 && abs($0) < 1e30 }
        if try isPlain && !(isTraced && n <= NDArray.mostExpanded && isNearSingular()) {
            return try determinants.reshaped(to: determinants.shape + [1, 1]) * inverse().matrixTransposed()
        }
        if !isTraced { return try adjugates().matrixTransposed().converted(to: type) }
        // Every cofactor is a determinant of its own. These are many, but seldom: a second derivative at a singular matrix.
        let planes = count / max(1, n * n), size = (n - 1) * (n - 1)
        try MemoryPool.allow(count.multipliedReportingOverflow(by: 24 &* size).overflow ? .max : count &* 24 &* size)
        var places: [Int] = []
        places.reserveCapacity(count * size)
        for plane in 0..<planes {
            try Interrupt.check()
            for row in 0..<n {
                for column in 0..<n {
                    for i in 0..<n where i != row { for j in 0..<n where j != column { places.append((plane * n + i) * n + j) } }
                }
            }
        }
        let minors = try gathered(GatherIndices(starts: places, chunk: 1), shape: shape + [n - 1, n - 1])
        let signs = try NDArray((0..<n * n).map { ($0 / n + $0 % n) % 2 == 0 ? 1 : -1 }, shape: [n, n], type: type)
        return try minors.determinant() * signs
    }

    /// Up to this size a determinant's second derivative at a matrix that is nearly singular is taken from minors.
    private static let mostExpanded = 8

    /// Whether the inverse of one of the matrices, which exists, is so large that products with it, in derivatives, would lose digits.
    private func isNearSingular() throws -> Bool {
        let matrices = try detached(), inverses = try matrices.inverse()
        func largest(_ x: NDArray) throws -> NDArray { try NDArray.unary(.abs, x).reduced(.max, axes: [-2, -1]) }
        return try (largest(matrices) * largest(inverses)).toDoubles().contains { !($0 < 1e4) }
    }

    /// The adjugates of the matrices, in f64.
    private func adjugates() throws -> NDArray {
        let n = shape[rank - 1]
        var work = try detached().converted(to: .f64)
        try work.makeUnique()
        let result = try NDArray.uninitialized(shape: shape, type: .f64)
        try work.withMutableBytes { matrices in
            try result.withMutableBytes { adjugates in
                let a = matrices.assumingMemoryBound(to: Double.self), b = adjugates.assumingMemoryBound(to: Double.self)
                for plane in 0..<(n == 0 ? 0 : count / (n * n)) { try Adjugate.find(a + plane * n * n, n: n, into: b + plane * n * n) }
            }
        }
        return result
    }
}

/// The adjugate of one matrix, by elimination with complete pivoting: P A Q = L U, where a matrix of rank r leaves zeros from row r on.
private enum Adjugate {
    /// A matrix taken apart in place: L below the diagonal, U on and above it.
    private struct Factors {
        /// Which rows and columns of the matrix stand where.
        var rows: [Int], columns: [Int]
        /// The product of the pivots but the last and the sign of the exchanges: significand and exponent apart, so that nothing overflows
        /// on the way.
        var significand = 1.0, exponent = 0
        var rank: Int

        init(_ n: Int) { (rows, columns, rank) = (Array(0..<n), Array(0..<n), n) }
    }

    /// Writes the adjugate of the n × n matrix at `a`, which is used up, to `result`; both are row-major.
    /// - Throws: `interrupted`.
    static func find(_ a: UnsafeMutablePointer<Double>, n: Int, into result: UnsafeMutablePointer<Double>) throws {
        guard let factors = try factors(a, n) else { return result.update(repeating: .nan, count: n * n) }
        guard factors.rank >= n - 1 else { return result.update(repeating: 0, count: n * n) }
        try solve(a, n, factors, into: result)
    }

    /// - Returns: `nil` where an element is not finite.
    private static func factors(_ a: UnsafeMutablePointer<Double>, _ n: Int) throws -> Factors? {
        var factors = Factors(n)
        for k in 0..<n {
            try Interrupt.check()
            var best = (row: k, column: k, magnitude: -1.0)
            for i in k..<n {
                for j in k..<n {
                    let magnitude = abs(a[i * n + j])
                    guard magnitude.isFinite else { return nil }
                    if magnitude > best.magnitude { best = (i, j, magnitude) }
                }
            }
            if best.magnitude == 0 {
                factors.rank = k
                return factors
            }
            if best.row != k {
                for j in 0..<n { (a[k * n + j], a[best.row * n + j]) = (a[best.row * n + j], a[k * n + j]) }
                factors.rows.swapAt(k, best.row)
                factors.significand = -factors.significand
            }
            if best.column != k {
                for i in 0..<n { (a[i * n + k], a[i * n + best.column]) = (a[i * n + best.column], a[i * n + k]) }
                factors.columns.swapAt(k, best.column)
                factors.significand = -factors.significand
            }
            let pivot = a[k * n + k]
            // The last pivot is not a factor of what a matrix of rank n − 1 has; it is multiplied in below.
            if k < n - 1 { multiply(&factors.significand, &factors.exponent, by: pivot) }
            for i in (k + 1)..<max(n, k + 1) {
                let factor = a[i * n + k] / pivot
                a[i * n + k] = factor
                for j in (k + 1)..<n { a[i * n + j] -= factor * a[k * n + j] }
            }
        }
        return factors
    }

    /// With the last pivot p, adj(U) L⁻¹ = d (p U⁻¹ L⁻¹), d being the product of the others; and p U⁻¹ is there for p = 0 too.
    private static func solve(_ a: UnsafeMutablePointer<Double>, _ n: Int, _ factors: Factors, into result: UnsafeMutablePointer<Double>) throws {
        let p = a[n * n - 1], exponent = max(-4000, min(4000, factors.exponent))
        var column = [Double](repeating: 0, count: n)
        for target in 0..<n {
            try Interrupt.check()
            for i in 0..<n {
                var value = i == target ? 1.0 : 0
                for k in 0..<i { value -= a[i * n + k] * column[k] }
                column[i] = value
            }
            // Column `target` of p U⁻¹ L⁻¹: the last element is not divided by p, the others are multiplied by it first.
            for i in (0..<n).reversed() where i != n - 1 {
                var value = p * column[i]
                for k in (i + 1)..<n { value -= a[i * n + k] * column[k] }
                column[i] = value / a[i * n + i]
            }
            for i in 0..<n {
                let value = factors.significand * column[i]
                result[factors.columns[i] * n + factors.rows[target]] = value == 0 ? 0 : Double(sign: .plus, exponent: exponent, significand: value)
            }
        }
    }

    private static func multiply(_ significand: inout Double, _ exponent: inout Int, by factor: Double) {
        let product = significand * factor.significand * (factor < 0 ? -1 : 1)
        exponent += Int(product.exponent) + Int(factor.exponent)
        significand = product < 0 ? -product.significand : product.significand
    }
}
