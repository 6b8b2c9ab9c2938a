// What the system lets the process have, read from copies of the files in which Linux says it (man 7 cgroups, man 5 proc).

import ActSystem
import ActArray
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

#if os(Linux)
@Suite struct SystemMemoryTests {
    /// A folder with these files in it, which is removed afterwards.
    private func withFiles<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
        var template = Array("/tmp/act-memory-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw TestFailure("no folder") }
        let root = String(cString: made)
        defer { _ = try? BuiltCommand.runShell("rm -r \(root)") }
        for (path, text) in files {
            var folder = root
            for part in path.split(separator: "/").dropLast() {
                folder += "/" + part
                mkdir(folder, 0o700)
            }
            guard let file = fopen(root + path, "w") else { throw TestFailure("no file \(path)") }
            fputs(text, file)
            fclose(file)
        }
        return try body(root)
    }

    private static let free = "MemTotal:       16000000 kB\nMemFree:         2000000 kB\nMemAvailable:    8000000 kB\n"
    private static let unified = "25 30 0:23 / /sys rw,nosuid - sysfs sysfs rw\n31 25 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

    @Test func theMachine() throws {
        #expect(try withFiles(["/proc/meminfo": Self.free]) { SystemMemory.free(root: $0) } == 8_000_000 << 10)
        #expect(try withFiles([:]) { SystemMemory.free(root: $0) } == 4 << 30, "nothing is known")
        #expect(try withFiles(["/proc/meminfo": "MemAvailable: many kB\n"]) { SystemMemory.free(root: $0) } == 4 << 30)
    }

    /// The group's own limit, and that of its parents; files in memory can be had back.
    @Test(arguments: [
        (own: "300000000", parent: "max", top: "max", expected: 300_000_000 - 40_000_000 + 10_000_000),
        (own: "max", parent: "200000000", top: "max", expected: 200_000_000 - 50_000_000),
        (own: "300000000", parent: "max", top: "100000000", expected: 40_000_000),
        (own: "max", parent: "max", top: "max", expected: 8_000_000 << 10),
        (own: "10000000", parent: "max", top: "max", expected: 0),
    ]) func controlGroups(_ limits: (own: String, parent: String, top: String, expected: Int)) throws {
        let files = [
            "/proc/meminfo": Self.free, "/proc/self/cgroup": "0::/user.slice/act.scope\n", "/proc/self/mountinfo": Self.unified,
            "/sys/fs/cgroup/user.slice/act.scope/memory.max": limits.own + "\n", "/sys/fs/cgroup/user.slice/act.scope/memory.current": "40000000\n",
            "/sys/fs/cgroup/user.slice/act.scope/memory.stat": "anon 30000000\ninactive_file 10000000\n",
            "/sys/fs/cgroup/user.slice/memory.max": limits.parent + "\n", "/sys/fs/cgroup/user.slice/memory.current": "50000000\n",
            "/sys/fs/cgroup/memory.max": limits.top + "\n", "/sys/fs/cgroup/memory.current": "60000000\n",
        ]
        #expect(try withFiles(files) { SystemMemory.free(root: $0) } == limits.expected)
    }

    /// Version 1, in a container that sees the host's paths.
    @Test func olderControlGroups() throws {
        let files = [
            "/proc/meminfo": Self.free, "/proc/self/cgroup": "12:cpu,cpuacct:/docker/1a2b\n9:memory:/docker/1a2b\n0::/system.slice\n",
            "/proc/self/mountinfo":
                "40 30 0:33 /docker/1a2b /sys/fs/cgroup/memory ro,nosuid master:15 - cgroup cgroup rw,memory\n41 30 0:34 /docker/1a2b /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "314572800\n", "/sys/fs/cgroup/memory/memory.usage_in_bytes": "14572800\n",
        ]
        #expect(try withFiles(files) { SystemMemory.free(root: $0) } == 300_000_000)
        var unlimited = files
        unlimited["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
        #expect(try withFiles(unlimited) { SystemMemory.free(root: $0) } == 8_000_000 << 10)
    }

    /// What is asked for beyond what `ulimit` leaves is not believed: programs end with an error, not with an abort.
    @Test(arguments: ["-v 2000000", "-d 1000000"]) func limitsOfTheShell(_ limit: String) throws {
        if Sanitizer.current != nil { return }
        let program = "x = [rand(1e6) for i in range(400)]"
        let result = try BuiltCommand.runShell("ulimit \(limit); \"$ACT\" --max-memory 64G -e '\(program)'")
        #expect(result.status == 1 && result.error.contains("would not fit into the memory limit"), "\(result.status) \(result.error)")
    }

    /// What the allocator sets apart for itself, and what it keeps of freed texts, is no reason to abort.
    @Test(arguments: ["-v 300000", "-v 400000", "-v 450000", "-v 513606", "-v 600000", "-d 200000", "-d 400000"]) func growingTexts(_ limit: String) throws {
        if Sanitizer.current != nil { return }
        for start in ["a", "abc", "[1.5, 2]", "0123456789abcdef0"] {
            let program = #"x = "\#(start)"; for i in range(40) { x = "{x}{x}" }"#
            let result = try BuiltCommand.runShell("ulimit \(limit); \"$ACT\" --max-memory 100M -e '\(program)'")
            #expect(result.status == 1 && result.error.contains("would not fit into the memory limit"), "\(limit) \(start) \(result.status) \(result.error)")
        }
    }
}
#endif
