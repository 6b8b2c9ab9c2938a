// Networks in safetensors files: parameters and states as `0.W`, `0.b`, `1.mean` …, the layers' settings in the metadata.

import ActArray
import ActFiles

extension Network {
    static let metadataName = "act.network"

    /// - Parameter isLayer: Whether it stands for its only layer, as which it comes back.
    /// - Throws: `NetworkError.unsavable` for a function without a name.
    package func write(into sink: ByteSink, isLayer: Bool = false) throws {
        let description = try JSON.object([("layers", describe()), ("single", .flag(isLayer))])
        try Safetensors.write(
            Array(zip(parameterNames, parameters)).map { (name: $0, array: $1) } + zip(stateNames, states).map { (name: $0, array: $1) },
            metadata: [(Network.metadataName, description.text())], into: sink)
    }

    /// Whether a file can hold its layers: functions without a name stay behind.
    /// - Throws: what else keeps it from being described.
    package var isSavable: Bool {
        get throws {
            do { _ = try describe() } catch NetworkError.unsavable, NetworkError.unsavableSetting { return false }
            return true
        }
    }

    func describe() throws -> JSON { .list(try layers.enumerated().map { try $1.describe(at: $0) }) }

    /// The network of a file that act wrote, and whether it stands for its only layer; `nil` for other files.
    package static func read(_ content: Safetensors.Content, path: String, program: ProgramNames) throws -> (network: Network, isLayer: Bool)? {
        guard let text = content.metadata[metadataName] else { return nil }
        let unreadable = NetworkError.file(path: path, .unreadableLayers)
        var held = Reservation()
        defer { _ = held.bytes }
        let file = try JSON(text.utf8, held: &held, orElse: unreadable)
        guard let description = file["layers"] else { throw unreadable }
        var reader = DescriptionReader(path: path, program: program)
        var network = try reader.network(description)
        try network.fill(from: content, path: path)
        // Files of older versions do not say: theirs are networks.
        let isLayer = if case .flag(true)? = file["single"], network.layers.count == 1 { true } else { false }
        return (network, isLayer)
    }

    /// Takes parameters and states from a file, which act or PyTorch wrote.
    /// - Throws: `NetworkError.checkpoint` when it holds others than this network has.
    package mutating func fill(from content: Safetensors.Content, path: String) throws {
        let content = try namedAsHere(content, path: path).map { Safetensors.Content(arrays: $0, metadata: [:]) } ?? content
        let arrays = Dictionary(content.arrays.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
        let names = parameterNames, others = stateNames
        let makers = Set(layers.filter(\.isOfProgram).map(\.settings.kind)).sorted()
        func fail(_ fault: CheckpointFault) -> NetworkError { .checkpoint(path: path, fault, makers: makers) }
        if let extra = content.arrays.first(where: { !names.contains($0.name) && !others.contains($0.name) }) {
            throw fail(.extra(extra.name))
        }
        func taken(_ name: String, like array: NDArray) throws -> NDArray {
            guard let found = arrays[name] else { throw fail(.missing(name)) }
            guard found.shape == array.shape else { throw fail(.shape(name, there: found.shape, here: array.shape)) }
            return try found.converted(to: array.type)
        }
        parameters = try zip(names, parameters).map { try taken($0, like: $1) }
        states = try zip(others, states).map { try taken($0, like: $1) }
    }
}
