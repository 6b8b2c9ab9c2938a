// Small blocks: cut from slabs, kept in lists by the threads that freed them.

import CActKernels

extension MemoryPool {
    static let smallest = 64
    /// What the objects around a small block (node, storage, shape) hold besides it.
    private static let overhead = 256

    static func takeSmall(_ byteCount: Int) throws -> UnsafeMutableRawPointer {
        let index = max(0, byteCount &- 1) &>> 6
        let slot = freeList(index)
        if let block = slot.pointee {
            slot.pointee = block.load(as: UnsafeMutableRawPointer?.self)
            return block
        }
        return try refill(index, slot)
    }

    static func giveSmall(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
        let slot = freeList(max(0, byteCount &- 1) &>> 6)
        block.storeBytes(of: slot.pointee, as: UnsafeMutableRawPointer?.self)
        slot.pointee = block
    }

    /// Leaves the calling thread's free blocks to whoever needs some next: for a thread that is about to end.
    package static func leaveAll() {
        _ = leaveMedium()
        for index in 0..<Int(ACT_SMALL_CLASSES) {
            let slot = freeList(index)
            guard let list = slot.pointee else { continue }
            slot.pointee = nil
            left.withLock { $0[index].append(Block(pointer: list)) }
        }
    }

    /// Lists of free small blocks that ended threads have left, by class.
    private static let left = Locked<[[Block]]>(Array(repeating: [], count: Int(ACT_SMALL_CLASSES)))

    /// The head of the calling thread's list of free blocks of class `index`.
    private static func freeList(_ index: Int) -> UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        let lists = MemoryLayout<act_context>.offset(of: \.free_blocks) ?? 0
        return (UnsafeMutableRawPointer(act_context()) + lists).assumingMemoryBound(to: UnsafeMutableRawPointer?.self) + index
    }

    /// How many blocks a slab is cut into.
    private static let blocksOfSlab = 32

    private static func slabSize(_ index: Int) -> Int { blocksOfSlab &* (index &+ 1) &* smallest }

    /// What a slab takes of the limit.
    private static func slabCost(_ index: Int) -> Int { slabSize(index) &+ blocksOfSlab &* overhead }

    /// Where the slabs of each class begin.
    private static let slabs = Locked<[[UInt]]>(Array(repeating: [], count: Int(ACT_SMALL_CLASSES)))

    /// Cuts a fresh slab into blocks, which go from list to list.
    private static func refill(_ index: Int, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>) throws -> UnsafeMutableRawPointer {
        if let list = left.withLock({ $0[index].popLast() }) {
            slot.pointee = list.pointer.load(as: UnsafeMutableRawPointer?.self)
            return list.pointer
        }
        try reserve(slabCost(index))
        guard let slab = allocate(slabSize(index)) else {
            release(slabCost(index))
            throw ArrayError.outOfMemory(bytes: slabSize(index), limit: limit)
        }
        slabs.withLock { $0[index].append(UInt(bitPattern: slab)) }
        let size = slabSize(index) / blocksOfSlab
        slot.pointee = chained((1..<blocksOfSlab).lazy.map { UInt(bitPattern: slab + $0 * size) })
        return slab
    }

    /// A list of free blocks, the first of them first.
    private static func chained(_ blocks: some BidirectionalCollection<UInt>) -> UnsafeMutableRawPointer? {
        var next: UnsafeMutableRawPointer?
        for address in blocks.reversed() {
            guard let block = UnsafeMutableRawPointer(bitPattern: address) else { continue }
            block.storeBytes(of: next, as: UnsafeMutableRawPointer?.self)
            next = block
        }
        return next
    }

    /// Gives slabs back of which every block is free, and in the calling thread's lists or left by ended threads. It takes a while, so it is
    /// for when memory has run out, or nothing is computed.
    /// - Returns: whether there were any.
    static func leaveSlabs() -> Bool {
        var anyLeft = false
        for index in 0..<Int(ACT_SMALL_CLASSES) {
            let slot = freeList(index)
            var free: [UInt] = []
            for list in [slot.pointee]
                + left.withLock({ lists in
                    defer { lists[index] = [] }
                    return lists[index].map(\.pointer)
                })
            {
                var next = list
                while let block = next {
                    free.append(UInt(bitPattern: block))
                    next = block.load(as: UnsafeMutableRawPointer?.self)
                }
            }
            free.sort()
            let size = UInt(slabSize(index))
            var kept: [UInt] = [], at = free.startIndex
            slabs.withLock { classes in
                classes[index].sort()
                classes[index].removeAll { slab in
                    // Blocks come in the order of slabs, and each lies in one.
                    let first = at
                    while at < free.endIndex, free[at] &- slab < size { at += 1 }
                    guard at - first == blocksOfSlab, let start = UnsafeMutableRawPointer(bitPattern: slab) else {
                        kept += free[first..<at]
                        return false
                    }
                    deallocate(start)
                    release(slabCost(index))
                    anyLeft = true
                    return true
                }
            }
            slot.pointee = chained(kept)
        }
        return anyLeft
    }
}
