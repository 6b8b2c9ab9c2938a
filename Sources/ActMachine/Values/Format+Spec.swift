// Values with a format: `"{x:8.2f}"` and `format(x, "8.2f")`, as Python formats them. An array is formatted element by element, a
// list or record as a whole.

import ActArray
import ActSyntax
import ActText

extension Format {
    /// - Throws: `MachineRefusal` where the format does not suit the value.
    package static func formatted(_ value: Value, _ spec: FormatSpec) throws -> String {
        switch value {
        case .number(let number): return try formattedNumber(number, spec)
        case .bool(let bool):
            switch spec.kind {
            case nil, .string: return try formattedText(bool ? "true" : "false", spec)
            default: return try formattedNumber(bool ? 1 : 0, spec)
            }
        case .string(let text): return try formattedText(text.string, spec)
        case .array(let array):
            if array.rank == 0 { return try formatted(array.type == .bool ? .bool(array.item() != 0) : .number(array.item()), spec) }
            if spec.kind == .string || spec.kind == nil && spec.precision == nil { return try padded(text(value), spec) }
            return try elementwise(array, spec)
        default: return try formattedText(text(value), spec)
        }
    }

    /// `format(value, text)`
    package static func formatted(_ value: Value, specText: String) throws -> String {
        // Longer ones say nothing that a format can say.
        guard specText.utf8.count <= 100 else {
            throw MachineRefusal.formatTooLong(bytes: specText.utf8.count)
        }
        let spec: FormatSpec
        do {
            spec = try FormatSpec(parsing: specText)
        } catch {
            throw MachineRefusal.badFormat(specText, error)
        }
        return try formatted(value, spec)
    }

    // MARK: Numbers

    private static func formattedNumber(_ x: Double, _ spec: FormatSpec) throws -> String {
        let magnitude = x.magnitude
        var body: String
        switch spec.kind {
        case .string: return try formattedText(number(x), spec)
        case .whole:
            guard x == x.rounded(.towardZero), x.isFinite else {
                throw MachineRefusal.formatOfFraction(x)
            }
            if spec.precision != nil { throw MachineRefusal.formatOfWholeWithPrecision }
            body = printed(magnitude, "f", precision: 0)
        case .fixed: body = finite(magnitude) { printed($0, "f", precision: spec.precision ?? 6) }
        case .exponent: body = finite(magnitude) { printed($0, "e", precision: spec.precision ?? 6) }
        case .general: body = finite(magnitude) { printed($0, "g", precision: spec.precision ?? 6) }
        case .percent: body = finite(magnitude) { printed($0 * 100, "f", precision: spec.precision ?? 6) } + "%"
        case nil: body = spec.precision.map { precision in finite(magnitude) { printed($0, "g", precision: precision) } } ?? number(magnitude)
        }
        let isNegative = x.sign == .minus && !x.isNaN
        let sign = isNegative ? "-" : spec.sign == .always ? "+" : spec.sign == .spaceForPositive ? " " : ""
        let isAfterSign = (spec.alignment ?? (spec.isZeroPadded ? .afterSign : .right)) == .afterSign
        // Zeros between sign and digits are digits, so they are grouped too.
        if spec.isGrouped { body = grouped(body, width: isAfterSign && fill(spec) == "0" ? spec.width - sign.count : 0) }
        if !isAfterSign { return padded(sign + body, spec, default: .right) }
        return sign + String(repeating: fill(spec), count: max(0, spec.width - sign.count - body.count)) + body
    }

    private static func fill(_ spec: FormatSpec) -> Character { spec.fill ?? (spec.isZeroPadded ? "0" : " ") }

    private static func finite(_ x: Double, _ text: (Double) -> String) -> String { x.isFinite ? text(x) : x.isNaN ? "nan" : "inf" }

    /// With a comma after each thousand, and zeros before the digits up to `width` characters.
    private static func grouped(_ text: String, width: Int) -> String {
        var digits = Array(text.prefix { $0.isNumber })
        guard !digits.isEmpty else { return text }
        let rest = text.dropFirst(digits.count)
        func length(_ count: Int) -> Int { count + (count - 1) / 3 }
        var count = digits.count
        while length(count) + rest.count < width { count += 1 }
        digits = Array(repeating: "0", count: count - digits.count) + digits
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0 && (digits.count - index) % 3 == 0 { result.append(",") }
            result.append(digit)
        }
        return result + rest
    }

    // MARK: Text and arrays

    private static func formattedText(_ text: String, _ spec: FormatSpec) throws -> String {
        if let kind = spec.kind, kind != .string {
            throw MachineRefusal.formatOfText(kind, text)
        }
        if spec.isGrouped || spec.sign != nil || spec.alignment == .afterSign {
            throw MachineRefusal.signOfText
        }
        return padded(spec.precision.map { String(text.prefix($0)) } ?? text, spec)
    }

    private static func padded(_ text: String, _ spec: FormatSpec, default alignment: FormatSpec.Alignment = .left) -> String {
        // No more characters than that need be counted.
        let missing = spec.width - text.prefix(max(0, spec.width)).count
        guard missing > 0 else { return text }
        func filled(_ count: Int) -> String { String(repeating: fill(spec), count: count) }
        switch spec.alignment ?? alignment {
        case .left: return text + filled(missing)
        case .right, .afterSign: return filled(missing) + text
        case .centre: return filled(missing / 2) + text + filled(missing - missing / 2)
        }
    }

    private static func elementwise(_ array: NDArray, _ spec: FormatSpec) throws -> String {
        var layout = try ArrayLayout(array) { try formattedNumber($0, spec) }
        return try layout.text()
    }
}
