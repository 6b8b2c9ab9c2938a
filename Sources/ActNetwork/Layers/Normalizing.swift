// Layers that bring their input to mean 0 and deviation 1, then scale and shift it: BatchNorm over the batch, LayerNorm over each row, GroupNorm
// over some channels, InstanceNorm over each; and RMSNorm, which only brings rows to a length.

import ActArray
import ActRows

/// gamma (x − mean)/√(variance + eps) + beta, for each channel: in training with the batch's own statistics, which are gathered; else with
/// the gathered ones. S. Ioffe, C. Szegedy 2015.
package struct BatchNorm: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    package var state: [NDArray]
    private let features: Int
    private let momentum, eps: Double
    private let weightType: ElementType

    fileprivate init(_ settings: LayerSettings, features: Int, momentum: Double, eps: Double, type: ElementType) throws {
        self.settings = settings
        self.type = type
        self.features = features
        self.momentum = momentum
        self.eps = eps
        weightType = type
        parameters = [try NDArray.full(1, shape: [features], type: type), try NDArray.full(0, shape: [features], type: type)]
        state = [try NDArray.full(0, shape: [features], type: type), try NDArray.full(1, shape: [features], type: type)]
    }

    package var parameterNames: [String] { ["gamma", "beta"] }
    package var stateNames: [String] { ["mean", "variance"] }
    package var width: Width { .same }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank >= 2, x.shape[1] == features else {
            throw unfit(x, needs: .features(features))
        }
        let x = try x.converted(to: weightType)
        let axes = x.shape.indices.filter { $0 != 1 }, unit = [features] + [Int](repeating: 1, count: x.rank - 2)
        func spread(_ numbers: NDArray) throws -> NDArray { x.rank > 2 ? try numbers.reshaped(to: unit) : numbers }
        guard pass.isTraining else {
            let scale = try parameters[0] / NDArray.unary(.sqrt, state[1] + eps)
            return try (x - spread(state[0])) * spread(scale) + spread(parameters[1])
        }
        let count = Double(x.count / max(1, features))
        guard count > 1 else {
            throw unfit(.severalRows)
        }
        let mean = try x.mean(axes: axes)
        let distance = try x - spread(mean)
        let variance = try NDArray.unary(.square, distance).mean(axes: axes)
        let scale = try parameters[0] / NDArray.unary(.sqrt, variance + eps)
        // The gathered variance is that of the population.
        let news = [try mean.detached(), try variance.detached() * (count / (count - 1))]
        for (old, new) in zip(state, news) {
            let blend = try pass.latest(old) * (1 - momentum) + new * momentum
            try blend.evaluate()
            pass.gather(blend, for: old)
        }
        return try distance * spread(scale) + spread(parameters[1])
    }
}

/// gamma (x − mean)/√(variance + eps) + beta along the last axes. J. Ba, J. Kiros, G. Hinton 2016.
package struct LayerNorm: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    /// The sizes of the axes.
    private let features: [Int]
    private let eps: Double
    private let weightType: ElementType

    fileprivate init(_ settings: LayerSettings, features: [Int], eps: Double, type: ElementType) throws {
        self.settings = settings
        self.type = type
        self.features = features
        self.eps = eps
        weightType = type
        parameters = [try NDArray.full(1, shape: features, type: type), try NDArray.full(0, shape: features, type: type)]
    }

    package var parameterNames: [String] { ["gamma", "beta"] }
    package var inputShape: [Int]? { features }
    package var width: Width { .same }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.shape.suffix(features.count) == features[...] else { throw unfit(x, needs: .ending(features)) }
        let x = try x.converted(to: weightType)
        let flat = try parameters.map { try $0.reshaped(to: [$0.count]) }
        return try x.rows(of: features).standardized(eps: eps, gamma: flat[0], beta: flat[1]).reshaped(to: x.shape)
    }
}

/// gamma (x − mean)/√(variance + eps) + beta, with the statistics of each group of channels of each input. Y. Wu, K. He 2018.
package struct GroupNorm: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    private let groups, channels: Int
    private let eps: Double
    private let weightType: ElementType

    fileprivate init(_ settings: LayerSettings, groups: Int, channels: Int, eps: Double, type: ElementType) throws {
        self.settings = settings
        self.type = type
        (self.groups, self.channels) = (groups, channels)
        self.eps = eps
        weightType = type
        parameters = [try NDArray.full(1, shape: [channels], type: type), try NDArray.full(0, shape: [channels], type: type)]
    }

    package var parameterNames: [String] { ["gamma", "beta"] }
    package var width: Width { .same }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank >= 2, x.shape[1] == channels else { throw unfit(x, needs: .channels(channels)) }
        let grouped = try x.converted(to: weightType).reshaped(to: [x.shape[0] * groups, x.count / max(1, x.shape[0] * groups)])
        let even = try grouped.standardized(eps: eps).reshaped(to: x.shape)
        let unit = [channels] + [Int](repeating: 1, count: x.rank - 2)
        return try even * parameters[0].reshaped(to: unit) + parameters[1].reshaped(to: unit)
    }
}

