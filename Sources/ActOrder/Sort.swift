// Sorting of rows of numbers, and the order that sorts them. Numbers become integers of the same order, which the kernels sort.
//
// What must stay true: NaN comes last; of an order, equal numbers stay in theirs. Sorted integers are the same whoever sorted which part,
// so how the work is shared out does not show.

import ActArray
import CActKernels

/// A floating-point type whose rows can be sorted.
protocol SortableNumber {
    /// How its keys are sorted.
    static var keys: SortKernels { get }
    static func toKeys(_ numbers: UnsafeMutableRawPointer, _ count: Int)
    static func toNumbers(_ keys: UnsafeMutableRawPointer, _ count: Int)
    /// `ranks[i]` for `range`: the upper bits of the key of `numbers[i]`, then i in the lowest `bits`.
    static func rank(_ numbers: UnsafePointer<Self>, _ range: Range<Int>, bits: Int, _ ranks: UnsafeMutablePointer<Int64>)
    /// The lowest `bits` of the key of a number, if its rank lacks them.
    static func rest(_ number: Self, bits: Int) -> Int64?
}

/// Kernels that sort integers of one size.
struct SortKernels: Sendable {
    let size: Int
    let sort: @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int) -> Void
    /// Puts those below some key first: how many these are.
    let divide: @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer, Int) -> Int
}

extension Double: SortableNumber {
    static let keys = SortKernels(size: 8, sort: Kernels.table.pointee.sort_f64, divide: Kernels.table.pointee.divide_f64)
    static func toKeys(_ numbers: UnsafeMutableRawPointer, _ count: Int) { Kernels.table.pointee.keys_f64(numbers, count) }
    static func toNumbers(_ keys: UnsafeMutableRawPointer, _ count: Int) { Kernels.table.pointee.numbers_f64(keys, count) }
    static func rank(_ numbers: UnsafePointer<Double>, _ range: Range<Int>, bits: Int, _ ranks: UnsafeMutablePointer<Int64>) {
        Kernels.table.pointee.ranks_f64(numbers + range.lowerBound, range.lowerBound, range.count, Int32(bits), ranks + range.lowerBound)
    }
    static func rest(_ number: Double, bits: Int) -> Int64? {
        let bitPattern = Int64(bitPattern: (number + 0).bitPattern)
        return (number.isNaN ? .max : bitPattern ^ (bitPattern >> 63) & .max) & (1 << Int64(bits) - 1)
    }
}

extension Float: SortableNumber {
    static let keys = SortKernels(size: 4, sort: Kernels.table.pointee.sort_f32, divide: Kernels.table.pointee.divide_f32)
    static func toKeys(_ numbers: UnsafeMutableRawPointer, _ count: Int) { Kernels.table.pointee.keys_f32(numbers, count) }
    static func toNumbers(_ keys: UnsafeMutableRawPointer, _ count: Int) { Kernels.table.pointee.numbers_f32(keys, count) }
    static func rank(_ numbers: UnsafePointer<Float>, _ range: Range<Int>, bits: Int, _ ranks: UnsafeMutablePointer<Int64>) {
        Kernels.table.pointee.ranks_f32(numbers + range.lowerBound, range.lowerBound, range.count, Int32(bits), ranks + range.lowerBound)
    }
    /// The key is in the upper half of the rank, whole.
    static func rest(_ number: Float, bits: Int) -> Int64? { nil }
}

enum Sort {
    /// Sorts each row of `length` numbers in place; NaN last.
    /// - Throws: `outOfMemory`; `interrupted`, after which the numbers are of no use.
    static func sort<T: SortableNumber>(_ numbers: UnsafeMutablePointer<T>, count: Int, length: Int) throws {
        try forEachPart(count, length, scratchSize: T.keys.size) { part, scratch, isParallel in
            let base = UnsafeMutableRawPointer(numbers + part.lowerBound), size = T.keys.size
            try pieces(part.count, isParallel) { T.toKeys(base + $0.lowerBound * size, $0.count) }
            for row in stride(from: 0, to: part.count, by: length) { try sort(base + row * size, scratch, length, T.keys, isParallel) }
            try pieces(part.count, isParallel) { T.toNumbers(base + $0.lowerBound * size, $0.count) }
        }
    }

    /// For each row of `length` numbers the indices in it in the order that sorts it; equal numbers (−0 and 0 too) stay in order.
    /// - Throws: `tooLarge` for rows of more than 2³¹ numbers; `outOfMemory`, `interrupted`.
    static func order<T: SortableNumber>(
        of numbers: UnsafePointer<T>, count: Int, length: Int, into order: UnsafeMutablePointer<Int64>
    ) throws {
        guard length <= 1 << 31 else { throw ArrayError.tooLarge(shape: [length]) }
        let bits = max(1, Int.bitWidth - max(0, length - 1).leadingZeroBitCount), mask: Int64 = 1 << Int64(bits) - 1
        try forEachPart(count, length, scratchSize: 8) { part, scratch, isParallel in
            for start in stride(from: part.lowerBound, to: part.upperBound, by: length) {
                let row = numbers + start, ranks = order + start
                try pieces(length, isParallel) { T.rank(row, $0, bits: bits, ranks) }
                try sort(ranks, scratch, length, Double.keys, isParallel)
                if T.rest(row[0], bits: bits) != nil { try settle(row, ranks, scratch.assumingMemoryBound(to: Int64.self), length, bits, isParallel) }
                try pieces(length, isParallel) { for i in $0 { ranks[i] &= mask } }
            }
        }
    }

