// What is written to a file in pieces, as a whole.

/// The bytes that `body` gives to the sink that it is called with.
package func written(_ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) rethrows -> [UInt8] {
    var bytes: [UInt8] = []
    try body { bytes.append(contentsOf: $0) }
    return bytes
}
