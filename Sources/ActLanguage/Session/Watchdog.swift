// Ends a computation that takes longer than it may, by raising the same flag as Ctrl-C.

import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class Watchdog {
    private let seconds: Double
    private let state = State()
    private final class State {
        let lock = Lock()
        var isStopped = false
        var hasFired = false
    }

    init(seconds: Double) {
        self.seconds = seconds
        let box = Unmanaged.passRetained(Work(seconds: seconds, state: state))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        #if canImport(Glibc)
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, { argument in
            if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, box.toOpaque())
        #else
        var thread: pthread_t?
        let status = pthread_create(&thread, &attributes, { argument in
            Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
        #endif
        if status != 0 { box.release() }
        pthread_attr_destroy(&attributes)
    }

    /// The limit, if it was reached.
    var fired: Double? { state.lock.locked { state.hasFired ? seconds : nil } }

    func stop() { state.lock.locked { state.isStopped = true } }

    private final class Work {
        let seconds: Double
        let state: State

        init(seconds: Double, state: State) {
            self.seconds = seconds
            self.state = state
        }

        /// Sleeps in short steps, so that a stopped watchdog soon ends.
        func run() {
            var start = timespec()
            clock_gettime(CLOCK_MONOTONIC, &start)
            while true {
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                let elapsed = Double(now.tv_sec - start.tv_sec) + Double(now.tv_nsec - start.tv_nsec) * 1e-9
                let isOver = state.lock.locked {
                    if state.isStopped { return true }
                    if elapsed >= seconds {
                        state.hasFired = true
                        act_interrupt_set(1)
                        return true
                    }
                    return false
                }
                if isOver { return }
                usleep(UInt32(min(max((seconds - elapsed) * 1e6, 100), 20_000)))
            }
        }
    }
}
