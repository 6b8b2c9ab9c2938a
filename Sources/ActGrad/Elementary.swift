// Kernels as compositions of operations that other systems have too: what an exporter writes where the other system lacks the kernel.
//
// What must stay true: a composition gives the kernel's value to a few roundings of the largest number on the way, also far out and beside 0;
// it is made of operations without a composition of their own. (A test compares every one with its kernel.)

import ActArray

private let x = Formula.x
private let p = Formula.input(1)

extension UnaryOperation {
    /// The operation of simpler ones; `nil` for those that every system has: the elementary functions, the rounding ones, erf, sigmoid, softplus
    /// and relu.
    package var composition: Formula? {
        switch self {
        case .neg, .abs, .sign, .sqrt, .reciprocal, .exp, .log, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh, .asinh, .acosh, .atanh, .erf,
            .floor, .ceil, .round, .sigmoid, .softplus, .relu:
            return nil
        case .square: return x * x
        // eˣ − 1 keeps its digits beside 0 as tanh(x/2) (eˣ + 1).
        case .expm1: return f(.tanh, 0.5 * x) * (f(.exp, x) + 1)
        case .log2: return 1.4426950408889634 * f(.log, x)
        case .log10: return 0.4342944819032518 * f(.log, x)
        // log(1 + x) keeps its digits beside 0 as 2 artanh(x/(2 + x)).
        case .log1p: return choose(f(.abs, x) < 0.5, 2 * f(.atanh, x / (2 + x)), f(.log, 1 + x))
        case .erfc: return 1 - f(.erf, x)
        case .trunc: return f(.sign, x) * f(.floor, f(.abs, x))

        case .logSigmoid: return -f(.softplus, -x)
        case .silu: return x * f(.sigmoid, x)
        case .gelu: return 0.5 * x * (1 + f(.erf, 0.7071067811865476 * x))
        case .geluTanh: return x * f(.sigmoid, geluTanhGate(x))
        case .geluSigmoid: return x * f(.sigmoid, 1.702 * x)
        case .mish: return x * f(.tanh, f(.softplus, x))
        case .elu1: return choose(x > 0, x, small(.expm1, f(.min, x, 0)))
        case .selu: return choose(x > 0, .number(scale) * x, .number(scale * alpha) * small(.expm1, f(.min, x, 0)))
        case .relu6: return x.clamped(0, 6)
        case .relu2: return f(.relu, x) * f(.relu, x)
        case .hardSigmoid: return (x + 3).clamped(0, 6) / 6
        case .hardSwish: return x * (x + 3).clamped(0, 6) / 6
        case .softsign: return x / (1 + f(.abs, x))
        case .tanhShrink: return x - f(.tanh, x)
        case .lisht: return x * f(.tanh, x)
        case .logcosh:
            // log(1 + 2 sinh²(x/2)) beside 0, |x| − log 2 far out.
            let a = f(.abs, x), half = f(.sinh, 0.5 * f(.min, a, 1))
            return choose(a < 1, small(.log1p, 2 * half * half), a + f(.softplus, -2 * a) - 0.6931471805599453)
        case .gaussian: return f(.exp, -(x * x))
        case .sinc: return choose(x == 0, 1, f(.sin, x) / x)
        case .squareplus4: return smoothRamp(x, 4)
        case .bentIdentity: return x * (x / (2 * (distance(x, 1) + 1))) + x
        case .serf: return x * f(.erf, f(.softplus, x))
        case .tanhexp: return x * f(.tanh, f(.exp, x))

        case .sigmoidD: return f(.sigmoid, x) * f(.sigmoid, -x)
        case .logSigmoidD: return f(.sigmoid, -x)
        case .softplusD: return f(.sigmoid, x)
        case .tanhD: return tanhSlope(x)
        case .siluD: return f(.sigmoid, x) * (1 + near * f(.sigmoid, -x))
        case .geluD: return 0.5 * (1 + f(.erf, 0.7071067811865476 * x)) + near * (0.3989422804014327 * f(.exp, -0.5 * near * near))
        case .geluTanhD:
            let bounded = x.clamped(-100, 100), v = geluTanhGate(bounded)
            let slope: Formula = 1.5957691216057308 * (1 + 0.134145 * bounded * bounded)
            return f(.sigmoid, v) * (1 + bounded * slope * f(.sigmoid, -v))
        case .geluSigmoidD:
            let v = 1.702 * near
            return f(.sigmoid, v) * (1 + v * f(.sigmoid, -v))
        case .mishD:
            let gate = f(.softplus, x)
            return f(.tanh, gate) + near * tanhSlope(gate) * f(.sigmoid, x)
        case .elu1D: return choose(x > 0, 1, f(.exp, x))
        case .seluD: return choose(x > 0, .number(scale), .number(scale * alpha) * f(.exp, x))
        case .reluD: return choose(x > 0, 1, choose(x <= 0, 0, x))
        case .relu6D: return choose(x > 0, choose(x < 6, 1, 0), choose(x <= 0, 0, x))
        case .relu2D: return 2 * f(.relu, x)
        case .hardSigmoidD: return choose(f(.abs, x) < 3, .number(1 / 6.0), choose(f(.abs, x) >= 3, 0, x))
        case .hardSwishD: return choose(x <= -3, 0, choose(x >= 3, 1, (2 * x + 3) / 6))
        case .softsignD: return 1 / (1 + f(.abs, x)) / (1 + f(.abs, x))
        case .tanhShrinkD: return f(.tanh, x) * f(.tanh, x)
        case .arctanD: return 1 / distance(x, 1) / distance(x, 1)
        case .erfD: return 1.1283791670955126 * f(.exp, -(x * x))
        case .lishtD: return f(.tanh, x) + near * tanhSlope(x)
        case .logcoshD: return f(.tanh, x)
        case .gaussianD: return -2 * near * f(.exp, -(x * x))
        case .sincD:
            let s = x * x
            let end: Formula = 2.2045855379188714e-05 - s * 2.505210838544172e-07
            let series: Formula = x * (-0.3333333333333333 + s * (0.03333333333333333 - s * (0.0011904761904761906 - s * end)))
            return choose(f(.abs, x) < 0.25, series, (f(.cos, x) - f(.sin, x) / x) / x)
        case .squareplus4D: return smoothRampSlope(x, 4)
        case .bentIdentityD: return 0.5 * (x / distance(x, 1)) + 1
        case .serfD:
            let gate = f(.softplus, x)
            return f(.erf, gate) + near * (1.1283791670955126 * f(.exp, -(gate * gate))) * f(.sigmoid, x)
        case .tanhexpD:
            let e = f(.exp, x.clamped(-1e3, 10))
            return f(.tanh, f(.exp, x)) + x.clamped(-1e3, 10) * (tanhSlope(e) * e)
        }
    }
}

