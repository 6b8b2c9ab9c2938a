// cross_entropy with smoothed labels, labels that do not count, and classes that weigh. (Means and weights as PyTorch takes them.)

import ActArray

extension Losses {
    /// - Parameters:
    ///   - smoothing: The share of each label that goes to all classes alike.
    ///   - ignored: A label that does not count, which need be no class.
    ///   - weights: One a class; the mean is taken over the weights of the labels.
    /// - Throws: `NetworkError.setting` for options of no use, `label`, `labelShapes`.
    package static func crossEntropy(
        _ logits: NDArray, _ target: NDArray, smoothing: Double, ignored: Double?, weights: NDArray?, reduction: LossRow.Reduction = .mean
    ) throws -> NDArray {
        let (logits, target) = try classesLast(logits, target)
        func fail(_ name: String, _ fault: SettingFault) -> NetworkError { .setting(owner: "cross_entropy", name: name, fault) }
        guard smoothing >= 0, smoothing <= 1 else { throw fail("label_smoothing", .mustBe(.within(.within(0...1)))) }
        guard let classes = logits.shape.last, classes > 0 else {
            throw NetworkError.labelShapes(loss: "cross_entropy", scores: logits.shape, labels: target.shape)
        }
        if let weights {
            guard weights.shape == [classes], try weights.detached().toDoubles().allSatisfy({ $0 >= 0 && $0.isFinite }) else {
                throw fail("weights", .oneEachClass(classes))
            }
        }
        let weights = try weights?.converted(to: logits.type)
        let logs = try logits.logSoftmax()
        let weighed = try weights.map { try logs * $0 } ?? logs
        if target.shape == logits.shape {
            guard ignored == nil else { throw fail("ignore", .leftOutWithShares) }
            let rows = Double(logits.count / classes)
            let shares = try target.converted(to: logits.type) * (1 - smoothing) + smoothing / Double(classes)
            let parts = try 0 - (weighed * shares).reduced(.sum, axes: [-1])
            switch reduction {
            case .none: return parts
            case .sum: return try parts.reduced(.sum)
            case .mean: return try parts.reduced(.sum) / rows
            }
        }
        guard Array(logits.shape.dropLast()) == target.shape else {
            throw NetworkError.labelShapes(loss: "cross_entropy", scores: logits.shape, labels: target.shape)
        }
        let labels = try target.detached().toDoubles()
        var starts: [Int] = [], counted: [Int] = []
        for (row, label) in labels.enumerated() where label != ignored {
            guard let number = Int(exactly: label), number >= 0, number < classes else {
                throw NetworkError.label(loss: "cross_entropy", label: label, row: row, classes: classes)
            }
            starts.append(row * classes + number)
            counted.append(row)
        }
        guard reduction != .mean || !counted.isEmpty else { throw fail("ignore", .everyLabel) }
        let total: NDArray =
            try weights.map { weights in
                try weights.gathered(GatherIndices(starts: starts.map { $0 % classes }, chunk: 1), shape: [starts.count]).reduced(.sum)
            } ?? NDArray.scalar(Double(counted.count), type: logits.type)
        var parts = try 0 - weighed.gathered(GatherIndices(starts: starts, chunk: 1), shape: [starts.count])
        if smoothing > 0 {
            let rows = try weighed.gathered(GatherIndices(starts: counted.map { $0 * classes }, chunk: classes), shape: [counted.count, classes])
            parts = try parts * (1 - smoothing) - rows.reduced(.sum, axes: [-1]) * (smoothing / Double(classes))
        }
        switch reduction {
        // Labels that do not count have a loss of 0.
        case .none: return try parts.scatteredAdd(GatherIndices(starts: counted, chunk: 1), shape: target.shape)
        case .sum: return try parts.reduced(.sum)
        case .mean: return try parts.reduced(.sum) / total
        }
    }
}
