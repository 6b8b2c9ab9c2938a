// Statements, blocks and loops.

import ActSyntax

extension FunctionBuilder {
    /// A statement of the outermost level: an expression shows its value unless it is silenced.
    func compileOutermost(_ item: Statement) {
        if tree[item.expression].isStatement {
            statement(item.expression)
        } else {
            let register = takeTemporary()
            compile(item.expression, to: register)
            origin = item.expression
            if !item.isSilenced { emit(.show, 0, register) }
        }
        let none = takeTemporary()
        emit(.constant, none, constant(value: .none))
        emit(.result, 0, none)
    }

    /// The value of a block is that of its last statement; statements that are not expressions give none.
    func block(_ statements: ArraySlice<Statement>, to target: Int) {
        guard let last = statements.last else {
            emit(.constant, target, constant(value: .none))
            return
        }
        for item in statements.dropLast() { statement(item.expression) }
        compile(last.expression, to: target)
    }

    /// Compiles for the effect alone.
    func statement(_ id: ExpressionID) {
        let level = top
        defer { release(to: level) }
        origin = id
        switch tree[id] {
        case .assign(let target, let value): assign(target, value, origin: id)
        case .unpack(let targets, let value): unpack(tree[targets], value, origin: id)
        case .update(let operation, let target, let value): update(operation, target, value, origin: id)
        case .define(let function): define(function, origin: id)
        case .unset: unset(id)
        case .forLoop(let loop): forLoop(tree[loop], origin: id)
        case .whileLoop(let condition, let body): whileLoop(condition, body, origin: id)
        case .breakLoop:
            if !loops.isEmpty { loops[loops.count - 1].breaks.append(emitJump(.jump)) }
        case .continueLoop:
            if !loops.isEmpty { loops[loops.count - 1].continues.append(emitJump(.jump)) }
        case .returnValue(let result):
            let register: Int
            if let result {
                register = value(result)
            } else {
                register = takeTemporary()
                emit(.constant, register, constant(value: .none))
            }
            origin = id
            emit(.result, 0, taking: register)
        case .block(let statements): for item in tree[statements] { statement(item.expression) }
        case .conditional(let branches, let otherwise): conditionalStatement(tree[branches], otherwise: otherwise)
        case .invalid: break
        default: compile(id, to: takeTemporary())
        }
    }

    private func conditionalStatement(_ branches: ArraySlice<Branch>, otherwise: ExpressionID?) {
        var ends: [Jump] = []
        var common: Set<Int>?
        for (position, item) in branches.enumerated() {
            let skip = branch(unless: item.condition)
            let before = assigned
            statement(item.body)
            common = common?.intersection(assigned) ?? assigned
            assigned = before
            if position < branches.count - 1 || otherwise != nil { ends.append(emitJump(.jump)) }
            patch(skip)
        }
        if let otherwise {
            statement(otherwise)
            assigned = common?.intersection(assigned) ?? assigned
        }
        patch(ends)
    }

    // MARK: Assignment

    private func assign(_ target: ExpressionID, _ value: ExpressionID, origin id: ExpressionID) {
        guard case .name = tree[target] else {
            updatePath(target, nil, self.value(value, before: target), origin: id)
            return
        }
        switch variable(target) {
        case .register(let register):
            if !extend(.register(register), by: value) {
                renewed = readsOnce(target, in: value) ? register : nil
                compile(value, to: register)
                renewed = nil
            }
            assigned.insert(register)
            noteField(target, register)
            if compiler.records { completed(id, register) }
        case .global(let slot):
            if extend(.global(slot), by: value) { return }
            let register = self.value(value)
            if compiler.records { completed(id, register) }
            origin = id
            emit(.storeGlobal, slot, taking: register)
        default: break
        }
    }

    /// Whether `value` reads the variable `target` once, and as an operand of arithmetic: then it is not needed any more once it has been read.
    private func readsOnce(_ target: ExpressionID, in value: ExpressionID) -> Bool {
        guard !compiler.records, let symbol = resolution.symbol(of: target) else { return false }
        func isOperand(_ id: ExpressionID, _ depth: Int) -> Bool {
            guard depth < 32, case .binary(_, let left, let right) = tree[id] else { return false }
            // A formula that can lose digits is looked at together with its variable.
            guard StableForm.losing(id, in: compiler.unit.formulas(in: compiler.scope), tree) == nil else { return false }
            return [left, right].contains { side in
                if case .name = tree[side] { resolution.symbol(of: side) == symbol } else { isOperand(side, depth + 1) }
            }
        }
        var reads = 0, left = 64
        func count(_ id: ExpressionID) {
            left -= 1
            guard left > 0 else { return }
            if case .name = tree[id], resolution.symbol(of: id) == symbol { reads += 1 }
            tree.forEachChild(of: id, count)
        }
        guard isOperand(value, 0) else { return false }
        count(value)
        return reads == 1 && left > 0
    }

