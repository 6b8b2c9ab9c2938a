// Raises the interrupt of the process's engine, as Ctrl-C does, after some processor time, and measures how much passes until the program has ended.

import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `unsafe`: the handler and the one thread that sets alarms share it, and that thread reads it only after the alarm.
private nonisolated(unsafe) var firing = 0.0

enum Alarm {
    /// Seconds of processor time within which everything ends; many times as long where nothing is optimised.
    #if DEBUG
    static let patience = 1.0
    #else
    static let patience = 0.1
    #endif

    static func set(after time: Double) {
        firing = 0
        signal(SIGPROF) { _ in
            firing = seconds(CLOCK_PROCESS_CPUTIME_ID)
            act_word_set(act_process_interrupt(), 1)
        }
        start(time)
    }

    /// - Returns: How long ago it fired; `nil` if it did not.
    static func stop() -> Double? {
        start(0)
        // What came too late for this program is not meant for the next.
        act_word_set(act_process_interrupt(), 0)
        return firing > 0 ? seconds(CLOCK_PROCESS_CPUTIME_ID) - firing : nil
    }

    private static func start(_ time: Double) {
        var timer = itimerval()
        timer.it_value.tv_usec = suseconds_t(time.truncatingRemainder(dividingBy: 1) * 1e6)
        timer.it_value.tv_sec = Int(time)
        #if canImport(Glibc)
        setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
        #else
        setitimer(ITIMER_PROF, &timer, nil)
        #endif
    }
}
