// Signatures say what functions do: every parameter of every row is taken by position and by name, nothing else is, and a default that is
// written gives what leaving it out gives.

import ActLanguage
import ActRows
import ActTestSupport
import Testing

private final class Recorder: SessionOutput {
    var text = ""
    var problems: [Diagnostic] = []
    func write(_ text: String) { self.text += text }
    func show(_ shown: Shown) { text += shown.text + "\n" }
    func report(_ diagnostic: Diagnostic, _ session: Session) { problems.append(diagnostic) }
}

/// A session that says what each program shows, or how it fails.
private final class Runner {
    private let output = Recorder()
    private let session: Session

    init() throws { session = try Session(options: .init(), output: output) }

    func run(_ program: String) -> (text: String, problems: [String]) {
        (output.text, output.problems) = ("", [])
        _ = session.run(program, named: "test.act")
        return (output.text, output.problems.map(\.title))
    }
}

/// A call in a program, taken apart.
private struct WrittenCall {
    let arguments: [String]
    /// What stands before and after its closing parenthesis.
    let before, after: String

    /// The first call of a function by its name; `nil` where there is none.
    init?(of name: String, in program: String) {
        let text = Array(program)
        let word = Array(name + "(")
        let starts = text.indices.filter { start in
            text[start...].starts(with: word) && (start == 0 || !(text[start - 1].isLetter || text[start - 1].isNumber || "._".contains(text[start - 1])))
        }
        guard let start = starts.first else { return nil }
        var depth = 0, isQuoted = false, parts: [String] = [], part = "", position = start + word.count
        scan: while position < text.count {
            let character = text[position]
            if isQuoted, character == "\\" {
                part += String(text[position...position + 1])
                position += 2
                continue
            }
            if character == "\"" { isQuoted.toggle() }
            if !isQuoted {
                switch character {
                case "(", "[", "{": depth += 1
                case ")" where depth == 0: break scan
                case ")", "]", "}": depth -= 1
                case "," where depth == 0:
                    parts.append(part)
                    part = ""
                    position += 1
                    continue
                default: break
                }
            }
            part.append(character)
            position += 1
        }
        arguments = (part.isEmpty ? parts : parts + [part]).map { String($0.drop { $0 == " " }) }
        before = String(text[..<position])
        after = String(text[position...])
    }

    /// The text of each parameter's argument, of those that have one.
    func bound(to parameters: [Parameter]) -> [String: String] {
        var given: [String: String] = [:], position = 0
        for argument in arguments {
            if let equals = argument.firstIndex(of: "="), argument[..<equals].allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }),
                argument[argument.index(after: equals)...].first != "="
            {
                given[String(argument[..<equals])] = String(argument[argument.index(after: equals)...])
            } else if position < parameters.count {
                given[parameters[position].name] = argument
                if !parameters[position].isVariadic { position += 1 }
            }
        }
        return given
    }
}