extension BinaryOperation {
    /// The operation of simpler ones; `nil` for arithmetic, `//`, `%`, `min` and `max`, which every system has.
    package var composition: Formula? {
        switch self {
        case .add, .sub, .mul, .div, .pow, .floordiv, .mod, .min, .max: return nil
        case .atan2:
            let far = choose(x < 0, -3.141592653589793, 3.141592653589793), side = choose(x < 0, -1.5707963267948966, choose(x > 0, 1.5707963267948966, x))
            return choose(p == 0, side, f(.atan, x / p) + choose(p < 0, far, 0))
        case .hypot: return distance(x, p)
        case .copysign: return choose(p < 0, -f(.abs, x), choose(p > 0, f(.abs, x), choose(1 / p < 0, -f(.abs, x), f(.abs, x))))
        case .leaky: return choose(x > 0, x, p * x)
        case .elu: return choose(x > 0, x, p * small(.expm1, f(.min, x, 0)))
        case .celu: return choose(x > 0, x, p * small(.expm1, f(.min, x, 0) / p))
        case .softplusBeta: return f(.softplus, p * x) / p
        case .siluBeta: return x * f(.sigmoid, p * x)
        case .squareplus: return smoothRamp(x, p)
        case .isru: return x / distance(f(.sqrt, p) * x, 1)
        case .snake: return x + f(.sin, p * x) * f(.sin, p * x) / p
        case .siren: return f(.sin, p * x)
        case .leakyD: return choose(x > 0, 1, p)
        case .eluD: return choose(x > 0, 1, p * f(.exp, x))
        case .celuD: return choose(x > 0, 1, f(.exp, f(.min, x, 0) / p))
        case .softplusBetaD: return f(.sigmoid, p * x)
        case .siluBetaD:
            let t = (p * x).clamped(-1e3, 1e3)
            return f(.sigmoid, t) * (1 + t * f(.sigmoid, -t))
        case .squareplusD: return smoothRampSlope(x, p)
        case .isruD:
            let root = distance(f(.sqrt, p) * x, 1)
            return 1 / root / root / root
        case .snakeD: return 1 + f(.sin, 2 * p * x)
        case .sirenD: return p * f(.cos, p * x)
        }
    }
}

