// What one call of a maker made: which names hold what is trained, what is gathered, layers, or settings, and the function over them. All
// copies of the layer share it; they differ in parameters and states alone.
//
// What must stay true: fields are read by name. Whenever parameters change, every function of the block that captured a field gets it anew,
// and the layer's function is made again by its expression in the block. Parameters are in the order of the names that hold them.

import ActArray
import ActCompiler
import ActMachine
import ActNetwork
import ActSyntax

final class LayerPlan {
    /// What a name of the block holds.
    indirect enum Field {
        case parameter(Int)
        case state(Int)
        /// A layer or network; its parameters and states are among the layer's.
        case network(NetworkFunction, parameters: Range<Int>, states: Range<Int>)
        case list([Field])
        case record([(name: String, value: Field)])
        /// A function, with what of its captures is fields, or functions over them.
        case function(Closure, [(capture: Int, value: Field)])
        /// What another name holds as a field.
        case shared(Field)
        case constant(Value)

        /// Whether anything in it is trained or gathered.
        var isTrained: Bool {
            switch self {
            case .parameter, .state: true
            case .network(_, let parameters, let states): !parameters.isEmpty || !states.isEmpty
            case .list(let fields): fields.contains(where: \.isTrained)
            case .record(let fields): fields.contains { $0.value.isTrained }
            case .function, .shared, .constant: false
            }
        }
    }

    let maker: LayerMaker
    let machine: Machine
    let settings: LayerSettings
    /// What settings and fields take: a list that the program holds once may be written out many times in them.
    private let held: SharedReservation
    private(set) var type: ElementType?
    /// Gives the layer's function; its captures are the names of the block.
    private let parts: Closure
    /// Which capture each name is.
    private let slots: [Int]
    private(set) var names: [String] = []
    private(set) var fields: [Field] = []
    private(set) var parameterNames: [String] = []
    private(set) var trains: [Bool] = []
    private(set) var stateNames: [String] = []
    private(set) var nesting: Int32
    private(set) var layerCount = 1
    private var parameters: [NDArray] = []
    private var states: [NDArray] = []

    /// - Parameter held: What the settings take; fields are added.
    /// - Throws: `ArrayError.outOfMemory`; a fault in the block if what it ends in is not a function.
    init(_ maker: LayerMaker, settings: LayerSettings, _ held: SharedReservation, parts: Closure, type: ElementType, _ machine: Machine) throws {
        self.maker = maker
        self.machine = machine
        self.parts = parts
        self.settings = settings
        self.held = held
        nesting = parts.depth
        self.type = type
        let unit = parts.code.unit, symbols = parts.code.definition?.captures ?? []
        var isOwn: [Bool] = []
        let builder = FieldBuilder(unit: unit, type: type, stateMarks: machine.stateMarks, held)
        // In the order of the block, whatever order its function needs them in.
        slots = symbols.indices.sorted { symbols[$0].index < symbols[$1].index }
        for index in slots {
            let symbol = symbols[index]
            let name = unit.tree[unit.resolution[symbol].name], value = index < parts.captures.count ? parts.captures[index] : .undefined
            names.append(name)
            // A parameter is a setting, but for layers that the function uses; a loop's variable is what it went over.
            let isField = unit.resolution[symbol].kind == .local && unit.resolution.definitions(of: symbol).contains { $0.kind.isAssignment }
            let isLayer =
                unit.resolution[symbol].kind == .parameter && (index < parts.code.prototype.neededCaptures || builder.isCaptured(symbol, by: parts.captures))
            isOwn.append(isField || isLayer)
            let isState = unit.isAssignedState(symbol)
            builder.names[symbol] = value
            fields.append(isField ? try builder.field(value, name, isState: isState) : isLayer ? try builder.layers(value, name) : try builder.setting(value))
        }
        let unbound = fields, ordered = slots.map { symbols[$0] }
        fields = try unbound.indices.map { index in
            // What is not a field itself, such as the variable of a loop, may hold one.
            if !isOwn[index], case .constant(let value) = unbound[index] { return .shared(try builder.captured(value, symbols: ordered, fields: unbound)) }
            return try builder.bound(unbound[index], symbols: ordered, fields: unbound)
        }
        (parameterNames, parameters, stateNames, states) = (builder.parameterNames, builder.parameters, builder.stateNames, builder.states)
        trains = fields.flatMap(\.trains)
        self.type = parameters.isEmpty && type == .f32 ? nil : type
        nesting = max(nesting, builder.nesting &+ 2)
        layerCount = 1 &+ builder.layerCount
        for parameter in try function(parameters, states).parameters where parameter.name != "training" && !suggest(parameter.name, among: ["training"]).isEmpty
        {
            throw LayerRefusal.nearlyTraining(layer: maker.name, parameter: parameter.name, at: maker.functionSpan)
        }
    }

