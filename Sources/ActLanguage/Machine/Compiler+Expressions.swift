// Expressions: `value` leaves the result wherever it is cheapest, `compile(_:to:)` in a given register, `branch` only decides.

import ActArray

extension FunctionBuilder {
    /// Compiles `id`; the result is in the register returned: a local itself, or a new temporary.
    func value(_ id: ExpressionID) -> Int {
        if case .name(let name) = tree[id], case .register(let register) = resolve(name) {
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
        let level = top
        origin = id
        switch tree[id] {
        case .number(let number): emit(.constant, target, constant(number))
        case .string(let string): emit(.constant, target, constant(tree[string]))
        case .bool(let bool): emit(.constant, target, constant(value: .bool(bool)))
        case .none: emit(.constant, target, constant(value: .none))
        case .name(let name): load(name, to: target)
        case .interpolation(let parts): interpolation(id, parts, to: target)
        case .array(let elements): array(id, elements, to: target)
        case .list(let elements): collection(id, tree[elements], .makeList, to: target)
        case .record(let fields): record(id, fields, to: target)
        case .comprehension(let node): comprehension(id, tree[node], to: target)
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
            emit(.field, target, register, constant(tree[name]))
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

    func load(_ name: NameID, to target: Int) {
        switch resolve(name) {
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
        let opcode: Opcode = switch operation {
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
            emit(.beginCollection, collection)
            for element in elements {
                let level = top
                let register = value(element)
                emit(.append, collection, taking: register)
                release(to: level)
            }
            origin = id
            emit(.finishCollection, target, collection, opcode == .makeArray ? 1 : 0)
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
        let fields = tree[fields]
        let first = takeTemporaries(fields.count)
        for (offset, field) in fields.enumerated() { compile(field.value, to: first + offset) }
        origin = id
        let names = fields.map { Value.string(tree[$0.name]) }
        emit(.makeRecord, target, first, constant(value: (try? .list(names)) ?? .none))
    }

    private func comprehension(_ id: ExpressionID, _ node: ComprehensionNode, to target: Int) {
        let collection = takeTemporary()
        let state = takeTemporaries(4)
        iterable(node.iterable, to: state)
        origin = id
        emit(.beginCollection, collection)
        pushScope()
        let before = assigned
        let variables = tree[node.variables].map { declare($0.name) }
        for name in tree.namesAssigned(in: [node.element] + (node.condition.map { [$0] } ?? [])) where local(name, inInnermostScope: true) == nil {
            declare(name)
        }
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
        emit(.finishCollection, target, collection, 1)
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
        code.interpolations.append(pieces)
        emit(.interpolate, target, code.interpolations.count - 1)
    }

    // MARK: Calls and parts

    private func call(_ id: ExpressionID, _ callee: ExpressionID, _ arguments: Run<Argument>, to target: Int) {
        let arguments = tree[arguments]
        var shape = CallShape()
        let base: Int
        var positional = 0
        if case .field(let object, let name) = tree[callee] {
            base = takeTemporaries(2 + arguments.count)
            compile(object, to: base + 1)
            origin = callee
            loadIfAny(name, to: base)
            shape.method = tree[name]
            positional = 1
        } else if arguments.count == 1, let argument = arguments.first, argument.name == nil, takesExpression(callee) {
            let base = takeTemporaries(2)
            compile(callee, to: base)
            emitFunction(for: argument.value, to: base + 1)
            origin = id
            emitCall(target, base, 1)
            return
        } else if !compiler.records, case .name(let name) = tree[callee], case .global(let slot) = resolve(name), slot <= Int(UInt16.max),
                  arguments.allSatisfy({ $0.name == nil && !compiler.changesVariables($0.value) }) {
            // The commonest call: the callee need not be in a register.
            let base = takeTemporaries(1 + arguments.count)
            for (offset, argument) in arguments.enumerated() { compile(argument.value, to: base + 1 + offset) }
            origin = id
            setExtra(emit(.callGlobal, target, base, arguments.count), slot)
            return
        } else {
            base = takeTemporaries(1 + arguments.count)
            compile(callee, to: base)
        }
        let first = base + 1 + positional
        for (offset, argument) in arguments.enumerated() {
            compile(argument.value, to: first + offset)
            if let name = argument.name { shape.names.append(tree[name]) } else { positional += 1 }
        }
        origin = id
        if shape == CallShape() {
            emitCall(target, base, positional)
        } else {
            setExtra(emit(.callShaped, target, base, positional), shape)
        }
    }

    /// Calls R[base]. In a recording every call of a function goes through `Machine.call`.
    private func emitCall(_ target: Int, _ base: Int, _ count: Int) {
        if compiler.records {
            setExtra(emit(.callShaped, target, base, count), CallShape())
        } else {
            emit(.call, target, base, count)
        }
    }

    /// Whether a callee is a built-in that is given its argument as an expression, not as a value.
    private func takesExpression(_ callee: ExpressionID) -> Bool {
        guard case .name(let name) = tree[callee], tree[name] == "why", case .global = resolve(name) else { return false }
        return compiler.module.builtinName("why") != nil
    }

    /// As `load`, but undefined where there is nothing of that name.
    private func loadIfAny(_ name: NameID, to target: Int) {
        switch resolve(name) {
        case .register(let register) where assigned.contains(register): emit(.move, target, register)
        case .register: emit(.clear, target)
        case .global(let slot): emit(.loadGlobalOrNone, target, slot)
        default: load(name, to: target)
        }
    }

    private func index(_ id: ExpressionID, _ base: ExpressionID, _ items: Run<IndexItem>, to target: Int) {
        let items = tree[items]
        if items.count == 1, let item = items.first, case .value(let key) = item.kind {
            let register = value(base, before: key)
            let keyRegister = value(key)
            origin = id
            emit(.index, target, register, keyRegister)
            return
        }
        let register = takeTemporary()
        compile(base, to: register)
        let operands = indexOperands(items)
        origin = id
        code.indexItems.append(operands)
        emit(.indexItems, target, register, code.indexItems.count - 1)
    }

    func indexOperands(_ items: ArraySlice<IndexItem>) -> [IndexOperand] {
        func register(_ id: ExpressionID) -> Int {
            let register = takeTemporary()
            compile(id, to: register)
            return register
        }
        return items.map { item in
            switch item.kind {
            case .value(let key): .value(register(key))
            case .slice(let lower, let upper, let step): .slice(start: lower.map(register), stop: upper.map(register), step: step.map(register))
            case .ellipsis: .ellipsis
            }
        }
    }
}
