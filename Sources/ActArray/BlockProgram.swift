// Running a graph over blocks that stay in the cache: every pass over one strip, then the next strip. Inputs are read in place where
// they lie row-major without gaps; other views are gathered a strip at a time, so nothing is stretched or copied as a whole.
//
// What must stay true: a pass is a step's kernel or a chain of cheap steps, each with the result of the one before; a chain has the bits of
// its steps' kernels one after another, so results do not depend on what is fused.

import CActKernels
import Synchronization

final class BlockProgram {
    /// Elements of a block: that of reductions, so that a fused one combines the same parts.
    static let block = Reduction.block
    /// Elements of a strip, of which a block has a whole number: what a few passes read and write stays in the first-level cache.
    private static let strip = 1024

    /// Where the elements of a value are while a strip is computed.
    private struct Place {
        enum Kind {
            case absent      // within a chain
            case fixed       // one element for all
            case stream      // an input or a result, as a whole
            case gathered    // an input, strip by strip
            case slot        // scratch memory of one strip
            case blockSlot   // scratch memory of one block: a root that is not stored, or late
        }
        var kind: Kind
        var base: UnsafeMutableRawPointer?
        var size: Int
        var slot = 0
        var view = 0
    }

    /// One walk over a strip.
    private struct Pass {
        /// The step whose result it leaves.
        let step: Int
        /// Of a chain: the value that it begins with, and its operations in `links`; none for the step's kernel.
        let start: Int
        let links: Range<Int>
    }

    /// What is known of a step while passes are made.
    private struct Plan {
        /// How many operands of steps are its result.
        var uses = 0
        /// The step whose result it takes over in a chain, and the length of that chain.
        var previous = -1
        var length = 1
        var isTakenOver = false
    }

    private let graph: Graph
    private let inputCount: Int
    @exclusivity(unchecked) private var places: [Place] = []
    @exclusivity(unchecked) private var views: [StridedView] = []
    @exclusivity(unchecked) private var passes: [Pass] = []
    @exclusivity(unchecked) private var links: [(op: UInt32, operand: Int)] = []
    @exclusivity(unchecked) private var slots = 0
    private let slotBytes: Int
    /// Where the root's block goes once the block is done, for it replaces an input that is still looked at.
    private let lateRoot: UnsafeMutableRawPointer?

    /// - Parameters:
    ///   - targets: for each step the memory of its result, if that is wanted as a whole.
    ///   - lateRoot: the root is computed in the place of an input and events are watched, for which inputs must stay.
    init(_ graph: Graph, targets: [UnsafeMutableRawPointer?], lateRoot: UnsafeMutableRawPointer?) {
        self.graph = graph
        self.lateRoot = lateRoot
        inputCount = graph.inputs.count
        var widest = 1
        for input in graph.inputs { widest = max(widest, input._withUnsafeGuaranteedRef { $0.type.size }) }
        for step in graph.steps { widest = max(widest, step.type.size) }
        // Slots are not a multiple of a page apart: equal offsets in pages would collide in the cache.
        slotBytes = BlockProgram.strip * widest + 192
        places.reserveCapacity(inputCount + graph.steps.count)
        placeInputs()
        makePasses(targets)
        placeSteps(targets)
    }

    private func placeInputs() {
        let count = graph.root.count
        for input in graph.inputs {
            input._withUnsafeGuaranteedRef { node in
                guard let layout = node.layout else { preconditionFailure("an input has data") }
                let first = layout.storage.pointer + layout.offset &* node.type.size
                if node.count == 1 {
                    places.append(Place(kind: .fixed, base: first, size: node.type.size))
                } else if layout.strides == nil, node.count == count {
                    places.append(Place(kind: .stream, base: first, size: node.type.size))
                } else {
                    let shape = graph.root.shape
                    let strides = Shapes.broadcastStrides(node.shape, layout.strides ?? Shapes.rowMajorStrides(node.shape), to: shape)
                    views.append(
                        StridedView(
                            base: first, size: node.type.size, shape: shape, strides: strides ?? [Int](repeating: 0, count: shape.count)))
                    places.append(Place(kind: .gathered, base: nil, size: node.type.size, slot: slots, view: views.count - 1))
                    slots += 1
                }
            }
        }
    }

    // MARK: Passes

    private func isFixed(_ value: Int) -> Bool { value < inputCount && places[value].kind == .fixed }

