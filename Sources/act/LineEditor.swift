// Line editing at a terminal: libedit knows the keys, the history and what is deleted, `LineDisplay` draws.
//
// What must stay true: there is one editor in a process; characters come from `readCharacter` alone, which also hears of signals, so
// no signal is lost between two reads, and which draws before it waits; the terminal is libedit's only while `read` runs.

import ActLanguage
import ActPlot
import ActSyntax
import ActText
import CActKernels
import CLibEdit
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

final class LineEditor {
    enum Line {
        /// An input, of one line or several.
        case text(String)
        /// Ctrl-C, or Ctrl-D in a block.
        case interrupted
        /// Ctrl-D on an empty line, a signal that ends the session, or the terminal is gone.
        case end
    }

    /// What the editor asks about what is being written.
    struct Language {
        let complete: (_ line: String, _ offset: Int) -> Interaction.Completion
        /// Whether an input needs more lines.
        let needsMore: (String) -> Bool
        /// Pasted lines as they were typed.
        let typed: ([String]) -> [String]
        /// Takes the first input from lines; `nil` where they need more.
        let firstInput: (inout ArraySlice<String>) -> String?
        /// How it looks.
        let styles: (String) -> [(end: Int, style: LineDisplay.Style)]
    }

    let editor: OpaquePointer
    let history: OpaquePointer?
    let language: Language
    let canPasteWhole: Bool
    /// The terminal opened anew, never to wait in a read: Ctrl-C empties the terminal's queue, after `poll` has seen something in it.
    let keyboard: Int32
    /// `unsafe`: the main thread alone edits lines.
    static nonisolated(unsafe) var current: LineEditor?

    // What was typed or pasted and is not yet taken.
    var input: [UInt8] = []
    var inputStart = 0
    var pastedLines: ArraySlice<String> = []
    /// What came behind the last line end of what was pasted.
    var pastedRest = ""
    /// The next byte last.
    var injected: [UInt8] = []
    var event: Interrupt.Event?

    /// What is edited when everything that was pasted before it has run: it needs more.
    var waiting = ""
    /// Whether Ctrl-D took the block away.
    var isDropped = false

    // What is drawn.
    var display = LineDisplay()
    var content = LineDisplay.Content()
    /// The window as it was when the line was drawn last.
    var size = (columns: 80, rows: 24)
    let isColored = Terminal.wantsColor

    /// - Returns: `nil` where libedit finds no terminal that it can use.
    init?(program: String, prompt: String, continuation: String, _ language: Language) {
        guard let editor = edit_open(program) else { return nil }
        self.editor = editor
        self.language = language
        let terminal = ttyname(STDIN_FILENO).map { open($0, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) } ?? -1
        keyboard = terminal >= 0 ? terminal : STDIN_FILENO
        (content.prompt, content.continuation) = (prompt, continuation)
        edit_set_emacs(editor)
        history = edit_add_history(editor, Int32(HistoryFile.limit))
        for row in Self.commands { edit_add_command(editor, row.name, row.help, row.action) }
        for row in KeySequence.rows { edit_bind(editor, "\\e" + row.notation, row.command) }
        for (sequence, command) in Self.own { edit_bind(editor, "\\e" + sequence, command) }
        for (key, command) in [
            ("^A", "act-line-start"), ("^E", "act-line-end"), ("^F", "act-next-char"), ("^B", "act-prev-char"), ("^P", "act-up"), ("^N", "act-down"),
            ("^K", "act-kill-line"), ("\\e^M", "act-new-line"), ("\\e^J", "act-new-line"),
        ] {
            edit_bind(editor, key, command)
        }
        _ = el_source(editor, nil)
        // After ~/.editrc, for choosing vi keys there unbinds everything.
        let isEmacs = edit_is_emacs(editor) != 0
        canPasteWhole = isEmacs && !Terminal.isDumb
        for (key, command) in [("^I", "act-complete"), ("^M", "act-enter"), ("^J", "act-enter"), ("^D", "act-delete-or-end"), ("^L", "act-clear-screen")] {
            edit_bind(editor, key, command)
            if !isEmacs { edit_bind_alternative(editor, key, command) }
        }
        if !isEmacs {
            // There ESC has gone to command mode before the rest is read.
            for row in KeySequence.rows { edit_bind_alternative(editor, row.notation, row.command) }
            for (sequence, command) in Self.own { edit_bind_alternative(editor, sequence, command) }
            for (key, command) in [("k", "act-up"), ("j", "act-down")] { edit_bind_alternative(editor, key, command) }
            // In command mode it does nothing, so that the rest of a sequence means what it means behind an insertion.
            edit_bind_alternative(editor, "^[", "ed-ignore")
        }
        if canPasteWhole { edit_bind(editor, "\\e[200~", "act-paste") }
        edit_set_reader(editor) { _, character in LineEditor.current?.readCharacter(character) ?? 0 }
        LineEditor.current = self
    }

