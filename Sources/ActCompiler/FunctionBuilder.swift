// The code of one function while it is made: its registers, constants and jumps. What compiles expressions, statements and functions extends it.

import ActArray
import ActSyntax

/// Where a name's value is.
enum Place {
    case register(Int)
    case capture(Int)
    case itself
    case global(Int)
}

/// A jump whose target is not known yet.
struct Jump { let instruction: Int }

/// Builds the prototype of one function.
final class FunctionBuilder {
    let compiler: Compiler
    let prototype: Prototype
    let parent: FunctionBuilder?
    /// The variable by which a function defined inside another calls itself.
    var ownName: SymbolID?

    let tree: SyntaxTree
    let resolution: Resolution
    private var instructions: [Instruction] = []
    private var origins: [ExpressionID] = []
    private var constants: [Constant] = []
    private var numberConstants: [Int: Int] = [:]
    private var textConstants: [String: Int] = [:]
    private var shapes: [CallShape: Int] = [:]

    /// The registers of each scope's variables, the function's own first, then those of comprehensions being compiled.
    private var scopes: [[SymbolID: Int]] = [[:]]
    private(set) var localCount = 0
    private(set) var top = 0
    private var registerCount = 0
    /// Locals that surely have a value at this point.
    var assigned: Set<Int> = []
    /// Locals that are read where they may have none: cleared on entry.
    private var clearedOnEntry: Set<Int> = []
    private var captures: [(symbol: SymbolID, source: NestedFunction.Capture)] = []
    var loops: [Loop] = []
    /// The local that gets the value of the expression being compiled, if that reads it once, in its arithmetic: what reads it may take it away.
    var renewed: Int?
    /// The expression that the next instructions belong to.
    var origin = ExpressionID(index: 0)

    struct Loop {
        var breaks: [Jump] = []
        var continues: [Jump] = []
    }

    /// - Parameter captures: Of a function that is compiled once more, without those around it: what it captured.
    init(_ compiler: Compiler, prototype: Prototype, parent: FunctionBuilder?, captures: [SymbolID] = []) {
        self.compiler = compiler
        (tree, resolution) = (compiler.tree, compiler.resolution)
        self.prototype = prototype
        self.parent = parent
        self.captures = captures.enumerated().map { ($1, .capture($0)) }
    }

    var isOutermost: Bool { !prototype.isClosure }

    // MARK: Registers

    /// A new local of the innermost scope; only while no temporary is in use, or inside a comprehension.
    @discardableResult
    func declare(_ symbol: SymbolID) -> Int {
        let register = takeTemporary()
        scopes[scopes.count - 1][symbol] = register
        if scopes.count == 1 { localCount = top }
        return register
    }

    func takeTemporary() -> Int { takeTemporaries(1) }

    func takeTemporaries(_ count: Int) -> Int {
        let first = top
        top += count
        registerCount = max(registerCount, top)
        return first
    }

    func release(to level: Int) { top = level }

    func isTemporary(_ register: Int) -> Bool { register >= localCount && !scopes.dropFirst().contains { $0.values.contains(register) } }

    func pushScope() { scopes.append([:]) }
    func popScope() { scopes.removeLast() }

    // MARK: Names

    /// The register of a variable of this function or of a comprehension in it.
    func local(_ symbol: SymbolID) -> Int? {
        for scope in scopes.reversed() {
            if let register = scope[symbol] { return register }
        }
        return nil
    }

    /// Where the value is of what a name, or the name of a method, means.
    func resolve(_ id: ExpressionID) -> Place {
        guard let symbol = resolution.symbol(of: id) else { return .itself }
        if let register = local(symbol) { return .register(register) }
        if ownName == symbol { return .itself }
        if let capture = capture(symbol) { return .capture(capture) }
        let slot = compiler.globalSlot(symbol)
        if !prototype.globalSlots.contains(slot) { prototype.globalSlots.append(slot) }
        return .global(slot)
    }

    /// The index of the captured value of a variable that belongs to an enclosing function.
    func capture(_ symbol: SymbolID) -> Int? {
        if let index = captures.firstIndex(where: { $0.symbol == symbol }) { return index }
        guard let parent else { return nil }
        let source: NestedFunction.Capture
        if let register = parent.local(symbol) {
            source = .register(register)
        } else if parent.ownName == symbol {
            source = .itself
        } else if let index = parent.capture(symbol) {
            source = .capture(index)
        } else {
            return nil
        }
        captures.append((symbol, source))
        return captures.count - 1
    }

    var captureSources: [NestedFunction.Capture] { captures.map(\.source) }
    var captured: [SymbolID] { captures.map(\.symbol) }

    /// Makes sure that reading `register` finds a value or reports that there is none.
    func checkAssigned(_ register: Int) {
        guard !assigned.contains(register), register < localCount || !isTemporary(register) else { return }
        clearedOnEntry.insert(register)
        emit(.checkLocal, register)
    }

    /// For captures: the register may be without a value when the function is made.
    func clearOnEntryUnlessAssigned(_ register: Int) {
        if !assigned.contains(register) { clearedOnEntry.insert(register) }
    }

    // MARK: Instructions

    @discardableResult
    func emit(_ opcode: Opcode, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0) -> Int {
        instructions.append(Instruction(opcode, a, b, c))
        origins.append(origin)
        if instructions.count & 0xfff == 0 { compiler.count(0x1000 &* Prototype.bytesOfInstruction, ofFunction: prototype.isClosure) }
        return instructions.count - 1
    }

