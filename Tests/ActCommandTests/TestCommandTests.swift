// `act test`: what it finds, what it says, what `--update` writes.

import ActTestSupport
import Testing

@Suite struct TestCommandTests {
    private func test(_ text: String, named name: String = "a.act", _ options: String = "", updates: Bool = false) throws -> (
        result: ProcessResult, text: String
    ) {
        try withFolder { folder in
            try write(text, to: "\(folder)/\(name)")
            let result = try BuiltCommand.runShell("cd '\(folder)' && \"$ACT\" \(options) test \(updates ? "--update" : "") \(name) 2>&1")
            return (result, try ScriptFile.text(of: "\(folder)/\(name)"))
        }
    }

    // What is wrong, and how the difference begins.
    @Test(
        arguments: [
            ("1 + 1 # expect: 3\n", "a.act:1: it prints   2\n  expected is 3\n"),
            ("1 + 1\n", "a.act:1: it also prints 2\n"), ("x = 1\n1 + x  # 3\n", "a.act:2: it also prints 2\n  what a script prints is said by `# expect: …`\n"),
            ("x = 1\n# expect: 1\n", "a.act:2: it prints nothing where 1 is expected\n"),
            ("1 + # expect error: nothing\n", "a.act:1: no message says: nothing\na.act: its messages:\n  error: "),
            ("log(0) # expect: -inf\n", "a.act: no message was expected\na.act: its messages:\n  warning: division by zero"),
            ("# expect exit: 4\nx = 3\n", "a.act:1: the exit status is 0, expected is 4\n"),
            ("# expect exit: 0\n[1] @ [1, 2] # expect error: do not fit\n", "a.act:1: the exit status is 1, expected is 0\n"),
            ("# expect exit: many\n", "a.act:1: the exit status is 0: an expected one is a number\n"),
            ("# options: --nowhere\n", "error: a.act: there is no option --nowhere"),
            ("while true { print(1) }\n", "a.act: it writes too much to be compared\n"),
        ]) func differences(_ text: String, _ said: String) throws
    {
        let result = try test(text, "--max-time 5").result
        #expect(result.status == 1)
        #expect(result.output.hasPrefix(said), "\(result.output.prefix(500))")
    }

    /// The line of a page that is wrong, and what stands there.
    @Test(arguments: [
        ("x = 1\n\ny = 2\nx + y   # 4\nx   # 1\n", "a.md:6: it prints   3\n  expected is 4\n"), ("1   # 1\n2\n", "a.md:4: it prints 2\n"),
        ("1   # 1\n1   # 1\n1   # 2\n", "a.md:5: it prints   1\n  expected is 2\n"), ("x = 1\ny = 2   # 2\n", "a.md:4: it does not print 2\n"),
        ("f(x) = {\n    x\n}\nf(3)   # what it is\n", "a.md:6: it prints 3\n"),
    ]) func pagesNameTheLine(_ program: String, _ said: String) throws {
        #expect(try test("Text\n```act\n\(program)```\n", named: "a.md").result.output == said)
    }

    @Test(arguments: [
        "1 + 1 # expect: 2\n", "x = 1\n", "# options: --strict\n# expect error: division by zero\nlog(0)\n", "# args: a b\nargs[1] # expect: \"b\"\n",
        "# options: --max-memory 1M\nzeros(1e6) # expect error: memory limit\n", "[1] @ [1, 2] # expect error: do not fit\n# expect exit: 1\n",
        "plot([1, 2])\n# options: --plot none\n# expect: figure: 1 line ([1, 2])\n", "é = \"é\"\né # expect: \"é\"\n",
    ]) func agreement(_ text: String) throws {
        let result = try test(text).result
        #expect(result.status == 0 && result.output.isEmpty, "\(result.output)")
    }

    @Test func aFenceWithoutAnEndStaysAFault() throws {
        let (result, updated) = try test("```act\n1 + 1 # 3\n```\n```act\n2 + 2 # 4\n", named: "a.md", updates: true)
        #expect(result.status == 1 && result.output.contains("the fence has no end"), "\(result.output)")
        #expect(updated.contains("1 + 1 # 2"))
    }

    /// What is not text would not come back as it was.
    @Test func bytesThatAreNotTextStay() throws {
        for name in ["a.act", "a.md"] {
            try withFolder { folder in
                let bytes = Array("# caf".utf8) + [0xe9] + Array("\n\n```act\n1 + 1 # 3\n```\n1 + 1 # expect: 3\n".utf8)
                try write(bytes: bytes, to: "\(folder)/\(name)")
                let result = try BuiltCommand.runShell(
                    "cd '\(folder)' && cp \(name) before && \"$ACT\" test --update \(name) 2>&1; echo $?; cmp \(name) before")
                #expect(result.status == 0 && result.output.contains("is not UTF-8 and cannot be updated") && result.output.hasSuffix("1\n"), "\(result)")
            }
        }
    }

