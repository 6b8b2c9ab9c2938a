// Losses: how far predictions are from targets, as one number. A loss is one row. Shapes must be equal: a loss never broadcasts.
//
// What must stay true: every loss is finite for finite predictions of its domain, and so is its gradient.

import ActArray
import ActGrad
import ActRows

package struct LossRow: Sendable {
    package typealias Evaluate = @Sendable (_ prediction: NDArray, _ target: NDArray, _ values: LossValues) throws -> NDArray

    package let name: String
    package let formula: String
    package let summary: String
    package let details: String
    package let example: String
    /// Prediction and target, then those of its own.
    package let parameters: [Parameter]
    /// What `fit` reports beside the loss.
    package let metric: Metric.Kind?
    /// Whether softmax is a part of it: then it takes scores, and probabilities are a mistake.
    package let includesSoftmax: Bool
    /// Whether it is of classes, along an axis of the scores.
    package let hasClasses: Bool
    /// One loss an element, or where it is of rows one a row.
    private let parts: Evaluate
    /// The mean of the parts, where it is not computed from them.
    private let mean: Evaluate?

    /// What becomes of the parts.
    package enum Reduction: String, Choice {
        case mean, sum, none
    }

    /// - Parameters:
    ///   - declaration: Declares parameters of its own and gives what computes the parts.
    ///   - mean: Computes their mean, if that is to be done otherwise.
    fileprivate init(
        _ name: String, of names: (prediction: String, target: String) = ("prediction", "target"), _ formula: String, _ summary: String, details: String = "",
        example: String, metric: Metric.Kind?, includesSoftmax: Bool = false, hasClasses: Bool = false, targetRole: ArgumentRole = .followed,
        mean: (@Sendable (_ prediction: NDArray, _ target: NDArray) throws -> NDArray)? = nil, declaration: (inout Signature) -> Evaluate
    ) {
        self.name = name
        self.formula = formula
        self.summary = summary
        self.details = details
        self.example = example
        self.metric = metric
        self.includesSoftmax = includesSoftmax
        var signature = Signature()
        signature.add([
            Parameter(name: names.prediction, kind: .array, fallback: nil), Parameter(name: names.target, kind: .array, fallback: nil, role: targetRole),
        ])
        self.hasClasses = hasClasses
        self.mean = mean.map { mean -> Evaluate in { prediction, target, _ in try mean(prediction, target) } }
        parts = declaration(&signature)
        parameters = signature.parameters
    }

    fileprivate init(
        _ name: String, of names: (prediction: String, target: String) = ("prediction", "target"), _ formula: String, _ summary: String, details: String = "",
        example: String, metric: Metric.Kind?, includesSoftmax: Bool = false, hasClasses: Bool = false, targetRole: ArgumentRole = .followed,
        mean: (@Sendable (_ prediction: NDArray, _ target: NDArray) throws -> NDArray)? = nil,
        parts: @escaping @Sendable (_ prediction: NDArray, _ target: NDArray) throws -> NDArray
    ) {
        self.init(
            name, of: names, formula, summary, details: details, example: example, metric: metric, includesSoftmax: includesSoftmax, hasClasses: hasClasses,
            targetRole: targetRole, mean: mean, declaration: { _ -> Evaluate in { prediction, target, _ in try parts(prediction, target) } })
    }

    /// The loss: of rank 0, unless it is not reduced.
    /// - Parameter values: Of the parameters of its own; what is left out has its default.
    /// - Throws: `NetworkError.lossShapes`, `labelShapes`, `label`, `setting`.
    package func callAsFunction(_ prediction: NDArray, _ target: NDArray, _ values: [Operand?] = [], reduction: Reduction = .mean) throws -> NDArray {
        let (p, t) = (try numbers(prediction), try numbers(target)), values = LossValues(owner: name, parameters: parameters, values: values)
        switch reduction {
        case .mean: return try mean.map { try $0(p, t, values) } ?? parts(p, t, values).mean()
        case .sum: return try parts(p, t, values).reduced(.sum)
        case .none: return try parts(p, t, values)
        }
    }

    private func numbers(_ array: NDArray) throws -> NDArray { array.type == .bool ? try array.converted(to: .f32) : array }
}

