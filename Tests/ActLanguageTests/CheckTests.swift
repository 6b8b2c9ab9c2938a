// What `act check` finds before a program runs: that it finds what running would, and nothing else.

import ActBuiltins
import ActExpectations
import ActLanguage
import ActRows
import ActSyntax
import ActTestSupport
import Testing

@Suite struct CheckTests {
    private func check(_ program: String, warns: Bool = true) throws -> [Diagnostic] {
        var options = Session.Options()
        options.warns = warns
        return try Session(options: options).problems(in: Array(program.utf8), named: "program.act").diagnostics
    }

    /// Programs, and the codes with the text that each points at.
    static let programs: [(program: String, found: [(code: Diagnostic.Code, text: String)])] = [
        ("z = undefinedname + 1", [(.unknownName, "undefinedname")]),
        ("np.exp([1, 2])", [(.unknownName, "np")]),
        ("f(x) = x + offset\nf(1)", [(.unknownName, "offset")]),
        ("offset = 1\nf(x) = x + offset\nf(1)", []),
        ("f(x) = x + offset\noffset = 1\nf(1)", []),
        ("print(args, pi, relu)", []),
        ("r.a = 1", [(.unknownName, "r")]),
        ("total += 1", [(.unknownName, "total")]),
        ("for i in range(3) { print(i) }; i", []),
        ("[a * b for a in [1, 2] if a > 1]", [(.unknownName, "b")]),
        ("\"{nme}\"", [(.unknownName, "nme")]),
        ("x.f(1)", [(.unknownName, "x")]),
        // Built-ins.
        ("relu(1, 2, 3)", [(.tooManyArguments, "2, 3")]),
        ("relu()", []),
        ("linspace(0)", [(.missingArgument, "linspace(0)")]),
        ("linspace(0, 1, nmu=5)", [(.unknownArgument, "nmu")]),
        ("plot([1, 2], titel=\"a\")", [(.cannot, "titel")]),
        ("plot([1, 2], title=\"a\", kinks=true)", []),
        ("linspace(0, 1, start=5)", [(.argumentTwice, "start")]),
        ("plot([1, 2], title=\"a\", mine=[1, 2])", [(.cannot, "mine")]),
        ("max(1, 2, 3, 4)", []),
        ("[1, 2] |> transpose", []),
        ("[1, 2] |> linspace", [(.missingArgument, "[1, 2] |> linspace")]),
        ("relu(x) = x\nrelu(1)", []),
        ("x = {relu: (a, b) -> a}\nx.relu(1, 2)", []),
        // Functions that are defined once.
        ("f(x, y=2) = x * y\nf(1, 2, 3)", [(.tooManyArguments, "3")]),
        ("f(x, y=2) = x * y\nf(y=1)", [(.missingArgument, "f(y=1)")]),
        ("f(x, y=2) = x * y\nf(1, b=2)", [(.unknownArgument, "b")]),
        ("f(x, y=2) = x * y\nf(1, x=2)", [(.argumentTwice, "x")]),
        ("g = (a, b) -> a\ng(1)", [(.missingArgument, "g(1)")]),
        ("g(k) = {\n    h(a) = a\n    h(1, k)\n}\ng(1)", [(.tooManyArguments, "k")]),
        ("f(x) = x\nf(x, y) = y\nf(1, 2)", []),
        ("f(x) = x\nif true { f = (a, b) -> a }\nf(1, 2)", []),
        ("apply(f) = f(1, 2)\napply((a, b) -> a)", []),
        ("layer Scale(n) { s = ones(n); x -> x * s }\nScale(3, dtype=\"f64\")", []),
        ("layer Scale(n) { s = ones(n); x -> x * s }\nScale(m=3)", [(.unknownArgument, "m")]),
        ("layer Scale(n) { s = ones(n); x -> x * s }\nScale(3, \"f64\", 4)", [(.tooManyArguments, "4")]),
        ("layer Scale(n) { s = ones(n); x -> x * s }\nScale()", [(.missingArgument, "Scale()")]),
        ("layer Scale(n, dtype=\"f32\") { s = ones(n); x -> x * s }\nScale(3, n=4)", [(.argumentTwice, "n")]),
        // Functions that come of expressions.
        ("make(n) = x -> x + n\nmake(3)(1, 2)", [(.tooManyArguments, "2")]),
        ("(x -> x)(1, 2)", [(.tooManyArguments, "2")]),
        ("apply(f) = f(1, 2)\napply(x -> x)", [(.tooManyArguments, "2")]),
        ("g = relu\ng(1, 2, 3)", [(.tooManyArguments, "2, 3")]),
        ("[1, 2].mean(0, false, 5)", [(.tooManyArguments, "5")]),
        ("r = {f: x -> x}\nr.f(1, 2)", [(.tooManyArguments, "2")]),
        ("r = {f: x -> x}\nr.f = (a, b) -> a\nr.f(1, 2)", []),
        // Fields.
        ("r = {a: 1, b: 2}\nr.c", [(.noField, "c")]),
        ("r = {a: {b: 1}}\nr.a.c", [(.noField, "c")]),
        ("f() = {a: 1}\nf().b", [(.noField, "b")]),
        ("p = {a: 1}\nq = {...p, b: 2}\nq.a + q.b\nq.c", [(.noField, "c")]),
        ("r = {a: 1}\nr.c += 1", [(.noField, "c")]),
        ("r = {a: 1}\nr[\"z\"]", [(.noField, "r[\"z\"]")]),
        ("r = {a: 1}\nr.c = 2\nr.c", []),
        ("r = {a: 1}\nr[\"c\"] = 2\nr.c", []),
        ("r = {a: 1}\nif rand() > 2 { r = {b: 1} }\nr.b", []),
        ("f(r) = r.b\nf({a: 1, b: 2})", []),
        ("r = {a: 1}\nfor name in (\"a\", \"b\") { r[name] = 1 }\nr.b", []),
        ("p = {W: zeros(3)}\np.W += ones(3)\np.W + ones(3)", []),
        // Lost and unused.
        ("f(x) = {\n    y = x\n    + 1\n    y\n}\nf(1)", [(.lostValue, "+ 1")]),
        ("f(x) = {\n    y = x + 1\n    x\n}\nf(1)", [(.unusedAssignment, "y")]),
        ("f(x) = {\n    y = x + 1\n}\nf(1)", [(.unusedAssignment, "y")]),
        ("f(x) = {\n    y = zeros(3)\n    y[0] = x\n    x\n}\nf(1)", [(.unusedAssignment, "y")]),
        ("f(x) = {\n    _y = x + 1\n    a, b = (1, 2)\n    for i in range(3) { print(a) }\n    g = () -> c\n    c = 1\n    g\n}\nf(1)", []),
        ("layer Two() { w = [1, 2]; n = 0; x -> { n += 1; x * w } }\nTwo()", []),
        ("y = 1", []),
    ]

