// Functions of lanes (the elements along one axis) that no composition of primitives computes well: hardmax and sparsemax.

import ActArray

final class LaneFunction: CustomFunction {
    let name: String
    /// Replaces a lane by its value.
    private let forward: (UnsafeMutableBufferPointer<Double>) -> Void
    /// What reaches the lanes, along `axis`.
    private let backward: (_ cotangent: NDArray, _ result: NDArray, _ axis: Int) throws -> NDArray?
    private let axis: Int

    private init(
        _ name: String, axis: Int, forward: @escaping (UnsafeMutableBufferPointer<Double>) -> Void,
        backward: @escaping (NDArray, NDArray, Int) throws -> NDArray?
    ) {
        self.name = name
        self.axis = axis
        self.forward = forward
        self.backward = backward
    }

    var isElementwise: Bool { false }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray) throws -> [NDArray?] {
        [try backward(cotangent, result, axis)]
    }

    func apply(_ x: NDArray, axis: Int) throws -> NDArray {
        guard axis >= -x.rank, axis < x.rank else { throw ArrayError.axisOutOfRange(axis: axis, rank: x.rank) }
        let position = axis < 0 ? axis + x.rank : axis
        // The axis goes last, there the lanes are rows.
        var order = Array(0..<x.rank)
        order.append(order.remove(at: position))
        var inverse = order
        for (to, from) in order.enumerated() { inverse[from] = to }
        let moved = try x.detached().transposed(order)
        let size = x.shape[position]
        guard size > 0 || x.count == 0 else { return x }
        var elements = try moved.toDoubles()
        elements.withUnsafeMutableBufferPointer { all in
            guard size > 0 else { return }
            for start in stride(from: 0, to: all.count, by: size) { forward(UnsafeMutableBufferPointer(rebasing: all[start..<start + size])) }
        }
        let value = try NDArray(elements, shape: moved.shape, type: x.type).transposed(inverse)
        let function = LaneFunction(name, axis: position, forward: forward, backward: backward)
        return try NDArray.custom(function, inputs: [x], value: value.contiguous())
    }

    /// 1 at the first largest, else 0; a lane with a NaN becomes NaN.
    nonisolated(unsafe) static let hardmax = LaneFunction("hardmax", axis: 0) { lane in
        var best = 0
        for i in lane.indices where lane[i] > lane[best] || lane[i].isNaN && !lane[best].isNaN { best = i }
        let mark = lane[best].isNaN ? Double.nan : 1
        for i in lane.indices { lane[i] = mark.isNaN ? mark : i == best ? 1 : 0 }
    } backward: { _, _, _ in
        nil
    }

    /// The nearest point of the simplex: max(x − τ, 0), with τ such that the sum is 1.
    /// A. Martins, R. Astudillo, "From softmax to sparsemax", 2016.
    nonisolated(unsafe) static let sparsemax = LaneFunction("sparsemax", axis: 0) { lane in
        let largest = lane.max() ?? 0
        guard !lane.contains(where: \.isNaN), largest != -.infinity else {
            lane.update(repeating: .nan)
            return
        }
        if largest == .infinity {
            let winners = Double(lane.count { $0 == .infinity })
            for i in lane.indices { lane[i] = lane[i] == .infinity ? 1 / winners : 0 }
            return
        }
        var sum = 0.0, threshold = 0.0
        for (k, value) in lane.map({ $0 - largest }).sorted(by: >).enumerated() {
            sum += value
            let candidate = (sum - 1) / Double(k + 1)
            guard value > candidate else { break }
            threshold = candidate
        }
        for i in lane.indices { lane[i] = max(lane[i] - largest - threshold, 0) }
    } backward: { cotangent, result, axis in
        // On the support, what reaches it less its mean.
        let support = try NDArray.compare(.gt, .array(result.detached()), .number(0))
        let reached = try NDArray.select(support, .array(cotangent), .number(0))
        let mean = try reached.reduced(.sum, axes: [axis], keepdims: true)
            / support.converted(to: cotangent.type).reduced(.sum, axes: [axis], keepdims: true)
        return try NDArray.select(support, .array(cotangent - mean), .number(0))
    }
}
