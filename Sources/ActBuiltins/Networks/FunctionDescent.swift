// A function of the program as an optimiser.

import ActArray
import ActMachine
import ActNetwork

/// `(p, g, state) -> (p, state)`: lists of the parameters and their gradients, and whatever the function keeps.
struct FunctionDescent: Descent {
    let function: Function
    let machine: Machine

    func rate(at epoch: Double) -> Double? { nil }
    var takesAllRows: Bool { false }
    func start(for parameters: [NDArray]) -> any DescentState { FunctionDescentState(method: self) }

    /// The new parameters and the new state.
    func step(_ parameters: [NDArray], _ gradients: [NDArray], _ state: Value) throws -> ([NDArray], Value) {
        func list(_ arrays: [NDArray]) throws -> Value { try .list(arrays.map { try Value($0) }) }
        let result = try machine.call(function, Arguments([list(parameters), list(gradients), state]))
        guard case .list(let pair) = result, pair.elements.count == 2, case .list(let changed) = pair.elements[0], changed.elements.count == parameters.count
        else {
            throw TrainingRefusal.optimizerWithoutPair(function.name, result)
        }
        let arrays = try zip(changed.elements, parameters).map { value, old in
            guard value.isNumeric, case let array = try value.point(), array.shape == old.shape else {
                throw TrainingRefusal.optimizerChangesShape(function.name, old.shape, value)
            }
            return try array.converted(to: old.type)
        }
        return (arrays, pair.elements[1])
    }
}

private struct FunctionDescentState: DescentState {
    let method: FunctionDescent
    private var state = Value.none

    init(method: FunctionDescent) { self.method = method }

    mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], epoch: Double) throws {
        let (changed, state) = try method.step(parameters, gradients, state)
        parameters = try changed.map { try $0.detached() }
        for array in parameters { try array.evaluate() }
        self.state = state
    }
}
