// Ctrl-C, time limits: a word that a signal handler or another thread sets and every computation looks at often enough to end within a tenth
// of a second. Each engine has its own.
//
// What must stay true: who computes in pieces checks between them and throws, so that no half-computed array is ever seen.

import ActSystem
import CActKernels
import Synchronization

/// What ends the computations of an engine.
///
/// `@unchecked`: the word is read and written atomically, and lives as long as its engine.
package struct Interrupt: @unchecked Sendable {
    /// Other modules look at it themselves where they look often: a call would cost more than the look.
    package let word: UnsafeMutablePointer<Int32>

    init(word: UnsafeMutablePointer<Int32>) { self.word = word }

    init() {
        word = .allocate(capacity: 1)
        word.initialize(to: 0)
    }

    /// Gives the word back.
    func end() { word.deallocate() }

    package var isRaised: Bool {
        @inline(__always) get { act_word_get(word) != 0 }
    }

    package func raise() { act_word_set(word, 1) }
    package func clear() { act_word_set(word, 0) }

    /// That of the calling thread's engine.
    package static var current: Interrupt {
        @inline(__always) get { Interrupt(word: act_context().pointee.interrupt) }
    }

    /// Whether what the calling thread computes shall end.
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
    /// The door to parallel work that can fail: `parallelFor` that an error or an interrupt ends early.
    /// - Throws: the first error that one of the calls threw, on whichever thread; `ArrayError.interrupted`. Some of the calls have not
    ///   been made then.
    @inline(never)
    package static func parallel(_ chunks: Int, _ body: (Int) throws -> Void) throws {
        if chunks <= 1 {
            if chunks == 1 { try body(0) }
            return try Interrupt.check()
        }
        let failure = FirstError()
        parallelFor(chunks) { index in
            if Interrupt.isSet || failure.isSet { return }
            failure.catching { try body(index) }
        }
        try failure.rethrow()
        try Interrupt.check()
    }

    /// Calls `body` with 0 ..< `count` in pieces, on several threads when there are several.
    /// - Throws: as `parallel`.
    package static func parallelPieces(_ count: Int, of size: Int = 1 << 16, _ body: (Range<Int>) throws -> Void) throws {
        if count <= size { return try body(0..<max(0, count)) }
        try parallel((count + size - 1) / size) { index in
            try body(index &* size..<min(count, (index &+ 1) &* size))
        }
    }
}

/// Keeps the first error thrown on any of several threads. `@unchecked`: the error is written with the lock, and read when all are done.
private final class FirstError: @unchecked Sendable {
    private var error: (any Error)?
    private let hasError = Atomic<Bool>(false)
    private static let lock = Lock()

    var isSet: Bool { hasError.load(ordering: .relaxed) }

    func catching(_ body: () throws -> Void) {
        do { try body() } catch {
            FirstError.lock.locked { self.error = self.error ?? error }
            hasError.store(true, ordering: .relaxed)
        }
    }

    /// For when all threads are done.
    func rethrow() throws {
        if let error { throw error }
    }
}
