// A conversation with a session, line by line: collects lines until they can run, answers `?name` and `:command`, remembers what ran.
//
// What must stay true: it knows no terminal, so that lines from a terminal, a pipe and a test mean the same.

import ActPlot
import ActSyntax

package final class Interaction {
    package static let prompt = "act> "
    /// As wide as `prompt`, so that lines stay below each other.
    package static let continuationPrompt = "...> "

    package enum Outcome: Equatable {
        case done
        /// More lines are needed.
        case incomplete
        case failed
        case interrupted
        /// The session is over, with this exit status.
        case leave(Int32)
    }

    package let session: Session
    /// Where everything is shown; the session's own output.
    package let output: SessionOutput
    /// What ran, for `:save`.
    private(set) var record = SessionRecord()
    /// By path: what `:save` wrote.
    var saved: [String: String] = [:]
    /// What was entered, whether it ran or not, for `:history`: the last ones.
    private(set) var entries: [String] = []
    private static let mostEntries = 10_000
    /// Called with each input before it runs.
    package var onEntry: ((String) -> Void)?
    /// Runs a command of the system and gives its exit status; `nil` where nothing may be run.
    package var runCommand: ((String) -> Int32)?
    /// Lets a text be edited, in a program of the person's own choice; what it gives is the text then, or what went wrong.
    package var editText: ((String) -> Result<String, EditFault>)?
    /// How help draws functions.
    package var figureStyle = TerminalStyle()
    private var pending = InputCollector()
    private var count = 0
    /// How what a command ran has ended.
    var lastStatus = Session.Status.done

    package init(session: Session, output: SessionOutput) {
        self.session = session
        self.output = output
    }

    /// Whether lines wait for more.
    package var isContinuing: Bool { !pending.isEmpty }

    /// Takes a line, and runs it unless it needs more.
    /// - Parameter next: The line after it, where that is known: one that starts with `|>`, `>>` or `else` belongs to this one.
    package func enter(_ line: String, before next: String? = nil) -> Outcome {
        if pending.isEmpty, line.allSatisfy(\.isWhitespace) { return .done }
        session.engine.interrupt.clear()
        let needsMore = pending.takes(line, before: next, in: self)
        if session.engine.interrupt.isRaised {
            discard()
            return .interrupted
        }
        return needsMore ? .incomplete : finish()
    }

    /// Runs an input of one line or several.
    package func enter(input text: String) -> Outcome {
        let text = withoutPrompts(text)
        let line = text.trimmingSpaces()
        if line.isEmpty { return .done }
        note(text)
        if isRequest(line) { return answer(line) }
        count += 1
        return run(undoing: text)
    }

    /// Whether an input that is being written needs more lines.
    package func needsMore(_ text: String) -> Bool {
        let text = withoutPrompts(text), line = text.trimmingSpaces()
        if !line.contains(where: \.isNewline), isRequest(line) { return false }
        var brackets = OpenBrackets()
        brackets.read(text.utf8)
        session.engine.interrupt.clear()
        return !brackets.isMismatched && session.isIncomplete(text)
    }

    /// Takes the first input from lines; `nil` if they are blank, or all of them need more.
    package func firstInput(of lines: inout ArraySlice<String>) -> String? {
        lines = lines.drop { $0.allSatisfy(\.isWhitespace) }
        var collector = InputCollector()
        session.engine.interrupt.clear()
        var ahead = LinesAhead(lines)
        for (index, line) in zip(lines.indices, lines) {
            if collector.takes(line, before: ahead.line(after: index), in: self) { continue }
            lines = lines[(index + 1)...]
            return collector.text
        }
        return nil
    }

    private func note(_ text: String) {
        onEntry?(text)
        entries.append(text)
        if entries.count > Self.mostEntries { entries.removeFirst(Self.mostEntries / 2) }
    }

    /// Whether a line is not a program.
    func isRequest(_ line: String) -> Bool {
        line.hasPrefix(":") || line.hasPrefix("!") || Interaction.farewell(line).map { session.module[$0] == nil } == true
            || Interaction.helpRequest(line) != nil
    }

    /// Does what a line that is not a program asks for.
    private func answer(_ line: String) -> Outcome {
        if line.hasPrefix(":") { return run(command: line) }
        if line.hasPrefix("!") { return run(systemCommand: line.dropFirst().trimmingSpaces()) }
        guard let name = Interaction.helpRequest(line) else { return .leave(0) }
        output.write(session.explanation(of: name, output.showsPictures ? nil : figureStyle))
        if output.showsPictures, let figure = session.picture(explaining: name) {
            output.show(Shown(value: .figure(FigureValue(figure)), text: "", note: nil, isResult: false))
        }
        return .done
    }

    /// Runs what waits, complete or not.
    package func finish() -> Outcome {
        guard isContinuing else { return .done }
        let text = pending.text, line = text.trimmingSpaces()
        discard()
        note(text)
        if isRequest(line) { return answer(line) }
        count += 1
        return run(undoing: text)
    }

    /// Runs an input, of which nothing stays if it fails.
    private func run(undoing text: String) -> Outcome {
        var ran = SessionRecord.Run(session)
        let status = session.run(text, named: "<repl \(count)>") { [session] in ran.add($0, $1, in: session) }
        if status == .done { record.add(ran) }
        return Outcome(status)
    }

    /// Runs a file, of which what ran before a fault stays.
    func run(keeping bytes: [UInt8], named name: String) -> Outcome {
        var ran = SessionRecord.Run(session)
        let status = session.runFile(bytes: bytes, named: name) { [session] in ran.add($0, $1, in: session) }
        record.add(ran)
        return Outcome(status)
    }

    func forgetRecord() { record = SessionRecord() }

    // MARK: Cells

    /// Runs a whole text, as the cell of a notebook: what ran before a fault stays.
    package func run(cell text: String, named name: String) -> Outcome {
        let text = withoutPrompts(text), line = text.trimmingSpaces()
        if line.isEmpty { return .done }
        if !line.contains(where: \.isNewline), isRequest(line) { return answer(line) }
        return run(keeping: Array(text.utf8), named: name)
    }

    package enum Completeness: Equatable {
        case complete, invalid
        /// - Parameter indent: What the next line begins with.
        case incomplete(indent: String)
    }

    /// Whether a cell can run, or is still being written.
    package func completeness(of text: String) -> Completeness {
        let text = withoutPrompts(text), line = text.trimmingSpaces()
        if line.hasPrefix(":") || Interaction.helpRequest(line) != nil { return .complete }
        switch session.syntax(of: text) {
        case .right: return .complete
        case .faulty: return .invalid
        case .goesOn:
            var brackets = OpenBrackets()
            brackets.read(text.utf8)
            return .incomplete(indent: String(repeating: "    ", count: min(brackets.stack.count, 20)))
        }
    }

    /// A transcript that was pasted, as it was typed.
    private func withoutPrompts(_ text: String) -> String {
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
        guard let first = lines.first(where: { !$0.allSatisfy(\.isWhitespace) }), promptStyle(of: first) != nil else { return text }
        return typed(in: lines).joined(separator: "\n")
    }

    /// Forgets the lines that wait.
    package func discard() { pending = InputCollector() }

    /// `exit`, `quit()` and their like, which people type to leave.
    private static func farewell(_ text: String) -> String? {
        let word = text.hasSuffix("()") ? String(text.dropLast(2)) : text
        return ["exit", "quit", "bye"].contains(word) ? word : nil
    }

    /// The name in `?name`, `name?` and, empty, in `?`.
    private static func helpRequest(_ text: String) -> String? {
        if text.hasPrefix("?") { return text.drop { $0 == "?" }.trimmingSpaces() }
        guard text.hasSuffix("?") else { return nil }
        let name = text.dropLast().trimmingSpaces()
        return name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." } ? name : nil
    }

    // MARK: Completion

    package struct Completion {
        /// The UTF-8 offset in the line from which a candidate takes the place of what is there.
        package let replaceFrom: Int
        package let candidates: [String]
        /// Of the call around the cursor.
        package let signature: String?
    }

    /// What could stand at a UTF-8 offset of the line that is being written.
    package func complete(_ line: String, at offset: Int) -> Completion {
        let before = isContinuing ? pending.text + "\n" : ""
        let shift = before.utf8.count
        let (start, candidates) = session.completions(of: before + line, at: shift + offset)
        return Completion(
            replaceFrom: max(start - shift, 0), candidates: candidates, signature: session.signature(in: before + line, at: shift + offset))
    }
}

extension Interaction.Outcome {
    init(_ status: Session.Status) {
        self =
            switch status {
            case .done: .done
            case .failed, .limit: .failed
            case .interrupted: .interrupted
            case .exit(let status): .leave(status)
            }
    }
}
