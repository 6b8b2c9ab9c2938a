// Where one thread leaves what another one is to do.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `@unchecked`: what it holds is touched with the mutex.
final class Mailbox<Item>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var items: [Item] = []

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func put(_ item: Item) {
        pthread_mutex_lock(mutex)
        items.append(item)
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    /// Waits for the next.
    /// - Parameters:
    ///   - moment: Seconds of waiting after which `whenIdle` is called, once.
    func take(after moment: Double, whenIdle: () -> Void) -> Item {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        var until = timespec()
        clock_gettime(CLOCK_REALTIME, &until)
        until.tv_sec += Int(moment)
        var isIdle = false
        while items.isEmpty {
            if isIdle {
                pthread_cond_wait(condition, mutex)
            } else if pthread_cond_timedwait(condition, mutex, &until) == ETIMEDOUT {
                isIdle = true
                pthread_mutex_unlock(mutex)
                whenIdle()
                pthread_mutex_lock(mutex)
            }
        }
        return items.removeFirst()
    }
}
