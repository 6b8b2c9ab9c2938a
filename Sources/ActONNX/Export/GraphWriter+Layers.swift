// Layers in ONNX's own operators, with act's names of their parameters: one exhaustive `switch` over what layers are.
//
// What must stay true: a layer becomes what it does outside training; what its parameters are in ONNX's layout is made of them here, under
// their names.

import ActArray
import ActGrad
import ActNetwork
import ActNeural

extension GraphWriter {
    /// The layers of a network, one after the other.
    /// - Parameter prefix: Before the names: `2.f.` in the third layer.
    func write(_ network: Network, _ x: Tensor, prefix: String = "") throws -> Tensor {
        var value = x
        for (position, layer) in network.layers.enumerated() {
            try Interrupt.check()
            let outer = list.prefix
            if prefix.isEmpty { list.prefix = "\(position)/" }
            defer { list.prefix = outer }
            do { value = try write(layer, value, "\(prefix)\(position).") } catch let error as NetworkError {
                throw error.at(position, layer, isOutermost: prefix.isEmpty)
            }
        }
        return value
    }

    /// A layer that is being written: what goes in, what comes before its parameters' names, and the sizes of what comes out.
    private struct Part {
        let layer: any Layer
        let x: Tensor
        let prefix: String
        let sizes: [GraphSize]
    }

    /// A parameter, in ONNX's layout.
    private func parameter(_ name: String, of part: Part, _ change: (NDArray) throws -> NDArray = { $0 }) throws -> Tensor? {
        try part.layer.array(named: name).map { try constant(change($0), named: part.prefix + name) }
    }

    private func needed(_ name: String, of part: Part, _ change: (NDArray) throws -> NDArray = { $0 }) throws -> Tensor {
        try parameter(name, of: part, change) ?? number(.nan)
    }

    private func plus(_ value: Tensor, _ bias: Tensor?) -> Tensor { bias.map { map("Add", [value, $0]) } ?? value }

    private func product(_ part: Part, _ name: String = "W") throws -> Tensor {
        add("MatMul", [cast(part.x, isBool: false), try needed(name, of: part)], sizes: part.sizes)
    }

    private func write(_ layer: any Layer, _ x: Tensor, _ prefix: String) throws -> Tensor {
        // Known before anything is written: what a layer cannot take is its own error.
        var sizes = x.sizes
        switch layer.form {
        case .program, .function, .dropout: break
        default: sizes = try layer.sizes(of: x.sizes, type: x.type(numbers))
        }
        let part = Part(layer: layer, x: x, prefix: prefix, sizes: sizes)
        switch layer.form {
        case .dense(let activation): return try apply(activation, plus(product(part), try parameter("b", of: part)))
        case .maxout: return try maxout(part)
        case .prelu:
            let slopes = try needed("alpha", of: part) { x.rank == 4 && $0.count > 1 ? try $0.reshaped(to: [$0.count, 1, 1]) : $0 }
            return add("PRelu", [cast(x, isBool: false), slopes], sizes: sizes)
        case .convolution(let windows, let groups, let activation):
            return try apply(activation, convolution("Conv", x, layer, windows, groups, prefix, sizes))
        case .transposedConvolution(let windows, let groups, let extra, let activation):
            return try apply(activation, transposed(x, layer, windows, groups, extra, prefix, sizes))
        case .frelu:
            let windows = Windows(window: [3, 3], stride: [1, 1], padding: [.same, .same], dilation: [1, 1])
            let x = cast(x, isBool: false), channels = layer.array(named: "W")?.shape[0] ?? 1
            return map("Max", [x, try convolution("Conv", x, layer, windows, channels, prefix, sizes)])
        case .largestOfWindows(let windows, let ceil): return try largest(cast(x, isBool: false), windows, ceil, sizes)
        case .meanOfWindows(let windows, let ceil, let countsPadding): return try mean(cast(x, isBool: false), windows, ceil, countsPadding, sizes)
        case .batchNorm, .layerNorm, .rmsNorm, .groupNorm: return try normalized(part)
        case .recurrent(let cell, let givesSequences): return try recurrent(cast(x, isBool: false), layer, cell, givesSequences, prefix, sizes)
        case .attention(let heads, let causal): return try attention(part, heads: heads, causal: causal)
        case .positions: return try positions(part)
        case .embedding: return add("Gather", [try needed("W", of: part), positions(x)], sizes: sizes)
        case .flatten: return add("Flatten", [x], [ONNXAttribute("axis", .int(1))], sizes: sizes, isBool: x.isBool)
        case .dropout: return x
        case .upsample(let factor, let mode): return try upsampled(part, factor, mode)
        case .globalMean:
            let x = cast(x, isBool: false), mean = add("GlobalAveragePool", [x], sizes: x.sizes.enumerated().map { $0 < 2 ? $1 : GraphSize(fixed: 1) })
            return add("Flatten", [mean], [ONNXAttribute("axis", .int(1))], sizes: sizes)
        case .function(let function): return try apply(function, x)
        case .residual(let network):
            let x = layer.type == nil ? x : cast(x, isBool: false)
            return map("Add", [x, try write(network, x, prefix: "\(prefix)f.")])
        case .branch(let networks, let join, let axis): return try branch(part, networks, join, axis)
        case .program: return try traced(layer, x, prefix)
        }
    }

