// What may stand in the place of a file: `act check FILE ...`. A subcommand is one row: the usage text, what it accepts and what it complains
// of come from what it declares.

import ActGrammars
import ActJupyter
import ActRows
import ActSyntax
import ArgumentParser

struct Subcommand: Sendable {
    typealias Body = (Call) -> Int32

    let name: String
    let summary: String
    private let declaration: @Sendable (inout Signature) -> Body

    /// - Parameter declaration: Declares flags and operands and gives what does it, whose result is the exit status.
    private init(_ name: String, _ summary: String, _ declaration: @escaping @Sendable (inout Signature) -> Body) {
        self.name = name
        self.summary = summary
        self.declaration = declaration
    }

    static let rows = [
        Subcommand("check", "reports what is wrong before it runs; --fix does what is certain, --json writes all of it") { takes in
            let fixes = takes.flag("fix", default: false), isJSON = takes.flag("json", default: false), files = takes.files("the files to check")
            return { call in Runner(call.settings).check(call[files], fixes: call[fixes], isJSON: call[isJSON]) }
        },
        Subcommand("fmt", "writes programs in the one layout; --check only names those that have another") { takes in
            let checks = takes.flag("check", default: false), files = takes.files("the files to lay out")
            return { call in Runner(call.settings).layOut(call[files], checks: call[checks]) }
        },
        Subcommand(
            "test", "runs scripts, which say `# expect: VALUE`, and the blocks of .md files, which say `# VALUE`, and compares; --update writes what comes out"
        ) { takes in
            let updates = takes.flag("update", default: false), files = takes.files("the files to test")
            return { call in Runner(call.settings).test(call[files], updates: call[updates]) }
        },
        Subcommand("watch", "runs a script again whenever it is saved and says what came out differently") { takes in
            let file = takes.file("FILE", "the script to watch")
            return { call in Runner(call.settings).watch(call[file]) }
        },
        Subcommand("lsp", "the language server, on standard input and output") { takes in
            // The server starts itself with it, to run programs.
            let showsShapes = takes.flag("shapes", default: false)
            return { call in call[showsShapes] ? Runner(call.settings).tellShapes() : Runner(call.settings).serveEditor() }
        },
        Subcommand("kernel", "serves a notebook; Jupyter starts it") { takes in
            let lexer = takes.text("lexer", default: Kernel.commonLexer), file = takes.file("CONNECTION_FILE", "the connection file of a kernel")
            return { call in Runner(call.settings).serveKernel(call[file], lexer: call[lexer]) }
        },
        Subcommand("jupyter install", "makes act a kernel of Jupyter, for the user or below a prefix") { takes in
            _ = takes.flag("user", default: false)
            let prefix = takes.text("prefix", default: ""), lexer = takes.text("lexer", default: "")
            return { call in Runner(call.settings).installKernel(prefix: call[prefix], lexer: call[lexer]) }
        },
        Subcommand("grammar", "writes the grammar that an editor colours programs by; tokens: what act makes of standard input") { takes in
            let kind = takes.choice("KIND", of: GrammarTable.Kind.allCases.map(\.rawValue) + ["tokens"])
            return { call in Runner(call.settings).writeGrammar(call[kind]) }
        },
        Subcommand("completion", "writes what a shell completes command lines of act by") { takes in
            let shell = takes.choice("SHELL", of: CommandGuide.Shell.allCases.map(\.rawValue))
            return { call in Runner(call.settings).writeCompletion(call[shell]) }
        },
        Subcommand("manual", "writes the manual page, as man reads it") { _ in
            return { call in Runner(call.settings).writeManual() }
        },
    ]

    /// The subcommand that begins with a word.
    static func named(_ word: String) -> Subcommand? { rows.first { $0.words.first.map(String.init) == word } }

    private var words: [Substring] { name.split(separator: " ") }

    /// What was written after the name.
    struct Call {
        let settings: Settings
        /// What was given for each parameter; of a flag, its name.
        fileprivate let given: [String?]
        fileprivate let operands: [String]

