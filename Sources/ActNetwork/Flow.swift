// The views inside: what each layer makes of its input, and what reaches it on the way back.

import ActArray
import ActGrad
import ActLinear

package enum Flow {
    /// One layer on the way forward.
    package struct Activation {
        package let layer: String
        package let mean, deviation: Double
        /// The norm divided by the root of how many numbers there are.
        package let rms: Double
        /// The share of units that are 0 for every input; NaN without units.
        package let dead: Double
        /// The share of numbers within a hundredth of the activation's range of its limits; 0 for unbounded ones.
        package let saturated: Double
    }

    /// One layer on the way back.
    package struct Gradient {
        package let layer: String
        /// The norm of what reaches the layer's output.
        package let signal: Double
        /// The norms of the gradient of its parameters and of the parameters themselves; NaN without parameters.
        package let gradient, parameters: Double
    }

    package static func activations(_ network: Network, _ x: NDArray) throws -> [Activation] {
        var result: [Activation] = []
        let pass = Pass()
        pass.observer = { position, output in
            let layer = network.layers[position]
            result.append(try activation(layer, named: "\(position) \(layer.text)", output.numbers(of: layer)))
            return output
        }
        _ = try network(.array(x.detached()), pass)
        return result
    }

    private static func activation(_ layer: any Layer, named name: String, _ output: NDArray) throws -> Activation {
        let numbers = try output.converted(to: .f64)
        let mean = try numbers.mean().item(), deviation = try numbers.standardDeviation().item()
        var dead = Double.nan, saturated = 0.0
        if output.rank > 1, output.count > 0 {
            let largest = try NDArray.unary(.abs, numbers).reduced(.max, axes: [0])
            dead = try NDArray.compare(.eq, .array(largest), .number(0)).countNonzero().item() / Double(largest.count)
        }
        if let (low, high) = limits(of: layer), output.count > 0 {
            let margin = (high - low) / 100
            let isLow = try NDArray.compare(.lt, .array(numbers), .number(low + margin)),
                isHigh = try NDArray.compare(.gt, .array(numbers), .number(high - margin))
            saturated = try NDArray.logical(.or, isLow, isHigh).countNonzero().item() / Double(output.count)
        }
        return Activation(
            layer: name, mean: mean, deviation: deviation, rms: try numbers.norm().item() / Double(max(1, output.count)).squareRoot(), dead: dead,
            saturated: saturated)
    }

    /// The limits of an activation that has two.
    private static func limits(of layer: any Layer) -> (low: Double, high: Double)? {
        for function in layer.settings.functions {
            if let row = function.row, row.limits.low.isFinite, row.limits.high.isFinite {
                return row.limits.low < row.limits.high ? row.limits : nil
            }
        }
        return nil
    }

    package static func gradients(
        _ network: Network, x: NDArray, y: NDArray, loss: (NDArray, NDArray) throws -> NDArray
    ) throws -> [Gradient] {
        // The outputs once, for their shapes; then zeros are added to each, and the loss is differentiated in these too.
        var shapes: [(shape: [Int], type: ElementType)] = []
        // In training mode: that is what training sees.
        let look = Pass(isTraining: true)
        look.observer = { position, output in
            let numbers = try output.numbers(of: network.layers[position])
            shapes.append((numbers.shape, numbers.type == .bool ? .f64 : numbers.type))
            return output
        }
        let x = try x.detached()
        _ = try network(x, look)
        let probes = try shapes.map { try NDArray.full(0, shape: $0.shape, type: $0.type) }
        let parameters = network.parameters
        let gradients = try Derivative.valueAndGradient(
            of: { variables in
                var copy = network
                copy.parameters = Array(variables.prefix(parameters.count))
                let pass = Pass(isTraining: true)
                pass.observer = { position, output in .array(try output.numbers(of: network.layers[position]) + variables[parameters.count + position]) }
                let value = try loss(copy(x, pass), y)
                guard value.rank == 0 else { throw NetworkError.lossNotNumber(shape: value.shape) }
                return value
            }, at: parameters + probes
        ).gradients
        var next = 0
        return try network.layers.enumerated().map { position, layer in
            let count = layer.parameters.count
            let own = Array(gradients[next..<next + count])
            next += count
            return Gradient(
                layer: "\(position) \(layer.text)", signal: try OptimizerState.norm([gradients[parameters.count + position]]),
                gradient: count > 0 ? try OptimizerState.norm(own) : .nan, parameters: count > 0 ? try OptimizerState.norm(layer.parameters) : .nan)
        }
    }
}

extension Signal {
    /// - Throws: `NetworkError.endsInNoArray` where there are none.
    fileprivate func numbers(of layer: any Layer) throws -> NDArray {
        guard let array = try array else { throw NetworkError.endsInNoArray(layer: layer.text, found: kind) }
        return array
    }
}
