// The shapes that arithmetic and comparisons give, and what is known of numbers.

import ActArray
import ActBuiltins
import ActCompiler
import ActMachine
import ActNetwork
import ActSyntax

extension ShapeCheck {
    func elementwise(_ value: ShapeValue) -> ShapeValue {
        switch value {
        case .number, .size: .number(nil)
        case .array: value
        default: .unknown
        }
    }

    static func binary(_ operation: BinaryOperator, _ a: ShapeValue, _ b: ShapeValue) throws -> ShapeValue {
        if let x = a.number, let y = b.number, operation != .matmul { return .number(number(operation, x, y)) }
        if let x = a.asSize, let y = b.asSize {
            if operation == .add { return (x + y).map { .size($0) } ?? .number(nil) }
            if operation == .subtract, let n = y.number, n != .min { return (x + Size(-n)).map { .size($0) } ?? .number(nil) }
        }
        switch (a, b) {
        case (.number, .number), (.number, .size), (.size, .number), (.size, .size), (.array, .number), (.array, .size), (.number, .array), (.size, .array),
            (.array, .array):
            let (x, y) = (a.shape ?? [], b.shape ?? [])
            return .of(try operation == .matmul ? ShapeArithmetic.product(x, y, "@") : ShapeArithmetic.broadcast(x, y))
        default: return .unknown
        }
    }

    static func number(_ operation: BinaryOperator, _ x: Double, _ y: Double) -> Double? {
        switch operation {
        case .add: x + y
        case .subtract: x - y
        case .multiply: x * y
        case .divide: x / y
        case .floorDivide: y == 0 ? nil : (x / y).rounded(.down)
        case .remainder: y == 0 ? nil : x - (x / y).rounded(.down) * y
        case .power where y == 2: x * x
        case .power, .matmul: nil
        }
    }

    mutating func comparison(_ id: ExpressionID, _ first: ExpressionID, _ links: Run<ComparisonLink>) -> ShapeValue {
        let left = value(first)
        var last = left, known: Bool? = true, shape: [Size?]? = []
        for link in tree[links] {
            let next = value(link.operand)
            if let a = last.number, let b = next.number {
                let holds =
                    switch link.comparison {
                    case .equal: a == b
                    case .notEqual: a != b
                    case .less: a < b
                    case .lessOrEqual: a <= b
                    case .greater: a > b
                    case .greaterOrEqual: a >= b
                    }
                known = known.map { $0 && holds }
            } else {
                known = nil
            }
            switch (last, next) {
            case (.array, .array), (.array, .number), (.array, .size), (.number, .array), (.size, .array):
                let (a, b) = (last.shape ?? [], next.shape ?? [])
                let both = result(at: id, [first, link.operand]) { .of(try ShapeArithmetic.broadcast(a, b)) }
                shape = both.shape.flatMap { both in shape.flatMap { try? ShapeArithmetic.broadcast($0, both) } }
            case (.number, .number), (.number, .size), (.size, .number), (.size, .size): break
            default: shape = nil
            }
            last = next
        }
        if let known { return .number(known ? 1 : 0) }
        return shape.map { .of($0) } ?? .unknown
    }
}
