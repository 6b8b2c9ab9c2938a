// Learning rates that change while training goes on. A schedule is one row: a function of the time in epochs.

import ActArray
import ActGrad
import ActRows

package struct ScheduleRow: Sendable {
    package let name: String
    package let summary: String
    package let example: String
    package let parameters: [Parameter]
    /// `lr`, those of its own, `warmup`.
    package let inputs: [Input<Double>]
    /// Of the time in epochs, then of the inputs.
    private let program: FormulaProgram

    /// - Parameters:
    ///   - own: Declares the parameters between `lr` and `warmup`.
    ///   - rate: What the rate is, of `lr`, of the time after the first `warmup` epochs and of what comes after `lr`: the parameters of its own, then `warmup`.
    fileprivate init(
        _ name: String, _ summary: String, example: String, own: (inout Signature) -> [Input<Double>] = { _ in [] },
        rate: (_ lr: Formula, _ epoch: Formula, _ values: [Formula]) -> Formula
    ) {
        self.name = name
        self.summary = summary
        self.example = example
        var takes = Signature()
        var inputs = [takes.number("lr", .within(0...), role: .followed)]
        inputs += own(&takes)
        inputs.append(takes.number("warmup", default: 0, .within(0...), role: .followed))
        self.inputs = inputs
        parameters = takes.parameters
        let epoch = Formula.x, lr = Formula.input(1), values = inputs.indices.dropFirst().map { Formula.input($0 + 1) }
        let warmup = Formula.input(inputs.count)
        let whole = Formula.select(.compare(.lt, epoch, warmup), then: lr * epoch / ScheduleRow.divisor(warmup), otherwise: rate(lr, epoch - warmup, values))
        program = FormulaProgram(.select(.compare(.ge, epoch, 0), then: whole, otherwise: .number(.nan)))
    }

    /// A time to divide by: both branches of a choice are computed, and where it is not positive the other counts.
    fileprivate static func divisor(_ time: Formula) -> Formula { .select(.compare(.gt, time, 0), then: time, otherwise: 1) }

    /// The rate at a moment; it grows from 0 during the first `warmup` epochs, which the schedule itself does not see. NaN before 0.
    /// - Parameter values: Of the inputs, in order.
    package func rate(at epoch: Double, _ values: [Double]) -> Double { program([epoch] + values) }

    /// The same, followed by derivatives.
    package func rate(at epoch: Operand, _ values: [Operand]) throws -> Operand { try program([epoch] + values) }
}

package enum Schedules {
    package static let all: [ScheduleRow] = [
        ScheduleRow(
            "constant_rate", "a learning rate that stays, after `warmup` epochs in which it grows from 0",
            example: "constant_rate(0.1, warmup=2)(1)   # 0.05"
        ) { lr, _, _ in lr },
        ScheduleRow(
            "step_rate", "a learning rate that is multiplied by `factor` every so many epochs",
            example: "step_rate(0.1, every=10)(25)   # 0.001",
            own: { [$0.number("every", .positive, role: .followed), $0.number("factor", default: 0.1, .within(0...), role: .followed)] }
        ) { lr, epoch, values in lr * .binary(.pow, values[1], .unary(.floor, epoch / values[0])) },
        ScheduleRow(
            "cosine_rate", "a learning rate that falls to `floor` along half a cosine",
            example: "cosine_rate(0.1, epochs=10)(5)   # 0.05",
            own: { [$0.number("epochs", .positive, role: .followed), $0.number("floor", default: 0, .within(0...), role: .followed)] }
        ) { lr, epoch, values in
            let length = values[0] - values[2]
            let part = Formula.select(.compare(.gt, length, 0), then: .binary(.min, epoch / ScheduleRow.divisor(length), 1), otherwise: 1)
            let cosine = Formula.unary(.cos, .number(.pi) * part)
            return values[1] + (lr - values[1]) * (1 + cosine) / 2
        },
    ]
}
