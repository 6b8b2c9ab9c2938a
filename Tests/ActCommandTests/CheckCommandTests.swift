// `act check`: what it writes, what it fixes, how it ends.

import ActTestSupport
import Testing

@Suite struct CheckCommandTests {
    @Test func saysWhatIsWrongAndHowItEnds() throws {
        try withFolder { folder in
            try write("x = 1\nf(a) = {\n    b = a\n    a\n}\nf(x)\n", to: folder + "/doubtful.act")
            try write("x = undefinedname + 1\nrelu(1, 2)\n", to: folder + "/wrong.act")
            let doubtful = try BuiltCommand.run(["check", folder + "/doubtful.act"])
            #expect(doubtful.status == 0 && doubtful.error.contains("`b` is assigned and never used") && doubtful.error.contains("doubtful.act:3:5"))
            #expect(try BuiltCommand.run(["--no-warn", "check", folder + "/doubtful.act"]).error == "")
            let wrong = try BuiltCommand.run(["check", folder + "/doubtful.act", folder + "/wrong.act", folder + "/none.act"])
            #expect(wrong.status == 1 && wrong.error.contains("`undefinedname` is not defined") && wrong.error.contains("`relu` takes 1 argument, not 2"))
            #expect(wrong.error.contains("cannot read"))
        }
    }

    @Test(arguments: [(["--max-time", "0.001"], "the time limit of 0.001 s is reached"), (["--max-memory", "2M"], "is too large a program")])
    func aLimitSaysSo(options: [String], words: String) throws {
        let program = String(repeating: "x = [1, 2, 3] + sin(x)\n", count: 20_000)
        let result = try BuiltCommand.run(options + ["check", "-"], input: "x = 1\n" + program)
        #expect(result.status == 1 && result.error.contains(words), "\(result)")
    }

    /// Of many faults the first are told, and how many there are.
    @Test(arguments: ["nowhere\n", "relu(1, 2)\n", "[1, 2] + [1, 2, 3]\n"]) func manyFaultsAreCounted(_ line: String) throws {
        let result = try BuiltCommand.run(["check", "-"], input: String(repeating: line, count: 3000))
        #expect(result.status == 1 && result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }.count == 1001, "\(result.error.suffix(300))")
        #expect(result.error.hasSuffix("error: 2000 more errors are not shown\n"), "\(result.error.suffix(300))")
    }

    /// What a file defines is known to who imports it; the files that are imported are looked at too, each once.
    @Test func followsImports() throws {
        try withFolder { folder in
            try write("area(w, h) = w * h\nmap4(x) = x @ ones(3, 4)\nw = zeros(3, 4)\nn = len(args)\nmore = import(\"more.act\")\n", to: folder + "/lib.act")
            try write("broken(x) = x + nowhere\nnet = Dense(3, 2)\nback = import(\"lib.act\")\n", to: folder + "/more.act")
            func check(_ program: String, _ options: [String] = []) throws -> [String] {
                try write("l = import(\"lib.act\")\n" + program + "\n", to: folder + "/use.act")
                let result = try BuiltCommand.run(["check"] + options + [folder + "/use.act"])
                #expect(result.status == 1)
                return result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") || $0.hasPrefix("  /") }.map {
                    String($0).replacing(folder, with: "")
                }
            }
            let inside = ["error: `nowhere` is not defined", "  /more.act:1:17"]
            let right = "l.area(2, 3) + l.w @ ones(l.n); l.map4(ones(2, 3)) @ ones(4, 7); l.more.net(ones(5, 3)); map(l.area, [1, 2], [3, 4])"
            #expect(try check(right) == inside)
            for (program, title) in [
                ("l.area(1, 2, 3)", "`area` takes 2 arguments, not 3"), ("l.area(h=1)", "`area` needs the argument `w`"),
                ("l.volume", "the record has no field `volume`"), ("l.volume(3)", "the record has no field `volume`"),
                ("l.w + ones(5)", "shapes (3, 4) and (5,) do not fit for +"), ("l.map4(ones(2, 3)) + ones(5)", "shapes (2, 4) and (5,) do not fit for +"),
                ("l.more.net(ones(5, 4))", "Dense(3, 2) takes 3 columns, not an array of shape (5, 4)"),
                ("import(\"none.act\")", "`/none.act`: there is no such file"),
            ] {
                let found = try check(program)
                #expect(found.prefix(2) == inside[...] && found.dropFirst(2).first == "error: " + title && found.count == 4, "\(program): \(found)")
            }
            // What a program may write first is not missing.
            #expect(try check("save(\"x = 1\", \"new.txt\"); import(\"none.act\")") == inside)
            let files = try BuiltCommand.run(["check", folder + "/lib.act", folder + "/more.act", folder + "/use.act"])
            #expect(files.error.split(separator: "\n").count { $0.hasPrefix("error: ") } == 1, "\(files.error)")
            let json = try BuiltCommand.run(["check", "--json", folder + "/use.act"]).output
            #expect(json.contains("/more.act\",\"line\":1,\"column\":17"), "\(json)")
        }
    }

    @Test func whatIsNotTextIsNotFixed() throws {
        let result = try withFolder { folder in
            try write(bytes: Array("x = 'caf".utf8) + [0xe9, 0x27, 0x0a], to: folder + "/a.act")
            return try BuiltCommand.runShell(
                "cd '\(folder)' && cp a.act b && \"$ACT\" check --fix a.act 2>&1; \"$ACT\" check --fix - < a.act 2>&1; cmp a.act b && echo same")
        }
        #expect(result.output.hasSuffix("same\n") && !result.output.contains("\u{FFFD}"), "\(result)")
    }

    @Test func writesEverythingAsJSON() throws {
        let result = try BuiltCommand.run(["check", "--json", "-"], input: "가 = np.exp(1)\nlinspace(0, 1, nun=3)\n")
        #expect(result.status == 1 && result.error == "")
        #expect(
            result.output == #"[{"file":"<standard input>","line":1,"column":5,"endLine":1,"endColumn":7,"level":"error","code":"unknownName","#
                + #""message":"`np` is not defined","help":"functions need no module: write `exp` for `np.exp`","#
                + #""edits":[{"line":1,"column":5,"endLine":1,"endColumn":11,"text":"exp"}],"isCertain":true},"#
                + #"{"file":"<standard input>","line":2,"column":16,"endLine":2,"endColumn":19,"level":"error","code":"unknownArgument","#
                + #""message":"`linspace` has no argument `nun`","help":"did you mean `num`?","#
                + #""edits":[{"line":2,"column":16,"endLine":2,"endColumn":19,"text":"num"}],"isCertain":false}]"# + "\n")
        #expect(try BuiltCommand.run(["check", "--json", "-"], input: "x = 1\n").output == "[]\n")
    }

    @Test func fixesWhatIsCertain() throws {
        try withFolder { folder in
            try write("x = 3\nif x > 2 && x < 5 { x = True }\ny = np.exp(x) + sigmod(x)\n", to: folder + "/a.act")
            let result = try BuiltCommand.run(["check", "--fix", folder + "/a.act"])
            #expect(result.status == 1 && result.error.contains("`sigmod` is not defined") && !result.error.contains("&&"))
            #expect(try ScriptFile.text(of: folder + "/a.act") == "x = 3\nif x > 2 and x < 5 { x = true }\ny = exp(x) + sigmod(x)\n")
            #expect(try BuiltCommand.run(["check", "--fix", "-"], input: "x = np.exp(1)\n").output == "x = exp(1)\n")
        }
    }
}
