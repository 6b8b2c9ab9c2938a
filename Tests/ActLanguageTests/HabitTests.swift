// What people write who come from matplotlib, NumPy, PyTorch, Keras and Python, and what act answers: one row each.

import ActBuiltins
import ActLanguage
import ActPlot
import ActSyntax
import Testing

/// Keeps what a program reports and draws.
private final class Listener: SessionOutput {
    var problems: [Diagnostic] = []
    var figures: [Figure] = []
    func write(_ text: String) {}
    func show(_ shown: Shown) { if let figure = shown.figure { figures.append(figure) } }
    func report(_ diagnostic: Diagnostic, _ session: Session) { problems.append(diagnostic) }
}

@Suite struct HabitTests {
    struct Habit: CustomTestStringConvertible, Sendable {
        let program: String
        /// What the first error says, in its title or its help.
        let answer: String
        var testDescription: String { program }

        init(_ program: String, _ answer: String) { (self.program, self.answer) = (program, answer) }
    }

    static let habits: [Habit] = [
        // matplotlib
        Habit("ylim(-0.5, 1.5)", "it is an option of figures: `plot(…, ylim=(-1, 1))`"),
        Habit("title(\"x\")", "it is an option of figures: `plot(…, title=\"…\")`"),
        Habit("grid()", "it is an option of figures: `plot(…, grid=true)`"),
        Habit("plt.ylim(0, 1)", "it is an option of figures: `plot(…, ylim=(-1, 1))`"),
        Habit("plt.show()", "a figure shows itself"),
        Habit("plt.savefig(\"a.png\")", "write `save(plot(x, y), \"a.png\")`"),
        Habit("plt.semilogy([1, 2])", "write `plot(x, y, logy=true)`"),
        Habit("plt.xticks([1])", "there is no `xticks` in act"),
        Habit("np.pi", "write `pi` for `np.pi`"),
        Habit("subplot(2, 1, 1)", "write `panels(fig1, fig2, columns=2)`"),
        Habit("width + 1", "`width` is not defined"),
        Habit("plot([1], [2], \"r--\")", "write `color=\"red\", style=\"--\"`"),
        Habit("plot([1], [2], \"my line\")", "give looks by name"),
        Habit("plot(x=[1], y=[2])", "write `plot(x, y)`"),
        Habit("t = range(10); plot(t, [sin(t), cos(t)])", "write `.T` after it, or `plot(x, y1, y2)`"),
        Habit("hist([1, 1, 2, 3], 3)", "`bins=3`"),
        Habit("bar([1, 3], labels=[\"a\", \"b\"])", "`bar(names, heights)`"),
        Habit("image(range(64))", "`x.reshape(8, 8)`"),
        Habit("image(range(63))", "rows, columns, channels"),
        // NumPy
        Habit("array([1], dtype=\"int\")", "must be \"f64\", \"f32\" or \"bool\", not \"int\""),
        Habit("array([1], dtype=\"int64\")", "whole numbers are f64 too; `int(x)` cuts fractions off"),
        Habit("array([1], dtype=int)", "whole numbers are f64 too"),
        Habit("array([1], dtype=\"float32\")", "write `\"f32\"`"),
        Habit("mean(1, 2, 3)", "several numbers are given as an array: `mean([1, 2, 3])`"),
        Habit("sum(1, 2)", "several numbers are given as an array: `sum([1, 2])`"),
        Habit("mean([1, 2], keepdims=5)", "`keepdims` of `mean` must be true or false, not 5"),
        // Python
        Habit("float(\"3\")", "`number(\"1.5\")` to read text"),
        Habit("\"%d\" % 3", "`\"{n:d}\"`"),
        Habit("\"a\" * 3", "write `repeat(text, n)`"),
        Habit("list(range(3))", "`[…]` makes an array, `(…)` a list"),
        Habit("dict(a=1)", "a record is written `{a: 1, b: 2}`"),
        Habit("g(x) { return x }", "write `g(x) = { … }`"),
        Habit("[1, 2, 3][1:2] = 5", "give it one first: `a = [1, 2, 3]`"),
        Habit("[a, b] = (1, 2)", "write `a, b = …`"),
        Habit("while True: print(1)", "write `while true { print(1) }`"),
        Habit("f = y -> y + 1; f()", "`f` needs the argument `y`"),
        Habit("net = {W1: eye(2)}; ones(2, 2) @ net", "as in `.W1`"),
        Habit("reverse([1, 2])", "write `flip`"),
        Habit("values({a: 1})", "[r[name] for name in keys(r)]"),
        Habit("{a: 1}.items()", "for name in keys(r)"),
        Habit("zip([1], [2])", "map((a, b) -> …, xs, ys)"),
        Habit("\"abc\".index(\"b\")", "contains(s, \"…\")"),
        Habit("\"abc\".find(\"b\")", "contains(s, \"…\")"),
        Habit("[1, 2].index(2)", "nonzero(x == v)[0]"),
        Habit("[1, 2, 3].map(x -> x)", "the function comes first: `map(f, xs)`"),
        Habit("filter([1, 2, 3], x -> true)", "the function comes first: `filter(f, xs)`"),
        Habit("s = (\"a\", \"b\"); [1, 2][s == \"a\"]", "write `[c == \"a\" for c in s]` for a mask"),
        Habit("s = (\"a\", \"b\"); s[s == \"a\"]", "write `[c == \"a\" for c in s]` for a mask"),
        Habit("\"abc\"[[0, 2]]", "[s[i] for i in places]"),
        Habit("(1, 2)[[[0, 1]]]", "by positions along one axis"),
        Habit("s = (1, 2); s[[0]] = (3,)", "changed at one index"),
        Habit("map(n -> zeros(n), [1, 2])", "a list of any is made by `(f(x) for x in xs)`"),
        Habit("[zeros(n) for n in [1, 2]]", "in parentheses it makes a list of any: `(zeros(n) for n in [1, 2])`"),
        Habit("f(x) = x^2; f.grad(3)", "`grad(f)(3)`, the derivative `f'(3)`"),
        // PyTorch and Keras
        Habit("dtype([1])", "write `x.dtype`"),
        Habit("mean([1, 2], dim=0)", "write `axis`"),
        Habit("softmax([1, 2], dim=0)", "write `axis`"),
        Habit("sum([[1, 2]], axis=0, keepdim=true)", "write `keepdims`"),
        Habit("concat([1, 2], [3])", "several arrays are given as a list: `concat(([1, 2], [3]))`"),
        Habit("concat([1, 2], [3, 4])", "several arrays are given as a list: `concat(([1, 2], [3, 4]))`"),
        Habit("stack([1, 2], [3, 4])", "several arrays are given as a list: `stack(([1, 2], [3, 4]))`"),
        Habit("layer L(n) { w = ones(n); x -> if training { x } else { x * w } }; L(3)([1, 2, 3])", "write `(x, training) -> …`"),
        Habit("Dense(2, 3).foo", "it has `W`, `b`"),
        Habit("net = Dense(2, 3) >> relu; net.foo", "as in `net[0].W`"),
        Habit("fit(Dense(2, 3), [[1, 2]], [[1, 2, 3]], \"mse\")", "write `mse` without quotes"),
        Habit("fit(Dense(2, 3), [[1, 2]], [[1, 2, 3]], mse, \"adam\")", "write `Adam(…)` without quotes"),
        Habit("Dense(2, 3, activation=\"relu\")", "write its name without quotes"),
        Habit("net = Dense(2, 3) >> Dense(3, 1); net.shape", "`summary(net)` shows all"),
        Habit("net = Dense(2, 3) >> Dense(3, 1); net.weights", "`parameters(net)`"),
        Habit("net = Dense(2, 3) >> Dense(3, 1); net.weight", "write `net[0].W`"),
        Habit("Dense(2, 3).weight", "write `net.W`"),
        Habit("range(3)[0] = 1", "give it one first: `a = range(3)`"),
        Habit("Dense(64, 10)(1)", "takes 64 columns, not a number"),
        Habit("Dense(64, 10)[7]", "this is one layer, not a network of several"),
        Habit("(Dense(64, 10) >> relu)[7]", "a network of 2 layers"),
        Habit("Dense(64, 10) >> Dense(20, 3)", "Dense(64, 10) gives 10 columns, Dense(20, 3) takes 20"),
        Habit("Dense(64, 10) >> relu >> Dropout(0.5) >> Dense(20, 3)", "Dense(64, 10) gives 10 columns"),
        // What others have a function for.
        Habit("multinomial(1, [0.5, 0.5])", "write `choice(len(p), n, p=p)`"),
        Habit("vstack(([1], [2]))", "write `stack((a, b))` for vectors, `concat((A, B))` for matrices"),
        Habit("np.gradient([1, 4, 9])", "for the slopes of sampled values"),
        Habit("cond(eye(2))", "the condition number of a matrix is"),
        Habit("x = [1, 2]; x.conj()", "act has no complex numbers"),
        Habit("np.percentile([1, 2], 50)", "write `quantile(x, percent / 100)`"),
        Habit("lu(eye(2))", "there is no LU decomposition"),
        Habit("\"1\".isdigit()", "`number(s)` reads a number"),
        Habit("(1, 2).index(2)", "`nonzero([x == v for x in xs])[0]` are its places"),
        Habit("argsort((\"b\", \"a\"))", "`argsort(unique(s, inverse=true)[1])`"),
        // Arguments and values that were meant otherwise.
        Habit("x = 5; x += 1 if x > 3 else 2", "write `x += if x > 3 { 1 } else { 2 }`"),
        Habit("x = [5]; x[0] -= 1 if x[0] > 3 else 2", "write `x[0] -= if x[0] > 3 { 1 } else { 2 }`"),
        Habit("r = {a: 1}; r.a *= 1 if true else 2", "write `r.a *= if true { 1 } else { 2 }`"),
        Habit("x = ones(2, 3); x.transpose(1, 0)", "`.transpose` takes 1 argument, not 2"),
        Habit("x = ones(2, 3); x.transpose(1, 0)", "given as a list: `x.transpose((1, 0))`"),
        Habit("x = ones(2, 3); transpose(x, 1, 0)", "given as a list: `transpose(x, (1, 0))`"),
        Habit("ones(2).sum(0, false, 1)", "`.sum` takes 2 arguments, not 3"),
        Habit("a = [1, 2]; b = [2, 3]; plot(a, b, labels=[\"a\", \"b\"])", "write `plot(range(len(a)), a, b, labels=[\"a\", \"b\"])`"),
        Habit("x = [1, 2]; c = [0, 1]; scatter(x, x, color=c)", "`scatter(x[c == 0], x[c == 0], label=\"0\") + scatter(x[c == 1]"),
        Habit("[1, 2] |> map(x -> x^2)", "write `|> (v -> map(x -> x^2, v))`"),
        Habit("[1, 2] |> flip(axis=0)", "write `|> (v -> flip(v, axis=0))`"),
        Habit("f(x, g) = x * g; vjp(f, [1, 2])", "write `vjp(x -> f(x, g), [1, 2])`, which holds `g` fixed"),
        Habit("opt, = 3", "`a, = (3,)` for a list of one element"),
        Habit("opt, = (3, 4)", "there is 1 variable, but 2 values"),
        Habit("a, *b = [1, 2, 3]", "write `first, rest = xs[0], xs[1:]`"),
        Habit("while True: pass", "write `while true { none }`"),
        Habit("a = [1, 2]; a[1] = [1, 2]", "a slice such as `a[0:2]` takes 2"),
        Habit("layer P(n) { w = ones(n); x -> {a: x * w} }; save(P(3), \"p.onnx\", input=(3,))", "gives a record, where an array is needed"),
        Habit("layer P(n) { w = ones(n); x -> {a: x * w} }; save(P(3), \"p.onnx\", input=(3,))", "`save(x -> net(x).a, "),
        Habit("d = {fare: (\"1\", \"?\")}; isnan(d.fare)", "a column with a field that is no number stays texts"),
        Habit("load(\"a.xyz\")", ".safetensors .onnx and -ubyte (IDX)"),
        Habit("save([1], \"a.xyz\")", ".svg .png .pdf"),
    ]

