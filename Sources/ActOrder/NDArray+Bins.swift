// How often whole numbers occur.

import ActArray

extension NDArray {
    /// How often each of 0, 1, 2 … occurs, or the sum of the weights where it does.
    /// - Throws: `indexNotWhole`; `badValue` for negative numbers; `shapesDiffer` when weights do not fit.
    package func bincount(weights: NDArray? = nil, minLength: Int = 0) throws -> NDArray {
        if minLength < 0 { throw ArrayError.negativeSize(minLength) }
        if let weights, weights.shape != shape { throw ArrayError.shapesDiffer(operation: "bincount", shape, weights.shape, axis: nil) }
        if isTraced { try NDArray.refuse(.element) }
        let numbers = try (type == .bool ? converted(to: .f32) : detached()).contiguous(), largest = try numbers.largestBin()
        guard largest < 1 << 48 else { throw ArrayError.tooLarge(shape: [largest]) }
        let bins = largest + 1, result = try NDArray.full(0, shape: [max(minLength, bins)], type: .f64)
        guard let weights else {
            try result.withMutableBytes { try numbers.count(into: $0.assumingMemoryBound(to: Double.self), bins) }
            return result
        }
        let amounts = try weights.toDoubles()
        try result.withMutableBytes { bytes in
            let sums = bytes.assumingMemoryBound(to: Double.self)
            let isWhole = try numbers.forEachWhole(below: bins, parts: 1) { _, first, places in
                for i in places.indices { sums[places[i]] += amounts[first &+ i] }
            }
            if !isWhole { _ = try numbers.checkedBins() }
        }
        try NumericEvents.examine("bincount", result) { try NDArray.test($0, weights.detached()).reduced(.any) }
        return weights.isTraced
            ? try NDArray.custom(WeightedCount(bins: numbers.toDoubles().map { Int($0) }, shape: result.shape), inputs: [weights], value: result) : result
    }

    /// The largest of numbers that may all be bins; −1 of none.
    /// - Throws: as `checkedBins`, if the smallest or the largest is not one.
    private func largestBin() throws -> Int {
        if count < 1024 { return try checkedBins() }
        let most = try reduced(.max).item()
        return try most < 0x1p48 && reduced(.min).item() >= 0 ? Int(most) : checkedBins()
    }

    /// The largest of numbers that are all whole and not negative.
    /// - Throws: `indexNotWhole`, or `badValue`, for the first that is not.
    private func checkedBins() throws -> Int {
        var largest = -1
        let numbers = try toDoubles()
        try Interrupt.forEachPiece(numbers.count) { piece in
            for number in numbers[piece] {
                guard let bin = Int(exactly: number) else { throw ArrayError.indexNotWhole(number) }
                guard bin >= 0 else { throw ArrayError.badValue(operation: "bincount", .negative(bin)) }
                largest = max(largest, bin)
            }
        }
        return largest
    }

    /// Counts how often each of the whole numbers below `bins` occurs. Parts count for themselves: whole numbers have one sum.
    private func count(into counts: UnsafeMutablePointer<Double>, _ bins: Int) throws {
        if self.count < 1024 {
            for number in try toDoubles() { counts[Int(number)] += 1 }
            return
        }
        let parts = bins <= 1 << 14 ? max(1, min(8, count >> 16)) : 1
        let memory = try FreshArray(shape: [parts, bins], type: .f64, filledWith: 0), all = memory.elements(of: Int.self)
        let isWhole = try forEachWhole(below: bins, parts: parts) { part, _, places in
            let counts = all + part &* bins
            for place in places { counts[place] &+= 1 }
        }
        if !isWhole { _ = try checkedBins() }
        for part in 0..<parts { for bin in 0..<bins { counts[bin] += Double(all[part &* bins &+ bin]) } }
        withExtendedLifetime(memory.finished()) {}
    }
}

/// The sums of weights of `bincount`: each weight gets what reaches its bin.
private final class WeightedCount: CustomFunction {
    private let bins: [Int]
    let name = "bincount", isElementwise = false

    private let shape: [Int]

    init(bins: [Int], shape: [Int]) {
        self.bins = bins
        self.shape = shape
    }

    var attributes: [Attribute] { [Attribute("bins", bins)] }

    func lowered(_ x: [NDArray]) throws -> NDArray? {
        try x[0].converted(to: .f64).scatteredAdd(GatherIndices(starts: bins, chunk: 1), shape: shape)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        [try cotangent.gathered(GatherIndices(starts: bins, chunk: 1), shape: inputs[0].shape)]
    }
}
