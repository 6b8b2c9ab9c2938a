// The marks of a figure as SVG paths. One path holds as much as possible, which keeps files small.

struct SVGMark {
    private let figure: Figure
    private let index: Int
    private let mark: Mark
    private let axes: Axes
    private let area: Area
    private let color: String

    init(_ figure: Figure, _ index: Int, _ axes: Axes, _ area: Area) {
        (self.figure, self.index, self.axes, self.area) = (figure, index, axes, area)
        mark = figure.marks[index]
        let place = figure.marks[..<index].filter { !$0.isGrid }.count
        color = (mark.color ?? Color.ofSeries(place)).hex
    }

    func draw(into xml: inout XML) {
        switch mark.shape {
        case let .line(xs, ys): drawLine(xs, ys, into: &xml)
        case let .scatter(xs, ys): drawPoints(xs, ys, mark.marker ?? .circle, into: &xml)
        case let .bar(xs, heights, _):
            let (member, count) = placeInGroup
            let slot = barWidth(xs)
            let width = slot * 0.8 / Double(count)
            fillBars(
                zip(xs, heights).lazy.map { x, height in
                    let start = x - slot * 0.4 + width * Double(member)
                    return (start, start + width, height)
                }, gap: 0, into: &xml)
        case let .histogram(edges, counts):
            fillBars(zip(zip(edges, edges.dropFirst()), counts).lazy.map { ($0.0, $0.1, $1) }, gap: 1, into: &xml)
        case let .heatmap(grid): drawHeatmap(grid, into: &xml)
        case let .image(picture): drawImage(picture, into: &xml)
        case let .contour(grid, levels): drawContour(grid, levels, into: &xml)
        }
    }

    // MARK: - Lines and points

    private func strokeAttributes(_ path: String, width: String = "2") -> KeyValuePairs<String, String> {
        let dashes =
            switch figure.lineStyle(of: index) {
            case .dashed: "7 5"
            case .dotted: "0.1 5"
            case .dashdot: "8 5 0.1 5"
            case .solid, .none: "none"
            }
        return [
            "d": path, "fill": "none", "stroke": color, "stroke-width": width, "stroke-linejoin": "round", "stroke-linecap": "round",
            "stroke-dasharray": dashes,
        ]
    }

    private static let maximumPoints = 20_000

    private func drawLine(_ xs: [Double], _ ys: [Double], into xml: inout XML) {
        if figure.lineStyle(of: index) != .none {
            let trace = area.trace(xs, ys).simplified(within: 0.05)
            // Data that jumps to and fro can stay long; then every n-th segment must do.
            let step = trace.points.count / (2 * SVGMark.maximumPoints) + 1
            var (path, dots) = ("", "")
            var count = 0
            var end: Point?
            trace.forEachSegment { from, to, isStart in
                count += 1
                guard count % step == 0, let (a, b) = area.clipped(from, to, margin: 20) else { return }
                if from == to {
                    dots += SVGMark.sign(.circle, a)
                } else {
                    path += (isStart || end != a ? "M\(px(a.x)) \(px(a.y))" : "") + "L\(px(b.x)) \(px(b.y))"
                    end = b
                }
            }
            if !path.isEmpty { xml.element("path", strokeAttributes(path)) }
            // A point alone would go unseen in the width of the line.
            if !dots.isEmpty && mark.marker == nil { xml.element("path", pointAttributes(dots, .circle, opacity: "1", size: count > 500 ? 3 : 5)) }
        }
        if let marker = mark.marker { drawPoints(xs, ys, marker, into: &xml) }
    }

    private func drawPoints(_ xs: [Double], _ ys: [Double], _ marker: Mark.Marker, into xml: inout XML) {
        // Points that fall on one another are drawn once: on a tenth of a pixel, with very many on two pixels.
        let places = xs.count > SVGMark.maximumPoints ? 0.5 : 10
        var seen = Set<Int>()
        var path = ""
        for (px, py) in watched(zip(xs, ys)) {
            let point = area.point(px, py)
            guard !point.isGap, area.contains(point) else { continue }
            let key = Int((point.x * places).rounded()) * 1_000_000 + Int((point.y * places).rounded())
            if seen.insert(key).inserted { path += SVGMark.sign(marker, point) }
        }
        guard !path.isEmpty else { return }
        let many = xs.count > 500
        xml.element("path", pointAttributes(path, marker, opacity: many ? "0.6" : "0.9", size: many ? 4 : 6))
    }

