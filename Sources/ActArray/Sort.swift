// Sorting of raw numbers: radix sort of order-preserving integers, a digit at a time, the elements of each digit shared out among the
// threads. Equal keys keep their order, so how the work is shared out does not show in the result.

import Synchronization

/// A floating-point type that maps to unsigned integers of the same order; NaN comes last, and −0 before 0.
protocol SortableNumber: BinaryFloatingPoint {
    associatedtype Key: FixedWidthInteger & UnsignedInteger & Keyed
    var sortKey: Key { get }
    init(sortKey: Key)
}

extension Double: SortableNumber {
    @inline(__always)
    var sortKey: UInt64 {
        let bits = bitPattern
        let key = bits ^ (UInt64(bitPattern: Int64(bitPattern: bits) >> 63) | 1 << 63)
        return isNaN ? .max : key
    }

    @inline(__always)
    init(sortKey key: UInt64) { self.init(bitPattern: key >> 63 == 1 ? key ^ 1 << 63 : ~key) }
}

extension Float: SortableNumber {
    @inline(__always)
    var sortKey: UInt32 {
        let bits = bitPattern
        let key = bits ^ (UInt32(bitPattern: Int32(bitPattern: bits) >> 31) | 1 << 31)
        return isNaN ? .max : key
    }

    @inline(__always)
    init(sortKey key: UInt32) { self.init(bitPattern: key >> 31 == 1 ? key ^ 1 << 31 : ~key) }
}

/// What is sorted: something with a key.
protocol Keyed {
    associatedtype Key: FixedWidthInteger & UnsignedInteger
    var key: Key { get }
}

extension UInt32: Keyed {
    var key: UInt32 { self }
}

extension UInt64: Keyed {
    var key: UInt64 { self }
}

/// A key and where it was.
struct IndexedKey<Key: FixedWidthInteger & UnsignedInteger>: Keyed {
    var key: Key
    var index: Key
}

enum Sort {
    /// Sorts numbers in place; NaN last.
    /// - Throws: `outOfMemory`; `interrupted`, after which the elements are of no use.
    static func sort<T: SortableNumber>(_ numbers: UnsafeMutablePointer<T>, count: Int, isParallel: Bool) throws {
        guard count > 1 else { return }
        let keys = UnsafeMutableRawPointer(numbers).assumingMemoryBound(to: T.Key.self)
        let isDisordered = Atomic<Bool>(false)
        try pieces(count, isParallel) { piece in
            var isSorted = true, last = T.Key.min
            for i in piece {
                let key = numbers[i].sortKey
                isSorted = isSorted && key >= last
                keys[i] = key
                last = key
            }
            if !isSorted { isDisordered.store(true, ordering: .relaxed) }
        }
        var boundary = pieceSize
        while boundary < count, keys[boundary - 1] <= keys[boundary] { boundary += pieceSize }
        if isDisordered.load(ordering: .relaxed) || boundary < count { try sort(keys, count: count, keyBits: T.Key.bitWidth, isParallel: isParallel) }
        try pieces(count, isParallel) { piece in
            for i in piece { numbers[i] = T(sortKey: keys[i]) }
        }
    }

    /// The order that sorts numbers: `body(rank, index)` for each rank, on any thread. Equal numbers (−0 and 0 too) stay in order.
    static func order<T: SortableNumber>(
        of numbers: UnsafePointer<T>, count: Int, isParallel: Bool, _ body: (_ rank: Int, _ index: Int) -> Void
    ) throws {
        guard count <= T.Key.max else { return try order(of: numbers, count: count, as: UInt64.self, isParallel: isParallel, body) }
        try order(of: numbers, count: count, as: T.Key.self, isParallel: isParallel, body)
    }

