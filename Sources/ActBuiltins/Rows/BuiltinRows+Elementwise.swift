// Functions of each element. A number gives a number, computed by the same kernels as arrays; arrays keep their element type.

import ActArray
import ActGrad
import ActMachine
import ActOrder
import ActRows

extension BuiltinRows {
    static let elementwise: [Builtin] = [
        unary(.abs, "abs", "the magnitude", details: "The derivative at 0 is 0.", example: "abs([-1, 2])   # [1, 2]"),
        unary(.sqrt, "sqrt", "the square root", example: "sqrt([4, 2])   # [2.00000000, 1.41421356]"),
        unary(.exp, "exp", "e to the power x", example: "exp(1)   # 2.71828183"),
        unary(.expm1, "expm1", "exp(x) - 1, accurate near 0", example: "expm1(1e-10)   # 1e-10"),
        unary(.log, "log", "the natural logarithm", example: "log([1, e])   # [0, 1]"),
        unary(.log2, "log2", "the logarithm to base 2", example: "log2(8)   # 3"),
        unary(.log10, "log10", "the logarithm to base 10", example: "log10(1000)   # 3"),
        unary(.log1p, "log1p", "log(1 + x), accurate near 0", example: "log1p(1e-10)   # 1e-10"),
        unary(.sin, "sin", "the sine; angles are in radians", example: "sin(pi / 2)   # 1"),
        unary(.cos, "cos", "the cosine", example: "cos(0)   # 1"),
        unary(.tan, "tan", "the tangent", example: "tan(0.5)   # 0.54630249"),
        unary(.asin, "asin", "the angle from -π/2 to π/2 with sine x", example: "asin(1)   # 1.57079633"),
        unary(.acos, "acos", "the angle from 0 to π with cosine x", example: "acos(0)   # 1.57079633"),
        unary(.atan, "atan", "the angle from -π/2 to π/2 with tangent x", example: "atan(1)   # 0.78539816"),
        binary(
            .atan2, "atan2", of: ("y", "x"), "the angle from -π to π of the point (x, y)", example: "atan2(1, -1)   # 2.35619449"),
        unary(.sinh, "sinh", "the hyperbolic sine", example: "sinh(1)   # 1.17520119"),
        unary(.cosh, "cosh", "the hyperbolic cosine", example: "cosh(1)   # 1.54308063"),
        unary(.asinh, "asinh", "the number with hyperbolic sine x", example: "asinh(1)   # 0.88137359"),
        unary(.acosh, "acosh", "the number, 0 or more, with hyperbolic cosine x", example: "acosh(2)   # 1.3169579"),
        unary(.atanh, "atanh", "the number with hyperbolic tangent x", example: "atanh(0.5)   # 0.54930614"),
        unary(.erfc, "erfc", "1 - erf(x), accurate in its tail", example: "erfc(5)   # 1.53745979e-12"),
        unary(.floor, "floor", "the largest whole number that is not larger", example: "floor([1.5, -1.5])   # [1, -2]"),
        unary(.ceil, "ceil", "the smallest whole number that is not smaller", example: "ceil([1.5, -1.5])   # [2, -1]"),
        Builtin(
            .elementwise, "round", "the nearest whole number, or number of so many decimals; halves go to even ones",
            example: "round([0.5, 1.5, 2.5])   # [0, 2, 2]\nround(pi, 2)   # 3.14", kernel: .round
        ) { takes in
            let x = takes.value("x"), decimals = takes.whole("decimals", default: 0, .within(-300...300))
            return { call in
                let places = try call[decimals]
                if places == 0 { return try call.apply(.round, x) }
                if case .number(let number) = call[x] {
                    let result = Scalar.rounded(number, decimals: places)
                    if !result.isFinite { try call.machine.noteNumericEvent(call.row.name, result, [number]) }
                    return .number(result)
                }
                return try Value(call.numbers(x).rounded(decimals: places))
            }
        },
        unary(.trunc, "trunc", "the fraction cut off", example: "trunc([1.5, -1.5])   # [1, -1]"),
        Builtin(
            .elementwise, "clip", "x, but not below a_min or above a_max", details: "The derivative at the limits is 0.",
            example: "clip([-2, 0.5, 3], 0, 1)   # [0.0, 0.5, 1.0]"
        ) { takes in
            let x = takes.value("x"), low = takes.valueOrNone("a_min"), high = takes.valueOrNone("a_max")
            return { call in
                var value = call[x]
                if call.isGiven(low) { value = try call.apply(.max, value, call[low]) }
                if call.isGiven(high) { value = try call.apply(.min, value, call[high]) }
                return value
            }
        },
        Builtin(
            .elementwise, "where", "x where the condition holds, y elsewhere; without them the positions where it holds",
            details: "The branch that is not selected contributes nothing to derivatives, not even a NaN.",
            example: "where([true, false], 1, [10, 20])   # [1, 20]\nwhere([0, 3, 4] > 1)   # ([1, 2],)"
        ) { takes in
            let condition = takes.value("condition", role: .steps), x = takes.valueOrNone("x"), y = takes.valueOrNone("y")
            return { call in
                let mask = try call.array(condition)
                if !call.has(x) && !call.has(y) { return try .list(mask.nonzero().map { .array($0) }) }
                guard call.isGiven(x) else { throw call.missing(x) }
                guard call.isGiven(y) else { throw call.missing(y) }
                switch (call[condition], call[x], call[y]) {
                case (.bool(let isTrue), .number, .number), (.bool(let isTrue), .bool, .bool): return isTrue ? call[x] : call[y]
                default:
                    let (yes, no) = (try call.array(x), try call.array(y))
                    // Two bools give bools; a number alone takes the type of the other side.
                    if yes.type == .bool && no.type == .bool { return try Value(NDArray.select(mask, .array(yes), .array(no))) }
                    return try Value(NDArray.select(mask, call.operand(x), call.operand(y)))
                }
            }
        },
        Builtin(
            .elementwise, "max", "the largest element, of all or along an axis; of several arguments elementwise",
            details:
                "NaN passes through. Where arguments tie, a derivative takes an equal part from each that varies, and 0 if one of them is a constant. Of bools the result is a bool.",
            example: "max([1, 5, 3])   # 5\nmax([1, 5, 3], 2)   # [2, 5, 3]", binaryKernel: .max
        ) { takes in
            let extremes = Extremes(.max, .max, &takes)
            return { call in try extremes(call) }
        },
        Builtin(
            .elementwise, "min", "the smallest element, of all or along an axis; of several arguments elementwise",
            details:
                "NaN passes through. Where arguments tie, a derivative takes an equal part from each that varies, and 0 if one of them is a constant. Of bools the result is a bool.",
            example: "min([1, 5, 3])   # 1\nmin([1, 5, 3], 2)   # [1, 2, 2]", binaryKernel: .min
        ) { takes in
            let extremes = Extremes(.min, .min, &takes)
            return { call in try extremes(call) }
        },
        binary(.max, "maximum", "the larger of two", example: "maximum([1, 5], [3, 2])   # [3, 5]"),
        binary(.min, "minimum", "the smaller of two", example: "minimum([1, 5], [3, 2])   # [1, 2]"),
        test(.isnan, "isnan", "where x is NaN", example: "isnan([1, nan])   # [false, true]") { $0.isNaN },
        test(.isinf, "isinf", "where x is infinite", example: "isinf([1, -inf])   # [false, true]") { $0.isInfinite },
        test(.isfinite, "isfinite", "where x is neither NaN nor infinite", example: "isfinite([1, nan, inf])   # [true, false, false]") { $0.isFinite },
        Builtin(
            .elementwise, "isclose", "where |a - b| <= atol + rtol*|b|",
            example: "isclose([1, 2], [1.000001, 2.1])   # [true, false]", role: .steps
        ) { takes in
            let closeness = Closeness(&takes)
            return { call in try Value(closeness(call)) }
        },
        binary(.hypot, "hypot", "√(x² + y²) without overflow on the way", example: "hypot(3, 4)   # 5"),
    ]

