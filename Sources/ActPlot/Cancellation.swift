// How drawing ends early. Loops over data go through `watched`, which ends them when the host wants no figure any more.
//
// What must stay true: what is made meanwhile is incomplete, though it can be drawn; the host asks itself afterwards, and drops it.

package enum Cancellation {
    /// Whether nobody waits for a figure any more. Asked from time to time, on the thread that draws.
    /// `unsafe`: the host sets it once, by a `static let` that every session has come past before it makes a figure.
    package nonisolated(unsafe) static var isRequested: @Sendable () -> Bool = { false }
}

/// The elements of `base`, but no more once drawing has been cancelled.
@inline(__always)
func watched<Base: Sequence>(_ base: Base) -> Watched<Base> { Watched(base) }

struct Watched<Base: Sequence>: Sequence, IteratorProtocol {
    private var rest: Base.Iterator
    /// Elements until the next question.
    private var calm = 0

    @inline(__always)
    init(_ base: Base) { rest = base.makeIterator() }

    @inline(__always)
    mutating func next() -> Base.Element? {
        if calm == 0 {
            if Cancellation.isRequested() { return nil }
            calm = 1 << 16
        }
        calm &-= 1
        return rest.next()
    }
}

/// The results of `body` for 0 ..< `count`; fewer once drawing has been cancelled.
func watchedArray<Element>(_ count: Int, _ body: (Int) -> Element) -> [Element] {
    var result: [Element] = []
    result.reserveCapacity(count)
    for index in watched(0..<count) { result.append(body(index)) }
    return result
}

extension Sequence where Element: Comparable {
    /// The elements in ascending order; none once drawing has been cancelled.
    func sortedUnlessCancelled() -> [Element] {
        var calm = 1 << 16
        let sorted = try? sorted { a, b in
            calm &-= 1
            if calm == 0 {
                if Cancellation.isRequested() { throw CancellationError() }
                calm = 1 << 16
            }
            return a < b
        }
        return sorted ?? []
    }
}

private struct CancellationError: Error {}
