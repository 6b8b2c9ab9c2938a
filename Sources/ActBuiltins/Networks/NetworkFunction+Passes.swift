// Passes through networks as the language has them: what goes in and comes out of layers of the program's own may be lists and records.

import ActArray
import ActMachine
import ActNetwork
import ActSyntax

extension NetworkFunction {
    static func with(states: [NDArray], _ function: NetworkFunction) -> NetworkFunction {
        var network = function.network
        network.states = states
        return NetworkFunction(network, like: function)
    }

    func replacing(_ parameters: [NDArray], _ states: [NDArray]) -> NetworkFunction {
        var network = network
        network.parameters = parameters
        network.states = states
        return NetworkFunction(network, like: self)
    }

    /// The output, and the states after it.
    func passed(_ x: Value, isTraining: Bool, _ machine: Machine) throws -> (Value, [NDArray]) {
        let pass = Pass(isTraining: isTraining, random: machine.random)
        let output = try result(of: x, pass, machine)
        if isTraining { machine.random = pass.random }
        return (output, pass.takeStates(of: network.states))
    }

    /// - Throws: `NetworkError.input` where a layer cannot take what it gets.
    func result(of x: Value, _ pass: Pass, _ machine: Machine) throws -> Value {
        if isLayer, let layer = network.layers.first {
            if let own = layer.bare as? ProgramLayer { return try own.call(Arguments([x]), pass) }
            return try Value(layer(input(x, machine), pass))
        }
        let endsOpen = network.layers.last?.bare is ProgramLayer, startsOpen = network.layers.first?.bare is ProgramLayer && !x.isArrayLike
        guard startsOpen || endsOpen else {
            let input = try input(x, machine)
            // In the function of a layer a network is a part of that layer's pass.
            return try Value(machine.layerRun == nil ? network(input, pass) : network.inner(input, pass))
        }
        var value = startsOpen ? x : .array(try input(x, machine))
        for (position, layer) in network.layers.enumerated() {
            value = try pass.at(position) { () -> Value in
                if let own = layer.bare as? ProgramLayer { return try own.call(Arguments([value]), pass) }
                guard value.isNumeric else {
                    let before = position > 0 ? network.layers[position - 1].text : nil
                    throw LayerRefusal.notAnInput(value, from: before, layer.text, position: position)
                }
                do { return try Value(layer(value.point(), pass)) } catch NetworkError.input(let layer, nil, let needs, let shape) {
                    throw NetworkError.input(layer: layer, position: position, needs: needs, shape: shape)
                }
            }
        }
        return value
    }

    private func input(_ value: Value, _ machine: Machine) throws -> NDArray {
        switch value {
        case .number, .bool, .array: return try value.point()
        case .list(let list): if case .array(let array) = try machine.makeArray(list.elements) { return array }
        default: break
        }
        throw RuntimeError.badArgument(of: name, name: "x", index: 0, expected: "an array", found: value)
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

extension Machine {
    /// Runs `body` as a part of a pass: layers that it calls train as the pass does, gather in it, and draw from it.
    func inside<Result>(_ run: LayerRun, _ body: () throws -> Result) rethrows -> Result {
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
