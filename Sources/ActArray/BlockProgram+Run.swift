// Running a program over blocks that stay in the cache: every pass over one strip, then the next strip. Inputs are read in place where
// they lie row-major without gaps, and rows of others where strips end with the rows; what is left is gathered a strip at a time, so nothing
// is stretched or copied as a whole.
//
// What must stay true: what a run needs besides its program, it finds in the graph that asks for it; messages name that graph's places.

import ActSystem
import CActKernels
import Synchronization

extension BlockProgram {
    /// A program with the arrays of one graph, which hold what the pointers lead to: the nodes keep their arrays, and the call that makes a binding
    /// keeps its tables and outlives it.
    struct Binding {
        /// Where each value begins that is there as a whole, numbers included.
        let bases: UnsafeMutablePointer<UnsafeMutableRawPointer?>
        /// The inputs that are gathered, by slot.
        var views: [StridedView] = []
        /// Those of them that are read in place, row by row.
        var rows: [StridedView.Rows?] = []
        /// Where the root's block goes once the block is done, for it replaces an input that is still looked at.
        var lateRoot: UnsafeMutableRawPointer?
        /// Where rows of the root go, if they do not lie one after the other.
        var rootRows: StridedView.Rows?
        /// How long all rows are that are read or written in place; 0 if there are none.
        var rowLength = 0
        /// What made each step.
        let steps: UnsafeMutableBufferPointer<Neighbourhood.Step>
    }

    /// Sees the last result of each block: the position of its first element, where its elements are, and how many.
    typealias Visit = (_ first: Int, UnsafeRawPointer, _ n: Int) -> Void

    /// Computes elements `start ..< start + count` in blocks of `block` elements, the last of each `row` elements shorter. `visit` sees them.
    /// - Throws: `outOfMemory` before anything is computed.
    func run(
        _ binding: Binding, _ start: Int, _ count: Int, block: Int = BlockProgram.block, row: Int = .max, events: Found?, visit: Visit?
    ) throws {
        let scratch = try Scratch(byteCount: workingBytes)
        run(binding, start, count, in: scratch.pointer, block: block, row: row, events: events, visit: visit)
    }

    /// What a run needs besides its operands.
    fileprivate var workingBytes: Int {
        let root = places[places.count &- 1]
        return slots &* slotBytes &+ (root.kind == .blockSlot ? BlockProgram.block &* root.size : 0)
            &+ places.count &* (MemoryLayout<Kernel.Operand>.stride &+ MemoryLayout<Int>.stride) &+ links.count &* MemoryLayout<act_chain_step>.stride
    }

    fileprivate func run(
        _ binding: Binding, _ start: Int, _ count: Int, in slotMemory: UnsafeMutableRawPointer, block: Int = BlockProgram.block, row: Int = .max,
        events: Found?, visit: Visit?
    ) {
        // Nothing happens between blocks unless somebody looks at them; nothing has to stay in the cache unless there are slots.
        let block = events == nil && visit == nil && binding.lateRoot == nil ? count : block
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
        let rowLength = max(1, binding.rowLength), hasRows = binding.rowLength > 0
        let distances = UnsafeMutableRawPointer(chains + links.count).assumingMemoryBound(to: Int.self)
        let isEven = hasRows && rowLength <= strip && noteDistances(binding, distances)
        var first = start, place = (row: start / rowLength, column: start % rowLength)
        while first < start &+ count {
            let n = min(block, row == .max ? .max : row &- first % row, start &+ count &- first)
            defer { first &+= n }
            var done = 0
            while done < n {
                // Strips end where rows end.
                let left = min(strip, n &- done), length = hasRows ? min(left, rowLength &- place.column) : left
                runStrip(binding, first, done, length, place, operands, chains, slotMemory, rootMemory)
                done &+= length
                if isEven, length == rowLength, n &- done >= rowLength {
                    let rows = (n &- done) / rowLength
                    runRows(rows, rowLength, distances, operands, chains)
                    done &+= rows &* rowLength
                    place.row &+= rows
                }
                place.column &+= length
                if place.column == rowLength { place = (place.row &+ 1, 0) }
            }
            if let events, act_fp_flags() != 0 { attribute(binding, first, n, events) }
            if let lateRoot = binding.lateRoot { (lateRoot + first &* root.size).copyMemory(from: rootMemory, byteCount: n &* root.size) }
            guard let visit else { continue }
            let result = binding.bases[places.count &- 1].map { UnsafeRawPointer($0 + first &* root.size) } ?? UnsafeRawPointer(rootMemory)
            visit(first, result, n)
        }
    }

