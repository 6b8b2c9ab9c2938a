// The machine runs register code: its memory, and the ways into it. Nothing here looks names up. The loop is in Machine+Loop.swift.
//
// What must stay true:
// - Every register below `ready` holds an initialised value; registers above the running frame hold trivial ones.
// - `frame` and `instruction` are up to date whenever something may throw, so that an error finds its place.
// - Code, closures and modules that run are kept alive by the values and frames below them.

import ActArray
import ActCompiler
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
        /// Whether some register may hold an object: while none does, the other half need not look at them when it leaves. Whatever is done
        /// here may put one there.
        var holdsObjects = true
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
        /// The functions that `extend` stands for, once they have been met; what holds them is not asked, for they are only compared.
        var concatenation: UnsafeRawPointer?
        var appending: UnsafeRawPointer?
        var letters: UnsafePointer<Value>?
        /// Arrays that the program has given up, which rows of matrices are copied into.
        let spares: UnsafeMutablePointer<UnsafeMutableRawPointer?>
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
    @inline(__always) var isInterrupted: Bool { act_word_get(interrupt.word) != 0 }
    let stack: Registers
    let limit: Registers
    let frameMemory: UnsafeMutablePointer<Frame>
    let lastFrame: UnsafeMutablePointer<Frame>
    let state: UnsafeMutablePointer<State>

    package static let maximumFrames = 200_000
    static let maximumNativeDepth = 12_000
    private let stackCount = min(16 << 20, Int(act_address_space()) / 8 / MemoryLayout<Value>.stride)

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
        stack = try Self.reserve(Value.self, stackCount)
        limit = stack + stackCount
        frameMemory = try Self.reserve(Frame.self, Self.maximumFrames)
        lastFrame = frameMemory + (Self.maximumFrames - 1)
        state = .allocate(capacity: 1)
        let spares = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: Int(act_spare_count))
        spares.initialize(repeating: nil, count: Int(act_spare_count))
        state.initialize(
            to: State(frame: frameMemory - 1, ready: stack, lastFrame: lastFrame, limit: limit, interrupt: interrupt.word, spares: spares))
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
        munmap(stack, stackCount * MemoryLayout<Value>.stride)
        munmap(frameMemory, Self.maximumFrames * MemoryLayout<Frame>.stride)
        for index in 0..<Int(act_spare_count) { layBy(nil, at: index) }
        state.pointee.spares.deallocate()
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

    /// Leaves all frames above `outer`.
    /// - Returns: The error with its place.
    func unwind(to outer: UnsafeMutablePointer<Frame>, _ error: any Error) -> Fault {
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
                entry: code.entry, code: .passUnretained(code), closure: closure.map { .passUnretained($0 as Function) }, base: base,
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
    func prepare(_ end: Registers) {
        let ready = state.pointee.ready
        if end > ready {
            ready.initialize(repeating: .none, count: end - ready)
            state.pointee.ready = end
        }
    }

    @inline(__always)
    func clear(_ base: Registers, _ count: Int) {
        var register = base
        let end = base + count
        while register < end {
            if !register.isTrivial { register.pointee = .none }
            register += 1
        }
    }
}
