// Shapes that cannot fit, before a program runs: what is told happens, and nothing else is told.

import ActLanguage
import ActNetwork
import ActSyntax
import ActTestSupport
import Testing

@Suite struct ShapeCheckTests {
    private func found(_ program: String) throws -> [Diagnostic] { try Session().problems(in: Array(program.utf8), named: "program.act").diagnostics }

    /// Keeps what a program shows and says.
    private final class Sink: SessionOutput {
        var titles: [String] = []
        var text = ""
        func write(_ text: String) { self.text += text }
        func show(_ shown: Shown) {}
        func report(_ diagnostic: Diagnostic, _ session: Session) { titles.append(diagnostic.title) }
    }

    /// What is asked for shapes alone takes no memory by their size: these would be lists of thousands of millions.
    @Test func hugeImages() throws {
        for layer in ["AvgPool3D(2)", "AvgPool3D(2, padding=1)", "AvgPool3D(3, stride=2, ceil=true)", "MaxPool3D(2, dilation=2)", "Conv3D(2, 4, 2)"] {
            let titles = try found("\(layer)(ones(3, 2, 4294967296, 8, 8)) + zeros(2)").map(\.title)
            #expect(titles.contains { $0.contains("do not fit for +") }, "\(layer) \(titles)")
        }
    }

