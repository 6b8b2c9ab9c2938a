// What networks are made of besides windows: products, normalisations, recurrences, attention, losses.

import ActArray
import ActGrad
import ActLinear
import ActNetwork
import ActNeural
import ActOrder

extension ONNXOperators {
    static let normalizations: [OperatorRow] = [
        OperatorRow("MatMul") { call in
            let (a, b) = try (call.x(0), call.x(1))
            return try call.result(NDArray.matmul(a, b))
        },
        OperatorRow("MatMulInteger", .unknown) { call in
            func shifted(_ index: Int, isRows: Bool) throws -> NDArray {
                var zero = try zeroPoint(call, index + 2)
                if isRows, zero.rank == 1, zero.count > 1 { zero = try zero.expandedDims(1) }
                return try call.x(index) - zero
            }
            return [try call.fitted(NDArray.matmul(shifted(0, isRows: true), shifted(1, isRows: false)), .int32)]
        },
        OperatorRow("Gemm") { call in
            var (a, b) = try (call.x(0), call.x(1))
            guard a.rank == 2, b.rank == 2 else { throw call.fail(.shape(a.rank == 2 ? b.shape : a.shape, input: a.rank == 2 ? 1 : 0)) }
            if try call.flag("transA", false) { a = try a.matrixTransposed() }
            if try call.flag("transB", false) { b = try b.matrixTransposed() }
            let alpha = try call.float("alpha", 1), beta = try call.float("beta", 1)
            var product = try NDArray.matmul(a, b)
            if alpha != 1 { product = try product * alpha }
            if let c = try call.maybe(2) { product = try product + (beta == 1 ? c : c * beta) }
            return try call.result(product)
        },
        along("Softmax") { try $0.softmax(axis: $1) }, along("LogSoftmax") { try $0.logSoftmax(axis: $1) },
        along("Hardmax") { x, axis in
            let largest = try x.detached().argReduced(.max, axis: axis, keepdims: true)
            var unit = [Int](repeating: 1, count: x.rank)
            unit[axis] = x.shape[axis]
            let places = try NDArray.range(0, Double(x.shape[axis]), 1).reshaped(to: unit)
            return try NDArray.compare(.eq, .array(places), .array(largest.converted(to: .f64))).converted(to: x.type)
        },
        OperatorRow("BatchNormalization", states: [3, 4]) { call in try batchNormalization(call) },
        OperatorRow("InstanceNormalization") { call in
            let x = try call.x(0), y = try standardized(x, axes: Array(2..<max(2, x.rank)), call.float("epsilon", 1e-5))
            return try call.result(y * channels(call.x(1), x) + channels(call.x(2), x))
        },
        OperatorRow("GroupNormalization") { call in
            let x = try call.x(0), groups = try call.int("num_groups"), (scale, bias) = (try call.x(1), try call.x(2))
            guard x.rank > 1, groups > 0, x.shape[1] % groups == 0 else { throw call.fail(.badAttribute("num_groups")) }
            let parts = try x.reshaped(to: [x.shape[0], groups, x.shape[1] / groups] + x.shape.dropFirst(2))
            let y = try standardized(parts, axes: Array(2..<parts.rank), call.float("epsilon", 1e-5))
            // Before opset 21 one of them for each group.
            if scale.count == groups, groups != x.shape[1] {
                let unit = [1, groups] + [Int](repeating: 1, count: parts.rank - 2)
                return try call.result((y * scale.reshaped(to: unit) + bias.reshaped(to: unit)).reshaped(to: x.shape))
            }
            return try call.result(y.reshaped(to: x.shape) * channels(scale, x) + channels(bias, x))
        },
        OperatorRow("LayerNormalization") { call in
            let x = try call.x(0), axis = try call.axis(call.int("axis", -1), rank: x.rank), axes = Array(axis..<x.rank)
            let mean = try x.mean(axes: axes, keepdims: true), distance = try x - mean
            let inverse = try NDArray.unary(
                .reciprocal, NDArray.unary(.sqrt, NDArray.unary(.square, distance).mean(axes: axes, keepdims: true) + call.float("epsilon", 1e-5)))
            var y = try distance * inverse * call.x(1)
            if let bias = try call.maybe(2) { y = try y + bias }
            let type = try call.type(0)
            return [.array(y, type), .array(mean, .float), .array(inverse, .float)]
        },
        OperatorRow("RMSNormalization") { call in
            let x = try call.x(0), axis = try call.axis(call.int("axis", -1), rank: x.rank)
            let square = try NDArray.unary(.square, x).mean(axes: Array(axis..<x.rank), keepdims: true)
            return try call.result(x / NDArray.unary(.sqrt, square + call.float("epsilon", 1e-5)) * call.x(1))
        },
        .map("MeanVarianceNormalization") { call, x in
            try standardized(x, axes: (call.ints("axes") ?? [0, 2, 3]).map { try call.axis($0, rank: x.rank) }, 1e-9)
        },
        .map("LpNormalization") { call, x in
            let axis = try call.axis(call.int("axis", -1), rank: x.rank), p = try call.int("p", 2)
            let length = try p == 1 ? NDArray.unary(.abs, x).reduced(.sum, axes: [axis], keepdims: true) : x.norm(axes: [axis], keepdims: true)
            // A row of zeros stays one.
            let divisor = try NDArray.select(NDArray.compare(.eq, .array(length), 0), 1, .array(length))
            return try x / divisor
        },
        .map("LRN") { call, x in
            guard x.rank > 1, x.count > 0 else { throw call.fail(.shape(x.shape, input: 0)) }
            let size = try call.int("size"), before = (size - 1) / 2, channels = x.shape[1]
            guard size > 0, size <= Windows.most else { throw call.fail(.badAttribute("size")) }
            // Sums over neighbouring channels: windows along one axis of images.
            let rest = x.shape.dropFirst(2).reduce(1, *), squares = try NDArray.unary(.square, x).reshaped(to: [x.shape[0], channels, rest])
            let padded = try squares.padded([(0, 0), (before, size - 1 - before), (0, 0)])
            var sum = try padded.cut(1, 0, channels)
            for shift in 1..<max(1, size) where shift < size { sum = try sum + padded.cut(1, shift, channels) }
            let alpha = try call.float("alpha", 0.0001), beta = try call.float("beta", 0.75), bias = try call.float("bias", 1)
            return try x / NDArray.binary(.pow, sum.reshaped(to: x.shape) * (alpha / Double(size)) + bias, beta)
        },
        OperatorRow("Dropout", settings: [1, 2], draws: true) { call in try dropout(call) },
    ]

