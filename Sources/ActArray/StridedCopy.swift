// Reading and writing arrays that are not row-major without gaps: views that are transposed, sliced, reversed or stretched.

import CActKernels

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
        fileprivate let size, stride: Int
        private(set) var length: Int
        /// From an element to the next one of its row: 0 or 1.
        let step: Int

        /// How many pieces a row is seen as, each of `length` elements.
        private var pieces = 1

        fileprivate init(base: UnsafeRawPointer, size: Int, length: Int, stride: Int, step: Int) {
            (self.base, self.size, self.length, self.stride, self.step) = (base, size, length, stride, step)
        }

        func element(_ row: Int, _ column: Int) -> UnsafeRawPointer {
            if pieces == 1 { return base + (row &* stride &+ column &* step) &* size }
            return base + (row / pieces &* stride &+ (row % pieces &* length &+ column) &* step) &* size
        }

        /// From a row to the next one, in bytes; `nil` where they are pieces of longer ones.
        var distance: Int? { pieces == 1 ? stride &* size : nil }

        /// The same as rows of a length; `nil` where they have no whole number of these.
        func cut(to length: Int) -> Rows? {
            guard self.length % length == 0 else { return nil }
            var rows = self
            (rows.pieces, rows.length) = (self.length / length, length)
            return rows
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
            case 1: to.copyRun(from: from, run)
            case 0: to.update(repeating: from.pointee, count: run)
            case 2: to.copyEveryOther(from: from, run)
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

    /// Copies one element to all that this view shows.
    func fill<T>(_ element: UnsafeRawPointer, as _: T.Type) {
        let value = element.load(as: T.self), target = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: T.self)
        forEachRun(0, shape.reduce(1, &*)) { offset, step, run, _ in
            for i in 0..<run { target[offset &+ i &* step] = value }
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

    /// Copies everything, on all threads; transposed views by tiles, so that whole cache lines are used, and those of short runs by planes.
    func copyAll(to target: UnsafeMutableRawPointer) throws {
        let count = shape.reduce(1, &*)
        if count == 0 { return }
        if count >= 4096, let fast = axisAcross {
            switch size {
            case 1: try copyTiles(fast, target.assumingMemoryBound(to: UInt8.self))
            case 4: try copyTiles(fast, target.assumingMemoryBound(to: UInt32.self))
            default: try copyTiles(fast, target.assumingMemoryBound(to: UInt64.self))
            }
            return
        }
        if count >= 4096, size > 1, shape.count > 1, strides[shape.count - 1] == 1, shape[shape.count - 1] <= 512 { return try copyRuns(to: target) }
        try ThreadPool.parallelPieces(count) { piece in
            copy(piece.lowerBound, piece.count, to: target + piece.lowerBound * size)
        }
    }

    /// The axis along which elements lie beside each other, if that is another than the last.
    var axisAcross: Int? {
        let last = shape.count - 1
        guard last > 0, abs(strides[last]) != 1, strides[last] != 0 else { return nil }
        return strides.indices.dropLast().last { abs(strides[$0]) == 1 && shape[$0] >= 8 }
    }

    /// Copies planes of the last two axes, the last of which is contiguous, some rows at a time.
    private func copyRuns(to target: UnsafeMutableRawPointer) throws {
        let last = shape.count - 1, length = shape[last], rows = shape[last - 1]
        let height = min(rows, max(1, (1 << 16) / length)), panels = (rows + height - 1) / height
        let planes = shape[..<(last - 1)].reduce(1, &*), together = max(1, (1 << 16) / (height &* length))
        try ThreadPool.parallelPieces(panels &* planes, of: together) { piece in
            for index in piece {
                var rest = index / panels, offset = index % panels &* height &* strides[last - 1]
                for axis in (0..<(last - 1)).reversed() {
                    offset &+= rest % shape[axis] &* strides[axis]
                    rest /= shape[axis]
                }
                let row = index / panels &* rows &+ index % panels &* height, count = min(height, rows &- index % panels &* height)
                StridedView.arrange(base + offset &* size, strides[last - 1], 1, count, length, to: target + row &* length &* size, length, size)
            }
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
                defer { column += width }
                if rowStep == 1, MemoryLayout<T>.size > 1 {
                    let from = source + (fromOffset &+ first &+ column &* columnStep), to = target + (toOffset &+ first &* targetStep &+ column)
                    StridedView.arrange(from, 1, columnStep, height, width, to: to, targetStep, MemoryLayout<T>.size)
                    continue
                }
                for i in first..<first + height {
                    let from = source + (fromOffset &+ i &* rowStep &+ column &* columnStep)
                    let line = target + (toOffset &+ i &* targetStep &+ column)
                    for j in 0..<width { line[j] = from[j &* columnStep] }
                }
            }
        }
    }
}

