// From the bytes of a program to what can run, within the limit of memory.

import ActArray
import ActCompiler
import ActMachine
import ActSyntax
import ActWording

extension Session {
    /// A source that is ready to run.
    struct Program {
        let unit: SourceUnit
        /// One for each statement of the outermost level.
        let codes: [Code]
        let assignedGlobals: Set<Int>
        /// What is worth a warning before it runs.
        let warnings: [Diagnostic]
        /// What its codes take, as long as they are there.
        let memory: SourceMemory
    }

    /// Why a source is not ready to run.
    enum Rejection: Error {
        case faults([Diagnostic])
        /// There is no memory to read it.
        case tooLarge(Diagnostic)
        case interrupted
    }

    /// A program is not even read if this much for a byte of it is more than there is. (What it does take is counted as it is made.)
    package static let bytesWhileCompiling = 40
    /// What is kept of a byte: itself, and where lines begin.
    private static let bytesKept = 12

    /// Accounts for the sources that are kept, another one of so many bytes among them.
    private func hold(_ bytes: Int) throws {
        let (most, more) = (sources.recentBytes &* Self.bytesKept, bytes &* Self.bytesKept)
        if most &+ more > heldSources.bytes { try heldSources.grow(by: most &+ more &- heldSources.bytes) }
    }

    /// Makes a program of a source, whose names are those of `module`. Must run on a deep stack.
    /// - Parameter records: Whether it notes the value of every expression.
    func compiled(_ bytes: [UInt8], named name: String, hiddenLines: Int = 0, into module: Module, records: Bool = false) -> Result<Program, Rejection> {
        read(bytes, named: name, hiddenLines: hiddenLines).flatMap { compiled($0, into: module, records: records) }
    }

    /// What the parser makes of a source, right or not. Must run on a deep stack.
    func read(_ bytes: [UInt8], named name: String, hiddenLines: Int = 0) -> Result<ParseResult, Rejection> {
        let source: SourceText
        do {
            try MemoryPool.allow(bytes.count &* Self.bytesWhileCompiling)
            try hold(bytes.count)
            source = try SourceText(id: sources.newID(), name: name, bytes: bytes, hiddenLines: hiddenLines)
        } catch {
            let diagnostic = RuntimeWording.diagnostic(forSource: error, named: name)
            if case ArrayError.outOfMemory = error { return .failure(.tooLarge(diagnostic)) }
            return .failure(.faults([diagnostic]))
        }
        sources.add(source)
        let memory = SourceMemory(), parsed = parse(source, isStopped: memory.isStopped)
        return rejection(memory.shortage, source).map { .failure($0) } ?? .success(parsed)
    }

    /// Why what is being made of a source stopped, if it did.
    private func rejection(_ shortage: (any Error)?, _ source: SourceText) -> Rejection? {
        if let shortage { return .tooLarge(RuntimeWording.diagnostic(forSource: shortage, named: source.name)) }
        return Interrupt.isSet ? .interrupted : nil
    }

    /// Makes a program of what the parser made of it.
    /// - Parameter sound: Where the program shall not run: statements that need not be looked at again.
    func compiled(_ parsed: ParseResult, into module: Module, records: Bool = false, passingOver sound: SoundStatements? = nil) -> Result<Program, Rejection> {
        guard parsed.diagnostics.isEmpty else { return .failure(.faults(parsed.diagnostics)) }
        let unit = SourceUnit(source: parsed.tree.source, tree: parsed.tree, memory: SourceMemory()), memory = SourceMemory()
        if let rejection = rejection(unit.memory?.shortage, unit.source) { return .failure(rejection) }
        let compiler = Compiler(unit: unit, scope: module, records: records, canStop: true, memory: memory)
        var prototypes: [Prototype] = []
        if let sound { compiler.checkProgram(sound) } else { prototypes = compiler.compileProgram() }
        if let rejection = rejection(compiler.shortage, unit.source) { return .failure(rejection) }
        guard compiler.diagnostics.isEmpty else { return .failure(.faults(compiler.diagnostics)) }
        var warnings = options.warns || options.isStrict ? lostValues(unit, module) : []
        if options.isStrict, !warnings.isEmpty {
            for index in warnings.indices where warnings[index].level == .warning { warnings[index].level = .error }
            return .failure(.faults(warnings))
        }
        let codes = prototypes.map { Code($0, in: module) }
        return .success(Program(unit: unit, codes: codes, assignedGlobals: compiler.assignedGlobals, warnings: warnings, memory: memory))
    }

    private func lostValues(_ unit: SourceUnit, _ module: Module) -> [Diagnostic] {
        unit.tree.lostValues { callee in
            // A name that the program gives a meaning of its own is not a built-in.
            guard let symbol = unit.resolution.symbol(of: callee), unit.resolution[symbol].kind == .global, unit.resolution.definitions(of: symbol).isEmpty,
                case .function(let function)? = module.meaning(of: unit.tree[unit.resolution[symbol].name])
            else { return false }
            return function.onlyComputes
        }
    }

    package enum Syntax { case right, faulty, goesOn }

    /// What the parser says of a text that may still be being written.
    package func syntax(of text: String) -> Syntax {
        guard let source = try? SourceText(id: -1, name: "", text: text) else { return .faulty }
        return engine.run {
            DeepStack.run {
                let memory = SourceMemory(), result = ActSyntax.parse(source, isStopped: memory.isStopped)
                // Whoever runs it then says that it is too large.
                if memory.shortage != nil { return .right }
                return result.isIncomplete ? .goesOn : result.diagnostics.isEmpty ? .right : .faulty
            }
        }
    }

    /// Whether more lines are needed before `text` can run: a bracket, block or string is open.
    package func isIncomplete(_ text: String) -> Bool { syntax(of: text) == .goesOn }

    /// A source with its tree, read again.
    func unit(_ source: SourceText) -> SourceUnit? {
        let reading = SourceMemory(), result = ActSyntax.parse(source, isStopped: reading.isStopped)
        guard reading.shortage == nil, !Interrupt.isSet, result.diagnostics.isEmpty else { return nil }
        let unit = SourceUnit(source: source, tree: result.tree, memory: SourceMemory())
        return unit.memory?.shortage == nil ? unit : nil
    }
}
