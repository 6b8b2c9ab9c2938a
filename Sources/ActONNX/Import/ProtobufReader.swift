// The wire format of Protocol Buffers, read: fields one after the other, each a number and a value (protobuf.dev/programming-guides/encoding).
//
// What must stay true: nothing is read past the end, however long a field claims to be, and nothing is allocated that the bytes do not hold.

import ActArray

/// Bytes that do not follow the format. Positions count from the beginning of the file.
package enum ProtobufFault: Error, Equatable, Sendable {
    case endsEarly(at: Int)
    /// A number of more than 64 bits.
    case longNumber(at: Int)
    /// A field whose number is 0, or of a wire type that does not exist or is no longer in use.
    case badTag(at: Int)
    /// A field of another wire type than the message gives it.
    case otherType(field: Int, at: Int)
    case notUTF8(field: Int, at: Int)
}

/// A message: a part of the bytes, taken apart field by field.
struct ProtobufReader {
    /// They outlive the reader, which never leaves the closure that gave them.
    private let bytes: UnsafeRawBufferPointer
    fileprivate let end: Int
    private(set) var position: Int

    init(_ bytes: UnsafeRawBufferPointer) { self.init(bytes, 0..<bytes.count) }

    private init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        (self.bytes, position, end) = (bytes, range.lowerBound, range.upperBound)
    }

    /// A field as it lies there.
    struct Field {
        enum Content {
            case number(UInt64)
            case eight(UInt64)
            case four(UInt32)
            case bytes(Range<Int>)
        }

        let number: Int
        let content: Content
        fileprivate let bytes: UnsafeRawBufferPointer
        fileprivate let position: Int
    }

    /// The next field; `nil` at the end of the message.
    @inline(never)
    mutating func next() throws -> Field? {
        guard position < end else { return nil }
        let start = position, tag = try varint()
        guard let number = Int(exactly: tag >> 3), number > 0, number < 1 << 29 else { throw ProtobufFault.badTag(at: start) }
        let content: Field.Content
        switch tag & 7 {
        case 0: content = .number(try varint())
        case 1: content = .eight(UInt64(littleEndian: try load()))
        case 2:
            let at = position, length = try varint()
            guard length <= UInt64(end - position) else { throw ProtobufFault.endsEarly(at: at) }
            content = .bytes(position..<position + Int(length))
            position += Int(length)
        case 5: content = .four(UInt32(littleEndian: try load()))
        default: throw ProtobufFault.badTag(at: start)
        }
        return Field(number: number, content: content, bytes: bytes, position: start)
    }

    fileprivate mutating func load<T: FixedWidthInteger>() throws -> T {
        guard end - position >= MemoryLayout<T>.size else { throw ProtobufFault.endsEarly(at: position) }
        defer { position += MemoryLayout<T>.size }
        return bytes.loadUnaligned(fromByteOffset: position, as: T.self)
    }

    /// A number of 7 bits a byte, the lowest first; a set eighth bit says that more follow.
    @inline(never)
    fileprivate mutating func varint() throws -> UInt64 {
        let start = position
        var result: UInt64 = 0, shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte < 2 else { throw ProtobufFault.longNumber(at: start) }
            result |= UInt64(byte & 127) << shift
            if byte < 128 { return result }
            shift += 7
        }
        throw ProtobufFault.endsEarly(at: start)
    }
}

extension ProtobufReader.Field {
    private var otherType: ProtobufFault { .otherType(field: number, at: position) }

    private var range: Range<Int> {
        get throws {
            guard case .bytes(let range) = content else { throw otherType }
            return range
        }
    }

    var size: Int { if case .bytes(let range) = content { range.count } else { 8 } }

    var message: ProtobufReader { get throws { ProtobufReader(bytes, try range) } }
    var raw: UnsafeRawBufferPointer { get throws { UnsafeRawBufferPointer(rebasing: bytes[try range]) } }

    var text: String {
        get throws {
            guard let text = String(validating: try raw, as: UTF8.self) else { throw ProtobufFault.notUTF8(field: number, at: position) }
            return text
        }
    }

    var whole: Int64 {
        get throws {
            guard case .number(let number) = content else { throw otherType }
            return Int64(bitPattern: number)
        }
    }

    var float: Float {
        get throws {
            guard case .four(let bits) = content else { throw otherType }
            return Float(bitPattern: bits)
        }
    }

    /// Repeated numbers, one of them or many packed into one field.
    func wholes(into numbers: inout [Int64]) throws {
        guard case .bytes = content else { return numbers.append(try whole) }
        var packed = try message
        while packed.position < packed.end { numbers.append(Int64(bitPattern: try packed.varint())) }
    }

    func floats(into numbers: inout [Float]) throws {
        guard case .bytes = content else { return numbers.append(try float) }
        var packed = try message
        while packed.position < packed.end { numbers.append(Float(bitPattern: UInt32(littleEndian: try packed.load()))) }
    }

    func doubles(into numbers: inout [Double]) throws {
        switch content {
        case .eight(let bits): numbers.append(Double(bitPattern: bits))
        case .bytes:
            var packed = try message
            while packed.position < packed.end { numbers.append(Double(bitPattern: UInt64(littleEndian: try packed.load()))) }
        default: throw otherType
        }
    }
}
