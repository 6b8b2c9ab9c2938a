// What keys send besides characters, and what each does: arrows and their kin, alone and with Shift, Alt and Ctrl.
//
// What must stay true: a sequence that no row knows does nothing; none is ever typed into the line.

struct KeySequence {
    /// The bytes after ESC.
    let bytes: [UInt8]
    /// The command of the editor.
    let command: String

    /// The keys that send `ESC [ LETTER` and `ESC O LETTER`, and `ESC [ 1 ; MODIFIERS LETTER`.
    private static let letters: [(letter: Character, key: Key)] = [("A", .up), ("B", .down), ("C", .right), ("D", .left), ("H", .home), ("F", .end)]
    /// Those that send `ESC [ NUMBER ~`, and `ESC [ NUMBER ; MODIFIERS ~`.
    private static let numbers: [(number: Int, key: Key)] = [
        (1, .home), (3, .delete), (4, .end), (5, .pageUp), (6, .pageDown), (7, .home), (8, .end),
    ]

    private enum Key {
        case up, down, left, right, home, end, delete, pageUp, pageDown

        /// - Parameter isStrong: With Alt or Ctrl.
        func command(_ isStrong: Bool) -> String {
            switch self {
            case .up: isStrong ? "ed-prev-history" : "act-up"
            case .down: isStrong ? "ed-next-history" : "act-down"
            case .left: isStrong ? "ed-prev-word" : "act-prev-char"
            case .right: isStrong ? "act-next-word" : "act-next-char"
            case .home: isStrong ? "ed-move-to-beg" : "act-line-start"
            case .end: isStrong ? "ed-move-to-end" : "act-line-end"
            case .delete: isStrong ? "em-delete-next-word" : "ed-delete-next-char"
            case .pageUp: "ed-search-prev-history"
            case .pageDown: "ed-search-next-history"
            }
        }
    }

    /// As libedit's `bind` writes it.
    var notation: String { String(decoding: bytes, as: UTF8.self).replacing("^", with: "\\^") }

    static let rows: [KeySequence] = {
        var rows: [KeySequence] = []
        func add(_ text: String, _ key: Key, isStrong: Bool = false) { rows.append(KeySequence(bytes: Array(text.utf8), command: key.command(isStrong))) }
        // One more than the sum of Shift 1, Alt 2, Ctrl 4.
        for (letter, key) in letters {
            add("[\(letter)", key)
            add("O\(letter)", key)
            for modifiers in 2...8 { add("[1;\(modifiers)\(letter)", key, isStrong: modifiers > 2) }
        }
        for (number, key) in numbers {
            add("[\(number)~", key)
            for modifiers in 2...8 { add("[\(number);\(modifiers)~", key, isStrong: modifiers > 2) }
            // rxvt's Shift, Ctrl, and both.
            for (suffix, isStrong) in [("$", false), ("^", true), ("@", true)] { add("[\(number)\(suffix)", key, isStrong: isStrong) }
        }
        // rxvt's arrows with Shift, and with Ctrl.
        for (letter, key) in [("a", Key.up), ("b", .down), ("c", .right), ("d", .left)] {
            add("[\(letter)", key)
            add("O\(letter)", key, isStrong: true)
        }
        return rows
    }()

    /// With the beginning and the end of what is pasted.
    private static let known = Set(rows.map(\.bytes) + ["[200~", "[201~"].map { Array($0.utf8) })

    /// Of bytes that begin with ESC: how many are a sequence that does nothing; 0 for everything else.
    static func lengthOfUnknown(_ bytes: ArraySlice<UInt8>) -> Int {
        guard let length = length(bytes), !known.contains(Array(bytes.dropFirst().prefix(length - 1))) else { return 0 }
        return length
    }

    /// Of bytes that begin with ESC: how many make a sequence; `nil` if they are none, or more is to come.
    /// ECMA-48: `ESC [`, parameters 0–?, what stands between, a letter; `ESC O`, a digit or none, a letter.
    static func length(_ bytes: ArraySlice<UInt8>) -> Int? {
        let rest = bytes.dropFirst(2)
        switch bytes.dropFirst().first {
        case UInt8(ascii: "["):
            // Linux's console writes F1 to F5 so.
            if rest.first == UInt8(ascii: "[") { return rest.count > 1 ? 4 : nil }
            if let end = rest.firstIndex(where: { !(0x20...0x3F).contains($0) }) { return end - bytes.startIndex + 1 }
            // rxvt's Shift ends a sequence with what continues those of all others.
            return rest.last == UInt8(ascii: "$") ? bytes.count : nil
        case UInt8(ascii: "O"):
            guard let end = rest.firstIndex(where: { !(0x30...0x39).contains($0) }) else { return nil }
            return end - bytes.startIndex + 1
        default: return nil
        }
    }

    /// Whether more bytes may make a sequence of these, which begin with ESC.
    static func isBegun(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard let second = bytes.dropFirst().first, second == UInt8(ascii: "[") || second == UInt8(ascii: "O") else { return false }
        return bytes.count < 32 && length(bytes) == nil
    }

    /// Where a terminal's answer to `ESC [ 6 n` stands, `ESC [ ROW ; COLUMN R`, and the column.
    static func cursorAnswer(in bytes: ArraySlice<UInt8>) -> (range: Range<Int>, column: Int)? {
        for start in bytes.indices where bytes[start] == 0x1B {
            guard let length = length(bytes[start...]), bytes[start + length - 1] == UInt8(ascii: "R") else { continue }
            let numbers = String(decoding: bytes[start + 2..<start + length - 1], as: UTF8.self).split(separator: ";").map { Int($0) }
            if numbers.count == 2, let column = numbers[1] { return (start..<start + length, column) }
        }
        return nil
    }
}
