// The façade: text in; values, figures and diagnostics out. The REPL, scripts, tests and whatever comes next use act through it.
//
// What must stay true: a session computes one thing at a time, with its own engine, on a stack deep enough for any program; sessions on
// different threads do not wait for each other. A line that fails in the REPL leaves every variable as it was, a file that fails keeps what ran before.

import ActArray
import ActCompiler
import ActFiles
import ActMachine
import ActPlot
import ActRandom
import ActRanks
import ActSyntax
import ActSystem
import ActWording

/// Receives what a program shows, as it happens.
package protocol SessionOutput: AnyObject {
    /// What `print` and `summary` write, as it is.
    func write(_ text: String)
    /// The value of an expression statement, or of `show`.
    func show(_ shown: Shown)
    /// A warning or an error.
    func report(_ diagnostic: Diagnostic, _ session: Session)
    /// Whether figures become pictures there: help gives what it draws as one then.
    var showsPictures: Bool { get }
}

extension SessionOutput {
    package var showsPictures: Bool { false }
}

/// A shown value.
package struct Shown {
    package let value: Value
    /// As act prints it; of a figure, nothing.
    package let text: String
    /// For the REPL: type and shape of an array, a kink that was met … `nil` where there is nothing to add.
    package let note: String?
    /// Whether it is the value of a statement, not what `show` was asked for.
    package let isResult: Bool
    package var figure: Figure? {
        if case .figure(let value) = value { return value.figure }
        return nil
    }
}

