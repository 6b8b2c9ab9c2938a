// Runs trials one after the other, as the command would, with little memory, little time and one folder.

import ActArray
import ActFiles
import ActLanguage
import ActPlot
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a trial did although it must not, other than crash.
enum Oddity: Int {
    case none
    /// It failed without a message.
    case silentFailure
    /// It kept the processor busy for more than a second past its time.
    case late
    /// A message shows a value of the implementation.
    case rawMessage
    /// A message points outside its source.
    case badPlace
    /// The session says that it was interrupted, which nobody did.
    case interrupted
    /// Memory is held that belongs to nothing any more.
    case leak

    var text: String { "\(self)" }
}

final class Worker: SessionOutput {
    static let memory = 200 << 20
    private let generator: Generator
    private let board: Board
    private let patience: Double
    private var oddity = Oddity.none
    private var errors = 0
    private var written = 0
    /// The session of the walk over the rows, whose variables its calls take.
    private var walk: Session?

    init(_ generator: Generator, _ board: Board, patience: Double) {
        self.generator = generator
        self.board = board
        self.patience = patience
        ThreadPool.count = 2
    }

    /// - Parameter count: How many trials.
    func run(from start: Int, count: Int) {
        for index in start..<start + count {
            guard board[.stop] == 0 else { return }
            board[.index] = index
            let before = MemoryPool.used
            run(generator.trial(index))
            // Formulas once derived are kept to be used again: then a second time needs no more.
            var held = before
            for _ in 0..<8 where generator.matter != .rows && holdsMore(than: held) {
                held = MemoryPool.used
                run(generator.trial(index))
            }
            if held > before, generator.matter != .rows, holdsMore(than: held) { oddity = .leak }
            if oddity != .none, board[.oddity] == 0 {
                board[.oddIndex] = index
                board[.oddity] = oddity.rawValue
            }
            board[.done] += 1
        }
    }

    /// Whether more is held than that, besides free blocks: a program that ends at a limit leaves some more of them each time it is begun.
    private func holdsMore(than held: Int) -> Bool {
        if MemoryPool.used > held + 4 << 20 { MemoryPool.giveBack() }
        return MemoryPool.used > held + 4 << 20
    }

    /// The folder that the worker is in.
    private lazy var files: FileDoor = {
        guard let door = try? FileDoor(allowing: [Array(".".utf8)]) else { fatalError("the current folder cannot be opened") }
        return door
    }()

    func run(_ trial: Trial) {
        board[.beat] += 1
        (oddity, errors, written) = (.none, 0, 0)
        if let file = trial.file { store(file.bytes, file.name) }
        if trial.kind == .call { return runCall(trial) }
        // Of the processor: the machine may be busy with other things.
        let before = seconds(CLOCK_PROCESS_CPUTIME_ID)
        // What is left over from earlier trials (free lists of small blocks) must not count.
        MemoryPool.limit = MemoryPool.used + trial.memory
        var options = Session.Options()
        options.engine = .process
        options.maximumTime = trial.seconds
        options.files = files
        options.seed = 1
        options.isInteractive = trial.kind == .lines
        guard let session = try? Session(options: options, output: self) else { return oddity = .silentFailure }
        switch trial.kind {
        case .check:
            let status = session.check(bytes: trial.program, named: "t.act")
            if status != .done && errors == 0 { oddity = .silentFailure }
            if status == .done { board[.parsed] += 1 }
            count(status)
        case .script:
            if let moment = trial.interrupt { Alarm.set(after: moment) }
            let status = session.run(bytes: trial.program, named: "t.act")
            let delay = trial.interrupt.flatMap { _ in Alarm.stop() }
            if let delay, delay > Alarm.patience * patience { oddity = .late }
            if status == .interrupted, delay == nil { oddity = .interrupted }
            if status == .failed || status == .limit, errors == 0 { oddity = .silentFailure }
            if written > 0 || status == .done { board[.parsed] += 1 }
            count(status)
        case .lines: converse(session, trial)
        case .call: break
        }
        let took = seconds(CLOCK_PROCESS_CPUTIME_ID) - before
        if took > trial.seconds + patience && trial.kind != .lines { oddity = .late }
    }

    /// A call on the variables of the prelude, interrupted after a moment.
    private func runCall(_ trial: Trial) {
        if walk == nil {
            var options = Session.Options()
            options.engine = .process
            options.maximumTime = 600
            options.files = files
            options.seed = 1
            MemoryPool.limit = 1 << 32
            walk = try? Session(options: options, output: self)
            guard walk?.run(RowWalk.prelude, named: "prelude.act") == .done else { return oddity = .silentFailure }
        }
        guard let walk else { return }
        errors = 0
        board[.beat] += 1
        MemoryPool.limit = MemoryPool.used + trial.memory
        Alarm.set(after: trial.interrupt ?? 0)
        let status = walk.run(bytes: trial.program, named: "t.act")
        let delay = Alarm.stop()
        if let delay, delay > Alarm.patience * patience { oddity = .late }
        if status == .failed || status == .limit, errors == 0 { oddity = .silentFailure }
        if status == .interrupted, delay == nil { oddity = .interrupted }
        count(status)
        // What the call assigned.
        walk.run("x = 0; a = 0; b = 0", named: "after.act")
    }

