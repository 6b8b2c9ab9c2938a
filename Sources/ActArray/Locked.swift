// A value that several threads change, one at a time.

import ActSystem

/// A value that one thread at a time touches. `@unchecked`: `value` is touched with the lock alone.
final class Locked<Value>: @unchecked Sendable {
    private let lock = Lock()
    private var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<T>(_ body: (inout Value) throws -> T) rethrows -> T {
        try lock.locked { try body(&value) }
    }
}
