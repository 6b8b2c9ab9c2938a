// Layers for images, shaped (rows of the batch, channels, height, width): FReLU, pooling, Flatten.

import ActArray
import ActRandom
import ActRows

/// max(x, a 3 by 3 convolution of each channel): N. Ma, X. Zhang, J. Sun 2020, "Funnel activation for visual recognition".
package struct FReLU: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    private let channels: Int
    private let weightType: ElementType

    fileprivate init(_ settings: LayerSettings, channels: Int, type: ElementType, _ random: inout RandomSource) throws {
        self.settings = settings
        self.type = type
        self.channels = channels
        weightType = type
        parameters = [
            try Initializers.heNormal(shape: [channels, 1, 3, 3], fanIn: 9, fanOut: 9, type: type, &random), try NDArray.full(0, shape: [channels], type: type),
        ]
    }

    package var parameterNames: [String] { ["W", "b"] }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 4, x.shape[1] == channels,
            let shape = ConvolutionShape(images: x.shape, weights: parameters[0].shape, stride: 1, padding: 1, groups: channels)
        else { throw unfit(x, needs: "images of shape (rows, \(channels), height, width)") }
        let x = try x.converted(to: weightType)
        let funnel = try Convolution.result(x, parameters[0], shape) + parameters[1].reshaped(to: [channels, 1, 1])
        return try NDArray.binary(.max, .array(x), .array(funnel))
    }
}

/// The largest or the mean of each window.
package struct Pool2D: Layer {
    fileprivate enum Kind {
        case largest, mean
    }

    package let settings: LayerSettings
    fileprivate let kind: Kind
    fileprivate let size, stride: Int

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 4, x.shape[2] >= size, x.shape[3] >= size else {
            throw unfit(x, needs: "images of shape (rows, channels, height, width), at least \(size) by \(size) pixels")
        }
        let x = x.type == .bool ? try x.converted(to: .f32) : x
        if kind == .mean { return try mean(x) }
        let target = target(x.shape)
        let winners = x.type == .f32 ? try winners(x, target, Float.self) : try winners(x, target, Double.self)
        let value = try x.detached().gathered(GatherIndices(starts: winners, chunk: 1), shape: target)
        return try NDArray.custom(LargestOfWindows(winners, size: size, stride: stride), inputs: [x], value: value)
    }

    private func target(_ shape: [Int]) -> [Int] { [shape[0], shape[1], (shape[2] - size) / stride + 1, (shape[3] - size) / stride + 1] }

    /// Where the largest element of each window is: of equal ones the first; the first NaN wins.
    private func winners<T: BinaryFloatingPoint>(_ x: NDArray, _ target: [Int], _: T.Type) throws -> [Int] {
        let (height, width) = (x.shape[2], x.shape[3]), (rows, columns) = (target[2], target[3])
        let planes = target[0] * target[1], total = planes * rows * columns
        try MemoryPool.allow(total * MemoryLayout<Int>.size)
        return try x.detached().withContiguous(of: T.self) { pixels in
            try [Int](unsafeUninitializedCapacity: total) { places, count in
                let places = places.baseAddress
                func fill(_ plane: Int) throws {
                    guard let places else { return }
                    var next = plane &* rows &* columns
                    for row in 0..<rows {
                        try Interrupt.check()
                        for column in 0..<columns {
                            let corner = (plane &* height &+ row &* stride) &* width &+ column &* stride
                            var best = corner, largest = pixels[corner]
                            for i in 0..<size {
                                for j in 0..<size {
                                    let place = corner &+ i &* width &+ j
                                    if pixels[place] > largest || pixels[place].isNaN && !largest.isNaN { (best, largest) = (place, pixels[place]) }
                                }
                            }
                            places[next] = best
                            next &+= 1
                        }
                    }
                }
                // Some planes at a time: waking threads for one small plane would take longer than it does.
                let part = max(1, Int(0x1p14 / max(1, Double(rows * columns) * Double(size * size))))
                try ThreadPool.parallel((planes + part - 1) / part) { index in
                    for plane in index * part..<min(planes, (index + 1) * part) { try fill(plane) }
                }
                count = total
            }
        }
    }

    private func mean(_ x: NDArray) throws -> NDArray {
        let target = target(x.shape)
        if size == stride, target[2] * size == x.shape[2], target[3] * size == x.shape[3] {
            return try x.reshaped(to: [x.shape[0], x.shape[1], target[2], size, target[3], size]).mean(axes: [3, 5])
        }
        // A convolution of each channel with equal weights.
        let weights = try NDArray.full(1 / Double(size * size), shape: [x.shape[1], 1, size, size], type: x.type)
        guard let shape = ConvolutionShape(images: x.shape, weights: weights.shape, stride: stride, padding: 0, groups: x.shape[1]) else {
            throw unfit(x, needs: "images")
        }
        return try Convolution.result(x, weights, shape)
    }
}

