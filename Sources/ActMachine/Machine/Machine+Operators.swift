// Operators on everything but two plain numbers.

import ActArray
import ActCompiler
import ActPlot
import ActSyntax

extension Machine {
    /// R[a] = R[b] op R[c], or op the constant.
    @inline(never)
    func binary(_ operation: BinaryOperator, _ R: Registers, _ i: UnsafeMutablePointer<Instruction>, constant: Value? = nil) throws {
        // A variable that gets the result gives its value up first, unless it is the other operand too.
        let a = i.pointee.a, b = i.pointee.b, isOnce = constant != nil || b != i.pointee.c
        if case .add = operation, constant == nil, isOnce, a == b || i.pointee.lastUse.hasB, try append(R + i.pointee.c, to: R + b) {
            if i.pointee.lastUse.hasC { R[i.pointee.c] = .none }
            if a != b { R[a] = R.take(b) }
            return
        }
        if (R + b).isNumber, constant != nil || (R + i.pointee.c).isNumber { i.pointee.isLeftToSwift = false }
        var left = operand(R, b, i.pointee.lastUse.hasB || a == b && isOnce)
        var right = constant ?? operand(R, i.pointee.c, i.pointee.lastUse.hasC || a == i.pointee.c && isOnce)
        if constant != nil, i.pointee.extra == 1 { swap(&left, &right) }
        Site.current = currentSite
        do {
            R[i.pointee.a] = try binary(operation, left, right)
        } catch {
            throw Fault.wrap(error, self, operands: (left, right))
        }
    }

    /// Puts the text in a register at the end of that in another one, which is changed in place if nobody else sees it.
    @inline(__always)
    private func append(_ addition: Registers, to register: Registers) throws -> Bool {
        guard let more = addition.textReference, let text = register.textReference, register.holdsAlone(Text.self) else { return false }
        do {
            try text._withUnsafeGuaranteedRef { text in try more._withUnsafeGuaranteedRef { try text.append($0) } }
        } catch {
            throw Fault.wrap(error, self, operands: (register.pointee, addition.pointee))
        }
        return true
    }

    /// slot = slot + value; a text grows in place if nobody else sees it.
    @inline(never)
    func add(_ value: Value, to slot: Registers) throws {
        if slot.isNumber, case .number = value { instruction?.pointee.isLeftToSwift = false }
        Site.current = currentSite
        do {
            if case .string(let addition) = value, case .string = slot.pointee, try slot.pointee.append(addition) { return }
            slot.pointee = try binary(.add, slot.pointee, value)
        } catch {
            throw Fault.wrap(error, self, operands: (slot.pointee, value))
        }
    }

    /// The place that array operations made now belong to.
    var currentSite: Site {
        let frame = state.pointee.frame
        guard frame >= frameMemory, let instruction else { return .unknown }
        return frame.pointee.code._withUnsafeGuaranteedRef { $0.site(of: instruction) }
    }

    func binary(_ operation: BinaryOperator, _ left: Value, _ right: Value) throws -> Value {
        switch (left, right) {
        case (.number(let x), .number(let y)):
            if case .matmul = operation { throw ArrayError.scalarOperand(operation: "@") }
            return .number(try scalar(operation, x, y))
        case (.array, .array), (.array, .number), (.number, .array):
            return try arrays(operation, left, right)
        case (.bool, .number), (.number, .bool), (.bool, .bool), (.array, .bool), (.bool, .array):
            return try binary(operation, left.asNumberIfBool, right.asNumberIfBool)
        case (.string(let x), .string(let y)) where operation == .add:
            return .string(try x.joined(with: y))
        case (.figure(let x), .figure(let y)) where operation == .add:
            try Memory.check(for: x.footprint + y.footprint)
            return .figure(FigureValue(try x.figure.overlaid(with: y.figure)))
        // A network meets its parameters too, which are a record or a list.
        case (.function(let network), _):
            if let result = try network.arithmetic(operation, with: right, isLeft: true, self) { return result }
        case (_, .function(let network)):
            if let result = try network.arithmetic(operation, with: left, isLeft: false, self) { return result }
        case (.record, _), (.list, _), (_, .record), (_, .list):
            return try leafwise(operation, left, right)
        default: break
        }
        throw RuntimeError.operands(operation.symbol, left, right)
    }

