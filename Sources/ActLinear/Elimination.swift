// Gaussian elimination with row exchanges, written with array operations: what `solve`, `inv` and `det` mean in terms of primitives, for
// readers of graphs that have no linear algebra. act itself computes them by LU factorisation.
//
// What must stay true: the pivot is the first largest element at or below the diagonal, as there; leading axes are a batch.

import ActArray

struct Elimination {
    /// What is left of the columns: x of a x = b.
    let solution: NDArray?
    let determinant: NDArray
    /// What is left on the diagonal, each as a matrix of one element, in order, and -1 where two rows were exchanged for it, else 1.
    private let pivots: [(element: NDArray, turn: NDArray)]

    /// - Parameters:
    ///   - a: Square in its last two axes.
    ///   - b: As many rows, and the same first axes.
    init(_ a: NDArray, _ b: NDArray? = nil) throws {
        let n = a.shape[a.rank - 1], axis = a.rank - 2, identity = try NDArray.eye(n), rows = try NDArray.range(0, Double(n), 1).reshaped(to: [n, 1])
        var a = try a.converted(to: .f64), b = try b?.converted(to: .f64)
        var pivots: [(element: NDArray, turn: NDArray)] = []
        var determinant = try NDArray.full(1, shape: Array(a.shape.dropLast(2)) + [1, 1], type: .f64)
        for k in 0..<n {
            let row = Double(k), isBelow = try NDArray.compare(.gt, .array(rows), .number(row)), isHere = try NDArray.compare(.eq, .array(rows), .number(row))
            // The row of the pivot, as a column with a 1 there.
            let column = try a.part(k, axis: a.rank - 1)
            let sizes = try NDArray.select(NDArray.logical(.or, isBelow, isHere), .array(NDArray.unary(.abs, column)), .number(-1))
            let ties = try NDArray.compare(.eq, .array(sizes), .array(sizes.reduced(.max, axes: [axis], keepdims: true))).converted(to: .f64)
            let isFirst = try NDArray.compare(.eq, .array(ties.cumulative(.sum, axis: axis)), .number(1))
            let pivotRow = try NDArray.select(isFirst, .array(ties), .number(0))
            // The exchange as a matrix of zeros and ones, so that nothing is rounded.
            let moved = try isHere.converted(to: .f64) - pivotRow
            let exchange = try identity - NDArray.matmul(moved, moved.matrixTransposed())
            a = try NDArray.matmul(exchange, a)
            b = try b.map { try NDArray.matmul(exchange, $0) }
            let isExchanged = try NDArray.unary(.abs, moved).reduced(.max, axes: [axis], keepdims: true)
            let pivot = try a.part(k, axis: axis).part(k, axis: a.rank - 1)
            let turn = try 1 - 2.0 * isExchanged
            pivots.append((pivot, turn))
            determinant = try determinant * pivot * turn
            // Without a pivot there is nothing to eliminate.
            let isSingular = try NDArray.compare(.eq, .array(pivot), .number(0))
            let divisor = try NDArray.select(isSingular, .number(1), .array(pivot))
            let factors = try NDArray.select(NDArray.logical(.and, isBelow, .not(isSingular)), .array(a.part(k, axis: a.rank - 1) / divisor), .number(0))
            b = try b.map { try $0 - factors * $0.part(k, axis: axis) }
            a = try a - factors * a.part(k, axis: axis)
        }
        self.determinant = try determinant.reshaped(to: Array(a.shape.dropLast(2)))
        self.pivots = pivots
        for k in (0..<n).reversed() {
            guard let right = b else { break }
            let row = Double(k), isAbove = try NDArray.compare(.lt, .array(rows), .number(row)), isHere = try NDArray.compare(.eq, .array(rows), .number(row))
            let value = try right.part(k, axis: axis) / a.part(k, axis: axis).part(k, axis: a.rank - 1)
            let rest = try NDArray.select(isAbove, .array(right - a.part(k, axis: a.rank - 1) * value), .array(right))
            b = try NDArray.select(isHere, .array(value), .array(rest))
        }
        solution = b
    }

    /// log |determinant| as a sum, which neither overflows nor vanishes.
    var logDeterminant: NDArray {
        get throws {
            try pivots.reduce(NDArray.full(0, shape: determinant.shape, type: .f64)) {
                try $0 + NDArray.unary(.log, NDArray.unary(.abs, $1.element)).reshaped(to: determinant.shape)
            }
        }
    }

    /// -1, 0 or 1, however large or small the determinant is.
    var signOfDeterminant: NDArray {
        get throws {
            try pivots.reduce(NDArray.full(1, shape: determinant.shape, type: .f64)) {
                try $0 * ($1.turn * NDArray.unary(.sign, $1.element)).reshaped(to: determinant.shape)
            }
        }
    }
}

extension NDArray {
    /// Index `k` of an axis, which is kept with size 1.
    func part(_ k: Int, axis: Int) throws -> NDArray {
        var ranges = shape.map { SliceRange(start: 0, step: 1, count: $0) }
        ranges[axis] = SliceRange(start: k, step: 1, count: 1)
        return try sliced(ranges)
    }
}
