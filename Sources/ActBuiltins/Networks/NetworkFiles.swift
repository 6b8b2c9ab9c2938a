// Networks in files: what `load` and `save` do with .safetensors.

import ActArray
import ActMachine
import ActNetwork
import ActRows
import OrderedCollections

extension FileFormats {
    static func loadNetwork(_ path: String, into: Input<NetworkFunction?>, _ call: Call) throws -> Value {
        let content = try call.machine.readFile(path) { try Safetensors.content($0, path: path) }
        if let function = try call[into] {
            var network = function.network
            try network.fill(from: content, path: path)
            return try NetworkFunction(network, like: function, history: History()).asValue()
        }
        if let network = try Network(content, path: path, program: CallingProgram(call: call)) { return try NetworkFunction(network).asValue() }
        var fields = OrderedDictionary<String, Value>()
        for (name, array) in content.arrays { fields[name] = try Value(array) }
        return try .record(fields)
    }

    static func saveNetwork(_ argument: Input<Value>, _ path: String, _ call: Call) throws {
        let value = call[argument], machine = call.machine
        switch value {
        case .function(let function) where function.network != nil:
            try machine.writeFile(path) { try function.network?.network.write(into: $0) }
        case .record(let record):
            let arrays = try record.fields.map { (name: $0.key, array: try call.array($0.value, argument)) }
            try machine.writeFile(path) { try Safetensors.write(arrays, into: $0) }
        default: throw call.cannot("a .safetensors file holds a network or a record of arrays, not \(value.kind)")
        }
    }
}

/// What names mean where `load` is called.
private struct CallingProgram: ProgramNames {
    let call: Call

    private var module: Module? { call.machine.currentOrigin?.code.module }

    func function(named name: String) -> NamedFunction? {
        guard case .function(let function)? = module?.meaning(of: name) else { return nil }
        return NamedFunction(function, call.machine)
    }

    func layer(named name: String, _ settings: [String: Setting]) throws -> (any Layer)? {
        guard let maker = maker(named: name) else { return nil }
        let arguments = Arguments([], named: try settings.sorted { $0.key < $1.key }.map { ($0.key, try Value($0.value)) })
        guard case .function(let function) = try call.machine.call(maker, arguments) else { return nil }
        return function.network?.network.layers.first
    }

    /// A maker of the program, or of a file that it imported.
    private func maker(named name: String) -> Function? {
        if case .function(let function)? = module?.meaning(of: name), function.layerMaker != nil { return function }
        for variable in module?.variables ?? [] {
            if case .record(let record) = variable.value, case .function(let function)? = record[name], function.layerMaker?.name == name { return function }
        }
        return nil
    }
}
