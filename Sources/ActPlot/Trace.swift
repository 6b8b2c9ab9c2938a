// The way of a line through a drawing area, thinned to what can be seen and clipped to the frame. Shared by all renderers.

/// A place in a drawing area, in dots or pixels from its top left corner.
struct Point: Equatable {
    var x, y: Double

    static let gap = Point(x: .nan, y: .nan)

    var isGap: Bool { x.isNaN }
}

/// A drawing area of `width` × `height` dots or pixels under a pair of scales.
struct Area {
    let x, y: Scale
    let width, height: Double

    @inline(__always)
    func point(_ px: Double, _ py: Double) -> Point {
        let (left, up) = (x.position(px), y.position(py))
        return left.isNaN || up.isNaN ? .gap : Point(x: left * width, y: (1 - up) * height)
    }

    /// The way of a line. Of successive points in one column only the first, lowest, highest and last are kept, which draws the same
    /// picture; so the result is small for data of any length whose x does not jump about.
    func trace(_ xs: [Double], _ ys: [Double]) -> Trace {
        var points: [Point] = []
        var run = Run()
        for (px, py) in watched(zip(xs, ys)) {
            let next = point(px, py)
            if next.isGap {
                run.flush(into: &points)
                if let last = points.last, !last.isGap { points.append(.gap) }
            } else {
                // All that lies beyond a side counts as one column.
                let column = Int(min(max(next.x.rounded(), -1), width + 1))
                if run.count > 0 && run.column != column { run.flush(into: &points) }
                run.add(next, column)
            }
        }
        run.flush(into: &points)
        return Trace(points: points)
    }

    /// The part of a segment inside the area and a `margin` around it, or nil.
    func clipped(_ a: Point, _ b: Point, margin: Double = 0) -> (Point, Point)? {
        // Liang–Barsky: the parameters at which the segment enters and leaves.
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        var (enter, leave) = (0.0, 1.0)
        for (delta, distance) in [
            (-dx, a.x + margin), (dx, width + margin - a.x), (-dy, a.y + margin), (dy, height + margin - a.y),
        ] {
            if delta == 0 {
                if distance < 0 { return nil }
            } else if delta < 0 {
                enter = max(enter, distance / delta)
            } else {
                leave = min(leave, distance / delta)
            }
        }
        guard enter <= leave else { return nil }
        func at(_ t: Double) -> Point { Point(x: a.x + t * dx, y: a.y + t * dy) }
        return (enter == 0 ? a : at(enter), leave == 1 ? b : at(leave))
    }

    func contains(_ point: Point) -> Bool {
        point.x >= 0 && point.x <= width && point.y >= 0 && point.y <= height
    }
}

/// The points of a line in order, with single gaps between its pieces.
struct Trace {
    let points: [Point]

    /// The points that stand alone between gaps.
    var lonePoints: [Point] {
        watched(points.indices).filter { index in
            !points[index].isGap && (index == 0 || points[index - 1].isGap) && (index + 1 == points.count || points[index + 1].isGap)
        }.map { points[$0] }
    }

    /// Without the points that lie on the way between others, but for `tolerance`.
    func simplified(within tolerance: Double) -> Trace {
        var kept: [Point] = []
        var anchor = Point.gap, last = Point.gap
        // From the anchor the line may go on between two directions, which pass all points since at no more than `tolerance`.
        var low = Point.gap, high = Point.gap
        func cross(_ a: Point, _ b: Point) -> Double { a.x * b.y - a.y * b.x }
        func finish() {
            if !last.isGap, last != anchor { kept.append(last) }
            (anchor, last, low, high) = (.gap, .gap, .gap, .gap)
        }
        for point in watched(points) {
            if point.isGap {
                finish()
                kept.append(point)
                continue
            }
            if anchor.isGap {
                kept.append(point)
                (anchor, last) = (point, point)
                continue
            }
            let way = Point(x: point.x - anchor.x, y: point.y - anchor.y), before = Point(x: last.x - anchor.x, y: last.y - anchor.y)
            let goesOn = way.x * before.x + way.y * before.y >= before.x * before.x + before.y * before.y
            if !goesOn || !low.isGap && (cross(low, way) < 0 || cross(way, high) < 0) {
                kept.append(last)
                (anchor, low, high) = (last, .gap, .gap)
            }
            last = point
            let step = Point(x: point.x - anchor.x, y: point.y - anchor.y)
            let length = (step.x * step.x + step.y * step.y).squareRoot()
            guard length > tolerance else { continue }
            let aside = Point(x: -step.y / length * tolerance, y: step.x / length * tolerance)
            let right = Point(x: step.x - aside.x, y: step.y - aside.y), left = Point(x: step.x + aside.x, y: step.y + aside.y)
            if low.isGap || cross(low, right) > 0 { low = right }
            if high.isGap || cross(left, high) > 0 { high = left }
        }
        finish()
        return Trace(points: kept)
    }

    /// Hands over each segment, and whether a piece begins with it. A point alone between gaps is a segment from itself to itself.
    func forEachSegment(_ body: (_ from: Point, _ to: Point, _ isStart: Bool) -> Void) {
        for (index, point) in watched(points.enumerated()) where !point.isGap {
            let followsGap = index == 0 || points[index - 1].isGap
            if !followsGap {
                body(points[index - 1], point, index == 1 || points[index - 2].isGap)
            } else if index + 1 == points.count || points[index + 1].isGap {
                body(point, point, true)
            }
        }
    }
}

/// Successive points of one column.
private struct Run {
    private(set) var column = 0
    private(set) var count = 0
    private var first = Point.gap, last = Point.gap
    private var lowest = Point.gap, highest = Point.gap
    private var lowestIndex = 0, highestIndex = 0

    @inline(__always)
    mutating func add(_ point: Point, _ column: Int) {
        if count == 0 {
            self.column = column
            (first, lowest, highest) = (point, point, point)
            (lowestIndex, highestIndex) = (0, 0)
        } else if point.y > lowest.y {
            (lowest, lowestIndex) = (point, count)
        } else if point.y < highest.y {
            (highest, highestIndex) = (point, count)
        }
        last = point
        count &+= 1
    }

    mutating func flush(into points: inout [Point]) {
        guard count > 0 else { return }
        points.append(first)
        let isLowestFirst = lowestIndex < highestIndex
        let (early, late) = isLowestFirst ? (lowest, highest) : (highest, lowest)
        let (earlyIndex, lateIndex) = isLowestFirst ? (lowestIndex, highestIndex) : (highestIndex, lowestIndex)
        if earlyIndex > 0 && earlyIndex < count - 1 { points.append(early) }
        if lateIndex > earlyIndex && lateIndex < count - 1 { points.append(late) }
        if count > 1 { points.append(last) }
        count = 0
    }
}
