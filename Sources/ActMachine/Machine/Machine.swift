// The machine runs register code. Numbers take the fast path written out in `loop`; everything else goes to the slow paths in
// Machine+….swift, which may throw. Nothing here looks names up. The file is long because the loop is one `switch`: taken apart, every
// instruction would pay for a call.
//
// What must stay true:
// - Every register below `ready` holds an initialised value; registers above the running frame hold trivial ones.
// - `frame` and `instruction` are up to date whenever something may throw, so that an error finds its place.
// - Code, closures and modules that run are kept alive by the values and frames below them.

import ActArray
import ActFiles
import ActGrad
import ActRandom
import ActSyntax
import CActKernels
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package final class Machine {
    typealias Registers = UnsafeMutablePointer<Value>

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

    /// What changes while the machine runs, in memory of its own: no access checks on the way.
    struct State {
        /// The running frame; below `frames` when nothing runs.
        var frame: UnsafeMutablePointer<Frame>
        /// Registers below are initialised.
        var ready: Registers
        /// The instruction that is running, for errors.
        var instruction: UnsafeMutablePointer<Instruction>?
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
    package init(host: MachineHost, layers: any LayerWorkshop, interrupt: Interrupt, random: RandomSource, files: FileDoor, warnings: Warnings) throws {
        self.host = host
        self.layers = layers
        self.interrupt = interrupt
        self.random = random
        self.files = files
        self.warnings = warnings
        // Reserved, not used: memory is touched as calls nest deeper.
        stack = try Self.reserve(Value.self, Self.stackCount)
        limit = stack + Self.stackCount
        frameMemory = try Self.reserve(Frame.self, Self.maximumFrames)
        lastFrame = frameMemory + (Self.maximumFrames - 1)
        state = .allocate(capacity: 1)
        state.initialize(to: State(frame: frameMemory - 1, ready: stack))
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
        (outer + 1).initialize(to: Frame(
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
        (outer + 1).initialize(to: Frame(
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
    private func loop() throws -> Value {
        let S = state
        var F = S.pointee.frame
        var R = F.pointee.base
        var K = F.pointee.entry.pointee.constants
        var globals = F.pointee.entry.pointee.globals.pointee
        var pc = F.pointee.entry.pointee.instructions

        while true {
            let i = pc
            let a = Int(i.pointee.a), b = Int(i.pointee.b), c = Int(i.pointee.c)
            pc += 1
            switch i.pointee.opcode {
            case .move:
                if case .number(let number) = R[b] { (R + a).set(number); continue }
                if i.pointee.lastUse.hasB { R[a] = R.take(b) } else { R[a] = R[b] }
            case .constant:
                if case .number(let number) = K[b] { (R + a).set(number) } else { R[a] = K[b] }
            case .loadGlobal:
                if case .number(let number) = globals[b] {
                    (R + a).set(number)
                } else {
                    if case .undefined = globals[b] {
                        S.pointee.instruction = i
                        throw RuntimeError.unknownName(F.pointee.code._withUnsafeGuaranteedRef { $0.module.names[b] })
                    }
                    R[a] = globals[b]
                }
            case .loadGlobalOrNone: R[a] = globals[b]
            case .storeGlobal:
                if (R + b).isNumber { (globals + a).set((R + b).payload); continue }
                if i.pointee.lastUse.hasB { globals[a] = R.take(b) } else { globals[a] = R[b] }
            case .checkGlobal:
                if case .undefined = globals[a] {
                    S.pointee.instruction = i
                    throw RuntimeError.unknownName(F.pointee.code._withUnsafeGuaranteedRef { $0.module.names[a] })
                }
            case .addGlobal:
                if (globals + a).isNumber, (R + b).isNumber {
                    let sum = (globals + a).payload + (R + b).payload
                    if isFinite(sum) { (globals + a).set(sum); continue }
                }
                S.pointee.instruction = i
                try add(operand(R, b, i.pointee.lastUse.hasB), to: globals + a)
            case .unsetGlobal:
                if case .undefined = globals[a] {
                    S.pointee.instruction = i
                    throw RuntimeError.unknownName(F.pointee.code._withUnsafeGuaranteedRef { $0.module.names[a] })
                }
                F.pointee.code._withUnsafeGuaranteedRef { $0.module.reset(a) }
            case .loadCapture:
                guard let closure = F.pointee.closure else { continue }
                let captured = closure._withUnsafeGuaranteedRef { unsafeDowncast($0, to: Closure.self).captures[b] }
                if case .undefined = captured {
                    S.pointee.instruction = i
                    throw RuntimeError.capturedWithoutValue
                }
                R[a] = captured
            case .loadSelf: if let closure = F.pointee.closure { R[a] = .function(closure.takeUnretainedValue()) }
            case .checkLocal:
                if case .undefined = R[a] {
                    S.pointee.instruction = i
                    throw RuntimeError.localWithoutValue
                }
            case .clear: R[a] = .undefined
            case .noteField:
                S.pointee.instruction = i
                if case .string(let name) = K[b] { try layers.note(field: name.string, R[a]) }

            // MARK: Operators. (What is not finite may have to warn.)
            case .add:
                if case .number(let x) = R[b], case .number(let y) = R[c] {
                    let sum = x + y
                    if isFinite(sum) { (R + a).set(sum); continue }
                }
                S.pointee.instruction = i
                try binary(.add, R, i)
            case .sub:
                if case .number(let x) = R[b], case .number(let y) = R[c] {
                    let difference = x - y
                    if isFinite(difference) { (R + a).set(difference); continue }
                }
                S.pointee.instruction = i
                try binary(.subtract, R, i)
            case .mul:
                if case .number(let x) = R[b], case .number(let y) = R[c] {
                    let product = x * y
                    if isFinite(product) { (R + a).set(product); continue }
                }
                S.pointee.instruction = i
                try binary(.multiply, R, i)
            case .div:
                if case .number(let x) = R[b], case .number(let y) = R[c] {
                    let quotient = x / y
                    if quotient.magnitude < .infinity { (R + a).set(quotient); continue }
                }
                S.pointee.instruction = i
                try binary(.divide, R, i)
            case .modulo:
                if case .number(let x) = R[b], case .number(let y) = R[c] {
                    var remainder = 0.0
                    if act_whole_remainder(x, y, &remainder) {
                        (R + a).set(remainder)
                        continue
                    }
                }
                S.pointee.instruction = i
                try binary(.remainder, R, i)
            case .pow:
                S.pointee.instruction = i
                try binary(.power, R, i)
            case .floorDivide:
                if case .number(let x) = R[b], case .number(let y) = R[c] {
                    var quotient = 0.0
                    if act_whole_quotient(x, y, &quotient) {
                        (R + a).set(quotient)
                        continue
                    }
                }
                S.pointee.instruction = i
                try binary(.floorDivide, R, i)
            case .matmul:
                S.pointee.instruction = i
                try binary(.matmul, R, i)

            case .addK:
                if case .number(let x) = R[b], case .number(let y) = K[c] {
                    let sum = x + y
                    if isFinite(sum) { (R + a).set(sum); continue }
                }
                S.pointee.instruction = i
                try binary(.add, R, i, constant: K[c])
            case .subK:
                if case .number(let x) = R[b], case .number(let y) = K[c] {
                    let difference = x - y
                    if isFinite(difference) { (R + a).set(difference); continue }
                }
                S.pointee.instruction = i
                try binary(.subtract, R, i, constant: K[c])
            case .mulK:
                if case .number(let x) = R[b], case .number(let y) = K[c] {
                    let product = x * y
                    if isFinite(product) { (R + a).set(product); continue }
                }
                S.pointee.instruction = i
                try binary(.multiply, R, i, constant: K[c])
            case .divK:
                if case .number(let x) = R[b], case .number(let y) = K[c] {
                    let quotient = x / y
                    if quotient.magnitude < .infinity { (R + a).set(quotient); continue }
                }
                S.pointee.instruction = i
                try binary(.divide, R, i, constant: K[c])
            case .moduloK:
                if case .number(let x) = R[b], case .number(let y) = K[c] {
                    var remainder = 0.0
                    if act_whole_remainder(x, y, &remainder) {
                        (R + a).set(remainder)
                        continue
                    }
                }
                S.pointee.instruction = i
                try binary(.remainder, R, i, constant: K[c])
            case .powK:
                if case .number(let x) = R[b], case .number(2) = K[c] {
                    let square = x * x
                    if isFinite(square) { (R + a).set(square); continue }
                }
                S.pointee.instruction = i
                try binary(.power, R, i, constant: K[c])
            case .floorDivideK:
                if case .number(let x) = R[b], case .number(let y) = K[c] {
                    var quotient = 0.0
                    if act_whole_quotient(x, y, &quotient) {
                        (R + a).set(quotient)
                        continue
                    }
                }
                S.pointee.instruction = i
                try binary(.floorDivide, R, i, constant: K[c])

            case .negate:
                if case .number(let x) = R[b] { (R + a).set(-x); continue }
                S.pointee.instruction = i
                R[a] = try negate(operand(R, b, i.pointee.lastUse.hasB))
            case .plus:
                S.pointee.instruction = i
                R[a] = try plus(operand(R, b, i.pointee.lastUse.hasB))
            case .not:
                if case .bool(let x) = R[b] { R[a] = .bool(!x); continue }
                S.pointee.instruction = i
                R[a] = try not(operand(R, b, i.pointee.lastUse.hasB))
            case .less:
                if case .number(let x) = R[b], case .number(let y) = R[c] { R[a] = .bool(x < y); continue }
                S.pointee.instruction = i
                R[a] = try compare(.less, R[b], R[c])
            case .lessEqual:
                if case .number(let x) = R[b], case .number(let y) = R[c] { R[a] = .bool(x <= y); continue }
                S.pointee.instruction = i
                R[a] = try compare(.lessOrEqual, R[b], R[c])
            case .greater:
                if case .number(let x) = R[b], case .number(let y) = R[c] { R[a] = .bool(x > y); continue }
                S.pointee.instruction = i
                R[a] = try compare(.greater, R[b], R[c])
            case .greaterEqual:
                if case .number(let x) = R[b], case .number(let y) = R[c] { R[a] = .bool(x >= y); continue }
                S.pointee.instruction = i
                R[a] = try compare(.greaterOrEqual, R[b], R[c])
            case .equal:
                if case .number(let x) = R[b], case .number(let y) = R[c] { R[a] = .bool(x == y); continue }
                S.pointee.instruction = i
                R[a] = try compare(.equal, R[b], R[c])
            case .notEqual:
                if case .number(let x) = R[b], case .number(let y) = R[c] { R[a] = .bool(x != y); continue }
                S.pointee.instruction = i
                R[a] = try compare(.notEqual, R[b], R[c])
            case .logicalAnd:
                S.pointee.instruction = i
                R[a] = try logical(isAnd: true, R[b], R[c])
            case .logicalOr:
                S.pointee.instruction = i
                R[a] = try logical(isAnd: false, R[b], R[c])
            case .compose:
                S.pointee.instruction = i
                R[a] = try compose(R[b], R[c])

            // MARK: Jumps
            case .jump: pc = i + a
            case .checkInterrupt: if isInterrupted { try endLoop(i) }
            case .jumpIfFalse:
                if case .bool(let condition) = R[b] {
                    if _fastPath(!condition) { pc = i + a }
                } else {
                    S.pointee.instruction = i
                    if try !truth(of: R[b]) { pc = i + a }
                }
            case .jumpIfTrue:
                if case .bool(let condition) = R[b] {
                    if _fastPath(condition) { pc = i + a }
                } else {
                    S.pointee.instruction = i
                    if try truth(of: R[b]) { pc = i + a }
                }
            case .andSkip:
                S.pointee.instruction = i
                if try skips(R[b], when: false) { pc = i + a }
            case .orSkip:
                S.pointee.instruction = i
                if try skips(R[b], when: true) { pc = i + a }
            case .jumpIfDefined:
                if case .undefined = R[b] {} else { pc = i + a }
            case .jumpLess: if try jumps(i, R + b, R + c, .less, <) { pc = try target(i) }
            case .jumpLessEqual: if try jumps(i, R + b, R + c, .lessOrEqual, <=) { pc = try target(i) }
            case .jumpGreater: if try jumps(i, R + b, R + c, .greater, >) { pc = try target(i) }
            case .jumpGreaterEqual: if try jumps(i, R + b, R + c, .greaterOrEqual, >=) { pc = try target(i) }
            case .jumpEqual: if try jumps(i, R + b, R + c, .equal, ==) { pc = try target(i) }
            case .jumpNotEqual: if try jumps(i, R + b, R + c, .notEqual, !=) { pc = try target(i) }
            case .jumpLessK: if try jumps(i, R + b, K + c, .less, <) { pc = try target(i) }
            case .jumpLessEqualK: if try jumps(i, R + b, K + c, .lessOrEqual, <=) { pc = try target(i) }
            case .jumpGreaterK: if try jumps(i, R + b, K + c, .greater, >) { pc = try target(i) }
            case .jumpGreaterEqualK: if try jumps(i, R + b, K + c, .greaterOrEqual, >=) { pc = try target(i) }
            case .jumpEqualK: if try jumps(i, R + b, K + c, .equal, ==) { pc = try target(i) }
            case .jumpNotEqualK: if try jumps(i, R + b, K + c, .notEqual, !=) { pc = try target(i) }

            // MARK: Loops
            case .iterate:
                S.pointee.instruction = i
                try startIteration(R + a)
            case .iterateRange:
                S.pointee.instruction = i
                try startRangeIteration(R + a, argumentCount: b)
            case .next:
                if isInterrupted { try endLoop(i) }
                let loop = R + c
                if (loop + 1).isNumber {
                    let position = (loop + 2).payload
                    if _fastPath(position < (loop + 3).payload) {
                        (loop + 2).payload = position + 1
                        (R + b).set(loop.payload + position * (loop + 1).payload)
                        pc = i + a
                    }
                } else {
                    let position = (loop + 2).payload
                    if let node = loop.arrayReference, (R + b).setElement(of: node, at: position) {
                        (loop + 2).payload = position + 1
                        pc = i + a
                        continue
                    }
                    S.pointee.instruction = i
                    if let element = try nextElement(R + c) {
                        R[b] = element
                        pc = i + a
                    }
                }

            // MARK: Making values
            case .makeArray:
                S.pointee.instruction = i
                R[a] = try makeArray(takeAll(R + b, c))
            case .makeList:
                S.pointee.instruction = i
                R[a] = try .list(takeAll(R + b, c))
            case .makeRecord:
                S.pointee.instruction = i
                R[a] = try makeRecord(F.pointee.code._withUnsafeGuaranteedRef { $0.records[c] }, R + b)
            case .beginCollection:
                S.pointee.instruction = i
                R[a] = b == 1 ? .gathering(Gathering()) : .list(try List([]))
            case .append:
                S.pointee.instruction = i
                if let gathering = (R + a).gatheringReference {
                    if (R + b).isNumber {
                        try gathering._withUnsafeGuaranteedRef { try $0.append((R + b).payload) }
                    } else {
                        try gathering._withUnsafeGuaranteedRef { try $0.append(operand(R, b, i.pointee.lastUse.hasB)) }
                    }
                } else if case .list(let list) = R[a] {
                    try list.append(operand(R, b, i.pointee.lastUse.hasB))
                }
            case .finishCollection:
                S.pointee.instruction = i
                switch R.take(b) {
                case .gathering(let gathering): R[a] = try gathering.finished(self)
                case let list: R[a] = list
                }
            case .extend, .extendGlobal:
                S.pointee.instruction = i
                let slot = i.pointee.opcode == .extend ? R + a : globals + a
                if let function = (globals + Int(i.pointee.extra)).functionReference, function._withUnsafeGuaranteedRef({ $0.isConcatenation }),
                   try slot.extend(by: R + b, isLast: i.pointee.lastUse.hasB, Extension(rawValue: c) ?? .value) { continue }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                slot.pointee = try concatenate(slot.pointee, R, i, globals)
            case .interpolate:
                S.pointee.instruction = i
                R[a] = try interpolate(F.pointee.code._withUnsafeGuaranteedRef { $0.interpolations[b] }, R)
            case .makeFunction:
                S.pointee.instruction = i
                R[a] = try makeFunction(F.pointee.code._withUnsafeGuaranteedRef { $0.functions[b] }, R, F.pointee.closure)
            case .prime:
                S.pointee.instruction = i
                R[a] = try prime(R[b], order: c)

            // MARK: Parts of values
            case .index, .indexGlobal:
                let base = i.pointee.opcode == .index ? R + b : globals + b
                if (R + c).isNumber {
                    let key = (R + c).payload
                    if let node = base.arrayReference {
                        if (R + a).setElement(of: node, at: key) { continue }
                    } else if let list = base.listReference {
                        if (R + a).setElement(of: list, at: key) { continue }
                    } else if let text = base.textReference {
                        if (R + a).setElement(of: text, at: key) { continue }
                    }
                }
                S.pointee.instruction = i
                R[a] = try index(base.pointee, c, R)
            case .indexTwo:
                let row = R + Instruction.first(c), column = R + Instruction.second(c)
                if row.isNumber, column.isNumber, let node = (R + b).arrayReference,
                   (R + a).setElement(of: node, at: row.payload, column.payload) { continue }
                S.pointee.instruction = i
                R[a] = try index(R[b], Instruction.first(c), Instruction.second(c), R)
            case .indexItems:
                S.pointee.instruction = i
                R[a] = try index(R[b], F.pointee.code._withUnsafeGuaranteedRef { $0.indexItems[c] }, R)
            case .field:
                S.pointee.instruction = i
                guard let name = (K + c).textReference else { continue }
                if let record = (R + b).recordReference, (R + a).setField(of: record, name, &i.pointee.extra) { continue }
                R[a] = try field(R[b], name._withUnsafeGuaranteedRef { $0.string })
            case .update:
                S.pointee.instruction = i
                try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[a] }, R, globals)
            case .changeElement:
                let slot = i.pointee.changesGlobal ? globals + a : R + a
                if (R + b).isNumber,
                   slot.changeElement(at: (R + b).payload, i.pointee.change, R + c, isLast: i.pointee.lastUse.hasC) { continue }
                S.pointee.instruction = i
                try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[i.pointee.updateIndex] }, R, globals)
            case .changeElementTwo:
                let slot = i.pointee.changesGlobal ? globals + a : R + a
                let row = R + Instruction.first(b), column = R + Instruction.second(b)
                if row.isNumber, column.isNumber, slot.changeElement(at: row.payload, column.payload, i.pointee.change, R + c) { continue }
                S.pointee.instruction = i
                try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[i.pointee.updateIndex] }, R, globals)
            case .changeField:
                let slot = i.pointee.changesGlobal ? globals + a : R + a
                guard let name = (K + i.pointee.fieldName).textReference else { continue }
                if slot.changeField(name, at: i.pointee.fieldPlace, i.pointee.change, R + c, isLast: i.pointee.lastUse.hasC) { continue }
                S.pointee.instruction = i
                try update(F.pointee.code._withUnsafeGuaranteedRef { $0.updates[i.pointee.updateIndex] }, R, globals)
                if let record = slot.recordReference,
                   let place = record._withUnsafeGuaranteedRef({ record in name._withUnsafeGuaranteedRef { record.place(of: $0.string) } }) {
                    i.pointee.fieldPlace = place
                }
            case .unpack:
                S.pointee.instruction = i
                try unpack(R[b], into: R + a, count: c)

            // MARK: Calls
            case .call, .callGlobal:
                let callee = i.pointee.opcode == .call ? R + b : globals + Int(i.pointee.extra)
                S.pointee.instruction = i
                guard let function = callee.functionReference else { throw notCallable(callee.pointee, i) }
                if let entry = function._withUnsafeGuaranteedRef({ $0.entry }) {
                    let base = R + b + 1
                    let needed = Int(entry.pointee.registerCount) + 1
                    guard F < lastFrame, base + needed < limit else { throw RuntimeError.recursionTooDeep }
                    prepare(base + needed)
                    if c != Int(entry.pointee.parameterCount) {
                        try checkCount(c, unsafeDowncast(function.takeUnretainedValue(), to: Closure.self))
                        for missing in c..<Int(entry.pointee.parameterCount) { base[missing] = .undefined }
                    }
                    F += 1
                    F.initialize(to: Frame(
                        entry: entry, code: entry.pointee.code, closure: function, base: base, result: a, returnAddress: pc, callSite: i))
                    S.pointee.frame = F
                    if isInterrupted { throw ArrayError.interrupted }
                    R = base
                    K = entry.pointee.constants
                    globals = entry.pointee.globals.pointee
                    pc = entry.pointee.instructions
                    continue
                }
                if callQuickly(function, R + b + 1, c, to: R + a) { continue }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                R[a] = try call(function.takeUnretainedValue(), Arguments(takeAll(R + b + 1, c)))
            case .callShaped:
                S.pointee.instruction = i
                if let function = (R + b).functionReference, let entry = function._withUnsafeGuaranteedRef({ $0.entry }), recording == nil {
                    let known = F.pointee.entry.pointee.calls + Int(i.pointee.extra)
                    if known.pointee.callee == entry.pointee.id && known.pointee.positional == c
                        || learn(known, unsafeDowncast(function.takeUnretainedValue(), to: Closure.self), c) {
                        let base = R + b + 1
                        let needed = Int(entry.pointee.registerCount) + 1
                        guard F < lastFrame, base + needed < limit else { throw RuntimeError.recursionTooDeep }
                        prepare(base + needed)
                        spread(known.pointee.places, base, c, of: Int(entry.pointee.parameterCount))
                        F += 1
                        F.initialize(to: Frame(
                            entry: entry, code: entry.pointee.code, closure: function, base: base, result: a, returnAddress: pc, callSite: i))
                        S.pointee.frame = F
                        if isInterrupted { throw ArrayError.interrupted }
                        R = base
                        K = entry.pointee.constants
                        globals = entry.pointee.globals.pointee
                        pc = entry.pointee.instructions
                        continue
                    }
                }
                Site.current = F.pointee.code._withUnsafeGuaranteedRef { $0.site(of: i) }
                R[a] = try callShaped(F.pointee.code._withUnsafeGuaranteedRef { $0.callShapes[Int(i.pointee.extra)] }, R + b, c)
            case .result:
                let finished = F
                let count = Int(finished.pointee.entry.pointee.registerCount)
                F -= 1
                S.pointee.frame = F
                guard let address = finished.pointee.returnAddress else {
                    let result = i.pointee.lastUse.hasB ? R.take(b) : R[b]
                    clear(R, count)
                    return result
                }
                let target = F.pointee.base + finished.pointee.result
                if case .number(let number) = R[b] {
                    clear(R, count)
                    target.set(number)
                } else {
                    let result = R.take(b)
                    clear(R, count)
                    target.pointee = result
                }
                R = F.pointee.base
                K = F.pointee.entry.pointee.constants
                globals = F.pointee.entry.pointee.globals.pointee
                pc = address

            case .record:
                S.pointee.instruction = i
                if let recording, let id = F.pointee.code._withUnsafeGuaranteedRef({ $0.origin(of: i) }) { try recording.note(R[a], id) }
            case .checkForm:
                if case .number(let x) = R[a], !(x.magnitude < Self.lossLimit(.f64)) { continue }
                S.pointee.instruction = i
                try checkForm(F.pointee.code._withUnsafeGuaranteedRef { $0.formChecks[b] }, R[a], R, globals)

            case .show:
                S.pointee.instruction = i
                try show(R.take(b), F.pointee.code._withUnsafeGuaranteedRef { $0 }, i)
            }
        }
    }

    /// x - x is NaN where x is not finite: that costs less than comparing with infinity.
    @inline(__always)
    private func isFinite(_ x: Double) -> Bool {
        let difference = x - x
        return difference == difference
    }

    /// Whether a jump that compares is taken. Numbers are compared here, all else by `decide`.
    @inline(__always)
    private func jumps(
        _ i: UnsafeMutablePointer<Instruction>, _ left: Registers, _ right: Registers, _ comparison: ComparisonOperator, _ holds: (Double, Double) -> Bool
    ) throws -> Bool {
        if case .number(let x) = left.pointee, case .number(let y) = right.pointee { return _fastPath(holds(x, y) == i.pointee.jumpsIf) }
        state.pointee.instruction = i
        return try decide(comparison, left, right) == i.pointee.jumpsIf
    }

    /// Where a jump goes that compares; of those that go back in a loop, if nothing ends it.
    @inline(__always)
    private func target(_ i: UnsafeMutablePointer<Instruction>) throws -> UnsafeMutablePointer<Instruction> {
        if i.pointee.goesBack, isInterrupted { try endLoop(i) }
        return i + Int(i.pointee.a)
    }

    /// Ctrl-C has come.
    @inline(never)
    private func endLoop(_ i: UnsafeMutablePointer<Instruction>) throws {
        state.pointee.instruction = i
        throw ArrayError.interrupted
    }
}
