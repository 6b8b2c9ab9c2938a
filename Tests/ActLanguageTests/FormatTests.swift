// How values print. Expected texts are NumPy 2.4's, with act's spelling of whole numbers, and Python 3's for format specs.

import ActArray
import ActLanguage
import ActSyntax
import Testing

struct FormatTests {
    @Test(
        arguments: [
            (0.1 + 0.2, "0.3"), (1e-5, "1e-05"), (1e16, "1e+16"), (100, "100"), (-0.0, "-0"), (0.0001, "0.0001"), (0.00012345, "0.00012345"),
            (0.000099999, "9.9999e-05"), (123_456_789.5, "1.2345679e+08"), (99_999_999.5, "99999999.5"), (0.3333333333333333, "0.33333333"),
            (0.6666666666666666, "0.66666667"),
            (1.000000001, "1.0"), (0.123456785, "0.12345678"), (5e-324, "5e-324"), (.greatestFiniteMagnitude, "1.79769313e+308"), (1e15, "1000000000000000"),
            (9_007_199_254_740_993, "9007199254740992"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"), (123456.789, "123456.789"),
            (1.5e-10, "1.5e-10"),
        ] as [(Double, String)])
    func numbers(_ number: Double, _ text: String) throws {
        #expect(try Format.text(.number(number)) == text)
    }

    @Test(
        arguments: [
            ([1, 2.5], "[1.0, 2.5]"), ([9.999546e-01, 4.53978687e-05, 2.06106005e-09], "[9.99954600e-01, 4.53978687e-05, 2.06106005e-09]"),
            ([1, .nan, -.infinity], "[1, nan, -inf]"), ([0.5, 1000.5], "[5.0000e-01, 1.0005e+03]"), ([1e100, 1e-5], "[1e+100, 1e-005]"), ([], "[]"),
            ([1e16, 1], "[1e+16, 1e+00]"), ([-1, 10, 100], "[-1, 10, 100]"), ([0.1, 0.25, 3], "[0.10, 0.25, 3.00]"),
        ] as [([Double], String)])
    func vectors(_ numbers: [Double], _ text: String) throws {
        #expect(try Format.text(.array(NDArray(numbers, shape: [numbers.count]))) == text)
    }

    /// f32 elements show no more digits than f32 needs, and numbers of 1e6 and more an exponent, as in NumPy.
    @Test(
        arguments: [
            ([0.1, 0.2], "[0.1, 0.2]"), ([0.3333333333333333], "[0.33333334]"), ([1_234_567.5], "[1.2345675e+06]"), ([3.4e12, 1], "[3400000000000, 1]"),
            ([0.1, 0.123456789], "[0.10000000, 0.12345679]"),
        ] as [([Double], String)])
    func singles(_ numbers: [Double], _ text: String) throws {
        #expect(try Format.text(.array(NDArray(numbers, shape: [numbers.count], type: .f32))) == text)
    }

    @Test func matricesAlignAndWrap() throws {
        let matrix = try NDArray([1, -2.5, 10, 0.25], shape: [2, 2])
        #expect(try Format.text(.array(matrix)) == "[[ 1.00, -2.50],\n [10.00,  0.25]]")
        let long = try NDArray.range(0, 60, 1).reshaped(to: [2, 30])
        let lines = try Format.text(.array(long)).split(separator: "\n")
        #expect(lines.count == 4 && lines[0] == "[[ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,")
        #expect(lines.allSatisfy { $0.count <= 75 })
    }

    @Test func largeArraysAreShortened() throws {
        #expect(try Format.text(.array(NDArray.range(0, 1000, 1))).contains("500"))
        #expect(try Format.text(.array(NDArray.range(0, 1001, 1))) == "[0, 1, 2, …, 998, 999, 1000]")
        let matrix = try NDArray.range(0, 2000, 1).reshaped(to: [40, 50])
        #expect(
            try Format.text(.array(matrix)) == """
                [[   0,    1,    2, …,   47,   48,   49],
                 [  50,   51,   52, …,   97,   98,   99],
                 [ 100,  101,  102, …,  147,  148,  149],
                 …,
                 [1850, 1851, 1852, …, 1897, 1898, 1899],
                 [1900, 1901, 1902, …, 1947, 1948, 1949],
                 [1950, 1951, 1952, …, 1997, 1998, 1999]]
                """)
        // Many short axes: still a page, not a book.
        let many = try NDArray.full(1, shape: [Int](repeating: 2, count: 22), type: .f64)
        #expect(try Format.text(.array(many)).utf8.count < 100_000)
    }

