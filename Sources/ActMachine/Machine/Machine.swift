// The machine runs register code. The loop has two halves: `act_run`, in C, does what concerns numbers, elements of plain arrays and calls
// of functions of the program, and stops in front of everything else, which `interpret` does here, with the help of Machine+….swift, and which
// may throw. Nothing here looks names up. The file is long because the loop is one `switch`: taken apart, every instruction would pay for a
// call.
//
// What must stay true:
// - Every register below `ready` holds an initialised value; registers above the running frame hold trivial ones.
// - `frame` and `instruction` are up to date whenever something may throw, so that an error finds its place.
// - Code, closures and modules that run are kept alive by the values and frames below them.

import ActArray
import ActFiles
import ActGrad
import ActRandom
import ActRanks
import ActSyntax
import CActKernels
import CActMachine
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package final class Machine {
    typealias Registers = UnsafeMutablePointer<Value>

    /// (`act_frame` in C.)
    package struct Frame {
        let entry: UnsafeMutablePointer<Code.Entry>
        package let code: Unmanaged<Code>
        let closure: Unmanaged<Function>?
        let base: Registers
        /// The register of the caller that gets the result; counted from the caller's base.
        let result: Int
        /// Where the caller goes on; `nil` when it is Swift code.
        let returnAddress: UnsafeMutablePointer<Instruction>?
        /// The instruction of the frame below that led here.
        package let callSite: UnsafeMutablePointer<Instruction>?
    }

    /// What changes while the machine runs, and the bounds of it, in memory of its own: no access checks on the way. (`act_state` in C.)
    struct State {
        /// The running frame; below `frames` when nothing runs.
        var frame: UnsafeMutablePointer<Frame>
        /// Registers below are initialised.
        var ready: Registers
        /// The instruction that is running, for errors.
        var instruction: UnsafeMutablePointer<Instruction>?
        let lastFrame: UnsafeMutablePointer<Frame>
        let limit: Registers
        let interrupt: UnsafePointer<Int32>
        /// Results of formulas that are below are looked at, for they may have lost their digits.
        let lossLimit = Machine.lossLimit(.f64)
        /// The function that `extend` stands for, once it has been met; what holds it is not asked, for it is only compared.
        var concatenation: UnsafeRawPointer?
        var letters: UnsafePointer<Value>?
        /// How many calls from Swift into the machine are open; they use the thread's own stack.
        var nativeDepth = 0
    }

    package unowned let host: MachineHost
    /// What makes layers of the blocks of `layer`.
    package let layers: any LayerWorkshop
    /// What programs draw their random numbers from.
    @exclusivity(unchecked) package var random: RandomSource
    /// What files programs come to.
    package let files: FileDoor
    /// The processes that run the program.
    package let team: Team
    let warnings: Warnings
    /// Notes what runs, for explanations.
    @exclusivity(unchecked) package internal(set) var recording: Recording?
    /// Results to be looked at once they are computed.
    @exclusivity(unchecked) var pendingForms: [PendingForm] = []
    var warned = WarnedPlaces()
    /// What was saved in files while a derivative is being taken that follows it.
    package var savedInDerivative: [NDArray] = []
    /// The kink at which the last derivative of a number was taken, if it was at one.
    package var metKink: Kink?
    /// Functions whose derivatives were taken before, as what they come to.
    let replays = ReplayShelf()
    /// Whether derivatives that are taken again are replayed.
    package var replaysFunctions = true
    /// The engine's, at hand.
    private let interrupt: Interrupt
    @inline(__always) private var isInterrupted: Bool { act_word_get(interrupt.word) != 0 }
    private let stack: Registers
    private let limit: Registers
    private let frameMemory: UnsafeMutablePointer<Frame>
    private let lastFrame: UnsafeMutablePointer<Frame>
    let state: UnsafeMutablePointer<State>

    package static let maximumFrames = 200_000
    static let maximumNativeDepth = 12_000
    private static let stackCount = 16 << 20

    /// - Throws: `ArrayError.outOfMemory` when there is no address space for the registers.
    package init(host: MachineHost, layers: any LayerWorkshop, interrupt: Interrupt, random: RandomSource, files: FileDoor, team: Team, warnings: Warnings)
        throws
    {
        self.host = host
        self.layers = layers
        self.interrupt = interrupt
        self.random = random
        self.files = files
        self.team = team
        self.warnings = warnings
        // Reserved, not used: memory is touched as calls nest deeper.
        stack = try Self.reserve(Value.self, Self.stackCount)
        limit = stack + Self.stackCount
        frameMemory = try Self.reserve(Frame.self, Self.maximumFrames)
        lastFrame = frameMemory + (Self.maximumFrames - 1)
        state = .allocate(capacity: 1)
        state.initialize(to: State(frame: frameMemory - 1, ready: stack, lastFrame: lastFrame, limit: limit, interrupt: interrupt.word))
    }

    private static func reserve<T>(_ type: T.Type, _ count: Int) throws -> UnsafeMutablePointer<T> {
        let bytes = count * MemoryLayout<T>.stride
        guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), memory != MAP_FAILED else {
            throw ArrayError.outOfMemory(bytes: bytes, limit: bytes)
        }
        return memory.bindMemory(to: T.self, capacity: count)
    }

    deinit {
        stack.deinitialize(count: state.pointee.ready - stack)
        munmap(stack, Self.stackCount * MemoryLayout<Value>.stride)
        munmap(frameMemory, Self.maximumFrames * MemoryLayout<Frame>.stride)
        state.deallocate()
    }

    /// The open frames, the outermost first.
    package var frames: UnsafeBufferPointer<Frame> { UnsafeBufferPointer(start: frameMemory, count: state.pointee.frame - frameMemory + 1) }

    /// The instruction that is running.
    var instruction: UnsafeMutablePointer<Instruction>? { state.pointee.instruction }

    // MARK: Entering

    /// Runs code of the outermost level.
    package func run(_ code: Code) throws {
        _ = try enter(code, closure: nil, arguments: [])
    }

    /// Calls a closure with arguments by position and name.
    func run(_ closure: Closure, _ arguments: Arguments) throws -> Value {
        let code = recording == nil ? closure.code : closure.code.recording()
        guard arguments.named.isEmpty else {
            return try enter(code, closure: closure, arguments: bind(arguments, to: closure))
        }
        try checkCount(arguments.positional.count, closure)
        return try enter(code, closure: closure, arguments: arguments.positional)
    }

    /// Calls any function with one or two arguments: what `call` does, with less to do for who calls it again and again.
    package func call(_ function: Function, _ first: Value, _ second: Value? = nil) throws -> Value {
        let count = second == nil ? 1 : 2
        guard let entry = function.entry, recording == nil, Int(entry.pointee.parameterCount) == count else {
            if second == nil, case .number(let x) = first, let kernel = function.kernel {
                var x = x, y = 0.0
                kernel(&x, &y, 1)
                if y.magnitude < .infinity { return .number(y) }
            }
            return try call(function, Arguments(second.map { [first, $0] } ?? [first]))
        }
        guard state.pointee.nativeDepth < Self.maximumNativeDepth else { throw RuntimeError.recursionTooDeep }
        if isInterrupted { throw ArrayError.interrupted }
        let outer = state.pointee.frame, savedInstruction = state.pointee.instruction
        let base = outer >= frameMemory ? outer.pointee.base + Int(outer.pointee.entry.pointee.registerCount) : stack
        let needed = Int(entry.pointee.registerCount) + 1
        guard outer < lastFrame, limit - base > needed, act_stack_has_room() != 0 else { throw RuntimeError.recursionTooDeep }
        prepare(base + needed)
        base.pointee = first
        if let second { base[1] = second }
        (outer + 1).initialize(
            to: Frame(
                entry: entry, code: entry.pointee.code, closure: .passUnretained(function), base: base, result: 0, returnAddress: nil,
                callSite: savedInstruction))
        state.pointee.frame = outer + 1
        state.pointee.nativeDepth += 1
        defer {
            state.pointee.nativeDepth -= 1
            state.pointee.instruction = savedInstruction
        }
        do { return try loop() } catch { throw unwind(to: outer, error) }
    }

    /// Leaves all frames above `outer`.
    /// - Returns: The error with its place.
    private func unwind(to outer: UnsafeMutablePointer<Frame>, _ error: any Error) -> Fault {
        let fault = Fault.wrap(error, self)
        while state.pointee.frame > outer {
            let frame = state.pointee.frame
            clear(frame.pointee.base, Int(frame.pointee.entry.pointee.registerCount))
            state.pointee.frame -= 1
        }
        return fault
    }

    /// Calls any function.
    package func call(_ function: Function, _ arguments: Arguments) throws -> Value {
        state.pointee.nativeDepth += 1
        defer { state.pointee.nativeDepth -= 1 }
        guard state.pointee.nativeDepth <= Self.maximumNativeDepth, act_stack_has_room() != 0 else { throw RuntimeError.recursionTooDeep }
        if isInterrupted { throw ArrayError.interrupted }
        return try function.call(arguments, self)
    }

    private func enter(_ code: Code, closure: Closure?, arguments: [Value]) throws -> Value {
        let outer = state.pointee.frame
        let currentCall = recording == nil ? nil : currentOrigin?.expression
        let base = outer >= frameMemory ? outer.pointee.base + Int(outer.pointee.entry.pointee.registerCount) : stack
        let savedInstruction = state.pointee.instruction
        let count = Int(code.entry.pointee.registerCount) + 1
        guard outer < lastFrame, limit - base > count, act_stack_has_room() != 0 else { throw RuntimeError.recursionTooDeep }
        prepare(base + count)
        for (index, argument) in arguments.enumerated() { base[index] = argument }
        for index in arguments.count..<max(arguments.count, code.parameters.count) { base[index] = .undefined }
        (outer + 1).initialize(
            to: Frame(
                entry: code.entry, code: .passUnretained(code), closure: closure.map { .passUnretained($0 as Function) }, base: base, result: 0,
                returnAddress: nil, callSite: savedInstruction))
        state.pointee.frame = outer + 1
        recording?.enter(code, call: currentCall)
        defer { recording?.leave() }
        do {
            if isInterrupted {
                state.pointee.instruction = code.entry.pointee.instructions
                throw ArrayError.interrupted
            }
            let result = try withExtendedLifetime((code, closure)) { try loop() }
            state.pointee.instruction = savedInstruction
            return result
        } catch {
            let fault = unwind(to: outer, error)
            state.pointee.instruction = savedInstruction
            throw fault
        }
    }

    /// Makes registers up to `end` ready to be assigned.
    @inline(__always)
    private func prepare(_ end: Registers) {
        let ready = state.pointee.ready
        if end > ready {
            ready.initialize(repeating: .none, count: end - ready)
            state.pointee.ready = end
        }
    }

    @inline(__always)
    private func clear(_ base: Registers, _ count: Int) {
        var register = base
        let end = base + count
        while register < end {
            if !register.isTrivial { register.pointee = .none }
            register += 1
        }
    }

    // MARK: The loop

    /// Runs the topmost frame until it returns.
    @inline(__always)
    private func loop() throws -> Value {
        let first = state.pointee.frame.pointee.entry.pointee.instructions
        // Of many functions the other half does all.
        let i = first.pointee.isLeftToSwift ? first : act_run(state, first)
        return i.pointee.opcode == .result ? finish(i) : try interpret(from: i)
    }

    /// Leaves the topmost frame, which Swift has called.
    @inline(__always)
    private func finish(_ i: UnsafeMutablePointer<Instruction>) -> Value {
        let frame = state.pointee.frame, base = frame.pointee.base, register = Int(i.pointee.b)
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
            let a = Int(i.pointee.a), b = Int(i.pointee.b), c = Int(i.pointee.c)
            pc += 1
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
                R[a] = try makeRecord(F.pointee.code._withUnsafeGuaranteedRef { $0.records[c] }, R + b)
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
                    if kind != .element { S.pointee.concatenation = UnsafeRawPointer(function.toOpaque()) }
                    if try slot.extend(by: R + b, isLast: i.pointee.lastUse.hasB, kind) { continue }
                }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                slot.pointee = try concatenate(slot.pointee, R, i, globals)
            case .interpolate:
                R[a] = try interpolate(F.pointee.code._withUnsafeGuaranteedRef { $0.interpolations[b] }, R)
            case .makeFunction:
                R[a] = try makeFunction(F.pointee.code._withUnsafeGuaranteedRef { $0.functions[b] }, R, F.pointee.closure)
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
                if base.listReference != nil || base.arrayReference?._withUnsafeGuaranteedRef({ $0.length > 0 }) == true { i.pointee.isLeftToSwift = false }
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
                if let function = (R + b).functionReference, function._withUnsafeGuaranteedRef({ $0.entry }) != nil, recording == nil {
                    let closure = unsafeDowncast(function.takeUnretainedValue(), to: Closure.self)
                    if learn(F.pointee.entry.pointee.calls + Int(i.pointee.extra), shape, closure, c) {
                        try checkRoom(for: closure, R + b + 1)
                        i.pointee.isLeftToSwift = false
                        pc = i
                        continue
                    }
                }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                R[a] = try callShaped(shape, R + b, c)
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
                entry: entry, code: entry.pointee.code, closure: function, base: base, result: Int(i.pointee.a), returnAddress: i + 1, callSite: i))
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

    private func unknownName(_ slot: Int) -> RuntimeError {
        .unknownName(state.pointee.frame.pointee.code._withUnsafeGuaranteedRef { $0.module.names[slot] })
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
