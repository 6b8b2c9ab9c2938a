// One training under way: its parameters, optimiser and draws from batch to batch.
//
// What must stay true: parameters change in place, and nobody else holds them; what a batch draws is drawn in one order.

import ActArray
import ActGrad
import ActRandom
import ActRanks

/// One training under way.
struct TrainingRun<Trained: Model> {
    let training: Training
    let template: Trained
    /// Those that change.
    var parameters: [NDArray]
    private(set) var states: [NDArray]
    let pass: Pass
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

    var current: Trained { template.replacing(trained: parameters, states: states) }

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
                let lesson: Lesson
                do {
                    lesson = try step(Batch(x: xs, y: ys, weights: weights), at: (epoch, batch, batches))
                } catch NetworkError.label(let loss, let label, let row, let classes) where y.count == 1 && weights == nil {
                    // The row of the data, not of the batch.
                    let width = max(1, ys[0].count / part.count)
                    throw NetworkError.label(loss: loss, label: label, row: part[part.startIndex + row / width], classes: classes)
                } catch NetworkError.outside(let loss, .target, let value, let position) where y.count == 1 && weights == nil {
                    let width = max(1, ys[0].count / part.count)
                    throw NetworkError.outside(
                        loss: loss, what: .target, value: value, position: part[part.startIndex + position / width] * width + position % width)
                }
                sum += lesson.loss * weight
                total += weight
                for measured in lesson.measured { metric?.add(measured) }
                if let prediction = lesson.prediction { try metric?.add(prediction, ys, rows: part.count) }
            }
            let isLast = batch + 1 == batches
            if isLast {
                try checkParameters(after: epoch)
                if training.team.ranks > 1 { try compareParameters() }
            }
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
    private mutating func step(_ batch: Batch, at place: (epoch: Int, batch: Int, batches: Int)) throws -> Lesson {
        let draws = pass.random
        var (changing, descent) = (parameters, optimizer)
        let lesson = try lesson(at: changing, batch, mustDepend: isFirstStep)
        isFirstStep = false
        guard lesson.loss.isFinite else { throw try divergence(lesson.loss, batch.x, place) }
        let after = pass.random
        states = lesson.states
        // Nobody else holds what the optimiser changes in place.
        (parameters, optimizer) = ([], nil)
        defer { (parameters, optimizer) = (changing, descent) }
        let fixed = self
        let epoch = Double(place.epoch - 1) + Double(place.batch) / Double(place.batches)
        try descent?.step(&changing, lesson.gradients, loss: lesson.loss, epoch: epoch) { point in
            // The same function: what is drawn in it, and what it gathers, is that of the pass.
            fixed.pass.random = draws
            defer { fixed.pass.random = after }
            let lesson = try fixed.lesson(at: point, batch, mustDepend: false)
            return (lesson.loss, lesson.gradients)
        }
        return lesson
    }

    struct Batch {
        let x, y: [NDArray]
        let weights: NDArray?
    }

    /// What a batch teaches at some parameters.
    struct Lesson {
        let loss: Double
        let gradients: [NDArray]
        /// What the states are after it.
        let states: [NDArray]
        /// Without their graph, which would hold on to the parameters; of a batch that was cut, not at hand.
        var prediction: [NDArray]?
        /// What its parts come to by the metric, if there is one.
        var measured: [Measuring] = []
    }

    private func lesson(at parameters: [NDArray], _ batch: Batch, mustDepend: Bool) throws -> Lesson {
        if let shards = training.shards { return try lesson(at: parameters, batch, cutInto: shards, mustDepend: mustDepend) }
        let (loss, gradients, prediction) = try differentiated(at: parameters, batch, pass, mustDepend: mustDepend)
        return Lesson(loss: try loss.item(), gradients: gradients, states: pass.takeStates(of: states), prediction: prediction)
    }

    /// The loss of a batch at some parameters, its gradients, and the predictions.
    func differentiated(
        at parameters: [NDArray], _ batch: Batch, _ pass: Pass, mustDepend: Bool
    ) throws -> (loss: NDArray, gradients: [NDArray], prediction: [NDArray]) {
        var prediction: [NDArray] = []
        let (loss, gradients) = try Derivative.valueAndGradient(
            of: { variables in
                let model = template.replacing(trained: variables, states: states)
                let output = try model(batch.x, pass)
                let loss = try batch.weights.map { try weighted(output, batch.y, $0, model) } ?? training.loss(output, batch.y, model)
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
        let rows = x[0].shape[0]
        var metric = training.metric.map { Measuring($0) }
        if let shards = training.shards {
            let sum = try sharedOut(rows, shards, x, y, &metric)
            return (sum / Double(rows), metric?.value)
        }
        return (try sum(0..<rows, x, y, &metric) / Double(rows), metric?.value)
    }

    /// The losses of some rows, added up.
    func sum(_ rows: Range<Int>, _ x: [NDArray], _ y: [NDArray], _ metric: inout Measuring?) throws -> Double {
        let model = current, size = max(training.batch, Network.rowsAtOnce)
        var sum = 0.0
        for start in stride(from: rows.lowerBound, to: rows.upperBound, by: size) {
            let part = start..<min(rows.upperBound, start + size)
            let ys = try y.map { try $0.rows(part) }, output = try model(x.map { try $0.rows(part) }, Pass())
            let loss = try training.loss(output, ys, model)
            guard loss.rank == 0 else { throw NetworkError.lossNotNumber(shape: loss.shape) }
            sum += try loss.item() * Double(part.count)
            try metric?.add(output, ys, rows: part.count)
        }
        return sum
    }
}