/// What a loss is given beside prediction and target.
package struct LossValues {
    fileprivate let owner: String
    fileprivate let parameters: [Parameter]
    fileprivate let values: [Operand?]

    /// A number that derivatives follow.
    subscript(_ input: Input<Double>) -> Operand {
        get throws {
            let position = input.index - 2
            guard values.indices.contains(position), let value = values[position] else { return .number(input.fallback ?? .nan) }
            if let bounds = input.bounds, try !bounds.contains(value.item()) {
                throw NetworkError.setting(owner: owner, name: parameters[input.index].name, .mustBe(.within(bounds)))
            }
            return value
        }
    }
}

package enum Losses {
    private static let labels = """
        Labels are class numbers from 0, one a row, or as many as there are scores: one-hot, or probabilities. The classes are along the axis of the \
        scores that class numbers lack: \
        the last, or axis 1 where only that fits; `axis=` says another.
        """

    package static let all: [LossRow] = [
        LossRow(
            "mse", "mean (prediction - target)²", "the mean squared error", example: "mse([1, 2], [1, 4])   # 2", metric: .r2
        ) { p, t in try NDArray.unary(.square, difference("mse", p, t)) },
        LossRow(
            "mae", "mean |prediction - target|", "the mean absolute error", example: "mae([1, 2], [1, 4])   # 1", metric: .r2
        ) { p, t in try NDArray.unary(.abs, difference("mae", p, t)) },
        LossRow(
            "huber", "mean of d²/2 where |d| ≤ delta, else delta (|d| - delta/2)", "squared error near 0, absolute error far out",
            example: "huber([0, 0], [0.5, 3])   # 1.3125", metric: .r2,
            declaration: { takes in
                let delta = takes.number("delta", default: 1, .positive, role: .followed)
                return { p, t, values in
                    // With c = min(|d|, delta): c (|d| − c/2), which is both cases at once.
                    let distance = try NDArray.unary(.abs, difference("huber", p, t))
                    let limit: Operand =
                        switch try values[delta] {
                        case .array(let array): try .array(array.converted(to: distance.type))
                        case .number(let number): .number(number)
                        }
                    let near = try NDArray.binary(.min, .array(distance), limit)
                    return try near * (distance - near * 0.5)
                }
            }),
        LossRow(
            "cross_entropy", of: ("logits", "labels"), "mean over rows of -log softmax(logits)[label]",
            "how unlikely the labels are, of scores that are not probabilities yet",
            details: labels + " Softmax is part of it: scores go in as they are.",
            example: "cross_entropy([[2, 0], [0, 1]], [0, 1])   # 0.22009485", metric: .accuracy(threshold: nil), includesSoftmax: true, hasClasses: true,
            mean: { p, t in try crossEntropy(p, t) }
        ) { p, t in
            let (p, t) = try classesLast(p, t)
            return try hits(p.logSoftmax(), t, "cross_entropy")
        },
        LossRow(
            "nll", of: ("log_probabilities", "labels"), "mean over rows of -log_probabilities[label]",
            "the negative log-likelihood: cross_entropy after log_softmax",
            details: labels, example: "nll(log_softmax([[2, 0], [0, 1]]), [0, 1])   # 0.22009485", metric: .accuracy(threshold: nil), hasClasses: true,
            mean: { p, t in
                let (p, t) = try classesLast(p, t)
                if case .rows(let rows) = try Labels(t, for: p, loss: "nll") { return try 0 - weighed(p, rows) / Losses.rows(p) }
                return try hits(p, t, "nll").mean()
            }
        ) { p, t in
            let (p, t) = try classesLast(p, t)
            return try hits(p, t, "nll")
        },
        LossRow(
            "bce", of: ("probability", "target"), "mean of -(t log p + (1 - t) log(1 - p))", "binary cross-entropy of probabilities",
            details: "From scores use `bce_logits`, which loses no digits.", example: "bce([0.5, 0.5], [0, 1])   # 0.69314718",
            metric: .accuracy(threshold: 0.5)
        ) { p, t in
            let (p, t) = try same("bce", p, t)
            try checkShares("bce", .probability, p)
            try checkShares("bce", .target, t)
            // Where the factor is 0, the logarithm is that of 1, lest it be infinite.
            let hit = try NDArray.select(NDArray.compare(.eq, .array(t), .number(0)), .number(1), .array(p))
            let miss = try NDArray.select(NDArray.compare(.eq, .array(t), .number(1)), .number(0), .array(-p))
            return try 0 - (t * NDArray.unary(.log, hit) + (1 - t) * NDArray.unary(.log1p, miss))
        },
        LossRow(
            "bce_logits", of: ("logit", "target"), "mean of t log(1 + e^-x) + (1 - t) log(1 + e^x)",
            "binary cross-entropy of scores: bce after sigmoid, stable in both tails",
            example: "bce_logits([0, 0], [0, 1])   # 0.69314718", metric: .accuracy(threshold: 0),
            mean: { p, t in
                let (x, t) = try same("bce_logits", p, t)
                try checkShares("bce_logits", .target, t)
                let hit = try weighed(NDArray.unary(.softplus, -x), t)
                return try (hit + weighed(NDArray.unary(.softplus, x), 1 - t)) / Double(x.count)
            }
        ) { p, t in
            let (x, t) = try same("bce_logits", p, t)
            try checkShares("bce_logits", .target, t)
            return try products(NDArray.unary(.softplus, -x), t) + products(NDArray.unary(.softplus, x), 1 - t)
        },
        LossRow(
            "hinge", of: ("score", "target"), "mean max(0, 1 - target score)", "the loss of support vector machines: targets are -1 and 1",
            example: "hinge([2, 0.5], [1, -1])   # 0.75", metric: .accuracy(threshold: 0), targetRole: .steps
        ) { p, t in
            let (p, t) = try same("hinge", p, t)
            for (row, label) in try t.detached().toDoubles().enumerated() where label != 1 && label != -1 {
                throw NetworkError.label(loss: "hinge", label: label, row: row, classes: nil)
            }
            return try NDArray.binary(.max, .array(1 - t * p), .number(0))
        },
        LossRow(
            "kl_div", of: ("p", "q"), "mean over rows of Σ p log(p/q)", "the Kullback-Leibler divergence of q from p, both rows of probabilities",
            example: "kl_div([0.5, 0.5], [0.25, 0.75])   # 0.14384104", metric: nil
        ) { p, q in
            let (p, q) = try same("kl_div", p, q)
            let isZero = try NDArray.compare(.eq, .array(p), .number(0))
            let ratio = try NDArray.unary(.log, NDArray.select(isZero, .number(1), .array(p))) - NDArray.unary(.log, q)
            let shares = try NDArray.select(isZero, .number(0), .array(p * ratio))
            return p.rank == 0 ? shares : try shares.reduced(.sum, axes: [-1])
        },
    ]

    package static func named(_ name: String) -> LossRow? { all.first { $0.name == name } }

    /// Both in one element type.
    /// - Throws: `NetworkError.lossShapes` unless the shapes are equal.
    private static func same(_ loss: String, _ p: NDArray, _ t: NDArray) throws -> (NDArray, NDArray) {
        guard p.shape == t.shape else { throw NetworkError.lossShapes(loss: loss, prediction: p.shape, target: t.shape) }
        let type = p.type.promoted(with: t.type)
        return (try p.converted(to: type), try t.converted(to: type))
    }

    /// How many rows of scores there are, for means over them.
    private static func rows(_ scores: NDArray) -> Double { scores.shape.dropLast().reduce(1) { $0 * Double($1) } }

    /// A sum of values times weights in which a weight of 0 leaves an infinite value out, as it leaves out finite ones.
    private static func weighed(_ values: NDArray, _ weights: NDArray) throws -> NDArray {
        let plain = try (values * weights).reduced(.sum)
        // Only zeros that meet infinities make NaN of numbers: the detour is for them alone.
        guard try plain.detached().item().isNaN else { return plain }
        let isOut = try NDArray.logical(.and, NDArray.compare(.eq, .array(weights), .number(0)), NDArray.test(.isinf, values))
        return try (NDArray.select(isOut, .number(0), .array(values)) * weights).reduced(.sum)
    }

    /// The same without the sum.
    private static func products(_ values: NDArray, _ weights: NDArray) throws -> NDArray {
        let isOut = try NDArray.compare(.eq, .array(weights), .number(0))
        return try NDArray.select(isOut, .number(0), .array(values * weights))
    }

    /// For each row what speaks against its label: its logarithm, negated.
    private static func hits(_ logs: NDArray, _ target: NDArray, _ loss: String) throws -> NDArray {
        switch try Labels(target, for: logs, loss: loss) {
        case .classes(let classes):
            let size = logs.shape.last ?? 1
            let starts = classes.enumerated().map { $0.offset * size + $0.element }
            return try 0 - logs.gathered(GatherIndices(starts: starts, chunk: 1), shape: target.shape)
        case .rows(let rows): return try 0 - products(logs, rows).reduced(.sum, axes: [-1])
        }
    }

    /// Scores with the classes along the last axis. They are along the axis that class numbers lack: the last one, or if only that fits axis 1.
    package static func classesLast(_ scores: NDArray, _ target: NDArray, axis: Int? = nil) throws -> (scores: NDArray, target: NDArray) {
        let rank = scores.rank
        guard rank > 0 else { return (scores, target) }
        let last = rank - 1
        var position = last
        if let axis {
            position = axis < 0 ? axis &+ rank : axis
            guard position >= 0, position <= last else { throw ArrayError.axisOutOfRange(axis: axis, rank: rank) }
        } else if rank > 2, target.rank == last, target.shape != Array(scores.shape.dropLast()) {
            var others = scores.shape
            others.remove(at: 1)
            if target.shape == others { position = 1 }
        }
        if position == last { return (scores, target) }
        let order = (0..<rank).filter { $0 != position } + [position]
        return (try scores.transposed(order), target.shape == scores.shape ? try target.transposed(order) : target)
    }

    /// - Throws: `NetworkError.outside` for an element below 0 or above 1. NaN may pass: it shows in the loss.
    private static func checkShares(_ loss: String, _ what: NetworkError.Share, _ array: NDArray) throws {
        let numbers = try array.detached()
        let isOutside = try NDArray.logical(.or, NDArray.compare(.lt, .array(numbers), .number(0)), NDArray.compare(.gt, .array(numbers), .number(1)))
        guard try isOutside.reduced(.any).item() != 0 else { return }
        let elements = try numbers.toDoubles()
        let position = elements.firstIndex { $0 < 0 || $0 > 1 } ?? 0
        throw NetworkError.outside(loss: loss, what: what, value: elements[position], position: position)
    }

    private static func difference(_ loss: String, _ p: NDArray, _ t: NDArray) throws -> NDArray {
        let (p, t) = try same(loss, p, t)
        return try p - t
    }

    private static func crossEntropy(_ logits: NDArray, _ target: NDArray) throws -> NDArray {
        let (logits, target) = try classesLast(logits, target)
        switch try Labels(target, for: logits, loss: "cross_entropy") {
        case .classes(let classes): return try CrossEntropy.value(of: logits, classes)
        case .rows(let targets): return try 0 - weighed(logits.logSoftmax(), targets) / rows(logits)
        }
    }
}

