// Layers that go through sequences step by step: RNN, GRU, LSTM. Sequences are shaped (rows of the batch, steps, numbers).

import ActArray
import ActGrad
import ActNeural
import ActRandom
import ActRows

/// The states after every step, or after the last one. Parameters are PyTorch's, transposed: one matrix for all gates, side by side in
/// PyTorch's order, and two biases.
package struct Recurrent: Layer {
    package let settings: LayerSettings
    package let type: ElementType?
    package let initializer: Initializer?
    package var parameters: [NDArray]
    private let cell: Recurrence.Cell
    /// Of a plain cell; only of tanh and relu is there a kernel for all steps.
    private let activation: NamedFunction?
    private let inputs, units: Int
    private let givesSequences: Bool
    private let weightType: ElementType

    fileprivate init(
        _ settings: LayerSettings, _ cell: Recurrence.Cell, activation: NamedFunction? = nil, inputs: Int, units: Int, givesSequences: Bool, hasBias: Bool,
        _ initializer: Initializer, type: ElementType, _ random: inout RandomSource
    ) throws {
        self.settings = settings
        self.type = type
        weightType = type
        self.initializer = initializer
        (self.cell, self.activation, self.inputs, self.units, self.givesSequences) = (cell, activation, inputs, units, givesSequences)
        func side(_ start: Initializer, _ rows: Int) throws -> NDArray {
            let gates = try (0..<cell.gates).map { _ in try start(shape: [rows, units], fanIn: rows, fanOut: units, type: type, &random) }
            return try NDArray.concatenated(gates, axis: 1)
        }
        func zeros() throws -> NDArray { try NDArray.full(0, shape: [cell.gates * units], type: type) }
        // States that are turned and not stretched neither vanish nor explode over many steps.
        let (fromInputs, fromState) = (try side(initializer, inputs), try side(Initializers.orthogonal, units))
        parameters = hasBias ? [fromInputs, try zeros(), fromState, try zeros()] : [fromInputs, fromState]
    }

    package var form: LayerForm {
        let cell: LayerForm.RecurrentCell =
            switch cell {
            case .plain: .plain(activation ?? .tanh)
            case .gru: .gru
            case .lstm: .lstm
            }
        return .recurrent(cell, givesSequences: givesSequences)
    }
    package var parameterNames: [String] { parameters.count > 2 ? ["W", "b", "U", "bU"] : ["W", "U"] }
    package var inputWidth: Int? { inputs }
    package var width: Width { .of(units) }

    package func callAsFunction(_ x: NDArray, _ pass: Pass) throws -> NDArray {
        guard x.rank == 3, x.shape[2] == inputs else { throw unfit(x, needs: .sequences(inputs)) }
        guard givesSequences || x.shape[1] > 0 else { throw unfit(x, needs: .oneStep) }
        let hasBias = parameters.count > 2
        var added = try NDArray.matmul(x.converted(to: weightType), parameters[0])
        if hasBias { added = try added + parameters[1] }
        let weights = parameters[hasBias ? 2 : 1], bias = hasBias ? parameters[3] : try NDArray.full(0, shape: [cell.gates * units], type: weightType)
        let states: NDArray
        if let activation, activation.recurrence == nil {
            states = try Recurrence.composed(cell, added, weights, bias) { try activation($0, pass) }
        } else {
            states = try Recurrence.states(cell, added, weights, bias)
        }
        return givesSequences ? states : try states.indexed(by: [.slice(start: nil, stop: nil, step: nil), .integer(-1)])
    }
}

extension NamedFunction {
    /// The operation of a plain cell with this activation, where there is a kernel for all steps.
    fileprivate var recurrence: UnaryOperation? {
        switch row?.name {
        case "tanh": .tanh
        case "relu": .relu
        default: nil
        }
    }
}

extension LayerRows {
    private static let sequences =
        "Sequences have the shape (rows, steps, numbers). The result is the state after every step, with `sequences=false` after the last."

    static let recurrentRows: [LayerRow] = [
        LayerRow(
            "RNN", "goes through sequences: h = activation(x @ W + b + h @ U + bU), from h = 0 on", details: sequences,
            example: "shape(RNN(3, 8)(ones(2, 5, 3)))   # (2, 5, 8)\nshape(RNN(3, 8, sequences=false)(ones(2, 5, 3)))   # (2, 8)"
        ) { takes in
            let (inputs, units, sequences) = takes.recurrence()
            let activation = takes.activation(default: .tanh), initializer = takes.initializer(), bias = takes.flag("bias", default: true),
                type = takes.floatType()
            return { settings, random in
                let activation = try settings[activation]
                return try Recurrent(
                    settings, .plain(activation.recurrence ?? .tanh), activation: activation, inputs: settings[inputs], units: settings[units],
                    givesSequences: settings[sequences], hasBias: settings[bias], settings[initializer, automatic: activation.weights], type: settings[type],
                    &random)
            }
        },
        gated(
            "GRU", .gru, "goes through sequences with a state that gates reset and renew",
            details:
                "r = σ(x @ Wr + br + h @ Ur + bUr), z the same with Wz, n = tanh(x @ Wn + bn + r (h @ Un + bUn)), h = (1 - z) n + z h. W holds Wr, Wz, Wn side by side."
        ),
        gated(
            "LSTM", .lstm, "goes through sequences with a memory that gates write, keep and read",
            details:
                "i, f, o = σ(x @ W + b + h @ U + bU) and g = tanh of the same, each with its part of W, in the order i f g o; m = f m + i g, h = o tanh(m)."),
    ]

    private static func gated(_ name: String, _ cell: Recurrence.Cell, _ summary: String, details: String) -> LayerRow {
        LayerRow(
            name, summary, details: details + " " + sequences,
            example: "shape(\(name)(3, 8)(ones(2, 5, 3)))   # (2, 5, 8)\nshape(\(name)(3, 8).W)   # (3, \(8 * cell.gates))"
        ) { takes in
            let (inputs, units, sequences) = takes.recurrence()
            let initializer = takes.initializer(), bias = takes.flag("bias", default: true), type = takes.floatType()
            return { settings, random in
                try Recurrent(
                    settings, cell, inputs: settings[inputs], units: settings[units], givesSequences: settings[sequences], hasBias: settings[bias],
                    settings[initializer, automatic: .glorot], type: settings[type], &random)
            }
        }
    }
}

extension Signature {
    fileprivate mutating func recurrence() -> (Input<Int>, Input<Int>, Input<Bool>) {
        (size("inputs"), size("units"), flag("sequences", default: true))
    }
}