    private static let wrong = [
        // Broadcasting, products, comparisons; operators and methods.
        "zeros(2, 3) + zeros(4)", "zeros(2, 3) * zeros(3, 2)", "x = ones(5); x -= ones(4)", "zeros(2, 3) @ zeros(4, 5)", "zeros(3) @ zeros(4)", "2 @ zeros(3)",
        "matmul(zeros(2, 3), zeros(2, 3))", "dot(zeros(3), zeros(4))", "zeros(3) < zeros(4)", "zeros(2, 3).matmul(zeros(2))", "hypot(zeros(3), zeros(4))",
        "max(zeros(3), zeros(4))", "[1, 2, 3] + [1, 2]", "range(5) + range(4)", "range(2, 8, 2) + zeros(4)", "linspace(0, 1, 5) + zeros(4)",
        "rand(3) / randn(4)",
        "eye(3) @ zeros(4)", "full((2, 3), 1) + zeros(2)", "where(zeros(3) > 0, zeros(3), zeros(4))", "relu(zeros(3)) + zeros(4)",
        "softmax(zeros(2, 3)) + zeros(2)",
        "f32(zeros(3)) + zeros(4)", "-zeros(3) + zeros(4)", "zeros(3)' + zeros(4)", "zeros(2, 3)' + zeros(2, 3)", "zeros(2, 3).T @ zeros(3, 2)",
        // Shapes from shapes.
        "reshape(range(6), 4)", "range(6).reshape(4, -1)", "zeros(2, 3).reshape((5,))", "concat((zeros(2, 3), zeros(2, 4)))", "stack((zeros(2), zeros(3)))",
        "concat((zeros(2, 3), zeros(3, 3)), axis=1)", "sum(zeros(2, 3), axis=2)", "zeros(2, 3).mean(axis=-3)", "zeros(2, 3).sum(axis=0) + zeros(2)",
        "zeros(2, 3).sum(axis=0, keepdims=true) @ zeros(2)", "zeros(2, 3)[5]", "zeros(2, 3)[0, 3]", "zeros(2, 3)[0, 0, 0]", "zeros(2, 3)[:, 1] + zeros(3)",
        "zeros(9)[1:8:2] + zeros(5)", "zeros(3)[:, none] @ zeros(3)", "inv(zeros(2, 3))", "mse(zeros(3), zeros(3, 1))",
        "x = zeros(4, 2); zeros(shape(x)) + zeros(3)",
        "x = zeros(4, 2); zeros(x.shape[1], 3) @ zeros(2)", "x = zeros(4, 2); zeros(len(x)) + zeros(2)", "expand_dims(zeros(3), 0) @ zeros(2)",
        "flatten(zeros(2, 3)) + zeros(5)",
        "[[1, 2], [3, 4]] @ [1, 2, 3]", "[i * 2 for i in range(3)] + zeros(4)",
        "[zeros(2), zeros(3)]", "[1, zeros(2)]", "[[1, 2], [3]]", "concat([zeros(2, 3), zeros(2, 4)], axis=1)", "stack((zeros(2), zeros(2), zeros(2, 2)))",
        "concat((zeros(2, 3), zeros(2, 4), zeros(5, 4)), axis=1)", "concat((zeros(2, 3), zeros(2, 4)), axis=1) @ zeros(6)", "inv(eye(2)) @ zeros(3)",
        "stack((zeros(2), zeros(2)), axis=-1) + zeros(3)", "dot(zeros(2, 3), zeros(2))", "zeros(2, 3).T @ zeros(3)",
        "x = zeros(4, 2); zeros(x.ndim) + zeros(3)",
        // Sizes that nobody knows.
        "n = randint(5, 9); zeros(n, 3) + zeros(n, 4)", "n = randint(5, 9); zeros(2, n) @ zeros(n + 1, 2)",
        "n = randint(5, 9); zeros(3, n) @ zeros(n, 2) @ zeros(3)",
        // Layers.
        "Dense(2, 3) >> Dense(4, 5)", "Dense(2, 3) >> relu >> Dense(4, 5)", "net = Dense(2, 3) >> tanh; net(zeros(7, 3))", "Dense(2, 3)(zeros(7, 3))",
        "Conv2D(3, 8, 3)(zeros(2, 4, 10, 10))", "Conv2D(3, 8, 11)(zeros(2, 3, 10, 10))", "Conv2D(4, 8, groups=3)", "LSTM(4, 8)(zeros(2, 5, 3))",
        "GRU(4, 8) >> Dense(9, 2)", "Attention(16, heads=3)", "Attention(16)(zeros(2, 5, 8))", "Positions(4, 8)(zeros(2, 5, 8))",
        "Embedding(10, 4) >> Dense(5, 2)",
        "Residual(Dense(3, 4))(zeros(2, 3))", "Branch(Dense(3, 4), Dense(3, 5), join=\"sum\")(zeros(2, 3))", "Dense(0, 3)",
        "net = Conv2D(1, 8, 3) >> relu >> Flatten() >> Dense(100, 10); net(zeros(2, 1, 8, 8))",
        "y = (Conv2D(1, 8, 3) >> MaxPool2D(2) >> Flatten())(zeros(5, 1, 8, 8)); y @ zeros(71, 2)", "LSTM(4, 8)(zeros(2, 5, 4)) @ zeros(9, 2)",
        "Embedding(10, 4)(zeros(3, 5)) @ zeros(5)", "n = randint(5, 9); Dense(4, 3)(zeros(n, 4)) @ zeros(4)",
        "n = randint(5, 9); LSTM(4, 8)(zeros(n, 5, 4)) + zeros(n, 6, 8)", "(Dense(2, 3) >> (x -> x @ zeros(3, 4)) >> Dense(5, 6))(zeros(7, 2))",
        "scale = 2; layer = Dense(scale * 2, 3); layer(zeros(1, 3))",
        // Ways through a program.
        "f(x) = x + zeros(3)\nf(zeros(4))", "f(x, y=zeros(2)) = x @ y\nf(zeros(3))", "x = zeros(3); for i in range(5) { x = x + 1 }; x + zeros(4)",
        "for i in range(3) { zeros(2) + zeros(3) }", "x = if rand() > 0.5 { zeros(3) } else { ones(3) }; x + zeros(4)", "a, b = (zeros(2), zeros(3)); a + b",
        "f() = { if true { return zeros(2) }; zeros(3) }\nf() + zeros(3)", "zeros(3) |> x -> x + zeros(4)", "if len(zeros(3)) == 3 { zeros(2) + zeros(3) }",
        "x = zeros(3); x[0] = 5; x + zeros(4)", "x = zeros(3); while true { x + zeros(4) }",
        // Reading before there is a value.
        "print(y); y = 1", "f() = { print(z); z = 1; z }\nf()", "g(1); g(x) = x",
    ]

    /// Running says the same, in the same words where every size is known.
    @Test(arguments: wrong) func wrongIsTold(_ program: String) throws {
        let found = try found(program).filter { $0.level == .error }
        #expect(found.count == 1, "\(found.map(\.title))")
        let sink = Sink()
        let status = try Session(output: sink).run(program, named: "program.act")
        #expect(status == .failed)
        guard let title = found.first?.title, !title.contains("?") else { return }
        #expect(sink.titles.contains(title), "\(title): \(sink.titles)")
    }

