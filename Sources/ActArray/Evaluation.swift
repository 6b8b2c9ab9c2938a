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
        if try node.evaluateAlone() { return }
        let graph = try Graph(root: node)
        graph.store(try graph.run(storingRoot: true).results)
    }

    /// Evaluates and reduces all elements at once; they are stored only if someone else refers to them.
    static func reduceAll(_ op: ReduceOperation, _ x: consuming NDArray) throws -> Double {
        let isShared = !isKnownUniquelyReferenced(&x.node)
        let graph = try Graph(root: x.node)
        let (results, value) = try graph.run(storingRoot: isShared, reducing: op)
        graph.store(results)
        return value
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
        for input in inputs {
            guard let layout = input.node.layout, input.count == 1 || layout.strides == nil && input.count == count else { return false }
        }
        guard let last = inputs.last, let kernel = Kernel(primitive, operand: last.type, type: type) else { return false }
        // Large results may go where an operand was; a block program sees to that.
        if count &* type.size >= Graph.donationSize, !isTraced, !inputs.allSatisfy(\.isTraced) { return false }
        let storage = try Storage(byteCount: count &* type.size)
        let first = inputs[0].operand
        let (a, b, c) = (first, inputs.count > 1 ? inputs[1].operand : first, inputs.count > 2 ? inputs[2].operand : first)
        let (sizeA, sizeB, sizeC) = (inputs[0].type.size, inputs[min(1, inputs.count - 1)].type.size, last.type.size)
        let watches = NumericEvents.isEnabled
        let found = watches ? Found() : nil
        parallelChunks(count, work: count &* primitive.cost) { start, n in
            if act_interrupt_get() != 0 { return }
            let (a, b, c) = (a.advanced(start, sizeA), b.advanced(start, sizeB), c.advanced(start, sizeC))
            let target = storage.pointer + start &* type.size
            kernel.run(a, b, c, to: target, n)
            if let found, act_fp_flags() != 0 {
                let operands = zip([a, b, c], inputs).map { ($0, $1.type) }
                found.add(0, NumericEvents.examine(primitive, site, operands: operands, result: target, type: type, start: start, n))
                act_fp_clear()
            }
        }
        if act_interrupt_get() != 0 { throw ArrayError.interrupted }
        if let found { NumericEvents.add(found.merged) }
        set(Layout(storage: storage, offset: 0, strides: nil))
        return true
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
