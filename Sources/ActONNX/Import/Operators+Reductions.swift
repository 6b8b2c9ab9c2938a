// Reductions, order and counting along axes.

import ActArray
import ActGrad
import ActLinear
import ActOrder

extension ONNXOperators {
    static let reductions: [OperatorRow] = [
        reduction("ReduceSum") { try $0.numeric.reduced(.sum, axes: $1, keepdims: true) },
        reduction("ReduceProd") { try $0.numeric.reduced(.prod, axes: $1, keepdims: true) },
        reduction("ReduceMean") { try $0.numeric.mean(axes: $1, keepdims: true) },
        reduction("ReduceMax") { try extreme($0, $1, isMax: true) },
        reduction("ReduceMin") { try extreme($0, $1, isMax: false) },
        reduction("ReduceL1") { try NDArray.unary(.abs, $0).reduced(.sum, axes: $1, keepdims: true) },
        reduction("ReduceL2") { try $0.norm(axes: $1, keepdims: true) },
        reduction("ReduceSumSquare") { try NDArray.unary(.square, $0).reduced(.sum, axes: $1, keepdims: true) },
        reduction("ReduceLogSum") { try NDArray.unary(.log, $0.reduced(.sum, axes: $1, keepdims: true)) },
        reduction("ReduceLogSumExp") { try $0.logsumexp(axes: $1, keepdims: true) },
        position("ArgMax", .max), position("ArgMin", .min),
        cumulative("CumSum", .sum), cumulative("CumProd", .prod),
        OperatorRow("TopK", settings: [1]) { call in
            let x = try call.x(0), k = try call.version < 10 ? call.int("k") : call.whole(1)
            let axis = try call.axis(call.int("axis", -1), rank: x.rank), isLargest = try call.flag("largest", true)
            if !isLargest {
                let (values, indices) = try (-1.0 * x.numeric).largest(k, axis: axis)
                return [.array(try -1.0 * values, try call.type(0)), .array(indices, .int64)]
            }
            let (values, indices) = try x.largest(k, axis: axis)
            return [.array(values, try call.type(0)), .array(indices, .int64)]
        },
        OperatorRow("NonZero", .whole) { call in
            let x = try call.x(0), found = try x.detached().nonzero()
            return try call.whole(x.rank == 0 ? NDArray([], shape: [0, x.count]) : NDArray.stacked(found))
        },
        OperatorRow("Unique") { call in try unique(call) },
        OperatorRow("Det") { try $0.result($0.x(0).determinant()) },
        OperatorRow("Einsum") { call in
            let text = try call.text("equation", "")
            return try call.result(NDArray.einsum(text, call.all()))
        },
    ]

    /// Over `axes`, an attribute or an input; over all where none are said.
    private static func reduction(_ name: String, _ body: @escaping @Sendable (NDArray, [Int]) throws -> NDArray) -> OperatorRow {
        OperatorRow(name) { call in
            let x = try call.x(0), given = try call.wholes("axes", orInput: 1) ?? []
            if given.isEmpty, try call.flag("noop_with_empty_axes", false) {
                // Nothing is reduced; what is done to each element still is.
                return try call.result(body(x.expandedDims(0), [0]).reshaped(to: x.shape))
            }
            let axes = try given.isEmpty ? Array(0..<x.rank) : given.map { try call.axis($0, rank: x.rank) }
            var result = try body(x, axes)
            if try !call.flag("keepdims", true) { result = try result.reshaped(to: x.shape.indices.filter { !axes.contains($0) }.map { x.shape[$0] }) }
            return try call.result(result)
        }
    }

    /// Of nothing the limit that no element goes beyond.
    private static func extreme(_ x: NDArray, _ axes: [Int], isMax: Bool) throws -> NDArray {
        if x.type == .bool { return try x.reduced(isMax ? .any : .all, axes: axes, keepdims: true) }
        guard x.count == 0 else { return axes.isEmpty ? x : try x.reduced(isMax ? .max : .min, axes: axes, keepdims: true) }
        let shape = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
        return try NDArray.full(isMax ? -.infinity : .infinity, shape: shape, type: x.type)
    }

