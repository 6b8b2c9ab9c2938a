// Layers in the words of each framework: one exhaustive `switch` over what layers are for each. What a framework has no layer for is a class of
// the module, whose body is the graph of what the layer computes.
//
// What must stay true: a layer does there what it does here outside training.

import ActArray
import ActGrad
import ActNetwork

/// The layers of a network in a framework: expressions that make them, and statements that put act's weights into them.
struct PythonLayers {
    var made: [String] = []
    var loads: [String] = []
}

extension PythonWriter {
    /// - Parameters:
    ///   - sizes: Of the input; of the output afterwards.
    ///   - path: How a module refers to the network: `model`.
    ///   - prefix: Before the names of act's parameters.
    func layers(_ network: Network, _ sizes: inout [GraphSize], path: String, prefix: String = "") throws -> PythonLayers {
        var result = PythonLayers()
        for (position, layer) in network.layers.enumerated() {
            try Interrupt.check()
            let place = framework == .keras ? "\(path).layers[\(result.made.count)]" : "\(path)[\(result.made.count)]"
            do {
                let after = try layer.sizes(of: sizes)
                let part =
                    framework == .torch
                    ? try torch(layer, sizes, after, place, "\(prefix)\(position).") : try keras(layer, sizes, after, place, "\(prefix)\(position).")
                result.made += part.made
                result.loads += part.loads
                sizes = after
            } catch let error as NetworkError { throw error.at(position, layer, isOutermost: prefix.isEmpty) }
        }
        return result
    }

    // MARK: PyTorch

