// The safetensors format: the length of a JSON header (8 bytes, lowest first), the header, the elements. The header says of each array its
// type, shape and place; under `__metadata__` we keep the description of the network, which other readers pass over.
// (Format: huggingface.co/docs/safetensors.)

import ActArray

package enum Safetensors {
    /// What a file holds.
    package struct Content {
        /// In the order of their places.
        package let arrays: [(name: String, array: NDArray)]
        package let metadata: [String: String]
    }

    /// - Throws: `ArrayError` where an array cannot be computed.
    package static func bytes(_ arrays: [(name: String, array: NDArray)], metadata: [(name: String, value: String)] = []) throws -> [UInt8] {
        var header: [(name: String, value: JSONText)] = []
        if !metadata.isEmpty { header.append(("__metadata__", .object(metadata.map { ($0.name, .text($0.value)) }))) }
        var offset = 0
        for (name, array) in arrays {
            let end = offset + array.count * array.type.size
            header.append(
                (
                    name,
                    .object([
                        ("dtype", .text(code(of: array.type))), ("shape", .list(array.shape.map { .number(Double($0)) })),
                        ("data_offsets", .list([.number(Double(offset)), .number(Double(end))])),
                    ])
                ))
            offset = end
        }
        var text = Array(JSONText.object(header).string.utf8)
        // Elements begin at a multiple of 8.
        while text.count % 8 != 0 { text.append(32) }
        var result: [UInt8] = []
        result.reserveCapacity(8 + text.count + offset)
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { result.append(contentsOf: $0) }
        result += text
        for (_, array) in arrays {
            let source = try array.detached().contiguous()
            try source.evaluate()
            try source.withMutableBytes { bytes in
                try Interrupt.forEachPiece(source.count * source.type.size) { piece in
                    result.append(contentsOf: UnsafeRawBufferPointer(start: bytes + piece.lowerBound, count: piece.count))
                }
            }
        }
        return result
    }

    /// - Throws: `NetworkError.file` for a file that is none, or ends too early.
    package static func content(_ bytes: [UInt8], path: String) throws -> Content {
        func fail(_ reason: String) -> NetworkError { .file(path: path, reason: reason) }
        guard bytes.count >= 8 else { throw fail("it is no safetensors file: it has \(bytes.count) bytes") }
        let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= 100_000_000, Int(length) <= bytes.count - 8 else {
            throw fail(bytes[8...].first == UInt8(ascii: "{") ? "it ends too early, in its header" : "it is no safetensors file")
        }
        let start = 8 + Int(length)
        guard case .object(let fields)? = JSONText(bytes[8..<start]) else { throw fail("it is no safetensors file: its header is not JSON") }
        var metadata: [String: String] = [:], found: [(offset: Int, name: String, array: NDArray)] = []
        for (name, value) in fields {
            if name == "__metadata__" {
                if case .object(let entries) = value {
                    for entry in entries { if case .text(let text) = entry.value { metadata[entry.name] = text } }
                }
                continue
            }
            guard case .text(let type)? = value["dtype"], case .list(let sizes)? = value["shape"], case .list(let offsets)? = value["data_offsets"] else {
                throw fail("its header does not describe `\(name)`")
            }
            let shape = sizes.compactMap(whole), places = offsets.compactMap(whole)
            guard shape.count == sizes.count, places.count == 2, places[0] <= places[1] else { throw fail("its header does not describe `\(name)`") }
            guard places[1] <= bytes.count - start else { throw fail("it ends too early: `\(name)` is not whole") }
            let part = bytes[(start + places[0])..<(start + places[1])]
            guard let stored = StoredElement(type) else { throw fail("`\(name)` has elements of type \(type), which act does not read") }
            var count = 1
            for size in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow else { throw fail("its header does not describe `\(name)`") }
                count = product
            }
            let (size, overflow) = count.multipliedReportingOverflow(by: stored.size)
            guard !overflow, size == part.count else { throw fail("`\(name)` of shape \(shapeText(shape)) does not fill its \(part.count) bytes") }
            guard let array = try stored.array(part, shape: shape, count: count) else {
                throw fail("`\(name)` holds whole numbers that cannot be kept exactly")
            }
            found.append((places[0], name, array))
        }
        return Content(arrays: found.sorted { $0.offset < $1.offset }.map { ($0.name, $0.array) }, metadata: metadata)
    }

    private static func whole(_ value: JSONText) -> Int? {
        guard case .number(let number) = value, number >= 0, number < 0x1p53 else { return nil }
        return Int(exactly: number)
    }

    private static func code(of type: ElementType) -> String {
        switch type {
        case .bool: "BOOL"
        case .f32: "F32"
        case .f64: "F64"
        }
    }
}

