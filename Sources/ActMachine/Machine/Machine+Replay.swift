// Derivatives that are taken again, and calls of functions with loops that are made again (Machine+Again.swift): a function of the program that
// is called a second time so, at arguments of the same structure, shapes and types, is run once more without elements (`AbstractRun`); if nothing
// that it does depends on them, the operations that it comes to are kept, derivative included, and run from then on in its place
// (`ReplayProgram`).
//
// What must stay true: a replay means the same. It stands for a call only while everything that the function reads besides its points is what
// it was: other arguments, captured values, global variables of all functions that it may run. Arrays among those may be others of the same
// shape and type: once they have been, the program takes them as it takes points. Whatever a run does besides computing (it shows, warns, writes,
// draws) keeps it from being replayed.

import ActArray
import ActRandom
import ActReplay
import CActKernels
import CActSystem

/// A call of a function or a derivative, as far as it decides what is computed.
final class ReplayCall {
    /// Which derivative; empty for the function itself.
    let kind: String
    let function: Function
    private(set) var arguments: Arguments
    /// Where the points are among the arguments.
    let places: [Arguments.Place]
    /// What a function itself gives, around its arrays.
    var result: Mould?

    init(_ kind: String, _ function: Function, _ arguments: Arguments, _ places: [Arguments.Place]) {
        (self.kind, self.function, self.arguments, self.places) = (kind, function, arguments, places)
    }

    /// A call of the function itself: all arrays are points.
    convenience init(of function: Closure, _ arguments: Arguments) {
        self.init("", function, arguments, arguments.positional.indices.map { .position($0) })
    }

    var isPlain: Bool { kind.isEmpty }

    /// What all calls have in common that one program may serve.
    fileprivate var identity: ObjectIdentifier { (function as? Closure).map { ObjectIdentifier($0.code) } ?? ObjectIdentifier(function) }

    func isPoint(_ place: Arguments.Place) -> Bool {
        places.contains(place)
    }

    /// Calls `body` while other arrays lie in some places.
    func replacing<Result>(_ places: [VaryingPlace], by arrays: ArraySlice<NDArray>, _ body: () throws -> Result) rethrows -> Result {
        let outer = places.map { $0.value(in: self) }
        for (place, array) in zip(places, arrays) { place.put(.array(array), in: self) }
        defer { for (place, value) in zip(places, outer) { place.put(value, in: self) } }
        return try body()
    }

    fileprivate func put(_ value: Value, at place: Arguments.Place) { arguments = arguments.replacing(place, with: value) }
}

/// Where a function reads an array that is another one each time.
enum VaryingPlace {
    case capture(Int)
    case argument(Arguments.Place)
    case global(Module, slot: Int)

    func value(in call: ReplayCall) -> Value {
        switch self {
        case .capture(let index): call.function.captures[index]
        case .argument(.position(let index)): call.arguments.positional[index]
        case .argument(.name(let index)): call.arguments.named[index].value
        case .global(let module, let slot): module.slots[slot]
        }
    }

    fileprivate func put(_ value: Value, in call: ReplayCall) {
        switch self {
        case .capture(let index): call.function.replaceCapture(index, by: value)
        case .argument(let place): call.put(value, at: place)
        case .global(let module, let slot): module.slots[slot] = value
        }
    }
}

/// The calls that were made lately.
final class ReplayShelf {
    fileprivate static let most = 16
    /// Functions that are called with other values each time, or whose replays fail, are given up after so many.
    fileprivate static let mostVariants = 4, mostFailures = 3
    /// Functions that take longer, in seconds, are not tried.
    fileprivate static let longestRun = 0.25

    /// What is known about calls of one function that read the same values.
    fileprivate final class Entry {
        enum State {
            /// It has been called so, and not been tried yet.
            case seen
            case program(ReplayProgram, result: Mould?)
            /// No call of the function is tried any more.
            case refused
        }

        let identity: ObjectIdentifier
        let kind: String
        /// The function stays alive, or another could have the same identity.
        let owner: AnyObject
        var context: ReplayContext?
        var state = State.seen
        var failures = 0

        init(_ call: ReplayCall, _ context: ReplayContext?) {
            (identity, kind, self.context) = (call.identity, call.kind, context)
            owner = (call.function as? Closure)?.code ?? call.function
            if context == nil { state = .refused }
        }

        func refuse() {
            state = .refused
            context = nil
        }

        var isRefused: Bool { if case .refused = state { true } else { false } }
    }

    /// How many calls were replayed so far, those of a batch as one.
    var count = 0
    /// The latest first.
    private var entries: [Entry] = []

    /// The first of a call's entries that something holds of.
    fileprivate func entry<Found>(for call: ReplayCall, _ find: (Entry) -> Found?) -> Found? {
        let identity = call.identity
        for entry in entries where entry.identity == identity && entry.kind == call.kind { if let found = find(entry) { return found } }
        return nil
    }

