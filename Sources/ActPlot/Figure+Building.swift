// Building figures from numbers. Every function checks what it is given and throws a `FigureError`; nothing later can fail.
// Numbers that are not finite are welcome: they are drawn as gaps and counted.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Figure {
    /// A line through the points (`x[i]`, `y[i]`); without `x`, over 0, 1, 2 …
    /// - Parameter isCounted: whether x counts something, as it does when it is not given; its axis then shows whole numbers only.
    package static func line(x: [Double]? = nil, y: [Double], name: String? = nil, isCounted: Bool = false) throws -> Figure {
        var mark = Mark(.line(x: try coordinates(x, matching: y), y: y), name: name)
        mark.isCounted = isCounted || x == nil
        return Figure([mark])
    }

    /// One line a series, all over the same `x`.
    package static func lines(x: [Double]? = nil, _ series: [(name: String?, y: [Double])]) throws -> Figure {
        guard !series.isEmpty else { throw FigureError.empty(.series) }
        return Figure(try series.flatMap { try line(x: x, y: $0.y, name: $0.name).marks })
    }

    /// A point at each (`x[i]`, `y[i]`); without `x`, over 0, 1, 2 …
    package static func scatter(x: [Double]? = nil, y: [Double], name: String? = nil) throws -> Figure {
        var mark = Mark(.scatter(x: try coordinates(x, matching: y), y: y), name: name)
        mark.isCounted = x == nil
        return Figure([mark])
    }

    /// A bar from 0 to each height, at `x[i]` or in the middle of `categories[i]`.
    package static func bar(
        x: [Double]? = nil, heights: [Double], categories: [String]? = nil, name: String? = nil
    ) throws -> Figure {
        try bars(x: x, categories: categories, [(name, heights)])
    }

    /// Bars of several series, side by side at each place.
    package static func bars(
        x: [Double]? = nil, categories: [String]? = nil, _ series: [(name: String?, heights: [Double])]
    ) throws -> Figure {
        guard !series.isEmpty else { throw FigureError.empty(.series) }
        return Figure(
            try series.map { name, heights in
                if let categories, categories.count != heights.count {
                    throw FigureError.lengths(.labels, categories.count, with: .heights, heights.count)
                }
                let categories = categories?.map(Figure.Caption.beginning)
                let places = categories == nil ? x : nil
                return Mark(.bar(x: try coordinates(places, matching: heights), heights: heights, categories: categories), name: name)
            })
    }

    /// The counts between successive edges.
    package static func histogram(edges: [Double], counts: [Double], name: String? = nil) throws -> Figure {
        guard edges.count == counts.count + 1 else {
            throw FigureError.lengths(.edges, edges.count, with: .edgesOfCounts, counts.count + 1)
        }
        try checkIncreasing(edges, .edges)
        return Figure([Mark(.histogram(edges: edges, counts: counts), name: name)])
    }

    package static let maximumBins = 10_000

    /// How often the values fall into each of `bins` equal intervals between the smallest and the largest, the last one closed.
    ///
    /// Without `bins` there are ⌈2 ∛n⌉ (Rice's rule), at most 60. Values that are not finite are left out and counted in a note.
    package static func histogram(_ values: [Double], bins: Int? = nil, name: String? = nil) throws -> Figure {
        try histograms([(name, values)], bins: bins)
    }

    /// Histograms one over the other, with the same intervals, so that their heights compare.
    package static func histograms(_ series: [(name: String?, values: [Double])], bins: Int? = nil) throws -> Figure {
        guard !series.isEmpty else { throw FigureError.empty(.series) }
        if let bins, bins < 1 || bins > maximumBins { throw FigureError.bins(bins) }
        var extent = Extent()
        var largest = 0
        for (_, values) in series {
            var count = 0
            for value in watched(values) where value.isFinite {
                extent.include(value)
                count += 1
            }
            largest = max(largest, count)
        }
        // A single value stands in the middle of one interval of width 1.
        let isSingle = extent.lower == extent.upper && abs(extent.lower) < 1e15
        let range = extent.isEmpty ? nil : isSingle ? extent.lower - 0.5...extent.lower + 0.5 : extent.widened()
        let binCount = bins ?? (isSingle ? 1 : min(60, Int((2 * pow(Double(largest), 1 / 3)).rounded(.up))))
        return Figure(try series.flatMap { try histogram($0.values, binCount, range, $0.name).marks })
    }

    private static func histogram(_ values: [Double], _ binCount: Int, _ range: ClosedRange<Double>?, _ name: String?) throws -> Figure {
        let omitted = watched(values).reduce(0) { $1.isFinite ? $0 : $0 + 1 }
        guard let range, omitted < values.count else {
            var mark = Mark(.histogram(edges: [], counts: []), name: name)
            mark.omitted = omitted
            return Figure([mark])
        }
        let scale = Scale(range)
        // Halves, because the whole range may be larger than any number.
        let halfStep = (range.upperBound / 2 - range.lowerBound / 2) / Double(binCount)
        let edges = (0..<binCount).map { (range.lowerBound / 2 + Double($0) * halfStep) * 2 } + [range.upperBound]
        var counts = [Double](repeating: 0, count: binCount)
        for value in watched(values) where value.isFinite {
            var place = Int(min(max(scale.position(value) * Double(binCount), 0), Double(binCount - 1)))
            // The edges decide, not the rounding of the division.
            if place > 0 && value < edges[place] { place -= 1 }
            if place + 1 < binCount && value >= edges[place + 1] { place += 1 }
            counts[place] += 1
        }
        var figure = try histogram(edges: edges, counts: counts, name: name)
        figure.marks[0].omitted = omitted
        return figure
    }

    /// Colours for the values of a matrix, row 0 at the top; with coordinates `x` of columns or `y` of rows, `y` grows upwards.
    package static func heatmap(
        _ values: [Double], rows: Int, columns: Int, x: [Double]? = nil, y: [Double]? = nil, name: String? = nil
    ) throws -> Figure {
        Figure([Mark(.heatmap(try grid(values, rows, columns, x, y)), name: name)])
    }

    /// Lines of equal value through a matrix, at `levels` or about eight round ones. Without coordinates row 0 is at the top.
    package static func contour(
        _ values: [Double], rows: Int, columns: Int, x: [Double]? = nil, y: [Double]? = nil, levels: [Double]? = nil,
        name: String? = nil
    ) throws -> Figure {
        let grid = try grid(values, rows, columns, x, y)
        if let levels { try checkIncreasing(levels, .levels) }
        var extent = Extent()
        for value in watched(values) { extent.include(value) }
        let chosen = levels ?? Scale(extent.widened()).ticks(atMost: 9).map(\.value)
        return Figure([Mark(.contour(grid, levels: Array(chosen.prefix(maximumLevels))), name: name)])
    }

    private static let maximumLevels = 64

    /// A picture of `rows` × `columns` pixels with 1 channel (gray), 3 (RGB) or 4 (RGB and opacity, on white), channels innermost.
    ///
    /// Values from 0 to 1 (but for rounding) are taken as they are. Others go to 255 in colours; gray ones are stretched from 0, or their
    /// smallest if that is below, to their largest. Pixels with a number that is not finite have a colour of their own and are counted in a note.
    package static func image(_ values: [Double], rows: Int, columns: Int, channels: Int = 1, name: String? = nil) throws -> Figure {
        guard [1, 3, 4].contains(channels) else { throw FigureError.channels(channels) }
        try checkSize(values.count, rows, columns, channels)
        var extent = Extent()
        for value in watched(values) { extent.include(value) }
        let range: ClosedRange<Double>
        if extent.isEmpty || (extent.upper <= 1.001 && (channels > 1 || extent.lower >= 0)) {
            range = 0...1
        } else if channels == 1 {
            extent.include(min(extent.lower, 0))
            range = extent.widened()
        } else {
            range = 0...255
        }
        let scale = Scale(range)
        func level(_ value: Double) -> Double { min(max(scale.position(value), 0), 1) }
        var notFinite = 0
        func byte(_ level: Double) -> UInt8 { UInt8((level * 255).rounded()) }
        let pixels = watchedArray(rows * columns) { index -> Color in
            let first = index * channels
            guard values[first..<first + channels].allSatisfy(\.isFinite) else {
                notFinite += 1
                return .notFinite
            }
            if channels == 1 {
                let gray = byte(level(values[first]))
                return Color(gray, gray, gray)
            }
            let opacity = channels == 4 ? level(values[first + 3]) : 1
            func channel(_ offset: Int) -> UInt8 { byte(1 - opacity * (1 - level(values[first + offset]))) }
            return Color(channel(0), channel(1), channel(2))
        }
        guard pixels.count == rows * columns else { return Figure() }  // cancelled
        return Figure([Mark(.image(Picture(pixels: pixels, notFinite: notFinite, rows: rows, columns: columns)), name: name)])
    }

    // MARK: - Checks

    private static func coordinates(_ x: [Double]?, matching y: [Double]) throws -> [Double] {
        guard let x else { return watchedArray(y.count, Double.init) }
        guard x.count == y.count else { throw FigureError.lengths(.x, x.count, with: .y, y.count) }
        return x
    }

    private static func grid(_ values: [Double], _ rows: Int, _ columns: Int, _ x: [Double]?, _ y: [Double]?) throws -> Grid {
        try checkSize(values.count, rows, columns, 1)
        if let x {
            guard x.count == columns else { throw FigureError.lengths(.x, x.count, with: .columns, columns) }
            try checkIncreasing(x, .x)
        }
        if let y {
            guard y.count == rows else { throw FigureError.lengths(.y, y.count, with: .rows, rows) }
            try checkIncreasing(y, .y)
        }
        return Grid(
            values: values, rows: rows, columns: columns, x: x ?? (0..<columns).map(Double.init),
            y: y ?? (0..<rows).map(Double.init), rowsGrowDownwards: x == nil && y == nil)
    }

    private static func checkSize(_ count: Int, _ rows: Int, _ columns: Int, _ channels: Int) throws {
        guard rows > 0, columns > 0 else { throw FigureError.empty(.cells) }
        let (cells, overflows) = rows.multipliedReportingOverflow(by: columns)
        let (needed, overflowsToo) = cells.multipliedReportingOverflow(by: channels)
        guard !overflows, !overflowsToo, needed == count else {
            throw FigureError.gridSize(count: count, rows: rows, columns: columns, channels: channels)
        }
    }

    private static func checkIncreasing(_ values: [Double], _ part: FigurePart) throws {
        for (index, value) in watched(values.enumerated()) where !value.isFinite || (index > 0 && value <= values[index - 1]) {
            throw FigureError.notIncreasing(part, index: index)
        }
    }
}
