// Reading and writing arrays that are not row-major without gaps: views that are transposed, sliced, reversed or stretched.

/// A view of memory as a flat row-major sequence of elements, any part of which can be copied out, and all of which can be written. Whoever
/// makes it keeps the memory until the last use.
struct StridedView {
    let base: UnsafeRawPointer
    let size: Int
    /// Merged axes, the last of which moves fastest.
    let shape: [Int]
    let strides: [Int]

    /// - Parameter strides: in elements, one for each axis of `shape`.
    init(base: UnsafeRawPointer, size: Int, shape: [Int], strides: [Int]) {
        let merged = MergedAxes(shape, [strides])
        self.base = base
        self.size = size
        self.shape = merged.shape.isEmpty ? [1] : merged.shape
        self.strides = merged.shape.isEmpty ? [0] : merged.strides[0]
    }

    /// The same as rows that can be read where they lie, if it is so: some hundred elements beside each other, or the same for all of a row.
    var rows: Rows? {
        let last = shape.count - 1
        guard last <= 1, shape[last] >= 256, strides[last] == 1 || strides[last] == 0 else { return nil }
        return Rows(base: base, size: size, length: shape[last], stride: last == 1 ? strides[0] : 0, step: strides[last])
    }

    struct Rows {
        fileprivate let base: UnsafeRawPointer
        fileprivate let size, length, stride: Int
        /// From an element to the next one of its row: 0 or 1.
        let step: Int

        /// How many elements of its row begin with element `index` of the flat sequence.
        func left(from index: Int) -> Int { length &- index % length }
        func element(_ index: Int) -> UnsafeRawPointer {
            let (row, column) = index.quotientAndRemainder(dividingBy: length)
            return base + (row &* stride &+ column &* step) &* size
        }
    }

    /// Copies elements `start ..< start + count` of the flat sequence.
    func copy(_ start: Int, _ count: Int, to target: UnsafeMutableRawPointer) {
        switch size {
        case 1: copy(start, count, target.assumingMemoryBound(to: UInt8.self))
        case 4: copy(start, count, target.assumingMemoryBound(to: UInt32.self))
        default: copy(start, count, target.assumingMemoryBound(to: UInt64.self))
        }
    }

    private func copy<T>(_ start: Int, _ count: Int, _ target: UnsafeMutablePointer<T>) {
        let source = base.assumingMemoryBound(to: T.self)
        let rowLength = shape[shape.count - 1]
        if shape.count == 2, strides[1] == 0, rowLength <= 16 {
            // Each element a few times.
            var from = source + start / rowLength &* strides[0], left = rowLength &- start % rowLength
            for i in 0..<count {
                target[i] = from.pointee
                left &-= 1
                if left == 0 { (from, left) = (from + strides[0], rowLength) }
            }
            return
        }
        // A short row that repeats: one of it, then copies of all there is so far.
        let repeats = shape.count == 2 && strides[0] == 0 && rowLength < 256 && count > 2 &* rowLength
        forEachRun(start, repeats ? rowLength : count) { offset, step, run, done in
            let from = source + offset, to = target + done
            switch step {
            case 1: to.update(from: from, count: run)
            case 0: to.update(repeating: from.pointee, count: run)
            default: for i in 0..<run { to[i] = from[i &* step] }
            }
        }
        var done = rowLength
        while repeats, done < count {
            let part = min(done, count - done)
            (target + done).update(from: target, count: part)
            done &+= part
        }
    }

    /// Copies a contiguous row-major array over the elements that this view shows.
    func assign(from source: UnsafeRawPointer) {
        switch size {
        case 1: assign(source.assumingMemoryBound(to: UInt8.self))
        case 4: assign(source.assumingMemoryBound(to: UInt32.self))
        default: assign(source.assumingMemoryBound(to: UInt64.self))
        }
    }

