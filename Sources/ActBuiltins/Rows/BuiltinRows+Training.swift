// fit, history and the metrics.

import ActArray
import ActMachine
import ActNetwork
import ActRows
import OrderedCollections

extension BuiltinRows {
    static let training: [Builtin] = [
        Builtin(
            .networks, "fit", "the network trained on rows of x and y",
            details: """
                The rows are shuffled each epoch and taken in batches. `loss` is one of \(Losses.all.map(\.name).joined(separator: " ")), or a function of predictions and targets whose value is a number. \
                `validation=(xt, yt)` is looked at after each epoch. With `patience=n`, training ends after n epochs without a better loss of the validation (without one, of the data after each epoch), and the parameters whose loss was best are kept. \
                `metric` is accuracy or r2; losses choose one themselves.
                Layers are in training mode: Dropout drops, BatchNorm normalises by the batch and gathers its statistics. Ctrl-C ends training after the last whole epoch, and the second time the program; `history(net)` tells how it went.
                """,
            example: "seed(1); x = linspace(-1, 1, 64)[:, none]\nnet = fit(Dense(1, 1), x, 2 * x + 1, mse, SGD(0.5), epochs=50, progress=false)\nmse(net(x), 2 * x + 1) < 1e-4   # true", role: .opaque
        ) { takes in
            let fit = Fit(&takes)
            return { call in try fit(call) }
        },
        Builtin(
            .networks, "history", "how `fit` went: a record of epoch, loss, metric, the same of the validation, and the learning rate; `plot` draws it",
            example: "seed(1); net = fit(Dense(1, 1), [[0], [1]], [[1], [3]], mse, epochs=3, progress=false)\nhistory(net).epoch   # [1, 2, 3]", role: .steps
        ) { takes in
            let net = takes.network("net")
            return { call in
                let history = try call[net].history
                guard !history.rows.isEmpty else { throw call.cannot("this network was not trained by `fit`") }
                var fields = OrderedDictionary<String, Value>()
                for column in history.columns { fields[column.name] = .array(try NDArray(column.values, shape: [column.values.count])) }
                return try .record(fields)
            }
        },
        Builtin(
            .networks, "accuracy", "the share of right answers",
            details: "Of rows of scores the largest counts; else predictions are class numbers, or with a threshold the side of it. A score that is nan is never right.",
            example: "accuracy([[2, 1], [0, 3]], [0, 0])   # 0.5", role: .steps
        ) { takes in
            let prediction = takes.array("prediction"), labels = takes.array("labels"), threshold = takes.numberOrNone("threshold")
            return { call in
                let threshold = try call[threshold]
                return .number(try Metric.value(.accuracy(threshold: threshold), call[prediction], call[labels]))
            }
        },
        Builtin(
            .networks, "r2", "the share of the target's variance that is predicted: 1 - Σ(prediction - target)²/Σ(target - mean)²",
            example: "r2([1, 2, 3], [1, 2, 4])   # 0.78571429"
        ) { takes in
            let prediction = takes.array("prediction"), target = takes.array("target")
            return { call in try Value(Metric.r2(call[prediction], call[target])) }
        },
        Builtin(
            .networks, "confusion", "how often each class (row) was taken for each class (column)",
            example: "confusion([0, 1, 1], [0, 1, 0])   # [[1, 1],\n# [0, 1]]", role: .steps
        ) { takes in
            let prediction = takes.array("prediction"), labels = takes.array("labels")
            return { call in .array(try Metric.confusion(call[prediction], call[labels])) }
        },
    ]
}

/// What `fit` takes and does.
private struct Fit {
    private let net: Input<NetworkFunction>
    private let x, y: Input<NDArray>
    private let loss: Input<Function>
    private let optimizer: Input<Value>
    private let epochs, batch: Input<Int>
    private let validation: Input<Value>
    private let shuffle: Input<Bool>
    private let metric: Input<Value>
    private let patience: Input<Int?>
    private let progress: Input<Bool>

    private static let most = 0x1p40

