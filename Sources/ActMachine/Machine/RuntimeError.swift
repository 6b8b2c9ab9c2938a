// What goes wrong while a program runs, as data. The host says it in words; `Fault` ties it to a place.

import ActArray
import ActRows
import ActSyntax

/// `@unchecked Sendable`: the values in it stay with the thread that runs their program; helpers of the engine run no program and throw `ArrayError`.
package enum RuntimeError: Error, @unchecked Sendable {
    // Names
    case unknownName(String)
    case localWithoutValue
    case capturedWithoutValue
    case noField(String, of: Value)

    // Values of the wrong kind
    case operands(String, Value, Value)
    case operand(String, Value)
    case notCallable(Value)
    case notIterable(Value)
    case notDifferentiable(Value)
    case cannotIndex(Value)
    case cannotChange(Value)
    case cannotStore(Value)
    case badKey(Value, of: Value)
    case maskOfList(mask: Int, count: Int)
    case cannotCompare(String, Value, Value)
    case notACondition(Value)
    case unpackCount(expected: Int, found: Int)
    case structuresDiffer(StructureDifference)
    case gradientMisfit(GradientMisfit)
    case leafOfStructure(String, Value, Value)

    // Arrays
    case raggedRows([Int], at: Int, [Int])
    case positionOutOfRange(index: Int, size: Int, of: String)
    case positionNotWhole(Double)

    // Calls
    case missingArgument(String, of: String)
    case tooManyArguments(of: Function, given: Int)
    case unknownArgument(String, of: Function)
    case argumentTwice(String, of: String)
    /// Argument `index` (or the one of that name) of a built-in is of no use.
    case badArgument(of: String, name: String, index: Int, expected: Expectation, found: Value)

    // Limits
    case recursionTooDeep
    case tooDeep
    /// A composition or a network of more parts than `maximumNesting`.
    case tooManyLayers
    case timeLimit(Double)
    case forbidden(String)

    // The program's own
    case user(String)
    /// What was asserted, as it is written, where that is known.
    case assertion(String?)
    case exit(Int32)
}

/// How structures that should be equal differ. `@unchecked Sendable`: as for `RuntimeError`, which carries it.
package enum StructureDifference: @unchecked Sendable {
    /// Only one of two records has the field.
    case fieldOfLeft(String)
    case fieldOfRight(String)
    /// Only one of several records has the field.
    case fieldOfOne(String)
    case listLengths(Int, Int)
    /// At the same place one has a list, or a record with that field, and another something else.
    case list(Int, beside: Value)
    case field(String, beside: Value)
    /// The first of the records that a function goes along has that field, and another value has not.
    case fieldOfFirst(String, beside: Value)
    /// One value is of another kind than another, which may be missing.
    case kinds(Value, Value?)
    /// What goes along a function's argument or value has other parts than that.
    case partCount(Direction, of: String, Int, Int)
    case partShape(Direction, of: String, [Int], [Int])

    /// What a directional derivative takes beside what it is taken at.
    package enum Direction: Sendable {
        /// A direction from the point.
        case direction
        /// A direction at the value, which is carried back.
        case cotangent
    }
}

/// How a gradient differs from the parameters that it is to change; paths are those of parameters, empty for all of them.
package enum GradientMisfit {
    case shape(path: String, parameter: [Int], gradient: [Int])
    case count(path: String, parameters: Int, gradient: Int)
    /// With articles.
    case kind(path: String, parameter: String, gradient: String)
    /// The gradient has nothing there.
    case missing(path: String)
    /// There is no such parameter.
    case extra(path: String)
}

/// An error that has found its place in the program.
package struct Fault: Error {
    package let diagnostic: Diagnostic
    package let kind: Kind
    /// Where in a network it happened, if the diagnostic says so.
    package let layer: Int?

    package init(diagnostic: Diagnostic, kind: Kind, layer: Int? = nil) {
        self.diagnostic = diagnostic
        self.kind = kind
        self.layer = layer
    }

    package enum Kind: Equatable { case error, interrupted, limit, exit(Int32) }

    /// Ties `error` to the running instruction of `machine`.
    package static func wrap(_ error: Error, _ machine: Machine, operands: (Value, Value)? = nil) -> Fault {
        if let fault = error as? Fault { return fault }
        if let unknown = error as? ElementsUnknown {
            // Nobody reads it.
            return Fault(diagnostic: Diagnostic(.interrupted, "\(unknown)"), kind: .error)
        }
        let kind: Kind =
            switch error {
            case ArrayError.interrupted: .interrupted
            case RuntimeError.timeLimit, ArrayError.outOfMemory: .limit
            case RuntimeError.exit(let status): .exit(status)
            default: .error
            }
        return Fault(diagnostic: machine.host.diagnostic(for: error, operands: operands), kind: kind)
    }
}
