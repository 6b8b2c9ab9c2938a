import ActArray
import ActGrad
import ActLanguage
import ActMachine
import ActTestSupport
import Testing

/// Graphs of functions as programs write them.
@Suite struct GraphTests {
    private static func session(_ program: String) throws -> Session {
        let session = try Session()
        #expect(session.run(program, named: "<test>") == .done)
        return session
    }

    @Test func graphsArePrinted() throws {
        let session = try Self.session("f(x, W) = sum(relu(x @ W) ^ 2)\nW = [1, 2]")
        let graph = try session.graph(of: "f", shapes: [[2, 3], [3]])
        let text = graph.description
        #expect(text.hasPrefix("graph(%0 x: f64 [2, 3], %1 W: f64 [3])\n"), "\(text)")
        for part in ["matmul", "operation=relu", "reduce", "operation=sum axes=[0] : f64 []", "return %"] { #expect(text.contains(part), "\(text)") }
    }

    /// What a function computes at other arguments, its graph computes too.
    @Test(arguments: [
        "f(x) = tanh(x) + x^2 / (1 + abs(x))", "f(x) = sort(x)[::-1]", "f(x) = cumsum(softmax(x)) * 2",
        "f(x) = { y = x; y[y < 0.5] = 0; y }", "f(x) = if size(x) > 2 { sum(x) } else { 0 }",
        "f(x) = concat([x, x * 2])[1:4]", "f(x) = where(x > 0 and not (x > 0.5), x, -x / 2)",
        "f(x) = { s = 0; for i in range(6) { s += where(x[i] > 0, x[i], 0) }; s }",
        "f(x) = (x > 0.3) * x + stop_gradient(x)^2", "g = with_derivative(round, x -> 1)\nf(x) = g(x * 3) / 3", "f(x) = (t -> where(t > 0, t^2, t))'(x)",
        "f(x) = solve([[2, 1], [1, 3]] * x[0], x[:2])", "f(x) = logsumexp(x) + mean(x) * std(x)",
    ])
    func graphsCompute(program: String) throws {
        let session = try Session()
        #expect(session.run(program, named: "<test>") == .done)
        let graph = try session.graph(of: "f", shapes: [[6]])
        let x = try NDArray([0.9, -0.4, 0.45, 0.2, 1.3, 0.05], shape: [6])
        #expect(session.run("X = [0.9, -0.4, 0.45, 0.2, 1.3, 0.05]\nY = f(X)", named: "<test>") == .done)
        guard let value = session.value(named: "Y") else { Issue.record("no value"); return }
        let expected: NDArray
        switch value {
        case .array(let array): expected = array
        case .number(let number): expected = try NDArray.scalar(number, type: .f64)
        default: Issue.record("\(program) has no number"); return
        }
        // What depends on how the elements lie is known by name only, and says so.
        guard let result = try? graph([x]) else {
            #expect(graph.description.contains("operation=sort"))
            return
        }
        #expect(try zip(result[0].toDoubles(), expected.toDoubles()).allSatisfy { abs($0 - $1) < 1e-12 }, "\(graph)")
    }

    @Test func networksAndDerivativesHaveGraphs() throws {
        let session = try Self.session(
            "seed(1)\nmodel = Conv2D(1, 2, 3, tanh, padding=1) >> MaxPool2D() >> Flatten() >> Dense(8, 3)\nf(x) = sum(x^3)")
        let plain = try session.graph(of: "model", shapes: [[2, 1, 4, 4]], type: .f32).description
        for name in ["convolution", "max_pool", "matmul"] { #expect(plain.contains(name), "\(plain)") }
        let lowered = try session.graph(of: "model", shapes: [[2, 1, 4, 4]], type: .f32, lowered: true)
        #expect(!lowered.description.contains("custom"), "\(lowered)")
        let slope = try session.graph(of: "f'", shapes: [[4]])
        #expect(try slope([NDArray([1, 2, 3, -1], shape: [4])])[0].toDoubles() == [3, 12, 27, 3])
    }

    /// What looks at values has no graph: the message names the place.
    @Test(arguments: [
        ("f(x) = if x[0] > 0 { x } else { 0.5 * x }", ">"), ("f(x) = { while x[0] > 1 { x = x / 2 }; x }", ">"),
        ("f(x) = x[int(x[0])]", "x[int(x[0])]"), ("f(x) = x * number(\"{x[0]}\")", "x[0]"), ("f(x) = x * rand(6)", "rand(6)"),
        ("f(x) = x + load(\"a.csv\")", "load"), ("f(x) = range(x[0])", "range"), ("f(x) = x + permutation(6)", "permutation"),
        ("f(x) = if x[0] == 1 or x[1] > 2 { 1 } else { 2 }", ""), ("f(x) = x[x > 0.3]", "x[x > 0.3]"), ("f(x) = one_hot(x)", "one_hot"),
        ("f(x) = { for i in range(3) { if any(x > i) { x = 0 } }; x }", "any"), ("f(x) = assert(all(x > 0), \"no\")", ""),
        ("f(x) = (t -> max(t))'(x)", ""),
    ])
    func whatDependsOnValuesIsRefused(program: String, place: String) throws {
        let session = try Session()
        #expect(session.run(program, named: "<test>") == .done)
        do {
            let graph = try session.graph(of: "f", shapes: [[6]])
            Issue.record("\(program): \(graph)")
        } catch let fault as Fault {
            let diagnostic = fault.diagnostic, source = diagnostic.primarySpan.flatMap { session.source($0.source) }
            #expect(diagnostic.code == .noGraph, "\(program): \(diagnostic.title)")
            let shown = diagnostic.primarySpan.flatMap { span in source?.text(span) } ?? ""
            #expect(place.isEmpty || shown.contains(place), "\(program): \(shown)")
        }
        #expect(!NDArray.followsPositions && session.run("if [1, 2][0] > 0 { x = 1 }", named: "<test>") == .done)
    }

    /// An axis of any size, taken at two.
    @Test func anAxisCanBeLeftOpen() throws {
        let session = try Self.session(
            """
            seed(1)
            net = Dense(4, 8, relu) >> BatchNorm(8) >> Dropout(0.5) >> Dense(8, 3, softmax)
            picture = Conv2D(1, 2, 3) >> MaxPool2D() >> Flatten() >> Dense(18, 3)
            centred(x) = x - mean(x)
            shares(x) = x * (1 / (2 * len(x) - 1))
            grown(x) = len(x)^2 * x
            twice(x) = concat((x, x))
            tail(x) = x[1:]
            """)
        let net = try session.graph(of: "net", shapes: [[nil, 4]], type: .f32)
        #expect(net.description.contains("x: f32 [N, 4]") && net.description.contains(": f32 [N, 3]"), "\(net)")
        let picture = try session.graph(of: "picture", shapes: [[nil, 1, 8, 8]], type: .f32)
        #expect(picture.description.contains(": f32 [N, 18]"), "\(picture)")
        let twice = try session.graph(of: "twice", shapes: [[nil, 2]])
        #expect(twice.nodes.last?.sizes.map(\.description) == ["2 N", "2"], "\(twice)")
        let tail = try session.graph(of: "tail", shapes: [[nil, 2]])
        #expect(tail.nodes.last?.sizes.map(\.description) == ["N - 1", "2"] && tail.description.contains("counts=[N - 1, 2]"), "\(tail)")
        // The mean of all rows divides by how many there are.
        let centred = try session.graph(of: "centred", shapes: [[nil, 2]])
        #expect(centred.description.contains("= size 2 N : f64 []"), "\(centred)")
        let shares = try session.graph(of: "shares", shapes: [[nil, 2]])
        #expect(shares.description.contains("= size 1 / (2 N - 1) : f64 []"), "\(shares)")
        // What is not a multiple of it in a third taking is not one.
        #expect(throws: Fault.self) { try session.graph(of: "grown", shapes: [[nil, 2]]) }
        #expect(try session.graph(of: "grown", shapes: [[5, 2]]).outputs.count == 1)
    }

    @Test func theSessionPrintsGraphs() throws {
        let output = try TestSession()
        let interaction = Interaction(session: output.session, output: output)
        #expect(interaction.enter("X = [[1, 2], [3, 4]]; net = Dense(4, 3, relu); f(x) = x^2; effect(x) = { print(1); x^2 }") == .done)
        for (command, parts) in [
            (":graph X @ X + 1", ["graph(%0 X: f64 [2, 2])", "matmul %0, %0"]), (":graph net", ["x: f32 [N, 4]", "operation=relu : f32 [N, 3]"]),
            (":graph x -> relu(x) > 1", ["graph(%0 x: f64 [])", "compare", ": bool []"]), (":graph f", ["return %"]), (":graph f'", ["return %"]),
        ] {
            let before = output.written.count
            #expect(interaction.enter(command) == .done, "\(command)")
            let text = String(output.written.dropFirst(before))
            #expect(parts.allSatisfy { text.contains($0) } && text.hasPrefix("graph("), "\(text)")
        }
        for command in [
            ":graph", ":graph if X[0, 0] > 1 { X } else { 1 }", ":graph nothing", ":graph \"text\"", ":graph x -> rand()", ":graph effect", ":graph (",
        ] {
            #expect(interaction.enter(command) == .failed, "\(command)")
        }
        // Nothing else was shown or kept.
        #expect(output.shown.isEmpty && output.session.module["ans"] == nil)
    }

    @Test func whatIsNoFunctionHasNoGraph() throws {
        let session = try Self.session("x = 3\nf(x) = \"text\"")
        #expect(throws: Fault.self) { try session.graph(of: "x", shapes: [[]]) }
        #expect(throws: Fault.self) { try session.graph(of: "nothing", shapes: [[]]) }
        #expect(throws: Fault.self) { try session.graph(of: "f", shapes: [[]]) }
    }
}
