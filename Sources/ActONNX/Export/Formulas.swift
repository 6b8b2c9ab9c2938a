// Elementwise functions in ONNX: the operator where there is one, else a function of the model, whose body is the formula of the row or the
// composition of the kernel.
//
// What must stay true: one exhaustive `switch` for each kind of operation.

import ActArray
import ActGrad

/// An operator with its settings.
struct ONNXOperator {
    let name: String
    let attributes: [ONNXAttribute]

    init(_ name: String, _ attributes: [ONNXAttribute] = []) { (self.name, self.attributes) = (name, attributes) }
}

extension ElementType {
    /// Whether settings of operators, which are f32, say these numbers as exactly as a model of this type needs them.
    fileprivate func says(_ settings: [Double]) -> Bool { self != .f64 || settings.allSatisfy { Double(Float($0)) == $0 } }
}

extension UnaryOperation {
    /// The operator of opset 20 for numbers of a type; `nil` where there is none.
    func onnx(_ numbers: ElementType) -> ONNXOperator? {
        switch self {
        case .neg: ONNXOperator("Neg")
        case .abs: ONNXOperator("Abs")
        case .sign: ONNXOperator("Sign")
        case .sqrt: ONNXOperator("Sqrt")
        case .reciprocal: ONNXOperator("Reciprocal")
        case .exp: ONNXOperator("Exp")
        case .log: ONNXOperator("Log")
        case .sin: ONNXOperator("Sin")
        case .cos: ONNXOperator("Cos")
        case .tan: ONNXOperator("Tan")
        case .asin: ONNXOperator("Asin")
        case .acos: ONNXOperator("Acos")
        case .atan: ONNXOperator("Atan")
        case .sinh: ONNXOperator("Sinh")
        case .cosh: ONNXOperator("Cosh")
        case .tanh: ONNXOperator("Tanh")
        case .asinh: ONNXOperator("Asinh")
        case .acosh: ONNXOperator("Acosh")
        case .atanh: ONNXOperator("Atanh")
        case .erf: ONNXOperator("Erf")
        case .floor: ONNXOperator("Floor")
        case .ceil: ONNXOperator("Ceil")
        case .round: ONNXOperator("Round")
        case .sigmoid: ONNXOperator("Sigmoid")
        case .softplus: ONNXOperator("Softplus")
        case .relu: ONNXOperator("Relu")
        case .gelu: ONNXOperator("Gelu")
        case .geluTanh: ONNXOperator("Gelu", [ONNXAttribute("approximate", .string(Array("tanh".utf8)))])
        case .mish: ONNXOperator("Mish")
        case .elu1: ONNXOperator("Elu")
        case .selu: ONNXOperator("Selu")
        case .hardSigmoid:
            numbers.says([1 / 6]) ? ONNXOperator("HardSigmoid", [ONNXAttribute("alpha", .float(1 / 6)), ONNXAttribute("beta", .float(0.5))]) : nil
        case .hardSwish: ONNXOperator("HardSwish")
        case .softsign: ONNXOperator("Softsign")
        case .square, .expm1, .log2, .log10, .log1p, .erfc, .trunc, .logSigmoid, .silu, .geluSigmoid, .relu6, .relu2, .tanhShrink, .lisht, .logcosh,
            .gaussian, .sinc, .squareplus4, .bentIdentity, .serf, .tanhexp, .sigmoidD, .logSigmoidD, .softplusD, .tanhD, .siluD, .geluD, .geluTanhD,
            .geluSigmoidD, .mishD, .elu1D, .seluD, .reluD, .relu6D, .relu2D, .hardSigmoidD, .hardSwishD, .softsignD, .tanhShrinkD, .arctanD, .erfD,
            .lishtD, .logcoshD, .gaussianD, .sincD, .squareplus4D, .bentIdentityD, .serfD, .tanhexpD:
            nil
        }
    }
}

extension BinaryOperation {
    /// The operator, or what is to be written in its place.
    private enum Form {
        case plain(String)
        case quotientRoundedDown, remainder
        /// With a number as its second operand.
        case attribute(String, String)
        case composed
    }