        subscript(_ flag: Input<Bool>) -> Bool { given[flag.index] != nil }
        subscript(_ text: Input<String>) -> String { given[text.index] ?? text.fallback ?? "" }
        subscript(_ operands: Input<[String]>) -> [String] { self.operands }
    }

    /// What it takes: flags, options with a value, operands.
    var parameters: [Parameter] {
        var signature = Signature()
        _ = declaration(&signature)
        return signature.parameters
    }

    /// Those that help tells of: the others are for act itself.
    var shownParameters: [Parameter] { parameters.filter { $0.name != "shapes" } }

    /// `act check FILE ...`
    var usage: String {
        let parts = shownParameters.map { parameter in
            switch parameter.kind {
            case .flag: "[--\(parameter.name)]"
            case .text: "[--\(parameter.name) \(parameter.name.uppercased())]"
            default: parameter.name + (parameter.isVariadic ? " ..." : "")
            }
        }
        return (["act", name] + parts).joined(separator: " ")
    }

    /// What does it with the words after the first of its name.
    /// - Throws: `ValidationError` for an option that it lacks and for operands that are missing or too many.
    func task(_ words: ArraySlice<String>) throws -> Task {
        if words == ["--help"] || words == ["-h"] { throw CleanExit.helpRequest() }
        var words = words
        for word in self.words.dropFirst() {
            guard words.popFirst() == String(word) else { throw ValidationError("write `\(usage)`") }
        }
        var signature = Signature()
        let body = declaration(&signature)
        let options = signature.parameters.map { $0.kind == .flag || $0.kind == .text ? "--" + $0.name : nil }
        var given: [String?] = options.map { _ in nil }, operands: [String] = []
        while let word = words.popFirst() {
            let name = word.prefix { $0 != "=" }, value = name.count < word.count ? String(word.dropFirst(name.count + 1)) : nil
            if let index = options.firstIndex(of: String(name)), signature.parameters[index].kind == .text || value == nil {
                guard let text = signature.parameters[index].kind == .flag ? word : value ?? words.popFirst() else {
                    throw ValidationError("\(name) needs a value")
                }
                given[index] = text
            } else if word.hasPrefix("-"), word != "-" {
                throw ActCommand.unknownOption(word, of: self, among: options.compactMap { $0 })
            } else {
                operands.append(word)
            }
        }
        let places = signature.parameters.indices.filter { options[$0] == nil }
        if operands.isEmpty, let missing = places.first { throw ValidationError("`act \(name)` needs \(signature.parameters[missing].summary)") }
        if !places.contains(where: { signature.parameters[$0].isVariadic }) {
            guard operands.count <= places.count else { throw ValidationError("`act \(name)` takes no `\(operands[places.count])`: write `\(usage)`") }
            for (place, operand) in zip(places, operands) {
                if case .words(let words) = signature.parameters[place].expected, !words.contains(operand) {
                    let near = suggest(operand, among: words)
                    throw ValidationError(
                        "`act \(name)` needs \(signature.parameters[place].summary), not `\(operand)`"
                            + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?"))
                }
                given[place] = operand
            }
        }
        return .subcommand { body(Call(settings: $0, given: given, operands: operands)) }
    }
}

extension Signature {
    /// Files, one at least.
    /// - Parameter summary: Completes "needs …".
    fileprivate mutating func files(_ summary: String) -> Input<[String]> {
        parameter("FILE", .value, text: nil, role: .steps, isVariadic: true, summary: summary)
    }

    /// One of several words.
    fileprivate mutating func choice(_ name: String, of words: [String]) -> Input<String> {
        parameter(
            name, .value, expected: .words(words), text: nil, role: .steps,
            summary: words.dropLast().joined(separator: ", ") + " or " + (words.last ?? ""))
    }

    /// One file.
    fileprivate mutating func file(_ name: String, _ summary: String) -> Input<String> {
        parameter(name, .value, text: nil, role: .steps, summary: summary)
    }
}
