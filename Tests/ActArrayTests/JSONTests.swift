// The reader of JSON: what it takes, what it refuses and where, and that trees come back as they were written.

import ActArray
import ActFiles
import Testing

@Suite struct JSONTests {
    /// Programs of other languages write half of a pair; whoever must answer them reads it as what stands for no character.
    @Test func halfOfAPairCanBeMended() throws {
        var held = Reservation()
        for (text, mended) in [(#""\ud83d""#, "\u{FFFD}"), (#""a\udc00b""#, "a\u{FFFD}b"), (#""\ud83d\u0041""#, "\u{FFFD}A"), (#""\ud83d\ude00""#, "😀")] {
            #expect(try JSON(Array(text.utf8), mendsText: true, held: &held).asText == mended)
        }
        #expect(throws: JSONError.self) { try JSON(Array(#""\ud83d""#.utf8), held: &held) }
    }

    private func tree(_ text: String, deepest: Int = 200) throws -> JSON {
        var held = Reservation()
        defer { _ = held.bytes }
        return try JSON(Array(text.utf8), deepest: deepest, held: &held)
    }

    private func error(_ bytes: [UInt8], deepest: Int = 200) -> JSONError? {
        var held = Reservation()
        defer { _ = held.bytes }
        do { _ = try JSON(bytes, deepest: deepest, held: &held) } catch { return error as? JSONError }
        return nil
    }

    /// What RFC 8259 allows, and what it becomes without spaces.
    static let valid: [(text: String, compact: String)] = [
        ("null", "null"), (" [ ] ", "[]"), ("{ }", "{}"), ("[1, -2.5, 1e3, 0, -0.0]", "[1,-2.5,1000,0,-0.0]"), ("1E-2", "0.01"), ("-0", "-0.0"),
        (#"{"a": {"b": [true, false, null]}, "a": 1}"#, #"{"a":{"b":[true,false,null]},"a":1}"#), (#""\u00e9\ud83d\ude00\/\b\f""#, #""é😀/\u0008\u000c""#),
        (#""\n\t\r\"\\""#, #""\n\t\r\"\\""#), ("123456789012345678901234567890", "1.2345678901234568e+29"), ("9007199254740993", "9007199254740992.0"),
        ("\u{feff}[\"a\u{7f}\"]", "[\"a\u{7f}\"]"), (#"{"":""}"#, #"{"":""}"#),
    ]

    @Test(arguments: valid) func valuesComeBack(_ text: String, _ compact: String) throws {
        let once = try tree(text).text()
        #expect(once == compact)
        #expect(try tree(once).text() == compact)
    }

    static let faults: [(text: String, fault: JSONFault, column: Int)] = [
        ("", .valueMissing, 1), ("[1, 2", .commaExpected(close: "]"), 6), ("[1,]", .valueExpected, 4), ("[,1]", .valueExpected, 2), ("{,}", .nameExpected, 2),
        (#"{"a":1,}"#, .nameExpected, 8), (#"{"a" 1}"#, .colonExpected, 6), (#"{"a":}"#, .valueExpected, 6), ("{a:1}", .nameExpected, 2),
        ("[1}", .commaExpected(close: "]"), 3),
        (#"{"a":1]"#, .commaExpected(close: "}"), 7), ("1 2", .textAfterValue, 3), ("01", .textAfterValue, 2), ("-", .digitExpected, 2),
        ("+1", .valueExpected, 1),
        ("1.", .digitAfterPoint, 3), (".5", .valueExpected, 1), ("1e", .digitInExponent, 3), ("1e+", .digitInExponent, 4), ("1e999", .numberTooLarge, 6),
        ("\"a", .openString, 3), ("\"\\", .openString, 3), ("\"\\x\"", .unknownEscape, 4), (#""\u12g4""#, .hexadecimalExpected, 4),
        (#""\ud800""#, .halfSurrogate, 8),
        (#""\ud800\u0041""#, .halfSurrogate, 8), (#""\udc00""#, .halfSurrogate, 8), ("\"\n\"", .controlCharacter, 1), ("tru", .valueExpected, 1),
        ("NaN", .valueExpected, 1),
        ("'a'", .valueExpected, 1), ("[1,\u{c}2]", .valueExpected, 4), ("[1] # x", .textAfterValue, 5), ("é", .valueExpected, 1),
    ]

    @Test(arguments: faults) func faultsHaveTheirPlaces(_ text: String, _ fault: JSONFault, _ column: Int) {
        let found = error(Array(text.utf8))
        #expect(found?.fault == fault)
        if fault != .controlCharacter { #expect(found?.column == column && found?.line == 1, "\(String(describing: found))") }
        let below = error(Array("\n \(text)".utf8))
        if fault != .controlCharacter { #expect(below?.column == column + 1 && below?.line == 2) }
    }

    @Test func bytesThatAreNoTextAreRefused() {
        for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]] {
            #expect(error([34] + bytes + [34])?.fault == .stringNotUTF8)
            #expect(error(bytes)?.fault == .valueExpected)
        }
    }

    /// Every beginning of a text is refused, and so is every text with one byte of it changed, or is JSON of another value: nothing traps.
    @Test func anyBytesAreJSONOrAFault() throws {
        let text = Array(#"{"a\u00e9": [1.5e+3, -2, true, null, {"b": "\ud83d\ude00x"}], "c": "é"}"#.utf8)
        for count in 0..<text.count { #expect(error(Array(text[..<count])) != nil) }
        for index in text.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = text
                changed[index] = byte
                if error(changed) != nil { continue }
                let once = try tree(String(decoding: changed, as: UTF8.self)).text()
                #expect(try tree(once).text() == once)
            }
        }
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + "0" + String(repeating: "]", count: depth) }
        for deepest in [0, 1, 200] {
            #expect(try tree(nested(deepest), deepest: deepest).text() == nested(deepest))
            #expect(error(Array(nested(deepest + 1).utf8), deepest: deepest)?.fault == .tooDeep(deepest))
        }
        #expect(error(Array(repeating: UInt8(ascii: "["), count: 1_000_000))?.fault == .tooDeep(200))
        #expect(error(Array(String(repeating: "{\"a\":", count: 100_000).utf8))?.fault == .tooDeep(200))
    }

    /// A tree takes from the limit what it holds, and gives it back.
    @Test func memoryIsAccounted() throws {
        let text = Array(("[" + String(repeating: "0,", count: 100_000) + "0]").utf8)
        var held = Reservation()
        _ = try JSON(text, held: &held)
        #expect(held.bytes > 100_000 * MemoryLayout<JSON>.stride && held.bytes < 100_000 * 100)
    }

    @Test func namesFindTheLastOfTheirKind() throws {
        let value = try tree(#"{"a": 1, "b": [true, "x"], "a": 2.5}"#)
        #expect(value["a"]?.asNumber == 2.5 && value["a"]?.asWhole == nil && value["c"] == nil)
        #expect(value["b"]?.asList?.first?.asFlag == true && value["b"]?.asList?.last?.asText == "x")
        #expect(JSON.null["a"] == nil && JSON.null.isNull)
        let made: JSON = ["a": 1, "b": [true, "é\n"], "c": .null]
        #expect(try made.text() == #"{"a":1,"b":[true,"é\n"],"c":null}"#)
        #expect(try JSON.list([.number(.nan), .number(-.infinity), .number(0x1p53)]).text() == "[null,null,9007199254740992.0]")
    }
}
