// fit and its surroundings: determinism, endings, errors, metrics, schedules.

import ActArray
import ActGrad
import ActNetwork
import ActRandom
import ActTestSupport
import Testing

@Suite(.serialized) struct TrainingTests {
    /// Two clouds of points, one a class.
    private func clouds(_ count: Int, seed: UInt64 = 5) throws -> (x: NDArray, y: NDArray) {
        var random = RandomSource(seed: seed)
        let labels = (0..<count).map { Double($0 % 2) }
        let noise = try random.normal(shape: [count, 2])
        let x = try noise * 0.5 + NDArray(labels.flatMap { [2 * $0 - 1, 1 - 2 * $0] }, shape: [count, 2])
        return (x, try NDArray(labels, shape: [count]))
    }

    private func training(_ optimizer: String = "Adam", rate: Double = 0.05, loss: String = "cross_entropy") throws -> Training {
        let row = try #require(Losses.named(loss)), optimizer = try #require(Optimizers.named(optimizer))
        var training = Training(loss: { try row($0, $1) }, metric: row.metric, optimizer: try Optimizer(optimizer, rate: { _ in rate }))
        (training.epochs, training.batch) = (4, 16)
        return training
    }

    private func network() throws -> Network { Network([try dense(2, 8, "relu"), try dense(8, 2, seed: 2)]) }

    @Test func learnsAndRepeats() throws {
        let (x, y) = try clouds(200), training = try training(), network = try network()
        var first = RandomSource(seed: 9), second = RandomSource(seed: 9), third = RandomSource(seed: 10)
        let a = try training.run(network, x: x, y: y, random: &first), b = try training.run(network, x: x, y: y, random: &second)
        #expect(a.ending == .complete)
        #expect(try a.network.parameters.map { try $0.toDoubles() } == b.network.parameters.map { try $0.toDoubles() })
        #expect(try Metric.value(.accuracy(threshold: nil), a.network(x), y) > 0.95)
        let c = try training.run(network, x: x, y: y, random: &third)
        #expect(try a.network.parameters.map { try $0.toDoubles() } != c.network.parameters.map { try $0.toDoubles() }, "another seed, another order")
        #expect(a.history.columns.map(\.name) == ["epoch", "loss", "accuracy"])
    }

    @Test func threadsDoNotMatter() throws {
        let (x, y) = try clouds(300), training = try training()
        let network = Network([
            try makeLayer("Dense", ["inputs": .number(2), "outputs": .number(300), "activation": .function(function("relu"))]), try dense(300, 2),
        ])
        let count = ThreadPool.count
        defer { ThreadPool.count = count }
        let results = try [1, 2, 3].map { threads in
            ThreadPool.count = threads
            var random = RandomSource(seed: 9)
            return try training.run(network, x: x, y: y, random: &random).network.parameters.map { try $0.toDoubles() }
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }

    @Test(arguments: Optimizers.all.map(\.name)) func everyOptimizerDescends(_ name: String) throws {
        let (x, y) = try clouds(200)
        var training = try training(name, rate: name == "Lion" || name == "RMSProp" ? 0.01 : 0.1)
        training.epochs = 10
        var random = RandomSource(seed: 9)
        let losses = try training.run(network(), x: x, y: y, random: &random).history.rows.map(\.loss)
        #expect(losses[9] < 0.7 * losses[0], "\(losses)")
    }

    @Test func interruptKeepsTheLastWholeEpoch() throws {
        let (x, y) = try clouds(100)
        var training = try training(), random = RandomSource(seed: 9)
        training.epochs = 2
        let whole = try training.run(network(), x: x, y: y, random: &random).network.parameters.map { try $0.toDoubles() }
        training.epochs = 10
        random = RandomSource(seed: 9)
        let engine = Engine()
        try engine.run {
            let result = try training.run(network(), x: x, y: y, random: &random) { progress in
                if progress.epoch == 3, progress.batch == 2 { engine.interrupt.raise() }
            }
            engine.interrupt.clear()
            #expect(result.ending == .interrupted)
            #expect(result.history.rows.count == 2)
            #expect(try result.network.parameters.map { try $0.toDoubles() } == whole)
            #expect(throws: ArrayError.interrupted) {
                try training.run(network(), x: x, y: y, random: &random) { _ in engine.interrupt.raise() }
            }
        }
    }

