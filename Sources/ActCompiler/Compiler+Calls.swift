// Calls and indices: arguments are laid out in the registers that become the callee's.

import ActArray
import ActSyntax

extension FunctionBuilder {
    func call(_ id: ExpressionID, _ callee: ExpressionID, _ arguments: Run<Argument>, to target: Int) {
        let arguments = tree[arguments]
        var shape = CallShape()
        let base: Int
        var positional = 0
        if case .field(let object, let name) = tree[callee] {
            base = takeTemporaries(2 + arguments.count)
            compile(object, to: base + 1)
            origin = callee
            loadIfAny(callee, to: base)
            shape.method = tree[name]
            positional = 1
        } else if arguments.count == 1, let argument = arguments.first, argument.name == nil, takesExpression(callee) {
            let base = takeTemporaries(2)
            compile(callee, to: base)
            emitFunction(for: argument.value, to: base + 1)
            origin = id
            emitCall(target, base, 1)
            return
        } else if let slot = globalCallee(callee, arguments), arguments.contains(where: { $0.name != nil }) {
            base = takeTemporaries(1 + arguments.count)
            shape.global = slot
        } else if let slot = globalCallee(callee, arguments) {
            // The commonest call.
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

    /// The slot of a callee that need not be in a register: a global variable that the arguments do not change.
    private func globalCallee(_ callee: ExpressionID, _ arguments: ArraySlice<Argument>) -> Int? {
        guard !compiler.records, case .name = tree[callee], case .global(let slot) = resolve(callee), slot <= Int(UInt16.max),
            !arguments.contains(where: { compiler.changesVariables($0.value) })
        else { return nil }
        return slot
    }

    /// Calls R[base]. In a recording every call of a function goes through `Machine.call`.
    func emitCall(_ target: Int, _ base: Int, _ count: Int) {
        if compiler.records {
            setExtra(emit(.callShaped, target, base, count), CallShape())
        } else {
            emit(.call, target, base, count)
        }
    }

    /// Whether a callee is a built-in that is given its argument as an expression, not as a value.
    func takesExpression(_ callee: ExpressionID) -> Bool {
        guard case .name(let name) = tree[callee], case .global = resolve(callee) else { return false }
        if let function = compiler.scope.function(named: tree[name]) { return function.takesExpression }
        return false
    }

    /// `xs = concat((xs, ys))`, `xs = append(xs, y)`: a loop of it costs the same for each step, however long `xs` is.
    /// - Returns: Whether `value` is such a call for the variable at a place.
    func extend(_ place: Place, by value: ExpressionID) -> Bool {
        guard !compiler.records, case .call(let callee, let arguments) = tree[value], case .name(let name) = tree[callee],
            case .global(let slot) = resolve(callee), slot <= Int(UInt16.max), let function = compiler.scope.function(named: tree[name]),
            let growth = function.growth, let (first, second) = parts(of: growth, arguments), case .name = tree[first], !compiler.changesVariables(value)
        else { return false }
        let (opcode, target): (Opcode, Int)
        switch (place, resolve(first)) {
        case (.register(let register), .register(let other)) where register == other && assigned.contains(register): (opcode, target) = (.extend, register)
        case (.global(let slot), .global(let other)) where slot == other: (opcode, target) = (.extendGlobal, slot)
        default: return false
        }
        let level = top
        defer { release(to: level) }
        var kind = Extension.value, addition = second
        switch (growth, tree[second]) {
        case (.append, _): kind = .element
        case (.concatenation, .list(let elements)):
            if tree[elements].count == 1, let only = tree[elements].first { (kind, addition) = (.listOfValue, only) }
        case (.concatenation, .array(let elements)):
            if tree[elements].count == 1, let only = tree[elements].first { (kind, addition) = (.arrayOfValue, only) }
        case (.concatenation, _): break
        }
        if case .global(let slot) = place {
            origin = first
            emit(.checkGlobal, slot)
        }
        let operand = self.value(addition)
        origin = value
        emit(opcode, target, taking: operand, constant: kind.rawValue)
        setExtra(position - 1, slot)
        return true
    }

    /// What grows and by what, in the arguments of such a call.
    private func parts(of growth: Growth, _ arguments: Run<Argument>) -> (first: ExpressionID, second: ExpressionID)? {
        let given = tree[arguments]
        guard let first = given.first, let last = given.last, first.name == nil, last.name == nil else { return nil }
        switch growth {
        case .append: return given.count == 2 ? (first.value, last.value) : nil
        case .concatenation:
            guard given.count == 1, case .list(let list) = tree[first.value], tree[list].count == 2, let former = tree[list].first, let latter = tree[list].last
            else { return nil }
            return (former, latter)
        }
    }

    /// As `load`, but undefined where there is nothing of that name.
    private func loadIfAny(_ callee: ExpressionID, to target: Int) {
        switch resolve(callee) {
        case .register(let register) where assigned.contains(register): emit(.move, target, register)
        case .register: emit(.clear, target)
        case .global(let slot): emit(.loadGlobalOrNone, target, slot)
        default: load(callee, to: target)
        }
    }

    func index(_ id: ExpressionID, _ base: ExpressionID, _ items: Run<IndexItem>, to target: Int) {
        let items = tree[items]
        if items.count == 1, let item = items.first, case .value(let key) = item.kind {
            if !compiler.records, case .name = tree[base], case .global(let slot) = resolve(base), !compiler.changesVariables(key) {
                // The value need not be held by a register too.
                origin = base
                emit(.checkGlobal, slot)
                let keyRegister = value(key)
                origin = id
                emit(.indexGlobal, target, slot, keyRegister)
                return
            }
            let register = value(base, before: key)
            let keyRegister = value(key)
            origin = id
            emit(.index, target, register, keyRegister)
            return
        }
        let isSafe = !compiler.changesVariables(id)
        let register = isSafe ? value(base) : takeTemporary()
        if !isSafe { compile(base, to: register) }
        let operands = indexOperands(items, isSafe: isSafe)
        origin = id
        if operands.count == 2, case .value(let first) = operands[0], case .value(let second) = operands[1], let pair = Instruction.pack(first, second) {
            emit(.indexTwo, target, register, pair)
            return
        }
        prototype.indexItems.append(operands)
        emit(.indexItems, target, register, prototype.indexItems.count - 1)
    }

    /// - Parameter isSafe: Whether nothing that is computed before they are used changes a variable.
    func indexOperands(_ items: ArraySlice<IndexItem>, isSafe: Bool) -> [IndexOperand] {
        func register(_ id: ExpressionID) -> Int {
            if isSafe { return value(id) }
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
