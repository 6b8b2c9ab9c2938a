// A figure as SVG: text stays text, long lines are thinned, and both light and dark backgrounds are served by a style sheet.
// What must stay true: well-formed XML without identifiers, so that several figures can stand in one page.

import ActText

/// The figure as a complete SVG document, `options.width` × `options.height` pixels (720 × 450, or more for panels).
package func svg(_ figure: Figure) -> String {
    let (width, height) = figure.pixelSize
    var xml = XML()
    xml.element(
        "svg",
        [
            "xmlns": "http://www.w3.org/2000/svg", "width": "\(width)", "height": "\(height)", "viewBox": "0 0 \(width) \(height)",
            "class": "act-figure", "role": "img", "aria-label": figure.options.title ?? "figure", "color": "#222222",
            "font-family": SVGStyle.fonts, "font-size": px(SVGStyle.textSize),
        ]
    ) { xml in
        xml.element("style", [:], text: SVGStyle.sheet)
        xml.element("rect", ["class": "background", "width": "\(width)", "height": "\(height)", "fill": "#ffffff"])
        draw(figure, 0, 0, Double(width), Double(height), into: &xml)
    }
    return xml.text
}

enum SVGStyle {
    static let fonts =
        "system-ui, 'Helvetica Neue', 'Segoe UI', 'Noto Sans', 'DejaVu Sans', "
        + "'Noto Sans CJK KR', 'Apple SD Gothic Neo', 'Malgun Gothic', sans-serif"
    static let sheet =
        "@media (prefers-color-scheme: dark) { .act-figure { color: #dddddd } .act-figure .background { fill: #1b1b1f } }"
    static let textSize = 12.0
    static let titleSize = 16.0
    static let labelSize = 13.0

    /// About how wide a text is; fonts differ, so callers leave room.
    static func width(_ text: String, size: Double = textSize) -> Double { Double(displayWidth(text)) * size * 0.58 }

    /// A text that fits into a width: smaller, down to 11 pixels, then cut.
    static func fitted(_ text: String, size: Double, within width: Double) -> (text: String, size: Double) {
        // Titles are bold, hence wider.
        let needed = SVGStyle.width(singleLine(text), size: size) * 1.1
        guard needed > width else { return (text, size) }
        let smaller = max(11, (size * width / needed).rounded(.down))
        return (truncated(text, to: max(Int(width / SVGStyle.width("0", size: smaller) / 1.1), 1), ascii: false), min(size, smaller))
    }

    /// A number as print has it: with a minus sign, and powers of ten raised (2.5×10⁻⁷).
    static func typeset(_ label: String) -> String {
        let parts = label.split(separator: "e", maxSplits: 1)
        let number = parts.first.map { $0.hasPrefix("-") ? "−" + $0.dropFirst() : String($0) } ?? ""
        guard parts.count == 2 else { return number }
        let power = "10" + parts[1].map { raised[$0] ?? String($0) }.joined()
        return number == "1" ? power : number == "−1" ? "−" + power : number + "×" + power
    }

    private static let raised: [Character: String] = [
        "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸", "9": "⁹",
    ]
}

extension Tick {
    fileprivate var typeset: String { isText ? label : SVGStyle.typeset(label) }
}

extension Figure {
    /// Width and height of a saved picture.
    package var pixelSize: (width: Int, height: Int) {
        let (columns, rows) = panels.isEmpty ? (1, 1) : (panelColumns, panelRows)
        let width = columns == 1 ? 720 : min(columns * 480, 1920)
        let height = rows == 1 && columns == 1 ? 450 : min(rows * (width / columns) * 2 / 3, 4000) + (options.title == nil ? 0 : 32)
        return (options.width ?? width, options.height ?? height)
    }
}

private func draw(_ figure: Figure, _ left: Double, _ top: Double, _ width: Double, _ height: Double, into xml: inout XML) {
    guard width >= 8, height >= 8 else { return }
    guard figure.panels.isEmpty else {
        var top = top
        var height = height
        if let title = figure.options.title, height > 80 {
            let fitted = SVGStyle.fitted(title, size: SVGStyle.titleSize, within: width - 16)
            xml.element(
                "text",
                [
                    "x": px(left + width / 2), "y": px(top + 24), "text-anchor": "middle", "font-size": px(fitted.size),
                    "font-weight": "600", "fill": "currentColor",
                ], text: fitted.text)
            top += 32
            height -= 32
        }
        let cellWidth = width / Double(figure.panelColumns)
        let cellHeight = height / Double(figure.panelRows)
        for (index, panel) in figure.panels.enumerated() {
            let (row, column) = (index / figure.panelColumns, index % figure.panelColumns)
            draw(panel, left + Double(column) * cellWidth, top + Double(row) * cellHeight, cellWidth, cellHeight, into: &xml)
        }
        return
    }
    SVGPlot(figure, left, top, width, height).draw(into: &xml)
}

