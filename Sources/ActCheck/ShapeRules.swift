// What calls of built-ins give, by what is known of their arguments: a rule for each built-in that makes shapes or keeps them. A built-in without a
// rule gives what nobody knows.

import ActArray
import ActBuiltins
import ActGrad
import ActNetwork
import ActRows

/// A call as the rules see it.
struct ShapeCall {
    let row: Builtin
    let parameters: [Parameter]
    /// For each parameter; `nil` for what was not given.
    private(set) var given: [ShapeValue?]
    /// What a parameter took that takes any number.
    private(set) var rest: [ShapeValue] = []

    /// - Returns: `nil` if the arguments are not those of the function.
    init?(_ function: BuiltinFunction, _ arguments: [(name: String?, value: ShapeValue)]) {
        row = function.row
        parameters = function.form.parameters
        given = Array(repeating: nil, count: parameters.count)
        var position = 0
        for argument in arguments {
            if let name = argument.name {
                guard let index = parameters.firstIndex(where: { $0.name == name }) else { return nil }
                given[index] = argument.value
            } else {
                guard position < parameters.count else { return nil }
                if parameters[position].isVariadic {
                    rest.append(argument.value)
                } else {
                    given[position] = argument.value
                    position += 1
                }
            }
        }
    }

    /// What was given for a parameter.
    func argument(_ name: String) -> ShapeValue? { parameters.firstIndex { $0.name == name }.flatMap { given[$0] } }

    func isGiven(_ name: String) -> Bool { argument(name) != nil }

    subscript(name: String) -> ShapeValue { argument(name) ?? .unknown }

    /// The shape of an array or a number, or of a list that makes an array.
    func shape(_ name: String) -> [Size?]? { self[name].shape }

    /// The sizes that `zeros(2, 3)` and `zeros((2, 3))` name.
    var sizes: [Size?]? {
        let values = rest.isEmpty ? argument("shape").map { [$0] } ?? [] : rest
        if values.count == 1 { return sizes(of: values[0]) }
        return values.contains { if case .unknown = $0 { true } else { false } } ? nil : values.map(\.asSize)
    }

    func sizes(of value: ShapeValue) -> [Size?]? {
        switch value {
        case .number, .size: [value.asSize]
        case .list(let elements): elements.map(\.asSize)
        default: nil
        }
    }
}

enum ShapeRules {
    typealias Rule = @Sendable (ShapeCall) throws -> ShapeValue

    /// - Returns: `.unknown` where there is no rule.
    static func value(of call: ShapeCall) throws -> ShapeValue {
        if let rule = rules[call.row.name] { return try rule(call) }
        // An elementwise row is its own rule.
        if call.row.leaves == .each, call.row.activation?.kind == .elementwise || call.row.topic == .elementwise { return try elementwise(call) }
        return .unknown
    }

    /// All arguments broadcast together.
    private static func elementwise(_ call: ShapeCall) throws -> ShapeValue {
        var shape: [Size?] = []
        for value in call.given.compactMap(\.self) + call.rest {
            switch value {
            case .number, .size, .array: shape = try ShapeArithmetic.broadcast(shape, value.shape ?? [])
            default: return .unknown
            }
        }
        return .of(shape)
    }

    /// The first argument's.
    private static func same(_ name: String) -> Rule {
        { call in
            switch call[name] {
            case .number, .size: .number(nil)
            case .array(let shape): .array(shape)
            default: .unknown
            }
        }
    }

    /// Along one axis, several or all.
    private static let reduction: Rule = { call in
        guard case .array(let shape) = call["a"] else { return .unknown }
        let axes: [Int]
        switch call.argument("axis") {
        case nil, .some(.none): axes = Array(shape.indices)
        case .list(let elements)?:
            let wholes = elements.compactMap(\.whole)
            guard wholes.count == elements.count else { return .unknown }
            axes = try wholes.map { try ShapeArithmetic.axis($0, shape) }
        case let axis?:
            guard let whole = axis.whole else { return .unknown }
            axes = [try ShapeArithmetic.axis(whole, shape)]
        }
        if call.isGiven("keepdims") {
            guard let keeps = call["keepdims"].number else { return .unknown }
            if keeps != 0 { return .array(shape.indices.map { axes.contains($0) ? Size(1) : shape[$0] }) }
        }
        return .of(shape.indices.filter { !axes.contains($0) }.map { shape[$0] })
    }

    private static let filled: Rule = { call in call.sizes.map { .of($0) } ?? .unknown }

    /// - Parameter ranks: Those of operands that it says something of.
    private static func product(ranks: Range<Int>) -> Rule {
        { call in
            guard case .array(let a) = call["a"], case .array(let b) = call["b"], ranks.contains(a.count), ranks.contains(b.count) else { return .unknown }
            return .of(try ShapeArithmetic.product(a, b, call.row.name))
        }
    }

