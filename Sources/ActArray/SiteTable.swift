// Whose sites they are: the array library reports the place of an operation by a number, and here is who gave it out.
//
// What must stay true: numbers are the process's, so that those of one engine mean nothing in another; each owner has whole pages of them.

import ActSystem
import Synchronization

/// `@unchecked`: `pages` is touched with the lock alone.
package final class SiteTable: @unchecked Sendable {
    private static let pageSize: UInt32 = 64
    private static let nextPage = Locked<UInt32>(1)
    // Guarded by `lock`. Not weak references, which would make counting references to owners slow: they take themselves out when they go, on the
    // thread that computes for the engine, which alone asks.
    private var pages: [Int: Unmanaged<AnyObject>] = [:]
    private let lock = Lock()

    package init() {}

    /// The first of `count` sites for the parts of `owner`, who must `forget` them before it ends.
    package func register(_ owner: AnyObject, count: Int) -> UInt32 {
        let range = SiteTable.nextPage.withLock { next in
            let range = SiteTable.pageRange(next, count)
            next = range.upperBound
            // After some hundred million statements the numbers begin again.
            if next > UInt32.max / SiteTable.pageSize / 2 { next = 1 }
            return range
        }
        lock.locked { for page in range { pages[Int(page)] = .passUnretained(owner) } }
        return range.lowerBound * SiteTable.pageSize
    }

    package func forget(_ owner: AnyObject, _ base: UInt32, count: Int) {
        lock.locked {
            for page in SiteTable.pageRange(base / SiteTable.pageSize, count)
            where pages[Int(page)]?.toOpaque() == Unmanaged.passUnretained(owner).toOpaque() { pages[Int(page)] = nil }
        }
    }

    /// Who gave out a site; `nil` when it is gone, or of another engine.
    package func owner(of site: Site) -> AnyObject? {
        lock.locked { pages[Int(site.id / SiteTable.pageSize)]?.takeUnretainedValue() }
    }

    private static func pageRange(_ first: UInt32, _ count: Int) -> Range<UInt32> {
        first..<first + UInt32(truncatingIfNeeded: max(count, 1) - 1) / pageSize + 1
    }
}
