// What is wrong with figures and their pictures, in words.

import ActMachine
import ActPlot
import ActSyntax

extension FigureError {
    var words: Message {
        switch self {
        case .lengths(let part, let count, let other, let needed):
            "\(part.words) \(part.isOne ? "has" : "have") \(count == 1 ? "1 element" : "\(count) elements") but \(other.words) \(other.isOne ? "has" : "have") \(needed)"
        case .empty(let part): "there are no \(part.words) to draw"
        case .gridSize(let count, let rows, let columns, let channels):
            "\(count) numbers do not fill \(rows) rows × \(columns) columns\(channels > 1 ? " × \(channels) channels" : "")"
        case .channels(let count): "an image has 1, 3 or 4 channels, not \(count)"
        case .notIncreasing(let part, let index):
            "\(part.words) must be finite and strictly increasing, but \(part.isOne ? "is" : "are") not at index \(index)"
        case .bins(let count): "a histogram needs 1 to \(grouped(Double(Figure.maximumBins))) bins, not \(grouped(Double(count)))"
        case .limits(let option, let lower, let upper):
            "\(option) must be two finite numbers, the smaller one first, not \(Format.number(lower)) and \(Format.number(upper))"
        case .notPositiveLimit(let option, let lower): "\(option) on a logarithmic axis must be greater than 0, not \(Format.number(lower))"
        case .unknownOption(let name): "a figure has no option `\(name)`"
        case .optionType(let option, let takes): "\(option) takes \(takes.expectation.words)"
        case .unknownColor(let text): "`\(text)` is not a colour"
        case .unknownStyle(let text):
            "`\(text)` is not a line style; use one of \(Mark.LineStyle.allCases.map(\.rawValue).joined(separator: " ")) or - -- : -."
        case .unknownMarker(let text): "`\(text)` is not a marker; use one of \(Mark.Marker.allCases.map(\.rawValue).joined(separator: " "))"
        case .tooMany(let option, let count, let series): "\(option) has \(count) entries but the figure has \(series) series"
        case .pixels(let option, let value, let limit):
            "\(option) must be a whole number of pixels from 16 to \(grouped(Double(limit))), not \(grouped(value))"
        case .overlaysPanels: "panels cannot be overlaid; overlay the figures, then arrange them"
        case .panelColumns(let columns): "panels need at least 1 column, not \(columns)"
        case .tooManyPanels(let count, let limit): "\(count) panels are more than \(limit)"
        case .optionOfPanels(let option): "\(option) belongs to one figure; set it before arranging panels"
        }
    }
}

extension FigurePart {
    fileprivate var words: String {
        switch self {
        case .x: "x"
        case .y: "y"
        case .columns: "columns"
        case .rows: "rows"
        case .cells: "cells"
        case .values: "values"
        case .series: "series"
        case .labels: "labels"
        case .heights: "heights"
        case .edges: "edges"
        case .levels: "levels"
        case .panels: "panels"
        case .edgesOfCounts: "counts + 1"
        }
    }

    fileprivate var isOne: Bool { self == .x || self == .y }
}

extension Rasterizer.Failure {
    package var words: String {
        switch self {
        case .missingLibrary(let missing):
            "PNG and PDF need librsvg (Debian, Ubuntu: apt install librsvg2-2; macOS: brew install librsvg): "
                + (missing.map { "it has no \($0)" } ?? "it is not installed")
        case .tooManyFiles: "too many files are open"
        case .invalidSVG: "librsvg could not read the SVG"
        case .size(let width, let height): "a picture of \(width) × \(height) pixels is too large"
        case .drawing(let status): "cairo could not draw the picture (status \(status))"
        case .cancelled: "the drawing of the picture was cancelled"
        case .ended: "the process that draws pictures has ended"
        }
    }
}
