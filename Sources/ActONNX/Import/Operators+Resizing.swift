// Images at other sizes and places: Resize and the operators that it replaced, sampling at a grid, regions of interest.

import ActArray
import ActNetwork
import ActNeural

extension ONNXOperators {
    static let resizings: [OperatorRow] = [
        OperatorRow("Resize", settings: [1, 2, 3]) { call in try resize(call) },
        OperatorRow("Upsample", settings: [1]) { call in
            let x = try call.x(0), scales = try call.has(1) ? call.x(1).detached().toDoubles() : call.floats("scales") ?? []
            guard scales.count == x.rank else { throw call.fail(.missingInput(1)) }
            let axes = Array(0..<x.rank), sizes = try axes.map { try side(x.shape[$0], scales[$0], .down, call) }
            var result = x
            let isLinear = try call.text("mode", "nearest") == "linear"
            for axis in axes where scales[axis] != 1 {
                let map = ResizeAxis(
                    size: x.shape[axis], target: sizes[axis], scale: scales[axis], transform: "asymmetric", isLinear ? .linear : .nearest("floor"))
                result = try result.resized(axis, map, call)
            }
            return try call.result(result)
        },
        OperatorRow("GridSample") { call in
            let x = try call.x(0), grid = try call.x(1), align = try call.flag("align_corners", false), text = try call.text("mode", "linear")
            guard let beyond = Sampling.Beyond(rawValue: try call.text("padding_mode", "zeros")) else { throw call.fail(.badAttribute("padding_mode")) }
            guard x.rank == 4, text == "nearest" || text == "linear" || text == "bilinear" else { throw call.lacks(.sampling(mode: text, axes: x.rank - 2)) }
            let mode: Sampling.Mode = text == "nearest" ? .nearest : .bilinear
            return try call.result(x.sampled(at: grid, mode, beyond: beyond, alignsCorners: align))
        },
        OperatorRow("AffineGrid", settings: [1]) { call in
            let theta = try call.x(0), sizes = try call.sizes(1), isAligned = try call.flag("align_corners", false), rank = sizes.count - 2
            guard theta.rank == 3, (2...3).contains(rank), theta.shape == [sizes[0], rank, rank + 1] else { throw call.fail(.shape(theta.shape, input: 0)) }
            let lines = try sizes.dropFirst(2).enumerated().map { axis, size -> NDArray in
                let n = Double(size), places = try NDArray.range(0, n, 1)
                let line = try isAligned ? places * (2 / max(1, n - 1)) - 1.0 : (places * 2.0 + 1.0) / n - 1.0
                var unit = [Int](repeating: 1, count: rank)
                unit[axis] = size
                return try line.reshaped(to: unit).broadcast(to: Array(sizes.dropFirst(2))).reshaped(to: [sizes.dropFirst(2).reduce(1, *)])
            }
            // x comes first among coordinates, and last among axes.
            let ones = try NDArray.full(1, shape: lines[0].shape, type: .f64),
                points = try NDArray.stacked(lines.reversed() + [ones], axis: 1).converted(to: theta.type)
            return try call.result(NDArray.matmul(points, theta.matrixTransposed()).reshaped(to: [sizes[0]] + sizes.dropFirst(2) + [rank]))
        },
    ]

    /// How long a side becomes.
    private static func side(_ size: Int, _ scale: Double, _ rule: FloatingPointRoundingRule, _ call: NodeCall) throws -> Int {
        let side = (Double(size) * scale).rounded(rule)
        guard scale > 0, side < 0x1p40 else { throw call.fail(.badAttribute("scales")) }
        return Int(side)
    }

    private static func resize(_ call: NodeCall) throws -> [GraphValue] {
        let x = try call.x(0), isOld = call.version < 11
        let scalesInput = isOld ? 1 : 2
        let axes = try (call.ints("axes") ?? Array(0..<x.rank)).map { try call.axis($0, rank: x.rank) }
        var scales = try call.has(scalesInput) ? call.x(scalesInput).detached().toDoubles() : []
        var sizes: [Int]
        if scales.isEmpty {
            guard call.has(3) else { throw call.fail(.missingInput(3)) }
            sizes = try call.sizes(3)
            guard sizes.count == axes.count, sizes.allSatisfy({ $0 >= 0 }) else { throw call.fail(.shape([sizes.count], input: 3)) }
            scales = zip(sizes, axes).map { Double($0) / Double(max(1, x.shape[$1])) }
            let policy = try call.text("keep_aspect_ratio_policy", "stretch")
            if policy != "stretch", let one = policy == "not_larger" ? scales.min() : scales.max() {
                scales = scales.map { _ in one }
                sizes = try axes.map { try side(x.shape[$0], one, .toNearestOrAwayFromZero, call) }
            }
        } else {
            guard scales.count == axes.count else { throw call.fail(.shape([scales.count], input: scalesInput)) }
            sizes = try zip(scales, axes).map { try side(x.shape[$1], $0, .down, call) }
        }
        let transform = isOld ? "asymmetric" : try call.text("coordinate_transformation_mode", "half_pixel")
        let mode: ResizeAxis.Mode
        switch try call.text("mode", "nearest") {
        case "nearest": mode = .nearest(isOld ? "floor" : try call.text("nearest_mode", "round_prefer_floor"))
        case "linear": mode = .linear
        case "cubic": mode = .cubic(try call.float("cubic_coeff_a", -0.75))
        default: throw call.fail(.badAttribute("mode"))
        }
        let region = try transform == "tf_crop_and_resize" && call.has(1) ? call.x(1).detached().toDoubles() : []
        guard region.isEmpty || region.count == 2 * axes.count else { throw call.fail(.shape([region.count], input: 1)) }
        let outside = try call.float("extrapolation_value", 0)
        var result = x
        for (place, axis) in axes.enumerated() {
            var map = ResizeAxis(size: x.shape[axis], target: sizes[place], scale: scales[place], transform: transform, mode)
            map.smooths = try call.flag("antialias", false)
            map.leavesOut = try call.flag("exclude_outside", false)
            if !region.isEmpty { (map.start, map.end, map.extrapolation) = (region[place], region[place + axes.count], outside) }
            // A size that stays still moves where a region is cut out.
            if sizes[place] == x.shape[axis], region.isEmpty, scales[place] == 1 { continue }
            result = try result.resized(axis, map, call)
        }
        return try call.result(result)
    }
}

