// The commands of the interactive session: lines that start with `:`. Each is one row; `:help` is a loop over them.

import ActFiles
import ActMachine
import ActPlot
import ActSyntax
import ActText
import ActWording
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A line that starts with `:`.
package struct SessionCommand: Sendable {
    package let name: String
    /// How help writes what follows the name; empty where nothing may, in brackets where something may.
    package let argument: String
    package let summary: String
    let action: @Sendable (Interaction, String) -> Interaction.Outcome

    package static let rows: [SessionCommand] = [
        SessionCommand(name: "help", argument: "", summary: "lists these commands") { interaction, _ in
            let widest = rows.map { $0.usage.count }.max() ?? 0
            for row in rows { interaction.output.write("  \(row.usage.padded(to: widest + 2))\(row.summary)\n") }
            interaction.output.write("  \("?name".padded(to: widest + 2))explains a name; ? alone lists the topics\n")
            interaction.output.write("  \("!command".padded(to: widest + 2))runs a command of the system\n")
            return .done
        },
        SessionCommand(name: "vars", argument: "", summary: "lists the variables") { interaction, _ in
            interaction.output.write(interaction.session.variableList)
            return .done
        },
        SessionCommand(name: "shapes", argument: "EXPR", summary: "writes the shape of each part of an expression beneath it") { interaction, text in
            Interaction.Outcome(interaction.session.showShapes(of: text, named: "<shapes>"))
        },
        SessionCommand(name: "graph", argument: "EXPR", summary: "writes the operations that an expression or a function is made of") { $0.graph($1) },
        SessionCommand(name: "time", argument: "EXPR", summary: "measures how long an expression takes") { $0.time($1) },
        SessionCommand(name: "load", argument: "FILE", summary: "runs a file as if it were typed here") { $0.load($1) },
        SessionCommand(name: "save", argument: "FILE", summary: "writes what ran to a new file, as a script that runs") { $0.save($1) },
        SessionCommand(name: "history", argument: "[TEXT]", summary: "lists what was entered; the last 20, or what contains TEXT") { $0.list(containing: $1) },
        SessionCommand(
            name: "edit", argument: "[FILE]",
            summary: "opens the last input, or a file, in $EDITOR and runs what is written there; of an input that is left as it was, nothing"
        ) { $0.edit($1) },
        SessionCommand(name: "reset", argument: "", summary: "forgets every variable") { interaction, _ in
            do {
                try interaction.session.reset()
                interaction.forgetRecord()
                return .done
            } catch {
                return interaction.fail("cannot reset: \(message(about: error))")
            }
        },
        SessionCommand(name: "quit", argument: "", summary: "leaves act, as Ctrl-D does") { _, _ in .leave(0) },
    ]

    var usage: String { argument.isEmpty ? ":\(name)" : ":\(name) \(argument)" }
}

extension Interaction {
    /// Runs a line that starts with `:`. A command may be shortened as long as it is clear which one is meant.
    func run(command line: String) -> Outcome {
        let name = String(line.dropFirst().prefix { !$0.isWhitespace })
        let argument = line.dropFirst(1 + name.count).trimmingSpaces()
        let matches = SessionCommand.rows.filter { $0.name.hasPrefix(name) }
        guard !name.isEmpty, matches.count == 1 || matches.contains(where: { $0.name == name }),
            let row = matches.first(where: { $0.name == name }) ?? matches.first
        else {
            let near = matches.isEmpty ? suggest(name, among: SessionCommand.rows.map(\.name)) : matches.map(\.name)
            return fail(
                name.isEmpty ? "a command is missing after `:`" : "there is no command `:\(name)`",
                help: near.isEmpty ? "`:help` lists the commands" : "did you mean \(near.map { "`:\($0)`" }.joined(separator: " or "))?")
        }
        if row.argument.isEmpty != argument.isEmpty, !row.argument.hasPrefix("[") {
            return fail(
                row.argument.isEmpty ? "`:\(row.name)` takes nothing after it" : "`:\(row.name)` needs something after it", help: "write `\(row.usage)`")
        }
        return row.action(self, argument)
    }

    func fail(_ title: String, help: String? = nil) -> Outcome {
        output.report(Diagnostic(.command, title, help: help), session)
        return .failed
    }

    // MARK: Actions

