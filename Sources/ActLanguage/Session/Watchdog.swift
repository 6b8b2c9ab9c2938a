// Ends a computation that takes longer than it may, by raising the same interrupt as Ctrl-C.

import ActArray
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class Watchdog {
    private let seconds: Double
    private let state = State()

    /// What the watched and the watching thread share.
    private final class State {
        let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
        var isStopped = false
        var hasFired = false

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

        func locked<T>(_ body: () -> T) -> T {
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            return body()
        }
    }

    /// - Returns: `nil` if the system has no thread left to watch.
    init?(seconds: Double, interrupt: Interrupt) {
        self.seconds = seconds
        let work = Work(seconds: seconds, interrupt: interrupt, state: state)
        // It does little, and shall start where memory is scarce.
        guard SystemThread(stackSize: 1 << 18, isDetached: true, work.run) != nil else { return nil }
    }

    /// The limit, if it was reached.
    var fired: Double? { state.locked { state.hasFired ? seconds : nil } }

    func stop() {
        state.locked {
            state.isStopped = true
            pthread_cond_signal(state.condition)
        }
    }

    private final class Work {
        let seconds: Double
        let interrupt: Interrupt
        let state: State

        init(seconds: Double, interrupt: Interrupt, state: State) {
            self.seconds = seconds
            self.interrupt = interrupt
            self.state = state
        }

        /// Sleeps until it is stopped or the time is over, by a clock that nobody sets; a wait may end early, and is short lest the
        /// clock that it goes by is set.
        func run() {
            let start = act_seconds()
            state.locked {
                while !state.isStopped {
                    let left = seconds - (act_seconds() - start)
                    if left <= 0 {
                        state.hasFired = true
                        interrupt.raise()
                        return
                    }
                    var until = timespec()
                    clock_gettime(CLOCK_REALTIME, &until)
                    until.tv_nsec += Int(min(left, 0.5) * 1e9)
                    until.tv_sec += until.tv_nsec / 1_000_000_000
                    until.tv_nsec %= 1_000_000_000
                    pthread_cond_timedwait(state.condition, state.mutex, &until)
                }
            }
        }
    }
}
