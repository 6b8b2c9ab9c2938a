// What is known of calls, attributes and parts of values.

import ActArray
import ActBuiltins
import ActMachine
import ActNetwork
import ActSyntax

extension ShapeCheck {
    // MARK: Calls

    mutating func call(_ id: ExpressionID, _ callee: ExpressionID, _ arguments: [Argument]) -> ShapeValue {
        var given: [(name: String?, value: ShapeValue)] = [], places: [ExpressionID] = [], function: ShapeValue
        if case .field(let base, let name) = tree[callee] {
            let object = value(base)
            var field: ShapeValue?
            if case .record(let fields) = object { field = fields.index(named: tree[name]).map { fields[$0].value } }
            switch object {
            case .unknown, .layer, .function, .builtin, .imported, .none: function = .unknown
            default:
                function = field ?? resolution.symbol(of: callee).map(value) ?? .unknown
                if ArrayAttribute(rawValue: tree[name]) != nil { function = .unknown }
            }
            if field == nil {
                // What is no field may be a function of the record.
                if case .record(let fields) = object, !isDefined(resolution.symbol(of: callee)) {
                    for argument in arguments { _ = value(argument.value) }
                    let name = tree[name]
                    return result(at: callee) { try Self.field(name, nil, of: fields) }
                }
                given.append((nil, object))
                places.append(base)
            }
        } else {
            function = value(callee)
        }
        for argument in arguments {
            given.append((argument.name.map { tree[$0] }, value(argument.value)))
            places.append(argument.value)
        }
        if isCertain, let callee = self.callee(function) {
            let bare = places.dropLast(arguments.count).map { (name: nil as String?, span: tree.span(of: $0)) }
            let fault = callee.fault(of: bare + arguments.map { ($0.name.map { tree[$0] }, $0.nameSpan) }, at: tree.span(of: id))
            if let fault {
                if told.insert(id).inserted { found.add(fault) }
                return .unknown
            }
        }
        return call(function, given, at: id, places)
    }

    /// Whether a name may stand for something.
    private func isDefined(_ symbol: SymbolID?) -> Bool {
        guard let symbol else { return false }
        return resolution[symbol].kind != .global || definitionCount[symbol] != nil || builtins.value(named: tree[resolution[symbol].name]) != nil
    }

    private func callee(_ function: ShapeValue) -> Callee? {
        switch function {
        case .builtin(let function): Callee(function)
        case .function(let function): Callee(function, tree)
        case .imported(let function): Callee(function.id, function.file.check.tree)
        default: nil
        }
    }

    mutating func call(_ function: ShapeValue, _ arguments: [(name: String?, value: ShapeValue)], at id: ExpressionID, _ places: [ExpressionID])
        -> ShapeValue
    {
        switch function {
        case .builtin(let function):
            if function.endsProgram { leave() }
            if function.importsFile, arguments.count == 1, case .text(let path?) = arguments[0].value {
                let imported = Result { try imports?.value(of: path, from: tree) ?? .unknown }
                return result(at: id) { try imported.get() }
            }
            guard let call = ShapeCall(function, arguments) else { return .unknown }
            let found = Result { try layer(of: call) ?? ShapeRules.value(of: call) }
            return result(at: id, places) { try found.get() }
        case .layer(let layers):
            guard arguments.count == 1, arguments[0].name == nil else { return .unknown }
            return pass(arguments[0].value, through: layers, at: id)
        case .function(let function): return call(function, arguments)
        case .imported(let function): return function.file.call(function.id, arguments, within: &self)
        default: return .unknown
        }
    }

