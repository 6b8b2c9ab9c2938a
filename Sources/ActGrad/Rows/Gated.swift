// Rows of the form x · gate(x): silu, gelu, mish and their kin.

import ActArray

private let x = Formula.x
private let p = Formula.input(1)

extension Activations {
    static let gated: [ActivationRow] = [
        ActivationRow(
            "gelu",
            note: "Φ is the distribution and φ the density of the normal distribution. As x/2 erfc(-x/√2), exact in the left tail: gelu(-10) is -7.62e-23.",
            range: "[-0.169971…, ∞)", limits: (0, .infinity),
            weights: .he, summary: "x weighted by the normal distribution.",
            example: .init("gelu([-1, 0, 1])", shows: "[-0.15865525, 0.00000000, 0.84134475]"),
            value: f(.gelu, x)),
        ActivationRow(
            "gelu_tanh", aliases: ["gelu_new"],
            range: "[-0.170040…, ∞)", limits: (0, .infinity),
            weights: .he, summary: "gelu with tanh in place of the normal distribution.",
            example: .init("gelu_tanh([-1, 0, 1])", shows: "[-0.15880801, 0.00000000, 0.84119199]"),
            value: f(.geluTanh, x)),
        ActivationRow(
            "gelu_sigmoid", aliases: ["quick_gelu"],
            range: "[-0.163610…, ∞)", limits: (0, .infinity),
            weights: .he, summary: "gelu with a sigmoid in place of the normal distribution.",
            example: .init("gelu_sigmoid([-1, 0, 1])", shows: "[-0.15420423, 0.00000000, 0.84579577]"),
            value: f(.geluSigmoid, x)),
        ActivationRow(
            "silu", aliases: ["swish"], parameters: [.init("beta", 1, "sharpness of the gate")],
            note: "The limit at -∞ is 0, not NaN.",
            range: "[-0.278464…, ∞)", limits: (0, .infinity),
            weights: .he, summary: "x weighted by its own sigmoid.",
            example: .init("silu([-1, 0, 1])", shows: "[-0.26894142, 0.00000000, 0.73105858]"),
            value: f(.siluBeta, x, p), kernel: .silu),
        ActivationRow(
            "hard_swish", aliases: ["hard_silu"],
            note: "The limit at -∞ is 0, not NaN.",
            range: "[-3/8, ∞)", limits: (0, .infinity),
            kinks: [.init(-3, left: 0, right: -0.5, chosen: 0), .init(3, left: 1.5, right: 1, chosen: 1)],
            summary: "silu with a gate of straight lines.",
            example: .init("hard_swish([-4, -1.5, 6])", shows: "[0.000, -0.375, 6.000]"),
            value: f(.hardSwish, x)),
        ActivationRow(
            "mish",
            note: "A rational function of e^-|x|: the definition loses digits between -20 and -2.",
            range: "[-0.308841…, ∞)", limits: (0, .infinity),
            weights: .he, summary: "x weighted by tanh of its softplus.",
            example: .init("mish([-1, 0, 1])", shows: "[-0.30340146, 0.00000000, 0.86509839]"),
            value: f(.mish, x)),
        ActivationRow(
            "serf",
            range: "[-0.348437…, ∞)", limits: (0, .infinity),
            summary: "x weighted by erf of its softplus.",
            example: .init("serf([-1, 0, 1])", shows: "[-0.34224796, 0.00000000, 0.93672192]"),
            value: f(.serf, x)),
        ActivationRow(
            "tanhexp",
            note: "e^x may overflow: the gate is 1 long before.",
            range: "[-0.353285…, ∞)", limits: (0, .infinity),
            summary: "x weighted by tanh of its exponential.",
            example: .init("tanhexp([-1, 0, 1])", shows: "[-0.35213549, 0.00000000, 0.99132892]"),
            value: f(.tanhexp, x)),
        ActivationRow(
            "lisht", range: "[0, ∞)", limits: (.infinity, .infinity),
            summary: "x weighted by its own tanh: even, never negative.",
            example: .init("lisht([-1, 0, 2])", shows: "[0.76159416, 0.00000000, 1.92805516]"),
            value: f(.lisht, x)),
    ]
}
