// Elementwise mathematics as data: the slopes of operations and the activation rows are written as formulas, once, and read by
// arrays (operation by operation, so that they can be fused and differentiated again) and by plain numbers (the same kernels,
// hence the same bits).

import ActArray
import CActKernels
import Synchronization

/// An elementwise expression in some inputs. In a row, input 0 is x and the others are its parameters; in a rule they are the
/// operation's operands and `result` is its value.
package indirect enum Formula: Sendable {
    case input(Int)
    case result
    case number(Double)
    case unary(UnaryOperation, Formula)
    case binary(BinaryOperation, Formula, Formula)
    case compare(CompareOperation, Formula, Formula)
    /// `then` where the condition (a comparison) holds, else `otherwise`; what is not selected has no effect.
    case select(Formula, then: Formula, otherwise: Formula)

    package static let x = Formula.input(0)
    package static let nan = Formula.number(.nan)

    /// The number this is, if it has no inputs.
    var constant: Double? {
        if case .number(let value) = self { value } else { nil }
    }
}

extension Formula: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
}

// MARK: Notation

extension Formula {
    package static func + (a: Formula, b: Formula) -> Formula { .binary(.add, a, b) }
    package static func - (a: Formula, b: Formula) -> Formula { .binary(.sub, a, b) }
    package static func * (a: Formula, b: Formula) -> Formula { .binary(.mul, a, b) }
    package static func / (a: Formula, b: Formula) -> Formula { .binary(.div, a, b) }
    static prefix func - (a: Formula) -> Formula { .unary(.neg, a) }
    static func < (a: Formula, b: Formula) -> Formula { .compare(.lt, a, b) }
    static func > (a: Formula, b: Formula) -> Formula { .compare(.gt, a, b) }
    static func <= (a: Formula, b: Formula) -> Formula { .compare(.le, a, b) }
    static func >= (a: Formula, b: Formula) -> Formula { .compare(.ge, a, b) }
    static func == (a: Formula, b: Formula) -> Formula { .compare(.eq, a, b) }

    /// `self` held between two bounds; NaN stays. Keeps `x * (something that vanishes)` from becoming inf · 0 far out.
    func clamped(_ low: Formula, _ high: Formula) -> Formula {
        .binary(.min, .binary(.max, self, low), high)
    }
}

/// `f(.exp, x)` is eˣ: one kernel applied.
func f(_ operation: UnaryOperation, _ a: Formula) -> Formula { .unary(operation, a) }
func f(_ operation: BinaryOperation, _ a: Formula, _ b: Formula) -> Formula { .binary(operation, a, b) }

/// `then` where `condition` holds, else `otherwise`.
func choose(_ condition: Formula, _ then: Formula, _ otherwise: Formula) -> Formula {
    .select(condition, then: then, otherwise: otherwise)
}

// MARK: Programs

