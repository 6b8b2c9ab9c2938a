// What `fit` trains: a function of rows with parameters. A network is one; so is any function of parameters in a structure.

import ActArray

package protocol Model {
    /// All of them, in order; those that training leaves alone too.
    var parameters: [NDArray] { get set }
    /// Which of them training changes.
    var trains: [Bool] { get }
    var states: [NDArray] { get set }

    /// What it makes of rows. Inputs and outputs that are lists or records are their arrays in order.
    func callAsFunction(_ x: [NDArray], _ pass: Pass) throws -> [NDArray]

    /// A parameter in words: its name, and the layer that it belongs to.
    func name(ofParameter index: Int) -> (name: String, owner: String)

    /// The first part whose output is not finite; `nil` where there are no parts, or all are finite.
    func firstBroken(by x: [NDArray], _ pass: Pass) throws -> String?
}

extension Model {
    package var states: [NDArray] {
        get { [] }
        set {}
    }

    package func firstBroken(by x: [NDArray], _ pass: Pass) throws -> String? { nil }

    /// The parameters that training changes.
    var trained: [NDArray] { zip(parameters, trains).filter(\.1).map(\.0) }

    func replacing(trained: [NDArray], states: [NDArray]) -> Self {
        var copy = self, next = 0
        var all = parameters
        for (index, trains) in trains.enumerated() where trains && next < trained.count {
            all[index] = trained[next]
            next += 1
        }
        copy.parameters = all
        copy.states = states
        return copy
    }
}

extension Network: Model {
    package var trains: [Bool] { layers.flatMap(\.trains) }

    package func callAsFunction(_ x: [NDArray], _ pass: Pass) throws -> [NDArray] {
        guard x.count == 1, let x = x.first else {
            throw NetworkError.input(layer: text, position: nil, needs: .oneArray(found: x.count), shape: nil)
        }
        return [try self(x, pass)]
    }

    package func name(ofParameter index: Int) -> (name: String, owner: String) {
        var first = 0
        for (position, layer) in layers.enumerated() {
            let names = layer.parameterNames
            if index < first + names.count { return (names[index - first], name(of: position)) }
            first += names.count
        }
        return ("", text)
    }

    package func firstBroken(by x: [NDArray], _ pass: Pass) throws -> String? {
        guard x.count == 1 else { return nil }
        var first: Int?
        pass.observer = { position, output in
            if first == nil, let array = try output.array, try NDArray.test(.isfinite, array).reduced(.all).item() == 0 { first = position }
            return output
        }
        _ = try self(.array(x[0]), pass)
        return first.map(name(of:))
    }
}

/// How parameters follow from gradients: an optimiser, or a function of the program.
package protocol Descent {
    /// The learning rate at a moment counted in epochs, where there is one.
    func rate(at epoch: Double) throws -> Double?
    /// At work on some parameters.
    func start(for parameters: [NDArray]) throws -> any DescentState
    /// Whether it wants all rows at once, in their order.
    var takesAllRows: Bool { get }
}

package protocol DescentState {
    /// Changes the parameters.
    /// - Parameter epoch: The moment for the learning rate.
    mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], epoch: Double) throws
    /// The same where the loss is known, and can be asked for at other parameters.
    mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], loss: Double, epoch: Double, at point: LossAt) throws
}

/// The loss and its gradients at some parameters.
package typealias LossAt = ([NDArray]) throws -> (loss: Double, gradients: [NDArray])

extension DescentState {
    package mutating func step(_ parameters: inout [NDArray], _ gradients: [NDArray], loss: Double, epoch: Double, at point: LossAt) throws {
        try step(&parameters, gradients, epoch: epoch)
    }
}

extension Optimizer: Descent {
    package func rate(at epoch: Double) throws -> Double? { try rate(epoch) }
    package func start(for parameters: [NDArray]) throws -> any DescentState { try OptimizerState(self, for: parameters) }
    package var takesAllRows: Bool { false }
}

extension OptimizerState: DescentState {}

/// What is told beside the loss.
package enum Measure {
    case metric(Metric.Kind)
    /// A function of predictions and targets, whose mean over batches, weighted by their rows, is told.
    case function((_ prediction: [NDArray], _ target: [NDArray]) throws -> Double)

    package var name: String {
        switch self {
        case .metric(let kind): Metric(kind).name
        case .function: "metric"
        }
    }
}

/// A measure, batch by batch.
struct Measuring {
    private let measure: Measure
    private var metric: Metric?
    private var sum = 0.0, rows = 0.0

    init(_ measure: Measure) {
        self.measure = measure
        if case .metric(let kind) = measure { metric = Metric(kind) }
    }

    var name: String { measure.name }
    var value: Double { metric?.value ?? sum / rows }

    /// Adds what another one has seen, of rows after these.
    mutating func add(_ other: Measuring) {
        if let metric = other.metric { self.metric?.add(metric) }
        (sum, rows) = (sum + other.sum, rows + other.rows)
    }

    /// What it has seen, in numbers.
    static let countsCount = 7
    var counts: [Double] {
        get { [sum, rows] + (metric?.counts ?? [0, 0, 0, 0, 0]) }
        set {
            (sum, rows) = (newValue[0], newValue[1])
            metric?.counts = Array(newValue[2...])
        }
    }

    mutating func add(_ prediction: [NDArray], _ target: [NDArray], rows count: Int) throws {
        switch measure {
        case .metric:
            guard let prediction = prediction.first, let target = target.first else { return }
            try metric?.add(prediction, target)
        case .function(let function):
            sum += try function(prediction, target) * Double(count)
            rows += Double(count)
        }
    }
}
