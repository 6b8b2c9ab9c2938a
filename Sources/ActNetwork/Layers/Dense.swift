// Layers that mix every input into every output: Dense, Maxout, and the learned slope PReLU.

import ActArray
import ActGrad
import ActRandom
import ActRows

/// activation(x @ W + b)
package struct Dense: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package let activation: NamedFunction
    package let initializer: Initializer?
    package let inputShape: [Int]?
    package let width: Width
    package var parameters: [NDArray]
    private let weightType: ElementType

    fileprivate init(
        _ settings: LayerSettings, inputs: Int, outputs: Int, _ activation: NamedFunction, _ initializer: Initializer, hasBias: Bool, type: ElementType,
        _ random: inout RandomSource
    ) throws {
        self.settings = settings
        self.type = type
        weightType = type
        self.activation = activation
        self.initializer = initializer
        inputShape = [inputs]
        width = activation.keepsWidth ? .of(outputs) : .unknown
        parameters = [try initializer(shape: [inputs, outputs], fanIn: inputs, fanOut: outputs, type: type, &random)]
        if hasBias { parameters.append(try NDArray.full(0, shape: [outputs], type: type)) }
    }

    package var form: LayerForm { .dense(activation) }
    package var parameterNames: [String] { parameters.count > 1 ? ["W", "b"] : ["W"] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let inputs = parameters[0].shape[0]
        guard x.shape.last == inputs else { throw unfit(x, needs: .ending([inputs])) }
        var sum = try NDArray.matmul(x.converted(to: weightType), parameters[0])
        if parameters.count > 1 { sum = try sum + parameters[1] }
        return try activation(sum, pass)
    }
}

/// The largest of several linear functions of the input.
package struct Maxout: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package let initializer: Initializer?
    package let inputShape: [Int]?
    package let width: Width
    package var parameters: [NDArray]
    private let weightType: ElementType

    fileprivate init(
        _ settings: LayerSettings, inputs: Int, outputs: Int, pieces: Int, _ initializer: Initializer, type: ElementType, _ random: inout RandomSource
    ) throws {
        self.settings = settings
        self.type = type
        weightType = type
        self.initializer = initializer
        inputShape = [inputs]
        width = .of(outputs)
        let weights = try (0..<pieces).map { _ in
            try initializer(shape: [inputs, outputs], fanIn: inputs, fanOut: outputs, type: type, &random)
        }
        parameters = [try NDArray.stacked(weights), try NDArray.full(0, shape: [pieces, outputs], type: type)]
    }

    package var form: LayerForm { .maxout }
    package var parameterNames: [String] { ["W", "b"] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let inputs = parameters[0].shape[1]
        guard x.shape.last == inputs, let row = Activations.named("maxout") else { throw unfit(x, needs: .ending([inputs])) }
        return try row.apply(x.converted(to: weightType), [.array(parameters[0]), .array(parameters[1])])
    }
}

/// x where it is positive, elsewhere alpha x, with alpha learned: one for all, or one a channel.
package struct PReLU: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]

    fileprivate init(_ settings: LayerSettings, count: Int, type: ElementType) throws {
        self.settings = settings
        self.type = type
        parameters = [try NDArray.full(0.25, shape: [count], type: type)]
    }

    package var form: LayerForm { .prelu }
    package var parameterNames: [String] { ["alpha"] }
    package var width: Width { .same }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let alpha = try channelwise(parameters[0], for: x) { unfit(x, needs: $0) }
        return try NDArray.binary(.leaky, .array(x.converted(to: alpha.type)), .array(alpha))
    }
}

/// One number a channel, shaped to meet its channel: the last axis of rows, axis 1 of images.
func channelwise(_ numbers: NDArray, for x: NDArray, _ fail: (InputNeed) -> NetworkError) throws -> NDArray {
    if numbers.count == 1 { return numbers }
    let axis = x.rank == 4 ? 1 : x.rank - 1
    guard axis >= 0, x.shape[axis] == numbers.count else { throw fail(.channelCount(numbers.count)) }
    return x.rank == 4 ? try numbers.reshaped(to: [numbers.count, 1, 1]) : numbers
}

extension LayerRows {
    static let denseRows: [LayerRow] = [
        LayerRow(
            "Dense", "a layer of units that see every input: activation(x @ W + b)",
            details:
                "W has the shape (inputs, outputs), b the shape (outputs,). `init` is one of \(Initializers.all.map(\.name).joined(separator: " ")); \"auto\" picks he_normal for the relu family, lecun_normal for selu, else glorot_uniform. Biases start at 0.",
            example: "net = Dense(4, 8, relu) >> Dense(8, 3)\nshape(net(ones(5, 4)))   # (5, 3)\nshape(net[0].W)   # (4, 8)"
        ) { takes in
            let inputs = takes.size("inputs"), outputs = takes.size("outputs"), activation = takes.activation(), initializer = takes.initializer()
            let bias = takes.flag("bias", default: true), type = takes.floatType()
            return { settings, random in
                let activation = try settings[activation]
                return try Dense(
                    settings, inputs: settings[inputs], outputs: settings[outputs], activation, settings[initializer, automatic: activation.weights],
                    hasBias: settings[bias],
                    type: settings[type], &random)
            }
        },
        LayerRow(
            "PReLU", "leaky_relu whose slope `alpha` is learned: one for all, or one for each of n channels",
            details: "alpha starts at 0.25. Channels are the last axis of rows and axis 1 of images.", example: "PReLU()([-4, 2])   # [-1, 2]"
        ) { takes in
            let count = takes.size("n", default: 1), type = takes.floatType()
            return { settings, _ in try PReLU(settings, count: settings[count], type: settings[type]) }
        },
        LayerRow(
            "Maxout", "the largest of several linear functions of the input",
            details: "W has the shape (pieces, inputs, outputs), b the shape (pieces, outputs).", example: "shape(Maxout(4, 3)(ones(5, 4)))   # (5, 3)"
        ) { takes in
            let inputs = takes.size("inputs"), outputs = takes.size("outputs"), pieces = takes.size("pieces", default: 2, most: 1 << 16)
            let initializer = takes.initializer(), type = takes.floatType()
            return { settings, random in
                let pieces = try settings[pieces]
                return try Maxout(
                    settings, inputs: settings[inputs], outputs: settings[outputs], pieces: pieces, settings[initializer, automatic: .he], type: settings[type],
                    &random)
            }
        },
    ]
}
