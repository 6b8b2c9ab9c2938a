// Elementwise operations: shapes and types are settled here, at once. Small arrays are computed at once too; of larger ones a node is
// made, and Evaluation.swift computes it together with its neighbours when a value is needed.

import CActKernels

/// One side of an elementwise operation. A number is weak: it takes the element type of the array it meets (of a bool array: f64). One that
/// is too large for f32 meets the array in f64, and the result is rounded to f32: what becomes infinite then is an overflow.
package enum Operand {
    case array(NDArray)
    case number(Double)

    /// Whether a running derivative follows it.
    package var isTraced: Bool {
        if case .array(let array) = self { array.isTraced } else { false }
    }
}

extension Operand: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
}

extension NDArray {
    package static func unary(_ op: UnaryOperation, _ x: NDArray) throws -> NDArray {
        if x.node.isSmallData, x.type != .bool { return try small(.unary(op), x.operand, x.operand, x.operand, like: x.node, type: x.type) }
        return try elementwise(.unary(op), x.asNumbers(), shape: x.shape, count: x.count, type: x.type == .bool ? .f64 : x.type)
    }

    /// - Throws: `shapesDoNotBroadcast`; `badValue` for two numbers.
    package static func binary(_ op: BinaryOperation, _ a: Operand, _ b: Operand) throws -> NDArray {
        try pair(.binary(op), a, b, result: nil)
    }

    package static func binary(_ op: BinaryOperation, _ a: NDArray, _ b: NDArray) throws -> NDArray { try pair(.binary(op), a, b, result: nil) }
    package static func binary(_ op: BinaryOperation, _ a: NDArray, _ b: Double) throws -> NDArray {
        try pair(.binary(op), a, .second(b), result: nil)
    }
    package static func binary(_ op: BinaryOperation, _ a: Double, _ b: NDArray) throws -> NDArray {
        try pair(.binary(op), b, .first(a), result: nil)
    }

    /// Compares; the result is bool.
    package static func compare(_ op: CompareOperation, _ a: Operand, _ b: Operand) throws -> NDArray {
        try pair(.compare(op), a, b, result: .bool)
    }

    /// `isnan`, `isinf`, `isfinite`.
    package static func test(_ op: TestOperation, _ x: NDArray) throws -> NDArray {
        try elementwise(.test(op), x.asNumbers(), shape: x.shape, count: x.count, type: .bool)
    }

    /// Of bools; numbers count as true unless they are 0.
    package static func logical(_ op: LogicalOperation, _ a: NDArray, _ b: NDArray) throws -> NDArray {
        if op == .not { return try not(a) }
        let shape = try Shapes.broadcast(a.shape, b.shape)
        return try elementwise(
            .logical(op), a.converted(to: .bool), b.converted(to: .bool), shape: shape, count: shape.reduce(1, &*), type: .bool)
    }

    package static func not(_ x: NDArray) throws -> NDArray {
        try elementwise(.logical(.not), x.converted(to: .bool), shape: x.shape, count: x.count, type: .bool)
    }

    /// Elements of `a` where the condition holds, of `b` elsewhere. Two numbers give f64.
    package static func select(_ condition: NDArray, _ a: Operand, _ b: Operand) throws -> NDArray {
        let type: ElementType
        switch (a, b) {
        case (.array(let a), .array(let b)): type = a.type.promoted(with: b.type)
        case (.array(let a), .number), (.number, .array(let a)): type = a.type == .bool ? .f64 : a.type
        case (.number, .number): type = .f64
        }
        if type == .f32, !a.fitsF32 || !b.fitsF32 { return try select(condition, a.wide(), b.wide()).converted(to: .f32) }
        let (a, b) = (try a.array(type), try b.array(type))
        let shape = try Shapes.broadcast(condition.shape, Shapes.broadcast(a.shape, b.shape))
        return try elementwise(.select, condition.converted(to: .bool), a, b, shape: shape, count: shape.reduce(1, &*), type: type)
    }

