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
    func start(for parameters: [NDArray]) -> any DescentState { FunctionDescentState(function: function, machine: machine) }
}

private struct FunctionDescentState: DescentState {
    let function: Function
    let machine: Machine
    private var state = Value.none

    init(function: Function, machine: Machine) {
        self.function = function
        self.machine = machine
    }

    mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], epoch: Double) throws {
        func list(_ arrays: [NDArray]) throws -> Value { try .list(arrays.map { try Value($0) }) }
        let result = try machine.call(function, Arguments([list(parameters), list(gradients), state]))
        guard case .list(let pair) = result, pair.elements.count == 2, case .list(let changed) = pair.elements[0], changed.elements.count == parameters.count
        else {
            throw TrainingRefusal.optimizerWithoutPair(function.name, result)
        }
        for (index, value) in changed.elements.enumerated() {
            guard value.isNumeric, try value.point().shape == parameters[index].shape else {
                throw TrainingRefusal.optimizerChangesShape(function.name, parameters[index].shape, value)
            }
            parameters[index] = try value.point().detached().converted(to: parameters[index].type)
            try parameters[index].evaluate()
        }
        state = pair.elements[1]
    }
}
