// What `make fuzz` tries with new seeds for a minute, always the same here.

import ActTestSupport
import Testing

@Suite struct FuzzTests {
    @Test(arguments: [1, 2]) func thousandsOfProgramsDoNoHarm(seed: Int) throws {
        try withFolder { folder in
            let scripts = ["Tests/Scripts", "examples"].map { "\"\(BuiltCommand.packageFolder)/\($0)\"" }.joined(separator: " ")
            let result = try BuiltCommand.runShell(
                "exec \"${ACT%/*}/actfuzz\" --seed \(seed) --part programs --count 1500 --seconds 50 --patience \(Sanitizer.patience) --out \"\(folder)\" \(scripts)"
            )
            #expect(result.status == 0, "\(result.output)\(result.error)")
            #expect(result.output.contains("0 findings"), "\(result.output)\(result.error)")
        }
    }

    /// Every built-in and every other way of handing a value over, with large, long, deep, shared and wrong arguments, interrupted; and the
    /// command from outside: options, limits, signals, terminals, notebooks and editors that speak as none does. Machines that run tests are busy
    /// with other things: the tenth of a second itself is asked for by `make fuzz`.
    @Test(.enabled(if: Sanitizer.current == nil), arguments: ["rows --count 290", "commands --count 40", "kernel --count 30", "editor --count 40"])
    func everyRowCommandAndConversationEndsWell(part: String) throws {
        try withFolder { folder in
            let scripts = ["Tests/Scripts", "examples"].map { "\"\(BuiltCommand.packageFolder)/\($0)\"" }.joined(separator: " ")
            let result = try BuiltCommand.runShell("exec \"${ACT%/*}/actfuzz\" --part \(part) --seconds 10 --patience 5 --out \"\(folder)\" \(scripts)")
            #expect(result.status == 0, "\(result.output)\(result.error)")
        }
    }

    /// The layout of a program is the same program, and its own layout.
    @Test func thousandsOfProgramsAreLaidOut() throws {
        try withFolder { folder in
            let scripts = ["Tests/Scripts", "examples"].map { "\"\(BuiltCommand.packageFolder)/\($0)\"" }.joined(separator: " ")
            let options = "--part layout --seed 3 --count 3000 --seconds 300 --out \"\(folder)\""
            let result = try BuiltCommand.runShell("exec \"${ACT%/*}/actfuzz\" \(options) \(scripts)")
            #expect(result.status == 0, "\(result.output.suffix(4000))\(result.error)")
        }
    }
}
