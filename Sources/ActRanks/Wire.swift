// Bytes through connected sockets. Reads and writes alone are made, which the sandbox lets pass.
//
// What must stay true: a wait ends soon after the program is interrupted; what a peer says of sizes is believed only within the memory limit.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum Wire {
    /// The other end is gone.
    struct Gone: Error {}

    /// Milliseconds between two looks at the interrupt.
    private static let pause: Int32 = 50

    static func prepare(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }

    /// - Parameter check: Called while nothing moves; what it throws ends the wait.
    static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ check: () throws -> Void = Interrupt.check) throws {
        var done = 0
        while done < bytes.count {
            let count = systemWrite(descriptor, bytes.baseAddress.map { $0 + done }, min(bytes.count - done, 1 << 20))
            if count > 0 {
                done += count
            } else {
                try wait(descriptor, POLLOUT, after: count, check)
            }
        }
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, _ check: () throws -> Void = Interrupt.check) throws {
        try bytes.withUnsafeBytes { try write($0, to: descriptor, check) }
    }

    static func read(_ bytes: UnsafeMutableRawBufferPointer, from descriptor: Int32, _ check: () throws -> Void = Interrupt.check) throws {
        var done = 0
        while done < bytes.count {
            let count = systemRead(descriptor, bytes.baseAddress.map { $0 + done }, min(bytes.count - done, 1 << 20))
            if count == 0 { throw Gone() }
            if count > 0 {
                done += count
            } else {
                try wait(descriptor, POLLIN, after: count, check)
            }
        }
    }

    static func read(_ count: Int, from descriptor: Int32, _ check: () throws -> Void = Interrupt.check) throws -> [UInt8] {
        try MemoryPool.allow(count)
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try read($0, from: descriptor, check) }
        return bytes
    }

    /// Bytes behind their number.
    static func writeFrame(_ bytes: [UInt8], to descriptor: Int32, _ check: () throws -> Void = Interrupt.check) throws {
        try withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { try write($0, to: descriptor, check) }
        try write(bytes, to: descriptor, check)
    }

    static func readFrame(from descriptor: Int32, _ check: () throws -> Void = Interrupt.check) throws -> [UInt8] {
        var length: UInt64 = 0
        try withUnsafeMutableBytes(of: &length) { try read($0, from: descriptor, check) }
        guard let count = Int(exactly: UInt64(littleEndian: length)) else { throw Gone() }
        return try read(count, from: descriptor, check)
    }

    private static func wait(_ descriptor: Int32, _ event: Int32, after count: Int, _ check: () throws -> Void) throws {
        if count < 0, errno != EAGAIN, errno != EINTR, errno != EWOULDBLOCK { throw Gone() }
        try check()
        var ready = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        _ = poll(&ready, 1, pause)
    }

    private static func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.write(descriptor, bytes, count)
        #else
        Darwin.write(descriptor, bytes, count)
        #endif
    }

    private static func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.read(descriptor, bytes, count)
        #else
        Darwin.read(descriptor, bytes, count)
        #endif
    }
}

/// Numbers, texts and bytes one after the other: what goes over the wire besides arrays.
package struct MessageWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ word: UInt64) { withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) } }
    package mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }
    package mutating func add(_ number: Double) { add(number.bitPattern) }
    package mutating func add(_ part: [UInt8]) {
        add(part.count)
        bytes.append(contentsOf: part)
    }
    package mutating func add(_ text: String) { add(Array(text.utf8)) }

    /// The elements alone: whoever reads them knows type and shape.
    package mutating func add(elementsOf array: NDArray) throws {
        let array = try array.detached().contiguous()
        array.withMutableBytes { bytes.append(contentsOf: UnsafeRawBufferPointer(start: $0, count: array.count &* array.type.size)) }
    }
}

/// Reads what `MessageWriter` wrote. What ends early reads as 0 and nothing, and is no longer `isWhole`.
package struct MessageReader {
    private let bytes: [UInt8]
    private var position = 0
    package private(set) var isWhole = true

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }

    package mutating func word() -> UInt64 {
        guard bytes.count - position >= 8 else {
            isWhole = false
            return 0
        }
        defer { position += 8 }
        return bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: UInt64.self)) }
    }

    package mutating func whole() -> Int { Int(Int64(bitPattern: word())) }
    package mutating func number() -> Double { Double(bitPattern: word()) }

    package mutating func part() -> [UInt8] {
        let count = whole()
        guard count >= 0, count <= bytes.count - position else {
            isWhole = false
            return []
        }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    package mutating func text() -> String { String(decoding: part(), as: UTF8.self) }

    package mutating func array(shape: [Int], type: ElementType) throws -> NDArray {
        let array = try NDArray.uninitialized(shape: shape, type: type), count = array.count &* type.size
        array.withMutableBytes { target in
            guard count <= bytes.count - position else {
                isWhole = false
                memset(target, 0, count)
                return
            }
            bytes.withUnsafeBytes { if let source = $0.baseAddress { target.copyMemory(from: source + position, byteCount: count) } }
            position += count
        }
        return array
    }
}