    @Test(arguments: programs.indices) func finds(_ index: Int) throws {
        let (program, expected) = Self.programs[index]
        let session = try Session()
        let problems = session.problems(in: Array(program.utf8), named: "program.act")
        let found = problems.diagnostics.map { diagnostic in
            (diagnostic.code, diagnostic.primarySpan.map { problems.source?.text($0) ?? "" } ?? "")
        }
        #expect(found.map(\.0) == expected.map(\.code) && found.map(\.1) == expected.map(\.text), "\(program): \(found)")
        #expect(problems.status == (problems.diagnostics.contains { $0.level == .error } ? .failed : .done))
    }

    /// What the arguments of calls and the fields of records are told of happens.
    @Test(arguments: programs.indices) func callsAndFieldsFailAsTold(_ index: Int) throws {
        let (program, found) = Self.programs[index]
        let certain: Set<Diagnostic.Code> = [.tooManyArguments, .unknownArgument, .missingArgument, .argumentTwice, .noField]
        for (code, _) in found where certain.contains(code) {
            let codes = try run(program).problems.map(\.code)
            #expect(codes.contains(code), "\(program)")
        }
    }

    @Test func warningsAreShownUnlessTheyAreNotWanted() throws {
        let program = "f(x) = {\n    y = x + 1\n    x\n}\nnothing_there"
        #expect(try check(program).map(\.code) == [.unusedAssignment, .unknownName])
        #expect(try check(program, warns: false).map(\.code) == [.unknownName])
    }

    // MARK: The same as running

