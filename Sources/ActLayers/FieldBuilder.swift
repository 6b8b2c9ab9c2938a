// Sorts what the names of a maker's block hold: what is trained, what is gathered, layers, settings, and functions over all of these.
//
// What must stay true: one array, layer or function is one field, whatever names and captures lead to it.

import ActArray
import ActCompiler
import ActMachine
import ActNetwork
import ActSyntax

/// Sorts what the names of a block hold.
final class FieldBuilder {
    private let unit: SourceUnit
    private let type: ElementType
    private let stateMarks: StateMarks
    /// Takes the bytes of what is made here.
    private let held: SharedReservation
    private(set) var parameterNames: [String] = []
    private(set) var parameters: [NDArray] = []
    private(set) var stateNames: [String] = []
    private(set) var states: [NDArray] = []
    private(set) var nesting: Int32 = 0
    private(set) var layerCount = 0

    /// What each name of the block held in the end.
    var names: [SymbolID: Value] = [:]
    /// Fields by the array or network that the block had in their place.
    private var known: [ObjectIdentifier: LayerPlan.Field] = [:]

    init(unit: SourceUnit, type: ElementType, stateMarks: StateMarks, _ held: SharedReservation) {
        self.held = held
        self.stateMarks = stateMarks
        self.unit = unit
        self.type = type
    }

    /// What is assigned: arrays are trained, unless `state` made them.
    func field(_ value: Value, _ path: String, isState: Bool) throws -> LayerPlan.Field {
        try Interrupt.check()
        switch value {
        case .array(let array) where isState || stateMarks.contains(array): return try state(array, path)
        case .number(let number) where isState: return try state(NDArray.scalar(number, type: .f64), path)
        case .array(let array) where array.type != .bool && array.rank > 0:
            try hold(path)
            parameterNames.append(path)
            parameters.append(try array.isTraced ? array.converted(to: type) : array.converted(to: type).contiguous().detached())
            known[array.identity] = .parameter(parameters.count - 1)
            return .parameter(parameters.count - 1)
        case .list(let list): return try self.list(list.elements) { try field($1, "\(path).\($0)", isState: isState) }
        case .record(let record): return try self.record(record) { try field($1, "\(path).\($0)", isState: isState) }
        default: return try layers(value, path)
        }
    }

    private func state(_ array: NDArray, _ path: String) throws -> LayerPlan.Field {
        try hold(path)
        stateNames.append(path)
        // A number that counts stays exact.
        states.append(try array.type == .bool || array.rank == 0 ? array.renewed() : array.converted(to: type).renewed())
        known[array.identity] = .state(states.count - 1)
        return .state(states.count - 1)
    }

    /// Layers are trained, all else is as it is.
    func layers(_ value: Value, _ path: String) throws -> LayerPlan.Field {
        switch value {
        case .function(let value) where value.network != nil:
            guard let function = value.network else { return .constant(.function(value)) }
            let network = function.network
            let prefix = path + "."
            func names(_ names: [String]) -> [String] { names.map { prefix + (function.isLayer ? String($0.drop { $0 != "." }.dropFirst()) : $0) } }
            let own = parameters.count..<parameters.count + network.parameters.count, gathered = states.count..<states.count + network.states.count
            try hold(1)
            for name in network.parameterNames + network.stateNames { try held.grow(by: 96 &+ prefix.utf8.count &+ name.utf8.count) }
            parameterNames += names(network.parameterNames)
            parameters += network.parameters
            stateNames += names(network.stateNames)
            states += network.states
            nesting = max(nesting, network.nesting)
            layerCount &+= network.layerCount
            let field = LayerPlan.Field.network(function, parameters: own, states: gathered)
            known[ObjectIdentifier(value)] = field
            return field
        case .list(let list) where try value.holdsLayer(): return try self.list(list.elements) { try layers($1, "\(path).\($0)") }
        case .record(let record) where try value.holdsLayer():
            return try self.record(record) { try layers($1, "\(path).\($0)") }
        default: return try setting(value)
        }
    }

    func setting(_ value: Value) throws -> LayerPlan.Field {
        try Interrupt.check()
        switch value {
        case .function(let closure as Closure): return .function(closure, [])
        case .list(let list): return try self.list(list.elements) { try setting($1) }
        case .record(let record): return try self.record(record) { try setting($1) }
        default: return .constant(value)
        }
    }

