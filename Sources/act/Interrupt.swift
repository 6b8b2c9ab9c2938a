// Signals. Ctrl-C ends a computation by the interrupt of the process's engine, with which the command's one session computes; a second one
// that finds it still raised does not wait.
//
// What must stay true: handlers only store integers, write to a pipe, remove the file that is being written, and leave, all of which a
// signal handler may do.

import CActKernels
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

// `unsafe`: signal handlers and the main thread share these; each is one word, which is written whole.

/// What the process is doing, for Ctrl-C means something else in each.
private nonisolated(unsafe) var activity = Interrupt.Activity.running.rawValue
/// Ctrl-C pressed since the last one that was answered.
private nonisolated(unsafe) var unanswered: Int32 = 0
/// What came while a line was being typed and ends the session.
private nonisolated(unsafe) var endingSignal: Int32 = 0
/// Whether the terminal has just shown `^C`, after which a new line begins.
private nonisolated(unsafe) var isAtTerminal = false
/// Where handlers tell a reader what happened, a byte a signal.
private nonisolated(unsafe) var wakeUpWriter: Int32 = -1

enum Interrupt {
    enum Activity: Int32 {
        /// A script runs.
        case running
        /// A line of the session runs.
        case runningLine
        /// A line is being typed: `LineEditor` listens.
        case editing
        /// Plain input is awaited.
        case reading
        /// A kernel waits for cells or runs one: nothing but its front end ends it.
        case serving
        /// Other processes work: they run the program, or are what the session was told to start. They are told to end, and waited for.
        case supervising
    }

    enum Event: UInt8 {
        case interrupt = 1
        case resize, resume, end
    }

    /// Where `LineEditor` hears of signals. `unsafe`: set before the first handler is.
    private(set) static nonisolated(unsafe) var wakeUpReader: Int32 = -1

    static func install() {
        // A reader that has gone is an error of the write. Only that of standard output ends us (see `Output`).
        signal(SIGPIPE, SIG_IGN)
        // A file past the size that is allowed is an error of the write, not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        handle(SIGINT, with: interrupted)
        for number in [SIGTERM, SIGHUP, SIGQUIT, SIGXCPU] where !isIgnored(number) { handle(number, with: killed) }
    }

    /// Also what only someone at a terminal needs.
    static func installForSession() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        wakeUpReader = ends[0]
        wakeUpWriter = ends[1]
        isAtTerminal = true
        handle(SIGWINCH) { _ in wakeUp(.resize) }
        handle(SIGCONT) { _ in wakeUp(.resume) }
        handle(SIGHUP, with: ended)
        handle(SIGTERM, with: ended)
        if !isIgnored(SIGQUIT) { handle(SIGQUIT, with: ended) }
    }

    /// The signal that asked a line that was being typed, or the processes that run the program, to end.
    static var ending: Int32 { endingSignal }

    /// Ends the process if it was asked to while another one worked.
    static func endIfAsked() { if endingSignal != 0 { leave(ExitStatus.ended(by: endingSignal)) } }

    static func enter(_ new: Activity) {
        unanswered = 0
        activity = new.rawValue
    }

    /// Where nothing runs yet, Ctrl-C ends the process from now on.
    /// - Returns: Whether that is so.
    static func beginReading() -> Bool {
        guard activity == Activity.running.rawValue else { return false }
        // Else one that came just before would wait for the end of the input.
        enter(.reading)
        if act_word_get(act_process_interrupt()) != 0 { leave(ExitStatus.interrupted) }
        return true
    }

    /// As whoever started the process may have wished, `nohup` for one.
    static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        #if canImport(Glibc)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        #else
        return unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
        #endif
    }

    private static func handle(_ number: Int32, with handler: @escaping @convention(c) (Int32) -> Void) {
        var action = sigaction()
        #if canImport(Glibc)
        action.__sigaction_handler.sa_handler = handler
        #else
        action.__sigaction_u.__sa_handler = handler
        #endif
        // No SA_RESTART: a read must return.
        sigaction(number, &action, nil)
    }
}

private func wakeUp(_ event: Interrupt.Event) {
    let saved = errno
    var byte = event.rawValue
    _ = write(wakeUpWriter, &byte, 1)
    errno = saved
}

private func say(_ text: StaticString) {
    let saved = errno
    _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    errno = saved
}

private func interrupted(_ number: Int32) {
    if activity == Interrupt.Activity.editing.rawValue { return wakeUp(.interrupt) }
    if activity == Interrupt.Activity.reading.rawValue { leave(ExitStatus.interrupted) }
    if activity == Interrupt.Activity.supervising.rawValue {
        endingSignal = number
        return
    }
    if activity == Interrupt.Activity.serving.rawValue { return act_word_set(act_process_interrupt(), 1) }
    if act_word_get(act_process_interrupt()) == 0 { unanswered = 0 }
    unanswered &+= 1
    act_word_set(act_process_interrupt(), 1)
    if unanswered < 2 { return isAtTerminal ? say("\n") : () }
    if activity == Interrupt.Activity.running.rawValue { leave(ExitStatus.interrupted) }
    // In the session there are variables to lose.
    if unanswered == 2 {
        say("\nact is in the middle of one long operation and stops after it; Ctrl-C twice more leaves act\n")
    } else if unanswered > 3 {
        leave(ExitStatus.interrupted)
    }
}

private func ended(_ number: Int32) {
    if activity == Interrupt.Activity.editing.rawValue {
        endingSignal = number
        return wakeUp(.end)
    }
    // With the picture of the process that whoever sends it may want.
    if number == SIGQUIT || activity == Interrupt.Activity.supervising.rawValue { return killed(number) }
    leave(ExitStatus.ended(by: number))
}

/// Ends the process as the signal does by itself.
private func killed(_ number: Int32) {
    if activity == Interrupt.Activity.supervising.rawValue {
        endingSignal = number
        return
    }
    act_draft_discard()
    signal(number, SIG_DFL)
    raise(number)
}

private func leave(_ status: Int32) {
    act_draft_discard()
    _exit(status)
}
