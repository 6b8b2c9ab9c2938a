// Where each value of a program lies, and what is done in which order. Views lie where the array lies that they show; memory is used again once
// what lay there has been read for the last time.
//
// What must stay true: an operation's target shares no memory with what is read then or later.

import ActArray
import ActOrder

struct ReplayPlan {
    /// Memory of one array, or elements that are given.
    private struct Block {
        let bytes: Int
        /// Where the elements are that are given, of an array among `constants`; `nil` for memory of the program.
        let given: UnsafeMutableRawPointer?
        /// The last action that reads it; `Int.max` for what is read at the end.
        var lastUse = -1
        var offset = 0
    }

    /// A place in a block. Until memory is laid out, places lie as if every block began at `start`.
    private struct View {
        var block: Int
        var place: ReplayPlace
    }

    private struct Action {
        enum Kind {
            case primitive(Primitive)
            case copy
            /// A sum, a column and a row: the sum and their product.
            case addOuter
        }
        let kind: Kind
        let operands: [View]
        let target: View
    }

    // (Any address does: it is moved to where the memory lies before anything is read or written.)
    private static var start: UnsafeMutableRawPointer {
        guard let start = UnsafeMutableRawPointer(bitPattern: 1 << 40) else { preconditionFailure("not the address 0") }
        return start
    }
    private static let mostBytes = 1 << 24

    private var blocks: [Block] = []
    private var views: [View] = []
    private var actions: [Action] = []
    private var constants: [NDArray] = []

    /// - Parameter roots: The values that are read at the end.
    init(_ values: AbstractValues, roots: [Int]) throws {
        views.reserveCapacity(values.values.count)
        let outer = Self.outerProducts(values.values, roots)
        for (index, value) in values.values.enumerated() {
            if outer.products.contains(index) {
                // Computed when it is added.
                views.append(View(block: 0, place: ReplayPlace(Self.start, shape: value.array.shape, type: value.array.type)))
            } else if let product = outer.sums[index] {
                var factors = values.values[product].operands.map { views[$0] }
                if factors[1].place.allStrides[1] != 1 { factors[1] = copied(factors[1]) }
                let other = value.operands[value.operands[0] == product ? 1 : 0], sum = lined(views[other], for: value.array)
                let target = newBlock(value.array.shape, value.array.type)
                add(.addOuter, [sum] + factors, target)
                views.append(target)
            } else {
                views.append(try add(value))
            }
        }
    }

    /// Products of a column and a row that are read once, to be added to something of their shape, and by which sum: gradients of weights are
    /// such sums, and to write each product down first costs more than to compute it.
    private static func outerProducts(_ values: [AbstractValues.Value], _ roots: [Int]) -> (products: Set<Int>, sums: [Int: Int]) {
        var uses = [Int](repeating: 0, count: values.count)
        for value in values { for operand in value.operands { uses[operand] += 1 } }
        for root in roots { uses[root] += 1 }
        func isOuter(_ index: Int, like array: NDArray) -> Bool {
            let value = values[index]
            guard case .matmul? = value.primitive, uses[index] == 1, value.array.shape == array.shape, value.array.type == array.type, array.type != .bool
            else {
                return false
            }
            let (column, row) = (values[value.operands[0]].array, values[value.operands[1]].array)
            return column.rank == 2 && row.rank == 2 && column.shape[1] == 1 && column.type == array.type && row.type == array.type && array.count > 1
        }
        var products: Set<Int> = [], sums: [Int: Int] = [:]
        for (index, value) in values.enumerated() {
            guard case .binary(.add)? = value.primitive, value.operands.count == 2, value.operands.allSatisfy({ values[$0].array.shape == value.array.shape }),
                let product = value.operands.filter({ isOuter($0, like: value.array) }).max()
            else { continue }
            products.insert(product)
            sums[index] = product
        }
        return (products, sums)
    }

    // MARK: Views and actions

