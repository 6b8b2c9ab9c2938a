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
            entry: entry, code: entry.pointee.code, closure: .passUnretained(function), base: base, result: 0, returnAddress: nil, callSite: instruction)
    }

    /// Calls any function with one or two arguments.
    package func call(_ function: Function, _ first: Value, _ second: Value? = nil) throws -> Value {
        let call = try RepeatedCall(of: function, count: second == nil ? 1 : 2, self)
        return try call(first, second)
    }
}
