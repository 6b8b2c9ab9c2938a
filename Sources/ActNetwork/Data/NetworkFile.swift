// Networks in safetensors files: parameters and states as `0.W`, `0.b`, `1.mean` …, the layers' settings in the metadata.

import ActArray

extension Network {
    private static let metadataName = "act.network"

    /// - Throws: `NetworkError.unsavable` for a function without a name.
    package func fileBytes() throws -> [UInt8] {
        let description = try JSONText.object([("layers", describe())])
        return try Safetensors.bytes(
            Array(zip(parameterNames, parameters)).map { (name: $0, array: $1) } + zip(stateNames, states.joined()).map { (name: $0, array: $1) },
            metadata: [(Network.metadataName, description.string)])
    }

    private func describe() throws -> JSONText {
        .list(
            try layers.enumerated().map { position, layer in
                .object(
                    [("kind", .text(layer.settings.kind))]
                        + (try layer.settings.said.compactMap { name, setting in
                            switch setting {
                            case nil: nil
                            case .number(let number): (name, .number(number))
                            case .text(let text): (name, .text(text))
                            case .flag(let flag): (name, .flag(flag))
                            case .network(let network): (name, try network.describe())
                            case .function(let function):
                                if function.isNamed { (name, .object([("function", .text(function.name))])) } else {
                                    throw NetworkError.unsavable(layer: function.name, position: position)
                                }
                            }
                        }))
            })
    }

    /// The network of a file that act wrote; `nil` for other files.
    /// - Parameter function: What a name means.
    package init?(_ content: Safetensors.Content, path: String, function: (String) -> NamedFunction?) throws {
        guard let text = content.metadata[Network.metadataName] else { return nil }
        guard let description = JSONText(text.utf8)?["layers"] else { throw NetworkError.file(path: path, reason: "the description of its layers is not readable") }
        var random = RandomSource(seed: 0)
        self = try Network(description, path: path, function, &random)
        try fill(from: content, path: path)
    }

    private init(_ description: JSONText, path: String, _ function: (String) -> NamedFunction?, _ random: inout RandomSource) throws {
        func fail(_ reason: String) -> NetworkError { .file(path: path, reason: reason) }
        guard case .list(let entries) = description else { throw fail("the description of its layers is not readable") }
        layers = []
        for entry in entries {
            guard case .object(let fields) = entry, case .text(let kind)? = entry["kind"] else { throw fail("the description of its layers is not readable") }
            var settings: [String: Setting] = [:]
            for (name, value) in fields where name != "kind" {
                switch value {
                case .number(let number, _): settings[name] = .number(number)
                case .text(let text): settings[name] = .text(text)
                case .flag(let flag): settings[name] = .flag(flag)
                case .list: settings[name] = .network(try Network(value, path: path, function, &random))
                case .object:
                    guard case .text(let called)? = value["function"] else { throw fail("the description of its layers is not readable") }
                    guard let found = called == "identity" ? .identity : function(called) else {
                        throw fail("its layers use the function `\(called)`, which is not defined")
                    }
                    settings[name] = .function(found)
                case .null: break
                }
            }
            if kind == "function", case .function(let function)? = settings["function"] {
                layers.append(FunctionLayer(function))
            } else if let row = LayerRows.named(kind) {
                layers.append(try row.make(settings, &random))
            } else {
                throw fail("it has a layer of the kind `\(kind)`, which this act does not know")
            }
        }
    }

    /// Takes parameters and states from a file.
    /// - Throws: `NetworkError.checkpoint` when it holds others than this network has.
    package mutating func fill(from content: Safetensors.Content, path: String) throws {
        let arrays = Dictionary(content.arrays.map { ($0.name, $0.array) }, uniquingKeysWith: { first, _ in first })
        let names = parameterNames, others = stateNames
        if let extra = content.arrays.first(where: { !names.contains($0.name) && !others.contains($0.name) }) {
            throw NetworkError.checkpoint(path: path, reason: "it has `\(extra.name)`, which this one has not")
        }
        func taken(_ name: String, like array: NDArray) throws -> NDArray {
            guard let found = arrays[name] else { throw NetworkError.checkpoint(path: path, reason: "it has no `\(name)`") }
            guard found.shape == array.shape else {
                throw NetworkError.checkpoint(path: path, reason: "`\(name)` has the shape \(shapeText(found.shape)) there, \(shapeText(array.shape)) here")
            }
            return try found.converted(to: array.type)
        }
        parameters = try zip(names, parameters).map { try taken($0, like: $1) }
        var rest = others[...]
        states = try states.map { state in try state.map { try taken(rest.popFirst() ?? "", like: $0) } }
    }
}
