// Graphs that hold for every value of the arguments, and for every size of an axis that is left open.
//
// Two takings at different values and sizes make one graph. So shapes stay plain numbers everywhere else: nothing on the way from a program
// to its graph needs to know of sizes that are not known. What differs between the two is the open size, whole steps of it; where anything else
// differs, the function looked at values or sizes, and that place has no graph. A number that differs may be such a size too (a mean divides by it);
// a third taking, at another size yet, sees that it is.
//
// What must stay true: what is returned computes what the function does at every argument that fits.

import ActArray

/// A size of an axis: `fixed + open · N`.
package struct GraphSize: Equatable, Sendable, CustomStringConvertible {
    package let fixed: Int
    package let open: Int

    package init(fixed: Int, open: Int = 0) { (self.fixed, self.open) = (fixed, open) }

    /// From what it was in the two takings of a graph; `nil` if it is not a whole multiple of N.
    package init?(_ a: Int, _ b: Int) { self.init(a, b, Graph.trials.first, Graph.trials.second) }

    /// What it is in the two takings.
    package var trials: (first: Int, second: Int) { (fixed &+ open &* Graph.trials.first, fixed &+ open &* Graph.trials.second) }

    /// From what it was when N was `first` and `second`; `nil` if it is not a whole multiple.
    init?(_ a: Int, _ b: Int, _ first: Int, _ second: Int) {
        if a == b {
            self.init(fixed: a)
            return
        }
        guard second != first, (b - a).isMultiple(of: second - first) else { return nil }
        let open = (b - a) / (second - first), (product, overflows) = open.multipliedReportingOverflow(by: first)
        guard !overflows else { return nil }
        self.init(fixed: a - product, open: open)
    }

    package var description: String {
        if open == 0 { return "\(fixed)" }
        let multiple = open == 1 ? "N" : "\(open) N"
        return fixed == 0 ? multiple : "\(multiple) \(fixed < 0 ? "-" : "+") \(fixed.magnitude)"
    }
}

/// Why a function has no graph that holds for every argument.
package enum GraphError: Error, Equatable {
    /// Something was computed from values or sizes outside the graph.
    case dependsOnValues(at: Site)
    case dependsOnSize(at: Site)
}

extension Graph {
    /// An argument that stands for any of its shape.
    package struct Argument {
        package let name: String
        package let sizes: [GraphSize]
        package let type: ElementType
        /// What it is while the graph is taken; where it is missing, elements are made up.
        private let example: NDArray?

        package init(_ name: String, sizes: [GraphSize], type: ElementType = .f64) {
            (self.name, self.sizes, self.type, example) = (name, sizes, type, nil)
        }

        /// One of which there is an example: a parameter.
        package init(_ name: String, like example: NDArray) {
            (self.name, sizes, type, self.example) = (name, example.shape.map { GraphSize(fixed: $0) }, example.type, example)
        }

        /// - Parameter rows: The open size.
        fileprivate func value(rows: Int, isAscending: Bool) throws -> NDArray {
            if let example { return example }
            let shape = sizes.map { $0.fixed &+ $0.open &* rows }, count = try NDArray.full(0, shape: shape, type: .bool).count
            try MemoryPool.allow(count &* 24)
            let values = (0..<count).map { (Double(isAscending ? $0 : count - 1 - $0) + (isAscending ? 0.5 : 0.25)) / Double(count) }
            return try NDArray(values, shape: shape, type: type)
        }

        /// - Parameter shape: `nil` is the axis whose size is left open.
        package init(_ name: String, shape: [Int?] = [], type: ElementType = .f64) {
            self.init(name, sizes: shape.map { $0.map { GraphSize(fixed: $0) } ?? GraphSize(fixed: 0, open: 1) }, type: type)
        }
    }

    /// The sizes that an open axis has in the two takings: not 1, which stretches, and with a difference of their own.
    fileprivate static let trials = (first: 3, second: 7)
    /// And in the third.
    private static let check = 12

