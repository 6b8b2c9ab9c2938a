// fit, history and the metrics.

import ActArray
import ActLayers
import ActMachine
import ActNetwork
import ActRandom
import ActRows

extension BuiltinRows {
    static let training: [Builtin] = [
        Builtin(
            .networks, "fit", "the network trained on rows of x and y",
            details: """
                The rows are shuffled each epoch and taken in batches. `loss` is one of \(Losses.all.map(\.name).joined(separator: " ")), or a \
                function of predictions and targets whose value is a number. \
                `validation=(xt, yt)` is looked at after each epoch. With `patience=n`, training ends after n epochs without a better loss of the \
                validation (without one, of the data after each epoch), and the parameters whose loss was best are kept. \
                `metric` is accuracy, r2, or a function of predictions and targets; losses choose one themselves. A loss with a third parameter is \
                given the network too. \
                `weights` says how much each row counts. `callback` is called after each epoch with the record {epoch, loss, metric, rate, \
                validation_loss, validation_metric, net}, and ends training with `false`.
                With `model=(p, x) -> …` the first argument is any structure of parameters p; inputs and targets may then be records or lists of \
                arrays, as with networks that begin or end in a `layer` of the program. \
                An optimiser may be a function (p, g, state) -> (p, state) of the lists of parameters and gradients, its state `none` at first. A \
                loss that does not depend on the parameters is an error.
                Where several processes run the program (`act -n 4 FILE`, `mpirun`), each batch is cut into `shards` parts, 8 by default, which they \
                share out and whose gradients are added up in one order: the network is the same to the bit for any number of \
                processes, and in one process with `shards=8`. Each part normalises and drops by itself. `sum="fast"` lets the library of MPI choose \
                the order.
                Layers are in training mode: Dropout drops, BatchNorm normalises by the batch and gathers its statistics. Ctrl-C ends training after \
                the last whole epoch, and the second time the program; `history(net)` tells how it went.
                """,
            example:
                "seed(1); x = linspace(-1, 1, 64)[:, none]\nnet = fit(Dense(1, 1), x, 2 * x + 1, mse, SGD(0.5), epochs=50, progress=false)\nmse(net(x), 2 * x + 1) < 1e-4   # true",
            role: .opaque
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
                guard !history.rows.isEmpty else { throw TrainingRefusal.untrained }
                var fields = Fields()
                for column in history.columns { fields[column.name] = .array(try NDArray(column.values, shape: [column.values.count])) }
                return try .record(fields)
            }
        },
        Builtin(
            .networks, "accuracy", "the share of right answers",
            details:
                "Of rows of scores the largest counts; else predictions are class numbers, or with a threshold the side of it. A score that is nan is never right.",
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
    private let net, x, y: Input<Value>
    private let loss: Input<Function>
    private let optimizer: Input<Value>
    private let epochs, batch: Input<Int>
    private let validation: Input<Value>
    private let shuffle: Input<Bool>
    private let metric: Input<Value>
    private let patience: Input<Int?>
    private let progress: Input<Bool>
    private let model, callback, weights: Input<Value>
    private let shards: Input<Int?>
    private let sum: Input<Order>

    /// How the gradients of the parts of a batch are added up.
    private enum Order: String, Choice { case ordered, fast }
    /// Into how many parts ranks cut a batch unless told otherwise, however many they are.
    private static let usualShards = 8
    private static let most = 0x1p40

    init(_ takes: inout Signature) {
        net = takes.value("net")
        (x, y) = (takes.value("x"), takes.value("y"))
        loss = takes.function("loss")
        optimizer = takes.value("optimizer", default: nil, Optimizers.named(Optimizers.standard)?.text ?? "none")
        epochs = takes.whole("epochs", default: 1, .within(0...Fit.most))
        batch = takes.whole("batch", default: 32, .within(1...Fit.most))
        validation = takes.valueOrNone("validation")
        shuffle = takes.flag("shuffle", default: true)
        metric = takes.valueOrNone("metric")
        patience = takes.wholeOrNone("patience", .within(1...Fit.most))
        progress = takes.flag("progress", default: true)
        (model, callback, weights) = (takes.valueOrNone("model"), takes.valueOrNone("callback"), takes.valueOrNone("weights"))
        shards = takes.wholeOrNone("shards", .within(1...0x1p16))
        sum = takes.choice("sum", default: .ordered)
    }

    func callAsFunction(_ call: Call) throws -> Value {
        let machine = call.machine
        let function = try call.isGiven(model) ? self.function(call, model) : nil
        let network = function == nil ? call.networkValue(net) : nil
        guard function != nil || network != nil else { throw call.fail(net, .model) }
        let first = function != nil || network?.network.layers.first?.isOpen == true
        let last = function != nil || network?.network.layers.last?.isOpen == true
        var xs: [NDArray] = [], ys: [NDArray] = []
        let inputs = try rows(call[x], x, isOpen: first, &xs, call), targets = try rows(call[y], y, isOpen: last, &ys, call)
        let shape = FitShape(targets: targets)
        shape.network = network
        let loss = try lossFunction(call, shape)
        var training = Training(
            loss: loss.evaluate, metric: try measure(call, default: loss.row?.metric, shape), optimizer: try call.descent(call[optimizer], optimizer))
        training.epochs = try call[epochs]
        training.batch = try call[batch]
        training.shuffles = try call[shuffle]
        training.patience = try call[patience]
        training.team = machine.team
        training.shards = try call[shards] ?? (machine.team.cutsBatches ? Fit.usualShards : nil)
        training.addsFast = try call[sum] == .fast
        training.swapDraws = { new in
            defer { machine.random = new }
            return machine.random
        }
        if call.isGiven(weights) { training.weights = try call.vector(weights).detached().converted(to: .f64) }
        if call.isGiven(callback) { training.afterEpoch = try afterEpoch(call, shape) }
        if call.isGiven(validation) {
            guard case .list(let pair) = call[validation], pair.elements.count == 2 else { throw call.fail(validation, .pair) }
            var data: (x: [NDArray], y: [NDArray]) = ([], [])
            _ = try rows(pair.elements[0], validation, isOpen: first, &data.x, call)
            _ = try rows(pair.elements[1], validation, isOpen: last, &data.y, call)
            training.validation = data
        }
        guard let network else {
            guard let function else { return .none }
            let fitted = try FitModel(function, of: call[net], inputs: inputs, machine)
            guard !fitted.parameters.isEmpty else { throw call.fail(net, .parameters) }
            shape.model = fitted
            return try run(call, training) { try training.run(fitted, x: xs, y: ys, random: &$0, progress: $1) }.network.value
        }
        if let row = loss.row, row.includesSoftmax, network.network.endsInProbabilities { try machine.warn(.softmaxOfScores(loss: row.name)) }
        if case .array = inputs, !last {
            let result = try run(call, training) { try training.run(network.network, x: xs, y: ys, history: network.history, random: &$0, progress: $1) }
            return try NetworkFunction(result.network, like: network, history: result.history).asValue()
        }
        let fitted = FitModel(network, inputs: inputs, machine)
        shape.model = fitted
        let result = try run(call, training) { try training.run(fitted, x: xs, y: ys, history: network.history, random: &$0, progress: $1) }
        guard case .function(let value) = try result.network.value, let trained = value.network else { return .none }
        return try NetworkFunction(trained.network, like: network, history: result.history).asValue()
    }

    /// Runs a training with its progress shown and its end told.
    private func run<Trained: Model>(
        _ call: Call, _ training: Training, _ body: (inout RandomSource, (Training.Progress) throws -> Void) throws -> Training.Result<Trained>
    ) throws -> Training.Result<Trained> {
        let machine = call.machine
        let line = try call[progress] ? ProgressLine(machine) : nil
        // Numbers that go wrong show in the loss, which says where.
        let watches = NumericEvents.isEnabled
        try machine.drainNumericEvents()
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = watches }
        // Schedules and losses are functions of the program, which may draw too.
        var random = machine.random
        defer { machine.random = random }
        var epochs = 0
        let result: Training.Result<Trained>
        do {
            result = try body(&random) { progress in
                if progress.isEpochDone { epochs = progress.epoch }
                line?.show(progress)
            }
        } catch {
            line?.end()
            throw error
        }
        switch result.ending {
        case .complete: break
        case .early(let epoch):
            line?.note("no better for \(training.patience ?? 0) epochs: the parameters are those \(epoch == 0 ? "from before" : "after epoch \(epoch)")")
        case .asked: line?.note("ended by `callback`: the parameters are those after epoch \(epochs)")
        case .interrupted:
            guard machine.host.endsTrainingOnly() else { throw ArrayError.interrupted }
            Interrupt.current.clear()
            // Said where no progress is shown too: it is the answer to Ctrl-C.
            (line ?? ProgressLine(machine))?.note("interrupted: the parameters are those after epoch \(epochs)")
        }
        return result
    }