    private static func unary(_ operation: UnaryOperation, _ name: String, _ summary: String, details: String = "", example: String) -> Builtin {
        Builtin(.elementwise, name, summary, details: details, example: example, kernel: operation) { takes in
            let x = takes.value("x")
            return { call in try call.apply(operation, x) }
        }
    }

    private static func binary(
        _ operation: BinaryOperation, _ name: String, of names: (String, String) = ("x", "y"), _ summary: String, example: String
    ) -> Builtin {
        Builtin(.elementwise, name, summary, example: example, binaryKernel: operation) { takes in
            let x = takes.value(names.0), y = takes.value(names.1)
            return { call in try call.apply(operation, call[x], call[y]) }
        }
    }

    private static func test(_ operation: TestOperation, _ name: String, _ summary: String, example: String, scalar: @escaping @Sendable (Double) -> Bool)
        -> Builtin
    {
        Builtin(.elementwise, name, summary, example: example, role: .steps) { takes in
            let x = takes.value("x")
            return { call in
                if case .number(let number) = call[x] { return .bool(scalar(number)) }
                return try Value(NDArray.test(operation, call.numbers(x)))
            }
        }
    }
}

extension Call {
    /// The operation of an argument.
    func apply(_ operation: UnaryOperation, _ argument: Input<Value>) throws -> Value {
        switch self[argument] {
        case .number, .bool:
            let x = try number(argument)
            let y = Scalar.unary(operation, x)
            if !y.isFinite { try machine.noteNumericEvent(row.name, y, [x]) }
            return .number(y)
        default: return try Value(NDArray.unary(operation, numbers(argument)))
        }
    }

