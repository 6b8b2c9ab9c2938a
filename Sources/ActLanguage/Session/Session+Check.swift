// Programs that are looked at and not run: what is wrong with them, and what is left of it when the edits that are certain are done.

import ActArray
import ActBuiltins
import ActCheck
import ActCompiler
import ActMachine
import ActSyntax
import ActWording

extension Session {
    /// What there is to say about a program before it runs.
    package struct Problems {
        package var status: Status
        /// In source order.
        package var diagnostics: [Diagnostic]
        /// What the places of the diagnostics are in; `nil` if it is not text.
        package var source: SourceText?
        /// What the parser makes of it, and what its names mean; `nil` if it was not read.
        package var parts: (tree: SyntaxTree, resolution: Resolution, isRight: Bool)?
        /// What is wrong with the files that it imports, those that are imported first.
        package var imported: [(source: SourceText, diagnostics: [Diagnostic])] = []
    }

    /// Every fault of a program that shows before it runs, and what is doubtful; runs nothing.
    /// - Parameters:
    ///   - sound: What was right when the program was looked at before; gets what is right now.
    ///   - followsImports: Whether `name` is where the program lies, from which the files that it imports can be found.
    package func problems(
        in bytes: [UInt8], named name: String, passingOver sound: SoundStatements = SoundStatements(), followsImports: Bool = false
    ) -> Problems {
        var problems = Problems(status: .done, diagnostics: [])
        problems.status = computing { watchdog in
            let read = self.read(bytes, named: name)
            let compiled = read.flatMap { self.compiled($0, into: Module(name: name, builtins: self.builtins.table), passingOver: sound) }
            if let parsed = try? read.get() {
                let resolution = (try? compiled.get())?.unit.resolution ?? Resolution(parsed.tree)
                problems.parts = (parsed.tree, resolution, parsed.diagnostics.isEmpty)
            }
            switch compiled {
            case .success(let program):
                problems.source = program.unit.source
                let imports = followsImports ? self.followedImports() : nil
                problems.diagnostics = Doubts(about: program.unit, program.warnings, self.builtins, self.machine, imports).diagnostics
                problems.imported = imports?.finished() ?? []
                if Interrupt.isSet {
                    guard let seconds = watchdog?.fired else { return .interrupted }
                    problems.diagnostics.append(RuntimeWording.timeLimit(seconds, Session.interruption.diagnostic))
                    return .limit
                }
                problems.diagnostics = problems.diagnostics.withEditsThatHold(in: program.unit.source) { _ in Interrupt.isSet }
                if !self.options.warns {
                    problems.diagnostics.removeAll { $0.level == .warning }
                    for index in problems.imported.indices { problems.imported[index].diagnostics.removeAll { $0.level == .warning } }
                }
                return (problems.imported.flatMap(\.diagnostics) + problems.diagnostics).contains { $0.level == .error } ? .failed : .done
            case .failure(.interrupted):
                guard let seconds = watchdog?.fired else { return .interrupted }
                problems.diagnostics = [RuntimeWording.timeLimit(seconds, Session.interruption.diagnostic)]
                return .limit
            case .failure(.tooLarge(let diagnostic)):
                problems.diagnostics = [diagnostic]
                return .limit
            case .failure(.faults(let faults)):
                problems.source = faults.lazy.compactMap(\.primarySpan).first.flatMap { self.source($0.source) }
                problems.diagnostics = problems.source.map { faults.withEditsThatHold(in: $0) { _ in Interrupt.isSet } } ?? faults
                return .failed
            }
        }
        return problems
    }

    /// The files that a program imports, read as the program is.
    private func followedImports() -> ImportedFiles? {
        guard let machine else { return nil }
        return ImportedFiles(builtins, machine) { [unowned self] bytes, name in
            let module = Module(name: name, builtins: builtins.table)
            switch read(bytes, named: name).flatMap({ compiled($0, into: module, passingOver: SoundStatements()) }) {
            case .success(let program): return (program.unit, program.unit.source, program.warnings)
            case .failure(.faults(let faults)): return (nil, faults.lazy.compactMap(\.primarySpan).first.flatMap { self.source($0.source) }, faults)
            case .failure: return (nil, nil, [])
            }
        }
    }

    /// Reports what `problems` finds.
    package func check(bytes: [UInt8], named name: String) -> Status {
        let problems = problems(in: bytes, named: name, followsImports: true)
        return reportAll(problems.imported.flatMap(\.diagnostics) + problems.diagnostics) ? problems.status : .interrupted
    }

    /// The program after the edits of which there is no doubt, and what is wrong with it then.
    package func fixed(_ bytes: [UInt8], named name: String) -> (bytes: [UInt8], problems: Problems) {
        var bytes = bytes, problems = problems(in: bytes, named: name, followsImports: true)
        /// Where edits were no help, in the program as it is.
        var useless: Set<Int32> = []
        for _ in 0..<Self.mostPasses {
            guard let source = problems.source else { break }
            var chosen: [Diagnostic] = [], end: Int32 = -1
            for diagnostic in problems.diagnostics.filter({ !$0.isGuess && !$0.edits.isEmpty }).sorted(by: { $0.edits[0].span.start < $1.edits[0].span.start })
            {
                // All of a diagnostic's edits or none.
                guard diagnostic.edits[0].span.start > end, let place = diagnostic.primarySpan, !useless.contains(place.start) else { continue }
                chosen.append(diagnostic)
                end = diagnostic.edits[diagnostic.edits.count - 1].span.end
            }
            if chosen.isEmpty { break }
            let edits = chosen.flatMap(\.edits), next = Array(source.applying(edits).utf8), after = self.problems(in: next, named: name, followsImports: true)
            let remaining = chosen.compactMap { diagnostic -> Int32? in
                guard let start = diagnostic.primarySpan?.start else { return nil }
                let moved = edits.filter { $0.span.end <= start }.reduce(start) {
                    $0 + Int32(truncatingIfNeeded: $1.replacement.utf8.count) - ($1.span.end - $1.span.start)
                }
                return after.diagnostics.contains { $0.code == diagnostic.code && $0.primarySpan?.start == moved } ? start : nil
            }
            if remaining.isEmpty { (bytes, problems, useless) = (next, after, []) } else { useless.formUnion(remaining) }
        }
        return (bytes, problems)
    }

    /// An edit may bring the next fault to light.
    private static let mostPasses = 100
}

extension Session {
    /// Runs a program and tells after each statement of the outermost level what it gave the variables that it names.
    /// - Parameter tell: Gets the offset behind the variable's name, and what it is now: `array f64 (3,)`.
    package func run(bytes: [UInt8], named name: String, telling tell: @escaping (_ offset: Int, _ kind: String) -> Void) -> Status {
        var pending: [Definition]?
        afterStatement = { [unowned self] unit, index in
            var rest =
                pending
                ?? unit.resolution.definitions.filter { $0.isWhole && unit.resolution[$0.symbol].kind == .global }.sorted { $0.span.start > $1.span.start }
            let statement = unit.tree[unit.tree.program][unit.tree[unit.tree.program].startIndex + index]
            let end = unit.tree.span(of: statement.expression).end
            while let next = rest.last, next.span.start < end {
                rest.removeLast()
                guard let value = module[unit.tree[unit.resolution[next.symbol].name]] else { continue }
                // What a function is, its definition says.
                if case .function(let function) = value, function.parameterArrays == nil { continue }
                tell(Int(next.span.end), Session.kind(of: value))
            }
            pending = rest
        }
        defer { afterStatement = nil }
        return run(bytes: bytes, named: name)
    }
}
