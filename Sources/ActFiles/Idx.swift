// IDX, the format of the MNIST files: two zero bytes, the element type, the rank, the sizes, the elements; all of it with the highest
// byte first. (Format: yann.lecun.com/exdb/mnist.)

import ActArray

package enum Idx {
    /// The array that an IDX file holds. Bytes load as f32, other whole numbers as f64.
    /// - Throws: `FileError`.
    package static func array(_ bytes: [UInt8], path: String) throws -> NDArray {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer, path: path)
            guard reader.remaining >= 4, try reader.big(UInt16.self) == 0 else { throw reader.failure(.isNot(.idx)) }
            let code = try reader.big(UInt8.self)
            let rank = Int(try reader.big(UInt8.self))
            let type: StoredType
            switch code {
            case 0x08: type = .u8
            case 0x09: type = .i8
            case 0x0B: type = .i16
            case 0x0C: type = .i32
            case 0x0D: type = .f32
            case 0x0E: type = .f64
            default: throw reader.failure(.unknownIdxType(Int(code)))
            }
            var shape: [Int] = []
            for _ in 0..<rank { shape.append(Int(try reader.big(UInt32.self))) }
            let array = try type.array(&reader, shape: shape, isBigEndian: true, wholeNumbers: type.size == 1 ? .f32 : .f64)
            guard reader.remaining == 0 else { throw reader.failure(.bytesLeft(reader.remaining)) }
            return array
        }
    }
}
