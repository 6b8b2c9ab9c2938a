// What the body of a built-in sees: its arguments in the order of its parameters, with readers that say what is wrong with them.

import ActArray
import ActGrad
import ActMachine
import ActRows

package struct Call {
    package let machine: Machine
    let function: BuiltinFunction
    /// One a parameter; `.undefined` where none was given.
    package private(set) var values: [Value] = []
    /// Of a variadic parameter.
    private(set) var rest: [Value] = []
    /// Named arguments beyond the parameters, for rows that take options.
    private(set) var options: [(name: String, value: Value)] = []

    var row: Builtin { function.row }
    var form: Builtin.Form { function.form }

    init(machine: Machine, function: BuiltinFunction) {
        self.machine = machine
        self.function = function
    }

    mutating func bind(_ arguments: Arguments, _ form: Builtin.Form) throws {
        let parameters = form.parameters
        let variadic = form.variadic
        if variadic == nil, arguments.named.isEmpty, arguments.positional.count == parameters.count {
            values = arguments.positional
            return
        }
        values = Array(repeating: .undefined, count: parameters.count)
        var position = 0
        for value in arguments.positional {
            if position == variadic {
                rest.append(value)
            } else if position < parameters.count {
                values[position] = value
                position += 1
            } else {
                throw RuntimeError.tooManyArguments(of: Native(function), given: arguments.positional.count)
            }
        }
        for (name, value) in arguments.named {
            guard let index = parameters.firstIndex(where: { $0.name == name && !$0.isVariadic }) else {
                guard !form.options.isEmpty else { throw RuntimeError.unknownArgument(name, of: Native(function)) }
                options.append((name, value))
                continue
            }
            guard case .undefined = values[index] else { throw RuntimeError.argumentTwice(name, of: row.name) }
            values[index] = value
        }
        for index in parameters.indices where parameters[index].fallback == nil && index != variadic {
            if case .undefined = values[index] { throw RuntimeError.missingArgument(parameters[index].name, of: row.name) }
        }
    }

    /// The source text of each argument, by position then by name; plots name their series so.
    var argumentTexts: [String] { machine.argumentTexts() }

    /// A result that `input` changes in jumps.
    /// - Parameters:
    ///   - axis: Along which it is found; none is that of the flattened array.
    ///   - settings: What decides about it besides.
    func positions(of input: NDArray, _ result: NDArray, axis: Int? = nil, _ settings: [Attribute] = []) throws -> Value {
        let place = try axis.map { [Attribute("axis", try Shapes.axis($0, rank: input.rank))] } ?? []
        return try Value(NotDifferentiable.result(result, of: row.name, inputs: [input], .steps, attributes: place + settings))
    }
}

// MARK: - Whether an argument is there, and what is wrong with it

extension Call {
    func has<T>(_ argument: Input<T>) -> Bool { isSet(at: argument.index) }

    func isSet(at index: Int) -> Bool {
        if case .undefined = values[index] { return false }
        return true
    }

    /// Given, and not none.
    func isGiven<T>(_ argument: Input<T>) -> Bool { isGiven(at: argument.index) }

    func isGiven(at index: Int) -> Bool {
        switch values[index] {
        case .undefined, .none: false
        default: true
        }
    }

    /// - Parameters:
    ///   - expected: What it must be, where the parameter does not say so itself.
    ///   - found: What it is, where that is a part of the argument.
    @inline(never)
    func fail<T>(_ argument: Input<T>, _ expected: Expectation? = nil, _ found: Value? = nil) -> RuntimeError {
        fail(at: argument.index, expected ?? form.parameters[argument.index].expected, found)
    }

    func missing<T>(_ argument: Input<T>) -> RuntimeError { .missingArgument(form.parameters[argument.index].name, of: row.name) }

    @inline(never)
    func fail(at index: Int, _ expected: Expectation, _ found: Value? = nil) -> RuntimeError {
        .badArgument(of: row.name, name: form.parameters[index].name, index: index, expected: expected, found: found ?? values[index])
    }
}

// MARK: - Reading arguments as what their parameters take

extension Call {
    /// The value as it is; `.undefined` where none was given and the parameter has no value for that.
    subscript(_ argument: Input<Value>) -> Value {
        if let fallback = argument.fallback, !isGiven(argument) { return fallback }
        return values[argument.index]
    }

