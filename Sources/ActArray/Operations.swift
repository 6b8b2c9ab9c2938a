// The operations that nodes carry. Raw values are the indices of the kernel tables of CActKernels; a test compares the names.

import CActKernels

/// One number in, one number out. Names ending in `D` are derivatives.
package enum UnaryOperation: Int32, CaseIterable, Sendable {
    case neg = 0, abs, sign, sqrt, square, reciprocal, exp, expm1, log, log2, log10, log1p, sin, cos, tan, asin, acos,
        atan, sinh, cosh, tanh, asinh, acosh, atanh, erf, erfc, floor, ceil, round, trunc, sigmoid, logSigmoid,
        softplus, silu, gelu, geluTanh, geluSigmoid, mish, elu1, selu, relu, relu6, relu2, hardSigmoid, hardSwish,
        softsign, tanhShrink, lisht, logcosh, gaussian, sinc, squareplus4, bentIdentity, serf, tanhexp, sigmoidD,
        logSigmoidD, softplusD, tanhD, siluD, geluD, geluTanhD, geluSigmoidD, mishD, elu1D, seluD, reluD, relu6D,
        relu2D, hardSigmoidD, hardSwishD, softsignD, tanhShrinkD, arctanD, erfD, lishtD, logcoshD, gaussianD, sincD,
        squareplus4D, bentIdentityD, serfD, tanhexpD

    /// As programs call it.
    package var name: String {
        switch self {
        case .neg: "-"
        case .elu1: "elu"
        default: kernelName
        }
    }

    /// Whether it is infinite at a number: an infinity there is a division by zero, any other one an overflow.
    var hasPole: Bool {
        switch self {
        case .reciprocal, .log, .log2, .log10, .log1p, .atanh: true
        case .neg, .abs, .sign, .sqrt, .square, .exp, .expm1, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh, .asinh, .acosh, .erf, .erfc,
            .floor, .ceil, .round, .trunc, .sigmoid, .logSigmoid, .softplus, .silu, .gelu, .geluTanh, .geluSigmoid, .mish, .elu1, .selu, .relu,
            .relu6, .relu2, .hardSigmoid, .hardSwish, .softsign, .tanhShrink, .lisht, .logcosh, .gaussian, .sinc, .squareplus4, .bentIdentity,
            .serf, .tanhexp, .sigmoidD, .logSigmoidD, .softplusD, .tanhD, .siluD, .geluD, .geluTanhD, .geluSigmoidD, .mishD, .elu1D, .seluD,
            .reluD, .relu6D, .relu2D, .hardSigmoidD, .hardSwishD, .softsignD, .tanhShrinkD, .arctanD, .erfD, .lishtD, .logcoshD, .gaussianD,
            .sincD, .squareplus4D, .bentIdentityD, .serfD, .tanhexpD:
            false
        }
    }

    /// Whether it is a derivative; then no result is −0.
    package var isSlope: Bool { rawValue >= UnaryOperation.sigmoidD.rawValue }

    /// The name of the kernel.
    package var kernelName: String {
        act_unary_name(act_unary_op(rawValue: act_unary_op.RawValue(rawValue))).map { String(cString: $0) } ?? "?"
    }
}

/// Two numbers in, one number out. Of activations the second is a parameter; names ending in `D` are derivatives in the first.
package enum BinaryOperation: Int32, CaseIterable, Sendable {
    case add = 0, sub, mul, div, pow, floordiv, mod, min, max, atan2, hypot, copysign, leaky, leakyD, elu, eluD, celu,
        celuD, softplusBeta, softplusBetaD, siluBeta, siluBetaD, squareplus, squareplusD, isru, isruD, snake, snakeD,
        siren, sirenD

    /// As programs call it.
    package var name: String {
        switch self {
        case .add: "+"
        case .sub: "-"
        case .mul: "*"
        case .div: "/"
        case .pow: "^"
        case .floordiv: "//"
        case .mod: "%"
        case .leaky: "leaky_relu"
        case .softplusBeta: "softplus"
        case .siluBeta: "silu"
        default: kernelName
        }
    }

    /// Whether it is a derivative; then no result is −0.
    package var isSlope: Bool {
        switch self {
        case .leakyD, .eluD, .celuD, .softplusBetaD, .siluBetaD, .squareplusD, .isruD, .snakeD, .sirenD: true
        case .add, .sub, .mul, .div, .pow, .floordiv, .mod, .min, .max, .atan2, .hypot, .copysign, .leaky, .elu, .celu, .softplusBeta, .siluBeta,
            .squareplus, .isru, .snake, .siren:
            false
        }
    }

    /// The name of the kernel.
    package var kernelName: String {
        act_binary_name(act_binary_op(rawValue: act_binary_op.RawValue(rawValue))).map { String(cString: $0) } ?? "?"
    }
}

package enum CompareOperation: Int32, CaseIterable, Sendable {
    case eq = 0, ne, lt, le, gt, ge

    /// As programs write it.
    package var name: String {
        switch self {
        case .eq: "=="
        case .ne: "!="
        case .lt: "<"
        case .le: "<="
        case .gt: ">"
        case .ge: ">="
        }
    }
}

package enum TestOperation: Int32, CaseIterable, Sendable {
    case isnan = 0, isinf, isfinite

    package var name: String {
        switch self {
        case .isnan: "isnan"
        case .isinf: "isinf"
        case .isfinite: "isfinite"
        }
    }
}

package enum LogicalOperation: Int32, CaseIterable, Sendable {
    case and = 0, or, xor
    /// Of one operand; the others have two.
    case not

    package var name: String {
        switch self {
        case .and: "and"
        case .or: "or"
        case .xor: "xor"
        case .not: "not"
        }
    }
}

package enum ReduceOperation: Sendable, CaseIterable {
    case sum, prod, min, max
    /// Of bools, to a bool.
    case any, all

    package var name: String {
        switch self {
        case .sum: "sum"
        case .prod: "prod"
        case .min: "min"
        case .max: "max"
        case .any: "any"
        case .all: "all"
        }
    }
}

package enum CumulativeOperation: Sendable, CaseIterable {
    case sum, prod

    package var name: String {
        switch self {
        case .sum: "cumsum"
        case .prod: "cumprod"
        }
    }
}

package enum NormalizeOperation: Sendable, CaseIterable {
    case softmax, logSoftmax

    package var name: String {
        switch self {
        case .softmax: "softmax"
        case .logSoftmax: "log_softmax"
        }
    }
}