/// Targets of a classification: a class number a row, or rows of weights.
package enum Labels {
    case classes([Int])
    case rows(NDArray)

    init(_ target: NDArray, for scores: NDArray, loss: String) throws {
        guard let classes = scores.shape.last, classes > 0 else {
            throw NetworkError.labelShapes(loss: loss, scores: scores.shape, labels: target.shape)
        }
        if target.shape == scores.shape {
            self = .rows(try target.converted(to: scores.type))
            return
        }
        guard Array(scores.shape.dropLast()) == target.shape else {
            throw NetworkError.labelShapes(loss: loss, scores: scores.shape, labels: target.shape)
        }
        if target.isTraced, NDArray.followsPositions {
            // Each label's row of weights follows from it.
            let numbers = try NDArray.range(0, Double(classes), 1)
            self = .rows(try NDArray.compare(.eq, .array(target.expandedDims(target.rank)), .array(numbers)).converted(to: scores.type))
            return
        }
        self = .classes(
            try target.detached().toDoubles().enumerated().map { row, label in
                guard let number = Int(exactly: label), number >= 0, number < classes else {
                    throw NetworkError.label(loss: loss, label: label, row: row, classes: classes)
                }
                return number
            })
    }
}

/// Softmax and the negative log-likelihood of class numbers in one, with the gradient (softmax − one-hot)/rows.
private final class CrossEntropy: CustomFunction {
    private let classes: [Int]
    /// The softmax of the rows, where it was computed along with the value.
    private let softmax: NDArray?

