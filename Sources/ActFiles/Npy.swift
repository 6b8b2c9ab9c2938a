// NumPy's .npy: magic, version, a Python dictionary that describes the elements, then the elements. Versions 1 to 3 are read in
// either byte order and either axis order; version 1 is written. (Format: numpy.lib.format.)

import ActArray

package enum Npy {
    /// The array that a .npy file holds. Whole numbers load as f64.
    /// - Throws: `FileError`.
    package static func array(_ bytes: [UInt8], path: String) throws -> NDArray {
        try bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer, path: path)
            return try array(&reader)
        }
    }

    static func array(_ reader: inout ByteReader) throws -> NDArray {
        guard reader.remaining >= 8, try reader.take(6).elementsEqual([0x93] + Array("NUMPY".utf8)) else {
            throw reader.failure(.isNot(.npy))
        }
        let version = (try reader.little(UInt8.self), try reader.little(UInt8.self))
        guard (1...3).contains(version.0), version.1 == 0 else { throw reader.failure(.unknownNpyVersion(Int(version.0), Int(version.1))) }
        let length = version.0 == 1 ? Int(try reader.little(UInt16.self)) : Int(try reader.little(UInt32.self))
        guard let header = NpyHeader(text: try reader.take(length)) else { throw reader.failure(.damagedHeader) }
        guard let description = header.description else { throw reader.failure(.recordElements) }
        let (type, isBigEndian) = try stored(description, reader)
        let shape = header.isColumnMajor ? header.shape.reversed() : header.shape
        let array = try type.array(&reader, shape: shape, isBigEndian: isBigEndian)
        if reader.remaining > 0 { throw reader.failure(.bytesFollow(reader.remaining)) }
        return header.isColumnMajor ? try array.transposed().contiguous() : array
    }

    private static func stored(_ description: String, _ reader: ByteReader) throws -> (StoredType, isBigEndian: Bool) {
        let isBigEndian = description.hasPrefix(">")
        let code = description.first.map { "<>|=".contains($0) } == true ? String(description.dropFirst()) : description
        switch code {
        case "f8": return (.f64, isBigEndian)
        case "f4": return (.f32, isBigEndian)
        case "f2": return (.f16, isBigEndian)
        // NumPy has no bfloat16 of its own: what the package ml_dtypes (JAX, TensorFlow) adds is written as two bytes without a type.
        case "V2", "bfloat16": return (.bf16, isBigEndian)
        case "b1", "?": return (.bool, false)
        case "i1": return (.i8, false)
        case "i2": return (.i16, isBigEndian)
        case "i4": return (.i32, isBigEndian)
        case "i8": return (.i64, isBigEndian)
        case "u1": return (.u8, false)
        case "u2": return (.u16, isBigEndian)
        case "u4": return (.u32, isBigEndian)
        case "u8": return (.u64, isBigEndian)
        default: throw reader.failure(.unknownNpyType(description))
        }
    }

    /// Writes a .npy file of the array.
    package static func write(_ array: NDArray, into sink: ByteSink) throws {
        try start(array).withUnsafeBytes(sink)
        try array.writeElements(into: sink)
    }

    /// What stands before the elements.
    static func start(_ array: NDArray) -> [UInt8] {
        let description = array.type == .bool ? "|b1" : array.type == .f32 ? "<f4" : "<f8"
        let sizes = array.shape.map(String.init).joined(separator: ", ") + (array.rank == 1 ? "," : "")
        var header = "{'descr': '\(description)', 'fortran_order': False, 'shape': (\(sizes)), }"
        // With magic, version, length and the final newline a multiple of 64.
        header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
        return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
    }
}

/// The dictionary of a .npy file: the three entries that the format knows, each once, and nothing else.
private struct NpyHeader {
    /// `nil` for records, which are described by a list.
    private(set) var description: String?
    private(set) var isColumnMajor = false
    private(set) var shape: [Int] = []

    /// - Returns: `nil` for what is not such a dictionary.
    init?(text: UnsafeRawBufferPointer) {
        var text = PythonText(bytes: text)
        var missing: Set = ["descr", "fortran_order", "shape"]
        guard text.take("{") else { return nil }
        while !text.take("}") {
            guard let name = text.quoted(), missing.remove(name) != nil, text.take(":") else { return nil }
            switch name {
            case "descr":
                if let quoted = text.quoted() { description = quoted } else if !text.skipList() { return nil }
            case "fortran_order":
                guard let flag = text.flag() else { return nil }
                isColumnMajor = flag
            default:
                guard let sizes = text.tuple() else { return nil }
                shape = sizes
            }
            guard text.take(",") || text.isNext("}") else { return nil }
        }
        guard missing.isEmpty, text.isAtEnd else { return nil }
    }
}

/// The few forms of Python's literals that stand in such a header. Each reader passes over the spaces before it, and stays where it is
/// when there is something else.
private struct PythonText {
    /// They outlive the reader, which never leaves the closure that gave them.
    let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 9 || bytes[position] == 10 || bytes[position] == 13 { position += 1 }
    }

    var isAtEnd: Bool {
        mutating get {
            skipSpace()
            return position == bytes.count
        }
    }

    mutating func isNext(_ text: StaticString) -> Bool {
        skipSpace()
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        return (0..<count).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    mutating func take(_ text: StaticString) -> Bool {
        guard isNext(text) else { return false }
        position += text.utf8CodeUnitCount
        return true
    }

    mutating func flag() -> Bool? { take("True") ? true : take("False") ? false : nil }

    /// Text in quotes of either kind, without escapes.
    mutating func quoted() -> String? {
        guard isNext("'") || isNext("\"") else { return nil }
        let start = position + 1
        guard let end = bytes[start...].firstIndex(where: { $0 == bytes[position] || $0 == 0x5C || $0 == 10 }), bytes[end] == bytes[position] else {
            return nil
        }
        position = end + 1
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    /// `()`, `(3,)`, `(2, 3)`; Python 2 wrote `3L`.
    mutating func tuple() -> [Int]? {
        guard take("(") else { return nil }
        var sizes: [Int] = []
        if take(")") { return sizes }
        while true {
            skipSpace()
            let start = position
            while position < bytes.count, bytes[position] &- 0x30 < 10 { position += 1 }
            guard let size = Int(String(decoding: bytes[start..<position], as: UTF8.self)), bytes[start] != 0x30 || position == start + 1 else { return nil }
            sizes.append(size)
            _ = take("L")
            let isMore = take(",")
            if take(")") { return isMore || sizes.count > 1 ? sizes : nil }
            guard isMore else { return nil }
        }
    }

    /// Passes over a list, whatever is in it.
    mutating func skipList() -> Bool {
        guard isNext("[") else { return false }
        var depth = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x27 || byte == 0x22 {
                guard quoted() != nil else { return false }
                continue
            }
            position += 1
            if byte == 0x5B { depth += 1 } else if byte == 0x5D { depth -= 1 }
            if depth == 0 { return true }
        }
        return false
    }
}
