import ActArray
import ActGrad
import ActNetwork
import ActONNX
import ActRandom
import ActSource
import Foundation
import Testing

@Suite struct ExportTests {
    /// Settings for a small layer of each row, and the shape of one input.
    private static var layers: [String: (settings: [String: Setting], shape: [Int])] {
        func numbers(_ settings: [String: Double]) -> [String: Setting] { settings.mapValues { .number($0) } }
        let net = Network([FunctionLayer(.identity)])
        var cases: [String: (settings: [String: Setting], shape: [Int])] = [
            "Dense": (numbers(["inputs": 3, "outputs": 2]), [3]), "PReLU": ([:], [3]), "Maxout": (numbers(["inputs": 3, "outputs": 2]), [3]),
            "FReLU": (numbers(["channels": 2]), [2, 4, 4]), "Flatten": ([:], [2, 3]), "Upsample2D": ([:], [1, 2, 2]), "GlobalAvgPool": ([:], [2, 3, 3]),
            "BatchNorm": (numbers(["features": 3]), [3]), "LayerNorm": (numbers(["features": 3]), [3]), "RMSNorm": (numbers(["features": 3]), [3]),
            "GroupNorm": (numbers(["groups": 2, "channels": 4]), [4, 3]), "InstanceNorm": (numbers(["channels": 2]), [2, 3]),
            "Attention": (numbers(["size": 4, "heads": 2]), [3, 4]), "Positions": (numbers(["length": 5, "size": 4]), [3, 4]),
            "RNN": (numbers(["inputs": 3, "units": 2]), [4, 3]), "GRU": (numbers(["inputs": 3, "units": 2]), [4, 3]),
            "LSTM": (numbers(["inputs": 3, "units": 2]), [4, 3]), "Dropout": ([:], [3]), "Embedding": (numbers(["count": 5, "size": 2]), [3]),
            "Residual": (["f": .network(net)], [3]), "Branch": (["f": .list([.network(net), .network(net)])], [3]),
        ]
        for rank in 1...3 {
            let sizes = [Int](repeating: 5, count: rank)
            cases["Conv\(rank)D"] = (numbers(["inputs": 2, "outputs": 3]), [2] + sizes)
            cases["ConvTranspose\(rank)D"] = (numbers(["inputs": 2, "outputs": 3]), [2] + sizes)
            cases["MaxPool\(rank)D"] = ([:], [2] + sizes)
            cases["AvgPool\(rank)D"] = ([:], [2] + sizes)
        }
        return cases
    }

    @Test(arguments: LayerRows.all.map(\.name))
    func everyLayerHasAModel(_ name: String) throws {
        let row = try #require(LayerRows.named(name)), example = try #require(Self.layers[name], "a new layer needs a case here")
        var random = RandomSource(seed: 1)
        let network = Network([try row.make(example.settings, &random)])
        let model = try ONNXExport(network, shape: example.shape).model
        #expect(model.graph.inputs[0].shape?.first == .named("N"))
        #expect(model.graph.outputs[0].shape?.first == .named("N"))
        // Biases of recurrent layers stand together.
        let names = Set(model.graph.initializers.map(\.name)), needed = Set(network.parameterNames + network.stateNames).subtracting(["0.bU"])
        #expect(needed.isSubset(of: names), "\(needed.subtracting(names)) are missing")
        expectWellFormed(model)
    }

    @Test(arguments: Activations.all.map(\.name))
    func everyActivationHasAModel(_ name: String) throws {
        let row = try #require(Activations.named(name))
        // Its weights are arguments.
        if row.parameters.contains(where: { $0.default == nil }) { return }
        let model = try ONNXExport(Network([FunctionLayer(NamedFunction(row))]), shape: [4]).model
        expectWellFormed(model)
        #expect(model.graph.nodes.count == 1, "one operator or one call")
    }

