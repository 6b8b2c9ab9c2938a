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
    private var found: [Diagnostic] = []
    private var omitted = 0
    package var diagnostics: [Diagnostic] { omitted > 0 ? found + [.more(omitted, .error)] : found }
    /// Why it left the rest out: what was made so far does not fit into the memory limit. The code must not run then.
    package private(set) var failure: (any Error)?
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

    package init(unit: SourceUnit, scope: any CompilerScope, records: Bool = false, canStop: Bool = false) {
        self.canStop = canStop
        self.unit = unit
        (tree, resolution) = (unit.tree, unit.resolution)
        self.scope = scope
        self.records = records
    }

    /// One prototype for each statement of the outermost level, up to an interrupt. Must run on a stack as deep as the tree (see
    /// `DeepStack`).
    package func compileProgram() -> [Prototype] {
        var prototypes: [Prototype] = []
        for statement in tree[tree.program] {
            if canStop, failure != nil || Interrupt.isSet { break }
            prototypes.append(compile(statement))
        }
        return prototypes
    }

    /// Finds what is wrong with a program that shall not run, and passes over statements that were right before.
    /// - Parameter sound: Gets those that are right now.
    package func checkProgram(_ sound: SoundStatements) {
        var texts: Set<ArraySlice<UInt8>> = [], next = 0, isNamed = [Bool](repeating: false, count: resolution.symbols.count)
        for statement in tree[tree.program] {
            if canStop, failure != nil || Interrupt.isSet { break }
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
                let known = found.count &+ omitted
                looksBack = false
                _ = compile(statement)
                if found.count &+ omitted == known, !looksBack { texts.insert(text) }
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

    func report(_ diagnostic: Diagnostic) {
        if found.count < Diagnostic.mostShown { found.append(diagnostic) } else { omitted &+= 1 }
    }

    /// Takes what is made from the limit of memory, and remembers if it does not fit. What cannot stop is little, and made all the same.
    func take(_ bytes: Int, for prototype: Prototype) {
        guard canStop else { return prototype.note(bytes) }
        guard failure == nil else { return }
        do { try prototype.hold(bytes) } catch { failure = error }
    }

    /// How many expressions are being compiled, one inside the other. Each takes some kilobytes of a stack that counts toward no limit.
    private var depth = 0
    private static let mostDepth = 20_000

    /// Goes one expression deeper, where there is room for it; else that is reported, once.
    func enter(_ id: ExpressionID) -> Bool {
        if failure != nil { return false }
        if depth < Self.mostDepth, act_stack_has_room() != 0 {
            depth &+= 1
            return true
        }
        if found.last?.code != .nestedTooDeeply { report(.chainTooLong(at: tree.span(of: id))) }
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
