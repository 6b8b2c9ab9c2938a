// Whether layers fit each other, as far as that is known before an input is: by the length of rows.

import ActGrad

extension Network {
    /// - Throws: `NetworkError.widths` at the first layer that cannot take what comes before it. Where a layer's outputs are not known, nothing
    ///   is said about the next.
    package func checkWidths() throws {
        var last: (layer: any Layer, width: Int)?
        for layer in layers {
            if let last, let inputs = layer.rowInputs, inputs != last.width {
                throw NetworkError.widths(first: last.layer.text, last: layer.text, outputs: last.width, inputs: inputs)
            }
            if let outputs = layer.rowOutputs {
                last = (layer, outputs)
            } else if !layer.keepsWidth {
                last = nil
            }
        }
    }
}

extension Layer {
    /// The length of the rows that the layer takes; nil if it is not for rows, or for any.
    fileprivate var rowInputs: Int? {
        guard let shape = inputShape, shape.count == 1 else { return nil }
        return shape[0]
    }

    fileprivate var rowOutputs: Int? {
        switch self {
        case let dense as Dense where dense.activation.keepsWidth: dense.outputs
        case let maxout as Maxout: maxout.outputs
        case let embedding as Embedding: embedding.size
        default: nil
        }
    }

    fileprivate var keepsWidth: Bool {
        switch self {
        case is PReLU, is Dropout, is BatchNorm, is LayerNorm, is Residual: true
        case let layer as FunctionLayer: layer.function.keepsWidth
        default: false
        }
    }
}

extension NamedFunction {
    fileprivate var keepsWidth: Bool { name == "identity" || row?.kind == .elementwise }
}
