// How windows go over images: plane by plane, line by line; where the largest element of each is.
//
// What must stay true: of equal pixels the first wins, and the first NaN before all; pixels off the image never count for the largest.

import ActArray

extension WindowAxis {
    /// How many elements of the window count at a place.
    package func counted(from place: Int, withPadding: Bool) -> Int {
        guard withPadding else { return seen(from: place).count }
        let room = size + before + after - place * stride
        return min(window, max(0, (room + dilation - 1) / dilation))
    }

    /// Whether every window counts some elements, and whether every one counts all of its elements.
    func counted(withPadding: Bool) throws -> (some: Bool, all: Bool) {
        var all = (some: true, all: true)
        guard places > 0 else { return all }
        func look(_ place: Int) {
            let count = counted(from: place, withPadding: withPadding)
            all = (all.some && count > 0, all.all && count == window)
        }
        // Without dilation a window at one of the ends counts the fewest.
        let (first, last) = dilation == 1 ? (min(places, 1), max(1, places - 1)) : (whole.lowerBound, whole.upperBound)
        for range in [0..<first, max(first, last)..<places] where !range.isEmpty {
            try Interrupt.forEachPiece(range.count, of: 1 << 16) { piece in for place in piece { look(range.lowerBound + place) } }
        }
        return all
    }

    /// Places whose windows lie on the image whole.
    fileprivate var whole: Range<Int> {
        let first = min(places, (before + stride - 1) / stride), room = size + before - (window - 1) * dilation - 1
        return room < 0 ? first..<first : first..<max(first, min(places, room / stride + 1))
    }
}

/// How windows go over images of some shape.
struct WindowWalk {
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