    /// Arithmetic on two numbers, with warnings for what leaves the numbers.
    private func scalar(_ operation: BinaryOperator, _ x: Double, _ y: Double) throws -> Double {
        let result: Double
        switch operation {
        case .add: result = x + y
        case .subtract: result = x - y
        case .multiply: result = x * y
        case .divide: result = x / y
        case .floorDivide: result = Scalar.binary(.floordiv, x, y)
        case .remainder: result = Scalar.binary(.mod, x, y)
        case .power: result = Scalar.binary(.pow, x, y)
        case .matmul: result = x * y
        }
        if !(result.magnitude < .infinity) { try noteNumericEvent(operation.symbol, result, [x, y]) }
        return result
    }

    private func arrays(_ operation: BinaryOperator, _ left: Value, _ right: Value) throws -> Value {
        if case .matmul = operation {
            guard case .array(let x) = left, case .array(let y) = right else { throw ArrayError.scalarOperand(operation: "@") }
            if let product = try NDArray.plainDot(x, y) {
                instruction?.pointee.isLeftToSwift = false
                return .number(product)
            }
            return try Value(NDArray.matmul(x, y))
        }
        switch (left, right) {
        case (.array(let x), .array(let y)):
            if x.rank != y.rank, NDArray.stretchesBoth(x.shape, y.shape) { try warnStretch(operation.symbol, x.shape, y.shape) }
            return try Value(NDArray.binary(operation.arrayOperation, x, y))
        case (.array(let x), .number(let number)): return try Value(NDArray.binary(operation.arrayOperation, x, number))
        case (.number(let number), .array(let x)): return try Value(NDArray.binary(operation.arrayOperation, number, x))
        default: throw RuntimeError.operands(operation.symbol, left, right)
        }
    }

    /// Records, lists and networks of equal structure leaf by leaf; a number or array meets every leaf.
    package func leafwise(_ operation: BinaryOperator, _ left: Value, _ right: Value) throws -> Value {
        try Interrupt.check()
        switch (left, right) {
        case (.record(let x), .record(let y)):
            guard x.fields.count == y.fields.count else { throw RuntimeError.structuresDiffer(fieldOfOne(x, y)) }
            var fields = x.fields
            for (name, value) in x.fields {
                guard let other = y[name] else { throw RuntimeError.structuresDiffer(fieldOfOne(x, y)) }
                fields[name] = try leaf(operation, value, other)
            }
            return try .record(fields)
        case (.list(let x), .list(let y)):
            guard x.elements.count == y.elements.count else { throw RuntimeError.structuresDiffer(.listLengths(x.elements.count, y.elements.count)) }
            return try .list(zip(x.elements, y.elements).map { try leaf(operation, $0, $1) })
        case (let number, _) where number.isSingle: return try leafwise(operation, right, number: number, isLeft: true)
        case (_, let number) where number.isSingle: return try leafwise(operation, left, number: number, isLeft: false)
        default: throw RuntimeError.operands(operation.symbol, left, right)
        }
    }

    /// One number meets every leaf.
    private func leafwise(_ operation: BinaryOperator, _ structure: Value, number: Value, isLeft: Bool) throws -> Value {
        switch structure {
        case .record(let record): return try .record(record.fields.mapValues { try leaf(operation, $0, number: number, isLeft: isLeft) })
        case .list(let list): return try .list(list.elements.map { try leaf(operation, $0, number: number, isLeft: isLeft) })
        default: throw isLeft ? RuntimeError.operands(operation.symbol, number, structure) : RuntimeError.operands(operation.symbol, structure, number)
        }
    }

