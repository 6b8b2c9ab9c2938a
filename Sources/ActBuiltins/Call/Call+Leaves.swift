// Functions of records, networks and lists of unequal arrays: of each number and array in them, or of all of them in a row.

import ActArray
import ActMachine
import ActRows

extension Call {
    /// Whether the call is about the numbers and arrays in structures instead of about its arguments as they are.
    func goesIntoStructures() throws -> Bool {
        switch row.leaves {
        case .none: false
        case .each where !isReducing: try holdsStructure()
        case .each, .all, .allWithBools: try isStructure(value(at: 0))
        }
    }

    /// Whether an argument is a record, a network, or a list that makes no array.
    func holdsStructure() throws -> Bool {
        for value in values where try isStructure(value) { return true }
        return false
    }

    @inline(__always)
    private func isStructure(_ value: Value) throws -> Bool {
        switch value {
        case .list, .record, .function: try holdsLeaves(value)
        default: false
        }
    }

    @inline(never)
    private func holdsLeaves(_ value: Value) throws -> Bool {
        guard case .list(let list) = value else { return try value.isStructure }
        var shape: [Int]?
        for element in list.elements {
            switch element {
            case .number, .bool:
                guard shape ?? [] == [] else { return true }
                shape = []
            case .array(let array):
                guard shape ?? array.shape == array.shape else { return true }
                shape = array.shape
            case .string: break
            default: return true
            }
        }
        return false
    }

    /// The function of each of the leaves, or of all of them in a row.
    @inline(never)
    func overLeaves(_ arguments: Arguments, of callee: Function) throws -> Value {
        let machine = machine
        if row.leaves == .each, !isReducing {
            return try Value.leafwise(arguments.positional + arguments.named.map(\.value)) { parts in
                let named = zip(arguments.named, parts.dropFirst(arguments.positional.count)).map { ($0.name, $1) }
                return try machine.call(callee, Arguments(Array(parts.prefix(arguments.positional.count)), named: named))
            }
        }
        if arguments.positional.count + arguments.named.count > 1, let axis = form.parameters.firstIndex(where: { $0.name == "axis" }), isGiven(at: axis) {
            throw BuiltinRefusal.axisOfStructure(value(at: 0), row.name)
        }
        var leaves = Leaves()
        try value(at: 0).gatherLeaves(into: &leaves, bools: row.leaves == .allWithBools)
        guard !leaves.arrays.isEmpty else { throw BuiltinRefusal.noNumbers(value(at: 0), row.name) }
        let numbers = try leaves.joined()
        var flat = arguments
        if flat.positional.isEmpty { flat.named[0].value = .array(numbers) } else { flat.positional[0] = .array(numbers) }
        return try machine.call(callee, flat)
    }

    /// `max` and its like are of each leaf when there are several arguments, of all when there is one: whether there is one.
    private var isReducing: Bool { form.variadic == 1 && restCount == 0 }
}
