// The slopes of the elementwise operations, as formulas: `.x` is the (first) operand, `.input(1)` the second, `.result` the value.
//
// What must stay true: every formula is finite or the limit wherever the slope is, far out as well; NaN where the operation is
// not defined. The slope of a kink, and of the slope beside it, is the one Docs/language.md states (0 against a constant).

import ActArray

private let x = Formula.x
private let y = Formula.result

extension UnaryOperation {
    /// The derivative of the operation.
    package var slope: Formula {
        switch self {
        case .neg: -1
        case .abs: f(.sign, x)
        case .sign, .floor, .ceil, .round, .trunc: 0
        case .sqrt: 0.5 / y
        case .square: 2 * x
        case .reciprocal: -(y * y)
        case .exp: y
        case .expm1: f(.exp, x)
        case .log: reciprocalOfPositive(x)
        case .log2: 1.4426950408889634 * reciprocalOfPositive(x)  // 1/ln 2
        case .log10: 0.4342944819032518 * reciprocalOfPositive(x)  // 1/ln 10
        case .log1p: reciprocalOfPositive(1 + x)
        case .sin: f(.cos, x)
        case .cos: -f(.sin, x)
        case .tan: 1 + y * y
        case .asin: 1 / f(.sqrt, oneMinusSquare)
        case .acos: -1 / f(.sqrt, oneMinusSquare)
        case .atan: f(.arctanD, x)
        case .sinh: f(.cosh, x)
        case .cosh: f(.sinh, x)
        case .tanh: f(.tanhD, x)
        case .asinh: 1 / f(.hypot, x, 1)
        case .acosh: 1 / (f(.sqrt, x - 1) * f(.sqrt, x + 1))
        case .atanh: reciprocalOfPositive(oneMinusSquare)
        case .erf: f(.erfD, x)
        case .erfc: -f(.erfD, x)
        case .sigmoid: f(.sigmoidD, x)
        case .logSigmoid: f(.logSigmoidD, x)
        case .softplus: f(.softplusD, x)
        case .silu: f(.siluD, x)
        case .gelu: f(.geluD, x)
        case .geluTanh: f(.geluTanhD, x)
        case .geluSigmoid: f(.geluSigmoidD, x)
        case .mish: f(.mishD, x)
        case .elu1: f(.elu1D, x)
        case .selu: f(.seluD, x)
        case .relu: f(.reluD, x)
        case .relu6: f(.relu6D, x)
        case .relu2: f(.relu2D, x)
        case .hardSigmoid: f(.hardSigmoidD, x)
        case .hardSwish: f(.hardSwishD, x)
        case .softsign: f(.softsignD, x)
        case .tanhShrink: f(.tanhShrinkD, x)
        case .lisht: f(.lishtD, x)
        case .logcosh: f(.logcoshD, x)
        case .gaussian: f(.gaussianD, x)
        case .sinc: f(.sincD, x)
        case .squareplus4: f(.squareplus4D, x)
        case .bentIdentity: f(.bentIdentityD, x)
        case .serf: f(.serfD, x)
        case .tanhexp: f(.tanhexpD, x)

        case .sigmoidD, .logSigmoidD, .softplusD, .tanhD, .siluD, .geluD, .geluTanhD, .geluSigmoidD, .mishD, .elu1D, .seluD, .reluD,
            .relu6D, .relu2D, .hardSigmoidD, .hardSwishD, .softsignD, .tanhShrinkD, .arctanD, .erfD, .lishtD, .logcoshD, .gaussianD,
            .sincD, .squareplus4D, .bentIdentityD, .serfD, .tanhexpD:
            secondSlope
        }
    }

