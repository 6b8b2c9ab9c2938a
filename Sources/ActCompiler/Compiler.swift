// From the syntax tree to register code: scopes, registers and jumps. Expressions, statements and functions follow in
// Compiler+….swift.
//
// What must stay true:
// - Registers 0 ..< localCount are parameters and local variables; those above are temporaries, used in stack order, and each
//   temporary is read once, so that the reader may take its value away.
// - A temporary is given back (`top`) by whoever asked for it.
// - What a name means is known before (`Resolution`); here a variable gets its place: a register, a captured value or a global slot.

import ActArray
import ActSyntax
import CActKernels

/// Compiles one source. Errors are collected; code of a source with errors must not run.
package final class Compiler {
    let unit: SourceUnit
    let scope: any CompilerScope
    private var faults: [Diagnostic] = []
    /// How many there were, those included that are not kept.
    private var faultCount = 0
    /// Globals that the outermost level assigns, for undoing a line that fails.
    package private(set) var assignedGlobals: Set<Int> = []
    private(set) lazy var assignments = AssignmentMap(unit.tree)
    /// Whether the code notes the value of every expression.
    let records: Bool

    /// (Kept, for to hand out a copy takes as long as to compile a small expression.)
    let tree: SyntaxTree
    let resolution: Resolution

    /// Whether Ctrl-C ends it; the code must not run then.
    let canStop: Bool
    /// Whether what is wrong with the statement hangs on what stands before it.
    var looksBack = false

    /// What the code of statements takes; that of functions, which last longer, counts in the unit's.
    private let memory: SourceMemory?

    package init(unit: SourceUnit, scope: any CompilerScope, records: Bool = false, canStop: Bool = false, memory: SourceMemory? = nil) {
        self.canStop = canStop
        self.memory = memory
        self.unit = unit
        (tree, resolution) = (unit.tree, unit.resolution)
        self.scope = scope
        self.records = records
    }

    /// Whether the rest is of no use, for nobody waits for it or there is no room for it.
    var isStopped: Bool { canStop && (Interrupt.isSet || shortage != nil) }

    /// The error of the memory limit, once there was one.
    package var shortage: (any Error)? { memory?.shortage ?? unit.memory?.shortage }

    /// Counts what is being made of a function, or of a statement.
    func count(_ bytes: Int, ofFunction isFunction: Bool) { (isFunction ? unit.memory : memory)?.add(bytes) }

    /// One prototype for each statement of the outermost level, up to an interrupt. Must run on a stack as deep as the tree (see
    /// `DeepStack`).
    package func compileProgram() -> [Prototype] {
        var prototypes: [Prototype] = []
        for statement in tree[tree.program] where !isStopped { prototypes.append(compile(statement)) }
        return prototypes
    }

    /// Finds what is wrong with a program that shall not run, and passes over statements that were right before.
    /// - Parameter sound: Gets those that are right now.
    package func checkProgram(_ sound: SoundStatements) {
        var texts: Set<ArraySlice<UInt8>> = [], next = 0, isNamed = [Bool](repeating: false, count: resolution.symbols.count)
        for statement in tree[tree.program] where !isStopped {
            let span = tree.span(of: statement.expression), text = tree.source.bytes[Int(span.start)..<Int(span.end)]
            if sound.texts.contains(text) {
                // Its names are the module's all the same.
                func name(_ symbol: SymbolID) {
                    guard !isNamed[Int(symbol.index)] else { return }
                    isNamed[Int(symbol.index)] = true
                    if resolution[symbol].kind == .global { _ = globalSlot(symbol) }
                }
                for index in next...max(next, Int(statement.expression.index)) {
                    let id = ExpressionID(index: UInt32(truncatingIfNeeded: index))
                    if let symbol = resolution.symbol(of: id) { name(symbol) }
                    if case .forLoop(let loop) = tree[id] { resolution.symbols(of: tree[loop].variables).forEach(name) }
                }
                texts.insert(text)
            } else {
                let known = faultCount
                looksBack = false
                _ = compile(statement)
                if faultCount == known, !looksBack { texts.insert(text) }
            }
            next = Int(statement.expression.index) + 1
        }
        sound.texts = texts
    }

    /// One statement of the outermost level.
    package func compile(_ statement: Statement) -> Prototype {
        let prototype = Prototype(name: "", parameters: [], requiredCount: 0, unit: unit, isClosure: false)
        let builder = FunctionBuilder(self, prototype: prototype, parent: nil)
        builder.compileOutermost(statement)
        return builder.finish()
    }

    /// What is wrong, as far as anybody reads it.
    package var diagnostics: [Diagnostic] { faults.shortened(of: faultCount) }

    func report(_ diagnostic: Diagnostic) {
        faultCount += 1
        if faults.count < Diagnostic.most { faults.append(diagnostic) }
    }

    /// How many expressions are being compiled, one inside the other. Each takes some kilobytes of a stack that counts toward no limit.
    private var depth = 0
    private static let mostDepth = 20_000

    /// Goes one expression deeper, where there is room for it; else that is reported, once.
    func enter(_ id: ExpressionID) -> Bool {
        if shortage != nil { return false }
        if depth < Self.mostDepth, act_stack_has_room() != 0 {
            depth &+= 1
            return true
        }
        if faults.last?.code != .nestedTooDeeply { report(.chainTooLong(at: tree.span(of: id))) }
        return false
    }

    func leave() { depth &-= 1 }

    func globalSlot(_ symbol: SymbolID) -> Int { scope.slot(tree[resolution[symbol].name]) }

    func noteAssignment(toGlobal slot: Int) { assignedGlobals.insert(slot) }
}

/// Statements of the outermost level that the compiler found right, by their texts: what one means to it follows from its text, but for what
/// `Compiler.looksBack` says.
package final class SoundStatements {
    fileprivate var texts: Set<ArraySlice<UInt8>> = []

    package init() {}
}
