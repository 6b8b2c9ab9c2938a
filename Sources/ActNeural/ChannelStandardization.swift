// Channels brought to mean 0 and deviation 1 over the batch, then scaled and shifted: what BatchNorm does in training. One kernel goes three
// times over some channels, where operations one by one would go over the whole batch ten times.
//
// What must stay true: as for rows (see `Standardization`).

import ActArray
import ActGrad

extension NDArray {
    /// gamma (x − mean)/√(variance + eps) + beta of each channel of a batch (rows, channels, …), and what its mean and variance are.
    /// - Parameter gamma, beta: (channels,), of the batch's type.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package func standardizedChannels(eps: Double, gamma: NDArray, beta: NDArray) throws -> (result: NDArray, mean: NDArray, variance: NDArray) {
        try ChannelStandardization(eps: eps).result([self, gamma, beta])
    }
}

private final class ChannelStandardization: CustomFunction {
    private let eps: Double
    /// The mean and the variance of each channel.
    private var past: [Double] = []
    let name = "standardize_channels", isElementwise = false

    init(eps: Double) { self.eps = eps }

    var attributes: [Attribute] { [Attribute("eps", .number(eps))] }

    func result(_ inputs: [NDArray]) throws -> (result: NDArray, mean: NDArray, variance: NDArray) {
        let x = inputs[0], batch = Batch(x.shape)
        // A few long channels are shared out by threads, which a kernel does not do, and so long ones could not be interrupted.
        guard x.count > 0, batch.count < (batch.channels < 8 ? 1 << 16 : 1 << 22),
            let value = x.type == .f32 ? try forward(inputs, batch, Float.self) : try forward(inputs, batch, Double.self)
        else { return try ChannelStandardization.composed(inputs, eps) }
        func statistic(_ offset: Int) throws -> NDArray {
            try NDArray((0..<batch.channels).map { past[2 &* $0 &+ offset] }, shape: [batch.channels], type: x.type)
        }
        return (try NDArray.custom(self, inputs: inputs, value: value), try statistic(0), try statistic(1))
    }

    private static func composed(_ inputs: [NDArray], _ eps: Double) throws -> (result: NDArray, mean: NDArray, variance: NDArray) {
        let x = inputs[0], axes = x.shape.indices.filter { $0 != 1 }, unit = [x.shape[1]] + [Int](repeating: 1, count: x.rank - 2)
        let mean = try x.mean(axes: axes), distance = try x - mean.reshaped(to: unit)
        let variance = try NDArray.unary(.square, distance).mean(axes: axes)
        let scale = try inputs[1] / NDArray.unary(.sqrt, variance + eps)
        return (try distance * scale.reshaped(to: unit) + inputs[2].reshaped(to: unit), try mean.detached(), try variance.detached())
    }

    func lowered(_ inputs: [NDArray]) throws -> NDArray? { try ChannelStandardization.composed(inputs, eps).result }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        if cotangent.isTraced || inputs.contains(where: \.isTraced) { return try loweredPullback(cotangent, inputs) }
        let reached =
            inputs[0].type == .f32 ? try backward(cotangent, inputs, wanted, Float.self) : try backward(cotangent, inputs, wanted, Double.self)
        return try reached ?? loweredPullback(cotangent, inputs)
    }

    // MARK: Computing

    /// How many channels go together: enough to be worth waking a thread, whole vectors of columns, and at most 256 pieces.
    private func together(_ batch: Batch) -> Int {
        let enough = max((batch.channels + 255) / 256, (1 << 14) / batch.count, 1)
        return batch.inner == 1 ? (enough + 63) / 64 * 64 : enough
    }

    /// - Returns: `nil` where a number overflowed or was undefined.
    private func forward<T: RowElement>(_ inputs: [NDArray], _ batch: Batch, _: T.Type) throws -> NDArray? {
        let value = try FreshArray(shape: inputs[0].shape, type: inputs[0].type), to = value.elements(of: T.self)
        try MemoryPool.allow(batch.channels &* 2 &* MemoryLayout<Double>.stride)
        var past = [Double](repeating: 0, count: batch.channels &* 2)
        let isUsual = try withOperands(inputs, T.self) { operands in
            try past.withUnsafeMutableBufferPointer { past in
                guard let x = operands[0], let gamma = operands[1], let beta = operands[2], let past = past.baseAddress else { return true }
                return try everyPiece(batch.channels, of: together(batch)) { _, piece in
                    let c = piece.lowerBound, first = c &* batch.inner
                    T.standardizeChannels(x + first, to + first, batch, piece.count, eps, gamma + c, beta + c, past + 2 &* c)
                }
            }
        }
        guard isUsual else { return nil }
        self.past = past
        return value.finished()
    }

    /// - Returns: `nil` where a number overflowed or was undefined.
    private func backward<T: RowElement>(_ cotangent: NDArray, _ inputs: [NDArray], _ wanted: [Bool], _: T.Type) throws -> [NDArray?]? {
        let batch = Batch(inputs[0].shape), type = inputs[0].type
        let dx = try FreshArray(shape: wanted[0] ? inputs[0].shape : [0], type: type)
        let dgamma = try FreshArray(shape: [batch.channels], type: type), dbeta = try FreshArray(shape: [batch.channels], type: type)
        let (toX, toGamma, toBeta) = (dx.elements(of: T.self), dgamma.elements(of: T.self), dbeta.elements(of: T.self))
        let isUsual = try withOperands([inputs[0], cotangent, inputs[1]], T.self) { operands in
            try past.withUnsafeBufferPointer { past in
                guard let x = operands[0], let dy = operands[1], let gamma = operands[2], let past = past.baseAddress else { return true }
                return try everyPiece(batch.channels, of: together(batch)) { _, piece in
                    let c = piece.lowerBound, first = c &* batch.inner
                    T.standardizeChannelsBack(
                        x + first, dy + first, wanted[0] ? toX + first : nil, batch, piece.count, eps, gamma + c, past + 2 &* c, toGamma + c, toBeta + c)
                }
            }
        }
        guard isUsual else { return nil }
        return [wanted[0] ? dx.finished() : nil, dgamma.finished(), dbeta.finished()]
    }
}
