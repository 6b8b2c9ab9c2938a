// The gamma function and functions like it, cube roots, and whole numbers as bits. They are computed number by number in double precision.

import ActArray

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Functions of one number that no kernel computes.
package enum SpecialFunction: String, Sendable {
    case gamma, lgamma, digamma, cbrt

    package func callAsFunction(_ x: Double) -> Double {
        switch self {
        // At 0 it is infinite, at the whole numbers below it is none: its sides differ.
        case .gamma: x < 0 && x == x.rounded() ? .nan : tgamma(x)
        case .lgamma: x == -.infinity ? .infinity : Self.logGamma(x)
        case .digamma: Polygamma.value(0, x)
        case .cbrt: Self.cubeRoot(x)
        }
    }

    private static func logGamma(_ x: Double) -> Double {
        var sign: Int32 = 0
        return lgamma_r(x, &sign)
    }

    /// One step of Newton's after the power, whose exponent is not quite a third.
    private static func cubeRoot(_ x: Double) -> Double {
        guard x != 0, x.isFinite else { return x }
        // Between 1 and 8, so that nothing overflows on the way.
        let exponent = Int((Double(x.exponent) / 3).rounded(.down)), scaled = Double(sign: .plus, exponent: -3 * exponent, significand: abs(x))
        let y = Scalar.binary(.pow, scaled, 1.0 / 3)
        let root = Double(sign: .plus, exponent: exponent, significand: y - (y * y * y - scaled) / (3 * y * y))
        return x < 0 ? -root : root
    }

    package func callAsFunction(_ x: NDArray) throws -> NDArray {
        var lowering: ((NDArray) throws -> NDArray)?
        if self == .cbrt { lowering = { try NDArray.cubeRoot($0) } }
        let function = ElementFunction(rawValue, lowering: lowering) { x, y in
            switch self {
            case .gamma: try y * NDArray.polygamma(0, x)
            case .lgamma: try NDArray.polygamma(0, x)
            case .digamma: try NDArray.polygamma(1, x)
            case .cbrt: try NDArray.unary(.reciprocal, NDArray.unary(.square, y) * 3.0)
            }
        }
        return try NDArray.special(function, x) { self($0) }
    }
}

/// Derivatives of log Γ, from the second on those of digamma.
private enum Polygamma {
    /// Bernoulli's numbers B₂, B₄ …
    private static let bernoulli: [Double] = [1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510, 43867.0 / 798]

    /// ψ⁽ⁿ⁾(x): upward to where the asymptotic series serves; far below 0 by reflection where that is short. (DLMF 5.5, 5.11, 5.15.)
    static func value(_ n: Int, _ x: Double) -> Double {
        if x.isNaN { return x }
        if x == .infinity { return n == 0 ? .infinity : 0 }
        if x <= 0, x == x.rounded() { return x == 0 && n == 0 ? -.infinity : .nan }
        if x < -1000 {
            let angle = Double.pi * (x - x.rounded())
            if n == 0 { return value(0, 1 - x) - Double.pi / Scalar.unary(.tan, angle) }
            let sine = Scalar.unary(.sin, angle)
            return n == 1 ? (Double.pi / sine) * (Double.pi / sine) - value(1, 1 - x) : .nan
        }
        var factorial = 1.0
        for i in 1...max(1, n) { factorial *= Double(i) }
        let sign: Double = n % 2 == 0 ? -1 : 1
        var x = x, sum = 0.0
        // The terms of the series shrink the slower the higher the order.
        while x < Double(12 + n) {
            sum += sign * factorial * power(x, -(n + 1))
            x += 1
        }
        var series: Double
        if n == 0 {
            series = Scalar.unary(.log, x) - 0.5 / x
            for (k, b) in bernoulli.enumerated() {
                let order = 2 * k + 2
                series -= b / Double(order) * power(x, -order)
            }
            return series + sum
        }
        // (n − 1)!/xⁿ + n!/(2 xⁿ⁺¹) + Σ B₂ₖ (2k + n − 1)!/((2k)! x²ᵏ⁺ⁿ)
        series = factorial / Double(n) * power(x, -n)
        series += factorial / 2 * power(x, -(n + 1))
        for (k, b) in bernoulli.enumerated() {
            let order: Int = 2 * k + 2
            var ratio: Double = b
            for i in (order + 1)..<(order + n) { ratio *= Double(i) }
            series += ratio * power(x, -(order + n))
        }
        return sign * series + sum
    }