    private mutating func add(_ value: AbstractValues.Value) throws -> View {
        let array = value.array
        guard let primitive = value.primitive else {
            if array.isAbstract { return newBlock(array.shape, array.type) }
            let place = try ReplayPlace(array)
            constants.append(array)
            blocks.append(Block(bytes: 0, given: place.pointer))
            return View(block: blocks.count - 1, place: place)
        }
        let operands = value.operands.map { views[$0] }
        if let view = view(primitive, operands[0], array.shape) { return view }
        let target = newBlock(array.shape, array.type)
        add(primitive, primitive.isElementwise ? operands.map { lined($0, for: array) } : operands, target)
        return target
    }

    /// What an operation gives that only shows elements in another way.
    private func view(_ primitive: Primitive, _ operand: View, _ shape: [Int]) -> View? {
        let place = operand.place
        var shown: ReplayPlace?
        switch primitive {
        case .reshape where place.strides == nil: shown = ReplayPlace(place.pointer, shape: shape, type: place.type)
        // The sum, the product, the least and the largest of one element.
        case .reduce(let operation, let axes) where place.strides == nil && place.type != .bool && axes.allSatisfy { place.shape[$0] == 1 }:
            switch operation {
            case .sum, .prod, .min, .max: shown = ReplayPlace(place.pointer, shape: shape, type: place.type)
            case .any, .all: break
            }
        case .transpose(let permutation):
            let strides = place.allStrides
            shown = ReplayPlace(place.pointer, shape: shape, strides: permutation.map { strides[$0] }, type: place.type)
        case .broadcast: shown = place.broadcast(to: shape)
        case .slice(let ranges): shown = place.sliced(ranges)
        default: break
        }
        return shown.map { View(block: operand.block, place: $0) }
    }

    /// An operand as kernels take it: one element, or as many as the result, one after the other.
    private mutating func lined(_ operand: View, for result: NDArray) -> View {
        let place = operand.place
        if place.count == 1 || place.shape == result.shape && place.strides == nil { return operand }
        guard let stretched = place.broadcast(to: result.shape) else { return operand }
        return copied(View(block: operand.block, place: stretched))
    }

    private mutating func copied(_ view: View) -> View {
        let target = newBlock(view.place.shape, view.place.type)
        add(.copy, [view], target)
        return target
    }

    private mutating func add(_ primitive: Primitive, _ operands: [View], _ target: View) {
        switch primitive {
        case .reshape: add(.copy, operands, target)
        case .unslice where operands[0].place.strides != nil: add(.primitive(primitive), [copied(operands[0])], target)
        default: add(.primitive(primitive), operands, target)
        }
    }

    private mutating func add(_ kind: Action.Kind, _ operands: [View], _ target: View) {
        for operand in operands { blocks[operand.block].lastUse = actions.count }
        blocks[target.block].lastUse = max(blocks[target.block].lastUse, actions.count)
        actions.append(Action(kind: kind, operands: operands, target: target))
    }

    private mutating func newBlock(_ shape: [Int], _ type: ElementType) -> View {
        let place = ReplayPlace(Self.start, shape: shape, type: type)
        blocks.append(Block(bytes: max(place.count &* type.size, 1), given: nil))
        return View(block: blocks.count - 1, place: place)
    }

    // MARK: Memory

