// What a figure says in words: names stay as they are written, and whatever is left out is said.

import ActPlot
import Testing

@Suite struct StatementTests {
    private func text(_ figure: Figure, columns: Int = 72, rows: Int = 20) -> String {
        render(figure, TerminalStyle(columns: columns, rows: rows, glyphs: .braille, color: .none))
    }

    /// Names of bars are texts, whatever they look like; numbers on the other axis are set as numbers.
    @Test(arguments: ["relu", "elu", "gelu", "e", "1e5", "-1", "2e-3", "-x", "e1e1"])
    func namesOfBarsStay(name: String) throws {
        let figure = try Figure.bar(heights: [-2.5e7, 2.5e7], categories: [name, "other"])
        #expect(svg(figure).contains(">\(name)</text>"))
        #expect(svg(figure).contains(">−2×10⁷</text>"))
        #expect(text(figure).contains(name))
        let titled = try Figure.line(y: [1, 2]).setting([("title", .text(name)), ("xlabel", .text(name)), ("ylabel", .text(name)), ("label", .text(name))])
        #expect(svg(titled).split(separator: ">\(name)</text>", omittingEmptySubsequences: false).count == 5)
    }

    @Test func pixelsWithoutAColor() throws {
        for (channels, values) in [
            (1, [0, 0.5, .nan, 1]), (1, [0, 0.5, .infinity, 1]), (3, [1, 0, 0, 0, 1, 0, 0, .nan, 0, 1, 1, 1]),
            (4, [1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, -.infinity, 1, 1, 1, 1]),
        ] as [(Int, [Double])] {
            let figure = try Figure.image(values, rows: 2, columns: 2, channels: channels)
            let document = svg(figure)
            #expect(document.contains("fill=\"#ff2fa0\"") && document.contains(">1 pixel not finite</text>"))
            #expect(text(figure).contains("?"))
        }
        // One of very many is still seen, though a place in the picture stands for several.
        var many = [Double](repeating: 0.5, count: 1_000_000)
        many[123_456] = .nan
        #expect(svg(try .image(many, rows: 1000, columns: 1000)).contains("fill=\"#ff2fa0\""))
        let whole = svg(try .image([0, 0.5, 0.25, 1], rows: 2, columns: 2))
        #expect(!whole.contains("#ff2fa0") && !whole.contains("not finite"))
    }

    @Test func contoursWithoutLinesSayWhy() throws {
        func said(_ values: [Double], _ rows: Int, _ columns: Int, _ levels: [Double]? = nil) throws -> [String] {
            let figure = try Figure.contour(values, rows: rows, columns: columns, levels: levels)
            return [svg(figure), text(figure)]
        }
        for document in try said([3, 3, 3, 3], 2, 2) { #expect(document.contains("no lines: every value is 3")) }
        for document in try said([.nan, .nan, .nan, .nan], 2, 2) { #expect(document.contains("no finite values")) }
        for document in try said([1, 2, 3], 1, 3) { #expect(document.contains("no lines: one row has no area")) }
        for document in try said([1, 2, 3], 3, 1) { #expect(document.contains("no lines: one column has no area")) }
        for document in try said([1, 2, 3, 4], 2, 2, [7, 8]) { #expect(document.contains("no lines: no level lies among the values, 1 to 4")) }
        for document in try said([1, 2, .nan, 4], 2, 2) { #expect(document.contains("no lines")) }
        for document in try said([1, 2, 3, 4], 2, 2) { #expect(!document.contains("no lines")) }
        let both = try Figure.contour([3, 3, 3, 3], rows: 2, columns: 2).overlaid(with: .scatter(x: [0, 1], y: [0, 1]))
        #expect(svg(both).contains("no lines: every value is 3") && text(both).contains("no lines"))
    }

    @Test(arguments: [2, 5, 12, 30, 100])
    func legendsThatAreCutSaySo(count: Int) throws {
        let names = (0..<count).map { "series\($0)" }
        let figure = try Figure.lines(names.enumerated().map { (name: $1, y: [0, Double($0)]) })
        func check(_ document: String) {
            // A name ends where no digit follows.
            let shown = names.filter { name in
                document.split(separator: name, omittingEmptySubsequences: false).dropFirst().contains { $0.first?.isNumber != true }
            }.count
            let said = document.split(separator: "and ").compactMap { $0.split(separator: " more").first.flatMap { Int($0) } }.first ?? 0
            let all = document.contains("\(count) names") ? count : 0
            #expect(shown + said + all == count, "\(shown) \(said) \(all)\n\(document.count < 4000 ? document : "")")
        }
        for height in [120, 200, 450, 900] { check(svg(try figure.setting([("height", .number(Double(height)))]))) }
        for rows in [10, 20, 40] { check(text(figure, rows: rows)) }
    }

    @Test func aGivenLabelShows() throws {
        for figure in [
            try Figure.line(y: [1, 2], name: "y"), try .scatter(y: [1, 2], name: "y"), try .bar(heights: [1, 2], name: "y"),
            try .histogram([1, 2, 2], name: "y"),
        ] {
            func shows(_ figure: Figure, _ name: String) -> [Bool] { [svg(figure).contains(">\(name)</text>"), text(figure).contains(name)] }
            #expect(shows(figure, "y") == [false, false])
            for option in ["label", "labels"] { #expect(shows(try figure.setting([(option, .text("given"))]), "given") == [true, true]) }
            #expect(shows(try figure.setting([("label", .text("given")), ("legend", .flag(false))]), "given") == [false, false])
            #expect(shows(try figure.setting([("label", .text(""))]), "y") == [false, false])
            #expect(shows(try figure.setting([("legend", .flag(true))]), "y") == [true, true])
        }
    }

    /// On a system whose fonts have everything there is nothing to say.
    @Test func gapsNameScriptAndPackage() {
        #expect(Fonts.gaps(in: "plain text, σ(x) at 10⁻⁷ − × … é").isEmpty)
        for (text, script, package) in [
            ("한글", "Hangul", "fonts-noto-cjk"), ("活性化", "Chinese (Han)", "fonts-noto-cjk"), ("かな", "Hiragana", "fonts-noto-cjk"),
            ("ไทย", "Thai", "fonts-noto-core"), ("🙂", "emoji", "fonts-noto-color-emoji"),
        ] {
            for gap in Fonts.gaps(in: "x " + text + "\u{200d}\u{fe0f}") {
                #expect(gap.script == script && gap.package == package && text.unicodeScalars.starts(with: gap.characters.unicodeScalars))
            }
        }
    }
}
