/// A point where the slope of a function jumps, or the function itself does.
package struct Kink: Equatable, Sendable {
    package let x: Double
    /// The slopes beside the point and the one that the derivative has there.
    package let left, right, chosen: Double

    package init(x: Double, left: Double, right: Double, chosen: Double) {
        self.x = x
        self.left = left
        self.right = right
        self.chosen = chosen
    }
}
