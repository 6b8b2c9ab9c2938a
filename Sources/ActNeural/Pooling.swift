// The largest or the mean of each window of images (rows, channels, …) of 1 to 3 axes.
//
// What must stay true: of equal pixels the first wins, and the first NaN before all; pixels off the image never count for the largest.

import ActArray

extension NDArray {
    /// The largest element of each window.
    /// - Returns: `nil` where a window has no place, or would see no pixel.
    package func largestOfWindows(_ windows: Windows, ceil: Bool) throws -> NDArray? {
        guard let walk = try WindowWalk(self, windows, ceil: ceil) else { return nil }
        return try NDArray.custom(LargestOfWindows(windows, walk), inputs: [self], value: walk.largest(detached()))
    }

    /// Where the largest element of each window is: flat positions in this array.
    /// - Returns: `nil` where a window has no place, or would see no pixel.
    package func winnersOfWindows(_ windows: Windows, ceil: Bool) throws -> [Int]? {
        try WindowWalk(self, windows, ceil: ceil)?.winners(detached())
    }

    /// The mean of each window.
    /// - Parameter countsPadding: Whether zeros around the images count as elements; what a last window has beyond them never does.
    /// - Returns: `nil` where a window has no place, or has nothing to count.
    package func meanOfWindows(_ windows: Windows, ceil: Bool, countsPadding: Bool) throws -> NDArray? {
        guard rank == windows.rank + 2, let axes = windows.axes(over: Array(shape.dropFirst(2)), ceil: ceil) else { return nil }
        let counted = try axes.map { try $0.counted(withPadding: countsPadding) }
        if counted.contains(where: { !$0.some }) { return nil }
        let isWhole = axes.allSatisfy { $0.before == 0 && $0.overhang == 0 && $0.window == $0.stride && $0.dilation == 1 && $0.places * $0.window == $0.size }
        if isWhole, count > 0 { return try MeanOfWindows(shape, axes, area: windows.area).result(self) }
        if let array = try NDArray.shapeAlone(shape.prefix(2) + axes.map(\.places), type) { return array }
        // A convolution of each channel with equal weights.
        let channels = shape[1], isEven = counted.allSatisfy(\.all)
        let weights = try NDArray.full(isEven ? 1 / Double(windows.area) : 1, shape: [channels, 1] + windows.window, type: type)
        guard channels > 0 else { return try NDArray.full(0, shape: shape.prefix(2) + axes.map(\.places), type: type) }
        guard let shape = try ConvolutionShape(images: shape, weights: weights.shape, axes, groups: channels) else { return nil }
        var result = try Convolution.result(self, weights, shape)
        if isEven { return result }
        for (index, axis) in axes.enumerated() {
            try MemoryPool.allow(axis.places &* MemoryLayout<Double>.stride)
            let shares = (0..<axis.places).map { 1 / Double(axis.counted(from: $0, withPadding: countsPadding)) }
            let along = try NDArray(shares, shape: [axis.places] + [Int](repeating: 1, count: axes.count - 1 - index))
            result = try result * along.converted(to: type)
        }
        return result
    }
}

/// The largest pixel of each window. What reaches a window goes to the pixel that won.
private final class LargestOfWindows: CustomFunction {
    private let windows: Windows
    private let walk: WindowWalk
    let name = "max_pool", isElementwise = false

    init(_ windows: Windows, _ walk: WindowWalk) { (self.windows, self.walk) = (windows, walk) }

    var attributes: [Attribute] {
        let axes = [walk.z, walk.y, walk.x].suffix(windows.rank)
        return [
            Attribute("size", windows.window), Attribute("stride", axes.map(\.stride)), Attribute("padding", axes.flatMap { [$0.before, $0.after] }),
            Attribute("dilation", axes.map(\.dilation)),
        ]
    }

    func pullback(cotangent c: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        let images = try inputs[0].detached()
        if !c.isTraced, let gradient = try walk.handedBack(c, images) { return [gradient] }
        return [try c.scatteredAdd(GatherIndices(starts: walk.winners(images), chunk: 1), shape: images.shape)]
    }

    /// The windows side by side, reduced. (Where two pixels tie, the derivative of this is shared between them.)
    func lowered(_ x: [NDArray]) throws -> NDArray? {
        let windows = try x[0].gathered(GatherIndices(starts: walk.positions, chunk: 1), shape: walk.result + [walk.window])
        return try windows.reduced(.max, axes: [walk.result.count])
    }
}

