// Numbers of few bits with a scale and a zero point: (q − zero) scale. And what optimisers of ONNX do in one step.

import ActArray
import ActGrad

extension ONNXOperators {
    static let quantizations: [OperatorRow] = [
        OperatorRow("QuantizeLinear", .unknown, settings: [1, 2]) { call in
            let x = try call.x(0), scale = try spread(call, call.x(1), like: x), zero = try call.maybe(2).map { try spread(call, $0, like: x) }
            var type = try call.has(2) ? call.type(2) : .uint8
            if !call.has(2), let said = try call.elementType("output_dtype"), said != .undefined { type = said }
            return [try quantized(call, x / scale.converted(to: x.type), zero, type)]
        },
        OperatorRow("DequantizeLinear", .like(1), settings: [1, 2]) { call in
            let x = try call.x(0), scale = try spread(call, call.x(1), like: x), zero = try call.maybe(2).map { try spread(call, $0, like: x) }
            let shifted = try zero.map { try x.converted(to: .f64) - $0.converted(to: .f64) } ?? x.converted(to: .f64)
            var type = try call.type(1)
            if let said = try call.elementType("output_dtype"), said != .undefined { type = said }
            return [.array(try (shifted * scale.converted(to: .f64)).converted(to: type.storage ?? .f32), type)]
        },
        OperatorRow("DynamicQuantizeLinear", .unknown) { call in
            let x = try call.x(0)
            let low = try NDArray.binary(.min, .array(x.reduced(.min)), 0), high = try NDArray.binary(.max, .array(x.reduced(.max)), 0)
            let scale = try (high - low) / 255.0, zero = try clip(NDArray.unary(.round, -1.0 * low / scale), 0...255)
            return [try quantized(call, x / scale, zero, .uint8), .array(scale, .float), .array(try zero.converted(to: .f64), .uint8)]
        },
        OperatorRow("QLinearMatMul", .unknown, settings: [1, 2, 4, 5, 6, 7]) { call in
            func real(_ index: Int, isRows: Bool) throws -> NDArray {
                func along(_ parameter: NDArray) throws -> NDArray {
                    try isRows && parameter.rank == 1 && parameter.count > 1 ? parameter.expandedDims(1) : parameter
                }
                let shifted = try call.x(index).converted(to: .f64) - along(call.x(index + 2)).converted(to: .f64)
                return try shifted * along(call.x(index + 1)).converted(to: .f64)
            }
            let product = try NDArray.matmul(real(0, isRows: true), real(3, isRows: false))
            return [try quantized(call, product / call.x(6).converted(to: .f64), call.x(7), call.type(7))]
        },
        OperatorRow("QLinearConv", .unknown, settings: [1, 2, 4, 5, 6, 7]) { call in
            let x = try call.x(0) - call.x(2).converted(to: .f64), scale = try call.x(4).converted(to: .f64)
            func front(_ parameter: NDArray) throws -> NDArray { try parameter.rank == 1 ? parameter.reshaped(to: [parameter.count, 1, 1, 1]) : parameter }
            let w = try call.x(3) - front(call.x(5).converted(to: .f64))
            var sum = try convolution(call, x, w, call.maybe(8))
            let own = scale.rank == 1 ? try scale.reshaped(to: [scale.count] + [Int](repeating: 1, count: x.rank - 2)) : scale
            sum = try sum * (own * call.x(1).converted(to: .f64)) / call.x(6).converted(to: .f64)
            return [try quantized(call, sum, call.x(7), call.type(7))]
        },
    ]

    private static func clip(_ x: NDArray, _ limits: ClosedRange<Double>) throws -> NDArray {
        try NDArray.binary(.min, .array(NDArray.binary(.max, .array(x), .number(limits.lowerBound))), .number(limits.upperBound))
    }

    /// Rounded to even, moved by the zero point, cut to what the type holds.
    private static func quantized(_ call: NodeCall, _ scaled: NDArray, _ zero: NDArray?, _ type: ONNXElementType) throws -> GraphValue {
        if type.isFloat {
            let moved = try zero.map { try scaled + $0.converted(to: scaled.type) } ?? scaled
            return try call.cast(moved, from: .float, to: type, saturates: call.flag("saturate", true))
        }
        guard let limits = type.limits else { throw call.lacks(.type(type)) }
        let whole = try NDArray.unary(.round, scaled.converted(to: .f64))
        return .array(try clip(zero.map { try whole + $0.converted(to: .f64) } ?? whole, limits), type)
    }

