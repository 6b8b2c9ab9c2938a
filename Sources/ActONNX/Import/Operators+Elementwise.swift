// Operators that act element by element: functions of one array, arithmetic with broadcasting, comparisons, conversions.

import ActArray
import ActGrad

extension ONNXOperators {
    // Lists of rows that are joined by `+` in one expression take the compiler minutes.

    private static let kernels: [(String, UnaryOperation)] = [
        ("Abs", .abs), ("Neg", .neg), ("Sqrt", .sqrt), ("Exp", .exp), ("Log", .log), ("Sin", .sin), ("Cos", .cos), ("Tan", .tan),
        ("Asin", .asin), ("Acos", .acos),
        ("Atan", .atan), ("Sinh", .sinh), ("Cosh", .cosh), ("Tanh", .tanh), ("Asinh", .asinh), ("Acosh", .acosh), ("Atanh", .atanh), ("Erf", .erf),
        ("Floor", .floor), ("Ceil", .ceil),
        ("Round", .round), ("Reciprocal", .reciprocal), ("Sign", .sign), ("Sigmoid", .sigmoid), ("Relu", .relu), ("Softplus", .softplus),
        ("Softsign", .softsign), ("Mish", .mish),
        ("HardSwish", .hardSwish),
    ]

    static let unary: [OperatorRow] = kernels.map { name, operation in .map(name) { try NDArray.unary(operation, $1) } }

    static let elementwise: [OperatorRow] = [
        .map("Elu") { call, x in try call.activation("elu", x, [.number(call.float("alpha", 1))]) },
        .map("Celu") { call, x in try call.activation("celu", x, [.number(call.float("alpha", 1))]) },
        .map("LeakyRelu") { call, x in try call.activation("leaky_relu", x, [.number(call.float("alpha", 0.01))]) },
        .map("ThresholdedRelu") { call, x in
            try NDArray.select(NDArray.compare(.gt, .array(x), .number(call.float("alpha", 1))), .array(x), 0)
        },
        .map("Selu") { call, x in
            guard call.has("alpha") || call.has("gamma") else { return try NDArray.unary(.selu, x) }
            return try call.activation("elu", x, [.number(call.float("alpha", 1.67326319217681884765625))]) * call.float("gamma", 1.05070102214813232421875)
        },
        .map("HardSigmoid") { call, x in try hardSigmoid(x, call.float("alpha", 0.2), call.float("beta", 0.5)) },
        .map("Gelu") { call, x in try NDArray.unary(call.text("approximate", "none") == "tanh" ? .geluTanh : .gelu, x) },
        .map("Swish") { call, x in
            let alpha = try call.float("alpha", 1)
            return try alpha == 1 ? NDArray.unary(.silu, x) : x * NDArray.unary(.sigmoid, x * alpha)
        },
        .map("PRelu") { call, x in
            // A slope for each channel stands for the axes after it too.
            var slope = try call.x(1)
            if slope.rank == 1, x.rank > 2, slope.count == x.shape[1], call.version < 9 || slope.count > 1 && x.shape[x.rank - 1] != slope.count {
                slope = try slope.reshaped(to: [slope.count] + [Int](repeating: 1, count: x.rank - 2))
            }
            return try NDArray.select(NDArray.compare(.lt, .array(x), 0), .array(x * slope), .array(x))
        },
        .map("Shrink") { call, x in
            let lambda = try call.float("lambd", 0.5), bias = try call.float("bias", 0)
            let inner = try NDArray.select(NDArray.compare(.gt, .array(x), .number(lambda)), .array(x - bias), 0)
            return try NDArray.select(NDArray.compare(.lt, .array(x), .number(-lambda)), .array(x + bias), .array(inner))
        },
        OperatorRow("Clip", settings: [1, 2]) { call in
            var x = try call.x(0)
            // Bounds were attributes before opset 11.
            let low = try call.maybe(1).map { Operand.array($0) } ?? (call.has("min") ? .number(call.float("min", 0)) : nil)
            let high = try call.maybe(2).map { Operand.array($0) } ?? (call.has("max") ? .number(call.float("max", 0)) : nil)
            if let low { x = try NDArray.binary(.max, .array(x), low) }
            if let high { x = try NDArray.binary(.min, .array(x), high) }
            return try call.result(x)
        },
        OperatorRow("IsNaN", .truth) { try $0.truth(NDArray.test(.isnan, $0.x(0))) },
        OperatorRow("IsInf", .truth) { call in
            let x = try call.x(0), isInfinite = try NDArray.test(.isinf, x)
            let up = try call.flag("detect_positive", true), down = try call.flag("detect_negative", true)
            if up && down { return call.truth(isInfinite) }
            guard up || down else { return call.truth(try NDArray.full(0, shape: x.shape, type: .bool)) }
            return call.truth(try NDArray.logical(.and, isInfinite, NDArray.compare(up ? .gt : .lt, .array(x), 0)))
        },
        OperatorRow("Not", .truth) { try $0.truth(NDArray.not($0.x(0).converted(to: .bool))) },
        .map("Identity") { _, x in x }.passingAnything,
        OperatorRow("Binarizer") { call in
            let x = try call.x(0)
            return try call.result(NDArray.compare(.gt, .array(x), .number(call.float("threshold", 0))).converted(to: x.type))
        },
    ]

