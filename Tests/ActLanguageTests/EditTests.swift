// Edits that a report calls certain: that what they write is a program. Tried on every program of the pages of reports, and on every spelling
// of another language in many surroundings.

import ActLanguage
import ActSyntax
import ActTestSupport
import Testing

@Suite struct EditTests {
    /// The programs that are shown with what act says about them.
    private static let shown: [String] = ScriptFile.files(below: BuiltCommand.packageFolder + "/Tests/Diagnostics").filter { $0.hasSuffix(".md") }
        .flatMap { path -> [String] in
            var programs: [String] = [], lines: [Substring]?
            for line in ((try? ScriptFile.text(of: path)) ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
                if line == "```act" {
                    lines = []
                } else if line == "```", let program = lines {
                    programs.append(program.joined(separator: "\n"))
                    lines = nil
                } else {
                    lines?.append(line)
                }
            }
            return programs
        }

    /// Every spelling of another language where people write it.
    private static let foreign: [String] = {
        func filled(_ forms: [String], _ words: some Collection<String>) -> [String] {
            words.sorted().flatMap { word in forms.map { $0.replacing("WORD", with: word) } }
        }
        let symbols = filled(
            [
                "y = a WORD b", "y = a WORD", "y = WORD a", "y = WORD", "WORD a", "WORD", "if a WORD b { 1 }", "[a WORD b, 2]", "f(a WORD b, 2)", "y = aWORD",
                "y = aWORDb",
            ],
            foreignSymbols.keys)
        let openers = filled(
            [
                "WORD x", "WORD x, y", "WORD x y", "WORD x[0]", "WORD r.a", "WORD r[\"a\"]", "WORD \"t\"", "WORD \"t\", 3", "WORD f(x):\n    x", "WORD (x)",
                "WORD x: y, z", "WORD x = 3", "WORD a, b = 1, 2", "WORD E(\"t\")", "WORD", "if true { WORD x }", "y = WORD x: x + 1", "map(WORD x: x + 1, xs)",
                "WORD x[0]; 3", "WORD -x", "WORD x if c else y",
            ], foreignOpeners.keys)
        let infixes = filled(["y = a WORD b", "y = a WORD", "y = a WORD b, c", "if a WORD b { 1 }", "f(a WORD b)", "[a WORD b]"], foreignInfixes.keys)
        let loops = filled(["for i in WORD:\n    i", "for i in WORD: print(i)", "for i in WORD { i }", "if a: WORD, 2"], ["1:3", "1:2:3:4", "n:3", "1"])
        return symbols + openers + infixes + loops
    }()

    /// Ranges and blocks as other languages write them.
    private static let shapes: [String] = {
        let bounds = ["1", "3", "-2", "0", "n", "len(x)", "2.5", "x[0]", "n - 1", "1e300"]
        let ranges = bounds.flatMap { first in bounds.map { "\(first):\($0)" } } + ["1:2:9", "9:-1:0", "0:n:2", "1:2:n", ":3", "1:"]
        let forms = [
            "for i in RANGE { i }", "for i in RANGE {\n    i\n}", "for i = RANGE { i }", "y = RANGE", "y = f(RANGE)", "y = f(2, RANGE)", "y = 2 + RANGE",
            "y = RANGE * 2", "RANGE", "y = -RANGE", "[i for i in RANGE]", "return RANGE", "f(n) = RANGE",
        ]
        let blocks = [
            "if a: b", "while x < 3: x++", "for a in xs: print(a)", "for a in xs: r = {a: 1}", "for a in xs: if a { 1 }", "if a: { b }",
            "if a: x, y = 1, 2", "f(if a: b, c)", "else: 3", "if a { 1 } else: 2", "if a: print \"b\", 3",
        ]
        return ranges.flatMap { range in forms.map { $0.replacing("RANGE", with: range) } } + blocks
    }()

    /// What is offered to a person or an editor.
    @Test(arguments: [shown, foreign, shapes]) func editsWritePrograms(_ programs: [String]) throws {
        let session = try Session()
        for program in programs {
            let problems = session.problems(in: Array(program.utf8), named: "program.act")
            guard let source = problems.source else { continue }
            for diagnostic in problems.diagnostics where !diagnostic.edits.isEmpty && !diagnostic.isGuess {
                #expect(diagnostic.makesAProgram(in: source), "\(program): \(source.applying(diagnostic.edits))")
            }
        }
    }

