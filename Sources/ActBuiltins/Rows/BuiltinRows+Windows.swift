// What convolutions and pools do, as functions: with weights that are computed, and with the places of the largest.

import ActArray
import ActMachine
import ActNetwork
import ActNeural
import ActRows

extension BuiltinRows {
    private static let images = "x has the shape (rows, channels, …) with 1 to 3 axes to go over."

    static let windows: [Builtin] = [
        convolution(
            "conv", "the sums over windows of x, weighted by W: what Conv1D, Conv2D and Conv3D compute",
            details: "\(images) W has the shape (outputs, channels/groups, kernel …). The other arguments are those of Conv2D.",
            example: "conv(reshape([1, 2, 3, 4], 1, 1, 4), reshape([1, 1], 1, 1, 2)).reshape(3)   # [3, 5, 7]", isTransposed: false),
        convolution(
            "conv_transpose", "lays W, times each number of x, on a larger result: what ConvTranspose2D computes",
            details: "\(images) W has the shape (channels, outputs/groups, kernel …). The other arguments are those of ConvTranspose2D.",
            example: "conv_transpose(reshape([1, 2], 1, 1, 2), reshape([1, 1], 1, 1, 2), stride=2).reshape(4)   # [1, 1, 2, 2]", isTransposed: true),
        Builtin(
            .networks, "max_pool", "the largest of each window of x: what MaxPool2D computes, and where it is",
            details:
                "\(images) With `indices=true` the pair of the largest and their places, counted through each channel, row by row. The other arguments are those of MaxPool2D.",
            example: "largest, places = max_pool(reshape([1, 5, 2, 3], 1, 1, 4), indices=true)\nplaces.reshape(2)   # [1, 3]"
        ) { takes in
            let x = takes.numbers("x"), inputs = PoolInputs(&takes, rank: nil), indices = takes.flag("indices", default: false), parameters = takes.parameters
            return { call in
                let x = try call[x], rank = try call.axesOfWindows(x, "x"), settings = try LayerSettings(of: "max_pool", parameters, call.settings(parameters))
                let windows = try inputs.windows(settings, rank: rank), ceil = try call[inputs.ceil]
                guard let largest = try x.largestOfWindows(windows, ceil: ceil) else { throw BuiltinRefusal.poolWindows("max_pool", x.shape) }
                guard try call[indices], let winners = try x.winnersOfWindows(windows, ceil: ceil) else { return .array(largest) }
                let size = x.shape.dropFirst(2).reduce(1, &*)
                let places = try NDArray(winners.map { Double($0 % max(1, size)) }, shape: largest.shape)
                return try .list([.array(largest), call.positions(of: x, places)])
            }
        },
        Builtin(
            .networks, "avg_pool", "the mean of each window of x: what AvgPool2D computes", details: "\(images) The other arguments are those of AvgPool2D.",
            example: "avg_pool(reshape([1, 5, 2, 4], 1, 1, 4)).reshape(2)   # [3, 3]"
        ) { takes in
            let x = takes.numbers("x"), inputs = PoolInputs(&takes, rank: nil), counts = takes.flag("count_padding", default: true),
                parameters = takes.parameters
            return { call in
                let x = try call[x], rank = try call.axesOfWindows(x, "x"), settings = try LayerSettings(of: "avg_pool", parameters, call.settings(parameters))
                guard let mean = try x.meanOfWindows(inputs.windows(settings, rank: rank), ceil: call[inputs.ceil], countsPadding: call[counts]) else {
                    throw BuiltinRefusal.poolWindows("avg_pool", x.shape)
                }
                return .array(mean)
            }
        },
        Builtin(
            .networks, "grid_sample", "the images x looked at between their pixels, at places of a grid",
            details: """
                x has the shape (rows, channels, height, width), the grid (rows, …, 2): for each place of the result where it looks, x from -1 at the \
                left to 1 at the right, then y from -1 at the top to 1 at the \
                bottom. `mode` is "bilinear" or "nearest", `padding` what is seen beyond: "zeros", "border" or "reflection". With \
                `align_corners=true` -1 and 1 are the middles of the outermost pixels, else their edges. \
                Sequences and volumes have as many numbers for each place as axes.
                """,
            example: "grid_sample(reshape([1, 2, 3, 4], 1, 1, 2, 2), reshape([0, 0], 1, 1, 1, 2))   # [[[[2.5]]]]"
        ) { takes in
            let x = takes.numbers("x"), grid = takes.numbers("grid"), mode = takes.choice("mode", default: Sampling.Mode.bilinear)
            let padding = takes.choice("padding", default: Sampling.Beyond.zeros), corners = takes.flag("align_corners", default: false)
            return { call in .array(try call[x].sampled(at: call[grid], call[mode], beyond: call[padding], alignsCorners: call[corners])) }
        },
    ]

    private static func convolution(_ name: String, _ summary: String, details: String, example: String, isTransposed: Bool) -> Builtin {
        Builtin(.networks, name, summary, details: details, example: example) { takes in
            let x = takes.numbers("x"), weights = takes.numbers("W"), bias = takes.arrayOrNone("b")
            let stride = takes.sizes("stride", rank: nil, default: 1), padding = takes.windowPadding(rank: nil)
            let extra = isTransposed ? takes.sizes("output_padding", rank: nil, default: 0, least: 0) : nil
            let dilation = takes.sizes("dilation", rank: nil, default: 1), groups = takes.size("groups", default: 1), parameters = takes.parameters
            return { call in
                let given = try (call[x], call[weights]), type: ElementType = given.0.type == .f32 && given.1.type == .f32 ? .f32 : .f64
                let x = try given.0.converted(to: type), weights = try given.1.converted(to: type), rank = try call.axesOfWindows(x, "x")
                guard weights.rank == x.rank else { throw BuiltinRefusal.windowsRank(name, weights.rank, needed: x.rank) }
                let settings = try LayerSettings(of: name, parameters, call.settings(parameters)), groups = try settings[groups]
                guard weights.shape.dropFirst(2).allSatisfy({ (1...Windows.most).contains($0) }) else {
                    throw BuiltinRefusal.windowsSize(name, weights.shape, most: Windows.most)
                }
                let windows = try Windows(
                    window: Array(weights.shape.dropFirst(2)), stride: settings.sizes(stride, rank: rank), padding: settings.padding(padding, rank: rank),
                    dilation: settings.sizes(dilation, rank: rank))
                let sum =
                    try extra.map { try x.convolvedBack(with: weights, windows, groups: groups, extra: settings.sizes($0, rank: rank)) }
                    ?? x.convolved(with: weights, windows, groups: groups)
                guard let sum else {
                    throw BuiltinRefusal.windowsShape(name, x.shape, weights: weights.shape, isTransposed: isTransposed)
                }
                guard let bias = try call[bias] else { return .array(sum) }
                guard bias.shape == [sum.shape[1]] else { throw BuiltinRefusal.windowsBias(name, bias.shape, needed: [sum.shape[1]]) }
                return .array(try sum + bias.converted(to: type).reshaped(to: [bias.count] + [Int](repeating: 1, count: rank)))
            }
        }
    }
}

extension Call {
    /// How many axes windows go along.
    fileprivate func axesOfWindows(_ x: NDArray, _ name: String) throws -> Int {
        guard (3...5).contains(x.rank) else { throw BuiltinRefusal.windowsAxes(row.name, argument: name, x.shape) }
        return x.rank - 2
    }
}
