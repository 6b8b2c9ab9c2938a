// Programs nest deeper than a thread's usual stack: trees, calls through built-ins, lists in lists. Whatever runs or compiles a
// program does so on a thread with room for it.

import ActArray
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum DeepStack {
    /// Reserved, not used.
    static let bytes = 1 << 30

    /// Runs `body` on a thread of its own and waits for it.
    package static func run<T>(_ body: () -> T) -> T {
        withoutActuallyEscaping(body) { body in
            var result: T?
            var attributes = pthread_attr_t()
            pthread_attr_init(&attributes)
            defer { pthread_attr_destroy(&attributes) }
            pthread_attr_setstacksize(&attributes, bytes)
            let box = Unmanaged.passRetained(Task {
                result = body()
                MemoryPool.leaveAll()
            })
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
            // Without a thread there is the caller's stack.
            return result ?? body()
        }
    }

    private final class Task {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
}