    /// With elements of another type; numbers become bools by `≠ 0`.
    package func converted(to type: ElementType) throws -> NDArray {
        if type == self.type { return self }
        return try NDArray.elementwise(.convert, self, shape: shape, count: count, type: type)
    }

    /// The result of a function with a derivative rule of its own: `value` with `inputs` remembered, if any of them is traced.
    package static func custom(_ function: CustomFunction, inputs: [NDArray], value: NDArray) throws -> NDArray {
        guard inputs.contains(where: \.isTraced) else { return value }
        if value.isAbstract { return try value.abstractCopy(.custom(function), inputs, isTraced: true) }
        let layout = try value.evaluatedLayout()
        return NDArray(
            node: Node(
                .custom(function), inputs: Inputs(inputs), shape: value.shape, count: value.count, type: value.type, isTraced: true,
                site: .current, layout: layout))
    }

    /// Rounded to so many decimals, −300 ... 300 (of a negative number: to tens, hundreds …), halves to even. The derivative is 0.
    package func rounded(decimals: Int) throws -> NDArray {
        let power = Scalar.powerOfTen(decimals)
        // Powers of ten that f32 lacks, and their products, are there in f64.
        if type == .f32, !power.fitsF32 { return try converted(to: .f64).rounded(decimals: decimals).converted(to: .f32) }
        if decimals < 0 { return try NDArray.unary(.round, self / power) * power }
        let limit = (type == .f32 ? 0x1p127 : 0x1p1023) / power
        let isSmall = try NDArray.compare(.lt, .array(NDArray.unary(.abs, detached())), .number(limit))
        let small = try NDArray.select(isSmall, .array(self), .number(0))
        return try NDArray.select(isSmall, .array(NDArray.unary(.round, small * power) / power), .array(detached()))
    }

    // MARK: Types

    /// Bools as 0 and 1, other types as they are.
    private func asNumbers() throws -> NDArray { type == .bool ? try converted(to: .f64) : self }

    /// The common path of `binary` and `compare`. `result` is `nil` for the type of the operands.
    private static func pair(_ primitive: Primitive, _ a: Operand, _ b: Operand, result: ElementType?) throws -> NDArray {
        switch (a, b) {
        case (.array(let a), .array(let b)): return try pair(primitive, a, b, result: result)
        case (.array(let x), .number(let number)): return try pair(primitive, x, .second(number), result: result)
        case (.number(let number), .array(let x)): return try pair(primitive, x, .first(number), result: result)
        case (.number, .number): throw ArrayError.badValue(operation: "arithmetic", .twoNumbers)
        }
    }

    private static func pair(_ primitive: Primitive, _ a: NDArray, _ b: NDArray, result: ElementType?) throws -> NDArray {
        let left = a.node, right = b.node
        if left.isSmallData, right.isSmallData, left.type == right.type, left.type != .bool, left.shape == right.shape {
            return try small(primitive, a.operand, b.operand, a.operand, like: left, type: result ?? left.type)
        }
        var type = left.type.promoted(with: right.type)
        if type == .bool { type = .f64 }
        if left.shape == right.shape {
            return try elementwise(
                primitive, a.converted(to: type), b.converted(to: type), shape: left.shape, count: left.count, type: result ?? type)
        }
        let shape = try Shapes.broadcast(left.shape, right.shape)
        return try elementwise(
            primitive, a.converted(to: type), b.converted(to: type), shape: shape, count: shape.reduce(1, &*), type: result ?? type)
    }

