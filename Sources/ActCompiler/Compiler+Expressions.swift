// Expressions: `value` leaves the result wherever it is cheapest, `compile(_:to:)` in a given register, `branch` only decides.

import ActArray
import ActSyntax

extension FunctionBuilder {
    /// Compiles `id`; the result is in the register returned: a local itself, or a new temporary.
    func value(_ id: ExpressionID) -> Int {
        if case .name = tree[id], case .register(let register) = resolve(id) {
            origin = id
            checkAssigned(register)
            if compiler.records { completed(id, register) }
            return register
        }
        let register = takeTemporary()
        compile(id, to: register)
        return register
    }

    /// As `value`, but safe while `later` is evaluated: a local that `later` assigns is copied first.
    func value(_ id: ExpressionID, before later: ExpressionID) -> Int {
        guard case .name = tree[id], compiler.changesVariables(later) else { return value(id) }
        let register = takeTemporary()
        compile(id, to: register)
        return register
    }

    func compile(_ id: ExpressionID, to target: Int) {
        // Of an expression of a million parts the rest is left out: nobody runs it.
        if compiler.isStopped { return }
        guard compiler.enter(id) else { return }
        defer { compiler.leave() }
        let level = top
        origin = id
        switch tree[id] {
        case .number(let number): emit(.constant, target, constant(number))
        case .string(let string): emit(.constant, target, constant(tree[string]))
        case .bool(let bool): emit(.constant, target, constant(value: .bool(bool)))
        case .none: emit(.constant, target, constant(value: .none))
        case .name: load(id, to: target)
        case .interpolation(let parts): interpolation(id, parts, to: target)
        case .array(let elements): array(id, elements, to: target)
        case .list(let elements): collection(id, tree[elements], .makeList, to: target)
        case .record(let fields): record(id, fields, to: target)
        case .comprehension(let node): comprehension(id, node, to: target)
        case .unary(let operation, let operand): unary(id, operation, operand, to: target)
        case .binary(let operation, let left, let right): binary(id, operation, left, right, to: target)
        case .and(let left, let right): logical(id, .andSkip, .logicalAnd, left, right, to: target)
        case .or(let left, let right): logical(id, .orSkip, .logicalOr, left, right, to: target)
        case .comparison(let first, let links): comparison(id, first, tree[links], to: target)
        case .pipe(let argument, let function): pipe(id, argument, function, to: target)
        case .compose(let first, let second):
            let left = value(first, before: second)
            let right = value(second)
            origin = id
            emit(.compose, target, taking: left, right)
        case .call(let callee, let arguments): call(id, callee, arguments, to: target)
        case .index(let base, let items): index(id, base, items, to: target)
        case .field(let base, let name):
            let register = value(base)
            origin = id
            emit(.field, target, register, field(tree[name]))
        case .prime(let base, let order):
            let register = value(base)
            origin = id
            emit(.prime, target, register, Int(order))
        case .function(let function): makeFunction(id, function, to: target)
        case .block(let statements): block(tree[statements], to: target)
        case .conditional(let branches, let otherwise): conditional(tree[branches], otherwise: otherwise, to: target)
        case .forLoop, .whileLoop, .breakLoop, .continueLoop, .returnValue, .assign, .unpack, .update, .define, .unset, .invalid:
            statement(id)
            origin = id
            emit(.constant, target, constant(value: .none))
        }
        completed(id, target)
        release(to: level)
    }

    func load(_ id: ExpressionID, to target: Int) {
        switch resolve(id) {
        case .register(let register):
            checkAssigned(register)
            if register != target { emit(.move, target, register) }
        case .capture(let index): emit(.loadCapture, target, index)
        case .itself: emit(.loadSelf, target)
        case .global(let slot): emit(.loadGlobal, target, slot)
        }
    }

    // MARK: Operators

    private func unary(_ id: ExpressionID, _ operation: UnaryOperator, _ operand: ExpressionID, to target: Int) {
        if case .negate = operation, case .number(let number) = tree[operand] {
            emit(.constant, target, constant(-number))
            return
        }
        let register = value(operand)
        origin = id
        let opcode: Opcode =
            switch operation {
            case .negate: .negate
            case .plus: .plus
            case .not: .not
            }
        emit(opcode, target, taking: register)
    }