    @Test func linesMayEndWithReturns() throws {
        for (text, name, updated) in [
            ("# A page\r\n\r\n```act\r\n1 + 1   # 3\r\n```\r\n", "a.md", "# A page\r\n\r\n```act\r\n1 + 1   # 2\r\n```\r\n"),
            ("1 + 1  # expect: 3\r\n2 + 2  # expect: 4\r\n", "a.act", "1 + 1  # expect: 2\r\n2 + 2  # expect: 4\r\n"),
        ] {
            let first = try test(text, named: name)
            #expect(first.result.status == 1 && first.result.output.hasPrefix("\(name):"), "\(first.result.output)")
            let written = try test(text, named: name, updates: true).text
            #expect(written == updated, "\(written.debugDescription)")
            #expect(try test(written, named: name).result.status == 0)
        }
    }

    /// A statement that goes on in a block's next lines, over comments.
    @Test func blocksMayGoOn() throws {
        let result = try test("```act\nif false { 1 }\n# or else\n\nelse { 2 }\n# 2\n```\n", named: "a.md").result
        #expect(result.status == 0 && result.output.isEmpty, "\(result.output)")
    }

    @Test func pagesAreNoPrograms() throws {
        for command in ["fmt", "check", ""] {
            let result = try BuiltCommand.runShell("\"$ACT\" \(command) README.md 2>&1")
            #expect(result.status == 1 && result.output == "error: README.md is a page, not a program\n  help: `act test README.md` runs its blocks\n")
        }
    }

    /// What came out is written down so that the script agrees with itself, and so that a second time changes nothing.
    @Test(
        arguments: [
            ("1 + 1\n", "1 + 1  # expect: 2\n"),
            ("1 + 1     # expect: 7\n", "1 + 1     # expect: 2\n"),
            ("x = 1   # a comment\n[[1, 2], [3, 4]] # expect: 3\n", "x = 1   # a comment\n[[1, 2], [3, 4]]\n# expect: [[1, 2],\n# expect:  [3, 4]]\n"),
            ("for i in range(2) {\n    print(i)\n}\n# expect: 9\n", "for i in range(2) {\n    print(i)\n}\n# expect: 0\n# expect: 1\n"),
            ("log(0)\n", "log(0)\n# expect warning: division by zero in `log`: the result is -inf\n# expect: -inf\n"),
            ("[1] @ [1, 2]\n", "[1] @ [1, 2]  # expect error: shapes (1,) and (2,) do not fit for @\n"),
        ]) func updates(_ text: String, _ expected: String) throws
    {
        let (result, updated) = try test(text, updates: true)
        #expect(result.status == 0, "\(result.output)")
        #expect(updated == expected)
        let again = try test(updated, updates: true)
        #expect(again.result.output.isEmpty && again.text == updated)
    }

    @Test(
        arguments: [
            ("```act\n1 + 1 # 3\n```\n", "```act\n1 + 1 # 2\n```\n"),
            (
                "```act\nx = 2\n# stays as it is\nx\n```\nand\n```act\nx + 1\n```\n",
                "```act\nx = 2\n# stays as it is\nx  # 2\n```\nand\n```act\nx + 1  # 3\n```\n"
            ),
            ("```act\n1 # 1\n[[1], [2]]\n3 # 3\n```\n", "```act\n1 # 1\n[[1], [2]]\n3\n```\n```output\n[[1],\n [2]]\n3\n```\n"),
            ("```act\n1 # 2\n```\n```` ```act ```` is a fence.\n", "```act\n1 # 1\n```\n```` ```act ```` is a fence.\n"),
            ("```act\n1 # 2\n```\n```python\nprint(1)\n```\n", "```act\n1 # 1\n```\n```python\nprint(1)\n```\n"),
        ]) func documents(_ text: String, _ expected: String) throws
    {
        #expect(try test(text, named: "d.md").result.status == 1)
        let (result, updated) = try test(text, named: "d.md", updates: true)
        #expect(result.status == 0, "\(result.output)")
        #expect(updated == expected)
        #expect(try test(updated, named: "d.md").result.output.isEmpty)
    }

    @Test(arguments: ["```act\n1 + 1\n", "```act\n1 # 1\n```\n```output\n1\n", "text\n```python\n"]) func fencesWithoutAnEnd(_ text: String) throws {
        let result = try test(text, named: "d.md").result
        #expect(result.status == 1 && result.output.contains("the fence has no end"), "\(result.output)")
    }

    /// A file that fails does not keep the others from being tested; options of one are not those of the next.
    @Test func severalFiles() throws {
        try withFolder { folder in
            try write("# options: --strict --threads 1\n1 + 1 # expect: 3\n", to: "\(folder)/a.act")
            try write("# expect warning: division\nlog(0) # expect: -inf\n", to: "\(folder)/b.act")
            let result = try BuiltCommand.runShell("cd '\(folder)' && \"$ACT\" --sandbox test a.act missing.act b.act 2>&1")
            #expect(result.status == 1)
            #expect(result.output.contains("a.act:2: it prints   2\n") && result.output.contains("cannot read missing.act"), "\(result.output)")
            #expect(result.output.hasSuffix("2 of 3 files differ from what they say\n") && !result.output.contains("b.act:"), "\(result.output)")
        }
    }
}
