// The program of a graph: in which passes its steps run, and where each value is meanwhile. It depends on the graph's structure alone,
// not on arrays, numbers, sizes or places in the source, so that one program serves wherever the same structure comes again.
//
// What must stay true: a pass is a step's kernel or a chain of cheap steps, each with the result of the one before; a chain has the bits of
// its steps' kernels one after another, so results do not depend on what is fused.

import CActKernels

final class BlockProgram: Sendable {
    /// Elements of a block: that of reductions, so that a fused one combines the same parts.
    static let block = Reduction.block
    /// Elements of a strip, of which a block has a whole number: what a few passes read and write stays in the first-level cache.
    static let strip = 1024

    /// Where the elements of a value are while a strip is computed.
    struct Place {
        enum Kind {
            case absent  // within a chain
            case fixed  // one element for all
            case stream  // an input or a result, as a whole
            case gathered  // an input, strip by strip
            case slot  // scratch memory of one strip
            case blockSlot  // scratch memory of one block: a root that is not stored, or late
        }
        var kind: Kind
        let type: ElementType
        var size: Int
        var slot = 0
    }

    /// An operation by itself.
    struct Step {
        let kernel: Kernel
        let operands: (Int, Int, Int)
        let operandCount: Int
        let type: ElementType
        /// What an element costs by itself, about, in additions.
        fileprivate let cost: Int
        /// How it takes part in a chain, if it is cheap.
        fileprivate let links: Kernel.Links?
    }

    /// One walk over a strip.
    struct Pass {
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
        /// The step whose result it takes over in a chain, and the one whose chain is run in between to give the other operand.
        var previous = -1
        var nested = -1
        /// The number of links of its chain, and whether one is nested there.
        var length = 1
        var hasNested = false
        var isTakenOver = false
    }

    /// What graphs of the same structure share: their inputs' kinds and types, their steps.
    private let key: [UInt64]
    private let hash: UInt64
    let inputCount: Int
    let places: [Place]
    /// By slot, whether of an input that is gathered one element can stand for all of a row.
    let takesSingles: [Bool]
    let steps: [Step]
    let passes: [Pass]
    let links: [(op: UInt32, operand: Int)]
    let slots: Int
    /// Of one slot.
    let slotBytes: Int
    /// What an element costs, about, in additions.
    let cost: Int

    private init(_ graph: borrowing Neighbourhood, hash: UInt64) throws {
        self.hash = hash
        key = BlockProgram.key(graph)
        inputCount = graph.inputs.count
        var maker = Maker(inputCount: graph.inputs.count)
        for input in graph.inputs { maker.add(input) }
        for step in graph.steps { try step.node._withUnsafeGuaranteedRef { try maker.add(step, $0.primitive) } }
        maker.makePasses()
        maker.placeSteps()
        // In a chain an operation costs little beside reading and writing.
        cost = maker.passes.reduce(0) { $0 + ($1.links.isEmpty ? maker.steps[$1.step].cost : 1 + $1.links.count / 4) }
        steps = maker.steps
        passes = maker.passes
        links = maker.links
        slots = maker.slots
        slotBytes = maker.slotBytes
        places = maker.places
        takesSingles = (0..<inputCount).filter { maker.places[$0].kind == .gathered }.map(maker.takesSingles)
    }

    // MARK: Programs made before

    /// The program of a graph's structure, made now or before.
    static func of(_ graph: borrowing Neighbourhood) throws -> BlockProgram {
        let hash = hash(graph), slot = Int(hash >> 56), shelf = Engine.current.programs
        if let known = shelf.known.withLock({ $0[slot] }), known.hash == hash, known.fits(graph) { return known }
        let made = try BlockProgram(graph, hash: hash)
        // What was there is freed after the lock.
        _ = shelf.known.withLock { programs -> BlockProgram? in
            let old = programs[slot]
            programs[slot] = made
            return old
        }
        return made
    }

    /// Programs of one engine: one place for each upper byte of a hash; who comes later stays.
    final class Shelf: Sendable {
        fileprivate let known = Locked<[BlockProgram?]>(Array(repeating: nil, count: 256))
    }

    private static func hash(_ graph: borrowing Neighbourhood) -> UInt64 {
        var hash: UInt64 = 0
        for input in graph.inputs { hash = (hash ^ code(input)) &* 0x9e37_79b9_7f4a_7c15 }
        for step in graph.steps {
            hash = (hash ^ step.word) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 32
        }
        return hash &* 0x9e37_79b9_7f4a_7c15
    }

    private static func code(_ input: Neighbourhood.Input) -> UInt64 { UInt64(input.kind.rawValue) << 2 | UInt64(input.type.rawValue) }

