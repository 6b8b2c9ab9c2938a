// fit: mini-batches, shuffled; a validation after each epoch; early stopping; what happened, for plots.
//
// What must stay true: the network that goes in is never changed; a random source gives the same run on every machine; after an
// interrupt the result is that of the last whole epoch.

import ActArray
import ActGrad
import CActKernels

package struct Training {
    /// The mean loss of a batch, of rank 0.
    package var loss: (_ prediction: NDArray, _ target: NDArray) throws -> NDArray
    package var metric: Metric.Kind?
    package var optimizer: Optimizer
    package var epochs = 1
    package var batch = 32
    package var shuffles = true
    package var validation: (x: NDArray, y: NDArray)?
    /// Epochs without a better loss after which training ends with the parameters whose loss was best. It is that of the validation; without
    /// one that of the data after each epoch, since what an epoch reports is a mean over parameters that it changed on the way.
    package var patience: Int?

    package init(
        loss: @escaping (_ prediction: NDArray, _ target: NDArray) throws -> NDArray, metric: Metric.Kind?, optimizer: Optimizer
    ) {
        self.loss = loss
        self.metric = metric
        self.optimizer = optimizer
    }

    /// Where training is.
    package struct Progress {
        /// Counts from 1.
        package let epoch, epochs: Int
        /// Batches done in this epoch.
        package let batch, batches: Int
        package let loss: Double
        package let metric: (name: String, value: Double)?
        /// At the end of an epoch, if there is a validation.
        package let validation: (loss: Double, metric: Double?)?
        package var isEpochDone: Bool { batch == batches }
    }

    package enum Ending: Equatable {
        case complete
        /// By `patience`; the parameters are those after this epoch.
        case early(bestEpoch: Int)
        case interrupted
    }

    package struct Result {
        package let network: Network
        package let history: History
        package let ending: Ending
    }

    // MARK: Running

    /// Trains a copy of the network.
    /// - Throws: `NetworkError` for data that do not fit and for a loss that is no longer finite; `ArrayError.interrupted` before the first
    ///   epoch is whole; what the loss and `progress` throw.
    package func run(
        _ network: Network, x: NDArray, y: NDArray, history: History = History(), random: inout RandomSource,
        progress: (Progress) throws -> Void = { _ in }
    ) throws -> Result {
        let x = try prepared(x, "x"), y = try prepared(y, "y")
        try Training.checkRows(x, y)
        let validation = try self.validation.map { pair in (x: try prepared(pair.x, "the validation x"), y: try prepared(pair.y, "the validation y")) }
        if let validation { try Training.checkRows(validation.x, validation.y) }
        guard epochs >= 0, batch > 0 else { throw NetworkError.setting(owner: "fit", name: epochs < 0 ? "epochs" : "batch", reason: "a positive whole number") }

        var run = Run(self, network, random)
        guard !run.parameters.isEmpty else { throw NetworkError.noParameters }
        run.optimizer = try OptimizerState(optimizer, for: run.parameters)
        defer { random = run.random }
        var history = history
        var best: (loss: Double, epoch: Int, snapshot: Run.Snapshot)?
        var last: Run.Snapshot?
        if patience != nil, validation == nil, epochs > 0 {
            try run.save(to: &last)
            if let last { best = (try run.evaluate(x, y).loss, 0, last) }
        }
        for epoch in 1...max(1, epochs) where epochs > 0 {
            do {
                let row = try run.epoch(epoch, x, y, validation, progress)
                history.append(row, metric: metric.map { Metric($0).name })
            } catch ArrayError.interrupted {
                guard let last else { throw ArrayError.interrupted }
                return Result(network: run.network(last), history: history, ending: .interrupted)
            }
            try run.save(to: &last)
            guard let patience, let row = history.rows.last, let snapshot = last else { continue }
            let loss: Double
            do { loss = try row.validationLoss ?? run.evaluate(x, y).loss } catch ArrayError.interrupted {
                return Result(network: run.network(snapshot), history: history, ending: .interrupted)
            }
            if loss < best?.loss ?? .infinity {
                best = (loss, epoch, snapshot)
            } else if let best, epoch - best.epoch >= max(1, patience) {
                return Result(network: run.network(best.snapshot), history: history, ending: .early(bestEpoch: best.epoch))
            }
        }
        let final = patience == nil ? last : best?.snapshot ?? last
        return Result(network: final.map(run.network) ?? network, history: history, ending: .complete)
    }

    /// Evaluated, untraced, row-major.
    private func prepared(_ array: NDArray, _ what: String) throws -> NDArray {
        let array = try array.detached().contiguous()
        guard array.rank > 0 else { throw NetworkError.noRows }
        if array.type != .bool, try NDArray.test(.isfinite, array).reduced(.all).item() == 0 {
            let finite = try NDArray.test(.isfinite, array).toBools()
            let width = max(1, array.count / max(1, array.shape[0]))
            throw NetworkError.notFinite(what: what, row: (finite.firstIndex(of: false) ?? 0) / width)
        }
        return array
    }

    private static func checkRows(_ x: NDArray, _ y: NDArray) throws {
        guard x.shape[0] == y.shape[0] else { throw NetworkError.lengths(inputs: x.shape[0], targets: y.shape[0]) }
        guard x.shape[0] > 0 else { throw NetworkError.noRows }
    }

    /// Some rows of an array without gaps, in the given order.
    package static func rows(_ array: NDArray, _ order: ArraySlice<Int>) throws -> NDArray {
        let width = array.count / max(1, array.shape[0])
        return try array.gathered(
            GatherIndices(starts: order.map { $0 &* width }, chunk: width), shape: [order.count] + array.shape.dropFirst())
    }
}

