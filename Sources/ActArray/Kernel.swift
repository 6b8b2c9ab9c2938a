// From elementwise primitives to kernels: one resolved call for each.

import CActKernels

/// A kernel with the types of its operands settled. Operand strides are 0 (one scalar for all) or 1.
enum Kernel {
    case unary64(act_unary_f64_fn), unary32(act_unary_f32_fn)
    case binary64(act_binary_f64_fn), binary32(act_binary_f32_fn)
    case compare64(act_compare_f64_fn), compare32(act_compare_f32_fn)
    case test64(act_test_f64_fn), test32(act_test_f32_fn)
    case logic(act_logic_fn), not
    case select64, select32, select8
    case widen32, narrow64, widen8to64, widen8to32, bool64, bool32

    /// The kernel of an elementwise node; `nil` for every other primitive.
    /// - Parameters:
    ///   - operand: the element type of the operands (of `select`: of the two that are chosen from).
    ///   - type: the element type of the result.
    @inline(__always)
    init?(_ primitive: Primitive, operand: ElementType, type: ElementType) {
        let table = Kernels.table
        switch primitive {
        case .unary(let op):
            self =
                type == .f32
                ? .unary32(table.pointee.unary_f32[Int(op.rawValue)])
                : .unary64(table.pointee.unary_f64[Int(op.rawValue)])
        case .binary(let op):
            self =
                type == .f32
                ? .binary32(table.pointee.binary_f32[Int(op.rawValue)])
                : .binary64(table.pointee.binary_f64[Int(op.rawValue)])
        case .compare(let op):
            self =
                operand == .f32
                ? .compare32(table.pointee.compare_f32[Int(op.rawValue)])
                : .compare64(table.pointee.compare_f64[Int(op.rawValue)])
        case .test(let op):
            self =
                operand == .f32
                ? .test32(table.pointee.test_f32[Int(op.rawValue)])
                : .test64(table.pointee.test_f64[Int(op.rawValue)])
        case .logical(let op):
            self = op == .not ? .not : .logic(table.pointee.logic[Int(op.rawValue)])
        case .select:
            switch type {
            case .f64: self = .select64
            case .f32: self = .select32
            case .bool: self = .select8
            }
        case .convert:
            switch (operand, type) {
            case (.f32, .f64): self = .widen32
            case (.f64, .f32): self = .narrow64
            case (.bool, .f64): self = .widen8to64
            case (.bool, .f32): self = .widen8to32
            case (.f64, .bool): self = .bool64
            case (.f32, .bool): self = .bool32
            default: return nil
            }
        case .data, .variable, .reshape, .transpose, .broadcast, .slice, .unslice, .gather, .scatterAdd, .concatenate, .matmul, .reduce,
            .cumulative, .normalize, .custom:
            return nil
        }
    }

    /// Whether the result may overwrite an operand of its own type.
    var worksInPlace: Bool {
        switch self {
        case .widen32, .narrow64, .widen8to64, .widen8to32, .bool64, .bool32: false
        default: true
        }
    }

    /// Whether one element can stand for all of an operand.
    var takesSingles: Bool {
        switch self {
        case .binary64, .binary32, .compare64, .compare32, .logic, .select64, .select32, .select8: true
        case .unary64, .unary32, .test64, .test32, .not, .widen32, .narrow64, .widen8to64, .widen8to32, .bool64, .bool32: false
        }
    }

    /// Runs the kernel over `n` elements. Operands that the kernel does not have are ignored.
    @inline(__always)
    func run(_ a: Operand, _ b: Operand, _ c: Operand, to y: UnsafeMutableRawPointer, _ n: Int) {
        switch self {
        case .unary64(let kernel): kernel(a.f64, y.f64, n)
        case .unary32(let kernel): kernel(a.f32, y.f32, n)
        case .binary64(let kernel): kernel(a.f64, a.stride, b.f64, b.stride, y.f64, n)
        case .binary32(let kernel): kernel(a.f32, a.stride, b.f32, b.stride, y.f32, n)
        case .compare64(let kernel): kernel(a.f64, a.stride, b.f64, b.stride, y.u8, n)
        case .compare32(let kernel): kernel(a.f32, a.stride, b.f32, b.stride, y.u8, n)
        case .test64(let kernel): kernel(a.f64, y.u8, n)
        case .test32(let kernel): kernel(a.f32, y.u8, n)
        case .logic(let kernel): kernel(a.u8, a.stride, b.u8, b.stride, y.u8, n)
        case .not: Kernels.table.pointee.logical_not(a.u8, y.u8, n)
        case .select64: Kernels.table.pointee.select_f64(a.u8, a.stride, b.f64, b.stride, c.f64, c.stride, y.f64, n)
        case .select32: Kernels.table.pointee.select_f32(a.u8, a.stride, b.f32, b.stride, c.f32, c.stride, y.f32, n)
        case .select8: Kernels.table.pointee.select_u8(a.u8, a.stride, b.u8, b.stride, c.u8, c.stride, y.u8, n)
        case .widen32: Kernels.table.pointee.f64_from_f32(a.f32, y.f64, n)
        case .narrow64: Kernels.table.pointee.f32_from_f64(a.f64, y.f32, n)
        case .widen8to64: Kernels.table.pointee.f64_from_u8(a.u8, y.f64, n)
        case .widen8to32: Kernels.table.pointee.f32_from_u8(a.u8, y.f32, n)
        case .bool64: Kernels.table.pointee.u8_from_f64(a.f64, y.u8, n)
        case .bool32: Kernels.table.pointee.u8_from_f32(a.f32, y.u8, n)
        }
    }