// MARK: Parts

/// λ and α of selu.
private let (scale, alpha) = (1.0507009873554805, 1.6732632423543772)

/// Where slopes have long reached their limits: no product of a growing and a vanishing factor is inf · 0.
private let near = x.clamped(-1e3, 1e3)

/// The composition of an operation of a formula.
private func small(_ operation: UnaryOperation, _ a: Formula) -> Formula { operation.composition?.at([a]) ?? f(operation, a) }

/// 1 − tanh², without the difference.
private func tanhSlope(_ a: Formula) -> Formula { 4 * f(.sigmoid, 2 * a) * f(.sigmoid, -2 * a) }

/// 2√(2/π) (a + 0.044715 a³)
private func geluTanhGate(_ a: Formula) -> Formula { 1.5957691216057308 * (a * (1 + 0.044715 * a * a)) }

/// √(a² + b²), without squares that overflow.
private func distance(_ a: Formula, _ b: Formula) -> Formula {
    let (u, v) = (f(.abs, a), f(.abs, b)), large = f(.max, u, v), share = f(.min, u, v) / large
    return choose(large == 0, 0, large * f(.sqrt, 1 + share * share))
}

/// (x + √(x² + b))/2, on the left as b/(2 (√(x² + b) − x)).
private func smoothRamp(_ x: Formula, _ b: Formula) -> Formula {
    let root = distance(x, f(.sqrt, b))
    return choose(x < 0, b / (2 * (root - x)), 0.5 * (x + root))
}

private func smoothRampSlope(_ x: Formula, _ b: Formula) -> Formula { 0.5 * (1 + x / distance(x, f(.sqrt, b))) }

extension Formula {
    /// The formula of other inputs.
    package func at(_ inputs: [Formula]) -> Formula {
        switch self {
        case .input(let index): inputs.indices.contains(index) ? inputs[index] : self
        case .result, .number: self
        case .unary(let operation, let a): .unary(operation, a.at(inputs))
        case .binary(let operation, let a, let b): .binary(operation, a.at(inputs), b.at(inputs))
        case .compare(let operation, let a, let b): .compare(operation, a.at(inputs), b.at(inputs))
        case .select(let condition, let a, let b): .select(condition.at(inputs), then: a.at(inputs), otherwise: b.at(inputs))
        }
    }

    /// The number this is, if it has no inputs.
    package var fixedValue: Double? { hasInput { _ in true } ? nil : FormulaProgram(self)([]) }

    /// Whether an input that a test holds of stands in it.
    package func hasInput(_ test: (Int) -> Bool) -> Bool {
        switch self {
        case .input(let index): test(index)
        case .result: true
        case .number: false
        case .unary(_, let a): a.hasInput(test)
        case .binary(_, let a, let b), .compare(_, let a, let b): a.hasInput(test) || b.hasInput(test)
        case .select(let c, let a, let b): c.hasInput(test) || a.hasInput(test) || b.hasInput(test)
        }
    }
}
