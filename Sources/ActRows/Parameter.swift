// What the rows of act's tables take. Built-ins, layers, losses, optimisers, learning rates and figure options are made of these parameters,
// each written once: signature texts, checks, defaults, help, completion, the reference and what derivatives do follow from them.
//
// What must stay true: the default that a signature shows is the value that counts when the argument is left out.

/// What a derivative does at an argument.
package enum ArgumentRole: Sendable {
    /// The result is computed from it by operations with derivatives.
    case followed
    /// A count, an axis, a position, a name: the result changes in jumps with it, or not at all.
    case steps
    /// The result depends on it, but no derivative goes through: taking one is an error.
    case opaque
}

/// A parameter of a function, as help and errors show it.
package struct Parameter: Sendable {
    package let name: String
    package let kind: Kind
    package let expected: Expectation
    /// The default as it is written, or `nil` where an argument must be given.
    package let fallback: String?
    package let isVariadic: Bool
    package let role: ArgumentRole
    package let bounds: Bounds?
    /// Whether it only says how something begins: what has begun does not depend on it.
    package let isOfStart: Bool
    /// What it is for; empty where the name says it.
    package let summary: String

    package init(
        name: String, kind: Kind = .value, expected: Expectation? = nil, fallback: String?, isVariadic: Bool = false, role: ArgumentRole = .followed,
        bounds: Bounds? = nil, isOfStart: Bool = false, summary: String = ""
    ) {
        self.name = name
        self.kind = kind
        self.expected = expected ?? .kind(kind)
        self.fallback = fallback
        self.isVariadic = isVariadic
        self.role = role
        self.bounds = bounds
        self.isOfStart = isOfStart
        self.summary = summary
    }

    /// What it takes.
    package enum Kind: Sendable {
        /// Anything.
        case value
        case number
        case whole
        case flag
        case text
        /// An array or a number.
        case array
        case shape
        /// A whole number, or a list of them.
        case axes
        /// Whole numbers along axes, one for all or one for each.
        case sizes
        case elementType
        /// Something with elements.
        case elements
        case function
        /// A layer or a network.
        case network
    }

    /// As a signature shows it: `x`, `num=50`, `values…`.
    package var text: String { (isVariadic ? name + "…" : name) + (fallback.map { "=" + $0 } ?? "") }
}

/// The numbers that a parameter takes.
package struct Bounds: Equatable, Sendable {
    package let low, high: Double
    package let isLowOpen, isHighOpen: Bool

    private init(_ low: Double, _ high: Double, isLowOpen: Bool = false, isHighOpen: Bool = false) {
        (self.low, self.high, self.isLowOpen, self.isHighOpen) = (low, high, isLowOpen, isHighOpen)
    }

    package static func within(_ range: ClosedRange<Double>) -> Bounds { Bounds(range.lowerBound, range.upperBound) }
    package static func within(_ range: Range<Double>) -> Bounds { Bounds(range.lowerBound, range.upperBound, isHighOpen: true) }
    /// Finite numbers from one on.
    package static func within(_ range: PartialRangeFrom<Double>) -> Bounds { Bounds(range.lowerBound, .infinity, isHighOpen: true) }
    /// Positive finite numbers.
    package static let positive = Bounds(0, .infinity, isLowOpen: true, isHighOpen: true)

    /// Positive numbers and infinity.
    package static let aboveZero = Bounds(0, .infinity, isLowOpen: true)

    package func contains(_ number: Double) -> Bool {
        (isLowOpen ? number > low : number >= low) && (isHighOpen ? number < high : number <= high)
    }
}

/// Defaults as programs write them.
package enum Default {
    package static func text(_ number: Double) -> String { number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : "\(number)" }
    package static func text(_ flag: Bool) -> String { flag ? "true" : "false" }

    package static func text(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\"", "\\": result += "\\\(character)"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }
}
