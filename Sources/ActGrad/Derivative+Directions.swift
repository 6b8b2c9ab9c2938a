// Derivatives along a direction, and functions from what reaches a result to what reaches its points.

import ActArray

extension Derivative {
    /// The values of a function of several arrays, and how they change when the points move along directions: the Jacobian times those.
    /// - Parameter directions: One a point, shaped as it is.
    package static func along(
        _ directions: [NDArray], of f: ([NDArray]) throws -> [NDArray], at points: [NDArray]
    ) throws -> (values: [NDArray], changes: [NDArray]) {
        try withVariables(points) { variables in
            let results = try f(variables), traces = results.map { Trace($0, from: variables) }
            // A reverse pass is linear in the cotangents: its own derivative in them is the forward derivative.
            let changes = try withVariables(results.map { try NDArray.full(1, shape: $0.shape, type: $0.type == .bool ? .f64 : $0.type) }) { cotangents in
                var total: NDArray?
                for (trace, cotangent) in zip(traces, cotangents) where trace.isDependent && trace.result.type != .bool {
                    for (reached, direction) in zip(try trace.pullback(cotangent), directions) {
                        guard let reached else { continue }
                        let part = try (reached * direction.converted(to: reached.type)).reduced(.sum).converted(to: .f64)
                        total = try total.map { try $0 + part } ?? part
                    }
                }
                let pulled = try total.map { try Trace($0, from: cotangents).pullback(.uniform(1)) } ?? cotangents.map { _ in nil }
                return try zip(pulled, cotangents).map { try $0 ?? NDArray.full(0, shape: $1.shape, type: $1.type) }
            }
            let reachesOuter = traces.contains(where: \.reachesOuter) || directions.contains(where: \.isTraced)
            return (
                try zip(results, traces).map { try $1.reachesOuter ? $0 : $0.detached() }, try changes.map { try reachesOuter ? $0 : $0.detached() }
            )
        }
    }

    /// The values of a function of several arrays, and the function that takes what reaches them to what reaches the points.
    package static func pullback(
        of f: ([NDArray]) throws -> [NDArray], at points: [NDArray]
    ) throws -> (values: [NDArray], pull: ([NDArray]) throws -> [NDArray]) {
        let (results, variables) = try withVariables(points) { (try f($0), $0) }
        let values = try results.map { try released($0, from: variables) }
        return (
            values,
            { cotangents in
                var gradients = [NDArray?](repeating: nil, count: variables.count)
                for (result, cotangent) in zip(results, cotangents) where result.type != .bool {
                    let pulled = try pullback(of: result, cotangent: cotangent.converted(to: result.type), to: variables)
                    for (i, part) in pulled.enumerated() {
                        guard let part else { continue }
                        gradients[i] = try gradients[i].map { try $0 + part } ?? part
                    }
                }
                return try zip(gradients, points).map { try $0 ?? NDArray.full(0, shape: $1.shape, type: $1.type) }
            }
        )
    }

    /// A result that left the function it was made in, as its caller may keep it.
    package static func released(_ result: NDArray) throws -> NDArray { try released(result, from: []) }
}

/// A function's value whose derivative in one argument is given: inputs are the value and the argument.
package final class GivenSlope: CustomFunction {
    package let name: String
    /// The slope at the argument.
    /// - Parameter isFollowed: Whether the slope is differentiated again.
    private let slope: (_ x: NDArray, _ isFollowed: Bool) throws -> NDArray

    package init(_ name: String, slope: @escaping (_ x: NDArray, _ isFollowed: Bool) throws -> NDArray) {
        self.name = name
        self.slope = slope
    }

    private var actsElementwise: Bool?
    /// The shape of the slope says so, which is asked for once.
    package var isElementwise: Bool { actsElementwise ?? false }

    /// The value as something that depends on `x` by the slope.
    package static func value(_ value: NDArray, at x: NDArray, _ name: String, slope: @escaping (NDArray, Bool) throws -> NDArray) throws -> NDArray {
        let function = GivenSlope(name, slope: slope)
        // A function of an array to an array of its shape is elementwise unless its slope is a Jacobian.
        function.actsElementwise = try value.shape == x.shape && (x.rank == 0 || slope(x.detached(), false).rank <= x.rank)
        return try NDArray.custom(function, inputs: [value, x], value: value)
    }

    package func lowered(_ inputs: [NDArray]) throws -> NDArray? { inputs[0] }

    package func pullback(cotangent c: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        let x = inputs[1], slope = try slope(x, c.isTraced || inputs.contains(where: \.isTraced)).converted(to: c.type)
        if isElementwise || result.rank == 0 {
            guard let shape = try? NDArray.broadcastShape(slope.shape, x.shape), shape == x.shape else { throw misfit(slope, x, result) }
            return [c, try Rule.product(c.broadcast(to: x.shape), .array(slope.broadcast(to: x.shape)), .all)]
        }
        guard slope.shape == result.shape + x.shape else { throw misfit(slope, x, result) }
        let reached = try Rule.product(c.reshaped(to: c.shape + x.shape.map { _ in 1 }).broadcast(to: slope.shape), .array(slope), .all)
        return [c, try reached.reduced(.sum, axes: Array(0..<result.rank))]
    }

    private func misfit(_ slope: NDArray, _ x: NDArray, _ result: NDArray) -> DerivativeError {
        .slopeShape(function: name, slope: slope.shape, expected: isElementwise || result.rank == 0 ? x.shape : result.shape + x.shape)
    }
}
