// Single numbers in the text of values: sizes, elements, exact digits.

import ActText

extension Format {
    /// A size in memory: 512 bytes, 80 MB, 2.5 GB.
    package static func bytes(_ count: Int) -> String {
        if count < 1000 { return "\(count) bytes" }
        var size = Double(count)
        for unit in ["kB", "MB", "GB", "TB"] {
            size /= 1000
            if size < 1000 { return printed(size, "g", precision: 3) + " " + unit }
        }
        return printed(size / 1000, "g", precision: 3) + " PB"
    }

    /// A number as the only element of an array would print.
    package static func number(_ x: Double) -> String {
        // Whole numbers stand as they are; 0 may have a sign.
        if x.magnitude < 1e15, x != 0, x == x.rounded(.towardZero) { return String(Int(x)) }
        return NumberFormat(for: CollectionOfOne(x)).text(x)
    }

    /// Every digit that is needed to read the same number back.
    package static func exactNumber(_ x: Double, isSingle: Bool = false) -> String {
        guard x.isFinite else { return x.isNaN ? "nan" : x < 0 ? "-inf" : "inf" }
        let shortest = ShortestDecimal(x, isSingle: isSingle)
        return shortest.point > 16 || shortest.point < -3 ? shortest.scientific(decimals: 0) : shortest.positional(decimals: shortest.decimals)
    }
}
