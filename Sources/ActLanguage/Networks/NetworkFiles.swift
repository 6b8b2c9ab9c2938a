// Networks in files: what `load` and `save` do with .safetensors.

import ActArray
import ActNetwork
import ActRows
import OrderedCollections

extension FileFormats {
    static func loadNetwork(_ path: String, into: Input<NetworkFunction?>, _ call: Call) throws -> Value {
        let bytes = try call.machine.session.readFile(path)
        return try NetworkWording.applied {
            let content = try Safetensors.content(bytes, path: path)
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
    }

    static func saveNetwork(_ argument: Input<Value>, _ path: String, _ call: Call) throws {
        let value = call[argument], bytes: [UInt8]
        switch value {
        case .function(let function as NetworkFunction): bytes = try NetworkWording.applied { try function.network.fileBytes() }
        case .record(let record): bytes = try Safetensors.bytes(record.fields.map { ($0.key, try call.array($0.value, argument)) })
        default: throw call.cannot("a .safetensors file holds a network or a record of arrays, not \(value.kind)")
        }
        try call.machine.session.writeFile(path, bytes)
    }
}

extension Call {
    /// A function that a file names: one of the program's, or a built-in.
    fileprivate func function(named name: String) -> NamedFunction? {
        let value = machine.currentOrigin?.code.module[name] ?? machine.session.builtins.value(named: name)
        guard case .function(let function)? = value else { return nil }
        return NamedFunction(function, machine)
    }
}