    /// Right, or wrong only if something happens that nobody knows.
    private static let right = [
        "[zeros(2), \"a\", zeros(3)]", "[zeros(randint(2, 3)), zeros(3)]",
        "zeros(2, 3) + zeros(3)", "zeros(2, 1) * zeros(1, 3) + 1", "x = zeros(3); if x.shape == (2,) { x + zeros(2) }",
        "x = zeros(3); if rand() > 2 { x + zeros(2) }",
        "x = zeros(3); x = zeros(4); x + zeros(4)", "f(x) = if ndim(x) == 1 { x + zeros(3) } else { x @ zeros(5) }\nf(zeros(3)); f(zeros(2, 5))",
        "for i in range(1, 5) { x = zeros(i); if i == 4 { x + zeros(4) } }", "x = [1]; for i in range(3) { x = concat((x, [1])) }; x + zeros(4)",
        "n = randint(1, 2); zeros(n) + zeros(5)", "n = randint(0, 1); zeros(n, 3).reshape(n, 4)", "while false { zeros(2) + zeros(3) }",
        "for x in [] { zeros(2) + zeros(3) }",
        "f(x) = x + zeros(3)\nf = x -> x\nf(zeros(4))", "zeros = x -> 1; zeros(2) + zeros(3)", "(1, 2) + (3, 4)", "{a: zeros(3)} + {a: zeros(3)}",
        "r = {f: x -> x}; r.f(zeros(3)) + 1",
        "x = zeros(5); i = randint(5); x[i] + x[-5]", "x = zeros(3); x[[0, 2]] + zeros(2)", "x = zeros(3); x[x > 0] + 1", "zeros(4)[1:99] + zeros(3)",
        "zeros(4)[::-1] + zeros(4)",
        "x = zeros(2, 3); x[..., 0] + zeros(2)", "x = zeros(2, 3); x[none] + zeros(1, 2, 3)", "f() = { return 1; zeros(2) + zeros(3) }\nf()",
        "true or zeros(2) + zeros(3)",
        "Dense(2, 3) >> (x -> x[:, 0:2]) >> Dense(2, 5)", "Dense(2, 3) >> softmax >> Dense(3, 1)", "Dense(2, 3)(zeros(2))", "net = Dense(2, 3); net[0]",
        "max(zeros(2, 3), axis=1) + zeros(2)",
        "argmax(zeros(2, 3), axis=1) + zeros(2)", "range(0.5).shape", "range(0, 1, 0.1) + zeros(10)", "range(3, 0) + zeros(0)",
        "make(n) = x -> x + zeros(n)\nmake(3)(zeros(3)); make(4)(zeros(4))",
        "f(x) = { if rand() < 2 { return 0 }; x + zeros(3) }\nf(zeros(4))", "for i in range(3) { if true { break }; zeros(2) + zeros(3) }",
        "g() = { if rand() > 2 { v = 1 }; h = () -> v; v = 2; h() }\ng()", "k() = late\nlate = 3\nk()",
        "for i in range(2) { if i == 1 { print(seen) }; seen = i }",
        "layer Count() { n = state(0); (x, training=false) -> { n = n + 1; x } }\nCount()(zeros(2))", "vmap(x -> x + zeros(3))(zeros(5, 3))",
        "zeros(2, 3, 4) @ zeros(4)",
        "zeros(7, 2, 3) @ zeros(3, 4)", "outer(zeros(2), zeros(3)) + zeros(3)", "f(x) = f(x)\nf2 = f",
        "f(n) = if n == 0 { zeros(2) } else { f(n - 1) }\nf(3) + zeros(2)",
        "p = {W: zeros(3)}; p.W + zeros(3)", "x = zeros(3); x = if true { x } else { zeros(2) }; x + zeros(3)", "l = (zeros(2), zeros(3)); l[1] + zeros(3)",
        "x = stack([zeros(2), zeros(2)]); x + zeros(2)",
    ]

