// Networks and functions for other programs: what `save` does with .onnx.

import ActArray
import ActGrad
import ActMachine
import ActNetwork
import ActONNX
import ActRows

/// The settings of `save` that go with files for other programs.
struct ModelForm {
    let input: Input<Value>, type: Input<ElementType>

    init(_ takes: inout Signature) {
        input = takes.valueOrNone("input", role: .opaque)
        type = takes.elementType(default: .f32)
    }

    /// The name of the first one that is given.
    func given(_ call: Call) -> String? { call.isGiven(input) ? "input" : call.isGiven(type) ? "dtype" : nil }
}

extension FileFormats {
    static func saveModel(_ argument: Input<Value>, _ path: String, _ form: ModelForm, _ call: Call) throws {
        guard case .function(let function) = call[argument] else { throw FileRefusal.modelOf(call[argument], path) }
        let machine = call.machine, type = try call[form.type]
        // What running it does besides computing (`seed`) is undone.
        let random = machine.random
        defer { machine.random = random }
        let export: ONNXExport
        if let network = function.network?.network {
            let given = call.isGiven(form.input) ? try call.shape(form.input) : nil
            guard let shape = given ?? network.layers.first?.inputShape else { throw FileRefusal.inputNeeded(function.name, count: 1, path) }
            export = try ONNXExport(network, shape: shape, numbers: type)
        } else {
            let names = function.parameters.filter { $0.fallback == nil && !$0.isVariadic }.map(\.name)
            let arguments = zip(names.isEmpty ? ["x"] : names, try shapes(form.input, max(1, names.count), of: function, path, call)).map { ($0, $1) }
            export = try ONNXExport(arguments, numbers: type) { inputs in
                let value = try machine.call(function, Arguments(inputs.map { .array($0) }))
                guard let array = try value.asArray() else { throw FileRefusal.modelGives(value, function.name) }
                return array
            }
        }
        try machine.writeFile(path) { try export.model.write(into: $0) }
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
