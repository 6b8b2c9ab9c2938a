// A part of a graph as the setting of a layer, so that a network of such layers is saved and loaded as any other: nodes, constants and what they are
// called. What it learns is beside it in the file.
//
// What must stay true: whole numbers of attributes are texts, for JSON holds 53 bits of them.

import ActArray
import ActNetwork
import ActRows

extension GraphLayer {
    /// The kind in files.
    package static let kind = "graph"
    private static let inputs = [Parameter(name: "graph", fallback: nil, role: .steps)]

    package var origin: AnyObject? { program }
    package var settings: LayerSettings { LayerSettings(of: Self.kind, Self.inputs, [description]) }

    private var description: Setting {
        func held(_ names: [String], _ arrays: [NDArray], _ role: String) -> [Setting] {
            zip(names, arrays).map { name, array in
                .record([
                    ("name", .text(name)), ("type", types[name]?.setting ?? ONNXElementType.float.setting), ("shape", .wholes(array.shape)),
                    ("role", .text(role)),
                ])
            }
        }
        return .record([
            ("program", program.setting), ("held", .list(held(parameterNames, parameters, "parameter") + held(stateNames, state, "state"))),
        ])
    }

    /// Of the settings that a file holds; parameters and states are zeros until they are filled.
    /// - Throws: `ONNXError` where they describe no graph.
    package init(_ settings: [String: Setting], path: String) throws {
        let unreadable = ONNXError(path, .unreadableGraph)
        guard let description = settings["graph"], let program = description["program"].flatMap({ GraphProgram($0, depth: 0) }),
            case .list(let entries)? = description["held"]
        else {
            throw unreadable
        }
        let held = try entries.map { entry -> Held in
            guard let name = entry["name"]?.string, let type = entry["type"].flatMap(ONNXElementType.init), let shape = entry["shape"]?.wholes,
                let role = entry["role"]?.string,
                let storage = type.storage
            else { throw unreadable }
            return Held(name: name, array: try NDArray.full(0, shape: shape, type: storage), type: type, role: role == "state" ? .state : .parameter)
        }
        self.init(program, held: held)
    }
}

extension GraphProgram {
    var setting: Setting {
        .record([
            ("inputs", .list(inputs.map(\.setting))), ("outputs", .texts(outputs)), ("nodes", .list(nodes.map(\.setting))),
            ("constants", .record(constants.values.sorted { $0.key < $1.key }.compactMap { name, value in value.setting.map { (name, $0) } })),
        ])
    }

    /// - Parameter depth: How many graphs stand around it: files may hold any number.
    fileprivate convenience init?(_ setting: Setting, depth: Int) {
        guard depth < 64, case .list(let ports)? = setting["inputs"], let outputs = setting["outputs"]?.strings, case .list(let nodes)? = setting["nodes"],
            case .record(let constants)? = setting["constants"]
        else { return nil }
        let inputs = ports.compactMap(Port.init), made = nodes.compactMap { GraphNode($0, depth: depth) }
        guard inputs.count == ports.count, made.count == nodes.count else { return nil }
        var values: [String: GraphValue] = [:]
        for (name, setting) in constants {
            guard let value = GraphValue(setting, depth: 0) else { return nil }
            values[name] = value
        }
        self.init(made, inputs: inputs, outputs: outputs, constants: values)
    }
}

extension GraphProgram.Port {
    fileprivate var setting: Setting {
        let sizes = shape.map { sizes in Setting.list(sizes.map { $0.map { .number(Double($0)) } ?? .none }) }
        return .record([("name", .text(name)), ("type", type.setting), ("shape", sizes ?? .none), ("holder", .text("\(holder)"))])
    }

    fileprivate init?(_ setting: Setting) {
        guard let name = setting["name"]?.string, let type = setting["type"].flatMap(ONNXElementType.init) else { return nil }
        self.init(name: name, type: type, shape: nil)
        if case .list(let sizes)? = setting["shape"] { shape = sizes.map { if case .number(let size) = $0 { Int(exactly: size) } else { nil } } }
        switch setting["holder"]?.string {
        case "sequence": holder = .sequence
        case "optional": holder = .optional
        default: break
        }
    }
}

extension GraphNode {
    /// The attributes, and the tensors among them.
    private var said: [(String, Setting)] {
        attributes.compactMap { name, value in value.setting.map { (name, $0) } }
            + tensors.values.compactMap { name, value in
                if case .array(let array, let type) = value {
                    (name, .record([("tensor", .array(array, text: "array")), ("type", type.setting)]))
                } else {
                    nil
                }
            }
    }

    fileprivate var setting: Setting {
        .record([
            ("operator", .text(operation.name)), ("domain", .text(domain)), ("version", .number(Double(version))), ("name", .text(name)),
            ("inputs", .texts(inputs)), ("outputs", .texts(outputs)),
            ("attributes", .record(said.sorted { $0.0 < $1.0 })),
            ("graphs", .record(graphs.sorted { $0.key < $1.key }.map { ($0.key, $0.value.setting) })),
        ])
    }

