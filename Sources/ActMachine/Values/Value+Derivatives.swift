// Values under derivatives: as points, as results, and as holders of what a running derivative follows.

import ActArray
import ActGrad

extension Value {
    /// As a point where a derivative is taken.
    package func point() throws -> NDArray {
        switch self {
        case .number(let number): try NDArray.scalar(number, type: .f64)
        case .bool(let bool): try NDArray.scalar(bool ? 1 : 0, type: .f64)
        case .array(let array): array
        default: throw RuntimeError.notDifferentiable(self)
        }
    }

    /// The result of a function that is being differentiated.
    package func differentiable(of function: Function) throws -> NDArray {
        switch self {
        case .number, .bool, .array: return try point()
        case .list(let list):
            // A list of numbers is meant as an array.
            if !list.elements.isEmpty, list.elements.allSatisfy(\.isNumeric) {
                return try NDArray.stacked(list.elements.map { try $0.point() }, axis: 0)
            }
        default: break
        }
        throw MachineRefusal.noDerivative(of: function.name, self)
    }
}

extension Value {
    /// Appends the arrays in this value that a running derivative follows, and those that texts in it were made of.
    package func gatherTraced(into found: inout [NDArray]) throws {
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
    package func opaque(_ operation: String, _ inputs: [NDArray]) throws -> Value {
        try Interrupt.check()
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
