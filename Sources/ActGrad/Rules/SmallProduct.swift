// What reaches the operands of elementwise operations on arrays so small that making arrays costs more than computing: the slopes of
// Slopes.swift by kernels that are called on elements where they lie, times the cotangent, added to what is there.
//
// What must stay true: the same bits as `Rule` gives. Nothing is traced. Elements are looked at where they lie only while the node that holds them is
// in the trace.

import ActArray
import CActKernels

/// A cotangent times a slope, both of `n` elements or one.
struct SmallProduct {
    /// Larger arrays are left to block programs, which fuse operations.
    private static let largest = 1024
    /// Elements at a time, to stay in the first cache.
    private static let block = 256

    private let slope: FormulaProgram
    /// The operands that the slope is written with, and the operation's value.
    private let inputs: (Elements, Elements)
    private let y: Elements
    private let cotangent: Cotangent
    /// The elements of the cotangent; where they are missing, `number` is all of them.
    private let factor: Elements?
    private let number: Double
    private let hazards: Hazards
    private let n: Int

    /// Adds what reaches the inputs of `node` to the cotangents.
    /// - Parameters:
    ///   - targets: For each input the position of its cotangent, −1 for one that does not depend on the variables.
    /// - Returns: Whether that was possible: the node is a unary or binary operation on small arrays of f64 whose shapes agree.
    static func pullback(
        of node: Node, cotangent c: Cotangent, targets: (Int, Int), hazards: Hazards, into cotangents: inout [Cotangent]
    ) throws -> Bool {
        let n = node.count
        guard node.type == .f64, n < largest, let y = elements(of: node, n) else { return false }
        switch node.primitive {
        case .unary(let operation):
            guard let x = elements(of: node.inputs[0].node, n), x.stride == y.stride else { return false }
            let slope = Slopes.unary[Int(operation.rawValue)]
            guard let product = SmallProduct(slope, (x, x), y, c, hazards, n) else { return false }
            try product.add(to: &cotangents[targets.0], of: node.inputs[0].node)
            return true
        case .binary(let operation):
            guard let a = elements(of: node.inputs[0].node, n), let b = elements(of: node.inputs[1].node, n),
                targets.0 < 0 || a.stride == y.stride, targets.1 < 0 || b.stride == y.stride
            else { return false }
            let slopes = BinarySlopes(operation, varies: (targets.0 >= 0, targets.1 >= 0), exponent: b.stride == 0 ? b[0] : nil)
            if targets.0 >= 0 {
                guard let product = SmallProduct(slopes.first, (a, b), y, c, hazards, n) else { return false }
                try product.add(to: &cotangents[targets.0], of: node.inputs[0].node)
            }
            if targets.1 >= 0 {
                guard let product = SmallProduct(slopes.second, slopes.isSecondExchanged ? (b, a) : (a, b), y, c, hazards, n) else { return false }
                try product.add(to: &cotangents[targets.1], of: node.inputs[1].node)
            }
            return true
        default: return false
        }
    }

    /// All `n` elements, or the only one (stride 0).
    @inline(__always)
    private static func elements(of node: Node, _ n: Int) -> Elements? {
        guard node.type == .f64, let start = node.elements, node.count == n || node.count == 1 else { return nil }
        return Elements(start: UnsafePointer(start.assumingMemoryBound(to: Double.self)), stride: node.count == 1 ? 0 : 1)
    }

    /// `nil` where the elements of the cotangent do not lie well.
    private init?(_ slope: FormulaProgram, _ inputs: (Elements, Elements), _ y: Elements, _ c: Cotangent, _ hazards: Hazards, _ n: Int) {
        (self.slope, self.inputs, self.y, cotangent, self.hazards, self.n) = (slope, inputs, y, c, hazards, n)
        switch c {
        case .none: (factor, number) = (nil, 0)
        case .uniform(let value): (factor, number) = (nil, value)
        case .small(let storage):
            factor = Elements(start: UnsafePointer(storage.pointer.assumingMemoryBound(to: Double.self)), stride: 1)
            number = 0
        case .array(let array):
            guard n > 1, !array.isTraced, let known = SmallProduct.elements(of: array.node, n), known.stride == 1 else { return nil }
            (factor, number) = (known, 0)
        }
    }

    /// The slope where it is one finite number: by itself, or as an operand that is one.
    private var slopeNumber: Double? {
        if let constant = slope.constant { return constant.isFinite ? constant : nil }
        guard n > 1, let index = slope.input else { return nil }
        let input = index == 0 ? inputs.0 : inputs.1
        return input.stride == 0 && input[0].isFinite ? input[0] : nil
    }

