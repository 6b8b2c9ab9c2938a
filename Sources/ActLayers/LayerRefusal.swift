// Why the machine refuses what a program asks of layers, as data.

import ActMachine
import ActSyntax

/// Of layers of the program, and of networks as values. `@unchecked Sendable`: the values in them stay with the thread that runs their program, as those
/// of `RuntimeError` do.
package enum LayerRefusal: Error, @unchecked Sendable {
    case stateOutsideLayer
    case returnFromLayer(String)
    case layerWithoutFunction(String, Value, at: Span?)
    case nearlyTraining(layer: String, parameter: String, at: Span?)
    /// `next`: the layer after it, if that is known.
    case layerWithoutArray(String, Value, next: String?, at: Span?)
    /// A pass assigns a field that is not a state.
    case assignedField(String, isTrained: Bool)
    case stateKind(String, StateKind, Value)
    case stateShape(String, [Int], [Int])
    case makerAsPart(String, takesArguments: Bool)
    case emptyPart
    case notAPart(Value)

    package enum StateKind: Sendable { case array, list(Int), record(Int) }

    /// Where it is about something else than the running expression.
    package var span: Span? {
        switch self {
        case .layerWithoutFunction(_, _, let span), .nearlyTraining(_, _, let span), .layerWithoutArray(_, _, _, let span): span
        default: nil
        }
    }
}
