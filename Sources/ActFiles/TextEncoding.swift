// Texts that are not UTF-8: the C library's iconv knows the encodings. What must stay true: bytes that are not text in an encoding are an
// error, never another character.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum TextEncoding {
    /// The same text in UTF-8.
    /// - Parameter name: As iconv knows it, hyphens and case not counting: `latin-1`, `windows-1252`, `cp949`; without one a byte-order mark
    ///   tells UTF-16 and UTF-32, and the rest is UTF-8 already.
    /// - Throws: `FileError` for an encoding that is not known, and bytes that are not text in it.
    package static func utf8(_ bytes: [UInt8], from name: String?, path: String) throws -> [UInt8] {
        guard let name = name ?? marked(bytes) else { return bytes }
        // Other characters would be iconv's own options.
        guard !name.isEmpty, name.utf8.count < 64, name.utf8.allSatisfy({ $0 | 32 >= 97 && $0 | 32 <= 122 || $0 >= 48 && $0 <= 57 || "-_.:".utf8.contains($0) })
        else {
            throw FileError(path, .unknownEncoding(name))
        }
        let short = String(name.uppercased().filter { $0 != "-" && $0 != "_" })
        if short == "UTF8" { return bytes }
        guard let library = Library.shared else { throw FileError(path, .noIconv) }
        guard let converter = library.open(name) ?? library.open(short) else { throw FileError(path, .unknownEncoding(name)) }
        defer { _ = library.close(converter) }

        var result: [UInt8] = [], position = 0
        result.reserveCapacity(bytes.count)
        try bytes.withUnsafeBytes { source in
            while position < source.count {
                try Interrupt.check()
                let size = min(source.count - position, 1 << 20)
                let isLast = position + size == source.count
                try MemoryPool.allow(result.count + size * 4)
                var used = 0, failed: Int32 = 0
                // The last call, without input, gives what the converter holds back.
                let piece = [UInt8](unsafeUninitializedCapacity: size * 4 + 64) { target, filled in
                    var input: UnsafeMutablePointer<CChar>? = source.baseAddress.map {
                        UnsafeMutableRawPointer(mutating: $0 + position).assumingMemoryBound(to: CChar.self)
                    }
                    var inputLeft = size
                    var output: UnsafeMutablePointer<CChar>? = target.baseAddress.map { UnsafeMutableRawPointer($0).assumingMemoryBound(to: CChar.self) }
                    var outputLeft = size * 4 + 64
                    if library.convert(converter, &input, &inputLeft, &output, &outputLeft) == -1 {
                        failed = errno
                    } else if isLast {
                        _ = library.convert(converter, nil, nil, &output, &outputLeft)
                    }
                    used = size - inputLeft
                    filled = size * 4 + 64 - outputLeft
                }
                result += piece
                position += used
                // A character may be cut by the end of a piece; the next one begins with it.
                if failed == EILSEQ || failed == EINVAL && (isLast || used == 0) { throw FileError(path, .badByte(position + 1, encoding: name)) }
            }
        }
        return result
    }

    private static func marked(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return "UTF-32" }
        return bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) ? "UTF-16" : nil
    }

    /// `@unchecked`: functions of the library, which stays loaded.
    private struct Library: @unchecked Sendable {
        typealias Open = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> OpaquePointer?
        typealias Convert =
            @convention(c) (
                OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?, UnsafeMutablePointer<Int>?,
                UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
                UnsafeMutablePointer<Int>?
            ) -> Int
        typealias Close = @convention(c) (OpaquePointer?) -> Int32

        private let begin: Open
        let convert: Convert
        let close: Close

        /// A converter to UTF-8, or `nil`.
        func open(_ name: String) -> OpaquePointer? {
            let converter = begin("UTF-8", name)
            return converter == OpaquePointer(bitPattern: -1) ? nil : converter
        }

        static let shared: Library? = {
            #if canImport(Darwin)
            let handle = dlopen("/usr/lib/libiconv.2.dylib", RTLD_NOW | RTLD_LOCAL)
            #else
            let handle = dlopen(nil, RTLD_NOW)
            #endif
            guard let handle, let open = dlsym(handle, "iconv_open"), let convert = dlsym(handle, "iconv"), let close = dlsym(handle, "iconv_close") else {
                return nil
            }
            return Library(
                begin: unsafeBitCast(open, to: Open.self), convert: unsafeBitCast(convert, to: Convert.self), close: unsafeBitCast(close, to: Close.self))
        }()
    }
}
