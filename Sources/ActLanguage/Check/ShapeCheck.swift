// Shapes that cannot fit: runs a program with what is known of its values instead of the values, and tells of operations that fail whatever the rest is.
//
// What must stay true: only what certainly happens is told. What stands under a condition that is not known, or behind a way out that may be taken,
// is looked at for its values and not told of. Work is bounded: past the limit everything is unknown.

import ActArray
import ActBuiltins
import ActMachine
import ActNetwork
import ActSyntax

struct ShapeCheck {
    private let tree: SyntaxTree
    private let resolution: Resolution
    private let builtins: BuiltinTable
    private let machine: Machine
    private(set) var diagnostics: [Diagnostic] = []

    private var values: [SymbolID: ShapeValue] = [:]
    private var told: Set<ExpressionID> = []
    /// How many conditions around are not known.
    private var doubts = 0
    /// Whether what comes next in a function, or a turn of a loop, may not be come to; and whether it is not.
    private var mayHaveLeft = false, hasLeft = false
    private var returned: [ShapeValue] = []
    private var steps = 0, calls = 0, loops = 0, unknowns = 0
    /// By symbol: how often the program gives it a value, and functions that are called.
    private var definitionCount: [SymbolID: Int] = [:]
    private var isSet: Set<SymbolID> = []
    private var called: Set<FunctionID> = []
    /// Of the function that is being run.
    private var scope: ScopeID?
    /// Whether the program has been run, and what is left are functions that it does not call.
    private var isOver = false

    private static let mostSteps = 400_000
    private static let mostCalls = 12
    private static let mostDepth = 2_000

    init(_ unit: SourceUnit, _ builtins: BuiltinTable, _ machine: Machine) {
        (tree, resolution) = (unit.tree, unit.resolution)
        (self.builtins, self.machine) = (builtins, machine)
    }

    /// In the order in which they are met.
    static func diagnostics(_ unit: SourceUnit, _ builtins: BuiltinTable, _ machine: Machine) -> [Diagnostic] {
        guard unit.tree.depth < mostDepth else { return [] }
        var check = ShapeCheck(unit, builtins, machine)
        check.run()
        return check.diagnostics
    }

    private mutating func run() {
        for definition in resolution.definitions {
            definitionCount[definition.symbol, default: 0] += 1
            if definition.isWhole { isSet.insert(definition.symbol) }
        }
        for statement in tree[tree.program] {
            if hasLeft { break }
            _ = value(statement.expression)
        }
        // Functions that nobody here calls see what is set once.
        (hasLeft, mayHaveLeft, doubts, isOver) = (false, false, 0, true)
        values = values.filter { resolution[$0.key].kind == .global && definitionCount[$0.key] == 1 }
        for id in tree.expressionIDs {
            let function: FunctionID
            switch tree[id] {
            case .function(let id), .define(let id): function = id
            default: continue
            }
            guard !called.contains(function) else { continue }
            let before = values
            bind(function, nil)
            scope = resolution.scope(of: function)
            (hasLeft, mayHaveLeft, returned) = (false, false, [])
            _ = value(tree[function].body)
            values = before
        }
    }

    // MARK: Telling

    private var isCertain: Bool { doubts == 0 && !mayHaveLeft && !hasLeft && steps < Self.mostSteps }

    private mutating func tell(_ fault: Error, at id: ExpressionID, _ operands: [ExpressionID]) {
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
        diagnostics.append(diagnostic)
    }