    init(_ takes: inout Signature) {
        net = takes.network("net")
        (x, y) = (takes.array("x"), takes.array("y"))
        loss = takes.function("loss")
        optimizer = takes.value("optimizer", default: nil, Optimizers.named(Optimizers.standard)?.text ?? "none")
        epochs = takes.whole("epochs", default: 1, .within(0...Fit.most))
        batch = takes.whole("batch", default: 32, .within(1...Fit.most))
        validation = takes.valueOrNone("validation")
        shuffle = takes.flag("shuffle", default: true)
        metric = takes.valueOrNone("metric")
        patience = takes.wholeOrNone("patience", .within(1...Fit.most))
        progress = takes.flag("progress", default: true)
    }

    func callAsFunction(_ call: Call) throws -> Value {
        let machine = call.machine
        let function = try call[net], loss = try call.loss(loss)
        var training = Training(loss: loss.evaluate, metric: try metric(call, default: loss.row?.metric), optimizer: try optimizer(call))
        training.epochs = try call[epochs]
        training.batch = try call[batch]
        training.shuffles = try call[shuffle]
        training.patience = try call[patience]
        if call.isGiven(validation) {
            guard case .list(let pair) = call[validation], pair.elements.count == 2 else { throw call.fail(validation, "a pair (x, y)") }
            training.validation = (try call.array(pair.elements[0], validation), try call.array(pair.elements[1], validation))
        }
        if let row = loss.row, row.includesSoftmax, function.network.endsInProbabilities { try machine.warn(.softmaxOfScores(loss: row.name)) }

        let line = try call[progress] ? ProgressLine(machine) : nil
        // Numbers that go wrong show in the loss, which says where.
        let watches = NumericEvents.isEnabled
        try machine.drainNumericEvents()
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = watches }
        let x = try call[x], y = try call[y]
        // Schedules and losses are functions of the program, which may draw too.
        var random = machine.random
        defer { machine.random = random }
        let result: Training.Result
        do {
            result = try training.run(
                function.network, x: x, y: y, history: function.history, random: &random, progress: { line?.show($0) })
        } catch {
            line?.end()
            throw error
        }
        switch result.ending {
        case .complete: break
        case .early(let epoch):
            line?.note("no better for \(training.patience ?? 0) epochs: the parameters are those \(epoch == 0 ? "from before" : "after epoch \(epoch)")")
        case .interrupted:
            guard machine.host.endsTrainingOnly() else { throw ArrayError.interrupted }
            Interrupt.current.clear()
            line?.note("interrupted: the parameters are those after epoch \(result.history.rows.count - function.history.rows.count)")
        }
        return try NetworkFunction(result.network, like: function, history: result.history).asValue()
    }

    private func optimizer(_ call: Call) throws -> Optimizer {
        switch call[optimizer] {
        case .undefined, .none: return try call.optimizer(Record(["optimizer": .string(Optimizers.standard)]))
        case .record(let record): return try call.optimizer(record)
        case .function(let function) where Optimizers.named(function.name) != nil: return try call.optimizer(Record(["optimizer": .string(function.name)]))
        default: throw call.fail(optimizer, "an optimiser such as Adam(0.001)")
        }
    }

    private func metric(_ call: Call, default fallback: Metric.Kind?) throws -> Metric.Kind? {
        let name: String
        switch call[metric] {
        case .undefined, .none: return fallback
        case .bool(false): return nil
        case .string(let text): name = text.string
        case .function(let function): name = function.name
        default: throw call.fail(metric, "accuracy or r2")
        }
        switch name {
        case "r2": return .r2
        case "accuracy":
            if case .accuracy? = fallback { return fallback }
            return .accuracy(threshold: nil)
        default: throw call.fail(metric, "accuracy or r2")
        }
    }
}

extension Call {
    /// A loss: a built-in one, or any function of predictions and targets.
    func loss(_ argument: Input<Function>) throws -> (row: LossRow?, evaluate: (NDArray, NDArray) throws -> NDArray) {
        let function = try self[argument]
        if function.builtin != nil, let row = Losses.named(function.name) { return (row, { try row($0, $1) }) }
        let machine = machine
        return (
            nil,
            { prediction, target in
                try machine.call(function, Arguments([Value(prediction), Value(target)])).differentiable(of: function)
            }
        )
    }
}

extension Network {
    fileprivate var endsInProbabilities: Bool { layers.last?.settings.functions.last?.row?.givesProbabilities ?? false }
}