    /// The derivative of a derivative kernel: the second derivative of its function, in a form that is accurate in the tails.
    private var secondSlope: Formula {
        // Where the slopes have long reached their limits; inside, no product of a growing and a vanishing factor is inf · 0.
        let near = x.clamped(-1e3, 1e3)
        let sigmoid = f(.sigmoid, x)
        switch self {
        case .sigmoidD: return -(y * f(.tanh, 0.5 * x))
        case .logSigmoidD: return -f(.sigmoidD, x)
        case .softplusD: return f(.sigmoidD, x)
        case .tanhD: return -2 * f(.tanh, x) * y
        case .siluD: return f(.sigmoidD, x) * (2 - near * f(.tanh, 0.5 * near))
        case .geluD: return 0.5 * 0.7071067811865476 * f(.erfD, 0.7071067811865476 * x) * (2 - near * near)
        case .geluTanhD:
            // σ(v) with v = 2√(2/π)(x + c x³)
            let bounded = x.clamped(-100, 100)
            let scale = 1.5957691216057308, cubic = 0.044715
            let v: Formula = .number(scale) * bounded * (1 + .number(cubic) * bounded * bounded)
            let v1: Formula = .number(scale) * (1 + .number(3 * cubic) * bounded * bounded)
            let v2: Formula = .number(6 * scale * cubic) * bounded
            return f(.sigmoidD, v) * (2 * v1 + bounded * v2 - bounded * v1 * v1 * f(.tanh, 0.5 * v))
        case .geluSigmoidD:
            let v = 1.702 * near
            return 1.702 * f(.sigmoidD, v) * (2 - v * f(.tanh, 0.5 * v))
        case .mishD:
            let softplus = f(.softplus, x)
            let bend: Formula = f(.sigmoidD, x) - 2 * f(.tanh, softplus) * sigmoid * sigmoid
            return f(.tanhD, softplus) * (2 * sigmoid + near * bend)
        case .elu1D, .seluD: return choose(x < 0, y, choose(x >= 0, 0, x))
        case .reluD, .relu6D, .hardSigmoidD: return 0
        case .relu2D: return 2 * f(.reluD, x)
        case .hardSwishD: return choose(f(.abs, x) < 3, .number(1 / 3.0), choose(f(.abs, x) >= 3, 0, x))
        case .softsignD: return -2 * f(.sign, x) * y / (1 + f(.abs, x))
        case .tanhShrinkD: return 2 * f(.tanh, x) * f(.tanhD, x)
        case .arctanD: return -2 * y * (x.clamped(-1e150, 1e150) * y)
        case .erfD: return -2 * near * y
        case .lishtD: return 2 * f(.tanhD, x) * (1 - near * f(.tanh, near))
        case .logcoshD: return f(.tanhD, x)
        case .gaussianD: return (4 * near * near - 2) * f(.gaussian, x)
        case .sincD: return choose(x == 0, .number(-1 / 3.0), -f(.sinc, x) - 2 * f(.sincD, x) / x)
        case .squareplus4D:
            let root = f(.hypot, x, 2)
            return 2 / root / root / root
        case .bentIdentityD:
            let root = f(.hypot, x, 1)
            return 0.5 / root / root / root
        case .serfD:
            let softplus = f(.softplus, x)
            let bend: Formula = f(.sigmoidD, x) - 2 * softplus.clamped(0, 1e3) * sigmoid * sigmoid
            return f(.erfD, softplus) * (2 * sigmoid + near * bend)
        case .tanhexpD:
            let bounded = x.clamped(-1e3, 10)  // tanh(e^10) is 1
            let e = f(.exp, bounded)
            return f(.tanhD, e) * e * (2 + bounded - 2 * bounded * e * f(.tanh, e))
        case .neg, .abs, .sign, .sqrt, .square, .reciprocal, .exp, .expm1, .log, .log2, .log10, .log1p, .sin, .cos, .tan, .asin, .acos, .atan, .sinh,
            .cosh, .tanh, .asinh, .acosh, .atanh, .erf, .erfc, .floor, .ceil, .round, .trunc, .sigmoid, .logSigmoid, .softplus, .silu, .gelu, .geluTanh,
            .geluSigmoid, .mish, .elu1, .selu, .relu, .relu6, .relu2, .hardSigmoid, .hardSwish, .softsign, .tanhShrink, .lisht, .logcosh, .gaussian,
            .sinc, .squareplus4, .bentIdentity, .serf, .tanhexp:
            return slope
        }
    }
}

