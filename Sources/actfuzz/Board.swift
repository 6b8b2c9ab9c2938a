// What worker and supervisor tell each other: a page of memory that both see, so that nothing is lost when the worker dies.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class Board {
    enum Slot: Int, CaseIterable {
        /// The trial that runs.
        case index
        /// Trials that have ended.
        case done
        /// Goes up with each run; some trials run several times.
        case beat
        /// Not 0: leave after this trial.
        case stop
        /// Trials by how they ended.
        case succeeded, failed, reachedLimit
        /// Trials whose program parsed.
        case parsed
        /// Of what was noticed without a crash: the trial, and what it was.
        case oddIndex, oddity
    }

    /// The mapped file, which stays mapped until the process ends.
    private let words: UnsafeMutablePointer<Int>

    /// - Parameter path: A file of its own, which is made if it is not there.
    init?(path: String) {
        let size = 4096
        let descriptor = open(path, O_RDWR | O_CREAT, 0o600)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard ftruncate(descriptor, off_t(size)) == 0 else { return nil }
        let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let address, address != MAP_FAILED else { return nil }
        words = address.bindMemory(to: Int.self, capacity: size / MemoryLayout<Int>.size)
    }

    subscript(slot: Slot) -> Int {
        get { words[slot.rawValue] }
        set { words[slot.rawValue] = newValue }
    }
}

/// - Parameter clock: By default one that nobody sets.
func seconds(_ clock: clockid_t = CLOCK_MONOTONIC) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
