// Layers as built-ins, a loop over their rows, and what programs ask of networks.

import ActArray
import ActGrad
import ActLayers
import ActMachine
import ActNetwork
import ActRows

extension BuiltinRows {
    static let networks: [Builtin] =
        layers + [
            Builtin(
                .networks, "parameters", "what a layer or network learns: of a layer a record, of a network the list of its layers' records",
                example: "parameters(Dense(2, 3)).b   # [0, 0, 0]"
            ) { takes in
                let net = takes.network("net")
                return { call in try call[net].parameterValues() ?? .none }
            },
            Builtin(
                .networks, "summary", "prints a table of a network's layers: output shapes, parameters, how they began",
                details: "`shape` is that of one input, for networks whose first layer does not know it, such as `Conv2D`: `summary(net, (1, 28, 28))`.",
                example:
                    "summary(Dense(2, 3, tanh) >> Dense(3, 1))\n#   layer              output  parameters  init\n#0  Dense(2, 3, tanh)  (3,)             9  glorot_uniform\n#1  Dense(3, 1)        (1,)             4  glorot_uniform\n#13 parameters, 52 bytes",
                role: .steps
            ) { takes in
                let net = takes.network("net"), shape = takes.shapeOrNone("shape")
                return { call in
                    let network = try call[net].network
                    let input = try call[shape]
                    try call.machine.write(NetworkSummary.text(network, input: input))
                    return .none
                }
            },
        ] + windows + ownLayers + descent + training + flows + data

    private static let layers: [Builtin] = LayerRows.all.map { row in
        Builtin(.networks, row.name, row.summary, details: row.details, example: row.example) { takes in
            let make = row.declaration(&takes), parameters = takes.parameters
            return { call in
                let settings = try LayerSettings(of: row.name, parameters, call.settings(parameters))
                return try NetworkFunction(make(settings, &call.machine.random)).asValue()
            }
        }
    }
}

extension Signature {
    /// A layer or a network.
    mutating func network(_ name: String, role: ArgumentRole = .followed) -> Input<NetworkFunction> {
        parameter(name, .network, text: nil, role: role)
    }

    mutating func networkOrNone(_ name: String) -> Input<NetworkFunction?> { parameter(name, .network, text: "none", role: .steps) }
}

extension Call {
    subscript(_ argument: Input<NetworkFunction>) -> NetworkFunction {
        get throws { try network(argument) }
    }

    subscript(_ argument: Input<NetworkFunction?>) -> NetworkFunction? {
        get throws { isGiven(argument) ? try network(argument) : nil }
    }

    private func network<T>(_ argument: Input<T>) throws -> NetworkFunction {
        guard case .function(let function) = value(argument), let network = function.network else { throw fail(argument) }
        return network
    }

    /// The arguments as layers take them; arrays are none of their settings.
    func settings(_ parameters: [Parameter]) throws -> [Setting?] {
        try parameters.enumerated().map { index, parameter in
            if parameter.kind == .array { return nil }
            if parameter.isVariadic { return .list(try rest.map { try setting($0, parameter, at: index) }) }
            guard isGiven(at: index) else {
                // Inside the block of a layer its element type is that of what it makes.
                guard parameter.kind == .elementType, let type = machine.layerType, type != .f32 else { return nil }
                return .text(type.name)
            }
            return try setting(values[index], parameter, at: index)
        }
    }

    private func setting(_ value: Value, _ parameter: Parameter, at index: Int) throws -> Setting {
        switch value {
        case .bool(let flag): return .flag(flag)
        case .string(let text): return .text(text.string)
        case .list where parameter.kind == .sizes, .array where parameter.kind == .sizes: return try Setting(sizes: value, machine)
        case .function(let function):
            switch parameter.kind {
            case .elementType: return .text(function.name)
            case .network:
                try machine.warnOfLayersInside(function)
                return .network(Network(machine.layers(function)))
            default: return function.network != nil ? .network(Network(machine.layers(function))) : .function(NamedFunction(function, machine))
            }
        default:
            guard parameter.kind != .network else { throw fail(at: index, parameter.expected, value) }
            return .number(try number(value, at: index))
        }
    }
}