    private var form: Form {
        switch self {
        case .add: .plain("Add")
        case .sub: .plain("Sub")
        case .mul: .plain("Mul")
        case .div: .plain("Div")
        case .pow: .plain("Pow")
        case .min: .plain("Min")
        case .max: .plain("Max")
        case .floordiv: .quotientRoundedDown
        case .mod: .remainder
        case .leaky: .attribute("LeakyRelu", "alpha")
        case .elu: .attribute("Elu", "alpha")
        case .celu: .attribute("Celu", "alpha")
        case .atan2, .hypot, .copysign, .leakyD, .eluD, .celuD, .softplusBeta, .softplusBetaD, .siluBeta, .siluBetaD, .squareplus, .squareplusD, .isru,
            .isruD, .snake, .snakeD, .siren, .sirenD:
            .composed
        }
    }

    /// - Parameter p: The second operand, where it is one number.
    func onnx(_ x: String, _ y: String, number p: Double?, _ numbers: ElementType, _ list: inout NodeList) -> String? {
        switch form {
        case .plain(let name): return list.add(name, [x, y])
        case .quotientRoundedDown: return list.add("Floor", [list.add("Div", [x, y])])
        case .remainder:
            // ONNX's has the sign of x; act's that of y.
            let rest = list.add("Mod", [x, y], [ONNXAttribute("fmod", .int(1))])
            let zero = list.add("Sub", [y, y])
            let differs = list.add("Xor", [list.add("Less", [rest, zero]), list.add("Less", [y, zero])])
            let moves = list.add("And", [differs, list.add("Not", [list.add("Equal", [rest, zero])])])
            return list.add("Where", [moves, list.add("Add", [rest, y]), rest])
        case .attribute(let name, let setting):
            // Celu is for f32 alone.
            guard let p, numbers.says([p]), name != "Celu" || numbers != .f64 else { return nil }
            return list.add(name, [x], [ONNXAttribute(setting, .float(Float(p)))])
        case .composed: return nil
        }
    }

    /// Whether it is an activation function or a slope, which get a name of their own.
    var isNamed: Bool {
        switch self {
        case .atan2, .hypot, .copysign: false
        case .add, .sub, .mul, .div, .pow, .floordiv, .mod, .min, .max, .leaky, .leakyD, .elu, .eluD, .celu, .celuD, .softplusBeta, .softplusBetaD,
            .siluBeta, .siluBetaD, .squareplus, .squareplusD, .isru, .isruD, .snake, .snakeD, .siren, .sirenD:
            true
        }
    }
}

extension CompareOperation {
    var onnx: String {
        switch self {
        case .eq, .ne: "Equal"
        case .lt: "Less"
        case .le: "LessOrEqual"
        case .gt: "Greater"
        case .ge: "GreaterOrEqual"
        }
    }
}

/// Writes formulas as nodes, the same part once.
struct FormulaWriter {
    private var known: [String: String] = [:]
    private let inputs: [String]
    private let numbers: ElementType
    private let constant: (Double, inout NodeList) throws -> String

    /// - Parameter constant: Gives the name of a number.
    init(inputs: [String], _ numbers: ElementType, constant: @escaping (Double, inout NodeList) throws -> String) {
        (self.inputs, self.numbers, self.constant) = (inputs, numbers, constant)
    }

