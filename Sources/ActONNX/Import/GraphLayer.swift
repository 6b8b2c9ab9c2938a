// A layer that is a part of a loaded graph, or all of it: nodes, and the arrays that they learn under the names that they have in the model.

import ActArray
import ActNetwork
import ActRows

package struct GraphLayer: Layer {
    /// An array of the model that is not a constant.
    struct Held {
        enum Role { case parameter, state }

        let name: String
        let array: NDArray
        let type: ONNXElementType
        let role: Role
    }

    let program: GraphProgram
    private let names: [Held.Role: [String]]
    let types: [String: ONNXElementType]
    package var parameters: [NDArray]
    package var state: [NDArray]

    init(_ program: GraphProgram, held: [Held]) {
        self.program = program
        let parts = [Held.Role.parameter, .state].map { role in held.filter { $0.role == role } }
        names = [.parameter: parts[0].map(\.name), .state: parts[1].map(\.name)]
        types = Dictionary(held.map { ($0.name, $0.type) }, uniquingKeysWith: { first, _ in first })
        parameters = parts[0].map(\.array)
        state = parts[1].map(\.array)
    }

    package var parameterNames: [String] { names[.parameter] ?? [] }
    package var stateNames: [String] { names[.state] ?? [] }
    package var type: ElementType? { parameters.first?.type ?? program.inputs.first?.type.storage }

    /// Of one input whose other sizes are all known.
    package var inputShape: [Int]? {
        guard program.inputs.count == 1, let sizes = program.inputs[0].shape, !sizes.isEmpty else { return nil }
        let known = sizes.dropFirst().compactMap(\.self)
        return known.count == sizes.count - 1 ? known : nil
    }

    /// Rows of other lengths may be meant where only the graph says what it takes.
    package var inputWidth: Int? { nil }
    package var form: LayerForm { .program }
    package var nesting: Int32 { 1 }
    package var isPure: Bool { false }
    package var actsOnRows: Bool { false }
    package var isOpen: Bool { true }
    package var inputNames: [String] { program.inputs.map(\.name) }

    /// The operators in a row, those of a long one with the first and the last.
    package var text: String {
        let names = program.nodes.map(\.operation.name)
        if names.isEmpty { return "Identity" }
        return names.count <= 4 ? names.joined(separator: ", ") : "\(names[0]), … \(names.count - 2) more …, \(names[names.count - 1])"
    }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        let result = try self(Signal.array(x), pass)
        guard let array = try result.array else { throw NetworkError.endsInNoArray(layer: text, found: result.kind) }
        return array
    }

    /// Of several inputs the signal is the list of them, or a record by their names; of several outputs the result is a list.
    package func callAsFunction(_ x: Signal, _ pass: Pass) throws -> Signal {
        var values: [String: GraphValue] = [:]
        for (port, signal) in zip(program.inputs, try inputs(of: x)) { values[port.name] = try port.value(of: signal) }
        for (name, array) in zip(parameterNames, parameters) { values[name] = .array(array, types[name] ?? .float) }
        for (name, array) in zip(stateNames, state) { values[name] = .array(pass.latest(array), types[name] ?? .float) }
        let run = try program.run(values, states: Dictionary(zip(stateNames, state), uniquingKeysWith: { first, _ in first }), pass)
        return run.count == 1 ? run[0].signal : .list(run.map(\.signal))
    }

    private func inputs(of x: Signal) throws -> [Signal] {
        let ports = program.inputs
        if ports.count == 1 { return [x] }
        let given = x.parts(named: ports.map(\.name))
        guard let given, given.count == ports.count else { throw ONNXInputError.count(expected: ports.map(\.name), found: given?.count ?? 1) }
        return given
    }
}

extension GraphProgram.Port {
    /// What comes in as the graph wants it: in its element type, whole numbers checked.
    fileprivate func value(of signal: Signal) throws -> GraphValue {
        if holder != .tensor {
            if holder == .optional, signal.isNothing { return .nothing }
            if holder == .sequence, let parts = signal.parts(named: []) {
                let element = GraphProgram.Port(name: name, type: type)
                return .list(try parts.map(element.value), type)
            }
        }
        guard let array = try signal.array else { throw ONNXInputError.notAnArray(name, kind: signal.kind) }
        if let shape, shape.count != array.rank { throw ONNXInputError.rank(name, expected: shape.count, found: array.shape) }
        let known = type == .undefined ? array.type.asONNX : type
        guard let storage = known.storage else { throw ONNXInputError.notAnArray(name, kind: known.name) }
        let typed = try array.converted(to: storage)
        if let limits = known.limits, array.type != .bool, !array.isTraced {
            for number in try array.toDoubles() {
                guard number == number.rounded(), number.isFinite else { throw ONNXInputError.notWhole(name, number) }
                guard limits.contains(number), number.magnitude <= 0x1p53 else { throw ONNXInputError.outOfRange(name, number, known) }
            }
        }
        return .array(typed, known)
    }
}

extension ElementType {
    var asONNX: ONNXElementType {
        switch self {
        case .bool: .bool
        case .f32: .float
        case .f64: .double
        }
    }
}

extension GraphValue {
    fileprivate var signal: Signal {
        switch self {
        case .array(let array, _): .array(array)
        case .list(let elements, _): .list(elements.map(\.signal))
        case .nothing: .nothing
        }
    }
}
