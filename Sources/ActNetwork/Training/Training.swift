// fit: mini-batches, shuffled; a validation after each epoch; early stopping; what happened, for plots.
//
// What must stay true: the network that goes in is never changed; a random source gives the same run on every machine; after an
// interrupt the result is that of the last whole epoch.

import ActArray
import ActGrad
import ActRandom
import CActKernels

package struct Training {
    /// The mean loss of a batch, of rank 0.
    package typealias Loss = (_ prediction: [NDArray], _ target: [NDArray], _ model: any Model) throws -> NDArray

    package var loss: Loss
    package var metric: Measure?
    package var optimizer: any Descent
    package var epochs = 1
    package var batch = 32
    package var shuffles = true
    package var validation: (x: [NDArray], y: [NDArray])?
    /// How much each row counts: the loss is then Σ wᵢ lᵢ / Σ wᵢ over the rows of a batch.
    package var weights: NDArray?
    /// Called after each epoch with what happened in it and the model as it is then; `false` ends training.
    package var afterEpoch: ((_ epoch: Int, _ row: History.Row, _ model: any Model) throws -> Bool)?
    /// Epochs without a better loss after which training ends with the parameters whose loss was best. It is that of the validation; without
    /// one that of the data after each epoch, since what an epoch reports is a mean over parameters that it changed on the way.
    package var patience: Int?

    package init(loss: @escaping Loss, metric: Measure?, optimizer: any Descent) {
        self.loss = loss
        self.metric = metric
        self.optimizer = optimizer
    }

    /// For models of one input and one output.
    package init(
        loss: @escaping (_ prediction: NDArray, _ target: NDArray) throws -> NDArray, metric: Metric.Kind?, optimizer: any Descent
    ) {
        self.init(loss: { prediction, target, _ in try loss(prediction[0], target[0]) }, metric: metric.map { .metric($0) }, optimizer: optimizer)
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
        /// By `afterEpoch`.
        case asked
    }

    package struct Result<Trained: Model> {
        package let network: Trained
        package let history: History
        package let ending: Ending
    }

    // MARK: Running

    package func run(
        _ network: Network, x: NDArray, y: NDArray, history: History = History(), random: inout RandomSource,
        progress: (Progress) throws -> Void = { _ in }
    ) throws -> Result<Network> {
        try run(network, x: [x], y: [y], history: history, random: &random, progress: progress)
    }

    /// Trains a copy of the model.
    /// - Throws: `NetworkError` for data that do not fit and for a loss that is no longer finite; `ArrayError.interrupted` before the first
    ///   epoch is whole; what the loss and `progress` throw.
    package func run<Trained: Model>(
        _ model: Trained, x: [NDArray], y: [NDArray], history: History = History(), random: inout RandomSource,
        progress: (Progress) throws -> Void = { _ in }
    ) throws -> Result<Trained> {
        let x = try prepared(x, .x), y = try prepared(y, .y)
        try Training.checkRows(x, y)
        let validation = try self.validation.map { pair in (x: try prepared(pair.x, .validationX), y: try prepared(pair.y, .validationY)) }
        if let validation { try Training.checkRows(validation.x, validation.y) }
        if let weights { try checkWeights(weights, rows: x[0].shape[0]) }
        guard epochs >= 0, batch > 0 else { throw NetworkError.setting(owner: "fit", name: epochs < 0 ? "epochs" : "batch", .positiveWhole) }

        var run = try Run(self, model, random)
        guard !model.parameters.isEmpty else { throw NetworkError.noParameters }
        guard !run.parameters.isEmpty else { throw NetworkError.allFrozen }
        run.optimizer = try optimizer.start(for: run.parameters)
        defer { random = run.random }
        var history = history
        var best: (loss: Double, epoch: Int, snapshot: Run<Trained>.Snapshot)?
        var last: Run<Trained>.Snapshot?
        if patience != nil, validation == nil, epochs > 0 {
            try run.save(to: &last)
            if let last { best = (try run.evaluate(x, y).loss, 0, last) }
        }
        for epoch in 1...max(1, epochs) where epochs > 0 {
            do {
                let row = try run.epoch(epoch, x, y, validation, progress)
                history.append(row, metric: metric?.name)
            } catch ArrayError.interrupted {
                guard let last else { throw ArrayError.interrupted }
                return Result(network: run.model(last), history: history, ending: .interrupted)
            }
            try run.save(to: &last)
            guard let row = history.rows.last, let snapshot = last else { continue }
            if let afterEpoch, try !afterEpoch(epoch, row, run.model(snapshot)) {
                return Result(network: run.model(snapshot), history: history, ending: .asked)
            }
            guard let patience else { continue }
            let loss: Double
            do { loss = try row.validationLoss ?? run.evaluate(x, y).loss } catch ArrayError.interrupted {
                return Result(network: run.model(snapshot), history: history, ending: .interrupted)
            }
            if loss < best?.loss ?? .infinity {
                best = (loss, epoch, snapshot)
            } else if let best, epoch - best.epoch >= max(1, patience) {
                return Result(network: run.model(best.snapshot), history: history, ending: .early(bestEpoch: best.epoch))
            }
        }
        let final = patience == nil ? last : best?.snapshot ?? last
        return Result(network: final.map(run.model) ?? model, history: history, ending: .complete)
    }

    private func checkWeights(_ weights: NDArray, rows: Int) throws {
        func fail(_ fault: SettingFault) -> NetworkError { .setting(owner: "fit", name: "weights", fault) }
        guard weights.shape == [rows] else { throw fail(.oneEachRow(rows, found: weights.shape)) }
        let numbers = try weights.toDoubles()
        guard numbers.allSatisfy({ $0 >= 0 && $0.isFinite }), numbers.contains(where: { $0 > 0 }) else {
            throw fail(.rowWeights)
        }
    }

    private func prepared(_ arrays: [NDArray], _ what: TrainingData) throws -> [NDArray] {
        guard !arrays.isEmpty else { throw NetworkError.noRows }
        return try arrays.map { try prepared($0, what) }
    }

    /// Evaluated, untraced, row-major.
    private func prepared(_ array: NDArray, _ what: TrainingData) throws -> NDArray {
        let array = try array.detached().contiguous()
        guard array.rank > 0 else { throw NetworkError.noRows }
        if array.type != .bool, try NDArray.test(.isfinite, array).reduced(.all).item() == 0 {
            let finite = try NDArray.test(.isfinite, array).toBools()
            let width = max(1, array.count / max(1, array.shape[0]))
            throw NetworkError.notFinite(what: what, row: (finite.firstIndex(of: false) ?? 0) / width)
        }
        return array
    }

    private static func checkRows(_ x: [NDArray], _ y: [NDArray]) throws {
        let rows = x[0].shape[0]
        for array in x + y where array.shape[0] != rows { throw NetworkError.lengths(inputs: rows, targets: array.shape[0]) }
        guard rows > 0 else { throw NetworkError.noRows }
    }

    fileprivate static func rows(_ arrays: [NDArray], _ order: ArraySlice<Int>) throws -> [NDArray] { try arrays.map { try rows($0, order) } }

    /// Some rows of an array without gaps, in the given order.
    package static func rows(_ array: NDArray, _ order: ArraySlice<Int>) throws -> NDArray {
        let width = array.count / max(1, array.shape[0])
        return try array.gathered(
            GatherIndices(starts: order.map { $0 &* width }, chunk: width), shape: [order.count] + array.shape.dropFirst())
    }
}

