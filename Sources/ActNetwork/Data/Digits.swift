// The handwritten digits that come with act: 1,797 images of 8 by 8 pixels, so that a first network trains without any file.
//
// E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", test part, UCI Machine Learning Repository, CC BY 4.0.

import ActArray

package enum Digits {
    package static let count = 1797

    /// Rows of 64 pixels from 0 to 1 (f32), and what digits they show.
    package static func load() throws -> (images: NDArray, labels: NDArray) {
        let images = try NDArray.uninitialized(shape: [count, 64], type: .f32)
        let labels = try NDArray.uninitialized(shape: [count], type: .f64)
        var decoder = RangeDecoder(coded)
        var places = [AdaptiveModel](repeating: AdaptiveModel(symbols: 17), count: 64), classes = AdaptiveModel(symbols: 10)
        images.withMutableBytes { images in
            labels.withMutableBytes { labels in
                let pixels = images.assumingMemoryBound(to: Float.self), digits = labels.assumingMemoryBound(to: Double.self)
                for row in 0..<count {
                    digits[row] = Double(decoder.next(&classes))
                    for place in 0..<64 { pixels[row * 64 + place] = Float(decoder.next(&places[place])) / 16 }
                }
            }
        }
        return (images, labels)
    }
}

/// How often each symbol was seen, lately more than before.
private struct AdaptiveModel {
    private(set) var counts: [UInt32]
    private(set) var total: UInt32

    init(symbols: Int) {
        counts = [UInt32](repeating: 1, count: symbols)
        total = UInt32(symbols)
    }

    mutating func seen(_ symbol: Int) {
        counts[symbol] += 24
        total += 24
        if total > 1 << 13 {
            for index in counts.indices { counts[index] = (counts[index] + 1) / 2 }
            total = counts.reduce(0, +)
        }
    }
}

/// The decoder of a range coder without carries (D. Subbotin 1999), over text in base 64.
private struct RangeDecoder {
    private let text: StaticString
    private var position = 0
    private var bits: UInt32 = 0, bitCount: UInt32 = 0
    private var low: UInt32 = 0, range = UInt32.max, code: UInt32 = 0

    init(_ text: StaticString) {
        self.text = text
        for _ in 0..<4 { code = code << 8 | nextByte() }
    }

    mutating func next(_ model: inout AdaptiveModel) -> Int {
        range /= model.total
        let value = min((code &- low) / range, model.total - 1)
        var below: UInt32 = 0, symbol = 0
        while below + model.counts[symbol] <= value {
            below += model.counts[symbol]
            symbol += 1
        }
        low = low &+ below &* range
        range = range &* model.counts[symbol]
        while true {
            if low ^ (low &+ range) >= 1 << 24 {
                if range >= 1 << 16 { break }
                range = (0 &- low) & 0xffff
            }
            code = code << 8 | nextByte()
            low <<= 8
            range <<= 8
        }
        model.seen(symbol)
        return symbol
    }

    private mutating func nextByte() -> UInt32 {
        while bitCount < 8 {
            bits = bits << 6 | nextSextet()
            bitCount += 6
        }
        bitCount -= 8
        return bits >> bitCount & 0xff
    }

    /// Past the end zeros.
    private mutating func nextSextet() -> UInt32 {
        guard position < text.utf8CodeUnitCount else { return 0 }
        let byte = text.utf8Start[position]
        position += 1
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return UInt32(byte - 65)
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return UInt32(byte - 71)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt32(byte + 4)
        case UInt8(ascii: "+"): return 62
        case UInt8(ascii: "/"): return 63
        default: return 0
        }
    }
}
