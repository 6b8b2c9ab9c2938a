// Docs/reference.md says what the rows say. ACT_WRITE_DOCS=1 writes the page.

import ActLanguage
import ActTestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite struct ReferenceTests {
    @Test func thePageIsCurrent() throws {
        let path = BuiltCommand.packageFolder + "/Docs/reference.md"
        if getenv("ACT_WRITE_DOCS") != nil {
            let file = try #require(fopen(path, "w"))
            fputs(Reference.markdown(), file)
            fclose(file)
        }
        #expect(try ScriptFile.text(of: path) == Reference.markdown(), "run `make reference`")
    }

    @Test func everyRowIsOnThePage() {
        let page = Reference.markdown()
        for row in BuiltinRows.all { #expect(page.contains("### `\(row.signature)`")) }
    }
}
