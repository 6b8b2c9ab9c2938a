// The options of a figure, one row each: keyword checking, completion and help loop over `FigureOption.rows`.

import ActRows

/// An option's value as the language hands it over.
package enum OptionValue: Equatable, Sendable {
    case flag(Bool)
    case number(Double)
    case numbers([Double])
    case text(String)
    case texts([String])
}

/// One option of a figure: its name, what it takes, and what it does.
package struct FigureOption: Sendable {
    package let name: String
    package let takes: Kind
    package let summary: String
    /// Whether it says something about the whole picture and so may be set on panels too.
    let isForPanels: Bool
    let apply: @Sendable (inout Figure, OptionValue) -> Outcome

    /// What an option takes.
    package enum Kind: Sendable {
        case flag, pixels, limits, text
        /// One for all series, or one a series.
        case texts

        package var expectation: Expectation {
            switch self {
            case .flag: .kind(.flag)
            case .pixels: .pixels
            case .limits: .twoNumbers
            case .text: .kind(.text)
            case .texts: .textOrTexts
            }
        }
    }

    /// As a parameter of the functions that draw.
    package var parameter: Parameter { Parameter(name: name, expected: takes.expectation, fallback: "none", role: .steps, summary: summary) }

    enum Outcome {
        case done, wrongType
        case failed(FigureError)
    }

    /// The options of a figure with one frame, and those of panels.
    package static var parameters: [Parameter] { rows.map(\.parameter) }
    package static var panelParameters: [Parameter] { rows.filter(\.isForPanels).map(\.parameter) }

    package static let rows: [FigureOption] = [
        text("title", "text above the figure", \.title, isForPanels: true),
        text("xlabel", "text below the horizontal axis", \.xLabel),
        text("ylabel", "text of the vertical axis", \.yLabel),
        limits("xlim", "smallest and largest x", \.xLimits),
        limits("ylim", "smallest and largest y", \.yLimits),
        flag("grid", "whether lines run through the ticks") { $0.options.grid = $1 },
        flag("legend", "whether the names of the series show (by itself from two on, and with label=)") { $0.options.legend = $1 },
        perSeries("label", "name of the series in the legend", isForFirst: true, name),
        perSeries("labels", "names of the series in the legend", isForFirst: true, name),
        perSeries("color", "red, blue …, or #rrggbb") { mark, text in
            guard let color = Color(text) else { return .unknownColor(text) }
            mark.color = color
            return nil
        },
        perSeries("style", "solid, dashed, dotted, dashdot or none; also - -- : -.") { mark, text in
            guard let style = Mark.LineStyle(text) else { return .unknownStyle(text) }
            mark.style = style
            return nil
        },
        perSeries("marker", "sign at each point: o x + * . s d ^ v") { mark, text in
            guard let marker = Mark.Marker(rawValue: text) else { return .unknownMarker(text) }
            mark.marker = marker
            return nil
        },
        pixels("width", "width of a saved picture", \.width),
        pixels("height", "height of a saved picture", \.height),
        flag("logx", "whether the horizontal axis is logarithmic") { $0.options.xIsLogarithmic = $1 },
        flag("logy", "whether the vertical axis is logarithmic") { $0.options.yIsLogarithmic = $1 },
    ]

    /// The options that say what a format string of MATLAB's or matplotlib's says: `r--` is `color="red", style="--"`; nil if it is not such a string.
    package static func spelling(ofFormat format: String) -> String? {
        guard format.utf8.count <= 64 else { return nil }
        var rest = Substring(format)
        var parts: [String] = []
        if let short = rest.first, let color = Color.rows.first(where: { $0.short == String(short) }) {
            parts.append("color=\"\(color.name)\"")
            rest.removeFirst()
        }
        // A marker may stand before or after the line style; `-.` is a style, not a line with points.
        var (hasStyle, hasMarker) = (false, false)
        while !rest.isEmpty {
            if !hasStyle, let style = ["--", "-.", "-", ":"].first(where: { rest.hasPrefix($0) }) {
                parts.append("style=\"\(style)\"")
                rest.removeFirst(style.utf8.count)
                hasStyle = true
            } else if !hasMarker, let marker = rest.first.flatMap({ Mark.Marker(rawValue: String($0)) }) {
                parts.append("marker=\"\(marker.rawValue)\"")
                rest.removeFirst()
                hasMarker = true
            } else {
                return nil
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    /// The largest width or height of a saved picture.
    package static let maximumPixels = 10_000
}

extension Figure {
    /// Sets options by name, as keyword arguments do.
    package func setting(_ values: [(name: String, value: OptionValue)]) throws -> Figure {
        var result = self
        for (name, value) in values {
            guard let option = FigureOption.rows.first(where: { $0.name == name }) else { throw FigureError.unknownOption(name) }
            guard panels.isEmpty || option.isForPanels else { throw FigureError.optionOfPanels(name) }
            switch option.apply(&result, value) {
            case .done: break
            case .wrongType: throw FigureError.optionType(option: name, takes: option.takes)
            case let .failed(error): throw error
            }
        }
        if let limits = result.options.xLimits, result.options.xIsLogarithmic, limits.lowerBound <= 0 {
            throw FigureError.notPositiveLimit(option: "xlim", lower: limits.lowerBound)
        }
        if let limits = result.options.yLimits, result.options.yIsLogarithmic, limits.lowerBound <= 0 {
            throw FigureError.notPositiveLimit(option: "ylim", lower: limits.lowerBound)
        }
        return result
    }
}

// MARK: - Kinds of rows

extension FigureOption {
    private typealias OptionPath<Value> = WritableKeyPath<Figure.Options, Value?> & Sendable

    private static func text(_ name: String, _ summary: String, _ path: OptionPath<String>, isForPanels: Bool = false) -> FigureOption {
        FigureOption(name: name, takes: .text, summary: summary, isForPanels: isForPanels) { figure, value in
            guard case let .text(text) = value else { return .wrongType }
            figure.options[keyPath: path] = text
            return .done
        }
    }

    private static func flag(_ name: String, _ summary: String, _ set: @escaping @Sendable (inout Figure, Bool) -> Void) -> FigureOption {
        FigureOption(name: name, takes: .flag, summary: summary, isForPanels: false) { figure, value in
            guard case let .flag(flag) = value else { return .wrongType }
            set(&figure, flag)
            return .done
        }
    }

    private static func limits(_ name: String, _ summary: String, _ path: OptionPath<ClosedRange<Double>>) -> FigureOption {
        FigureOption(name: name, takes: .limits, summary: summary, isForPanels: false) { figure, value in
            guard case let .numbers(pair) = value, pair.count == 2 else { return .wrongType }
            guard pair[0].isFinite, pair[1].isFinite, pair[0] < pair[1] else {
                return .failed(.limits(option: name, lower: pair[0], upper: pair[1]))
            }
            figure.options[keyPath: path] = pair[0]...pair[1]
            return .done
        }
    }

    private static func pixels(_ name: String, _ summary: String, _ path: OptionPath<Int>) -> FigureOption {
        FigureOption(name: name, takes: .pixels, summary: summary, isForPanels: true) { figure, value in
            guard case let .number(number) = value else { return .wrongType }
            guard number >= 16, number <= Double(maximumPixels), let pixels = Int(exactly: number) else {
                return .failed(.pixels(option: name, number, limit: maximumPixels))
            }
            figure.options[keyPath: path] = pixels
            return .done
        }
    }

    @Sendable private static func name(_ mark: inout Mark, _ text: String) -> FigureError? {
        (mark.name, mark.isLabelled) = (text, true)
        return nil
    }

    /// A single text goes to every series, or to the first.
    private static func perSeries(
        _ name: String, _ summary: String, isForFirst: Bool = false, _ set: @escaping @Sendable (inout Mark, String) -> FigureError?
    ) -> FigureOption {
        FigureOption(name: name, takes: .texts, summary: summary, isForPanels: false) { figure, value in
            let texts: [String]
            switch value {
            case let .texts(several): texts = several
            case let .text(one): texts = Array(repeating: one, count: isForFirst ? 1 : max(figure.marks.count, 1))
            default: return .wrongType
            }
            guard texts.count <= max(figure.marks.count, 1) else {
                return .failed(.tooMany(option: name, count: texts.count, series: figure.marks.count))
            }
            for (index, text) in texts.enumerated() where index < figure.marks.count {
                if let error = set(&figure.marks[index], text) { return .failed(error) }
            }
            return .done
        }
    }
}
