// The elementwise neighbourhood of a node without data, flattened: which values it reads, which operations compute the rest, in order.
// Equal operations on equal values appear once. Only nodes of the root's shape belong to it; others are computed first.
//
// What must stay true: the nodes are left as they are until `store`, so after an error everything can be evaluated again; the root keeps
// all others alive, so they are referred to without being counted. `pending` of the root bounds how much there is to note.

import CActKernels

struct Neighbourhood: ~Copyable {
    /// A value that is there: an array, or a number that operations name. (`root` keeps its node, as those of steps and visits.)
    struct Input {
        enum Kind: UInt8 {
            case fixed  // one element for all
            case stream  // as many elements as the root has, without gaps
            case gathered  // a view with gaps, or stretched
        }
        let kind: Kind
        let type: ElementType
        /// `nil` for a number.
        let node: Unmanaged<Node>?
        /// The bits of a number or of the only element.
        var bits: UInt64 = 0
    }

    /// An operation, packed so that two of equal structure are equal words: its code, element type, the numbers of its operands (inputs
    /// from 0, steps from `firstStep`), and whether its result is wanted as a whole.
    struct Step {
        fileprivate(set) var word: UInt64
        /// The first node it computes.
        let node: Unmanaged<Node>

        static let firstStep = 1 << 13
        fileprivate static let storedBit: UInt64 = 1 << 63

        init(_ code: ElementwiseCode, _ type: ElementType, _ a: Int, _ b: Int, _ c: Int, _ node: Node) {
            word = UInt64(code.value) | UInt64(type.rawValue) << 16 | UInt64(a) << 18 | UInt64(b) << 32 | UInt64(c) << 46
            self.node = .passUnretained(node)
        }

        var code: UInt16 { UInt16(truncatingIfNeeded: word) }
        var operands: (Int, Int, Int) { (Int(word >> 18 & 0x3fff), Int(word >> 32 & 0x3fff), Int(word >> 46 & 0x3fff)) }
        var isStored: Bool { word & Step.storedBit != 0 }
    }

    /// A node of the neighbourhood or an input of it. Not retained: `root` holds them all, and no edge changes meanwhile.
    private struct Visit {
        let node: Unmanaged<Node>
        let value: Int
        /// How many edges of the graph lead to it, and one of them: `user.inputs[edge]`.
        var uses = 0
        var user: Unmanaged<Node>
        var edge = 0

        var step: Int { value &- Step.firstStep }
    }

    let root: Node
    private(set) var inputs: UnsafeMutableBufferPointer<Input>
    private(set) var steps: UnsafeMutableBufferPointer<Step>
    /// Operands before their users.
    private var visits: UnsafeMutableBufferPointer<Visit>
    /// Whether a node of another shape has been met that has no data.
    private var foreign: Unmanaged<Node>?
    /// Inputs that lie across, row by row.
    private var copies: [NDArray] = []
    private let memory: Scratch
    private let mostInputs: Int
    private let mostSteps: Int

    /// Arrays from this many elements on that lie across are turned by tiles first: their columns would be read once for every row.
    private static let tileSize = 1 << 14
    /// Buffers smaller than this are not worth taking over from an operand.
    static let donationSize = 1 << 18
    /// Elements times operations of a computation in place, which cannot be interrupted since its input is gone.
    private static let donationWork = 1 << 28

    init(root: Node) throws {
        let mostSteps = min(root.pending, Step.firstStep &- 1), mostInputs = min(2 &* mostSteps &+ 1, Step.firstStep &- 1)
        let inputBytes = mostInputs &* MemoryLayout<Input>.stride, stepBytes = mostSteps &* MemoryLayout<Step>.stride
        // First: what has no memory is not there in part.
        let memory = try Scratch(byteCount: inputBytes &+ stepBytes &+ (mostInputs &+ mostSteps) &* MemoryLayout<Visit>.stride)
        try self.init(root, memory, mostInputs, mostSteps)
    }

