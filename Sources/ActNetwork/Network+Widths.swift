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
            switch layer.width {
            case .of(let width): last = (layer, width)
            case .same: break
            case .unknown: last = nil
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
}

extension NamedFunction {
    /// Whether rows keep their length; of functions of the program nobody knows.
    var keepsWidth: Bool { row?.kind == .elementwise }
}
