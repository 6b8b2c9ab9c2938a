// Gathering at positions that are computed: the positions are an operand, so that a graph of what was computed shows where they come from.

import CActKernels

extension NDArray {
    /// Whether, on this thread, elements at computed positions depend on them although what they are taken from is constant: while a graph
    /// is taken. Derivatives do not go through positions.
    package static var followsPositions: Bool {
        get { act_context().pointee.follows_positions != 0 }
        set { act_context().pointee.follows_positions = newValue ? 1 : 0 }
    }

    /// Whether, on this thread, the elements of what is followed stand for any: reading one is refused, comparisons stay arrays. Positions
    /// are followed then too.
    package static var isSymbolic: Bool {
        get { act_context().pointee.follows_positions == 2 }
        set { act_context().pointee.follows_positions = newValue ? 2 : 0 }
    }

    /// Whether its elements stand for any: no matrix of them is singular.
    package var isSymbol: Bool { isTraced && NDArray.isSymbolic }

    /// Refuses what has no place in a graph, while one is taken whose elements stand for any.
    /// - Throws: `ArrayError.noGraph`.
    @inline(__always)
    package static func refuse(_ part: NoGraph) throws {
        if isSymbolic { throw ArrayError.noGraph(part) }
    }

    /// `gathered` at positions that are elements of an array: `result.flat[k*chunk ..< (k+1)*chunk] = flat[p[k] ..< p[k]+chunk]`.
    /// - Throws: `indexNotWhole`, `indexOutOfRange`, `cannotReshape`.
    package func gathered(at positions: NDArray, chunk: Int, shape target: [Int]) throws -> NDArray {
        let indices = GatherIndices(starts: try NDArray.starts(positions), chunk: chunk)
        let result = try detached().gathered(indices, shape: target)
        return try joined(.gather(indices), positions, result)
    }

    /// The adjoint: zeros of a shape to which chunks of this array are added at the positions.
    package func scatteredAdd(at positions: NDArray, chunk: Int, shape target: [Int]) throws -> NDArray {
        let indices = GatherIndices(starts: try NDArray.starts(positions), chunk: chunk)
        let result = try detached().scatteredAdd(indices, shape: target)
        return try joined(.scatterAdd(indices), positions, result)
    }

    private static func starts(_ positions: NDArray) throws -> [Int] {
        // Where elements stand for any, so do positions.
        if positions.isTraced, isSymbolic { return [Int](repeating: 0, count: positions.count) }
        return try positions.detached().toDoubles().map { number in
            guard let start = Int(exactly: number) else { throw ArrayError.badValue(operation: "index", .fractionalPosition) }
            return start
        }
    }

    /// A result that remembers both operands, if one of them is traced.
    private func joined(_ primitive: Primitive, _ positions: NDArray, _ result: NDArray) throws -> NDArray {
        guard isTraced || positions.isTraced else { return result }
        return NDArray(
            node: Node(
                primitive, inputs: [self, positions], shape: result.shape, count: result.count, type: type, isTraced: true, site: .current,
                layout: try result.evaluatedLayout()))
    }
}

/// Positions that were found by looking at elements (of what a mask selects, of an order): they depend on them in jumps, and are known by
/// name only.
private final class FoundPositions: CustomFunction {
    let name: String
    let attributes: [Attribute]
    let isElementwise = false

    init(_ name: String, _ attributes: [Attribute]) {
        self.name = name
        self.attributes = attributes
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] { [nil] }
    /// None: no primitive puts elements in order, and of a mask not even the number of positions is known beforehand.
    func lowered(_ inputs: [NDArray]) throws -> NDArray? { nil }
}

extension NDArray {
    /// `gathered` at positions that an operation found by looking at the elements of `source`.
    package func gathered(_ indices: GatherIndices, shape: [Int], foundBy operation: String, in source: NDArray) throws -> NDArray {
        guard source.isTraced, NDArray.followsPositions else { return try gathered(indices, shape: shape) }
        let known = try NDArray(indices.starts.map(Double.init), shape: [indices.starts.count])
        let positions = try NDArray.custom(FoundPositions(operation, []), inputs: [source], value: known)
        return try gathered(at: positions, chunk: indices.chunk, shape: shape)
    }
}

extension IndexPlan {
    /// Where the chunks of a selection begin, as what is computed from those of its indices that are traced; `nil` if none is.
    func positions(_ selection: Selection, _ starts: [Int], _ place: Place) throws -> NDArray? {
        guard lookups.contains(where: { $0.traced != nil }) else { return nil }
        var strides: [Int: Double] = [:]
        for (part, stride) in zip(orderedParts, place.strides) {
            if case .indexed(let axis) = part { strides[axis] = Double(stride) }
        }
        var varying: NDArray?
        for lookup in lookups {
            guard let index = lookup.traced else { continue }
            for (number, axis) in lookup.axes.enumerated() {
                var position: NDArray
                if index.type == .bool {
                    // How many there are depends on the values.
                    try NDArray.refuse(.element)
                    let places = lookup.positions[number], known = try NDArray((0..<places.count).map { Double(places[$0]) }, shape: lookup.shape)
                    position = try NDArray.custom(FoundPositions("nonzero", [Attribute("axis", number)]), inputs: [index], value: known)
                } else {
                    position = try index.converted(to: .f64)
                    let isFromEnd = try NDArray.compare(.lt, .array(position), .number(0))
                    position = try NDArray.select(isFromEnd, .array(position + Double(shape[axis])), .array(position))
                }
                let part = try (position * (strides[axis] ?? 0)).broadcast(to: lookupShape)
                varying = try varying.map { try $0 + part } ?? part
            }
        }
        guard let varying else { return nil }
        let length = selection.offsets.count, outer = selection.outerShape.reduce(1, &*)
        let spread = try varying.reshaped(to: [1, length]).broadcast(to: [outer, length]).reshaped(to: [outer &* length])
        // The rest is fixed.
        return try NDArray(starts.map(Double.init), shape: [starts.count]) - spread.detached() + spread
    }
}