/// Element types of files, and the arrays that hold them exactly.
private enum StoredElement: String {
    case BOOL, F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8

    init?(_ name: String) { self.init(rawValue: name) }

    var size: Int {
        switch self {
        case .BOOL, .I8, .U8: 1
        case .F16, .BF16, .I16, .U16: 2
        case .F32, .I32, .U32: 4
        case .F64, .I64, .U64: 8
        }
    }

    /// - Returns: `nil` where a whole number is beyond 2^53.
    func array(_ bytes: ArraySlice<UInt8>, shape: [Int], count: Int) throws -> NDArray? {
        switch self {
        case .BOOL: return try filled(.bool, shape) { (i, target: UnsafeMutablePointer<UInt8>) in target[i] = bytes[bytes.startIndex + i] != 0 ? 1 : 0 }
        case .F32: return try copied(.f32, bytes, shape, UInt32.self)
        case .F64: return try copied(.f64, bytes, shape, UInt64.self)
        case .BF16:
            return try filled(.f32, shape) { (i, target: UnsafeMutablePointer<Float>) in
                target[i] = Float(bitPattern: UInt32(load(UInt16.self, bytes, i)) << 16)
            }
        case .F16: return try filled(.f32, shape) { (i, target: UnsafeMutablePointer<Float>) in target[i] = half(load(UInt16.self, bytes, i)) }
        case .I8: return try numbers(Int8.self, bytes, shape)
        case .I16: return try numbers(Int16.self, bytes, shape)
        case .I32: return try numbers(Int32.self, bytes, shape)
        case .I64: return try numbers(Int64.self, bytes, shape)
        case .U8: return try numbers(UInt8.self, bytes, shape)
        case .U16: return try numbers(UInt16.self, bytes, shape)
        case .U32: return try numbers(UInt32.self, bytes, shape)
        case .U64: return try numbers(UInt64.self, bytes, shape)
        }
    }

    private func load<T: FixedWidthInteger>(_: T.Type, _ bytes: ArraySlice<UInt8>, _ index: Int) -> T {
        bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: T.self)) }
    }

    private func filled<T>(_ type: ElementType, _ shape: [Int], _ body: (Int, UnsafeMutablePointer<T>) -> Void) throws -> NDArray {
        let array = try NDArray.uninitialized(shape: shape, type: type), count = array.count
        try array.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: T.self)
            try Interrupt.forEachPiece(count) { for i in $0 { body(i, target) } }
        }
        return array
    }

    private func copied<T: FixedWidthInteger>(_ type: ElementType, _ bytes: ArraySlice<UInt8>, _ shape: [Int], _: T.Type) throws -> NDArray {
        try filled(type, shape) { (i, target: UnsafeMutablePointer<T>) in target[i] = load(T.self, bytes, i) }
    }

    private func numbers<T: FixedWidthInteger>(_: T.Type, _ bytes: ArraySlice<UInt8>, _ shape: [Int]) throws -> NDArray? {
        var isExact = true
        let array = try filled(.f64, shape) { (i, target: UnsafeMutablePointer<Double>) in
            let number = load(T.self, bytes, i)
            if T.bitWidth == 64, Int64(clamping: number).magnitude > 1 << 53 { isExact = false }
            target[i] = Double(number)
        }
        return isExact ? array : nil
    }

    /// IEEE binary16.
    private func half(_ bits: UInt16) -> Float {
        let sign: Float = bits & 0x8000 != 0 ? -1 : 1, exponent = Int(bits >> 10 & 31), fraction = Float(bits & 1023)
        if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
        if exponent == 0 { return sign * fraction * 0x1p-24 }
        return sign * (1024 + fraction) * Float(sign: .plus, exponent: exponent - 25, significand: 1)
    }
}
