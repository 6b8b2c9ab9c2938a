// Statistics: without NaN, of several variables together, along data. All are compositions, so that derivatives follow.

import ActArray
import ActOrder

extension NDArray {
    // MARK: Without NaN

    /// 1 where there is a number, 0 at NaN.
    private var present: NDArray { get throws { try NDArray.not(NDArray.test(.isnan, self)).converted(to: type) } }

    /// With another number in the place of NaN.
    private func replacingNaN(_ value: Double) throws -> NDArray { try NDArray.select(NDArray.test(.isnan, self), .number(value), .array(self)) }

    package func nanSum(axes: [Int]?, keepdims: Bool) throws -> NDArray { try replacingNaN(0).reduced(.sum, axes: axes, keepdims: keepdims) }

    /// Of no numbers NaN.
    package func nanMean(axes: [Int]?, keepdims: Bool) throws -> NDArray {
        try nanSum(axes: axes, keepdims: keepdims) / present.reduced(.sum, axes: axes, keepdims: keepdims)
    }

    package func nanDeviation(axes: [Int]?, ddof: Operand, keepdims: Bool) throws -> NDArray {
        let mean = try nanMean(axes: axes, keepdims: true), present = try present
        let distance = try NDArray.select(NDArray.test(.isnan, self), .number(0), .array(self - mean))
        let count = try present.reduced(.sum, axes: axes, keepdims: keepdims)
        let freedom = try NDArray.binary(.max, .array(NDArray.binary(.sub, .array(count), ddof)), .number(0))
        return try (NDArray.unary(.square, distance).reduced(.sum, axes: axes, keepdims: keepdims) / freedom).distance()
    }

    /// The smallest or largest number; of no numbers NaN.
    package func nanExtreme(isMax: Bool, axes: [Int]?, keepdims: Bool) throws -> NDArray {
        let found = try replacingNaN(isMax ? -.infinity : .infinity).reduced(isMax ? .max : .min, axes: axes, keepdims: keepdims)
        let isEmpty = try NDArray.test(.isnan, self).reduced(.all, axes: axes, keepdims: keepdims)
        return try NDArray.select(isEmpty, .number(.nan), .array(found))
    }

    /// Quantiles of the numbers in each lane, neighbours interpolated linearly; the axis of several `q` comes first.
    package func nanQuantile(_ q: NDArray, axis: Int?) throws -> NDArray {
        guard let axis else { return try reshaped(to: [count]).nanQuantile(q, axis: 0) }
        let position = try Shapes.axis(axis, rank: rank)
        guard q.rank <= 1 else { throw ArrayError.rankMismatch(operation: "nanquantile", ranks: 0...1, shape: q.shape) }
        guard shape[position] > 0 else { throw ArrayError.emptyReduction(operation: "nanquantile", shape: shape) }
        if let outside = try q.detached().toDoubles().first(where: { !($0 >= 0 && $0 <= 1) }) {
            throw ArrayError.badValue(operation: "nanquantile", .notBetween0And1(outside))
        }
        let rows = try transposed(shape.indices.filter { $0 != position } + [position]).sorted(axis: -1)
        let last = try rows.detached().present.reduced(.sum, axes: [-1], keepdims: true).converted(to: .f64) - 1
        // Between which of the sorted elements each quantile lies; NaN is last, and first where there is nothing else.
        let places = try q.converted(to: .f64).reshaped(to: [q.count]) * last
        let low = try NDArray.binary(.max, .array(NDArray.binary(.min, NDArray.unary(.floor, places.detached()), last - 1)), .number(0))
        let high = try NDArray.binary(.max, .array(NDArray.binary(.min, low + 1, last)), .number(0))
        let (below, above) = (try rows.takenAlong(low, axis: -1), try rows.takenAlong(high, axis: -1))
        let isSame = try NDArray.compare(.eq, .array(below), .array(above))
        let values = try NDArray.select(isSame, .array(below), .array(below + (above - below) * (places - low).converted(to: type)))
        if q.rank == 0 { return try values.reshaped(to: Array(values.shape.dropLast())) }
        return try values.transposed([values.rank - 1] + (0..<(values.rank - 1)))
    }

    // MARK: Several variables