    private func assign<T>(_ source: UnsafePointer<T>) {
        let target = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: T.self)
        forEachRun(0, shape.reduce(1, &*)) { offset, step, run, done in
            if step == 1 { return (target + offset).update(from: source + done, count: run) }
            for i in 0..<run { target[offset &+ i &* step] = source[done &+ i] }
        }
    }

    /// Calls `body` for each run along the last axis within elements `start ..< start + count` of the flat sequence, with the offset of
    /// its first element from `base`, the step between elements, their number, and how many came before.
    @inline(__always)
    func forEachRun(_ start: Int, _ count: Int, _ body: (_ offset: Int, _ step: Int, _ run: Int, _ done: Int) -> Void) {
        if count <= 0 { return }
        let last = shape.count - 1
        let rowLength = shape[last], step = strides[last]
        withUnsafeTemporaryAllocation(of: Int.self, capacity: shape.count) { position in
            // Where the part begins: its index on each axis, and the offset that belongs to it.
            var rest = start, offset = 0
            for axis in shape.indices.reversed() {
                position[axis] = rest % shape[axis]
                rest /= shape[axis]
                offset &+= position[axis] &* strides[axis]
            }
            var done = 0
            while done < count {
                let run = min(rowLength - position[last], count - done)
                body(offset, step, run, done)
                done &+= run
                offset &+= run &* step
                position[last] &+= run
                var axis = last
                while position[axis] == shape[axis], axis > 0 {
                    offset &+= strides[axis - 1] &- shape[axis] &* strides[axis]
                    position[axis] = 0
                    axis -= 1
                    position[axis] &+= 1
                }
            }
        }
    }

    /// Copies everything, on all threads; transposed views by tiles, so that whole cache lines are used.
    func copyAll(to target: UnsafeMutableRawPointer) throws {
        let count = shape.reduce(1, &*)
        if count == 0 { return }
        let last = shape.count - 1
        if shape.count >= 2, abs(strides[last]) != 1, strides[last] != 0, count >= 4096,
            let fast = strides.indices.dropLast().last(where: { abs(strides[$0]) == 1 && shape[$0] >= 8 })
        {
            switch size {
            case 1: try copyTiles(fast, target.assumingMemoryBound(to: UInt8.self))
            case 4: try copyTiles(fast, target.assumingMemoryBound(to: UInt32.self))
            default: try copyTiles(fast, target.assumingMemoryBound(to: UInt64.self))
            }
            return
        }
        try ThreadPool.parallelPieces(count) { piece in
            copy(piece.lowerBound, piece.count, to: target + piece.lowerBound * size)
        }
    }

    /// Copies square tiles of the axis that is contiguous in the source (`fast`) and the last one, contiguous in the target.
    private func copyTiles<T>(_ fast: Int, _ target: UnsafeMutablePointer<T>) throws {
        let source = base.assumingMemoryBound(to: T.self)
        let last = shape.count - 1, tile = 32
        let to = Shapes.rowMajorStrides(shape)
        let rows = shape[fast], columns = shape[last]
        let (rowStep, columnStep, targetStep) = (strides[fast], strides[last], to[fast])
        let others = shape.indices.filter { $0 != fast && $0 != last }
        let panels = (rows + tile - 1) / tile
        let planes = others.reduce(1) { $0 &* shape[$1] }
        try ThreadPool.parallel(panels &* planes) { index in
            var rest = index / panels, fromOffset = 0, toOffset = 0
            for axis in others.reversed() {
                fromOffset &+= rest % shape[axis] &* strides[axis]
                toOffset &+= rest % shape[axis] &* to[axis]
                rest /= shape[axis]
            }
            let first = index % panels &* tile
            let height = min(tile, rows - first)
            var column = 0
            while column < columns, !Interrupt.isSet {
                let width = min(tile, columns - column)
                for i in first..<first + height {
                    let from = source + (fromOffset &+ i &* rowStep &+ column &* columnStep)
                    let line = target + (toOffset &+ i &* targetStep &+ column)
                    for j in 0..<width { line[j] = from[j &* columnStep] }
                }
                column += width
            }
        }
    }
}