    mutating func write(_ formula: Formula, into list: inout NodeList) throws -> String {
        let constant = constant
        if let number = formula.fixedValue { return try once("\(number.bitPattern)", &list) { try constant(number, &$0) } }
        switch formula {
        case .input(let index): return inputs[index]
        case .result, .number: return try constant(.nan, &list)
        case .unary(let operation, let a):
            guard let form = operation.onnx(numbers) else { return try write((operation.composition ?? .nan).at([a]), into: &list) }
            let x = try write(a, into: &list)
            return once("\(operation) \(x)", &list) { $0.add(form.name, [x], form.attributes) }
        case .binary(let operation, let a, let b):
            let x = try write(a, into: &list), y = try write(b, into: &list)
            if let name = known["\(operation) \(x) \(y)"] { return name }
            let result =
                if let name = operation.onnx(x, y, number: b.fixedValue, numbers, &list) { name } else {
                    try write((operation.composition ?? .nan).at([a, b]), into: &list)
                }
            known["\(operation) \(x) \(y)"] = result
            return result
        case .compare(let operation, let a, let b):
            let x = try write(a, into: &list), y = try write(b, into: &list)
            return once("\(operation) \(x) \(y)", &list) {
                let name = $0.add(operation.onnx, [x, y])
                return operation == .ne ? $0.add("Not", [name]) : name
            }
        case .select(let condition, let a, let b):
            let c = try write(condition, into: &list), x = try write(a, into: &list), y = try write(b, into: &list)
            return once("where \(c) \(x) \(y)", &list) { $0.add("Where", [c, x, y]) }
        }
    }

    private mutating func once(_ key: String, _ list: inout NodeList, _ make: (inout NodeList) throws -> String) rethrows -> String {
        if let name = known[key] { return name }
        let name = try make(&list)
        known[key] = name
        return name
    }
}

// MARK: - In a graph

extension GraphWriter {
    func unary(_ operation: UnaryOperation, _ x: Tensor) throws -> Tensor {
        if let form = operation.onnx(numbers) { return map(form.name, [x], form.attributes) }
        guard let composition = operation.composition else { return x }
        if operation.rawValue < UnaryOperation.sigmoid.rawValue { return try inline(composition, [x], sizes: x.sizes) }
        return try call(operation.kernelName, composition, [("x", x)], sizes: x.sizes)
    }

    /// - Parameters:
    ///   - p: The second operand, where it is one number.
    ///   - sizes: The result's.
    func binary(_ operation: BinaryOperation, _ x: Tensor, _ y: Tensor, number p: Double?, sizes: [GraphSize]) throws -> Tensor {
        if let name = operation.onnx(x.name, y.name, number: p, numbers, &list) { return Tensor(name: name, sizes: sizes, isBool: false) }
        let composition = operation.composition ?? .nan
        if !operation.isNamed { return try inline(composition, [x, y], sizes: sizes) }
        // Slopes learned one a channel: the same, with an array.
        if operation == .leaky, sizes == x.sizes { return add("PRelu", [x, y], sizes: sizes) }
        return try call(operation.kernelName, composition, [("x", x), ("p", y)], sizes: sizes)
    }

    /// A formula's nodes, here.
    private func inline(_ formula: Formula, _ inputs: [Tensor], sizes: [GraphSize]) throws -> Tensor {
        var known: [UInt64: String] = [:]
        // Constants are made before: they are the graph's.
        for number in formula.numbers(numbers) { known[number.bitPattern] = try self.number(number).name }
        var writer = FormulaWriter(inputs: inputs.map(\.name), numbers) { number, list in
            known[number.bitPattern] ?? GraphWriter.constant(number, .float, &list)
        }
        return Tensor(name: try writer.write(formula, into: &list), sizes: sizes, isBool: false)
    }

    /// A call of the model's function of this name, which is made where it is not there.
    private func call(_ name: String, _ formula: Formula, _ inputs: [(name: String, value: Tensor)], sizes: [GraphSize]) throws -> Tensor {
        let type = type(isBool: false)
        try define(name, inputs: inputs.map(\.name)) { list in
            var writer = FormulaWriter(inputs: inputs.map(\.name), numbers) { number, list in GraphWriter.constant(number, type, &list) }
            return try writer.write(formula, into: &list)
        }
        return add(name, inputs.map(\.value), sizes: sizes, domain: GraphWriter.domain)
    }

    fileprivate static func constant(_ number: Double, _ type: ONNXElementType, _ list: inout NodeList) -> String {
        let bits = type == .double ? number.bitPattern : UInt64(Float(number).bitPattern)
        let bytes = (0..<(type == .double ? 8 : 4)).map { UInt8(truncatingIfNeeded: bits >> ($0 * 8)) }
        return list.add("Constant", [], [ONNXAttribute("value", .tensor(ONNXTensor(name: "", type: type, shape: [], bytes: bytes)))])
    }

