// From a model as it was read to one that runs: functions that it defines are put in their places, operators and types that act lacks are listed all
// at once, what hangs on constants alone is computed, and the rest is cut into layers wherever one array is all that goes on.
//
// What must stay true: parameters are the float initializers of the graph with one axis at least, under their own names; a parameter belongs to one layer.

import ActArray
import ActFiles
import ActNetwork

package struct ModelCompiler {
    /// A model's functions that call each other may multiply: no model in use has as many nodes.
    private static let mostNodes = 1 << 20
    private static let deepestCalls = 64
    /// Constants with more elements are computed in every run: they would take the memory all the time.
    private static let largestFolded = 1 << 16

    private let model: ONNXModel
    private let path: String
    private let functions: [String: ONNXFunction]
    private var nodeCount = 0
    private var callNumber = 0

    private init(_ model: ONNXModel, path: String) {
        (self.model, self.path) = (model, path)
        functions = Dictionary(model.functions.map { (Self.key($0.domain, $0.name), $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The network that a model is.
    /// - Throws: `ONNXError`; what array operations throw.
    package static func network(_ model: ONNXModel, path: String) throws -> Network {
        var compiler = ModelCompiler(model, path: path)
        return try compiler.network()
    }

    private static func key(_ domain: String, _ name: String) -> String { "\(domain).\(name)" }
    private func fail(_ fault: ONNXFault) -> ONNXError { ONNXError(path, fault) }

    private mutating func network() throws -> Network {
        let graph = model.graph
        try checkVersions()
        try listLacking()
        var initializers: [String: ONNXTensor] = [:]
        for tensor in graph.initializers { initializers[tensor.name] = tensor }
        let ports = graph.inputs.filter { initializers[$0.name] == nil }.map(GraphProgram.Port.init)
        guard !graph.outputs.isEmpty else { throw fail(.noOutputs) }

        var nodes = try flat(graph.nodes, model.opsets, attributes: [:], depth: 0)
        var values: [String: (array: NDArray, type: ONNXElementType)] = [:]
        for (name, tensor) in initializers { values[name] = (try tensor.array(path: path), tensor.type) }
        let roles = roles(of: values.filter { $0.value.type.isFloat && $0.value.array.rank > 0 }.map(\.key), nodes)
        var constants: [String: GraphValue] = [:]
        for (name, value) in values where roles[name] == nil { constants[name] = .array(value.array, value.type) }
        nodes = try folded(nodes, &constants)
        try checkOrder(nodes, known: Set(ports.map(\.name)).union(values.keys).union(constants.keys), graph.outputs)

        // In the order of the file, so that the order of parameters does not hang on chance.
        let named = graph.initializers.compactMap { tensor in roles[tensor.name].map { (tensor.name, $0) } }
        let held = named.compactMap { name, role in values[name].map { GraphLayer.Held(name: name, array: $0.array, type: $0.type, role: role) } }
        let cutter = GraphCutter(nodes, ports, graph.outputs.map(\.name), constants, held)
        return Network(try cutter.layers())
    }

    // MARK: What act lacks

    /// What a version means that is not out yet nobody knows: onnxruntime refuses it as well.
    private func checkVersions() throws {
        guard model.irVersion <= ONNXOperators.newestFormat else {
            throw fail(.newerFormat(version: model.irVersion, newest: ONNXOperators.newestFormat))
        }
        for opsets in [model.opsets] + model.functions.map(\.opsets) {
            for (domain, version) in opsets.sorted(by: { $0.key < $1.key }) {
                guard let newest = ONNXOperators.newest[domain], version < 1 || version > newest else { continue }
                throw fail(.unknownOpset(domain: domain, version: version, newest: newest))
            }
        }
    }

    private func listLacking() throws {
        var operators: [String: Int] = [:], types: [String: Int] = [:]
        func note(_ type: ONNXElementType) { if type != .undefined, type.storage == nil { types[type.name, default: 0] += 1 } }
        func look(_ tensor: ONNXTensor) { note(tensor.type == .undefined ? .string : tensor.type) }
        func look(_ graph: ONNXGraph) {
            graph.initializers.forEach(look)
            (graph.inputs + graph.outputs).forEach { note($0.type) }
            look(graph.nodes)
        }
        func look(_ nodes: [ONNXNode]) {
            for node in nodes {
                let isKnown = functions[Self.key(node.domain, node.operation)] != nil || ONNXOperators.named(node.operation, domain: node.domain) != nil
                if !isKnown { operators[node.domain.isEmpty ? node.operation : "\(node.domain).\(node.operation)", default: 0] += 1 }
                for attribute in node.attributes {
                    if case .tensor(let tensor) = attribute.value { look(tensor) }
                    if case .graph(let graph) = attribute.value { look(graph) }
                }
            }
        }
        look(model.graph)
        for function in model.functions { look(function.nodes) }
        guard !operators.isEmpty || !types.isEmpty else { return }
        func sorted(_ counts: [String: Int]) -> [ONNXFault.Lacking] {
            counts.map { ONNXFault.Lacking(name: $0.key, count: $0.value) }.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
        }
        throw fail(.lacking(operators: sorted(operators), types: sorted(types)))
    }

    // MARK: Nodes in a row

    /// Nodes with functions in their places.
    private mutating func flat(
        _ nodes: [ONNXNode], _ opsets: [String: Int64], attributes: [String: ONNXAttribute.Value], depth: Int
    ) throws -> [GraphNode] {
        var result: [GraphNode] = []
        for node in nodes {
            try Interrupt.check()
            nodeCount += 1
            guard nodeCount <= Self.mostNodes else { throw fail(.tooManyNodes(Self.mostNodes)) }
            var given: [String: ONNXAttribute.Value] = [:]
            for attribute in node.attributes {
                // What the caller left out is left out.
                if case .reference(let name) = attribute.value { given[attribute.name] = attributes[name] } else { given[attribute.name] = attribute.value }
            }
            if let function = functions[Self.key(node.domain, node.operation)] {
                result += try body(of: function, node, given, opsets, depth)
                continue
            }
            guard let operation = ONNXOperators.named(node.operation, domain: node.domain) else {
                throw fail(.lacking(operators: [.init(name: node.operation, count: 1)], types: []))
            }
            guard let version = opsets[node.domain] ?? (node.domain.isEmpty ? nil : 1) else { throw fail(.noOpset(domain: node.domain)) }
            var graphs: [String: GraphProgram] = [:], tensors = GraphProgram.Constants()
            for case (let name, .tensor(let tensor)) in given {
                tensors.values[name] = .array(try tensor.array(path: path), tensor.type)
                given[name] = nil
            }
            for case (let name, .graph(let graph)) in given {
                graphs[name] = try program(graph, opsets, attributes: attributes, depth: depth + 1)
                given[name] = nil
            }
            result.append(
                GraphNode(
                    operation: operation, domain: node.domain, version: Int(version), name: node.name, inputs: node.inputs, outputs: node.outputs,
                    attributes: given, tensors: tensors, graphs: graphs))
        }
        return result
    }

    /// A graph inside a node. Its initializers are constants.
    private mutating func program(_ graph: ONNXGraph, _ opsets: [String: Int64], attributes: [String: ONNXAttribute.Value], depth: Int) throws -> GraphProgram {
        guard depth < Self.deepestCalls else { throw fail(.tooDeep(Self.deepestCalls)) }
        var constants: [String: GraphValue] = [:]
        for tensor in graph.initializers { constants[tensor.name] = .array(try tensor.array(path: path), tensor.type) }
        let nodes = try flat(graph.nodes, opsets, attributes: attributes, depth: depth)
        let ports = graph.inputs.filter { constants[$0.name] == nil }.map(GraphProgram.Port.init)
        return GraphProgram(nodes, inputs: ports, outputs: graph.outputs.map(\.name), constants: constants)
    }

    /// The nodes of a function in the place of a call. Names inside are made the call's own.
    private mutating func body(
        of function: ONNXFunction, _ call: ONNXNode, _ given: [String: ONNXAttribute.Value], _ opsets: [String: Int64], _ depth: Int
    ) throws -> [GraphNode] {
        guard depth < Self.deepestCalls else { throw fail(.recursiveFunction(function.name)) }
        callNumber += 1
        let prefix = "\(call.name.isEmpty ? function.name : call.name)/\(callNumber)/"
        var names: [String: String] = ["": ""]
        for (index, name) in function.inputs.enumerated() { names[name] = index < call.inputs.count ? call.inputs[index] : "" }
        var results: [(inner: String, outer: String)] = []
        for (name, outer) in zip(function.outputs, call.outputs) where !outer.isEmpty {
            // An input that is handed on as it is.
            if names[name] != nil { results.append((name, outer)) } else { names[name] = outer }
        }
        var attributes: [String: ONNXAttribute.Value] = [:]
        for attribute in function.defaults { attributes[attribute.name] = attribute.value }
        for (name, value) in given { attributes[name] = value }
        let renamed = function.nodes.map { Renaming(prefix: prefix, names: names).node($0) }
        var nodes = try flat(renamed, function.opsets.isEmpty ? opsets : function.opsets, attributes: attributes, depth: depth + 1)
        for (inner, outer) in results {
            guard let identity = ONNXOperators.named("Identity", domain: "") else { break }
            nodes.append(
                GraphNode(operation: identity, domain: "", version: 13, name: "", inputs: [names[inner] ?? ""], outputs: [outer], attributes: [:], graphs: [:]))
        }
        return nodes
    }

    // MARK: Constants

    /// Which of the floats among the initializers are parameters or states; the others are constants.
    private func roles(of names: [String], _ nodes: [GraphNode]) -> [String: GraphLayer.Held.Role] {
        let candidates = Set(names)
        var roles: [String: GraphLayer.Held.Role] = [:]
        for node in nodes {
            for (index, name) in node.inputs.enumerated() where candidates.contains(name) && !node.operation.settings.contains(index) {
                let role: GraphLayer.Held.Role = node.operation.states.contains(index) ? .state : .parameter
                if roles[name] != .parameter { roles[name] = role }
            }
            for name in node.graphs.values.flatMap(\.free) where candidates.contains(name) { roles[name] = .parameter }
        }
        return roles
    }

    /// Computes what hangs on constants alone. What fails stays, and says so when the model runs.
    private func folded(_ nodes: [GraphNode], _ constants: inout [String: GraphValue]) throws -> [GraphNode] {
        var rest: [GraphNode] = []
        for node in nodes {
            let isFixed = !node.operation.draws && node.reads.allSatisfy { constants[$0] != nil }
            guard isFixed, let values = try? GraphProgram([node], inputs: [], outputs: node.outputs, constants: constants).run([:], Pass()),
                values.allSatisfy({ $0.elementCount <= Self.largestFolded })
            else {
                try Interrupt.check()
                rest.append(node)
                continue
            }
            for (name, value) in zip(node.outputs, values) where !name.isEmpty { constants[name] = value }
        }
        return rest
    }

    private func checkOrder(_ nodes: [GraphNode], known: Set<String>, _ outputs: [ONNXValueInfo]) throws {
        var known = known
        for node in nodes {
            if let missing = node.reads.first(where: { !known.contains($0) }) { throw fail(.unknownValue(missing, reader: node.text)) }
            for name in node.outputs where !name.isEmpty { if !known.insert(name).inserted { throw fail(.madeTwice(name)) } }
        }
        if let missing = outputs.first(where: { !known.contains($0.name) }) { throw fail(.unknownValue(missing.name, reader: nil)) }
    }
}

extension GraphProgram.Port {
    init(_ info: ONNXValueInfo) {
        let shape = info.shape?.map { size -> Int? in if case .known(let size) = size, size >= 0 { Int(size) } else { nil } }
        self.init(name: info.name, type: info.type, shape: shape, holder: info.holder)
    }
}

extension GraphValue {
    var elementCount: Int {
        switch self {
        case .array(let array, _): array.count
        case .list(let elements, _): elements.reduce(1) { $0 &+ $1.elementCount }
        case .nothing: 0
        }
    }
}

/// Gives names inside a function's body what they are called around it.
private struct Renaming {
    let prefix: String
    let names: [String: String]

    private func name(_ name: String) -> String { names[name] ?? prefix + name }

    func node(_ node: ONNXNode) -> ONNXNode {
        var node = node
        node.inputs = node.inputs.map(name)
        node.outputs = node.outputs.map(name)
        if !node.name.isEmpty { node.name = prefix + node.name }
        node.attributes = node.attributes.map { attribute in
            if case .graph(let inner) = attribute.value { return ONNXAttribute(attribute.name, .graph(graph(inner))) }
            return attribute
        }
        return node
    }

    private func graph(_ graph: ONNXGraph) -> ONNXGraph {
        var graph = graph
        for index in graph.inputs.indices { graph.inputs[index].name = name(graph.inputs[index].name) }
        for index in graph.outputs.indices { graph.outputs[index].name = name(graph.outputs[index].name) }
        for index in graph.initializers.indices { graph.initializers[index].name = name(graph.initializers[index].name) }
        graph.nodes = graph.nodes.map(node)
        return graph
    }
}
