// Ctrl-C: a flag that a signal handler sets and every computation looks at often enough to end within a tenth of a second.
//
// What must stay true: who computes in pieces checks between them and throws, so that no half-computed array is ever seen.

import CActKernels

/// The flag that Ctrl-C sets.
package enum Interrupt {
    package static var isSet: Bool {
        @inline(__always) get { act_interrupt_get() != 0 }
    }

    /// - Throws: `ArrayError.interrupted` once it is set.
    @inline(__always)
    package static func check() throws {
        if isSet { throw ArrayError.interrupted }
    }

    /// Calls `body` with 0 ..< `count` in pieces, in order.
    /// - Throws: `ArrayError.interrupted`, and what `body` throws.
    @inline(__always)
    package static func forEachPiece(_ count: Int, of size: Int = 1 << 20, _ body: (Range<Int>) throws -> Void) throws {
        var start = 0
        while start < count {
            try check()
            let end = min(count, start &+ size)
            try body(start..<end)
            start = end
        }
        try check()
    }
}

extension ThreadPool {
    /// `parallelFor` that an interrupt ends early.
    /// - Throws: `ArrayError.interrupted`; some of the calls have not been made then.
    package static func parallel(_ chunks: Int, _ body: (Int) -> Void) throws {
        parallelFor(chunks) { index in
            if Interrupt.isSet { return }
            body(index)
        }
        try Interrupt.check()
    }

    /// Calls `body` with 0 ..< `count` in pieces, on several threads when there are several.
    /// - Throws: `ArrayError.interrupted`.
    package static func parallelPieces(_ count: Int, of size: Int = 1 << 16, _ body: (Range<Int>) -> Void) throws {
        if count <= size { return body(0..<max(0, count)) }
        try parallel((count + size - 1) / size) { index in
            body(index &* size..<min(count, (index &+ 1) &* size))
        }
    }
}
