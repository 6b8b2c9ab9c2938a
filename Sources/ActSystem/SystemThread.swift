// Threads of the system: those of the standard library's tasks have stacks that are too small for programs, and wait for each other.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package final class SystemThread {
    #if canImport(Glibc)
    private var thread = pthread_t()
    #else
    private var thread: pthread_t?
    #endif

    /// Starts a thread that calls `body`. Whoever starts it sees to it that what both touch meanwhile may be touched by both.
    /// - Parameters:
    ///   - stackSize: In bytes; `nil` is the system's.
    ///   - isDetached: Whether nobody waits for it (`join`).
    /// - Returns: `nil` if the system has no thread, or none with so large a stack.
    package init?(stackSize: Int? = nil, isDetached: Bool = false, _ body: @escaping () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if let stackSize { pthread_attr_setstacksize(&attributes, stackSize) }
        if isDetached { pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED)) }
        let box = Unmanaged.passRetained(Body(body))
        #if canImport(Glibc)
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, box.toOpaque())
        #else
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        #endif
        if status != 0 {
            box.release()
            return nil
        }
    }

    /// Waits until it has ended; once.
    package func join() {
        #if canImport(Glibc)
        pthread_join(thread, nil)
        #else
        if let thread { pthread_join(thread, nil) }
        #endif
    }

    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }
}
