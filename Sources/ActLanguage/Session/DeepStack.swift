// Programs nest deeper than a thread's usual stack: trees, calls through built-ins, lists in lists. Whatever runs or compiles a
// program does so on a thread with room for it.
//
// What must stay true: calls end before the stack does, however small it had to be.

import ActArray
import ActMachine
import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum DeepStack {
    /// Reserved, not used. Less where address space is scarce.
    private static let sizes: [Int] = {
        let most = min(1 << 30, max(1 << 24, Int(act_address_space()) / 8))
        return [most, most / 4]
    }()

    /// Runs `body` on a thread of its own and waits for it.
    package static func run<T>(_ body: () -> T) -> T {
        withoutActuallyEscaping(body) { body in
            var result: T?
            for size in sizes {
                let started = runThread(size) {
                    // The rest is for what is no call: parsing, printing and freeing what is nested deeply.
                    act_stack_allow(UInt(size / 8 * 7))
                    result = body()
                    MemoryPool.leaveAll()
                }
                if started, let result { return result }
            }
            // Without a thread there is the caller's stack, of which nobody knows how much is left.
            let end = act_context().pointee.stack_end
            defer { act_context().pointee.stack_end = end }
            act_stack_allow(1 << 17)
            return body()
        }
    }

    /// - Returns: False if the system has no thread with so large a stack.
    private static func runThread(_ stackSize: Int, _ body: @escaping () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackSize)
        let box = Unmanaged.passRetained(Task(body))
        #if canImport(Glibc)
        var thread = pthread_t()
        let status = pthread_create(&thread, &attributes, { argument in
            if let argument { Unmanaged<Task>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, box.toOpaque())
        if status == 0 { pthread_join(thread, nil) }
        #else
        var thread: pthread_t?
        let status = pthread_create(&thread, &attributes, { argument in
            Unmanaged<Task>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
        if status == 0, let thread { pthread_join(thread, nil) }
        #endif
        if status != 0 { box.release() }
        return status == 0
    }

    private final class Task {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
}
