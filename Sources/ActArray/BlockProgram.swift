// Running a graph over blocks that stay in the cache: every step over one block, then the next block. Inputs are read in place where
// they lie row-major without gaps; other views are gathered a block at a time, so nothing is stretched or copied as a whole.

import CActKernels
import Synchronization

struct BlockProgram {
    /// Elements of a block: that of reductions, so that a fused one combines the same parts.
    static let block = Reduction.block

    /// Where the elements of a value are while a block is computed.
    private enum Place {
        case fixed(UnsafeRawPointer)                    // one element for all
        case stream(UnsafeMutableRawPointer, size: Int) // an input or a result, as a whole
        case gathered(StridedView, slot: Int)           // an input, block by block
        case slot(Int)                                  // scratch memory of one block
    }

    private let inputs: [NDArray]
    private let steps: [Graph.Step]
    private let shape: [Int]
    private let inputCount: Int
    private var places: [Place] = []
    private var slots = 0
    private let slotBytes: Int
    /// Results to copy from their slot to memory after each block, for they replace an input that is still looked at.
    private var late: (value: Int, target: UnsafeMutableRawPointer)?

    /// - Parameters:
    ///   - outputs: for each step the memory of its result, if that is wanted as a whole.
    ///   - lateRoot: the root is computed in the place of an input and events are watched, for which inputs must stay.
    init(_ graph: Graph, outputs: [UnsafeMutableRawPointer?], lateRoot: UnsafeMutableRawPointer?) {
        inputs = graph.inputs
        steps = graph.steps
        shape = graph.root.shape
        inputCount = inputs.count
        // Slots are not a multiple of a page apart: equal offsets in pages would collide in the cache.
        let widest = max(inputs.reduce(1) { max($0, $1.type.size) }, steps.reduce(1) { max($0, $1.type.size) })
        slotBytes = BlockProgram.block * widest + 192
        places.reserveCapacity(inputCount + steps.count)
        placeInputs(graph.root.count)
        var lastUse = [Int](repeating: -1, count: inputCount + steps.count)
        for (index, step) in steps.enumerated() {
            lastUse[step.operands.0] = index
            lastUse[step.operands.1] = index
            lastUse[step.operands.2] = index
        }
        lastUse[lastUse.count - 1] = Int.max
        var free: [Int] = []
        for (index, step) in steps.enumerated() {
            // A result may overwrite an operand of its own type that is used for the last time.
            let (a, b, c) = step.operands
            var released: (Int?, Int?, Int?) = (
                dyingSlot(a, lastUse, index),
                b == a ? nil : dyingSlot(b, lastUse, index),
                c == a || c == b ? nil : dyingSlot(c, lastUse, index)
            )
            func release(_ slot: inout Int?, if condition: Bool) {
                guard condition, let number = slot else { return }
                free.append(number)
                slot = nil
            }
            let inPlace = step.kernel.worksInPlace
            release(&released.0, if: inPlace && type(of: a) == step.type)
            release(&released.1, if: inPlace && type(of: b) == step.type)
            release(&released.2, if: inPlace && type(of: c) == step.type)
            if let memory = outputs[index] {
                places.append(.stream(memory, size: step.type.size))
            } else if let slot = free.popLast() {
                places.append(.slot(slot))
            } else {
                places.append(.slot(slots))
                slots += 1
            }
            release(&released.0, if: true)
            release(&released.1, if: true)
            release(&released.2, if: true)
        }
        if let lateRoot { late = (places.count - 1, lateRoot) }
    }

    private mutating func placeInputs(_ count: Int) {
        for input in inputs {
            guard let layout = input.node.layout else { continue }
            let first = layout.storage.pointer + layout.offset &* input.type.size
            if input.count == 1 {
                places.append(.fixed(first))
            } else if layout.strides == nil, input.count == count {
                places.append(.stream(first, size: input.type.size))
            } else {
                let strides = Shapes.broadcastStrides(
                    input.shape, layout.strides ?? Shapes.rowMajorStrides(input.shape), to: shape)
                let view = StridedView(
                    base: first, size: input.type.size, shape: shape,
                    strides: strides ?? [Int](repeating: 0, count: shape.count))
                places.append(.gathered(view, slot: slots))
                slots += 1
            }
        }
    }

    /// The slot of a value that a step uses last.
    private func dyingSlot(_ value: Int, _ lastUse: [Int], _ step: Int) -> Int? {
        guard lastUse[value] == step else { return nil }
        switch places[value] {
        case .slot(let slot), .gathered(_, let slot): return slot
        case .fixed, .stream: return nil
        }
    }

    private func type(of value: Int) -> ElementType {
        value < inputCount ? inputs[value].type : steps[value - inputCount].type
    }

    // MARK: Running

