// The places in memory that an index selects (IndexPlan finds them), read and written row by row, on all threads.

import CActKernels

/// Places in memory in the order of the result: for each position of the outer axes, for each offset, the inner axes.
struct Selection {
    let shape: [Int]
    let count: Int
    let outerShape: [Int]
    let outerStrides: [Int]
    let offsets: Positions
    let innerShape: [Int]
    let innerStrides: [Int]

    private var innerCount: Int { innerShape.reduce(1, &*) }

    /// Calls `body` for items `items` (an item is one outer position with one offset): where its inner axes begin.
    @inline(__always)
    private func forEachItem(_ items: Range<Int>, _ body: (_ item: Int, _ offset: Int) -> Void) {
        if items.isEmpty { return }
        let outer = MergedAxes(outerShape, [outerStrides])
        var item = items.lowerBound
        while item < items.upperBound {
            var rest = item / offsets.count, outerOffset = 0
            for axis in outer.shape.indices.reversed() {
                outerOffset &+= rest % outer.shape[axis] &* outer.strides[0][axis]
                rest /= outer.shape[axis]
            }
            let first = item % offsets.count
            let run = min(offsets.count - first, items.upperBound - item)
            for i in 0..<run { body(item &+ i, outerOffset &+ offsets.base[first &+ i]) }
            item += run
        }
    }

    private var itemCount: Int { outerShape.reduce(1, &*) &* offsets.count }

    /// Whether the inner axes are one run of memory.
    private var isInnerContiguous: Bool { Shapes.simplified(innerStrides, innerShape) == nil }

    /// Where each item begins, of a selection whose inner axes are one run.
    func starts() throws -> [Int] {
        try MemoryPool.allow(itemCount &* 8)
        return try [Int](unsafeUninitializedCapacity: itemCount) { buffer, count in
            let starts = buffer
            try ThreadPool.parallelPieces(itemCount) { forEachItem($0) { item, offset in starts[item] = offset } }
            count = itemCount
        }
    }

    var chunk: Int { innerCount }

    /// Copies the selected elements, of `size` bytes each, to contiguous memory; on all threads.
    /// - Throws: `interrupted`.
    func read(from base: UnsafeRawPointer, size: Int, to target: UnsafeMutableRawPointer) throws {
        switch size {
        case 1: try read(base.assumingMemoryBound(to: UInt8.self), target.assumingMemoryBound(to: UInt8.self))
        case 4: try read(base.assumingMemoryBound(to: UInt32.self), target.assumingMemoryBound(to: UInt32.self))
        default: try read(base.assumingMemoryBound(to: UInt64.self), target.assumingMemoryBound(to: UInt64.self))
        }
    }

    private func read<T>(_ base: UnsafePointer<T>, _ target: UnsafeMutablePointer<T>) throws {
        guard count > 0 else { return }
        let inner = innerCount, items = itemCount, isContiguous = isInnerContiguous
        try ThreadPool.parallelPieces(items, of: max(1, (1 << 15) / inner)) { range in
            if inner == 1 {
                forEachItem(range) { item, offset in target[item] = base[offset] }
            } else if isContiguous {
                forEachItem(range) { item, offset in (target + item &* inner).update(from: base + offset, count: inner) }
            } else {
                forEachItem(range) { item, offset in
                    StridedView(base: base + offset, size: MemoryLayout<T>.size, shape: innerShape, strides: innerStrides)
                        .copy(0, inner, to: target + item &* inner)
                }
            }
        }
    }

    /// Copies contiguous elements to the selected places, in order: of several to one place the last stays.
    func write(_ source: UnsafeRawPointer, size: Int, to base: UnsafeMutableRawPointer) {
        switch size {
        case 1: write(source.assumingMemoryBound(to: UInt8.self), base.assumingMemoryBound(to: UInt8.self), step: 1)
        case 4: write(source.assumingMemoryBound(to: UInt32.self), base.assumingMemoryBound(to: UInt32.self), step: 1)
        default: write(source.assumingMemoryBound(to: UInt64.self), base.assumingMemoryBound(to: UInt64.self), step: 1)
        }
    }

    /// Copies one element to all selected places.
    func fill(_ element: UnsafeRawPointer, size: Int, to base: UnsafeMutableRawPointer) {
        switch size {
        case 1: write(element.assumingMemoryBound(to: UInt8.self), base.assumingMemoryBound(to: UInt8.self), step: 0)
        case 4: write(element.assumingMemoryBound(to: UInt32.self), base.assumingMemoryBound(to: UInt32.self), step: 0)
        default: write(element.assumingMemoryBound(to: UInt64.self), base.assumingMemoryBound(to: UInt64.self), step: 0)
        }
    }

    private func write<T>(_ source: UnsafePointer<T>, _ base: UnsafeMutablePointer<T>, step: Int) {
        guard count > 0 else { return }
        let inner = innerCount
        if inner == 1 {
            // Each thread goes over all items and writes those of its blocks of memory, so that their order stays.
            let parts = itemCount < 1 << 18 ? 1 : 1 << (Int.bitWidth - 1 - min(ThreadPool.count, 8).leadingZeroBitCount)
            if parts == 1 { return forEachItem(0..<itemCount) { item, offset in base[offset] = source[item &* step] } }
            return ThreadPool.parallelFor(parts) { part in
                forEachItem(0..<itemCount) { item, offset in
                    if offset &>> 10 & (parts &- 1) == part { base[offset] = source[item &* step] }
                }
            }
        }
        let strides = isInnerContiguous ? Shapes.rowMajorStrides(innerShape) : innerStrides
        let view = StridedView(base: base, size: MemoryLayout<T>.size, shape: innerShape, strides: strides)
        forEachItem(0..<itemCount) { item, offset in
            view.forEachRun(0, inner) { from, stride, run, done in
                let target = base + offset + from, source = source + (item &* inner &+ done) &* step
                for i in 0..<run { target[i &* stride] = source[i &* step] }
            }
        }
    }
}

extension NDArray {
    /// What `start:stop:step` selects of `size` elements.
    package static func sliceRange(start: Int?, stop: Int?, step: Int?, size: Int) throws -> SliceRange {
        try IndexPlan.range(start, stop, step, size: size)
    }
}
