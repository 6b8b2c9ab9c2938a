// Conditions as jumps, and the opcodes of operators.

import ActSyntax

extension FunctionBuilder {
    /// Jumps away unless `condition` holds; falls through when it does.
    func branch(unless condition: ExpressionID) -> [Jump] { branch(condition, if: false) }

    /// Jumps away where the truth of `condition` is `sense`; falls through otherwise.
    func branch(_ condition: ExpressionID, if sense: Bool) -> [Jump] {
        let level = top
        defer { release(to: level) }
        switch tree[condition] {
        case .and(let left, let right):
            let first = branch(left, if: false)
            let second = branch(right, if: sense)
            guard sense else { return first + second }
            patch(first)
            return second
        case .unary(.not, let operand):
            let register = value(operand)
            origin = condition
            return [emitJump(sense ? .jumpIfFalse : .jumpIfTrue, register)]
        case .comparison(let first, let links) where links.count == 1:
            guard let link = tree[links].first else { return [] }
            let left = value(first, before: link.operand)
            if let constant = numberConstant(link.operand) ?? (link.comparison.isEquality ? textConstant(link.operand) : nil) {
                origin = condition
                let jump = emitJump(link.comparison.jumpOpcodeWithConstant, left, constant)
                setExtra(jump.instruction, sense ? 1 : 0)
                return [jump]
            }
            let right = value(link.operand)
            origin = condition
            let jump = emitJump(link.comparison.jumpOpcode, left, right)
            setExtra(jump.instruction, sense ? 1 : 0)
            return [jump]
        default:
            let register = value(condition)
            origin = condition
            return [emitJump(sense ? .jumpIfTrue : .jumpIfFalse, register)]
        }
    }

    /// Whether the jumps of `branch(condition, if: true)` compare.
    func endsInComparison(_ condition: ExpressionID) -> Bool {
        switch tree[condition] {
        case .comparison(_, let links): tree[links].count == 1
        case .and(_, let right): endsInComparison(right)
        default: false
        }
    }

    func conditional(_ branches: ArraySlice<Branch>, otherwise: ExpressionID?, to target: Int) {
        var ends: [Jump] = []
        var common: Set<Int>?
        for item in branches {
            let skip = branch(unless: item.condition)
            let before = assigned
            compile(item.body, to: target)
            common = common?.intersection(assigned) ?? assigned
            assigned = before
            ends.append(emitJump(.jump))
            patch(skip)
        }
        if let otherwise {
            compile(otherwise, to: target)
        } else {
            emit(.constant, target, constant(value: .none))
        }
        assigned = common?.intersection(assigned) ?? assigned
        patch(ends)
    }
}

extension Compiler {
    /// Whether evaluating `id` may change a variable.
    func changesVariables(_ id: ExpressionID) -> Bool { assignments[id] }
}

extension BinaryOperator {
    var opcode: Opcode {
        switch self {
        case .add: .add
        case .subtract: .sub
        case .multiply: .mul
        case .divide: .div
        case .floorDivide: .floorDivide
        case .remainder: .modulo
        case .matmul: .matmul
        case .power: .pow
        }
    }

    var opcodeWithConstant: Opcode? {
        switch self {
        case .add: .addK
        case .subtract: .subK
        case .multiply: .mulK
        case .divide: .divK
        case .floorDivide: .floorDivideK
        case .remainder: .moduloK
        case .power: .powK
        case .matmul: nil
        }
    }
}

extension ComparisonOperator {
    var isEquality: Bool { self == .equal || self == .notEqual }

    var opcode: Opcode {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterEqual
        }
    }

    var jumpOpcode: Opcode {
        switch self {
        case .equal: .jumpEqual
        case .notEqual: .jumpNotEqual
        case .less: .jumpLess
        case .lessOrEqual: .jumpLessEqual
        case .greater: .jumpGreater
        case .greaterOrEqual: .jumpGreaterEqual
        }
    }

    var jumpOpcodeWithConstant: Opcode {
        switch self {
        case .equal: .jumpEqualK
        case .notEqual: .jumpNotEqualK
        case .less: .jumpLessK
        case .lessOrEqual: .jumpLessEqualK
        case .greater: .jumpGreaterK
        case .greaterOrEqual: .jumpGreaterEqualK
        }
    }
}