    /// A field whose functions know which of their captures are fields. A function has captured a value: that of its name, if that still is it,
    /// else whichever field holds it.
    func bound(_ field: LayerPlan.Field, symbols: [SymbolID], fields: [LayerPlan.Field]) throws -> LayerPlan.Field {
        try Interrupt.check()
        switch field {
        case .list(let elements): return try list(elements) { try bound($1, symbols: symbols, fields: fields) }
        case .record(let own):
            try hold(own.count)
            return .record(try own.map { ($0.name, try bound($0.value, symbols: symbols, fields: fields)) })
        case .function(let closure, _):
            let captured = closure.code.unit === unit ? closure.code.definition?.captures ?? [] : []
            var result: [(capture: Int, value: LayerPlan.Field)] = []
            for (index, value) in closure.captures.enumerated() {
                if index < captured.count, let name = symbols.firstIndex(of: captured[index]), let last = names[captured[index]], let identity = last.identity,
                    identity == value.identity, fields[name].isTrained
                {
                    result.append((index, fields[name]))
                } else {
                    let field = try self.captured(value, symbols: symbols, fields: fields)
                    if field.reachesFields { result.append((index, field)) }
                }
            }
            return .function(closure, result)
        default: return field
        }
    }

    /// What a function of the block captured.
    func captured(_ value: Value, symbols: [SymbolID], fields: [LayerPlan.Field]) throws -> LayerPlan.Field {
        try Interrupt.check()
        if let identity = value.identity, let found = known[identity] { return found }
        switch value {
        case .function(let closure as Closure): return try bound(.function(closure, []), symbols: symbols, fields: fields)
        case .list(let list): return try self.list(list.elements) { try captured($1, symbols: symbols, fields: fields) }
        case .record(let record): return try self.record(record) { try captured($1, symbols: symbols, fields: fields) }
        default: return .constant(value)
        }
    }

    // MARK: Memory

    private func list<Part>(_ parts: [Part], _ make: (Int, Part) throws -> LayerPlan.Field) throws -> LayerPlan.Field {
        try hold(parts.count)
        return .list(try parts.enumerated().map(make))
    }

    private func record(_ record: Record, _ make: (String, Value) throws -> LayerPlan.Field) throws -> LayerPlan.Field {
        try hold(record.fields.count)
        return .record(try record.fields.map { ($0.key, try make($0.key, $0.value)) })
    }

    /// So many fields, with the objects around them.
    private func hold(_ count: Int) throws {
        try held.grow(by: 96 &+ count &* (MemoryLayout<(name: String, value: LayerPlan.Field)>.stride &+ 64))
    }

    /// The name of an array, and the array's place.
    private func hold(_ path: String) throws { try held.grow(by: 96 &+ path.utf8.count) }

    /// Whether a function of the block uses a name.
    func isCaptured(_ symbol: SymbolID, by values: [Value]) -> Bool {
        values.contains { value in
            guard case .function(let closure as Closure) = value, closure.code.unit === unit else { return false }
            return closure.code.definition?.captures.contains(symbol) ?? false
        }
    }
}

extension LayerPlan.Field {
    /// Whether it is made anew for other parameters.
    fileprivate var reachesFields: Bool {
        switch self {
        case .parameter, .state, .network: true
        case .function(_, let bound): !bound.isEmpty
        case .list(let fields): fields.contains(where: \.reachesFields)
        case .record(let fields): fields.contains { $0.value.reachesFields }
        case .shared(let field): field.reachesFields
        case .constant: false
        }
    }
}

extension Value {
    /// By which the block's arrays, functions and structures are told apart.
    var identity: ObjectIdentifier? {
        switch self {
        case .array(let array): array.identity
        case .function(let function): ObjectIdentifier(function)
        case .list(let list): ObjectIdentifier(list)
        case .record(let record): ObjectIdentifier(record)
        default: nil
        }
    }

    /// Whether there is a layer or network in it, however deep.
    fileprivate func holdsLayer() throws -> Bool {
        // A list may hold another many times over.
        try Interrupt.check()
        return switch self {
        case .function(let function): function.network != nil
        case .list(let list): try list.elements.contains { try $0.holdsLayer() }
        case .record(let record): try record.fields.values.contains { try $0.holdsLayer() }
        default: false
        }
    }
}
