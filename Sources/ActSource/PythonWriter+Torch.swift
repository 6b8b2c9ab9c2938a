// Layers as modules of PyTorch.
//
// What must stay true: a layer does there what it does here outside training.

import ActArray
import ActGrad
import ActNetwork
import ActNeural

extension PythonWriter {
    func torch(_ layer: any Layer, _ sizes: [GraphSize], _ after: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        let rank = sizes.count - 2
        func own(_ text: String, _ names: [Name]) -> PythonLayers { torchLayer(text, names, layer, path, prefix) }
        let scale: [Name] = [("weight", "gamma", ""), ("bias", "beta", "")]
        let shape = layer.array(named: "W")?.shape ?? [], hasBias = layer.array(named: "b") != nil
        switch layer.form {
        case .dense(let activation):
            return try torchActivated(
                activation, after,
                own("nn.Linear(\(shape[0]), \(shape[1])\(off("bias", unless: hasBias)))", [("weight", "W", ".T.contiguous()"), ("bias", "b", "")]))
        case .prelu:
            let count = layer.parameters[0].count
            // Its channels are on axis 1.
            guard count == 1 || sizes.count == 4 || sizes.count == 2 else { return try composed(layer, sizes, path, prefix) }
            return own("nn.PReLU(\(count))", [("weight", "alpha", "")])
        case .convolution, .transposedConvolution, .largestOfWindows, .meanOfWindows: return try torchWindows(layer, sizes, after, path, prefix)
        case .batchNorm(let eps):
            let channels = layer.parameters[0].count
            return own(
                "nn.BatchNorm\(max(1, rank))d(\(channels), eps=\(eps))",
                scale + [("running_mean", "mean", ""), ("running_var", "variance", "")]
            )
        case .layerNorm(_, let eps): return own("nn.LayerNorm(\(tuple(layer.parameters[0].shape)), eps=\(eps))", scale)
        case .rmsNorm(_, let eps): return own("nn.RMSNorm(\(tuple(layer.parameters[0].shape)), eps=\(eps))", [("weight", "gamma", "")])
        case .groupNorm(let groups, let eps): return own("nn.GroupNorm(\(groups), \(layer.parameters[0].count), eps=\(eps))", scale)
        case .embedding:
            define("Embedding") {
                ["class Embedding(nn.Embedding):", "    def forward(self, x):", "        return super().forward(x.long())"]
            }
            return own("Embedding(\(shape[0]), \(shape[1]))", [("weight", "W", "")])
        case .recurrent(let cell, let givesSequences): return try torchRecurrent(layer, cell, givesSequences, sizes, path, prefix)
        case .flatten: return own("nn.Flatten()", [])
        case .dropout(let rate): return own("nn.Dropout(\(rate))", [])
        case .upsample(let factor, let mode):
            return own("nn.Upsample(scale_factor=\(factor), mode=\"\(mode.rawValue)\"\(mode == .bilinear ? ", align_corners=False" : ""))", [])
        case .globalMean: return PythonLayers(made: ["nn.AdaptiveAvgPool\(rank)d(1)", "nn.Flatten()"])
        case .function(let function): return PythonLayers(made: try torchActivation(function, sizes).map { [$0] } ?? [])
        case .residual(let network): return try torchResidual(network, sizes, path, prefix)
        case .branch(let networks, let join, let axis):
            return try torchBranch(networks, join, axis ?? (after.count == 4 ? 1 : -1), sizes, path, prefix)
        case .maxout, .frelu, .attention, .positions, .program: return try composed(layer, sizes, path, prefix)
        }
    }

    /// What a parameter is called there and here, and how it is turned.
    private typealias Name = (there: String, here: String, change: String)

    /// A layer of the framework and how its parameters are called there.
    private func torchLayer(_ text: String, _ names: [Name], _ layer: any Layer, _ path: String, _ prefix: String) -> PythonLayers {
        PythonLayers(
            made: [text],
            loads: names.compactMap { name in
                layer.array(named: name.here) == nil ? nil : "\(path).\(name.there).data = \(PythonWriter.weight(prefix + name.here))\(name.change)"
            })
    }

    private func off(_ name: String, unless value: Bool) -> String { value ? "" : ", \(name)=False" }

