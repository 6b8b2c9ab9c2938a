import ActGrad
import ActLanguage
import Foundation
import Testing

/// Operators and functions of single numbers: as of arrays, to the bit, and `//` and `%` as Python has them.
@Suite struct NumberTests {
    /// 44 numbers: whole ones of every size, decimals, halves, extremes, both zeros and infinities, NaN.
    static let numbers: [Double] = [
        0, -0.0, 1, -1, 2, -2, 3, -3, 5, -5, 7, 10, 0.1, -0.1, 0.3, 0.7, -0.7, 0.5, 2.5, -2.5, 1e-5, 1 / 3, 100, -1000.5, 1e9, 4294967296, -4294967297,
        9007199254740991,
        9007199254740992, -9007199254740993, 1e16, 1e17, -3e20, 1e100, 1e300, 1.7976931348623157e308, 1e-300, 1e-310, 5e-324, -5e-324, .infinity, -.infinity,
        .nan, 0.9999999999999999,
    ]

    /// Python's floor division and remainder of floats (Objects/floatobject.c has the rules): the remainder has the divisor's sign, and the
    /// quotient is the whole number that goes with it. By zero as NumPy: x / 0, and NaN.
    static func divmod(_ x: Double, _ y: Double) -> (Double, Double) {
        if y == 0 { return (x / y, .nan) }
        var rest = fmod(x, y), quotient = (x - rest) / y
        if rest != 0 {
            if (y < 0) != (rest < 0) { (rest, quotient) = (rest + y, quotient - 1) }
        } else {
            rest = copysign(0, y)
        }
        if quotient == 0 { return (copysign(0, x / y), rest) }
        let floor = quotient.rounded(.down)
        return (quotient - floor > 0.5 ? floor + 1 : floor, rest)
    }

    private func source(_ x: Double) -> String {
        x.isNaN ? "nan" : x.isInfinite ? (x < 0 ? "(-inf)" : "inf") : x.sign == .minus ? "(-\(x.magnitude))" : "\(x)"
    }

    private func same(_ a: Double, _ b: Double) -> Bool { a.bitPattern == b.bitPattern || a.isNaN && b.isNaN }

    @Test func divisionsWithFloor() throws {
        let session = try TestSession { $0.warns = false }
        var program = ""
        for x in NumberTests.numbers {
            for y in NumberTests.numbers {
                let (a, b) = (source(x), source(y))
                // With variables and with a constant, as number and as array.
                program +=
                    "x = \(a); y = \(b); repr([x // y, x // \(b), ([x, x] // y)[1], (x // [y, y])[0], x % y, x % \(b), ([x, x] % y)[1], (x % [y, y])[0]])\n"
            }
        }
        let shown = session.values(program)
        #expect(shown.count == NumberTests.numbers.count * NumberTests.numbers.count)
        for (i, text) in shown.enumerated() {
            let x = NumberTests.numbers[i / NumberTests.numbers.count], y = NumberTests.numbers[i % NumberTests.numbers.count]
            let values = text.trimmingCharacters(in: CharacterSet(charactersIn: "\"[]")).split(separator: ", ").map { Double($0) ?? .nan }
            let (quotient, rest) = NumberTests.divmod(x, y)
            #expect(values.count == 8 && values[..<4].allSatisfy { same($0, quotient) } && values[4...].allSatisfy { same($0, rest) }, "\(x) // \(y): \(text)")
        }
    }

    @Test(arguments: ["+", "-", "*", "/", "^"]) func operators(symbol: String) throws {
        let session = try TestSession { $0.warns = false }
        var program = ""
        for x in NumberTests.numbers + [1.1, 1.3, -1.7, 3.3] {
            for y in NumberTests.numbers.prefix(24) + [4, -0.5, 1.1, 6] {
                let (a, b) = (source(x), source(y))
                program += """
                    x = \(a); y = \(b); s = [x \(symbol) y, x \(symbol) \(b), ([x] \(symbol) y)[0], ([x, x] \(symbol) y)[1], (x \(symbol) [y, y])[1], \
                    ([x, x] \(symbol) [y, 1])[0]]
                    for v in s { if repr(v) != repr(s[0]) { print("\(a) \(symbol) \(b): {repr(s)}") } }

                    """
            }
        }
        session.run(program)
        #expect(session.written.isEmpty && session.diagnostics.isEmpty, "\(session.written.prefix(600)) \(session.diagnostics.first.map { "\($0)" } ?? "")")
    }

    /// Every function that takes a number elementwise, by the built-ins' own list.
    @Test func functions() throws {
        let session = try TestSession { $0.warns = false }
        let names = BuiltinRows.all.filter { row in
            let isAlone = row.parameters.dropFirst().allSatisfy { $0.fallback != nil && !$0.isVariadic }
            return isAlone && (row.activation.map { $0.kind == .elementwise } ?? (row.topic == .elementwise && !["max", "min", "where"].contains(row.name)))
        }.map(\.name)
        #expect(names.count > 60, "\(names)")
        var program = "xs = (\(NumberTests.numbers.map(source).joined(separator: ", ")), 0.44, -1.3, 2.7, 33.3, -20.5)\n"
        for name in names {
            program += """
                for x in xs { s = (\(name)(x), \(name)([x])[0], \(name)([x, 1, 2])[0], \(name)([1, x])[1], \(name)([x] * ones(1025))[1000])
                for v in s { if repr(v) != repr(s[0]) { print("\(name)({x}): {repr(s)}") } } }

                """
        }
        session.run(program)
        #expect(
            session.written.trimmingCharacters(in: .newlines).isEmpty && session.diagnostics.isEmpty,
            "\(session.written.prefix(1000)) \(session.diagnostics.first.map { "\($0)" } ?? "")")
    }
}
