// Layers that make images larger, or one number of each channel: Upsample2D, GlobalAvgPool. Images are shaped (rows of the batch, channels,
// height, width).

import ActArray
import ActRows

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

    package var form: LayerForm { .upsample(factor: factor, mode) }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 4 else { throw unfit(x, needs: .windowed(axes: 2, channels: nil)) }
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
    package var form: LayerForm { .globalMean }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank >= 3, x.shape.dropFirst(2).allSatisfy({ $0 > 0 }) else { throw unfit(x, needs: .channels(nil)) }
        return try (x.type == .bool ? x.converted(to: .f32) : x).mean(axes: Array(2..<x.rank))
    }
}

extension LayerRows {
    static let resizingRows: [LayerRow] = [
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