    /// Along one axis; before opset 13 along all from it on.
    private static func along(_ name: String, _ body: @escaping @Sendable (NDArray, Int) throws -> NDArray) -> OperatorRow {
        .map(name) { call, x in
            guard call.version < 13 else { return try body(x, call.axis(call.int("axis", -1), rank: x.rank)) }
            let axis = try call.int("axis", 1), split = axis < 0 ? axis + x.rank : axis
            guard split >= 0, split <= x.rank else { throw call.fail(.badAttribute("axis")) }
            let rows = x.shape.prefix(split).reduce(1, *), flat = try x.reshaped(to: [rows, x.shape.dropFirst(split).reduce(1, *)])
            return try body(flat, 1).reshaped(to: x.shape)
        }
    }

    private static func standardized(_ x: NDArray, axes: [Int], _ eps: Double) throws -> NDArray {
        let distance = try x - x.mean(axes: axes, keepdims: true)
        return try distance / NDArray.unary(.sqrt, NDArray.unary(.square, distance).mean(axes: axes, keepdims: true) + eps)
    }

    /// One number for each channel, to go with images.
    private static func channels(_ parameter: NDArray, _ x: NDArray) throws -> NDArray {
        try x.rank < 2 ? parameter : parameter.reshaped(to: [parameter.count] + [Int](repeating: 1, count: x.rank - 2))
    }