    /// What runs there is compared in Tests/Interchange/sources.py.
    @Test(arguments: LayerRows.all.map(\.name), SourceFramework.allCases)
    func everyLayerHasSource(_ name: String, _ framework: SourceFramework) throws {
        let row = try #require(LayerRows.named(name)), example = try #require(Self.layers[name])
        var random = RandomSource(seed: 1)
        let network = Network([try row.make(example.settings, &random)])
        let export = try SourceExport(network, shape: example.shape, framework, stem: "net")
        for name in network.parameterNames + network.stateNames { #expect(export.text.contains("weights[\"\(name)\"]"), "\(name) is not read") }
        #expect(export.check.map(\.name) == ["x", "model.result"])
        #expect(export.text.contains("model"))
    }

    @Test(arguments: Activations.all.map(\.name), SourceFramework.allCases)
    func everyActivationHasSource(_ name: String, _ framework: SourceFramework) throws {
        let row = try #require(Activations.named(name))
        if row.parameters.contains(where: { $0.default == nil }) { return }
        let export = try SourceExport(Network([FunctionLayer(NamedFunction(row))]), shape: [4], framework, stem: "net")
        // (What hardmax makes of NaN is in its formula.)
        #expect(export.text.contains("model") && (!export.text.contains("nan") || name == "hardmax"))
    }

    /// Names come from models of strangers: they end no text of the module, and two of them are never one.
    @Test(arguments: SourceFramework.allCases)
    func namesOfStrangersStayNames(_ framework: SourceFramework) throws {
        let names = ["w\"]; import os #", "w'1", "w.1", "b\\\n", "training"],
            one = withUnsafeBytes(of: Float(1).bitPattern.littleEndian) { Array($0) + Array($0) }
        let products = names.enumerated().map { ONNXNode("Mul", inputs: ["x", $1], outputs: ["t\($0)"]) }
        let graph = ONNXGraph(
            name: "g", nodes: products + [ONNXNode("Sum", inputs: names.indices.map { "t\($0)" }, outputs: ["y"])],
            inputs: [ONNXValueInfo(name: "x", type: .float, shape: [.named("N"), .known(2)])], outputs: [ONNXValueInfo(name: "y", type: .float, shape: nil)],
            initializers: names.map { ONNXTensor(name: $0, type: .float, shape: [2], bytes: one) })
        let network = try ModelCompiler.network(ONNXModel(irVersion: 10, opsets: ["": 20], graph: graph), path: "m")
        let text = try SourceExport(network, shape: [2], framework, stem: "m").text
        #expect(text.contains(#"weights["0.w\"]; import os #"]"#) && text.contains(#"weights["0.b\\\U0000000a"]"#))
        if framework != .jax { for name in ["w_1", "w_1_", "p_training"] { #expect(text.contains("self.\(name) = ") || text.contains("\"\(name)\"")) } }
    }

    /// Every value is made before it is read, once, and every function that is called is there.
    private func expectWellFormed(_ model: ONNXModel) {
        func check(_ nodes: [ONNXNode], _ given: [String], _ outputs: [String]) {
            var known = Set(given)
            #expect(known.count == given.count)
            for node in nodes {
                for input in node.inputs where !input.isEmpty { #expect(known.contains(input), "\(node.operation) reads \(input)") }
                for output in node.outputs where !output.isEmpty { #expect(known.insert(output).inserted, "\(output) is made twice") }
                if node.domain == "act" { #expect(model.functions.contains { $0.name == node.operation }) }
            }
            for output in outputs { #expect(known.contains(output)) }
        }
        check(model.graph.nodes, model.graph.inputs.map(\.name) + model.graph.initializers.map(\.name), model.graph.outputs.map(\.name))
        for function in model.functions { check(function.nodes, function.inputs, function.outputs) }
    }

    @Test func whatHasNoFormIsAnError() throws {
        #expect(throws: ONNXExportError.self) {
            try ONNXExport([(name: "x", shape: [3])]) { try NotDifferentiable.result($0[0], of: "unheard", inputs: [$0[0]], .steps) }
        }
        #expect(throws: GraphError.self) { try ONNXExport([(name: "x", shape: [])]) { try $0[0].cumulative(.prod, axis: 0) } }
        #expect(throws: NetworkError.self) {
            var random = RandomSource(seed: 1)
            let dense = try #require(LayerRows.named("Dense")).make(["inputs": .number(3), "outputs": .number(2)], &random)
            _ = try ONNXExport(Network([dense]), shape: [4])
        }
    }

    // MARK: Bytes

    private func bytes(_ model: ONNXModel) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try model.write { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// The same messages made by the package `onnx` 1.23.2 in Python, field by field (Tests/ActONNXTests/Reference/make.py).
    @Test(arguments: ["dense", "tanhexp", "glu"])
    func bytesAreThoseOfThePackage(_ name: String) throws {
        func array(_ numbers: [Double], _ shape: [Int]) throws -> NDArray { try NDArray(numbers, shape: shape, type: .f32) }
        let network: Network
        if name == "dense" {
            var random = RandomSource(seed: 1)
            let relu = try #require(Activations.named("relu"))
            var layer = try #require(LayerRows.named("Dense")).make(
                ["inputs": .number(2), "outputs": .number(1), "activation": .function(NamedFunction(relu))], &random)
            layer.parameters = [try array([0.5, -2], [2, 1]), try array([0.25], [1])]
            network = Network([layer])
        } else {
            network = Network([FunctionLayer(NamedFunction(try #require(Activations.named(name))))])
        }
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Reference/\(name).onnx")
        let expected = [UInt8](try Data(contentsOf: path))
        #expect(try bytes(ONNXExport(network, shape: [2]).model) == expected)
    }
}