    /// What keys do that libedit has no command for, or one that knows no lines.
    static let commands: [(name: String, help: String, action: edit_command_function)] = [
        ("act-complete", "Complete what stands before the cursor", { _, _ in LineEditor.current?.completeWord() ?? UInt8(CC_ERROR) }),
        ("act-paste", "Insert pasted text", { _, _ in LineEditor.current?.paste() ?? UInt8(CC_ERROR) }),
        ("act-enter", "Run the input, or begin a line of it", { _, _ in LineEditor.current?.enter() ?? UInt8(CC_ERROR) }),
        ("act-new-line", "Begin a line of the input", { _, _ in LineEditor.current?.insert("\n") == true ? UInt8(CC_REFRESH) : UInt8(CC_ERROR) }),
        ("act-delete-or-end", "Delete the next character, leave the block or the session", { _, _ in LineEditor.current?.deleteOrEnd() ?? UInt8(CC_EOF) }),
        ("act-clear-screen", "Clear the screen", { _, _ in LineEditor.current?.clearScreen() ?? UInt8(CC_ERROR) }),
        ("act-up", "Go to the line before, or the entry before", { _, _ in LineEditor.current?.moveLine(-1) ?? UInt8(CC_ERROR) }),
        ("act-down", "Go to the next line, or the next entry", { _, _ in LineEditor.current?.moveLine(1) ?? UInt8(CC_ERROR) }),
        ("act-line-start", "Go to the start of the line", { _, _ in LineEditor.current?.moveToLineStart() ?? UInt8(CC_ERROR) }),
        ("act-line-end", "Go to the end of the line", { _, _ in LineEditor.current?.moveToLineEnd() ?? UInt8(CC_ERROR) }),
        ("act-prev-char", "Go back a character", { _, _ in LineEditor.current?.moveCharacter(-1) ?? UInt8(CC_ERROR) }),
        ("act-next-char", "Go on a character, or take what is suggested", { _, _ in LineEditor.current?.moveCharacter(1) ?? UInt8(CC_ERROR) }),
        ("act-next-word", "Go on a word, or take a word of what is suggested", { _, _ in LineEditor.current?.moveWord() ?? UInt8(CC_ERROR) }),
        ("act-insert-waiting", "Insert what was pasted last", { _, _ in LineEditor.current?.insertWaiting() ?? UInt8(CC_ERROR) }),
        ("act-kill-line", "Delete to the end of the line", { _, _ in LineEditor.current?.killLine() ?? UInt8(CC_ERROR) }),
    ]

    /// Sequences that no key sends: by them a command makes libedit do one of its own.
    enum Own: String, CaseIterable {
        case previousEntry = "ed-prev-history", nextEntry = "ed-next-history", nextWord = "em-next-word"
        case mark = "em-set-mark", killRegion = "em-kill-region", newLine = "ed-newline", insertWaiting = "act-insert-waiting"

        var sequence: String { "[99\(Self.allCases.firstIndex(of: self) ?? 0)~" }
    }
    static let own = Own.allCases.map { ($0.sequence, $0.rawValue) }

    func close() {
        el_end(editor)
        if keyboard != STDIN_FILENO { closeDescriptor(keyboard) }
        LineEditor.current = nil
    }

    func remember(_ line: UnsafePointer<CChar>) {
        if let history { edit_remember(history, line) }
    }

    // MARK: Reading

