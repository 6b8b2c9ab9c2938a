// fit: mini-batches, shuffled; a validation after each epoch; early stopping; what happened, for plots.
//
// What must stay true: the network that goes in is never changed; a random source gives the same run on every machine; after an
// interrupt the result is that of the last whole epoch.

import ActArray
import ActGrad
import ActRandom
import ActRanks
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
    /// The processes that train together.
    package var team = Team.none
    /// Into how many parts a batch is cut, which ranks share out; `nil` does not cut it.
    package var shards: Int?
    /// Whether gradients are added up in an order that the ranks' library chooses.
    package var addsFast = false
    /// Puts another stream in the place of the one that losses and measures of the program draw from, and gives that.
    package var swapDraws: (RandomSource) -> RandomSource = { $0 }
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
        if team.ranks > 1 { try agree(on: model, x, y, validation, random) }

        var run = try TrainingRun(self, model, random)
        guard !model.parameters.isEmpty else { throw NetworkError.noParameters }
        guard !run.parameters.isEmpty else { throw NetworkError.allFrozen }
        run.optimizer = try optimizer.start(for: run.parameters)
        defer { random = run.random }
        var history = history
        var best: (loss: Double, epoch: Int, snapshot: TrainingRun<Trained>.Snapshot)?
        var last: TrainingRun<Trained>.Snapshot?
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
            if let afterEpoch, try !agreed(afterEpoch(epoch, row, run.model(snapshot))) {
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

    /// Sees that all ranks train the same on the same data.
    private func agree(
        on model: some Model, _ x: [NDArray], _ y: [NDArray], _ validation: (x: [NDArray], y: [NDArray])?, _ random: RandomSource
    ) throws {
        func digest(_ arrays: [NDArray]) throws -> Digest {
            var digest = Digest()
            for array in arrays { try digest.add(array) }
            return digest
        }
        var settings = Digest(), draws = random
        for number in [epochs, batch, shuffles ? 1 : 0, patience ?? -1, shards ?? 0, addsFast ? 1 : 0] { settings.add(UInt64(bitPattern: Int64(number))) }
        settings.add(try draws.uniform().bitPattern)
        try team.agree(
            Training.call,
            [
                (.inputs, digest(x)), (.targets, digest(y)), (.validation, digest((validation?.x ?? []) + (validation?.y ?? []))),
                (.rowWeights, digest(weights.map { [$0] } ?? [])), (.parameters, digest(model.parameters + model.states)), (.settings, settings),
            ])
    }

    /// What rank 0 decides.
    private func agreed(_ decision: Bool) throws -> Bool { try team.gather(Training.call, [decision ? 1 : 0])[0] == [1] }

    /// What ranks are at in it.
    static let call = RanksCall.function("fit")

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

    static func rows(_ arrays: [NDArray], _ order: ArraySlice<Int>) throws -> [NDArray] { try arrays.map { try rows($0, order) } }

    /// Some rows of an array without gaps, in the given order.
    package static func rows(_ array: NDArray, _ order: ArraySlice<Int>) throws -> NDArray {
        let width = array.count / max(1, array.shape[0])
        return try array.gathered(
            GatherIndices(starts: order.map { $0 &* width }, chunk: width), shape: [order.count] + array.shape.dropFirst())
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

    /// What `bytes` said.
    package init(_ bytes: [UInt8]) {
        var reader = MessageReader(bytes)
        metric = reader.word() == 0 ? nil : reader.text()
        while reader.isWhole, !reader.isAtEnd {
            let known = reader.word(), numbers = (0..<5).map { _ in reader.number() }
            func number(_ index: Int) -> Double? { known >> UInt64(index) & 1 == 1 ? numbers[index] : nil }
            rows.append(Row(loss: numbers[0], metric: number(1), validationLoss: number(2), validationMetric: number(3), rate: number(4)))
        }
    }

    /// For another process.
    package var bytes: [UInt8] {
        var writer = MessageWriter()
        writer.add(UInt64(metric == nil ? 0 : 1))
        if let metric { writer.add(metric) }
        for row in rows {
            let numbers = [row.loss, row.metric, row.validationLoss, row.validationMetric, row.rate]
            writer.add(numbers.enumerated().reduce(UInt64(0)) { $0 | ($1.element == nil ? 0 : 1 << UInt64($1.offset)) })
            for number in numbers { writer.add(number ?? 0) }
        }
        return writer.bytes
    }

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
