// What is made of a program before it runs, counted while it is made.

import ActArray

/// The bytes of a tree, of what its names mean or of code, taken from the limit as they grow: how much a byte of a program comes to hangs on
/// what it says. They are given back when it ends.
package final class SourceMemory {
    private var held = Reservation()
    private var bytes = 0
    /// The error of the limit, once there was one.
    package private(set) var shortage: (any Error)?

    /// Less than this is not worth counting: short lines are compiled often.
    private static let least = 1 << 16

    package init() {}

    /// Whether the work has to stop: there is no room for so many bytes, or Ctrl-C was pressed.
    package func isStopped(at bytes: Int) -> Bool {
        self.bytes = max(self.bytes, bytes)
        take()
        return shortage != nil || Interrupt.isSet
    }

    package func add(_ more: Int) {
        bytes &+= more
        take()
    }

    private func take() {
        guard shortage == nil, bytes &- held.bytes > Self.least else { return }
        do { try held.grow(by: bytes &- held.bytes) } catch { shortage = error }
    }
}
