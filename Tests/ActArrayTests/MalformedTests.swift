// Files that break a rule of their format are refused. The rules are tried one by one on variations of good files; what is a rule, NumPy's
// own reader says (Tests/Interchange/check.py holds both readers against each other).

import ActArray
import ActFiles
import ActTestSupport
import Testing

@Suite struct MalformedTests {
    private func npy(_ header: String, version: [UInt8] = [1, 0], data: Int = 48) -> [UInt8] {
        let length =
            version[0] == 1
            ? [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] : [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8), 0, 0]
        return [0x93] + Array("NUMPY".utf8) + version + length + Array(header.utf8) + [UInt8](repeating: 0, count: data)
    }

    private func reads(_ bytes: [UInt8]) -> Bool {
        (try? Npy.array(bytes, path: "n").shape) == [2, 3]
    }

    @Test func npyHeaders() {
        let good = ["'descr': '<f8'", "'fortran_order': False", "'shape': (2, 3)"]
        // The order of the entries, the quotes, spaces and a comma at the end do not count.
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let entries = order.map { good[$0] }
            for text in [
                "{" + entries.joined(separator: ", ") + "}", "{" + entries.joined(separator: ", ") + ", }\n", " { " + entries.joined(separator: " ,\n") + " } ",
                ("{" + entries.joined(separator: ",") + "}").replacingQuotes,
            ] {
                for version: [UInt8] in [[1, 0], [2, 0], [3, 0]] { #expect(reads(npy(text, version: version)), "\(text)") }
                for version: [UInt8] in [[0, 0], [1, 1], [2, 1], [3, 9], [4, 0], [255, 0]] { #expect(!reads(npy(text, version: version))) }
            }
            // One left out, one twice, one of another name.
            for index in 0..<3 {
                var fewer = entries
                fewer.remove(at: index)
                #expect(!reads(npy("{" + fewer.joined(separator: ", ") + "}")))
                #expect(!reads(npy("{" + (entries + [entries[index]]).joined(separator: ", ") + "}")))
            }
            for extra in ["'x': 1", "'Shape': (2, 3)", "'order': False", "'': ''"] {
                #expect(!reads(npy("{" + (entries + [extra]).joined(separator: ", ") + "}")))
            }
        }
        let wrong = [
            (0, ["'descr': '<f9'", "'descr': '<<f8'", "'descr': f8", "'descr': 8", "'descr': None", "'descr': ''", "'descr': '<f8", "'descr' '<f8'"]),
            (
                1,
                [
                    "'fortran_order': 0", "'fortran_order': 1", "'fortran_order': None", "'fortran_order': 'False'", "'fortran_order': false",
                    "'fortran_order': Falsehood", "'fortran_order': ()",
                ]
            ),
            (
                2,
                [
                    "'shape': 6", "'shape': [2, 3]", "'shape': (2, -3)", "'shape': (2.0, 3)", "'shape': (2 3)", "'shape': (,)", "'shape': (2,, 3)",
                    "'shape': (02, 3)", "'shape': ('2', 3)", "'shape': (2, 3", "'shape': None", "'shape': (2, 3, 99999999999999999999)", "'shape': (6)",
                ]
            ),
        ]
        for (index, texts) in wrong {
            for text in texts {
                var entries = good
                entries[index] = text
                #expect(!reads(npy("{" + entries.joined(separator: ", ") + ", }\n")), "\(text)")
            }
        }
        let text = "{" + good.joined(separator: ", ") + "}"
        for broken in [String(text.dropLast()), String(text.dropFirst()), text + "x", text + "{}", "[" + text + "]", "", "{}", "{,}", text.dropLast() + ",,}"] {
            #expect(!reads(npy(String(broken))), "\(broken)")
        }
        #expect(!reads(npy(text, data: 47)))
        // Records are named as such.
        #expect(throws: FileError("n", .recordElements)) {
            try Npy.array(npy("{'descr': [('a', '<f4'), (']', '<i4', (2,))], 'fortran_order': False, 'shape': (2,), }"), path: "n")
        }
    }

    /// Every binary16 and bfloat16 number, in both byte orders: Float16 and the upper half of a Float say what they are.
    @Test(arguments: ["<f2", ">f2", "<V2", "|V2"])
    func halves(description: String) throws {
        let patterns = (0...65535).map { UInt16($0) }
        let data = patterns.flatMap { description == ">f2" ? [UInt8($0 >> 8), UInt8($0 & 255)] : [UInt8($0 & 255), UInt8($0 >> 8)] }
        let array = try Npy.array(npy("{'descr': '\(description)', 'fortran_order': False, 'shape': (65536,), }", data: 0) + data, path: "n")
        #expect(array.type == .f32)
        let values = try array.toDoubles()
        for pattern in patterns {
            let value = values[Int(pattern)], expected: Double
            if description.hasSuffix("V2") {
                expected = Double(Float(bitPattern: UInt32(pattern) << 16))
            } else {
                let exponent = Int(pattern >> 10 & 31), fraction = Double(pattern & 1023), sign = pattern >> 15 == 1 ? -1.0 : 1.0
                expected =
                    exponent == 31
                    ? (fraction == 0 ? sign * .infinity : .nan)
                    : exponent == 0 ? sign * fraction * 0x1p-24 : sign * (1024 + fraction) * Double(sign: .plus, exponent: exponent - 25, significand: 1)
            }
            #expect(value.isNaN && expected.isNaN || value.bitPattern == expected.bitPattern, "\(pattern)")
        }
    }

    @Test func bytesAfterIdx() throws {
        for (code, size) in [(0x08, 1), (0x09, 1), (0x0B, 2), (0x0C, 4), (0x0D, 4), (0x0E, 8)] as [(UInt8, Int)] {
            let good: [UInt8] = [0, 0, code, 2, 0, 0, 0, 2, 0, 0, 0, 3] + [UInt8](repeating: 1, count: 6 * size)
            #expect(try Idx.array(good, path: "").shape == [2, 3])
            for extra in 1...9 { #expect(throws: FileError.self) { try Idx.array(good + [UInt8](repeating: 0, count: extra), path: "") } }
            #expect(throws: FileError.self) { try Idx.array(Array(good.dropLast()), path: "") }
        }
    }

    /// Zeros may pad a .gz file, as tapes left them; anything else is not part of it. So does Python's gzip read them.
    @Test func bytesAfterGzip() throws {
        let hello: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0, 0, 0xf6, 0xf9, 0x81, 0xed, 6, 0, 0, 0]
        #expect(try Gzip.unpacked(hello, path: "") == Array("hello ".utf8))
        #expect(try Gzip.unpacked(hello + hello, path: "") == Array("hello hello ".utf8))
        #expect(try Gzip.unpacked(hello + [0, 0, 0], path: "") == Array("hello ".utf8))
        for extra: [UInt8] in [[1], [0, 1], [0x1f], [0x1f, 0x8b], Array("hello".utf8), Array(hello.dropLast())] {
            #expect(throws: FileError.self) { try Gzip.unpacked(hello + extra, path: "") }
        }
    }

    @Test func namesTwiceInAnArchive() throws {
        let array = try NDArray([1], shape: [1])
        #expect(throws: FileError("z", .arrayTwice("a"))) {
            try Npz.arrays(written { try Npz.write([("a", array), ("b", array), ("a", array)], into: $0) }, path: "z")
        }
    }
}

extension String {
    fileprivate var replacingQuotes: String { String(map { $0 == "'" ? "\"" : $0 }) }
}
