// Linear algebra by LU factorisation: inv, solve, det; and trace and norms. Computed in f64 whatever the element type, and given
// back in it. Leading axes are a batch of matrices, as in NumPy.

import ActArray

extension NDArray {
    /// The inverse of a square matrix.
    /// - Throws: `notSquare`, `singular`, `interrupted`.
    package func inverse() throws -> NDArray {
        let n = try squareSize("inv")
        let source = type == .bool ? try converted(to: .f64) : self
        let identity = try NDArray.eye(n).broadcast(to: shape)
        let solution = try source.isSymbol ? identity : source.detached().solved(identity.contiguous(), columns: n, operation: "inv")
        let value = try solution.converted(to: source.type)
        try NumericEvents.examine("inv", value) { try NDArray.test($0, source.detached()).reduced(.any, axes: [-2, -1], keepdims: true) }
        return try NDArray.custom(Inverse.rule, inputs: [source], value: value)
    }

    /// The x of `a @ x = b`; `b` is a vector, or a matrix of columns.
    /// - Throws: `notSquare`, `shapesDoNotMultiply`, `singular`, `interrupted`.
    package static func solve(_ a: NDArray, _ b: NDArray) throws -> NDArray {
        let n = try a.squareSize("solve")
        guard b.rank > 0 else { throw ArrayError.scalarOperand(operation: "solve") }
        if b.rank == 1 {
            guard b.count == n else { throw ArrayError.shapesDoNotMultiply(a.shape, b.shape) }
            let columns = try solve(a, b.reshaped(to: [n, 1]))
            return try columns.reshaped(to: Array(columns.shape.dropLast()))
        }
        guard b.shape[b.rank - 2] == n else { throw ArrayError.shapesDoNotMultiply(a.shape, b.shape) }
        var type = a.type.promoted(with: b.type)
        if type == .bool { type = .f64 }
        let batch: [Int]
        do { batch = try Shapes.broadcast(Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2))) } catch {
            throw ArrayError.shapesDoNotMultiply(a.shape, b.shape)
        }
        let columns = b.shape[b.rank - 1]
        let left = try a.converted(to: type).broadcast(to: batch + [n, n]), right = try b.converted(to: type).broadcast(to: batch + [n, columns])
        let value = try left.isSymbol ? right.detached() : left.detached().solved(right.detached(), columns: columns, operation: "solve").converted(to: type)
        try NumericEvents.examine("solve", value) { test in
            try NDArray.logical(
                .or, NDArray.test(test, left.detached()).reduced(.any, axes: [-2, -1], keepdims: true),
                NDArray.test(test, right.detached()).reduced(.any, axes: [-2], keepdims: true))
        }
        return try custom(Solution.rule, inputs: [left, right], value: value)
    }

    /// The determinant of a square matrix: rank 0, or one for each matrix of a batch.
    /// - Throws: `notSquare`, `interrupted`.
    package func determinant() throws -> NDArray {
        let n = try squareSize("det")
        let source = type == .bool ? try converted(to: .f64) : self
        var work = try source.detached().converted(to: .f64)
        try work.makeUnique()
        let result = try NDArray.uninitialized(shape: Array(shape.dropLast(2)), type: .f64)
        try work.withMutableBytes { matrices in
            try result.withMutableBytes { values in
                let elements = matrices.assumingMemoryBound(to: Double.self), values = values.assumingMemoryBound(to: Double.self)
                for plane in 0..<result.count {
                    try Interrupt.check()
                    values[plane] = try LU(factoring: elements + plane * n * n, n: n).determinant
                }
            }
        }
        let value = try result.converted(to: source.type)
        try NumericEvents.examine("det", value) { try NDArray.test($0, source.detached()).reduced(.any, axes: [-2, -1]) }
        return try NDArray.custom(Determinant.rule, inputs: [source], value: value)
    }

    /// X of A X = B for each matrix A of this array and B of `right`, in f64; both have the same batch axes.
    private func solved(_ right: NDArray, columns: Int, operation: String) throws -> NDArray {
        let n = shape[rank - 1], planes = shape.dropLast(2).reduce(1, &*)
        var work = try converted(to: .f64), result = try right.converted(to: .f64)
        try work.makeUnique()
        try result.makeUnique()
        guard n > 0 else { return result }
        try work.withMutableBytes { matrices in
            try result.withMutableBytes { columnsOfResult in
                let a = matrices.assumingMemoryBound(to: Double.self), b = columnsOfResult.assumingMemoryBound(to: Double.self)
                for plane in 0..<planes {
                    try Interrupt.check()
                    let factors = try LU(factoring: a + plane * n * n, n: n)
                    if factors.zeroPivot != nil { throw ArrayError.singular(operation: operation) }
                    try factors.solve(b + plane * n * columns, columns: columns)
                }
            }
        }
        return result
    }

    private func squareSize(_ operation: String) throws -> Int {
        guard rank >= 2 else { throw ArrayError.rankMismatch(operation: operation, ranks: 2...Shapes.rankLimit, shape: shape) }
        guard shape[rank - 1] == shape[rank - 2] else { throw ArrayError.notSquare(operation: operation, shape) }
        return shape[rank - 1]
    }

    /// The sum of the elements whose index on axis 1 is that on axis 0 plus `offset`.
    package func trace(offset: Int = 0) throws -> NDArray {
        try diagonal(offset: offset).reduced(.sum, axes: [0])
    }

    /// The elements whose index on axis 1 is that on axis 0 plus `offset`, along a new first axis.
    package func diagonal(offset: Int = 0) throws -> NDArray {
        guard rank >= 2 else { throw ArrayError.rankMismatch(operation: "trace", ranks: 2...Shapes.rankLimit, shape: shape) }
        let (rows, columns) = (shape[0], shape[1])
        let inner = Array(shape.dropFirst(2))
        let chunk = inner.reduce(1, &*)
        // Rows whose element of the diagonal lies between the first and the last column.
        let first = offset < 0 ? Int(min(UInt(rows), offset.magnitude)) : 0
        let (last, isFar) = columns.subtractingReportingOverflow(offset)
        let count = max(0, (isFar ? rows : min(rows, last)) &- first)
        if chunk == 0 { return try NDArray.full(0, shape: [count] + inner, type: type) }
        try MemoryPool.allow(count &* MemoryLayout<Int>.stride)
        var starts: [Int] = []
        starts.reserveCapacity(count)
        try Interrupt.forEachPiece(count) { for row in $0 { starts.append(((first &+ row) &* (columns &+ 1) &+ offset) &* chunk) } }
        return try gathered(GatherIndices(starts: starts, chunk: chunk), shape: [count] + inner)
    }

    /// Norms as NumPy numbers them. Of vectors: ∞, −∞, 0 (how many are not 0), or p for (Σ |x|^p)^(1/p). Of a matrix, when no axis
    /// is named: 1 and ∞ (largest sum of a column or row; −1 and −∞ the smallest). Without an order the root of the sum of squares.
    /// An order that is followed by a derivative is an array; only p-norms change smoothly with it.
    package func norm(order given: Operand?, axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        let order: Double, varying: NDArray?
        switch given {
        case nil: return try norm(axes: axes, keepdims: keepdims)
        case .number(let number)?: (order, varying) = (number, nil)
        case .array(let array)?: (order, varying) = (try array.item(), array.isTraced ? array : nil)
        }
        let magnitude = try NDArray.unary(.abs, self)
        let isMatrix = axes == nil ? rank == 2 : axes?.count == 2
        if let varying, !isMatrix, order.isFinite, order != 0, (axes?.count ?? 1) == 1, axes != nil || rank <= 1 {
            let p = try varying.converted(to: magnitude.type)
            let (sum, scale) = try magnitude.scaledSum(axes, keepdims) { try NDArray.binary(.pow, $0, p) }
            let norm = try NDArray.binary(.pow, sum, 1 / p)
            return try scale.map { try norm * $0 } ?? norm
        }
        if isMatrix {
            let pair = try Shapes.axes(axes, rank: rank)
            let summed: Int
            switch abs(order) {
            case 1: summed = axes?[0] ?? pair[0]
            case .infinity: summed = axes?[1] ?? pair[1]
            default:
                throw ArrayError.badValue(operation: "norm", .matrixNormOrder)
            }
            let sums = try magnitude.reduced(.sum, axes: [summed], keepdims: true)
            let result = try sums.reduced(order > 0 ? .max : .min, axes: pair, keepdims: true)
            return keepdims ? result : try result.squeezed(pair)
        }
        guard axes != nil || rank <= 1, (axes?.count ?? 1) == 1 else {
            throw ArrayError.badValue(operation: "norm", .normAxes)
        }
        switch order {
        case .infinity: return try magnitude.reduced(.max, axes: axes, keepdims: keepdims)
        case -.infinity: return try magnitude.reduced(.min, axes: axes, keepdims: keepdims)
        case 0: return try NDArray.compare(.ne, .array(self), .number(0)).reduced(.sum, axes: axes, keepdims: keepdims).converted(to: magnitude.type)
        case 1: return try magnitude.reduced(.sum, axes: axes, keepdims: keepdims)
        case 2: return try norm(axes: axes, keepdims: keepdims)
        default:
            if order.isNaN { throw ArrayError.badValue(operation: "norm", .normOrder) }
            let (sum, scale) = try magnitude.scaledSum(axes, keepdims) { try NDArray.binary(.pow, $0, order) }
            let norm = try NDArray.binary(.pow, sum, 1 / order)
            return try scale.map { try norm * $0 } ?? norm
        }
    }
}

