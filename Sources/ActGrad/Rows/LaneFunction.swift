// Functions of lanes (the elements along one axis) that no composition of primitives computes well: hardmax and sparsemax.

import ActArray
import ActOrder

final class LaneFunction: CustomFunction, Sendable {
    let name: String
    /// Replaces a lane by its value; beside it the same elements in ascending order, if asked for.
    private let forward: Forward
    private let needsOrder: Bool
    /// What reaches the lanes, along `axis`.
    private let backward: @Sendable (_ cotangent: NDArray, _ result: NDArray, _ axis: Int) throws -> NDArray?
    private let axis: Int
    /// The same, composed of primitives; for finite elements.
    private let composed: @Sendable (_ x: NDArray, _ axis: Int) throws -> NDArray

    private typealias Forward = @Sendable (_ lane: UnsafeMutableBufferPointer<Double>, _ ascending: UnsafeBufferPointer<Double>) throws -> Void

    private init(
        _ name: String, axis: Int, needsOrder: Bool, forward: @escaping Forward,
        backward: @escaping @Sendable (NDArray, NDArray, Int) throws -> NDArray?, composed: @escaping @Sendable (NDArray, Int) throws -> NDArray
    ) {
        self.name = name
        self.axis = axis
        self.needsOrder = needsOrder
        self.forward = forward
        self.backward = backward
        self.composed = composed
    }

    var isElementwise: Bool { false }
    var attributes: [Attribute] { [Attribute("axis", axis)] }

    func lowered(_ x: [NDArray]) throws -> NDArray? { try composed(x[0], axis) }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
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
        let ascending = try needsOrder ? moved.sorted().toDoubles() : []
        try elements.withUnsafeMutableBufferPointer { all in
            try ascending.withUnsafeBufferPointer { ascending in
                try Interrupt.forEachPiece(all.count / max(size, 1), of: max(1, (1 << 18) / max(size, 1))) { lanes in
                    for lane in lanes {
                        let place = lane * size..<(lane + 1) * size
                        try forward(
                            UnsafeMutableBufferPointer(rebasing: all[place]), UnsafeBufferPointer(rebasing: needsOrder ? ascending[place] : ascending[..<0]))
                    }
                }
            }
        }
        let value = try NDArray(elements, shape: moved.shape, type: x.type).transposed(inverse)
        try NumericEvents.examineLanes(name, value, of: x.detached(), axis: position)
        let function = LaneFunction(name, axis: position, needsOrder: needsOrder, forward: forward, backward: backward, composed: composed)
        return try NDArray.custom(function, inputs: [x], value: value.contiguous())
    }

    /// 1 at the first largest, else 0; a lane with a NaN becomes NaN.
    static let hardmax = LaneFunction("hardmax", axis: 0, needsOrder: false) { lane, _ in
        var best = 0
        try Interrupt.forEachPiece(lane.count) { for i in $0 where lane[i] > lane[best] || lane[i].isNaN && !lane[best].isNaN { best = i } }
        let mark = lane[best].isNaN ? Double.nan : 1
        try Interrupt.forEachPiece(lane.count) { for i in $0 { lane[i] = mark.isNaN ? mark : i == best ? 1 : 0 } }
    } backward: { _, _, _ in
        nil
    } composed: { x, axis in
        let largest = try x.reduced(.max, axes: [axis], keepdims: true)
        let ties = try NDArray.compare(.eq, .array(x), .array(largest)).converted(to: x.type)
        let isFirst = try NDArray.compare(.eq, .array(ties.cumulative(.sum, axis: axis)), .number(1))
        return try NDArray.select(NDArray.test(.isnan, largest), .array(largest), .array(NDArray.select(isFirst, .array(ties), .number(0))))
    }

    /// The nearest point of the simplex: max(x − τ, 0), with τ such that the sum is 1.
    /// A. Martins, R. Astudillo, "From softmax to sparsemax", 2016.
    static let sparsemax = LaneFunction("sparsemax", axis: 0, needsOrder: true) { lane, ascending in
        // NaN is last in order.
        let largest = ascending.last ?? .nan
        guard largest.isFinite else {
            let winners = Double(ascending.reversed().prefix { $0 == .infinity }.count)
            try Interrupt.forEachPiece(lane.count) { for i in $0 { lane[i] = winners == 0 ? .nan : lane[i] == .infinity ? 1 / winners : 0 } }
            return
        }
        var sum = 0.0, threshold = 0.0
        for (k, element) in ascending.reversed().enumerated() {
            if k & 0xffff == 0 { try Interrupt.check() }
            let value = element - largest
            sum += value
            let candidate = (sum - 1) / Double(k + 1)
            guard value > candidate else { break }
            threshold = candidate
        }
        try Interrupt.forEachPiece(lane.count) { for i in $0 { lane[i] = max(lane[i] - largest - threshold, 0) } }
    } backward: { cotangent, result, axis in
        // On the support, what reaches it less its mean.
        let support = try NDArray.compare(.gt, .array(result.detached()), .number(0))
        let reached = try NDArray.select(support, .array(cotangent), .number(0))
        let mean =
            try reached.reduced(.sum, axes: [axis], keepdims: true)
            / support.converted(to: cotangent.type).reduced(.sum, axes: [axis], keepdims: true)
        return try NDArray.select(support, .array(cotangent - mean), .number(0))
    } composed: { x, axis in
        // Every element against every other in place of the order: how many are as large, and their sum.
        let last = x.rank - 1, order = x.shape.indices.filter { $0 != axis } + [axis]
        var inverse = order
        for (to, from) in order.enumerated() { inverse[from] = to }
        let lanes = try x.transposed(order), z = try lanes - lanes.reduced(.max, axes: [last], keepdims: true)
        let own = try z.expandedDims(z.rank), other = try z.expandedDims(last)
        let isAsLarge = try NDArray.compare(.ge, .array(other), .array(own)).converted(to: x.type)
        let count = try isAsLarge.reduced(.sum, axes: [last + 1]), sum = try (isAsLarge * other).reduced(.sum, axes: [last + 1])
        let isSupport = try NDArray.compare(.gt, .array(count * z + 1.0), .array(sum)).converted(to: x.type)
        let threshold = try ((isSupport * z).reduced(.sum, axes: [last], keepdims: true) - 1.0) / isSupport.reduced(.sum, axes: [last], keepdims: true)
        return try NDArray.binary(.max, z - threshold, 0).transposed(inverse)
    }
}
