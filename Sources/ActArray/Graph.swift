// The elementwise neighbourhood of a node without data, flattened: which values it reads, which operations compute the rest, in order.
// Equal operations on equal values appear once. Only nodes of the root's shape belong to it; others are computed first.
//
// What must stay true: the nodes are left as they are until `store`, so after an error everything can be evaluated again; the root keeps
// all others alive, so they are referred to without being counted.

import CActKernels

struct Graph {
    /// A value is an input or the result of a step, inputs first.
    struct Step {
        let code: Int
        let kernel: Kernel
        /// How it takes part in a chain, if it is cheap.
        let links: Kernel.Links?
        fileprivate(set) var operands: (Int, Int, Int)
        let operandCount: Int
        let type: ElementType
        /// The first node it computes.
        fileprivate let node: Unmanaged<Node>

        var primitive: Primitive { node._withUnsafeGuaranteedRef { $0.primitive } }
        var site: Site { node._withUnsafeGuaranteedRef { $0.site } }
    }

    /// A node of the neighbourhood or an input of it.
    private struct Visit {
        let node: Unmanaged<Node>
        /// The number of an input, or −1 − the number of a step.
        let value: Int
        /// How many edges of the graph lead to it, and one of them: `user.inputs[edge]`.
        var uses = 0
        var user: Unmanaged<Node>
        var edge = 0
    }

    let root: Node
    private(set) var inputs: [Unmanaged<Node>] = []
    private(set) var steps: [Step] = []
    /// Operands before their users.
    private var visits: [Visit] = []

    /// Buffers smaller than this are not worth taking over from an operand.
    static let donationSize = 1 << 18
    /// Elements times operations of a computation in place, which cannot be interrupted since its input is gone.
    private static let donationWork = 1 << 28

    init(root: Node) throws {
        self.root = root
        while let foreign = try flatten() { try NDArray(node: foreign).evaluate() }
    }

    // MARK: Flattening

    /// - Returns: a node of another shape that has to be computed before.
    private mutating func flatten() throws -> Node? {
        inputs.removeAll(keepingCapacity: true)
        steps.removeAll(keepingCapacity: true)
        visits.removeAll(keepingCapacity: true)
        steps.reserveCapacity(root.pending)
        inputs.reserveCapacity(root.pending &+ 1)
        visits.reserveCapacity(2 &* root.pending &+ 1)
        var path: [(node: Unmanaged<Node>, next: Int)] = []
        path.reserveCapacity(root.pending)
        path.append((Unmanaged.passUnretained(root), 0))
        while let (top, next) = path.last {
            let foreign: Node? = try top._withUnsafeGuaranteedRef { node in
                guard next < node.inputs.count else {
                    path.removeLast()
                    try finish(node)
                    return nil
                }
                path[path.count &- 1].next &+= 1
                let input = node.inputs[next].node
                if visit(of: input) != nil { return nil }
                if input.layout != nil {
                    note(input, value: addInput(input))
                } else if input.shape == root.shape {
                    path.append((Unmanaged.passUnretained(input), 0))
                } else {
                    return input
                }
                return nil
            }
            if let foreign { return foreign }
        }
        // Now the number of inputs is known: number the steps' values after them.
        let first = inputs.count
        func number(_ value: Int) -> Int { value >= 0 ? value : first - 1 - value }
        for index in steps.indices {
            let (a, b, c) = steps[index].operands
            steps[index].operands = (number(a), number(b), number(c))
        }
        return nil
    }

    private func visit(of node: Node) -> Int? {
        let position = node.position
        guard position >= 0, position < visits.count, visits[position].node.toOpaque() == Unmanaged.passUnretained(node).toOpaque() else {
            return nil
        }
        return position
    }

    private mutating func note(_ node: Node, value: Int) {
        node.position = visits.count
        let reference = Unmanaged.passUnretained(node)
        visits.append(Visit(node: reference, value: value, user: reference))
    }

    /// Adds the step of a node whose operands have been visited.
    private mutating func finish(_ node: Node) throws {
        var operands = (0, 0, 0)
        for edge in node.inputs.indices {
            guard let position = visit(of: node.inputs[edge].node) else { continue }
            visits[position].uses &+= 1
            visits[position].user = Unmanaged.passUnretained(node)
            visits[position].edge = edge
            let value = visits[position].value
            switch edge {
            case 0: operands = (value, value, value)
            case 1: operands.1 = value
            default: operands.2 = value
            }
        }
        note(node, value: -1 - (try addStep(node, operands)))
    }

    private mutating func addInput(_ input: Node) -> Int {
        if input.count == 1, let bits = input.scalarBits {
            for known in inputs.indices {
                let isSame = inputs[known]._withUnsafeGuaranteedRef { $0.count == 1 && $0.type == input.type && $0.scalarBits == bits }
                if isSame { return known }
            }
        }
        inputs.append(Unmanaged.passUnretained(input))
        return inputs.count - 1
    }