/// One training under way.
private struct Run<Trained: Model> {
    private let training: Training
    private let template: Trained
    /// Those that change.
    var parameters: [NDArray]
    private var states: [NDArray]
    private let pass: Pass
    var optimizer: (any DescentState)?
    private let batch: Int
    private let shuffles: Bool
    private var isFirstStep = true

    var random: RandomSource { pass.random }

    init(_ training: Training, _ model: Trained, _ random: RandomSource) throws {
        self.training = training
        template = model
        parameters = model.trained
        // Of its own each: where a network holds one layer twice, their statistics part here.
        states = try model.states.map { try $0.renewed() }
        pass = Pass(isTraining: true, random: random)
        batch = training.optimizer.takesAllRows ? .max : training.batch
        shuffles = training.shuffles && !training.optimizer.takesAllRows
    }

    struct Snapshot {
        let parameters: [NDArray]
        let states: [NDArray]
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

    func model(_ snapshot: Snapshot) -> Trained { template.replacing(trained: snapshot.parameters, states: snapshot.states) }

    private var current: Trained { template.replacing(trained: parameters, states: states) }

    mutating func epoch(
        _ epoch: Int, _ x: [NDArray], _ y: [NDArray], _ validation: (x: [NDArray], y: [NDArray])?, _ progress: (Training.Progress) throws -> Void
    ) throws -> History.Row {
        let rows = x[0].shape[0], size = min(batch, rows)
        let batches = (rows + size - 1) / size
        let order = shuffles ? try pass.random.permutation(rows).toDoubles().map { Int($0) } : Array(0..<rows)
        var sum = 0.0, total = 0.0, metric = training.metric.map { Measuring($0) }
        let rate = try training.optimizer.rate(at: Double(epoch - 1))
        for batch in 0..<batches {
            try Interrupt.check()
            let part = order[batch * size..<min(rows, (batch + 1) * size)]
            let xs = try Training.rows(x, part), ys = try Training.rows(y, part)
            let weights = try training.weights.map { try Training.rows($0, part) }
            let weight = try weights.map { try $0.reduced(.sum).item() } ?? Double(part.count)
            // Rows that do not count teach nothing.
            if weight > 0 {
                let (loss, prediction): (Double, [NDArray])
                do {
                    (loss, prediction) = try step(xs, ys, weights, at: (epoch, batch, batches))
                } catch NetworkError.label(let loss, let label, let row, let classes) where y.count == 1 && weights == nil {
                    // The row of the data, not of the batch.
                    let width = max(1, ys[0].count / part.count)
                    throw NetworkError.label(loss: loss, label: label, row: part[part.startIndex + row / width], classes: classes)
                } catch NetworkError.outside(let loss, .target, let value, let position) where y.count == 1 && weights == nil {
                    let width = max(1, ys[0].count / part.count)
                    throw NetworkError.outside(
                        loss: loss, what: .target, value: value, position: part[part.startIndex + position / width] * width + position % width)
                }
                sum += loss * weight
                total += weight
                try metric?.add(prediction, ys, rows: part.count)
            }
            let isLast = batch + 1 == batches
            if isLast { try checkParameters(after: epoch) }
            let validated = isLast ? try validation.map { try evaluate($0.x, $0.y) } : nil
            let mean = sum / total
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
    private mutating func step(
        _ x: [NDArray], _ y: [NDArray], _ weights: NDArray?, at place: (epoch: Int, batch: Int, batches: Int)
    ) throws -> (Double, [NDArray]) {
        let draws = pass.random
        var (changing, descent) = (parameters, optimizer)
        let (loss, gradients, prediction) = try differentiated(at: changing, x, y, weights, mustDepend: isFirstStep)
        isFirstStep = false
        let value = try loss.item()
        guard value.isFinite else { throw try divergence(value, x, place) }
        let after = pass.random
        states = pass.takeStates(of: states)
        // Nobody else holds what the optimiser changes in place.
        (parameters, optimizer) = ([], nil)
        defer { (parameters, optimizer) = (changing, descent) }
        let fixed = self
        let epoch = Double(place.epoch - 1) + Double(place.batch) / Double(place.batches)
        try descent?.step(&changing, gradients, loss: value, epoch: epoch) { point in
            // The same function: what is drawn in it, and what it gathers, is that of the pass.
            fixed.pass.random = draws
            defer { fixed.pass.random = after }
            let (loss, gradients, _) = try fixed.differentiated(at: point, x, y, weights, mustDepend: false)
            _ = fixed.pass.takeStates(of: fixed.states)
            return (try loss.item(), gradients)
        }
        return (value, prediction)
    }

    /// The loss of a batch at some parameters, its gradients, and the predictions without their graph, which would hold on to the parameters.
    private func differentiated(
        at parameters: [NDArray], _ x: [NDArray], _ y: [NDArray], _ weights: NDArray?, mustDepend: Bool
    ) throws -> (loss: NDArray, gradients: [NDArray], prediction: [NDArray]) {
        var prediction: [NDArray] = []
        let (loss, gradients) = try Derivative.valueAndGradient(
            of: { variables in
                let model = template.replacing(trained: variables, states: states)
                let output = try model(x, pass)
                let loss = try weights.map { try weighted(output, y, $0, model) } ?? training.loss(output, y, model)
                guard loss.rank == 0 else { throw NetworkError.lossNotNumber(shape: loss.shape) }
                prediction = try output.map { try $0.detached() }
                return loss
            }, at: parameters, zerosAreUnsigned: false, mustDepend: mustDepend)
        return (loss, gradients, prediction)
    }

    /// Σ wᵢ lᵢ / Σ wᵢ, the loss of each row taken by itself.
    private func weighted(_ prediction: [NDArray], _ y: [NDArray], _ weights: NDArray, _ model: Trained) throws -> NDArray {
        let numbers = try weights.toDoubles()
        var losses: [NDArray] = [], kept: [Double] = []
        for row in numbers.indices where numbers[row] > 0 {
            let loss = try training.loss(prediction.map { try $0.rows(row..<row + 1) }, y.map { try $0.rows(row..<row + 1) }, model)
            guard loss.rank == 0 else { throw NetworkError.lossNotNumber(shape: loss.shape) }
            losses.append(loss)
            kept.append(numbers[row] / numbers.reduce(0, +))
        }
        let all = try NDArray.stacked(losses)
        return try (all * NDArray(kept, shape: [kept.count]).converted(to: all.type == .f32 ? .f32 : .f64)).reduced(.sum)
    }

    /// A gradient that is not finite shows in the next loss; after the last batch there is none.
    private func checkParameters(after epoch: Int) throws {
        for (index, parameter) in current.parameters.enumerated() where try NDArray.test(.isfinite, parameter).reduced(.all).item() == 0 {
            let place = template.name(ofParameter: index)
            throw NetworkError.brokenParameter(name: place.name, layer: place.owner, epoch: epoch)
        }
    }

    /// Says where the numbers stopped being finite.
    private func divergence(_ loss: Double, _ x: [NDArray], _ place: (epoch: Int, batch: Int, batches: Int)) throws -> NetworkError {
        let first = try current.firstBroken(by: x, Pass(isTraining: true, random: pass.random))
        return .divergence(loss: loss, epoch: place.epoch, batch: place.batch + 1, layer: first)
    }

    /// Loss and metric of other data, without training.
    func evaluate(_ x: [NDArray], _ y: [NDArray]) throws -> (loss: Double, metric: Double?) {
        let model = current
        let rows = x[0].shape[0], size = max(training.batch, Network.rowsAtOnce)
        var sum = 0.0, metric = training.metric.map { Measuring($0) }
        for start in stride(from: 0, to: rows, by: size) {
            let part = start..<min(rows, start + size)
            let ys = try y.map { try $0.rows(part) }, output = try model(x.map { try $0.rows(part) }, Pass())
            let loss = try training.loss(output, ys, model)
            guard loss.rank == 0 else { throw NetworkError.lossNotNumber(shape: loss.shape) }
            sum += try loss.item() * Double(part.count)
            try metric?.add(output, ys, rows: part.count)
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
        /// The learning rate at its start, where there is one.
        package let rate: Double?
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
        if rows.contains(where: { $0.rate != rows[0].rate }) { add("rate", \.rate) }
        return columns
    }
}
