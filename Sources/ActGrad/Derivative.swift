// What programs ask for: f', gradients, Jacobians, Hessians. Docs/language.md says what they mean.

import ActArray
import CActKernels

package enum Derivative {
    /// Whether this thread is taking one.
    @inline(__always) package static var isRunning: Bool { act_derivatives_get() != 0 }

    // MARK: Variables

    /// Runs `body` on variables that stand for `points`. Inside, `pullback` reaches from any result back to them.
    /// - Throws: `DerivativeError.notNumbers` when a point is an array of bools, and what `body` throws.
    package static func withVariables<Value>(_ points: [NDArray], _ body: ([NDArray]) throws -> Value) throws -> Value {
        let mark = VariableMark(), running = act_derivatives_get()
        act_derivatives_set(running &+ 1)
        defer {
            mark.isLive = false
            act_derivatives_set(running)
        }
        return try body(
            points.map { point in
                guard point.type != .bool else { throw DerivativeError.notNumbers(point.type) }
                let variable = try point.variable()
                return try NDArray.custom(mark, inputs: [variable], value: variable)
            })
    }

    /// What reaches the variables when `cotangent` reaches `result`: the transposed Jacobian times the cotangent. `nil` where nothing does.
    /// - Parameter cotangent: Shaped and typed as the result; ones if left out.
    package static func pullback(of result: NDArray, cotangent: NDArray? = nil, to variables: [NDArray]) throws -> [NDArray?] {
        let trace = Trace(result, from: variables)
        return try cotangent.map { try trace.pullback($0) } ?? trace.pullback(.uniform(1))
    }

    /// Whether `result` depends on `variable` element by element, decided by the operations between, never by values.
    package static func isElementwise(from variable: NDArray, to result: NDArray) -> Bool {
        Trace(result, from: [variable]).isElementwise(shape: variable.shape)
    }

    /// A result of `withVariables` as its caller may keep it: traced by enclosing derivatives only.
    package static func released(_ result: NDArray, from variables: [NDArray]) throws -> NDArray {
        guard result.isTraced, !Trace(result, from: variables).reachesOuter else { return result }
        return try result.detached()
    }

    // MARK: Derivatives of functions

    /// f'(x): the diagonal of the Jacobian when f acts elementwise, the gradient when f(x) is of rank 0, else the Jacobian.
    package static func derivative(of f: (NDArray) throws -> NDArray, at x: NDArray) throws -> NDArray {
        let x = try numbers(x)
        return try withVariables([x]) { variables in
            let trace = Trace(try f(variables[0]), from: variables)
            if trace.result.rank == 0 || trace.isElementwise(shape: x.shape) {
                guard trace.isDependent else { return try zeros(like: x) }
                return try trace.pullback(.uniform(1))[0] ?? zeros(like: x)
            }
            return try jacobians(trace, variables)[0]
        }
    }

    /// The value of a function of several arrays and its gradient in each, shaped as they are.
    /// - Parameter zerosAreUnsigned: Whether no element is −0, which costs a pass over each gradient.
    /// - Parameter mustDepend: Whether it is an error when no change of a point changes the value smoothly.
    /// - Throws: `DerivativeError.gradientOfArray` when the value is not of rank 0, `independent`.
    package static func valueAndGradient(
        of f: ([NDArray]) throws -> NDArray, at points: [NDArray], zerosAreUnsigned: Bool = true, mustDepend: Bool = false
    ) throws -> (value: NDArray, gradients: [NDArray]) {
        try withVariables(points) { variables in
            let value = try f(variables)
            guard value.rank == 0 else { throw DerivativeError.gradientOfArray(shape: value.shape) }
            guard value.type != .bool else {
                if mustDepend { throw DerivativeError.independent(through: nil) }
                return (value, try points.map(zeros))
            }
            var trace = Trace(value, from: variables)
            trace.zerosAreUnsigned = zerosAreUnsigned
            if mustDepend { try trace.checkDependence() }
            let gradients = try trace.pullback(.uniform(1))
            return (
                trace.reachesOuter ? value : try value.detached(), try zip(gradients, points).map { try $0 ?? zeros(like: $1) }
            )
        }
    }

    /// The gradient of a function whose value is of rank 0, shaped as `x`.
    package static func gradient(of f: (NDArray) throws -> NDArray, at x: NDArray) throws -> NDArray {
        try valueAndGradient(of: { try f($0[0]) }, at: [numbers(x)]).gradients[0]
    }

    /// The full Jacobian, shaped `shape(f(x)) + shape(x)`, of elementwise functions too.
    package static func jacobian(of f: (NDArray) throws -> NDArray, at x: NDArray) throws -> NDArray {
        try jacobians(of: { try f($0[0]) }, at: [x])[0]
    }

    /// The Jacobian of a function of several arrays in each of them.
    package static func jacobians(of f: ([NDArray]) throws -> NDArray, at points: [NDArray]) throws -> [NDArray] {
        try withVariables(points.map(numbers)) { variables in try jacobians(Trace(try f(variables), from: variables), variables) }
    }

    /// The second derivatives of a function whose value is of rank 0, shaped `shape(x) + shape(x)`.
    package static func hessian(of f: (NDArray) throws -> NDArray, at x: NDArray) throws -> NDArray {
        try jacobian(of: { try gradient(of: f, at: $0) }, at: x)
    }

    // MARK: Jacobians

    private static func jacobians(_ trace: Trace, _ variables: [NDArray]) throws -> [NDArray] {
        let result = trace.result
        guard trace.isDependent, result.count > 0, variables.contains(where: { $0.count > 0 }) else {
            return try variables.map { try NDArray.full(0, shape: result.shape + $0.shape, type: $0.type) }
        }
        if trace.isElementwise(shape: variables[0].shape) {
            return try zip(trace.pullback(.uniform(1)), variables).map { diagonal, variable in
                let shape = result.shape + variable.shape
                guard let diagonal else { return try NDArray.full(0, shape: shape, type: variable.type) }
                let unit = try NDArray.eye(variable.count, type: variable.type)
                // Chosen, not multiplied: beside an infinite slope there are zeros too.
                let row = try diagonal.reshaped(to: [1, variable.count])
                return try NDArray.select(unit.converted(to: .bool), .array(row), .number(0)).reshaped(to: shape)
            }
        }
        // Rows come out of the reverse pass of unit vectors. When there are many more rows than columns, the pass itself, which is linear in
        // the cotangent, is differentiated: its own reverse pass gives columns.
        if result.count <= 3 &* variables.reduce(0, { $0 &+ $1.count }) {
            return try zip(rows(trace, of: variables), variables).map { try $0.reshaped(to: result.shape + $1.shape) }
        }
        return try withVariables([NDArray.full(1, shape: result.shape, type: result.type)]) { cotangents in
            try zip(trace.pullback(cotangents[0]), variables).map { reached, variable in
                let shape = result.shape + variable.shape
                guard let reached, variable.count > 0 else { return try NDArray.full(0, shape: shape, type: variable.type) }
                let columns = try rows(Trace(reached, from: cotangents), of: cotangents)[0].converted(to: variable.type).transposed()
                // The passes ran through the variables of this derivative, which is done.
                return try (trace.reachesOuter ? columns : columns.detached()).reshaped(to: shape)
            }
        }
    }

    /// What reaches each variable of a trace when each unit vector reaches the result: matrices of one row each.
    private static func rows(_ trace: Trace, of variables: [NDArray]) throws -> [NDArray] {
        let result = trace.result, count = result.count
        for variable in variables { _ = try NDArray.full(0, shape: [0, count, variable.count], type: variable.type) }  // throws where the sizes are too large
        // The pass is recorded once, which costs as much as two.
        if count > 3, let rows = try batchedRows(trace, of: variables) { return rows }
        let rows = try (0..<count).map { i in
            let unit = try units(i..<i + 1, like: result).reshaped(to: result.shape)
            return try zip(trace.pullback(unit), variables).map { reached, variable in
                try (reached ?? NDArray.full(0, shape: variable.shape, type: variable.type)).reshaped(to: [1, variable.count])
                    .converted(to: variable.type)
            }
        }
        return try variables.indices.map { k in try NDArray.concatenated(rows.map { $0[k] }, axis: 0) }
    }

    /// The same with all unit vectors on the way at once; `nil` where that is not possible, or not worth it.
    private static func batchedRows(_ trace: Trace, of variables: [NDArray]) throws -> [NDArray]? {
        let result = trace.result, site = Site.current
        // What the rules compute is not an operation of the program: nothing there warns.
        Site.current = .unknown
        defer { Site.current = site }
        func rows(heeding: Bool) throws -> [NDArray]? {
            try withVariables([NDArray.full(1, shape: result.shape, type: result.type)]) { cotangents in
                var matrices: [NDArray] = []
                for (reached, variable) in try zip(trace.linearPullback(cotangents[0], heeds: heeding), variables) {
                    guard let matrix = try batchedRows(reached, from: cotangents, like: variable) else { return nil }
                    matrices.append(matrix)
                }
                return matrices
            }
        }
        if trace.reachesOuter { return try rows(heeding: true) }
        // As in `Trace.pullback`: first as if no zero met an infinity.
        guard let hopeful = try rows(heeding: false) else { return nil }
        let rows = try hopeful.allSatisfy { try $0.hasNoNaN() } ? hopeful : rows(heeding: true)
        // A slope of 0 has no sign.
        return try rows?.map { try $0.detached() + 0 }
    }

    /// What a recorded pass, of which `reached` comes for one variable, gives of each unit vector.
    private static func batchedRows(_ reached: NDArray?, from cotangents: [NDArray], like variable: NDArray) throws -> NDArray? {
        let count = cotangents[0].count, width = variable.count
        guard let reached, width > 0 else { return try NDArray.full(0, shape: [count, width], type: variable.type) }
        let pass = Trace(reached, from: cotangents), size = min(count, pass.batchSize)
        guard pass.isDependent, size > 1 else { return nil }
        let parts = try stride(from: 0, to: count, by: size).map { first -> NDArray? in
            let last = min(count, first + size)
            return try pass.batched([units(first..<last, like: cotangents[0])])?.reshaped(to: [last - first, width]).converted(to: variable.type)
        }
        return parts.contains { $0 == nil } ? nil : try NDArray.concatenated(parts.compactMap { $0 }, axis: 0)
    }

    /// Unit vectors, stacked: zeros but for a one at each of these row-major positions of arrays like `array`.
    private static func units(_ positions: Range<Int>, like array: NDArray) throws -> NDArray {
        let units = try NDArray.full(0, shape: [positions.count] + array.shape, type: array.type), size = array.count
        units.withMutableBytes { bytes in
            for (row, position) in positions.enumerated() {
                switch array.type {
                case .bool: break
                case .f32: bytes.assumingMemoryBound(to: Float.self)[row &* size &+ position] = 1
                case .f64: bytes.assumingMemoryBound(to: Double.self)[row &* size &+ position] = 1
                }
            }
        }
        return units
    }

    // MARK: Constants

    private static func zeros(like array: NDArray) throws -> NDArray {
        try NDArray.full(0, shape: array.shape, type: array.type)
    }

    private static func numbers(_ x: NDArray) throws -> NDArray {
        x.type == .bool ? try x.converted(to: .f64) : x
    }
}