    /// The same for operations that read R[b] and, if `readsC`, R[c]: temporaries are taken away.
    @discardableResult
    func emit(_ opcode: Opcode, _ a: Int, taking b: Int, _ c: Int? = nil, constant: Int = 0) -> Int {
        let index = emit(opcode, a, b, c ?? constant)
        var lastUse: Instruction.LastUse = []
        if isTemporary(b) || b == renewed { lastUse.insert(.b) }
        if let c, isTemporary(c) || c == renewed, c != b { lastUse.insert(.c) }
        instructions[index].lastUse = lastUse
        return index
    }

    /// The same for operations that read R[c] alone and may take it away.
    @discardableResult
    func emit(_ opcode: Opcode, _ a: Int, _ b: Int, taking c: Int) -> Int {
        let index = emit(opcode, a, b, c)
        instructions[index].lastUse = [.c]
        return index
    }

    func setUpdate(_ instruction: Int, _ index: Int, _ operation: BinaryOperator?, isGlobal: Bool) {
        instructions[instruction].setUpdate(index, Instruction.Change(operation), isGlobal: isGlobal)
    }

    /// The value of `id` is in a register now.
    func completed(_ id: ExpressionID, _ register: Int) {
        if compiler.records {
            let before = origin
            origin = id
            emit(.record, register)
            origin = before
        } else if let found = StableForm.losing(id, in: compiler.unit.formulas(in: compiler.scope), tree) {
            let variable: FormCheck.Variable =
                switch found.variable {
                case .name(let name):
                    switch resolve(name) {
                    case .register(let register): .register(register)
                    case .global(let slot): .global(slot)
                    default: .gone
                    }
                case .number(let number): .number(number)
                case .other: .gone
                }
            origin = id
            prototype.formChecks.append(FormCheck(form: found.form, replacement: found.replacement, variable: variable))
            emit(.checkForm, register, prototype.formChecks.count - 1)
        }
    }

    func setExtra(_ instruction: Int, _ shape: CallShape) {
        let index = shapes[shape] ?? prototype.callShapes.count
        if shapes[shape] == nil {
            shapes[shape] = index
            prototype.callShapes.append(shape)
        }
        if index > Int(UInt16.max) {
            compiler.report(.tooLarge(tree.span(of: origin)))
        } else {
            instructions[instruction].extra = UInt16(index)
        }
    }

    func setExtra(_ instruction: Int, _ value: Int) { instructions[instruction].extra = UInt16(truncatingIfNeeded: value) }

    var position: Int { instructions.count }

    func emitJump(_ opcode: Opcode, _ b: Int = 0, _ c: Int = 0) -> Jump { Jump(instruction: emit(opcode, -1, b, c)) }

    func patch(_ jump: Jump) { instructions[jump.instruction].a = position }
    func patch(_ jump: Jump, to position: Int) { instructions[jump.instruction].a = position }
    func patch(_ jumps: [Jump]) { jumps.forEach(patch) }

    func constant(_ number: Double) -> Int {
        let bits = Int(truncatingIfNeeded: number.bitPattern)
        if let index = numberConstants[bits] { return index }
        constants.append(.number(number))
        numberConstants[bits] = constants.count - 1
        return constants.count - 1
    }

    func constant(_ string: String) -> Int {
        if let index = textConstants[string] { return index }
        constants.append(.text(string))
        textConstants[string] = constants.count - 1
        return constants.count - 1
    }

    /// What the instruction that comes next knows of the field that it reads or changes.
    func field(_ name: String) -> Int {
        prototype.fieldNames.append(constant(name))
        return prototype.fieldNames.count - 1
    }

    func constant(value: Constant) -> Int {
        constants.append(value)
        return constants.count - 1
    }

    /// Closes it: the clearing of locals goes in front, so jumps move.
    func finish() -> Prototype {
        let prologue = clearedOnEntry.sorted().map { Instruction(.clear, $0) }
        if !prologue.isEmpty {
            let shift = prologue.count
            for index in instructions.indices where instructions[index].opcode.isJump { instructions[index].a += shift }
            instructions.insert(contentsOf: prologue, at: 0)
            origins.insert(contentsOf: prologue.map { _ in origins.first ?? origin }, at: 0)
        }
        // The machine takes jumps as distances.
        for index in instructions.indices where instructions[index].opcode.isJump { instructions[index].a -= index }
        prototype.instructions = instructions
        prototype.constants = constants
        prototype.origins = origins
        prototype.registerCount = max(registerCount, prototype.parameters.count) + 1
        compiler.count(prototype.leastFootprint &+ (instructions.count & 0xfff) &* Prototype.bytesOfInstruction, ofFunction: prototype.isClosure)
        return prototype
    }
}

extension Opcode {
    var isJump: Bool {
        switch self {
        case .jump, .jumpIfFalse, .jumpIfTrue, .andSkip, .orSkip, .jumpIfDefined, .next,
            .jumpLess, .jumpLessEqual, .jumpGreater, .jumpGreaterEqual, .jumpEqual, .jumpNotEqual,
            .jumpLessK, .jumpLessEqualK, .jumpGreaterK, .jumpGreaterEqualK, .jumpEqualK, .jumpNotEqualK:
            true
        default: false
        }
    }
}

/// Which expressions have an assignment inside (not counting function bodies and comprehensions, which are scopes), found in
/// one pass because children have smaller indices than parents.
struct AssignmentMap {
    private var flags: [Bool]

    init(_ tree: SyntaxTree) {
        flags = Array(repeating: false, count: tree.expressions.count)
        for index in tree.expressions.indices {
            let id = ExpressionID(index: UInt32(index))
            var found = false
            switch tree[id] {
            case .assign, .unpack, .update, .define, .unset, .forLoop: found = true
            case .function, .comprehension: break
            default: tree.forEachChild(of: id) { found = found || flags[Int($0.index)] }
            }
            flags[index] = found
        }
    }

    subscript(id: ExpressionID) -> Bool { flags[Int(id.index)] }
}