extension StridedView {
    /// `to[p * width + j] = x[p * along + j * across]` for p < `count`, j < `used`, of elements of four or eight bytes.
    fileprivate static func arrange(
        _ x: UnsafeRawPointer, _ along: Int, _ across: Int, _ count: Int, _ used: Int, to: UnsafeMutableRawPointer, _ width: Int, _ size: Int
    ) {
        if size == 4 {
            Float.arrange(
                x.assumingMemoryBound(to: Float.self), along: along, across: across, count, used, to: to.assumingMemoryBound(to: Float.self), width: width)
        } else {
            Double.arrange(
                x.assumingMemoryBound(to: Double.self), along: along, across: across, count, used, to: to.assumingMemoryBound(to: Double.self), width: width)
        }
    }
}

/// Two places in memory that show arrays of one shape: the elements of one are copied to the other, run by run. Whoever makes it keeps both
/// until the last use, and nobody else sees the target meanwhile.
struct StridedPair {
    private let source: UnsafeRawPointer, target: UnsafeMutableRawPointer
    private let size: Int
    /// Axes merged where both places allow it, the last of which moves fastest.
    private let shape: [Int], from: [Int], to: [Int]

    /// - Parameters: `from` and `to` are strides, in elements of `size` bytes.
    init(
        from source: UnsafeRawPointer, strides from: [Int], to target: UnsafeMutableRawPointer, strides to: [Int], _ shape: [Int], _ size: Int
    ) {
        let merged = MergedAxes(shape, [from, to])
        (self.source, self.target, self.size) = (source, target, size)
        let isSingle = merged.shape.isEmpty
        (self.shape, self.from, self.to) = isSingle ? ([1], [1], [1]) : (merged.shape, merged.strides[0], merged.strides[1])
    }

    private var last: Int { shape.count - 1 }
    private var rows: Int { shape[..<last].reduce(1, &*) }

    /// On the calling thread.
    func copy() { copy(rows: 0..<rows, columns: 0..<shape[last]) }

    /// On all threads.
    /// - Throws: `interrupted`, if that may end it early.
    func copyAll(canStop: Bool = true) throws {
        let length = shape[last], rows = rows, piece = 1 << 16
        if length == 0 || rows == 0 { return }
        let each = max(1, piece / length), parts = (length + piece - 1) / piece
        let chunks = (rows + each - 1) / each &* parts
        func run(_ index: Int) {
            let (row, part) = (index / parts &* each, index % parts &* piece)
            copy(rows: row..<min(rows, row &+ each), columns: part..<min(length, part &+ piece))
        }
        if canStop { try ThreadPool.parallel(chunks, run) } else { ThreadPool.parallelFor(chunks, run) }
    }

    /// Copies some columns of some of the rows, which are the runs along the last axis.
    private func copy(rows: Range<Int>, columns: Range<Int>) {
        switch size {
        case 1: copy(UInt8.self, rows, columns)
        case 4: copy(UInt32.self, rows, columns)
        default: copy(UInt64.self, rows, columns)
        }
    }

