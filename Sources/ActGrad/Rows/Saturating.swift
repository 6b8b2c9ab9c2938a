// Rows that go from one level to another: steps, sigmoids, tanh and their pieces in straight lines.

import ActArray

private let x = Formula.x
private let p = Formula.input(1)
private let q = Formula.input(2)

/// A formula that gives NaN where x is NaN and neither comparison holds.
private func between(_ low: Formula, _ high: Formula, inside: Formula, outside: Formula) -> Formula {
    choose(x <= low, outside, choose(x >= high, outside, choose(x == x, inside, x)))
}

/// p x + ½, as p (x + ½/p) on the left, where it nearly cancels.
private let slopedLine: Formula = {
    let (half, rest) = compensatedQuotient(0.5, p)
    return choose(p * x >= -0.25, p * x + 0.5, p * ((x + half) + rest))
}()

extension Activations {
    package static let identity = ActivationRow(
        "identity", aliases: ["linear"], range: "(-∞, ∞)", limits: (-.infinity, .infinity),
        summary: "Passes its argument on: the activation of a layer that has none.",
        example: .init("identity([-2, 0, 3])", shows: "[-2, 0, 3]"),
        value: x, slopes: [1, 0])

    static let saturating: [ActivationRow] = [
        identity,
        ActivationRow(
            "step", aliases: ["heaviside", "binary_step"],
            parameters: [.init("threshold", 0, "where it jumps", slope: 0)], range: "{0, 1}", limits: (0, 1),
            kinks: [.init(p, left: 0, right: 0, chosen: 0, jumps: true)],
            summary: "A step: 1 above the threshold, 0 at it and below.",
            example: .init("step([-1, 0, 2])", shows: "[0, 0, 1]"),
            value: choose(x > p, 1, choose(x <= p, 0, x)), slopes: [0, 0]),
        ActivationRow(
            "sign", range: "{-1, 0, 1}", limits: (-1, 1),
            kinks: [.init(0, left: 0, right: 0, chosen: 0, jumps: true)],
            summary: "The sign of its argument.",
            example: .init("sign([-3, 0, 5])", shows: "[-1, 0, 1]"),
            value: f(.sign, x), slopes: [0, 0]),
        ActivationRow(
            "sigmoid", aliases: ["logistic", "σ"],
            note: "Accurate in both tails; σ(1 - σ) would lose every digit on the right.",
            range: "(0, 1)", limits: (0, 1),
            summary: "The logistic curve from 0 to 1: a probability from a score.",
            example: .init("sigmoid([-1, 0, 1])", shows: "[0.26894142, 0.50000000, 0.73105858]"),
            value: f(.sigmoid, x)),
        ActivationRow(
            "log_sigmoid",
            note: "As -softplus(-x): log(sigmoid(x)) is -inf from -750 on.",
            range: "(-∞, 0)", limits: (-.infinity, 0),
            summary: "The logarithm of the sigmoid, for losses.",
            example: .init("log_sigmoid([-100, 0])", shows: "[-100.00000000, -0.69314718]"),
            value: f(.logSigmoid, x)),
        ActivationRow(
            "hard_sigmoid",
            parameters: [
                .init("slope", 1 / 6.0, written: "1/6", "of the line through (0, 1/2)", slope: between(-0.5 / p, 0.5 / p, inside: x, outside: 0))
            ],
            note: "Keras 2 and ONNX use slope 0.2.",
            range: "[0, 1]", limits: (0, 1),
            kinks: [.init(-0.5 / p, left: 0, right: p, chosen: 0), .init(0.5 / p, left: p, right: 0, chosen: 0)],
            summary: "A sigmoid of three straight lines.",
            example: .init("hard_sigmoid([-4, 0, 1.5])", shows: "[0.00, 0.50, 0.75]"),
            value: slopedLine.clamped(0, 1), definition: (p * x + 0.5).clamped(0, 1),
            slopes: [choose(f(.abs, p * x) < 0.5, p, choose(f(.abs, p * x) >= 0.5, 0, x)), 0], kernel: .hardSigmoid, wide: true),
        ActivationRow(
            "sparse_sigmoid",
            range: "[0, 1]", limits: (0, 1),
            kinks: [.init(-1, left: 0, right: 0.5, chosen: 0), .init(1, left: 0.5, right: 0, chosen: 0)],
            summary: "The slope of sparse_plus: a sigmoid that reaches 0 and 1.",
            example: .init("sparse_sigmoid([-2, 0, 0.5])", shows: "[0.00, 0.50, 0.75]"),
            value: (0.5 * (x + 1)).clamped(0, 1), slopes: [between(-1, 1, inside: 0.5, outside: 0), 0]),
        ActivationRow(
            "tanh",
            note: "1 - tanh² x would cancel in the tails.",
            range: "(-1, 1)", limits: (-1, 1),
            summary: "The hyperbolic tangent: a sigmoid from -1 to 1, odd.",
            example: .init("tanh([-1, 0, 1])", shows: "[-0.76159416, 0.00000000, 0.76159416]"),
            value: f(.tanh, x)),
        ActivationRow(
            "hard_tanh",
            parameters: [
                .init("lo", -1, "the lower level", slope: choose(x <= p, 1, 0)),
                .init("hi", 1, "the upper level", slope: choose(x >= q, 1, 0)),
            ],
            range: "[-1, 1]", limits: (-1, 1),
            kinks: [.init(p, left: 0, right: 1, chosen: 0), .init(q, left: 1, right: 0, chosen: 0)],
            summary: "tanh in three straight lines.",
            example: .init("hard_tanh([-2, 0.5, 3])", shows: "[-1.0, 0.5, 1.0]"),
            value: x.clamped(p, q), slopes: [between(p, q, inside: 1, outside: 0), 0]),
        ActivationRow(
            "softsign",
            note: "The limits are -1 and 1; inf/inf is avoided.",
            range: "(-1, 1)", limits: (-1, 1),
            summary: "A sigmoid that approaches its levels slowly.",
            example: .init("softsign([-1, 0, 3])", shows: "[-0.50, 0.00, 0.75]"),
            value: f(.softsign, x)),
        ActivationRow(
            "arctan", range: "(-π/2, π/2)", limits: (-.pi / 2, .pi / 2),
            summary: "The inverse tangent as a sigmoid.",
            example: .init("arctan([-1, 0, 1])", shows: "[-0.78539816, 0.00000000, 0.78539816]"),
            value: f(.atan, x)),
        ActivationRow(
            "erf", note: "2/√π ∫₀ˣ e^-t² dt.", range: "(-1, 1)", limits: (-1, 1),
            summary: "The error function, the sigmoid of the normal distribution.",
            example: .init("erf([-1, 0, 1])", shows: "[-0.84270079, 0.00000000, 0.84270079]"),
            value: f(.erf, x)),
    ]
}
