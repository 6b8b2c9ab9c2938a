// What is being typed, as the terminal shows it: rows of cells, drawn by their difference from what stands there. libedit's own drawing miscounts
// wrapped lines with wide characters and windows that change their size, so it draws nothing.
//
// What must stay true: the cursor is where `place` says, relative to the first row; a line that is longer than the window wraps as the terminal wraps it, so
// that a terminal which wraps its lines anew for another width keeps it whole; one drawing is one write, and overwrites rather than clears.

import ActText

struct LineDisplay {
    /// How a cell looks, as the number of an SGR sequence.
    enum Style: UInt8 {
        case plain = 0, faint = 2
        case string = 32, number = 36, comment = 90, keyword = 35, function = 34
    }

    /// What is shown.
    struct Content {
        var prompt = ""
        /// Before the second and later lines.
        var continuation = ""
        var text = ""
        /// A UTF-8 offset in the text.
        var cursor = 0
        /// Behind the text, faint.
        var suggestion = ""
        /// Runs of the text's UTF-8 bytes that are not plain, in order.
        var styles: [(end: Int, style: Style)] = []
    }

    private struct Cell: Equatable {
        var text: String
        var width: Int
        var style: Style
    }

    private struct Row: Equatable {
        var cells: [Cell] = []
        var width = 0
        /// The line goes on in the next row.
        var wraps = false
    }

    private typealias Place = (row: Int, column: Int)

    /// What stands on the screen; empty before the first drawing.
    private var rows: [Row] = []
    private var place: Place = (0, 0)
    /// The first row of the text that is shown: of one that is taller than the window, a part is.
    private var top = 0
    private var content = Content()
    private var columns = 80

    /// Whether something is drawn.
    var isShown: Bool { !rows.isEmpty }

    /// Forgets what stands on the screen: the next drawing begins where the cursor is, at the start of a row.
    mutating func forget() {
        (rows, place, top) = ([], (0, 0), 0)
    }

    // MARK: Layout

    private static func layout(_ content: Content, columns: Int) -> (rows: [Row], place: Place) {
        var rows = [Row()], place: Place?
        func add(_ text: String, _ width: Int, _ style: Style) {
            if width == 0, let last = rows[rows.count - 1].cells.indices.last {
                rows[rows.count - 1].cells[last].text += text
                return
            }
            if rows[rows.count - 1].width + width > columns {
                rows[rows.count - 1].wraps = true
                rows.append(Row())
            }
            rows[rows.count - 1].cells.append(Cell(text: text, width: width, style: style))
            rows[rows.count - 1].width += width
        }
        /// The cursor behind a line that fills its row stands in the next one.
        func endLine() {
            guard rows[rows.count - 1].width >= columns else { return }
            rows[rows.count - 1].wraps = true
            rows.append(Row())
        }
        func addWords(_ text: String, _ style: Style) {
            for character in text { add(String(character), min(displayWidth(of: character), columns), style) }
        }
        addWords(content.prompt, .plain)
        var offset = 0, style = content.styles[...]
        for character in content.text {
            while let first = style.first, first.end <= offset { style.removeFirst() }
            let isHere = place == nil && offset >= content.cursor
            offset += character.utf8.count
            if character.isNewline {
                endLine()
                if isHere { place = (rows.count - 1, rows[rows.count - 1].width) }
                rows.append(Row())
                addWords(content.continuation, .plain)
                continue
            }
            let look = style.first?.style ?? .plain
            if character == "\t" {
                for _ in 0..<4 { add(" ", 1, look) }
            } else if let code = character.asciiValue, code < 0x20 || code == 0x7F {
                add("^", 1, look)
                add(String(UnicodeScalar(code ^ 0x40)), 1, look)
            } else {
                add(String(character), min(displayWidth(of: character), columns), look)
            }
            if isHere { place = (rows.count - 1, rows[rows.count - 1].width - (rows[rows.count - 1].cells.last?.width ?? 0)) }
        }
        let end = (row: rows.count - 1, column: rows[rows.count - 1].width)
        for character in content.suggestion {
            guard !character.isNewline else {
                addWords(" …", .faint)
                break
            }
            add(String(character), min(displayWidth(of: character), columns), .faint)
        }
        endLine()
        return (rows, place ?? (end.column < columns ? end : (end.row + 1, 0)))
    }