    /// The same with all layers in its fields trained.
    init(thawing other: LayerPlan) throws {
        (maker, machine, settings, type, parts) = (other.maker, other.machine, other.settings, other.type, other.parts)
        (names, slots, parameterNames, stateNames, nesting, layerCount) = (
            other.names, other.slots, other.parameterNames, other.stateNames, other.nesting, other.layerCount
        )
        held = SharedReservation()
        try held.grow(by: other.held.bytes)
        fields = try other.fields.map { try $0.thawed() }
        trains = fields.flatMap(\.trains)
    }

    /// The layer as it was made.
    func layer() -> ProgramLayer {
        defer { (parameters, states) = ([], []) }
        return ProgramLayer(plan: self, parameters: parameters, state: states)
    }

    // MARK: Values

    /// The function that the layer is.
    func function(_ parameters: [NDArray], _ states: [NDArray]) throws -> Function {
        var captures = parts.captures
        for (slot, value) in zip(slots, try values(parameters, states)) where slot < captures.count { captures[slot] = value }
        let closure = Closure(code: parts.code, captures: captures)
        let value = try machine.call(closure, Arguments([]))
        guard case .function(let function) = value else {
            throw LayerRefusal.layerWithoutFunction(maker.name, value, at: maker.functionSpan)
        }
        return function
    }

    /// What each name holds.
    private func values(_ parameters: [NDArray], _ states: [NDArray]) throws -> [Value] { try fields.map { try value(of: $0, parameters, states) } }

    private func value(of field: Field, _ parameters: [NDArray], _ states: [NDArray]) throws -> Value {
        try Interrupt.check()
        switch field {
        case .parameter(let index): return .array(parameters[index])
        case .state(let index): return try Value(states[index])
        case .network(let function, let ownParameters, let ownStates):
            var network = function.network
            network.parameters = Array(parameters[ownParameters])
            network.states = Array(states[ownStates])
            return .function(Native(NetworkFunction(network, like: function)))
        case .list(let elements): return try .list(elements.map { try value(of: $0, parameters, states) })
        case .record(let fields):
            return try .record(.init(fields.map { ($0.name, try value(of: $0.value, parameters, states)) }))
        case .function(let closure, let bound):
            var captures = closure.captures
            for (capture, field) in bound { captures[capture] = try value(of: field, parameters, states) }
            return .function(Closure(code: closure.code, captures: captures))
        case .shared(let field): return try value(of: field, parameters, states)
        case .constant(let value): return value
        }
    }

    /// The layers in its fields.
    var layers: [any Layer] {
        func layers(_ field: Field) -> [any Layer] {
            switch field {
            case .network(let function, _, _): function.network.layers
            case .list(let fields): fields.flatMap(layers)
            case .record(let fields): fields.flatMap { layers($0.value) }
            case .parameter, .state, .function, .shared, .constant: []
            }
        }
        return fields.flatMap(layers)
    }

