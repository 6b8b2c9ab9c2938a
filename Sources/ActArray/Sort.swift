// Sorting of raw numbers: radix sort of order-preserving integers, halves on several threads merged afterwards. Equal keys keep their
// order, so how the work is shared out does not show in the result.

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
    static func sort<T: SortableNumber>(_ numbers: UnsafeMutablePointer<T>, count: Int, isParallel: Bool) throws {
        guard count > 1 else { return }
        let keys = UnsafeMutableRawPointer(numbers).assumingMemoryBound(to: T.Key.self)
        var isSorted = true, last = T.Key.min
        for i in 0..<count {
            let key = numbers[i].sortKey
            isSorted = isSorted && key >= last
            keys[i] = key
            last = key
        }
        if !isSorted { try sort(keys, count: count, keyBits: T.Key.bitWidth, isParallel: isParallel) }
        for i in 0..<count { numbers[i] = T(sortKey: keys[i]) }
    }

    /// The order that sorts numbers: `body(rank, index)` for rank 0, 1, … Equal numbers (−0 and 0 too) stay in order.
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
            for i in 0..<count { pairs[i] = IndexedKey(key: Key((numbers[i] + 0).sortKey), index: Key(truncatingIfNeeded: i)) }
            try sort(pairs, count: count, keyBits: T.Key.bitWidth, isParallel: isParallel)
            for rank in 0..<count { body(rank, Int(pairs[rank].index)) }
        }
    }

    /// Sorts elements in place by their keys, keeping the order of equal ones.
    private static func sort<Element: Keyed>(_ elements: UnsafeMutablePointer<Element>, count: Int, keyBits: Int, isParallel: Bool) throws {
        if count <= 48 { return insertionSort(elements, count) }
        // Parts sorted side by side, then merged in pairs, every merge cut into pieces of equal length.
        var parts = 1
        while isParallel, count >= 1 << 16, parts < ThreadPool.count, parts < 16 { parts *= 2 }
        let elementBytes = (count * MemoryLayout<Element>.stride + 63) / 64 * 64
        let storage = try Storage(byteCount: elementBytes + parts * tableSize * MemoryLayout<Int>.stride)
        withExtendedLifetime(storage) {
            let scratch = storage.pointer.assumingMemoryBound(to: Element.self)
            let tables = (storage.pointer + elementBytes).assumingMemoryBound(to: Int.self)
            if parts == 1 { return radixSort(elements, scratch, count, keyBits, tables) }
            let length = (count + parts - 1) / parts
            ThreadPool.parallelFor(parts) { part in
                let start = min(count, part * length)
                radixSort(elements + start, scratch + start, min(length, count - start), keyBits, tables + part * tableSize)
            }
            var from = elements, to = scratch, width = length
            while width < count {
                mergePairs(from, to, count: count, width: width)
                swap(&from, &to)
                width *= 2
            }
            if from != elements { elements.update(from: from, count: count) }
        }
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

    /// The most counts that one sort needs: of three digits of 11 bits.
    private static let tableSize = 3 << 11

    /// By digits of 8 bits, or of 11 when there are many elements. Of 64-bit keys the upper half decides nearly always, so that is sorted
    /// first, and then each run in which it is equal by the lower half.
    private static func radixSort<Element: Keyed>(
        _ elements: UnsafeMutablePointer<Element>, _ scratch: UnsafeMutablePointer<Element>, _ count: Int, _ keyBits: Int,
        _ tables: UnsafeMutablePointer<Int>
    ) {
        if count <= 48 { return insertionSort(elements, count) }
        let bits = count < 1 << 12 ? 8 : 11, passes = 32 / bits + (bits == 8 ? 0 : 1)
        if keyBits <= 32 { return sortDigits(elements, scratch, count, bits: bits, passes: passes, base: 0, tables) }
        let base = keyBits - bits * passes, shift = Element.Key(truncatingIfNeeded: base)
        sortDigits(elements, scratch, count, bits: bits, passes: passes, base: base, tables)
        var start = 0
        while start < count {
            let upper = elements[start].key &>> shift
            var end = start + 1
            while end < count, elements[end].key &>> shift == upper { end += 1 }
            let length = end - start
            if length > 48 {
                let bits = length < 1 << 12 ? 8 : 11
                sortDigits(elements + start, scratch + start, length, bits: bits, passes: (base + bits - 1) / bits, base: 0, tables)
            } else if length > 1 {
                insertionSort(elements + start, length)
            }
            start = end
        }
    }

    /// Sorts by `passes` digits of the keys above their lowest `base` bits, least significant digit first. Digits in which all keys
    /// agree cost nothing.
    private static func sortDigits<Element: Keyed>(
        _ elements: UnsafeMutablePointer<Element>, _ scratch: UnsafeMutablePointer<Element>, _ count: Int, bits: Int, passes: Int, base: Int,
        _ tables: UnsafeMutablePointer<Int>
    ) {
        let buckets = 1 << bits, mask = Element.Key(truncatingIfNeeded: buckets - 1)
        tables.update(repeating: 0, count: passes * buckets)
        for i in 0..<count {
            var rest = elements[i].key &>> Element.Key(truncatingIfNeeded: base), table = tables
            for _ in 0..<passes {
                table[Int(truncatingIfNeeded: rest & mask)] &+= 1
                rest = rest &>> Element.Key(truncatingIfNeeded: bits)
                table += buckets
            }
        }
        var from = elements, to = scratch
        for pass in 0..<passes {
            let table = tables + pass * buckets, shift = Element.Key(truncatingIfNeeded: base &+ pass &* bits)
            if table[Int(truncatingIfNeeded: (from[0].key &>> shift) & mask)] == count { continue }
            var sum = 0
            for bucket in 0..<buckets {
                let size = table[bucket]
                table[bucket] = sum
                sum &+= size
            }
            for i in 0..<count {
                let element = from[i]
                let bucket = Int(truncatingIfNeeded: (element.key &>> shift) & mask)
                to[table[bucket]] = element
                table[bucket] &+= 1
            }
            swap(&from, &to)
        }
        if from != elements { elements.update(from: from, count: count) }
    }

    /// Merges runs of `width` elements in pairs.
    private static func mergePairs<Element: Keyed>(
        _ from: UnsafeMutablePointer<Element>, _ to: UnsafeMutablePointer<Element>, count: Int, width: Int
    ) {
        let pieces = ThreadPool.count * 2, piece = (count + pieces - 1) / pieces
        ThreadPool.parallelFor(pieces) { index in
            var start = min(count, index * piece)
            let end = min(count, start + piece)
            while start < end {
                let base = start / (2 * width) * (2 * width), middle = min(count, base + width), stop = min(count, base + 2 * width)
                let last = min(end, stop)
                merge(from + base, middle - base, from + middle, stop - middle, start - base, last - base, to + base)
                start = last
            }
        }
    }

    /// Elements `start ..< end` of the merge of two sorted runs; of equal ones those of `a` come first.
    private static func merge<Element: Keyed>(
        _ a: UnsafeMutablePointer<Element>, _ aCount: Int, _ b: UnsafeMutablePointer<Element>, _ bCount: Int, _ start: Int, _ end: Int,
        _ to: UnsafeMutablePointer<Element>
    ) {
        // How many of the first `start` come from a: the least i for which b[start − i − 1] < a[i].
        var low = max(0, start - bCount), high = min(start, aCount)
        while low < high {
            let i = (low + high) / 2
            if b[start - i - 1].key < a[i].key { high = i } else { low = i + 1 }
        }
        var i = low, j = start - low, k = start
        while k < end, i < aCount, j < bCount {
            let takesB = b[j].key < a[i].key
            to[k] = takesB ? b[j] : a[i]
            j &+= takesB ? 1 : 0
            i &+= takesB ? 0 : 1
            k &+= 1
        }
        if k < end {
            if i < aCount { (to + k).update(from: a + i, count: end - k) } else { (to + k).update(from: b + j, count: end - k) }
        }
    }
}
