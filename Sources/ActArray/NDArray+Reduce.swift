// Reductions as programs see them: over all elements or along axes. Statistics are compositions of the primitive ones, so that
// derivatives follow from theirs.
//
// What must stay true: a mean, deviation or norm that its element type holds is found, however large or small the elements. Sums that leave
// the range where they are exact show it, and are formed once more of elements divided by a power of two; ordinary ones cost nothing more.

extension NDArray {
    /// Reduces over the axes (all for `nil`): `sum` and `prod` count bools as 0 and 1; `any` and `all` give bools. NaN passes through
    /// `min` and `max`. Sums are carried in f64, whatever the element type.
    /// - Throws: `emptyReduction` for `min` and `max` of nothing.
    package consuming func reduced(_ op: ReduceOperation, axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        try reduced(op, axes: axes, keepdims: keepdims, isShared: nil)
    }

    /// - Parameter isShared: Whether the elements, if they are not there yet, are stored too because they will be needed again; `nil` to
    ///   find out whether anyone else refers to them.
    private consuming func reduced(_ op: ReduceOperation, axes: [Int]?, keepdims: Bool, isShared: Bool?) throws -> NDArray {
        let sizes = shape, isCount = op == .sum && type == .bool, isShared = isCount ? isShared ?? !isKnownUniquelyReferenced(&node) : isShared
        let axes = try Shapes.axes(axes, rank: sizes.count)
        let result: NDArray
        switch (op, type) {
        case (.sum, .bool) where !isAbstract && !isTraced:
            result = try Reduction.counts(self, axes, isShared: isShared ?? true) ?? converted(to: .f64).reducedNode(op, axes, nil)
        case (.sum, .bool), (.prod, .bool): result = try converted(to: .f64).reducedNode(op, axes, nil)
        case (.any, .f32), (.any, .f64), (.all, .f32), (.all, .f64): result = try converted(to: .bool).reducedNode(op, axes, nil)
        default: result = try reducedNode(op, axes, isShared)
        }
        if !keepdims { return result }
        return try result.reshaped(to: sizes.indices.map { axes.contains($0) ? 1 : sizes[$0] })
    }

    private consuming func reducedNode(_ op: ReduceOperation, _ axes: [Int], _ isShared: Bool?) throws -> NDArray {
        let sizes = shape
        let kept = sizes.indices.filter { !axes.contains($0) }.map { sizes[$0] }
        if op == .min || op == .max, !kept.contains(0), axes.contains(where: { sizes[$0] == 0 }) {
            throw ArrayError.emptyReduction(operation: op.name, shape: sizes)
        }
        if isAbstract {
            let type = op == .any || op == .all ? ElementType.bool : type
            return try NDArray.abstractResult(.reduce(op, axes: axes), [self], shape: kept, type: type)
        }
        if !isTraced { return try Reduction.value(op, self, axes, isShared: isShared) }
        let source = copy self
        let value = try Reduction.value(op, source, axes)
        return NDArray(
            node: Node(
                .reduce(op, axes: axes), inputs: [source], shape: kept, count: value.count, type: value.type, isTraced: true, site: .current,
                layout: try value.evaluatedLayout()))
    }

    /// The arithmetic mean; of nothing NaN.
    package consuming func mean(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        let elements = Double(try reducedCount(axes))
        let isShared = !isKnownUniquelyReferenced(&node)
        let again = copy self
        let sum = try reduced(.sum, axes: axes, keepdims: keepdims, isShared: isShared)
        if try elements == 0 || sum.lies(in: NDArray.finite) { return try sum / elements }
        guard let scale = try again.scale(where: sum.detached().toDoubles().map { !$0.isFinite }, axes: axes) else { return try sum / elements }
        let mean = try (again / scale).reduced(.sum, axes: axes, keepdims: true) / elements * scale
        return keepdims ? mean : try mean.reshaped(to: sum.shape)
    }

    /// The mean squared distance from the mean, divided by the number of elements − `ddof`.
    package func variance(axes: [Int]? = nil, ddof: Operand = 0, keepdims: Bool = false) throws -> NDArray {
        let spread = try Spread(of: self, axes: axes, keepdims: keepdims)
        let variance = try spread.squares(over: ddof)
        return try spread.scale.map { try variance * $0 * $0 } ?? variance
    }