    fileprivate func use(_ entry: Entry) {
        if let index = entries.firstIndex(where: { $0 === entry }), index > 0 { entries.swapAt(0, index) }
    }

    fileprivate func add(_ entry: Entry) {
        if entries.count == Self.most { entries.removeLast() }
        entries.insert(entry, at: 0)
    }
}

extension Machine {
    /// How many calls were replayed so far.
    package var replayCount: Int { replays.count }

    /// Whether it has been found out that calls like this one are never replayed.
    func isRefused(_ call: ReplayCall) -> Bool { replays.entry(for: call) { $0.isRefused ? true : nil } == true }

    /// Computes arrays of arrays: what `body` gives, by the program that its function came to, if there is one.
    /// - Parameters:
    ///   - call: What the program called for it; `nil` where nothing is to be kept. `body` takes the arguments from it.
    ///   - leaves: The numbers and arrays of the points in order.
    func replaying(_ call: ReplayCall?, at leaves: [NDArray], _ body: ([NDArray]) throws -> [NDArray]) throws -> [NDArray] {
        guard let call, replaysFunctions, recording == nil, act_derivatives_get() == 0, AbstractRun.current == nil else { return try body(leaves) }
        var last: ReplayShelf.Entry?, variants = 0
        let found = replays.entry(for: call) { entry -> (ReplayShelf.Entry, [VaryingPlace])? in
            (last, variants) = (entry, variants + 1)
            return entry.isRefused ? (entry, []) : entry.context?.changed(in: call, leaves).map { (entry, $0) }
        }
        if let (entry, changed) = found {
            guard let context = entry.context else { return try body(leaves) }
            if changed.isEmpty { return try replay(entry, context, call, leaves, body) }
            // Other arrays like those of the last time, a batch of examples maybe: they are inputs of the program from now on.
            entry.context = ReplayContext(call, leaves, varying: context.varying + changed)
            entry.state = .seen
            if entry.context == nil { entry.refuse() }
            return try body(leaves)
        }
        if let last, variants >= ReplayShelf.mostVariants {
            last.refuse()
            return try body(leaves)
        }
        let entry = ReplayShelf.Entry(call, ReplayContext(call, leaves, varying: [])), start = act_seconds()
        let results = try body(leaves)
        // To run what takes long once more for nothing would be noticed.
        if act_seconds() - start > ReplayShelf.longestRun { entry.refuse() }
        replays.add(entry)
        return results
    }

    private func replay(
        _ entry: ReplayShelf.Entry, _ context: ReplayContext, _ call: ReplayCall, _ leaves: [NDArray], _ body: ([NDArray]) throws -> [NDArray]
    ) throws -> [NDArray] {
        replays.use(entry)
        let varying = context.varying.compactMap { if case .array(let array) = $0.value(in: call) { array } else { nil } }, inputs = leaves + varying
        // How a product adds up depends on how its operands lie, and in a program they lie without gaps.
        guard varying.count == context.varying.count, try inputs.allSatisfy({ try $0.evaluatedLayout().strides == nil }) else { return try body(leaves) }
        if case .seen = entry.state {
            let program = try program(of: inputs) { given in
                try call.replacing(context.varying, by: given[leaves.count...]) { try body(Array(given[..<leaves.count])) }
            }
            guard let program else {
                entry.refuse()
                return try body(leaves)
            }
            entry.state = .program(program, result: call.result)
        }
        if case .program(let program, let result) = entry.state {
            // Where memory is short the function itself may still do.
            let results: [NDArray]?
            do { results = try program.run(inputs) } catch ArrayError.outOfMemory { results = nil }
            if let results {
                replays.count += 1
                call.result = result
                return results
            }
            // What warns or is decided otherwise once may be so each time.
            entry.failures += 1
            if entry.failures >= ReplayShelf.mostFailures { entry.refuse() }
        }
        return try body(leaves)
    }

    /// - Returns: `nil` where what is computed depends on elements, or where a call does more than computing.
    private func program(of leaves: [NDArray], _ body: ([NDArray]) throws -> [NDArray]) throws -> ReplayProgram? {
        try withoutEffects { try ReplayProgram.of(leaves, body) }
    }

    /// What `make` finds out by running a function without elements; `nil` where that did more than computing.
    func withoutEffects<Program>(_ make: () throws -> Program?) throws -> Program? {
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
        let program: Program?
        do { program = try make() } catch ArrayError.outOfMemory { program = nil }
        try Interrupt.check()
        // What it computed of given numbers may have to be warned of.
        return self.random == random && !(watches && act_fp_flags() != 0) ? program : nil
    }
}
