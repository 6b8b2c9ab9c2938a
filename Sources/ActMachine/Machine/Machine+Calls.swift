// Calls: arguments find their parameters, callees that are not code are called.
//
// What must stay true: a call with names means the same whether its binding was known from the last time or not; which parameters names
// mean depends on the called code and the shape of the call alone.

import ActArray
import ActCompiler
import ActRows
import ActSyntax

extension Machine {
    /// The error of a call whose callee is not a function.
    func notCallable(_ value: Value, _ i: UnsafeMutablePointer<Instruction>) -> RuntimeError {
        if case .undefined = value, i.pointee.opcode != .call {
            return unknownName(Int(i.pointee.extra))
        }
        return .notCallable(value)
    }

    /// The error of a global variable without a value.
    func unknownName(_ slot: Int) -> RuntimeError {
        .unknownName(state.pointee.frame.pointee.code._withUnsafeGuaranteedRef { $0.module.names[slot] })
    }

    /// Answers a call of a built-in at once where its arguments are of the plainest kind.
    /// - Returns: Whether it has; else nothing has happened.
    @inline(__always)
    func callQuickly(_ function: Unmanaged<Function>, _ arguments: Registers, _ count: Int, to result: Registers) -> Bool {
        function._withUnsafeGuaranteedRef { function in
            if count == 1, arguments.isNumber, let scalar = function.scalar {
                let y = scalar(arguments.payload)
                if y.magnitude < .infinity {
                    result.set(y)
                    return true
                }
            }
            var value = Value.none
            guard let direct = function.direct, withUnsafeMutablePointer(to: &value, { direct(arguments, count, $0) }) else { return false }
            for index in 0..<count where !(arguments + index).isTrivial { arguments[index] = .none }
            result.pointee = value
            return true
        }
    }

    func checkCount(_ count: Int, _ closure: Closure) throws {
        let code = closure.code
        if count > code.parameters.count { throw RuntimeError.tooManyArguments(of: closure, given: count) }
        if count < code.requiredCount { throw RuntimeError.missingArgument(code.parameters[count].name, of: code.name) }
    }

    /// The arguments of a closure in the order of its parameters.
    package func bind(_ arguments: Arguments, to closure: Closure) throws -> [Value] {
        let parameters = closure.code.parameters
        guard arguments.positional.count <= parameters.count else {
            throw RuntimeError.tooManyArguments(of: closure, given: arguments.positional.count)
        }
        var bound = arguments.positional + Array(repeating: Value.undefined, count: parameters.count - arguments.positional.count)
        for (name, value) in arguments.named {
            guard let index = parameters.firstIndex(where: { $0.name == name }) else { throw RuntimeError.unknownArgument(name, of: closure) }
            guard case .undefined = bound[index] else { throw RuntimeError.argumentTwice(name, of: closure.name) }
            bound[index] = value
        }
        for index in 0..<closure.code.requiredCount {
            if case .undefined = bound[index] { throw RuntimeError.missingArgument(parameters[index].name, of: closure.name) }
        }
        return bound
    }

    /// A call with names, or in method form. `first` holds the arguments, of a method the value before the point first.
    func callShaped(_ shape: CallShape, _ place: Registers, _ first: Registers, _ positionalCount: Int) throws -> Value {
        // Of a record or a function the name after the point may be a field; of everything else it is the function of that name.
        let field = try shape.method.flatMap { try callableField($0, of: first) }
        if field == nil, shape.names.isEmpty, let function = place.functionReference {
            var value = Value.none
            if callQuickly(function, first, positionalCount, to: &value) { return value }
        }
        var positional = takeAll(first, positionalCount)
        var named: [(String, Value)] = []
        for (offset, name) in shape.names.enumerated() { named.append((name, (first + positionalCount).take(offset))) }
        var callee = shape.global == nil ? place.take(0) : place.pointee
        if let slot = shape.global, case .undefined = callee { throw unknownName(slot) }
        if let field {
            callee = field
            positional.removeFirst()
        } else if let method = shape.method, case .undefined = callee {
            throw RuntimeError.noField(method, of: positional[0])
        }
        guard case .function(let function) = callee else { throw RuntimeError.notCallable(callee) }
        return try call(function, Arguments(positional, named: named))
    }

    @inline(__always)
    private func callableField(_ name: String, of object: Registers) throws -> Value? {
        switch object.pointee {
        case .record(let record): record.field(name)
        case .function(let function): try function.field(name)
        default: nil
        }
    }

    /// `extend` as the call that it stands for.
    @inline(never)
    func concatenate(_ first: Value, _ R: Registers, _ i: UnsafeMutablePointer<Instruction>, _ globals: Registers) throws -> Value {
        let callee = globals + Int(i.pointee.extra)
        guard case .function(let function) = callee.pointee else { throw notCallable(callee.pointee, i) }
        let value = operand(R, i.pointee.b, i.pointee.lastUse.hasB)
        let addition: Value =
            switch Extension(rawValue: i.pointee.c) ?? .value {
            case .value: value
            case .listOfValue: try .list([value])
            case .arrayOfValue: try makeArray([value])
            case .element: value
            }
        if Extension(rawValue: i.pointee.c) == .element { return try call(function, Arguments([first, addition])) }
        return try call(function, Arguments([.list([first, addition])]))
    }

    /// Finds out which parameters of `closure` the names of a call mean, if all is well with it.
    @inline(never)
    func learn(_ call: UnsafeMutablePointer<KnownCall>, _ shape: CallShape, _ closure: Closure, _ positionalCount: Int) -> Bool {
        let code = closure.code, names = shape.names
        guard shape.method == nil, !names.isEmpty, names.count <= KnownCall.longest, positionalCount <= code.parameters.count else { return false }
        var places: [Int] = []
        for name in names {
            guard let place = code.parameters.firstIndex(where: { $0.name == name }), place >= positionalCount, !places.contains(place) else { return false }
            places.append(place)
        }
        for index in positionalCount..<max(positionalCount, code.requiredCount) where !places.contains(index) { return false }
        call.pointee.learn(callee: code.entry.pointee.id, positional: positionalCount, places: places)
        return true
    }
}
