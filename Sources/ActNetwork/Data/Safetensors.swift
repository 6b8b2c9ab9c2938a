// The safetensors format: the length of a JSON header (8 bytes, lowest first), the header, the elements. The header says of each array its
// type, shape and place; under `__metadata__` we keep the description of the network, which other readers pass over.
// (Format: huggingface.co/docs/safetensors.)

import ActArray
import ActFiles

package enum Safetensors {
    /// What a file holds.
    package struct Content {
        /// In the order of their places.
        package let arrays: [(name: String, array: NDArray)]
        package let metadata: [String: String]

        package init(arrays: [(name: String, array: NDArray)], metadata: [String: String]) { (self.arrays, self.metadata) = (arrays, metadata) }
    }

    /// - Throws: `ArrayError` where an array cannot be computed; what the sink throws.
    package static func write(_ arrays: [(name: String, array: NDArray)], metadata: [(name: String, value: String)] = [], into sink: ByteSink) throws {
        var header = TextBuilder(), offset = 0
        func append(_ name: String, _ value: JSON) throws {
            try header.append(header.count == 0 ? "{" : ",")
            try JSON.write(name, into: &header)
            try header.append(":")
            try value.write(into: &header)
        }
        if !metadata.isEmpty { try append("__metadata__", .object(metadata.map { ($0.name, .text($0.value)) })) }
        for (name, array) in arrays {
            guard name != "__metadata__" else { throw ArrayError.badValue(operation: "save", .metadataName) }
            let end = offset + array.count * array.type.size
            try append(
                name,
                .object([
                    ("dtype", .text(code(of: array.type))), ("shape", .list(array.shape.map { .number(Double($0)) })),
                    ("data_offsets", .list([.number(Double(offset)), .number(Double(end))])),
                ]))
            offset = end
        }
        try header.append(header.count == 0 ? "{}" : "}")
        // Elements begin at a multiple of 8.
        while header.count % 8 != 0 { try header.append(" ") }
        try withUnsafeBytes(of: UInt64(header.count).littleEndian, sink)
        try header.send(to: sink)
        for (_, array) in arrays { try array.writeElements(into: sink) }
    }

    /// The arrays fill what follows the header exactly, each its own place, as the format has it: what no array claims, or two do, is refused.
    /// - Throws: `NetworkError.file` for a file of another format, or one that breaks a rule of this one; `FileError` for whole numbers that f64 cannot hold.
    package static func content(_ bytes: [UInt8], path: String) throws -> Content {
        func fail(_ fault: NetworkFileFault) -> NetworkError { .file(path: path, fault) }
        guard bytes.count >= 8 else { throw fail(.shortFile(bytes: bytes.count)) }
        let length = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= 100_000_000, Int(length) <= bytes.count - 8 else {
            throw fail(bytes[8...].first == UInt8(ascii: "{") ? .headerCut : .isNotSafetensors)
        }
        let start = 8 + Int(length), size = bytes.count - start
        // What is made of its tree takes up to four times its bytes, and its own bytes are there twice.
        var held = try Reservation(Int(length) &* 5)
        defer { _ = held.bytes }
        let unreadable = fail(.headerNotJSON)
        guard length > 0, bytes[8] == UInt8(ascii: "{"), case .object(let fields) = try JSON(bytes[8..<start], held: &held, orElse: unreadable) else {
            throw unreadable
        }
        var metadata: [String: String] = [:], seen = Set<String>()
        var entries: [(name: String, type: StoredType, shape: [Int], place: Range<Int>)] = []
        for (name, value) in fields {
            guard seen.insert(name).inserted else { throw fail(.arrayTwice(name)) }
            if name == "__metadata__" {
                metadata = try texts(value, fail)
                continue
            }
            func undescribed() -> NetworkError { fail(.undescribed(name)) }
            guard value.isUnambiguous, case .text(let code)? = value["dtype"], let shape = value["shape"]?.sizes, let places = value["data_offsets"]?.sizes,
                places.count == 2, places[0] <= places[1]
            else { throw undescribed() }
            guard places[1] <= size else { throw fail(.arrayCut(name)) }
            guard let type = stored(code) else { throw fail(.unknownType(code, of: name)) }
            var count = type.size
            for size in shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: size)
                guard !overflow else { throw undescribed() }
                count = product
            }
            guard count == places[1] - places[0] else { throw fail(.wrongSize(of: name, shape: shape, bytes: places[1] - places[0])) }
            entries.append((name, type, shape, places[0]..<places[1]))
        }
        entries.sort { ($0.place.lowerBound, $0.place.upperBound) < ($1.place.lowerBound, $1.place.upperBound) }
        var end = 0
        for (name, _, _, place) in entries {
            guard place.lowerBound >= end else { throw fail(.overlapping(name)) }
            guard place.lowerBound == end else { throw fail(.bytesBefore(name, place.lowerBound - end)) }
            end = place.upperBound
        }
        guard end == size else { throw fail(.bytesAtEnd(size - end)) }
        return try bytes.withUnsafeBytes { buffer in
            Content(
                arrays: try entries.map { entry in
                    var reader = ByteReader(
                        UnsafeRawBufferPointer(rebasing: buffer[(start + entry.place.lowerBound)..<(start + entry.place.upperBound)]),
                        path: "\(path), \(entry.name)")
                    return (entry.name, try entry.type.array(&reader, shape: entry.shape, isBigEndian: false))
                },
                metadata: metadata)
        }
    }

    /// The metadata: texts by name.
    private static func texts(_ value: JSON, _ fail: (NetworkFileFault) -> NetworkError) throws -> [String: String] {
        guard case .object(let fields) = value else { throw fail(.metadataNotTexts(field: nil)) }
        var texts: [String: String] = [:]
        for (name, value) in fields {
            guard case .text(let text) = value else { throw fail(.metadataNotTexts(field: name)) }
            guard texts.updateValue(text, forKey: name) == nil else { throw fail(.metadataTwice(name)) }
        }
        return texts
    }

    private static func stored(_ code: String) -> StoredType? {
        switch code {
        case "BOOL": .bool
        case "F64": .f64
        case "F32": .f32
        case "F16": .f16
        case "BF16": .bf16
        case "I64": .i64
        case "I32": .i32
        case "I16": .i16
        case "I8": .i8
        case "U64": .u64
        case "U32": .u32
        case "U16": .u16
        case "U8": .u8
        default: nil
        }
    }

    private static func code(of type: ElementType) -> String {
        switch type {
        case .bool: "BOOL"
        case .f32: "F32"
        case .f64: "F64"
        }
    }
}

extension JSON {
    /// Sizes or offsets: a list of whole numbers, written as such.
    fileprivate var sizes: [Int]? {
        guard case .list(let values) = self else { return nil }
        let sizes = values.compactMap { value -> Int? in
            guard case .number(let number, isWhole: true) = value, number.sign == .plus, number < 0x1p53 else { return nil }
            return Int(exactly: number)
        }
        return sizes.count == values.count ? sizes : nil
    }

    /// Whether no name stands twice in an object.
    fileprivate var isUnambiguous: Bool {
        guard case .object(let fields) = self else { return true }
        return Set(fields.map(\.name)).count == fields.count
    }
}