    /// A parameter for each place along an axis, or for each block of places, as large as what it is for.
    private static func spread(_ call: NodeCall, _ parameter: NDArray, like x: NDArray) throws -> NDArray {
        let block = try call.int("block_size", 0)
        if parameter.rank == 0 || parameter.count == 1 && block == 0 { return parameter.rank == 0 ? parameter : try parameter.reshaped(to: []) }
        let axis = try call.axis(call.int("axis", 1), rank: x.rank)
        guard block > 0 else {
            guard parameter.rank == 1 else { throw call.fail(.shape(parameter.shape, input: 1)) }
            return try parameter.reshaped(to: [parameter.count] + [Int](repeating: 1, count: x.rank - 1 - axis))
        }
        guard parameter.rank == x.rank else { throw call.fail(.shape(parameter.shape, input: 1)) }
        return try parameter.repeated(block, axis: axis).cut(axis, 0, x.shape[axis])
    }

    // MARK: Steps of optimisers

    static let steps: [OperatorRow] = [
        optimizer("Momentum", states: 1) { call, rate, count, x, gradient, states in
            let decay = try call.float("norm_coefficient", 0), alpha = try call.float("alpha", 0), beta = try call.float("beta", 0)
            let g = try gradient + x * decay, v = try states[0] * alpha + g * (count > 0 ? beta : 1)
            let move = try call.text("mode", "standard") == "nesterov" ? g + v * alpha : v
            return [try x - move * rate, v]
        },
        optimizer("Adagrad", states: 1) { call, rate, count, x, gradient, states in
            let r = try rate / (1 + Double(count) * call.float("decay_factor", 0)), g = try gradient + x * call.float("norm_coefficient", 0)
            let h = try states[0] + NDArray.unary(.square, g)
            return [try x - g * r / (NDArray.unary(.sqrt, h) + call.float("epsilon", 1e-6)), h]
        },
        optimizer("Adam", states: 2) { call, rate, count, x, gradient, states in
            let alpha = try call.float("alpha", 0.9), beta = try call.float("beta", 0.999), g = try gradient + x * call.float("norm_coefficient", 0)
            let v = try states[0] * alpha + g * (1 - alpha), h = try states[1] * beta + NDArray.unary(.square, g) * (1 - beta)
            var r = rate
            if count > 0 { r *= (1 - power(beta, count)).squareRoot() / (1 - power(alpha, count)) }
            let new = try x - v * r / (NDArray.unary(.sqrt, h) + call.float("epsilon", 1e-6))
            return [try new * (1 - call.float("norm_coefficient_post", 0)), v, h]
        },
    ]

    private static func power(_ base: Double, _ exponent: Int) -> Double { (0..<min(exponent, 1 << 16)).reduce(1) { result, _ in result * base } }

    /// Inputs are the rate, the number of steps done, then all arrays, their gradients, and their states, kind by kind; outputs the same without rate
    /// and gradients.
    private static func optimizer(
        _ name: String, states: Int, _ step: @escaping @Sendable (NodeCall, Double, Int, NDArray, NDArray, [NDArray]) throws -> [NDArray]
    ) -> OperatorRow {
        OperatorRow(name, .like(2)) { call in
            let rate = try call.number(0), count = try call.whole(1), arrays = (call.inputs.count - 2) / (states + 2)
            guard arrays > 0, call.inputs.count == 2 + arrays * (states + 2) else { throw call.fail(.missingInput(call.inputs.count)) }
            var results = [[NDArray]](repeating: [], count: states + 1)
            for index in 0..<arrays {
                let own = try (0..<states).map { try call.x(2 + arrays * (2 + $0) + index) }
                for (kind, array) in try step(call, rate, count, call.x(2 + index), call.x(2 + arrays + index), own).enumerated() {
                    results[kind].append(array)
                }
            }
            return try results.joined().map { .array($0, try call.type(2)) }
        }
    }
}
