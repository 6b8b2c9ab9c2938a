// Whether layers fit each other, as far as that is known before an input is: by the length of rows.

import ActGrad

extension Network {
    /// - Throws: `NetworkError.widths` at the first layer that cannot take what comes before it. Where a layer's outputs are not known, nothing
    ///   is said about the next.
    package func checkWidths() throws {
        var last: (layer: any Layer, width: Int)?
        for layer in layers {
            if let last, let inputs = layer.inputWidth, inputs != last.width {
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

extension Network {
    /// The length of the rows that it makes.
    var width: Width {
        layers.reduce(Width.same) { before, layer in
            if case .same = layer.width { before } else { layer.width }
        }
    }
}

extension NamedFunction {
    /// Whether rows keep their length; of functions of the program nobody knows.
    var keepsWidth: Bool { row?.kind == .elementwise }
}
