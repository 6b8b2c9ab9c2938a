// The elementwise neighbourhood of a node without data, flattened: which values it reads, which operations compute the rest, in order.
// Equal operations on equal values appear once. Only nodes of the root's shape belong to it; others are computed first.

import CActKernels
import Synchronization

struct Graph {
    /// A value is an input or the result of a step, inputs first.
    struct Step {
        let code: Int
        let kernel: Kernel
        fileprivate(set) var operands: (Int, Int, Int)
        let operandCount: Int
        let type: ElementType
        /// The first node it computes; alive as long as the graph.
        fileprivate let node: Unmanaged<Node>

        var primitive: Primitive { node._withUnsafeGuaranteedRef { $0.primitive } }
        var site: Site { node._withUnsafeGuaranteedRef { $0.site } }
    }

    let root: Node
    private(set) var inputs: [NDArray] = []
    private(set) var steps: [Step] = []

    /// The nodes to compute, operands before users, with the number of the step that computes each.
    private var nodes: [(node: Unmanaged<Node>, step: Int)] = []
    /// The `inputs` of those nodes, taken out while the graph lives so that references from inside it can be told from others.
    private var edges: [[NDArray]] = []

    /// Buffers smaller than this are not worth taking over from an operand.
    static let donationSize = 1 << 18
    /// Elements times operations of a computation in place, which cannot be interrupted since its input is gone.
    private static let donationWork = 1 << 28

    init(root: Node) throws {
        self.root = root
        try flatten()
        for (node, _) in nodes {
            let node = node._withUnsafeGuaranteedRef { $0 }
            edges.append(node.inputs)
            node.inputs = []
        }
    }

    // MARK: Flattening

    private mutating func flatten() throws {
        var values: [(node: UnsafeMutableRawPointer, value: Int)] = []  // inputs: the number; steps: −1 − number
        var path: [(node: Unmanaged<Node>, next: Int)] = [(Unmanaged.passUnretained(root), 0)]
        func value(of node: Node) -> Int? {
            let key = Unmanaged.passUnretained(node).toOpaque()
            return values.first { $0.node == key }?.value
        }
        while let (top, next) = path.last {
            let node = top.takeUnretainedValue()
            if next < node.inputs.count {
                path[path.count - 1].next += 1
                let input = node.inputs[next]
                if value(of: input.node) != nil { continue }
                if !input.isEvaluated {
                    if input.shape == root.shape {
                        path.append((Unmanaged.passUnretained(input.node), 0))
                        continue
                    }
                    try input.evaluate()
                }
                values.append((Unmanaged.passUnretained(input.node).toOpaque(), addInput(input)))
            } else {
                path.removeLast()
                let inputs = node.inputs
                let a = value(of: inputs[0].node) ?? 0
                let b = inputs.count > 1 ? value(of: inputs[1].node) ?? 0 : a, c = inputs.count > 2 ? value(of: inputs[2].node) ?? 0 : a
                let step = try addStep(node, (a, b, c))
                nodes.append((top, step))
                values.append((top.toOpaque(), -1 - step))
            }
        }
        // Now the number of inputs is known: number the steps' values after them.
        let first = inputs.count
        func number(_ value: Int) -> Int { value >= 0 ? value : first - 1 - value }
        for index in steps.indices {
            let (a, b, c) = steps[index].operands
            steps[index].operands = (number(a), number(b), number(c))
        }
    }

    private mutating func addInput(_ input: NDArray) -> Int {
        if input.count == 1, let bits = input.scalarBits,
            let known = inputs.firstIndex(where: { $0.type == input.type && $0.scalarBits == bits })
        {
            return known
        }
        inputs.append(input)
        return inputs.count - 1
    }

