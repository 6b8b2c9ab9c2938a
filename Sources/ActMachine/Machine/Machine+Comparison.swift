// Comparisons of values of any kind, conditions, and the logic of bools.

import ActArray
import ActPlot
import ActSyntax

extension Machine {
    func compare(_ comparison: ComparisonOperator, _ left: Value, _ right: Value) throws -> Value {
        switch (left, right) {
        case (.number(let x), .number(let y)): return .bool(comparison.holds(x, y))
        case (.array, .array), (.array, .number), (.number, .array), (.array, .bool), (.bool, .array):
            Site.current = currentSite
            let result = try NDArray.compare(comparison.arrayOperation, left.asNumberIfBool.operand(), right.asNumberIfBool.operand())
            return result.rank == 0 && !(result.isTraced && NDArray.isSymbolic) ? .bool(try result.item() != 0) : .array(result)
        case (.bool, .number), (.number, .bool), (.bool, .bool):
            return try compare(comparison, left.asNumberIfBool, right.asNumberIfBool)
        case (.string(let x), .string(let y)):
            switch comparison {
            case .equal: return .bool(x.string == y.string)
            case .notEqual: return .bool(x.string != y.string)
            case .less: return .bool(x.string < y.string)
            case .lessOrEqual: return .bool(x.string <= y.string)
            case .greater: return .bool(x.string > y.string)
            case .greaterOrEqual: return .bool(x.string >= y.string)
            }
        default:
            switch comparison {
            case .equal: return .bool(try isEqual(left, right))
            case .notEqual: return .bool(try !isEqual(left, right))
            default: throw RuntimeError.cannotCompare(comparison.symbol, left, right)
            }
        }
    }

    /// Whether whole values are equal: as `==` on lists and records, and between values of different kinds.
    package func isEqual(_ left: Value, _ right: Value) throws -> Bool {
        switch (left, right) {
        case (.none, .none): return true
        case (.bool(let x), .bool(let y)): return x == y
        case (.number(let x), .number(let y)): return x == y
        case (.bool, .number), (.number, .bool): return try isEqual(left.asNumberIfBool, right.asNumberIfBool)
        case (.string(let x), .string(let y)): return x.string == y.string
        case (.array(let x), .array(let y)):
            guard x.shape == y.shape else { return false }
            return try NDArray.compare(.eq, .array(x), .array(y)).reduced(.all, axes: nil, keepdims: false).item() != 0
        case (.array(let x), .number(let y)), (.number(let y), .array(let x)): return x.rank == 0 ? try x.item() == y : false
        case (.list(let x), .list(let y)):
            try Interrupt.check()
            return try x === y || x.elements.count == y.elements.count && zip(x.elements, y.elements).allSatisfy { try isEqual($0, $1) }
        case (.record(let x), .record(let y)):
            try Interrupt.check()
            return try x === y
                || x.fields.count == y.fields.count
                    && x.fields.allSatisfy { name, value in
                        guard let other = y[name] else { return false }
                        return try isEqual(value, other)
                    }
        case (.function(let x), .function(let y)): return x === y
        case (.figure(let x), .figure(let y)): return x === y
        default: return false
        }
    }

    /// Whether a comparison holds that decides where to go on.
    @inline(never)
    func decide(_ comparison: ComparisonOperator, _ left: Registers, _ right: Registers) throws -> Bool {
        if let x = left.textReference, let y = right.textReference {
            switch comparison {
            case .equal: return Text.areEqual(x, y)
            case .notEqual: return !Text.areEqual(x, y)
            default: break
            }
        }
        return try truth(of: compare(comparison, left.pointee, right.pointee))
    }

    /// A condition is one bool.
    package func truth(of value: Value) throws -> Bool {
        switch value {
        case .bool(let condition): return condition
        case .array(let array) where array.type == .bool && array.count == 1: return try array.item() != 0
        default: throw RuntimeError.notACondition(value)
        }
    }

    /// Whether `and` (when: false) or `or` (when: true) is decided by its left side.
    func skips(_ value: Value, when decisive: Bool) throws -> Bool {
        switch value {
        case .bool(let condition): return condition == decisive
        case .array(let array) where array.type == .bool: return false
        default: throw RuntimeError.operand(decisive ? "or" : "and", value)
        }
    }

    func logical(isAnd: Bool, _ left: Value, _ right: Value) throws -> Value {
        switch (left, right) {
        // The left side let the right side decide.
        case (.bool, .bool): return right
        case (.bool(let x), .array(let y)) where y.type == .bool:
            return try .array(NDArray.logical(isAnd ? .and : .or, NDArray(bools: [x], shape: []), y))
        case (.array(let x), .bool(let y)) where x.type == .bool:
            return try .array(NDArray.logical(isAnd ? .and : .or, x, NDArray(bools: [y], shape: [])))
        case (.array(let x), .array(let y)) where x.type == .bool && y.type == .bool:
            return try Value(NDArray.logical(isAnd ? .and : .or, x, y))
        default: throw RuntimeError.operands(isAnd ? "and" : "or", left, right)
        }
    }
}

extension ComparisonOperator {
    package var symbol: String { arrayOperation.name }

    var arrayOperation: CompareOperation {
        switch self {
        case .equal: .eq
        case .notEqual: .ne
        case .less: .lt
        case .lessOrEqual: .le
        case .greater: .gt
        case .greaterOrEqual: .ge
        }
    }

    func holds(_ x: Double, _ y: Double) -> Bool {
        switch self {
        case .equal: x == y
        case .notEqual: x != y
        case .less: x < y
        case .lessOrEqual: x <= y
        case .greater: x > y
        case .greaterOrEqual: x >= y
        }
    }
}
