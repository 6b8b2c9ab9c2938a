// The parameters that only built-ins have, since their arguments are values of the language.

import ActArray
import ActGrad
import ActMachine
import ActRows

/// Ways to read an argument that its type alone does not tell: `Input<Reading.Numbers>` gives an array.
enum Reading {
    /// An array in which a bool counts as 0 or 1.
    enum Numbers {}
    /// An array of rank 1 at least.
    enum Vector {}
    /// A number that a derivative may follow.
    struct Scalar { let number: Double }
    /// Sizes: a number, or several.
    enum Shape {}
    /// Axes: a number, or several.
    struct Axes { let axes: [Int] }
    /// The elements of a list, array, string or record.
    enum Elements {}
    /// Any number of arguments.
    enum Rest {}
    /// A shape written as separate arguments or as one.
    enum Sizes {}
}

extension Signature {
    /// Anything, to be looked at by the body.
    package mutating func value(_ name: String, role: ArgumentRole = .followed) -> Input<Value> { parameter(name, .value, text: nil, role: role) }

    /// - Parameters:
    ///   - fallback: What counts when it is left out; `nil` is told apart from a given `none`.
    ///   - text: The default as it is written.
    package mutating func value(_ name: String, default fallback: Value?, _ text: String, role: ArgumentRole = .followed) -> Input<Value> {
        parameter(name, .value, default: fallback, text: text, role: role)
    }

    mutating func valueOrNone(_ name: String, role: ArgumentRole = .followed) -> Input<Value> { value(name, default: nil, "none", role: role) }

    /// An array, or what makes one: numbers and bools become arrays of rank 0, lists of numbers arrays.
    mutating func array(_ name: String, role: ArgumentRole = .followed) -> Input<NDArray> { parameter(name, .array, text: nil, role: role) }

    mutating func arrayOrNone(_ name: String, role: ArgumentRole = .followed) -> Input<NDArray?> { parameter(name, .array, text: "none", role: role) }

    /// As `array`; bools count as 0 or 1.
    mutating func numbers(_ name: String, role: ArgumentRole = .followed) -> Input<Reading.Numbers> { parameter(name, .array, text: nil, role: role) }

    /// As `array`, of rank 1 at least.
    mutating func vector(_ name: String, role: ArgumentRole = .followed) -> Input<Reading.Vector> { parameter(name, .array, text: nil, role: role) }

    mutating func vectorOrNone(_ name: String, role: ArgumentRole = .followed) -> Input<Reading.Vector?> {
        parameter(name, .array, text: "none", role: role)
    }

    /// A number or an array, each kept as it is.
    mutating func operand(_ name: String, default fallback: Double? = nil, text: String? = nil, role: ArgumentRole = .followed) -> Input<Operand> {
        parameter(name, .array, default: fallback.map { .number($0) }, text: text ?? fallback.map(Format.number), role: role)
    }

    /// A number that a derivative may follow.
    mutating func scalar(_ name: String, default fallback: Double? = nil) -> Input<Reading.Scalar> {
        parameter(name, .number, default: fallback.map(Reading.Scalar.init), text: fallback.map(Default.text), role: .followed)
    }

    mutating func function(_ name: String) -> Input<Function> { parameter(name, .function, text: nil, role: .steps) }

    mutating func shape(_ name: String) -> Input<Reading.Shape> { parameter(name, .shape, text: nil, role: .steps) }

    mutating func shapeOrNone(_ name: String) -> Input<Reading.Shape?> { parameter(name, .shape, text: "none", role: .steps) }

    mutating func elements(_ name: String) -> Input<Reading.Elements> { parameter(name, .elements, text: nil, role: .followed) }

    mutating func rest(_ name: String, role: ArgumentRole = .followed) -> Input<Reading.Rest> {
        parameter(name, .value, text: nil, role: role, isVariadic: true)
    }

    // MARK: Those that mean the same wherever they occur

    /// The sizes of an array to be made: `zeros(2, 3)` or `zeros((2, 3))`.
    mutating func sizes() -> Input<Reading.Sizes> { parameter("shape", .shape, text: nil, role: .steps, isVariadic: true) }

    /// The axes to work along, by default all.
    mutating func axes(_ name: String = "axis") -> Input<Reading.Axes?> {
        parameter(name, .axes, text: "none", role: .steps)
    }

    /// The axes to work along, by default one.
    mutating func axes(default fallback: Int) -> Input<Reading.Axes> {
        parameter("axis", .axes, default: Reading.Axes(axes: [fallback]), text: Default.text(Double(fallback)), role: .steps)
    }

    /// One axis to work along, by default all elements in a row.
    mutating func axis() -> Input<Int?> { wholeOrNone("axis") }

    mutating func keepdims() -> Input<Bool> { flag("keepdims", default: false) }

    mutating func elementType(default fallback: ElementType = .f64) -> Input<ElementType> {
        parameter("dtype", .elementType, default: fallback, text: Default.text(fallback.name), role: .steps)
    }

    mutating func elementTypeOrNone() -> Input<ElementType?> { parameter("dtype", .elementType, text: "none", role: .steps) }
}
