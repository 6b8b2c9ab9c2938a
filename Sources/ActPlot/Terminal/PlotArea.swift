// The inside of a frame in a terminal: a grid of cells into which the marks are drawn one after the other.
// `PlotArea+Marks` draws them, `PlotArea+Texts` finds room for names and annotations; `covered` says where data stands.

import ActText

struct PlotArea {
    var grid: TextGrid
    let columns: Int
    let rows: Int
    let figure: Figure
    let axes: Axes
    let style: TerminalStyle
    let glyphs: GlyphSet
    var dots: DotLayer
    let area: Area
    /// Cells that show data.
    var covered: [Bool]
    /// Where the text of an annotation found a place, row by row from the top, and on which side of its line.
    var annotationPlaces: [(annotation: Figure.Annotation, row: Int, isLeft: Bool)] = []
    var levelLabels: [(column: Int, row: Int, text: String)] = []
    /// The place of each mark among the series, which gives its colour and sign; grids have none.
    let places: [Int]
    /// Whether lines and points, or bars, need signs because colours do not tell them apart.
    let signsTellApart: Bool
    let fillsTellApart: Bool
    /// The signs that tell series apart: those that no marker of the figure uses.
    private let signs: [Character]

    init(_ figure: Figure, _ axes: Axes, columns: Int, rows: Int, _ style: TerminalStyle) {
        (self.figure, self.axes, self.style) = (figure, axes, style)
        (self.columns, self.rows) = (max(columns, 1), max(rows, 1))
        glyphs = .of(style)
        grid = TextGrid(columns: self.columns, rows: self.rows)
        dots = DotLayer(columns: self.columns, rows: self.rows, braille: !style.isASCII)
        area = dots.area(axes)
        covered = Array(repeating: false, count: self.columns * self.rows)
        var next = 0
        places = figure.marks.map { mark in
            defer { next += mark.isGrid ? 0 : 1 }
            return next
        }
        let bars = figure.marks.filter(\.isBar).count
        signsTellApart = style.isASCII || (style.color == .none && figure.marks.filter { !$0.isGrid && !$0.isBar }.count > 1)
        fillsTellApart = style.color == .none && bars > 1
        let markers = Set(figure.marks.compactMap { $0.marker?.glyph(isASCII: style.isASCII) })
        signs = GlyphSet.signs.filter { !markers.contains($0) }
    }

    /// The cell of a value along an axis; nil outside.
    func column(of value: Double) -> Int? {
        let place = axes.x.position(value)
        guard place >= -1e-9, place <= 1 + 1e-9 else { return nil }
        return min(max(Int((place * area.width).rounded()), 0) / dots.across, columns - 1)
    }

    func row(of value: Double) -> Int? {
        let place = axes.y.position(value)
        guard place >= -1e-9, place <= 1 + 1e-9 else { return nil }
        return min(max(Int(((1 - place) * area.height).rounded()), 0) / dots.down, rows - 1)
    }

    // MARK: - Drawing

    mutating func draw(xTicks: [Tick], yTicks: [Tick]) {
        if figure.options.grid == true { gridLines(xTicks.compactMap { column(of: $0.value) }, yTicks.compactMap { row(of: $0.value) }) }
        if axes.hasYZero, let row = row(of: 0) { horizontal(row) }
        if axes.hasXZero, let column = column(of: 0) { vertical(column, glyphs.zeroVertical) }
        for annotation in figure.annotations { if let column = column(of: annotation.x) { vertical(column, glyphs.annotation) } }

        var hasHistograms = false
        for (index, mark) in figure.marks.enumerated() {
            switch mark.shape {
            case let .heatmap(grid): heatmap(grid)
            case let .image(picture): image(picture)
            case let .bar(xs, heights, _): bars(xs, heights, index)
            case .histogram:
                if !hasHistograms { histograms() }
                hasHistograms = true
            case let .contour(grid, levels): contour(grid, levels, index)
            case let .line(xs, ys): line(xs, ys, mark, index)
            case let .scatter(xs, ys): scatter(xs, ys, mark, index)
            }
        }
        let inks = figure.marks.indices.map(ink)
        dots.forEach { column, row, glyph, owner in
            let ink = owner < 0 ? Ink.color(axes.mapped(Double(-owner - 1) / 255)) : inks[owner]
            grid.put(glyph, column, row, ink)
            covered[row * columns + column] = true
        }
        for label in levelLabels { grid.write(label.text, label.column, label.row) }
        for annotation in figure.annotations { label(annotation) }
        if let message = axes.emptyMessage {
            let text = truncated(message, to: columns, ascii: style.isASCII)
            grid.write(text, (columns - displayWidth(text)) / 2, rows / 2, .dim)
        }
    }

    /// Lines through the ticks. Where nothing can be dimmed, they are dots: four columns apart on a row, one a row on a column.
    private mutating func gridLines(_ tickColumns: [Int], _ tickRows: [Int]) {
        let isDotted = style.color == .none
        for row in tickRows {
            for column in 0..<columns where !isDotted || (column % 4 == 2 && !tickColumns.contains { abs($0 - column) == 1 }) {
                grid.put(isDotted ? glyphs.gridDot : glyphs.zeroHorizontal, column, row, .dim)
            }
        }
        for column in tickColumns { vertical(column, isDotted ? glyphs.gridDot : glyphs.zeroVertical) }
    }

    private mutating func horizontal(_ row: Int) {
        for column in 0..<columns { grid.put(glyphs.zeroHorizontal, column, row, .dim) }
    }

    private mutating func vertical(_ column: Int, _ glyph: Character) {
        for row in 0..<rows { grid.put(glyph, column, row, .dim) }
    }

    func ink(_ index: Int) -> Ink {
        .color(figure.marks[index].color ?? Color.ofSeries(places[index]))
    }

    func sign(_ index: Int) -> Character {
        if let marker = figure.marks[index].marker { return marker.glyph(isASCII: style.isASCII) }
        if signsTellApart { return signs[places[index] % signs.count] }
        let round = round(of: index)
        return round == 0 ? glyphs.point : signs[(round - 1) % signs.count]
    }

    /// How often every colour was taken before the one of this mark.
    func round(of index: Int) -> Int { places[index] / Color.cycleCount }

    func fill(_ index: Int) -> Character {
        glyphs.fills[fillsTellApart ? places[index] % glyphs.fills.count : 0]
    }

    mutating func put(_ glyph: Character, _ column: Int, _ row: Int, _ ink: Ink, background: Color? = nil) {
        guard column >= 0, column < columns, row >= 0, row < rows else { return }
        grid.put(glyph, column, row, ink, background: background)
        covered[row * columns + column] = true
    }
}
