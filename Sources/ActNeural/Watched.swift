// Kernels that do many operations at once: where one of them overflows or is undefined they are done one by one, which say what it was.

import ActArray
import CActKernels
import Synchronization

extension ThreadPool {
    /// Calls `body` with each index below `count`, on several threads.
    /// - Returns: whether no number overflowed, was divided by zero or undefined meanwhile.
    static func parallelIsUsual(_ count: Int, _ body: (Int) throws -> Void) throws -> Bool {
        let isUnusual = Atomic<Bool>(false)
        try parallel(count) { index in
            act_fp_clear()
            try body(index)
            if act_fp_flags() != 0 { isUnusual.store(true, ordering: .relaxed) }
            act_fp_clear()
        }
        return !isUnusual.load(ordering: .relaxed)
    }
}
