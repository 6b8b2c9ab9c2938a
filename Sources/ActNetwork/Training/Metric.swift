// What is told beside the loss: accuracy, r2; and the confusion matrix. A metric is gathered batch by batch.

import ActArray

package struct Metric {
    package enum Kind: Equatable {
        /// The share of rows whose largest score is the label's; with a threshold, of elements on the right side of it.
        case accuracy(threshold: Double?)
        /// 1 − Σ(prediction − target)²/Σ(target − mean)²
        case r2
    }

    package let kind: Kind
    private var right = 0.0, count = 0.0
    /// Σ(prediction − target)², and mean and Σ(target − mean)² of the targets so far (Welford), which a large mean does not spoil.
    private var squares = 0.0, mean = 0.0, spread = 0.0

    package init(_ kind: Kind) { self.kind = kind }

    package var name: String { kind == .r2 ? "r2" : "accuracy" }

    package mutating func add(_ prediction: NDArray, _ target: NDArray) throws {
        switch kind {
        case .accuracy(let threshold):
            let (prediction, target) = threshold == nil ? try Losses.classesLast(prediction, target) : (prediction, target)
            let guessed = try Metric.guesses(prediction, threshold, "accuracy"), meant = try Metric.labels(target, for: prediction, threshold)
            guard guessed.count == meant.count else {
                guard Metric.isScores(prediction) else { throw NetworkError.lossShapes(loss: "accuracy", prediction: prediction.shape, target: target.shape) }
                throw NetworkError.labelShapes(loss: "accuracy", scores: prediction.shape, labels: target.shape)
            }
            for (a, b) in zip(guessed, meant) where a == b { right += 1 }
            count += Double(meant.count)
        case .r2:
            guard prediction.shape == target.shape else {
                throw NetworkError.lossShapes(loss: "r2", prediction: prediction.shape, target: target.shape)
            }
            for (a, b) in zip(try prediction.detached().toDoubles(), try target.detached().toDoubles()) {
                squares += (a - b) * (a - b)
                count += 1
                let distance = b - mean
                mean += distance / count
                spread += distance * (b - mean)
            }
        }
    }

    /// Adds what another one has counted, of rows after these. (T. Chan, G. Golub, R. LeVeque 1979.)
    mutating func add(_ other: Metric) {
        guard other.count > 0 else { return }
        let distance = other.mean - mean, all = count + other.count
        spread += other.spread + distance * distance * (count / all * other.count)
        mean += distance * (other.count / all)
        (right, squares, count) = (right + other.right, squares + other.squares, all)
    }

    /// What it has counted, in numbers.
    var counts: [Double] {
        get { [right, count, squares, mean, spread] }
        set { (right, count, squares, mean, spread) = (newValue[0], newValue[1], newValue[2], newValue[3], newValue[4]) }
    }

    /// NaN before anything was added.
    package var value: Double {
        switch kind {
        case .accuracy: right / count
        case .r2: count == 0 ? .nan : 1 - squares / spread
        }
    }

    package static func value(_ kind: Kind, _ prediction: NDArray, _ target: NDArray) throws -> Double {
        var metric = Metric(kind)
        try metric.add(prediction, target)
        if kind == .r2, metric.spread == 0, metric.squares > 0, NumericEvents.isEnabled {
            NumericEvents.add([NumericEvent(kind: .divideByZero, operation: "r2", site: .current, count: 1, first: 0, example: [])])
        }
        return metric.value
    }

    /// r2 as a function that derivatives follow.
    package static func r2(_ prediction: NDArray, _ target: NDArray) throws -> NDArray {
        guard prediction.shape == target.shape else {
            throw NetworkError.lossShapes(loss: "r2", prediction: prediction.shape, target: target.shape)
        }
        let rest = try NDArray.unary(.square, prediction - target).reduced(.sum)
        return try 1 - rest / NDArray.unary(.square, target - target.mean()).reduced(.sum)
    }

    /// How often each class (row) was taken for each class (column).
    package static func confusion(_ prediction: NDArray, _ target: NDArray) throws -> NDArray {
        let (prediction, target) = try Losses.classesLast(prediction, target)
        let guessed = try guesses(prediction, nil, "confusion"), meant = try labels(target, for: prediction, nil)
        guard guessed.count == meant.count else {
            throw NetworkError.labelShapes(loss: "confusion", scores: prediction.shape, labels: target.shape)
        }
        var size = isScores(prediction) ? prediction.shape.last ?? 0 : 0
        for numbers in [guessed, meant] {
            try Interrupt.forEachPiece(numbers.count) { rows in
                for row in rows {
                    guard numbers[row] >= 0, numbers[row] < 4096, let label = Int(exactly: numbers[row]) else {
                        throw NetworkError.label(loss: "confusion", label: numbers[row], row: row, classes: 4096)
                    }
                    size = max(size, label + 1)
                }
            }
        }
        var counts = [Double](repeating: 0, count: size * size)
        try Interrupt.forEachPiece(meant.count) { for row in $0 { counts[Int(meant[row]) * size + Int(guessed[row])] += 1 } }
        return try NDArray(counts, shape: [size, size])
    }

    /// Rows of scores, one a class.
    private static func isScores(_ array: NDArray) -> Bool { array.rank > 1 && (array.shape.last ?? 0) > 1 }

    /// The classes that are predicted; NaN, which no label equals, where a score is NaN.
    private static func guesses(_ prediction: NDArray, _ threshold: Double?, _ metric: String) throws -> [Double] {
        let numbers = try prediction.detached()
        if let threshold { return try numbers.toDoubles().map { side($0, of: threshold) } }
        if isScores(numbers) { return try largest(numbers) }
        let classes = try numbers.toDoubles()
        if let position = classes.firstIndex(where: { !$0.isNaN && $0 != $0.rounded() }) {
            // Shares from 0 to 1 are probabilities of class 1.
            if classes.allSatisfy({ $0.isNaN || $0 >= 0 && $0 <= 1 }) { return classes.map { side($0, of: 0.5) } }
            throw NetworkError.notAClass(metric: metric, prediction: classes[position], position: position)
        }
        return classes
    }

    private static func labels(_ target: NDArray, for prediction: NDArray, _ threshold: Double?) throws -> [Double] {
        let numbers = try target.detached()
        if threshold != nil { return try numbers.toDoubles().map { side($0, of: 0.5) } }
        return try isScores(prediction) && target.shape == prediction.shape ? largest(numbers) : numbers.toDoubles()
    }

    private static func side(_ x: Double, of threshold: Double) -> Double { x.isNaN ? .nan : x > threshold ? 1 : 0 }

    /// Where the largest of each row is; NaN for a row that has a NaN, and so no largest.
    private static func largest(_ rows: NDArray) throws -> [Double] {
        let places = try rows.argReduced(.max, axis: -1).toDoubles()
        let unclear = try NDArray.test(.isnan, rows).reduced(.any, axes: [-1]).toBools()
        return zip(places, unclear).map { $1 ? .nan : $0 }
    }
}
