// A graph that can run: nodes whose operators are known, with what they read of constants and of graphs around them.
//
// What must stay true: a node reads what was made before it. Values are let go after their last reader, so that a long chain needs the memory of a
// few of its links.

import ActArray
import ActNetwork

struct GraphNode: Sendable {
    let operation: OperatorRow
    let domain: String
    /// The version of its operator set.
    let version: Int
    let name: String
    let inputs: [String]
    let outputs: [String]
    let attributes: [String: ONNXAttribute.Value]
    /// The tensors among its attributes.
    var tensors = GraphProgram.Constants()
    /// The graphs among its attributes: branches, bodies of loops.
    let graphs: [String: GraphProgram]

    /// `Conv "conv1"`
    var text: String { name.isEmpty ? operation.name : "\(operation.name) \"\(name)\"" }

    /// Everything that it or a graph inside it reads from around it.
    var reads: [String] { inputs.filter { !$0.isEmpty } + graphs.values.flatMap(\.free) }
}

final class GraphProgram: Sendable {
    struct Port: Sendable {
        let name: String
        let type: ONNXElementType
        /// Sizes where they are known, `nil` where any fits; `nil` as a whole where not even the number of axes is known.
        var shape: [Int?]?
        var holder = ONNXValueInfo.Holder.tensor
    }

    let nodes: [GraphNode]
    let inputs: [Port]
    let outputs: [String]
    let constants: Constants
    /// Names that it reads from around it.
    let free: [String]
    /// What no later node reads, after each node.
    private let dying: [[String]]

    /// Arrays do not change; that they may be used on any thread is the array library's promise.
    struct Constants: @unchecked Sendable {
        var values: [String: GraphValue] = [:]
    }

    init(_ nodes: [GraphNode], inputs: [Port], outputs: [String], constants: [String: GraphValue]) {
        (self.nodes, self.inputs, self.outputs) = (nodes, inputs, outputs)
        self.constants = Constants(values: constants)
        var made = Set(inputs.map(\.name)), free: [String] = [], last: [String: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for name in node.reads {
                if !made.contains(name), constants[name] == nil, made.insert(name).inserted { free.append(name) }
                last[name] = index
            }
            made.formUnion(node.outputs)
        }
        for name in outputs {
            if !made.contains(name), constants[name] == nil, made.insert(name).inserted { free.append(name) }
            last[name] = nil
        }
        self.free = free
        var dying = [[String]](repeating: [], count: nodes.count)
        for (name, index) in last { dying[index].append(name) }
        self.dying = dying
    }

    /// - Parameters:
    ///   - values: The inputs by name, and of the outermost graph its parameters and states.
    ///   - states: The arrays that take part as statistics, as their layer holds them.
    func run(_ values: [String: GraphValue], states: [String: NDArray] = [:], _ pass: Pass, inside outer: GraphRun? = nil) throws -> [GraphValue] {
        let run = GraphRun(self, values, states, pass, inside: outer)
        for (index, node) in nodes.enumerated() {
            try Interrupt.check()
            let inputs = node.inputs.map { $0.isEmpty ? nil : run.value($0) }
            let results: [GraphValue]
            do { results = try node.operation.run(NodeCall(node: node, inputs: inputs, run: run)) } catch let error as ArrayError {
                switch error {
                case .interrupted, .outOfMemory, .noGraph: throw error
                default: throw ONNXNodeError(node: node.text, fault: .inner(error))
                }
            }
            for (name, value) in zip(node.outputs, results) where !name.isEmpty { run.values[name] = value }
            for name in dying[index] { run.values[name] = nil }
        }
        return outputs.map { run.value($0) ?? .nothing }
    }
}

/// One run of a graph, in those around it.
final class GraphRun {
    let program: GraphProgram
    let pass: Pass
    private let outer: GraphRun?
    private let states: [String: NDArray]
    var values: [String: GraphValue]

    init(_ program: GraphProgram, _ values: [String: GraphValue], _ states: [String: NDArray], _ pass: Pass, inside outer: GraphRun?) {
        (self.program, self.values, self.states, self.pass, self.outer) = (program, values, states, pass, outer)
    }

    /// Keeps what a pass in training makes of a statistic.
    func gather(_ new: NDArray, for name: String) throws {
        guard let old = states[name] ?? outer?.states[name] else { return }
        let value = try new.detached().converted(to: old.type)
        try value.evaluate()
        pass.gather(value, for: old)
    }

    func value(_ name: String) -> GraphValue? {
        var run: GraphRun? = self
        while let current = run {
            if let value = current.values[name] ?? current.program.constants.values[name] { return value }
            run = current.outer
        }
        return nil
    }
}
