// The largest or the mean of each window of images (rows, channels, …) of 1 to 3 axes.
//
// What must stay true: of equal pixels the first wins, and the first NaN before all; pixels off the image never count for the largest.

import ActArray

extension NDArray {
    /// The largest element of each window, and where it is: flat positions in this array.
    /// - Returns: `nil` where a window has no place, or would see no pixel.
    package func largestOfWindows(_ windows: Windows, ceil: Bool) throws -> (largest: NDArray, winners: [Int])? {
        guard rank == windows.rank + 2, let axes = windows.axes(over: Array(shape.dropFirst(2)), ceil: ceil) else { return nil }
        for axis in axes { for place in [0, axis.places - 1] where axis.places > 0 && axis.seen(from: place).isEmpty { return nil } }
        let walk = try WindowWalk(shape, axes), x = try detached()
        let winners = x.type == .f32 ? try walk.winners(x, Float.self) : try walk.winners(x, Double.self)
        let value = try x.gathered(GatherIndices(starts: winners, chunk: 1), shape: walk.result)
        return (try NDArray.custom(LargestOfWindows(winners, windows, walk), inputs: [self], value: value), winners)
    }

    /// The mean of each window.
    /// - Parameter countsPadding: Whether zeros around the images count as elements; what a last window has beyond them never does.
    /// - Returns: `nil` where a window has no place, or has nothing to count.
    package func meanOfWindows(_ windows: Windows, ceil: Bool, countsPadding: Bool) throws -> NDArray? {
        guard rank == windows.rank + 2, let axes = windows.axes(over: Array(shape.dropFirst(2)), ceil: ceil) else { return nil }
        let counts = axes.map { axis in (0..<axis.places).map { axis.counted(from: $0, withPadding: countsPadding) } }
        if counts.contains(where: { $0.contains(0) }) { return nil }
        let isWhole = axes.allSatisfy { $0.before == 0 && $0.overhang == 0 && $0.window == $0.stride && $0.dilation == 1 && $0.places * $0.window == $0.size }
        if isWhole, count > 0 { return try MeanOfWindows(shape, axes, area: windows.area).result(self) }
        // A convolution of each channel with equal weights.
        let channels = shape[1], isEven = zip(counts, axes).allSatisfy { counts, axis in counts.allSatisfy { $0 == axis.window } }
        let weights = try NDArray.full(isEven ? 1 / Double(windows.area) : 1, shape: [channels, 1] + windows.window, type: type)
        guard channels > 0 else { return try NDArray.full(0, shape: shape.prefix(2) + axes.map(\.places), type: type) }
        guard let shape = try ConvolutionShape(images: shape, weights: weights.shape, axes, groups: channels) else { return nil }
        var result = try Convolution.result(self, weights, shape)
        if isEven { return result }
        for (index, counts) in counts.enumerated() {
            let shares = try NDArray(counts.map { 1 / Double($0) }, shape: [counts.count] + [Int](repeating: 1, count: axes.count - 1 - index))
            result = try result * shares.converted(to: type)
        }
        return result
    }
}

extension WindowAxis {
    /// How many elements of the window count at a place.
    package func counted(from place: Int, withPadding: Bool) -> Int {
        guard withPadding else { return seen(from: place).count }
        let room = size + before + after - place * stride
        return min(window, max(0, (room + dilation - 1) / dilation))
    }

    /// Places whose windows lie on the image whole.
    fileprivate var whole: Range<Int> {
        let first = min(places, (before + stride - 1) / stride), room = size + before - (window - 1) * dilation - 1
        return room < 0 ? first..<first : first..<max(first, min(places, room / stride + 1))
    }
}

/// How windows go over images of some shape.
private struct WindowWalk {
    let planes: Int
    let z, y, x: WindowAxis
    let result: [Int]

    init(_ shape: [Int], _ axes: [WindowAxis]) throws {
        result = shape.prefix(2) + axes.map(\.places)
        planes = try Shapes.count(Array(shape.prefix(2)))
        let all = [WindowAxis](repeating: .none, count: 3 - axes.count) + axes
        (z, y, x) = (all[0], all[1], all[2])
        for sizes in [all.map(\.size), all.map(\.places), all.map(\.window)] { _ = try Shapes.count(sizes.map { max(1, $0) }) }
    }

    var window: Int { z.window * y.window * x.window }
    var places: Int { z.places * y.places * x.places }

    /// Where the first element of a window is, or would be; flat, in one plane.
    @inline(__always)
    private func corner(_ c: Int, _ b: Int, _ a: Int) -> Int {
        ((c &* z.stride &- z.before) &* y.size &+ b &* y.stride &- y.before) &* x.size &+ a &* x.stride &- x.before
    }

    /// How far the elements of a window lie from its first one.
    private var distances: [Int] {
        (0..<z.window).flatMap { k in
            (0..<y.window).flatMap { i in (0..<x.window).map { ((k * z.dilation) * y.size + i * y.dilation) * x.size + $0 * x.dilation } }
        }
    }