extension Setting {
    /// Sizes: a number, a few in a list or an array (`[1, 2]` and `(1, 2)` are the same), or pairs in one. What is longer or nested deeper is
    /// no sizes, whatever is in it, and is not looked through.
    fileprivate init(sizes value: Value, _ machine: Machine, levels: Int = 2) throws {
        let most = Shapes.rankLimit
        var elements: [Value]?
        switch value {
        case .number, .bool, .string, .none:
            self = try Setting(value, SharedReservation(), machine)
            return
        case .list(let list) where list.elements.count <= most: elements = list.elements
        case .array(let array) where array.rank > 0 && array.shape[0] <= most && array.count <= most * most:
            elements = try (0..<array.shape[0]).map { try Value(array.indexed(by: [.integer($0)])) }
        default: break
        }
        guard levels > 0, let elements else {
            self = .other(value.kind)
            return
        }
        self = .list(try elements.map { try Setting(sizes: $0, machine, levels: levels - 1) })
    }
}

/// The table that `summary` prints.
private enum NetworkSummary {
    static func text(_ network: Network, input: [Int]?) throws -> String {
        let shapes = try outputs(of: network, input)
        var rows: [[String]] = [["", "layer", "output", "parameters", "init"]]
        for (index, layer) in network.layers.enumerated() {
            let count = layer.parameters.reduce(0) { $0 + $1.count }
            rows.append(["\(index)", layer.text, shapes?[index] ?? "", count > 0 ? grouped(count) : "", initializers(of: layer).joined(separator: ", ")])
        }
        let count = network.parameters.reduce(0) { $0 + $1.count }
        let bytes = network.parameters.reduce(0) { $0 + $1.count * $1.type.size }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var result = ""
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                let gap = String(repeating: " ", count: widths[column] - cell.count)
                line += (column == 0 ? "" : "  ") + (column == 3 ? gap + cell : cell + gap)
            }
            while line.last == " " { line.removeLast() }
            result += line + "\n"
        }
        let frozen = zip(network.parameters, network.trains).reduce(0) { $0 + ($1.1 ? 0 : $1.0.count) }
        let share = frozen == 0 ? "" : " (\(grouped(frozen)) frozen)"
        result += "\(grouped(count)) parameters\(share), \(Format.bytes(bytes))\n"
        return shapes == nil ? result + "for the outputs give the shape of one input, as in `summary(net, (1, 28, 28))`\n" : result
    }

    private static func initializers(of layer: any Layer) -> [String] {
        if let initializer = layer.initializer { return [initializer.name] }
        let inside = layer.parts.flatMap(\.network.layers) + layer.layersInFields
        return inside.flatMap(initializers).reduce(into: []) { names, name in if !names.contains(name) { names.append(name) } }
    }

    /// The shape of one input by the first layer that knows it, unless a layer before makes something else of what it gets.
    private static func inputShape(of network: Network) -> [Int]? {
        for layer in network.layers {
            if let shape = layer.inputShape { return shape }
            // What comes after one that makes other rows says nothing of its own inputs. Of functions nobody knows; Flatten leaves rows as they are.
            if case .same = layer.width { continue }
            if !(layer is FunctionLayer || layer.bare is Flatten) { return nil }
        }
        return nil
    }

    /// What each layer makes of one input, found by trying; `nil` if the shape of an input is not known.
    private static func outputs(of network: Network, _ input: [Int]?) throws -> [String]? {
        guard let shape = input ?? inputShape(of: network), !shape.contains(where: { $0 < 0 }) else { return nil }
        let size = shape.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        guard size >= 0, size <= 1 << 26 else { return nil }
        var outputs: [String] = []
        let pass = Pass()
        pass.observer = { _, output in
            outputs.append(try output.array.map { describe(Array($0.shape.dropFirst())) } ?? output.kind)
            return output
        }
        let watches = NumericEvents.isEnabled
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = watches }
        _ = try network(.array(NDArray.full(0, shape: [1] + shape, type: .f32)), pass)
        return outputs
    }

    private static func grouped(_ count: Int) -> String {
        var digits = Array(String(count)), position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: position)
            position -= 3
        }
        return String(digits)
    }
}
