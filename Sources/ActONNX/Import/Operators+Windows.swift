// Convolutions and pools: windows that go over images of 1 to 3 axes. Padding is given, or what SAME_UPPER, SAME_LOWER and VALID come to.

import ActArray
import ActNetwork
import ActNeural

/// How windows are laid, of a node's attributes and the sizes of images.
private struct WindowPlan {
    static let longestSide = 1 << 31

    let kernel, strides, dilations: [Int]
    var before, after: [Int]

    init(_ call: NodeCall, sizes: [Int], kernel: [Int]) throws {
        let rank = sizes.count
        guard (1...3).contains(rank) else { throw call.lacks(.windows(axes: rank)) }
        // Sides of images without elements may be any.
        guard sizes.allSatisfy({ $0 >= 0 && $0 <= WindowPlan.longestSide }) else { throw call.fail(.shape(sizes, input: 0)) }
        func all(_ name: String, _ fallback: Int, _ count: Int) throws -> [Int] {
            let values = try call.ints(name) ?? [Int](repeating: fallback, count: count)
            guard values.count == count, values.allSatisfy({ $0 >= (fallback == 0 ? 0 : 1) && $0 <= Windows.most }) else {
                throw call.fail(.badAttribute(name))
            }
            return values
        }
        guard kernel.count == rank, kernel.allSatisfy({ $0 > 0 && $0 <= Windows.most }) else { throw call.fail(.badAttribute("kernel_shape")) }
        self.kernel = kernel
        strides = try all("strides", 1, rank)
        dilations = try all("dilations", 1, rank)
        let pads = try all("pads", 0, 2 * rank)
        (before, after) = (Array(pads.prefix(rank)), Array(pads.suffix(rank)))
        switch try call.text("auto_pad", "NOTSET") {
        case "VALID": (before, after) = ([Int](repeating: 0, count: rank), [Int](repeating: 0, count: rank))
        case "SAME_UPPER", "SAME_LOWER":
            let isUpper = try call.text("auto_pad", "") == "SAME_UPPER"
            for axis in 0..<rank {
                let places = (sizes[axis] + strides[axis] - 1) / strides[axis]
                let total = max(0, (places - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1 - sizes[axis])
                (before[axis], after[axis]) = isUpper ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
            }
        default: break
        }
    }

    var windows: Windows {
        Windows(window: kernel, stride: strides, padding: zip(before, after).map { .of(before: $0, after: $1) }, dilation: dilations)
    }
}

extension ONNXOperators {
    static let windows: [OperatorRow] = [
        OperatorRow("Conv") { call in try call.result(convolution(call, call.x(0), call.x(1), call.maybe(2))) },
        OperatorRow("ConvInteger", .unknown) { call in
            let (x, w) = try (call.x(0), call.x(1))
            var zero = try zeroPoint(call, 3)
            // One for each output.
            if zero.rank == 1 { zero = try zero.reshaped(to: [zero.count] + [Int](repeating: 1, count: max(0, w.rank - 1))) }
            return [.array(try convolution(call, x - zeroPoint(call, 2), w - zero, nil), .int32)]
        },
        OperatorRow("ConvTranspose") { call in try call.result(transposed(call)) },
        OperatorRow("MaxPool") { call in try largest(call) },
        OperatorRow("AveragePool") { call in try average(call) },
        OperatorRow("LpPool") { call in
            let x = try call.x(0), p = try call.version < 2 ? call.float("p", 2) : Double(call.int("p", 2))
            let powers = try power(NDArray.unary(.abs, x), p),
                plan = try WindowPlan(call, sizes: Array(x.shape.dropFirst(2)), kernel: call.ints("kernel_shape") ?? [])
            // The mean of a window, with the zeros around, times how many elements it has.
            let sum = try means(powers, plan, ceil: call.flag("ceil_mode", false), countsPadding: true, call) * Double(plan.kernel.reduce(1, *))
            return try call.result(power(sum, 1 / p))
        },
        .map("GlobalAveragePool") { _, x in try x.mean(axes: Array(2..<max(2, x.rank)), keepdims: true) },
        .map("GlobalMaxPool") { _, x in try x.reduced(.max, axes: Array(2..<max(2, x.rank)), keepdims: true) },
        .map("GlobalLpPool") { call, x in
            let p = Double(try call.int("p", 2))
            return try power(power(NDArray.unary(.abs, x), p).reduced(.sum, axes: Array(2..<max(2, x.rank)), keepdims: true), 1 / p)
        },
        OperatorRow("MaxUnpool") { call in
            let x = try call.x(0), indices = try call.x(1), strides = try call.ints("strides"), kernel = try call.ints("kernel_shape") ?? []
            let rank = x.rank - 2, pads = try call.ints("pads") ?? [Int](repeating: 0, count: 2 * max(0, rank))
            guard rank > 0, kernel.count == rank, (strides ?? kernel).count == rank, pads.count == 2 * rank else {
                throw call.fail(.badAttribute("kernel_shape"))
            }
            guard x.shape.allSatisfy({ $0 <= WindowPlan.longestSide }) else { throw call.fail(.shape(x.shape, input: 0)) }
            let sides = (0..<rank).map { axis -> Int in
                let places = x.shape[axis + 2] - 1, step = strides?[axis] ?? 1
                return places &* step &+ kernel[axis] &- pads[axis] &- pads[axis + rank]
            }
            let natural = x.shape.prefix(2) + sides
            let target = try call.has(2) ? call.sizes(2) : Array(natural), count = try Shapes.count(target), places = try Shapes.count(Array(natural))
            guard target.count == x.rank else { throw call.fail(.shape(target, input: 2)) }
            // Positions count in an image of the natural size, and move where the output is larger.
            let from = Shapes.rowMajorStrides(Array(natural)), to = Shapes.rowMajorStrides(target)
            let starts = try indices.detached().toDoubles().map { number -> Int in
                guard var rest = Int(exactly: number), rest >= 0, rest < max(places, count) else { throw call.fail(.notWhole(1, number)) }
                if target == Array(natural) || call.has(2) && natural.count != target.count { return rest }
                var start = 0
                for axis in from.indices { (start, rest) = (start + rest / max(1, from[axis]) * to[axis], rest % max(1, from[axis])) }
                return start
            }
            if let far = starts.first(where: { $0 >= count }) { throw ArrayError.indexOutOfRange(index: far, axis: 0, size: count) }
            return try call.result(x.reshaped(to: [x.count]).scatteredAdd(GatherIndices(starts: starts, chunk: 1), shape: target))
        },
        OperatorRow("Col2Im", settings: [1, 2]) { call in
            let x = try call.x(0), sizes = try call.sizes(1), block = try call.sizes(2)
            guard x.rank == 3 else { throw call.fail(.shape(x.shape, input: 0)) }
            let plan = try WindowPlan(call, sizes: sizes, kernel: block), area = block.reduce(1, *)
            guard let axes = plan.windows.axes(over: sizes) else { throw call.fail(.shape(sizes, input: 1)) }
            let places = axes.map(\.places), channels = x.shape[1] / max(1, area)
            guard channels * area == x.shape[1], try Shapes.count(places) == x.shape[2] else { throw call.fail(.shape(x.shape, input: 0)) }
            // A transposed convolution whose weights lay each row of a patch on its pixel.
            let images = try x.reshaped(to: [x.shape[0] * channels, area] + places),
                weights = try NDArray.eye(area, type: x.type).reshaped(to: [area, 1] + block)
            guard let result = try images.convolvedBack(with: weights, plan.windows, groups: 1, extra: extra(axes, sizes)) else {
                throw call.fail(.shape(x.shape, input: 0))
            }
            return try call.result(result.reshaped(to: [x.shape[0], channels] + sizes))
        },
    ]