    private init(_ root: Node, _ memory: consuming Scratch, _ mostInputs: Int, _ mostSteps: Int) throws {
        let inputBytes = mostInputs &* MemoryLayout<Input>.stride, stepBytes = mostSteps &* MemoryLayout<Step>.stride
        let start = memory.pointer
        self.root = root
        self.memory = memory
        self.mostInputs = mostInputs
        self.mostSteps = mostSteps
        inputs = UnsafeMutableBufferPointer(start: start.assumingMemoryBound(to: Input.self), count: 0)
        steps = UnsafeMutableBufferPointer(start: (start + inputBytes).assumingMemoryBound(to: Step.self), count: 0)
        visits = UnsafeMutableBufferPointer(start: (start + inputBytes + stepBytes).assumingMemoryBound(to: Visit.self), count: 0)
        while true {
            _ = try value(of: root)
            guard let other = foreign else { return }
            try other._withUnsafeGuaranteedRef { try NDArray(node: $0).evaluate() }
            foreign = nil
            inputs = UnsafeMutableBufferPointer(start: inputs.baseAddress, count: 0)
            steps = UnsafeMutableBufferPointer(start: steps.baseAddress, count: 0)
            visits = UnsafeMutableBufferPointer(start: visits.baseAddress, count: 0)
        }
    }

    // MARK: Flattening

    /// The number of a node's value, which is noted first if need be. No deeper than there are operations pending.
    private mutating func value(of node: Node) throws -> Int {
        if let known = visit(of: node) { return visits[known].value }
        if node.elements != nil || node.layout != nil { return note(node, try addArray(node)) }
        guard node === root || node.shape == root.shape else {
            foreign = .passUnretained(node)
            return 0
        }
        var code = node.code
        guard code != .none, let first = node.inputs.first else {
            throw ArrayError.badValue(operation: node.primitive.name, .notElementwise)
        }
        let x = try value(of: first)
        var (a, b, c) = (x, x, x)
        switch node.number.place {
        case .first: a = try addNumber(node.number, first.type)
        case .second:
            b = try addNumber(node.number, first.type)
            // The kernel of powers would do the same; this way it can join a chain.
            if code == .pow, node.number.value == 2 { code = .square }
        case .none:
            if let second = node.inputs.second {
                b = try value(of: second)
                if code == .pow, second.isNumber(2) { code = .square }
                if let third = node.inputs.third { c = try value(of: third) }
            }
        }
        if foreign != nil { return 0 }
        use(first, node, 0)
        if let second = node.inputs.second {
            use(second, node, 1)
            if let third = node.inputs.third { use(third, node, 2) }
        }
        return note(node, try add(Step(code, node.type, a, b, c, node)) &+ Step.firstStep)
    }

    private mutating func use(_ input: Node, _ user: Node, _ edge: Int) {
        guard let position = visit(of: input) else { return }
        visits[position].uses &+= 1
        visits[position].user = .passUnretained(user)
        visits[position].edge = edge
    }

    private func visit(of node: Node) -> Int? {
        let position = node.position
        guard position >= 0, position < visits.count, visits[position].node.toOpaque() == Unmanaged.passUnretained(node).toOpaque() else {
            return nil
        }
        return position
    }

    private mutating func note(_ node: Node, _ value: Int) -> Int {
        if foreign != nil { return 0 }
        node.position = visits.count
        let reference = Unmanaged.passUnretained(node)
        visits.append(Visit(node: reference, value: value, user: reference))
        return value
    }

    private mutating func add(_ step: Step) throws -> Int {
        if let known = steps.firstIndex(where: { $0.word == step.word }) { return known }
        guard steps.count < mostSteps else { throw Neighbourhood.tooLarge }
        steps.append(step)
        return steps.count &- 1
    }

    private mutating func addNumber(_ number: WeakNumber, _ type: ElementType) throws -> Int {
        try add(Input(kind: .fixed, type: type, node: nil, bits: number.bits(type)))
    }

    private mutating func addArray(_ node: Node) throws -> Int {
        if node.count == 1, let bits = NDArray(node: node).scalarBits {
            return try add(Input(kind: .fixed, type: node.type, node: .passUnretained(node), bits: bits))
        }
        let isStream = node.elements != nil && node.count == root.count
        if !isStream, node.shape == root.shape, node.count >= Neighbourhood.tileSize, NDArray(node: node).liesAcross {
            let copy = try NDArray(node: node).copied()
            copies.append(copy)
            return try add(Input(kind: .stream, type: copy.type, node: .passUnretained(copy.node)))
        }
        return try add(Input(kind: isStream ? .stream : .gathered, type: node.type, node: .passUnretained(node)))
    }

