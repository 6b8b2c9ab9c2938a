// What the body of a built-in sees: its arguments in the order of its parameters, with readers that say what is wrong with them.

import ActArray
import ActGrad
import ActMachine
import ActRows

package struct Call {
    package let machine: Machine
    let function: BuiltinFunction
    /// The arguments as they were given, without a copy where all came by position: those of parameters first, then those of the variadic one.
    private var given: [Value] = []
    /// How many of `given` are of parameters.
    private var boundCount = 0
    /// Named arguments beyond the parameters, for rows that take options.
    private(set) var options: [(name: String, value: Value)] = []

    var row: Builtin { function.row }
    var form: Builtin.Form { function.form }

    init(machine: Machine, function: BuiltinFunction) {
        self.machine = machine
        self.function = function
    }

    /// The argument of a parameter; `.undefined` where none was given.
    @inline(__always)
    package func value(at index: Int) -> Value { index < boundCount ? given[index] : .undefined }

    @inline(__always)
    func value<T>(_ argument: Input<T>) -> Value { value(at: argument.index) }

    /// All arguments that were given, those of the variadic parameter last.
    var values: [Value] { given }
    /// Of the variadic parameter.
    var rest: [Value] { Array(given[boundCount...]) }
    var restCount: Int { given.count - boundCount }

    mutating func bind(_ arguments: Arguments, _ form: Builtin.Form) throws {
        let count = arguments.positional.count
        if arguments.named.isEmpty, count >= form.requiredCount, form.variadic != nil || count <= form.parameters.count {
            given = arguments.positional
            boundCount = min(count, form.variadic ?? count)
        } else {
            try bindOneByOne(arguments, form)
        }
    }

    @inline(never)
    private mutating func bindOneByOne(_ arguments: Arguments, _ form: Builtin.Form) throws {
        let parameters = form.parameters, byPosition = form.variadic ?? parameters.count
        guard form.variadic != nil || arguments.positional.count <= parameters.count else {
            throw RuntimeError.tooManyArguments(of: Native(function), given: arguments.positional.count)
        }
        given = Array(arguments.positional.prefix(byPosition))
        given += repeatElement(.undefined, count: parameters.count - given.count)
        given += arguments.positional.dropFirst(byPosition)
        boundCount = parameters.count
        for (name, value) in arguments.named {
            guard let index = parameters.firstIndex(where: { $0.name == name && !$0.isVariadic }) else {
                guard !form.options.isEmpty else { throw RuntimeError.unknownArgument(name, of: Native(function)) }
                options.append((name, value))
                continue
            }
            guard case .undefined = given[index] else { throw RuntimeError.argumentTwice(name, of: row.name) }
            given[index] = value
        }
        for index in parameters.indices where parameters[index].fallback == nil && index != form.variadic {
            if case .undefined = given[index] { throw RuntimeError.missingArgument(parameters[index].name, of: row.name) }
        }
    }

    /// The source text of each argument, by position then by name; plots name their series so.
    var argumentTexts: [String] { machine.argumentTexts() }

    /// A result that `input` changes in jumps.
    /// - Parameters:
    ///   - axis: Along which it is found; none is that of the flattened array.
    ///   - settings: What decides about it besides.
    func positions(of input: NDArray, _ result: NDArray, axis: Int? = nil, _ settings: [Attribute] = []) throws -> Value {
        if !input.isTraced { return try Value(result) }
        let place = try axis.map { [Attribute("axis", try Shapes.axis($0, rank: input.rank))] } ?? []
        return try Value(NotDifferentiable.result(result, of: row.name, inputs: [input], .steps, attributes: place + settings))
    }
}

// MARK: - Whether an argument is there, and what is wrong with it

extension Call {
    func has<T>(_ argument: Input<T>) -> Bool { isSet(at: argument.index) }

    func isSet(at index: Int) -> Bool {
        if case .undefined = value(at: index) { return false }
        return true
    }

    /// Given, and not none.
    func isGiven<T>(_ argument: Input<T>) -> Bool { isGiven(at: argument.index) }

    func isGiven(at index: Int) -> Bool {
        switch value(at: index) {
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
        .badArgument(of: row.name, name: form.parameters[index].name, index: index, expected: expected, found: found ?? value(at: index))
    }
}

// MARK: - Reading arguments as what their parameters take

extension Call {
    /// The value as it is; `.undefined` where none was given and the parameter has no value for that.
    subscript(_ argument: Input<Value>) -> Value {
        if let fallback = argument.fallback, !isGiven(argument) { return fallback }
        return value(argument)
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
            switch value(argument) {
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
            guard case .function(let function) = value(argument) else { throw fail(argument) }
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
            if restCount == 1 { return try shape(given[boundCount], at: argument.index) }
            return try given[boundCount...].map {
                guard case .number(let number) = $0 else { throw fail(argument, .wholes(most: nil), $0) }
                return try dimension(number, at: argument.index)
            }
        }
    }
}
