// `act fmt`: files in place, standard input to standard output, and the check.

import ActTestSupport
import Testing

@Suite struct LayoutCommandTests {
    @Test func laysOutFilesInPlace() throws {
        try withFolder { folder in
            try write("x=[1,2 ]  # two\nplot( x )\n", to: folder + "/a.act")
            try write("x = 1\n", to: folder + "/b.act")
            try write("x = (1\n", to: folder + "/c.act")
            let check = try BuiltCommand.run(["fmt", "--check", folder + "/a.act", folder + "/b.act"])
            #expect(check.output == folder + "/a.act\n")
            #expect(check.status == 1)
            let all = try BuiltCommand.run(["fmt", folder + "/a.act", folder + "/b.act"])
            #expect(all.status == 0 && all.output == "" && all.error == "")
            #expect(try ScriptFile.text(of: folder + "/a.act") == "x = [1, 2]  # two\nplot(x)\n")
            #expect(try ScriptFile.text(of: folder + "/b.act") == "x = 1\n")
            #expect(try BuiltCommand.run(["fmt", "--check", folder + "/a.act", folder + "/b.act"]).status == 0)
            // One with faults is told of and not touched; the others are laid out.
            try write("y  =  2", to: folder + "/d.act")
            let faulty = try BuiltCommand.run(["fmt", folder + "/c.act", folder + "/none.act", folder + "/d.act"])
            #expect(faulty.status == 1)
            #expect(faulty.error.contains("never closed") && faulty.error.contains("cannot read"))
            #expect(try ScriptFile.text(of: folder + "/c.act") == "x = (1\n")
            #expect(try ScriptFile.text(of: folder + "/d.act") == "y = 2\n")
        }
    }

    @Test func laysOutStandardInput() throws {
        let result = try BuiltCommand.run(["fmt", "-"], input: "f(x)={\nx^2 }\r\n")
        #expect(result.output == "f(x) = {\n    x^2\n}\n")
        #expect(result.status == 0 && result.error == "")
        #expect(try BuiltCommand.run(["fmt"]).status == 2)
        #expect(try BuiltCommand.run(["fmt", "-"], input: "x = ").status == 1)
        #expect(try BuiltCommand.run(["fmt", "-"], input: "").output == "")
    }
}