    /// - Parameters: positions among the values.
    /// - Returns: `nil` where too much memory would be needed.
    /// - Throws: `ArrayError.outOfMemory`.
    mutating func program(inputs: [Int], results: [Int], assumptions: [(position: Int, range: ClosedRange<Double>)]) throws -> ReplayProgram? {
        let assumed = assumptions.map { views[$0.position].place.strides == nil ? views[$0.position] : copied(views[$0.position]) }
        for view in results.map({ views[$0] }) + assumed { blocks[view.block].lastUse = .max }
        var memory = Arena()
        for input in inputs { blocks[views[input].block].offset = memory.take(blocks[views[input].block].bytes) }
        for (index, action) in actions.enumerated() {
            let target = action.target.block
            blocks[target].offset = memory.take(blocks[target].bytes)
            let ended = Set(action.operands.map(\.block) + [target])
            for block in ended where blocks[block].given == nil && blocks[block].lastUse == index { memory.give(blocks[block].offset, blocks[block].bytes) }
        }
        guard memory.end <= Self.mostBytes else { return nil }
        let storage = try Storage(byteCount: max(memory.end, 1))
        var operations: ContiguousArray<ReplayOperation> = []
        operations.reserveCapacity(actions.count)
        for action in actions {
            guard let operation = try operation(action, in: storage) else { return nil }
            operations.append(operation)
        }
        return ReplayProgram(
            operations: operations, inputs: inputs.map { place(views[$0], in: storage) }, results: results.map { place(views[$0], in: storage) },
            assumptions: zip(assumed, assumptions).map { (place($0, in: storage), $1.range) }, memory: storage, constants: constants)
    }

    private func place(_ view: View, in memory: Storage) -> ReplayPlace {
        let block = blocks[view.block]
        guard block.given == nil else { return view.place }
        var place = view.place
        place.pointer = memory.pointer + block.offset + (view.place.pointer - Self.start)
        return place
    }

    private func operation(_ action: Action, in memory: Storage) throws -> ReplayOperation? {
        let operands = action.operands.map { place($0, in: memory) }, target = place(action.target, in: memory)
        let primitive: Primitive
        switch action.kind {
        case .copy: return .copy(operands[0], to: target)
        case .addOuter: return .addedOuter(operands[0], operands[1], operands[2], to: target)
        case .primitive(let own): primitive = own
        }
        if primitive.isElementwise { return ReplayOperation(elementwise: primitive, operands, to: target) }
        switch primitive {
        case .unslice(let ranges): return .unslice(operands[0], ranges, to: target)
        case .matmul:
            if let product = ReplayOperation.product(operands[0], operands[1], to: target) { return product }
        default: break
        }
        let arrays = try zip(operands, action.operands).map { try array($0, $1, in: memory) }, shape = target.shape, type = target.type
        return .general(to: target) { try primitive.applied(to: arrays, shape: shape, type: type) }
    }

    /// An array that shows what lies at a place.
    private func array(_ place: ReplayPlace, _ view: View, in memory: Storage) throws -> NDArray {
        guard blocks[view.block].given != nil else { return place.array(in: memory) }
        return try place.array()
    }
}

/// Memory that is given out and taken back in pieces.
private struct Arena {
    private(set) var end = 0
    /// Free pieces below the end, in order, no two of them adjacent.
    private var free: [(offset: Int, bytes: Int)] = []

    private static func rounded(_ bytes: Int) -> Int { (bytes + 63) & ~63 }

    mutating func take(_ bytes: Int) -> Int {
        let bytes = Self.rounded(bytes)
        if let index = free.firstIndex(where: { $0.bytes >= bytes }) {
            let offset = free[index].offset
            if free[index].bytes == bytes { free.remove(at: index) } else { free[index] = (offset + bytes, free[index].bytes - bytes) }
            return offset
        }
        if let last = free.last, last.offset + last.bytes == end {
            free.removeLast()
            end = last.offset + bytes
            return last.offset
        }
        defer { end += bytes }
        return end
    }

    mutating func give(_ offset: Int, _ bytes: Int) {
        let bytes = Self.rounded(bytes), index = free.firstIndex { $0.offset > offset } ?? free.count
        free.insert((offset, bytes), at: index)
        if index + 1 < free.count, free[index].offset + free[index].bytes == free[index + 1].offset {
            free[index].bytes += free[index + 1].bytes
            free.remove(at: index + 1)
        }
        if index > 0, free[index - 1].offset + free[index - 1].bytes == free[index].offset {
            free[index - 1].bytes += free[index].bytes
            free.remove(at: index)
        }
    }
}
