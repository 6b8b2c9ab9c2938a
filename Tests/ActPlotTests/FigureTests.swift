import ActPlot
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct FigureTests {
    @Test func badDataIsRefused() {
        #expect(throws: FigureError.lengths(.x, 2, with: .y, 3)) { try Figure.line(x: [1, 2], y: [1, 2, 3]) }
        #expect(throws: FigureError.lengths(.x, 1, with: .y, 0)) { try Figure.scatter(x: [1], y: []) }
        #expect(throws: FigureError.lengths(.labels, 1, with: .heights, 2)) { try Figure.bar(heights: [1, 2], categories: ["a"]) }
        #expect(throws: FigureError.lengths(.edges, 2, with: .edgesOfCounts, 3)) {
            try Figure.histogram(edges: [0, 1], counts: [1, 2])
        }
        #expect(throws: FigureError.notIncreasing(.edges, index: 1)) { try Figure.histogram(edges: [1, 1], counts: [1]) }
        #expect(throws: FigureError.bins(0)) { try Figure.histogram([1], bins: 0) }
        #expect(throws: FigureError.gridSize(count: 3, rows: 2, columns: 2, channels: 1)) {
            try Figure.heatmap([1, 2, 3], rows: 2, columns: 2)
        }
        #expect(throws: FigureError.gridSize(count: 0, rows: .max, columns: .max, channels: 1)) {
            try Figure.heatmap([], rows: .max, columns: .max)
        }
        #expect(throws: FigureError.empty(.cells)) { try Figure.contour([], rows: 0, columns: 0) }
        #expect(throws: FigureError.notIncreasing(.y, index: 1)) { try Figure.contour([1, 2], rows: 2, columns: 1, y: [1, .nan]) }
        #expect(throws: FigureError.channels(2)) { try Figure.image([1, 2], rows: 1, columns: 1, channels: 2) }
        #expect(throws: FigureError.empty(.series)) { try Figure.lines([]) }
        #expect(throws: FigureError.empty(.panels)) { try Figure.panels([]) }
    }

    @Test func optionsAreSetByName() throws {
        let figure = try Figure.lines([("a", [1, 2]), ("b", [2, 1])]).setting([
            ("title", .text("t")), ("xlim", .numbers([0, 1])), ("logy", .flag(true)), ("labels", .texts(["c", "d"])),
            ("color", .text("red")),
            ("style", .texts(["--"])), ("marker", .text("o")), ("width", .number(800)),
        ])
        #expect(figure.options.title == "t")
        #expect(figure.options.xLimits == 0...1)
        #expect(figure.options.yIsLogarithmic)
        #expect(figure.marks.map(\.name) == ["c", "d"])
        #expect(figure.marks.map(\.color) == [Color("red"), Color("red")])
        #expect(figure.marks.map(\.style) == [.dashed, nil])
        #expect(figure.marks.map(\.marker) == [.circle, .circle])
        #expect(figure.pixelSize.width == 800)
    }

    @Test(
        arguments: [
            ("colour", .text("red"), .unknownOption("colour")),
            ("title", .number(1), .optionType(option: "title", takes: .text)),
            ("xlim", .numbers([1]), .optionType(option: "xlim", takes: .limits)),
            ("xlim", .numbers([2, 1]), .limits(option: "xlim", lower: 2, upper: 1)),
            ("color", .text("rde"), .unknownColor("rde")),
            ("style", .text("wavy"), .unknownStyle("wavy")),
            ("marker", .text("oo"), .unknownMarker("oo")),
            ("labels", .texts(["a", "b"]), .tooMany(option: "labels", count: 2, series: 1)),
            ("width", .number(1e9), .pixels(option: "width", 1e9, limit: 10_000)),
            ("height", .number(100.5), .pixels(option: "height", 100.5, limit: 10_000)),
        ] as [(String, OptionValue, FigureError)])
    func badOptionsAreRefused(_ name: String, _ value: OptionValue, _ error: FigureError) throws {
        let figure = try Figure.line(y: [1, 2])
        #expect(throws: error) { try figure.setting([(name, value)]) }
    }

    // What the formats of matplotlib and MATLAB mean, from their documentation.
    @Test(
        arguments: [
            ("r--", "color=\"red\", style=\"--\""), ("o", "marker=\"o\""), ("b-", "color=\"blue\", style=\"-\""), ("k.", "color=\"black\", marker=\".\""),
            ("go:", "color=\"green\", marker=\"o\", style=\":\""), ("-.", "style=\"-.\""), ("xs", nil), ("", nil), ("label", nil),
        ] as [(String, String?)])
    func formatsAreSpelledOut(_ format: String, _ spelling: String?) {
        #expect(FigureOption.spelling(ofFormat: format) == spelling)
    }

    @Test func aHistogramOfOneValueHasItInTheMiddle() throws {
        #expect(try Figure.histogram([5, 5]).marks.map(\.shape) == [.histogram(edges: [4.5, 5.5], counts: [2])])
    }

    @Test func histogramsShareTheirIntervals() throws {
        let figure = try Figure.histograms([("a", [0, 1, 1]), ("b", [.nan, 4])], bins: 4)
        #expect(
            figure.marks.map(\.shape) == [
                .histogram(edges: [0, 1, 2, 3, 4], counts: [1, 2, 0, 0]), .histogram(edges: [0, 1, 2, 3, 4], counts: [0, 0, 0, 1]),
            ])
        #expect(render(figure, TerminalStyle()).contains("1 point not finite"))
    }

    @Test func logarithmicAxesNeedPositiveLimits() throws {
        let figure = try Figure.line(y: [1, 2])
        #expect(throws: FigureError.notPositiveLimit(option: "ylim", lower: 0)) {
            try figure.setting([("logy", .flag(true)), ("ylim", .numbers([0, 1]))])
        }
    }

    @Test(
        arguments: [
            ("red", 0xe5, 0x48, 0x4d), ("r", 0xe5, 0x48, 0x4d), ("#0a0", 0, 0xaa, 0), ("#123456", 0x12, 0x34, 0x56),
            ("C0", 0x3b, 0x82, 0xf6),
            ("C8", 0x3b, 0x82, 0xf6), ("grey", 0x80, 0x80, 0x80),
        ] as [(String, UInt8, UInt8, UInt8)])
    func colorsAreRead(_ text: String, _ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        #expect(Color(text) == Color(red, green, blue))
    }

    @Test(arguments: ["", "#", "#12", "#12345", "#+12", "#gggggg", "C", "C-1", "reddish", "C99999999999999999999"])
    func otherColorsAreNot(_ text: String) {
        #expect(Color(text) == nil)
    }

    /// WCAG: 3:1 is enough for graphics; every colour of the cycle has 2.9:1 on white and on black at least.
    @Test func theCycleIsReadableOnWhiteAndBlack() {
        for row in Color.rows.prefix(8) {
            func linear(_ byte: UInt8) -> Double {
                let value = Double(byte) / 255
                return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
            }
            let luminance = 0.2126 * linear(row.color.red) + 0.7152 * linear(row.color.green) + 0.0722 * linear(row.color.blue)
            #expect(1.05 / (luminance + 0.05) > 2.9, "\(row.name) on white")
            #expect((luminance + 0.05) / 0.05 > 2.9, "\(row.name) on black")
        }
    }

    @Test func overlayingKeepsBothAndTheFirstOptions() throws {
        let first = try Figure.line(y: [1, 2]).setting([("title", .text("first"))])
        let second = try Figure.bar(heights: [1]).setting([("title", .text("second")), ("xlabel", .text("x"))])
        let both = try first.overlaid(with: second)
        #expect(both.marks.count == 2)
        #expect(both.options.title == "first")
        #expect(both.options.xLabel == "x")
    }

    @Test func panelsAreBounded() throws {
        let figure = try Figure.line(y: [1, 2])
        #expect(try Figure.panels([figure]) == figure)
        var panels = try Figure.panels([figure, figure])
        #expect(throws: FigureError.overlaysPanels) { try panels.overlaid(with: figure) }
        #expect(throws: FigureError.optionOfPanels("xlabel")) { try panels.setting([("xlabel", .text("x"))]) }
        #expect(throws: FigureError.panelColumns(0)) { try Figure.panels([figure, figure], columns: 0) }
        for _ in 0..<7 { panels = try Figure.panels([panels, panels]) }
        #expect(throws: FigureError.tooManyPanels(512, limit: 256)) { try Figure.panels([panels, panels]) }
    }

    // numpy.histogram([0, 0.5, 1, 2, 2, 3, 10], bins=5) and numpy.histogram(numpy.arange(101), bins=100)
    @Test func histogramsCountLikeNumPy() throws {
        let figure = try Figure.histogram([0, 0.5, 1, 2, .nan, 2, 3, 10], bins: 5)
        #expect(figure.marks[0].shape == .histogram(edges: [0, 2, 4, 6, 8, 10], counts: [3, 3, 0, 0, 1]))
        guard case .histogram(_, let counts) = try Figure.histogram((0...100).map(Double.init), bins: 100).marks[0].shape else { return }
        #expect(counts == [Double](repeating: 1, count: 99) + [2])
    }

    @Test func imagesTakeBytesAndFractions() throws {
        func pixels(_ values: [Double], channels: Int = 1) throws -> [Color] {
            guard
                case .image(let picture) = try Figure.image(values, rows: 1, columns: values.count / channels, channels: channels).marks[0]
                    .shape
            else { return [] }
            return picture.pixels
        }
        #expect(try pixels([0, 1]) == [Color(0, 0, 0), Color(255, 255, 255)])
        #expect(try pixels([0, 128, 255]) == [Color(0, 0, 0), Color(128, 128, 128), Color(255, 255, 255)])
        // Gray is stretched to its largest value: 4-bit digits are as bright as bytes.
        #expect(try pixels([0, 8, 16]) == [Color(0, 0, 0), Color(128, 128, 128), Color(255, 255, 255)])
        #expect(try pixels([0, 0.5]) == [Color(0, 0, 0), Color(128, 128, 128)])
        #expect(try pixels([0, 0]) == [Color(0, 0, 0), Color(0, 0, 0)])
        #expect(try pixels([-1, 1]) == [Color(0, 0, 0), Color(255, 255, 255)])
        #expect(try pixels([-0.1, 1, 0.5], channels: 3) == [Color(0, 255, 128)])
        #expect(try pixels([1, 0, 0, 0.5], channels: 4) == [Color(255, 128, 128)])
    }
}