    @Test(arguments: habits)
    func habitsAreAnswered(_ habit: Habit) throws {
        let output = Listener()
        try withExtendedLifetime(Session(output: output)) { _ = $0.run(habit.program, named: "test.act") }
        let first = try #require(output.problems.first)
        #expect(first.level == .error)
        #expect(first.title.contains(habit.answer) || first.help?.contains(habit.answer) == true, "\(first.title) / \(first.help ?? "")")
    }

    /// What a help shows is a program, which runs.
    @Test(arguments: foreignRecipes.keys.sorted())
    func recipesRun(_ name: String) throws {
        let given = """
            a = [1, 2, 3]; b = [4, 5, 7]; x = [1, 2, 4.5]; y = [1, 4, 9]; n = 3; p = [0.2, 0.5, 0.3]; rate = 4; trials = 9; chance = 0.5; percent = 50
            A = [[2, 1, 0], [1, 3, 0], [0, 0, 1]]; B = A; w = 2 * pi * outer(range(3), range(3)) / 3; s = "123"; part = "2"
            f(v) = sum((v - [1, 2])^2); p = if "NAME" == "multinomial" { p } else { [5, 5] }; opt = LBFGS()

            """.replacing("NAME", with: name)
        let pieces = try #require(foreignRecipes[name]).split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map(\.element)
        for piece in pieces {
            // The values and vectors of a symmetric matrix are not the angles of waves.
            let around = piece.contains("diag(exp(w))") ? "w, v = eigh(A)\n" : ""
            let output = Listener()
            try withExtendedLifetime(Session(output: output)) { _ = $0.run(given + around + piece + "\n", named: "test.act") }
            #expect(output.problems.isEmpty, "\(piece): \(output.problems.first?.title ?? "")")
        }
    }

