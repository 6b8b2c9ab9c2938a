// A conversation with a session, line by line: collects lines until they can run, answers `?name` and `:command`, remembers what ran.
//
// What must stay true: it knows no terminal, so that lines from a terminal, a pipe and a test mean the same.

import ActMachine
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
    /// What ran without an error, as it was written.
    package internal(set) var inputs: [String] = []
    /// How many were let go of, for a long session keeps the last ones.
    package internal(set) var forgottenInputs = 0
    private var inputBytes = 0
    private static let mostInputBytes = 1 << 22
    /// How help draws functions.
    package var figureStyle = TerminalStyle()
    private var pending = ""
    private var brackets = OpenBrackets()
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
    /// - Parameter next: The line after it, where that is known: one that starts with `|>` or `>>` belongs to this one.
    package func enter(_ line: String, before next: String? = nil) -> Outcome {
        let line = Interaction.withoutPrompt(line)
        if pending.isEmpty {
            if let outcome = answer(line.trimmingSpaces()) { return outcome }
            pending = line
        } else {
            pending += "\n" + line
        }
        let wasOpen = !brackets.stack.isEmpty
        brackets.read((line + "\n").utf8)
        // A look at the next line takes less time than another parse of all that waits.
        if next.map(Interaction.continuesStatement) == true { return .incomplete }
        session.engine.interrupt.clear()
        let needsMore = isIncomplete(line, wasOpen)
        if session.engine.interrupt.isRaised {
            discard()
            return .interrupted
        }
        return needsMore ? .incomplete : finish()
    }

    /// Does what a line that is no program asks for; `nil` for what is one.
    private func answer(_ text: String) -> Outcome? {
        if text.isEmpty { return .done }
        if text.hasPrefix(":") { return run(command: text) }
        if let word = Interaction.farewell(text), session.module[word] == nil { return .leave(0) }
        guard let name = Interaction.helpRequest(text) else { return nil }
        output.write(session.explanation(of: name, figureStyle))
        return .done
    }

    /// Runs what waits, complete or not.
    package func finish() -> Outcome {
        guard isContinuing else { return .done }
        let text = pending
        discard()
        count += 1
        let status = session.run(text, named: "<repl \(count)>")
        if status == .done { remember(text) }
        return Outcome(status)
    }

    private func remember(_ text: String) {
        inputs.append(text)
        inputBytes += text.utf8.count + 32
        guard inputBytes > Self.mostInputBytes else { return }
        let count = (inputs.count + 1) / 2
        inputs.removeFirst(count)
        forgottenInputs += count
        inputBytes = inputs.reduce(0) { $0 + $1.utf8.count + 32 }
    }

    // MARK: Cells

    /// Runs a whole text, as the cell of a notebook: what ran before a fault stays.
    package func run(cell text: String, named name: String) -> Outcome {
        let text = Interaction.withoutPrompts(text), line = text.trimmingSpaces()
        if !line.contains(where: \.isNewline), let outcome = answer(line) { return outcome }
        let status = session.runFile(bytes: Array(text.utf8), named: name)
        if status == .done { remember(text) }
        return Outcome(status)
    }

    package enum Completeness: Equatable {
        case complete, invalid
        /// - Parameter indent: What the next line begins with.
        case incomplete(indent: String)
    }

    /// Whether a cell can run, or is still being written.
    package func completeness(of text: String) -> Completeness {
        let text = Interaction.withoutPrompts(text), line = text.trimmingSpaces()
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
    private static func withoutPrompts(_ text: String) -> String {
        guard text.drop(while: \.isWhitespace).hasPrefix(prompt) else { return text }
        return text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { withoutPrompt(String($0)) }.joined(separator: "\n")
    }

    /// Forgets the lines that wait.
    package func discard() {
        pending = ""
        brackets = OpenBrackets()
    }

    /// - Parameters:
    ///   - line: The last one.
    ///   - wasOpen: Whether a bracket or string was open before it.
    private func isIncomplete(_ line: String, _ wasOpen: Bool) -> Bool {
        // The parser reads everything again for each line; what is long is judged by its brackets as long as one is open, and by its last
        // line where none was: an operator at the end asks for more.
        if pending.utf8.count > 1 << 13 {
            if !brackets.stack.isEmpty { return true }
            if !wasOpen { return session.isIncomplete(line) }
        }
        return session.isIncomplete(pending)
    }

    private static func continuesStatement(_ line: String) -> Bool {
        let text = withoutPrompt(line).trimmingSpaces()
        return text.hasPrefix("|>") || text.hasPrefix(">>")
    }

    /// A line of a transcript as it was typed.
    package static func withoutPrompt(_ line: String) -> String {
        for prompt in [prompt, continuationPrompt] {
            if line.hasPrefix(prompt) { return String(line.dropFirst(prompt.count)) }
            if line + " " == prompt { return "" }
        }
        return line
    }

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
        let before = isContinuing ? pending + "\n" : ""
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