/// One training under way.
private struct Run {
    private let training: Training
    private let template: Network
    var parameters: [NDArray]
    private var states: [[NDArray]]
    private let pass: Pass
    var optimizer: OptimizerState?

    var random: RandomSource { pass.random }

    init(_ training: Training, _ network: Network, _ random: RandomSource) {
        self.training = training
        template = network
        parameters = network.parameters
        states = network.states
        pass = Pass(isTraining: true, random: random)
    }

    struct Snapshot {
        let parameters: [NDArray]
        let states: [[NDArray]]
    }

    /// Copies the parameters, for the originals go on changing in place; the memory of the last copy is used again.
    func save(to snapshot: inout Snapshot?) throws {
        var copies = try snapshot?.parameters ?? parameters.map { try NDArray.uninitialized(shape: $0.shape, type: $0.type) }
        snapshot = nil
        for (index, parameter) in parameters.enumerated() {
            try copies[index].makeUnique()
            let source = try parameter.contiguous()
            source.withMutableBytes { from in copies[index].withMutableBytes { $0.copyMemory(from: from, byteCount: parameter.count * parameter.type.size) } }
        }
        snapshot = Snapshot(parameters: copies, states: states)
    }

    func network(_ snapshot: Snapshot) -> Network {
        var network = template
        network.parameters = snapshot.parameters
        network.states = snapshot.states
        return network
    }

    mutating func epoch(
        _ epoch: Int, _ x: NDArray, _ y: NDArray, _ validation: (x: NDArray, y: NDArray)?, _ progress: (Training.Progress) throws -> Void
    ) throws -> History.Row {
        let rows = x.shape[0], size = min(training.batch, rows)
        let batches = (rows + size - 1) / size
        let order = training.shuffles ? try pass.random.permutation(rows).toDoubles().map { Int($0) } : Array(0..<rows)
        var sum = 0.0, metric = training.metric.map { Metric($0) }
        let rate = try training.optimizer.rate(Double(epoch - 1))
        for batch in 0..<batches {
            try Interrupt.check()
            let part = order[batch * size..<min(rows, (batch + 1) * size)]
            let xs = try Training.rows(x, part), ys = try Training.rows(y, part)
            let (loss, prediction): (Double, NDArray)
            do {
                (loss, prediction) = try step(xs, ys, at: (epoch, batch, batches))
            } catch NetworkError.label(let loss, let label, let row, let classes) {
                // The row of the data, not of the batch.
                let width = max(1, ys.count / part.count)
                throw NetworkError.label(loss: loss, label: label, row: part[part.startIndex + row / width], classes: classes)
            } catch NetworkError.outside(let loss, "target", let value, let position) {
                let width = max(1, ys.count / part.count)
                throw NetworkError.outside(
                    loss: loss, what: "target", value: value, position: part[part.startIndex + position / width] * width + position % width)
            }
            sum += loss * Double(part.count)
            try metric?.add(prediction, ys)
            let done = min(rows, (batch + 1) * size)
            let isLast = batch + 1 == batches
            if isLast { try checkParameters(after: epoch) }
            let validated = isLast ? try validation.map { try evaluate($0.x, $0.y) } : nil
            let mean = sum / Double(done)
            try progress(
                Training.Progress(
                    epoch: epoch, epochs: training.epochs, batch: batch + 1, batches: batches, loss: mean,
                    metric: metric.map { ($0.name, $0.value) }, validation: validated))
            if isLast {
                return History.Row(
                    loss: mean, metric: metric?.value, validationLoss: validated?.loss, validationMetric: validated?.metric, rate: rate)
            }
        }
        return History.Row(loss: .nan, metric: nil, validationLoss: nil, validationMetric: nil, rate: rate)
    }

