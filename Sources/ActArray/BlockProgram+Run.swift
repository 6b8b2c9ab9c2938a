// Running a program over blocks that stay in the cache: every pass over one strip, then the next strip. Inputs are read in place where
// they lie row-major without gaps, and rows of others where strips end with the rows; what is left is gathered a strip at a time, so nothing
// is stretched or copied as a whole.
//
// What must stay true: what a run needs besides its program, it finds in the graph that asks for it; messages name that graph's places.

import ActSystem
import CActKernels
import Synchronization

extension BlockProgram {
    /// A program with the arrays of one graph.
    struct Binding {
        /// Where each value begins that is there as a whole, numbers included.
        let bases: UnsafeMutablePointer<UnsafeMutableRawPointer?>
        /// The inputs that are gathered, by slot.
        var views: [StridedView] = []
        /// Those of them that are read in place, row by row.
        var rows: [StridedView.Rows?] = []
        /// Where the root's block goes once the block is done, for it replaces an input that is still looked at.
        var lateRoot: UnsafeMutableRawPointer?
        /// What made each step.
        let steps: UnsafeMutableBufferPointer<Neighbourhood.Step>
    }

    /// Computes elements `start ..< start + count`, whole blocks but for the last. `visit` sees each block's last result.
    /// - Throws: `outOfMemory` before anything is computed.
    func run(
        _ binding: Binding, _ start: Int, _ count: Int, events: Found?, visit: ((_ block: Int, UnsafeRawPointer, _ n: Int) -> Void)?
    ) throws {
        let scratch = try Scratch(byteCount: workingBytes)
        run(binding, start, count, in: scratch.pointer, events: events, visit: visit)
    }

    /// What a run needs besides its operands.
    fileprivate var workingBytes: Int {
        let root = places[places.count &- 1]
        return slots &* slotBytes &+ (root.kind == .blockSlot ? BlockProgram.block &* root.size : 0)
            &+ places.count &* MemoryLayout<Kernel.Operand>.stride &+ links.count &* MemoryLayout<act_chain_step>.stride
    }

    fileprivate func run(
        _ binding: Binding, _ start: Int, _ count: Int, in slotMemory: UnsafeMutableRawPointer, events: Found?,
        visit: ((_ block: Int, UnsafeRawPointer, _ n: Int) -> Void)?
    ) {
        // Nothing happens between blocks unless somebody looks at them; nothing has to stay in the cache unless there are slots.
        let block = events == nil && visit == nil && binding.lateRoot == nil ? count : BlockProgram.block
        let strip = slots == 0 ? block : BlockProgram.strip
        let root = places[places.count &- 1]
        let rootBytes = root.kind == .blockSlot ? BlockProgram.block &* root.size : 0
        let operandBytes = places.count &* MemoryLayout<Kernel.Operand>.stride, rootMemory = slotMemory + slots &* slotBytes
        let operands = (rootMemory + rootBytes).assumingMemoryBound(to: Kernel.Operand.self)
        let chains = (rootMemory + rootBytes + operandBytes).assumingMemoryBound(to: act_chain_step.self)
        for value in places.indices {
            let place = places[value], base = binding.bases[value] ?? slotMemory + place.slot &* slotBytes
            operands[value] = Kernel.Operand(pointer: place.kind == .blockSlot ? rootMemory : base, stride: place.kind == .fixed ? 0 : 1)
        }
        for index in links.indices { chains[index] = act_chain_step(op: links[index].op, operand: nil) }
        for first in stride(from: start, to: start &+ count, by: max(1, block)) {
            let n = min(block, start &+ count &- first)
            var done = 0
            while done < n {
                let length = stripLength(binding, first &+ done, min(strip, n &- done))
                runStrip(binding, first, done, length, operands, chains, slotMemory, rootMemory)
                done &+= length
            }
            if let events, act_fp_flags() != 0 { attribute(binding, first, n, events) }
            if let lateRoot = binding.lateRoot { (lateRoot + first &* root.size).copyMemory(from: rootMemory, byteCount: n &* root.size) }
            guard let visit else { continue }
            let result = binding.bases[places.count &- 1].map { UnsafeRawPointer($0 + first &* root.size) } ?? UnsafeRawPointer(rootMemory)
            visit(first / BlockProgram.block, result, n)
        }
    }

    /// How many of the next `n` elements come before the end of a row that is read in place.
    @inline(__always)
    private func stripLength(_ binding: Binding, _ start: Int, _ n: Int) -> Int {
        var n = n
        for rows in binding.rows { if let rows { n = min(n, rows.left(from: start)) } }
        return n
    }