    // MARK: Rows

    /// An activation function of its parameters, all of them: numbers, or values of the graph.
    func row(_ row: ActivationRow, _ x: Tensor, _ parameters: [(number: Double?, value: Tensor?)], sizes: [GraphSize]) throws -> Tensor {
        let numbers = parameters.compactMap(\.number)
        if numbers.count == parameters.count, let form = row.onnx(numbers, self.numbers) {
            return map(form.name, [x] + (try form.inputs.map(number)), form.attributes)
        }
        guard case .elementwise(let body) = row.body else { return try along(row, x, numbers) }
        if numbers.count == parameters.count, numbers == row.defaults, let kernel = row.kernel { return try unary(kernel, x) }
        let values = try parameters.map { parameter in try parameter.number.map { try number($0) } ?? parameter.value ?? number(.nan) }
        let formula = row.definition ?? body.value
        switch formula {
        case .input(0): return x
        case .unary(let operation, .input(0)): return try unary(operation, x)
        case .binary(let operation, .input(0), .input(1)): return try binary(operation, x, values[0], number: parameters[0].number, sizes: sizes)
        default: return try call(row.name, formula, [("x", x)] + zip(row.parameters.map(\.name), values).map { ($0, $1) }, sizes: sizes)
        }
    }

    /// A row along an axis.
    private func along(_ row: ActivationRow, _ x: Tensor, _ settings: [Double]) throws -> Tensor {
        guard let position = settings.first.flatMap({ Int(exactly: $0) }), position >= -x.rank, position < x.rank else {
            throw ONNXExportError.noForm(operation: row.name, at: .current)
        }
        let axis = position < 0 ? position + x.rank : position
        let attribute = ONNXAttribute("axis", .int(Int64(axis))), given = ONNXAttribute("axis", .reference("axis")), last = ONNXAttribute("axis", .int(-1))
        var sizes = x.sizes
        /// Two halves, the second through a gate.
        func gate(_ gate: ((inout NodeList, String) -> String)?) {
            sizes[axis] = GraphSize(fixed: sizes[axis].fixed / 2, open: sizes[axis].open / 2)
            define(row.name, inputs: ["x"], defaults: [last]) { list in
                let halves = list.add("Split", ["x"], [given, ONNXAttribute("num_outputs", .int(2))], hints: ["a", "b"])
                return list.add("Mul", [halves[0], gate?(&list, halves[1]) ?? halves[1]])
            }
        }
        switch row.name {
        case "softmin":
            define(row.name, inputs: ["x"], defaults: [last]) { list in list.add("Softmax", [list.add("Neg", ["x"])], [given]) }
        case "sparsemax": define(row.name, inputs: ["x"], defaults: [last]) { GraphWriter.sparsemax(given, type(isBool: false), &$0) }
        case "glu": gate { $0.add("Sigmoid", [$1]) }
        case "reglu": gate { $0.add("Relu", [$1]) }
        case "geglu": gate { $0.add("Gelu", [$1]) }
        case "swiglu": gate { $0.add("Mul", [$1, $0.add("Sigmoid", [$1])]) }
        case "bilinear": gate(nil)
        case "crelu":
            sizes[axis] = sizes[axis] * 2
            define(row.name, inputs: ["x"], defaults: [last]) { list in
                list.add("Concat", [list.add("Relu", ["x"]), list.add("Relu", [list.add("Neg", ["x"])])], [given])
            }
        default: throw ONNXExportError.noForm(operation: row.name, at: .current)
        }
        return add(row.name, [x], [attribute], sizes: sizes, domain: GraphWriter.domain)
    }