    /// The parser's own, before those that do not hold are taken away.
    @Test(arguments: [shown, shapes]) func editsOfTheParserWritePrograms(_ programs: [String]) throws {
        #expect(programs.count > 100)
        for program in programs {
            let source = try SourceText(id: 0, name: "program.act", text: program)
            for fault in parse(source).diagnostics where !fault.edits.isEmpty && !fault.isGuess {
                #expect(fault.makesAProgram(in: source), "\(program): \(source.applying(fault.edits))")
            }
        }
    }

    /// What is left after `act check --fix` has no fault that was not there, but for the one that an edit brought to light.
    @Test(arguments: [shown, foreign, shapes]) func whatIsFixedHasNoMoreFaults(_ programs: [String]) throws {
        let session = try Session()
        func faults(_ bytes: [UInt8]) throws -> Int { parse(try SourceText(id: 0, name: "program.act", bytes: bytes)).diagnostics.count }
        for program in programs {
            let bytes = Array(program.utf8), fixed = session.fixed(bytes, named: "program.act").bytes
            #expect(try faults(fixed) <= faults(bytes), "\(program): \(String(decoding: fixed, as: UTF8.self))")
        }
    }

    @Test(arguments: [
        ("for i in 1:3 { print(i) }\n", "for i in range(1, 4) { print(i) }\n"),
        ("for i in 1:3: print(i)\n", "for i in range(1, 4) { print(i) }\n"),
        ("for i in 1:2:9: print(i)\n", "for i in range(1, 10, 2) { print(i) }\n"),
        ("for i in 1:3: { print(i) }\n", "for i in range(1, 4) { print(i) }\n"),
        ("xs = [4, 5, 6]\nfor i in 1:2: print(xs[0:i], {a: i})\n", "xs = [4, 5, 6]\nfor i in range(1, 3) { print(xs[0:i], {a: i}) }\n"),
        ("for i in 1:3 {\n    print(i)\n}\n", "for i in range(1, 4) {\n    print(i)\n}\n"),
        ("for i in -2:2 { print(i) }\n", "for i in range(-2, 3) { print(i) }\n"), ("for i in 1:2:9 { print(i) }\n", "for i in range(1, 10, 2) { print(i) }\n"),
        ("for i = 1:2:9 { print(i) }\n", "for i in range(1, 10, 2) { print(i) }\n"), ("x = -1:2\n", "x = range(-1, 3)\n"),
        ("print \"a\", 3\n", "print(\"a\", 3)\n"), ("x = 1\ndel x\n", "x = 1\nunset x\n"), ("mean([1, 2], dim=0)\n", "mean([1, 2], axis=0)\n"),
        ("a = true\nif a: print 1, 2\n", "a = true\nif a { print(1, 2) }\n"), ("reverse([1, 2])\n", "flip([1, 2])\n"), ("?gelu\n", "help(\"gelu\")\n"),
    ]) func certain(_ program: String, _ fixed: String) throws {
        let result = try Session().fixed(Array(program.utf8), named: "program.act")
        #expect(String(decoding: result.bytes, as: UTF8.self) == fixed)
        #expect(result.problems.diagnostics.map(\.title) == [])
    }

    /// Where the end of a range, or what is deleted, may mean several things, a person decides.
    @Test(arguments: [
        "x = [1]\nfor i in 0:len(x) {\n    x[i]\n}\n", "n = 3\nx = 1:n\n", "x = 2 + 1:3\n", "x = 1:3 * 2\n", "x = [1]\ndel x[0]\n", "r = {a: 1}\ndel r.a\n",
        "r = {a: 1}\ndel r[\"a\"]\n", "x = 1\nprint x x\n", "y = 3 mod\n", "raise \"a\", 3\n",
    ]) func uncertain(_ program: String) throws {
        #expect(String(decoding: try Session().fixed(Array(program.utf8), named: "program.act").bytes, as: UTF8.self) == program)
    }
}
