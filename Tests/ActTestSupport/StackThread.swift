// Work on a thread whose stack has a known size.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

private final class Work {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
}

/// Runs `body` on a thread with a stack of `size` bytes and waits for it.
/// - Returns: `nil` if the thread could not be made.
package func onThread<Result>(stack size: Int, _ body: @escaping () -> Result) -> Result? {
    var result: Result?
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    pthread_attr_setstacksize(&attributes, size)
    defer { pthread_attr_destroy(&attributes) }
    let work = Unmanaged.passRetained(Work { result = body() })
    #if canImport(Glibc)
    var thread = pthread_t()
    let status = pthread_create(
        &thread, &attributes,
        { argument in
            if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
            return nil
        }, work.toOpaque())
    if status == 0 { pthread_join(thread, nil) } else { work.release() }
    #else
    var thread: pthread_t?
    let status = pthread_create(
        &thread, &attributes,
        { argument in
            Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, work.toOpaque())
    if status == 0, let thread { pthread_join(thread, nil) } else { work.release() }
    #endif
    return result
}