    private func count(_ status: Session.Status) {
        switch status {
        case .done, .exit: board[.succeeded] += 1
        case .limit: board[.reachedLimit] += 1
        case .failed, .interrupted: board[.failed] += 1
        }
    }

    /// The program typed line by line, with Tab, `?` and `:vars` now and then.
    private func converse(_ session: Session, _ trial: Trial) {
        let interaction = Interaction(session: session, output: self)
        let lines = String(decoding: trial.program, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = seconds()
        var hasFailed = false
        for (index, line) in lines.prefix(60).enumerated() {
            if seconds() - start > 2 * trial.seconds { break }
            if index % 4 == 0, line.utf8.count < 5000 { _ = interaction.complete(line, at: line.utf8.count / 2) }
            let before = errors
            switch interaction.enter(line, before: index + 1 < lines.count ? lines[index + 1] : nil) {
            case .failed:
                hasFailed = true
                if errors == before { oddity = .silentFailure }
            case .leave: return
            default: break
            }
        }
        _ = interaction.finish()
        if trial.program.count % 8 == 0 {
            _ = interaction.enter("?" + String(line(lines, trial).prefix(12)))
            _ = interaction.enter(":vars")
        }
        count(hasFailed ? .failed : .done)
    }

    private func line(_ lines: [String], _ trial: Trial) -> String { lines.isEmpty ? "" : lines[trial.program.count % lines.count] }

    private func store(_ bytes: Bytes, _ name: String) {
        guard let file = fopen(name, "w") else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    // MARK: What the session says

    func write(_ text: String) { written &+= text.utf8.count }

    func show(_ shown: Shown) {
        written &+= shown.text.utf8.count &+ (shown.note?.utf8.count ?? 0) &+ 1
        guard let figure = shown.figure else { return }
        written &+= render(figure, TerminalStyle(columns: 20 + written % 90, rows: 3 + written % 40, glyphs: written % 5 == 0 ? .ascii : .braille)).utf8.count
    }

    func report(_ diagnostic: Diagnostic, _ session: Session) {
        if diagnostic.level == .error { errors += 1 }
        let text = DiagnosticRenderer(style: .plain, width: 100) { session.source($0) }.render(diagnostic)
        written &+= text.utf8.count
        let title = diagnostic.title
        if title.contains("ActArray.") || title.contains("ActMachine.") || title.contains("ActBuiltins.") || title.contains("ActLanguage.")
            || title.contains("ActGrad.") || title.contains("ActNetwork.") || title.contains("Optional(") || title.isEmpty
        {
            oddity = .rawMessage
        }
        for label in diagnostic.labels
        where session.source(label.span.source).map({ Int(label.span.end) > $0.bytes.count }) == true || label.span.start > label.span.end {
            oddity = .badPlace
        }
    }
}

/// Sound files of every format that act writes, made by act itself in the current folder.
func soundFiles() -> [(name: String, bytes: Bytes)] {
    let values = [
        ("x.npy", "range(6).reshape(2, 3)"), ("y.npy", "f32([1.5, 2])"), ("z.npy", "[true, false]"), ("x.npz", "{a: eye(2), b: f32(range(3))}"),
        ("x.csv", "{a: [1, 2], b: (\"x\", \"y,z\")}"),
        ("y.csv", "range(6).reshape(2, 3) / 7"), ("x.tsv", "eye(2)"), ("x.json", "{a: [1, 2.5], b: (\"q\\\"\", none, true), c: {d: ()}}"),
        ("x.txt", "\"some\\nlines\""),
        ("x.safetensors", "Dense(2, 3, relu) >> Dense(3, 1)"), ("y.safetensors", "{a: eye(2)}"),
        ("x.onnx", "Dense(2, 3, relu) >> Dense(3, 1)"),
    ]
    let models = [
        ("u.onnx", "LSTM(3, 2) >> Attention(2) >> tanhexp", "(5, 3)"), ("v.onnx", "Embedding(6, 3) >> GRU(3, 2)", "(4,)"),
        ("w.onnx", "x -> sort(softmax(cumsum(x[:, ::2], axis=1) @ ones(2, 3)))", "(3,)"),
    ]
    var files: [(name: String, bytes: Bytes)] = []
    var options = Session.Options()
    options.engine = .process
    options.seed = 1
    guard let session = try? Session(options: options) else { return [] }
    for (name, value) in values {
        session.run("save(\(value), \"\(name)\")", named: "t.act")
        if let bytes = Corpus.contents(name) { files.append((name, bytes)) }
    }
    for (name, value, input) in models {
        session.run("save(\(value), \"\(name)\", input=\(input))", named: "t.act")
        if let bytes = Corpus.contents(name) { files.append((name, bytes)) }
    }
    // IDX: two zero bytes, the type, the rank, sizes of four bytes, the elements.
    files.append(("x-idx2-ubyte", [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6]))
    files.append(("y.onnx", soundModel))
    // The same as the file before, stored by gzip without compression.
    files.append(
        (
            "x-idx1-ubyte.gz",
            [
                0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 10, 0, 0xF5, 0xFF, 0, 0, 8, 1, 0, 0, 0, 2, 7, 9, 0x67, 0xE8, 0x36, 0xE2, 10, 0, 0, 0,
            ]
        ))
    return files
}
