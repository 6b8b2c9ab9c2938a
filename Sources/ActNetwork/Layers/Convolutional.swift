// Convolutions and their ways backwards, over sequences (rows, channels, length), images (rows, channels, height, width) and volumes (rows,
// channels, depth, height, width): one layer of 1, 2 or 3 axes.

import ActArray
import ActNeural
import ActRandom
import ActRows

/// activation(x * W + b), with * the cross-correlation that the field calls convolution; or with its adjoint, in which each pixel lays a window
/// of weights, times its value, on a larger image.
package struct Convolutional: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package let initializer: Initializer?
    package var parameters: [NDArray]
    private let kind: Kind
    private let inputs, outputs, groups: Int
    private let windows: Windows
    private let activation: NamedFunction
    private let weightType: ElementType

    fileprivate enum Kind: Equatable {
        case forwards
        /// With so many pixels more at the end of each axis.
        case backwards(extra: [Int])
    }

    fileprivate init(
        _ settings: LayerSettings, _ kind: Kind, inputs: Int, outputs: Int, _ windows: Windows, groups: Int, _ activation: NamedFunction,
        _ initializer: Initializer,
        hasBias: Bool, type: ElementType, _ random: inout RandomSource
    ) throws {
        self.settings = settings
        self.type = type
        weightType = type
        self.initializer = initializer
        self.activation = activation
        (self.kind, self.inputs, self.outputs, self.windows, self.groups) = (kind, inputs, outputs, windows, groups)
        let shape = kind == .forwards ? [outputs, inputs / groups] : [inputs, outputs / groups]
        // What cannot be counted is refused before it is multiplied.
        let (fanIn, fanOut) = try (Shapes.count([inputs / groups] + windows.window), Shapes.count([outputs / groups] + windows.window))
        parameters = [try initializer(shape: shape + windows.window, fanIn: fanIn, fanOut: fanOut, type: type, &random)]
        if hasBias { parameters.append(try NDArray.full(0, shape: [outputs], type: type)) }
    }

    package var form: LayerForm {
        switch kind {
        case .forwards: .convolution(windows, groups: groups, activation)
        case .backwards(let extra): .transposedConvolution(windows, groups: groups, extra: extra, activation)
        }
    }
    package var parameterNames: [String] { parameters.count > 1 ? ["W", "b"] : ["W"] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == windows.rank + 2, x.shape[1] == inputs else { throw unfit(x, needs: .windowed(axes: windows.rank, channels: inputs)) }
        let x = try x.converted(to: weightType)
        var sum: NDArray?
        switch kind {
        case .forwards:
            sum = try x.convolved(with: parameters[0], windows, groups: groups)
            if sum == nil { throw unfit(x, needs: .room(windows.leastSizes, everyWindow: false)) }
        case .backwards(let extra):
            sum = try x.convolvedBack(with: parameters[0], windows, groups: groups, extra: extra)
            if sum == nil { throw unfit(x, needs: .pixelLeft(axes: windows.rank)) }
        }
        guard var sum else { return x }
        if parameters.count > 1 { sum = try sum + parameters[1].reshaped(to: [outputs] + [Int](repeating: 1, count: windows.rank)) }
        return try activation(sum, pass)
    }
}

extension LayerRows {
    private static let windows = """
        `kernel`, `stride`, `padding` and `dilation` (how far apart the pixels of a window lie) are numbers, or lists of one for each axis; a \
        `padding` may be a pair (before, after), and "same" \
        adds as many zeros as keep the size, or the share of it that `stride` leaves. Each of the `groups` of outputs sees its own part of the inputs.
        """