/// One figure within a rectangle of a document: the frame and everything outside of it.
private struct SVGPlot {
    let figure: Figure
    let axes: Axes
    /// The rectangle of the frame.
    private(set) var left, top, width, height: Double
    private let outerTop: Double
    private let outerBottom: Double
    private let outerLeft, outerRight: Double
    private let xTicks: [Tick]
    private let yTicks: [Tick]
    private let scaleTicks: [Tick]
    /// Room between the frame and the first and last values, so that no line runs on the frame.
    private let marginX, marginTop, marginBottom: Double

    init(_ figure: Figure, _ left: Double, _ top: Double, _ width: Double, _ height: Double) {
        self.figure = figure
        let axes = Axes(figure)
        self.axes = axes
        (outerLeft, outerRight, outerTop, outerBottom) = (left, left + width, top, top + height)
        let options = figure.options
        let hasTicks = !axes.isImageOnly && axes.emptyMessage == nil
        let isLine = axes.color == nil && !figure.marks.contains(where: \.isGrid)
        marginX = isLine && !figure.marks.contains(where: \.isBar) ? 8 : 0
        marginTop = isLine ? 8 : 0
        marginBottom = isLine && !(figure.marks.contains(where: \.isBar) && axes.y.lower == 0) ? 8 : 0

        let topRoom = (options.title == nil ? 14.0 : 38) + (axes.note != nil && options.title == nil ? 10 : 0)
        let bottomRoom = 12.0 + (hasTicks ? 20 : 0) + (options.xLabel == nil ? 0 : 20)
        var plotHeight = max(height - topRoom - bottomRoom, 8)
        let yTicks =
            hasTicks
            ? axes.y.ticks(atMost: max(Int(plotHeight / 42), 2), whole: axes.yIsWhole) { ticks in
                Double(ticks.count) * SVGStyle.textSize * 1.3 <= plotHeight
            } : []
        let scaleTicks = axes.color?.ticks(atMost: max(Int(plotHeight / 42), 2)) ?? []
        func widest(_ ticks: [Tick]) -> Double { ticks.map { SVGStyle.width($0.typeset) }.max() ?? 0 }
        var leftRoom = 16.0 + (yTicks.isEmpty ? 0 : widest(yTicks) + 8) + (options.yLabel == nil ? 0 : 18)
        let rightRoom = 18.0 + (axes.color == nil ? 0 : 26 + widest(scaleTicks))
        var plotWidth = max(width - leftRoom - rightRoom, 8)
        if axes.isImageOnly {
            let scale = min(plotWidth / Double(max(axes.xSlots, 1)), plotHeight / Double(max(axes.ySlots, 1)))
            leftRoom += (plotWidth - scale * Double(axes.xSlots)) / 2
            (plotWidth, plotHeight) = (scale * Double(axes.xSlots), scale * Double(axes.ySlots))
        }
        (self.yTicks, self.scaleTicks) = (yTicks, scaleTicks)
        (self.left, self.top, self.width, self.height) = (left + leftRoom, top + topRoom, plotWidth, plotHeight)

        if let categories = axes.categories, hasTicks {
            let slot = plotWidth / Double(max(axes.xSlots, 1))
            let step = max(1, min(Int((24 / max(slot, 0.01)).rounded(.up)), max(categories.count, 1)))
            let room = max(Int(slot * Double(step) / SVGStyle.width("0")) - 1, 1)
            xTicks = stride(from: 0, to: categories.count, by: step).map {
                Tick(value: Double($0), label: truncated(categories[$0], to: room, ascii: false), isText: true)
            }
        } else if hasTicks {
            xTicks = axes.x.ticks(atMost: max(Int(plotWidth / 60), 2), whole: axes.xIsWhole) { ticks in
                Double(ticks.count) * (ticks.map { SVGStyle.width($0.typeset) + 12 }.max() ?? 0) <= plotWidth
            }
        } else {
            xTicks = []
        }
    }

    /// The area of the values, its origin `marginX`, `marginTop` inside the frame.
    private var area: Area {
        Area(x: axes.x, y: axes.y, width: max(width - 2 * marginX, 1), height: max(height - marginTop - marginBottom, 1))
    }