    private static func pair(_ primitive: Primitive, _ x: NDArray, _ number: WeakNumber, result: ElementType?) throws -> NDArray {
        let node = x.node
        if node.type == .bool { return try pair(primitive, x.converted(to: .f64), number, result: result) }
        if node.type == .f32, !number.value.fitsF32 {
            let wide = try pair(primitive, x.converted(to: .f64), number, result: result)
            return result == nil ? try wide.converted(to: .f32) : wide
        }
        if node.isSmallData {
            var bits = number.bits(node.type)
            return try withUnsafePointer(to: &bits) { bits in
                let y = Kernel.Operand(pointer: bits, stride: 0), x = x.operand
                let (a, b) = number.place == .first ? (y, x) : (x, y)
                return try small(primitive, a, b, y, like: node, type: result ?? node.type)
            }
        }
        if node.isTraced || node.count < smallCount || node.isAbstract {
            let y = try scalar(number.value, type: node.type)
            let (a, b) = number.place == .first ? (y, x) : (x, y)
            return try elementwise(primitive, a, b, shape: node.shape, count: node.count, type: result ?? node.type)
        }
        return try deferred(
            Node(
                deferred: primitive, inputs: Inputs(x), number: number, shape: node.shape, count: node.count, type: result ?? node.type,
                isTraced: false, pending: 1 &+ node.pending))
    }

    // MARK: Nodes and small arrays

    /// Arrays of fewer elements are computed at once.
    package static let smallCount = 1024

    /// The node of an elementwise operation on operands whose types have been settled and which broadcast to `shape`.
    @inline(__always)
    private static func elementwise(
        _ primitive: Primitive, _ a: NDArray, _ b: NDArray? = nil, _ c: NDArray? = nil, shape: [Int], count: Int, type: ElementType
    ) throws -> NDArray {
        if a.node.isAbstract || b?.node.isAbstract == true || c?.node.isAbstract == true {
            return try abstractResult(primitive, [a, b, c].compactMap(\.self), shape: shape, type: type)
        }
        let isTraced = a.isTraced || b?.isTraced == true || c?.isTraced == true
        if count < smallCount {
            let layout = try smallLayout(primitive, a, b, c, shape: shape, count: count, type: type)
            let inputs = isTraced ? Inputs(a, b, c) : []
            return NDArray(
                node: Node(
                    isTraced ? primitive : .data, inputs: inputs, shape: shape, count: count, type: type, isTraced: isTraced, site: .current,
                    layout: layout))
        }
        let pending = 1 &+ a.node.pending &+ (b?.node.pending ?? 0) &+ (c?.node.pending ?? 0)
        return try deferred(
            Node(
                deferred: primitive, inputs: Inputs(a, b, c), shape: shape, count: count, type: type, isTraced: isTraced, pending: pending))
    }

    @inline(__always)
    private static func deferred(_ node: Node) throws -> NDArray {
        let array = NDArray(node: node)
        if node.pending > pendingLimit { try array.evaluate() }
        return array
    }

    /// The elements of a small result.
    private static func smallLayout(
        _ primitive: Primitive, _ a: NDArray, _ b: NDArray?, _ c: NDArray?, shape: [Int], count: Int, type: ElementType
    ) throws -> Layout {
        let a = try a.aligned(to: shape), b = try b?.aligned(to: shape), c = try c?.aligned(to: shape)
        return try withExtendedLifetime((a, b, c)) {
            try smallLayout(
                primitive, a.operand, b?.operand ?? a.operand, c?.operand ?? a.operand, count: count, operand: (b ?? a).type, type: type)
        }
    }

    private static func smallLayout(
        _ primitive: Primitive, _ a: Kernel.Operand, _ b: Kernel.Operand, _ c: Kernel.Operand, count: Int, operand: ElementType,
        type: ElementType
    ) throws -> Layout {
        let storage = try Storage(byteCount: count &* type.size)
        guard let kernel = Kernel(primitive, operand: operand, type: type) else {
            throw ArrayError.badValue(operation: "\(primitive)", .notElementwise)
        }
        kernel.run(a, b, c, to: storage.pointer, count)
        if NumericEvents.isEnabled, act_fp_flags() != 0 {
            NumericEvents.examineSmall(primitive, a, b, operand, result: storage.pointer, type: type, count)
        }
        return Layout(storage: storage, offset: 0, strides: nil)
    }

