// Layers that bring their input to mean 0 and deviation 1, then scale and shift it: BatchNorm over the batch, LayerNorm over each row, GroupNorm
// over some channels, InstanceNorm over each; and RMSNorm, which only brings rows to a length.

import ActArray
import ActNeural
import ActRows

/// gamma (x − mean)/√(variance + eps) + beta: they differ in what the statistics are taken of.
package struct Normalization: Layer {
    fileprivate enum Way {
        /// Each channel over the batch: in training with the batch's own statistics, which are gathered; else with the gathered ones.
        /// S. Ioffe, C. Szegedy 2015.
        case batch(momentum: Double)
        /// The last axes of each input. J. Ba, J. Kiros, G. Hinton 2016.
        case row
        /// The same with the mean of x² for the variance, and without mean and beta. B. Zhang, R. Sennrich 2019.
        case length
        /// Each of so many groups of channels of each input. Y. Wu, K. He 2018.
        case groups(Int)
    }

    package let settings: LayerSettings
    package let type: ElementType?
    package var parameters: [NDArray]
    package var state: [NDArray] = []
    private let way: Way
    /// That of gamma: the sizes of the last axes, or how many channels there are.
    private let shape: [Int]
    private let eps: Double
    private let weightType: ElementType

    fileprivate init(_ settings: LayerSettings, _ way: Way, _ shape: [Int], eps: Double, type: ElementType) throws {
        self.settings = settings
        self.way = way
        self.shape = shape
        self.eps = eps
        (self.type, weightType) = (type, type)
        func full(_ number: Double) throws -> NDArray { try NDArray.full(number, shape: shape, type: type) }
        if case .length = way { parameters = [try full(1)] } else { parameters = [try full(1), try full(0)] }
        if case .batch = way { state = [try full(0), try full(1)] }
    }

    package var form: LayerForm {
        switch way {
        case .batch: .batchNorm(eps: eps)
        case .row: .layerNorm(axes: shape.count, eps: eps)
        case .length: .rmsNorm(axes: shape.count, eps: eps)
        case .groups(let groups): .groupNorm(groups: groups, eps: eps)
        }
    }
    package var parameterNames: [String] { Array(["gamma", "beta"].prefix(parameters.count)) }
    package var stateNames: [String] { state.isEmpty ? [] : ["mean", "variance"] }
    package var width: Width { .same }

    package var inputShape: [Int]? {
        switch way {
        case .row, .length: shape
        case .batch, .groups: nil
        }
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        switch way {
        case .batch(let momentum): return try overBatch(x, momentum, pass)
        case .groups(let groups): return try overGroups(x, groups)
        case .row: return try overRows(x, centers: true)
        case .length: return try overRows(x, centers: false)
        }
    }

    private func overRows(_ x: NDArray, centers: Bool) throws -> NDArray {
        guard x.shape.suffix(shape.count) == shape[...] else { throw unfit(x, needs: .ending(shape)) }
        let flat = try parameters.map { try $0.reshaped(to: [$0.count]) }
        let rows = try x.converted(to: weightType).reshaped(to: [x.shape.dropLast(shape.count).reduce(1, &*), flat[0].count])
        return try rows.standardized(eps: eps, centers: centers, gamma: flat[0], beta: flat.count > 1 ? flat[1] : nil).reshaped(to: x.shape)
    }

    private func overGroups(_ x: NDArray, _ groups: Int) throws -> NDArray {
        let channels = shape[0]
        guard x.rank >= 2, x.shape[1] == channels else { throw unfit(x, needs: .channels(channels)) }
        let grouped = try x.converted(to: weightType).reshaped(to: [x.shape[0] * groups, x.count / max(1, x.shape[0] * groups)])
        let even = try grouped.standardized(eps: eps).reshaped(to: x.shape)
        let unit = [channels] + [Int](repeating: 1, count: x.rank - 2)
        return try even * parameters[0].reshaped(to: unit) + parameters[1].reshaped(to: unit)
    }

    private func overBatch(_ x: NDArray, _ momentum: Double, _ pass: Pass) throws -> NDArray {
        let features = shape[0]
        guard x.rank >= 2, x.shape[1] == features else { throw unfit(x, needs: .features(features)) }
        let x = try x.converted(to: weightType)
        func spread(_ numbers: NDArray) throws -> NDArray {
            x.rank > 2 ? try numbers.reshaped(to: [features] + [Int](repeating: 1, count: x.rank - 2)) : numbers
        }
        guard pass.isTraining else {
            let scale = try parameters[0] / NDArray.unary(.sqrt, state[1] + eps)
            return try (x - spread(state[0])) * spread(scale) + spread(parameters[1])
        }
        let count = Double(x.count / max(1, features))
        guard count > 1 else { throw unfit(.severalRows) }
        let (result, mean, variance) = try x.standardizedChannels(eps: eps, gamma: parameters[0], beta: parameters[1])
        // The gathered variance is that of the population.
        let news = [mean, try variance * (count / (count - 1))]
        for (old, new) in zip(state, news) {
            let blend = try pass.latest(old) * (1 - momentum) + new * momentum
            try blend.evaluate()
            pass.gather(blend, for: old)
        }
        return result
    }
}