    /// Computes `n` elements, `offset` of which into the block that begins at `first`.
    @inline(__always)
    private func runStrip(
        _ binding: Binding, _ first: Int, _ offset: Int, _ n: Int, _ operands: UnsafeMutablePointer<Kernel.Operand>,
        _ chains: UnsafeMutablePointer<act_chain_step>, _ slotMemory: UnsafeMutableRawPointer, _ rootMemory: UnsafeMutableRawPointer
    ) {
        for value in places.indices {
            let place = places[value]
            switch place.kind {
            case .stream: if let base = binding.bases[value] { operands[value].pointer = UnsafeRawPointer(base + (first &+ offset) &* place.size) }
            case .gathered:
                if let rows = binding.rows[place.slot] {
                    operands[value] = Kernel.Operand(pointer: rows.element(first &+ offset), stride: rows.step)
                } else {
                    binding.views[place.slot].copy(first &+ offset, n, to: slotMemory + place.slot &* slotBytes)
                }
            case .blockSlot: operands[value].pointer = UnsafeRawPointer(rootMemory + offset &* place.size)
            case .absent, .fixed, .slot: break
            }
        }
        for index in links.indices where links[index].operand >= 0 { chains[index].operand = operands[links[index].operand].pointer }
        for pass in passes {
            let value = inputCount &+ pass.step
            let target = UnsafeMutableRawPointer(mutating: operands[value].pointer)
            if pass.links.isEmpty {
                let (a, b, c) = steps[pass.step].operands
                steps[pass.step].kernel.run(operands[a], operands[b], operands[c], to: target, n)
            } else {
                Kernel.runChain(operands[pass.start], chains + pass.links.lowerBound, pass.links.count, to: target, places[value].type, n)
            }
        }
    }

    /// Runs a block again, a step at a time and nothing overwritten, to find out which operations raised the flags.
    private func attribute(_ binding: Binding, _ first: Int, _ n: Int, _ events: Found) {
        let size = BlockProgram.block * ElementType.f64.size
        // Where the system has no memory nobody learns which operation it was; the values are right.
        guard let scratch = try? Scratch(byteCount: places.count * size) else { return act_fp_clear() }
        let memory = scratch.pointer
        var operands: [Kernel.Operand] = []
        for value in places.indices {
            let own = memory + value &* size, place = places[value]
            switch place.kind {
            case .fixed: operands.append(Kernel.Operand(pointer: binding.bases[value] ?? own, stride: 0))
            case .stream where value < inputCount:
                operands.append(Kernel.Operand(pointer: (binding.bases[value] ?? own) + first &* place.size, stride: 1))
            case .gathered:
                binding.views[place.slot].copy(first, n, to: own)
                operands.append(Kernel.Operand(pointer: own, stride: 1))
            case .stream, .slot, .blockSlot, .absent: operands.append(Kernel.Operand(pointer: own, stride: 1))
            }
        }
        var values = (0..<inputCount).map { NumericEvents.Computed(place: operands[$0], type: places[$0].type) }
        var calls: [UInt32] = []
        for (index, step) in steps.enumerated() {
            act_fp_clear()
            let (a, b, c) = step.operands
            let target = memory + (inputCount &+ index) &* size
            step.kernel.run(operands[a], operands[b], operands[c], to: target, n)
            let isFlagged = act_fp_flags() != 0
            binding.steps[index].node._withUnsafeGuaranteedRef { node in
                let seen = Array([a, b, c].prefix(step.operandCount))
                values.append(NumericEvents.Computed(place: operands[inputCount &+ index], type: step.type, step: (node.primitive, seen)))
                if !isFlagged { return }
                if node.site.call != 0 {
                    if !calls.contains(node.site.call) { calls.append(node.site.call) }
                    return
                }
                events.add(
                    index,
                    NumericEvents.examine(
                        node.primitive, node.site, operands: seen.map { (operands[$0], places[$0].type) }, result: target, type: step.type,
                        start: first, n))
            }
        }
        for call in calls { attribute(call, binding, values, first, n, events) }
        act_fp_clear()
    }

    /// Judges the steps of a call that raised flags as one operation.
    private func attribute(
        _ call: UInt32, _ binding: Binding, _ values: [NumericEvents.Computed], _ first: Int, _ n: Int, _ events: Found
    ) {
        func site(_ step: Int) -> Site { binding.steps[step].node._withUnsafeGuaranteedRef { $0.site } }
        let group = steps.indices.filter { site($0).call == call }
        guard let start = group.first else { return }
        var used = Set<Int>()
        for step in steps.indices where site(step).call != call { used.formUnion(values[inputCount &+ step].step?.operands ?? []) }
        let exits = group.filter { binding.steps[$0].isStored || $0 == steps.count &- 1 || used.contains(inputCount &+ $0) }
        events.add(
            group.last ?? start,
            NumericEvents.examine(
                group: group.map { inputCount &+ $0 }, exits: exits.map { inputCount &+ $0 }, of: values, site(start), start: first, n))
    }
}

