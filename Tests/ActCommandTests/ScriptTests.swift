// Runs every script below Tests/Scripts and compares with what the script itself expects.

import ActTestSupport
import Testing

@Suite struct ScriptTests {
    static let scripts = (try? ScriptFile.all(below: "Tests/Scripts")) ?? []

    @Test func thereAreScripts() { #expect(!Self.scripts.isEmpty) }

    @Test(arguments: scripts) func script(_ file: ScriptFile) throws {
        let differences = try file.differences()
        #expect(differences.isEmpty, "\(file):\n\(differences)")
    }
}
