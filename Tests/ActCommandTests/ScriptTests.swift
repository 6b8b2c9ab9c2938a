// Every script below Tests/Scripts does what it says, as `act test` sees it.

import ActTestSupport
import Testing

@Suite struct ScriptTests {
    static let scripts = (try? ScriptFile.all(below: "Tests/Scripts")) ?? []

    @Test func thereAreScripts() { #expect(!Self.scripts.isEmpty) }

    @Test(arguments: scripts) func script(_ file: ScriptFile) throws {
        let result = try file.withoutTraces { try BuiltCommand.run(["test", $0]) }
        #expect(result.status == 0 && result.output.isEmpty && result.error.isEmpty, "\(result.output)\(result.error)")
    }
}
