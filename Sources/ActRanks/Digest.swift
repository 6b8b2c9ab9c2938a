// A number that stands for many bytes, to see whether processes hold the same ones. It finds what differs by mistake, not what
// somebody made so that the numbers agree.

import ActArray

package struct Digest: Equatable {
    package private(set) var value: UInt64 = 0x243F_6A88_85A3_08D3

    package init() {}

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var value = value ^ UInt64(bytes.count)
        var offset = 0
        while offset &+ 8 <= bytes.count {
            value = Digest.mixed(value ^ UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset &+= 8
        }
        while offset < bytes.count {
            value = Digest.mixed(value ^ UInt64(bytes[offset]))
            offset &+= 1
        }
        self.value = value
    }

    package mutating func add(_ bytes: [UInt8]) { bytes.withUnsafeBytes { add($0) } }
    package mutating func add(_ text: String) { add(Array(text.utf8)) }
    package mutating func add(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { add($0) } }

    /// The type, the shape and the elements.
    package mutating func add(_ array: NDArray) throws {
        add(array.type.name)
        for size in array.shape { add(UInt64(size)) }
        let array = try array.detached().contiguous()
        try array.evaluate()
        try Interrupt.check()
        array.withMutableBytes { add(UnsafeRawBufferPointer(start: $0, count: array.count &* array.type.size)) }
    }

    /// (A step of the generator splitmix64 without its finish: a product with an odd number, and its high bits brought down.)
    @inline(__always)
    private static func mixed(_ value: UInt64) -> UInt64 {
        let product = value &* 0x9E37_79B9_7F4A_7C15
        return product ^ (product >> 29)
    }
}
