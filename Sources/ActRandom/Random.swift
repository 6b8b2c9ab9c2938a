// Random arrays. A draw depends on the seed and on how many draws came before it, never on threads, machine or shape: rand(4) and four
// times rand() are the same numbers.

import ActArray

/// A seeded stream of random numbers.
package struct RandomSource: Equatable, Sendable {
    private var stream: Philox
    /// How many words of the stream have been used.
    private var position: UInt64 = 0

    package init(seed: UInt64) { stream = Philox(key: seed) }

    /// Seeded by the system's randomness.
    package init() { self.init(seed: UInt64.random(in: .min ... .max)) }

    // MARK: Single draws

    /// Uniform in 0 ..< 1: one of the 2^53 multiples of 2^−53.
    package mutating func uniform() throws -> Double {
        try NDArray.refuse(.draw)
        var result = 0.0
        stream.forEach(from: position, count: 1) { result = Philox.uniform($1) }
        position &+= 1
        return result
    }

    /// Of the normal distribution with mean 0 and deviation 1.
    package mutating func normal() throws -> Double {
        try NDArray.refuse(.draw)
        let result = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8) { words in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: 8) { draws -> Double in
                words.update(repeating: 0)
                draws.update(repeating: 0)
                stream.forEach(from: position, count: 1) { words[0] = $1 }
                if let words = words.baseAddress, let draws = draws.baseAddress { NormalQuantile.fill(words, count: 1, into: draws) }
                return draws[0]
            }
        }
        position &+= 1
        return result
    }

    /// A whole number in low ..< high, each as likely as any other.
    /// - Throws: `badValue` when there is none, or the bounds lie beyond ±2^53.
    package mutating func integer(_ low: Int, _ high: Int) throws -> Int {
        try NDArray.refuse(.draw)
        let size = try NDArray.intervalSize(low, high)
        var result = low
        stream.forEach(from: position, count: 1) { result = low &+ Int(truncatingIfNeeded: stream.bounded($1, size, at: position &+ UInt64($0))) }
        position &+= 1
        return result
    }

    /// A stretch of the stream that no other draw gets, to be looked at in any order and again.
    package mutating func stretch(of count: Int) -> RandomStretch {
        defer { position &+= UInt64(max(0, count)) }
        return RandomStretch(stream: stream, start: position)
    }

    /// Streams of their own, by number, for parts that are drawn for anywhere and in any order: one draw of this stream.
    package mutating func branches() throws -> (Int) -> RandomSource {
        try NDArray.refuse(.draw)
        var word: UInt64 = 0
        stream.forEach(from: position, count: 1) { word = $1 }
        position &+= 1
        return { [word] in RandomSource(seed: word ^ (UInt64(truncatingIfNeeded: $0) &+ 1) &* 0x9E37_79B9_7F4A_7C15) }
    }

    // MARK: Arrays

    /// Uniform in 0 ..< 1 (f32: the multiples of 2^−24).
    package mutating func uniform(shape: [Int], type: ElementType = .f64) throws -> NDArray {
        if let array = try NDArray.shapeAlone(shape, type) { return array }
        let result = try NDArray.uninitialized(shape: shape, type: type)
        try fill(result) { stream, start, first, count, bytes in
            switch type {
            case .f64:
                let target = bytes.assumingMemoryBound(to: Double.self) + first
                stream.forEach(from: start, count: count) { target[$0] = Philox.uniform($1) }
            case .f32:
                let target = bytes.assumingMemoryBound(to: Float.self) + first
                stream.forEach(from: start, count: count) { target[$0] = Float($1 >> 40) * 0x1p-24 }
            case .bool:
                let target = bytes.assumingMemoryBound(to: UInt8.self) + first
                stream.forEach(from: start, count: count) { target[$0] = UInt8($1 >> 63) }
            }
        }
        return result
    }

    /// Of the normal distribution with mean 0 and deviation 1.
    package mutating func normal(shape: [Int], type: ElementType = .f64) throws -> NDArray {
        guard type != .bool else { throw ArrayError.badValue(operation: "randn", .boolsDrawn) }
        if let array = try NDArray.shapeAlone(shape, type) { return array }
        let result = try NDArray.uninitialized(shape: shape, type: type)
        try fill(result) { stream, start, first, count, bytes in
            let block = NormalQuantile.block
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: block) { words in
                withUnsafeTemporaryAllocation(of: Double.self, capacity: block) { draws in
                    guard let words = words.baseAddress, let draws = draws.baseAddress else { return }
                    words.update(repeating: 0, count: block)
                    var done = 0
                    while done < count {
                        let run = min(block, count - done)
                        stream.forEach(from: start &+ UInt64(done), count: run) { words[$0] = $1 }
                        draws.update(repeating: 0, count: block)
                        NormalQuantile.fill(words, count: run, into: draws)
                        if type == .f32 {
                            let target = bytes.assumingMemoryBound(to: Float.self) + first + done
                            for i in 0..<run { target[i] = Float(draws[i]) }
                        } else {
                            (bytes.assumingMemoryBound(to: Double.self) + first + done).update(from: draws, count: run)
                        }
                        done += run
                    }
                }
            }
        }
        return result
    }

    /// Whole numbers in low ..< high, each as likely as any other.
    /// - Throws: `badValue` when there is none, or the bounds lie beyond ±2^53.
    package mutating func integers(_ low: Int, _ high: Int, shape: [Int], type: ElementType = .f64) throws -> NDArray {
        let size = try NDArray.intervalSize(low, high)
        let result = try NDArray.uninitialized(shape: shape, type: .f64)
        try fill(result) { stream, start, first, count, bytes in
            let target = bytes.assumingMemoryBound(to: Double.self) + first
            stream.forEach(from: start, count: count) { i, word in
                target[i] = Double(low &+ Int(truncatingIfNeeded: stream.bounded(word, size, at: start &+ UInt64(i))))
            }
        }
        return try result.converted(to: type)
    }

    /// The numbers 0 ..< n in random order, each order as likely as any other.
    package mutating func permutation(_ n: Int) throws -> NDArray {
        guard n >= 0 else { throw ArrayError.negativeSize(n) }
        try NDArray.refuse(.draw)
        let result = try NDArray.uninitialized(shape: [n], type: .f64)
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: Double.self)
            try Interrupt.forEachPiece(n) { for i in $0 { target[i] = Double(i) } }
            // Fisher and Yates: each place in turn takes one of those not yet placed.
            try Interrupt.forEachPiece(max(0, n - 1)) { piece in
                stream.forEach(from: position &+ UInt64(piece.lowerBound), count: piece.count) { step, word in
                    let i = piece.lowerBound &+ step
                    let j = i &+ Int(truncatingIfNeeded: stream.bounded(word, UInt64(n &- i), at: position &+ UInt64(i)))
                    let element = target[i]
                    target[i] = target[j]
                    target[j] = element
                }
            }
        }
        position &+= UInt64(max(0, n - 1))
        return result
    }

    /// The rows (elements along the first axis) of an array in random order.
    package mutating func shuffled(_ array: NDArray) throws -> NDArray {
        guard let rows = array.shape.first else { return array }
        return try array.indexed(by: [.array(permutation(rows))])
    }

    /// Fills a new array in pieces, on all threads; each piece knows where in the stream it starts.
    private mutating func fill(
        _ array: NDArray, _ body: (_ stream: Philox, _ start: UInt64, _ first: Int, _ count: Int, _ bytes: UnsafeMutableRawPointer) -> Void
    ) throws {
        try NDArray.refuse(.draw)
        let part = 1 << 15, count = array.count
        let (stream, start) = (self.stream, position)
        try array.withMutableBytes { bytes in
            try ThreadPool.parallelPieces(count, of: part) { piece in
                body(stream, start &+ UInt64(piece.lowerBound), piece.lowerBound, piece.count, bytes)
            }
        }
        position &+= UInt64(count)
    }
}

