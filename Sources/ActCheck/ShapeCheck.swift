// Shapes that cannot fit: runs a program with what is known of its values instead of the values, and tells of operations that fail whatever the rest is.
//
// What must stay true: only what certainly happens is told. What stands under a condition that is not known, or behind a way out that may be taken,
// is looked at for its values and not told of. Work is bounded: past the limit everything is unknown.

import ActArray
import ActBuiltins
import ActCompiler
import ActMachine
import ActNetwork
import ActSyntax
import ActWording

struct ShapeCheck {
    let tree: SyntaxTree
    let resolution: Resolution
    let builtins: BuiltinTable
    let machine: Machine
    /// `nil` where files are not looked at.
    let imports: ImportedFiles?
    var found = FoundDiagnostics()

    var values: BySymbol<ShapeValue>
    var told: Set<ExpressionID> = []
    /// How many conditions around are not known.
    var doubts = 0
    /// Whether what comes next in a function, or a turn of a loop, may not be come to; and whether it is not.
    var mayHaveLeft = false, hasLeft = false
    var returned: [ShapeValue] = []
    var steps = 0, calls = 0, loops = 0, unknowns = 0
    /// By symbol: how often the program gives it a value, and functions that are called.
    var definitionCount: BySymbol<Int>
    var isSet: BySymbol<Bool>
    var called: Set<FunctionID> = []
    /// Of the function that is being run.
    var scope: ScopeID?
    /// Whether the program has been run, and what is left are functions that it does not call.
    var isOver = false

    static let mostSteps = 400_000
    static let mostCalls = 12
    static let mostBranches = 200
    static let mostFields = 500
    static let mostLayers = 1_000
    static let mostParts = 1_000
    static let mostDepth = 2_000

    private init(_ unit: SourceUnit, _ builtins: BuiltinTable, _ machine: Machine, _ imports: ImportedFiles?) {
        (tree, resolution) = (unit.tree, unit.resolution)
        (self.builtins, self.machine, self.imports) = (builtins, machine, imports)
        let count = unit.resolution.symbols.count
        (values, definitionCount, isSet) = (BySymbol(count), BySymbol(count), BySymbol(count))
    }

    /// What is known when all of a program has been looked at; `nil` for one that is too deep. What was found is in the order in which it was met.
    static func of(_ unit: SourceUnit, _ builtins: BuiltinTable, _ machine: Machine, _ imports: ImportedFiles?) -> ShapeCheck? {
        guard unit.tree.depth < mostDepth else { return nil }
        var check = ShapeCheck(unit, builtins, machine, imports)
        check.run()
        return check
    }

    mutating func run() {
        for definition in resolution.definitions {
            definitionCount[definition.symbol] = (definitionCount[definition.symbol] ?? 0) + 1
            if definition.isWhole { isSet[definition.symbol] = true }
        }
        for statement in tree[tree.program] {
            if hasLeft { break }
            _ = value(statement.expression)
        }
        // Functions that nobody here calls see what is set once.
        (hasLeft, mayHaveLeft, doubts, isOver) = (false, false, 0, true)
        for index in resolution.symbols.indices {
            let symbol = SymbolID(index: UInt32(truncatingIfNeeded: index))
            if resolution[symbol].kind != .global || definitionCount[symbol] != 1 { values[symbol] = nil }
        }
        for id in tree.expressionIDs {
            let function: FunctionID
            switch tree[id] {
            case .function(let id), .define(let id): function = id
            default: continue
            }
            guard !called.contains(function) else { continue }
            let own = resolution.scope(of: function)
            bind(function, nil)
            scope = own
            (hasLeft, mayHaveLeft, returned) = (false, false, [])
            _ = value(tree[function].body)
            for symbol in resolution[own].symbolIDs { values[symbol] = nil }
        }
    }

    // MARK: Telling

    var isCertain: Bool { doubts == 0 && !mayHaveLeft && !hasLeft && steps < Self.mostSteps }

    mutating func tell(_ fault: Error, at id: ExpressionID, _ operands: [ExpressionID]) {
        guard isCertain, told.insert(id).inserted else { return }
        func text(_ shape: [Size?]) -> String {
            let sizes = shape.map { $0?.number.map(String.init) ?? "?" }
            return sizes.count == 1 ? "(\(sizes[0]),)" : "(\(sizes.joined(separator: ", ")))"
        }
        var labels = [Diagnostic.Label(tree.operatorSpan(of: id), "", isPrimary: true)]
        func show(_ shapes: [[Size?]]) {
            for (operand, shape) in zip(operands, shapes) { labels.append(Diagnostic.Label(tree.span(of: operand), text(shape))) }
        }
        var diagnostic: Diagnostic
        switch fault as? ShapeFault {
        case .doNotBroadcast(let a, let b, let axis, let m, let n)?:
            show([a, b])
            diagnostic = Diagnostic(
                .shapesDiffer, "shapes \(text(a)) and \(text(b)) do not fit\(operation(id))",
                help: "along axis \(axis) they have \(m) and \(n) elements; sizes must be equal, or one of them 1")
        case .doNotMultiply(let a, let b)?:
            show([a, b])
            let axis = b.count == 1 ? "the only axis" : "the second-last"
            diagnostic = Diagnostic(
                .shapesDiffer, "shapes \(text(a)) and \(text(b)) do not fit\(operation(id))",
                help: "the last axis on the left must equal \(axis) on the right")
        case .other(let error)?:
            diagnostic = RuntimeWording(machine, builtins.table, about: error, at: (tree, id)).diagnostic(for: error, nil)
            labels = diagnostic.labels
        case nil: return
        }
        diagnostic.labels = labels
        found.add(diagnostic)
    }