    /// Lets an input be written.
    func read() -> Line {
        event = nil
        content.text = ""
        isDropped = false
        display.forget()
        size = Terminal.size
        if !pastedLines.isEmpty || !pastedRest.isEmpty, let next = nextPasted() {
            Output.standard.write(content.prompt + next.replacing("\n", with: "\n" + content.continuation) + "\n")
            return .text(next)
        }
        if !waiting.isEmpty { inject([.insertWaiting]) }
        if canPasteWhole { Output.standard.write("\u{1b}[?2004h") }
        defer {
            if canPasteWhole { Output.standard.write("\u{1b}[?2004l") }
            Output.standard.flush()
        }
        Output.standard.flush()
        // Before the prompt shows, so that keys pressed on seeing it are ours and not those of a terminal that edits lines by itself.
        edit_prepare(editor)
        var count: Int32 = 0
        let bytes = el_gets(editor, &count)
        guard let bytes, count >= 0, !isDropped else {
            if !isDropped {
                input.removeAll()
                inputStart = 0
            }
            injected.removeAll()
            if !display.isShown { show(suggests: false) }
            write(display.finish())
            return isDropped || event == .interrupt ? .interrupted : .end
        }
        content.text = String(cString: bytes)
        if content.text.last?.isNewline == true { content.text.removeLast() }
        show(suggests: false)
        write(display.finish())
        return .text(content.text)
    }

    /// Forgets pasted lines that have not run.
    func discardPending() {
        pastedLines.removeAll()
        (pastedRest, waiting) = ("", "")
        injected.removeAll()
        input.removeAll()
        inputStart = 0
    }

    /// - Returns: 1, 0 at the end, -1 when a signal ends the line.
    func readCharacter(_ character: UnsafeMutablePointer<wchar_t>?) -> Int32 {
        guard let character, let lead = readByte() else {
            guard event != nil else { return 0 }
            errno = EINTR
            return -1
        }
        var bytes = [lead]
        let length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        while bytes.count < length, let byte = peekByte(), byte & 0xC0 == 0x80 {
            bytes.append(byte)
            _ = readByte()
        }
        let scalar = String(decoding: bytes, as: UTF8.self).unicodeScalars.first?.value ?? 0xFFFD
        character.pointee = wchar_t(truncatingIfNeeded: scalar)
        return 1
    }

    func readByte() -> UInt8? {
        guard let byte = peekByte() else { return nil }
        if injected.isEmpty { inputStart += 1 } else { injected.removeLast() }
        return byte
    }