    /// By the statistics of training; in training, and where the node says so, by those of the batch, which are gathered.
    private static func batchNormalization(_ call: NodeCall) throws -> [GraphValue] {
        let x = try call.x(0), eps = try call.float("epsilon", 1e-5), (mean, variance) = (try call.x(3), try call.x(4)), type = try call.type(0)
        let scale = try channels(call.x(1), x), shift = try channels(call.x(2), x)
        // Before opset 14 the node trains where its statistics are outputs; before 7 it said when it does not.
        let saysTraining =
            try call.version >= 14 ? call.flag("training_mode", false) : call.version >= 7 ? call.wants(1) : !call.flag("is_test", false) && call.wants(1)
        guard saysTraining || call.run.pass.isTraining else {
            let factor = try scale / NDArray.unary(.sqrt, channels(variance, x) + eps)
            return [.array(try (x - channels(mean, x)) * factor + shift, type)]
        }
        let axes = (0..<x.rank).filter { $0 != 1 }, momentum = try call.float("momentum", 0.9)
        let batchMean = try x.mean(axes: axes, keepdims: true), distance = try x - batchMean
        let batchVariance = try NDArray.unary(.square, distance).mean(axes: axes, keepdims: true)
        let y = try distance / NDArray.unary(.sqrt, batchVariance + eps) * scale + shift
        let newMean = try mean * momentum + batchMean.reshaped(to: mean.shape) * (1 - momentum)
        let newVariance = try variance * momentum + batchVariance.reshaped(to: variance.shape) * (1 - momentum)
        if call.run.pass.isTraining {
            try call.run.gather(newMean, for: call.node.inputs[3])
            try call.run.gather(newVariance, for: call.node.inputs[4])
        }
        return [.array(y, type), .array(newMean, try call.type(3)), .array(newVariance, try call.type(4))]
    }

    /// In training, or where the node says so, zeros in random places.
    private static func dropout(_ call: NodeCall) throws -> [GraphValue] {
        let x = try call.x(0), rate = try call.has(1) ? call.number(1) : call.float("ratio", 0.5)
        let isSaid = try call.version >= 12 ? call.has(2) && call.number(2) != 0 : false
        guard isSaid || call.run.pass.isTraining, rate > 0 else {
            return [.array(x, try call.type(0)), .array(try NDArray.full(1, shape: x.shape, type: .bool), .bool)]
        }
        guard rate <= 1 else { throw call.fail(.badAttribute("ratio")) }
        let keeps = try NDArray.compare(.ge, .array(call.run.pass.random.uniform(shape: x.shape)), .number(rate))
        let kept = try NDArray.select(keeps, .array(rate < 1 ? x / (1 - rate) : x), 0)
        return [.array(kept, try call.type(0)), .array(keeps, .bool)]
    }

    // MARK: Losses

    static let losses: [OperatorRow] = [
        OperatorRow("NegativeLogLikelihoodLoss") { call in
            [.array(try likelihood(call, call.x(0), call.x(1), call.maybe(2)), try call.type(0))]
        },
        OperatorRow("SoftmaxCrossEntropyLoss") { call in
            let logs = try call.x(0).logSoftmax(axis: 1)
            return [.array(try likelihood(call, logs, call.x(1), call.maybe(2)), try call.type(0)), .array(logs, try call.type(0))]
        },
    ]

    /// Of logarithms of probabilities (rows, classes, …) and labels (rows, …).
    private static func likelihood(_ call: NodeCall, _ logs: NDArray, _ labels: NDArray, _ weights: NDArray?) throws -> NDArray {
        guard logs.rank > 1, labels.shape == [logs.shape[0]] + logs.shape.dropFirst(2) else { throw call.fail(.shape(labels.shape, input: 1)) }
        var keeps: NDArray?, known = labels
        if call.has("ignore_index") {
            let ignored = Double(try call.int("ignore_index", 0)), isKept = try NDArray.compare(.ne, .array(labels), .number(ignored))
            (keeps, known) = (isKept, try NDArray.select(isKept, .array(labels), 0))
        }
        var loss = try -1.0 * logs.takenAlong(known.expandedDims(1), axis: 1).squeezed([1])
        var weight = try weights?.indexed(by: [.array(known)])
        if let keeps {
            let share = try keeps.converted(to: logs.type)
            weight = try weight.map { try $0 * share } ?? share
        }
        if let weight { loss = try loss * weight }
        switch try call.text("reduction", "mean") {
        case "none": return loss
        case "sum": return try loss.reduced(.sum)
        default: return try weight.map { try loss.reduced(.sum) / $0.reduced(.sum) } ?? loss.mean()
        }
    }
}
