// Every built-in function and constant. The chapters are in files of their own; what a chapter lacks is added there as one row.
//
// An example is lines of a program, each followed by what it shows as a comment; comment lines below go on with that. A test runs them.

import ActArray
import ActMachine

package enum BuiltinRows {
    package static let all: [Builtin] =
        make + choices + shape + elementwise + special + activations + reduce + statistics + order + along + linear + contraction + decompositions + functions
        + sequences + derivatives + tangents + formulas
        + networks + attention + losses + optimizers + schedules + figures + text + files + checks + ranks

    package static let constants: [(name: String, value: Double)] = [
        ("pi", .pi), ("π", .pi), ("e", 2.718281828459045), ("inf", .infinity), ("nan", .nan),
    ]
}

// MARK: - What several chapters need

extension Call {
    /// Computes without warnings: for questions about numbers, such as `isclose`, whose steps no warning is to mention.
    func quietly(_ body: () throws -> NDArray) throws -> NDArray {
        let isEnabled = NumericEvents.isEnabled
        try machine.drainNumericEvents()
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = isEnabled }
        let result = try body()
        try result.evaluate()
        return result
    }
}
