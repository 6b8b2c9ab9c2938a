// Elementwise functions beyond the everyday ones: the inverse hyperbolic ones, the gamma function and functions like it, whole numbers as bits.

import ActArray
import ActGrad
import ActMachine
import ActRows

extension BuiltinRows {
    static let special: [Builtin] = [
        function("gamma", .gamma, "the gamma function: (x - 1)! of whole numbers", example: "gamma([1, 5, 0.5])   # [1.00000000, 24.00000000, 1.77245385]"),
        function("lgamma", .lgamma, "the logarithm of |gamma(x)|, which does not overflow", example: "lgamma(100)   # 359.13420537"),
        function("digamma", .digamma, "the derivative of lgamma", example: "digamma(1)   # -0.57721566"),
        function("cbrt", .cbrt, "the cube root, of negative numbers too", example: "cbrt([27, -8])   # [3, -2]"),
        Builtin(.elementwise, "exp2", "2 to the power x", example: "exp2([3, 0.5])   # [8.00000000, 1.41421356]", scalar: { Scalar.binary(.pow, 2, $0) }) {
            takes in
            let x = takes.value("x")
            return { call in try call.apply(.pow, .number(2), call[x], index: -1) }
        },
        Builtin(
            .elementwise, "fmod", "the remainder of x / y with the sign of x", details: "`x % y` has the sign of y.", example: "fmod([7, -7], 3)   # [1, -1]"
        ) { takes in
            let x = takes.numbers("x"), y = takes.numbers("y")
            return { call in
                let (x, y) = (try call[x], try call[y])
                let rest = try NDArray.binary(.mod, NDArray.unary(.abs, x), NDArray.unary(.abs, y))
                return try Value(NDArray.select(NDArray.compare(.lt, .array(x), .number(0)), .array(-rest), .array(rest)))
            }
        },
        Builtin(.elementwise, "xor", "where one of two bools is true, not both", example: "xor([true, true], [true, false])   # [false, true]", role: .steps) {
            takes in
            let a = takes.array("a"), b = takes.array("b")
            return { call in
                for (input, array) in [(a, try call[a]), (b, try call[b])] where array.type != .bool { throw call.fail(input, .bools) }
                return try Value(NDArray.logical(.xor, call[a], call[b]))
            }
        },
        bits("bit_and", "the bits that two whole numbers share", example: "bit_and(12, 10)   # 8") { Double($0 & $1) },
        bits("bit_or", "the bits of two whole numbers together", example: "bit_or(12, 10)   # 14") { Double($0 | $1) },
        bits("bit_xor", "the bits in which two whole numbers differ", example: "bit_xor(12, 10)   # 6") { Double($0 ^ $1) },
        bits("shift_left", "a whole number with its bits moved up by n: x * 2^n", example: "shift_left(3, 4)   # 48") { shifted($0, by: $1) },
        bits("shift_right", "a whole number with its bits moved down by n: x // 2^n", example: "shift_right([48, -5], 1)   # [24, -3]") {
            shifted($0, by: -$1)
        },
    ]

    private static func function(_ name: String, _ special: SpecialFunction, _ summary: String, example: String) -> Builtin {
        Builtin(.elementwise, name, summary, example: example, scalar: { special($0) }) { takes in
            let x = takes.value("x")
            return { call in
                guard case .number(let number) = call[x] else { return try Value(special(call.numbers(x))) }
                let result = special(number)
                if !result.isFinite { try call.machine.noteNumericEvent(name, result, [number]) }
                return .number(result)
            }
        }
    }

    /// x · 2ⁿ, the fraction cut off downward.
    private static func shifted(_ x: Int, by n: Int) -> Double { n < 0 ? Double(x >> -n) : Double(x) * Scalar.binary(.pow, 2, Double(n)) }

    private static func bits(_ name: String, _ summary: String, example: String, _ operation: @escaping @Sendable (Int, Int) -> Double) -> Builtin {
        Builtin(.elementwise, name, summary, details: "Negative numbers count as in two's complement.", example: example, role: .steps) { takes in
            let a = takes.numbers("a"), b = takes.numbers("b")
            return { call in try Value(NDArray.bitwise(name, call[a], call[b], operation)) }
        }
    }
}
