// Networks and functions for other programs: what `save` does with .onnx and .py.

import ActArray
import ActGrad
import ActLayers
import ActMachine
import ActNetwork
import ActRows

/// The settings of `save` that go with files for other programs.
struct ModelForm {
    let input: Input<Value>, type: Input<ElementType>, framework: Input<String?>

    init(_ takes: inout Signature) {
        input = takes.valueOrNone("input", role: .opaque)
        type = takes.elementType(default: .f32)
        framework = takes.textOrNone("framework")
    }

    /// The name of the first one that is given, and says something.
    func given(_ call: Call) throws -> String? {
        if call.isGiven(input) { return "input" }
        if try call[type] != .f32 { return "dtype" }
        return try call[framework] == nil ? nil : "framework"
    }
}

extension FileFormats {
    static func saveModel(_ argument: Input<Value>, _ path: String, _ form: ModelForm, _ call: Call) throws {
        guard case .function(let function) = call[argument] else { throw FileRefusal.modelOf(call[argument], path) }
        if try call[form.framework] != nil { throw FileRefusal.frameworkOfOther(path) }
        let machine = call.machine, type = try call[form.type]
        guard let format = machine.modelFormats?.onnx else { throw unknown(path, ".onnx", isLoading: false, call) }
        // What running it does besides computing (`seed`) is undone.
        let random = machine.random
        defer { machine.random = random }
        let names = try HeldArrays(of: function).named
        try machine.writeFile(path, format.export(model(function, form, path, call), names: names, numbers: type))
    }

    /// The module, and beside it the weights (`net.safetensors`) and what to compare with (`net.check.safetensors`).
    static func saveSource(_ argument: Input<Value>, _ path: String, _ form: ModelForm, _ call: Call) throws {
        guard case .function(let function) = call[argument] else { throw FileRefusal.modelOf(call[argument], path) }
        if try call[form.type] != .f32 { throw FileRefusal.optionOfModels("dtype", path) }
        guard let name = try call[form.framework] else { throw FileRefusal.frameworkNeeded(path) }
        let machine = call.machine, random = machine.random
        guard let frameworks = machine.modelFormats?.frameworks else { throw unknown(path, ".py", isLoading: false, call) }
        guard let framework = frameworks.first(where: { $0.name == name }) else { throw call.fail(form.framework, .words(frameworks.map(\.name))) }
        defer { machine.random = random }
        let base = String(path.dropLast(3)), stem = String(base[(base.lastIndex(of: "/").map { base.index(after: $0) } ?? base.startIndex)...])
        let names = try HeldArrays(of: function).named
        let export = try framework.export(model(function, form, path, call), names: names, stem: stem)
        var arrays: [(name: String, array: NDArray)] = []
        if let network = function.network?.network {
            arrays =
                Array(zip(network.parameterNames, network.parameters)).map { (name: $0, array: $1) }
                + zip(network.stateNames, network.states).map { (name: $0, array: $1) }
        }
        let weights = "\(base).safetensors", all = arrays + export.constants
        if let own = function.network, export.constants.isEmpty, try own.network.isSavable {
            if !all.isEmpty { try machine.writeFile(weights) { try own.write(into: $0) } }
        } else if !all.isEmpty {
            try machine.writeFile(weights) { try Safetensors.write(all, into: $0) }
        }
        try machine.writeFile("\(base).check.safetensors") { try Safetensors.write(export.check, into: $0) }
        try machine.writeText(path) { try $0.append(export.text) }
    }

    private static func model(_ function: Function, _ form: ModelForm, _ path: String, _ call: Call) throws -> ExportedModel {
        if let network = function.network?.network { return .network(network, shape: try shape(form.input, of: network, function, path, call)) }
        let machine = call.machine
        return .function(function.name, try arguments(form.input, of: function, path, call)) { try array(of: function, $0, machine) }
    }

    /// The shape of one input of a network.
    private static func shape(_ input: Input<Value>, of network: Network, _ function: Function, _ path: String, _ call: Call) throws -> [Int] {
        if call.isGiven(input) { return try call.shape(input) }
        guard let shape = network.layers.first?.inputShape else { throw FileRefusal.inputNeeded(function.name, count: 1, path) }
        return shape
    }

    /// The arguments that a function needs, with their shapes.
    private static func arguments(_ input: Input<Value>, of function: Function, _ path: String, _ call: Call) throws -> [(name: String, shape: [Int])] {
        let needed = function.parameters.filter { $0.fallback == nil && !$0.isVariadic }.map(\.name), names = needed.isEmpty ? ["x"] : needed
        return zip(names, try shapes(input, names.count, of: function, path, call)).map { (name: $0, shape: $1) }
    }

    private static func array(of function: Function, _ inputs: [NDArray], _ machine: Machine) throws -> NDArray {
        let value = try machine.call(function, Arguments(inputs.map { .array($0) }))
        guard let array = try value.asArray() else { throw FileRefusal.modelGives(value, function.name) }
        return array
    }

    /// One shape for each argument: of several they are a list.
    private static func shapes(_ input: Input<Value>, _ count: Int, of function: Function, _ path: String, _ call: Call) throws -> [[Int]] {
        guard call.isGiven(input) else { throw FileRefusal.inputNeeded(function.name, count: count, path) }
        if count == 1 {
            // Also a list of one.
            if case .list(let list) = call[input], list.elements.count == 1, case let only = list.elements[0], !only.isNumber {
                return [try call.shape(only, at: input.index)]
            }
            return [try call.shape(input)]
        }
        guard case .list(let list) = call[input], list.elements.count == count else { throw FileRefusal.inputNeeded(function.name, count: count, path) }
        return try list.elements.map { try call.shape($0, at: input.index) }
    }
}

extension Value {
    fileprivate var isNumber: Bool { if case .number = self { true } else { false } }
}