// MARK: Derivatives

/// Y = A⁻¹: dA = −Yᵀ dY Yᵀ.
private final class Inverse: CustomFunction, Sendable {
    static let rule = Inverse()
    let name = "inv", isElementwise = false

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        let transposed = try result.matrixTransposed()
        return [try -NDArray.matmul(NDArray.matmul(transposed, cotangent), transposed)]
    }

    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let identity = try NDArray.eye(x[0].shape[x[0].rank - 1]).broadcast(to: x[0].shape)
        return try Elimination(x[0], identity).solution?.converted(to: x[0].type)
    }
}

/// X = A⁻¹ B: dB = A⁻ᵀ dX, dA = −dB Xᵀ.
private final class Solution: CustomFunction, Sendable {
    static let rule = Solution()
    let name = "solve", isElementwise = false

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        let right = try NDArray.solve(inputs[0].matrixTransposed(), cotangent)
        return [try -NDArray.matmul(right, result.matrixTransposed()), right]
    }

    func lowered(_ x: [NDArray]) throws -> NDArray? { try Elimination(x[0], x[1]).solution?.converted(to: x[1].type) }
}

/// d = det A: dA = dd · (the transposed adjugate of A), at singular matrices too.
private final class Determinant: CustomFunction, Sendable {
    static let rule = Determinant()
    let name = "det", isElementwise = false

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        [try cotangent.reshaped(to: result.shape + [1, 1]) * inputs[0].cofactors(determinants: result)]
    }

    func lowered(_ x: [NDArray]) throws -> NDArray? { try Elimination(x[0]).determinant.converted(to: x[0].type) }
}