    /// Joins cheap steps to chains: a step takes over an operand that nothing else needs.
    private func makePasses(_ targets: [UnsafeMutableRawPointer?]) {
        let steps = graph.steps
        var plans = [Plan](repeating: Plan(), count: steps.count)
        for index in steps.indices {
            let step = steps[index], (a, b, c) = step.operands
            if a >= inputCount { plans[a - inputCount].uses += 1 }
            if step.operandCount > 1, b >= inputCount { plans[b - inputCount].uses += 1 }
            if step.operandCount > 2, c >= inputCount { plans[c - inputCount].uses += 1 }
        }
        func isFree(_ value: Int) -> Bool {
            value >= inputCount && plans[value - inputCount].uses == 1 && targets[value - inputCount] == nil
                && steps[value - inputCount].links.map { canBegin(steps[value - inputCount], $0) } == true
        }
        passes.reserveCapacity(steps.count)
        for index in steps.indices {
            guard let link = steps[index].links else { continue }
            let (a, b, _) = steps[index].operands
            var previous = isFree(a) ? a - inputCount : -1
            if link.second != nil, isFree(b), previous < 0 || plans[b - inputCount].length > plans[previous].length {
                previous = b - inputCount
            }
            guard previous >= 0 else { continue }
            plans[index].previous = previous
            plans[index].length = plans[previous].length + 1
            plans[previous].isTakenOver = true
        }
        for index in steps.indices where !plans[index].isTakenOver {
            if plans[index].previous < 0 {
                passes.append(Pass(step: index, start: 0, links: 0..<0))
            } else {
                passes.append(chain(to: index, plans))
            }
        }
    }

    /// Whether an operation can be the first of a chain: one of its operands is an array.
    private func canBegin(_ step: Graph.Step, _ link: Kernel.Links) -> Bool {
        !isFixed(step.operands.0) || link.second != nil && !isFixed(step.operands.1)
    }

    private func chain(to last: Int, _ plans: [Plan]) -> Pass {
        var first = last, start = 0
        let end = links.count + plans[last].length
        links.append(contentsOf: repeatElement((op: 0, operand: -1), count: plans[last].length))
        for place in (end - plans[last].length..<end).reversed() {
            let step = graph.steps[first], (a, b, _) = step.operands
            guard let link = step.links else { preconditionFailure("only cheap steps are taken over") }
            let previous = plans[first].previous
            let takesFirst = previous >= 0 ? a == previous + inputCount : !isFixed(a)
            var op = takesFirst ? link.first : link.second ?? link.first, operand = -1
            if Kernel.isBinary(link: op) {
                operand = takesFirst ? b : a
                if !isFixed(operand) { op += UInt32(ACT_CHAIN_ARRAY) }
            }
            links[place] = (op, operand)
            start = takesFirst ? a : b
            if previous >= 0 { first = previous }
        }
        return Pass(step: last, start: start, links: end - plans[last].length..<end)
    }

    /// How many operands a pass reads; the k-th of them, −1 for none.
    private func readCount(_ pass: Pass) -> Int { pass.links.isEmpty ? graph.steps[pass.step].operandCount : 1 &+ pass.links.count }
    private func read(_ pass: Pass, _ k: Int) -> Int {
        if !pass.links.isEmpty { return k == 0 ? pass.start : links[pass.links.lowerBound &+ k &- 1].operand }
        let (a, b, c) = graph.steps[pass.step].operands
        return k == 0 ? a : k == 1 ? b : c
    }

    /// Gives the result of each pass its place: a slot is free again when it has been read for the last time.
    private func placeSteps(_ targets: [UnsafeMutableRawPointer?]) {
        for step in graph.steps { places.append(Place(kind: .absent, base: nil, size: step.type.size)) }
        var lastRead = [Int](repeating: -1, count: places.count)
        for (index, pass) in passes.enumerated() {
            for k in 0..<readCount(pass) where read(pass, k) >= 0 { lastRead[read(pass, k)] = index }
        }
        var free: [Int] = []
        for (index, pass) in passes.enumerated() {
            let value = inputCount + pass.step
            let size = graph.steps[pass.step].kernel.worksInPlace ? places[value].size : 0
            // Slots of which this pass reads the last: first those that the result may overwrite, then, once it has its place, the others.
            for round in 0..<2 {
                let overwritable = round == 0
                if !overwritable { place(value, targets[pass.step], &free) }
                for k in 0..<readCount(pass) {
                    let operand = read(pass, k)
                    guard operand >= 0, lastRead[operand] == index, (places[operand].size == size) == overwritable else { continue }
                    guard places[operand].kind == .slot || places[operand].kind == .gathered else { continue }
                    free.append(places[operand].slot)
                    lastRead[operand] = -1
                }
            }
        }
    }