    private mutating func addStep(_ node: Node, _ operands: (Int, Int, Int)) throws -> Int {
        guard let code = node.primitive.elementwiseCode, let last = node.inputs.last,
            let kernel = Kernel(node.primitive, operand: last.type, type: node.type)
        else { throw ArrayError.badValue(operation: node.primitive.name, reason: "it is not elementwise") }
        if let known = steps.firstIndex(where: { $0.code == code && $0.type == node.type && $0.operands == operands }) { return known }
        steps.append(
            Step(
                code: code, kernel: kernel, operands: operands, operandCount: node.inputs.count, type: node.type,
                node: Unmanaged.passUnretained(node)))
        return steps.count - 1
    }

    // MARK: Who else refers to a node

    /// Whether all references to a node come from the given edges.
    private mutating func isReferencedOnly(by uses: [(Int, Int)]) -> Bool {
        guard let (k, i) = uses.first else { return false }
        let placeholder = NDArray(node: root)
        for use in uses.dropFirst() { edges[use.0][use.1] = placeholder }
        let isUnique = isKnownUniquelyReferenced(&edges[k][i].node)
        let original = edges[k][i]
        for use in uses.dropFirst() { edges[use.0][use.1] = original }
        return isUnique
    }

    /// The places in `edges` that refer to a node.
    private func uses(of node: UnsafeMutableRawPointer) -> [(Int, Int)] {
        var result: [(Int, Int)] = []
        for k in edges.indices {
            for i in edges[k].indices where Unmanaged.passUnretained(edges[k][i].node).toOpaque() == node { result.append((k, i)) }
        }
        return result
    }

    /// The steps whose results someone outside the graph refers to.
    mutating func sharedSteps(includingRoot: Bool) -> [Bool] {
        var shared = [Bool](repeating: false, count: steps.count)
        for (node, step) in nodes where !shared[step] {
            if node.toOpaque() == Unmanaged.passUnretained(root).toOpaque() {
                shared[step] = includingRoot
            } else {
                shared[step] = !isReferencedOnly(by: uses(of: node.toOpaque()))
            }
        }
        return shared
    }

    /// The number and memory of an input that nothing else needs any more, so that the root may be computed in its place.
    mutating func donation() -> (input: Int, layout: Layout)? {
        guard !root.isTraced, root.count &* root.type.size >= Graph.donationSize, root.count &* steps.count <= Graph.donationWork else {
            return nil
        }
        for input in inputs.indices where mayBeOverwritten(inputs[input]) {
            if let layout = soleLayout(input) { return (input, layout) }
        }
        return nil
    }

    private func mayBeOverwritten(_ array: NDArray) -> Bool {
        guard array.type == root.type, array.count == root.count, !array.isTraced, let layout = array.node.layout else { return false }
        return layout.strides == nil && layout.storage.byteCount < 2 &* root.count &* root.type.size
    }

    /// The layout of an input whose node is referred to by the graph alone, and its storage by that node alone.
    private mutating func soleLayout(_ input: Int) -> Layout? {
        let uses = uses(of: Unmanaged.passUnretained(inputs[input].node).toOpaque())
        guard let (k, i) = uses.first else { return nil }
        inputs[input] = NDArray(node: root)
        defer { inputs[input] = edges[k][i] }
        guard isReferencedOnly(by: uses), var layout = edges[k][i].node.layout else { return nil }
        edges[k][i].node.layout = nil
        let isSole = isKnownUniquelyReferenced(&layout.storage)
        edges[k][i].node.layout = layout
        return isSole ? layout : nil
    }

    // MARK: Afterwards

    /// Gives the nodes the data of their steps, where there is some.
    func store(_ outputs: [Layout?]) {
        for (node, step) in nodes {
            guard let layout = outputs[step] else { continue }
            node._withUnsafeGuaranteedRef {
                $0.layout = layout
                $0.pending = 0
            }
        }
    }

    /// Puts the inputs of the nodes back; those that have data forget them, unless traced. Operands come before their users, so that
    /// a node is alive when its turn comes.
    mutating func restore() {
        for k in nodes.indices {
            nodes[k].node._withUnsafeGuaranteedRef { node in
                if node.layout == nil || node.isTraced { node.inputs = edges[k] }
            }
            edges[k] = []
        }
        nodes = []
    }
}
