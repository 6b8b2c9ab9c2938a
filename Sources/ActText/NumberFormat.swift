// Numbers in decimal: the fewest digits that read back as the same number, a fixed count of digits, and the common format of
// several numbers, chosen as NumPy chooses it.
//
// What must stay true: the text never depends on the user's locale, and every `Double` has one.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The shortest digits that read back as the same finite number: ±0.d₁d₂… × 10^`point`. Zero has no digits.
package struct ShortestDecimal {
    package let isNegative: Bool
    package let digits: [UInt8]
    package let point: Int

    /// - Parameter isSingle: whether the number is an element of an f32 array, which needs fewer digits.
    package init(_ x: Double, isSingle: Bool = false) {
        isNegative = x.sign == .minus
        var digits: [UInt8] = []
        var point: Int?
        var exponent = 0
        var exponentSign = 1
        var isExponent = false
        let text = isSingle ? Float(x).magnitude.description : x.magnitude.description
        for character in text.utf8 {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if isExponent { exponent = exponent &* 10 &+ Int(character &- 48) } else { digits.append(character) }
            case UInt8(ascii: "."): point = digits.count
            case UInt8(ascii: "e"): isExponent = true
            case UInt8(ascii: "-"): exponentSign = -1
            default: break
            }
        }
        var place = (point ?? digits.count) &+ exponentSign &* exponent
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(leading)
        place -= leading
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        self.digits = digits
        self.point = digits.isEmpty ? 1 : place
    }

    /// How many digits stand after the point, written without an exponent.
    package var decimals: Int { max(0, digits.count - point) }

    /// Without an exponent, with at least `decimals` digits after the point.
    package func positional(decimals: Int) -> String {
        var text: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
        if point <= 0 { text.append(UInt8(ascii: "0")) }
        for index in 0..<max(0, point) { text.append(index < digits.count ? digits[index] : UInt8(ascii: "0")) }
        if digits.isEmpty { text[text.count - 1] = UInt8(ascii: "0") }
        if decimals > 0 {
            text.append(UInt8(ascii: "."))
            for place in 0..<max(decimals, self.decimals) {
                let index = point + place
                text.append(index >= 0 && index < digits.count ? digits[index] : UInt8(ascii: "0"))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// d.ddd…e±xx, with at least `decimals` digits after the point and two in the exponent.
    package func scientific(decimals: Int) -> String {
        let first = digits.first ?? UInt8(ascii: "0")
        var text = (isNegative ? "-" : "") + String(UnicodeScalar(first))
        let rest = max(decimals, digits.count - 1)
        if rest > 0 {
            text += "."
            for index in 1...rest { text.unicodeScalars.append(UnicodeScalar(index < digits.count ? digits[index] : UInt8(ascii: "0"))) }
        }
        let exponent = digits.isEmpty ? 0 : point - 1
        return text + "e" + (exponent < 0 ? "-" : "+") + (abs(exponent) < 10 ? "0" : "") + String(abs(exponent))
    }
}

/// C's `%.<precision><letter>`, exactly rounded, with a point whatever the locale.
package func printed(_ x: Double, _ letter: Character, precision: Int) -> String {
    let format = letter == "f" ? "%.*f" : letter == "e" ? "%.*e" : "%.*g"
    func text(capacity: Int) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) { buffer in
            let length = withVaList([Int32(clamping: precision), x]) { Int(vsnprintf(buffer.baseAddress, capacity, format, $0)) }
            guard length < capacity else { return nil }
            return withPoint(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer.prefix(max(0, length)))))
        }
    }
    return text(capacity: 64) ?? text(capacity: 400 + precision) ?? ""
}

/// The text with a point in place of whatever the locale writes between whole part and fraction.
private func withPoint(_ bytes: UnsafeRawBufferPointer) -> String {
    func isOrdinary(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 || byte >= 97 && byte <= 122 || byte == 43 || byte == 45 || byte == 46 }
    guard let first = bytes.firstIndex(where: { !isOrdinary($0) }), let last = bytes.lastIndex(where: { !isOrdinary($0) }) else {
        return String(decoding: bytes, as: UTF8.self)
    }
    return String(decoding: bytes[..<first], as: UTF8.self) + "." + String(decoding: bytes[(last + 1)...], as: UTF8.self)
}