    private func binary(_ id: ExpressionID, _ operation: BinaryOperator, _ left: ExpressionID, _ right: ExpressionID, to target: Int) {
        // A chain such as a + b + c + … is as deep on its left side as it is long: walked with a loop.
        var chain: [(id: ExpressionID, operation: BinaryOperator, right: ExpressionID)] = [(id, operation, right)]
        var first = left
        while case .binary(let operation, let left, let right) = tree[first] {
            chain.append((first, operation, right))
            first = left
        }
        guard let innermost = chain.last else { return }
        // 3 * n: the constant need not be in a register.
        if chain.count == 1, operation == .add || operation == .multiply, let constant = numberConstant(first), numberConstant(right) == nil {
            let register = value(right)
            origin = id
            setExtra(emit(operation == .add ? .addK : .mulK, target, taking: register, constant: constant), 1)
            return
        }
        var register = value(first, before: innermost.right)
        for (depth, link) in chain.enumerated().reversed() {
            let isOutermost = depth == 0
            let level = top
            if let constant = numberConstant(link.right), let opcode = link.operation.opcodeWithConstant {
                origin = link.id
                let result = isOutermost ? target : temporary(reusing: register)
                emit(opcode, result, taking: register, constant: constant)
                register = result
                if !isOutermost { completed(link.id, result) }
            } else {
                let right = value(link.right)
                origin = link.id
                release(to: level)
                let result = isOutermost ? target : temporary(reusing: register)
                emit(link.operation.opcode, result, taking: register, right)
                register = result
                if !isOutermost { completed(link.id, result) }
            }
        }
    }

    private func temporary(reusing register: Int) -> Int { isTemporary(register) ? register : takeTemporary() }

    func numberConstant(_ id: ExpressionID) -> Int? {
        switch tree[id] {
        case .number(let number): return constant(number)
        case .unary(.negate, let operand):
            if case .number(let number) = tree[operand] { return constant(-number) }
            return nil
        default: return nil
        }
    }

    func textConstant(_ id: ExpressionID) -> Int? {
        if !compiler.records, case .string(let text) = tree[id] { constant(tree[text]) } else { nil }
    }

    private func logical(_ id: ExpressionID, _ skip: Opcode, _ combine: Opcode, _ left: ExpressionID, _ right: ExpressionID, to target: Int) {
        let result = takeTemporary()
        compile(left, to: result)
        origin = id
        let end = emitJump(skip, result)
        let other = value(right)
        origin = id
        emit(combine, result, taking: result, other)
        patch(end)
        emit(.move, target, taking: result)
    }

    private func comparison(_ id: ExpressionID, _ first: ExpressionID, _ links: ArraySlice<ComparisonLink>, to target: Int) {
        guard let link = links.first else { return }
        if links.count == 1 {
            let left = value(first, before: link.operand)
            let right = value(link.operand)
            origin = id
            emit(link.comparison.opcode, target, left, right)
            return
        }
        let result = takeTemporary()
        var left = takeTemporary()
        var right = takeTemporary()
        compile(first, to: left)
        var ends: [Jump] = []
        for (position, link) in links.enumerated() {
            compile(link.operand, to: right)
            origin = id
            if position == 0 {
                emit(link.comparison.opcode, result, left, right)
            } else {
                let partial = takeTemporary()
                emit(link.comparison.opcode, partial, left, right)
                emit(.logicalAnd, result, taking: result, partial)
                release(to: partial)
            }
            if position < links.count - 1 { ends.append(emitJump(.andSkip, result)) }
            swap(&left, &right)
        }
        patch(ends)
        emit(.move, target, taking: result)
    }

    private func pipe(_ id: ExpressionID, _ argument: ExpressionID, _ function: ExpressionID, to target: Int) {
        let callee = takeTemporaries(2)
        if takesExpression(function) { emitFunction(for: argument, to: callee + 1) } else { compile(argument, to: callee + 1) }
        compile(function, to: callee)
        origin = id
        emitCall(target, callee, 1)
    }