    fileprivate init?(_ setting: Setting, depth: Int) {
        guard let name = setting["operator"]?.string, let domain = setting["domain"]?.string, let operation = ONNXOperators.named(name, domain: domain),
            case .number(let version)? = setting["version"], let whole = Int(exactly: version), let label = setting["name"]?.string,
            let inputs = setting["inputs"]?.strings,
            let outputs = setting["outputs"]?.strings, case .record(let given)? = setting["attributes"], case .record(let parts)? = setting["graphs"]
        else { return nil }
        var attributes: [String: ONNXAttribute.Value] = [:], graphs: [String: GraphProgram] = [:], tensors = GraphProgram.Constants()
        for (name, value) in given {
            if case .array(let array, _)? = value["tensor"] {
                guard let type = value["type"].flatMap(ONNXElementType.init), type.storage == array.type else { return nil }
                tensors.values[name] = .array(array, type)
                continue
            }
            guard let value = ONNXAttribute.Value(value) else { return nil }
            attributes[name] = value
        }
        for (name, value) in parts {
            guard let graph = GraphProgram(value, depth: depth + 1) else { return nil }
            graphs[name] = graph
        }
        self.init(
            operation: operation, domain: domain, version: whole, name: label, inputs: inputs, outputs: outputs, attributes: attributes, tensors: tensors,
            graphs: graphs)
    }
}

extension ONNXAttribute.Value {
    /// Tensors and graphs have become constants and programs.
    fileprivate var setting: Setting? {
        switch self {
        case .float(let number): .record([("float", .number(Double(number)))])
        case .int(let whole): .record([("int", .text("\(whole)"))])
        case .string(let bytes): .record([("string", .text(String(decoding: bytes, as: UTF8.self)))])
        case .floats(let numbers): .record([("floats", .list(numbers.map { .number(Double($0)) }))])
        case .ints(let wholes): .record([("ints", .texts(wholes.map { "\($0)" }))])
        case .strings(let texts): .record([("strings", .texts(texts.map { String(decoding: $0, as: UTF8.self) }))])
        case .tensor, .graph, .reference: nil
        }
    }

    fileprivate init?(_ setting: Setting) {
        guard case .record(let fields) = setting, let field = fields.first else { return nil }
        switch (field.name, field.value) {
        case ("float", .number(let number)): self = .float(Float(number))
        case ("string", .text(let text)): self = .string(Array(text.utf8))
        case ("int", .text(let digits)):
            guard let whole = Int64(digits) else { return nil }
            self = .int(whole)
        case ("floats", .list(let numbers)): self = .floats(numbers.compactMap { if case .number(let number) = $0 { Float(number) } else { nil } })
        case ("ints", let list):
            guard let texts = list.strings else { return nil }
            self = .ints(texts.compactMap { Int64($0) })
        case ("strings", let list):
            guard let texts = list.strings else { return nil }
            self = .strings(texts.map { Array($0.utf8) })
        default: return nil
        }
    }
}

extension GraphValue {
    fileprivate var setting: Setting? {
        switch self {
        case .array(let array, let type): .record([("array", .array(array, text: "array")), ("type", type.setting)])
        case .list(let elements, let type): .record([("list", .list(elements.compactMap(\.setting))), ("type", type.setting)])
        case .nothing: .record([("nothing", .flag(true))])
        }
    }

    fileprivate init?(_ setting: Setting, depth: Int) {
        guard depth < 64, case .record(let fields) = setting, let field = fields.first else { return nil }
        let type = setting["type"].flatMap(ONNXElementType.init)
        switch (field.name, field.value) {
        case ("array", .array(let array, _)):
            guard let type, type.storage == array.type else { return nil }
            self = .array(array, type)
        case ("list", .list(let elements)): self = .list(elements.compactMap { GraphValue($0, depth: depth + 1) }, type ?? .float)
        case ("nothing", _): self = .nothing
        default: return nil
        }
    }
}

extension ONNXElementType {
    fileprivate var setting: Setting { .text(name) }

    fileprivate init?(_ setting: Setting) {
        guard let name = setting.string, let type = ONNXElementType.allCases.first(where: { $0.name == name }) else { return nil }
        self = type
    }
}

extension Setting {
    fileprivate static func texts(_ texts: [String]) -> Setting { .list(texts.map { .text($0) }) }
    fileprivate static func wholes(_ wholes: [Int]) -> Setting { .list(wholes.map { .number(Double($0)) }) }

    fileprivate var string: String? { if case .text(let text) = self { text } else { nil } }
    fileprivate var strings: [String]? {
        guard case .list(let elements) = self else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }
    fileprivate var wholes: [Int]? {
        guard case .list(let elements) = self else { return nil }
        let wholes = elements.compactMap { if case .number(let number) = $0, number >= 0 { Int(exactly: number) } else { nil } }
        return wholes.count == elements.count ? wholes : nil
    }
    fileprivate subscript(name: String) -> Setting? {
        guard case .record(let fields) = self else { return nil }
        return fields.first { $0.name == name }?.value
    }
}