    private func x(_ value: Double) -> Double { marginX + axes.x.position(value) * area.width }
    private func y(_ value: Double) -> Double { marginTop + (1 - axes.y.position(value)) * area.height }

    func draw(into xml: inout XML) {
        // The text renderer knows where data lies; asked on a coarse grid, it finds places for texts.
        var coarse = PlotArea(figure, axes, columns: 60, rows: 24, TerminalStyle(glyphs: .ascii))
        if !figure.annotations.isEmpty || figure.marks.count > 1 || figure.showsLegend { coarse.draw(xTicks: [], yTicks: []) }
        xml.element("g", ["transform": "translate(\(px(left)) \(px(top)))", "fill": "currentColor"]) { xml in
            // An inner svg element clips what it holds.
            xml.element("svg", ["width": px(width), "height": px(height), "overflow": "hidden"]) { xml in
                drawLines(into: &xml)
                xml.element("g", ["transform": "translate(\(px(marginX)) \(px(marginTop)))"]) { xml in
                    for index in figure.marks.indices { SVGMark(figure, index, axes, area).draw(into: &xml) }
                }
                drawAnnotations(coarse, into: &xml)
            }
            drawFrame(into: &xml)
            drawLegend(coarse, into: &xml)
            drawTexts(into: &xml)
        }
    }

    // MARK: - Parts, in coordinates of the frame

    private func line(_ path: String, opacity: String, into xml: inout XML) {
        guard !path.isEmpty else { return }
        xml.element("path", ["d": path, "fill": "none", "stroke": "currentColor", "stroke-opacity": opacity])
    }

    /// Grid lines and the lines at zero, behind the data.
    private func drawLines(into xml: inout XML) {
        let hasCells = figure.marks.contains { $0.isGrid }
        if figure.options.grid ?? !hasCells {
            let vertical = axes.categories == nil ? xTicks.map { "M\(px(x($0.value))) 0V\(px(height))" }.joined() : ""
            let horizontal = yTicks.map { "M0 \(px(y($0.value)))H\(px(width))" }.joined()
            line(vertical + horizontal, opacity: "0.12", into: &xml)
        }
        let zeros = (axes.hasXZero ? "M\(px(x(0))) 0V\(px(height))" : "") + (axes.hasYZero ? "M0 \(px(y(0)))H\(px(width))" : "")
        line(zeros, opacity: "0.4", into: &xml)
    }

    private func drawAnnotations(_ coarse: PlotArea, into xml: inout XML) {
        let places = figure.annotations.map { x($0.x) }.filter { $0 >= 0 && $0 <= width }
        guard !places.isEmpty else { return }
        xml.element(
            "path",
            [
                "d": places.map { "M\(px($0)) 0V\(px(height))" }.joined(), "stroke": "currentColor", "stroke-opacity": "0.5",
                "stroke-dasharray": "3 4",
            ])
        for (annotation, row, isLeft) in coarse.annotationPlaces {
            xml.element(
                "text",
                [
                    "x": px(x(annotation.x) + (isLeft ? -5 : 5)), "y": px((Double(row) + 0.9) / Double(coarse.rows) * height),
                    "text-anchor": isLeft ? "end" : "start", "fill-opacity": "0.7", "font-size": "11",
                ], text: annotation.text)
        }
    }

    private func drawFrame(into xml: inout XML) {
        line("M0 0H\(px(width))V\(px(height))H0Z", opacity: "0.35", into: &xml)
        let marks = xTicks.map { "M\(px(x($0.value))) \(px(height))v4" } + yTicks.map { "M0 \(px(y($0.value)))h-4" }
        line(marks.joined(), opacity: "0.5", into: &xml)
        let minor = axes.x.minorTicks.map { "M\(px(x($0))) \(px(height))v2.5" } + axes.y.minorTicks.map { "M0 \(px(y($0)))h-2.5" }
        line(minor.joined(), opacity: "0.35", into: &xml)
        for tick in xTicks {
            xml.element(
                "text", ["x": px(x(tick.value)), "y": px(height + 17), "text-anchor": "middle"], text: tick.typeset)
        }
        for tick in yTicks {
            xml.element("text", ["x": "-7", "y": px(y(tick.value) + 4), "text-anchor": "end"], text: tick.typeset)
        }
        guard let scale = axes.color, !scaleTicks.isEmpty else { return }
        let steps = 64
        for step in 0..<steps {
            let upper = (height * Double(step) / Double(steps)).rounded()
            let lower = (height * Double(step + 1) / Double(steps)).rounded()
            xml.element(
                "rect",
                [
                    "x": px(width + 12), "y": px(upper), "width": "12", "height": px(lower - upper), "shape-rendering": "crispEdges",
                    "fill": axes.mapped(1 - (Double(step) + 0.5) / Double(steps)).hex,
                ])
        }
        for tick in scaleTicks {
            let place = (1 - scale.position(tick.value)) * height
            guard place >= 0, place <= height else { continue }
            xml.element("text", ["x": px(width + 29), "y": px(place + 4)], text: tick.typeset)
        }
    }

