// Walking the tree.

extension SyntaxTree {
    /// Calls `body` with every expression directly inside `id`, in source order; of functions and comprehensions too.
    package func forEachChild(of id: ExpressionID, _ body: (ExpressionID) -> Void) {
        switch self[id] {
        case .number, .string, .bool, .none, .name, .breakLoop, .continueLoop, .unset, .invalid: break
        case .interpolation(let parts):
            for part in self[parts] {
                if case .value(let value, _) = part { body(value) }
            }
        case .array(let elements), .list(let elements): self[elements].forEach(body)
        case .record(let fields): for field in self[fields] { body(field.value) }
        case .comprehension(let id):
            let node = self[id]
            body(node.iterable)
            if let condition = node.condition { body(condition) }
            body(node.element)
        case .unary(_, let operand), .prime(let operand, _), .field(let operand, _): body(operand)
        case .binary(_, let left, let right), .and(let left, let right), .or(let left, let right), .pipe(let left, let right),
            .compose(let left, let right), .whileLoop(let left, let right), .assign(let left, let right), .update(_, let left, let right):
            body(left)
            body(right)
        case .comparison(let first, let links):
            body(first)
            for link in self[links] { body(link.operand) }
        case .call(let callee, let arguments):
            body(callee)
            for argument in self[arguments] { body(argument.value) }
        case .index(let base, let items):
            body(base)
            for item in self[items] {
                switch item.kind {
                case .value(let value): body(value)
                case .slice(let lower, let upper, let step):
                    for bound in [lower, upper, step] { if let bound { body(bound) } }
                case .ellipsis: break
                }
            }
        case .function(let id), .define(let id):
            let node = self[id]
            for parameter in self[node.parameters] { if let value = parameter.defaultValue { body(value) } }
            body(node.body)
        case .block(let statements): for statement in self[statements] { body(statement.expression) }
        case .conditional(let branches, let otherwise):
            for branch in self[branches] {
                body(branch.condition)
                body(branch.body)
            }
            if let otherwise { body(otherwise) }
        case .forLoop(let id):
            let node = self[id]
            body(node.iterable)
            body(node.body)
        case .returnValue(let value): if let value { body(value) }
        case .unpack(let targets, let value):
            self[targets].forEach(body)
            body(value)
        }
    }

    /// Whether `id` is an index with a new axis, as in `x[:, none]`.
    package func addsAxis(_ id: ExpressionID) -> Bool {
        guard case .index(_, let items) = self[id] else { return false }
        return self[items].contains { item in
            if case .value(let value) = item.kind, case .none = self[value] { return true }
            return false
        }
    }

    /// Whether an expression sets a part of a variable.
    package func isUpdate(_ id: ExpressionID) -> Bool {
        switch self[id] {
        case .assign, .update: true
        default: false
        }
    }

    /// The variable that an assignment's target starts at.
    package func root(of target: ExpressionID) -> ExpressionID {
        var root = target
        while true {
            switch self[root] {
            case .index(let base, _), .field(let base, _): root = base
            default: return root
            }
        }
    }
}