extension Neighbourhood {
    /// Computes all steps and gives the nodes that someone will look at their data.
    /// - Returns: the reduction of the root's elements, if one is asked for.
    /// - Throws: `outOfMemory`, `interrupted`.
    @discardableResult
    mutating func run(storingRoot: Bool, reducing op: ReduceOperation? = nil) throws -> Double {
        let count = root.count, watches = NumericEvents.isEnabled, last = steps.count &- 1
        let donated = storingRoot ? donation() : nil
        // With an input overwritten nobody could tell from what an unusual result was made: the root waits in a slot.
        let isLate = watches && donated != nil
        let storesOthers = markStored(root: storingRoot && !isLate)
        let program = try BlockProgram.of(self)
        let values = program.places.count
        let memory = try Scratch(byteCount: values &* MemoryLayout<UnsafeMutableRawPointer?>.stride)
        var binding = BlockProgram.Binding(bases: memory.pointer.assumingMemoryBound(to: UnsafeMutableRawPointer?.self), steps: steps)
        bind(&binding)
        binding.rows = zip(binding.views, program.takesSingles).map { view, takesSingles in
            view.rows.flatMap { $0.step == 1 || takesSingles ? $0 : nil }
        }

        var rootLayout = donated, others: [(step: Int, layout: Layout)] = []
        if storingRoot {
            let layout = try donated ?? Layout(storage: Storage(byteCount: count &* root.type.size), offset: 0, strides: nil)
            let target = layout.storage.pointer + layout.offset &* root.type.size
            if isLate { binding.lateRoot = target } else { binding.bases[values &- 1] = target }
            rootLayout = layout
        }
        if storesOthers {
            for step in steps.indices where steps[step].isStored && step != last {
                let layout = Layout(storage: try Storage(byteCount: count &* steps[step].type.size), offset: 0, strides: nil)
                binding.bases[inputs.count &+ step] = layout.storage.pointer
                others.append((step, layout))
            }
        }
        let found = watches ? Found() : nil, bound = binding
        let value = try withExtendedLifetime((rootLayout, others)) {
            try compute(program, bound, found, canStop: donated == nil, op)
        }
        if storesOthers { store(others) }
        if let rootLayout { root.set(rootLayout) }
        return value
    }

    /// Says where the inputs are.
    private func bind(_ binding: inout BlockProgram.Binding) {
        (binding.bases + inputs.count).initialize(repeating: nil, count: steps.count)
        for (index, input) in inputs.enumerated() {
            guard let base = inputs.baseAddress else { return }
            var first: UnsafeMutableRawPointer?
            switch input.kind {
            case .fixed:
                // The bits lie in the graph's memory.
                first = UnsafeMutableRawPointer(base + index) + (MemoryLayout<Input>.offset(of: \.bits) ?? 0)
            case .stream: first = input.node?._withUnsafeGuaranteedRef { $0.elements }
            case .gathered:
                input.node?._withUnsafeGuaranteedRef { node in
                    guard let layout = node.layout else { return }
                    let strides = Shapes.broadcastStrides(node.shape, layout.strides ?? Shapes.rowMajorStrides(node.shape), to: root.shape)
                    binding.views.append(
                        StridedView(
                            base: layout.storage.pointer + layout.offset &* node.type.size, size: node.type.size, shape: root.shape,
                            strides: strides ?? [Int](repeating: 0, count: root.shape.count)))
                }
            }
            (binding.bases + index).initialize(to: first)
        }
    }

    private static let turn = Lock()

    private func compute(_ program: BlockProgram, _ binding: BlockProgram.Binding, _ found: Found?, canStop: Bool, _ op: ReduceOperation?) throws -> Double {
        let count = root.count, work = count &* program.cost
        // Whether the system had no memory for a piece.
        let hasFailed = Atomic<Bool>(false)
        func throwFailure() throws {
            if hasFailed.load(ordering: .relaxed) { throw ArrayError.outOfMemory(bytes: program.workingBytes, limit: MemoryPool.limit) }
        }
        guard let op else {
            // Once an input is overwritten all of it must be: pieces for which there is no memory take turns with what is taken beforehand.
            let reserve = try Scratch(byteCount: canStop ? 0 : program.workingBytes), memory = reserve.pointer
            parallelChunks(count, work: work) { start, n in
                if canStop, Interrupt.isSet { return }
                do { try program.run(binding, start, n, events: found, visit: nil) } catch {
                    if canStop { return hasFailed.store(true, ordering: .relaxed) }
                    Neighbourhood.turn.locked { program.run(binding, start, n, in: memory, events: found, visit: nil) }
                }
            }
            if canStop {
                try throwFailure()
                try Interrupt.check()
            }
            if let found { NumericEvents.add(found.merged) }
            return 0
        }
        var partials = [Double](repeating: 0, count: (count + BlockProgram.block - 1) / BlockProgram.block)
        let type = root.type, watches = found != nil
        let seen = Reduction.Specials()
        partials.withUnsafeMutableBufferPointer { partials in
            let partials = partials
            parallelChunks(count, work: work) { start, n in
                if Interrupt.isSet { return }
                do {
                    try program.run(binding, start, n, events: found) { block, result, n in
                        partials[block] = Reduction.blockValue(op, type, result, n)
                        if watches, !partials[block].isFinite { seen.look(result, type, n) }
                    }
                } catch { hasFailed.store(true, ordering: .relaxed) }
            }
        }
        try throwFailure()
        try Interrupt.check()
        var total = Reduction.Combination(op)
        for value in partials { total.add(value) }
        if let found {
            NumericEvents.add(found.merged)
            Reduction.note(op, total.value, type, of: seen)
        }
        return total.value
    }
}
