// What a program shows while a cell runs, as messages that everybody hears: texts as streams, values as displays, progress as one display that
// changes, errors as what ends the cell.
//
// What must stay true: messages come in the order in which the program showed things, and belong to the request that made it run; a program
// that prints much sends few messages, and none of them waits longer than a moment; a silent request sends none.

import ActSystem
import ActArray
import ActFiles
import ActLanguage
import ActMachine
import ActSyntax
import CActSystem

/// `@unchecked`: the thread that runs cells and the one that serves touch it with the lock.
final class KernelOutput: SessionOutput, ProgressOutput, @unchecked Sendable {
    typealias Publish = (_ type: String, _ content: JSON, _ parent: Message?) -> Void

    /// How a cell ended.
    struct Outcome {
        /// As a stream of errors shows them, first lines first; empty if there were none.
        var traceback: [String] = []
        var errorName = ""
        var errorText = ""
        /// What the last value says as text.
        var result: String?
    }

    private struct Progress {
        let id: String
        var lines: [String] = []
        var current = ""
        var isShown = false
        var hasChanged = false

        var text: String { (lines + (current.isEmpty ? [] : [current])).joined(separator: "\n") }
    }

    private let publish: Publish
    /// Called when something waits to be sent.
    private let onPending: () -> Void
    private let lock = Lock()
    private var parent: Message?
    private var isSilent = true
    private var count = 0
    private var stream: (name: String, text: String) = ("stdout", "")
    private var progress: Progress?
    /// The last value, which is the cell's result if nothing comes after it.
    private var held: DisplayData?
    /// When what waits is to be sent.
    private var due: Double?
    private var lastSent = 0.0
    private var outcome = Outcome()

    private static let moment = 0.05
    /// A value that is not the last one waits so long.
    private static let patience = 0.3
    private static let piece = 1 << 16

    init(publish: @escaping Publish, onPending: @escaping () -> Void) {
        self.publish = publish
        self.onPending = onPending
    }

    // MARK: A cell's life

    func begin(_ parent: Message, count: Int, isSilent: Bool) {
        lock.locked {
            (self.parent, self.count, self.isSilent) = (parent, count, isSilent)
            outcome = Outcome()
        }
    }

    func end() -> Outcome {
        lock.locked {
            sendStream()
            endProgress()
            // A cell that failed after it has no result.
            if !outcome.traceback.isEmpty { releaseHeld() }
            if let held {
                outcome.result = held.plainText
                send("execute_result", ["execution_count": .whole(count), "data": held.data, "metadata": held.metadata])
            }
            (held, due) = (nil, nil)
            if !outcome.traceback.isEmpty {
                send(
                    "error",
                    ["ename": .text(outcome.errorName), "evalue": .text(outcome.errorText), "traceback": .list(outcome.traceback.map { .text($0) })])
            }
            return outcome
        }
    }

    /// Sends what has waited long enough.
    /// - Returns: Milliseconds until it is to be asked again.
    func tick() -> Int32 {
        lock.locked {
            guard let due else { return 1000 }
            let left = due - act_seconds()
            if left > 0 { return Int32(left * 1000) + 1 }
            sendAll()
            return 1000
        }
    }

    // MARK: What programs show

    var showsPictures: Bool { true }

    func write(_ text: String) { write(text, to: "stdout") }

    private func write(_ text: String, to name: String) {
        guard !text.isEmpty else { return }
        lock.locked {
            releaseHeld()
            endProgress()
            if stream.name != name {
                sendStream()
                stream.name = name
            }
            stream.text += text
            if stream.text.utf8.count >= Self.piece || act_seconds() - lastSent > Self.moment { sendStream() } else { wait(Self.moment) }
        }
    }

    func show(_ shown: Shown) {
        let isSilent = lock.locked { self.isSilent }
        if isSilent { return }
        let display = DisplayData(shown)
        // One that ended early is of no use.
        if Interrupt.isSet { return }
        lock.locked {
            sendAll()
            held = display
            if shown.isResult { wait(Self.patience) } else { releaseHeld() }
        }
    }

    func report(_ diagnostic: Diagnostic, _ session: Session) {
        let text = DiagnosticRenderer(style: .colour, width: 100) { session.source($0) }.render(diagnostic)
        let isFault = lock.locked { () -> Bool in
            guard diagnostic.level == .error || diagnostic.code == .interrupted || diagnostic.level == .note && !outcome.traceback.isEmpty else { return false }
            if outcome.traceback.isEmpty { (outcome.errorName, outcome.errorText) = (diagnostic.code.rawValue, diagnostic.title) }
            outcome.traceback += text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
            return true
        }
        if !isFault { write(text, to: "stderr") }
    }

    // MARK: Progress

    var isProgressMovable: Bool { true }

    /// Lines, the last of which begins anew after a carriage return.
    func writeProgress(_ text: String) {
        lock.locked {
            releaseHeld()
            sendStream()
            var progress = progress ?? Progress(id: MessageForm.randomName())
            for character in text.replacing("\u{1b}[K", with: "") {
                switch character {
                case "\r": progress.current = ""
                case "\n", "\r\n":
                    progress.lines.append(progress.current)
                    progress.current = ""
                default: progress.current.append(character)
                }
            }
            progress.hasChanged = true
            self.progress = progress
            if act_seconds() - lastSent > Self.moment { sendProgress() } else { wait(Self.moment) }
        }
    }

    // MARK: With the lock

    private func wait(_ seconds: Double) {
        let then = act_seconds() + seconds
        if let due, due <= then { return }
        due = then
        onPending()
    }

    private func send(_ type: String, _ content: JSON) {
        lastSent = act_seconds()
        if !isSilent { publish(type, content, parent) }
    }

    private func sendAll() {
        sendStream()
        sendProgress()
        releaseHeld()
        due = nil
    }

    private func sendStream() {
        guard !stream.text.isEmpty else { return }
        var rest = stream.text[...]
        while !rest.isEmpty {
            let piece = rest.prefix(16 * Self.piece)
            send("stream", ["name": .text(stream.name), "text": .text(String(piece))])
            rest = rest[piece.endIndex...]
        }
        stream.text = ""
    }

    private func releaseHeld() {
        guard let held else { return }
        send("display_data", ["data": held.data, "metadata": held.metadata, "transient": .object([])])
        self.held = nil
    }

    private func sendProgress() {
        guard var progress, progress.hasChanged else { return }
        send(
            progress.isShown ? "update_display_data" : "display_data",
            ["data": ["text/plain": .text(progress.text)], "metadata": .object([]), "transient": ["display_id": .text(progress.id)]])
        (progress.isShown, progress.hasChanged) = (true, false)
        self.progress = progress
    }

    private func endProgress() {
        sendProgress()
        progress = nil
    }
}
