// From values to places along an axis, and the round values that are written there.
// What must stay true: any finite range works, from one denormal number to ±greatestFiniteMagnitude, without trap or endless loop.

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The smallest and largest finite value seen.
struct Extent: Equatable {
    private(set) var lower = Double.infinity
    private(set) var upper = -Double.infinity

    var isEmpty: Bool { lower > upper }

    @inline(__always)
    mutating func include(_ value: Double) {
        guard value.isFinite else { return }
        lower = min(lower, value)
        upper = max(upper, value)
    }

    /// A range that can serve as an axis: nothing gives 0…1, (nearly) one value `c` gives `c` ± |c|, and zero ±1.
    func widened() -> ClosedRange<Double> {
        guard !isEmpty else { return 0...1 }
        let largest = max(abs(lower), abs(upper))
        if largest < 1e-302 { return -1...1 }
        // Below this, neighbouring labels would differ in their eleventh digit only: rounding noise, not a shape.
        if upper / 2 - lower / 2 >= largest * 5e-11 { return lower...upper }
        let most = Double.greatestFiniteMagnitude
        return max(lower - largest, -most)...min(upper + largest, most)
    }
}

/// A value at which an axis is labelled.
package struct Tick: Equatable, Sendable {
    package var value: Double
    package var label: String
    /// Whether the label is a text, such as the name below a bar, and no number.
    package var isText = false
}

/// The map from values to 0…1 along an axis.
package struct Scale: Equatable, Sendable {
    package let lower, upper: Double
    let isLogarithmic: Bool
    /// Whether small values stand where large ones usually do (rows of a matrix).
    let isReversed: Bool

    private let start: Double
    private let span: Double
    private let factor: Double

    /// `range` must be positive for a logarithmic scale; a range too narrow to be told apart is widened.
    package init(_ range: ClosedRange<Double>, isLogarithmic: Bool = false, isReversed: Bool = false) {
        var range = range
        var extent = Extent()
        extent.include(range.lowerBound)
        extent.include(range.upperBound)
        if isLogarithmic {
            if !(log10(range.upperBound) - log10(range.lowerBound) > 1e-9) {
                range = max(range.lowerBound / 10, .leastNonzeroMagnitude)...min(range.upperBound * 10, .greatestFiniteMagnitude)
            }
        } else {
            range = extent.widened()
        }
        (lower, upper) = (range.lowerBound, range.upperBound)
        (self.isLogarithmic, self.isReversed) = (isLogarithmic, isReversed)
        if isLogarithmic {
            factor = 1
            start = log10(lower)
            span = log10(upper) - start
        } else {
            factor = (upper - lower).isFinite ? 1 : 0.25
            start = lower * factor
            span = upper * factor - start
        }
    }

    /// 0 for `lower`, 1 for `upper` (turned round when reversed); NaN for what has no place. Bounded, so that products with it stay finite.
    @inline(__always)
    package func position(_ value: Double) -> Double {
        guard value.isFinite else { return .nan }
        let place = ((isLogarithmic ? log10(value) : value * factor) - start) / span
        guard isLogarithmic ? value > 0 : true else { return .nan }
        let bounded = min(max(place, -1e6), 1e6)
        return isReversed ? 1 - bounded : bounded
    }

    /// The value at a position, the inverse of `position(_:)`.
    package func value(at position: Double) -> Double {
        let place = isReversed ? 1 - position : position
        if isLogarithmic { return pow(10, start + place * span) }
        return min(max((start + place * span) / factor, -.greatestFiniteMagnitude), .greatestFiniteMagnitude)
    }

    func contains(_ value: Double) -> Bool { value >= lower && value <= upper }
}

// MARK: - Ticks

extension Scale {
    /// At most `count` round values of the axis, the finest choice that `fits` accepts; empty if none is. `whole` allows whole numbers only.
    package func ticks(atMost count: Int, whole: Bool = false, fits: ([Tick]) -> Bool = { _ in true }) -> [Tick] {
        guard count > 0 else { return [] }
        if isLogarithmic, let ticks = logarithmicTicks(atMost: count, fits: fits) { return ticks }
        // The least step of which `count` multiples, and no more, can lie in the range; the loop sees to those that are just too fine.
        let smallest = (upper / 2 - lower / 2) / (Double(count) + 1) * 2
        // Within one whole number there is nothing to count.
        var step = TickStep(atLeast: whole && upper - lower >= 1 ? max(smallest, 1) : smallest)
        for _ in 0..<20 {
            let ticks = step.ticks(lower, upper)
            if ticks.count <= count && fits(ticks) { return ticks }
            if ticks.count <= 1 { break }
            step = step.next
        }
        return []
    }

