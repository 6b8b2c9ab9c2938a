// How much memory this process may come to hold: the least of what the machine has free, what its control groups and their parents
// leave (Linux: container limits), and what the limits of the shell (`ulimit -v`, `ulimit -d`) let it map.
//
// What must stay true: a source that cannot be read, or says nothing, sets no bound; nothing here fails.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum SystemMemory {
    /// The bytes that values may take together: 80 % of what is free, and 40 % of what may still be mapped, for the system's allocator
    /// keeps apart what is freed. Of the address space a program's stack and its registers reserve an eighth each.
    package static func bound(root: String = "") -> Int {
        var bound = free(root: root) / 5 * 4
        let mapped = mappedPages(root: root), page = Int(sysconf(Int32(_SC_PAGESIZE)))
        if let most = limit(of: RLIMIT_AS) { bound = min(bound, max(0, most &- most / 4 &- mapped.all &* page) / 5 * 2) }
        if let most = limit(of: RLIMIT_DATA) { bound = min(bound, max(0, most &- most / 4 &- mapped.data &* page) / 5 * 2) }
        return max(bound, leastBound)
    }

    /// So much is there in any case.
    package static let leastBound = 1 << 20

    /// What the machine has free, or what a control group leaves where that is less; 4 GiB where neither says.
    /// - Parameter root: in front of `/proc` and of every place that it names, for tests.
    package static func free(root: String = "") -> Int {
        #if os(Linux)
        let machine = field("MemAvailable:", in: root + "/proc/meminfo").flatMap { $0 <= Int.max >> 10 ? $0 << 10 : nil }
        return ([machine].compactMap { $0 } + groups(root: root)).min() ?? 4 << 30
        #else
        var bytes: UInt64 = 0
        var size = MemoryLayout<UInt64>.size
        guard sysctlbyname("hw.memsize", &bytes, &size, nil, 0) == 0, bytes > 0, bytes < UInt64(Int.max) else { return 4 << 30 }
        return Int(bytes)
        #endif
    }

    // MARK: Limits of the shell

    #if os(Linux)
    private static func limit(of resource: __rlimit_resource) -> Int? { limit(number: Int32(resource.rawValue)) }
    #else
    private static func limit(of resource: Int32) -> Int? { limit(number: resource) }
    #endif

    private static func limit(number: Int32) -> Int? {
        var limit = rlimit()
        guard getrlimit(number, &limit) == 0, limit.rlim_cur < UInt64(Int.max) else { return nil }
        return Int(limit.rlim_cur)
    }

    /// What is mapped now, and what of it is data.
    private static func mappedPages(root: String) -> (all: Int, data: Int) {
        let numbers = text(root + "/proc/self/statm").split(whereSeparator: { $0 == 32 || $0 == 10 }).map { Int(String(decoding: $0, as: UTF8.self)) ?? 0 }
        return numbers.count > 5 ? (numbers[0], numbers[5]) : (0, 0)
    }

    // MARK: Control groups

    /// What each group that this process is in leaves it, itself and its parents. Pages that hold files only can be had back, so they
    /// count as free, as in `MemAvailable`.
    private static func groups(root: String) -> [Int] {
        let memberships = lines(text(root + "/proc/self/cgroup")).map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
        guard !memberships.isEmpty else { return [] }
        var found: [Int] = []
        for line in lines(text(root + "/proc/self/mountinfo"), with: " - cgroup") {
            // number, parent, device, what of the file system is mounted, where, options …, "-", type, source, options
            let words = line.split(separator: " ")
            guard let dash = words.lastIndex(of: "-"), dash >= 6, dash + 3 < words.count else { continue }
            let isUnified = words[dash + 1] == "cgroup2"
            guard isUnified || words[dash + 1] == "cgroup" && words[dash + 3].split(separator: ",").contains("memory") else { continue }
            guard let own = memberships.first(where: { $0.count == 3 && (isUnified ? $0[0] == "0" : $0[1].split(separator: ",").contains("memory")) })
            else { continue }
            // In a container the mounted part of the file system begins at, or above, the process's own group.
            let top = words[3] == "/" ? "" : String(words[3])
            var path = own[2].hasPrefix(top) ? String(own[2].dropFirst(top.utf8.count)) : ""
            while path.hasSuffix("/") { path.removeLast() }
            while true {
                if let left = left(in: root + words[4] + path, isUnified) { found.append(left) }
                guard let slash = path.lastIndex(of: "/") else { break }
                path = String(path[..<slash])
            }
        }
        return found
    }

    private static func left(in folder: String, _ isUnified: Bool) -> Int? {
        guard let most = number(folder + (isUnified ? "/memory.max" : "/memory.limit_in_bytes")), most < 1 << 60 else { return nil }
        let used = number(folder + (isUnified ? "/memory.current" : "/memory.usage_in_bytes")) ?? 0
        let files = field(isUnified ? "inactive_file" : "total_inactive_file", in: folder + "/memory.stat") ?? 0
        return max(0, most &- max(0, used &- files))
    }

    // MARK: Small files

    private static func number(_ path: String) -> Int? { lines(text(path)).first.flatMap { Int($0) } }

    /// The number after a name at the start of a line.
    private static func field(_ name: String, in path: String) -> Int? {
        for line in lines(text(path), with: name) where line.hasPrefix(name) {
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == name { return Int(words[1]) }
        }
        return nil
    }

    /// The lines in which a word stands. There are hundreds of mounts, and looking is all that most of them cost.
    private static func lines(_ bytes: [UInt8], with word: String) -> [Substring] {
        (bytes + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                var lines: [Substring] = []
                var start = 0
                while let base = characters.baseAddress, let place = strstr(base + start, word) {
                    let found = place - UnsafeMutablePointer(mutating: base)
                    let first = bytes[..<found].lastIndex(of: 10).map { $0 + 1 } ?? 0, end = bytes[found...].firstIndex(of: 10) ?? bytes.count - 1
                    lines.append(Substring(String(decoding: bytes[first..<end], as: UTF8.self)))
                    start = end
                }
                return lines
            }
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [Substring] { String(decoding: bytes, as: UTF8.self).split(separator: "\n") }

    /// At most 256 KiB of a file; nothing of one that cannot be read.
    private static func text(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 1 << 12, alignment: 1) { buffer in
            while bytes.count < 1 << 18 {
                let got = read(descriptor, buffer.baseAddress, buffer.count)
                if got <= 0 { break }
                bytes += buffer[..<got]
            }
        }
        return bytes
    }
}
