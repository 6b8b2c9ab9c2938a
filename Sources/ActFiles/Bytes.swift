// Binary formats. To read: a place in some bytes that moves on, checked at every step. To write: a sink that takes bytes in order.

import ActArray

package struct ByteReader {
    /// They outlive the reader, which never leaves the closure that gave them.
    let bytes: UnsafeRawBufferPointer
    /// As messages name the file.
    let path: String
    var position = 0

    package init(_ bytes: UnsafeRawBufferPointer, path: String) {
        self.bytes = bytes
        self.path = path
    }

    var remaining: Int { bytes.count - position }

    func failure(_ fault: FileFault) -> FileError { FileError(path, fault) }

    /// The next `count` bytes.
    mutating func take(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else { throw failure(.endsEarly) }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
    }

    /// A whole number stored with its lowest byte first.
    mutating func little<T: FixedWidthInteger>(_: T.Type) throws -> T { T(littleEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self)) }

    /// A whole number stored with its highest byte first.
    mutating func big<T: FixedWidthInteger>(_: T.Type) throws -> T { T(bigEndian: try take(MemoryLayout<T>.size).loadUnaligned(as: T.self)) }
}

/// What the elements of a binary file are. The 16-bit floats, IEEE's binary16 and bfloat16, become f32, which holds all of them.
package enum StoredType {
    case bool, i8, i16, i32, i64, u8, u16, u32, u64, f16, bf16, f32, f64

    package var size: Int {
        switch self {
        case .bool, .i8, .u8: 1
        case .i16, .u16, .f16, .bf16: 2
        case .i32, .u32, .f32: 4
        case .i64, .u64, .f64: 8
        }
    }

    /// An array of the elements, which are row-major; whole numbers become f64 unless `wholeNumbers` says otherwise.
    /// - Throws: `FileError` when there are too few bytes, or a whole number that f64 cannot hold exactly.
    package func array(_ reader: inout ByteReader, shape: [Int], isBigEndian: Bool, wholeNumbers: ElementType = .f64) throws -> NDArray {
        let count = try Shapes.count(shape)
        guard count <= reader.remaining / size else {
            throw reader.failure(.fewBytes(elements: count, size: size, found: reader.remaining))
        }
        let data = try reader.take(count * size)
        switch self {
        case .bool:
            return try filled(shape, .bool, count) { (i, target: UnsafeMutablePointer<UInt8>) in target[i] = data[i] != 0 ? 1 : 0 }
        case .f32:
            return try filled(shape, .f32, count) { (i, target: UnsafeMutablePointer<UInt32>) in
                let bits = data.loadUnaligned(fromByteOffset: i &* 4, as: UInt32.self)
                target[i] = isBigEndian ? UInt32(bigEndian: bits) : UInt32(littleEndian: bits)
            }
        case .f64:
            return try filled(shape, .f64, count) { (i, target: UnsafeMutablePointer<UInt64>) in
                let bits = data.loadUnaligned(fromByteOffset: i &* 8, as: UInt64.self)
                target[i] = isBigEndian ? UInt64(bigEndian: bits) : UInt64(littleEndian: bits)
            }
        case .f16: return try widened(data, shape, count, isBigEndian, Self.binary32)
        case .bf16: return try widened(data, shape, count, isBigEndian) { UInt32($0) << 16 }
        case .i8: return try whole(Int8.self, data, shape, isBigEndian, wholeNumbers, reader)
        case .i16: return try whole(Int16.self, data, shape, isBigEndian, wholeNumbers, reader)
        case .i32: return try whole(Int32.self, data, shape, isBigEndian, wholeNumbers, reader)
        case .i64: return try whole(Int64.self, data, shape, isBigEndian, wholeNumbers, reader)
        case .u8: return try whole(UInt8.self, data, shape, isBigEndian, wholeNumbers, reader)
        case .u16: return try whole(UInt16.self, data, shape, isBigEndian, wholeNumbers, reader)
        case .u32: return try whole(UInt32.self, data, shape, isBigEndian, wholeNumbers, reader)
        case .u64: return try whole(UInt64.self, data, shape, isBigEndian, wholeNumbers, reader)
        }
    }

    @inline(__always)
    private func widened(_ data: UnsafeRawBufferPointer, _ shape: [Int], _ count: Int, _ isBigEndian: Bool, _ bits: (UInt16) -> UInt32) throws -> NDArray {
        try filled(shape, .f32, count) { (i, target: UnsafeMutablePointer<UInt32>) in
            let stored = data.loadUnaligned(fromByteOffset: i &* 2, as: UInt16.self)
            target[i] = bits(isBigEndian ? UInt16(bigEndian: stored) : UInt16(littleEndian: stored))
        }
    }

    /// The bits of the binary32 number that equals a binary16 one (IEEE 754: 1 bit for the sign, 5 for the exponent, 10 for the fraction).
    private static func binary32(_ half: UInt16) -> UInt32 {
        let sign = UInt32(half >> 15) << 31, exponent = UInt32(half >> 10 & 31), fraction = UInt32(half & 1023)
        switch exponent {
        case 31: return sign | 255 << 23 | fraction << 13
        case 0: return sign | (Float(fraction) * 0x1p-24).bitPattern
        default: return sign | (exponent + 112) << 23 | fraction << 13
        }
    }

    private func whole<T: FixedWidthInteger>(
        _: T.Type, _ data: UnsafeRawBufferPointer, _ shape: [Int], _ isBigEndian: Bool, _ type: ElementType, _ reader: ByteReader
    ) throws -> NDArray {
        let count = data.count / size
        @inline(__always)
        func element(_ i: Int) -> T {
            let stored = data.loadUnaligned(fromByteOffset: i &* MemoryLayout<T>.size, as: T.self)
            return isBigEndian ? T(bigEndian: stored) : T(littleEndian: stored)
        }
        if T.bitWidth == 64 {
            try Interrupt.forEachPiece(count) { piece in
                for i in piece where Double(exactly: element(i)) == nil {
                    throw reader.failure(.inexactElement(i, digits: String(element(i))))
                }
            }
        }
        if type == .f32 {
            return try filled(shape, .f32, count) { (i, target: UnsafeMutablePointer<Float>) in target[i] = Float(element(i)) }
        }
        return try filled(shape, .f64, count) { (i, target: UnsafeMutablePointer<Double>) in target[i] = Double(element(i)) }
    }

    @inline(__always)
    private func filled<T>(_ shape: [Int], _ type: ElementType, _ count: Int, _ store: (Int, UnsafeMutablePointer<T>) -> Void) throws -> NDArray {
        let result = try NDArray.uninitialized(shape: shape, type: type)
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: T.self)
            try Interrupt.forEachPiece(count) { for i in $0 { store(i, target) } }
        }
        return result
    }
}

extension NDArray {
    /// Gives the elements away in row-major order, as they lie in memory of a little-endian machine.
    /// - Throws: what the sink throws; `outOfMemory`, `interrupted`.
    package func writeElements(into sink: ByteSink) throws {
        let source = try detached().contiguous()
        let layout = try source.evaluatedLayout()
        try withExtendedLifetime(layout.storage) {
            let first = layout.storage.pointer + layout.offset &* type.size
            try Interrupt.forEachPiece(count &* type.size, of: 1 << 20) { piece in
                try sink(UnsafeRawBufferPointer(start: first + piece.lowerBound, count: piece.count))
            }
        }
    }
}