    @Test func patienceEndsWithTheBest() throws {
        let (x, y) = try clouds(40)
        // Rates that spoil what was learned.
        var training = try training(), random = RandomSource(seed: 9)
        training.optimizer = try Optimizer(#require(Optimizers.named("SGD")), rate: { epoch in epoch < 3 ? 0.1 : 30 })
        (training.epochs, training.patience, training.validation) = (20, 2, ([x], [y]))
        let result = try training.run(network(), x: x, y: y, random: &random)
        let losses = result.history.rows.compactMap(\.validationLoss)
        let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
        #expect(result.ending == .early(bestEpoch: best + 1))
        #expect(losses.count == best + 3)
        let loss = try #require(Losses.named("cross_entropy"))
        #expect(try abs(loss(result.network(x), y).item() - losses[best]) < 1e-12)
    }

    /// Without a validation the data themselves are judged after each epoch, and before the first.
    @Test(arguments: [8, 40], [0.1, 30]) func patienceKeepsTheBestWithoutValidation(_ batch: Int, _ rate: Double) throws {
        let (x, y) = try clouds(40)
        let loss = try #require(Losses.named("cross_entropy"))
        for patience in [1, 3] {
            var training = try training(), random = RandomSource(seed: 9)
            training.optimizer = try Optimizer(#require(Optimizers.named("SGD")), rate: { epoch in epoch < 3 ? rate : 30 })
            (training.epochs, training.batch, training.patience) = (8, batch, patience)
            // The loss after each number of epochs, by training without patience.
            var losses = [try loss(network()(x), y).item()]
            for epochs in 1...8 {
                var plain = training, random = RandomSource(seed: 9)
                (plain.epochs, plain.patience) = (epochs, nil)
                losses.append(try loss(plain.run(network(), x: x, y: y, random: &random).network(x), y).item())
            }
            let result = try training.run(network(), x: x, y: y, random: &random)
            let epochs = result.history.rows.count
            let best = try #require(losses[...epochs].min())
            #expect(try loss(result.network(x), y).item() == best)
            #expect(epochs == 8 || losses[epochs - patience] == best)
        }
    }

    // MARK: Errors

    @Test func dataThatDoNotFit() throws {
        let (x, y) = try clouds(20), training = try training(), network = try network()
        var random = RandomSource(seed: 9)
        func error(_ network: Network, _ x: NDArray, _ y: NDArray) -> NetworkError? {
            do { _ = try training.run(network, x: x, y: y, random: &random) } catch let error as NetworkError { return error } catch {}
            return nil
        }
        #expect(error(network, x, try clouds(19).y) == .lengths(inputs: 20, targets: 19))
        #expect(error(network, try NDArray([], shape: [0, 2]), try NDArray([], shape: [0])) == .noRows)
        #expect(
            error(network, try x + NDArray([Double](repeating: 0, count: 9) + [.nan] + [Double](repeating: 0, count: 30), shape: [20, 2]), y)
                == .notFinite(what: .x, row: 4))
        // Labels 0 and 1, but for one: the row is that of the data, wherever it was shuffled to.
        var wrong = try y.toDoubles()
        wrong[7] = 2
        #expect(error(network, x, try NDArray(wrong, shape: [20])) == .label(loss: "cross_entropy", label: 2, row: 7, classes: 2))
        #expect(error(Network([try dense(3, 2)]), x, y) == .input(layer: try dense(3, 2).text, position: 0, needs: .ending([3]), shape: [16, 2]))
        #expect(error(Network([FunctionLayer(try function("relu"))]), x, y) == .noParameters)
    }

    @Test func divergenceNamesTheLayer() throws {
        let (x, y) = try clouds(20), training = try training()
        var network = try network(), random = RandomSource(seed: 9)
        network.layers[1].parameters[0] = try network.layers[1].parameters[0] * Double.nan
        do {
            _ = try training.run(network, x: x, y: y, random: &random)
            Issue.record("a NaN went unnoticed")
        } catch NetworkError.divergence(_, let epoch, let batch, let layer) {
            #expect(epoch == 1 && batch == 1)
            #expect(layer?.hasPrefix("layer 1, Dense(8, 2") == true, "\(layer ?? "")")
        }
    }

    @Test(arguments: ["mse", "mae", "huber", "bce", "bce_logits", "hinge", "kl_div"]) func lossesNeverBroadcast(_ name: String) throws {
        let row = try #require(Losses.named(name)), p = try NDArray.full(0.5, shape: [3, 1], type: .f64), t = try NDArray.full(1, shape: [3], type: .f64)
        #expect(throws: NetworkError.lossShapes(loss: name, prediction: [3, 1], target: [3])) { try row(p, t) }
    }

    @Test func impossibleProbabilities() throws {
        let bce = try #require(Losses.named("bce")), kl = try #require(Losses.named("kl_div"))
        // A certain and right prediction costs nothing, and log 0 does not turn 0 into NaN.
        #expect(try bce(NDArray([0, 1], shape: [2]), NDArray([0, 1], shape: [2])).item() == 0)
        #expect(try bce(NDArray([0], shape: [1]), NDArray([1], shape: [1])).item() == .infinity)
        #expect(try kl(NDArray([0, 1], shape: [2]), NDArray([0.5, 0.5], shape: [2])).item() == Scalar.unary(.log, 2))
    }

    // MARK: Metrics and schedules

    @Test func metrics() throws {
        let scores = try NDArray([2, 1, 0, 3, 5, 4], shape: [3, 2])
        #expect(try Metric.value(.accuracy(threshold: nil), scores, NDArray([0, 1, 1], shape: [3])) == 2 / 3.0)
        #expect(try Metric.value(.accuracy(threshold: nil), scores, NDArray([1, 0, 0, 1, 1, 0], shape: [3, 2])) == 1)
        #expect(try Metric.value(.accuracy(threshold: 0), NDArray([-1, 2, 3], shape: [3]), NDArray([-1, 1, -1], shape: [3])) == 2 / 3.0)
        // 1 − (0 + 0 + 1)/(14/3), by hand.
        #expect(try abs(Metric.value(.r2, NDArray([1, 2, 3], shape: [3]), NDArray([1, 2, 4], shape: [3])) - (1 - 3 / 14.0)) < 1e-15)
        #expect(try Metric.confusion(scores, NDArray([0, 1, 1], shape: [3])).toDoubles() == [1, 0, 1, 1])
    }

    @Test func schedules() throws {
        func rate(_ name: String, _ epoch: Double, _ values: [Double]) throws -> Double {
            try #require(Schedules.all.first { $0.name == name }).rate(at: epoch, [2] + values)
        }
        #expect(try rate("constant_rate", 1, [4]) == 0.5)
        #expect(try rate("constant_rate", 5, [4]) == 2)
        #expect(try rate("step_rate", 9.99, [5, 0.1, 0]) == 0.2)
        #expect(try rate("step_rate", 10, [5, 0.5, 0]) == 0.5)
        #expect(try rate("cosine_rate", 0, [10, 0.5, 0]) == 2)
        #expect(try abs(rate("cosine_rate", 6, [10, 0.5, 2]) - 1.25) < 1e-15)
        #expect(try rate("cosine_rate", 12, [10, 0.5, 0]) == 0.5)
    }
}