    /// - Parameter index: The parameter that the left value came by; the right one came by the next, or the last.
    func apply(_ operation: BinaryOperation, _ left: Value, _ right: Value, index: Int = 0) throws -> Value {
        if operation == .max || operation == .min, let result = try boolExtreme(isMax: operation == .max, left, right) { return result }
        let (a, b) = (try operand(left, at: index), try operand(right, at: min(index + 1, values.count - 1)))
        switch (a, b) {
        case (.number(let x), .number(let y)):
            let result = Scalar.binary(operation, x, y)
            if !result.isFinite { try machine.noteNumericEvent(row.name, result, [x, y]) }
            return .number(result)
        case (.array(let x), .array(let y)) where x.rank != y.rank && NDArray.stretchesBoth(x.shape, y.shape):
            try machine.warnStretch(row.name, x.shape, y.shape)
        default: break
        }
        return try Value(NDArray.binary(operation, a, b))
    }

    /// The larger or smaller of bools, which is a bool; `nil` for other values.
    private func boolExtreme(isMax: Bool, _ left: Value, _ right: Value) throws -> Value? {
        func bools(_ value: Value) throws -> NDArray? {
            switch value {
            case .bool(let bool): try NDArray(bools: [bool], shape: [])
            case .array(let array) where array.type == .bool: array
            default: nil
            }
        }
        if case .bool(let x) = left, case .bool(let y) = right { return .bool(isMax ? x || y : x && y) }
        guard let x = try bools(left), let y = try bools(right) else { return nil }
        if x.rank != y.rank, NDArray.stretchesBoth(x.shape, y.shape) { try machine.warnStretch(row.name, x.shape, y.shape) }
        return try Value(NDArray.logical(isMax ? .or : .and, x, y))
    }
}

/// `max` and `min`: of one argument a reduction, of several elementwise.
private struct Extremes {
    private let operation: BinaryOperation
    private let reduction: ReduceOperation
    private let a: Input<Value>, others: Input<Reading.Rest>, axis: Input<Reading.Axes?>, keepdims: Input<Bool>

    init(_ operation: BinaryOperation, _ reduction: ReduceOperation, _ takes: inout Signature) {
        (self.operation, self.reduction) = (operation, reduction)
        (a, others, axis, keepdims) = (takes.value("a"), takes.rest("others"), takes.axes(), takes.keepdims())
    }

    func callAsFunction(_ call: Call) throws -> Value {
        let others = call[others]
        if others.isEmpty { return try Value(call.array(a).reduced(reduction, axes: call[axis], keepdims: call[keepdims])) }
        if let name = call.has(axis) ? "axis" : call.has(keepdims) ? "keepdims" : nil {
            throw BuiltinRefusal.reductionOfSeveral(name)
        }
        var value = call[a]
        for other in others { value = try call.apply(operation, value, other) }
        let all = [call[a]] + others
        guard others.count > 1, case .array(let result) = value, all.count(where: { if case .array(let array) = $0 { array.isTraced } else { false } }) > 1
        else { return value }
        let inputs = try all.enumerated().map { index, value in
            if case .array(let array) = try call.operand(value, at: min(index, self.others.index)) { return array }
            return try NDArray.scalar(value.asNumberIfBool.number ?? .nan, type: result.type)
        }
        return try Value(Extreme.result(operation, of: inputs, value: result))
    }
}

/// `isclose`, and `allclose` of it.
struct Closeness {
    private let a, b: Input<Reading.Numbers>
    private let relative, absolute: Input<Double>
    private let acceptsNaN: Input<Bool>

    init(_ takes: inout Signature) {
        (a, b) = (takes.numbers("a"), takes.numbers("b"))
        (relative, absolute) = (takes.number("rtol", default: 1e-5), takes.number("atol", default: 1e-8))
        acceptsNaN = takes.flag("equal_nan", default: false)
    }

    func callAsFunction(_ call: Call) throws -> NDArray {
        let (a, b) = (try call[a], try call[b])
        let relative = try call[relative], absolute = try call[absolute]
        let acceptsNaN = try call[acceptsNaN]
        return try call.quietly {
            let distance = try NDArray.unary(.abs, a - b)
            let limit = try NDArray.unary(.abs, b) * relative + absolute
            let isNear = try NDArray.logical(.and, NDArray.compare(.le, .array(distance), .array(limit)), NDArray.test(.isfinite, b))
            let isClose = try NDArray.logical(.or, isNear, NDArray.compare(.eq, .array(a), .array(b)))
            return acceptsNaN ? try NDArray.logical(.or, isClose, NDArray.logical(.and, NDArray.test(.isnan, a), NDArray.test(.isnan, b))) : isClose
        }
    }
}