    private func leaf(_ operation: BinaryOperator, _ left: Value, _ right: Value) throws -> Value {
        switch (left, right) {
        // A field without a value, such as the bias of a layer that has none.
        case (.none, _): return .none
        // Where there is no parameter there is no gradient.
        case (_, .none): return try isInert(left) ? left : .none
        case (.bool, .bool): return left
        case (.string(let x), .string(let y)) where x.string == y.string: return left
        case (.string, _), (_, .string): throw RuntimeError.leafOfStructure(operation.symbol, left, right)
        case (.function(let f), .function(let g)) where f === g: return try isInert(left) ? left : binary(operation, left, right)
        default: return try binary(operation, left, right)
        }
    }

    /// A leaf that meets one number of the other side.
    private func leaf(_ operation: BinaryOperator, _ leaf: Value, number: Value, isLeft: Bool) throws -> Value {
        if case .none = leaf { return .none }
        if try isInert(leaf) { return leaf }
        return try isLeft ? binary(operation, number, leaf) : binary(operation, leaf, number)
    }

    /// Whether a leaf is not a number: arithmetic on the structure around it leaves it alone.
    private func isInert(_ value: Value) throws -> Bool {
        switch value {
        case .bool, .string: true
        case .function(let function): try function.parameterValues() == nil
        default: false
        }
    }

    /// A field that only one of two records has, which differ in one.
    private func fieldOfOne(_ x: Record, _ y: Record) -> StructureDifference {
        if let name = x.fields.keys.first(where: { y[$0] == nil }) { return .fieldOfLeft(name) }
        return .fieldOfRight(y.fields.keys.first { x[$0] == nil } ?? "")
    }

    // MARK: Unary

    func negate(_ value: Value) throws -> Value {
        Site.current = currentSite
        switch value {
        case .number(let x): return .number(-x)
        case .bool(let x): return .number(x ? -1 : 0)
        case .array(let x) where x.type == .bool: return try Value(NDArray.binary(.sub, .number(0), .array(x)))
        case .array(let x): return try Value(NDArray.unary(.neg, x))
        case .record, .list, .function: return try binary(.multiply, value, .number(-1))
        default: throw RuntimeError.operand("-", value)
        }
    }

    func plus(_ value: Value) throws -> Value {
        switch value {
        case .number, .array, .record, .list: return value
        case .bool(let x): return .number(x ? 1 : 0)
        default: throw RuntimeError.operand("+", value)
        }
    }

    func not(_ value: Value) throws -> Value {
        switch value {
        case .bool(let x): return .bool(!x)
        case .array(let x) where x.type == .bool: return try Value(NDArray.not(x))
        default: throw RuntimeError.operand("not", value)
        }
    }

    // MARK: Composition

    func compose(_ first: Value, _ second: Value) throws -> Value {
        guard case .function(let f) = first, case .function(let g) = second else { throw RuntimeError.operands(">>", first, second) }
        return try composition(f, g).asValue()
    }

    /// `f >> g`: with a layer on either side a network, else a composition.
    package func composition(_ f: Function, _ g: Function) throws -> Function {
        guard f.partCount + g.partCount <= maximumNesting else { throw RuntimeError.tooManyLayers }
        try Interrupt.check()
        return try f.composition(with: g, isFirst: true, self) ?? g.composition(with: f, isFirst: false, self) ?? Composition(f, g)
    }
}

extension Value {
    /// One number, traced or not.
    fileprivate var isSingle: Bool {
        switch self {
        case .number, .bool: true
        case .array(let array): array.rank == 0
        default: false
        }
    }

    package var asNumberIfBool: Value {
        if case .bool(let bool) = self { return .number(bool ? 1 : 0) }
        return self
    }

    /// As the array library takes it.
    func operand() throws -> Operand {
        switch self {
        case .number(let number): return .number(number)
        case .bool(let bool): return .number(bool ? 1 : 0)
        case .array(let array): return .array(array)
        default: throw RuntimeError.operand("arithmetic", self)
        }
    }
}

extension BinaryOperator {
    /// The elementwise operation; `@` has none.
    var arrayOperation: BinaryOperation {
        switch self {
        case .add: .add
        case .subtract: .sub
        case .multiply, .matmul: .mul
        case .divide: .div
        case .floorDivide: .floordiv
        case .remainder: .mod
        case .power: .pow
        }
    }
}
