// Layers that mix every input into every output: Dense, Maxout, and the learned slope PReLU.

import ActArray
import ActGrad

/// activation(x @ W + b)
package struct Dense: Layer {
    package let inputs, outputs: Int
    package let activation: NamedFunction
    package let hasBias: Bool
    private let weightType: ElementType
    private let initializer: (name: String, isAutomatic: Bool)
    package var parameters: [NDArray]

    package init(
        _ inputs: Int, _ outputs: Int, _ activation: NamedFunction = .identity, initializer: (row: Initializer, isAutomatic: Bool), hasBias: Bool = true,
        type: ElementType = .f32, _ random: inout RandomSource
    ) throws {
        self.inputs = inputs
        self.outputs = outputs
        self.activation = activation
        self.hasBias = hasBias
        weightType = type
        self.initializer = (initializer.row.name, initializer.isAutomatic)
        parameters = [try initializer.row(shape: [inputs, outputs], fanIn: inputs, fanOut: outputs, type: type, &random)]
        if hasBias { parameters.append(try NDArray.full(0, shape: [outputs], type: type)) }
    }

    package var kind: String { "Dense" }
    package var type: ElementType? { weightType }
    package var parameterNames: [String] { hasBias ? ["W", "b"] : ["W"] }
    package var inputShape: [Int]? { [inputs] }

    package var settings: [LayerSetting] {
        [
            LayerSetting("inputs", .whole(inputs)), LayerSetting("outputs", .whole(outputs)),
            LayerSetting("activation", .function(activation), isDefault: activation.name == "identity"),
            LayerSetting("init", .text(initializer.name), isDefault: initializer.isAutomatic),
            LayerSetting("bias", .flag(hasBias), isDefault: hasBias),
            LayerSetting("dtype", .text(weightType.name), isDefault: weightType == .f32),
        ]
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.shape.last == inputs else { throw unfit(x, needs: columns(inputs)) }
        var sum = try NDArray.matmul(x.converted(to: weightType), parameters[0])
        if hasBias { sum = try sum + parameters[1] }
        return try activation(sum, pass)
    }
}

/// The largest of several linear functions of the input.
package struct Maxout: Layer {
    let inputs, outputs, pieces: Int
    private let weightType: ElementType
    private let initializer: (name: String, isAutomatic: Bool)
    package var parameters: [NDArray]

    init(
        _ inputs: Int, _ outputs: Int, pieces: Int, initializer: (row: Initializer, isAutomatic: Bool), type: ElementType, _ random: inout RandomSource
    ) throws {
        self.inputs = inputs
        self.outputs = outputs
        self.pieces = pieces
        weightType = type
        self.initializer = (initializer.row.name, initializer.isAutomatic)
        let weights = try (0..<pieces).map { _ in
            try initializer.row(shape: [inputs, outputs], fanIn: inputs, fanOut: outputs, type: type, &random)
        }
        parameters = [try NDArray.stacked(weights), try NDArray.full(0, shape: [pieces, outputs], type: type)]
    }

    package var kind: String { "Maxout" }
    package var type: ElementType? { weightType }
    package var parameterNames: [String] { ["W", "b"] }
    package var inputShape: [Int]? { [inputs] }

    package var settings: [LayerSetting] {
        [
            LayerSetting("inputs", .whole(inputs)), LayerSetting("outputs", .whole(outputs)),
            LayerSetting("pieces", .whole(pieces), isDefault: pieces == 2),
            LayerSetting("init", .text(initializer.name), isDefault: initializer.isAutomatic),
            LayerSetting("dtype", .text(weightType.name), isDefault: weightType == .f32),
        ]
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.shape.last == inputs, let row = Activations.named("maxout") else { throw unfit(x, needs: columns(inputs)) }
        return try row.apply(x.converted(to: weightType), [.array(parameters[0]), .array(parameters[1])])
    }
}

/// x where it is positive, elsewhere alpha x, with alpha learned: one for all, or one a channel.
package struct PReLU: Layer {
    let count: Int
    private let weightType: ElementType
    package var parameters: [NDArray]

    init(_ count: Int, type: ElementType) throws {
        self.count = count
        weightType = type
        parameters = [try NDArray.full(0.25, shape: [count], type: type)]
    }

    package var kind: String { "PReLU" }
    package var type: ElementType? { weightType }
    package var parameterNames: [String] { ["alpha"] }

    package var settings: [LayerSetting] {
        [LayerSetting("n", .whole(count), isDefault: count == 1), LayerSetting("dtype", .text(weightType.name), isDefault: weightType == .f32)]
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let alpha = try channelwise(parameters[0], for: x) { unfit(x, needs: $0) }
        return try NDArray.binary(.leaky, .array(x.converted(to: weightType)), .array(alpha))
    }
}

/// One number a channel, shaped to meet its channel: the last axis of rows, axis 1 of images.
func channelwise(_ numbers: NDArray, for x: NDArray, _ fail: (String) -> NetworkError) throws -> NDArray {
    if numbers.count == 1 { return numbers }
    let axis = x.rank == 4 ? 1 : x.rank - 1
    guard axis >= 0, x.shape[axis] == numbers.count else { throw fail("\(numbers.count) channels") }
    return x.rank == 4 ? try numbers.reshaped(to: [numbers.count, 1, 1]) : numbers
}

extension LayerRows {
    static let denseRows: [LayerRow] = [
        LayerRow(
            "Dense(inputs, outputs, activation=identity, init=\"auto\", bias=true, dtype=\"f32\")", "a layer of units that see every input: activation(x @ W + b)",
            details: "W has the shape (inputs, outputs), b the shape (outputs,). `init` is one of \(Initializers.all.map(\.name).joined(separator: " ")); \"auto\" picks he_normal for the relu family, lecun_normal for selu, else glorot_uniform. Biases start at 0.",
            example: "net = Dense(4, 8, relu) >> Dense(8, 3)\nshape(net(ones(5, 4)))   # (5, 3)\nshape(net[0].W)   # (4, 8)"
        ) { settings, random in
            let activation = try settings.function("activation")
            return try Dense(
                settings.size("inputs"), settings.size("outputs"), activation, initializer: settings.initializer(for: activation.name),
                hasBias: settings.flag("bias", default: true), type: settings.type(), &random)
        },
        LayerRow(
            "PReLU(n=1, dtype=\"f32\")", "leaky_relu whose slope `alpha` is learned: one for all, or one for each of n channels",
            details: "alpha starts at 0.25. Channels are the last axis of rows and axis 1 of images.", example: "PReLU()([-4, 2])   # [-1, 2]"
        ) { settings, _ in try PReLU(settings.size("n", default: 1), type: settings.type()) },
        LayerRow(
            "Maxout(inputs, outputs, pieces=2, init=\"auto\", dtype=\"f32\")", "the largest of several linear functions of the input",
            details: "W has the shape (pieces, inputs, outputs), b the shape (pieces, outputs).", example: "shape(Maxout(4, 3)(ones(5, 4)))   # (5, 3)"
        ) { settings, random in
            let pieces = try settings.size("pieces", default: 2)
            guard pieces <= 1 << 16 else { throw settings.fail("pieces", "at most 65536") }
            return try Maxout(
                settings.size("inputs"), settings.size("outputs"), pieces: pieces, initializer: settings.initializer(for: "relu"),
                type: settings.type(), &random)
        },
    ]
}