    /// Inputs or targets: an array, and where the model is open to it a list or record of arrays.
    private func rows(_ value: Value, _ argument: Input<Value>, isOpen: Bool, _ arrays: inout [NDArray], _ call: Call) throws -> RowTree {
        if isOpen { return try RowTree(value, arrays: &arrays, call, argument) }
        arrays.append(try call.array(value, argument))
        return .array
    }

    private func function(_ call: Call, _ argument: Input<Value>) throws -> Function {
        guard case .function(let function) = call[argument] else { throw call.fail(argument, .kind(.function)) }
        return function
    }

    /// A function of the record that each epoch leaves.
    private func afterEpoch(_ call: Call, _ shape: FitShape) throws -> (Int, History.Row, any Model) throws -> Bool {
        let function = try function(call, callback), machine = call.machine
        func value(_ number: Double?) -> Value { number.map { .number($0) } ?? .none }
        return { epoch, row, model in
            let record = try Record([
                "epoch": .number(Double(epoch)), "loss": .number(row.loss), "metric": value(row.metric), "rate": value(row.rate),
                "validation_loss": value(row.validationLoss), "validation_metric": value(row.validationMetric), "net": shape.value(of: model),
            ])
            if case .bool(false) = try machine.call(function, Arguments([.record(record)])) { return false }
            return true
        }
    }

