import ActPlot
import Testing

@Suite struct SVGTests {
    /// What is wrong with a document as XML 1.0, as far as our writer could go wrong; nil if nothing.
    static func fault(_ xml: String) -> String? {
        var open: [Substring] = []
        var rest = Substring(xml)
        var roots = 0
        while let start = rest.firstIndex(of: "<") {
            let text = rest[..<start]
            if let fault = textFault(text) { return fault }
            if open.isEmpty && !text.allSatisfy(\.isWhitespace) { return "text outside the root: \(text)" }
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: ">") else { return "unclosed tag" }
            var tag = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if tag.first == "/" {
                guard open.popLast() == tag.dropFirst() else { return "wrong end tag \(tag)" }
                continue
            }
            let isEmpty = tag.last == "/"
            if isEmpty { tag = tag.dropLast() }
            let name = tag.prefix { !$0.isWhitespace }
            if let fault = attributesFault(tag.dropFirst(name.count)) { return "\(name): \(fault)" }
            if open.isEmpty { roots += 1 }
            if !isEmpty { open.append(name) }
        }
        if !open.isEmpty { return "unclosed \(open)" }
        return roots == 1 ? textFault(rest) : "\(roots) roots"
    }

    private static func attributesFault(_ text: Substring) -> String? {
        var rest = text
        var names: Set<Substring> = []
        while !rest.isEmpty {
            guard rest.first == " " else { return "no space before attribute" }
            rest = rest.dropFirst()
            let name = rest.prefix { $0.isLetter || $0 == "-" || $0.isNumber }
            guard !name.isEmpty, names.insert(name).inserted else { return "attribute name '\(name)'" }
            rest = rest.dropFirst(name.count)
            guard rest.hasPrefix("=\"") else { return "attribute \(name) without value" }
            rest = rest.dropFirst(2)
            guard let end = rest.firstIndex(of: "\"") else { return "unclosed value of \(name)" }
            if rest[..<end].contains("<") { return "< in value of \(name)" }
            if let fault = textFault(rest[..<end]) { return fault }
            rest = rest[rest.index(after: end)...]
        }
        return nil
    }

    private static func textFault(_ text: Substring) -> String? {
        for scalar in text.unicodeScalars where (scalar.value < 0x20 && scalar != "\n") || scalar.value & 0xfffe == 0xfffe {
            return "forbidden character U+\(String(scalar.value, radix: 16))"
        }
        for part in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst()
        where !["amp;", "lt;", "gt;", "quot;"].contains(where: { part.hasPrefix($0) }) {
            return "bare & before \(part.prefix(10))"
        }
        return nil
    }

    @Test(arguments: [
        ("<a/>", true), ("<a b=\"c\">d&amp;</a>", true), ("<a>", false), ("<a b=c/>", false), ("<a>&</a>", false), ("<a/><b/>", false),
    ])
    func theCheckerChecks(_ xml: String, _ isWellFormed: Bool) {
        #expect((SVGTests.fault(xml) == nil) == isWellFormed)
    }

    @Test(arguments: Gallery.examples)
    func documentsAreWellFormed(_ example: Example) {
        let document = svg(example.figure)
        #expect(SVGTests.fault(document) == nil)
        #expect(!document.contains("nan") && !document.contains("inf\"") && !document.contains("id=\""))
    }

    @Test(arguments: Gallery.examples, [(16, 16), (120, 60), (2000, 40)])
    func smallSizesAreWellFormed(_ example: Example, _ size: (Int, Int)) throws {
        let figure = try example.figure.setting([("width", .number(Double(size.0))), ("height", .number(Double(size.1)))])
        #expect(SVGTests.fault(svg(figure)) == nil)
    }

    @Test func textStaysText() throws {
        let figure = try Figure.line(y: [1, 2]).setting([("title", .text("기울기 <1> & \"2\"")), ("xlabel", .text("입력\u{0}"))])
        let document = svg(figure)
        #expect(document.contains(">기울기 &lt;1&gt; &amp; &quot;2&quot;</text>"))
        #expect(document.contains(">입력</text>"))
    }

    @Test func darkAndLightAreServed() throws {
        let document = svg(try .line(y: [1, 2]))
        #expect(document.contains("prefers-color-scheme: dark") && document.contains("currentColor"))
    }

    @Test func pathsOfLargeDataAreThinned() throws {
        let line = try Figure.line(y: (0..<300_000).map { Double(($0 &* 7919) % 1000) })
        #expect(svg(line).utf8.count < 100_000)
        let zigzag = try Figure.line(
            x: (0..<200_000).map { Double(($0 &* 7919) % 1009) }, y: (0..<200_000).map { Double(($0 &* 104729) % 997) })
        #expect(svg(zigzag).utf8.count < 2_000_000)
        let gaps = try Figure.line(y: (0..<300_000).map { $0 % 2 == 0 ? Double($0 % 1013) : .nan })
        #expect(svg(gaps).utf8.count < 2_000_000)
        let points = try Figure.scatter(
            x: (0..<200_000).map { Double(($0 &* 7919) % 100_003) }, y: (0..<200_000).map { Double(($0 &* 104729) % 99_991) })
        #expect(svg(points).utf8.count < 2_000_000)
    }

    @Test func aPointAloneIsADot() throws {
        #expect(svg(try .line(x: [3], y: [7])).contains("stroke-width=\"5\""))
    }

    @Test func longTitlesAreMadeToFit() throws {
        let long = String(repeating: "long ", count: 40)
        let document = svg(try Figure.line(y: [1, 2]).setting([("title", .text(long)), ("xlabel", .text(long)), ("ylabel", .text(long))]))
        // 720 pixels hold at most 120 letters of 6 pixels.
        for text in document.split(separator: ">").filter({ $0.hasPrefix("long") }) { #expect(text.count < 120 && text.contains("…")) }
    }

    @Test func powersOfTenAreRaised() throws {
        let document = svg(try .line(y: [-2.5e-7, 2.5e-7]))
        #expect(document.contains(">−2×10⁻⁷</text>") && !document.contains("e-7<"))
        #expect(svg(try Figure.line(y: [1, 1e9]).setting([("logy", .flag(true))])).contains(">10⁶</text>"))
    }

    @Test func seriesAfterTheLastColorAreDashed() throws {
        let colors = try Figure.lines((0..<8).map { (name: "s\($0)", y: [0, Double($0)]) })
        #expect(!svg(colors).contains("stroke-dasharray=\"7 5\""))
        #expect(svg(try colors.overlaid(with: .line(y: [1, 1]))).contains("stroke-dasharray=\"7 5\""))
    }

    @Test func aLineIsWhereItsValuesAre() throws {
        // The inner frame is 8 pixels from the outer on each side, so the ends of a diagonal meet its corners.
        let figure = try Figure.line(x: [0, 1], y: [0, 1])
        let document = svg(figure)
        // Width: 720, margins 18 and 16, three digits of 12 × 0.58 and 8 beside them, twice 8 inside. Height: 450, 14 above, 32 below, twice 8.
        let expected = "M0 388L641.1 0"
        #expect(document.contains(expected), "\(expected)")
    }
}