    /// Calls of every built-in with an argument too many and with a name that it lacks: the check finds what running does.
    @Test func callsOfBuiltinsAreFoundAsRunningFindsThem() throws {
        for row in BuiltinRows.all {
            let parameters = row.parameters
            for name in [row.name] + row.aliases {
                if !parameters.contains(where: \.isVariadic) {
                    let program = "\(name)(\(Array(repeating: "1", count: parameters.count + 1).joined(separator: ", ")))"
                    #expect(try check(program).map(\.code) == [.tooManyArguments], "\(program)")
                    #expect(try run(program).problems.first?.code == .tooManyArguments, "\(program)")
                }
                if row.options.isEmpty {
                    let program = "\(name)(zzzzzz=1)"
                    #expect(try check(program).map(\.code) == [.unknownArgument], "\(program)")
                }
                let required = parameters.filter { $0.fallback == nil && !$0.isVariadic }
                if !required.isEmpty, row.activation == nil {
                    #expect(try check("\(name)()").first?.code == .missingArgument, "\(name)")
                    #expect(try run("\(name)()").problems.first?.code == .missingArgument, "\(name)")
                }
            }
        }
    }

    // MARK: No false alarm

    private static let scripts = ScriptFile.files(below: BuiltCommand.packageFolder + "/Tests/Scripts").filter { $0.hasSuffix(".act") }

    /// Scripts about something else, in which values are lost and names unused as the check says.
    private static let careless = ["texts_that_grow_in_place", "assigned_in_places", "on_none", "unpack_points_at_the_values"]

    /// Errors are found in scripts alone that end with one; what is doubtful is what the script says that running finds doubtful.
    @Test(arguments: scripts) func scriptsAreRight(_ path: String) throws {
        let text = try ScriptFile.text(of: path)
        let isCareless = Self.careless.contains { path.hasSuffix("/\($0).act") }
        for diagnostic in try check(text) {
            switch diagnostic.level {
            case .error: #expect(text.contains("# expect error: "), "\(diagnostic.title)")
            case .warning: #expect(text.contains("# expect warning: \(diagnostic.title)") || isCareless, "\(diagnostic.title)")
            case .note: break
            }
        }
    }

    private static let examples = ScriptFile.files(below: BuiltCommand.packageFolder + "/examples").filter { $0.hasSuffix(".act") }

    @Test(arguments: examples) func examplesAreRight(_ path: String) throws {
        #expect(try check(try ScriptFile.text(of: path)).map(\.title) == [])
    }

    private static let pages = ScriptFile.files(below: BuiltCommand.packageFolder + "/Docs").filter { $0.hasSuffix(".md") }

    /// The blocks of a page are one program; what is wrong with them is said on the page.
    @Test(arguments: pages) func pagesAreRight(_ path: String) throws {
        let text = try ScriptFile.text(of: path)
        let program = DocumentExpectation(text).blocks.flatMap(\.code).filter { !$0.hasPrefix(":") && !$0.hasPrefix("?") }.joined(separator: "\n")
        for diagnostic in try check(program) where diagnostic.level == .error { #expect(text.contains(diagnostic.title), "\(diagnostic.title)") }
    }

    /// The example of each built-in.
    @Test func examplesOfBuiltinsAreRight() throws {
        for row in BuiltinRows.all { #expect(try check(row.example).filter { $0.level == .error }.map(\.title) == [], "\(row.example)") }
    }

    // MARK: Edits

    @Test func whatIsCertainIsFixed() throws {
        let session = try Session()
        func fixed(_ program: String) -> String { String(decoding: session.fixed(Array(program.utf8), named: "program.act").bytes, as: UTF8.self) }
        #expect(fixed("x = np.exp(np.array([1, 2]))\n") == "x = exp(array([1, 2]))\n")
        #expect(fixed("x = 3\nif x > 2 && x < 5 { x = True }\n") == "x = 3\nif x > 2 and x < 5 { x = true }\n")
        // What may have meant something else is left to a person.
        #expect(fixed("sigmod(1)\n") == "sigmod(1)\n")
        #expect(fixed("linspace(0, 1, nun=3)\n") == "linspace(0, 1, nun=3)\n")
        #expect(fixed("x = (1\n") == "x = (1\n" || fixed("x = (1\n") == "x = (1)\n")
        #expect(fixed("") == "")
    }
}

/// What running a program reports.
private func run(_ program: String) throws -> (problems: [Diagnostic], status: Session.Status) {
    final class Listener: SessionOutput {
        var reports: [Diagnostic] = []
        func write(_ text: String) {}
        func show(_ shown: Shown) {}
        func report(_ diagnostic: Diagnostic, _ session: Session) { reports.append(diagnostic) }
    }
    let listener = Listener()
    let status = try Session(output: listener).run(program, named: "program.act")
    return (listener.reports, status)
}
