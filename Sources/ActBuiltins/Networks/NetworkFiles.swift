// Networks in files: what `load` and `save` do with .safetensors.

import ActArray
import ActFiles
import ActLayers
import ActMachine
import ActNetwork
import ActRows

extension FileFormats {
    /// An ONNX model as the network that it is. Files beside it that hold its arrays are read from its folder alone.
    static func loadModel(_ path: String, _ call: Call) throws -> Value {
        let machine = call.machine
        guard let format = machine.modelFormats?.onnx else { throw unknown(path, ".onnx", isLoading: true, call) }
        let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? "./"
        var door: FileDoor?
        func beside(_ location: String) throws -> [UInt8] {
            let file = folder + location
            // What the session may not read stays closed; and of what it may, only what lies in the folder is open.
            do { _ = try machine.files.place(of: file) } catch is FileDoor.Forbidden { throw RuntimeError.forbidden(file) }
            let own = try door ?? FileDoor(allowing: [Array(folder.utf8)])
            door = own
            return try own.read(file)
        }
        return try NetworkFunction(machine.readFile(path) { try format.network($0, path: path, external: beside) }).asValue()
    }

    static func loadNetwork(_ path: String, into: Input<NetworkFunction?>, _ call: Call) throws -> Value {
        let content = try call.machine.readFile(path) { try Safetensors.content($0, path: path) }
        if let function = try call[into] {
            var network = function.network
            try network.fill(from: content, path: path)
            return try NetworkFunction(network, like: function, history: History()).asValue()
        }
        if let (network, isLayer) = try Network.read(content, path: path, program: CallingProgram(call: call)) {
            return try (isLayer ? NetworkFunction(network.layers[0]) : NetworkFunction(network)).asValue()
        }
        if let setting = try StructureFile.value(content, path: path, program: CallingProgram(call: call)) { return try Value(setting) }
        var fields = Fields()
        for (name, array) in content.arrays { fields[name] = try Value(array) }
        return try .record(fields)
    }

    static func saveNetwork(_ argument: Input<Value>, _ path: String, _ call: Call) throws {
        let value = call[argument], machine = call.machine
        switch value {
        case .function(let function) where function.network != nil:
            try machine.writeFile(path) { try function.network?.write(into: $0) }
        // No array can have the name of the metadata.
        case .record(let record) where record.fields.values.allSatisfy(\.isNumeric) && record["__metadata__"] == nil:
            let arrays = try record.fields.map { (name: $0.key, array: try call.array($0.value, argument)) }
            try machine.writeFile(path) { try Safetensors.write(arrays, into: $0) }
        case .record, .list:
            if let unfit = try firstUnsavable(in: value, "") { throw FileRefusal.unsavablePart(unfit.part, path: unfit.path) }
            let held = SharedReservation()
            defer { withExtendedLifetime(held) {} }
            let setting = try Setting(value.mappingLeaves { if case .array(let array) = $0 { .array(try array.detached()) } else { $0 } }, held, machine)
            try machine.writeFile(path) { try StructureFile.write(setting, into: $0) }
        default: throw FileRefusal.notATensorFile(value)
        }
    }

    /// The first part of a structure that no file holds.
    static func firstUnsavable(in value: Value, _ path: String) throws -> (path: String, part: Value)? {
        try Interrupt.check()
        switch value {
        case .none, .bool, .number, .string, .array: return nil
        case .list(let list):
            for (index, element) in list.elements.enumerated() { if let found = try firstUnsavable(in: element, "\(path)[\(index)]") { return found } }
            return nil
        case .record(let record):
            for (name, field) in record.fields { if let found = try firstUnsavable(in: field, path.isEmpty ? name : "\(path).\(name)") { return found } }
            return nil
        case .function(let function) where function.network != nil: return nil
        case .function(let function) where NamedFunction(function, nil).isNamed: return nil
        default: return (path, value)
        }
    }
}

/// What names mean where `load` is called.
struct CallingProgram: ProgramNames {
    let call: Call

    private var module: Module? { call.machine.currentOrigin?.code.module }

    func function(named name: String) -> NamedFunction? {
        func found(_ name: String) -> Function? { if case .function(let function)? = module?.meaning(of: name) { function } else { nil } }
        if let configured = ConfiguredActivation(text: name, functions: found) { return NamedFunction(Native(configured), call.machine) }
        guard let function = found(name) else { return nil }
        return NamedFunction(function, call.machine)
    }

    func layer(ofKind kind: String, _ settings: [String: Setting], path: String) throws -> (any Layer)? {
        try call.machine.modelFormats?.onnx.layer(ofKind: kind, settings, path: path)
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