    /// One batch: the loss, its gradient, an update.
    private mutating func step(_ x: NDArray, _ y: NDArray, at place: (epoch: Int, batch: Int, batches: Int)) throws -> (Double, NDArray) {
        var prediction = x
        let (loss, gradients) = try Derivative.valueAndGradient(
            of: { variables in
                var network = template
                network.parameters = variables
                network.states = states
                let output = try network(x, pass)
                let loss = try training.loss(output, y)
                guard loss.rank == 0 else { throw NetworkError.lossNotNumber(shape: loss.shape) }
                // Without its graph, which would hold on to the parameters.
                prediction = try output.detached()
                return loss
            }, at: parameters, zerosAreUnsigned: false)
        let value = try loss.item()
        guard value.isFinite else { throw try divergence(value, x, place) }
        if !pass.states.isEmpty { states = pass.takeStates() }
        try optimizer?.step(&parameters, gradients, epoch: Double(place.epoch - 1) + Double(place.batch) / Double(place.batches))
        return (value, prediction)
    }

    /// A gradient that is not finite shows in the next loss; after the last batch there is none.
    private func checkParameters(after epoch: Int) throws {
        var first = 0
        for (position, layer) in template.layers.enumerated() {
            for (index, name) in layer.parameterNames.enumerated()
            where try NDArray.test(.isfinite, parameters[first + index]).reduced(.all).item() == 0 {
                throw NetworkError.brokenParameter(name: name, layer: template.name(of: position), epoch: epoch)
            }
            first += layer.parameterNames.count
        }
    }

    /// Says where the numbers stopped being finite.
    private func divergence(_ loss: Double, _ x: NDArray, _ place: (epoch: Int, batch: Int, batches: Int)) throws -> NetworkError {
        var network = template
        network.parameters = parameters
        network.states = states
        var first: Int?
        let look = Pass(isTraining: true, random: pass.random)
        look.observer = { position, output in
            if first == nil, try NDArray.test(.isfinite, output).reduced(.all).item() == 0 { first = position }
            return output
        }
        _ = try network(x, look)
        return .divergence(loss: loss, epoch: place.epoch, batch: place.batch + 1, layer: first.map { network.name(of: $0) })
    }

    /// Loss and metric of other data, without training.
    func evaluate(_ x: NDArray, _ y: NDArray) throws -> (loss: Double, metric: Double?) {
        var network = template
        network.parameters = parameters
        network.states = states
        let rows = x.shape[0], size = max(training.batch, Network.rowsAtOnce)
        var sum = 0.0, metric = training.metric.map { Metric($0) }
        for start in stride(from: 0, to: rows, by: size) {
            let part = start..<min(rows, start + size)
            let ys = try y.rows(part), output = try network(x.rows(part))
            sum += try training.loss(output, ys).item() * Double(part.count)
            try metric?.add(output, ys)
        }
        return (sum / Double(rows), metric?.value)
    }
}

/// What happened, epoch by epoch.
package struct History {
    package struct Row {
        package let loss: Double
        package let metric: Double?
        package let validationLoss, validationMetric: Double?
        /// The learning rate at its start.
        package let rate: Double
    }

    package private(set) var rows: [Row] = []
    private var metric: String?

    package init() {}

    mutating func append(_ row: Row, metric: String?) {
        rows.append(row)
        self.metric = metric ?? self.metric
    }

    /// One column a quantity; the learning rate only where it changes.
    package var columns: [(name: String, values: [Double])] {
        var columns: [(String, [Double])] = [("epoch", rows.indices.map { Double($0 + 1) }), ("loss", rows.map(\.loss))]
        func add(_ name: String, _ value: (Row) -> Double?) {
            let values = rows.map(value)
            if values.contains(where: { $0 != nil }) { columns.append((name, values.map { $0 ?? .nan })) }
        }
        if let metric { add(metric) { $0.metric } }
        add("validation_loss") { $0.validationLoss }
        if let metric { add("validation_\(metric)") { $0.validationMetric } }
        if rows.contains(where: { $0.rate != rows[0].rate }) { columns.append(("rate", rows.map(\.rate))) }
        return columns
    }
}
