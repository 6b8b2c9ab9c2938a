// What f', gradients, Jacobians and Hessians mean (Docs/language.md), nesting, and large graphs.

import ActArray
import ActGrad
import Testing

private func vector(_ elements: Double...) throws -> NDArray { try NDArray(elements, shape: [elements.count]) }
private func scalar(_ value: Double) throws -> NDArray { try NDArray.scalar(value, type: .f64) }
private func range(_ start: Int, _ count: Int, step: Int = 1) -> SliceRange { SliceRange(start: start, step: step, count: count) }

private final class Product: CustomFunction {
    var name: String { "product" }
    var isElementwise: Bool { true }
    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        [try cotangent * inputs[1], try cotangent * inputs[0]]
    }
    func lowered(_ inputs: [NDArray]) throws -> NDArray? { try inputs[0] * inputs[1] }
}

@Suite struct Derivatives {
    @Test func diagonalGradientOrJacobian() throws {
        let x = try NDArray([1, 2, 3, 4, 5, 6], shape: [2, 3])
        // Elementwise: shaped as x.
        let diagonal = try Derivative.derivative(of: { try $0 * $0 + 1 }, at: x)
        #expect(diagonal.shape == [2, 3])
        #expect(try diagonal.toDoubles() == [2, 4, 6, 8, 10, 12])
        // A number: the gradient.
        #expect(try Derivative.derivative(of: { try ($0 * $0).sum() }, at: x).shape == [2, 3])
        // Else the Jacobian, shape(f(x)) + shape(x).
        let jacobian = try Derivative.derivative(of: { try $0.sum([1]) }, at: x)
        #expect(jacobian.shape == [2, 2, 3])
        #expect(try jacobian.toDoubles() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1])
        #expect(try Derivative.derivative(of: { try $0.reshaped(to: [6]) }, at: x).shape == [6, 2, 3])
        // Decided by operations: reversing twice is the identity by value, not by operation.
        #expect(try Derivative.derivative(of: { try $0.flipped().flipped() }, at: x).shape == [2, 3, 2, 3])
        // Stretched: not elementwise.
        #expect(try Derivative.derivative(of: { try $0 + NDArray.full(0, shape: [4, 2, 3], type: .f64) }, at: x).shape == [4, 2, 3, 2, 3])
        // Of a number, an array.
        #expect(try Derivative.derivative(of: { try $0 * vector(1, 2, 3) }, at: scalar(5)).toDoubles() == [1, 2, 3])
        #expect(try Derivative.derivative(of: { try $0 * $0 }, at: scalar(5)).item() == 10)
        // Constants.
        #expect(try Derivative.derivative(of: { _ in try scalar(5) }, at: x).shape == [2, 3])
        #expect(try Derivative.derivative(of: { _ in try vector(5, 6) }, at: x).shape == [2, 2, 3])
        #expect(try Derivative.derivative(of: { try NDArray.compare(.gt, .array($0), .number(2)) }, at: x).toDoubles() == [0, 0, 0, 0, 0, 0])
    }

    @Test func fullJacobians() throws {
        let x = try vector(1, 2, 3)
        let elementwise = try Derivative.jacobian(of: { try $0.apply(.square) }, at: x)
        #expect(elementwise.shape == [3, 3])
        #expect(try elementwise.toDoubles() == [2, 0, 0, 0, 4, 0, 0, 0, 6])
        // Many results of few arguments: by columns, the same numbers.
        let w = try wave([40, 3], 1)
        #expect(try Derivative.jacobian(of: { try NDArray.matmul(w, $0.reshaped(to: [3, 1])).reshaped(to: [40]) }, at: x).toDoubles() == w.toDoubles())
        // Of Jacobians: d/dx of J = diag(2x), by columns and by rows.
        let second = try Derivative.jacobian(of: { try Derivative.jacobian(of: { try $0.apply(.square) }, at: $0) }, at: x)
        #expect(second.shape == [3, 3, 3])
        #expect(try second.toDoubles() == (0..<27).map { [0, 13, 26].contains($0) ? 2 : 0 })
        let tall = try Derivative.jacobian(
            of: { try Derivative.jacobian(of: { try NDArray.matmul(w, ($0 * $0).reshaped(to: [3, 1])) }, at: $0).sum() }, at: x)
        let columns = try w.sum([0]).toDoubles()
        for (a, b) in zip(try tall.toDoubles(), columns) { #expect(abs(a - 2 * b) < 1e-12) }
        #expect(!tall.isTraced)
        #expect(try Derivative.jacobian(of: { try $0.at(range(0, 0)) }, at: x).shape == [0, 3])
    }

    @Test func hessians() throws {
        let hessian = try Derivative.hessian(of: { try ($0.at(range(0, 1)) * $0.at(range(1, 1)) * $0.at(range(1, 1))).sum() }, at: vector(3, 5))
        #expect(try hessian.toDoubles() == [0, 10, 10, 6])
        #expect(try Derivative.hessian(of: { try ($0 * $0 * $0).sum() }, at: scalar(2)).item() == 12)
    }

    @Test func severalVariables() throws {
        let (value, gradients) = try Derivative.valueAndGradient(
            of: { try ($0[0] * $0[1]).sum() + $0[2] }, at: [vector(1, 2), vector(3, 4), scalar(7), scalar(1)])
        #expect(try value.item() == 18)
        #expect(try gradients.map { try $0.toDoubles() } == [[3, 4], [1, 2], [1], [0]])
        #expect(throws: DerivativeError.gradientOfArray(shape: [2])) { try Derivative.valueAndGradient(of: { $0[0] }, at: [vector(1, 2)]) }
        #expect(throws: DerivativeError.notNumbers(.bool)) {
            try Derivative.valueAndGradient(of: { try $0[0].sum() }, at: [NDArray(bools: [true], shape: [1])])
        }
    }