    /// What `layer.name` is.
    func value(named name: String, _ parameters: [NDArray], _ states: [NDArray]) throws -> Value? {
        guard let index = names.firstIndex(of: name) else { return nil }
        let value = try value(of: fields[index], parameters, states)
        if case .undefined = value { return nil }
        return value
    }

    /// What is trained, by name.
    func parameterRecord(_ parameters: [NDArray]) throws -> Value {
        var record = Fields()
        for (name, field) in zip(names, fields) { if let value = try trained(field, parameters) { record[name] = value } }
        return try .record(record)
    }

    private func trained(_ field: Field, _ parameters: [NDArray]) throws -> Value? {
        try Interrupt.check()
        switch field {
        case .parameter(let index): return .array(parameters[index])
        case .network(let function, let own, _):
            guard !own.isEmpty else { return nil }
            var network = function.network
            network.parameters = Array(parameters[own])
            return try NetworkFunction(network, like: function).parameterValues()
        case .list(let elements):
            let values = try elements.map { try trained($0, parameters) }
            return values.contains { $0 != nil } ? try .list(values.map { $0 ?? .none }) : nil
        case .record(let fields):
            var record = Fields()
            for (name, field) in fields { if let value = try trained(field, parameters) { record[name] = value } }
            return record.isEmpty ? nil : try .record(record)
        case .state, .function, .shared, .constant: return nil
        }
    }

    /// Puts a value of the structure of `parameterRecord` into parameters.
    /// - Throws: `NetworkError.parameters`, `parameterShape`.
    func take(_ value: Value, into layer: inout ProgramLayer) throws {
        guard case .record(let record) = value else { throw NetworkError.parameters(.notARecord(kind: value.kind)) }
        for (name, field) in zip(names, fields) where try trained(field, layer.parameters) != nil {
            guard let value = record[name] else { throw NetworkError.parameters(.missing(name, layer: layer.text)) }
            try take(value, as: field, name, into: &layer)
        }
        let isKnown: (String) -> Bool = { name in self.names.firstIndex(of: name).map { self.fields[$0].isTrained } ?? false }
        if let extra = record.fields.keys.first(where: { !isKnown($0) }) { throw NetworkError.parameters(.unknown(extra, layer: layer.text)) }
    }

    private func take(_ value: Value, as field: Field, _ path: String, into layer: inout ProgramLayer) throws {
        switch field {
        case .parameter(let index): layer.parameters[index] = try layer.fitted(value, to: layer.parameters[index], named: path)
        case .network(let function, let own, _):
            guard !own.isEmpty else { return }
            if case .function(let value) = value, let other = value.network, other.network.parameters.count == own.count {
                for (position, array) in zip(own, other.network.parameters) {
                    layer.parameters[position] = try layer.fitted(.array(array), to: layer.parameters[position], named: parameterNames[position])
                }
                return
            }
            var network = function.network
            network.parameters = Array(layer.parameters[own])
            if function.isLayer { try network.layers[0].setParameters(value) } else { try network.setParameters(value) }
            layer.parameters.replaceSubrange(own, with: network.parameters)
        case .list(let elements):
            guard elements.contains(where: \.isTrained) else { return }
            guard case .list(let list) = value, list.elements.count == elements.count else {
                throw NetworkError.parameters(.notAList(path, layer: layer.text, count: elements.count, kind: value.kind))
            }
            for (index, element) in elements.enumerated() { try take(list.elements[index], as: element, "\(path).\(index)", into: &layer) }
        case .record(let fields):
            guard fields.contains(where: { $0.value.isTrained }) else { return }
            guard case .record(let record) = value else { throw NetworkError.parameters(.fieldNotARecord(path, layer: layer.text, kind: value.kind)) }
            for (name, field) in fields where try trained(field, layer.parameters) != nil {
                guard let value = record[name] else { throw NetworkError.parameters(.missing("\(path).\(name)", layer: layer.text)) }
                try take(value, as: field, "\(path).\(name)", into: &layer)
            }
        case .state, .function, .shared, .constant: return
        }
    }

