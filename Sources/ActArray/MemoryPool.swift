// Where array memory comes from and goes back to.
//
// What must stay true:
// - No more than `limit` bytes are out at once, kept free buffers included: past it there is an error, not an out-of-memory kill.
// - Blocks are aligned to 64 bytes. Any thread may take and give.
// - Small blocks (≤ 1 KiB) never meet a lock, medium ones (≤ 256 KiB) seldom: each thread keeps some that it freed. Freed large buffers are
//   kept for all, since fresh memory costs a page fault every 4 KiB.

import ActSystem
import CActKernels
import Synchronization
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum MemoryPool {
    /// The bytes that arrays and other values may hold together; at first what the system lets the process have (`SystemMemory.bound`).
    package static var limit: Int {
        get {
            let known = limitBytes.load(ordering: .relaxed)
            if known >= 0 { return known }
            _ = limitBytes.compareExchange(expected: known, desired: SystemMemory.bound(), ordering: .relaxed)
            return limitBytes.load(ordering: .relaxed)
        }
        set { limitBytes.store(max(0, newValue), ordering: .relaxed) }
    }

    /// The bytes in use now, without kept free buffers.
    package static var used: Int { usedBytes.load(ordering: .relaxed) }

    /// The bytes of free buffers that are kept to be used again.
    package static var kept: Int { keptBytes.load(ordering: .relaxed) }

    /// Gives kept buffers, and whatever else the process holds without need, back to the system: for when nothing is computed for a while.
    package static func giveBack() {
        dropKept(until: 0)
        _ = leaveMedium()
        _ = leaveSlabs()
        dropKept(until: 0)
        act_memory_trim()
    }

    /// - Throws: `ArrayError.outOfMemory` past the limit; nothing is reserved then.
    static func reserve(_ bytes: Int) throws {
        let most = limit(for: bytes)
        guard bytes >= 0, bytes <= most else { throw ArrayError.outOfMemory(bytes: bytes, limit: most) }
        let (_, now) = usedBytes.add(bytes, ordering: .relaxed)
        if now &+ keptBytes.load(ordering: .relaxed) <= most { return }
        if most < limit {
            // Other threads took what was surely there: now the system is asked.
            usedBytes.subtract(bytes, ordering: .relaxed)
            return try reserve(bytes)
        }
        dropKept(until: most &- now)
        if now <= most { return }
        usedBytes.subtract(bytes, ordering: .relaxed)
        if leaveMedium() || leaveSlabs() { return try reserve(bytes) }
        throw ArrayError.outOfMemory(bytes: bytes, limit: most)
    }

    /// The limit, or as long as the system was not asked for it, so much of it as is surely there and enough.
    private static func limit(for bytes: Int) -> Int {
        let known = limitBytes.load(ordering: .relaxed), least = SystemMemory.leastBound
        if known >= 0 { return known }
        let held = usedBytes.load(ordering: .relaxed) &+ keptBytes.load(ordering: .relaxed)
        return bytes <= least && held <= least &- max(0, bytes) ? least : limit
    }

    /// Past the limit too.
    fileprivate static func note(_ bytes: Int) { usedBytes.add(bytes, ordering: .relaxed) }

    static func release(_ bytes: Int) {
        let (_, now) = usedBytes.subtract(bytes, ordering: .relaxed)
        assert(now >= 0, "more was released than was ever reserved")
    }

    /// Whether there is room for `bytes` of working memory outside the pool, which does not stay long.
    /// - Throws: `ArrayError.outOfMemory`.
    package static func allow(_ bytes: Int) throws {
        try reserve(bytes)
        release(bytes)
    }

    /// How large a place outside the pool may be to which so many bytes move: both are there for a while.
    /// - Returns: `wanted`, or where only that has room a sixteenth more than what moves.
    /// - Throws: `ArrayError.outOfMemory`.
    package static func capacity(_ wanted: Int, movingFrom old: Int) throws -> Int {
        do { try allow(wanted &+ old) } catch ArrayError.outOfMemory {
            let least = min(wanted, old &+ max(1 << 16, old / 16))
            if old > 0 { try allow(least &+ old) } else { try allow(wanted) }
            return old > 0 ? least : wanted
        }
        return wanted
    }

    // MARK: Taking and giving

    static func take(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
        if isTransparent { return try takeAlone(byteCount) }
        if byteCount <= smallest * Int(ACT_SMALL_CLASSES) { return try takeSmall(byteCount) }
        if let block = takeMedium(byteCount) { return block }
        guard byteCount <= limit else { throw ArrayError.outOfMemory(bytes: byteCount, limit: limit) }
        let (index, size) = sizeClass(byteCount)
        try reserve(size)
        if let block = takeKept(index, size) { return block }
        guard let fresh = allocate(size) else {
            release(size)
            throw ArrayError.outOfMemory(bytes: byteCount, limit: limit)
        }
        return fresh
    }

    private static func takeKept(_ index: Int, _ size: Int) -> UnsafeMutableRawPointer? {
        guard let block = keptBlocks.withLock({ $0[index].popLast() }) else { return nil }
        keptBytes.subtract(size, ordering: .relaxed)
        return block.pointer
    }

    static func give(back pointer: UnsafeMutableRawPointer, byteCount: Int) {
        if isTransparent { return giveAlone(pointer, byteCount) }
        if byteCount <= smallest * Int(ACT_SMALL_CLASSES) { return giveSmall(pointer, byteCount) }
        if !giveMedium(pointer, byteCount) { giveLarge(pointer, byteCount) }
    }

    private static func giveLarge(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        let (index, size) = sizeClass(byteCount)
        release(size)
        let (_, keeping) = keptBytes.add(size, ordering: .relaxed)
        if keeping <= min(limit / 8, 1 << 30) {
            keptBlocks.withLock { $0[index].append(Block(pointer: pointer)) }
        } else {
            keptBytes.subtract(size, ordering: .relaxed)
            free(pointer)
        }
    }

    /// Memory for the moment, of more than 1 KiB: past the limit too, for it is little.
    /// - Throws: `outOfMemory` when the system has none.
    fileprivate static func takeScratch(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
        if !isTransparent, let block = takeMedium(byteCount) { return block }
        let (index, size) = isTransparent ? (0, byteCount) : sizeClass(byteCount)
        note(size)
        // What other threads gave back first, or each of thousands of threads would leave some more.
        if !isTransparent, let block = takeKept(index, size) { return block }
        if let fresh = allocate(size) { return fresh }
        // What is kept for later may be all that there is.
        dropKept(until: 0)
        if let fresh = allocate(size) { return fresh }
        release(size)
        throw ArrayError.outOfMemory(bytes: byteCount, limit: limit)
    }

    fileprivate static var smallestScratch: Int { smallest * Int(ACT_SMALL_CLASSES) + 1 }

    // MARK: Medium blocks, kept by threads. They count as in use.

    private static let mediumLimit = 1 << 18
    /// How many bytes a thread keeps.
    private static let mediumBudget = 1 << 20

    private static func takeMedium(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        guard byteCount <= mediumLimit else { return nil }
        let context = act_context(), (index, size) = sizeClass(byteCount), slot = mediumList(context, index)
        guard let block = slot.pointee else { return nil }
        slot.pointee = block.load(as: UnsafeMutableRawPointer?.self)
        context.pointee.medium_bytes &-= size
        return block
    }

    private static func giveMedium(_ block: UnsafeMutableRawPointer, _ byteCount: Int) -> Bool {
        guard byteCount <= mediumLimit else { return false }
        let context = act_context(), (index, size) = sizeClass(byteCount), slot = mediumList(context, index)
        guard context.pointee.medium_bytes &+ size <= mediumBudget else { return false }
        context.pointee.medium_bytes &+= size
        block.storeBytes(of: slot.pointee, as: UnsafeMutableRawPointer?.self)
        slot.pointee = block
        return true
    }

    /// Gives the calling thread's free medium blocks back.
    /// - Returns: whether there were any.
    static func leaveMedium() -> Bool {
        let context = act_context()
        guard context.pointee.medium_bytes > 0 else { return false }
        context.pointee.medium_bytes = 0
        for index in mediumFirst..<mediumFirst + Int(ACT_MEDIUM_CLASSES) {
            let slot = mediumList(context, index)
            while let block = slot.pointee {
                slot.pointee = block.load(as: UnsafeMutableRawPointer?.self)
                giveLarge(block, (index % 4 + 5) << (index / 4 - 2))
            }
        }
        return true
    }

    /// The size class of the smallest medium blocks.
    private static let mediumFirst = 40

    private static func mediumList(_ context: UnsafeMutablePointer<act_context>, _ index: Int) -> UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        let lists = MemoryLayout<act_context>.offset(of: \.medium_blocks) ?? 0
        return (UnsafeMutableRawPointer(context) + lists).assumingMemoryBound(to: UnsafeMutableRawPointer?.self) + (index &- mediumFirst)
    }

    // MARK: Large blocks

    /// `@unchecked`: whoever takes it out of a list is the only one to know it.
    struct Block: @unchecked Sendable { let pointer: UnsafeMutableRawPointer }

    /// Less than 0 until it is asked for: a small program ends before that, and asking the system takes as long as a small program.
    private static let limitBytes = Atomic<Int>(-1)
    private static let usedBytes = Atomic<Int>(0)
    private static let keptBytes = Atomic<Int>(0)
    private static let keptBlocks = Locked<[[Block]]>(Array(repeating: [], count: 256))

    /// Four sizes for each power of two: at most a fifth of a block is unused.
    private static func sizeClass(_ byteCount: Int) -> (index: Int, size: Int) {
        let last = byteCount &- 1
        let exponent = Int.bitWidth &- 1 &- last.leadingZeroBitCount
        let step = exponent &- 2
        let quarters = (last &>> step) &+ 1
        return (exponent &* 4 &+ (quarters &- 5), quarters &<< step)
    }

    static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        let huge = 2 << 20
        let isLarge = size >= 2 * huge
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, isLarge ? huge : 64, size) == 0, let block = pointer else { return nil }
        #if os(Linux)
        if isLarge { madvise(block, size, MADV_HUGEPAGE) }
        #endif
        return block
    }

    static func deallocate(_ block: UnsafeMutableRawPointer) { free(block) }

    /// Frees kept buffers, largest first, until no more than `bytes` are kept.
    private static func dropKept(until bytes: Int) {
        keptBlocks.withLock { classes in
            for index in classes.indices.reversed() {
                while let block = classes[index].last {
                    if keptBytes.load(ordering: .relaxed) <= max(0, bytes) { return }
                    let exponent = index / 4, quarters = index % 4 + 5
                    classes[index].removeLast()
                    keptBytes.subtract(quarters << (exponent - 2), ordering: .relaxed)
                    free(block.pointer)
                }
            }
        }
    }

    // MARK: Under the address sanitizer

    /// The address sanitizer sees what is done past the end of a block, or after its life, when each comes from the system and goes back.
    #if DEBUG
    private static let isTransparent = act_address_is_checked() != 0
    #else
    private static let isTransparent = false
    #endif

    private static func takeAlone(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
        try reserve(byteCount)
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, smallest, max(1, byteCount)) == 0, let block = pointer else {
            release(byteCount)
            throw ArrayError.outOfMemory(bytes: byteCount, limit: limit)
        }
        return block
    }

    private static func giveAlone(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        release(byteCount)
        free(block)
    }
}

