// Records and lists of anything in safetensors files: arrays and parameters by their paths (`net.0.W`, `moments.0.1`), and in the metadata
// what holds them, with the numbers, bools and texts between.
//
// What must stay true: arrays have names that any reader of the format can use; what is read back is equal to what was written.

import ActArray
import ActFiles

package enum StructureFile {
    private static let metadataName = "act.value"

    /// - Throws: `NetworkError.unsavable` and its like for what no file holds; what the sink throws.
    package static func write(_ value: Setting, into sink: ByteSink) throws {
        var writer = Writer()
        let description = try writer.describe(value, "")
        try Safetensors.write(writer.arrays, metadata: [(metadataName, description.text())], into: sink)
    }

    /// What `write` wrote; `nil` for other files.
    package static func value(_ content: Safetensors.Content, path: String, program: ProgramNames) throws -> Setting? {
        guard let text = content.metadata[metadataName] else { return nil }
        var reader = Reader(content, path: path, program: program), held = Reservation()
        defer { _ = held.bytes }
        return try reader.setting(try JSON(text.utf8, held: &held, orElse: reader.unreadable))
    }

    private struct Writer {
        private(set) var arrays: [(name: String, array: NDArray)] = []
        private var names = Set<String>()

        /// The name under which an array is kept: its path, told apart from others of the same letters.
        private mutating func add(_ array: NDArray, _ path: String) -> String {
            var name = path.isEmpty || path == "__metadata__" ? "value" : path
            while !names.insert(name).inserted { name += "'" }
            arrays.append((name, array))
            return name
        }

        mutating func describe(_ value: Setting, _ path: String) throws -> JSON {
            func inner(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
            switch value {
            case .array(let array, _): return .object([("tensor", .text(add(array, path)))])
            case .list(let elements):
                var described: [JSON] = []
                for (index, element) in elements.enumerated() { described.append(try describe(element, inner("\(index)"))) }
                return .object([("list", .list(described))])
            case .record(let fields):
                var described: [(name: String, value: JSON)] = []
                for (name, value) in fields { described.append((name, try describe(value, inner(name)))) }
                return .object([("record", .object(described))])
            case .network(let network): return try describe(network, path, isLayer: false)
            case .layer(let layer): return try describe(Network([layer]), path, isLayer: true)
            default: return try value.describe(at: 0)
            }
        }

        private mutating func describe(_ network: Network, _ path: String, isLayer: Bool) throws -> JSON {
            let all = zip(network.parameterNames + network.stateNames, network.parameters + network.states)
            var tensors: [(name: String, value: JSON)] = []
            for (name, array) in all { tensors.append((name, .text(add(array, path.isEmpty ? name : "\(path).\(name)")))) }
            return .object([("layers", try network.describe()), ("tensors", .object(tensors)), ("single", .flag(isLayer))])
        }
    }

    private struct Reader {
        private let path: String
        private let arrays: [String: NDArray]
        private var layers: DescriptionReader

        init(_ content: Safetensors.Content, path: String, program: ProgramNames) {
            self.path = path
            arrays = Dictionary(content.arrays.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
            layers = DescriptionReader(path: path, program: program)
        }

        var unreadable: NetworkError { .file(path: path, .unreadableStructure) }

        private func array(_ name: JSON?) throws -> NDArray {
            guard case .text(let name)? = name else { throw unreadable }
            guard let array = arrays[name] else { throw NetworkError.file(path: path, .missingArray(name)) }
            return array
        }

        mutating func setting(_ value: JSON) throws -> Setting {
            guard case .object(let fields) = value, let form = fields.first?.name else { return try layers.setting(value) ?? .none }
            switch (form, value[form]) {
            case ("tensor", let name): return .array(try array(name), text: "array")
            case ("list", .list(let elements)?):
                var settings: [Setting] = []
                for element in elements { settings.append(try setting(element)) }
                return .list(settings)
            case ("record", .object(let fields)?):
                var settings: [(name: String, value: Setting)] = []
                for (name, value) in fields {
                    guard !settings.contains(where: { $0.name == name }) else { throw unreadable }
                    settings.append((name, try setting(value)))
                }
                return .record(settings)
            case ("layers", let description?):
                var network = try layers.network(description)
                guard case .object(let tensors)? = value["tensors"] else { throw unreadable }
                try network.fill(from: Safetensors.Content(arrays: tensors.map { ($0.name, try array($0.value)) }, metadata: [:]), path: path)
                guard case .flag(true)? = value["single"], network.layers.count == 1 else { return .network(network) }
                return .layer(network.layers[0])
            default: return try layers.setting(value) ?? .none
            }
        }
    }
}