    private func drawTexts(into xml: inout XML) {
        let options = figure.options
        if let title = options.title {
            let fitted = SVGStyle.fitted(title, size: SVGStyle.titleSize, within: 2 * min(left - outerLeft, outerRight - left - width) + width - 8)
            xml.element(
                "text",
                [
                    "x": px(width / 2), "y": px(outerTop - top + 24), "text-anchor": "middle", "font-size": px(fitted.size),
                    "font-weight": "600",
                ], text: fitted.text)
        }
        if let label = options.xLabel {
            let fitted = SVGStyle.fitted(label, size: SVGStyle.labelSize, within: width)
            xml.element(
                "text",
                ["x": px(width / 2), "y": px(outerBottom - top - 10), "text-anchor": "middle", "font-size": px(fitted.size)], text: fitted.text)
        }
        if let label = options.yLabel {
            let place = "translate(\(px(outerLeft - left + 18)) \(px(height / 2))) rotate(-90)"
            let fitted = SVGStyle.fitted(label, size: SVGStyle.labelSize, within: height)
            xml.element("text", ["transform": place, "text-anchor": "middle", "font-size": px(fitted.size)], text: fitted.text)
        }
        if let note = axes.note {
            xml.element("text", ["x": px(width), "y": "-6", "text-anchor": "end", "font-size": "11", "fill-opacity": "0.65"], text: note)
        }
        if let message = axes.emptyMessage {
            xml.element(
                "text", ["x": px(width / 2), "y": px(height / 2), "text-anchor": "middle", "fill-opacity": "0.65"], text: message)
        }
    }

    private func drawLegend(_ coarse: PlotArea, into xml: inout XML) {
        let entries = figure.legendEntries
        guard figure.showsLegend, width > 80, height > 40 else { return }
        let lineHeight = 18.0
        // What finds no room is counted on the last line.
        let room = max(Int((height - 20) / lineHeight), 1)
        let shown = Array(entries.prefix(entries.count > room ? room - 1 : room))
        let rest = entries.count - shown.count
        let names =
            shown.map { truncated(figure.marks[$0].name ?? "", to: max(Int(width / 2 / 7), 4), ascii: false) }
            + (rest > 0 ? [Figure.more(rest, of: entries.count)] : [])
        let boxWidth = 40 + (names.map { SVGStyle.width($0) }.max() ?? 0)
        let boxHeight = Double(names.count) * lineHeight + 8
        let (columns, rows) = (coarse.columns, coarse.rows)
        let cells = (Int((boxWidth / width * Double(columns)).rounded(.up)) + 1, Int((boxHeight / height * Double(rows)).rounded(.up)))
        let spot = coarse.freeSpot(width: min(cells.0, columns), height: min(cells.1, rows))
        let (column, row) = (spot?.column ?? 0, spot?.row ?? 0)
        let boxLeft = min(max(Double(column) / Double(columns) * width, 8), max(width - boxWidth - 8, 0))
        let boxTop = min(max(Double(row) / Double(rows) * height, 8), max(height - boxHeight - 8, 0))

        xml.element("g", ["transform": "translate(\(px(boxLeft)) \(px(boxTop)))"]) { xml in
            xml.element(
                "rect",
                [
                    "class": "background", "width": px(boxWidth), "height": px(boxHeight), "rx": "3", "fill": "#ffffff",
                    "fill-opacity": "0.85",
                ])
            for (line, (index, name)) in zip(shown, names).enumerated() {
                let y = Double(line) * lineHeight + 13
                SVGMark(figure, index, axes, area).drawSample(at: Point(x: 6, y: y), into: &xml)
                xml.element("text", ["x": "34", "y": px(y + 4)], text: name)
            }
            if rest > 0, let text = names.last {
                xml.element("text", ["x": "34", "y": px(Double(shown.count) * lineHeight + 17), "fill-opacity": "0.65"], text: text)
            }
        }
    }
}