    private func place(_ value: Int, _ target: UnsafeMutableRawPointer?, _ free: inout [Int]) {
        if let target {
            places[value].kind = .stream
            places[value].base = target
        } else if value == places.count - 1 {
            places[value].kind = .blockSlot
        } else {
            places[value].kind = .slot
            if let slot = free.popLast() {
                places[value].slot = slot
            } else {
                places[value].slot = slots
                slots += 1
            }
        }
    }

    // MARK: Running

    /// Computes elements `start ..< start + count`, whole blocks but for the last. `visit` sees each block's last result.
    func run(_ start: Int, _ count: Int, events: Found?, visit: ((_ block: Int, UnsafeRawPointer, _ n: Int) -> Void)?) {
        // Nothing happens between blocks unless somebody looks at them; nothing has to stay in the cache unless there are slots.
        let block = events == nil && visit == nil && lateRoot == nil ? count : BlockProgram.block
        let strip = slots == 0 ? block : BlockProgram.strip
        let rootSize = graph.root.type.size
        withUnsafeTemporaryAllocation(byteCount: slots * slotBytes + BlockProgram.block * rootSize, alignment: 64) { scratch in
            withUnsafeTemporaryAllocation(of: Kernel.Operand.self, capacity: places.count) { operands in
                withUnsafeTemporaryAllocation(of: act_chain_step.self, capacity: max(1, links.count)) { chains in
                    guard let slotMemory = scratch.baseAddress else { return }
                    let rootMemory = slotMemory + slots &* slotBytes
                    for value in places.indices {
                        let place = places[value], base = place.base ?? slotMemory + place.slot &* slotBytes
                        operands[value] = Kernel.Operand(pointer: place.kind == .blockSlot ? rootMemory : base, stride: place.kind == .fixed ? 0 : 1)
                    }
                    for index in links.indices { chains[index] = act_chain_step(op: links[index].op, operand: nil) }
                    for first in stride(from: start, to: start &+ count, by: max(1, block)) {
                        let n = min(block, start &+ count &- first)
                        var done = 0
                        while done < n {
                            runStrip(first, done, min(strip, n &- done), operands, chains, slotMemory, rootMemory)
                            done &+= strip
                        }
                        if let events, act_fp_flags() != 0 { attribute(first, n, events) }
                        if let lateRoot { (lateRoot + first &* rootSize).copyMemory(from: rootMemory, byteCount: n &* rootSize) }
                        guard let visit else { continue }
                        let root = places[places.count &- 1]
                        visit(first / BlockProgram.block, root.base.map { UnsafeRawPointer($0 + first &* rootSize) } ?? UnsafeRawPointer(rootMemory), n)
                    }
                }
            }
        }
    }

    /// Computes `n` elements, `offset` of which into the block that begins at `first`.
    @inline(__always)
    private func runStrip(
        _ first: Int, _ offset: Int, _ n: Int, _ operands: UnsafeMutableBufferPointer<Kernel.Operand>,
        _ chains: UnsafeMutableBufferPointer<act_chain_step>, _ slotMemory: UnsafeMutableRawPointer, _ rootMemory: UnsafeMutableRawPointer
    ) {
        for value in places.indices {
            let place = places[value]
            switch place.kind {
            case .stream: if let base = place.base { operands[value].pointer = UnsafeRawPointer(base + (first &+ offset) &* place.size) }
            case .gathered: views[place.view].copy(first &+ offset, n, to: slotMemory + place.slot &* slotBytes)
            case .blockSlot: operands[value].pointer = UnsafeRawPointer(rootMemory + offset &* place.size)
            case .absent, .fixed, .slot: break
            }
        }
        for index in links.indices where links[index].operand >= 0 { chains[index].operand = operands[links[index].operand].pointer }
        for pass in passes {
            let step = graph.steps[pass.step]
            let target = UnsafeMutableRawPointer(mutating: operands[inputCount &+ pass.step].pointer)
            if pass.links.isEmpty {
                let (a, b, c) = step.operands
                step.kernel.run(operands[a], operands[b], operands[c], to: target, n)
            } else if let steps = chains.baseAddress {
                Kernel.runChain(operands[pass.start], steps + pass.links.lowerBound, pass.links.count, to: target, step.type, n)
            }
        }
    }