    private static func key(_ graph: borrowing Neighbourhood) -> [UInt64] {
        var key: [UInt64] = []
        key.reserveCapacity(graph.inputs.count + graph.steps.count)
        for input in graph.inputs { key.append(code(input)) }
        for step in graph.steps { key.append(step.word) }
        return key
    }

    private func fits(_ graph: borrowing Neighbourhood) -> Bool {
        guard inputCount == graph.inputs.count, steps.count == graph.steps.count else { return false }
        for (index, input) in graph.inputs.enumerated() where key[index] != BlockProgram.code(input) { return false }
        for (index, step) in graph.steps.enumerated() where key[inputCount &+ index] != step.word { return false }
        return true
    }

    // MARK: Making one

    private struct Maker {
        let inputCount: Int
        var places: [Place] = []
        var steps: [Step] = []
        var isStored: [Bool] = []
        var plans: [Plan] = []
        var passes: [Pass] = []
        var links: [(op: UInt32, operand: Int)] = []
        var slots = 0
        private var widest = 1

        init(inputCount: Int) { self.inputCount = inputCount }

        /// Slots are not a multiple of a page apart: equal offsets in pages would collide in the cache.
        var slotBytes: Int { BlockProgram.strip * widest + 192 }

        mutating func add(_ input: Neighbourhood.Input) {
            let size = input.type.size
            widest = max(widest, size)
            switch input.kind {
            case .fixed: places.append(Place(kind: .fixed, type: input.type, size: size))
            case .stream: places.append(Place(kind: .stream, type: input.type, size: size))
            case .gathered:
                places.append(Place(kind: .gathered, type: input.type, size: size, slot: slots))
                slots += 1
            }
        }

        /// - Parameter primitive: What made the step's node. It may be a power where the step is a square.
        mutating func add(_ step: Neighbourhood.Step, _ primitive: Primitive) throws {
            func number(_ value: Int) -> Int { value < Neighbourhood.Step.firstStep ? value : value - Neighbourhood.Step.firstStep + inputCount }
            let (a, b, c) = step.operands, operands = (number(a), number(b), number(c))
            // The exponent stays an operand, which the kernel does not look at.
            let operation = step.code == ElementwiseCode.square.value ? .unary(.square) : primitive, operandCount = primitive.operandCount
            let type = step.type, last = operandCount == 3 ? operands.2 : operandCount == 2 ? operands.1 : operands.0
            guard let kernel = Kernel(operation, operand: places[last].type, type: type) else {
                throw ArrayError.badValue(operation: primitive.name, .notElementwise)
            }
            widest = max(widest, type.size)
            steps.append(
                Step(
                    kernel: kernel, operands: operands, operandCount: operandCount, type: type, cost: operation.cost,
                    links: Kernel.Links(operation)))
            isStored.append(step.isStored)
            places.append(Place(kind: .absent, type: type, size: type.size))
        }

        // MARK: Passes

        private func isFixed(_ value: Int) -> Bool { places[value].kind == .fixed }

        /// Joins cheap steps to chains: a step takes over an operand that nothing else needs, and nests the chain of another such operand.
        mutating func makePasses() {
            plans = [Plan](repeating: Plan(), count: steps.count)
            for step in steps {
                let (a, b, c) = step.operands
                if a >= inputCount { plans[a - inputCount].uses += 1 }
                if step.operandCount > 1, b >= inputCount { plans[b - inputCount].uses += 1 }
                if step.operandCount > 2, c >= inputCount { plans[c - inputCount].uses += 1 }
            }
            for index in steps.indices {
                guard let link = steps[index].links else { continue }
                let (a, b, _) = steps[index].operands
                let first = isFree(a) ? a - inputCount : -1, second = Kernel.isBinary(link: link.first) && isFree(b) ? b - inputCount : -1
                if first >= 0, second >= 0, nest(index, first, second, link) { continue }
                var previous = first
                if link.second != nil, second >= 0, previous < 0 || plans[second].length > plans[previous].length { previous = second }
                if previous >= 0 { take(index, previous) }
            }
            for index in steps.indices where !plans[index].isTakenOver {
                let first = links.count
                let start = plans[index].previous < 0 ? 0 : link(index)
                passes.append(Pass(step: index, start: start, links: first..<links.count))
            }
        }

        private func isFree(_ value: Int) -> Bool {
            guard value >= inputCount else { return false }
            let index = value - inputCount
            guard plans[index].uses == 1, !isStored[index], let link = steps[index].links else { return false }
            return canBegin(steps[index], link)
        }

        /// Whether an operation can be the first of a chain: one of its operands is an array.
        private func canBegin(_ step: Step, _ link: Kernel.Links) -> Bool {
            !isFixed(step.operands.0) || link.second != nil && !isFixed(step.operands.1)
        }

