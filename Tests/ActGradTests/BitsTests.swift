// A property over random programs: a derivative has the same bits for one number, a slice and the whole array, the sign of zero and NaN
// included, to second order, in both element types.

import ActArray
import ActGrad
import Testing

@Suite("Derivatives have the same bits whatever the length")
struct BitsTests {
    /// A program of elementwise operations on x, what was computed before, and numbers.
    private struct Program {
        enum Step {
            case unary(UnaryOperation, Int)
            case binary(BinaryOperation, Int, Int)
            case number(BinaryOperation, Int, Double, isFirst: Bool)
            case select(CompareOperation, Int, Int, Int)
        }

        let steps: [Step]

        init(_ random: inout SplitMix) {
            let numbers = [0, 1, -1, 0.5, 2, 3, -0.7, 1.3]
            steps = (1...Int.random(in: 1...6, using: &random)).map { known in
                func pick() -> Int { Int.random(in: 0..<known, using: &random) }
                switch Int.random(in: 0..<8, using: &random) {
                case 0, 1, 2: return .unary(UnaryOperation.allCases.randomElement(using: &random) ?? .exp, pick())
                case 3, 4: return .binary(BinaryOperation.allCases.randomElement(using: &random) ?? .mul, pick(), pick())
                case 5, 6:
                    return .number(
                        BinaryOperation.allCases.randomElement(using: &random) ?? .mul, pick(), numbers.randomElement(using: &random) ?? 1,
                        isFirst: Bool.random(using: &random))
                default: return .select([.lt, .eq, .ge].randomElement(using: &random) ?? .lt, pick(), pick(), pick())
                }
            }
        }

        func callAsFunction(_ x: NDArray) throws -> NDArray {
            var values = [x]
            for step in steps {
                switch step {
                case .unary(let operation, let a): values.append(try .unary(operation, values[a]))
                case .binary(let operation, let a, let b): values.append(try .binary(operation, values[a], values[b]))
                case .number(let operation, let a, let number, let isFirst):
                    values.append(try isFirst ? .binary(operation, number, values[a]) : .binary(operation, values[a], number))
                case .select(let operation, let a, let b, let c):
                    values.append(try .select(.compare(operation, .array(values[a]), .array(values[b])), .array(values[b]), .array(values[c])))
                }
            }
            return values[values.count - 1]
        }
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    private static let special = [0, -0.0, 1, -1, 0.5, -2, 3, .infinity, -.infinity, .nan, 1e-320, 700, -40, 1e300, 2.5, -0.3]

    private static func same(_ a: Double, _ b: Double) -> Bool { a.bitPattern == b.bitPattern || a.isNaN && b.isNaN }

    @Test(arguments: [ElementType.f64, .f32]) func property(type: ElementType) throws {
        var random = SplitMix(state: 11)
        for number in 0..<150 {
            let program = Program(&random)
            let orders: [(name: String, f: (NDArray) throws -> NDArray)] = [
                ("f'", { try Derivative.derivative(of: { try program($0) }, at: $0) }),
                ("grad of sum", { try Derivative.gradient(of: { try program($0).reduced(.sum) }, at: $0) }),
                ("f''", { try Derivative.derivative(of: { try Derivative.derivative(of: { try program($0) }, at: $0) }, at: $0) }),
            ]
            let points = Self.special.map { $0 } + (0..<4).map { _ in Double.random(in: -3...3, using: &random) }
            for (name, derivative) in orders {
                let single = try points.map { try derivative(NDArray([$0], shape: [], type: type)).toDoubles()[0] }
                for count in [1, 2, 7, 8, 9, 20, 1000, 1024, 1025] {
                    // One element is each of the points in turn.
                    let starts = count == 1 ? Array(points.indices) : [0]
                    for start in starts {
                        let x = try NDArray((0..<count).map { points[(start + $0) % points.count] }, shape: [count], type: type)
                        for (i, value) in try derivative(x).toDoubles().enumerated() where i < points.count {
                            let place = (start + i) % points.count
                            #expect(
                                Self.same(value, single[place]),
                                "program \(number) \(program.steps), \(name) at \(points[place]) of \(count): \(value), not \(single[place])")
                        }
                    }
                }
            }
        }
    }
}