package final class Session {
    package struct Options {
        package var arguments: [String] = []
        package var isStrict = false
        package var warns = true
        package var seed: UInt64?
        /// Seconds one run may take.
        package var maximumTime: Double?
        /// What it computes with; `nil` makes an engine of its own.
        package var engine: Engine?
        /// What files programs come to.
        package var files = FileDoor.open
        /// The processes that run the program.
        package var team = Team.none
        /// Adds notes to shown values, sets `ans`, undoes lines that fail.
        package var isInteractive = false
        package init() {}
    }

    package enum Status: Equatable {
        case done
        case failed
        case interrupted
        /// A limit of time or memory was reached.
        case limit
        /// The program asked to leave.
        case exit(Int32)
    }

    package let options: Options
    package let engine: Engine
    package weak var output: SessionOutput?
    package private(set) var module: Module
    package let builtins: BuiltinTable
    package private(set) var machine: Machine?
    var sources = SourceShelf()
    var heldSources = Reservation()
    /// By the bytes of their paths.
    var importedModules: [[UInt8]: Value] = [:]
    private var hasRun = false
    /// Every module there is, to be cleared at the end.
    var modules: [Module] = []
    /// Whether Ctrl-C has ended a training of the program that runs.
    var hasEndedTraining = false
    /// Called after each statement of the outermost level of a program, with its position.
    var afterStatement: ((SourceUnit, Int) -> Void)?
    /// How many values statements have shown.
    var resultCount = 0
    /// What is written and shown, while it is collected.
    var collected: CollectedOutput?
    /// What ran at the outermost level.
    var log = StatementLog()
    private let lock = Lock()
    /// Ctrl-C ends drawing too.
    private static let cancelsDrawing: Void = { Cancellation.isRequested = { Interrupt.isSet } }()

    package init(options: Options = Options(), output: SessionOutput? = nil) throws {
        Session.cancelsDrawing
        self.options = options
        engine = options.engine ?? Engine()
        self.output = output
        builtins = BuiltinTable(rows: BuiltinRows.all, constants: BuiltinRows.constants)
        module = Module(name: "", builtins: builtins.table)
        modules = [module]
        machine = nil
        machine = try Machine(
            host: self, layers: RunningLayers(.all), interrupt: engine.interrupt, random: options.seed.map { RandomSource(seed: $0) } ?? RandomSource(),
            files: options.files, team: options.team,
            warnings: options.isStrict ? .errors : options.warns ? .shown : .off)
        try setArguments()
    }

    deinit { Session.clear(modules) }

    /// Deep values are freed by recursion.
    private static func clear(_ modules: [Module]) {
        DeepStack.run { modules.forEach { $0.clear() } }
    }

    private func setArguments() throws {
        module["args"] = try .list(options.arguments.map { .string($0) })
        // Made now: slots must not move while a program runs.
        module["ans"] = nil
    }

    // MARK: Running

    /// Runs `text` and says how it ended; everything else goes to `output`. A line of the REPL that fails is undone.
    /// - Parameter name: how messages call the text: a path, or `<repl 3>`.
    @discardableResult
    package func run(_ text: String, named name: String) -> Status { run(bytes: Array(text.utf8), named: name) }

    @discardableResult
    package func run(bytes: [UInt8], named name: String) -> Status { run(bytes: bytes, named: name, undoes: options.isInteractive) }

    /// Runs an input, and calls `note` after each statement of its outermost level.
    func run(_ text: String, named name: String, _ note: @escaping (SourceUnit, Int) -> Void) -> Status {
        noting(note) { run(text, named: name) }
    }

    /// Runs a file in the REPL: of one that fails, what ran before stays.
    func runFile(bytes: [UInt8], named name: String, _ note: @escaping (SourceUnit, Int) -> Void) -> Status {
        noting(note) { run(bytes: bytes, named: name, undoes: false) }
    }

    private func noting(_ note: @escaping (SourceUnit, Int) -> Void, _ body: () -> Status) -> Status {
        afterStatement = note
        defer { afterStatement = nil }
        return body()
    }

    /// Runs a text with something around it.
    /// - Parameter hiddenLines: How many lines stand before it.
    func run(_ text: String, named name: String, hiddenLines: Int) -> Status {
        computing { self.execute(Array(text.utf8), named: name, hiddenLines: hiddenLines, undoes: self.options.isInteractive, $0) }
    }

    private func run(bytes: [UInt8], named name: String, undoes: Bool) -> Status {
        computing { self.execute(bytes, named: name, undoes: undoes, $0) }
    }

    /// Reports what the parser finds wrong with a text.
    func readsWell(_ text: String, named name: String) -> Bool {
        computing { watchdog in
            switch self.read(Array(text.utf8), named: name) {
            case .success(let parsed) where parsed.diagnostics.isEmpty: return .done
            case .success(let parsed): return self.finish(.faults(parsed.diagnostics), watchdog)
            case .failure(let rejection): return self.finish(rejection, watchdog)
            }
        } == .done
    }

    /// Does what runs a program: alone, on a deep stack, watched by the clock if time is limited.
    func computing(_ body: @escaping (Watchdog?) -> Status) -> Status {
        lock.locked {
            // Ctrl-C that came while the command was starting is meant for its program.
            if hasRun || engine !== Engine.process { engine.interrupt.clear() }
            hasRun = true
            hasEndedTraining = false
            let watchdog = options.maximumTime.flatMap { Watchdog(seconds: $0, interrupt: engine.interrupt) }
            guard options.maximumTime == nil || watchdog != nil else {
                report(RuntimeWording.noWatchdog)
                return .limit
            }
            defer {
                watchdog?.stop()
                // What ended this program is not meant for another session's.
                engine.interrupt.clear()
            }
            return engine.run { DeepStack.run { body(watchdog) } }
        }
    }

    /// Writes the shape of every part of an expression beneath it, up to the part that fails if one does.
    package func showShapes(of text: String, named name: String) -> Status {
        computing { watchdog in
            guard let machine = self.machine else { return .failed }
            let program: Program
            switch self.compiled(Array(text.utf8), named: name, into: self.module, records: true) {
            case .success(let compiled): program = compiled
            case .failure(let rejection): return self.finish(rejection, watchdog)
            }
            let tree = program.unit.tree
            let statements = tree[tree.program]
            guard statements.count == 1, let expression = statements.first?.expression, let code = program.codes.first, !tree[expression].isStatement else {
                self.report(Diagnostic(.command, "`:shapes` takes one expression", help: "as in `:shapes X @ W + b`"))
                return .failed
            }
            let saved = program.assignedGlobals.map { ($0, self.module.slots[$0]) }
            defer { for (slot, value) in saved { self.module.slots[slot] = value } }
            let recording = Recording()
            var failure: Error?
            do { try machine.record(into: recording) { try machine.run(code) } } catch { failure = error }
            self.write(shapeDiagram(recording, tree, expression) { self.source($0) })
            return failure.map { self.finish($0, watchdog) } ?? .done
        }
    }

    private func execute(_ bytes: [UInt8], named name: String, hiddenLines: Int = 0, undoes: Bool, _ watchdog: Watchdog?) -> Status {
        guard let machine else { return .failed }
        let program: Program
        switch compiled(bytes, named: name, hiddenLines: hiddenLines, into: module) {
        case .success(let compiled): program = compiled
        case .failure(let rejection): return finish(rejection, watchdog)
        }
        defer { withExtendedLifetime(program.memory) {} }
        guard reportAll(program.warnings) else { return finish(Session.interruption, watchdog) }
        let known = log.count
        let saved = undoes ? program.assignedGlobals.map { ($0, module.slots[$0]) } : []
        NumericEvents.isEnabled = options.warns || options.isStrict
        defer { NumericEvents.isEnabled = false }
        do {
            for (index, code) in program.codes.enumerated() {
                let before = machine.random
                try machine.run(code)
                try machine.drainNumericEvents()
                log.add(program.unit, index, before, isShown: options.isInteractive)
                afterStatement?(program.unit, index)
            }
            return .done
        } catch {
            _ = NumericEvents.drain()
            // What a loop has reached when Ctrl-C ends it stays: it may be the work of hours.
            if let fault = error as? Fault, fault.kind == .interrupted, watchdog?.fired == nil {
                var diagnostic = fault.diagnostic
                if !saved.isEmpty { diagnostic.notes.append("variables keep what was assigned to them until then") }
                return finish(Fault(diagnostic: diagnostic, kind: .interrupted), watchdog)
            }
            for (slot, value) in saved { module.slots[slot] = value }
            if undoes { log.truncate(to: known) }
            return finish(error, watchdog)
        }
    }

    private func finish(_ rejection: Rejection, _ watchdog: Watchdog?) -> Status {
        switch rejection {
        case .interrupted: return finish(Session.interruption, watchdog)
        case .faults(let faults):
            return reportAll(faults) ? .failed : finish(Session.interruption, watchdog)
        case .tooLarge(let diagnostic):
            report(diagnostic)
            return .limit
        }
    }

    func finish(_ error: Error, _ watchdog: Watchdog?) -> Status {
        guard let fault = error as? Fault else { return .failed }
        if case .exit(let status) = fault.kind { return .exit(status) }
        if fault.kind == .interrupted {
            if let seconds = watchdog?.fired {
                report(RuntimeWording.timeLimit(seconds, fault.diagnostic))
                return .limit
            }
            if !options.isInteractive { return .interrupted }
            report(fault.diagnostic)
            return .interrupted
        }
        report(fault.diagnostic)
        return fault.kind == .limit ? .limit : .failed
    }

    /// Ctrl-C before anything ran.
    static let interruption = Fault(diagnostic: Diagnostic(.interrupted, "interrupted"), kind: .interrupted)

    /// A source by its number; `nil` when it is no longer known.
    package func source(_ id: Int32) -> SourceText? { sources[id] }

    /// Begins random numbers anew.
    package func seed(_ seed: UInt64) { machine?.random = RandomSource(seed: seed) }

    /// Forgets every variable.
    package func reset() throws {
        Session.clear(modules)
        module = Module(name: "", builtins: builtins.table)
        modules = [module]
        importedModules = [:]
        try setArguments()
        machine?.forgetWarnings()
        log = StatementLog()
    }

    package func report(_ diagnostic: Diagnostic) { output?.report(diagnostic, self) }

    /// Line and column take as long to find as the line is.
    /// - Returns: Whether nothing ended it.
    func reportAll(_ diagnostics: [Diagnostic]) -> Bool {
        for diagnostic in diagnostics {
            if Interrupt.isSet { return false }
            report(diagnostic)
        }
        return true
    }
}