    @Test func nesting() throws {
        // d/dx (x · d/dy (x y)) = 2x: the inner variable is not the outer one.
        let confused = try Derivative.derivative(of: { x in try x * Derivative.derivative(of: { y in try x * y }, at: scalar(3)) }, at: scalar(5))
        #expect(try confused.item() == 10)
        // d/dx d/dy (x y²) at y = x is d/dx (2x²) = 4x, and the partial derivative passes through the point too.
        let through = try Derivative.derivative(of: { x in try Derivative.derivative(of: { y in try x * y * y }, at: x) }, at: scalar(5))
        #expect(try through.item() == 20)
        // Inside a sum, and of an inner gradient used twice.
        let g = try Derivative.gradient(
            of: { x in
                let inner = try Derivative.gradient(of: { y in try (y * y * y).sum() }, at: x)
                return try (inner * inner).sum() + Derivative.derivative(of: { try $0 * $0 }, at: x).sum()
            }, at: vector(1, 2))
        #expect(try g.toDoubles() == [36.0 * 1 + 2, 36.0 * 8 + 2])  // Σ 9x⁴ + 2x
        #expect(!g.isTraced)
        // A derivative of what does not depend on the outer variable is a constant to it.
        let constant = try Derivative.derivative(of: { x in try x * Derivative.derivative(of: { try $0 * $0 }, at: scalar(4)) }, at: scalar(1))
        #expect(try constant.item() == 8)
        // Fifth derivative of sin.
        var f: (NDArray) throws -> NDArray = { try $0.apply(.sin) }
        for _ in 0..<5 { let last = f; f = { try Derivative.derivative(of: last, at: $0) } }
        #expect(try abs(f(scalar(0.3)).item() - 0.955336489125606) < 1e-15)
    }

    @Test func resultsAreReleased() throws {
        let x = try wave([2000], 1)
        let (value, gradients) = try Derivative.valueAndGradient(of: { try ($0[0].apply(.exp) * $0[0]).sum() }, at: [x])
        #expect(!value.isTraced && !gradients[0].isTraced)
        let released = try Derivative.withVariables([x]) { try Derivative.released($0[0] * 2, from: $0) }
        #expect(!released.isTraced)
        let inside = try Derivative.derivative(
            of: { x in
                let inner = try Derivative.withVariables([x]) { try Derivative.released($0[0] * 2, from: $0) }
                #expect(inner.isTraced)
                return inner
            }, at: x)
        #expect(try inside.toDoubles().allSatisfy { $0 == 2 })
    }

