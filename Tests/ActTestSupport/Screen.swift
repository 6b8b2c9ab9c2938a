// What a terminal shows: a screen of cells that follows the sequences which line editing writes, wraps as terminals do, and takes another size as those
// do that wrap their lines anew, or as those that do not.

import ActText

package struct Screen {
    private struct Row {
        /// A character in its first cell, nothing in its others.
        var cells: [Character?] = []
        /// The line goes on in the next row.
        var wraps = false
    }

    package private(set) var columns: Int
    package private(set) var height: Int
    private var rows: [Row] = [Row()]
    private var row = 0, column = 0
    /// A character stands in the last column, and the next one wraps.
    private var isAtMargin = false
    private var sequence: [UInt8] = []
    /// What the terminal was asked and answers.
    package private(set) var answers = ""
    /// How often all was cleared from the first cell on. Terminals keep what stood there as lines that have scrolled away.
    package private(set) var clearsFromHome = 0

    package init(columns: Int, height: Int) { (self.columns, self.height) = (columns, height) }

    /// The rows, without spaces at their ends.
    package var lines: [String] {
        rows.map { row in
            var text = String(row.cells.compactMap { $0 })
            while text.last == " " { text.removeLast() }
            return text
        }
    }

    /// Where the cursor is, from the first row that there ever was.
    package var cursor: (row: Int, column: Int) { (row, column) }

    package mutating func takeAnswers() -> String {
        defer { answers = "" }
        return answers
    }

    private var top: Int { max(0, rows.count - height) }

    package mutating func write(_ text: String) {
        for character in text { write(character) }
    }

    private mutating func write(_ character: Character) {
        if !sequence.isEmpty {
            sequence += Array(character.utf8)
            if sequence.count > 2, let last = sequence.last, (0x40...0x7E).contains(last) {
                follow(String(decoding: sequence.dropFirst(2), as: UTF8.self))
                sequence = []
            }
            return
        }
        switch character {
        case "\u{1b}": sequence = Array(character.utf8)
        case "\r": (column, isAtMargin) = (0, false)
        case "\n", "\r\n":
            if character == "\r\n" { column = 0 }
            isAtMargin = false
            down(wraps: false)
        case "\u{7}": break
        default: put(character)
        }
    }

    private mutating func down(wraps: Bool) {
        rows[row].wraps = wraps
        row += 1
        if row == rows.count { rows.append(Row()) }
    }

    private mutating func put(_ character: Character) {
        let width = displayWidth(of: character)
        if isAtMargin || column + width > columns {
            down(wraps: true)
            (column, isAtMargin) = (0, false)
        }
        while rows[row].cells.count < column + width { rows[row].cells.append(" ") }
        rows[row].cells[column] = character
        for index in column + 1..<max(column + 1, column + width) { rows[row].cells[index] = nil }
        column += width
        if column == columns { (column, isAtMargin) = (columns - 1, true) }
    }

    private mutating func follow(_ text: String) {
        guard let command = text.last else { return }
        let number = Int(text.dropLast().prefix { $0.isNumber }) ?? 0, count = max(number, 1)
        if "ABCD".contains(command) { isAtMargin = false }
        switch command {
        case "A": row = max(top, row - count)
        case "B": row = min(rows.count - 1, row + count)
        case "C": column = min(columns - 1, column + count)
        case "D": column = max(0, column - count)
        case "H": (row, column) = (top, 0)
        case "J":
            if row == top, column == 0, number == 0 { clearsFromHome += 1 }
            rows[row].cells = Array(rows[row].cells.prefix(number == 2 ? 0 : column))
            if number == 2 { rows = Array(rows[...top]) } else { rows = Array(rows[...row]) }
        case "K": rows[row].cells = Array(rows[row].cells.prefix(column))
        case "n" where number == 6: answers += "\u{1b}[\(row - top + 1);\(column + 1)R"
        default: break
        }
    }

    /// Takes another size.
    /// - Parameter wrapsAnew: Whether lines that were wrapped are wrapped for the new width; else they are cut.
    package mutating func resize(columns new: Int, height: Int, wrapsAnew: Bool) {
        self.height = height
        defer { (columns, isAtMargin) = (new, false) }
        guard wrapsAnew else {
            for index in rows.indices { rows[index].cells = Array(rows[index].cells.prefix(new)) }
            column = min(column, new - 1)
            return
        }
        var fresh: [Row] = [], cursor: (row: Int, column: Int)?, index = 0
        while index < rows.count {
            var cells: [Character?] = [], here: Int?
            repeat {
                if index == row { here = cells.count + column }
                cells += rows[index].cells
                index += 1
            } while index < rows.count && rows[index - 1].wraps
            // What follows a wrap is kept whole even where the cursor stands behind it.
            if let here { while cells.count < here { cells.append(" ") } }
            var line = [Row()]
            for (offset, cell) in (cells + [nil]).enumerated() {
                let width = cell.map { displayWidth(of: $0) } ?? 0
                if offset == here, cell == nil, offset == cells.count {
                    if line[line.count - 1].cells.count >= new { line.append(Row()) }
                } else if width > 0, line[line.count - 1].cells.count + width > new {
                    line.append(Row())
                }
                if offset == here { cursor = (fresh.count + line.count - 1, line[line.count - 1].cells.count) }
                if offset < cells.count { line[line.count - 1].cells.append(cell) }
            }
            for index in line.indices.dropLast() { line[index].wraps = true }
            fresh += line
        }
        rows = fresh
        if let cursor { (row, column) = cursor }
    }
}
