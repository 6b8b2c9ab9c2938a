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

    func cannot(_ reason: Message, help: Message? = nil) -> RuntimeError { .cannot(reason, help: help) }

    /// A result that `input` changes in jumps.
    func positions(of input: NDArray, _ result: NDArray) throws -> Value {
        try Value(NotDifferentiable.result(result, of: row.name, inputs: [input], .steps))
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
    func fail<T>(_ argument: Input<T>, _ expected: String? = nil, _ found: Value? = nil) -> RuntimeError {
        fail(at: argument.index, expected ?? form.parameters[argument.index].expected, found)
    }

    func missing<T>(_ argument: Input<T>) -> RuntimeError { .missingArgument(form.parameters[argument.index].name, of: row.name) }

    func fail(at index: Int, _ expected: String, _ found: Value? = nil) -> RuntimeError {
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
                guard case .number(let number) = $0 else { throw fail(argument, "whole numbers", $0) }
                return try dimension(number, at: argument.index)
            }
        }
    }
}

// MARK: - Reading arguments in one of several ways

extension Call {
    func number<T>(_ argument: Input<T>) throws -> Double { try number(values[argument.index], at: argument.index) }

    /// - Parameter index: The parameter that the value came by.
    func number(_ value: Value, at index: Int) throws -> Double {
        switch value {
        case .number(let number): return number
        case .bool(let bool): return bool ? 1 : 0
        case .array(let array) where array.count == 1: return try array.item()
        default: throw fail(at: index, "a number")
        }
    }

    /// A number that a derivative may follow.
    func scalar<T>(_ argument: Input<T>) throws -> Operand { try scalar(at: argument.index) }

    func scalar(_ argument: Input<Double>) throws -> Operand {
        if let fallback = argument.fallback, !isGiven(argument) { return .number(fallback) }
        return try scalar(at: argument.index)
    }

    func scalar(at index: Int) throws -> Operand {
        if case .array(let array) = values[index], array.isTraced, array.count == 1 { return .array(try array.reshaped(to: [])) }
        return .number(try number(values[index], at: index))
    }

    func whole<T>(_ argument: Input<T>) throws -> Int { try whole(values[argument.index], argument) }

    func whole<T>(_ value: Value, _ argument: Input<T>) throws -> Int {
        let number = try number(value, at: argument.index)
        guard number.magnitude < 9e15, number == number.rounded(.towardZero) else { throw fail(argument, "a whole number") }
        return Int(number)
    }

    private func bounded<T>(_ number: Double, _ argument: Input<T>) throws -> Double {
        if let bounds = argument.bounds, !bounds.contains(number) { throw fail(argument, bounds.text) }
        return number
    }

    private func bounded<T>(_ number: Int, _ argument: Input<T>) throws -> Int {
        if let bounds = argument.bounds, !bounds.contains(Double(number)) { throw fail(argument, bounds.text) }
        return number
    }

    private func flag<T>(_ argument: Input<T>) throws -> Bool {
        switch values[argument.index] {
        case .bool(let bool): return bool
        case .number(0): return false
        case .number(1): return true
        default: throw fail(argument, "true or false")
        }
    }

    func string<T>(_ argument: Input<T>) throws -> String {
        guard case .string(let text) = values[argument.index] else { throw fail(argument, "a string") }
        return text.string
    }

    /// An array: numbers and bools become arrays of rank 0, lists of numbers arrays.
    func array<T>(_ argument: Input<T>) throws -> NDArray { try array(values[argument.index], at: argument.index) }

    /// - Parameter index: The parameter that the value came by.
    func array(_ value: Value, at index: Int) throws -> NDArray {
        switch value {
        case .array(let array): return array
        case .number(let number): return try NDArray.scalar(number, type: .f64)
        case .bool(let bool): return try NDArray(bools: [bool], shape: [])
        case .list(let list):
            guard case .array(let array) = try machine.makeArray(list.elements) else { throw fail(at: index, "an array or a number", value) }
            return array
        default: throw fail(at: index, "an array or a number", value)
        }
    }

    func array<T>(_ value: Value, _ argument: Input<T>) throws -> NDArray { try array(value, at: argument.index) }

    /// An array in which a bool counts as 0 or 1.
    func numbers<T>(_ argument: Input<T>) throws -> NDArray {
        let array = try array(argument)
        return array.type == .bool ? try array.converted(to: .f64) : array
    }

    /// An array of rank 1 at least; a number has one element.
    func vector<T>(_ argument: Input<T>) throws -> NDArray {
        let array = try array(argument)
        return array.rank == 0 ? try array.reshaped(to: [1]) : array
    }

    func operand<T>(_ argument: Input<T>) throws -> Operand { try operand(values[argument.index], at: argument.index) }

    func operand(_ value: Value, at index: Int) throws -> Operand {
        switch value {
        case .number(let number): .number(number)
        case .bool(let bool): .number(bool ? 1 : 0)
        default: .array(try array(value, at: index))
        }
    }

    /// A shape: a number, or an array or list of numbers.
    func shape<T>(_ argument: Input<T>) throws -> [Int] { try shape(values[argument.index], at: argument.index) }

    func shape(_ value: Value, at index: Int) throws -> [Int] {
        // More would be looked at in vain.
        let count = switch value {
        case .list(let list): list.elements.count
        case .array(let array): array.count
        default: 1
        }
        guard count <= Shapes.rankLimit else { throw fail(at: index, "at most \(Shapes.rankLimit) whole numbers", value) }
        switch value {
        case .number(let number): return [try dimension(number, at: index)]
        case .list(let list):
            return try list.elements.map {
                guard case .number(let number) = $0 else { throw fail(at: index, "whole numbers", $0) }
                return try dimension(number, at: index)
            }
        case .array(let array) where array.rank <= 1: return try array.toDoubles().map { try dimension($0, at: index) }
        default: throw fail(at: index, "a shape such as (2, 3)", value)
        }
    }

    private func axes<T>(_ argument: Input<T>) throws -> [Int]? {
        if case .string = values[argument.index] { throw fail(argument) }
        return isGiven(argument) ? try shape(argument) : nil
    }

    private func dimension(_ number: Double, at index: Int) throws -> Int {
        guard number.magnitude < 9e15, number == number.rounded(.towardZero) else { throw fail(at: index, "whole numbers", .number(number)) }
        return Int(number)
    }

    func elements<T>(_ argument: Input<T>) throws -> [Value] {
        guard let elements = try machine.elements(of: values[argument.index]) else { throw fail(argument, "something with elements") }
        return elements
    }

    /// Calls `body` with the elements one after the other.
    func forEach(_ argument: Input<Reading.Elements>, _ body: (Value) throws -> Void) throws {
        guard try machine.forEachElement(of: values[argument.index], body) else { throw fail(argument, "something with elements") }
    }

    private func elementType<T>(_ argument: Input<T>) throws -> ElementType {
        let name: String? = switch values[argument.index] {
        case .string(let text): text.string
        case .function(let function): function.name
        default: nil
        }
        guard let type = ElementType.allCases.first(where: { $0.name == name }) else { throw fail(argument) }
        return type
    }
}
