// What the machine and its values cannot do although it could be asked for, as data: formats, derivatives, structures. The host says it in words.

import ActSyntax

/// `@unchecked Sendable`: as for `RuntimeError`.
package enum MachineRefusal: Error, @unchecked Sendable {
    // Formats
    case formatTooLong(bytes: Int)
    case badFormat(String, FormatSpecError)
    /// `d` of a number that is not whole.
    case formatOfFraction(Double)
    case formatOfWholeWithPrecision
    /// A format of numbers that meets a text.
    case formatOfText(FormatSpec.Kind, String)
    case signOfText

    // Derivatives
    case derivativeOrder(Int)
    /// A derivative is taken at something that is not a number or array.
    case notAPoint(Value, of: String)
    /// The same of one argument, where `grad` would take it.
    case notAPointOfOne(Value, of: String)
    case nothingToDifferentiate(Wanted, of: String)
    /// `by` is what the program called for it.
    case noGradient(of: String, Value, by: String? = nil)
    case noDerivative(of: String, Value)
    case noGraph(of: String, Value)
    /// A function with `aux=true` gives no pair.
    case notAPair(Value, from: String)

    // Structures
    case notStackable(Value)
    /// What follows `...` in a record is not a record.
    case notSpreadable(Value)
    /// The argument, which is to be gone along, holds no array.
    case nothingToGoAlong(ArgumentPlace, Value)
    case numberToGoAlong(ArgumentPlace)
    case unequalAlong(ArgumentPlace, Int, Int, axis: Int)

    // Programs
    case tooManyCallsToExplain
    case importsItself(String)
    case graphOfNoFunction(String)

    /// An argument of a function, by its name or its number.
    package enum ArgumentPlace: Sendable { case named(String, of: String), numbered(Int, of: String) }

    package enum Wanted: Sendable { case gradient, derivatives, direction }
}