    private static func order<T: SortableNumber, Key: FixedWidthInteger & UnsignedInteger>(
        of numbers: UnsafePointer<T>, count: Int, as _: Key.Type, isParallel: Bool, _ body: (_ rank: Int, _ index: Int) -> Void
    ) throws {
        let storage = try Storage(byteCount: count * MemoryLayout<IndexedKey<Key>>.stride)
        let pairs = storage.pointer.assumingMemoryBound(to: IndexedKey<Key>.self)
        try withExtendedLifetime(storage) {
            try pieces(count, isParallel) { piece in
                for i in piece { pairs[i] = IndexedKey(key: Key((numbers[i] + 0).sortKey), index: Key(truncatingIfNeeded: i)) }
            }
            try sort(pairs, count: count, keyBits: T.Key.bitWidth, isParallel: isParallel)
            try pieces(count, isParallel) { piece in
                for rank in piece { body(rank, Int(pairs[rank].index)) }
            }
        }
    }

    // MARK: Pieces

    private static let pieceSize = 1 << 16

    /// Calls `body` with the pieces of 0 ..< `count`, and ends early when interrupted.
    @inline(__always)
    private static func pieces(_ count: Int, _ isParallel: Bool, _ body: (Range<Int>) -> Void) throws {
        if isParallel {
            try ThreadPool.parallelPieces(count, of: pieceSize, body)
        } else {
            try Interrupt.forEachPiece(count, of: pieceSize, body)
        }
    }

    // MARK: Digits

    /// Digits have 8 bits, or 11 when there are many elements.
    private static let mostBuckets = 1 << 11
    /// So few elements are sorted by merging.
    private static let few = 400

    /// Sorts elements in place by their keys, keeping the order of equal ones.
    private static func sort<Element: Keyed>(_ elements: UnsafeMutablePointer<Element>, count: Int, keyBits: Int, isParallel: Bool) throws {
        if count <= few { return mergeSort(elements, count) }
        // A thread takes the same part of the elements for every digit.
        let parts = isParallel && count >= 1 << 16 ? min(ThreadPool.count, 16) : 1
        let elementBytes = (count * MemoryLayout<Element>.stride + 63) / 64 * 64
        let storage = try Storage(byteCount: elementBytes + parts * mostBuckets * MemoryLayout<Int>.stride)
        try withExtendedLifetime(storage) {
            let scratch = storage.pointer.assumingMemoryBound(to: Element.self)
            let tables = (storage.pointer + elementBytes).assumingMemoryBound(to: Int.self)
            let bits = count < 1 << 12 ? 8 : 11
            if keyBits <= 32 { return try sortDigits(elements, scratch, count, bits: bits, 0..<32, parts, tables) }
            // Of 64-bit keys the upper half decides nearly always: that first, then each run in which it is equal by the lower half.
            let base = keyBits - (bits == 8 ? 32 : 33)
            try sortDigits(elements, scratch, count, bits: bits, base..<keyBits, parts, tables)
            let length = (count + parts - 1) / parts
            try ThreadPool.parallel(parts) { part in
                sortRuns(elements, scratch, count, part * length..<min(count, (part + 1) * length), base: base, tables + part * mostBuckets)
            }
        }
    }

    /// Sorts by the bits `range` of the keys, a digit of `bits` at a time, least significant first. A digit in which all keys agree costs
    /// no copy.
    private static func sortDigits<Element: Keyed>(
        _ elements: UnsafeMutablePointer<Element>, _ scratch: UnsafeMutablePointer<Element>, _ count: Int, bits: Int, _ range: Range<Int>,
        _ parts: Int, _ tables: UnsafeMutablePointer<Int>
    ) throws {
        let buckets = 1 << bits, mask = Element.Key(truncatingIfNeeded: buckets - 1), length = (count + parts - 1) / parts
        var from = elements, to = scratch
        for base in stride(from: range.lowerBound, to: range.upperBound, by: bits) {
            let shift = Element.Key(truncatingIfNeeded: base), source = from, target = to
            try ThreadPool.parallel(parts) { part in
                let table = tables + part * mostBuckets
                table.update(repeating: 0, count: buckets)
                inPieces(part * length, min(count, (part + 1) * length)) { piece in
                    for i in piece { table[Int(truncatingIfNeeded: (source[i].key &>> shift) & mask)] &+= 1 }
                }
            }
            let first = Int(truncatingIfNeeded: (source[0].key &>> shift) & mask)
            if (0..<parts).reduce(0, { $0 &+ tables[$1 * mostBuckets + first] }) == count { continue }
            var sum = 0
            for bucket in 0..<buckets {
                for part in 0..<parts {
                    let place = tables + (part &* mostBuckets &+ bucket), size = place.pointee
                    place.pointee = sum
                    sum &+= size
                }
            }
            try ThreadPool.parallel(parts) { part in
                let table = tables + part * mostBuckets
                inPieces(part * length, min(count, (part + 1) * length)) { piece in
                    for i in piece {
                        let element = source[i]
                        let bucket = Int(truncatingIfNeeded: (element.key &>> shift) & mask)
                        target[table[bucket]] = element
                        table[bucket] &+= 1
                    }
                }
            }
            swap(&from, &to)
        }
        if from != elements { try pieces(count, parts > 1) { (elements + $0.lowerBound).update(from: from + $0.lowerBound, count: $0.count) } }
    }

