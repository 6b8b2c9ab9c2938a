// What a Swift program asks of a session beyond running text: values in and out, calls of functions, functions of its own.
//
// What must stay true: whatever computes does so as a run does, alone and on a deep stack; errors come back as faults with their words.

import ActArray
import ActMachine
import ActSyntax
import ActWording

extension Session {
    /// Computes with the session's machine, as a run would.
    /// - Throws: `Fault`, whose kind tells an error from an interrupt, a limit reached and a program that left.
    package func compute<T>(_ body: @escaping (Machine) throws -> T) throws -> T {
        var result: Result<T, Fault>?
        _ = computing { watchdog in
            guard let machine = self.machine else { return .failed }
            NumericEvents.isEnabled = self.options.warns || self.options.isStrict
            defer { NumericEvents.isEnabled = false }
            do {
                let value = try body(machine)
                try machine.drainNumericEvents()
                result = .success(value)
                return .done
            } catch {
                _ = NumericEvents.drain()
                var fault = Fault.wrap(error, machine)
                if fault.kind == .interrupted, let seconds = watchdog?.fired {
                    fault = Fault(diagnostic: RuntimeWording.timeLimit(seconds, fault.diagnostic), kind: .limit)
                }
                result = .failure(fault)
                return .failed
            }
        }
        guard let result else { throw Fault(diagnostic: .cannotStart, kind: .error) }
        return try result.get()
    }

    /// The value of a variable, or what the name means without one; `nil` where it means nothing.
    package func value(named name: String) -> Value? {
        if let value = module[name] { return value }
        return builtins.value(named: name)
    }

    /// Adds a function of the surrounding program to the built-in ones: `?name` and completion know it, programs may hide it.
    /// - Parameter body: Gets a value for each parameter, `.undefined` where none was given.
    package func register(_ name: String, parameters: [String], summary: String, _ body: @escaping ([Value]) throws -> Value) {
        // Unsafe by type alone: the row stays in this session, and its body runs on the thread that runs the session's programs.
        nonisolated(unsafe) let body = body
        let row = Builtin(.host, name, summary) { takes in
            for parameter in parameters {
                let parts = parameter.split(separator: "=", maxSplits: 1).map { String($0).trimmingSpaces() }
                if parts.count == 2 { _ = takes.value(parts[0], default: nil, parts[1]) } else { _ = takes.value(parameter) }
            }
            return { call in try body(parameters.indices.map(call.value(at:))) }
        }
        builtins.add(row)
        for module in modules {
            guard let slot = module.existingSlot(row.name) else { continue }
            switch module.slots[slot] {
            case .undefined: module.reset(slot)
            case .function(let function) where function.builtinName == row.name: module.reset(slot)
            default: break
            }
        }
    }
}