/// 1/a where a ≥ 0, +∞ at both zeros (−0 + 0 is 0), NaN below: the slope of a logarithm exists where the logarithm does. So do its own slopes: the NaN
/// is made from a, for a constant has the slope 0.
private func reciprocalOfPositive(_ a: Formula) -> Formula {
    choose(a < 0, .nan * a, 1 / (a + 0))
}

/// 1 − x²: near the ends as a product, which keeps the digits of the value, near 0 as it is written, which keeps those of the slope.
private let oneMinusSquare = choose(f(.abs, x) < 0.5, 1 - x * x, (1 - x) * (1 + x))

extension BinaryOperation {
    /// The derivatives in the first and second operand, when both vary. Against a constant `min` and `max` have slope 0 where they tie.
    package var slopes: (Formula, Formula) {
        let b = Formula.input(1)
        switch self {
        case .add: return (1, 1)
        case .sub: return (1, -1)
        case .mul: return (b, x)
        case .div: return (1 / b, -(y / b))
        case .pow:
            // At 0^0 the first slope is 0; the second needs no logarithm of 0, whose factor has vanished.
            let first = b * choose(b == 0, choose(x == 0, 0, f(.pow, x, b - 1)), f(.pow, x, b - 1))
            return (first, choose(x == 0, choose(b < 0, -.number(.infinity), 0), y * f(.log, x)))
        case .floordiv: return (0, 0)
        case .mod: return (1, -f(.floordiv, x, b))
        case .min: return extremum(first: x < b, second: b < x, tie: 0.5)
        case .max: return extremum(first: x > b, second: b > x, tie: 0.5)
        case .atan2:
            let radius = f(.hypot, x, b)
            return (choose(radius == 0, 0, b / radius / radius), choose(radius == 0, 0, -(x / radius / radius)))
        case .hypot: return (part(x, of: y, beside: b), part(b, of: y, beside: x))
        case .copysign: return (f(.sign, x) * f(.copysign, 1, b), 0)

        case .leaky, .leakyD, .elu, .eluD, .celu, .celuD, .softplusBeta, .softplusBetaD, .siluBeta, .siluBetaD, .squareplus, .squareplusD, .isru, .isruD,
            .snake, .snakeD, .siren, .sirenD:
            return slopesOfActivation
        }
    }

    /// Of activation functions with a parameter, and of their derivatives.
    private var slopesOfActivation: (Formula, Formula) {
        let b = Formula.input(1)
        switch self {
        case .leaky: return (f(.leakyD, x, b), f(.min, x, 0))
        case .leakyD: return (0, choose(x > 0, 0, 1))
        case .elu: return (f(.eluD, x, b), f(.expm1, f(.min, x, 0)))
        case .eluD: return (choose(x < 0, y, 0), choose(x > 0, 0, f(.exp, x)))
        case .celu:
            let t = (f(.min, x, 0) / b).clamped(-1e3, 0)
            return (f(.celuD, x, b), f(.expm1, t) - t * f(.exp, t))
        case .celuD:
            let t = (f(.min, x, 0) / b).clamped(-1e3, 0)
            return (choose(x < 0, y / b, 0), choose(x < 0, -(t / b * f(.exp, t)), 0))
        case .softplusBeta:
            // (tσ(t) − log(1+eᵗ))/b² with t = bx: even in t, and without the difference
            let u = f(.abs, b * x).clamped(0, 1e3)
            return (f(.softplusBetaD, x, b), -((u * f(.sigmoid, -u) + f(.softplus, -u)) / (b * b)))
        case .softplusBetaD:
            return (b * f(.sigmoidD, b * x), x.clamped(-1e300, 1e300) * f(.sigmoidD, b * x))
        case .siluBeta:
            let bounded = x.clamped(-1e150, 1e150)
            return (f(.siluBetaD, x, b), bounded * (bounded * f(.sigmoidD, b * x)))
        case .siluBetaD:
            let t = (b * x).clamped(-1e3, 1e3)
            let bend = f(.sigmoidD, t) * (2 - t * f(.tanh, 0.5 * t))
            return (b * bend, x.clamped(-1e300, 1e300) * bend)
        case .squareplus: return (f(.squareplusD, x, b), 0.25 / f(.hypot, x, f(.sqrt, b)))
        case .squareplusD:
            let root = f(.hypot, x, f(.sqrt, b))
            return (0.5 * b / root / root / root, -0.25 * (x.clamped(-1e300, 1e300) / root) / root / root)
        case .isru: return (f(.isruD, x, b), -0.5 * y * y * y)
        case .isruD:
            let value = f(.isru, x, b), root = f(.hypot, 1, f(.sqrt, b) * x)
            return (-3 * b * value * y / root, -1.5 * value * value * y)
        case .snake:
            let s = f(.sin, b * x)
            return (f(.snakeD, x, b), (x * f(.sin, 2 * b * x) - s * s / b) / b)
        case .snakeD:
            let c = f(.cos, 2 * b * x)
            return (2 * b * c, 2 * x * c)
        case .siren: return (f(.sirenD, x, b), x * f(.cos, b * x))
        case .sirenD: return (-(b * b * f(.siren, x, b)), f(.cos, b * x) - b * x * f(.sin, b * x))
        case .add, .sub, .mul, .div, .pow, .floordiv, .mod, .min, .max, .atan2, .hypot, .copysign: return slopes
        }
    }
}