    /// max(x − τ, 0), τ from the elements in descending order. A. Martins, R. Astudillo 2016.
    private static func sparsemax(_ axis: ONNXAttribute, _ type: ONNXElementType, _ list: inout NodeList) -> String {
        let place = list.add("Constant", [], [ONNXAttribute("value_int", .reference(axis.name))])
        let row = list.add("Reshape", [place, list.add("Constant", [], [ONNXAttribute("value_ints", .ints([1]))])])
        let one = constant(1, type, &list)
        let largest = list.add("ReduceMax", ["x", row], [ONNXAttribute("keepdims", .int(1))]), z = list.add("Sub", ["x", largest])
        let count = list.add("Gather", [list.add("Shape", ["x"]), row])
        let sorted = list.add("TopK", [z, count], [axis, ONNXAttribute("largest", .int(1))], hints: ["sorted", "places"])[0]
        let sums = list.add("CumSum", [sorted, place])
        let numbers = list.add("CumSum", [list.add("Add", [list.add("Sub", [sorted, sorted]), one]), place])
        let isIn = list.add("Greater", [list.add("Add", [list.add("Mul", [numbers, sorted]), one]), sums])
        let inside = list.add("Cast", [isIn], [ONNXAttribute("to", .int(Int64(type.rawValue)))])
        func sum(_ values: String, _ list: inout NodeList) -> String { list.add("ReduceSum", [values, row], [ONNXAttribute("keepdims", .int(1))]) }
        let threshold = list.add("Div", [list.add("Sub", [sum(list.add("Mul", [inside, sorted]), &list), one]), sum(inside, &list)])
        return list.add("Relu", [list.add("Sub", [z, threshold])])
    }
}

extension Formula {
    /// Those that `FormulaWriter` asks for: of parts without inputs.
    fileprivate func numbers(_ type: ElementType) -> [Double] {
        if let fixedValue { return [fixedValue] }
        return switch self {
        case .input, .result, .number: []
        case .unary(let operation, let a): operation.onnx(type) == nil ? operation.composition?.at([a]).numbers(type) ?? [] : a.numbers(type)
        case .binary(let operation, let a, let b): a.numbers(type) + b.numbers(type) + (operation.composition?.at([a, b]).numbers(type) ?? [])
        case .compare(_, let a, let b): a.numbers(type) + b.numbers(type)
        case .select(let c, let a, let b): c.numbers(type) + a.numbers(type) + b.numbers(type)
        }
    }
}

extension ActivationRow {
    /// The operator of opset 20 that is this function with these settings, and the numbers that follow x among its inputs; `nil` if none is.
    fileprivate func onnx(_ settings: [Double], _ numbers: ElementType) -> (name: String, inputs: [Double], attributes: [ONNXAttribute])? {
        func with(_ operation: String, _ attributes: (String, Double)...) -> (name: String, inputs: [Double], attributes: [ONNXAttribute]) {
            (operation, [], attributes.map { ONNXAttribute($0, .float(Float($1))) })
        }
        func along(_ operation: String) -> (name: String, inputs: [Double], attributes: [ONNXAttribute])? {
            Int64(exactly: settings[0]).map { (operation, [], [ONNXAttribute("axis", .int($0))]) }
        }
        guard numbers.says(settings) || name == "hard_tanh" else { return nil }
        switch name {
        case "rrelu":
            let mean = (settings[0] + settings[1]) / 2
            return numbers.says([mean]) ? with("LeakyRelu", ("alpha", mean)) : nil
        case "hard_sigmoid": return with("HardSigmoid", ("alpha", settings[0]), ("beta", 0.5))
        case "hard_tanh": return ("Clip", settings, [])
        case "relu6": return ("Clip", [0, 6], [])
        case "trelu": return settings[0] >= 0 ? with("ThresholdedRelu", ("alpha", settings[0])) : nil
        case "hard_shrink": return with("Shrink", ("lambd", settings[0]), ("bias", 0))
        case "soft_shrink": return with("Shrink", ("lambd", settings[0]), ("bias", settings[0]))
        case "softmax": return along("Softmax")
        case "log_softmax": return along("LogSoftmax")
        case "hardmax": return along("Hardmax")
        default: return nil
        }
    }
}

extension LogicalOperation {
    var onnx: String {
        switch self {
        case .and: "And"
        case .or: "Or"
        case .xor: "Xor"
        case .not: "Not"
        }
    }
}