    private func maxout(_ part: Part) throws -> Tensor {
        let x = part.x, extra = [Int](repeating: 1, count: max(0, x.rank - 2))
        let weights = try needed("W", of: part) { try $0.reshaped(to: [$0.shape[0]] + extra + $0.shape.dropFirst()) }
        let bias = try needed("b", of: part) { try $0.reshaped(to: [$0.shape[0]] + extra + (x.rank > 1 ? [1] : []) + [$0.shape[1]]) }
        let pieces = [GraphSize(fixed: part.layer.array(named: "W")?.shape[0] ?? 0)] + part.sizes
        let sums = map("Add", [add("MatMul", [cast(x, isBool: false), weights], sizes: pieces), bias])
        return try reduce("ReduceMax", sums, axes: [0])
    }

    private func normalized(_ part: Part) throws -> Tensor {
        let x = cast(part.x, isBool: false)
        func needed(_ name: String) throws -> Tensor { try self.needed(name, of: part) }
        func epsilon(_ eps: Double) -> ONNXAttribute { ONNXAttribute("epsilon", .float(Float(eps))) }
        switch part.layer.form {
        case .batchNorm(let eps):
            return map("BatchNormalization", [x, try needed("gamma"), try needed("beta"), try needed("mean"), try needed("variance")], [epsilon(eps)])
        case .layerNorm(let axes, let eps):
            return map("LayerNormalization", [x, try needed("gamma"), try needed("beta")], [ONNXAttribute("axis", .int(Int64(-axes))), epsilon(eps)])
        case .rmsNorm(let axes, let eps):
            let mean = try reduce("ReduceMean", map("Mul", [x, x]), axes: Array(x.rank - axes..<x.rank), keeping: true)
            return map("Mul", [map("Div", [x, map("Sqrt", [map("Add", [mean, try number(eps)])])]), try needed("gamma")])
        case .groupNorm(let groups, let eps):
            let channels = part.layer.array(named: "gamma")?.count ?? groups
            if groups == channels, x.rank > 2 { return map("InstanceNormalization", [x, try needed("gamma"), try needed("beta")], [epsilon(eps)]) }
            // Each group as one channel.
            let count = x.sizes.dropFirst().reduce(1) { $0 * $1.fixed } / groups
            let grouped = try reshape(x, [x.sizes[0], GraphSize(fixed: groups), GraphSize(fixed: count)])
            func units(_ number: Double) throws -> Tensor { try constant(NDArray.full(number, shape: [groups], type: numbers)) }
            let even = try reshape(map("InstanceNormalization", [grouped, try units(1), try units(0)], [epsilon(eps)]), part.sizes)
            /// One number a channel, for channels on axis 1.
            func channelwise(_ array: NDArray) throws -> NDArray {
                try array.reshaped(to: [array.count] + [Int](repeating: 1, count: max(0, part.sizes.count - 2)))
            }
            return plus(
                map("Mul", [even, try self.needed("gamma", of: part, channelwise)]), try self.needed("beta", of: part, channelwise))
        default: return x
        }
    }