    /// The root of the variance, also where the variance itself is too large or too small for the element type.
    package func standardDeviation(axes: [Int]? = nil, ddof: Operand = 0, keepdims: Bool = false) throws -> NDArray {
        let spread = try Spread(of: self, axes: axes, keepdims: keepdims)
        let deviation = try spread.squares(over: ddof).distance()
        return try spread.scale.map { try deviation * $0 } ?? deviation
    }

    /// With mean 0 and deviation 1 along the axes; what does not vary becomes 0.
    package func standardized(axes: [Int]) throws -> NDArray {
        let spread = try Spread(of: self, axes: axes, keepdims: true)
        let isFlat = try NDArray.compare(.eq, .array(spread.squares), .number(0))
        return try spread.distance / NDArray.unary(.sqrt, NDArray.select(isFlat, .number(1), .array(spread.squares / spread.elements)))
    }

    /// How many elements are not 0, as f64.
    package func countNonzero(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        try converted(to: .bool).reduced(.sum, axes: axes, keepdims: keepdims)
    }

    /// The square root of the sum of squares; its derivative at 0 is 0.
    package func norm(axes: [Int]? = nil, keepdims: Bool = false) throws -> NDArray {
        let (sum, scale) = try scaledSum(axes, keepdims) { try NDArray.unary(.square, $0) }
        let norm = try sum.distance()
        return try scale.map { try norm * $0 } ?? norm
    }

    /// The square root of a sum of squares: its derivatives at 0, where it has a kink, are 0.
    package func distance() throws -> NDArray {
        if !isTraced { return try NDArray.unary(.sqrt, self) }
        let isZero = try NDArray.compare(.eq, .array(self), .number(0))
        let root = try NDArray.unary(.sqrt, NDArray.select(isZero, .number(1), .array(self)))
        return try NDArray.select(isZero, .number(0), .array(root))
    }

    // MARK: Scaling

    /// The sum of the `powers` of the elements, if it is exact, and `nil`; else the sum of those of the elements divided by `scale`.
    package func scaledSum(_ axes: [Int]?, _ keepdims: Bool, _ powers: (NDArray) throws -> NDArray) throws -> (sum: NDArray, scale: NDArray?) {
        let range = NDArray.exact(type)
        let sum = try powers(self).reduced(.sum, axes: axes, keepdims: keepdims)
        if try reducedCount(axes) == 0 || sum.lies(in: range) { return (sum, nil) }
        guard let scale = try scale(where: sum.detached().toDoubles().map { !range.contains($0) }, axes: axes) else { return (sum, nil) }
        let scaled = try powers(self / scale).reduced(.sum, axes: axes, keepdims: keepdims)
        return (scaled, keepdims ? scale : try scale.reshaped(to: scaled.shape))
    }

    /// For each lane along the axes, which are kept, the power of two of its largest element where that is asked for, else 1. `nil` if all are 1.
    fileprivate func scale(where isWanted: [Bool], axes: [Int]?) throws -> NDArray? {
        let largest = try NDArray.unary(.abs, detached()).reduced(.max, axes: axes, keepdims: true)
        let scales = zip(isWanted, try largest.toDoubles()).map { isWanted, largest in
            isWanted && largest > 0 && largest < .infinity ? Double(sign: .plus, exponent: largest.exponent, significand: 1) : 1
        }
        return scales.allSatisfy { $0 == 1 } ? nil : try NDArray(scales, shape: largest.shape, type: type)
    }

    fileprivate static let finite = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    /// Where a sum of squares has all its digits: what is lost of squares among the smallest numbers is less than its rounding.
    fileprivate static func exact(_ type: ElementType) -> ClosedRange<Double> {
        type == .f32 ? 0x1p-90...Double(Float.greatestFiniteMagnitude) : 0x1p-960...Double.greatestFiniteMagnitude
    }

    /// Whether every element of an array of numbers with data lies in the range (NaN does not).
    fileprivate func lies(in range: ClosedRange<Double>) throws -> Bool {
        if isAbstract {
            AbstractRun.assume(self, in: range)
            return true
        }
        if count == 1 { return range.contains(try detached().item()) }
        func lie<T: BinaryFloatingPoint>(_: T.Type) throws -> Bool {
            try withContiguous(of: T.self) { elements in
                var outside = 0
                for element in elements { outside |= Double(element) >= range.lowerBound && Double(element) <= range.upperBound ? 0 : 1 }
                return outside == 0
            }
        }
        return try type == .f32 ? lie(Float.self) : lie(Double.self)
    }

