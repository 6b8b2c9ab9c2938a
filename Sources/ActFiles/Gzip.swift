// Unpacking: zlib, loaded when first needed. Its header is not needed to build; the struct below is its `z_stream`, whose layout is
// part of its binary interface.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum Gzip {
    /// The contents of a .gz file (all its members, one after the other).
    /// - Throws: `FileError` for damaged data or when zlib is missing; `outOfMemory`.
    package static func unpacked(_ bytes: [UInt8], path: String) throws -> [UInt8] {
        guard bytes.starts(with: [0x1F, 0x8B]) else { throw FileError(path, .isNot(.gz)) }
        // The last four bytes give the length (modulo 2^32): a hint for the first buffer.
        let hint = bytes.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        return try bytes.withUnsafeBytes { try inflate($0, format: .gzip, expected: min(hint, bytes.count * 1032), path: path) }
    }

    /// Loads zlib now, for a process that can load nothing later.
    package static func load() { _ = Library.shared }

    enum Format: Int32 {
        case gzip = 31  // the window of 2^15 bytes, with gzip's header
        case raw = -15  // without a header, as zip archives have it
    }

    static func inflate(_ packed: UnsafeRawBufferPointer, format: Format, expected: Int, path: String) throws -> [UInt8] {
        guard let zlib = Library.shared else {
            throw FileError(path, .noZlib)
        }
        guard let base = packed.baseAddress else { throw FileError(path, .damagedCompression) }
        var stream = Stream()
        let size = Int32(MemoryLayout<Stream>.stride)
        guard zlib.begin(&stream, format.rawValue, "1.2.11", size) == 0 else { throw FileError(path, .unusableZlib) }
        defer { _ = zlib.end(&stream) }

        var result: [UInt8] = [], position = 0, isEnd = false
        var capacity = min(max(expected, 0), 1 << 40) + 1
        while !isEnd {
            try Interrupt.check()
            capacity = try MemoryPool.capacity(capacity, movingFrom: result.count)
            var status: Int32 = 0
            let unpacked = result
            result = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
                filled = buffer.initialize(fromContentsOf: unpacked)
                while filled < capacity, !isEnd {
                    if Interrupt.isSet { return }
                    let input = min(packed.count - position, 1 << 30), output = min(capacity - filled, 1 << 26)
                    stream.nextIn = base.assumingMemoryBound(to: UInt8.self) + position
                    stream.availableIn = UInt32(input)
                    stream.nextOut = buffer.baseAddress.map { $0 + filled }
                    stream.availableOut = UInt32(output)
                    status = zlib.inflate(&stream, 0)
                    let used = input - Int(stream.availableIn), made = output - Int(stream.availableOut)
                    position += used
                    filled += made
                    if status == 1 {
                        // The end of a member: of a .gz file another may follow, or zeros as padding. Anything else is refused as another header.
                        isEnd = format == .raw || packed[position...].allSatisfy { $0 == 0 }
                        status = isEnd ? 0 : zlib.reset(&stream)
                        if status != 0 { return }
                    } else if status != 0 || used == 0 && made == 0 {
                        if status == 0 { status = -5 }
                        return
                    }
                }
            }
            try Interrupt.check()
            if status != 0 { throw FileError(path, .damagedCompression) }
            capacity = max(1 << 16, capacity * 2)
        }
        return result
    }

    /// zlib's `z_stream`. Its pointers lead into buffers of the closure that is running; zlib's own memory goes with `end`.
    private struct Stream {
        var nextIn: UnsafePointer<UInt8>?
        var availableIn: UInt32 = 0
        var totalIn: UInt = 0
        var nextOut: UnsafeMutablePointer<UInt8>?
        var availableOut: UInt32 = 0
        var totalOut: UInt = 0
        var message: UnsafePointer<CChar>?
        var state: UnsafeMutableRawPointer?
        var allocate: UnsafeMutableRawPointer?
        var release: UnsafeMutableRawPointer?
        var opaque: UnsafeMutableRawPointer?
        var dataType: Int32 = 0
        var checksum: UInt = 0
        var reserved: UInt = 0
    }

    /// `@unchecked`: functions of the library, which stays loaded.
    private struct Library: @unchecked Sendable {
        typealias Begin = @convention(c) (UnsafeMutableRawPointer, Int32, UnsafePointer<CChar>, Int32) -> Int32
        typealias Inflate = @convention(c) (UnsafeMutableRawPointer, Int32) -> Int32
        typealias End = @convention(c) (UnsafeMutableRawPointer) -> Int32

        let begin: Begin
        let inflate: Inflate
        let reset: End
        let end: End

        static let shared: Library? = {
            #if canImport(Darwin)
            let name = "/usr/lib/libz.1.dylib"
            #else
            let name = "libz.so.1"
            #endif
            guard
                let handle = dlopen(name, RTLD_NOW | RTLD_LOCAL), let begin = dlsym(handle, "inflateInit2_"),
                let inflate = dlsym(handle, "inflate"), let reset = dlsym(handle, "inflateReset"), let end = dlsym(handle, "inflateEnd")
            else { return nil }
            return Library(
                begin: unsafeBitCast(begin, to: Begin.self), inflate: unsafeBitCast(inflate, to: Inflate.self),
                reset: unsafeBitCast(reset, to: End.self), end: unsafeBitCast(end, to: End.self))
        }()
    }
}
