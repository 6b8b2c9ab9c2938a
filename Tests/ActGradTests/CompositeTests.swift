// Derivatives of composed functions against what JAX computes in f64; Tools/reference/make_composites.py holds the same functions.

import ActArray
import ActGrad
import ActLinear
import Testing

/// sin(1.3 i + k), shaped.
func wave(_ shape: [Int], _ k: Double) throws -> NDArray {
    try NDArray((0..<shape.reduce(1, *)).map { Scalar.unary(.sin, 1.3 * Double($0) + k) }, shape: shape)
}

private let expected: [String: [Double]] = {
    guard let text = try? readText(ReferenceRow.folder + "/Reference/composites.txt") else { return [:] }
    var table: [String: [Double]] = [:]
    for line in text.split(separator: "\n") {
        let parts = line.split(separator: ":")
        table[String(parts[0])] = parts[1].split(separator: " ").compactMap { Double($0) }
    }
    return table
}()

private func matches(_ name: String, _ arrays: [NDArray], _ tolerance: Double = 1e-12) throws {
    let numbers = try #require(expected[name])
    let actual = try arrays.flatMap { try $0.toDoubles() }
    #expect(actual.count == numbers.count, "\(name)")
    let scale = numbers.reduce(0) { max($0, abs($1)) }
    for (i, (a, b)) in zip(actual, numbers).enumerated() where !(abs(a - b) <= tolerance * max(abs(b), 1e-2 * scale)) {
        Issue.record("\(name)[\(i)]: \(a), JAX has \(b)")
    }
    #expect(arrays.allSatisfy { !$0.isTraced }, "\(name) stays traced")
}

extension NDArray {
    func sum(_ axes: [Int]? = nil) throws -> NDArray { try reduced(.sum, axes: axes) }
    func apply(_ op: UnaryOperation) throws -> NDArray { try NDArray.unary(op, self) }
    func at(_ ranges: SliceRange...) throws -> NDArray { try sliced(ranges) }
}

private func range(_ start: Int, _ count: Int, step: Int = 1) -> SliceRange { SliceRange(start: start, step: step, count: count) }

@Suite struct Composites {
    @Test func networkLoss() throws {
        let x = try wave([5, 3], 5), y = try wave([5, 2], 6)
        let (value, gradients) = try Derivative.valueAndGradient(
            of: { p in
                let hidden = try (NDArray.matmul(x, p[0]) + p[1]).apply(.tanh)
                return try (NDArray.matmul(hidden, p[2]) + p[3] - y).apply(.square).mean()
            }, at: [wave([3, 4], 1), wave([4], 2), wave([4, 2], 3), wave([2], 4)])
        try matches("mlp", [value] + gradients)
    }

    private func crossEntropy(_ w: NDArray, _ x: NDArray) throws -> NDArray {
        let logits = try NDArray.matmul(x, w).apply(.silu).logSoftmax(axis: -1)
        let labels = [0, 2, 1, 2]
        let picked = try logits.gathered(GatherIndices(starts: labels.enumerated().map { $0 * 3 + $1 }, chunk: 1), shape: [4])
        return try -picked.mean()
    }

    @Test func crossEntropy() throws {
        let x = try wave([4, 5], 2)
        let (value, gradients) = try Derivative.valueAndGradient(of: { try crossEntropy($0[0], x) }, at: [wave([5, 3], 1)])
        try matches("cross_entropy", [value] + gradients)
        let narrow = try wave([4, 2], 2)
        try matches("cross_entropy hessian", [Derivative.hessian(of: { try crossEntropy($0, narrow) }, at: wave([2, 3], 1))])
    }

    @Test func softmax() throws {
        try matches("softmax jacobian", [Derivative.derivative(of: { try $0.softmax() }, at: wave([4], 1))])
        let weights = try wave([3, 4], 9)
        try matches(
            "log_softmax gradient of rows", [Derivative.gradient(of: { try ($0.logSoftmax(axis: 0) * weights).sum() }, at: wave([3, 4], 1))])
        try matches(
            "logsumexp",
            [
                Derivative.gradient(of: { try $0.logsumexp() }, at: wave([5], 1)), Derivative.hessian(of: { try $0.logsumexp() }, at: wave([5], 1)),
            ])
        try matches("norm", [Derivative.gradient(of: { try $0.norm() }, at: wave([5], 1))])
    }

    @Test func attention() throws {
        let weights = try wave([3, 2], 8)
        try matches(
            "attention",
            Derivative.valueAndGradient(
                of: { p in
                    let scores = try (NDArray.matmul(p[0], p[1].transposed()) / 2).softmax()
                    return try (NDArray.matmul(scores, p[2]) * weights).sum()
                }, at: [wave([3, 4], 1), wave([5, 4], 2), wave([5, 2], 3)]
            ).gradients)
    }