    private func attention(_ part: Part, heads: Int, causal: Bool) throws -> Tensor {
        let x = part.x
        let thirds = plus(
            add("MatMul", [cast(x, isBool: false), try needed("W", of: part)], sizes: [x.sizes[0], x.sizes[1], x.sizes[2] * 3]),
            try parameter("b", of: part))
        let parts = list.add(
            "Split", [thirds.name], [ONNXAttribute("axis", .int(2)), ONNXAttribute("num_outputs", .int(3))],
            hints: ["q", "k", "v"].map { list.prefix + $0 }
        ).map { Tensor(name: $0, sizes: x.sizes, isBool: false) }
        let seen = try attend(parts[0], parts[1], parts[2], heads: heads, causal: causal)
        return plus(add("MatMul", [seen, try needed("Wo", of: part)], sizes: part.sizes), try parameter("bo", of: part))
    }

    private func positions(_ part: Part) throws -> Tensor {
        let x = cast(part.x, isBool: false), steps = x.sizes[1].fixed, places = try needed("W", of: part)
        if places.sizes[0].fixed == steps { return map("Add", [x, places]) }
        let shape = [GraphSize(fixed: steps), places.sizes[1]]
        return map("Add", [x, add("Slice", [places, try wholes([0]), try wholes([steps]), try wholes([0])], sizes: shape)])
    }