    /// Computes `n` elements, `offset` of which into the block that begins at `first`.
    @inline(__always)
    private func runStrip(
        _ binding: Binding, _ first: Int, _ offset: Int, _ n: Int, _ place: (row: Int, column: Int), _ operands: UnsafeMutablePointer<Kernel.Operand>,
        _ chains: UnsafeMutablePointer<act_chain_step>, _ slotMemory: UnsafeMutableRawPointer, _ rootMemory: UnsafeMutableRawPointer
    ) {
        for value in places.indices {
            let (kind, size, slot) = (places[value].kind, places[value].size, places[value].slot)
            switch kind {
            case .stream: if let base = binding.bases[value] { operands[value].pointer = UnsafeRawPointer(base + (first &+ offset) &* size) }
            case .gathered:
                if let rows = binding.rows[slot] {
                    operands[value] = Kernel.Operand(pointer: rows.element(place.row, place.column), stride: rows.step)
                } else {
                    binding.views[slot].copy(first &+ offset, n, to: slotMemory + slot &* slotBytes)
                }
            case .blockSlot: operands[value].pointer = UnsafeRawPointer(rootMemory + offset &* size)
            case .absent, .fixed, .slot: break
            }
        }
        if let rows = binding.rootRows { operands[places.count &- 1].pointer = rows.element(place.row, place.column) }
        runPasses(operands, chains, n)
    }

    /// Says how far each value goes on from one whole row to the next, in bytes.
    /// - Returns: Whether all do by the same distance each time.
    private func noteDistances(_ binding: Binding, _ distances: UnsafeMutablePointer<Int>) -> Bool {
        let last = places.count &- 1
        for value in places.indices {
            switch places[value].kind {
            case .stream: distances[value] = binding.bases[value] == nil ? 0 : binding.rowLength &* places[value].size
            case .gathered:
                guard let distance = binding.rows[places[value].slot]?.distance else { return false }
                distances[value] = distance
            case .blockSlot: return false
            case .absent, .fixed, .slot: distances[value] = 0
            }
        }
        guard let rows = binding.rootRows else { return true }
        guard let distance = rows.distance else { return false }
        distances[last] = distance
        return true
    }

    /// Computes the whole rows after one.
    private func runRows(
        _ count: Int, _ length: Int, _ distances: UnsafePointer<Int>, _ operands: UnsafeMutablePointer<Kernel.Operand>,
        _ chains: UnsafeMutablePointer<act_chain_step>
    ) {
        let values = places.count
        for _ in 0..<count {
            for value in 0..<values { operands[value].pointer += distances[value] }
            runPasses(operands, chains, length)
        }
    }