    /// Covariances of variables in rows, or in columns; of one variable its variance.
    package func covariance(inRows: Bool, ddof: Operand) throws -> NDArray {
        guard rank <= 2 else { throw ArrayError.rankMismatch(operation: "cov", ranks: 0...2, shape: shape) }
        var rows = rank == 2 ? self : try reshaped(to: [1, count])
        if rank == 2, !inRows { rows = try transposed() }
        let distance = try rows - rows.mean(axes: [1], keepdims: true)
        let freedom = try NDArray.binary(.max, .array(NDArray.binary(.sub, .array(NDArray.scalar(Double(rows.shape[1]), type: rows.type)), ddof)), .number(0))
        let result = try NDArray.matmul(distance, distance.transposed()) / freedom
        return rank == 2 ? result : try result.reshaped(to: [])
    }

    /// The variables of this array and of another, in rows.
    package func variables(beside other: NDArray, inRows: Bool) throws -> NDArray {
        func rows(_ x: NDArray) throws -> NDArray {
            guard x.rank <= 2 else { throw ArrayError.rankMismatch(operation: "cov", ranks: 0...2, shape: x.shape) }
            if x.rank < 2 { return try x.reshaped(to: [1, x.count]) }
            return inRows ? x : try x.transposed()
        }
        let (first, second) = try (rows(self), rows(other.type == .bool ? other.converted(to: .f64) : other))
        guard first.shape[1] == second.shape[1] else { throw ArrayError.shapesDiffer(operation: "cov", shape, other.shape, axis: 1) }
        return try NDArray.concatenated([first, second], axis: 0)
    }

    /// Correlation coefficients of variables in rows, or in columns.
    package func correlation(inRows: Bool) throws -> NDArray {
        let covariance = try covariance(inRows: inRows, ddof: .number(0))
        if covariance.rank == 0 { return try covariance / covariance }
        let deviation = try NDArray.unary(.sqrt, covariance.diagonal())
        return try covariance / deviation.reshaped(to: [deviation.count, 1]) / deviation
    }

    // MARK: Along data

    /// The piecewise linear function through the points (xp, fp), xp ascending, constant beyond the ends.
    package func interpolated(_ xp: NDArray, _ fp: NDArray) throws -> NDArray {
        guard xp.rank == 1, xp.count > 0 else { throw ArrayError.badValue(operation: "interp", .vectorNeeded("xp")) }
        guard fp.shape == xp.shape else { throw ArrayError.shapesDiffer(operation: "interp", xp.shape, fp.shape, axis: nil) }
        let known = try xp.detached().toDoubles()
        guard zip(known, known.dropFirst()).allSatisfy({ $0 < $1 }) else { throw ArrayError.badValue(operation: "interp", .notAscending("xp")) }
        if xp.count == 1 { return try self * 0 + fp }
        let right = try xp.detached().searchsorted(detached(), isRight: true)
        let place = try NDArray.binary(.max, .array(NDArray.binary(.min, right - 1, Double(xp.count - 2))), .number(0))
        func at(_ values: NDArray, _ place: NDArray) throws -> NDArray { try values.indexed(by: [.array(place)]) }
        let (x0, x1, y0, y1) = (try at(xp, place), try at(xp, place + 1), try at(fp, place), try at(fp, place + 1))
        let inside = try NDArray.binary(.min, .array(NDArray.binary(.max, self, x0)), .array(x1))
        return try y0 + (y1 - y0) * ((inside - x0) / (x1 - x0))
    }

    package enum ConvolutionMode: String, CaseIterable, Sendable { case full, same, valid }

    /// The sums of products of one vector and the other, reversed, at every shift.
    package static func convolved(_ a: NDArray, _ v: NDArray, _ mode: ConvolutionMode) throws -> NDArray {
        for x in [a, v] where x.rank != 1 || x.count == 0 {
            throw ArrayError.badValue(operation: "convolve", .twoVectorsNeeded)
        }
        let (long, short) = a.count >= v.count ? (a, v) : (v, a)
        let (n, m) = (long.count, short.count)
        let whole = try long.padded([(before: m - 1, after: m - 1)])
        // Windows of m elements; those of a part at a time are made, so that memory stays near the size of the vectors.
        let (first, count) =
            switch mode {
            case .full: (0, n + m - 1)
            case .same: ((m - 1) / 2, n)
            case .valid: (m - 1, n - m + 1)
            }
        let reversed = try short.flipped(), size = max(1, (1 << 20) / m)
        let parts = try stride(from: first, to: first + count, by: size).map { start in
            let rows = min(size, first + count - start)
            let windows = try whole.gathered(GatherIndices(starts: (start..<(start + rows)).map { $0 }, chunk: m), shape: [rows, m])
            return try NDArray.matmul(windows, reversed)
        }
        return try NDArray.concatenated(parts)
    }

