// How a row says what it takes: it declares its parameters in order and keeps an `Input` for each, by which its body reads what a call gave.
//
//     LayerRow("Dropout", "…") { takes in
//         let rate = takes.number("rate", default: 0.5, .within(0..<1))
//         return { settings, _ in Dropout(settings, rate: try settings[rate]) }
//     }

/// Where a body finds the argument of a parameter, and what counts when it was left out.
/// - Parameter T: What reading gives. Each target says with subscripts how its calls are read.
package struct Input<T> {
    package let index: Int
    package let fallback: T?
    package let bounds: Bounds?
}

extension Input: Sendable where T: Sendable {}

/// The parameters of a row, in the order in which it declares them.
package struct Signature {
    package private(set) var parameters: [Parameter] = []
    /// What may be given by name besides, and is not shown: the body reads it from the call.
    package private(set) var options: [Parameter] = []

    package init() {}

    /// `f(x, num=50)`
    package static func text(_ name: String, _ parameters: [Parameter]) -> String { "\(name)(\(parameters.map(\.text).joined(separator: ", ")))" }

    /// Parameters that were declared elsewhere.
    package mutating func add(_ declared: [Parameter]) { parameters += declared }

    package mutating func options(_ declared: [Parameter]) { options += declared }

    /// Declares a parameter of any kind; the others are made of it.
    /// - Parameter text: The default as it is written; `nil` where an argument must be given.
    package mutating func parameter<T>(
        _ name: String, _ kind: Parameter.Kind, expected: Expectation? = nil, default fallback: T? = nil, text: String?, role: ArgumentRole,
        bounds: Bounds? = nil, isVariadic: Bool = false, isOfStart: Bool = false, summary: String = ""
    ) -> Input<T> {
        parameters.append(
            Parameter(
                name: name, kind: kind, expected: expected, fallback: text, isVariadic: isVariadic, role: role, bounds: bounds, isOfStart: isOfStart,
                summary: summary))
        return Input(index: parameters.count - 1, fallback: fallback, bounds: bounds)
    }

    /// A number that no derivative follows.
    package mutating func number(
        _ name: String, default fallback: Double? = nil, _ bounds: Bounds? = nil, role: ArgumentRole = .steps, summary: String = ""
    ) -> Input<Double> {
        parameter(name, .number, default: fallback, text: fallback.map(Default.text), role: role, bounds: bounds, summary: summary)
    }

    package mutating func numberOrNone(_ name: String, _ bounds: Bounds? = nil, role: ArgumentRole = .steps, summary: String = "") -> Input<Double?> {
        parameter(name, .number, default: .some(nil), text: "none", role: role, bounds: bounds, summary: summary)
    }

    package mutating func whole(
        _ name: String, default fallback: Int? = nil, _ bounds: Bounds? = nil, role: ArgumentRole = .steps, summary: String = ""
    ) -> Input<Int> {
        parameter(name, .whole, default: fallback, text: fallback.map(String.init), role: role, bounds: bounds, summary: summary)
    }

    /// - Parameter fallback: What counts when it is left out; `none` may be given to mean none.
    package mutating func wholeOrNone(_ name: String, default fallback: Int? = nil, _ bounds: Bounds? = nil, role: ArgumentRole = .steps) -> Input<Int?> {
        parameter(name, .whole, default: .some(fallback), text: fallback.map(String.init) ?? "none", role: role, bounds: bounds)
    }

    package mutating func flag(_ name: String, default fallback: Bool? = nil, role: ArgumentRole = .steps, summary: String = "") -> Input<Bool> {
        parameter(name, .flag, default: fallback, text: fallback.map(Default.text), role: role, summary: summary)
    }

    package mutating func text(_ name: String, default fallback: String? = nil, role: ArgumentRole = .steps) -> Input<String> {
        parameter(name, .text, default: fallback, text: fallback.map(Default.text), role: role)
    }

    package mutating func textOrNone(_ name: String, role: ArgumentRole = .steps) -> Input<String?> {
        parameter(name, .text, default: .some(nil), text: "none", role: role)
    }

    package mutating func flagOrNone(_ name: String, role: ArgumentRole = .steps) -> Input<Bool?> {
        parameter(name, .flag, default: .some(nil), text: "none", role: role)
    }

    /// One of several words, which are the cases of an enumeration.
    package mutating func choice<Word: Choice>(_ name: String, default fallback: Word) -> Input<Word> {
        parameter(
            name, .text, expected: .words(Word.allCases.map(\.rawValue)), default: fallback,
            text: Default.text(fallback.rawValue), role: .steps)
    }
}

/// The words that an argument may be.
package protocol Choice: CaseIterable, RawRepresentable<String> {}
