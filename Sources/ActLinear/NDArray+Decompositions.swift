// Decompositions of matrices, batched over leading axes, with their derivatives.
//
// What must stay true: a rule is written with array operations on the node's inputs and result, so that derivatives of derivatives follow.
// Of symmetric matrices the symmetric part counts, and what reaches it is symmetric.

import ActArray
import ActOrder

extension NDArray {
    // MARK: Computing plane by plane

    /// Arrays of one matrix (or vector) each for every matrix of this array, in f64 and then in its type.
    /// - Parameter body: Gets the elements of one matrix, which it may use up, and where those of each result go.
    private func planes(_ operation: String, _ shapes: [[Int]], _ body: (UnsafeMutablePointer<Double>, [UnsafeMutablePointer<Double>]) throws -> Void) throws
        -> [NDArray]
    {
        let batch = Array(shape.dropLast(2)), size = shape[rank - 1] * shape[rank - 2], count = batch.reduce(1, &*)
        if isSymbol { return try shapes.map { try NDArray.full(0, shape: batch + $0, type: self.type == .bool ? .f64 : self.type) } }
        var work = try detached().converted(to: .f64)
        guard try work.isFinite() else { throw ArrayError.badValue(operation: operation, .notFinite) }
        try work.makeUnique()
        let results = try shapes.map { try NDArray.uninitialized(shape: batch + $0, type: .f64) }
        try work.withMutableBytes { source in
            let source = source.assumingMemoryBound(to: Double.self)
            let targets = results.map { result in result.withMutableBytes { $0.assumingMemoryBound(to: Double.self) } }
            // Matrices without elements have results without: there may be any number of them, of any length.
            for plane in 0..<(size > 0 ? count : 0) {
                try body(source + plane * size, zip(targets, shapes).map { $0 + plane * $1.reduce(1, &*) })
            }
        }
        let type = type == .bool ? .f64 : type
        return try results.map { try $0.converted(to: type) }
    }

    private func matrices(_ operation: String, square: Bool = false) throws -> NDArray {
        guard rank >= 2 else { throw ArrayError.rankMismatch(operation: operation, ranks: 2...Shapes.rankLimit, shape: shape) }
        if square, shape[rank - 1] != shape[rank - 2] { throw ArrayError.notSquare(operation: operation, shape) }
        return type == .bool ? try converted(to: .f64) : self
    }

    private var symmetricPart: NDArray { get throws { try (self + matrixTransposed()) * 0.5 } }

    /// The lower triangular L with A = L Lᵀ of the symmetric part of A.
    /// - Throws: `badValue` for a matrix that is not positive definite, `notSquare`.
    package func cholesky() throws -> NDArray {
        let a = try matrices("cholesky", square: true).symmetricPart, n = shape[rank - 1]
        let root = try a.planes("cholesky", [[n, n]]) { matrix, targets in
            guard try Decomposition.cholesky(matrix, n) else { throw ArrayError.badValue(operation: "cholesky", .notPositiveDefinite) }
            targets[0].update(from: matrix, count: n * n)
        }[0]
        return try NDArray.custom(
            MatrixRule("cholesky", lowering: { try Factorization.cholesky($0) }) { c, x, l in
                // Ā = ½ (S + Sᵀ), S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, Φ the lower triangle with half the diagonal.
                let inner = try NDArray.matmul(l.matrixTransposed(), c.triangle(0, isLower: true)).triangle(0, isLower: true)
                let half = try inner - inner * NDArray.eye(n, type: inner.type) * 0.5
                let left = try NDArray.solve(l.matrixTransposed(), half)
                return try NDArray.solve(l.matrixTransposed(), left.matrixTransposed()).matrixTransposed().symmetricPart
            }, inputs: [a], value: root)
    }

