// What can be wrong with the data or options of a figure, as data: the wording is ActLanguage's.

package enum FigureError: Error, Equatable, Sendable {
    /// Two things that must have one length have not.
    case lengths(FigurePart, Int, with: FigurePart, Int)
    case empty(FigurePart)
    /// `count` numbers do not fill `rows` × `columns` (× `channels`).
    case gridSize(count: Int, rows: Int, columns: Int, channels: Int)
    case channels(Int)
    /// Coordinates or edges must be finite and strictly increasing; the first at fault stands at `index`.
    case notIncreasing(FigurePart, index: Int)
    case bins(Int)
    case limits(option: String, lower: Double, upper: Double)
    case notPositiveLimit(option: String, lower: Double)
    case unknownOption(String)
    case optionType(option: String, takes: FigureOption.Kind)
    case unknownColor(String)
    case unknownStyle(String)
    case unknownMarker(String)
    /// More labels, colours, styles or markers than series.
    case tooMany(option: String, count: Int, series: Int)
    case pixels(option: String, Double, limit: Int)
    case overlaysPanels
    case panelColumns(Int)
    case tooManyPanels(Int, limit: Int)
    case optionOfPanels(String)
}

/// What a figure is made of, where it does not fit.
package enum FigurePart: Equatable, Sendable {
    case x, y, columns, rows, cells, values, series, labels, heights, edges, levels, panels
    /// One more than there are counts.
    case edgesOfCounts
}
