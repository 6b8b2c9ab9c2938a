// Functions of each element. A number gives a number, computed by the same kernels as arrays; arrays keep their element type.

import ActArray
import ActGrad
import ActMachine

extension BuiltinRows {
    static let elementwise: [Builtin] = [
        unary(.abs, "abs(x)", "the magnitude", details: "The derivative at 0 is 0.", example: "abs([-1, 2])   # [1, 2]"),
        unary(.sqrt, "sqrt(x)", "the square root", example: "sqrt([4, 2])   # [2.00000000, 1.41421356]"),
        unary(.exp, "exp(x)", "e to the power x", example: "exp(1)   # 2.71828183"),
        unary(.expm1, "expm1(x)", "exp(x) - 1, accurate near 0", example: "expm1(1e-10)   # 1e-10"),
        unary(.log, "log(x)", "the natural logarithm", example: "log([1, e])   # [0, 1]"),
        unary(.log2, "log2(x)", "the logarithm to base 2", example: "log2(8)   # 3"),
        unary(.log10, "log10(x)", "the logarithm to base 10", example: "log10(1000)   # 3"),
        unary(.log1p, "log1p(x)", "log(1 + x), accurate near 0", example: "log1p(1e-10)   # 1e-10"),
        unary(.sin, "sin(x)", "the sine; angles are in radians", example: "sin(pi / 2)   # 1"),
        unary(.cos, "cos(x)", "the cosine", example: "cos(0)   # 1"),
        unary(.tan, "tan(x)", "the tangent", example: "tan(0.5)   # 0.54630249"),
        unary(.asin, "asin(x)", "the angle from -π/2 to π/2 with sine x", example: "asin(1)   # 1.57079633"),
        unary(.acos, "acos(x)", "the angle from 0 to π with cosine x", example: "acos(0)   # 1.57079633"),
        unary(.atan, "atan(x)", "the angle from -π/2 to π/2 with tangent x", example: "atan(1)   # 0.78539816"),
        binary(
            .atan2, "atan2(y, x)", "the angle from -π to π of the point (x, y)", example: "atan2(1, -1)   # 2.35619449"),
        unary(.sinh, "sinh(x)", "the hyperbolic sine", example: "sinh(1)   # 1.17520119"),
        unary(.cosh, "cosh(x)", "the hyperbolic cosine", example: "cosh(1)   # 1.54308063"),
        unary(.floor, "floor(x)", "the largest whole number that is not larger", example: "floor([1.5, -1.5])   # [1, -2]"),
        unary(.ceil, "ceil(x)", "the smallest whole number that is not smaller", example: "ceil([1.5, -1.5])   # [2, -1]"),
        Builtin(
            .elementwise, "round(x, decimals=0)", "the nearest whole number, or number of so many decimals; halves go to even ones",
            example: "round([0.5, 1.5, 2.5])   # [0, 2, 2]\nround(pi, 2)   # 3.14", scalar: { Scalar.unary(.round, $0) }
        ) { call in
            let decimals = try call.whole(1, default: 0)
            if decimals == 0 { return try call.apply(.round) }
            guard decimals.magnitude <= 300 else { throw call.fail(1, "from -300 to 300") }
            if case .number(let x) = call.values[0] {
                let y = Scalar.rounded(x, decimals: decimals)
                if !y.isFinite { try call.machine.noteNumericEvent(call.row.name, y, [x]) }
                return .number(y)
            }
            return try Value(call.numbers(0).rounded(decimals: decimals))
        },
        unary(.trunc, "trunc(x)", "the fraction cut off", example: "trunc([1.5, -1.5])   # [1, -1]"),
        Builtin(
            .elementwise, "clip(x, a_min=none, a_max=none)", "x, but not below a_min or above a_max", details: "The derivative at the limits is 0.",
            example: "clip([-2, 0.5, 3], 0, 1)   # [0.0, 0.5, 1.0]"
        ) { call in
            var value = call.values[0]
            if call.isGiven(1) { value = try call.apply(.max, value, call.values[1]) }
            if call.isGiven(2) { value = try call.apply(.min, value, call.values[2]) }
            return value
        },
        Builtin(
            .elementwise, "where(condition, x=none, y=none)", "x where the condition holds, y elsewhere; without them the positions where it holds",
            details: "The branch that is not selected contributes nothing to derivatives, not even a NaN.",
            example: "where([true, false], 1, [10, 20])   # [1, 20]\nwhere([0, 3, 4] > 1)   # ([1, 2],)"
        ) { call in
            let condition = try call.array(0)
            if !call.has(1) && !call.has(2) { return try .list(condition.nonzero().map { .array($0) }) }
            guard call.isGiven(1) else { throw RuntimeError.missingArgument("x", of: "where") }
            guard call.isGiven(2) else { throw RuntimeError.missingArgument("y", of: "where") }
            switch (call.values[0], call.values[1], call.values[2]) {
            case (.bool(let isTrue), .number, .number), (.bool(let isTrue), .bool, .bool): return call.values[isTrue ? 1 : 2]
            default:
                let (x, y) = (try call.array(1), try call.array(2))
                // Two bools give bools; a number alone takes the type of the other side.
                if x.type == .bool && y.type == .bool { return try Value(NDArray.select(condition, .array(x), .array(y))) }
                return try Value(NDArray.select(condition, call.operand(1), call.operand(2)))
            }
        },
        Builtin(
            .elementwise, "max(a, others…, axis=none, keepdims=false)", "the largest element, of all or along an axis; of several arguments elementwise",
            details: "NaN passes through. Where arguments tie, a derivative takes an equal part from each that varies, and 0 if one of them is a constant. Of bools the result is a bool.",
            example: "max([1, 5, 3])   # 5\nmax([1, 5, 3], 2)   # [2, 5, 3]"
        ) { call in try call.extreme(.max, .max) },
        Builtin(
            .elementwise, "min(a, others…, axis=none, keepdims=false)", "the smallest element, of all or along an axis; of several arguments elementwise",
            details: "NaN passes through. Where arguments tie, a derivative takes an equal part from each that varies, and 0 if one of them is a constant. Of bools the result is a bool.",
            example: "min([1, 5, 3])   # 1\nmin([1, 5, 3], 2)   # [1, 2, 2]"
        ) { call in try call.extreme(.min, .min) },
        binary(.max, "maximum(x, y)", "the larger of two", example: "maximum([1, 5], [3, 2])   # [3, 5]"),
        binary(.min, "minimum(x, y)", "the smaller of two", example: "minimum([1, 5], [3, 2])   # [1, 2]"),
        test(.isnan, "isnan(x)", "where x is NaN", example: "isnan([1, nan])   # [false, true]") { $0.isNaN },
        test(.isinf, "isinf(x)", "where x is infinite", example: "isinf([1, -inf])   # [false, true]") { $0.isInfinite },
        test(.isfinite, "isfinite(x)", "where x is neither NaN nor infinite", example: "isfinite([1, nan, inf])   # [true, false, false]") { $0.isFinite },
        Builtin(
            .elementwise, "isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=false)", "where |a - b| <= atol + rtol*|b|",
            example: "isclose([1, 2], [1.000001, 2.1])   # [true, false]"
        ) { call in try Value(call.closeness()) },
        binary(.hypot, "hypot(x, y)", "√(x² + y²) without overflow on the way", example: "hypot(3, 4)   # 5"),
    ]

