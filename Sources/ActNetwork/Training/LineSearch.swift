// How far to go along a direction: to a point where the loss has fallen enough and its slope is flat enough (the strong Wolfe conditions).
// Points are bracketed, then tried where a cubic through two of them is least. (J. Nocedal, S. Wright, "Numerical Optimization", 3.5; numbers
// and order of trials are PyTorch's.)
//
// What must stay true: it ends after `most` evaluations, whatever the loss does; what is not finite counts as too far.

struct LineSearch {
    /// A step length, the loss and its slope along the direction there.
    struct Point {
        var length, loss, slope: Double
    }

    private static let most = 25
    /// How much of the first slope the loss must fall by, and how much of it may be left.
    private static let fall = 1e-4, flat = 0.9
    private static let leastMove = 1e-9

    /// - Parameters:
    ///   - start: Where the search begins: length 0, a negative slope.
    ///   - length: The first to be tried.
    ///   - reach: The largest number in the direction.
    /// - Returns: A length at which the loss is not above that of the start.
    static func length(from start: Point, trying length: Double, reach: Double, _ evaluate: (Double) throws -> Point) throws -> Double {
        func look(_ length: Double) throws -> Point {
            var point = try evaluate(length)
            if !point.loss.isFinite { point.loss = .infinity }
            return point
        }
        func isHigh(_ point: Point) -> Bool { point.loss > start.loss + fall * point.length * start.slope }
        func isFlat(_ point: Point) -> Bool { abs(point.slope) <= -flat * start.slope }

        var before = start, now = try look(length), trials = 0
        var low = start, high = start
        while true {
            guard trials < most else {
                (low, high) = start.loss <= now.loss ? (start, now) : (now, start)
                return low.length
            }
            if !isHigh(now), !(trials > 1 && now.loss >= before.loss), isFlat(now) { return now.length }
            if isHigh(now) || trials > 1 && now.loss >= before.loss || now.slope >= 0 {
                (low, high) = before.loss <= now.loss ? (before, now) : (now, before)
                break
            }
            let next = lowest(before, now, from: now.length + 0.01 * (now.length - before.length), to: now.length * 10)
            (before, now) = (now, try look(next))
            trials += 1
        }
        var hasStalled = false
        while trials < most, abs(high.length - low.length) * reach >= leastMove {
            let (left, right) = (min(low.length, high.length), max(low.length, high.length)), margin = 0.1 * (right - left)
            var length = lowest(low, high, from: left, to: right)
            if min(right - length, length - left) < margin {
                if hasStalled || length >= right || length <= left {
                    length = abs(length - right) < abs(length - left) ? right - margin : left + margin
                    hasStalled = false
                } else {
                    hasStalled = true
                }
            } else {
                hasStalled = false
            }
            let point = try look(length)
            trials += 1
            if isHigh(point) || point.loss >= low.loss {
                high = point
                if high.loss < low.loss { swap(&low, &high) }
            } else {
                let isDone = isFlat(point)
                if !isDone, point.slope * (high.length - low.length) >= 0 { high = low }
                low = point
                if isDone { break }
            }
        }
        return low.length
    }

    /// Where the cubic through two points with their slopes is least, within bounds; their middle if it is nowhere.
    private static func lowest(_ a: Point, _ b: Point, from low: Double, to high: Double) -> Double {
        let (left, right) = a.length <= b.length ? (a, b) : (b, a)
        let d = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.length - right.length), square = d * d - left.slope * right.slope
        guard square >= 0 else { return (low + high) / 2 }
        let root = square.squareRoot()
        let place = right.length - (right.length - left.length) * ((right.slope + root - d) / (right.slope - left.slope + 2 * root))
        return place.isFinite ? min(max(place, low), high) : (low + high) / 2
    }
}
