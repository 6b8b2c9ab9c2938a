// A reverse pass goes other ways for one number, a few elements and many: all must lead to the same place, also where zeros meet infinities.

import ActArray
import ActGrad
import Testing

@Suite("Gradients of all sizes")
struct SizesTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let f: @Sendable (NDArray) throws -> NDArray
        let slope: @Sendable (Double) -> Double
    }

    static let cases = [
        Case(testDescription: "sqrt(relu(x))", f: { try .unary(.sqrt, .unary(.relu, $0)) }, slope: { $0 > 0 ? 0.5 / $0.squareRoot() : 0 }),
        Case(
            testDescription: "where(x > 0, log(x), 0)",
            f: { try .select(.compare(.gt, .array($0), .number(0)), .array(.unary(.log, $0)), .number(0)) },
            slope: { $0 > 0 ? 1 / $0 : 0 }),
        Case(
            testDescription: "max(x, 0)^0.5", f: { try .binary(.pow, .array(.binary(.max, .array($0), .number(0))), .number(0.5)) },
            slope: { $0 > 0 ? 0.5 / $0.squareRoot() : 0 }),
        Case(testDescription: "x*x + 3x - x/2", f: { try $0 * $0 + 3 * $0 - $0 / 2 }, slope: { 2 * $0 + 2.5 }),
        Case(testDescription: "x^3 (x + x)", f: { try .binary(.pow, .array($0), .number(3)) * ($0 + $0) }, slope: { 8 * $0 * $0 * $0 }),
        Case(testDescription: "-x as steps", f: { x in try (0..<5).reduce(x) { y, _ in try -y } }, slope: { _ in -1 }),
    ]

    @Test(arguments: cases, [1, 7, 300, 1023, 1024, 5000])
    func agree(_ test: Case, count: Int) throws {
        let points = (0..<count).map { Double(($0 + 1) % 9 - 4) / 2 }
        for type in [ElementType.f32, .f64] {
            let x = try NDArray(points, shape: [count], type: type)
            let gradient = try Derivative.gradient(of: { try test.f($0).reduced(.sum) }, at: x)
            #expect(gradient.type == type && gradient.shape == [count] && !gradient.isTraced)
            let tolerance = type == .f32 ? 1e-6 : 1e-14
            for (value, point) in zip(try gradient.toDoubles(), points) {
                let expected = test.slope(point)
                #expect(abs(value - expected) <= tolerance * max(1, abs(expected)), "at \(point)")
            }
        }
    }

    @Test(arguments: [1, 7, 1024])
    func notANumberStays(count: Int) throws {
        let x = try NDArray.full(.nan, shape: [count], type: .f64)
        let gradient = try Derivative.gradient(of: { try NDArray.unary(.exp, $0 * $0).reduced(.sum) }, at: x)
        #expect(try gradient.toDoubles().allSatisfy(\.isNaN))
    }

    /// Both operands pass on the same cotangent, which is then added to: neither may see what reaches the other.
    @Test(arguments: [1, 7, 2000])
    func cotangentsAreNotShared(count: Int) throws {
        let x = try NDArray.full(2, shape: [count], type: .f64), y = try NDArray.full(3, shape: [count], type: .f64)
        let (_, gradients) = try Derivative.valueAndGradient(
            of: { v in try ((v[0] + v[1]) * v[0] * 0.5 + v[1] + v[0]).reduced(.sum) }, at: [x, y])
        #expect(try gradients[0].toDoubles() == [Double](repeating: 4.5, count: count))
        #expect(try gradients[1].toDoubles() == [Double](repeating: 2, count: count))
    }
}
