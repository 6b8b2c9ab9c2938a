// Looking into the values of a recording: their numbers, in order, without what they are made of.

import ActArray
import ActMachine

extension Moment {
    /// Whether a global variable is set here, whole or in part.
    func sets(_ name: String) -> Bool {
        guard !code.isClosure else { return false }
        switch tree[expression] {
        case .assign(let target, _), .update(_, let target, _):
            if case .name(let set) = tree[tree.root(of: target)] { return tree[set] == name }
            return false
        case .name(let set): return tree[set] == name && isUnpacked
        default: return false
        }
    }

    var setsWhole: Bool {
        switch tree[expression] {
        case .assign(let target, _), .update(_, let target, _): if case .name = tree[target] { true } else { false }
        default: true
        }
    }
}

extension Value {
    /// Of numbers and arrays.
    var shape: [Int]? {
        switch self {
        case .number: []
        case .array(let array): array.shape
        default: nil
        }
    }

    var isDerivative: Bool {
        if case .function(let function) = self { return function is DerivedFunction || function is GradientFunction }
        return false
    }

    func element(_ index: Int) throws -> Double? {
        switch self {
        case .number(let number): return number
        case .array(let array):
            guard index >= 0, index < array.count else { return nil }
            return try array.detached().reshaped(to: [array.count]).element(at: index)
        default: return nil
        }
    }

    /// The first element that fulfils the condition; in lists and records without its position.
    func first(_ condition: (Double) -> Bool) throws -> (element: Int?, Void)? {
        // A list may hold another many times over.
        var seen: Set<ObjectIdentifier> = []
        return try first(condition, &seen)
    }

    func first(_ condition: (Double) -> Bool, _ seen: inout Set<ObjectIdentifier>) throws -> (element: Int?, Void)? {
        switch self {
        case .number(let number): return condition(number) ? (0, ()) : nil
        case .array(let array):
            if array.type == .bool { return nil }
            return try array.toDoubles().firstIndex(where: condition).map { ($0, ()) }
        case .list(let list):
            guard seen.insert(ObjectIdentifier(list)).inserted else { return nil }
            for element in list.elements where try element.first(condition, &seen) != nil { return (nil, ()) }
            return nil
        case .record(let record):
            guard seen.insert(ObjectIdentifier(record)).inserted else { return nil }
            for value in record.fields.values where try value.first(condition, &seen) != nil { return (nil, ()) }
            return nil
        default: return nil
        }
    }
}
