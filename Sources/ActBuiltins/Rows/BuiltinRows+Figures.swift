// Figures: what programs pass becomes plain numbers and names here; everything else is the plot library's.

import ActArray
import ActMachine
import ActPlot
import ActRows
import ActSyntax
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension BuiltinRows {
    private static let options = optionText(FigureOption.parameters)

    private static func optionText(_ options: [Parameter]) -> String { "Options: \(options.map(\.name).joined(separator: " "))." }

    static let figures: [Builtin] = [
        Builtin(
            .figures, "plot", "lines: plot(y), plot(x, y1, y2, …), plot(x, f, g'), plot(f, f') from -5 to 5 or over xlim",
            details:
                "Functions are called with the x values. A matrix gives one line for each column, a record one for each of its vectors. Series are named after the expressions that made them. `kinks=true` marks where the slope of a function jumps. "
                + options,
            example: "type(plot([1, 4, 9]))   # \"figure\"", role: .steps
        ) { takes in
            _ = takes.rest("values")
            let kinks = takes.flag("kinks", default: false)
            takes.options(FigureOption.parameters)
            return { call in
                let (x, series) = try call.series()
                var figure = try call.overlaid(series.map { try Figure.line(x: $0.x ?? x, y: $0.values, name: $0.name, isCounted: $0.isCounted) })
                figure.options.xLabel = call.recordAxis
                return try call.figure(call[kinks] ? figure.annotated(call.kinkMarks(x ?? [])) : figure)
            }
        },
        Builtin(
            .figures, "scatter", "points: scatter(y), scatter(x, y1, y2, …), or a matrix of two columns", details: options,
            example: "type(scatter([1, 2, 3], [2, 4, 5]))   # \"figure\"", role: .steps
        ) { takes in
            let values = takes.rest("values")
            takes.options(FigureOption.parameters)
            return { call in
                if call[values].count == 1, case .array(let points) = call[values][0], points.rank == 2, points.shape[1] == 2 {
                    return try call.figure(Figure.scatter(x: points.column(0), y: points.column(1), name: call.argumentTexts.first))
                }
                let (x, series) = try call.series()
                return try call.figure(call.overlaid(series.map { try Figure.scatter(x: x, y: $0.values, name: $0.name) }))
            }
        },
        Builtin(
            .figures, "hist", "how often values fall into intervals; of several arrays, one over the other in the same intervals", details: options,
            example: "type(hist([1, 2, 2, 3], bins=3))   # \"figure\"", role: .steps
        ) { takes in
            let values = takes.rest("values"), bins = takes.wholeOrNone("bins")
            takes.options(FigureOption.parameters)
            return { call in
                if call[values].count > 1, let last = call[values].last?.number {
                    throw FigureRefusal.binsWithoutName(last)
                }
                let texts = call.argumentTexts
                let arrays = try call[values].enumerated().map { index, value in
                    (name: index < texts.count ? texts[index] : nil, values: try call.array(value, values).toDoubles())
                }
                return try call.figure(Figure.histograms(arrays, bins: call[bins]))
            }
        },
        Builtin(
            .figures, "bar", "bars: bar(heights), bar(places, heights1, heights2, …), where places are numbers or a list of strings", details: options,
            example: "type(bar((\"a\", \"b\"), [1, 2]))   # \"figure\"", role: .steps
        ) { takes in
            let values = takes.rest("values")
            takes.options(FigureOption.parameters)
            return { call in
                var categories: [String]?
                if call[values].count > 1, case .list(let list) = call[values][0] {
                    let names = call.strings(in: list)
                    if names.count == list.elements.count { categories = names }
                }
                let (x, series) = try call.series(skipsFirst: categories != nil)
                if series.count == 1, case .list(let labels)? = call.options.first(where: { $0.name == "labels" })?.value, labels.elements.count > 1 {
                    throw FigureRefusal.labelsOfOneSeries
                }
                return try call.figure(Figure.bars(x: x, categories: categories, series.map { (name: $0.name, heights: $0.values) }))
            }
        },
        Builtin(
            .figures, "heatmap", "colours for the numbers of a matrix: heatmap(z), heatmap(x, y, z)",
            details: "x are the places of the columns, y those of the rows, z a matrix or a function of x and y. " + options,
            example: "type(heatmap([[1, 2], [3, 4]]))   # \"figure\"",
            role: .steps
        ) { takes in
            _ = takes.rest("values")
            takes.options(FigureOption.parameters)
            return { call in
                let grid = try call.grid()
                return try call.figure(Figure.heatmap(grid.values, rows: grid.rows, columns: grid.columns, x: grid.x, y: grid.y))
            }
        },
        Builtin(
            .figures, "contour", "lines of equal value: contour(z), contour(x, y, z)",
            details:
                "x are the places of the columns, y those of the rows, z a matrix or a function of x and y. Where no line runs through the values, the figure says why. "
                + options,
            example: "x = linspace(-2, 2, 21); type(contour(x, x, (x, y) -> x^2 + y^2))   # \"figure\"", role: .steps
        ) { takes in
            _ = takes.rest("values")
            let levels = takes.arrayOrNone("levels")
            takes.options(FigureOption.parameters)
            return { call in
                let grid = try call.grid()
                return try call.figure(
                    Figure.contour(grid.values, rows: grid.rows, columns: grid.columns, x: grid.x, y: grid.y, levels: call[levels]?.toDoubles()))
            }
        },
        Builtin(
            .figures, "image", "a picture: rows and columns, or these and 3 or 4 channels (red, green, blue, opacity)",
            details:
                "Gray goes from 0 to 1, or to the largest number if that is above 1; colours go to 1, or to 255 if there are larger ones. Pixels with nan or an infinity are pink (`?` where there are no colours), and a note counts them. "
                + options, example: "type(image(zeros(8, 8)))   # \"figure\"", role: .steps
        ) { takes in
            let a = takes.array("a")
            takes.options(FigureOption.parameters)
            return { call in
                let array = try call[a]
                if array.rank == 1, let side = squareRoot(array.count) {
                    throw FigureRefusal.imageOfVector(array.count, side: side)
                }
                guard array.rank == 2 || array.rank == 3 else { throw FigureRefusal.imageAxes(array.shape) }
                let channels = array.rank == 3 ? array.shape[2] : 1
                return try call.figure(Figure.image(array.toDoubles(), rows: array.shape[0], columns: array.shape[1], channels: channels))
            }
        },
        Builtin(
            .figures, "panels", "figures side by side, row by row",
            details: optionText(FigureOption.panelParameters) + " `fig1 + fig2` draws both in one frame.",
            example: "type(panels(plot(relu), plot(tanh)))   # \"figure\"", role: .steps
        ) { takes in
            let figures = takes.rest("figures"), columns = takes.whole("columns", default: 2)
            takes.options(FigureOption.panelParameters)
            return { call in
                let parts = try call[figures].map { value -> Figure in
                    guard case .figure(let value) = value else { throw call.fail(figures, .figure, value) }
                    return value.figure
                }
                return try call.figure(Figure.panels(parts, columns: call[columns]))
            }
        },
    ]
}

