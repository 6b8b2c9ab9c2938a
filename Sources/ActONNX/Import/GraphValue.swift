// What flows along the edges of a loaded graph: arrays with the element type that ONNX gives them. act has f64, f32 and bool; whole numbers are f64
// with the type beside them, which says how they divide, wrap and are shown; the narrow floats are f32 rounded to what they can hold.
//
// What must stay true: a whole number is never wrong by rounding. What 53 bits do not hold is an error.

import ActArray
import ActFiles
import ActGrad

package indirect enum GraphValue {
    case array(NDArray, ONNXElementType)
    case list([GraphValue], ONNXElementType)
    /// An optional value that is not there.
    case nothing
}

extension ONNXElementType {
    /// Of one element; `nil` for texts and what has no elements.
    var bits: Int? {
        switch self {
        case .undefined, .string: nil
        case .uint2, .int2: 2
        case .uint4, .int4, .float4e2m1: 4
        case .bool, .uint8, .int8, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 8
        case .uint16, .int16, .float16, .bfloat16: 16
        case .float, .int32, .uint32: 32
        case .int64, .double, .uint64, .complex64: 64
        case .complex128: 128
        }
    }

    /// As messages name it.
    package var name: String { "\(self)" }

    /// What act computes it in; `nil` for types that act lacks.
    package var storage: ElementType? {
        switch self {
        case .undefined, .string, .complex64, .complex128: nil
        case .bool: .bool
        case .double: .f64
        case .float, .float16, .bfloat16: .f32
        default: narrow != nil ? .f32 : .f64
        }
    }

    var isFloat: Bool { self == .float || self == .double || narrow != nil }
    var isWhole: Bool { storage != nil && !isFloat && self != .bool }

    /// The least and the greatest whole number of the type.
    var limits: ClosedRange<Double>? {
        guard isWhole, let bits else { return nil }
        switch self {
        case .uint2, .uint4, .uint8, .uint16, .uint32, .uint64: return 0...(pow2(bits) - 1)
        default: return -pow2(bits - 1)...(pow2(bits - 1) - 1)
        }
    }

    /// Of floats with fewer bits than f32: which numbers they hold.
    var narrow: NarrowFloat? {
        switch self {
        case .float16: NarrowFloat(exponent: 5, fraction: 10, bias: 15, special: .infinities)
        case .bfloat16: NarrowFloat(exponent: 8, fraction: 7, bias: 127, special: .infinities)
        case .float8e4m3fn: NarrowFloat(exponent: 4, fraction: 3, bias: 7, special: .lastIsNaN)
        case .float8e4m3fnuz: NarrowFloat(exponent: 4, fraction: 3, bias: 8, special: .negativeZeroIsNaN)
        case .float8e5m2: NarrowFloat(exponent: 5, fraction: 2, bias: 15, special: .infinities)
        case .float8e5m2fnuz: NarrowFloat(exponent: 5, fraction: 2, bias: 16, special: .negativeZeroIsNaN)
        case .float4e2m1: NarrowFloat(exponent: 2, fraction: 1, bias: 1, special: .none)
        case .float8e8m0: NarrowFloat(exponent: 8, fraction: 0, bias: 127, special: .powersOfTwo)
        default: nil
        }
    }
}

extension ONNXElementType {
    /// The largest number below 2^63 that an f64 holds: what stands for the ends of 64 bits.
    static let farthest = 9_223_372_036_854_774_784.0

    /// A whole number of 64 bits, those at the ends of the range moved inwards.
    static func inward(_ whole: Int64) -> Double {
        let number = Double(whole)
        return number.magnitude > farthest ? Double(signOf: number, magnitudeOf: farthest) : number
    }
}

private func pow2(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }

/// A binary floating-point format of 16 bits or fewer. The 8-bit ones: P. Micikevicius et al. 2022, "FP8 Formats for Deep Learning"; those without
/// infinities and negative zero: B. Noune et al. 2022.
struct NarrowFloat {
    enum Special { case infinities, lastIsNaN, negativeZeroIsNaN, none, powersOfTwo }

    let exponent, fraction, bias: Int
    let special: Special

    /// The largest finite number.
    var largest: Double {
        switch special {
        case .infinities: pow2((1 << exponent) - 2 - bias) * (2 - pow2(-fraction))
        // The largest of all patterns is NaN.
        case .lastIsNaN: pow2((1 << exponent) - 1 - bias) * (2 - 2 * pow2(-fraction))
        case .negativeZeroIsNaN, .none: pow2((1 << exponent) - 1 - bias) * (2 - pow2(-fraction))
        case .powersOfTwo: pow2(254 - bias)
        }
    }

    /// The number nearest to `x`, of two equally near ones the even one.
    /// - Parameter saturates: Whether what is too large becomes the largest number; else it becomes infinite, or NaN where there is no infinity.
    func rounded(_ x: Double, saturates: Bool) -> Double {
        if x.isNaN { return special == .none ? 0 : .nan }
        if special == .powersOfTwo { return roundedUp(x) }
        let beyond = special == .infinities ? Double.infinity : special == .none ? largest : .nan
        guard x.isFinite else { return saturates || special == .none ? Double(signOf: x, magnitudeOf: largest) : x > 0 ? beyond : -beyond }
        let step = pow2(max(x == 0 ? 1 - bias : Int(x.exponent), 1 - bias) - fraction)
        let near = (x / step).rounded(.toNearestOrEven) * step
        if near.magnitude > largest { return saturates || special == .none ? Double(signOf: x, magnitudeOf: largest) : x > 0 ? beyond : -beyond }
        return near == 0 && special == .negativeZeroIsNaN ? 0 : near
    }

