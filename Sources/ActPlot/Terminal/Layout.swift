// How the rows and columns of a terminal are shared between the plot and what stands around it.

import ActText

/// Where the parts of a figure stand. Parts that would leave too little room for the plot are dropped, the least important first.
struct Layout {
    private(set) var left = 0
    private(set) var top = 0
    private(set) var width: Int
    private(set) var height: Int
    let hasFrame: Bool
    let hasXTicks: Bool
    private(set) var legendRows = 0
    private(set) var titleRow: Int?
    private(set) var yLabelRow: Int?
    private(set) var xLabelRow: Int?
    private(set) var yTicks: [Tick] = []
    private(set) var scaleTicks: [Tick] = []
    private(set) var scaleBarWidth = 0
    private let columns: Int
    private let axes: Axes
    private let isASCII: Bool

    init(_ figure: Figure, _ axes: Axes, columns: Int, rows: Int, legendRows: Int, _ style: TerminalStyle) {
        (self.axes, self.columns, isASCII) = (axes, columns, style.isASCII)
        (width, height) = (columns, rows)
        hasFrame = rows >= 3 && columns >= 3
        let canHaveTicks = hasFrame && !axes.isImageOnly && axes.emptyMessage == nil
        if hasFrame { height -= 2 }
        hasXTicks = canHaveTicks && height >= 2
        if hasXTicks { height -= 1 }
        placeTexts(figure.options, rows: rows, legendRows: legendRows)
        if hasFrame {
            top += 1
            left = 1
            width -= 2
            if PlotArea.showsScaleBar(figure, style) && height >= 3 { placeScaleBar() }
        }
        if let slots = Layout.snapped(axes.ySlots, height, limit: height / 4), !axes.isImageOnly { height = slots }
        if canHaveTicks { placeYTicks(style) }
        if axes.isImageOnly {
            fitImage(style)
        } else if let slots = Layout.snapped(axes.xSlots, width, limit: width / 6) {
            width = slots
        }
    }

    /// Title, labels and legend, from the most important to the least.
    private mutating func placeTexts(_ options: Figure.Options, rows: Int, legendRows: Int) {
        let titleWidth = displayWidth(singleLine(options.title ?? "")), labelWidth = displayWidth(singleLine(options.yLabel ?? ""))
        if options.title != nil && height >= 4 {
            titleRow = top
            top += 1
            height -= 1
        }
        if options.yLabel != nil && height >= 4 {
            // Beside a title that leaves room for it, else on a line of its own.
            if titleRow != nil && (columns - titleWidth) / 2 > labelWidth + 2 {
                yLabelRow = 0
            } else {
                yLabelRow = top
                top += 1
                height -= 1
            }
        }
        if options.xLabel != nil && height >= 4 {
            xLabelRow = rows - 1
            height -= 1
        }
        if legendRows > 0 {
            self.legendRows = min(legendRows, max(height - 3, 0))
            top += self.legendRows
            height -= self.legendRows
        }
    }

    private mutating func placeScaleBar() {
        let ticks = axes.color?.ticks(atMost: max(height / 3, 2)) ?? []
        let needed = 1 + 2 + 1 + (ticks.map { displayWidth($0.label) }.max() ?? 0)
        guard width - needed >= columns / 2 else { return }
        scaleTicks = ticks
        scaleBarWidth = needed
        width -= needed
    }

    /// The ticks of the vertical axis, with a margin for their labels.
    private mutating func placeYTicks(_ style: TerminalStyle) {
        let probe = PlotArea(Figure(), axes, columns: 1, rows: height, style)
        let ticks = axes.y.ticks(atMost: min(max(height / 2, 2), 8), whole: axes.yIsWhole) { ticks in
            let places = ticks.compactMap { probe.row(of: $0.value) }.sorted()
            return zip(places, places.dropFirst()).allSatisfy { $1 - $0 >= (axes.ySlots > 0 ? 1 : 2) }
        }
        let margin = (ticks.map { displayWidth($0.label) }.max() ?? -1) + 1
        guard width - margin >= max(columns / 2, 4) else { return }
        yTicks = ticks
        left += margin
        width -= margin
    }

    /// The largest multiple of `slots` within `size`, if that leaves at most `limit` unused.
    private static func snapped(_ slots: Int, _ size: Int, limit: Int) -> Int? {
        guard slots > 1, slots <= size, size % slots <= limit else { return nil }
        return size - size % slots
    }

    /// Keeps pixels square: a cell is twice as high as wide, and holds two pixels where half blocks can be coloured.
    private mutating func fitImage(_ style: TerminalStyle) {
        let (pixelColumns, pixelRows) = (max(axes.xSlots, 1), max(axes.ySlots, 1))
        var scale = min(Double(width) / Double(pixelColumns), Double(height * 2) / Double(pixelRows))
        if scale >= 1 { scale = scale.rounded(.down) }
        let newWidth = min(max(Int((Double(pixelColumns) * scale).rounded()), 1), width)
        let newHeight = min(max(Int((Double(pixelRows) * scale / 2).rounded(.up)), 1), height)
        left += (width - newWidth) / 2
        (width, height) = (newWidth, newHeight)
    }

    // MARK: - Horizontal ticks

    func xTicks(_ area: PlotArea) -> [Tick] {
        if let categories = axes.categories { return categoryTicks(categories, area) }
        // Narrow plots have up to five, closer to each other.
        return axes.x.ticks(atMost: max(width / 7, min(width / 5, 5), 2), whole: axes.xIsWhole) { ticks in
            var end = -1
            for tick in ticks {
                guard let column = area.column(of: tick.value) else { continue }
                let start = labelStart(tick, column)
                if start < end + 2 && end >= 0 { return false }
                end = start + displayWidth(tick.label)
            }
            return end <= columns
        }
    }

    /// Every category if there is room, else every n-th.
    private func categoryTicks(_ categories: [String], _ area: PlotArea) -> [Tick] {
        let longest = categories.map { displayWidth(singleLine($0)) }.max() ?? 0
        var stride = 1
        while stride < categories.count && width * stride / max(axes.xSlots, 1) < min(longest + 1, 5) { stride += 1 }
        let room = max(width * stride / max(axes.xSlots, 1) - 1, 1)
        return Swift.stride(from: 0, to: categories.count, by: stride).map {
            Tick(value: Double($0), label: truncated(categories[$0], to: room, ascii: isASCII), isText: true)
        }
    }

    /// The column at which the label of a tick starts: its digits centred below the tick, but not outside.
    func labelStart(_ tick: Tick, _ column: Int) -> Int {
        let length = displayWidth(tick.label)
        let sign = tick.label.hasPrefix("-") ? 1 : 0
        return max(min(left + column - sign - (length - sign - 1) / 2, columns - length), 0)
    }
}
