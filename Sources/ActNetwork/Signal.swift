// What goes from layer to layer: arrays, or between functions and layers of the program whatever they hand each other.

import ActArray

package enum Signal {
    case array(NDArray)
    case other(any ProgramValue)
}

/// A value of the language that is no array.
package protocol ProgramValue {
    /// With its article, for messages.
    var kind: String { get }
    /// The array that it is meant as: that of a list of numbers.
    func asArray() throws -> NDArray?
}

extension Signal {
    /// With its article, for messages.
    package var kind: String {
        switch self {
        case .array: "an array"
        case .other(let value): value.kind
        }
    }

    /// The array that it is or is meant as.
    package var array: NDArray? {
        get throws {
            switch self {
            case .array(let array): array
            case .other(let value): try value.asArray()
            }
        }
    }
}

extension Layer {
    /// Of layers that take and give arrays alone.
    package func callAsFunction(_ x: Signal, _ pass: Pass) throws -> Signal {
        guard let array = try x.array else { throw NetworkError.notAnArray(layer: text, position: nil, before: nil, found: x.kind) }
        return .array(try self(array, pass))
    }

    /// That the layer gives what the next one cannot take.
    package func misfit(_ output: Signal, before next: any Layer, at position: Int, _ pass: Pass) -> any Error {
        NetworkError.notAnArray(layer: next.text, position: position, before: text, found: output.kind)
    }
}

extension Network {
    /// What is known of the first layer of an array that is wanted and not there: a network ends in it.
    func array(at end: Signal) throws -> NDArray {
        guard let array = try end.array else { throw NetworkError.endsInNoArray(layer: layers.last?.text ?? text, found: end.kind) }
        return array
    }
}
