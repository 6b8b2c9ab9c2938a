// Passes through networks as the language has them: what goes in and comes out of layers of the program's own may be lists and records.

import ActArray
import ActMachine
import ActNetwork
import ActSyntax

extension NetworkFunction {
    package static func with(states: [NDArray], _ function: NetworkFunction) -> NetworkFunction {
        var network = function.network
        network.states = states
        return NetworkFunction(network, like: function)
    }

    package func replacing(_ parameters: [NDArray], _ states: [NDArray]) -> NetworkFunction {
        var network = network
        network.parameters = parameters
        network.states = states
        return NetworkFunction(network, like: self)
    }

    /// The output, and the states after it.
    package func passed(_ x: Value, isTraining: Bool, _ machine: Machine) throws -> (Value, [NDArray]) {
        let pass = Pass(isTraining: isTraining, random: machine.random)
        let output = try result(of: x, pass, machine)
        if isTraining { machine.random = pass.random }
        return (output, pass.takeStates(of: network.states))
    }

    /// - Throws: `NetworkError.input` where a layer cannot take what it gets.
    package func result(of x: Value, _ pass: Pass, _ machine: Machine) throws -> Value {
        guard let first = network.layers.first else { return x }
        if isLayer, let own = first.bare as? ProgramLayer { return try own.call(Arguments([x]), pass) }
        // Several numbers are several inputs where there are several.
        let signal = first.isOpen && (!x.isArrayLike || first.inputNames.count != 1) ? Signal(x) : .array(try input(x, machine))
        if isLayer { return try Value(first(signal, pass)) }
        // In the function of a layer a network is a part of that layer's pass.
        return try Value(machine.layerRun == nil ? network(signal, pass) : network.inner(signal, pass))
    }

    private func input(_ value: Value, _ machine: Machine) throws -> NDArray {
        switch value {
        case .number, .bool, .array: return try value.point()
        case .list(let list): if case .array(let array) = try machine.makeArray(list.elements) { return array }
        default: break
        }
        throw RuntimeError.badArgument(of: name, name: "x", index: 0, expected: .array, found: value)
    }
}

extension Value {
    /// A list of numbers is meant as an array.
    fileprivate var isArrayLike: Bool {
        switch self {
        case .number, .bool, .array: true
        case .list(let list): !list.elements.isEmpty && list.elements.allSatisfy { if case .array(let array) = $0 { array.rank == 0 } else { $0.isNumeric } }
        default: false
        }
    }
}

extension Value: ProgramValue {
    package func asArray() throws -> NDArray? {
        switch self {
        case .number, .bool, .array: return try point()
        case .list(let list) where !list.elements.isEmpty && list.elements.allSatisfy(\.isNumeric):
            let numbers = try list.elements.map { try $0.point() }
            return numbers.allSatisfy { $0.rank == 0 } ? try NDArray.stacked(numbers, axis: 0) : nil
        default: return nil
        }
    }

    package func parts(named names: [String]) -> [Signal]? {
        switch self {
        case .list(let list): return list.elements.map(Signal.init)
        case .record(let record):
            let fields = names.compactMap { record[$0] }
            return fields.count == record.fields.count ? fields.map(Signal.init) : nil
        default: return nil
        }
    }

    package var isNothing: Bool { if case .none = self { true } else { false } }

    package init(_ signal: Signal) throws {
        switch signal {
        case .array(let array): self = try Value(array)
        case .list(let parts): self = try .list(parts.map(Value.init))
        case .nothing: self = .none
        case .other(let value): self = value as? Value ?? .none
        }
    }
}

extension Signal {
    package init(_ value: Value) {
        if case .array(let array) = value { self = .array(array) } else { self = .other(value) }
    }
}

extension Machine {
    /// Runs `body` as a part of a pass: layers that it calls train as the pass does, gather in it, and draw from it.
    package func inside<Result>(_ run: LayerRun, _ body: () throws -> Result) rethrows -> Result {
        let outer = layerRun, pass = run.pass
        layerRun = run
        // In training layers draw from the pass, functions of the program from the session: here they share one stream.
        if pass.isTraining { random = pass.random }
        defer {
            if pass.isTraining { pass.random = random }
            layerRun = outer
        }
        return try body()
    }
}
