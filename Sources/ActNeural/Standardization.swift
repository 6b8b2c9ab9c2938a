// Rows brought to mean 0 and deviation 1, then scaled and shifted: what LayerNorm, GroupNorm, InstanceNorm and RMSNorm are made of. One kernel
// goes over a row while it is in the cache, where operations one by one would go over the whole matrix ten times. `ChannelStandardization` is
// the same over the batch.
//
// What must stay true: pieces are those of the sizes alone, so that threads do not show in the bits. Where a number overflows or is undefined
// the operations are done one by one, which say what it was.

import ActArray
import ActGrad
import CActKernels

extension NDArray {
    /// gamma (x − mean)/√(variance + eps) + beta of each row of a matrix (rows, n); if rows are not centred, gamma x/√(mean of x² + eps) + beta.
    /// - Parameter gamma, beta: (n,), of the matrix's type.
    /// - Throws: `ArrayError.outOfMemory`, `interrupted`.
    package func standardized(eps: Double, centers: Bool = true, gamma: NDArray? = nil, beta: NDArray? = nil) throws -> NDArray {
        let function = Standardization(eps: eps, centers: centers, scales: gamma != nil, shifts: beta != nil)
        return try function.result([self] + [gamma, beta].compactMap(\.self))
    }
}

private final class Standardization: CustomFunction {
    private let eps: Double
    private let centers, scales, shifts: Bool
    /// The mean and the variance of each row.
    private var past: [Double] = []
    let name = "standardize", isElementwise = false

    init(eps: Double, centers: Bool, scales: Bool, shifts: Bool) {
        (self.eps, self.centers, self.scales, self.shifts) = (eps, centers, scales, shifts)
    }

    var attributes: [Attribute] { [Attribute("eps", .number(eps)), Attribute("centers", .flag(centers))] }

    private func gamma(_ inputs: [NDArray]) -> NDArray? { scales ? inputs[1] : nil }
    private func beta(_ inputs: [NDArray]) -> NDArray? { shifts ? inputs.last : nil }

    func lowered(_ inputs: [NDArray]) throws -> NDArray? { try composed(inputs) }

    private func composed(_ inputs: [NDArray]) throws -> NDArray {
        let x = inputs[0], distance = centers ? try x - x.mean(axes: [1], keepdims: true) : x
        let variance = try NDArray.unary(.square, distance).mean(axes: [1], keepdims: true)
        var result = try distance / NDArray.unary(.sqrt, variance + eps)
        if let gamma = gamma(inputs) { result = try result * gamma }
        if let beta = beta(inputs) { result = try result + beta }
        return result
    }

    func result(_ inputs: [NDArray]) throws -> NDArray {
        let x = inputs[0]
        if let array = try NDArray.shapeAlone(x.shape, x.type) { return array }
        if let result = try resultWithoutElements(inputs) { return result }
        // A few long rows are shared out by threads, which a kernel for rows does not do, and so long ones could not be interrupted.
        guard x.count > 0, x.shape[1] < (x.shape[0] < 8 ? 1 << 16 : 1 << 22) else { return try composed(inputs) }
        let value = x.type == .f32 ? try forward(inputs, Float.self) : try forward(inputs, Double.self)
        guard let value else { return try composed(inputs) }
        return try NDArray.custom(self, inputs: inputs, value: value)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        if cotangent.isTraced || inputs.contains(where: { $0.isTraced || $0.isAbstract }) { return try loweredPullback(cotangent, inputs) }
        let reached = inputs[0].type == .f32 ? try backward(cotangent, inputs, wanted, Float.self) : try backward(cotangent, inputs, wanted, Double.self)
        return try reached ?? loweredPullback(cotangent, inputs)
    }

    // MARK: Computing

    /// How many rows go together: enough to be worth waking a thread, and at most 256 pieces.
    private func together(_ rows: Int, _ n: Int) -> Int { max((rows + 255) / 256, (1 << 14) / n, 1) }

    /// - Returns: `nil` where a number overflowed or was undefined.
    private func forward<T: RowElement>(_ inputs: [NDArray], _: T.Type) throws -> NDArray? {
        let x = inputs[0], rows = x.shape[0], n = x.shape[1], value = try FreshArray(shape: x.shape, type: x.type)
        let to = value.elements(of: T.self)
        try MemoryPool.allow(rows &* 2 &* MemoryLayout<Double>.stride)
        var past = [Double](repeating: 0, count: rows &* 2)
        let isUsual = try withOperands([x, gamma(inputs), beta(inputs)], T.self) { operands in
            try past.withUnsafeMutableBufferPointer { past in
                guard let from = operands[0], let past = past.baseAddress else { return true }
                let (gamma, beta) = (operands[1], operands[2])
                return try everyPiece(rows, of: together(rows, n)) { _, piece in
                    let first = piece.lowerBound &* n
                    T.standardize(from + first, to + first, piece.count, n, eps, centers, gamma, beta, past + 2 &* piece.lowerBound)
                }
            }
        }
        guard isUsual else { return nil }
        self.past = past
        return value.finished()
    }

    /// - Returns: `nil` where a number overflowed or was undefined.
    private func backward<T: RowElement>(_ cotangent: NDArray, _ inputs: [NDArray], _ wanted: [Bool], _: T.Type) throws -> [NDArray?]? {
        let x = inputs[0], rows = x.shape[0], n = x.shape[1], together = together(rows, n), pieces = (rows + together - 1) / together
        let dx = try FreshArray(shape: wanted[0] ? x.shape : [0], type: x.type)
        let wantsGamma = scales && wanted[1], wantsBeta = shifts && wanted[inputs.count - 1]
        // Sums of each piece, which are added up in order.
        let dgamma = try FreshArray(shape: [wantsGamma ? pieces : 0, n], type: x.type, filledWith: 0)
        let dbeta = try FreshArray(shape: [wantsBeta ? pieces : 0, n], type: x.type, filledWith: 0)
        let (toX, toGamma, toBeta) = (dx.elements(of: T.self), dgamma.elements(of: T.self), dbeta.elements(of: T.self))
        let isUsual = try withOperands([x, cotangent, gamma(inputs)], T.self) { operands in
            try past.withUnsafeBufferPointer { past in
                guard let from = operands[0], let dy = operands[1], let past = past.baseAddress else { return true }
                let gamma = operands[2]
                return try everyPiece(rows, of: together) { piece, range in
                    let first = range.lowerBound &* n
                    T.standardizeBack(
                        from + first, dy + first, wanted[0] ? toX + first : nil, range.count, n, eps, centers, gamma, past + 2 &* range.lowerBound,
                        wantsGamma ? toGamma + piece &* n : nil, wantsBeta ? toBeta + piece &* n : nil)
                }
            }
        }
        guard isUsual else { return nil }
        let (slopeX, slopesGamma, slopesBeta) = (dx.finished(), dgamma.finished(), dbeta.finished())
        var reached: [NDArray?] = [wanted[0] ? slopeX : nil]
        if scales { reached.append(wantsGamma ? try slopesGamma.reduced(.sum, axes: [0]) : nil) }
        if shifts { reached.append(wantsBeta ? try slopesBeta.reduced(.sum, axes: [0]) : nil) }
        return reached
    }

}
