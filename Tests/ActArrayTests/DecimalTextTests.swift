// Numbers of thousands of digits. The expected values are those of arithmetic: a text just above or below the middle between two
// neighbours among the f64 is the neighbour on its side, the middle itself the even one.

import Testing

import ActText

@Suite struct DecimalTextTests {
    /// 1 + 2⁻⁵³, halfway between 1 and the next f64.
    private let middle = "1.00000000000000011102230246251565404236316680908203125"
    private let zeros = String(repeating: "0", count: 10_000)

    private func number(_ text: String) throws -> Double? { try DecimalText.number(Array(text.utf8), ignoring: 95) {} }

    @Test func digitsFarBehindDecide() throws {
        let next = 1.0.nextUp
        #expect(try number(middle + zeros) == 1)
        #expect(try number(middle + zeros + "1") == next)
        #expect(try number("-" + middle + zeros + "1" + zeros) == -next)
        #expect(try number(middle.dropLast() + "4" + String(repeating: "9", count: 10_000)) == 1)
        #expect(try number(zeros + middle + zeros + "1") == next)
        #expect(try number(middle + zeros + "1e0") == next)
    }

    @Test func pointsAndExponents() throws {
        #expect(try number("1" + zeros + "e-10000") == 1)
        #expect(try number("0." + zeros + "25e10001") == 2.5)
        #expect(try number("1_2" + zeros + "_0e-1_0000") == 120)
        #expect(try number("1" + zeros) == .infinity)
        #expect(try number("0." + zeros + "1") == 0)
        #expect(try number(zeros) == 0)
        #expect(try number("1e" + String(repeating: "9", count: 10_000)) == .infinity)
        #expect(try number("1e-" + String(repeating: "9", count: 10_000)) == 0)
        #expect(try number("2.5") == 2.5)
    }

    @Test func whatSpellsNoNumber() throws {
        for text in [zeros + "x", "1.2." + zeros, "e" + zeros, "1" + zeros + "e", "--" + zeros, ".", "", zeros + " 1", "٣"] {
            #expect(try number(text) == nil, "\(text.prefix(10))")
        }
    }
}
