// Programs nest deeper than a thread's usual stack: trees, calls through built-ins, lists in lists. Whatever runs or compiles a
// program does so on a thread with room for it.
//
// What must stay true: calls end before the stack does, however small it had to be.

import ActSystem
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

    /// Runs `body` on a thread of its own, for the same engine, and waits for it.
    package static func run<T>(_ body: () -> T) -> T {
        let engine = Engine.current
        return withoutActuallyEscaping(body) { body in
            var result: T?
            for size in sizes {
                let thread = SystemThread(stackSize: size) {
                    // The rest is for what is not a call: parsing, printing and freeing what is nested deeply.
                    act_stack_allow(UInt(size / 8 * 7))
                    result = engine.run(body)
                    MemoryPool.leaveAll()
                }
                thread?.join()
                if let result { return result }
            }
            // Without a thread there is the caller's stack, of which nobody knows how much is left.
            let end = act_context().pointee.stack_end
            defer { act_context().pointee.stack_end = end }
            act_stack_allow(1 << 17)
            return body()
        }
    }
}
