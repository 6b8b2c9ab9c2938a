import ActArray
import ActBuiltins
import ActCompiler
import ActMachine
import ActSyntax

/// What is wrong with a program that the compiler found right, and what is doubtful.
package struct Doubts {
    /// In source order.
    package let diagnostics: [Diagnostic]
    /// What is known when all of it has been looked at.
    let check: ShapeCheck?

    /// - Parameters:
    ///   - warnings: What the compiler says of it.
    ///   - machine: What would run it; without one, shapes are not looked at.
    ///   - imports: `nil` where files are not looked at.
    package init(about unit: SourceUnit, _ warnings: [Diagnostic], _ builtins: BuiltinTable, _ machine: Machine?, _ imports: ImportedFiles?) {
        let checked = ProgramCheck(unit, builtins).found
        var diagnostics = warnings + checked.kept, total = warnings.count + checked.count, shapeCheck: ShapeCheck?
        if let machine, !Interrupt.isSet {
            shapeCheck = ShapeCheck.of(unit, builtins, machine, imports)
            // A call that is wrong wherever it stands is found by both.
            let known = Set(diagnostics.compactMap(\.primarySpan)), shapes = shapeCheck?.found ?? FoundDiagnostics()
            let others = shapes.kept.filter { $0.primarySpan.map { !known.contains($0) } ?? true }
            diagnostics += others
            total += others.count + (others.isEmpty ? 0 : shapes.count - shapes.kept.count)
        }
        self.diagnostics = diagnostics.sorted { ($0.primarySpan?.start ?? .max) < ($1.primarySpan?.start ?? .max) }.shortened(of: total)
        check = shapeCheck
    }
}