    /// How many elements go into one element of the result.
    fileprivate func reducedCount(_ axes: [Int]?) throws -> Int {
        try Shapes.axes(axes, rank: rank).reduce(1) { $0 &* shape[$1] }
    }
}

/// How far the elements lie from their mean along some axes.
private struct Spread {
    /// How many elements a lane has.
    let elements: Double
    /// The distances from the mean and the sum of their squares, both of elements divided by `scale` if there is one.
    private(set) var distance: NDArray
    private(set) var squares: NDArray
    private(set) var scale: NDArray?

    init(of x: NDArray, axes: [Int]?, keepdims: Bool) throws {
        elements = Double(try x.reducedCount(axes))
        if !x.isAbstract { try x.evaluate() }
        let range = NDArray.exact(x.type)
        var mean = try x.mean(axes: axes, keepdims: true)
        (distance, squares) = try Spread.distances(x, mean, axes, keepdims)
        guard elements > 0 else { return }
        if try !squares.lies(in: range), let scale = try x.scale(where: squares.detached().toDoubles().map { !range.contains($0) }, axes: axes) {
            let scaled = try x / scale
            mean = try scaled.mean(axes: axes, keepdims: true)
            (distance, squares) = try Spread.distances(scaled, mean, axes, keepdims)
            self.scale = keepdims ? scale : try scale.reshaped(to: squares.shape)
        }
        // What the mean lost to rounding is the mean of the distances from it. It shows where they are small beside the mean.
        guard let isRounded = try isRounded(mean) else { return }
        distance = try distance - distance.mean(axes: axes, keepdims: true) * isRounded
        squares = try NDArray.unary(.square, distance).reduced(.sum, axes: axes, keepdims: keepdims)
    }

    /// The distances from the mean, and the sum of their squares. Distances that no derivative follows are not kept for it: who wants them
    /// computes them again, which costs less than memory for them.
    private static func distances(_ x: NDArray, _ mean: NDArray, _ axes: [Int]?, _ keepdims: Bool) throws -> (distance: NDArray, squares: NDArray) {
        let distance = try x - mean
        if distance.isTraced || distance.isAbstract || distance.isEvaluated {
            return (distance, try NDArray.unary(.square, distance).reduced(.sum, axes: axes, keepdims: keepdims))
        }
        return (distance, try NDArray.unary(.square, x - mean).reduced(.sum, axes: axes, keepdims: keepdims))
    }

    /// The sum of squares divided by the number of elements − `ddof`.
    func squares(over ddof: Operand) throws -> NDArray {
        switch ddof {
        case .number(let ddof): return try squares / max(0, elements - ddof)
        case .array(let ddof): return try squares / NDArray.binary(.max, elements - ddof.converted(to: squares.type), 0)
        }
    }

    /// 1 for the lanes in whose sum of squares the rounding of the mean shows, else 0; `nil` if there are none.
    private func isRounded(_ mean: NDArray) throws -> NDArray? {
        let part = elements * (mean.type == .f32 ? 0x1p-23 : 0x1p-52)
        if squares.isAbstract {
            // It does not show where sums are above the part: where their difference is positive.
            let means = try mean.detached().converted(to: .f64).reshaped(to: squares.shape)
            AbstractRun.assume(try squares.detached().converted(to: .f64) - means * part * means, in: .leastNonzeroMagnitude ... .infinity)
            return nil
        }
        func find<T: BinaryFloatingPoint>(_: T.Type) throws -> [Double]? {
            try squares.withContiguous(of: T.self) { squares in
                try mean.withContiguous(of: T.self) { means in
                    func shows(_ i: Int) -> Double { Double(squares[i]) <= part * Double(means[i]) * Double(means[i]) ? 1 : 0 }
                    var any = 0.0
                    for i in 0..<squares.count { any = max(any, shows(i)) }
                    return any == 0 ? nil : (0..<squares.count).map(shows)
                }
            }
        }
        guard let lanes = try mean.type == .f32 ? find(Float.self) : find(Double.self) else { return nil }
        return try NDArray(lanes, shape: mean.shape, type: mean.type)
    }
}
