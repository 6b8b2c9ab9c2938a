// The numbers of formulas: exact fractions as long as they are small, else the nearest double.
//
// What must stay true: a fraction is in lowest terms with a denominator above 0; nothing traps, whatever the numbers are.

enum Coefficient: Hashable {
    case fraction(Int, Int)
    case real(UInt64)

    static let zero = Coefficient.fraction(0, 1)
    static let one = Coefficient.fraction(1, 1)
    static let half = Coefficient.fraction(1, 2)

    /// A double as what was probably meant: 0.5 is 1/2, 0.1 is 1/10, 1/3.0 is 1/3. No value changes by more than the rounding of a double.
    init(_ value: Double) {
        if let whole = Int(exactly: value), whole.magnitude < 1 << 53 {
            self = .fraction(whole, 1)
            return
        }
        self = .real(value.bitPattern)
        guard value.isFinite, value.magnitude < 1e6, value.magnitude > 1e-9 else { return }
        for denominator in 2...64 {
            let numerator = (value * Double(denominator)).rounded()
            if numerator / Double(denominator) == value, let whole = Int(exactly: numerator) {
                self = Coefficient.reduced(whole, denominator)
                return
            }
        }
        var scale = 1
        for _ in 1...12 {
            scale *= 10
            let numerator = (value * Double(scale)).rounded()
            if numerator / Double(scale) == value, numerator.magnitude < 1e15, let whole = Int(exactly: numerator) {
                self = Coefficient.reduced(whole, scale)
                return
            }
        }
    }

    private static func reduced(_ numerator: Int, _ denominator: Int) -> Coefficient {
        var (a, b) = (numerator.magnitude, denominator.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        guard a > 0, let divisor = Int(exactly: a), denominator != 0 else { return .zero }
        return denominator < 0 ? .fraction(-(numerator / divisor), -(denominator / divisor)) : .fraction(numerator / divisor, denominator / divisor)
    }

    var value: Double {
        switch self {
        case .fraction(let numerator, let denominator): Double(numerator) / Double(denominator)
        case .real(let bits): Double(bitPattern: bits)
        }
    }

    var isZero: Bool { value == 0 }
    var isOne: Bool { self == .one }
    var isNegative: Bool { value < 0 }

    /// The whole number that it is.
    var whole: Int? { if case .fraction(let numerator, 1) = self { numerator } else { nil } }

    var magnitude: Coefficient { isNegative ? -self : self }

    static prefix func - (a: Coefficient) -> Coefficient {
        if case .fraction(let numerator, let denominator) = a, numerator != Int.min { return .fraction(-numerator, denominator) }
        return Coefficient(real: -a.value)
    }

    private init(real: Double) { self = .real(real.bitPattern) }

    static func + (a: Coefficient, b: Coefficient) -> Coefficient {
        guard case .fraction(let n, let d) = a, case .fraction(let m, let e) = b else { return Coefficient(real: a.value + b.value) }
        let (left, o1) = n.multipliedReportingOverflow(by: e), (right, o2) = m.multipliedReportingOverflow(by: d)
        let (sum, o3) = left.addingReportingOverflow(right), (below, o4) = d.multipliedReportingOverflow(by: e)
        guard !o1, !o2, !o3, !o4, sum != Int.min else { return Coefficient(real: a.value + b.value) }
        return reduced(sum, below)
    }

    static func * (a: Coefficient, b: Coefficient) -> Coefficient {
        guard case .fraction(let n, let d) = a, case .fraction(let m, let e) = b else { return Coefficient(real: a.value * b.value) }
        let (above, o1) = n.multipliedReportingOverflow(by: m), (below, o2) = d.multipliedReportingOverflow(by: e)
        guard !o1, !o2, above != Int.min else { return Coefficient(real: a.value * b.value) }
        return reduced(above, below)
    }

    var inverse: Coefficient {
        guard case .fraction(let numerator, let denominator) = self, numerator != 0, numerator != Int.min else { return Coefficient(real: 1 / value) }
        return numerator < 0 ? .fraction(-denominator, -numerator) : .fraction(denominator, numerator)
    }

    /// A whole power; `nil` if it is of no use in a formula.
    func power(_ exponent: Int) -> Coefficient? {
        guard exponent.magnitude <= 64, !(isZero && exponent < 0) else { return nil }
        var result = Coefficient.one
        for _ in 0..<exponent.magnitude { result = result * (exponent < 0 ? inverse : self) }
        return result
    }

    /// The square root, if it is a fraction.
    var root: Coefficient? {
        guard case .fraction(let numerator, let denominator) = self, numerator >= 0 else { return nil }
        let above = Int(Double(numerator).squareRoot()), below = Int(Double(denominator).squareRoot())
        return above &* above == numerator && below &* below == denominator ? .fraction(above, below) : nil
    }

    static func < (a: Coefficient, b: Coefficient) -> Bool { a.value < b.value }

    /// How it is written: above the line and below it; decimals where a fraction would be no help.
    var parts: (above: String, below: Int) {
        guard case .fraction(let numerator, let denominator) = self else { return (Coefficient.digits(value), 1) }
        var rest = denominator
        while rest.isMultiple(of: 2) { rest /= 2 }
        let twos = denominator / rest
        while rest.isMultiple(of: 5) { rest /= 5 }
        let isDecimal = rest == 1 && (denominator.isMultiple(of: 5) || twos > 16)
        return isDecimal ? (Coefficient.digits(value), 1) : ("\(numerator)", denominator)
    }

    private static func digits(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        let text = "\(value)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