@Suite struct RowTests {
    @Test func parametersAreTakenByNameAndPosition() throws {
        for row in BuiltinRows.all {
            let runner = try Runner(), parameters = row.parameters, isOpen = parameters.contains { $0.isVariadic }
            func complains(_ arguments: [String]) -> String? {
                let problems = runner.run("\(row.name)(\(arguments.joined(separator: ", ")));").problems
                return problems.first { $0.contains("has no argument") || $0.contains("has no option") || $0.contains(#/takes \d+ arguments?, not/#) }
            }
            let all = parameters.map { _ in "none" }
            #expect(complains(all) == nil, "\(row.signature) does not take \(all.count) arguments")
            if !isOpen { #expect(complains(all + ["none"]) != nil, "\(row.signature) takes one argument more") }
            for parameter in parameters where !parameter.isVariadic {
                let needed = parameters.filter { $0.fallback == nil && !$0.isVariadic && $0.name != parameter.name }.map { "\($0.name)=none" }
                #expect(complains(needed + ["\(parameter.name)=none"]) == nil, "\(row.signature) does not take \(parameter.name)=")
            }
            for option in row.options { #expect(complains(all + ["\(option.name)=none"]) == nil, "\(row.name) does not take \(option.name)=") }
            let needed = parameters.filter { $0.fallback == nil && !$0.isVariadic }.map { "\($0.name)=none" }
            #expect(
                runner.run("\(row.name)(\((needed + ["no_such_name=1"]).joined(separator: ", ")));").problems.isEmpty == false,
                "\(row.signature) takes no_such_name=")
            if row.options.isEmpty { #expect(complains(needed + ["no_such_name=1"]) != nil, "\(row.signature) takes no_such_name=") }
        }
    }

    @Test func requiredParametersAreMissed() throws {
        for row in BuiltinRows.all {
            let needed = row.parameters.filter { $0.fallback == nil && !$0.isVariadic }
            for left in needed {
                let others = needed.filter { $0.name != left.name }.map { "\($0.name)=none" }
                let problems = try Runner().run("\(row.name)(\(others.joined(separator: ", ")));").problems
                #expect(problems.first?.contains("`\(left.name)`") == true, "\(row.signature) without \(left.name): \(problems)")
            }
        }
    }

    /// What acts on each element acts on each number and array of a structure.
    @Test func elementwiseRowsGoThroughStructures() throws {
        let runner = try Runner()
        var count = 0
        for row in BuiltinRows.all where row.topic == .elementwise || row.activation?.kind == .elementwise {
            let needed = row.parameters.filter { $0.fallback == nil }
            guard needed.count == 1, !needed[0].isVariadic else { continue }
            count += 1
            let of = row.name
            let program = "r = \(of)({a: 0.5, b: ([0.25, 0.75], true)}); (repr(r.a) == repr(\(of)(0.5)), repr(r.b) == repr((\(of)([0.25, 0.75]), true)))"
            #expect(runner.run(program).text == "(true, true)\n", "\(row.signature)")
        }
        #expect(count > 60)
    }

    @Test func writtenDefaultsAreThoseThatCount() throws { try withFolder(writtenDefaultsCount) }

    private func writtenDefaultsCount(_ folder: String) throws {
        for row in BuiltinRows.all where !row.example.isEmpty && row.parameters.contains(where: { $0.fallback != nil }) {
            let example = row.example.replacing("/tmp/", with: folder + "/")
            guard let call = WrittenCall(of: row.name, in: example) else {
                Issue.record("the example of \(row.name) does not call it")
                continue
            }
            let given = call.bound(to: row.parameters)
            let plain = try Runner().run(example)
            for parameter in row.parameters where given[parameter.name] == nil {
                guard var text = parameter.fallback else { continue }
                // A default may be another parameter.
                if let other = row.parameters.first(where: { $0.name == text }) { text = given[other.name] ?? other.fallback ?? text }
                let program = call.before + (call.arguments.isEmpty ? "" : ", ") + "\(parameter.name)=\(text)" + call.after
                let written = try Runner().run(program)
                #expect(written.text == plain.text && written.problems == plain.problems, "\(program): \(written.text) \(written.problems)")
            }
        }
    }

    /// A layer shows what it was made with but for defaults, whether these were written or not.
    @Test func layersDoNotShowDefaults() throws {
        let runner = try Runner()
        var layers: Set<String> = []
        for row in BuiltinRows.all where row.topic == .networks {
            let needed = row.parameters.filter { $0.fallback == nil }.map { $0.kind == .network ? "tanh" : "2" }
            guard runner.run("type(\(row.name)(\(needed.joined(separator: ", "))))").text == "\"layer\"\n" else { continue }
            layers.insert(row.name)
            func shown(_ arguments: [String]) -> String { runner.run("print(\(row.name)(\(arguments.joined(separator: ", "))))").text }
            let plain = shown(needed)
            #expect(plain == "\(row.name)(\(needed.joined(separator: ", ")))\n")
            for parameter in row.parameters {
                guard var text = parameter.fallback else { continue }
                if let other = row.parameters.first(where: { $0.name == text }) { text = other.fallback ?? "2" }
                #expect(shown(needed + ["\(parameter.name)=\(text)"]) == plain, "\(row.name): \(parameter.text)")
            }
        }
        #expect(layers.isSuperset(of: ["Dense", "Conv2D", "MaxPool2D", "Flatten", "Dropout", "Residual"]), "\(layers)")
    }
}
