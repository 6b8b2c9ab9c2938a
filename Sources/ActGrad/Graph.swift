// What a function computes, as data: its inputs, the operations in order, its outputs. For printing, exporters and whoever wants to read, count
// or run what a function does without calling it.
//
// What must stay true: an operation comes after its operands; computing the graph at the arguments at which it was taken gives what the
// function gave there. What the function decided by values (`if`, loops, sizes) is decided in a graph that was taken of values; one that was
// taken of symbols (`Graph+Symbolic.swift`) holds for all.

import ActArray

package struct Graph {
    package enum Source {
        /// An argument of the function, by its number.
        case input(Int)
        /// Elements that do not depend on the arguments.
        case constant(NDArray)
        /// A number that hangs on the open size, or one over it: what a mean divides by.
        case size(GraphSize, isReciprocal: Bool)
        case operation(Primitive)
    }

    package struct Node {
        package internal(set) var source: Source
        /// The positions of its operands among the nodes.
        package let operands: [Int]
        package let shape: [Int]
        package let type: ElementType
        /// Where in the program it was made.
        package let site: Site
        /// The shape, where the size of an axis was left open; else as `shape` says.
        package internal(set) var sizes: [GraphSize]
        /// What an operation needs to know besides its operands, with what depends on the open size as text.
        package internal(set) var attributes: [Attribute]
        /// Where the size of an axis was left open: what it is at another size.
        package internal(set) var twin: Source?

        init(source: Source, operands: [Int], shape: [Int], type: ElementType, site: Site) {
            (self.source, self.operands, self.shape, self.type, self.site) = (source, operands, shape, type, site)
            sizes = shape.map { GraphSize(fixed: $0) }
            attributes = if case .operation(let primitive) = source { primitive.attributes } else { [] }
        }
    }

    /// The names of the arguments, in order: `nodes[i]` is input `i`.
    package let inputs: [String]
    package internal(set) var nodes: [Node] = []
    /// The positions of the results among the nodes.
    package private(set) var outputs: [Int] = []

    /// Whether the program says of a part what its slope is, which the graph does not show.
    package private(set) var hasOwnSlopes = false

    private init(inputs: [String]) { self.inputs = inputs }

    // MARK: Taking

    /// The graph of what `function` computes of arguments like these.
    /// - Parameters:
    ///   - lowered: Whether what is more than a primitive (`convolution`, `solve`, activations with formulas) is taken apart into primitives
    ///     where it can be.
    ///   - keeping: What stays whole where the others are taken apart.
    ///   - symbolic: Whether the elements stand for any: then comparisons stay in the graph, and reading an element is refused.
    /// - Throws: what `function` throws; `DerivativeError.notNumbers` for an argument of bools; `ArrayError.noGraph`.
    package static func of(
        _ function: ([NDArray]) throws -> [NDArray], inputs: [(name: String, value: NDArray)], lowered: Bool = false,
        keeping: @escaping (CustomFunction) -> Bool = { _ in false }, symbolic: Bool = false
    ) throws -> Graph {
        try Capture.run(symbolic: symbolic) {
            try Derivative.withVariables(inputs.map { try $0.value.detached() }) { variables in
                var graph = Graph(inputs: inputs.map(\.name))
                var builder = Builder(isLowering: lowered, keeping: keeping)
                for (number, variable) in variables.enumerated() {
                    graph.nodes.append(Node(source: .input(number), operands: [], shape: variable.shape, type: variable.type, site: .unknown))
                    builder.known[ObjectIdentifier(variable.node)] = number
                }
                let results = try function(variables)
                graph.outputs = try results.map { try builder.position(of: $0, in: &graph) }
                return graph
            }
        }
    }

    /// Notes the nodes of arrays, each once, with a stack of its own: recursion would be as deep as the graph.
    private struct Builder {
        let isLowering: Bool
        let keeping: (CustomFunction) -> Bool
        var known: [ObjectIdentifier: Int] = [:]
        /// Nodes stay alive, or another could have the same identity.
        private var kept: [NDArray] = []

        init(isLowering: Bool, keeping: @escaping (CustomFunction) -> Bool) { (self.isLowering, self.keeping) = (isLowering, keeping) }

        mutating func position(of root: NDArray, in graph: inout Graph) throws -> Int {
            var path = [root]
            while let array = path.last {
                if known[ObjectIdentifier(array.node)] != nil {
                    path.removeLast()
                    continue
                }
                try Interrupt.check()
                let missing = array.isTraced ? array.node.inputs.filter { known[ObjectIdentifier($0.node)] == nil } : []
                if missing.isEmpty {
                    known[ObjectIdentifier(array.node)] = try add(array, to: &graph)
                    kept.append(array)
                    path.removeLast()
                } else {
                    // The first on top: operands stand in the order in which the program has them.
                    path += missing.reversed()
                }
            }
            return known[ObjectIdentifier(root.node)] ?? 0
        }

        /// A node whose operands are there.
        private mutating func add(_ array: NDArray, to graph: inout Graph) throws -> Int {
            let operands = array.isTraced ? array.node.inputs.compactMap { known[ObjectIdentifier($0.node)] } : []
            switch array.node.primitive {
            // The variable of a derivative within the function stands for a value.
            case .variable where operands.count == 1: return operands[0]
            case .custom(is VariableMark) where operands.count == 1: return operands[0]
            // What they say is for derivatives, which have been taken.
            case .custom(is Barrier) where operands.count == 1:
                graph.hasOwnSlopes = true
                return operands[0]
            case .custom(is GivenSlope) where operands.count == 2:
                graph.hasOwnSlopes = true
                return operands[0]
            case .custom(let function) where isLowering && !keeping(function):
                let values = try graph.placeholders(operands)
                guard let part = try lowering(of: function, like: values) else { break }
                return graph.append(part, operands)
            default: break
            }
            let source: Source
            if array.isTraced, !operands.isEmpty {
                source = .operation(array.node.primitive)
            } else {
                source = .constant(try array.detached())
            }
            graph.nodes.append(Node(source: source, operands: operands, shape: array.shape, type: array.type, site: array.node.site))
            return graph.nodes.count - 1
        }

        /// The graph of a function's composition of primitives; `nil` if there is none.
        private func lowering(of function: CustomFunction, like values: [(name: String, value: NDArray)]) throws -> Graph? {
            var isMissing = false
            let graph = try Graph.of(
                { inputs in
                    guard let value = try function.lowered(inputs) else {
                        isMissing = true
                        return []
                    }
                    return [value]
                }, inputs: values, lowered: true, keeping: keeping, symbolic: NDArray.isSymbolic)
            return isMissing ? nil : graph
        }
    }

    /// Values like those of some nodes, for a function whose steps do not depend on them.
    private func placeholders(_ positions: [Int]) throws -> [(name: String, value: NDArray)] {
        try positions.map { position in
            let node = nodes[position]
            if case .constant(let value) = node.source { return ("", value) }
            return ("", try NDArray.full(1, shape: node.shape, type: node.type))
        }
    }

    /// Puts the nodes of another graph, whose inputs are `operands`, behind these.
    /// - Returns: The position of its output.
    private mutating func append(_ part: Graph, _ operands: [Int]) -> Int {
        var places: [Int] = []
        for node in part.nodes {
            if case .input(let number) = node.source {
                places.append(operands[number])
            } else {
                nodes.append(
                    Node(source: node.source, operands: node.operands.map { places[$0] }, shape: node.shape, type: node.type, site: node.site))
                places.append(nodes.count - 1)
            }
        }
        return places[part.outputs[0]]
    }

    // MARK: Computing

    /// The results for other arguments of the same shapes.
    /// - Throws: `ArrayError.badValue` where an operation is known by name only, and for arguments that do not fit.
    package func callAsFunction(_ arguments: [NDArray]) throws -> [NDArray] {
        var values: [NDArray] = []
        for node in nodes {
            switch node.source {
            case .input(let number):
                guard arguments.indices.contains(number), arguments[number].shape == node.shape else {
                    throw ArrayError.badValue(operation: "graph", .argumentShape(number + 1, node.shape))
                }
                values.append(try arguments[number].converted(to: node.type))
            case .constant(let value): values.append(value)
            case .size(let size, let isReciprocal):
                let number = Double(size.trials.first)
                values.append(try NDArray.full(isReciprocal ? 1 / number : number, shape: node.shape, type: node.type))
            case .operation(let primitive):
                values.append(try primitive.applied(to: node.operands.map { values[$0] }, shape: node.shape, type: node.type))
            }
        }
        return outputs.map { values[$0] }
    }
}

