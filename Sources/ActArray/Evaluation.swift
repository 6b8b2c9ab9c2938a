// Computing nodes that have no data yet: one operation by itself, several together as a block program.
//
// What must stay true:
// - A node that something outside the graph still refers to is computed once: its data is stored with it.
// - A node that has data forgets its inputs, unless it is traced.
// - After an error every node is as before and can be evaluated again.

import CActKernels

extension NDArray {
    /// Nodes that would take more operations than this are computed when they are made, so that loops do not pile up work.
    static let pendingLimit = 48

    /// Computes the elements if they are not there yet.
    /// - Throws: `outOfMemory`, `interrupted`; the array can be evaluated again then.
    package func evaluate() throws {
        if node.layout != nil { return }
        if node.isAbstract { try refuseElements() }
        if try node.evaluateAlone() { return }
        var graph = try Neighbourhood(root: node)
        try graph.run()
    }

    /// Computes the elements where an array that nobody else sees has room for them; they are there then.
    /// - Parameter layout: The same place.
    func evaluate(into rows: StridedView.Rows, _ layout: Layout) throws {
        var graph = try Neighbourhood(root: node)
        try graph.run(into: rows)
        node.set(layout)
    }
}

extension Node {
    /// The fewest and the most elements of one piece of parallel work. Each piece costs the threads something that they share (counts of
    /// references), so of large arrays a thread takes a few large pieces.
    private static let chunks = 1 << 14...1 << 17
    static func chunk(of count: Int) -> Int {
        let share = count / (4 * ThreadPool.count)
        return min(max(share / BlockProgram.block * BlockProgram.block, chunks.lowerBound), chunks.upperBound)
    }
    /// Elements times cost below which threads are not worth waking.
    static let parallelWork = 1 << 17

    /// Computes a single operation whose operands have data and lie well: no block program is needed.
    /// - Returns: whether that was so.
    fileprivate func evaluateAlone() throws -> Bool {
        guard let first = inputs.first, first.liesWell(for: count), inputs.second?.liesWell(for: count) != false,
            inputs.third?.liesWell(for: count) != false
        else { return false }
        let last = inputs.third ?? inputs.second ?? first
        guard let kernel = Kernel(primitive, operand: last.type, type: type) else { return false }
        // Large results may go where an operand was; a block program sees to that.
        if count &* type.size >= Neighbourhood.donationSize, !isTraced, !inputs.allSatisfy(\.isTraced) { return false }
        let storage = try Storage(byteCount: count &* type.size)
        let (sizeA, sizeB, sizeC) = (first.type.size, (inputs.second ?? first).type.size, last.type.size)
        let found = NumericEvents.isEnabled ? Found() : nil
        try withOperands(first) { a, b, c in
            parallelChunks(count, work: count &* primitive.cost) { start, n in
                if Interrupt.isSet { return }
                let (a, b, c) = (a.advanced(start, sizeA), b.advanced(start, sizeB), c.advanced(start, sizeC))
                let target = storage.pointer + start &* type.size
                kernel.run(a, b, c, to: target, n)
                if let found, act_fp_flags() != 0 {
                    let operands = [(a, first.type), (b, (inputs.second ?? first).type), (c, last.type)].prefix(primitive.operandCount)
                    found.add(0, NumericEvents.examine(primitive, site, operands: Array(operands), result: target, type: type, start: start, n))
                    act_fp_clear()
                }
            }
            try Interrupt.check()
        }
        if let found { NumericEvents.add(found.merged) }
        set(Layout(storage: storage, offset: 0, strides: nil))
        return true
    }

    /// One element, or as many as there are to compute, without gaps.
    private func liesWell(for count: Int) -> Bool { self.count == count ? elements != nil : self.count == 1 && layout != nil }

    private func withOperands(_ first: Node, _ body: (Kernel.Operand, Kernel.Operand, Kernel.Operand) throws -> Void) throws {
        let a = NDArray(node: first).operand
        if number.place == .none {
            return try body(a, inputs.second.map { NDArray(node: $0).operand } ?? a, inputs.third.map { NDArray(node: $0).operand } ?? a)
        }
        var bits = number.bits(first.type)
        try withUnsafePointer(to: &bits) { bits in
            let b = Kernel.Operand(pointer: bits, stride: 0)
            if number.place == .first { try body(b, a, a) } else { try body(a, b, a) }
        }
    }

    /// The elements are there now.
    func set(_ layout: Layout) {
        self.layout = layout
        pending = 0
        if !isTraced { inputs = [] }
    }
}

/// Calls `body` with the start and length of each chunk of `count` elements, on several threads when the work is worth it.
func parallelChunks(_ count: Int, work: Int, _ body: (_ start: Int, _ n: Int) -> Void) {
    let chunk = Node.chunk(of: count), chunks = (count + chunk - 1) / chunk
    if work < Node.parallelWork {
        for index in 0..<chunks { body(index * chunk, min(chunk, count - index * chunk)) }
    } else {
        ThreadPool.parallelFor(chunks) { index in body(index * chunk, min(chunk, count - index * chunk)) }
    }
}
