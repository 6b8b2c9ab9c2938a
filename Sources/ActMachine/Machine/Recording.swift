// What a piece of program computed: the value of every expression, in the order in which they were done. `why` and `:shapes` run code
// that was compiled to note this; other code has no such instructions.
//
// What must stay true: an entry's position never changes, although the oldest entries of a long recording are dropped.

import ActArray
import ActSyntax

package final class Recording {
    package struct Entry {
        package let frame: Int
        package let expression: ExpressionID
        package let value: Value
    }

    /// One run of a function, or of a statement of the outermost level.
    package struct Frame {
        package let code: Code
        /// The frame that called it; `nil` at the outermost level.
        package let caller: Int?
        /// The expression of the caller that led to it.
        package let call: ExpressionID?
        /// The position of the first entry that was noted in it or after it.
        package let start: Int
    }

    package private(set) var frames: [Frame] = []
    private var entries: [Entry] = []
    /// How many have been dropped.
    private var dropped = 0
    private var running: [Int] = []

    package init() {}

    private static let limit = 400_000
    private static let frameLimit = 2_000_000

    package var range: Range<Int> { dropped..<dropped + entries.count }
    package subscript(position: Int) -> Entry { entries[position - dropped] }

    func enter(_ code: Code, call: ExpressionID?) {
        frames.append(Frame(code: code, caller: running.last, call: call, start: range.upperBound))
        running.append(frames.count - 1)
    }

    func leave() { _ = running.popLast() }

    /// - Throws: `MachineRefusal.tooManyCallsToExplain` when there is no end to it.
    func note(_ value: Value, _ expression: ExpressionID) throws {
        guard let frame = running.last else { return }
        guard frames.count < Self.frameLimit else {
            throw MachineRefusal.tooManyCallsToExplain
        }
        if entries.count >= Self.limit || entries.count > 64 && MemoryPool.used > MemoryPool.limit / 2 {
            dropped += entries.count / 2
            entries.removeFirst(entries.count / 2)
        }
        entries.append(Entry(frame: frame, expression: expression, value: value))
    }
}

extension Machine {
    /// Runs `body`, in which everything that is compiled for it is noted; nothing is shown, warned of or written, and random numbers
    /// go on afterwards as if it had not run.
    package func record(into recording: Recording, _ body: () throws -> Void) throws {
        let (outer, random, events) = (self.recording, self.random, NumericEvents.isEnabled)
        try drainNumericEvents()
        self.recording = recording
        NumericEvents.isEnabled = false
        defer {
            self.recording = outer
            self.random = random
            NumericEvents.isEnabled = events
        }
        try body()
    }
}
