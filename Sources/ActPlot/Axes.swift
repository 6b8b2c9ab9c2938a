// What every renderer needs to know before it draws: the two scales, the colour range, and what could not be drawn.
// One pass over the data; no copies.

/// The scales of a figure and the facts that its frame states.
struct Axes {
    let x: Scale
    let y: Scale
    /// The values that the ends of the colour map stand for; nil without a heatmap or contour.
    let color: Scale?
    /// The part of the colour map in use: all of it for areas; for lines, what shows on white and on black.
    let colorRange: ClosedRange<Double>
    /// The texts below bars, at x = 0, 1, 2 …
    let categories: [String]?
    /// Equal parts into which bars or cells divide an axis that they fill; 0 if none do.
    let xSlots: Int
    let ySlots: Int
    /// Whether the axis counts (rows, columns, bars), so that only whole numbers make sense on it.
    let xIsWhole: Bool
    let yIsWhole: Bool
    /// Said when something was left out: "3 points not finite".
    let note: String?
    /// Said in the middle of an empty frame.
    let emptyMessage: String?
    let isImageOnly: Bool
    /// Whether a line at x = 0, or at y = 0, says something.
    let hasXZero: Bool
    let hasYZero: Bool

    init(_ figure: Figure) {
        let options = figure.options
        var survey = Survey(
            xIsLogarithmic: options.xIsLogarithmic, yIsLogarithmic: options.yIsLogarithmic, xLimits: options.xLimits)
        for mark in figure.marks { survey.include(mark) }

        let hasGrid = figure.marks.contains(where: \.isGrid)
        let reversed = figure.marks.contains { mark in
            switch mark.shape {
            case let .heatmap(grid), let .contour(grid, _): grid.rowsGrowDownwards
            case .image: true
            default: false
            }
        }
        x = Axes.scale(survey.x, options.xLimits, options.xIsLogarithmic)
        let tight = Axes.scale(survey.y, options.yLimits, options.yIsLogarithmic, isReversed: reversed)
        y = hasGrid || options.yLimits != nil || survey.drawn == 0 ? tight : tight.roundedOutward()
        color = figure.marks.contains { $0.isGrid && !$0.isImage } ? Scale(survey.color.widened()) : nil
        colorRange = figure.marks.contains { if case .heatmap = $0.shape { true } else { false } } ? 0...1 : 0.25...0.85
        categories = survey.categories
        xSlots = options.xLimits == nil ? survey.xSlots : 0
        ySlots = options.yLimits == nil ? survey.ySlots : 0
        xIsWhole = survey.xCount.isWhole
        yIsWhole = survey.yCount.isWhole
        isImageOnly = !figure.marks.isEmpty && figure.marks.allSatisfy(\.isImage)
        hasXZero = !hasGrid && !figure.marks.contains(where: \.isBar) && x.lower < 0 && x.upper > 0
        hasYZero = !hasGrid && y.lower < 0 && y.upper > 0

        var notes: [String] = []
        if survey.notFinite > 0 { notes.append(Axes.points(survey.notFinite) + " not finite") }
        if survey.pixelsNotFinite > 0 { notes.append((survey.pixelsNotFinite == 1 ? "1 pixel" : "\(survey.pixelsNotFinite) pixels") + " not finite") }
        if survey.notPositive > 0 { notes.append(Axes.points(survey.notPositive) + " not above 0") }
        let withoutLines = figure.marks.lazy.compactMap(Axes.reasonForNoLines).first
        let hasOnlyContours = figure.marks.allSatisfy { if case .contour = $0.shape { true } else { false } }
        if let withoutLines, !hasOnlyContours { notes.append(withoutLines) }
        note = notes.isEmpty ? nil : notes.joined(separator: ", ")
        if let withoutLines, hasOnlyContours, figure.marks.allSatisfy({ Axes.reasonForNoLines($0) != nil }) {
            emptyMessage = withoutLines
        } else if survey.drawn > 0 || hasGrid {
            emptyMessage = nil
        } else if survey.notFinite > 0 {
            emptyMessage = "no finite points"
        } else if survey.notPositive > 0 {
            emptyMessage = "no points above 0 for the logarithmic axis"
        } else {
            emptyMessage = "no data"
        }
    }

