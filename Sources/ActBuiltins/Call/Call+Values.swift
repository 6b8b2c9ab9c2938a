// Values as what a body needs: numbers, arrays, shapes, text. What does not fit is an error that names the parameter it came by.

import ActArray
import ActGrad
import ActMachine
import ActRows

extension Call {
    func number<T>(_ argument: Input<T>) throws -> Double { try number(value(argument), at: argument.index) }

    /// - Parameter index: The parameter that the value came by.
    func number(_ value: Value, at index: Int) throws -> Double {
        switch value {
        case .number(let number): return number
        case .bool(let bool): return bool ? 1 : 0
        case .array(let array) where array.count == 1: return try array.item()
        default: throw fail(at: index, .kind(.number))
        }
    }

    /// A number that a derivative may follow.
    func scalar<T>(_ argument: Input<T>) throws -> Operand { try scalar(at: argument.index) }

    func scalar(_ argument: Input<Double>) throws -> Operand {
        if let fallback = argument.fallback, !isGiven(argument) { return .number(fallback) }
        return try scalar(at: argument.index)
    }

    func scalar(at index: Int) throws -> Operand {
        if case .array(let array) = value(at: index), array.isTraced, array.count == 1 { return .array(try array.reshaped(to: [])) }
        return .number(try number(value(at: index), at: index))
    }

    func whole<T>(_ argument: Input<T>) throws -> Int { try whole(value(argument), argument) }

    func whole<T>(_ value: Value, _ argument: Input<T>) throws -> Int {
        let number = try number(value, at: argument.index)
        guard number.magnitude < 9e15, number == number.rounded(.towardZero) else { throw fail(argument, .kind(.whole)) }
        return Int(number)
    }

    func bounded<T>(_ number: Double, _ argument: Input<T>) throws -> Double {
        if let bounds = argument.bounds, !bounds.contains(number) { throw fail(argument, .within(bounds)) }
        return number
    }

    func bounded<T>(_ number: Int, _ argument: Input<T>) throws -> Int {
        if let bounds = argument.bounds, !bounds.contains(Double(number)) { throw fail(argument, .within(bounds)) }
        return number
    }

    func flag<T>(_ argument: Input<T>) throws -> Bool {
        switch value(argument) {
        case .bool(let bool): return bool
        case .number(0): return false
        case .number(1): return true
        default: throw fail(argument, .kind(.flag))
        }
    }

    func string<T>(_ argument: Input<T>) throws -> String {
        guard case .string(let text) = value(argument) else { throw fail(argument, .kind(.text)) }
        return text.string
    }

    /// An array: numbers and bools become arrays of rank 0, lists of numbers arrays.
    func array<T>(_ argument: Input<T>) throws -> NDArray { try array(value(argument), at: argument.index) }

    /// - Parameter index: The parameter that the value came by.
    func array(_ value: Value, at index: Int) throws -> NDArray {
        switch value {
        case .array(let array): return array
        case .number(let number): return try NDArray.scalar(number, type: .f64)
        case .bool(let bool): return try NDArray(bools: [bool], shape: [])
        case .list(let list):
            guard case .array(let array) = try machine.makeArray(list.elements) else { throw fail(at: index, .kind(.array), value) }
            return array
        default: throw fail(at: index, .kind(.array), value)
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

    func operand<T>(_ argument: Input<T>) throws -> Operand { try operand(value(argument), at: argument.index) }

    func operand(_ value: Value, at index: Int) throws -> Operand {
        switch value {
        case .number(let number): .number(number)
        case .bool(let bool): .number(bool ? 1 : 0)
        default: .array(try array(value, at: index))
        }
    }

    /// A shape: a number, or an array or list of numbers.
    func shape<T>(_ argument: Input<T>) throws -> [Int] { try shape(value(argument), at: argument.index) }

    func shape(_ value: Value, at index: Int) throws -> [Int] {
        // More would be looked at in vain.
        let count =
            switch value {
            case .list(let list): list.elements.count
            case .array(let array): array.count
            default: 1
            }
        guard count <= Shapes.rankLimit else { throw fail(at: index, .wholes(most: Shapes.rankLimit), value) }
        switch value {
        case .number(let number): return [try dimension(number, at: index)]
        case .list(let list):
            return try list.elements.map {
                guard case .number(let number) = $0 else { throw fail(at: index, .wholes(most: nil), $0) }
                return try dimension(number, at: index)
            }
        case .array(let array) where array.rank <= 1: return try array.toDoubles().map { try dimension($0, at: index) }
        default: throw fail(at: index, .kind(.shape), value)
        }
    }

    func axes<T>(_ argument: Input<T>) throws -> [Int]? {
        if case .string = value(argument) { throw fail(argument) }
        return isGiven(argument) ? try shape(argument) : nil
    }

    func dimension(_ number: Double, at index: Int) throws -> Int {
        guard number.magnitude < 9e15, number == number.rounded(.towardZero) else { throw fail(at: index, .wholes(most: nil), .number(number)) }
        return Int(number)
    }

    func elements<T>(_ argument: Input<T>) throws -> [Value] {
        guard let elements = try machine.elements(of: value(argument)) else { throw fail(argument, .kind(.elements)) }
        return elements
    }

    /// Calls `body` with the elements one after the other.
    func forEach(_ argument: Input<Reading.Elements>, _ body: (Value) throws -> Void) throws {
        guard try machine.forEachElement(of: value(argument), body) else { throw fail(argument, .kind(.elements)) }
    }

    func elementType<T>(_ argument: Input<T>) throws -> ElementType {
        let name: String? =
            switch value(argument) {
            case .string(let text): text.string
            case .function(let function): function.name
            default: nil
            }
        guard let type = ElementType.allCases.first(where: { $0.name == name }) else { throw fail(argument) }
        return type
    }
}