    /// The value of an expression, which is not shown and is not `ans`; `nil` if it failed, which is reported.
    /// - Parameter hiddenLines: How many lines stand before what was entered.
    func quietly(_ text: String, named name: String, hiddenLines: Int = 0) -> Value? {
        let ans = session.module["ans"]
        let listener = Listener(passingOn: output)
        session.output = listener
        defer {
            session.output = output
            session.module["ans"] = ans
        }
        lastStatus = session.run(text, named: name, hiddenLines: hiddenLines)
        return lastStatus == .done ? listener.value : nil
    }

    /// Runs the expression once, and if that was short some more times.
    fileprivate func time(_ text: String) -> Outcome {
        guard session.readsWell(text, named: "<time>") else { return .failed }
        // One program, which warns once at each place. The expression stands on lines of its own, so that messages show it as it was written.
        let most = 10
        let program = "(f -> { once = timeit(f, runs=1); if once.median > 0.1 { once } else { timeit(f, runs=\(most)) } })(() -> {\n\(text)\n})"
        guard case .record(let record)? = quietly(program, named: "<time>", hiddenLines: 1), case .number(let median)? = record["median"],
            case .number(let fastest)? = record["min"], case .number(let runs)? = record["runs"]
        else { return Outcome(lastStatus) }
        if runs == 1 {
            output.write("\(duration(median)) (one run)\n")
        } else {
            // A derivative that ran without its program.
            let isReplayed = if case .bool(true)? = record["replayed"] { true } else { false }
            output.write("\(duration(median)) a call (median of \(most) runs, fastest \(duration(fastest))\(isReplayed ? ", replayed" : ""))\n")
        }
        return .done
    }

    fileprivate func load(_ argument: String) -> Outcome {
        let path = unquoted(argument)
        guard let machine = session.machine else { return .failed }
        do {
            return run(keeping: try machine.readFile(path), named: path)
        } catch {
            return fail("cannot load \(path): \(message(about: error))")
        }
    }

    fileprivate func save(_ argument: String) -> Outcome {
        let path = unquoted(argument), text = record.text
        guard let machine = session.machine else { return .failed }
        if exists(path) {
            return fail("\(path) is there already, and `:save` writes over nothing", help: "choose another name, or remove the file first")
        }
        do {
            try machine.writeText(path) { try $0.append(text) }
            saved[path] = text
            output.write(
                "\(record.count) statement\(record.count == 1 ? "" : "s") saved to \(path)\(record.forgotten > 0 ? "; the \(record.forgotten) before are no longer known" : "")\n"
            )
            return .done
        } catch {
            return fail("cannot save \(path): \(message(about: error))")
        }
    }

    /// Whether a file must not be written: there is one, and it is not as this session left it.
    private func exists(_ path: String) -> Bool {
        guard let machine = session.machine else { return true }
        do {
            return try saved[path].map { Array($0.utf8) } != machine.readFile(path)
        } catch let error as FileError {
            return error.fault != .system(code: ENOENT) && error.fault != .folderMissing && error.fault != .noFolder
        } catch {
            // The write will say what is wrong.
            return false
        }
    }

    /// How many entries are listed.
    private static let listed = 20

    fileprivate func list(containing text: String) -> Outcome {
        let numbered = entries.enumerated().filter { text.isEmpty || $0.element.contains(text) }.suffix(text.isEmpty ? Self.listed : 1000)
        if numbered.isEmpty { output.write("nothing was entered\(text.isEmpty ? "" : " that contains `\(text)`")\n") }
        let width = numbered.last.map { String($0.offset + 1).count } ?? 0
        for (index, entry) in numbered {
            let number = String(index + 1), margin = String(repeating: " ", count: width + 4)
            let lines = entry.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            output.write(String(repeating: " ", count: width - number.count + 2) + number + "  " + lines.joined(separator: "\n" + margin) + "\n")
        }
        return .done
    }