    /// Adds the product to the cotangent of `input`.
    private func add(to target: inout Cotangent, of input: Node) throws {
        if case .none = cotangent { return }
        if slope.constant == 0 { return }
        if let slope = slopeNumber {
            if factor == nil { return try target.add(.uniform(hazards.product(number, slope)), for: input) }
            if slope == 1, case .none = target {
                target = try cotangent.shaped(like: input)
                return
            }
        }
        if factor == nil, n == 1 {
            let value = withUnsafeTemporaryAllocation(of: Double.self, capacity: 2) { pair in
                (pair[0], pair[1]) = (inputs.0[0], inputs.1[0])
                return slope(UnsafeBufferPointer(pair), result: y[0])
            }
            return try target.add(.uniform(hazards.product(number, value)), for: input)
        }
        try addElements(to: &target, of: input)
    }

    /// What is there is added to; it is overwritten if nobody else needs it.
    private func addElements(to target: inout Cotangent, of input: Node) throws {
        let before = target
        target = .none
        switch consume before {
        case .none:
            let sum = try Storage(byteCount: n &* 8)
            add(to: nil, in: sum)
            target = .small(sum)
        case .uniform(let value):
            let sum = try Storage(byteCount: n &* 8), start = sum.pointer.assumingMemoryBound(to: Double.self)
            start.update(repeating: value, count: n)
            add(to: Elements(start: UnsafePointer(start), stride: 1), in: sum)
            target = .small(sum)
        case .small(var held):
            let known = Elements(start: UnsafePointer(held.pointer.assumingMemoryBound(to: Double.self)), stride: 1)
            let sum = isKnownUniquelyReferenced(&held) ? held : try Storage(byteCount: n &* 8)
            add(to: known, in: sum)
            withExtendedLifetime(held) {}
            target = .small(sum)
        case .array(let array):
            let product = try Storage(byteCount: n &* 8)
            add(to: nil, in: product)
            target = .array(array)
            try target.add(.small(product), for: input)
        }
        withExtendedLifetime(cotangent) {}
    }

    /// sum = known + factor * slope, block by block; `number` is the factor of all elements if `factor` is missing.
    private func add(to known: Elements?, in sum: Storage) {
        let times = Elements.kernels.pointee.binary_f64[Int(BinaryOperation.mul.rawValue)]
        let plus = Elements.kernels.pointee.binary_f64[Int(BinaryOperation.add.rawValue)]
        let stride = min(n, Self.block)
        let ready = slope.isResult ? y : slope.input.map { $0 == 0 ? inputs.0 : inputs.1 }
        let blocks = ready == nil ? slope.blocks : 0
        let sum = sum.pointer.assumingMemoryBound(to: Double.self)
        withUnsafeTemporaryAllocation(of: Double.self, capacity: (blocks &+ 1) &* stride &+ 1) { memory in
            guard let memory = memory.baseAddress else { return }
            let last = memory + blocks &* stride
            let whole = last + stride  // the number
            whole.pointee = number
            var first = 0
            while first < n {
                let count = min(Self.block, n &- first)
                let s =
                    ready?.advanced(by: first)
                    ?? slope(
                        (inputs.0.advanced(by: first), inputs.1.advanced(by: first)), result: y.advanced(by: first), count, memory: memory,
                        stride: stride)
                let f = factor?.advanced(by: first) ?? Elements(start: UnsafePointer(whole), stride: 0)
                // A product that nothing is added to goes where it belongs at once.
                let product = known == nil ? sum + first : last
                var isReady = false
                if factor == nil, number == 1, s.stride == 1 {
                    if known == nil { product.update(from: s.start, count: count) } else { isReady = true }
                } else {
                    times(f.start, f.stride, s.start, s.stride, product, count)
                    if hazards.contains(.zeros), f.stride != 0 || f[0] == 0 {
                        for k in 0..<count where f[k] == 0 && product[k].isNaN { product[k] = 0 }
                    }
                    if hazards.contains(.infinities) { for k in 0..<count where s[k] == 0 && product[k].isNaN { product[k] = 0 } }
                }
                if let known {
                    let known = known.advanced(by: first)
                    plus(known.start, known.stride, isReady ? s.start : UnsafePointer(product), 1, sum + first, count)
                }
                first &+= count
            }
        }
    }
}