    private func operation(_ id: ExpressionID) -> String {
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
    private mutating func result(at id: ExpressionID, _ operands: [ExpressionID] = [], _ body: () throws -> ShapeValue) -> ShapeValue {
        do { return try body() } catch {
            tell(error, at: id, operands)
            return .unknown
        }
    }

    // MARK: Expressions

    private mutating func value(_ id: ExpressionID) -> ShapeValue {
        steps += 1
        guard steps < Self.mostSteps else { return .unknown }
        switch tree[id] {
        case .number(let number): return .number(number)
        case .bool(let bool): return .number(bool ? 1 : 0)
        case .string: return .text
        case .none: return .none
        case .name:
            guard let symbol = resolution.symbol(of: id) else { return .unknown }
            if values[symbol] == nil, let error = missing(symbol) { tell(ShapeFault.other(error), at: id, []) }
            return value(symbol)
        case .array(let elements):
            let values = tree[elements].map { value($0) }
            return ShapeValue.stacked(values).map { .array($0) } ?? .unknown
        case .list(let elements): return .list(tree[elements].map { value($0) })
        case .unary(let operation, let operand):
            let value = value(operand)
            if operation == .negate, let number = value.number { return .number(-number) }
            if operation == .not, let number = value.number { return .number(number == 0 ? 1 : 0) }
            return elementwise(value)
        case .binary(let operation, let left, let right):
            let (a, b) = (value(left), value(right))
            return result(at: id, [left, right]) { try Self.binary(operation, a, b) }
        case .comparison(let first, let links): return comparison(id, first, links)
        case .and(let left, let right), .or(let left, let right):
            let first = value(left)
            doubts += 1
            let second = value(right)
            doubts -= 1
            guard let a = first.number, let b = second.number else { return .unknown }
            if case .and = tree[id] { return .number(a != 0 && b != 0 ? 1 : 0) }
            return .number(a != 0 || b != 0 ? 1 : 0)
        case .pipe(let argument, let callee):
            let argument = value(argument)
            return call(value(callee), [(nil, argument)], at: id, [callee])
        case .compose(let first, let second):
            let (a, b) = (value(first), value(second))
            return result(at: id, [first, second]) { try Self.composed(a, b) }
        case .call(let callee, let arguments): return call(id, callee, Array(tree[arguments]))
        case .index(let base, let items): return indexed(id, value(base), Array(tree[items]))
        case .field(let base, let name): return attribute(tree[name], of: value(base))
        case .prime(let base, _):
            if case .array(let shape) = value(base) { return .array(shape.reversed()) }
            return .unknown
        case .function(let function): return .function(function)
        case .define(let function):
            if let symbol = resolution.symbol(of: id) { values[symbol] = tree[function].makesLayers ? .unknown : .function(function) }
            return .none
        case .comprehension(let comprehension): return collected(comprehension)
        case .block(let statements):
            var last = ShapeValue.none
            for statement in tree[statements] {
                if hasLeft { break }
                last = value(statement.expression)
            }
            return last
        case .conditional(let branches, let otherwise): return conditional(Array(tree[branches]), otherwise)
        case .forLoop(let loop):
            let node = tree[loop], iterable = value(node.iterable)
            if case .list(let elements) = iterable, elements.isEmpty { return .none }
            if case .array(let shape) = iterable, shape.first == Size(0) { return .none }
            let element = Self.element(of: iterable), variables = Array(resolution.symbols(of: node.variables))
            runLoop(id, isEntered: true) { check in
                for variable in variables { check.values[variable] = variables.count == 1 ? element : .unknown }
                _ = check.value(node.body)
            }
            return .none
        case .whileLoop(let condition, let body):
            let isEntered = value(condition).number.map { $0 != 0 }
            if isEntered == false { return .none }
            runLoop(id, isEntered: isEntered == true) { check in _ = check.value(body) }
            return .none
        case .breakLoop, .continueLoop:
            leave()
            return .none
        case .returnValue(let expression):
            let result = expression.map { value($0) } ?? .none
            returned.append(result)
            leave()
            return .none
        case .assign(let target, let expression):
            assign(target, value(expression))
            return .none
        case .unpack(let targets, let expression):
            let value = value(expression), targets = Array(tree[targets])
            for (index, target) in targets.enumerated() {
                if case .list(let elements) = value, elements.count == targets.count { assign(target, elements[index]) } else { assign(target, .unknown) }
            }
            return .none
        case .update(let operation, let target, let expression):
            let (a, b) = (value(target), value(expression))
            let sum = result(at: id, [target, expression]) { try Self.binary(operation, a, b) }
            if case .name = tree[target] { assign(target, sum) }
            return .none
        case .unset:
            if let symbol = resolution.symbol(of: id) { values[symbol] = .unknown }
            return .none
        case .interpolation, .record:
            tree.forEachChild(of: id) { _ = value($0) }
            if case .interpolation = tree[id] { return .text }
            return .unknown
        case .invalid: return .unknown
        }
    }

    private mutating func leave() {
        if doubts == 0, !mayHaveLeft { hasLeft = true } else { mayHaveLeft = true }
    }

    private func value(_ symbol: SymbolID) -> ShapeValue {
        if let value = values[symbol] { return value }
        guard resolution[symbol].kind == .global, definitionCount[symbol] == nil else { return .unknown }
        switch builtins.value(named: tree[resolution[symbol].name]) {
        case .number(let number)?: return .number(number)
        case .function(let function)?: return function.builtin.map { .builtin($0) } ?? .unknown
        default: return .unknown
        }
    }

    /// Why a variable that the program gives a value has none yet; `nil` if it may have one, or is none of the program's.
    private func missing(_ symbol: SymbolID) -> RuntimeError? {
        let kind = resolution[symbol].kind, name = tree[resolution[symbol].name]
        if case .global = kind {
            // Functions that nobody calls are looked at when everything has its value.
            guard !isOver, isSet.contains(symbol), builtins.value(named: name) == nil, name != "ans", name != "args" else { return nil }
            return .unknownName(name)
        }
        guard case .local = kind, isSet.contains(symbol), resolution.function(around: resolution[symbol].scope) == scope,
            resolution.field(behind: symbol) == nil
        else { return nil }
        return .localWithoutValue
    }

    private mutating func assign(_ target: ExpressionID, _ value: ShapeValue) {
        guard case .name = tree[target] else {
            guard let symbol = resolution.symbol(of: tree.root(of: target)) else { return }
            // An element or a field: an array keeps its shape.
            if case .array? = values[symbol], case .index = tree[target] { return }
            values[symbol] = .unknown
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

    private func elementwise(_ value: ShapeValue) -> ShapeValue {
        switch value {
        case .number, .size: .number(nil)
        case .array: value
        default: .unknown
        }
    }

    private static func binary(_ operation: BinaryOperator, _ a: ShapeValue, _ b: ShapeValue) throws -> ShapeValue {
        if let x = a.number, let y = b.number, operation != .matmul { return .number(number(operation, x, y)) }
        if let x = a.asSize, let y = b.asSize {
            if operation == .add { return (x + y).map { .size($0) } ?? .number(nil) }
            if operation == .subtract, let n = y.number, n != .min { return (x + Size(-n)).map { .size($0) } ?? .number(nil) }
        }
        switch (a, b) {
        case (.number, .number), (.number, .size), (.size, .number), (.size, .size), (.array, .number), (.array, .size), (.number, .array), (.size, .array),
            (.array, .array):
            let (x, y) = (a.shape ?? [], b.shape ?? [])
            return .of(try operation == .matmul ? ShapeArithmetic.product(x, y, "@") : ShapeArithmetic.broadcast(x, y))
        default: return .unknown
        }
    }

    private static func number(_ operation: BinaryOperator, _ x: Double, _ y: Double) -> Double? {
        switch operation {
        case .add: x + y
        case .subtract: x - y
        case .multiply: x * y
        case .divide: x / y
        case .floorDivide: y == 0 ? nil : (x / y).rounded(.down)
        case .remainder: y == 0 ? nil : x - (x / y).rounded(.down) * y
        case .power where y == 2: x * x
        case .power, .matmul: nil
        }
    }

    private mutating func comparison(_ id: ExpressionID, _ first: ExpressionID, _ links: Run<ComparisonLink>) -> ShapeValue {
        let left = value(first)
        var last = left, known: Bool? = true, shape: [Size?]? = []
        for link in tree[links] {
            let next = value(link.operand)
            if let a = last.number, let b = next.number {
                let holds =
                    switch link.comparison {
                    case .equal: a == b
                    case .notEqual: a != b
                    case .less: a < b
                    case .lessOrEqual: a <= b
                    case .greater: a > b
                    case .greaterOrEqual: a >= b
                    }
                known = known.map { $0 && holds }
            } else {
                known = nil
            }
            switch (last, next) {
            case (.array, .array), (.array, .number), (.array, .size), (.number, .array), (.size, .array):
                let (a, b) = (last.shape ?? [], next.shape ?? [])
                let both = result(at: id, [first, link.operand]) { .of(try ShapeArithmetic.broadcast(a, b)) }
                shape = both.shape.flatMap { both in shape.flatMap { try? ShapeArithmetic.broadcast($0, both) } }
            case (.number, .number), (.number, .size), (.size, .number), (.size, .size): break
            default: shape = nil
            }
            last = next
        }
        if let known { return .number(known ? 1 : 0) }
        return shape.map { .of($0) } ?? .unknown
    }

    private static func composed(_ a: ShapeValue, _ b: ShapeValue) throws -> ShapeValue {
        guard case .layer(var chain) = a else { return .unknown }
        switch b {
        case .layer(let next):
            if let gives = chain.gives, let takes = next.takes, gives != takes {
                throw ShapeFault.other(NetworkError.widths(first: chain.last, last: next.first, outputs: gives, inputs: takes))
            }
            (chain.gives, chain.last) = (next.gives, next.last)
        case .builtin(let row) where row.activation?.kind == .elementwise: break
        case .builtin, .function: chain.gives = nil
        default: return .unknown
        }
        chain.isChain = true
        return .layer(chain)
    }

    private static func element(of value: ShapeValue) -> ShapeValue {
        switch value {
        case .array(let shape): .of(Array(shape.dropFirst()))
        case .list(let elements): elements.dropFirst().reduce(elements.first ?? .unknown) { $0.or($1) }
        default: .unknown
        }
    }

    private mutating func collected(_ id: ComprehensionID) -> ShapeValue {
        let node = tree[id], iterable = value(node.iterable), variables = Array(resolution.symbols(of: node.variables))
        for variable in variables { values[variable] = variables.count == 1 ? Self.element(of: iterable) : .unknown }
        var isCertain = false
        var count: Size?
        switch iterable {
        case .array(let shape): (count, isCertain) = (shape.first.flatMap { $0 }, shape.first.flatMap { $0?.number }.map { $0 > 0 } ?? false)
        case .list(let elements): (count, isCertain) = (Size(elements.count), !elements.isEmpty)
        default: break
        }
        if let condition = node.condition {
            _ = value(condition)
            (count, isCertain) = (nil, false)
        }
        if !isCertain { doubts += 1 }
        let element = value(node.element)
        if !isCertain { doubts -= 1 }
        if node.isList { return .unknown }
        switch element {
        case .number, .size, .array: return .array([count] + (element.shape ?? []))
        default: return .unknown
        }
    }

    // MARK: Ways

    /// The variables that an expression assigns outside of functions in it.
    private func assigned(in id: ExpressionID) -> Set<SymbolID> {
        var found: Set<SymbolID> = [], rest = [id]
        while let next = rest.popLast() {
            switch tree[next] {
            case .function: continue
            case .define, .unset: if let symbol = resolution.symbol(of: next) { found.insert(symbol) }
            case .assign(let target, _), .update(_, let target, _): if let symbol = resolution.symbol(of: tree.root(of: target)) { found.insert(symbol) }
            case .unpack(let targets, _): for target in tree[targets] { if let symbol = resolution.symbol(of: tree.root(of: target)) { found.insert(symbol) } }
            case .forLoop(let loop): found.formUnion(resolution.symbols(of: tree[loop].variables))
            default: break
            }
            if case .define = tree[next] { continue }
            tree.forEachChild(of: next) { rest.append($0) }
        }
        return found
    }

    private mutating func conditional(_ branches: [Branch], _ otherwise: ExpressionID?) -> ShapeValue {
        guard let branch = branches.first else { return otherwise.map { value($0) } ?? .none }
        let condition = value(branch.condition)
        if let known = condition.number { return known != 0 ? value(branch.body) : conditional(Array(branches.dropFirst()), otherwise) }
        var touched = assigned(in: branch.body)
        for other in branches.dropFirst() { touched.formUnion(assigned(in: other.condition).union(assigned(in: other.body))) }
        if let otherwise { touched.formUnion(assigned(in: otherwise)) }
        let before = touched.map { ($0, values[$0]) }
        doubts += 1
        let first = value(branch.body)
        let after = touched.map { ($0, values[$0]) }
        for (symbol, value) in before { values[symbol] = value }
        let second = conditional(Array(branches.dropFirst()), otherwise)
        doubts -= 1
        for (symbol, value) in after { values[symbol] = Self.join(value, values[symbol]) }
        return first.or(second)
    }

    /// A variable without a value yet could have any.
    private static func join(_ a: ShapeValue?, _ b: ShapeValue?) -> ShapeValue { a.flatMap { a in b.map { a.or($0) } } ?? .unknown }

    /// Runs a body until what is known of what it assigns holds for every turn.
    private mutating func runLoop(_ id: ExpressionID, isEntered: Bool, _ body: (inout ShapeCheck) -> Void) {
        let touched = assigned(in: id), left = (mayHaveLeft, hasLeft)
        loops += 1
        defer { loops -= 1 }
        /// What held before any turn.
        var known = touched.map { ($0, values[$0]) }
        doubts += 1
        var isStable = touched.isEmpty
        for _ in 0..<(loops > 2 ? 0 : 3) where !isStable {
            body(&self)
            isStable = true
            for index in known.indices {
                let (symbol, old) = known[index]
                let new = old == nil ? nil : Self.join(old, values[symbol])
                if let old, let new, !new.isSame(as: old) { isStable = false }
                known[index].1 = new
                values[symbol] = new
            }
        }
        if !isStable { for (symbol, _) in known { values[symbol] = .unknown } }
        doubts -= 1
        let entry = touched.map { ($0, values[$0]) }
        (mayHaveLeft, hasLeft) = left
        if !isEntered { doubts += 1 }
        body(&self)
        if !isEntered { doubts -= 1 }
        // A turn that was left early has not done everything, and there may have been none.
        let wasLeft = mayHaveLeft || hasLeft
        for (symbol, value) in entry { values[symbol] = Self.join(value, values[symbol]) }
        if wasLeft { for symbol in touched { values[symbol] = .unknown } }
        hasLeft = left.1
        mayHaveLeft = left.0 || wasLeft && !returned.isEmpty
    }

    // MARK: Calls

    private mutating func call(_ id: ExpressionID, _ callee: ExpressionID, _ arguments: [Argument]) -> ShapeValue {
        var given: [(name: String?, value: ShapeValue)] = [], places: [ExpressionID] = [], function: ShapeValue
        if case .field(let base, let name) = tree[callee] {
            let object = value(base)
            switch object {
            case .unknown, .layer, .function, .builtin, .none: function = .unknown
            default:
                function = resolution.symbol(of: callee).map(value) ?? .unknown
                if Self.attributes.contains(tree[name]) { function = .unknown }
            }
            given.append((nil, object))
            places.append(base)
        } else {
            function = value(callee)
        }
        for argument in arguments {
            given.append((argument.name.map { tree[$0] }, value(argument.value)))
            places.append(argument.value)
        }
        return call(function, given, at: id, places)
    }

    private mutating func call(_ function: ShapeValue, _ arguments: [(name: String?, value: ShapeValue)], at id: ExpressionID, _ places: [ExpressionID])
        -> ShapeValue
    {
        switch function {
        case .builtin(let row):
            if row.name == "error" { leave() }
            guard let call = bound(row, arguments) else { return .unknown }
            return result(at: id, places) { try ShapeRules.value(of: call) }
        case .layer(let layer):
            guard case .array(let shape)? = arguments.first?.value, shape.count == 2 else { return .unknown }
            return result(at: id) {
                if let takes = layer.takes, let rows = shape[0]?.number, let columns = shape[1]?.number, columns != takes {
                    throw ShapeFault.other(
                        NetworkError.input(layer: layer.first, position: layer.isChain ? 0 : nil, needs: .ending([takes]), shape: [rows, columns]))
                }
                return layer.gives.map { .array([shape[0], Size($0)]) } ?? .unknown
            }
        case .function(let function): return call(function, arguments)
        default: return .unknown
        }
    }

    private func bound(_ row: Builtin, _ arguments: [(name: String?, value: ShapeValue)]) -> ShapeCall? {
        let parameters = row.parameters
        var given: [String: ShapeValue] = [:], rest: [ShapeValue] = [], position = 0
        for argument in arguments {
            if let name = argument.name {
                guard parameters.contains(where: { $0.name == name }) else { return nil }
                given[name] = argument.value
            } else {
                guard position < parameters.count else { return nil }
                if parameters[position].isVariadic {
                    rest.append(argument.value)
                } else {
                    given[parameters[position].name] = argument.value
                    position += 1
                }
            }
        }
        return ShapeCall(row: row, arguments: given, rest: rest)
    }

    /// Runs a function of the program for these arguments.
    private mutating func call(_ function: FunctionID, _ arguments: [(name: String?, value: ShapeValue)]) -> ShapeValue {
        let node = tree[function], scope = resolution.scope(of: function)
        // What a function inside of another sees is that one's.
        guard !node.makesLayers, calls < Self.mostCalls, let parent = resolution[scope].parent, case .program = resolution[parent].kind else { return .unknown }
        let parameters = tree[node.parameters].map { tree[$0.name] }
        var given: [String: ShapeValue] = [:]
        for (index, argument) in arguments.enumerated() {
            if let name = argument.name {
                given[name] = argument.value
            } else if index < parameters.count {
                given[parameters[index]] = argument.value
            } else {
                return .unknown
            }
        }
        called.insert(function)
        let symbols = resolution[scope].symbolIDs, saved = symbols.map { values[$0] }
        let outer = (mayHaveLeft, hasLeft, returned), outerScope = self.scope
        self.scope = scope
        // In a call that may not happen nothing is certain.
        let isDoubtful = !isCertain
        if isDoubtful { doubts += 1 }
        (hasLeft, mayHaveLeft, returned) = (false, false, [])
        for symbol in symbols { values[symbol] = nil }
        bind(function, given)
        calls += 1
        var result = value(node.body)
        calls -= 1
        if hasLeft { result = returned.last ?? .unknown; returned.removeLast(returned.isEmpty ? 0 : 1) }
        for other in returned { result = result.or(other) }
        if isDoubtful { doubts -= 1 }
        (mayHaveLeft, hasLeft, returned) = outer
        self.scope = outerScope
        for (symbol, value) in zip(symbols, saved) { values[symbol] = value }
        return result
    }

    /// - Parameter given: By name; `nil` where nothing is known of the call.
    private mutating func bind(_ function: FunctionID, _ given: [String: ShapeValue]?) {
        let parameters = tree[function].parameters
        for (variable, symbol) in zip(tree[parameters], resolution.symbols(of: parameters)) {
            values[symbol] = given.flatMap { $0[tree[variable.name]] ?? variable.defaultValue.map { value($0) } } ?? .unknown
        }
    }

    // MARK: Parts

    private static let attributes: Set<String> = ["shape", "size", "ndim", "dtype", "T"]

    private func attribute(_ name: String, of base: ShapeValue) -> ShapeValue {
        guard case .array(let shape) = base else { return .unknown }
        switch name {
        case "shape": return .list(shape.map { $0.map { .size($0) } ?? .number(nil) })
        case "ndim": return .number(Double(shape.count))
        case "size": return .number(ShapeArithmetic.count(shape).map(Double.init))
        case "T": return .array(shape.reversed())
        case "dtype": return .text
        default: return .unknown
        }
    }

    private mutating func indexed(_ id: ExpressionID, _ base: ShapeValue, _ items: [IndexItem]) -> ShapeValue {
        var found: [(kind: IndexItem.Kind, value: ShapeValue, bounds: [Int?])] = []
        for item in items {
            switch item.kind {
            case .value(let expression): found.append((item.kind, value(expression), []))
            case .slice(let lower, let upper, let step):
                var isKnown = true
                let bounds = [lower, upper, step].map { bound -> Int? in
                    guard let bound else { return nil }
                    let whole = value(bound).whole
                    if whole == nil { isKnown = false }
                    return whole
                }
                found.append((item.kind, .unknown, isKnown ? bounds : [0]))
            case .ellipsis: found.append((item.kind, .unknown, []))
            }
        }
        if case .list(let elements) = base, found.count == 1, case .value = found[0].kind, let index = found[0].value.whole {
            let position = index < 0 ? index + elements.count : index
            return elements.indices.contains(position) ? elements[position] : .unknown
        }
        guard case .array(let shape) = base else { return .unknown }
        return result(at: id) {
            var used = 0, axes: [Size?] = []
            for (kind, value, _) in found {
                switch kind {
                case .ellipsis: break
                case .slice: used += 1
                case .value:
                    switch value {
                    case .none: break
                    case .number, .size: used += 1
                    // A mask, positions, or nobody knows what.
                    default: return .unknown
                    }
                }
            }
            guard used <= shape.count else { throw ShapeFault.other(ArrayError.tooManyIndices(given: used, rank: shape.count)) }
            var axis = 0
            for (kind, value, bounds) in found {
                switch kind {
                case .ellipsis:
                    axes += shape[axis..<axis + shape.count - used]
                    axis += shape.count - used
                case .slice:
                    axes.append(Self.sliced(shape[axis], bounds))
                    axis += 1
                case .value:
                    if case .none = value {
                        axes.append(Size(1))
                        continue
                    }
                    if let index = value.whole, let size = shape[axis]?.number, index >= size || index < -size {
                        throw ShapeFault.other(ArrayError.indexOutOfRange(index: index, axis: axis, size: size))
                    }
                    axis += 1
                }
            }
            return .of(axes + shape[axis...])
        }
    }

    /// How many elements a slice has.
    private static func sliced(_ size: Size?, _ bounds: [Int?]) -> Size? {
        guard bounds.count == 3 else { return nil }
        if bounds.allSatisfy({ $0 == nil }) { return size }
        guard let size = size?.number, (bounds[2] ?? 1) > 0, let step = bounds[2] ?? 1 as Int? else { return nil }
        func place(_ bound: Int) -> Int { min(max(bound < 0 ? bound + size : bound, 0), size) }
        let low = bounds[0].map(place) ?? 0, high = bounds[1].map(place) ?? size
        return Size(high > low ? (high - low - 1) / step + 1 : 0)
    }
}