    /// Why a contour has no line.
    private static func reasonForNoLines(_ mark: Mark) -> String? {
        guard case let .contour(grid, levels) = mark.shape, !grid.isCrossed(by: levels) else { return nil }
        var extent = Extent()
        for value in watched(grid.values) { extent.include(value) }
        if extent.isEmpty { return "no finite values" }
        if grid.rows < 2 || grid.columns < 2 { return "no lines: one \(grid.rows < 2 ? "row" : "column") has no area" }
        if extent.lower == extent.upper { return "no lines: every value is \(shortNumber(extent.lower))" }
        return "no lines: no level lies among the values, \(shortNumber(extent.lower)) to \(shortNumber(extent.upper))"
    }

    /// The colour at a position of `color`.
    func mapped(_ position: Double) -> Color {
        Color.ofGrid(colorRange.lowerBound + position * (colorRange.upperBound - colorRange.lowerBound))
    }

    private static func points(_ count: Int) -> String { count == 1 ? "1 point" : "\(count) points" }

    private static func scale(_ extent: Extent, _ limits: ClosedRange<Double>?, _ isLogarithmic: Bool, isReversed: Bool = false) -> Scale {
        if let limits, !isLogarithmic || limits.lowerBound > 0 {
            return Scale(limits, isLogarithmic: isLogarithmic, isReversed: isReversed)
        }
        if isLogarithmic {
            let range = extent.isEmpty ? 1...10 : extent.lower...extent.upper
            return Scale(range, isLogarithmic: true, isReversed: isReversed)
        }
        return Scale(extent.widened(), isReversed: isReversed)
    }
}

/// Whether an axis counts: no mark has a fraction on it, and one of them counts or has so many whole places that it must.
private struct Wholeness {
    var isFraction = false
    private var isCounted = false

    var isWhole: Bool { isCounted && !isFraction }

    mutating func include(isCounted: Bool, _ places: [Double]) {
        if isFraction { return }
        isFraction = watched(places).contains { $0.isFinite && $0 != $0.rounded() }
        if isCounted || places.count > 2 { self.isCounted = true }
    }
}

/// Collects extents and counts over the marks of a figure.
private struct Survey {
    let xIsLogarithmic, yIsLogarithmic: Bool
    let xLimits: ClosedRange<Double>?
    var x = Extent()
    var y = Extent()
    var color = Extent()
    var notFinite = 0
    var pixelsNotFinite = 0
    var notPositive = 0
    var drawn = 0
    var categories: [String]?
    var xSlots = 0
    var ySlots = 0
    var xCount = Wholeness()
    var yCount = Wholeness()

    init(xIsLogarithmic: Bool, yIsLogarithmic: Bool, xLimits: ClosedRange<Double>?) {
        (self.xIsLogarithmic, self.yIsLogarithmic, self.xLimits) = (xIsLogarithmic, yIsLogarithmic, xLimits)
    }

    mutating func include(_ mark: Mark) {
        notFinite += mark.omitted
        switch mark.shape {
        case let .line(xs, ys), let .scatter(xs, ys):
            points(xs, ys)
            xCount.include(isCounted: mark.isCounted, xs)
            yCount.isFraction = true
        case let .bar(xs, heights, categories):
            let width = barWidth(xs)
            bars(zip(xs, heights).lazy.map { ($0 - width / 2, $0 + width / 2, $1) })
            if let categories, categories.count > self.categories?.count ?? 0 { self.categories = categories }
            let slots = x.isEmpty ? 0 : (x.upper - x.lower) / width
            if slots < 1e6 { xSlots = max(xSlots, Int(slots.rounded())) }
            xCount.include(isCounted: width == 1, xs)
        case let .histogram(edges, counts):
            bars(zip(zip(edges, edges.dropFirst()), counts).lazy.map { ($0.0, $0.1, $1) })
            yCount.include(isCounted: true, counts)
        case let .heatmap(grid):
            cells(cellEdges(grid.x), cellEdges(grid.y))
            values(grid)
            (xSlots, ySlots) = (grid.columns, grid.rows)
            xCount.include(isCounted: counts(grid.x), grid.x)
            yCount.include(isCounted: counts(grid.y), grid.y)
        case let .contour(grid, levels):
            cells(grid.x, grid.y)
            xCount.include(isCounted: counts(grid.x), grid.x)
            yCount.include(isCounted: counts(grid.y), grid.y)
            values(grid)
            levels.forEach { color.include($0) }
        case let .image(picture):
            cells([-0.5, Double(picture.columns) - 0.5], [-0.5, Double(picture.rows) - 0.5])
            (xSlots, ySlots) = (picture.columns, picture.rows)
            pixelsNotFinite += picture.notFinite
        }
    }

