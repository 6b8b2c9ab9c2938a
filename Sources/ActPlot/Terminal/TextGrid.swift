// A rectangle of terminal cells that is written to and then turned into text.
// What must stay true: no row of the text takes more than `columns` columns, whatever was written; none ends in blanks; control characters
// never get out.

import ActText

/// How a cell is coloured. Without colours every ink looks alike.
enum Ink: Equatable {
    case plain, dim, bold
    case color(Color)
}

/// Whether and how escape sequences for colours are written.
package enum TerminalColor: Sendable {
    case none, ansi16, truecolor
}

/// Cells of a terminal. Positions outside are ignored.
struct TextGrid {
    let columns: Int
    let rows: Int

    private struct Cell: Equatable {
        var glyph: Character = " "
        var ink = Ink.plain
        var background: Color?
        /// The second half of the wide character to the left.
        var isContinuation = false

        var isBlank: Bool { glyph == " " && background == nil && !isContinuation }
    }

    private var cells: [Cell]

    init(columns: Int, rows: Int) {
        (self.columns, self.rows) = (max(columns, 0), max(rows, 0))
        cells = Array(repeating: Cell(), count: self.columns * self.rows)
    }

    func isEmpty(_ column: Int, _ row: Int) -> Bool {
        guard let index = index(column, row) else { return false }
        return cells[index] == Cell()
    }

    private func index(_ column: Int, _ row: Int) -> Int? {
        column >= 0 && column < columns && row >= 0 && row < rows ? row * columns + column : nil
    }

    /// Writes one character of width 1.
    @inline(never)
    mutating func put(_ glyph: Character, _ column: Int, _ row: Int, _ ink: Ink = .plain, background: Color? = nil) {
        guard let index = index(column, row) else { return }
        separate(index)
        cells[index] = Cell(glyph: glyph, ink: ink, background: background)
    }

    /// Writes text from a column on. Characters without width, control characters among them, are left out.
    mutating func write(_ text: some StringProtocol, _ column: Int, _ row: Int, _ ink: Ink = .plain) {
        var column = column
        for character in text {
            // A cluster of very many marks is cut to its base, so that no text grows without bound.
            let glyph = character.utf8.count > 64 ? Character(character.unicodeScalars.first ?? " ") : character
            let glyphWidth = displayWidth(of: glyph)
            if glyphWidth == 0 { continue }
            if column + glyphWidth > columns { return }
            if column >= 0, let first = index(column, row) {
                for offset in 0..<glyphWidth { separate(first + offset) }
                cells[first] = Cell(glyph: glyph, ink: ink)
                for offset in 1..<max(glyphWidth, 1) { cells[first + offset] = Cell(glyph: " ", ink: ink, isContinuation: true) }
            }
            column += glyphWidth
        }
    }

    /// Leaves no half of a wide character behind when a cell of it is overwritten.
    private mutating func separate(_ index: Int) {
        var first = index
        while cells[first].isContinuation && first % columns > 0 { first -= 1 }
        var next = first + 1
        var wasWide = first != index
        while next < cells.count && next % columns > 0 && cells[next].isContinuation {
            cells[next] = Cell()
            next += 1
            wasWide = true
        }
        if wasWide { cells[first] = Cell() }
    }

    /// Copies another grid into this one.
    mutating func draw(_ other: TextGrid, _ column: Int, _ row: Int) {
        for y in 0..<other.rows {
            for x in 0..<other.columns {
                if let target = index(column + x, row + y) { cells[target] = other.cells[y * other.columns + x] }
            }
        }
    }

    /// The rows up to the last that shows something.
    var usedRows: Int {
        var count = rows
        while count > 0 && usedColumns(count - 1) == 0 { count -= 1 }
        return count
    }

    /// The cells of a row up to the last that shows something.
    private func usedColumns(_ row: Int) -> Int {
        var end = columns
        while end > 0 && cells[row * columns + end - 1].isBlank { end -= 1 }
        return end
    }

    /// The rows as lines, without a line end after the last; blanks at the ends of lines and blank lines at the end are left out.
    func text(_ color: TerminalColor) -> String {
        var result = ""
        for row in 0..<usedRows {
            if row > 0 { result += "\n" }
            var codes = ""
            for cell in cells[row * columns..<row * columns + usedColumns(row)] where !cell.isContinuation {
                // A blank has no ink to change to.
                let wanted = cell.isBlank ? "" : TextGrid.codes(cell.ink, cell.background, color)
                if wanted != codes {
                    result += codes.isEmpty ? "" : "\u{1b}[0m"
                    result += wanted.isEmpty ? "" : "\u{1b}[\(wanted)m"
                    codes = wanted
                }
                result.append(cell.glyph)
            }
            if !codes.isEmpty { result += "\u{1b}[0m" }
        }
        return result
    }

    /// The parameters of the escape sequence that selects a look.
    private static func codes(_ ink: Ink, _ background: Color?, _ color: TerminalColor) -> String {
        if color == .none { return "" }
        func code(_ value: Color, _ base: Int) -> String {
            color == .truecolor
                ? "\(base + 38);2;\(value.red);\(value.green);\(value.blue)" : String(value.terminalCode + base)
        }
        let foreground =
            switch ink {
            case .plain: ""
            case .dim: "2"
            case .bold: "1"
            case let .color(value): code(value, 0)
            }
        guard let background else { return foreground }
        return foreground + (foreground.isEmpty ? "" : ";") + code(background, 10)
    }
}
