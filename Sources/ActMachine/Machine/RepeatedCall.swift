// Calls of one function again and again, from one place: what stays the same from one call to the next is looked at once.
//
// What must stay true: a call means what `Machine.call` means. Whoever holds it has been called by the machine, and calls nothing from another
// place meanwhile that is still open when the next call is made.

import ActArray
import CActMachine

package struct RepeatedCall: ~Copyable {
    private let machine: Machine
    private let function: Function
    /// The frame of every call; `nil` where calls take the long way.
    private let frame: Machine.Frame?
    /// The frame that calls, which stays open as long as this is there (it cannot be copied).
    private let outer: UnsafeMutablePointer<Machine.Frame>
    private let instruction: UnsafeMutablePointer<Instruction>?

    /// - Parameter count: How many arguments there are, one or two.
    package init(of function: Function, count: Int, _ machine: Machine) throws {
        (self.machine, self.function) = (machine, function)
        (outer, instruction) = (machine.state.pointee.frame, machine.instruction)
        frame = try machine.frame(calling: function, count: count)
        if frame != nil { machine.state.pointee.nativeDepth += 1 }
    }

    deinit {
        if frame != nil { machine.state.pointee.nativeDepth -= 1 }
    }

    package func callAsFunction(_ first: Value, _ second: Value? = nil) throws -> Value {
        guard let frame else { return try byLongWay(first, second) }
        if machine.isInterrupted { throw ArrayError.interrupted }
        // (Registers above the running frame hold nothing that must be released.)
        frame.base.initialize(to: first)
        if let second { (frame.base + 1).initialize(to: second) }
        (outer + 1).initialize(to: frame)
        let state = machine.state
        state.pointee.frame = outer + 1
        defer { state.pointee.instruction = instruction }
        do { return try machine.loop() } catch { throw machine.unwind(to: outer, error) }
    }

    // MARK: With numbers

    /// Gathers the results of calls with numbers.
    package func map(_ numbers: UnsafeBufferPointer<Double>, into results: Gathering) throws {
        var next = 0
        if frame != nil {
            try results.reserve(numbers.count)
            next = try gather(numbers, from: 0, into: results, act_map_numbers) { _, result in try results.append(result) }
        }
        for number in numbers[next...] { try results.append(self(.number(number))) }
    }

    /// Gathers the numbers for which it is true.
    package func filter(_ numbers: UnsafeBufferPointer<Double>, into results: Gathering) throws {
        var next = 0
        while frame != nil, next < numbers.count {
            let piece = UnsafeBufferPointer(rebasing: numbers[..<min(numbers.count, next &+ 1 << 14)])
            try results.reserve(piece.count &- next)
            next = try gather(piece, from: next, into: results, act_filter_numbers) { number, result in
                if try machine.truth(of: result) { try results.append(number) }
            }
        }
        for number in numbers[next...] where try machine.truth(of: self(.number(number))) { try results.append(number) }
    }

    /// The result so far, of the result so far and the next number, one after the other.
    package func reduce(_ numbers: UnsafeBufferPointer<Double>, from start: Value?) throws -> Value? {
        var reached = start, next = 0
        while next < numbers.count {
            guard let value = reached else {
                reached = .number(numbers[0])
                next = 1
                continue
            }
            if case .number(let number) = value, frame != nil {
                var calls = act_repetition()
                (calls.numbers, calls.count, calls.position, calls.reached) = (numbers.baseAddress, numbers.count, next, number)
                let result = try run(&calls, act_reduce_numbers)
                next = calls.position
                reached = result ?? .number(calls.reached)
            } else {
                reached = nil
                reached = try self(value, .number(numbers[next]))
                next &+= 1
            }
        }
        return reached
    }

    private typealias Repeat = (UnsafeMutableRawPointer, UnsafeRawPointer, UnsafeMutablePointer<act_repetition>) -> UnsafeMutablePointer<Instruction>?

    /// Makes calls for as long as numbers are gathered.
    /// - Parameter take: Takes what a call has come to that Swift had to finish.
    /// - Returns: How many numbers have been passed.
    private func gather(
        _ numbers: UnsafeBufferPointer<Double>, from first: Int, into results: Gathering, _ calling: Repeat, take: (Double, Value) throws -> Void
    ) throws -> Int {
        var calls = act_repetition()
        (calls.numbers, calls.count, calls.position) = (numbers.baseAddress, numbers.count, first)
        while calls.position < numbers.count {
            guard let room = try results.room(for: numbers.count &- calls.position) else { break }
            (calls.gathered, calls.gathered_count) = (room, 0)
            let result: Value?
            do {
                defer { results.take(calls.gathered_count) }
                result = try run(&calls, calling)
            }
            if let result { try take(numbers[calls.position &- 1], result) }
        }
        return calls.position
    }

    /// Makes calls until all are made or one has come to what is not gathered.
    /// - Returns: What that one has come to.
    private func run(_ calls: inout act_repetition, _ calling: Repeat) throws -> Value? {
        guard let frame else { return nil }
        guard let stop = withUnsafePointer(to: frame, { calling(machine.state, $0, &calls) }) else {
            if calls.position < calls.count { throw ArrayError.interrupted }
            return nil
        }
        calls.position &+= 1
        defer { machine.state.pointee.instruction = instruction }
        do { return try machine.goOn(from: stop) } catch { throw machine.unwind(to: outer, error) }
    }

    private func byLongWay(_ first: Value, _ second: Value?) throws -> Value {
        if second == nil, case .number(let x) = first, let kernel = function.kernel {
            let y = kernel(x)
            if y.magnitude < .infinity { return .number(y) }
        }
        return try machine.call(function, Arguments(second.map { [first, $0] } ?? [first]))
    }
}

extension Machine {
    /// The frame of a call from Swift of a function of the program with so many arguments, if that is all there is to it.
    /// - Throws: Where it would go too deep.
    fileprivate func frame(calling function: Function, count: Int) throws -> Frame? {
        guard let entry = function.entry, recording == nil, Int(entry.pointee.parameterCount) == count else { return nil }
        let outer = state.pointee.frame
        let base = outer >= frameMemory ? outer.pointee.base + Int(outer.pointee.entry.pointee.registerCount) : stack
        let needed = Int(entry.pointee.registerCount) + 1
        guard state.pointee.nativeDepth < Self.maximumNativeDepth, outer < lastFrame, limit - base > needed, act_stack_has_room() != 0 else {
            throw RuntimeError.recursionTooDeep
        }
        prepare(base + needed)
        return Frame(
            entry: entry, code: entry.pointee.code, closure: .passUnretained(function), base: base, returnAddress: nil, callSite: instruction)
    }

    /// Calls any function with one or two arguments.
    package func call(_ function: Function, _ first: Value, _ second: Value? = nil) throws -> Value {
        let call = try RepeatedCall(of: function, count: second == nil ? 1 : 2, self)
        return try call(first, second)
    }
}
