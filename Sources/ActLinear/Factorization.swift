// Decompositions that end after a known number of steps, written with array operations: what `cholesky` and `qr` mean in terms of primitives, for readers
// of graphs that have no linear algebra. act itself computes them in blocks (`Decomposition`, `Reflections`).
//
// What must stay true: signs are those of act's own; leading axes are a batch.

import ActArray
import ActOrder

enum Factorization {
    /// The lower triangular L with A = L Lᵀ, column by column. NaN where there is none, for a graph has no errors.
    static func cholesky(_ a: NDArray) throws -> NDArray {
        let n = a.shape[a.rank - 1], last = a.rank - 1, rows = try indices(n)
        var rest = try a.converted(to: .f64), columns: [NDArray] = []
        for k in 0..<n {
            let column = try rest.part(k, axis: last), scaled = try column / NDArray.unary(.sqrt, column.part(k, axis: last - 1))
            let part = try NDArray.select(NDArray.compare(.ge, .array(rows), .number(Double(k))), .array(scaled), .number(0))
            columns.append(part)
            rest = try rest - NDArray.matmul(part, part.matrixTransposed())
        }
        return try columns.isEmpty ? a : NDArray.concatenated(columns, axis: last).converted(to: a.type)
    }

    /// Q and R by Householder's reflections, one a column.
    static func qr(_ a: NDArray) throws -> (q: NDArray, r: NDArray) {
        let m = a.shape[a.rank - 2], n = a.shape[a.rank - 1], k = min(m, n), axis = a.rank - 2, rows = try indices(m)
        var r = try a.converted(to: .f64), q = try NDArray.eye(m).broadcast(to: Array(a.shape.dropLast()) + [m])
        for j in 0..<min(k, max(0, m - 1)) {
            let isHere = try NDArray.compare(.eq, .array(rows), .number(Double(j)))
            let below = try NDArray.select(NDArray.compare(.ge, .array(rows), .number(Double(j))), .array(r.part(j, axis: a.rank - 1)), .number(0))
            // Divided by the largest, so that nothing overflows; a column of zeros stays.
            let scaled = try below / positive(NDArray.unary(.abs, below).reduced(.max, axes: [axis], keepdims: true))
            let length = try NDArray.unary(.sqrt, (scaled * scaled).reduced(.sum, axes: [axis], keepdims: true)), alpha = try scaled.part(j, axis: axis)
            // Away from 0, so that nothing cancels.
            let lead = try alpha + NDArray.select(NDArray.compare(.gt, .array(alpha), .number(0)), .array(length), .array(-length))
            let v = try NDArray.select(isHere, .array(lead), .array(scaled)), transposed = try v.matrixTransposed()
            let twice = try 2 / positive((v * v).reduced(.sum, axes: [axis], keepdims: true))
            r = try r - NDArray.matmul(v * twice, NDArray.matmul(transposed, r))
            q = try q - NDArray.matmul(NDArray.matmul(q, v), transposed * twice)
        }
        let whole = SliceRange.init(start:step:count:), outer = a.shape.dropLast(2).map { whole(0, 1, $0) }
        return (
            try q.sliced(outer + [whole(0, 1, m), whole(0, 1, k)]).converted(to: a.type),
            try r.sliced(outer + [whole(0, 1, k), whole(0, 1, n)]).triangle(0, isLower: false).converted(to: a.type)
        )
    }

    /// 0, 1 … as a column.
    private static func indices(_ n: Int) throws -> NDArray { try NDArray.range(0, Double(n), 1).reshaped(to: [n, 1]) }

    /// What is above 0 as it is, else 1.
    private static func positive(_ x: NDArray) throws -> NDArray {
        try NDArray.select(NDArray.compare(.gt, .array(x), .number(0)), .array(x), .number(1))
    }
}
