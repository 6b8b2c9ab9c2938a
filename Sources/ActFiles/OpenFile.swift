// The bytes of files that are open, read and written so that Ctrl-C ends it, with errors that say what was wrong.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

enum OpenFile {
    /// The bytes of a file (of a pipe or device: up to its end). It was opened with `O_NONBLOCK`: nothing waits in the system, where
    /// Ctrl-C does not reach, neither for who writes into a pipe nor for what is written.
    /// - Throws: `FileError`; `outOfMemory` when it would not fit; `interrupted`.
    static func contents(_ descriptor: Int32, _ path: String) throws -> [UInt8] {
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw failure(path, errno) }
        if information.st_mode & S_IFMT == S_IFDIR { throw failure(path, EISDIR) }
        let isPipe = information.st_mode & S_IFMT == S_IFIFO
        let expected = information.st_mode & S_IFMT == S_IFREG ? max(0, Int(information.st_size)) : 0

        // The expected size and one byte more, so that the end is seen without growing; a growing file or a device goes on in larger steps.
        var bytes: [UInt8] = []
        var capacity = min(expected, 1 << 48) + 1
        while true {
            try Interrupt.check()
            capacity = try MemoryPool.capacity(capacity, movingFrom: bytes.count)
            let read = bytes
            var problem: Int32 = 0
            bytes = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
                guard let base = buffer.baseAddress else { return }
                filled = buffer.initialize(fromContentsOf: read)
                while filled < capacity {
                    // At most 16 MiB for one call, so that Ctrl-C is seen.
                    if Interrupt.isSet {
                        problem = EINTR
                        return
                    }
                    let got = sysread(descriptor, base + filled, min(capacity - filled, 1 << 24))
                    if got < 0, errno == EINTR, !Interrupt.isSet { continue }
                    // A pipe into which nobody has written yet is not at its end.
                    if got < 0 && errno == EAGAIN || got == 0 && isPipe && filled == 0, !Interrupt.isSet {
                        wait(descriptor, for: POLLIN)
                        continue
                    }
                    if got < 0 { problem = errno }
                    if got <= 0 { return }
                    filled += got
                }
            }
            if problem != 0 {
                try Interrupt.check()
                throw failure(path, problem)
            }
            if bytes.count < capacity { return bytes }
            capacity = max(1 << 16, capacity * 2)
        }
    }

    /// Writes what `body` gives to its sink.
    /// - Throws: `FileError`; `interrupted`; what `body` throws.
    static func put(_ descriptor: Int32, _ path: String, _ body: (ByteSink) throws -> Void) throws {
        var total = 0
        try body { buffer in
            var done = 0
            while done < buffer.count, let base = buffer.baseAddress {
                try Interrupt.check()
                let count = syswrite(descriptor, base + done, min(buffer.count - done, 1 << 24))
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    wait(descriptor, for: POLLOUT)
                    continue
                }
                if count <= 0 { throw failure(path, errno) }
                done += count
                total += count
                // The disk takes a large file bit by bit: nothing ends a wait for all of it.
                if total >> 25 != (total - count) >> 25 { fsync(descriptor) }
            }
        }
    }

    /// Until something can be read or written, or for a moment.
    private static func wait(_ descriptor: Int32, for events: Int32) {
        var source = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        poll(&source, 1, 20)
        // A pipe that nobody has open for writing says at once that it is at its end.
        if source.revents & Int16(events) == 0 { usleep(5000) }
    }

    static func failure(_ path: String, _ code: Int32) -> FileError {
        FileError(path, code == ENOENT && path.isEmpty ? .emptyPath : .system(code: code))
    }
}

// Inside the type the names are taken by its own functions.
private func sysread(_ descriptor: Int32, _ buffer: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int { read(descriptor, buffer, count) }
private func syswrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int { write(descriptor, buffer, count) }
