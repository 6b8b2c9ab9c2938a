// Layers and networks as values: functions with parameters. `>>` joins them, arithmetic works on their parameters, `grad` takes them apart
// and puts them together again.

import ActArray
import ActFiles
import ActMachine
import ActNetwork
import ActRows
import ActSyntax

package final class NetworkFunction: NativeFunction {
    package let network: Network
    /// One layer by itself: `Dense(2, 3)`, `net[0]`.
    package let isLayer: Bool
    package let history: History
    /// What it is called, once somebody has asked: a replay asks at every call.
    private var text: String?

    package init(_ network: Network, history: History = History()) {
        self.network = network
        self.history = history
        isLayer = false
    }

    package init(_ layer: any Layer) {
        network = Network([layer])
        history = History()
        isLayer = true
    }

    /// Another network of the same kind: a layer stays a layer.
    package init(_ network: Network, like other: NetworkFunction, history: History? = nil) {
        self.network = network
        self.history = history ?? other.history
        isLayer = other.isLayer
    }

    /// The same network with other parameters, which do not show in its name.
    private convenience init(_ network: Network, renewing other: NetworkFunction) {
        self.init(network, like: other)
        text = other.text
    }

    /// In the form of .safetensors.
    package func write(into sink: ByteSink) throws { try network.write(into: sink, isLayer: isLayer) }

    package var depth: Int32 { network.nesting }
    package var isPure: Bool { network.layers.allSatisfy(\.isPure) }
    package var name: String {
        if let text { return text }
        let name = network.text
        text = name
        return name
    }
    package var typeName: String { isLayer ? "layer" : "network" }
    package var parameters: [Parameter] { [Parameter(name: "x", fallback: nil), Parameter(name: "training", fallback: "false")] }

    package func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        var arguments = arguments
        var training = Value.undefined
        if let index = arguments.named.firstIndex(where: { $0.name == "training" }) { training = arguments.named.remove(at: index).value }
        if let own {
            // Whatever its function takes.
            let pass = try pass(training, machine)
            return try machine.watched(name, arguments.positional) { try run(pass, machine) { try own.call(arguments, pass) } }
        }
        if let names = network.layers.first?.inputNames, names.count != 1 { try gather(&arguments, names) }
        guard arguments.positional.count <= 2 else { throw RuntimeError.tooManyArguments(of: function, given: arguments.positional.count) }
        var x = arguments.positional.first
        if arguments.positional.count > 1 { training = arguments.positional[1] }
        for (name, value) in arguments.named {
            guard name == "x" else { throw RuntimeError.unknownArgument(name, of: function) }
            x = value
        }
        guard let x else { throw RuntimeError.missingArgument("x", of: name) }
        let pass = try pass(training, machine)
        return try machine.watched(name, [x]) { try run(pass, machine) { try result(of: x, pass, machine) } }
    }

    /// Several inputs, given one by one or by their names, become the list that the first layer takes.
    private func gather(_ arguments: inout Arguments, _ names: [String]) throws {
        let named = names.compactMap { name in arguments.named.first { $0.name == name }?.value }
        guard arguments.positional.count + named.count == names.count else { return }
        arguments.positional = [try .list(arguments.positional + named)]
        arguments.named.removeAll { names.contains($0.name) }
    }

    /// The one layer, if the program made it.
    var own: ProgramLayer? { isLayer ? network.layers.first?.bare as? ProgramLayer : nil }

    /// In the function of a layer it is a part of that layer's pass.
    private func pass(_ training: Value, _ machine: Machine) throws -> Pass {
        let outer = machine.layerRun?.pass, random = machine.random
        switch training {
        case .undefined: return Pass(isTraining: outer?.isTraining ?? false, random: random, inside: outer)
        case .bool(let trains): return Pass(isTraining: trains, random: random, inside: outer)
        default: throw RuntimeError.badArgument(of: name, name: "training", index: 1, expected: .kind(.flag), found: training)
        }
    }

    /// Runs `body`; what it draws in training is taken from the session's source.
    private func run(_ pass: Pass, _ machine: Machine, _ body: () throws -> Value) throws -> Value {
        let value = try body()
        if pass.isTraining { machine.random = pass.random }
        return value
    }

    package var partCount: Int { network.layerCount }
    /// Networks made of others share their layers.
    package var footprint: Int { 768 &+ network.layers.count &* 480 }

    package func composition(with other: Function, isFirst: Bool, _ machine: Machine) throws -> NativeFunction? {
        for part in (other as? Composition).map({ Array($0.parts) }) ?? [other] where part.makesLayers {
            throw LayerRefusal.makerAsPart(part.name, takesArguments: part.parameters.contains { $0.fallback == nil })
        }
        try machine.warnOfLayersInside(other)
        let others = machine.layers(other)
        let joined = Network(isFirst ? network.layers + others : others + network.layers)
        try joined.checkWidths()
        return NetworkFunction(joined)
    }

    // MARK: Parts

    /// What `layer.name` finds.
    package var fieldNames: [String] {
        guard isLayer, let layer = network.layers.first else { return [] }
        if let own { return own.plan.names }
        return layer.parts.isEmpty ? layer.parameterNames + layer.stateNames : layer.parts.map(\.name)
    }

    package func field(_ name: String) throws -> Value? {
        guard isLayer, let layer = network.layers.first else { return nil }
        if let own { return try own.plan.value(named: name, own.parameters, own.state) }
        if !layer.parts.isEmpty { return layer.parts.first { $0.name == name }.map { .function(Native(NetworkFunction($0.network))) } }
        if let index = layer.parameterNames.firstIndex(of: name) { return .array(layer.parameters[index]) }
        if let index = layer.stateNames.firstIndex(of: name) { return .array(layer.state[index]) }
        return nil
    }

    package func replacing(field name: String, with value: Value) throws -> NativeFunction? {
        guard isLayer, var layer = network.layers.first else { return nil }
        if var own {
            try own.plan.replace(name, with: value, in: &own)
            layer.bare = own
        } else if let index = layer.parts.firstIndex(where: { $0.name == name }), case .function(let function) = value, let part = function.network {
            layer.parts[index].network = part.network
        } else if let index = layer.parameterNames.firstIndex(of: name) {
            layer.parameters[index] = try layer.fitted(value, to: layer.parameters[index], named: name)
        } else if let index = layer.stateNames.firstIndex(of: name) {
            layer.state[index] = try layer.fitted(value, to: layer.state[index], named: name)
        } else {
            return nil
        }
        return NetworkFunction(Network([layer]), like: self)
    }

    package func part(at index: Int, of function: Function) throws -> Value? {
        let layer = network.layers[try position(index)]
        // A layer by itself is its own first part, so that a program need not know how many there are.
        if isLayer { return .function(function) }
        return part(layer)
    }

    private func part(_ layer: any Layer) -> Value {
        if let function = (layer.bare as? FunctionLayer)?.function.object as? Function { return .function(function) }
        return .function(Native(isLayer ? self : NetworkFunction(layer)))
    }

    package func slice(_ range: SliceRange) throws -> Value? {
        var part = network
        part.layers = (0..<range.count).map { network.layers[range.start &+ $0 &* range.step] }
        guard !part.layers.isEmpty else { throw LayerRefusal.emptyPart }
        return .function(Native(NetworkFunction(part)))
    }

    package var elements: [Value]? {
        get throws { network.layers.map(part) }
    }

    package func replacing(part index: Int, with value: Value) throws -> NativeFunction? {
        let layers: [any Layer]
        switch value {
        case .function(let function) where function.network != nil: layers = function.network?.network.layers ?? []
        case .function(let function) where function.activation != nil: layers = [FunctionLayer(NamedFunction(function, nil))]
        default: throw LayerRefusal.notAPart(value)
        }
        var result = network
        let position = try position(index)
        result.layers.replaceSubrange(position...position, with: layers)
        return isLayer && result.layers.count > 1 ? NetworkFunction(result) : NetworkFunction(result, like: self)
    }

    private func position(_ index: Int) throws -> Int {
        let count = network.layers.count
        let position = index < 0 ? index + count : index
        guard position >= 0, position < count else { throw RuntimeError.positionOutOfRange(index: index, size: count, of: typeName) }
        return position
    }

    // MARK: Parameters

    package func parameterValues() throws -> Value? {
        if isLayer, let layer = network.layers.first { return try layer.parameterRecord() }
        return try network.parameterList()
    }

    package func replacing(parameters: Value) throws -> NativeFunction? {
        var result = network
        if isLayer { try result.layers[0].setParameters(parameters) } else { try result.setParameters(parameters) }
        return NetworkFunction(result, renewing: self)
    }

    package var parameterArrays: [NDArray]? { network.parameters }

    package func replacing(parameterArrays: [NDArray]) throws -> NativeFunction? {
        var result = network
        result.parameters = parameterArrays
        return NetworkFunction(result, renewing: self)
    }

    package func requireSettings(of other: Function) throws {
        if let other = other.network, let found = try difference(from: other) { throw NetworkError.settingsDiffer(found) }
    }

    private func difference(from other: NetworkFunction) throws -> SettingDifference? {
        try isLayer && other.isLayer ? network.layers[0].difference(from: other.network.layers[0]) : network.difference(from: other.network)
    }

    package func arithmetic(_ operation: BinaryOperator, with other: Value, isLeft: Bool, _ machine: Machine) throws -> Value? {
        guard let mine = try parameterValues() else { return nil }
        let theirs: Value
        switch other {
        case .function(let function):
            guard let parameters = try function.parameterValues() else { return nil }
            try requireSettings(of: function)
            theirs = parameters
        case .number, .bool, .list, .record: theirs = other
        case .array(let array) where array.rank == 0: theirs = other
        default: return nil
        }
        let result = try isLeft ? machine.leafwise(operation, mine, theirs) : machine.leafwise(operation, theirs, mine)
        var computed = network
        if isLayer { try computed.layers[0].setParameters(result) } else { try computed.setParameters(result) }
        // Computed now: a training loop must not pile up work.
        for array in computed.parameters { try array.evaluate() }
        return .function(Native(NetworkFunction(computed, renewing: self)))
    }
}

