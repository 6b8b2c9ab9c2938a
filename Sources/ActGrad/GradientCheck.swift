// Derivatives against differences of values: the check that needs no rule.

import ActArray

/// How a derivative compares with differences.
package struct GradientCheck {
    /// The largest relative error; NaN where one cannot be told.
    package private(set) var error = 0.0
    /// Where it is: the array, and the element in it.
    package private(set) var array = 0, element = 0
    /// What the derivative is there, and what differences say.
    package private(set) var exact = 0.0, estimate = 0.0

    fileprivate mutating func take(_ other: GradientCheck) {
        if !error.isNaN, !(other.error <= error) { self = other }
    }

    fileprivate init() {}

    fileprivate init(exact: Double, estimate: Double, array: Int, element: Int, scale: Double) {
        (self.exact, self.estimate, self.array, self.element) = (exact, estimate, array, element)
        error = exact == estimate ? 0 : abs(exact - estimate) / max(abs(exact), abs(estimate), 1e-3 * scale, 1e-6)
    }
}

extension Derivative {
    /// The largest relative error of the derivative of `f` at `x`, measured with central differences of fourth order in f64. A value near
    /// 1e-9 is as good as differences can tell; kinks within reach of every step spoil it.
    package static func checkGradient(of f: (NDArray) throws -> NDArray, at x: NDArray) throws -> Double {
        try checkGradient(of: { try f($0[0]) }, at: [x]).error
    }

    /// The derivative in several arrays. Where `f` computes in f32 for f32 arrays, differences tell some five digits of it.
    package static func checkGradient(of f: ([NDArray]) throws -> NDArray, at arrays: [NDArray]) throws -> GradientCheck {
        let points = try arrays.map { try $0.detached().converted(to: .f64) }
        // Weights turn a function with many results into one with one, without letting errors cancel by symmetry.
        let value = try f(points)
        guard value.count > 0 else { return GradientCheck() }
        let weights = try NDArray(watched(value.count) { 1 + 0.5 * Scalar.unary(.sin, Double($0)) }, shape: value.shape)
        let slopes = try withVariables(points) { variables in
            let result = try f(variables)
            let slopes = try pullback(of: result, cotangent: weights.converted(to: result.type), to: variables)
            return try zip(slopes, points).map { try $0?.toDoubles() ?? [Double](repeating: 0, count: $1.count) }
        }
        let scale = slopes.joined().reduce(0) { max($0, abs($1)) }
        let isElementwise = try points.count == 1 && withVariables(points) { try Derivative.isElementwise(from: $0[0], to: f($0)) }
        var worst = GradientCheck()
        for (index, point) in points.enumerated() where point.count > 0 {
            let elements = try point.toDoubles()
            /// The weighted results with some elements moved: one number for each result.
            func weighted(_ moved: [Double]) throws -> [Double] {
                var others = points
                others[index] = try NDArray(moved, shape: point.shape)
                return try (f(others).converted(to: .f64) * weights).toDoubles()
            }
            func estimated(_ steps: [Double]) throws -> [Double] {
                if isElementwise {
                    let far = try [-2.0, -1, 1, 2].map { k in try weighted(watched(elements.count) { elements[$0] + k * steps[$0] }) }
                    return try watched(elements.count) { i in difference((far[0][i], far[1][i], far[2][i], far[3][i]), steps[i]) }
                }
                return try elements.indices.map { i in
                    let near = try [-2.0, -1, 1, 2].map { k in
                        var moved = elements
                        moved[i] += k * steps[i]
                        return try weighted(moved).reduce(0, +)
                    }
                    return difference((near[0], near[1], near[2], near[3]), steps[i])
                }
            }
            let isSingle = arrays[index].type == .f32 || value.type == .f32
            for check in try checks(of: slopes[index], at: elements, array: index, scale: scale, isSingle: isSingle, estimated) { worst.take(check) }
        }
        return worst
    }

    /// One for each element of an array.
    private static func checks(
        of slopes: [Double], at elements: [Double], array: Int, scale: Double, isSingle: Bool, _ estimated: ([Double]) throws -> [Double]
    ) throws -> [GradientCheck] {
        // How far is right depends on where the function bends and ends, which nobody knows: a step that suits shows the least error.
        let sizes: [(Double) -> Double] =
            isSingle
            ? [{ 0x1p-5 * max(1, abs($0)) }, { 0x1p-7 * max(1, abs($0)) }, { 0x1p-10 * max(1, abs($0)) }, { _ in 0x1p-4 }]
            : [{ 0x1p-10 * max(1, abs($0)) }, { _ in 0x1p-10 }, { 0x1p-10 * abs($0) }, { 0x1p-17 * max(1, abs($0)) }]
        var best: [GradientCheck?] = Array(repeating: nil, count: elements.count)
        for size in sizes {
            let steps = try watched(elements.count) { i in
                let step = size(elements[i])
                return step > 0 ? step : 0x1p-10
            }
            let estimates = try estimated(steps)
            var isDone = true
            for i in elements.indices {
                if i & 0xffff == 0 { try Interrupt.check() }
                let check = GradientCheck(exact: slopes[i], estimate: estimates[i], array: array, element: i, scale: scale)
                if best[i].map({ $0.error.isNaN || check.error < $0.error }) ?? true { best[i] = check }
                isDone = isDone && best[i].map { $0.error < (isSingle ? 1e-5 : 1e-8) } ?? false
            }
            if isDone { break }
        }
        return best.compactMap(\.self)
    }

    /// (f(−2h) − 8 f(−h) + 8 f(h) − f(2h))/12h
    private static func difference(_ values: (Double, Double, Double, Double), _ step: Double) -> Double {
        ((values.0 - values.3) + 8 * (values.2 - values.1)) / (12 * step)
    }

    /// `count` numbers, between which Ctrl-C is heard.
    private static func watched(_ count: Int, _ number: (Int) -> Double) throws -> [Double] {
        try (0..<count).map { i in
            if i & 0xffff == 0 { try Interrupt.check() }
            return number(i)
        }
    }
}
