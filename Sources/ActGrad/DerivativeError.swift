// What can go wrong with derivatives, and what is wrong with a parameter of a row.

import ActArray

/// What can go wrong with derivatives, as data: the wording is ActLanguage's.
package enum DerivativeError: Error, Equatable {
    /// The operation has no derivative, and the result depends on it; it ran at that place of the program.
    case notDifferentiable(operation: String, at: Site = .unknown)
    /// A gradient was asked of a function whose value is an array: `f'` and the Jacobian serve there. `by` is what the program called for it.
    case gradientOfArray(shape: [Int], by: String? = nil)
    /// A value that is to be made smaller does not change with what may change: through `through`, or not at all.
    case independent(through: String?)
    /// The slope that a program gives of a function has another shape than its argument, or than the Jacobian.
    case slopeShape(function: String, slope: [Int], expected: [Int])
    /// Kinks are looked for in functions that act elementwise.
    case notElementwise
    /// The point is not an array of numbers.
    case notNumbers(ElementType)
    /// A row got the wrong number of parameters.
    case parameterCount(row: String, takes: Int, given: Int)
    /// A parameter of a row is missing, or of no use.
    case parameter(row: String, name: String, ParameterFault)
}

/// What is wrong with a parameter of a row.
package enum ParameterFault: Equatable, Sendable {
    /// It has no default and was left out.
    case missing
    case notWhole
    /// It needs these axes.
    case axes([String])
}
