// ONNX as `load` and `save` know it.

import ActArray
import ActFiles
import ActNetwork

package struct ONNXFormat: ModelFormat {
    package init() {}

    package func network(_ bytes: [UInt8], path: String, external: @escaping (String) throws -> [UInt8]) throws -> Network {
        try ModelReader.read(bytes, path: path, external: external) { try ModelCompiler.network($0, path: path) }
    }

    package func layer(ofKind kind: String, _ settings: [String: Setting], path: String) throws -> (any Layer)? {
        kind == GraphLayer.kind ? try GraphLayer(settings, path: path) : nil
    }

    package func export(
        _ model: ExportedModel, names: [(name: String, array: NDArray)], numbers: ElementType
    ) throws -> (ByteSink) throws -> Void {
        let export =
            switch model {
            case .network(let network, let shape): try ONNXExport(network, shape: shape, names: names, numbers: numbers)
            case .function(_, let arguments, let function): try ONNXExport(arguments, names: names, numbers: numbers, function)
            }
        return { try export.model.write(into: $0) }
    }
}
