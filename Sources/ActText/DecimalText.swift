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
        var result: [UInt8] = []
        var index = 0, kept = 0, exponent = 0, hasDigits = false, hasRest = false, isPastPoint = false
        func current() throws -> UInt8? {
            while index < text.count, text[index] == ignored { try advance() }
            return index < text.count ? text[index] : nil
        }
        func advance() throws {
            index += 1
            if index & 0xffff == 0 { try check() }
        }
        if let sign = try current(), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            result.append(sign)
            try advance()
        }
        while let byte = try current() {
            if byte == UInt8(ascii: "."), !isPastPoint {
                isPastPoint = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                hasDigits = true
                if kept == 0 && byte == UInt8(ascii: "0") {
                    if isPastPoint { exponent -= 1 }
                } else if kept < digits {
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
            try advance()
        }
        guard hasDigits else { return [] }
        if kept == 0 { result.append(UInt8(ascii: "0")) }
        if hasRest {
            result.append(UInt8(ascii: "1"))
            exponent -= 1
        }
        if let byte = try current() {
            guard byte | 0x20 == UInt8(ascii: "e") else { return [] }
            try advance()
            var isNegative = false
            if let sign = try current(), sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
                isNegative = sign == UInt8(ascii: "-")
                try advance()
            }
            var written = 0, isEmpty = true
            while let byte = try current() {
                guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return [] }
                isEmpty = false
                written = min(written &* 10 &+ Int(byte &- UInt8(ascii: "0")), 1 << 50)
                try advance()
            }
            guard !isEmpty else { return [] }
            exponent += isNegative ? -written : written
        }
        return result + Array("e\(exponent)".utf8)
    }
}
