// Ends a computation that takes longer than it may, by raising the same interrupt as Ctrl-C.

import ActSystem
import ActArray
import CActSystem

final class Watchdog {
    private let seconds: Double
    private let state = State()

    /// What the watched and the watching thread share, within the monitor.
    private final class State {
        let monitor = Monitor()
        var isStopped = false
        var hasFired = false
    }

    /// - Returns: `nil` if the system has no thread left to watch.
    init?(seconds: Double, interrupt: Interrupt) {
        self.seconds = seconds
        let work = Work(seconds: seconds, interrupt: interrupt, state: state)
        // It does little, and shall start where memory is scarce.
        guard SystemThread(stackSize: 1 << 18, isDetached: true, work.run) != nil else { return nil }
    }

    /// The limit, if it was reached.
    var fired: Double? { state.monitor.locked { state.hasFired ? seconds : nil } }

    func stop() {
        state.monitor.locked {
            state.isStopped = true
            state.monitor.signal()
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
            state.monitor.locked {
                while !state.isStopped {
                    let left = seconds - (act_seconds() - start)
                    if left <= 0 {
                        state.hasFired = true
                        interrupt.raise()
                        return
                    }
                    state.monitor.wait(min(left, 0.5))
                }
            }
        }
    }
}
