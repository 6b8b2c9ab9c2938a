// What training and optimisers ask of a structure beyond its numbers: which of them change, what passes gather, how two structures differ.

import ActArray
import ActMachine
import ActNetwork

extension Structure {
    /// For each leaf whether training changes it: those of frozen layers it does not.
    package var trains: [Bool] {
        switch self {
        case .number, .array: [true]
        case .list(let parts): parts.elements.flatMap(\.trains)
        case .record(let fields): fields.elements.flatMap(\.value.trains)
        case .network(let function, let parameters): function.network?.network.trains ?? parameters.trains
        case .constant: []
        }
    }

    /// The states of the networks in it, in order.
    package var states: [NDArray] {
        switch self {
        case .list(let parts): parts.elements.flatMap(\.states)
        case .record(let fields): fields.elements.flatMap(\.value.states)
        case .network(let function, _): function.network?.network.states ?? []
        case .number, .array, .constant: []
        }
    }

    /// The value with given leaves and states, taken from the front of each.
    package func value(_ leaves: inout ArraySlice<NDArray>, states: inout ArraySlice<NDArray>) throws -> Value {
        switch self {
        case .number, .array, .constant: return try value(&leaves)
        case .list(let parts): return try .list(parts.elements.map { try $0.value(&leaves, states: &states) })
        case .record(let fields):
            var values = Fields()
            for field in fields.elements { values[field.name] = try field.value.value(&leaves, states: &states) }
            return try .record(values)
        case .network(let function, _):
            guard case .function(let value) = try value(&leaves), let made = value.network, let function = function.network else { return .none }
            let count = function.network.states.count
            let own = Array(states.prefix(count))
            states = states.dropFirst(count)
            return .function(Native(NetworkFunction.with(states: own, made)))
        }
    }

    /// The paths of the leaves: `W`, `blocks[0].b`.
    package var paths: [String] {
        func paths(_ structure: Structure, _ path: String) -> [String] {
            switch structure {
            case .number, .array: [path]
            case .list(let parts): parts.elements.enumerated().flatMap { paths($1, "\(path)[\($0)]") }
            case .record(let fields): fields.elements.flatMap { paths($0.value, path.isEmpty ? $0.name : "\(path).\($0.name)") }
            case .network(_, let parameters): paths(parameters, path)
            case .constant: []
            }
        }
        return paths(self, "")
    }

    /// Where the structure of a gradient differs; `nil` if it does not.
    /// - Throws: `NetworkError.settingsDiffer` for the gradient of a network that was made differently.
    package func misfit(of gradient: Structure, path: String = "") throws -> GradientMisfit? {
        switch (self, gradient) {
        case (.number, .number), (.array, .array), (.constant, .constant), (.number, .array), (.array, .number): return nil
        case (.list(let listA), .list(let listB)):
            let a = listA.elements, b = listB.elements
            guard a.count == b.count else { return .count(path: path, parameters: a.count, gradient: b.count) }
            for (index, pair) in zip(a, b).enumerated() { if let found = try pair.0.misfit(of: pair.1, path: "\(path)[\(index)]") { return found } }
            return nil
        case (.record(let recordA), .record(let recordB)):
            let a = recordA.elements, b = recordB.elements
            func name(_ field: String) -> String { path.isEmpty ? field : "\(path).\(field)" }
            for field in a {
                guard let match = b.first(where: { $0.name == field.name }) else { return .missing(path: name(field.name)) }
                if let found = try field.value.misfit(of: match.value, path: name(field.name)) { return found }
            }
            return b.first { field in !a.contains { $0.name == field.name } }.map { .extra(path: name($0.name)) }
        case (.network(let function, let a), .network(let other, let b)):
            try function.requireSettings(of: other)
            return try a.misfit(of: b, path: path)
        case (.network(_, let a), _): return try a.misfit(of: gradient, path: path)
        default: return .kind(path: path, parameter: kind, gradient: gradient.kind)
        }
    }

    private var kind: String {
        switch self {
        case .number: "a number"
        case .array: "an array"
        case .list: "a list"
        case .record: "a record"
        case .network: "a network"
        case .constant(let value): value.kind
        }
    }
}