    @inline(__always)
    private func runPasses(_ operands: UnsafeMutablePointer<Kernel.Operand>, _ chains: UnsafeMutablePointer<act_chain_step>, _ n: Int) {
        for index in links.indices where links[index].operand >= 0 {
            let operand = operands[links[index].operand], op = links[index].op
            chains[index] = act_chain_step(op: operand.stride == 0 ? op & ~UInt32(ACT_CHAIN_ARRAY) : op, operand: operand.pointer)
        }
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
    /// - Parameter rows: Where the root's elements go, if that is not memory of their own.
    /// - Throws: `outOfMemory`, `interrupted`.
    mutating func run(into rows: StridedView.Rows? = nil) throws {
        try run(storingRoot: true, into: rows) { graph, program, binding, found, isDonated in
            try graph.compute(program, binding, found, canStop: !isDonated)
        }
    }

    /// Computes all steps and reduces the root's elements as a plan says; its elements are stored too if `storingRoot`.
    mutating func run(storingRoot: Bool, reducing plan: some ReductionPlan) throws {
        try run(storingRoot: storingRoot, into: nil) { graph, program, binding, found, _ in
            try graph.reduce(program, binding, found, plan)
        }
    }

    private mutating func run(
        storingRoot: Bool, into rows: StridedView.Rows?,
        _ body: (borrowing Neighbourhood, BlockProgram, BlockProgram.Binding, Found?, _ isDonated: Bool) throws -> Void
    ) throws {
        let count = root.count, watches = NumericEvents.isEnabled, last = steps.count &- 1
        let donated = storingRoot && rows == nil ? donation() : nil
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
        // Rows of one length: the shortest, if those of the root can be cut so. Others that cannot are gathered.
        let shortest = binding.rows.lazy.compactMap { $0?.length }.min() ?? rows?.length ?? 0
        binding.rowLength = rows.map { $0.length % shortest == 0 ? shortest : $0.length } ?? shortest
        binding.rootRows = rows?.cut(to: binding.rowLength)
        if shortest > 0 {
            for (slot, own) in binding.rows.enumerated() { binding.rows[slot] = own.flatMap { $0.cut(to: binding.rowLength) } }
        }

        var rootLayout = donated, others: [(step: Int, layout: Layout)] = []
        if storingRoot, rows == nil {
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
        try withExtendedLifetime((rootLayout, others)) { try body(self, program, bound, found, donated != nil) }
        if let found { NumericEvents.add(found.merged) }
        if storesOthers { store(others) }
        if let rootLayout { root.set(rootLayout) }
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

    private func compute(_ program: BlockProgram, _ binding: BlockProgram.Binding, _ found: Found?, canStop: Bool) throws {
        // Whether the system had no memory for a piece.
        let hasFailed = Atomic<Bool>(false)
        // Once an input is overwritten all of it must be: pieces for which there is no memory take turns with what is taken beforehand.
        let reserve = try Scratch(byteCount: canStop ? 0 : program.workingBytes), memory = reserve.pointer
        parallelChunks(root.count, work: root.count &* program.cost) { start, n in
            if canStop, Interrupt.isSet { return }
            do { try program.run(binding, start, n, events: found, visit: nil) } catch {
                if canStop { return hasFailed.store(true, ordering: .relaxed) }
                Neighbourhood.turn.locked { program.run(binding, start, n, in: memory, events: found, visit: nil) }
            }
        }
        if canStop {
            if hasFailed.load(ordering: .relaxed) { throw ArrayError.outOfMemory(bytes: program.workingBytes, limit: MemoryPool.limit) }
            try Interrupt.check()
        }
    }

    private func reduce(_ program: BlockProgram, _ binding: BlockProgram.Binding, _ found: Found?, _ plan: some ReductionPlan) throws {
        if let factors = factors(binding), plan.takesProducts {
            // Sums of products by the kernel that forms both at once. Where something unusual came up, it is done again step by step.
            let type = root.type
            try plan.inPieces(work: root.count) { start, count in
                var first = start
                while first < start &+ count {
                    let n = min(plan.block, plan.row == .max ? .max : plan.row &- first % plan.row, start &+ count &- first)
                    plan.visit(products: factors.0 + first &* type.size, factors.1 + first &* type.size, first, n)
                    first &+= n
                }
            }
            if found == nil || act_fp_flags() == 0 { return }
            act_fp_clear()
        }
        try plan.inPieces(work: root.count &* program.cost) { start, count in
            try program.run(binding, start, count, block: plan.block, row: plan.row, events: found) { plan.visit($1, first: $0, $2) }
        }
    }

    /// The two arrays of whose elements the root is the products, if that is all that there is to compute, and it is not stored.
    private func factors(_ binding: BlockProgram.Binding) -> (UnsafeRawPointer, UnsafeRawPointer)? {
        guard steps.count == 1, let step = steps.first, !step.isStored, root.type != .bool else { return nil }
        let (a, b, _) = step.operands, isSquare = step.code == ElementwiseCode.square.value
        guard isSquare || step.code == ElementwiseCode(.binary(.mul)).value else { return nil }
        let second = isSquare ? a : b
        guard inputs[a].kind == .stream, inputs[second].kind == .stream, let x = binding.bases[a], let y = binding.bases[second] else { return nil }
        return (UnsafeRawPointer(x), UnsafeRawPointer(y))
    }
}
