// Convolutions: Conv1D over sequences (rows, channels, length), Conv2D over images (rows, channels, height, width).

import ActArray
import ActRandom
import ActRows

/// activation(x * W + b), with * the cross-correlation that the field calls convolution.
package struct Convolutional: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package let initializer: Initializer?
    package var parameters: [NDArray]
    /// How many axes a window has: 1 or 2.
    private let rank: Int
    private let inputs, outputs, size, stride, padding: Int
    private let activation: NamedFunction
    private let weightType: ElementType

    fileprivate init(
        _ settings: LayerSettings, rank: Int, inputs: Int, outputs: Int, size: Int, _ activation: NamedFunction, stride: Int, padding: Int,
        _ initializer: Initializer, hasBias: Bool, type: ElementType, _ random: inout RandomSource
    ) throws {
        self.settings = settings
        self.type = type
        weightType = type
        self.initializer = initializer
        self.activation = activation
        self.rank = rank
        (self.inputs, self.outputs, self.size, self.stride, self.padding) = (inputs, outputs, size, stride, padding)
        let window = [Int](repeating: size, count: rank), area = window.reduce(1, *)
        parameters = [try initializer(shape: [outputs, inputs] + window, fanIn: inputs * area, fanOut: outputs * area, type: type, &random)]
        if hasBias { parameters.append(try NDArray.full(0, shape: [outputs], type: type)) }
    }

    package var parameterNames: [String] { parameters.count > 1 ? ["W", "b"] : ["W"] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == rank + 2, x.shape[1] == inputs else {
            throw unfit(x, needs: rank == 1 ? "sequences of shape (rows, \(inputs), length)" : "images of shape (rows, \(inputs), height, width)")
        }
        let x = try x.converted(to: weightType)
        var sum = try rank == 1 ? alongSequences(x) : overImages(x)
        if parameters.count > 1 { sum = try sum + parameters[1].reshaped(to: [outputs] + [Int](repeating: 1, count: rank)) }
        return try activation(sum, pass)
    }

    /// A sequence is an image one pixel high, which gets zeros at its ends alone.
    private func alongSequences(_ x: NDArray) throws -> NDArray {
        let padded = try x.padded([(0, 0), (0, 0), (padding, padding)]).expandedDims(2), weights = try parameters[0].expandedDims(2)
        guard let shape = ConvolutionShape(images: padded.shape, weights: weights.shape, stride: stride, padding: 0, groups: 1) else {
            throw unfit(x, needs: "sequences of length \(max(1, size - 2 * padding)) at least")
        }
        return try Convolution.result(padded, weights, shape).squeezed([2])
    }

    private func overImages(_ x: NDArray) throws -> NDArray {
        guard let shape = ConvolutionShape(images: x.shape, weights: parameters[0].shape, stride: stride, padding: padding, groups: 1) else {
            throw unfit(x, needs: "images of at least \(size - 2 * padding) by \(size - 2 * padding) pixels")
        }
        return try Convolution.result(x, parameters[0], shape)
    }
}

extension LayerRows {
    static let convolutionRows: [LayerRow] = [
        convolution(
            "Conv1D", rank: 1, "a layer of units that see a small window of a sequence each, all with the same weights",
            details: "Sequences have the shape (rows, channels, length). W has the shape (outputs, inputs, kernel). `padding` adds zeros at both ends.",
            example: "shape(Conv1D(2, 6, 5, relu, padding=2)(ones(3, 2, 9)))   # (3, 6, 9)"),
        convolution(
            "Conv2D", rank: 2, "a layer of units that see a small window of the image each, all with the same weights",
            details: images + " W has the shape (outputs, inputs, kernel, kernel). `padding` adds zeros around.",
            example: "shape(Conv2D(1, 6, 5, relu, padding=2)(ones(3, 1, 8, 8)))   # (3, 6, 8, 8)"),
    ]

    private static func convolution(_ name: String, rank: Int, _ summary: String, details: String, example: String) -> LayerRow {
        LayerRow(name, summary, details: details, example: example) { takes in
            let inputs = takes.size("inputs"), outputs = takes.size("outputs"), kernel = takes.size("kernel", default: 3, most: 1 << 15)
            let activation = takes.activation(), stride = takes.size("stride", default: 1), padding = takes.size("padding", default: 0, least: 0, most: 1 << 15)
            let initializer = takes.initializer(), bias = takes.flag("bias", default: true), type = takes.floatType()
            return { settings, random in
                let activation = try settings[activation]
                return try Convolutional(
                    settings, rank: rank, inputs: settings[inputs], outputs: settings[outputs], size: settings[kernel], activation, stride: settings[stride],
                    padding: settings[padding], settings[initializer, automatic: activation.weights], hasBias: settings[bias], type: settings[type], &random)
            }
        }
    }
}
