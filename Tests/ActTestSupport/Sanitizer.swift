// What tests must know of the sanitizer that they are built with; `.ci/sanitize` says it.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum Sanitizer: String {
    case address, thread, undefined

    package static let current = getenv("ACT_SANITIZER").flatMap { Sanitizer(rawValue: String(cString: $0)) }

    /// How many times as long as elsewhere things may take.
    package static let patience = current == nil ? 1 : 8

    /// The thread sanitizer keeps a stack of its own for 65,536 calls of each thread, and writes on past its end.
    package static let takesDeepCalls = current != .thread
}