        private mutating func take(_ index: Int, _ previous: Int) {
            plans[index].previous = previous
            plans[index].length = plans[previous].length + 1
            plans[index].hasNested = plans[previous].hasNested
            plans[previous].isTakenOver = true
        }

        /// Takes over both operands, one of them nested, if there is no other nested in that one.
        private mutating func nest(_ index: Int, _ first: Int, _ second: Int, _ link: Kernel.Links) -> Bool {
            let canNestSecond = link.second != nil && !plans[second].hasNested, canNestFirst = !plans[first].hasNested
            let nestsSecond = canNestSecond && (!canNestFirst || plans[first].length >= plans[second].length)
            guard nestsSecond || canNestFirst else { return false }
            let (previous, nested) = nestsSecond ? (first, second) : (second, first)
            take(index, previous)
            plans[index].nested = nested
            plans[index].length += plans[nested].length + 1
            plans[index].hasNested = true
            plans[nested].isTakenOver = true
            return true
        }

        /// Adds the links of the chain that ends with a step. Returns the value that the chain begins with.
        private mutating func link(_ index: Int) -> Int {
            let step = steps[index], plan = plans[index], (a, b, _) = step.operands
            guard let link = step.links else { preconditionFailure("only cheap steps are taken over") }
            let takesFirst = plan.previous >= 0 ? a == plan.previous + inputCount : !isFixed(a)
            let start = plan.previous >= 0 ? self.link(plan.previous) : takesFirst ? a : b
            if plan.nested >= 0 {
                // The chain's value is now that of the nested one, the operand what was there before.
                let keep = links.count
                links.append((UInt32(ACT_CHAIN_KEEP + ACT_CHAIN_ARRAY), -1))
                links[keep].operand = self.link(plan.nested)
                links.append(((takesFirst ? link.second ?? link.first : link.first) + UInt32(ACT_CHAIN_KEPT), -1))
                return start
            }
            var op = takesFirst ? link.first : link.second ?? link.first, operand = -1
            if Kernel.isBinary(link: op) {
                operand = takesFirst ? b : a
                if !isFixed(operand) { op += UInt32(ACT_CHAIN_ARRAY) }
            }
            links.append((op, operand))
            return start
        }

        // MARK: Places

        /// How many operands a pass reads; the k-th of them, −1 for none.
        private func readCount(_ pass: Pass) -> Int { pass.links.isEmpty ? steps[pass.step].operandCount : 1 + pass.links.count }
        private func read(_ pass: Pass, _ k: Int) -> Int {
            if !pass.links.isEmpty { return k == 0 ? pass.start : links[pass.links.lowerBound + k - 1].operand }
            let (a, b, c) = steps[pass.step].operands
            return k == 0 ? a : k == 1 ? b : c
        }

        func takesSingles(_ value: Int) -> Bool {
            passes.allSatisfy { pass in
                let isRead = (0..<readCount(pass)).contains { read(pass, $0) == value }
                if !isRead || pass.links.isEmpty { return !isRead || steps[pass.step].kernel.takesSingles }
                // In a chain an operand of an operation may be one number, but nothing that the chain's value becomes.
                let keep = UInt32(ACT_CHAIN_KEEP + ACT_CHAIN_ARRAY)
                return pass.start != value && links[pass.links].allSatisfy { $0.operand != value || $0.op != keep }
            }
        }

        /// Gives the result of each pass its place: a slot is free again when it has been read for the last time.
        mutating func placeSteps() {
            var lastRead = [Int](repeating: -1, count: places.count)
            for (index, pass) in passes.enumerated() {
                for k in 0..<readCount(pass) where read(pass, k) >= 0 { lastRead[read(pass, k)] = index }
            }
            var free: [Int] = []
            for (index, pass) in passes.enumerated() {
                let value = inputCount + pass.step
                let size = steps[pass.step].kernel.worksInPlace ? places[value].size : 0
                // Slots of which this pass reads the last: first those that the result may overwrite, then, once it has its place, the others.
                for round in 0..<2 {
                    let overwritable = round == 0
                    if !overwritable { place(value, &free) }
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

        private mutating func place(_ value: Int, _ free: inout [Int]) {
            if isStored[value - inputCount] {
                places[value].kind = .stream
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
    }
}

extension Neighbourhood.Step {
    var type: ElementType { ElementType(rawValue: UInt8(truncatingIfNeeded: word >> 16 & 3)) ?? .f64 }
}

extension Primitive {
    /// How many operands an elementwise operation has.
    var operandCount: Int {
        switch self {
        case .binary, .compare: 2
        case .logical(let op): op == .not ? 1 : 2
        case .select: 3
        case .unary, .test, .convert: 1
        case .data, .variable, .reshape, .transpose, .broadcast, .slice, .unslice, .gather, .scatterAdd, .concatenate, .matmul, .reduce,
            .cumulative, .normalize, .custom:
            0
        }
    }
}
