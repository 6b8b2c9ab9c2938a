// Networks as source text of other frameworks: which ones there are.

import ActArray
import ActNetwork

/// What a network's source is written for.
package enum SourceFramework: String, CaseIterable, SourceFormat {
    case torch, jax, keras

    package var name: String { rawValue }

    package func export(_ model: ExportedModel, names: [(name: String, array: NDArray)], stem: String) throws -> ExportedSource {
        let export =
            switch model {
            case .network(let network, let shape): try SourceExport(network, shape: shape, names: names, self, stem: stem)
            case .function(let name, let arguments, let function): try SourceExport(name, arguments, names: names, self, stem: stem, function)
            }
        return ExportedSource(text: export.text, constants: export.constants, check: export.check)
    }
}