/// A formula as steps in order, each distinct subexpression once. They are worked out when first needed: of the many formulas that there
/// are, a program runs few.
package final class FormulaProgram: Sendable {
    private enum Step: Hashable {
        case input(Int)
        case result
        case number(UInt64)
        case unary(UnaryOperation, Int)
        case binary(BinaryOperation, Int, Int)
        case compare(CompareOperation, Int, Int)
        case select(Int, Int, Int)
    }

    private final class Steps: Sendable {
        let all: [Step]
        init(_ all: [Step]) { self.all = all }
    }

    package let formula: Formula
    /// The number this is, if it has no inputs.
    let constant: Double?
    /// The input that this is, if it is one as it stands.
    let input: Int?
    /// Whether it is the result as it stands.
    let isResult: Bool
    private let compiled = AtomicLazyReference<Steps>()

    package init(_ formula: Formula) {
        self.formula = formula
        constant = formula.constant
        input = if case .input(let index) = formula { index } else { nil }
        isResult = if case .result = formula { true } else { false }
    }

    private var steps: [Step] {
        if let compiled = compiled.load() { return compiled.all }
        return compiled.storeIfNil(Steps(FormulaProgram.compiled(formula))).all
    }

    private static func compiled(_ formula: Formula) -> [Step] {
        var steps: [Step] = []
        var known: [Step: Int] = [:]
        func position(of step: Step) -> Int {
            if let position = known[step] { return position }
            steps.append(step)
            known[step] = steps.count - 1
            return steps.count - 1
        }
        func compile(_ formula: Formula) -> Int {
            switch formula {
            case .input(let index): return position(of: .input(index))
            case .result: return position(of: .result)
            case .number(let value): return position(of: .number(value.bitPattern))
            case .unary(let operation, let a): return position(of: .unary(operation, compile(a)))
            case .binary(let operation, let a, let b): return position(of: .binary(operation, compile(a), compile(b)))
            case .compare(let operation, let a, let b): return position(of: .compare(operation, compile(a), compile(b)))
            case .select(let condition, let a, let b):
                return position(of: .select(compile(condition), compile(a), compile(b)))
            }
        }
        let last = compile(formula)
        if last != steps.count - 1 { steps.append(steps[last]) }
        return steps
    }

    /// Whether this is one operation on inputs as they are.
    var isOneKernel: Bool {
        let operations = steps.count { step in
            switch step {
            case .input: false
            case .unary, .binary: true
            case .result, .number, .compare, .select: true
            }
        }
        return operations == 1
    }

    /// The value on arrays: a number where every operand that matters is one.
    /// - Throws: `ArrayError` where shapes do not broadcast or memory is short.
    package func callAsFunction(_ inputs: [Operand], result: NDArray? = nil) throws -> Operand {
        let steps = steps
        if steps.count == 1 {
            switch steps[0] {
            case .input(let index): return inputs[index]
            case .number(let bits): return .number(Double(bitPattern: bits))
            case .result: if let result { return .array(result) }
            default: break
            }
        }
        var values: [Operand] = []
        values.reserveCapacity(steps.count)
        for step in steps {
            switch step {
            case .input(let index): values.append(inputs[index])
            case .result:
                guard let result else { throw ArrayError.badValue(operation: "derivative", .noResult) }
                values.append(.array(result))
            case .number(let bits): values.append(.number(FormulaProgram.number(bits, besides: inputs)))
            case .unary(let operation, let a): values.append(try FormulaProgram.unary(operation, values[a]))
            case .binary(let operation, let a, let b): values.append(try FormulaProgram.binary(operation, values[a], values[b]))
            case .compare(let operation, let a, let b): values.append(try FormulaProgram.compare(operation, values[a], values[b]))
            case .select(let c, let a, let b):
                switch values[c] {
                case .number(let condition): values.append(condition != 0 ? values[a] : values[b])
                case .array(let condition): values.append(.array(try NDArray.select(condition, values[a], values[b])))
                }
            }
        }
        return values[values.count - 1]
    }

    /// The value on numbers: the kernels that arrays use, hence the same bits as an `f64` array.
    package func callAsFunction(_ inputs: [Double], result: Double = .nan) -> Double {
        inputs.withUnsafeBufferPointer { callAsFunction($0, result: result) }
    }

    /// The value on one number.
    package func callAsFunction(_ x: Double) -> Double {
        withUnsafePointer(to: x) { callAsFunction(UnsafeBufferPointer(start: $0, count: 1), result: .nan) }
    }

    func callAsFunction(_ inputs: UnsafeBufferPointer<Double>, result: Double) -> Double {
        let steps = steps
        return withUnsafeTemporaryAllocation(of: Double.self, capacity: steps.count) { values in
            for (i, step) in steps.enumerated() {
                let value: Double
                switch step {
                case .input(let index): value = inputs[index]
                case .result: value = result
                case .number(let bits): value = Double(bitPattern: bits)
                case .unary(let operation, let a): value = Scalar.unary(operation, values[a])
                case .binary(let operation, let a, let b): value = Scalar.binary(operation, values[a], values[b])
                case .compare(let operation, let a, let b): value = operation.holds(values[a], values[b]) ? 1 : 0
                case .select(let c, let a, let b): value = values[c] != 0 ? values[a] : values[b]
                }
                values[i] = value
            }
            return values[steps.count - 1]
        }
    }

    /// How many blocks of memory `callAsFunction` on elements needs.
    var blocks: Int { steps.count }

    /// The value on `n` elements of two inputs and the result, by the kernels that arrays use: no array is made.
    /// - Parameter memory: `blocks` blocks of at least `n` numbers, `stride` apart; the value may be there or among the inputs.
    func callAsFunction(
        _ inputs: (Elements, Elements), result: Elements, _ n: Int, memory: UnsafeMutablePointer<Double>, stride: Int
    ) -> Elements {
        let steps = steps, table = Elements.kernels
        return withUnsafeTemporaryAllocation(of: Elements.self, capacity: steps.count) { values in
            for i in steps.indices {
                let target = memory + i &* stride
                values[i] = Elements(start: UnsafePointer(target), stride: 1)
                switch steps[i] {
                case .input(let index): values[i] = index == 0 ? inputs.0 : inputs.1
                case .result: values[i] = result
                case .number(let bits):
                    target.pointee = Double(bitPattern: bits)
                    values[i].stride = 0
                case .unary(let operation, let a):
                    let a = values[a]
                    if a.stride == 0 { values[i].stride = 0 }
                    table.pointee.unary_f64[Int(operation.rawValue)](a.start, target, a.stride == 0 ? 1 : n)
                case .binary(let operation, let a, let b):
                    let a = values[a], b = values[b]
                    if a.stride == 0, b.stride == 0 { values[i].stride = 0 }
                    table.pointee.binary_f64[Int(operation.rawValue)](a.start, a.stride, b.start, b.stride, target, values[i].stride == 0 ? 1 : n)
                case .compare(let operation, let a, let b):
                    let a = values[a], b = values[b]
                    for k in 0..<n { target[k] = operation.holds(a[k], b[k]) ? 1 : 0 }
                case .select(let c, let a, let b):
                    let c = values[c], a = values[a], b = values[b]
                    for k in 0..<n { target[k] = c[k] != 0 ? a[k] : b[k] }
                }
            }
            return values[steps.count - 1]
        }
    }

    /// A number of a formula. Beside f32 arrays a finite one stays finite: bounds such as 1e150 are there to keep infinities out.
    private static func number(_ bits: UInt64, besides inputs: [Operand]) -> Double {
        let value = Double(bitPattern: bits), largest = Double(Float.greatestFiniteMagnitude)
        guard value.magnitude > largest, value.isFinite else { return value }
        let isSingle = inputs.allSatisfy { if case .array(let array) = $0 { array.type == .f32 } else { true } }
        return isSingle && inputs.contains { if case .array = $0 { true } else { false } } ? (value < 0 ? -largest : largest) : value
    }

    // Two numbers stay a number; otherwise the array operation.

    private static func unary(_ operation: UnaryOperation, _ a: Operand) throws -> Operand {
        switch a {
        case .number(let value): .number(Scalar.unary(operation, value))
        case .array(let array): .array(try NDArray.unary(operation, array))
        }
    }

    private static func binary(_ operation: BinaryOperation, _ a: Operand, _ b: Operand) throws -> Operand {
        if case .number(let left) = a, case .number(let right) = b { return .number(Scalar.binary(operation, left, right)) }
        return .array(try NDArray.binary(operation, a, b))
    }

    private static func compare(_ operation: CompareOperation, _ a: Operand, _ b: Operand) throws -> Operand {
        if case .number(let left) = a, case .number(let right) = b { return .number(operation.holds(left, right) ? 1 : 0) }
        return .array(try NDArray.compare(operation, a, b))
    }
}

extension CompareOperation {
    fileprivate func holds(_ a: Double, _ b: Double) -> Bool {
        switch self {
        case .eq: a == b
        case .ne: a != b
        case .lt: a < b
        case .le: a <= b
        case .gt: a > b
        case .ge: a >= b
        }
    }
}

/// Numbers in memory, one after the other or (stride 0) one for all. Whoever makes it keeps the memory until the last use.
struct Elements {
    var start: UnsafePointer<Double>
    var stride: Int

    // `unsafe`: a constant of the C library (see `Kernels.table`), at hand.
    nonisolated(unsafe) static let kernels: UnsafePointer<act_kernel_table> = Kernels.table

    @inline(__always)
    subscript(_ i: Int) -> Double { start[i &* stride] }

    func advanced(by n: Int) -> Elements { Elements(start: start + n &* stride, stride: stride) }
}
