// A control group for the commands that are tried, which bounds their memory as a container does: who takes more is killed.
//
// What must stay true: the group is a child of our own, so nothing else is bounded; without the rights to make one there is none.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class Container {
    /// Its folder in the system's tree of groups.
    private let folder: String
    /// The file that holds the bound: version 1 and 2 call it differently.
    private let bound: String

    private init(folder: String, bound: String) { (self.folder, self.bound) = (folder, bound) }

    /// - Returns: `nil` where the system has no control groups, or gives us none.
    static func make() -> Container? {
        #if os(Linux)
        let memberships = lines("/proc/self/cgroup").map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
        for line in memberships where line.count == 3 {
            let isUnified = line[0] == "0", controllers = line[1].split(separator: ",")
            guard isUnified || controllers.contains("memory") else { continue }
            let folder = "/sys/fs/cgroup" + (isUnified ? "" : "/memory") + (line[2] == "/" ? "" : line[2]) + "/actfuzz-\(getpid())"
            let bound = folder + (isUnified ? "/memory.max" : "/memory.limit_in_bytes")
            guard mkdir(folder, 0o755) == 0 else { continue }
            if access(bound, W_OK) == 0 { return Container(folder: folder, bound: bound) }
            rmdir(folder)
        }
        #endif
        return nil
    }

    /// What a shell does to be in it, with so many bytes. A bound that the group refuses, for something in it still ends, is as good as the last.
    func entering(_ bytes: Int) -> String { "echo \(bytes) > '\(bound)' 2> /dev/null; echo $$ > '\(folder)/cgroup.procs'; " }

    deinit { rmdir(folder) }

    private static func lines(_ path: String) -> [Substring] {
        String(decoding: Corpus.contents(path) ?? [], as: UTF8.self).split(separator: "\n")
    }
}
