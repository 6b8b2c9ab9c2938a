// What the machine asks of the session that it runs for: output, words for what goes wrong, help, explanations.

import ActArray
import ActBuiltins
import ActFiles
import ActMachine
import ActNetwork
import ActONNX
import ActPlot
import ActSource
import ActSyntax
import ActWording

extension Session: MachineHost {
    package func write(_ text: String) {
        if let collected { collected.add(text) } else { output?.write(text) }
    }

    package func show(_ value: Value, isResult: Bool) throws {
        if options.isInteractive { module["ans"] = value }
        if isResult { resultCount += 1 }
        let text = try machine?.equation(of: value) ?? value.textForReaders ?? Format.shown(value)
        let note = try options.isInteractive ? kinkNote ?? Format.note(value) : nil
        machine?.metKink = nil
        if let collected {
            if case .figure(let value) = value { collected.add(render(value.figure, TerminalStyle())) } else { collected.add(text) }
            return collected.add("\n")
        }
        output?.show(Shown(value: value, text: text, note: note, isResult: isResult))
    }

    private var kinkNote: String? {
        machine?.metKink.map { "kink: left \(Format.number($0.left)), right \(Format.number($0.right))" }
    }

    package var progress: ProgressOutput? { collected == nil && options.team.speaks ? output as? ProgressOutput : nil }

    package func collecting(_ body: () throws -> Void) throws -> String {
        let outer = collected, own = CollectedOutput()
        collected = own
        defer { collected = outer }
        do { try body() } catch {
            // What was written before counts.
            collected = outer
            if let text = try? own.text() { write(text) }
            throw error
        }
        return try own.text()
    }

    package func diagnostic(for error: Error, operands: (Value, Value)?) -> Diagnostic {
        guard let machine else { return .cannotStart }
        return RuntimeWording(machine, builtins.table, about: error).diagnostic(for: error, operands)
    }

    package func diagnostic(for warning: RuntimeWarning, at place: SiteInCode?) -> Diagnostic {
        guard let machine else { return .cannotStart }
        return RuntimeWording(machine, builtins.table).diagnostic(for: warning, at: place)
    }

    package func diagnostic(_ diagnostic: Diagnostic, inLayer text: String, at position: Int) -> Diagnostic {
        var diagnostic = diagnostic
        diagnostic.notes.append("in layer \(position) of the network, \(text)")
        return diagnostic
    }

    package func help(on name: String) -> (text: String, picture: Value?)? {
        let showsPictures = collected == nil && output?.showsPictures == true
        guard let text = help(name, showsPictures ? nil : TerminalStyle()) ?? help(onTopic: name) else { return nil }
        return (text, showsPictures ? picture(explaining: name).map { .figure(FigureValue($0)) } : nil)
    }

    package func explanation(of expression: Closure) throws -> String {
        guard let machine else { return "" }
        return try Why(machine, self).explain(expression)
    }

    /// A time limit ends the program, not only the training; ranks end together, each of which may be in another epoch; and so does Ctrl-C again, or
    /// a loop of trainings could not be ended.
    package func endsTrainingOnly() -> Bool {
        guard options.maximumTime == nil, !hasEndedTraining, options.team.processCount == 1 else { return false }
        hasEndedTraining = true
        return true
    }
}

extension ModelFormats { static let all = ModelFormats(onnx: ONNXFormat(), frameworks: SourceFramework.allCases) }

extension Value {
    fileprivate var textForReaders: String? { if case .string(let text) = self, text.isForReaders { text.string } else { nil } }
}

/// Text that is kept until it is asked for. What does not fit into memory is an error then.
final class CollectedOutput {
    private var builder = TextBuilder()
    private var failure: Error?

    func add(_ text: String) {
        guard failure == nil else { return }
        do { try builder.append(text) } catch { failure = error }
    }

    func text() throws -> String {
        if let failure { throw failure }
        return builder.text
    }
}