/// How the numbers of one array print: alike.
package struct NumberFormat {
    package enum Style: Equatable {
        /// Without a point.
        case whole
        case fixed(decimals: Int)
        case exponent(decimals: Int, exponentDigits: Int)
    }

    package let style: Style
    package let isSingle: Bool

    /// Digits after the point that are shown at most.
    package static let precision = 8
    /// Whole numbers from here on print with an exponent.
    package static let wholeLimit = 1e16

    /// The format that suits all of `values`; those that are not finite have no say.
    package init(for values: some Sequence<Double>, isSingle: Bool = false) {
        self.isSingle = isSingle
        var largest = 0.0
        var smallest = Double.infinity
        var areWhole = true
        for value in values where value.isFinite {
            let magnitude = value.magnitude
            if magnitude != 0 {
                largest = max(largest, magnitude)
                smallest = min(smallest, magnitude)
            }
            if magnitude >= Self.wholeLimit || magnitude != magnitude.rounded(.towardZero) { areWhole = false }
        }
        if areWhole {
            style = .whole
        } else if largest >= (isSingle ? 1e6 : 1e8) || smallest < 1e-4 || largest / smallest > 1000 {
            var decimals = 0
            var exponentDigits = 2
            for value in values where value.isFinite {
                // Once all digits are shown, only exponents of three digits can change anything.
                if decimals == Self.precision && value.magnitude > 1e-98 && value.magnitude < 1e98 { continue }
                let text = Self.scientific(value, isSingle)
                let parts = text.split(separator: "e")
                decimals = max(decimals, Self.decimals(of: parts[0]))
                if parts.count > 1 { exponentDigits = max(exponentDigits, parts[1].utf8.count - 1) }
            }
            style = .exponent(decimals: decimals, exponentDigits: exponentDigits)
        } else {
            // One at least, so that a number that is nearly whole does not look whole.
            var decimals = 1
            for value in values where value.isFinite && decimals < Self.precision {
                decimals = max(decimals, Self.decimals(of: Self.positional(value, isSingle)[...]))
            }
            style = .fixed(decimals: decimals)
        }
    }

    package func text(_ x: Double) -> String {
        guard x.isFinite else { return x.isNaN ? "nan" : x < 0 ? "-inf" : "inf" }
        switch style {
        case .whole: return ShortestDecimal(x, isSingle: isSingle).positional(decimals: 0)
        case .fixed(let decimals):
            let shortest = ShortestDecimal(x, isSingle: isSingle)
            return shortest.decimals <= decimals ? shortest.positional(decimals: decimals) : printed(x, "f", precision: decimals)
        case .exponent(let decimals, let exponentDigits):
            let shortest = ShortestDecimal(x, isSingle: isSingle)
            let text = shortest.digits.count - 1 <= decimals ? shortest.scientific(decimals: decimals) : printed(x, "e", precision: decimals)
            guard let e = text.utf8.firstIndex(of: UInt8(ascii: "e")) else { return text }
            let digits = text[text.index(e, offsetBy: 2)...]
            let zeros = String(repeating: "0", count: max(0, exponentDigits - digits.utf8.count))
            return text[...text.index(after: e)] + zeros + digits
        }
    }

    /// With at most `precision` digits after the point.
    private static func positional(_ x: Double, _ isSingle: Bool) -> String {
        let shortest = ShortestDecimal(x, isSingle: isSingle)
        if shortest.decimals <= precision { return shortest.positional(decimals: shortest.decimals) }
        return trimmed(printed(x, "f", precision: precision))
    }

    private static func scientific(_ x: Double, _ isSingle: Bool) -> String {
        let shortest = ShortestDecimal(x, isSingle: isSingle)
        if shortest.digits.count - 1 <= precision { return shortest.scientific(decimals: 0) }
        let parts = printed(x, "e", precision: precision).split(separator: "e")
        return trimmed(String(parts[0])) + "e" + parts[1]
    }

    /// Without zeros at the end.
    private static func trimmed(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: ".")) else { return text }
        var text = text[...]
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return String(text)
    }

    private static func decimals(of text: Substring) -> Int {
        guard let point = text.utf8.firstIndex(of: UInt8(ascii: ".")) else { return 0 }
        return text.utf8.distance(from: point, to: text.utf8.endIndex) - 1
    }
}
