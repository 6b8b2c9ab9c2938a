// The loop. It has two halves: `act_run`, in C, does what concerns numbers, elements of plain arrays and calls of functions of the program, and
// stops in front of everything else, which `interpret` does here, with the help of Machine+….swift, and which may throw.
//
// What must stay true: the loop is one `switch`. Taken apart, every instruction would pay for a call.

import ActArray
import ActCompiler
import ActSyntax
import CActMachine

extension Machine {
    /// Runs the topmost frame until it returns.
    @inline(__always)
    func loop() throws -> Value {
        let first = state.pointee.frame.pointee.entry.pointee.instructions
        // Of many functions the other half does all.
        return try goOn(from: first.pointee.isLeftToSwift ? first : act_run(state, first))
    }

    /// Runs the topmost frame, in which the other half has stopped, until it returns.
    @inline(__always)
    func goOn(from i: UnsafeMutablePointer<Instruction>) throws -> Value {
        i.pointee.opcode == .result ? finish(i) : try interpret(from: i)
    }

    /// Leaves the topmost frame, which Swift has called.
    @inline(__always)
    private func finish(_ i: UnsafeMutablePointer<Instruction>) -> Value {
        let frame = state.pointee.frame, base = frame.pointee.base, register = i.pointee.b
        let result = i.pointee.lastUse.hasB ? base.take(register) : base[register]
        clear(base, Int(frame.pointee.entry.pointee.registerCount))
        state.pointee.frame = frame - 1
        return result
    }

