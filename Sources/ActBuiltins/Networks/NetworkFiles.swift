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
        if let network = try Network(content, path: path, function: { call.function(named: $0) }) { return try NetworkFunction(network).asValue() }
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

extension Call {
    /// A function that a file names: one of the program's, or a built-in.
    fileprivate func function(named name: String) -> NamedFunction? {
        let value = machine.currentOrigin?.code.module.meaning(of: name)
        guard case .function(let function)? = value else { return nil }
        return NamedFunction(function, machine)
    }
}
