import ActPlot
import ActText
import Testing

@Suite struct TerminalTests {
    static let sizes = [(72, 20), (80, 24), (40, 10), (23, 7), (10, 3), (3, 3), (2, 9), (9, 1), (1, 1), (0, -5), (131, 61)]

    /// Text without the escape sequences for colours, which are the only ones that may occur.
    static func plain(_ text: String) -> String {
        var result = ""
        var isEscape = false
        for character in text {
            if character == "\u{1b}" { isEscape = true }
            if !isEscape { result.append(character) }
            if isEscape && character == "m" { isEscape = false }
        }
        return result
    }

    @Test func galleryIsComplete() throws {
        #expect(try Gallery.build().count == Gallery.examples.count)
        #expect(Gallery.examples.count > 30)
    }

    @Test(arguments: Gallery.examples)
    func noLineExceedsTheAskedWidth(_ example: Example) {
        for (columns, rows) in TerminalTests.sizes {
            for glyphs in [TerminalStyle.Glyphs.braille, .ascii] {
                for color in [TerminalColor.none, .ansi16, .truecolor] {
                    let text = render(example.figure, TerminalStyle(columns: columns, rows: rows, glyphs: glyphs, color: color))
                    let plain = TerminalTests.plain(text)
                    let lines = plain.split(separator: "\n", omittingEmptySubsequences: false)
                    #expect(lines.count <= max(rows, 1))
                    #expect(lines.allSatisfy { displayWidth($0) <= max(columns, 1) }, "\(columns)×\(rows) \(glyphs) \(color)\n\(plain)")
                    #expect(!plain.contains(" \n") && plain.last != " " && plain.last != "\n")
                    #expect(plain.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
                    if color == .none { #expect(text == plain) }
                }
            }
        }
    }

    @Test(arguments: Gallery.examples.filter { !["korean", "hostile", "annotated", "panels", "nested panels"].contains($0.name) })
    func asciiIsASCII(_ example: Example) {
        #expect(render(example.figure, TerminalStyle(glyphs: .ascii)).utf8.allSatisfy { $0 < 128 })
    }

    // MARK: - Golden texts, checked by eye

    static let x = (0...40).map { Double($0) / 4 - 5 }

    @Test func relu() throws {
        let figure = try Figure.line(x: TerminalTests.x, y: TerminalTests.x.map { max($0, 0) }, name: "relu(x)")
        #expect(
            render(figure, TerminalStyle(columns: 40, rows: 10)) == """
                  ┌────────────────────────────────────┐
                  │                  ┊              ⢀⠔⠉│
                4 ┤                  ┊           ⢀⡠⠊⠁  │
                  │                  ┊         ⣀⠔⠁     │
                  │                  ┊      ⢀⠤⠊        │
                2 ┤                  ┊   ⢀⡠⠔⠁          │
                  │                  ┊ ⣀⠤⠃             │
                0 ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡠⠊                │
                  └───┬──────┬───────┬──────┬──────┬───┘
                     -4     -2       0      2      4
                """)
    }

