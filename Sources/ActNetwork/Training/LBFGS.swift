// L-BFGS: steps along the direction that the last gradients tell of the curvature, as far as a line search finds good. It wants the gradient of
// all rows at once. (J. Nocedal 1980; defaults, safeguards and order of operations are PyTorch's.)

import ActArray

package struct LBFGS: Descent {
    package let rate: (Double) throws -> Double
    /// How many pairs of steps and changes of the gradient it remembers.
    package let history: Int
    /// Whether it looks how far to go where it can; else steps have the length of the rate.
    package let searches: Bool

    package init(rate: @escaping (Double) throws -> Double, history: Int, searches: Bool = true) {
        self.rate = rate
        self.history = history
        self.searches = searches
    }

    package func rate(at epoch: Double) throws -> Double? { try rate(epoch) }
    /// As programs call it.
    package static let name = "LBFGS"

    package func start(for parameters: [NDArray]) throws -> any DescentState { LBFGSState(self) }
    package var takesAllRows: Bool { true }
}

package struct LBFGSState: DescentState {
    private let method: LBFGS
    /// Pairs of a step and the change of the gradient that it made, the oldest first.
    package var pairs: [(step: [NDArray], change: [NDArray])] = []
    /// What the last step moved, and the gradient before it.
    package var last: (step: [NDArray], gradient: [NDArray])?

    package init(_ method: LBFGS) { self.method = method }

    /// Below it a product of step and change says nothing of the curvature, and a slope counts as 0.
    private static let leastCurvature = 1e-10, leastGradient = 1e-7, leastSlope = 1e-9

    package mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], epoch: Double) throws {
        try step(&parameters, gradients, epoch) { rate, _, _, _ in rate }
    }

    package mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], loss: Double, epoch: Double, at point: LossAt) throws {
        let searches = method.searches
        try step(&parameters, gradients, epoch) { rate, start, gradient, direction in
            guard searches else { return rate }
            let reach = try direction.reduce(0.0) { try $1.count > 0 ? max($0, NDArray.unary(.abs, $1).reduced(.max).item()) : $0 }
            let origin = LineSearch.Point(length: 0, loss: loss, slope: try Self.dot(gradient, direction))
            return try LineSearch.length(from: origin, trying: rate, reach: reach) { length in
                try Interrupt.check()
                let (loss, slopes) = try point(Self.moved(start, direction, length))
                return LineSearch.Point(length: length, loss: loss, slope: try Self.dot(slopes.map { try $0.detached().converted(to: .f64) }, direction))
            }
        }
    }

    /// - Parameter length: How far to go, of the rate, the parameters, their gradient and the direction.
    private mutating func step(
        _ parameters: inout [NDArray], _ gradients: [NDArray], _ epoch: Double, length: (Double, [NDArray], [NDArray], [NDArray]) throws -> Double
    ) throws {
        let gradient = try gradients.map { try $0.detached().converted(to: .f64) }
        guard try gradient.contains(where: { try $0.count > 0 && NDArray.unary(.abs, $0).reduced(.max).item() > Self.leastGradient }) else { return }
        var rate = try method.rate(epoch)
        if let last {
            let change = try Self.combine(gradient, last.gradient, -1)
            if try Self.dot(change, last.step) > Self.leastCurvature {
                if pairs.count >= method.history { pairs.removeFirst() }
                pairs.append((last.step, change))
            }
        } else {
            let size = try gradient.reduce(0.0) { try $0 + NDArray.unary(.abs, $1).reduced(.sum).item() }
            rate *= min(1, 1 / size)
        }
        let direction = try direction(gradient)
        guard try Self.dot(gradient, direction) <= -Self.leastSlope else { return }
        let length = try length(rate, parameters, gradient, direction)
        parameters = try Self.moved(parameters, direction, length)
        last = (try direction.map { try $0 * length }, gradient)
    }

    private static func moved(_ parameters: [NDArray], _ direction: [NDArray], _ length: Double) throws -> [NDArray] {
        try zip(parameters, direction).map { parameter, direction in
            let moved = try (parameter.converted(to: .f64) + direction * length).converted(to: parameter.type)
            try moved.evaluate()
            return moved
        }
    }

    /// −H g by the two loops of the method, H being the inverse of the curvature that the pairs tell of.
    private func direction(_ gradient: [NDArray]) throws -> [NDArray] {
        var direction = try gradient.map { try $0 * -1 }
        var shares: [Double] = []
        for pair in pairs.reversed() {
            let share = try Self.dot(pair.step, direction) / Self.dot(pair.step, pair.change)
            direction = try Self.combine(direction, pair.change, -share)
            shares.append(share)
        }
        if let newest = pairs.last {
            let scale = try Self.dot(newest.step, newest.change) / Self.dot(newest.change, newest.change)
            direction = try direction.map { try $0 * scale }
        }
        for (pair, share) in zip(pairs, shares.reversed()) {
            let back = try Self.dot(pair.change, direction) / Self.dot(pair.step, pair.change)
            direction = try Self.combine(direction, pair.step, share - back)
        }
        return direction
    }

    private static func dot(_ a: [NDArray], _ b: [NDArray]) throws -> Double {
        try zip(a, b).reduce(0.0) { try $0 + ($1.0 * $1.1).reduced(.sum).item() }
    }

    /// a + scale b
    private static func combine(_ a: [NDArray], _ b: [NDArray], _ scale: Double) throws -> [NDArray] {
        try zip(a, b).map { a, b in
            let sum = try a + b * scale
            try sum.evaluate()
            return sum
        }
    }
}