    private init(_ classes: [Int], softmax: NDArray?) { (self.classes, self.softmax) = (classes, softmax) }

    var name: String { "cross_entropy" }
    var isElementwise: Bool { false }
    var attributes: [Attribute] { [Attribute("classes", classes)] }

    /// Where the elements of the true classes are.
    private static func places(_ classes: [Int], _ shape: [Int]) -> GatherIndices {
        let size = shape.last ?? 1
        return GatherIndices(starts: classes.enumerated().map { $0.offset * size + $0.element }, chunk: 1)
    }

    private static func composed(_ logits: NDArray, _ classes: [Int]) throws -> NDArray {
        try logits.logSoftmax().gathered(places(classes, logits.shape), shape: [classes.count])
    }

    func lowered(_ x: [NDArray]) throws -> NDArray? { try 0 - CrossEntropy.composed(x[0], classes).mean() }

    static func value(of logits: NDArray, _ classes: [Int]) throws -> NDArray {
        if let result = try CrossEntropy(classes, softmax: nil).resultWithoutElements([logits]) { return result }
        let plain = try logits.detached(), known = try plain.logSoftmax(at: classes, withSoftmax: logits.isTraced)
        let value = try 0 - (known?.logs ?? composed(plain, classes)).mean()
        return try NDArray.custom(CrossEntropy(classes, softmax: known?.softmax), inputs: [logits], value: value)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        let logits = inputs[0], share = try cotangent / Double(classes.count)
        if let softmax, !logits.isTraced, !share.isTraced, share.count == 1 { return [try gradient(softmax, Double(share.item()))] }
        let ones = try NDArray.full(1, shape: [classes.count], type: logits.type)
        let hot = try ones.scatteredAdd(CrossEntropy.places(classes, logits.shape), shape: logits.shape)
        return [try (logits.softmax() - hot) * share]
    }

    private func gradient(_ softmax: NDArray, _ share: Double) throws -> NDArray {
        func filled<T: MatrixElement>(_: T.Type) throws -> NDArray {
            let result = try FreshArray(shape: softmax.shape, type: softmax.type), target = result.elements(of: T.self)
            let size = softmax.shape.last ?? 1, share = T(share)
            try softmax.withContiguous(of: T.self) { softmax in
                try ThreadPool.parallelPieces(classes.count, of: max(1, (1 << 14) / size)) { rows in
                    for row in rows {
                        for place in row &* size..<(row &+ 1) &* size { target[place] = softmax[place] * share }
                        let place = row &* size &+ classes[row]
                        target[place] = (softmax[place] - 1) * share
                    }
                }
            }
            return result.finished()
        }
        return softmax.type == .f32 ? try filled(Float.self) : try filled(Double.self)
    }
}
