// Derivatives against differences of values: the check that needs no rule.

import ActArray

extension Derivative {
    /// The largest relative error of the derivative of `f` at `x`, measured with central differences of fourth order in f64. A value near
    /// 1e-9 is as good as differences can tell; kinks within reach of every step spoil it.
    package static func checkGradient(of f: (NDArray) throws -> NDArray, at x: NDArray) throws -> Double {
        let point = try x.detached().converted(to: .f64)
        // Weights turn a function with many results into one with one, without letting errors cancel by symmetry.
        let value = try f(point)
        guard value.count > 0, point.count > 0 else { return 0 }
        let weights = try NDArray(watched(value.count) { 1 + 0.5 * Scalar.unary(.sin, Double($0)) }, shape: value.shape)
        let exact =
            try withVariables([point]) { variables in
                let result = try f(variables[0])
                return try pullback(of: result, cotangent: weights.converted(to: result.type), to: variables)[0]?.toDoubles()
            } ?? [Double](repeating: 0, count: point.count)

        let isElementwise = try withVariables([point]) { try Derivative.isElementwise(from: $0[0], to: f($0[0])) }
        let elements = try point.toDoubles()
        /// The weighted results with some elements moved: one number for each result.
        func weighted(_ moved: [Double]) throws -> [Double] {
            try (f(NDArray(moved, shape: point.shape)).converted(to: .f64) * weights).toDoubles()
        }
        func estimated(_ steps: [Double]) throws -> [Double] {
            var estimates = [Double](repeating: 0, count: elements.count)
            if isElementwise {
                let far = try [-2.0, -1, 1, 2].map { k in try weighted(watched(elements.count) { elements[$0] + k * steps[$0] }) }
                estimates = try watched(elements.count) { i in difference((far[0][i], far[1][i], far[2][i], far[3][i]), steps[i]) }
            } else {
                for i in elements.indices {
                    let near = try [-2.0, -1, 1, 2].map { k in
                        var moved = elements
                        moved[i] += k * steps[i]
                        return try weighted(moved).reduce(0, +)
                    }
                    estimates[i] = difference((near[0], near[1], near[2], near[3]), steps[i])
                }
            }
            return estimates
        }
        let scale = exact.reduce(0) { max($0, abs($1)) }
        var errors = [Double](repeating: .nan, count: elements.count)
        // How far is right depends on where the function bends and ends, which nobody knows: a step that suits shows the least error.
        let sizes: [(Double) -> Double] = [{ 0x1p-10 * max(1, abs($0)) }, { _ in 0x1p-10 }, { 0x1p-10 * abs($0) }, { 0x1p-17 * max(1, abs($0)) }]
        for size in sizes {
            let steps = try watched(elements.count) { i in
                let step = size(elements[i])
                return step > 0 ? step : 0x1p-10
            }
            let estimates = try estimated(steps)
            for i in elements.indices {
                if i & 0xffff == 0 { try Interrupt.check() }
                let (a, b) = (exact[i], estimates[i])
                let error = a == b ? 0 : abs(a - b) / max(abs(a), abs(b), 1e-3 * scale, 1e-6)
                if errors[i].isNaN || error < errors[i] { errors[i] = error }
            }
            if errors.allSatisfy({ $0 < 1e-8 }) { break }
        }
        return errors.contains(where: \.isNaN) ? .nan : errors.max() ?? 0
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
