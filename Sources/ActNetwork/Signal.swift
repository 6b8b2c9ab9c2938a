// What goes from layer to layer: arrays, or between functions and layers of the program whatever they hand each other.

import ActArray

package enum Signal {
    case array(NDArray)
    case list([Signal])
    case nothing
    case other(any ProgramValue)
}

/// A value of the language that is not an array.
package protocol ProgramValue {
    /// With its article, for messages.
    var kind: String { get }
    /// The array that it is meant as: that of a list of numbers.
    func asArray() throws -> NDArray?
    /// Of a list its elements, of a record the fields of these names; `nil` for what is neither, or has others.
    func parts(named names: [String]) -> [Signal]?
    var isNothing: Bool { get }
}

extension Signal {
    /// With its article, for messages.
    package var kind: String {
        switch self {
        case .array: "an array"
        case .list: "a list"
        case .nothing: "none"
        case .other(let value): value.kind
        }
    }

    /// The array that it is or is meant as.
    package var array: NDArray? {
        get throws {
            switch self {
            case .array(let array): array
            case .list, .nothing: nil
            case .other(let value): try value.asArray()
            }
        }
    }

    /// Of a list its elements, of a record the fields of these names.
    package func parts(named names: [String]) -> [Signal]? {
        switch self {
        case .list(let parts): parts
        case .other(let value): value.parts(named: names)
        case .array, .nothing: nil
        }
    }

    package var isNothing: Bool {
        switch self {
        case .nothing: true
        case .other(let value): value.isNothing
        case .array, .list: false
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
