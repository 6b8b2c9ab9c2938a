// Layers as layers of Keras.
//
// What must stay true: a layer does there what it does here outside training.

import ActArray
import ActGrad
import ActNetwork
import ActNeural

extension PythonWriter {
    func keras(_ layer: any Layer, _ sizes: [GraphSize], _ after: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        func weight(_ name: String, _ change: String = "") -> String? { layer.array(named: name) == nil ? nil : PythonWriter.weight(prefix + name) + change }
        func own(_ text: String, _ weights: [String?]) -> PythonLayers { kerasLayer(text, weights, path) }
        func then(_ activation: NamedFunction, _ before: PythonLayers) throws -> PythonLayers {
            var result = before
            if activation.row?.name != "identity" { result.made.append("keras.layers.Activation(\(try functionName(activation, after)))") }
            return result
        }
        let shape = layer.array(named: "W")?.shape ?? [], bias = layer.array(named: "b") != nil ? "" : ", use_bias=False", rank = sizes.count - 2
        switch layer.form {
        case .dense(let activation): return try then(activation, own("Dense(\(shape[1])\(bias))", [weight("W"), weight("b")]))
        case .convolution(let windows, let groups, let activation):
            let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed)) ?? []
            guard axes.allSatisfy({ $0.before == 0 && $0.after == 0 && ($0.stride == 1 || $0.dilation == 1) }) else {
                return try composed(layer, sizes, path, prefix)
            }
            let order = tuple(Array(2..<rank + 2) + [1, 0])
            let text = """
                Conv\(rank)D(\(shape[0]), \(tuple(windows.window)), strides=\(tuple(axes.map(\.stride))), data_format="channels_first", \
                dilation_rate=\(tuple(axes.map(\.dilation))), groups=\(groups)\(bias))
                """
            return try then(activation, own(text, [weight("W", ".transpose(\(order))"), weight("b")]))
        case .batchNorm(let eps):
            return own("BatchNormalization(axis=1, epsilon=\(eps))", ["gamma", "beta", "mean", "variance"].map { weight($0) })
        case .layerNorm(let axes, let eps):
            return own(
                "LayerNormalization(axis=[\((1...axes).map { "\($0 - 1 - axes)" }.joined(separator: ", "))], epsilon=\(eps))",
                [weight("gamma"), weight("beta")])
        case .embedding: return own("Embedding(\(shape[0]), \(shape[1]))", [weight("W")])
        case .recurrent(let cell, let givesSequences): return try kerasRecurrent(layer, cell, givesSequences, sizes, path, prefix)
        case .flatten: return own("Flatten()", [])
        case .dropout(let rate): return own("Dropout(\(rate))", [])
        case .globalMean where rank < 4: return own("GlobalAveragePooling\(rank)D(data_format=\"channels_first\")", [])
        case .function(let function):
            if function.row?.name == "identity" { return PythonLayers(made: ["keras.layers.Identity()"]) }
            return PythonLayers(made: ["keras.layers.Activation(\(try functionName(function, sizes)))"])
        case .residual(let network): return try kerasResidual(network, sizes, path, prefix)
        case .branch(let networks, let join, let axis):
            return try kerasBranch(networks, join, axis ?? (after.count == 4 ? 1 : -1), sizes, path, prefix)
        case .maxout, .prelu, .transposedConvolution, .frelu, .largestOfWindows, .meanOfWindows, .rmsNorm, .groupNorm, .attention, .positions, .upsample,
            .globalMean, .program:
            return try composed(layer, sizes, path, prefix)
        }
    }
    private func kerasLayer(_ text: String, _ weights: [String?], _ path: String) -> PythonLayers {
        let all = weights.compactMap(\.self)
        return PythonLayers(made: ["keras.layers.\(text)"], loads: all.isEmpty ? [] : ["\(path).set_weights([\(all.joined(separator: ", "))])"])
    }

    private func kerasRecurrent(
        _ layer: any Layer, _ cell: LayerForm.RecurrentCell, _ givesSequences: Bool, _ sizes: [GraphSize], _ path: String, _ prefix: String
    ) throws -> PythonLayers {
        func weight(_ name: String) -> String? { layer.array(named: name) == nil ? nil : PythonWriter.weight(prefix + name) }
        func own(_ text: String, _ weights: [String?]) -> PythonLayers { kerasLayer(text, weights, path) }
        let bias = layer.array(named: "b") != nil ? "" : ", use_bias=False"
        let units = layer.array(named: "U")?.shape[0] ?? 0, sequences = givesSequences ? ", return_sequences=True" : ""
        switch cell {
        case .lstm:
            return own("LSTM(\(units)\(sequences)\(bias))", [weight("W"), weight("U"), weight("b").map { "\($0) + \(PythonWriter.weight(prefix + "bU"))" }])
        case .gru:
            // Its gates stand in another order: update, reset, new.
            define("gates") {
                ["def gates(w):", "    r, z, n = np.split(w, 3, axis=-1)", "    return np.concatenate([z, r, n], axis=-1)"]
            }
            let both = weight("b").map { "np.stack([gates(\($0)), gates(\(PythonWriter.weight(prefix + "bU")))])" }
            return own(
                "GRU(\(units), reset_after=True\(sequences)\(bias))", [weight("W").map { "gates(\($0))" }, weight("U").map { "gates(\($0))" }, both])
        case .plain(let activation):
            guard let name = activation.row?.name, name == "tanh" || name == "relu" else { return try composed(layer, sizes, path, prefix) }
            return own(
                "SimpleRNN(\(units), activation=\"\(name)\"\(sequences)\(bias))",
                [weight("W"), weight("U"), weight("b").map { "\($0) + \(PythonWriter.weight(prefix + "bU"))" }])
        }
    }

    private func kerasResidual(_ network: Network, _ sizes: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        define("Residual") {
            [
                "class Residual(keras.layers.Layer):", "    def __init__(self, f):", "        super().__init__()", "        self.f = f", "",
                "    def build(self, shape):", "        self.f.build(shape)", "", "    def call(self, x):", "        return x + self.f(x)",
            ]
        }
        var inner = sizes
        let part = try layers(network, &inner, path: "\(path).f", prefix: "\(prefix)f.")
        return PythonLayers(made: ["Residual(keras.Sequential([\(part.made.joined(separator: ", "))]))"], loads: part.loads)
    }

    private func kerasBranch(
        _ networks: [Network], _ join: Compound.Join, _ position: Int, _ sizes: [GraphSize], _ path: String, _ prefix: String
    ) throws -> PythonLayers {
        let result =
            switch join {
            case .concat: "ops.concatenate([f(x) for f in self.parts], \(position))"
            case .sum: "sum(f(x) for f in self.parts)"
            case .product: "ops.prod(ops.stack([f(x) for f in self.parts]), 0)"
            }
        let name = fresh("Branch")
        define(name) {
            [
                "class \(name)(keras.layers.Layer):", "    def __init__(self, *parts):", "        super().__init__()", "        self.parts = list(parts)",
                "",
                "    def build(self, shape):", "        for f in self.parts:", "            f.build(shape)", "", "    def call(self, x):",
                "        return \(result)",
            ]
        }
        var loads: [String] = []
        let parts = try networks.enumerated().map { index, network in
            var inner = sizes
            let part = try layers(network, &inner, path: "\(path).parts[\(index)]", prefix: "\(prefix)f\(index).")
            loads += part.loads
            return "keras.Sequential([\(part.made.joined(separator: ", "))])"
        }
        return PythonLayers(made: ["\(name)(\(parts.joined(separator: ", ")))"], loads: loads)
    }
}