    private static func position(_ name: String, _ operation: ReduceOperation) -> OperatorRow {
        OperatorRow(name, .whole) { call in
            var x = try call.x(0)
            let axis = try call.axis(call.int("axis", 0), rank: x.rank), isLast = try call.flag("select_last_index", false)
            if isLast { x = try x.flipped([axis]) }
            var found = try x.argReduced(operation, axis: axis, keepdims: true).converted(to: .f64)
            if isLast { found = try Double(x.shape[axis] - 1) - found }
            if try !call.flag("keepdims", true) { found = try found.squeezed([axis]) }
            return try call.whole(found)
        }
    }

    private static func cumulative(_ name: String, _ operation: CumulativeOperation) -> OperatorRow {
        OperatorRow(name, settings: [1]) { call in
            let x = try call.x(0).numeric, axis = try call.axis(call.whole(1), rank: x.rank), isReversed = try call.flag("reverse", false)
            guard try call.flag("exclusive", false), x.shape[axis] > 0 else {
                return try call.result(x.cumulative(operation, axis: axis, reversed: isReversed))
            }
            // Each sees what stands before it: the last one is left out, and nothing stands before the first.
            var ranges = x.shape.map { SliceRange(start: 0, step: 1, count: $0) }
            ranges[axis] = SliceRange(start: isReversed ? 1 : 0, step: 1, count: x.shape[axis] - 1)
            var shape = x.shape
            shape[axis] = 1
            let first = try NDArray.full(operation == .sum ? 0 : 1, shape: shape, type: x.type), rest = try x.sliced(ranges)
            let moved = try NDArray.concatenated(isReversed ? [rest, first] : [first, rest], axis: axis)
            return try call.result(moved.cumulative(operation, axis: axis, reversed: isReversed))
        }
    }

    private static func unique(_ call: NodeCall) throws -> [GraphValue] {
        let x = try call.x(0), type = try call.type(0), isSorted = try call.flag("sorted", true)
        let axis = try call.has("axis") ? call.axis(call.int("axis", 0), rank: x.rank) : nil
        // Slices along the axis as rows of numbers; without one every element is a row.
        let front = try axis.map { axis in try x.transposed([axis] + (0..<x.rank).filter { $0 != axis }) } ?? x.reshaped(to: [x.count])
        let count = front.shape[0], width = front.count / max(1, count)
        let numbers = try front.detached().toDoubles()
        func row(_ index: Int) -> ArraySlice<Double> { numbers[index * width..<(index + 1) * width] }
        var order = Array(0..<count)
        order.sort { a, b in
            for (x, y) in zip(row(a), row(b)) where x != y { return x < y }
            return a < b
        }
        var groups: [[Int]] = []
        for index in order {
            if let last = groups.last, row(last[0]) == row(index) { groups[groups.count - 1].append(index) } else { groups.append([index]) }
        }
        if !isSorted { groups.sort { $0[0] < $1[0] } }
        var inverse = [Double](repeating: 0, count: count)
        for (number, group) in groups.enumerated() { for index in group { inverse[index] = Double(number) } }
        func list(_ numbers: [Double]) throws -> GraphValue { .array(try NDArray(numbers, shape: [numbers.count]), .int64) }
        var values = try front.gathered(GatherIndices(starts: groups.map { $0[0] * width }, chunk: width), shape: [groups.count] + front.shape.dropFirst())
        if let axis {
            // Back to where the axis was.
            var places = Array(1..<x.rank)
            places.insert(0, at: axis)
            values = try values.transposed(places)
        }
        return [.array(values, type), try list(groups.map { Double($0[0]) }), try list(inverse), try list(groups.map { Double($0.count) })]
    }
}