    /// Of a scale: the power of two that is not below it.
    private func roundedUp(_ x: Double) -> Double {
        guard x.isFinite, x > 0 else { return x > 0 ? largest : x == 0 ? pow2(-bias) : .nan }
        let power = pow2(Int(x.exponent))
        return min(max(x == power ? power : 2 * power, pow2(-bias)), largest)
    }

    /// The number of a bit pattern.
    func value(_ bits: Int) -> Double {
        if special == .powersOfTwo { return bits == 255 ? .nan : pow2(bits - bias) }
        let sign = bits >> (exponent + fraction) & 1 == 1 ? -1.0 : 1.0, e = bits >> fraction & ((1 << exponent) - 1), f = bits & ((1 << fraction) - 1)
        switch special {
        case .infinities where e == (1 << exponent) - 1: return f == 0 ? sign * .infinity : .nan
        case .lastIsNaN where e == (1 << exponent) - 1 && f == (1 << fraction) - 1: return .nan
        case .negativeZeroIsNaN where e == 0 && f == 0 && sign < 0: return .nan
        default: break
        }
        let significand = Double(f) * pow2(-fraction)
        return sign * (e == 0 ? significand * pow2(1 - bias) : (1 + significand) * pow2(e - bias))
    }
}

extension ONNXTensor {
    /// The elements as act has them.
    /// - Throws: `ONNXError` for types that act lacks; `FileError` for whole numbers of more than 53 bits.
    func array(path: String) throws -> NDArray {
        let sizes = shape.map { Int($0) }
        let stored: StoredType
        switch type {
        case .float: stored = .f32
        case .double: stored = .f64
        case .bool: stored = .bool
        case .float16: stored = .f16
        case .bfloat16: stored = .bf16
        case .int8: stored = .i8
        case .int16: stored = .i16
        case .int32: stored = .i32
        case .int64: stored = .i64
        case .uint8: stored = .u8
        case .uint16: stored = .u16
        case .uint32: stored = .u32
        case .uint64: stored = .u64
        default:
            guard let bits = type.bits, bits <= 8, let storage = type.storage else {
                throw ONNXError(path, .lacking(operators: [], types: [.init(name: type.name, count: 1)]))
            }
            return try NDArray(packed(bits), shape: sizes).converted(to: storage)
        }
        return try (type == .int64 ? inward : bytes).withUnsafeBytes { buffer in
            var reader = ByteReader(buffer, path: "\(path), \(name)")
            return try stored.array(&reader, shape: sizes, isBigEndian: false)
        }
    }

    /// The bytes of 64-bit whole numbers in which the ends of the range, by which models say "as far as it goes", are the nearest numbers inwards
    /// that an f64 holds.
    private var inward: [UInt8] {
        let most = Int64(ONNXElementType.farthest)
        var result = bytes
        for start in stride(from: 0, to: bytes.count - 7, by: 8) {
            let number = bytes.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Int64.self)) }
            guard number > most || number < -most else { continue }
            withUnsafeBytes(of: (number > 0 ? most : -most).littleEndian) { result.replaceSubrange(start..<start + 8, with: $0) }
        }
        return result
    }

    /// Elements of 8, 4 or 2 bits, the first in the lowest bits of a byte.
    private func packed(_ bits: Int) throws -> [Double] {
        let count = try Shapes.count(shape.map { Int($0) }), perByte = 8 / bits
        try MemoryPool.allow(count &* 8)
        let isSigned = (type.limits?.lowerBound ?? 0) < 0
        return (0..<count).map { index in
            let pattern = Int(bytes[index / perByte]) >> (index % perByte * bits) & ((1 << bits) - 1)
            if let narrow = type.narrow { return narrow.value(pattern) }
            return Double(isSigned && pattern >> (bits - 1) == 1 ? pattern - (1 << bits) : pattern)
        }
    }
}

/// A function of single numbers that is computed one by one and changes in steps too small to differentiate: derivatives pass it as if it did nothing.
/// It has no lowering: it reads the bits of a number, which no primitive does.
private final class Stepwise: CustomFunction {
    let name: String
    let isElementwise = true
    private let slope: Double

    init(_ name: String, slope: Double) { (self.name, self.slope) = (name, slope) }

    func pullback(cotangent: NDArray, inputs: [NDArray], result: NDArray, wanted: [Bool]) throws -> [NDArray?] {
        [slope == 0 ? nil : try cotangent.converted(to: inputs[0].type)]
    }

    func lowered(_ inputs: [NDArray]) throws -> NDArray? { nil }
}

extension NDArray {
    /// A function of each element.
    /// - Parameter slope: 1 where it only rounds, 0 where it has no derivative worth the name.
    func mapped(_ name: String, to type: ElementType? = nil, slope: Double = 0, _ function: (Double) throws -> Double) throws -> NDArray {
        let numbers = try detached().toDoubles(), result = try NDArray.uninitialized(shape: shape, type: .f64)
        try result.withMutableBytes { bytes in
            let target = bytes.assumingMemoryBound(to: Double.self)
            try Interrupt.forEachPiece(numbers.count, of: 1 << 12) { for i in $0 { target[i] = try function(numbers[i]) } }
        }
        let value = try result.converted(to: type ?? self.type)
        return isTraced ? try NDArray.custom(Stepwise(name, slope: slope), inputs: [self], value: value) : value
    }
}
