// Layers that make images larger, or one number of each channel: ConvTranspose2D, Upsample2D, GlobalAvgPool. Images are shaped (rows of the
// batch, channels, height, width).

import ActArray
import ActGrad
import ActRandom
import ActRows

/// The way of Conv2D backwards: each pixel lays a window of weights, times its value, on the larger image. activation(that + b).
package struct ConvTranspose2D: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package let initializer: Initializer?
    package var parameters: [NDArray]
    private let inputs, outputs, size, stride, padding, outputPadding: Int
    private let activation: NamedFunction
    private let weightType: ElementType

    fileprivate init(
        _ settings: LayerSettings, inputs: Int, outputs: Int, size: Int, _ activation: NamedFunction, stride: Int, padding: Int, outputPadding: Int,
        _ initializer: Initializer, hasBias: Bool, type: ElementType, _ random: inout RandomSource
    ) throws {
        self.settings = settings
        self.type = type
        weightType = type
        self.initializer = initializer
        self.activation = activation
        (self.inputs, self.outputs, self.size, self.stride, self.padding, self.outputPadding) = (inputs, outputs, size, stride, padding, outputPadding)
        let area = size * size
        parameters = [try initializer(shape: [inputs, outputs, size, size], fanIn: inputs * area, fanOut: outputs * area, type: type, &random)]
        if hasBias { parameters.append(try NDArray.full(0, shape: [outputs], type: type)) }
    }

    package var parameterNames: [String] { parameters.count > 1 ? ["W", "b"] : ["W"] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 4, x.shape[1] == inputs else { throw unfit(x, needs: "images of shape (rows, \(inputs), height, width)") }
        func length(_ pixels: Int) -> Int { (pixels - 1) * stride - 2 * padding + size + outputPadding }
        let image = [x.shape[0], outputs, length(x.shape[2]), length(x.shape[3])]
        guard x.shape[2] > 0, x.shape[3] > 0, image[2] > 0, image[3] > 0,
            let shape = ConvolutionShape(images: image, weights: parameters[0].shape, stride: stride, padding: padding, groups: 1)
        else { throw unfit(x, needs: "images that leave a pixel at least: here they would become \(image[2]) by \(image[3])") }
        var sum = try Convolution.images(x.converted(to: weightType), parameters[0], shape)
        if parameters.count > 1 { sum = try sum + parameters[1].reshaped(to: [outputs, 1, 1]) }
        return try activation(sum, pass)
    }
}

/// Images `factor` times as high and wide.
package struct Upsample2D: Layer {
    package enum Mode: String, Choice {
        /// Each pixel again and again.
        case nearest
        /// Straight lines between the middles of pixels, level beyond the outermost ones.
        case bilinear
    }

    package let settings: LayerSettings
    fileprivate let factor: Int
    fileprivate let mode: Mode

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 4 else { throw unfit(x, needs: "images of shape (rows, channels, height, width)") }
        if factor == 1 { return x }
        if mode == .nearest { return try x.repeated(factor, axis: 2).repeated(factor, axis: 3) }
        return try stretched(stretched(x.type == .bool ? x.converted(to: .f32) : x, axis: 2), axis: 3)
    }

    /// Along one axis, by straight lines.
    private func stretched(_ x: NDArray, axis: Int) throws -> NDArray {
        let size = x.shape[axis], target = size * factor
        guard size > 0 else { return try x.repeated(factor, axis: axis) }
        try MemoryPool.allow(target &* 64)
        var (low, high, shares) = ([Double](), [Double](), [Double]())
        for place in 0..<target {
            let source = max(0, (Double(place) + 0.5) / Double(factor) - 0.5), below = min(size - 1, Int(source))
            low.append(Double(below))
            high.append(Double(min(size - 1, below + 1)))
            shares.append(source - Double(below))
        }
        func pixels(_ places: [Double]) throws -> NDArray {
            let all = NDArray.Index.slice(start: nil, stop: nil, step: nil)
            return try x.indexed(by: [NDArray.Index](repeating: all, count: axis) + [.array(NDArray(places, shape: [target]))])
        }
        var unit = [Int](repeating: 1, count: 4)
        unit[axis] = target
        let share = try NDArray(shares, shape: unit).converted(to: x.type), first = try pixels(low)
        return try first + share * (pixels(high) - first)
    }
}

/// The mean of each channel.
package struct GlobalAvgPool: Layer {
    package let settings: LayerSettings

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank >= 3, x.shape.dropFirst(2).allSatisfy({ $0 > 0 }) else { throw unfit(x, needs: "images or sequences of shape (rows, channels, …)") }
        return try (x.type == .bool ? x.converted(to: .f32) : x).mean(axes: Array(2..<x.rank))
    }
}

extension LayerRows {
    static let resizingRows: [LayerRow] = [
        LayerRow(
            "ConvTranspose2D", "makes images larger: each pixel lays a window of weights, times its value, on the result",
            details: "W has the shape (inputs, outputs, kernel, kernel). A side of n pixels becomes (n - 1) stride - 2 padding + kernel + output_padding: with kernel=2 and stride=2 twice as long.",
            example: "shape(ConvTranspose2D(4, 2, 2, stride=2)(ones(3, 4, 8, 8)))   # (3, 2, 16, 16)"
        ) { takes in
            let inputs = takes.size("inputs"), outputs = takes.size("outputs"), kernel = takes.size("kernel", default: 3, most: 1 << 15)
            let activation = takes.activation(), stride = takes.size("stride", default: 1, most: 1 << 15), padding = takes.size("padding", default: 0, least: 0, most: 1 << 15)
            let extra = takes.size("output_padding", default: 0, least: 0, most: 1 << 15)
            let initializer = takes.initializer(), bias = takes.flag("bias", default: true), type = takes.floatType()
            return { settings, random in
                let activation = try settings[activation], stride = try settings[stride], extra = try settings[extra]
                guard extra < stride else { throw NetworkError.setting(owner: "ConvTranspose2D", name: "output_padding", reason: "less than stride, \(stride)") }
                return try ConvTranspose2D(
                    settings, inputs: settings[inputs], outputs: settings[outputs], size: settings[kernel], activation, stride: stride, padding: settings[padding],
                    outputPadding: extra, settings[initializer, automatic: activation.weights], hasBias: settings[bias], type: settings[type], &random)
            }
        },
        LayerRow(
            "Upsample2D", "makes images `factor` times as high and wide, by repeated pixels or by straight lines between them",
            details: "`mode=\"bilinear\"` goes in straight lines between the middles of pixels.",
            example: "Upsample2D()(reshape([1, 2], 1, 1, 1, 2)).reshape(2, 4)   # [[1, 1, 2, 2],\n# [1, 1, 2, 2]]"
        ) { takes in
            let factor = takes.size("factor", default: 2, most: 1 << 15), mode = takes.choice("mode", default: Upsample2D.Mode.nearest)
            return { settings, _ in Upsample2D(settings: settings, factor: try settings[factor], mode: try settings[mode]) }
        },
        LayerRow(
            "GlobalAvgPool", "the mean of each channel of images or sequences: one row of numbers each",
            example: "GlobalAvgPool()(reshape(range(8), 1, 2, 2, 2))   # [[1.5, 5.5]]"
        ) { _ in { settings, _ in GlobalAvgPool(settings: settings) } },
    ]
}