    static let convolutionRows: [LayerRow] = [
        convolution(
            1, "a layer of units that see a small window of a sequence each, all with the same weights",
            details:
                "Sequences have the shape (rows, channels, length), W (outputs, inputs/groups, kernel). `padding` adds zeros at the ends: ((kernel - 1) dilation, 0) looks back alone.",
            example:
                "shape(Conv1D(2, 6, 5, relu, padding=\"same\")(ones(3, 2, 9)))   # (3, 6, 9)\nshape(Conv1D(2, 6, 5, padding=(4, 0))(ones(3, 2, 9)))   # (3, 6, 9)"
        ),
        convolution(
            2, "a layer of units that see a small window of the image each, all with the same weights",
            details: images + " W has the shape (outputs, inputs/groups, kernel, kernel). `padding` adds zeros around.",
            example:
                "shape(Conv2D(1, 6, 5, relu, padding=2)(ones(3, 1, 8, 8)))   # (3, 6, 8, 8)\nshape(Conv2D(4, 8, (3, 5), groups=2, dilation=2)(ones(3, 4, 9, 9)))   # (3, 8, 5, 1)"
        ),
        convolution(
            3, "a layer of units that see a small window of a volume each, all with the same weights",
            details:
                "Volumes have the shape (rows, channels, depth, height, width), W (outputs, inputs/groups, kernel, kernel, kernel). `padding` adds zeros around.",
            example: "shape(Conv3D(1, 6, (1, 3, 3), stride=(1, 2, 2))(ones(3, 1, 4, 9, 9)))   # (3, 6, 4, 4, 4)"),
        transposed(
            1, "makes sequences longer: each number lays a window of weights, times its value, on the result",
            example: "shape(ConvTranspose1D(4, 2, 2, stride=2)(ones(3, 4, 8)))   # (3, 2, 16)"),
        transposed(
            2, "makes images larger: each pixel lays a window of weights, times its value, on the result",
            example: "shape(ConvTranspose2D(4, 2, 2, stride=2)(ones(3, 4, 8, 8)))   # (3, 2, 16, 16)"),
        transposed(
            3, "makes volumes larger: each pixel lays a window of weights, times its value, on the result",
            example: "shape(ConvTranspose3D(4, 2, 2, stride=(1, 2, 2))(ones(3, 4, 1, 8, 8)))   # (3, 2, 2, 16, 16)"),
    ]

    private static func convolution(_ rank: Int, _ summary: String, details: String, example: String) -> LayerRow {
        row("Conv\(rank)D", rank, summary, details: "\(details) \(windows)", example: example, isTransposed: false)
    }

    private static func transposed(_ rank: Int, _ summary: String, example: String) -> LayerRow {
        let details = """
            W has the shape (inputs, outputs/groups, kernel …). A side of n pixels becomes (n - 1) stride - 2 padding + (kernel - 1) dilation + 1 + \
            output_padding: with kernel=2 and stride=2 twice as long. \
            Each setting is a number or a list of one for each axis, as in Conv\(rank)D.
            """
        return row("ConvTranspose\(rank)D", rank, summary, details: details, example: example, isTransposed: true)
    }

    private static func row(_ name: String, _ rank: Int, _ summary: String, details: String, example: String, isTransposed: Bool) -> LayerRow {
        LayerRow(name, summary, details: details, example: example) { takes in
            let inputs = takes.size("inputs"), outputs = takes.size("outputs"), kernel = takes.sizes("kernel", rank: rank, default: 3)
            let activation = takes.activation(), stride = takes.sizes("stride", rank: rank, default: 1), padding = takes.windowPadding(rank: rank)
            let extra = isTransposed ? takes.sizes("output_padding", rank: rank, default: 0, least: 0) : nil
            let dilation = takes.sizes("dilation", rank: rank, default: 1), groups = takes.size("groups", default: 1)
            let initializer = takes.initializer(), bias = takes.flag("bias", default: true), type = takes.floatType()
            return { settings, random in
                let activation = try settings[activation], stride = try settings.sizes(stride, rank: rank),
                    more = try extra.map { try settings.sizes($0, rank: rank) }
                for (name, count) in [("inputs", try settings[inputs]), ("outputs", try settings[outputs])] where try count % settings[groups] != 0 {
                    throw NetworkError.setting(owner: settings.kind, name: "groups", .divisor(of: name, count))
                }
                for (extra, stride) in zip(more ?? [], stride) where extra >= stride {
                    throw NetworkError.setting(owner: settings.kind, name: "output_padding", .lessThan("stride", stride))
                }
                let windows = try Windows(
                    window: settings.sizes(kernel, rank: rank), stride: stride, padding: settings.padding(padding, rank: rank),
                    dilation: settings.sizes(dilation, rank: rank))
                return try Convolutional(
                    settings, more.map { .backwards(extra: $0) } ?? .forwards, inputs: settings[inputs], outputs: settings[outputs], windows,
                    groups: settings[groups], activation,
                    settings[initializer, automatic: activation.weights], hasBias: settings[bias], type: settings[type], &random)
            }
        }
    }
}
