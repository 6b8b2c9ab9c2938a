// How each kind of mark becomes dots, blocks and shades in the cells of a plot.

import ActText

extension PlotArea {
    // MARK: - Lines and points

    mutating func line(_ xs: [Double], _ ys: [Double], _ mark: Mark, _ index: Int) {
        let lineStyle = figure.lineStyle(of: index)
        let trace = area.trace(xs, ys)
        if style.isASCII {
            dots.draw(trace, in: area, owner: index, style: lineStyle, sign: mark.marker == nil ? sign(index) : nil)
            if lineStyle != .none && mark.marker != nil { dots.draw(trace, in: area, owner: index, style: lineStyle, sign: ".") }
        } else if signsTellApart && mark.marker == nil {
            // A sign now and then on the curve, each series at its own places.
            let interval = 24
            let phase = interval / 2 + places[index] * interval / max(figure.marks.count, 1)
            dots.draw(trace, in: area, owner: index, style: lineStyle, sign: sign(index), interval: interval, phase: phase)
        } else {
            dots.draw(trace, in: area, owner: index, style: lineStyle)
        }
        if mark.marker != nil {
            scatter(xs, ys, mark, index)
        } else if lineStyle != .none {
            // A single dot would go unseen.
            for point in trace.lonePoints where area.contains(point) { dots.sign(sign(index), Int(point.x.rounded()), Int(point.y.rounded()), owner: index) }
        }
    }

    private static let signedPoints = 300

    mutating func scatter(_ xs: [Double], _ ys: [Double], _ mark: Mark, _ index: Int) {
        let isSign = signsTellApart || round(of: index) > 0 || mark.marker != nil || xs.count <= PlotArea.signedPoints
        let glyph = sign(index)
        for (px, py) in watched(zip(xs, ys)) {
            let point = area.point(px, py)
            guard !point.isGap, area.contains(point) else { continue }
            let (x, y) = (Int(point.x.rounded()), Int(point.y.rounded()))
            if isSign { dots.sign(glyph, x, y, owner: index) } else { dots.dot(x, y, owner: index) }
        }
    }

    mutating func contour(_ field: Grid, _ levels: [Double], _ index: Int) {
        let field = field.reduced(to: 400)
        for level in levels {
            // Colours of the map are owners below zero, in 256 steps.
            let step = Int((axes.color?.position(level) ?? 0) * 255)
            for (start, end) in field.segments(at: level, in: area) {
                let owner = -1 - min(max(step, 0), 255)
                dots.draw(Trace(points: [start, end]), in: area, owner: owner, style: .solid, sign: style.isASCII ? "*" : nil)
            }
        }
        guard style.color != .truecolor else { return }
        // Colours cannot tell the levels, so their values stand on the lines, as far from each other as they come.
        for (level, text) in zip(levels, labels(levels)) {
            let segments = field.segments(at: level, in: area).filter { area.contains($0.0) }
            let width = displayWidth(text)
            let spots = segments.map { (Int($0.0.x) / dots.across - width / 2, Int($0.0.y) / dots.down) }
                .filter { $0.0 > 0 && $0.0 + width < columns }
            func distance(_ spot: (Int, Int)) -> Int {
                levelLabels.map { max(abs($0.column - spot.0) / 2, abs($0.row - spot.1)) }.min() ?? spot.0
            }
            guard let spot = spots.max(by: { distance($0) < distance($1) }), distance(spot) > 1 else { continue }
            levelLabels.append((spot.0, spot.1, text))
        }
    }

    private func labels(_ levels: [Double]) -> [String] {
        let ticks = axes.color?.ticks(atMost: 9) ?? []
        return levels.map { level in ticks.first { $0.value == level }?.label ?? shortNumber(level) }
    }

    /// Whether a bar explains the colours or shades: for heatmaps, and for contours where their lines are coloured.
    static func showsScaleBar(_ figure: Figure, _ style: TerminalStyle) -> Bool {
        figure.marks.contains { mark in
            switch mark.shape {
            case .heatmap: true
            case .contour: style.color == .truecolor
            default: false
            }
        }
    }

    // MARK: - Bars

    mutating func bars(_ xs: [Double], _ heights: [Double], _ index: Int) {
        let group = figure.marks.indices.filter { if case .bar = figure.marks[$0].shape { true } else { false } }
        let member = group.firstIndex(of: index) ?? 0
        let half = barWidth(xs) / 2
        for (x, height) in watched(zip(xs, heights)) {
            guard let slot = slot(x - half, x + half) else { continue }
            let gap = slot.count < 2 ? 0 : max(1, slot.count / 5)
            let width = slot.count - gap
            let start = slot.lowerBound + gap / 2
            let left = start + width * member / group.count
            bar(left..<max(start + width * (member + 1) / group.count, left + 1), height, index)
        }
    }

