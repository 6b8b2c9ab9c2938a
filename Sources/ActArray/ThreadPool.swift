// Threads for array work: parallelFor(chunks) { index in … }. The team is the process's; how many of it take part is the engine's.
//
// What must stay true:
// - Who runs a chunk never matters: callers choose chunks by the size of the work alone, so results do not depend on threads.
// - The caller takes part and waits only for threads that have joined; a sleeping thread is never waited for.
// - Nested or concurrent use runs inline on its own thread.

import ActSystem
import CActKernels
import CActSystem
import Synchronization
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum ThreadPool {
    /// How many threads take part in a job of the calling thread's engine, the caller included; at first one for each core.
    package static var count: Int {
        get { Engine.current.width.load(ordering: .relaxed) }
        set { Engine.current.width.store(min(max(1, newValue), 256), ordering: .relaxed) }
    }

    /// Calls `body` once with each of 0 ..< `chunks`, on several threads at once, and returns when all calls have ended. For work that
    /// cannot fail and must not stop halfway; all else goes through `parallel`.
    @inline(never)
    package static func parallelFor(_ chunks: Int, _ body: (Int) -> Void) {
        guard chunks > 1, count > 1, team.tryAcquire() else {
            for index in 0..<max(0, chunks) { body(index) }
            return
        }
        team.run(chunks, helpers: min(count, chunks) - 1, body)
        team.release()
    }

    private static let team = Team()
}

/// A counter alone on its cache lines.
private struct Next: ~Copyable {
    let value = Atomic<Int>(0)
    private let space: (Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
}

/// Threads that wait for a job, and the job. One caller at a time.
///
/// Each thread begins with a part of the chunks of its own, the same from job to job, so that what it left in its cache is near; then it
/// helps with the other parts.
///
/// `@unchecked`: who holds `isTaken` writes the job while nobody can join; helpers read it between joining and leaving.
private final class Team: @unchecked Sendable {
    private static let closed = -(1 << 32)

    // The job. Written while it is closed, read by threads that joined while it was open.
    private var body: ((Int) -> Void)?
    private var chunks = 0
    private var helpers = 0
    /// Of the thread whose job it is; alive while it waits for the job to end.
    private var engine: Engine?
    /// Where its thread runs; negative if the system does not say.
    private var processor: Int32 = -1
    /// For each thread the next of its own chunks.
    private let next = UnsafeMutablePointer<Next>.allocate(capacity: 256)
    private var parts = 1
    /// Floating-point flags that the helpers raised: those of a job are the caller's, whichever thread ran what.
    private let flags = Atomic<UInt32>(0)
    /// Threads in the job; `closed` is added while there is none to join.
    private let entrants = Atomic<Int>(Team.closed)

    private let isTaken = Atomic<Bool>(false)
    private let generation = Atomic<Int>(0)
    private let sleeping = Atomic<Int>(0)
    private var started = 0
    private let sleep = Monitor()

    init() {
        for part in 0..<256 { (next + part).initialize(to: Next()) }
    }

    func tryAcquire() -> Bool {
        isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }

    func release() {
        isTaken.store(false, ordering: .releasing)
    }

    func run(_ chunks: Int, helpers: Int, _ body: (Int) -> Void) {
        while started < helpers, startThread(started) { started += 1 }
        withoutActuallyEscaping(body) { body in
            self.body = body
            self.chunks = chunks
            self.helpers = helpers
            engine = .current
            processor = act_processor()
            parts = helpers &+ 1
            for part in 0..<parts { next[part].value.store(part &* chunks / parts, ordering: .relaxed) }
            entrants.subtract(Team.closed, ordering: .acquiringAndReleasing)
            generation.add(1, ordering: .sequentiallyConsistent)
            if sleeping.load(ordering: .sequentiallyConsistent) > 0 { sleep.locked { sleep.signalAll() } }
            work(0, body)
            entrants.add(Team.closed, ordering: .acquiringAndReleasing)
            var spins = 0
            while entrants.load(ordering: .acquiring) != Team.closed {
                spins += 1
                if spins < 10_000 { act_spin_hint() } else { sched_yield() }
            }
            self.body = nil
            engine = nil
            let raised = flags.exchange(0, ordering: .relaxed)
            if raised != 0 { act_fp_raise(raised) }
        }
    }

    /// Chunks of the thread's own part, then those of others.
    private func work(_ own: Int, _ body: (Int) -> Void) {
        let chunks = chunks, parts = parts
        for turn in 0..<parts {
            let part = own &+ turn < parts ? own &+ turn : own &+ turn &- parts
            let end = (part &+ 1) &* chunks / parts
            while true {
                let index = next[part].value.add(1, ordering: .relaxed).oldValue
                guard index < end else { break }
                body(index)
            }
        }
    }

    private func startThread(_ number: Int) -> Bool {
        SystemThread(isDetached: true) {
            // Ctrl-C is the main thread's.
            var all = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, nil)
            self.serve(number)
        } != nil
    }

    private func serve(_ number: Int) {
        var seen = 0, parted = -Team.partingInterval
        while true {
            seen = waitForJob(after: seen)
            if entrants.add(1, ordering: .acquiringAndReleasing).oldValue >= 0 {
                part(since: &parted)
                help(number)
            }
            entrants.subtract(1, ordering: .acquiringAndReleasing)
        }
    }

    /// On one processor with the caller it would not help. In seconds: no thread is moved more often.
    private static let partingInterval = 0.05

    private func part(since last: inout Double) {
        guard processor >= 0, act_processor() == processor else { return }
        let now = act_seconds()
        guard now - last >= Team.partingInterval else { return }
        last = now
        _ = act_leave_processor(processor)
    }

    /// A function of its own: its reference to the body is gone when it returns, before this thread says that it has left.
    @inline(never)
    private func help(_ number: Int) {
        guard number < helpers, let body, let engine else { return }
        engine.run { work(number &+ 1, body) }
        let raised = act_fp_flags()
        if raised != 0 {
            flags.bitwiseOr(raised, ordering: .relaxed)
            act_fp_clear()
        }
    }

    /// How long a thread looks out for the next job before it sleeps. Jobs come in bursts, with some work of one thread in between; to wake a
    /// thread takes as long as a job of a million elements, and much longer on a virtual processor.
    private static let patience = 200e-6

    /// Looks out for a job, and lets others have the processor meanwhile; then sleeps.
    private func waitForJob(after seen: Int) -> Int {
        let end = act_seconds() + Team.patience
        repeat {
            for _ in 0..<32 {
                let now = generation.load(ordering: .acquiring)
                if now != seen { return now }
                act_spin_hint()
            }
            sched_yield()
        } while act_seconds() < end
        return sleep.locked {
            sleeping.add(1, ordering: .sequentiallyConsistent)
            while generation.load(ordering: .sequentiallyConsistent) == seen { sleep.wait() }
            sleeping.subtract(1, ordering: .relaxed)
            return generation.load(ordering: .acquiring)
        }
    }
}
