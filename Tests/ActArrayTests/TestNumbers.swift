import ActArray

/// Numbers that a Python script can make too, to the bit: ((i · 7919) mod 1009) / 101 − 5.
func numbers(_ count: Int) -> [Double] {
    (0..<count).map { Double($0 * 7919 % 1009) / 101 - 5 }
}

func array(_ shape: Int..., type: ElementType = .f64) throws -> NDArray {
    let array = try NDArray(numbers(shape.reduce(1, *)), shape: shape).converted(to: type)
    try array.evaluate()
    return array
}

/// Equal bits, any NaN being like any other.
func same(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
}

/// Largest difference relative to the larger of the two, at least one.
func distance(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { max($0, $1.0 == $1.1 ? 0 : abs($1.0 - $1.1) / max(1, abs($1.1))) }
}

/// Random numbers that are the same in every run (SplitMix64).
struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(sides))
    }
}
