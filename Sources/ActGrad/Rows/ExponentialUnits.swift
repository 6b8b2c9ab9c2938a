// Rows that join a line and an exponential or a root smoothly: elu and functions like it, softplus, squareplus.

import ActArray

private let x = Formula.x
private let p = Formula.input(1)

/// 0 below −1, 1 above 1, a line between: the slope of sparse_plus.
private let sparseSigmoid = (0.5 * (x + 1)).clamped(0, 1)

extension Activations {
    static let exponentialUnits: [ActivationRow] = [
        ActivationRow(
            "elu", parameters: [.init("alpha", 1, "minus the limit at -∞")],
            note: "e^x - 1 as expm1.",
            range: "(-1, ∞)", limits: (-1, .infinity), kinks: [.init(0, left: p, right: 1, chosen: p)],
            weights: .he, summary: "relu whose negative side levels off softly.",
            example: .init("elu([-1, 0, 2])", shows: "[-0.63212056, 0.00000000, 2.00000000]"),
            value: f(.elu, x, p), kernel: .elu1),
        ActivationRow(
            "celu", parameters: [.init("alpha", 1, "minus the limit at -∞, and the width of the bend")],
            range: "(-1, ∞)", limits: (-1, .infinity),
            weights: .he, summary: "elu with a smooth joint for every alpha.",
            example: .init("celu([-1, 0, 2], alpha=2)", shows: "[-0.78693868, 0.00000000, 2.00000000]"),
            value: f(.celu, x, p)),
        ActivationRow(
            "selu", note: "λ (x if x > 0, α (e^x - 1) if x ≤ 0) with λ = 1.0507009873554804934 and α = 1.6732632423543772848.",
            range: "(-1.758…, ∞)", limits: (-1.7580993408473768, .infinity),
            kinks: [.init(0, left: 1.7580993408473768, right: 1.0507009873554805, chosen: 1.7580993408473768)],
            weights: .lecun, summary: "elu scaled so that deep stacks keep mean 0 and variance 1.",
            example: .init("selu([-1, 0, 2])", shows: "[-1.11133074, 0.00000000, 2.10140197]"),
            value: f(.selu, x)),
        ActivationRow(
            "softplus", parameters: [.init("beta", 1, "sharpness of the bend")],
            note: "max(x, 0) + log1p(e^-|x|): neither tail loses digits, and no threshold is needed.",
            range: "(0, ∞)", limits: (0, .infinity),
            summary: "A smooth relu.",
            example: .init("softplus([-1, 0, 1])", shows: "[0.31326169, 0.69314718, 1.31326169]"),
            value: f(.softplusBeta, x, p), kernel: .softplus),
        ActivationRow(
            "squareplus", parameters: [.init("b", 4, "size of the bend")],
            note: "For x < 0 as b/(2 (√(x² + b) - x)).",
            range: "(0, ∞)", limits: (0, .infinity),
            summary: "softplus from a square root, without exponentials.",
            example: .init("squareplus([-1.5, 0, 1.5])", shows: "[0.5, 1.0, 2.0]"),
            value: f(.squareplus, x, p), kernel: .squareplus4),
        ActivationRow(
            "sparse_plus",
            range: "[0, ∞)", limits: (0, .infinity),
            summary: "softplus that reaches its straight lines.",
            example: .init("sparse_plus([-2, 0, 3])", shows: "[0.00, 0.25, 3.00]"),
            value: choose(x >= 1, x, f(.square, 0.5 * (f(.max, x, -1) + 1))),
            definition: choose(x <= -1, 0, choose(x >= 1, x, f(.square, x + 1) / 4)),
            slopes: [sparseSigmoid, choose(f(.abs, x) < 1, 0.5, 0)]),
        ActivationRow(
            "exponential", range: "(0, ∞)", limits: (0, .infinity),
            summary: "The exponential function.",
            example: .init("exponential([-1, 0, 1])", shows: "[0.36787944, 1.00000000, 2.71828183]"),
            value: f(.exp, x), slopes: [f(.exp, x), f(.exp, x)]),
        ActivationRow(
            "logcosh",
            note: "|x| + log1p(e^(-2|x|)) - log 2, a series near 0: cosh overflows at 711.",
            range: "[0, ∞)", limits: (.infinity, .infinity),
            summary: "|x| with a rounded tip.",
            example: .init("logcosh([-1, 0, 2])", shows: "[0.43378083, 0.00000000, 1.32500275]"),
            value: f(.logcosh, x)),
    ]
}