    /// The last axes brought to other sizes. Element i of n lies at (i + ½)/n of its axis, as pixels do.
    /// - Parameter isLinear: Whether neighbours are blended, those at the edges with themselves; else the nearest is taken, downward.
    package func resized(to sizes: [Int], isLinear: Bool) throws -> NDArray {
        guard sizes.count >= 1, sizes.count <= rank else {
            throw ArrayError.badValue(operation: "resize", .sizeCount(sizes.count, axes: rank))
        }
        var result = self
        for (number, size) in sizes.enumerated() {
            let axis = rank - sizes.count + number, length = shape[axis]
            guard size > 0, length > 0 else { throw ArrayError.badValue(operation: "resize", .sizeBelowOne(min(size, length))) }
            if size == length { continue }
            try MemoryPool.allow(size &* 48)
            var low: [Double] = [], high: [Double] = [], parts: [Double] = []
            for i in 0..<size {
                if isLinear {
                    let place = max(0, (Double(i) + 0.5) * Double(length) / Double(size) - 0.5), floor = min(place.rounded(.down), Double(length - 1))
                    low.append(floor)
                    high.append(min(floor + 1, Double(length - 1)))
                    parts.append(place - floor)
                } else {
                    low.append(min(Double(length - 1), (Double(i) * Double(length) / Double(size)).rounded(.down)))
                }
            }
            let all = [Index](repeating: .slice(start: nil, stop: nil, step: nil), count: axis)
            let below = try result.indexed(by: all + [.array(NDArray(low, shape: [size]))])
            guard isLinear else {
                result = below
                continue
            }
            let above = try result.indexed(by: all + [.array(NDArray(high, shape: [size]))])
            let weights = try NDArray(parts, shape: [size] + [Int](repeating: 1, count: rank - axis - 1), type: type == .bool ? .f64 : type)
            result = try below + (above - below) * weights
        }
        return result
    }

    /// The polynomial with these coefficients, the highest power first, at `x`.
    package func polynomial(at x: NDArray) throws -> NDArray {
        guard rank == 1 else { throw ArrayError.rankMismatch(operation: "polyval", ranks: 1...1, shape: shape) }
        var result = try x * 0
        for i in 0..<count {
            try Interrupt.check()
            result = try result * x + indexed(by: [.integer(i)])
        }
        return result
    }

    /// The coefficients, the highest power first, of the polynomial of a degree that is nearest to points.
    package static func polynomialFit(_ x: NDArray, _ y: NDArray, degree: Int) throws -> NDArray {
        guard x.rank == 1, x.count > 0 else { throw ArrayError.badValue(operation: "polyfit", .vectorNeeded("x")) }
        guard y.rank >= 1, y.rank <= 2, y.shape[0] == x.count else { throw ArrayError.shapesDiffer(operation: "polyfit", x.shape, y.shape, axis: 0) }
        var columns = [try NDArray.full(1, shape: x.shape, type: x.type)]
        for _ in 0..<degree { columns.append(try columns[columns.count - 1] * x) }
        let powers = try NDArray.stacked(columns.reversed(), axis: 1)
        // Columns of one length: what counts as rounding then does not depend on the units of x.
        let lengths = try NDArray.unary(.square, powers).reduced(.sum, axes: [0]).distance()
        let scales = try NDArray.select(NDArray.compare(.eq, .array(lengths), .number(0)), .number(1), .array(lengths))
        let solution = try NDArray.matmul((powers / scales).pseudoinverse(cutoff: Double(x.count) * 0x1p-52), y)
        return try solution / (y.rank == 2 ? scales.expandedDims(1) : scales)
    }
}
