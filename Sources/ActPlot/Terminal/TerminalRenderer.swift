// A figure as text for a terminal: title, frame, ticks and labels around a `PlotArea`.
// What must stay true: the text has at most the asked rows and columns, at any size from 1 × 1; what does not fit is left out.

import ActText

/// The figure as up to `style.rows` lines of up to `style.columns` columns each, joined by line ends.
package func render(_ figure: Figure, _ style: TerminalStyle) -> String {
    let style = style.bounded
    return drawn(figure, columns: style.columns, rows: style.rows, style).text(style.color)
}

extension Figure {
    /// The number of rows that suits a figure in a terminal: 20, more when panels stand on each other.
    package var naturalRows: Int {
        panels.isEmpty ? 20 : min(max(20, panelRows * 12 + (options.title == nil ? 0 : 1)), 60)
    }
}

private func drawn(_ figure: Figure, columns: Int, rows: Int, _ style: TerminalStyle) -> TextGrid {
    var grid = TextGrid(columns: columns, rows: rows)
    guard columns > 0, rows > 0 else { return grid }
    guard figure.panels.isEmpty else {
        let top = figure.options.title != nil && rows > 4 ? 1 : 0
        if top > 0, let title = figure.options.title { grid.writeCentered(title, 0, columns, row: 0, .bold, style) }
        let height = rows - top
        var (upper, lower) = (top, top)
        for (index, panel) in figure.panels.enumerated() {
            let (row, column) = (index / figure.panelColumns, index % figure.panelColumns)
            // Pictures may need less than their share of the height; the next row then moves up.
            if column == 0 { upper = lower }
            let share = height * (row + 1) / figure.panelRows - height * row / figure.panelRows
            let (left, right) = (columns * column / figure.panelColumns, columns * (column + 1) / figure.panelColumns)
            let gap = column + 1 < figure.panelColumns && right - left > 3 ? 1 : 0
            let picture = drawn(panel, columns: right - left - gap, rows: share, style)
            grid.draw(picture, left, upper)
            lower = max(lower, upper + picture.usedRows)
        }
        return grid
    }
    var frame = Frame(figure, columns: columns, rows: rows, style)
    if !frame.draw(legendRows: 0) { _ = frame.draw(legendRows: frame.wantedLegendRows) }
    return frame.grid
}

extension TextGrid {
    /// Writes text in the middle between two columns, cut if it is longer.
    fileprivate mutating func writeCentered(_ text: String, _ start: Int, _ width: Int, row: Int, _ ink: Ink, _ style: TerminalStyle) {
        let text = truncated(text, to: width, ascii: style.isASCII)
        write(text, start + max(0, (width - displayWidth(text)) / 2), row, ink)
    }
}

private struct Frame {
    private(set) var grid: TextGrid
    private let figure: Figure
    private let axes: Axes
    private let style: TerminalStyle
    private let glyphs: GlyphSet
    private let columns: Int
    private let rows: Int

    init(_ figure: Figure, columns: Int, rows: Int, _ style: TerminalStyle) {
        (self.figure, self.style, self.columns, self.rows) = (figure, style, columns, rows)
        axes = Axes(figure)
        glyphs = .of(style)
        grid = TextGrid(columns: columns, rows: rows)
    }

    /// The rows that the legend takes above the frame, found by the last drawing that had no place for it inside.
    private(set) var wantedLegendRows = 0

    /// Draws everything; false if the legend found no free place inside and should be drawn above.
    mutating func draw(legendRows: Int) -> Bool {
        grid = TextGrid(columns: columns, rows: rows)
        let layout = Layout(figure, axes, columns: columns, rows: rows, legendRows: legendRows, style)
        var area = PlotArea(figure, axes, columns: layout.width, rows: layout.height, style)
        let xTicks = layout.hasXTicks ? layout.xTicks(area) : []
        area.draw(xTicks: xTicks, yTicks: layout.yTicks)

        let legend = area.legend
        let hasRoom = layout.width >= 20 && layout.height >= 4
        if figure.showsLegend, hasRoom || figure.options.legend == true, layout.hasFrame {
            if legendRows > 0 {
                drawLegendAbove(legend, layout)
            } else if !area.placeLegend(force: false) {
                wantedLegendRows = legendLines(legend, layout.width).count
                if wantedLegendRows <= max(rows / 6, 1) && layout.height - wantedLegendRows >= 4 { return false }
                _ = area.placeLegend(force: true)
            }
        }
        grid.draw(area.grid, layout.left, layout.top)
        drawTexts(layout)
        if layout.hasFrame { drawFrame(layout, xTicks, area) }
        if layout.scaleBarWidth > 0 { drawScaleBar(layout, area) }
        return true
    }