extension Signature {
    /// What keeps a division from being one by 0.
    fileprivate mutating func eps(_ fallback: Double = 1e-5) -> Input<Double> { number("eps", default: fallback, .positive, role: .opaque) }
}

extension LayerRows {
    static let normalizingRows: [LayerRow] = [
        LayerRow(
            "BatchNorm", "brings every feature to mean 0 and deviation 1 over the batch, then to deviation gamma and mean beta",
            details:
                "In training (`fit`, `net(x, training=true)`) by the batch's own statistics; `fit` and `forward` gather them in the fields `mean` and `variance`, by which it goes otherwise: a loop of one's own keeps them with `y, net = forward(net, x, training=true)`. Features are the columns of rows, or axis 1 of sequences, images and volumes.",
            example: "BatchNorm(1)([[1], [3]], training=true)   # [[-0.999995],\n# [ 0.999995]]"
        ) { takes in
            let features = takes.size("features"), momentum = takes.number("momentum", default: 0.1, .within(0...1), role: .opaque)
            let eps = takes.eps(), type = takes.floatType()
            return { settings, _ in
                try Normalization(settings, .batch(momentum: settings[momentum]), [settings[features]], eps: settings[eps], type: settings[type])
            }
        },
        LayerRow(
            "LayerNorm", "brings every row to mean 0 and deviation 1, then to deviation gamma and mean beta",
            details: "`features` is the length of rows, or a list of the sizes of the last axes, over which all numbers go together.",
            example: "LayerNorm(2)([[1, 3]])   # [[-0.999995,  0.999995]]\nshape(LayerNorm((3, 4)).gamma)   # (3, 4)"
        ) { takes in
            let features = takes.sizes("features", rank: nil, most: 1 << 31), eps = takes.eps(),
                type = takes.floatType()
            return { settings, _ in try Normalization(settings, .row, settings.sizes(features), eps: settings[eps], type: settings[type]) }
        },
        LayerRow(
            "GroupNorm", "brings every group of channels of each input to mean 0 and deviation 1, then each channel to deviation gamma and mean beta",
            details: "Inputs have the shape (rows, channels, …). With one group it is LayerNorm over all of an input.",
            example: "GroupNorm(1, 2)([[1, 3]])   # [[-0.999995,  0.999995]]"
        ) { takes in
            let groups = takes.size("groups"), channels = takes.size("channels"), eps = takes.eps()
            let type = takes.floatType()
            return { settings, _ in
                guard try settings[channels] % settings[groups] == 0 else {
                    throw NetworkError.setting(owner: "GroupNorm", name: "groups", .divisor(of: "channels", try settings[channels]))
                }
                return try Normalization(settings, .groups(settings[groups]), [settings[channels]], eps: settings[eps], type: settings[type])
            }
        },
        LayerRow(
            "InstanceNorm", "brings every channel of each input to mean 0 and deviation 1, then to deviation gamma and mean beta",
            details: "Inputs have the shape (rows, channels, …).", example: "InstanceNorm(1)([[[1, 3]]])   # [[[-0.999995,  0.999995]]]"
        ) { takes in
            let channels = takes.size("channels"), eps = takes.eps(), type = takes.floatType()
            return { settings, _ in
                try Normalization(settings, .groups(settings[channels]), [settings[channels]], eps: settings[eps], type: settings[type])
            }
        },
        LayerRow(
            "RMSNorm", "divides every row by the root of the mean of its squares, then multiplies by gamma",
            details: "`features` is the length of rows, or a list of the sizes of the last axes.",
            example: "RMSNorm(2)([[3, 4]])   # [[0.8485281, 1.1313708]]"
        ) { takes in
            let features = takes.sizes("features", rank: nil, most: 1 << 31), eps = takes.eps(1e-6),
                type = takes.floatType()
            return { settings, _ in try Normalization(settings, .length, settings.sizes(features), eps: settings[eps], type: settings[type]) }
        },
    ]
}