    fileprivate func edit(_ argument: String) -> Outcome {
        guard let editText else { return fail("`:edit` \(absence)") }
        let path = unquoted(argument), isFile = !path.isEmpty
        guard let machine = session.machine else { return .failed }
        do {
            var before = entries.last { !isRequest($0.trimmingSpaces()) } ?? ""
            if isFile, let bytes = try? machine.readFile(path) {
                guard let text = String(validating: bytes, as: UTF8.self) else { return fail("nothing was edited: \(path) is not UTF-8") }
                before = text
            }
            let given = before.isEmpty || before.hasSuffix("\n") ? before : before + "\n", text = try editText(given).get()
            guard !text.allSatisfy(\.isWhitespace) else {
                output.write("nothing to run\n")
                return .done
            }
            // Left as it was: whoever leaves the editor without writing wants nothing run.
            if text == given, !isFile {
                output.write("nothing was changed, nothing runs\n")
                return .done
            }
            if isFile {
                try machine.writeText(path) { try $0.append(text) }
                return run(keeping: Array(text.utf8), named: path)
            }
            return enter(input: text.trimmingLineEnds())
        } catch let fault as EditFault {
            return fail("nothing was edited: \(fault.words)", help: "`$EDITOR` says which editor opens")
        } catch {
            return fail("cannot edit \(path): \(message(about: error))")
        }
    }

    /// Runs a line that starts with `!`.
    func run(systemCommand text: String) -> Outcome {
        guard let runCommand else { return fail("`!` \(absence)", help: "as an operator it is written `not`") }
        if text.isEmpty { return fail("a command of the system is missing after `!`", help: "as in `!ls`") }
        let status = runCommand(text)
        return status == 0 ? .done : fail("the command ended with exit status \(status)")
    }

    private var absence: String {
        session.options.files.isOpen ? "works at a terminal and in a pipe only" : "is refused under --sandbox: other programs know no sandbox"
    }

    private func unquoted(_ path: String) -> String {
        path.count > 1 && path.hasPrefix("\"") && path.hasSuffix("\"") ? String(path.dropFirst().dropLast()) : path
    }
}

/// Why a text was not edited.
package struct EditFault: Error {
    let words: String
    package init(_ words: String) { self.words = words }
}

/// Three digits and a unit: `1.25 ms`.
private func duration(_ seconds: Double) -> String {
    let units: [(Double, String)] = [(1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")]
    let (size, name) = units.first { seconds >= $0.0 } ?? (1e-9, "ns")
    let number = seconds / size
    return "\(printed(number, "f", precision: number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2)) \(name)"
}

/// Keeps the last value that was shown, and passes everything else on.
private final class Listener: SessionOutput {
    private let output: SessionOutput
    private(set) var value: Value?

    init(passingOn output: SessionOutput) { self.output = output }

    func write(_ text: String) { output.write(text) }
    func show(_ shown: Shown) { value = shown.value }
    func report(_ diagnostic: Diagnostic, _ session: Session) { output.report(diagnostic, session) }
}

extension Session {
    /// A line for each variable that the program set: its name, what it is, how it begins.
    package var variableList: String {
        let variables = module.variables.filter { $0.name != "args" || !options.arguments.isEmpty }
        guard !variables.isEmpty else { return "no variables yet\n" }
        let rows = variables.map { (name: $0.name, kind: Session.kind(of: $0.value), text: Session.preview(of: $0.value)) }
        let nameWidth = min(rows.map { displayWidth($0.name) }.max() ?? 0, 24)
        let kindWidth = min(rows.map { displayWidth($0.kind) }.max() ?? 0, 24)
        return rows.map { row in
            var line = "  \(row.name.padded(to: nameWidth))  \(row.kind.padded(to: kindWidth))  \(row.text)"
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// `array f64 (3, 4)`, `list of 3`, `number`.
    static func kind(of value: Value) -> String {
        switch value {
        case .array(let array) where array.rank > 0: "array \(array.type.name) \(describe(array.shape))"
        case .list(let list): "list of \(list.elements.count)"
        case .record(let record): "record of \(record.fields.count)"
        default: value.typeName
        }
    }

    /// The first line of a value as it is shown, cut where it gets long.
    private static func preview(of value: Value) -> String {
        if case .figure = value { return "" }
        guard let text = try? Format.shown(value) else { return "…" }
        let line = text.prefix { !$0.isNewline }
        return line.count < text.count || line.count > 48 ? line.prefix(47) + "…" : String(line)
    }
}

extension String {
    /// With spaces after it to a width in terminal columns.
    func padded(to width: Int) -> String {
        self + String(repeating: " ", count: Swift.max(width - displayWidth(self), 0))
    }
}