/// Words of a stream.
package struct RandomStretch: Sendable {
    fileprivate let stream: Philox
    fileprivate let start: UInt64

    /// Calls `body` with each of some words, counted from 0, and whether it falls to a share of all.
    /// - Parameter share: From 0 to 1.
    @inline(__always)
    package func forEach(from first: Int, count: Int, share: Double, _ body: (Int, _ falls: Bool) -> Void) {
        stream.forEach(from: start &+ UInt64(truncatingIfNeeded: first), count: count) { body($0, Philox.uniform($1) < share) }
    }
}

extension Philox {
    /// The upper 53 bits as a number in 0 ..< 1.
    @inline(__always)
    static func uniform(_ word: UInt64) -> Double { Double(word >> 11) * 0x1p-53 }

    /// A word scaled to 0 ..< size without bias: the product's upper half, unless its lower half is one of the 2^64 mod size that
    /// would make some results likelier (Lemire, "Fast random integer generation in an interval", 2019). Then the same place is drawn
    /// again from another counter, so that later draws stay where they are.
    @inline(__always)
    func bounded(_ word: UInt64, _ size: UInt64, at place: UInt64) -> UInt64 {
        let product = word.multipliedFullWidth(by: size)
        if product.low >= size { return product.high }
        return boundedAgain(product, size, at: place)
    }

    @inline(never)
    private func boundedAgain(_ product: (high: UInt64, low: UInt64), _ size: UInt64, at place: UInt64) -> UInt64 {
        var product = product, attempt: UInt64 = 0
        let threshold = (0 &- size) % size
        while product.low < threshold {
            attempt += 1
            product = block(place, attempt: attempt).0.multipliedFullWidth(by: size)
        }
        return product.high
    }
}

extension NDArray {
    /// How many whole numbers lie in low ..< high.
    fileprivate static func intervalSize(_ low: Int, _ high: Int) throws -> UInt64 {
        let most = 1 << 53
        guard low >= -most, high <= most, low < high else {
            throw ArrayError.badValue(operation: "randint", .emptyInterval(low, high))
        }
        return UInt64(high - low)
    }
}