    /// Runs a function of the program for these arguments.
    mutating func call(_ function: FunctionID, _ arguments: [(name: String?, value: ShapeValue)]) -> ShapeValue {
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
    mutating func bind(_ function: FunctionID, _ given: [String: ShapeValue]?) {
        let parameters = tree[function].parameters
        for (variable, symbol) in zip(tree[parameters], resolution.symbols(of: parameters)) {
            values[symbol] = given.flatMap { $0[tree[variable.name]] ?? variable.defaultValue.map { value($0) } } ?? .unknown
        }
    }

    // MARK: Parts

    static func attribute(_ name: String, of base: ShapeValue) throws -> ShapeValue {
        if case .record(let fields) = base { return try field(name, fields.index(named: name), of: fields) }
        guard case .array(let shape) = base else { return .unknown }
        return switch ArrayAttribute(rawValue: name) {
        case .shape: .list(shape.map { $0.map { .size($0) } ?? .number(nil) })
        case .ndim: .number(Double(shape.count))
        case .size: .number(ShapeArithmetic.count(shape).map(Double.init))
        case .transpose: .array(shape.reversed())
        case .dtype: .text(nil)
        case nil: .unknown
        }
    }

    private static func field(_ name: String, _ index: Int?, of fields: [(name: String, value: ShapeValue)]) throws -> ShapeValue {
        if let index { return fields[index].value }
        var record = Fields()
        for field in fields { record[field.name] = Value.none }
        throw ShapeFault.other(RuntimeError.noField(name, of: try .record(record)))
    }

    mutating func record(_ fields: [Field]) -> ShapeValue {
        var known: [(name: String, value: ShapeValue)]? = []
        for field in fields {
            let value = value(field.value)
            if let name = field.name {
                known = known?.setting(tree[name], to: value)
            } else if case .record(let others) = value {
                for other in others { known = known?.setting(other.name, to: other.value) }
            } else {
                known = nil
            }
            // A field is looked for one name after the other.
            if let count = known?.count, count > Self.mostFields { known = nil }
        }
        return known.map { bounded(.record($0)) } ?? .unknown
    }

    mutating func indexed(_ id: ExpressionID, _ base: ShapeValue, _ items: [IndexItem]) -> ShapeValue {
        let found = items.map { part($0) }
        if case .list(let elements) = base, found.count == 1, case .value = found[0].kind, let index = found[0].value.whole {
            let position = index < 0 ? index + elements.count : index
            return elements.indices.contains(position) ? elements[position] : .unknown
        }
        if case .record(let fields) = base, found.count == 1, case .text(let name?) = found[0].value {
            return result(at: id) { try Self.field(name, fields.firstIndex { $0.name == name }, of: fields) }
        }
        guard case .array(let shape) = base else { return .unknown }
        return result(at: id) { try Self.indexed(shape, found) }
    }

    private typealias IndexPart = (kind: IndexItem.Kind, value: ShapeValue, bounds: [Int?])

    private mutating func part(_ item: IndexItem) -> IndexPart {
        switch item.kind {
        case .value(let expression): return (item.kind, value(expression), [])
        case .slice(let lower, let upper, let step):
            var isKnown = true
            let bounds = [lower, upper, step].map { bound -> Int? in
                guard let bound else { return nil }
                let whole = value(bound).whole
                if whole == nil { isKnown = false }
                return whole
            }
            return (item.kind, .unknown, isKnown ? bounds : [0])
        case .ellipsis: return (item.kind, .unknown, [])
        }
    }

    private static func indexed(_ shape: [Size?], _ found: [IndexPart]) throws -> ShapeValue {
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
                axes.append(sliced(shape[axis], bounds))
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

    /// How many elements a slice has.
    static func sliced(_ size: Size?, _ bounds: [Int?]) -> Size? {
        guard bounds.count == 3 else { return nil }
        if bounds.allSatisfy({ $0 == nil }) { return size }
        guard let size = size?.number, (bounds[2] ?? 1) > 0, let step = bounds[2] ?? 1 as Int? else { return nil }
        func place(_ bound: Int) -> Int { min(max(bound < 0 ? bound + size : bound, 0), size) }
        let low = bounds[0].map(place) ?? 0, high = bounds[1].map(place) ?? size
        return Size(high > low ? (high - low - 1) / step + 1 : 0)
    }
}