    /// Where the width is not known, or the functions between may change it, nothing can be said before the call.
    @Test(arguments: [
        "Dense(64, 10) >> (x -> x[:, :5]) >> Dense(5, 3)", "Dense(8, 4, glu) >> Dense(2, 1)", "Conv2D(1, 2, 3) >> Flatten() >> Dense(20, 3)",
        "Dense(2, 3) >> relu >> Dense(3, 1)", "Embedding(10, 4) >> Dense(4, 1)",
    ])
    func networksThatMayFitAreMade(_ program: String) throws {
        let output = Listener()
        try withExtendedLifetime(Session(output: output)) { _ = $0.run(program + ";", named: "test.act") }
        #expect(output.problems.isEmpty)
    }

    /// What a session explains at `?name`, programs are told too.
    @Test(arguments: ["networks", "functions", "arrays", "list", "record", "training", "layer", "state", "text"])
    func helpKnowsTopicsAndKinds(_ name: String) throws {
        let session = try Session(), output = Listener()
        #expect(!session.explanation(of: name).contains("There is nothing called"))
        try withExtendedLifetime(Session(output: output)) { _ = $0.run("help(\"\(name)\")", named: "test.act") }
        #expect(output.problems.isEmpty)
    }

    @Test func helpSaysHowALayerHearsOfTraining() throws {
        for name in ["layer", "state", "training"] { #expect(try Session().help(name)?.contains("(x, training) -> …") == true, "\(name)") }
        #expect(try Session().explanation(of: "all").contains("layer"))
    }

    /// Sources wrap the lines of texts, readers see none of that.
    @Test func helpHasNoGaps() throws {
        let session = try Session()
        for name in BuiltinRows.all.map(\.name) {
            let lines = (session.markdown(on: name) ?? "").split(separator: "\n").map { $0.drop { $0 == " " } }
            #expect(!lines.contains { !$0.contains("#") && !$0.contains("`") && $0.contains("     ") }, "\(name)")
        }
    }

    @Test func helpTellsJumpsFromKinks() throws {
        let session = try Session()
        #expect(session.help("step")?.contains("jump        at 0: from 0 to 1;") == true)
        #expect(session.help("hard_shrink")?.contains("jump        at 0.5: from 0 to 0.5;") == true)
        #expect(session.help("relu")?.contains("kink        at 0: slope 0 before, 1 after") == true)
    }

    @Test func aSearchShowsWhatItFoundBeforeNearNames() throws {
        let answer = try Session().explanation(of: "slope")
        let found = try #require(answer.firstRange(of: "leaky_relu")), near = try #require(answer.firstRange(of: "Did you mean"))
        #expect(found.lowerBound < near.lowerBound)
    }

    @Test func linesOfLayersRunThroughThoseWithoutParameters() throws {
        let output = Listener()
        let program = "seed(1); net = Dense(2, 3) >> relu >> Dense(3, 1); plot(gradient_flow(net, [[1, 2]], [[1]], mse))"
        try withExtendedLifetime(Session(output: output)) { _ = $0.run(program, named: "test.act") }
        let figure = try #require(output.figures.first)
        let places = figure.marks.map { mark -> [Double] in
            if case .line(let x, _) = mark.shape { x } else { [] }
        }
        #expect(figure.marks.map(\.name) == ["signal", "gradient", "parameters"])
        #expect(places == [[0, 1, 2], [0, 2], [0, 2]])
    }
}
