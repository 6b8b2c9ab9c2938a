// fit, history and the metrics.

import ActArray
import ActNetwork
import OrderedCollections

extension BuiltinRows {
    static let training: [Builtin] = [
        Builtin(
            .networks,
            "fit(net, x, y, loss, optimizer=Adam(0.001), epochs=1, batch=32, validation=none, shuffle=true, metric=none, patience=none, progress=true)",
            "the network trained on rows of x and y",
            details: """
                The rows are shuffled each epoch and taken in batches. `loss` is one of \(Losses.all.map(\.name).joined(separator: " ")), or a function of predictions and targets whose value is a number. \
                `validation=(xt, yt)` is looked at after each epoch. With `patience=n`, training ends after n epochs without a better loss of the validation (without one, of the data after each epoch), and the parameters whose loss was best are kept. \
                `metric` is accuracy or r2; losses choose one themselves.
                Layers are in training mode: Dropout drops, BatchNorm normalises by the batch and gathers its statistics. Ctrl-C ends training after the last whole epoch, and the second time the program; `history(net)` tells how it went.
                """,
            example: "seed(1); x = linspace(-1, 1, 64)[:, none]\nnet = fit(Dense(1, 1), x, 2 * x + 1, mse, SGD(0.5), epochs=50, progress=false)\nmse(net(x), 2 * x + 1) < 1e-4   # true"
        ) { call in try call.fit() },
        Builtin(
            .networks, "history(net)", "how `fit` went: a record of epoch, loss, metric, the same of the validation, and the learning rate; `plot` draws it",
            example: "seed(1); net = fit(Dense(1, 1), [[0], [1]], [[1], [3]], mse, epochs=3, progress=false)\nhistory(net).epoch   # [1, 2, 3]"
        ) { call in
            let history = try call.network(0).history
            guard !history.rows.isEmpty else { throw call.cannot("this network was not trained by `fit`") }
            var fields = OrderedDictionary<String, Value>()
            for column in history.columns { fields[column.name] = .array(try NDArray(column.values, shape: [column.values.count])) }
            return try .record(fields)
        },
        Builtin(
            .networks, "accuracy(prediction, labels, threshold=none)", "the share of right answers",
            details: "Of rows of scores the largest counts; else predictions are class numbers, or with a threshold the side of it. A score that is nan is never right.",
            example: "accuracy([[2, 1], [0, 3]], [0, 0])   # 0.5"
        ) { call in
            let threshold = call.isGiven(2) ? try call.number(2) : nil
            return .number(try NetworkWording.applied { try Metric.value(.accuracy(threshold: threshold), call.array(0), call.array(1)) })
        },
        Builtin(
            .networks, "r2(prediction, target)", "the share of the target's variance that is predicted: 1 - Σ(prediction - target)²/Σ(target - mean)²",
            example: "r2([1, 2, 3], [1, 2, 4])   # 0.78571429"
        ) { call in try Value(NetworkWording.applied { try Metric.r2(call.array(0), call.array(1)) }) },
        Builtin(
            .networks, "confusion(prediction, labels)", "how often each class (row) was taken for each class (column)",
            example: "confusion([0, 1, 1], [0, 1, 0])   # [[1, 1],\n# [0, 1]]"
        ) { call in .array(try NetworkWording.applied { try Metric.confusion(call.array(0), call.array(1)) }) },
    ]
}

extension Call {
    fileprivate func fit() throws -> Value {
        let function = try network(0)
        let loss = try loss(3)
        let optimizer: Optimizer
        switch values[4] {
        case .undefined, .none: optimizer = try self.optimizer(Record(["optimizer": .string("Adam")]))
        case .record(let record): optimizer = try self.optimizer(record)
        case .function(let function) where Optimizers.named(function.name) != nil: optimizer = try self.optimizer(Record(["optimizer": .string(function.name)]))
        default: throw fail(4, "an optimiser such as Adam(0.001)")
        }
        var training = Training(loss: loss.evaluate, metric: try metric(9, default: loss.row?.metric), optimizer: optimizer)
        training.epochs = try count(5, default: 1, least: 0)
        training.batch = try count(6, default: 32, least: 1)
        training.shuffles = try bool(8, default: true)
        training.patience = isGiven(10) ? try count(10, default: 1, least: 1) : nil
        if isGiven(7) {
            guard case .list(let pair) = values[7], pair.elements.count == 2 else { throw fail(7, "a pair (x, y)") }
            training.validation = (try array(pair.elements[0], 7), try array(pair.elements[1], 7))
        }
        if loss.row?.name == "cross_entropy", function.network.endsInSoftmax { try machine.warnSoftmax() }

        let line = try bool(11, default: true) ? ProgressLine(machine) : nil
        // Numbers that go wrong show in the loss, which says where.
        let watches = NumericEvents.isEnabled
        try machine.drainNumericEvents()
        NumericEvents.isEnabled = false
        defer { NumericEvents.isEnabled = watches }
        let x = try array(1), y = try array(2)
        // Schedules and losses are functions of the program, which may draw too.
        var random = machine.session.random
        defer { machine.session.random = random }
        let result = try NetworkWording.applied {
            do {
                return try training.run(
                    function.network, x: x, y: y, history: function.history, random: &random, progress: { line?.show($0) })
            } catch {
                line?.end()
                throw error
            }
        }
        switch result.ending {
        case .complete: break
        case .early(let epoch):
            line?.note("no better for \(training.patience ?? 0) epochs: the parameters are those \(epoch == 0 ? "from before" : "after epoch \(epoch)")")
        case .interrupted:
            // A time limit ends the program, not only the training; and so does Ctrl-C again, or a loop of trainings could not be ended.
            let session = machine.session
            guard session.options.maximumTime == nil, !session.hasEndedTraining else { throw ArrayError.interrupted }
            session.hasEndedTraining = true
            Interrupt.current.clear()
            line?.note("interrupted: the parameters are those after epoch \(result.history.rows.count - function.history.rows.count)")
        }
        return try NetworkFunction(result.network, like: function, history: result.history).asValue()
    }

    private func count(_ index: Int, default fallback: Int, least: Int) throws -> Int {
        let count = try whole(index, default: fallback)
        guard count >= least, count <= 1 << 40 else { throw fail(index, "a whole number, \(least) or more") }
        return count
    }

    /// A loss: a built-in one, or any function of predictions and targets.
    func loss(_ index: Int) throws -> (row: LossRow?, evaluate: (NDArray, NDArray) throws -> NDArray) {
        let function = try function(index)
        if function is BuiltinFunction, let row = Losses.named(function.name) { return (row, { try row($0, $1) }) }
        let machine = machine
        return (
            nil,
            { prediction, target in
                try machine.call(function, Arguments([Value(prediction), Value(target)])).differentiable(of: function)
            }
        )
    }

    private func metric(_ index: Int, default fallback: Metric.Kind?) throws -> Metric.Kind? {
        let name: String
        switch values[index] {
        case .undefined, .none: return fallback
        case .bool(false): return nil
        case .string(let text): name = text.string
        case .function(let function): name = function.name
        default: throw fail(index, "accuracy or r2")
        }
        switch name {
        case "r2": return .r2
        case "accuracy":
            if case .accuracy? = fallback { return fallback }
            return .accuracy(threshold: nil)
        default: throw fail(index, "accuracy or r2")
        }
    }
}

extension Network {
    fileprivate var endsInSoftmax: Bool {
        switch layers.last {
        case let dense as Dense: dense.activation.name == "softmax"
        case let function as FunctionLayer: function.function.name == "softmax"
        default: false
        }
    }
}
