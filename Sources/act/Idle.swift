// Waiting for a person or another program: after a moment what is kept for the next computation goes back to the system.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum Idle {
    /// Milliseconds that one waits with everything at hand.
    private static let moment: Int32 = 1000
    // Between two computations there is nothing new to give back. `unsafe`: the main thread alone waits for input.
    private static nonisolated(unsafe) var last = -1

    /// `poll` without an end.
    static func wait(_ sources: inout [pollfd]) -> Int32 {
        let ready = poll(&sources, nfds_t(sources.count), moment)
        if ready != 0 { return ready }
        if MemoryPool.kept != last {
            MemoryPool.giveBack()
            last = MemoryPool.kept
        }
        return poll(&sources, nfds_t(sources.count), -1)
    }
}