    private static func power(_ x: Double, _ n: Int) -> Double { Scalar.binary(.pow, x, Double(n)) }
}

/// A function of each element whose slope is given by array operations.
private final class ElementFunction: CustomFunction {
    let name: String
    let attributes: [Attribute]
    let isElementwise = true
    private let lowering: ((NDArray) throws -> NDArray)?
    private let slope: (_ x: NDArray, _ y: NDArray) throws -> NDArray

    /// - Parameter lowering: `nil` for the gamma function and functions like it: how many terms they add, from which side, is decided by each element, and
    ///   one composition for all elements would lose digits beside the zeros and the poles.
    init(
        _ name: String, _ attributes: [Attribute] = [], lowering: ((NDArray) throws -> NDArray)? = nil,
        slope: @escaping (NDArray, NDArray) throws -> NDArray
    ) {
        self.name = name
        self.attributes = attributes
        self.lowering = lowering
        self.slope = slope
    }

    func lowered(_ inputs: [NDArray]) throws -> NDArray? { try lowering?(inputs[0]) }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] { [try cotangent * slope(inputs[0], result)] }
}

extension NDArray {
    fileprivate static func special(_ function: CustomFunction, _ x: NDArray, _ value: (Double) -> Double) throws -> NDArray {
        let x = x.type == .bool ? try x.converted(to: .f64) : x
        let result = try NDArray.uninitialized(shape: x.shape, type: .f64)
        let elements = try x.detached().toDoubles()
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: Double.self)
            try Interrupt.forEachPiece(elements.count, of: 1 << 12) { for i in $0 { target[i] = value(elements[i]) } }
        }
        let converted = try result.converted(to: x.type)
        try NumericEvents.examine(function.name, converted) { try NDArray.test($0, x.detached()) }
        return try NDArray.custom(function, inputs: [x], value: converted)
    }

    /// x^⅓ by a power, whose exponent is not quite a third, and one step of Newton's.
    fileprivate static func cubeRoot(_ x: NDArray) throws -> NDArray {
        let magnitude = try NDArray.unary(.abs, x)
        let isPlain = try NDArray.logical(.and, .test(.isfinite, x), NDArray.compare(.gt, .array(magnitude), .number(0)))
        let a = try NDArray.select(isPlain, .array(magnitude), .number(1)), y = try NDArray.binary(.pow, a, 1.0 / 3)
        let root = try y - (y - a / y / y) / 3
        return try NDArray.select(isPlain, .array(NDArray.unary(.sign, x) * root), .array(x))
    }

    fileprivate static func polygamma(_ n: Int, _ x: NDArray) throws -> NDArray {
        let function = ElementFunction("polygamma", [Attribute("order", n)], slope: { x, _ in try polygamma(n + 1, x) })
        return try special(function, x) { Polygamma.value(n, $0) }
    }

    // MARK: Bits

    /// A function of two whole numbers, element by element.
    /// - Throws: `badValue` for what is not a whole number below 2⁵³ in magnitude.
    package static func bitwise(_ name: String, _ a: NDArray, _ b: NDArray, _ function: (Int, Int) -> Double) throws -> NDArray {
        func whole(_ array: NDArray, _ shape: [Int]) throws -> [Double] {
            let numbers = try array.detached().broadcast(to: shape).toDoubles()
            if let bad = numbers.first(where: { !($0.magnitude < 0x1p53) || $0 != $0.rounded() }) {
                throw ArrayError.badValue(operation: name, .notWhole(bad))
            }
            return numbers
        }
        let shape = try NDArray.broadcastShape(a.shape, b.shape), x = try whole(a, shape), y = try whole(b, shape)
        let result = try NDArray.uninitialized(shape: shape, type: .f64)
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: Double.self)
            try Interrupt.forEachPiece(x.count) { for i in $0 { target[i] = function(Int(x[i]), Int(y[i])) } }
        }
        return result
    }
}