    /// Elements at `pointer`, `stride` (0 or 1) apart, of the type that the kernel was chosen for. Whoever makes it keeps the memory until the last use.
    struct Operand {
        var pointer: UnsafeRawPointer
        var stride: Int

        func advanced(_ elements: Int, _ size: Int) -> Operand {
            Operand(pointer: pointer + elements &* stride &* size, stride: stride)
        }

        var f64: UnsafePointer<Double> { pointer.assumingMemoryBound(to: Double.self) }
        var f32: UnsafePointer<Float> { pointer.assumingMemoryBound(to: Float.self) }
        var u8: UnsafePointer<UInt8> { pointer.assumingMemoryBound(to: UInt8.self) }
    }
}

extension Kernel {
    /// How an operation continues a chain: its code there when the chain's value is the first operand, and when it is the second.
    struct Links {
        let first: UInt32
        let second: UInt32?

        /// `nil` for operations that are not cheap.
        init?(_ operation: Primitive) {
            switch operation {
            case .unary(let op):
                guard let code = Links.code(act_chain_unary(act_unary_op(rawValue: UInt32(op.rawValue)))) else { return nil }
                (first, second) = (code, nil)
            case .binary(let op):
                let op = act_binary_op(rawValue: UInt32(op.rawValue))
                guard let code = Links.code(act_chain_binary(op, 0)) else { return nil }
                (first, second) = (code, Links.code(act_chain_binary(op, 1)))
            default: return nil
            }
        }

        private static func code(_ operation: Int32) -> UInt32? { operation < 0 ? nil : UInt32(operation) }
    }

    /// Runs a chain over `n` elements, beginning with those of `x`.
    static func runChain(
        _ x: Operand, _ steps: UnsafePointer<act_chain_step>, _ count: Int, to y: UnsafeMutableRawPointer, _ type: ElementType, _ n: Int
    ) {
        if type == .f32 {
            Kernels.table.pointee.chain_f32(x.f32, steps, count, y.f32, n)
        } else {
            Kernels.table.pointee.chain_f64(x.f64, steps, count, y.f64, n)
        }
    }

    /// Whether the chain operation takes an operand.
    static func isBinary(link: UInt32) -> Bool { link >= UInt32(ACT_CHAIN_ADD) }
}

extension Primitive {
    /// What an element costs, about, in additions: decides whether threads are worth waking.
    var cost: Int {
        switch self {
        case .unary(.neg), .unary(.abs), .unary(.sign), .unary(.square), .unary(.relu), .unary(.reluD): 1
        case .unary: 4
        case .binary(.add), .binary(.sub), .binary(.mul), .binary(.div), .binary(.min), .binary(.max), .binary(.leaky): 1
        case .binary: 4
        case .data, .variable, .compare, .test, .logical, .select, .convert, .reshape, .transpose, .broadcast, .slice, .unslice, .gather,
            .scatterAdd, .concatenate, .matmul, .reduce, .cumulative, .normalize, .custom:
            1
        }
    }
}

/// A number for each elementwise operation.
struct ElementwiseCode: Equatable {
    let value: UInt16

    /// Of every other primitive.
    static let none = ElementwiseCode(value: .max)
    static let square = ElementwiseCode(.unary(.square))
    static let pow = ElementwiseCode(.binary(.pow))

    init(_ primitive: Primitive) {
        switch primitive {
        case .unary(let op): value = UInt16(truncatingIfNeeded: op.rawValue)
        case .binary(let op): value = 1000 &+ UInt16(truncatingIfNeeded: op.rawValue)
        case .compare(let op): value = 2000 &+ UInt16(truncatingIfNeeded: op.rawValue)
        case .test(let op): value = 3000 &+ UInt16(truncatingIfNeeded: op.rawValue)
        case .logical(let op): value = 4000 &+ UInt16(truncatingIfNeeded: op.rawValue)
        case .select: value = 5000
        case .convert: value = 6000
        case .data, .variable, .reshape, .transpose, .broadcast, .slice, .unslice, .gather, .scatterAdd, .concatenate, .matmul, .reduce,
            .cumulative, .normalize, .custom:
            value = .max
        }
    }

    private init(value: UInt16) { self.value = value }
}

// Memory of arrays as the type that the kernel was chosen for: array memory is written as what its node says, and read as nothing else.
extension UnsafeMutableRawPointer {
    fileprivate var f64: UnsafeMutablePointer<Double> { assumingMemoryBound(to: Double.self) }
    fileprivate var f32: UnsafeMutablePointer<Float> { assumingMemoryBound(to: Float.self) }
    fileprivate var u8: UnsafeMutablePointer<UInt8> { assumingMemoryBound(to: UInt8.self) }
}
