// Function definitions and literals.

import ActRows
import ActSyntax

extension FunctionBuilder {
    func define(_ id: FunctionID, origin expression: ExpressionID) {
        guard let symbol = resolution.symbol(of: expression) else { return }
        origin = expression
        if let register = local(symbol) {
            emitFunction(id, ownName: symbol, to: register)
            assigned.insert(register)
            noteField(expression, register)
        } else {
            let slot = compiler.globalSlot(symbol)
            checkIsNoAssignment(id)
            compiler.noteAssignment(toGlobal: slot)
            let register = takeTemporary()
            emitFunction(id, ownName: nil, to: register)
            emit(.storeGlobal, slot, taking: register)
        }
    }

    /// `parameters(net) = p` defines a function, but one that hides a built-in and makes nothing of its argument, which is a variable of the
    /// program: that can only be meant as an assignment.
    private func checkIsNoAssignment(_ id: FunctionID) {
        let node = tree[id], scope = compiler.scope
        guard let name = node.name, !node.makesLayers, let first = tree[node.parameters].first,
            scope.builtin(named: tree[name])?.builtinName != nil
        else { return }
        compiler.looksBack = true
        guard scope.existingSlot(tree[first.name]) != nil,
            resolution.symbols(of: node.parameters).allSatisfy({ resolution.occurrences(of: $0, in: tree).count == 1 })
        else { return }
        compiler.report(.assignmentToCall(tree[name], of: tree[first.name], tree.text(of: node.body), node.nameSpan))
    }

    func makeFunction(_ id: ExpressionID, _ function: FunctionID, to target: Int) {
        origin = id
        emitFunction(function, ownName: nil, to: target)
    }

    private func emitFunction(_ id: FunctionID, ownName: SymbolID?, to target: Int) {
        emitFunction(tree[id], locals: resolution[resolution.scope(of: id)].symbolIDs, ownName: ownName, to: target)
    }

    /// A function without parameters whose value is that of the expression: for built-ins that do more with it than take its value.
    func emitFunction(for id: ExpressionID, to target: Int) {
        emitFunction(tree.function(computing: id), locals: resolution.symbolsAssigned(in: id, of: tree), ownName: nil, to: target)
        prototype.functions.last?.prototype.isArgument = true
    }

    /// - Parameters:
    ///   - locals: The parameters first.
    ///   - kept: What it captures whether it needs it or not.
    private func emitFunction(_ node: FunctionNode, locals: [SymbolID], keeping kept: [SymbolID] = [], ownName: SymbolID?, to target: Int) {
        let parameters = tree[node.parameters]
        let text = tree.source.text(node.span)
        let prototype = Prototype(
            name: node.name.map { tree[$0] } ?? (text.utf8.count <= 40 && !text.contains("\n") ? text : "function literal"),
            parameters: parameters.map { Parameter(name: tree[$0.name], fallback: $0.defaultValue.map { tree.text(of: $0) }) },
            requiredCount: parameters.prefix { $0.defaultValue == nil }.count,
            unit: compiler.unit, isClosure: true)
        prototype.text = text
        prototype.isLiteral = node.name == nil
        let builder = FunctionBuilder(compiler, prototype: prototype, parent: self)
        builder.ownName = ownName
        builder.compileBody(node, locals)
        prototype.neededCaptures = builder.captured.count
        for symbol in kept { _ = builder.capture(symbol) }
        prototype.makesLayers = node.makesLayers
        prototype.definition = Prototype.Definition(node: node, locals: locals, ownName: ownName, captures: builder.captured)
        for case .register(let register) in builder.captureSources { clearOnEntryUnlessAssigned(register) }
        self.prototype.functions.append(NestedFunction(prototype: builder.finish(), captures: builder.captureSources))
        emit(.makeFunction, target, self.prototype.functions.count - 1)
    }

    func compileBody(_ node: FunctionNode, _ locals: [SymbolID]) {
        let parameters = tree[node.parameters]
        for (position, symbol) in locals.enumerated() {
            let register = declare(symbol)
            if position < parameters.count { assigned.insert(register) }
        }
        origin = node.body
        for (register, parameter) in parameters.enumerated() {
            guard let fallback = parameter.defaultValue else { continue }
            origin = fallback
            let given = emitJump(.jumpIfDefined, register)
            compile(fallback, to: register)
            patch(given)
        }
        for symbol in locals {
            guard let field = resolution.field(behind: symbol), let register = local(symbol), let index = capture(field) else { continue }
            emit(.loadCapture, register, index)
            assigned.insert(register)
        }
        if node.makesLayers { returningLayer(node, locals) } else { returning(node.body) }
    }

    /// The value of the block of a layer: a function without parameters that gives the layer's function, and holds all that the block made.
    /// It is called again whenever the parameters have changed.
    private func returningLayer(_ node: FunctionNode, _ locals: [SymbolID]) {
        guard case .block(let statements) = tree[node.body] else { return }
        let level = top
        defer { release(to: level) }
        for item in tree[statements].dropLast() { statement(item.expression) }
        let last = tree[statements].last?.expression ?? node.body
        if tree[last].isNoFunction || tree[statements].isEmpty {
            compiler.report(.layerWithoutFunction(node.name.map { tree[$0] } ?? "", at: tree.span(of: last)))
        }
        let target = takeTemporary()
        origin = last
        emitFunction(tree.function(computing: last), locals: resolution.symbolsAssigned(in: last, of: tree), keeping: locals, ownName: nil, to: target)
        prototype.functions.last?.prototype.isLayerParts = true
        emit(.result, 0, taking: target)
    }

    /// Tells the running layer that a field of its has been assigned.
    func noteField(_ target: ExpressionID, _ register: Int) {
        guard let symbol = resolution.symbol(of: target), resolution.field(behind: symbol) != nil else { return }
        emit(.noteField, register, constant(tree[resolution[symbol].name]))
    }

    /// Compiles `id` where its value is the function's.
    private func returning(_ id: ExpressionID) {
        let level = top
        defer { release(to: level) }
        switch tree[id] {
        case .block(let statements):
            guard let last = tree[statements].last else { return returnNone(id) }
            for item in tree[statements].dropLast() { statement(item.expression) }
            returning(last.expression)
        case .conditional(let branches, let otherwise):
            for item in tree[branches] {
                let skip = branch(unless: item.condition)
                let before = assigned
                returning(item.body)
                assigned = before
                patch(skip)
            }
            if let otherwise { returning(otherwise) } else { returnNone(id) }
        default:
            let result = value(id)
            origin = id
            emit(.result, 0, taking: result)
        }
    }

    private func returnNone(_ id: ExpressionID) {
        let result = takeTemporary()
        origin = id
        emit(.constant, result, constant(value: .none))
        emit(.result, 0, taking: result)
    }
}

extension Expression {
    /// Can be seen to be no function.
    fileprivate var isNoFunction: Bool {
        switch self {
        case .number, .string, .interpolation, .bool, .none, .array, .list, .record, .comparison, .and, .or: true
        default: isStatement
        }
    }
}
