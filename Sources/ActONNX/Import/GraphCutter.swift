// Where a loaded graph is cut into layers: after every node from which one array of floats, and nothing else, goes on. What branches and joins again
// stays together.

import ActArray
import ActNetwork

struct GraphCutter {
    private let nodes: [GraphNode]
    private let ports: [GraphProgram.Port]
    private let outputs: [String]
    private let constants: [String: GraphValue]
    private let held: [GraphLayer.Held]

    init(_ nodes: [GraphNode], _ ports: [GraphProgram.Port], _ outputs: [String], _ constants: [String: GraphValue], _ held: [GraphLayer.Held]) {
        (self.nodes, self.ports, self.outputs, self.constants, self.held) = (nodes, ports, outputs, constants, held)
    }

    func layers() throws -> [any Layer] {
        guard ports.count == 1, outputs.count == 1, ports[0].holder == .tensor else { return [layer(nodes[...], ports, outputs)] }
        var layers: [any Layer] = [], start = 0, input = ports[0]
        for cut in cuts() {
            layers.append(layer(nodes[start...cut.index], [input], [cut.name]))
            (start, input) = (cut.index + 1, GraphProgram.Port(name: cut.name, type: cut.type))
        }
        if start < nodes.count || layers.isEmpty || outputs[0] != input.name { layers.append(layer(nodes[start...], [input], outputs)) }
        return layers
    }

    private func layer(_ part: ArraySlice<GraphNode>, _ inputs: [GraphProgram.Port], _ outputs: [String]) -> GraphLayer {
        let read = Set(part.flatMap(\.reads) + outputs)
        return GraphLayer(
            GraphProgram(Array(part), inputs: inputs, outputs: outputs, constants: constants.filter { read.contains($0.key) }),
            held: held.filter { read.contains($0.name) })
    }

    /// Nodes after which one array of floats is all that later ones read.
    private func cuts() -> [(index: Int, name: String, type: ONNXElementType)] {
        var last: [String: Int] = [:], first: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for name in node.reads {
                last[name] = index
                if first[name] == nil { first[name] = index }
            }
        }
        for name in outputs { last[name] = nodes.count }
        var types: [String: ONNXElementType] = [ports[0].name: ports[0].type]
        for value in held { types[value.name] = value.type }
        for case (let name, .array(_, let type)) in constants { types[name] = type }
        // What is used by then and later: values that were made, and parameters that both sides share.
        var alive: Set<String> = [ports[0].name], cuts: [(index: Int, name: String, type: ONNXElementType)] = []
        let heldNames = Set(held.map(\.name))
        for (index, node) in nodes.enumerated() {
            for name in node.reads where heldNames.contains(name) && first[name] == index { alive.insert(name) }
            for (position, name) in node.outputs.enumerated() where !name.isEmpty {
                if position == 0 || Self.even.contains(node.operation.name) { types[name] = type(of: node, types) }
                if last[name] != nil { alive.insert(name) }
            }
            for name in node.reads where (last[name] ?? 0) <= index { alive.remove(name) }
            guard index + 1 < nodes.count, alive.count == 1, let name = alive.first, node.outputs.contains(name), let type = types[name], type.isFloat else {
                continue
            }
            cuts.append((index, name, type))
        }
        return cuts
    }

    /// Operators all of whose results are of one type.
    private static let even: Set<String> = ["LSTM", "GRU", "RNN", "Split"]

    private func type(of node: GraphNode, _ types: [String: ONNXElementType]) -> ONNXElementType? {
        switch node.operation.result {
        case .like(let index): return index < node.inputs.count ? types[node.inputs[index]] : nil
        case .whole: return .int64
        case .truth: return .bool
        case .unknown: return nil
        case .said(let name):
            guard case .int(let code)? = node.attributes[name] else { return .float }
            return Int32(exactly: code).flatMap(ONNXElementType.init)
        }
    }
}