    private func counts(_ places: [Double]) -> Bool { places.first == 0 && places.last == Double(places.count - 1) }

    private mutating func points(_ xs: [Double], _ ys: [Double]) {
        // The horizontal axis shows all of the data; the vertical one fits what is between the limits of the horizontal.
        for (px, py) in watched(zip(xs, ys)) {
            guard px.isFinite, py.isFinite else {
                notFinite += 1
                continue
            }
            if (xIsLogarithmic && px <= 0) || (yIsLogarithmic && py <= 0) {
                notPositive += 1
                continue
            }
            drawn += 1
            x.include(px)
            if xLimits?.contains(px) ?? true { y.include(py) }
        }
    }

    private mutating func bars(_ bars: some Sequence<(Double, Double, Double)>) {
        for (left, right, height) in watched(bars) {
            guard left.isFinite, right.isFinite, height.isFinite else {
                notFinite += 1
                // The place of a bar that is missing stays, with its name.
                if left.isFinite, right.isFinite, height.isNaN, !xIsLogarithmic || left > 0 {
                    x.include(left)
                    x.include(right)
                }
                continue
            }
            if (xIsLogarithmic && left <= 0) || (yIsLogarithmic && height <= 0) {
                notPositive += 1
                continue
            }
            drawn += 1
            x.include(left)
            x.include(right)
            if xLimits.map({ right >= $0.lowerBound && left <= $0.upperBound }) ?? true {
                y.include(height)
                // Bars stand on zero; on a logarithmic axis, on a little less than the lowest.
                y.include(yIsLogarithmic ? max(height / 2, .leastNonzeroMagnitude) : 0)
            }
        }
    }

    private mutating func cells(_ xs: [Double], _ ys: [Double]) {
        for value in watched(xs) where !xIsLogarithmic || value > 0 { x.include(value) }
        for value in watched(ys) where !yIsLogarithmic || value > 0 { y.include(value) }
    }

    private mutating func values(_ grid: Grid) {
        for value in watched(grid.values) {
            if value.isFinite { color.include(value) } else { notFinite += 1 }
        }
    }
}

/// The width of a bar's slot: the smallest distance between neighbouring places, 1 for a single bar.
func barWidth(_ places: [Double]) -> Double {
    var smallest = Double.infinity
    let isSorted = watched(zip(places, places.dropFirst())).allSatisfy { $0 <= $1 }
    let sorted = isSorted ? places : watched(places).filter(\.isFinite).sortedUnlessCancelled()
    for (left, right) in watched(zip(sorted, sorted.dropFirst())) where right > left { smallest = min(smallest, right - left) }
    return smallest.isFinite ? smallest : 1
}

/// The borders of cells around their centres: halfway between neighbours, and as far outside at the ends.
func cellEdges(_ centers: [Double]) -> [Double] {
    guard let first = centers.first, let last = centers.last, centers.count > 1 else {
        return centers.flatMap { [$0 - 0.5, $0 + 0.5] }
    }
    let middles = zip(centers, centers.dropFirst()).map { $0 / 2 + $1 / 2 }
    return [first - (middles[0] - first)] + middles + [last + (last - middles[middles.count - 1])]
}