    /// A loss: a built-in one, or any function of predictions and targets, and of the network where it takes a third argument.
    private func lossFunction(_ call: Call, _ shape: FitShape) throws -> (row: LossRow?, evaluate: Training.Loss) {
        let function = try call[loss]
        if function.builtin != nil, let row = Losses.named(function.name) {
            return (
                row,
                { prediction, target, _ in
                    guard prediction.count == 1, target.count == 1 else {
                        throw TrainingRefusal.lossOfSeveral(row.name, predictions: prediction.count, targets: target.count)
                    }
                    return try row(prediction[0], target[0])
                }
            )
        }
        let machine = call.machine, wantsModel = (function as? Closure).map { $0.parameters.count > 2 && $0.parameters[2].fallback == nil } ?? false
        return (
            nil,
            { prediction, target, model in
                var arguments = try [shape.prediction(prediction), shape.target(target)]
                if wantsModel { arguments.append(try shape.value(of: model)) }
                return try machine.call(function, Arguments(arguments)).differentiable(of: function)
            }
        )
    }

    private func measure(_ call: Call, default fallback: Metric.Kind?, _ shape: FitShape) throws -> Measure? {
        let name: String
        switch call[metric] {
        case .undefined, .none: return fallback.map { .metric($0) }
        case .bool(false): return nil
        case .string(let text): name = text.string
        case .function(let function) where function.builtin != nil && ["r2", "accuracy"].contains(function.name): name = function.name
        case .function(let function):
            let machine = call.machine
            return .function { prediction, target in
                let value = try machine.call(function, Arguments([shape.prediction(prediction), shape.target(target)]))
                guard value.isNumeric, try value.point().count == 1 else { throw TrainingRefusal.metricKind(function.name, value) }
                return try value.point().item()
            }
        default: throw call.fail(metric, .metric)
        }
        switch name {
        case "r2": return .metric(.r2)
        case "accuracy":
            if case .accuracy? = fallback { return fallback.map { .metric($0) } }
            return .metric(.accuracy(threshold: nil))
        default: throw call.fail(metric, .metric)
        }
    }
}

extension Call {
    /// A loss that looks at one array each: a built-in one, or any function of predictions and targets.
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

    fileprivate func networkValue(_ argument: Input<Value>) -> NetworkFunction? {
        if case .function(let function) = self[argument] { function.network } else { nil }
    }
}

/// The structures of what goes through a training, and the network that it began with.
private final class FitShape {
    private let targets: RowTree
    var network: NetworkFunction?
    var model: FitModel?

    init(targets: RowTree) { self.targets = targets }

    func target(_ arrays: [NDArray]) throws -> Value {
        var rest = arrays[...]
        return try targets.value(&rest)
    }

    /// What the model has just predicted.
    func prediction(_ arrays: [NDArray]) throws -> Value { try model?.predictions(arrays) ?? Value(arrays[0]) }

    func value(of model: any Model) throws -> Value {
        if let model = model as? FitModel { return try model.value }
        guard let network, let trained = model as? Network else { return .none }
        return .function(Native(NetworkFunction(trained, like: network)))
    }
}

extension Network {
    fileprivate var endsInProbabilities: Bool { layers.last?.settings.functions.last?.row?.givesProbabilities ?? false }
}
