// Where the slope of a composed function jumps. Kinks come from operations that have them (max, abs, relu, where …), so these are looked
// up in the trace of the function over a grid; where the quantity that decides changes sign, the point is found by bisection.

import ActArray

package enum Kinks {
    /// The kinks of an elementwise function in a range, in order.
    /// - Throws: `DerivativeError.notElementwise`, and what `f` throws.
    package static func find(of f: (NDArray) throws -> NDArray, over range: ClosedRange<Double> = -10...10) throws -> [Kink] {
        let steps = 2000
        let (low, high) = (range.lowerBound, range.upperBound)
        let grid = (0...steps).map { (low * Double(steps - $0) + high * Double($0)) / Double(steps) }
        let signs = try decisions(f, grid)
        var brackets: [(quantity: Int, low: Double, high: Double, sign: Int)] = []
        for (quantity, signs) in signs.enumerated() {
            for i in 0..<steps where signs[i] != signs[i + 1] {
                brackets.append((quantity, grid[i], grid[i + 1], signs[i]))
            }
        }
        // All brackets are halved together, until their ends are neighbours. Those that begin at a kink are there at once.
        var points: Set<Double> = []
        func settle(_ probes: [Double], _ update: (Int, Int) -> Void) throws {
            let found = try decisions(f, probes)
            for (i, bracket) in brackets.enumerated() where bracket.quantity < found.count { update(i, found[bracket.quantity][i]) }
        }
        var isDone = [Bool](repeating: false, count: brackets.count)
        try settle(brackets.map(\.low.nextUp)) { i, sign in
            if sign != brackets[i].sign { isDone[i] = true; points.insert(brackets[i].sign == 0 ? brackets[i].low : brackets[i].low.nextUp) }
        }
        try settle(brackets.map(\.high.nextDown)) { i, sign in
            if !isDone[i], sign == brackets[i].sign { isDone[i] = true; points.insert(brackets[i].high) }
        }
        for _ in 0..<80 where isDone.contains(false) {
            try settle(brackets.map { 0.5 * $0.low + 0.5 * $0.high }) { i, sign in
                let middle = 0.5 * brackets[i].low + 0.5 * brackets[i].high
                if sign == brackets[i].sign { brackets[i].low = middle } else { brackets[i].high = middle }
            }
            for i in brackets.indices where !isDone[i] && brackets[i].low.nextUp >= brackets[i].high {
                isDone[i] = true
                points.insert(brackets[i].sign == 0 ? brackets[i].low : brackets[i].high)
            }
        }
        return try points.sorted().compactMap { try kink(of: f, at: $0 == 0 ? 0 : $0) }
    }

    /// For each quantity that decides a slope its sign at each point (2: not a number).
    private static func decisions(_ f: (NDArray) throws -> NDArray, _ points: [Double]) throws -> [[Int]] {
        guard !points.isEmpty else { return [] }
        return try Derivative.withVariables([NDArray(points, shape: [points.count])]) { variables in
            let result = try f(variables[0])
            guard Trace(result, from: variables).isElementwise(shape: variables[0].shape) else { throw DerivativeError.notElementwise }
            var quantities: [[Int]] = []
            for node in nodes(behind: result) {
                for quantity in try self.quantities(of: node) where quantity.shape == variables[0].shape {
                    quantities.append(try quantity.toDoubles().map { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 == 0 ? 0 : 2 })
                }
            }
            return quantities
        }
    }

    /// Every traced node, conditions included, in an order that depends on the operations alone.
    private static func nodes(behind result: NDArray) -> [Node] {
        var known: Set<ObjectIdentifier> = [], nodes: [Node] = [], stack = [result]
        while let array = stack.popLast() {
            guard array.isTraced, known.insert(ObjectIdentifier(array.node)).inserted else { continue }
            nodes.append(array.node)
            stack.append(contentsOf: array.node.inputs)
        }
        return nodes
    }

    /// What decides the slope of an operation, by its sign.
    private static func quantities(of node: Node) throws -> [NDArray] {
        switch node.primitive {
        case .unary(let operation):
            let x = try node.inputs[0].detached()
            return try operation.course.jumps.map { try x - $0 }
        case .binary(.max), .binary(.min), .compare: return [try node.inputs[0].detached() - node.inputs[1].detached()]
        case .binary(let operation):
            let x = try node.inputs[0].detached()
            return try operation.course.jumps.map { try x - $0 }
        case .custom(is Extreme):
            let values = try node.inputs.map { try $0.detached() }
            return try values.indices.flatMap { i in try values[..<i].map { try $0 - values[i] } }
        case .custom(let function as RowFunction):
            let x = try node.inputs[0].detached()
            return try function.kinkPoints.map { try x - $0 }
        case .data, .variable, .test, .logical, .select, .convert, .reshape, .transpose, .broadcast, .slice, .unslice, .gather, .scatterAdd,
            .concatenate, .matmul, .reduce, .cumulative, .normalize, .custom:
            return []
        }
    }

    /// The kink at a point; `nil` when function and slope are the same on both sides.
    private static func kink(of f: (NDArray) throws -> NDArray, at x: Double) throws -> Kink? {
        let step = 0x1p-20 * max(1, abs(x))
        let points = try NDArray([x - 2 * step, x - step, x, x + step, x + 2 * step], shape: [5])
        let slopes = try Derivative.derivative(of: f, at: points).toDoubles()
        let values = try f(points).toDoubles()
        // Slopes are continued to the point along straight lines.
        let left = rounded(2 * slopes[1] - slopes[0]), right = rounded(2 * slopes[3] - slopes[4])
        let scale = max(1, abs(left), abs(right))
        let jump = abs(values[3] - values[1]) > 8 * step * scale || abs(values[2] - values[1]) > 4 * step * scale
        guard jump || abs(left - right) > 1e-8 * scale || abs(slopes[2] - left) > 1e-8 * scale else { return nil }
        return Kink(x: x, left: left, right: right, chosen: slopes[2])
    }

    /// To eleven digits: what continuing along a line can tell.
    private static func rounded(_ slope: Double) -> Double {
        guard slope.isFinite, abs(slope) < 1e15 else { return slope }
        var digits = 1e10
        while abs(slope) * digits > 1e11, digits > 1 { digits /= 10 }
        let value = (slope * digits).rounded() / digits
        return value == 0 ? 0 : value
    }
}
