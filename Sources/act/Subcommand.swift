// What may stand in the place of a file: `act check FILE ...`. A subcommand is one row: the usage text, what it accepts and what it complains
// of come from what it declares.

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
        Subcommand("check", "reports every syntax error, runs nothing") { takes in
            let files = takes.files("the files to check")
            return { call in Runner(call.settings).check(call[files]) }
        },
        Subcommand("fmt", "writes programs in the one layout; --check only names those that have another") { takes in
            let checks = takes.flag("check", default: false), files = takes.files("the files to lay out")
            return { call in Runner(call.settings).layOut(call[files], checks: call[checks]) }
        },
        Subcommand("test", "runs scripts and the blocks of .md files and compares; --update writes what comes out") { takes in
            let updates = takes.flag("update", default: false), files = takes.files("the files to test")
            return { call in Runner(call.settings).test(call[files], updates: call[updates]) }
        },
    ]

    static func named(_ name: String) -> Subcommand? { rows.first { $0.name == name } }

    /// What was written after the name.
    struct Call {
        let settings: Settings
        fileprivate let flags: [Bool]
        fileprivate let operands: [String]

        subscript(_ flag: Input<Bool>) -> Bool { flags[flag.index] }
        subscript(_ operands: Input<[String]>) -> [String] { self.operands }
    }

    /// `act check FILE ...`
    var usage: String {
        var signature = Signature()
        _ = declaration(&signature)
        let flags = signature.parameters.filter { $0.kind == .flag }.map { "[--\($0.name)]" }
        return (["act", name] + flags + signature.parameters.filter(\.isVariadic).map { "\($0.name) ..." }).joined(separator: " ")
    }

    /// What does it with the words after the name.
    /// - Throws: `ValidationError` for an option that it lacks and for missing operands.
    func task(_ words: ArraySlice<String>) throws -> Task {
        if words == ["--help"] || words == ["-h"] { throw CleanExit.helpRequest() }
        var signature = Signature()
        let body = declaration(&signature)
        let names = signature.parameters.map { "--" + $0.name }
        var flags = names.map { _ in false }, operands: [String] = []
        for word in words {
            if let index = names.firstIndex(of: word), signature.parameters[index].kind == .flag {
                flags[index] = true
            } else if word.hasPrefix("-"), word != "-" {
                throw ActCommand.unknownOption(word, of: self, among: signature.parameters.filter { $0.kind == .flag }.map { "--" + $0.name })
            } else {
                operands.append(word)
            }
        }
        if operands.isEmpty, let missing = signature.parameters.first(where: \.isVariadic) { throw ValidationError("`act \(name)` needs \(missing.summary)") }
        return .subcommand { body(Call(settings: $0, flags: flags, operands: operands)) }
    }
}

extension Signature {
    /// Files, one at least.
    /// - Parameter summary: Completes "needs …".
    fileprivate mutating func files(_ summary: String) -> Input<[String]> {
        parameter("FILE", .value, text: nil, role: .steps, isVariadic: true, summary: summary)
    }
}
