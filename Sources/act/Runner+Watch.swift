// `act watch`: runs a file again whenever it is saved, and says what came out differently.
//
// What must stay true: what runs is always what was saved last: a save ends the run before it; one Ctrl-C ends a run that goes on, and watching with it.

import ActSystem
import ActArray
import ActLanguage
import ActMachine
import ActPlot
import ActSyntax
import ActText
import CActSystem
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Runner {
    /// Runs until it is interrupted.
    /// - Returns: The exit status: 1 if there is no such file to begin with.
    func watch(_ file: String) -> Int32 {
        if let failure = InputFile.page(file) {
            display.report(failure.diagnostic)
            return ExitStatus.failure
        }
        if case .failure(let failure) = InputFile.readRegular(file) {
            display.report(failure.diagnostic)
            return ExitStatus.failure
        }
        var watched = FileWatch([file]), last: WatchedRun?
        while true {
            let run = WatchedRun(display)
            // What the system enforces would keep the file from being read again; the session's own door stays.
            guard let session = startSession(confines: false, writingTo: run) else { return ExitStatus.failure }
            begin()
            let seen = watched
            let stop = seen.onChange { session.engine.interrupt.raise() }
            var status = Session.Status.failed
            switch InputFile.readRegular(file) {
            case .failure(let failure): display.report(failure.diagnostic)
            case .success(let bytes): status = session.run(bytes: bytes, named: file)
            }
            let hasChanged = stop()
            if !hasChanged, status == .interrupted || session.engine.interrupt.isRaised { return finish(.interrupted) }
            session.engine.interrupt.clear()
            if !hasChanged {
                end(run, after: last, status)
                last = run.keeping(last)
            }
            // What the program imports is watched too, from where it was when the run began.
            watched = seen.adding(session.importedFiles)
            Output.standard.flush()
            guard Output.standard.failure == nil else { return ExitStatus.failure }
            Interrupt.enter(.reading)
            while !watched.hasChanged() { usleep(FileWatch.pause) }
            Interrupt.enter(.running)
            watched.look()
        }
    }

    /// Makes room on a terminal for what comes.
    private func begin() {
        if Output.standard.isTerminal { display.write("\u{1b}[H\u{1b}[2J") }
    }

    /// Says how the run ended and what is different.
    private func end(_ run: WatchedRun, after last: WatchedRun?, _ status: Session.Status) {
        display.endLine()
        if let figure = run.figure == nil ? last?.figure : nil, Output.standard.isTerminal {
            display.write(Display.dim("the figure of the run before:") + "\n")
            display.show(figure)
        }
        let changes = last.map { run.changes(since: $0) } ?? []
        for change in changes { display.write(Display.dim(change) + "\n") }
        let ending = status == .done ? "ran" : "failed"
        let summary = last == nil ? "" : changes.isEmpty ? ", the same as before" : ""
        display.write(
            Display.dim("— \(ending) in \(printed(run.seconds, "f", precision: 2)) s\(summary); runs again when the file is saved, Ctrl-C ends —") + "\n")
    }
}

/// What a run shows, passed on as it comes and kept.
private final class WatchedRun: SessionOutput, ProgressOutput {
    private let display: Display
    private(set) var figure: Figure?
    private var text = ""
    private let start = act_seconds()

    private static let mostBytes = 1 << 22
    private static let mostChanges = 20

    init(_ display: Display) { self.display = display }

    var seconds: Double { act_seconds() - start }
    private var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() }

    /// With the figure of an earlier run where this one has none.
    func keeping(_ last: WatchedRun?) -> WatchedRun {
        figure = figure ?? last?.figure
        return self
    }

    private func keep(_ more: String) { if text.utf8.count < Self.mostBytes { text += more } }

    func write(_ text: String) {
        display.write(text)
        keep(text)
    }

    func show(_ shown: Shown) {
        display.show(shown)
        if let figure = shown.figure { self.figure = figure }
        keep((shown.figure.map(Display.summary) ?? shown.text) + "\n")
    }

    func report(_ diagnostic: Diagnostic, _ session: Session) {
        display.report(diagnostic, session)
        keep("\(diagnostic.level.rawValue): \(diagnostic.title)\n")
    }

    func writeProgress(_ text: String) { display.writeProgress(text) }
    var isProgressMovable: Bool { display.isProgressMovable }

    /// Lines that are gone and lines that are new, in the order of the output.
    func changes(since other: WatchedRun) -> [String] {
        let difference = lines.difference(from: other.lines).sorted { Self.place($0) < Self.place($1) }
        let changes = difference.map { change in
            switch change {
            case .remove(_, let line, _): "- \(line)"
            case .insert(_, let line, _): "+ \(line)"
            }
        }
        return changes.count <= Self.mostChanges ? changes : changes.prefix(Self.mostChanges) + ["… and \(changes.count - Self.mostChanges) lines more"]
    }

    private static func place(_ change: CollectionDifference<Substring>.Change) -> (Int, Int) {
        switch change {
        case .remove(let offset, _, _): (offset, 0)
        case .insert(let offset, _, _): (offset, 1)
        }
    }
}

/// Files, and how they were when they were looked at last.
private struct FileWatch {
    private struct State: Equatable {
        let device, node, size, seconds, nanoseconds: Int
    }

    private var states: [(path: String, state: State?)]

    /// Microseconds between two looks.
    static let pause: UInt32 = 100_000

    init(_ paths: [String]) { states = paths.map { ($0, Self.state($0)) } }

    private static func state(_ path: String) -> State? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Glibc)
        let time = status.st_mtim
        #else
        let time = status.st_mtimespec
        #endif
        return State(
            device: Int(truncatingIfNeeded: status.st_dev), node: Int(truncatingIfNeeded: status.st_ino), size: Int(status.st_size), seconds: time.tv_sec,
            nanoseconds: time.tv_nsec)
    }

    /// Whether one was written or put in the place of what was there. One that is gone is about to come back.
    func hasChanged() -> Bool {
        states.contains { path, state in
            let now = Self.state(path)
            return now != nil && now != state
        }
    }

    mutating func look() { states = states.map { ($0.path, Self.state($0.path)) } }

    func adding(_ paths: [String]) -> FileWatch {
        var result = self
        for path in paths where !states.contains(where: { $0.path == path }) { result.states.append((path, Self.state(path))) }
        return result
    }

    /// Looks now and then, and calls `body` if something has changed.
    /// - Returns: What ends the looking and says whether it has.
    func onChange(_ body: @escaping () -> Void) -> () -> Bool {
        let flag = Flag()
        let thread = SystemThread(stackSize: 1 << 18) {
            while !flag.isEnded {
                if flag.hasChanged || hasChanged() {
                    flag.hasChanged = true
                    // Again until it is over: the first interrupt may end no more than a training.
                    body()
                }
                usleep(Self.pause)
            }
        }
        return {
            flag.isEnded = true
            thread?.join()
            return flag.hasChanged
        }
    }

    /// What both threads touch.
    private final class Flag {
        private let lock = Lock()
        private var (ended, changed) = (false, false)

        var isEnded: Bool {
            get { lock.locked { ended } }
            set { lock.locked { ended = newValue } }
        }
        var hasChanged: Bool {
            get { lock.locked { changed } }
            set { lock.locked { changed = newValue } }
        }
    }
}