    /// Computes elements `start ..< start + count`, whole blocks but for the last. `visit` sees each block's last result.
    func run(_ start: Int, _ count: Int, events: Found?, visit: (_ block: Int, UnsafeRawPointer, _ n: Int) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: max(64, slots * slotBytes), alignment: 64) { scratch in
            withUnsafeTemporaryAllocation(of: Kernel.Operand.self, capacity: places.count) { operands in
                guard let memory = scratch.baseAddress else { return }
                for value in places.indices {
                    switch places[value] {
                    case .fixed(let pointer): operands[value] = Kernel.Operand(pointer: pointer, stride: 0)
                    case .stream(let base, _): operands[value] = Kernel.Operand(pointer: base, stride: 1)
                    case .gathered(_, let slot), .slot(let slot):
                        operands[value] = Kernel.Operand(pointer: memory + slot &* slotBytes, stride: 1)
                    }
                }
                for first in stride(from: start, to: start &+ count, by: BlockProgram.block) {
                    let n = min(BlockProgram.block, start &+ count &- first)
                    runBlock(first, n, operands, memory)
                    if let events, act_fp_flags() != 0 { attribute(first, n, events) }
                    if let late {
                        let size = type(of: late.value).size
                        (late.target + first &* size).copyMemory(from: operands[late.value].pointer, byteCount: n &* size)
                    }
                    visit(first / BlockProgram.block, operands[places.count &- 1].pointer, n)
                }
            }
        }
    }

    @inline(__always)
    private func runBlock(
        _ first: Int, _ n: Int, _ operands: UnsafeMutableBufferPointer<Kernel.Operand>, _ memory: UnsafeMutableRawPointer
    ) {
        for value in places.indices {
            switch places[value] {
            case .stream(let base, let size): operands[value].pointer = UnsafeRawPointer(base + first &* size)
            case .gathered(let view, let slot): view.copy(first, n, to: memory + slot &* slotBytes)
            case .fixed, .slot: break
            }
        }
        for index in steps.indices {
            let (a, b, c) = steps[index].operands
            let target = UnsafeMutableRawPointer(mutating: operands[inputCount &+ index].pointer)
            steps[index].kernel.run(operands[a], operands[b], operands[c], to: target, n)
        }
    }

    /// Runs a block again, a step at a time and nothing overwritten, to find out which operations raised the flags.
    private func attribute(_ first: Int, _ n: Int, _ events: Found) {
        let size = BlockProgram.block * ElementType.f64.size
        withUnsafeTemporaryAllocation(byteCount: places.count * size, alignment: 64) { scratch in
            guard let memory = scratch.baseAddress else { return }
            var operands: [Kernel.Operand] = []
            for value in places.indices {
                let own = memory + value &* size
                switch places[value] {
                case .fixed(let pointer): operands.append(Kernel.Operand(pointer: pointer, stride: 0))
                case .stream(let base, let size) where value < inputCount:
                    operands.append(Kernel.Operand(pointer: base + first &* size, stride: 1))
                case .gathered(let view, _):
                    view.copy(first, n, to: own)
                    operands.append(Kernel.Operand(pointer: own, stride: 1))
                case .stream, .slot: operands.append(Kernel.Operand(pointer: own, stride: 1))
                }
            }
            for (index, step) in steps.enumerated() {
                act_fp_clear()
                let (a, b, c) = step.operands
                let target = memory + (inputCount &+ index) &* size
                step.kernel.run(operands[a], operands[b], operands[c], to: target, n)
                if act_fp_flags() == 0 { continue }
                let seen = [a, b, c].prefix(step.operandCount).map { (operands[$0], type(of: $0)) }
                let found = NumericEvents.examine(
                    step.primitive, step.site, operands: Array(seen), result: target, type: step.type, start: first, n)
                events.add(index, found)
            }
        }
        act_fp_clear()
    }
}

extension Graph {
    /// Computes all steps.
    /// - Returns: the memory of the results that someone will look at, and the reduction of the root's elements, if one is asked for.
    /// - Throws: `outOfMemory`, `interrupted`.
    mutating func run(storingRoot: Bool, reducing op: ReduceOperation? = nil) throws -> (outputs: [Layout?], value: Double) {
        let count = root.count
        let shared = sharedSteps(includingRoot: storingRoot)
        let donated = storingRoot ? donation() : nil
        let watches = NumericEvents.isEnabled
        var outputs = [Layout?](repeating: nil, count: steps.count)
        for step in steps.indices where shared[step] {
            if let donated, step == steps.count - 1 {
                outputs[step] = donated.layout
            } else {
                outputs[step] = Layout(storage: try Storage(byteCount: count &* steps[step].type.size), offset: 0, strides: nil)
            }
        }
        var targets = outputs.enumerated().map { index, layout in
            layout.map { $0.storage.pointer + $0.offset &* steps[index].type.size }
        }
        // With an input overwritten nobody could tell from what an unusual result was made: the root waits in a slot.
        var lateRoot: UnsafeMutableRawPointer?
        if watches, donated != nil { swap(&lateRoot, &targets[targets.count - 1]) }
        let program = BlockProgram(self, outputs: targets, lateRoot: lateRoot)
        let found = watches ? Found() : nil
        var partials = [Double](repeating: 0, count: op == nil ? 0 : (count + BlockProgram.block - 1) / BlockProgram.block)
        let type = root.type
        let sawSpecial = Atomic<Bool>(false)
        partials.withUnsafeMutableBufferPointer { partials in
            let partials = partials
            withExtendedLifetime((outputs, donated)) {
                parallelChunks(count, work: count &* steps.reduce(0) { $0 &+ $1.primitive.cost }) { start, n in
                    if donated == nil, act_interrupt_get() != 0 { return }
                    program.run(start, n, events: found) { block, result, n in
                        guard let op else { return }
                        partials[block] = Reduction.blockValue(op, type, result, n)
                        if watches, !partials[block].isFinite, !Reduction.isFinite(result, type, n) {
                            sawSpecial.store(true, ordering: .relaxed)
                        }
                    }
                }
            }
        }
        if donated == nil, act_interrupt_get() != 0 { throw ArrayError.interrupted }
        if let found { NumericEvents.add(found.merged) }
        guard let op else { return (outputs, 0) }
        var total = Reduction.Combination(op)
        for value in partials { total.add(value) }
        if watches, !sawSpecial.load(ordering: .relaxed) { Reduction.note(op, [total.value], type) }
        return (outputs, total.value)
    }
}