    /// Sorts ranks whose keys agree but for the bits that ranks lack by these.
    private static func settle<T: SortableNumber>(
        _ numbers: UnsafePointer<T>, _ ranks: UnsafeMutablePointer<Int64>, _ scratch: UnsafeMutablePointer<Int64>, _ count: Int, _ bits: Int,
        _ isParallel: Bool
    ) throws {
        let shift = Int64(bits), mask: Int64 = 1 << shift - 1
        // Parts that no run of such ranks reaches across.
        let parts = isParallel ? (count + pieceSize - 1) / pieceSize : 1
        var bounds = [0]
        for part in 1..<max(1, parts) {
            var bound = max(bounds[part - 1], part * pieceSize)
            while bound < count, (ranks[bound] ^ ranks[bound - 1]) >> shift == 0 { bound += 1 }
            bounds.append(bound)
        }
        bounds.append(count)
        try ThreadPool.parallel(parts) { part in
            var start = bounds[part]
            let end = bounds[part + 1]
            while start < end, !Interrupt.isSet {
                let upper = ranks[start] >> shift
                var next = start + 1
                while next < end, ranks[next] >> shift == upper { next += 1 }
                if next - start > 1 {
                    for i in start..<next {
                        let index = ranks[i] & mask
                        scratch[i] = (T.rest(numbers[Int(index)], bits: bits) ?? 0) << shift | index
                    }
                    Double.keys.sort(scratch + start, ranks + start, next - start)
                    for i in start..<next { ranks[i] = scratch[i] & mask }
                }
                start = next
            }
        }
    }

    // MARK: Sharing out

    private static let pieceSize = 1 << 16
    /// So many are sorted by several threads.
    private static let many = 1 << 13

    /// Sorts integers: divided into some parts for each thread, which are sorted side by side.
    private static func sort(
        _ keys: UnsafeMutableRawPointer, _ scratch: UnsafeMutableRawPointer, _ count: Int, _ kernels: SortKernels, _ isParallel: Bool
    ) throws {
        guard isParallel, count >= many, ThreadPool.count > 1 else {
            kernels.sort(keys, scratch, count)
            return try Interrupt.check()
        }
        var bounds = [0, count]
        let wanted = count < 1 << 16 ? 2 : 4 * ThreadPool.count
        while bounds.count <= wanted {
            var middles = [Int](repeating: 0, count: bounds.count - 1)
            try middles.withUnsafeMutableBufferPointer { middles in
                try ThreadPool.parallel(middles.count) { part in
                    let start = bounds[part] * kernels.size
                    middles[part] = bounds[part] + kernels.divide(keys + start, scratch + start, bounds[part + 1] - bounds[part])
                }
            }
            bounds = zip(bounds, middles).flatMap { [$0, $1] } + [count]
        }
        try ThreadPool.parallel(bounds.count - 1) { part in
            let start = bounds[part] * kernels.size
            kernels.sort(keys + start, scratch + start, bounds[part + 1] - bounds[part])
        }
    }

    /// Runs `body` with parts of whole rows, and scratch memory for one row: a long row alone, on all threads; many short ones on one.
    private static func forEachPart(
        _ count: Int, _ length: Int, scratchSize: Int, _ body: (_ part: Range<Int>, _ scratch: UnsafeMutableRawPointer, _ isParallel: Bool) throws -> Void
    ) throws {
        guard count > 0, length > 0 else { return }
        let isParallel = length >= 1 << 16 || length == count
        let size = isParallel ? length : max(1, (1 << 14) / length) * length
        func run(_ index: Int) throws {
            let scratch = try Storage(byteCount: length * scratchSize)
            try withExtendedLifetime(scratch) { try body(index * size..<min(count, (index + 1) * size), scratch.pointer, isParallel) }
            try Interrupt.check()
        }
        let parts = (count + size - 1) / size
        if isParallel {
            for part in 0..<parts { try run(part) }
        } else {
            try ThreadPool.parallel(parts, run)
        }
    }

    /// Calls `body` with the pieces of 0 ..< `count`, and ends early when interrupted.
    @inline(__always)
    private static func pieces(_ count: Int, _ isParallel: Bool, _ body: (Range<Int>) -> Void) throws {
        if isParallel {
            try ThreadPool.parallelPieces(count, of: pieceSize, body)
        } else {
            try Interrupt.forEachPiece(count, of: pieceSize, body)
        }
    }
}