    /// Q with orthonormal columns and the upper triangular R, A = Q R.
    package func qr() throws -> (q: NDArray, r: NDArray) {
        let a = try matrices("qr"), m = shape[rank - 2], n = shape[rank - 1], k = min(m, n)
        let parts = try a.planes("qr", [[m, k], [k, n]]) { matrix, targets in
            try Decomposition.qr(matrix, m, n, targets[0])
            targets[1].update(from: matrix, count: k * n)
        }
        func rule(_ isQ: Bool) -> MatrixRule {
            MatrixRule("qr", lowering: { isQ ? try Factorization.qr($0).q : try Factorization.qr($0).r }) { c, x, _ in
                guard m >= n else { throw ArrayError.badValue(operation: "qr", .wideMatrix) }
                let (q, r) = try x.qr()
                // Ā = (Q̄ + Q copyltu(M)) R⁻ᵀ, M = R R̄ᵀ − Q̄ᵀ Q.
                let inner = isQ ? try -NDArray.matmul(c.matrixTransposed(), q) : try NDArray.matmul(r, c.triangle(0, isLower: false).matrixTransposed())
                let lower = try inner.triangle(0, isLower: true), mirrored = try lower + inner.triangle(-1, isLower: true).matrixTransposed()
                let left = isQ ? try c + NDArray.matmul(q, mirrored) : try NDArray.matmul(q, mirrored)
                return try NDArray.solve(r, left.matrixTransposed()).matrixTransposed()
            }
        }
        return (try NDArray.custom(rule(true), inputs: [a], value: parts[0]), try NDArray.custom(rule(false), inputs: [a], value: parts[1]))
    }

    /// Eigenvalues, ascending, and eigenvectors in columns, of the symmetric part of A. The largest element of each vector is positive.
    package func symmetricEigen() throws -> (values: NDArray, vectors: NDArray) {
        let a = try matrices("eigh", square: true).symmetricPart, n = shape[rank - 1]
        let parts = try a.planes("eigh", [[n], [n, n]]) { matrix, targets in
            try Decomposition.symmetricEigen(matrix, n, targets[0], targets[1])
            NDArray.orient(targets[1], rows: n, columns: n)
        }
        let values = try NDArray.custom(
            MatrixRule("eigh") { c, x, _ in
                let v = try x.symmetricEigen().vectors
                return try NDArray.matmul(v * c.expandedDims(c.rank - 1), v.matrixTransposed())
            }, inputs: [a], value: parts[0])
        let vectors = try NDArray.custom(
            MatrixRule("eigh") { c, x, _ in
                let (w, v) = try x.symmetricEigen()
                let inner = try NDArray.matmul(v.matrixTransposed(), c) * NDArray.gaps(w)
                return try NDArray.matmul(NDArray.matmul(v, inner), v.matrixTransposed()).symmetricPart
            }, inputs: [a], value: parts[1])
        return (values, vectors)
    }

    /// The thin decomposition A = U diag(s) Vᵀ, s descending. The largest element of each column of U is positive.
    package func singularValues() throws -> (u: NDArray, s: NDArray, vt: NDArray) {
        let a = try matrices("svd"), m = shape[rank - 2], n = shape[rank - 1], k = min(m, n)
        if m < n {
            let (v, s, ut) = try a.matrixTransposed().singularValues()
            return (try ut.matrixTransposed(), s, try v.matrixTransposed())
        }
        let parts = try a.planes("svd", [[m, k], [k], [k, k]]) { matrix, targets in
            try Decomposition.singular(matrix, m, n, targets[1], targets[2])
            targets[0].update(from: matrix, count: m * n)
            NDArray.orient(targets[0], rows: m, columns: k, with: targets[2], rows: k)
        }
        enum Part { case u, s, v }
        func rule(_ part: Part) -> MatrixRule {
            MatrixRule("svd") { c, x, _ in
                let (u, s, vt) = try x.singularValues(), row = try s.expandedDims(s.rank - 1)
                func product(_ middle: NDArray) throws -> NDArray { try NDArray.matmul(NDArray.matmul(u, middle), vt) }
                switch part {
                case .s: return try NDArray.matmul(u * c.expandedDims(c.rank - 1), vt)
                case .u:
                    let inner = try NDArray.matmul(u.matrixTransposed(), c)
                    let turned = try product(NDArray.gaps(s * s) * (inner - inner.matrixTransposed()) * row)
                    let outside = try (c - NDArray.matmul(u, inner)) / row
                    return try turned + NDArray.matmul(outside, vt)
                case .v:
                    // V is square here: nothing of what reaches it lies outside of its columns.
                    let inner = try NDArray.matmul(vt, c)
                    return try product(NDArray.gaps(s * s) * (inner - inner.matrixTransposed()) * s.expandedDims(s.rank))
                }
            }
        }
        return (
            try NDArray.custom(rule(.u), inputs: [a], value: parts[0]), try NDArray.custom(rule(.s), inputs: [a], value: parts[1]),
            try NDArray.custom(rule(.v), inputs: [a], value: parts[2]).matrixTransposed()
        )
    }