/// Which elements along one axis make up each of those of another size, with which weights.
private struct ResizeAxis {
    enum Mode {
        case nearest(String)
        case linear
        case cubic(Double)
    }

    let size, target: Int
    let scale: Double
    let transform: String
    let mode: Mode
    /// When making smaller, a wider window that sees every element.
    var smooths = false
    /// Elements beyond the ends count nothing, and the others more; else the ends go on.
    var leavesOut = false
    var start = 0.0, end = 1.0, extrapolation: Double?

    init(size: Int, target: Int, scale: Double, transform: String, _ mode: Mode) {
        (self.size, self.target, self.scale, self.transform, self.mode) = (size, target, scale, transform, mode)
    }

    /// Where an element of the result lies among those there are.
    func source(_ place: Int) -> Double {
        let x = Double(place), from = Double(size), to = Double(target)
        switch transform {
        case "asymmetric": return x / scale
        case "align_corners": return target == 1 ? 0 : x * (from - 1) / (scale * from - 1)
        case "pytorch_half_pixel": return target > 1 ? (x + 0.5) / scale - 0.5 : 0
        case "half_pixel_symmetric":
            // The result's size is rounded down: what that cuts off is cut off at both ends.
            let ratio = to / (scale * from), middle = from / 2
            return middle * (1 - ratio) + (x + 0.5) / scale - 0.5
        case "tf_crop_and_resize":
            return target > 1 ? start * (from - 1) + x * (end - start) * (from - 1) / (to - 1) : (start + end) * (from - 1) / 2
        case "tf_half_pixel_for_nn": return (x + 0.5) / scale
        default: return (x + 0.5) / scale - 0.5
        }
    }

    /// Elements and weights; none where the place lies outside and has a value of its own.
    func taps(_ place: Int) -> (first: Int, weights: [Double])? {
        // Regions may be anything: what lies nowhere lies at 0.
        let given = source(place), x = given.isNaN ? 0 : max(-1e9, min(1e9, given))
        if extrapolation != nil, x < 0 || x > Double(size - 1) { return nil }
        // Wider by how much smaller the result is.
        let stretch = smooths && scale < 1 ? scale : 1
        switch mode {
        case .nearest(let rule):
            let near: Double =
                switch rule {
                case "round_prefer_ceil": (x + 0.5).rounded(.down)
                case "floor": x.rounded(.down)
                case "ceil": x.rounded(.up)
                default: (x - 0.5).rounded(.up)
                }
            return (Int(near), [1])
        case .linear: return window(x, reach: 1 / stretch) { max(0, 1 - ($0 * stretch).magnitude) }
        case .cubic(let a):
            return window(x, reach: 2 / stretch) { distance in
                let d = (distance * stretch).magnitude
                if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
                return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
            }
        }
    }

    private func window(_ x: Double, reach: Double, _ weight: (Double) -> Double) -> (Int, [Double]) {
        let first = Int((x - reach).rounded(.down)) + 1, last = max(first, Int((x + reach).rounded(.up)) - 1)
        var weights = (first...last).map { weight(x - Double($0)) }
        if leavesOut { for index in weights.indices where first + index < 0 || first + index >= size { weights[index] = 0 } }
        let sum = weights.reduce(0, +)
        return (first, sum == 0 ? weights : weights.map { $0 / sum })
    }
}

extension NDArray {
    fileprivate func resized(_ axis: Int, _ map: ResizeAxis, _ call: NodeCall) throws -> NDArray {
        guard map.size > 0 else { throw call.fail(.shape(shape, input: 0)) }
        let places = map.target
        if count == 0 {
            var sizes = shape
            sizes[axis] = places
            return try NDArray.full(0, shape: sizes, type: type)
        }
        _ = try Shapes.count([max(1, places), 64])
        // Of a window each element has a weight.
        let window = map.smooths && map.scale < 1 ? min(Double(map.size), 4 / map.scale) : 4
        try MemoryPool.allow(places &* (64 &+ 8 &* Int(window)))
        let taps = (0..<places).map(map.taps), width = taps.reduce(1) { max($0, $1?.weights.count ?? 1) }
        var result: NDArray?
        var unit = [Int](repeating: 1, count: rank)
        unit[axis] = places
        // One gather for each element of the window: few, and each a derivative that is known.
        for tap in 0..<width {
            try Interrupt.check()
            let positions = try NDArray(taps.map { Double(min(max(($0?.first ?? 0) + tap, 0), map.size - 1)) }, shape: [places])
            let weights = taps.map { tap < ($0?.weights.count ?? 0) ? $0?.weights[tap] ?? 0 : 0 }
            let taken = try chosen(axis, positions)
            if width == 1, weights.allSatisfy({ $0 == 1 }) { return taken }
            let part = try taken * NDArray(weights, shape: unit).converted(to: type == .f32 ? .f32 : .f64)
            result = try result.map { try $0 + part } ?? part
        }
        guard let result else { return self }
        guard let value = map.extrapolation else { return result }
        let inside = try NDArray(bools: taps.map { $0 != nil }, shape: unit)
        return try NDArray.select(inside, .array(result), .number(value))
    }
}
