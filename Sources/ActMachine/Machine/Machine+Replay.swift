// Derivatives that are taken again: a function of the program that is differentiated a second time, at arguments of the same structure, shapes
// and types, is run once more without elements (`AbstractRun`); if nothing that it does depends on them, the operations that it comes to are
// kept, derivative included, and run from then on in its place (`ReplayProgram`).
//
// What must stay true: a replay means the same. It stands for a call only while everything that the function reads besides its points is what
// it was: other arguments, captured values, global variables of all functions that it may run. Whatever a run does besides computing (it
// shows, warns, writes, draws) keeps it from being replayed.

import ActArray
import ActRandom
import ActReplay
import CActKernels
import CActSystem

/// A call of a derivative, as far as it decides what is computed.
struct ReplayCall {
    /// Which derivative.
    let kind: String
    let function: Function
    let arguments: Arguments
    /// Where the points are among the arguments.
    let places: [Arguments.Place]

    init(_ kind: String, _ function: Function, _ arguments: Arguments, _ places: [Arguments.Place]) {
        (self.kind, self.function, self.arguments, self.places) = (kind, function, arguments, places)
    }

    /// What all calls have in common that one program may serve.
    fileprivate var identity: ObjectIdentifier { (function as? Closure).map { ObjectIdentifier($0.code) } ?? ObjectIdentifier(function) }

    fileprivate func isPoint(_ place: Arguments.Place) -> Bool {
        places.contains {
            switch ($0, place) {
            case (.position(let a), .position(let b)), (.name(let a), .name(let b)): a == b
            default: false
            }
        }
    }
}

/// The derivatives that were taken lately.
final class ReplayShelf {
    fileprivate static let most = 16
    /// Calls whose functions read other values each time are given up after so many.
    fileprivate static let mostChanges = 3
    /// Functions that take longer, in seconds, are not tried.
    fileprivate static let longestRun = 0.25

    /// What is known about the calls of one function.
    fileprivate final class Entry {
        enum State {
            /// It has been called so, and not been tried yet.
            case seen
            case program(ReplayProgram)
            case refused
        }

        let identity: ObjectIdentifier
        let kind: String
        /// The function stays alive, or another could have the same identity.
        let owner: AnyObject
        var context: ReplayContext?
        var state = State.seen
        var changes = 0

        init(_ call: ReplayCall, _ context: ReplayContext?) {
            (identity, kind, self.context) = (call.identity, call.kind, context)
            owner = (call.function as? Closure)?.code ?? call.function
            if context == nil { state = .refused }
        }

        func refuse() {
            state = .refused
            context = nil
        }
    }

    /// How many calls were replayed so far.
    fileprivate(set) var count = 0
    /// The latest first.
    private var entries: [Entry] = []

    fileprivate func entry(for call: ReplayCall) -> Entry? {
        let identity = call.identity
        guard let index = entries.firstIndex(where: { $0.identity == identity && $0.kind == call.kind }) else { return nil }
        if index > 0 { entries.swapAt(0, index) }
        return entries[0]
    }

    fileprivate func add(_ entry: Entry) {
        if entries.count == Self.most { entries.removeLast() }
        entries.insert(entry, at: 0)
    }
}

extension Machine {
    /// How many derivatives were replayed so far.
    package var replayCount: Int { replays.count }

    /// Computes arrays of arrays: what `body` gives, by the program that its function came to, if there is one.
    /// - Parameters:
    ///   - call: What the program called for it; `nil` where nothing is to be kept.
    ///   - leaves: The numbers and arrays of the points in order.
    func replaying(_ call: ReplayCall?, at leaves: [NDArray], _ body: ([NDArray]) throws -> [NDArray]) throws -> [NDArray] {
        guard let call, replaysFunctions, recording == nil, act_derivatives_get() == 0, AbstractRun.current == nil else { return try body(leaves) }
        guard let entry = replays.entry(for: call) else {
            let entry = ReplayShelf.Entry(call, ReplayContext(call, leaves)), start = act_seconds()
            let results = try body(leaves)
            // To run what takes long once more for nothing would be noticed.
            if act_seconds() - start > ReplayShelf.longestRun { entry.refuse() }
            replays.add(entry)
            return results
        }
        if case .refused = entry.state { return try body(leaves) }
        guard entry.context?.holds(for: call, leaves) == true else {
            entry.changes += 1
            entry.state = .seen
            entry.context = ReplayContext(call, leaves)
            if entry.context == nil || entry.changes >= ReplayShelf.mostChanges { entry.refuse() }
            return try body(leaves)
        }
        if case .seen = entry.state {
            guard let program = try program(of: leaves, body) else {
                entry.refuse()
                return try body(leaves)
            }
            entry.state = .program(program)
        }
        if case .program(let program) = entry.state {
            if let results = try program.run(leaves) {
                replays.count += 1
                return results
            }
            // What warns or is decided otherwise once may be so each time.
            entry.changes += 1
            if entry.changes >= ReplayShelf.mostChanges { entry.refuse() }
        }
        return try body(leaves)
    }