    /// 1, 2, 5 times powers of ten over at most two of them, else the powers, every n-th if they crowd; nil if linear ticks serve better.
    private func logarithmicTicks(atMost count: Int, fits: ([Tick]) -> Bool) -> [Tick]? {
        let last = start + span
        let (first, end) = (Int((start - 1e-9).rounded(.up)), Int((last + 1e-9).rounded(.down)))
        if span <= 2 + 1e-9 {
            var ticks: [Tick] = []
            for exponent in first - 1...end {
                for digit in [1, 2, 5] { ticks.append(logarithmicTick(digit, exponent, isPlain: (-4...5).contains(exponent))) }
            }
            ticks.removeAll { $0.value < lower * (1 - 1e-9) || $0.value > upper * (1 + 1e-9) }
            if ticks.count > 1 && ticks.count <= count && fits(ticks) { return ticks }
        }
        let decades = end - first + 1
        guard decades >= 2 else { return nil }
        let isPlain = first >= -4 && end <= 5
        for stride in 1...decades {
            // Multiples of the stride, so that 1 stays among them.
            let ticks = (first...end).filter { $0 % stride == 0 }.map { logarithmicTick(1, $0, isPlain: isPlain) }
            if ticks.count <= count && fits(ticks) { return ticks }
        }
        return []
    }

    private func logarithmicTick(_ digit: Int, _ exponent: Int, isPlain: Bool) -> Tick {
        let label = isPlain || exponent == 0 ? decimal(digit, exponent: exponent, places: max(0, -exponent)) : "\(digit)e\(exponent)"
        return Tick(value: Double("\(digit)e\(exponent)") ?? 1, label: label)
    }

    /// Values for small marks between the labels of a logarithmic axis: 2 … 9 times each power of ten; none over more than six powers.
    package var minorTicks: [Double] {
        guard isLogarithmic, span <= 6 else { return [] }
        var values: [Double] = []
        for exponent in Int(start.rounded(.down))...Int((start + span).rounded(.up)) {
            for digit in 2...9 { values.append(Double("\(digit)e\(exponent)") ?? 0) }
        }
        return values.filter(contains)
    }

    /// The scale with its ends moved out to round values, so that data does not end between labels.
    package func roundedOutward() -> Scale {
        if isLogarithmic {
            let (low, high) = (roundedPower(lower, up: false), roundedPower(upper, up: true))
            guard low > 0, high.isFinite, low < high else { return self }
            return Scale(low...high, isLogarithmic: true, isReversed: isReversed)
        }
        let step = TickStep(atLeast: (upper / 2 - lower / 2) / 12 * 2)
        let low = step.value(step.index(lower, .down))
        let high = step.value(step.index(upper, .up))
        guard low.isFinite, high.isFinite, low < high else { return self }
        return Scale(min(low, lower)...max(high, upper), isReversed: isReversed)
    }

    /// The nearest 1, 2 or 5 times a power of ten on one side.
    private func roundedPower(_ value: Double, up: Bool) -> Double {
        let exponent = Int(log10(value).rounded(.down))
        let candidates = [(1, 0), (2, 0), (5, 0), (1, 1)].compactMap { Double("\($0.0)e\(exponent + $0.1)") }
        if up { return candidates.first { $0 >= value * (1 - 1e-9) } ?? value }
        return candidates.last { $0 <= value * (1 + 1e-9) } ?? value
    }
}

/// The distance between ticks: `digit` (1, 2 or 5) × 10^`exponent`. Ticks are whole multiples, so labels are exact integers shifted.
struct TickStep: Equatable {
    var digit: Int
    var exponent: Int