    /// The field in place of which a program writes another value.
    func replace(_ name: String, with value: Value, in layer: inout ProgramLayer) throws {
        guard let index = names.firstIndex(of: name) else { throw RuntimeError.noField(name, of: .function(Native(NetworkFunction(layer)))) }
        switch fields[index] {
        case .state(let state): layer.state[state] = try layer.fitted(value, to: layer.state[state], named: name)
        case .network(let old, let parameters, let states):
            guard case .function(let other) = value, let function = other.network, function.network.parameters.count == parameters.count,
                function.network.states.count == states.count
            else { throw NetworkError.parameters(.otherStructure(name, layer: layer.text, kind: value.kind)) }
            // What the block made stays: a file knows the layer by its maker alone.
            try old.requireSettings(of: other)
            guard function.network.trains == old.network.trains else {
                throw NetworkError.parameters(.frozenPart(name, layer: layer.text, isFrozen: !old.network.trains.contains(true)))
            }
            for (position, array) in zip(parameters, function.network.parameters) {
                layer.parameters[position] = try layer.fitted(.array(array), to: layer.parameters[position], named: parameterNames[position])
            }
            layer.state.replaceSubrange(states, with: function.network.states)
        case .parameter: try take(value, as: fields[index], name, into: &layer)
        case .list where fields[index].isTrained, .record where fields[index].isTrained: try take(value, as: fields[index], name, into: &layer)
        case .list, .record, .function, .shared, .constant:
            throw NetworkError.parameters(.setting(name, layer: layer.text))
        }
    }

    /// Which states an assignment in the layer's function is about.
    func states(named name: String) -> Field? { names.firstIndex(of: name).map { fields[$0] } }
}

extension LayerPlan.Field {
    /// For each parameter in it whether training changes it.
    fileprivate var trains: [Bool] {
        switch self {
        case .parameter: [true]
        case .network(let function, _, _): function.network.trains
        case .list(let fields): fields.flatMap(\.trains)
        case .record(let fields): fields.flatMap(\.value.trains)
        case .state, .function, .shared, .constant: []
        }
    }

    fileprivate func thawed() throws -> Self {
        switch self {
        case .network(let function, let parameters, let states):
            .network(NetworkFunction(try function.network.thawed(), like: function), parameters: parameters, states: states)
        case .list(let fields): .list(try fields.map { try $0.thawed() })
        case .record(let fields): .record(try fields.map { ($0.name, try $0.value.thawed()) })
        case .parameter, .state, .function, .shared, .constant: self
        }
    }
}

/// The arrays that `state` made in the block that runs. (The array is held with its identity, which would else be another's soon.)
struct StateMarks {
    private var arrays: [ObjectIdentifier: NDArray] = [:]
    private let held = SharedReservation()

    /// - Throws: `ArrayError.outOfMemory`.
    mutating func insert(_ array: NDArray) throws {
        // A dictionary that grows holds its old and new places for a while.
        try held.grow(by: 4 &* MemoryLayout<(ObjectIdentifier, NDArray)>.stride)
        arrays[array.identity] = array
    }

    func contains(_ array: NDArray) -> Bool { arrays[array.identity] != nil }
}

extension SourceUnit {
    /// Whether a name is assigned a call of `state` somewhere: then it stays one when the block changes a part of it.
    fileprivate func isAssignedState(_ symbol: SymbolID) -> Bool {
        resolution.definitions(of: symbol).contains { definition in
            guard case .value(let value) = definition.kind, case .call(let callee, _) = tree[value], case .name(let name) = tree[callee] else { return false }
            return tree[name] == "state"
        }
    }
}

extension Definition.Kind {
    /// By `=`.
    fileprivate var isAssignment: Bool {
        switch self {
        case .value, .unpacked, .function, .part: true
        case .parameter, .element, .removal: false
        }
    }
}
