// Layers for images, shaped (rows of the batch, channels, height, width): FReLU, Flatten.

import ActArray
import ActNeural
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

    package var form: LayerForm { .frelu }
    package var parameterNames: [String] { ["W", "b"] }

    private static let windows = Windows(window: [3, 3], stride: [1, 1], padding: [.same, .same], dilation: [1, 1])

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 4, x.shape[1] == channels else { throw unfit(x, needs: .windowed(axes: 2, channels: channels)) }
        let x = try x.converted(to: weightType)
        guard let sum = try x.convolved(with: parameters[0], FReLU.windows, groups: channels) else {
            throw unfit(x, needs: .windowed(axes: 2, channels: channels))
        }
        let funnel = try sum + parameters[1].reshaped(to: [channels, 1, 1])
        return try NDArray.binary(.max, .array(x), .array(funnel))
    }
}

/// Each input as one row of numbers.
package struct Flatten: Layer {
    package let settings: LayerSettings
    package var form: LayerForm { .flatten }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank > 0 else { throw unfit(x, needs: .batch) }
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
        LayerRow("Flatten", "each input as one row of numbers", example: "shape(Flatten()(ones(3, 2, 8, 8)))   # (3, 128)") { _ in
            { settings, _ in Flatten(settings: settings) }
        },
    ]
}
