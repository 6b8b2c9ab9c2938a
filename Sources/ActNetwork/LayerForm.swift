// What layers are in the terms of the field, for those who write them in the words of other systems.
//
// What must stay true: the set is closed, so that every writer is one exhaustive `switch`; what a form carries, the parameters and the states
// say all that the layer does outside training.

import ActArray
import ActGrad
import ActNeural

package enum LayerForm {
    /// activation(x @ W + b); b may be missing.
    case dense(NamedFunction)
    /// The largest of x @ W[k] + b[k].
    case maxout
    /// x where it is positive, else alpha x: one alpha, or one a channel.
    case prelu
    /// activation(x * W + b), W of shape (outputs, inputs/groups, …); b may be missing.
    case convolution(Windows, groups: Int, NamedFunction)
    /// The adjoint, W of shape (inputs, outputs/groups, …), with so many pixels more at the end of each axis.
    case transposedConvolution(Windows, groups: Int, extra: [Int], NamedFunction)
    /// max(x, x * W + b), a 3 by 3 window of each channel.
    case frelu
    case largestOfWindows(Windows, ceil: Bool)
    case meanOfWindows(Windows, ceil: Bool, countsPadding: Bool)
    /// gamma (x − mean)/√(variance + eps) + beta of the states `mean` and `variance`, one a channel (axis 1).
    case batchNorm(eps: Double)
    /// The same by the statistics of the last `axes` axes of each input.
    case layerNorm(axes: Int, eps: Double)
    /// gamma x/√(mean of x² + eps), over the last `axes` axes.
    case rmsNorm(axes: Int, eps: Double)
    /// By the statistics of each of so many groups of channels (axis 1) of each input; gamma and beta one a channel.
    case groupNorm(groups: Int, eps: Double)
    case recurrent(RecurrentCell, givesSequences: Bool)
    /// attend(q, k, v) @ Wo + bo with q, k, v the thirds of x @ W + b; both biases may be missing.
    case attention(heads: Int, causal: Bool)
    /// x + W[:time]
    case positions
    /// A row of W for each number.
    case embedding
    /// (rows, …) as (rows, numbers)
    case flatten
    /// Nothing outside training.
    case dropout(rate: Double)
    case upsample(factor: Int, Upsample2D.Mode)
    /// The mean of each channel: (rows, channels, …) as (rows, channels).
    case globalMean
    case function(NamedFunction)
    /// x + f(x)
    case residual(Network)
    /// What several make of x; `axis` is that of "concat", that of channels where none is given.
    case branch([Network], Compound.Join, axis: Int?)
    /// None of these: it is what its function computes, as a layer of the program's own is.
    case program

    /// What goes through sequences; parameters as PyTorch has them, transposed: W, b, U, bU, the biases both there or both missing.
    package enum RecurrentCell {
        /// h = f(x @ W + b + h @ U + bU)
        case plain(NamedFunction)
        /// Gates in the order reset, update, new.
        case gru
        /// Gates in the order input, forget, cell, output.
        case lstm
    }
}

extension Layer {
    /// The sizes of what it makes of arrays of some sizes: of two trials.
    /// - Throws: what it throws; `GraphError.dependsOnSize`.
    package func sizes(of sizes: [GraphSize], type: ElementType = .f32) throws -> [GraphSize] {
        let watches = NumericEvents.isEnabled
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = watches }
        func shape(_ path: (GraphSize) -> Int) throws -> [Int] { try self(NDArray.full(0, shape: sizes.map(path), type: type), Pass()).shape }
        let (small, large) = (try shape { $0.trials.first }, try shape { $0.trials.second })
        let result = small.count == large.count ? zip(small, large).compactMap { GraphSize($0, $1) } : []
        guard result.count == small.count else { throw GraphError.dependsOnSize(at: .current) }
        return result
    }

    /// A parameter or state by its name.
    package func array(named name: String) -> NDArray? {
        if let index = parameterNames.firstIndex(of: name) { return parameters[index] }
        return stateNames.firstIndex(of: name).map { state[$0] }
    }
}
