// The memory behind arrays: one reference-counted buffer, shared by views and copied on write.
// Every byte is accounted, so that a limit is an error and never an out-of-memory kill.

/// A block of memory that one or more arrays show, wholly or in part. `pointer` is good as long as somebody holds the block: an array does, and
/// whoever keeps the pointer without the array holds the block by itself.
package final class Storage {
    // (Both are read in C as well, by the machine: `act_storage`.)
    package let pointer: UnsafeMutableRawPointer
    package let byteCount: Int

    /// Uninitialised memory of at least `byteCount` bytes, aligned to 64.
    /// - Throws: `ArrayError.outOfMemory` past the limit.
    package init(byteCount: Int) throws {
        pointer = try MemoryPool.take(byteCount)
        self.byteCount = byteCount
    }

    deinit {
        MemoryPool.give(back: pointer, byteCount: byteCount)
    }
}
