import ActPlot
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct PictureTests {
    // RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func iTerm2HoldsBase64(_ text: String, _ encoded: String) {
        let picture = InlinePicture.iTerm2(png: Array(text.utf8))
        #expect(picture == "\u{1b}]1337;File=inline=1;size=\(text.utf8.count);preserveAspectRatio=1:\(encoded)\u{07}")
    }

    @Test func kittyIsSentInChunks() {
        let png = (0..<10_000).map { UInt8(truncatingIfNeeded: $0) }
        let chunks = InlinePicture.kitty(png: png, columns: 40).split(separator: "\u{1b}\\")
        #expect(chunks.count == 4)  // 13,336 characters of base64
        #expect(chunks[0].hasPrefix("\u{1b}_Ga=T,f=100,q=2,c=40,m=1;"))
        #expect(chunks[1].hasPrefix("\u{1b}_Gm=1;"))
        #expect(chunks[3].hasPrefix("\u{1b}_Gm=0;"))
        #expect(chunks.allSatisfy { ($0.split(separator: ";").last?.utf8.count ?? 0) <= 4096 })
        #expect(InlinePicture.kitty(png: [1]) == "\u{1b}_Ga=T,f=100,q=2,m=0;AQ==\u{1b}\\")
    }

    /// Draws sixels as a terminal does: colours by pixel, row by row.
    static func decoded(_ sixels: String, width: Int, height: Int) -> [Int?] {
        var result = [Int?](repeating: nil, count: width * height)
        var (column, band, color, count) = (0, 0, 0, 1)
        var rest = Substring(sixels.dropFirst(2).drop { $0 != "q" }.dropFirst())
        func number() -> Int {
            let digits = rest.prefix { $0.isNumber }
            rest = rest.dropFirst(digits.count)
            return Int(digits) ?? 0
        }
        while let character = rest.popFirst() {
            switch character {
            case "\"", ";": _ = number()
            case "#": color = number()
            case "!": count = number()
            case "$": column = 0
            case "-": (column, band) = (0, band + 1)
            case "\u{1b}": return result
            default:
                guard let value = character.asciiValue, value >= 63 else { continue }
                for _ in 0..<count {
                    for bit in 0..<6 where (value - 63) >> UInt8(bit) & 1 == 1 && band * 6 + bit < height && column < width {
                        result[(band * 6 + bit) * width + column] = color
                    }
                    column += 1
                }
                count = 1
            }
        }
        return result
    }

    @Test func sixelsDrawThePicture() throws {
        // Red left of a diagonal, blue right of it, one clear pixel.
        let (width, height) = (13, 8)
        var rgba: [UInt8] = []
        for row in 0..<height {
            for column in 0..<width { rgba += column < row ? [255, 0, 0, 255] : [0, 0, 255, column == 12 && row == 7 ? 0 : 255] }
        }
        let pixels = try #require(Pixels(width: width, height: height, rgba: rgba))
        let text = InlinePicture.sixel(pixels)
        #expect(text.hasPrefix("\u{1b}P0;1q\"1;1;13;8"))
        #expect(text.contains("#0;2;0;0;100") && text.contains("#1;2;100;0;0"))  // blue is more frequent
        let expected: [Int?] = (0..<width * height).map { $0 == width * height - 1 ? nil : $0 % width < $0 / width ? 1 : 0 }
        #expect(PictureTests.decoded(text, width: width, height: height) == expected)
    }

    @Test func pixelsMustFit() {
        #expect(Pixels(width: 2, height: 2, rgba: [0]) == nil)
        #expect(Pixels(width: .max, height: 2, rgba: []) == nil)
        #expect(Pixels(width: 0, height: 0, rgba: []) == nil)
    }

    // MARK: - librsvg, where it is installed

    @Test func picturesOrTheNameOfThePackage() throws {
        let figure = try Figure.line(y: [0, 1]).setting([("width", .number(200)), ("height", .number(100))])
        let rasterizer: Rasterizer
        do {
            rasterizer = try Rasterizer()
        } catch Rasterizer.Failure.missingLibrary {
            return
        }
        let document = svg(figure)
        let png = try rasterizer.png(document, width: 200, height: 100, scale: 2)
        #expect(Array(png.prefix(8)) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
        #expect(Array(png[16..<24]) == [0, 0, 1, 0x90, 0, 0, 0, 200])
        #expect(String(decoding: try rasterizer.pdf(document, width: 200, height: 100).prefix(5), as: UTF8.self) == "%PDF-")

        let pixels = try rasterizer.pixels(document, width: 200, height: 100)
        #expect((pixels.width, pixels.height) == (200, 100))
        #expect(Array(pixels.rgba.prefix(4)) == [255, 255, 255, 255])
        // The line is there, in the first colour of the cycle.
        let isBlue = stride(from: 0, to: pixels.rgba.count, by: 4).contains { pixels.rgba[$0] < 100 && pixels.rgba[$0 + 2] > 200 }
        #expect(isBlue)
    }

    @Test func badDocumentsAndSizesAreRefused() throws {
        guard let rasterizer = try? Rasterizer() else { return }
        #expect(throws: Rasterizer.Failure.invalidSVG) { try rasterizer.png("<svg", width: 10, height: 10) }
        #expect(throws: Rasterizer.Failure.size(width: 100_000, height: 10)) { try rasterizer.png("<svg/>", width: 100_000, height: 10) }
        #expect(throws: Rasterizer.Failure.size(width: 6000, height: 6000)) { try rasterizer.png("<svg/>", width: 6000, height: 6000) }
        #expect(throws: Rasterizer.Failure.size(width: 0, height: 10)) { try rasterizer.pdf("<svg/>", width: 0, height: 10) }
    }

    /// Whatever a document names, nothing outside of it is drawn.
    @Test func documentsReachNoFiles() throws {
        guard let rasterizer = try? Rasterizer() else { return }
        func isBlank(_ content: String, _ head: String = "") throws -> Bool {
            let document =
                "\(head)<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' xmlns:xi='http://www.w3.org/2001/XInclude' width='20' height='20'>\(content)</svg>"
            return try rasterizer.pixels(document, width: 20, height: 20).rgba.allSatisfy { $0 == 255 }
        }
        var template = Array("/tmp/act-picture-XXXXXX".utf8CString)
        #expect(mkdtemp(&template) != nil)
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            for name in ["red.svg", "red.png", "red.css"] { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        let red = "<rect id='r' width='20' height='20' fill='red'/>"
        let whole = "<svg xmlns='http://www.w3.org/2000/svg' width='20' height='20'>\(red)</svg>"
        let files: [(String, [UInt8])] = [
            ("red.svg", Array(whole.utf8)), ("red.png", try rasterizer.png(whole, width: 20, height: 20)), ("red.css", Array("rect { fill: red }".utf8)),
        ]
        for (name, bytes) in files {
            let file = try #require(fopen(folder + "/" + name, "w"))
            #expect(fwrite(bytes, 1, bytes.count, file) == bytes.count)
            fclose(file)
        }
        // What is drawn from within is.
        #expect(try !isBlank(red))
        #expect(try !isBlank("<style>rect { fill: red }</style><rect width='20' height='20' fill='white'/>"))
        for address in ["file://\(folder)/", folder + "/", "/proc/self/cwd/../../..\(folder)/"] {
            for name in ["red.svg", "red.png"] {
                #expect(try isBlank("<image width='20' height='20' xlink:href='\(address)\(name)'/>"))
                #expect(try isBlank("<image width='20' height='20' href='\(address)\(name)'/>"))
            }
            #expect(try isBlank("<use href='\(address)red.svg#r'/>"))
            #expect(try isBlank("<xi:include href='\(address)red.svg'/>"))
            #expect(
                try isBlank(
                    "<filter id='f' x='0' y='0' width='1' height='1'><feImage href='\(address)red.svg'/></filter><rect width='20' height='20' fill='white' filter='url(#f)'/>"
                ))
            #expect(try isBlank("<style>@import url('\(address)red.css');</style><rect width='20' height='20' fill='white'/>"))
            let entity = "<!DOCTYPE svg [<!ENTITY red SYSTEM '\(address)red.svg'>]>"
            // An unknown entity may make the document wrong instead.
            #expect((try? isBlank("&red;", entity)) ?? true)
        }
    }
}
