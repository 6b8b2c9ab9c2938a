// Layers that make one number of each window: the largest or the mean, along 1, 2 or 3 axes.

import ActArray
import ActNeural
import ActRows

package struct Pool: Layer {
    package let settings: LayerSettings
    fileprivate let kind: Kind
    fileprivate let windows: Windows
    fileprivate let goesOver: Bool

    package var form: LayerForm {
        switch kind {
        case .largest: .largestOfWindows(windows, ceil: goesOver)
        case .mean(let countsPadding): .meanOfWindows(windows, ceil: goesOver, countsPadding: countsPadding)
        }
    }

    fileprivate enum Kind {
        case largest
        case mean(countsPadding: Bool)
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == windows.rank + 2 else { throw unfit(x, needs: .windowed(axes: windows.rank, channels: nil)) }
        let x = x.type == .bool ? try x.converted(to: .f32) : x
        let result =
            switch kind {
            case .largest: try x.largestOfWindows(windows, ceil: goesOver)
            case .mean(let countsPadding): try x.meanOfWindows(windows, ceil: goesOver, countsPadding: countsPadding)
            }
        guard let result else { throw unfit(x, needs: .room(windows.leastSizes, everyWindow: true)) }
        return result
    }
}

/// The settings of pools, for layers and functions.
package struct PoolInputs {
    package let size: Input<Sizes>, stride: Input<Sizes?>, padding: Input<Padding>, dilation: Input<Sizes>, ceil: Input<Bool>

    /// - Parameter rank: How many axes there are; `nil` where that is known only at the call.
    package init(_ takes: inout Signature, rank: Int?) {
        size = takes.sizes("size", rank: rank, default: 2)
        stride = takes.sizes("stride", rank: rank, like: size)
        padding = takes.windowPadding(rank: rank)
        dilation = takes.sizes("dilation", rank: rank, default: 1)
        ceil = takes.flag("ceil", default: false)
    }

    package func windows(_ settings: LayerSettings, rank: Int) throws -> Windows {
        let size = try settings.sizes(size, rank: rank)
        return try Windows(
            window: size, stride: settings.sizes(stride, rank: rank) ?? size, padding: settings.padding(padding, rank: rank),
            dilation: settings.sizes(dilation, rank: rank))
    }
}

extension LayerRows {
    static let poolDetails = """
        `size`, `stride`, `padding` and `dilation` are numbers or lists of one for each axis, as in Conv2D. With `ceil=true` a last window that goes \
        over the end counts too, if it begins on the image \
        or the padding before it.
        """

    static let poolRows: [LayerRow] =
        (1...3).map { rank in
            let largest = [
                "MaxPool1D(3, stride=1)(reshape([1, 5, 2, 0], 1, 1, 4)).reshape(2)   # [5, 5]",
                "MaxPool2D()(reshape(range(16), 1, 1, 4, 4)).reshape(4)   # [5, 7, 13, 15]",
            ]
            return pool(
                "MaxPool\(rank)D", rank, hasMean: false, "the largest of each window of \(nouns[rank - 1])",
                example: rank < 3 ? largest[rank - 1] : "shape(MaxPool3D((1, 2, 2))(ones(3, 2, 5, 8, 8)))   # (3, 2, 5, 4, 4)")
        }
        + (1...3).map { rank in
            let means = [
                "AvgPool1D(2, padding=1)(reshape([2, 4], 1, 1, 2)).reshape(2)   # [1, 2]",
                "AvgPool2D()(reshape(range(16), 1, 1, 4, 4)).reshape(4)   # [2.5, 4.5, 10.5, 12.5]",
            ]
            return pool(
                "AvgPool\(rank)D", rank, hasMean: true, "the mean of each window of \(nouns[rank - 1])",
                example: rank < 3 ? means[rank - 1] : "shape(AvgPool3D(2)(ones(3, 2, 4, 8, 8)))   # (3, 2, 2, 4, 4)")
        }

    private static let nouns = ["a sequence: `size` numbers", "an image: `size` by `size` pixels", "a volume: `size` by `size` by `size` pixels"]
    private static let shapes = [
        "Sequences have the shape (rows, channels, length).", images, "Volumes have the shape (rows, channels, depth, height, width).",
    ]

    private static func pool(_ name: String, _ rank: Int, hasMean: Bool, _ summary: String, example: String) -> LayerRow {
        let counting = hasMean ? " With `count_padding=false` the zeros around do not count." : " `max_pool` gives positions too."
        return LayerRow(name, summary, details: "\(shapes[rank - 1]) \(poolDetails)\(counting)", example: example) { takes in
            let inputs = PoolInputs(&takes, rank: rank), counts = hasMean ? takes.flag("count_padding", default: true) : nil
            return { settings, _ in
                let kind: Pool.Kind = try counts.map { .mean(countsPadding: try settings[$0]) } ?? .largest
                return Pool(settings: settings, kind: kind, windows: try inputs.windows(settings, rank: rank), goesOver: try settings[inputs.ceil])
            }
        }
    }
}