extension NDArray {
    /// The numbers in a column of a matrix.
    fileprivate func column(_ column: Int) throws -> [Double] {
        try indexed(by: [.slice(start: nil, stop: nil, step: nil), .integer(column)]).toDoubles()
    }
}

/// The side of a square of so many numbers, if they make one.
private func squareRoot(_ count: Int) -> Int? {
    let side = Int(Double(count).squareRoot().rounded())
    return side > 1 && side * side == count ? side : nil
}

private struct Series {
    let name: String?
    package let values: [Double]
    /// Its own places, where they are not those of all series.
    var x: [Double]?
    /// Whether x counts something.
    var isCounted = false
}

extension Call {
    /// The figure with the options of the call.
    fileprivate func figure(_ figure: Figure) throws -> Value {
        try Interrupt.check()
        let values = try options.map { name, value -> (name: String, value: OptionValue) in
            guard FigureOption.rows.contains(where: { $0.name == name }) else {
                let names = form.options.map(\.name)
                let near = suggest(name, among: names + form.parameters.filter { !$0.isVariadic }.map(\.name))
                throw FigureRefusal.noOption(name, of: row.name, near: near.first, others: names)
            }
            return (name, try option(name, value))
        }
        return .figure(FigureValue(try figure.setting(values)))
    }

    fileprivate func strings(in list: List) -> [String] {
        list.elements.compactMap { if case .string(let text) = $0 { Message.cut(text.string) } else { nil } }
    }

