// How the slopes of elementwise operations go: where they are 0, where they jump, where they grow without bound. Rules mind it (`Hazards`), kinks are
// looked for by it, and a loss that goes in steps is told of.
//
// What must stay true: one exhaustive `switch` for each kind of operation, so that the compiler names the place for a new one.

import ActArray

enum SlopeCourse {
    /// Bounded, without jumps, and 0 at single points at most.
    case smooth
    /// As smooth, but for jumps where the operand is one of these numbers.
    case bent(at: [Double])
    /// 0 over an interval, or where another operand was chosen. Jumps where the operand is one of these numbers.
    case flat(jumps: [Double])
    /// 0 wherever there is one: the value goes in steps. Those of rounding, which are without end, are not listed.
    case steps(at: [Double])
    /// Infinite at a number, or larger than any bound.
    case unbounded

    /// What the slope adds to the cotangents that pass through the operation.
    var hazards: Hazards {
        switch self {
        case .smooth, .bent: []
        case .flat, .steps: .zeros
        case .unbounded: .infinities
        }
    }

    /// Where the slope, or the value, jumps.
    var jumps: [Double] {
        switch self {
        case .bent(let points), .flat(let points), .steps(let points): points
        case .smooth, .unbounded: []
        }
    }

    var isStep: Bool {
        switch self {
        case .steps: true
        case .smooth, .bent, .flat, .unbounded: false
        }
    }
}

extension UnaryOperation {
    var course: SlopeCourse {
        switch self {
        case .sign: .steps(at: [0])
        case .floor, .ceil, .round, .trunc: .steps(at: [])
        case .selu: .bent(at: [0])
        case .abs, .relu: .flat(jumps: [0])
        case .relu6: .flat(jumps: [0, 6])
        case .hardSigmoid, .hardSwish: .flat(jumps: [-3, 3])
        case .relu2, .reluD, .relu6D, .relu2D, .hardSigmoidD, .hardSwishD: .flat(jumps: [])
        case .sqrt, .reciprocal, .exp, .expm1, .log, .log2, .log10, .log1p, .tan, .asin, .acos, .sinh, .cosh, .acosh, .atanh: .unbounded
        case .neg, .square, .sin, .cos, .atan, .tanh, .asinh, .erf, .erfc, .sigmoid, .logSigmoid, .softplus, .silu, .gelu, .geluTanh, .geluSigmoid,
            .mish, .elu1, .softsign, .tanhShrink, .lisht, .logcosh, .gaussian, .sinc, .squareplus4, .bentIdentity, .serf, .tanhexp, .sigmoidD,
            .logSigmoidD, .softplusD, .tanhD, .siluD, .geluD, .geluTanhD, .geluSigmoidD, .mishD, .elu1D, .seluD, .softsignD, .tanhShrinkD,
            .arctanD, .erfD, .lishtD, .logcoshD, .gaussianD, .sincD, .squareplus4D, .bentIdentityD, .serfD, .tanhexpD:
            .smooth
        }
    }
}

extension BinaryOperation {
    /// In both operands; jumps are those in the first, the second being what it is.
    var course: SlopeCourse {
        switch self {
        case .min, .max: .flat(jumps: [])
        case .floordiv: .steps(at: [])
        case .div, .pow, .mod, .atan2: .unbounded
        case .copysign, .leaky, .elu: .bent(at: [0])
        case .add, .sub, .mul, .hypot, .leakyD, .eluD, .celu, .celuD, .softplusBeta, .softplusBetaD, .siluBeta, .siluBetaD, .squareplus,
            .squareplusD, .isru, .isruD, .snake, .snakeD, .siren, .sirenD:
            .smooth
        }
    }
}
