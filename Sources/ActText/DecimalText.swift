// Numbers in decimal digits, of which there may be millions: so many are cut to those that decide the value.
//
// What must stay true: the result is the nearest f64, as for the whole text.

package enum DecimalText {
    /// Longer texts are cut before they are read.
    package static let longest = 4000
    /// Halfway between two neighbours among the f64 there are at most 767 digits; of the digits after so many it matters only whether one is not 0.
    private static let digits = 800

    /// The number that `text` spells; `nil` if it spells none.
    /// - Parameter ignoring: A byte that may stand anywhere, as `_` in `1_000`.
    /// - Parameter check: Asked from time to time; what it throws is passed on.
    package static func number(_ text: some RandomAccessCollection<UInt8>, ignoring ignored: UInt8? = nil, check: () throws -> Void) rethrows -> Double? {
        var text = Array(text)
        if text.count <= longest {
            if let ignored { text.removeAll { $0 == ignored } }
        } else {
            text = try shortened(text, ignored, check)
        }
        // The standard library takes text of other alphabets for numbers.
        guard text.allSatisfy({ $0 < 0x80 }) else { return nil }
        return Double(String(decoding: text, as: UTF8.self))
    }

    /// A text of the same value, or of none if it had none: sign, at most `digits` digits and one that stands for the rest, an exponent.
    private static func shortened(_ text: [UInt8], _ ignored: UInt8?, _ check: () throws -> Void) rethrows -> [UInt8] {
        var reader = Reader(text: text, ignored: ignored)
        var result: [UInt8] = []
        if let sign = try reader.sign(check) { result.append(sign) }
        var exponent = 0
        guard try reader.mantissa(to: &result, &exponent, check) else { return [] }
        if let byte = try reader.current(check) {
            guard byte | 0x20 == UInt8(ascii: "e"), let written = try reader.exponent(check) else { return [] }
            exponent += written
        }
        return result + Array("e\(exponent)".utf8)
    }

    /// Where in the text reading has come to.
    private struct Reader {
        let text: [UInt8]
        let ignored: UInt8?
        private var index = 0

        init(text: [UInt8], ignored: UInt8?) { (self.text, self.ignored) = (text, ignored) }

        /// The byte that is next, `nil` at the end.
        mutating func current(_ check: () throws -> Void) rethrows -> UInt8? {
            while index < text.count, text[index] == ignored { try advance(check) }
            return index < text.count ? text[index] : nil
        }

        private mutating func advance(_ check: () throws -> Void) rethrows {
            index += 1
            if index & 0xffff == 0 { try check() }
        }

        mutating func sign(_ check: () throws -> Void) rethrows -> UInt8? {
            guard let sign = try current(check), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") else { return nil }
            try advance(check)
            return sign
        }

        /// Digits with or without a point.
        /// - Parameters:
        ///   - result: Gets those that matter, as a whole number.
        ///   - exponent: Gets the power of ten that this is to be multiplied by.
        /// - Returns: Whether there was a digit.
        mutating func mantissa(to result: inout [UInt8], _ exponent: inout Int, _ check: () throws -> Void) rethrows -> Bool {
            var kept = 0, hasDigits = false, hasRest = false, isPastPoint = false
            while let byte = try current(check) {
                if byte == UInt8(ascii: "."), !isPastPoint {
                    isPastPoint = true
                } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                    hasDigits = true
                    if kept == 0 && byte == UInt8(ascii: "0") {
                        if isPastPoint { exponent -= 1 }
                    } else if kept < DecimalText.digits {
                        result.append(byte)
                        kept += 1
                        if isPastPoint { exponent -= 1 }
                    } else {
                        hasRest = hasRest || byte != UInt8(ascii: "0")
                        if !isPastPoint { exponent += 1 }
                    }
                } else {
                    break
                }
                try advance(check)
            }
            if kept == 0 { result.append(UInt8(ascii: "0")) }
            if hasRest {
                result.append(UInt8(ascii: "1"))
                exponent -= 1
            }
            return hasDigits
        }

        /// `e-12` to the end; `nil` if it is not an exponent.
        mutating func exponent(_ check: () throws -> Void) rethrows -> Int? {
            try advance(check)
            let isNegative = try sign(check) == UInt8(ascii: "-")
            var written = 0, isEmpty = true
            while let byte = try current(check) {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
                isEmpty = false
                written = min(written &* 10 &+ Int(byte &- UInt8(ascii: "0")), 1 << 50)
                try advance(check)
            }
            return isEmpty ? nil : isNegative ? -written : written
        }
    }
}