    /// Losses never broadcast.
    private static let loss: Rule = { call in
        guard case .array(let a) = call["prediction"], case .array(let b) = call["target"] else { return .unknown }
        let (m, n) = (a.compactMap { $0?.number }, b.compactMap { $0?.number })
        if a.count != b.count || zip(a, b).contains(where: { $0?.number != nil && $1?.number != nil && $0 != $1 }), m.count == a.count, n.count == b.count {
            throw ShapeFault.other(NetworkError.lossShapes(loss: call.row.name, prediction: m, target: n))
        }
        return call.isGiven("reduction") ? .unknown : .number(nil)
    }

    /// The shape of an argument whose last two sizes agree, as far as is known.
    private static func square(_ call: ShapeCall) throws -> [Size?]? {
        guard case .array(let shape) = call["a"] else { return nil }
        if shape.count >= 2, let m = shape[shape.count - 2]?.number, let n = shape[shape.count - 1]?.number, m != n {
            let known = shape.compactMap { $0?.number }
            if known.count == shape.count { throw ShapeFault.other(ArrayError.notSquare(operation: call.row.name, known)) }
        }
        return shape
    }

    private static let inverse: Rule = { call in try square(call).map { .array($0) } ?? .unknown }

    private static let determinant: Rule = { call in try square(call)?.count == 2 ? .number(nil) : .unknown }

    /// The shapes of arrays that are put together, and along which axis.
    private static func parts(_ call: ShapeCall) -> (shapes: [[Size?]], first: [Size?], axis: Int)? {
        guard case .list(let parts) = call["arrays"] else { return nil }
        let shapes = parts.compactMap { part -> [Size?]? in if case .array(let shape) = part { shape } else { nil } }
        guard shapes.count == parts.count, let first = shapes.first, let axis = call.isGiven("axis") ? call["axis"].whole : 0 else { return nil }
        return (shapes, first, axis)
    }

    /// The first shape, with what others know of sizes that it does not.
    /// - Parameter free: The axis along which they may differ.
    /// - Returns: `nil` where they differ, but nobody knows enough to say so.
    private static func agreed(_ shapes: [[Size?]], _ first: [Size?], free: Int? = nil, _ call: ShapeCall) throws -> [Size?]? {
        var result = first
        for shape in shapes.dropFirst() {
            let differs = shape.count != first.count || first.indices.contains { $0 != free && (zip2(first[$0], shape[$0]) { $0.differs(from: $1) } ?? false) }
            if differs {
                let (a, b) = (first.compactMap { $0?.number }, shape.compactMap { $0?.number })
                guard a.count == first.count, b.count == shape.count else { return nil }
                let place = a.count == b.count && free != nil ? a.indices.first { $0 != free && a[$0] != b[$0] } : nil
                throw ShapeFault.other(ArrayError.shapesDiffer(operation: call.row.name, a, b, axis: place))
            }
            for index in shape.indices where index != free { result[index] = result[index] ?? shape[index] }
        }
        return result
    }

    private static let concatenated: Rule = { call in
        guard let (shapes, first, whole) = parts(call) else { return .unknown }
        let axis = try ShapeArithmetic.axis(whole, first)
        guard first.indices.contains(axis), var result = try agreed(shapes, first, free: axis, call) else { return .unknown }
        for shape in shapes.dropFirst() { result[axis] = zip2(result[axis], shape[axis]) { $0 + $1 } }
        return .array(result)
    }

    private static let stacked: Rule = { call in
        guard let (shapes, first, whole) = parts(call) else { return .unknown }
        let axis = whole < 0 ? whole + first.count + 1 : whole
        guard (0...first.count).contains(axis), var result = try agreed(shapes, first, call) else { return .unknown }
        result.insert(Size(shapes.count), at: axis)
        return .array(result)
    }

    private static func zip2<Result>(_ a: Size?, _ b: Size?, _ body: (Size, Size) -> Result?) -> Result? {
        guard let a, let b else { return nil }
        return body(a, b)
    }

    private static let reshaped: Rule = { call in
        guard let sizes = call.sizes, case .array(let shape) = call["a"] else { return .unknown }
        let free = sizes.filter { $0?.number == -1 }.count
        guard free <= 1, let count = ShapeArithmetic.count(shape) else { return .array(sizes.map { $0?.number == -1 ? nil : $0 }) }
        guard let part = ShapeArithmetic.count(sizes.filter { $0?.number != -1 }) else { return .array(sizes.map { $0?.number == -1 ? nil : $0 }) }
        let numbers = sizes.compactMap { $0?.number }
        let fits = free == 0 ? part == count : part > 0 && count % part == 0
        guard part >= 0, fits || free == 1 && part == 0 else {
            throw ShapeFault.other(ArrayError.cannotReshape(shape.compactMap { $0?.number }, to: numbers))
        }
        return .of(sizes.map { $0?.number == -1 ? (part > 0 ? Size(count / part) : nil) : $0 })
    }

