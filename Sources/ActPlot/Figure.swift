// A figure as plain data: marks, options, annotations, or panels of further figures. Renderers read it and never change it.
// What must stay true: a `Figure` that exists can be drawn. Everything that could be wrong with its data was refused where it was built.

/// What `plot` and its relatives make: something that can be drawn as text, SVG or a picture.
package struct Figure: Equatable, Sendable {
    package internal(set) var marks: [Mark] = []
    package internal(set) var annotations: [Annotation] = []
    package var options = Options()
    /// The figures that stand side by side, row by row. A figure with panels has no marks of its own.
    package internal(set) var panels: [Figure] = []
    package internal(set) var panelColumns = 1

    /// What is said about the whole figure. `nil` leaves a choice to the renderer.
    package struct Options: Equatable, Sendable {
        @Caption package var title: String?
        @Caption package var xLabel: String?
        @Caption package var yLabel: String?
        package var xLimits: ClosedRange<Double>?
        package var yLimits: ClosedRange<Double>?
        package var grid: Bool?
        package var legend: Bool?
        package var xIsLogarithmic = false
        package var yIsLogarithmic = false
        /// Size of a saved picture in pixels.
        package var width: Int?
        package var height: Int?
    }

    /// A text in a picture, which has room for so much only: of a longer one the beginning is kept.
    @propertyWrapper
    package struct Caption: Equatable, Sendable {
        package static let longest = 2000
        private var text: String?

        package init(wrappedValue: String? = nil) { text = wrappedValue.map(Caption.beginning) }

        package var wrappedValue: String? {
            get { text }
            set { text = newValue.map(Caption.beginning) }
        }

        @inline(never)
        static func beginning(of text: String) -> String {
            text.utf8.count <= longest ? text : String(String.UnicodeScalarView(text.unicodeScalars.prefix(longest - 1))) + "…"
        }
    }

    /// A vertical mark, such as a kink of an activation, with a short text.
    package struct Annotation: Equatable, Sendable {
        package var x: Double
        package var text: String

        package init(x: Double, text: String) { (self.x, self.text) = (x, Caption.beginning(of: text)) }
    }

    /// How many figures one may arrange, inner ones counted.
    package static let maximumPanels = 256

    init() {}

    init(_ marks: [Mark]) { self.marks = marks }

    /// About how many bytes the figure holds.
    package var footprint: Int {
        256 &+ marks.reduce(0) { $0 &+ $1.shape.footprint } &+ annotations.count &* 32 &+ panels.reduce(0) { $0 &+ $1.footprint }
    }
}

/// One thing that is drawn, with its name for the legend and its looks.
package struct Mark: Equatable, Sendable {
    package var shape: Shape
    @Figure.Caption package var name: String?
    /// Whether the program gave the name, and so wants to see it.
    var isLabelled = false
    package var color: Color?
    package var style: LineStyle?
    package var marker: Marker?
    /// Values that were left out because they are not finite, to be counted in the note.
    var omitted = 0
    /// Whether x counts elements, layers or epochs, so that fractions make no sense between them.
    var isCounted = false

    package enum Shape: Equatable, Sendable {
        case line(x: [Double], y: [Double])
        case scatter(x: [Double], y: [Double])
        /// Bars on zero; with `categories`, bar `i` stands at `x == i` and its text below it.
        case bar(x: [Double], heights: [Double], categories: [String]?)
        /// `counts[i]` stands between `edges[i]` and `edges[i + 1]`.
        case histogram(edges: [Double], counts: [Double])
        case heatmap(Grid)
        case image(Picture)
        case contour(Grid, levels: [Double])

        fileprivate var footprint: Int {
            let numbers =
                switch self {
                case .line(let x, let y), .scatter(let x, let y), .histogram(let x, let y): x.count &+ y.count
                case .bar(let x, let heights, let categories): x.count &+ heights.count &+ 4 &* (categories?.count ?? 0)
                case .heatmap(let grid), .contour(let grid, _): grid.values.count &+ grid.x.count &+ grid.y.count
                case .image(let picture): picture.pixels.count
                }
            return MemoryLayout<Mark>.stride &+ 96 &+ 8 &* numbers
        }
    }

    package enum LineStyle: String, CaseIterable, Sendable {
        case solid, dashed, dotted, dashdot, none

        package init?(_ text: String) {
            switch text {
            case "-": self = .solid
            case "--": self = .dashed
            case ":": self = .dotted
            case "-.": self = .dashdot
            default: self.init(rawValue: text)
            }
        }
    }

    package enum Marker: String, CaseIterable, Sendable {
        case circle = "o", cross = "x", plus = "+", star = "*", point = ".", square = "s", diamond = "d", up = "^", down = "v"
    }

    init(_ shape: Shape, name: String? = nil) {
        self.shape = shape
        self.name = name
    }

    var isGrid: Bool {
        switch shape {
        case .heatmap, .image, .contour: true
        case .line, .scatter, .bar, .histogram: false
        }
    }

    var isBar: Bool {
        switch shape {
        case .bar, .histogram: true
        case .line, .scatter, .heatmap, .image, .contour: false
        }
    }

    var isImage: Bool { if case .image = shape { true } else { false } }
}

