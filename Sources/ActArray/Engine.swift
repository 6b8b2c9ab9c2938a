// What a session computes with. Each session holds an engine of its own and enters it while it computes; whatever runs on a thread finds the
// engine that the thread has entered, so that two sessions at once do not disturb each other.
//
// What must stay true:
// - Each thing has one door: `Interrupt`, `ThreadPool`, `SiteTable`, `BlockProgram.of`, `NumericEvents`. Each speaks of the engine of the
//   thread that asks, by one load from the thread's context.
// - Cores and memory belong to the process. Engines share the team of threads (a job that finds it busy runs on its own thread) and the
//   memory pool, whose limit is the process's: limits that add up would limit nothing.

import CActKernels
import Synchronization
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package final class Engine: Sendable {
    /// What threads compute with that have entered no other: tools, tests, and the command, which has one session.
    package static let process = Engine(interrupt: Interrupt(word: act_process_interrupt()))

    /// Ends what this engine computes.
    package let interrupt: Interrupt
    /// Whose instructions the sites of arrays are.
    package let sites = SiteTable()
    /// Programs of graphs that were computed before.
    let programs = BlockProgram.Shelf()
    /// How many threads take part in a job.
    let width = Atomic<Int>(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    private let ownsInterrupt: Bool

    package init() {
        interrupt = Interrupt()
        ownsInterrupt = true
    }

    private init(interrupt: Interrupt) {
        self.interrupt = interrupt
        ownsInterrupt = false
    }

    deinit { if ownsInterrupt { interrupt.end() } }

    /// The engine of the calling thread.
    package static var current: Engine {
        guard let engine = act_context().pointee.engine else { return process }
        return Unmanaged<Engine>.fromOpaque(engine).takeUnretainedValue()
    }

    /// Calls `body` with this as the engine of the calling thread, and of the threads that help it.
    package func run<T>(_ body: () throws -> T) rethrows -> T {
        let context = act_context(), outer = (context.pointee.engine, context.pointee.interrupt)
        context.pointee.engine = Unmanaged.passUnretained(self).toOpaque()
        context.pointee.interrupt = interrupt.word
        defer { (context.pointee.engine, context.pointee.interrupt) = outer }
        return try withExtendedLifetime(self, body)
    }
}
