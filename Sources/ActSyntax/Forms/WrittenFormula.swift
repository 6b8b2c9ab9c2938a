// Expressions as the formulas they stand for: variables replaced by what they were set to, calls of the program's functions by their
// bodies, `a |> f` and `a.f()` by `f(a)`. So a formula is recognised however the program spreads it over lines.
//
// What must stay true: nothing is run; whatever is not surely known (a parameter, a name that may have one of several values) stands for
// itself; formulas have some hundred parts at most, so that reading and comparing them takes no time and little stack.

/// A number, a name, or a function (operators included) of formulas.
final class WrittenFormula: Sendable {
    enum Head: Equatable, Sendable {
        case number(Double)
        /// A variable, or an expression that is nothing but itself here, by its text if that is short.
        case name(String)
        case other(ExpressionID)
        /// An operator by its sign, a built-in function by its first name.
        case apply(String)
    }

    let head: Head
    let arguments: [WrittenFormula]
    /// Where it stands; of a variable, the variable.
    let origin: ExpressionID
    /// The expression it was read from.
    private let source: ExpressionID
    let size: Int

    init(_ head: Head, _ arguments: [WrittenFormula] = [], origin: ExpressionID, source: ExpressionID? = nil) {
        self.head = head
        self.arguments = arguments
        self.origin = origin
        self.source = source ?? origin
        size = arguments.reduce(1) { $0 + $1.size }
    }

    /// The value of a variable, seen at the variable.
    func seen(at origin: ExpressionID) -> WrittenFormula { WrittenFormula(head, arguments, origin: origin, source: source) }

    func isEqual(_ other: WrittenFormula) -> Bool {
        self === other || head == other.head && size == other.size && zip(arguments, other.arguments).allSatisfy { $0.isEqual($1) }
    }

    func contains(_ id: ExpressionID) -> Bool { origin == id || source == id || arguments.contains { $0.contains(id) } }

    /// What the names of this pattern stand for if `formula` has its form; operands of + and * may stand in either order.
    func match(_ formula: WrittenFormula, _ known: [String: WrittenFormula] = [:]) -> [String: WrittenFormula]? {
        switch head {
        case .number: return head == formula.head ? known : nil
        case .other: return nil
        case .name(let name):
            guard let bound = known[name] else { return known.merging([name: formula]) { $1 } }
            return bound.isEqual(formula) ? known : nil
        case .apply(let function):
            guard formula.head == head, formula.arguments.count == arguments.count else { return nil }
            if let found = match(all: formula.arguments, known) { return found }
            return function == "+" || function == "*" ? match(all: formula.arguments.reversed(), known) : nil
        }
    }

    private func match(all others: [WrittenFormula], _ known: [String: WrittenFormula]) -> [String: WrittenFormula]? {
        var known = known
        for (pattern, other) in zip(arguments, others) {
            guard let found = pattern.match(other, known) else { return nil }
            known = found
        }
        return known
    }
}

/// Reads formulas from one tree.
package struct FormulaReader {
    let tree: SyntaxTree
    let index: FormulaIndex
    private let builtin: (String) -> String?

    private static let depthLimit = 60
    /// Those whose second argument is an axis.
    private static let reductions: Set<String> = ["sum", "max", "mean", "softmax", "log_softmax", "logsumexp"]

    /// The scope of the function whose body is read in the place of a call, and what its parameters stand for there.
    private struct Inlined {
        let scope: ScopeID
        let arguments: [NameID: WrittenFormula]
    }

    /// - Parameter builtin: The first name of the built-in function that a name means, if it means one.
    package init(tree: SyntaxTree, index: FormulaIndex, builtin: @escaping (String) -> String?) {
        (self.tree, self.index, self.builtin) = (tree, index, builtin)
    }

    /// - Parameter size: How many parts it may have; what is beyond stands for itself.
    func formula(_ id: ExpressionID, size: Int = 400) -> WrittenFormula {
        var left = size
        return read(id, nil, 0, &left)
    }

    private func read(_ id: ExpressionID, _ inlined: Inlined?, _ depth: Int, _ left: inout Int) -> WrittenFormula {
        left -= 1
        func opaque() -> WrittenFormula {
            let span = tree.span(of: id)
            return WrittenFormula(span.end - span.start <= 40 ? .name(tree.text(of: id)) : .other(id), origin: id)
        }
        func apply(_ name: String, _ arguments: [ExpressionID]) -> WrittenFormula {
            WrittenFormula(.apply(name), arguments.map { read($0, inlined, depth + 1, &left) }, origin: id)
        }
        guard depth < Self.depthLimit, left > 0 else { return opaque() }
        switch tree[id] {
        case .number(let number): return WrittenFormula(.number(number), origin: id)
        case .name(let name):
            switch index.meaning(of: id) {
            case .value(let value, let scope): return read(value, scope == inlined?.scope ? inlined : nil, depth + 1, &left).seen(at: id)
            case .parameter(let scope) where scope == inlined?.scope: return inlined?.arguments[name] ?? opaque()
            case .free, .function, .parameter, .unclear: return opaque()
            }
        case .unary(.negate, let operand):
            if case .number(let number) = tree[operand] { return WrittenFormula(.number(-number), origin: id) }
            return apply("neg", [operand])
        case .unary(.plus, let operand): return read(operand, inlined, depth + 1, &left)
        case .binary(.power, let base, let exponent):
            if case .name(let name) = tree[base], tree[name] == "e", case .free = index.meaning(of: base) { return apply("exp", [exponent]) }
            return apply("^", [base, exponent])
        case .binary(let operation, let first, let second): return apply(operation.symbol, [first, second])
        case .block(let statements):
            guard let last = tree[statements].last else { return opaque() }
            return read(last.expression, inlined, depth + 1, &left)
        case .pipe(let argument, let function): return call(id, function, [argument], inlined, depth, &left) ?? opaque()
        case .call(let callee, let arguments):
            var positional = tree[arguments].filter { $0.name == nil }.map(\.value)
            if case .field(let object, _) = tree[callee] { positional.insert(object, at: 0) }
            return call(id, callee, positional, inlined, depth, &left) ?? opaque()
        default: return opaque()
        }
    }

    private func call(
        _ id: ExpressionID, _ callee: ExpressionID, _ arguments: [ExpressionID], _ inlined: Inlined?, _ depth: Int, _ left: inout Int
    ) -> WrittenFormula? {
        let name: NameID
        switch tree[callee] {
        case .name(let called), .field(_, let called): name = called
        default: return nil
        }
        switch index.meaning(of: callee) {
        case .function(let function):
            let node = tree[function]
            let names = tree[node.parameters].map(\.name)
            guard arguments.count == names.count else { return nil }
            var inner: [NameID: WrittenFormula] = [:]
            for (name, argument) in zip(names, arguments) { inner[name] = read(argument, inlined, depth + 1, &left) }
            return read(node.body, Inlined(scope: index.scope(of: function), arguments: inner), depth + 1, &left)
        case .free:
            guard let function = builtin(tree[name]) else { return nil }
            let counted = Self.reductions.contains(function) ? arguments.prefix(1) : arguments[...]
            return WrittenFormula(.apply(function), counted.map { read($0, inlined, depth + 1, &left) }, origin: id)
        case .value, .parameter, .unclear: return nil
        }
    }
}