    private static func unary(_ operation: UnaryOperation, _ signature: String, _ summary: String, details: String = "", example: String) -> Builtin {
        Builtin(.elementwise, signature, summary, details: details, example: example, scalar: { Scalar.unary(operation, $0) }) { call in
            try call.apply(operation)
        }
    }

    private static func binary(_ operation: BinaryOperation, _ signature: String, _ summary: String, example: String) -> Builtin {
        Builtin(.elementwise, signature, summary, example: example) { call in try call.apply(operation, call.values[0], call.values[1]) }
    }

    private static func test(_ operation: TestOperation, _ signature: String, _ summary: String, example: String, scalar: @escaping (Double) -> Bool) -> Builtin {
        Builtin(.elementwise, signature, summary, example: example) { call in
            if case .number(let x) = call.values[0] { return .bool(scalar(x)) }
            return try Value(NDArray.test(operation, call.numbers(0)))
        }
    }
}

extension Call {
    /// The operation of the first argument.
    func apply(_ operation: UnaryOperation) throws -> Value {
        switch values[0] {
        case .number, .bool:
            let x = try number(0)
            let y = Scalar.unary(operation, x)
            if !y.isFinite { try machine.noteNumericEvent(row.name, y, [x]) }
            return .number(y)
        default: return try Value(NDArray.unary(operation, numbers(0)))
        }
    }

    func apply(_ operation: BinaryOperation, _ left: Value, _ right: Value, index: Int = 0) throws -> Value {
        if operation == .max || operation == .min, let result = try boolExtreme(isMax: operation == .max, left, right) { return result }
        let (a, b) = (try operand(left, index), try operand(right, min(index + 1, values.count - 1)))
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

    /// `max` and `min`: of one argument a reduction, of several elementwise.
    fileprivate func extreme(_ operation: BinaryOperation, _ reduction: ReduceOperation) throws -> Value {
        if rest.isEmpty { return try Value(array(0).reduced(reduction, axes: axes(2), keepdims: bool(3, default: false))) }
        for index in [2, 3] where has(index) {
            throw cannot("`\(row.parameters[index].name)` goes with one array, not with several arguments", help: "`stack` the arrays first to reduce them")
        }
        var value = values[0]
        for other in rest { value = try apply(operation, value, other) }
        let all = [values[0]] + rest
        guard rest.count > 1, case .array(let result) = value, all.count(where: { if case .array(let array) = $0 { array.isTraced } else { false } }) > 1 else { return value }
        let inputs = try all.enumerated().map { index, value in
            if case .array(let array) = try operand(value, min(index, values.count - 1)) { return array }
            return try NDArray.scalar(value.asNumberIfBool.number ?? .nan, type: result.type)
        }
        return try Value(Extreme.result(operation, of: inputs, value: result))
    }

    func closeness() throws -> NDArray {
        let (a, b) = (try numbers(0), try numbers(1))
        let relative = try number(2, default: 1e-5), absolute = try number(3, default: 1e-8)
        let acceptsNaN = try bool(4, default: false)
        return try quietly {
            let distance = try NDArray.unary(.abs, a - b)
            let limit = try NDArray.unary(.abs, b) * relative + absolute
            let isNear = try NDArray.logical(.and, NDArray.compare(.le, .array(distance), .array(limit)), NDArray.test(.isfinite, b))
            let isClose = try NDArray.logical(.or, isNear, NDArray.compare(.eq, .array(a), .array(b)))
            return acceptsNaN ? try NDArray.logical(.or, isClose, NDArray.logical(.and, NDArray.test(.isnan, a), NDArray.test(.isnan, b))) : isClose
        }
    }
}
