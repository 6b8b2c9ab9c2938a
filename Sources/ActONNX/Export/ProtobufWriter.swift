// Protobuf's wire format, as far as writing ONNX needs it: fields with a number and a kind, whole numbers seven bits a byte, texts and messages
// after their length. (protobuf.dev/programming-guides/encoding)
//
// What must stay true: the bytes of a large field are not copied from message to message; a message holds its pieces, in order.

/// A message that is being written.
struct ProtobufMessage {
    private(set) var pieces: [[UInt8]] = []
    /// How many bytes it has.
    private(set) var count = 0
    /// Small fields, until a large one comes.
    private var recent: [UInt8] = []

    /// What is longer becomes a piece of its own.
    private static let piece = 1 << 12

    private enum Kind: UInt64 {
        case varint = 0
        case lengthDelimited = 2
        case fixed32 = 5
    }

    @inline(never)
    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            add(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        add(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func add(_ byte: UInt8) {
        recent.append(byte)
        count += 1
    }

    private mutating func key(_ field: Int, _ kind: Kind) { varint(UInt64(field) << 3 | kind.rawValue) }

    @inline(never)
    private mutating func flush() {
        if recent.isEmpty { return }
        pieces.append(recent)
        recent = []
    }

    @inline(never)
    private mutating func add(_ bytes: [UInt8]) {
        count += bytes.count
        if bytes.count < ProtobufMessage.piece {
            recent += bytes
        } else {
            flush()
            pieces.append(bytes)
        }
    }

    @inline(never)
    mutating func append(_ field: Int, _ value: Int64) {
        key(field, .varint)
        varint(UInt64(bitPattern: value))
    }

    mutating func append(_ field: Int, _ value: Float) {
        key(field, .fixed32)
        for shift in stride(from: UInt32(0), to: 32, by: 8) { add(UInt8(truncatingIfNeeded: value.bitPattern >> shift)) }
    }

    mutating func append(_ field: Int, _ bytes: [UInt8]) {
        key(field, .lengthDelimited)
        varint(UInt64(bytes.count))
        add(bytes)
    }

    /// Nothing where the text is empty, as protobuf has it.
    @inline(never)
    mutating func append(_ field: Int, _ text: String) {
        if !text.isEmpty { append(field, Array(text.utf8)) }
    }

    @inline(never)
    mutating func append(_ field: Int, _ message: ProtobufMessage) {
        var message = message
        message.flush()
        key(field, .lengthDelimited)
        varint(UInt64(message.count))
        for piece in message.pieces { add(piece) }
    }

    /// Hands over its bytes, piece by piece.
    mutating func send(to sink: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        flush()
        for piece in pieces { try piece.withUnsafeBytes(sink) }
    }
}