    /// Runs a block again, a step at a time and nothing overwritten, to find out which operations raised the flags.
    private func attribute(_ first: Int, _ n: Int, _ events: Found) {
        let size = BlockProgram.block * ElementType.f64.size
        withUnsafeTemporaryAllocation(byteCount: places.count * size, alignment: 64) { scratch in
            guard let memory = scratch.baseAddress else { return }
            var operands: [Kernel.Operand] = []
            for value in places.indices {
                let own = memory + value &* size, place = places[value]
                switch place.kind {
                case .fixed: operands.append(Kernel.Operand(pointer: place.base ?? own, stride: 0))
                case .stream where value < inputCount:
                    operands.append(Kernel.Operand(pointer: (place.base ?? own) + first &* place.size, stride: 1))
                case .gathered:
                    views[place.view].copy(first, n, to: own)
                    operands.append(Kernel.Operand(pointer: own, stride: 1))
                case .stream, .slot, .blockSlot, .absent: operands.append(Kernel.Operand(pointer: own, stride: 1))
                }
            }
            for (index, step) in graph.steps.enumerated() {
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

    private func type(of value: Int) -> ElementType {
        value < inputCount ? graph.inputs[value]._withUnsafeGuaranteedRef { $0.type } : graph.steps[value - inputCount].type
    }
}

extension Graph {
    /// Computes all steps.
    /// - Returns: the memory of the results that someone will look at, and the reduction of the root's elements, if one is asked for.
    /// - Throws: `outOfMemory`, `interrupted`.
    func run(storingRoot: Bool, reducing op: ReduceOperation? = nil) throws -> (results: [(step: Int, layout: Layout)], value: Double) {
        let count = root.count
        let donated = storingRoot ? donation() : nil
        let watches = NumericEvents.isEnabled
        var results: [(step: Int, layout: Layout)] = []
        var targets = [UnsafeMutableRawPointer?](repeating: nil, count: steps.count)
        for step in sharedSteps(includingRoot: storingRoot) {
            let isDonated = step == steps.count - 1 && donated != nil
            let fresh = isDonated ? donated : Layout(storage: try Storage(byteCount: count &* steps[step].type.size), offset: 0, strides: nil)
            guard let layout = fresh else { continue }
            results.append((step, layout))
            targets[step] = layout.storage.pointer + layout.offset &* steps[step].type.size
        }
        // With an input overwritten nobody could tell from what an unusual result was made: the root waits in a slot.
        var lateRoot: UnsafeMutableRawPointer?
        if watches, donated != nil { swap(&lateRoot, &targets[targets.count - 1]) }
        let program = BlockProgram(self, targets: targets, lateRoot: lateRoot)
        let found = watches ? Found() : nil
        let work = count &* steps.reduce(0) { $0 &+ $1.primitive.cost }
        guard let op else {
            withExtendedLifetime(results) {
                parallelChunks(count, work: work) { start, n in
                    if donated == nil, act_interrupt_get() != 0 { return }
                    program.run(start, n, events: found, visit: nil)
                }
            }
            if donated == nil, act_interrupt_get() != 0 { throw ArrayError.interrupted }
            if let found { NumericEvents.add(found.merged) }
            return (results, 0)
        }
        var partials = [Double](repeating: 0, count: (count + BlockProgram.block - 1) / BlockProgram.block)
        let type = root.type
        let sawSpecial = Atomic<Bool>(false)
        partials.withUnsafeMutableBufferPointer { partials in
            let partials = partials
            withExtendedLifetime(results) {
                parallelChunks(count, work: work) { start, n in
                    if act_interrupt_get() != 0 { return }
                    program.run(start, n, events: found) { block, result, n in
                        partials[block] = Reduction.blockValue(op, type, result, n)
                        if watches, !partials[block].isFinite, !Reduction.isFinite(result, type, n) {
                            sawSpecial.store(true, ordering: .relaxed)
                        }
                    }
                }
            }
        }
        if act_interrupt_get() != 0 { throw ArrayError.interrupted }
        if let found { NumericEvents.add(found.merged) }
        var total = Reduction.Combination(op)
        for value in partials { total.add(value) }
        if watches, !sawSpecial.load(ordering: .relaxed) { Reduction.note(op, [total.value], type) }
        return (results, total.value)
    }
}
