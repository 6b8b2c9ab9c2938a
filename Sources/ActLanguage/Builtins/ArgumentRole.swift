// What becomes of derivatives in a call: each parameter has a role.
//
// What must stay true: no derivative is silently 0. An argument whose parameter says nothing else is followed, and a test compares the
// derivative in every one of these with differences.

import ActArray
import ActGrad
import ActRows
import OrderedCollections

extension Call {
    /// The result while a derivative is being taken.
    mutating func followed() throws -> Value {
        var lost: [NDArray] = []
        for (index, role) in form.roles.enumerated() where role != .steps {
            let isOpaque = role == .opaque
            for value in index == form.variadic ? rest : [values[index]] {
                // Text that was made of numbers is opaque wherever it goes.
                if isOpaque { try value.gatherTraced(into: &lost) } else if case .string(let text) = value { lost += text.origins }
            }
        }
        let result = try form.body(&self)
        return try lost.isEmpty ? result : result.opaque(row.name, lost)
    }
}

extension Value {
    /// Appends the arrays in this value that a running derivative follows, and those that texts in it were made of.
    func gatherTraced(into found: inout [NDArray]) throws {
        try Interrupt.check()
        switch self {
        case .array(let array): if array.isTraced { found.append(array) }
        case .string(let text): found += text.origins
        case .list(let list): for element in list.elements { try element.gatherTraced(into: &found) }
        case .record(let record): for value in record.fields.values { try value.gatherTraced(into: &found) }
        case .function(let closure as Closure): for value in closure.captures { try value.gatherTraced(into: &found) }
        case .function(let function): try function.parameterValues()?.gatherTraced(into: &found)
        default: break
        }
    }

    /// The same value as the result of an operation that no derivative goes through.
    /// - Throws: `DerivativeError.notDifferentiable` for a function, which cannot remember it.
    func opaque(_ operation: String, _ inputs: [NDArray]) throws -> Value {
        switch self {
        case .number(let number):
            return try Value(NotDifferentiable.result(NDArray.scalar(number, type: .f64), of: operation, inputs: inputs, .opaque))
        case .array(let array) where array.type != .bool:
            return try Value(NotDifferentiable.result(array, of: operation, inputs: inputs, .opaque))
        case .string(let text): return .string(Text(text.string, origins: text.origins + inputs))
        case .list(let list): return try .list(list.elements.map { try $0.opaque(operation, inputs) })
        case .record(let record): return try .record(record.fields.mapValues { try $0.opaque(operation, inputs) })
        case .function: throw DerivativeError.notDifferentiable(operation: operation)
        default: return self
        }
    }
}