    private func pointAttributes(_ path: String, _ marker: Mark.Marker, opacity: String, size: Double) -> KeyValuePairs<String, String> {
        switch marker {
        case .circle, .point:
            // Strokes of no length with round caps.
            let width = marker == .point ? 3 : size
            return ["d": path, "stroke": color, "stroke-width": px(width), "stroke-linecap": "round", "stroke-opacity": opacity]
        case .cross, .plus, .star:
            return ["d": path, "fill": "none", "stroke": color, "stroke-width": "1.5", "stroke-opacity": opacity]
        case .square, .diamond, .up, .down:
            return ["d": path, "fill": color, "fill-opacity": opacity]
        }
    }

    /// The path of one marker, 6 to 8 pixels wide.
    private static func sign(_ marker: Mark.Marker, _ p: Point) -> String {
        func at(_ dx: Double, _ dy: Double) -> String { "M\(px(p.x + dx)) \(px(p.y + dy))" }
        return switch marker {
        case .circle, .point: at(0, 0) + "h0"
        case .cross: at(-3, -3) + "l6 6m0-6l-6 6"
        case .plus: at(-4, 0) + "h8m-4-4v8"
        case .star: at(-4, 0) + "h8m-4-4v8m-3-7l6 6m0-6l-6 6"
        case .square: at(-3, -3) + "h6v6h-6z"
        case .diamond: at(0, -4) + "l4 4l-4 4l-4-4z"
        case .up: at(0, -4) + "l4 7h-8z"
        case .down: at(0, 4) + "l4-7h-8z"
        }
    }

    // MARK: - Bars

    /// Histograms over each other let each other through.
    private var fillOpacity: String {
        let histograms = figure.marks.filter { if case .histogram = $0.shape { true } else { false } }
        return histograms.count > 1 ? "0.6" : "0.85"
    }

    private var placeInGroup: (member: Int, count: Int) {
        let bars = figure.marks.indices.filter { if case .bar = figure.marks[$0].shape { true } else { false } }
        return (bars.firstIndex(of: index) ?? 0, max(bars.count, 1))
    }

    private func fillBars(_ bars: some Sequence<(Double, Double, Double)>, gap: Double, into xml: inout XML) {
        let zero = axes.y.isLogarithmic ? axes.y.lower : 0
        func bounded(_ position: Double) -> Double { position.isNaN ? 0 : min(max(position, -0.1), 1.1) }
        func y(_ value: Double) -> Double { (1 - bounded(axes.y.position(value))) * area.height }
        var path = ""
        // Bars narrower than half a pixel are joined: the highest of them stands for all.
        var pending: (left: Double, right: Double, top: Double, bottom: Double)?
        func emit() {
            guard let bar = pending, bar.bottom > bar.top else { return }
            let width = bar.right - bar.left
            let drawn = width > 4 ? width - gap : width
            path += "M\(px(bar.left)) \(px(bar.top))h\(px(drawn))V\(px(bar.bottom))h\(px(-drawn))z"
        }
        for (start, end, height) in watched(bars) where height.isFinite && start.isFinite && end.isFinite {
            let left = bounded(axes.x.position(start)) * area.width
            let right = bounded(axes.x.position(end)) * area.width
            let (top, bottom) = (min(y(height), y(zero)), max(y(height), y(zero)))
            if let bar = pending, right - bar.left < 0.5, left >= bar.left {
                pending = (bar.left, max(bar.right, right), min(bar.top, top), max(bar.bottom, bottom))
            } else {
                emit()
                pending = (left, max(right, left + 0.5), top, bottom)
            }
        }
        emit()
        if !path.isEmpty { xml.element("path", ["d": path, "fill": color, "fill-opacity": fillOpacity]) }
    }

    // MARK: - Cells

    private static let maximumCells = 160

