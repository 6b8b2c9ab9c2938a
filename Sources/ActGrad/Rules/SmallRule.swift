// The rules of elementwise operations once more, for arrays so small that making arrays costs more than computing: kernels are called on
// elements where they lie, and what they give is added to what is there. The slopes are those of Slopes.swift.
//
// What must stay true: the same bits as `Rule` gives. Nothing is traced.

import ActArray
import CActKernels

enum SmallRule {
    /// Larger arrays are left to block programs, which fuse operations.
    private static let largest = 1024
    /// Elements at a time, to stay in the first cache.
    private static let block = 256

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
            return try add(
                Slopes.unary[Int(operation.rawValue)], (x, x), y, c, hazards, to: &cotangents[targets.0], node.inputs[0].node, n)
        case .binary(let operation):
            guard let a = elements(of: node.inputs[0].node, n), let b = elements(of: node.inputs[1].node, n),
                targets.0 < 0 || a.stride == y.stride, targets.1 < 0 || b.stride == y.stride
            else { return false }
            var (first, second) = Slopes.binary[Int(operation.rawValue)]
            var flipped = (a, b)
            switch operation {
            case .max where targets.0 < 0 || targets.1 < 0, .min where targets.0 < 0 || targets.1 < 0:
                first = operation == .max ? Slopes.maxAgainstConstant : Slopes.minAgainstConstant
                second = first
                flipped = (b, a)
            case .pow where targets.1 < 0:
                if b.stride == 0 { first = Slopes.power(b[0]) }
            default: break
            }
            if targets.0 >= 0 {
                guard try add(first, (a, b), y, c, hazards, to: &cotangents[targets.0], node.inputs[0].node, n) else { return false }
            }
            if targets.1 >= 0 {
                guard try add(second, flipped, y, c, hazards, to: &cotangents[targets.1], node.inputs[1].node, n) else { return false }
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

    /// Adds cotangent times slope to the target, that of `input`. False where the elements of the cotangent do not lie well; that is found
    /// out before anything is added.
    private static func add(
        _ slope: FormulaProgram, _ inputs: (Elements, Elements), _ y: Elements, _ c: Cotangent, _ hazards: Hazards,
        to target: inout Cotangent, _ input: Node, _ n: Int
    ) throws -> Bool {
        let factor: Elements?
        var number = 0.0
        switch c {
        case .none: return true
        case .uniform(let value): (factor, number) = (nil, value)
        case .small(let storage):
            factor = Elements(start: UnsafePointer(storage.pointer.assumingMemoryBound(to: Double.self)), stride: 1)
        case .array(let array):
            guard n > 1, !array.isTraced, let known = elements(of: array.node, n), known.stride == 1 else { return false }
            factor = known
        }
        var constant = slope.constant
        if constant == 0 { return true }
        // A slope that is a number among the operands.
        if n > 1, let index = slope.input {
            let input = index == 0 ? inputs.0 : inputs.1
            if input.stride == 0 { constant = input[0] }
        }
        if let constant, constant.isFinite {
            if factor == nil {
                try target.add(.uniform(hazards.product(number, constant)), for: input)
                return true
            }
            if constant == 1, case .none = target {
                target = try c.shaped(like: input)
                return true
            }
        }
        if factor == nil, n == 1 {
            let value = withUnsafeTemporaryAllocation(of: Double.self, capacity: 2) { pair in
                (pair[0], pair[1]) = (inputs.0[0], inputs.1[0])
                return slope(UnsafeBufferPointer(pair), result: y[0])
            }
            try target.add(.uniform(hazards.product(number, value)), for: input)
            return true
        }
        // What is there is added to; it is overwritten if nobody else needs it.
        var known: Elements?
        var storage: Storage?
        let before = target
        target = .none
        switch consume before {
        case .none: break
        case .uniform(let value):
            let filled = try Storage(byteCount: n &* 8)
            let start = filled.pointer.assumingMemoryBound(to: Double.self)
            start.update(repeating: value, count: n)
            (storage, known) = (filled, Elements(start: UnsafePointer(start), stride: 1))
        case .small(var held):
            known = Elements(start: UnsafePointer(held.pointer.assumingMemoryBound(to: Double.self)), stride: 1)
            if isKnownUniquelyReferenced(&held) {
                storage = held
            } else {
                let sum = try Storage(byteCount: n &* 8)
                multiply(slope, inputs, y, factor, number, hazards, known, sum, n)
                withExtendedLifetime((held, c)) {}
                target = .small(sum)
                return true
            }
        case .array(let array):
            let product = try Storage(byteCount: n &* 8)
            multiply(slope, inputs, y, factor, number, hazards, nil, product, n)
            target = .array(array)
            try target.add(.small(product), for: input)
            return true
        }
        let sum = try storage ?? Storage(byteCount: n &* 8)
        multiply(slope, inputs, y, factor, number, hazards, known, sum, n)
        withExtendedLifetime(c) {}
        target = .small(sum)
        return true
    }

    /// sum = known + factor * slope, block by block; `number` is the factor of all elements if `factor` is missing.
    private static func multiply(
        _ slope: FormulaProgram, _ inputs: (Elements, Elements), _ y: Elements, _ factor: Elements?, _ number: Double, _ hazards: Hazards,
        _ known: Elements?, _ sum: Storage, _ n: Int
    ) {
        let multiply = Elements.kernels.pointee.binary_f64[Int(BinaryOperation.mul.rawValue)]
        let plus = Elements.kernels.pointee.binary_f64[Int(BinaryOperation.add.rawValue)]
        let stride = min(n, block)
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
                let count = min(block, n &- first)
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
                    multiply(f.start, f.stride, s.start, s.stride, product, count)
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