    private mutating func add(_ input: Input) throws -> Int {
        if input.kind == .fixed {
            let known = inputs.firstIndex { $0.kind == .fixed && $0.type == input.type && $0.bits == input.bits }
            if let known { return known }
        }
        guard inputs.count < mostInputs else { throw Neighbourhood.tooLarge }
        inputs.append(input)
        return inputs.count &- 1
    }

    private static let tooLarge = ArrayError.badValue(operation: "arithmetic", .tooManyOperations)

    // MARK: Who else refers to a node

    /// Whether all references to a node come from the graph.
    private func isReferencedOnlyHere(_ visit: Visit) -> Bool {
        func isUnique() -> Bool { visit.user._withUnsafeGuaranteedRef { $0.inputs.isUnique(visit.edge) } }
        if visit.uses == 1 { return isUnique() }
        // All edges but the noted one lead elsewhere for a moment.
        var others: [(user: Unmanaged<Node>, edge: Int)] = []
        for user in visits where user.value >= Step.firstStep {
            user.node._withUnsafeGuaranteedRef { node in
                for edge in 0..<node.inputs.count where Unmanaged.passUnretained(node.inputs[edge].node).toOpaque() == visit.node.toOpaque() {
                    if user.node.toOpaque() == visit.user.toOpaque(), edge == visit.edge { continue }
                    others.append((user.node, edge))
                    node.inputs.replace(edge, by: root)
                }
            }
        }
        defer {
            for (user, edge) in others { user._withUnsafeGuaranteedRef { $0.inputs.replace(edge, by: visit.node.takeUnretainedValue()) } }
        }
        return isUnique()
    }

    /// Marks the steps whose results are wanted as a whole: those that someone outside the graph refers to.
    /// - Returns: whether there are others than the root's.
    mutating func markStored(root isRootStored: Bool) -> Bool {
        var any = false
        for visit in visits where visit.value >= Step.firstStep {
            let isRoot = visit.node.toOpaque() == Unmanaged.passUnretained(root).toOpaque()
            guard isRoot ? isRootStored : !isReferencedOnlyHere(visit) else { continue }
            steps[visit.step].word |= Step.storedBit
            if !isRoot { any = true }
        }
        return any
    }

    /// The memory of an input that nothing else needs any more, so that the root may be computed in its place.
    func donation() -> Layout? {
        guard !root.isTraced, root.count &* root.type.size >= Neighbourhood.donationSize, root.count &* steps.count <= Neighbourhood.donationWork else {
            return nil
        }
        for copy in copies where copy.type == root.type { return copy.node.layout }
        for visit in visits where visit.value < Step.firstStep {
            if let layout = visit.node._withUnsafeGuaranteedRef({ soleLayout($0, visit) }) { return layout }
        }
        return nil
    }

    /// The layout of an input that may be overwritten: its node is referred to by the graph alone, and its storage by that node alone.
    private func soleLayout(_ node: Node, _ visit: Visit) -> Layout? {
        guard visit.uses > 0, node.type == root.type, node.count == root.count, !node.isTraced, isReferencedOnlyHere(visit),
            node.elements != nil, node.isOnlyUserOfStorage, let layout = node.layout, layout.storage.byteCount < 2 &* root.count &* root.type.size
        else { return nil }
        return layout
    }

    // MARK: Afterwards

    /// Gives the nodes the data of their steps, where there is some; they forget their inputs then, unless traced. Operands come before
    /// their users, so that a node is alive when its turn comes.
    func store(_ results: [(step: Int, layout: Layout)]) {
        for visit in visits where visit.value >= Step.firstStep && steps[visit.step].isStored {
            guard let result = results.first(where: { $0.step == visit.step }) else { continue }
            visit.node._withUnsafeGuaranteedRef { $0.set(result.layout) }
        }
    }
}

extension UnsafeMutableBufferPointer {
    /// Adds an element; the memory behind must have room for it.
    fileprivate mutating func append(_ element: Element) {
        guard let start = baseAddress else { return }
        (start + count).initialize(to: element)
        self = UnsafeMutableBufferPointer(start: start, count: count &+ 1)
    }
}

extension Node {
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