extension Function {
    /// The layer or network that this function is.
    package var network: NetworkFunction? { (self as? Native)?.body as? NetworkFunction }
}

extension Function {
    /// Whether it is `Dense` or its like: a layer only once it is called.
    fileprivate var makesLayers: Bool { layerMaker != nil || builtinName.map { LayerRows.named($0) != nil } ?? false }
}

extension Machine {
    /// A function as layers.
    package func layers(_ function: Function) -> [any Layer] {
        if let network = function.network { return network.network.layers }
        return switch function {
        case let composition as Composition: composition.parts.flatMap(layers)
        default: [FunctionLayer(NamedFunction(function, self))]
        }
    }
}

extension NamedFunction {
    /// A function of the program as a part of a network.
    /// - Parameter machine: What calls it; `nil` if it is never called.
    package init(_ function: Function, _ machine: Machine?) {
        if let activation = function.activation {
            if let settings = activation.settings {
                self.init(activation.row, settings, name: function.name, object: function)
            } else {
                self.init(activation.row, nesting: function.depth, object: function)
            }
            return
        }
        let isName = function.name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        let isFound = function.builtinName != nil || function is Closure || function.layerMaker != nil
        self.init(name: function.name, isNamed: isName && isFound, nesting: function.depth, object: function) { x in
            guard let machine else { return x }
            return Signal(try machine.call(function, Arguments([Value(x)])))
        }
    }
}

