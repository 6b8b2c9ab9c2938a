// What is guessed of tables, what options say instead, and that nothing is lost on the way.

import ActArray
import Testing
import ActFiles

@Suite struct TableTests {
    private func read(_ text: String, _ set: (inout Csv.Options) -> Void = { _ in }) throws -> String {
        var options = Csv.Options()
        set(&options)
        let (table, doubt) = try Csv.table(Array(text.utf8), options: options)
        let mark = doubt.map { $0 == .takenAsHeader ? "names? " : "data? " } ?? ""
        switch table {
        case .matrix(let array): return mark + "\(array.shape) \(try array.toDoubles())"
        case .columns(let columns):
            return mark
                + (try columns.map { column in
                    switch column.values {
                    case .numbers(let array): "\(column.name): \(try array.toDoubles())"
                    case .texts(let texts): "\(column.name): \(texts)"
                    }
                }).joined(separator: " | ")
        }
    }

    private func fault(_ text: String, _ set: (inout Csv.Options) -> Void = { _ in }) -> String {
        do { return try read(text, set) } catch { return "\(error)" }
    }

    @Test(arguments: [
        // No row of one column is lost: a blank line between others is a field without content.
        ("name\nx\n\ny\n\n\n", "name: [\"x\", \"\", \"y\"]"), ("n\n1\n\n3\n", "n: [1.0, nan, 3.0]"), ("1\n\"\"\n3", "[3, 1] [1.0, nan, 3.0]"),
        ("\n\na,b\n\n1,2\n", "a: [1.0] | b: [2.0]"),
        // Headers.
        ("a,b\n1,x\n2,\n3,y\n", "a: [1.0, 2.0, 3.0] | b: [\"x\", \"\", \"y\"]"), ("1,NA\n2,3\n", "[2, 2] [1.0, nan, 2.0, 3.0]"),
        ("2019,2020\n1,2\n", "[2, 2] [2019.0, 2020.0, 1.0, 2.0]"),
        ("\"2019\",\"2020\"\n1,2\n", "2019: [1.0] | 2020: [2.0]"), ("\"1\",\"2\"\n\"3\",\"4\"\n", "[2, 2] [1.0, 2.0, 3.0, 4.0]"),
        (",a\n0,1\n", "column1: [0.0] | a: [1.0]"),
        ("label,0,1\n5,0,0\n", "names? label: [5.0] | 0: [0.0] | 1: [0.0]"),
        ("5.1,setosa\n4.9,setosa\n", "data? column1: [5.1, 4.9] | column2: [\"setosa\", \"setosa\"]"),
        ("x,1\ny,2\n", "data? column1: [\"x\", \"y\"] | column2: [1.0, 2.0]"), ("a,b\n", "a: [] | b: []"), ("1,x\n", "data? column1: [1.0] | column2: [\"x\"]"),
        // Missing numbers, in columns of numbers alone.
        ("a,b\nNA,NA\n1,x\n", "a: [nan, 1.0] | b: [\"NA\", \"x\"]"), ("a\nnull\nN/A\n<NA>\nNone\nNaN\n", "a: [nan, nan, nan, nan, nan]"),
        // Separators, decimal commas, comments.
        ("a;b\n1,5;2\n", "a: [1.5] | b: [2.0]"), ("1,5;2,5\n3,5;4,5\n", "[2, 2] [1.5, 2.5, 3.5, 4.5]"), ("1.5;2\n3;4\n", "[2, 2] [1.5, 2.0, 3.0, 4.0]"),
        ("1.5\t2\n3\t4\n", "[2, 2] [1.5, 2.0, 3.0, 4.0]"),
        ("name,tags\nx,a;b\ny,c;d\n", "name: [\"x\", \"y\"] | tags: [\"a;b\", \"c;d\"]"), ("a;b\n1.234,5;x\n", "a: [\"1.234,5\"] | b: [\"x\"]"),
        ("# made by hand\n#\nx,y\n1,2\n", "x: [1.0] | y: [2.0]"), ("hex,n\n#ff0000,1\n", "hex: [\"#ff0000\"] | n: [1.0]"),
        // What are not decimal numbers.
        ("a\n0x1F\n", "a: [\"0x1F\"]"), ("a\n1_000\n", "a: [\"1_000\"]"), ("a\n0x1p3\n", "a: [\"0x1p3\"]"), ("a\nnan(7)\n", "a: [\"nan(7)\"]"),
        ("a\n１\n", "a: [\"１\"]"), ("a\n1e\n", "a: [\"1e\"]"), ("a\n--1\n", "a: [\"--1\"]"),
        ("a\n-Infinity\n+inf\n", "a: [-inf, inf]"),
        // Whole numbers of any length that a double holds: 2^64, 10^20 + 2^14 · …, as Python's int(float(s)) == int(s) says.
        ("18446744073709551616", "[1, 1] [1.8446744073709552e+19]"), ("-12345678901234567168", "[1, 1] [-1.2345678901234567e+19]"),
        ("000100000000000000000000", "[1, 1] [1e+20]"),
        ("1606938044258990275541962092341162602522202993782792835301376", "[1, 1] [1.6069380442589903e+60]"),
    ])
    func guesses(text: String, expected: String) { #expect(fault(text) == expected) }

    @Test func options() {
        #expect(fault("2019,2020\n1,2\n") { $0.hasHeader = true } == "2019: [1.0] | 2020: [2.0]")
        #expect(fault("a,b\nc,d\n") { $0.hasHeader = false } == "column1: [\"a\", \"c\"] | column2: [\"b\", \"d\"]")
        #expect(fault("1|2\n3|4") { $0.separator = 0x7C } == "[2, 2] [1.0, 2.0, 3.0, 4.0]")
        #expect(fault("1,5\n2,5") { $0.hasDecimalComma = true } == "[2, 1] [1.5, 2.5]")
        #expect(
            fault("1,5;2\n") {
                $0.hasDecimalComma = false; $0.hasHeader = false
            } == "column1: [\"1,5\"] | column2: [2.0]")
        #expect(fault("1,2 % x\n%\n\n3,4") { $0.comment = "%" } == "[2, 2] [1.0, 2.0, 3.0, 4.0]")
        #expect(fault("a // b\n\"c // d\" // e\n// f\n\ng") { $0.comment = "//" } == "a: [\"c // d\", \"\", \"g\"]")
        #expect(fault("#id\n1\n") { $0.comment = "" } == "#id: [1.0]")
        #expect(
            fault("1,?\n-999,NA\n") {
                $0.missing = ["?", "NA"]; $0.missingNumbers = [-999]
            } == "[2, 2] [1.0, nan, nan, nan]")
        #expect(fault("1.5,NA\n2,3\n") { $0.missing = ["?"] } == "notANumber(\"NA\", row: 0, column: 1)")
        #expect(fault("id,n\n007,1\n") { $0.texts = [.name("id")] } == "id: [\"007\"] | n: [1.0]")
        #expect(fault("007,1\n") { $0.texts = [.position(-2)] } == "column1: [\"007\"] | column2: [1.0]")
        #expect(fault("id\n12345678901234567890\n") { $0.texts = [.position(0)] } == "id: [\"12345678901234567890\"]")
        #expect(fault("a\n1\n") { $0.texts = [.name("b")] } == #"noColumnNamed("b")"#)
        #expect(fault("a\n1\n") { $0.texts = [.position(1)] } == "noColumn(1, count: 1)")
    }

    @Test func faults() throws {
        #expect(fault("5.1,oops\n2.5,3\n") == "notANumber(\"oops\", row: 0, column: 1)")
        #expect(fault("1,2\n# end\n") == "fieldCount(1, row: 1, first: 2, isComment: true)")
        #expect(fault("12345678901234567890,1") == #"inexact("12345678901234567890", row: 0, column: 0)"#)
        for count in [17, 19, 20, 25, 40, 310] { #expect(fault("1" + String(repeating: "0", count: count - 2) + "1").hasPrefix("inexact(")) }
        // Latin-1's é, an overlong form, half of a pair of surrogates.
        for bytes: [UInt8] in [[0xE9], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xFF]] {
            let reason = #expect(throws: Csv.Fault.self) { try Csv.table(Array("a,b\n1,x\n2,".utf8) + bytes + [10], options: Csv.Options()) }
            #expect(reason.map { "\($0)" } == "notUTF8(row: 2, column: 1)")
        }
    }

    /// Powers of two in full, whole numbers around them that a double does not hold.
    @Test func wholeNumbersAreExactOrRefused() throws {
        var digits: [UInt8] = [1]  // lowest first
        for power in 1...300 {
            var carry: UInt8 = 0
            for index in digits.indices {
                let sum = digits[index] * 2 + carry
                digits[index] = sum % 10
                carry = sum / 10
            }
            if carry > 0 { digits.append(carry) }
            let text = String(decoding: digits.reversed().map { $0 + 48 }, as: UTF8.self)
            guard case .matrix(let array) = try Csv.table(Array(text.utf8), options: Csv.Options()).table else { Issue.record("columns"); return }
            #expect(try array.item() == Double(sign: .plus, exponent: power, significand: 1))
            // An even last digit is at most 8, so one more carries nothing.
            let next = String(text.dropLast()) + String(digits[0] + 1)
            #expect(fault(next).hasPrefix("inexact(") == (power >= 53), "\(next)")
        }
    }

    @Test func encodings() throws {
        func text(_ bytes: [UInt8], _ name: String?) throws -> String { String(decoding: try TextEncoding.utf8(bytes, from: name, path: "t"), as: UTF8.self) }
        for name in ["latin-1", "Latin1", "ISO-8859-1", "iso8859-1", "windows-1252"] { #expect(try text([0x63, 0xE9], name) == "cé") }
        #expect(try text([0x80], "windows-1252") == "€")
        #expect(try text([0xC7, 0xD1, 0xB1, 0xDB], "euc-kr") == "한글")
        #expect(try text([0xC7, 0xD1, 0xB1, 0xDB], "cp949") == "한글")
        #expect(try text([0xFF, 0xFE, 0x5C, 0xD5], nil) == "한")
        #expect(try text([0xFE, 0xFF, 0xD5, 0x5C], nil) == "한")
        #expect(try text([0xFF, 0xFE, 0, 0, 0x5C, 0xD5, 0, 0], nil) == "한")
        #expect(try text(Array("é".utf8), nil) == "é")
        #expect(throws: FileError("t", .badByte(2, encoding: "euc-kr"))) { try text([0x41, 0xFF, 0xFF], "euc-kr") }
        #expect(throws: FileError("t", .badByte(3, encoding: "UTF-16"))) { try text([0xFF, 0xFE, 0x00, 0xD8], nil) }
        for name in ["", "no-such", "UTF-16//IGNORE", "a\0b", String(repeating: "x", count: 100)] {
            #expect(throws: FileError.self) { try text([0x41], name) }
        }
        // Characters across the pieces in which long texts are converted.
        let long = [UInt8](repeating: 0x41, count: (1 << 20) - 1) + [0xC7, 0xD1] + [UInt8](repeating: 0x42, count: 10)
        #expect(try text(long, "cp949").hasSuffix("A한BBBBBBBBBB"))
    }

    /// Names that are equal are numbered one after the other, without trying every number for each.
    @Test func manyEqualNames() throws {
        let count = 100_000
        let text = Array(repeating: "a", count: count).joined(separator: ",") + "\n" + Array(repeating: "1", count: count).joined(separator: ",")
        guard case .columns(let columns) = try Csv.table(Array(text.utf8), options: Csv.Options()).table else {
            Issue.record("no header")
            return
        }
        #expect(columns[0].name == "a" && columns[1].name == "a_2" && columns[count - 1].name == "a_\(count)")
        #expect(Set(columns.map(\.name)).count == count)
    }

    @Test func longNumbers() throws {
        let digits = String(repeating: "7", count: 5000), zeros = String(repeating: "0", count: 5000)
        guard case .matrix(let matrix) = try Csv.table(Array("0.\(digits),-\(zeros)2,1\(zeros)e-5000\n".utf8), options: Csv.Options()).table else {
            Issue.record("no matrix")
            return
        }
        #expect(try matrix.toDoubles() == [7.0 / 9, -2, 1])
        #expect(throws: Csv.Fault.self) { try Csv.table(Array("\(digits)\n".utf8), options: Csv.Options()) }
    }
}