    @Test(arguments: [
        "0.1", "0.30000000000000004", "1e-05", "1e+16", "123456789012345680", "5e-324", "1.7976931348623157e+308", "-2.5", "0.0001", "100",
        "0.3333333333333333",
    ])
    func reprReadsBack(_ text: String) throws {
        let number = try #require(Double(text))
        let written = try Format.repr(.number(number)).text
        #expect(Double(written) == number)
        #expect(try Format.repr(.array(NDArray([number], shape: [1]))).text == "[\(written)]")
    }

    @Test func collections() throws {
        let array = try NDArray([1, 2, 3, 4], shape: [2, 2])
        let record = try Value.record(["W1": .array(array), "b": .number(2)])
        #expect(try Format.text(record) == "{W1: [[1, 2],\n      [3, 4]],\n b: 2}")
        #expect(try Format.repr(record).text == "{W1: [[1, 2], [3, 4]], b: 2}")
        #expect(try Format.shown(.string("a\"\\{\n\u{1}")) == #""a\"\\\{\n\u{1}""#)
        #expect(try Format.text(.string("a\"b")) == "a\"b")
        #expect(try Format.text(.list([.number(1)])) == "(1,)")
        #expect(try Format.text(.list([])) == "()")
    }

    @Test func deepNestingIsShortened() throws {
        var value = try Value.list([])
        for _ in 0..<9000 { value = try .list([value]) }
        #expect(try Format.text(value).utf8.count < 100)
    }

    @Test func notes() throws {
        #expect(try Format.note(.number(1)) == nil)
        #expect(try Format.note(.array(try NDArray([1, 2], shape: [2], type: .f32))) == "f32 (2,)")
        var numbers = (0...2000).map(Double.init)
        numbers[7] = .nan
        #expect(try Format.note(.array(try NDArray(numbers, shape: [2001]))) == "f64 (2001,), 0 … 2000, mean 1000, deviation 577.4, 1 nan")
    }

    /// Python's `format(value, spec)`.
    @Test(
        arguments: [
            (3.14159, ".2f", "3.14"), (-3.14159, "+.3g", "-3.14"), (42, "08d", "00000042"), (-5, "=+6d", "-    5"), (1234, "010,d", "00,001,234"),
            (1234, "09,d", "0,001,234"),
            (1_234_567.891, ",.1f", "1,234,567.9"), (0.256, ".1%", "25.6%"), (3.14159, "*^10.2f", "***3.14***"), (1e100, "g", "1e+100"),
            (0.1, ".20f", "0.10000000000000000555"),
            (.nan, "06.1f", "000nan"), (-.infinity, "8.1f", "    -inf"), (2.5, ".0f", "2"), (100, ".3", "100"), (0.5, " .1e", " 5.0e-01"),
            (12, "<6d", "12    "), (7, ">8", "       7"),
        ] as [(Double, String, String)])
    func specs(_ number: Double, _ spec: String, _ text: String) throws {
        #expect(try Format.formatted(.number(number), FormatSpec(parsing: spec)) == text)
    }

    @Test(arguments: [("abc", ">6", "   abc"), ("abcdef", ".3", "abc"), ("기울기", "_^7", "__기울기__"), ("ab", "05", "ab000")] as [(String, String, String)])
    func textSpecs(_ string: String, _ spec: String, _ text: String) throws {
        #expect(try Format.formatted(.string(string), FormatSpec(parsing: spec)) == text)
    }

    @Test func specsThatDoNotSuit() throws {
        #expect(throws: MachineRefusal.self) { try Format.formatted(.string("a"), FormatSpec(parsing: ".2f")) }
        #expect(throws: MachineRefusal.self) { try Format.formatted(.number(2.5), FormatSpec(parsing: "d")) }
        #expect(throws: MachineRefusal.self) { try Format.formatted(.string("a"), FormatSpec(parsing: "+5")) }
    }
}
