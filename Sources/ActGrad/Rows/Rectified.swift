// Rows that let the positive side pass: relu, its leaky, capped and squared forms, thresholds.

import ActArray

private let x = Formula.x
private let p = Formula.input(1)
private let q = Formula.input(2)

/// A kink at 0 between the slope of the negative side and 1, with the slope of the negative side there.
private func bend(_ slope: Formula) -> [ActivationRow.RowKink] {
    [.init(0, left: slope, right: 1, chosen: slope)]
}

extension Activations {
    static let rectified: [ActivationRow] = [
        ActivationRow(
            "relu",
            note: "The slope at 0 is 0, as for max(x, 0), max(0, x) and where(x > 0, x, 0).",
            range: "[0, ∞)", limits: (0, .infinity), kinks: bend(0),
            weights: .he, summary: "The rectified linear unit: the positive part.",
            example: .init("relu([-2, 0, 3])", shows: "[0, 0, 3]"),
            value: f(.relu, x)),
        ActivationRow(
            "relu6", range: "[0, 6]", limits: (0, 6),
            kinks: [.init(0, left: 0, right: 1, chosen: 0), .init(6, left: 1, right: 0, chosen: 0)],
            weights: .he, summary: "relu with a ceiling of 6, for low-precision inference.",
            example: .init("relu6([-1, 3, 8])", shows: "[0, 3, 6]"),
            value: f(.relu6, x)),
        ActivationRow(
            "relu2", range: "[0, ∞)", limits: (0, .infinity),
            weights: .he, summary: "The square of relu.",
            example: .init("relu2([-1, 0.5, 3])", shows: "[0.00, 0.25, 9.00]"),
            value: f(.relu2, x)),
        ActivationRow(
            "leaky_relu", parameters: [.init("slope", 0.01, "of the negative side")],
            range: "(-∞, ∞)", limits: (-.infinity, .infinity), kinks: bend(p),
            weights: .he, summary: "relu whose negative side keeps a small slope, so that no unit dies.",
            example: .init("leaky_relu([-100, 0, 3])", shows: "[-1, 0, 3]"),
            value: f(.leaky, x, p)),
        ActivationRow(
            "prelu", parameters: [.init("alpha", 0.25, "slope of the negative side, one number or one for each channel", mayBeArray: true)],
            range: "(-∞, ∞)", limits: (-.infinity, .infinity), kinks: bend(p),
            weights: .he, summary: "leaky_relu whose slope is learned.",
            example: .init("prelu([-4, 0, 3])", shows: "[-1, 0, 3]"),
            value: f(.leaky, x, p)),
        ActivationRow(
            "rrelu",
            parameters: [
                .init("lower", 1 / 8.0, "the least slope drawn in training", slope: f(.min, x, 0) / 2),
                .init("upper", 1 / 3.0, written: "1/3", "the largest", slope: f(.min, x, 0) / 2),
            ],
            note: "In training the slope is drawn between lower and upper.", range: "(-∞, ∞)", limits: (-.infinity, .infinity), kinks: bend((p + q) / 2),
            weights: .he, randomized: { try Activations.randomizedLeaky($0, draws: $1) },
            summary: "leaky_relu whose slope is random in training and the mean afterwards.",
            example: .init("rrelu([-48, 0, 3])", shows: "[-11, 0, 3]"),
            value: f(.leaky, x, (p + q) / 2)),
        ActivationRow(
            "threshold",
            parameters: [
                .init("theta", 0, "what x must exceed to pass", slope: 0),
                .init("value", 0, "what the others become", slope: choose(x <= p, 1, 0)),
            ],
            range: "[0, ∞)", limits: (0, .infinity), kinks: [.init(p, left: 0, right: 1, chosen: 0, jumps: true)],
            summary: "Passes what exceeds a threshold and replaces the rest.",
            example: .init("threshold([-1, 2, 5], theta=2, value=-1)", shows: "[-1, -1, 5]"),
            value: choose(x > p, x, choose(x <= p, q, x)), slopes: [choose(x > p, 1, choose(x <= p, 0, x)), 0]),
        ActivationRow(
            "trelu", aliases: ["thresholded_relu"],
            parameters: [.init("theta", 1, "what x must exceed to pass", slope: 0)],
            range: "{0} ∪ (1, ∞)", limits: (0, .infinity), kinks: [.init(p, left: 0, right: 1, chosen: 0, jumps: true)],
            summary: "Passes what exceeds a threshold, else 0.",
            example: .init("trelu([-1, 1, 3])", shows: "[0, 0, 3]"),
            value: choose(x > p, x, choose(x <= p, 0, x)), slopes: [choose(x > p, 1, choose(x <= p, 0, x)), 0]),
        ActivationRow(
            "star_relu",
            parameters: [
                .init("s", 0.8944, "scale", slope: f(.relu2, x)), .init("b", -0.4472, "offset", slope: 1),
            ],
            note: "With the defaults it has mean 0 and variance 1 on normal input.",
            range: "[-0.4472, ∞)", limits: (-0.4472, .infinity),
            summary: "relu2 scaled and shifted to keep the statistics of its input.",
            example: .init("star_relu([-1, 0, 2])", shows: "[-0.4472, -0.4472, 3.1304]"),
            value: starRelu, definition: p * f(.relu2, x) + q, slopes: [2 * p * f(.relu, x), 2 * p * f(.reluD, x)], wide: true),
    ]
}

/// s(x)₊² + b, as s(x − r)(x + r) with r = √(−b/s) where it has that zero: there the difference is exact.
private let starRelu: Formula = {
    let (root, rest) = compensatedRoot(-q, over: p)
    let factors: Formula = (p * ((x - root) - rest)) * (x + root)
    let plain: Formula = p * x * x + q
    return choose(x > 0, choose(p * q < 0, factors, plain), choose(x <= 0, q, x))
}()