/// The mean of each window where windows lie side by side and cover the images. What reaches a window is shared out over its pixels.
private final class MeanOfWindows: CustomFunction {
    private let shape: [Int]
    private let axes: [WindowAxis]
    /// Planes, and the axes before the last two, that one, and the last.
    private let planes: Int
    private let z, y, x: WindowAxis
    private let area: Int
    let name = "avg_pool", isElementwise = false

    init(_ shape: [Int], _ axes: [WindowAxis], area: Int) throws {
        (self.shape, self.axes, self.area) = (shape, axes, area)
        planes = try Shapes.count(Array(shape.prefix(2)))
        let all = [WindowAxis](repeating: .none, count: 3 - axes.count) + axes
        (z, y, x) = (all[0], all[1], all[2])
    }

    var attributes: [Attribute] { [Attribute("size", axes.map(\.window))] }

    func lowered(_ inputs: [NDArray]) throws -> NDArray? { try composed(inputs[0]) }

    private func composed(_ images: NDArray) throws -> NDArray {
        let sides = axes.flatMap { [$0.places, $0.window] }
        return try images.reshaped(to: shape.prefix(2) + sides).mean(axes: axes.indices.map { 2 * $0 + 3 })
    }

    func result(_ images: NDArray) throws -> NDArray {
        if let array = try NDArray.shapeAlone(shape.prefix(2) + axes.map(\.places), images.type) { return array }
        if let result = try resultWithoutElements([images]) { return result }
        // Sums of many elements are carried beyond the element type.
        if area > 256 { return try composed(images) }
        guard let value = images.type == .f32 ? try means(images, Float.self) : try means(images, Double.self) else { return try composed(images) }
        return try NDArray.custom(self, inputs: [images], value: value)
    }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        if cotangent.isTraced || inputs[0].isTraced { return try loweredPullback(cotangent, inputs) }
        return [cotangent.type == .f32 ? try shares(cotangent, Float.self) : try shares(cotangent, Double.self)]
    }

    /// Calls `body` with each line of pixels along the last axis and the line of means that it belongs to, in order for each of those; some
    /// planes on each thread.
    /// - Returns: whether no number overflowed or was undefined.
    @discardableResult
    private func everyLine(_ body: (_ pixels: Int, _ means: Int, _ isFirst: Bool, _ isLast: Bool) -> Void) throws -> Bool {
        let lines = z.size &* y.size, part = max(1, (1 << 15) / max(1, lines &* x.size))
        return try ThreadPool.parallelIsUsual((planes + part - 1) / part) { index in
            for plane in index * part..<min(planes, (index + 1) * part) {
                try Interrupt.check()
                for depth in 0..<z.size {
                    for row in 0..<y.size {
                        let line = (plane &* z.places &+ depth / z.window) &* y.places &+ row / y.window
                        let (k, i) = (depth % z.window, row % y.window)
                        let isLast = k == z.window &- 1 && i == y.window &- 1
                        body((plane &* lines &+ depth &* y.size &+ row) &* x.size, line &* x.places, k == 0 && i == 0, isLast)
                    }
                }
            }
        }
    }

    /// - Returns: `nil` where a number overflowed or was undefined.
    private func means<T: BinaryFloatingPoint>(_ images: NDArray, _: T.Type) throws -> NDArray? {
        let value = try FreshArray(shape: shape.prefix(2) + axes.map(\.places), type: images.type), means = value.elements(of: T.self)
        let (window, places, area) = (x.window, x.places, T(area))
        let isUsual = try images.detached().withContiguous(of: T.self) { pixels in
            guard let pixels = pixels.baseAddress else { return true }
            return try everyLine { pixel, mean, isFirst, isLast in
                let from = pixels + pixel, to = means + mean
                for place in 0..<places {
                    var sum = isFirst ? 0 : to[place]
                    for k in 0..<window { sum += from[place &* window &+ k] }
                    to[place] = isLast ? sum / area : sum
                }
            }
        }
        return isUsual ? value.finished() : nil
    }

    private func shares<T: BinaryFloatingPoint>(_ cotangent: NDArray, _: T.Type) throws -> NDArray {
        let value = try FreshArray(shape: shape, type: cotangent.type), pixels = value.elements(of: T.self)
        let (window, places, area) = (x.window, x.places, T(area))
        try cotangent.withContiguous(of: T.self) { means in
            guard let means = means.baseAddress else { return }
            try everyLine { pixel, mean, _, _ in
                let from = means + mean, to = pixels + pixel
                for place in 0..<places {
                    let share = from[place] / area
                    for k in 0..<window { to[place &* window &+ k] = share }
                }
            }
        }
        return value.finished()
    }
}
