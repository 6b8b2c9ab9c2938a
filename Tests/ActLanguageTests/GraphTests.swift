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
        "f(x) = tanh(x) + x^2 / (1 + abs(x))", "f(x) = sort(x)[::-1]", "f(x) = x[x > 0.3]", "f(x) = cumsum(softmax(x)) * 2",
        "f(x) = { y = x; y[y < 0.5] = 0; y }", "f(x) = if size(x) > 2 { sum(x) } else { 0 }",
        "f(x) = concat([x, x * 2])[1:4]", "f(x) = solve([[2, 1], [1, 3]] * x[0], x[:2])", "f(x) = logsumexp(x) + mean(x) * std(x)",
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
            #expect(graph.description.contains("operation=order") || graph.description.contains("operation=nonzero"))
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

    @Test func whatIsNoFunctionHasNoGraph() throws {
        let session = try Self.session("x = 3\nf(x) = \"text\"")
        #expect(throws: Fault.self) { try session.graph(of: "x", shapes: [[]]) }
        #expect(throws: Fault.self) { try session.graph(of: "nothing", shapes: [[]]) }
        #expect(throws: Fault.self) { try session.graph(of: "f", shapes: [[]]) }
    }
}
