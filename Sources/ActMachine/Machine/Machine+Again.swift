// Calls of functions with loops that are made again: with arrays of the same shapes and types they are run as the operations that they come to
// (Machine+Replay.swift), like derivatives. Other functions are not watched: it is loops that
// repeat what a program costs beside its operations.
//
// What must stay true: a function that is watched means what it means unwatched; one that has been refused is watched no more, and costs what
// it did.

import ActArray
import ActReplay
import CActKernels

extension Machine {
    /// Calls run by a function on Swift's own stack, to be timed, are not nested deeper than this.
    private static let deepestTrial = 8

    /// The value of a call of a watched function, if it is run here.
    /// - Parameter base: Where its arguments are.
    /// - Returns: `nil` where it is to be run as any other.
    @inline(never)
    func callAgain(_ closure: Closure, _ base: Registers, _ count: Int) throws -> Value? {
        guard replaysFunctions, recording == nil, act_derivatives_get() == 0, AbstractRun.current == nil, state.pointee.nativeDepth < Self.deepestTrial
        else { return nil }
        var arrays: [NDArray] = []
        let arguments = Arguments((0..<count).map { base[$0] }), call = ReplayCall(of: closure, arguments)
        // Who is called with numbers, or with arrays that are large enough to hide what a loop costs, will be so again.
        guard let moulds = arguments.positional.moulds(of: .argument, &arrays), !arrays.isEmpty, arrays.allSatisfy({ $0.count <= ReplayProgram.largestArray }),
            !isRefused(call)
        else {
            closure.code.isWatched = false
            return nil
        }
        var made: Value?
        let results = try replaying(call, at: arrays) { given in
            var rest = given[...]
            let isAbstract = AbstractRun.current != nil
            let value = try self.call(closure, isAbstract ? Arguments(moulds.map { try $0.value(&rest) }) : arguments)
            guard isAbstract else {
                made = value
                return []
            }
            var found: [NDArray] = []
            call.result = Mould(value, of: .result, &found)
            if call.result == nil { AbstractRun.current?.spoil() }
            return found
        }
        if let made { return made }
        var rest = results[...]
        return try call.result?.value(&rest)
    }
}

/// A value as the arrays in it, in order, and what is around them.
indirect enum Mould {
    case array
    case list([Mould])
    case record([(key: String, value: Mould)])
    case constant(Value)

    /// Whose value it is, which decides what counts as an array in it.
    enum Side {
        /// Every array of numbers counts. Networks and functions stay what they are.
        case argument
        /// Of an abstract run: abstract arrays count. There is no mould where a function could hold some as well.
        case result
    }

    private static let deepest = 64, mostArrays = 1 << 10

    /// - Returns: `nil` where lists and records are nested too deeply, or hold too much.
    init?(_ value: Value, of side: Side, _ arrays: inout [NDArray], depth: Int = 0) {
        guard depth < Self.deepest, arrays.count < Self.mostArrays else { return nil }
        switch value {
        case .array(let array) where side == .argument ? array.type != .bool : array.isAbstract:
            arrays.append(array)
            self = .array
        case .list(let list):
            guard let parts = list.elements.moulds(of: side, &arrays, depth: depth + 1) else { return nil }
            self = .list(parts)
        case .record(let record):
            guard let parts = Array(record.fields.values).moulds(of: side, &arrays, depth: depth + 1) else { return nil }
            self = .record(Array(zip(record.fields.keys, parts)))
        case .none, .bool, .number, .string, .array: self = .constant(value)
        case .function, .figure, .undefined, .gathering:
            guard side == .argument else { return nil }
            self = .constant(value)
        }
    }

    /// The value with these arrays, which it takes from the front.
    func value(_ arrays: inout ArraySlice<NDArray>) throws -> Value {
        switch self {
        case .array: return try Value(arrays.popFirst() ?? NDArray.full(0, shape: [], type: .f64))
        case .list(let parts): return try .list(parts.map { try $0.value(&arrays) })
        case .record(let parts): return try .record(Fields(parts.map { ($0.key, try $0.value.value(&arrays)) }))
        case .constant(let value): return value
        }
    }
}

extension [Value] {
    /// - Returns: `nil` where one has none.
    fileprivate func moulds(of side: Mould.Side, _ arrays: inout [NDArray], depth: Int = 0) -> [Mould]? {
        var moulds: [Mould] = []
        moulds.reserveCapacity(count)
        for value in self {
            guard let mould = Mould(value, of: side, &arrays, depth: depth) else { return nil }
            moulds.append(mould)
        }
        return moulds
    }
}
