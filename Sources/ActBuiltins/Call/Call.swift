// What the body of a built-in sees: its arguments in the order of its parameters, with readers that say what is wrong with them.

import ActArray
import ActGrad
import ActMachine

package struct Call {
    package let machine: Machine
    let function: Function
    let row: Builtin
    /// One a parameter; `.undefined` where none was given.
    private(set) var values: [Value] = []
    /// Of a variadic parameter.
    private(set) var rest: [Value] = []
    /// Named arguments beyond the parameters, for rows that take options.
    private(set) var options: [(name: String, value: Value)] = []

    init(machine: Machine, function: Function, row: Builtin) {
        self.machine = machine
        self.function = function
        self.row = row
    }

    mutating func bind(_ arguments: Arguments) throws {
        let parameters = row.parameters
        let variadic = parameters.firstIndex { $0.isVariadic }
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
                throw RuntimeError.tooManyArguments(of: function, given: arguments.positional.count)
            }
        }
        for (name, value) in arguments.named {
            guard let index = parameters.firstIndex(where: { $0.name == name && !$0.isVariadic }) else {
                guard row.takesOptions else { throw RuntimeError.unknownArgument(name, of: function) }
                options.append((name, value))
                continue
            }
            guard case .undefined = values[index] else { throw RuntimeError.argumentTwice(name, of: row.name) }
            values[index] = value
        }
        for (index, parameter) in parameters.enumerated() where parameter.fallback == nil && !parameter.isVariadic {
            if case .undefined = values[index] { throw RuntimeError.missingArgument(parameter.name, of: row.name) }
        }
    }

    /// The source text of each argument, by position then by name; plots name their series so.
    var argumentTexts: [String] { machine.argumentTexts() }

    // MARK: Readers. `index` counts parameters.

    func has(_ index: Int) -> Bool {
        if case .undefined = values[index] { return false }
        return true
    }

    /// Given, and not none.
    func isGiven(_ index: Int) -> Bool {
        switch values[index] {
        case .undefined, .none: false
        default: true
        }
    }

    func fail(_ index: Int, _ expected: String, _ found: Value? = nil) -> RuntimeError {
        .badArgument(of: row.name, name: row.parameters[index].name, index: index, expected: expected, found: found ?? values[index])
    }

    func number(_ index: Int) throws -> Double {
        switch values[index] {
        case .number(let number): return number
        case .bool(let bool): return bool ? 1 : 0
        case .array(let array) where array.count == 1: return try array.item()
        default: throw fail(index, "a number")
        }
    }

    /// A number that a derivative may follow.
    func followedNumber(_ index: Int) throws -> Operand {
        if case .array(let array) = values[index], array.isTraced, array.count == 1 { return .array(try array.reshaped(to: [])) }
        return .number(try number(index))
    }

    func followedNumber(_ index: Int, default fallback: Double) throws -> Operand { isGiven(index) ? try followedNumber(index) : .number(fallback) }

    func number(_ index: Int, default fallback: Double) throws -> Double { isGiven(index) ? try number(index) : fallback }

    func whole(_ index: Int) throws -> Int {
        let number = try number(index)
        guard number.magnitude < 9e15, number == number.rounded(.towardZero) else { throw fail(index, "a whole number") }
        return Int(number)
    }

    func whole(_ index: Int, default fallback: Int) throws -> Int { isGiven(index) ? try whole(index) : fallback }
    func wholeIfGiven(_ index: Int) throws -> Int? { isGiven(index) ? try whole(index) : nil }

    func bool(_ index: Int, default fallback: Bool) throws -> Bool {
        switch values[index] {
        case .undefined, .none: return fallback
        case .bool(let bool): return bool
        case .number(0): return false
        case .number(1): return true
        default: throw fail(index, "true or false")
        }
    }

    func string(_ index: Int) throws -> String {
        guard case .string(let text) = values[index] else { throw fail(index, "a string") }
        return text.string
    }

    func string(_ index: Int, default fallback: String) throws -> String { isGiven(index) ? try string(index) : fallback }

    func function(_ index: Int) throws -> Function {
        guard case .function(let function) = values[index] else { throw fail(index, "a function") }
        return function
    }

    func record(_ index: Int) throws -> Record {
        guard case .record(let record) = values[index] else { throw fail(index, "a record") }
        return record
    }

    /// An array: numbers and bools become arrays of rank 0, lists of numbers arrays.
    func array(_ index: Int) throws -> NDArray { try array(values[index], index) }

    func array(_ value: Value, _ index: Int) throws -> NDArray {
        switch value {
        case .array(let array): return array
        case .number(let number): return try NDArray.scalar(number, type: .f64)
        case .bool(let bool): return try NDArray(bools: [bool], shape: [])
        case .list(let list):
            guard case .array(let array) = try machine.makeArray(list.elements) else { throw fail(index, "an array or a number", value) }
            return array
        default: throw fail(index, "an array or a number", value)
        }
    }

    /// An array of rank 1 at least; a number has one element.
    func vector(_ index: Int) throws -> NDArray {
        let array = try array(index)
        return array.rank == 0 ? try array.reshaped(to: [1]) : array
    }

    func operand(_ index: Int) throws -> Operand { try operand(values[index], index) }

    func operand(_ value: Value, _ index: Int) throws -> Operand {
        switch value {
        case .number(let number): .number(number)
        case .bool(let bool): .number(bool ? 1 : 0)
        default: .array(try array(value, index))
        }
    }

    /// A shape: a number, or an array or list of numbers.
    func shape(_ index: Int) throws -> [Int] { try shape(values[index], index) }

    func shape(_ value: Value, _ index: Int) throws -> [Int] {
        switch value {
        case .number(let number): return [try dimension(number, index)]
        case .list(let list):
            return try list.elements.map {
                guard case .number(let number) = $0 else { throw fail(index, "whole numbers", $0) }
                return try dimension(number, index)
            }
        case .array(let array) where array.rank <= 1: return try array.toDoubles().map { try dimension($0, index) }
        default: throw fail(index, "a shape such as (2, 3)", value)
        }
    }

    private func dimension(_ number: Double, _ index: Int) throws -> Int {
        guard number.magnitude < 9e15, number == number.rounded(.towardZero) else { throw fail(index, "whole numbers", .number(number)) }
        return Int(number)
    }

    /// A shape written as separate arguments or as one: `zeros(2, 3)`, `zeros((2, 3))`.
    func shapeFromRest(_ index: Int) throws -> [Int] {
        if rest.count == 1, let only = rest.first { return try shape(only, index) }
        return try rest.map {
            guard case .number(let number) = $0 else { throw fail(index, "whole numbers", $0) }
            return try dimension(number, index)
        }
    }

    /// `axis=`: none, a whole number, or several.
    func axes(_ index: Int) throws -> [Int]? {
        if case .string = values[index] { throw fail(index, "a whole number, or a list of them") }
        return isGiven(index) ? try shape(index) : nil
    }

    func elementType(_ index: Int, default fallback: ElementType = .f64) throws -> ElementType {
        switch values[index] {
        case .undefined, .none: return fallback
        case .string(let text):
            guard let type = ElementType.allCases.first(where: { $0.name == text.string }) else { throw fail(index, "\"f64\", \"f32\" or \"bool\"") }
            return type
        case .function(let function):
            guard let type = ElementType.allCases.first(where: { $0.name == function.name }) else { throw fail(index, "\"f64\", \"f32\" or \"bool\"") }
            return type
        default: throw fail(index, "\"f64\", \"f32\" or \"bool\"")
        }
    }

    /// The elements of a list, array, string or record.
    func elements(_ index: Int) throws -> [Value] {
        guard let elements = try machine.elements(of: values[index]) else { throw fail(index, "something with elements") }
        return elements
    }

    func cannot(_ reason: Message, help: Message? = nil) -> RuntimeError { .cannot(reason, help: help) }

    /// A result that `input` changes in jumps.
    func positions(of input: NDArray, _ result: NDArray) throws -> Value {
        try Value(NotDifferentiable.result(result, of: row.name, inputs: [input], .steps))
    }
}