    func peekByte() -> UInt8? {
        guard event == nil else { return nil }
        if let byte = injected.last { return byte }
        if inputStart >= input.count, !Terminal.typedAhead.isEmpty {
            input = Terminal.typedAhead
            inputStart = 0
            Terminal.typedAhead = []
        }
        while !dropUnknownSequences() {
            draw()
            var sources = [
                pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0), pollfd(fd: Interrupt.wakeUpReader, events: Int16(POLLIN), revents: 0),
            ]
            let ready = Idle.wait(&sources)
            if ready < 0 {
                if errno == EINTR { continue }
                return nil
            }
            if sources[1].revents != 0, !answerSignals() { return nil }
            guard sources[0].revents != 0 else { continue }
            guard receive() else { return nil }
        }
        return input[inputStart]
    }

    /// Takes what has come from the keyboard.
    /// - Returns: False at the end.
    func receive() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = readSome(keyboard, into: &chunk)
        if count < 0 && errno == EAGAIN { return true }
        guard count > 0 else { return false }
        input = Array(input[inputStart...]) + GraphicsProtocol.withoutAnswers(Array(chunk[..<count]))
        inputStart = 0
        return true
    }

    /// Passes over sequences of keys that do nothing. One that has come in part is waited for, a moment.
    func dropUnknownSequences() -> Bool {
        while inputStart < input.count, input[inputStart] == 0x1B {
            while KeySequence.isBegun(input[inputStart...]) {
                var source = pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0)
                guard poll(&source, 1, 50) > 0, receive() else { break }
            }
            let length = KeySequence.lengthOfUnknown(input[inputStart...])
            if length == 0 { return true }
            inputStart += length
        }
        return inputStart < input.count
    }

    /// - Returns: Whether the line goes on.
    func answerSignals() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = max(readSome(Interrupt.wakeUpReader, into: &bytes), 0)
        for byte in bytes[..<count] {
            switch Interrupt.Event(rawValue: byte) {
            case .resize: draw()
            case .resume:
                edit_resume(editor)
                display.forget()
                draw()
            case .interrupt, .end: event = Interrupt.Event(rawValue: byte)
            case nil: break
            }
        }
        return event == nil
    }

    // MARK: What is written

    /// The input as libedit has it, and the cursor, a UTF-8 offset in it.
    var line: (text: String, cursor: Int) {
        guard let info = el_line(editor)?.pointee, let start = info.buffer, let end = info.lastchar, let cursor = info.cursor, end >= start else {
            return ("", 0)
        }
        return (String(decoding: UnsafeRawBufferPointer(start: start, count: end - start), as: UTF8.self), cursor - start)
    }

    func write(_ text: String) {
        guard !text.isEmpty else { return }
        Output.standard.write(text)
        Output.standard.flush()
    }

    func draw() {
        // A key may come before the signal that tells of the window.
        followWindow()
        let line = line
        // Nothing has changed while the keys of a sequence come.
        if display.isShown, line.text == content.text, line.cursor == content.cursor { return }
        (content.text, content.cursor) = line
        show(suggests: true)
    }

    func show(suggests: Bool) {
        let text = content.text
        if !suggests { content.cursor = text.utf8.count }
        content.styles = isColored ? language.styles(text) : []
        content.suggestion = suggests && content.cursor == text.utf8.count ? suggestion(for: text) : ""
        write(display.draw(content, columns: size.columns, height: size.rows))
    }

    /// What the last entry that begins like this has more.
    func suggestion(for text: String) -> String {
        guard isColored, let history, !text.allSatisfy(\.isWhitespace), let entry = edit_recall(history, text, text.utf8.count) else { return "" }
        return String(String(cString: entry).dropFirst(text.count))
    }

    /// Clears what was drawn in a window of another size. Where the terminal has put the rows depends on whether it wraps lines anew, which the column of
    /// its cursor tells.
    func followWindow() {
        let new = Terminal.size
        guard Terminal.isCredible, display.isShown, new.columns != size.columns || new.rows != size.rows else { return }
        let column = new.columns == size.columns ? nil : askedColumn()
        size = new
        write(display.leave(for: new.columns, height: new.rows, cursorColumn: column))
    }

    /// Where the terminal's cursor is, from 0; `nil` if it does not say so at once. What is typed meanwhile is kept.
    func askedColumn() -> Int? {
        write("\u{1b}[6n")
        var patience: Int32 = 100
        while patience > 0 {
            var source = pollfd(fd: keyboard, events: Int16(POLLIN), revents: 0)
            let start = patience
            if poll(&source, 1, 20) <= 0 { patience -= 20 } else if !receive() { return nil }
            if let (range, column) = KeySequence.cursorAnswer(in: input[inputStart...]) {
                input.removeSubrange(range)
                return column - 1
            }
            patience = min(patience, start - 1)
        }
        return nil
    }
}

/// `close`, which means something else in types that have one.
func closeDescriptor(_ descriptor: Int32) { close(descriptor) }

/// Words in columns, filled downwards, as many as fit into some rows; a last line says how many there are beyond them.
func columns(_ words: [String], width: Int, rows limit: Int) -> String {
    guard !words.isEmpty else { return "" }
    let widest = words.map { displayWidth($0) }.max() ?? 1
    let columnCount = max(1, min(words.count, (width + 1) / (widest + 2)))
    let rowCount = min((words.count + columnCount - 1) / columnCount, max(limit, 1))
    let shown = min(words.count, rowCount * columnCount)
    var text = ""
    for row in 0..<rowCount {
        var line = ""
        for index in stride(from: row, to: shown, by: rowCount) {
            let word = words[index]
            line += word + String(repeating: " ", count: widest + 2 - displayWidth(word))
        }
        while line.last == " " { line.removeLast() }
        text += line + "\n"
    }
    if shown < words.count { text += "… and \(words.count - shown) more\n" }
    return text
}