    /// The result of an operation of a small untraced array with a number.
    private static func small(
        _ primitive: Primitive, _ a: Kernel.Operand, _ b: Kernel.Operand, _ c: Kernel.Operand, like x: Node, type: ElementType
    ) throws -> NDArray {
        let layout = try smallLayout(primitive, a, b, c, count: x.count, operand: x.type, type: type)
        return NDArray(data: layout, shape: x.shape, count: x.count, type: type)
    }

    /// As an operand of a result of `shape`: one element, or all of them without gaps.
    private func aligned(to target: [Int]) throws -> NDArray {
        try evaluate()
        if count == 1 || node.elements != nil && shape == target { return self }
        return try detached().broadcast(to: target).contiguous()
    }

    /// The bits of the only element of an array with data.
    var scalarBits: UInt64? {
        guard count == 1, let layout = node.layout else { return nil }
        let element = layout.storage.pointer + layout.offset &* type.size
        switch type {
        case .bool: return UInt64(element.load(as: UInt8.self))
        case .f32: return UInt64(element.load(as: UInt32.self))
        case .f64: return element.load(as: UInt64.self)
        }
    }

    /// The elements of an array with data that is one element or has no gaps.
    var operand: Kernel.Operand {
        if let elements = node.elements { return Kernel.Operand(pointer: elements, stride: count == 1 ? 0 : 1) }
        guard let layout = node.layout else { preconditionFailure("an operand has data") }
        return Kernel.Operand(pointer: layout.storage.pointer + layout.offset &* type.size, stride: count == 1 ? 0 : 1)
    }
}

extension Node {
    /// Untraced, there, small and without gaps: a kernel can read it as it is.
    fileprivate var isSmallData: Bool { count < NDArray.smallCount && !isTraced && elements != nil }
}

// MARK: Operators, for writing rules

extension NDArray {
    package static func + (a: NDArray, b: NDArray) throws -> NDArray { try binary(.add, a, b) }
    package static func + (a: NDArray, b: Double) throws -> NDArray { try binary(.add, a, b) }
    package static func + (a: Double, b: NDArray) throws -> NDArray { try binary(.add, a, b) }
    package static func - (a: NDArray, b: NDArray) throws -> NDArray { try binary(.sub, a, b) }
    package static func - (a: NDArray, b: Double) throws -> NDArray { try binary(.sub, a, b) }
    package static func - (a: Double, b: NDArray) throws -> NDArray { try binary(.sub, a, b) }
    package static func * (a: NDArray, b: NDArray) throws -> NDArray { try binary(.mul, a, b) }
    package static func * (a: NDArray, b: Double) throws -> NDArray { try binary(.mul, a, b) }
    package static func * (a: Double, b: NDArray) throws -> NDArray { try binary(.mul, a, b) }
    package static func / (a: NDArray, b: NDArray) throws -> NDArray { try binary(.div, a, b) }
    package static func / (a: NDArray, b: Double) throws -> NDArray { try binary(.div, a, b) }
    package static func / (a: Double, b: NDArray) throws -> NDArray { try binary(.div, a, b) }
    package static prefix func - (a: NDArray) throws -> NDArray { try unary(.neg, a) }
}

extension Operand {
    /// As an array of the given element type; a number becomes one of rank 0.
    fileprivate func array(_ type: ElementType) throws -> NDArray {
        switch self {
        case .array(let array): try array.converted(to: type)
        case .number(let number): try NDArray.scalar(number, type: type)
        }
    }

    /// An array, or a number that f32 holds or that is not finite anyway.
    fileprivate var fitsF32: Bool {
        if case .number(let number) = self { number.fitsF32 } else { true }
    }

    /// With an array in f64.
    fileprivate func wide() throws -> Operand {
        if case .array(let array) = self { .array(try array.converted(to: .f64)) } else { self }
    }
}

extension Double {
    /// Whether this stays finite in f32, or never was.
    @inline(__always)
    package var fitsF32: Bool { !(magnitude >= 0x1.ffffffp127) || magnitude == .infinity }  // half a step above the largest rounds to infinity
}