    /// 1/(wⱼ − wᵢ) at row i and column j, 0 on the diagonal.
    private static func gaps(_ w: NDArray) throws -> NDArray {
        let n = w.shape[w.rank - 1], unit = try NDArray.eye(n).converted(to: .bool)
        let difference = try w.expandedDims(w.rank - 1) - w.expandedDims(w.rank)
        return try NDArray.select(unit, .number(0), .array(1 / NDArray.select(unit, .number(1), .array(difference))))
    }

    /// Turns columns round so that the largest element of each is positive, and those of a matrix that belongs to it with them.
    private static func orient(
        _ matrix: UnsafeMutablePointer<Double>, rows: Int, columns: Int, with other: UnsafeMutablePointer<Double>? = nil, rows others: Int = 0
    ) {
        for j in 0..<columns {
            var best = 0.0
            // A later element counts as larger only if it is so by more than rounding: ties give the first.
            for i in 0..<rows where abs(matrix[i * columns + j]) > abs(best) * (1 + 0x1p-40) { best = matrix[i * columns + j] }
            guard best < 0 else { continue }
            for i in 0..<rows { matrix[i * columns + j] = -matrix[i * columns + j] }
            if let other { for i in 0..<others { other[i * columns + j] = -other[i * columns + j] } }
        }
    }

    /// Eigenvalues, ascending by their real parts, and eigenvectors in columns of length 1, of any square matrix; real and imaginary parts.
    package func generalEigen() throws -> (values: (real: NDArray, imaginary: NDArray), vectors: (real: NDArray, imaginary: NDArray)) {
        let a = try matrices("eig", square: true), n = shape[rank - 1]
        try MemoryPool.allow(8 &* n &* n &* MemoryLayout<Double>.stride)
        let parts = try a.planes("eig", [[n], [n], [n, n], [n, n]]) { matrix, targets in
            let found = try GeneralEigen(matrix, n)
            for (target, part) in zip(targets, [found.real, found.imaginary, found.vectors.real, found.vectors.imaginary]) {
                for (index, number) in part.enumerated() { target[index] = number }
            }
        }
        return ((parts[0], parts[1]), (parts[2], parts[3]))
    }

    // MARK: What follows from them

    /// The Moore-Penrose inverse. Singular values below `cutoff` times the largest count as 0.
    package func pseudoinverse(cutoff: Double?) throws -> NDArray {
        let a = try matrices("pinv")
        let (u, s, vt) = try a.detached().singularValues()
        let bound = try s.reduced(.max, axes: [-1], keepdims: true) * (cutoff ?? a.standardCutoff)
        let isKept = try NDArray.compare(.gt, .array(s), .array(bound))
        let inverse = try NDArray.select(isKept, .array(1 / NDArray.select(isKept, .array(s), .number(1))), .number(0))
        let value = try NDArray.matmul(vt.matrixTransposed() * inverse.expandedDims(inverse.rank - 1), u.matrixTransposed())
        return try NDArray.custom(
            MatrixRule("pinv") { c, a, p in
                let pt = try p.matrixTransposed(), ct = try c.matrixTransposed()
                let ap = try NDArray.matmul(a, p), pa = try NDArray.matmul(p, a)
                let first = try -NDArray.matmul(NDArray.matmul(pt, c), pt)
                let left = try NDArray.matmul(ct - NDArray.matmul(ap, ct), NDArray.matmul(p, pt))
                let right = try NDArray.matmul(NDArray.matmul(pt, p), ct - NDArray.matmul(ct, pa))
                return try first + left + right
            }, inputs: [a], value: value)
    }

    private var standardCutoff: Double { Double(max(shape[rank - 1], shape[rank - 2])) * (type == .f32 ? 0x1p-23 : 0x1p-52) }