    private func copy<T>(_: T.Type, _ rows: Range<Int>, _ columns: Range<Int>) {
        if rows.isEmpty || columns.isEmpty { return }
        let source = source.assumingMemoryBound(to: T.self) + columns.lowerBound &* from[last]
        let target = target.assumingMemoryBound(to: T.self) + columns.lowerBound &* to[last]
        let count = columns.count, (step, stride) = (from[last], to[last])
        forEachRow(rows) { here, there in
            let x = source + here, y = target + there
            if step == 1, stride == 1 {
                // Calls for a few elements would take longer than copying.
                if count > 16 { y.copyRun(from: x, count) } else { for i in 0..<count { y[i] = x[i] } }
            } else if step == 0, stride == 1 {
                y.update(repeating: x.pointee, count: count)
            } else {
                for i in 0..<count { y[i &* stride] = x[i &* step] }
            }
        }
    }

    /// Calls `body` with the offsets of the first element of each row in both places.
    @inline(__always)
    private func forEachRow(_ rows: Range<Int>, _ body: (_ from: Int, _ to: Int) -> Void) {
        withUnsafeTemporaryAllocation(of: Int.self, capacity: shape.count) { position in
            var rest = rows.lowerBound, here = 0, there = 0
            for axis in 0..<last {
                let axis = last &- 1 &- axis
                position[axis] = rest % shape[axis]
                rest /= shape[axis]
                here &+= position[axis] &* from[axis]
                there &+= position[axis] &* to[axis]
            }
            for _ in rows {
                body(here, there)
                var axis = last &- 1
                while axis >= 0 {
                    position[axis] &+= 1
                    here &+= from[axis]
                    there &+= to[axis]
                    if position[axis] < shape[axis] { break }
                    here &-= shape[axis] &* from[axis]
                    there &-= shape[axis] &* to[axis]
                    position[axis] = 0
                    axis &-= 1
                }
            }
        }
    }
}

extension UnsafeMutablePointer {
    /// Copies elements that do not overlap. The C library takes the processor's own instruction for runs of some thousand bytes, which is quick for
    /// what leaves the caches, but ten times slower on some processors where the target lies a little further on in its page than the source.
    @inline(__always)
    fileprivate func copyRun(from source: UnsafePointer<Pointee>, _ count: Int) {
        let bytes = count &* MemoryLayout<Pointee>.stride, from = UnsafeRawPointer(source), to = UnsafeMutableRawPointer(self)
        if bytes <= 2048 || (UnsafeRawPointer(to) - from - 1) & 0xfff >= 63 { return update(from: source, count: count) }
        to.storeBytes(of: from.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
        // On from where the target is aligned; the last vectors along with some that are there already.
        var i = -Int(bitPattern: to) & 15
        while i &+ 64 <= bytes {
            (to + i).storeBytes(of: (from + i).loadUnaligned(as: SIMD64<UInt8>.self), as: SIMD64<UInt8>.self)
            i &+= 64
        }
        (to + bytes - 64).storeBytes(of: (from + bytes - 64).loadUnaligned(as: SIMD64<UInt8>.self), as: SIMD64<UInt8>.self)
    }

    /// Copies every other element, which do not overlap.
    @inline(__always)
    fileprivate func copyEveryOther(from source: UnsafePointer<Pointee>, _ count: Int) {
        // Vectors are taken apart while they lie before the last element: nothing is read behind that.
        var i = 0
        if MemoryLayout<Pointee>.size == 4 {
            while i &+ 8 < count {
                let pair = UnsafeRawPointer(source + 2 &* i).loadUnaligned(as: SIMD16<UInt32>.self)
                UnsafeMutableRawPointer(self + i).storeBytes(of: pair.evenHalf, as: SIMD8<UInt32>.self)
                i &+= 8
            }
        } else if MemoryLayout<Pointee>.size == 8 {
            while i &+ 4 < count {
                let pair = UnsafeRawPointer(source + 2 &* i).loadUnaligned(as: SIMD8<UInt64>.self)
                UnsafeMutableRawPointer(self + i).storeBytes(of: pair.evenHalf, as: SIMD4<UInt64>.self)
                i &+= 4
            }
        }
        while i < count {
            self[i] = source[2 &* i]
            i &+= 1
        }
    }
}