/// Bytes taken from the limit by something that is not in the pool: they are given back when it ends, exactly those that were taken,
/// whatever the holder has become by then.
package struct Reservation: ~Copyable {
    package private(set) var bytes: Int

    /// Nothing yet.
    @inline(__always)
    package init() { bytes = 0 }

    /// - Throws: `ArrayError.outOfMemory` past the limit; asked before the memory is taken.
    package init(_ bytes: Int) throws {
        try MemoryPool.reserve(bytes)
        self.bytes = bytes
    }

    /// Of something small that cannot fail to be made, or is there already: the next thing that can fails for it.
    @inline(__always)
    package init(noting bytes: Int) {
        MemoryPool.note(bytes)
        self.bytes = bytes
    }

    /// - Throws: `ArrayError.outOfMemory`; what was held before stays held.
    package mutating func grow(by more: Int) throws {
        try MemoryPool.reserve(more)
        bytes &+= more
    }

    deinit { if bytes != 0 { MemoryPool.release(bytes) } }
}

/// Bytes that copies of a value hold together: for structs and enums, which cannot hold a reservation themselves.
package final class SharedReservation {
    private var held = Reservation()

    package init() {}

    package var bytes: Int { held.bytes }

    /// - Throws: `ArrayError.outOfMemory`; what was held before stays held.
    package func grow(by more: Int) throws { try held.grow(by: more) }
}

/// Memory for the duration of a computation, aligned as arrays are. It cannot be copied: `pointer` is good until the one holder's scope ends.
struct Scratch: ~Copyable {
    let pointer: UnsafeMutableRawPointer
    private let byteCount: Int

    /// - Throws: `outOfMemory` when the system has none.
    init(byteCount: Int) throws {
        let byteCount = max(byteCount, MemoryPool.smallestScratch)
        pointer = try MemoryPool.takeScratch(byteCount)
        self.byteCount = byteCount
    }

    deinit { MemoryPool.give(back: pointer, byteCount: byteCount) }
}