extension Graph: CustomStringConvertible {
    /// One line a node: `%2 = binary %0, %1 operation=mul : f64 [3]`.
    package var description: String {
        var lines = ["graph(" + inputs.indices.map { "%\($0) \(inputs[$0]): \(Graph.kind(nodes[$0]))" }.joined(separator: ", ") + ")"]
        for (position, node) in nodes.enumerated() {
            let text: String
            switch node.source {
            case .input: continue
            case .constant(let value):
                let number = value.count == 1 ? try? value.converted(to: .f64).toDoubles().first : nil
                text = "constant" + (number.map { " \($0)" } ?? "")
            case .size(let size, let isReciprocal): text = isReciprocal ? "size 1 / (\(size))" : "size \(size)"
            case .operation(let primitive):
                text =
                    ([primitive.kind.name] + [node.operands.map { "%\($0)" }.joined(separator: ", ")]
                    + Graph.shown(node).map(\.description)).joined(separator: " ")
            }
            lines.append("  %\(position) = \(text) : \(Graph.kind(node))")
        }
        return (lines + ["  return " + outputs.map { "%\($0)" }.joined(separator: ", ")]).joined(separator: "\n")
    }

    /// Positions that are an operand are not said twice.
    private static func shown(_ node: Node) -> [Attribute] {
        node.attributes.filter { $0.name != "positions" || node.operands.count < 2 }
    }

    private static func kind(_ node: Node) -> String { "\(node.type.name) [\(node.sizes.map(\.description).joined(separator: ", "))]" }
}

/// While the calling thread takes a graph, whatever depends on an argument is followed, positions of an index too.
enum Capture {
    static func run<T>(symbolic: Bool = false, _ body: () throws -> T) rethrows -> T {
        let (outer, outerSymbolic) = (NDArray.followsPositions, NDArray.isSymbolic)
        if symbolic { NDArray.isSymbolic = true } else { NDArray.followsPositions = true }
        defer { if outerSymbolic { NDArray.isSymbolic = true } else { NDArray.followsPositions = outer } }
        return try body()
    }
}

/// The identity through which no derivative goes, where a graph is taken: there a value without its past would be a constant.
package final class Barrier: CustomFunction, Sendable {
    private static let shared = Barrier()
    package let name = "stop_gradient", isElementwise = true

    package func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] { [nil] }
    package func lowered(_ inputs: [NDArray]) throws -> NDArray? { inputs[0] }

    /// `array` without its past: while a graph is taken, as what it is computed from.
    package static func before(_ array: NDArray) throws -> NDArray {
        guard array.isTraced, NDArray.followsPositions else { return try array.detached() }
        return try NDArray.custom(shared, inputs: [array], value: array)
    }
}