    private mutating func addStep(_ node: Node, _ operands: (Int, Int, Int)) throws -> Int {
        let last = node.inputs.count - 1
        var operation = node.primitive
        // The kernel of powers would do the same; this way it can join a chain.
        if case .binary(.pow) = operation, node.inputs[1].node.isNumber(2) { operation = .unary(.square) }
        guard last >= 0, let code = operation.elementwiseCode,
            let kernel = Kernel(operation, operand: node.inputs[last].node.type, type: node.type)
        else { throw ArrayError.badValue(operation: node.primitive.name, reason: "it is not elementwise") }
        if let known = steps.firstIndex(where: { $0.code == code && $0.type == node.type && $0.operands == operands }) { return known }
        steps.append(
            Step(
                code: code, kernel: kernel, links: Kernel.Links(operation), operands: operands, operandCount: last + 1, type: node.type,
                node: Unmanaged.passUnretained(node)))
        return steps.count - 1
    }

    // MARK: Who else refers to a node

    /// Whether all references to a node come from the graph.
    private func isReferencedOnlyHere(_ visit: Visit) -> Bool {
        func isUnique() -> Bool {
            visit.user._withUnsafeGuaranteedRef { isKnownUniquelyReferenced(&$0.inputs[visit.edge].node) }
        }
        if visit.uses == 1 { return isUnique() }
        // All edges but the noted one lead elsewhere for a moment.
        var others: [(user: Unmanaged<Node>, edge: Int)] = []
        for user in visits where user.value < 0 {
            user.node._withUnsafeGuaranteedRef { node in
                for edge in node.inputs.indices where Unmanaged.passUnretained(node.inputs[edge].node).toOpaque() == visit.node.toOpaque() {
                    if user.node.toOpaque() == visit.user.toOpaque(), edge == visit.edge { continue }
                    others.append((user.node, edge))
                    node.inputs[edge].node = root
                }
            }
        }
        defer {
            for (user, edge) in others { user._withUnsafeGuaranteedRef { $0.inputs[edge].node = visit.node.takeUnretainedValue() } }
        }
        return isUnique()
    }

    /// The steps whose results someone outside the graph refers to.
    func sharedSteps(includingRoot: Bool) -> [Int] {
        var shared: [Int] = []
        for visit in visits where visit.value < 0 {
            let isRoot = visit.node.toOpaque() == Unmanaged.passUnretained(root).toOpaque(), step = -1 - visit.value
            if isRoot ? includingRoot : !isReferencedOnlyHere(visit), !shared.contains(step) { shared.append(step) }
        }
        return shared
    }

    /// The memory of an input that nothing else needs any more, so that the root may be computed in its place.
    func donation() -> Layout? {
        guard !root.isTraced, root.count &* root.type.size >= Graph.donationSize, root.count &* steps.count <= Graph.donationWork else {
            return nil
        }
        for visit in visits where visit.value >= 0 {
            if let layout = visit.node._withUnsafeGuaranteedRef({ soleLayout($0, visit) }) { return layout }
        }
        return nil
    }

    /// The layout of an input that may be overwritten: its node is referred to by the graph alone, and its storage by that node alone.
    private func soleLayout(_ node: Node, _ visit: Visit) -> Layout? {
        guard node.type == root.type, node.count == root.count, !node.isTraced, isReferencedOnlyHere(visit), var layout = node.layout,
            layout.strides == nil, layout.storage.byteCount < 2 &* root.count &* root.type.size
        else { return nil }
        node.layout = nil
        let isSole = isKnownUniquelyReferenced(&layout.storage)
        node.layout = layout
        return isSole ? layout : nil
    }

    // MARK: Afterwards

    /// Gives the nodes the data of their steps, where there is some; they forget their inputs then, unless traced. Operands come before
    /// their users, so that a node is alive when its turn comes.
    func store(_ results: [(step: Int, layout: Layout)]) {
        for visit in visits where visit.value < 0 {
            guard let result = results.first(where: { $0.step == -1 - visit.value }) else { continue }
            visit.node._withUnsafeGuaranteedRef { $0.set(result.layout) }
        }
    }
}

extension Node {
    /// The bits of the only element, if there is data.
    fileprivate var scalarBits: UInt64? { NDArray(node: self).scalarBits }

    /// Whether this is one number with data, of the given value.
    fileprivate func isNumber(_ value: Double) -> Bool {
        guard count == 1, let elements else { return false }
        switch type {
        case .f64: return elements.load(as: Double.self) == value
        case .f32: return Double(elements.load(as: Float.self)) == value
        case .bool: return false
        }
    }
}
