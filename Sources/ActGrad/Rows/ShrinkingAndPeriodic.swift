// Rows that shrink towards 0, and those that wave or come from elsewhere.

import ActArray

private let x = Formula.x
private let p = Formula.input(1)

/// 0 for |x| ≤ lambda, else `outside`; NaN stays.
private func shrunk(_ outside: Formula) -> Formula {
    choose(f(.abs, x) > p, outside, choose(f(.abs, x) <= p, 0, x))
}

extension Activations {
    static let shrinking: [ActivationRow] = [
        ActivationRow(
            "hard_shrink", parameters: [.init("lambda", 0.5, "half the width of the gap", slope: 0)],
            range: "(-∞, -0.5) ∪ {0} ∪ (0.5, ∞)", limits: (-.infinity, .infinity),
            kinks: [.init(-p, left: 1, right: 0, chosen: 0), .init(p, left: 0, right: 1, chosen: 0)],
            summary: "Drops what is small.",
            example: .init("hard_shrink([-1, 0.25, 2])", shows: "[-1, 0, 2]"),
            value: shrunk(x), slopes: [shrunk(1), 0]),
        ActivationRow(
            "soft_shrink", parameters: [.init("lambda", 0.5, "what is taken off", slope: shrunk(-f(.sign, x)))],
            range: "(-∞, ∞)", limits: (-.infinity, .infinity),
            kinks: [.init(-p, left: 1, right: 0, chosen: 0), .init(p, left: 0, right: 1, chosen: 0)],
            summary: "Moves everything towards 0 by lambda: the step of sparse regression.",
            example: .init("soft_shrink([-1, 0.25, 2])", shows: "[-0.5, 0.0, 1.5]"),
            value: x - x.clamped(-p, p), slopes: [shrunk(1), 0]),
        ActivationRow(
            "tanh_shrink",
            note: "A series near 0, where the difference cancels.",
            range: "(-∞, ∞)", limits: (-.infinity, .infinity),
            summary: "What tanh takes away.",
            example: .init("tanh_shrink([-1, 0, 2])", shows: "[-0.23840584, 0.00000000, 1.03597242]"),
            value: f(.tanhShrink, x)),
    ]

    static let periodicAndOther: [ActivationRow] = [
        ActivationRow(
            "snake", parameters: [.init("a", 1, "frequency")], range: "(-∞, ∞)", limits: (-.infinity, .infinity),
            summary: "A line with a wave: learns periodic data and extrapolates it.",
            example: .init("snake([-1, 0, 1])", shows: "[-0.29192658, 0.00000000, 1.70807342]"),
            value: f(.snake, x, p)),
        ActivationRow(
            "siren", parameters: [.init("w", 30, "frequency")], range: "[-1, 1]", limits: (.nan, .nan),
            summary: "A sine of high frequency, for signals given as networks.",
            example: .init("siren([-0.5, 0, 0.5])", shows: "[-0.65028784, 0.00000000, 0.65028784]"),
            value: f(.siren, x, p)),
        ActivationRow(
            "gaussian", range: "(0, 1]", limits: (0, 0),
            summary: "A bell: largest at 0.",
            example: .init("gaussian([-1, 0, 2])", shows: "[0.36787944, 1.00000000, 0.01831564]"),
            value: f(.gaussian, x)),
        ActivationRow(
            "sinc",
            note: "1 at 0. NumPy's sinc is sin(πx)/(πx): sinc(pi * x) here.",
            range: "[-0.217233…, 1]", limits: (0, 0),
            summary: "A wave that dies away on both sides.",
            example: .init("sinc([-1, 0, 2])", shows: "[0.84147098, 1.00000000, 0.45464871]"),
            value: f(.sinc, x)),
        ActivationRow(
            "bent_identity",
            note: "Near 0 as x²/(2 (√(x² + 1) + 1)) + x.",
            range: "(-∞, ∞)", limits: (-.infinity, .infinity),
            summary: "The identity with a slight bend: slopes from 1/2 to 3/2.",
            example: .init("bent_identity([-0.75, 0, 0.75])", shows: "[-0.625, 0.000, 0.875]"),
            value: f(.bentIdentity, x)),
        ActivationRow(
            "isru", parameters: [.init("a", 1, "1 over the square of the limit")], range: "(-1, 1)", limits: (-1, 1),
            summary: "A sigmoid from an inverse square root.",
            example: .init("isru([-0.75, 0, 0.75])", shows: "[-0.6, 0.0, 0.6]"),
            value: f(.isru, x, p)),
        ActivationRow(
            "isrlu",
            parameters: [
                .init("a", 1, "1 over the square of the limit at -∞", slope: choose(x < 0, -0.5 * f(.pow, f(.isru, x, p), 3), 0))
            ],
            range: "(-1, ∞)", limits: (-1, .infinity),
            summary: "elu from an inverse square root: smooth at 0.",
            example: .init("isrlu([-0.75, 0, 2])", shows: "[-0.6, 0.0, 2.0]"),
            value: choose(x >= 0, x, f(.isru, x, p)),
            slopes: [
                choose(x >= 0, 1, f(.isruD, x, p)),
                choose(x < 0, -3 * p * f(.isru, x, p) * f(.isruD, x, p) / f(.hypot, 1, f(.sqrt, p) * x), 0),
            ]),
    ]
}