    @Test func reluInASCII() throws {
        let figure = try Figure.line(x: TerminalTests.x, y: TerminalTests.x.map { max($0, 0) }, name: "relu(x)")
        #expect(
            render(figure, TerminalStyle(columns: 40, rows: 10, glyphs: .ascii)) == """
                  +------------------------------------+
                  |                  :               **|
                4 +                  :             **  |
                  |                  :         ****    |
                  |                  :      ***        |
                2 +                  :    ***          |
                  |                  :****             |
                0 +*******************                 |
                  +----+------+------+------+------+---+
                      -4     -2      0      2      4
                """)
    }

    @Test func koreanLabelsAndTwoSeriesWithoutColors() throws {
        // Exact functions of IEEE arithmetic, so that no platform's libm can move a dot.
        let figure = try Figure.lines(
            x: TerminalTests.x,
            [("hard_tanh", TerminalTests.x.map { min(max($0, -1), 1) }), ("기울기", TerminalTests.x.map { abs($0) < 1 ? 1 : 0 })]
        ).setting([("title", .text("함수와 기울기")), ("xlabel", .text("x")), ("ylabel", .text("y"))])
        #expect(
            render(figure, TerminalStyle(columns: 40, rows: 12)) == """
                y              함수와 기울기
                   ┌───────────────────────────────────┐
                 1 ┤              ⢸⠉⠉o⠉⠉⡟⠉⠉*⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉⠉│
                   │              ⢸  ┊ ⡰⢇              │
                   │              ⡇  ┊⡜ ⢸              │
                 0 ┤o⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤o⠤⠇┈┈⡰⠁┈⠸⠤⠤o⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤│
                   │                *⠁                 │
                   │               ⡜ ┊   ⠤*⠤ hard_tanh │
                -1 ┤⣀⣀⣀⣀⣀⣀*⣀⣀⣀⣀⣀⣀⣀⡜  ┊   ⠤o⠤ 기울기    │
                   └───┬──────┬──────┬──────┬──────┬───┘
                      -4     -2      0      2      4
                                     x
                """)
    }

    @Test func barsWithCategories() throws {
        let figure = try Figure.bar(heights: [0.1, 0.7, -0.2], categories: ["가", "b", "c"])
        #expect(
            render(figure, TerminalStyle(columns: 40, rows: 10)) == """
                    ┌─────────────────────────────────┐
                    │            █████████            │
                0.5 ┤            █████████            │
                    │            █████████            │
                    │            █████████            │
                    │ ▃▃▃▃▃▃▃▃▃  █████████            │
                0.0 ┤┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈█████████┈│
                    │                       █████████ │
                    └─────┬──────────┬──────────┬─────┘
                          가         b          c
                """)
    }

    @Test func heatmapInASCII() throws {
        let figure = try Figure.heatmap([0, 1, 2, 3, 4, 5], rows: 2, columns: 3)
        #expect(
            render(figure, TerminalStyle(columns: 40, rows: 10, glyphs: .ascii)) == """
                  +------------------------------+
                  |          ::::::::::==========| @@ 5
                0 +          ::::::::::==========| ##
                  |          ::::::::::==========| ++
                  |**********%%%%%%%%%%@@@@@@@@@@| ==
                1 +**********%%%%%%%%%%@@@@@@@@@@| ::
                  |**********%%%%%%%%%%@@@@@@@@@@|    0
                  +-----+---------+--------+-----+
                        0         1        2
                """)
    }

    // MARK: - What must be seen

    @Test func aSpikeAmongVeryManyPointsIsSeen() throws {
        var y = [Double](repeating: 0, count: 200_000)
        y[123_456] = 1
        let lines = render(try .line(y: y), TerminalStyle(columns: 40, rows: 12, glyphs: .ascii)).split(separator: "\n")
        let columns = lines.dropFirst().prefix(8).map { line in line.enumerated().filter { $0.element == "*" }.map(\.offset) }
        // One unbroken column of stars, at its place along the axis.
        #expect(Set(columns).count == 1)
        #expect(columns.first?.count == 1)
    }

    /// The labels below the frame.
    private func xLabels(_ figure: Figure, columns: Int = 72) -> [Substring] {
        render(figure, TerminalStyle(columns: columns, glyphs: .ascii)).split(separator: "\n").last?.split(separator: " ") ?? []
    }

    @Test func xKeepsItsRangeUnderLimitsOfY() throws {
        let figure = try Figure.line(x: [-5, 0, 5], y: [0, 0, 5]).setting([("ylim", .numbers([-0.1, 1.1]))])
        #expect(xLabels(figure) == ["-4", "-2", "0", "2", "4"])
    }

    @Test func whatIsCountedHasWholeLabels() throws {
        #expect(xLabels(try .line(y: [1, 4, 9])) == ["0", "1", "2"])
        #expect(xLabels(try .line(y: [1, 4])) == ["0", "1"])
        #expect(xLabels(try .line(x: [1, 2], y: [1, 4], isCounted: true)) == ["1", "2"])
        #expect(xLabels(try .scatter(x: [3, 4, 5], y: [1, 4, 9])) == ["3", "4", "5"])
        // Measured places have fractions between them.
        #expect(xLabels(try .line(x: [0, 1], y: [1, 4])).contains { $0.contains(".") })
        #expect(xLabels(try .line(y: [1, 4]).overlaid(with: .line(x: [0, 0.5], y: [1, 2]))).contains { $0.contains(".") })
        let counts = render(try .histogram([1, 1, 2], bins: 2), TerminalStyle(glyphs: .ascii))
        #expect(!counts.contains("0.5 +") && counts.contains("2 +"))
    }

    @Test(arguments: [TerminalStyle.Glyphs.braille, .ascii])
    func aPointAloneIsSeen(_ glyphs: TerminalStyle.Glyphs) throws {
        let sign: Character = glyphs == .ascii ? "*" : "•"
        #expect(render(try .line(x: [3], y: [7]), TerminalStyle(glyphs: glyphs)).contains(sign))
        #expect(render(try .line(y: [.nan, 1, .nan, 2, 2]), TerminalStyle(glyphs: glyphs)).filter { $0 == "•" }.count == (glyphs == .ascii ? 0 : 1))
    }

    /// The samples in a legend of many series, and the signs in the plot.
    @Test func everySeriesHasASignOfItsOwn() throws {
        func samples(_ figure: Figure, _ style: TerminalStyle) -> Set<Substring> {
            let lines = render(figure, style).split(separator: "\n").filter { $0.contains("name") }
            return Set(lines.compactMap { $0.split(separator: "name")[0].split(separator: " ").last })
        }
        let many = (0..<54).map { i in (name: "name\(i)" as String?, y: (0..<60).map { Double($0 * i) }) }, x = (0..<60).map(Double.init)
        for glyphs in [TerminalStyle.Glyphs.braille, .ascii] {
            let style = TerminalStyle(columns: 100, rows: 80, glyphs: glyphs), figure = try Figure.lines(x: x, many)
            #expect(samples(figure, style).count == 54)
            let signs = Set(render(figure, style).split(separator: "\n").filter { !$0.contains("name") }.joined())
            #expect("*o+x#@%&ABC".allSatisfy(signs.contains))
        }
        // With colours, of which there are eight: points of more series have signs, which come with each of them.
        var points = try Figure.scatter(x: [0], y: [0])
        for i in 1..<20 { points = try points.overlaid(with: .scatter(x: [Double(i)], y: [Double(i)])) }
        let text = render(points, TerminalStyle(columns: 100, rows: 40, color: .truecolor))
        #expect(["•", "*", "o"].map { sign in text.count { $0 == sign } } == [8, 8, 4])
    }

    @Test func picturesTakeNoMoreRowsThanTheyNeed() throws {
        let image = try Figure.image([0, 1, 1, 0, 1, 0], rows: 2, columns: 3)
        let wide = try Figure.image([Double](repeating: 0.5, count: 40), rows: 1, columns: 40)
        #expect(render(wide, TerminalStyle()).split(separator: "\n", omittingEmptySubsequences: false).count == 3)
        let rows = render(try .panels([wide, wide, wide, image], columns: 2), TerminalStyle(rows: 24)).split(separator: "\n", omittingEmptySubsequences: false)
        // The first row of panels takes three lines; the second, with a higher picture, follows at once.
        #expect(rows[2].contains("└") && rows[3].contains("┌"))
    }

    @Test func gridLinesAreLighterThanCurvesWithoutColors() throws {
        let figure = try Figure.line(x: [-1, 1], y: [1, 2]).setting([("grid", .flag(true))])
        let text = render(figure, TerminalStyle())
        #expect(text.contains("·") && !text.contains("┈"))
        #expect(render(figure, TerminalStyle(color: .truecolor)).contains("┈"))
    }

    @Test func aStepIsContinuous() throws {
        let figure = try Figure.line(x: [0, 1, 1, 2], y: [0, 0, 1, 1])
        let lines = render(figure, TerminalStyle(columns: 30, rows: 14, glyphs: .ascii)).split(separator: "\n")
        let inside = lines.dropFirst().prefix(11)
        #expect(inside.allSatisfy { $0.contains("*") })
        #expect(inside.dropFirst().dropLast().allSatisfy { $0.filter { $0 == "*" }.count == 1 })
    }

    @Test func seriesDifferWithoutColors() throws {
        let figure = try Figure.lines([("a", [0, 1]), ("b", [1, 0])])
        for glyphs in [TerminalStyle.Glyphs.braille, .ascii] {
            let text = render(figure, TerminalStyle(glyphs: glyphs))
            #expect(text.contains("*") && text.contains("o"))
        }
    }

    @Test func aLegendShowsFromTwoSeriesOn() throws {
        let one = try Figure.line(y: [0, 1], name: "first")
        let two = try one.overlaid(with: .line(y: [1, 0], name: "second"))
        #expect(!render(one, TerminalStyle()).contains("first"))
        #expect(render(two, TerminalStyle()).contains("first"))
        #expect(render(try one.setting([("legend", .flag(true))]), TerminalStyle()).contains("first"))
        #expect(!render(try two.setting([("legend", .flag(false))]), TerminalStyle()).contains("first"))
    }

    @Test(
        arguments: [
            ([1, .nan, 2, .infinity], "2 points not finite"), ([.nan], "no finite points"), ([], "no data"),
            ([1, .nan], "1 point not finite"),
        ] as [([Double], String)])
    func missingPointsAreSaid(_ y: [Double], _ message: String) throws {
        #expect(render(try .line(y: y), TerminalStyle()).contains(message))
    }

    @Test func pointsWithoutLogarithmAreSaid() throws {
        let figure = try Figure.line(y: [1, 0, 10]).setting([("logy", .flag(true))])
        #expect(render(figure, TerminalStyle()).contains("1 point not above 0"))
    }

    @Test func colorsAreSwitchedOffAtEachLineEnd() throws {
        let text = render(try .line(y: [0, 1]), TerminalStyle(color: .truecolor))
        #expect(text.contains("\u{1b}[38;2;59;130;246m"))
        for line in text.split(separator: "\n") {
            let last = line.components(separatedBy: "\u{1b}[").last ?? ""
            #expect(!line.contains("\u{1b}") || last.hasPrefix("0m"))
        }
    }
}

extension StringProtocol {
    /// The parts between occurrences of a separator.
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = Substring(self)
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
