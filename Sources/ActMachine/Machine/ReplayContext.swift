// What a call reads that may be replayed: what must be as it was, and what makes no difference.
//
// What must stay true: everything that a call may read is a point, varies, or is compared.

import ActArray
import ActReplay

/// What a call reads besides the elements of its points and of arrays that vary, as it was.
struct ReplayContext {
    /// Where the points are: of two derivatives of one function in different arguments each has its own program.
    private let places: [Arguments.Place]
    private let leaves: [(shape: [Int], type: ElementType)]
    private let positional: [Pattern]
    private let named: [(name: String, value: Pattern)]
    private let captures: [Pattern]
    private let globals: [(module: Module, slot: Int, value: Pattern)]
    /// Where other arrays lie each time.
    let varying: [VaryingPlace]

    /// The structure of a point, and every other argument as it is.
    private indirect enum Pattern {
        case leaf
        case list([Pattern])
        case record([(name: String, value: Pattern)])
        case network(String)
        case constant(Value)
        /// An array like this one.
        case varying(shape: [Int], type: ElementType)
    }

    /// - Returns: `nil` where a call of the function may do more than compute of what is noted here.
    init?(_ call: ReplayCall, _ leaves: [NDArray], varying: [VaryingPlace]) {
        guard leaves.allSatisfy({ !$0.isTraced && $0.count <= Reach.mostValues }), varying.count <= Self.mostVarying else { return nil }
        places = call.places
        self.leaves = leaves.map { ($0.shape, $0.type) }
        self.varying = varying
        var reach = Reach()
        var positional: [Pattern] = [], named: [(name: String, value: Pattern)] = []
        for (index, value) in call.arguments.positional.enumerated() {
            guard let pattern = Self.pattern(value, isPoint: call.isPoint(.position(index)), isPlain: call.isPlain, &reach) else { return nil }
            positional.append(pattern)
        }
        for (index, argument) in call.arguments.named.enumerated() {
            guard let pattern = Self.pattern(argument.value, isPoint: call.isPoint(.name(index)), isPlain: call.isPlain, &reach) else { return nil }
            named.append((argument.name, pattern))
        }
        guard reach.add(call.function) else { return nil }
        var captures = call.function.captures.map(Pattern.constant)
        var globals = reach.globals.map { (module: $0.module, slot: $0.slot, value: Pattern.constant($0.module.slots[$0.slot])) }
        for place in varying {
            guard case .array(let array) = place.value(in: call) else { return nil }
            let pattern = Pattern.varying(shape: array.shape, type: array.type)
            switch place {
            case .capture(let index): captures[index] = pattern
            case .argument(.position(let index)): positional[index] = pattern
            case .argument(.name(let index)): named[index].value = pattern
            case .global(let module, let slot):
                for index in globals.indices where globals[index].module === module && globals[index].slot == slot { globals[index].value = pattern }
            }
        }
        (self.positional, self.named, self.captures, self.globals) = (positional, named, captures, globals)
    }

    private static let mostVarying = 64

    /// Whether calls of functions among values, or in them, do nothing but compute.
    static func onlyComputes(_ values: [Value]) -> Bool {
        var reach = Reach()
        reach.mostElements = .max
        return values.allSatisfy { reach.add($0) }
    }

    /// - Returns: Where arrays lie that are other ones of the same shape and type; `nil` where something else is not as it was.
    func changed(in call: ReplayCall, _ leaves: [NDArray]) -> [VaryingPlace]? {
        guard call.places == places, leaves.count == self.leaves.count,
            zip(leaves, self.leaves).allSatisfy({ $0.shape == $1.shape && $0.type == $1.type && !$0.isTraced }),
            call.arguments.positional.count == positional.count, call.arguments.named.count == named.count, call.function.captures.count == captures.count
        else { return nil }
        var changed: [VaryingPlace] = []
        func fits(_ value: Value, _ pattern: Pattern, _ place: @autoclosure () -> VaryingPlace) -> Bool {
            if Self.fits(value, pattern) { return true }
            guard case .constant(.array(let old)) = pattern, case .array(let new) = value, new.shape == old.shape, new.type == old.type, new.type != .bool,
                !new.isTraced, new.count <= ReplayProgram.largestArray
            else { return false }
            changed.append(place())
            return true
        }
        for (index, pattern) in positional.enumerated() {
            guard fits(call.arguments.positional[index], pattern, .argument(.position(index))) else { return nil }
        }
        for (index, argument) in named.enumerated() {
            guard argument.name == call.arguments.named[index].name, fits(call.arguments.named[index].value, argument.value, .argument(.name(index))) else {
                return nil
            }
        }
        for (index, pattern) in captures.enumerated() { guard fits(call.function.captures[index], pattern, .capture(index)) else { return nil } }
        for global in globals { guard fits(global.module.slots[global.slot], global.value, .global(global.module, slot: global.slot)) else { return nil } }
        return changed
    }