    private func upsampled(_ part: Part, _ factor: Int, _ mode: Upsample2D.Mode) throws -> Tensor {
        func text(_ name: String, _ text: String) -> ONNXAttribute { ONNXAttribute(name, .string(Array(text.utf8))) }
        let how =
            switch mode {
            case .nearest: [text("mode", "nearest"), text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor")]
            case .bilinear: [text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")]
            }
        let scales = try scales([1, 1, Float(factor), Float(factor)]), x = cast(part.x, isBool: false)
        return Tensor(name: list.add("Resize", [x.name, "", scales], how), sizes: part.sizes, isBool: false)
    }

    private func branch(_ part: Part, _ networks: [Network], _ join: Compound.Join, _ axis: Int?) throws -> Tensor {
        let x = part.layer.type == nil ? part.x : cast(part.x, isBool: false)
        let parts = try networks.enumerated().map { try write($1, x, prefix: "\(part.prefix)f\($0).") }
        switch join {
        case .concat:
            let place = axis ?? (parts[0].rank == 4 ? 1 : -1), position = place < 0 ? place + parts[0].rank : place
            var joined = parts[0].sizes
            guard joined.indices.contains(position) else { throw ONNXExportError.noForm(operation: part.layer.text, at: .current) }
            joined[position] = parts.dropFirst().reduce(joined[position]) { $0 + $1.sizes[position] }
            return add("Concat", parts, [ONNXAttribute("axis", .int(Int64(position)))], sizes: joined, isBool: parts[0].isBool)
        case .sum: return parts.dropFirst().reduce(parts[0]) { map("Add", [$0, $1]) }
        case .product: return parts.dropFirst().reduce(parts[0]) { map("Mul", [$0, $1]) }
        }
    }

    /// A layer as what its function computes.
    private func traced(_ layer: any Layer, _ x: Tensor, _ prefix: String) throws -> Tensor {
        for (name, array) in zip(layer.parameterNames + layer.stateNames, layer.parameters + layer.state) {
            if names[array.identity] == nil { names[array.identity] = prefix + name }
        }
        let (graph, arrays) = try layer.graph(of: x.sizes, type: numbers, keeping: GraphWriter.keeps)
        return try write(graph, [x] + arrays.map { try constant($0.array, named: prefix + $0.name) })
    }

    private func apply(_ function: NamedFunction, _ x: Tensor) throws -> Tensor {
        guard let row = function.row else { return try write(take([("x", x.sizes)]) { try function($0[0], Pass()) }, [x]) }
        return try self.row(row, cast(x, isBool: false), function.settings.map { ($0, nil) }, sizes: x.sizes)
    }

    private func scales(_ values: [Float]) throws -> String {
        let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> ($0 * 8)) } }
        return store("scales", .float, [values.count], bytes)
    }

    // MARK: Windows

    private func convolution(
        _ operation: String, _ x: Tensor, _ layer: any Layer, _ windows: Windows, _ groups: Int, _ prefix: String, _ sizes: [GraphSize]
    ) throws -> Tensor {
        let axes = windows.axes(over: x.sizes.dropFirst(2).map(\.fixed)) ?? []
        let parameters = try ["W", "b"].compactMap { name in try layer.array(named: name).map { try constant($0, named: prefix + name) } }
        let attributes = windowAttributes(
            windows.window, axes.map(\.stride), axes.map(\.dilation), before: axes.map(\.before), after: axes.map { max($0.after, $0.overhang) })
        return add(operation, [cast(x, isBool: false)] + parameters, attributes + [ONNXAttribute("group", .int(Int64(groups)))], sizes: sizes)
    }

    private func transposed(
        _ x: Tensor, _ layer: any Layer, _ windows: Windows, _ groups: Int, _ extra: [Int], _ prefix: String, _ sizes: [GraphSize]
    ) throws -> Tensor {
        let axes = windows.axes(over: sizes.dropFirst(2).map(\.fixed)) ?? []
        let parameters = try ["W", "b"].compactMap { name in try layer.array(named: name).map { try constant($0, named: prefix + name) } }
        // What the result has beyond the last window.
        let more = axes.enumerated().map { index, axis in
            axis.size - ((x.sizes[index + 2].fixed - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1 - axis.before - axis.after)
        }
        let attributes =
            windowAttributes(windows.window, axes.map(\.stride), axes.map(\.dilation), before: axes.map(\.before), after: axes.map(\.after))
            + [ONNXAttribute("group", .int(Int64(groups))), ONNXAttribute("output_padding", .ints(more.map { Int64($0) }))]
        return add("ConvTranspose", [cast(x, isBool: false)] + parameters, attributes, sizes: sizes)
    }

    private func largest(_ x: Tensor, _ windows: Windows, _ ceil: Bool, _ sizes: [GraphSize]) throws -> Tensor {
        let axes = windows.axes(over: x.sizes.dropFirst(2).map(\.fixed), ceil: ceil) ?? []
        let before = axes.map(\.before), after = axes.map { max($0.after, $0.overhang) }
        func pool(_ x: Tensor, _ before: [Int], _ after: [Int]) -> Tensor {
            add("MaxPool", [x], windowAttributes(windows.window, axes.map(\.stride), axes.map(\.dilation), before: before, after: after), sizes: sizes)
        }
        let isSmall = zip(axes, zip(before, after)).allSatisfy { $1.0 < $0.window && $1.1 < $0.window }
        if isSmall { return pool(x, before, after) }
        // Runtimes take no padding as wide as the window.
        let pads = [0, 0] + before + [0, 0] + after
        let padded = add(
            "Pad", [x, try wholes(pads), try number(-.infinity)], sizes: x.sizes.enumerated().map { $1 + (pads[$0] + pads[$0 + x.rank]) })
        return pool(padded, axes.map { _ in 0 }, axes.map { _ in 0 })
    }

    private func mean(_ x: Tensor, _ windows: Windows, _ ceil: Bool, _ countsPadding: Bool, _ sizes: [GraphSize]) throws -> Tensor {
        let axes = windows.axes(over: x.sizes.dropFirst(2).map(\.fixed), ceil: ceil) ?? []
        let counts = axes.map { axis in (0..<axis.places).map { axis.counted(from: $0, withPadding: countsPadding) } }
        let before = axes.map(\.before), after = axes.map { max($0.after, $0.overhang) }
        let isEven = zip(counts, axes).allSatisfy { counts, axis in counts.allSatisfy { $0 == axis.window } }
        let isPlain = zip(axes, zip(before, after)).allSatisfy { $1.0 < $0.window && $1.1 < $0.window && $0.dilation == 1 && $1.1 == $0.after }
        if isPlain, isEven || !countsPadding {
            let attributes = windowAttributes(windows.window, axes.map(\.stride), axes.map(\.dilation), before: before, after: after)
            return add(
                "AveragePool", [x], attributes.filter { $0.name != "dilations" } + [ONNXAttribute("count_include_pad", .int(countsPadding ? 1 : 0))],
                sizes: sizes)
        }
        // Sums, by a convolution of each channel with ones, over how many elements count.
        let channels = x.sizes[1].fixed
        let ones = try constant(NDArray.full(1, shape: [channels, 1] + windows.window, type: numbers))
        var result = add(
            "Conv", [x, ones],
            windowAttributes(windows.window, axes.map(\.stride), axes.map(\.dilation), before: before, after: after)
                + [ONNXAttribute("group", .int(Int64(channels)))], sizes: sizes)
        for (index, counts) in counts.enumerated() {
            let shape = [counts.count] + [Int](repeating: 1, count: axes.count - 1 - index)
            result = map("Div", [result, try constant(NDArray(counts.map(Double.init), shape: shape))])
        }
        return result
    }

    // MARK: Sequences

    /// softmax(q kᵀ/√d) v for each head.
    private func attend(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool) throws -> Tensor {
        let (rows, size) = (q.sizes[0], q.sizes[2].fixed), width = size / heads, steps = q.sizes[1]
        func parts(_ x: Tensor, _ order: [Int]) throws -> Tensor {
            transpose(try reshape(x, [rows, x.sizes[1], GraphSize(fixed: heads), GraphSize(fixed: width)]), order)
        }
        let square = [rows, GraphSize(fixed: heads), steps, steps]
        let products = add("MatMul", [try parts(q, [0, 2, 1, 3]), try parts(k, [0, 2, 3, 1])], sizes: square)
        var scores = map("Mul", [products, try number(1 / Double(width).squareRoot())])
        if causal {
            let count = steps.fixed, seen = (0..<count).flatMap { query in (0..<count).map { $0 <= query } }
            let mask = try constant(NDArray(bools: seen, shape: [count, count]))
            scores = add("Where", [mask, scores, try number(-.infinity)], sizes: square)
        }
        let shares = map("Softmax", [scores], [ONNXAttribute("axis", .int(-1))])
        let seen = add("MatMul", [shares, try parts(v, [0, 2, 1, 3])], sizes: [rows, GraphSize(fixed: heads), steps, GraphSize(fixed: width)])
        return try reshape(transpose(seen, [0, 2, 1, 3]), [rows, steps, GraphSize(fixed: size)])
    }

    /// ONNX has time before rows, matrices from the left, and gates in an order of its own.
    private func recurrent(
        _ x: Tensor, _ layer: any Layer, _ cell: LayerForm.RecurrentCell, _ givesSequences: Bool, _ prefix: String, _ sizes: [GraphSize]
    ) throws -> Tensor {
        let operation: String, order: [Int]
        var attributes: [ONNXAttribute] = []
        switch cell {
        case .plain(let activation):
            guard let name = GraphWriter.cellActivations[activation.row?.name ?? ""] else { return try traced(layer, x, prefix) }
            (operation, order) = ("RNN", [0])
            attributes.append(ONNXAttribute("activations", .strings([Array(name.utf8)])))
        case .gru:
            (operation, order) = ("GRU", [1, 0, 2])
            attributes.append(ONNXAttribute("linear_before_reset", .int(1)))
        case .lstm: (operation, order) = ("LSTM", [0, 3, 1, 2])
        }
        guard let weights = layer.array(named: "U"), let fromInput = layer.array(named: "W") else { return x }
        let units = weights.shape[0]
        attributes.append(ONNXAttribute("hidden_size", .int(Int64(units))))
        func gates(_ array: NDArray) throws -> NDArray {
            let parts = try array.split(parts: order.count, axis: array.rank - 1)
            let all = try NDArray.concatenated(order.map { parts[$0] }, axis: array.rank - 1)
            return try all.rank > 1 ? all.matrixTransposed().reshaped(to: [1, all.shape[1], all.shape[0]]) : all
        }
        var inputs = [
            transpose(x, [1, 0, 2]).name, try constant(gates(fromInput), named: prefix + "W").name, try constant(gates(weights), named: prefix + "U").name,
        ]
        if let b = layer.array(named: "b"), let own = layer.array(named: "bU") {
            let both = try NDArray.concatenated([gates(b), gates(own)], axis: 0)
            inputs.append(try constant(both.reshaped(to: [1, both.count]), named: prefix + "b").name)
        }
        let results = list.add(
            operation, inputs, attributes, hints: givesSequences ? [list.prefix + "states"] : ["", list.prefix + "state"])
        // (steps, directions, rows, units), or (directions, rows, units)
        if givesSequences {
            let states = Tensor(name: results[0], sizes: [x.sizes[1], GraphSize(fixed: 1), x.sizes[0], GraphSize(fixed: units)], isBool: false)
            let single = add("Squeeze", [states, try wholes([1])], sizes: [x.sizes[1], x.sizes[0], GraphSize(fixed: units)])
            return transpose(single, [1, 0, 2])
        }
        let last = Tensor(name: results[1], sizes: [GraphSize(fixed: 1), x.sizes[0], GraphSize(fixed: units)], isBool: false)
        return add("Squeeze", [last, try wholes([0])], sizes: sizes)
    }

    /// Those that ONNX's RNN knows with act's definition.
    private static let cellActivations = ["tanh": "Tanh", "relu": "Relu", "sigmoid": "Sigmoid", "softsign": "Softsign"]
}
