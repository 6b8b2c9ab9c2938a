// What the machine asks of the session that it runs for: output, words for what goes wrong, help, explanations.

import ActArray
import ActBuiltins
import ActMachine
import ActSyntax

extension Session: MachineHost {
    package func write(_ text: String) { output?.write(text) }

    package func show(_ value: Value, isResult: Bool) throws {
        if options.isInteractive { module["ans"] = value }
        if isResult { resultCount += 1 }
        let text = try machine?.equation(of: value) ?? Format.shown(value)
        let note = try options.isInteractive ? kinkNote ?? Format.note(value) : nil
        machine?.metKink = nil
        output?.show(Shown(value: value, text: text, note: note, isResult: isResult))
    }

    private var kinkNote: String? {
        machine?.metKink.map { "kink: left \(Format.number($0.left)), right \(Format.number($0.right))" }
    }

    package var progress: ProgressOutput? { output as? ProgressOutput }

    package func diagnostic(for error: Error, operands: (Value, Value)?) -> Diagnostic {
        guard let machine else { return .cannotStart }
        return RuntimeWording(machine, builtins.table, about: error).diagnostic(for: error, operands)
    }

    package func diagnostic(for warning: RuntimeWarning, at place: SiteInCode?) -> Diagnostic {
        guard let machine else { return .cannotStart }
        return RuntimeWording(machine, builtins.table).diagnostic(for: warning, at: place)
    }

    package func help(on name: String) -> String? { help(name) }

    package func explanation(of expression: Closure) throws -> String {
        guard let machine else { return "" }
        return try Why(machine, self).explain(expression)
    }

    /// A time limit ends the program, not only the training; and so does Ctrl-C again, or a loop of trainings could not be ended.
    package func endsTrainingOnly() -> Bool {
        guard options.maximumTime == nil, !hasEndedTraining else { return false }
        hasEndedTraining = true
        return true
    }
}