    /// Pixels at the end of each axis that no window of the convolution sees.
    private static func extra(_ axes: [WindowAxis], _ sizes: [Int]) -> [Int] {
        axes.map { axis in
            let last = (axis.places - 1) * axis.stride, extent = (axis.window - 1) * axis.dilation + 1
            return axis.size + axis.before + axis.after - last - extent
        }
    }

    private static func power(_ x: NDArray, _ p: Double) throws -> NDArray {
        if p == 1 { return x }
        if p == 2 { return try NDArray.unary(.square, x) }
        return try p == 0.5 ? NDArray.unary(.sqrt, x) : NDArray.binary(.pow, x, p)
    }

    /// 0 where the input is missing.
    static func zeroPoint(_ call: NodeCall, _ index: Int) throws -> NDArray { try call.maybe(index)?.converted(to: .f64) ?? NDArray.scalar(0, type: .f64) }

    static func convolution(_ call: NodeCall, _ x: NDArray, _ w: NDArray, _ bias: NDArray?) throws -> NDArray {
        guard x.rank > 2, w.rank == x.rank else { throw call.fail(.shape(x.shape, input: 0)) }
        let rank = x.rank - 2, groups = try call.int("group", 1)
        let plan = try WindowPlan(call, sizes: Array(x.shape.dropFirst(2)), kernel: call.ints("kernel_shape") ?? Array(w.shape.dropFirst(2)))
        guard groups > 0, plan.kernel == Array(w.shape.dropFirst(2)), var sum = try x.convolved(with: w, plan.windows, groups: groups) else {
            throw call.fail(.shape(w.shape, input: 1))
        }
        if let bias { sum = try sum + bias.reshaped(to: [bias.count] + [Int](repeating: 1, count: rank)) }
        return sum
    }