    /// The graph of what `function` computes of any arguments of these shapes.
    /// - Throws: what `function` throws; `ArrayError.noGraph` where it reads, draws or comes to a file; `GraphError`.
    package static func symbolic(
        _ function: ([NDArray]) throws -> [NDArray], of arguments: [Argument], lowered: Bool = false,
        keeping: @escaping (CustomFunction) -> Bool = { _ in false }
    ) throws -> Graph {
        // Once ascending, once descending: what hangs on the order of elements differs too.
        func taken(_ rows: Int, isAscending: Bool) throws -> Graph {
            let inputs = try arguments.map { (name: $0.name, value: try $0.value(rows: rows, isAscending: isAscending)) }
            return try Graph.of(function, inputs: inputs, lowered: lowered, keeping: keeping, symbolic: true)
        }
        // Neither values nor sizes are those of the program: nothing is to be said about them.
        let watches = NumericEvents.isEnabled
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = watches }
        var graph = try taken(trials.first, isAscending: true)
        try graph.unify(with: taken(trials.second, isAscending: false))
        if graph.nodes.contains(where: { if case .size = $0.source { true } else { false } }) {
            try graph.compareSizes(with: taken(check, isAscending: true))
        }
        return graph
    }

    /// Sees that numbers that were taken for sizes are that in a third taking too.
    private func compareSizes(with third: Graph) throws {
        for (position, node) in nodes.enumerated() {
            guard case .size(let size, let isReciprocal) = node.source else { continue }
            guard third.nodes.indices.contains(position), case .constant(let array) = third.nodes[position].source, let number = try array.onlyNumber(),
                Double(size.fixed &+ size.open &* Graph.check) == (isReciprocal ? (1 / number).rounded() : number)
            else { throw GraphError.dependsOnSize(at: node.site) }
        }
    }

    /// Makes one graph of two that were taken at different values and sizes.
    private mutating func unify(with other: Graph) throws {
        let isOpen = nodes.prefix(inputs.count).enumerated().contains { $0.element.shape != other.nodes[$0.offset].shape }
        func failure(_ site: Site) -> GraphError { isOpen ? .dependsOnSize(at: site) : .dependsOnValues(at: site) }
        for (position, node) in nodes.enumerated() {
            guard position < other.nodes.count else { throw failure(node.site) }
            let twin = other.nodes[position]
            if isOpen { nodes[position].twin = twin.source }
            guard node.operands == twin.operands, node.type == twin.type, node.shape.count == twin.shape.count else { throw failure(node.site) }
            nodes[position].sizes = try zip(node.shape, twin.shape).map { a, b in
                guard let size = GraphSize(a, b, Graph.trials.first, Graph.trials.second) else { throw GraphError.dependsOnSize(at: node.site) }
                return size
            }
            switch (node.source, twin.source) {
            case (.input, .input): break
            case (.constant(let a), .constant(let b)):
                if isOpen, let size = try Graph.size(a, b) {
                    nodes[position].source = size
                    continue
                }
                // Along an open axis it may only repeat.
                let axes = a.shape.indices.filter { a.shape[$0] != b.shape[$0] }
                let (x, y) = (try a.first(along: axes), try b.first(along: axes))
                guard try x.holdsSameBits(as: y), try a.repeats(x), try b.repeats(y) else { throw failure(node.site) }
            case (.operation, .operation): nodes[position].attributes = try Graph.unified(node, twin) ?? { throw failure(node.site) }()
            default: throw failure(node.site)
            }
        }
        guard nodes.count == other.nodes.count, outputs == other.outputs else { throw failure(other.nodes.last?.site ?? .unknown) }
    }

    /// One number that was two of them: as the size that it may be, or one over it.
    private static func size(_ a: NDArray, _ b: NDArray) throws -> Source? {
        guard let x = try a.onlyNumber(), let y = try b.onlyNumber(), x != y else { return nil }
        func size(_ x: Double, _ y: Double) -> GraphSize? {
            guard let x = Int(exactly: x), let y = Int(exactly: y), max(x.magnitude, y.magnitude) < 1 << 40 else { return nil }
            return GraphSize(x, y)
        }
        if let size = size(x, y) { return .size(size, isReciprocal: false) }
        // The quotient as the element type has it.
        func whole(_ quotient: Double) -> Double? {
            let number = (1 / quotient).rounded()
            return (a.type == .f32 ? Double(1 / Float(number)) : 1 / number) == quotient ? number : nil
        }
        guard let x = whole(x), let y = whole(y), let size = size(x, y) else { return nil }
        return .size(size, isReciprocal: true)
    }

    /// The attributes of a node in both takings; `nil` where they differ by more than sizes.
    private static func unified(_ node: Node, _ twin: Node) -> [Attribute]? {
        guard case .operation(let a) = node.source, case .operation(let b) = twin.source, a.kind == b.kind, node.attributes.count == twin.attributes.count
        else {
            return nil
        }
        // Positions that are computed are an operand.
        let areComputed = a.kind == .gather || a.kind == .scatterAdd ? node.operands.count > 1 : false
        var result: [Attribute] = []
        for (first, second) in zip(node.attributes, twin.attributes) {
            guard first.name == second.name else { return nil }
            if first == second || areComputed && first.name == "positions" {
                result.append(first)
                continue
            }
            switch (first.content, second.content) {
            case (.whole(let x), .whole(let y)):
                guard let size = GraphSize(x, y, trials.first, trials.second) else { return nil }
                result.append(Attribute(first.name, size.description))
            case (.wholes(let x), .wholes(let y)) where x.count == y.count:
                let sizes = zip(x, y).compactMap { GraphSize($0, $1, trials.first, trials.second) }
                guard sizes.count == x.count else { return nil }
                result.append(Attribute(first.name, "[\(sizes.map(\.description).joined(separator: ", "))]"))
            // Positions of elements of more rows.
            case (.wholes(let x), .wholes(let y)) where first.name == "positions" && x.count != y.count: result.append(first)
            default: return nil
            }
        }
        return result
    }
}

extension NDArray {
    /// The element of an array of one number.
    fileprivate func onlyNumber() throws -> Double? { count == 1 && type != .bool ? try detached().toDoubles().first : nil }

    private func bits() throws -> [UInt64] {
        // NaN is equal to itself here.
        try detached().toDoubles().map(\.bitPattern)
    }

    fileprivate func holdsSameBits(as other: NDArray) throws -> Bool { try type == other.type && bits() == other.bits() }

    fileprivate func repeats(_ part: NDArray) throws -> Bool { try part.shape == shape || part.broadcast(to: shape).holdsSameBits(as: self) }

    /// The first part along some axes, which stay, with one element each.
    package func first(along axes: [Int]) throws -> NDArray {
        if axes.isEmpty || count == 0 { return self }
        return try sliced(shape.enumerated().map { SliceRange(start: 0, step: 1, count: axes.contains($0) ? 1 : $1) })
    }
}
