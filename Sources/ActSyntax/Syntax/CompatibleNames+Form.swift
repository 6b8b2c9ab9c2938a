// Names are compared in NFKC, as in Python: `µ` (the micro sign) and `μ` (the Greek letter), `𝜎` and `σ`, `ﬁ` and `fi` are one name each.
// What must stay true: a name in ASCII costs nothing, and the form of a form is itself.

extension CompatibleNames {
    /// The name in NFKC, up to canonical equivalence, which is how strings compare.
    package static func form(_ name: String) -> String {
        guard !name.utf8.allSatisfy({ $0 < 0x80 }) else { return name }
        var result = String.UnicodeScalarView(), hasChanged = false
        for scalar in name.unicodeScalars {
            if let form = form(scalar) {
                result.append(contentsOf: form)
                hasChanged = true
            } else {
                result.append(scalar)
            }
        }
        return hasChanged ? String(result) : name
    }

    private static func form(_ scalar: Unicode.Scalar) -> [Unicode.Scalar]? {
        if let row = row(scalar.value, in: runs, width: 4), scalar.value <= runs[row + 1] {
            return Unicode.Scalar(runs[row + 2] + (scalar.value - runs[row]) * runs[row + 3]).map { [$0] }
        }
        if let row = row(scalar.value, in: sequences, width: 3), scalar.value == sequences[row] {
            let start = Int(sequences[row + 1])
            return pool[start..<start + Int(sequences[row + 2])].compactMap(Unicode.Scalar.init)
        }
        return nil
    }

    /// Where the last row begins whose first number is not above `value`.
    private static func row(_ value: UInt32, in table: [UInt32], width: Int) -> Int? {
        var low = 0, high = table.count / width
        while low < high {
            let middle = (low + high) / 2
            if table[middle * width] <= value { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? nil : (low - 1) * width
    }
}