    /// The smallest step not below `size`.
    init(atLeast size: Double) {
        let size = min(max(size, 1e-306), .greatestFiniteMagnitude)
        exponent = min(Int(log10(size).rounded(.down)), 307)
        digit = 1
        while width < size * (1 - 1e-9) && exponent < 308 { self = next }
    }

    private init(digit: Int, exponent: Int) { (self.digit, self.exponent) = (digit, exponent) }

    var next: TickStep {
        switch digit {
        case 1: TickStep(digit: 2, exponent: exponent)
        case 2: TickStep(digit: 5, exponent: exponent)
        default: TickStep(digit: 1, exponent: exponent + 1)
        }
    }

    var width: Double { value(1) }

    /// The value of the tick at an index, correctly rounded.
    func value(_ index: Int) -> Double {
        let (digits, overflow) = index.multipliedReportingOverflow(by: digit)
        return overflow ? .nan : Double("\(digits)e\(exponent)") ?? .nan
    }

    func index(_ value: Double, _ rule: FloatingPointRoundingRule) -> Int {
        let quotient = value / width
        // Rounding may have put a round number just beyond itself.
        let slack = 1e-9 + abs(quotient) * 1e-15
        return Int(exactly: min(max((quotient + (rule == .up ? -slack : slack)).rounded(rule), -1e15), 1e15)) ?? 0
    }

    /// The ticks within a range, with labels of equal decimals; none if there would be more than a thousand.
    func ticks(_ lower: Double, _ upper: Double) -> [Tick] {
        let (first, last) = (index(lower, .up), index(upper, .down))
        guard first <= last, last - first < 1000 else { return [] }
        let digits = (first...last).map { $0 * digit }
        let plain = digits.map { decimal($0, exponent: exponent, places: max(0, -exponent)) }
        let short = scientific(digits)
        func longest(_ labels: [String]) -> Int { labels.map(\.utf8.count).max() ?? 0 }
        // Plain stays plain up to six characters, and where it is not longer.
        let labels = longest(plain) <= 6 || longest(plain) <= longest(short) ? plain : short
        return zip(first...last, labels).map { Tick(value: value($0), label: $1) }
    }

    /// Labels with one digit before the point: of equal decimals where the power of ten is the same (1.0e6, 1.5e6), else as short as each
    /// can be (8e6, 1e7).
    private func scientific(_ digits: [Int]) -> [String] {
        let shifts = digits.map { String($0.magnitude).utf8.count - 1 }
        let shared = Set(zip(digits, shifts).filter { $0.0 != 0 }.map(\.1))
        return zip(digits, shifts).map { digits, shift in
            if digits == 0 { return "0" }
            var (digits, places) = (digits, shift)
            while shared.count > 1 && places > 0 && digits % 10 == 0 { (digits, places) = (digits / 10, places - 1) }
            return decimal(digits, exponent: -places, places: places) + "e\(exponent + shift)"
        }
    }
}

/// `digits` × 10^`exponent` with `places` decimals, `places` being at least `-exponent`.
func decimal(_ digits: Int, exponent: Int, places: Int) -> String {
    let zeros = max(0, exponent + places)
    // Far too long to be chosen as a label; not worth building.
    guard zeros < 40, places < 40 else { return String(repeating: "0", count: 40) }
    var text = String(digits.magnitude) + (digits == 0 ? "" : String(repeating: "0", count: zeros))
    if places > 0 {
        if text.utf8.count <= places { text = String(repeating: "0", count: places + 1 - text.utf8.count) + text }
        text.insert(".", at: text.index(text.endIndex, offsetBy: -places))
    }
    return digits < 0 ? "-" + text : text
}

/// A number in at most three significant digits, without exponent where that is short.
func shortNumber(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
    let exponent = Int(log10(abs(value)).rounded(.down)) - 2
    let scaled = (value / 1e3 / pow(10, Double(exponent - 3))).rounded()
    guard var digits = Int(exactly: scaled) else { return "\(value)" }
    var power = exponent
    while digits != 0 && digits % 10 == 0 {
        digits /= 10
        power += 1
    }
    if (-4...4).contains(power) { return decimal(digits, exponent: power, places: max(0, -power)) }
    let shift = String(digits.magnitude).count - 1
    return decimal(digits, exponent: -shift, places: shift) + "e\(power + shift)"
}