    func operation(_ id: ExpressionID) -> String {
        switch tree[id] {
        case .binary(let operation, _, _), .update(let operation, _, _): " for \(operation.symbol)"
        case .call(let callee, _), .pipe(_, let callee):
            switch tree[callee] {
            case .name(let name), .field(_, let name): " for \(tree[name])"
            default: ""
            }
        case .comparison(_, let links): tree[links].first.map { " for \($0.comparison.symbol)" } ?? ""
        default: ""
        }
    }

    /// What an operation gives, or unknown after telling why it cannot.
    mutating func result(at id: ExpressionID, _ operands: [ExpressionID] = [], _ body: () throws -> ShapeValue) -> ShapeValue {
        do { return try body() } catch {
            tell(error, at: id, operands)
            return .unknown
        }
    }

    // MARK: Expressions

    mutating func value(_ id: ExpressionID) -> ShapeValue {
        steps += 1
        guard steps < Self.mostSteps else { return .unknown }
        switch tree[id] {
        case .number(let number): return .number(number)
        case .bool(let bool): return .number(bool ? 1 : 0)
        case .string(let text): return .text(tree[text])
        case .none: return .none
        case .name:
            guard let symbol = resolution.symbol(of: id) else { return .unknown }
            if values[symbol] == nil, let error = missing(symbol) { tell(ShapeFault.other(error), at: id, []) }
            return value(symbol)
        case .array(let elements):
            let values = tree[elements].map { value($0) }
            return result(at: id, []) { try ShapeValue.array(values) }
        case .list(let elements): return bounded(.list(tree[elements].map { value($0) }))
        case .unary(let operation, let operand):
            let value = value(operand)
            if operation == .negate, let number = value.number { return .number(-number) }
            if operation == .not, let number = value.number { return .number(number == 0 ? 1 : 0) }
            return elementwise(value)
        case .binary(let operation, let left, let right):
            let (a, b) = (value(left), value(right))
            return result(at: id, [left, right]) { try Self.binary(operation, a, b) }
        case .comparison(let first, let links): return comparison(id, first, links)
        case .and(let left, let right), .or(let left, let right): return logical(id, left, right)
        case .pipe(let argument, let callee):
            let argument = value(argument)
            return call(value(callee), [(nil, argument)], at: id, [callee])
        case .compose(let first, let second):
            let (a, b) = (value(first), value(second))
            let joined = Result { try composed(a, b) }
            return result(at: id, [first, second]) { try joined.get() }
        case .call(let callee, let arguments): return call(id, callee, Array(tree[arguments]))
        case .index(let base, let items): return indexed(id, value(base), Array(tree[items]))
        case .field(let base, let name):
            let base = value(base), name = tree[name]
            return result(at: id) { try Self.attribute(name, of: base) }
        case .prime(let base, _):
            if case .array(let shape) = value(base) { return .array(shape.reversed()) }
            return .unknown
        case .function(let function): return .function(function)
        case .comprehension(let comprehension): return collected(comprehension)
        case .block(let statements): return block(tree[statements])
        case .conditional(let branches, let otherwise): return conditional(tree[branches], otherwise)
        case .interpolation:
            tree.forEachChild(of: id) { _ = value($0) }
            return .text(nil)
        case .record(let fields): return record(Array(tree[fields]))
        case .forLoop, .whileLoop, .breakLoop, .continueLoop, .returnValue, .assign, .unpack, .update, .define, .unset:
            run(id)
            return .none
        case .invalid: return .unknown
        }
    }

    /// The value, if its parts are few enough to be looked through again and again.
    mutating func bounded(_ value: ShapeValue) -> ShapeValue {
        var rest = Self.mostParts
        let isFew = value.holdsFewer(&rest)
        steps += (Self.mostParts - max(0, rest)) / 16
        return isFew ? value : .unknown
    }

    private mutating func logical(_ id: ExpressionID, _ left: ExpressionID, _ right: ExpressionID) -> ShapeValue {
        let first = value(left)
        doubts += 1
        let second = value(right)
        doubts -= 1
        guard let a = first.number, let b = second.number else { return .unknown }
        if case .and = tree[id] { return .number(a != 0 && b != 0 ? 1 : 0) }
        return .number(a != 0 || b != 0 ? 1 : 0)
    }

