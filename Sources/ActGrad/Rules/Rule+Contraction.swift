// Rules of the operations that join elements along axes: reductions, cumulative sums and products, softmax.

import ActArray

extension Rule {
    /// Sums hand their cotangent to every element; products the product of the others; `min` and `max` hand it to the winner, to equal
    /// winners in equal parts.
    static func reduce(
        _ operation: ReduceOperation, _ axes: [Int], _ x: NDArray, _ result: NDArray, _ c: NDArray, _ hazards: Hazards
    ) throws -> NDArray? {
        let spread = try restoring(axes, c)
        switch operation {
        case .any, .all: return nil
        case .sum: return try spread.broadcast(to: x.shape)
        case .min, .max:
            let value = try restoring(axes, result.detached())
            let point = try x.detached()
            let wins = try NDArray.logical(.or, .compare(.eq, .array(point), .array(value)), .test(.isnan, point))
            let share = try spread / wins.converted(to: c.type).reduced(.sum, axes: axes, keepdims: true)
            return try NDArray.select(wins, .array(share), .number(0))
        case .prod: return try product(spread.broadcast(to: x.shape), .array(productOfOthers(x, axes, result)), hazards)
        }
    }

    /// For each element the product of all the others along the axes, zeros among them or not.
    private static func productOfOthers(_ x: NDArray, _ axes: [Int], _ result: NDArray) throws -> NDArray {
        if try !hasZero(x) { return try restoring(axes, result) / x }
        // The axes become one, the last; there, what stands before times what stands behind.
        let kept = (0..<x.rank).filter { !axes.contains($0) }
        let order = kept + axes
        let moved = try x.transposed(order)
        let lanes = try moved.reshaped(to: [kept.reduce(1) { $0 * x.shape[$1] }, axes.reduce(1) { $0 * x.shape[$1] }])
        let others = try exclusiveProduct(lanes, reversed: false) * exclusiveProduct(lanes, reversed: true)
        var inverse = order
        for (axis, source) in order.enumerated() { inverse[source] = axis }
        return try others.reshaped(to: moved.shape).transposed(inverse)
    }

    /// Along the last axis of a matrix, the product of the elements before each (behind it, when reversed).
    private static func exclusiveProduct(_ lanes: NDArray, reversed: Bool) throws -> NDArray {
        let (rows, columns) = (lanes.shape[0], lanes.shape[1])
        let all = SliceRange(start: 0, step: 1, count: rows)
        let others = try lanes.sliced([all, SliceRange(start: reversed ? 1 : 0, step: 1, count: columns - 1)])
        let products = try others.cumulative(.prod, axis: 1, reversed: reversed)
        let one = try NDArray.full(1, shape: [rows, 1], type: lanes.type)
        return try NDArray.concatenated(reversed ? [products, one] : [one, products], axis: 1)
    }

    private static func hasZero(_ x: NDArray) throws -> Bool {
        try NDArray.compare(.eq, .array(x.detached()), .number(0)).reduced(.any, axes: nil, keepdims: false).item() != 0
    }

    static func cumulative(
        _ operation: CumulativeOperation, _ axis: Int, _ reversed: Bool, _ x: NDArray, _ result: NDArray, _ c: NDArray
    ) throws -> NDArray? {
        switch operation {
        case .sum: return try c.cumulative(.sum, axis: axis, reversed: !reversed)
        case .prod:
            if try !hasZero(x) { return try (c * result).cumulative(.sum, axis: axis, reversed: !reversed) / x }
            return try cumulativeProductWithZeros(axis, reversed, x, c)
        }
    }

    /// The rule of the cumulative product without division, step by step along the axis: with y the product of what stands before i,
    /// and g[i] = c[i] + x[i+1] g[i+1], element i gets y g[i].
    private static func cumulativeProductWithZeros(_ axis: Int, _ reversed: Bool, _ x: NDArray, _ c: NDArray) throws -> NDArray {
        let count = x.shape[axis]
        let order = reversed ? Array((0..<count).reversed()) : Array(0..<count)
        func at(_ i: Int, _ array: NDArray) throws -> NDArray {
            var ranges = array.shape.map { SliceRange(start: 0, step: 1, count: $0) }
            ranges[axis] = SliceRange(start: i, step: 1, count: 1)
            return try array.sliced(ranges)
        }
        var results = [NDArray?](repeating: nil, count: count)
        var behind: NDArray?
        for (step, i) in order.enumerated().reversed() {
            let here = try at(i, c)
            if let known = behind {
                behind = try here + at(order[step + 1], x) * known
            } else {
                behind = here
            }
            results[i] = behind
        }
        var before: NDArray?
        for i in order {
            if let product = before, let g = results[i] { results[i] = try g * product }
            before = try before.map { try $0 * at(i, x) } ?? at(i, x)
        }
        return try NDArray.concatenated(results.compactMap { $0 }, axis: axis)
    }

    /// softmax: p(c − Σcp); log_softmax: c − p Σc, with p the softmax.
    static func normalize(_ operation: NormalizeOperation, _ axis: Int, _ result: NDArray, _ c: NDArray) throws -> NDArray {
        switch operation {
        case .softmax: try result * (c - (c * result).reduced(.sum, axes: [axis], keepdims: true))
        case .logSoftmax: try c - NDArray.unary(.exp, result) * c.reduced(.sum, axes: [axis], keepdims: true)
        }
    }
}
