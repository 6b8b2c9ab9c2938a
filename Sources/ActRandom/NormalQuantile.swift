// Normal deviates by the inverse distribution function: one random word, one draw. Wichura's algorithm AS 241 (PPND16, Applied
// Statistics 37, 1988; relative error about 1e-16), with a logarithm of our own: only + − × ÷ and √ are used, which every
// machine rounds alike, so the bits are the same everywhere.

enum NormalQuantile {
    typealias Lanes = SIMD8<Double>
    private typealias Bits = SIMD8<UInt64>

    /// How many words `fill` takes at a time.
    static let block = 512

    /// Turns random words into normal deviates: the quantiles at (s + ½) / 2^53 + ½, where s is a word's upper 53 bits as a signed
    /// number. At most `block` of them; both buffers have room for a whole number of eights.
    static func fill(_ words: UnsafePointer<UInt64>, count: Int, into draws: UnsafeMutablePointer<Double>) {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: block + 8) { far in
            withUnsafeTemporaryAllocation(of: Int.self, capacity: block + 8) { places in
                guard let far = far.baseAddress, let places = places.baseAddress else { return }
                var farCount = 0
                for i in 0..<min(count, block) {
                    let q = (Double(Int64(bitPattern: words[i]) >> 11) + 0.5) * 0x1p-53
                    draws[i] = q
                    far[farCount] = q
                    places[farCount] = i
                    farCount &+= abs(q) > 0.425 ? 1 : 0
                }
                var i = 0
                while i < count {
                    store(central(load(draws + i)), draws + i)
                    i += 8
                }
                (far + farCount).update(repeating: 0.45, count: 8)
                i = 0
                while i < farCount {
                    store(tail(load(far + i)), far + i)
                    i += 8
                }
                for i in 0..<farCount { draws[places[i]] = far[i] }
            }
        }
    }

    // Lanes and their bits are as many bytes; callers load and store whole lanes within their buffers.
    @inline(__always)
    private static func load(_ pointer: UnsafePointer<Double>) -> Lanes { UnsafeRawPointer(pointer).loadUnaligned(as: Lanes.self) }

    @inline(__always)
    private static func store(_ lanes: Lanes, _ pointer: UnsafeMutablePointer<Double>) {
        UnsafeMutableRawPointer(pointer).storeBytes(of: lanes, as: Lanes.self)
    }

    /// The polynomial whose highest coefficient comes first.
    @inline(__always)
    private static func polynomial(_ x: Lanes, _ c: (Double, Double, Double, Double, Double, Double, Double, Double)) -> Lanes {
        var sum = x * c.0 + c.1
        sum = sum * x + c.2
        sum = sum * x + c.3
        sum = sum * x + c.4
        sum = sum * x + c.5
        sum = sum * x + c.6
        return sum * x + c.7
    }

    /// For |q| ≤ 0.425.
    @inline(__always)
    private static func central(_ q: Lanes) -> Lanes {
        let r = 0.180625 - q * q
        let above = polynomial(
            r,
            (
                2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
                13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608
            ))
        let below = polynomial(
            r,
            (
                5226.495278852545925, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
                5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1
            ))
        return q * above / below
    }

    /// For 0.425 < |q| < 0.5.
    @inline(__always)
    private static func tail(_ q: Lanes) -> Lanes {
        let sign: Bits = unsafeBitCast(q, to: Bits.self) & 0x8000_0000_0000_0000
        let magnitude = unsafeBitCast(unsafeBitCast(q, to: Bits.self) ^ sign, to: Lanes.self)
        let root = (0 - logarithm(0.5 - magnitude)).squareRoot()  // 0.5 − |q| is exact
        let r = root - 1.6
        let above = polynomial(
            r,
            (
                7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
                3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734
            ))
        let below = polynomial(
            r,
            (
                1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
                0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1
            ))
        var result = above / below
        let rare = root .> 5
        if any(rare) { result.replace(with: farTail(root - 5), where: rare) }
        return unsafeBitCast(unsafeBitCast(result, to: Bits.self) | sign, to: Lanes.self)
    }

    /// Beyond about 1.4e-11 of either end.
    @inline(never)
    private static func farTail(_ r: Lanes) -> Lanes {
        let above = polynomial(
            r,
            (
                2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
                0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772
            ))
        let below = polynomial(
            r,
            (
                2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
                0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1
            ))
        return above / below
    }

    /// ln x of normal numbers: x = 2^e m with m in [√½, √2), and ln m = 2 artanh((m − 1) / (m + 1)) by its series.
    @inline(__always)
    private static func logarithm(_ x: Lanes) -> Lanes {
        let bits = unsafeBitCast(x, to: Bits.self)
        // The biased exponent, put into the low bits of 2^52, becomes a number without a conversion.
        var e = unsafeBitCast((bits &>> 52) | 0x4330_0000_0000_0000, to: Lanes.self) - (0x1p52 + 1023)
        var m = unsafeBitCast((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000, to: Lanes.self)
        let large = m .> 1.4142135623730951
        m.replace(with: m * 0.5, where: large)
        e.replace(with: e + 1, where: large)
        let s = (m - 1) / (m + 1), z = s * s
        // |s| ≤ 0.1716, z ≤ 0.0295: the first term left out is below 1e-18 of the sum.
        var p = z * (1.0 / 23) + (1.0 / 21)
        p = p * z + (1.0 / 19)
        p = p * z + (1.0 / 17)
        p = p * z + (1.0 / 15)
        p = p * z + (1.0 / 13)
        p = p * z + (1.0 / 11)
        p = p * z + (1.0 / 9)
        p = p * z + (1.0 / 7)
        p = p * z + (1.0 / 5)
        p = p * z + (1.0 / 3)
        // ln 2 in two parts, the first with so few bits that its multiples by e are exact.
        return e * 0.693147180369123816490 + (2 * s + (2 * s * z * p + e * 1.90821492927058770002e-10))
    }
}