    /// - Returns: `nil` where what is computed depends on elements, or where a call does more than computing.
    private func program(of leaves: [NDArray], _ body: ([NDArray]) throws -> [NDArray]) throws -> ReplayProgram? {
        try drainNumericEvents()
        let (random, watches, flags) = (self.random, NumericEvents.isEnabled, act_fp_flags())
        NumericEvents.isEnabled = false
        act_fp_clear()
        defer {
            self.random = random
            NumericEvents.isEnabled = watches
            act_fp_clear()
            if flags != 0 { act_fp_raise(flags) }
        }
        let program = try ReplayProgram.of(leaves, body)
        try Interrupt.check()
        // What it computed of given numbers may have to be warned of.
        return self.random == random && !(watches && act_fp_flags() != 0) ? program : nil
    }
}

/// What a call reads besides the elements of its points, as it was.
private struct ReplayContext {
    /// What lies where nothing is to change: a value of another call, or of a variable.
    private struct Global {
        let module: Module
        let slot: Int
        let value: Value
    }

    private let leaves: [(shape: [Int], type: ElementType)]
    private let positional: [Pattern]
    private let named: [(name: String, value: Pattern)]
    private let captures: [Value]
    private let globals: [Global]

    /// The structure of a point, and every other argument as it is.
    private indirect enum Pattern {
        case leaf
        case list([Pattern])
        case record([(name: String, value: Pattern)])
        case network(String)
        case constant(Value)
    }

    /// - Returns: `nil` where a call of the function may do more than compute of what is noted here.
    init?(_ call: ReplayCall, _ leaves: [NDArray]) {
        guard leaves.allSatisfy({ !$0.isTraced && $0.count <= Reach.largest }) else { return nil }
        self.leaves = leaves.map { ($0.shape, $0.type) }
        var reach = Reach()
        var positional: [Pattern] = [], named: [(name: String, value: Pattern)] = []
        for (index, value) in call.arguments.positional.enumerated() {
            guard let pattern = Self.pattern(value, isPoint: call.isPoint(.position(index)), &reach) else { return nil }
            positional.append(pattern)
        }
        for (index, argument) in call.arguments.named.enumerated() {
            guard let pattern = Self.pattern(argument.value, isPoint: call.isPoint(.name(index)), &reach) else { return nil }
            named.append((argument.name, pattern))
        }
        guard reach.add(call.function) else { return nil }
        (self.positional, self.named, captures) = (positional, named, call.function.captures)
        globals = reach.globals.map { Global(module: $0.module, slot: $0.slot, value: $0.module.slots[$0.slot]) }
    }

    /// Whether the same operations serve another call.
    func holds(for call: ReplayCall, _ leaves: [NDArray]) -> Bool {
        leaves.count == self.leaves.count && zip(leaves, self.leaves).allSatisfy { $0.shape == $1.shape && $0.type == $1.type && !$0.isTraced }
            && call.arguments.positional.count == positional.count && zip(call.arguments.positional, positional).allSatisfy { Self.fits($0, $1) }
            && call.arguments.named.count == named.count && zip(call.arguments.named, named).allSatisfy { $0.name == $1.name && Self.fits($0.value, $1.value) }
            && call.function.captures.count == captures.count && zip(call.function.captures, captures).allSatisfy { $0.isSame(as: $1) }
            && globals.allSatisfy { $0.module.slots[$0.slot].isSame(as: $0.value) }
    }

    private static func pattern(_ value: Value, isPoint: Bool, _ reach: inout Reach) -> Pattern? {
        guard isPoint else { return reach.add(value) ? .constant(value) : nil }
        switch value {
        case .number: return .leaf
        case .array(let array) where array.type != .bool: return .leaf
        case .list(let list):
            var parts: [Pattern] = []
            for element in list.elements {
                guard let part = pattern(element, isPoint: true, &reach) else { return nil }
                parts.append(part)
            }
            return .list(parts)
        case .record(let record):
            var parts: [(name: String, value: Pattern)] = []
            for field in record.fields {
                guard let part = pattern(field.value, isPoint: true, &reach) else { return nil }
                parts.append((field.key, part))
            }
            return .record(parts)
        case .function(let function as Native) where function.parameterArrays != nil: return reach.add(function) ? .network(function.name) : nil
        default: return reach.add(value) ? .constant(value) : nil
        }
    }

    private static func fits(_ value: Value, _ pattern: Pattern) -> Bool {
        switch (pattern, value) {
        case (.leaf, .number): true
        case (.leaf, .array(let array)): array.type != .bool
        case (.list(let parts), .list(let list)): list.elements.count == parts.count && zip(list.elements, parts).allSatisfy { fits($0, $1) }
        case (.record(let parts), .record(let record)):
            record.fields.count == parts.count && zip(record.fields, parts).allSatisfy { $0.key == $1.name && fits($0.value, $1.value) }
        case (.network(let text), .function(let function as Native)): function.body.isPure && function.name == text
        case (.constant(let known), _): value.isSame(as: known)
        default: false
        }
    }
}

/// What functions that may run read: their global variables, and what those hold.
private struct Reach {
    /// Arrays that a program keeps are not larger, and lists have no more elements.
    static let largest = 1 << 14

    private(set) var globals: [(module: Module, slot: Int)] = []
    private var known: Set<ObjectIdentifier> = []
    private var count = 0

    /// - Returns: Whether calls of functions in it do nothing but compute.
    mutating func add(_ value: Value) -> Bool {
        count += 1
        guard count <= Self.largest else { return false }
        switch value {
        case .none, .bool, .number, .undefined: return true
        case .string(let text): return text.string.utf8.count <= Self.largest
        case .array(let array): return !array.isTraced && array.count <= Self.largest
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
        for slot in code.globalSlots {
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
