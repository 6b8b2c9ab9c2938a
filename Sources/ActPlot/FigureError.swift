// What can be wrong with the data or options of a figure. Cases carry data; `description` is a fallback for where no better wording is at hand.

package enum FigureError: Error, Equatable, Sendable {
    /// Two things that must have one length have not.
    case lengths(what: String, Int, with: String, Int)
    case empty(what: String)
    /// `count` numbers do not fill `rows` × `columns` (× `channels`).
    case gridSize(count: Int, rows: Int, columns: Int, channels: Int)
    case channels(Int)
    /// Coordinates or edges must be finite and strictly increasing; the first at fault stands at `index`.
    case notIncreasing(what: String, index: Int)
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

extension FigureError: CustomStringConvertible {
    package var description: String {
        switch self {
        case let .lengths(what, count, with, other): "\(what) has \(count) elements but \(with) has \(other)"
        case let .empty(what): "there are no \(what) to draw"
        case let .gridSize(count, rows, columns, channels):
            "\(count) numbers do not fill \(rows) rows × \(columns) columns" + (channels > 1 ? " × \(channels) channels" : "")
        case let .channels(count): "an image has 1, 3 or 4 channels, not \(count)"
        case let .notIncreasing(what, index): "\(what) must be finite and strictly increasing, but is not at index \(index)"
        case let .bins(count): "a histogram needs 1 to \(Figure.maximumBins) bins, not \(count)"
        case let .limits(option, lower, upper): "\(option) must be two finite numbers, the smaller one first, not \(lower) and \(upper)"
        case let .notPositiveLimit(option, lower): "\(option) on a logarithmic axis must be greater than 0, not \(lower)"
        case let .unknownOption(name): "a figure has no option '\(name)'"
        case let .optionType(option, takes): "\(option) takes \(takes.rawValue)"
        case let .unknownColor(text): "'\(text)' is not a colour; use one of \(Color.rows.map(\.name).joined(separator: " ")) or #rrggbb"
        case let .unknownStyle(text):
            "'\(text)' is not a line style; use one of \(Mark.LineStyle.allCases.map(\.rawValue).joined(separator: " ")) or - -- : -."
        case let .unknownMarker(text):
            "'\(text)' is not a marker; use one of \(Mark.Marker.allCases.map(\.rawValue).joined(separator: " "))"
        case let .tooMany(option, count, series): "\(option) has \(count) entries but the figure has \(series) series"
        case let .pixels(option, value, limit): "\(option) must be a whole number of pixels from 16 to \(limit), not \(value)"
        case .overlaysPanels: "panels cannot be overlaid; overlay the figures, then arrange them"
        case let .panelColumns(columns): "panels need at least 1 column, not \(columns)"
        case let .tooManyPanels(count, limit): "\(count) panels are more than \(limit)"
        case let .optionOfPanels(option): "\(option) belongs to one figure; set it before arranging panels"
        }
    }
}