    private mutating func block(_ statements: ArraySlice<Statement>) -> ShapeValue {
        var last = ShapeValue.none
        for statement in statements {
            if hasLeft { break }
            last = value(statement.expression)
        }
        return last
    }

    /// A statement that has no value.
    private mutating func run(_ id: ExpressionID) {
        switch tree[id] {
        case .forLoop(let loop):
            let node = tree[loop], iterable = value(node.iterable)
            if case .list(let elements) = iterable, elements.isEmpty { return }
            if case .array(let shape) = iterable, shape.first == Size(0) { return }
            let element = Self.element(of: iterable), variables = Array(resolution.symbols(of: node.variables))
            runLoop(id, isEntered: true) { check in
                for variable in variables { check.values[variable] = variables.count == 1 ? element : .unknown }
                _ = check.value(node.body)
            }
        case .whileLoop(let condition, let body):
            let isEntered = value(condition).number.map { $0 != 0 }
            if isEntered == false { return }
            runLoop(id, isEntered: isEntered == true) { check in _ = check.value(body) }
        case .breakLoop, .continueLoop:
            leave()
        case .returnValue(let expression):
            let result = expression.map { value($0) } ?? .none
            returned.append(result)
            leave()
        case .assign(let target, let expression):
            assign(target, value(expression))
        case .unpack(let targets, let expression):
            let value = value(expression), targets = Array(tree[targets])
            for (index, target) in targets.enumerated() {
                if case .list(let elements) = value, elements.count == targets.count { assign(target, elements[index]) } else { assign(target, .unknown) }
            }
        case .update(let operation, let target, let expression):
            let (a, b) = (value(target), value(expression))
            let sum = result(at: id, [target, expression]) { try Self.binary(operation, a, b) }
            assign(target, sum)
        case .unset:
            if let symbol = resolution.symbol(of: id) { values[symbol] = .unknown }
        case .define(let function):
            if let symbol = resolution.symbol(of: id) { values[symbol] = tree[function].makesLayers ? .unknown : .function(function) }
        default: break
        }
    }

    mutating func leave() {
        if doubts == 0, !mayHaveLeft { hasLeft = true } else { mayHaveLeft = true }
    }

    func value(_ symbol: SymbolID) -> ShapeValue {
        if let value = values[symbol] { return value }
        guard resolution[symbol].kind == .global, definitionCount[symbol] == nil else { return .unknown }
        switch builtins.value(named: tree[resolution[symbol].name]) {
        case .number(let number)?: return .number(number)
        case .function(let function)?: return function.builtinFunction.map { .builtin($0) } ?? .unknown
        default: return .unknown
        }
    }

    /// Why a variable that the program gives a value has none yet; `nil` if it may have one, or is none of the program's.
    func missing(_ symbol: SymbolID) -> RuntimeError? {
        let kind = resolution[symbol].kind, name = tree[resolution[symbol].name]
        if case .global = kind {
            // Functions that nobody calls are looked at when everything has its value.
            guard !isOver, isSet[symbol] == true, builtins.value(named: name) == nil, name != "ans", name != "args" else { return nil }
            return .unknownName(name)
        }
        guard case .local = kind, isSet[symbol] == true, resolution.function(around: resolution[symbol].scope) == scope,
            resolution.field(behind: symbol) == nil
        else { return nil }
        return .localWithoutValue
    }

    mutating func assign(_ target: ExpressionID, _ value: ShapeValue) {
        guard case .name = tree[target] else {
            guard let symbol = resolution.symbol(of: tree.root(of: target)) else { return }
            switch (tree[target], values[symbol]) {
            // An array keeps its shape.
            case (.index, .array?): break
            case (.field(let base, let name), .record(let fields)?) where tree.isName(base):
                values[symbol] = bounded(.record(fields.setting(tree[name], to: value)))
            default: values[symbol] = .unknown
            }
            return
        }
        guard let symbol = resolution.symbol(of: target) else { return }
        // A number that nobody knows is the same number wherever the variable is named.
        if case .number(nil) = value {
            unknowns += 1
            values[symbol] = .size(Size(unknown: unknowns))
        } else {
            values[symbol] = value
        }
    }
}

extension SyntaxTree {
    fileprivate func isName(_ id: ExpressionID) -> Bool { if case .name = self[id] { true } else { false } }
}

/// What is known of symbols, by their numbers: names are looked up all the time.
struct BySymbol<Value> {
    private var slots: [Value?]

    init(_ count: Int) { slots = Array(repeating: nil, count: count) }

    subscript(symbol: SymbolID) -> Value? {
        get { slots[Int(symbol.index)] }
        set { slots[Int(symbol.index)] = newValue }
    }
}
