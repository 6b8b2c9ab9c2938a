// Line editing at a terminal by libedit: keys, history, completion, pasting.
//
// What must stay true: there is one editor in a process; characters come from `readCharacter` alone, which also hears of signals, so
// no signal is lost between two reads; the terminal is libedit's only while `read` runs.

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
        case text(String)
        /// Ctrl-C
        case interrupted
        /// Ctrl-D on an empty line, a signal that ends the session, or the terminal is gone.
        case end
    }

    /// Prompts with which pasted lines may begin.
    var prompts: [String] = []

    private let editor: OpaquePointer
    private let history: OpaquePointer?
    private let complete: (_ line: String, _ offset: Int) -> Interaction.Completion
    private let canPasteWhole: Bool
    /// The terminal opened anew, never to wait in a read: Ctrl-C empties the terminal's queue, after `poll` has seen something in it.
    private let keyboard: Int32
    private var prompt: UnsafeMutablePointer<CChar>?
    /// `unsafe`: the main thread alone edits lines.
    private static nonisolated(unsafe) var current: LineEditor?

    // What was typed or pasted and is not yet taken.
    private var input: [UInt8] = []
    private var inputStart = 0
    private var pastedLines: ArraySlice<String> = []
    /// The next byte last.
    private var injected: [UInt8] = []
    private var event: Interrupt.Event?

    /// - Returns: `nil` where libedit finds no terminal that it can use.
    init?(program: String, completing complete: @escaping (_ line: String, _ offset: Int) -> Interaction.Completion) {
        guard let editor = edit_open(program) else { return nil }
        self.editor = editor
        self.complete = complete
        let terminal = ttyname(STDIN_FILENO).map { open($0, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) } ?? -1
        keyboard = terminal >= 0 ? terminal : STDIN_FILENO
        edit_set_prompt(editor) { _ in LineEditor.current?.prompt }
        edit_set_emacs(editor)
        history = edit_add_history(editor, Int32(HistoryFile.limit))
        _ = el_source(editor, nil)
        // After ~/.editrc, for choosing vi keys there unbinds everything.
        edit_add_command(editor, "act-complete", "Complete what stands before the cursor") { _, _ in
            LineEditor.current?.completeWord() ?? UInt8(CC_ERROR)
        }
        edit_bind(editor, "^I", "act-complete")
        canPasteWhole = edit_is_emacs(editor) != 0 && !Terminal.isDumb
        if canPasteWhole {
            edit_add_command(editor, "act-paste", "Insert pasted text") { _, _ in LineEditor.current?.paste() ?? UInt8(CC_ERROR) }
            edit_bind(editor, "\\e[200~", "act-paste")
        }
        edit_set_reader(editor) { _, character in LineEditor.current?.readCharacter(character) ?? 0 }
        LineEditor.current = self
    }

    func close() {
        el_end(editor)
        if keyboard != STDIN_FILENO { closeDescriptor(keyboard) }
        LineEditor.current = nil
        free(prompt)
        prompt = nil
    }

    func remember(_ line: UnsafePointer<CChar>) {
        if let history { edit_remember(history, line) }
    }

    // MARK: Reading

    func read(prompt text: String) -> Line {
        event = nil
        if !pastedLines.isEmpty {
            let line = pastedLines.removeFirst()
            guard pastedLines.isEmpty else {
                Output.standard.write(text + line + "\n")
                return .text(line)
            }
            // No line end came after it: it waits to be edited.
            injected = line.utf8.flatMap { $0 == UInt8(ascii: "\t") ? Array(repeating: UInt8(ascii: " "), count: 4) : [$0] }.reversed()
        }
        return readTyped(text)
    }

    private func readTyped(_ text: String) -> Line {
        free(prompt)
        prompt = strdup(text)
        if canPasteWhole { Output.standard.write("\u{1b}[?2004h") }
        defer {
            if canPasteWhole { Output.standard.write("\u{1b}[?2004l") }
            Output.standard.flush()
        }
        Output.standard.flush()
        // Before the prompt shows, so that keys pressed on seeing it are ours and not those of a terminal that edits lines by itself.
        edit_prepare(editor)
        var count: Int32 = 0
        guard let bytes = el_gets(editor, &count), count >= 0 else {
            input.removeAll()
            inputStart = 0
            injected.removeAll()
            return event == .interrupt ? .interrupted : .end
        }
        var line = String(cString: bytes)
        if line.last?.isNewline == true { line.removeLast() }
        return .text(line)
    }

    /// The line that comes after the one last read, where that is known: it was pasted.
    var nextLine: String? { pastedLines.first }

    /// Forgets pasted lines that have not run.
    func discardPending() {
        pastedLines.removeAll()
        injected.removeAll()
        input.removeAll()
        inputStart = 0
    }

    /// - Returns: 1, 0 at the end, -1 when a signal ends the line.
    private func readCharacter(_ character: UnsafeMutablePointer<wchar_t>?) -> Int32 {
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

    private func readByte() -> UInt8? {
        guard let byte = peekByte() else { return nil }
        if injected.isEmpty { inputStart += 1 } else { injected.removeLast() }
        return byte
    }

    private func peekByte() -> UInt8? {
        guard event == nil else { return nil }
        if let byte = injected.last { return byte }
        if inputStart >= input.count, !Terminal.typedAhead.isEmpty {
            input = Terminal.typedAhead
            inputStart = 0
            Terminal.typedAhead = []
        }
        while inputStart >= input.count {
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
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = readSome(keyboard, into: &chunk)
            if count < 0 && errno == EAGAIN { continue }
            guard count > 0 else { return nil }
            input = GraphicsProtocol.withoutAnswers(Array(chunk[..<count]))
            inputStart = 0
        }
        return input[inputStart]
    }

    /// - Returns: Whether the line goes on.
    private func answerSignals() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = max(readSome(Interrupt.wakeUpReader, into: &bytes), 0)
        for byte in bytes[..<count] {
            switch Interrupt.Event(rawValue: byte) {
            case .resize: resize()
            case .resume: edit_resume(editor)
            case .interrupt, .end: event = Interrupt.Event(rawValue: byte)
            case nil: break
            }
        }
        return event == nil
    }

    /// Follows the window. libedit must not be left with the cursor where the new size has no place, so that is at the line's start
    /// meanwhile; in a window too small for the prompt it goes on as before.
    private func resize() {
        guard let info = el_line(editor)?.pointee, let start = info.buffer, let cursor = info.cursor else { return }
        let size = Terminal.size
        guard size.columns > 8, size.rows > 1, Terminal.isCredible else { return }
        let offset = Int32(String(decoding: UnsafeRawBufferPointer(start: start, count: cursor - start), as: UTF8.self).unicodeScalars.count)
        el_cursor(editor, -offset)
        edit_refresh(editor)
        el_resize(editor)
        el_cursor(editor, offset)
        edit_refresh(editor)
    }

    // MARK: Pasting

    /// Takes everything up to the end of the pasted text. Of several lines the first ends the line that is edited, the others follow
    /// by themselves; the last one, if no line end follows it, waits to be edited.
    private func paste() -> UInt8 {
        let end = Array("\u{1b}[201~".utf8)
        var bytes: [UInt8] = []
        while let byte = readByte() {
            bytes.append(byte)
            if byte == end.last, bytes.suffix(end.count).elementsEqual(end) {
                bytes.removeLast(end.count)
                break
            }
        }
        // Its end never came: Ctrl-C takes all of it back.
        guard event == nil else { return UInt8(CC_NORM) }
        let text = String(decoding: bytes, as: UTF8.self)
        var lines: [String] = []
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            lines.append(String(String.UnicodeScalarView(line.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F || $0 == "\t" })))
        }
        lines = withoutOutput(lines)
        let first = lines.removeFirst()
        guard insert(first) else { return UInt8(CC_REFRESH_BEEP) }
        if !lines.isEmpty {
            pastedLines = lines[...]
            injected = [UInt8(ascii: "\n")]
        }
        return UInt8(CC_REFRESH)
    }

    /// Of a pasted transcript only what had been typed.
    private func withoutOutput(_ lines: [String]) -> [String] {
        func isTyped(_ line: String) -> Bool { prompts.contains { line.hasPrefix($0) || line + " " == $0 } }
        guard lines.count > 1, lines.contains(where: isTyped), let last = lines.last else { return lines }
        var typed = lines.enumerated().filter { $0.offset == 0 || isTyped($0.element) }.map(\.element)
        // A line end after the last.
        if !isTyped(last) { typed.append("") }
        return typed
    }

    private func insert(_ text: String) -> Bool { text.isEmpty || el_insertstr(editor, text) == 0 }

    // MARK: Completion

    private func completeWord() -> UInt8 {
        guard let info = el_line(editor)?.pointee, let start = info.buffer, let cursor = info.cursor else { return UInt8(CC_ERROR) }
        let before = String(decoding: UnsafeRawBufferPointer(start: start, count: cursor - start), as: UTF8.self)
        if before.allSatisfy(\.isWhitespace) { return UInt8(insert("    ") ? CC_REFRESH : CC_ERROR) }
        let completion = complete(before, before.utf8.count)
        let typed = String(decoding: before.utf8.dropFirst(completion.replaceFrom), as: UTF8.self)
        let common = commonPrefix(completion.candidates)
        let asksForSignature = typed.isEmpty && completion.signature != nil
        if !asksForSignature, completion.candidates.count == 1 || common.count > typed.count && common.hasPrefix(typed) {
            guard common != typed else { return UInt8(CC_REFRESH_BEEP) }
            el_deletestr(editor, Int32(typed.unicodeScalars.count))
            return UInt8(insert(common) ? CC_REFRESH : CC_REFRESH_BEEP)
        }
        var listing = completion.signature.map { $0 + "\n" } ?? ""
        listing += columns(completion.candidates, width: Terminal.size.columns, rows: max(Terminal.size.rows - 4, 4))
        guard !listing.isEmpty else { return UInt8(CC_REFRESH_BEEP) }
        Output.standard.write("\n" + listing)
        Output.standard.flush()
        return UInt8(CC_REDISPLAY)
    }

    private func commonPrefix(_ words: [String]) -> String {
        guard var common = words.first else { return "" }
        for word in words.dropFirst() {
            while !word.hasPrefix(common) { common.removeLast() }
        }
        return common
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