    @Test(arguments: right) func rightIsNotTold(_ program: String) throws {
        let found = try found(program).filter { $0.level == .error }
        #expect(found.isEmpty, "\(found.map(\.title))")
    }

    /// Every kind of layer at inputs of many shapes: what fails is told in the words in which it fails, and of what does not the shape is known.
    @Test(arguments: LayerRows.all.map(\.name)) func layersSayWhatTheyWillSay(_ name: String) throws {
        let row = try #require(LayerRows.named(name))
        // The first call in the example.
        let start = try #require(row.example.firstRange(of: name + "("))
        var depth = 0
        let call = row.example[start.lowerBound...].prefix { character in
            if character == ")" { depth -= 1 }
            defer { if character == "(" { depth += 1 } }
            return depth > 0 || character != ")"
        }
        let maker = call + ")"
        let sizes = [[1, 2, 3, 4], [2, 8, 5, 9], [9, 4, 2, 8], [4, 3, 8, 1]]
        for rank in 1...5 {
            for sizes in sizes {
                let shape = (0..<rank).map { "\(sizes[$0 % sizes.count])" }.joined(separator: ", ")
                let program = "y = \(maker)(ones(\(shape)))"
                let told = try found(program).filter { $0.level == .error }.map(\.title), sink = Sink()
                let status = try Session(output: sink).run("\(program)\nprint(y.shape)", named: "program.act")
                #expect(told == (status == .done ? [] : Array(sink.titles.prefix(1))), "\(program)")
                guard status == .done, let result = sink.text.split(separator: "(").last?.prefix(while: { $0 != ")" }) else { continue }
                let other = result.split(separator: ",").compactMap { Int(String($0.filter(\.isNumber))) }.map { "\($0 + 2)" }.joined(separator: ", ")
                // No size is 1 then, so that these shapes never fit but where one of the result is.
                // What a function of the program makes inside of a layer nobody knows.
                guard !maker.contains("->"), !result.split(separator: ",").contains(where: { $0.filter(\.isNumber) == "1" }) else { continue }
                let misfits = try found("\(program)\ny + ones(\(other))").map(\.level)
                #expect(misfits.contains(.error), "\(program) + ones(\(other))")
            }
        }
    }

    @Test func placesAndShapesAreShown() throws {
        let found = try found("n = randint(3, 5)\nW = zeros(n, 3)\nW @ zeros(2, 4)")
        #expect(found.map(\.title) == ["shapes (?, 3) and (2, 4) do not fit for @"])
        #expect(found.first?.labels.map(\.text) == ["", "(?, 3)", "(2, 4)"])
    }

    /// Work is bounded however a program branches, loops and calls.
    @Test(arguments: [
        (0..<400).map { "f\($0)(x) = \($0 == 0 ? "x" : "f\($0 - 1)(x) + f\($0 - 1)(x)")" }.joined(separator: "\n") + "\nf399(zeros(2))",
        String(repeating: "for i in range(3) { ", count: 60) + "x = zeros(2)" + String(repeating: " }", count: 60),
        String(repeating: "if rand() > 1 { ", count: 200) + "1" + String(repeating: " }", count: 200),
        "x = zeros(2)" + String(repeating: " + 1", count: 100_000),
        "s = (1, 2)\n" + String(repeating: "s = (s, s)\n", count: 60) + "for x in s { print(x) }",
        "s = (1, 2)\nfor i in range(3) { s = (s, s) }\nc = rand() > 1\n" + String(repeating: "if c { s = (s, s) } else { s = {a: s, b: s} }\n", count: 60),
        "s = {a: 1}\n" + String(repeating: "s.a = s; s.b = s\n", count: 60),
        "g = Dense(1, 1)\n" + String(repeating: "g = g >> g\n", count: 60) + "g(ones(1))",
        "g = Dense(1, 1)\n" + String(repeating: "g = Residual(g >> g)\n", count: 60) + "g(ones(1))",
        "r = {" + (0..<20_000).map { "a\($0): 1" }.joined(separator: ", ") + "}\nr.a7",
        "if rand() > 1 { 1 } " + String(repeating: "else if rand() > 1 { 2 } ", count: 20_000),
    ])
    func workIsBounded(_ program: String) throws { _ = try found(program) }
}
