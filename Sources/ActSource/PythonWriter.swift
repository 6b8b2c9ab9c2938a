// What all parts of a module share: functions that it defines, arrays that it reads from the file of weights, formulas as expressions.
//
// What must stay true: a name stands for one thing; what an operation is called is `Dialect.swift`'s.

import ActArray
import ActGrad
import ActNetwork

final class PythonWriter {
    let framework: SourceFramework
    /// What the module defines before the model, in order.
    private(set) var definitions: [(name: String, lines: [String])] = []
    /// Arrays that are not parameters.
    private(set) var constants: [(name: String, array: NDArray)] = []
    var kept: [NDArray] = []
    /// Names of arrays that functions read of the program.
    private let names: [ObjectIdentifier: String]

    init(_ framework: SourceFramework, names: [(name: String, array: NDArray)] = []) {
        self.framework = framework
        self.names = Dictionary(names.map { ($0.array.identity, $0.name) }, uniquingKeysWith: { first, _ in first })
        kept = names.map(\.array)
    }

    // MARK: Definitions

    /// Defines a function or a class, unless it is there.
    @inline(never)
    func define(_ name: String, _ lines: () throws -> [String]) rethrows {
        if definitions.contains(where: { $0.name == name }) { return }
        let lines = try lines()
        // What it needs has been defined meanwhile, before it.
        definitions.append((name, lines))
    }

    /// A name that nothing in the module has: `Attention`, or with a number behind it.
    func fresh(_ name: String) -> String {
        let name = PythonWriter.identifier(name)
        var result = name, number = 2
        while definitions.contains(where: { $0.name == result }) {
            result = "\(name)\(number)"
            number += 1
        }
        return result
    }

    /// A name of the program as one of the module, whose own names it must not take.
    static func identifier(_ name: String) -> String {
        let isCounted = name.hasPrefix("t") && name.dropFirst().allSatisfy(\.isNumber), isOwn = reserved.contains(name) || name.hasPrefix("step_")
        return isCounted || isOwn ? name + "_" : name
    }

    static let keywords: Set<String> = words(
        """
        False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda
        nonlocal not or pass
        raise return try while with yield
        """)

    /// A set of names that a text lists.
    static func words(_ text: String) -> Set<String> { Set(text.split { $0 == " " || $0 == "\n" }.map(String.init)) }

    /// Words of Python, what modules import and define, and the functions that stand for kernels and rows.
    private static let reserved: Set<String> = keywords.union(
        words(
            """
            match case type print float sum super list os np torch nn F jax jnp keras ops load_file here weights model check n self
            Function Residual Embedding recurrent gates gru lstm RNN GRU LSTM RNNLast GRULast LSTMLast
            """)
    ).union(
        UnaryOperation.allCases.map(\.kernelName) + BinaryOperation.allCases.map(\.kernelName) + Activations.all.map(\.name))

    /// Takes an array into the file of weights.
    /// - Returns: Its name there.
    func store(_ array: NDArray) -> String {
        if let known = constants.first(where: { $0.array.identity == array.identity }) { return known.name }
        var name = names[array.identity] ?? "c\(constants.count)"
        while constants.contains(where: { $0.name == name }) { name += "_" }
        constants.append((name, array))
        return name
    }

    /// How the module refers to an array of the file of weights.
    @inline(never)
    static func weight(_ name: String) -> String { "weights[\(quoted(name))]" }

    /// A text on one line, as comments and docstrings hold it.
    static func comment(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isPlain($0) ? $0 == "\"" ? "'" : $0 == "\\" ? "/" : $0 : " " }))
    }

    /// A text in quotes. Names may come from a model of a stranger: nothing in them ends the quotes.
    @inline(never)
    static func quoted(_ text: String) -> String {
        let inner = text.unicodeScalars.map { scalar -> String in
            if scalar == "\"" || scalar == "\\" { return "\\\(scalar)" }
            if isPlain(scalar) { return String(scalar) }
            let digits = String(scalar.value, radix: 16)
            return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
        }
        return "\"\(inner.joined())\""
    }

    /// Nothing that ends a line or that Python does not read.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    // MARK: Elementwise functions

    func unary(_ operation: UnaryOperation, _ x: Python) -> Python {
        switch operation {
        case .neg: return -x
        case .reciprocal: return Python("1", .atom) / x
        case .gelu where framework == .jax: return .call("jax.nn.gelu", x, Python("approximate=False"))
        case .gelu where framework == .keras: return .call("ops.gelu", x, Python("approximate=False"))
        case .geluTanh:
            return framework == .torch ? .call("F.gelu", x, Python("approximate=\"tanh\"")) : .call(framework == .jax ? "jax.nn.gelu" : "ops.gelu", x)
        default: break
        }
        if let name = framework.name(of: operation) { return .call(name, x) }
        guard let composition = operation.composition else { return x }
        return call(operation.kernelName, composition, ["x"], [x])
    }

    func binary(_ operation: BinaryOperation, _ a: Python, _ b: Python, isNumber: (Bool, Bool)) -> Python {
        if let result = framework.binary(operation, a, b, isNumber: isNumber) { return result }
        return call(operation.kernelName, operation.composition ?? .nan, ["x", "p"], [a, b])
    }

    /// A call of the module's function that is this formula.
    func call(_ name: String, _ formula: Formula, _ names: [String], _ arguments: [Python]) -> Python {
        let names = names.map(PythonWriter.identifier)
        define(name) { ["def \(name)(\(names.joined(separator: ", "))):", "    return \(text(formula, names.map { Python($0) }).text)"] }
        // PyTorch's functions take arrays alone.
        return .call(name, arguments.map { framework == .torch && $0.isNumber ? .call("torch.tensor", $0) : $0 })
    }

    func text(_ formula: Formula, _ inputs: [Python]) -> Python {
        if let number = formula.fixedValue { return .number(number) }
        switch formula {
        case .input(let index): return inputs.indices.contains(index) ? inputs[index] : .number(.nan)
        case .result: return .number(.nan)
        case .number(let number): return .number(number)
        case .unary(let operation, let a): return unary(operation, text(a, inputs))
        case .binary(let operation, let a, let b):
            return binary(operation, text(a, inputs), text(b, inputs), isNumber: (a.isScalar, b.isScalar))
        case .compare(let operation, let a, let b): return framework.compare(operation, text(a, inputs), text(b, inputs))
        case .select(let condition, let a, let b): return framework.select(text(condition, inputs), text(a, inputs), text(b, inputs))
        }
    }

    /// An activation function of its parameters, all of them.
    /// - Returns: `nil` for a row that is not a function of single numbers.
    func row(_ row: ActivationRow, _ x: Python, _ parameters: [(text: Python, number: Double?)]) -> Python? {
        guard case .elementwise(let body) = row.body else { return nil }
        let numbers = parameters.compactMap(\.number)
        if numbers == row.defaults, let kernel = row.kernel { return unary(kernel, x) }
        let formula = row.definition ?? body.value
        switch formula {
        case .input(0): return x
        case .unary(let operation, .input(0)): return unary(operation, x)
        case .binary(let operation, .input(0), .input(1)): return binary(operation, x, parameters[0].text, isNumber: (false, parameters[0].number != nil))
        default: return call(row.name, formula, ["x"] + row.parameters.map(\.name), [x] + parameters.map(\.text))
        }
    }
}

extension Formula {
    /// Made of numbers and parameters, which are numbers.
    fileprivate var isScalar: Bool { !hasInput { $0 == 0 } }
}