    @Test func loops() throws {
        let w = try wave([3, 3], 7)
        func recurrent(_ x: NDArray) throws -> NDArray {
            var h = try NDArray.full(0, shape: [3], type: .f64)
            for i in 0..<6 { h = try (NDArray.matmul(h, w) + x * x.at(range(i % 3, 1)).reshaped(to: [])).apply(.tanh) }
            return try (h * h).sum()
        }
        let x = try wave([3], 1)
        try matches("recurrent", [Derivative.gradient(of: recurrent, at: x), Derivative.hessian(of: recurrent, at: x)])
        func newton(_ a: NDArray) throws -> NDArray {
            var x = a
            for _ in 0..<6 { x = try x - (x * x - a) / (2 * x) }
            return x
        }
        func prime(_ f: @escaping (NDArray) throws -> NDArray) -> (NDArray) throws -> NDArray { { try Derivative.derivative(of: f, at: $0) } }
        let two = try NDArray.scalar(2, type: .f64)
        try matches("newton", [newton(two), prime(newton)(two), prime(prime(newton))(two), prime(prime(prime(newton)))(two)], 1e-9)
    }

    @Test func polynomials() throws {
        func rosenbrock(_ x: NDArray) throws -> NDArray {
            let head = try x.at(range(0, 3)), tail = try x.at(range(1, 3))
            return try (100 * (tail - head.apply(.square)).apply(.square) + (1 - head).apply(.square)).sum()
        }
        let x = try wave([4], 1)
        try matches("rosenbrock", [Derivative.gradient(of: rosenbrock, at: x), Derivative.hessian(of: rosenbrock, at: x)])
        let (a, b) = (try wave([5], 1).apply(.abs), try wave([5], 2))
        try matches(
            "pow", Derivative.valueAndGradient(of: { try NDArray.binary(.pow, .array($0[0]), .array($0[1])).sum() }, at: [a, b]).gradients)
    }

    @Test func products() throws {
        let zeros = try NDArray([2, 0, 3, -1.5], shape: [4]), two = try NDArray([2, 0, 3, 0, 4], shape: [5])
        func product(_ x: NDArray) throws -> NDArray { try x.reduced(.prod) }
        try matches(
            "prod",
            [
                Derivative.gradient(of: product, at: zeros), Derivative.gradient(of: product, at: two), Derivative.gradient(of: product, at: wave([4], 1)),
                Derivative.hessian(of: product, at: two),
            ])
        var matrix = try wave([3, 4], 1).toDoubles()
        matrix[6] = 0
        let weights = try wave([3], 2)
        try matches(
            "prod axis",
            [Derivative.gradient(of: { try ($0.reduced(.prod, axes: [1]) * weights).sum() }, at: NDArray(matrix, shape: [3, 4]))])
        func cumulative(_ x: NDArray) throws -> NDArray { try (x.cumulative(.prod, axis: 0) * wave(x.shape, 5)).sum() }
        let wave5 = try wave([5], 1)
        try matches(
            "cumprod",
            [
                Derivative.gradient(of: cumulative, at: wave5), Derivative.gradient(of: cumulative, at: two),
                Derivative.hessian(of: cumulative, at: two), Derivative.hessian(of: cumulative, at: wave5),
            ])
        try matches(
            "cumsum",
            [Derivative.gradient(of: { try $0.apply(.square).cumulative(.sum, axis: 1).apply(.square).sum() }, at: wave([3, 4], 1))])
        try matches("max ties", [Derivative.gradient(of: { try $0.reduced(.max) }, at: NDArray([1, 3, 3, 2], shape: [4]))])
    }

    @Test func shapes() throws {
        try matches(
            "matmul broadcast",
            Derivative.valueAndGradient(
                of: { try NDArray.matmul($0[0], $0[1]).apply(.sin).sum() }, at: [wave([2, 1, 3, 4], 1), wave([5, 4, 2], 2)]
            ).gradients)
        try matches(
            "broadcast",
            Derivative.valueAndGradient(
                of: { try (($0[0] * $0[1]).apply(.exp) / (2 + $0[2].apply(.cos))).sum() },
                at: [wave([3, 1], 1), wave([4], 2), .scalar(0.3, type: .f64)]
            ).gradients)
        let weights = try wave([2, 3], 3)
        try matches(
            "views",
            [
                Derivative.gradient(
                    of: { x in
                        let wide = try x.transposed().reshaped(to: [2, 6])
                        return try (wide.at(range(0, 2), range(5, 3, step: -2)).apply(.sin) * weights).sum()
                    }, at: wave([4, 3], 1))
            ])
        let numbers = try NDArray([0, 1, 2, 3, 4, 5, 6], shape: [7, 1])
        try matches(
            "jacobian tall",
            [Derivative.jacobian(of: { try (numbers * $0).apply(.sin).sum([1]) * $0.at(range(0, 1)).reshaped(to: []) }, at: wave([2], 1))])
    }

    @Test func higherOrders() throws {
        func f(_ x: NDArray) throws -> NDArray {
            try x.apply(.tanh) * (-(x * x)).apply(.exp) + (3 * x).apply(.sin) / (1 + x * x)
        }
        let third = try Derivative.derivative(
            of: { try Derivative.derivative(of: { try Derivative.derivative(of: f, at: $0) }, at: $0) }, at: wave([6], 1))
        try matches("third", [third], 1e-11)
        try matches(
            "variance", [Derivative.gradient(of: { try ($0 * $0).variance() + (2 + $0).apply(.sqrt).mean() }, at: wave([6], 1))])
    }
}
