// Figures of every kind, among them such as break renderers. Tests of all renderers loop over them.

import ActPlot
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A figure with its name in test reports.
struct Example: CustomTestStringConvertible, Sendable {
    let name: String
    let figure: Figure

    var testDescription: String { name }
}

enum Gallery {
    static let x = (0..<100).map { Double($0) / 10 - 5 }
    static let most = Double.greatestFiniteMagnitude
    static let wave = (0..<24).map { sin(Double($0) * 0.7) + Double($0 % 6) / 3 }

    static let examples: [Example] = {
        do { return try build() } catch { return [] }
    }()

    static func build() throws -> [Example] { try usual() + extreme() }

    private static func pair() throws -> Figure {
        let sigmoid = x.map { 1 / (1 + exp(-$0)) }
        return try Figure.lines(x: x, [("sigmoid", sigmoid), ("sigmoid'", sigmoid.map { $0 * (1 - $0) })])
    }

    private static func usual() throws -> [Example] {
        let pair = try Self.pair()
        let korean = try pair.setting([
            ("title", .text("시그모이드 함수 🙂 e\u{301}")), ("xlabel", .text("입력")), ("ylabel", .text("출력 값")),
            ("labels", .texts(["시그모이드", "기울기"])), ("grid", .flag(true)),
        ])
        let hostile = try Figure.bar(heights: [1, 2, 3], categories: ["\u{1b}[31mred", "<&\"'>", "a\u{0}\u{7}\u{200b}\u{202e}b\nc\td"])
            .setting([("title", .text("\u{1b}]0;x\u{7} <b>&amp;\u{fffe} " + String(repeating: "\u{301}", count: 500)))])
        let heat = try Figure.heatmap(wave, rows: 4, columns: 6)
        let contour = try Figure.contour(wave, rows: 4, columns: 6, x: [0, 1, 2, 4, 8, 16], y: [-1, 0, 1, 2])
        let named: [(String, Figure)] = [
            ("relu", try .line(y: x.map { max($0, 0) }, name: "relu(x)")),
            ("pair", pair),
            ("korean", korean),
            ("hostile", hostile),
            ("step", try .line(x: x, y: x.map { $0 >= 0 ? 1 : 0 })),
            ("bars", try .bars([("train", [1, -2, 3.5]), ("test", [0.5, -1, .nan])])),
            ("bars of nothing", try .bar(x: [.nan, 1], heights: [1, .infinity])),
            ("many bars", try .bar(heights: (0..<5000).map { Double($0 % 97) })),
            ("histogram", try .histogram(wave, bins: 7)),
            ("histogram of nothing", try .histogram([.nan, .infinity])),
            ("scatter", try .scatter(x: x, y: x.map { $0 * $0 }).setting([("marker", .text("x"))])),
            ("large scatter", try .scatter(x: (0..<3000).map { cos(Double($0)) }, y: (0..<3000).map { sin(Double($0) * 1.3) })),
            ("heatmap", heat),
            ("heatmap with gaps", try .heatmap([1, .nan, .infinity, 2], rows: 2, columns: 2, x: [1, 10], y: [2, 3])),
            (
                "heatmap on logarithmic axes",
                try Figure.heatmap(wave, rows: 4, columns: 6).setting([("logx", .flag(true)), ("logy", .flag(true))])
            ),
            ("large heatmap", try .heatmap((0..<60_000).map { Double($0 % 331) }, rows: 200, columns: 300)),
            ("image", try .image((0..<48).map { Double($0 * 5) }, rows: 4, columns: 4, channels: 3)),
            ("tall image", try .image((0..<400).map(Double.init), rows: 400, columns: 1)),
            ("contour", contour),
            ("contour with a path", try contour.overlaid(with: .line(x: [0, 5, 9], y: [0, 1, 0], name: "SGD"))),
            (
                "annotated",
                pair.annotated([.init(x: 0, text: "kink"), .init(x: 4.9, text: "꺾임"), .init(x: 99, text: ""), .init(x: .nan, text: "n")])
            ),
            ("styles", try pair.setting([("style", .texts(["--", ":"])), ("marker", .text("d")), ("color", .texts(["red", "#0a0"]))])),
            ("many series", try .lines(x: x, (0..<40).map { k in ("series \(k)", x.map { $0 * Double(k) }) })),
            ("panels", try .panels([pair, heat, hostile, contour, korean], columns: 3)),
            ("nested panels", try .panels([.panels([pair, korean], columns: 1), heat])),
        ]
        return named.map { Example(name: $0.0, figure: $0.1) }
    }

    /// Logarithmic axes, gaps, and numbers at the ends of what there is.
    private static func extreme() throws -> [Example] {
        let named: [(String, Figure)] = [
            (
                "logarithmic",
                try Figure.line(x: [1, 10, 0, 1e5], y: [1e-3, 5, 1, -1]).setting([("logx", .flag(true)), ("logy", .flag(true))])
            ),
            ("logarithmic, nothing above 0", try Figure.line(y: [-1, 0]).setting([("logy", .flag(true))])),
            ("logarithmic bars", try Figure.bar(heights: [1, 100, 0]).setting([("logy", .flag(true))])),
            ("gaps", try .line(x: x, y: x.map { log($0) })),
            ("nothing finite", try .line(y: [.nan, .infinity, -.infinity])),
            ("empty", try .line(y: [])),
            ("one point", try .line(x: [3], y: [7])),
            ("constant", try .line(y: [3, 3, 3])),
            ("nearly constant", try .line(y: [0.3, 0.1 + 0.2])),
            ("largest", try .line(x: [-most, 0, most], y: [-most, most, 0])),
            ("smallest", try .line(x: [0, .leastNonzeroMagnitude], y: [.leastNonzeroMagnitude, -.leastNonzeroMagnitude])),
            ("wide range", try .line(x: [1e-300, 1, 1e300], y: [1e300, 1, 1e-300])),
            (
                "wide range, logarithmic",
                try Figure.line(x: [.leastNonzeroMagnitude, 1, most], y: [most, 1, .leastNonzeroMagnitude]).setting([
                    ("logx", .flag(true)), ("logy", .flag(true)),
                ])
            ),
            ("far outside", try Figure.line(x: x, y: x.map { $0 * 1e300 }).setting([("ylim", .numbers([0, 1e-300]))])),
            ("limits without data", try Figure.line(x: x, y: x).setting([("xlim", .numbers([100, 200]))])),
            ("narrow limits", try Figure.line(x: x, y: x).setting([("xlim", .numbers([1, 1.0000000000000002]))])),
        ]
        return named.map { Example(name: $0.0, figure: $0.1) }
    }
}
