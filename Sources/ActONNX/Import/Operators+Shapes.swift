// Operators that change shapes and move elements, without looking at them.

import ActArray
import ActLinear
import ActOrder

extension ONNXOperators {
    static let shapes: [OperatorRow] = [
        OperatorRow("Reshape", settings: [1]) { call in
            let x = try call.x(0)
            guard var sizes = try call.has(1) ? call.sizes(1) : call.sizes("shape") else { throw call.fail(.missingInput(1)) }
            if try !call.flag("allowzero", false) {
                for (axis, size) in sizes.enumerated() where size == 0 {
                    guard axis < x.rank else { throw call.fail(.shape(x.shape, input: 0)) }
                    sizes[axis] = x.shape[axis]
                }
            }
            return try call.result(x.reshaped(to: sizes))
        },
        .map("Flatten") { call, x in
            let axis = try call.int("axis", 1), split = axis < 0 ? axis + x.rank : axis
            guard split >= 0, split <= x.rank else { throw call.fail(.badAttribute("axis")) }
            return try x.reshaped(to: [x.shape.prefix(split).reduce(1, *), x.shape.dropFirst(split).reduce(1, *)])
        },
        .map("Transpose") { call, x in try x.transposed(call.ints("perm")) },
        OperatorRow("Squeeze") { call in
            let x = try call.x(0), axes = try call.wholes("axes", orInput: 1)
            return try call.result(x.squeezed(axes?.map { try call.axis($0, rank: x.rank) } ?? x.shape.indices.filter { x.shape[$0] == 1 }))
        },
        OperatorRow("Unsqueeze") { call in
            let x = try call.x(0)
            guard let given = try call.wholes("axes", orInput: 1) else { throw call.fail(.missingInput(1)) }
            let rank = x.rank + given.count, axes = Set(try given.map { try call.axis($0, rank: rank) })
            guard axes.count == given.count else { throw call.fail(.badAttribute("axes")) }
            var rest = x.shape[...]
            return try call.result(x.reshaped(to: (0..<rank).map { axes.contains($0) ? 1 : rest.popFirst() ?? 1 }))
        },
        OperatorRow("Expand") { call in
            let x = try call.x(0)
            return try call.result(x.broadcast(to: NDArray.broadcastShape(x.shape, call.sizes(1))))
        },
        OperatorRow("Tile") { call in
            let x = try call.x(0)
            // Once a number of copies and an axis.
            if call.version < 6 {
                var counts = [Int](repeating: 1, count: x.rank)
                counts[try call.axis(call.whole(2), rank: x.rank)] = try call.size(1)
                return try call.result(x.tiled(counts))
            }
            return try call.result(x.tiled(call.sizes(1)))
        },
        OperatorRow("Slice", settings: [1, 2, 3, 4]) { call in try slice(call) },
        OperatorRow("Pad", settings: [1, 2, 3]) { call in try pad(call) },
        .map("Trilu") { call, x in try x.triangle(call.maybe(1).map { try Int(exactly: $0.detached().item()) ?? 0 } ?? 0, isLower: !call.flag("upper", true)) },
        .map("DepthToSpace") { call, x in
            guard x.rank == 4 else { throw call.fail(.shape(x.shape, input: 0)) }
            let b = try call.int("blocksize"), (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
            guard b > 0, c % (b * b) == 0 else { throw call.fail(.badAttribute("blocksize")) }
            if try call.text("mode", "DCR") == "CRD" {
                return try x.reshaped(to: [n, c / (b * b), b, b, h, w]).transposed([0, 1, 4, 2, 5, 3]).reshaped(to: [n, c / (b * b), h * b, w * b])
            }
            return try x.reshaped(to: [n, b, b, c / (b * b), h, w]).transposed([0, 3, 4, 1, 5, 2]).reshaped(to: [n, c / (b * b), h * b, w * b])
        },
        .map("SpaceToDepth") { call, x in
            guard x.rank == 4 else { throw call.fail(.shape(x.shape, input: 0)) }
            let b = try call.int("blocksize"), (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
            guard b > 0, h % b == 0, w % b == 0 else { throw call.fail(.badAttribute("blocksize")) }
            if try call.text("mode", "DCR") == "CRD" {
                return try x.reshaped(to: [n, c, h / b, b, w / b, b]).transposed([0, 1, 3, 5, 2, 4]).reshaped(to: [n, c * b * b, h / b, w / b])
            }
            return try x.reshaped(to: [n, c, h / b, b, w / b, b]).transposed([0, 3, 5, 1, 2, 4]).reshaped(to: [n, c * b * b, h / b, w / b])
        },
        OperatorRow("CenterCropPad", settings: [1]) { call in
            var x = try call.x(0)
            let sizes = try call.sizes(1), axes = try (call.ints("axes") ?? Array(0..<x.rank)).map { try call.axis($0, rank: x.rank) }
            guard axes.count == sizes.count, sizes.allSatisfy({ $0 >= 0 }) else { throw call.fail(.badAttribute("axes")) }
            for (axis, size) in zip(axes, sizes) {
                let old = x.shape[axis]
                if old > size {
                    x = try x.cut(axis, (old - size) / 2, size)
                } else if old < size {
                    var widths = [(before: Int, after: Int)](repeating: (0, 0), count: x.rank)
                    widths[axis] = ((size - old) / 2, size - old - (size - old) / 2)
                    x = try x.padded(widths)
                }
            }
            return try call.result(x)
        },
        OperatorRow("ReverseSequence", settings: [1]) { call in
            let x = try call.x(0), lengths = try call.wholes(1)
            let batch = try call.axis(call.int("batch_axis", 1), rank: x.rank), time = try call.axis(call.int("time_axis", 0), rank: x.rank)
            guard batch != time, lengths.count == x.shape[batch], lengths.allSatisfy({ $0 >= 0 && $0 <= x.shape[time] }) else {
                throw call.fail(.shape(x.shape, input: 0))
            }
            let steps = x.shape[time]
            let places = lengths.flatMap { length in (0..<steps).map { Double($0 < length ? length - 1 - $0 : $0) } }
            // (batch, time) where the two axes stand first.
            let order = [batch, time] + (0..<x.rank).filter { $0 != batch && $0 != time }
            let front = try x.transposed(order), index = try NDArray(places, shape: [lengths.count, steps])
            let taken = try front.takenAlong(index.reshaped(to: [lengths.count, steps] + [Int](repeating: 1, count: x.rank - 2)), axis: 1)
            return try call.result(taken.transposed(order.indices.map { axis in order.firstIndex(of: axis) ?? axis }))
        },
    ]

    /// Starts, ends, axes and steps were attributes before opset 10.
    private static func slice(_ call: NodeCall) throws -> [GraphValue] {
        var x = try call.x(0)
        guard let starts = try call.wholes("starts", orInput: 1), let ends = try call.wholes("ends", orInput: 2) else { throw call.fail(.missingInput(1)) }
        let axes = try call.wholes("axes", orInput: 3) ?? Array(starts.indices),
            steps = try call.has(4) ? call.wholes(4) : [Int](repeating: 1, count: starts.count)
        guard starts.count == ends.count, axes.count == starts.count, steps.count == starts.count else { throw call.fail(.badAttribute("axes")) }
        for (place, axis) in axes.enumerated() {
            let axis = try call.axis(axis, rank: x.rank), size = x.shape[axis], step = steps[place]
            guard step != 0, step > .min else { throw call.fail(.badAttribute("steps")) }
            func bound(_ value: Int, _ low: Int, _ high: Int) -> Int { max(low, min(high, value < 0 ? value + size : value)) }
            let range: SliceRange
            if step > 0 {
                let start = bound(starts[place], 0, size), end = bound(ends[place], 0, size)
                range = SliceRange(start: start, step: step, count: start < end ? (end - start - 1) / step + 1 : 0)
            } else {
                let start = bound(starts[place], -1, size - 1), end = bound(ends[place], -1, size - 1)
                range = SliceRange(start: max(0, start), step: step, count: start > end ? (start - end - 1) / -step + 1 : 0)
            }
            var ranges = x.shape.map { SliceRange(start: 0, step: 1, count: $0) }
            ranges[axis] = range
            x = try x.sliced(ranges)
        }
        return try call.result(x)
    }

    /// Widths before and after each axis; negative ones cut. They were an attribute before opset 11, and `paddings` before 2.
    private static func pad(_ call: NodeCall) throws -> [GraphValue] {
        var x = try call.x(0)
        guard let pads = try call.has(1) ? call.sizes(1) : call.sizes("pads") ?? call.sizes("paddings") else { throw call.fail(.missingInput(1)) }
        let axes = try call.has(3) ? call.wholes(3).map { try call.axis($0, rank: x.rank) } : Array(0..<x.rank)
        guard pads.count == 2 * axes.count, pads.allSatisfy({ $0.magnitude < 1 << 40 }) else { throw call.fail(.badAttribute("pads")) }
        var widths = [(before: Int, after: Int)](repeating: (0, 0), count: x.rank)
        for (place, axis) in axes.enumerated() { widths[axis] = (pads[place], pads[place + axes.count]) }
        for axis in 0..<x.rank where widths[axis].before < 0 || widths[axis].after < 0 {
            let before = max(0, -widths[axis].before), after = max(0, -widths[axis].after)
            x = try x.cut(axis, min(before, x.shape[axis]), max(0, x.shape[axis] - before - after))
            widths[axis] = (max(0, widths[axis].before), max(0, widths[axis].after))
        }
        let value = try call.maybe(2).map { $0.count == 0 ? 0 : try $0.detached().reshaped(to: [$0.count]).element(at: 0) } ?? call.float("value", 0)
        switch try call.text("mode", "constant") {
        case "constant": return try call.result(x.padded(widths, .constant(.number(value))))
        case "edge": return try call.result(x.padded(widths, .edge))
        case "reflect": return try call.result(x.padded(widths, .reflect))
        case "wrap": return try call.result(x.padded(widths, .wrap))
        default: throw call.fail(.badAttribute("mode"))
        }
    }

    // MARK: Choosing and writing

    static let choices: [OperatorRow] = [
        OperatorRow("Gather", settings: [1]) { call in
            let x = try call.x(0), indices = try call.x(1).numeric, axis = try call.axis(call.int("axis", 0), rank: x.rank)
            return try call.result(x.chosen(axis, indices))
        },
        OperatorRow("GatherElements") { call in
            let x = try call.x(0), axis = try call.axis(call.int("axis", 0), rank: x.rank)
            return try call.result(x.window(like: call.x(1).shape, but: axis, call).takenAlong(call.x(1), axis: axis))
        },
        OperatorRow("GatherND") { call in
            let x = try call.x(0), indices = try call.x(1), batch = try call.int("batch_dims", 0)
            guard batch >= 0, indices.rank > batch, x.rank > batch, let depth = indices.shape.last, depth <= x.rank - batch, depth > 0 else {
                throw call.fail(.shape(indices.shape, input: 1))
            }
            let columns = try tuples(indices, depth)
            // Of the batch axes each goes with itself.
            let lead = Array(indices.shape.dropLast()),
                own = try (0..<batch).map { axis -> NDArray.Index in
                    var unit = [Int](repeating: 1, count: lead.count)
                    unit[axis] = x.shape[axis]
                    return .array(try NDArray.range(0, Double(x.shape[axis]), 1).reshaped(to: unit))
                }
            return try call.result(x.indexed(by: own + columns.map { .array($0) }))
        },
        scatterElements("ScatterElements"), scatterElements("Scatter"),
        OperatorRow("ScatterND") { call in
            let x = try call.x(0), indices = try call.x(1), updates = try call.x(2)
            guard indices.rank > 0, let depth = indices.shape.last, depth <= x.rank, depth > 0 else { throw call.fail(.shape(indices.shape, input: 1)) }
            let rest = Array(x.shape.dropFirst(depth)), chunk = rest.reduce(1, *), strides = Shapes.rowMajorStrides(x.shape)
            let numbers = try indices.detached().toDoubles()
            var starts: [Int] = []
            for row in 0..<numbers.count / depth {
                var start = 0
                for axis in 0..<depth {
                    let number = numbers[row * depth + axis]
                    guard let index = Int(exactly: number) else { throw call.fail(.notWhole(1, number)) }
                    guard index >= -x.shape[axis], index < x.shape[axis] else {
                        throw ArrayError.indexOutOfRange(index: index, axis: axis, size: x.shape[axis])
                    }
                    start += (index < 0 ? index + x.shape[axis] : index) * strides[axis]
                }
                starts.append(start)
            }
            return try call.result(scattered(x, starts, chunk, updates.reshaped(to: [starts.count, chunk]), call.text("reduction", "none"), call))
        },
        OperatorRow("Compress") { call in
            let x = try call.x(0), keeps = try call.x(1).detached().toBools()
            let flat = call.has("axis") ? x : try x.reshaped(to: [x.count]), axis = try call.axis(call.int("axis", 0), rank: flat.rank)
            let places = keeps.indices.filter { keeps[$0] }
            guard keeps.count <= flat.shape[axis] else { throw call.fail(.shape([keeps.count], input: 1)) }
            let index = try NDArray(places.map { Double($0) }, shape: [places.count])
            return try call.result(flat.chosen(axis, index))
        },
        OperatorRow("OneHot", .like(2), settings: [1, 2]) { call in
            let x = try call.x(0).numeric, values = try call.x(2), type = try call.type(2)
            guard let depth = Int(exactly: try call.number(1)), depth >= 0, values.count == 2 else { throw call.fail(.shape(values.shape, input: 2)) }
            let axis = try call.int("axis", -1), place = axis < 0 ? axis + x.rank + 1 : axis
            guard place >= 0, place <= x.rank else { throw call.fail(.badAttribute("axis")) }
            let classes = try NDArray.range(0, Double(depth), 1).reshaped(to: [depth] + [Int](repeating: 1, count: x.rank - place))
            // Classes below zero count from the end; others that no class has are left out.
            let known = try NDArray.select(NDArray.compare(.lt, .array(x), 0), .array(x + Double(depth)), .array(x)).expandedDims(place)
            let hits = try NDArray.compare(.eq, .array(known), .array(classes)), flat = try values.numeric.reshaped(to: [2])
            let (off, on) = (try flat.cut(0, 0, 1), try flat.cut(0, 1, 1))
            return [try call.fitted(NDArray.select(hits, .array(on.reshaped(to: [])), .array(off.reshaped(to: []))), type)]
        },
        OperatorRow("ArrayFeatureExtractor") { call in
            let x = try call.x(0), index = try call.x(1).reshaped(to: [call.x(1).count])
            let taken = try x.indexed(by: [.ellipsis, .array(index)])
            return try call.result(x.rank == 1 ? taken.reshaped(to: [1, index.count]) : taken)
        },
        OperatorRow("TensorScatter") { call in
            let past = try call.x(0), update = try call.x(1), axis = try call.axis(call.int("axis", -2), rank: past.rank)
            let starts = try call.has(2) ? call.wholes(2) : [Int](repeating: 0, count: past.shape[0]),
                isCircular = try call.text("mode", "linear") == "circular"
            guard update.rank == past.rank else { throw call.fail(.shape(update.shape, input: 1)) }
            let length = past.shape[axis], steps = update.shape[axis]
            guard starts.count == past.shape[0], axis > 0 else { throw call.fail(.shape(past.shape, input: 0)) }
            let places = try starts.flatMap { start in
                try (0..<steps).map { step -> Double in
                    let place = isCircular ? (start + step) % max(1, length) : start + step
                    guard place >= 0, place < length else { throw ArrayError.indexOutOfRange(index: place, axis: axis, size: length) }
                    return Double(place)
                }
            }
            var shape = [Int](repeating: 1, count: past.rank)
            (shape[0], shape[axis]) = (starts.count, steps)
            return try call.result(past.puttingAlong(NDArray(places, shape: shape), .array(update), axis: axis))
        },
    ]

    /// The last axis of positions, one array for each of its elements.
    private static func tuples(_ indices: NDArray, _ depth: Int) throws -> [NDArray] {
        try (0..<depth).map { try indices.cut(indices.rank - 1, $0, 1).squeezed([indices.rank - 1]) }
    }

    private static func scatterElements(_ name: String) -> OperatorRow {
        OperatorRow(name) { call in
            let x = try call.x(0), indices = try call.x(1), updates = try call.x(2), axis = try call.axis(call.int("axis", 0), rank: x.rank)
            guard indices.rank == x.rank, indices.shape == updates.shape else { throw call.fail(.shape(indices.shape, input: 1)) }
            let strides = Shapes.rowMajorStrides(x.shape), numbers = try indices.detached().toDoubles()
            var starts: [Int] = [], place = [Int](repeating: 0, count: x.rank)
            for number in numbers {
                guard let index = Int(exactly: number) else { throw call.fail(.notWhole(1, number)) }
                let known = index < 0 ? index + x.shape[axis] : index
                var start = 0
                for other in 0..<x.rank {
                    let position = other == axis ? known : place[other]
                    guard position >= 0, position < x.shape[other] else { throw ArrayError.indexOutOfRange(index: index, axis: other, size: x.shape[other]) }
                    start += position * strides[other]
                }
                starts.append(start)
                for other in (0..<x.rank).reversed() {
                    place[other] += 1
                    if place[other] < indices.shape[other] { break }
                    place[other] = 0
                }
            }
            return try call.result(scattered(x, starts, 1, updates.reshaped(to: [starts.count, 1]), call.text("reduction", "none"), call))
        }
    }

    /// A copy with rows of `chunk` elements written at flat positions, or joined with what is there; for one position in their order.
    private static func scattered(_ x: NDArray, _ starts: [Int], _ chunk: Int, _ updates: NDArray, _ reduction: String, _ call: NodeCall) throws -> NDArray {
        var flat = try x.numeric.reshaped(to: [x.count])
        func ranges(_ rows: [Int]) throws -> NDArray {
            try NDArray(rows.flatMap { row in (0..<chunk).map { Double(starts[row] + $0) } }, shape: [rows.count * chunk])
        }
        if reduction == "add" {
            let added = try updates.numeric.converted(to: flat.type).scatteredAdd(GatherIndices(starts: starts, chunk: chunk), shape: [x.count])
            return try (flat + added).reshaped(to: x.shape)
        }
        // Rounds in each of which no position comes twice.
        var rounds: [[Int]] = [], met: [Int: Int] = [:]
        for (row, start) in starts.enumerated() {
            let round = met[start, default: 0]
            met[start] = round + 1
            if round == rounds.count { rounds.append([]) }
            rounds[round].append(row)
        }
        for rows in rounds {
            try Interrupt.check()
            let places = try ranges(rows), count = places.count
            let new = try updates.numeric.converted(to: flat.type).gathered(GatherIndices(starts: rows.map { $0 * chunk }, chunk: chunk), shape: [count])
            let old = try flat.gathered(GatherIndices(starts: rows.map { starts[$0] }, chunk: chunk), shape: [count])
            let value: NDArray
            switch reduction {
            case "none": value = new
            case "mul": value = try old * new
            case "max": value = try NDArray.binary(.max, old, new)
            case "min": value = try NDArray.binary(.min, old, new)
            default: throw call.fail(.badAttribute("reduction"))
            }
            flat = try flat.puttingAlong(places, .array(value), axis: 0)
        }
        return try flat.reshaped(to: x.shape).converted(to: x.type)
    }

    // MARK: Joining and parting

    static let joins: [OperatorRow] = [
        OperatorRow("Concat") { call in
            let all = try call.all()
            guard let first = all.first else { throw call.fail(.missingInput(0)) }
            let axis = try call.version < 4 ? call.int("axis", 1) : call.int("axis")
            return try call.result(NDArray.concatenated(all, axis: call.axis(axis, rank: first.rank)))
        },
        OperatorRow("Split", settings: [1]) { call in
            let x = try call.x(0), axis = try call.axis(call.int("axis", 0), rank: x.rank), type = try call.type(0)
            let sizes = try (call.has(1) ? call.sizes(1) : call.sizes("split")) ?? evenly(x.shape[axis], call.int("num_outputs", call.outputs), call)
            return try parts(x, axis, sizes, call).map { .array($0, type) }
        },
    ]

    /// Of parts that do not come out even the last is smaller.
    static func evenly(_ size: Int, _ count: Int, _ call: NodeCall) throws -> [Int] {
        guard count > 0, count <= 1 << 20 else { throw call.fail(.badAttribute("num_outputs")) }
        let part = (size + count - 1) / count
        return (0..<count).map { max(0, min(part, size - $0 * part)) }
    }

    static func parts(_ x: NDArray, _ axis: Int, _ sizes: [Int], _ call: NodeCall) throws -> [NDArray] {
        var start = 0
        let result = try sizes.map { size -> NDArray in
            guard size >= 0, size <= x.shape[axis] - start else { throw call.fail(.badAttribute("split")) }
            defer { start += size }
            return try x.cut(axis, start, size)
        }
        guard start == x.shape[axis] else { throw call.fail(.badAttribute("split")) }
        return result
    }
}

extension NDArray {
    /// Some places in a row along one axis.
    func cut(_ axis: Int, _ start: Int, _ count: Int) throws -> NDArray {
        guard shape.indices.contains(axis) else { throw ArrayError.axisOutOfRange(axis: axis, rank: rank) }
        let size = shape[axis]
        guard start >= 0, count >= 0, start <= size, count <= size - start else {
            throw ArrayError.indexOutOfRange(index: start &+ count &- 1, axis: axis, size: size)
        }
        var ranges = shape.map { SliceRange(start: 0, step: 1, count: $0) }
        ranges[axis] = SliceRange(start: start, step: 1, count: count)
        return try sliced(ranges)
    }

    /// The elements at positions along one axis, whose axes take its place.
    func chosen(_ axis: Int, _ positions: NDArray) throws -> NDArray {
        try indexed(by: [NDArray.Index](repeating: .slice(start: nil, stop: nil, step: nil), count: axis) + [.array(positions)])
    }

    /// The first elements along every axis but one, as many as `other` has.
    fileprivate func window(like other: [Int], but axis: Int, _ call: NodeCall) throws -> NDArray {
        guard other.count == rank else { throw call.fail(.shape(other, input: 1)) }
        var result = self
        for place in 0..<rank where place != axis {
            guard other[place] <= shape[place] else { throw call.fail(.shape(other, input: 1)) }
            result = try result.cut(place, 0, other[place])
        }
        return result
    }
}
