// What keys do in the line editor: ways through an input of several lines, pasting, completion.
//
// What must stay true: what libedit has a command for, it does itself (see `Own`), so that its history and what was deleted stay right.

import ActLanguage
import ActSyntax
import ActText
import CLibEdit
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension LineEditor {
    // MARK: Keys

    func inject(_ commands: [Own], then sequence: String = "") {
        let text = commands.map { "\u{1b}" + $0.sequence }.joined() + sequence
        injected = text.utf8.reversed() + injected
    }

    func enter() -> UInt8 {
        let line = line
        guard language.needsMore(line.text) else { return endLine() }
        el_cursor(editor, Int32(clamping: scalars(line.text, from: line.cursor)))
        return insert("\n") ? UInt8(CC_REFRESH) : UInt8(CC_ERROR)
    }

    func endLine() -> UInt8 {
        inject([.newLine])
        return UInt8(CC_NORM)
    }

    func deleteOrEnd() -> UInt8 {
        let line = line
        if line.text.isEmpty { return UInt8(CC_EOF) }
        if line.cursor < line.text.utf8.count {
            el_cursor(editor, 1)
            el_deletestr(editor, 1)
            return UInt8(CC_REFRESH)
        }
        guard let last = line.text.lastIndex(where: \.isNewline), line.text[last...].allSatisfy(\.isWhitespace) else { return UInt8(CC_NORM) }
        isDropped = true
        return endLine()
    }

    func clearScreen() -> UInt8 {
        display.forget()
        write("\u{1b}[H\u{1b}[2J")
        draw()
        return UInt8(CC_NORM)
    }

    func scalars(_ text: String, from start: Int, to end: Int? = nil) -> Int {
        let bytes = text.utf8.dropFirst(start).prefix((end ?? text.utf8.count) - start)
        return bytes.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }

    /// Moves the cursor between two offsets of the text.
    func move(_ text: String, from start: Int, to end: Int) -> UInt8 {
        el_cursor(editor, Int32(clamping: start <= end ? scalars(text, from: start, to: end) : -scalars(text, from: end, to: start)))
        return UInt8(CC_CURSOR)
    }

    func lineStart(_ bytes: [UInt8], _ cursor: Int) -> Int { bytes[..<cursor].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0 }
    func lineEnd(_ bytes: [UInt8], _ cursor: Int) -> Int { bytes[cursor...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count }

    func moveLine(_ direction: Int) -> UInt8 {
        let (text, cursor) = line, bytes = Array(text.utf8), start = lineStart(bytes, cursor), end = lineEnd(bytes, cursor)
        guard direction < 0 ? start > 0 : end < bytes.count else {
            inject([direction < 0 ? .previousEntry : .nextEntry])
            return UInt8(CC_NORM)
        }
        let column = scalars(text, from: start, to: cursor), target = direction < 0 ? lineStart(bytes, start - 1) : end + 1
        let there = String(decoding: bytes[target..<lineEnd(bytes, target)], as: UTF8.self).unicodeScalars.prefix(column)
        return move(text, from: cursor, to: target + String(String.UnicodeScalarView(there)).utf8.count)
    }

    /// Of the line; from there, of the input.
    func moveToLineStart() -> UInt8 {
        let (text, cursor) = line, start = lineStart(Array(text.utf8), cursor)
        return move(text, from: cursor, to: start == cursor ? 0 : start)
    }

    func moveToLineEnd() -> UInt8 {
        let (text, cursor) = line, bytes = Array(text.utf8), end = lineEnd(bytes, cursor)
        if cursor == bytes.count { return take(suggestion(for: text)) }
        return move(text, from: cursor, to: end == cursor ? bytes.count : end)
    }

    func moveCharacter(_ direction: Int) -> UInt8 {
        let (text, cursor) = line
        if direction > 0 {
            guard let next = String(decoding: text.utf8.dropFirst(cursor), as: UTF8.self).first else { return take(suggestion(for: text)) }
            return move(text, from: cursor, to: cursor + next.utf8.count)
        }
        guard let last = String(decoding: text.utf8.prefix(cursor), as: UTF8.self).last else { return UInt8(CC_NORM) }
        return move(text, from: cursor, to: cursor - last.utf8.count)
    }

    func moveWord() -> UInt8 {
        let (text, cursor) = line
        guard cursor == text.utf8.count else {
            inject([.nextWord])
            return UInt8(CC_NORM)
        }
        func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }
        let suggestion = suggestion(for: text), gap = suggestion.prefix { !isWord($0) }
        return take(String(gap + suggestion.dropFirst(gap.count).prefix(while: isWord)))
    }

    func take(_ text: String) -> UInt8 { insert(text) ? UInt8(CC_REFRESH) : UInt8(CC_ERROR) }

    func killLine() -> UInt8 {
        let (text, cursor) = line, end = lineEnd(Array(text.utf8), cursor)
        if end == cursor, end < text.utf8.count {
            el_cursor(editor, 1)
            el_deletestr(editor, 1)
            return UInt8(CC_REFRESH)
        }
        if end == cursor { return UInt8(CC_NORM) }
        // So that it can be put back.
        inject([.mark], then: "\u{1b}[F\u{1b}" + Own.killRegion.sequence)
        return UInt8(CC_NORM)
    }

    // MARK: Pasting

    /// Takes everything up to the end of the pasted text. Of several lines those that make inputs run; what needs more, or has no line end
    /// behind it, waits to be edited.
    func paste() -> UInt8 {
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
        lines = language.typed(lines)
        let (before, cursor) = line
        guard lines.count > 1, cursor == before.utf8.count else { return take(lines.joined(separator: "\n")) }
        let last = lines.removeLast()
        let old = before.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        lines = old.dropLast() + [(old.last ?? "") + lines[0]] + lines.dropFirst()
        (pastedLines, pastedRest) = (lines[...], last)
        guard let first = nextPasted() else {
            defer { waiting = "" }
            return replace(with: waiting)
        }
        return replace(with: first) == UInt8(CC_REFRESH) ? endLine() : UInt8(CC_ERROR)
    }

    /// The next input of what was pasted; if there is none, what is left waits to be edited.
    func nextPasted() -> String? {
        if let next = language.firstInput(&pastedLines) { return next }
        waiting = pastedLines.map { $0 + "\n" }.joined() + pastedRest
        (pastedLines, pastedRest) = ([], "")
        return nil
    }

    func insertWaiting() -> UInt8 {
        defer { waiting = "" }
        return take(waiting)
    }

    func replace(with text: String) -> UInt8 {
        let (old, cursor) = line
        el_cursor(editor, Int32(clamping: scalars(old, from: cursor)))
        let count = scalars(old, from: 0)
        if count > 0 { el_deletestr(editor, Int32(clamping: count)) }
        return take(text)
    }

    func insert(_ text: String) -> Bool { text.isEmpty || el_insertstr(editor, text) == 0 }

    // MARK: Completion

    func completeWord() -> UInt8 {
        let (text, cursor) = line, before = String(decoding: text.utf8.prefix(cursor), as: UTF8.self)
        if before[(before.lastIndex(where: \.isNewline) ?? before.startIndex)...].allSatisfy(\.isWhitespace) { return take("    ") }
        let completion = language.complete(before, before.utf8.count)
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
        write(display.finish() + listing)
        draw()
        return UInt8(CC_NORM)
    }

    func commonPrefix(_ words: [String]) -> String {
        guard var common = words.first else { return "" }
        for word in words.dropFirst() {
            while !word.hasPrefix(common) { common.removeLast() }
        }
        return common
    }
}
