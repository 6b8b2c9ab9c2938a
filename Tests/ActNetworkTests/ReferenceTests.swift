// Layers, losses, optimisers and a whole training against PyTorch in float64.

import ActArray
import ActGrad
import ActNetwork
import ActNeural
import ActRandom
import ActTestSupport
import Testing

@Suite struct ReferenceTests {
    private static let tolerance = 1e-10

    // MARK: Layers

    private static let layerFiles = ["layers", "sequences", "images", "windows"]

    @Test(arguments: try layerFiles.flatMap { try ReferenceCase.all(in: $0) }) func layer(_ reference: ReferenceCase) throws {
        var settings: [String: Setting] = [:]
        for (name, text) in reference.settings where name != "training" {
            switch name {
            case "activation": settings[name] = .function(try function(text))
            case "f" where reference.name == "Branch":
                settings[name] = .list([.network(Network([try dense(3, 2, "tanh")])), .network(Network([try dense(3, 2)]))])
            case "f": settings[name] = .network(Network([try dense(3, 3, "tanh")]))
            default: settings[name] = Self.setting(text)
            }
        }
        var layer = try makeLayer(reference.name, settings)
        layer.parameters = try layer.parameterNames.map { try reference.array($0) }
        if !layer.stateNames.isEmpty { layer.state = try layer.stateNames.map { try reference.array("state.\($0)") } }
        let x = try reference.array("x"), isTraining = reference.settings["training"] == "true"
        let pass = Pass(isTraining: isTraining)

        let expected = try reference.array("y")
        #expect(try distance(layer(x, Pass(isTraining: isTraining)), expected) < Self.tolerance)
        var narrow = try makeLayer(reference.name, settings.merging(["dtype": .text("f32")]) { given, _ in given })
        narrow.parameters = try layer.parameters.map { try $0.converted(to: .f32).contiguous() }
        if !layer.stateNames.isEmpty { narrow.state = try layer.state.map { try $0.converted(to: .f32).contiguous() } }
        #expect(try distance(narrow(x.converted(to: .f32), Pass(isTraining: isTraining)).converted(to: .f64), expected) < 1e-3, "in f32")
        let weights = try NDArray((0..<expected.count).map { Scalar.unary(.cos, Double($0)) }, shape: expected.shape)
        func gradients(_ parameters: [NDArray]) throws -> [NDArray] {
            try Derivative.valueAndGradient(
                of: { variables in
                    var copy = layer
                    copy.parameters = Array(variables.dropFirst())
                    return try (copy(variables[0], pass) * weights).reduced(.sum)
                }, at: [x] + parameters
            ).gradients
        }
        for (name, gradient) in zip(["x"] + layer.parameterNames, try gradients(layer.parameters))
        where reference.arrays.contains(where: { $0.name == "grad.\(name)" }) {
            #expect(try distance(gradient, reference.array("grad.\(name)")) < Self.tolerance, "gradient of \(name)")
        }
        for (index, name) in layer.stateNames.enumerated() where isTraining {
            #expect(try distance(pass.latest(layer.state[index]), reference.array("after.\(name)")) < Self.tolerance, "\(name) afterwards")
        }

        let sgd = try Optimizer(#require(Optimizers.named("SGD")), values: [0.9, 0], rate: { _ in 0.01 })
        var parameters = layer.parameters, descent = try OptimizerState(sgd, for: parameters)
        for _ in 0..<10 { try descent.step(&parameters, Array(gradients(parameters).dropFirst()), epoch: 0) }
        for (name, parameter) in zip(layer.parameterNames, parameters) {
            #expect(try distance(parameter, reference.array("steps.\(name)")) < Self.tolerance, "\(name) after ten steps")
        }
    }

    /// A number, a flag, a word; numbers along axes as `3,5`, pairs as `1:2,0:1`.
    private static func setting(_ text: String) -> Setting {
        if text.contains(",") { return .list(text.split(separator: ",").map { setting(String($0)) }) }
        if text.contains(":") { return .list(text.split(separator: ":").map { setting(String($0)) }) }
        return Double(text).map { .number($0) } ?? (["true", "false"].contains(text) ? .flag(text == "true") : .text(text))
    }

    /// Looking between pixels, and the derivatives in images and places.
    @Test(arguments: try ReferenceCase.all(in: "samples")) func sample(_ reference: ReferenceCase) throws {
        let mode = try #require(Sampling.Mode(rawValue: reference.settings["mode"] ?? "")),
            beyond = try #require(Sampling.Beyond(rawValue: reference.settings["padding"] ?? ""))
        let expected = try reference.array("y"), weights = try NDArray((0..<expected.count).map { Scalar.unary(.cos, Double($0)) }, shape: expected.shape)
        let look = { (x: NDArray, grid: NDArray) in try x.sampled(at: grid, mode, beyond: beyond, alignsCorners: reference.settings["align_corners"] == "true")
        }
        let x = try reference.array("x"), grid = try reference.array("grid")
        #expect(try distance(look(x, grid), expected) < Self.tolerance)
        #expect(try distance(look(x.converted(to: .f32), grid.converted(to: .f32)).converted(to: .f64), expected) < 1e-4 || mode == .nearest)
        let gradients = try Derivative.valueAndGradient(of: { try (look($0[0], $0[1]) * weights).reduced(.sum) }, at: [x, grid]).gradients
        #expect(try distance(gradients[0], reference.array("grad.x")) < Self.tolerance)
        #expect(try distance(gradients[1], reference.array("grad.grid")) < Self.tolerance)
    }

    @Test func everyRowHasItsCase() throws {
        func names(_ file: String) throws -> Set<String> { Set(try ReferenceCase.all(in: file).map(\.name)) }
        let layers = Set(try Self.layerFiles.flatMap { try names($0) }), losses = try names("losses"), optimizers = try names("optimizers")
        for row in LayerRows.all { #expect(layers.contains(row.name), "\(row.name)") }
        for row in Losses.all { #expect(losses.contains(row.name), "\(row.name)") }
        for row in Optimizers.all { #expect(optimizers.contains(row.name), "\(row.name)") }
    }

    /// Settings and the shape of an input, by layer; the derivative of the derivative, which PyTorch's numbers do not cover, against differences.
    private static var second: [(kind: String, settings: [String: Setting], shape: [Int])] {
        [
            ("Dense", ["inputs": .number(3), "outputs": .number(2), "activation": .text("tanh")], [4, 3]),
            ("Conv2D", ["inputs": .number(2), "outputs": .number(2), "activation": .text("tanh"), "stride": .number(2), "padding": .number(1)], [1, 2, 5, 4]),
            ("FReLU", ["channels": .number(2)], [1, 2, 5, 4]), ("AvgPool2D", ["size": .number(3), "stride": .number(1)], [1, 2, 5, 4]),
            ("LayerNorm", ["features": .number(3)], [4, 3]), ("GroupNorm", ["groups": .number(2), "channels": .number(4)], [2, 4, 3]),
            ("RMSNorm", ["features": .number(3)], [4, 3]), ("Conv1D", ["inputs": .number(2), "outputs": .number(2), "activation": .text("tanh")], [2, 2, 5]),
            ("ConvTranspose2D", ["inputs": .number(2), "outputs": .number(2), "stride": .number(2), "activation": .text("tanh")], [1, 2, 3, 2]),
            ("Upsample2D", ["mode": .text("bilinear")], [1, 2, 3, 2]), ("GlobalAvgPool", [:], [2, 2, 3]),
            ("Positions", ["length": .number(4), "size": .number(3)], [2, 3, 3]),
            ("Attention", ["size": .number(4), "heads": .number(2), "causal": .flag(true)], [2, 3, 4]),
            (
                "Conv3D",
                [
                    "inputs": .number(2), "outputs": .number(2), "groups": .number(2), "dilation": .list([.number(1), .number(2), .number(1)]),
                    "kernel": .number(2), "activation": .text("tanh"), "padding": .text("same"),
                ], [1, 2, 2, 4, 3]
            ),
            (
                "ConvTranspose1D",
                [
                    "inputs": .number(2), "outputs": .number(4), "groups": .number(2), "stride": .number(2), "padding": .text("same"),
                    "activation": .text("tanh"),
                ], [2, 2, 3]
            ),
            ("MaxPool2D", ["size": .number(3), "stride": .number(2), "padding": .number(1), "ceil": .flag(true)], [1, 2, 5, 4]),
            ("AvgPool3D", ["size": .number(2), "padding": .number(1), "count_padding": .flag(false)], [1, 2, 2, 3, 3]),
            ("LayerNorm", ["features": .list([.number(2), .number(3)])], [2, 2, 3]), ("InstanceNorm", ["channels": .number(2)], [2, 2, 3]),
            ("RNN", ["inputs": .number(2), "units": .number(3)], [2, 3, 2]), ("GRU", ["inputs": .number(2), "units": .number(3)], [2, 3, 2]),
            ("LSTM", ["inputs": .number(2), "units": .number(3), "sequences": .flag(false)], [2, 3, 2]),
        ]
    }

    @Test(arguments: second.indices) func secondDerivative(_ index: Int) throws {
        let (kind, given, shape) = Self.second[index]
        var settings = given
        if case .text(let name)? = given["activation"] { settings["activation"] = .function(try function(name)) }
        let layer = try makeLayer(kind, settings)
        var random = RandomSource(seed: 3)
        let x = try random.normal(shape: shape)
        let directional = { (x: NDArray) in
            try Derivative.gradient(
                of: { x in
                    // Weighted: the squares of normalised rows add up to the same whatever x is.
                    let y = try layer(x, Pass()), weights = try NDArray((0..<y.count).map { Scalar.unary(.cos, Double($0)) }, shape: y.shape)
                    return try (NDArray.unary(.square, y) * weights).reduced(.sum)
                }, at: x)
        }
        #expect(try Derivative.checkGradient(of: directional, at: x) < 1e-6, "\(kind)")
    }

    // MARK: Losses

    @Test(arguments: try ReferenceCase.all(in: "losses")) func loss(_ reference: ReferenceCase) throws {
        let row = try #require(Losses.named(reference.name))
        let values = row.parameters.dropFirst(2).map { reference.number($0.name).map(Operand.number) }
        let prediction = try reference.array("prediction"), target = try reference.array("target")
        let (value, gradients) = try Derivative.valueAndGradient(of: { try row($0[0], target, values) }, at: [prediction])
        #expect(value.rank == 0)
        #expect(try distance(value, reference.array("loss")) < Self.tolerance)
        #expect(try distance(gradients[0], reference.array("gradient")) < Self.tolerance)
    }

    // MARK: Optimisers

    @Test(arguments: try ReferenceCase.all(in: "optimizers").dropFirst().map { $0 }) func optimizer(_ reference: ReferenceCase) throws {
        let problem = try #require(try ReferenceCase.all(in: "optimizers").first)
        let a = try problem.array("A"), c = try problem.array("c"), row = try #require(Optimizers.named(reference.name))
        let rate = reference.number("lr") ?? row.inputs.lr.fallback ?? .nan
        let optimizer = try Optimizer(
            row, values: row.inputs.own.map { reference.number(row.parameters[$0.index].name) ?? $0.fallback ?? .nan }, rate: { _ in rate },
            weightDecay: reference.number("weight_decay"),
            clipNorm: reference.number("clip_norm"), clipValue: reference.number("clip_value"))
        for type in [ElementType.f64, .f32] {
            let start = try problem.array("start").converted(to: type).contiguous()
            var parameters = [start], state = try OptimizerState(optimizer, for: parameters)
            for _ in 0..<10 {
                let residual = try NDArray.matmul(a, parameters[0].converted(to: .f64)) - c
                try state.step(&parameters, [NDArray.matmul(a.transposed(), residual)], epoch: 0)
            }
            // Lion looks at signs alone, which f32 may see otherwise.
            if type == .f32, reference.name == "Lion" { continue }
            #expect(try distance(parameters[0], reference.array("p")) < (type == .f64 ? Self.tolerance : 2e-5), "\(type.name)")
            #expect(try distance(start, problem.array("start")) < 1e-6, "the parameters that went in are as they were")
        }
    }

    // MARK: Training

    @Test func training() throws {
        let cases = try ReferenceCase.all(in: "training")
        let (start, end) = (cases[0], cases[1])
        var network = Network([
            try makeLayer("Dense", ["inputs": .number(3), "outputs": .number(6), "bias": .flag(false)]), try makeLayer("BatchNorm", ["features": .number(6)]),
            FunctionLayer(try function("tanh")),
            try dense(6, 3),
        ])
        network.parameters = try network.parameterNames.map { try start.array($0) }
        let loss = try #require(Losses.named("cross_entropy")), adam = try #require(Optimizers.named("Adam"))
        var training = Training(loss: { try loss($0, $1) }, metric: .accuracy(threshold: nil), optimizer: try Optimizer(adam, rate: { _ in 0.02 }))
        (training.epochs, training.batch, training.shuffles) = (2, 4, false)
        var random = RandomSource(seed: 0)
        let before = try network.parameters.map { try $0.toDoubles() }
        let result = try training.run(network, x: start.array("x"), y: start.array("y"), random: &random)

        let losses = try NDArray(result.history.rows.map(\.loss), shape: [2])
        #expect(try distance(losses, end.array("losses")) < Self.tolerance)
        for (name, parameter) in zip(network.parameterNames, result.network.parameters) {
            #expect(try distance(parameter, end.array(name)) < Self.tolerance, "\(name)")
        }
        #expect(try distance(result.network.states[0], end.array("1.mean")) < Self.tolerance)
        #expect(try distance(result.network.states[1], end.array("1.variance")) < Self.tolerance)
        #expect(try distance(result.network(start.array("x")), end.array("output")) < Self.tolerance)
        #expect(try network.parameters.map { try $0.toDoubles() } == before, "the network that went in is as it was")
    }
}
