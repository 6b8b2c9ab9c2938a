// What `make fuzz` tries with new seeds, always the same here: a few thousand programs that nobody would write, always the same ones. `make fuzz` tries new ones for a minute.

import ActTestSupport
import Testing

@Suite struct FuzzTests {
    @Test(arguments: [1, 2]) func thousandsOfProgramsDoNoHarm(seed: Int) throws {
        try withFolder { folder in
            let scripts = ["Tests/Scripts", "examples"].map { "\"\(BuiltCommand.packageFolder)/\($0)\"" }.joined(separator: " ")
            let result = try BuiltCommand.runShell("exec \"${ACT%/*}/actfuzz\" --seed \(seed) --part programs --count 1500 --seconds 50 --patience \(Sanitizer.patience) --out \"\(folder)\" \(scripts)")
            #expect(result.status == 0, "\(result.output)\(result.error)")
            #expect(result.output.contains("0 findings"), "\(result.output)\(result.error)")
        }
    }
}