    private func option(_ name: String, _ value: Value) throws -> OptionValue {
        switch value {
        case .bool(let flag): return .flag(flag)
        case .number(let number): return .number(number)
        // A picture has no room for long texts.
        case .string(let text): return .text(Message.cut(text.string))
        case .array(let array): return .numbers(try array.toDoubles())
        case .list(let list):
            let texts = strings(in: list)
            let numbers = list.elements.compactMap { if case .number(let number) = $0 { number } else { nil } }
            if texts.count == list.elements.count { return .texts(texts) }
            if numbers.count == list.elements.count { return .numbers(numbers) }
        default: break
        }
        throw FigureRefusal.optionKind(name, value, expected: form.options.first { $0.name == name }?.expected)
    }

    fileprivate func overlaid(_ figures: [Figure]) throws -> Figure {
        guard var result = figures.first else { throw FigureError.empty(.values) }
        for figure in figures.dropFirst() { result = try result.overlaid(with: figure) }
        return result
    }

    /// The points at which functions are drawn when no x is given: 1,001 from −5 to 5, or over `xlim`, on a logarithmic axis in equal ratios.
    private func functionPlaces() throws -> NDArray {
        let count = 1001
        func given(_ name: String) throws -> OptionValue? { try options.last { $0.name == name }.map { try option(name, $0.value) } }
        // Limits that are none are an error when they are set.
        guard case .numbers(let limits)? = try given("xlim"), limits.count == 2, limits[0] < limits[1], limits[0].isFinite, limits[1].isFinite else {
            return try NDArray.linspace(-5, 5, count)
        }
        guard case .flag(true)? = try given("logx"), limits[0] > 0 else { return try NDArray.linspace(limits[0], limits[1], count) }
        let places = try NDArray.linspace(log(limits[0]), log(limits[1]), count).toDoubles().map(exp)
        return try NDArray([limits[0]] + places.dropFirst().dropLast() + [limits[1]], shape: [count])
    }

    /// A mark at each kink of the functions among the arguments, within the range of x.
    fileprivate func kinkMarks(_ x: [Double]) throws -> [Figure.Annotation] {
        guard let low = x.min(), let high = x.max(), low < high, (high - low).isFinite else { return [] }
        var places: Set<Double> = []
        for case .function(let function) in rest {
            for kink in try kinks(of: (function as? DerivedFunction)?.base ?? function, over: low...high) where (low...high).contains(kink.x) {
                places.insert(kink.x)
            }
        }
        return places.sorted().map { Figure.Annotation(x: $0, text: "kink at \(Format.number($0))") }
    }

    /// The x values and the series over them. Without x (one array) they are drawn over 0, 1, 2 …
    /// - Parameter skipsFirst: whether the first argument has been seen to.
    fileprivate func series(skipsFirst: Bool = false) throws -> (x: [Double]?, series: [Series]) {
        let texts = argumentTexts
        func name(_ index: Int) -> String? { index < texts.count ? texts[index] : nil }
        guard !rest.isEmpty else {
            if options.contains(where: { $0.name == "y" }) { throw FigureRefusal.namedValues(row.name) }
            throw RuntimeError.missingArgument("values", of: row.name)
        }
        if rest.count > 1, case .string(let text)? = rest.last {
            let spelling = FigureOption.spelling(ofFormat: text.string)
            throw FigureRefusal.formatOfLine(row.name, text.string, options: spelling)
        }
        if rest.count == 1, case .record(let record) = rest[0] { return try columns(of: record) }
        if case .function = rest[0] {
            let x = try functionPlaces()
            return (
                try x.toDoubles(),
                try rest.enumerated().map { index, value in
                    guard case .function(let f) = value else {
                        throw FigureRefusal.placesAfterFunction(row.name)
                    }
                    return Series(name: name(index) ?? f.name, values: try self.values(of: f, at: x))
                }
            )
        }
        if skipsFirst { return (nil, try rest.enumerated().dropFirst().flatMap { try series($0.element, at: nil, name($0.offset)) }) }
        if rest.count == 1 { return (nil, try series(rest[0], at: nil, name(0))) }
        let x = try array(rest[0], at: 0)
        guard x.rank <= 1 else { throw FigureRefusal.placesShape(x.shape) }
        return (try x.toDoubles(), try rest.enumerated().dropFirst().flatMap { try series($0.element, at: x, name($0.offset)) })
    }

    /// What the x values count when a record such as `history` or `gradient_flow` gives is drawn.
    fileprivate var recordAxis: String? {
        guard rest.count == 1, case .record(let record) = rest[0] else { return nil }
        return ["epoch", "layer"].first { record[$0] != nil }
    }