/// The largest pixel of each window. What reaches a window goes to the pixel that won.
private final class LargestOfWindows: CustomFunction {
    private let winners: [Int]
    private let size, stride: Int
    let name = "max_pool", isElementwise = false

    init(_ winners: [Int], size: Int, stride: Int) {
        self.winners = winners
        self.size = size
        self.stride = stride
    }

    var attributes: [Attribute] { [Attribute("size", size), Attribute("stride", stride)] }

    func pullback(cotangent c: NDArray, inputs: [NDArray], result: NDArray) throws -> [NDArray?] {
        [try c.scatteredAdd(GatherIndices(starts: winners, chunk: 1), shape: inputs[0].shape)]
    }

    /// The windows side by side, reduced. (Where two pixels tie, the derivative of this is shared between them.)
    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let sizes = x[0].shape, (rows, columns) = ((sizes[2] - size) / stride + 1, (sizes[3] - size) / stride + 1)
        var positions: [Int] = []
        for plane in 0..<sizes[0] * sizes[1] {
            for y in 0..<rows {
                for x in 0..<columns {
                    for i in 0..<size { for j in 0..<size { positions.append((plane * sizes[2] + y * stride + i) * sizes[3] + x * stride + j) } }
                }
            }
        }
        let windows = try x[0].gathered(GatherIndices(starts: positions, chunk: 1), shape: [sizes[0], sizes[1], rows, columns, size * size])
        return try windows.reduced(.max, axes: [4])
    }
}

/// Each input as one row of numbers.
package struct Flatten: Layer {
    package let settings: LayerSettings

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank > 0 else { throw unfit(x, needs: "a batch") }
        return try x.reshaped(to: [x.shape[0], x.shape.dropFirst().reduce(1, &*)])
    }
}

extension LayerRows {
    static let images = "Images have the shape (rows, channels, height, width): grey ones of shape (n, 28, 28) need `x.reshape(n, 1, 28, 28)`."

    static let imageRows: [LayerRow] = [
        LayerRow(
            "FReLU", "max(x, a learned 3 by 3 convolution of each channel)", details: images,
            example: "shape(FReLU(2)(ones(3, 2, 8, 8)))   # (3, 2, 8, 8)"
        ) { takes in
            let channels = takes.size("channels"), type = takes.floatType()
            return { settings, random in try FReLU(settings, channels: settings[channels], type: settings[type], &random) }
        },
        pool(
            .largest, "MaxPool2D", "the largest of each window of size by size pixels",
            example: "MaxPool2D()(reshape(range(16), 1, 1, 4, 4)).reshape(4)   # [5, 7, 13, 15]"),
        pool(
            .mean, "AvgPool2D", "the mean of each window of size by size pixels",
            example: "AvgPool2D()(reshape(range(16), 1, 1, 4, 4)).reshape(4)   # [2.5, 4.5, 10.5, 12.5]"),
        LayerRow("Flatten", "each input as one row of numbers", example: "shape(Flatten()(ones(3, 2, 8, 8)))   # (3, 128)") { _ in
            { settings, _ in Flatten(settings: settings) }
        },
    ]

    private static func pool(_ kind: Pool2D.Kind, _ name: String, _ summary: String, example: String) -> LayerRow {
        LayerRow(name, summary, details: images, example: example) { takes in
            let size = takes.size("size", default: 2), stride = takes.size("stride", like: size)
            return { settings, _ in
                let size = try settings[size]
                return Pool2D(settings: settings, kind: kind, size: size, stride: try settings[stride] ?? size)
            }
        }
    }
}