extension NDArray {
    /// A matrix whose rows are the elements along the last axes, of sizes `features`.
    fileprivate func rows(of features: [Int]) throws -> NDArray {
        let n = features.reduce(1, &*)
        return try reshaped(to: [shape.dropLast(features.count).reduce(1, &*), n])
    }
}

/// gamma x/√(mean of x² + eps) along the last axes. B. Zhang, R. Sennrich 2019.
package struct RMSNorm: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    /// The sizes of the axes.
    private let features: [Int]
    private let eps: Double
    private let weightType: ElementType

    fileprivate init(_ settings: LayerSettings, features: [Int], eps: Double, type: ElementType) throws {
        self.settings = settings
        self.type = type
        self.features = features
        self.eps = eps
        weightType = type
        parameters = [try NDArray.full(1, shape: features, type: type)]
    }

    package var parameterNames: [String] { ["gamma"] }
    package var inputShape: [Int]? { features }
    package var width: Width { .same }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.shape.suffix(features.count) == features[...] else { throw unfit(x, needs: .ending(features)) }
        let x = try x.converted(to: weightType)
        let gamma = try parameters[0].reshaped(to: [parameters[0].count])
        return try x.rows(of: features).standardized(eps: eps, centers: false, gamma: gamma).reshaped(to: x.shape)
    }
}

extension LayerRows {
    static let normalizingRows: [LayerRow] = [
        LayerRow(
            "BatchNorm", "brings every feature to mean 0 and deviation 1 over the batch, then to deviation gamma and mean beta",
            details:
                "In training (`fit`, `net(x, training=true)`) by the batch's own statistics; `fit` gathers them in the fields `mean` and `variance`, by which it goes otherwise. Features are the columns of rows, or axis 1 of sequences, images and volumes.",
            example: "BatchNorm(1)([[1], [3]], training=true)   # [[-0.999995],\n# [ 0.999995]]"
        ) { takes in
            let features = takes.size("features"), momentum = takes.number("momentum", default: 0.1, .within(0...1), role: .opaque)
            let eps = takes.number("eps", default: 1e-5, .positive, role: .opaque), type = takes.floatType()
            return { settings, _ in
                try BatchNorm(settings, features: settings[features], momentum: settings[momentum], eps: settings[eps], type: settings[type])
            }
        },
        LayerRow(
            "LayerNorm", "brings every row to mean 0 and deviation 1, then to deviation gamma and mean beta",
            details: "`features` is the length of rows, or a list of the sizes of the last axes, over which all numbers go together.",
            example: "LayerNorm(2)([[1, 3]])   # [[-0.999995,  0.999995]]\nshape(LayerNorm((3, 4)).gamma)   # (3, 4)"
        ) { takes in
            let features = takes.sizes("features", rank: nil, most: 1 << 31), eps = takes.number("eps", default: 1e-5, .positive, role: .opaque),
                type = takes.floatType()
            return { settings, _ in try LayerNorm(settings, features: settings.sizes(features), eps: settings[eps], type: settings[type]) }
        },
        LayerRow(
            "GroupNorm", "brings every group of channels of each input to mean 0 and deviation 1, then each channel to deviation gamma and mean beta",
            details: "Inputs have the shape (rows, channels, …). With one group it is LayerNorm over all of an input.",
            example: "GroupNorm(1, 2)([[1, 3]])   # [[-0.999995,  0.999995]]"
        ) { takes in
            let groups = takes.size("groups"), channels = takes.size("channels"), eps = takes.number("eps", default: 1e-5, .positive, role: .opaque)
            let type = takes.floatType()
            return { settings, _ in
                guard try settings[channels] % settings[groups] == 0 else {
                    throw NetworkError.setting(owner: "GroupNorm", name: "groups", .divisor(of: "channels", try settings[channels]))
                }
                return try GroupNorm(settings, groups: settings[groups], channels: settings[channels], eps: settings[eps], type: settings[type])
            }
        },
        LayerRow(
            "InstanceNorm", "brings every channel of each input to mean 0 and deviation 1, then to deviation gamma and mean beta",
            details: "Inputs have the shape (rows, channels, …).", example: "InstanceNorm(1)([[[1, 3]]])   # [[[-0.999995,  0.999995]]]"
        ) { takes in
            let channels = takes.size("channels"), eps = takes.number("eps", default: 1e-5, .positive, role: .opaque), type = takes.floatType()
            return { settings, _ in
                try GroupNorm(settings, groups: settings[channels], channels: settings[channels], eps: settings[eps], type: settings[type])
            }
        },
        LayerRow(
            "RMSNorm", "divides every row by the root of the mean of its squares, then multiplies by gamma",
            details: "`features` is the length of rows, or a list of the sizes of the last axes.",
            example: "RMSNorm(2)([[3, 4]])   # [[0.8485281, 1.1313708]]"
        ) { takes in
            let features = takes.sizes("features", rank: nil, most: 1 << 31), eps = takes.number("eps", default: 1e-6, .positive, role: .opaque),
                type = takes.floatType()
            return { settings, _ in try RMSNorm(settings, features: settings.sizes(features), eps: settings[eps], type: settings[type]) }
        },
    ]
}