    // MARK: Drawing

    /// Brings what stands on the screen to what shall stand there.
    /// - Returns: What is to be written for it.
    mutating func draw(_ new: Content, columns: Int, height: Int) -> String {
        let (all, cursor) = Self.layout(new, columns: max(columns, 2))
        let height = max(height, 1)
        top = min(max(top, cursor.row - height + 1), cursor.row, max(0, all.count - height))
        let shown = Array(all[top..<min(top + height, all.count)])
        (content, self.columns) = (new, max(columns, 2))
        return change(to: shown, (cursor.row - top, cursor.column))
    }

    /// Shows all of the text, even if it is taller than the window, and leaves the cursor in a new row below it.
    mutating func finish() -> String {
        guard isShown else { return "" }
        var last = content
        last.suggestion = ""
        last.cursor = last.text.utf8.count
        let (all, cursor) = Self.layout(last, columns: columns)
        var written = ""
        if top > 0 || all.count > rows.count + top {
            written = move(to: (0, 0))
            (rows, top) = ([], 0)
        }
        written += change(to: all, cursor) + move(to: (all.count - 1, 0)) + "\r\n"
        forget()
        return written
    }

    /// Goes to where the first row is after the window has changed, and clears from there on.
    /// - Parameter cursorColumn: Where the terminal says that its cursor is. One that wraps its lines anew has moved it, others have not.
    mutating func leave(for columns: Int, height: Int, cursorColumn: Int?) -> String {
        let wrapped = Self.layout(content, columns: max(columns, 2)).place
        let hasStayed = columns == self.columns || cursorColumn == min(place.column, columns - 1) && cursorColumn != wrapped.column
        let up = min(hasStayed ? place.row : wrapped.row, max(height, 1) - 1)
        forget()
        // Terminals that clear from their first cell on keep what stood there as lines that have scrolled away, and may bring it back.
        return (up > 0 ? "\u{1b}[\(up)A" : "") + "\r\u{1b}[C\u{1b}[J\r\u{1b}[K"
    }

    private mutating func change(to new: [Row], _ cursor: Place) -> String {
        defer { rows = new }
        var first = zip(rows, new).prefix { $0 == $1 }.count, cell = 0
        guard first < max(rows.count, new.count) else { return move(to: cursor) }
        if first < min(rows.count, new.count) {
            cell = zip(rows[first].cells, new[first].cells).prefix { $0 == $1 }.count
        } else if first > 0 {
            // Rows are gone, or are entered from the one before them.
            first -= 1
            cell = new[first].cells.count
        }
        // Only what is written at the margin wraps.
        if new[first].wraps, cell == new[first].cells.count { cell = max(0, cell - 1) }
        var end = new.count
        if rows.count == new.count {
            end -= zip(rows, new).reversed().prefix { $0 == $1 }.count
            while end < new.count, rows[end - 1].wraps != new[end - 1].wraps { end += 1 }
        }
        var text = move(to: (first, new[first].cells[..<cell].reduce(0) { $0 + $1.width })), style = Style.plain
        func look(_ next: Style) {
            if next != style { text += next == .plain ? "\u{1b}[m" : "\u{1b}[0;\(next.rawValue)m" }
            style = next
        }
        for row in first..<end {
            for cell in new[row].cells[cell...] {
                look(cell.style)
                text += cell.text
            }
            look(.plain)
            cell = 0
            if new[row].width < columns, row >= rows.count || rows[row].width > new[row].width { text += "\u{1b}[K" }
            guard row + 1 < end else { break }
            if !new[row].wraps { text += "\r\n" } else if new[row + 1].cells.isEmpty { text += " \r" }
        }
        if rows.count > new.count { text += "\u{1b}[J" }
        place = (end - 1, new[end - 1].width)
        return text + move(to: cursor)
    }

    private mutating func move(to new: Place) -> String {
        defer { place = new }
        var text = ""
        if new.row < place.row { text += "\u{1b}[\(place.row - new.row)A" }
        if new.row > place.row { text += "\u{1b}[\(new.row - place.row)B" }
        if new.row == place.row, new.column == place.column { return "" }
        return text + "\r" + (new.column > 0 ? "\u{1b}[\(new.column)C" : "")
    }
}
