// Runs every example as a reader would and compares what it writes with examples/expected.
//
// The expected files were made by act and read against the posts and NumPy; the numbers that the posts print stand here
// once more, so that renewing a file cannot hide that one of them has changed.

import ActTestSupport
import Testing

@Suite struct ExamplesTests {
    static let folder = BuiltCommand.packageFolder + "/examples"
    static let names = ((try? ScriptFile.all(below: "examples")) ?? []).map { String($0.description.dropLast(".act".count)) }

    @Test func thereAreExamples() { #expect(Self.names.contains("tour")) }

    @Test(arguments: names) func example(_ name: String) throws {
        let program = ScriptFile(path: "\(Self.folder)/\(name).act", description: name)
        let result = try program.withoutTraces { try BuiltCommand.run([$0]) }
        let expected = try ScriptFile.text(of: "\(Self.folder)/expected/\(name).txt")
        #expect(result.output == expected, "\(name): the output differs from examples/expected/\(name).txt")
        #expect(result.status == 0, "\(name):\n\(result.error)")
        if name == "softmax" {
            // It overflows on purpose.
            #expect(result.error.contains("warning: overflow in `exp`") && result.error.contains("`softmax(x)`"))
        } else {
            #expect(result.error.isEmpty, "\(name):\n\(result.error)")
        }
    }

    /// Lines that the posts show (with NumPy's commas), or that NumPy gives for their programs.
    static let published: [(name: String, line: String)] = [
        ("step_and_sigmoid", "[[false,  true],"),
        ("step_and_sigmoid", "[[0, 1],"),
        ("step_and_sigmoid", "[0.73105858, 0.88079708]"),
        ("relu_family", "0"),
        ("relu_family", "0.3"),
        ("softmax", "[2.71828183, 7.38905610, 20.08553692]"),
        ("softmax", "[0.09003057, 0.24472847, 0.66524096]"),
        ("softmax", "[0.21231157, 0.00865429, 0.77903414] 1"),
        ("softmax", "[nan, nan, nan]"),
        ("softmax", "[0, -10, -20]"),
        ("softmax", "[1.00000000e+00, 4.53999298e-05, 2.06115362e-09]"),
        ("softmax", "[9.99954600e-01, 4.53978686e-05, 2.06106005e-09]"),
        ("dot_and_matmul", "[14, 140]"),
        ("dot_and_matmul", "(2, 3)"),
        ("dot_and_matmul", "[210, 420, 630, 840]"),
        ("dot_and_matmul", "[[210, 420, 630, 840]]"),
        ("dot_and_matmul", "(1, 4)"),
        ("dot_and_matmul", "[2.1, 2.4, 1.9]"),
        ("dot_and_matmul", "(3,)"),
        ("dot_and_matmul", "[0.89090318, 0.91682730, 0.86989153]"),
        ("dot_and_matmul", "[[0.89090318, 0.91682730, 0.86989153]]"),
        ("three_layer_network", "[0.74614674]"),
        ("three_layer_network", "[[0.74614674]]"),
        ("three_layer_network", "(1, 1)"),
        ("vanishing_gradient", "sigmoid  largest slope 0.25"),
        ("vanishing_gradient", "tanh     largest slope 1.00"),
    ]

    @Test(arguments: published) func thePostsNumber(_ name: String, _ line: String) throws {
        let lines = try ScriptFile.text(of: "\(Self.folder)/expected/\(name).txt").split(separator: "\n").map(String.init)
        #expect(lines.contains(line), "\(name) does not print \(line)")
    }
}