    /// Where assigning to a name puts the value.
    private func variable(_ target: ExpressionID) -> Place { ownVariable(target) ?? resolve(target) }

    /// The same of a name that may be changed here; `nil` if it is a variable of the code around the function.
    private func ownVariable(_ id: ExpressionID) -> Place? {
        guard let symbol = resolution.symbol(of: id) else { return nil }
        if let register = local(symbol) { return .register(register) }
        guard isOutermost else { return nil }
        let slot = compiler.globalSlot(symbol)
        compiler.noteAssignment(toGlobal: slot)
        return .global(slot)
    }

    private func store(_ register: Int, in target: ExpressionID, origin id: ExpressionID) {
        guard case .name = tree[target] else {
            updatePath(target, nil, register, origin: id)
            return
        }
        if compiler.records { completed(target, register) }
        origin = id
        switch variable(target) {
        case .register(let local):
            emit(.move, local, taking: register)
            assigned.insert(local)
            noteField(target, local)
        case .global(let slot): emit(.storeGlobal, slot, taking: register)
        default: break
        }
    }

    private func unpack(_ targets: ArraySlice<ExpressionID>, _ value: ExpressionID, origin id: ExpressionID) {
        // a, b = b, a needs no list in between.
        if case .list(let elements) = tree[value], tree[elements].count == targets.count {
            let first = takeTemporaries(targets.count)
            for (offset, element) in tree[elements].enumerated() { compile(element, to: first + offset) }
            for (offset, target) in targets.enumerated() { store(first + offset, in: target, origin: id) }
            return
        }
        let source = self.value(value)
        let first = takeTemporaries(targets.count)
        origin = id
        emit(.unpack, first, source, targets.count)
        for (offset, target) in targets.enumerated() { store(first + offset, in: target, origin: id) }
    }

    private func update(_ operation: BinaryOperator, _ target: ExpressionID, _ value: ExpressionID, origin id: ExpressionID) {
        guard case .name(let name) = tree[target] else {
            updatePath(target, operation, self.value(value, before: target), origin: id)
            return
        }
        guard let place = ownVariable(target) else {
            compiler.report(.notOwnVariable(tree[name], tree.span(of: target)))
            return
        }
        if case .register(let register) = place { checkAssigned(register) }
        let constant = numberConstant(value)
        func emitOperation(_ result: Int, _ left: Int) {
            if let constant, let opcode = operation.opcodeWithConstant {
                origin = id
                emit(opcode, result, left, constant)
            } else {
                let right = self.value(value)
                origin = id
                emit(operation.opcode, result, taking: left, right)
            }
        }
        switch place {
        case .register(let register):
            if compiler.records { completed(target, register) }
            emitOperation(register, register)
            noteField(target, register)
            if compiler.records { completed(id, register) }
        case .global(let slot) where operation == .add && constant == nil && !compiler.records && !compiler.changesVariables(value):
            emit(.checkGlobal, slot)
            let right = self.value(value)
            origin = id
            emit(.addGlobal, slot, taking: right)
        case .global(let slot):
            let left = takeTemporary()
            emit(.loadGlobal, left, slot)
            if compiler.records { completed(target, left) }
            emitOperation(left, left)
            if compiler.records { completed(id, left) }
            emit(.storeGlobal, slot, taking: left)
        default: break
        }
    }

    /// `x[i].name = value` and its `+=` forms: collects the path from the variable outward.
    private func updatePath(_ target: ExpressionID, _ operation: BinaryOperator?, _ value: Int, origin id: ExpressionID) {
        var path: [PathUpdate.Step] = []
        var current = target
        while true {
            switch tree[current] {
            case .field(let base, let name):
                path.append(.field(tree[name]))
                current = base
                continue
            case .index(let base, let items):
                path.append(.index(indexOperands(tree[items], isSafe: !compiler.changesVariables(target))))
                current = base
                continue
            default: break
            }
            break
        }
        guard case .name(let name) = tree[current] else { return }
        let root: PathUpdate.Root
        switch ownVariable(current) {
        case .register(let register):
            checkAssigned(register)
            root = .register(register)
        case .global(let slot): root = .global(slot)
        default:
            compiler.report(.notOwnVariable(tree[name], tree.span(of: current)))
            return
        }
        if compiler.records { completed(id, value) }
        origin = id
        emitUpdate(PathUpdate(root: root, path: path.reversed(), operation: operation, value: value, takesValue: isTemporary(value)))
        if case .register(let register) = root { noteField(current, register) }
    }