    private static func pattern(_ value: Value, isPoint: Bool, isPlain: Bool, _ reach: inout Reach) -> Pattern? {
        guard isPoint else { return reach.add(value) ? .constant(value) : nil }
        switch value {
        case .number where !isPlain: return .leaf
        case .array(let array) where array.type != .bool: return .leaf
        case .list(let list):
            var parts: [Pattern] = []
            for element in list.elements {
                guard let part = pattern(element, isPoint: true, isPlain: isPlain, &reach) else { return nil }
                parts.append(part)
            }
            return .list(parts)
        case .record(let record):
            var parts: [(name: String, value: Pattern)] = []
            for field in record.fields {
                guard let part = pattern(field.value, isPoint: true, isPlain: isPlain, &reach) else { return nil }
                parts.append((field.key, part))
            }
            return .record(parts)
        case .function(let function as Native) where function.parameterArrays != nil && !isPlain: return reach.add(function) ? .network(function.name) : nil
        default: return reach.add(value) ? .constant(value) : nil
        }
    }

    private static func fits(_ value: Value, _ pattern: Pattern) -> Bool {
        switch (pattern, value) {
        case (.leaf, .number): true  // of a derivative: the call of a function with a number in place of an array has fewer leaves
        case (.leaf, .array(let array)): array.type != .bool
        case (.list(let parts), .list(let list)): list.elements.count == parts.count && zip(list.elements, parts).allSatisfy { fits($0, $1) }
        case (.record(let parts), .record(let record)):
            record.fields.count == parts.count && zip(record.fields, parts).allSatisfy { $0.key == $1.name && fits($0.value, $1.value) }
        case (.network(let text), .function(let function as Native)): function.body.isPure && function.name == text
        case (.constant(let known), _): value.isSame(as: known)
        case (.varying(let shape, let type), .array(let array)): array.shape == shape && array.type == type && !array.isTraced
        default: false
        }
    }
}

/// What functions that may run read: their global variables, and what those hold.
private struct Reach {
    static let mostValues = 1 << 14
    /// What is noted is kept as long as its call is.
    var mostElements = 1 << 18

    private(set) var globals: [(module: Module, slot: Int)] = []
    private var known: Set<ObjectIdentifier> = []
    private var values = 0, elements = 0

    /// - Returns: Whether calls of functions in it do nothing but compute.
    mutating func add(_ value: Value) -> Bool {
        values += 1
        guard values <= Self.mostValues else { return false }
        switch value {
        case .none, .bool, .number, .undefined: return true
        case .string(let text): return text.string.utf8.count <= Self.mostValues
        case .array(let array):
            elements += array.count
            return !array.isTraced && elements <= mostElements
        case .list(let list):
            if !known.insert(ObjectIdentifier(list)).inserted { return true }
            for element in list.elements where !add(element) { return false }
            return true
        case .record(let record):
            if !known.insert(ObjectIdentifier(record)).inserted { return true }
            for value in record.fields.values where !add(value) { return false }
            return true
        case .function(let function): return add(function)
        case .figure, .gathering: return false
        }
    }

    mutating func add(_ function: Function) -> Bool {
        if !known.insert(ObjectIdentifier(function)).inserted { return true }
        guard let inside = function.functionsInside else { return false }
        if let closure = function as? Closure, !add(closure.code) { return false }
        for value in function.captures where !add(value) { return false }
        for function in inside where !add(function) { return false }
        return true
    }

    private mutating func add(_ code: Code) -> Bool {
        if !known.insert(ObjectIdentifier(code)).inserted { return true }
        for slot in code.prototype.globalSlots {
            if globals.contains(where: { $0.module === code.module && $0.slot == slot }) { continue }
            globals.append((code.module, slot))
            guard add(code.module.slots[slot]) else { return false }
        }
        for template in code.functions where !add(template.code) { return false }
        return true
    }
}

extension Value {
    /// Whether it is this very value: bits of numbers, otherwise the same object.
    fileprivate func isSame(as other: Value) -> Bool {
        switch (self, other) {
        case (.none, .none), (.undefined, .undefined): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a.bitPattern == b.bitPattern
        case (.string(let a), .string(let b)): a.string == b.string
        case (.array(let a), .array(let b)): a.identity == b.identity
        case (.list(let a), .list(let b)): a === b
        case (.record(let a), .record(let b)): a === b
        case (.function(let a), .function(let b)): a === b
        default: false
        }
    }
}