    static func hardSigmoid(_ x: NDArray, _ alpha: Double, _ beta: Double) throws -> NDArray {
        try NDArray.binary(.max, .array(NDArray.binary(.min, .array(x * alpha + beta), 1)), 0)
    }

    // MARK: Arithmetic

    static let sums: [OperatorRow] = [("Add", BinaryOperation.add), ("Sub", .sub), ("Mul", .mul)].map { name, operation in
        OperatorRow(name) { call in
            let (a, b) = try pair(call)
            return try call.result(NDArray.binary(operation, a.numeric, b.numeric))
        }
    }

    static let comparisons: [OperatorRow] = [("Equal", CompareOperation.eq), ("Less", .lt), ("LessOrEqual", .le), ("Greater", .gt), ("GreaterOrEqual", .ge)]
        .map { name, operation in
            OperatorRow(name, .truth) { call in
                let (a, b) = try pair(call)
                return try call.truth(NDArray.compare(operation, .array(a.numeric), .array(b.numeric)))
            }
        }

    static let logicals: [OperatorRow] = [("And", LogicalOperation.and), ("Or", .or), ("Xor", .xor)].map { name, operation in
        OperatorRow(name, .truth) { call in
            let (a, b) = try pair(call)
            return try call.truth(NDArray.logical(operation, a.converted(to: .bool), b.converted(to: .bool)))
        }
    }

    static let extremes: [OperatorRow] = [("Max", BinaryOperation.max), ("Min", .min), ("Sum", .add)].map { name, operation in
        OperatorRow(name) { call in
            let all = try call.all()
            guard let first = all.first else { throw call.fail(.missingInput(0)) }
            return try call.result(all.dropFirst().reduce(first) { try NDArray.binary(operation, $0, $1) })
        }
    }

    static let arithmetic: [OperatorRow] = [
        OperatorRow("Mean") { call in
            let all = try call.all()
            guard let first = all.first else { throw call.fail(.missingInput(0)) }
            return try call.result(all.dropFirst().reduce(first) { try $0 + $1 } / Double(all.count))
        },
        OperatorRow("Div") { call in
            let (a, b) = try pair(call), quotient = try a.numeric / b.numeric
            // Of whole numbers toward zero.
            return try call.result(call.type(0).isWhole ? NDArray.unary(.trunc, quotient) : quotient)
        },
        OperatorRow("Pow") { call in
            let (a, b) = try pair(call), type = try call.type(0)
            let power = try NDArray.binary(.pow, a, b.converted(to: a.type == .f32 ? .f32 : .f64))
            return [try type.isWhole ? call.fitted(NDArray.unary(.trunc, power), type) : .array(power, type)]
        },
        OperatorRow("Mod") { call in
            let (a, b) = try pair(call)
            // With fmod=1 the sign of the dividend; else, of whole numbers, that of the divisor.
            guard try call.flag("fmod", false) else { return try call.result(NDArray.binary(.mod, a, b)) }
            let rest = try NDArray.binary(.mod, NDArray.unary(.abs, a), NDArray.unary(.abs, b))
            return try call.result(NDArray.binary(.copysign, rest, a))
        },
        OperatorRow("Where", .like(1)) { call in
            let condition = try call.x(0).converted(to: .bool), type = try call.type(1)
            let (a, b) = try (call.x(1), call.x(2))
            guard type == .bool else { return [.array(try NDArray.select(condition, .array(a), .array(b)), type)] }
            return call.truth(try NDArray.select(condition, .array(a.converted(to: .f32)), .array(b.converted(to: .f32))).converted(to: .bool))
        },
        bitwise("BitwiseAnd") { $0 & $1 }, bitwise("BitwiseOr") { $0 | $1 }, bitwise("BitwiseXor") { $0 ^ $1 },
        OperatorRow("BitwiseNot") { call in
            // −x − 1, which wraps to what the bits say where there is no sign.
            try call.result(-1.0 - call.x(0))
        },
        OperatorRow("BitShift") { call in
            let isLeft = try call.text("direction", "LEFT") == "LEFT", bits = try call.type(0).bits ?? 64
            let isSigned = try (call.type(0).limits?.lowerBound ?? 0) < 0, (a, b) = try pair(call)
            return try call.result(
                NDArray.bitwise("BitShift", a, b) { a, b in
                    // By as many bits as there are nothing is left but, at the right, the sign.
                    guard b >= 0, b < bits else { return !isLeft && a < 0 ? -1 : 0 }
                    // What is pushed out at the left is gone, by `result`, which also finds what 53 bits do not hold.
                    guard isLeft else { return Double(a >> b) }
                    let shifted = UInt64(bitPattern: Int64(a)) << UInt64(b) & (bits == 64 ? .max : 1 << UInt64(bits) - 1)
                    return bits == 64 && isSigned ? Double(Int64(bitPattern: shifted)) : Double(shifted)
                })
        },
    ]

