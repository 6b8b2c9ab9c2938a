// NumPy's .npy: magic, version, a Python dictionary that describes the elements, then the elements. Versions 1 to 3 are read in
// either byte order and either axis order; version 1 is written. (Format: numpy.lib.format.)

package enum Npy {
    /// The array that a .npy file holds. Whole numbers load as f64.
    /// - Throws: `ArrayError.file`.
    package static func array(_ bytes: [UInt8], path: String) throws -> NDArray {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer, path: path)
            return try array(&reader)
        }
    }

    static func array(_ reader: inout ByteReader) throws -> NDArray {
        guard reader.remaining >= 8, try reader.take(6).elementsEqual([0x93] + Array("NUMPY".utf8)) else {
            throw reader.failure("it is not a .npy file")
        }
        let version = try reader.little(UInt8.self)
        _ = try reader.little(UInt8.self)
        guard (1...3).contains(version) else { throw reader.failure("version \(version) of .npy is not known") }
        let length = version == 1 ? Int(try reader.little(UInt16.self)) : Int(try reader.little(UInt32.self))
        let header = Header(text: try reader.take(length))
        guard let description = header.quoted("descr") else {
            throw reader.failure("its elements are records; one array of numbers or bools is needed")
        }
        guard let isColumnMajor = header.bool("fortran_order"), let shape = header.tuple("shape") else { throw reader.failure("its header is damaged") }
        let (type, isBigEndian) = try stored(description, reader)
        if !isColumnMajor { return try type.array(&reader, shape: shape, isBigEndian: isBigEndian) }
        return try type.array(&reader, shape: shape.reversed(), isBigEndian: isBigEndian).transposed().contiguous()
    }

    private static func stored(_ description: String, _ reader: ByteReader) throws -> (StoredType, isBigEndian: Bool) {
        let isBigEndian = description.hasPrefix(">")
        switch String(description.drop { "<>|=".contains($0) }) {
        case "f8": return (.f64, isBigEndian)
        case "f4": return (.f32, isBigEndian)
        case "b1", "?": return (.bool, false)
        case "i1": return (.i8, false)
        case "i2": return (.i16, isBigEndian)
        case "i4": return (.i32, isBigEndian)
        case "i8": return (.i64, isBigEndian)
        case "u1": return (.u8, false)
        case "u2": return (.u16, isBigEndian)
        case "u4": return (.u32, isBigEndian)
        case "u8": return (.u64, isBigEndian)
        case "f2": throw reader.failure("its elements are half-precision numbers (f2): store them as f4 or f8")
        case let other: throw reader.failure("its elements are of type `\(other)`; numbers (f4, f8, i1 to i8, u1 to u8) and bools are read")
        }
    }

    /// A .npy file of the array.
    package static func bytes(_ array: NDArray) throws -> [UInt8] {
        let description = array.type == .bool ? "|b1" : array.type == .f32 ? "<f4" : "<f8"
        let sizes = array.shape.map(String.init).joined(separator: ", ") + (array.rank == 1 ? "," : "")
        var header = "{'descr': '\(description)', 'fortran_order': False, 'shape': (\(sizes)), }"
        // With magic, version, length and the final newline a multiple of 64.
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        try MemoryPool.allow(array.count &* array.type.size &+ 1024)
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
        bytes.reserveCapacity(bytes.count + header.utf8.count + array.count * array.type.size)
        bytes += header.utf8
        try array.appendElements(to: &bytes)
        return bytes
    }

    /// The three entries of the dictionary, found by their names.
    private struct Header {
        private let text: [UInt8]

        init(text: UnsafeRawBufferPointer) { self.text = Array(text) }

        /// What follows the colon after a quoted name.
        private func value(_ name: String) -> ArraySlice<UInt8>? {
            let name = Array(name.utf8)
            var i = 0
            while i + name.count + 2 <= text.count {
                if text[i] == 0x27 || text[i] == 0x22, text[(i + 1)..<(i + 1 + name.count)].elementsEqual(name), text[i + 1 + name.count] == text[i] {
                    let rest = text[(i + name.count + 2)...].drop { $0 == 0x20 }
                    guard rest.first == 0x3A else { return nil }
                    return rest.dropFirst().drop { $0 == 0x20 }
                }
                i += 1
            }
            return nil
        }

        func quoted(_ name: String) -> String? {
            guard let value = value(name), let quote = value.first, quote == 0x27 || quote == 0x22 else { return nil }
            let rest = value.dropFirst()
            return rest.firstIndex(of: quote).map { String(decoding: rest[..<$0], as: UTF8.self) }
        }

        func bool(_ name: String) -> Bool? {
            guard let value = value(name) else { return nil }
            return value.starts(with: "True".utf8) ? true : value.starts(with: "False".utf8) ? false : nil
        }

        func tuple(_ name: String) -> [Int]? {
            guard let value = value(name), value.first == 0x28, let end = value.firstIndex(of: 0x29) else { return nil }
            var sizes: [Int] = []
            for part in value[(value.startIndex + 1)..<end].split(separator: 0x2C) {
                let digits = part.filter { $0 != 0x20 && $0 != 0x4C }      // Python 2 wrote 3L
                if digits.isEmpty { continue }
                guard let size = Int(String(decoding: digits, as: UTF8.self)), size >= 0 else { return nil }
                sizes.append(size)
            }
            return sizes
        }
    }
}