    /// How windows go whose largest element is looked for; `nil` where one has no place, or would see no pixel.
    init?(_ images: NDArray, _ windows: Windows, ceil: Bool) throws {
        guard images.rank == windows.rank + 2, let axes = windows.axes(over: Array(images.shape.dropFirst(2)), ceil: ceil) else { return nil }
        for axis in axes where try !axis.counted(withPadding: false).some { return nil }
        try self.init(images.shape, axes)
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

    /// Where the largest element of each window is.
    func winners(_ images: NDArray) throws -> [Int] {
        let total = try Shapes.count(result)
        try MemoryPool.allow(total * MemoryLayout<Int>.size)
        return try [Int](unsafeUninitializedCapacity: total) { winners, count in
            guard let all = winners.baseAddress else { return }
            func run<T: BinaryFloatingPoint>(_: T.Type) throws {
                try everyPlane(images, T.self) { plane, pixels, distances in
                    try everyLine(plane) { line in try fill(all + line.first, line, pixels, distances) }
                }
            }
            if images.type == .f32 { try run(Float.self) } else { try run(Double.self) }
            count = total
        }
    }

    /// The largest element of each window.
    func largest(_ images: NDArray) throws -> NDArray {
        if let array = try NDArray.shapeAlone(result, images.type) { return array }
        let value = try FreshArray(shape: result, type: images.type), bytes = value.bytes
        func run<T: BinaryFloatingPoint & RowElement>(_: T.Type) throws {
            let largest = bytes.assumingMemoryBound(to: T.self)
            try everyPlane(images, T.self) { plane, pixels, distances in
                try fillWhole(plane, pixels, distances, largest)
                try everyLine(plane) { line in
                    let target = largest + line.first
                    for a in 0..<x.places where !line.whole.contains(a) { target[a] = pixels[largestSeen(line, a, pixels, distances)] }
                }
            }
        }
        if images.type == .f32 { try run(Float.self) } else { try run(Double.self) }
        return value.finished()
    }

    /// What reaches the windows goes to the pixels that won, in the order of windows.
    /// - Returns: `nil` where a number overflowed or was undefined.
    func handedBack(_ cotangent: NDArray, _ images: NDArray) throws -> NDArray? {
        let value = try FreshArray(shape: images.shape, type: images.type), bytes = value.bytes, size = pixels
        func run<T: BinaryFloatingPoint>(_: T.Type) throws -> Bool {
            let gradient = bytes.assumingMemoryBound(to: T.self)
            return try cotangent.withContiguous(of: T.self) { reached in
                try everyPlane(images, T.self) { plane, pixels, distances in
                    (gradient + plane &* size).update(repeating: 0, count: size)
                    try withUnsafeTemporaryAllocation(of: Int.self, capacity: x.places) { winners in
                        guard let winners = winners.baseAddress else { return }
                        try everyLine(plane) { line in
                            try fill(winners, line, pixels, distances)
                            for a in 0..<x.places { gradient[winners[a]] += reached[line.first &+ a] }
                        }
                    }
                }
            }
        }
        let isUsual = images.type == .f32 ? try run(Float.self) : try run(Double.self)
        return isUsual ? value.finished() : nil
    }

    private var pixels: Int { z.size * y.size * x.size }

    /// A line of windows along the last axis.
    private struct Line {
        let depth, row: Int
        /// The flat positions of the first element of the first window, and of the first window.
        let corner, first: Int
        /// The windows that lie on the image whole.
        let whole: Range<Int>
    }

    /// Calls `body` with every plane, some of them on each thread: its number, all elements, and how far those of a window lie from its first.
    /// - Returns: whether no number overflowed or was undefined.
    @discardableResult
    private func everyPlane<T: BinaryFloatingPoint>(
        _ images: NDArray, _: T.Type, _ body: (Int, UnsafePointer<T>, UnsafeBufferPointer<Int>) throws -> Void
    ) throws -> Bool {
        try MemoryPool.allow(window * MemoryLayout<Int>.size)
        return try images.withContiguous(of: T.self) { pixels in
            guard let pixels = pixels.baseAddress else { return true }
            return try distances.withUnsafeBufferPointer { distances in
                // Waking threads for one small plane would take longer than it does.
                let part = max(1, Int(0x1p14 / max(1, Double(places) * Double(window))))
                return try ThreadPool.parallelIsUsual((planes + part - 1) / part) { index in
                    for plane in index * part..<min(planes, (index + 1) * part) { try body(plane, pixels, distances) }
                }
            }
        }
    }

    private func everyLine(_ plane: Int, _ body: (Line) throws -> Void) throws {
        let (wholeZ, wholeY, wholeX) = (z.whole, y.whole, x.whole), start = plane &* pixels
        var next = plane &* places
        for c in 0..<z.places {
            for b in 0..<y.places {
                try Interrupt.check()
                let whole = wholeZ.contains(c) && wholeY.contains(b) ? wholeX : 0..<0
                try body(Line(depth: c, row: b, corner: start &+ corner(c, b, 0), first: next, whole: whole))
                next &+= x.places
            }
        }
    }

    /// The winners of a line.
    private func fill<T: BinaryFloatingPoint>(
        _ winners: UnsafeMutablePointer<Int>, _ line: Line, _ pixels: UnsafePointer<T>, _ distances: UnsafeBufferPointer<Int>
    ) throws {
        let whole = line.whole
        try Interrupt.forEachPiece(whole.count, of: max(1, WindowWalk.work / distances.count)) { piece in
            let piece = whole.lowerBound &+ piece.lowerBound..<whole.lowerBound &+ piece.upperBound
            WindowWalk.fillLine(winners, piece, line.corner, pixels, distances, stride: x.stride)
        }
        for a in 0..<x.places where !line.whole.contains(a) { winners[a] = largestSeen(line, a, pixels, distances) }
    }

    /// The winners of a line's whole windows. Which pixel wins cannot be foretold, so there is no jump in the innermost loop.
    private static func fillLine<T: BinaryFloatingPoint>(
        _ winners: UnsafeMutablePointer<Int>, _ places: Range<Int>, _ corner: Int, _ pixels: UnsafePointer<T>, _ distances: UnsafeBufferPointer<Int>,
        stride: Int
    ) {
        guard let distance = distances.baseAddress else { return }
        let count = distances.count
        for a in places {
            let corner = corner &+ a &* stride
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

    /// The largest element of each window of a plane that lies on the image whole.
    private func fillWhole<T: RowElement>(
        _ plane: Int, _ pixels: UnsafePointer<T>, _ distances: UnsafeBufferPointer<Int>, _ largest: UnsafeMutablePointer<T>
    ) throws {
        let (rows, columns) = (y.whole, x.whole)
        guard !rows.isEmpty, !columns.isEmpty else { return }
        // Parts last less than a millisecond or so, that an interrupt is heard.
        let width = max(1, WindowWalk.work / distances.count), height = max(1, width / columns.count)
        for c in z.whole {
            for b in stride(from: rows.lowerBound, to: rows.upperBound, by: height) {
                for a in stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
                    try Interrupt.check()
                    let lines = Lines(
                        first: pixels + (plane &* self.pixels &+ corner(c, b, a)), step: x.stride, line: y.stride &* x.size,
                        rows: min(height, rows.upperBound &- b), count: min(width, columns.upperBound &- a))
                    let first = ((plane &* z.places &+ c) &* y.places &+ b) &* x.places &+ a
                    T.largest(lines, distances, largest + first, line: x.places)
                }
            }
        }
    }

    /// Pixels between two looks at the interrupt flag.
    private static let work = 1 << 20

    /// Of a window that is not whole.
    @inline(never)
    private func largestSeen<T: BinaryFloatingPoint>(_ line: Line, _ a: Int, _ pixels: UnsafePointer<T>, _ distances: UnsafeBufferPointer<Int>) -> Int {
        let corner = line.corner &+ a &* x.stride
        var best = -1, largest = -T.infinity
        forEachSeen(line.depth, line.row, a) {
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