    private func torch(_ layer: any Layer, _ sizes: [GraphSize], _ after: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        let rank = sizes.count - 2
        func flag(_ name: String, _ value: Bool) -> String { value ? "" : ", \(name)=False" }
        /// A layer of the framework and how its parameters are called there.
        func own(_ text: String, _ names: [(there: String, here: String, change: String)]) -> PythonLayers {
            PythonLayers(
                made: [text],
                loads: names.compactMap { name in
                    layer.array(named: name.here) == nil ? nil : "\(path).\(name.there).data = weights[\"\(prefix)\(name.here)\"]\(name.change)"
                })
        }
        func then(_ activation: NamedFunction, _ before: PythonLayers) throws -> PythonLayers {
            var result = before
            if let module = try torchActivation(activation, after) { result.made.append(module) }
            return result
        }
        let plain: [(String, String, String)] = [("weight", "W", ""), ("bias", "b", "")]
        let scale: [(String, String, String)] = [("weight", "gamma", ""), ("bias", "beta", "")]
        let shape = layer.array(named: "W")?.shape ?? [], hasBias = layer.array(named: "b") != nil
        switch layer.form {
        case .dense(let activation):
            return try then(
                activation, own("nn.Linear(\(shape[0]), \(shape[1])\(flag("bias", hasBias)))", [("weight", "W", ".T.contiguous()"), ("bias", "b", "")]))
        case .convolution(let windows, let groups, let activation):
            let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed)) ?? []
            guard axes.allSatisfy({ $0.before == $0.after }) else { return try composed(layer, sizes, path, prefix) }
            let text =
                "nn.Conv\(rank)d(\(shape[1] * groups), \(shape[0]), \(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), padding=\(tuple(axes.map(\.before))), dilation=\(tuple(axes.map(\.dilation))), groups=\(groups)\(flag("bias", hasBias)))"
            return try then(activation, own(text, plain))
        case .transposedConvolution(let windows, let groups, _, let activation):
            let axes = windows.axes(over: after.dropFirst(2).map(\.fixed)) ?? []
            let more = axes.enumerated().map { index, axis in
                axis.size - ((sizes[index + 2].fixed - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1 - axis.before - axis.after)
            }
            guard zip(axes, more).allSatisfy({ $0.before == $0.after && $1 >= 0 && $1 < max($0.stride, $0.dilation) }) else {
                return try composed(layer, sizes, path, prefix)
            }
            let text =
                "nn.ConvTranspose\(rank)d(\(shape[0]), \(shape[1] * groups), \(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), padding=\(tuple(axes.map(\.before))), output_padding=\(tuple(more)), dilation=\(tuple(axes.map(\.dilation))), groups=\(groups)\(flag("bias", hasBias)))"
            return try then(activation, own(text, plain))
        case .prelu:
            let count = layer.parameters[0].count
            // Its channels are on axis 1.
            guard count == 1 || sizes.count == 4 || sizes.count == 2 else { return try composed(layer, sizes, path, prefix) }
            return own("nn.PReLU(\(count))", [("weight", "alpha", "")])
        case .largestOfWindows(let windows, let ceil):
            let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed), ceil: ceil) ?? []
            guard axes.allSatisfy({ $0.before == $0.after && 2 * $0.before <= $0.window }) else { return try composed(layer, sizes, path, prefix) }
            return own(
                "nn.MaxPool\(rank)d(\(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), padding=\(tuple(axes.map(\.before))), dilation=\(tuple(axes.map(\.dilation)))\(ceil ? ", ceil_mode=True" : ""))",
                [])
        case .meanOfWindows(let windows, let ceil, let countsPadding):
            let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed), ceil: ceil) ?? []
            guard axes.allSatisfy({ $0.before == $0.after && 2 * $0.before <= $0.window && $0.dilation == 1 }) else {
                return try composed(layer, sizes, path, prefix)
            }
            return own(
                "nn.AvgPool\(rank)d(\(tuple(windows.window)), stride=\(tuple(axes.map(\.stride))), padding=\(tuple(axes.map(\.before)))\(ceil ? ", ceil_mode=True" : "")\(flag("count_include_pad", countsPadding)))",
                [])
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
        case .residual(let network):
            define("Residual") {
                [
                    "class Residual(nn.Module):", "    def __init__(self, f):", "        super().__init__()", "        self.f = f", "",
                    "    def forward(self, x):", "        return x + self.f(x)",
                ]
            }
            var inner = sizes
            let part = try layers(network, &inner, path: "\(path).f", prefix: "\(prefix)f.")
            return PythonLayers(made: ["Residual(nn.Sequential(\(part.made.joined(separator: ", "))))"], loads: part.loads)
        case .branch(let networks, let join, let axis):
            let position = axis ?? (after.count == 4 ? 1 : -1)
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
        case .maxout, .frelu, .attention, .positions, .program: return try composed(layer, sizes, path, prefix)
        }
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
            loads: names.compactMap { layer.array(named: $0.1) == nil ? nil : "\(path).\($0.0).data = weights[\"\(prefix)\($0.1)\"]\($0.2)" })
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

    /// The module's function that is an activation with its settings, or a function of the program.
    func functionName(_ function: NamedFunction, _ sizes: [GraphSize]) throws -> String {
        if let row = function.row {
            let parameters = function.settings.map { (text: Python.number($0), number: Optional($0)) }
            if let value = self.row(row, Python("x"), parameters) {
                // One call of x alone is that function.
                let call = value.text
                if call.hasSuffix("(x)"), !call.dropLast(3).contains("(") { return String(call.dropLast(3)) }
                let name = fresh(row.name + "_with_settings")
                define(name) { ["def \(name)(x):", "    return \(call)"] }
                return name
            }
        }
        let graph = try take(sizes) { try function($0, Pass()) }
        let isWord = function.isNamed && function.name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }, name = fresh(isWord ? function.name : "f")
        let body = try self.body(of: graph, ["x"]) { [self] in Python("weights[\"\(store($0))\"]") }
        define(name) { ["def \(name)(x):"] + (body.lines + ["return \(body.result.text)"]).map { "    " + $0 } }
        return name
    }

    /// The graph of a layer or function of one array.
    func take(_ sizes: [GraphSize], _ function: (NDArray) throws -> NDArray) throws -> Graph { try take([("x", sizes)]) { try function($0[0]) } }

    /// The graph of a function, as far as it is taken apart for Python.
    func take(_ arguments: [(name: String, sizes: [GraphSize])], _ function: ([NDArray]) throws -> NDArray) throws -> Graph {
        try Graph.symbolic(
            { [try function($0)] }, of: arguments.map { Graph.Argument($0.name, sizes: $0.sizes, type: .f32) }, lowered: true,
            keeping: { function in
                switch function.name {
                case "convolution": function.attributes.contains(Attribute("gives", "result"))
                default: if let row = function as? RowFunction { row.order == 0 && row.row.kind == .elementwise } else { false }
                }
            })
    }

    // MARK: A class of the module

    /// A layer as what it computes.
    private func composed(_ layer: any Layer, _ sizes: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        let graph = try take(sizes) { try layer($0, Pass()) }, arrays = Array(zip(layer.parameterNames + layer.stateNames, layer.parameters + layer.state))
        func attribute(_ name: String) -> String { name.replacing(".", with: "_") }
        var held: [(name: String, array: NDArray, stored: String)] = arrays.map { (attribute($0.0), $0.1, prefix + $0.0) }
        let body = try self.body(of: graph, ["x"]) { [self] array in
            if let known = held.first(where: { $0.array.identity == array.identity }) { return Python("self.\(known.name)") }
            let name = store(array)
            held.append((name, array, name))
            return Python("self.\(name)")
        }
        let name = fresh(layer.settings.kind)
        var lines = [
            "class \(name)(\(framework == .torch ? "nn.Module" : "keras.layers.Layer")):", "    \"\"\"\(PythonWriter.comment(layer.text))\"\"\"", "",
        ]
        if framework == .torch {
            lines += ["    def __init__(self):", "        super().__init__()"]
            lines += held.map { "        self.\($0.name) = nn.Parameter(torch.zeros(\(tuple($0.array.shape))))" }
            lines += ["", "    def forward(self, x):"]
        } else {
            lines += ["    def build(self, shape):"]
            lines += held.map { "        self.\($0.name) = self.add_weight(shape=\(tuple($0.array.shape)), name=\"\($0.name)\")" }
            if held.isEmpty { lines.append("        pass") }
            lines += ["", "    def call(self, x):"]
        }
        lines += (body.lines + ["return \(body.result.text)"]).map { "        " + $0 }
        define(name) { lines }
        let loads =
            framework == .torch
            ? held.map { "\(path).\($0.name).data = weights[\"\($0.stored)\"]" }
            : held.isEmpty ? [] : ["\(path).set_weights([\(held.map { "weights[\"\($0.stored)\"]" }.joined(separator: ", "))])"]
        return PythonLayers(made: ["\(name)()"], loads: loads)
    }

    // MARK: Keras

    private func keras(_ layer: any Layer, _ sizes: [GraphSize], _ after: [GraphSize], _ path: String, _ prefix: String) throws -> PythonLayers {
        func weight(_ name: String, _ change: String = "") -> String? { layer.array(named: name) == nil ? nil : "weights[\"\(prefix)\(name)\"]\(change)" }
        func own(_ text: String, _ weights: [String?]) -> PythonLayers {
            let all = weights.compactMap(\.self)
            return PythonLayers(made: ["keras.layers.\(text)"], loads: all.isEmpty ? [] : ["\(path).set_weights([\(all.joined(separator: ", "))])"])
        }
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
            return try then(
                activation,
                own(
                    "Conv\(rank)D(\(shape[0]), \(tuple(windows.window)), strides=\(tuple(axes.map(\.stride))), data_format=\"channels_first\", dilation_rate=\(tuple(axes.map(\.dilation))), groups=\(groups)\(bias))",
                    [weight("W", ".transpose(\(order))"), weight("b")]))
        case .batchNorm(let eps):
            return own("BatchNormalization(axis=1, epsilon=\(eps))", ["gamma", "beta", "mean", "variance"].map { weight($0) })
        case .layerNorm(let axes, let eps):
            return own(
                "LayerNormalization(axis=[\((1...axes).map { "\($0 - 1 - axes)" }.joined(separator: ", "))], epsilon=\(eps))",
                [weight("gamma"), weight("beta")])
        case .embedding: return own("Embedding(\(shape[0]), \(shape[1]))", [weight("W")])
        case .recurrent(let cell, let givesSequences):
            let units = layer.array(named: "U")?.shape[0] ?? 0, sequences = givesSequences ? ", return_sequences=True" : ""
            switch cell {
            case .lstm:
                return own("LSTM(\(units)\(sequences)\(bias))", [weight("W"), weight("U"), weight("b").map { "\($0) + weights[\"\(prefix)bU\"]" }])
            case .gru:
                // Its gates stand in another order: update, reset, new.
                define("gates") {
                    ["def gates(w):", "    r, z, n = np.split(w, 3, axis=-1)", "    return np.concatenate([z, r, n], axis=-1)"]
                }
                let both = weight("b").map { "np.stack([gates(\($0)), gates(weights[\"\(prefix)bU\"])])" }
                return own(
                    "GRU(\(units), reset_after=True\(sequences)\(bias))", [weight("W").map { "gates(\($0))" }, weight("U").map { "gates(\($0))" }, both])
            case .plain(let activation):
                guard let name = activation.row?.name, name == "tanh" || name == "relu" else { return try composed(layer, sizes, path, prefix) }
                return own(
                    "SimpleRNN(\(units), activation=\"\(name)\"\(sequences)\(bias))",
                    [weight("W"), weight("U"), weight("b").map { "\($0) + weights[\"\(prefix)bU\"]" }])
            }
        case .flatten: return own("Flatten()", [])
        case .dropout(let rate): return own("Dropout(\(rate))", [])
        case .globalMean where rank < 4: return own("GlobalAveragePooling\(rank)D(data_format=\"channels_first\")", [])
        case .function(let function):
            if function.row?.name == "identity" { return PythonLayers(made: ["keras.layers.Identity()"]) }
            return PythonLayers(made: ["keras.layers.Activation(\(try functionName(function, sizes)))"])
        case .residual(let network):
            define("Residual") {
                [
                    "class Residual(keras.layers.Layer):", "    def __init__(self, f):", "        super().__init__()", "        self.f = f", "",
                    "    def build(self, shape):", "        self.f.build(shape)", "", "    def call(self, x):", "        return x + self.f(x)",
                ]
            }
            var inner = sizes
            let part = try layers(network, &inner, path: "\(path).f", prefix: "\(prefix)f.")
            return PythonLayers(made: ["Residual(keras.Sequential([\(part.made.joined(separator: ", "))]))"], loads: part.loads)
        case .branch(let networks, let join, let axis):
            let position = axis ?? (after.count == 4 ? 1 : -1)
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
        case .maxout, .prelu, .transposedConvolution, .frelu, .largestOfWindows, .meanOfWindows, .rmsNorm, .groupNorm, .attention, .positions, .upsample,
            .globalMean, .program:
            return try composed(layer, sizes, path, prefix)
        }
    }

    // MARK: JAX

    /// A network as statements about x.
    func statements(_ network: Network, _ sizes: inout [GraphSize], prefix: String = "") throws -> [String] {
        var lines: [String] = []
        for (position, layer) in network.layers.enumerated() {
            try Interrupt.check()
            do {
                let after = try layer.sizes(of: sizes)
                if case .dropout = layer.form { continue }
                lines.append("# \(PythonWriter.comment(layer.text))")
                lines += try jax(layer, sizes, after, "\(prefix)\(position).")
                sizes = after
            } catch let error as NetworkError { throw error.at(position, layer, isOutermost: prefix.isEmpty) }
        }
        return lines
    }

    private func jax(_ layer: any Layer, _ sizes: [GraphSize], _ after: [GraphSize], _ prefix: String) throws -> [String] {
        func weight(_ name: String) -> String { "weights[\"\(prefix)\(name)\"]" }
        let hasBias = layer.array(named: "b") != nil
        func apply(_ activation: NamedFunction, _ text: String, _ sizes: [GraphSize]) throws -> String {
            activation.row?.name == "identity" ? text : "\(try functionName(activation, sizes))(\(text))"
        }
        switch layer.form {
        case .dense(let activation):
            return ["x = \(try apply(activation, "x @ \(weight("W"))\(hasBias ? " + \(weight("b"))" : "")", after))"]
        case .embedding: return ["x = \(weight("W"))[x.astype(int)]"]
        case .function(let function): return ["x = \(try apply(function, "x", sizes))"]
        case .flatten: return ["x = jnp.reshape(x, (x.shape[0], -1))"]
        case .dropout: return []
        case .recurrent(let cell, let givesSequences):
            guard let step = try jaxStep(cell, after) else { return try composedStatements(layer, sizes, prefix) }
            define("recurrent") {
                [
                    "def recurrent(step, x, W, b, U, bU):", "    \"\"\"The states after every step, from zeros on.\"\"\"",
                    "    added = jnp.swapaxes(x @ W + b, 0, 1)", "    zeros = jnp.zeros((x.shape[0], U.shape[0]), added.dtype)", "",
                    "    def run(carry, a):", "        carry = step(carry, a, U, bU)", "        return carry, carry[0]", "",
                    "    return jnp.swapaxes(jax.lax.scan(run, (zeros, zeros), added)[1], 0, 1)",
                ]
            }
            return [
                "x = recurrent(\(step), x, \(weight("W")), \(hasBias ? weight("b") : "0.0"), \(weight("U")), \(hasBias ? weight("bU") : "0.0"))\(givesSequences ? "" : "[:, -1]")"
            ]
        case .residual(let network):
            var inner = sizes
            return try ["before\(prefix.count) = x"] + statements(network, &inner, prefix: "\(prefix)f.") + ["x = before\(prefix.count) + x"]
        case .branch(let networks, let join, let axis):
            let position = axis ?? (after.count == 4 ? 1 : -1), name = "before\(prefix.count)"
            var lines = ["\(name) = x", "parts\(prefix.count) = []"]
            for (index, network) in networks.enumerated() {
                var inner = sizes
                if index > 0 { lines.append("x = \(name)") }
                lines += try statements(network, &inner, prefix: "\(prefix)f\(index).") + ["parts\(prefix.count).append(x)"]
            }
            let parts = "parts\(prefix.count)"
            switch join {
            case .concat: lines.append("x = jnp.concatenate(\(parts), \(position))")
            case .sum: lines.append("x = sum(\(parts))")
            case .product: lines.append("x = jnp.prod(jnp.stack(\(parts)), 0)")
            }
            return lines
        case .maxout, .prelu, .convolution, .transposedConvolution, .frelu, .largestOfWindows, .meanOfWindows, .batchNorm, .layerNorm, .rmsNorm, .groupNorm,
            .attention, .positions, .upsample, .globalMean, .program:
            return try composedStatements(layer, sizes, prefix)
        }
    }

    private func composedStatements(_ layer: any Layer, _ sizes: [GraphSize], _ prefix: String) throws -> [String] {
        let graph = try take(sizes) { try layer($0, Pass()) }, arrays = Array(zip(layer.parameterNames + layer.stateNames, layer.parameters + layer.state))
        let body = try self.body(of: graph, ["x"]) { [self] array in
            let known = arrays.first { $0.1.identity == array.identity }.map { prefix + $0.0 }
            return Python("weights[\"\(known ?? store(array))\"]")
        }
        return body.lines + ["x = \(body.result.text)"]
    }

    /// One step of a recurrence: of what is carried (the state and a memory) and what the input adds.
    private func jaxStep(_ cell: LayerForm.RecurrentCell, _ sizes: [GraphSize]) throws -> String? {
        switch cell {
        case .plain(let activation):
            let name = try functionName(activation, [sizes[0], sizes[sizes.count - 1]]),
                step = "step_" + name.filter { $0.isLetter || $0.isNumber || $0 == "_" }
            define(step) { ["def \(step)(carry, a, U, bU):", "    h, m = carry", "    return \(name)(a + h @ U + bU), m"] }
            return step
        case .gru:
            define("gru") {
                [
                    "def gru(carry, a, U, bU):", "    h, m = carry", "    ar, az, an = jnp.split(a, 3, axis=-1)",
                    "    sr, sz, sn = jnp.split(h @ U + bU, 3, axis=-1)", "    r, z = jax.nn.sigmoid(ar + sr), jax.nn.sigmoid(az + sz)",
                    "    n = jnp.tanh(an + r * sn)", "    return (1 - z) * n + z * h, m",
                ]
            }
            return "gru"
        case .lstm:
            define("lstm") {
                [
                    "def lstm(carry, a, U, bU):", "    h, m = carry", "    i, f, g, o = jnp.split(a + h @ U + bU, 4, axis=-1)",
                    "    m = jax.nn.sigmoid(f) * m + jax.nn.sigmoid(i) * jnp.tanh(g)", "    return jax.nn.sigmoid(o) * jnp.tanh(m), m",
                ]
            }
            return "lstm"
        }
    }
}
