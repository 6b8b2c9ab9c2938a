// log Σ exp along axes, by the kernels of softmax: with m the largest element, m + log1p of the sum of the others, so that a sum just above
// e^m keeps its digits. Of nothing it is −∞, the logarithm of 0.

import ActArray
import CActKernels

extension NDArray {
    /// log Σ exp over the axes (all for `nil`), without overflow for any finite elements. Its derivative is softmax.
    package func logsumexp(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        if type == .bool { return try converted(to: .f64).logsumexp(axes: axes, keepdims: keepdims) }
        let lanes = Lanes(shape, try Shapes.axes(axes, rank: rank))
        if let result = try LogSumExp(lanes, keepdims ? lanes.keptShape : lanes.shape).resultWithoutElements([self]) { return result }
        // Along one axis lanes are taken where they lie.
        let axis = lanes.axes.count == 1 ? lanes.axes[0] : nil, rows = try axis == nil ? lanes.rows(of: detached()) : detached()
        let result = try NDArray.full(-.infinity, shape: [lanes.shape.reduce(1, &*)], type: type)
        let length = rows.shape[axis ?? 1], table = Kernels.table
        if length > 0 {
            try rows.forRows(axis ?? 1) { source, _, first, count in
                result.withMutableBytes { target in
                    let target = target + first &* type.size
                    if length >= NDArray.longRow {
                        for row in 0..<count {
                            let (largest, sum, ties) = NDArray.expSumLong(type, source + row &* length &* type.size, into: nil, length)
                            let value = largest + Scalar.unary(.log1p, sum + (ties - 1))
                            Reduction.store(value, type, target, row)
                        }
                    } else if type == .f32 {
                        table.pointee.logsumexp_rows_f32(
                            source.assumingMemoryBound(to: Float.self), target.assumingMemoryBound(to: Float.self), count, length)
                    } else {
                        table.pointee.logsumexp_rows_f64(
                            source.assumingMemoryBound(to: Double.self), target.assumingMemoryBound(to: Double.self), count, length)
                    }
                }
            }
        }
        let value = try result.reshaped(to: keepdims ? lanes.keptShape : lanes.shape)
        return try NDArray.custom(LogSumExp(lanes, value.shape), inputs: [self], value: value)
    }
}

/// The elements along some axes as the rows of a matrix.
private struct Lanes {
    /// That of the array, of a result without the axes, and of one that keeps them with size 1.
    let full: [Int], shape: [Int], keptShape: [Int]
    /// The array's axes in the order of the rows.
    private let order: [Int]
    var axes: [Int] { Array(order[shape.count...]) }

    init(_ full: [Int], _ axes: [Int]) {
        self.full = full
        let kept = full.indices.filter { !axes.contains($0) }
        shape = kept.map { full[$0] }
        keptShape = full.indices.map { axes.contains($0) ? 1 : full[$0] }
        order = kept + axes
    }

    func rows(of array: NDArray) throws -> NDArray {
        let count = shape.reduce(1, &*), length = order[shape.count...].reduce(1) { $0 &* full[$1] }
        return try array.transposed(order).reshaped(to: [count, length])
    }

    func array(of rows: NDArray) throws -> NDArray {
        var inverse = order
        for (to, from) in order.enumerated() { inverse[from] = to }
        return try rows.reshaped(to: order.map { full[$0] }).transposed(inverse)
    }
}

/// y = log Σ exp x: dx = dy · softmax(x) along the axes, the limit at infinities too.
private final class LogSumExp: CustomFunction {
    private let lanes: Lanes
    let name = "logsumexp", isElementwise = false

    private let shape: [Int]

    init(_ lanes: Lanes, _ shape: [Int]) {
        self.lanes = lanes
        self.shape = shape
    }

    var attributes: [Attribute] { [Attribute("axes", lanes.axes), Attribute("keepdims", .flag(shape == lanes.keptShape))] }

    func lowered(_ x: [NDArray]) throws -> NDArray? {
        if lanes.axes.contains(where: { lanes.full[$0] == 0 }) { return try NDArray.full(-.infinity, shape: shape, type: x[0].type) }
        let largest = try x[0].reduced(.max, axes: lanes.axes, keepdims: true)
        // Of an infinite one nothing is left to add.
        let base = try NDArray.select(NDArray.test(.isfinite, largest), .array(largest), .number(0))
        let sum = try NDArray.unary(.exp, x[0] - base).reduced(.sum, axes: lanes.axes, keepdims: true)
        return try (NDArray.unary(.log, sum) + base).reshaped(to: shape)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        let shares = try lanes.array(of: lanes.rows(of: inputs[0]).softmax())
        return [try cotangent.reshaped(to: lanes.keptShape) * shares]
    }
}