// MARK: Parameters as records and lists

extension Layer {
    func parameterRecord() throws -> Value {
        if let own = bare as? ProgramLayer { return try own.plan.parameterRecord(own.parameters) }
        var fields = Fields()
        if !parts.isEmpty {
            for part in parts { fields[part.name] = try part.network.parameterList() }
        } else {
            for (name, array) in zip(parameterNames, parameters) { fields[name] = .array(array) }
        }
        return try .record(fields)
    }

    mutating func setParameters(_ value: Value) throws {
        if var own = bare as? ProgramLayer {
            try own.plan.take(value, into: &own)
            bare = own
            return
        }
        guard case .record(let record) = value else { throw NetworkError.parameters(.notARecord(kind: value.kind)) }
        if !parts.isEmpty {
            var changed = parts
            for index in changed.indices {
                guard let value = record[changed[index].name] else { throw NetworkError.parameters(.missingPart(changed[index].name, layer: text)) }
                try changed[index].network.setParameters(value)
            }
            parts = changed
            return
        }
        if let unknown = record.fields.keys.first(where: { !parameterNames.contains($0) }) { throw NetworkError.parameters(.unknown(unknown, layer: text)) }
        var arrays = parameters
        for (index, name) in parameterNames.enumerated() {
            guard let value = record[name] else { throw NetworkError.parameters(.missing(name, layer: text)) }
            arrays[index] = try fitted(value, to: arrays[index], named: name)
        }
        parameters = arrays
    }

    /// A value for a parameter, in its shape and the layer's element type.
    func fitted(_ value: Value, to parameter: NDArray, named name: String) throws -> NDArray {
        guard value.isNumeric else { throw NetworkError.parameters(.notAnArray(name, layer: text, kind: value.kind)) }
        let array = try value.point()
        guard array.shape == parameter.shape else {
            throw NetworkError.parameterShape(layer: text, name: name, expected: parameter.shape, found: array.shape)
        }
        return try array.converted(to: parameter.type)
    }
}

extension Network {
    func parameterList() throws -> Value { try .list(layers.map { try $0.parameterRecord() }) }

    mutating func setParameters(_ value: Value) throws {
        guard case .list(let list) = value, list.elements.count == layers.count else {
            throw NetworkError.parameters(.notLayers(count: layers.count))
        }
        for index in layers.indices { try layers[index].setParameters(list.elements[index]) }
    }
}