    // MARK: Collections

    private func collection(_ id: ExpressionID, _ elements: ArraySlice<ExpressionID>, _ opcode: Opcode, to target: Int) {
        if elements.count > 256 {
            // Many elements: one at a time, so that registers stay few.
            let collection = takeTemporary()
            emit(.beginCollection, collection, opcode == .makeArray ? 1 : 0)
            for element in elements {
                let level = top
                let register = value(element)
                emit(.append, collection, taking: register)
                release(to: level)
            }
            origin = id
            emit(.finishCollection, target, collection)
            return
        }
        let first = takeTemporaries(elements.count)
        for (offset, element) in elements.enumerated() { compile(element, to: first + offset) }
        origin = id
        emit(opcode, target, first, elements.count)
    }

    private func array(_ id: ExpressionID, _ elements: Run<ExpressionID>, to target: Int) {
        let elements = tree[elements]
        let numbers = elements.compactMap { element -> Double? in
            switch tree[element] {
            case .number(let number): return number
            case .unary(.negate, let operand):
                if case .number(let number) = tree[operand] { return -number }
                return nil
            default: return nil
            }
        }
        if !elements.isEmpty, numbers.count == elements.count, let array = try? NDArray(numbers, shape: [numbers.count]) {
            emit(.constant, target, constant(value: .array(array)))
        } else {
            collection(id, elements, .makeArray, to: target)
        }
    }

    private func record(_ id: ExpressionID, _ fields: Run<Field>, to target: Int) {
        var rest = tree[fields]
        // The fields before the first `...p`, on which each `...p` and the fields after it are laid.
        func plain(to target: Int) {
            let own = rest.prefix { $0.name != nil }, first = takeTemporaries(own.count)
            rest = rest.dropFirst(own.count)
            for (offset, field) in own.enumerated() { compile(field.value, to: first + offset) }
            origin = id
            prototype.records.append(own.compactMap { $0.name.map { tree[$0] } })
            emit(.makeRecord, target, first, prototype.records.count - 1)
        }
        if rest.allSatisfy({ $0.name != nil }) { return plain(to: target) }
        let record = takeTemporary()
        plain(to: record)
        while let field = rest.first {
            let level = top, part = takeTemporary()
            if field.name == nil {
                rest = rest.dropFirst()
                compile(field.value, to: part)
                origin = field.value
            } else {
                plain(to: part)
            }
            emit(.spread, record, part)
            release(to: level)
        }
        emit(.move, target, record)
    }

    private func comprehension(_ id: ExpressionID, _ comprehension: ComprehensionID, to target: Int) {
        let node = tree[comprehension]
        let collection = takeTemporary()
        let state = takeTemporaries(4)
        iterable(node.iterable, to: state)
        origin = id
        emit(.beginCollection, collection, node.isList ? 0 : 1)
        pushScope()
        let before = assigned
        let symbols = resolution[resolution.scope(of: comprehension)].symbolIDs.map { declare($0) }
        let variables = Array(symbols.prefix(tree[node.variables].count))
        assigned.formUnion(variables)
        iterate(variables, state, origin: id) {
            var skip: [Jump] = []
            if let condition = node.condition { skip = branch(unless: condition) }
            let level = top
            let element = value(node.element)
            origin = node.element
            emit(.append, collection, taking: element)
            release(to: level)
            return skip
        }
        origin = id
        popScope()
        assigned = before
        emit(.finishCollection, target, collection)
    }

    private func interpolation(_ id: ExpressionID, _ parts: Run<StringPart>, to target: Int) {
        let parts = tree[parts]
        let first = takeTemporaries(parts.count)
        var pieces: [InterpolationPart] = []
        for (offset, part) in parts.enumerated() {
            switch part {
            case .text(let text): pieces.append(.text(tree[text]))
            case .value(let value, let format):
                compile(value, to: first + offset)
                pieces.append(.value(register: first + offset, spec: format.map { tree[$0] }, expression: value))
            }
        }
        origin = id
        prototype.interpolations.append(pieces)
        emit(.interpolate, target, prototype.interpolations.count - 1)
    }
}