    /// The columns of a record, such as `history` gives, over `epoch` if there is one.
    private func columns(of record: Record) throws -> (x: [Double]?, series: [Series]) {
        var x: [Double]?
        var series: [Series] = []
        // In a table of layers NaN says that a layer has none of something: the line goes on to the next that has.
        let isOfLayers = if case .list? = record["layer"] { true } else { false }
        for (name, value) in record.fields {
            guard case .array(let array) = value, array.rank == 1 else { continue }
            let numbers = try array.toDoubles()
            if name == "epoch" {
                x = numbers
            } else if isOfLayers {
                let places = numbers.indices.filter { !numbers[$0].isNaN }
                if !places.isEmpty { series.append(Series(name: name, values: places.map { numbers[$0] }, x: places.map(Double.init), isCounted: true)) }
            } else {
                series.append(Series(name: name, values: numbers, isCounted: x != nil))
            }
        }
        guard !series.isEmpty else { throw FigureRefusal.noVectors }
        return (x, series)
    }

    private func series(_ value: Value, at x: NDArray?, _ name: String?) throws -> [Series] {
        if case .function(let f) = value, let x { return [Series(name: name ?? f.name, values: try values(of: f, at: x))] }
        let array = try array(value, at: 0)
        switch array.rank {
        case 0, 1: return [Series(name: name, values: try array.toDoubles())]
        case 2:
            let (rows, columns) = (array.shape[0], array.shape[1])
            if let x, x.count == columns, x.count != rows {
                throw FigureRefusal.matrixRows(places: x.count, rows: rows, columns: columns, row.name)
            }
            guard columns <= 256 else {
                throw FigureRefusal.tooManyLines(columns)
            }
            return try (0..<columns).map { column in Series(name: (name ?? "") + "[:, \(column)]", values: try array.column(column)) }
        default: throw ArrayError.rankMismatch(operation: row.name, ranks: 1...2, shape: array.shape)
        }
    }

    /// f of all x at once; or of each, when f does not take an array (`if x > 0 …`) or does not act on its elements.
    private func values(of f: Function, at x: NDArray) throws -> [Double] {
        var failure: Fault?
        do {
            if case .array(let result) = try machine.call(f, Arguments([.array(x)])), result.shape == x.shape { return try result.toDoubles() }
        } catch let fault as Fault where fault.kind == .error {
            failure = fault
        }
        do {
            return try x.toDoubles().map { element in
                switch try machine.call(f, Arguments([.number(element)])) {
                case .number(let y): return y
                case .bool(let bool): return bool ? 1 : 0
                case .array(let array) where array.count == 1: return try array.item()
                case let other: throw FigureRefusal.notAHeight(other, from: f.name)
                }
            }
        } catch let fault as Fault where fault.kind == .error {
            throw failure ?? fault
        }
    }

    /// A matrix with the places of its columns and rows, if given.
    fileprivate func grid() throws -> (values: [Double], rows: Int, columns: Int, x: [Double]?, y: [Double]?) {
        switch rest.count {
        case 1:
            let z = try array(rest[0], at: 0)
            guard z.rank == 2 else { throw ArrayError.rankMismatch(operation: row.name, ranks: 2...2, shape: z.shape) }
            return (try z.toDoubles(), z.shape[0], z.shape[1], nil, nil)
        case 3:
            let x = try place(rest[0], axis: 1), y = try place(rest[1], axis: 0)
            let z: NDArray
            if case .function(let f) = rest[2] {
                let places = try NDArray.meshgrid([x, y])
                z = try array(machine.call(f, Arguments(places.map { .array($0) })), at: 0).broadcast(to: [y.count, x.count])
            } else {
                z = try array(rest[2], at: 0)
            }
            guard z.rank == 2 else { throw ArrayError.rankMismatch(operation: row.name, ranks: 2...2, shape: z.shape) }
            return (try z.toDoubles(), z.shape[0], z.shape[1], try x.toDoubles(), try y.toDoubles())
        default: throw FigureRefusal.gridArguments(row.name, rest.count)
        }
    }

    /// The places along an axis: a vector, or a grid as `meshgrid` makes it.
    private func place(_ value: Value, axis: Int) throws -> NDArray {
        let array = try array(value, at: 0)
        if array.rank == 2, !array.shape.contains(0) {
            let all = NDArray.Index.slice(start: nil, stop: nil, step: nil)
            return try array.indexed(by: axis == 1 ? [.integer(0), all] : [all, .integer(0)])
        }
        guard array.rank <= 1 else { throw ArrayError.rankMismatch(operation: row.name, ranks: 0...1, shape: array.shape) }
        return array.rank == 0 ? try array.reshaped(to: [1]) : array
    }
}