    private static func transposed(_ call: NodeCall) throws -> NDArray {
        let x = try call.x(0), w = try call.x(1), groups = try call.int("group", 1)
        guard x.rank > 2, w.rank == x.rank, groups > 0 else { throw call.fail(.shape(w.shape, input: 1)) }
        let rank = x.rank - 2, sizes = Array(x.shape.dropFirst(2))
        var plan = try WindowPlan(call, sizes: sizes, kernel: call.ints("kernel_shape") ?? Array(w.shape.dropFirst(2)))
        var extra = try call.ints("output_padding") ?? [Int](repeating: 0, count: rank)
        guard extra.count == rank, extra.allSatisfy({ $0 >= 0 && $0 <= Windows.most }) else { throw call.fail(.badAttribute("output_padding")) }
        let full = (0..<rank).map { axis -> Int in
            let last = (sizes[axis] - 1) * plan.strides[axis]
            return last + (plan.kernel[axis] - 1) * plan.dilations[axis] + 1
        }
        let auto = try call.text("auto_pad", "NOTSET")
        var wanted = try call.ints("output_shape").map { Array($0.suffix(rank)) }
        if wanted == nil, auto.hasPrefix("SAME") { wanted = (0..<rank).map { sizes[$0] * plan.strides[$0] } }
        if let wanted {
            guard wanted.count == rank else { throw call.fail(.badAttribute("output_shape")) }
            for axis in 0..<rank {
                let total = full[axis] + extra[axis] - wanted[axis], room = max(0, total)
                let less = room / 2
                (plan.before[axis], plan.after[axis]) = auto == "SAME_UPPER" ? (less, room - less) : (room - less, less)
                if total < 0 { extra[axis] -= total }
            }
        }
        guard var sum = try x.convolvedBack(with: w, plan.windows, groups: groups, extra: extra) else { throw call.fail(.shape(w.shape, input: 1)) }
        if let bias = try call.maybe(2) { sum = try sum + bias.reshaped(to: [bias.count] + [Int](repeating: 1, count: rank)) }
        return sum
    }

    private static func largest(_ call: NodeCall) throws -> [GraphValue] {
        let x = try call.x(0), plan = try WindowPlan(call, sizes: Array(x.shape.dropFirst(2)), kernel: call.ints("kernel_shape") ?? [])
        let ceil = try call.flag("ceil_mode", false)
        guard let largest = try x.largestOfWindows(plan.windows, ceil: ceil) else { throw call.fail(.shape(x.shape, input: 0)) }
        let value = GraphValue.array(largest, try call.type(0))
        guard call.wants(1), let winners = try x.winnersOfWindows(plan.windows, ceil: ceil) else { return [value] }
        var places = winners.map { Double($0) }
        if try call.flag("storage_order", false) {
            // Column by column in each image: the last axes change places in the count.
            let sizes = Array(x.shape.dropFirst(2)), area = sizes.reduce(1, *), strides = Shapes.rowMajorStrides(sizes)
            places = winners.map { winner in
                var rest = winner % area, scale = 1, place = 0
                for axis in sizes.indices {
                    place += rest / strides[axis] * scale
                    rest %= strides[axis]
                    scale *= sizes[axis]
                }
                return Double(winner / area * area + place)
            }
        }
        return [value, .array(try NDArray(places, shape: largest.shape), .int64)]
    }

    private static func average(_ call: NodeCall) throws -> [GraphValue] {
        let x = try call.x(0), plan = try WindowPlan(call, sizes: Array(x.shape.dropFirst(2)), kernel: call.ints("kernel_shape") ?? [])
        return try call.result(means(x, plan, ceil: call.flag("ceil_mode", false), countsPadding: call.flag("count_include_pad", false), call))
    }

    private static func means(_ x: NDArray, _ plan: WindowPlan, ceil: Bool, countsPadding: Bool, _ call: NodeCall) throws -> NDArray {
        guard let result = try x.meanOfWindows(plan.windows, ceil: ceil, countsPadding: countsPadding) else { throw call.fail(.shape(x.shape, input: 0)) }
        return result
    }
}