    /// Runs from an instruction of the topmost frame on, until the frame that Swift has called returns.
    private func interpret(from first: UnsafeMutablePointer<Instruction>) throws -> Value {
        let S = state
        var F = S.pointee.frame
        var R = F.pointee.base
        var K = F.pointee.entry.pointee.constants
        var globals = F.pointee.entry.pointee.globals.pointee
        var pc = first

        while true {
            if !pc.pointee.isLeftToSwift {
                pc = act_run(S, pc)
                F = S.pointee.frame
                R = F.pointee.base
                K = F.pointee.entry.pointee.constants
                globals = F.pointee.entry.pointee.globals.pointee
            }
            let i = pc
            let a = i.pointee.a, b = i.pointee.b, c = i.pointee.c
            pc += 1
            F.pointee.holdsObjects = true
            S.pointee.instruction = i
            if isInterrupted { throw ArrayError.interrupted }
            switch i.pointee.opcode {
            // MARK: What the other half does, and what it leaves of it
            case .move, .constant, .loadGlobalOrNone, .storeGlobal, .loadSelf, .clear, .jump, .checkInterrupt, .jumpIfDefined: break
            case .loadGlobal: throw unknownName(b)
            case .checkGlobal: throw unknownName(a)
            case .checkLocal: throw RuntimeError.localWithoutValue
            case .addGlobal: try add(operand(R, b, i.pointee.lastUse.hasB), to: globals + a)
            case .unsetGlobal:
                if case .undefined = globals[a] { throw unknownName(a) }
                F.pointee.code._withUnsafeGuaranteedRef { $0.module.reset(a) }
            case .loadCapture: throw RuntimeError.capturedWithoutValue
            case .noteField: if case .string(let name) = K[b] { try layers.note(field: name.string, R[a]) }

            // MARK: Operators
            case .add: try binary(.add, R, i)
            case .sub: try binary(.subtract, R, i)
            case .mul: try binary(.multiply, R, i)
            case .div: try binary(.divide, R, i)
            case .modulo: try binary(.remainder, R, i)
            case .pow: try binary(.power, R, i)
            case .floorDivide: try binary(.floorDivide, R, i)
            case .matmul: try binary(.matmul, R, i)
            case .addK: try binary(.add, R, i, constant: K[c])
            case .subK: try binary(.subtract, R, i, constant: K[c])
            case .mulK: try binary(.multiply, R, i, constant: K[c])
            case .divK: try binary(.divide, R, i, constant: K[c])
            case .moduloK: try binary(.remainder, R, i, constant: K[c])
            case .powK: try binary(.power, R, i, constant: K[c])
            case .floorDivideK: try binary(.floorDivide, R, i, constant: K[c])

            case .negate: R[a] = try negate(operand(R, b, i.pointee.lastUse.hasB))
            case .plus: R[a] = try plus(operand(R, b, i.pointee.lastUse.hasB))
            case .not: R[a] = try not(operand(R, b, i.pointee.lastUse.hasB))
            case .less: R[a] = try compare(.less, R[b], R[c], i)
            case .lessEqual: R[a] = try compare(.lessOrEqual, R[b], R[c], i)
            case .greater: R[a] = try compare(.greater, R[b], R[c], i)
            case .greaterEqual: R[a] = try compare(.greaterOrEqual, R[b], R[c], i)
            case .equal: R[a] = try compare(.equal, R[b], R[c], i)
            case .notEqual: R[a] = try compare(.notEqual, R[b], R[c], i)
            case .logicalAnd: R[a] = try logical(isAnd: true, R[b], R[c])
            case .logicalOr: R[a] = try logical(isAnd: false, R[b], R[c])
            case .compose: R[a] = try compose(R[b], R[c])

            // MARK: Jumps
            case .jumpIfFalse: if try !truth(of: R + b, i) { pc = i + a }
            case .jumpIfTrue: if try truth(of: R + b, i) { pc = i + a }
            case .andSkip: if try skips(R[b], when: false) { pc = i + a }
            case .orSkip: if try skips(R[b], when: true) { pc = i + a }
            case .jumpLess: if try jumps(i, .less, R + b, R + c) { pc = i + a }
            case .jumpLessEqual: if try jumps(i, .lessOrEqual, R + b, R + c) { pc = i + a }
            case .jumpGreater: if try jumps(i, .greater, R + b, R + c) { pc = i + a }
            case .jumpGreaterEqual: if try jumps(i, .greaterOrEqual, R + b, R + c) { pc = i + a }
            case .jumpEqual: if try jumps(i, .equal, R + b, R + c) { pc = i + a }
            case .jumpNotEqual: if try jumps(i, .notEqual, R + b, R + c) { pc = i + a }
            case .jumpLessK: if try jumps(i, .less, R + b, K + c) { pc = i + a }
            case .jumpLessEqualK: if try jumps(i, .lessOrEqual, R + b, K + c) { pc = i + a }
            case .jumpGreaterK: if try jumps(i, .greater, R + b, K + c) { pc = i + a }
            case .jumpGreaterEqualK: if try jumps(i, .greaterOrEqual, R + b, K + c) { pc = i + a }
            case .jumpEqualK: if try jumps(i, .equal, R + b, K + c) { pc = i + a }
            case .jumpNotEqualK: if try jumps(i, .notEqual, R + b, K + c) { pc = i + a }

            // MARK: Loops
            case .iterate: try startIteration(R + a)
            case .iterateRange: try startRangeIteration(R + a, argumentCount: b)
            case .next:
                if (R + c + 1).isNumber {
                    i.pointee.isLeftToSwift = false
                    pc = i
                } else if let element = try nextElement(R + c) {
                    R[b] = element
                    pc = i + a
                }

            // MARK: Making values
            case .makeArray:
                R[a] = try makeArray(takeAll(R + b, c))
            case .makeList:
                R[a] = try .list(takeAll(R + b, c))
            case .makeRecord:
                R[a] = try F.pointee.code._withUnsafeGuaranteedRef { try $0.records[c]._withUnsafeGuaranteedRef { try makeRecord($0, R + b) } }
            case .spread: R[a] = try spread(R[b], over: R[a])
            case .beginCollection:
                R[a] = b == 1 ? .gathering(Gathering()) : .list(try List([]))
            case .append:
                if let gathering = (R + a).gatheringReference {
                    let list = try gathering._withUnsafeGuaranteedRef { try $0.appended(operand(R, b, i.pointee.lastUse.hasB)) }
                    guard let list else { continue }
                    // The other half knows how to append to a list.
                    R[a] = .list(list)
                    i.pointee.isLeftToSwift = false
                } else if case .list(let list) = R[a] {
                    try list.append(operand(R, b, i.pointee.lastUse.hasB))
                }
            case .finishCollection:
                switch R.take(b) {
                case .gathering(let gathering): R[a] = try gathering.finished(self)
                case let list: R[a] = list
                }
            case .extend, .extendGlobal:
                let slot = i.pointee.opcode == .extend ? R + a : globals + a
                let kind = Extension(rawValue: c) ?? .value
                if let function = (globals + Int(i.pointee.extra)).functionReference, function._withUnsafeGuaranteedRef({ $0.growth }) == kind.growth {
                    switch kind {
                    case .element: S.pointee.appending = UnsafeRawPointer(function.toOpaque())
                    case .value, .listOfValue, .arrayOfValue: S.pointee.concatenation = UnsafeRawPointer(function.toOpaque())
                    }
                    if slot.arrayReference != nil, kind != .value { i.pointee.isLeftToSwift = false }
                    if try slot.extend(by: R + b, isLast: i.pointee.lastUse.hasB, kind) { continue }
                }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                slot.pointee = try concatenate(slot.pointee, R, i, globals)
            case .interpolate:
                R[a] = try F.pointee.code._withUnsafeGuaranteedRef { try $0.interpolations[b]._withUnsafeGuaranteedRef { try interpolate($0, R) } }
            case .makeFunction:
                R[a] = try F.pointee.code._withUnsafeGuaranteedRef {
                    try $0.closures[b]._withUnsafeGuaranteedRef { try makeFunction($0, R, F.pointee.closure) }
                }
            case .prime:
                R[a] = try prime(R[b], order: c)

            // MARK: Parts of values
            case .index, .indexGlobal:
                let base = i.pointee.opcode == .index ? R + b : globals + b
                if (R + c).isNumber, let text = base.textReference, (R + a).setElement(of: text, at: (R + c).payload) {
                    S.pointee.letters = Text.letters
                    i.pointee.isLeftToSwift = false
                    continue
                }
                if let record = base.recordReference, let name = (R + c).textReference, (R + a).setField(of: record, name) { continue }
                if base.listReference != nil || base.arrayReference?._withUnsafeGuaranteedRef({ $0.length > 0 }) == true {
                    i.pointee.isLeftToSwift = false
                } else if base.arrayReference != nil, (R + c).isNumber, layByForRow(of: base) {
                    i.pointee.isLeftToSwift = false
                }
                R[a] = try index(base.pointee, c, R)
            case .indexTwo: R[a] = try index(R[b], Instruction.first(c), Instruction.second(c), R)
            case .indexItems:
                R[a] = try index(R[b], F.pointee.code._withUnsafeGuaranteedRef { $0.indexItems[c] }, R)
            case .field:
                let known = F.pointee.entry.pointee.fields + c
                guard let name = (K + known.pointee.name).textReference else { continue }
                if let record = (R + b).recordReference {
                    learn(known, record, name)
                    i.pointee.isLeftToSwift = false
                }
                R[a] = try field(R[b], name._withUnsafeGuaranteedRef { $0.string })
            case .update:
                try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[a] }, R, globals)
            case .changeElement:
                let slot = i.pointee.changesGlobal ? globals + a : R + a
                if slot.changePart(at: R + b, i.pointee.change, R + c, isLast: i.pointee.lastUse.hasC) { continue }
                if slot.arrayReference != nil || slot.listReference != nil { i.pointee.isLeftToSwift = false }
                try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[i.pointee.updateIndex] }, R, globals)
            case .changeElementTwo: try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[i.pointee.updateIndex] }, R, globals)
            case .changeField:
                let slot = i.pointee.changesGlobal ? globals + a : R + a, known = F.pointee.entry.pointee.fields + b
                guard let name = (K + known.pointee.name).textReference else { continue }
                if !slot.changeField(name, i.pointee.change, R + c, isLast: i.pointee.lastUse.hasC) {
                    try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[i.pointee.updateIndex] }, R, globals)
                }
                if let record = slot.recordReference {
                    learn(known, record, name)
                    i.pointee.isLeftToSwift = false
                }
            case .unpack:
                try unpack(R[b], into: R + a, count: c)

            // MARK: Calls
            case .call, .callGlobal:
                let callee = i.pointee.opcode == .call ? R + b : globals + Int(i.pointee.extra)
                guard let function = callee.functionReference else { throw notCallable(callee.pointee, i) }
                if function._withUnsafeGuaranteedRef({ $0.entry }) != nil {
                    let closure = unsafeDowncast(function.takeUnretainedValue(), to: Closure.self)
                    try checkCount(c, closure)
                    try checkRoom(for: closure, R + b + 1)
                    if closure.code.isWatched {
                        Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                        if let value = try callAgain(closure, R + b + 1, c) {
                            clear(R + b + 1, c)
                            R[a] = value
                            continue
                        }
                        push(function, at: R + b + 1, c, from: i)
                        F = S.pointee.frame
                        R = F.pointee.base
                        K = F.pointee.entry.pointee.constants
                        globals = F.pointee.entry.pointee.globals.pointee
                        pc = F.pointee.entry.pointee.instructions
                        continue
                    }
                    // (The other half goes in, unless something is wrong.)
                    i.pointee.isLeftToSwift = false
                    pc = i
                    continue
                }
                if callQuickly(function, R + b + 1, c, to: R + a) { continue }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                R[a] = try call(function.takeUnretainedValue(), Arguments(takeAll(R + b + 1, c)))
            case .callShaped:
                let shape = F.pointee.code._withUnsafeGuaranteedRef { $0.callShapes[Int(i.pointee.extra)] }
                let callee = shape.global.map { globals + $0 } ?? R + b
                if let function = callee.functionReference, function._withUnsafeGuaranteedRef({ $0.entry }) != nil, recording == nil {
                    let closure = unsafeDowncast(function.takeUnretainedValue(), to: Closure.self)
                    if learn(F.pointee.entry.pointee.calls + Int(i.pointee.extra), shape, closure, c) {
                        try checkRoom(for: closure, R + b + 1)
                        i.pointee.isLeftToSwift = false
                        pc = i
                        continue
                    }
                }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                R[a] = try callShaped(shape, callee, R + b + 1, c)
            case .result: return finish(i)

            case .record:
                if let recording, let id = F.pointee.code._withUnsafeGuaranteedRef({ $0.origin(of: i) }) { try recording.note(R[a], id) }
            case .checkForm:
                if (R + a).isNumber {
                    i.pointee.isLeftToSwift = false
                    if !((R + a).payload.magnitude < S.pointee.lossLimit) { continue }
                }
                try checkForm(F.pointee.code._withUnsafeGuaranteedRef { $0.formChecks[b] }, R[a], R, globals)

            case .show: try showResult(R.take(b))
            }
        }
    }

    /// Goes into a function of the program, as the other half does. There is room for it.
    private func push(_ function: Unmanaged<Function>, at base: Registers, _ count: Int, from i: UnsafeMutablePointer<Instruction>) {
        guard let entry = function._withUnsafeGuaranteedRef({ $0.entry }) else { return }
        prepare(base + Int(entry.pointee.registerCount) + 1)
        for missing in count..<max(count, Int(entry.pointee.parameterCount)) { base[missing] = .undefined }
        (state.pointee.frame + 1).initialize(
            to: Frame(
                entry: entry, code: entry.pointee.code, closure: function, base: base, returnAddress: i + 1, callSite: i))
        state.pointee.frame += 1
    }

    /// - Throws: When a call of a function whose arguments are at `base` would go too deep.
    private func checkRoom(for closure: Closure, _ base: Registers) throws {
        let needed = Int(closure.code.entry.pointee.registerCount) + 1
        guard state.pointee.frame < lastFrame, base + needed < limit else { throw RuntimeError.recursionTooDeep }
    }

    /// Notes where a record has a field, for the next record of its shape.
    @inline(__always)
    private func learn(_ known: UnsafeMutablePointer<KnownField>, _ record: Unmanaged<Record>, _ name: Unmanaged<Text>) {
        record._withUnsafeGuaranteedRef { record in
            guard let place = name._withUnsafeGuaranteedRef({ record.place(of: $0.string) }) else { return }
            (known.pointee.shape, known.pointee.place) = (record.fields.shape.id, place)
        }
    }

    /// Whether a jump that compares is taken, where not both are numbers.
    @inline(__always)
    private func jumps(_ i: UnsafeMutablePointer<Instruction>, _ comparison: ComparisonOperator, _ left: Registers, _ right: Registers) throws -> Bool {
        if left.isNumber, right.isNumber { i.pointee.isLeftToSwift = false }
        return try decide(comparison, left, right) == i.pointee.jumpsIf
    }

    @inline(__always)
    private func compare(_ comparison: ComparisonOperator, _ left: Value, _ right: Value, _ i: UnsafeMutablePointer<Instruction>) throws -> Value {
        if case .number = left, case .number = right { i.pointee.isLeftToSwift = false }
        return try compare(comparison, left, right)
    }

    @inline(__always)
    private func truth(of register: Registers, _ i: UnsafeMutablePointer<Instruction>) throws -> Bool {
        if case .bool(let bool) = register.pointee {
            i.pointee.isLeftToSwift = false
            return bool
        }
        return try truth(of: register.pointee)
    }
}
