// Locks of the system: what Swift's Mutex guards looks unguarded to the thread sanitizer, which knows nothing of Swift's own library.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A mutual-exclusion lock that may be locked again by the thread that holds it. `@unchecked`: the system's mutex is made for several threads,
/// and its place never changes.
package final class Lock: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    package init() {
        mutex = .allocate(capacity: 1)
        var attributes = pthread_mutexattr_t()
        pthread_mutexattr_init(&attributes)
        pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE))
        pthread_mutex_init(mutex, &attributes)
        pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    package func locked<T>(_ body: () throws -> T) rethrows -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }
}

/// A mutex with a condition: threads wait in it for what others do. `@unchecked`: as `Lock`.
package final class Monitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Not to be entered again from within.
    package func locked<T>(_ body: () throws -> T) rethrows -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Leaves for the time of `body` what `locked` entered.
    package func unlocked<T>(_ body: () throws -> T) rethrows -> T {
        pthread_mutex_unlock(mutex)
        defer { pthread_mutex_lock(mutex) }
        return try body()
    }

    /// Wakes one that waits.
    package func signal() { pthread_cond_signal(condition) }

    /// Wakes all that wait.
    package func signalAll() { pthread_cond_broadcast(condition) }

    /// Waits within `locked` for a signal, or for nothing: who waits looks again at what it waits for.
    /// - Parameter seconds: The longest wait, by the clock of the day; `nil` for ever.
    package func wait(_ seconds: Double? = nil) {
        guard let seconds else {
            pthread_cond_wait(condition, mutex)
            return
        }
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        let whole = seconds.rounded(.down)
        until.tv_nsec += Int((seconds - whole) * 1e9)
        until.tv_sec += Int(whole) + until.tv_nsec / 1_000_000_000
        until.tv_nsec %= 1_000_000_000
        pthread_cond_timedwait(condition, mutex, &until)
    }
}