    /// How many singular values are above a bound, by default that of rounding.
    package func matrixRank(tolerance: Double?) throws -> NDArray {
        let a = try matrices("matrix_rank"), s = try a.detached().singularValues().s
        if s.shape[s.rank - 1] == 0 { return try NDArray.full(0, shape: Array(s.shape.dropLast()), type: .f64) }
        let bound = try tolerance.map { try NDArray.scalar($0, type: s.type) } ?? s.reduced(.max, axes: [-1], keepdims: true) * a.standardCutoff
        return try NDArray.compare(.gt, .array(s), .array(bound)).reduced(.sum, axes: [-1])
    }

    /// The sign of the determinant and the logarithm of its magnitude, which neither overflow nor vanish.
    package func signAndLogDeterminant() throws -> (sign: NDArray, log: NDArray) {
        let a = try matrices("slogdet", square: true), n = shape[rank - 1]
        let parts = try a.planes("slogdet", [[], []]) { matrix, targets in
            let factors = try LU(factoring: matrix, n: n)
            var sign = 1.0, log = 0.0
            for i in 0..<n {
                let pivot = matrix[i * n + i] * (factors.exchanges[i] == i ? 1 : -1)
                sign = pivot == 0 ? 0 : pivot < 0 ? -sign : sign
                log += Scalar.unary(.log, abs(pivot))
            }
            targets[0].pointee = factors.zeroPivot == nil ? sign : 0
            targets[1].pointee = factors.zeroPivot == nil ? log : -.infinity
        }
        let log = try NDArray.custom(
            MatrixRule("slogdet", lowering: { try Elimination($0).logDeterminant.converted(to: $0.type) }) { c, a, _ in
                try c.reshaped(to: c.shape + [1, 1]) * a.inverse().matrixTransposed()
            }, inputs: [a], value: parts[1])
        // It changes in jumps.
        let sign = try NDArray.custom(
            MatrixRule("slogdet", lowering: { try Elimination($0).signOfDeterminant.converted(to: $0.type) }, rule: nil), inputs: [a], value: parts[0])
        return (sign, log)
    }

    /// The product of `n` of these matrices, of their inverses for negative `n`.
    package func matrixPower(_ n: Int) throws -> NDArray {
        let a = try matrices("matrix_power", square: true), size = shape[rank - 1]
        if n == 0 { return try NDArray.eye(size, type: a.type).broadcast(to: shape) }
        var square = n < 0 ? try a.inverse() : a, result: NDArray?, rest = n.magnitude
        while rest > 0 {
            try Interrupt.check()
            if rest & 1 == 1 { result = try result.map { try NDArray.matmul($0, square) } ?? square }
            rest >>= 1
            if rest > 0 { square = try NDArray.matmul(square, square) }
        }
        return result ?? a
    }

    /// Every element of `a` times the whole of `b`, in its place.
    package static func kronecker(_ a: NDArray, _ b: NDArray) throws -> NDArray {
        let rank = max(a.rank, b.rank)
        let (p, q) = ([Int](repeating: 1, count: rank - a.rank) + a.shape, [Int](repeating: 1, count: rank - b.rank) + b.shape)
        guard 2 * rank <= Shapes.rankLimit else { throw ArrayError.badValue(operation: "kron", .tooManyAxes(rank)) }
        let product = try a.reshaped(to: p.flatMap { [$0, 1] }) * b.reshaped(to: q.flatMap { [1, $0] })
        return try product.reshaped(to: zip(p, q).map { $0 &* $1 })
    }
}

/// A function of one matrix by its rule.
private final class MatrixRule: CustomFunction {
    let name: String
    let isElementwise = false
    private let lowering: ((NDArray) throws -> NDArray)?
    /// What reaches the matrix, of the cotangent, the matrix and the result; `nil` where nothing does.
    private let rule: ((_ cotangent: NDArray, _ input: NDArray, _ result: NDArray) throws -> NDArray)?

    /// - Parameter lowering: `nil` for what ends after as many steps as the elements need: eigenvalues, singular values, and `pinv`, which is made of
    ///   these. A graph has a known number of operations.
    init(
        _ name: String, lowering: ((NDArray) throws -> NDArray)? = nil, rule: ((NDArray, NDArray, NDArray) throws -> NDArray)?
    ) {
        self.name = name
        self.lowering = lowering
        self.rule = rule
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        [try rule?(cotangent, inputs[0], result)]
    }

    func lowered(_ inputs: [NDArray]) throws -> NDArray? { try lowering?(inputs[0]) }
}