    private static let transposed: Rule = { call in
        guard case .array(let shape) = call["a"] else { return .unknown }
        return call.isGiven("axes") ? .array(shape.map { _ in nil }) : .array(shape.reversed())
    }

    private static let ascending: Rule = { call in
        guard let start = call["start"].number else {
            return call.isGiven("stop") || call["start"].asSize == nil ? .array([nil]) : .array([call["start"].asSize])
        }
        guard call.isGiven("stop") else { return .array([Size(max(0, Int(exactly: start.rounded(.up)) ?? 0))]) }
        guard let stop = call["stop"].number, let step = call.isGiven("step") ? call["step"].number : 1, start == start.rounded(),
            stop == stop.rounded(),
            step == step.rounded(), step != 0, let count = Int(exactly: ((stop - start) / step).rounded(.up))
        else { return .array([nil]) }
        return .array([Size(max(0, count))])
    }

    private static let expanded: Rule = { call in
        guard case .array(let shape) = call["a"], let axis = call["axis"].whole, axis >= -shape.count - 1, axis <= shape.count else { return .unknown }
        var result = shape
        result.insert(Size(1), at: axis < 0 ? axis + shape.count + 1 : axis)
        return .array(result)
    }

    private static let rules: [String: Rule] = {
        var rules: [String: Rule] = [
            "reshape": reshaped, "transpose": transposed, "concat": concatenated, "stack": stacked, "matmul": product(ranks: 0..<Int.max),
            "dot": product(ranks: 0..<3), "inv": inverse, "det": determinant,
            "range": ascending, "expand_dims": expanded,
            "full": { call in call.sizes(of: call["shape"]).map { .of($0) } ?? .unknown },
            "eye": { call in .array([call["N"].asSize, call.isGiven("M") ? call["M"].asSize : call["N"].asSize]) },
            "linspace": { call in
                guard case .number = call["start"], case .number = call["stop"] else { return .unknown }
                return .array([call.isGiven("num") ? call["num"].asSize : Size(50)])
            },
            "flatten": { call in
                guard case .array(let shape) = call["a"] else { return .unknown }
                return .array([ShapeArithmetic.count(shape).map { Size($0) }])
            },
            "shape": { call in call.shape("a").map { .list($0.map { $0.map { .size($0) } ?? .number(nil) }) } ?? .unknown },
            "ndim": { call in call.shape("a").map { .number(Double($0.count)) } ?? .unknown },
            "size": { call in
                guard !call.isGiven("axis"), let shape = call.shape("a") else { return .number(nil) }
                return .number(ShapeArithmetic.count(shape).map(Double.init))
            },
            "len": { call in
                switch call["x"] {
                case .array(let shape): shape.first.flatMap { $0 }.map { .size($0) } ?? .number(nil)
                case .list(let elements): .number(Double(elements.count))
                default: .number(nil)
                }
            },
            "randint": { call in call.isGiven("size") ? call.sizes(of: call["size"]).map { .of($0) } ?? .unknown : .number(nil) },
            "int": { call in call["x"].whole.map { .number(Double($0)) } ?? .unknown },
        ]
        for name in ["zeros", "ones", "rand", "randn"] { rules[name] = filled }
        for name in ["sum", "mean", "prod", "std", "var", "any", "all", "argmin", "argmax", "logsumexp", "median"] { rules[name] = reduction }
        // With more arrays than one they are elementwise.
        for name in ["max", "min"] {
            rules[name] = { call in
                if call.rest.isEmpty { return try reduction(call) }
                var shape: [Size?] = []
                for value in [call["a"]] + call.rest {
                    switch value {
                    case .number, .size, .array: shape = try ShapeArithmetic.broadcast(shape, value.shape ?? [])
                    default: return .unknown
                    }
                }
                return .of(shape)
            }
        }
        for name in ["softmax", "log_softmax", "f32", "f64", "bool"] { rules[name] = same("x") }
        for name in ["flip", "sort", "argsort", "roll"] { rules[name] = same("a") }
        for name in ["mse", "mae", "huber", "bce", "bce_logits", "hinge"] { rules[name] = loss }
        // These may change the shape, or take what is not an array.
        for name in ["where", "clip"] { rules[name] = { call in call.given.compactMap(\.self).count == 3 ? try elementwise(call) : .unknown } }
        return rules
    }()
}
