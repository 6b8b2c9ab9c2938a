// Learning rates that change while training goes on. A schedule is one row: a function of the time in epochs.

import ActArray
import ActGrad

package struct ScheduleRow {
    package let name: String
    package let signature: String
    package let summary: String
    package let example: String
    /// Names and defaults of the parameters after `lr`; NaN for one that must be given.
    package let parameters: [(name: String, default: Double)]
    /// Of the time in epochs, then the rate, then the parameters.
    private let program: FormulaProgram

    /// - Parameter rate: What the rate is, of the time after the first `warmup` epochs and of `lr` and the parameters by name.
    fileprivate init(
        _ signature: String, _ summary: String, example: String, parameters: [(name: String, default: Double)],
        rate: (_ lr: Formula, _ epoch: Formula, _ values: [Formula]) -> Formula
    ) {
        name = String(signature.prefix { $0 != "(" })
        self.signature = signature
        self.summary = summary
        self.example = example
        self.parameters = parameters
        let epoch = Formula.x, lr = Formula.input(1), values = parameters.indices.map { Formula.input($0 + 2) }
        let warmup = Formula.input(parameters.count + 1)
        let whole = Formula.select(.compare(.lt, epoch, warmup), then: lr * epoch / ScheduleRow.divisor(warmup), otherwise: rate(lr, epoch - warmup, values))
        program = FormulaProgram(.select(.compare(.ge, epoch, 0), then: whole, otherwise: .number(.nan)))
    }

    /// A time to divide by: both branches of a choice are computed, and where it is not positive the other counts.
    fileprivate static func divisor(_ time: Formula) -> Formula { .select(.compare(.gt, time, 0), then: time, otherwise: 1) }

    /// The rate at a moment; it grows from 0 during the first `warmup` epochs, which the schedule itself does not see. NaN before 0.
    /// - Parameter values: `lr` and the parameters, `warmup` last.
    package func rate(at epoch: Double, _ values: [Double]) -> Double { program([epoch] + values) }

    /// The same, followed by derivatives.
    package func rate(at epoch: Operand, _ values: [Operand]) throws -> Operand { try program([epoch] + values) }
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
        ) { lr, epoch, values in lr * .binary(.pow, values[1], .unary(.floor, epoch / values[0])) },
        ScheduleRow(
            "cosine_rate(lr, epochs, floor=0, warmup=0)", "a learning rate that falls to `floor` along half a cosine",
            example: "cosine_rate(0.1, epochs=10)(5)   # 0.05", parameters: [("epochs", .nan), ("floor", 0), ("warmup", 0)]
        ) { lr, epoch, values in
            let length = values[0] - values[2]
            let part = Formula.select(.compare(.gt, length, 0), then: .binary(.min, epoch / ScheduleRow.divisor(length), 1), otherwise: 1)
            let cosine = Formula.unary(.cos, .number(.pi) * part)
            return values[1] + (lr - values[1]) * (1 + cosine) / 2
        },
    ]
}