/// Numbers over a rectangle, row by row. With coordinates `y` grows upwards; without, row 0 is the top one, as a matrix is written.
package struct Grid: Equatable, Sendable {
    package let values: [Double]
    package let rows: Int
    package let columns: Int
    /// Centres of the columns and rows, strictly increasing.
    package let x: [Double]
    package let y: [Double]
    package let rowsGrowDownwards: Bool
}

/// Pixels, row by row from the top.
package struct Picture: Equatable, Sendable {
    /// Those that have no colour, because a number was not finite, are `Color.notFinite`.
    package let pixels: [Color]
    package let notFinite: Int
    package let rows: Int
    package let columns: Int
}

// MARK: - Combining

extension Figure {
    /// Both figures in one frame: the marks of `self`, then those of `other`. Where both set an option, `self` wins.
    package func overlaid(with other: Figure) throws -> Figure {
        guard panels.isEmpty, other.panels.isEmpty else { throw FigureError.overlaysPanels }
        var result = self
        result.marks += other.marks
        result.annotations += other.annotations
        result.options.title = options.title ?? other.options.title
        result.options.xLabel = options.xLabel ?? other.options.xLabel
        result.options.yLabel = options.yLabel ?? other.options.yLabel
        result.options.xLimits = options.xLimits ?? other.options.xLimits
        result.options.yLimits = options.yLimits ?? other.options.yLimits
        result.options.grid = options.grid ?? other.options.grid
        result.options.legend = options.legend ?? other.options.legend
        result.options.xIsLogarithmic = options.xIsLogarithmic || other.options.xIsLogarithmic
        result.options.yIsLogarithmic = options.yIsLogarithmic || other.options.yIsLogarithmic
        result.options.width = options.width ?? other.options.width
        result.options.height = options.height ?? other.options.height
        return result
    }

    /// The figures side by side, row by row. A single one is returned as it is.
    package static func panels(_ figures: [Figure], columns: Int = 2) throws -> Figure {
        guard columns >= 1 else { throw FigureError.panelColumns(columns) }
        guard !figures.isEmpty else { throw FigureError.empty(.panels) }
        if figures.count == 1 { return figures[0] }
        let count = figures.reduce(0) { $0 + $1.panelCount }
        guard count <= maximumPanels else { throw FigureError.tooManyPanels(count, limit: maximumPanels) }
        var result = Figure()
        result.panels = figures
        result.panelColumns = min(columns, figures.count)
        return result
    }

    /// How the line of a mark is drawn. Series that come after every colour was taken differ from the first ones by dashes.
    func lineStyle(of index: Int) -> Mark.LineStyle {
        if let style = marks[index].style { return style }
        let round = marks[..<index].filter { !$0.isGrid }.count / Color.cycleCount
        return [.solid, .dashed, .dotted, .dashdot][round % 4]
    }

    /// How many figures are drawn: 1, or the sum over the panels.
    var panelCount: Int { panels.isEmpty ? 1 : panels.reduce(0) { $0 + $1.panelCount } }

    /// The marks that the legend names.
    var legendEntries: [Int] { marks.indices.filter { !marks[$0].isGrid && !singleLine(marks[$0].name ?? "").isEmpty } }

    /// Whether there is a legend, where there is room for one: if asked for, and by itself from two names on, or for one that was given.
    var showsLegend: Bool {
        let entries = legendEntries
        return !entries.isEmpty && options.legend ?? (entries.count > 1 || marks[entries[0]].isLabelled)
    }

    /// The last line of a legend that has no room for all names.
    static func more(_ rest: Int, of count: Int) -> String { rest == count ? "\(count) names" : "and \(rest) more" }

    var panelRows: Int { (panels.count + panelColumns - 1) / panelColumns }

    /// The figure with a vertical mark at each place, such as the kinks of an activation.
    package func annotated(_ annotations: [Annotation]) -> Figure {
        var result = self
        result.annotations += annotations
        return result
    }
}