    /// Calls `body` with pieces of `start ..< end`, until an interrupt.
    @inline(__always)
    private static func inPieces(_ start: Int, _ end: Int, _ body: (Range<Int>) -> Void) {
        var first = start
        while first < end, !Interrupt.isSet {
            let last = min(end, first &+ (1 << 20))
            body(first..<last)
            first = last
        }
    }

    /// Sorts each run of keys that are equal above their lowest `base` bits by these; of the runs that begin in `part`.
    private static func sortRuns<Element: Keyed>(
        _ elements: UnsafeMutablePointer<Element>, _ scratch: UnsafeMutablePointer<Element>, _ count: Int, _ part: Range<Int>, base: Int,
        _ table: UnsafeMutablePointer<Int>
    ) {
        let shift = Element.Key(truncatingIfNeeded: base)
        var start = part.lowerBound
        if start > 0 {
            let before = elements[start - 1].key &>> shift
            while start < part.upperBound, elements[start].key &>> shift == before { start += 1 }
        }
        while start < part.upperBound, !Interrupt.isSet {
            let upper = elements[start].key &>> shift
            var end = start + 1
            while end < count, elements[end].key &>> shift == upper { end += 1 }
            let length = end - start
            if length > few {
                // Only an interrupt is thrown, and the caller looks for that.
                try? sortDigits(elements + start, scratch + start, length, bits: length < 1 << 12 ? 8 : 11, 0..<base, 1, table)
            } else if length > 1 {
                mergeSort(elements + start, length)
            }
            start = end
        }
    }

    /// Runs of eight by insertion, then merged in pairs; no branch depends on the elements there.
    private static func mergeSort<Element: Keyed>(_ elements: UnsafeMutablePointer<Element>, _ count: Int) {
        let run = 8
        for start in stride(from: 0, to: count, by: run) { insertionSort(elements + start, min(run, count - start)) }
        if count <= run { return }
        let scratch = UnsafeMutablePointer<Element>.allocate(capacity: count)
        defer { scratch.deallocate() }
        var from = elements, to = scratch, width = run
        while width < count {
            for start in stride(from: 0, to: count, by: 2 * width) {
                merge(from + start, min(width, count - start), min(2 * width, count - start), to: to + start)
            }
            swap(&from, &to)
            width *= 2
        }
        if from != elements { elements.update(from: from, count: count) }
    }

    /// Merges elements 0 ..< middle with those from there to `end`; of equal ones the former come first.
    @inline(__always)
    private static func merge<Element: Keyed>(
        _ from: UnsafeMutablePointer<Element>, _ middle: Int, _ end: Int, to: UnsafeMutablePointer<Element>
    ) {
        var i = 0, j = middle, k = 0
        while i < middle, j < end {
            let takesSecond = from[j].key < from[i].key
            to[k] = takesSecond ? from[j] : from[i]
            j &+= takesSecond ? 1 : 0
            i &+= takesSecond ? 0 : 1
            k &+= 1
        }
        if i < middle { (to + k).update(from: from + i, count: middle - i) } else { (to + k).update(from: from + j, count: end - j) }
    }

    private static func insertionSort<Element: Keyed>(_ a: UnsafeMutablePointer<Element>, _ count: Int) {
        var i = 1
        while i < count {
            let element = a[i], own = element.key
            var j = i
            while j > 0, a[j - 1].key > own {
                a[j] = a[j - 1]
                j -= 1
            }
            a[j] = element
            i += 1
        }
    }
}
