// NumPy's .npz: a zip archive of .npy files. Stored and deflated entries are read, 64-bit sizes too; stored ones are written.
// (Format: PKWARE's APPNOTE.)

import ActArray

package enum Npz {
    /// The arrays of an archive in its order, named without their `.npy`.
    /// - Throws: `FileError`.
    package static func arrays(_ bytes: [UInt8], path: String) throws -> [(name: String, array: NDArray)] {
        try bytes.withUnsafeBytes { buffer in
            var seen = Set<String>()
            return try entries(buffer, path).map { entry in
                var name = entry.name
                if name.hasSuffix(".npy") { name.removeLast(4) }
                guard seen.insert(name).inserted else { throw FileError(path, .arrayTwice(name)) }
                let file = "\(path), \(entry.name)"
                var local = ByteReader(buffer, path: file)
                guard entry.offset <= buffer.count else { throw local.failure(.endsEarly) }
                local.position = entry.offset
                guard try local.little(UInt32.self) == 0x0403_4B50 else { throw local.failure(.damagedArchive) }
                _ = try local.take(22)
                let lengths = (Int(try local.little(UInt16.self)), Int(try local.little(UInt16.self)))
                _ = try local.take(lengths.0 + lengths.1)
                let data = try local.take(entry.packedSize)
                switch entry.method {
                case 0: return (name, try contents(data, entry, file))
                case 8:
                    let unpacked = try Gzip.inflate(data, format: .raw, expected: entry.size, path: file)
                    return (name, try unpacked.withUnsafeBytes { try contents($0, entry, file) })
                default: throw local.failure(.unknownCompression(method: Int(entry.method)))
                }
            }
        }
    }

    private static func contents(_ data: UnsafeRawBufferPointer, _ entry: Entry, _ path: String) throws -> NDArray {
        var reader = ByteReader(data, path: path)
        var checksum = Checksum()
        try checksum.add(data)
        guard data.count == entry.size, checksum.value == entry.checksum else { throw reader.failure(.wrongChecksum) }
        return try Npy.array(&reader)
    }

    private struct Entry {
        var name: String, method: UInt16, checksum: UInt32, packedSize: Int, size: Int, offset: Int
    }

    /// The central directory, found from the end of the file.
    private static func entries(_ bytes: UnsafeRawBufferPointer, _ path: String) throws -> [Entry] {
        var reader = ByteReader(bytes, path: path)
        var end = bytes.count - 22
        let lowest = max(0, bytes.count - 22 - 65_535)
        while end >= lowest, !bytes[end...].starts(with: [0x50, 0x4B, 5, 6]) { end -= 1 }
        guard end >= lowest, end >= 0 else { throw reader.failure(.isNot(.npz)) }
        reader.position = end + 10
        var count = Int(try reader.little(UInt16.self))
        _ = try reader.little(UInt32.self)
        var start = Int(try reader.little(UInt32.self))
        if count == 0xFFFF || start == 0xFFFF_FFFF, end >= 20 {
            // The 64-bit form stands before, behind a locator of 20 bytes.
            reader.position = end - 20
            guard try reader.little(UInt32.self) == 0x0706_4B50 else { throw reader.failure(.damagedArchive) }
            _ = try reader.little(UInt32.self)
            reader.position = try place(reader.little(UInt64.self), reader)
            guard try reader.little(UInt32.self) == 0x0606_4B50 else { throw reader.failure(.damagedArchive) }
            _ = try reader.take(28)
            count = try place(reader.little(UInt64.self), reader)
            _ = try reader.little(UInt64.self)
            start = try place(reader.little(UInt64.self), reader)
        }
        guard start <= bytes.count else { throw reader.failure(.damagedArchive) }
        reader.position = start
        var entries: [Entry] = []
        for _ in 0..<count {
            guard try reader.little(UInt32.self) == 0x0201_4B50 else { throw reader.failure(.damagedArchive) }
            _ = try reader.take(4)
            guard try reader.little(UInt16.self) & 1 == 0 else { throw reader.failure(.encryptedArchive) }
            let method = try reader.little(UInt16.self)
            _ = try reader.take(4)
            let checksum = try reader.little(UInt32.self)
            var packedSize = UInt64(try reader.little(UInt32.self)), size = UInt64(try reader.little(UInt32.self))
            let lengths = (Int(try reader.little(UInt16.self)), Int(try reader.little(UInt16.self)), Int(try reader.little(UInt16.self)))
            _ = try reader.take(8)
            var offset = UInt64(try reader.little(UInt32.self))
            let name = String(decoding: try reader.take(lengths.0), as: UTF8.self)
            var extra = ByteReader(try reader.take(lengths.1), path: path)
            while extra.remaining >= 4 {
                let tag = try extra.little(UInt16.self)
                var field = ByteReader(try extra.take(Int(extra.little(UInt16.self))), path: path)
                guard tag == 1 else { continue }
                if size == 0xFFFF_FFFF { size = try field.little(UInt64.self) }
                if packedSize == 0xFFFF_FFFF { packedSize = try field.little(UInt64.self) }
                if offset == 0xFFFF_FFFF { offset = try field.little(UInt64.self) }
            }
            _ = try reader.take(lengths.2)
            if name.hasSuffix("/") { continue }
            entries.append(
                Entry(
                    name: name, method: method, checksum: checksum, packedSize: try place(packedSize, reader),
                    size: Int(min(size, 1 << 48)), offset: try place(offset, reader)))
        }
        return entries
    }

    /// A number that says where something is or how long, so not more than the file's length.
    private static func place(_ number: UInt64, _ reader: ByteReader) throws -> Int {
        guard number <= UInt64(reader.bytes.count) else { throw reader.failure(.damagedArchive) }
        return Int(number)
    }

    /// Writes a .npz archive of the arrays.
    /// - Throws: `badValue` past 4 GiB, which its 32-bit form cannot describe; what the sink throws.
    package static func write(_ arrays: [(name: String, array: NDArray)], into sink: ByteSink) throws {
        func little<T: FixedWidthInteger>(_ number: T) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }
        var position = 0, directory: [UInt8] = []
        for (name, array) in arrays {
            let file = Array("\(name).npy".utf8), start = Npy.start(array), size = start.count &+ array.count &* array.type.size
            guard position &+ size &+ file.count &+ 128 < 0xFFFF_FFFF, file.count < 0xFFFF, arrays.count < 0xFFFF else {
                throw ArrayError.badValue(operation: "save", .archiveTooLarge)
            }
            // The checksum stands first: the elements are gone through twice.
            let elements = try array.detached().contiguous()
            var checksum = Checksum()
            try start.withUnsafeBytes { try checksum.add($0) }
            try elements.writeElements { try checksum.add($0) }
            // Version 2.0, names in UTF-8, stored, 1 January 1980.
            let common: [UInt8] =
                little(UInt16(20)) + little(UInt16(0x0800)) + little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0x21))
                + little(checksum.value) + little(UInt32(size)) + little(UInt32(size)) + little(UInt16(file.count)) + little(UInt16(0))
            let head = little(UInt32(0x0403_4B50)) + common + file + start
            try head.withUnsafeBytes(sink)
            try elements.writeElements(into: sink)
            directory +=
                little(UInt32(0x0201_4B50)) + little(UInt16(20)) + common + little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0))
                + little(UInt32(0)) + little(UInt32(position)) + file
            position += head.count - start.count + size
        }
        let end =
            directory + little(UInt32(0x0605_4B50)) + little(UInt32(0)) + little(UInt16(arrays.count)) + little(UInt16(arrays.count))
            + little(UInt32(directory.count)) + little(UInt32(position)) + little(UInt16(0))
        try end.withUnsafeBytes(sink)
    }

    /// CRC-32, the reflected polynomial 0xEDB88320.
    private struct Checksum {
        private var rest: UInt32 = 0xFFFF_FFFF
        var value: UInt32 { ~rest }

        mutating func add(_ bytes: UnsafeRawBufferPointer) throws {
            var crc = rest
            try table.withUnsafeBufferPointer { table in
                try Interrupt.forEachPiece(bytes.count) { piece in
                    for i in piece { crc = table[Int(truncatingIfNeeded: (crc ^ UInt32(bytes[i])) & 255)] ^ (crc >> 8) }
                }
            }
            rest = crc
        }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }
}