/// The slope a/r of r = hypot(a, other): 0 at the origin, and where a alone is infinite its sign.
private func part(_ a: Formula, of r: Formula, beside other: Formula) -> Formula {
    let isFar = f(.abs, a) == .number(.infinity)
    return choose(r == 0, 0, choose(isFar, choose(f(.abs, other) < .number(.infinity), f(.sign, a), .nan), a / r))
}

/// The slopes of `max` and `min`: 1 for the operand that wins, `tie` for each where they are equal, NaN where one is.
private func extremum(first: Formula, second: Formula, tie: Formula) -> (Formula, Formula) {
    let equal = choose(x == .input(1), tie, .nan)
    return (choose(first, 1, choose(second, 0, equal)), choose(second, 1, choose(first, 0, equal)))
}

/// Slopes as programs, compiled once.
enum Slopes {
    static let unary: [FormulaProgram] = UnaryOperation.allCases.map { FormulaProgram($0.slope) }
    fileprivate static let binary: [(FormulaProgram, FormulaProgram)] = BinaryOperation.allCases.map {
        let (first, second) = $0.slopes
        return (FormulaProgram(first), FormulaProgram(second))
    }
    /// Of x^p for a constant p, which is `.input(1)`: no logarithm, no special case at 0.
    private static let power = FormulaProgram(.input(1) * f(.pow, .x, .input(1) - 1))
    private static let square = FormulaProgram(2 * .x)
    private static let zero = FormulaProgram(0)
    private static let one = FormulaProgram(1)

    fileprivate static func power(_ exponent: Double) -> FormulaProgram {
        switch exponent {
        case 0: zero
        case 1: one
        case 2: square
        default: power
        }
    }

    /// Of the varying operand `.x` against the constant `.input(1)`: 0 where they tie.
    fileprivate static let maxAgainstConstant = FormulaProgram(extremum(first: x > .input(1), second: .input(1) > x, tie: 0).0)
    fileprivate static let minAgainstConstant = FormulaProgram(extremum(first: x < .input(1), second: .input(1) < x, tie: 0).0)
}

/// The slopes of a binary operation of which one operand may be a constant.
struct BinarySlopes {
    private(set) var first: FormulaProgram
    private(set) var second: FormulaProgram
    /// Whether `.x` of the second slope is the second operand, and `.input(1)` the first.
    private(set) var isSecondExchanged = false

    /// - Parameters:
    ///   - varies: Whether the first and the second operand depend on what the derivative is taken in.
    ///   - exponent: The second operand where it is one number.
    init(_ operation: BinaryOperation, varies: (Bool, Bool), exponent: Double?) {
        (first, second) = Slopes.binary[Int(operation.rawValue)]
        switch operation {
        case .max where varies != (true, true), .min where varies != (true, true):
            first = operation == .max ? Slopes.maxAgainstConstant : Slopes.minAgainstConstant
            second = first
            isSecondExchanged = true
        case .pow where !varies.1:
            if let exponent { first = Slopes.power(exponent) }
        default: break
        }
    }
}