    /// All histograms of the figure at once, high bars behind low ones, so that none is hidden.
    mutating func histograms() {
        var bars: [(slot: Range<Int>, height: Double, index: Int)] = []
        for (index, mark) in figure.marks.enumerated() {
            guard case let .histogram(edges, counts) = mark.shape else { continue }
            for (edge, count) in zip(zip(edges, edges.dropFirst()), counts) where count.isFinite {
                if let slot = slot(edge.0, edge.1) { bars.append((slot, count, index)) }
            }
        }
        bars.sort { ($1.height, $0.index) < ($0.height, $1.index) }
        for entry in bars { bar(entry.slot, entry.height, entry.index) }
    }

    /// The columns between two values, at least one of them.
    private func slot(_ left: Double, _ right: Double) -> Range<Int>? {
        let (start, end) = (axes.x.position(left), axes.x.position(right))
        guard !start.isNaN || !end.isNaN, !(end <= 0), !(start >= 1) else { return nil }
        let first = start.isNaN ? 0 : Int((max(start, 0) * Double(columns)).rounded())
        let last = end.isNaN ? columns : Int((min(end, 1) * Double(columns)).rounded())
        return first..<max(last, first + 1)
    }

    private mutating func bar(_ slot: Range<Int>, _ height: Double, _ index: Int) {
        guard height.isFinite else { return }
        let zero = axes.y.isLogarithmic ? axes.y.lower : 0
        // Heights in eighths of a cell from the bottom; the base on a border between cells.
        let whole = Double(rows * 8)
        func eighths(_ value: Double) -> Int {
            let place = axes.y.position(value)
            return place.isNaN ? 0 : Int((min(max(place, 0), 1) * whole).rounded())
        }
        let base = (eighths(zero) + 4) / 8 * 8
        var top = eighths(height)
        let full = fill(index)
        if style.isASCII || fillsTellApart { top = (top + 4) / 8 * 8 }
        // What is above zero shows, however little.
        if height > zero && top <= base && base < rows * 8 { top = base + 1 }
        for column in slot {
            var position = base
            while position + 8 <= top {
                put(full, column, rows - 1 - position / 8, ink(index))
                position += 8
            }
            if position < top {
                put(style.isASCII ? "_" : GlyphSet.eighths[top - position - 1], column, rows - 1 - position / 8, ink(index))
            }
            position = base
            while position - 8 >= top {
                put(full, column, rows - position / 8, ink(index))
                position -= 8
            }
            // Below zero only an upper half block is at hand.
            if position - top >= 4 { put(style.isASCII ? full : "▀", column, rows - position / 8, ink(index)) }
        }
    }

    // MARK: - Cells

    private var hasHalfBlocks: Bool { !style.isASCII && style.color == .truecolor }

    mutating func heatmap(_ field: Grid) {
        let values = field.sampled(axes, across: columns, down: hasHalfBlocks ? rows * 2 : rows)
        let places = values.map { $0.isNaN ? nil : axes.color?.position($0) }
        cells(places.map { $0.map(axes.mapped) }, places)
    }

    mutating func image(_ picture: Picture) {
        let colors = picture.sampled(axes, across: columns, down: hasHalfBlocks ? rows * 2 : rows)
        cells(colors, colors.map { picture.notFinite > 0 && $0 == .notFinite ? .nan : $0?.luma })
    }

    /// Two cells of colour in one character, or a shade each.
    private mutating func cells(_ colors: [Color?], _ levels: [Double?]) {
        for row in 0..<rows {
            for column in 0..<columns {
                if hasHalfBlocks {
                    let (upper, lower) = (colors[row * 2 * columns + column], colors[(row * 2 + 1) * columns + column])
                    switch (upper, lower) {
                    case let (upper?, lower?): put("▀", column, row, .color(upper), background: lower)
                    case let (upper?, nil): put("▀", column, row, .color(upper))
                    case let (nil, lower?): put("▄", column, row, .color(lower))
                    case (nil, nil): break
                    }
                } else if let level = levels[row * columns + column] {
                    put(level.isNaN ? "?" : shade(level), column, row, .plain)
                }
            }
        }
    }

    private func shade(_ level: Double) -> Character {
        let count = glyphs.shades.count
        return glyphs.shades[min(max(Int(level * Double(count)), 0), count - 1)]
    }

    /// The colour map as a column two cells wide, the largest value at the top.
    func scaleBar() -> TextGrid {
        var bar = TextGrid(columns: 2, rows: rows)
        for row in 0..<rows {
            func place(_ half: Int) -> Double { 1 - (Double(row * 2 + half) + 0.5) / Double(rows * 2) }
            for column in 0..<2 {
                if hasHalfBlocks {
                    bar.put("▀", column, row, .color(axes.mapped(place(0))), background: axes.mapped(place(1)))
                } else {
                    bar.put(shade((place(0) + place(1)) / 2), column, row)
                }
            }
        }
        return bar
    }
}