    func winners<T: BinaryFloatingPoint>(_ array: NDArray, _: T.Type) throws -> [Int] {
        let places = places, total = try Shapes.count(result), pixels = z.size * y.size * x.size
        // Positions, and the distances in a window.
        try MemoryPool.allow((total + window) * MemoryLayout<Int>.size)
        let distances = distances
        return try array.withContiguous(of: T.self) { array in
            try [Int](unsafeUninitializedCapacity: total) { winners, count in
                let winners = winners.baseAddress
                // Some planes at a time: waking threads for one small plane would take longer than it does.
                let part = max(1, Int(0x1p14 / max(1, Double(places) * Double(window))))
                try ThreadPool.parallel((planes + part - 1) / part) { index in
                    for plane in index * part..<min(planes, (index + 1) * part) {
                        guard let winners else { return }
                        try fill(winners + plane * places, array, from: plane * pixels, distances)
                    }
                }
                count = total
            }
        }
    }

    private func fill<T: BinaryFloatingPoint>(
        _ winners: UnsafeMutablePointer<Int>, _ pixels: UnsafeBufferPointer<T>, from start: Int, _ distances: [Int]
    ) throws {
        let (wholeZ, wholeY, wholeX) = (z.whole, y.whole, x.whole)
        var next = 0
        try distances.withUnsafeBufferPointer { distances in
            for c in 0..<z.places {
                for b in 0..<y.places {
                    try Interrupt.check()
                    let whole = wholeZ.contains(c) && wholeY.contains(b) ? wholeX : 0..<0
                    let line = winners + next
                    if !whole.isEmpty { WindowWalk.fillLine(line, whole, pixels, start &+ corner(c, b, 0), x.stride, distances) }
                    for a in 0..<x.places {
                        let isSettled = whole.contains(a) && !pixels[line[a]].isNaN
                        if !isSettled { line[a] = largestSeen(c, b, a, pixels, start &+ corner(c, b, a), distances) }
                    }
                    next &+= x.places
                }
            }
        }
    }

    /// The winners of a line's whole windows, without regard to NaN but that one never loses. Which pixel wins cannot be foretold, so there is
    /// no jump in the innermost loop.
    private static func fillLine<T: BinaryFloatingPoint>(
        _ winners: UnsafeMutablePointer<Int>, _ places: Range<Int>, _ all: UnsafeBufferPointer<T>, _ first: Int, _ stride: Int,
        _ distances: UnsafeBufferPointer<Int>
    ) {
        guard let pixels = all.baseAddress, let distance = distances.baseAddress else { return }
        let count = distances.count
        for a in places {
            let corner = first &+ a &* stride
            var best = corner, largest = pixels[corner]
            var index = 1
            while index < count {
                let place = corner &+ distance[index], pixel = pixels[place]
                let loses = pixel <= largest || largest.isNaN
                best = loses ? best : place
                largest = loses ? largest : pixel
                index &+= 1
            }
            winners[a] = best
        }
    }

    /// Of a window that is not whole, or has a NaN in it.
    @inline(never)
    private func largestSeen<T: BinaryFloatingPoint>(
        _ c: Int, _ b: Int, _ a: Int, _ pixels: UnsafeBufferPointer<T>, _ corner: Int, _ distances: UnsafeBufferPointer<Int>
    ) -> Int {
        var best = -1, largest = -T.infinity
        forEachSeen(c, b, a) {
            let place = corner &+ distances[$0], pixel = pixels[place]
            if best < 0 || pixel > largest || pixel.isNaN && !largest.isNaN { (best, largest) = (place, pixel) }
        }
        return best
    }

    /// The elements of a window that lie on the image, by their number.
    private func forEachSeen(_ c: Int, _ b: Int, _ a: Int, _ body: (Int) -> Void) {
        let (columns, rows) = (x.seen(from: a), y.seen(from: b))
        for k in z.seen(from: c) { for i in rows { for j in columns { body((k &* y.window &+ i) &* x.window &+ j) } } }
    }

    /// For every place the positions of a window's elements; one off the image stands for the first that is on it, beside which it changes nothing.
    var positions: [Int] {
        let distances = distances
        var positions: [Int] = []
        for plane in 0..<planes {
            for c in 0..<z.places {
                for b in 0..<y.places {
                    for a in 0..<x.places {
                        let corner = plane * z.size * y.size * x.size + corner(c, b, a)
                        var seen: [Int?] = Array(repeating: nil, count: window)
                        forEachSeen(c, b, a) { seen[$0] = corner + distances[$0] }
                        let first = seen.lazy.compactMap { $0 }.first ?? 0
                        positions += seen.map { $0 ?? first }
                    }
                }
            }
        }
        return positions
    }
}

/// The largest pixel of each window. What reaches a window goes to the pixel that won.
private final class LargestOfWindows: CustomFunction {
    private let winners: [Int]
    private let windows: Windows
    private let walk: WindowWalk
    let name = "max_pool", isElementwise = false

    init(_ winners: [Int], _ windows: Windows, _ walk: WindowWalk) { (self.winners, self.windows, self.walk) = (winners, windows, walk) }

    var attributes: [Attribute] {
        let axes = [walk.z, walk.y, walk.x].suffix(windows.rank)
        return [
            Attribute("size", windows.window), Attribute("stride", axes.map(\.stride)), Attribute("padding", axes.flatMap { [$0.before, $0.after] }),
            Attribute("dilation", axes.map(\.dilation)),
        ]
    }

    func pullback(cotangent c: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        [try c.scatteredAdd(GatherIndices(starts: winners, chunk: 1), shape: inputs[0].shape)]
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
