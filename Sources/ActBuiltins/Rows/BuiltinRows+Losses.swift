// Losses, optimisers and learning rates as built-ins: loops over their rows.

import ActArray
import ActMachine
import ActNetwork
import ActRows
import ActSyntax

extension BuiltinRows {
    static let losses: [Builtin] = Losses.all.map { row in
        Builtin(
            .networks, row.name, row.summary,
            details: [row.formula, row.details, "`reduction` is \"mean\", \"sum\", or \"none\" for the parts themselves."].filter { !$0.isEmpty }.joined(
                separator: "\n"), example: row.example
        ) { takes in
            takes.add(row.parameters)
            // What is said of classes is for the loss that makes their probabilities itself.
            let options = row.includesSoftmax && row.hasClasses ? ClassOptions(&takes) : nil
            let reduction = takes.choice("reduction", default: LossRow.Reduction.mean), axis = row.hasClasses ? takes.wholeOrNone("axis") : nil
            return { call in
                var prediction = try call.array(call.value(at: 0), at: 0), target = try call.array(call.value(at: 1), at: 1)
                if let axis = try axis.flatMap({ try call[$0] }) { (prediction, target) = try Losses.classesLast(prediction, target, axis: axis) }
                if row.includesSoftmax, try isProbabilities(prediction) { try call.machine.warn(.softmaxOfScores(loss: row.name)) }
                if let options, options.areGiven(call) { return try options.loss(prediction, target, call, call[reduction]) }
                let values = try row.parameters.indices.dropFirst(2).map { try call.isGiven(at: $0) ? call.scalar(at: $0) : nil }
                return try Value(row(prediction, target, values, reduction: call[reduction]))
            }
        }
    }

    /// Whether softmax made an array, or it looks so: rows of numbers from 0 to 1 whose sum is 1, and not one-hot.
    private static func isProbabilities(_ scores: NDArray) throws -> Bool {
        if case .normalize(.softmax, _) = scores.node.primitive { return true }
        // While a derivative is taken, numbers are not looked at.
        guard !scores.isTraced, let classes = scores.shape.last, classes > 1, scores.count > 0, scores.count <= 1 << 16 else { return false }
        let numbers = try scores.toDoubles()
        guard numbers.allSatisfy({ $0 >= 0 && $0 <= 1 }), numbers.contains(where: { $0 > 0 && $0 < 1 }) else { return false }
        return stride(from: 0, to: numbers.count, by: classes).allSatisfy { abs(numbers[$0..<$0 + classes].reduce(-1, +)) < 1e-5 }
    }

    static let optimizers: [Builtin] = Optimizers.all.map { row in
        Builtin(
            .networks, row.name, "an optimiser for `fit`: \(row.summary)",
            details: row.formula + "\n" + row.inputs.own.map { "\(row.parameters[$0.index].name): \(row.parameters[$0.index].summary)." }.joined(separator: " ")
                + "\n`lr` is a number, or a function of the time in epochs such as `cosine_rate(0.001, epochs=10)`. weight_decay pulls every parameter toward 0; clip_value bounds every element of the gradients, clip_norm the norm of all of them together.",
            example: "\(row.name)(lr=0.5).lr   # 0.5"
        ) { takes in
            takes.add(row.parameters)
            return { call in
                var fields: Fields = ["optimizer": .string(row.name)]
                for (index, fallback) in row.inputs.defaults.enumerated() {
                    let parameter = row.parameters[index]
                    let value: Value = fallback.map { parameter.kind == .flag ? .bool($0 != 0) : .number($0) } ?? .none
                    fields[parameter.name] = call.isSet(at: index) ? call.value(at: index) : value
                }
                let record = try Record(fields)
                _ = try call.optimizer(record)
                return .record(record)
            }
        }
    }

    static let schedules: [Builtin] = Schedules.all.map { row in
        Builtin(.networks, row.name, row.summary, details: "A function of the time in epochs, for the `lr` of an optimiser.", example: row.example) { takes in
            takes.add(row.parameters)
            return { call in
                var operands: [Operand] = [], texts: [String] = []
                for input in row.inputs {
                    let operand = try call.scalar(input), value = try operand.item()
                    if let bounds = input.bounds, !bounds.contains(value) { throw call.fail(input, .within(bounds)) }
                    operands.append(operand)
                    texts.append((texts.isEmpty ? "" : row.parameters[input.index].name + "=") + Format.number(value))
                }
                return try ScheduleFunction("\(row.name)(\(texts.joined(separator: ", ")))", row, operands).asValue()
            }
        }
    }
}

/// What `cross_entropy` takes beside scores and labels: labels and classes that do not count alike.
private struct ClassOptions {
    private let smoothing: Input<Double>
    private let ignored: Input<Double?>
    private let weights: Input<NDArray?>

    init(_ takes: inout Signature) {
        smoothing = takes.number("label_smoothing", default: 0, role: .opaque)
        ignored = takes.numberOrNone("ignore")
        weights = takes.arrayOrNone("weights")
    }

    func areGiven(_ call: Call) -> Bool { call.isGiven(smoothing) || call.isGiven(ignored) || call.isGiven(weights) }

    func loss(_ prediction: NDArray, _ target: NDArray, _ call: Call, _ reduction: LossRow.Reduction) throws -> Value {
        let smoothing = try call[smoothing], ignored = try call[ignored], weights = try call[weights]
        return try Value(Losses.crossEntropy(prediction, target, smoothing: smoothing, ignored: ignored, weights: weights, reduction: reduction))
    }
}

/// A learning rate as a function of the time in epochs.
private final class ScheduleFunction: NativeFunction {
    let name: String
    let scalar: ((Double) -> Double)?
    private let row: ScheduleRow
    /// The rate and the parameters after it.
    private let operands: [Operand]

    init(_ text: String, _ row: ScheduleRow, _ operands: [Operand]) {
        name = text
        self.row = row
        self.operands = operands
        let numbers = operands.compactMap { if case .number(let number) = $0 { number } else { nil } }
        scalar = numbers.count == operands.count ? { row.rate(at: $0, numbers) } : nil
    }

    var parameters: [Parameter] { [Parameter(name: "epoch", fallback: nil)] }

    func call(_ arguments: Arguments, as function: Function, _ machine: Machine) throws -> Value {
        guard let epoch = arguments.positional.first ?? arguments.named.first(where: { $0.name == "epoch" })?.value else {
            throw RuntimeError.missingArgument("epoch", of: name)
        }
        let moment: Operand = if case .number(let number) = epoch { .number(number) } else { try .array(epoch.point()) }
        let early: Double? =
            switch moment {
            case .number(let number): number < 0 ? number : nil
            case .array(let epochs): try epochs.toDoubles().first { $0 < 0 }
            }
        if let early { throw TrainingRefusal.epochBeforeFirst(early, name) }
        switch try row.rate(at: moment, operands) {
        case .number(let rate): return .number(rate)
        case .array(let rates): return try Value(rates)
        }
    }
}