    private static func bitwise(_ name: String, _ function: @escaping @Sendable (Int, Int) -> Int) -> OperatorRow {
        OperatorRow(name) { call in
            let (a, b) = try pair(call)
            return try call.result(NDArray.bitwise(name, a, b) { Double(function($0, $1)) })
        }
    }

    /// Two operands. Before opset 7 the second one stretched only where `broadcast` said so, from the axis `axis` on.
    private static func pair(_ call: NodeCall) throws -> (NDArray, NDArray) {
        let a = try call.x(0), b = try call.x(1)
        guard call.version < 7, call.has("axis"), try call.flag("broadcast", false), b.rank > 0 else { return (a, b) }
        let axis = try call.axis(call.int("axis", 0), rank: a.rank)
        guard axis + b.rank <= a.rank else { throw call.fail(.badAttribute("axis")) }
        return (a, try b.reshaped(to: b.shape + [Int](repeating: 1, count: a.rank - axis - b.rank)))
    }

    // MARK: Conversions and constants

    static let conversions: [OperatorRow] = [
        OperatorRow("Cast", .said("to")) { call in
            guard let type = try call.elementType("to") else { throw call.fail(.missingAttribute("to")) }
            return [try call.cast(call.x(0), from: call.type(0), to: type, saturates: call.flag("saturate", true))]
        },
        OperatorRow("CastLike", .like(1)) { call in
            [try call.cast(call.x(0), from: call.type(0), to: call.type(1), saturates: call.flag("saturate", true))]
        },
        OperatorRow("Constant", .unknown) { call in
            if let value = call.node.tensors.values["value"] { return [value] }
            for (name, value) in call.node.attributes {
                switch (name, value) {
                case ("value_float", .float(let number)): return [.array(try NDArray.scalar(Double(number), type: .f32), .float)]
                case ("value_int", .int(let whole)): return [try call.fitted(NDArray.scalar(ONNXElementType.inward(whole), type: .f64), .int64)]
                case ("value_floats", .floats(let numbers)):
                    return [.array(try NDArray(numbers.map { Double($0) }, shape: [numbers.count], type: .f32), .float)]
                case ("value_ints", .ints(let wholes)): return [try call.fitted(NDArray(wholes.map(ONNXElementType.inward), shape: [wholes.count]), .int64)]
                case ("value_string", _), ("value_strings", _): throw call.lacks(.type(.string))
                default: continue
                }
            }
            throw call.fail(.missingAttribute("value"))
        },
        OperatorRow("ConstantOfShape", .unknown) { call in
            let shape = try call.sizes(0)
            guard case .array(let element, let type)? = call.node.tensors.values["value"] else {
                return [.array(try NDArray.full(0, shape: shape, type: .f32), .float)]
            }
            return [.array(try element.reshaped(to: [Int](repeating: 1, count: shape.count)).broadcast(to: shape), type)]
        },
        OperatorRow("EyeLike", .unknown) { call in
            let x = try call.x(0), type = try call.elementType("dtype") ?? call.type(0)
            guard x.rank == 2 else { throw call.fail(.shape(x.shape, input: 0)) }
            return [.array(try NDArray.eye(x.shape[0], x.shape[1], call.int("k", 0)).converted(to: type.storage ?? .f32), type)]
        },
        OperatorRow("Range") { call in
            // In double precision for either type of float: a rounded step would add up.
            let (start, limit, delta) = (try call.number(0), try call.number(1), try call.number(2))
            return try call.result(NDArray.range(start, limit, delta).converted(to: call.type(0).storage ?? .f64))
        },
        OperatorRow("Size", .whole) { call in try call.whole(NDArray.scalar(Double(call.x(0).count), type: .f64)) },
        OperatorRow("Shape", .whole) { call in
            let shape = try call.x(0).shape, rank = shape.count
            func bound(_ value: Int) -> Int { max(0, min(rank, value < 0 ? value + rank : value)) }
            let start = bound(try call.int("start", 0)), end = bound(try call.int("end", rank))
            let part = start < end ? Array(shape[start..<end]) : []
            return try call.whole(NDArray(part.map { Double($0) }, shape: [part.count]))
        },
    ]
}

extension OperatorRow {
    /// Takes lists and nothing too, and hands them on.
    fileprivate var passingAnything: OperatorRow { OperatorRow(name, result) { [try $0.value(0)] } }
}
