// Learning rates that change while training goes on. A schedule is one row: a function of the time in epochs.

import ActArray

package struct ScheduleRow {
    package let name: String
    package let signature: String
    package let summary: String
    package let example: String
    /// Names and defaults of the parameters after `lr`; NaN for one that must be given.
    package let parameters: [(name: String, default: Double)]
    private let rate: (_ lr: Double, _ epoch: Double, _ values: [Double]) -> Double

    fileprivate init(
        _ signature: String, _ summary: String, example: String, parameters: [(name: String, default: Double)],
        rate: @escaping (Double, Double, [Double]) -> Double
    ) {
        name = String(signature.prefix { $0 != "(" })
        self.signature = signature
        self.summary = summary
        self.example = example
        self.parameters = parameters
        self.rate = rate
    }

    /// The rate at a moment; it grows from 0 during the first `warmup` epochs, which the schedule itself does not see. NaN before 0.
    /// - Parameter values: As `parameters`, `warmup` last.
    package func rate(_ lr: Double, at epoch: Double, _ values: [Double]) -> Double {
        guard epoch >= 0 else { return .nan }
        let warmup = values.last ?? 0
        if epoch < warmup { return lr * epoch / warmup }
        return rate(lr, epoch - warmup, values)
    }
}

package enum Schedules {
    package static let all: [ScheduleRow] = [
        ScheduleRow(
            "constant_rate(lr, warmup=0)", "a learning rate that stays, after `warmup` epochs in which it grows from 0",
            example: "constant_rate(0.1, warmup=2)(1)   # 0.05", parameters: [("warmup", 0)]
        ) { lr, _, _ in lr },
        ScheduleRow(
            "step_rate(lr, every, factor=0.1, warmup=0)", "a learning rate that is multiplied by `factor` every so many epochs",
            example: "step_rate(0.1, every=10)(25)   # 0.001", parameters: [("every", .nan), ("factor", 0.1), ("warmup", 0)]
        ) { lr, epoch, values in lr * Scalar.binary(.pow, values[1], (epoch / values[0]).rounded(.down)) },
        ScheduleRow(
            "cosine_rate(lr, epochs, floor=0, warmup=0)", "a learning rate that falls to `floor` along half a cosine",
            example: "cosine_rate(0.1, epochs=10)(5)   # 0.05", parameters: [("epochs", .nan), ("floor", 0), ("warmup", 0)]
        ) { lr, epoch, values in
            let length = max(values[0] - values[2], 0)
            let part = length > 0 ? min(epoch / length, 1) : 1
            return values[1] + (lr - values[1]) * (1 + Scalar.unary(.cos, .pi * part)) / 2
        },
    ]
}
