// The functions that formulas are made of, besides sums, products and powers. A closed set: each question about one is one `switch`.

/// A function by its common name.
package enum Head: Hashable {
    case exp, log, log2, log10
    case sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh
    case erf, erfc
    /// The distribution and the density of the normal distribution.
    case normal, density
    /// The logistic function.
    case sigma
    /// log(1 + eᵘ), for its slope is σ(u).
    case softplus
    /// sin(u)/u.
    case sinc
    case abs, sign, floor, ceil, round, trunc
    case max, min
    /// The first argument held between the others.
    case clip
    case mod, floordiv, atan2, copysign
    /// Σⱼ of the argument.
    case total
    /// A function of the program by its name, and how often it is differentiated.
    case own(String, primes: Int)

    /// As books write it; the names of LaTeX that are not these are in its writer.
    var name: String {
        switch self {
        case .exp: "exp"
        case .log, .softplus: "log"
        case .log2: "log₂"
        case .log10: "log₁₀"
        case .sin, .sinc: "sin"
        case .cos: "cos"
        case .tan: "tan"
        case .asin: "asin"
        case .acos: "acos"
        case .atan: "atan"
        case .sinh: "sinh"
        case .cosh: "cosh"
        case .tanh: "tanh"
        case .asinh: "asinh"
        case .acosh: "acosh"
        case .atanh: "atanh"
        case .erf: "erf"
        case .erfc: "erfc"
        case .normal: "Φ"
        case .density: "φ"
        case .sigma: "σ"
        case .abs: "abs"
        case .sign: "sign"
        case .floor: "floor"
        case .ceil: "ceil"
        case .round: "round"
        case .trunc: "trunc"
        case .max: "max"
        case .min: "min"
        case .clip: "clip"
        case .mod: "mod"
        case .floordiv: "floordiv"
        case .atan2: "atan2"
        case .copysign: "copysign"
        case .total: "Σ"
        case .own(let name, let primes): name + String(repeating: "'", count: primes)
        }
    }

    /// As programs call it.
    var programName: String {
        switch self {
        case .log2: "log2"
        case .log10: "log10"
        case .sigma: "sigmoid"
        case .softplus: "softplus"
        case .sinc: "sinc"
        default: name
        }
    }

    /// Whether a power of it is written behind its name: sin²(x).
    var takesPower: Bool {
        switch self {
        case .abs, .max, .min, .clip, .mod, .floordiv, .atan2, .copysign, .total, .exp, .softplus, .sinc, .floor, .ceil: false
        default: true
        }
    }

    /// Whether its value is whole, or jumps only: its slope is 0.
    var isStep: Bool {
        switch self {
        case .sign, .floor, .ceil, .round, .trunc, .floordiv: true
        default: false
        }
    }
}

/// How two values compare. (`ActFormula` knows no arrays where it computes.)
package enum Relation: Hashable {
    case less, lessOrEqual, greater, greaterOrEqual, equal, unequal

    var opposite: Relation {
        switch self {
        case .less: .greaterOrEqual
        case .lessOrEqual: .greater
        case .greater: .lessOrEqual
        case .greaterOrEqual: .less
        case .equal: .unequal
        case .unequal: .equal
        }
    }

    /// With its sides exchanged.
    var mirrored: Relation {
        switch self {
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        case .equal, .unequal: self
        }
    }

    func holds(_ a: Double, _ b: Double) -> Bool {
        switch self {
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        case .equal: a == b
        case .unequal: a != b
        }
    }
}
