// What writers of other systems' words need to know of a graph whose open axis may have any size: ranges and positions as sizes.
//
// What must stay true: what hangs on the open axis in another way than by whole multiples of N is an error.

import ActArray

/// `SliceRange` with sizes that may hang on N.
package struct GraphRange {
    package let start: GraphSize
    package let step: Int
    package let count: GraphSize

    package init(start: GraphSize, step: Int, count: GraphSize) { (self.start, self.step, self.count) = (start, step, count) }

    /// Behind the last element, a step on.
    package var end: GraphSize { start + count * step }
}

extension GraphSize {
    package static func * (a: GraphSize, b: Int) -> GraphSize { GraphSize(fixed: a.fixed &* b, open: a.open &* b) }
    package static func + (a: GraphSize, b: GraphSize) -> GraphSize { GraphSize(fixed: a.fixed &+ b.fixed, open: a.open &+ b.open) }
    package static func - (a: GraphSize, b: GraphSize) -> GraphSize { GraphSize(fixed: a.fixed &- b.fixed, open: a.open &- b.open) }
    package static func + (a: GraphSize, b: Int) -> GraphSize { GraphSize(fixed: a.fixed &+ b, open: a.open) }
    package var isFixed: Bool { open == 0 }
    /// How many elements an array of these sizes has; `nil` if that is not a whole multiple of N.
    package static func product(_ sizes: [GraphSize]) -> GraphSize? {
        let fixed = sizes.filter(\.isFixed).reduce(1) { $0 &* $1.fixed }, open = sizes.filter { !$0.isFixed }
        return open.count > 1 ? nil : (open.first ?? GraphSize(fixed: 1)) * fixed
    }
    /// N itself.
    package static let rows = GraphSize(fixed: 0, open: 1)
    package static let none = GraphSize(fixed: 0)
}

extension Graph {
    /// Whether a node takes the elements of each row in the order in which they are sorted.
    package func sortsRows(_ node: Node) -> Bool {
        guard case .operation(.gather(let indices)) = node.source, indices.chunk == 1, node.operands.count > 1, node.sizes == nodes[node.operands[0]].sizes,
            case .operation(.custom(let order)) = nodes[node.operands[1]].source
        else { return false }
        return order.name == "sort" && nodes[node.operands[1]].operands == [node.operands[0]]
    }
}

extension Graph.Node {
    /// The ranges of a `slice` or `unslice`.
    /// - Throws: `GraphError.dependsOnSize`.
    package func ranges(_ ranges: [SliceRange]) throws -> [GraphRange] {
        var others = ranges
        switch twin {
        case .operation(.slice(let twin)), .operation(.unslice(let twin)): others = twin
        default: break
        }
        return try zip(ranges, others).map { a, b in
            guard a.step == b.step, let start = GraphSize(a.start, b.start), let count = GraphSize(a.count, b.count) else {
                throw GraphError.dependsOnSize(at: site)
            }
            return GraphRange(start: start, step: a.step, count: count)
        }
    }

    /// The positions of a `gather` or `scatterAdd` that are fixed: in the flat array, or in each of N equal rows.
    /// - Parameter whole: The sizes of the array that they are positions of.
    /// - Returns: The positions, and how long a row is where there are N.
    /// - Throws: `GraphError.dependsOnSize`.
    package func places(_ indices: GatherIndices, in whole: [GraphSize]) throws -> (starts: [Int], rowLength: Int?) {
        func product(_ path: (GraphSize) -> Int) -> Int { whole.reduce(1) { $0 &* path($1) } }
        let (small, large) = (product { $0.trials.first }, product { $0.trials.second })
        let other: GatherIndices =
            switch twin {
            case .operation(.gather(let twin)), .operation(.scatterAdd(let twin)): twin
            default: indices
            }
        if small == large, indices.starts == other.starts, indices.chunk == other.chunk { return (indices.starts, nil) }
        let rows = GraphSize.rows.trials, count = indices.starts.count / rows.first, length = small / rows.first
        let fits =
            small % rows.first == 0 && large == length * rows.second && indices.starts.count % rows.first == 0 && other.starts.count == count * rows.second
            && indices.chunk == other.chunk
        func repeats(_ starts: [Int], _ rows: Int) -> Bool {
            (0..<rows).allSatisfy { row in (0..<count).allSatisfy { starts[row * count + $0] == row * length + indices.starts[$0] } }
        }
        guard fits, repeats(indices.starts, rows.first), repeats(other.starts, rows.second) else { throw GraphError.dependsOnSize(at: site) }
        return (Array(indices.starts.prefix(count)), length)
    }
}

extension CustomFunction {
    /// An attribute of whole numbers.
    package func wholes(_ name: String) -> [Int] {
        switch attributes.first(where: { $0.name == name })?.content {
        case .whole(let number)?: [number]
        case .wholes(let numbers)?: numbers
        default: []
        }
    }
}