    private func drawHeatmap(_ grid: Grid, into xml: inout XML) {
        // 64 colours: more are not told apart, and cells of one colour share a path.
        func color(_ value: Double) -> Color? {
            let position = axes.color?.position(value) ?? .nan
            return position.isNaN ? nil : axes.mapped((position * 63).rounded() / 63)
        }
        if grid.rows <= SVGMark.maximumCells && grid.columns <= SVGMark.maximumCells {
            let xs = cellEdges(grid.x).map { axes.x.position($0) * area.width }
            let ys = cellEdges(grid.y).map { (1 - axes.y.position($0)) * area.height }
            fillCells(grid.values.map(color), xs, ys, into: &xml)
        } else {
            let (across, down) = (min(grid.columns, SVGMark.maximumCells), min(grid.rows, SVGMark.maximumCells))
            fillCells(grid.sampled(axes, across: across, down: down).map(color), even(across, area.width), even(down, area.height), into: &xml)
        }
    }

    private func drawImage(_ picture: Picture, into xml: inout XML) {
        let (across, down) = (min(picture.columns, SVGMark.maximumCells), min(picture.rows, SVGMark.maximumCells))
        var colors = picture.sampled(axes, across: across, down: down)
        if Set(colors).count > 1024 {
            func coarse(_ byte: UInt8) -> UInt8 { byte & 0xf0 | byte >> 4 }
            colors = colors.map { $0.map { Color(coarse($0.red), coarse($0.green), coarse($0.blue)) } }
        }
        fillCells(colors, even(across, area.width), even(down, area.height), into: &xml)
    }

    private func even(_ count: Int, _ length: Double) -> [Double] { (0...count).map { length * Double($0) / Double(count) } }

    /// Rectangles between successive `xs` and `ys`, those of one colour in one path, neighbours in a row joined.
    private func fillCells(_ colors: [Color?], _ xs: [Double], _ ys: [Double], into xml: inout XML) {
        let columns = xs.count - 1
        var paths: [Color: String] = [:]
        var order: [Color] = []
        for row in 0..<ys.count - 1 {
            var column = 0
            while column < columns {
                let first = column
                column += 1
                guard let color = colors[row * columns + first], !xs[first].isNaN, !ys[row].isNaN, !ys[row + 1].isNaN else { continue }
                while column < columns && colors[row * columns + column] == color { column += 1 }
                let cell = "M\(px(xs[first])) \(px(ys[row]))H\(px(xs[column]))V\(px(ys[row + 1]))H\(px(xs[first]))z"
                if paths[color] == nil { order.append(color) }
                paths[color, default: ""] += cell
            }
        }
        xml.element("g", ["shape-rendering": "crispEdges"]) { xml in
            for color in order { xml.element("path", ["d": paths[color] ?? "", "fill": color.hex]) }
        }
    }

    private func drawContour(_ grid: Grid, _ levels: [Double], into xml: inout XML) {
        let grid = grid.reduced(to: 200)
        for level in levels {
            let path = grid.segments(at: level, in: area).map { a, b in "M\(px(a.x)) \(px(a.y))L\(px(b.x)) \(px(b.y))" }.joined()
            guard !path.isEmpty else { continue }
            let stroke = axes.mapped(axes.color?.position(level) ?? 0).hex
            xml.element("path", ["d": path, "fill": "none", "stroke": stroke, "stroke-width": "1.5", "stroke-linecap": "round"])
        }
    }

    // MARK: - Legend

    /// A sample of the mark, 22 pixels wide, its left end at a point.
    func drawSample(at point: Point, into xml: inout XML) {
        let middle = Point(x: point.x + 11, y: point.y)
        switch mark.shape {
        case .line:
            if figure.lineStyle(of: index) != .none { xml.element("path", strokeAttributes("M\(px(point.x)) \(px(point.y))h22")) }
            if let marker = mark.marker {
                xml.element("path", pointAttributes(SVGMark.sign(marker, middle), marker, opacity: "0.9", size: 6))
            }
        case .scatter:
            let marker = mark.marker ?? .circle
            xml.element("path", pointAttributes(SVGMark.sign(marker, middle), marker, opacity: "0.9", size: 6))
        case .bar, .histogram:
            xml.element(
                "path", ["d": "M\(px(point.x + 4)) \(px(point.y - 5))h14v10h-14z", "fill": color, "fill-opacity": fillOpacity])
        case .heatmap, .image, .contour: break
        }
    }
}
