// The rows of the built-in functions: each is complete, and its example shows what it says.

import ActArray
import ActFiles
import ActLanguage
import ActSyntax
import ActTestSupport
import Testing
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Collects what a program shows.
private final class Recorder: SessionOutput {
    var text = ""
    var problems: [Diagnostic] = []
    func write(_ text: String) { self.text += text }
    func show(_ shown: Shown) { text += shown.text + "\n" }
    func report(_ diagnostic: Diagnostic, _ session: Session) { problems.append(diagnostic) }
}

private func run(_ program: String, options: Session.Options = .init()) throws -> Recorder {
    let output = Recorder()
    try withExtendedLifetime(Session(options: options, output: output)) { _ = $0.run(program, named: "test.act") }
    return output
}

struct BuiltinsTests {
    @Test func namesAreUnique() {
        var seen: Set<String> = []
        for row in BuiltinRows.all {
            for name in [row.name] + row.aliases { #expect(seen.insert(name).inserted, "`\(name)` stands twice") }
        }
        for constant in BuiltinRows.constants { #expect(seen.insert(constant.name).inserted) }
    }

    @Test func rowsAreComplete() {
        for row in BuiltinRows.all {
            #expect(!row.summary.isEmpty, "\(row.name)")
            #expect(row.signature.hasSuffix(")") && row.signature.hasPrefix(row.name + "("), "\(row.signature)")
            #expect(!row.example.isEmpty || ["help", "import"].contains(row.name), "\(row.name) has no example")
            for name in row.parameters.map(\.name) { #expect(name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }, "\(row.signature)") }
        }
    }

    /// Every name that the reference lists, so that a row cannot get lost.
    @Test func referenceIsCovered() {
        let listed = """
            range linspace zeros ones full eye array rand randn randint permutation one_hot meshgrid seed shape size ndim len reshape flatten transpose
            swapaxes concat stack split tile repeat pad flip roll expand_dims squeeze broadcast_to abs sign sqrt exp expm1 log log2 log10 log1p sin cos tan
            asin acos atan atan2 sinh cosh tanh erf floor ceil round trunc clip where min max maximum minimum isnan isinf isfinite isclose hypot sum prod
            mean std var argmin argmax any all allclose cumsum cumprod logsumexp norm median quantile sort argsort unique nonzero bincount histogram
            searchsorted dot matmul outer trace inv solve det map filter reduce compose grad jacobian hessian value_and_grad check_grad kinks print format type
            repr number join replace trim upper lower contains starts_with ends_with to_json from_json load save import timeit clock assert error why help
            f32 f64 bool int show plot scatter hist bar heatmap image contour panels
            Dense PReLU Maxout Conv2D MaxPool2D AvgPool2D Flatten FReLU BatchNorm LayerNorm Dropout Embedding Residual parameters summary fit history
            mse mae huber cross_entropy nll bce bce_logits hinge kl_div SGD RMSProp Adagrad Adam AdamW Nadam Lion constant_rate step_rate cosine_rate
            accuracy r2 confusion gradient_flow activation_flow digits batches normalize
            """
        let names = Set(BuiltinRows.all.map(\.name))
        for name in listed.split(whereSeparator: \.isWhitespace) { #expect(names.contains(String(name)), "\(name)") }
    }

    @Test func examplesShowWhatTheySay() throws {
        for row in BuiltinRows.all where !row.example.isEmpty {
            let output = try withFolder { try run(row.example.replacing("/tmp/", with: $0 + "/")) }
            #expect(output.text == Self.promised(by: row.example), "\(row.name): \(row.example)")
            #expect(output.problems.isEmpty, "\(row.name): \(output.problems.map(\.title))")
        }
    }

    @Test func guidesShowWhatTheySay() throws {
        for guide in Guide.rows where !guide.example.isEmpty {
            let output = try run(guide.example)
            #expect(output.text == Self.promised(by: guide.example), "\(guide.name)")
            #expect(output.problems.isEmpty, "\(guide.name): \(output.problems.map(\.title))")
        }
    }

    /// What the comments of an example say that it shows.
    private static func promised(by example: String) -> String {
        var text = ""
        for line in example.split(separator: "\n") {
            if line.hasPrefix("#") {
                text += line.dropFirst() + "\n"
            } else if let mark = line.ranges(of: " # ").last {
                text += line[mark.upperBound...] + "\n"
            }
        }
        return text
    }

    // MARK: Derivatives

    /// What a derivative that asks for a number says of functions of another value, and of points without one, names what the program called.
    @Test func derivativesNameThemselves() throws {
        let calls = [
            ("grad", "grad(f)(x)"), ("value_and_grad", "value_and_grad(f)(x)"), ("hessian", "hessian(f)(x)"), ("hvp", "hvp(f, x, x)"),
            ("`f'`", "f'({a: x})"), ("hessian", "hessian(f)({a: x})"),
        ]
        for (name, call) in calls {
            let title = try run("f(x) = x * [1, 2]\nx = [1, 2]\n\(call.contains("{") ? "f = r -> r.a\n" : "")\(call)").problems.first?.title ?? ""
            let shown = name.hasPrefix("`") ? "needs a function whose value is a number" : "\(name) needs a function whose value is a number"
            #expect(title.contains(shown), "\(call): \(title)")
        }
        for (name, call) in [("jvp", "jvp(x -> x, \"a\", 1)"), ("vjp", "vjp(x -> x, \"a\")"), ("hvp", "hvp(x -> x, \"a\", 1)")] {
            #expect(try run(call).problems.first?.title == "there is no number in `x` for `\(name)` to take the derivative in", "\(call)")
        }
    }

    /// Formulas and derivations are shown as they read; they are strings all the same.
    @Test func formulasAreShownAsTheyRead() throws {
        #expect(try run("formula(sigmoid')").text == "σ(x) (1 - σ(x))\n")
        #expect(try run("formula(x -> 1 / x, style=\"latex\")").text == "\\frac{1}{x}\n")
        let lines = try run("derive(x -> x^2)").text.split(separator: "\n")
        #expect(lines.count == 2 && lines[0] == "f'(x) = (x²)'" && lines[1].hasPrefix("      = 2 x"))
        #expect(try run("text = formula(x -> 2 * x); text").text == "2 x\n")
        // Not what is made of them.
        #expect(try run("formula(x -> 2 * x) + \"!\"").text == "\"2 x!\"\n")
        #expect(try run("text = formula(x -> 2 * x); text += \"!\"; text").text == "\"2 x!\"\n")
        #expect(try run("(formula(x -> 2 * x), 1)").text == "(\"2 x\", 1)\n")
    }

    // MARK: Files

    @Test(
        arguments: [
            ("a.npy", "[[1, 2.5], [3, 4]]"), ("a.npz", "{x: [1, 2], y: f32([0.5])}"), ("a.json", "{a: [1, 2.5], b: (\"x\", none), c: 0.1 + 0.2}"),
            ("a.txt", "\"line\\n기울기\""),
            ("a.csv", "[[1, 2.5], [3, -1e-300]]"), ("b.csv", "{x: [1, 2], name: (\"a,b\", \"say \\\"c\\\"\")}"), ("a.tsv", "[[1, 2], [3, 4]]"),
        ] as [(String, String)])
    func filesReadBack(_ name: String, _ value: String) throws {
        let output = try withFolder { folder in
            let path = "\(folder)/\(name)"
            return try run("v = \(value)\nsave(v, \"\(path)\")\nrepr(load(\"\(path)\")) == repr(v)")
        }
        #expect(output.text == "true\n", "\(output.text) \(output.problems.map(\.title))")
    }

    @Test func figuresAreSaved() throws {
        try withFolder { folder throws in
            #expect(try run("save(plot(relu), \"\(folder)/f.svg\")").problems.isEmpty)
            #expect(rename(folder + "/f.svg", folder + "/f.txt") == 0)
            #expect(try run("starts_with(load(\"\(folder)/f.txt\"), \"<svg\")").text == "true\n")
            #expect(try run("load(\"\(folder)/f.svg\")").problems.first?.title.contains("does not read pictures") == true)
        }
    }

    @Test(
        arguments: [
            ("load(\"x.cvs\")", "did you mean .csv?"), ("load(\"x\")", "known suffixes"), ("save(1, \"x.png\")", "draw it first"),
            ("save([1], \"x.npz\")", "use .npy"),
        ] as [(String, String)])
    func suffixFaults(_ program: String, _ help: String) throws {
        #expect(try run(program).problems.first?.help?.contains(help) == true)
    }

    @Test func sandboxKeepsFilesIn() throws {
        try withFolder { folder in
            let (inside, outside) = (folder + "/inside", folder + "/outside")
            for made in [inside, outside] { #expect(mkdir(made, 0o755) == 0) }
            #expect(symlink(outside, inside + "/link") == 0)
            var options = Session.Options()
            options.files = try FileDoor(allowing: [Array(inside.utf8)])
            #expect(try run("save(1, \"\(inside)/a.json\"); load(\"\(inside)/a.json\")", options: options).text == "1\n")
            for path in ["\(outside)/a.json", "\(inside)/../a.json", "\(inside)/link/a.json", "\(inside)evil/a.json", "a.json"] {
                let output = try run("save(1, \"\(path)\")", options: options)
                #expect(output.problems.count == 1, "\(path) was written")
                #expect(access("\(outside)/a.json", F_OK) != 0)
            }
            // A link to a file outside, existing or not.
            #expect(symlink(outside + "/b.json", inside + "/b.json") == 0)
            #expect(try run("save(1, \"\(inside)/b.json\")", options: options).problems.count == 1)
            options.files = try FileDoor(allowing: [])
            #expect(try run("load(\"\(inside)/a.json\")", options: options).problems.count == 1)
            #expect(try run("import(\"\(inside)/a.json\")", options: options).problems.count == 1)
        }
    }

    @Test func importsCountFromTheImportingFile() throws {
        try withFolder { folder in
            #expect(mkdir(folder + "/lib", 0o755) == 0)
            _ = try run(
                "save(\"deep = import(\\\"deep.act\\\")\\nf(x) = x + deep.k\\n\", \"\(folder)/lib/a.txt\"); save(\"k = 41\", \"\(folder)/lib/deep.txt\")")
            #expect(rename(folder + "/lib/a.txt", folder + "/lib/a.act") == 0)
            #expect(rename(folder + "/lib/deep.txt", folder + "/lib/deep.act") == 0)
            let output = try run("a = import(\"\(folder)/lib/a.act\"); a.f(1)\nimport(\"\(folder)/lib/../lib/a.act\").deep.k")
            #expect(output.text == "42\n41\n", "\(output.problems.map(\.title))")
        }
    }
}