    /// One step is an instruction of its own, unless there are too many to tell them apart.
    private func emitUpdate(_ update: PathUpdate) {
        let index = prototype.updates.count
        prototype.updates.append(update)
        let (root, isGlobal) =
            switch update.root {
            case .register(let register): (register, false)
            case .global(let slot): (slot, true)
            }
        func emitChange(_ opcode: Opcode, _ b: Int) {
            let instruction = update.takesValue ? emit(opcode, root, b, taking: update.value) : emit(opcode, root, b, update.value)
            setUpdate(instruction, index, update.operation, isGlobal: isGlobal)
        }
        if update.path.count == 1, index < Instruction.updateLimit, !compiler.records {
            switch update.path[0] {
            case .field(let name): return emitChange(.changeField, field(name))
            case .index(let items) where items.count == 1:
                if case .value(let key) = items[0] { return emitChange(.changeElement, key) }
            case .index(let items) where items.count == 2:
                if case .value(let first) = items[0], case .value(let second) = items[1], let pair = Instruction.pack(first, second) {
                    return emitChange(.changeElementTwo, pair)
                }
            default: break
            }
        }
        emit(.update, index)
    }

    private func unset(_ id: ExpressionID) {
        switch ownVariable(id) {
        case .register(let register):
            emit(.clear, register)
            assigned.remove(register)
            clearOnEntryUnlessAssigned(register)
        case .global(let slot): emit(.unsetGlobal, slot)
        default: compiler.report(.notOwnVariable(tree.source.text(tree.operatorSpan(of: id)), tree.operatorSpan(of: id)))
        }
    }

    // MARK: Loops

    /// Prepares R[state] … state + 3 for `next`. A call of the function that counts in loops does not make its array.
    func iterable(_ id: ExpressionID, to state: Int) {
        if case .call(let callee, let arguments) = tree[id], case .name(let name) = tree[callee],
            let function = compiler.scope.builtin(named: tree[name]), function.isRange,
            case .global(let slot) = resolve(callee), (1...3).contains(tree[arguments].count),
            tree[arguments].allSatisfy({ $0.name == nil })
        {
            origin = callee
            emit(.loadGlobal, state, slot)
            for (offset, argument) in tree[arguments].enumerated() { compile(argument.value, to: state + 1 + offset) }
            origin = id
            emit(.iterateRange, state, tree[arguments].count)
        } else {
            compile(id, to: state)
            origin = id
            emit(.iterate, state)
        }
    }

    /// The loop over the iteration at R[state]: `body` runs with each element in the variables. The jump back fetches the next element,
    /// so a round costs one jump.
    func iterate(_ variables: [Int], _ state: Int, origin id: ExpressionID, body: () -> [Jump]) {
        origin = id
        let element = variables.count == 1 ? variables[0] : takeTemporary()
        let entry = emitJump(.jump)
        let start = position
        if variables.count != 1 {
            let first = takeTemporaries(variables.count)
            emit(.unpack, first, element, variables.count)
            for (offset, variable) in variables.enumerated() { emit(.move, variable, taking: first + offset) }
            release(to: element + 1)
        }
        let continues = body()
        patch(continues)
        patch(entry)
        origin = id
        emit(.next, start, element, state)
    }

    private func forLoop(_ node: LoopNode, origin id: ExpressionID) {
        let state = takeTemporaries(4)
        iterable(node.iterable, to: state)
        let before = assigned
        // At the outermost level the variables are globals: fetched into temporaries, then stored.
        var registers: [Int] = []
        var globals: [(slot: Int, register: Int)] = []
        for symbol in resolution.symbols(of: node.variables) {
            if let register = local(symbol) {
                registers.append(register)
            } else {
                let slot = compiler.globalSlot(symbol)
                compiler.noteAssignment(toGlobal: slot)
                let register = takeTemporary()
                globals.append((slot, register))
                registers.append(register)
            }
        }
        var breaks: [Jump] = []
        iterate(registers, state, origin: id) {
            for global in globals { emit(.storeGlobal, global.slot, taking: global.register) }
            assigned.formUnion(registers.filter { $0 < localCount })
            loops.append(Loop())
            statement(node.body)
            let loop = loops.removeLast()
            breaks = loop.breaks
            return loop.continues
        }
        patch(breaks)
        assigned = before
    }

    private func whileLoop(_ condition: ExpressionID, _ body: ExpressionID, origin id: ExpressionID) {
        // The condition stands at the end, so that a round costs one jump, which looks for interrupts if it compares.
        let entry = emitJump(.jump)
        let start = position
        let before = assigned
        loops.append(Loop())
        statement(body)
        let loop = loops.removeLast()
        patch(loop.continues)
        patch(entry)
        assigned = before
        origin = id
        let looks = endsInComparison(condition)
        if !looks { emit(.checkInterrupt) }
        for jump in branch(condition, if: true) {
            patch(jump, to: start)
            if looks { setExtra(jump.instruction, 3) }
        }
        patch(loop.breaks)
    }
}

extension Expression {
    /// Has no value of its own, so that nothing is shown.
    package var isStatement: Bool {
        switch self {
        case .assign, .unpack, .update, .define, .unset, .forLoop, .whileLoop, .breakLoop, .continueLoop, .returnValue, .invalid: true
        default: false
        }
    }
}
