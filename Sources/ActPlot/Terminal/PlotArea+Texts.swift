// Names and annotations inside a plot, placed where they hide no data.

import ActText

extension PlotArea {
    mutating func label(_ annotation: Figure.Annotation) {
        guard !annotation.text.isEmpty, let column = column(of: annotation.x) else { return }
        let text = truncated(annotation.text, to: max(columns / 2, 1), ascii: style.isASCII)
        let width = displayWidth(text)
        let spots = (0..<rows).flatMap { [($0, column + 1), ($0, column - width)] }
        let free = spots.first { row, start in
            start >= 0 && start + width <= columns && (start..<start + width).allSatisfy { !covered[row * columns + $0] }
        }
        guard let (row, start) = free else { return }
        annotationPlaces.append((annotation, row, start < column))
        grid.write(text, start, row, .dim)
        for place in start..<start + width { covered[row * columns + place] = true }
    }

    /// The names of the series with a sample of each, as the legend shows them.
    var legend: [(sample: String, ink: Ink, name: String)] {
        figure.legendEntries.map { index in
            let mark = figure.marks[index], name = singleLine(mark.name ?? "")
            let sample: String
            if mark.isBar {
                sample = String(repeating: fill(index), count: 2)
            } else if case .scatter = mark.shape {
                sample = String(sign(index))
            } else {
                sample = lineSample(mark, index)
            }
            return (sample, ink(index), name)
        }
    }

    private func lineSample(_ mark: Mark, _ index: Int) -> String {
        let hasSign = signsTellApart || mark.marker != nil
        let lineStyle = figure.lineStyle(of: index)
        if lineStyle == .none { return String(sign(index)) }
        if style.isASCII { return mark.marker == nil ? String(repeating: sign(index), count: 2) : ".\(sign(index))." }
        let stroke =
            switch lineStyle {
            case .solid, .none: "⠤⠤⠤"
            case .dashed: "⠤⠄⠤"
            case .dotted: "⠄⠠⠠"
            case .dashdot: "⠤⠠⠤"
            }
        guard hasSign, let first = stroke.first, let last = stroke.last else { return stroke }
        return "\(first)\(sign(index))\(last)"
    }

    /// The corner, side or middle of an edge where a box covers the fewest cells with data, and how many.
    func freeSpot(width: Int, height: Int) -> (column: Int, row: Int, cost: Int)? {
        guard width <= columns, height <= rows else { return nil }
        let (left, center, right) = (min(1, columns - width), (columns - width) / 2, max(columns - width - 1, 0))
        let (middle, bottom) = ((rows - height) / 2, rows - height)
        let spots = [
            (right, 0), (left, 0), (right, bottom), (left, bottom), (right, middle), (left, middle), (center, 0), (center, bottom),
        ]
        func cost(_ column: Int, _ row: Int) -> Int {
            var cost = 0
            for y in row..<row + height {
                // A free cell on each side keeps the text apart from the curve.
                for x in max(column - 1, 0)..<min(column + width + 1, columns) where covered[y * columns + x] { cost += 1 }
            }
            return cost
        }
        return spots.map { ($0.0, $0.1, cost($0.0, $0.1)) }.min { $0.2 < $1.2 }
    }

    /// Writes the legend into the corner or edge where it covers no data; with `force`, where it covers least. Says whether it did.
    mutating func placeLegend(force: Bool) -> Bool {
        let entries = legend
        let sampleWidth = entries.map { displayWidth($0.sample) }.max() ?? 0
        let nameWidth = min(entries.map { displayWidth($0.name) }.max() ?? 0, max(columns / 2 - sampleWidth - 3, 1))
        let (width, height) = (sampleWidth + 1 + nameWidth, min(entries.count, rows))
        guard width <= columns, height > 0, force || (width <= columns / 2 && entries.count <= rows - 1) else { return false }
        guard let (column, row, cost) = freeSpot(width: width, height: height), cost == 0 || force else { return false }
        for (offset, entry) in entries.prefix(entries.count > height ? height - 1 : height).enumerated() {
            grid.write(String(repeating: " ", count: width), column, row + offset)
            grid.write(entry.sample, column, row + offset, entry.ink)
            grid.write(truncated(entry.name, to: nameWidth, ascii: style.isASCII), column + sampleWidth + 1, row + offset)
        }
        if entries.count > height {
            let rest = truncated(Figure.more(entries.count - height + 1, of: entries.count), to: width, ascii: style.isASCII)
            grid.write(rest + String(repeating: " ", count: width - displayWidth(rest)), column, row + height - 1, .dim)
        }
        return true
    }
}
