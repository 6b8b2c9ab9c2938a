// Finding texts in texts: what is found, against a search that tries every place.

import ActArray
import CActKernels
import Testing

import ActLanguage

@Suite struct TextSearchTests {
    /// Where `part` stands, tried at every place.
    private func places(of part: [UInt8], in text: [UInt8]) -> [Int] {
        var found: [Int] = [], position = 0
        while position + part.count <= text.count {
            if text[position..<position + part.count].elementsEqual(part) {
                found.append(position)
                position += part.count
            } else {
                position += 1
            }
        }
        return found
    }

    private func matches(of part: [UInt8], in text: [UInt8]) throws -> [Int] {
        let search = try TextSearch(String(decoding: part, as: UTF8.self))
        var found: [Int] = []
        try text.withUnsafeBufferPointer { bytes in
            try search.forEachMatch(in: bytes) { position in
                found.append(position)
                return true
            }
        }
        return found
    }

    /// Every word of two letters up to seven of them, and longer periodic ones, in texts of these letters.
    @Test func findsWhatAPlainSearchFinds() throws {
        var random = SystemRandomNumberGenerator()
        var parts: [[UInt8]] = []
        for length in 1...7 { for bits in 0..<1 << length { parts.append((0..<length).map { UInt8(97 + bits >> $0 & 1) }) } }
        for period in 1...6 {
            for length in 8...20 {
                let word = (0..<period).map { _ in UInt8.random(in: 97...98, using: &random) }
                parts.append((0..<length).map { word[$0 % period] })
            }
        }
        for part in parts {
            for _ in 0..<20 {
                var text = (0..<Int.random(in: 0...80, using: &random)).map { _ in UInt8.random(in: 97...98, using: &random) }
                if Bool.random(using: &random) { text += part + part.dropLast() + part }
                let found = try matches(of: part, in: text)
                #expect(found == places(of: part, in: text), "\(String(decoding: part, as: UTF8.self)) in \(String(decoding: text, as: UTF8.self))")
            }
        }
    }

    /// Texts longer than the stretches in which the first letter is looked for.
    @Test func findsInLongTexts() throws {
        let mark = Array("needle".utf8)
        for gap in [0, 1, 65_529, 65_530, 65_535, 65_536, 65_537, 200_000] {
            let text = [UInt8](repeating: 110, count: gap) + mark + [UInt8](repeating: 101, count: gap) + mark
            #expect(try matches(of: mark, in: text) == [gap, 2 * gap + mark.count])
        }
        #expect(try "a, b,, c".pieces(between: ", ") == ["a", "b,", "c"])
        #expect(try "aaa".pieces(between: "aa") == ["", "a"])
        #expect(try "é→é".pieces(between: "→") == ["é", "é"])
        #expect(try "".pieces(between: "x") == [""])
    }

    @Test func wordsAndEnds() throws {
        #expect(try " a\t b\r\nc\u{a0}d ".words() == ["a", "b", "c", "d"])
        #expect(try "   ".words().isEmpty)
        #expect(" \u{3000}a b\n".trimmingSpaces() == "a b")
        #expect("abc".startsWithBytes(of: "ab") && !"abc".startsWithBytes(of: "abcd") && "".startsWithBytes(of: ""))
        #expect("abc".endsInBytes(of: "bc") && !"abc".endsInBytes(of: "ab") && "abc".endsInBytes(of: ""))
    }
}

extension String {
    fileprivate func words() throws -> [String] {
        var words: [String] = []
        try forEachWord { words.append(String($0)) }
        return words
    }

    fileprivate func pieces(between separator: String) throws -> [String] {
        var pieces: [String] = []
        try forEachPiece(between: separator) { piece in
            pieces.append(String(piece))
            return true
        }
        return pieces
    }
}