    private func torchActivated(_ activation: NamedFunction, _ sizes: [GraphSize], _ before: PythonLayers) throws -> PythonLayers {
        var result = before
        if let module = try torchActivation(activation, sizes) { result.made.append(module) }
        return result
    }

    /// Convolutions and pools.
    private func torchWindows(_ layer: any Layer, _ sizes: [GraphSize], _ after: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        func own(_ text: String, _ names: [Name]) -> PythonLayers { torchLayer(text, names, layer, path, prefix) }
        let plain: [Name] = [("weight", "W", ""), ("bias", "b", "")]
        let shape = layer.array(named: "W")?.shape ?? [], hasBias = layer.array(named: "b") != nil, rank = sizes.count - 2
        switch layer.form {
        case .convolution(let windows, let groups, let activation):
            let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed)) ?? []
            guard axes.allSatisfy({ $0.before == $0.after }) else { return try composed(layer, sizes, path, prefix) }
            let text = """
                nn.Conv\(rank)d(\(shape[1] * groups), \(shape[0]), \(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), \
                padding=\(tuple(axes.map(\.before))), dilation=\(tuple(axes.map(\.dilation))), groups=\(groups)\(off("bias", unless: hasBias)))
                """
            return try torchActivated(activation, after, own(text, plain))
        case .transposedConvolution(let windows, let groups, _, let activation):
            let axes = windows.axes(over: after.dropFirst(2).map(\.fixed)) ?? []
            let more = axes.enumerated().map { index, axis in
                axis.size - ((sizes[index + 2].fixed - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1 - axis.before - axis.after)
            }
            guard zip(axes, more).allSatisfy({ $0.before == $0.after && $1 >= 0 && $1 < max($0.stride, $0.dilation) }) else {
                return try composed(layer, sizes, path, prefix)
            }
            let text = """
                nn.ConvTranspose\(rank)d(\(shape[0]), \(shape[1] * groups), \(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), \
                padding=\(tuple(axes.map(\.before))), output_padding=\(tuple(more)), dilation=\(tuple(axes.map(\.dilation))), \
                groups=\(groups)\(off("bias", unless: hasBias)))
                """
            return try torchActivated(activation, after, own(text, plain))
        case .largestOfWindows(let windows, let ceil):
            let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed), ceil: ceil) ?? []
            guard axes.allSatisfy({ $0.before == $0.after && 2 * $0.before <= $0.window }) else { return try composed(layer, sizes, path, prefix) }
            let text = """
                nn.MaxPool\(rank)d(\(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), padding=\(tuple(axes.map(\.before))), \
                dilation=\(tuple(axes.map(\.dilation)))\(ceil ? ", ceil_mode=True" : ""))
                """
            return own(text, [])
        case .meanOfWindows(let windows, let ceil, let countsPadding):
            let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed), ceil: ceil) ?? []
            guard axes.allSatisfy({ $0.before == $0.after && 2 * $0.before <= $0.window && $0.dilation == 1 }) else {
                return try composed(layer, sizes, path, prefix)
            }
            let text = """
                nn.AvgPool\(rank)d(\(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), padding=\(tuple(axes.map(\.before)))\
                \(ceil ? ", ceil_mode=True" : "")\(off("count_include_pad", unless: countsPadding)))
                """
            return own(text, [])
        default: return try composed(layer, sizes, path, prefix)
        }
    }

    private func torchResidual(_ network: Network, _ sizes: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        define("Residual") {
            [
                "class Residual(nn.Module):", "    def __init__(self, f):", "        super().__init__()", "        self.f = f", "",
                "    def forward(self, x):", "        return x + self.f(x)",
            ]
        }
        var inner = sizes
        let part = try layers(network, &inner, path: "\(path).f", prefix: "\(prefix)f.")
        return PythonLayers(made: ["Residual(nn.Sequential(\(part.made.joined(separator: ", "))))"], loads: part.loads)
    }

    private func torchBranch(
        _ networks: [Network], _ join: Compound.Join, _ position: Int, _ sizes: [GraphSize], _ path: String, _ prefix: String
    ) throws -> PythonLayers {
        let result =
            switch join {
            case .concat: "torch.cat([f(x) for f in self.parts], \(position))"
            case .sum: "sum(f(x) for f in self.parts)"
            case .product: "torch.stack([f(x) for f in self.parts]).prod(0)"
            }
        let name = fresh("Branch")
        define(name) {
            [
                "class \(name)(nn.Module):", "    def __init__(self, *parts):", "        super().__init__()", "        self.parts = nn.ModuleList(parts)",
                "",
                "    def forward(self, x):", "        return \(result)",
            ]
        }
        var loads: [String] = []
        let parts = try networks.enumerated().map { index, network in
            var inner = sizes
            let part = try layers(network, &inner, path: "\(path).parts[\(index)]", prefix: "\(prefix)f\(index).")
            loads += part.loads
            return "nn.Sequential(\(part.made.joined(separator: ", ")))"
        }
        return PythonLayers(made: ["\(name)(\(parts.joined(separator: ", ")))"], loads: loads)
    }

    private func torchRecurrent(
        _ layer: any Layer, _ cell: LayerForm.RecurrentCell, _ givesSequences: Bool, _ sizes: [GraphSize], _ path: String, _ prefix: String
    ) throws -> PythonLayers {
        let base: String
        var more = ""
        switch cell {
        case .gru: base = "GRU"
        case .lstm: base = "LSTM"
        case .plain(let activation):
            guard let name = activation.row?.name, name == "tanh" || name == "relu" else { return try composed(layer, sizes, path, prefix) }
            base = "RNN"
            more = name == "relu" ? ", nonlinearity=\"relu\"" : ""
        }
        let name = base + (givesSequences ? "" : "Last"), (inputs, units) = (layer.parameters[0].shape[0], layer.array(named: "U")?.shape[0] ?? 0)
        define(name) {
            [
                "class \(name)(nn.\(base)):", "    def forward(self, x):", "        return super().forward(x)[0]\(givesSequences ? "" : "[:, -1]")",
            ]
        }
        let hasBias = layer.array(named: "b") != nil
        let names = [("weight_ih_l0", "W", ".T.contiguous()"), ("weight_hh_l0", "U", ".T.contiguous()"), ("bias_ih_l0", "b", ""), ("bias_hh_l0", "bU", "")]
        return PythonLayers(
            made: ["\(name)(\(inputs), \(units), batch_first=True\(more)\(hasBias ? "" : ", bias=False"))"],
            loads: names.compactMap { layer.array(named: $0.1) == nil ? nil : "\(path).\($0.0).data = \(PythonWriter.weight(prefix + $0.1))\($0.2)" })
    }

    private static let torchModules: [String: @Sendable (Int, [Double]) -> String] = [
        "relu": { _, _ in "nn.ReLU()" }, "tanh": { _, _ in "nn.Tanh()" }, "sigmoid": { _, _ in "nn.Sigmoid()" }, "gelu": { _, _ in "nn.GELU()" },
        "softmax": { rank, s in "nn.Softmax(\(s[0] < 0 ? rank + Int(s[0]) : Int(s[0])))" },
        "log_softmax": { rank, s in "nn.LogSoftmax(\(s[0] < 0 ? rank + Int(s[0]) : Int(s[0])))" },
        "leaky_relu": { _, s in "nn.LeakyReLU(\(s[0]))" }, "elu": { _, s in "nn.ELU(\(s[0]))" }, "selu": { _, _ in "nn.SELU()" },
        "softsign": { _, _ in "nn.Softsign()" }, "mish": { _, _ in "nn.Mish()" }, "hard_swish": { _, _ in "nn.Hardswish()" }, "relu6": { _, _ in "nn.ReLU6()" },
        "glu": { _, s in "nn.GLU(\(Int(s[0])))" },
    ]

    /// - Returns: `nil` for the identity.
    private func torchActivation(_ function: NamedFunction, _ sizes: [GraphSize]) throws -> String? {
        if function.row?.name == "identity" { return nil }
        if let row = function.row, let module = PythonWriter.torchModules[row.name] { return module(sizes.count, function.settings) }
        let name = try functionName(function, sizes)
        define("Function") {
            [
                "class Function(nn.Module):", "    \"\"\"A function between layers.\"\"\"", "", "    def __init__(self, f):", "        super().__init__()",
                "        self.f = f", "", "    def forward(self, x):", "        return self.f(x)",
            ]
        }
        return "Function(\(name))"
    }
}