    // MARK: - Parts

    private mutating func drawTexts(_ layout: Layout) {
        let options = figure.options
        if let row = layout.titleRow, let title = options.title {
            grid.writeCentered(title, layout.left, layout.width, row: row, .bold, style)
        }
        if let row = layout.yLabelRow, let label = options.yLabel {
            grid.write(truncated(label, to: columns, ascii: style.isASCII), 0, row)
        }
        if let row = layout.xLabelRow, let label = options.xLabel {
            grid.writeCentered(label, layout.left, layout.width, row: row, .plain, style)
        }
    }

    private mutating func drawFrame(_ layout: Layout, _ xTicks: [Tick], _ area: PlotArea) {
        let (left, top) = (layout.left - 1, layout.top - 1)
        let (right, bottom) = (layout.left + layout.width, layout.top + layout.height)
        for column in layout.left..<right {
            grid.put(glyphs.horizontal, column, top, .dim)
            grid.put(glyphs.horizontal, column, bottom, .dim)
        }
        for row in layout.top..<bottom {
            grid.put(glyphs.vertical, left, row, .dim)
            grid.put(glyphs.vertical, right, row, .dim)
        }
        grid.put(glyphs.topLeft, left, top, .dim)
        grid.put(glyphs.topRight, right, top, .dim)
        grid.put(glyphs.bottomLeft, left, bottom, .dim)
        grid.put(glyphs.bottomRight, right, bottom, .dim)
        if let note = axes.note, layout.width >= 8 {
            let text = " " + truncated(note, to: layout.width - 4, ascii: style.isASCII) + " "
            grid.write(text, right - displayWidth(text) - 1, top, .dim)
        }
        for tick in layout.yTicks {
            guard let row = area.row(of: tick.value) else { continue }
            grid.put(glyphs.leftTick, left, layout.top + row, .dim)
            grid.write(tick.label, left - 1 - displayWidth(tick.label), layout.top + row)
        }
        for tick in xTicks {
            guard let column = area.column(of: tick.value) else { continue }
            grid.put(glyphs.bottomTick, layout.left + column, bottom, .dim)
            grid.write(tick.label, layout.labelStart(tick, column), bottom + 1)
        }
    }

    private mutating func drawScaleBar(_ layout: Layout, _ area: PlotArea) {
        let column = layout.left + layout.width + 2
        grid.draw(area.scaleBar(), column, layout.top)
        for tick in layout.scaleTicks {
            let place = (1 - (axes.color?.position(tick.value) ?? 0)) * Double(layout.height)
            let row = min(max(Int(place), 0), layout.height - 1)
            grid.write(tick.label, column + 3, layout.top + row)
        }
    }

    private typealias Entry = (sample: String, ink: Ink, name: String)

    /// The legend above the frame, flowing over lines.
    private func legendLines(_ entries: [Entry], _ width: Int) -> [[Entry]] {
        var lines: [[Entry]] = [[]]
        var used = 0
        for entry in entries {
            let needed = displayWidth(entry.sample) + 1 + displayWidth(entry.name)
            if used > 0 && used + 3 + needed > width {
                lines.append([])
                used = 0
            }
            lines[lines.count - 1].append(entry)
            used += needed + (used > 0 ? 3 : 0)
        }
        return lines
    }

    private mutating func drawLegendAbove(_ entries: [Entry], _ layout: Layout) {
        var lines = legendLines(entries, layout.width)
        if lines.count > layout.legendRows, layout.legendRows > 0 {
            // What finds no room is counted on the last line.
            lines = Array(lines.prefix(layout.legendRows - 1))
            let rest = entries.count - lines.joined().count
            lines.append([("", .dim, Figure.more(rest, of: entries.count))])
        }
        for (offset, line) in lines.enumerated() {
            let widths = line.map { displayWidth($0.sample) + 1 + displayWidth($0.name) }
            let total = widths.reduce(0, +) + 3 * (line.count - 1)
            var column = layout.left + max(0, (layout.width - total) / 2)
            for (entry, width) in zip(line, widths) {
                let row = layout.top - 1 - layout.legendRows + offset
                grid.write(entry.sample, column, row, entry.ink)
                let start = column + displayWidth(entry.sample) + 1
                grid.write(truncated(entry.name, to: max(columns - start, 0), ascii: style.isASCII), start, row)
                column += width + 3
            }
        }
    }
}
