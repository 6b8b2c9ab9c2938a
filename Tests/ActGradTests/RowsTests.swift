// Every activation row does what a row promises. Numbers come from Reference/rows-*.txt (mpmath, 60 digits); see AccuracyTests for ulps.

import ActArray
import ActGrad
import Testing

private let elementwise = Activations.all.filter { $0.kind == .elementwise }.map(\.name)
private func row(_ name: String) throws -> ActivationRow { try #require(Activations.named(name)) }

/// Points on both sides of every kink, and far out.
private let points = [-1e300, -800, -41, -7.5, -2.25, -0.7, -0.3, -1e-9, -0.0, 0, 1e-9, 0.2, 0.65, 1.3, 2.4, 4.75, 7, 39, 800, 1e300]

@Suite struct Rows {
    @Test func namesAreUnique() {
        let names = Activations.all.flatMap { [$0.name] + $0.aliases }
        #expect(Set(names).count == names.count)
        // ACTIVATIONS.md lists these.
        #expect(Activations.all.count == 60)
        for (alias, name) in [
            "linear": "identity", "heaviside": "step", "binary_step": "step", "logistic": "sigmoid", "σ": "sigmoid", "thresholded_relu": "trelu",
            "gelu_new": "gelu_tanh", "quick_gelu": "gelu_sigmoid", "swish": "silu", "hard_silu": "hard_swish",
        ] { #expect(Activations.named(alias)?.name == name) }
        #expect(Activations.named("no such row") == nil)
    }

    @Test(arguments: Activations.all.map(\.name)) func isDocumented(name: String) throws {
        let row = try row(name)
        #expect((row.stated == nil) == (row.kind == .elementwise) && !row.range.isEmpty && row.summary.hasSuffix("."))
        #expect(row.example.source.contains(row.name + "(") && !row.example.output.isEmpty)
        for parameter in row.parameters { #expect(!parameter.summary.isEmpty) }
    }

    /// Examples show what the rows give, to the digits they have.
    @Test(arguments: Activations.all.map(\.name).filter { $0 != "maxout" }) func examplesAreTrue(name: String) throws {
        let row = try row(name)
        func numbers(_ text: Substring) -> [Double] { text.split(whereSeparator: { "[], ".contains($0) }).compactMap { Double($0) } }
        let arguments = row.example.source.dropFirst(name.count + 1).dropLast()
        let end = try #require(arguments.firstIndex(of: "]"))
        let x = numbers(arguments[..<end]), shown = numbers(row.example.output[...])
        var operands = row.defaults.map(Operand.number)
        for pair in arguments[end...].dropFirst().split(separator: ",") {
            let parts = pair.split(separator: "=").map { $0.filter { $0 != " " } }
            let position = try #require(row.parameters.firstIndex { $0.name == parts[0] })
            operands[position] = .number(try #require(Double(parts[1])))
        }
        let values = try row.apply(NDArray(x, shape: [x.count]), operands).toDoubles()
        #expect(values.count == shown.count)
        for (value, shown) in zip(values, shown) { #expect(abs(value - shown) <= 5.0001e-9, "\(row.example.source): \(value), not \(shown)") }
    }

    @Test(arguments: elementwise) func numbersAndArraysAgree(name: String) throws {
        let row = try row(name)
        let x = try NDArray(points + [.infinity, -.infinity, .nan], shape: [points.count + 3])
        for (order, values) in [(0, try row.apply(x)), (1, try row.derivative(x)), (2, try row.derivative(x, order: 2))] {
            for (point, value) in zip(try x.toDoubles(), try values.toDoubles()) {
                guard let single = row.derivative(point, order: order) else { continue }
                #expect(single.bitPattern == value.bitPattern || single.isNaN && value.isNaN, "\(name), order \(order) at \(point)")
            }
        }
        // A long array, computed in blocks, has the same bits too.
        let long = try NDArray((0..<3000).map { Double($0 - 1500) / 128 }, shape: [3000])
        let values = try row.apply(long).toDoubles(), slopes = try row.derivative(long).toDoubles()
        for i in stride(from: 0, to: 3000, by: 7) {
            let x = Double(i - 1500) / 128
            #expect(row(x)?.bitPattern == values[i].bitPattern && row.derivative(x)?.bitPattern == slopes[i].bitPattern, "\(name) at \(x)")
        }
    }

    @Test(arguments: elementwise) func tracesToItsClosedForm(name: String) throws {
        let row = try row(name)
        let f = { (x: NDArray) in try row.apply(x) }
        for type in [ElementType.f64, .f32] {
            let x = try NDArray(points.map { type == .f32 ? $0.magnitude > 1e30 ? $0 / 1e270 : $0 : $0 }, shape: [4, 5], type: type)
            let slope = try Derivative.derivative(of: f, at: x)
            #expect(slope.shape == [4, 5] && slope.type == type && !slope.isTraced)
            #expect(try slope.toDoubles() == row.derivative(x).toDoubles(), "\(name) \(type.name)")
            let second = try Derivative.derivative(of: { try Derivative.derivative(of: f, at: $0) }, at: x)
            let closed = try row.derivative(x, order: 2).toDoubles()
            for (a, b) in zip(try second.toDoubles(), closed) { #expect(abs(a - b) <= 1e-12 * abs(b) || a == b, "\(name)'' \(a) \(b)") }
            #expect(try row.apply(x).type == type)
        }
    }

    @Test(arguments: elementwise) func derivativeIsTheSlope(name: String) throws {
        let row = try row(name)
        let x = try NDArray([-5.3, -2.6, -1.7, -0.71, -0.31, 0.27, 0.68, 1.45, 2.7, 4.9, 7.2], shape: [11])
        let scale = name == "siren" ? 30 : 1.0
        #expect(try Derivative.checkGradient(of: { try row.apply($0 / scale) }, at: x) < 2e-8, "\(name)")
        #expect(try Derivative.checkGradient(of: { try Derivative.derivative(of: { try row.apply($0 / scale) }, at: $0) }, at: x) < 2e-8, "\(name)'")
        for (i, parameter) in row.parameters.enumerated() where !["threshold", "trelu", "step", "hard_shrink"].contains(name) || i > 0 {
            // In the parameter, at a point where nothing ties.
            let values = row.defaults
            let here = try NDArray.scalar(values[i] + 0.03, type: .f64)
            let error = try Derivative.checkGradient(
                of: { p in
                    var operands = values.map(Operand.number)
                    operands[i] = .array(p)
                    return try row.apply(x / scale, operands).sum()
                }, at: here)
            #expect(error < 2e-8, "\(name) in \(parameter.name)")
        }
    }

    @Test func secondDerivatives() throws {
        for reference in try ReferenceRow.read("f64") {
            let row = try row(reference.name)
            let points = reference.points.filter { $0.second != nil }
            let x = try NDArray(points.map(\.x), shape: [points.count])
            let parameters = reference.parameters.map(Operand.number)
            let f = { (x: NDArray) in try row.apply(x, parameters) }
            let second = try Derivative.derivative(of: { try Derivative.derivative(of: f, at: $0) }, at: x).toDoubles()
            let scale = points.reduce(0) { max($0, abs($1.second ?? 0)) }
            for (value, point) in zip(second, points) {
                let exact = point.second ?? .nan
                // At a kink of the slope the second derivative is 0, whatever the sides have.
                if row.kinks(reference.parameters).contains(where: { $0.x == point.x }) || value == 0 && point.x == 0 { continue }
                #expect(
                    abs(value - exact) <= max(1e-11 * abs(exact), 1e-14 * scale) || abs(point.x) == 1,
                    "\(reference.title)'' at \(point.x): \(value), not \(exact)")
            }
        }
    }

    @Test(arguments: elementwise) func kinksAreAsStated(name: String) throws {
        let row = try row(name)
        for parameters in [row.defaults, row.defaults.map { $0 + 0.125 }] where parameters != row.defaults || !row.kinks.isEmpty {
            let operands = parameters.map(Operand.number)
            for kink in row.kinks(parameters) {
                let x = try NDArray([kink.x.nextDown, kink.x, kink.x.nextUp], shape: [3])
                let traced = try Derivative.derivative(of: { try row.apply($0, operands) }, at: x).toDoubles()
                for (slope, stated) in zip(traced, [kink.left, kink.chosen, kink.right]) {
                    #expect(abs(slope - stated) < 1e-14, "\(name) at \(kink.x)")
                }
            }
        }
        // No others: between neighbours on a fine grid the slope does not jump except there.
        let found = try Kinks.find(of: { try row.apply($0) }, over: -8...8)
        let stated = row.kinks(row.defaults).sorted { $0.x < $1.x }
        #expect(found.map(\.x) == stated.map(\.x), "\(name)")
        for (a, b) in zip(found, stated) {
            #expect(abs(a.left - b.left) < 1e-9 && abs(a.right - b.right) < 1e-9 && abs(a.chosen - b.chosen) < 1e-9, "\(name) at \(a.x)")
        }
    }

    @Test(arguments: elementwise) func limitsAndNaN(name: String) throws {
        let row = try row(name)
        for type in [ElementType.f64, .f32] {
            let y = try row.apply(NDArray([.nan, -.infinity, .infinity], shape: [3], type: type)).toDoubles()
            #expect(y[0].isNaN, "\(name) of NaN")
            for (value, limit) in [(y[1], row.limits.low), (y[2], row.limits.high)] {
                let rounded = type == .f32 ? Double(Float(limit)) : limit
                let isLimit = value == rounded || value.isNaN && limit.isNaN || abs(value - rounded) <= 4 * rounded.ulp
                #expect(isLimit, "\(name): \(value), not \(limit)")
            }
        }
    }

    @Test func parameters() throws {
        let x = try NDArray([-2, -1, 1, 2, -3, 4], shape: [3, 2], type: .f32)
        let alpha = try NDArray([0.5, 0.25], shape: [2], type: .f32)
        let prelu = try row("prelu")
        #expect(try prelu.apply(x, [.array(alpha)]).toDoubles() == [-1, -0.25, 1, 2, -1.5, 4])
        let (_, gradients) = try Derivative.valueAndGradient(of: { try prelu.apply($0[0], [.array($0[1])]).sum() }, at: [x, alpha])
        #expect(try gradients[0].toDoubles() == [0.5, 0.25, 1, 1, 0.5, 1])
        #expect(try gradients[1].toDoubles() == [-5, -1])
        #expect(gradients[1].type == .f32)
        #expect(throws: DerivativeError.self) { try row("maxout").apply(x) }
        #expect(throws: DerivativeError.self) { try prelu.apply(x, [.number(1), .number(2)]) }
        let trained = try Activations.randomizedLeaky(x, draws: NDArray([0, 0.5, 0, 0, 1, 0], shape: [3, 2])).toDoubles()
        #expect(abs(trained[0] + 0.25) < 1e-7 && abs(trained[1] + 11 / 48.0) < 1e-7 && abs(trained[4] + 1) < 1e-6)
    }

    // Values by hand from the definitions.
    @Test func rowsOfSeveralElements() throws {
        let x = try NDArray([0, 1, 1.5, 3, 3, -1], shape: [2, 3])
        func value(_ name: String, _ x: NDArray, _ operands: [Operand] = []) throws -> [Double] { try row(name).apply(x, operands).toDoubles() }
        #expect(try value("hardmax", x) == [0, 0, 1, 1, 0, 0])
        #expect(try value("hardmax", x, [.number(0)]) == [0, 0, 1, 1, 1, 0])
        #expect(try value("sparsemax", x) == [0, 0.25, 0.75, 0.5, 0.5, 0])
        #expect(try value("sparsemax", NDArray([1e300, -1e300], shape: [2])) == [1, 0])
        #expect(try value("crelu", NDArray([-1, 2], shape: [2])) == [0, 2, 1, 0])
        #expect(try value("glu", NDArray([1, 2, 0, 0], shape: [4])) == [0.5, 1])
        #expect(try value("reglu", NDArray([1, 2, -1, 3], shape: [4])) == [0, 6])
        #expect(try value("bilinear", NDArray([1, 2, 3, 4], shape: [1, 4])) == [3, 8])
        #expect(throws: ArrayError.self) { try value("glu", NDArray([1, 2, 3], shape: [3])) }
        #expect(throws: ArrayError.self) { try value("softmax", NDArray([1, 2, 3], shape: [3]), [.number(2)]) }
        #expect(throws: DerivativeError.self) { try value("softmax", NDArray([1, 2, 3], shape: [3]), [.number(0.5)]) }
        // softmax loses nothing in the far tail: log_softmax([40, 0])[0] = -log1p(e^-40) = -4.248354255291589e-18.
        #expect(try abs(value("log_softmax", NDArray([40, 0], shape: [2]))[0] / -4.248354255291589e-18 - 1) < 1e-15)
        let w = try NDArray([1, 0, 0, 1, 1, 1], shape: [3, 2, 1]), b = try NDArray([0, 0, -1], shape: [3, 1])
        #expect(try value("maxout", NDArray([1, 2, 3, -1], shape: [2, 2]), [.array(w), .array(b)]) == [2, 3])
        // Ties go to the first piece.
        let tie = try NDArray([1, 1], shape: [2, 1, 1])
        let (_, g) = try Derivative.valueAndGradient(
            of: { try row("maxout").apply($0[0], [.array($0[1]), .number(0)]).sum() }, at: [NDArray([3], shape: [1]), tie])
        #expect(try g[0].toDoubles() == [1] && g[1].toDoubles() == [3, 0])
    }

    @Test(arguments: ["softmax", "log_softmax", "softmin", "sparsemax", "glu", "reglu", "geglu", "swiglu", "bilinear", "crelu"])
    func rowsOfSeveralElementsDifferentiate(name: String) throws {
        let row = try row(name)
        let x = try wave([3, 4], 1)
        #expect(try Derivative.checkGradient(of: { try row.apply($0) }, at: x) < 1e-8)
        #expect(try Derivative.checkGradient(of: { try Derivative.gradient(of: { try (row.apply($0) * row.apply($0)).sum() }, at: $0) }, at: x) < 1e-7)
        #expect(try !Derivative.withVariables([x]) { try Derivative.isElementwise(from: $0[0], to: row.apply($0[0])) })
        #expect(try row.apply(x.converted(to: .f32)).type == .f32)
        let lane = try wave([4], 1)
        #expect(try Derivative.derivative(of: { try row.apply($0) }, at: lane).shape == row.apply(lane).shape + [4])
    }

    @Test func hardmaxHasNoSlope() throws {
        let x = try wave([3], 1)
        let jacobian = try Derivative.derivative(of: { try row("hardmax").apply($0) }, at: x)
        #expect(jacobian.shape == [3, 3])
        #expect(try jacobian.toDoubles().allSatisfy { $0 == 0 })
    }
}
