// Reductions as programs see them: over all elements or along axes. Statistics are compositions of the primitive ones, so that
// derivatives follow from theirs.

extension NDArray {
    /// Reduces over the axes (all for `nil`): `sum` and `prod` count bools as 0 and 1; `any` and `all` give bools. NaN passes through
    /// `min` and `max`. Sums are carried in f64, whatever the element type.
    /// - Throws: `emptyReduction` for `min` and `max` of nothing.
    package consuming func reduced(_ op: ReduceOperation, axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        let sizes = shape
        let axes = try Shapes.axes(axes, rank: sizes.count)
        let result: NDArray
        switch (op, type) {
        case (.sum, .bool), (.prod, .bool): result = try converted(to: .f64).reducedNode(op, axes)
        case (.any, .f32), (.any, .f64), (.all, .f32), (.all, .f64): result = try converted(to: .bool).reducedNode(op, axes)
        default: result = try reducedNode(op, axes)
        }
        if !keepdims { return result }
        return try result.reshaped(to: sizes.indices.map { axes.contains($0) ? 1 : sizes[$0] })
    }

    private consuming func reducedNode(_ op: ReduceOperation, _ axes: [Int]) throws -> NDArray {
        let sizes = shape
        let kept = sizes.indices.filter { !axes.contains($0) }.map { sizes[$0] }
        if op == .min || op == .max, !kept.contains(0), axes.contains(where: { sizes[$0] == 0 }) {
            throw ArrayError.emptyReduction(operation: op.name, shape: sizes)
        }
        if !isTraced { return try Reduction.value(op, self, axes) }
        let source = copy self
        let value = try Reduction.value(op, source, axes)
        return NDArray(
            node: Node(
                .reduce(op, axes: axes), inputs: [source], shape: kept, count: value.count, type: value.type, isTraced: true, site: .current,
                layout: try value.evaluatedLayout()))
    }

    /// The arithmetic mean; of nothing NaN.
    package consuming func mean(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        let elements = try reducedCount(axes)
        return try reduced(.sum, axes: axes, keepdims: keepdims) / Double(elements)
    }

    /// The mean squared distance from the mean, divided by the number of elements − `ddof`. Two passes: the mean first.
    package func variance(axes: [Int]? = nil, ddof: Operand = 0, keepdims: Bool = false) throws -> NDArray {
        let elements = try reducedCount(axes)
        try evaluate()
        let distance = try self - mean(axes: axes, keepdims: true)
        let sum = try NDArray.unary(.square, distance).reduced(.sum, axes: axes, keepdims: keepdims)
        switch ddof {
        case .number(let ddof): return try sum / max(0, Double(elements) - ddof)
        case .array(let ddof): return try sum / NDArray.binary(.max, Double(elements) - ddof.converted(to: sum.type), 0)
        }
    }

    /// How many elements are not 0, as f64.
    package func countNonzero(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        try converted(to: .bool).reduced(.sum, axes: axes, keepdims: keepdims)
    }

    /// log Σ exp, without overflow for any finite elements.
    package func logsumexp(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        let source = try type == .bool ? converted(to: .f64) : self
        let x = try source.detached()
        let largest = try x.reduced(.max, axes: axes, keepdims: true)
        let shift = try NDArray.select(NDArray.test(.isfinite, largest), .array(largest), .number(0))
        let sum = try NDArray.unary(.exp, x - shift).reduced(.sum, axes: axes, keepdims: true)
        let value = try NDArray.unary(.log, sum) + shift
        let rule = LogSumExp(axes: try Shapes.axes(axes, rank: rank))
        let result = try NDArray.custom(rule, inputs: [source], value: value)
        return keepdims ? result : try result.reshaped(to: result.shapeWithout(axes))
    }

    /// The square root of the sum of squares; its derivative at 0 is 0.
    package func norm(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        try NDArray.unary(.square, self).reduced(.sum, axes: axes, keepdims: keepdims).distance()
    }

    /// The square root of a sum of squares: its derivatives at 0, where it has a kink, are 0.
    package func distance() throws -> NDArray {
        if !isTraced { return try NDArray.unary(.sqrt, self) }
        let isZero = try NDArray.compare(.eq, .array(self), .number(0))
        let root = try NDArray.unary(.sqrt, NDArray.select(isZero, .number(1), .array(self)))
        return try NDArray.select(isZero, .number(0), .array(root))
    }

    /// How many elements go into one element of the result.
    private func reducedCount(_ axes: [Int]?) throws -> Int {
        try Shapes.axes(axes, rank: rank).reduce(1) { $0 &* shape[$1] }
    }

    private func shapeWithout(_ axes: [Int]?) throws -> [Int] {
        let axes = try Shapes.axes(axes, rank: rank)
        return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    }
}

/// y = log Σ exp x: dx = dy · softmax(x) along the axes, the limit at infinities too.
private final class LogSumExp: CustomFunction {
    private let axes: [Int]
    let name = "logsumexp", isElementwise = false

    init(axes: [Int]) { self.axes = axes }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray) throws -> [NDArray?] {
        let x = inputs[0]
        if axes.count == 1 { return [try cotangent * x.softmax(axis: axes[0])] }
        // Several axes become one, the last.
        let kept = x.shape.indices.filter { !axes.contains($0) }, order = kept + axes
        let moved = try x.transposed(order)
        let rows = try moved.reshaped(to: [kept.reduce(1) { $0 * x.shape[$1] }, axes.reduce(1) { $0 * x.shape[$1] }])
        var inverse = order
        for (axis, source) in order.enumerated() { inverse[source] = axis }
        return [try cotangent * rows.softmax().reshaped(to: moved.shape).transposed(inverse)]
    }
}
