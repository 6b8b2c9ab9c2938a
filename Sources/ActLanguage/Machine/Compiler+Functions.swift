// Function definitions and literals.

import ActSyntax

extension FunctionBuilder {
    func define(_ id: FunctionID, origin expression: ExpressionID) {
        guard let name = tree[id].name else { return }
        origin = expression
        if let register = local(name) {
            emitFunction(id, ownName: name, to: register)
            assigned.insert(register)
        } else {
            let slot = compiler.globalSlot(name)
            compiler.noteAssignment(toGlobal: slot)
            let register = takeTemporary()
            emitFunction(id, ownName: nil, to: register)
            emit(.storeGlobal, slot, taking: register)
        }
    }

    func makeFunction(_ id: ExpressionID, _ function: FunctionID, to target: Int) {
        origin = id
        emitFunction(function, ownName: nil, to: target)
    }

    private func emitFunction(_ id: FunctionID, ownName: NameID?, to target: Int) { emitFunction(tree[id], ownName: ownName, to: target) }

    /// A function without parameters whose value is that of the expression: for built-ins that do more with it than take its value.
    func emitFunction(for id: ExpressionID, to target: Int) {
        emitFunction(tree.function(computing: id), ownName: nil, to: target)
        code.functions.last?.code.isArgument = true
    }

    private func emitFunction(_ node: FunctionNode, ownName: NameID?, to target: Int) {
        let parameters = tree[node.parameters]
        let text = tree.source.text(node.span)
        let code = Code(
            name: node.name.map { tree[$0] } ?? (text.utf8.count <= 40 && !text.contains("\n") ? text : "function literal"),
            parameters: parameters.map { Parameter(name: tree[$0.name], fallback: $0.defaultValue.map { tree.text(of: $0) }) },
            requiredCount: parameters.prefix { $0.defaultValue == nil }.count,
            unit: compiler.unit, module: compiler.module, isClosure: true)
        code.text = text
        code.isLiteral = node.name == nil
        let builder = FunctionBuilder(compiler, code: code, parent: self)
        builder.ownName = ownName
        builder.compileBody(node)
        code.definition = Code.Definition(node: node, ownName: ownName, captures: builder.captureNames)
        for case .register(let register) in builder.captureSources { clearOnEntryUnlessAssigned(register) }
        self.code.functions.append(FunctionTemplate(code: builder.finish(), captures: builder.captureSources))
        emit(.makeFunction, target, self.code.functions.count - 1)
    }

    func compileBody(_ node: FunctionNode) {
        for parameter in tree[node.parameters] { assigned.insert(declare(parameter.name)) }
        let defaults = tree[node.parameters].compactMap(\.defaultValue)
        for name in tree.namesAssigned(in: defaults + [node.body]) where local(name) == nil { declare(name) }
        origin = node.body
        for parameter in tree[node.parameters] {
            guard let fallback = parameter.defaultValue, let register = local(parameter.name) else { continue }
            origin = fallback
            let given = emitJump(.jumpIfDefined, register)
            compile(fallback, to: register)
            patch(given)
        }
        returning(node.body)
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