    subscript(_ argument: Input<Double>) -> Double {
        get throws {
            if let fallback = argument.fallback, !isGiven(argument) { return fallback }
            return try bounded(number(argument), argument)
        }
    }

    subscript(_ argument: Input<Double?>) -> Double? {
        get throws { isGiven(argument) ? try bounded(number(argument), argument) : nil }
    }

    subscript(_ argument: Input<Int>) -> Int {
        get throws {
            if let fallback = argument.fallback, !isGiven(argument) { return fallback }
            return try bounded(whole(argument), argument)
        }
    }

    subscript(_ argument: Input<Int?>) -> Int? {
        get throws {
            switch values[argument.index] {
            case .undefined: argument.fallback ?? nil
            case .none: nil
            default: try bounded(whole(argument), argument)
            }
        }
    }

    subscript(_ argument: Input<Bool>) -> Bool {
        get throws {
            if let fallback = argument.fallback, !isGiven(argument) { return fallback }
            return try flag(argument)
        }
    }

    subscript(_ argument: Input<Bool?>) -> Bool? {
        get throws { isGiven(argument) ? try flag(argument) : nil }
    }

    subscript(_ argument: Input<String>) -> String {
        get throws {
            if let fallback = argument.fallback, !isGiven(argument) { return fallback }
            return try string(argument)
        }
    }

    subscript(_ argument: Input<String?>) -> String? {
        get throws { isGiven(argument) ? try string(argument) : nil }
    }

    subscript<Word: Choice>(_ argument: Input<Word>) -> Word {
        get throws {
            if let fallback = argument.fallback, !isGiven(argument) { return fallback }
            guard let word = Word(rawValue: try string(argument)) else { throw fail(argument) }
            return word
        }
    }

    subscript(_ argument: Input<NDArray>) -> NDArray {
        get throws { try array(argument) }
    }

    subscript(_ argument: Input<NDArray?>) -> NDArray? {
        get throws { isGiven(argument) ? try array(argument) : nil }
    }

    subscript(_ argument: Input<Reading.Numbers>) -> NDArray {
        get throws { try numbers(argument) }
    }

    subscript(_ argument: Input<Reading.Vector>) -> NDArray {
        get throws { try vector(argument) }
    }

    subscript(_ argument: Input<Reading.Vector?>) -> NDArray? {
        get throws { isGiven(argument) ? try vector(argument) : nil }
    }

    subscript(_ argument: Input<Operand>) -> Operand {
        get throws { try operand(argument) }
    }

    subscript(_ argument: Input<Reading.Scalar>) -> Operand {
        get throws {
            if let fallback = argument.fallback, !isGiven(argument) { return .number(fallback.number) }
            return try scalar(argument)
        }
    }

    subscript(_ argument: Input<Function>) -> Function {
        get throws {
            guard case .function(let function) = values[argument.index] else { throw fail(argument) }
            return function
        }
    }

    subscript(_ argument: Input<Reading.Shape>) -> [Int] {
        get throws { try shape(argument) }
    }

    subscript(_ argument: Input<Reading.Shape?>) -> [Int]? {
        get throws { isGiven(argument) ? try shape(argument) : nil }
    }

    subscript(_ argument: Input<Reading.Axes>) -> [Int] {
        get throws { try axes(argument) ?? argument.fallback?.axes ?? [] }
    }

    /// `nil`: all axes.
    subscript(_ argument: Input<Reading.Axes?>) -> [Int]? {
        get throws { try axes(argument) }
    }

    subscript(_ argument: Input<ElementType>) -> ElementType {
        get throws {
            if let fallback = argument.fallback, !isGiven(argument) { return fallback }
            return try elementType(argument)
        }
    }

    subscript(_ argument: Input<ElementType?>) -> ElementType? {
        get throws { isGiven(argument) ? try elementType(argument) : nil }
    }

    subscript(_ argument: Input<Reading.Elements>) -> [Value] {
        get throws { try elements(argument) }
    }

    subscript(_ argument: Input<Reading.Rest>) -> [Value] { rest }

    /// A shape written as separate arguments or as one: `zeros(2, 3)`, `zeros((2, 3))`.
    subscript(_ argument: Input<Reading.Sizes>) -> [Int] {
        get throws {
            if rest.count == 1, let only = rest.first { return try shape(only, at: argument.index) }
            return try rest.map {
                guard case .number(let number) = $0 else { throw fail(argument, .wholes(most: nil), $0) }
                return try dimension(number, at: argument.index)
            }
        }
    }
}
