// `--sandbox` as the system enforces it, beside the door in front of the session: whatever a program could make act do, the process has
// no rights beyond the allowed folders.
//
// What must stay true: it is entered while there is one thread, with everything opened that act itself needs later, and before the
// first program is read by the machine; what is given up then cannot be had again.

import ActArray
import ActFiles
import ActLanguage
import ActPlot
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct Sandbox {
    /// How the system keeps to the allowed folders; `nil` if it does not.
    private(set) var files: String?
    /// How it keeps from sockets, other programs and the like.
    private(set) var calls: String?
    /// Whether another process draws pictures, with fewer rights still.
    private(set) var drawsElsewhere = false

    /// Gives up everything but what `door` lets through, and the folder of the session's history.
    static func enter(_ door: FileDoor, history: Folder? = nil) -> Sandbox {
        // What is read from the system when first needed.
        _ = (MemoryPool.limit, ThreadPool.count)
        Gzip.load()
        var sandbox = Sandbox()
        sandbox.drawsElsewhere = DrawingProcess.start()
        #if os(Linux)
        let folders = (door.folders + (history.map { [$0] } ?? [])).map(\.descriptor)
        let version = act_landlock_version(), problem = act_landlock_confine(folders, Int32(folders.count), nil, 0)
        // What the system has, but cannot do at the moment, is not done without.
        if version > 0, problem != 0 {
            let words = "error: the sandbox cannot be set up: \(String(cString: strerror(problem)))\n"
            _ = words.withCString { write(2, $0, strlen($0)) }
            exit(ExitStatus.failure)
        }
        if version > 0 { sandbox.files = "Landlock (version \(version))" }
        if act_filter_calls(ACT_CALLS_PROGRAM) == 0 { sandbox.calls = "seccomp" }
        #elseif os(macOS)
        if act_sandbox_profile(profile((door.folders + (history.map { [$0] } ?? [])).compactMap(\.path))) == 0 {
            (sandbox.files, sandbox.calls) = ("sandbox_init", "sandbox_init")
        }
        #endif
        return sandbox
    }

    #if os(macOS)
    /// Of several rules that fit, the last one counts. Reading stays open where the system's own libraries and fonts are.
    private static func profile(_ folders: [[UInt8]]) -> String {
        let usersFolders = ["/Users", "/Volumes", "/private/var", "/private/tmp", "/private/etc", "/Network", "/cores", "/opt/local"]
        func quoted(_ path: String) -> String {
            "\"" + path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        var rules = [
            "(version 1)", "(allow default)", "(deny network*)", "(deny process-exec*)", "(deny process-fork)", "(deny mach-register)", "(deny file-write*)",
        ]
        rules += usersFolders.map { "(deny file-read-data (subpath \(quoted($0))))" }
        // A path that is not UTF-8 cannot be written in a profile: nothing is opened for it.
        rules += folders.compactMap { String(validating: $0, as: UTF8.self) }.map { "(allow file-read* file-write* (subpath \(quoted($0))))" }
        return rules.joined(separator: "\n")
    }
    #endif

    /// What is in force, for `--version`.
    var description: String {
        switch (files, calls) {
        case (nil, nil): "sandbox: act itself keeps programs to the allowed folders; \(missing)"
        case (let files, let calls):
            "sandbox: files by \(files ?? "act alone"), system calls by \(calls ?? "nothing"), pictures in \(drawsElsewhere ? "a process of their own" : "this process")"
        }
    }

    /// What is to be said where the system does not help.
    var warning: String? {
        files != nil && calls != nil ? nil : "the sandbox is act's own: \(missing)"
    }

    private var missing: String {
        switch (files, calls) {
        case (nil, nil): "this system enforces nothing of it (it has neither Landlock nor seccomp)"
        case (nil, _): "this system does not enforce which files are open (it has no Landlock)"
        default: "this system does not enforce which calls are made (it has no seccomp)"
        }
    }
}

/// Paths on the command line as they were given: in texts, what is not UTF-8 has been replaced.
enum RawArguments {
    /// The bytes of the option's value that reads as `text`.
    /// - Returns: `nil` where two arguments read the same and are not.
    static func bytes(of text: String, option: String) -> [UInt8]? {
        let wanted = Array(text.utf8), prefix = Array((option + "=").utf8)
        guard wanted.contains("\u{FFFD}".utf8.first ?? 0) else { return wanted }
        var found: Set<[UInt8]> = []
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let argument = CommandLine.unsafeArgv[index] else { continue }
            let bytes = Array(UnsafeRawBufferPointer(start: argument, count: strlen(argument)))
            for candidate in [bytes, bytes.starts(with: prefix) ? Array(bytes.dropFirst(prefix.count)) : bytes]
            where Array(String(decoding: candidate, as: UTF8.self).utf8) == wanted {
                found.insert(candidate)
            }
        }
        return found.count == 1 ? found.first : nil
    }
}
