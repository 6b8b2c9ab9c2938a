// Layers as statements of JAX, which has no layers of its own.
//
// What must stay true: a layer does there what it does here outside training.

import ActArray
import ActGrad
import ActNetwork
import ActNeural

extension PythonWriter {
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
        func weight(_ name: String) -> String { PythonWriter.weight(prefix + name) }
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
            let biases = hasBias ? (weight("b"), weight("bU")) : ("0.0", "0.0"), last = givesSequences ? "" : "[:, -1]"
            return ["x = recurrent(\(step), x, \(weight("W")), \(biases.0), \(weight("U")), \(biases.1))\(last)"]
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
        let (graph, inputs) = try layer.graph(of: sizes, type: .f32, keeping: PythonWriter.keeps)
        let arrays = Array(zip(layer.parameterNames + layer.stateNames, layer.parameters + layer.state))
        func weight(_ name: String) -> String { PythonWriter.weight(name) }
        let body = try self.body(of: graph, ["x"] + inputs.map { weight(prefix + $0.name) }) { [self] array in
            let known = arrays.first { $0.1.identity == array.identity }.map { prefix + $0.0 }
            return Python(weight(known ?? store(array)))
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
