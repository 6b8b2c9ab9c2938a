// What `fit` trains as the language has it: a network whose ends take or give lists and records, or any function of parameters in a
// structure. Training sees arrays in order; here they are put together again.

import ActArray
import ActLayers
import ActMachine
import ActNetwork
import ActRows

/// Rows of data in a structure: every array in it has as many.
indirect enum RowTree {
    case array
    case list(Structure.Parts<RowTree>)
    case record(Structure.Parts<(name: String, value: RowTree)>)

    /// Takes a value apart; its arrays are appended in order.
    /// - Throws: `ArrayError.outOfMemory`; an error of the argument for what is no array.
    init(_ value: Value, arrays: inout [NDArray], _ call: Call, _ argument: Input<Value>) throws {
        try Interrupt.check()
        switch value {
        case .record(let record):
            self = .record(try Structure.Parts(record.fields.map { ($0.key, try RowTree($0.value, arrays: &arrays, call, argument)) }))
        case .list(let list) where list.elements.contains(where: \.holdsRows):
            self = .list(try Structure.Parts(list.elements.map { try RowTree($0, arrays: &arrays, call, argument) }))
        default:
            arrays.append(try call.array(value, argument))
            self = .array
        }
    }

    func value(_ arrays: inout ArraySlice<NDArray>) throws -> Value {
        try Interrupt.check()
        switch self {
        case .array: return try arrays.popFirst().map { try Value($0) } ?? .none
        case .list(let parts): return try .list(parts.elements.map { try $0.value(&arrays) })
        case .record(let fields):
            var values = Fields()
            for field in fields.elements { values[field.name] = try field.value.value(&arrays) }
            return try .record(values)
        }
    }
}

extension Value {
    fileprivate var holdsRows: Bool {
        switch self {
        case .array(let array): array.rank > 0
        case .record, .list: true
        default: false
        }
    }
}

struct FitModel: Model {
    /// What makes predictions of parameters and inputs.
    private enum Body {
        case network(NetworkFunction)
        case function(Function, Structure)
    }

    private let machine: Machine
    private let body: Body
    private let inputs: RowTree
    private let outputs: Outputs
    let trains: [Bool]
    var parameters: [NDArray]
    var states: [NDArray]

    /// The structure of the last predictions.
    private final class Outputs { var structure: Structure? }

    /// A network that gets or gives more than one array.
    init(_ function: NetworkFunction, inputs: RowTree, _ machine: Machine) {
        self.machine = machine
        body = .network(function)
        self.inputs = inputs
        outputs = Outputs()
        trains = function.network.trains
        parameters = function.network.parameters
        states = function.network.states
    }

    /// `model=`: a function of parameters and inputs.
    init(_ function: Function, of value: Value, inputs: RowTree, _ machine: Machine) throws {
        self.machine = machine
        self.inputs = inputs
        outputs = Outputs()
        var leaves: [NDArray] = []
        let structure = try Structure(value, leaves: &leaves)
        parameters = leaves
        body = .function(function, structure)
        trains = structure.trains
        states = structure.states
    }

    func callAsFunction(_ x: [NDArray], _ pass: Pass) throws -> [NDArray] {
        var rest = x[...]
        let input = try inputs.value(&rest)
        let output: Value
        switch body {
        case .network(let function): output = try function.replacing(parameters, states).result(of: input, pass, machine)
        case .function(let function, _):
            let value = try value
            // Layers in the structure are in training mode when `fit` trains, and share its pass.
            output = try machine.inside(LayerRun(pass)) { try machine.call(function, Arguments([value, input])) }
        }
        var leaves: [NDArray] = []
        outputs.structure = try Structure(output, leaves: &leaves)
        return leaves
    }

    /// The network, or the parameters, as the program has them.
    var value: Value {
        get throws {
            switch body {
            case .network(let function): return .function(Native(function.replacing(parameters, states)))
            case .function(_, let structure):
                var leaves = parameters[...], gathered = states[...]
                return try structure.value(&leaves, states: &gathered)
            }
        }
    }

    /// Arrays in the order of the parameters, in their structure: gradients.
    func value(like arrays: [NDArray]) throws -> Value {
        var copy = self
        copy.parameters = arrays
        return try copy.value
    }

    func predictions(_ arrays: [NDArray]) throws -> Value {
        var rest = arrays[...]
        return try outputs.structure?.value(&rest) ?? .none
    }

    func firstBroken(by x: [NDArray], _ pass: Pass) throws -> String? {
        guard case .network(let function) = body, case .array = inputs else { return nil }
        return try function.replacing(parameters, states).network.firstBroken(by: x, pass)
    }

    func name(ofParameter index: Int) -> (name: String, owner: String) {
        switch body {
        case .network(let function): function.network.name(ofParameter: index)
        case .function(_, let structure):
            structure.paths.indices.contains(index) ? (structure.paths[index], "the parameters") : ("", "the parameters")
        }
    }
}