    @Test func customRules() throws {
        func product(_ a: NDArray, _ b: NDArray) throws -> NDArray { try NDArray.custom(Product(), inputs: [a, b], value: a.detached() * b.detached()) }
        let x = try vector(2, 3)
        #expect(try Derivative.derivative(of: { try product($0, $0) }, at: x).toDoubles() == [4, 6])
        let cube = { (x: NDArray) in try product(x, product(x, x)) }
        #expect(try Derivative.derivative(of: { try Derivative.derivative(of: cube, at: $0) }, at: x).toDoubles() == [12, 18])
        #expect(throws: DerivativeError.notDifferentiable(operation: "argmax")) {
            try Derivative.derivative(of: { try NotDifferentiable.result($0.detached(), of: "argmax", inputs: [$0], .steps) }, at: x)
        }
        // Not an error as long as nothing depends on it.
        let apart = { (x: NDArray) in try x + NotDifferentiable.result(x.detached(), of: "argmax", inputs: [x.detached()], .opaque) }
        #expect(try Derivative.derivative(of: apart, at: x).toDoubles() == [1, 1])
        // What changes in steps is a constant within a function; what is not followed is an error there too.
        let steps = { (x: NDArray) in try x * NotDifferentiable.result(x.detached(), of: "argmax", inputs: [x], .steps) }
        #expect(try Derivative.gradient(of: { try steps($0).reduced(.sum) }, at: x).toDoubles() == [2, 3])
        #expect(throws: DerivativeError.notDifferentiable(operation: "number")) {
            try Derivative.derivative(of: { try $0 + NotDifferentiable.result($0.detached(), of: "number", inputs: [$0], .opaque) }, at: x)
        }
    }

    @Test func longChains() throws {
        // 100,000 operations deep: no recursion, in building, differentiating or letting go.
        let slope = try Derivative.derivative(
            of: { x in
                var y = x
                for _ in 0..<50_000 { y = try y * 0.9999 + x * 1e-5 }
                return y
            }, at: scalar(1))
        // 0.9999^n + 1e-5 (1 − 0.9999^n)/1e-4, computed step by step in Python
        #expect(try abs(slope.item() - 0.10606263634954365) < 1e-12)
        let second = try Derivative.derivative(
            of: {
                try Derivative.derivative(
                    of: { x in
                        var y = x; for _ in 0..<5_000 { y = try y.apply(.sin) }; return y
                    }, at: $0)
            }, at: scalar(1))
        #expect(try second.item() < 0)
    }

    @Test func loopsOverElements() throws {
        // Each step reads one element: what reaches them is added in place.
        let x = try wave([4000], 1)
        let gradient = try Derivative.gradient(
            of: { x in
                var sum = try scalar(0)
                for i in 0..<4000 { sum = try sum + x.at(range(i, 1)).reshaped(to: []).apply(.square) }
                for i in stride(from: 0, to: 4000, by: 8) { sum = try sum + x.gathered(GatherIndices(starts: [i, i], chunk: 2), shape: [4]).sum() }
                return sum
            }, at: x)
        for (i, (g, x)) in zip(try gradient.toDoubles(), try x.toDoubles()).enumerated() {
            #expect(abs(g - (2 * x + (i % 8 < 2 ? 2 : 0))) < 1e-15 * 4)
        }
        // Slices that overlap, strides and steps back, beside a whole use of the array.
        let y = try wave([4, 5], 2)
        let mixed = try Derivative.gradient(
            of: { y in
                try y.at(range(0, 2), range(4, 3, step: -2)).sum() + y.at(range(1, 3), range(1, 2)).apply(.square).sum() + (y * 3).sum()
                    + y.at(range(0, 4, step: 1), range(2, 1)).sum()
            }, at: y)
        var expected = [Double](repeating: 3, count: 20)
        let values = try y.toDoubles()
        for r in 0..<2 { for c in [0, 2, 4] { expected[5 * r + c] += 1 } }
        for r in 1..<4 { for c in 1..<3 { expected[5 * r + c] += 2 * values[5 * r + c] } }
        for r in 0..<4 { expected[5 * r + 2] += 1 }
        for (a, b) in zip(try mixed.toDoubles(), expected) { #expect(abs(a - b) < 1e-14) }
    }

    @Test func largeArrays() throws {
        // Long enough to be deferred, computed in blocks and fused.
        let x = try NDArray.linspace(-6, 6, 10_001)
        let f = { (x: NDArray) in try x.apply(.tanh) * x + (x * 2).apply(.sigmoid) - x.apply(.relu) }
        let slopes = try Derivative.derivative(of: f, at: x).toDoubles()
        let points = try x.toDoubles()
        for i in stride(from: 0, to: 10_001, by: 97) {
            let here = try Derivative.derivative(of: f, at: scalar(points[i])).item()
            #expect(abs(slopes[i] - here) <= 1e-15 * max(1, abs(here)))
        }
        let b = try wave([200], 1)
        let (_, g) = try Derivative.valueAndGradient(of: { try ($0[0] + $0[1]).apply(.square).mean() }, at: [wave([300, 200], 2), b])
        #expect(g[0].shape == [300, 200] && g[1].shape == [200])
    }

    @Test func composedKinks() throws {
        func max(_ a: NDArray, _ b: Double) throws -> NDArray { try NDArray.binary(.max, .array(a), .number(b)) }
        #expect(try Kinks.find(of: { try max($0 - 0.3, 0) }) == [Kink(x: 0.3, left: 0, right: 1, chosen: 0)])
        #expect(try Kinks.find(of: { try ($0 * $0 - 2).apply(.abs) }).map(\.x) == [-1.414213562373095, 1.4142135623730951])  // where x² - 2 changes sign
        #expect(try Kinks.find(of: { try $0.apply(.tanh) }).isEmpty)
        let capped = { (x: NDArray) in try NDArray.select(.compare(.lt, .array(x), .number(1)), .array(x), .number(1)) }
        #expect(try Kinks.find(of: capped) == [Kink(x: 1, left: 1, right: 0, chosen: 0)])
        // The square of relu is smooth; relu of relu has one kink.
        #expect(try Kinks.find(of: { try $0.apply(.relu).apply(.square) }).isEmpty)
        #expect(try Kinks.find(of: { try $0.apply(.relu).apply(.relu) }).count == 1)
        #expect(throws: DerivativeError.notElementwise) { try Kinks.find(of: { try $0.sum() }) }
    }
}
